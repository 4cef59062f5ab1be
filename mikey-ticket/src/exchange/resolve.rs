use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{MessageKeys, Secret, TicketMessage};
use mikey::exchange::{KeyMaterial, Session};
use mikey::payload::{Cert, Payload, SecurityPolicy};
use mikey::{Credentials, Identity, Message, PreSharedKeys, ReplayCache, SkewWindow, Timestamp};
use rand_core::CryptoRng;

use crate::derive::transfer_keys;
use crate::exchange::answer::VerifiedTransfer;
use crate::exchange::established::Bundle;
use crate::message::{
    RULES, Received, Resolved, error_for, error_message, open_kemac, policies_error, rands,
};
use crate::query::{KmsCertificate, Query, Sent};
use crate::{IssuedTicket, Policy, Refusal, Rejected, TicketError, TicketKeys, open_ticket};

/// A user that is called with tickets: the Responder ([RFC 6043 §4.2.2], [§4.2.3]).
///
/// The crate's own example runs all six messages.
///
/// [RFC 6043 §4.2.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2
/// [§4.2.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3
#[derive(Clone, Debug)]
pub struct Responder {
    pub(super) identity: Identity,
    kms: Identity,
    psk_id: Option<Identity>,
    kms_certificate: Option<KmsCertificate>,
    application: Option<Identity>,
    window: Option<SkewWindow>,
    stands_in_for: Option<Identity>,
    diverted_by: Option<(IdRole, Identity)>,
}

