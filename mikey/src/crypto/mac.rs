use core::fmt;

use hmac::digest::consts::U64;
use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::code_points::MacAlg;
use crate::derive::hmac_key;

/// A MAC algorithm of the KEMAC and V payloads that is implemented ([RFC 3830 §6.2],
/// [RFC 6043 §6.2]).
///
/// ```
/// use mikey::{code_points::MacAlg, crypto::Mac};
///
/// assert_eq!(Mac::from_mac_alg(MacAlg::HmacSha1_160), Some(Mac::HmacSha1_160));
/// assert_eq!(Mac::HmacSha256_256.len(), 32);
/// ```
///
/// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
/// [RFC 6043 §6.2]: https://www.rfc-editor.org/rfc/rfc6043#section-6.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mac {
    /// No MAC: only where something else protects the message.
    Null,
    /// HMAC-SHA-1-160.
    HmacSha1_160,
    /// HMAC-SHA-256-256.
    HmacSha256_256,
}

impl Mac {
    /// The algorithm of a `Mac alg` or `Auth alg` value; `None` for one that is not implemented.
    #[must_use]
    pub const fn from_mac_alg(mac_alg: MacAlg) -> Option<Self> {
        match mac_alg {
            MacAlg::Null => Some(Self::Null),
            MacAlg::HmacSha1_160 => Some(Self::HmacSha1_160),
            MacAlg::HmacSha256_256 => Some(Self::HmacSha256_256),
            MacAlg::Unknown(_) => None,
        }
    }

    /// The `Mac alg` value.
    #[must_use]
    pub const fn mac_alg(self) -> MacAlg {
        match self {
            Self::Null => MacAlg::Null,
            Self::HmacSha1_160 => MacAlg::HmacSha1_160,
            Self::HmacSha256_256 => MacAlg::HmacSha256_256,
        }
    }

    /// Octets of the MAC.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an algorithm, not a container")]
    pub const fn len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::HmacSha1_160 => 20,
            Self::HmacSha256_256 => 32,
        }
    }

    /// Octets of `auth_key`: those of the hash ([RFC 3830 §4.2.4]).
    ///
    /// [RFC 3830 §4.2.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.4
    #[must_use]
    pub const fn key_len(self) -> usize {
        self.len()
    }

    pub(crate) fn compute(self, key: &[u8], parts: &[&[u8]]) -> Tag {
        let mut tag = Tag {
            octets: [0; 32],
            len: self.len(),
        };
        match self {
            Self::Null => {}
            Self::HmacSha1_160 => hmac::<Hmac<Sha1>>(key, parts, &mut tag.octets),
            Self::HmacSha256_256 => hmac::<Hmac<Sha256>>(key, parts, &mut tag.octets),
        }
        tag
    }

    pub(crate) fn verify(self, key: &[u8], parts: &[&[u8]], mac: &[u8]) -> Result<(), MacError> {
        if bool::from(self.compute(key, parts).as_octets().ct_eq(mac)) {
            Ok(())
        } else {
            Err(MacError)
        }
    }
}

/// A MAC: 0, 20 or 32 octets.
#[derive(Clone, Copy)]
pub struct Tag {
    octets: [u8; 32],
    len: usize,
}

impl Tag {
    /// The octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag")
    }
}

/// The MAC does not match: a forged message, or the wrong key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("message authentication failed")]
#[non_exhaustive]
pub struct MacError;

fn hmac<M: hmac::Mac + KeyInit<KeySize = U64>>(key: &[u8], parts: &[&[u8]], out: &mut [u8]) {
    let mut mac = hmac_key::<M>(key);
    for part in parts {
        mac.update(part);
    }
    for (out, octet) in out.iter_mut().zip(mac.finalize().into_bytes()) {
        *out = octet;
    }
}
