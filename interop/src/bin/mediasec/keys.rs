//! SRTP master keys as lines of text.

use sdes::SecurityDescription;
use srtp::keying::{KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile};

use crate::{failure::Failure, hex};

/// What a key line is, for `--help`.
pub(crate) const HELP: &str = "\
A key is a line: an a=crypto line as it stands in SDP, or
  SUITE HEX [mki=HEX] [ssrc=N] [roc=N]
with the name of the crypto-suite and the master key with its salt behind it. Numbers may be
hexadecimal with 0x in front.
";

/// The keys that `line` tells.
pub(crate) fn parse(line: &str) -> Result<KeySet, Failure> {
    let line = line.trim();
    if line.starts_with("a=crypto:") || line.starts_with("crypto:") {
        let description = SecurityDescription::parse(line, &[])
            .map_err(|error| Failure::input(format!("a=crypto: {error}")))?;
        return Ok(description.keys().duplicate());
    }
    let mut words = line.split_ascii_whitespace();
    let profile = words
        .next()
        .and_then(Profile::from_sdes)
        .ok_or_else(|| Failure::input(format!("expected a=crypto: or one of {}", suites())))?;
    let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
    let octets = hex::decode(words.next().unwrap_or_default())
        .map_err(|_| Failure::input("key: expected hexadecimal digits behind the suite"))?;
    let key = match octets.split_at_checked(key_len) {
        Some((key, salt)) if salt.len() == salt_len => MasterKey::new(profile, key, salt),
        _ => {
            return Err(Failure::input(format!(
                "key: expected {key_len} octets of key and {salt_len} of salt, found {}",
                octets.len()
            )));
        }
    };
    let key = key.map_err(|error| Failure::input(format!("key: {error}")))?;
    let mut entry = KeyEntry::new(key);
    for word in words {
        entry = match word.split_once('=') {
            Some(("mki", octets)) => {
                let mki = hex::decode(octets)
                    .ok()
                    .and_then(|octets| Mki::new(&octets).ok());
                entry.with_mki(mki.ok_or_else(|| Failure::input("mki: expected 1 to 128 octets"))?)
            }
            Some(("ssrc", digits)) => entry.for_ssrc(number("ssrc", digits)?),
            Some(("roc", digits)) => entry.with_roc(number("roc", digits)?),
            _ => {
                return Err(Failure::input(
                    "key: expected mki=, ssrc= or roc= behind it",
                ));
            }
        };
    }
    KeySet::new(profile, Parameters::default(), vec![entry])
        .map_err(|error| Failure::input(format!("key: {error}")))
}

/// The keys of a file: a line each; empty lines and those that begin with # are skipped.
pub(crate) fn parse_lines(name: &str, text: &str) -> Result<Vec<KeySet>, Failure> {
    text.lines()
        .zip(1_usize..)
        .filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(line, number)| {
            parse(line).map_err(|failure| failure.within(format!("{name}: line {number}")))
        })
        .collect()
}

/// A number of 32 bits, decimal or hexadecimal.
pub(crate) fn number(name: &str, digits: &str) -> Result<u32, Failure> {
    let parsed = match digits.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    parsed.map_err(|_| Failure::input(format!("{name}: expected a number from 0 to 2^32 - 1")))
}

fn suites() -> String {
    let names: Vec<&str> = Profile::ALL
        .iter()
        .filter_map(|profile| profile.sdes_name())
        .collect();
    names.join(", ")
}
