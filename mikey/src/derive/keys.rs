use alloc::vec::Vec;
use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{Label, MessageKey};
use crate::crypto::{CipherError, Iv, MacError, Suite, Tag};

/// Octets of the longest `encr_key` and `auth_key`.
const MAX_KEY_LEN: usize = 32;

/// Octets of the longest `salt_key`: 112 bits for AES-CM, 64 for the key wrap.
const MAX_SALT_LEN: usize = 14;

/// `encr_key`, `salt_key` and `auth_key` of MIKEY messages, bound to the suite they were derived
/// for ([RFC 3830 §4.1.4], [RFC 6043 §5.1.2]).
///
/// ```
/// use mikey::crypto::{Iv, Suite};
/// use mikey::derive::{Label, MessageKeys, Prf};
///
/// let suite = Suite::AES_CM_128_HMAC_SHA1;
/// let keys = MessageKeys::derive(
///     suite,
///     |key| Label::message_key(key, 0x1234_5678, &[0x55; 16]),
///     |label, out| -> Result<(), mikey::crypto::CipherError> {
///         Prf::Mikey1.derive(&[0x2b; 16], label.as_octets(), out);
///         Ok(())
///     },
/// )?;
/// let iv = Iv { csb_id: 0x1234_5678, timestamp: [9; 8] };
/// let sealed = keys.encrypt(&iv, b"sixteen octets!!")?;
/// assert_eq!(keys.decrypt(&iv, &sealed)?.as_slice(), b"sixteen octets!!");
/// # Ok::<(), mikey::crypto::CipherError>(())
/// ```
///
/// [RFC 3830 §4.1.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.4
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
#[derive(ZeroizeOnDrop)]
pub struct MessageKeys {
    #[zeroize(skip)]
    suite: Suite,
    encr_key: [u8; MAX_KEY_LEN],
    salt_key: [u8; MAX_SALT_LEN],
    auth_key: [u8; MAX_KEY_LEN],
}

impl MessageKeys {
    /// Derives what `suite` needs: `label` names each key, `prf` is `PRF(key, label)` wherever the
    /// key lives.
    ///
    /// # Errors
    ///
    /// The first error of `prf`.
    pub fn derive<E>(
        suite: Suite,
        label: impl Fn(MessageKey) -> Label,
        mut prf: impl FnMut(&Label, &mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut keys = Self {
            suite,
            encr_key: [0; MAX_KEY_LEN],
            salt_key: [0; MAX_SALT_LEN],
            auth_key: [0; MAX_KEY_LEN],
        };
        let (cipher, mac) = (suite.cipher(), suite.mac());
        for (key, len, out) in [
            (
                MessageKey::Encryption,
                cipher.key_len(),
                keys.encr_key.as_mut_slice(),
            ),
            (
                MessageKey::Salt,
                cipher.salt_len(),
                keys.salt_key.as_mut_slice(),
            ),
            (
                MessageKey::Authentication,
                mac.key_len(),
                keys.auth_key.as_mut_slice(),
            ),
        ] {
            if let Some(out) = out.get_mut(..len).filter(|out| !out.is_empty()) {
                prf(&label(key), out)?;
            }
        }
        Ok(keys)
    }

    /// The suite the keys are for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Encrypts the sub-payloads of a KEMAC ([RFC 3830 §4.2.3]).
    ///
    /// # Errors
    ///
    /// [`CipherError`] for a length that the algorithm cannot take.
    ///
    /// # Security
    ///
    /// AES-CM: never encrypt twice with the same keys and the same [`Iv`].
    ///
    /// [RFC 3830 §4.2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.3
    pub fn encrypt(&self, iv: &Iv, sub_payloads: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.suite
            .cipher()
            .encrypt(self.encr_key(), self.salt_key(), iv, sub_payloads)
    }

    /// Decrypts the `Encr data` of a KEMAC ([RFC 3830 §4.2.3]).
    ///
    /// # Errors
    ///
    /// [`CipherError`] for a length that the algorithm cannot take, or a key wrap that fails.
    ///
    /// # Security
    ///
    /// Verify the MAC first: AES-CM decrypts anything.
    ///
    /// [RFC 3830 §4.2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.3
    pub fn decrypt(&self, iv: &Iv, encr_data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.suite
            .cipher()
            .decrypt(self.encr_key(), self.salt_key(), iv, encr_data)
    }

    /// The MAC over the concatenation of `parts` ([RFC 3830 §4.2.4]); empty for the NULL MAC.
    ///
    /// [RFC 3830 §4.2.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.4
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> Tag {
        self.suite.mac().compute(self.auth_key(), parts)
    }

    /// Checks the MAC over the concatenation of `parts`, in constant time.
    ///
    /// # Errors
    ///
    /// [`MacError`] if it is not the MAC.
    pub fn verify(&self, parts: &[&[u8]], mac: &[u8]) -> Result<(), MacError> {
        self.suite.mac().verify(self.auth_key(), parts, mac)
    }

    fn encr_key(&self) -> &[u8] {
        self.encr_key
            .get(..self.suite.cipher().key_len())
            .unwrap_or_default()
    }

    fn salt_key(&self) -> &[u8] {
        self.salt_key
            .get(..self.suite.cipher().salt_len())
            .unwrap_or_default()
    }

    fn auth_key(&self) -> &[u8] {
        self.auth_key
            .get(..self.suite.mac().key_len())
            .unwrap_or_default()
    }
}

impl fmt::Debug for MessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageKeys").field(&self.suite).finish()
    }
}
