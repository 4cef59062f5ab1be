use crate::{DecodeError, DecodeErrorKind, error::Place};

/// A cursor over octets that knows where it is, so that an error can say so.
///
/// After an error the cursor stands where it failed; it is not read further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The offset at which `rest` ends: it stays as it is while octets are read.
    end: usize,
    place: Place,
    checked: bool,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8], place: Place) -> Self {
        Self {
            rest: octets,
            end: octets.len(),
            place,
            checked: false,
        }
    }

    /// Over octets that were read once without fault: lists within them are not gone through again.
    pub(crate) const fn again(octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            end: octets.len(),
            place: Place::Hdr,
            checked: true,
        }
    }

    pub(crate) const fn is_checked(&self) -> bool {
        self.checked
    }

    /// Names what is read from here on.
    pub(crate) const fn enter(&mut self, place: Place) {
        self.place = place;
    }

    pub(crate) const fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
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
                Ok(taken)
            }
            None => Err(self.truncated()),
        }
    }

    /// The next `len` octets as a cursor of their own, its offsets counted as here.
    #[inline]
    pub(crate) fn nested(&mut self, len: impl Into<usize>) -> Result<Self, DecodeError> {
        let rest = self.take(len)?;
        Ok(Self {
            rest,
            end: self.offset(),
            ..*self
        })
    }

    /// Fails if octets are left.
    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(DecodeErrorKind::TrailingOctets))
        }
    }

    #[cold]
    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.place, self.offset())
    }

    /// What is missing is behind the last octet, wherever the field begins.
    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError::new(DecodeErrorKind::Truncated, self.place, self.end)
    }
}
