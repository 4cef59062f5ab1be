use alloc::vec::Vec;

use crate::der::{self, Element, INTEGER, OCTET_STRING, SEQUENCE};
use crate::error::{OpenError, SealError};
use crate::limits;
use crate::open::OpenPolicy;

/// The authenticated encryption of the content ([RFC 5084], TR 33.829 annex B.1).
///
/// ```
/// use smime_psk::ContentEncryption;
///
/// assert_eq!(ContentEncryption::Aes256Ccm.key_len(), 32);
/// # Ok::<(), ()>(())
/// ```
///
/// [RFC 5084]: https://www.rfc-editor.org/rfc/rfc5084
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContentEncryption {
    /// id-aes128-CCM.
    Aes128Ccm,
    /// id-aes128-GCM, which RFC 8591 §5 makes mandatory for SIP.
    Aes128Gcm,
    /// id-aes192-GCM; not in TR 33.829.
    Aes192Gcm,
    /// id-aes256-CCM.
    Aes256Ccm,
    /// id-aes256-GCM.
    Aes256Gcm,
}

impl ContentEncryption {
    /// All algorithms of this crate.
    pub const ALL: [Self; 5] = [
        Self::Aes128Ccm,
        Self::Aes128Gcm,
        Self::Aes192Gcm,
        Self::Aes256Ccm,
        Self::Aes256Gcm,
    ];

    /// Octets of the content-encryption key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Ccm | Self::Aes128Gcm => 16,
            Self::Aes192Gcm => 24,
            Self::Aes256Ccm | Self::Aes256Gcm => 32,
        }
    }

    /// Whether the mode is CCM, and not GCM.
    #[must_use]
    pub const fn is_ccm(self) -> bool {
        matches!(self, Self::Aes128Ccm | Self::Aes256Ccm)
    }

    /// Whether the mode has tags of `len` octets ([RFC 5084 §3.1], [RFC 5084 §3.2]).
    ///
    /// [RFC 5084 §3.1]: https://www.rfc-editor.org/rfc/rfc5084#section-3.1
    /// [RFC 5084 §3.2]: https://www.rfc-editor.org/rfc/rfc5084#section-3.2
    #[must_use]
    pub const fn has_tag_len(self, len: u8) -> bool {
        if self.is_ccm() {
            matches!(len, 4 | 6 | 8 | 10 | 12 | 14 | 16)
        } else {
            matches!(len, 12..=16)
        }
    }

    /// The last octet of the object identifier; the rest is [`ARC`].
    const fn number(self) -> u8 {
        match self {
            Self::Aes128Gcm => 6,
            Self::Aes128Ccm => 7,
            Self::Aes192Gcm => 26,
            Self::Aes256Gcm => 46,
            Self::Aes256Ccm => 47,
        }
    }
}

/// 2.16.840.1.101.3.4.1, the AES arc of NIST.
pub(crate) const ARC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01";

/// aes-ICVlen where the parameters do not say it.
const DEFAULT_ICV_LEN: u8 = 12;

/// CCMParameters or GCMParameters with the algorithm they are for.
///
/// ```text
/// CCMParameters ::= SEQUENCE {
///   aes-nonce   OCTET STRING (SIZE(7..13)),
///   aes-ICVlen  INTEGER (4 | 6 | 8 | 10 | 12 | 14 | 16) DEFAULT 12 }
/// ```
#[derive(Clone, Copy)]
pub(crate) struct Parameters {
    pub(crate) algorithm: ContentEncryption,
    pub(crate) tag_len: u8,
    nonce: [u8; limits::GCM_NONCE],
    nonce_len: u8,
}

impl Parameters {
    /// The nonce is the front of `fresh`: 12 octets for GCM, what leaves room for `content_len`
    /// for CCM.
    pub(crate) fn choose(
        algorithm: ContentEncryption,
        tag_len: u8,
        content_len: u64,
        fresh: &[u8],
    ) -> Result<Self, SealError> {
        if !algorithm.has_tag_len(tag_len) {
            return Err(SealError::TagLength);
        }
        // The key is fresh for each message, so that a short CCM nonce repeats nothing.
        let fits = |len: &u8| content_len <= max_content(algorithm, usize::from(*len));
        let nonce_len = if algorithm.is_ccm() {
            (7..=12).rev().find(fits)
        } else {
            Some(12).filter(fits)
        };
        let nonce_len = nonce_len.ok_or(SealError::ContentTooLong)?;
        let nonce = fresh.get(..usize::from(nonce_len));
        nonce
            .and_then(|nonce| Self::new(algorithm, nonce, tag_len))
            .ok_or(SealError::ContentTooLong)
    }

