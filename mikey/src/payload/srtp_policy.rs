use alloc::vec::Vec;

use super::{PolicyParam, SecurityPolicy};
use crate::{
    DecodeErrorKind,
    code_points::{FecOrder, ProtType, SrtpAuthAlg, SrtpEncrAlg, SrtpParamType, SrtpPrf},
};

/// The SRTP policy of an SP payload, in its parameters ([RFC 3830 §6.10.1], 4771, 7714).
///
/// What is `None` was not given, and SRTP's own default holds. Lengths are in octets.
///
/// ```
/// use mikey::{code_points::SrtpEncrAlg, payload::{SecurityPolicy, SrtpPolicy}};
///
/// let policy = SrtpPolicy {
///     encr_alg: Some(SrtpEncrAlg::AesGcm),
///     encr_key_len: Some(32),
///     aead_auth_tag_len: Some(16),
///     ..SrtpPolicy::default()
/// };
/// let params = policy.params();
/// let sp = SecurityPolicy::new(0, mikey::code_points::ProtType::Srtp, &params)?;
/// assert_eq!(SrtpPolicy::of(&sp), Ok(policy));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SrtpPolicy {
    /// 0: encryption algorithm.
    pub encr_alg: Option<SrtpEncrAlg>,
    /// 1: session encryption key length, and that of the master key.
    pub encr_key_len: Option<u8>,
    /// 2: authentication algorithm.
    pub auth_alg: Option<SrtpAuthAlg>,
    /// 3: session authentication key length.
    pub auth_key_len: Option<u8>,
    /// 4: session salt key length.
    pub salt_key_len: Option<u8>,
    /// 5: key derivation function.
    pub prf: Option<SrtpPrf>,
    /// 6: key derivation rate, as the exponent or number that the peers agree on.
    pub key_derivation_rate: Option<u8>,
    /// 7: whether SRTP is encrypted.
    pub srtp_encr: Option<bool>,
    /// 8: whether SRTCP is encrypted.
    pub srtcp_encr: Option<bool>,
    /// 9: the sender's order of FEC and SRTP.
    pub fec_order: Option<FecOrder>,
    /// 10: whether SRTP is authenticated.
    pub srtp_auth: Option<bool>,
    /// 11: authentication tag length.
    pub auth_tag_len: Option<u8>,
    /// 12: SRTP prefix length.
    pub prefix_len: Option<u8>,
    /// 13: ROC transmission rate, in packets ([RFC 4771]).
    ///
    /// [RFC 4771]: https://www.rfc-editor.org/rfc/rfc4771
    pub roc_rate: Option<u16>,
    /// 14: authentication algorithm of SRTP alone.
    pub srtp_auth_alg: Option<SrtpAuthAlg>,
    /// 15: authentication algorithm of SRTCP alone.
    pub srtcp_auth_alg: Option<SrtpAuthAlg>,
    /// 16: session authentication key length of SRTP alone.
    pub srtp_auth_key_len: Option<u8>,
    /// 17: session authentication key length of SRTCP alone.
    pub srtcp_auth_key_len: Option<u8>,
    /// 18: authentication tag length of SRTP alone.
    pub srtp_auth_tag_len: Option<u8>,
    /// 19: authentication tag length of SRTCP alone.
    pub srtcp_auth_tag_len: Option<u8>,
    /// 20: AEAD authentication tag length.
    pub aead_auth_tag_len: Option<u8>,
}

impl SrtpPolicy {
    /// Reads the parameters of an SP payload for SRTP.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnknownValue`] for another security protocol, a parameter type without a
    /// name here, or an off/on that is neither 0 nor 1; [`DecodeErrorKind::LengthMismatch`] for a
    /// value that does not have the length of its type; [`DecodeErrorKind::Grammar`] for a
    /// parameter that is given twice.
    pub fn of(sp: &SecurityPolicy<'_>) -> Result<Self, DecodeErrorKind> {
        if sp.prot_type() != ProtType::Srtp {
            return Err(DecodeErrorKind::UnknownValue(sp.prot_type().into()));
        }
        let mut policy = Self::default();
        for param in sp.params() {
            policy.set(&param)?;
        }
        Ok(policy)
    }

