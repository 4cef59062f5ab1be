//! Timestamps for people.

use mikey::payload::TsValue;

/// Seconds from the epoch of NTP (1900) to that of Unix (1970).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// What a timestamp says.
pub(crate) fn of(value: TsValue) -> String {
    match value {
        TsValue::NtpUtc(ntp) => utc(ntp >> 32),
        TsValue::Ntp(ntp) => format!("{} of a clock that need not be UTC", utc(ntp >> 32)),
        TsValue::Counter(count) => format!("counter {count}"),
        TsValue::NtpUtc32(seconds) => utc(u64::from(seconds)),
    }
}

/// `ntp` seconds since 1900 as a date. Era 1 begins in 2036.
fn utc(ntp: u64) -> String {
    let Some(unix) = ntp.checked_sub(NTP_TO_UNIX) else {
        return format!("{ntp} s");
    };
    let (days, seconds) = (unix / 86_400, unix % 86_400);
    // Years begin in March, so that the leap day is the last; eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let seconds = seconds % 60;
    format!("{year}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(NTP_TO_UNIX), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(NTP_TO_UNIX + 951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(NTP_TO_UNIX + 951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(NTP_TO_UNIX + 1_709_251_199), "2024-02-29 23:59:59 UTC");
        assert_eq!(utc(0), "0 s");
    }
}
