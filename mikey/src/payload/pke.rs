use bytes::BufMut;

use crate::{DecodeError, EncodeError, code_points::EnvelopeKeyCache, reader::Reader};

/// Longest data: what 14 bits can say.
const MAX_LEN: usize = 0x3fff;

/// PKE payload: the encrypted envelope key ([RFC 3830 §6.3]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  ! C ! Data len                  ! Data          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::EnvelopeKeyCache, payload::Pke};
///
/// let pke = Pke::new(EnvelopeKeyCache::NoCache, &[0x5a; 256])?;
/// assert_eq!(pke.data().len(), 256);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.3]: https://www.rfc-editor.org/rfc/rfc3830#section-6.3
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pke<'a> {
    /// C in the two high bits, the length in the others.
    cache_and_len: u16,
    data: &'a [u8],
}

impl<'a> Pke<'a> {
    /// Wraps `data`, the envelope key under the peer's public key.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 16383 octets, [`EncodeError::Value`] for a cache
    /// indicator of more than two bits.
    pub fn new(cache: EnvelopeKeyCache, data: &'a [u8]) -> Result<Self, EncodeError> {
        let c = u8::from(cache);
        if c > 3 {
            return Err(EncodeError::Value(c));
        }
        match u16::try_from(data.len()) {
            Ok(len) if data.len() <= MAX_LEN => Ok(Self {
                cache_and_len: u16::from(c) << 14 | len,
                data,
            }),
            _ => Err(EncodeError::TooLong),
        }
    }

    /// Whether the envelope key is to be kept.
    #[must_use]
    pub fn cache(&self) -> EnvelopeKeyCache {
        let [high, _] = self.cache_and_len.to_be_bytes();
        EnvelopeKeyCache::from(high >> 6)
    }

    /// The encrypted envelope key.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let cache_and_len = reader.u16()?;
        Ok(Self {
            cache_and_len,
            data: reader.take(cache_and_len & 0x3fff)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        2 + self.data.len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u16(self.cache_and_len);
        out.put_slice(self.data);
    }
}
