use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::code_points::PayloadType;
use crate::derive::Prf;
use crate::exchange::psk::fresh_rand;
use crate::exchange::sessions::{Policy, Sessions};
use crate::exchange::{ExchangeError, KeyMaterial, Proposal};

/// What all members of a group share: CSB ID, RAND, keys, crypto sessions and policies
/// ([RFC 4738 §3.2]).
///
/// Kept by its sender or its key server, who admits members with
/// [`Accepted::admit`](crate::exchange::Accepted::admit). For new keys make a new group, and admit
/// the members anew.
///
#[cfg_attr(feature = "rsa", doc = "```")]
#[cfg_attr(not(feature = "rsa"), doc = "```ignore")]
/// use mikey::code_points::ProtType;
/// use mikey::crypto::{RsaCredentials, Suite};
/// use mikey::derive::{Prf, Secret};
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, rsa_r};
/// use mikey::payload::{CsIdMap, SecurityPolicy, SrtpIdMap, SrtpIdSession, SrtpPolicy};
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
/// // Bob sends to a group.
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let params = SrtpPolicy::default().params();
/// let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params)?];
/// let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams)?);
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let proposal = Proposal::new(map).policies(&policies);
/// let group = rsa_r::Group::new(Prf::Mikey1, &proposal, vec![tgk], &mut rng)?;
///
/// // Alice wants to listen.
/// let initiator = rsa_r::Initiator::new(&of_alice, alice);
/// let (awaiting, message) = initiator.join(MessageTime::Utc(now), &mut rng)?;
/// let accepted = rsa_r::Responder::new(&of_bob, bob).accept(&message, &mut cache, now)?;
/// let (_, answer) = accepted.admit(Suite::AES_CM_128_HMAC_SHA1, &group, &mut rng)?;
/// let at_alice = awaiting.accept(&answer).map_err(ExchangeError::from)?;
/// assert_eq!(at_alice.csb_id(), group.csb_id());
/// assert_eq!(at_alice.sessions()[0].ssrc(), Some(0x1234_5678));
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 4738 §3.2]: https://www.rfc-editor.org/rfc/rfc4738#section-3.2
pub struct Group {
    pub(super) prf: Prf,
    pub(super) csb_id: u32,
    pub(super) rand: Vec<u8>,
    pub(super) keys: Vec<KeyMaterial>,
    pub(super) sessions: Sessions,
    pub(super) policies: Vec<Policy>,
}

impl Group {
    /// A group with these crypto sessions, policies and keys, whose members use `prf`.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::MissingPayload`] without a policy or without a key.
    pub fn new<R: CryptoRng>(
        prf: Prf,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        rng: &mut R,
    ) -> Result<Self, ExchangeError> {
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let policies = proposal.proposed_policies();
        if policies.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::Sp));
        }
        Ok(Self {
            prf,
            csb_id: proposal.draw_csb_id(rng),
            rand: fresh_rand(prf, rng),
            keys: material,
            sessions: Sessions::from_map(proposal.cs_id_map()),
            policies: policies.iter().map(Policy::from_payload).collect(),
        })
    }

    /// The CSB ID that all members use.
    #[must_use]
    pub const fn csb_id(&self) -> u32 {
        self.csb_id
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("csb_id", &self.csb_id)
            .finish_non_exhaustive()
    }
}
