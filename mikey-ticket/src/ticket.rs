use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, IdType, PayloadType};
use mikey::crypto::Iv;
use mikey::derive::{Label, MessageKey, MessageKeys, Secret};
use mikey::exchange::KeyMaterial;
use mikey::payload::{
    BaseTicket, CsIdMap, Header, Id, Idr, Kemac, Mac, Payload, Rand, Ticket, TsValue, Verification,
};
use mikey::{EncodeError, Message, Timestamp};
use rand_core::CryptoRng;

use crate::derive::message_protection_keys;
use crate::message::{Keys, VerificationMac, open_kemac, seal_kemac};
use crate::policy::check_forking;
use crate::{Policy, Strength, TicketError, TicketKeys};

/// The CSB ID of a ticket's IV ([RFC 6043 §A.1](https://www.rfc-editor.org/rfc/rfc6043#appendix-A.1)).
const NO_CSB_ID: u32 = 0xffff_ffff;

/// Octets of the header in front of the TICKET payload in [`IssuedTicket`].
const HEADER_LEN: usize = 10;

/// A TICKET payload as it was made, without Initiator Data ([RFC 6043 §6.10]).
///
/// It is kept octet for octet, because its MAC covers what was sent.
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Eq, PartialEq)]
pub struct IssuedTicket {
    /// A message of a header and the TICKET payload, so that it can be read again.
    carrier: Vec<u8>,
}

impl IssuedTicket {
    /// Keeps `ticket`, without its Initiator Data.
    ///
    /// # Errors
    ///
    /// [`TicketError::Encode`] if it is longer than a message can be.
    pub fn from_payload(ticket: &Ticket<'_>) -> Result<Self, TicketError> {
        let prf = ticket.policy().kind().prf_func;
        let header = Header::new(DataType::RequestResp, prf, 0, CsIdMap::NONE)?;
        let payloads = [Payload::Ticket(ticket.without_initiator_data())];
        let carrier = Message::new(header, &payloads)?.to_vec();
        Ok(Self { carrier })
    }

    /// The TICKET payload.
    ///
    /// # Errors
    ///
    /// None: it was checked when it was kept.
    pub fn to_payload(&self) -> Result<Ticket<'_>, TicketError> {
        match Message::decode(&self.carrier)?.payloads().next() {
            Some(Payload::Ticket(ticket)) => Ok(ticket),
            _ => Err(TicketError::MissingPayload(PayloadType::Ticket)),
        }
    }

    /// What the MAC of a base ticket covers: the payload from Ticket Type up to that MAC
    /// ([RFC 6043 §A.1](https://www.rfc-editor.org/rfc/rfc6043#appendix-A.1)).
    fn covered(&self, mac_len: usize) -> &[u8] {
        // Behind the header and Next Payload; in front of the MAC and Initiator Data length.
        let end = self.carrier.len().saturating_sub(mac_len.saturating_add(2));
        self.carrier.get(HEADER_LEN + 1..end).unwrap_or_default()
    }
}

impl fmt::Debug for IssuedTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedTicket")
    }
}

/// What a base ticket holds for whoever opens it ([RFC 6043 §A]).
///
/// [RFC 6043 §A]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A
#[derive(Debug)]
pub struct TicketContents {
    policy: Policy,
    mpk_i: Secret,
    mpk_r: Secret,
    keys: Vec<KeyMaterial>,
}

impl TicketContents {
    /// The policy of the ticket, which its MAC covers.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// MPKi.
    #[must_use]
    pub const fn mpk_i(&self) -> &Secret {
        &self.mpk_i
    }

    /// MPKr, not forked.
    #[must_use]
    pub const fn mpk_r(&self) -> &Secret {
        &self.mpk_r
    }

    /// The session keys, not forked.
    #[must_use]
    pub fn keys(&self) -> &[KeyMaterial] {
        &self.keys
    }

    pub(crate) fn into_parts(self) -> (Policy, Secret, Secret, Vec<KeyMaterial>) {
        (self.policy, self.mpk_i, self.mpk_r, self.keys)
    }
}

