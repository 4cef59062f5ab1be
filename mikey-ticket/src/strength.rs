use mikey::code_points::PrfFunc;
use mikey::crypto::Suite;
use mikey::derive::Prf;

use crate::TicketError;

/// One of the two sets of algorithms, which are never mixed ([RFC 6043 §12.1]).
///
/// The PRF in the header of a message, or in a Ticket Policy, says which it is; encryption and MAC
/// have to follow.
///
/// ```
/// use mikey_ticket::Strength;
///
/// assert_eq!(Strength::Bits128.key_len(), 16);
/// assert_eq!(Strength::Bits256.key_len(), 32);
/// ```
///
/// [RFC 6043 §12.1]: https://www.rfc-editor.org/rfc/rfc6043#section-12.1
#[allow(clippy::exhaustive_enums, reason = "the standard has two sets")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Strength {
    /// MIKEY-1, AES-CM-128, HMAC-SHA-1-160.
    Bits128,
    /// PRF-HMAC-SHA-256, AES-CM-256, HMAC-SHA-256-256.
    Bits256,
}

impl Strength {
    /// The algorithms.
    #[must_use]
    pub const fn suite(self) -> Suite {
        match self {
            Self::Bits128 => Suite::AES_CM_128_HMAC_SHA1,
            Self::Bits256 => Suite::AES_CM_256_HMAC_SHA256,
        }
    }

    /// The PRF.
    #[must_use]
    pub const fn prf(self) -> Prf {
        self.suite().prf()
    }

    /// Octets of the MPKs and RANDs that are made, and the shortest RAND that is taken.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Bits128 => 16,
            Self::Bits256 => 32,
        }
    }

    /// The set that a PRF belongs to.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnsupportedPrf`] for a PRF that is not implemented.
    pub const fn from_prf_func(prf_func: PrfFunc) -> Result<Self, TicketError> {
        match prf_func {
            PrfFunc::Mikey1 => Ok(Self::Bits128),
            PrfFunc::HmacSha256 => Ok(Self::Bits256),
            _ => Err(TicketError::UnsupportedPrf),
        }
    }
}
