//! A node of a key management service: MIKEY-TICKET over HTTP.
//!
//! Nodes that share the file of TPKs and that of subscribers resolve one another's tickets; none
//! keeps anything of a ticket. `--help` says what the files look like.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

use core::net::SocketAddr;
use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::kms::{self, ConfigError, KeyFile, Server, Subscribers};
use interop::program::{self, Failure};
use lexopt::{Arg, Parser, ValueExt};
use mikey::{Identity, InMemoryReplayCache, ReplayCache, Timestamp, code_points::DataType};
use mikey_ticket::{AuditEvent, KmsPolicy, Policy};

const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 6043);

/// Hours between rotations, unless `--hours` says otherwise.
const DEFAULT_HOURS: u64 = 24;

const HELP: &str = "A node of a key management service: MIKEY-TICKET (RFC 6043) over HTTP.

Usage: kms --keys FILE [--listen ADDRESS] [--subscribers FILE] [--redis URL]
       kms --rotate --keys FILE [--hours N]

  --keys FILE         TPKs, read again when the file changes; nodes that share it resolve one
                      another's tickets
  --listen ADDRESS    where it is asked (default: 127.0.0.1:6043; port 0: any that is free)
  --subscribers FILE  users and the keys that they share with the service (default: alice, bob,
                      carol and list at example.com, whose keys everyone knows)
  --redis URL         replay cache that nodes share, such as redis://127.0.0.1:6379 (default: each
                      node its own; needs the feature redis)
  --rotate            adds new TPKs to the file, or makes it, and ends: tickets are made under them
                      from now on, those under the old ones still resolve
  --hours N           how often keys are rotated; TPKs are good for twice as long (default: 24)
  --help              this text

A file of TPKs has, as often as needed:    A file of subscribers has:
  [[tpk]]                                    [[subscriber]]
  id = \"any text\"                            identity = \"sip:alice@example.com\"
  bits = 128          # or 256               key = \"base64, 16 octets or more\"
  key = \"base64\"
  from = 1800000000   # seconds since 1970
  until = 1800172800
  revoked = false     # may be left out

A request that is not there within 5 s is given up; messages are taken for 30 s. One line on standard
error for each message. Exit code 1: it cannot listen, or Redis does not answer.
2: bad input.
";

fn main() -> ExitCode {
    let options = parse(std::env::args_os().skip(1));
    program::main("kms", HELP, options, |options| {
        if options.rotate {
            rotate(options)
        } else {
            serve(options)
        }
    })
}

struct Options {
    listen: SocketAddr,
    keys: PathBuf,
    subscribers: Option<PathBuf>,
    redis: Option<String>,
    rotate: bool,
    hours: u64,
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        listen: DEFAULT_LISTEN,
        keys: PathBuf::new(),
        subscribers: None,
        redis: None,
        rotate: false,
        hours: DEFAULT_HOURS,
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("listen") => options.listen = parser.value()?.parse()?,
            Arg::Long("keys") => options.keys = parser.value()?.into(),
            Arg::Long("subscribers") => options.subscribers = Some(parser.value()?.into()),
            Arg::Long("redis") => options.redis = Some(parser.value()?.string()?),
            Arg::Long("rotate") => options.rotate = true,
            Arg::Long("hours") => options.hours = parser.value()?.parse_with(hours)?,
            _ => return Err(argument.unexpected()),
        }
    }
    if options.keys.as_os_str().is_empty() {
        return Err("--keys FILE is needed".into());
    }
    Ok(Some(options))
}

fn hours(text: &str) -> Result<u64, &'static str> {
    match text.parse() {
        Ok(hours @ 1..=8760) => Ok(hours),
        _ => Err("not a number from 1 to 8760"),
    }
}

fn rotate(options: &Options) -> Result<(), KmsError> {
    let (seconds, mut rng) = (options.hours * 3600, UnwrapErr(SysRng));
    kms::add_ticket_keys(&options.keys, kms::now(), seconds, &mut rng)?;
    println!("{}: two new TPKs, from now on", options.keys.display());
    Ok(())
}

fn serve(options: &Options) -> Result<(), KmsError> {
    let keys = KeyFile::open(&options.keys)?;
    let subscribers = if let Some(file) = &options.subscribers {
        Subscribers::read(file)?
    } else {
        eprintln!("kms: demonstration subscribers, whose keys everyone knows");
        Subscribers::demo()?
    };
    match options.redis.as_deref() {
        None => {
            let cache = InMemoryReplayCache::new(kms::REPLAY_CAPACITY, kms::WINDOW);
            run(options, &subscribers, keys, cache)
        }
        #[cfg(feature = "redis")]
        Some(url) => {
            let cache = kms::RedisReplayCache::connect(url, kms::WINDOW);
            let cache = cache.map_err(|error| match error.kind() {
                redis::ErrorKind::InvalidClientConfig => {
                    KmsError::Arguments(format!("--redis: {error}"))
                }
                _ => KmsError::Redis(error),
            })?;
            run(options, &subscribers, keys, cache)
        }
        #[cfg(not(feature = "redis"))]
        Some(_) => Err(KmsError::Arguments(
            "--redis needs a build with --features redis".into(),
        )),
    }
}

fn run(
    options: &Options,
    subscribers: &Subscribers,
    keys: KeyFile,
    cache: impl ReplayCache + Send + 'static,
) -> Result<(), KmsError> {
    let mut node = kms::node(subscribers, keys, Operator, cache)?;
    let server = Server::start(options.listen, move |message| {
        node.handle(message, kms::now(), &mut UnwrapErr(SysRng))
    })
    .map_err(|error| KmsError::Listen(options.listen, error))?;
    println!("{}: {} subscribers", server.url(), subscribers.len());
    std::io::stdout().flush()?;
    server.serve();
    Ok(())
}

/// Grants every subscriber what it asks for, and writes a line for each message.
struct Operator;

impl KmsPolicy for Operator {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn audit(&self, event: &AuditEvent) {
        let message = event.message.map_or("no MIKEY message", DataType::name);
        let sender = event.sender.as_ref();
        let sender = sender.map_or_else(|| "nobody".to_owned(), |sender| format!("{sender:?}"));
        match event.outcome {
            Ok(()) => eprintln!("kms: {message} from {sender}: answered"),
            Err(error) => eprintln!("kms: {message} from {sender}: refused: {error}"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum KmsError {
    #[error("{0} (--help lists the options)")]
    Arguments(String),
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Encode(#[from] mikey::EncodeError),
    #[error("--listen {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("{0}")]
    Output(#[from] std::io::Error),
    #[cfg(feature = "redis")]
    #[error("--redis: {0}")]
    Redis(redis::RedisError),
}

impl Failure for KmsError {
    fn is_bad_input(&self) -> bool {
        matches!(self, Self::Arguments(_) | Self::Config(_))
    }
}
