//! The content key of an S/MIME message in a TRANSFER_INIT: [`smime_psk::KeyTransport`] over
//! MIKEY-TICKET (TR 33.829 annexes B.3, E, F).
//!
//! A sender gives [`ContentKeySender`] to [`smime_psk::seal`]. A recipient finds the TRANSFER_INIT
//! that is for it with [`IncomingContentKey::find`], has the KMS resolve the ticket, and opens with
//! the [`ContentKeyReceiver`] that comes of it:
//!
//! ```
//! # use mikey::derive::Secret;
//! # use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
//! # use mikey_ticket::{GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, Recipient, Strength};
//! use mikey_ticket::profile::key_transport::{ContentKeySender, IncomingContentKey};
//! use mikey_ticket::{DeferredReplayCache, Responder, profile::psk_mime};
//! use smime_psk::{AuthEnvelopedData, Encoding, OpenPolicy, SealPolicy};
//!
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! # let now = Timestamp::from_unix(1_800_000_000, 0);
//! # let alice = Identity::uri("sip:alice@example.com")?;
//! # let bob = Identity::uri("sip:bob@example.com")?;
//! # let kms_id = Identity::uri("sip:kms.example.com")?;
//! # let (mut subscribers, mut of_alice, mut of_bob) =
//! #     (InMemoryKeys::new(), InMemoryKeys::new(), InMemoryKeys::new());
//! # for (user, keys) in [(&alice, &mut of_alice), (&bob, &mut of_bob)] {
//! #     let key = Secret::random(32, &mut rng)?;
//! #     keys.insert(kms_id.clone(), key.duplicate());
//! #     subscribers.insert(user.clone(), key);
//! # }
//! # let mut tpks = InMemoryTicketKeys::new();
//! # let day = now.plus_seconds(86_400);
//! # tpks.insert(b"tpk 1", Strength::Bits128, Secret::random(16, &mut rng)?, now, day);
//! # let replay = InMemoryReplayCache::new(1000, SkewWindow::default());
//! # let mut kms = Kms::new(kms_id.clone(), subscribers, tpks, GrantAsAsked, replay);
//! // Alice has a ticket for Bob, and seals.
//! let policy = psk_mime::policy(Strength::Bits128, vec![Recipient::new(bob.clone())], false)?;
//! # let alice = Initiator::new(alice.clone(), kms_id.clone());
//! let (pending, request) = alice.request(&policy, &of_alice, now, &mut rng)?;
//! let mut ticket = pending.accept(&kms.handle(&request, now, &mut rng)?, now)?;
//! let recipients = [bob.clone()];
//! let mut to_bob = ContentKeySender::new(&mut ticket, &recipients, now);
//! let sealed = smime_psk::seal(b"hi", &mut to_bob, &SealPolicy::default(), &mut rng)?;
//!
//! // Bob was away for an hour.
//! let (now, mut seen) = (now.plus_seconds(3600), DeferredReplayCache::new(1000));
//! let user = Responder::new(bob, kms_id).with_window(None);
//! let message = AuthEnvelopedData::parse(&sealed, Encoding::Der)?;
//! let found = IncomingContentKey::find(message.recipient_infos(), &user, now)?.ok_or("none")?;
//! let (resolving, resolve) = found.resolve(&of_bob, now, &mut rng)?;
//! let response = kms.handle(&resolve, now, &mut rng)?;
//! let mut key = resolving.accept(&response, now, &mut seen)?;
//! let opened = message.open(&mut key, &OpenPolicy::default())?;
//! assert_eq!(opened.content(), b"hi");
//! assert_eq!(opened.sender(), Some("sip:alice@example.com"));
//!
//! // What was opened once is not opened again.
//! assert!(message.open(&mut key, &OpenPolicy::default()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, IdType, ThreeGppCodePoints};
use mikey::derive::Secret;
use mikey::{Identity, PreSharedKeys, ReplayCache, ReplayError, SeenMessage, Timestamp};
use rand_core::CryptoRng;
use smime_psk::{
    KeyTransport, Oid, OtherRecipientInfo, RecipientInfo, RecipientInfos, TransportError,
    Unwrapped, Wrapping,
};

