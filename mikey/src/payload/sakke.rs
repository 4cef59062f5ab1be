use bytes::BufMut;

use crate::{
    DecodeError, EncodeError,
    code_points::{SakkeIdScheme, SakkeParams},
    octets::Octets16,
    reader::Reader,
};

/// SAKKE payload: a TGK encapsulated to an identity ([RFC 6509 §4]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! SAKKE params  !   ID scheme   !  SAKKE data
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   length        !                  SAKKE data                   ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::{SakkeIdScheme, SakkeParams}, payload::Sakke};
///
/// let sakke = Sakke::new(SakkeParams::ParameterSet1, SakkeIdScheme::TelUriMonthly, &[4; 273])?;
/// assert_eq!(sakke.data().len(), 273);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6509 §4]: https://www.rfc-editor.org/rfc/rfc6509#section-4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sakke<'a> {
    params: SakkeParams,
    id_scheme: SakkeIdScheme,
    data: Octets16<'a>,
}

impl<'a> Sakke<'a> {
    /// Wraps `data`, the encapsulated key as RFC 6508 encodes it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(
        params: SakkeParams,
        id_scheme: SakkeIdScheme,
        data: &'a [u8],
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            params,
            id_scheme,
            data: Octets16::new(data)?,
        })
    }

    /// The parameter set.
    #[must_use]
    pub const fn params(&self) -> SakkeParams {
        self.params
    }

    /// How the identity is formed.
    #[must_use]
    pub const fn id_scheme(&self) -> SakkeIdScheme {
        self.id_scheme
    }

    /// The encapsulated key.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            params: SakkeParams::from(reader.u8()?),
            id_scheme: SakkeIdScheme::from(reader.u8()?),
            data: Octets16::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        2 + self.data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.params));
        out.put_u8(u8::from(self.id_scheme));
        self.data.encode(out);
    }
}
