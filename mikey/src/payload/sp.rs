use core::fmt;

use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError,
    code_points::ProtType,
    octets::Octets8,
    reader::Reader,
    sequence::{Element, Sequence},
};

/// One parameter of a Security Policy ([RFC 3830 §6.10]).
///
/// ```
/// use mikey::{code_points::SrtpParamType, payload::PolicyParam};
///
/// let tag = PolicyParam::new(SrtpParamType::AuthTagLen.into(), &[10])?;
/// assert_eq!((tag.param_type(), tag.value()), (11, &[10][..]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.10]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10
#[derive(Clone, Copy)]
pub struct PolicyParam<'a> {
    param_type: u8,
    value: Value<'a>,
}

/// Numbers are kept here, so that a policy can be made without a buffer.
#[derive(Clone, Copy)]
enum Value<'a> {
    Octets(Octets8<'a>),
    U8([u8; 1]),
    U16([u8; 2]),
    U32([u8; 4]),
    U64([u8; 8]),
}

impl<'a> PolicyParam<'a> {
    /// The parameter `param_type` of the security protocol with `value`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets.
    pub fn new(param_type: u8, value: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            param_type,
            value: Value::Octets(Octets8::new(value)?),
        })
    }

    pub(super) const fn from_u8(param_type: u8, value: u8) -> Self {
        Self {
            param_type,
            value: Value::U8([value]),
        }
    }

    pub(super) const fn from_u16(param_type: u8, value: u16) -> Self {
        Self {
            param_type,
            value: Value::U16(value.to_be_bytes()),
        }
    }

    pub(super) const fn from_u32(param_type: u8, value: u32) -> Self {
        Self {
            param_type,
            value: Value::U32(value.to_be_bytes()),
        }
    }

    pub(super) const fn from_u64(param_type: u8, value: u64) -> Self {
        Self {
            param_type,
            value: Value::U64(value.to_be_bytes()),
        }
    }

    /// The type, which the security protocol gives a meaning to.
    #[must_use]
    pub const fn param_type(&self) -> u8 {
        self.param_type
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &[u8] {
        match &self.value {
            Value::Octets(octets) => octets.get(),
            Value::U8(octets) => octets,
            Value::U16(octets) => octets,
            Value::U32(octets) => octets,
            Value::U64(octets) => octets,
        }
    }

    /// The value as a number of `N` octets.
    pub(super) fn number<const N: usize>(&self) -> Result<[u8; N], DecodeErrorKind> {
        self.value()
            .try_into()
            .map_err(|_| DecodeErrorKind::LengthMismatch)
    }
}

impl PartialEq for PolicyParam<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.param_type, self.value()) == (other.param_type, other.value())
    }
}

impl Eq for PolicyParam<'_> {}

impl fmt::Debug for PolicyParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyParam")
            .field("param_type", &self.param_type)
            .field("value", &self.value())
            .finish()
    }
}

impl<'a> Element<'a> for PolicyParam<'a> {
    #[inline]
    fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            param_type: reader.u8()?,
            value: Value::Octets(Octets8::parse(reader)?),
        })
    }

    fn encoded_len(&self) -> usize {
        2 + self.value().len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.param_type);
        match &self.value {
            Value::Octets(octets) => octets.encode(out),
            Value::U8(octets) => put(out, 1, octets),
            Value::U16(octets) => put(out, 2, octets),
            Value::U32(octets) => put(out, 4, octets),
            Value::U64(octets) => put(out, 8, octets),
        }
    }
}

fn put(out: &mut impl BufMut, len: u8, octets: &[u8]) {
    out.put_u8(len);
    out.put_slice(octets);
}

/// SP payload: a security policy, which crypto sessions refer to by its number ([RFC 3830 §6.10]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! Policy no     ! Prot type     ! Policy param  ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~ length (cont) ! Policy param                                  ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::ProtType, payload::{PolicyParam, SecurityPolicy}};
///
/// let params = [PolicyParam::new(0, &[1])?, PolicyParam::new(1, &[16])?];
/// let sp = SecurityPolicy::new(0, ProtType::Srtp, &params)?;
/// assert_eq!(sp.params().nth(1), Some(params[1]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.10]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SecurityPolicy<'a> {
    policy_no: u8,
    prot_type: ProtType,
    len: u16,
    params: Sequence<'a, PolicyParam<'a>>,
}

impl<'a> SecurityPolicy<'a> {
    /// The policy `policy_no` for `prot_type`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the parameters take more than 65535 octets together.
    pub fn new(
        policy_no: u8,
        prot_type: ProtType,
        params: &'a [PolicyParam<'a>],
    ) -> Result<Self, EncodeError> {
        let params = Sequence::Items(params);
        let len = u16::try_from(params.encoded_len()).map_err(|_| EncodeError::TooLong)?;
        Ok(Self {
            policy_no,
            prot_type,
            len,
            params,
        })
    }

    /// The number by which crypto sessions refer to it.
    #[must_use]
    pub const fn policy_no(&self) -> u8 {
        self.policy_no
    }

    /// The security protocol.
    #[must_use]
    pub const fn prot_type(&self) -> ProtType {
        self.prot_type
    }

    /// The parameters in order.
    pub fn params(&self) -> impl Iterator<Item = PolicyParam<'a>> + Clone + use<'a> {
        self.params.iter()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let policy_no = reader.u8()?;
        let prot_type = ProtType::from(reader.u8()?);
        let len = reader.u16()?;
        let params = Sequence::parse_all(reader.nested(len)?)?;
        Ok(Self {
            policy_no,
            prot_type,
            len,
            params,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        4 + usize::from(self.len)
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.policy_no);
        out.put_u8(u8::from(self.prot_type));
        out.put_u16(self.len);
        self.params.encode(out);
    }
}
