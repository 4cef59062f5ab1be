/// Octets of the longest master key of any profile.
pub const MAX_KEY_LEN: usize = 32;

/// Octets of the longest master salt of any profile.
pub const MAX_SALT_LEN: usize = 14;

/// Octets of an HMAC-SHA1 tag of 80 bits.
const TAG_80: usize = 10;

/// Octets of an HMAC-SHA1 tag of 32 bits.
const TAG_32: usize = 4;

/// Octets of a GCM tag, the only length [RFC 7714 §13.2] allows.
///
/// [RFC 7714 §13.2]: https://www.rfc-editor.org/rfc/rfc7714#section-13.2
const TAG_GCM: usize = 16;

/// An SRTP protection profile: cipher, authentication, key derivation and their lengths.
///
/// The names are those of the SDES and DTLS-SRTP registries. SRTCP of the `_32` profiles keeps its
/// tag of 80 bits ([RFC 4568 §6.2.2]).
///
/// ```
/// use srtp::keying::Profile;
///
/// let profile = Profile::from_sdes("AEAD_AES_128_GCM").expect("a registered name");
/// assert_eq!((profile.key_len(), profile.salt_len(), profile.srtp_tag_len()), (16, 12, 16));
/// ```
///
/// [RFC 4568 §6.2.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Profile {
    /// AES-CM-128 with HMAC-SHA1, tag of 80 bits (RFC 3711).
    AesCm128HmacSha1_80,
    /// AES-CM-128 with HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 3711).
    AesCm128HmacSha1_32,
    /// AES-CM-192 with HMAC-SHA1, tag of 80 bits (RFC 6188).
    AesCm192HmacSha1_80,
    /// AES-CM-192 with HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 6188).
    AesCm192HmacSha1_32,
    /// AES-CM-256 with HMAC-SHA1, tag of 80 bits (RFC 6188).
    AesCm256HmacSha1_80,
    /// AES-CM-256 with HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 6188).
    AesCm256HmacSha1_32,
    /// AES-f8 with a 128-bit key and HMAC-SHA1, tag of 80 bits (RFC 3711).
    AesF8_128HmacSha1_80,
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM (RFC 7714).
    AeadAes256Gcm,
    /// ARIA-CTR-128 with HMAC-SHA1, tag of 80 bits (RFC 8269).
    #[cfg(feature = "aria")]
    Aria128CtrHmacSha1_80,
    /// ARIA-CTR-128 with HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 8269).
    #[cfg(feature = "aria")]
    Aria128CtrHmacSha1_32,
    /// ARIA-CTR-256 with HMAC-SHA1, tag of 80 bits (RFC 8269).
    #[cfg(feature = "aria")]
    Aria256CtrHmacSha1_80,
    /// ARIA-CTR-256 with HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 8269).
    #[cfg(feature = "aria")]
    Aria256CtrHmacSha1_32,
    /// ARIA-128-GCM (RFC 8269).
    #[cfg(feature = "aria")]
    AeadAria128Gcm,
    /// ARIA-256-GCM (RFC 8269).
    #[cfg(feature = "aria")]
    AeadAria256Gcm,
    /// No encryption; HMAC-SHA1, tag of 80 bits (RFC 3711).
    #[cfg(feature = "insecure-null")]
    NullHmacSha1_80,
    /// No encryption; HMAC-SHA1, tag of 32 bits on SRTP, of 80 bits on SRTCP (RFC 3711).
    #[cfg(feature = "insecure-null")]
    NullHmacSha1_32,
    /// No encryption and no authentication at all; only for tests against other stacks.
    #[cfg(feature = "insecure-null")]
    NullNull,
}

impl Profile {
    /// Every profile this build has.
    pub const ALL: &[Self] = &[
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::AesCm192HmacSha1_80,
        Self::AesCm192HmacSha1_32,
        Self::AesCm256HmacSha1_80,
        Self::AesCm256HmacSha1_32,
        Self::AesF8_128HmacSha1_80,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        #[cfg(feature = "aria")]
        Self::Aria128CtrHmacSha1_80,
        #[cfg(feature = "aria")]
        Self::Aria128CtrHmacSha1_32,
        #[cfg(feature = "aria")]
        Self::Aria256CtrHmacSha1_80,
        #[cfg(feature = "aria")]
        Self::Aria256CtrHmacSha1_32,
        #[cfg(feature = "aria")]
        Self::AeadAria128Gcm,
        #[cfg(feature = "aria")]
        Self::AeadAria256Gcm,
        #[cfg(feature = "insecure-null")]
        Self::NullHmacSha1_80,
        #[cfg(feature = "insecure-null")]
        Self::NullHmacSha1_32,
        #[cfg(feature = "insecure-null")]
        Self::NullNull,
    ];

