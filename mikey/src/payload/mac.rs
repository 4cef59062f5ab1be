use bytes::BufMut;

use crate::{DecodeError, DecodeErrorKind, EncodeError, code_points::MacAlg, reader::Reader};

/// A message authentication code and its algorithm, as KEMAC and V payloads end with it
/// ([RFC 3830 §6.2]).
///
/// Compare with a MAC of your own by `subtle`, not by `==`: what is compared here is what was sent.
///
/// ```
/// use mikey::{code_points::MacAlg, payload::Mac};
///
/// let mac = Mac::new(MacAlg::HmacSha1_160, &[0; 20])?;
/// assert_eq!(mac.octets().len(), 20);
/// assert!(Mac::new(MacAlg::HmacSha1_160, &[0; 19]).is_err());
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mac<'a> {
    alg: MacAlg,
    octets: &'a [u8],
}

impl<'a> Mac<'a> {
    /// No MAC at all: what protects the message is elsewhere.
    pub const NULL: Self = Self {
        alg: MacAlg::Null,
        octets: &[],
    };

    /// `octets` by `alg`: zeroes, until the message that they cover is written.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for an algorithm without a name here, [`EncodeError::WrongLength`] if
    /// `octets` are not of the length that it makes.
    pub fn new(alg: MacAlg, octets: &'a [u8]) -> Result<Self, EncodeError> {
        match alg.mac_len() {
            None => Err(EncodeError::Value(alg.into())),
            Some(len) if len != octets.len() => Err(EncodeError::WrongLength),
            Some(_) => Ok(Self { alg, octets }),
        }
    }

    /// The algorithm.
    #[must_use]
    pub const fn alg(&self) -> MacAlg {
        self.alg
    }

    /// The MAC: 0, 20 or 32 octets.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let before = *reader;
        let alg = MacAlg::from(reader.u8()?);
        let len = alg
            .mac_len()
            .ok_or_else(|| before.error(DecodeErrorKind::UnknownValue(alg.into())))?;
        Ok(Self {
            alg,
            octets: reader.take(len)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.octets.len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.alg));
        out.put_slice(self.octets);
    }
}
