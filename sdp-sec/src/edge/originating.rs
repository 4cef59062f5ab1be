use alloc::string::String;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::dialogue::{Slot, Written, check_answer, known, strips_from_session};
use super::passage::Passage;
use super::rewrite::{self, Edit, Transports};
use super::rtp::{Fault, UeCrypto};
use super::section::{Facts, Kind, MediaFacts};
use super::shown_keys::{ShownKeys, Writer};
use super::tls::{
    Completed, SessionFingerprints, TlsLine, UeSide, access_agreement, core_agreement,
};
use super::{Answered, Dialogue, EdgeError, Intention, MsrpHandling, Outcome, Refusal, RtpStream};
use crate::fingerprint::Fingerprint;
use crate::mediasec::{Mechanism, Source};
use crate::protocol::MediaLine;
use crate::tls_role::{Agreement, Comedia, Side};
use crate::{Protocol, Rule, Sdp, Setup};

/// An offer of the UE, on its way to the core: protection taken off, kept until the answer comes.
///
/// See [`Dialogue`] for an example.
#[derive(Debug)]
pub struct Originating {
    dialogue: Dialogue,
    offer: Written,
    lines: Vec<Pending>,
    shown: ShownKeys,
}

#[derive(Debug)]
struct Pending {
    intention: Intention,
    /// What the UE offered, if its name is known.
    protocol: Option<Protocol<'static>>,
    ue: Ue,
    passage: Passage,
}

/// The UE's side of one m-line.
#[derive(Debug)]
enum Ue {
    None,
    Rtp(UeCrypto),
    /// Its `a=setup` is what the core was offered, too.
    Tls(UeSide),
}

impl Pending {
    /// What the core was offered.
    fn core_protocol(&self) -> Option<Protocol<'static>> {
        self.protocol
            .map(|protocol| protocol.plain().unwrap_or(protocol))
    }

    const fn mechanism(&self) -> Option<Mechanism> {
        match (self.intention, self.protocol) {
            (Intention::Protect(mechanism), _) => Some(mechanism),
            (_, Some(protocol)) => Mechanism::of_protocol(protocol),
            _ => None,
        }
    }
}

impl Originating {
    pub(super) fn new(dialogue: &Dialogue, offer: &[u8]) -> Result<Self, EdgeError> {
        let sdp = Sdp::parse(offer)?;
        let (session, read) = dialogue.read_offer(&sdp, Source::Ue)?;
        let mut fingerprints = SessionFingerprints::new(&session);
        let mut lines = Vec::with_capacity(read.len());
        let mut shown = dialogue.shown();
        for (media, intention) in &read {
            let read = (&session, media, *intention);
            lines.push(read_line(dialogue, &mut fingerprints, &mut shown, read)?);
        }

        let mut editor = sdp.edit();
        let passages = || {
            let lines = read.iter().zip(&lines);
            lines.map(|((media, _), line)| (media, line.passage))
        };
        let transports = Transports::Plain.for_session(passages());
        let strips = strips_from_session(passages());
        rewrite::session(&mut editor, &session, strips, transports)?;
        for ((media, _), pending) in read.iter().zip(&lines) {
            offer_edit(dialogue, pending).apply(&mut editor, media)?;
        }
        let offer = Written::new(editor.finish());
        Ok(Self {
            dialogue: dialogue.clone(),
            offer,
            lines,
            shown,
        })
    }

    /// The offer for the core.
    #[must_use]
    pub fn offer_to_core(&self) -> &[u8] {
        &self.offer.0
    }

    /// What the edge means to do with each m-line, in order: for which of them the IMS-AGW has to
    /// be asked for resources and a certificate.
    pub fn intentions(&self) -> impl Iterator<Item = Intention> {
        self.lines.iter().map(|line| line.intention)
    }

