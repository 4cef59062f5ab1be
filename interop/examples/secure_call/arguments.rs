//! What the command line asks for.

use std::{ffi::OsString, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use srtp::keying::Profile;

const DEFAULT_PROFILE: Profile = Profile::AesCm128HmacSha1_80;
const DEFAULT_OUT: &str = "secure_call.wav";

/// More than this leaves too little audio to compare.
const MAX_LOSS_PERCENT: u8 = 90;

/// What the program is to do.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Call(Options),
}

/// How the call goes.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) profile: Profile,
    pub(crate) wav: Option<PathBuf>,
    pub(crate) out: PathBuf,
    pub(crate) first_sequence_number: Option<u16>,
    pub(crate) loss_percent: u8,
    pub(crate) reorder: bool,
    pub(crate) real_time: bool,
}

/// Reads the command line, the program's name left out.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, lexopt::Error> {
    let mut options = Options {
        profile: DEFAULT_PROFILE,
        wav: None,
        out: DEFAULT_OUT.into(),
        first_sequence_number: None,
        loss_percent: 0,
        reorder: false,
        real_time: false,
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Task::Help),
            Arg::Long("suite") => options.profile = parser.value()?.parse_with(profile)?,
            Arg::Long("wav") => options.wav = Some(parser.value()?.into()),
            Arg::Long("out") => options.out = parser.value()?.into(),
            Arg::Long("start-seq") => {
                options.first_sequence_number = Some(parser.value()?.parse()?);
            }
            Arg::Long("loss") => options.loss_percent = parser.value()?.parse_with(loss_percent)?,
            Arg::Long("reorder") => options.reorder = true,
            Arg::Long("real-time") => options.real_time = true,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Task::Call(options))
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    format!(
        "Two user agents agree on SRTP keys with an SDP offer and answer, send protected audio and
reports over UDP loopback, and compare what arrived with what was sent.

Usage: secure_call [OPTIONS]

  --suite NAME      crypto suite that is offered, one of
{suites}
  --wav FILE        audio to send: 8 kHz mono PCM (default: a melody of four seconds)
  --out FILE        where the received audio goes (default: {DEFAULT_OUT})
  --start-seq N     first RTP sequence number, 0 to 65535 (default: random, below 32768)
  --loss PERCENT    packets that the path loses, 0 to {MAX_LOSS_PERCENT} (default: 0)
  --reorder         the path reorders packets
  --real-time       a packet every 20 ms (default: as fast as it goes)
  --help            this text

Exit code 0: the audio arrived bit for bit, losses aside. 1: it did not. 2: bad input.
",
        suites = suites()
            .map(|name| " ".repeat(22) + name)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// The suites this program can offer.
fn suites() -> impl Iterator<Item = &'static str> {
    Profile::ALL
        .iter()
        .filter_map(|profile| profile.sdes_name())
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::from_sdes(name).ok_or_else(|| {
        format!(
            "unknown suite; known are {}",
            suites().collect::<Vec<_>>().join(" ")
        )
    })
}

fn loss_percent(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(percent) if percent <= MAX_LOSS_PERCENT => Ok(percent),
        _ => Err(format!("not a number from 0 to {MAX_LOSS_PERCENT}")),
    }
}
