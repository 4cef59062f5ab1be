//! Files that a program is given: read whole, unless they are longer than they should be.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

/// What is in a file; erased when dropped, since it may be a key.
///
/// # Errors
///
/// What opening and reading it came to; [`io::ErrorKind::FileTooLarge`] for more than `most` octets,
/// of which no more are read.
pub fn read(path: &Path, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // Room at once: a buffer that grows would leave copies behind.
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(most);
    let mut octets = Zeroizing::new(Vec::with_capacity(len.min(most).saturating_add(1)));
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    if octets.len() > most {
        let reason = format!("longer than {most} octets");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(octets)
}
