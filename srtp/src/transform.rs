//! The cryptographic transforms of SRTP: octets and session keys in, octets out; no state.

mod aes_f8;
#[cfg(all(test, feature = "aria"))]
mod aria_vectors;
mod block_cipher;
mod gcm;
mod hmac_sha1;
#[cfg(test)]
mod wycheproof_tests;

pub(crate) use aes_f8::AesF8;
pub(crate) use block_cipher::BlockCipher;
pub(crate) use gcm::{Gcm, GcmNonce, TAG_LEN as GCM_TAG_LEN};
pub(crate) use hmac_sha1::{HmacSha1, begins_with};
