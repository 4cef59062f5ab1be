use bytes::BufMut;

use crate::{DecodeError, code_points::ErrorNo, reader::Reader};

/// ERR payload: what was wrong with the peer's message ([RFC 3830 §6.12]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload ! Error no      !           Reserved            !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::ErrorNo, payload::ErrorPayload};
///
/// assert_eq!(ErrorPayload::new(ErrorNo::InvalidTs).error_no(), ErrorNo::InvalidTs);
/// ```
///
/// [RFC 3830 §6.12]: https://www.rfc-editor.org/rfc/rfc3830#section-6.12
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorPayload {
    error_no: ErrorNo,
    reserved: u16,
}

impl ErrorPayload {
    /// The error `error_no`.
    #[must_use]
    pub const fn new(error_no: ErrorNo) -> Self {
        Self {
            error_no,
            reserved: 0,
        }
    }

    /// The error.
    #[must_use]
    pub const fn error_no(&self) -> ErrorNo {
        self.error_no
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            error_no: ErrorNo::from(reader.u8()?),
            reserved: reader.u16()?,
        })
    }

    #[allow(clippy::unused_self, reason = "one signature for all payloads")]
    pub(super) const fn encoded_len(self) -> usize {
        3
    }

    pub(super) fn encode(self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.error_no));
        out.put_u16(self.reserved);
    }
}
