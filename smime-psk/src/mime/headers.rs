use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::MimeError;
use crate::limits;

/// A section of header fields, of a MIME entity or of a SIP message, as it came.
///
/// ```
/// use smime_psk::mime::Headers;
///
/// let headers = Headers::of_sip(b"MESSAGE sip:bob@example.com SIP/2.0\r\n\
///     f: <sip:alice@example.com>;tag=1\r\nCSeq: 1\r\n MESSAGE\r\n\r\n")?;
/// assert_eq!(headers.single("From")?.as_deref(), Some("<sip:alice@example.com>;tag=1"));
/// assert_eq!(headers.single("cseq")?.as_deref(), Some("1 MESSAGE"));
/// assert_eq!(headers.single("To")?, None);
/// # Ok::<(), smime_psk::MimeError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers<'a> {
    fields: Vec<(&'a str, &'a str)>,
}

/// Long and compact names of SIP header fields ([RFC 3261 §7.3.3], RFC 3515, RFC 3892).
///
/// [RFC 3261 §7.3.3]: https://www.rfc-editor.org/rfc/rfc3261#section-7.3.3
const COMPACT: [(&str, &str); 11] = [
    ("Call-ID", "i"),
    ("Contact", "m"),
    ("Content-Encoding", "e"),
    ("Content-Length", "l"),
    ("Content-Type", "c"),
    ("From", "f"),
    ("Refer-To", "r"),
    ("Referred-By", "b"),
    ("Subject", "s"),
    ("To", "t"),
    ("Via", "v"),
];

impl<'a> Headers<'a> {
    /// Reads the header section at the front of a SIP message; a start line is skipped.
    ///
    /// # Errors
    ///
    /// It is not well-formed, or larger than [`limits`] admit.
    pub fn of_sip(message: &'a [u8]) -> Result<Self, MimeError> {
        let (line, rest) = next_line(message);
        let start_line = line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0");
        Self::parse(if start_line { rest } else { message }).map(|(headers, _)| headers)
    }

    /// Reads fields up to an empty line or the end; returns them and what follows.
    pub(crate) fn parse(input: &'a [u8]) -> Result<(Self, &'a [u8]), MimeError> {
        let mut fields = Vec::new();
        let mut rest = input;
        while !rest.is_empty() {
            let field_start = rest;
            let (line, mut after) = next_line(rest);
            if line.is_empty() {
                return Ok((Self { fields }, after));
            }
            while matches!(after.first(), Some(b' ' | b'\t')) {
                (_, after) = next_line(after);
            }
            let octets = field_start.len() - after.len();
            if input.len() - after.len() > limits::HEADER_OCTETS || fields.len() == limits::HEADERS
            {
                return Err(MimeError::BeyondLimits);
            }
            let field = field_start.get(..octets).unwrap_or_default();
            fields.push(split_field(field).ok_or(MimeError::Header)?);
            rest = after;
        }
        Ok((Self { fields }, rest))
    }

    /// The value of the field `name`, unfolded; `None` if it is not there.
    ///
    /// Names are compared without case; the compact form of SIP counts as the long one.
    ///
    /// # Errors
    ///
    /// [`MimeError::Header`] if there are two.
    pub fn single(&self, name: &str) -> Result<Option<Cow<'a, str>>, MimeError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(MimeError::Header),
            (value, None) => Ok(value),
        }
    }

    /// The values of all fields `name`, unfolded.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let compact = COMPACT
            .iter()
            .find(|(long, _)| long.eq_ignore_ascii_case(name));
        self.fields
            .iter()
            .filter(move |(of, _)| {
                of.eq_ignore_ascii_case(name)
                    || compact.is_some_and(|(_, compact)| of.eq_ignore_ascii_case(compact))
            })
            .map(|(_, value)| unfold(value))
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        self.fields
            .iter()
            .map(|(name, value)| (*name, unfold(value)))
    }
}

/// The first line without its end, CRLF or LF alone, and the rest.
pub(crate) fn next_line(input: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = input.iter().position(|octet| *octet == b'\n') else {
        return (input, &[]);
    };
    let line = input.get(..end).unwrap_or_default();
    let rest = input.get(end + 1..).unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn split_field(field: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = core::str::from_utf8(field).ok()?.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let token = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&octet);
    // Some readers end a line at a CR alone: what they would see as another field is refused.
    let lone = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\n');
    let lone_cr = field.ends_with(b"\r") || field.windows(2).any(lone);
    if name.is_empty() || !name.bytes().all(token) || value.contains('\0') || lone_cr {
        return None;
    }
    Some((name, value.trim()))
}

/// Folds a value back into one line ([RFC 5322 §2.2.3]).
///
/// [RFC 5322 §2.2.3]: https://www.rfc-editor.org/rfc/rfc5322#section-2.2.3
fn unfold(value: &str) -> Cow<'_, str> {
    if !value.contains(['\r', '\n']) {
        return Cow::Borrowed(value);
    }
    let lines = value
        .split(['\r', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut out = String::with_capacity(value.len());
    for line in lines {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    Cow::Owned(out)
}

/// Every run of white space as one space: the form in which two copies of a field are compared.
pub(crate) fn collapse(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for word in value.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
