//! Keys from a KMS (TR 33.829 §5.3.3).

use std::collections::{BTreeMap, BTreeSet};

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::{
    conference::{
        self, ConferenceError, ConferenceInfo, FACTORY, FocusPolicy, Focused, Invite, Leg,
        Referral, Refusal, TicketFocus, is_focus,
    },
    kms::{self, Subscribers},
    users::Users,
};
use mikey::{Identity, code_points::ThreeGppCodePoints};
use mikey_ticket::{GrantedTicket, Strength, TicketError, profile};
use smime_psk::ProofOfOrigin;

use crate::ProgramError;
use crate::people::{self, MALLORY, Voices, name, names};

/// The conference URI that the factory gives to this one.
const FOCUS: &str = "sip:focus1@conferencing.example.com";

/// Frames of a part of the conference.
const PART: usize = 25;

pub(crate) fn run(participants: usize) -> Result<(), ProgramError> {
    let uris = people::uris(participants);
    let [creator, caller, .., referred] = uris.as_slice() else {
        return Err(ProgramError::Silence);
    };
    let network = Network::new(&uris)?;

    // Everyone but the last is listed at first; of these all but one are to be invited.
    let listed: Vec<_> = uris
        .iter()
        .filter(|uri| *uri != creator && *uri != referred)
        .collect();
    let invited = listed
        .iter()
        .filter(|uri| **uri != caller)
        .map(|uri| (*uri).clone());
    let recipients = invited.chain([MALLORY.to_owned()]).collect();
    let (mut conference, ticket) = network.create(creator, &listed, recipients)?;

    conference.dial_in(&network, caller)?;
    conference.refuse(&network, caller, referred)?;
    conference.confer()?;

    conference.update(ticket, &uris)?;
    conference.refer(&network, creator, referred)?;
    conference.confer()?;

    conference.notify(&network)?;
    conference.focus.leave(caller);
    conference.legs.remove(caller);
    println!("{} leaves\n", name(caller));
    conference.confer()?;
    println!("Everyone hears what the others say");
    Ok(())
}

/// A KMS whose policy knows the factory, and its subscribers.
struct Network(Users);

impl Network {
    fn new(uris: &[String]) -> Result<Self, ProgramError> {
        let all = uris.iter().map(String::as_str).chain([MALLORY, FOCUS]);
        let subscribers = Subscribers::random(all)?;
        let server = kms::local_with(&subscribers, FocusPolicy)?;
        let users = Users::served(subscribers, server);
        println!("KMS at {}\n", users.kms());
        Ok(Self(users))
    }

    /// The creator gets a ticket for the factory, and sends it an INVITE with a list of participants,
    /// and one of those who are to be invited.
    fn create(
        &self,
        creator: &str,
        listed: &[&String],
        recipients: Vec<String>,
    ) -> Result<(Conference, GrantedTicket), ProgramError> {
        let user = self.0.user(creator)?;
        let factory = Identity::uri(FACTORY)?;
        let policy = profile::conference::policy(Strength::Bits256, factory.clone());
        let mut ticket = user.request(&policy.map_err(TicketError::from)?)?;
        let participants = listed.iter().map(|uri| Identity::uri(uri));
        let participants: Vec<_> = participants.collect::<Result<_, _>>()?;
        let (creating, init) = profile::conference::transfer(
            &mut ticket,
            &factory,
            &participants,
            &ThreeGppCodePoints::default(),
            kms::now(),
            &mut UnwrapErr(SysRng),
        )?;
        let calling = conference::call(&user, &factory)?;
        let mut invite = Invite::new(calling.sdp());
        (invite.mikey, invite.recipients) = (Some(init), recipients);
        let body = invite.to_vec();
        show(&format!("INVITE {FACTORY}, from {}", name(creator)), &body);

        let focus = self.0.user(FOCUS)?.standing_in_for(factory);
        let asserted = format!("<{creator}>");
        let Focused {
            focus,
            answer,
            invited,
            refused,
        } = TicketFocus::create(focus, &[&asserted], &Invite::read(&body)?)?;
        println!("The factory has set up {}\n", focus.uri());
        let answer = Invite::read(&answer.to_vec())?;
        let response = answer.mikey.ok_or(TicketError::Mismatch)?;
        let created = creating.accept_from(&response, is_focus);
        let created = created.map_err(TicketError::from)?;
        let (_, leg) = calling.answered(&answer.sdp, |peer| peer == created.peer())?;
        println!(
            "To {} the KMS vouches for {}\n",
            name(creator),
            created.peer().data().escape_ascii()
        );
        let mut conference = Conference {
            focus,
            legs: BTreeMap::from([(creator.to_owned(), leg)]),
            voices: Voices::new(),
        };
        for uri in &refused {
            println!(
                "{} is no authorised participant and is not invited",
                name(uri)
            );
        }
        for uri in invited {
            conference.invite(self, &uri)?;
        }
        println!();
        Ok((conference, ticket))
    }
}

