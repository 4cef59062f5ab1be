//! Signed-for copies of SIP header fields: message/sipfrag bodies in REFER and in invitations
//! (TR 33.829 §5.3.3.4.2 and §5.3.3.4.3, RFC 3420, RFC 3892, RFC 3893).

use alloc::string::String;
use alloc::vec::Vec;

use crate::identity::{addr_spec, same_identity};
use crate::mime::{Entity, Headers, collapse};
use crate::{MimeError, Opened};

/// Fields that a REFER to the conference focus has copied (TR 33.829 §5.3.3.4.2).
pub const REFER_TO_FOCUS: [&str; 3] = ["Refer-To", "Referred-By", "Date"];

/// Fields that a REFER to another user has copied (TR 33.829 §5.3.3.4.3), as in the authenticated
/// identity body of RFC 3893.
pub const REFER_TO_USER: [&str; 6] = ["From", "To", "Call-ID", "CSeq", "Contact", "Date"];

/// An assertion does not support the request that it came with: do not join, do not invite.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AssertionError {
    /// The Date is not one, or is outside the window.
    #[error("date")]
    Date,
    /// The copy and the request differ in this field.
    #[error("{0} differs")]
    Differs(&'static str),
    /// The copy, or the request, has no such field.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The assertion or the request is malformed, or the former is not message/sipfrag.
    #[error("malformed: {0}")]
    Mime(#[from] MimeError),
    /// The verified sender of the assertion is not who it speaks of.
    #[error("sender is not who the assertion speaks of")]
    Sender,
}

/// The time around which a Date is accepted, both in seconds.
///
/// ```
/// use smime_psk::sipfrag::DateWindow;
///
/// let window = DateWindow::new(1_014_296_523, 600);
/// assert!(window.contains("Thu, 21 Feb 2002 13:02:03 GMT"));
/// assert!(!window.contains("Thu, 21 Feb 2002 13:12:04 GMT"));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DateWindow {
    now: u64,
    tolerance: u64,
}

impl DateWindow {
    /// `now` is in seconds since 1970; `tolerance` counts in both directions. RFC 3893 §6 has ten
    /// minutes.
    #[must_use]
    pub const fn new(now: u64, tolerance: u64) -> Self {
        Self { now, tolerance }
    }

    /// Whether the value of a Date field ([RFC 3261 §20.17]) is in the window.
    ///
    /// [RFC 3261 §20.17]: https://www.rfc-editor.org/rfc/rfc3261#section-20.17
    #[must_use]
    pub fn contains(&self, date: &str) -> bool {
        seconds(date).is_some_and(|date| date.abs_diff(self.now) <= self.tolerance)
    }
}

/// A message/sipfrag that was protected, with its verified sender.
///
/// ```
/// use smime_psk::{KekRecipient, OpenPolicy, SealPolicy};
/// use smime_psk::mime::Headers;
/// use smime_psk::sipfrag::{self, Assertion, DateWindow};
///
/// let refer = b"REFER sip:conf1@mrfc1.home1.net SIP/2.0\r\n\
///     Refer-To: <sip:user2@home2.net;method=INVITE>\r\n\
///     Referred-By: <sip:user1@home1.net>\r\n\
///     Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n\r\n";
/// let refer = Headers::of_sip(refer)?;
/// let fragment = sipfrag::copy(&refer, &sipfrag::REFER_TO_FOCUS)?;
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let Some(kek) = KekRecipient::new(b"id", &[7; 16]) else { return Ok(()) };
/// # let mut transport = kek.peer("sip:user1@home1.net");
/// # let Ok(sealed) = smime_psk::seal(&fragment, &mut transport, &SealPolicy::default(), &mut rng)
/// #     else { panic!() };
/// # let Ok(opened) = smime_psk::open(&sealed, &mut transport, &OpenPolicy::default())
/// #     else { panic!() };
///
/// let assertion = Assertion::of(&opened)?;
/// let window = DateWindow::new(1_014_296_530, 600);
/// assert_eq!(assertion.verify_refer_to_focus(&refer, window), Ok(()));
/// # Ok::<(), smime_psk::sipfrag::AssertionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Assertion<'a> {
    headers: Headers<'a>,
    sender: &'a str,
}

impl<'a> Assertion<'a> {
    /// Reads what an opened message asserts.
    ///
    /// # Errors
    ///
    /// It is no message/sipfrag, or its key transport verified no sender.
    pub fn of(opened: &'a Opened) -> Result<Self, AssertionError> {
        let entity = Entity::parse(opened.content())?;
        if entity.media_type()?.essence() != "message/sipfrag" {
            return Err(MimeError::MediaType.into());
        }
        let sender = opened.sender().ok_or(AssertionError::Sender)?;
        Ok(Self {
            headers: Headers::of_sip(entity.body())?,
            sender,
        })
    }

    /// The copied fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// The focus, or whoever receives a REFER with a Referred-By, verifies it (REQ-CK-09).
    ///
    /// The copies of Refer-To and Referred-By are those of the request, Date is in the window,
    /// and the sender is whom Referred-By names.
    ///
    /// # Errors
    ///
    /// One of it does not hold.
    pub fn verify_refer_to_focus(
        &self,
        refer: &Headers<'_>,
        window: DateWindow,
    ) -> Result<(), AssertionError> {
        self.check_copy("Refer-To", refer)?;
        self.check_copy("Referred-By", refer)?;
        self.check_own_date(refer)?;
        self.check_date(window)?;
        self.check_sender("Referred-By")
    }

