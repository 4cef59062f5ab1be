use alloc::boxed::Box;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Backend;
use crate::kdf::{Kdf, Label, block_cipher};
use crate::kernel::Isa;
use crate::keying::{MAX_KEY_LEN, MasterKey, Profile};
use crate::transform::{AesF8, BlockCipher, Gcm, GcmNonce, HmacSha1};

/// Which of the two protocols a session key serves; they never share one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Protocol {
    Srtp,
    Srtcp,
}

/// The session keys of one master key, one protocol and one `r`, ready for use.
#[repr(C)]
pub(crate) struct SessionKeys {
    pub(crate) salt: SessionSalt,
    /// For encrypted header extensions ([RFC 6904]), if some are negotiated.
    ///
    /// [RFC 6904]: https://www.rfc-editor.org/rfc/rfc6904
    pub(crate) header: Option<Box<HeaderKeys>>,
    pub(crate) cipher: Cipher,
}

/// A cipher, with the MAC of every profile that has an authentication tag of its own.
#[allow(
    clippy::large_enum_variant,
    reason = "packets find their keys without a detour"
)]
pub(crate) enum Cipher {
    Counter(BlockCipher, HmacSha1),
    F8(AesF8, HmacSha1),
    Gcm(Gcm),
    #[cfg(feature = "insecure-null")]
    Null(Option<HmacSha1>),
}

/// The SRTCP session keys of one master key and one `r`, as they are kept.
///
/// Reports are rare: AES keys of this crate's own code stay as they were derived and are expanded for
/// each packet, which leaves a session smaller by their round keys and powers.
pub(crate) enum SrtcpKeys {
    Derived {
        key: Zeroizing<[u8; MAX_KEY_LEN]>,
        salt: SessionSalt,
        mac: Option<Box<HmacSha1>>,
    },
    /// Ciphers that would allocate, take long or leave copies behind to be expanded.
    Expanded(Box<SessionKeys>),
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

/// What session keys are made of.
struct Octets {
    key: Zeroizing<[u8; MAX_KEY_LEN]>,
    salt: SessionSalt,
    mac: Option<HmacSha1>,
}

impl Octets {
    /// Derives the octets for packets with `r`, the index divided by the key derivation rate.
    fn derive(kdf: &Kdf, profile: Profile, protocol: Protocol, r: u64, isa: Isa) -> Option<Self> {
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
        let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
        kdf.derive(encryption, r, key.get_mut(..profile.key_len())?);
        let mac = profile.has_mac().then(|| {
            let mut key = Zeroizing::new([0; 20]);
            kdf.derive(authentication, r, &mut *key);
            HmacSha1::new(&key, isa)
        });
        Some(Self {
            key,
            salt: SessionSalt::derive(kdf, salting, r, profile.salt_len()),
            mac,
        })
    }

    fn expand(self, profile: Profile, backend: Backend) -> Option<SessionKeys> {
        let Self { key, salt, mac } = self;
        Some(SessionKeys {
            cipher: Cipher::new(profile, &key, &salt, mac, backend)?,
            salt,
            header: None,
        })
    }
}

impl SessionKeys {
    /// Derives the SRTP keys for packets with `r`, the index divided by the key derivation rate.
    ///
    /// `None` only if a cipher refuses a key of its own length.
    pub(crate) fn derive(
        master: &MasterKey,
        r: u64,
        header_extensions: bool,
        backend: Backend,
    ) -> Option<Self> {
        let (profile, isa) = (master.profile(), backend.isa()?);
        let kdf = Kdf::new(master, isa)?;
        let octets = Octets::derive(&kdf, profile, Protocol::Srtp, r, isa)?;
        let mut keys = octets.expand(profile, backend)?;
        if header_extensions && keys.cipher.encrypts() {
            keys.header = Some(Box::new(HeaderKeys::derive(&kdf, profile, r, isa)?));
        }
        Some(keys)
    }

