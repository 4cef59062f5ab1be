use core::str;

use crate::{DecodeError, DecodeErrorKind, EncodeError, reader::Reader};

/// SDP IDs: the key management protocols of an SDP offer, in its order ([RFC 4567 §7]).
///
/// Whoever strips the better protocols from the offer cannot strip them from here, as MIKEY
/// protects its message: the Responder compares the two, even where `mikey` stands alone.
///
/// ```
/// use mikey::payload::SdpIds;
///
/// let ids = SdpIds::new("mikey;keyp1")?;
/// assert!(ids.matches(["mikey", "keyp1"]));
/// assert!(!ids.matches(["mikey"]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 4567 §7]: https://www.rfc-editor.org/rfc/rfc4567#section-7
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SdpIds<'a> {
    ids: &'a str,
}

impl<'a> SdpIds<'a> {
    /// The identifiers `ids`, with `;` between them.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] with the first octet that does not belong there, a `;` if an
    /// identifier is empty.
    pub fn new(ids: &'a str) -> Result<Self, EncodeError> {
        for id in ids.split(';') {
            if id.is_empty() {
                return Err(EncodeError::Value(b';'));
            }
            if let Some(octet) = id.bytes().find(|octet| !octet.is_ascii_alphanumeric()) {
                return Err(EncodeError::Value(octet));
            }
        }
        Ok(Self { ids })
    }

    /// The identifiers as they are sent.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.ids
    }

    /// The identifiers in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.ids.split(';')
    }

    /// Whether these are the identifiers that the SDP `offered`, in its order and case
    /// ([RFC 4567 §4.1.4]). If not, the offer was tampered with: refuse it.
    ///
    /// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
    #[must_use]
    pub fn matches<'b>(&self, offered: impl IntoIterator<Item = &'b str>) -> bool {
        self.iter().eq(offered)
    }

    #[inline]
    pub(super) fn parse(reader: &Reader<'a>) -> Result<Self, DecodeError> {
        let grammar = reader.error(DecodeErrorKind::Grammar);
        let ids = str::from_utf8(reader.rest()).map_err(|_| grammar)?;
        Self::new(ids).map_err(|_| grammar)
    }
}
