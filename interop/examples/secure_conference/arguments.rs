//! What the command line asks for.

use std::ffi::OsString;

use interop::conference::Keys;
use lexopt::{Arg, Parser, ValueExt};

use crate::people::MAX_PEOPLE;

/// Fewer would be a call.
const MIN_PEOPLE: usize = 3;

/// What `--help` prints.
pub(crate) const HELP: &str =
    "A conference: its focus hears each participant over SRTP, mixes, and sends to each what the others
say. Who may not take part is refused; who leaves, and who comes late, cannot open what is not
for them.

Usage: secure_conference [OPTIONS]

  --keying HOW      ticket: MIKEY-TICKET from a KMS over HTTP, for a list of participants; with
                    invitations, referrals and notifications that are protected (default)
                    sdes: a=crypto, between each participant and the focus
  --keys WHICH      bilateral: other keys to each participant (default)
                    group: one key and one mix to all, renewed when someone joins or leaves, at
                    most twice a second (only with --keying sdes)
  --participants N  how many there are at the end, 3 to 12 (default 4)
  --help            this text

Everything is on loopback. A packet that has not come after 2 s, and an answer of the KMS that has
not come after 5 s, is given up.

Exit code 0: everyone heard what they should, and nobody else did. 1: not so. 2: bad input.
";

/// How the keys are agreed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keying {
    Ticket,
    Sdes,
}

pub(crate) struct Options {
    pub(crate) keying: Keying,
    pub(crate) keys: Keys,
    pub(crate) participants: usize,
}

/// Reads the command line, the program's name left out: `None` if it asks for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        keying: Keying::Ticket,
        keys: Keys::Bilateral,
        participants: 4,
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("keying") => options.keying = parser.value()?.parse_with(keying)?,
            Arg::Long("keys") => options.keys = parser.value()?.parse_with(keys)?,
            Arg::Long("participants") => {
                options.participants = parser.value()?.parse_with(participants)?;
            }
            _ => return Err(argument.unexpected()),
        }
    }
    if options.keying == Keying::Ticket && options.keys != Keys::Bilateral {
        return Err("--keys group needs --keying sdes".into());
    }
    Ok(Some(options))
}

fn keying(name: &str) -> Result<Keying, &'static str> {
    match name {
        "ticket" => Ok(Keying::Ticket),
        "sdes" => Ok(Keying::Sdes),
        _ => Err("known are ticket and sdes"),
    }
}

fn keys(name: &str) -> Result<Keys, &'static str> {
    match name {
        "bilateral" => Ok(Keys::Bilateral),
        "group" => Ok(Keys::GROUP),
        _ => Err("known are bilateral and group"),
    }
}

fn participants(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (MIN_PEOPLE..=MAX_PEOPLE).contains(&number) => Ok(number),
        _ => Err(format!("not a number from {MIN_PEOPLE} to {MAX_PEOPLE}")),
    }
}
