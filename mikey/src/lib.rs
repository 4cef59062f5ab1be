#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod chain;
pub mod code_points;
mod error;
pub mod keymgmt;
pub mod limits;
mod message;
mod octets;
pub mod payload;
mod quirks;
mod reader;
mod rules;
mod sequence;

pub use chain::{Chain, Payloads};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use message::{Located, Message};
pub use quirks::Quirks;
pub use rules::Rules;
