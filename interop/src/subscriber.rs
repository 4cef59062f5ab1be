//! A user with a MIKEY-TICKET key management service: asks it for tickets, and has it resolve those
//! that come ([RFC 6043 §4.2]).
//!
//! [RFC 6043 §4.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2

use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache};
use mikey_ticket::{
    GrantedTicket, Initiator, Policy, Refusal, Responder, TicketError, VerifiedTransfer,
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
    /// The user has no node to ask.
    #[error("no KMS is known")]
    NoNode,
    /// The user is no subscriber of the service.
    #[error("{0:?} is no subscriber of the KMS")]
    NoSubscriber(Identity),
    /// The exchange does not go on.
    #[error("{0}")]
    Ticket(#[from] TicketError),
}

/// A user, what it shares with the service, and the nodes that it knows.
#[derive(Debug)]
pub struct Subscriber {
    identity: Identity,
    kms: Identity,
    keys: InMemoryKeys,
    nodes: Vec<Node>,
    replay: InMemoryReplayCache,
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
        })
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
        let user =
            Responder::new(self.identity.clone(), self.kms.clone()).with_window(Some(WINDOW));
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
