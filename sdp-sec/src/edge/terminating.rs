use alloc::string::String;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use sdes::SecurityDescription;
use zeroize::Zeroizing;

use super::dialogue::{Slot, Written, check_answer, known, strips_from_session};
use super::passage::Passage;
use super::rewrite::{self, Edit, Transports};
use super::rtp::{Fault, OwnCrypto, RtpLine, UeCrypto};
use super::section::{Facts, Kind, MediaFacts};
use super::shown_keys::{ShownKeys, Writer};
use super::tls::{
    Completed, SessionFingerprints, UeSide, access_agreement, core_agreement, offer_setup,
};
use super::{Answered, Dialogue, EdgeError, Intention, MsrpHandling, Outcome, Refusal, RtpStream};
use crate::fingerprint::Fingerprint;
use crate::mediasec::{Mechanism, Source};
use crate::protocol::MediaLine;
use crate::tls_role::{Comedia, Side, TransportRole, answer_setup};
use crate::{E2ae, Protocol, Rule, Sdp, Setup};

/// An offer of the core, on its way to the UE: protection put on, kept until the answer comes.
///
/// ```
/// use sdp_sec::edge::{Dialogue, Outcome, Policy};
/// use sdp_sec::fingerprint::{Fingerprint, HashFunction};
/// use sdp_sec::mediasec::{self, AccessEdge, Indications, Mechanism, MechanismSet};
/// use sdp_sec::tls_role::TlsRole;
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let agw = Fingerprint::of_certificate(b"DER of the IMS-AGW", HashFunction::Sha256)?;
/// let ue = Fingerprint::of_certificate(b"DER of the UE", HashFunction::Sha256)?;
///
/// let both = MechanismSet::EMPTY.with(Mechanism::MsrpTls);
/// let access = AccessEdge {
///     indications: Indications { ue: both, network: both },
///     signalling: mediasec::SignallingProtection::Integrity,
///     policy: mediasec::Policy::default(),
/// };
/// let dialogue = Dialogue::new(Policy::default().into(), access);
/// let offer = b"v=0\r\nm=message 2855 TCP/MSRP *\r\na=setup:actpass\r\n";
/// let mut terminating = dialogue.terminating(offer, |_| Some(agw), &mut rng)?;
/// let to_ue = format!(
///     "v=0\r\nm=message 2855 TCP/TLS/MSRP *\r\na=setup:passive\r\na={}:{agw}\r\na=3ge2ae:applied\r\n",
///     Fingerprint::NAME,
/// );
/// assert_eq!(terminating.offer_to_ue(), to_ue.as_bytes());
///
/// let answer = format!(
///     "v=0\r\nm=message 9 TCP/TLS/MSRP *\r\na=setup:active\r\na=fingerprint:{ue}\r\n",
/// );
/// let answered = terminating.answered(answer.as_bytes(), &mut rng)?;
/// assert_eq!(answered.sdp(), b"v=0\r\nm=message 9 TCP/MSRP *\r\na=setup:active\r\n");
/// for outcome in answered.outcomes() {
///     let Outcome::Tls(stream) = outcome else { return Err("refused".into()) };
///     assert_eq!(stream.access_roles().and_then(|roles| roles.tls), Some(TlsRole::Server));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Terminating {
    dialogue: Dialogue,
    offer: Written,
    lines: Vec<Pending>,
    shown: ShownKeys,
    /// The streams of the branch that has answered, m-line by m-line: it alone has their Local keys.
    taken: Vec<Option<RtpLine>>,
}

#[derive(Debug)]
struct Pending {
    intention: Intention,
    /// What the core offered, if its name is known.
    protocol: Option<Protocol<'static>>,
    ours: Ours,
    passage: Passage,
}

/// What the UE is offered for one m-line.
#[derive(Debug)]
enum Ours {
    None,
    Rtp(OwnCrypto),
    Tls(OwnTls),
}

#[derive(Debug)]
struct OwnTls {
    mechanism: Mechanism,
    own: Fingerprint,
    /// What the UE is offered.
    setup: Setup,
    /// What the core offered.
    core: Comedia,
}

impl Pending {
    /// What the UE was offered.
    fn ue_protocol(&self) -> Option<Protocol<'static>> {
        self.protocol
            .map(|protocol| protocol.protected().unwrap_or(protocol))
    }

    fn mechanism(&self) -> Option<Mechanism> {
        self.protocol.and_then(Mechanism::of_protocol)
    }
}

