use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, ErrorNo, IdRole};
use mikey::derive::{MessageKeys, TicketMessage};
use mikey::payload::{Payload, Ticket};
use mikey::{Credentials, Identity, PreSharedKeys, ReplayCache, Timestamp};
use rand_core::CryptoRng;

use super::authentication::Authentic;
use super::{AuditEvent, Kms, KmsPolicy, KmsReply};
use crate::message::{RULES, Resolved, answer_time, error_report};
use crate::query::{Query, Sent};
use crate::{Policy, Refusal, Rejected, Strength, TicketError, TicketKeys};

/// A ticket of another KMS, to be resolved there for a user of this one ([RFC 6043 §10]).
///
/// Send [`message`](Self::message) to [`kms`](Self::kms), and give what comes back to
/// [`Kms::accept`]; if nothing does, [`Kms::refuse`].
///
/// ```
/// use mikey::code_points::DataType;
/// use mikey::derive::Secret;
/// use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, Message, SkewWindow, Timestamp};
/// use mikey_ticket::{
///     InMemoryTicketKeys, Initiator, Kms, KmsPolicy, Offer, Policy, Recipient, KmsReply, Responder,
///     Strength, TicketError,
/// };
///
/// struct Operator;
///
/// impl KmsPolicy for Operator {
///     fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
///         Some(asked.clone())
///     }
///     fn is_partner(&self, identity: &Identity) -> bool {
///         identity.data().starts_with(b"sip:kms.")
///     }
///     fn is_user_of(&self, kms: &Identity, user: &Identity) -> bool {
///         let domain = kms.data().strip_prefix(b"sip:kms.").unwrap_or_default();
///         let host = user.data().rsplit(|octet| *octet == b'@').next();
///         host == Some(domain)
///     }
/// }
///
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// # let now = Timestamp::from_unix(1_800_000_000, 0);
/// let (alice, bob) = (Identity::uri("sip:alice@example.com")?, Identity::uri("sip:bob@example.org")?);
/// let (com, org) = (Identity::uri("sip:kms.example.com")?, Identity::uri("sip:kms.example.org")?);
/// let share = |peer: &Identity, octet| {
///     let mut keys = InMemoryKeys::new();
///     keys.insert(peer.clone(), Secret::new(&[octet; 16])?);
///     Ok::<_, TicketError>(keys)
/// };
/// let (mut at_com, mut at_org) = (share(&alice, 1)?, share(&bob, 2)?);
/// at_com.insert(org.clone(), Secret::new(&[3; 16])?);
/// at_org.insert(com.clone(), Secret::new(&[3; 16])?);
/// let mut tpks = InMemoryTicketKeys::new();
/// tpks.insert(b"1", Strength::Bits128, Secret::new(&[4; 16])?, now, now.plus_seconds(60));
/// let replay = || InMemoryReplayCache::new(100, SkewWindow::default());
/// let mut com_kms = Kms::new(com.clone(), at_com, tpks, Operator, replay());
/// let mut org_kms = Kms::new(org.clone(), at_org, InMemoryTicketKeys::new(), Operator, replay());
///
/// let policy = Policy::new(Strength::Bits128, Policy::FORKED, vec![Recipient::new(bob.clone())])?;
/// let initiator = Initiator::new(alice, com.clone());
/// let (pending, request) = initiator.request(&policy, &share(&com, 1)?, now, &mut rng)?;
/// let mut ticket = pending.accept(&com_kms.handle(&request, now, &mut rng)?, now)?;
/// let (_, transfer_init) = ticket.transfer(&Offer::new(&bob, &[]), now, &mut rng)?;
///
/// // Bob knows nothing but his own KMS.
/// let incoming = Responder::new(bob, org.clone()).receive(&transfer_init, now)?;
/// let (resolving, resolve) = incoming.resolve(&share(&org, 2)?, now, &mut rng)?;
/// let KmsReply::Relay(relay) = org_kms.handle_or_relay(&resolve, now, &mut rng)? else {
///     return Err(TicketError::Mismatch);
/// };
/// assert_eq!(relay.kms(), &com);
/// let answer = com_kms.handle(relay.message(), now, &mut rng)?;
/// let resolved = org_kms.accept(*relay, &answer, now, &mut rng)?;
/// assert_eq!(Message::decode(&resolved)?.header().data_type(), DataType::ResolveResp);
/// assert!(resolving.accept(&resolved, now, &mut replay()).is_ok());
/// # Ok::<(), TicketError>(())
/// ```
///
/// [RFC 6043 §10]: https://www.rfc-editor.org/rfc/rfc6043#section-10
pub struct Relay {
    kms: Identity,
    resolver: Identity,
    strength: Strength,
    forking: bool,
    /// RESOLVE_INIT of the user, and the keys of what it is told.
    asked: Vec<u8>,
    initial: MessageKeys,
    response: MessageKeys,
    sent: Sent,
}

impl Relay {
    /// The KMS to ask.
    #[must_use]
    pub const fn kms(&self) -> &Identity {
        &self.kms
    }

