use crate::payload::TsValue;

/// Seconds from the NTP epoch, 1 January 1900, to the Unix epoch.
const UNIX_EPOCH: u64 = 2_208_988_800;

/// A moment in UTC, as fine as an NTP timestamp, without its wrap-around every 136 years
/// ([RFC 3830 §4.2.8]).
///
/// The caller's clock makes it; what a message carries is read next to it, so that the eras of NTP
/// cannot be confused as long as the clocks differ by less than 68 years.
///
/// ```
/// use mikey::Timestamp;
///
/// // One second before and one after the first era of NTP ends, in February 2036.
/// let before = Timestamp::from_unix(2_085_978_495, 0);
/// let after = Timestamp::from_unix(2_085_978_497, 500_000_000);
/// assert_eq!(before.ntp()[..4], [0xff, 0xff, 0xff, 0xff]);
/// assert_eq!(after.ntp(), [0, 0, 0, 1, 0x80, 0, 0, 0]);
/// assert_eq!(Timestamp::from_ntp(after.ntp(), before), after);
/// ```
///
/// [RFC 3830 §4.2.8]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.8
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    /// Since 1900.
    seconds: u64,
    fraction: u32,
}

impl Timestamp {
    /// The moment `seconds` and `nanoseconds` after the Unix epoch.
    #[must_use]
    pub fn from_unix(seconds: u64, nanoseconds: u32) -> Self {
        let fraction = (u64::from(nanoseconds) << 32) / 1_000_000_000;
        Self {
            seconds: seconds
                .saturating_add(UNIX_EPOCH)
                .saturating_add(fraction >> 32),
            fraction: u32::try_from(fraction & 0xffff_ffff).unwrap_or(u32::MAX),
        }
    }

    /// The moment of a 64-bit NTP timestamp, in the era that brings it nearest to `near`.
    #[must_use]
    pub fn from_ntp(ntp: [u8; 8], near: Self) -> Self {
        let ntp = u64::from_be_bytes(ntp);
        let fraction = u32::try_from(ntp & 0xffff_ffff).unwrap_or(u32::MAX);
        let half_era = 1_u64 << 31;
        // The only second within half an era that has these low 32 bits.
        let lowest = near.seconds.saturating_sub(half_era);
        let ahead = (ntp >> 32).wrapping_sub(lowest) & 0xffff_ffff;
        Self {
            seconds: lowest.saturating_add(ahead),
            fraction,
        }
    }

    /// The 64-bit NTP timestamp.
    #[must_use]
    pub fn ntp(self) -> [u8; 8] {
        ((self.seconds << 32) | u64::from(self.fraction)).to_be_bytes()
    }

    /// Whole seconds after the Unix epoch; 0 for an earlier moment.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.seconds.saturating_sub(UNIX_EPOCH)
    }

    /// The moment `seconds` later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self {
            seconds: self.seconds.saturating_add(seconds),
            fraction: self.fraction,
        }
    }

    /// The next moment that can be told from this one.
    pub(crate) const fn next(self) -> Self {
        match self.fraction.checked_add(1) {
            Some(fraction) => Self {
                seconds: self.seconds,
                fraction,
            },
            None => Self {
                seconds: self.seconds.saturating_add(1),
                fraction: 0,
            },
        }
    }

    /// The moment `seconds` earlier.
    #[must_use]
    pub const fn minus_seconds(self, seconds: u64) -> Self {
        Self {
            seconds: self.seconds.saturating_sub(seconds),
            fraction: self.fraction,
        }
    }
}

