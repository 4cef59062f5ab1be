use core::{fmt, slice};

use bytes::BufMut;

use crate::{DecodeError, reader::Reader};

/// An element of a list that MIKEY writes without gaps.
pub(crate) trait Element<'a>: Copy + Eq {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    fn encoded_len(&self) -> usize;
    fn encode(&self, out: &mut impl BufMut);
}

/// A list as it came, or as it is to be sent.
///
/// The octets of the first kind were parsed once, so that reading them again cannot fail.
#[derive(Clone, Copy)]
pub(crate) enum Sequence<'a, T> {
    Wire(&'a [u8]),
    Items(&'a [T]),
}

impl<'a, T: Element<'a>> Sequence<'a, T> {
    /// Exactly `count` elements from the front of `reader`.
    pub(crate) fn parse_counted(
        reader: &mut Reader<'a>,
        count: usize,
    ) -> Result<Self, DecodeError> {
        let mut end = *reader;
        for _ in 0..count {
            T::parse(&mut end)?;
        }
        let octets = reader.take(end.offset().saturating_sub(reader.offset()))?;
        Ok(Self::Wire(octets))
    }

    /// Elements up to the end of `reader`.
    pub(crate) fn parse_all(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let octets = reader.rest();
        if reader.is_checked() {
            return Ok(Self::Wire(octets));
        }
        while !reader.is_empty() {
            T::parse(&mut reader)?;
        }
        Ok(Self::Wire(octets))
    }

    pub(crate) fn iter(&self) -> Iter<'a, T> {
        match *self {
            Self::Wire(octets) => Iter::Wire(Reader::again(octets)),
            Self::Items(items) => Iter::Items(items.iter()),
        }
    }

    pub(crate) fn encoded_len(&self) -> usize {
        match self {
            Self::Wire(octets) => octets.len(),
            Self::Items(items) => items.iter().map(T::encoded_len).sum(),
        }
    }

    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        match self {
            Self::Wire(octets) => out.put_slice(octets),
            Self::Items(items) => items.iter().for_each(|item| item.encode(out)),
        }
    }
}

impl<'a, T: Element<'a>> PartialEq for Sequence<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Element<'a>> Eq for Sequence<'a, T> {}

impl<'a, T: Element<'a> + fmt::Debug> fmt::Debug for Sequence<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[derive(Clone)]
pub(crate) enum Iter<'a, T> {
    Wire(Reader<'a>),
    Items(slice::Iter<'a, T>),
}

impl<'a, T: Element<'a>> Iterator for Iter<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::Wire(reader) if reader.is_empty() => None,
            Self::Wire(reader) => T::parse(reader).ok(),
            Self::Items(items) => items.next().copied(),
        }
    }
}