    /// What authenticates packets, if not an AEAD.
    #[inline]
    pub(crate) const fn mac(&self) -> Option<&HmacSha1> {
        match &self.cipher {
            Cipher::Counter(_, mac) | Cipher::F8(_, mac) => Some(mac),
            Cipher::Gcm(_) => None,
            #[cfg(feature = "insecure-null")]
            Cipher::Null(mac) => mac.as_ref(),
        }
    }
}

impl SrtcpKeys {
    /// Derives the keys for packets with `r`, the index divided by the key derivation rate.
    ///
    /// `None` only if a cipher refuses a key of its own length.
    pub(crate) fn derive(master: &MasterKey, r: u64, backend: Backend) -> Option<Self> {
        let (profile, isa) = (master.profile(), backend.isa()?);
        let kdf = Kdf::new(master, isa)?;
        let octets = Octets::derive(&kdf, profile, Protocol::Srtcp, r, isa)?;
        if Cipher::blank(profile, backend).is_none() {
            let keys = octets.expand(profile, backend)?;
            return Some(Self::Expanded(Box::new(keys)));
        }
        let Octets { key, salt, mac } = octets;
        let mac = mac.map(Box::new);
        Some(Self::Derived { key, salt, mac })
    }

    /// The keys ready for use, in `room` if they have to be expanded.
    pub(crate) fn expand<'a>(
        &'a self,
        profile: Profile,
        backend: Backend,
        room: &'a mut Option<SessionKeys>,
    ) -> Option<&'a SessionKeys> {
        let (key, salt, mac) = match self {
            Self::Derived { key, salt, mac } => (key, salt, mac),
            Self::Expanded(keys) => return Some(keys),
        };
        let keys = room.insert(SessionKeys {
            cipher: Cipher::blank(profile, backend)?,
            salt: SessionSalt([0; 16]),
            header: None,
        });
        keys.salt.0.copy_from_slice(&salt.0);
        keys.cipher
            .set(key.get(..profile.key_len())?, mac.as_deref());
        Some(keys)
    }
}

impl HeaderKeys {
    fn derive(kdf: &Kdf, profile: Profile, r: u64, isa: Isa) -> Option<Self> {
        let salt = SessionSalt::derive(kdf, Label::HeaderSalt, r, profile.salt_len());
        let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
        let key = key.get_mut(..profile.key_len())?;
        kdf.derive(Label::HeaderEncryption, r, key);
        let cipher = match profile {
            Profile::AesF8_128HmacSha1_80 => {
                HeaderCipher::F8(AesF8::new(key, salt.octets(profile.salt_len()), isa)?)
            }
            _ => HeaderCipher::Counter(block_cipher(profile, key, isa)?),
        };
        Some(Self { cipher, salt })
    }
}

