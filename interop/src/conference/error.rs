use mikey_ticket::{SrtpKeyError, TicketError};
use sdp_sec::conference::RestartError;
use sdp_sec::lines::EditError;
use smime_psk::sipfrag::AssertionError;

use super::{InviteError, LegError, Refusal};
use crate::keyed_media::KeyingError;
use crate::subscriber::SubscriberError;

/// A step of a conference fails. Who took part before does so still.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ConferenceError {
    /// An assertion of who refers to whom does not hold.
    #[error("referral: {0}")]
    Assertion(#[from] AssertionError),
    /// The description of an audio stream.
    #[error("{0}")]
    Audio(#[from] crate::sdp::SdpError),
    /// A body that is not one.
    #[error("{0}")]
    Body(#[from] InviteError),
    /// A description cannot be written.
    #[error("SDP: {0}")]
    Edit(#[from] EditError),
    /// Keys were not agreed on.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// Media.
    #[error("{0}")]
    Leg(#[from] LegError),
    /// Nobody with this name is in the conference, or invited.
    #[error("no such participant")]
    NotHere,
    /// A SIP message was answered by a refusal.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// A stream cannot begin anew.
    #[error("{0}")]
    Restart(#[from] RestartError),
    /// Keys in SDP.
    #[error("a=crypto: {0}")]
    Sdes(#[from] sdes::Refused),
    /// A description.
    #[error("SDP: {0}")]
    Sdp(#[from] sdp_sec::SdpError),
    /// Keys of a ticket.
    #[error("{0}")]
    SrtpKey(#[from] SrtpKeyError),
    /// The service.
    #[error("{0}")]
    Subscriber(#[from] SubscriberError),
    /// The exchange does not go on.
    #[error("{0}")]
    Ticket(#[from] TicketError),
}

impl From<std::io::Error> for ConferenceError {
    fn from(error: std::io::Error) -> Self {
        Self::Leg(error.into())
    }
}

impl From<mikey::EncodeError> for ConferenceError {
    fn from(error: mikey::EncodeError) -> Self {
        Self::Ticket(error.into())
    }
}

impl From<sdes::OfferError> for ConferenceError {
    fn from(error: sdes::OfferError) -> Self {
        Self::Sdes(error.into())
    }
}

impl From<srtp::SessionError> for ConferenceError {
    fn from(error: srtp::SessionError) -> Self {
        Self::Leg(error.into())
    }
}
