use aes::cipher::{Array, array::typenum::U12};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
#[cfg(feature = "aria")]
use alloc::boxed::Box;

use crate::Backend;
#[cfg(target_arch = "x86_64")]
use crate::kernel::GcmKey;

/// Octets of the tag, the only length SRTP has ([RFC 7714 §13.2]).
///
/// [RFC 7714 §13.2]: https://www.rfc-editor.org/rfc/rfc7714#section-13.2
pub(crate) const TAG_LEN: usize = 16;

/// Galois/Counter Mode with a nonce of 12 octets and a tag of 16 ([RFC 7714]).
///
/// [RFC 7714]: https://www.rfc-editor.org/rfc/rfc7714
pub(crate) enum Gcm {
    #[cfg(target_arch = "x86_64")]
    Kernel(GcmKey),
    Aes128(AesGcm<Aes128Enc, U12>),
    Aes256(AesGcm<Aes256Enc, U12>),
    #[cfg(feature = "aria")]
    Aria128(Box<AesGcm<aria::Aria128, U12>>),
    #[cfg(feature = "aria")]
    Aria256(Box<AesGcm<aria::Aria256, U12>>),
    #[cfg(feature = "ring")]
    Ring(ring::aead::LessSafeKey),
}

/// A nonce of 12 octets: the upper 96 bits of a block as a number in network order, so that it
/// travels in registers.
#[derive(Clone, Copy)]
pub(crate) struct GcmNonce(u128);

impl GcmNonce {
    /// The nonce that `block` begins with.
    #[inline]
    pub(crate) const fn new(block: u128) -> Self {
        Self(block & !0xffff_ffff)
    }

    const fn octets(self) -> [u8; 12] {
        let [nonce @ .., _, _, _, _] = self.0.to_be_bytes();
        nonce
    }
}

#[cfg(test)]
impl From<[u8; 12]> for GcmNonce {
    fn from(octets: [u8; 12]) -> Self {
        let mut block = [0; 16];
        block[..12].copy_from_slice(&octets);
        Self(u128::from_be_bytes(block))
    }
}

/// The message is longer than the mode allows, or the tag is wrong.
#[derive(Debug)]
pub(crate) struct Refused;

