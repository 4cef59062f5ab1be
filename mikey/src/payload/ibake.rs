use core::fmt;

use bytes::BufMut;
use subtle::ConstantTimeEq;

use super::KeyValidity;
use crate::{
    DecodeError, DecodeErrorKind, EncodeError,
    code_points::{EccCurve, MacAlg, SkType},
    octets::Octets16,
    reader::Reader,
};

/// Octets of an IBAKE or ESK payload: something encrypted to an identity ([RFC 6267 §6.1.1],
/// [§6.1.2]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! Encr data len                 !  Encr data    ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// Decrypted, the Encr data is a [`Chain`](crate::Chain) of ID payloads with ECCPT or SK
/// sub-payloads.
///
/// ```
/// use mikey::payload::{IdentityEncrypted, Payload};
///
/// let esk = Payload::Esk(IdentityEncrypted::new(&[0x5a; 40])?);
/// assert_eq!(esk.encoded_len(), 43);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6267 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.1
/// [§6.1.2]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IdentityEncrypted<'a> {
    encr_data: Octets16<'a>,
}

impl<'a> IdentityEncrypted<'a> {
    /// Wraps `encr_data`, encrypted already.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(encr_data: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            encr_data: Octets16::new(encr_data)?,
        })
    }

    /// The encrypted sub-payloads.
    #[must_use]
    pub const fn encr_data(&self) -> &'a [u8] {
        self.encr_data.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            encr_data: Octets16::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        self.encr_data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.encr_data.encode(out);
    }
}

/// SK sub-payload: a secret key, within an ESK payload ([RFC 6267 §6.1.5]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload ! Type  ! KV    ! Key data len                  !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                         Key data                              ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                        KV data (optional)                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::payload::{KeyValidity, Sk};
///
/// let sk = Sk::new(&[7; 16], KeyValidity::NULL)?;
/// assert_eq!(sk.key(), [7; 16]);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6267 §6.1.5]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.5
#[derive(Clone, Copy)]
pub struct Sk<'a> {
    kind: SkType,
    key: Octets16<'a>,
    validity: KeyValidity<'a>,
}

impl<'a> Sk<'a> {
    /// The secret key `key`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(key: &'a [u8], validity: KeyValidity<'a>) -> Result<Self, EncodeError> {
        Ok(Self {
            kind: SkType::Sk,
            key: Octets16::new(key)?,
            validity,
        })
    }

    /// The type.
    #[must_use]
    pub const fn sk_type(&self) -> SkType {
        self.kind
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'a [u8] {
        self.key.get()
    }

    /// Which packets the key is for.
    #[must_use]
    pub const fn validity(&self) -> KeyValidity<'a> {
        self.validity
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let type_and_kv = reader.u8()?;
        let kind = SkType::from(type_and_kv >> 4);
        let key = Octets16::parse(reader)?;
        let validity = KeyValidity::parse(reader, type_and_kv & 0x0f)?;
        Ok(Self {
            kind,
            key,
            validity,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.key.encoded_len() + self.validity.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.kind) << 4 | u8::from(self.validity.kv_type()));
        self.key.encode(out);
        self.validity.encode(out);
    }
}

impl PartialEq for Sk<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.validity == other.validity
            && bool::from(self.key().ct_eq(other.key()))
    }
}

impl Eq for Sk<'_> {}

impl fmt::Debug for Sk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sk")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// ECCPT sub-payload: a public value on an elliptic curve, within an IBAKE payload
/// ([RFC 6267 §6.1.4]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! ECC Curve     ! ECC Point                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Auth alg      ! TGK len                       ! Reserv! KV    !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! KV data (optional)                                            ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// The point is in octet string form, whose first octet tells whether it is compressed; padding
/// lets it end on a boundary of 32 bits from the start of the sub-payload.
///
/// ```
/// use mikey::{code_points::EccCurve, payload::{Eccpt, KeyValidity, Payload}};
///
/// let point = [&[4][..], &[0x5a; 64]].concat();
/// let eccpt = Eccpt::new(EccCurve::P256, &point, KeyValidity::NULL)?;
/// assert_eq!(eccpt.point(), point);
/// assert_eq!(Payload::Eccpt(eccpt).encoded_len(), 2 + 65 + 1 + 4);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6267 §6.1.4]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Eccpt<'a> {
    curve: EccCurve,
    point: &'a [u8],
    padding: &'a [u8],
    auth_alg: MacAlg,
    tgk_len: u16,
    /// In the high bits, as it came.
    reserved: u8,
    validity: KeyValidity<'a>,
}

impl<'a> Eccpt<'a> {
    /// The public value `point` of `curve`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a curve without a name here, [`EncodeError::WrongLength`] if
    /// `point` is not a point of it in octet string form.
    pub fn new(
        curve: EccCurve,
        point: &'a [u8],
        validity: KeyValidity<'a>,
    ) -> Result<Self, EncodeError> {
        let coordinate = curve
            .coordinate_len()
            .ok_or(EncodeError::Value(curve.into()))?;
        if point.first().and_then(|form| point_len(*form, coordinate)) != Some(point.len()) {
            return Err(EncodeError::WrongLength);
        }
        Ok(Self {
            curve,
            point,
            padding: padding(point.len()),
            auth_alg: MacAlg::Null,
            tgk_len: 0,
            reserved: 0,
            validity,
        })
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> EccCurve {
        self.curve
    }

    /// The point, without padding. It is not checked to lie on the curve.
    #[must_use]
    pub const fn point(&self) -> &'a [u8] {
        self.point
    }

    /// Which packets the TGK will be for.
    #[must_use]
    pub const fn validity(&self) -> KeyValidity<'a> {
        self.validity
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let before = *reader;
        let curve = EccCurve::from(reader.u8()?);
        let coordinate = curve
            .coordinate_len()
            .ok_or_else(|| before.error(DecodeErrorKind::UnknownValue(curve.into())))?;
        let start = *reader;
        let form = reader.u8()?;
        let len = point_len(form, coordinate)
            .ok_or_else(|| start.error(DecodeErrorKind::UnknownValue(form)))?;
        *reader = start;
        let point = reader.take(len)?;
        let padding = reader.take(padding(len).len())?;
        let auth_alg = MacAlg::from(reader.u8()?);
        let tgk_len = reader.u16()?;
        let reserved_and_kv = reader.u8()?;
        let validity = KeyValidity::parse(reader, reserved_and_kv & 0x0f)?;
        let reserved = reserved_and_kv & 0xf0;
        Ok(Self {
            curve,
            point,
            padding,
            auth_alg,
            tgk_len,
            reserved,
            validity,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.point.len() + self.padding.len() + 4 + self.validity.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.curve));
        out.put_slice(self.point);
        out.put_slice(self.padding);
        out.put_u8(u8::from(self.auth_alg));
        out.put_u16(self.tgk_len);
        out.put_u8(self.reserved | u8::from(self.validity.kv_type()));
        self.validity.encode(out);
    }
}

/// Octets of a point whose octet string begins with `form`.
const fn point_len(form: u8, coordinate: usize) -> Option<usize> {
    match form {
        2 | 3 => Some(1 + coordinate),
        4 | 6 | 7 => Some(1 + 2 * coordinate),
        _ => None,
    }
}

/// Zeroes up to a boundary of 32 bits: Next payload and ECC Curve stand before the point.
const fn padding(point_len: usize) -> &'static [u8] {
    match (2 + point_len) % 4 {
        1 => &[0; 3],
        2 => &[0; 2],
        3 => &[0; 1],
        _ => &[],
    }
}