impl Terminating {
    pub(super) fn new<R: CryptoRng + ?Sized>(
        dialogue: &Dialogue,
        offer: &[u8],
        mut certificate: impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<Self, EdgeError> {
        let sdp = Sdp::parse(offer)?;
        let (session, read) = dialogue.read_offer(&sdp, Source::Core)?;
        let mut lines = Vec::with_capacity(read.len());
        let mut shown = dialogue.shown();
        for (media, intention) in &read {
            let read = (&session, media, *intention);
            lines.push(read_line(
                dialogue,
                &mut shown,
                read,
                &mut certificate,
                rng,
            )?);
        }

        let mut crypto = Vec::with_capacity(lines.len());
        for pending in &lines {
            crypto.push(match &pending.ours {
                Ours::Rtp(own) => own
                    .lines(&dialogue.policy, rng)
                    .map_err(EdgeError::OwnKeys)?,
                _ => Vec::new(),
            });
        }

        for ((media, _), line) in read
            .iter()
            .zip(&crypto)
            .flat_map(|(m, c)| c.iter().map(move |l| (m, l)))
        {
            shown
                .admit(media.index(), Writer::Edge, line.as_bytes())
                .map_err(|_| EdgeError::OwnKeys(sdes::OfferError::RepeatedKey))?;
        }

        let mut editor = sdp.edit();
        rewrite::make_room(&mut editor, crypto.iter().flatten(), lines.len());
        let passages = || {
            let lines = read.iter().zip(&lines);
            lines.map(|((media, _), line)| (media, line.passage))
        };
        let transports = Transports::Protected.for_session(passages());
        let strips = strips_from_session(passages());
        rewrite::session(&mut editor, &session, strips, transports)?;
        for (((media, _), pending), crypto) in read.iter().zip(&lines).zip(&crypto) {
            offer_edit(dialogue, pending, crypto).apply(&mut editor, media)?;
        }
        let offer = Written::new(editor.finish());
        Ok(Self {
            dialogue: dialogue.clone(),
            offer,
            lines,
            shown,
            taken: Vec::new(),
        })
    }

    /// The offer for the UE.
    ///
    /// # Security
    ///
    /// It holds keys: it needs confidential and authenticated signalling.
    #[must_use]
    pub fn offer_to_ue(&self) -> &[u8] {
        &self.offer.0
    }

    /// What the edge means to do with each m-line, in order.
    pub fn intentions(&self) -> impl Iterator<Item = Intention> {
        self.lines.iter().map(|line| line.intention)
    }

    /// The Local cryptographic SDES attribute that the IMS-AGW may be given when its resources are
    /// reserved, before the answer: the UE was offered this one alone. `None` while it may still
    /// select among several (TS 23.334 §5.11.2.1).
    #[must_use]
    pub fn local_before_answer(&self, media: usize) -> Option<&SecurityDescription> {
        match &self.lines.get(media)?.ours {
            Ours::Rtp(own) => own.only(),
            _ => None,
        }
    }

    /// Takes an answer of the UE: what the core is answered, and what the IMS-AGW is told.
    ///
    /// The first branch that answers takes the keys that were offered. It may answer again, with
    /// the same keys; another branch of a forked offer needs keys of its own, by a new offer
    /// ([RFC 4568 §7.3]), and is refused here.
    ///
    /// # Errors
    ///
    /// [`EdgeError`]; the dialogue and this stay as they are. [`EdgeError::Forked`] for an answer of
    /// another branch to an offer with `a=crypto`.
    ///
    /// [RFC 4568 §7.3]: https://www.rfc-editor.org/rfc/rfc4568#section-7.3
    pub fn answered<R: CryptoRng + ?Sized>(
        &mut self,
        answer: &[u8],
        rng: &mut R,
    ) -> Result<Answered, EdgeError> {
        let sdp = Sdp::parse(answer)?;
        let offered = check_answer(&self.offer, &sdp)?;
        let session = Facts::of(sdp.session());
        let mut fingerprints = SessionFingerprints::new(&session);
        let (mut slots, mut outcomes, mut shown) = (Vec::new(), Vec::new(), self.shown.clone());
        let mut edits = Vec::with_capacity(self.lines.len());
        for ((media, pending), offered) in sdp.media().zip(&self.lines).zip(&offered) {
            let media = MediaFacts::of(media)?;
            let settled = self.settle(
                &mut fingerprints,
                (&media, offered),
                pending,
                &mut shown,
                rng,
            )?;
            slots.push(settled.slot);
            outcomes.push(settled.outcome);
            edits.push((media, settled.answer));
        }

        let taken = self.take(&slots)?;
        let mut editor = sdp.edit();
        let passages = || edits.iter().map(|(m, answer)| (m, answer.passage()));
        let transports = Transports::Plain.for_session(passages());
        let strips = strips_from_session(passages());
        rewrite::session(&mut editor, &session, strips, transports)?;
        for ((media, answer), pending) in edits.iter().zip(&self.lines) {
            answer_edit(&self.dialogue, pending, answer).apply(&mut editor, media)?;
        }
        self.taken = taken;
        Ok(Answered {
            received: Written::new(answer.to_vec()),
            sdp: Written::new(editor.finish()),
            outcomes,
            dialogue: self.dialogue.with_slots(slots, shown),
        })
    }

    /// Gives the Local keys of the streams in `slots` to the branch that has answered.
    fn take(&self, slots: &[Slot]) -> Result<Vec<Option<RtpLine>>, EdgeError> {
        let mut taken = Vec::with_capacity(slots.len());
        for (media, slot) in slots.iter().enumerate() {
            let before = self.taken.get(media).and_then(Option::as_ref);
            taken.push(match (before, slot.rtp()) {
                (Some(before), Some(now)) if !before.is_same_branch(now) => {
                    return Err(EdgeError::Forked { media });
                }
                (before, now) => before.or(now).cloned(),
            });
        }
        Ok(taken)
    }

    /// What becomes of one m-line.
    fn settle<R: CryptoRng + ?Sized>(
        &self,
        session: &mut SessionFingerprints<'_>,
        (media, offered): (&MediaFacts<'_>, &MediaLine<'_>),
        pending: &Pending,
        shown: &mut ShownKeys,
        rng: &mut R,
    ) -> Result<Settled, EdgeError> {
        let mechanism = pending.mechanism();
        match pending.intention {
            Intention::Untouched => {
                let line = (media, offered);
                let passage = pending
                    .passage
                    .answered(session.facts, line, shown, Writer::Ue);
                return Ok(passage.map_or_else(
                    |refusal| Settled::refused(mechanism, refusal),
                    Settled::untouched,
                ));
            }
            Intention::Close => return Ok(Settled::none(mechanism, Outcome::Closed)),
            Intention::Refuse(refusal) => return Ok(Settled::refused(mechanism, refusal)),
            Intention::Protect(_) => {}
        }
        if media.is_closed() {
            return Ok(Settled::none(mechanism, Outcome::Closed));
        }
        if media.facts.has(Kind::KeyMgmt) {
            let conflict = Rule::Conflicting.at(media.line.line().number());
            return Ok(Settled::refused(mechanism, Refusal::Sdp(conflict)));
        }
        let (Some(access), Some(core)) = (pending.ue_protocol(), pending.protocol) else {
            return Ok(Settled::refused(mechanism, Refusal::ProtocolMismatch));
        };
        // A capability may have been chosen: with feedback where the offer had none (RFC 5939).
        let answered = media.line.protocol();
        let (access, core) = (
            access.with_feedback_of(answered),
            core.with_feedback_of(answered),
        );
        if answered != access {
            return Ok(Settled::refused(mechanism, Refusal::ProtocolMismatch));
        }
        let slot = self.dialogue.slot(media.index());
        let policy = &*self.dialogue.policy;
        let settled = match &pending.ours {
            Ours::None => Err(Refusal::ProtocolMismatch),
            Ours::Rtp(own) => match media.transport(session.facts) {
                Err(error) => Err(Refusal::Sdp(error)),
                Ok(transport) => {
                    let answer = UeCrypto::read(media, transport);
                    let index = media.index();
                    let shown = shown.admit_all(index, Writer::Ue, &media.facts);
                    let accepted = own.accept(&answer, policy, rng);
                    let admitted = accepted.and_then(|accepted| match shown {
                        Ok(()) => Ok(accepted),
                        Err(_) if slot.rtp().is_some() => Err(Fault::Frozen),
                        Err(refused) => Err(Fault::Refused(refused)),
                    });
                    match admitted {
                        Ok((rtp, change)) => {
                            let keys = rtp.keys.clone();
                            Ok(Settled {
                                outcome: Outcome::Rtp(RtpStream {
                                    access,
                                    core,
                                    keys,
                                    change,
                                }),
                                slot: Slot::Rtp(rtp),
                                answer: Answer::Rtp(core),
                            })
                        }
                        Err(Fault::Frozen) => {
                            return Err(EdgeError::Frozen {
                                media: media.index(),
                            });
                        }
                        Err(Fault::Refused(refused)) => Err(Refusal::Crypto(refused)),
                    }
                }
            },
            Ours::Tls(ours) => self.settle_tls(ours, (access, core), session, media, slot),
        };
        Ok(settled.unwrap_or_else(|refusal| Settled::refused(mechanism, refusal)))
    }

    fn settle_tls(
        &self,
        ours: &OwnTls,
        (access, core): (Protocol<'_>, Protocol<'_>),
        session: &mut SessionFingerprints<'_>,
        media: &MediaFacts<'_>,
        slot: &Slot,
    ) -> Result<Settled, Refusal> {
        let policy = &*self.dialogue.policy;
        let broken = |rule: Rule| Refusal::Sdp(rule.at(media.line.line().number()));
        let mechanism = ours.mechanism;
        let ue = UeSide::read(policy, session, media)?;
        let offer = Comedia {
            setup: Some(ours.setup),
            connection: ours.core.connection,
        };
        let pair = (offer, ue.comedia);
        let access = access_agreement(mechanism, access, pair, Side::Offerer, policy);
        let access = access.map_err(broken)?;

        let to_core = match (mechanism, ue.comedia.setup) {
            (Mechanism::UdptlDtls, _) => None,
            (Mechanism::BfcpTls, Some(Setup::Holdconn)) => Some(Setup::Holdconn),
            // What the UE is to the IMS-AGW, the IMS-AGW is to the core, if the core lets it choose.
            (_, Some(Setup::Active)) => {
                Some(answer_setup(core, ours.core.setup, TransportRole::Active).map_err(broken)?)
            }
            _ => Some(answer_setup(core, ours.core.setup, TransportRole::Passive).map_err(broken)?),
        };
        let answer = Comedia {
            setup: to_core,
            connection: ue.comedia.connection,
        };
        let core = core_agreement(mechanism, core, (ours.core, answer), Side::Answerer);
        let completed = Completed {
            mechanism,
            own: ours.own,
            ue,
            access,
            core: core.map_err(broken)?,
            held: slot.tls(mechanism),
        };
        let (line, stream) = completed.settle(policy)?;
        Ok(Settled {
            outcome: Outcome::Tls(stream),
            slot: Slot::Tls(line),
            answer: Answer::Tls(to_core),
        })
    }
}

/// What becomes of one m-line, and of the answer's section.
struct Settled {
    outcome: Outcome,
    slot: Slot,
    answer: Answer,
}

enum Answer {
    Refuse,
    Rtp(Protocol<'static>),
    /// With this `a=setup`, where the core leg has one.
    Tls(Option<Setup>),
    Untouched(Passage),
}

impl Answer {
    fn passage(&self) -> Passage {
        match self {
            Self::Untouched(passage) => *passage,
            _ => Passage::default(),
        }
    }
}

impl Settled {
    const fn untouched(passage: Passage) -> Self {
        Self {
            outcome: Outcome::Untouched,
            slot: Slot::Untouched,
            answer: Answer::Untouched(passage),
        }
    }

