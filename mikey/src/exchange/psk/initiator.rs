use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{message_keys, seal_kemac};
use crate::code_points::{DataType, PayloadType};
use crate::crypto::{Cipher, Iv, Suite};
use crate::derive::{CsbDerivation, Prf};
use crate::exchange::bundle::Parties;
use crate::exchange::verification::{authenticate, check_verification, unset};
use crate::exchange::{Acceptance, Bundle, ExchangeError, KeyMaterial, Proposal, Rejected};
use crate::payload::{Header, Kemac, Payload, Rand};
use crate::seam::PreSharedKeys;
use crate::{Identity, Message, MessageTime};

/// The Initiator of the pre-shared key exchange ([RFC 3830 §3.1]).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{Acceptance, ExchangeError, KeyKind, KeyMaterial, Proposal, psk};
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
/// // Alice: one SRTP stream, one TGK, and she wants to know that it arrived.
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let initiator = psk::Initiator::new(&of_alice, alice, bob.clone());
/// let (awaiting, message) =
///     initiator.request(&proposal, vec![tgk], MessageTime::Utc(now), &mut rng)?;
///
/// // Bob.
/// let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let responder = psk::Responder::new(&of_bob, bob);
/// let (at_bob, answer) = responder.accept(&message, &mut cache, now)?.establish()?;
///
/// // Alice again.
/// let at_alice = awaiting.accept(&answer.unwrap_or_default())?;
/// assert_eq!(at_alice.csb_id(), at_bob.csb_id());
/// assert_eq!(at_alice.keys()[0].key().expose(), at_bob.keys()[0].key().expose());
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §3.1]: https://www.rfc-editor.org/rfc/rfc3830#section-3.1
pub struct Initiator<'k, K: ?Sized> {
    keys: &'k K,
    parties: Parties,
    suite: Suite,
}

impl<'k, K: PreSharedKeys + ?Sized> Initiator<'k, K> {
    /// `local` calls `peer`, with the mandatory suite of RFC 3830.
    #[must_use]
    pub const fn new(keys: &'k K, local: Identity, peer: Identity) -> Self {
        let parties = Parties { local, peer };
        Self {
            keys,
            parties,
            suite: Suite::AES_CM_128_HMAC_SHA1,
        }
    }

