mod authentication;
mod policy;
mod relay;
mod request;
mod resolve;

use alloc::boxed::Box;
use alloc::vec::Vec;

use mikey::code_points::{DataType, IdRole};
use mikey::derive::{MessageKeys, TicketMessage};
use mikey::{Credentials, Identity, PreSharedKeys, ReplayCache, SkewWindow, Timestamp};
use rand_core::CryptoRng;

use crate::message::{RULES, error_for, error_message};
use crate::{Refusal, TicketError, TicketKeys};

pub use authentication::NoCredentials;
pub use policy::{AuditEvent, Diversion, GrantAsAsked, KmsPolicy};
pub use relay::Relay;

/// ID Role of the AS that has diverted a call, ID-AS (TR 33.829 §9.3.2.2), which has no number of its
/// own: a value from the range for private use.
pub const DIVERTING_SERVER: IdRole = IdRole::Unknown(240);

/// A key management service: tickets on request, keys for whom a ticket names
/// ([RFC 6043 §4.2.1], [§4.2.3]).
///
/// It keeps nothing of a ticket. Nodes that share TPKs and subscriber keys serve one another's
/// tickets; what each keeps for itself is a replay cache, whose size is bounded.
///
/// Users authenticate by keys that they share with it, or by signatures if it has
/// [credentials](Self::with_credentials).
///
/// The crate's own example runs all six messages.
///
/// # Security
///
/// A message that is replayed to another node than the one that answered it, or to one that has lost
/// its cache in a restart, is answered once more, to the same user. Share a [`ReplayCache`] between
/// nodes where that matters.
///
/// [RFC 6043 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1
/// [§4.2.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3
#[derive(Debug)]
pub struct Kms<S, T, P, C, K = NoCredentials> {
    identity: Identity,
    subscribers: S,
    ticket_keys: T,
    policy: P,
    replay: C,
    window: SkewWindow,
    credentials: K,
    diverting_server: IdRole,
}

/// What a KMS does with a message that it accepts; [`Relay`] has an example of both.
#[allow(
    clippy::exhaustive_enums,
    reason = "a ticket is of this KMS or of another"
)]
#[derive(Debug)]
pub enum KmsReply {
    /// REQUEST_RESP or RESOLVE_RESP, for the one who sent the message.
    Answer(Vec<u8>),
    /// The ticket is of another KMS, which has to be asked first ([RFC 6043 §10]).
    ///
    /// [RFC 6043 §10]: https://www.rfc-editor.org/rfc/rfc6043#section-10
    Relay(Box<Relay>),
}

/// A reply, and what the operator is told of it.
struct Done {
    reply: KmsReply,
    partner: Option<Identity>,
    outcome: Result<(), TicketError>,
}

/// An error, and the keys to authenticate its message with, once the peer is.
struct Failed {
    error: TicketError,
    partner: Option<Identity>,
    keys: Option<Box<MessageKeys>>,
}

impl From<TicketError> for Failed {
    fn from(error: TicketError) -> Self {
        Self {
            error,
            partner: None,
            keys: None,
        }
    }
}

impl<S, T, P, C> Kms<S, T, P, C> {
    /// A KMS of the name `identity`, with the keys that it shares with its subscribers and with other
    /// KMSs, by their identities.
    pub fn new(identity: Identity, subscribers: S, ticket_keys: T, policy: P, replay: C) -> Self {
        Self {
            identity,
            subscribers,
            ticket_keys,
            policy,
            replay,
            window: SkewWindow::default(),
            credentials: NoCredentials,
            diverting_server: DIVERTING_SERVER,
        }
    }
}

impl<S, T, P, C, K> Kms<S, T, P, C, K> {
    /// Also takes messages that are signed, with an envelope key for `credentials`:
    /// REQUEST_INIT_PK and RESOLVE_INIT_PK ([RFC 6043 §4.2.1.3], [§4.2.3.3]).
    ///
    /// [RFC 6043 §4.2.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.3
    /// [§4.2.3.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.3
    pub fn with_credentials<K2>(self, credentials: K2) -> Kms<S, T, P, C, K2> {
        Kms {
            identity: self.identity,
            subscribers: self.subscribers,
            ticket_keys: self.ticket_keys,
            policy: self.policy,
            replay: self.replay,
            window: self.window,
            credentials,
            diverting_server: self.diverting_server,
        }
    }

