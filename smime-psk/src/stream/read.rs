use alloc::vec;
use alloc::vec::Vec;
use std::io::{Read, Seek, SeekFrom};

use crate::der::{CONSTRUCTED, Encoding, Header};
use crate::error::{DecodeError, DecodeErrorKind as Kind, OpenError};
use crate::limits;

/// Reads elements from a stream, with no more of it in memory than is asked for.
pub(crate) struct StreamReader<R> {
    reader: R,
    /// Where the message starts in the stream.
    base: u64,
    /// Octets read of the message.
    at: u64,
    encoding: Encoding,
}

/// The end of an element that was entered: a position, or end-of-contents octets.
#[derive(Clone, Copy)]
pub(crate) enum End {
    At(u64),
    Marked,
}

impl<R: Read + Seek> StreamReader<R> {
    pub(crate) fn new(mut reader: R, encoding: Encoding) -> Result<Self, OpenError> {
        let base = reader.stream_position().map_err(io)?;
        Ok(Self {
            reader,
            base,
            at: 0,
            encoding,
        })
    }

    pub(crate) const fn position(&self) -> u64 {
        self.at
    }

    pub(crate) fn is_der(&self) -> bool {
        self.encoding == Encoding::Der
    }

    pub(crate) fn seek(&mut self, at: u64) -> Result<(), OpenError> {
        let position = self.base.checked_add(at).ok_or(self.fail(Kind::Length))?;
        self.reader.seek(SeekFrom::Start(position)).map_err(io)?;
        self.at = at;
        Ok(())
    }

    pub(crate) fn fail(&self, kind: Kind) -> OpenError {
        DecodeError::new(kind, usize::try_from(self.at).unwrap_or(usize::MAX)).into()
    }

    pub(crate) fn read_exact(&mut self, out: &mut [u8]) -> Result<(), OpenError> {
        self.reader
            .read_exact(out)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => self.fail(Kind::Truncated),
                _ => io(error),
            })?;
        self.at += u64::try_from(out.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Identifier and length octets, which are appended to `raw`.
    pub(crate) fn header(&mut self, raw: &mut Vec<u8>) -> Result<Header, OpenError> {
        let start = raw.len();
        raw.extend_from_slice(&[0; 2]);
        self.read_exact(raw.get_mut(start..).unwrap_or_default())?;
        let more = match raw.last() {
            Some(octet) if *octet > 0x80 => usize::from(octet & 0x7f),
            _ => 0,
        };
        if more > 8 {
            return Err(self.fail(Kind::Length));
        }
        raw.resize(start + 2 + more, 0);
        self.read_exact(raw.get_mut(start + 2..).unwrap_or_default())?;
        Header::read(raw.get(start..).unwrap_or_default(), self.encoding)
            .map_err(|kind| self.fail(kind))
    }

    /// Enters an element that must have `tag`.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<End, OpenError> {
        let header = self.header(&mut Vec::new())?;
        if header.tag != tag {
            return Err(self.fail(Kind::UnexpectedTag));
        }
        self.end_of(&header)
    }

    pub(crate) fn end_of(&self, header: &Header) -> Result<End, OpenError> {
        let Some(len) = header.contents else {
            return Ok(End::Marked);
        };
        let end = self.at.checked_add(len).ok_or(self.fail(Kind::Length))?;
        Ok(End::At(end))
    }

    /// Leaves an element, which must have nothing more in it.
    pub(crate) fn leave(&mut self, end: End) -> Result<(), OpenError> {
        match end {
            End::At(position) if position == self.at => Ok(()),
            End::At(_) => Err(self.fail(Kind::Trailing)),
            End::Marked => {
                let mut octets = [1; 2];
                self.read_exact(&mut octets)?;
                if octets == [0; 2] {
                    Ok(())
                } else {
                    Err(self.fail(Kind::Trailing))
                }
            }
        }
    }

    /// The next element as a whole, with at most `limit` octets.
    pub(crate) fn element(&mut self, limit: usize) -> Result<Vec<u8>, OpenError> {
        let mut raw = Vec::new();
        let mut open = 0;
        loop {
            let start = raw.len();
            let header = self.header(&mut raw)?;
            let end_of_contents = raw.get(start..) == Some(&[0; 2]) && open > 0;
            match header.contents {
                _ if end_of_contents => open -= 1,
                Some(len) => {
                    let len = usize::try_from(len).ok().filter(|len| *len <= limit);
                    let len = len.filter(|len| raw.len() + len <= limit);
                    self.append(len.ok_or(self.fail(Kind::BeyondLimits))?, &mut raw)?;
                }
                None if open == limits::DEPTH || raw.len() > limit => {
                    return Err(self.fail(Kind::BeyondLimits));
                }
                None => open += 1,
            }
            if open == 0 {
                return Ok(raw);
            }
        }
    }

    /// Everything up to the end of the element that `end` is of, with at most `limit` octets.
    pub(crate) fn rest(&mut self, end: End, limit: usize) -> Result<Vec<u8>, OpenError> {
        let mut raw = Vec::new();
        loop {
            match end {
                End::At(position) if position == self.at => return Ok(raw),
                End::At(position) if position < self.at => return Err(self.fail(Kind::Length)),
                End::At(_) => {}
                End::Marked => {
                    let here = self.at;
                    let mut octets = [1; 2];
                    self.read_exact(&mut octets)?;
                    if octets == [0; 2] {
                        return Ok(raw);
                    }
                    self.seek(here)?;
                }
            }
            let left = limit
                .checked_sub(raw.len())
                .ok_or(self.fail(Kind::BeyondLimits))?;
            raw.append(&mut self.element(left)?);
        }
    }

    /// Nothing may follow the message.
    pub(crate) fn finish(&mut self) -> Result<(), OpenError> {
        let mut octet = [0];
        match self.reader.read(&mut octet).map_err(io)? {
            0 => Ok(()),
            _ => Err(self.fail(Kind::Trailing)),
        }
    }

    /// Memory is taken as octets arrive, not as a length promises.
    fn append(&mut self, len: usize, raw: &mut Vec<u8>) -> Result<(), OpenError> {
        let mut left = len;
        let mut piece = vec![0; left.min(4096)];
        while left > 0 {
            let now = left.min(piece.len());
            let part = piece.get_mut(..now).unwrap_or_default();
            self.read_exact(part)?;
            raw.extend_from_slice(part);
            left -= now;
        }
        Ok(())
    }
}

/// Whether an octet string header with `tag` announces pieces.
pub(crate) const fn in_pieces(header: &Header) -> bool {
    header.tag & CONSTRUCTED != 0
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn io(error: std::io::Error) -> OpenError {
    OpenError::Io(error.kind())
}
