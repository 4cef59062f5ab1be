use alloc::collections::BTreeMap;
use core::time::Duration;
use std::net::UdpSocket;

use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use sdes::{Answer, GroupKey, Negotiated, Offer, Policy, Rekey, SdpKeys, Transport};
use sdp_sec::{Sdp, conference};
use srtp::keying::MasterKeySource;

use super::sdp_text::{last_stream, next_version, text_of, with_crypto};
use super::{
    ConferenceError, Keys, Leg, LegError, Outbound, Refusal, RekeyLimiter, Room, Rules, socket,
};
use crate::sdp::Audio;

/// An answer to an INVITE of the focus.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the caller makes it of what came"
)]
pub struct Answered {
    /// The values of P-Asserted-Identity.
    pub asserted: Vec<String>,
    /// The description.
    pub sdp: String,
}

/// What became of someone who dialled in or was invited.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a result with a name")]
pub struct Outcome {
    /// Who.
    pub uri: String,
    /// The answer to the INVITE of one who dialled in, nothing for one who was invited; or a refusal,
    /// where an invitation is cancelled.
    pub answer: Result<Option<String>, ConferenceError>,
}

/// A conference with keys from `a=crypto` (TR 33.829 §5.3.2): dial-in and dial-out, bilateral keys or
/// a group key that is renewed when someone joins or leaves.
///
/// With a group key whoever joins waits for [`renew`](Self::renew), which makes one new key for all
/// that has happened since the last one.
#[derive(Debug)]
pub struct SdesFocus {
    rules: Rules,
    policy: Policy,
    limiter: RekeyLimiter,
    room: Room,
    group: Option<GroupKey>,
    members: BTreeMap<String, Dialogue>,
    joining: Vec<Joining>,
    left: bool,
    renewals: usize,
}

#[derive(Debug)]
struct Dialogue {
    session: Negotiated,
    /// The description that was sent last, and the one that came.
    sent: String,
    came: String,
}

#[derive(Debug)]
enum Joining {
    In { uri: String, offer: String },
    Out { uri: String },
}

impl Joining {
    fn uri(&self) -> &str {
        match self {
            Self::In { uri, .. } | Self::Out { uri } => uri,
        }
    }
}

impl SdesFocus {
    /// Nobody is in it. Group keys are renewed at most once in `interval`.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] if there is no key to be had.
    pub fn new(rules: Rules, policy: &Policy, interval: Duration) -> Result<Self, ConferenceError> {
        let rng = &mut UnwrapErr(SysRng);
        let (mut room, mut group) = (Room::new(), None);
        if rules.keys() != Keys::Bilateral {
            let key = GroupKey::new(policy, rng)?;
            room.share(Outbound::new(key.description().keys(), rng.next_u32())?);
            group = Some(key);
        }
        Ok(Self {
            rules,
            policy: policy.clone(),
            limiter: RekeyLimiter::new(interval),
            room,
            group,
            members: BTreeMap::new(),
            joining: Vec::new(),
            left: false,
            renewals: 0,
        })
    }

    /// An INVITE has come, with these values of P-Asserted-Identity. [`renew`](Self::renew) answers it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] to answer with at once.
    pub fn dial_in(&mut self, asserted: &[&str], offer: &str) -> Result<(), Refusal> {
        let uri = self.rules.dial_in(asserted)?;
        self.rules.check_offer(offer)?;
        let offer = offer.to_owned();
        self.ask(Joining::In { uri, offer });
        Ok(())
    }

    /// Invites a user, in [`renew`](Self::renew).
    pub fn invite(&mut self, uri: &str) {
        let uri = uri.to_owned();
        self.ask(Joining::Out { uri });
    }

    /// A BYE has come. From now on nothing is sent to the one who leaves; what goes to others under a
    /// group key is renewed by [`renew`](Self::renew).
    pub fn leave(&mut self, uri: &str) {
        self.joining.retain(|joining| joining.uri() != uri);
        self.room.leave(uri);
        if self.members.remove(uri).is_some()
            && let Keys::Group {
                renew_on_leave: true,
                ..
            } = self.rules.keys()
        {
            self.left = true;
            self.limiter.ask();
        }
    }

