use core::fmt;

use crate::{
    KeyParams, LineError, Rule, SessionParameters, SuiteName,
    limits::{MAX_LINE_LEN, MAX_SESSION_PARAMETERS, MAX_SUITE_NAME_LEN, MAX_TAG},
};

/// An `a=crypto` attribute, read by the generic grammar ([RFC 4568 §4], [§9.1]).
///
/// ```text
/// a=crypto:<tag> <crypto-suite> <key-params> [<session-params>]
/// ```
///
/// The value borrows the line and decodes no key; a suite, key method or session parameter that
/// nobody knows stays as it is, and [`encode`](Self::encode) gives back what was read. Whether SRTP
/// can be keyed with it is what [`SecurityDescription`](crate::SecurityDescription) finds out.
///
/// ```
/// use sdes::Attribute;
///
/// let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
///             inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32 -OWN";
/// let attribute = Attribute::parse(line)?;
/// assert_eq!((attribute.tag(), attribute.suite().as_str()), (1, "AES_CM_128_HMAC_SHA1_80"));
///
/// let mut written = String::new();
/// attribute.encode(&mut written).expect("a String takes all");
/// assert_eq!(written, line);
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §4]: https://www.rfc-editor.org/rfc/rfc4568#section-4
/// [§9.1]: https://www.rfc-editor.org/rfc/rfc4568#section-9.1
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    line: &'a str,
    tag: u32,
    suite: SuiteName<'a>,
    keys: KeyParams<'a>,
    parameters: SessionParameters<'a>,
}

impl<'a> Attribute<'a> {
    /// Reads one line: `a=crypto:1 ...`, `crypto:1 ...`, or the value `1 ...` alone.
    ///
    /// A line end and white space before it are not part of the line. The attribute's name is
    /// case-sensitive.
    ///
    /// # Errors
    ///
    /// [`LineError`] with the first rule broken, and where.
    pub fn parse(line: &'a str) -> Result<Self, LineError> {
        if line.len() > MAX_LINE_LEN {
            return Err(LineError {
                rule: Rule::LineTooLong,
                offset: MAX_LINE_LEN,
            });
        }
        let value = value(line)?;
        let (tag, rest) = word(value);
        let (suite, rest) = word(rest);
        let (keys, parameters) = word(rest);
        Ok(Self {
            line,
            tag: parse_tag(tag).ok_or_else(|| Rule::Tag.at(line, tag))?,
            suite: SuiteName::new(suite)
                .filter(|name| name.as_str().len() <= MAX_SUITE_NAME_LEN)
                .ok_or_else(|| Rule::Suite.at(line, suite))?,
            keys: KeyParams::parse(line, keys)?,
            parameters: parse_parameters(line, parameters)?,
        })
    }

    /// The tag, by which an answer says which of several attributes it accepts ([RFC 4568 §4.1]).
    ///
    /// [RFC 4568 §4.1]: https://www.rfc-editor.org/rfc/rfc4568#section-4.1
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// The crypto-suite ([RFC 4568 §4.2]).
    ///
    /// [RFC 4568 §4.2]: https://www.rfc-editor.org/rfc/rfc4568#section-4.2
    #[must_use]
    pub const fn suite(&self) -> SuiteName<'a> {
        self.suite
    }

    /// The key parameters ([RFC 4568 §4.3]); at least one.
    ///
    /// [RFC 4568 §4.3]: https://www.rfc-editor.org/rfc/rfc4568#section-4.3
    #[must_use]
    pub const fn keys(&self) -> KeyParams<'a> {
        self.keys
    }

    /// The session parameters ([RFC 4568 §4.4]), in the order of the line.
    ///
    /// [RFC 4568 §4.4]: https://www.rfc-editor.org/rfc/rfc4568#section-4.4
    #[must_use]
    pub const fn parameters(&self) -> SessionParameters<'a> {
        self.parameters
    }

    /// Writes `a=crypto:` and the value, fields apart by one space, without a line end.
    ///
    /// # Security
    ///
    /// What is written holds the keys in clear.
    ///
    /// # Errors
    ///
    /// Those of `out`; a `String` has none.
    pub fn encode(&self, out: &mut impl fmt::Write) -> fmt::Result {
        write!(out, "a=crypto:{} ", self.tag)?;
        out.write_str(self.suite.as_str())?;
        out.write_char(' ')?;
        out.write_str(self.keys.as_str())?;
        for parameter in self.parameters.words() {
            out.write_char(' ')?;
            out.write_str(parameter)?;
        }
        Ok(())
    }

    /// The line it was read from.
    pub(crate) const fn line(&self) -> &'a str {
        self.line
    }

    /// The tag of a line whatever its rest may be, for finding duplicates.
    pub(crate) fn peek_tag(line: &str) -> Option<u32> {
        let head = line.get(..line.len().min(64)).unwrap_or(line);
        value(head).ok().and_then(|value| parse_tag(word(value).0))
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attribute")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

/// What follows the attribute's name, without line end.
fn value(line: &str) -> Result<&str, LineError> {
    let line_end = [' ', '\t', '\r', '\n'];
    let value = line.trim_end_matches(line_end);
    value
        .strip_prefix("a=crypto:")
        .or_else(|| value.strip_prefix("crypto:"))
        .or_else(|| {
            value
                .starts_with(|first: char| first.is_ascii_digit())
                .then_some(value)
        })
        .ok_or_else(|| Rule::AttributeName.at(line, line))
}

/// The first word, and what follows the white space behind it.
pub(crate) fn word(text: &str) -> (&str, &str) {
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
    let end = text
        .as_bytes()
        .iter()
        .position(is_space)
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (word, rest.trim_start_matches([' ', '\t']))
}

/// A decimal number without leading zeros and sign.
pub(crate) fn number<T: core::str::FromStr>(digits: &str) -> Option<T> {
    let all_digits = digits.bytes().all(|octet| octet.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !all_digits || leading_zero {
        return None;
    }
    digits.parse().ok()
}

/// Whether every octet is a visible character of US-ASCII.
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic())
}

fn parse_tag(digits: &str) -> Option<u32> {
    number(digits).filter(|tag| *tag <= MAX_TAG)
}

fn parse_parameters<'a>(line: &'a str, text: &'a str) -> Result<SessionParameters<'a>, LineError> {
    let parameters = SessionParameters::new(line, text);
    for (count, word) in parameters.words().enumerate() {
        if count == MAX_SESSION_PARAMETERS {
            return Err(Rule::TooManyParameters.at(line, word));
        }
        if !is_visible(word) {
            return Err(Rule::SessionParameter.at(line, word));
        }
    }
    Ok(parameters)
}
