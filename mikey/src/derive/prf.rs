use hmac::digest::FixedOutputReset;
use hmac::digest::consts::U64;
use hmac::{HmacReset, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::code_points::PrfFunc;

/// Octets of one block of the input key ([RFC 3830 §4.1.2]); RFC 6043 keeps it for SHA-256.
///
/// [RFC 3830 §4.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.2
const IN_KEY_BLOCK: usize = 32;

/// A pseudo-random function of the MIKEY header: every key is derived with it ([RFC 3830 §4.1.2],
/// [RFC 6043 §6.1]).
///
/// ```
/// use mikey::derive::Prf;
///
/// let mut key = [0; 16];
/// Prf::Mikey1.derive(&[0x0b; 16], b"Hi There", &mut key);
/// assert_eq!(key[..4], [0xb5, 0x2c, 0x84, 0x86]);
/// ```
///
/// [RFC 3830 §4.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.2
/// [RFC 6043 §6.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Prf {
    /// MIKEY-1: the PRF of RFC 3830, on HMAC-SHA-1. Mandatory, the default.
    Mikey1,
    /// PRF-HMAC-SHA-256 of RFC 6043.
    HmacSha256,
}

impl Prf {
    /// The PRF of a `PRF func` value; `None` for one that is not implemented.
    #[must_use]
    pub const fn from_prf_func(prf_func: PrfFunc) -> Option<Self> {
        match prf_func {
            PrfFunc::Mikey1 => Some(Self::Mikey1),
            PrfFunc::HmacSha256 => Some(Self::HmacSha256),
            PrfFunc::Unknown(_) => None,
        }
    }

    /// The `PRF func` value.
    #[must_use]
    pub const fn prf_func(self) -> PrfFunc {
        match self {
            Self::Mikey1 => PrfFunc::Mikey1,
            Self::HmacSha256 => PrfFunc::HmacSha256,
        }
    }

    /// Fills `out_key` with the leftmost octets of `PRF(in_key, label)`.
    ///
    /// An empty `in_key` counts as one empty block, so that the result is never all zero.
    pub fn derive(self, in_key: &[u8], label: &[u8], out_key: &mut [u8]) {
        out_key.fill(0);
        let empty: &[u8] = &[];
        let first = if in_key.is_empty() { Some(empty) } else { None };
        for block in first.into_iter().chain(in_key.chunks(IN_KEY_BLOCK)) {
            match self {
                Self::Mikey1 => xor_p::<HmacReset<Sha1>>(block, label, out_key),
                Self::HmacSha256 => xor_p::<HmacReset<Sha256>>(block, label, out_key),
            }
        }
    }
}

/// `out_key ^= P(block, label, m)`.
fn xor_p<M>(block: &[u8], label: &[u8], out_key: &mut [u8])
where
    M: Mac + KeyInit<KeySize = U64> + FixedOutputReset,
{
    // Keyed once: each reset goes back to the state behind the key.
    let mut hmac = hmac_key::<M>(block);
    let mut a = None;
    for chunk in out_key.chunks_mut(M::output_size()) {
        Mac::update(&mut hmac, a.as_deref().unwrap_or(label));
        let next = Mac::finalize_reset(&mut hmac).into_bytes();
        Mac::update(&mut hmac, &next);
        Mac::update(&mut hmac, label);
        let octets = Mac::finalize_reset(&mut hmac).into_bytes();
        for (out, octet) in chunk.iter_mut().zip(&octets) {
            *out ^= octet;
        }
        a = Some(next);
    }
}

/// HMAC keyed with at most 64 octets, which HMAC itself fills up with zeros.
pub(crate) fn hmac_key<M: Mac + KeyInit<KeySize = U64>>(key: &[u8]) -> M {
    let mut block = Zeroizing::new([0_u8; 64]);
    for (octet, key_octet) in block.iter_mut().zip(key) {
        *octet = *key_octet;
    }
    M::new((&*block).into())
}
