use alloc::vec::Vec;

use super::{open_kemac, seal_kemac};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::Iv;
use crate::derive::MessageKeys;
use crate::exchange::bundle::{Parties, Role};
use crate::exchange::incoming::Incoming;
use crate::exchange::sessions::{Policy, Sessions};
use crate::exchange::verification::{
    authenticate, check_verification, unset, verification_message,
};
use crate::exchange::{Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected};
use crate::payload::{CsIdMap, Header, Kemac, Payload};
use crate::{EncodeError, Identity, Message, MessageTime, ReplayCache, Timestamp};

/// What an update of a bundle changes; what is not set stays as it is ([RFC 3830 §4.5]).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, psk};
/// use mikey::payload::CsIdMap;
/// use mikey::{Identity, InMemoryKeys, MessageTime, Timestamp};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// let mut keys = InMemoryKeys::new();
/// keys.insert(bob.clone(), Secret::new(&[0x2b; 16])?);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let (bundle, _message) = psk::Initiator::new(&keys, alice, bob).send(
///     &Proposal::new(CsIdMap::NONE),
///     vec![tgk],
///     MessageTime::Utc(now),
///     &mut rng,
/// )?;
///
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::new(&[9; 16])?);
/// let later = MessageTime::Utc(now.plus_seconds(60));
/// let (bundle, _message) = bundle.send_update(psk::Update::new().keys(vec![tgk]), later)?;
/// assert_eq!(bundle.keys()[0].key().expose(), [9; 16]);
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5
#[derive(Debug, Default)]
pub struct Update<'a> {
    proposal: Option<Proposal<'a>>,
    material: Vec<KeyMaterial>,
}

impl<'a> Update<'a> {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Other crypto sessions, with their policies, in place of the ones that are.
    #[must_use]
    pub const fn proposal(mut self, proposal: Proposal<'a>) -> Self {
        self.proposal = Some(proposal);
        self
    }

    /// Other keys, in place of the ones that are.
    #[must_use]
    pub fn keys(mut self, material: Vec<KeyMaterial>) -> Self {
        self.material = material;
        self
    }
}

