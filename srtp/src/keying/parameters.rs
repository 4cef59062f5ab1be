use super::{KeyingError, Profile};

/// What one direction of a session does besides its profile: the SRTP session parameters of
/// [RFC 4568 §6.3] and of the MIKEY security policy ([RFC 3830 §6.10.1]).
///
/// The default is what almost every session uses: no re-derivation, everything encrypted and
/// authenticated, no ROC transport.
///
/// [RFC 4568 §6.3]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3
/// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parameters {
    /// How often SRTP session keys are derived anew.
    pub srtp_kdr: KeyDerivationRate,
    /// How often SRTCP session keys are derived anew.
    pub srtcp_kdr: KeyDerivationRate,
    /// UNENCRYPTED_SRTP: payloads travel in clear.
    pub unencrypted_srtp: bool,
    /// UNENCRYPTED_SRTCP: every SRTCP packet has E = 0.
    pub unencrypted_srtcp: bool,
    /// UNAUTHENTICATED_SRTP: SRTP packets carry no tag. SRTCP keeps its own.
    pub unauthenticated_srtp: bool,
    /// ROC transport (RFC 4771), if used.
    pub roc_transport: Option<RocTransport>,
}

impl Parameters {
    /// Checks that `profile` can be used with these parameters.
    ///
    /// # Errors
    ///
    /// [`KeyingError::UnprotectedNotAllowed`] for an AEAD profile without encryption or
    /// authentication of SRTP ([RFC 7714 §8.2]); [`KeyingError::RocTransport`] for a ROC transport
    /// that `profile` has no form of, or together with `unauthenticated_srtp`.
    ///
    /// [RFC 7714 §8.2]: https://www.rfc-editor.org/rfc/rfc7714#section-8.2
    pub fn check(&self, profile: Profile) -> Result<(), KeyingError> {
        if profile.is_aead() && (self.unencrypted_srtp || self.unauthenticated_srtp) {
            return Err(KeyingError::UnprotectedNotAllowed);
        }
        // RFC 8269 2.1: ARIA-CTR only with authentication.
        #[cfg(feature = "aria")]
        if profile.is_aria() && self.unauthenticated_srtp {
            return Err(KeyingError::UnprotectedNotAllowed);
        }
        match self.roc_transport {
            Some(_) if self.unauthenticated_srtp => Err(KeyingError::RocTransport),
            #[cfg(feature = "insecure-null")]
            Some(_) if profile == Profile::NullNull => Err(KeyingError::RocTransport),
            Some(roc) if profile.is_aead() && roc.mode() != RocTransportMode::Mode3 => {
                Err(KeyingError::RocTransport)
            }
            _ => Ok(()),
        }
    }
}

/// How often session keys are derived anew from the master key ([RFC 3711 §4.3.1]): never, or each
/// time the packet index is a multiple of a power of two up to 2^24.
///
/// ```
/// use srtp::keying::KeyDerivationRate;
///
/// let rate = KeyDerivationRate::power_of_two(16)?;
/// assert_eq!(rate.packets(), 65_536);
/// assert_eq!(rate.epoch(65_535), 0);
/// assert_eq!(rate.epoch(65_536), 1);
/// # Ok::<(), srtp::keying::KeyingError>(())
/// ```
///
/// [RFC 3711 §4.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.3.1
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeyDerivationRate {
    exponent: Option<u8>,
}

impl KeyDerivationRate {
    /// Keys are derived once.
    pub const ZERO: Self = Self { exponent: None };

    /// Keys are derived anew every 2^`exponent` packets.
    ///
    /// # Errors
    ///
    /// [`KeyingError::KeyDerivationRate`] for an exponent above 24.
    pub const fn power_of_two(exponent: u8) -> Result<Self, KeyingError> {
        if exponent > 24 {
            return Err(KeyingError::KeyDerivationRate);
        }
        Ok(Self {
            exponent: Some(exponent),
        })
    }

