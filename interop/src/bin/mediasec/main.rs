//! `mediasec`: looks into the security of IMS media, and takes it off a capture.

extern crate alloc;

mod capture;
mod decrypt;
mod derive;
mod explain;
mod failure;
mod hex;
mod input;
mod keys;
mod packets;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use failure::Failure;

const HELP: &str = "\
Looks into what secures IMS media, and takes it off a capture.

Usage: mediasec COMMAND [OPTIONS]

  explain          SDP, a=crypto, a=key-mgmt, KeyMgmt, MIKEY, CMS, MIME, a capture: an annotated tree
  decrypt          a capture of SRTP and its keys: the capture of the RTP it was
  srtp protect     hexadecimal RTP or RTCP packets, a line each, to SRTP or SRTCP
  srtp unprotect   and back
  mikey derive     keys of MIKEY and MIKEY-TICKET from a TGK

`mediasec COMMAND --help` says more.

Exit code 0: done. 1: it failed, or not all could be done. 2: bad usage or input.
";

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let command = arguments.next();
    let command = command.as_deref().and_then(|word| word.to_str());
    match command {
        Some("explain") => explain::run(arguments),
        Some("decrypt") => decrypt::run(arguments),
        Some("srtp") => packets::run(arguments),
        Some("mikey") => derive::run(arguments),
        Some("help" | "-h" | "--help") => print(HELP),
        _ => Err(Failure::input(
            "expected a command: explain, decrypt, srtp or mikey; see mediasec --help",
        )),
    }
}

/// Writes to standard output; a reader that has gone is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(format!(
            "standard output: {}",
            error.kind()
        ))),
        _ => Ok(()),
    }
}
