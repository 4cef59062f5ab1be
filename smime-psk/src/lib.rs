#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod algorithm;
mod attributes;
mod auth_enveloped;
mod content_encryption;
mod content_key;
mod der;
mod error;
mod identity;
mod kek;
pub mod limits;
mod list;
pub mod mime;
mod oid;
mod open;
mod origin;
mod recipient;
mod seal;
pub mod sipfrag;
#[cfg(feature = "std")]
pub mod stream;
mod transport;

pub use algorithm::ContentEncryption;
pub use attributes::Attributes;
pub use auth_enveloped::AuthEnvelopedData;
pub use content_key::ContentKey;
pub use der::Encoding;
pub use error::{DecodeError, DecodeErrorKind, MimeError, OpenError, SealError, TransportError};
pub use identity::{ShownSender, compare_sender};
pub use kek::KekRecipient;
pub use list::{ListServer, ReencryptError, SenderField};
pub use oid::Oid;
pub use open::{OpenPolicy, Opened, open};
pub use origin::ProofOfOrigin;
pub use recipient::{KekRecipientInfo, OtherRecipientInfo, RecipientInfo, RecipientInfos};
pub use seal::{SealPolicy, seal};
pub use transport::{KeyTransport, Unwrapped, Wrapping};
