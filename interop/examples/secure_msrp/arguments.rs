//! What the command line asks for.

use std::{ffi::OsString, path::PathBuf};

use interop::users::UserOptions;
use lexopt::{Arg, Parser, ValueExt};
use sdp_sec::tls_role::TransportRole;

/// What `--help` prints.
pub(crate) fn help() -> String {
    format!(
        "Two users agree with an SDP offer and answer on a key that a KMS vouches for, connect by TLS
with it through a relay that has no key, and exchange messages or a file by MSRP.

Usage: secure_msrp [OPTIONS]

  --file FILE         what Alice sends; compared octet for octet (default: texts, both ways)
  --out FILE          where Bob puts what came
  --callee ROLE       active: Bob connects (default); passive: Alice does
  --reconnect         the connection is closed and made anew, with the same key
  --without-cema      Bob does not know a=msrp-cema: with a relay between there is no session then
  --vanish            Bob is gone once he is connected
  --relay-log FILE    all octets that the relay carries
{users}  --help              this text

A node of the KMS, or a peer, that does not answer is given up after 5 s.

Exit code 0: what was sent arrived. 1: it did not, or there was no session. 2: bad input.
",
        users = UserOptions::HELP
    )
}

/// How the session goes.
pub(crate) struct Options {
    pub(crate) file: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) callee: TransportRole,
    pub(crate) reconnect: bool,
    pub(crate) without_cema: bool,
    pub(crate) vanish: bool,
    pub(crate) relay_log: Option<PathBuf>,
    pub(crate) users: UserOptions,
}

/// Reads the command line, the program's name left out: `None` if it asks for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        file: None,
        out: None,
        callee: TransportRole::Active,
        reconnect: false,
        without_cema: false,
        vanish: false,
        relay_log: None,
        users: UserOptions::default(),
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("file") => options.file = Some(parser.value()?.into()),
            Arg::Long("out") => options.out = Some(parser.value()?.into()),
            Arg::Long("callee") => options.callee = parser.value()?.parse_with(role)?,
            Arg::Long("reconnect") => options.reconnect = true,
            Arg::Long("without-cema") => options.without_cema = true,
            Arg::Long("vanish") => options.vanish = true,
            Arg::Long("relay-log") => options.relay_log = Some(parser.value()?.into()),
            Arg::Long("kms") => options.users.read_kms(&mut parser)?,
            Arg::Long("subscribers") => options.users.read_subscribers(&mut parser)?,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

fn role(name: &str) -> Result<TransportRole, &'static str> {
    match name {
        "active" => Ok(TransportRole::Active),
        "passive" => Ok(TransportRole::Passive),
        _ => Err("known are active and passive"),
    }
}
