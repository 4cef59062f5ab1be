//! The payloads, one file each, by their names in the standard.
//!
//! A payload borrows the octets that it was read from or is made of. What cannot be written cannot
//! be made, so that writing neither fails nor truncates.

mod err;
mod generic_id;
mod header;
mod id;
mod kemac;
mod key_data;
mod key_validity;
mod mac;
mod rand;
mod sp;
mod srtp_id;
mod t;
mod v;

use bytes::BufMut;

pub use err::ErrorPayload;
pub use generic_id::{CryptoSession, GenericIdMap, SessionData, SrtpSessionData};
pub use header::{CsIdMap, Header};
pub use id::{Id, Idr};
pub use kemac::Kemac;
pub use key_data::KeyData;
pub use key_validity::KeyValidity;
pub use mac::Mac;
pub use rand::{Rand, Randr};
pub use sp::{PolicyParam, SecurityPolicy};
pub use srtp_id::{SrtpIdMap, SrtpIdSession};
pub use t::{Tr, TsValue};
pub use v::Verification;

use crate::{DecodeError, DecodeErrorKind, code_points::PayloadType, reader::Reader};

/// A payload behind the header ([RFC 3830 §6.1], 6043, 6267, 6509).
///
/// ```
/// use mikey::{code_points::PayloadType, payload::{Payload, Rand}};
///
/// let payload = Payload::Rand(Rand::new(&[1, 2, 3])?);
/// assert_eq!(payload.payload_type(), PayloadType::Rand);
/// assert_eq!(payload.encoded_len(), 5);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Payload<'a> {
    /// Key data transport.
    Kemac(Kemac<'a>),
    /// Timestamp.
    T(TsValue),
    /// Identity.
    Id(Id<'a>),
    /// Verification message.
    V(Verification<'a>),
    /// Security policy.
    Sp(SecurityPolicy<'a>),
    /// Randomness.
    Rand(Rand<'a>),
    /// Error.
    Err(ErrorPayload),
    /// Timestamp with its role.
    Tr(Tr),
    /// Identity with its role.
    Idr(Idr<'a>),
    /// Randomness with the role of who chose it.
    Randr(Randr<'a>),
    /// Key, within a KEMAC.
    KeyData(KeyData<'a>),
}

impl<'a> Payload<'a> {
    /// The type, as the payload in front of it names it.
    #[must_use]
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Self::Kemac(_) => PayloadType::Kemac,
            Self::T(_) => PayloadType::T,
            Self::Id(_) => PayloadType::Id,
            Self::V(_) => PayloadType::V,
            Self::Sp(_) => PayloadType::Sp,
            Self::Rand(_) => PayloadType::Rand,
            Self::Err(_) => PayloadType::Err,
            Self::Tr(_) => PayloadType::Tr,
            Self::Idr(_) => PayloadType::Idr,
            Self::Randr(_) => PayloadType::Randr,
            Self::KeyData(_) => PayloadType::KeyData,
        }
    }

    /// Octets of the payload, its Next payload field included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Kemac(payload) => payload.encoded_len(),
            Self::T(payload) => payload.encoded_len(),
            Self::Id(payload) => payload.encoded_len(),
            Self::V(payload) => payload.encoded_len(),
            Self::Sp(payload) => payload.encoded_len(),
            Self::Rand(payload) => payload.encoded_len(),
            Self::Err(payload) => payload.encoded_len(),
            Self::Tr(payload) => payload.encoded_len(),
            Self::Idr(payload) => payload.encoded_len(),
            Self::Randr(payload) => payload.encoded_len(),
            Self::KeyData(payload) => payload.encoded_len(),
        }
    }

    /// Appends the payload, to be followed by one of type `next`.
    pub(crate) fn encode(&self, next: PayloadType, out: &mut impl BufMut) {
        out.put_u8(next.into());
        match self {
            Self::Kemac(payload) => payload.encode(out),
            Self::T(payload) => payload.encode(out),
            Self::Id(payload) => payload.encode(out),
            Self::V(payload) => payload.encode(out),
            Self::Sp(payload) => payload.encode(out),
            Self::Rand(payload) => payload.encode(out),
            Self::Err(payload) => payload.encode(out),
            Self::Tr(payload) => payload.encode(out),
            Self::Idr(payload) => payload.encode(out),
            Self::Randr(payload) => payload.encode(out),
            Self::KeyData(payload) => payload.encode(out),
        }
    }

    /// Reads a payload of the type that the one before named, and the type that it names itself.
    pub(crate) fn parse(
        reader: &mut Reader<'a>,
        payload_type: PayloadType,
    ) -> Result<(Self, PayloadType), DecodeError> {
        reader.enter(payload_type.name());
        let unknown = |reader: &Reader<'_>| {
            reader.error(DecodeErrorKind::UnknownPayload(payload_type.into()))
        };
        if matches!(payload_type, PayloadType::Unknown(_)) {
            return Err(unknown(reader));
        }
        let next = PayloadType::from(reader.u8()?);
        let payload = match payload_type {
            PayloadType::Kemac => Self::Kemac(Kemac::parse(reader)?),
            PayloadType::T => Self::T(TsValue::parse(reader)?),
            PayloadType::Id => Self::Id(Id::parse(reader)?),
            PayloadType::V => Self::V(Verification::parse(reader)?),
            PayloadType::Sp => Self::Sp(SecurityPolicy::parse(reader)?),
            PayloadType::Rand => Self::Rand(Rand::parse(reader)?),
            PayloadType::Err => Self::Err(ErrorPayload::parse(reader)?),
            PayloadType::Tr => Self::Tr(Tr::parse(reader)?),
            PayloadType::Idr => Self::Idr(Idr::parse(reader)?),
            PayloadType::Randr => Self::Randr(Randr::parse(reader)?),
            PayloadType::KeyData => Self::KeyData(KeyData::parse(reader)?),
            _ => return Err(unknown(reader)),
        };
        Ok((payload, next))
    }
}
