//! What the exchanges ask of the side that holds the keys: operations, not key octets.
//!
//! Implement these on a UICC, an HSM or a credential store. [`InMemoryKeys`] serves tests and
//! software-only hosts; feature `rsa` has [`RsaCredentials`](crate::crypto::RsaCredentials).

mod credentials;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;

use crate::EncodeError;
use crate::code_points::IdType;
use crate::derive::{Label, Prf, Secret};
use crate::payload::Id;

pub use credentials::{CredentialError, Credentials};

/// The identity of a party, as its ID payload says it ([RFC 3830 §6.7]).
///
/// ```
/// use mikey::{Identity, code_points::IdType};
///
/// let alice = Identity::uri("sip:alice@example.org")?;
/// assert_eq!(alice.id_type(), IdType::Uri);
/// assert_eq!(alice.data(), b"sip:alice@example.org");
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.7]: https://www.rfc-editor.org/rfc/rfc3830#section-6.7
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity {
    id_type: IdType,
    data: Box<[u8]>,
}

impl Identity {
    /// An identity of any type.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] above 65535 octets.
    pub fn new(id_type: IdType, data: &[u8]) -> Result<Self, EncodeError> {
        Id::new(id_type, data)?;
        Ok(Self {
            id_type,
            data: data.into(),
        })
    }

    /// A URI.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] above 65535 octets.
    pub fn uri(uri: &str) -> Result<Self, EncodeError> {
        Self::new(IdType::Uri, uri.as_bytes())
    }

    /// A Network Access Identifier.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] above 65535 octets.
    pub fn nai(nai: &str) -> Result<Self, EncodeError> {
        Self::new(IdType::Nai, nai.as_bytes())
    }

    /// What an ID payload says.
    #[must_use]
    pub fn from_payload(id: &Id<'_>) -> Self {
        Self {
            id_type: id.id_type(),
            data: id.data().into(),
        }
    }

    /// The type.
    #[must_use]
    pub const fn id_type(&self) -> IdType {
        self.id_type
    }

    /// The octets that name the party.
    #[must_use]
    pub const fn data(&self) -> &[u8] {
        &self.data
    }

    /// The ID payload.
    ///
    /// # Errors
    ///
    /// None: the length was checked when the identity was made.
    pub fn to_payload(&self) -> Result<Id<'_>, EncodeError> {
        Id::new(self.id_type, &self.data)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id_type.name(), self.data.escape_ascii())
    }
}

/// The pre-shared keys of a host ([RFC 3830 §3.1]).
///
/// # Security
///
/// A key must be shared by exactly two parties, or either can pose as the other to a third. Answer
/// in a time that does not depend on the key.
///
/// [RFC 3830 §3.1]: https://www.rfc-editor.org/rfc/rfc3830#section-3.1
pub trait PreSharedKeys {
    /// Fills `out` with `PRF(psk, label)`, `psk` being the key shared with `peer`.
    ///
    /// # Errors
    ///
    /// [`UnknownKey`] if no key is shared with `peer`, or it is no longer valid.
    fn prf(
        &self,
        peer: &Identity,
        prf: Prf,
        label: &Label,
        out: &mut [u8],
    ) -> Result<(), UnknownKey>;
}

/// No key for this party, or none that may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no key for this party")]
#[allow(
    clippy::exhaustive_structs,
    reason = "implementers of the trait return it"
)]
pub struct UnknownKey;

/// Pre-shared keys in memory, by the identity of the peer.
///
/// ```
/// use mikey::derive::{Label, MessageKey, Prf, Secret};
/// use mikey::{Identity, InMemoryKeys, PreSharedKeys, UnknownKey};
///
/// let bob = Identity::uri("sip:bob@example.org").map_err(|_| UnknownKey)?;
/// let mut keys = InMemoryKeys::new();
/// keys.insert(bob.clone(), Secret::new(&[0x2b; 16]).map_err(|_| UnknownKey)?);
///
/// let (mut ours, mut direct) = ([0; 20], [0; 20]);
/// let label = Label::message_key(MessageKey::Authentication, 1, &[7; 16]);
/// keys.prf(&bob, Prf::Mikey1, &label, &mut ours)?;
/// Prf::Mikey1.derive(&[0x2b; 16], label.as_octets(), &mut direct);
/// assert_eq!(ours, direct);
/// # Ok::<(), UnknownKey>(())
/// ```
#[derive(Default)]
pub struct InMemoryKeys(BTreeMap<Identity, Secret>);

impl InMemoryKeys {
    /// No keys.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Shares `key` with `peer`, in place of an earlier one.
    pub fn insert(&mut self, peer: Identity, key: Secret) {
        self.0.insert(peer, key);
    }

    /// Forgets and erases the key shared with `peer`.
    pub fn remove(&mut self, peer: &Identity) {
        self.0.remove(peer);
    }
}

impl PreSharedKeys for InMemoryKeys {
    fn prf(
        &self,
        peer: &Identity,
        prf: Prf,
        label: &Label,
        out: &mut [u8],
    ) -> Result<(), UnknownKey> {
        let key = self.0.get(peer).ok_or(UnknownKey)?;
        prf.derive(key.expose(), label.as_octets(), out);
        Ok(())
    }
}

impl fmt::Debug for InMemoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemoryKeys")
    }
}
