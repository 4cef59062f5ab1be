//! Self-consistency: both sides are ours, as no other implementation of RFC 6043 is known.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod diversion;
mod exchanges;
mod hostile;
mod profiles;
mod properties;
#[cfg(feature = "rsa")]
mod public_key;
mod relay;
mod support;
mod updates;
mod vectors;