/// Updates of a bundle that a shared key protects: same CSB ID and RAND, a new time
/// ([RFC 3830 §4.5]).
///
/// [RFC 3830 §4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5
impl Bundle {
    /// The update message that wants no answer (V = 0), and the bundle as it is from now on.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the bundle as it was: [`ExchangeError::ClockNotAdvanced`] unless `time`
    /// is later than that of the last message, [`ExchangeError::UnsupportedDataType`] for a bundle
    /// that this host did not initiate or that no shared key protects.
    pub fn send_update(
        mut self,
        update: Update<'_>,
        time: MessageTime,
    ) -> Result<(Self, Vec<u8>), Rejected<Self>> {
        match self.update_message(&update, time, false) {
            Ok(message) => {
                self.apply(update, time);
                Ok((self, message))
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    /// The update message that wants a verification message (V = 1). Until it comes the bundle in
    /// [`AwaitingUpdate`] is as it was.
    ///
    /// # Errors
    ///
    /// As of [`send_update`](Self::send_update).
    pub fn request_update(
        self,
        update: Update<'_>,
        time: MessageTime,
    ) -> Result<(AwaitingUpdate<'_>, Vec<u8>), Rejected<Self>> {
        match self.update_message(&update, time, true) {
            Ok(message) => {
                let acceptance = Acceptance::new();
                Ok((
                    AwaitingUpdate {
                        bundle: self,
                        update,
                        time,
                        acceptance,
                    },
                    message,
                ))
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    /// Takes an update message of the Initiator; the verification message, if it wants one.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; the bundle is unchanged, and so is `cache` unless the message was
    /// authenticated and later than the last one.
    pub fn accept_update<C: ReplayCache + ?Sized>(
        &mut self,
        message: &[u8],
        acceptance: &Acceptance,
        cache: &mut C,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, ExchangeError> {
        use PayloadType::{Id, Kemac, Sp};
        let init = Incoming::read(message, acceptance, DataType::PreShared, &[Id, Sp, Kemac])?;
        let (parties, keys) = self.shared_key(Role::Responder)?;
        let kemac = init.last_kemac()?;
        if init.header().csb_id() != self.csb_id || init.suite(&kemac)? != keys.suite() {
            return Err(ExchangeError::Mismatch);
        }
        let time = init.accepted_time(acceptance, now)?;
        if !init.ids().is_empty() && init.sender(&parties.local)? != parties.peer {
            return Err(ExchangeError::UnknownIdentity);
        }
        let authenticated = init.check_mac(keys, &kemac.mac())?;
        self.check_order(time)?;
        authenticated.remember(cache, &parties.peer, time, now)?;
        let iv = Iv {
            csb_id: self.csb_id,
            timestamp: time.octets(),
        };
        let material = open_kemac(keys, &iv, None, kemac.encr_data())?;
        let sessions = self.updated_sessions(init.header().cs_id_map());
        let answer = if init.header().v_flag() {
            let mut context = self.context()?;
            context.time = init.time();
            Some(verification_message(
                DataType::PskVerMsg,
                &context,
                &sessions,
                keys,
            )?)
        } else {
            None
        };
        self.last = time;
        if !material.is_empty() {
            self.keys = material;
        }
        self.sessions = sessions;
        self.replace_policies(init.policies());
        Ok(answer)
    }

    fn update_message(
        &self,
        update: &Update<'_>,
        time: MessageTime,
        v_flag: bool,
    ) -> Result<Vec<u8>, ExchangeError> {
        let (parties, keys) = self.shared_key(Role::Initiator)?;
        if !time.is_after(self.last) {
            return Err(ExchangeError::ClockNotAdvanced);
        }
        let iv = Iv {
            csb_id: self.csb_id,
            timestamp: time.octets(),
        };
        let encr_data = seal_kemac(keys, &iv, None, &update.material)?;
        let mut payloads = alloc::vec![Payload::T(time.to_payload())];
        for id in [&parties.local, &parties.peer].map(Identity::to_payload) {
            payloads.push(Payload::Id(id?));
        }
        payloads.extend(update.proposal.iter().flat_map(Proposal::payloads));
        let suite = keys.suite();
        let kemac = Kemac::new(suite.cipher().encr_alg(), &encr_data, unset(suite.mac())?)?;
        payloads.push(Payload::Kemac(kemac));
        let write = |map: CsIdMap<'_>| {
            let prf_func = suite.prf().prf_func();
            let header = Header::new(DataType::PreShared, prf_func, self.csb_id, map)?;
            let header = header.expecting_response(v_flag);
            Ok::<_, EncodeError>(Message::new(header, &payloads)?.to_vec())
        };
        let octets = match &update.proposal {
            Some(proposal) => write(proposal.cs_id_map())?,
            None => self.sessions.with_map(write)??,
        };
        Ok(authenticate(octets, keys, &[]))
    }

    /// The key that pre-shared key messages of the bundle are protected by: its own, or an envelope
    /// key that was cached.
    fn shared_key(&self, role: Role) -> Result<(&Parties, &MessageKeys), ExchangeError> {
        let keeps_one = [DataType::PreShared, DataType::PublicKey, DataType::RsaRInit];
        match &self.protection {
            Some(keys) if keeps_one.contains(&self.method) => {
                Ok((self.updatable(self.method, role)?, keys))
            }
            _ => Err(ExchangeError::UnsupportedDataType(DataType::PreShared)),
        }
    }

    fn apply(&mut self, update: Update<'_>, time: MessageTime) {
        if !update.material.is_empty() {
            self.keys = update.material;
        }
        self.apply_proposal(update.proposal.as_ref(), time);
    }

    pub(in crate::exchange) fn apply_proposal(
        &mut self,
        proposal: Option<&Proposal<'_>>,
        time: MessageTime,
    ) {
        self.last = time;
        if let Some(proposal) = proposal {
            self.sessions = self.updated_sessions(proposal.cs_id_map());
            let policies = proposal
                .proposed_policies()
                .iter()
                .map(Policy::from_payload);
            self.replace_policies(policies.collect());
        }
    }

    /// Takes each policy in place of the one with its number.
    pub(in crate::exchange) fn replace_policies(&mut self, policies: Vec<Policy>) {
        for policy in policies {
            self.policies
                .retain(|known| known.policy_no() != policy.policy_no());
            self.policies.push(policy);
        }
    }
}

/// A bundle whose update waits for its verification message.
#[derive(Debug)]
pub struct AwaitingUpdate<'a> {
    bundle: Bundle,
    update: Update<'a>,
    time: MessageTime,
    acceptance: Acceptance,
}

impl AwaitingUpdate<'_> {
    /// Reads the answer with these quirks and code points.
    #[must_use]
    pub const fn acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance;
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
            Ok(sessions) => {
                self.bundle.apply(self.update, self.time);
                self.bundle.sessions = sessions;
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

    fn check(&self, message: &[u8]) -> Result<Sessions, ExchangeError> {
        let bundle = &self.bundle;
        let keys = bundle
            .protection
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        let mut context = bundle.context()?;
        context.time = self.time.to_payload();
        let proposed = bundle.proposed_sessions(self.update.proposal.as_ref());
        let data_type = DataType::PskVerMsg;
        check_verification(
            message,
            data_type,
            &self.acceptance,
            &context,
            &proposed,
            keys,
        )
    }
}
