use alloc::vec::Vec;
use core::fmt;

use super::{message_keys, open_kemac};
use crate::code_points::{DataType, ErrorNo, PayloadType};
use crate::crypto::{Cipher, Iv};
use crate::derive::CsbDerivation;
use crate::exchange::bundle::{Parties, Role};
use crate::exchange::incoming::Incoming;
use crate::exchange::sessions::Sessions;
use crate::exchange::verification::{rejection, verification_message};
use crate::exchange::{Acceptance, Bundle, ExchangeError, Policy, Session};
use crate::payload::SecurityPolicy;
use crate::seam::PreSharedKeys;
use crate::{Identity, ReplayCache, Timestamp};

/// The Responder of the pre-shared key exchange ([RFC 3830 §3.1]).
///
/// See [`Initiator`](super::Initiator) for both sides at work.
///
/// [RFC 3830 §3.1]: https://www.rfc-editor.org/rfc/rfc3830#section-3.1
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

    /// Takes an I_MESSAGE: time, identities, MAC, replay cache, and then what is in it
    /// ([RFC 3830 §5.3]).
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; `cache` is unchanged unless the message was authenticated.
    /// [`error_message`](crate::exchange::error_message) makes the answer, where one is due.
    ///
    /// [RFC 3830 §5.3]: https://www.rfc-editor.org/rfc/rfc3830#section-5.3
    pub fn accept<C: ReplayCache + ?Sized>(
        &self,
        message: &[u8],
        cache: &mut C,
        now: Timestamp,
    ) -> Result<Accepted, ExchangeError> {
        use PayloadType::{Id, Kemac, Rand, Sp};
        let allowed = [Rand, Id, Sp, Kemac];
        let init = Incoming::read(message, &self.acceptance, DataType::PreShared, &allowed)?;
        let kemac = init.last_kemac()?;
        let suite = init.suite(&kemac)?;
        if suite.cipher() == Cipher::Null {
            return Err(ExchangeError::UnsupportedCipher);
        }
        let rand = init.fresh_rand()?;
        let time = init.accepted_time(&self.acceptance, now)?;
        let peer = init.sender(&self.local)?;
        let csb_id = init.header().csb_id();
        let keys = message_keys(self.keys, &peer, suite, csb_id, rand)?;
        let mac = kemac.mac().octets();
        keys.verify(&[init.covered(mac.len())], mac)?;
        init.remember(cache, &peer, time, now)?;
        let iv = Iv {
            csb_id,
            timestamp: time.octets(),
        };
        let material = open_kemac(&keys, &iv, None, kemac.encr_data())?;
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let bundle = Bundle {
            role: Role::Responder,
            parties: Some(Parties {
                local: self.local.clone(),
                peer: peer.clone(),
            }),
            csb_id,
            derivation: CsbDerivation::rfc3830(suite.prf(), csb_id, rand),
            keys: material,
            sessions: Sessions::from_map(init.header().cs_id_map()),
            policies: init.policies(),
            last: time,
            protection: Some(keys),
        };
        Ok(Accepted {
            bundle,
            peer,
            message: init.octets().to_vec(),
            data_type: DataType::PskVerMsg,
            answer: init.header().v_flag(),
            cached: true,
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
    pub(in crate::exchange) bundle: Bundle,
    pub(in crate::exchange) peer: Identity,
    pub(in crate::exchange) message: Vec<u8>,
    pub(in crate::exchange) data_type: DataType,
    pub(in crate::exchange) answer: bool,
    /// Whether the keys of the messages are kept for updates.
    pub(in crate::exchange) cached: bool,
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

    /// Whether the Initiator waits for an answer (the V flag).
    #[must_use]
    pub const fn wants_answer(&self) -> bool {
        self.answer
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

    /// Takes it: the bundle, and the verification message if the Initiator wants one.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Encode`] if the answer cannot be written.
    pub fn establish(self) -> Result<(Bundle, Option<Vec<u8>>), ExchangeError> {
        let mut bundle = self.bundle;
        let answer = if self.answer {
            let keys = bundle
                .protection
                .as_ref()
                .ok_or(ExchangeError::UnknownIdentity)?;
            let context = bundle.context()?;
            Some(verification_message(
                self.data_type,
                &context,
                &bundle.sessions,
                keys,
            )?)
        } else {
            None
        };
        if !self.cached {
            bundle.protection = None;
        }
        Ok((bundle, answer))
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
