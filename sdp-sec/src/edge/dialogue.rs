use alloc::sync::Arc;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::decision::Context;
use super::passage::Passage;
use super::rtp::RtpLine;
use super::section::{Facts, Kind, MediaFacts};
use super::shown_keys::ShownKeys;
use super::tls::TlsLine;
use super::{EdgeError, Intention, Originating, Outcome, Policy, Rekey, Terminating};
use crate::fingerprint::Fingerprint;
use crate::mediasec::{AccessEdge, Mechanism, Source};
use crate::protocol::MediaLine;
use crate::{Protocol, Rule, Sdp};

/// The access edge's memory of one dialogue with one UE: what was settled for each m-line.
///
/// A dialogue never changes; a completed exchange yields the next one, so that a refused offer or
/// answer leaves everything as it was. Forked branches begin from the same dialogue and part at
/// their answers. The functions go by the direction of the *offer*: a late offer of the core, in a
/// 200 (OK), is [`terminating`](Self::terminating) although the UE began the dialogue.
///
/// Addresses and ports stay as they are, but for port 0: the IMS-ALG writes the IMS-AGW's own into
/// every description it anchors, before or after.
///
/// ```
/// use sdp_sec::edge::{Dialogue, Outcome, Policy};
/// use sdp_sec::mediasec::{self, AccessEdge, Indications, Mechanism, MechanismSet};
/// use srtp::keying::{MasterKeySource, Profile};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// // What the registration came to.
/// let both = MechanismSet::EMPTY.with(Mechanism::SdesSrtp);
/// let access = AccessEdge {
///     indications: Indications { ue: both, network: both },
///     signalling: mediasec::SignallingProtection::IntegrityAndConfidentiality,
///     policy: mediasec::Policy::default(),
/// };
///
/// let dialogue = Dialogue::new(Policy::default().into(), access);
/// let originating = dialogue.originating(
///     b"v=0\r\nm=audio 49170 RTP/SAVP 97\r\na=3ge2ae:requested\r\n\
///       a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
/// )?;
/// assert_eq!(originating.offer_to_core(), b"v=0\r\nm=audio 49170 RTP/AVP 97\r\n");
///
/// // RTP needs no certificate of the IMS-AGW.
/// let answered =
///     originating.answered(b"v=0\r\nm=audio 5004 RTP/AVP 97\r\n", |_| None, &mut rng)?;
/// assert!(answered.sdp().starts_with(b"v=0\r\nm=audio 5004 RTP/SAVP 97\r\na=crypto:1 AES_CM_"));
/// for outcome in answered.outcomes() {
///     let Outcome::Rtp(stream) = outcome else { return Err("refused".into()) };
///     assert_eq!(stream.inbound().profile(), Profile::AesCm128HmacSha1_80);
/// }
/// let dialogue = answered.into_dialogue();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dialogue {
    pub(super) policy: Arc<Policy>,
    pub(super) access: AccessEdge,
    pub(super) slots: Vec<Slot>,
    pub(super) shown: Option<Arc<ShownKeys>>,
}

/// What is settled for one m-line.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Closed or refused; it was the edge's concern.
    Closed(Option<Mechanism>),
    Rtp(RtpLine),
    Tls(TlsLine),
    Untouched,
}

impl Slot {
    /// The class of the e2ae stream that is there.
    pub(super) const fn held(&self) -> Option<Mechanism> {
        match self {
            Self::Closed(_) | Self::Untouched => None,
            Self::Rtp(_) => Some(Mechanism::SdesSrtp),
            Self::Tls(line) => Some(line.mechanism),
        }
    }

    pub(super) const fn rtp(&self) -> Option<&RtpLine> {
        match self {
            Self::Rtp(line) => Some(line),
            _ => None,
        }
    }

    pub(super) fn tls(&self, class: Mechanism) -> Option<&TlsLine> {
        match self {
            Self::Tls(line) if line.mechanism == class => Some(line),
            _ => None,
        }
    }
}

impl Dialogue {
    /// A dialogue in which nothing is settled yet, of a UE whose registration made `access`.
    #[must_use]
    pub const fn new(policy: Arc<Policy>, access: AccessEdge) -> Self {
        Self {
            policy,
            access,
            slots: Vec::new(),
            shown: None,
        }
    }