    /// With another suite.
    #[must_use]
    pub const fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// The I_MESSAGE that wants no answer (V = 0): the bundle is established at once, though
    /// whether it arrives is not known.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`] for a suite that does not protect keys, no key, keys that do not fit, or a
    /// peer without a shared key.
    pub fn send<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let csb_id = proposal.draw_csb_id(rng);
        let rand = fresh_rand(self.suite.prf(), rng);
        self.message(proposal, material, time, false, csb_id, &rand)
    }

    /// As [`send`](Self::send), for one more member of `group`: the same CSB ID, RAND and keys, so
    /// that all members have the same TEKs ([RFC 3830 §8.1]). `proposal` is the one of the group.
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send), and [`ExchangeError::UnsupportedPrf`] for a suite with another
    /// PRF than the group's, [`ExchangeError::Mismatch`] for a bundle of another kind of exchange or
    /// that this host did not initiate.
    ///
    /// [RFC 3830 §8.1]: https://www.rfc-editor.org/rfc/rfc3830#section-8.1
    pub fn invite(
        &self,
        group: &Bundle,
        proposal: &Proposal<'_>,
        time: MessageTime,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        if group.derivation.prf() != self.suite.prf() {
            return Err(ExchangeError::UnsupportedPrf);
        }
        let rand = match group.derivation.rand() {
            Some(rand) if group.is_initiator() => rand,
            _ => return Err(ExchangeError::Mismatch),
        };
        let material = group.keys().iter().map(KeyMaterial::duplicate).collect();
        self.message(proposal, material, time, false, group.csb_id(), rand)
    }

    /// The I_MESSAGE that wants a verification message (V = 1).
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send).
    pub fn request<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingVerification, Vec<u8>), ExchangeError> {
        let csb_id = proposal.draw_csb_id(rng);
        let rand = fresh_rand(self.suite.prf(), rng);
        let (bundle, message) = self.message(proposal, material, time, true, csb_id, &rand)?;
        Ok((
            AwaitingVerification::new(bundle, DataType::PskVerMsg, true),
            message,
        ))
    }

    fn message(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        v_flag: bool,
        csb_id: u32,
        rand: &[u8],
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        if self.suite.cipher() == Cipher::Null {
            return Err(ExchangeError::UnsupportedCipher);
        }
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let keys = message_keys(self.keys, &self.parties.peer, self.suite, csb_id, rand)?;
        let iv = Iv {
            csb_id,
            timestamp: time.octets(),
        };
        let encr_data = seal_kemac(&keys, &iv, None, &material)?;
        let mut payloads = alloc::vec![
            Payload::T(time.to_payload()),
            Payload::Rand(Rand::new(rand)?),
            Payload::Id(self.parties.local.to_payload()?),
            Payload::Id(self.parties.peer.to_payload()?),
        ];
        payloads.extend(proposal.payloads());
        let mac = unset(self.suite.mac())?;
        payloads.push(Payload::Kemac(Kemac::new(
            self.suite.cipher().encr_alg(),
            &encr_data,
            mac,
        )?));
        let prf_func = self.suite.prf().prf_func();
        let header = Header::new(DataType::PreShared, prf_func, csb_id, proposal.cs_id_map())?
            .expecting_response(v_flag);
        let octets = authenticate(Message::new(header, &payloads)?.to_vec(), &keys, &[]);
        let bundle = Bundle {
            keys: material,
            protection: Some(keys),
            ..Bundle::proposed(
                DataType::PreShared,
                Some(self.parties.clone()),
                csb_id,
                CsbDerivation::rfc3830(self.suite.prf(), csb_id, rand),
                proposal,
                time,
            )
        };
        Ok((bundle, octets))
    }
}

impl<K: ?Sized> fmt::Debug for Initiator<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}

/// As long as the keys of the PRF's suites ([RFC 6043 §12.1]).
///
/// [RFC 6043 §12.1]: https://www.rfc-editor.org/rfc/rfc6043#section-12.1
pub(in crate::exchange) fn fresh_rand<R: CryptoRng>(prf: Prf, rng: &mut R) -> Vec<u8> {
    let len = match prf {
        Prf::Mikey1 => 16,
        Prf::HmacSha256 => 32,
    };
    let mut rand = alloc::vec![0; len];
    rng.fill_bytes(&mut rand);
    rand
}

/// An Initiator that has asked for a verification message, and has the bundle only once it came.
#[derive(Debug)]
pub struct AwaitingVerification {
    bundle: Bundle,
    data_type: DataType,
    /// Whether the keys of the messages are kept for updates.
    cached: bool,
    acceptance: Acceptance,
}

impl AwaitingVerification {
    pub(in crate::exchange) fn new(bundle: Bundle, data_type: DataType, cached: bool) -> Self {
        Self {
            bundle,
            data_type,
            cached,
            acceptance: Acceptance::new(),
        }
    }

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
    /// [`Rejected`], with the state that waits on, for a message that is not the verified answer.
    /// [`ExchangeError::PeerError`] ends the exchange only if it is authenticated.
    pub fn accept(mut self, message: &[u8]) -> Result<Bundle, Rejected<Self>> {
        match self.check(message) {
            Ok(()) => Ok(self.bundle),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    fn check(&mut self, message: &[u8]) -> Result<(), ExchangeError> {
        let keys = self
            .bundle
            .protection
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        let sessions = check_verification(
            message,
            self.data_type,
            &self.acceptance,
            &self.bundle.context()?,
            &self.bundle.sessions,
            keys,
        )?;
        self.bundle.sessions = sessions;
        if !self.cached {
            self.bundle.protection = None;
        }
        Ok(())
    }
}
