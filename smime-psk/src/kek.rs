use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::ContentKey;
use crate::error::TransportError;
use crate::recipient::{RecipientInfo, RecipientInfos};
use crate::transport::{KeyTransport, Unwrapped, Wrapping};

/// A key-encryption key that sender and recipients have beforehand: KEKRecipientInfo with AES key
/// wrap ([RFC 5652 §6.2.3], [RFC 3394]).
///
/// ```
/// use smime_psk::{KekRecipient, OpenPolicy, SealPolicy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let mut alice = KekRecipient::new(b"alice-bob", &[7; 16]).ok_or("length")?;
/// let sealed = smime_psk::seal(b"Content-Type: text/plain\r\n\r\nhi", &mut alice,
///     &SealPolicy::default(), &mut rng).map_err(|_| "seal")?;
///
/// let bob = KekRecipient::new(b"alice-bob", &[7; 16]).ok_or("length")?;
/// let mut bob = bob.peer("sip:alice@example.com");
/// let opened = smime_psk::open(&sealed, &mut bob, &OpenPolicy::default()).map_err(|_| "open")?;
/// assert_eq!(opened.content(), b"Content-Type: text/plain\r\n\r\nhi");
/// assert_eq!(opened.sender(), Some("sip:alice@example.com"));
/// # Ok::<(), &str>(())
/// ```
///
/// # Security
///
/// Everyone who has the key can send under it: with more than two parties, or where one's own
/// messages may be sent back, [`peer`](Self::peer) claims more than the key proves. The same holds
/// of a message to several recipients, even with a key for each: they share its content key, and
/// one of them can put another content under it and pass it on. There is no protection from
/// replay and no proof of origin.
///
/// [RFC 5652 §6.2.3]: https://www.rfc-editor.org/rfc/rfc5652#section-6.2.3
/// [RFC 3394]: https://www.rfc-editor.org/rfc/rfc3394
pub struct KekRecipient {
    key_identifier: Vec<u8>,
    kek: Kek,
    peer: Option<String>,
}

impl KekRecipient {
    /// A key of 16, 24 or 32 octets under its keyIdentifier; `None` for other lengths.
    #[must_use]
    pub fn new(key_identifier: &[u8], kek: &[u8]) -> Option<Self> {
        let kek = Kek::new(kek)?;
        Some(Self {
            key_identifier: key_identifier.to_vec(),
            kek,
            peer: None,
        })
    }

    /// Names who the other side is, by URI: the sender of what this key opens.
    #[must_use]
    pub fn peer(self, uri: impl Into<String>) -> Self {
        Self {
            peer: Some(uri.into()),
            ..self
        }
    }
}

impl KeyTransport for KekRecipient {
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        _: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        if content.proof_of_origin().is_some() {
            return Err(TransportError::NoProofOfOrigin);
        }
        let key = content.key().expose_key();
        let mut buffer = [0; 40];
        let wrapped = match &self.kek {
            Kek::Aes128(kek) => kek.wrap_key(key, &mut buffer),
            Kek::Aes192(kek) => kek.wrap_key(key, &mut buffer),
            Kek::Aes256(kek) => kek.wrap_key(key, &mut buffer),
        };
        let wrapped = wrapped.map_err(|_| TransportError::KeyLength)?;
        recipients.push_kek(&self.key_identifier, self.kek.len(), wrapped)
    }

    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError> {
        let info = match recipient {
            RecipientInfo::Kek(info)
                if info.key_identifier() == self.key_identifier
                    && info.kek_len() == Some(self.kek.len()) =>
            {
                info
            }
            _ => return Ok(None),
        };
        let wrapped = info.encrypted_key();
        if !matches!(wrapped.len(), 24 | 32 | 40) {
            return Err(TransportError::KeyLength);
        }
        let mut buffer = Zeroizing::new([0; 32]);
        let key = match &self.kek {
            Kek::Aes128(kek) => kek.unwrap_key(wrapped, &mut *buffer),
            Kek::Aes192(kek) => kek.unwrap_key(wrapped, &mut *buffer),
            Kek::Aes256(kek) => kek.unwrap_key(wrapped, &mut *buffer),
        };
        let key = key.map_err(|_| TransportError::Forged)?;
        let key = ContentKey::from_slice(key).ok_or(TransportError::KeyLength)?;
        let unwrapped = Unwrapped::new(key);
        Ok(Some(match &self.peer {
            Some(uri) => unwrapped.sender(uri.as_str()),
            None => unwrapped,
        }))
    }
}

/// The key schedules, made once for all messages; dropping them erases them.
enum Kek {
    Aes128(KwAes128),
    Aes192(KwAes192),
    Aes256(KwAes256),
}

impl Kek {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => KwAes128::new_from_slice(key).ok().map(Self::Aes128),
            24 => KwAes192::new_from_slice(key).ok().map(Self::Aes192),
            _ => KwAes256::new_from_slice(key).ok().map(Self::Aes256),
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Aes128(_) => 16,
            Self::Aes192(_) => 24,
            Self::Aes256(_) => 32,
        }
    }
}

impl fmt::Debug for KekRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KekRecipient")
    }
}
