use core::fmt;

use base64ct::{Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};
use srtp::keying::MasterKey;
use zeroize::Zeroizing;

/// Octets of a master key that tell it from others; no crypto-suite has fewer.
pub(crate) const SHORTEST_KEY_LEN: usize = 16;

/// By what a master key is known again where the key itself need not be kept: a hash of its first
/// 128 bits.
///
/// Suite and master salt do not count: SRTP lets the salt be public ([RFC 3711 §9.2]), so one key
/// under two salts or two suites is one key shown twice. Nothing of the key can be told from the
/// digest, nor from how long it takes to compare two.
///
/// ```
/// use sdes::{KeyDigest, SecurityDescription};
///
/// let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
/// let description = SecurityDescription::parse(line, &[])?;
/// let digest = KeyDigest::of(description.keys().entries()[0].key());
///
/// // Found also where the line as a whole is not understood.
/// let other = b"a=acap:1 crypto:1 NO_SUCH_SUITE inline:WVNfX19zZW1jdGwgKCkgewky";
/// assert_eq!(KeyDigest::in_line(other).collect::<Vec<_>>(), [digest]);
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 3711 §9.2]: https://www.rfc-editor.org/rfc/rfc3711#section-9.2
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyDigest([u8; SHORTEST_KEY_LEN]);

impl KeyDigest {
    /// The digest of a master key.
    #[must_use]
    pub fn of(key: &MasterKey) -> Self {
        let key = key.expose_key();
        Self::of_octets(key.get(..SHORTEST_KEY_LEN).unwrap_or(key))
    }

    /// The digests of all keys that stand in a line after `inline:`, in linear time, whether or not
    /// its other parts are understood: those of `a=crypto`, of its `FEC_KEY`, and of an `a=acap`
    /// that has an `a=crypto` inside (RFC 5939).
    pub fn in_line(line: &[u8]) -> impl Iterator<Item = Self> {
        const METHOD: &[u8; 6] = b"inline";
        let colons = line.iter().enumerate().filter(|(_, octet)| **octet == b':');
        colons.filter_map(move |(colon, _)| {
            let (before, after) = line.split_at_checked(colon)?;
            let method = before.last_chunk::<{ METHOD.len() }>()?;
            let is_inline = method.eq_ignore_ascii_case(METHOD);
            Self::of_base64(after.get(1..).filter(|_| is_inline)?)
        })
    }

    fn of_base64(text: &[u8]) -> Option<Self> {
        const CHARS: usize = 24;
        let text = core::str::from_utf8(text.get(..CHARS)?).ok()?;
        let mut octets = Zeroizing::new([0; CHARS / 4 * 3]);
        let octets = Base64Unpadded::decode(text, &mut *octets).ok()?;
        octets.get(..SHORTEST_KEY_LEN).map(Self::of_octets)
    }

    fn of_octets(octets: &[u8]) -> Self {
        let hash = Sha256::digest(octets);
        let mut digest = [0; SHORTEST_KEY_LEN];
        for (to, from) in digest.iter_mut().zip(&hash) {
            *to = *from;
        }
        Self(digest)
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDigest").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn keys_are_found_wherever_they_stand_in_a_line() {
        let digest = KeyDigest::of_base64(KEY.as_bytes()).unwrap();
        for line in [
            alloc::format!("inline:{KEY}"),
            alloc::format!("a=crypto:x y INLINE:{KEY}|2^20"),
            alloc::format!("a=crypto:1 X inline:short;inline:{KEY} -Y"),
            alloc::format!("a=crypto:1 X url:x FEC_KEY=inline:{KEY}"),
        ] {
            let found: Vec<_> = KeyDigest::in_line(line.as_bytes()).collect();
            assert_eq!(found, [digest], "{line}");
        }
        let not_text = [b"inline:".as_slice(), &[0xff; 40]].concat();
        let other_name = alloc::format!("inlin:{KEY}");
        for none in [
            &b""[..],
            b"inline:",
            b"inline:WVNf",
            &not_text,
            other_name.as_bytes(),
        ] {
            assert_eq!(KeyDigest::in_line(none).count(), 0);
        }
    }
}