impl Gcm {
    /// AES-GCM with the variant that `key` is long enough for: 16 or 32 octets.
    #[inline]
    pub(crate) fn aes(key: &[u8], backend: Backend) -> Option<Self> {
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Vaes512 | Backend::Vaes256 | Backend::AesNi => {
                GcmKey::new(key, backend.isa()?).map(Self::Kernel)
            }
            #[cfg(feature = "ring")]
            Backend::Ring => {
                let algorithm = match key.len() {
                    16 => &ring::aead::AES_128_GCM,
                    _ => &ring::aead::AES_256_GCM,
                };
                let key = ring::aead::UnboundKey::new(algorithm, key).ok()?;
                Some(Self::Ring(ring::aead::LessSafeKey::new(key)))
            }
            _ if key.len() == 16 => AesGcm::new_from_slice(key).ok().map(Self::Aes128),
            _ => AesGcm::new_from_slice(key).ok().map(Self::Aes256),
        }
    }

    /// Room for an AES key of `len` octets, if it is one that [`set`](Self::set) can expand in place.
    pub(crate) fn blank(len: usize, backend: Backend) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return GcmKey::blank(len, backend.isa()?).map(Self::Kernel);
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (len, backend);
            None
        }
    }

    /// Expands a key where there is room for it.
    pub(crate) fn set(&mut self, key: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(room) = self {
            room.set(key);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = key;
    }

    /// ARIA-GCM with the variant that `key` is long enough for: 16 or 32 octets.
    #[cfg(feature = "aria")]
    pub(crate) fn aria(key: &[u8]) -> Option<Self> {
        if key.len() == 16 {
            AesGcm::new_from_slice(key)
                .ok()
                .map(|gcm| Self::Aria128(Box::new(gcm)))
        } else {
            AesGcm::new_from_slice(key)
                .ok()
                .map(|gcm| Self::Aria256(Box::new(gcm)))
        }
    }

    /// Encrypts `data` in place and puts the tag over `aad` and the ciphertext into `tag`.
    #[inline]
    pub(crate) fn seal(
        &self,
        nonce: GcmNonce,
        aad: &[u8],
        data: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Refused> {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(key) = self {
            return key.seal(nonce.0, aad, data, tag).ok_or(Refused);
        }
        *tag = self.seal_by_crates(nonce.octets(), aad, data)?;
        Ok(())
    }

    #[inline(never)]
    fn seal_by_crates(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Refused> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Kernel(_) => Err(Refused),
            Self::Aes128(gcm) => seal(gcm, nonce, aad, data),
            Self::Aes256(gcm) => seal(gcm, nonce, aad, data),
            #[cfg(feature = "aria")]
            Self::Aria128(gcm) => seal(&**gcm, nonce, aad, data),
            #[cfg(feature = "aria")]
            Self::Aria256(gcm) => seal(&**gcm, nonce, aad, data),
            #[cfg(feature = "ring")]
            Self::Ring(key) => {
                let nonce = ring::aead::Nonce::assume_unique_for_key(nonce);
                let aad = ring::aead::Aad::from(aad);
                let tag = key
                    .seal_in_place_separate_tag(nonce, aad, data)
                    .map_err(|_| Refused)?;
                tag.as_ref().try_into().map_err(|_| Refused)
            }
        }
    }

    /// Verifies `tag` and decrypts `data` in place. If the tag is wrong, what `data` then holds is
    /// neither ciphertext nor plaintext.
    #[inline]
    pub(crate) fn open(
        &self,
        nonce: GcmNonce,
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Refused> {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(key) = self {
            let right = key.open(nonce.0, aad, data, tag);
            return if right { Ok(()) } else { Err(Refused) };
        }
        self.open_by_crates(nonce.octets(), aad, data, *tag)
    }

    #[inline(never)]
    fn open_by_crates(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        data: &mut [u8],
        tag: [u8; TAG_LEN],
    ) -> Result<(), Refused> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Kernel(_) => Err(Refused),
            Self::Aes128(gcm) => open(gcm, nonce, aad, data, tag),
            Self::Aes256(gcm) => open(gcm, nonce, aad, data, tag),
            #[cfg(feature = "aria")]
            Self::Aria128(gcm) => open(&**gcm, nonce, aad, data, tag),
            #[cfg(feature = "aria")]
            Self::Aria256(gcm) => open(&**gcm, nonce, aad, data, tag),
            #[cfg(feature = "ring")]
            Self::Ring(key) => {
                let nonce = ring::aead::Nonce::assume_unique_for_key(nonce);
                let aad = ring::aead::Aad::from(aad);
                key.open_in_place_separate_tag(nonce, aad, tag.into(), data, 0..)
                    .map(|_| ())
                    .map_err(|_| Refused)
            }
        }
    }
}

fn seal<A>(gcm: &A, nonce: [u8; 12], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN], Refused>
where
    A: AeadInOut<NonceSize = U12, TagSize = aes::cipher::array::typenum::U16>,
{
    gcm.encrypt_inout_detached(&Array(nonce), aad, InOutBuf::from(data))
        .map(|tag| tag.0)
        .map_err(|_| Refused)
}

fn open<A>(
    gcm: &A,
    nonce: [u8; 12],
    aad: &[u8],
    data: &mut [u8],
    tag: [u8; TAG_LEN],
) -> Result<(), Refused>
where
    A: AeadInOut<NonceSize = U12, TagSize = aes::cipher::array::typenum::U16>,
{
    gcm.decrypt_inout_detached(&Array(nonce), aad, InOutBuf::from(data), &Array(tag))
        .map_err(|_| Refused)
}
