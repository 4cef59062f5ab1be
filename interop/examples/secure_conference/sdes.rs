//! Keys from `a=crypto` (TR 33.829 §5.3.2).

use core::time::Duration;
use std::collections::BTreeMap;

use ::sdes::Policy;
use interop::conference::{
    Answered, ConferenceError, Heard, Keys, LegError, Outcome, Refusal, Rules, SdesFocus,
    SdesParticipant,
};
use srtp::keying::Profile;

use crate::ProgramError;
use crate::people::{self, MALLORY, Voices, name, names};

/// Group keys are renewed at most once in this.
const INTERVAL: Duration = Duration::from_millis(500);

const FRAME: Duration = Duration::from_millis(20);

/// Frames of each part of the conference.
const PART: usize = 25;

/// Times that someone leaves and comes back within a second.
const STORM: usize = 10;

pub(crate) fn run(participants: usize, keys: Keys) -> Result<(), ProgramError> {
    let uris = people::uris(participants);
    let mut conference = Conference::new(&uris, keys)?;
    let (late, first) = uris.split_last().ok_or(ProgramError::Silence)?;
    conference.refuse()?;

    // One half dials in, the other is invited.
    let (in_, out) = first.split_at(first.len() / 2);
    for uri in in_ {
        conference.dial_in(uri)?;
    }
    for uri in out {
        conference.focus.invite(uri);
    }
    conference.renew()?;
    conference.expect(first)?;
    println!(
        "Dialling in: {}. Invited: {}\n",
        names(in_.iter().map(String::as_str)),
        names(out.iter().map(String::as_str))
    );
    let before = conference.part(PART)?;

    conference.dial_in(late)?;
    conference.settle()?;
    conference.expect(&uris)?;
    if conference.opens(late, &before) {
        return Err(ProgramError::Accepted("an older packet"));
    }
    println!("{} joins, and cannot open what was sent before", name(late));
    conference.part(PART)?;

    let gone = uris.first().ok_or(ProgramError::Silence)?;
    conference.leave(gone)?;
    conference.settle()?;
    let after = conference.part(PART)?;
    if conference.opens(gone, &after) {
        return Err(ProgramError::Accepted("a packet for those who stay"));
    }
    println!("{} leaves, and cannot open what is sent after", name(gone));
    conference.dial_in(gone)?;
    conference.settle()?;
    conference.expect(&uris)?;
    println!("{} comes back", name(gone));
    conference.part(PART)?;

    let renewals = conference.focus.renewals();
    for _ in 0..STORM {
        conference.leave(late)?;
        conference.part(1)?;
        conference.dial_in(late)?;
        conference.part(4)?;
    }
    conference.settle()?;
    conference.expect(&uris)?;
    conference.part(PART)?;
    println!(
        "{} leaves and comes back {STORM} times in a second: keys for all are renewed {} times",
        name(late),
        conference.focus.renewals() - renewals
    );
    let own = if keys == Keys::Bilateral {
        ""
    } else {
        ", and their own voice"
    };
    println!("\nEveryone hears what the others say{own}");
    Ok(())
}

struct Conference {
    focus: SdesFocus,
    policy: Policy,
    users: BTreeMap<String, SdesParticipant>,
    voices: Voices,
    now: Duration,
    keys: Keys,
}

impl Conference {
    fn new(uris: &[String], keys: Keys) -> Result<Self, ProgramError> {
        // Keys of a stream change while it goes on, so each has its MKI.
        let policy = Policy::for_profiles([Profile::AesCm128HmacSha1_80])?.with_mki(2)?;
        let rules = Rules::new(keys).closed(uris.iter().map(String::as_str))?;
        let users = uris
            .iter()
            .map(|uri| (uri.clone(), SdesParticipant::new(uri, &policy)));
        Ok(Self {
            focus: SdesFocus::new(rules, &policy, INTERVAL)?,
            users: users.collect(),
            policy,
            voices: Voices::new(),
            now: Duration::ZERO,
            keys,
        })
    }

