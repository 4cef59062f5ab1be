use core::fmt;

use crate::code_points::{DataType, EnvelopeKeyCache, PayloadType};
use crate::crypto::Iv;
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::incoming::Incoming;
use crate::exchange::psk::{Accepted, Answering};
use crate::exchange::signature::{enveloped_suite, open_enveloped};
use crate::exchange::{Acceptance, Bundle, ExchangeError};
use crate::seam::Credentials;
use crate::{Identity, ReplayCache, Timestamp};

/// The Responder of the public-key exchange ([RFC 3830 §3.2]).
///
/// [RFC 3830 §3.2]: https://www.rfc-editor.org/rfc/rfc3830#section-3.2
pub struct Responder<'k, C: ?Sized> {
    credentials: &'k C,
    local: Identity,
    acceptance: Acceptance,
}

impl<'k, C: Credentials + ?Sized> Responder<'k, C> {
    /// Answers for `local`, strictly.
    #[must_use]
    pub fn new(credentials: &'k C, local: Identity) -> Self {
        Self {
            credentials,
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

    /// Takes an I_MESSAGE: time, identities, signature, replay cache, and only then the envelope.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; `cache` is unchanged unless the message was authenticated. Whether the
    /// envelope or what it protects failed is not told apart.
    pub fn accept<R: ReplayCache + ?Sized>(
        &self,
        message: &[u8],
        cache: &mut R,
        now: Timestamp,
    ) -> Result<Accepted, ExchangeError> {
        use PayloadType::{Cert, Chash, Id, Kemac, Pke, Rand, Sign, Sp};
        let allowed = [Rand, Id, Cert, Sp, Kemac, Chash, Pke, Sign];
        let init = Incoming::read(message, &self.acceptance, DataType::PublicKey, &allowed)?;
        let (kemac, pke) = (init.kemac()?, init.pke()?);
        let suite = enveloped_suite(&init, &kemac)?;
        let rand = init.fresh_rand()?;
        let time = init.accepted_time(&self.acceptance, now)?;
        let peer = init.sender(&self.local)?;
        let authenticated = init.check_signature(&peer, self.credentials)?;
        authenticated.remember(cache, &peer, time, now)?;

        let csb_id = init.header().csb_id();
        let iv = Iv {
            csb_id,
            timestamp: time.octets(),
        };
        let (keys, material) = open_enveloped(&init, &peer, suite, (&iv, rand), self.credentials)?;
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
                data_type: DataType::PkVerMsg,
                answer: init.header().v_flag(),
                cached: !matches!(pke.cache(), EnvelopeKeyCache::NoCache),
            },
        })
    }
}

impl<C: ?Sized> fmt::Debug for Responder<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}