    /// Takes an answer of the core: what the UE is answered, and what the IMS-AGW is told.
    ///
    /// `certificate` gives the fingerprint of the certificate that the IMS-AGW selected for an
    /// m-line, counted from 0. Each branch of a forked offer is answered from the same `Originating`
    /// and gets keys of its own; an answer that a later response of the branch repeats
    /// ([`Answered::is_repeated_by`]) is sent on as before.
    ///
    /// # Errors
    ///
    /// [`EdgeError`]; the dialogue stays as it is.
    pub fn answered<R: CryptoRng + ?Sized>(
        &self,
        answer: &[u8],
        mut certificate: impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<Answered, EdgeError> {
        let sdp = Sdp::parse(answer)?;
        let offered = check_answer(&self.offer, &sdp)?;
        let session = Facts::of(sdp.session());
        let (mut slots, mut outcomes, mut shown) = (Vec::new(), Vec::new(), self.shown.clone());
        let mut edits = Vec::with_capacity(self.lines.len());
        for ((media, pending), offered) in sdp.media().zip(&self.lines).zip(&offered) {
            let media = MediaFacts::of(media)?;
            let line = (&media, offered);
            let settled =
                self.settle(&session, line, pending, &mut shown, &mut certificate, rng)?;
            slots.push(settled.slot);
            outcomes.push(settled.outcome);
            edits.push((media, settled.answer));
        }

        let mut editor = sdp.edit();
        let crypto = edits.iter().flat_map(|(_, answer)| answer.crypto());
        rewrite::make_room(&mut editor, crypto, edits.len());
        let passages = || edits.iter().map(|(m, answer)| (m, answer.passage()));
        let transports = Transports::Protected.for_session(passages());
        let strips = strips_from_session(passages());
        rewrite::session(&mut editor, &session, strips, transports)?;
        for ((media, answer), pending) in edits.iter().zip(&self.lines) {
            let mut edit = answer.edit();
            if !answer.passage().untouched {
                edit.protocol = answer.protocol().or(pending.protocol);
                edit.strip = pending.mechanism();
            }
            if edit.fingerprint.is_some() || !edit.crypto.is_empty() {
                edit.e2ae = self.dialogue.policy.answer_e2ae;
                edit.scheme = scheme(&self.dialogue, pending, "msrps");
            }
            edit.apply(&mut editor, media)?;
        }
        Ok(Answered {
            received: Written::new(answer.to_vec()),
            sdp: Written::new(editor.finish()),
            outcomes,
            dialogue: self.dialogue.with_slots(slots, shown),
        })
    }

    /// What becomes of one m-line.
    fn settle<R: CryptoRng + ?Sized>(
        &self,
        session: &Facts<'_>,
        (media, offered): (&MediaFacts<'_>, &MediaLine<'_>),
        pending: &Pending,
        shown: &mut ShownKeys,
        certificate: &mut impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<Settled, EdgeError> {
        let mechanism = pending.mechanism();
        match pending.intention {
            Intention::Untouched => {
                let line = (media, offered);
                let passage = pending.passage.answered(session, line, shown, Writer::Core);
                return Ok(passage.map_or_else(
                    |refusal| Settled::refused(mechanism, refusal),
                    Settled::untouched,
                ));
            }
            Intention::Close => return Ok(Settled::none(mechanism, Outcome::Closed)),
            Intention::Refuse(refusal) => {
                return Ok(Settled::none(mechanism, Outcome::Refused(refusal)));
            }
            Intention::Protect(_) => {}
        }
        if media.is_closed() {
            return Ok(Settled::none(mechanism, Outcome::Closed));
        }
        if media.facts.has(Kind::KeyMgmt) {
            return Ok(Settled::refused(
                mechanism,
                Refusal::Sdp(Rule::ProtectionStripped.at(media.line.line().number())),
            ));
        }
        let core = pending.core_protocol();
        let (Some(access), Some(core)) = (pending.protocol, core) else {
            return Ok(Settled::refused(mechanism, Refusal::ProtocolMismatch));
        };
        // A capability may have been chosen: with feedback where the offer had none (RFC 5939).
        let answered = media.line.protocol();
        let (access, core) = (
            access.with_feedback_of(answered),
            core.with_feedback_of(answered),
        );
        if answered != core {
            return Ok(Settled::refused(mechanism, Refusal::ProtocolMismatch));
        }
        let slot = self.dialogue.slot(media.index());
        match &pending.ue {
            Ue::Rtp(crypto) => {
                let index = media.index();
                let answered = crypto.answer(slot.rtp(), &self.dialogue.policy, rng);
                let admitted = answered.and_then(|(line, rtp, change)| {
                    shown
                        .admit(index, Writer::Edge, line.as_bytes())
                        .map_err(Fault::Refused)?;
                    Ok((line, rtp, change))
                });
                match admitted {
                    Ok((line, rtp, change)) => {
                        let keys = rtp.keys.clone();
                        Ok(Settled {
                            outcome: Outcome::Rtp(RtpStream {
                                access,
                                core,
                                keys,
                                change,
                            }),
                            slot: Slot::Rtp(rtp),
                            answer: Answer::Rtp(access, line),
                        })
                    }
                    Err(Fault::Frozen) => Err(EdgeError::Frozen { media: index }),
                    Err(Fault::Refused(sdes::Refused::Own(error))) => {
                        Err(EdgeError::OwnKeys(error))
                    }
                    Err(Fault::Refused(refused)) => {
                        Ok(Settled::refused(mechanism, Refusal::Crypto(refused)))
                    }
                }
            }
            Ue::Tls(side) => {
                let held = mechanism.and_then(|mechanism| slot.tls(mechanism));
                let own = match held {
                    Some(held) => held.own,
                    None => certificate(media.index()).ok_or(EdgeError::Certificate {
                        media: media.index(),
                    })?,
                };
                let leg = Leg {
                    access,
                    core,
                    side,
                    own,
                    held,
                };
                Ok(self
                    .settle_tls(&leg, session, media)
                    .unwrap_or_else(|refusal| Settled::refused(mechanism, refusal)))
            }
            Ue::None => Ok(Settled::refused(mechanism, Refusal::ProtocolMismatch)),
        }
    }

    fn settle_tls(
        &self,
        leg: &Leg<'_>,
        session: &Facts<'_>,
        media: &MediaFacts<'_>,
    ) -> Result<Settled, Refusal> {
        let policy = &*self.dialogue.policy;
        let broken = |rule: Rule| Refusal::Sdp(rule.at(media.line.line().number()));
        let mechanism = Mechanism::of_protocol(leg.core).unwrap_or(Mechanism::MsrpTls);
        // The core was offered what the UE offered.
        let (offer, answer) = (leg.side.comedia, media.comedia(session)?);
        let core = core_agreement(mechanism, leg.core, (offer, answer), Side::Offerer);
        let core = core.map_err(broken)?;
        let setup = match core {
            Some(Agreement::Hold) => Setup::Holdconn,
            _ => TlsLine::answer(leg.held, leg.access, offer).map_err(broken)?,
        };
        let answer = Comedia {
            setup: Some(setup),
            connection: answer.connection,
        };
        let pair = (offer, answer);
        let access = access_agreement(mechanism, leg.access, pair, Side::Answerer, policy);
        let completed = Completed {
            mechanism,
            own: leg.own,
            ue: leg.side.clone(),
            access: access.map_err(broken)?,
            core,
            held: leg.held,
        };
        let (line, stream) = completed.settle(policy)?;
        Ok(Settled {
            outcome: Outcome::Tls(stream),
            slot: Slot::Tls(line),
            answer: Answer::Tls {
                own: leg.own,
                setup,
            },
        })
    }
}

/// What the two legs of a TLS stream have.
struct Leg<'l> {
    access: Protocol<'static>,
    core: Protocol<'static>,
    side: &'l UeSide,
    own: Fingerprint,
    held: Option<&'l TlsLine>,
}

/// What becomes of one m-line, and of the answer's section.
struct Settled {
    outcome: Outcome,
    slot: Slot,
    answer: Answer,
}

enum Answer {
    Refuse,
    Rtp(Protocol<'static>, Zeroizing<String>),
    Tls { own: Fingerprint, setup: Setup },
    Untouched(Passage),
}

impl Answer {
    const fn crypto(&self) -> &[Zeroizing<String>] {
        match self {
            Self::Rtp(_, line) => core::slice::from_ref(line),
            _ => &[],
        }
    }

