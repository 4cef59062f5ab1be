//! The exchanges as state machines: a message and the time in, a message or keys out.

mod established;
mod request;
mod resolve;
#[cfg(feature = "srtp")]
mod srtp;
mod transfer;

pub use established::{Established, Session};
pub use request::{AwaitingTicket, Initiator};
pub use resolve::{
    Answer, AwaitingResolution, IncomingTransfer, Resolution, Responder, VerifiedTransfer,
};
#[cfg(feature = "srtp")]
pub use srtp::SrtpKeyError;
pub use transfer::{AwaitingTransfer, GrantedTicket, Offer, Transfer};
