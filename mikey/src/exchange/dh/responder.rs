use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::code_points::{DataType, ErrorNo, PayloadType};
use crate::crypto::DhSecret;
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::half_keys::HalfKey;
use crate::exchange::incoming::Incoming;
use crate::exchange::signature::signed;
use crate::exchange::verification::signed_rejection;
use crate::exchange::{self, Acceptance, Bundle, ExchangeError};
use crate::payload::{Header, Payload, SecurityPolicy};
use crate::seam::Credentials;
use crate::{Identity, ReplayCache, Timestamp};

/// The Responder of the signed Diffie-Hellman exchange ([RFC 3830 §3.3]).
///
/// [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3
pub struct Responder<'k, C: ?Sized> {
    pub(super) credentials: &'k C,
    pub(super) local: Identity,
    pub(super) acceptance: Acceptance,
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

    /// Takes an I_MESSAGE. No exponentiation happens before its signature is verified.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; `cache` is unchanged unless the message was authenticated.
    pub fn accept<R: ReplayCache + ?Sized>(
        &self,
        message: &[u8],
        cache: &mut R,
        now: Timestamp,
    ) -> Result<Accepted<'k, C>, ExchangeError> {
        use PayloadType as P;
        let allowed = [P::Rand, P::Id, P::Cert, P::Sp, P::Dh, P::Sign];
        let init = Incoming::read(message, &self.acceptance, DataType::DhInit, &allowed)?;
        let prf = init.prf()?;
        let [dh] = init.dh() else {
            return Err(ExchangeError::MissingPayload(P::Dh));
        };
        let rand = init.fresh_rand()?;
        let time = init.accepted_time(&self.acceptance, now)?;
        let peer = init.sender(&self.local)?;
        let authenticated = init.check_signature(&peer, self.credentials)?;
        authenticated.remember(cache, &peer, time, now)?;
        let csb_id = init.header().csb_id();
        let theirs = HalfKey::of_peer(dh, &self.acceptance)?;
        let parties = Parties {
            local: self.local.clone(),
            peer: peer.clone(),
        };
        let bundle = Bundle::received(
            &init,
            Some(parties),
            CsbDerivation::rfc3830(prf, csb_id, rand),
            time,
        );
        let credentials = self.credentials;
        Ok(Accepted {
            bundle,
            peer,
            message: init.octets().to_vec(),
            method: Answering {
                credentials,
                theirs,
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

/// A half-key, authenticated.
pub type Accepted<'k, C> = exchange::Accepted<Answering<'k, C>>;

/// What is left to do: to agree on the TGK, and to sign.
pub struct Answering<'k, C: ?Sized> {
    credentials: &'k C,
    theirs: HalfKey,
}

impl<C: Credentials + ?Sized> Accepted<'_, C> {
    /// Rejects it as [`reject`](exchange::Accepted::reject) does, with a signature, so that the
    /// Initiator need not take it for a hint ([RFC 3830 §5.1.2]).
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Credentials`] if the own key cannot sign.
    ///
    /// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
    pub fn reject_signed(
        self,
        error_no: ErrorNo,
        policies: &[SecurityPolicy<'_>],
    ) -> Result<Vec<u8>, ExchangeError> {
        let context = self.bundle.context()?;
        signed_rejection(&context, error_no, policies, self.method.credentials)
    }

    /// Establishes it: the bundle with the agreed TGK, and the R_MESSAGE.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::InvalidDhValue`] if the half-key is not one.
    pub fn establish<R: CryptoRng>(self, rng: &mut R) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let Self {
            mut bundle,
            method: Answering {
                credentials,
                theirs,
            },
            ..
        } = self;
        let secret = DhSecret::random(theirs.group(), rng);
        let tgk = theirs.agree(&secret, theirs.validity())?;
        let own = HalfKey::own(&secret, theirs.validity().clone());
        let context = bundle.context()?;
        let mut payloads = alloc::vec![
            Payload::T(context.time),
            Payload::Id(context.responder.to_payload()?),
        ];
        payloads.extend(credentials.certificates().into_iter().map(Payload::Cert));
        payloads.push(Payload::Id(context.initiator.to_payload()?));
        payloads.push(Payload::Dh(own.to_payload()?));
        payloads.push(Payload::Dh(theirs.to_payload()?));
        let message = bundle.sessions.with_map(|map| {
            let header = Header::new(DataType::DhResp, context.prf_func, bundle.csb_id, map)?;
            signed(header, &payloads, credentials)
        })??;
        bundle.keys.push(tgk);
        Ok((bundle, message))
    }
}

impl<C: ?Sized> fmt::Debug for Answering<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
