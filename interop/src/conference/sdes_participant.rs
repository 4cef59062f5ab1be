use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use sdes::{Answer, Change, LocalKey, Negotiated, Offer, Policy, Rekey, Transport};
use srtp::UnprotectError;
use srtp::keying::MasterKeySource;
use std::net::UdpSocket;

use super::sdp_text::{described, live_index, live_stream, restarted, with_crypto};
use super::{ConferenceError, Heard, Leg, LegError, socket};
use crate::sdp::Audio;

/// The user name in o-lines: the network says who it is.
const USER: &str = "-";

/// A user in a conference with keys from `a=crypto` (TR 33.829 §5.3.2).
#[derive(Debug)]
pub struct SdesParticipant {
    uri: String,
    policy: Policy,
    offered: Option<(Offer, UdpSocket)>,
    session: Option<Negotiated>,
    leg: Option<Leg>,
    /// Until something comes on the new one.
    old_leg: Option<Leg>,
    sdp: String,
}

impl SdesParticipant {
    /// The user with this URI.
    #[must_use]
    pub fn new(uri: &str, policy: &Policy) -> Self {
        Self {
            uri: uri.to_owned(),
            policy: policy.clone(),
            offered: None,
            session: None,
            leg: None,
            old_leg: None,
            sdp: String::new(),
        }
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What the network asserts of the user: the value of P-Asserted-Identity.
    #[must_use]
    pub fn asserted(&self) -> String {
        format!("<{}>", self.uri)
    }

    /// The offer of an INVITE to the conference.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`].
    pub fn dial_in(&mut self) -> Result<String, ConferenceError> {
        let socket = socket()?;
        let offer = Offer::new(&self.policy, &mut UnwrapErr(SysRng))?;
        let crypto = offer.lines().map(str::to_owned).collect();
        self.sdp = described(&socket, USER, crypto)?;
        self.session = None;
        self.offered = Some((offer, socket));
        Ok(self.sdp.clone())
    }

    /// Ends the dialogue with the focus: the next one begins anew.
    pub fn hang_up(&mut self) {
        self.session = None;
    }

    /// The answer to [`dial_in`](Self::dial_in).
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] for one that does not fit.
    pub fn answered(&mut self, answer: &str) -> Result<(), ConferenceError> {
        let (offer, socket) = self.offered.take().ok_or(ConferenceError::NotHere)?;
        let stream = live_stream(answer)?;
        let session = offer.accept(&stream.crypto)?;
        self.begin(socket, &stream, session)
    }

    /// Answers an offer of the focus: an invitation, another key, or a stream that begins anew at
    /// another port while the old one is still heard.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] for one that is not taken; what was agreed before stays.
    pub fn answer(&mut self, offer: &str) -> Result<String, ConferenceError> {
        let rng = &mut UnwrapErr(SysRng);
        let stream = live_stream(offer)?;
        if let (Some(session), Some(leg)) = (&self.session, &mut self.leg)
            && live_index(offer)? == live_index(&self.sdp)?
        {
            let (answer, session, change) = session.answer(
                &stream.crypto,
                Transport::Unchanged,
                LocalKey::Keep,
                &self.policy,
                rng,
            )?;
            if let Change {
                inbound: Rekey::NewKey { .. },
                ..
            } = change
            {
                leg.expect_keys(session.inbound())?;
            }
            self.sdp = with_crypto(&self.sdp, answer.line())?;
            self.session = Some(session);
            return Ok(self.sdp.clone());
        }
        let socket = socket()?;
        let (answer, session) = Answer::to(&stream.crypto, &self.policy, rng)?;
        let sdp = if self.session.is_some() {
            restarted(&self.sdp, &socket, [answer.line()])?
        } else {
            described(&socket, USER, vec![answer.line().to_owned()])?
        };
        self.begin(socket, &stream, session)?;
        self.sdp.clone_from(&sdp);
        Ok(sdp)
    }

    /// Says something.
    ///
    /// # Errors
    ///
    /// [`LegError`].
    pub fn speak(&mut self, samples: &[i16]) -> Result<(), ConferenceError> {
        let leg = self.leg.as_mut().ok_or(ConferenceError::NotHere)?;
        Ok(leg.speak(samples)?)
    }

    /// Hears what comes.
    ///
    /// # Errors
    ///
    /// [`LegError`].
    pub fn hear(&mut self) -> Result<Heard, ConferenceError> {
        let leg = self.leg.as_mut().ok_or(ConferenceError::NotHere)?;
        let heard = leg.hear()?;
        self.old_leg = None;
        Ok(heard)
    }

    /// Tries to open a packet with the keys there are.
    ///
    /// # Errors
    ///
    /// [`LegError::Refused`] if they do not fit.
    pub fn open(&mut self, datagram: &[u8]) -> Result<Heard, LegError> {
        let legs = [&mut self.leg, &mut self.old_leg];
        let mut refused = UnprotectError::NoKey;
        for leg in legs.into_iter().flatten() {
            match leg.open(datagram) {
                Ok(heard) => return Ok(heard),
                Err(error) => refused = error,
            }
        }
        Err(refused.into())
    }

    fn begin(
        &mut self,
        socket: UdpSocket,
        stream: &Audio,
        session: Negotiated,
    ) -> Result<(), ConferenceError> {
        let ssrc = UnwrapErr(SysRng).next_u32();
        let leg = Leg::new(socket, stream.address, &session, ssrc)?;
        self.old_leg = self.leg.replace(leg);
        self.session = Some(session);
        Ok(())
    }
}
