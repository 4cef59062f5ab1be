//! What the command line asks for.

use core::{net::IpAddr, time::Duration};
use std::{ffi::OsString, path::PathBuf, thread};

use interop::{edge::PortRange, suites};
use lexopt::{Arg, Parser, ValueExt};
use srtp::keying::Profile;

const DEFAULT_CALLS: usize = 8;
const DEFAULT_SECONDS: u64 = 2;
const DEFAULT_PAYLOAD: usize = 160;
const DEFAULT_TIMEOUT: u64 = 10;

/// Each takes six ports of the 28,000 that a system usually chooses from.
const MAX_CALLS: usize = 4000;
const MAX_PAYLOAD: usize = 1400;
const MAX_SECONDS: u64 = 86_400;

/// What the program is to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Make calls and media of its own.
    Load(Options),
    /// Go on with the calls of another process.
    TakeOver(Options),
    /// Serve one dialogue, whose messages are in this folder.
    Exchange(PathBuf, Options),
}

/// How it is done.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) calls: usize,
    pub(crate) seconds: Duration,
    pub(crate) workers: usize,
    pub(crate) payload: usize,
    pub(crate) profile: Profile,
    pub(crate) in_memory: bool,
    pub(crate) address: IpAddr,
    pub(crate) ports: PortRange,
    pub(crate) timeout: Duration,
    pub(crate) hand_over: Option<Duration>,
    pub(crate) tap: Option<PathBuf>,
}

/// Reads the command line, the program's name left out: `None` if it asks for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Task>, lexopt::Error> {
    let mut options = Options {
        calls: DEFAULT_CALLS,
        seconds: Duration::from_secs(DEFAULT_SECONDS),
        workers: thread::available_parallelism().map_or(1, usize::from),
        payload: DEFAULT_PAYLOAD,
        profile: Profile::AesCm128HmacSha1_80,
        in_memory: false,
        address: [127, 0, 0, 1].into(),
        ports: None,
        timeout: Duration::from_secs(DEFAULT_TIMEOUT),
        hand_over: None,
        tap: None,
    };
    let (mut take_over, mut exchange) = (false, None);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("calls") => options.calls = count(&mut parser, MAX_CALLS)?,
            Arg::Long("seconds") => options.seconds = seconds(&mut parser)?,
            Arg::Long("workers") => options.workers = count(&mut parser, 256)?,
            Arg::Long("payload") => options.payload = count(&mut parser, MAX_PAYLOAD)?,
            Arg::Long("suite") => options.profile = parser.value()?.parse_with(suites::parse)?,
            Arg::Long("in-memory") => options.in_memory = true,
            Arg::Long("address") => options.address = parser.value()?.parse()?,
            Arg::Long("ports") => options.ports = Some(parser.value()?.parse_with(ports)?),
            Arg::Long("timeout") => options.timeout = seconds(&mut parser)?,
            Arg::Long("hand-over") => options.hand_over = Some(seconds(&mut parser)?),
            Arg::Long("tap") => options.tap = Some(parser.value()?.into()),
            Arg::Long("take-over") => take_over = true,
            Arg::Long("exchange") => exchange = Some(parser.value()?.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    let too_late = |after| after >= options.seconds;
    if options.hand_over.is_some_and(too_late) {
        return Err("--hand-over: not before the end that --seconds names".into());
    }
    if options.in_memory && (exchange.is_some() || options.hand_over.is_some()) {
        return Err("--in-memory goes without --exchange and --hand-over".into());
    }
    Ok(Some(match exchange {
        _ if take_over => Task::TakeOver(options),
        Some(folder) => Task::Exchange(folder, options),
        None => Task::Load(options),
    }))
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    format!(
        "IMS-ALG and IMS-AGW: SRTP, TLS or DTLS towards the UE, plain towards the IMS core.

Usage: edge_gateway [OPTIONS]                  makes its own calls and measures them
       edge_gateway --exchange DIR [OPTIONS]   serves the dialogue in a folder

  --calls N         calls at once, 1 to {MAX_CALLS} (default: {DEFAULT_CALLS})
  --seconds S       how long media flow (default: {DEFAULT_SECONDS})
  --workers N       threads (default: one a core)
  --payload OCTETS  of an RTP packet, 1 to {MAX_PAYLOAD} (default: {DEFAULT_PAYLOAD})
  --suite NAME      crypto suite (default: AES_CM_128_HMAC_SHA1_80)
  --in-memory       no sockets: what conversion alone costs
  --hand-over S     after S seconds a second process takes over the RTP calls
  --address IP      where the gateway receives (default: 127.0.0.1)
  --ports A-B       the ports it may take (default: the system chooses)
  --timeout S       a peer that is silent for longer is gone (default: {DEFAULT_TIMEOUT})
  --tap FILE        lawful interception: the clear content, as pcap
  --help            this text

In DIR, each file put there by renaming it: register*.sip (a REGISTER with Contact and
Security-Client; without it the UE has indicated everything) and, where the UE calls, 1_from_ue.sdp
and 3_from_core.sdp, or where it is called 1_from_core.sdp and 3_from_ue.sdp: descriptions, perhaps
with SIP headers before them. The gateway writes 2_to_core.sdp and 4_to_ue.sdp, or 2_to_ue.sdp and
4_to_core.sdp, and reports to standard output what becomes of each stream; 5_bye.sip ends it.

Exit code 0: every packet arrived, or every stream was served to the end. 1: it did not, a stream
was refused, a peer vanished, or no port is free. 2: bad input.
"
    )
}

fn count(parser: &mut Parser, max: usize) -> Result<usize, lexopt::Error> {
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(count) if (1..=max).contains(&count) => Ok(count),
        _ => Err(format!("not a number from 1 to {max}")),
    })
}

fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(seconds) if (1..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("not a number from 1 to {MAX_SECONDS}")),
    })
}

fn ports(text: &str) -> Result<(u16, u16), &'static str> {
    let range = text.split_once('-').and_then(|(first, last)| {
        let range: (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        (0 < range.0 && range.0 <= range.1).then_some(range)
    });
    range.ok_or("not a range of ports, as 40000-40999")
}