    /// The same dialogue after the UE has registered anew. Streams that are there stay.
    #[must_use]
    pub fn with_access(mut self, access: AccessEdge) -> Self {
        self.access = access;
        self
    }

    /// Takes an offer of the UE: what the core is offered.
    ///
    /// # Errors
    ///
    /// [`EdgeError`]; answer the UE with 488, nothing has changed.
    pub fn originating(&self, offer: &[u8]) -> Result<Originating, EdgeError> {
        Originating::new(self, offer)
    }

    /// Takes an offer of the core: what the UE is offered.
    ///
    /// `certificate` gives the fingerprint of the certificate that the IMS-AGW selected for an
    /// m-line, counted from 0. It is asked for each line that [`examine`](Self::examine) means to
    /// protect by TLS or DTLS and that has no connection yet.
    ///
    /// # Errors
    ///
    /// [`EdgeError`]; answer the core with 488, nothing has changed.
    pub fn terminating<R: CryptoRng + ?Sized>(
        &self,
        offer: &[u8],
        certificate: impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<Terminating, EdgeError> {
        Terminating::new(self, offer, certificate, rng)
    }

    /// What the edge means to do with each m-line of an offer: for which of them the IMS-AGW has to
    /// be asked for a certificate.
    ///
    /// # Errors
    ///
    /// [`EdgeError::Sdp`] for an offer that cannot be read, [`EdgeError::MediaCount`] and
    /// [`EdgeError::Frozen`] for one that does not fit the dialogue.
    pub fn examine(&self, offer: &[u8], from: Source) -> Result<Vec<Intention>, EdgeError> {
        let sdp = Sdp::parse(offer)?;
        let (_, lines) = self.read_offer(&sdp, from)?;
        Ok(lines.into_iter().map(|(_, intention)| intention).collect())
    }

    pub(super) fn read_offer<'a>(
        &self,
        sdp: &Sdp<'a>,
        from: Source,
    ) -> Result<(Facts<'a>, Vec<(MediaFacts<'a>, Intention)>), EdgeError> {
        if sdp.media_count() < self.slots.len() {
            return Err(EdgeError::MediaCount);
        }
        let session = Facts::of(sdp.session());
        let mut lines = Vec::with_capacity(sdp.media_count());
        for media in sdp.media() {
            let media = MediaFacts::of(media)?;
            let intention = self.intention(&session, &media, from)?;
            lines.push((media, intention));
        }
        Ok((session, lines))
    }

    fn intention(
        &self,
        session: &Facts<'_>,
        media: &MediaFacts<'_>,
        from: Source,
    ) -> Result<Intention, EdgeError> {
        let slot = self.slot(media.index());
        let held = slot.held();
        if media.is_closed() {
            let of_the_edge = match slot {
                Slot::Closed(None) => from == Source::Ue && media.facts.has(Kind::E2ae),
                Slot::Untouched => false,
                _ => true,
            };
            return Ok(if of_the_edge {
                Intention::Close
            } else {
                Intention::Untouched
            });
        }
        let context = Context {
            policy: &self.policy,
            access: self.access,
            held,
        };
        let intention = context.decide(from, session, media);
        let drops_keys = held == Some(Mechanism::SdesSrtp)
            && intention != Intention::Protect(Mechanism::SdesSrtp)
            && media.line.protocol().is_rtp();
        if drops_keys && self.policy.rekey == Rekey::Refuse {
            return Err(EdgeError::Frozen {
                media: media.index(),
            });
        }
        Ok(intention)
    }

    pub(super) fn slot(&self, index: usize) -> &Slot {
        self.slots.get(index).unwrap_or(&Slot::Closed(None))
    }

    /// The keys that its descriptions have shown so far.
    pub(super) fn shown(&self) -> ShownKeys {
        self.shown.as_deref().cloned().unwrap_or_default()
    }

    /// The next dialogue.
    pub(super) fn with_slots(&self, slots: Vec<Slot>, mut shown: ShownKeys) -> Self {
        let is_rtp = |slots: &[Slot], media: usize| slots.get(media).and_then(Slot::rtp).is_some();
        if self.slots.iter().any(|slot| slot.rtp().is_some()) {
            shown.end(|media| is_rtp(&self.slots, media) && !is_rtp(&slots, media));
        }
        Self {
            policy: self.policy.clone(),
            access: self.access,
            slots,
            shown: Some(Arc::new(shown)),
        }
    }
}

