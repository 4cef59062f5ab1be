use core::fmt;

use crate::code_points::{GeneralExtensionType, PayloadType};

/// Octets are not a MIKEY message, or one that these rules refuse.
///
/// Nothing was changed; answer with an Error message or with silence, as the exchange says.
///
/// ```
/// use mikey::{DecodeError, DecodeErrorKind, Message};
///
/// // Version 1, data type 0, next payload 5 (T), and then nothing.
/// let error = Message::decode(&[1, 0, 5]).unwrap_err();
/// assert_eq!((error.kind(), error.payload(), error.offset()), (DecodeErrorKind::Truncated, "HDR", 3));
/// assert_eq!(error.to_string(), "HDR: ends too early, at octet 3");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeError {
    kind: DecodeErrorKind,
    place: Place,
    offset: u32,
}

/// What is being decoded. Small, so that a result of one octet fits in registers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Conf,
    EncrData,
    Extension(GeneralExtensionType),
    Hdr,
    KeyMgmt,
    Payload(PayloadType),
    Thdr,
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(kind: DecodeErrorKind, place: Place, offset: usize) -> Self {
        Self {
            kind,
            place,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// The payload that is wrong, by its name in the standard.
    #[must_use]
    pub const fn payload(&self) -> &'static str {
        match self.place {
            Place::Conf => "CONF",
            Place::EncrData => "Encr data",
            Place::Extension(extension_type) => extension_type.name(),
            Place::Hdr => "HDR",
            Place::KeyMgmt => "key-mgmt",
            Place::Payload(payload_type) => payload_type.name(),
            Place::Thdr => "THDR",
        }
    }

    /// The first octet that was refused or is missing, counted from the start of what was decoded.
    #[must_use]
    pub fn offset(&self) -> usize {
        usize::try_from(self.offset).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}, at octet {}",
            self.payload(),
            self.kind,
            self.offset
        )
    }
}

impl core::error::Error for DecodeError {}

/// What is wrong with octets that were to be decoded.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// Two crypto sessions of a GENERIC-ID map have this CS ID.
    #[error("CS ID {0} stands twice")]
    DuplicateCsId(u8),
    /// A list of the general extension or of the Key Management header is not as its grammar says.
    #[error("does not follow its grammar")]
    Grammar,
    /// A length disagrees with what it counts.
    #[error("a length disagrees with what it counts")]
    LengthMismatch,
    /// A payload of this type must not stand here.
    #[error("payload type {0} must not stand here")]
    Misplaced(u8),
    /// A Security Policy where there must be none: with the Empty map, or for a security protocol
    /// that has none.
    #[error("a security policy is not allowed")]
    PolicyNotAllowed,
    /// More octets than [`limits::MAX_MESSAGE_LEN`](crate::limits::MAX_MESSAGE_LEN).
    #[error("too long")]
    TooLong,
    /// More payloads than [`limits::MAX_PAYLOADS`](crate::limits::MAX_PAYLOADS).
    #[error("too many payloads")]
    TooManyPayloads,
    /// Octets are left over.
    #[error("octets are left over")]
    TrailingOctets,
    /// The octets end within a field.
    #[error("ends too early")]
    Truncated,
    /// A payload type that has no definition: where it ends cannot be told.
    #[error("payload type {0} is unknown")]
    UnknownPayload(u8),
    /// A value whose field has no length of its own: where it ends cannot be told.
    #[error("value {0} is unknown, so the length of its field is too")]
    UnknownValue(u8),
    /// A version of MIKEY other than 1.
    #[error("version {0} is unknown")]
    UnknownVersion(u8),
}

/// A value that MIKEY has no octets for; nothing was written.
///
/// ```
/// use mikey::{EncodeError, payload::Rand};
///
/// assert_eq!(Rand::new(&[0; 256]), Err(EncodeError::TooLong));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// Two crypto sessions of a GENERIC-ID map have this CS ID.
    #[error("CS ID {0} stands twice")]
    DuplicateCsId(u8),
    /// A payload of this type must not stand here.
    #[error("payload type {0} must not stand here")]
    Misplaced(u8),
    /// A Security Policy where there must be none: with the Empty map, or for a security protocol
    /// that has none.
    #[error("a security policy is not allowed")]
    PolicyNotAllowed,
    /// More octets than the length field can say.
    #[error("too long for its length field")]
    TooLong,
    /// More elements than the counting field can say, or than the limits allow.
    #[error("too many elements")]
    TooMany,
    /// A code point that does not fit its field, or that no length is known for.
    #[error("code point {0} cannot be written here")]
    Value(u8),
    /// The octets do not have the length that their type prescribes.
    #[error("not of the length that its type prescribes")]
    WrongLength,
}