/// Makes a base ticket under the current TPK: a KMS for the one who asked, or an Initiator that
/// shares the TPK for itself (D = 0) ([RFC 6043 §A]).
///
/// Nothing is kept of it: the ticket carries its keys.
///
/// ```
/// use mikey::{Identity, Timestamp};
/// use mikey::derive::Secret;
/// use mikey_ticket::{InMemoryTicketKeys, Policy, Recipient, Strength, TicketError};
/// use mikey_ticket::{issue_ticket, open_ticket};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let mut tpks = InMemoryTicketKeys::new();
/// let tpk = Secret::random(16, &mut rng)?;
/// tpks.insert(b"tpk 1", Strength::Bits128, tpk, now, now.plus_seconds(86_400));
///
/// let bob = Recipient::new(Identity::uri("sip:bob@example.com")?);
/// let policy = Policy::new(Strength::Bits128, Policy::SHARED, vec![bob])?;
/// let (ticket, made) = issue_ticket(&policy, &tpks, now, &mut rng)?;
/// let opened = open_ticket(&ticket.to_payload()?, &tpks, now)?;
/// assert_eq!(opened.mpk_i().expose(), made.mpk_i().expose());
/// # Ok::<(), TicketError>(())
/// ```
///
/// # Errors
///
/// [`TicketError::TicketKey`] without a TPK, [`TicketError::Encode`] for a policy that is too long.
///
/// [RFC 6043 §A]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A
pub fn issue_ticket<R: CryptoRng + ?Sized>(
    policy: &Policy,
    tpks: &impl TicketKeys,
    now: Timestamp,
    rng: &mut R,
) -> Result<(IssuedTicket, TicketContents), TicketError> {
    let strength = policy.strength();
    let session_keys = policy.generate_keys(rng)?;
    let granted = policy.granted(policy.flags().changed);
    let mpk = Secret::random(strength.key_len(), rng)?;
    let mut rand = alloc::vec![0; strength.key_len()];
    rng.fill_bytes(&mut rand);

    let tpk_id = tpks.current(strength, now)?;
    let keys = ticket_keys(tpks, &tpk_id, strength, &rand, now)?;
    let time = TsValue::NtpUtc(u64::from_be_bytes(now.ntp()));
    let sealed = seal_kemac(&keys, &iv(time), &[&mpk], &session_keys)?;
    let mac_alg = strength.suite().mac().mac_alg();
    let zeroes = [0; 32];
    let blank = zeroes
        .get(..strength.suite().mac().len())
        .unwrap_or_default();
    let id_psk = Idr::new(IdRole::PreSharedKey, Id::new(IdType::ByteString, &tpk_id)?);
    let ticket_with = |mac: &[u8]| {
        let payloads = [
            Payload::T(time),
            Payload::Rand(Rand::new(&rand)?),
            Payload::Kemac(Kemac::new(
                strength.suite().cipher().encr_alg(),
                &sealed,
                Mac::NULL,
            )?),
            Payload::Idr(id_psk),
            Payload::V(Verification::new(Mac::new(mac_alg, mac)?)),
        ];
        let data = BaseTicket::new(&[], &payloads)?.to_vec();
        granted.with_payload(false, |policy| {
            IssuedTicket::from_payload(&Ticket::new(policy, &data)?)
        })
    };
    let unsigned = ticket_with(blank)?;
    let tag = keys.mac(&[unsigned.covered(blank.len())]);
    let ticket = ticket_with(tag.as_octets())?;

    let (mpk_i, mpk_r) = message_protection_keys(strength.prf(), &mpk, &rand)?;
    let keys = session_keys;
    let contents = TicketContents {
        policy: granted,
        mpk_i,
        mpk_r,
        keys,
    };
    Ok((ticket, contents))
}

