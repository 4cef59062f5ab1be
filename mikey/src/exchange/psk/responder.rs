use alloc::vec::Vec;
use core::fmt;

use super::{message_keys, open_kemac};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::{Cipher, Iv};
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::incoming::Incoming;
use crate::exchange::verification::verification_message;
use crate::exchange::{self, Acceptance, Bundle, ExchangeError};
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
        let authenticated = init.check_mac(&keys, &kemac.mac())?;
        authenticated.remember(cache, &peer, time, now)?;
        let iv = Iv {
            csb_id,
            timestamp: time.octets(),
        };
        let material = open_kemac(&keys, &iv, None, kemac.encr_data())?;
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let parties = Parties {
            local: self.local.clone(),
            peer: peer.clone(),
        };
        let bundle = Bundle {
            keys: material,
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
            method: Answering {
                data_type: DataType::PskVerMsg,
                answer: init.header().v_flag(),
                cached: true,
            },
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

/// A proposal of keys, authenticated.
pub type Accepted = exchange::Accepted<Answering>;

/// What is left to do: the verification message, if the Initiator wants one.
#[derive(Debug)]
pub struct Answering {
    pub(in crate::exchange) data_type: DataType,
    pub(in crate::exchange) answer: bool,
    /// Whether the keys of the messages are kept for updates.
    pub(in crate::exchange) cached: bool,
}

impl Accepted {
    /// Whether the Initiator waits for an answer (the V flag).
    #[must_use]
    pub const fn wants_answer(&self) -> bool {
        self.method.answer
    }

    /// Establishes it: the bundle, and the verification message if the Initiator wants one.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Encode`] if the answer cannot be written.
    pub fn establish(self) -> Result<(Bundle, Option<Vec<u8>>), ExchangeError> {
        let Self {
            mut bundle, method, ..
        } = self;
        let answer = if method.answer {
            let keys = bundle
                .protection
                .as_ref()
                .ok_or(ExchangeError::UnknownIdentity)?;
            let context = bundle.context()?;
            Some(verification_message(
                method.data_type,
                &context,
                &bundle.sessions,
                keys,
            )?)
        } else {
            None
        };
        if !method.cached {
            bundle.protection = None;
        }
        Ok((bundle, answer))
    }
}
