use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError, code_points::KvType, octets::Octets8, reader::Reader,
};

/// Key validity data: which packets a key is for ([RFC 3830 §6.14]).
///
/// Made with [`from_spi`](Self::from_spi) or [`from_interval`](Self::from_interval); in SRTP an SPI is the
/// MKI, and each end of an interval a packet index of 6 octets.
///
/// ```
/// use mikey::payload::KeyValidity;
///
/// let kv = KeyValidity::from_spi(&[0, 0, 0, 0x2f])?;
/// assert_eq!(kv.spi(), Some(&[0, 0, 0, 0x2f][..]));
///
/// let kv = KeyValidity::from_interval(&[0; 6], &[0xff; 6])?;
/// assert_eq!(kv.interval(), Some((&[0; 6][..], &[0xff; 6][..])));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.14]: https://www.rfc-editor.org/rfc/rfc3830#section-6.14
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyValidity<'a> {
    repr: Repr<'a>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Repr<'a> {
    Null,
    Spi(Octets8<'a>),
    Interval { from: Octets8<'a>, to: Octets8<'a> },
}

impl<'a> KeyValidity<'a> {
    /// No rule: the key is for any SPI and any packet.
    pub const NULL: Self = Self { repr: Repr::Null };

    /// The key is for packets that carry `spi`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets.
    pub fn from_spi(spi: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            repr: Repr::Spi(Octets8::new(spi)?),
        })
    }

    /// The key is for what lies between `from` and `to`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets of either.
    pub fn from_interval(from: &'a [u8], to: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            repr: Repr::Interval {
                from: Octets8::new(from)?,
                to: Octets8::new(to)?,
            },
        })
    }

    /// The type.
    #[must_use]
    pub const fn kv_type(&self) -> KvType {
        match self.repr {
            Repr::Null => KvType::Null,
            Repr::Spi(_) => KvType::Spi,
            Repr::Interval { .. } => KvType::Interval,
        }
    }

    /// The SPI or MKI, if that is how the key is named.
    #[must_use]
    pub const fn spi(&self) -> Option<&'a [u8]> {
        match self.repr {
            Repr::Spi(spi) => Some(spi.get()),
            _ => None,
        }
    }

    /// Valid From and Valid To, if that is how the key is bounded.
    #[must_use]
    pub const fn interval(&self) -> Option<(&'a [u8], &'a [u8])> {
        match self.repr {
            Repr::Interval { from, to } => Some((from.get(), to.get())),
            _ => None,
        }
    }

    /// Reads what a KV field of type `kv` announced.
    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>, kv: u8) -> Result<Self, DecodeError> {
        let repr = match KvType::from(kv) {
            KvType::Null => Repr::Null,
            KvType::Spi => Repr::Spi(Octets8::parse(reader)?),
            KvType::Interval => Repr::Interval {
                from: Octets8::parse(reader)?,
                to: Octets8::parse(reader)?,
            },
            KvType::Unknown(kv) => {
                return Err(reader.error(DecodeErrorKind::UnknownValue(kv)));
            }
        };
        Ok(Self { repr })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        match &self.repr {
            Repr::Null => 0,
            Repr::Spi(spi) => spi.encoded_len(),
            Repr::Interval { from, to } => from.encoded_len() + to.encoded_len(),
        }
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        match &self.repr {
            Repr::Null => {}
            Repr::Spi(spi) => spi.encode(out),
            Repr::Interval { from, to } => {
                from.encode(out);
                to.encode(out);
            }
        }
    }
}