    pub(crate) fn new(algorithm: ContentEncryption, nonce: &[u8], tag_len: u8) -> Option<Self> {
        let mut octets = [0; limits::GCM_NONCE];
        octets.get_mut(..nonce.len())?.copy_from_slice(nonce);
        Some(Self {
            algorithm,
            tag_len,
            nonce: octets,
            nonce_len: u8::try_from(nonce.len()).ok()?,
        })
    }

    pub(crate) fn nonce(&self) -> &[u8] {
        self.nonce
            .get(..usize::from(self.nonce_len))
            .unwrap_or_default()
    }

    /// The contents octets of the contentEncryptionAlgorithm.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let explicit = self.tag_len != DEFAULT_ICV_LEN;
        let parameters = 2 + u64::from(self.nonce_len) + if explicit { 3 } else { 0 };
        let mut out = Vec::with_capacity(18 + usize::from(self.nonce_len));
        der::header(&mut out, der::OID, 9);
        out.extend_from_slice(ARC);
        out.push(self.algorithm.number());
        der::header(&mut out, SEQUENCE, parameters);
        der::octet_string(&mut out, self.nonce());
        if explicit {
            der::put(&mut out, INTEGER, &[self.tag_len]);
        }
        out
    }

    /// Reads a contentEncryptionAlgorithm and holds it against `policy`.
    pub(crate) fn parse(element: &Element<'_>, policy: &OpenPolicy) -> Result<Self, OpenError> {
        let mut reader = element.reader();
        let oid = reader.oid()?;
        let algorithm = ContentEncryption::ALL
            .into_iter()
            .find(|known| oid.as_octets().strip_prefix(ARC) == Some(&[known.number()]))
            .filter(|known| policy.admits(*known))
            .ok_or(OpenError::Algorithm)?;
        let sequence = reader.expect(SEQUENCE)?;
        reader.finish()?;
        let mut reader = sequence.reader();
        let nonce = reader.expect(OCTET_STRING)?.contents;
        let tag_len = if reader.is_empty() {
            DEFAULT_ICV_LEN
        } else {
            reader.small_integer()?
        };
        reader.finish()?;
        let nonce_admitted = if algorithm.is_ccm() {
            (7..=13).contains(&nonce.len())
        } else {
            nonce.len() == 12
                || (policy.any_gcm_nonce && (1..=limits::GCM_NONCE).contains(&nonce.len()))
        };
        if !nonce_admitted {
            return Err(OpenError::NonceLength);
        }
        if !algorithm.has_tag_len(tag_len) || tag_len < policy.least_tag_len(algorithm) {
            return Err(OpenError::TagLength);
        }
        Self::new(algorithm, nonce, tag_len).ok_or(OpenError::NonceLength)
    }

    /// Whether the algorithm with this nonce takes that much content.
    pub(crate) fn admits_content(&self, len: u64) -> bool {
        len <= max_content(self.algorithm, usize::from(self.nonce_len))
    }
}

/// Octets of content that one key and nonce may protect.
///
/// CCM counts the content in what the nonce leaves of 15 octets ([RFC 3610 §2]); GCM has
/// 2^32 - 2 blocks (NIST SP 800-38D §5.2.1.1).
///
/// [RFC 3610 §2]: https://www.rfc-editor.org/rfc/rfc3610#section-2
fn max_content(algorithm: ContentEncryption, nonce_len: usize) -> u64 {
    if algorithm.is_ccm() {
        match 15_usize.saturating_sub(nonce_len) {
            len @ 2..=7 => (1 << (8 * len)) - 1,
            8 => u64::MAX,
            _ => 0,
        }
    } else {
        (1 << 36) - 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ccm_length_field_follows_the_content() {
        for (len, nonce) in [
            (0, 12),
            ((1 << 24) - 1, 12),
            (1 << 24, 11),
            (1 << 32, 10),
            (1 << 56, 7),
        ] {
            let algorithm = ContentEncryption::Aes128Ccm;
            let parameters = Parameters::choose(algorithm, 16, len, &[1; 12]).unwrap();
            assert_eq!(parameters.nonce().len(), nonce, "content of {len} octets");
        }
        let gcm = Parameters::choose(ContentEncryption::Aes128Gcm, 16, 1 << 36, &[1; 12]);
        assert!(matches!(gcm, Err(SealError::ContentTooLong)));
    }
}
