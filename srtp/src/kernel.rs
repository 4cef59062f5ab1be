//! AES, GHASH and SHA-1 in the vector instructions of x86-64: the only place with `unsafe`.
//!
//! What the processor has is asked once a session ([`Isa`]); each kernel has a twin in the
//! RustCrypto crates, which serves where the instructions are missing and which tests compare it
//! with. `unsafe` appears where an [`Isa`] proves that the instructions exist, in `registers`, where
//! octets meet registers and secrets are overwritten, and in `prefetch`. All else is safe code on
//! slices.

#![allow(
    unsafe_code,
    reason = "calls of functions for one instruction set, loads and stores of registers, volatile writes, prefetches"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "words, lanes and round keys have constant numbers, known to the compiler"
)]

#[cfg(target_arch = "x86_64")]
mod aes;
mod detect;
#[cfg(target_arch = "x86_64")]
mod gcm;
#[cfg(all(test, target_arch = "x86_64", unix, not(miri)))]
mod guard_tests;
mod prefetch;
#[cfg(target_arch = "x86_64")]
mod registers;
mod sha1;
#[cfg(all(test, target_arch = "x86_64"))]
mod twin_tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use aes::AesKey;
pub(crate) use detect::{Isa, Level};
#[cfg(target_arch = "x86_64")]
pub(crate) use gcm::GcmKey;
pub(crate) use prefetch::prefetch;
pub(crate) use sha1::{HmacStates, MAX_JOBS, MacJob, hmac, hmac_all};
