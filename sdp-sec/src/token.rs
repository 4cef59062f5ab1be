//! The character classes of SDP values.

/// Whether `text` is a `token` ([RFC 8866 §9]).
///
/// [RFC 8866 §9]: https://www.rfc-editor.org/rfc/rfc8866#section-9
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| {
            matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'~')
                || octet.is_ascii_alphanumeric()
        })
}
