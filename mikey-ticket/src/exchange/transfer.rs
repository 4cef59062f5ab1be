use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{MessageKeys, Secret, TicketMessage};
use mikey::exchange::KeyMaterial;
use mikey::payload::{
    CryptoSession, CsIdMap, GeneralExtension, GenericIdMap, Header, Kemac, Mac, Payload, Randr,
    SecurityPolicy, Verification,
};
use mikey::{EncodeError, Identity, Timestamp};
use rand_core::CryptoRng;

use crate::derive::{fork_keys, fork_mpk, initiator_data_keys, transfer_keys};
use crate::exchange::established::{Bundle, Established, Freshness};
use crate::exchange::rekeying::Rekeying;
use crate::exchange::update::Link;
use crate::message::{
    RULES, Received, fresh_time, iv, open_kemac, rands, read_answer, seal, seal_kemac,
};
use crate::policy::idr;
use crate::{IssuedTicket, Policy, Rejected, TicketContents, TicketError};

/// What an Initiator puts into TRANSFER_INIT, beside the ticket ([RFC 6043 §4.2.2.1]).
///
/// ```
/// use mikey::Identity;
/// use mikey::payload::{CryptoSession, SrtpSessionData};
/// use mikey_ticket::Offer;
///
/// let bob = Identity::uri("sip:bob@example.com")?;
/// let data = SrtpSessionData { ssrc: 0x1111_1111, index: None };
/// let sessions = [CryptoSession::srtp(1, &[], Some(data), &[])?];
/// let offer = Offer::new(&bob, &sessions);
/// assert_eq!(offer.sessions().len(), 1);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §4.2.2.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2.1
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    peer: &'a Identity,
    sessions: &'a [CryptoSession<'a>],
    policies: &'a [SecurityPolicy<'a>],
    extensions: &'a [GeneralExtension<'a>],
    keys: &'a [KeyMaterial],
}

impl<'a> Offer<'a> {
    /// `sessions` with `peer`; none at all only authenticates.
    #[must_use]
    pub const fn new(peer: &'a Identity, sessions: &'a [CryptoSession<'a>]) -> Self {
        Self {
            peer,
            sessions,
            policies: &[],
            extensions: &[],
            keys: &[],
        }
    }

    /// Security Policies that the sessions name.
    #[must_use]
    pub const fn with_policies(mut self, policies: &'a [SecurityPolicy<'a>]) -> Self {
        self.policies = policies;
        self
    }

    /// General extensions, which the MAC covers.
    #[must_use]
    pub const fn with_extensions(mut self, extensions: &'a [GeneralExtension<'a>]) -> Self {
        self.extensions = extensions;
        self
    }

    /// The Initiator's own keys, readable by everyone who may resolve the ticket; only with the L
    /// flag.
    #[must_use]
    pub const fn with_keys(mut self, keys: &'a [KeyMaterial]) -> Self {
        self.keys = keys;
        self
    }

    /// The crypto sessions.
    #[must_use]
    pub const fn sessions(&self) -> &'a [CryptoSession<'a>] {
        self.sessions
    }
}

/// A ticket in the hands of its Initiator, with the keys that are in it ([RFC 6043 §4.2.1.6]).
///
/// [RFC 6043 §4.2.1.6]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.6
pub struct GrantedTicket {
    identity: Identity,
    policy: Policy,
    ticket: IssuedTicket,
    mpk_i: Secret,
    mpk_r: Option<Secret>,
    keys: Vec<KeyMaterial>,
    used: bool,
}

impl GrantedTicket {
    pub(crate) const fn new(
        identity: Identity,
        policy: Policy,
        ticket: IssuedTicket,
        mpk_i: Secret,
        mpk_r: Option<Secret>,
        keys: Vec<KeyMaterial>,
    ) -> Self {
        Self {
            identity,
            policy,
            ticket,
            mpk_i,
            mpk_r,
            keys,
            used: false,
        }
    }

