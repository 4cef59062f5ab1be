//! What all six messages have in common: the MAC at the end, the KEMAC, the checks on receipt.

use alloc::vec::Vec;
use core::ops::Range;

use mikey::code_points::{DataType, IdRole, MacAlg, PayloadType, RandRole};
use mikey::crypto::Iv;
use mikey::derive::{MessageKeys, Rands, Secret};
use mikey::exchange::KeyMaterial;
use mikey::payload::{
    CsIdMap, ErrorPayload, Header, Kemac, KeyData, KeyValidity, Mac, Payload, Ticket, TsValue,
    Verification,
};
use mikey::{
    Chain, EncodeError, Identity, Message, MessageTime, Quirks, ReplayCache, Rules, SeenMessage,
    SkewWindow, Timestamp,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::policy::idr;
use crate::{Strength, TicketError};

/// A TLS session may name a dummy policy (TR 33.829 §D.1, editor's note): the profile looks at it.
pub(crate) const RULES: Rules = Rules::STRICT.with_quirks(Quirks {
    dummy_tls_policy: true,
    ..Quirks::NONE
});

const ZEROES: [u8; 32] = [0; 32];

/// MPKs have no use for an SPI, but every key must have one
/// ([RFC 6043 §6.2.1](https://www.rfc-editor.org/rfc/rfc6043#section-6.2.1)): their number.
const MPK_SPIS: [&[u8]; 2] = [&[0], &[1]];

/// What a KEMAC of RFC 6043 holds.
pub(crate) struct Keys {
    pub(crate) mpks: Vec<Secret>,
    pub(crate) keys: Vec<KeyMaterial>,
}

/// Encrypts MPKs and session keys; empty without any.
pub(crate) fn seal_kemac(
    message_keys: &MessageKeys,
    iv: &Iv,
    mpks: &[&Secret],
    keys: &[KeyMaterial],
) -> Result<Vec<u8>, TicketError> {
    let suite = message_keys.suite();
    let mut payloads = Vec::with_capacity(mpks.len() + keys.len());
    for (mpk, spi) in mpks.iter().zip(MPK_SPIS) {
        let validity = KeyValidity::from_spi(spi)?;
        let mpk_type = mikey::code_points::KeyDataType::Mpk;
        let data = KeyData::new(mpk_type, mpk.expose(), None, validity)?;
        payloads.push(Payload::KeyData(data));
    }
    for key in keys {
        if !suite.allows_session_key_of(key.key().expose().len()) {
            return Err(TicketError::KeyLength);
        }
        payloads.push(Payload::KeyData(key.to_payload()?));
    }
    let chain = Chain::new(&payloads);
    let mut plain = Zeroizing::new(Vec::with_capacity(chain.encoded_len()));
    chain.encode_encrypted(&mut *plain)?;
    Ok(message_keys.encrypt(iv, &plain)?)
}

/// Decrypts what [`seal_kemac`] has sealed. Only behind the MAC of the message.
pub(crate) fn open_kemac(
    message_keys: &MessageKeys,
    iv: &Iv,
    kemac: &Kemac<'_>,
) -> Result<Keys, TicketError> {
    let suite = message_keys.suite();
    if kemac.encr_alg() != suite.cipher().encr_alg() {
        return Err(TicketError::MixedStrength);
    }
    if kemac.mac().alg() != MacAlg::Null {
        return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
    }
    let plain = message_keys.decrypt(iv, kemac.encr_data())?;
    let chain = Chain::decode_encrypted(&plain, PayloadType::KeyData)?;
    let mut found = Keys {
        mpks: Vec::new(),
        keys: Vec::new(),
    };
    for data in chain.keys() {
        if !suite.allows_session_key_of(data.key().len()) {
            return Err(TicketError::KeyLength);
        }
        if data.key_type() == mikey::code_points::KeyDataType::Mpk {
            found.mpks.push(Secret::new(data.key())?);
        } else {
            found.keys.push(KeyMaterial::from_payload(&data)?);
        }
    }
    Ok(found)
}

/// The MAC of a V payload, of the algorithm that the strength asks for.
pub(crate) struct VerificationMac;

impl VerificationMac {
    pub(crate) fn of(v: Verification<'_>, strength: Strength) -> Result<Mac<'_>, TicketError> {
        let mac = v.mac();
        match mac.alg() {
            alg if alg == strength.suite().mac().mac_alg() => Ok(mac),
            MacAlg::HmacSha1_160 | MacAlg::HmacSha256_256 => Err(TicketError::MixedStrength),
            _ => Err(TicketError::UnsupportedMac),
        }
    }
}

/// Writes a message with a V payload behind `payloads`; its MAC covers the message, but for `hole`,
/// and then `behind`.
pub(crate) fn seal(
    header: Header<'_>,
    mut payloads: Vec<Payload<'_>>,
    keys: &MessageKeys,
    behind: &[&[u8]],
) -> Result<Vec<u8>, TicketError> {
    let mac = keys.suite().mac();
    let blank = ZEROES.get(..mac.len()).unwrap_or_default();
    payloads.push(Payload::V(Verification::new(Mac::new(
        mac.mac_alg(),
        blank,
    )?)));
    let message = RULES.compose(header, &payloads)?;
    let (mut octets, hole) = (message.to_vec(), hole(&message));
    let tag = tag(keys, &octets, hole, behind);
    let start = octets.len().saturating_sub(mac.len());
    octets.truncate(start);
    octets.extend_from_slice(tag.as_octets());
    Ok(octets)
}

/// What the MAC of a TRANSFER_INIT leaves out: length and octets of the Initiator Data
/// ([RFC 6043 §5.5](https://www.rfc-editor.org/rfc/rfc6043#section-5.5)). Nothing, in others.
fn hole(message: &Message<'_>) -> Range<usize> {
    let transfer = message.header().data_type() == DataType::TransferInit;
    let ticket = message
        .located()
        .find_map(|(range, payload)| match payload {
            Payload::Ticket(ticket) if transfer => Some((range, ticket)),
            _ => None,
        });
    match ticket {
        Some((range, ticket)) => range.end.saturating_sub(ticket.initiator_part_len())..range.end,
        None => 0..0,
    }
}

fn covered<'a>(octets: &'a [u8], hole: &Range<usize>, mac_len: usize) -> [&'a [u8]; 2] {
    let end = octets.len().saturating_sub(mac_len);
    let front = octets.get(..hole.start).unwrap_or_default();
    let back = octets.get(hole.end..end).unwrap_or_default();
    [front, back]
}

fn tag(
    keys: &MessageKeys,
    octets: &[u8],
    hole: Range<usize>,
    behind: &[&[u8]],
) -> mikey::crypto::Tag {
    let mut parts = covered(octets, &hole, keys.suite().mac().len()).to_vec();
    parts.extend_from_slice(behind);
    keys.mac(&parts)
}

/// A message that was received, its payloads sorted, nothing of it verified.
pub(crate) struct Received<'a> {
    octets: &'a [u8],
    message: Message<'a>,
    strength: Strength,
    time: TsValue,
    v: Mac<'a>,
}

