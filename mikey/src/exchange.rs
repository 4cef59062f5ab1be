//! The exchanges of RFC 3830, 4650 and 4738 as state machines: a message and the time in, a message
//! or an established [`Bundle`] out.
//!
//! Each exchange is a module, each role a type. A step consumes its state; a step that a forged
//! message may trigger gives the state back in [`Rejected`]. Keys come out of verified messages
//! alone.

mod acceptance;
mod bundle;
mod error;
mod half_keys;
mod incoming;
mod keys;
mod proposal;
mod sessions;
mod signature;
#[cfg(feature = "srtp")]
mod srtp;
mod verification;

pub mod dh;
pub mod dh_hmac;
pub mod null;
pub mod psk;
pub mod public_key;
pub mod rsa_r;

pub use acceptance::Acceptance;
pub use bundle::{Bundle, Established, NoSessionKey};
pub use error::{ExchangeError, Rejected, error_message};
pub use keys::{KeyKind, KeyMaterial, Validity};
pub use proposal::Proposal;
pub use sessions::{Policy, Session};
#[cfg(feature = "srtp")]
pub use srtp::{SrtpKeyError, SrtpKeys};
