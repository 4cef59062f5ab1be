use bytes::BufMut;

use super::{Id, Kemac, Payload, TicketFlags, TsValue};
use crate::{
    Chain, DecodeError, EncodeError,
    chain::Context,
    code_points::{IdRole, PayloadType, PrfFunc, TicketType, TsRole},
    reader::Reader,
};

/// Bits of Res, behind the flags.
const RES: u32 = 0x1f;

/// What a ticket is and what it may be used for: type, version, PRF function and flags
/// ([RFC 6043 §6.10]).
///
/// ```
/// use mikey::{code_points::PrfFunc, payload::{TicketFlags, TicketKind}};
///
/// let kind = TicketKind::mikey_base(PrfFunc::HmacSha256, TicketFlags::NONE);
/// assert_eq!((u16::from(kind.ticket_type), kind.subtype, kind.version), (1, 1, 1));
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[allow(
    clippy::exhaustive_structs,
    reason = "the payload has these fields and no others"
)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TicketKind {
    /// Ticket Type.
    pub ticket_type: TicketType,
    /// Subtype.
    pub subtype: u8,
    /// Version of the subtype.
    pub version: u8,
    /// The PRF function that keys are forked with.
    pub prf_func: PrfFunc,
    /// Flags D to O.
    pub flags: TicketFlags,
}

impl TicketKind {
    /// The MIKEY base ticket: type 1, subtype 1, version 1 ([RFC 6043 §6.10]).
    ///
    /// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
    #[must_use]
    pub const fn mikey_base(prf_func: PrfFunc, flags: TicketFlags) -> Self {
        Self {
            ticket_type: TicketType::MikeyBase,
            subtype: 1,
            version: 1,
            prf_func,
            flags,
        }
    }
}

/// TP payload, and the first part of a TICKET payload: a Ticket Policy ([RFC 6043 §6.10]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !          Ticket Type          !    Subtype    !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !    Version    !   PRF Func  !D!E!F!G!H!I!J!K!L!M!N!O!   Res   !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !        TP Data length         !            TP Data            ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{
///     EncodeError,
///     code_points::{IdRole, IdType, PrfFunc},
///     payload::{Id, Idr, Payload, TicketFlags, TicketKind, TicketPolicy},
/// };
///
/// let flags = TicketFlags { kms_generated: true, initiator_rand: true, ..TicketFlags::NONE };
/// let bob = Idr::new(IdRole::Responder, Id::new(IdType::Uri, b"sip:bob@example.com")?);
/// let data = [Payload::Idr(bob)];
/// let policy = TicketPolicy::new(TicketKind::mikey_base(PrfFunc::HmacSha256, flags), &data)?;
/// assert_eq!(policy.responders().next(), Some(bob.id()));
/// # Ok::<(), EncodeError>(())
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TicketPolicy<'a> {
    kind: TicketKind,
    /// As it came.
    res: u32,
    data: ChainField<'a>,
}

