//! What the command line asks for.

use std::{ffi::OsString, path::PathBuf};

use interop::{suites, users::UserOptions};
use lexopt::{Arg, Parser, ValueExt};
use srtp::keying::Profile;

const DEFAULT_PROFILE: Profile = Profile::AesCm128HmacSha1_80;
const DEFAULT_OUT: &str = "secure_call.wav";

/// More than this leaves too little audio to compare.
const MAX_LOSS_PERCENT: u8 = 90;

/// How the call goes.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) keying: Keying,
    pub(crate) scenario: Scenario,
    pub(crate) users: UserOptions,
    pub(crate) profile: Profile,
    pub(crate) wav: Option<PathBuf>,
    pub(crate) out: PathBuf,
    pub(crate) first_sequence_number: Option<u16>,
    pub(crate) loss_percent: u8,
    pub(crate) reorder: bool,
    pub(crate) real_time: bool,
    /// After so many packets Bob is gone.
    pub(crate) vanish: Option<usize>,
}

/// Where the keys come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keying {
    /// `a=crypto`.
    Sdes,
    /// `a=key-mgmt` with MIKEY-TICKET.
    Ticket,
}

/// Who gets the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scenario {
    /// Bob, who is called.
    Plain,
    /// Bob and Carol; one of them wins.
    Fork,
    /// Carol, to whom Bob's calls are diverted.
    Divert(Diversion),
}

/// What ticket Alice has when her call is diverted, and what she does about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Diversion {
    /// One that everyone may resolve.
    Anyone,
    /// One for Bob: Carol declines and names herself, Alice calls her.
    CallAgain,
    /// One for Bob: Carol declines and names herself, Alice hangs up.
    HangUp,
}

/// Reads the command line, the program's name left out: `None` if it asks for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        keying: Keying::Ticket,
        scenario: Scenario::Plain,
        users: UserOptions::default(),
        profile: DEFAULT_PROFILE,
        wav: None,
        out: DEFAULT_OUT.into(),
        first_sequence_number: None,
        loss_percent: 0,
        reorder: false,
        real_time: false,
        vanish: None,
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("keying") => options.keying = parser.value()?.parse_with(keying)?,
            Arg::Long("fork") => options.scenario = Scenario::Fork,
            Arg::Long("divert") => {
                options.scenario = Scenario::Divert(parser.value()?.parse_with(diversion)?);
            }
            Arg::Long("suite") => options.profile = parser.value()?.parse_with(suites::parse)?,
            Arg::Long("wav") => options.wav = Some(parser.value()?.into()),
            Arg::Long("out") => options.out = parser.value()?.into(),
            Arg::Long("start-seq") => {
                options.first_sequence_number = Some(parser.value()?.parse()?);
            }
            Arg::Long("loss") => options.loss_percent = parser.value()?.parse_with(loss_percent)?,
            Arg::Long("reorder") => options.reorder = true,
            Arg::Long("real-time") => options.real_time = true,
            Arg::Long("vanish") => options.vanish = Some(parser.value()?.parse()?),
            Arg::Long("kms") => options.users.read_kms(&mut parser)?,
            Arg::Long("subscribers") => options.users.read_subscribers(&mut parser)?,
            _ => return Err(argument.unexpected()),
        }
    }
    let of_tickets = options.scenario != Scenario::Plain || options.users.is_given();
    if options.keying == Keying::Sdes && of_tickets {
        let reason = "--fork, --divert, --kms and --subscribers need --keying ticket";
        return Err(reason.into());
    }
    Ok(Some(options))
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    format!(
        "Two users agree on SRTP keys with an SDP offer and answer, send one another protected audio
and reports over UDP loopback, and compare what arrived with what was sent.

Usage: secure_call [OPTIONS]

  --keying HOW        ticket: MIKEY-TICKET, with the help of a KMS (default)
                      sdes: keys in a=crypto
  --fork              the call goes to Bob and to Carol, who get different keys; Bob wins
  --divert HOW        the call to Bob is diverted to Carol, and Alice has
                      anyone: a ticket that everyone may resolve, for ?@?
                      again: a ticket for Bob; Carol declines, naming herself, and Alice calls her
                      hang-up: a ticket for Bob; Carol declines, and Alice hangs up
{users}  --suite NAME        SRTP suite that is offered, one of
{suites}
  --wav FILE          audio to send: 8 kHz mono PCM (default: a melody of four seconds)
                      Alice sends it as it is, the other side backwards
  --out FILE          where the audio goes that Alice's peer received (default: {DEFAULT_OUT})
  --start-seq N       first RTP sequence number, 0 to 65535 (default: random, below 32768)
  --loss PERCENT      packets that the path loses, 0 to {MAX_LOSS_PERCENT} (default: 0)
  --reorder           the path reorders packets
  --real-time         a packet every 20 ms (default: as fast as it goes)
  --vanish N          Alice's peer is gone after N packets
  --help              this text

A node of the KMS that does not answer is given up after 5 s, a peer after 2 s.

Exit code 0: the audio arrived bit for bit both ways, losses aside. 1: it did not, or there was no
call. 2: bad input. 3: Alice hung up, as she was told to.
",
        users = UserOptions::HELP,
        suites = suites::names()
            .map(|name| " ".repeat(24) + name)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

fn keying(name: &str) -> Result<Keying, &'static str> {
    match name {
        "sdes" => Ok(Keying::Sdes),
        "ticket" => Ok(Keying::Ticket),
        _ => Err("known are sdes and ticket"),
    }
}

fn diversion(name: &str) -> Result<Diversion, &'static str> {
    match name {
        "anyone" => Ok(Diversion::Anyone),
        "again" => Ok(Diversion::CallAgain),
        "hang-up" => Ok(Diversion::HangUp),
        _ => Err("known are anyone, again and hang-up"),
    }
}

fn loss_percent(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(percent) if percent <= MAX_LOSS_PERCENT => Ok(percent),
        _ => Err(format!("not a number from 0 to {MAX_LOSS_PERCENT}")),
    }
}
