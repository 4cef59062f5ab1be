//! Which kind of input it is.

use std::{ffi::OsStr, io::Cursor};

use ::mikey::keymgmt;
use zeroize::Zeroizing;

use super::{Settings, capture, cms, crypto, key_mgmt, mikey, mime, sdp, tree::Node};
use crate::{failure::Failure, hex, input};

/// A kind of input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Capture,
    Cms,
    Crypto,
    KeyMgmt,
    KeyMgmtHeader,
    Mikey,
    Mime,
    Sdp,
}

const NAMES: [(&str, Kind); 8] = [
    ("capture", Kind::Capture),
    ("cms", Kind::Cms),
    ("crypto", Kind::Crypto),
    ("key-mgmt", Kind::KeyMgmt),
    ("keymgmt-header", Kind::KeyMgmtHeader),
    ("mikey", Kind::Mikey),
    ("mime", Kind::Mime),
    ("sdp", Kind::Sdp),
];

impl Kind {
    pub(crate) const EXPECTED: &str = "SDP from its v= line, a=crypto:, a=key-mgmt:, KeyMgmt:, \
        MIKEY or CMS (binary, hexadecimal or base64), MIME from its headers, pcap or pcapng; \
        or say --as KIND";

    pub(crate) fn from_name(name: &OsStr) -> Result<Self, Failure> {
        let found = NAMES.iter().find(|(known, _)| name == *known);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Failure::input(format!("--as: expected one of {}", names.join(", ")))
        })
    }

    pub(crate) fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(name, _)| name)
    }

    /// What `octets` look like; `None` if like nothing that is known.
    pub(crate) fn of(octets: &[u8]) -> Option<Self> {
        if is_capture(octets) {
            return Some(Self::Capture);
        }
        match as_text(octets) {
            Some(text) => Self::of_text(text.trim_start()),
            None => Self::of_binary(octets),
        }
    }

    fn of_binary(octets: &[u8]) -> Option<Self> {
        match octets {
            [1, data_type, ..] if *data_type <= 26 => Some(Self::Mikey),
            [0x30, ..] => Some(Self::Cms),
            // A description may hold octets of any encoding.
            [b'v', b'=', ..] => Some(Self::Sdp),
            _ => None,
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let begins = |prefix: &str| {
            let head = text.get(..prefix.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        if begins("v=") || begins("m=") {
            Some(Self::Sdp)
        } else if begins("a=crypto:") || begins("crypto:") {
            Some(Self::Crypto)
        } else if begins("a=key-mgmt:") || begins("key-mgmt:") || begins("mikey ") {
            Some(Self::KeyMgmt)
        } else if begins("keymgmt:") || begins("prot=") {
            Some(Self::KeyMgmtHeader)
        } else if let Some(octets) = from_text(text) {
            Self::of_binary(&octets)
        } else if begins("content-") || begins("mime-version:") {
            Some(Self::Mime)
        } else {
            None
        }
    }

    /// The tree of `octets`, which are of this kind.
    pub(crate) fn explain(self, octets: &[u8], settings: &Settings) -> Result<Node, Failure> {
        let name = self.name();
        match self {
            Self::Capture => capture::explain(Cursor::new(octets.to_vec()), settings),
            Self::Cms => cms::explain(&binary(name, octets)?, settings)
                .map_err(|error| Failure::input(format!("{name}: {error}"))),
            Self::Crypto => whole(crypto::explain(line(name, octets)?, settings)),
            Self::KeyMgmt => whole(key_mgmt::attribute(line(name, octets)?, settings)),
            Self::KeyMgmtHeader => whole(key_mgmt::header(line(name, octets)?, settings)),
            Self::Mikey => mikey::explain(&binary(name, octets)?, settings)
                .map_err(|error| Failure::input(format!("{name}: {error}"))),
            Self::Mime => mime::explain(octets, settings)
                .map_err(|error| Failure::input(format!("{name}: {error}"))),
            Self::Sdp if octets.is_empty() => {
                Err(Failure::input("sdp: octet 0: expected a v= line"))
            }
            Self::Sdp => sdp::explain(octets, settings)
                .map_err(|error| Failure::input(format!("{name}: {error}"))),
        }
    }
}

/// A tree that is nothing but an error is bad input.
fn whole(node: Node) -> Result<Node, Failure> {
    match node.only_error() {
        Some(error) => Err(Failure::input(error)),
        None => Ok(node),
    }
}

/// One line, its end aside.
fn line<'a>(name: &str, octets: &'a [u8]) -> Result<&'a str, Failure> {
    let text = input::text(name, octets)?.trim();
    match text.find(['\r', '\n']) {
        Some(place) => Err(Failure::input(format!(
            "{name}: octet {place}: expected one line"
        ))),
        None => Ok(text),
    }
}

/// The octets of a binary message, or those that text spells.
fn binary(name: &str, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let Some(text) = as_text(octets) else {
        return Ok(Zeroizing::new(octets.to_vec()));
    };
    from_text(text).ok_or_else(|| {
        let place = hex::decode(text).err().unwrap_or_default();
        Failure::input(format!(
            "{name}: octet {place}: expected hexadecimal digits, or all of it base64"
        ))
    })
}

fn from_text(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    match hex::decode(text) {
        Ok(octets) => Some(octets).filter(|octets| !octets.is_empty()),
        Err(_) => keymgmt::body_from_base64(text)
            .ok()
            .filter(|octets| !octets.is_empty()),
    }
}

/// `octets` if they are printed characters and nothing else.
fn as_text(octets: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(octets).ok()?;
    let printed = |character: char| !character.is_control() || character.is_ascii_whitespace();
    text.chars().all(printed).then_some(text)
}

/// The magic numbers of pcap, in both byte orders and precisions, and of pcapng.
pub(crate) fn is_capture(octets: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 5] = [
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    MAGIC.iter().any(|magic| octets.starts_with(magic))
}