    /// Where it need not be the one offered.
    const fn protocol(&self) -> Option<Protocol<'static>> {
        match self {
            Self::Rtp(protocol, _) => Some(*protocol),
            _ => None,
        }
    }

    fn passage(&self) -> Passage {
        match self {
            Self::Untouched(passage) => *passage,
            _ => Passage::default(),
        }
    }

    fn edit(&self) -> Edit<'_> {
        match self {
            Self::Refuse => Edit {
                refuse: true,
                ..Edit::default()
            },
            Self::Rtp(..) => Edit {
                crypto: self.crypto(),
                transports: Some(Transports::Protected),
                ..Edit::default()
            },
            Self::Tls { own, setup } => Edit {
                fingerprint: Some(own),
                setup: Some(*setup),
                ..Edit::default()
            },
            Self::Untouched(passage) => Edit {
                keeps_keys: passage.keeps_keys,
                ..Edit::default()
            },
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

/// Reads what the procedure needs of the UE's m-line; what it lacks refuses the stream, and so do
/// keys that belong elsewhere.
fn read_line(
    dialogue: &Dialogue,
    fingerprints: &mut SessionFingerprints<'_>,
    shown: &mut ShownKeys,
    (session, media, intention): (&Facts<'_>, &MediaFacts<'_>, Intention),
) -> Result<Pending, EdgeError> {
    let policy = &*dialogue.policy;
    let index = media.index();
    let keeps_keys = Passage::of(dialogue, session, media, intention).keeps_keys;
    let admitted = if keeps_keys || intention == Intention::Protect(Mechanism::SdesSrtp) {
        shown.admit_all(index, Writer::Ue, &media.facts)
    } else {
        Ok(())
    };
    let ue = admitted
        .map_err(Refusal::Crypto)
        .and_then(|()| match intention {
            Intention::Protect(Mechanism::SdesSrtp) => {
                read_rtp(dialogue, session, media).map(Ue::Rtp)
            }
            Intention::Protect(_) => UeSide::read(policy, fingerprints, media).map(Ue::Tls),
            _ => Ok(Ue::None),
        });
    let frozen = Err(EdgeError::Frozen { media: index });
    let (ue, intention) = match ue {
        Ok(Ue::Rtp(crypto))
            if dialogue
                .slot(index)
                .rtp()
                .is_some_and(|held| crypto.is_frozen_out(held, policy)) =>
        {
            return frozen;
        }
        Ok(ue) => (ue, intention),
        Err(_) if dialogue.slot(index).rtp().is_some() => return frozen,
        Err(refusal) => (Ue::None, Intention::Refuse(refusal)),
    };
    let passage = Passage::of(dialogue, session, media, intention);
    Ok(Pending {
        intention,
        protocol: known(media.line.protocol()),
        ue,
        passage,
    })
}

fn read_rtp(
    dialogue: &Dialogue,
    session: &Facts<'_>,
    media: &MediaFacts<'_>,
) -> Result<UeCrypto, Refusal> {
    let crypto = UeCrypto::read(media, media.transport(session)?);
    crypto.examine(&dialogue.policy).map_err(Refusal::Crypto)?;
    Ok(crypto)
}

fn offer_edit<'e>(dialogue: &Dialogue, pending: &Pending) -> Edit<'e> {
    let mut edit = Edit::default();
    if pending.intention == Intention::Untouched {
        edit.keeps_keys = pending.passage.keeps_keys;
        return edit;
    }
    edit.strip = Some(pending.mechanism().unwrap_or(Mechanism::SdesSrtp));
    edit.to_plain = true;
    edit.protocol = pending.core_protocol();
    edit.refuse = matches!(pending.intention, Intention::Refuse(_));
    if matches!(pending.intention, Intention::Protect(_)) {
        edit.transports = Some(Transports::Plain);
        edit.scheme = scheme(dialogue, pending, "msrp");
    }
    edit
}

/// The scheme of `a=path`, where it is to be rewritten (TS 23.334 §5.11.2.x.2).
fn scheme(dialogue: &Dialogue, pending: &Pending, scheme: &'static str) -> Option<&'static str> {
    let aware = dialogue.policy.msrp == MsrpHandling::Aware;
    (aware && pending.mechanism() == Some(Mechanism::MsrpTls)).then_some(scheme)
}
