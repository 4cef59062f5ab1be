use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::code_points::{DataType, EnvelopeKeyCache, PayloadType};
use crate::crypto::Iv;
use crate::derive::{CsbDerivation, MessageKeys, Prf};
use crate::exchange::bundle::Parties;
use crate::exchange::psk::fresh_rand;
use crate::exchange::sessions::{Policy, Sessions};
use crate::exchange::signature::{enveloped_suite, open_enveloped, signed};
use crate::exchange::verification::{Context, read_answer};
use crate::exchange::{Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected};
use crate::payload::{CsIdMap, Header, Payload, Rand};
use crate::seam::Credentials;
use crate::{Identity, MessageTime};

/// The Initiator of RSA-R, who asks for keys ([RFC 4738 §3.4]).
///
/// Whoever answers is named by the answer, proven by its signature: a call may have been forwarded.
/// Compare [`Bundle::peer`] with whom you wish to talk to, or say so with
/// [`expecting`](Self::expecting).
///
#[cfg_attr(feature = "rsa", doc = "```")]
#[cfg_attr(not(feature = "rsa"), doc = "```ignore")]
/// use mikey::crypto::{RsaCredentials, Suite};
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, rsa_r};
/// use mikey::payload::CsIdMap;
/// use mikey::{Identity, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};
///
/// # macro_rules! test_key {
/// #     ($name:literal) => {
/// #         include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa/", $name))
/// #     };
/// # }
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// # let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// # let unusable = |_| ExchangeError::UnknownIdentity;
/// # let mut of_alice = RsaCredentials::from_pkcs8(test_key!("alice.pkcs8.der")).map_err(unusable)?;
/// # of_alice.trust(bob.clone(), test_key!("bob.modulus.bin"), &[1, 0, 1]);
/// # let mut of_bob = RsaCredentials::from_pkcs8(test_key!("bob.pkcs8.der")).map_err(unusable)?;
/// # of_bob.trust(alice.clone(), test_key!("alice.modulus.bin"), &[1, 0, 1]);
/// # let now = Timestamp::from_unix(1_800_000_000, 0);
/// # let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let initiator = rsa_r::Initiator::new(&of_alice, alice);
/// let proposal = Proposal::new(CsIdMap::NONE);
/// let (awaiting, message) = initiator.start(&proposal, MessageTime::Utc(now), &mut rng)?;
///
/// let accepted = rsa_r::Responder::new(&of_bob, bob.clone()).accept(&message, &mut cache, now)?;
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let suite = Suite::AES_CM_128_HMAC_SHA1;
/// let (_at_bob, answer) = accepted.establish(suite, vec![tgk], &[], &mut rng)?;
///
/// let at_alice = awaiting.accept(&answer).map_err(ExchangeError::from)?;
/// assert_eq!(at_alice.peer(), Some(&bob));
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 4738 §3.4]: https://www.rfc-editor.org/rfc/rfc4738#section-3.4
pub struct Initiator<'k, C: ?Sized> {
    credentials: &'k C,
    local: Identity,
    expected: Option<Identity>,
    prf: Prf,
}

impl<'k, C: Credentials + ?Sized> Initiator<'k, C> {
    /// `local` asks, with the PRF MIKEY-1, and anyone may answer whose signature `credentials`
    /// verifies.
    #[must_use]
    pub const fn new(credentials: &'k C, local: Identity) -> Self {
        Self {
            credentials,
            local,
            expected: None,
            prf: Prf::Mikey1,
        }
    }

    /// Only `peer` may answer.
    #[must_use]
    pub fn expecting(mut self, peer: Identity) -> Self {
        self.expected = Some(peer);
        self
    }

    /// With another PRF.
    #[must_use]
    pub const fn prf(mut self, prf: Prf) -> Self {
        self.prf = prf;
        self
    }

