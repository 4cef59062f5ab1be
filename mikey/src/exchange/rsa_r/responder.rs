use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Group;
use crate::code_points::{DataType, EnvelopeKeyCache, ErrorNo, GeneralExtensionType, PayloadType};
use crate::crypto::{Iv, Suite};
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::incoming::Incoming;
use crate::exchange::psk::fresh_rand;
use crate::exchange::signature::{EnvelopedKeys, envelope_keys, fresh_envelope_key, put_signature};
use crate::exchange::verification::signed_rejection;
use crate::exchange::{self, Acceptance, Bundle, ExchangeError, KeyMaterial, Policy};
use crate::payload::{Cert, GeneralExtension, Header, Payload, Pke, Rand, SecurityPolicy, Sign};
use crate::seam::Credentials;
use crate::{Identity, Message, ReplayCache, Timestamp};

/// The Responder of RSA-R, who gives keys ([RFC 4738 §3.5]).
///
/// [RFC 4738 §3.5]: https://www.rfc-editor.org/rfc/rfc4738#section-3.5
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

    /// Takes an I_MESSAGE. If it has no RAND, the answer has one.
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
        use PayloadType::{Cert, Id, Rand, Sign, Sp};
        let allowed = [Rand, Id, Cert, Sp, Sign];
        let init = Incoming::read(message, &self.acceptance, DataType::RsaRInit, &allowed)?;
        let prf = init.prf()?;
        let rand = match init.rand() {
            Some(_) => init.fresh_rand()?,
            None => &[],
        };
        let time = init.accepted_time(&self.acceptance, now)?;
        let peer = init.sender(&self.local)?;
        let authenticated = init.check_signature(&peer, self.credentials)?;
        authenticated.remember(cache, &peer, time, now)?;
        let csb_id = init.header().csb_id();
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
        Ok(Accepted {
            bundle,
            peer,
            message: init.octets().to_vec(),
            method: Answering {
                credentials: self.credentials,
                rand: rand.to_vec(),
                acceptance: self.acceptance,
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

/// A request for keys, authenticated; its policies are those that the Initiator supports.
pub type Accepted<'k, C> = exchange::Accepted<Answering<'k, C>>;

/// What is left to do: to choose keys, seal and sign them.
pub struct Answering<'k, C: ?Sized> {
    credentials: &'k C,
    /// Empty if the Initiator left it to us.
    rand: Vec<u8>,
    acceptance: Acceptance,
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

    /// Gives `material` under `suite`, with the policies of the Initiator whose numbers are in
    /// `policies`: at least one, where it sent any ([RFC 4738 §3.6]). Each crypto session has one of
    /// them from then on.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::UnsupportedPolicy`] for a policy that was not sent, and for a choice that
    /// leaves a crypto session without one of those that it lists or with several to choose between;
    /// another [`ExchangeError`] for a suite of another PRF or that does not protect keys, no key, or
    /// credentials that fail.
    ///
    /// [RFC 4738 §3.6]: https://www.rfc-editor.org/rfc/rfc4738#section-3.6
    pub fn establish<R: CryptoRng>(
        mut self,
        suite: Suite,
        material: Vec<KeyMaterial>,
        policies: &[u8],
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let bundle = &mut self.bundle;
        let chosen = |number: &u8| bundle.policies.iter().any(|p| p.policy_no() == *number);
        if !policies.iter().all(chosen) || (policies.is_empty() && !bundle.policies.is_empty()) {
            return Err(ExchangeError::UnsupportedPolicy);
        }
        bundle
            .policies
            .retain(|policy| policies.contains(&policy.policy_no()));
        if !bundle.policies.is_empty() {
            bundle.sessions.choose_policies(&bundle.policies)?;
        }
        bundle.keys = material;
        if self.method.rand.is_empty() {
            let rand = fresh_rand(suite.prf(), rng);
            self.answer(suite, &rand, Sends::Rand, rng)
        } else {
            let rand = core::mem::take(&mut self.method.rand);
            self.answer(suite, &rand, Sends::NoRand, rng)
        }
    }

    /// Gives the keys of `group` under `suite`, with its policies and crypto sessions
    /// ([RFC 4738 §3.2]): every member that is admitted has the same TEKs. A RAND that the Initiator
    /// sent is not used.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`] for a suite of another PRF or that does not protect keys, an Initiator that
    /// has sent policies, which a group does not negotiate, or credentials that fail.
    ///
    /// [RFC 4738 §3.2]: https://www.rfc-editor.org/rfc/rfc4738#section-3.2
    pub fn admit<R: CryptoRng>(
        mut self,
        suite: Suite,
        group: &Group,
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        if !self.bundle.policies.is_empty() {
            return Err(ExchangeError::UnexpectedPayload(PayloadType::Sp));
        }
        if self.bundle.derivation.prf() != group.prf {
            return Err(ExchangeError::UnsupportedPrf);
        }
        self.bundle.sessions = group.sessions.clone();
        self.bundle.policies.clone_from(&group.policies);
        self.bundle.keys = group.keys.iter().map(KeyMaterial::duplicate).collect();
        self.answer(suite, &group.rand, Sends::Group(group.csb_id), rng)
    }

    /// The R_MESSAGE that gives what the bundle has by now.
    fn answer<R: CryptoRng>(
        self,
        suite: Suite,
        rand: &[u8],
        sends: Sends,
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let Self {
            mut bundle,
            message,
            method,
            ..
        } = self;
        let Answering {
            credentials,
            acceptance,
            ..
        } = method;
        if suite.prf() != bundle.derivation.prf() {
            return Err(ExchangeError::UnsupportedPrf);
        }
        if bundle.keys.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let csb_id = match sends {
            Sends::Group(csb_id) => csb_id,
            Sends::NoRand | Sends::Rand => bundle.csb_id,
        };
        let context = bundle.context()?;
        let initial = acceptance.reading().decode(&message)?;
        let of_peer: Vec<Cert<'_>> = initial
            .payloads()
            .filter_map(|payload| match payload {
                Payload::Cert(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        let envelope_key = fresh_envelope_key(suite, rng)?;
        let envelope = credentials.seal_envelope(context.initiator, &of_peer, &envelope_key)?;
        let keys = envelope_keys(&envelope_key, suite, csb_id, rand)?;
        let timestamp = bundle.last.octets();
        let iv = Iv { csb_id, timestamp };
        let kemac = EnvelopedKeys::seal(&keys, &iv, context.responder, &bundle.keys)?;

        let mut payloads = Vec::new();
        let group = csb_id.to_be_bytes();
        if matches!(sends, Sends::Group(_)) {
            let extension = GeneralExtension::new(GeneralExtensionType::CsbId, &group)?;
            payloads.push(Payload::GeneralExtension(extension));
        }
        payloads.push(Payload::T(context.time));
        if !matches!(sends, Sends::NoRand) {
            payloads.push(Payload::Rand(Rand::new(rand)?));
        }
        payloads.push(Payload::Id(context.responder.to_payload()?));
        payloads.extend(credentials.certificates().into_iter().map(Payload::Cert));
        let params = bundle
            .policies
            .iter()
            .map(Policy::params)
            .collect::<Result<Vec<_>, _>>()?;
        for (policy, params) in bundle.policies.iter().zip(&params) {
            let policy = SecurityPolicy::new(policy.policy_no(), policy.prot_type(), params)?;
            payloads.push(Payload::Sp(policy));
        }
        payloads.push(Payload::Kemac(kemac.to_payload()?));
        payloads.push(Payload::Pke(Pke::new(
            EnvelopeKeyCache::CacheForCsb,
            &envelope,
        )?));
        let unset = alloc::vec![0; credentials.signature_len()];
        let sign = Sign::new(credentials.s_type(), &unset)?;
        payloads.push(Payload::Sign(sign));
        let mut octets = bundle.sessions.with_map(|map| {
            let header = Header::new(DataType::RsaRResp, context.prf_func, bundle.csb_id, map)?;
            Ok::<_, ExchangeError>(Message::new(header, &payloads)?.to_vec())
        })??;
        // The signature covers neither itself nor the head of its payload (RFC 4738 §3.6).
        let behind = Payload::Sign(sign).encoded_len();
        let covered = octets.get(..octets.len().saturating_sub(behind));
        let parts = [covered.unwrap_or_default(), &context.octets()];
        let signature = credentials.sign(&parts)?;
        octets.truncate(octets.len().saturating_sub(unset.len()));
        let message = put_signature(octets, &signature, unset.len())?;
        drop(payloads);
        drop(params);
        bundle.csb_id = csb_id;
        bundle.derivation = CsbDerivation::rfc3830(suite.prf(), csb_id, rand);
        bundle.protection = Some(keys);
        Ok((bundle, message))
    }
}

/// What the answer says of how keys are derived.
#[derive(Clone, Copy)]
enum Sends {
    /// Nothing: the Initiator sent RAND.
    NoRand,
    Rand,
    /// RAND and the CSB ID of the group.
    Group(u32),
}

impl<C: ?Sized> fmt::Debug for Answering<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
