use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{Initiator, Responder, read_response};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::DhSecret;
use crate::exchange::bundle::Role;
use crate::exchange::half_keys::{Agreed, DhUpdate, HalfKey, updated};
use crate::exchange::incoming::Incoming;
use crate::exchange::sessions::Sessions;
use crate::exchange::signature::signed;
use crate::exchange::{Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected};
use crate::payload::{Header, Payload};
use crate::seam::Credentials;
use crate::{MessageTime, ReplayCache, Timestamp};

/// Updates of a bundle that the signed Diffie-Hellman exchange has established: same CSB ID and
/// RAND, a new time, an answer in any case ([RFC 3830 §4.5]).
///
/// [RFC 3830 §4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5
impl<'k, C: Credentials + ?Sized> Initiator<'k, C> {
    /// The update message. Until its answer comes the bundle in [`AwaitingUpdate`] is as it was.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the bundle as it was: [`ExchangeError::ClockNotAdvanced`] unless `time`
    /// is later than that of the last message, [`ExchangeError::UnknownIdentity`] for a bundle with
    /// another peer, [`ExchangeError::UnsupportedDataType`] for a bundle that this host did not
    /// initiate by this exchange.
    pub fn start_update<'a, R: CryptoRng>(
        &self,
        bundle: Bundle,
        update: &DhUpdate<'a>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingUpdate<'k, 'a, C>, Vec<u8>), Rejected<Bundle>> {
        let secret = update.half_key(rng);
        let own = secret.as_ref().map(|(_, own)| own);
        match self.update_message(&bundle, update, own, time) {
            Ok(message) => {
                let awaiting = AwaitingUpdate {
                    credentials: self.credentials,
                    bundle,
                    proposal: update.proposed(),
                    secret,
                    time,
                    acceptance: Acceptance::new().short_groups(true),
                };
                Ok((awaiting, message))
            }
            Err(error) => Err(Rejected::new(error, bundle)),
        }
    }

    fn update_message(
        &self,
        bundle: &Bundle,
        update: &DhUpdate<'_>,
        own: Option<&HalfKey>,
        time: MessageTime,
    ) -> Result<Vec<u8>, ExchangeError> {
        if *bundle.updatable(DataType::DhInit, Role::Initiator)? != self.parties {
            return Err(ExchangeError::UnknownIdentity);
        }
        if !time.is_after(bundle.last) {
            return Err(ExchangeError::ClockNotAdvanced);
        }
        let proposal = update.proposed();
        let mut payloads = alloc::vec![
            Payload::T(time.to_payload()),
            Payload::Id(self.parties.local.to_payload()?),
            Payload::Id(self.parties.peer.to_payload()?),
        ];
        payloads.extend(proposal.iter().flat_map(Proposal::payloads));
        if let Some(own) = own {
            payloads.push(Payload::Dh(own.to_payload()?));
        }
        let prf_func = bundle.derivation.prf().prf_func();
        bundle
            .proposed_sessions(proposal.as_ref())
            .with_map(|map| {
                let header = Header::new(DataType::DhInit, prf_func, bundle.csb_id, map)?;
                signed(header.expecting_response(true), &payloads, self.credentials)
            })?
    }
}

/// Updates of a bundle that the signed Diffie-Hellman exchange has established
/// ([RFC 3830 §4.5]).
///
/// [RFC 3830 §4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5
impl<C: Credentials + ?Sized> Responder<'_, C> {
    /// Takes an update message of the Initiator of `bundle`: the answer.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; the bundle is unchanged, and so is `cache` unless the message was
    /// authenticated and later than the last one.
    pub fn accept_update<K: ReplayCache + ?Sized, R: CryptoRng>(
        &self,
        bundle: &mut Bundle,
        message: &[u8],
        cache: &mut K,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, ExchangeError> {
        use PayloadType::{Cert, Dh, Id, Sign, Sp};
        let allowed = [Id, Cert, Sp, Dh, Sign];
        let init = Incoming::read(message, &self.acceptance, DataType::DhInit, &allowed)?;
        let parties = bundle.updatable(DataType::DhInit, Role::Responder)?;
        let prf_func = bundle.derivation.prf().prf_func();
        if init.header().csb_id() != bundle.csb_id || init.header().prf_func() != prf_func {
            return Err(ExchangeError::Mismatch);
        }
        let time = init.accepted_time(&self.acceptance, now)?;
        if parties.local != self.local || init.sender(&self.local)? != parties.peer {
            return Err(ExchangeError::UnknownIdentity);
        }
        let authenticated = init.check_signature(&parties.peer, self.credentials)?;
        bundle.check_order(time)?;
        authenticated.remember(cache, &parties.peer, time, now)?;
        let agreed = Agreed::with(init.dh(), &self.acceptance, rng)?;
        let sessions = bundle.updated_sessions(init.header().cs_id_map());
        let mut payloads = alloc::vec![
            Payload::T(init.time()),
            Payload::Id(parties.local.to_payload()?),
            Payload::Id(parties.peer.to_payload()?),
        ];
        if let Some(agreed) = &agreed {
            payloads.push(Payload::Dh(agreed.own.to_payload()?));
            payloads.push(Payload::Dh(agreed.theirs.to_payload()?));
        }
        let answer = sessions.with_map(|map| {
            let header = Header::new(DataType::DhResp, prf_func, bundle.csb_id, map)?;
            signed(header, &payloads, self.credentials)
        })??;
        drop(payloads);
        bundle.last = time;
        bundle.sessions = sessions;
        if let Some(agreed) = agreed {
            bundle.keys = alloc::vec![agreed.tgk];
        }
        bundle.replace_policies(init.policies());
        Ok(answer)
    }
}

/// A bundle whose update waits for its answer.
pub struct AwaitingUpdate<'k, 'a, C: ?Sized> {
    credentials: &'k C,
    bundle: Bundle,
    proposal: Option<Proposal<'a>>,
    secret: Option<(DhSecret, HalfKey)>,
    time: MessageTime,
    acceptance: Acceptance,
}

impl<C: Credentials + ?Sized> AwaitingUpdate<'_, '_, C> {
    /// Reads the answer with these quirks and code points.
    #[must_use]
    pub const fn acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance.short_groups(true);
        self
    }

    /// The bundle without the update.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Takes the R_MESSAGE: the bundle with the update.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the state that waits on, for a message that is not the verified answer.
    pub fn accept(mut self, message: &[u8]) -> Result<Bundle, Rejected<Self>> {
        match self.check(message) {
            Ok((tgk, sessions)) => {
                let proposal = self.proposal.as_ref();
                self.bundle.rekey(proposal, self.time, tgk, sessions);
                Ok(self.bundle)
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    /// Gives the update up. Its time is used: the next one must be later.
    #[must_use]
    pub fn abandon(mut self) -> Bundle {
        self.bundle.last = self.time;
        self.bundle
    }

    fn check(&self, message: &[u8]) -> Result<(Option<KeyMaterial>, Sessions), ExchangeError> {
        let mut context = self.bundle.context()?;
        context.time = self.time.to_payload();
        let answer = read_response(message, &self.acceptance, &context, self.credentials)?;
        let tgk = updated(answer.dh(), self.secret.as_ref(), &self.acceptance)?;
        let proposed = self.bundle.proposed_sessions(self.proposal.as_ref());
        let sessions = proposed.answered(answer.header().cs_id_map())?;
        Ok((tgk, sessions))
    }
}

impl<C: ?Sized> fmt::Debug for AwaitingUpdate<'_, '_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingUpdate")
            .field("bundle", &self.bundle)
            .finish_non_exhaustive()
    }
}
