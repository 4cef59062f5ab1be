use alloc::boxed::Box;
use alloc::vec::Vec;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{Label, MessageKeys, Rands, Secret, TicketMessage};
use mikey::payload::{CsIdMap, Header, Kemac, Mac, Payload, Randr, Ticket};
use mikey::{Identity, Message, PreSharedKeys, ReplayCache, SkewWindow, Timestamp};
use rand_core::CryptoRng;

use crate::derive::{fork_keys, fork_mpk, initiator_data_keys};
use crate::message::{
    Received, VerificationMac, error_for, error_message, fresh_time, iv, rands, seal, seal_kemac,
};
use crate::policy::idr;
use crate::{Policy, Refusal, Strength, TicketError, TicketKeys, issue_ticket, open_ticket};

/// What the operator of a KMS decides ([RFC 6043 §4.2.1.4], [§4.2.3.4]).
///
/// # Security
///
/// Every party that is named here is authenticated. To say yes hands out keys.
///
/// [RFC 6043 §4.2.1.4]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.4
/// [§4.2.3.4]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.4
pub trait KmsPolicy {
    /// The policy that `requester` gets when it asks for `asked`; `None` refuses.
    fn grant(&self, requester: &Identity, asked: &Policy, now: Timestamp) -> Option<Policy>;

    /// Whether `resolver`, whom the ticket names, may resolve a ticket of `policy`.
    fn may_resolve(&self, resolver: &Identity, policy: &Policy, now: Timestamp) -> bool {
        let _ = (resolver, policy, now);
        true
    }

    /// Whether `resolver` may resolve a ticket that does not name it: one to whom a call is diverted
    /// (TR 33.829 §9.3.2.2), or the focus that a conference factory has set up (TR 33.829 §5.3.3.3).
    ///
    /// Keys that are forked are `resolver`'s own, and name it to the Initiator, who decides last.
    fn may_stand_in(&self, resolver: &Identity, policy: &Policy, now: Timestamp) -> bool {
        let _ = (resolver, policy, now);
        false
    }

    /// Told of every message once it is answered or refused.
    fn audit(&self, event: &AuditEvent) {
        let _ = event;
    }

    /// Whether the pre-shared key `psk` (IDRpsk, such as a B-TID) is the key of `identity`.
    fn owns_key(&self, identity: &Identity, psk: &Identity) -> bool {
        let _ = (identity, psk);
        false
    }
}

/// What a KMS has done about one message, for the operator's log. No secrets.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// The message; `None` if it was none.
    pub message: Option<DataType>,
    /// Who sent it: authenticated if there is an answer, else only claimed.
    pub sender: Option<Identity>,
    /// Whether it was answered, or why it was refused.
    pub outcome: Result<(), TicketError>,
}

impl AuditEvent {
    fn of(message: Option<&Message<'_>>, outcome: Result<(), TicketError>) -> Self {
        let sender = message.and_then(|message| {
            message.payloads().find_map(|payload| match payload {
                Payload::Idr(idr)
                    if matches!(idr.role(), IdRole::Initiator | IdRole::Responder) =>
                {
                    Some(Identity::from_payload(&idr.id()))
                }
                _ => None,
            })
        });
        let message = message.map(|message| message.header().data_type());
        Self {
            message,
            sender,
            outcome,
        }
    }
}

/// Grants every subscriber what it asks for.
///
/// ```
/// use mikey::{Identity, Timestamp};
/// use mikey_ticket::{GrantAsAsked, KmsPolicy, Policy, Recipient, Strength, TicketError};
///
/// let alice = Identity::uri("sip:alice@example.com")?;
/// let policy = Policy::new(Strength::Bits128, Policy::FORKED, vec![Recipient::new(alice.clone())])?;
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// assert_eq!(GrantAsAsked.grant(&alice, &policy, now), Some(policy));
/// # Ok::<(), TicketError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it has nothing to say")]
pub struct GrantAsAsked;

impl KmsPolicy for GrantAsAsked {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }
}