    /// The profile of an SDES crypto-suite name, whatever its case ([RFC 4568 §6.2], [RFC 6188
    /// §4], [RFC 7714 §14.2]); `None` for a name this build has no profile for.
    ///
    /// [RFC 4568 §6.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2
    /// [RFC 6188 §4]: https://www.rfc-editor.org/rfc/rfc6188#section-4
    /// [RFC 7714 §14.2]: https://www.rfc-editor.org/rfc/rfc7714#section-14.2
    #[must_use]
    pub fn from_sdes(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| {
            p.sdes_name()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// The registered SDES crypto-suite name; `None` where none is registered (ARIA, NULL).
    #[must_use]
    pub const fn sdes_name(self) -> Option<&'static str> {
        Some(match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm192HmacSha1_80 => "AES_192_CM_HMAC_SHA1_80",
            Self::AesCm192HmacSha1_32 => "AES_192_CM_HMAC_SHA1_32",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AesF8_128HmacSha1_80 => "F8_128_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            #[cfg(any(feature = "aria", feature = "insecure-null"))]
            _ => return None,
        })
    }

    /// Octets of the master key, and of the session encryption key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCm192HmacSha1_80 | Self::AesCm192HmacSha1_32 => 24,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
            #[cfg(feature = "aria")]
            Self::Aria256CtrHmacSha1_80 | Self::Aria256CtrHmacSha1_32 | Self::AeadAria256Gcm => 32,
            _ => 16,
        }
    }

    /// Octets of the master salt, and of the session salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        if self.is_aead() { 12 } else { 14 }
    }

    /// Octets of the authentication tag of an SRTP packet.
    #[must_use]
    pub const fn srtp_tag_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_32 | Self::AesCm192HmacSha1_32 | Self::AesCm256HmacSha1_32 => {
                TAG_32
            }
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => TAG_GCM,
            #[cfg(feature = "aria")]
            Self::AeadAria128Gcm | Self::AeadAria256Gcm => TAG_GCM,
            #[cfg(feature = "aria")]
            Self::Aria128CtrHmacSha1_32 | Self::Aria256CtrHmacSha1_32 => TAG_32,
            #[cfg(feature = "insecure-null")]
            Self::NullHmacSha1_32 => TAG_32,
            #[cfg(feature = "insecure-null")]
            Self::NullNull => 0,
            _ => TAG_80,
        }
    }

    /// Octets of the authentication tag of an SRTCP packet.
    #[must_use]
    pub const fn srtcp_tag_len(self) -> usize {
        match self {
            _ if self.is_aead() => TAG_GCM,
            #[cfg(feature = "insecure-null")]
            Self::NullNull => 0,
            _ => TAG_80,
        }
    }

    /// Whether one algorithm encrypts and authenticates ([RFC 7714], [RFC 8269]).
    ///
    /// [RFC 7714]: https://www.rfc-editor.org/rfc/rfc7714
    /// [RFC 8269]: https://www.rfc-editor.org/rfc/rfc8269
    #[must_use]
    pub const fn is_aead(self) -> bool {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => true,
            #[cfg(feature = "aria")]
            Self::AeadAria128Gcm | Self::AeadAria256Gcm => true,
            _ => false,
        }
    }

    /// Whether packets carry an HMAC-SHA1 tag.
    #[cfg(feature = "engine")]
    pub(crate) const fn has_mac(self) -> bool {
        match self {
            #[cfg(feature = "insecure-null")]
            Self::NullNull => false,
            _ => !self.is_aead(),
        }
    }

    /// Whether the block cipher is ARIA.
    #[cfg(feature = "aria")]
    pub(crate) const fn is_aria(self) -> bool {
        matches!(
            self,
            Self::Aria128CtrHmacSha1_80
                | Self::Aria128CtrHmacSha1_32
                | Self::Aria256CtrHmacSha1_80
                | Self::Aria256CtrHmacSha1_32
                | Self::AeadAria128Gcm
                | Self::AeadAria256Gcm
        )
    }

    /// Octets by which SRTP protection lengthens a packet, with an MKI of `mki_len` octets.
    ///
    /// A buffer that a packet is protected in needs that much room behind the packet; Cryptex needs
    /// four octets more where it has to add an empty header extension.
    #[must_use]
    pub const fn srtp_overhead(self, mki_len: usize) -> usize {
        self.srtp_tag_len() + mki_len
    }

    /// Octets by which SRTCP protection lengthens a packet, with an MKI of `mki_len` octets.
    #[must_use]
    pub const fn srtcp_overhead(self, mki_len: usize) -> usize {
        4 + self.srtcp_tag_len() + mki_len
    }
}
