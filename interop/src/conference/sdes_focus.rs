mod dialogue;

use alloc::collections::BTreeMap;
use core::time::Duration;

use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use sdes::{GroupKey, Policy};

use super::{ConferenceError, Keys, LegError, Outbound, Refusal, RekeyLimiter, Room, Rules};
use dialogue::Dialogue;

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
        if self.members.remove(uri).is_some() {
            self.key_is_out();
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
        // Those who dial in again and have the key that goes on.
        let mut again = Vec::new();
        if let Keys::Group { renew_on_join, .. } = self.rules.keys() {
            if !self.limiter.due(now) {
                return Ok(Vec::new());
            }
            // Who dials in again has left the dialogue of before.
            for joining in &self.joining {
                if let Joining::In { uri, .. } = joining {
                    self.room.leave(uri);
                    if self.members.remove(uri).is_some() {
                        again.push(uri.clone());
                    }
                }
            }
            // Who joins begins with ROC 0, so all do, unless it is 0 for long enough anyway.
            let stream = self.room.shared();
            let may_be_joined = stream.is_some_and(Outbound::may_be_joined);
            if !self.joining.is_empty() && (renew_on_join || !may_be_joined) {
                self.renew_group(&mut carry, true)?;
                again.clear();
            } else if self.left {
                self.renew_group(&mut carry, false)?;
                again.clear();
            }
            self.left = false;
        }
        let joining = core::mem::take(&mut self.joining);
        let outcomes = joining.into_iter().map(|joining| {
            let uri = joining.uri().to_owned();
            let answer = match joining {
                Joining::In { uri, offer } => {
                    let answer = self.answer(&uri, &offer).map(Some);
                    if answer.is_err() && again.contains(&uri) {
                        self.key_is_out();
                    }
                    answer
                }
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

    /// Someone who is not in the conference any more has the group's key.
    fn key_is_out(&mut self) {
        if let Keys::Group {
            renew_on_leave: true,
            ..
        } = self.rules.keys()
        {
            self.left = true;
            self.limiter.ask();
        }
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
        let stream = || Outbound::new(group.description().keys(), rng.next_u32());
        let anew = restart.then(stream).transpose()?;
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
        if let Some(stream) = anew {
            self.room.share(stream);
        } else if let Some(stream) = self.room.shared_mut() {
            stream.rekey(group.description().keys())?;
        }
        self.renewals += 1;
        self.group = Some(group);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME_SAMPLES;
    use crate::conference::SdesParticipant;

    /// Who joins begins with ROC 0, so the stream has to as well, whatever the policy says: before its
    /// ROC is 1, lest the first packet that arrives be one after the roll-over.
    #[test]
    fn a_stream_that_nears_its_roll_over_begins_anew_when_someone_joins() {
        let keys = Keys::Group {
            renew_on_join: false,
            renew_on_leave: false,
        };
        let policy = Policy::default().with_mki(2).unwrap();
        let mut focus = SdesFocus::new(Rules::new(keys), &policy, Duration::ZERO).unwrap();
        let uris = ["sip:alice@example.com", "sip:bob@example.com"];
        let mut users = uris.map(|uri| SdesParticipant::new(uri, &policy));
        for (packets, restarted) in [(1_usize, false), (45_000, true)] {
            let stream = focus.room.shared_mut().unwrap();
            for _ in 0..packets {
                stream.packet(&[0; FRAME_SAMPLES]).unwrap();
            }
            let before = stream.ssrc();
            for uri in uris {
                focus.invite(uri);
            }
            let outcomes = focus.renew(Duration::ZERO, |uri, offer| {
                let user = users.iter_mut().find(|user| user.uri() == uri)?;
                Some(Answered {
                    asserted: vec![user.asserted()],
                    sdp: user.answer(offer).unwrap(),
                })
            });
            assert!(
                outcomes
                    .unwrap()
                    .iter()
                    .all(|outcome| outcome.answer.is_ok())
            );
            let stream = focus.room.shared().unwrap();
            assert_eq!((stream.ssrc() != before, stream.roc()), (restarted, 0));
            for uri in uris {
                focus.leave(uri);
            }
            users = uris.map(|uri| SdesParticipant::new(uri, &policy));
        }
    }
}
