#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod derive;
mod error;
mod exchange;
mod kms;
mod message;
mod policy;
pub mod profile;
mod query;
mod recipient;
mod replay;
mod strength;
mod ticket;
mod ticket_keys;

pub use error::{Refusal, Rejected, TicketError};
#[cfg(feature = "srtp")]
pub use exchange::SrtpKeyError;
pub use exchange::{
    Answer, AwaitingResolution, AwaitingTicket, AwaitingTransfer, Established, GrantedTicket,
    IncomingTransfer, Initiator, Offer, Resolution, Responder, Session, Transfer, VerifiedTransfer,
};
pub use kms::{
    AuditEvent, DIVERTING_SERVER, Diversion, GrantAsAsked, Kms, KmsPolicy, KmsReply, NoCredentials,
    Relay,
};
pub use policy::{KeyRequest, Policy, PolicyError};
pub use recipient::Recipient;
pub use replay::DeferredReplayCache;
pub use strength::Strength;
pub use ticket::{IssuedTicket, TicketContents, issue_ticket, open_ticket};
pub use ticket_keys::{InMemoryTicketKeys, TicketKeyError, TicketKeys};
