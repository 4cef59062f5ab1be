use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::base64;
use super::headers::{Headers, next_line};
use super::media_type::MediaType;
use crate::error::MimeError;
use crate::limits;

/// A MIME entity: header fields and a body, borrowed ([RFC 2045 §2.4]).
///
/// ```
/// use smime_psk::mime::Entity;
///
/// let entity = Entity::parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\
///     --b\r\nContent-Type: text/plain\r\nContent-ID: <1@a>\r\n\r\none\r\n\
///     --b\r\n\r\ntwo\r\n--b--\r\n")?;
/// assert_eq!(entity.parts()?.len(), 2);
/// assert_eq!(entity.part_by_content_id("1@a")?.body(), b"one");
/// assert_eq!(entity.media_type()?.essence(), "multipart/mixed");
/// # Ok::<(), smime_psk::MimeError>(())
/// ```
///
/// [RFC 2045 §2.4]: https://www.rfc-editor.org/rfc/rfc2045#section-2.4
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entity<'a> {
    headers: Headers<'a>,
    body: &'a [u8],
    raw: &'a [u8],
}

impl<'a> Entity<'a> {
    /// Splits an entity at its first empty line. Without one it is all header fields.
    ///
    /// # Errors
    ///
    /// The header section is not well-formed, or larger than [`limits`] admit.
    pub fn parse(raw: &'a [u8]) -> Result<Self, MimeError> {
        let (headers, body) = Headers::parse(raw)?;
        Ok(Self { headers, body, raw })
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// The body as it came.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The whole entity as it came: what an inner layer protects.
    #[must_use]
    pub const fn as_octets(&self) -> &'a [u8] {
        self.raw
    }

    /// The Content-Type; text/plain if there is none ([RFC 2045 §5.2]).
    ///
    /// # Errors
    ///
    /// It is not well-formed, or there are two.
    ///
    /// [RFC 2045 §5.2]: https://www.rfc-editor.org/rfc/rfc2045#section-5.2
    pub fn media_type(&self) -> Result<MediaType, MimeError> {
        MediaType::parse(
            self.headers
                .single("Content-Type")?
                .as_deref()
                .unwrap_or("text/plain"),
        )
    }

    /// The body with base64 taken off, if that is its transfer encoding.
    ///
    /// # Errors
    ///
    /// The transfer encoding is not known (quoted-printable is not used by SIP and not decoded),
    /// or the base64 is malformed.
    pub fn decoded_body(&self) -> Result<Cow<'a, [u8]>, MimeError> {
        let encoding = self.headers.single("Content-Transfer-Encoding")?;
        decode_body(encoding.as_deref(), self.body)
    }

    /// The Content-ID without its angle brackets.
    ///
    /// # Errors
    ///
    /// There are two.
    pub fn content_id(&self) -> Result<Option<Cow<'a, str>>, MimeError> {
        Ok(self.headers.single("Content-ID")?.map(|id| match id {
            Cow::Borrowed(id) => Cow::Borrowed(strip_brackets(id)),
            Cow::Owned(id) => Cow::Owned(strip_brackets(&id).into()),
        }))
    }

    /// The parts of a multipart entity ([RFC 2046 §5.1.1]).
    ///
    /// # Errors
    ///
    /// It is not one, has no boundary or no end, or a part is malformed.
    ///
    /// [RFC 2046 §5.1.1]: https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
    pub fn parts(&self) -> Result<Vec<Self>, MimeError> {
        let media_type = self.media_type()?;
        if media_type.top_level() != "multipart" {
            return Err(MimeError::MediaType);
        }
        let boundary = media_type
            .parameter("boundary")
            .ok_or(MimeError::Boundary)?;
        let parts = split_parts(self.body, boundary)?;
        parts.inner.into_iter().map(Self::parse).collect()
    }

    /// The part that a `cid` parameter or URL names (RFC 2392), with or without angle brackets.
    ///
    /// # Errors
    ///
    /// [`MimeError::NoSuchPart`] if none has this Content-ID, or two have; or the multipart is
    /// malformed.
    pub fn part_by_content_id(&self, id: &str) -> Result<Self, MimeError> {
        let id = strip_brackets(id);
        let mut found = None;
        for part in self.parts()? {
            if part.content_id()?.as_deref() == Some(id) {
                if found.is_some() {
                    return Err(MimeError::NoSuchPart);
                }
                found = Some(part);
            }
        }
        found.ok_or(MimeError::NoSuchPart)
    }
}

pub(crate) fn decode_body<'a>(
    encoding: Option<&str>,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, MimeError> {
    let is = |name: &str| encoding.is_some_and(|value| value.trim().eq_ignore_ascii_case(name));
    if is("base64") {
        Ok(Cow::Owned(base64::decode(body)?))
    } else if encoding.is_none() || is("binary") || is("8bit") || is("7bit") {
        Ok(Cow::Borrowed(body))
    } else {
        Err(MimeError::TransferEncoding)
    }
}

/// A multipart body, cut at its delimiters.
pub(crate) struct Parts<'a> {
    pub(crate) preamble: &'a [u8],
    pub(crate) inner: Vec<&'a [u8]>,
    pub(crate) epilogue: &'a [u8],
}

/// The line end before a delimiter belongs to the delimiter.
pub(crate) fn split_parts<'a>(body: &'a [u8], boundary: &str) -> Result<Parts<'a>, MimeError> {
    if boundary.is_empty() || boundary.len() > 70 {
        return Err(MimeError::Boundary);
    }
    let mut preamble = None;
    let mut parts = Vec::new();
    let mut start = 0;
    let mut rest = body;
    while !rest.is_empty() {
        let line_start = body.len() - rest.len();
        let (line, after) = next_line(rest);
        rest = after;
        let after_dashes = line.strip_prefix(b"--");
        let Some(tail) = after_dashes.and_then(|line| line.strip_prefix(boundary.as_bytes()))
        else {
            continue;
        };
        let (tail, last) = tail
            .strip_prefix(b"--")
            .map_or((tail, false), |tail| (tail, true));
        if !tail.iter().all(|octet| matches!(octet, b' ' | b'\t')) {
            continue;
        }
        let before = body.get(start..line_start).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        match preamble {
            None => preamble = Some(before),
            Some(_) if parts.len() == limits::PARTS => return Err(MimeError::BeyondLimits),
            Some(_) => parts.push(before),
        }
        start = body.len() - rest.len();
        if last {
            let preamble = preamble
                .filter(|_| !parts.is_empty())
                .ok_or(MimeError::Boundary)?;
            return Ok(Parts {
                preamble,
                inner: parts,
                epilogue: rest,
            });
        }
    }
    Err(MimeError::Boundary)
}

fn strip_brackets(id: &str) -> &str {
    let id = id.trim();
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    inner.unwrap_or(id)
}