/// The time that an Initiator puts into its messages: a clock, or a counter that only it keeps
/// ([RFC 3830 §6.6]).
///
/// ```
/// use mikey::payload::TsValue;
/// use mikey::{MessageTime, Timestamp};
///
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let time = MessageTime::from_payload(MessageTime::Utc32(now).to_payload(), now);
/// assert_eq!(time, MessageTime::Utc32(now));
/// assert!(MessageTime::Counter(8).is_after(MessageTime::Counter(7)));
/// assert_eq!(MessageTime::Counter(8).to_payload(), TsValue::Counter(8));
/// ```
///
/// # Security
///
/// Every message of an Initiator needs a time of its own. With a counter the caller keeps it over
/// restarts.
///
/// [RFC 3830 §6.6]: https://www.rfc-editor.org/rfc/rfc3830#section-6.6
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageTime {
    /// NTP-UTC: mandatory, the default.
    Utc(Timestamp),
    /// NTP, of a clock that both sides set alike.
    Ntp(Timestamp),
    /// NTP-UTC-32: whole seconds ([RFC 6043 §6.3](https://www.rfc-editor.org/rfc/rfc6043#section-6.3)).
    Utc32(Timestamp),
    /// COUNTER: the number of the message.
    Counter(u32),
}

impl MessageTime {
    /// What `ts` says, read next to `now`.
    #[must_use]
    pub fn from_payload(ts: TsValue, now: Timestamp) -> Self {
        let clock = || Timestamp::from_ntp(ts.to_u64().to_be_bytes(), now);
        match ts {
            TsValue::NtpUtc(_) => Self::Utc(clock()),
            TsValue::Ntp(_) => Self::Ntp(clock()),
            TsValue::NtpUtc32(_) => Self::Utc32(clock()),
            TsValue::Counter(count) => Self::Counter(count),
        }
    }

    /// The T payload that says so.
    #[must_use]
    pub fn to_payload(self) -> TsValue {
        match self {
            Self::Utc(time) => TsValue::NtpUtc(u64::from_be_bytes(time.ntp())),
            Self::Ntp(time) => TsValue::Ntp(u64::from_be_bytes(time.ntp())),
            Self::Utc32(time) => {
                let [a, b, c, d, ..] = time.ntp();
                TsValue::NtpUtc32(u32::from_be_bytes([a, b, c, d]))
            }
            Self::Counter(count) => TsValue::Counter(count),
        }
    }

    /// The 64 bits that enter the counter of AES-CM.
    #[must_use]
    pub fn octets(self) -> [u8; 8] {
        self.to_payload().to_u64().to_be_bytes()
    }

    /// The moment, unless it is a counter.
    #[must_use]
    pub const fn clock(self) -> Option<Timestamp> {
        match self {
            Self::Utc(time) | Self::Ntp(time) | Self::Utc32(time) => Some(time),
            Self::Counter(_) => None,
        }
    }

    /// Whether this is a later time of the same kind than `other`.
    #[must_use]
    pub fn is_after(self, other: Self) -> bool {
        match (self, other) {
            (Self::Counter(a), Self::Counter(b)) => a > b,
            (Self::Utc(a), Self::Utc(b))
            | (Self::Ntp(a), Self::Ntp(b))
            | (Self::Utc32(a), Self::Utc32(b)) => a > b,
            _ => false,
        }
    }
}

/// How far the time of a message may be from the clock of its receiver ([RFC 3830 §5.4]).
///
/// ```
/// use mikey::{SkewWindow, Timestamp};
///
/// let window = SkewWindow::new(60, 5);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// assert!(window.allows(now.minus_seconds(60), now));
/// assert!(!window.allows(now.minus_seconds(61), now));
/// assert!(!window.allows(now.plus_seconds(6), now));
/// ```
///
/// [RFC 3830 §5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SkewWindow {
    past: u32,
    future: u32,
}

impl SkewWindow {
    /// Messages may be `past` seconds old, and `future` seconds ahead.
    #[must_use]
    pub const fn new(past: u32, future: u32) -> Self {
        Self { past, future }
    }

    /// Seconds that a message may be old.
    #[must_use]
    pub const fn past(self) -> u32 {
        self.past
    }

    /// Seconds that a message may be ahead.
    #[must_use]
    pub const fn future(self) -> u32 {
        self.future
    }

    /// Whether a message of `time` is accepted at `now`.
    #[must_use]
    pub fn allows(self, time: Timestamp, now: Timestamp) -> bool {
        now.minus_seconds(self.past.into()) <= time && time <= now.plus_seconds(self.future.into())
    }
}

impl Default for SkewWindow {
    /// Five minutes either way.
    fn default() -> Self {
        Self::new(300, 300)
    }
}
