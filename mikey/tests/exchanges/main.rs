//! Self-consistency: both roles of every exchange against each other, with every combination of
//! algorithms, with every octet changed, replayed, reflected, late and early. That the messages are
//! those of the standards is shown in `reference.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod dh_hmac;
mod errors;
#[cfg(feature = "rsa")]
mod group;
mod hostile;
mod null;
mod psk;
mod replay_cache;
#[cfg(feature = "rsa")]
mod rsa;
#[cfg(all(feature = "rsa", feature = "srtp"))]
mod rsa_r_policies;
#[cfg(feature = "rsa")]
mod signed;
#[cfg(feature = "srtp")]
mod srtp;
mod support;
mod trusting;
mod update;
