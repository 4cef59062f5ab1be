use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{Outgoing, check_suite};
use crate::code_points::{DataType, ErrorNo, PayloadType};
use crate::crypto::DhSecret;
use crate::derive::CsbDerivation;
use crate::exchange::bundle::{Parties, Role};
use crate::exchange::half_keys::HalfKey;
use crate::exchange::incoming::Incoming;
use crate::exchange::psk::message_keys;
use crate::exchange::sessions::Sessions;
use crate::exchange::verification::rejection;
use crate::exchange::{Acceptance, Bundle, ExchangeError, Policy, Session};
use crate::payload::SecurityPolicy;
use crate::seam::PreSharedKeys;
use crate::{Identity, ReplayCache, Timestamp};

/// The Responder of DHHMAC ([RFC 4650 §3]).
///
/// See [`Initiator`](super::Initiator) for both sides at work.
///
/// [RFC 4650 §3]: https://www.rfc-editor.org/rfc/rfc4650#section-3
pub struct Responder<'k, K: ?Sized> {
    keys: &'k K,
    local: Identity,
    acceptance: Acceptance,
}

impl<'k, K: PreSharedKeys + ?Sized> Responder<'k, K> {
    /// Answers for `local`, strictly.
    #[must_use]
    pub fn new(keys: &'k K, local: Identity) -> Self {
        Self {
            keys,
            local,
            acceptance: Acceptance::new(),
        }
    }

    /// With other rules of what is accepted.
    #[must_use]
    pub const fn acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// Takes an I_message. No exponentiation happens before its MAC is verified.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; `cache` is unchanged unless the message was authenticated.
    pub fn accept<C: ReplayCache + ?Sized>(
        &self,
        message: &[u8],
        cache: &mut C,
        now: Timestamp,
    ) -> Result<Accepted, ExchangeError> {
        use PayloadType as P;
        let allowed = [P::Rand, P::Id, P::Sp, P::Dh, P::Kemac];
        let init = Incoming::read(message, &self.acceptance, DataType::DhHmacInit, &allowed)?;
        let kemac = init.last_kemac()?;
        let suite = init.suite(&kemac)?;
        check_suite(suite)?;
        if !kemac.encr_data().is_empty() {
            return Err(ExchangeError::UnexpectedPayload(P::KeyData));
        }
        let [dh] = init.dh() else {
            return Err(ExchangeError::MissingPayload(P::Dh));
        };
        let rand = init.fresh_rand()?;
        let time = init.accepted_time(&self.acceptance, now)?;
        // IDr is mandatory; without IDi nobody is named that a key is shared with.
        let [_, _] = init.ids() else {
            return Err(ExchangeError::MissingPayload(P::Id));
        };
        let peer = init.sender(&self.local)?;
        let csb_id = init.header().csb_id();
        let keys = message_keys(self.keys, &peer, suite, csb_id, rand)?;
        let mac = kemac.mac().octets();
        keys.verify(&[init.covered(mac.len())], mac)?;
        init.remember(cache, &peer, time, now)?;
        let theirs = HalfKey::of_peer(dh, &self.acceptance)?;
        let bundle = Bundle {
            role: Role::Responder,
            parties: Some(Parties {
                local: self.local.clone(),
                peer: peer.clone(),
            }),
            csb_id,
            derivation: CsbDerivation::rfc3830(suite.prf(), csb_id, rand),
            keys: Vec::new(),
            sessions: Sessions::from_map(init.header().cs_id_map()),
            policies: init.policies(),
            last: time,
            protection: Some(keys),
        };
        Ok(Accepted {
            bundle,
            peer,
            message: init.octets().to_vec(),
            theirs,
        })
    }
}

impl<K: ?Sized> fmt::Debug for Responder<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// An authenticated proposal, for the Responder to look at and then to take or to leave.
#[derive(Debug)]
pub struct Accepted {
    bundle: Bundle,
    peer: Identity,
    message: Vec<u8>,
    theirs: HalfKey,
}

impl Accepted {
    /// The authenticated message, to be decoded for its general extensions: against bidding down,
    /// compare its SDP IDs with the protocols that were offered around it ([RFC 4567 §4.1.4]).
    ///
    /// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Who proposes it, authenticated.
    #[must_use]
    pub const fn peer(&self) -> &Identity {
        &self.peer
    }

    /// The proposed crypto sessions.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        self.bundle.sessions()
    }

    /// The proposed policies.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        self.bundle.policies()
    }

    /// Chooses the SSRCs that the Initiator left open, in the order of the CS ID map
    /// ([RFC 3830 §6.1.1]).
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Mismatch`] if they are not as many as are open, or one is 0; nothing has
    /// changed then.
    ///
    /// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
    pub fn choose_ssrcs(&mut self, ssrcs: &[u32]) -> Result<(), ExchangeError> {
        self.bundle.sessions.choose_ssrcs(ssrcs)
    }

    /// Takes it: the bundle with the agreed TGK, and the R_message.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::InvalidDhValue`] if the half-key is not one.
    pub fn establish<R: CryptoRng>(self, rng: &mut R) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let Self {
            mut bundle, theirs, ..
        } = self;
        let secret = DhSecret::random(theirs.group(), rng);
        let tgk = theirs.agree(&secret, theirs.validity())?;
        let own = HalfKey::own(&secret, theirs.validity().clone());
        let keys = bundle
            .protection
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        let context = bundle.context()?;
        let answer = Outgoing {
            data_type: DataType::DhHmacResp,
            csb_id: bundle.csb_id,
            time: context.time,
            rand: None,
            ids: [context.responder, context.initiator],
            middle: Vec::new(),
            half_keys: &[&own, &theirs],
        };
        let message = bundle.sessions.with_map(|map| answer.write(map, keys))??;
        bundle.keys.push(tgk);
        Ok((bundle, message))
    }

    /// Leaves it: the authenticated Error message, with the `policies` that would be taken
    /// ([RFC 3830 §5.1.2]).
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Encode`] if the answer cannot be written.
    ///
    /// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
    pub fn reject(
        self,
        error_no: ErrorNo,
        policies: &[SecurityPolicy<'_>],
    ) -> Result<Vec<u8>, ExchangeError> {
        let keys = self
            .bundle
            .protection
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        rejection(&self.bundle.context()?, error_no, policies, keys)
    }
}
