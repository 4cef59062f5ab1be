//! MIKEY-RSA-R ([RFC 4738 §3]): the Responder chooses the keys and encrypts them with the public
//! key that the Initiator has sent.
//!
//! ```text
//! Initiator                                                     Responder
//! I_MESSAGE = HDR, T, RAND, IDi, {CERTi}, IDr, {SP}, SIGNi  -->
//!              <--  R_MESSAGE = HDR, T, [RAND], IDr, {CERTr}, [SP], KEMAC, PKE, SIGNr
//! ```
//!
//! Or one that keeps the keys of a group gives them to whoever asks and is admitted:
//!
//! ```text
//! I_MESSAGE = HDR, T, IDi, {CERTi}, [IDr], SIGNi  -->
//!   <--  R_MESSAGE = HDR, GenExt(CSB_ID), T, RAND, IDr, {CERTr}, SP, KEMAC, PKE, SIGNr
//! ```
//!
//! [RFC 4738 §3]: https://www.rfc-editor.org/rfc/rfc4738#section-3

mod group;
mod initiator;
mod responder;

pub use group::Group;
pub use initiator::{AwaitingResponse, Initiator};
pub use responder::{Accepted, Answering, Responder};