/// A key management service: tickets on request, keys for whom a ticket names
/// ([RFC 6043 §4.2.1], [§4.2.3]).
///
/// It keeps nothing of a ticket. Nodes that share TPKs and subscriber keys serve one another's
/// tickets; what each keeps for itself is a replay cache, whose size is bounded.
///
/// The crate's own example runs all six messages.
///
/// [RFC 6043 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1
/// [§4.2.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3
#[derive(Debug)]
pub struct Kms<S, T, P, C> {
    identity: Identity,
    subscribers: S,
    ticket_keys: T,
    policy: P,
    replay: C,
    window: SkewWindow,
}

/// An error, and the keys to authenticate its message with, once the peer is.
struct Failed {
    error: TicketError,
    keys: Option<Box<MessageKeys>>,
}

impl From<TicketError> for Failed {
    fn from(error: TicketError) -> Self {
        Self { error, keys: None }
    }
}

impl From<mikey::EncodeError> for Failed {
    fn from(error: mikey::EncodeError) -> Self {
        TicketError::from(error).into()
    }
}

impl<S: PreSharedKeys, T: TicketKeys, P: KmsPolicy, C: ReplayCache> Kms<S, T, P, C> {
    /// A KMS of the name `identity`, with the keys of its subscribers by their identities.
    pub fn new(identity: Identity, subscribers: S, ticket_keys: T, policy: P, replay: C) -> Self {
        let window = SkewWindow::default();
        Self {
            identity,
            subscribers,
            ticket_keys,
            policy,
            replay,
            window,
        }
    }

    /// Takes messages of this age.
    #[must_use]
    pub const fn with_window(mut self, window: SkewWindow) -> Self {
        self.window = window;
        self
    }

    /// Answers a REQUEST_INIT_PSK or a RESOLVE_INIT_PSK.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the Error message to answer with, which is authenticated where the peer is.
    /// The KMS is unchanged then.
    pub fn handle<R: CryptoRng + ?Sized>(
        &mut self,
        message: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let decoded = Message::decode(message);
        let answer = match &decoded {
            Err(error) => Err(TicketError::from(*error).into()),
            Ok(decoded) => match decoded.header().data_type() {
                DataType::RequestInitPsk => self.request(message, now, rng),
                DataType::ResolveInitPsk => self.resolve(message, now, rng),
                other => Err(TicketError::UnsupportedDataType(other).into()),
            },
        };
        let outcome = answer.as_ref().map(|_| ()).map_err(|failed| failed.error);
        self.policy
            .audit(&AuditEvent::of(decoded.as_ref().ok(), outcome));
        answer.map_err(|Failed { error, keys }| {
            let reply = match (keys, Message::decode(message)) {
                (Some(keys), Ok(decoded)) => error_message(&decoded, error, Some(&keys), None, now),
                _ => error_for(message, error, now),
            };
            Refusal::new(error, reply)
        })
    }

