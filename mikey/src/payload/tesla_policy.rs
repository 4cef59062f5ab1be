use alloc::vec::Vec;

use super::{PolicyParam, SecurityPolicy, srtp_policy::once};
use crate::{
    DecodeErrorKind,
    code_points::{ProtType, TeslaParamType},
};

/// The TESLA policy of an SP payload, in its parameters ([RFC 4442 §4.1]).
///
/// What is `None` was not given, and TESLA's own default holds. Times are NTP-UTC timestamps,
/// durations milliseconds.
///
/// ```
/// use mikey::{code_points::ProtType, payload::{SecurityPolicy, TeslaPolicy}};
///
/// let policy = TeslaPolicy { interval: Some(100), disclosure_delay: Some(2), ..Default::default() };
/// let params = policy.params();
/// let sp = SecurityPolicy::new(1, ProtType::Tesla, &params)?;
/// assert_eq!(TeslaPolicy::of(&sp), Ok(policy));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 4442 §4.1]: https://www.rfc-editor.org/rfc/rfc4442#section-4.1
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TeslaPolicy {
    /// 1: the PRF; 0 is HMAC-SHA-1.
    pub prf: Option<u8>,
    /// 2: bits of the PRF f' output.
    pub prf_len: Option<u8>,
    /// 3: the MAC; 0 is HMAC-SHA-1.
    pub mac_alg: Option<u8>,
    /// 4: bits of the MAC.
    pub mac_len: Option<u8>,
    /// 5: when the session begins.
    pub session_start: Option<u64>,
    /// 6: how long an interval lasts.
    pub interval: Option<u32>,
    /// 7: how many intervals later a key is disclosed.
    pub disclosure_delay: Option<u16>,
    /// 8: how many intervals the key chain lasts.
    pub chain_len: Option<u32>,
    /// 9: the receiver's own time.
    pub local_timestamp: Option<u64>,
}

impl TeslaPolicy {
    /// Reads the parameters of an SP payload for TESLA.
    ///
    /// Numbers may come in fewer or more octets than are sent here, as RFC 4442 leaves their
    /// lengths open, but must fit.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnknownValue`] for another security protocol or a parameter type without
    /// a name here, [`DecodeErrorKind::LengthMismatch`] for a value that does not fit,
    /// [`DecodeErrorKind::Grammar`] for a parameter that is given twice.
    pub fn of(sp: &SecurityPolicy<'_>) -> Result<Self, DecodeErrorKind> {
        if sp.prot_type() != ProtType::Tesla {
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
        use TeslaParamType as Type;
        [
            self.prf
                .map(|value| PolicyParam::from_u8(Type::Prf.into(), value)),
            self.prf_len
                .map(|value| PolicyParam::from_u8(Type::PrfLen.into(), value)),
            self.mac_alg
                .map(|value| PolicyParam::from_u8(Type::MacAlg.into(), value)),
            self.mac_len
                .map(|value| PolicyParam::from_u8(Type::MacLen.into(), value)),
            self.session_start
                .map(|time| PolicyParam::from_u64(Type::SessionStart.into(), time)),
            self.interval
                .map(|value| PolicyParam::from_u32(Type::Interval.into(), value)),
            self.disclosure_delay
                .map(|value| PolicyParam::from_u16(Type::DisclosureDelay.into(), value)),
            self.chain_len
                .map(|value| PolicyParam::from_u32(Type::ChainLen.into(), value)),
            self.local_timestamp
                .map(|time| PolicyParam::from_u64(Type::LocalTimestamp.into(), time)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn set(&mut self, param: &PolicyParam<'_>) -> Result<(), DecodeErrorKind> {
        use TeslaParamType as Type;
        match Type::from(param.param_type()) {
            Type::Prf => once(&mut self.prf, fitting(param)?),
            Type::PrfLen => once(&mut self.prf_len, fitting(param)?),
            Type::MacAlg => once(&mut self.mac_alg, fitting(param)?),
            Type::MacLen => once(&mut self.mac_len, fitting(param)?),
            Type::SessionStart => {
                once(&mut self.session_start, u64::from_be_bytes(param.number()?))
            }
            Type::Interval => once(&mut self.interval, fitting(param)?),
            Type::DisclosureDelay => once(&mut self.disclosure_delay, fitting(param)?),
            Type::ChainLen => once(&mut self.chain_len, fitting(param)?),
            Type::LocalTimestamp => once(
                &mut self.local_timestamp,
                u64::from_be_bytes(param.number()?),
            ),
            Type::Unknown(param_type) => Err(DecodeErrorKind::UnknownValue(param_type)),
        }
    }
}

/// A number of one to eight octets.
fn fitting<T: TryFrom<u64>>(param: &PolicyParam<'_>) -> Result<T, DecodeErrorKind> {
    let octets = param.value();
    if octets.is_empty() || octets.len() > 8 {
        return Err(DecodeErrorKind::LengthMismatch);
    }
    let value = octets
        .iter()
        .fold(0, |value, octet| value << 8 | u64::from(*octet));
    T::try_from(value).map_err(|_| DecodeErrorKind::LengthMismatch)
}
