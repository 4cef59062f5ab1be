#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod error;
pub mod lines;
pub mod protocol;

pub use error::{Rule, SdpError};
pub use lines::Sdp;
pub use protocol::Protocol;
