use alloc::vec::Vec;

use crate::Identity;
use crate::code_points::SType;
use crate::derive::Secret;
use crate::payload::{Cert, CertHash};

/// The private key of a host and its trust in those of others ([RFC 3830 §4.3]).
///
/// Certificates are the implementation's affair: it validates the ones of a message, finds the ones
/// that a message leaves out, and says whom they name. Feature `rsa` has `crypto::RsaCredentials`,
/// with public keys that are known beforehand.
///
/// [RFC 3830 §4.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.3
pub trait Credentials {
    /// The signature algorithm of the own key.
    fn s_type(&self) -> SType;

    /// Octets of a signature of the own key; at most 4095.
    fn signature_len(&self) -> usize;

    /// The own certificates to send, the own one first. None where peers have them already.
    fn certificates(&self) -> Vec<Cert<'_>> {
        Vec::new()
    }

    /// Signs the concatenation of `parts`, in exactly [`signature_len`](Self::signature_len)
    /// octets.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Unavailable`] if the key cannot sign now.
    fn sign(&self, parts: &[&[u8]]) -> Result<Vec<u8>, CredentialError>;

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
    fn seal_envelope(
        &self,
        peer: &Identity,
        certificates: &[Cert<'_>],
        envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError>;

    /// Decrypts an envelope key with the own private key: the one whose certificate `hash` names,
    /// or the only one.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if there is no such key.
    ///
    /// # Security
    ///
    /// Whether an envelope has the right padding must not show, or whoever can send envelopes can
    /// decrypt others (Bleichenbacher's attack on PKCS#1 v1.5). Work in constant time, and for one
    /// that does not open return a key all the same: the same one for the same envelope, that
    /// nobody else can foretell. The MAC that is to be made with it then fails as any other.
    ///
    /// The exchanges call it for signed messages alone, and tell the peer nothing of why it failed.
    fn open_envelope(
        &self,
        hash: Option<&CertHash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError>;
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
