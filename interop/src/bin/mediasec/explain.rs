//! `mediasec explain`: what an input says, as a tree.

mod capture;
mod cms;
mod crypto;
mod detect;
mod fields;
mod key_mgmt;
mod mikey;
mod mikey_payload;
mod mikey_ticket;
mod mime;
mod sdp;
mod time;
mod tree;

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    path::Path,
};

use ::mikey::code_points::{GeneralExtensionType, ProtType, ThreeGppCodePoints};
use lexopt::{Arg, ValueExt as _};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{failure::Failure, input, print};
use detect::Kind;
use tree::Node;

const HELP: &str = "\
Shows what an input says as a tree: field, place (@octet+length, counted from the start of the message
or line), meaning, where it is defined, and warnings (!) and errors (!!).

Usage: mediasec explain [OPTIONS] [FILE | - | TEXT]

Without FILE, or for -, it reads standard input; what is no file is TEXT. It reads session
descriptions (SDP), a=crypto and a=key-mgmt lines, KeyMgmt headers, MIKEY and CMS messages in
hexadecimal, base64 or binary, MIME entities, and captures (pcap, pcapng).

  --as KIND              do not guess: sdp, crypto, key-mgmt, keymgmt-header, mikey, cms, mime, capture
  --json                 print JSON
  --show-secrets         show keys; hidden otherwise
  --code-point NAME=N    a code point that no registry has: tls (241), psk-mime (242),
                         application-specific (243), conf (241), proof-of-origin (242)
  --help                 this text

Exit code 0: all of it was read. 1: a part of it could not be, which the tree says. 2: bad usage or
input.
";

/// How things are shown.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) show_secrets: bool,
    pub(crate) code_points: ThreeGppCodePoints,
}

impl Settings {
    /// The name of `prot_type`, 3GPP's by the code points that were asked for.
    pub(crate) fn prot_type_name(&self, prot_type: ProtType) -> &'static str {
        if prot_type == self.code_points.tls {
            "TLS"
        } else if prot_type == self.code_points.psk_mime {
            "PSK/MIME"
        } else if prot_type == self.code_points.application_specific {
            "Application Specific"
        } else {
            prot_type.name()
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let mut settings = Settings {
        show_secrets: false,
        code_points: ThreeGppCodePoints::DEFAULT,
    };
    let (mut kind, mut json, mut source) = (None, false, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return print(HELP),
            Arg::Long("as") => kind = Some(Kind::from_name(&parser.value()?)?),
            Arg::Long("json") => json = true,
            Arg::Long("show-secrets") => settings.show_secrets = true,
            Arg::Long("code-point") => {
                code_point(&parser.value()?.string()?, &mut settings.code_points)?;
            }
            Arg::Value(value) if source.is_none() => source = Some(value),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let (kind, tree) = explain(kind, source.as_deref(), &settings)?;
    if json {
        let object = json!({ "kind": kind.name(), "tree": tree.to_json() });
        print(&format!("{object:#}\n"))?;
    } else {
        print(&tree.to_text())?;
    }
    match tree.errors() {
        0 => Ok(()),
        count => Err(Failure::failed(format!(
            "{count} part(s) cannot be read, see !! in the tree"
        ))),
    }
}

fn explain(
    kind: Option<Kind>,
    source: Option<&OsStr>,
    settings: &Settings,
) -> Result<(Kind, Node), Failure> {
    let octets = match source {
        None => input::read("standard input", OsStr::new("-"))?,
        Some(file) if file == "-" => input::read("standard input", file)?,
        Some(file) if Path::new(file).exists() => {
            // Captures are longer than what is kept in memory.
            if kind.is_none_or(|kind| kind == Kind::Capture) {
                let mut opened = input::open("file", file)?;
                if kind.is_some() || starts_as_capture(&mut opened) {
                    let opened = input::open("file", file)?;
                    return Ok((Kind::Capture, capture::explain(opened, settings)?));
                }
            }
            input::read("file", file)?
        }
        Some(text) => match text.to_str() {
            Some(text) => Zeroizing::new(text.as_bytes().to_vec()),
            None => return Err(Failure::input("argument: expected a file or UTF-8 text")),
        },
    };
    let kind = match kind {
        Some(kind) => kind,
        None => Kind::of(&octets).ok_or_else(|| {
            let found = match source {
                Some(text) if text != "-" && !Path::new(text).exists() => "no such file, and not",
                _ => "unknown input: expected",
            };
            Failure::input(format!("{found} {}", Kind::EXPECTED))
        })?,
    };
    Ok((kind, kind.explain(&octets, settings)?))
}

fn starts_as_capture(file: &mut File) -> bool {
    let mut magic = [0; 4];
    file.read_exact(&mut magic).is_ok() && detect::is_capture(&magic)
}

fn code_point(text: &str, code_points: &mut ThreeGppCodePoints) -> Result<(), Failure> {
    let expected = || Failure::input("--code-point: expected NAME=N, N from 0 to 255; see --help");
    let (name, number) = text.split_once('=').ok_or_else(expected)?;
    let number: u8 = number.parse().map_err(|_| expected())?;
    match name {
        "tls" => code_points.tls = ProtType::from(number),
        "psk-mime" => code_points.psk_mime = ProtType::from(number),
        "application-specific" => code_points.application_specific = ProtType::from(number),
        "conf" => code_points.conf = GeneralExtensionType::from(number),
        "proof-of-origin" => code_points.proof_of_origin = GeneralExtensionType::from(number),
        _ => return Err(expected()),
    }
    Ok(())
}
