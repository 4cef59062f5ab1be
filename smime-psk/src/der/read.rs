use alloc::vec::Vec;

use super::{CONSTRUCTED, Encoding, OCTET_STRING, OID, SEQUENCE, SET, put};
use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::limits;
use crate::oid::Oid;

/// One element, its contents still to be read.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
    /// Tag, length, contents and, with an indefinite length, the end-of-contents octets.
    pub(crate) raw: &'a [u8],
    /// Where the contents start in the message.
    pub(crate) at: usize,
    encoding: Encoding,
}

/// Identifier and length octets.
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// `None` for the indefinite length.
    pub(crate) contents: Option<u64>,
    /// Octets of the header itself.
    pub(crate) len: usize,
}

/// Reads elements one after the other; a limb of the message at a time.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
    encoding: Encoding,
}

/// An octet string, in one piece or (BER) in several.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'a> {
    contents: &'a [u8],
    constructed: bool,
    len: usize,
}

impl Header {
    /// Reads identifier and length octets from the front of `input`.
    pub(crate) fn read(input: &[u8], encoding: Encoding) -> Result<Self, Kind> {
        let [tag, first, rest @ ..] = input else {
            return Err(Kind::Truncated);
        };
        if tag & 0x1f == 0x1f {
            return Err(Kind::UnexpectedTag);
        }
        if *first < 0x80 {
            return Ok(Self {
                tag: *tag,
                contents: Some(u64::from(*first)),
                len: 2,
            });
        }
        if *first == 0x80 {
            return match encoding {
                Encoding::Der => Err(Kind::NotDer),
                Encoding::Ber if tag & CONSTRUCTED == 0 => Err(Kind::Length),
                Encoding::Ber => Ok(Self {
                    tag: *tag,
                    contents: None,
                    len: 2,
                }),
            };
        }
        let count = usize::from(first & 0x7f);
        if count > 8 {
            return Err(Kind::Length);
        }
        let octets = rest.get(..count).ok_or(Kind::Truncated)?;
        let value = octets
            .iter()
            .fold(0, |value: u64, octet| (value << 8) | u64::from(*octet));
        let shortest = value >= 0x80 && octets.first() != Some(&0);
        if encoding == Encoding::Der && !shortest {
            return Err(Kind::NotDer);
        }
        Ok(Self {
            tag: *tag,
            contents: Some(value),
            len: 2 + count,
        })
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(input: &'a [u8], encoding: Encoding) -> Self {
        Self {
            rest: input,
            at: 0,
            encoding,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) const fn fail(&self, kind: Kind) -> DecodeError {
        DecodeError::new(kind, self.at)
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DecodeError> {
        let header = Header::read(self.rest, self.encoding).map_err(|kind| self.fail(kind))?;
        // X.690 §8.1.5: tag 0 is end-of-contents and stands nowhere else.
        if header.tag == 0 {
            return Err(self.fail(Kind::UnexpectedTag));
        }
        let (contents, trailer) = match header.contents {
            Some(len) => (
                usize::try_from(len).map_err(|_| self.fail(Kind::Truncated))?,
                0,
            ),
            None => (self.indefinite_contents(header.len)?, 2),
        };
        let split = |len: usize| {
            let whole = header.len.checked_add(len)?.checked_add(trailer)?;
            let (raw, rest) = self.rest.split_at_checked(whole)?;
            Some((raw.get(header.len..header.len + len)?, raw, rest))
        };
        let (contents, raw, rest) = split(contents).ok_or(self.fail(Kind::Truncated))?;
        let element = Element {
            tag: header.tag,
            contents,
            raw,
            at: self.at + header.len,
            encoding: self.encoding,
        };
        self.rest = rest;
        self.at += raw.len();
        Ok(element)
    }

    /// The next element, which must have `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, DecodeError> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(_) => Err(self.fail(Kind::UnexpectedTag)),
            None => Err(self.fail(Kind::Truncated)),
        }
    }

    /// The next element, if it has `tag`.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DecodeError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn oid(&mut self) -> Result<Oid, DecodeError> {
        let at = self.at;
        let element = self.expect(OID)?;
        Oid::from_octets(element.contents).ok_or(DecodeError::new(Kind::Malformed, at))
    }

