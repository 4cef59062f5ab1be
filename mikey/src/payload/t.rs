use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind,
    code_points::{TsRole, TsType},
    reader::Reader,
};

/// T payload: a timestamp ([RFC 3830 §6.6], [RFC 6043 §6.3]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !   TS type     ! TS value                      ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::payload::TsValue;
///
/// // A counter is filled up with zeroes on the left, whole seconds with a fraction of zero.
/// assert_eq!(TsValue::Counter(7).to_u64(), 7);
/// assert_eq!(TsValue::NtpUtc32(7).to_u64(), 7 << 32);
/// ```
///
/// [RFC 3830 §6.6]: https://www.rfc-editor.org/rfc/rfc3830#section-6.6
/// [RFC 6043 §6.3]: https://www.rfc-editor.org/rfc/rfc6043#section-6.3
#[allow(
    clippy::exhaustive_enums,
    reason = "a further type would be a change of every exchange"
)]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TsValue {
    /// NTP timestamp in UTC: seconds since 1900 in 32 bits, their fraction in 32.
    NtpUtc(u64),
    /// NTP timestamp by the peers' own time.
    Ntp(u64),
    /// A counter that only rises.
    Counter(u32),
    /// Seconds since 1900, in UTC.
    NtpUtc32(u32),
}

impl TsValue {
    /// The type.
    #[must_use]
    pub const fn ts_type(self) -> TsType {
        match self {
            Self::NtpUtc(_) => TsType::NtpUtc,
            Self::Ntp(_) => TsType::Ntp,
            Self::Counter(_) => TsType::Counter,
            Self::NtpUtc32(_) => TsType::NtpUtc32,
        }
    }

    /// The value as derivations and IVs take it: 64 bits, a counter filled up on the left
    /// ([RFC 3830 §6.6]), seconds on the right ([RFC 6043 §6.3]).
    ///
    /// [RFC 3830 §6.6]: https://www.rfc-editor.org/rfc/rfc3830#section-6.6
    /// [RFC 6043 §6.3]: https://www.rfc-editor.org/rfc/rfc6043#section-6.3
    #[must_use]
    pub fn to_u64(self) -> u64 {
        match self {
            Self::NtpUtc(value) | Self::Ntp(value) => value,
            Self::Counter(value) => u64::from(value),
            Self::NtpUtc32(value) => u64::from(value) << 32,
        }
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = *reader;
        match TsType::from(reader.u8()?) {
            TsType::NtpUtc => reader.u64().map(Self::NtpUtc),
            TsType::Ntp => reader.u64().map(Self::Ntp),
            TsType::Counter => reader.u32().map(Self::Counter),
            TsType::NtpUtc32 => reader.u32().map(Self::NtpUtc32),
            TsType::Unknown(ts_type) => Err(before.error(DecodeErrorKind::UnknownValue(ts_type))),
        }
    }

    pub(super) const fn encoded_len(self) -> usize {
        match self {
            Self::NtpUtc(_) | Self::Ntp(_) => 9,
            Self::Counter(_) | Self::NtpUtc32(_) => 5,
        }
    }

    pub(super) fn encode(self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.ts_type()));
        match self {
            Self::NtpUtc(value) | Self::Ntp(value) => out.put_u64(value),
            Self::Counter(value) | Self::NtpUtc32(value) => out.put_u32(value),
        }
    }
}

/// TR payload: a timestamp, with the role of what it is the time of ([RFC 6043 §6.4]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !    TS Role    !    TS type    !   TS value    ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::TsRole, payload::{Tr, TsValue}};
///
/// // New keys every hour.
/// let trr = Tr { role: TsRole::Rekeying, value: TsValue::NtpUtc32(3600) };
/// assert_eq!(trr.role, TsRole::Rekeying);
/// ```
///
/// [RFC 6043 §6.4]: https://www.rfc-editor.org/rfc/rfc6043#section-6.4
#[allow(
    clippy::exhaustive_structs,
    reason = "the payload has these fields and no others"
)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tr {
    /// What it is the time of.
    pub role: TsRole,
    /// The time.
    pub value: TsValue,
}

impl Tr {
    #[inline]
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            role: TsRole::from(reader.u8()?),
            value: TsValue::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(self) -> usize {
        1 + self.value.encoded_len()
    }

    pub(super) fn encode(self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.role));
        self.value.encode(out);
    }
}