    /// The user of this KMS for whom it is.
    #[must_use]
    pub const fn resolver(&self) -> &Identity {
        &self.resolver
    }

    /// RESOLVE_INIT for that KMS.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.sent.octets
    }

    fn answer<R: CryptoRng + ?Sized>(
        &self,
        message: &[u8],
        own: &Identity,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, TicketError> {
        let Self {
            kms,
            strength,
            forking,
            ..
        } = self;
        let resolved = Resolved::read(message, &self.sent, kms, *strength, *forking)?;
        let named = resolved.identity.as_ref();
        if named.is_some_and(|identity| *identity != self.resolver) {
            return Err(TicketError::Mismatch);
        }
        let asked = RULES.decode(&self.asked)?;
        let time = answer_time(now, rng);
        resolved.write(&self.asked, asked.header(), own, &self.response, time)
    }

    /// What the operator is told of it.
    fn event(&self, outcome: Result<(), TicketError>) -> AuditEvent {
        AuditEvent {
            message: Some(DataType::ResolveResp),
            sender: Some(self.resolver.clone()),
            partner: Some(self.kms.clone()),
            outcome,
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("kms", &self.kms)
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}

impl<S, T, P, C, K> Kms<S, T, P, C, K>
where
    S: PreSharedKeys,
    T: TicketKeys,
    P: KmsPolicy,
    C: ReplayCache,
    K: Credentials,
{
    /// Takes the RESOLVE_RESP of the KMS that was asked, and answers the user with what it says: keys
    /// that the other KMS has forked, under those of the user's own message.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the relay, which goes on waiting, and with the reason: the answer is forged,
    /// belongs to something else or to another user, or is an Error message.
    pub fn accept<R: CryptoRng + ?Sized>(
        &self,
        relay: Relay,
        message: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, Rejected<Relay>> {
        let answer = relay.answer(message, &self.identity, now, rng);
        let outcome = answer.as_ref().map(|_| ()).map_err(|error| *error);
        self.policy.audit(&relay.event(outcome));
        answer.map_err(|error| Rejected::new(error, relay))
    }

    /// Gives up, and tells the user why: `error` is that of [`accept`](Self::accept), or
    /// [`TicketError::Unresolved`] if there was no answer.
    ///
    /// What the other KMS complains of is passed on if it is proven to have said so.
    pub fn refuse(&self, relay: Relay, error: TicketError, now: Timestamp) -> Refusal {
        self.policy.audit(&relay.event(Err(error)));
        let error_no = match error {
            TicketError::PeerError {
                error_no,
                authenticated: true,
            } => error_no,
            TicketError::ForeignTicket => ErrorNo::InvalidTicket,
            _ => ErrorNo::Unspecified,
        };
        let Relay { asked, initial, .. } = relay;
        let message = RULES
            .decode(&asked)
            .ok()
            .and_then(|asked| error_report(&asked, error_no, Some(&initial), None, now));
        Refusal::new(error, message)
    }

    /// RESOLVE_INIT to `issuer`, with IDRr and TICKET of the user's, under what the two KMSs share:
    /// a key, or else their public keys.
    pub(super) fn relay<R: CryptoRng + ?Sized>(
        &mut self,
        init: &Authentic<'_>,
        ticket: &Ticket<'_>,
        issuer: Identity,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<KmsReply, TicketError> {
        let claimed = Policy::from_payload(ticket.policy())?;
        claimed.check_time(now)?;
        let resolver = &init.user;
        // A KMS vouches for its own users alone: else it could let anyone seem to call.
        let theirs = |user| self.policy.is_user_of(&issuer, user);
        if !self.policy.is_partner(&issuer)
            || !claimed.initiator().is_some_and(theirs)
            || !self.policy.may_relay_to(&issuer, resolver, &claimed, now)
        {
            return Err(TicketError::NotAuthorised);
        }
        let server = init.received.id(self.diverting_server);
        let diversion: Vec<_> = server
            .iter()
            .map(|server| (self.diverting_server, server))
            .collect();
        let mut query = Query {
            sender: (IdRole::Responder, resolver),
            kms: &issuer,
            strength: init.strength(),
            content: Payload::Ticket(*ticket),
            further: diversion,
        };
        let own = &self.identity;
        let sent = match query.by_psk(&self.subscribers, Some(own), now, rng) {
            Err(TicketError::UnknownIdentity) => {
                query.further.push((IdRole::ResponderKms, own));
                query.by_public_key(&self.credentials, None, now, rng)?
            }
            sent => sent?,
        };
        let (initial, response) = (
            self.keys(init, TicketMessage::Initial)?,
            self.keys(init, TicketMessage::Response)?,
        );
        let relay = Relay {
            resolver: resolver.clone(),
            strength: init.strength(),
            forking: claimed.flags().forking,
            asked: init.octets.to_vec(),
            initial,
            response,
            sent,
            kms: issuer,
        };
        self.remember(init, now)?;
        Ok(KmsReply::Relay(Box::new(relay)))
    }
}