    const fn none(mechanism: Option<Mechanism>, outcome: Outcome) -> Self {
        Self {
            outcome,
            slot: Slot::Closed(mechanism),
            answer: Answer::Refuse,
        }
    }

    const fn refused(mechanism: Option<Mechanism>, refusal: Refusal) -> Self {
        Self::none(mechanism, Outcome::Refused(refusal))
    }
}

/// Makes what the UE is offered for an m-line of the core. Keys that belong elsewhere refuse it.
fn read_line<R: CryptoRng + ?Sized>(
    dialogue: &Dialogue,
    shown: &mut ShownKeys,
    (session, media, intention): (&Facts<'_>, &MediaFacts<'_>, Intention),
    certificate: &mut impl FnMut(usize) -> Option<Fingerprint>,
    rng: &mut R,
) -> Result<Pending, EdgeError> {
    let policy = &*dialogue.policy;
    let index = media.index();
    let slot = dialogue.slot(index);
    let keeps_keys = Passage::of(dialogue, session, media, intention).keeps_keys;
    let admitted = keeps_keys.then(|| shown.admit_all(index, Writer::Core, &media.facts));
    let intention = match admitted {
        Some(Err(refused)) => Intention::Refuse(Refusal::Crypto(refused)),
        _ => intention,
    };
    let (ours, intention) = match intention {
        Intention::Protect(Mechanism::SdesSrtp) => {
            let own = OwnCrypto::offer(slot.rtp(), policy, rng).map_err(EdgeError::OwnKeys)?;
            (Ours::Rtp(own), intention)
        }
        Intention::Protect(mechanism) => {
            let own = match slot.tls(mechanism) {
                Some(held) => held.own,
                None => certificate(index).ok_or(EdgeError::Certificate { media: index })?,
            };
            match own_tls(dialogue, session, media, mechanism, own) {
                Ok(ours) => (Ours::Tls(ours), intention),
                Err(refusal) => (Ours::None, Intention::Refuse(refusal)),
            }
        }
        _ => (Ours::None, intention),
    };
    let passage = Passage::of(dialogue, session, media, intention);
    Ok(Pending {
        intention,
        protocol: known(media.line.protocol()),
        ours,
        passage,
    })
}

fn own_tls(
    dialogue: &Dialogue,
    session: &Facts<'_>,
    media: &MediaFacts<'_>,
    mechanism: Mechanism,
    own: Fingerprint,
) -> Result<OwnTls, Refusal> {
    let core = media.comedia(session)?;
    let setup = offer_setup(mechanism, core, &dialogue.policy);
    Ok(OwnTls {
        mechanism,
        own,
        setup,
        core,
    })
}

fn offer_edit<'e>(
    dialogue: &Dialogue,
    pending: &'e Pending,
    crypto: &'e [Zeroizing<String>],
) -> Edit<'e> {
    let mut edit = Edit::default();
    if pending.intention == Intention::Untouched {
        edit.keeps_keys = pending.passage.keeps_keys;
        return edit;
    }
    edit.strip = pending.mechanism();
    edit.refuse = matches!(pending.intention, Intention::Refuse(_));
    edit.protocol = pending.ue_protocol();
    if matches!(pending.intention, Intention::Protect(_)) {
        edit.e2ae = Some(E2ae::Applied);
        edit.transports = Some(Transports::Protected);
        edit.scheme = scheme(dialogue, pending, "msrps");
    }
    match &pending.ours {
        Ours::None => {}
        Ours::Rtp(_) => edit.crypto = crypto,
        Ours::Tls(ours) => {
            edit.fingerprint = Some(&ours.own);
            edit.setup = Some(ours.setup);
        }
    }
    edit
}

fn answer_edit<'e>(dialogue: &Dialogue, pending: &Pending, answer: &Answer) -> Edit<'e> {
    let mut edit = Edit::default();
    if let Answer::Untouched(passage) = answer {
        edit.keeps_keys = passage.keeps_keys;
        return edit;
    }
    edit.strip = Some(pending.mechanism().unwrap_or(Mechanism::SdesSrtp));
    edit.to_plain = true;
    edit.protocol = pending.protocol;
    match answer {
        Answer::Refuse => edit.refuse = true,
        Answer::Rtp(protocol) => {
            edit.protocol = Some(*protocol);
            edit.transports = Some(Transports::Plain);
        }
        Answer::Tls(setup) => {
            edit.setup = *setup;
            edit.scheme = scheme(dialogue, pending, "msrp");
        }
        Answer::Untouched(_) => {}
    }
    edit
}

/// The scheme of `a=path`, where it is to be rewritten (TS 23.334 §5.11.2.x.2).
fn scheme(dialogue: &Dialogue, pending: &Pending, scheme: &'static str) -> Option<&'static str> {
    let aware = dialogue.policy.msrp == MsrpHandling::Aware;
    (aware && pending.mechanism() == Some(Mechanism::MsrpTls)).then_some(scheme)
}
