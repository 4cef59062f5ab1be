//! The exchanges of RFC 3830, 4650 and 4738 as state machines: a message and the time in, a message
//! or an established [`Bundle`] out.
//!
//! | module | messages | authenticated by | keys |
//! |---|---|---|---|
//! | [`psk`] | one, and an answer where it is asked for | a pre-shared key | the Initiator's |
//! | [`public_key`] | one, and an answer where it is asked for | a signature; the answer by the envelope key | the Initiator's |
//! | [`dh`] | two | signatures | agreed, forward secret |
//! | [`dh_hmac`] | two | a pre-shared key | agreed, forward secret |
//! | [`rsa_r`] | two | signatures | the Responder's |
//! | [`null`] | one | nothing: the channel that it is in | the sender's |
//!
//! Each exchange is a module, each role a type. A step consumes its state; a step that a forged
//! message may trigger gives the state back in [`Rejected`]. A Responder first gets to see what was
//! proposed, authenticated, and then establishes or rejects it. Keys come out of verified messages
//! alone, and nothing changes before: no bundle, no replay cache.

mod acceptance;
mod accepted;
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
pub use accepted::Accepted;
pub use bundle::{Bundle, Established, NoSessionKey};
pub use error::{ExchangeError, Rejected, error_message};
pub use half_keys::DhUpdate;
pub use keys::{KeyKind, KeyMaterial, Validity};
pub use proposal::Proposal;
pub use sessions::{Policy, Session};
#[cfg(feature = "srtp")]
pub use srtp::{SrtpKeyError, SrtpKeys};
