#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod chain;
pub mod code_points;
pub mod crypto;
pub mod derive;
mod error;
pub mod exchange;
pub mod keymgmt;
pub mod limits;
mod message;
mod octets;
pub mod payload;
mod quirks;
mod reader;
mod replay;
mod rules;
pub mod seam;
mod sequence;
mod timestamp;

pub use chain::{Chain, Payloads};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use message::{Located, Message};
pub use quirks::Quirks;
pub use replay::{InMemoryReplayCache, ReplayCache, ReplayError, SeenMessage};
pub use rules::Rules;
pub use seam::{CredentialError, Credentials, Identity, InMemoryKeys, PreSharedKeys, UnknownKey};
pub use timestamp::{MessageTime, SkewWindow, Timestamp};
