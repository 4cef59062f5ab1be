//! Where input comes from: a file, standard input, or the command line itself.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufRead as _, Read},
};

use zeroize::Zeroizing;

use crate::{failure::Failure, print};

/// Most octets that are read of a message or a description.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// The octets of `file`, or of standard input for `-`. `name` is what messages call it.
pub(crate) fn read(name: &str, file: &OsStr) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if file == "-" {
        return read_from(name, io::stdin().lock());
    }
    read_from(name, open(name, file)?)
}

/// Opens `file`; the message does not repeat the path, since it may be a key in the wrong place.
pub(crate) fn open(name: &str, file: &OsStr) -> Result<File, Failure> {
    let opened = File::open(file).and_then(|file| {
        let directory = file.metadata()?.is_dir();
        if directory {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    });
    opened.map_err(|error| Failure::input(format!("{name}: {}", error.kind())))
}

fn read_from(name: &str, source: impl Read) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    let mut octets = Zeroizing::new(Vec::new());
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut octets)
        .map_err(|error| Failure::input(format!("{name}: {}", error.kind())))?;
    if octets.len() > MAX_TEXT {
        return Err(Failure::input(format!(
            "{name}: longer than {MAX_TEXT} octets"
        )));
    }
    Ok(octets)
}

/// Longest line of standard input: a packet of 2^16 octets in hexadecimal, with spaces between them.
const MAX_LINE: u64 = 1 << 18;

/// Has `each` print what comes of each line of standard input; empty ones are skipped. What fails is
/// told with the number of its line.
pub(crate) fn each_line(
    mut each: impl FnMut(&str) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let mut stdin = io::stdin().lock();
    let mut line = Zeroizing::new(String::new());
    for number in 1_u64.. {
        line.clear();
        let done = match (&mut stdin).take(MAX_LINE).read_line(&mut line) {
            Ok(0) => break,
            Ok(len) if u64::try_from(len) == Ok(MAX_LINE) => {
                Err(Failure::input("longer than any packet or key"))
            }
            Ok(_) if line.trim().is_empty() => continue,
            Ok(_) => each(line.trim()),
            Err(error) => Err(Failure::input(error.kind().to_string())),
        };
        print(&done.map_err(|failure| failure.within(format!("line {number}")))?)?;
    }
    Ok(())
}

/// As [`each_line`], for arguments that `what` calls by name.
pub(crate) fn each_argument(
    what: &str,
    arguments: &[impl AsRef<str>],
    mut each: impl FnMut(&str) -> Result<String, Failure>,
) -> Result<(), Failure> {
    for (argument, number) in arguments.iter().zip(1_u64..) {
        let done = each(argument.as_ref().trim());
        print(&done.map_err(|failure| failure.within(format!("{what} {number}")))?)?;
    }
    Ok(())
}

/// `octets` as text, with where they cease to be.
pub(crate) fn text<'a>(name: &str, octets: &'a [u8]) -> Result<&'a str, Failure> {
    core::str::from_utf8(octets).map_err(|error| {
        Failure::input(format!(
            "{name}: octet {}: expected UTF-8 text",
            error.valid_up_to()
        ))
    })
}