    /// The parameters that are given, in the order of types: what [`SecurityPolicy::new`] takes.
    #[must_use]
    pub fn params(&self) -> Vec<PolicyParam<'static>> {
        use SrtpParamType as Type;
        let octets = [
            (Type::EncrAlg, self.encr_alg.map(u8::from)),
            (Type::EncrKeyLen, self.encr_key_len),
            (Type::AuthAlg, self.auth_alg.map(u8::from)),
            (Type::AuthKeyLen, self.auth_key_len),
            (Type::SaltKeyLen, self.salt_key_len),
            (Type::Prf, self.prf.map(u8::from)),
            (Type::KeyDerivationRate, self.key_derivation_rate),
            (Type::SrtpEncr, self.srtp_encr.map(u8::from)),
            (Type::SrtcpEncr, self.srtcp_encr.map(u8::from)),
            (Type::FecOrder, self.fec_order.map(u8::from)),
            (Type::SrtpAuth, self.srtp_auth.map(u8::from)),
            (Type::AuthTagLen, self.auth_tag_len),
            (Type::PrefixLen, self.prefix_len),
            (Type::SrtpAuthAlg, self.srtp_auth_alg.map(u8::from)),
            (Type::SrtcpAuthAlg, self.srtcp_auth_alg.map(u8::from)),
            (Type::SrtpAuthKeyLen, self.srtp_auth_key_len),
            (Type::SrtcpAuthKeyLen, self.srtcp_auth_key_len),
            (Type::SrtpAuthTagLen, self.srtp_auth_tag_len),
            (Type::SrtcpAuthTagLen, self.srtcp_auth_tag_len),
            (Type::AeadAuthTagLen, self.aead_auth_tag_len),
        ];
        let octets = octets.into_iter().filter_map(|(param_type, value)| {
            Some(PolicyParam::from_u8(param_type.into(), value?))
        });
        let rate = self
            .roc_rate
            .map(|rate| PolicyParam::from_u16(Type::RocRate.into(), rate));
        let mut params: Vec<_> = octets.chain(rate).collect();
        params.sort_by_key(PolicyParam::param_type);
        params
    }

    fn set(&mut self, param: &PolicyParam<'_>) -> Result<(), DecodeErrorKind> {
        use SrtpParamType as Type;
        match Type::from(param.param_type()) {
            Type::EncrAlg => once(&mut self.encr_alg, octet(param)?.into()),
            Type::EncrKeyLen => once(&mut self.encr_key_len, octet(param)?),
            Type::AuthAlg => once(&mut self.auth_alg, octet(param)?.into()),
            Type::AuthKeyLen => once(&mut self.auth_key_len, octet(param)?),
            Type::SaltKeyLen => once(&mut self.salt_key_len, octet(param)?),
            Type::Prf => once(&mut self.prf, octet(param)?.into()),
            Type::KeyDerivationRate => once(&mut self.key_derivation_rate, octet(param)?),
            Type::SrtpEncr => once(&mut self.srtp_encr, on_off(param)?),
            Type::SrtcpEncr => once(&mut self.srtcp_encr, on_off(param)?),
            Type::FecOrder => once(&mut self.fec_order, octet(param)?.into()),
            Type::SrtpAuth => once(&mut self.srtp_auth, on_off(param)?),
            Type::AuthTagLen => once(&mut self.auth_tag_len, octet(param)?),
            Type::PrefixLen => once(&mut self.prefix_len, octet(param)?),
            Type::RocRate => once(&mut self.roc_rate, u16::from_be_bytes(param.number()?)),
            Type::SrtpAuthAlg => once(&mut self.srtp_auth_alg, octet(param)?.into()),
            Type::SrtcpAuthAlg => once(&mut self.srtcp_auth_alg, octet(param)?.into()),
            Type::SrtpAuthKeyLen => once(&mut self.srtp_auth_key_len, octet(param)?),
            Type::SrtcpAuthKeyLen => once(&mut self.srtcp_auth_key_len, octet(param)?),
            Type::SrtpAuthTagLen => once(&mut self.srtp_auth_tag_len, octet(param)?),
            Type::SrtcpAuthTagLen => once(&mut self.srtcp_auth_tag_len, octet(param)?),
            Type::AeadAuthTagLen => once(&mut self.aead_auth_tag_len, octet(param)?),
            Type::Unknown(param_type) => Err(DecodeErrorKind::UnknownValue(param_type)),
        }
    }
}

fn octet(param: &PolicyParam<'_>) -> Result<u8, DecodeErrorKind> {
    param.number().map(u8::from_be_bytes)
}

fn on_off(param: &PolicyParam<'_>) -> Result<bool, DecodeErrorKind> {
    match octet(param)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeErrorKind::UnknownValue(other)),
    }
}

/// A second value for the same parameter leaves open which one is meant.
pub(super) fn once<T>(field: &mut Option<T>, value: T) -> Result<(), DecodeErrorKind> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeErrorKind::Grammar),
    }
}
