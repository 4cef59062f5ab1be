use alloc::boxed::Box;
use core::fmt;

use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

/// Octets of the shortest key that is taken: 128 bits ([RFC 6043 §12.1]).
///
/// [RFC 6043 §12.1]: https://www.rfc-editor.org/rfc/rfc6043#section-12.1
pub const MIN_SECRET_LEN: usize = 16;

/// Octets of the longest key that is taken: more than the TGK of the largest DH group.
pub const MAX_SECRET_LEN: usize = 512;

/// A key is shorter than [`MIN_SECRET_LEN`] or longer than [`MAX_SECRET_LEN`]; none was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key has {found} octets; {MIN_SECRET_LEN} to {MAX_SECRET_LEN} are allowed")]
pub struct SecretLengthError {
    found: usize,
}

/// A key that others are derived from or that protects media: a pre-shared key, an envelope key, a
/// TGK, a TEK ([RFC 3830 §1.4]).
///
/// Erased when dropped, never printed, compared in constant time, copied only by name.
///
/// ```
/// use mikey::derive::Secret;
///
/// let key = Secret::new(&[0x2b; 16])?;
/// assert_eq!(format!("{key:?}"), "Secret");
/// assert!(Secret::new(&[0x2b; 15]).is_err());
/// # Ok::<(), mikey::derive::SecretLengthError>(())
/// ```
///
/// [RFC 3830 §1.4]: https://www.rfc-editor.org/rfc/rfc3830#section-1.4
#[derive(ZeroizeOnDrop)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes [`MIN_SECRET_LEN`] to [`MAX_SECRET_LEN`] octets.
    ///
    /// # Errors
    ///
    /// [`SecretLengthError`] for any other length.
    pub fn new(octets: &[u8]) -> Result<Self, SecretLengthError> {
        if !(MIN_SECRET_LEN..=MAX_SECRET_LEN).contains(&octets.len()) {
            return Err(SecretLengthError {
                found: octets.len(),
            });
        }
        Ok(Self(octets.into()))
    }

    /// Draws `len` octets.
    ///
    /// # Errors
    ///
    /// [`SecretLengthError`] for a length that [`new`](Self::new) does not take.
    pub fn random<R: CryptoRng + ?Sized>(
        len: usize,
        rng: &mut R,
    ) -> Result<Self, SecretLengthError> {
        if !(MIN_SECRET_LEN..=MAX_SECRET_LEN).contains(&len) {
            return Err(SecretLengthError { found: len });
        }
        let mut secret = Self(alloc::vec![0; len].into_boxed_slice());
        rng.fill_bytes(&mut secret.0);
        Ok(secret)
    }

    /// The octets.
    ///
    /// # Security
    ///
    /// Only for handing the key on; erase every copy.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second copy of the same key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl ConstantTimeEq for Secret {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
