use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::entity::{Entity, split_parts};
use super::headers::next_line;
use crate::error::MimeError;
use crate::limits;

/// An entity in canonical form, as it must be before it is protected ([RFC 8551 §3.1.1]).
///
/// Header fields and text have lines that end in CRLF, in every part of a multipart. Bodies of
/// other types without a transfer encoding that makes text of them are left as they are: SIP
/// carries binary.
///
/// ```
/// let entity = b"Content-Type: text/plain\n\nAll your base\n";
/// let canonical = smime_psk::mime::canonical(entity)?;
/// assert_eq!(canonical.as_ref(), b"Content-Type: text/plain\r\n\r\nAll your base\r\n");
/// # Ok::<(), smime_psk::MimeError>(())
/// ```
///
/// # Errors
///
/// The entity, or a part of it, is malformed.
///
/// [RFC 8551 §3.1.1]: https://www.rfc-editor.org/rfc/rfc8551#section-3.1.1
pub fn canonical(entity: &[u8]) -> Result<Cow<'_, [u8]>, MimeError> {
    let mut out = Vec::with_capacity(entity.len() + entity.len() / 32);
    canonicalise(entity, limits::MULTIPART_DEPTH, &mut out)?;
    Ok(if out == entity {
        Cow::Borrowed(entity)
    } else {
        Cow::Owned(out)
    })
}

fn canonicalise(raw: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), MimeError> {
    let entity = Entity::parse(raw)?;
    let media_type = entity.media_type()?;
    let head = raw.len() - entity.body().len();
    lines(raw.get(..head).unwrap_or_default(), out);
    // An entity may end after its header fields; the empty line then still has to come.
    if !ends_in_empty_line(out) {
        out.extend_from_slice(if out.ends_with(b"\r\n") {
            b"\r\n"
        } else {
            b"\r\n\r\n"
        });
    }
    if media_type.top_level() == "multipart" {
        if depth == 0 {
            return Err(MimeError::BeyondLimits);
        }
        let boundary = media_type
            .parameter("boundary")
            .ok_or(MimeError::Boundary)?;
        let parts = split_parts(entity.body(), boundary)?;
        if !parts.preamble.is_empty() {
            lines(parts.preamble, out);
            out.extend_from_slice(b"\r\n");
        }
        for part in parts.inner {
            out.extend_from_slice(&[b"--", boundary.as_bytes(), b"\r\n"].concat());
            canonicalise(part, depth - 1, out)?;
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&[b"--", boundary.as_bytes(), b"--\r\n"].concat());
        lines(parts.epilogue, out);
        return Ok(());
    }
    let encoding = entity.headers().single("Content-Transfer-Encoding")?;
    let encoding = encoding
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let text = matches!(media_type.top_level(), "text" | "message");
    if encoding != "binary" && (text || matches!(encoding.as_str(), "base64" | "quoted-printable"))
    {
        lines(entity.body(), out);
    } else {
        out.extend_from_slice(entity.body());
    }
    Ok(())
}

/// Appends `text` with every line end, LF alone or CRLF, as CRLF.
fn lines(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        out.extend_from_slice(line);
        // The last line may have no end.
        if !after.is_empty() || rest.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        rest = after;
    }
}

/// Whether `head`, which is in CRLF lines, ends in an empty one.
fn ends_in_empty_line(head: &[u8]) -> bool {
    head == b"\r\n" || head.ends_with(b"\r\n\r\n")
}
