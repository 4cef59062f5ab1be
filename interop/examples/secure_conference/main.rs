//! Conferences (TR 33.829 §5.3): keys from tickets or from `a=crypto`, bilateral or for the group.
//! `--help` lists what can be tried.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;
mod people;
mod sdes;
mod ticket;

use std::process::ExitCode;

use arguments::{Keying, Task};
use interop::conference::ConferenceError;

fn main() -> ExitCode {
    let options = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Task::Confer(options)) => options,
        Ok(Task::Help) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&format!("{error} (--help lists the options)"), 2),
    };
    let done = match options.keying {
        Keying::Ticket => ticket::run(options.participants),
        Keying::Sdes => sdes::run(options.participants, options.keys),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string(), 1),
    }
}

fn failed(what: &str, code: u8) -> ExitCode {
    eprintln!("secure_conference: {what}");
    ExitCode::from(code)
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