    /// Takes messages of this age.
    #[must_use]
    pub const fn with_window(mut self, window: SkewWindow) -> Self {
        self.window = window;
        self
    }

    /// Reads ID-AS under this role, in place of [`DIVERTING_SERVER`].
    #[must_use]
    pub const fn with_diverting_server(mut self, role: IdRole) -> Self {
        self.diverting_server = role;
        self
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
    /// Answers REQUEST_INIT and RESOLVE_INIT, the latter for its own tickets alone.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the Error message to answer with, which is authenticated where the peer is.
    /// The KMS is unchanged then, but for its replay cache: a signed message counts as seen before
    /// its envelope is opened, so that it can cost the private key one operation at most.
    pub fn handle<R: CryptoRng + ?Sized>(
        &mut self,
        message: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        match self.reply(message, false, now, rng)? {
            KmsReply::Answer(answer) => Ok(answer),
            KmsReply::Relay(relay) => Err(self.refuse(*relay, TicketError::ForeignTicket, now)),
        }
    }

    /// As [`handle`](Self::handle), and lets tickets of other KMSs be resolved there, as far as the
    /// [policy](KmsPolicy::may_relay_to) allows ([RFC 6043 §10]).
    ///
    /// # Errors
    ///
    /// As of [`handle`](Self::handle).
    ///
    /// [RFC 6043 §10]: https://www.rfc-editor.org/rfc/rfc6043#section-10
    pub fn handle_or_relay<R: CryptoRng + ?Sized>(
        &mut self,
        message: &[u8],
        now: Timestamp,
        rng: &mut R,
    ) -> Result<KmsReply, Refusal> {
        self.reply(message, true, now, rng)
    }

    fn reply<R: CryptoRng + ?Sized>(
        &mut self,
        octets: &[u8],
        relaying: bool,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<KmsReply, Refusal> {
        let decoded = RULES.decode(octets);
        let done = match &decoded {
            Err(error) => Err(TicketError::from(*error).into()),
            Ok(message) => {
                let data_type = message.header().data_type();
                self.dispatch(octets, data_type, relaying, now, rng)
            }
        };
        let (partner, outcome) = match &done {
            Ok(done) => (&done.partner, done.outcome),
            Err(failed) => (&failed.partner, Err(failed.error)),
        };
        let message = decoded.as_ref().ok();
        self.policy
            .audit(&AuditEvent::of(message, partner.clone(), outcome));
        match done {
            Ok(done) => Ok(done.reply),
            Err(Failed { error, keys, .. }) => {
                let reply = match (keys, message) {
                    (Some(keys), Some(decoded)) => {
                        error_message(decoded, error, Some(&keys), None, now)
                    }
                    _ => error_for(octets, error, now),
                };
                Err(Refusal::new(error, reply))
            }
        }
    }

    fn dispatch<R: CryptoRng + ?Sized>(
        &mut self,
        octets: &[u8],
        data_type: DataType,
        relaying: bool,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Done, Failed> {
        use DataType::{RequestInitPk, RequestInitPsk, ResolveInitPk, ResolveInitPsk};
        let role = match data_type {
            RequestInitPsk | RequestInitPk => IdRole::Initiator,
            ResolveInitPsk | ResolveInitPk => IdRole::Responder,
            other => return Err(TicketError::UnsupportedDataType(other).into()),
        };
        let init = self.authenticate(octets, data_type, role, now, rng)?;
        let reply = match role {
            IdRole::Initiator => self.request(&init, now, rng).map(KmsReply::Answer),
            _ => self.resolve(&init, relaying, now, rng),
        };
        match reply {
            Ok(reply) => {
                let outcome = init.outcome();
                let partner = match &reply {
                    KmsReply::Answer(_) => init.into_partner(),
                    KmsReply::Relay(relay) => Some(relay.kms().clone()),
                };
                Ok(Done {
                    reply,
                    partner,
                    outcome,
                })
            }
            Err(error) => {
                let keys = self.keys(&init, TicketMessage::Initial);
                Err(Failed {
                    error,
                    partner: init.into_partner(),
                    keys: keys.ok().map(Box::new),
                })
            }
        }
    }
}
