use crate::{DecodeError, DecodeErrorKind};

/// A cursor over octets that knows where it is, so that an error can say so.
///
/// After an error the cursor stands where it failed; it is not read further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    payload: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8], payload: &'static str) -> Self {
        Self {
            rest: octets,
            offset: 0,
            payload,
        }
    }

    /// Names the payload that is read from here on.
    pub(crate) const fn enter(&mut self, payload: &'static str) {
        self.payload = payload;
    }

    pub(crate) const fn payload(&self) -> &'static str {
        self.payload
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset += N;
                Ok(*taken)
            }
            None => Err(self.truncated()),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: impl Into<usize>) -> Result<&'a [u8], DecodeError> {
        let len = len.into();
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset += len;
                Ok(taken)
            }
            None => Err(self.truncated()),
        }
    }

    /// The next `len` octets as a cursor of their own, its offsets counted as here.
    #[inline]
    pub(crate) fn nested(&mut self, len: impl Into<usize>) -> Result<Self, DecodeError> {
        let (offset, payload) = (self.offset, self.payload);
        Ok(Self {
            rest: self.take(len)?,
            offset,
            payload,
        })
    }

    /// Fails if octets are left.
    pub(crate) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(DecodeErrorKind::TrailingOctets))
        }
    }

    pub(crate) const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.payload, self.offset)
    }

    /// The field that is short begins here, but what is missing is behind the last octet.
    const fn truncated(&self) -> DecodeError {
        DecodeError::new(
            DecodeErrorKind::Truncated,
            self.payload,
            self.offset.saturating_add(self.rest.len()),
        )
    }
}
