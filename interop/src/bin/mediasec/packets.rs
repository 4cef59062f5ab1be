//! `mediasec srtp`: packets in hexadecimal, a line each.

use std::ffi::OsString;

use bytes::BytesMut;
use lexopt::{Arg, ValueExt as _};
use srtp::{Builder, Receiver, Sender, keying::KeySet};

use crate::{failure::Failure, hex, input, keys, print};

const USAGE: &str = "\
Makes RTP packets SRTP, or SRTP packets RTP; RTCP and SRTCP with --rtcp.

Usage: mediasec srtp protect|unprotect (--key LINE | --key-file FILE) [OPTIONS] [HEX...]

Packets are hexadecimal: the arguments, or the lines of standard input. Each gives a line. All are
packets of one session: indices go on from one to the next, and what was seen is refused as replayed.

  --key LINE           the key; other users of this machine may see it among the arguments
  --key-file FILE      the key as the one line of FILE, - for standard input
  --rtcp               the packets are RTCP or SRTCP
  --roc N              the ROC that each stream begins with (default: 0)
  --allow-unprotected  take keys whose parameters leave packets unencrypted or unauthenticated
  --help               this text

";

const ENDING: &str = "
Exit code 0: every packet was done. 1: one was refused, which ends it. 2: bad usage or input.
";

/// What becomes of a packet.
enum Engine {
    Protect(Box<Sender>),
    Unprotect(Box<Receiver>),
}

struct Options {
    rtcp: bool,
    roc: u32,
}

/// Runs the command.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let protect = match arguments.next().as_deref().and_then(|word| word.to_str()) {
        Some("protect") => true,
        Some("unprotect") => false,
        Some("-h" | "--help") => return print(&format!("{USAGE}{}{ENDING}", keys::HELP)),
        _ => {
            return Err(Failure::input(
                "srtp: expected protect or unprotect; see mediasec srtp --help",
            ));
        }
    };
    let mut options = Options {
        rtcp: false,
        roc: 0,
    };
    let (mut key, mut key_on_stdin, mut allow) = (None, false, false);
    let mut packets = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => {
                return print(&format!("{USAGE}{}{ENDING}", keys::HELP));
            }
            Arg::Long("key") => {
                let line = zeroize::Zeroizing::new(parser.value()?.string()?);
                key = Some(keys::parse(&line).map_err(|failure| failure.within("--key"))?);
            }
            Arg::Long("key-file") => {
                let file = parser.value()?;
                key_on_stdin = file == "-";
                let octets = input::read("--key-file", &file)?;
                let text = input::text("--key-file", &octets)?;
                let [found] = <[KeySet; 1]>::try_from(keys::parse_lines("--key-file", text)?)
                    .map_err(|_| Failure::input("--key-file: expected one line with a key"))?;
                key = Some(found);
            }
            Arg::Long("rtcp") => options.rtcp = true,
            Arg::Long("roc") => options.roc = keys::number("--roc", &parser.value()?.string()?)?,
            Arg::Long("allow-unprotected") => allow = true,
            Arg::Value(packet) => packets.push(packet.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let key = key.ok_or_else(|| Failure::input("srtp: expected --key or --key-file"))?;
    if key_on_stdin && packets.is_empty() {
        return Err(Failure::input(
            "srtp: the key has standard input: expected packets as arguments",
        ));
    }
    let mut engine = Engine::new(key, protect, allow)?;
    if packets.is_empty() {
        return input::each_line(|line| engine.run_one(line, &options));
    }
    input::each_argument("packet", &packets, |packet| {
        engine.run_one(packet, &options)
    })
}

impl Engine {
    fn new(key: KeySet, protect: bool, allow: bool) -> Result<Self, Failure> {
        fn built<D: srtp::Direction>(key: KeySet, allow: bool) -> Result<Box<D>, Failure> {
            let builder = Builder::<D>::new(key);
            let builder = if allow {
                builder.allow_unprotected()
            } else {
                builder
            };
            let built = builder.build().map(Box::new);
            built.map_err(|error| Failure::input(format!("key: {error}")))
        }
        Ok(if protect {
            Self::Protect(built(key, allow)?)
        } else {
            Self::Unprotect(built(key, allow)?)
        })
    }

    /// The line that the packet `line` becomes.
    fn run_one(&mut self, line: &str, options: &Options) -> Result<String, Failure> {
        let octets = hex::decode(line).map_err(|place| {
            Failure::input(format!(
                "octet {place}: expected hexadecimal digits in pairs"
            ))
        })?;
        let mut packet = BytesMut::from(octets.as_slice());
        self.set_roc(&packet, options)?;
        let failed = |error: &dyn core::fmt::Display| Failure::failed(error.to_string());
        match (self, options.rtcp) {
            (Self::Protect(sender), false) => {
                sender.protect_rtp(&mut packet).map_err(|e| failed(&e))?;
            }
            (Self::Protect(sender), true) => {
                sender.protect_rtcp(&mut packet).map_err(|e| failed(&e))?;
            }
            (Self::Unprotect(receiver), false) => {
                receiver
                    .unprotect_rtp(&mut packet)
                    .map_err(|e| failed(&e))?;
            }
            (Self::Unprotect(receiver), true) => {
                receiver
                    .unprotect_rtcp(&mut packet)
                    .map_err(|e| failed(&e))?;
            }
        }
        Ok(format!("{}\n", hex::encode(&packet)))
    }

    /// Begins the stream of `packet`, if it is new, with the ROC that was asked for.
    fn set_roc(&mut self, packet: &[u8], options: &Options) -> Result<(), Failure> {
        let Some(ssrc) = packet.get(8..12).and_then(|ssrc| ssrc.first_chunk::<4>()) else {
            return Ok(());
        };
        let ssrc = u32::from_be_bytes(*ssrc);
        if options.roc == 0 || options.rtcp {
            return Ok(());
        }
        let set = match self {
            Self::Protect(sender) if sender.stream(ssrc).is_none() => {
                sender.set_roc(ssrc, options.roc)
            }
            Self::Unprotect(receiver) if receiver.stream(ssrc).is_none() => {
                receiver.set_roc(ssrc, options.roc)
            }
            _ => Ok(()),
        };
        set.map_err(|error| Failure::failed(error.to_string()))
    }
}
