use alloc::string::String;
use alloc::vec::Vec;

use crate::error::MimeError;
use crate::limits;

/// The value of a Content-Type or Content-Disposition field ([RFC 2045 §5.1]).
///
/// ```
/// use smime_psk::mime::MediaType;
///
/// let media_type = MediaType::parse("Multipart/Mixed; Boundary=\"a b\" (comment)")?;
/// assert_eq!(media_type.essence(), "multipart/mixed");
/// assert_eq!(media_type.parameter("boundary"), Some("a b"));
/// # Ok::<(), smime_psk::MimeError>(())
/// ```
///
/// [RFC 2045 §5.1]: https://www.rfc-editor.org/rfc/rfc2045#section-5.1
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a value that may be folded, have comments and end in a semicolon.
    ///
    /// # Errors
    ///
    /// It is not well-formed, or names a parameter twice.
    pub fn parse(value: &str) -> Result<Self, MimeError> {
        let mut scanner = Scanner { rest: value };
        let essence = scanner.until(";")?.to_ascii_lowercase();
        if essence.is_empty() || essence.contains([' ', '"', '=']) {
            return Err(MimeError::Header);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while scanner.skip(';') {
            let name = scanner.until("=;")?.to_ascii_lowercase();
            if name.is_empty() && !scanner.at('=') {
                continue;
            }
            if !scanner.skip('=') || name.is_empty() || name.contains([' ', '"']) {
                return Err(MimeError::Header);
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(MimeError::Header);
            }
            if parameters.len() == limits::HEADERS {
                return Err(MimeError::BeyondLimits);
            }
            parameters.push((name, scanner.until(";")?));
        }
        Ok(Self {
            essence,
            parameters,
        })
    }

    /// Type and subtype in lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The value of a parameter, quotes off; names are compared without case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(of, _)| of.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The type before the slash.
    pub(crate) fn top_level(&self) -> &str {
        self.essence.split('/').next().unwrap_or_default()
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn at(&self, octet: char) -> bool {
        self.rest.starts_with(octet)
    }

    fn skip(&mut self, octet: char) -> bool {
        let rest = self.rest.strip_prefix(octet);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Text up to one of `stops`, quotes and comments off, trimmed.
    fn until(&mut self, stops: &str) -> Result<String, MimeError> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        let (mut quoted, mut comments) = (false, 0_usize);
        let mut protected = 0;
        let end = loop {
            let Some((at, next)) = chars.next() else {
                break self.rest.len();
            };
            match next {
                '\\' if quoted || comments > 0 => {
                    let (_, escaped) = chars.next().ok_or(MimeError::Header)?;
                    if quoted {
                        out.push(escaped);
                    }
                }
                '"' if comments == 0 => {
                    quoted = !quoted;
                    protected = out.len();
                }
                '(' if !quoted => comments += 1,
                ')' if comments > 0 => comments -= 1,
                _ if comments > 0 => {}
                stop if !quoted && stops.contains(stop) => break at,
                other if quoted || !other.is_whitespace() => out.push(other),
                _ if !out.is_empty() => out.push(' '),
                _ => {}
            }
        };
        if quoted || comments > 0 {
            return Err(MimeError::Header);
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        let keep = out.trim_end().len().max(protected);
        out.truncate(keep);
        Ok(out)
    }
}
