//! What the focus agrees on with one participant: the offers and answers.

use std::net::UdpSocket;

use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use sdes::{Answer, GroupKey, Negotiated, Offer, Rekey, SdpKeys, Transport};
use sdp_sec::{Sdp, conference};
use srtp::keying::MasterKeySource;

use super::{Answered, SdesFocus};
use crate::conference::sdp_text::{described, live_index, live_stream, restarted, with_crypto};
use crate::conference::{ConferenceError, Leg, Refusal, socket};
use crate::sdp::Audio;

/// The user name in o-lines.
const FOCUS: &str = "focus";

#[derive(Debug)]
pub(super) struct Dialogue {
    session: Negotiated,
    /// The description that was sent last, and the one that came.
    sent: String,
    came: String,
}

impl SdesFocus {
    /// The stream ends and begins anew, with new ports on both sides (TR 33.829 §5.3.2.1).
    pub(super) fn restart(
        &mut self,
        uri: &str,
        dialogue: &Dialogue,
        group: &GroupKey,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<Dialogue, ConferenceError> {
        let (socket, offer) = (socket()?, group.offer());
        let sent = restarted(&dialogue.sent, &socket, offer.lines())?;
        let came = carry(uri, &sent).ok_or(Refusal::Unavailable)?.sdp;
        let ended = live_index(&dialogue.sent)?;
        let before = Sdp::parse(dialogue.came.as_bytes())?;
        conference::check_restarted(&before, &Sdp::parse(came.as_bytes())?, ended)?;
        let stream = live_stream(&came)?;
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
    pub(super) fn reoffer(
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
        let stream = live_stream(&came)?;
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

    pub(super) fn answer(&mut self, uri: &str, offer: &str) -> Result<String, ConferenceError> {
        let stream = live_stream(offer).map_err(|_| Refusal::NotAcceptableHere)?;
        let answered = match &self.group {
            Some(group) => group.answer(&stream.crypto),
            None => Answer::to(&stream.crypto, &self.policy, &mut UnwrapErr(SysRng)),
        };
        let (answer, session) = answered.map_err(|_| Refusal::NotAcceptableHere)?;
        let socket = socket()?;
        let sent = described(&socket, FOCUS, vec![answer.line().to_owned()])?;
        let dialogue = Dialogue {
            session,
            sent: sent.clone(),
            came: offer.to_owned(),
        };
        self.enter(uri, socket, &stream, dialogue)?;
        Ok(sent)
    }

    pub(super) fn call(
        &mut self,
        uri: &str,
        carry: &mut impl FnMut(&str, &str) -> Option<Answered>,
    ) -> Result<(), ConferenceError> {
        let offer = match &self.group {
            Some(group) => group.offer(),
            None => Offer::new(&self.policy, &mut UnwrapErr(SysRng))?,
        };
        let socket = socket()?;
        let sent = described(&socket, FOCUS, offer.lines().map(str::to_owned).collect())?;
        self.rules.check_offer(&sent)?;
        let answered = carry(uri, &sent).ok_or(Refusal::Unavailable)?;
        let asserted: Vec<_> = answered.asserted.iter().map(String::as_str).collect();
        let uri = self.rules.dial_out(&asserted).ok_or(Refusal::Forbidden)?;
        let stream = live_stream(&answered.sdp)?;
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