    /// Renews what is due and lets in who waits. `carry` sends an INVITE or re-INVITE with a
    /// description to a user, and gives the answer: `None` if there is none. Who does not answer a
    /// new key is out.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] if there is no key to be had. What happens to one user is in the outcomes.
    pub fn renew(
        &mut self,
        now: Duration,
        mut carry: impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<Vec<Outcome>, ConferenceError> {
        if let Keys::Group { renew_on_join, .. } = self.rules.keys() {
            if !self.limiter.due(now) {
                return Ok(Vec::new());
            }
            // Who joins begins with ROC 0, so all do, unless it is 0 anyway.
            let at_zero = self.room.shared().is_some_and(|stream| stream.roc() == 0);
            let left = core::mem::take(&mut self.left);
            if !self.joining.is_empty() && (renew_on_join || !at_zero) {
                self.renew_group(&mut carry, true)?;
            } else if left {
                self.renew_group(&mut carry, false)?;
            }
        }
        let joining = core::mem::take(&mut self.joining);
        let outcomes = joining.into_iter().map(|joining| {
            let uri = joining.uri().to_owned();
            let answer = match joining {
                Joining::In { uri, offer } => self.answer(&uri, &offer).map(Some),
                Joining::Out { uri } => {
                    let called = self.call(&uri, &mut carry).map(|()| None);
                    if called.is_err() && self.group.is_some() {
                        // Whoever the INVITE came to has seen the group's key.
                        self.left = true;
                        self.limiter.ask();
                    }
                    called
                }
            };
            Outcome { uri, answer }
        });
        Ok(outcomes.collect())
    }

    /// Twenty milliseconds of media, as [`Room::relay`].
    ///
    /// # Errors
    ///
    /// As of [`Room::relay`].
    pub fn relay(&mut self) -> Result<Vec<String>, LegError> {
        self.room.relay()
    }

    /// Who is in it.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.room.names()
    }

    /// How often the group key was renewed.
    #[must_use]
    pub const fn renewals(&self) -> usize {
        self.renewals
    }

    fn ask(&mut self, joining: Joining) {
        self.joining.retain(|other| other.uri() != joining.uri());
        self.joining.push(joining);
        self.limiter.ask();
    }

    /// A new key for everyone: in the stream there is, or in one that begins anew.
    fn renew_group(
        &mut self,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
        restart: bool,
    ) -> Result<(), ConferenceError> {
        let rng = &mut UnwrapErr(SysRng);
        let group = self.group.as_ref().ok_or(ConferenceError::NotHere)?;
        let group = group.renewed(rng)?;
        let members = core::mem::take(&mut self.members);
        for (uri, dialogue) in members {
            let renewed = if restart {
                self.restart(&uri, &dialogue, &group, carry)
            } else {
                self.reoffer(&uri, &dialogue, &group, carry)
            };
            // Who has not taken the new key hears nothing any more.
            match renewed {
                Ok(dialogue) => {
                    self.members.insert(uri, dialogue);
                }
                Err(_) => {
                    self.room.leave(&uri);
                }
            }
        }
        let keys = group.description().keys();
        if restart {
            self.room.share(Outbound::new(keys, rng.next_u32())?);
        } else if let Some(stream) = self.room.shared_mut() {
            stream.rekey(keys)?;
        }
        self.renewals += 1;
        self.group = Some(group);
        Ok(())
    }

