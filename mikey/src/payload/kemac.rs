use core::fmt;

use bytes::BufMut;
use subtle::ConstantTimeEq;

use super::Mac;
use crate::{DecodeError, EncodeError, code_points::EncrAlg, octets::Octets16, reader::Reader};

/// KEMAC payload: encrypted keys ([RFC 3830 §6.2]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! Encr alg      ! Encr data len                 !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                        Encr data                              ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Mac alg       !        MAC                                    ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// Decrypted, the Encr data is a [`Chain`](crate::Chain); under NULL it is one as it stands.
///
/// ```
/// use mikey::{code_points::EncrAlg, payload::{Kemac, Mac}};
///
/// let kemac = Kemac::new(EncrAlg::AesCm128, &[0x5a; 20], Mac::NULL)?;
/// assert_eq!(kemac.encr_data().len(), 20);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
#[derive(Clone, Copy)]
pub struct Kemac<'a> {
    encr_alg: EncrAlg,
    encr_data: Octets16<'a>,
    mac: Mac<'a>,
}

impl<'a> Kemac<'a> {
    /// Wraps `encr_data`, encrypted by `encr_alg` already.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets of `encr_data`.
    pub fn new(encr_alg: EncrAlg, encr_data: &'a [u8], mac: Mac<'a>) -> Result<Self, EncodeError> {
        Ok(Self {
            encr_alg,
            encr_data: Octets16::new(encr_data)?,
            mac,
        })
    }

    /// The encryption algorithm.
    #[must_use]
    pub const fn encr_alg(&self) -> EncrAlg {
        self.encr_alg
    }

    /// The encrypted sub-payloads. Under NULL these are keys in the clear.
    #[must_use]
    pub const fn encr_data(&self) -> &'a [u8] {
        self.encr_data.get()
    }

    /// The MAC.
    #[must_use]
    pub const fn mac(&self) -> Mac<'a> {
        self.mac
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            encr_alg: EncrAlg::from(reader.u8()?),
            encr_data: Octets16::parse(reader)?,
            mac: Mac::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.encr_data.encoded_len() + self.mac.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.encr_alg));
        self.encr_data.encode(out);
        self.mac.encode(out);
    }
}

/// Encr data may be keys in the clear, so it is compared in constant time.
impl PartialEq for Kemac<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.encr_alg == other.encr_alg
            && self.mac == other.mac
            && bool::from(self.encr_data().ct_eq(other.encr_data()))
    }
}

impl Eq for Kemac<'_> {}

/// Encr data may be keys in the clear, so it is not printed.
impl fmt::Debug for Kemac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kemac")
            .field("encr_alg", &self.encr_alg)
            .field("mac", &self.mac)
            .finish_non_exhaustive()
    }
}
