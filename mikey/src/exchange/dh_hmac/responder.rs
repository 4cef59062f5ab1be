use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{Outgoing, check_suite};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::DhSecret;
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::half_keys::HalfKey;
use crate::exchange::incoming::Incoming;
use crate::exchange::psk::message_keys;
use crate::exchange::{self, Acceptance, Bundle, ExchangeError};
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
        let authenticated = init.check_mac(&keys, &kemac.mac())?;
        authenticated.remember(cache, &peer, time, now)?;
        let theirs = HalfKey::of_peer(dh, &self.acceptance)?;
        let parties = Parties {
            local: self.local.clone(),
            peer: peer.clone(),
        };
        let bundle = Bundle {
            protection: Some(keys),
            ..Bundle::received(
                &init,
                Some(parties),
                CsbDerivation::rfc3830(suite.prf(), csb_id, rand),
                time,
            )
        };
        Ok(Accepted {
            bundle,
            peer,
            message: init.octets().to_vec(),
            method: Answering { theirs },
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

/// A half-key, authenticated.
pub type Accepted = exchange::Accepted<Answering>;

/// What is left to do: to agree on the TGK.
#[derive(Debug)]
pub struct Answering {
    theirs: HalfKey,
}

impl Accepted {
    /// Establishes it: the bundle with the agreed TGK, and the R_message.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::InvalidDhValue`] if the half-key is not one.
    pub fn establish<R: CryptoRng>(self, rng: &mut R) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let Self {
            mut bundle,
            method: Answering { theirs },
            ..
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
}
