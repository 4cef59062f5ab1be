//! `mediasec decrypt`: the capture of SRTP becomes the capture of the RTP it was.

mod candidates;
mod opener;

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use lexopt::{Arg, ValueExt as _};

use crate::{
    capture::{Datagram, Frame, Reader, Skipped, Writer},
    failure::Failure,
    input, keys, print,
};
use candidates::Candidate;
use opener::{Opened, Opener};

const USAGE: &str = "\
Makes the RTP and RTCP of a capture plain, with the keys of a stored SDP offer and answer (SDES), or
with keys that are given.

Usage: mediasec decrypt --offer FILE --answer FILE IN -o OUT [OPTIONS]
       mediasec decrypt (--keys FILE | --key LINE)... IN -o OUT [OPTIONS]

IN is pcap or pcapng, of Ethernet (VLAN tags too), Linux cooked, raw IP or loopback frames; OUT
becomes pcap. Lengths and checksums of IP and UDP are made right.

  --offer FILE         the offer, SDP
  --answer FILE        its answer
  --keys FILE          keys, a line each
  --key LINE           a key; other users of this machine may see it among the arguments
  -o, --out FILE       where the plain packets go
  --keep-other         write all other frames, too, as they are
  --roc N              the ROC of the first packet of each stream, if it is known (default: 0)
  --roc-search N       ROCs above it that are tried for a stream that does not open, as in a capture
                       that begins in the middle of a call, 0 to 65535 (default: 256)
  --allow-unprotected  take keys whose parameters leave packets unencrypted or unauthenticated
  --help               this text

";

const ENDING: &str = "
Exit code 0: done. 1: nothing could be decrypted, or written. 2: bad usage or input.
";

struct Options {
    source: OsString,
    out: OsString,
    keep_other: bool,
    roc: u32,
    roc_search: u32,
}

/// Runs the command.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let (mut offer, mut answer, mut source, mut out) = (None, None, None, None);
    let mut given = Vec::new();
    let (mut keep_other, mut allow, mut roc, mut roc_search) = (false, false, 0, 256);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => {
                return print(&format!("{USAGE}{}{ENDING}", keys::HELP));
            }
            Arg::Long("offer") => offer = Some(input::read("--offer", &parser.value()?)?),
            Arg::Long("answer") => answer = Some(input::read("--answer", &parser.value()?)?),
            Arg::Long("keys") => {
                let octets = input::read("--keys", &parser.value()?)?;
                given.extend(keys::parse_lines(
                    "--keys",
                    input::text("--keys", &octets)?,
                )?);
            }
            Arg::Long("key") => {
                let line = zeroize::Zeroizing::new(parser.value()?.string()?);
                given.push(keys::parse(&line).map_err(|failure| failure.within("--key"))?);
            }
            Arg::Short('o') | Arg::Long("out") => out = Some(parser.value()?),
            Arg::Long("keep-other") => keep_other = true,
            Arg::Long("allow-unprotected") => allow = true,
            Arg::Long("roc") => roc = keys::number("--roc", &parser.value()?.string()?)?,
            Arg::Long("roc-search") => {
                roc_search = keys::number("--roc-search", &parser.value()?.string()?)?;
                if roc_search > 65_535 {
                    return Err(Failure::input("--roc-search: expected 0 to 65535"));
                }
            }
            Arg::Value(value) if source.is_none() => source = Some(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut candidates = Vec::new();
    match (offer, answer) {
        (Some(offer), Some(answer)) => {
            candidates::of_negotiation(&offer, &answer, allow, &mut candidates)?;
        }
        (None, None) => {}
        _ => return Err(Failure::input("expected both --offer and --answer")),
    }
    candidates::of_keys(given, allow, &mut candidates)?;
    if candidates.is_empty() {
        return Err(Failure::input(
            "expected --offer and --answer, --keys or --key; see --help",
        ));
    }
    let options = Options {
        source: source.ok_or_else(|| Failure::input("expected the capture; see --help"))?,
        out: out.ok_or_else(|| Failure::input("expected -o and where the packets go"))?,
        keep_other,
        roc,
        roc_search,
    };
    decrypt(candidates, &options)
}

fn decrypt(candidates: Vec<Candidate>, options: &Options) -> Result<(), Failure> {
    let mut reader = Reader::new(input::open("capture", &options.source)?)?;
    if same_file(&options.source, &options.out) {
        return Err(Failure::input("-o: expected another file than the capture"));
    }
    let failed = |error: std::io::Error| Failure::failed(format!("-o: {}", error.kind()));
    let out = File::create(&options.out).map_err(failed)?;
    let mut writer = Writer::new(BufWriter::new(out));
    let mut opener = Opener::new(candidates, options.roc, options.roc_search);
    // Of a capture that ends in a frame, as those do that are still being made, the rest is good.
    let mut broken = None;
    while let Some(frame) = reader.next_frame().unwrap_or_else(|failure| {
        broken = Some(failure);
        None
    }) {
        let plain = match Datagram::find(frame.link, &frame.octets) {
            Ok(datagram) => open(&mut opener, &datagram, &frame)?,
            Err(skipped) => {
                opener.skipped(skipped);
                None
            }
        };
        let octets = match &plain {
            Some(plain) => plain,
            None if options.keep_other => &frame.octets,
            None => continue,
        };
        if !writer
            .write(frame.link, frame.time, octets)
            .map_err(failed)?
        {
            return Err(Failure::failed(format!(
                "frame {}: another link type than before, which pcap cannot hold",
                frame.number
            )));
        }
    }
    writer.finish().map_err(failed)?;
    print(&opener.report())?;
    if let Some(failure) = broken {
        return Err(failure);
    }
    if opener.is_in_vain() {
        return Err(Failure::failed(
            "nothing was decrypted: are these the keys of this call? see --roc-search",
        ));
    }
    Ok(())
}

/// The frame with what its datagram carries in plain; `None` if it cannot be had.
fn open(
    opener: &mut Opener,
    datagram: &Datagram,
    frame: &Frame,
) -> Result<Option<Vec<u8>>, Failure> {
    match opener.open(datagram, datagram.payload(&frame.octets)) {
        Opened::Plain(payload) => match datagram.with_payload(&frame.octets, &payload) {
            Ok(octets) => Ok(Some(octets)),
            Err(Skipped::Fragment | Skipped::Link | Skipped::NotUdp | Skipped::Truncated) => {
                Err(Failure::failed(format!(
                    "frame {}: the plain packet does not fit",
                    frame.number
                )))
            }
        },
        Opened::Not => Ok(None),
    }
}

fn same_file(source: &OsStr, out: &OsStr) -> bool {
    let path = |file| fs::canonicalize(Path::new(file)).ok();
    path(source).is_some_and(|source| Some(source) == path(out))
}
