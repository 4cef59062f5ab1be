//! `a=tls-id`: which TLS connection or DTLS association is meant ([RFC 8842 §4]).
//!
//! [RFC 8842 §4]: https://www.rfc-editor.org/rfc/rfc8842#section-4

use alloc::string::String;
use core::fmt;

use rand_core::CryptoRng;

use crate::lines::Section;
use crate::{Rule, SdpError};

/// Characters of a fresh value: 6 random bits each, 192 in all where 120 are asked.
const FRESH_LEN: usize = 32;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of `a=tls-id`, a media-level attribute: 20 to 255 letters, digits, `+`, `/`, `-` or `_`
/// ([RFC 8842 §4]).
///
/// A new value asks for a new association; the same value with the same fingerprints keeps the old.
/// Values are compared as they are, case included.
///
/// ```
/// use sdp_sec::{Rule, TlsId};
///
/// let id = TlsId::parse("abc3de65cddef001be82")?;
/// assert_eq!(id.line().to_string(), "a=tls-id:abc3de65cddef001be82");
/// assert_eq!(TlsId::parse("short"), Err(Rule::TlsId));
/// # Ok::<(), Rule>(())
/// ```
///
/// [RFC 8842 §4]: https://www.rfc-editor.org/rfc/rfc8842#section-4
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TlsId<'a>(&'a str);

impl<'a> TlsId<'a> {
    /// The name of the attribute.
    pub const NAME: &'static str = "tls-id";

    /// Reads the attribute's value, with spaces around.
    ///
    /// # Errors
    ///
    /// [`Rule::TlsId`] for another length or other characters.
    pub fn parse(value: &'a str) -> Result<Self, Rule> {
        let value = value.trim_ascii();
        let known = |octet: u8| octet.is_ascii_alphanumeric() || b"+/-_".contains(&octet);
        if (20..=255).contains(&value.len()) && value.bytes().all(known) {
            Ok(Self(value))
        } else {
            Err(Rule::TlsId)
        }
    }

    /// The value of a media section, if it has one.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Rule::Duplicate`] if it stands twice.
    pub fn of(section: Section<'a>) -> Result<Option<Self>, SdpError> {
        section
            .attribute(Self::NAME)?
            .map(|attribute| attribute.parse(Self::parse))
            .transpose()
    }

    /// A fresh value of 32 characters with 192 random bits; [`parse`](Self::parse) reads it.
    pub fn random(rng: &mut impl CryptoRng) -> String {
        let mut octets = [0; FRESH_LEN];
        rng.fill_bytes(&mut octets);
        octets
            .iter()
            .filter_map(|octet| ALPHABET.get(usize::from(octet & 63)).copied())
            .map(char::from)
            .collect()
    }

    /// The value.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The value as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for TlsId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