/// Opens a base ticket under the TPK that it names, and checks its policy and validity
/// ([RFC 6043 §A]).
///
/// Initiator Data is not looked at: it belongs to the message that the ticket is in.
///
/// # Errors
///
/// [`TicketError::TicketKey`] for a TPK that is unknown or revoked, [`TicketError::Forged`] if the
/// MAC does not match, [`TicketError::Expired`] and [`TicketError::NotYetValid`] outside of the
/// validity period, [`TicketError::Malformed`] and others for a ticket that is not one.
///
/// [RFC 6043 §A]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A
pub fn open_ticket(
    ticket: &Ticket<'_>,
    tpks: &impl TicketKeys,
    now: Timestamp,
) -> Result<TicketContents, TicketError> {
    let policy = Policy::from_payload(ticket.policy())?;
    let strength = policy.strength();
    let data = BaseTicket::decode(ticket.data())?;
    let parts = Parts::of(&data)?;
    if parts.rand.len() < strength.key_len() {
        return Err(TicketError::WeakRand);
    }
    let keys = ticket_keys(tpks, parts.tpk_id, strength, parts.rand, now)?;
    let mac = VerificationMac::of(parts.v, strength)?;
    let issued = IssuedTicket::from_payload(ticket)?;
    keys.verify(&[issued.covered(mac.octets().len())], mac.octets())?;

    // Authentic from here on.
    policy.check_time(now)?;
    let Keys { mpks, keys } = open_kemac(&keys, &iv(parts.time), &parts.kemac)?;
    let [mpk] = <[Secret; 1]>::try_from(mpks)
        .map_err(|_| TicketError::UnexpectedPayload(PayloadType::KeyData))?;
    let tgk = keys
        .iter()
        .any(|key| key.kind() == mikey::exchange::KeyKind::Tgk);
    check_forking(policy.flags(), tgk)?;
    let (mpk_i, mpk_r) = message_protection_keys(strength.prf(), &mpk, parts.rand)?;
    Ok(TicketContents {
        policy,
        mpk_i,
        mpk_r,
        keys,
    })
}

struct Parts<'a> {
    time: TsValue,
    rand: &'a [u8],
    kemac: Kemac<'a>,
    tpk_id: &'a [u8],
    v: Verification<'a>,
}

impl<'a> Parts<'a> {
    fn of(data: &BaseTicket<'a>) -> Result<Self, TicketError> {
        let (mut time, mut rand, mut kemac, mut tpk_id, mut v) = (None, None, None, None, None);
        for payload in &data.payloads() {
            // V ends the ticket: nothing behind it is covered.
            if v.is_some() {
                return Err(TicketError::UnexpectedPayload(payload.payload_type()));
            }
            let first = match payload {
                Payload::T(value) => time.replace(value).is_none(),
                Payload::Rand(value) => rand.replace(value.octets()).is_none(),
                Payload::Kemac(value) => kemac.replace(value).is_none(),
                Payload::V(value) => v.replace(value).is_none(),
                Payload::Idr(idr) if idr.role() == IdRole::PreSharedKey => {
                    tpk_id.replace(idr.id().data()).is_none()
                }
                _ => true,
            };
            if !first {
                return Err(TicketError::UnexpectedPayload(payload.payload_type()));
            }
        }
        Ok(Self {
            time: time.ok_or(TicketError::MissingPayload(PayloadType::T))?,
            rand: rand.ok_or(TicketError::MissingPayload(PayloadType::Rand))?,
            kemac: kemac.ok_or(TicketError::MissingPayload(PayloadType::Kemac))?,
            tpk_id: tpk_id.ok_or(TicketError::MissingPayload(PayloadType::Idr))?,
            v: v.ok_or(TicketError::MissingPayload(PayloadType::V))?,
        })
    }
}

fn ticket_keys(
    tpks: &impl TicketKeys,
    tpk_id: &[u8],
    strength: Strength,
    rand: &[u8],
    now: Timestamp,
) -> Result<MessageKeys, TicketError> {
    // The only way to fail is a RAND that no payload holds.
    Label::base_ticket_key(MessageKey::Encryption, rand).ok_or(EncodeError::TooLong)?;
    MessageKeys::derive(
        strength.suite(),
        |key| Label::base_ticket_key(key, rand).unwrap_or_else(Label::initiator_data_key),
        |label, out| Ok(tpks.prf(tpk_id, strength, label, now, out)?),
    )
}

fn iv(time: TsValue) -> Iv {
    let timestamp = time.to_u64().to_be_bytes();
    Iv {
        csb_id: NO_CSB_ID,
        timestamp,
    }
}
