use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{Outgoing, read_response};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::DhSecret;
use crate::derive::MessageKeys;
use crate::exchange::bundle::{Parties, Role};
use crate::exchange::half_keys::{Agreed, DhUpdate, HalfKey, updated};
use crate::exchange::incoming::Incoming;
use crate::exchange::sessions::Sessions;
use crate::exchange::{Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected};
use crate::{MessageTime, ReplayCache, Timestamp};

/// Updates of a bundle that DHHMAC has established: same CSB ID and RAND, a new time, an answer in
/// any case ([RFC 4650 §3.1]).
///
/// [RFC 4650 §3.1]: https://www.rfc-editor.org/rfc/rfc4650#section-3.1
impl Bundle {
    /// The update message. Until its answer comes the bundle in [`AwaitingUpdate`] is as it was.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the bundle as it was: [`ExchangeError::ClockNotAdvanced`] unless `time`
    /// is later than that of the last message, [`ExchangeError::UnsupportedDataType`] for a bundle
    /// that this host did not initiate or that is none of DHHMAC.
    pub fn start_dh_hmac_update<'a, R: CryptoRng>(
        self,
        update: &DhUpdate<'a>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingUpdate<'a>, Vec<u8>), Rejected<Self>> {
        let secret = update.half_key(rng);
        let own = secret.as_ref().map(|(_, own)| own);
        match self.dh_hmac_update_message(update.proposed().as_ref(), own, time) {
            Ok(message) => {
                let acceptance = Acceptance::new().short_groups(true);
                let proposal = update.proposed();
                let awaiting = AwaitingUpdate {
                    bundle: self,
                    proposal,
                    secret,
                    time,
                    acceptance,
                };
                Ok((awaiting, message))
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    /// Takes an update message of the Initiator: the answer.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; the bundle is unchanged, and so is `cache` unless the message was
    /// authenticated and later than the last one.
    pub fn accept_dh_hmac_update<C: ReplayCache + ?Sized, R: CryptoRng>(
        &mut self,
        message: &[u8],
        acceptance: &Acceptance,
        cache: &mut C,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, ExchangeError> {
        use PayloadType as P;
        let allowed = [P::Id, P::Sp, P::Dh, P::Kemac];
        let init = Incoming::read(message, acceptance, DataType::DhHmacInit, &allowed)?;
        let (parties, keys) = self.dh_hmac_protection(Role::Responder)?;
        let kemac = init.last_kemac()?;
        if init.header().csb_id() != self.csb_id || init.suite(&kemac)? != keys.suite() {
            return Err(ExchangeError::Mismatch);
        }
        let time = init.accepted_time(acceptance, now)?;
        let [_, _] = init.ids() else {
            return Err(ExchangeError::MissingPayload(P::Id));
        };
        if init.sender(&parties.local)? != parties.peer {
            return Err(ExchangeError::UnknownIdentity);
        }
        if !kemac.encr_data().is_empty() {
            return Err(ExchangeError::UnexpectedPayload(P::KeyData));
        }
        let authenticated = init.check_mac(keys, &kemac.mac())?;
        self.check_order(time)?;
        authenticated.remember(cache, &parties.peer, time, now)?;
        let agreed = Agreed::with(init.dh(), acceptance, rng)?;
        let sessions = self.updated_sessions(init.header().cs_id_map());
        let half_keys: Vec<&HalfKey> = agreed
            .iter()
            .flat_map(|agreed| [&agreed.own, &agreed.theirs])
            .collect();
        let answer = Outgoing {
            data_type: DataType::DhHmacResp,
            csb_id: self.csb_id,
            time: init.time(),
            rand: None,
            ids: [&parties.local, &parties.peer],
            middle: Vec::new(),
            half_keys: &half_keys,
        };
        let answer = sessions.with_map(|map| answer.write(map, keys))??;
        self.last = time;
        if let Some(agreed) = agreed {
            self.keys = alloc::vec![agreed.tgk];
        }
        self.sessions = sessions;
        self.replace_policies(init.policies());
        Ok(answer)
    }

    fn dh_hmac_update_message(
        &self,
        proposal: Option<&Proposal<'_>>,
        own: Option<&HalfKey>,
        time: MessageTime,
    ) -> Result<Vec<u8>, ExchangeError> {
        let (parties, keys) = self.dh_hmac_protection(Role::Initiator)?;
        if !time.is_after(self.last) {
            return Err(ExchangeError::ClockNotAdvanced);
        }
        let half_keys: Vec<&HalfKey> = own.into_iter().collect();
        let message = Outgoing {
            data_type: DataType::DhHmacInit,
            csb_id: self.csb_id,
            time: time.to_payload(),
            rand: None,
            ids: [&parties.local, &parties.peer],
            middle: proposal.into_iter().flat_map(Proposal::payloads).collect(),
            half_keys: &half_keys,
        };
        match proposal {
            Some(proposal) => message.write(proposal.cs_id_map(), keys),
            None => self.sessions.with_map(|map| message.write(map, keys))?,
        }
    }

    fn dh_hmac_protection(&self, role: Role) -> Result<(&Parties, &MessageKeys), ExchangeError> {
        let parties = self.updatable(DataType::DhHmacInit, role)?;
        let keys = self.protection.as_ref();
        let keys = keys.ok_or(ExchangeError::UnsupportedDataType(DataType::DhHmacInit))?;
        Ok((parties, keys))
    }
}

/// A bundle whose update waits for its answer.
#[derive(Debug)]
pub struct AwaitingUpdate<'a> {
    bundle: Bundle,
    proposal: Option<Proposal<'a>>,
    secret: Option<(DhSecret, HalfKey)>,
    time: MessageTime,
    acceptance: Acceptance,
}

impl AwaitingUpdate<'_> {
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

    /// Takes the R_message: the bundle with the update.
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
        let bundle = &self.bundle;
        let (_, keys) = bundle.dh_hmac_protection(Role::Initiator)?;
        let mut context = bundle.context()?;
        context.time = self.time.to_payload();
        let answer = read_response(message, &self.acceptance, &context, keys)?;
        let tgk = updated(answer.dh(), self.secret.as_ref(), &self.acceptance)?;
        let proposed = bundle.proposed_sessions(self.proposal.as_ref());
        let sessions = proposed.answered(answer.header().cs_id_map())?;
        Ok((tgk, sessions))
    }
}
