//! The public-key exchange ([RFC 3830 §3.2]): keys in an envelope, signed.
//!
//! ```text
//! Initiator                                                        Responder
//! I_MESSAGE = HDR, T, RAND, IDi, {CERTi}, IDr, {SP}, KEMAC, [CHASH], PKE, SIGNi  -->
//!                                                             [<--]  R_MESSAGE = HDR, T, IDr, V
//! ```
//!
//! Where the envelope key is cached for the bundle, updates are pre-shared key messages:
//! [`Bundle::send_update`](super::Bundle::send_update) and its kin. Where it is not, begin a new bundle.
//!
//! [RFC 3830 §3.2]: https://www.rfc-editor.org/rfc/rfc3830#section-3.2

mod initiator;
mod responder;

pub use initiator::Initiator;
pub use responder::Responder;
