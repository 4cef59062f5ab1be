//! What a key management protocol hands to SRTP: nouns and one trait, no cryptography.
//!
//! Key management crates depend on this module alone (`default-features = false`) and implement
//! [`MasterKeySource`]; the engine reads it once when a [`Sender`](crate::Sender) or
//! [`Receiver`](crate::Receiver) is built.

mod key_set;
mod lifetime;
mod master_key;
mod mki;
mod parameters;
mod profile;
mod source;

pub use key_set::{KeyEntry, KeySet, MAX_KEYS_PER_STREAM};
pub use lifetime::{Lifetime, MAX_SRTCP_PACKETS, MAX_SRTP_PACKETS, Validity};
pub use master_key::MasterKey;
pub use mki::{MAX_MKI_LEN, Mki};
pub use parameters::{KeyDerivationRate, Parameters, RocTransport, RocTransportMode};
pub use profile::{MAX_KEY_LEN, MAX_SALT_LEN, Profile};
pub use source::{MasterKeySource, StaticKeys};

/// A value that SRTP cannot be keyed with; nothing was built.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyingError {
    /// Two keys of one stream are the same, or carry the same MKI.
    #[error("two keys of one stream are the same or have the same MKI")]
    DuplicateKey,
    /// The key derivation rate is not zero or a power of two up to 2^24.
    #[error("key derivation rate is not 0 or a power of two up to 2^24")]
    KeyDerivationRate,
    /// The master key is not as long as the profile's.
    #[error("master key has {found} octets, the profile needs {needed}")]
    KeyLength {
        /// Octets given.
        found: usize,
        /// Octets the profile needs.
        needed: usize,
    },
    /// A lifetime is zero or above the profile's maximum.
    #[error("key lifetime is zero or above the maximum of the profile")]
    Lifetime,
    /// An MKI is empty, too long, or not as long as its siblings.
    #[error("MKI is empty, longer than 128 octets, or differs in length from its siblings")]
    Mki,
    /// A stream has several keys that neither an MKI nor a validity interval tells apart.
    #[error("several keys of one stream, told apart by neither MKI nor <From, To>")]
    NoSelector,
    /// The set holds no key.
    #[error("no master key")]
    NoKey,
    /// A key was made for a different profile than the set's.
    #[error("key belongs to a different profile")]
    ProfileMismatch,
    /// ROC transport is asked for with a rate of zero, a tag that does not fit, or a profile it is
    /// not defined for.
    #[error("ROC transport parameters do not fit the profile")]
    RocTransport,
    /// The master salt is not as long as the profile's.
    #[error("master salt has {found} octets, the profile needs {needed}")]
    SaltLength {
        /// Octets given.
        found: usize,
        /// Octets the profile needs.
        needed: usize,
    },
    /// More than [`MAX_KEYS_PER_STREAM`] keys for one stream.
    #[error("more than 16 master keys for one stream")]
    TooManyKeys,
    /// The profile always encrypts and authenticates, or has no such option.
    #[error("the profile does not allow packets without encryption or authentication")]
    UnprotectedNotAllowed,
    /// `<From, To>` ends before it begins or is wider than 48 bits.
    #[error("<From, To> is empty or wider than a 48-bit index")]
    Validity,
}