    /// The rate that is written as a number of packets: 0, or a power of two up to 2^24.
    ///
    /// # Errors
    ///
    /// [`KeyingError::KeyDerivationRate`] for any other number.
    pub fn from_packets(packets: u32) -> Result<Self, KeyingError> {
        if packets == 0 {
            return Ok(Self::ZERO);
        }
        if !packets.is_power_of_two() {
            return Err(KeyingError::KeyDerivationRate);
        }
        u8::try_from(packets.trailing_zeros())
            .map_err(|_| KeyingError::KeyDerivationRate)
            .and_then(Self::power_of_two)
    }

    /// The rate in packets; 0 if keys are derived once.
    #[must_use]
    pub const fn packets(self) -> u32 {
        match self.exponent {
            None => 0,
            Some(exponent) => 1 << exponent,
        }
    }

    /// The exponent of the power of two, if the rate is not zero.
    #[must_use]
    pub const fn exponent(self) -> Option<u8> {
        self.exponent
    }

    /// `index DIV rate`, the `r` that enters key derivation; 0 if keys are derived once.
    #[must_use]
    pub const fn epoch(self, index: u64) -> u64 {
        match self.exponent {
            None => 0,
            Some(exponent) => index >> exponent,
        }
    }
}

/// Which packets carry the ROC, and what the others carry ([RFC 4771 §2]).
///
/// [RFC 4771 §2]: https://www.rfc-editor.org/rfc/rfc4771#section-2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RocTransportMode {
    /// RCCm1: packets that carry the ROC have a tag, the others have none.
    Mode1,
    /// RCCm2: packets that carry the ROC have it in front of a shortened tag, the others have the
    /// whole tag.
    Mode2,
    /// RCCm3: the ROC travels unauthenticated, the others have no tag. With an AEAD profile the ROC
    /// stands behind the ciphertext and its AEAD tag.
    Mode3,
}

/// The ROC transport of one direction ([RFC 4771]).
///
/// [RFC 4771]: https://www.rfc-editor.org/rfc/rfc4771
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RocTransport {
    mode: RocTransportMode,
    rate: u16,
    tag_len: u8,
}

impl RocTransport {
    /// Packets whose sequence number is a multiple of `rate` carry the ROC; their whole tag, the
    /// four octets of the ROC included, has `tag_len` octets.
    ///
    /// # Errors
    ///
    /// [`KeyingError::RocTransport`] if `rate` is zero, or `tag_len` is not 4 in mode 3, or not
    /// between 8 and 24 in the others (a tag of 4 there would be no authentication at all).
    pub const fn new(mode: RocTransportMode, rate: u16, tag_len: u8) -> Result<Self, KeyingError> {
        let fits = match mode {
            RocTransportMode::Mode1 | RocTransportMode::Mode2 => tag_len >= 8 && tag_len <= 24,
            RocTransportMode::Mode3 => tag_len == 4,
        };
        if rate == 0 || !fits {
            return Err(KeyingError::RocTransport);
        }
        Ok(Self {
            mode,
            rate,
            tag_len,
        })
    }

    /// The mode.
    #[must_use]
    pub const fn mode(self) -> RocTransportMode {
        self.mode
    }

    /// R: one packet in so many carries the ROC.
    #[must_use]
    pub const fn rate(self) -> u16 {
        self.rate
    }

    /// Octets of the tag of a packet that carries the ROC, the ROC included.
    #[must_use]
    pub const fn tag_len(self) -> u8 {
        self.tag_len
    }

    /// Whether some packets of `profile` travel without an authentication tag.
    #[cfg(feature = "engine")]
    pub(crate) const fn leaves_unauthenticated(self, profile: Profile) -> bool {
        match self.mode {
            RocTransportMode::Mode1 => self.rate > 1,
            RocTransportMode::Mode2 => false,
            RocTransportMode::Mode3 => !profile.is_aead(),
        }
    }
}
