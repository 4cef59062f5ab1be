//! The payloads, one file each, by their names in the standard.
//!
//! A payload borrows the octets that it was read from or is made of. What cannot be written cannot
//! be made, so that writing neither fails nor truncates.

mod cert;
mod dh;
mod err;
mod general_extension;
mod generic_id;
mod header;
mod ibake;
mod id;
mod kemac;
mod key_data;
mod key_validity;
mod mac;
mod pke;
mod rand;
mod sakke;
mod sdp_ids;
mod sign;
mod sp;
mod srtp_id;
mod srtp_policy;
mod t;
mod tesla_policy;
mod ticket;
mod ticket_flags;
mod ticket_policy;
mod v;

use bytes::BufMut;

pub use cert::{Cert, CertHash};
pub use dh::Dh;
pub use err::ErrorPayload;
pub use general_extension::{Extension, GeneralExtension, KeyId, KeyIds, Participants};
pub use generic_id::{CryptoSession, GenericIdMap, SessionData, SrtpSessionData};
pub use header::{CsIdMap, Header};
pub use ibake::{Eccpt, IdentityEncrypted, Sk};
pub use id::{Id, Idr};
pub use kemac::Kemac;
pub use key_data::KeyData;
pub use key_validity::KeyValidity;
pub use mac::Mac;
pub use pke::Pke;
pub use rand::{Rand, Randr};
pub use sakke::Sakke;
pub use sdp_ids::SdpIds;
pub use sign::Sign;
pub use sp::{PolicyParam, SecurityPolicy};
pub use srtp_id::{SrtpIdMap, SrtpIdSession};
pub use srtp_policy::SrtpPolicy;
pub use t::{Tr, TsValue};
pub use tesla_policy::TeslaPolicy;
pub use ticket::{BaseTicket, InitiatorData, Ticket};
pub use ticket_flags::{TicketFlagRule, TicketFlags};
pub use ticket_policy::{TicketKind, TicketPolicy};
pub use v::Verification;

