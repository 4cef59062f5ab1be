//! The exchanges as state machines: a message and the time in, a message or keys out.

mod answer;
mod established;
mod rekeying;
mod request;
mod resolve;
#[cfg(feature = "srtp")]
mod srtp;
mod transfer;
mod update;

pub use answer::{Answer, VerifiedTransfer};
pub use established::Established;
pub use mikey::exchange::Session;
pub use request::{AwaitingTicket, Initiator};
pub use resolve::{AwaitingResolution, IncomingTransfer, Resolution, Responder};
#[cfg(feature = "srtp")]
pub use srtp::SrtpKeyError;
pub use transfer::{AwaitingTransfer, GrantedTicket, Offer, Transfer};
