//! AES-GCM and AES-CCM, at once and piece by piece.

mod block;
mod ccm;
mod gcm;
#[cfg(test)]
mod twin_tests;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use self::block::Aes;
use self::ccm::Ccm;
use self::gcm::Gcm;
use crate::ContentKey;
use crate::algorithm::Parameters;

/// Octets worked on at a time, a whole number of blocks that stays in the first-level cache.
pub(crate) const PIECE: usize = 4096;

/// An authentication tag of 16 octets, of which [`Parameters::tag_len`] count.
pub(crate) type Tag = [u8; 16];

/// The content does not have the tag.
#[derive(Debug)]
pub(crate) struct Forged;

/// One pass over a content, in pieces of a whole number of blocks, except the last.
pub(crate) enum Pass {
    Ccm(Ccm),
    Gcm(Gcm),
}

impl Pass {
    /// `None` if the key is not of the length that the algorithm takes.
    pub(crate) fn new(
        parameters: &Parameters,
        key: &ContentKey,
        aad: &[u8],
        content_len: u64,
    ) -> Option<Self> {
        if !key.fits(parameters.algorithm) {
            return None;
        }
        let aes = Aes::new(key.expose_key())?;
        Some(if parameters.algorithm.is_ccm() {
            Self::Ccm(Ccm::new(aes, parameters, aad, content_len)?)
        } else {
            Self::Gcm(Gcm::new(aes, parameters.nonce(), aad))
        })
    }

    pub(crate) fn encrypt(&mut self, data: &mut [u8]) {
        match self {
            Self::Ccm(ccm) => ccm.encrypt(data),
            Self::Gcm(gcm) => gcm.encrypt(data),
        }
    }

    pub(crate) fn decrypt(&mut self, data: &mut [u8]) {
        match self {
            Self::Ccm(ccm) => ccm.decrypt(data),
            Self::Gcm(gcm) => gcm.decrypt(data),
        }
    }

    pub(crate) fn tag(self) -> Tag {
        match self {
            Self::Ccm(ccm) => ccm.tag(),
            Self::Gcm(gcm) => gcm.tag(),
        }
    }

    /// Compares in constant time; `expected` has the length that the parameters say.
    pub(crate) fn verify(self, expected: &[u8]) -> Result<(), Forged> {
        let tag = self.tag();
        let tag = tag.get(..expected.len()).ok_or(Forged)?;
        if bool::from(tag.ct_eq(expected)) {
            Ok(())
        } else {
            Err(Forged)
        }
    }
}

/// Encrypts `data` and returns the tag; `None` if the key does not fit.
pub(crate) fn seal_in_place(
    parameters: &Parameters,
    key: &ContentKey,
    aad: &[u8],
    data: &mut [u8],
) -> Option<Tag> {
    #[cfg(feature = "ring")]
    if let Some((ring_key, nonce)) = by_ring(parameters, key) {
        let tag = ring_key.seal_in_place_separate_tag(nonce, ring::aead::Aad::from(aad), data);
        return tag.ok()?.as_ref().try_into().ok();
    }
    let mut pass = Pass::new(parameters, key, aad, u64::try_from(data.len()).ok()?)?;
    for piece in data.chunks_mut(PIECE) {
        pass.encrypt(piece);
    }
    Some(pass.tag())
}

/// Decrypts `data`, or erases it if the tag does not match.
pub(crate) fn open_in_place(
    parameters: &Parameters,
    key: &ContentKey,
    aad: &[u8],
    tag: &[u8],
    data: &mut [u8],
) -> Result<(), Forged> {
    let opened = try_open(parameters, key, aad, tag, data);
    if opened.is_err() {
        data.zeroize();
    }
    opened
}

fn try_open(
    parameters: &Parameters,
    key: &ContentKey,
    aad: &[u8],
    tag: &[u8],
    data: &mut [u8],
) -> Result<(), Forged> {
    if tag.len() != usize::from(parameters.tag_len) {
        return Err(Forged);
    }
    #[cfg(feature = "ring")]
    if let (Some((ring_key, nonce)), Ok(tag)) = (by_ring(parameters, key), tag.try_into()) {
        let aad = ring::aead::Aad::from(aad);
        let opened = ring_key.open_in_place_separate_tag(nonce, aad, tag, data, 0..);
        return opened.map(|_| ()).map_err(|_| Forged);
    }
    let len = u64::try_from(data.len()).map_err(|_| Forged)?;
    let mut pass = Pass::new(parameters, key, aad, len).ok_or(Forged)?;
    for piece in data.chunks_mut(PIECE) {
        pass.decrypt(piece);
    }
    pass.verify(tag)
}

/// `ring`, for what it has: GCM with 12-octet nonces and 16-octet tags, not with AES-192.
#[cfg(feature = "ring")]
fn by_ring(
    parameters: &Parameters,
    key: &ContentKey,
) -> Option<(ring::aead::LessSafeKey, ring::aead::Nonce)> {
    use crate::ContentEncryption::{Aes128Gcm, Aes256Gcm};
    let algorithm = match parameters.algorithm {
        Aes128Gcm => &ring::aead::AES_128_GCM,
        Aes256Gcm => &ring::aead::AES_256_GCM,
        _ => return None,
    };
    if parameters.tag_len != 16 {
        return None;
    }
    let nonce = ring::aead::Nonce::try_assume_unique_for_key(parameters.nonce()).ok()?;
    let key = ring::aead::UnboundKey::new(algorithm, key.expose_key()).ok()?;
    Some((ring::aead::LessSafeKey::new(key), nonce))
}