impl<'a> TicketPolicy<'a> {
    /// A policy of `kind` with TP Data of `data`, in the order IDRkms, IDRi, TRs, TRe, TRr, KEMAC,
    /// IDRapp, IDRr.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a PRF function of more than 7 bits, [`EncodeError::Misplaced`] if
    /// `data` has a payload that must not stand in TP Data, [`EncodeError::TooLong`] if it takes
    /// more than 65534 octets, [`EncodeError::TooMany`] beyond the
    /// [`limits`](crate::limits).
    pub fn new(kind: TicketKind, data: &'a [Payload<'a>]) -> Result<Self, EncodeError> {
        let prf = u8::from(kind.prf_func);
        if prf > 0x7f {
            return Err(EncodeError::Value(prf));
        }
        Ok(Self {
            kind,
            res: 0,
            data: ChainField::new(data, Context::TicketPolicy)?,
        })
    }

    /// Type, version, PRF function and flags.
    #[must_use]
    pub const fn kind(&self) -> TicketKind {
        self.kind
    }

    /// The flags.
    #[must_use]
    pub const fn flags(&self) -> TicketFlags {
        self.kind.flags
    }

    /// TP Data; what is unexpected in it is to be ignored.
    #[must_use]
    pub const fn data(&self) -> Chain<'a> {
        self.data.chain
    }

    /// IDRkms: a KMS that can resolve the ticket.
    #[must_use]
    pub fn kms(&self) -> Option<Id<'a>> {
        self.ids(IdRole::Kms).next()
    }

    /// IDRi: who asked for the ticket or made it.
    #[must_use]
    pub fn initiator(&self) -> Option<Id<'a>> {
        self.ids(IdRole::Initiator).next()
    }

    /// IDRapp: the applications that the ticket is for; if there is none, it is for all.
    pub fn applications(&self) -> impl Iterator<Item = Id<'a>> + Clone + use<'a> {
        self.ids(IdRole::Application)
    }

    /// IDRr: who may resolve the ticket, users or groups.
    pub fn responders(&self) -> impl Iterator<Item = Id<'a>> + Clone + use<'a> {
        self.ids(IdRole::Responder)
    }

    /// TRs: when validity begins; if it does not say, it has begun.
    #[must_use]
    pub fn start(&self) -> Option<TsValue> {
        self.time(TsRole::Start)
    }

    /// TRe: when validity ends; if it does not say, never.
    #[must_use]
    pub fn end(&self) -> Option<TsValue> {
        self.time(TsRole::End)
    }

    /// TRr: most seconds between two rekeyings. `None` also if it is not of type NTP-UTC-32, the
    /// only one allowed.
    #[must_use]
    pub fn rekeying_interval(&self) -> Option<u32> {
        match self.time(TsRole::Rekeying) {
            Some(TsValue::NtpUtc32(seconds)) => Some(seconds),
            _ => None,
        }
    }

    /// KEMAC: which keys are asked for. Never in a granted policy.
    #[must_use]
    pub fn kemac(&self) -> Option<Kemac<'a>> {
        self.data.chain.iter().find_map(|payload| match payload {
            Payload::Kemac(kemac) => Some(kemac),
            _ => None,
        })
    }

    fn ids(&self, role: IdRole) -> impl Iterator<Item = Id<'a>> + Clone + use<'a> {
        self.data
            .chain
            .iter()
            .filter_map(move |payload| match payload {
                Payload::Idr(idr) if idr.role() == role => Some(idr.id()),
                _ => None,
            })
    }

    fn time(&self, role: TsRole) -> Option<TsValue> {
        self.data.chain.iter().find_map(|payload| match payload {
            Payload::Tr(tr) if tr.role == role => Some(tr.value),
            _ => None,
        })
    }

    pub(super) fn parse(reader: &mut Reader<'a>, context: Context) -> Result<Self, DecodeError> {
        let ticket_type = TicketType::from(reader.u16()?);
        let subtype = reader.u8()?;
        let version = reader.u8()?;
        let [prf_and_d, e_to_l, m_to_res] = reader.array()?;
        let bits = u32::from_be_bytes([0, prf_and_d, e_to_l, m_to_res]);
        let kind = TicketKind {
            ticket_type,
            subtype,
            version,
            prf_func: PrfFunc::from(prf_and_d >> 1),
            flags: TicketFlags::from_bits(bits),
        };
        let data = ChainField::parse(reader, context)?;
        Ok(Self {
            kind,
            res: bits & RES,
            data,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        7 + self.data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        let prf = u32::from(u8::from(self.kind.prf_func)) << 17;
        let [_, prf_and_d, e_to_l, m_to_res] =
            (prf | self.kind.flags.to_bits() | self.res).to_be_bytes();
        out.put_u16(self.kind.ticket_type.into());
        out.put_slice(&[
            self.kind.subtype,
            self.kind.version,
            prf_and_d,
            e_to_l,
            m_to_res,
        ]);
        self.data.encode(out);
    }
}

/// A chain behind its length in 16 bits and the type of its first payload: TP Data, Initiator Data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ChainField<'a> {
    len: u16,
    pub(super) chain: Chain<'a>,
}

impl<'a> ChainField<'a> {
    pub(super) fn new(payloads: &'a [Payload<'a>], context: Context) -> Result<Self, EncodeError> {
        let chain = Chain::new(payloads);
        chain.check(context)?;
        let len = u16::try_from(1 + chain.encoded_len()).map_err(|_| EncodeError::TooLong)?;
        Ok(Self { len, chain })
    }

    pub(super) fn parse(reader: &mut Reader<'a>, context: Context) -> Result<Self, DecodeError> {
        let len = reader.u16()?;
        let nested = reader.nested(len)?;
        Ok(Self {
            len,
            chain: Self::parse_data(nested, context)?,
        })
    }

    /// The first octet names the first payload.
    pub(super) fn parse_data(
        mut data: Reader<'a>,
        context: Context,
    ) -> Result<Chain<'a>, DecodeError> {
        let first = PayloadType::from(data.u8()?);
        if data.is_checked() {
            return Ok(Chain::checked(first, data.rest()));
        }
        Chain::parse_whole(data, first, context)
    }

    pub(super) fn encoded_len(&self) -> usize {
        2 + usize::from(self.len)
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u16(self.len);
        out.put_u8(u8::from(self.chain.first()));
        self.chain.encode(out);
    }
}