    fn request<R: CryptoRng + ?Sized>(
        &mut self,
        octets: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, Failed> {
        let received = Received::read(octets, DataType::RequestInitPsk)?;
        let rand = received.strong_rand(RandRole::Initiator)?;
        let rands = rands(rand, &[])?;
        let requester = self.authenticate(&received, IdRole::Initiator, rands, now)?;
        let granted = self
            .decide(&received, &requester, now)
            .map_err(|error| self.failed(error, &received, &requester, rands))?;
        let (ticket, contents) = issue_ticket(&granted, &self.ticket_keys, now, rng)
            .map_err(|error| self.failed(error, &received, &requester, rands))?;
        let response = self.keys(&received, &requester, TicketMessage::Response, rands)?;
        received.remember(&requester, &mut self.replay, now)?;
        let mut mpks = alloc::vec![contents.mpk_i()];
        if granted.flags().forking {
            mpks.push(contents.mpk_r());
        }
        let time = fresh_time(now);
        let header = received.header();
        let iv = iv(header.csb_id(), time);
        let sealed = seal_kemac(&response, &iv, &mpks, contents.keys())?;
        let suite = response.suite();
        let payloads = alloc::vec![
            Payload::T(time),
            idr(IdRole::Kms, &self.identity)?,
            Payload::Ticket(ticket.to_payload()?),
            Payload::Kemac(Kemac::new(suite.cipher().encr_alg(), &sealed, Mac::NULL)?),
        ];
        Ok(seal(
            answer_to(header, DataType::RequestResp)?,
            payloads,
            &response,
            &[octets],
        )?)
    }

    /// The policy of the ticket, K set if it is not the one that was asked for.
    fn decide(
        &self,
        received: &Received<'_>,
        requester: &Identity,
        now: Timestamp,
    ) -> Result<Policy, TicketError> {
        let asked = received
            .message()
            .payloads()
            .find_map(|payload| match payload {
                Payload::Tp(policy) => Some(policy),
                _ => None,
            });
        let asked = asked.ok_or(TicketError::MissingPayload(PayloadType::Tp))?;
        let asked = Policy::from_payload(&asked)?;
        if asked.strength() != received.strength() {
            return Err(TicketError::MixedStrength);
        }
        if asked
            .initiator()
            .is_some_and(|initiator| initiator != requester)
        {
            return Err(TicketError::UnknownIdentity);
        }
        // Whatever was asked for, it is the KMS that makes the ticket.
        let mut flags = asked.flags();
        flags.kms_generated = true;
        let wanted = asked.clone().with_flags(flags)?;
        let granted = self.policy.grant(requester, &wanted, now);
        let granted = granted.ok_or(TicketError::NotAuthorised)?;
        if granted.strength() != received.strength() || !granted.flags().kms_generated {
            return Err(TicketError::MixedStrength);
        }
        let other_keys = asked.keys().is_some() && asked.keys() != granted.keys();
        let mut flags = granted.flags();
        flags.changed = other_keys || !asked.is_granted_by(&granted);
        let granted = granted.with_flags(flags)?;
        Ok(granted
            .with_kms(self.identity.clone())
            .with_initiator(requester.clone()))
    }

    fn resolve<R: CryptoRng + ?Sized>(
        &mut self,
        octets: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, Failed> {
        let received = Received::read(octets, DataType::ResolveInitPsk)?;
        let rand = received.strong_rand(RandRole::Responder)?;
        let rands = rands(&[], rand)?;
        let resolver = self.authenticate(&received, IdRole::Responder, rands, now)?;
        let (contents, rand_kms) = self
            .open(&received, &resolver, now, rng)
            .map_err(|error| self.failed(error, &received, &resolver, rands))?;
        let response = self.keys(&received, &resolver, TicketMessage::Response, rands)?;
        received.remember(&resolver, &mut self.replay, now)?;

        let (policy, mpk_i, mpk_r, keys) = contents.into_parts();
        let prf = policy.strength().prf();
        let time = fresh_time(now);
        let header = received.header();
        let iv = iv(header.csb_id(), time);
        let sealed = match &rand_kms {
            None => seal_kemac(&response, &iv, &[&mpk_i], &keys)?,
            Some(rand_kms) => {
                let mpk_r: Secret = fork_mpk(prf, &mpk_r, resolver.data(), rand_kms)?;
                let keys = fork_keys(prf, &keys, resolver.data(), rand_kms)?;
                seal_kemac(&response, &iv, &[&mpk_i, &mpk_r], &keys)?
            }
        };
        let suite = response.suite();
        let mut payloads = alloc::vec![
            Payload::T(time),
            idr(IdRole::Kms, &self.identity)?,
            Payload::Kemac(Kemac::new(suite.cipher().encr_alg(), &sealed, Mac::NULL)?),
            idr(IdRole::Responder, &resolver)?,
        ];
        if let Some(rand_kms) = &rand_kms {
            payloads.push(Payload::Randr(Randr::new(RandRole::Kms, rand_kms)?));
        }
        Ok(seal(
            answer_to(header, DataType::ResolveResp)?,
            payloads,
            &response,
            &[octets],
        )?)
    }

    /// Opens the ticket for `resolver`, if that may have it; with a RANDRkms where keys are forked.
    fn open<R: CryptoRng + ?Sized>(
        &self,
        received: &Received<'_>,
        resolver: &Identity,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(crate::TicketContents, Option<Vec<u8>>), TicketError> {
        let ticket = received.ticket()?;
        let strength = Strength::from_prf_func(ticket.policy().kind().prf_func)?;
        if strength != received.strength() {
            return Err(TicketError::MixedStrength);
        }
        let contents = open_ticket(&ticket, &self.ticket_keys, now)?;
        let policy = contents.policy();
        let stands_in = || self.policy.may_stand_in(resolver, policy, now);
        if !policy.allows_recipient(resolver) && !stands_in() {
            return Err(TicketError::WrongRecipient);
        }
        if !self.policy.may_resolve(resolver, policy, now) {
            return Err(TicketError::NotAuthorised);
        }
        check_initiator_data(&ticket, policy, contents.mpk_r())?;
        let rand_kms = policy.flags().forking.then(|| {
            let mut rand = alloc::vec![0; strength.key_len()];
            rng.fill_bytes(&mut rand);
            rand
        });
        Ok((contents, rand_kms))
    }

    /// Time, names and MAC of an initial message; gives back who sent it.
    fn authenticate(
        &self,
        received: &Received<'_>,
        role: IdRole,
        rands: Rands<'_>,
        now: Timestamp,
    ) -> Result<Identity, TicketError> {
        received.check_empty_map()?;
        received.check_time(self.window, now)?;
        if received
            .id(IdRole::Kms)
            .is_some_and(|kms| kms != self.identity)
        {
            return Err(TicketError::UnknownIdentity);
        }
        let missing = TicketError::MissingPayload(PayloadType::Idr);
        let sender = received.id(role).ok_or(missing)?;
        let keys = self.keys(received, &sender, TicketMessage::Initial, rands)?;
        received.verify(&keys, &[sender.data(), self.identity.data()])?;
        Ok(sender)
    }

    fn keys(
        &self,
        received: &Received<'_>,
        sender: &Identity,
        message: TicketMessage,
        rands: Rands<'_>,
    ) -> Result<MessageKeys, TicketError> {
        let named = received.id(IdRole::PreSharedKey);
        let owner = match &named {
            Some(psk) if self.policy.owns_key(sender, psk) => psk,
            Some(_) => return Err(TicketError::UnknownIdentity),
            None => sender,
        };
        psk_keys(
            &self.subscribers,
            owner,
            received.strength(),
            message,
            received.header().csb_id(),
            rands,
        )
    }

    fn failed(
        &self,
        error: TicketError,
        received: &Received<'_>,
        sender: &Identity,
        rands: Rands<'_>,
    ) -> Failed {
        let keys = self.keys(received, sender, TicketMessage::Initial, rands);
        Failed {
            error,
            keys: keys.ok().map(Box::new),
        }
    }
}

/// Keys of a message between a user and its KMS ([RFC 6043 §5.1.2]).
///
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
pub(crate) fn psk_keys(
    psk: &impl PreSharedKeys,
    peer: &Identity,
    strength: Strength,
    message: TicketMessage,
    csb_id: u32,
    rands: Rands<'_>,
) -> Result<MessageKeys, TicketError> {
    MessageKeys::derive(
        strength.suite(),
        |key| Label::ticket_message_key(key, message, csb_id, rands),
        |label, out| Ok(psk.prf(peer, strength.prf(), label, out)?),
    )
}

/// Whether the Initiator that asked for the ticket sent it in this message
/// ([RFC 6043 §4.2.3.4](https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.4)).
fn check_initiator_data(
    ticket: &Ticket<'_>,
    policy: &Policy,
    mpk_r: &Secret,
) -> Result<(), TicketError> {
    let data = match (ticket.initiator_data(), policy.flags().forking) {
        (Some(data), true) => data,
        (None, false) => return Ok(()),
        (None, true) => return Err(TicketError::MissingPayload(PayloadType::V)),
        (Some(_), false) => return Err(TicketError::UnexpectedPayload(PayloadType::V)),
    };
    let (vi, vr) = data
        .macs()
        .ok_or(TicketError::MissingPayload(PayloadType::V))?;
    for mac in [vi, vr] {
        VerificationMac::of(mikey::payload::Verification::new(mac), policy.strength())?;
    }
    let keys = initiator_data_keys(policy.strength(), mpk_r)?;
    Ok(keys.verify(&[&data.covered()?], vr.octets())?)
}

fn answer_to(
    header: &Header<'_>,
    data_type: DataType,
) -> Result<Header<'static>, mikey::EncodeError> {
    Header::new(data_type, header.prf_func(), header.csb_id(), CsIdMap::NONE)
}
