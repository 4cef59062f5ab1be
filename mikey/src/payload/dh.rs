use bytes::BufMut;

use super::KeyValidity;
use crate::{DecodeError, DecodeErrorKind, EncodeError, code_points::DhGroup, reader::Reader};

/// DH payload: a public Diffie-Hellman value ([RFC 3830 §6.4]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload ! DH-Group      !  DH-value                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Reserv! KV    ! KV data (optional)                            ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::DhGroup, payload::{Dh, KeyValidity}};
///
/// let dh = Dh::new(DhGroup::Oakley5, &[1; 192], KeyValidity::NULL)?;
/// assert_eq!(dh.value().len(), 192);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.4]: https://www.rfc-editor.org/rfc/rfc3830#section-6.4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dh<'a> {
    group: DhGroup,
    value: &'a [u8],
    /// In the high bits, as it came.
    reserved: u8,
    validity: KeyValidity<'a>,
}

impl<'a> Dh<'a> {
    /// The public `value` of `group`, for a TGK that `validity` will hold for.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a group without a name here, [`EncodeError::WrongLength`] if
    /// `value` does not have the length of the group, leading zeroes included.
    pub fn new(
        group: DhGroup,
        value: &'a [u8],
        validity: KeyValidity<'a>,
    ) -> Result<Self, EncodeError> {
        match group.value_len() {
            None => Err(EncodeError::Value(group.into())),
            Some(len) if len != value.len() => Err(EncodeError::WrongLength),
            Some(_) => Ok(Self {
                group,
                value,
                reserved: 0,
                validity,
            }),
        }
    }

    /// The group.
    #[must_use]
    pub const fn group(&self) -> DhGroup {
        self.group
    }

    /// The public value. It is not checked to be one of the group.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Which packets the TGK will be for.
    #[must_use]
    pub const fn validity(&self) -> KeyValidity<'a> {
        self.validity
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let before = *reader;
        let group = DhGroup::from(reader.u8()?);
        let len = group
            .value_len()
            .ok_or_else(|| before.error(DecodeErrorKind::UnknownValue(group.into())))?;
        let value = reader.take(len)?;
        let reserved_and_kv = reader.u8()?;
        let validity = KeyValidity::parse(reader, reserved_and_kv & 0x0f)?;
        Ok(Self {
            group,
            value,
            reserved: reserved_and_kv & 0xf0,
            validity,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        2 + self.value.len() + self.validity.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.group));
        out.put_slice(self.value);
        out.put_u8(self.reserved | u8::from(self.validity.kv_type()));
        self.validity.encode(out);
    }
}
