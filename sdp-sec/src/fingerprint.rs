//! `a=fingerprint`: the hash of the certificate that the peer will show ([RFC 8122 §5]).
//!
//! [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5

#[cfg(feature = "x509")]
mod certificate;
mod hash;
mod set;

#[cfg(feature = "x509")]
pub use certificate::{certificate_fingerprints, signature_hash};
pub use hash::{HashFunction, HashPolicy};
pub use set::{FingerprintSet, MAX_FINGERPRINTS, Mismatch};

use core::fmt::{self, Write};

use subtle::{Choice, ConstantTimeEq};

use crate::Rule;

/// Octets of the longest hash.
const MAX_HASH_LEN: usize = 64;

/// The value of `a=fingerprint`: a hash function and the hash of a certificate's DER
/// ([RFC 8122 §5]).
///
/// Read whatever its case; written with the function in lower case and the hash in upper case.
/// Comparison takes the same time wherever the hashes differ.
///
/// ```
/// use sdp_sec::fingerprint::{Fingerprint, HashFunction};
///
/// let own = Fingerprint::of_certificate(b"DER of a certificate", HashFunction::Sha256)?;
/// let text = own.to_string();
/// assert!(text.starts_with("sha-256 ") && text.len() == 8 + 32 * 3 - 1);
/// assert_eq!(Fingerprint::parse(&text.to_uppercase())?, own);
/// # Ok::<(), sdp_sec::Rule>(())
/// ```
///
/// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
#[derive(Clone, Copy)]
pub struct Fingerprint {
    hash: HashFunction,
    octets: [u8; MAX_HASH_LEN],
}

impl Fingerprint {
    /// The name of the attribute.
    pub const NAME: &'static str = "fingerprint";

    /// Reads the attribute's value.
    ///
    /// # Errors
    ///
    /// [`Rule::HashFunction`] for a function that is not known here: the line says nothing to us and
    /// others may still count. [`Rule::FingerprintHex`] if what follows is no octets in hexadecimal
    /// with colons between; [`Rule::FingerprintLength`] if they are not as many as the function has.
    pub fn parse(value: &str) -> Result<Self, Rule> {
        let value = value.trim_ascii();
        let (name, hex) = value.split_once(' ').ok_or(Rule::FingerprintHex)?;
        let hash = HashFunction::from_name(name).ok_or(Rule::HashFunction)?;
        let mut octets = [0; MAX_HASH_LEN];
        let mut room = octets.iter_mut().take(hash.len());
        for pair in hex.trim_ascii_start().split(':') {
            let octet = hex_octet(pair.as_bytes()).ok_or(Rule::FingerprintHex)?;
            *room.next().ok_or(Rule::FingerprintLength)? = octet;
        }
        if room.next().is_some() {
            return Err(Rule::FingerprintLength);
        }
        Ok(Self { hash, octets })
    }

    /// The fingerprint of a certificate, given as its DER.
    ///
    /// # Errors
    ///
    /// [`Rule::WeakHash`] for MD2 and MD5, which must not be used ([RFC 8122 §5]).
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    pub fn of_certificate(der: &[u8], hash: HashFunction) -> Result<Self, Rule> {
        let mut octets = [0; MAX_HASH_LEN];
        hash.digest(der, &mut octets)?;
        Ok(Self { hash, octets })
    }

    /// The hash function.
    #[must_use]
    pub const fn hash(&self) -> HashFunction {
        self.hash
    }

    /// The hash.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.hash.len()).unwrap_or_default()
    }

    /// Whether both are the same, found in constant time.
    pub(crate) fn ct_eq(&self, other: &Self) -> Choice {
        // Octets that the hash does not have are zero in both.
        self.octets.ct_eq(&other.octets) & Choice::from(u8::from(self.hash == other.hash))
    }

    /// The fingerprint as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Fingerprint {}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        f.write_str(self.hash.as_str())?;
        let mut before = ' ';
        for octet in self.octets() {
            f.write_char(before)?;
            before = ':';
            for half in [octet >> 4, octet & 15] {
                f.write_char(HEX.get(usize::from(half)).copied().map_or('?', char::from))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

fn hex_octet(pair: &[u8]) -> Option<u8> {
    let &[high, low] = pair else { return None };
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
