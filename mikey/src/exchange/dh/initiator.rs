use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::read_response;
use crate::code_points::DataType;
use crate::crypto::{DhSecret, Group};
use crate::derive::{CsbDerivation, Prf};
use crate::exchange::bundle::Parties;
use crate::exchange::half_keys::{HalfKey, answered};
use crate::exchange::psk::fresh_rand;
use crate::exchange::sessions::Sessions;
use crate::exchange::signature::signed;
use crate::exchange::{
    Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected, Validity,
};
use crate::payload::{Header, Payload, Rand};
use crate::seam::Credentials;
use crate::{Identity, MessageTime};

/// The Initiator of the signed Diffie-Hellman exchange ([RFC 3830 §3.3]).
///
/// Its steps are those of [`dh_hmac::Initiator`](crate::exchange::dh_hmac::Initiator), with
/// [`Credentials`] in place of a shared key.
///
#[cfg_attr(feature = "rsa", doc = "```")]
#[cfg_attr(not(feature = "rsa"), doc = "```ignore")]
/// use mikey::crypto::RsaCredentials;
/// use mikey::exchange::{ExchangeError, Proposal, dh};
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
/// let initiator = dh::Initiator::new(&of_alice, alice, bob.clone());
/// let proposal = Proposal::new(CsIdMap::NONE);
/// let (awaiting, message) = initiator.start(&proposal, MessageTime::Utc(now), &mut rng)?;
///
/// let responder = dh::Responder::new(&of_bob, bob);
/// let (at_bob, answer) = responder.accept(&message, &mut cache, now)?.establish(&mut rng)?;
///
/// let at_alice = awaiting.accept(&answer).map_err(ExchangeError::from)?;
/// assert_eq!(at_alice.keys()[0].key().expose(), at_bob.keys()[0].key().expose());
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3
pub struct Initiator<'k, C: ?Sized> {
    pub(super) credentials: &'k C,
    pub(super) parties: Parties,
    prf: Prf,
    group: Group,
    validity: Validity,
}

impl<'k, C: Credentials + ?Sized> Initiator<'k, C> {
    /// `local` calls `peer`, with the PRF MIKEY-1 and OAKLEY 5.
    #[must_use]
    pub const fn new(credentials: &'k C, local: Identity, peer: Identity) -> Self {
        let parties = Parties { local, peer };
        let (prf, group) = (Prf::Mikey1, Group::Oakley5);
        Self {
            credentials,
            parties,
            prf,
            group,
            validity: Validity::Unlimited,
        }
    }

    /// With another PRF.
    #[must_use]
    pub const fn prf(mut self, prf: Prf) -> Self {
        self.prf = prf;
        self
    }

    /// In another group.
    #[must_use]
    pub const fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// For a TGK that is used at certain times, or named by an SPI.
    #[must_use]
    pub fn validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
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
        let csb_id = proposal.draw_csb_id(rng);
        let rand = fresh_rand(self.prf, rng);
        let secret = DhSecret::random(self.group, rng);
        let own = HalfKey::own(&secret, self.validity.clone());
        let mut payloads = alloc::vec![
            Payload::T(time.to_payload()),
            Payload::Rand(Rand::new(&rand)?),
            Payload::Id(self.parties.local.to_payload()?),
        ];
        payloads.extend(
            self.credentials
                .certificates()
                .into_iter()
                .map(Payload::Cert),
        );
        payloads.push(Payload::Id(self.parties.peer.to_payload()?));
        payloads.extend(proposal.payloads());
        payloads.push(Payload::Dh(own.to_payload()?));
        let map = proposal.cs_id_map();
        let header = Header::new(DataType::DhInit, self.prf.prf_func(), csb_id, map)?
            .expecting_response(true);
        let message = signed(header, &payloads, self.credentials)?;
        let bundle = Bundle::proposed(
            DataType::DhInit,
            Some(self.parties.clone()),
            csb_id,
            CsbDerivation::rfc3830(self.prf, csb_id, &rand),
            proposal,
            time,
        );
        let acceptance = Acceptance::new().short_groups(self.group != Group::Oakley5);
        let credentials = self.credentials;
        Ok((
            AwaitingResponse {
                credentials,
                bundle,
                secret,
                own,
                acceptance,
            },
            message,
        ))
    }
}

impl<C: ?Sized> fmt::Debug for Initiator<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}

/// An Initiator that has sent its half-key and waits for the other.
pub struct AwaitingResponse<'k, C: ?Sized> {
    credentials: &'k C,
    bundle: Bundle,
    secret: DhSecret,
    own: HalfKey,
    acceptance: Acceptance,
}

impl<C: Credentials + ?Sized> AwaitingResponse<'_, C> {
    /// Reads the answer with these quirks and code points. The group of the answer is in any case
    /// the one that was proposed.
    #[must_use]
    pub const fn acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance.short_groups(true);
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
            Ok((tgk, sessions)) => {
                self.bundle.keys.push(tgk);
                self.bundle.sessions = sessions;
                Ok(self.bundle)
            }
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    fn check(&self, message: &[u8]) -> Result<(KeyMaterial, Sessions), ExchangeError> {
        let context = self.bundle.context()?;
        let answer = read_response(message, &self.acceptance, &context, self.credentials)?;
        let theirs = answered(answer.dh(), &self.own, &self.acceptance)?;
        let sessions = self.bundle.sessions.answered(answer.header().cs_id_map())?;
        Ok((theirs.agree(&self.secret, self.own.validity())?, sessions))
    }
}

impl<C: ?Sized> fmt::Debug for AwaitingResponse<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingResponse")
            .field("bundle", &self.bundle)
            .finish_non_exhaustive()
    }
}
