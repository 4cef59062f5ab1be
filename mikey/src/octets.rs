use bytes::BufMut;

use crate::{DecodeError, EncodeError, reader::Reader};

/// Octets behind a length of 8 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Octets8<'a> {
    len: u8,
    octets: &'a [u8],
}

impl<'a> Octets8<'a> {
    pub(crate) const EMPTY: Self = Self {
        len: 0,
        octets: &[],
    };

    pub(crate) fn new(octets: &'a [u8]) -> Result<Self, EncodeError> {
        let len = u8::try_from(octets.len()).map_err(|_| EncodeError::TooLong)?;
        Ok(Self { len, octets })
    }

    #[inline]
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let len = reader.u8()?;
        Ok(Self {
            len,
            octets: reader.take(len)?,
        })
    }

    pub(crate) const fn get(&self) -> &'a [u8] {
        self.octets
    }

    pub(crate) const fn encoded_len(&self) -> usize {
        1 + self.octets.len()
    }

    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.len);
        out.put_slice(self.octets);
    }
}

/// Octets behind a length of 16 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Octets16<'a> {
    len: u16,
    octets: &'a [u8],
}

impl<'a> Octets16<'a> {
    pub(crate) const EMPTY: Self = Self {
        len: 0,
        octets: &[],
    };

    pub(crate) fn new(octets: &'a [u8]) -> Result<Self, EncodeError> {
        let len = u16::try_from(octets.len()).map_err(|_| EncodeError::TooLong)?;
        Ok(Self { len, octets })
    }

    #[inline]
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let len = reader.u16()?;
        Ok(Self {
            len,
            octets: reader.take(len)?,
        })
    }

    pub(crate) const fn get(&self) -> &'a [u8] {
        self.octets
    }

    pub(crate) const fn encoded_len(&self) -> usize {
        2 + self.octets.len()
    }

    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        out.put_u16(self.len);
        out.put_slice(self.octets);
    }
}