struct Conference {
    focus: TicketFocus,
    legs: BTreeMap<String, Leg>,
    voices: Voices,
}

impl Conference {
    fn dial_in(&mut self, network: &Network, uri: &str) -> Result<(), ProgramError> {
        let focus = Identity::uri(self.focus.uri())?;
        let calling = conference::call(&network.0.user(uri)?, &focus)?;
        let answer = self.focus.dial_in(&[&format!("<{uri}>")], calling.sdp())?;
        let (_, leg) = calling.answered(&answer, |peer| *peer == focus)?;
        self.legs.insert(uri.to_owned(), leg);
        println!("{} dials in", name(uri));
        Ok(())
    }

    /// The focus invites; the invited user checks that it is one of the operator's.
    fn invite(&mut self, network: &Network, uri: &str) -> Result<(), ProgramError> {
        let calling = self.focus.invite(uri)?;
        let mut user = network.0.user(uri)?;
        let (focus, leg, sdp) = conference::answer(&mut user, calling.sdp(), |caller| {
            if is_focus(caller) {
                Ok(())
            } else {
                Err(Refusal::Forbidden)
            }
        })?;
        let asserted = format!("<{uri}>");
        self.focus.answered(calling, &[&asserted], &sdp)?;
        self.legs.insert(uri.to_owned(), leg);
        println!(
            "{} is invited by {}",
            name(uri),
            focus.data().escape_ascii()
        );
        Ok(())
    }

    /// Who may not take part: one who is not listed, one not listed yet, one whom the network names
    /// otherwise than the KMS, one who hides.
    fn refuse(
        &mut self,
        network: &Network,
        listed: &str,
        not_yet: &str,
    ) -> Result<(), ProgramError> {
        let focus = Identity::uri(self.focus.uri())?;
        let asserted = [MALLORY, not_yet, listed].map(|uri| format!("<{uri}>"));
        let [mallory, unlisted, known] = asserted.each_ref().map(String::as_str);
        for (who, uri, asserted, refusal) in [
            ("Mallory", MALLORY, &[mallory][..], Refusal::Forbidden),
            (
                "Someone who is not listed",
                not_yet,
                &[unlisted],
                Refusal::Forbidden,
            ),
            (
                "Mallory, as another,",
                MALLORY,
                &[known],
                Refusal::Forbidden,
            ),
            (
                "Another, as Mallory,",
                listed,
                &[mallory],
                Refusal::Forbidden,
            ),
            (
                "Someone who hides",
                listed,
                &[],
                Refusal::AnonymityDisallowed,
            ),
        ] {
            let calling = conference::call(&network.0.user(uri)?, &focus)?;
            match self.focus.dial_in(asserted, calling.sdp()) {
                Err(ConferenceError::Refused(error)) if error == refusal => {
                    println!("{who} dials in: {error}");
                }
                _ => return Err(ProgramError::Accepted("an INVITE")),
            }
        }
        println!();
        Ok(())
    }

