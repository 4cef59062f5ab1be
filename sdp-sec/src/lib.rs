#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod answer;
pub mod cema;
pub mod conference;
pub mod e2ae;
pub mod edge;
mod error;
pub mod fingerprint;
pub mod identity;
pub mod interception;
pub mod key_mgmt;
pub mod lines;
pub mod mediasec;
pub mod msrp;
pub mod protocol;
#[cfg(feature = "sdp-types")]
pub mod sdp_types_adapter;
pub mod setup;
pub mod tls_id;
pub mod tls_psk;
pub mod tls_role;
mod token;

pub use e2ae::E2ae;
pub use error::{Rule, SdpError};
pub use fingerprint::Fingerprint;
pub use key_mgmt::KeyMgmt;
pub use lines::Sdp;
pub use msrp::Path;
pub use protocol::Protocol;
pub use setup::{Connection, Setup};
pub use tls_id::TlsId;

use core::fmt;

/// `a=<name>:<value>`, for the editor.
#[derive(Clone, Copy)]
struct AttributeLine<V> {
    name: &'static str,
    value: V,
}

impl<V: fmt::Display> fmt::Display for AttributeLine<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a={}:{}", self.name, self.value)
    }
}