    /// The I_MESSAGE.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Credentials`] if the own key cannot sign.
    pub fn start<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingResponse<'k, C>, Vec<u8>), ExchangeError> {
        let rand = fresh_rand(self.prf, rng);
        self.request(proposal, Some(rand), time, rng)
    }

    /// The I_MESSAGE that asks for the keys and the policy of a group, as one who only listens
    /// ([RFC 4738 §3.2]): it has neither RAND nor crypto sessions. The answer has all of them.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Credentials`] if the own key cannot sign.
    ///
    /// [RFC 4738 §3.2]: https://www.rfc-editor.org/rfc/rfc4738#section-3.2
    pub fn join<R: CryptoRng>(
        &self,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingResponse<'k, C>, Vec<u8>), ExchangeError> {
        self.request(&Proposal::new(CsIdMap::NONE), None, time, rng)
    }

    /// Asks a group without `rand`, else one who answers.
    fn request<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        rand: Option<Vec<u8>>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingResponse<'k, C>, Vec<u8>), ExchangeError> {
        let csb_id = proposal.draw_csb_id(rng);
        let mut payloads = alloc::vec![Payload::T(time.to_payload())];
        if let Some(rand) = &rand {
            payloads.push(Payload::Rand(Rand::new(rand)?));
        }
        payloads.push(Payload::Id(self.local.to_payload()?));
        payloads.extend(
            self.credentials
                .certificates()
                .into_iter()
                .map(Payload::Cert),
        );
        if let Some(peer) = &self.expected {
            payloads.push(Payload::Id(peer.to_payload()?));
        }
        payloads.extend(proposal.payloads());
        let map = proposal.cs_id_map();
        // V is 1 in this exchange, and ignored.
        let header = Header::new(DataType::RsaRInit, self.prf.prf_func(), csb_id, map)?
            .expecting_response(true);
        let message = signed(header, &payloads, self.credentials)?;
        let bundle = Bundle::proposed(
            DataType::RsaRInit,
            None,
            csb_id,
            CsbDerivation::rfc3830(self.prf, csb_id, rand.as_deref().unwrap_or_default()),
            proposal,
            time,
        );
        let awaiting = AwaitingResponse {
            credentials: self.credentials,
            local: self.local.clone(),
            expected: self.expected.clone(),
            bundle,
            rand,
            acceptance: Acceptance::new(),
        };
        Ok((awaiting, message))
    }
}

impl<C: ?Sized> fmt::Debug for Initiator<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// An Initiator that has asked for keys.
pub struct AwaitingResponse<'k, C: ?Sized> {
    credentials: &'k C,
    local: Identity,
    expected: Option<Identity>,
    bundle: Bundle,
    /// Ours; a group has its own.
    rand: Option<Vec<u8>>,
    acceptance: Acceptance,
}

/// What the answer brings.
struct Answer {
    peer: Identity,
    csb_id: u32,
    derivation: CsbDerivation,
    keys: MessageKeys,
    cached: bool,
    material: Vec<KeyMaterial>,
    sessions: Sessions,
    policies: Vec<Policy>,
}

