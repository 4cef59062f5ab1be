use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{Outgoing, check_suite, read_response};
use crate::code_points::DataType;
use crate::crypto::{DhSecret, Group, Suite};
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::half_keys::{HalfKey, answered};
use crate::exchange::psk::{fresh_rand, message_keys};
use crate::exchange::sessions::Sessions;
use crate::exchange::{
    Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected, Validity,
};
use crate::payload::{Payload, Rand};
use crate::seam::PreSharedKeys;
use crate::{Identity, MessageTime};

/// The Initiator of DHHMAC ([RFC 4650 §3]).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, Proposal, dh_hmac};
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
/// use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// let (mut of_alice, mut of_bob) = (InMemoryKeys::new(), InMemoryKeys::new());
/// of_alice.insert(bob.clone(), Secret::new(&[0x2b; 16])?);
/// of_bob.insert(alice.clone(), Secret::new(&[0x2b; 16])?);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
///
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// let initiator = dh_hmac::Initiator::new(&of_alice, alice, bob.clone());
/// let (awaiting, message) = initiator.start(&proposal, MessageTime::Utc(now), &mut rng)?;
///
/// let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let responder = dh_hmac::Responder::new(&of_bob, bob);
/// let accepted = responder.accept(&message, &mut cache, now)?;
/// let (at_bob, answer) = accepted.establish(&mut rng)?;
///
/// let at_alice = awaiting.accept(&answer)?;
/// assert_eq!(at_alice.keys()[0].key().expose(), at_bob.keys()[0].key().expose());
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 4650 §3]: https://www.rfc-editor.org/rfc/rfc4650#section-3
pub struct Initiator<'k, K: ?Sized> {
    keys: &'k K,
    parties: Parties,
    suite: Suite,
    group: Group,
    validity: Validity,
}

impl<'k, K: PreSharedKeys + ?Sized> Initiator<'k, K> {
    /// `local` calls `peer`, with HMAC-SHA-1-160 and OAKLEY 5.
    #[must_use]
    pub const fn new(keys: &'k K, local: Identity, peer: Identity) -> Self {
        let parties = Parties { local, peer };
        let suite = Suite::NULL_HMAC_SHA1;
        Self {
            keys,
            parties,
            suite,
            group: Group::Oakley5,
            validity: Validity::Unlimited,
        }
    }

    /// With another PRF and MAC; what the suite encrypts with is not used.
    #[must_use]
    pub const fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite.without_encryption();
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

    /// The I_message.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`] for a suite that authenticates nothing, or a peer without a shared key.
    pub fn start<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingResponse, Vec<u8>), ExchangeError> {
        check_suite(self.suite)?;
        let csb_id = proposal.draw_csb_id(rng);
        let rand = fresh_rand(self.suite.prf(), rng);
        let keys = message_keys(self.keys, &self.parties.peer, self.suite, csb_id, &rand)?;
        let secret = DhSecret::random(self.group, rng);
        let own = HalfKey::own(&secret, self.validity.clone());
        let message = Outgoing {
            data_type: DataType::DhHmacInit,
            csb_id,
            time: time.to_payload(),
            rand: Some(Payload::Rand(Rand::new(&rand)?)),
            ids: [&self.parties.local, &self.parties.peer],
            middle: proposal.payloads().collect(),
            half_keys: &[&own],
        }
        .write(proposal.cs_id_map(), &keys)?;
        let bundle = Bundle {
            protection: Some(keys),
            ..Bundle::proposed(
                DataType::DhHmacInit,
                Some(self.parties.clone()),
                csb_id,
                CsbDerivation::rfc3830(self.suite.prf(), csb_id, &rand),
                proposal,
                time,
            )
        };
        let acceptance = Acceptance::new().short_groups(self.group != Group::Oakley5);
        Ok((
            AwaitingResponse {
                bundle,
                secret,
                own,
                acceptance,
            },
            message,
        ))
    }
}

impl<K: ?Sized> fmt::Debug for Initiator<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}

/// An Initiator that has sent its half-key and waits for the other.
#[derive(Debug)]
pub struct AwaitingResponse {
    bundle: Bundle,
    secret: DhSecret,
    own: HalfKey,
    acceptance: Acceptance,
}

impl AwaitingResponse {
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

    /// Takes the R_message.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the state that waits on, for a message that is not the verified answer.
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
        let keys = self
            .bundle
            .protection
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        let answer = read_response(message, &self.acceptance, &context, keys)?;
        let theirs = answered(answer.dh(), &self.own, &self.acceptance)?;
        let sessions = self.bundle.sessions.answered(answer.header().cs_id_map())?;
        Ok((theirs.agree(&self.secret, self.own.validity())?, sessions))
    }
}
