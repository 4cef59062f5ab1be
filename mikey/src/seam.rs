//! What the exchanges ask of the side that holds the keys: operations, not key octets.
//!
//! Implement these on a UICC, an HSM or a credential store. [`InMemoryKeys`] serves tests and
//! software-only hosts; feature `rsa` has [`RsaCredentials`](crate::crypto::RsaCredentials).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::code_points::{IdType, SType};
use crate::derive::{Label, Prf, Secret};
use crate::payload::{Cert, Chash, Id};
use crate::{EncodeError, crypto::Group};

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
        Ok(Self { id_type, data: data.into() })
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
        Self { id_type: id.id_type(), data: id.data().into() }
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
    fn prf(&self, peer: &Identity, prf: Prf, label: &Label, out: &mut [u8])
    -> Result<(), UnknownKey>;
}

/// No key for this party, or none that may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no key for this party")]
#[non_exhaustive]
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

/// The private key of a host and its trust in those of others ([RFC 3830 §4.3]).
///
/// Certificates are the implementation's affair: it validates the ones of a message, finds the ones
/// that a message leaves out, and says whom they name.
///
/// [RFC 3830 §4.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.3
pub trait Credentials {
    /// The signature algorithm of the own key.
    fn s_type(&self) -> SType;

    /// Octets of a signature of the own key; at most 4095.
    fn signature_len(&self) -> usize;

    /// The own certificates to send, own one first: type and octets of each CERT payload. May be
    /// empty where peers have them already.
    fn certificates(&self) -> Vec<Cert<'_>>;

    /// Signs the concatenation of `parts`, in exactly [`signature_len`](Self::signature_len)
    /// octets.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Unavailable`] if the key cannot sign now.
    fn sign<R: CryptoRng>(
        &self,
        parts: &[&[u8]],
        rng: &mut R,
    ) -> Result<Vec<u8>, CredentialError>;

    /// Checks that `claimed` signed the concatenation of `parts`, with the key of the first of
    /// `certificates`, or with one that is known already if there are none.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if the signature, or the certificate, or the claim does not hold.
    ///
    /// # Security
    ///
    /// To say `Ok` for a certificate that does not name `claimed` lets its owner pose as `claimed`.
    fn verify(
        &self,
        claimed: &Identity,
        certificates: &[Cert<'_>],
        s_type: SType,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), CredentialError>;

    /// Encrypts an envelope key with the public key of `peer`, taken from the first of
    /// `certificates`, or known already if there are none.
    ///
    /// # Errors
    ///
    /// [`CredentialError::UnknownPeer`] without a key to encrypt with.
    fn seal_envelope<R: CryptoRng>(
        &self,
        peer: &Identity,
        certificates: &[Cert<'_>],
        envelope_key: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, CredentialError>;

    /// Decrypts an envelope key with the own private key: the one whose certificate `hash` names,
    /// or the only one.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if there is no such key or the envelope does not open.
    ///
    /// # Security
    ///
    /// In constant time, PKCS#1 v1.5 padding included. The exchanges call it for signed messages
    /// alone, and tell the peer nothing of why it failed.
    fn open_envelope(
        &self,
        hash: Option<&Chash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError>;

    /// Whether a Diffie-Hellman group is strong enough for this host.
    fn accepts_group(&self, group: Group) -> bool {
        matches!(group, Group::Oakley5)
    }
}

/// A private or public key could not be used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CredentialError {
    /// The signature, the certificate or the envelope does not hold.
    #[error("signature, certificate or envelope does not hold")]
    Invalid,
    /// The own key cannot be used now.
    #[error("the own key cannot be used")]
    Unavailable,
    /// No key of this peer is known, or none that is trusted.
    #[error("no trusted key of this peer")]
    UnknownPeer,
    /// A signature or encryption algorithm that is not implemented.
    #[error("algorithm not supported")]
    Unsupported,
}