    /// A ticket that `identity` has made itself with [`issue_ticket`](crate::issue_ticket), in
    /// modes 3 and 4 ([RFC 6043 §4.1.1]).
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] if the policy names another Initiator or a KMS made the
    /// ticket (D flag).
    ///
    /// [RFC 6043 §4.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.1.1
    pub fn self_made(
        identity: Identity,
        ticket: IssuedTicket,
        contents: TicketContents,
    ) -> Result<Self, TicketError> {
        let (policy, mpk_i, mpk_r, keys) = contents.into_parts();
        if policy.initiator() != Some(&identity) || policy.flags().kms_generated {
            return Err(TicketError::UnknownIdentity);
        }
        let mpk_r = policy.flags().forking.then_some(mpk_r);
        Ok(Self::new(identity, policy, ticket, mpk_i, mpk_r, keys))
    }

    /// The policy that was granted.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the KMS granted something else than was asked for (K flag): look at the policy
    /// before you use it.
    #[must_use]
    pub const fn is_changed(&self) -> bool {
        self.policy.flags().changed
    }

    /// The ticket.
    #[must_use]
    pub const fn ticket(&self) -> &IssuedTicket {
        &self.ticket
    }

    /// Sends the ticket to the peer of `offer`: TRANSFER_INIT.
    ///
    /// # Errors
    ///
    /// [`TicketError::TicketUsed`] for the second use of a ticket without the J flag,
    /// [`TicketError::Expired`] and [`TicketError::NotYetValid`] outside of its validity,
    /// [`TicketError::UnexpectedPayload`] for keys without the L flag, or that the ticket has already;
    /// [`TicketError::UnsupportedSessions`] for a TEK of two protocols. The ticket is unused then.
    pub fn transfer<R: CryptoRng + ?Sized>(
        &mut self,
        offer: &Offer<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Transfer, Vec<u8>), TicketError> {
        let flags = self.policy.flags();
        self.policy.check_time(now)?;
        if self.used && !flags.reusable {
            return Err(TicketError::TicketUsed);
        }
        if !offer.keys.is_empty() && !flags.initiator_keys {
            return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
        }
        let strength = self.policy.strength();
        let csb_id = rng.next_u32();
        let mut rand = alloc::vec![0; strength.key_len()];
        rng.fill_bytes(&mut rand);
        let initial = TicketMessage::Initial;
        let keys = transfer_keys(strength, &self.mpk_i, initial, csb_id, rands(&rand, &[])?)?;
        let sent = self.write(offer, csb_id, &rand, &keys, now)?;

        let mut sessions = Bundle::of(&RULES.decode(&sent)?)?;
        sessions.add_keys(offer.keys)?;
        let state = if flags.response {
            Transfer::Awaiting(Box::new(AwaitingTransfer {
                policy: self.policy.clone(),
                peer: offer.peer.clone(),
                mpk_i: self.mpk_i.duplicate(),
                mpk_r: self.mpk_r.as_ref().map(Secret::duplicate),
                keys: self.keys.iter().map(KeyMaterial::duplicate).collect(),
                initial: keys,
                csb_id,
                rand,
                identity: self.identity.clone(),
                sent_at: now,
                sent: sent.clone(),
                sessions,
            }))
        } else {
            sessions.add_keys(&self.keys)?;
            if !sessions.teks_have_one_use() {
                return Err(TicketError::UnsupportedSessions);
            }
            let freshness = Freshness::new(&self.policy, &rand, &[])?;
            let link = Link {
                keys,
                initiator: self.identity.clone(),
                responder: offer.peer.clone(),
                is_initiator: true,
                csb_id,
                latest: now,
                flags,
                rekeying: Rekeying::new(&self.policy, now),
                pending: None,
            };
            let peer = offer.peer.clone();
            Transfer::Complete(Box::new(Established::new(peer, sessions, freshness, link)))
        };
        self.used = true;
        Ok((state, sent))
    }

    fn write(
        &self,
        offer: &Offer<'_>,
        csb_id: u32,
        rand: &[u8],
        keys: &MessageKeys,
        now: Timestamp,
    ) -> Result<Vec<u8>, TicketError> {
        let flags = self.policy.flags();
        let time = fresh_time(now);
        let suite = keys.suite();
        let sealed = seal_kemac(keys, &iv(csb_id, time), &[], offer.keys)?;
        let map = CsIdMap::GenericId(GenericIdMap::new(offer.sessions)?);
        let header = Header::new(DataType::TransferInit, suite.prf().prf_func(), csb_id, map)?
            .expecting_response(flags.response);
        let write = |initiator_data: &[Payload<'_>]| {
            let ticket = self.ticket.to_payload()?;
            let ticket = if initiator_data.is_empty() {
                ticket
            } else {
                ticket.with_initiator_data(initiator_data)?
            };
            let mut payloads = alloc::vec![
                Payload::T(time),
                Payload::Randr(Randr::new(RandRole::Initiator, rand)?),
                idr(IdRole::Initiator, &self.identity)?,
                idr(IdRole::Responder, offer.peer)?,
            ];
            payloads.extend(offer.policies.iter().copied().map(Payload::Sp));
            payloads.push(Payload::Ticket(ticket));
            if !offer.keys.is_empty() {
                let alg = suite.cipher().encr_alg();
                payloads.push(Payload::Kemac(Kemac::new(alg, &sealed, Mac::NULL)?));
            }
            payloads.extend(
                offer
                    .extensions
                    .iter()
                    .copied()
                    .map(Payload::GeneralExtension),
            );
            seal(
                header,
                payloads,
                keys,
                &[self.identity.data(), offer.peer.data()],
            )
        };
        let bare = write(&[])?;
        let Some(mpk_r) = &self.mpk_r else {
            return Ok(bare);
        };
        // The MAC leaves Initiator Data out, so it is the same with and without.
        let vi = Received::read(&bare, DataType::TransferInit)?.mac();
        let vr_keys = initiator_data_keys(self.policy.strength(), mpk_r)?;
        let zeroes = alloc::vec![0; suite.mac().len()];
        let blank = Mac::new(vi.alg(), &zeroes)?;
        let pair = |vr| [vi, vr].map(|mac| Payload::V(Verification::new(mac)));
        let unsigned = pair(blank);
        let ticket = self.ticket.to_payload()?.with_initiator_data(&unsigned)?;
        let data = ticket.initiator_data().ok_or(EncodeError::WrongLength)?;
        let tag = vr_keys.mac(&[&data.covered()?]);
        write(&pair(Mac::new(vi.alg(), tag.as_octets())?))
    }
}