impl<C: Credentials + ?Sized> AwaitingResponse<'_, C> {
    /// Reads the answer with these quirks and code points.
    #[must_use]
    pub const fn acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// The CSB ID that was proposed.
    #[must_use]
    pub const fn csb_id(&self) -> u32 {
        self.bundle.csb_id
    }

    /// Takes the R_MESSAGE.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the state that waits on, for a message that is not the verified answer. An
    /// [`ExchangeError::PeerError`] ends the exchange only if it is authenticated.
    pub fn accept(mut self, message: &[u8]) -> Result<Bundle, Rejected<Self>> {
        match self.check(message) {
            Ok(answer) => {
                self.bundle.parties = Some(Parties {
                    local: self.local,
                    peer: answer.peer,
                });
                self.bundle.csb_id = answer.csb_id;
                self.bundle.derivation = answer.derivation;
                self.bundle.keys = answer.material;
                self.bundle.sessions = answer.sessions;
                self.bundle.protection = answer.cached.then_some(answer.keys);
                if !answer.policies.is_empty() {
                    self.bundle.policies = answer.policies;
                }
                Ok(self.bundle)
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    fn check(&self, message: &[u8]) -> Result<Answer, ExchangeError> {
        use PayloadType::{Cert, GeneralExtension, Id, Kemac, Pke, Rand, Sign, Sp};
        let context = Context {
            initiator: &self.local,
            // Not known yet; what is read with it does not depend on it.
            responder: &self.local,
            csb_id: self.bundle.csb_id,
            prf_func: self.bundle.derivation.prf().prf_func(),
            time: self.bundle.last.to_payload(),
        };
        // Exactly one side sends RAND (RFC 4738 §3.7).
        let unicast = [Id, Cert, Sp, Kemac, Pke, Sign];
        let group = [Rand, Id, Cert, Sp, Kemac, Pke, Sign];
        let allowed = match &self.rand {
            Some(_) => unicast.as_slice(),
            None => &group,
        };
        let data_type = DataType::RsaRResp;
        let answer = read_answer(
            message,
            data_type,
            allowed,
            &self.acceptance,
            &context,
            // Of whoever may answer none is known to be the one who was asked.
            |error| match &self.expected {
                Some(peer) => error.is_signed(peer, self.credentials),
                None => Ok(false),
            },
        )?;
        let (csb_id, rand) = match (&self.rand, answer.group_csb_id()) {
            (Some(rand), None) => (self.bundle.csb_id, rand.as_slice()),
            (None, Some(csb_id)) => (csb_id, answer.fresh_rand()?),
            (Some(_), Some(_)) => return Err(ExchangeError::UnexpectedPayload(GeneralExtension)),
            (None, None) => return Err(ExchangeError::MissingPayload(GeneralExtension)),
        };
        let (kemac, pke, sign) = (answer.kemac()?, answer.pke()?, answer.sign()?);
        let prf = answer.prf()?;
        let peer = match answer.ids() {
            [responder] => Identity::from_payload(responder),
            [] => return Err(ExchangeError::MissingPayload(Id)),
            _ => return Err(ExchangeError::UnexpectedPayload(Id)),
        };
        if peer == self.local {
            return Err(ExchangeError::Reflected);
        }
        if self
            .expected
            .as_ref()
            .is_some_and(|expected| *expected != peer)
        {
            return Err(ExchangeError::UnknownIdentity);
        }
        let context = Context {
            responder: &peer,
            ..context
        };
        let suite = enveloped_suite(&answer, &kemac)?;
        let covered = answer.covered(Payload::Sign(sign).encoded_len());
        self.credentials.verify(
            context.responder,
            answer.certificates(),
            sign.s_type(),
            &[covered, &context.octets()],
            sign.signature(),
        )?;
        let policies = answer.policies();
        let sessions = if self.rand.is_some() {
            // Where none was proposed the Responder may still say which one it has.
            let proposed = &self.bundle.policies;
            let known = |policy| proposed.is_empty() || proposed.contains(policy);
            if !policies.iter().all(known) {
                return Err(ExchangeError::UnsupportedPolicy);
            }
            if policies.is_empty() && !proposed.is_empty() {
                return Err(ExchangeError::MissingPayload(Sp));
            }
            let map = answer.header().cs_id_map();
            self.bundle.sessions.answered_with(map, &policies)?
        } else if policies.is_empty() {
            return Err(ExchangeError::MissingPayload(Sp));
        } else {
            Sessions::from_map(answer.header().cs_id_map())
        };
        let timestamp = self.bundle.last.octets();
        let iv = Iv { csb_id, timestamp };
        let (keys, material) =
            open_enveloped(&answer, &peer, suite, (&iv, rand), self.credentials)?;
        let cached = !matches!(pke.cache(), EnvelopeKeyCache::NoCache);
        let derivation = CsbDerivation::rfc3830(prf, csb_id, rand);
        Ok(Answer {
            peer,
            csb_id,
            derivation,
            keys,
            cached,
            material,
            sessions,
            policies,
        })
    }
}

impl<C: ?Sized> fmt::Debug for AwaitingResponse<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingResponse")
            .field("bundle", &self.bundle)
            .finish_non_exhaustive()
    }
}
