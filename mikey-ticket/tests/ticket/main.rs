//! Self-consistency: both sides are ours, as no other implementation of RFC 6043 is known.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod conference;
mod exchanges;
mod hostile;
#[cfg(feature = "smime-psk")]
mod insider;
mod media;
#[cfg(feature = "smime-psk")]
mod messages;
mod profiles;
mod properties;
mod support;
mod updates;
mod vectors;