impl<'a> Received<'a> {
    /// Reads a message that must be of `data_type` and end with a V payload.
    pub(crate) fn read(octets: &'a [u8], data_type: DataType) -> Result<Self, TicketError> {
        let message = RULES.decode(octets)?;
        Self::of(octets, message, data_type)
    }

    /// As [`read`](Self::read), of a message that is decoded already.
    pub(crate) fn of(
        octets: &'a [u8],
        message: Message<'a>,
        data_type: DataType,
    ) -> Result<Self, TicketError> {
        let header = message.header();
        if header.data_type() != data_type {
            return Err(TicketError::UnsupportedDataType(header.data_type()));
        }
        let strength = Strength::from_prf_func(header.prf_func())?;
        let v = match message.payloads().last() {
            Some(Payload::V(v)) => VerificationMac::of(v, strength)?,
            _ => return Err(TicketError::MissingPayload(PayloadType::V)),
        };
        let time = Self::time_of(&message)?;
        let received = Self {
            octets,
            message,
            strength,
            time,
            v,
        };
        received.check_single()?;
        Ok(received)
    }

    pub(crate) fn time_of(message: &Message<'_>) -> Result<TsValue, TicketError> {
        match message.payloads().next() {
            Some(Payload::T(time)) => Ok(time),
            _ => Err(TicketError::MissingPayload(PayloadType::T)),
        }
    }

