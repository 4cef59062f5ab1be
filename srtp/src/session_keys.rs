use alloc::boxed::Box;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Backend;
use crate::kdf::{Kdf, Label, block_cipher};
use crate::keying::{MAX_KEY_LEN, MasterKey, Profile};
use crate::transform::{AesF8, BlockCipher, Gcm, GcmNonce, HmacSha1};

/// Which of the two protocols a session key serves; they never share one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Protocol {
    Srtp,
    Srtcp,
}

/// The session keys of one master key, one protocol and one `r`, ready for use.
pub(crate) struct SessionKeys {
    pub(crate) cipher: Cipher,
    /// Present in every profile that has an authentication tag of its own.
    pub(crate) mac: Option<HmacSha1>,
    pub(crate) salt: SessionSalt,
    /// For encrypted header extensions ([RFC 6904]), if some are negotiated.
    ///
    /// [RFC 6904]: https://www.rfc-editor.org/rfc/rfc6904
    pub(crate) header: Option<Box<HeaderKeys>>,
}

pub(crate) enum Cipher {
    Counter(BlockCipher),
    F8(AesF8),
    Gcm(Gcm),
    #[cfg(feature = "insecure-null")]
    Null,
}

/// The session key and salt for encrypted header extensions ([RFC 6904 §4]).
///
/// [RFC 6904 §4]: https://www.rfc-editor.org/rfc/rfc6904#section-4
pub(crate) struct HeaderKeys {
    pub(crate) cipher: HeaderCipher,
    pub(crate) salt: SessionSalt,
}

/// The cipher of the payload, but for an AEAD, whose block cipher serves in counter mode
/// ([RFC 7714 §8.3]).
///
/// [RFC 7714 §8.3]: https://www.rfc-editor.org/rfc/rfc7714#section-8.3
#[allow(clippy::large_enum_variant, reason = "it lives in a box with its salt")]
pub(crate) enum HeaderCipher {
    Counter(BlockCipher),
    F8(AesF8),
}

impl SessionKeys {
    /// Derives the keys for packets with `r`, the index divided by the key derivation rate.
    ///
    /// `None` only if a cipher refuses a key of its own length.
    pub(crate) fn derive(
        master: &MasterKey,
        protocol: Protocol,
        r: u64,
        header_extensions: bool,
        backend: Backend,
    ) -> Option<Self> {
        let profile = master.profile();
        let isa = backend.isa()?;
        let kdf = Kdf::new(master, isa)?;
        let [encryption, authentication, salting] = match protocol {
            Protocol::Srtp => [
                Label::SrtpEncryption,
                Label::SrtpAuthentication,
                Label::SrtpSalt,
            ],
            Protocol::Srtcp => [
                Label::SrtcpEncryption,
                Label::SrtcpAuthentication,
                Label::SrtcpSalt,
            ],
        };
        let salt = SessionSalt::derive(&kdf, salting, r, profile.salt_len());
        let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
        let key = key.get_mut(..profile.key_len())?;
        kdf.derive(encryption, r, key);
        let cipher = Cipher::new(profile, key, salt.octets(profile.salt_len()), backend)?;
        let mac = profile.has_mac().then(|| {
            let mut key = Zeroizing::new([0; 20]);
            kdf.derive(authentication, r, &mut *key);
            HmacSha1::new(&key, isa)
        });
        let header = if header_extensions && protocol == Protocol::Srtp && cipher.encrypts() {
            kdf.derive(Label::HeaderEncryption, r, key);
            let salt = SessionSalt::derive(&kdf, Label::HeaderSalt, r, profile.salt_len());
            let octets = salt.octets(profile.salt_len());
            let cipher = match profile {
                Profile::AesF8_128HmacSha1_80 => HeaderCipher::F8(AesF8::new(key, octets, isa)?),
                _ => HeaderCipher::Counter(block_cipher(profile, key, isa)?),
            };
            Some(Box::new(HeaderKeys { cipher, salt }))
        } else {
            None
        };
        Some(Self {
            cipher,
            mac,
            salt,
            header,
        })
    }
}

impl Cipher {
    fn new(profile: Profile, key: &[u8], salt: &[u8], backend: Backend) -> Option<Self> {
        match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Gcm::aes(key, backend).map(Self::Gcm)
            }
            #[cfg(feature = "aria")]
            Profile::AeadAria128Gcm | Profile::AeadAria256Gcm => Gcm::aria(key).map(Self::Gcm),
            Profile::AesF8_128HmacSha1_80 => AesF8::new(key, salt, backend.isa()?).map(Self::F8),
            #[cfg(feature = "insecure-null")]
            Profile::NullHmacSha1_80 | Profile::NullHmacSha1_32 | Profile::NullNull => {
                Some(Self::Null)
            }
            _ => block_cipher(profile, key, backend.isa()?).map(Self::Counter),
        }
    }

    pub(crate) const fn encrypts(&self) -> bool {
        match self {
            Self::Counter(_) | Self::F8(_) | Self::Gcm(_) => true,
            #[cfg(feature = "insecure-null")]
            Self::Null => false,
        }
    }
}

/// A session salt, filled up with zeros on its right to the length of a block.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SessionSalt([u8; 16]);

impl SessionSalt {
    fn derive(kdf: &Kdf, label: Label, r: u64, len: usize) -> Self {
        let mut salt = Self([0; 16]);
        if let Some(salt) = salt.0.get_mut(..len) {
            kdf.derive(label, r, salt);
        }
        salt
    }

    fn octets(&self, len: usize) -> &[u8] {
        self.0.get(..len).unwrap_or_default()
    }

    /// The initial counter block of a packet, as a number in network order ([RFC 3711 §4.1.1]).
    ///
    /// [RFC 3711 §4.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1
    #[inline]
    pub(crate) fn counter_block(&self, ssrc: u32, index: u64) -> u128 {
        let varied = u128::from(ssrc) << 64 | u128::from(index) << 16;
        u128::from_be_bytes(self.0) ^ varied
    }

    /// The nonce of a packet ([RFC 7714 §8.1] and [§9.1]).
    ///
    /// [RFC 7714 §8.1]: https://www.rfc-editor.org/rfc/rfc7714#section-8.1
    /// [§9.1]: https://www.rfc-editor.org/rfc/rfc7714#section-9.1
    #[inline]
    pub(crate) fn nonce(&self, ssrc: u32, index: u64) -> GcmNonce {
        let varied = u128::from(ssrc) << 80 | u128::from(index) << 32;
        GcmNonce::new(u128::from_be_bytes(self.0) ^ varied)
    }
}

#[cfg(test)]
impl SessionKeys {
    /// The session keys that the vectors of RFC 7714 state.
    pub(crate) fn gcm(key: &[u8], salt: &[u8], backend: Backend) -> Self {
        let mut padded = SessionSalt([0; 16]);
        padded.0[..salt.len()].copy_from_slice(salt);
        let cipher = Cipher::Gcm(Gcm::aes(key, backend).unwrap());
        Self {
            cipher,
            mac: None,
            salt: padded,
            header: None,
        }
    }
}