/// Which lines of the session section go: those for the edge alone, and those that no stream needs
/// which passes the edge untouched. Keys stay where every stream is protected by its own.
pub(super) fn strips_from_session<'i>(
    lines: impl Iterator<Item = (&'i MediaFacts<'i>, Passage)>,
) -> impl Fn(Kind) -> bool {
    let (mut edge, mut certificates, mut keys, mut none) = (false, false, true, true);
    for (media, passes) in lines {
        edge |= !passes.untouched;
        let protocol = media.line.protocol();
        certificates |= passes.untouched && (protocol.is_tls() || protocol.is_dtls());
        keys &= passes.keeps_keys;
        none = false;
    }
    move |kind| match kind {
        Kind::E2ae | Kind::E2aeCapability => true,
        Kind::Crypto | Kind::CryptoCapability | Kind::Key => none || !keys,
        Kind::Fingerprint | Kind::TlsCapability | Kind::TlsId => edge && !certificates,
        _ => false,
    }
}

/// Checks that an answer has the m-lines of the offer that was sent: as many, of the same media.
/// Gives those of the offer.
pub(super) fn check_answer<'o>(
    offer: &'o Written,
    answer: &Sdp<'_>,
) -> Result<Vec<MediaLine<'o>>, EdgeError> {
    let offer = Sdp::parse(&offer.0)?;
    let mut lines = Vec::with_capacity(offer.media_count());
    if offer.media_count() != answer.media_count() {
        return Err(EdgeError::MediaCount);
    }
    for (offered, answered) in offer.media().zip(answer.media()) {
        let (offered, answered) = (offered.media_line()?, answered.media_line()?);
        if !offered.media().eq_ignore_ascii_case(answered.media()) {
            return Err(Rule::AnswerMedia.at(answered.line().number()).into());
        }
        lines.push(offered);
    }
    Ok(lines)
}

/// The protocol as a constant, if it has a name here.
pub(super) fn known(protocol: Protocol<'_>) -> Option<Protocol<'static>> {
    Protocol::ALL
        .iter()
        .copied()
        .find(|known| *known == protocol)
}

/// A description written anew, with what its exchange settled and the next dialogue.
///
/// See [`Dialogue`] for an example.
#[derive(Debug)]
pub struct Answered {
    pub(super) received: Written,
    pub(super) sdp: Written,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) dialogue: Dialogue,
}

impl Answered {
    /// The answer to send on.
    ///
    /// # Security
    ///
    /// Towards the UE it holds keys: it needs confidential and authenticated signalling.
    #[must_use]
    pub fn sdp(&self) -> &[u8] {
        &self.sdp.0
    }

    /// Whether this came of the answer `received`: octet by octet, but for the o-line, whose version
    /// some peers count up for each response. A 200 (OK) may repeat what a 183 (Session Progress) of
    /// the same branch said, and is then sent on with the same [`sdp`](Self::sdp). Answering it anew
    /// would make other keys.
    #[must_use]
    pub fn is_repeated_by(&self, received: &[u8]) -> bool {
        let (Some(old), Some(new)) = (around_origin(&self.received.0), around_origin(received))
        else {
            return bool::from(self.received.0.as_slice().ct_eq(received));
        };
        bool::from(old.0.ct_eq(new.0) & old.1.ct_eq(new.1))
    }

    /// What was settled, for each m-line in order; what the IMS-AGW is to be told.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The dialogue that the next offer belongs to.
    #[must_use]
    pub fn into_dialogue(self) -> Dialogue {
        self.dialogue
    }

    /// The dialogue that the next offer belongs to.
    #[must_use]
    pub const fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }
}

/// What stands before and after the o-line of a description, its end excluded.
fn around_origin(sdp: &[u8]) -> Option<(&[u8], &[u8])> {
    let origin = Sdp::parse(sdp).ok()?.session().line_of_kind(b'o')?;
    let start = origin
        .octets()
        .as_ptr()
        .addr()
        .checked_sub(sdp.as_ptr().addr())?;
    let (before, rest) = sdp.split_at_checked(start)?;
    Some((before, rest.get(origin.octets().len()..)?))
}

/// A description that may hold keys.
pub(super) struct Written(pub(super) Zeroizing<Vec<u8>>);

impl Written {
    pub(super) fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl core::fmt::Debug for Written {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}