    /// Two payloads that say different things of the same are nobody's message.
    fn check_single(&self) -> Result<(), TicketError> {
        let (mut identities, mut rands, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for payload in self.message.payloads() {
            let payload_type = payload.payload_type();
            let repeated = match payload {
                Payload::Idr(idr) => replace(&mut identities, idr.role()),
                Payload::Randr(randr) => replace(&mut rands, randr.role()),
                Payload::Sp(_) | Payload::GeneralExtension(_) | Payload::Err(_) => false,
                _ => replace(&mut seen, payload_type),
            };
            if repeated {
                return Err(TicketError::UnexpectedPayload(payload_type));
            }
        }
        Ok(())
    }

    pub(crate) const fn message(&self) -> &Message<'a> {
        &self.message
    }

    pub(crate) const fn header(&self) -> &Header<'a> {
        self.message.header()
    }

    pub(crate) const fn strength(&self) -> Strength {
        self.strength
    }

    pub(crate) const fn mac(&self) -> Mac<'a> {
        self.v
    }

    /// The IV of a KEMAC in this message: its own T, also in a response (see the crate's notes).
    pub(crate) fn iv(&self) -> Iv {
        iv(self.header().csb_id(), self.time)
    }

    pub(crate) fn id(&self, role: IdRole) -> Option<Identity> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Idr(idr) if idr.role() == role => Some(Identity::from_payload(&idr.id())),
            _ => None,
        })
    }

    pub(crate) fn rand(&self, role: RandRole) -> Option<&'a [u8]> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Randr(randr) if randr.role() == role => Some(randr.octets()),
            _ => None,
        })
    }

    /// A RAND that must be there, and as long as the keys.
    pub(crate) fn strong_rand(&self, role: RandRole) -> Result<&'a [u8], TicketError> {
        let missing = TicketError::MissingPayload(PayloadType::Randr);
        let rand = self.rand(role).ok_or(missing)?;
        if rand.len() < self.strength.key_len() {
            return Err(TicketError::WeakRand);
        }
        Ok(rand)
    }

    pub(crate) fn kemac(&self) -> Option<Kemac<'a>> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Kemac(kemac) => Some(kemac),
            _ => None,
        })
    }

    pub(crate) fn ticket(&self) -> Result<Ticket<'a>, TicketError> {
        let found = self.message.payloads().find_map(|payload| match payload {
            Payload::Ticket(ticket) => Some(ticket),
            _ => None,
        });
        found.ok_or(TicketError::MissingPayload(PayloadType::Ticket))
    }

    /// Checks that no crypto session is handled, as between users and KMS
    /// ([RFC 6043 §4.2.1.1](https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.1)).
    pub(crate) fn check_empty_map(&self) -> Result<(), TicketError> {
        match self.header().cs_id_map() {
            CsIdMap::Empty { cs_count: 0 } => Ok(()),
            _ => Err(TicketError::UnsupportedSessions),
        }
    }

    /// Verifies the MAC over the message and `behind`.
    pub(crate) fn verify(&self, keys: &MessageKeys, behind: &[&[u8]]) -> Result<(), TicketError> {
        let hole = hole(&self.message);
        let mut parts = covered(self.octets, &hole, self.v.octets().len()).to_vec();
        parts.extend_from_slice(behind);
        Ok(keys.verify(&parts, self.v.octets())?)
    }

    /// The time of the message, read next to `near`; `near` itself for a counter.
    pub(crate) fn moment(&self, near: Timestamp) -> Timestamp {
        MessageTime::from_payload(self.time, near)
            .clock()
            .unwrap_or(near)
    }

    /// Checks the time of an initial message. Counters are not taken: a KMS and a called party
    /// cannot keep one for everybody.
    pub(crate) fn check_time(&self, window: SkewWindow, now: Timestamp) -> Result<(), TicketError> {
        let clock = MessageTime::from_payload(self.time, now).clock();
        if clock.is_some_and(|time| window.allows(time, now)) {
            Ok(())
        } else {
            Err(TicketError::ClockSkew)
        }
    }

    /// Remembers a verified message; what its MAC does not cover does not make it another one.
    pub(crate) fn remember(
        &self,
        sender: &Identity,
        cache: &mut impl ReplayCache,
        now: Timestamp,
    ) -> Result<(), TicketError> {
        let hole = hole(&self.message);
        let mut hash = Sha256::new();
        for part in covered(self.octets, &hole, 0) {
            hash.update(part);
        }
        let digest = hash.finalize().into();
        let time = MessageTime::from_payload(self.time, now);
        cache.check_and_insert(&SeenMessage::new(&digest, sender.data(), time), now)?;
        Ok(())
    }
}