    /// The creator lists all, in a TRANSFER_INIT of an UPDATE.
    fn update(&mut self, mut ticket: GrantedTicket, uris: &[String]) -> Result<(), ProgramError> {
        let focus = Identity::uri(self.focus.uri())?;
        let listed = uris.iter().map(|uri| Identity::uri(uri));
        let listed: Vec<_> = listed.collect::<Result<_, _>>()?;
        let (updating, init) = profile::conference::transfer(
            &mut ticket,
            &focus,
            &listed,
            &ThreeGppCodePoints::default(),
            kms::now(),
            &mut UnwrapErr(SysRng),
        )?;
        let response = self.focus.update(&init)?;
        let confirmed = updating.accept_from(&response, |peer| *peer == focus);
        confirmed.map_err(TicketError::from)?;
        println!("The list of participants is updated, and the focus confirms it");
        Ok(())
    }

    /// A participant refers another to the focus, which invites with the same assertion.
    fn refer(&mut self, network: &Network, by: &str, invited: &str) -> Result<(), ProgramError> {
        let referral = Referral::refer(&network.0.user(by)?, self.focus.uri(), invited)?;
        let mut changed = referral.as_octets().to_vec();
        if let Some(octet) = changed.iter_mut().rev().nth(100) {
            *octet ^= 1;
        }
        if self.focus.refer(&Referral::from_octets(&changed)).is_ok() {
            return Err(ProgramError::Accepted("a REFER with one bit changed"));
        }
        let to = self.focus.refer(&referral)?;
        let invite = referral.to_invite(self.focus.uri(), &to)?;
        let referrer = invite.verify_invited(&mut network.0.user(&to)?)?;
        println!("{} is told by {} to join", name(&to), name(&referrer));
        self.invite(network, &to)?;
        println!();
        Ok(())
    }

    /// Everyone is told who is there, each under a ticket of their own; nobody else is.
    fn notify(&self, network: &Network) -> Result<(), ProgramError> {
        for uri in self.legs.keys() {
            let mut subscription = self.focus.subscribe(uri)?;
            let body = self.focus.notify(&mut subscription)?;
            let opened = network.0.user(uri)?.open(&body, ProofOfOrigin::None)?;
            let info = ConferenceInfo::from_entity(opened.content())?;
            if opened.sender() != Some(FOCUS) || !info.users.iter().eq(self.legs.keys()) {
                return Err(ProgramError::OtherNotification);
            }
            println!(
                "{} is notified: {}",
                name(uri),
                names(info.users.iter().map(String::as_str))
            );
            if network
                .0
                .user(MALLORY)?
                .open(&body, ProofOfOrigin::None)
                .is_ok()
            {
                return Err(ProgramError::Accepted("a notification to another"));
            }
        }
        if self.focus.subscribe(MALLORY).is_ok() {
            return Err(ProgramError::Accepted("a subscription"));
        }
        println!("Mallory subscribes: {}\n", Refusal::Forbidden);
        Ok(())
    }

    /// Everyone speaks, and hears the others in a stream of the focus's own.
    fn confer(&mut self) -> Result<(), ProgramError> {
        for _ in 0..PART {
            for (uri, leg) in &mut self.legs {
                leg.speak(&self.voices.of(uri))?;
            }
            if let Some(silent) = self.focus.relay()?.first() {
                return Err(ProgramError::Absent(name(silent)));
            }
            let speakers: Vec<_> = self.legs.keys().cloned().collect();
            let mut ssrcs = BTreeSet::new();
            for (uri, leg) in &mut self.legs {
                let heard = leg.hear()?;
                let others = speakers.iter().filter(|other| *other != uri);
                self.voices
                    .check(&heard.samples, others.map(String::as_str))?;
                ssrcs.insert(heard.ssrc);
            }
            if ssrcs.len() != speakers.len() {
                return Err(ProgramError::SharedSsrc);
            }
            self.voices.next();
        }
        Ok(())
    }
}

fn show(title: &str, body: &[u8]) {
    println!("{title}:");
    for line in String::from_utf8_lossy(body).lines() {
        let shown: String = line.chars().take(96).collect();
        let more = if shown.len() < line.len() { "..." } else { "" };
        println!("    {shown}{more}");
    }
    println!();
}
