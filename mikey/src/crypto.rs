//! The algorithms of MIKEY messages: encryption and MAC of the KEMAC and V payloads, and the
//! Diffie-Hellman groups. Values of algorithms that are not implemented have no variant here; the
//! codec keeps them.

mod cipher;
mod group;
mod mac;
#[cfg(feature = "rsa")]
mod rsa;
mod suite;
mod wrap;

pub use cipher::{Cipher, CipherError, Iv};
pub use group::{DhSecret, Group, InvalidPublicValue};
pub use mac::{Mac, MacError, Tag};
#[cfg(feature = "rsa")]
pub use rsa::{Envelope, RsaCredentials, RsaKeyError};
pub use suite::{Suite, SuiteError};