impl Responder {
    /// `identity`, a subscriber of `kms`.
    #[must_use]
    pub fn new(identity: Identity, kms: Identity) -> Self {
        let window = Some(SkewWindow::default());
        Self {
            identity,
            kms,
            psk_id: None,
            kms_certificate: None,
            application: None,
            window,
            stands_in_for: None,
            diverted_by: None,
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Names the pre-shared key, IDRpsk, where the KMS does not find it by the identity.
    #[must_use]
    pub fn with_psk_id(mut self, psk_id: Identity) -> Self {
        self.psk_id = Some(psk_id);
        self
    }

    /// Names the key of the KMS to be used by its certificate, CHASH, where the KMS has several.
    #[must_use]
    pub fn with_kms_certificate(mut self, certificate: &Cert<'_>) -> Self {
        self.kms_certificate = Some(KmsCertificate::of(certificate));
        self
    }

    /// The application that tickets must be for, if they name any (IDRapp).
    #[must_use]
    pub fn with_application(mut self, application: Identity) -> Self {
        self.application = Some(application);
        self
    }

    /// Also takes tickets that name `identity`, whom this Responder stands in for by leave of the
    /// KMS: a focus for its conference factory (TR 33.829 §5.3.3.3), one to whom calls are diverted.
    #[must_use]
    pub fn standing_in_for(mut self, identity: Identity) -> Self {
        self.stands_in_for = Some(identity);
        self
    }

    /// Names the AS that has diverted the call, ID-AS, to the KMS, which may ask it
    /// (TR 33.829 §9.3.2.2); `role` is [`DIVERTING_SERVER`](crate::DIVERTING_SERVER), or what the
    /// KMS has in its place. Name also whose call it was: [`standing_in_for`](Self::standing_in_for).
    #[must_use]
    pub fn diverted_by(mut self, role: IdRole, server: Identity) -> Self {
        self.diverted_by = Some((role, server));
        self
    }

    /// Takes messages of this age; `None` takes any, for deferred delivery, where the replay cache
    /// alone decides (TR 33.829 §8.3.1.1.2).
    #[must_use]
    pub const fn with_window(mut self, window: Option<SkewWindow>) -> Self {
        self.window = window;
        self
    }

    /// Looks at a TRANSFER_INIT before it can be verified, so that what would be refused anyway
    /// costs the KMS nothing ([RFC 6043 §4.2.2.2]).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the Error message to answer with. Where the ticket is not for this
    /// Responder, that message names it (TR 33.829 §9.3.2.3).
    ///
    /// [RFC 6043 §4.2.2.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2.2
    pub fn receive(&self, message: &[u8], now: Timestamp) -> Result<IncomingTransfer, Refusal> {
        self.read(message, now).map_err(|error| {
            let reply = match (error, RULES.decode(message)) {
                (TicketError::WrongRecipient, Ok(decoded)) => {
                    error_message(&decoded, error, None, Some(&self.identity), now)
                }
                _ => error_for(message, error, now),
            };
            Refusal::new(error, reply)
        })
    }

    fn read(&self, octets: &[u8], now: Timestamp) -> Result<IncomingTransfer, TicketError> {
        let received = Received::read(octets, DataType::TransferInit)?;
        received.strong_rand(RandRole::Initiator)?;
        let bundle = Bundle::of(received.message())?;
        let ticket = received.ticket()?;
        let policy = Policy::from_payload(ticket.policy())?;
        let flags = policy.flags();
        if policy.strength() != received.strength() {
            return Err(TicketError::MixedStrength);
        }
        let missing = TicketError::MissingPayload(PayloadType::Idr);
        let initiator = policy.initiator().ok_or(missing)?.clone();
        if initiator == self.identity {
            return Err(TicketError::Reflected);
        }
        if received
            .id(IdRole::Initiator)
            .is_some_and(|named| named != initiator)
        {
            return Err(TicketError::UnknownIdentity);
        }
        if let Some(window) = self.window {
            received.check_time(window, now)?;
        }
        policy.check_time(now)?;
        policy.check_application(self.application.as_ref())?;
        let names = [Some(&self.identity), self.stands_in_for.as_ref()];
        if !names
            .into_iter()
            .flatten()
            .any(|name| policy.allows_recipient(name))
        {
            return Err(TicketError::WrongRecipient);
        }
        if ticket.initiator_data().is_some() != flags.forking {
            return Err(TicketError::UnexpectedPayload(PayloadType::Ticket));
        }
        if received.kemac().is_some() && !flags.initiator_keys {
            return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
        }
        Ok(IncomingTransfer {
            responder: self.clone(),
            octets: octets.to_vec(),
            policy,
            initiator,
            bundle,
        })
    }
}

/// A TRANSFER_INIT that may be acceptable, and of which nothing is verified yet.
pub struct IncomingTransfer {
    pub(super) responder: Responder,
    pub(super) octets: Vec<u8>,
    pub(super) policy: Policy,
    pub(super) initiator: Identity,
    bundle: Bundle,
}

impl IncomingTransfer {
    /// The Ticket Policy, not verified.
    #[must_use]
    pub const fn claimed_policy(&self) -> &Policy {
        &self.policy
    }

    /// The Initiator, not verified.
    #[must_use]
    pub const fn claimed_initiator(&self) -> &Identity {
        &self.initiator
    }

    /// The crypto sessions that are offered, not verified.
    #[must_use]
    pub fn claimed_sessions(&self) -> &[Session] {
        self.bundle.sessions()
    }

    /// The message, for the Security Policies that it offers; not verified.
    ///
    /// # Errors
    ///
    /// None: it was decoded before.
    pub fn claimed_message(&self) -> Result<Message<'_>, TicketError> {
        Ok(RULES.decode(&self.octets)?)
    }

    /// Declines the Security Policies that are offered: an Error message with those that are
    /// `supported` ([RFC 6043 §5.4]). Neither a KMS nor a key is needed for it, and nothing proves it.
    ///
    /// # Errors
    ///
    /// [`TicketError::Encode`] for policies that a message cannot hold.
    ///
    /// [RFC 6043 §5.4]: https://www.rfc-editor.org/rfc/rfc6043#section-5.4
    pub fn decline_policies(
        &self,
        supported: &[SecurityPolicy<'_>],
        now: Timestamp,
    ) -> Result<Vec<u8>, TicketError> {
        policies_error(&RULES.decode(&self.octets)?, supported, now)
    }

    /// Asks the KMS for the keys of the ticket: RESOLVE_INIT_PSK.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] without a key for the KMS.
    pub fn resolve<R: CryptoRng + ?Sized>(
        self,
        psk: &impl PreSharedKeys,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(AwaitingResolution, Vec<u8>), TicketError> {
        let psk_id = self.responder.psk_id.clone();
        self.ask(|query| query.by_psk(psk, psk_id.as_ref(), now, rng))
    }

    /// Asks the KMS for the keys of the ticket: RESOLVE_INIT_PK. `credentials` sign it, and have the
    /// public key of the KMS.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] without a public key of the KMS,
    /// [`TicketError::KeyUnavailable`] if the own key cannot sign.
    pub fn resolve_pk<R: CryptoRng + ?Sized>(
        self,
        credentials: &(impl Credentials + ?Sized),
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(AwaitingResolution, Vec<u8>), TicketError> {
        let certificate = self.responder.kms_certificate.clone();
        self.ask(|query| query.by_public_key(credentials, certificate.as_ref(), now, rng))
    }

    fn ask(
        self,
        send: impl FnOnce(&Query<'_>) -> Result<Sent, TicketError>,
    ) -> Result<(AwaitingResolution, Vec<u8>), TicketError> {
        let received = Received::read(&self.octets, DataType::TransferInit)?;
        let user = &self.responder;
        let server = user.diverted_by.as_ref();
        let sent = send(&Query {
            sender: (IdRole::Responder, &user.identity),
            kms: &user.kms,
            strength: self.policy.strength(),
            content: Payload::Ticket(received.ticket()?),
            further: server.map(|(role, id)| (*role, id)).into_iter().collect(),
        })?;
        let message = sent.octets.clone();
        let incoming = self;
        Ok((AwaitingResolution { incoming, sent }, message))
    }

    /// Opens the ticket without a KMS, under a TPK that this Responder shares (E = 0, modes 2 and 4,
    /// [RFC 6043 §4.1.1]), and verifies TRANSFER_INIT.
    ///
    /// # Errors
    ///
    /// [`TicketError::NotAuthorised`] if the ticket must be resolved by a KMS; otherwise as of
    /// [`open_ticket`] and [`AwaitingResolution::accept`].
    ///
    /// [RFC 6043 §4.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.1.1
    pub fn open(
        self,
        tpks: &impl TicketKeys,
        now: Timestamp,
        replay: &mut impl ReplayCache,
    ) -> Result<VerifiedTransfer, TicketError> {
        if self.policy.flags().resolve_mandatory {
            return Err(TicketError::NotAuthorised);
        }
        let ticket = Received::read(&self.octets, DataType::TransferInit)?.ticket()?;
        let contents = open_ticket(&ticket, tpks, now)?;
        let ticket = IssuedTicket::from_payload(&ticket)?;
        let (_, mpk_i, _, keys) = contents.into_parts();
        let mpk = mpk_i.duplicate();
        let resolution = Resolution {
            ticket,
            mpk_i,
            mpk,
            keys,
            modifier: None,
        };
        self.verify(resolution, now, replay)
    }

    /// Verifies TRANSFER_INIT with what the KMS has said of the same ticket before
    /// ([RFC 6043 §5.3]).
    ///
    /// # Errors
    ///
    /// [`TicketError::TicketUsed`] without the J flag, [`TicketError::Mismatch`] for another ticket;
    /// otherwise as of [`AwaitingResolution::accept`].
    ///
    /// [RFC 6043 §5.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.3
    pub fn reuse(
        self,
        resolution: &Resolution,
        now: Timestamp,
        replay: &mut impl ReplayCache,
    ) -> Result<VerifiedTransfer, TicketError> {
        let ticket = Received::read(&self.octets, DataType::TransferInit)?.ticket()?;
        if IssuedTicket::from_payload(&ticket)? != resolution.ticket {
            return Err(TicketError::Mismatch);
        }
        if !self.policy.flags().reusable {
            return Err(TicketError::TicketUsed);
        }
        self.verify(resolution.duplicate(), now, replay)
    }

    /// The checks of [RFC 6043 §4.2.3.6] on TRANSFER_INIT, once its keys are known.
    ///
    /// [RFC 6043 §4.2.3.6]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.6
    fn verify(
        self,
        resolution: Resolution,
        now: Timestamp,
        replay: &mut impl ReplayCache,
    ) -> Result<VerifiedTransfer, TicketError> {
        let (keys, bundle) = self.verified_keys(&resolution, now, replay)?;
        Ok(VerifiedTransfer {
            incoming: self,
            resolution,
            keys,
            bundle,
            resolved: false,
        })
    }

    fn verified_keys(
        &self,
        resolution: &Resolution,
        now: Timestamp,
        replay: &mut impl ReplayCache,
    ) -> Result<(MessageKeys, Bundle), TicketError> {
        let received = Received::read(&self.octets, DataType::TransferInit)?;
        let strength = self.policy.strength();
        let rand = received.strong_rand(RandRole::Initiator)?;
        let csb_id = received.header().csb_id();
        let initial = TicketMessage::Initial;
        let keys = transfer_keys(
            strength,
            &resolution.mpk_i,
            initial,
            csb_id,
            rands(rand, &[])?,
        )?;
        let called = received.id(IdRole::Responder);
        let called = called.as_ref().unwrap_or(&self.responder.identity);
        received.verify(&keys, &[self.initiator.data(), called.data()])?;
        if let Some(data) = received.ticket()?.initiator_data() {
            // Vi is V: they differ in Next Payload alone, which Vi needs and V has not.
            if data.macs().map(|(vi, _)| vi) != Some(received.mac()) {
                return Err(TicketError::Forged);
            }
        }
        let mut bundle = Bundle::of(received.message())?;
        if let Some(kemac) = received.kemac() {
            let theirs = open_kemac(&keys, &received.iv(), &kemac)?;
            bundle.add_keys(&theirs.without_mpk()?)?;
        }
        bundle.add_keys(&resolution.keys)?;
        received.remember(&self.initiator, replay, now)?;
        Ok((keys, bundle))
    }
}

impl fmt::Debug for IncomingTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IncomingTransfer")
    }
}

/// A Responder that waits for RESOLVE_RESP.
pub struct AwaitingResolution {
    incoming: IncomingTransfer,
    sent: Sent,
}

impl AwaitingResolution {
    /// Takes the keys out of RESOLVE_RESP and verifies TRANSFER_INIT with them.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the state, which goes on waiting, and with the reason. If that is
    /// [`TicketError::Forged`] for a genuine RESOLVE_RESP, TRANSFER_INIT is the forgery. The replay
    /// cache is unchanged then.
    pub fn accept(
        self,
        message: &[u8],
        now: Timestamp,
        replay: &mut impl ReplayCache,
    ) -> Result<VerifiedTransfer, Rejected<Self>> {
        let verified = self.read(message).and_then(|resolution| {
            let (keys, bundle) = self.incoming.verified_keys(&resolution, now, replay)?;
            Ok((resolution, keys, bundle))
        });
        match verified {
            Ok((resolution, keys, bundle)) => Ok(VerifiedTransfer {
                incoming: self.incoming,
                resolution,
                keys,
                bundle,
                resolved: true,
            }),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    fn read(&self, octets: &[u8]) -> Result<Resolution, TicketError> {
        let policy = &self.incoming.policy;
        let (strength, forking) = (policy.strength(), policy.flags().forking);
        let kms = &self.incoming.responder.kms;
        let resolved = Resolved::read(octets, &self.sent, kms, strength, forking)?;
        let transfer = Received::read(&self.incoming.octets, DataType::TransferInit)?;
        let ticket = IssuedTicket::from_payload(&transfer.ticket()?)?;
        let rand_kms = resolved.rand_kms.unwrap_or_default();
        Ok(Resolution {
            ticket,
            mpk: match resolved.mpk_r {
                Some(mpk_r) => mpk_r,
                None => resolved.mpk_i.duplicate(),
            },
            mpk_i: resolved.mpk_i,
            keys: resolved.keys,
            modifier: resolved.identity.map(|identity| (identity, rand_kms)),
        })
    }
}

impl fmt::Debug for AwaitingResolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitingResolution")
    }
}

/// What a ticket holds for this Responder; kept, it serves the next TRANSFER_INIT with the same
/// ticket ([RFC 6043 §5.3]).
///
/// [RFC 6043 §5.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.3
pub struct Resolution {
    ticket: IssuedTicket,
    pub(super) mpk_i: Secret,
    /// MPKr' where keys are forked, MPKi where they are not.
    pub(super) mpk: Secret,
    keys: Vec<KeyMaterial>,
    /// IDRr and RANDRkms, as the KMS sent them.
    pub(super) modifier: Option<(Identity, Vec<u8>)>,
}

impl Resolution {
    pub(super) fn duplicate(&self) -> Self {
        Self {
            ticket: self.ticket.clone(),
            mpk_i: self.mpk_i.duplicate(),
            mpk: self.mpk.duplicate(),
            keys: self.keys.iter().map(KeyMaterial::duplicate).collect(),
            modifier: self.modifier.clone(),
        }
    }
}

impl fmt::Debug for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolution")
    }
}
