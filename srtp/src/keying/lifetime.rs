use super::KeyingError;

/// Most SRTP packets that one master key may protect in one stream ([RFC 3711 §9.2]).
///
/// [RFC 3711 §9.2]: https://www.rfc-editor.org/rfc/rfc3711#section-9.2
pub const MAX_SRTP_PACKETS: u64 = 1 << 48;

/// Most SRTCP packets that one master key may protect in one stream ([RFC 3711 §9.2]).
///
/// [RFC 3711 §9.2]: https://www.rfc-editor.org/rfc/rfc3711#section-9.2
pub const MAX_SRTCP_PACKETS: u64 = 1 << 31;

/// How many packets a master key may protect in each stream, SRTP and SRTCP counted apart
/// ([RFC 3711 §8.2], [RFC 4568 §6.1]).
///
/// ```
/// use srtp::keying::{KeyingError, Lifetime};
///
/// let lifetime = Lifetime::new(1 << 20)?;
/// assert_eq!((lifetime.srtp_packets(), lifetime.srtcp_packets()), (1 << 20, 1 << 20));
/// assert_eq!(Lifetime::new(0), Err(KeyingError::Lifetime));
/// # Ok::<(), KeyingError>(())
/// ```
///
/// [RFC 3711 §8.2]: https://www.rfc-editor.org/rfc/rfc3711#section-8.2
/// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    srtp: u64,
    srtcp: u64,
}

impl Lifetime {
    /// The most the standard allows: 2^48 SRTP and 2^31 SRTCP packets.
    pub const MAX: Self = Self {
        srtp: MAX_SRTP_PACKETS,
        srtcp: MAX_SRTCP_PACKETS,
    };

    /// `packets` of SRTP and as many of SRTCP, the latter never above 2^31.
    ///
    /// # Errors
    ///
    /// [`KeyingError::Lifetime`] for zero or more than 2^48.
    pub const fn new(packets: u64) -> Result<Self, KeyingError> {
        let srtcp = if packets < MAX_SRTCP_PACKETS {
            packets
        } else {
            MAX_SRTCP_PACKETS
        };
        Self::separate(packets, srtcp)
    }

    /// `srtp` packets of SRTP and `srtcp` packets of SRTCP.
    ///
    /// # Errors
    ///
    /// [`KeyingError::Lifetime`] if either is zero or above its maximum.
    pub const fn separate(srtp: u64, srtcp: u64) -> Result<Self, KeyingError> {
        if srtp == 0 || srtp > MAX_SRTP_PACKETS || srtcp == 0 || srtcp > MAX_SRTCP_PACKETS {
            return Err(KeyingError::Lifetime);
        }
        Ok(Self { srtp, srtcp })
    }

    /// SRTP packets, per stream.
    #[must_use]
    pub const fn srtp_packets(self) -> u64 {
        self.srtp
    }

    /// SRTCP packets, per stream.
    #[must_use]
    pub const fn srtcp_packets(self) -> u64 {
        self.srtcp
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::MAX
    }
}

/// The SRTP packets a master key is for: the `<From, To>` pair of 48-bit indices, both inclusive
/// ([RFC 3711 §8.1.1]).
///
/// [RFC 3711 §8.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-8.1.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    from: u64,
    to: u64,
}

impl Validity {
    /// Every packet: from the first until further notice.
    pub const ALWAYS: Self = Self {
        from: 0,
        to: MAX_SRTP_PACKETS - 1,
    };

    /// The packets whose index lies in `from..=to`.
    ///
    /// # Errors
    ///
    /// [`KeyingError::Validity`] if `from > to` or `to` needs more than 48 bits.
    pub const fn new(from: u64, to: u64) -> Result<Self, KeyingError> {
        if from > to || to >= MAX_SRTP_PACKETS {
            return Err(KeyingError::Validity);
        }
        Ok(Self { from, to })
    }

    /// First index.
    #[must_use]
    pub const fn from(self) -> u64 {
        self.from
    }

    /// Last index.
    #[must_use]
    pub const fn to(self) -> u64 {
        self.to
    }

    /// Whether the key is for the packet with this index.
    #[must_use]
    pub const fn contains(self, index: u64) -> bool {
        self.from <= index && index <= self.to
    }

    /// Whether some packet lies in both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

impl Default for Validity {
    fn default() -> Self {
        Self::ALWAYS
    }
}
