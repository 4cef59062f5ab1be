use alloc::vec::Vec;

use aes::cipher::{KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ctr::Ctr128BE;
use zeroize::Zeroizing;

use super::wrap;
use crate::code_points::EncrAlg;

/// An encryption algorithm of the KEMAC payload that is implemented ([RFC 3830 §6.2],
/// [RFC 6043 §6.2]).
///
/// ```
/// use mikey::{code_points::EncrAlg, crypto::Cipher};
///
/// assert_eq!(Cipher::from_encr_alg(EncrAlg::AesCm256), Some(Cipher::AesCm256));
/// assert_eq!((Cipher::AesKw128.key_len(), Cipher::AesKw128.salt_len()), (16, 8));
/// ```
///
/// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
/// [RFC 6043 §6.2]: https://www.rfc-editor.org/rfc/rfc6043#section-6.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Cipher {
    /// No encryption: only where something else protects the message.
    Null,
    /// AES-CM-128: AES in counter mode.
    AesCm128,
    /// AES-KW-128: the AES key wrap of RFC 3394 with a derived initial value.
    AesKw128,
    /// AES-CM-256.
    AesCm256,
}

impl Cipher {
    /// The algorithm of an `Encr alg` value; `None` for one that is not implemented.
    #[must_use]
    pub const fn from_encr_alg(encr_alg: EncrAlg) -> Option<Self> {
        match encr_alg {
            EncrAlg::Null => Some(Self::Null),
            EncrAlg::AesCm128 => Some(Self::AesCm128),
            EncrAlg::AesKw128 => Some(Self::AesKw128),
            EncrAlg::AesCm256 => Some(Self::AesCm256),
            EncrAlg::Unknown(_) => None,
        }
    }

    /// The `Encr alg` value.
    #[must_use]
    pub const fn encr_alg(self) -> EncrAlg {
        match self {
            Self::Null => EncrAlg::Null,
            Self::AesCm128 => EncrAlg::AesCm128,
            Self::AesKw128 => EncrAlg::AesKw128,
            Self::AesCm256 => EncrAlg::AesCm256,
        }
    }

    /// Octets of `encr_key`.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::AesCm128 | Self::AesKw128 => 16,
            Self::AesCm256 => 32,
        }
    }

    /// Octets of `salt_key`.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::AesCm128 | Self::AesCm256 => 14,
            Self::AesKw128 => 8,
        }
    }

    pub(crate) fn encrypt(
        self,
        key: &[u8],
        salt: &[u8],
        iv: &Iv,
        data: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        match self {
            Self::Null => Ok(data.to_vec()),
            Self::AesCm128 => counter_mode::<Ctr128BE<Aes128>>(key, salt, iv, data),
            Self::AesCm256 => counter_mode::<Ctr128BE<Aes256>>(key, salt, iv, data),
            Self::AesKw128 => wrap::wrap(key, salt, data),
        }
    }

    pub(crate) fn decrypt(
        self,
        key: &[u8],
        salt: &[u8],
        iv: &Iv,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        match self {
            Self::AesKw128 => wrap::unwrap(key, salt, data),
            // Counter mode is its own inverse.
            _ => self.encrypt(key, salt, iv, data).map(Zeroizing::new),
        }
    }
}

/// What the counter of AES-CM starts from, beside the salt ([RFC 3830 §4.2.3]).
///
/// [RFC 3830 §4.2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.3
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the formula of RFC 3830 has these two inputs"
)]
pub struct Iv {
    /// CSB ID; all ones in a base ticket.
    pub csb_id: u32,
    /// The 64-bit timestamp of the message that carries the data.
    pub timestamp: [u8; 8],
}

/// A KEMAC could not be encrypted or decrypted; nothing was released.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CipherError {
    /// The key has not the length of the algorithm.
    #[error("key or salt does not fit the algorithm")]
    KeyLength,
    /// AES-KW-128 takes multiples of 8 octets, at least 16.
    #[error("the key wrap takes multiples of 8 octets, at least 16")]
    Length,
    /// The key wrap does not unwrap: another key, or changed data.
    #[error("the key wrap failed its integrity check")]
    Unwrap,
}

/// `IV = (S XOR (0x0000 || CSB ID || T)) || 0x0000`.
fn counter_mode<C: KeyIvInit + StreamCipher>(
    key: &[u8],
    salt: &[u8],
    iv: &Iv,
    data: &[u8],
) -> Result<Vec<u8>, CipherError> {
    let mut counter = Zeroizing::new([0_u8; 16]);
    let fresh = iv.csb_id.to_be_bytes().into_iter().chain(iv.timestamp);
    for (octet, fresh) in counter.iter_mut().skip(2).zip(fresh) {
        *octet = fresh;
    }
    for (octet, salt) in counter.iter_mut().zip(salt) {
        *octet ^= salt;
    }
    let mut cipher = C::new_from_slices(key, &*counter).map_err(|_| CipherError::KeyLength)?;
    let mut out = data.to_vec();
    cipher.apply_keystream(&mut out);
    Ok(out)
}
