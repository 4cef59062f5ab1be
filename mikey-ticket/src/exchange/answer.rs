use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{MessageKeys, TicketMessage};
use mikey::exchange::{KeyMaterial, Session};
use mikey::payload::{
    CryptoSession, CsIdMap, GenericIdMap, Header, Kemac, Mac, Payload, Randr, SecurityPolicy,
};
use mikey::{Identity, Message, Timestamp};
use rand_core::CryptoRng;

use crate::derive::transfer_keys;
use crate::exchange::established::{Bundle, Established, Freshness};
use crate::exchange::rekeying::Rekeying;
use crate::exchange::resolve::{IncomingTransfer, Resolution};
use crate::exchange::update::Link;
use crate::message::{RULES, Received, error_message, fresh_time, iv, rands, seal, seal_kemac};
use crate::policy::idr;
use crate::{Policy, Rejected, TicketError};

/// What a Responder answers to an offer ([RFC 6043 §4.2.2.3]), or either side puts into an update.
///
/// Each session that was offered, with one policy, an SPI and for SRTP an SSRC, and perhaps more.
///
/// ```
/// use mikey::payload::{CryptoSession, SrtpSessionData};
/// use mikey_ticket::Answer;
///
/// let data = SrtpSessionData { ssrc: 0x2222_2222, index: None };
/// let sessions = [CryptoSession::srtp(1, &[0], Some(data), &[7])?];
/// let answer = Answer::new(&sessions);
/// assert_eq!(answer.sessions().len(), 1);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §4.2.2.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2.3
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    sessions: &'a [CryptoSession<'a>],
    policies: &'a [SecurityPolicy<'a>],
    keys: &'a [KeyMaterial],
}

impl<'a> Answer<'a> {
    /// The sessions as they shall be.
    #[must_use]
    pub const fn new(sessions: &'a [CryptoSession<'a>]) -> Self {
        Self {
            sessions,
            policies: &[],
            keys: &[],
        }
    }

    /// Security Policies that the Initiator has not sent.
    #[must_use]
    pub const fn with_policies(mut self, policies: &'a [SecurityPolicy<'a>]) -> Self {
        self.policies = policies;
        self
    }

    /// The Responder's own keys, such as those of content that is encrypted already
    /// ([RFC 6043 §8]); only with the M flag.
    ///
    /// [RFC 6043 §8]: https://www.rfc-editor.org/rfc/rfc6043#section-8
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

    pub(super) const fn policies(&self) -> &'a [SecurityPolicy<'a>] {
        self.policies
    }

    pub(super) const fn keys(&self) -> &'a [KeyMaterial] {
        self.keys
    }
}

/// A TRANSFER_INIT of a verified Initiator, which is not answered yet.
pub struct VerifiedTransfer {
    pub(super) incoming: IncomingTransfer,
    pub(super) resolution: Resolution,
    pub(super) keys: MessageKeys,
    pub(super) bundle: Bundle,
    /// Whether the KMS was asked about this very message.
    pub(super) resolved: bool,
}

impl VerifiedTransfer {
    /// Who calls.
    #[must_use]
    pub const fn initiator(&self) -> &Identity {
        &self.incoming.initiator
    }

    /// Who is called: this side.
    #[must_use]
    pub const fn responder(&self) -> &Identity {
        &self.incoming.responder.identity
    }