use crate::message::Received;
use crate::profile::psk_mime;
use crate::{
    AwaitingResolution, GrantedTicket, IncomingTransfer, PolicyError, Rejected, Resolution,
    Responder, TicketError, TicketKeys, VerifiedTransfer,
};

/// Wraps content keys for the recipients of a message, under a ticket of the profile PSK/MIME that
/// they may resolve (TR 33.829 §8.3.1.1.1).
///
/// Several recipients need a ticket with the J flag, since each gets a TRANSFER_INIT of its own; a
/// list, by [`to_list`](Self::to_list), does with one. The module's example shows its use.
///
/// # Security
///
/// Without forking (I = 0) whoever may resolve the ticket can write to the others in the sender's
/// name. With it ([`psk_mime::policy`] with proof of origin) only the sender can, if the seal policy
/// asks for a proof; between several recipients, who share the content key, it takes
/// [`ProofOfOrigin::Committing`](smime_psk::ProofOfOrigin::Committing).
#[derive(Debug)]
pub struct ContentKeySender<'a> {
    ticket: &'a mut GrantedTicket,
    recipients: &'a [Identity],
    list: Option<&'a Identity>,
    code_points: ThreeGppCodePoints,
    now: Timestamp,
}

impl<'a> ContentKeySender<'a> {
    /// To `recipients`, with a TRANSFER_INIT for each that names it.
    #[must_use]
    pub const fn new(
        ticket: &'a mut GrantedTicket,
        recipients: &'a [Identity],
        now: Timestamp,
    ) -> Self {
        Self {
            ticket,
            recipients,
            list: None,
            code_points: ThreeGppCodePoints::DEFAULT,
            now,
        }
    }

    /// To the members of `list`, with one TRANSFER_INIT for all that names the list: encrypted once,
    /// copied to each (TR 33.829 §8.3.1.1.3, §8.3.1.1.4).
    #[must_use]
    pub const fn to_list(
        ticket: &'a mut GrantedTicket,
        list: &'a Identity,
        members: &'a [Identity],
        now: Timestamp,
    ) -> Self {
        let mut this = Self::new(ticket, members, now);
        this.list = Some(list);
        this
    }

    /// With other code points than the defaults.
    #[must_use]
    pub const fn with_code_points(mut self, code_points: ThreeGppCodePoints) -> Self {
        self.code_points = code_points;
        self
    }
}

impl KeyTransport for ContentKeySender<'_> {
    /// Nothing is sent to one who could not resolve the ticket, and nothing to anyone then.
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        let ori_type = ori_type(&self.code_points)?;
        let policy = self.ticket.policy();
        if content.proof_of_origin().is_some() && !policy.flags().forking {
            return Err(TransportError::NoProofOfOrigin);
        }
        let named = self.list.map_or(self.recipients, core::slice::from_ref);
        let resolvable = |who| policy.allows_recipient(who);
        let reusable = named.len() < 2 || policy.flags().reusable;
        if !self.recipients.iter().all(resolvable) || !reusable {
            return Err(TransportError::Refused);
        }
        if self.recipients.is_empty() {
            return Ok(());
        }
        let key = content.key().expose_key();
        let key = Secret::new(key).map_err(|_| TransportError::KeyLength)?;
        for recipient in named {
            let message = psk_mime::send(
                self.ticket,
                recipient,
                &key,
                content.proof_of_origin(),
                &self.code_points,
                self.now,
                rng,
            )?;
            recipients.push_other_octets(ori_type, &message);
        }
        Ok(())
    }

    /// Opens nothing.
    fn unwrap(&mut self, _: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
        Ok(None)
    }
}

