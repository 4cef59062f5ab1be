use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ContentKey;
use crate::error::OpenError;
use crate::oid::Oid;

/// What binds a message to the sender that the key transport vouches for (TR 33.829 annex B.3 and
/// annex F).
///
/// Stronger proofs compare greater:
///
/// ```
/// use smime_psk::ProofOfOrigin;
///
/// assert!(ProofOfOrigin::None < ProofOfOrigin::Mac);
/// assert!(ProofOfOrigin::Mac < ProofOfOrigin::Committing);
/// ```
///
/// # Security
///
/// The tag of GCM or CCM is no hash: whoever has the content key, which every recipient has, can
/// make another content with the same tag. [`Mac`](Self::Mac) therefore convinces a recipient, who
/// knows that it forged nothing, if no other recipient had the key; it convinces no third party.
/// [`Committing`](Self::Committing) does: its digest covers key, attributes and ciphertext.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ProofOfOrigin {
    /// None: the sender may deny it, any recipient may have written it.
    #[default]
    None,
    /// Annex F as written: a copy of the tag.
    Mac,
    /// The tag and a SHA-256 digest. Not in TR 33.829: both sides must have agreed on it, and a
    /// recipient by the letter of annex F refuses it.
    Committing,
}

impl ProofOfOrigin {
    /// What a verified proof says of this message.
    pub(crate) fn verify(
        proof: Option<&[u8]>,
        mac: &[u8],
        digest: Option<[u8; 32]>,
    ) -> Result<Self, OpenError> {
        let Some(proof) = proof else {
            return Ok(Self::None);
        };
        let (copy, rest) = proof
            .split_at_checked(mac.len())
            .ok_or(OpenError::OriginMismatch)?;
        let same = copy.ct_eq(mac);
        match (rest, digest) {
            ([], _) if bool::from(same) => Ok(Self::Mac),
            (rest, Some(digest)) if bool::from(same & rest.ct_eq(&digest)) => Ok(Self::Committing),
            _ => Err(OpenError::OriginMismatch),
        }
    }
}

/// The digest of the committing proof.
///
/// Over the ciphertext under its key, not the plaintext: the proof travels in the clear, and a
/// digest of a short plaintext could be guessed.
///
/// ```text
/// SHA-256( label || len(key) || key || len(algorithm) || algorithm || len(contentType) ||
///          contentType || len(aad) || aad || len(ciphertext) || ciphertext || tag )
/// ```
///
/// Lengths are 64-bit. The algorithm is the contents of its AlgorithmIdentifier, contentType those
/// of its OBJECT IDENTIFIER, aad what the AEAD authenticated.
pub(crate) struct Commitment(Sha256);

impl Commitment {
    pub(crate) fn new(
        key: &ContentKey,
        algorithm: &[u8],
        content_type: Oid,
        aad: &[u8],
        content_len: u64,
    ) -> Self {
        let mut this = Self(Sha256::new());
        this.0.update(b"mediasec smime-psk proof of origin 1");
        this.field(key.expose_key());
        this.field(algorithm);
        this.field(content_type.as_octets());
        this.field(aad);
        this.0.update(content_len.to_be_bytes());
        this
    }

    pub(crate) fn update(&mut self, ciphertext: &[u8]) {
        self.0.update(ciphertext);
    }

    pub(crate) fn finish(mut self, mac: &[u8]) -> [u8; 32] {
        self.0.update(mac);
        self.0.finalize().into()
    }

    fn field(&mut self, octets: &[u8]) {
        self.0.update(
            u64::try_from(octets.len())
                .unwrap_or(u64::MAX)
                .to_be_bytes(),
        );
        self.0.update(octets);
    }
}

/// The data of a proof: the tag, with the digest if there is one.
pub(crate) fn data(mac: &[u8], digest: Option<[u8; 32]>) -> Vec<u8> {
    let mut data = mac.to_vec();
    data.extend(digest.iter().flatten());
    data
}
