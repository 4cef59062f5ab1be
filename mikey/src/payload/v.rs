use bytes::BufMut;

use super::Mac;
use crate::{DecodeError, reader::Reader};

/// V payload: the verification message ([RFC 3830 §6.9]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  ! Auth alg      ! Ver data                      ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::MacAlg, payload::{Mac, Verification}};
///
/// let v = Verification::new(Mac::new(MacAlg::HmacSha256_256, &[0; 32])?);
/// assert_eq!(v.mac().alg(), MacAlg::HmacSha256_256);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.9]: https://www.rfc-editor.org/rfc/rfc3830#section-6.9
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verification<'a> {
    mac: Mac<'a>,
}

impl<'a> Verification<'a> {
    /// Wraps `mac`.
    #[must_use]
    pub const fn new(mac: Mac<'a>) -> Self {
        Self { mac }
    }

    /// The MAC.
    #[must_use]
    pub const fn mac(&self) -> Mac<'a> {
        self.mac
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            mac: Mac::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        self.mac.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.mac.encode(out);
    }
}
