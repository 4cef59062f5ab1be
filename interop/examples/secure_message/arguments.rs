//! What the command line asks for.

use std::ffi::OsString;

use interop::users::UserOptions;
use lexopt::{Arg, Parser, ValueExt};
use smime_psk::ProofOfOrigin;

/// What Alice writes unless she is told otherwise.
const TEXT: &str = "Meet me at the usual place.";

/// More would be kept by no store.
const MAX_DEFERRED: usize = 1000;

/// What `--help` prints.
pub(crate) fn help() -> String {
    format!(
        "Alice writes SIP MESSAGEs that are protected end to end by S/MIME, with a content key in a ticket
from a KMS. Those that they are for open them; what was changed or sent again is refused.

Usage: secure_message [OPTIONS]

  --to WHOM           user: to Bob (default)
                      psi: to a list, whose server opens, verifies and re-encrypts once for Bob and
                      Carol
                      uri-list: to Bob and Carol, encrypted once; a server copies it to each
  --proof             with a proof of origin: no other recipient can have written it
  --deferred N        Bob is away while N messages come; a store delivers them, the oldest first
                      (only with --to user)
  --text TEXT         what Alice writes (default: a sentence)
{users}  --help              this text

A node of the KMS that does not answer is given up after 5 s.

Exit code 0: everyone read what Alice wrote. 1: someone did not. 2: bad input.
",
        users = UserOptions::HELP
    )
}

/// To whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum To {
    User,
    Psi,
    UriList,
}

/// What is written, and how.
pub(crate) struct Options {
    pub(crate) to: To,
    proof: bool,
    pub(crate) deferred: usize,
    pub(crate) text: String,
    pub(crate) users: UserOptions,
}

impl Options {
    /// The proof of origin that is asked for: `kind`, or none.
    pub(crate) fn proof(&self, kind: ProofOfOrigin) -> ProofOfOrigin {
        if self.proof {
            kind
        } else {
            ProofOfOrigin::None
        }
    }
}

/// Reads the command line, the program's name left out: `None` if it asks for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        to: To::User,
        proof: false,
        deferred: 0,
        text: TEXT.to_owned(),
        users: UserOptions::default(),
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("to") => options.to = parser.value()?.parse_with(to)?,
            Arg::Long("proof") => options.proof = true,
            Arg::Long("deferred") => options.deferred = parser.value()?.parse_with(deferred)?,
            Arg::Long("text") => options.text = parser.value()?.string()?,
            Arg::Long("kms") => options.users.read_kms(&mut parser)?,
            Arg::Long("subscribers") => options.users.read_subscribers(&mut parser)?,
            _ => return Err(argument.unexpected()),
        }
    }
    if options.deferred > 0 && options.to != To::User {
        return Err("--deferred needs --to user".into());
    }
    Ok(Some(options))
}

fn to(name: &str) -> Result<To, &'static str> {
    match name {
        "user" => Ok(To::User),
        "psi" => Ok(To::Psi),
        "uri-list" => Ok(To::UriList),
        _ => Err("known are user, psi and uri-list"),
    }
}

fn deferred(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= MAX_DEFERRED => Ok(number),
        _ => Err(format!("not a number from 0 to {MAX_DEFERRED}")),
    }
}
