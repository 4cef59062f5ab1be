use alloc::vec::Vec;

use bytes::BufMut;

use super::{Mac, Payload, TicketPolicy, ticket_policy::ChainField};
use crate::{
    Chain, DecodeError, EncodeError, chain::Context, code_points::PayloadType, error::Place,
    octets::Octets16, reader::Reader,
};

/// TICKET payload: a granted Ticket Policy, the ticket itself, and what authenticates the
/// Initiator ([RFC 6043 §6.10]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~              Next Payload to TP Data, as in TP                ~
/// +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
/// !      Ticket Data length       !          Ticket Data          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !     Initiator Data length     !   Initiator Data (OPTIONAL)   ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{
///     EncodeError,
///     code_points::PrfFunc,
///     payload::{Ticket, TicketFlags, TicketKind, TicketPolicy},
/// };
///
/// let kind = TicketKind::mikey_base(PrfFunc::HmacSha256, TicketFlags::NONE);
/// let ticket = Ticket::new(TicketPolicy::new(kind, &[])?, &[0x5a; 100])?;
/// assert_eq!((ticket.data().len(), ticket.initiator_data()), (100, None));
/// # Ok::<(), EncodeError>(())
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket<'a> {
    policy: TicketPolicy<'a>,
    data: Octets16<'a>,
    initiator_data: Option<ChainField<'a>>,
}

impl<'a> Ticket<'a> {
    /// A ticket of Ticket Data `data` under `policy`, without Initiator Data.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Misplaced`] for a policy with a KEMAC, which is only for one that is asked
    /// for; [`EncodeError::TooLong`] for more than 65535 octets of `data`.
    pub fn new(policy: TicketPolicy<'a>, data: &'a [u8]) -> Result<Self, EncodeError> {
        policy.data().check(Context::GrantedPolicy)?;
        Ok(Self {
            policy,
            data: Octets16::new(data)?,
            initiator_data: None,
        })
    }

    /// Adds Initiator Data: Vi, and Vr behind it. Only where keys are forked.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if `payloads` must not stand there, or are too many or too long.
    pub fn with_initiator_data(mut self, payloads: &'a [Payload<'a>]) -> Result<Self, EncodeError> {
        self.initiator_data = Some(ChainField::new(payloads, Context::Ticket)?);
        Ok(self)
    }

    /// The ticket without its Initiator Data, as a KMS gave it out.
    #[must_use]
    pub const fn without_initiator_data(mut self) -> Self {
        self.initiator_data = None;
        self
    }

    /// The granted policy.
    #[must_use]
    pub const fn policy(&self) -> &TicketPolicy<'a> {
        &self.policy
    }

    /// Ticket Data, for whoever resolves the ticket; of a base ticket it is [`BaseTicket`].
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data.get()
    }

    /// Initiator Data, if there is any.
    #[must_use]
    pub fn initiator_data(&self) -> Option<InitiatorData<'a>> {
        self.initiator_data
            .map(|field| InitiatorData { chain: field.chain })
    }

    /// Octets of the Initiator Data and its length field, which end the payload and which the MAC
    /// of a TRANSFER_INIT and that of a base ticket leave out ([RFC 6043 §5.4], [§A.1]).
    ///
    /// [RFC 6043 §5.4]: https://www.rfc-editor.org/rfc/rfc6043#section-5.4
    /// [§A.1]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A.1
    #[must_use]
    pub fn initiator_part_len(&self) -> usize {
        self.initiator_data
            .as_ref()
            .map_or(2, ChainField::encoded_len)
    }

    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let policy = TicketPolicy::parse(reader, Context::GrantedPolicy)?;
        let data = Octets16::parse(reader)?;
        let before = *reader;
        let initiator_data = if reader.u16()? == 0 {
            None
        } else {
            *reader = before;
            Some(ChainField::parse(reader, Context::Ticket)?)
        };
        Ok(Self {
            policy,
            data,
            initiator_data,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.policy.encoded_len() + self.data.encoded_len() + self.initiator_part_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.policy.encode(out);
        self.data.encode(out);
        match &self.initiator_data {
            None => out.put_u16(0),
            Some(field) => field.encode(out),
        }
    }
}

/// Initiator Data: proof that the Initiator is the one that asked for the ticket
/// ([RFC 6043 §6.10]).
///
/// ```
/// use mikey::{
///     EncodeError,
///     code_points::{MacAlg, PrfFunc},
///     payload::{Mac, Payload, Ticket, TicketFlags, TicketKind, TicketPolicy, Verification},
/// };
///
/// let vi = Mac::new(MacAlg::HmacSha1_160, &[1; 20])?;
/// let vr = Mac::new(MacAlg::HmacSha1_160, &[2; 20])?;
/// let both = [Payload::V(Verification::new(vi)), Payload::V(Verification::new(vr))];
/// let kind = TicketKind::mikey_base(PrfFunc::Mikey1, TicketFlags::NONE);
/// let ticket = Ticket::new(TicketPolicy::new(kind, &[])?, &[])?.with_initiator_data(&both)?;
/// let found = ticket.initiator_data().and_then(|data| data.macs());
/// assert_eq!(found, Some((vi, vr)));
/// # Ok::<(), EncodeError>(())
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InitiatorData<'a> {
    chain: Chain<'a>,
}