impl Cipher {
    #[expect(
        clippy::inline_always,
        reason = "moved through the stack, keys take longer than their expansion"
    )]
    #[inline(always)]
    fn new(
        profile: Profile,
        key: &[u8; MAX_KEY_LEN],
        salt: &SessionSalt,
        mac: Option<HmacSha1>,
        backend: Backend,
    ) -> Option<Self> {
        let key = key.get(..profile.key_len())?;
        match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Gcm::aes(key, backend).map(Self::Gcm)
            }
            #[cfg(feature = "aria")]
            Profile::AeadAria128Gcm | Profile::AeadAria256Gcm => Gcm::aria(key).map(Self::Gcm),
            Profile::AesF8_128HmacSha1_80 => {
                let salt = salt.octets(profile.salt_len());
                Some(Self::F8(AesF8::new(key, salt, backend.isa()?)?, mac?))
            }
            #[cfg(feature = "insecure-null")]
            Profile::NullHmacSha1_80 | Profile::NullHmacSha1_32 | Profile::NullNull => {
                Some(Self::Null(mac))
            }
            _ => Some(Self::Counter(
                block_cipher(profile, key, backend.isa()?)?,
                mac?,
            )),
        }
    }

    /// Room for keys that [`set`](Self::set) can expand in place, without memory of their own.
    fn blank(profile: Profile, backend: Backend) -> Option<Self> {
        let (len, isa) = (profile.key_len(), backend.isa()?);
        match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Gcm::blank(len, backend).map(Self::Gcm)
            }
            Profile::AesCm128HmacSha1_80
            | Profile::AesCm128HmacSha1_32
            | Profile::AesCm192HmacSha1_80
            | Profile::AesCm192HmacSha1_32
            | Profile::AesCm256HmacSha1_80
            | Profile::AesCm256HmacSha1_32 => {
                let cipher = BlockCipher::blank(len, isa)?;
                Some(Self::Counter(cipher, HmacSha1::blank(isa)))
            }
            _ => None,
        }
    }

    /// Expands keys where there is room for them, and where they stay: moved, they would leave copies
    /// behind.
    fn set(&mut self, key: &[u8], mac: Option<&HmacSha1>) {
        match self {
            Self::Counter(cipher, room) => {
                cipher.set(key);
                if let Some(mac) = mac {
                    room.set(mac);
                }
            }
            Self::Gcm(gcm) => gcm.set(key),
            Self::F8(..) => {}
            #[cfg(feature = "insecure-null")]
            Self::Null(_) => {}
        }
    }

    pub(crate) const fn encrypts(&self) -> bool {
        match self {
            Self::Counter(..) | Self::F8(..) | Self::Gcm(_) => true,
            #[cfg(feature = "insecure-null")]
            Self::Null(_) => false,
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
            salt: padded,
            header: None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Independent implementation: what is expanded for a packet, against the RustCrypto crates.

    use alloc::vec::Vec;

    use super::{Cipher, Octets, Protocol, SessionKeys, SrtcpKeys};
    use crate::Backend;
    use crate::kdf::Kdf;
    use crate::keying::{MasterKey, Profile};

    /// What the keys make of a message.
    fn sealed(keys: &SessionKeys) -> Vec<u8> {
        let mut data = [7; 100];
        let tag = match &keys.cipher {
            Cipher::Gcm(gcm) => {
                let mut tag = [0; 16];
                let nonce = keys.salt.nonce(1, 2);
                gcm.seal(nonce, &[3; 12], &mut data, &mut tag).unwrap();
                tag.to_vec()
            }
            Cipher::Counter(cipher, mac) => {
                cipher.apply_ctr(keys.salt.counter_block(1, 2), &mut data);
                mac.tag(&data, None).to_vec()
            }
            Cipher::F8(cipher, mac) => {
                cipher.apply(&[4; 16], &mut data);
                mac.tag(&data, None).to_vec()
            }
            #[cfg(feature = "insecure-null")]
            Cipher::Null(mac) => mac.iter().flat_map(|mac| mac.tag(&data, None)).collect(),
        };
        [&data[..], &tag].concat()
    }

    #[test]
    fn srtcp_keys_expand_to_what_they_would_be_at_hand_for_every_packet() {
        for &profile in Profile::ALL {
            let (key, salt) = ([1; 32], [2; 14]);
            let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
            let master = MasterKey::new(profile, key, salt).unwrap();
            let twin = Backend::RustCrypto;
            let kdf = Kdf::new(&master, twin.isa().unwrap()).unwrap();
            for backend in Backend::available() {
                for r in [0, 5] {
                    let isa = twin.isa().unwrap();
                    let octets = Octets::derive(&kdf, profile, Protocol::Srtcp, r, isa).unwrap();
                    let at_hand = sealed(&octets.expand(profile, twin).unwrap());
                    let keys = SrtcpKeys::derive(&master, r, backend).unwrap();
                    for _ in 0..2 {
                        let mut room = None;
                        let expanded = keys.expand(profile, backend, &mut room).unwrap();
                        assert_eq!(sealed(expanded), at_hand, "{profile:?} {backend:?}");
                    }
                }
            }
        }
    }
}
