use std::net::UdpSocket;

use ::srtp::keying::Profile;
use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use mikey::Identity;
use mikey_ticket::{TicketError, Transfer};
use sdp_sec::{Sdp, key_mgmt};

use super::sdp_text::described;
use super::{ConferenceError, Leg, Refusal, socket};
use crate::keyed_media::{self, ANSWERER, KeyingError, OFFERER};
use crate::sdp::Audio;
use crate::subscriber::{Subscriber, SubscriberError};

const PROFILE: Profile = Profile::AesCm128HmacSha1_80;

/// A user, or the focus, who has offered a stream each way with keys of a ticket (TR 33.829 §5.3.3.5).
#[derive(Debug)]
pub struct Calling {
    transfer: Transfer,
    socket: UdpSocket,
    ssrc: u32,
    sdp: String,
}

/// Gets a ticket for `to` and makes the offer.
///
/// # Errors
///
/// [`ConferenceError`] if the service refuses or does not answer.
pub fn call(user: &Subscriber, to: &Identity) -> Result<Calling, ConferenceError> {
    let policy = keyed_media::forked(PROFILE.key_len(), core::slice::from_ref(to));
    let mut ticket = user.request(&policy.map_err(TicketError::from)?)?;
    let ssrc = UnwrapErr(SysRng).next_u32();
    let (transfer, message) = keyed_media::offer_audio(&mut ticket, to, PROFILE, ssrc)?;
    let socket = socket()?;
    let sdp = describe(&socket, &message)?;
    Ok(Calling {
        transfer,
        socket,
        ssrc,
        sdp,
    })
}

impl Calling {
    /// The description.
    #[must_use]
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// Takes the answer, if `is_wanted` says so of who has answered, for whom the service vouches.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`] for anyone else; [`ConferenceError`] for an answer that does not fit.
    pub fn answered(
        self,
        sdp: &str,
        is_wanted: impl Fn(&Identity) -> bool,
    ) -> Result<(Identity, Leg), ConferenceError> {
        let stream = Audio::read(sdp)?;
        let response = message(sdp)?;
        let established = self.transfer.accept_from(&response, &is_wanted);
        let established = established.map_err(TicketError::from)?;
        if !is_wanted(established.peer()) {
            return Err(Refusal::Forbidden.into());
        }
        let keys = established.srtp_keys(&[OFFERER], &[ANSWERER])?;
        let leg = Leg::new(self.socket, stream.address, &keys, self.ssrc)?;
        Ok((established.peer().clone(), leg))
    }
}

/// Answers an offer, if `admit` allows it to who has made it, for whom the service vouches.
///
/// # Errors
///
/// What `admit` says; [`Refusal`] for streams in clear and tickets for others; [`ConferenceError`] for
/// an offer that does not fit.
pub fn answer(
    user: &mut Subscriber,
    offer: &str,
    admit: impl FnOnce(&Identity) -> Result<(), Refusal>,
) -> Result<(Identity, Leg, String), ConferenceError> {
    let stream = Audio::read(offer).map_err(|_| Refusal::NotAcceptableHere)?;
    let verified = match user.receive(&message(offer)?) {
        Err(SubscriberError::Declined(_)) => return Err(Refusal::Forbidden.into()),
        other => other?,
    };
    let offered = Sdp::parse(offer.as_bytes())?;
    let media = offered.media().next().ok_or(KeyingError::OtherSessions)?;
    keyed_media::check_protocols(media.section(), &verified)?;
    let caller = verified.initiator().clone();
    admit(&caller)?;
    let ssrc = UnwrapErr(SysRng).next_u32();
    let (established, response) = keyed_media::answer_audio(verified, ssrc)?;
    let keys = established.srtp_keys(&[ANSWERER], &[OFFERER])?;
    let socket = socket()?;
    let sdp = describe(&socket, &response)?;
    let leg = Leg::new(socket, stream.address, &keys, ssrc)?;
    Ok((caller, leg, sdp))
}

/// The MIKEY message of the first stream, which has to be protected.
fn message(text: &str) -> Result<Vec<u8>, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    key_mgmt::check_protected(&sdp)?;
    let media = sdp.media().next().ok_or(KeyingError::OtherSessions)?;
    Ok(keyed_media::message(media.section())?)
}

fn describe(socket: &UdpSocket, message: &[u8]) -> Result<String, ConferenceError> {
    let line = keyed_media::line(message).map_err(|rule| rule.at(0))?;
    described(socket, "-", vec![line])
}
