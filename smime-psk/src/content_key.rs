use core::fmt;

use rand_core::CryptoRng;
use zeroize::ZeroizeOnDrop;

use crate::ContentEncryption;

/// The content-encryption key of one message ([RFC 5652 §6]); TR 33.829 annex B.3 calls it TEK.
///
/// It is made for one message and wrapped for each recipient. Dropping it erases it.
///
/// ```
/// use smime_psk::{ContentEncryption, ContentKey};
///
/// let key = ContentKey::from_slice(&[7; 16]).ok_or("16, 24 or 32 octets")?;
/// assert!(key.fits(ContentEncryption::Aes128Gcm));
/// assert!(!key.fits(ContentEncryption::Aes256Gcm));
/// assert_eq!(format!("{key:?}"), "ContentKey");
/// # Ok::<(), &str>(())
/// ```
///
/// [RFC 5652 §6]: https://www.rfc-editor.org/rfc/rfc5652#section-6
#[derive(ZeroizeOnDrop)]
pub struct ContentKey {
    octets: [u8; 32],
    #[zeroize(skip)]
    len: usize,
}

impl ContentKey {
    /// Takes a key of 16, 24 or 32 octets; `None` for any other length.
    #[must_use]
    pub fn from_slice(key: &[u8]) -> Option<Self> {
        if !matches!(key.len(), 16 | 24 | 32) {
            return None;
        }
        let mut this = Self {
            octets: [0; 32],
            len: key.len(),
        };
        this.octets.get_mut(..key.len())?.copy_from_slice(key);
        Some(this)
    }

    /// Draws a fresh key for `algorithm`.
    #[must_use]
    pub fn generate(algorithm: ContentEncryption, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut this = Self {
            octets: [0; 32],
            len: algorithm.key_len(),
        };
        rng.fill_bytes(this.octets.get_mut(..this.len).unwrap_or_default());
        this
    }

    /// Whether `algorithm` takes a key of this length.
    #[must_use]
    pub fn fits(&self, algorithm: ContentEncryption) -> bool {
        self.len == algorithm.key_len()
    }

    /// The key itself, for a [`KeyTransport`](crate::KeyTransport) to wrap.
    ///
    /// # Security
    ///
    /// Whoever has it reads and forges the message. Copies are the caller's to erase.
    #[must_use]
    pub fn expose_key(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey")
    }
}
