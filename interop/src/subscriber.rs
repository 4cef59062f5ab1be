//! A user with a MIKEY-TICKET key management service: asks it for tickets, and has it resolve those
//! that come ([RFC 6043 §4.2]).
//!
//! [RFC 6043 §4.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2

use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache};
use mikey_ticket::profile::{
    key_transport::{ContentKeySender, IncomingContentKey},
    psk_mime,
};
use mikey_ticket::{
    DeferredReplayCache, GrantedTicket, Initiator, Policy, Recipient, Refusal, Responder, Strength,
    TicketError, VerifiedTransfer,
};
use smime_psk::{
    AuthEnvelopedData, Encoding, OpenError, OpenPolicy, Opened, ProofOfOrigin, SealError,
    SealPolicy,
};

use crate::kms::{self, Node, NodeError, Subscribers, WINDOW};

/// Messages that a user remembers.
const REPLAY_CAPACITY: usize = 1000;

/// A ticket was not had, or not resolved.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SubscriberError {
    /// The message that came is refused; the Error message for its sender is inside.
    #[error("{0}")]
    Declined(Refusal),
    /// No node of the service answers: what the last one said.
    #[error("{0}")]
    Kms(#[from] NodeError),
    /// A protected message is not for this user.
    #[error("the message is for others")]
    ForOthers,
    /// The user has no node to ask.
    #[error("no KMS is known")]
    NoNode,
    /// The user is no subscriber of the service.
    #[error("{0:?} is no subscriber of the KMS")]
    NoSubscriber(Identity),
    /// A protected message is not opened.
    #[error("message not opened: {0}")]
    Open(#[from] OpenError),
    /// A message is not protected.
    #[error("message not sealed: {0}")]
    Seal(#[from] SealError),
    /// The exchange does not go on.
    #[error("{0}")]
    Ticket(#[from] TicketError),
}

/// Protects a MIME entity for `recipients` under a ticket that they may resolve.
///
/// # Errors
///
/// [`SubscriberError::Seal`] for a recipient that the ticket does not name, or a proof of origin
/// that it does not allow.
pub fn seal(
    entity: &[u8],
    ticket: &mut GrantedTicket,
    recipients: &[Identity],
    proof: ProofOfOrigin,
) -> Result<Vec<u8>, SubscriberError> {
    let mut transport = ContentKeySender::new(ticket, recipients, kms::now());
    let policy = SealPolicy::default().proof_of_origin(proof);
    let sealed = smime_psk::seal(entity, &mut transport, &policy, &mut UnwrapErr(SysRng));
    Ok(sealed?)
}

/// A user, what it shares with the service, and the nodes that it knows.
#[derive(Debug)]
pub struct Subscriber {
    identity: Identity,
    kms: Identity,
    keys: InMemoryKeys,
    nodes: Vec<Node>,
    replay: InMemoryReplayCache,
    opened: DeferredReplayCache,
    stands_in_for: Option<Identity>,
}

impl Subscriber {
    /// The subscriber with this URI, who asks `nodes` in this order.
    ///
    /// # Errors
    ///
    /// [`SubscriberError::NoSubscriber`] if the service knows no such user.
    pub fn new(
        uri: &str,
        subscribers: &Subscribers,
        nodes: &[Node],
    ) -> Result<Self, SubscriberError> {
        let identity = Identity::uri(uri).map_err(TicketError::from)?;
        let kms = kms::identity().map_err(TicketError::from)?;
        let keys = subscribers.keys_of(&identity, &kms);
        let keys = keys.ok_or_else(|| SubscriberError::NoSubscriber(identity.clone()))?;
        Ok(Self {
            identity,
            kms,
            keys,
            nodes: nodes.to_vec(),
            replay: InMemoryReplayCache::new(REPLAY_CAPACITY, WINDOW),
            opened: DeferredReplayCache::new(REPLAY_CAPACITY),
            stands_in_for: None,
        })
    }

    /// Remembers that many protected messages.
    #[must_use]
    pub fn remembering(mut self, messages: usize) -> Self {
        self.opened = DeferredReplayCache::new(messages);
        self
    }

    /// Also takes what names `identity`, by leave of the service: a focus for its conference factory
    /// (TR 33.829 §5.3.3.3).
    #[must_use]
    pub fn standing_in_for(mut self, identity: Identity) -> Self {
        self.stands_in_for = Some(identity);
        self
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Asks for a ticket: REQUEST_INIT_PSK and its answer.
    ///
    /// # Errors
    ///
    /// [`SubscriberError`] if no node answers, or the service refuses.
    pub fn request(&self, policy: &Policy) -> Result<GrantedTicket, SubscriberError> {
        let user = Initiator::new(self.identity.clone(), self.kms.clone());
        self.ask(|node| {
            let (now, mut rng) = (kms::now(), UnwrapErr(SysRng));
            let (pending, request) = user.request(policy, &self.keys, now, &mut rng)?;
            let response = node.ask(&request)?;
            Ok(pending
                .accept(&response, kms::now())
                .map_err(TicketError::from)?)
        })
    }

    /// Takes a TRANSFER_INIT: looks at it, has its ticket resolved, and verifies it.
    ///
    /// # Errors
    ///
    /// [`SubscriberError::Declined`] for one that is not for this user, with the answer for its
    /// sender; others if no node answers, the service refuses, or the message is forged.
    pub fn receive(&mut self, transfer_init: &[u8]) -> Result<VerifiedTransfer, SubscriberError> {
        let mut user =
            Responder::new(self.identity.clone(), self.kms.clone()).with_window(Some(WINDOW));
        if let Some(identity) = &self.stands_in_for {
            user = user.standing_in_for(identity.clone());
        }
        let incoming = || {
            user.receive(transfer_init, kms::now())
                .map_err(SubscriberError::Declined)
        };
        let (resolving, response) = self.ask(|node| {
            let (now, mut rng) = (kms::now(), UnwrapErr(SysRng));
            let (resolving, resolve) = incoming()?.resolve(&self.keys, now, &mut rng)?;
            Ok((resolving, node.ask(&resolve)?))
        })?;
        let verified = resolving.accept(&response, kms::now(), &mut self.replay);
        Ok(verified.map_err(TicketError::from)?)
    }

    /// Asks for a ticket for protected messages to `recipients`, for as many as there may be
    /// (TR 33.829 §8.3.1.1.1).
    ///
    /// # Errors
    ///
    /// As of [`request`](Self::request).
    pub fn message_ticket(
        &self,
        recipients: &[Identity],
        proof: ProofOfOrigin,
    ) -> Result<GrantedTicket, SubscriberError> {
        let recipients = recipients.iter().cloned().map(Recipient::new).collect();
        let proven = proof != ProofOfOrigin::None;
        let policy = psk_mime::policy(Strength::Bits256, recipients, proven)?;
        let mut flags = policy.flags();
        flags.reusable = true;
        self.request(&policy.with_flags(flags).map_err(TicketError::from)?)
    }

    /// Opens a protected message, however old, once (TR 33.829 §8.3.1.1.2).
    ///
    /// # Errors
    ///
    /// [`SubscriberError::ForOthers`], [`SubscriberError::Open`] for one that was changed, opened
    /// before, or lacks the proof of origin; others if the service does not resolve its ticket.
    pub fn open(&mut self, cms: &[u8], proof: ProofOfOrigin) -> Result<Opened, SubscriberError> {
        let message = AuthEnvelopedData::parse(cms, Encoding::Der).map_err(OpenError::from)?;
        let user = Responder::new(self.identity.clone(), self.kms.clone()).with_window(None);
        let (resolving, response) = self.ask(|node| {
            let (now, mut rng) = (kms::now(), UnwrapErr(SysRng));
            let found = IncomingContentKey::find(message.recipient_infos(), &user, now)?;
            let found = found.ok_or(SubscriberError::ForOthers)?;
            let (resolving, resolve) = found.resolve(&self.keys, now, &mut rng)?;
            Ok((resolving, node.ask(&resolve)?))
        })?;
        let key = resolving.accept(&response, kms::now(), &mut self.opened);
        let mut key = key.map_err(TicketError::from)?;
        let policy = OpenPolicy::default().proof_of_origin(proof);
        Ok(message.open(&mut key, &policy)?)
    }

    /// One exchange with the first node that answers. A node that fails has perhaps taken the
    /// message: the next one gets another.
    fn ask<T>(
        &self,
        exchange: impl Fn(&Node) -> Result<T, SubscriberError>,
    ) -> Result<T, SubscriberError> {
        let mut outcome = Err(SubscriberError::NoNode);
        for node in &self.nodes {
            outcome = exchange(node);
            if !matches!(outcome, Err(SubscriberError::Kms(_))) {
                break;
            }
        }
        outcome
    }
}
