//! The part of X.690 that CMS needs: elements with one-octet tags, borrowed.

mod read;
mod write;

#[cfg(feature = "std")]
pub(crate) use read::Header;
pub(crate) use read::{Element, Octets, Reader, to_der};
pub(crate) use write::{element, header, header_len, octet_string, oid, put, sort_set_of};

/// How strictly a message is read.
///
/// ```
/// use smime_psk::Encoding;
///
/// assert_eq!(Encoding::default(), Encoding::Der);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// Only what DER permits: definite and shortest lengths, strings in one piece, sorted sets.
    #[default]
    Der,
    /// Also indefinite lengths, longer lengths and content in pieces, as streaming senders write.
    Ber,
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// The bit of a tag that says that the contents are elements.
pub(crate) const CONSTRUCTED: u8 = 0x20;
/// The context-specific tags \[0\], \[1\] and so on, primitive.
pub(crate) const CONTEXT: u8 = 0x80;
