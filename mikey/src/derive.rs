//! Keys from keys: the PRFs, their labels, and the keys they yield. No I/O, no codec.
//!
//! The labels of RFC 3830 and those of RFC 6043 stand side by side in [`Label`]; they never yield
//! the same key from the same input.

mod csb;
mod keys;
mod label;
mod prf;
mod secret;
#[cfg(feature = "srtp")]
pub mod srtp;

pub use csb::CsbDerivation;
pub use keys::MessageKeys;
pub use label::{
    ForkedKey, Label, MessageKey, MessageProtectionKey, Rands, SessionKey, TicketMessage,
};
pub use prf::Prf;
pub(crate) use prf::hmac_key;
pub use secret::{MAX_SECRET_LEN, MIN_SECRET_LEN, Secret, SecretLengthError};
