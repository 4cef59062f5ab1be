//! The Diffie-Hellman exchange that signatures authenticate ([RFC 3830 §3.3]).
//!
//! ```text
//! Initiator                                                     Responder
//! I_MESSAGE = HDR, T, RAND, IDi, {CERTi}, IDr, {SP}, DHi, SIGNi  -->
//!                       <--  R_MESSAGE = HDR, T, IDr, {CERTr}, IDi, DHr, DHi, SIGNr
//! ```
//!
//! [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3

mod initiator;
mod responder;
mod update;

pub use initiator::{AwaitingResponse, Initiator};
pub use responder::{Accepted, Answering, Responder};
pub use update::AwaitingUpdate;