impl fmt::Debug for GrantedTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantedTicket")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Where an Initiator stands once TRANSFER_INIT is written; the F flag decides
/// ([RFC 6043 §4.2.2]).
///
/// [RFC 6043 §4.2.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2
#[allow(
    clippy::exhaustive_enums,
    reason = "there is a response or there is none"
)]
#[derive(Debug)]
pub enum Transfer {
    /// F = 1: the answer of the peer is needed.
    Awaiting(Box<AwaitingTransfer>),
    /// F = 0: there is no answer. Whoever may resolve the ticket has the keys.
    Complete(Box<Established>),
}

impl Transfer {
    /// Takes the answer of the peer: TRANSFER_RESP.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the state, which goes on waiting, and with the reason. Where no answer may
    /// come, it is [`TicketError::Mismatch`].
    pub fn accept(self, message: &[u8]) -> Result<Established, Rejected<Self>> {
        self.accept_from(message, |_| false)
    }

    /// As [`accept`](Self::accept), also from a peer that the ticket does not name, if `stands_in`
    /// says so: one to whom the call was diverted (TR 33.829 §9.3.2.2), or the focus of a conference
    /// (TR 33.829 §5.3.3.3).
    ///
    /// # Errors
    ///
    /// As of [`accept`](Self::accept).
    ///
    /// # Security
    ///
    /// Only with forking does the KMS vouch for who the peer is.
    pub fn accept_from(
        self,
        message: &[u8],
        stands_in: impl FnOnce(&Identity) -> bool,
    ) -> Result<Established, Rejected<Self>> {
        match self {
            Self::Awaiting(waiting) => match waiting.read(message, stands_in) {
                Ok(established) => Ok(established),
                Err(error) => Err(Rejected::new(error, Self::Awaiting(waiting))),
            },
            Self::Complete(_) => Err(Rejected::new(TicketError::Mismatch, self)),
        }
    }
}

