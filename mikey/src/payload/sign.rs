use bytes::BufMut;

use crate::{DecodeError, EncodeError, code_points::SType, reader::Reader};

/// Longest signature: what 12 bits can say.
const MAX_LEN: usize = 0x0fff;

/// SIGN payload: a signature, always last and the only payload without a Next payload field
/// ([RFC 3830 §6.5]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! S type| Signature len         ! Signature                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::SType, payload::Sign};
///
/// let sign = Sign::new(SType::RsaPss, &[0x5a; 256])?;
/// assert_eq!((sign.s_type(), sign.signature().len()), (SType::RsaPss, 256));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.5]: https://www.rfc-editor.org/rfc/rfc3830#section-6.5
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sign<'a> {
    /// S type in the four high bits, the length in the others.
    type_and_len: u16,
    signature: &'a [u8],
}

impl<'a> Sign<'a> {
    /// Wraps `signature`: zeroes, until the message that it covers is written.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 4095 octets, [`EncodeError::Value`] for an S type of
    /// more than four bits.
    pub fn new(s_type: SType, signature: &'a [u8]) -> Result<Self, EncodeError> {
        let s_type = u8::from(s_type);
        if s_type > 0x0f {
            return Err(EncodeError::Value(s_type));
        }
        match u16::try_from(signature.len()) {
            Ok(len) if signature.len() <= MAX_LEN => Ok(Self {
                type_and_len: u16::from(s_type) << 12 | len,
                signature,
            }),
            _ => Err(EncodeError::TooLong),
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn s_type(&self) -> SType {
        let [high, _] = self.type_and_len.to_be_bytes();
        SType::from(high >> 4)
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &'a [u8] {
        self.signature
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let type_and_len = reader.u16()?;
        Ok(Self {
            type_and_len,
            signature: reader.take(type_and_len & 0x0fff)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        2 + self.signature.len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u16(self.type_and_len);
        out.put_slice(self.signature);
    }
}
