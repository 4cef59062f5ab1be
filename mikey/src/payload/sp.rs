use bytes::BufMut;

use crate::{
    DecodeError, EncodeError,
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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PolicyParam<'a> {
    param_type: u8,
    value: Octets8<'a>,
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
            value: Octets8::new(value)?,
        })
    }

    /// The type, which the security protocol gives a meaning to.
    #[must_use]
    pub const fn param_type(&self) -> u8 {
        self.param_type
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value.get()
    }
}

impl<'a> Element<'a> for PolicyParam<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            param_type: reader.u8()?,
            value: Octets8::parse(reader)?,
        })
    }

    fn encoded_len(&self) -> usize {
        1 + self.value.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.param_type);
        self.value.encode(out);
    }
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