    /// A non-negative INTEGER below 128, all that versions and tag lengths need.
    pub(crate) fn small_integer(&mut self) -> Result<u8, DecodeError> {
        let at = self.at;
        match self.expect(super::INTEGER)?.contents {
            [value] if *value < 0x80 => Ok(*value),
            _ => Err(DecodeError::new(Kind::Malformed, at)),
        }
    }

    /// An octet string tagged `tag` when primitive.
    pub(crate) fn octets(&mut self, tag: u8) -> Result<Octets<'a>, DecodeError> {
        let constructed = self.peek() == Some(tag | CONSTRUCTED);
        if constructed && self.encoding == Encoding::Der {
            return Err(self.fail(Kind::NotDer));
        }
        if !constructed {
            let contents = self.expect(tag)?.contents;
            return Ok(Octets {
                contents,
                constructed,
                len: contents.len(),
            });
        }
        let element = self.any()?;
        let mut len = 0;
        let mut pieces = element.reader();
        while !pieces.is_empty() {
            // A piece that is itself in pieces serves no sender and would nest without end.
            len += pieces.expect(OCTET_STRING)?.contents.len();
        }
        Ok(Octets {
            contents: element.contents,
            constructed,
            len,
        })
    }

    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.fail(Kind::Trailing))
        }
    }

    /// Octets up to the end-of-contents that closes the element whose header was just read.
    fn indefinite_contents(&self, header_len: usize) -> Result<usize, DecodeError> {
        let mut pos = header_len;
        let mut depth = 1;
        loop {
            let fail = |kind| DecodeError::new(kind, self.at + pos);
            let rest = self.rest.get(pos..).ok_or(fail(Kind::Truncated))?;
            let header = Header::read(rest, self.encoding).map_err(fail)?;
            match header.contents {
                Some(0) if header.tag == 0 && header.len == 2 => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(pos - header_len);
                    }
                    pos += 2;
                }
                _ if header.tag == 0 => return Err(fail(Kind::UnexpectedTag)),
                Some(len) => {
                    pos = usize::try_from(len)
                        .ok()
                        .and_then(|len| pos.checked_add(header.len)?.checked_add(len))
                        .ok_or(fail(Kind::Truncated))?;
                }
                None if depth == limits::DEPTH => return Err(fail(Kind::BeyondLimits)),
                None => {
                    depth += 1;
                    pos += header.len;
                }
            }
        }
    }
}

impl<'a> Element<'a> {
    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) const fn reader(&self) -> Reader<'a> {
        Reader {
            rest: self.contents,
            at: self.at,
            encoding: self.encoding,
        }
    }
}

impl<'a> Octets<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let whole = (!self.constructed).then_some(self.contents);
        let pieces = if self.constructed { self.contents } else { &[] };
        let mut reader = Reader::new(pieces, Encoding::Ber);
        // The pieces were read once already, when the string was found.
        let pieces = core::iter::from_fn(move || reader.any().ok().map(|piece| piece.contents));
        whole.into_iter().chain(pieces)
    }
}

/// Appends `element` with the lengths of DER, and strings in one piece.
///
/// Members stay in their order: whether a set is a SET OF, to be sorted, only its type says.
pub(crate) fn to_der(
    element: &Element<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    if depth == 0 {
        return Err(DecodeError::new(Kind::BeyondLimits, element.at));
    }
    if element.tag & CONSTRUCTED == 0 {
        put(out, element.tag, element.contents);
        return Ok(());
    }
    let mut members = Vec::new();
    let mut reader = element.reader();
    while !reader.is_empty() {
        let mut member = Vec::new();
        to_der(&reader.any()?, depth - 1, &mut member)?;
        members.push(member);
    }
    let tag = element.tag;
    // A universal constructed type other than SEQUENCE and SET is a string in pieces.
    if tag < 0x40 && tag != SEQUENCE && tag != SET {
        let mut string = Vec::new();
        for member in &members {
            let piece = Reader::new(member, Encoding::Der).any()?;
            if piece.tag != tag & !CONSTRUCTED {
                return Err(DecodeError::new(Kind::UnexpectedTag, element.at));
            }
            string.extend_from_slice(piece.contents);
        }
        put(out, tag & !CONSTRUCTED, &string);
        return Ok(());
    }
    put(out, tag, &members.concat());
    Ok(())
}
