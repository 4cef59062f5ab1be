use alloc::vec::Vec;
use core::fmt;

use super::verification::rejection;
use super::{Bundle, ExchangeError, Policy, Session};
use crate::Identity;
use crate::code_points::ErrorNo;
use crate::payload::SecurityPolicy;

/// An authenticated proposal, for the Responder to look at and then to establish or to reject.
///
/// `M` is what the exchange still has to do; each has its own `establish`.
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, psk};
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
/// use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};
///
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// # let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// # let (mut of_alice, mut of_bob) = (InMemoryKeys::new(), InMemoryKeys::new());
/// # of_alice.insert(bob.clone(), Secret::new(&[0x2b; 16])?);
/// # of_bob.insert(alice.clone(), Secret::new(&[0x2b; 16])?);
/// # let now = Timestamp::from_unix(1_800_000_000, 0);
/// // The second SSRC is left to the Responder.
/// let streams = [
///     SrtpIdSession { policy_no: 0, ssrc: 0x1111_1111, roc: 0 },
///     SrtpIdSession { policy_no: 0, ssrc: 0, roc: 0 },
/// ];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// # let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let initiator = psk::Initiator::new(&of_alice, alice, bob.clone());
/// let (awaiting, message) =
///     initiator.request(&proposal, vec![tgk], MessageTime::Utc(now), &mut rng)?;
///
/// let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let responder = psk::Responder::new(&of_bob, bob);
/// let mut accepted = responder.accept(&message, &mut cache, now)?;
/// assert_eq!(accepted.peer().data(), b"sip:alice@example.org");
/// accepted.choose_ssrcs(&[0x2222_2222])?;
/// let (at_bob, answer) = accepted.establish()?;
///
/// let at_alice = awaiting.accept(&answer.unwrap_or_default())?;
/// assert_eq!(at_alice.sessions()[1].ssrc(), Some(0x2222_2222));
/// assert_eq!(at_alice.sessions(), at_bob.sessions());
/// # Ok::<(), ExchangeError>(())
/// ```
pub struct Accepted<M> {
    pub(super) bundle: Bundle,
    pub(super) peer: Identity,
    pub(super) message: Vec<u8>,
    pub(super) method: M,
}

impl<M> Accepted<M> {
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

    /// The authenticated message, to be decoded for its general extensions: against bidding down,
    /// compare its SDP IDs with the protocols that were offered around it ([RFC 4567 §4.1.4]).
    ///
    /// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
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

    /// Rejects it: the Error message, with the `policies` that would be taken
    /// ([RFC 3830 §5.1.2]).
    ///
    /// It is authenticated where both sides share a key by now: a pre-shared or an envelope key. The
    /// Diffie-Hellman exchange and RSA-R have `reject_signed`.
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
        let keys = self.bundle.protection.as_ref();
        rejection(&self.bundle.context()?, error_no, policies, keys)
    }
}

impl<M> fmt::Debug for Accepted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("bundle", &self.bundle)
            .finish_non_exhaustive()
    }
}