/// A TRANSFER_INIT with a content key for this recipient, of which nothing is verified yet.
///
/// The module's example shows its use.
#[derive(Debug)]
pub struct IncomingContentKey {
    incoming: IncomingTransfer,
    code_points: ThreeGppCodePoints,
}

impl IncomingContentKey {
    /// Finds the recipient information that is for `responder`: rather one that names it than one
    /// that names a list. `None` if there is no TRANSFER_INIT at all.
    ///
    /// For deferred delivery the `responder` takes messages of any age,
    /// [`Responder::with_window`]; the application of annex E it is given here.
    ///
    /// # Errors
    ///
    /// As of [`Responder::receive`], if no TRANSFER_INIT can be for it. A message of half a round
    /// trip has no answer, so there is no Error message either.
    pub fn find<'m>(
        recipients: impl IntoIterator<Item = RecipientInfo<'m>>,
        responder: &Responder,
        now: Timestamp,
    ) -> Result<Option<Self>, TicketError> {
        Self::find_by(recipients, responder, &ThreeGppCodePoints::DEFAULT, now)
    }

    /// As [`find`](Self::find), with other code points than the defaults.
    ///
    /// # Errors
    ///
    /// As of [`find`](Self::find).
    pub fn find_by<'m>(
        recipients: impl IntoIterator<Item = RecipientInfo<'m>>,
        responder: &Responder,
        code_points: &ThreeGppCodePoints,
        now: Timestamp,
    ) -> Result<Option<Self>, TicketError> {
        let application = psk_mime::application()?;
        let user = responder.clone().with_application(application);
        let (mut found, mut refused) = (None, None);
        for transfer_init in recipients.into_iter().filter_map(|info| match info {
            RecipientInfo::Other(info) => transfer_init(&info, code_points),
            _ => None,
        }) {
            match Self::look(transfer_init, &user, code_points, now) {
                Ok((incoming, true)) => return Ok(Some(incoming)),
                Ok((incoming, false)) => found = found.or(Some(incoming)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match (found, refused) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }

    /// What could be accepted, and whether it names this recipient.
    fn look(
        transfer_init: &[u8],
        user: &Responder,
        code_points: &ThreeGppCodePoints,
        now: Timestamp,
    ) -> Result<(Self, bool), TicketError> {
        let incoming = user.receive(transfer_init, now)?;
        psk_mime::check_policy(incoming.claimed_policy())?;
        let received = Received::read(transfer_init, DataType::TransferInit)?;
        psk_mime::check_sessions(received.message(), code_points)?;
        let named = received.id(IdRole::Responder);
        let this = Self {
            incoming,
            code_points: *code_points,
        };
        Ok((this, named.as_ref() == Some(user.identity())))
    }

    /// Who is said to have sent it; nothing has proved that yet.
    #[must_use]
    pub const fn claimed_sender(&self) -> &Identity {
        self.incoming.claimed_initiator()
    }

    /// Asks the KMS for the keys of the ticket: RESOLVE_INIT_PSK.
    ///
    /// # Errors
    ///
    /// As of [`IncomingTransfer::resolve`].
    pub fn resolve<R: CryptoRng + ?Sized>(
        self,
        psk: &impl PreSharedKeys,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(AwaitingContentKey, Vec<u8>), TicketError> {
        self.resolve_with(|incoming| incoming.resolve(psk, now, rng))
    }

    /// Asks the KMS in another way.
    ///
    /// # Errors
    ///
    /// As of `resolve`.
    pub fn resolve_with(
        self,
        resolve: impl FnOnce(IncomingTransfer) -> Result<(AwaitingResolution, Vec<u8>), TicketError>,
    ) -> Result<(AwaitingContentKey, Vec<u8>), TicketError> {
        let (resolving, message) = resolve(self.incoming)?;
        let code_points = self.code_points;
        Ok((
            AwaitingContentKey {
                resolving,
                code_points,
            },
            message,
        ))
    }

    /// Verifies it with what the KMS has said of the same ticket before
    /// (TR 33.829 §8.3.1.1.1, [RFC 6043 §5.3]).
    ///
    /// # Errors
    ///
    /// As of [`IncomingTransfer::reuse`]. A forked ticket is refused as
    /// [`PolicyError::Profile`](crate::PolicyError::Profile): it has to be resolved for every
    /// message (TR 33.829 §B.3).
    ///
    /// [RFC 6043 §5.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.3
    pub fn reuse<C: ReplayCache>(
        self,
        resolution: &Resolution,
        now: Timestamp,
        replay: C,
    ) -> Result<ContentKeyReceiver<C>, TicketError> {
        if self.incoming.claimed_policy().flags().forking {
            return Err(PolicyError::Profile.into());
        }
        let verified = self.incoming.reuse(resolution, now, &mut Undecided)?;
        Ok(ContentKeyReceiver::new(
            &verified,
            &self.code_points,
            now,
            replay,
        ))
    }

    /// Opens the ticket without a KMS, under a TPK that this recipient shares.
    ///
    /// # Errors
    ///
    /// As of [`IncomingTransfer::open`].
    pub fn open<C: ReplayCache>(
        self,
        tpks: &impl TicketKeys,
        now: Timestamp,
        replay: C,
    ) -> Result<ContentKeyReceiver<C>, TicketError> {
        let verified = self.incoming.open(tpks, now, &mut Undecided)?;
        Ok(ContentKeyReceiver::new(
            &verified,
            &self.code_points,
            now,
            replay,
        ))
    }
}

/// A recipient that waits for RESOLVE_RESP.
///
/// The module's example shows its use.
#[derive(Debug)]
pub struct AwaitingContentKey {
    resolving: AwaitingResolution,
    code_points: ThreeGppCodePoints,
}

impl AwaitingContentKey {
    /// Takes the keys out of RESOLVE_RESP and verifies TRANSFER_INIT with them. The replay cache,
    /// which may be a `&mut` of one, is asked once the content is authentic.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the state, which goes on waiting for the genuine answer, and with the
    /// reason.
    pub fn accept<C: ReplayCache>(
        self,
        message: &[u8],
        now: Timestamp,
        replay: C,
    ) -> Result<ContentKeyReceiver<C>, Rejected<Self>> {
        let code_points = self.code_points;
        match self.resolving.accept(message, now, &mut Undecided) {
            Ok(verified) => Ok(ContentKeyReceiver::new(
                &verified,
                &code_points,
                now,
                replay,
            )),
            Err(rejected) => Err(Rejected::new(
                rejected.error(),
                Self {
                    resolving: rejected.into_state(),
                    code_points,
                },
            )),
        }
    }
}

/// The content key of one message from a verified sender: opens that message, once.
///
/// What the sender has put into it that is no content key, [`KeyTransport::unwrap`] refuses. The
/// module's example shows its use.
pub struct ContentKeyReceiver<C> {
    content: Result<psk_mime::ContentKey, TicketError>,
    sender: Identity,
    addressee: Option<Identity>,
    resolution: Option<Resolution>,
    transfer_init: Vec<u8>,
    code_points: ThreeGppCodePoints,
    now: Timestamp,
    replay: C,
}

impl<C: ReplayCache> ContentKeyReceiver<C> {
    fn new(
        verified: &VerifiedTransfer,
        code_points: &ThreeGppCodePoints,
        now: Timestamp,
        replay: C,
    ) -> Self {
        let forked = verified.policy().flags().forking;
        Self {
            content: psk_mime::receive(verified, code_points, now),
            sender: verified.initiator().clone(),
            addressee: verified.addressee(),
            resolution: verified.resolution().filter(|_| !forked),
            transfer_init: verified.octets().to_vec(),
            code_points: *code_points,
            now,
            replay,
        }
    }

    /// Who sent the content key.
    #[must_use]
    pub const fn sender(&self) -> &Identity {
        &self.sender
    }

    /// Whom the sender has sent it to: this recipient, or a list that it is on.
    ///
    /// # Security
    ///
    /// If it is neither, another recipient has passed on what was not meant for this one: a genuine
    /// message, in a context that the sender did not choose.
    #[must_use]
    pub const fn addressee(&self) -> Option<&Identity> {
        self.addressee.as_ref()
    }

    /// What the KMS said of the ticket, to be kept for
    /// [`IncomingContentKey::reuse`]; `None` without the J flag, and with forking.
    #[must_use]
    pub const fn resolution(&self) -> Option<&Resolution> {
        self.resolution.as_ref()
    }

    fn is_for(&self, recipient: &RecipientInfo<'_>) -> bool {
        let RecipientInfo::Other(info) = recipient else {
            return false;
        };
        transfer_init(info, &self.code_points) == Some(&self.transfer_init)
    }
}

impl<C: ReplayCache> KeyTransport for ContentKeyReceiver<C> {
    /// Wraps for nobody: keys of others are not for sending.
    fn wrap(
        &mut self,
        _: &Wrapping<'_>,
        _: &mut RecipientInfos,
        _: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        Err(TransportError::Unavailable)
    }

    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError> {
        if !self.is_for(recipient) {
            return Ok(None);
        }
        let content = self.content.as_ref().map_err(|error| *error)?;
        let key = content.key().expose();
        let key = smime_psk::ContentKey::from_slice(key).ok_or(TransportError::KeyLength)?;
        let unwrapped = Unwrapped::new(key).sender(uri(&self.sender)?);
        Ok(Some(match content.content_mac() {
            Some(mac) => unwrapped.proof_of_origin(mac),
            None => unwrapped,
        }))
    }

    fn accept(&mut self, recipient: &RecipientInfo<'_>) -> Result<(), TransportError> {
        if !self.is_for(recipient) {
            return Ok(());
        }
        let received = Received::read(&self.transfer_init, DataType::TransferInit)?;
        received.remember(&self.sender, &mut self.replay, self.now)?;
        Ok(())
    }
}

impl<C> fmt::Debug for ContentKeyReceiver<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentKeyReceiver")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

impl From<TicketError> for TransportError {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Expired | TicketError::NotYetValid | TicketError::TicketKey(_) => {
                Self::Expired
            }
            TicketError::Forged => Self::Forged,
            TicketError::KeyLength => Self::KeyLength,
            TicketError::NotAuthorised
            | TicketError::Policy(_)
            | TicketError::Replay(ReplayError::Early)
            | TicketError::TicketUsed
            | TicketError::WrongApplication
            | TicketError::WrongRecipient => Self::Refused,
            TicketError::Replay(_) => Self::Replayed,
            _ => Self::Malformed,
        }
    }
}

/// The replay is looked for when the content is authentic: until then an altered copy with the
/// genuine TRANSFER_INIT in it must not spoil the genuine message.
struct Undecided;

impl ReplayCache for Undecided {
    fn check_and_insert(&mut self, _: &SeenMessage<'_>, _: Timestamp) -> Result<(), ReplayError> {
        Ok(())
    }
}

/// S/MIME knows senders by their URIs.
fn uri(identity: &Identity) -> Result<&str, TransportError> {
    let uri = (identity.id_type() == IdType::Uri).then(|| core::str::from_utf8(identity.data()));
    uri.and_then(Result::ok).ok_or(TransportError::Malformed)
}

fn ori_type(code_points: &ThreeGppCodePoints) -> Result<Oid, TransportError> {
    Oid::from_octets(code_points.id_ori_mikey).ok_or(TransportError::Malformed)
}

/// The message in `info`, if it is of id-ori-mikey.
fn transfer_init<'m>(
    info: &OtherRecipientInfo<'m>,
    code_points: &ThreeGppCodePoints,
) -> Option<&'m [u8]> {
    (info.ori_type().as_octets() == code_points.id_ori_mikey)
        .then(|| info.octets())
        .flatten()
}