    /// Who may not take part, and what may not be offered.
    fn refuse(&mut self) -> Result<(), ProgramError> {
        let alice = self
            .users
            .values_mut()
            .next()
            .ok_or(ProgramError::Silence)?;
        let (asserted, offer) = (alice.asserted(), alice.dial_in()?);
        let in_clear = offer.replace("RTP/SAVP", "RTP/AVP");
        let mallory = format!("<{MALLORY}>");
        for (who, asserted, offer, refusal) in [
            (
                "Mallory",
                &[mallory.as_str()][..],
                &offer,
                Refusal::Forbidden,
            ),
            (
                "Someone who hides",
                &[],
                &offer,
                Refusal::AnonymityDisallowed,
            ),
            (
                "Alice, in clear,",
                &[&asserted],
                &in_clear,
                Refusal::NotAcceptableHere,
            ),
        ] {
            match self.focus.dial_in(asserted, offer) {
                Err(error) if error == refusal => println!("{who} dials in: {error}"),
                _ => return Err(ProgramError::Accepted("an INVITE")),
            }
        }
        let invited = self
            .users
            .keys()
            .next_back()
            .ok_or(ProgramError::Silence)?
            .clone();
        self.focus.invite(&invited);
        let mut instead = SdesParticipant::new(MALLORY, &self.policy);
        for outcome in self.renew_with(|_, offer| {
            Some(Answered {
                asserted: vec![mallory.clone()],
                sdp: instead.answer(offer).ok()?,
            })
        })? {
            match outcome.answer {
                Err(ConferenceError::Refused(Refusal::Forbidden)) => {
                    println!("{} is invited, Mallory answers: cancelled", name(&invited));
                }
                _ => return Err(ProgramError::Accepted("another who answers")),
            }
        }
        self.now += INTERVAL;
        Ok(())
    }

    fn dial_in(&mut self, uri: &str) -> Result<(), ProgramError> {
        let user = self.users.get_mut(uri).ok_or(ProgramError::Silence)?;
        let offer = user.dial_in()?;
        let dialled_in = self.focus.dial_in(&[&user.asserted()], &offer);
        Ok(dialled_in.map_err(ConferenceError::from)?)
    }

    fn leave(&mut self, uri: &str) -> Result<(), ProgramError> {
        let user = self.users.get_mut(uri).ok_or(ProgramError::Silence)?;
        user.hang_up();
        self.focus.leave(uri);
        Ok(())
    }

    fn renew(&mut self) -> Result<(), ProgramError> {
        let outcomes = self.renew_with(|user, offer| {
            Some(Answered {
                asserted: vec![user.asserted()],
                sdp: user.answer(offer).ok()?,
            })
        })?;
        for outcome in outcomes {
            let user = self
                .users
                .get_mut(&outcome.uri)
                .ok_or(ProgramError::Silence)?;
            if let Some(answer) = outcome.answer? {
                user.answered(&answer)?;
            }
        }
        Ok(())
    }

    /// Carries the messages of the focus to its users, and their answers back.
    fn renew_with(
        &mut self,
        mut answer: impl FnMut(&mut SdesParticipant, &str) -> Option<Answered>,
    ) -> Result<Vec<Outcome>, ProgramError> {
        let users = &mut self.users;
        let renewed = self
            .focus
            .renew(self.now, |uri, offer| answer(users.get_mut(uri)?, offer));
        Ok(renewed?)
    }

    /// Media, and renewals as they come due.
    fn part(&mut self, frames: usize) -> Result<Vec<Heard>, ProgramError> {
        let mut heard = Vec::new();
        for _ in 0..frames {
            self.renew()?;
            let present: Vec<_> = self.focus.members().map(str::to_owned).collect();
            for uri in &present {
                let user = self.users.get_mut(uri).ok_or(ProgramError::Silence)?;
                user.speak(&self.voices.of(uri))?;
            }
            if let Some(silent) = self.focus.relay()?.first() {
                return Err(ProgramError::Absent(name(silent)));
            }
            for uri in &present {
                let user = self.users.get_mut(uri).ok_or(ProgramError::Silence)?;
                let packet = user.hear()?;
                // With a group key everyone gets the same packet, with their own voice in it.
                let to_all = self.keys != Keys::Bilateral;
                let speakers = present.iter().filter(|other| to_all || *other != uri);
                self.voices
                    .check(&packet.samples, speakers.map(String::as_str))?;
                heard.push(packet);
            }
            self.voices.next();
            self.now += FRAME;
        }
        Ok(heard)
    }

    /// Until all renewals that are due have been made.
    fn settle(&mut self) -> Result<(), ProgramError> {
        let frames = INTERVAL.as_millis() / FRAME.as_millis() + 1;
        self.part(usize::try_from(frames).unwrap_or_default())
            .map(drop)
    }

    fn expect(&self, uris: &[String]) -> Result<(), ProgramError> {
        for uri in uris {
            if !self.focus.members().any(|member| member == uri) {
                return Err(ProgramError::Absent(name(uri)));
            }
        }
        Ok(())
    }

    /// Whether a user can open any of these.
    fn opens(&mut self, uri: &str, packets: &[Heard]) -> bool {
        let Some(user) = self.users.get_mut(uri) else {
            return false;
        };
        let open = |packet: &Heard| user.open(&packet.datagram);
        !packets
            .iter()
            .map(open)
            .all(|opened| matches!(opened, Err(LegError::Refused(_))))
    }
}