impl<'a> InitiatorData<'a> {
    /// The payloads; what is unexpected in them is to be ignored.
    #[must_use]
    pub const fn payloads(&self) -> Chain<'a> {
        self.chain
    }

    /// The MACs of Vi, the first payload, and Vr, the last.
    ///
    /// `None` unless both are there.
    #[must_use]
    pub fn macs(&self) -> Option<(Mac<'a>, Mac<'a>)> {
        let mut payloads = self.chain.iter();
        match (payloads.next()?, payloads.last()?) {
            (Payload::V(vi), Payload::V(vr)) => Some((vi.mac(), vr.mac())),
            _ => None,
        }
    }

    /// The field as Vr's MAC covers it: all of it but that MAC, which ends it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::WrongLength`] unless Vi and Vr are both there.
    pub fn covered(&self) -> Result<Vec<u8>, EncodeError> {
        let (_, vr) = self.macs().ok_or(EncodeError::WrongLength)?;
        let mut octets = Vec::with_capacity(1 + self.chain.encoded_len());
        octets.push(self.chain.first().into());
        self.chain.encode(&mut octets);
        octets.truncate(octets.len().saturating_sub(vr.octets().len()));
        Ok(octets)
    }
}

/// Ticket Data of a MIKEY base ticket: THDR, T, RAND, KEMAC, IDRpsk, V ([RFC 6043 §A]).
///
/// THDR, which begins it, has no payload type of its own and so is no [`Payload`]:
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !        THDR Data length       !   THDR Data   ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::payload::{BaseTicket, Payload, Rand, TsValue};
///
/// let payloads = [Payload::T(TsValue::Counter(1)), Payload::Rand(Rand::new(&[9; 32])?)];
/// let octets = BaseTicket::new(b"node 7", &payloads)?.to_vec();
/// let read = BaseTicket::decode(&octets).map_err(|_| mikey::EncodeError::WrongLength)?;
/// assert_eq!(read.thdr_data(), b"node 7");
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §A]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BaseTicket<'a> {
    thdr_data: Octets16<'a>,
    chain: Chain<'a>,
}

impl<'a> BaseTicket<'a> {
    /// Ticket Data of THDR Data `thdr_data` and the payloads behind it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Misplaced`] for a payload that must not stand in a ticket,
    /// [`EncodeError::TooLong`] and [`EncodeError::TooMany`] beyond what its length field and the
    /// [`limits`](crate::limits) allow.
    pub fn new(thdr_data: &'a [u8], payloads: &'a [Payload<'a>]) -> Result<Self, EncodeError> {
        let chain = Chain::new(payloads);
        chain.check(Context::Ticket)?;
        let ticket = Self {
            thdr_data: Octets16::new(thdr_data)?,
            chain,
        };
        match u16::try_from(ticket.encoded_len()) {
            Ok(_) => Ok(ticket),
            Err(_) => Err(EncodeError::TooLong),
        }
    }

    /// Reads [`Ticket::data`].
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `octets` are not the Ticket Data of a base ticket, to the last octet.
    /// Offsets count from the start of `octets`.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets, Place::Thdr);
        let next = PayloadType::from(reader.u8()?);
        let thdr_data = Octets16::parse(&mut reader)?;
        let chain = Chain::parse_whole(reader, next, Context::Ticket)?;
        Ok(Self { thdr_data, chain })
    }

    /// THDR Data, which means something to whoever made the ticket.
    #[must_use]
    pub const fn thdr_data(&self) -> &'a [u8] {
        self.thdr_data.get()
    }

    /// The payloads behind THDR; what is unexpected in them is to be ignored.
    #[must_use]
    pub const fn payloads(&self) -> Chain<'a> {
        self.chain
    }

    /// Octets of the Ticket Data.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + self.thdr_data.encoded_len() + self.chain.encoded_len()
    }

    /// Appends the Ticket Data to `out`: [`encoded_len`](Self::encoded_len) octets.
    ///
    /// # Panics
    ///
    /// As every `BufMut`: if `out` has no room for them and cannot grow.
    pub fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.chain.first().into());
        self.thdr_data.encode(out);
        self.chain.encode(out);
    }

    /// The octets of the Ticket Data.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.encoded_len());
        self.encode(&mut octets);
        octets
    }
}