fn replace<T: PartialEq>(seen: &mut Vec<T>, value: T) -> bool {
    let repeated = seen.contains(&value);
    seen.push(value);
    repeated
}

pub(crate) fn iv(csb_id: u32, time: TsValue) -> Iv {
    let timestamp = time.to_u64().to_be_bytes();
    Iv { csb_id, timestamp }
}

pub(crate) fn fresh_time(now: Timestamp) -> TsValue {
    TsValue::NtpUtc(u64::from_be_bytes(now.ntp()))
}

/// RANDs that a derivation takes; both missing is refused.
pub(crate) fn rands<'a>(
    initiator: &'a [u8],
    responder: &'a [u8],
) -> Result<Rands<'a>, TicketError> {
    Ok(Rands::new(initiator, responder).ok_or(EncodeError::TooLong)?)
}

/// An Error message, authenticated if there are keys, naming `identity` if it is given.
pub(crate) fn error_message(
    message: &Message<'_>,
    error: TicketError,
    keys: Option<&MessageKeys>,
    identity: Option<&Identity>,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let error_no = error.error_no()?;
    let header = message.header();
    if header.data_type() == DataType::Error {
        return None;
    }
    let (prf_func, csb_id) = (header.prf_func(), header.csb_id());
    let header = Header::new(DataType::Error, prf_func, csb_id, CsIdMap::NONE).ok()?;
    let mut payloads = alloc::vec![
        Payload::T(fresh_time(now)),
        Payload::Err(ErrorPayload::new(error_no)),
    ];
    if let Some(identity) = identity {
        payloads.push(idr(IdRole::Responder, identity).ok()?);
    }
    match keys {
        Some(keys) => seal(header, payloads, keys, &[]).ok(),
        None => Some(Message::new(header, &payloads).ok()?.to_vec()),
    }
}

/// The Error message for octets that may be no message at all.
pub(crate) fn error_for(octets: &[u8], error: TicketError, now: Timestamp) -> Option<Vec<u8>> {
    match (RULES.decode(octets), error) {
        (Ok(message), _) => error_message(&message, error, None, None, now),
        (Err(_), TicketError::Malformed(decode)) => {
            mikey::exchange::error_message(octets, decode.into(), &[])
        }
        (Err(_), _) => None,
    }
}

/// Reads the answer to our message of `csb_id`: an Error message becomes an error, whose MAC is
/// looked at under the keys of our message.
pub(crate) fn read_answer<'a>(
    octets: &'a [u8],
    data_type: DataType,
    ours: &[u8],
    strength: Strength,
    keys: &MessageKeys,
) -> Result<Received<'a>, TicketError> {
    if octets == ours {
        return Err(TicketError::Reflected);
    }
    let message = RULES.decode(octets)?;
    let sent = RULES.decode(ours)?;
    if message.header().csb_id() != sent.header().csb_id() {
        return Err(TicketError::Mismatch);
    }
    if message.header().data_type() == DataType::Error {
        let error = message.payloads().find_map(|payload| match payload {
            Payload::Err(error) => Some(error.error_no()),
            _ => None,
        });
        let error_no = error.ok_or(TicketError::MissingPayload(PayloadType::Err))?;
        let received = Received::of(octets, message, DataType::Error);
        let authenticated = received.is_ok_and(|error| error.verify(keys, &[]).is_ok());
        return Err(TicketError::PeerError {
            error_no,
            authenticated,
        });
    }
    let received = Received::of(octets, message, data_type)?;
    if received.strength() != strength {
        return Err(TicketError::MixedStrength);
    }
    Ok(received)
}