/// An Initiator that waits for TRANSFER_RESP.
pub struct AwaitingTransfer {
    policy: Policy,
    peer: Identity,
    mpk_i: Secret,
    mpk_r: Option<Secret>,
    keys: Vec<KeyMaterial>,
    initial: MessageKeys,
    csb_id: u32,
    rand: Vec<u8>,
    identity: Identity,
    sent_at: Timestamp,
    sent: Vec<u8>,
    sessions: Bundle,
}

impl AwaitingTransfer {
    /// Who declines, by an Error message that names it (TR 33.829 §9.3.2.3).
    ///
    /// `None` for any other message. Nothing proves it: it is for the caller to decide on.
    #[must_use]
    pub fn declined_by(&self, message: &[u8]) -> Option<Identity> {
        let message = RULES.decode(message).ok()?;
        let header = message.header();
        if header.data_type() != DataType::Error || header.csb_id() != self.csb_id {
            return None;
        }
        message.payloads().find_map(|payload| match payload {
            Payload::Idr(idr) if idr.role() == IdRole::Responder => {
                Some(Identity::from_payload(&idr.id()))
            }
            _ => None,
        })
    }

    fn read(
        &self,
        octets: &[u8],
        stands_in: impl FnOnce(&Identity) -> bool,
    ) -> Result<Established, TicketError> {
        let flags = self.policy.flags();
        let strength = self.policy.strength();
        let data_type = DataType::TransferResp;
        let received = read_answer(octets, data_type, &self.sent, strength, &self.initial)?;
        let rand_r = if flags.responder_rand {
            received.strong_rand(RandRole::Responder)?
        } else if received.rand(RandRole::Responder).is_some() {
            return Err(TicketError::UnexpectedPayload(PayloadType::Randr));
        } else {
            &[]
        };
        let named = received.id(IdRole::Responder);
        let (peer, keys, mpk) = match &self.mpk_r {
            None => {
                let keys = self.keys.iter().map(KeyMaterial::duplicate).collect();
                (
                    named.unwrap_or_else(|| self.peer.clone()),
                    keys,
                    self.mpk_i.duplicate(),
                )
            }
            Some(mpk_r) => {
                let peer = named.ok_or(TicketError::MissingPayload(PayloadType::Idr))?;
                let rand_kms = received.strong_rand(RandRole::Kms)?;
                let prf = strength.prf();
                let mpk = fork_mpk(prf, mpk_r, peer.data(), rand_kms)?;
                (
                    peer.clone(),
                    fork_keys(prf, &self.keys, peer.data(), rand_kms)?,
                    mpk,
                )
            }
        };
        let both = rands(&self.rand, rand_r)?;
        let response = TicketMessage::Response;
        let message_keys = transfer_keys(strength, &mpk, response, self.csb_id, both)?;
        received.verify(&message_keys, &[&self.sent])?;

        let may_stand_in = || flags.forking && stands_in(&peer);
        if !(self.policy.allows_recipient(&peer) || may_stand_in()) {
            return Err(TicketError::WrongRecipient);
        }
        let mut sessions = self.sessions.answered(received.message())?;
        sessions.add_keys(&keys)?;
        if let Some(kemac) = received.kemac() {
            if !flags.responder_keys {
                return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
            }
            let theirs = open_kemac(&message_keys, &received.iv(), &kemac)?;
            sessions.add_keys(&theirs.without_mpk()?)?;
        }
        sessions.check_complete()?;
        let freshness = Freshness::new(&self.policy, &self.rand, rand_r)?;
        let link = Link {
            keys: message_keys,
            initiator: self.identity.clone(),
            responder: peer.clone(),
            is_initiator: true,
            csb_id: self.csb_id,
            latest: received.moment(self.sent_at).max(self.sent_at),
            flags,
            rekeying: Rekeying::new(&self.policy, self.sent_at),
            pending: None,
        };
        Ok(Established::new(peer, sessions, freshness, link))
    }
}

impl fmt::Debug for AwaitingTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitingTransfer")
    }
}