    /// The stream ends and begins anew, with new ports on both sides (TR 33.829 §5.3.2.1).
    fn restart(
        &mut self,
        uri: &str,
        dialogue: &Dialogue,
        group: &GroupKey,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<Dialogue, ConferenceError> {
        let (socket, offer) = (socket()?, group.offer());
        let sdp = Sdp::parse(dialogue.sent.as_bytes())?;
        let last = sdp.media_count().saturating_sub(1);
        let values = offer
            .lines()
            .filter_map(|line| line.strip_prefix("a=crypto:"));
        let values: Vec<_> = values.collect();
        let port = socket.local_addr()?.port();
        let sent = conference::restart_stream(&sdp, last, port, &values)?;
        let sent = next_version(&text_of(sent)?)?;
        let came = carry(uri, &sent).ok_or(Refusal::Unavailable)?.sdp;
        let before = Sdp::parse(dialogue.came.as_bytes())?;
        conference::check_restarted(&before, &Sdp::parse(came.as_bytes())?, last)?;
        let stream = last_stream(&came)?;
        let session = offer.accept(&stream.crypto)?;
        self.check_keys(&session)?;
        let leg = Leg::receiving(socket, stream.address, &session)?;
        self.room.enter(uri, leg);
        Ok(Dialogue {
            session,
            sent,
            came,
        })
    }

    /// A re-INVITE with the new key in the place of the old one. The participant may keep its own key.
    fn reoffer(
        &mut self,
        uri: &str,
        dialogue: &Dialogue,
        group: &GroupKey,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<Dialogue, ConferenceError> {
        let offer = dialogue.session.reoffer_group(group);
        let line = offer.lines().next().unwrap_or_default();
        let sent = with_crypto(&dialogue.sent, line)?;
        let came = carry(uri, &sent).ok_or(Refusal::Unavailable)?.sdp;
        let stream = last_stream(&came)?;
        let (session, change) = offer.accept(&stream.crypto, Transport::Unchanged)?;
        self.check_keys(&session)?;
        if change.inbound != Rekey::Unchanged {
            let leg = self.room.leg_mut(uri).ok_or(ConferenceError::NotHere)?;
            leg.expect_keys(session.inbound())?;
        }
        Ok(Dialogue {
            session,
            sent,
            came,
        })
    }

    fn answer(&mut self, uri: &str, offer: &str) -> Result<String, ConferenceError> {
        let stream = last_stream(offer).map_err(|_| Refusal::NotAcceptableHere)?;
        let answered = match &self.group {
            Some(group) => group.answer(&stream.crypto),
            None => Answer::to(&stream.crypto, &self.policy, &mut UnwrapErr(SysRng)),
        };
        let (answer, session) = answered.map_err(|_| Refusal::NotAcceptableHere)?;
        let socket = socket()?;
        let sent = describe(&socket, vec![answer.line().to_owned()])?;
        let dialogue = Dialogue {
            session,
            sent: sent.clone(),
            came: offer.to_owned(),
        };
        self.enter(uri, socket, &stream, dialogue)?;
        Ok(sent)
    }

    fn call(
        &mut self,
        uri: &str,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<(), ConferenceError> {
        let offer = match &self.group {
            Some(group) => group.offer(),
            None => Offer::new(&self.policy, &mut UnwrapErr(SysRng))?,
        };
        let socket = socket()?;
        let sent = describe(&socket, offer.lines().map(str::to_owned).collect())?;
        self.rules.check_offer(&sent)?;
        let answered = carry(uri, &sent).ok_or(Refusal::Unavailable)?;
        let asserted: Vec<_> = answered.asserted.iter().map(String::as_str).collect();
        let uri = self.rules.dial_out(&asserted).ok_or(Refusal::Forbidden)?;
        let stream = last_stream(&answered.sdp)?;
        let session = offer.accept(&stream.crypto)?;
        let dialogue = Dialogue {
            session,
            sent,
            came: answered.sdp,
        };
        self.enter(&uri, socket, &stream, dialogue)
    }

    fn enter(
        &mut self,
        uri: &str,
        socket: UdpSocket,
        stream: &Audio,
        dialogue: Dialogue,
    ) -> Result<(), ConferenceError> {
        self.check_keys(&dialogue.session)?;
        let leg = if self.group.is_some() {
            Leg::receiving(socket, stream.address, &dialogue.session)?
        } else {
            let ssrc = UnwrapErr(SysRng).next_u32();
            Leg::new(socket, stream.address, &dialogue.session, ssrc)?
        };
        self.room.enter(uri, leg);
        self.members.insert(uri.to_owned(), dialogue);
        Ok(())
    }

    /// That nobody sends with the key of another.
    fn check_keys(&self, new: &Negotiated) -> Result<(), ConferenceError> {
        let sessions = self.members.values().map(|dialogue| &dialogue.session);
        let mut keys = SdpKeys::new();
        for (n, session) in sessions.chain([new]).enumerate() {
            if self.group.is_some() {
                keys.admit_inbound(n, session)?;
            } else {
                keys.admit(n, session)?;
            }
        }
        Ok(())
    }
}

fn describe(socket: &UdpSocket, crypto: Vec<String>) -> Result<String, ConferenceError> {
    let audio = Audio {
        address: socket.local_addr()?,
        crypto,
    };
    Ok(audio.describe("focus", 1))
}