use crate::{
    DecodeError, DecodeErrorKind, chain::Context, code_points::PayloadType, error::Place,
    reader::Reader,
};

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
    /// Envelope data.
    Pke(Pke<'a>),
    /// Diffie-Hellman value.
    Dh(Dh<'a>),
    /// Signature.
    Sign(Sign<'a>),
    /// Timestamp.
    T(TsValue),
    /// Identity.
    Id(Id<'a>),
    /// Certificate.
    Cert(Cert<'a>),
    /// Hash of a certificate.
    Chash(CertHash<'a>),
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
    /// Ticket Policy that is asked for.
    Tp(TicketPolicy<'a>),
    /// Ticket.
    Ticket(Ticket<'a>),
    /// Key, within a KEMAC.
    KeyData(KeyData<'a>),
    /// General extension.
    GeneralExtension(GeneralExtension<'a>),
    /// Diffie-Hellman values encrypted to an identity.
    Ibake(IdentityEncrypted<'a>),
    /// Secret key encrypted to an identity.
    Esk(IdentityEncrypted<'a>),
    /// Secret key, within an ESK.
    Sk(Sk<'a>),
    /// Public value on an elliptic curve, within an IBAKE.
    Eccpt(Eccpt<'a>),
    /// TGK encapsulated to an identity.
    Sakke(Sakke<'a>),
}

impl<'a> Payload<'a> {
    /// The type, as the payload in front of it names it.
    #[must_use]
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Self::Kemac(_) => PayloadType::Kemac,
            Self::Pke(_) => PayloadType::Pke,
            Self::Dh(_) => PayloadType::Dh,
            Self::Sign(_) => PayloadType::Sign,
            Self::T(_) => PayloadType::T,
            Self::Id(_) => PayloadType::Id,
            Self::Cert(_) => PayloadType::Cert,
            Self::Chash(_) => PayloadType::Chash,
            Self::V(_) => PayloadType::V,
            Self::Sp(_) => PayloadType::Sp,
            Self::Rand(_) => PayloadType::Rand,
            Self::Err(_) => PayloadType::Err,
            Self::Tr(_) => PayloadType::Tr,
            Self::Idr(_) => PayloadType::Idr,
            Self::Randr(_) => PayloadType::Randr,
            Self::Tp(_) => PayloadType::Tp,
            Self::Ticket(_) => PayloadType::Ticket,
            Self::KeyData(_) => PayloadType::KeyData,
            Self::GeneralExtension(_) => PayloadType::GeneralExtension,
            Self::Ibake(_) => PayloadType::Ibake,
            Self::Esk(_) => PayloadType::Esk,
            Self::Sk(_) => PayloadType::Sk,
            Self::Eccpt(_) => PayloadType::Eccpt,
            Self::Sakke(_) => PayloadType::Sakke,
        }
    }

    /// Octets of the payload, with its Next payload field if it has one.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + match self {
            // The only payload that has none.
            Self::Sign(payload) => return payload.encoded_len(),
            Self::Kemac(payload) => payload.encoded_len(),
            Self::Pke(payload) => payload.encoded_len(),
            Self::Dh(payload) => payload.encoded_len(),
            Self::T(payload) => payload.encoded_len(),
            Self::Id(payload) => payload.encoded_len(),
            Self::Cert(payload) => payload.encoded_len(),
            Self::Chash(payload) => payload.encoded_len(),
            Self::V(payload) => payload.encoded_len(),
            Self::Sp(payload) => payload.encoded_len(),
            Self::Rand(payload) => payload.encoded_len(),
            Self::Err(payload) => payload.encoded_len(),
            Self::Tr(payload) => payload.encoded_len(),
            Self::Idr(payload) => payload.encoded_len(),
            Self::Randr(payload) => payload.encoded_len(),
            Self::Tp(payload) => payload.encoded_len(),
            Self::Ticket(payload) => payload.encoded_len(),
            Self::KeyData(payload) => payload.encoded_len(),
            Self::GeneralExtension(payload) => payload.encoded_len(),
            Self::Ibake(payload) | Self::Esk(payload) => payload.encoded_len(),
            Self::Sk(payload) => payload.encoded_len(),
            Self::Eccpt(payload) => payload.encoded_len(),
            Self::Sakke(payload) => payload.encoded_len(),
        }
    }

    /// Appends the payload, to be followed by one of type `next`.
    pub(crate) fn encode(&self, next: PayloadType, out: &mut impl BufMut) {
        if !matches!(self, Self::Sign(_)) {
            out.put_u8(next.into());
        }
        match self {
            Self::Kemac(payload) => payload.encode(out),
            Self::Pke(payload) => payload.encode(out),
            Self::Dh(payload) => payload.encode(out),
            Self::Sign(payload) => payload.encode(out),
            Self::T(payload) => payload.encode(out),
            Self::Id(payload) => payload.encode(out),
            Self::Cert(payload) => payload.encode(out),
            Self::Chash(payload) => payload.encode(out),
            Self::V(payload) => payload.encode(out),
            Self::Sp(payload) => payload.encode(out),
            Self::Rand(payload) => payload.encode(out),
            Self::Err(payload) => payload.encode(out),
            Self::Tr(payload) => payload.encode(out),
            Self::Idr(payload) => payload.encode(out),
            Self::Randr(payload) => payload.encode(out),
            Self::Tp(payload) => payload.encode(out),
            Self::Ticket(payload) => payload.encode(out),
            Self::KeyData(payload) => payload.encode(out),
            Self::GeneralExtension(payload) => payload.encode(out),
            Self::Ibake(payload) | Self::Esk(payload) => payload.encode(out),
            Self::Sk(payload) => payload.encode(out),
            Self::Eccpt(payload) => payload.encode(out),
            Self::Sakke(payload) => payload.encode(out),
        }
    }

    /// Reads a payload of the type that the one before named, hands it to `take`, and returns the
    /// type that it names itself.
    ///
    /// A payload is large; one that is only checked is never put together.
    #[inline]
    pub(crate) fn parse(
        reader: &mut Reader<'a>,
        payload_type: PayloadType,
        take: impl FnOnce(Self) -> Result<(), DecodeErrorKind>,
    ) -> Result<PayloadType, DecodeError> {
        use PayloadType as Type;
        reader.enter(Place::Payload(payload_type));
        let before = *reader;
        let next = match payload_type {
            Type::Last | Type::Unknown(_) => {
                return Err(reader.error(DecodeErrorKind::UnknownPayload(payload_type.into())));
            }
            Type::Sign => Type::Last,
            _ => Type::from(reader.u8()?),
        };
        let taken = match payload_type {
            Type::Kemac => take(Self::Kemac(Kemac::parse(reader)?)),
            Type::Pke => take(Self::Pke(Pke::parse(reader)?)),
            Type::Dh => take(Self::Dh(Dh::parse(reader)?)),
            Type::Sign => take(Self::Sign(Sign::parse(reader)?)),
            Type::T => take(Self::T(TsValue::parse(reader)?)),
            Type::Id => take(Self::Id(Id::parse(reader)?)),
            Type::Cert => take(Self::Cert(Cert::parse(reader)?)),
            Type::Chash => take(Self::Chash(CertHash::parse(reader)?)),
            Type::V => take(Self::V(Verification::parse(reader)?)),
            Type::Sp => take(Self::Sp(SecurityPolicy::parse(reader)?)),
            Type::Rand => take(Self::Rand(Rand::parse(reader)?)),
            Type::Err => take(Self::Err(ErrorPayload::parse(reader)?)),
            Type::Tr => take(Self::Tr(Tr::parse(reader)?)),
            Type::Idr => take(Self::Idr(Idr::parse(reader)?)),
            Type::Randr => take(Self::Randr(Randr::parse(reader)?)),
            Type::Tp => take(Self::Tp(TicketPolicy::parse(
                reader,
                Context::TicketPolicy,
            )?)),
            Type::Ticket => take(Self::Ticket(Ticket::parse(reader)?)),
            Type::KeyData => take(Self::KeyData(KeyData::parse(reader)?)),
            Type::GeneralExtension => {
                take(Self::GeneralExtension(GeneralExtension::parse(reader)?))
            }
            Type::Ibake => take(Self::Ibake(IdentityEncrypted::parse(reader)?)),
            Type::Esk => take(Self::Esk(IdentityEncrypted::parse(reader)?)),
            Type::Sk => take(Self::Sk(Sk::parse(reader)?)),
            Type::Eccpt => take(Self::Eccpt(Eccpt::parse(reader)?)),
            Type::Sakke => take(Self::Sakke(Sakke::parse(reader)?)),
            Type::Last | Type::Unknown(_) => {
                return Err(reader.error(DecodeErrorKind::UnknownPayload(payload_type.into())));
            }
        };
        taken.map_err(|kind| before.error(kind))?;
        Ok(next)
    }
}
