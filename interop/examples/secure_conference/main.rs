//! Conferences (TR 33.829 §5.3): keys from tickets or from `a=crypto`, bilateral or for the group.
//! `--help` lists what can be tried.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;
mod people;
mod sdes;
mod ticket;

use std::process::ExitCode;

use arguments::Keying;
use interop::conference::ConferenceError;
use interop::program::{self, Failure};

fn main() -> ExitCode {
    let options = arguments::parse(std::env::args_os().skip(1));
    program::main(
        "secure_conference",
        arguments::HELP,
        options,
        |options| match options.keying {
            Keying::Ticket => ticket::run(options.participants),
            Keying::Sdes => sdes::run(options.participants, options.keys),
        },
    )
}

/// The conference is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("{0} was taken, which should be refused")]
    Accepted(&'static str),
    #[error("{0}")]
    Conference(#[from] ConferenceError),
    #[error("{0}")]
    Identity(#[from] sdp_sec::identity::IdentityError),
    #[error("{0}")]
    Kms(#[from] std::io::Error),
    #[error("someone heard something else than the others say")]
    OtherAudio,
    #[error("{0}")]
    Policy(#[from] ::sdes::PolicyError),
    #[error("nobody has a stream to listen to")]
    Silence,
    #[error("{0} did not take part")]
    Absent(String),
    #[error("the focus sends under one SSRC to several, or under that of a participant")]
    SharedSsrc,
    #[error("the notification does not say who is there")]
    OtherNotification,
    #[error("{0}")]
    Ticket(#[from] mikey_ticket::TicketError),
}

impl Failure for ProgramError {
    fn is_bad_input(&self) -> bool {
        false
    }
}

impl From<mikey::EncodeError> for ProgramError {
    fn from(error: mikey::EncodeError) -> Self {
        Self::Ticket(error.into())
    }
}

impl From<interop::subscriber::SubscriberError> for ProgramError {
    fn from(error: interop::subscriber::SubscriberError) -> Self {
        Self::Conference(error.into())
    }
}

impl From<interop::conference::LegError> for ProgramError {
    fn from(error: interop::conference::LegError) -> Self {
        Self::Conference(error.into())
    }
}

impl From<interop::conference::InviteError> for ProgramError {
    fn from(error: interop::conference::InviteError) -> Self {
        Self::Conference(error.into())
    }
}
