//! Self-consistency: both sides are ours, as no other implementation of RFC 6043 is known.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod conference;
#[cfg(feature = "smime-psk")]
mod deferred;
mod diversion;
mod exchanges;
mod hostile;
#[cfg(feature = "smime-psk")]
mod insider;
mod key_use;
#[cfg(feature = "smime-psk")]
mod lists;
mod media;
#[cfg(feature = "smime-psk")]
mod messages;
mod profiles;
mod properties;
#[cfg(feature = "rsa")]
mod public_key;
mod relay;
mod support;
mod updates;
mod vectors;
