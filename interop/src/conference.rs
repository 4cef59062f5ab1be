//! Ad hoc conferences with a focus that mixes (TR 33.829 §5.3): who may take part, with which keys,
//! and what is said to whom.
//!
//! [`SdesFocus`] takes keys from `a=crypto`, with bilateral or group keys; [`TicketFocus`] takes them
//! from tickets, with bilateral keys alone. Either speaks to its [`Leg`]s through a [`Room`]. Carrying
//! the SIP messages is the caller's.

mod error;
mod info;
mod invite;
mod leg;
mod limiter;
mod referral;
mod room;
mod rules;
mod sdes_focus;
mod sdes_participant;
mod sdp_text;
mod ticket_call;
mod ticket_focus;

pub use error::ConferenceError;
pub use info::ConferenceInfo;
pub use invite::{Invite, InviteError, MAX_RECIPIENTS};
pub use leg::{Heard, Leg, LegError, Outbound};
pub use limiter::RekeyLimiter;
pub use referral::Referral;
pub use room::{Room, mix};
pub use rules::{Keys, Refusal, Rules};
pub use sdes_focus::{Answered, Outcome, SdesFocus};
pub use sdes_participant::SdesParticipant;
pub use ticket_call::{Calling, answer, call};
pub use ticket_focus::{FACTORY, FocusPolicy, Focused, Subscription, TicketFocus, is_focus};

use std::net::UdpSocket;

/// A datagram that has not come after this long will not come.
pub const SILENCE: core::time::Duration = core::time::Duration::from_secs(2);

/// A socket on loopback that waits for a datagram, but not for ever.
///
/// # Errors
///
/// If no port is free.
pub fn socket() -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(SILENCE))?;
    Ok(socket)
}