    /// The invited user verifies the INVITE that the focus made of a REFER (REQ-CK-09).
    ///
    /// Referred-By is that of the request, Refer-To names `invited` (the identity that was
    /// called) and the method INVITE, Date is in the window, and the sender is whom Referred-By
    /// names. Whether to trust them is the caller's to decide.
    ///
    /// # Errors
    ///
    /// One of it does not hold.
    pub fn verify_invite(
        &self,
        invite: &Headers<'_>,
        invited: &str,
        window: DateWindow,
    ) -> Result<(), AssertionError> {
        self.check_copy("Referred-By", invite)?;
        let refer_to = self.field("Refer-To")?;
        let uri = addr_spec(&refer_to).ok_or(AssertionError::Missing("Refer-To"))?;
        let mut parameters = uri
            .split([';', '?', '&'])
            .skip(1)
            .filter_map(|p| p.split_once('='));
        let method = parameters.find(|(name, _)| name.eq_ignore_ascii_case("method"));
        // Without a method parameter a Refer-To asks for INVITE (RFC 3515 §2.1).
        let invites = method.is_none_or(|(_, method)| method == "INVITE");
        if !invites || !same_identity(uri, invited) {
            return Err(AssertionError::Differs("Refer-To"));
        }
        self.check_date(window)?;
        self.check_sender("Referred-By")
    }

    /// The user who is referred to a conference verifies the REFER (REQ-CK-10).
    ///
    /// The copies of From, To, Call-ID, CSeq and Contact, and of Refer-To if there is one, are
    /// those of the request, Date is in the window, and the sender is whom From names.
    ///
    /// # Errors
    ///
    /// One of it does not hold.
    pub fn verify_refer_to_user(
        &self,
        refer: &Headers<'_>,
        window: DateWindow,
    ) -> Result<(), AssertionError> {
        for name in REFER_TO_USER.into_iter().filter(|name| *name != "Date") {
            self.check_copy(name, refer)?;
        }
        if self.headers.single("Refer-To")?.is_some() {
            self.check_copy("Refer-To", refer)?;
        }
        self.check_own_date(refer)?;
        self.check_date(window)?;
        self.check_sender("From")
    }

    fn field(&self, name: &'static str) -> Result<String, AssertionError> {
        let value = self
            .headers
            .single(name)?
            .ok_or(AssertionError::Missing(name))?;
        Ok(collapse(&value))
    }

    fn check_copy(&self, name: &'static str, of: &Headers<'_>) -> Result<(), AssertionError> {
        let original = of.single(name)?.ok_or(AssertionError::Missing(name))?;
        if self.field(name)? == collapse(&original) {
            Ok(())
        } else {
            Err(AssertionError::Differs(name))
        }
    }

    /// Requests need no Date; one that has it has the one that was copied.
    fn check_own_date(&self, of: &Headers<'_>) -> Result<(), AssertionError> {
        if of.single("Date")?.is_some() {
            self.check_copy("Date", of)
        } else {
            Ok(())
        }
    }

    fn check_date(&self, window: DateWindow) -> Result<(), AssertionError> {
        if window.contains(&self.field("Date")?) {
            Ok(())
        } else {
            Err(AssertionError::Date)
        }
    }

    fn check_sender(&self, name: &'static str) -> Result<(), AssertionError> {
        if same_identity(self.sender, &self.field(name)?) {
            Ok(())
        } else {
            Err(AssertionError::Sender)
        }
    }
}

/// A message/sipfrag entity with copies of the fields `names` of `request`, to be sealed.
///
/// # Errors
///
/// A field is missing, or there twice.
pub fn copy(request: &Headers<'_>, names: &[&'static str]) -> Result<Vec<u8>, AssertionError> {
    let mut out = String::from(
        "Content-Type: message/sipfrag\r\nContent-Disposition: aib; handling=optional\r\n\r\n",
    );
    for name in names {
        let value = request.single(name)?.ok_or(AssertionError::Missing(name))?;
        out.extend([name, ": ", &collapse(&value), "\r\n"]);
    }
    Ok(out.into_bytes())
}

/// Seconds since 1970 of an RFC 1123 date in GMT.
fn seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let mut words = date.split_ascii_whitespace();
    let weekday = words.next()?;
    let number = |text: &str, len: usize| {
        let digits = text.len() == len && text.bytes().all(|c| c.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let day = number(words.next()?, 2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| *known == month)?;
    let year = number(words.next()?, 4)?;
    let mut time = words.next()?.split(':').map(|text| number(text, 2));
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let rest = (time.next(), words.next(), words.next());
    let known_weekday = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"].contains(&weekday);
    if rest != (None, Some("GMT"), None) || !known_weekday {
        return None;
    }
    if year < 1970 || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let past = year - 1;
    let leap_days = (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let this_leap = u64::from(leap(year) && month > 1);
    let days = (year - 1970) * 365 + leap_days + BEFORE.get(month)? + this_leap + day - 1;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            seconds("Thu, 21 Feb 2002 13:02:03 GMT"),
            Some(1_014_296_523)
        );
        assert_eq!(
            seconds("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199)
        );
        assert_eq!(
            seconds("Fri, 31 Dec 2100 00:00:00 GMT"),
            Some(4_133_894_400)
        );
        for date in [
            "",
            "Thu, 21 Feb 2002 13:02:03",
            "Thu, 21 Feb 2002 13:02:03 CET",
            "Thu, 1 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 24:00:00 GMT",
            "Thu, 01 Jan 1969 00:00:00 GMT",
        ] {
            assert_eq!(seconds(date), None, "{date}");
        }
    }
}
