use mikey::code_points::{DataType, IdRole};
use mikey::payload::Payload;
use mikey::{Identity, Message, Timestamp};

use crate::{Policy, Recipient, TicketError};

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

    /// Asks whether calls for `diversion.desired` are diverted to `diversion.diverted_to`
    /// (TR 33.829 §9.3.2.2): that AS, or whatever else the operator knows of diversions.
    ///
    /// Called where the ticket does not name the resolver, [`may_stand_in`](Self::may_stand_in) says
    /// no, and the resolver names an AS.
    ///
    /// # Security
    ///
    /// The resolver alone says which AS it is. Ask only one that is known to serve the desired user:
    /// any other may belong to the resolver.
    fn is_diverted(&self, diversion: &Diversion<'_>, now: Timestamp) -> bool {
        let _ = (diversion, now);
        false
    }

    /// Whether `identity` is another KMS that this one works with ([RFC 6043 §10]). It is never a
    /// user: it cannot ask for tickets, nor resolve them for itself.
    ///
    /// [RFC 6043 §10]: https://www.rfc-editor.org/rfc/rfc6043#section-10
    fn is_partner(&self, identity: &Identity) -> bool {
        let _ = identity;
        false
    }

    /// Whether `user` is a user of the partner `kms`, by its domain.
    ///
    /// Asked in both directions: of one for whom `kms` resolves a ticket of this KMS, and of the
    /// Initiator whom a ticket of `kms` names to a user of this KMS.
    ///
    /// # Security
    ///
    /// For everyone that is answered yes for, `kms` may get keys, and may pose as them. Keep to its
    /// own domains.
    fn is_user_of(&self, kms: &Identity, user: &Identity) -> bool {
        let _ = (kms, user);
        false
    }

    /// Whether a ticket that the partner `kms` has issued to one of its users may be resolved there
    /// for our `resolver`.
    ///
    /// What else `claimed` says is not verified: the partner does that.
    fn may_relay_to(
        &self,
        kms: &Identity,
        resolver: &Identity,
        claimed: &Policy,
        now: Timestamp,
    ) -> bool {
        let _ = (kms, resolver, claimed, now);
        true
    }
}

/// Who has diverted which call to whom (TR 33.829 §9.3.2.2): what [`KmsPolicy::is_diverted`] is asked.
///
/// ```
/// use mikey::{Identity, Timestamp};
/// use mikey_ticket::{Diversion, KmsPolicy, Policy};
///
/// /// Calls for Bob are diverted by one AS, to his assistant.
/// struct Operator {
///     server: Identity,
///     assistant: Identity,
/// }
///
/// impl KmsPolicy for Operator {
///     fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
///         Some(asked.clone())
///     }
///
///     fn is_diverted(&self, diversion: &Diversion<'_>, _: Timestamp) -> bool {
///         let for_bob = |recipient: &mikey_ticket::Recipient| {
///             recipient.pattern().data() == b"sip:bob@example.com"
///         };
///         *diversion.server == self.server
///             && diversion.desired.iter().any(for_bob)
///             && *diversion.diverted_to == self.assistant
///     }
/// }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Diversion<'a> {
    /// ID-AS: the AS that diverted the call, by the word of the resolver alone.
    pub server: &'a Identity,
    /// ID-A: who called, by the ticket.
    pub initiator: &'a Identity,
    /// ID-B: who was called, by the ticket.
    pub desired: &'a [Recipient],
    /// ID-C: who wants to answer; authenticated.
    pub diverted_to: &'a Identity,
}

/// What a KMS has done about one message, for the operator's log. No secrets.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// The message; `None` if it was none.
    pub message: Option<DataType>,
    /// Who sent it: authenticated if there is an answer, else only claimed.
    pub sender: Option<Identity>,
    /// The other KMS, where one relays ([RFC 6043 §10]): the one that asks, or the one that is asked.
    ///
    /// [RFC 6043 §10]: https://www.rfc-editor.org/rfc/rfc6043#section-10
    pub partner: Option<Identity>,
    /// Whether it was answered or relayed, or why it was refused. To an envelope that does not open
    /// there is an answer that nobody can read, and here an error.
    pub outcome: Result<(), TicketError>,
}

impl AuditEvent {
    pub(super) fn of(
        message: Option<&Message<'_>>,
        partner: Option<Identity>,
        outcome: Result<(), TicketError>,
    ) -> Self {
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
            partner,
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