    /// The policy of the ticket.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.incoming.policy
    }

    /// The crypto sessions that are offered.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        self.bundle.sessions()
    }

    /// The SPI of the key, to name it in the answer; `None` if there is not exactly one.
    #[must_use]
    pub fn spi_of_only_key(&self) -> Option<&[u8]> {
        match self.bundle.keys() {
            [key] => key.spi(),
            _ => None,
        }
    }

    /// The message, for its Security Policies and general extensions.
    ///
    /// # Errors
    ///
    /// None: it was decoded before.
    pub fn message(&self) -> Result<Message<'_>, TicketError> {
        Ok(RULES.decode(&self.incoming.octets)?)
    }

    #[cfg(feature = "smime-psk")]
    pub(crate) fn octets(&self) -> &[u8] {
        &self.incoming.octets
    }

    /// What the KMS said of the ticket, to keep it; `None` without the J flag.
    #[must_use]
    pub fn resolution(&self) -> Option<Resolution> {
        self.policy()
            .flags()
            .reusable
            .then(|| self.resolution.duplicate())
    }

    /// Whether the KMS was asked about this very message and, with forking, has verified its
    /// Initiator Data: then only the Initiator can have sent it, and no one else who may resolve the
    /// ticket (TR 33.829 §B.3). Never so with a resolution that was kept.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.resolved && self.policy().flags().forking
    }

    /// Whom the message names as Responder, IDRr: oneself, or the list that one is on.
    #[must_use]
    pub fn addressee(&self) -> Option<Identity> {
        let received = Received::read(&self.incoming.octets, DataType::TransferInit).ok()?;
        received.id(IdRole::Responder)
    }

    /// Declines: an Error message that the Initiator can verify; `None` if `error` is none that may
    /// be told.
    #[must_use]
    pub fn decline(&self, error: TicketError, now: Timestamp) -> Option<Vec<u8>> {
        let message = RULES.decode(&self.incoming.octets).ok()?;
        let identity = Some(&self.incoming.responder.identity);
        error_message(&message, error, Some(&self.keys), identity, now)
    }

    /// Accepts: TRANSFER_RESP where the ticket wants one (F flag), and the keys.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the state if `answer` does not fit what was offered, or has keys without
    /// the M flag; where no response is wanted, if a session that was offered lacks a key or a policy.
    pub fn accept<R: CryptoRng + ?Sized>(
        self,
        answer: &Answer<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Established, Option<Vec<u8>>), Rejected<Self>> {
        let accepted = if self.policy().flags().response {
            self.answer(answer, now, rng)
                .map(|(done, message)| (done, Some(message)))
        } else {
            self.complete(now).map(|done| (done, None))
        };
        accepted.map_err(|error| Rejected::new(error, self))
    }

    pub(crate) fn complete(&self, now: Timestamp) -> Result<Established, TicketError> {
        let received = Received::read(&self.incoming.octets, DataType::TransferInit)?;
        let rand = received.strong_rand(RandRole::Initiator)?;
        let mut bundle = Bundle::of(received.message())?;
        bundle.add_keys(self.bundle.keys())?;
        bundle.check_complete()?;
        let freshness = Freshness::new(self.policy(), rand, &[])?;
        let (strength, csb_id) = (self.policy().strength(), received.header().csb_id());
        let (mpk, initial) = (&self.resolution.mpk_i, TicketMessage::Initial);
        let keys = transfer_keys(strength, mpk, initial, csb_id, rands(rand, &[])?)?;
        let link = self.link(&received, keys, now);
        Ok(Established::new(
            self.initiator().clone(),
            bundle,
            freshness,
            link,
        ))
    }

    fn link(&self, received: &Received<'_>, keys: MessageKeys, now: Timestamp) -> Link {
        let modifier = self.resolution.modifier.as_ref();
        let named = modifier.map(|(identity, _)| identity);
        Link {
            keys,
            initiator: self.initiator().clone(),
            responder: named.unwrap_or(&self.incoming.responder.identity).clone(),
            is_initiator: false,
            csb_id: received.header().csb_id(),
            latest: received.moment(now).max(now),
            flags: self.policy().flags(),
            rekeying: Rekeying::new(self.policy(), received.moment(now).min(now)),
            pending: None,
        }
    }

    fn answer<R: CryptoRng + ?Sized>(
        &self,
        answer: &Answer<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(Established, Vec<u8>), TicketError> {
        let (policy, strength) = (self.policy(), self.policy().strength());
        let flags = policy.flags();
        if !answer.keys.is_empty() && !flags.responder_keys {
            return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
        }
        let received = Received::read(&self.incoming.octets, DataType::TransferInit)?;
        let rand_i = received.strong_rand(RandRole::Initiator)?;
        let mut rand_r = Vec::new();
        if flags.responder_rand {
            rand_r.resize(strength.key_len(), 0);
            rng.fill_bytes(&mut rand_r);
        }
        let csb_id = received.header().csb_id();
        let response = TicketMessage::Response;
        let both = rands(rand_i, &rand_r)?;
        let keys = transfer_keys(strength, &self.resolution.mpk, response, csb_id, both)?;

        let time = fresh_time(now);
        let map = CsIdMap::GenericId(GenericIdMap::new(answer.sessions)?);
        let prf_func = strength.prf().prf_func();
        let header = Header::new(DataType::TransferResp, prf_func, csb_id, map)?;
        let mut payloads = alloc::vec![Payload::T(time)];
        if flags.responder_rand {
            payloads.push(Payload::Randr(Randr::new(RandRole::Responder, &rand_r)?));
        }
        match &self.resolution.modifier {
            None => payloads.push(idr(IdRole::Responder, &self.incoming.responder.identity)?),
            Some((identity, rand_kms)) => {
                payloads.push(idr(IdRole::Responder, identity)?);
                if !rand_kms.is_empty() {
                    payloads.push(Payload::Randr(Randr::new(RandRole::Kms, rand_kms)?));
                }
            }
        }
        payloads.extend(answer.policies.iter().copied().map(Payload::Sp));
        let sealed = seal_kemac(&keys, &iv(csb_id, time), &[], answer.keys)?;
        if !answer.keys.is_empty() {
            let alg = strength.suite().cipher().encr_alg();
            payloads.push(Payload::Kemac(Kemac::new(alg, &sealed, Mac::NULL)?));
        }
        let message = seal(header, payloads, &keys, &[&self.incoming.octets])?;

        let mut bundle = self.bundle.answered(&RULES.decode(&message)?)?;
        bundle.add_keys(answer.keys)?;
        bundle.check_complete()?;
        let freshness = Freshness::new(policy, rand_i, &rand_r)?;
        let link = self.link(&received, keys, now);
        let established = Established::new(self.initiator().clone(), bundle, freshness, link);
        Ok((established, message))
    }
}

impl fmt::Debug for VerifiedTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedTransfer")
    }
}
