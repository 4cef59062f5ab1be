//! How MIKEY messages travel as text: in SDP and RTSP (RFC 4567), and as `application/mikey`
//! bodies ([RFC 3830 §10.1]).
//!
//! A message of MIKEY-NULL holds keys in the clear, so what is decoded or made here erases itself.
//!
//! [RFC 3830 §10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-10.1

use alloc::{format, string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::{DecodeError, DecodeErrorKind, error::Place, limits::MAX_KEY_MGMT_LEN};

/// The protocol identifier of MIKEY, which is case sensitive ([RFC 4567 §7]).
///
/// [RFC 4567 §7]: https://www.rfc-editor.org/rfc/rfc4567#section-7
pub const KMPID: &str = "mikey";

/// The media type of a body that is one message ([RFC 3830 §10.1]).
///
/// [RFC 3830 §10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-10.1
pub const MEDIA_TYPE: &str = "application/mikey";

/// Characters of a line of base64 in a MIME body.
const MIME_LINE: usize = 76;

/// A `key-mgmt` attribute of SDP, or one specification of a `KeyMgmt` header of RTSP
/// ([RFC 4567 §3]).
///
/// ```
/// use mikey::keymgmt::KeyMgmt;
///
/// let sdp = KeyMgmt::from_attribute("mikey AQYFAAAAAAkAAQACAAAAAQ==")?;
/// assert!(sdp.is_mikey());
/// assert_eq!(sdp.decode()?.len(), 16);
///
/// let rtsp = r#"prot=mikey; uri="rtsp://cam/1"; data="AQYFAAAAAAkAAQACAAAAAQ==""#;
/// let rtsp = KeyMgmt::from_header(rtsp).next().transpose()?;
/// assert_eq!(rtsp.and_then(|spec| spec.uri()), Some("rtsp://cam/1"));
/// # Ok::<(), mikey::DecodeError>(())
/// ```
///
/// [RFC 4567 §3]: https://www.rfc-editor.org/rfc/rfc4567#section-3
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct KeyMgmt<'a> {
    protocol: &'a str,
    uri: Option<&'a str>,
    data: &'a str,
}

impl<'a> KeyMgmt<'a> {
    /// Reads the value of a `key-mgmt` attribute, which is what stands behind `a=key-mgmt:`
    /// ([RFC 4567 §3.1]).
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it does not follow the grammar or is too long. The base64 is looked into
    /// by [`decode`](Self::decode) alone.
    ///
    /// [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
    pub fn from_attribute(value: &'a str) -> Result<Self, DecodeError> {
        check_len(value)?;
        let trimmed = value.strip_prefix(' ').unwrap_or(value);
        let (protocol, data) = trimmed.split_once(' ').ok_or(error(value.len()))?;
        let base64 = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
        if !is_kmpid(protocol) || data.is_empty() || !data.bytes().all(base64) {
            return Err(error(value.len().saturating_sub(trimmed.len())));
        }
        Ok(Self {
            protocol,
            uri: None,
            data,
        })
    }

    /// Reads the value of a `KeyMgmt` header, which is what stands behind the colon: one
    /// specification for each context, with commas between them ([RFC 4567 §3.2]).
    ///
    /// After an error there is no further one.
    ///
    /// # Errors
    ///
    /// Each item is a [`DecodeError`] if it does not follow the grammar; its offset counts from the
    /// start of the value.
    ///
    /// [RFC 4567 §3.2]: https://www.rfc-editor.org/rfc/rfc4567#section-3.2
    pub fn from_header(
        value: &'a str,
    ) -> impl Iterator<Item = Result<Self, DecodeError>> + use<'a> {
        let mut rest = Some(value);
        let mut too_long = check_len(value).err();
        core::iter::from_fn(move || {
            if let Some(error) = too_long.take() {
                rest = None;
                return Some(Err(error));
            }
            let now = rest.take()?;
            match specification(now) {
                Ok((spec, following)) => {
                    rest = following;
                    Some(Ok(spec))
                }
                Err(left) => Some(Err(error(value.len().saturating_sub(left)))),
            }
        })
    }

    /// The protocol identifier.
    #[must_use]
    pub const fn protocol(&self) -> &'a str {
        self.protocol
    }

    /// Whether the protocol is MIKEY.
    #[must_use]
    pub fn is_mikey(&self) -> bool {
        self.protocol == KMPID
    }

    /// The RTSP URI of the session or media that it is for; `None` for that of the request.
    #[must_use]
    pub const fn uri(&self) -> Option<&'a str> {
        self.uri
    }

    /// The octets of the message.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::Grammar`] if the data is not base64, padded and without line breaks.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, DecodeError> {
        Base64::decode_vec(self.data)
            .map(Zeroizing::new)
            .map_err(|_| error(0))
    }
}

/// The data may be keys in the clear, so it is not printed.
impl core::fmt::Debug for KeyMgmt<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyMgmt")
            .field("protocol", &self.protocol)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// The value of a `key-mgmt` attribute for `message`: what stands behind `a=key-mgmt:`
/// ([RFC 4567 §3.1]).
///
/// ```
/// assert_eq!(*mikey::keymgmt::attribute(&[1, 6, 0]), "mikey AQYA");
/// ```
///
/// [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
#[must_use]
pub fn attribute(message: &[u8]) -> Zeroizing<String> {
    let data = Zeroizing::new(Base64::encode_string(message));
    Zeroizing::new(format!("{KMPID} {}", *data))
}

/// One specification of a `KeyMgmt` header for `message`: what stands behind the colon
/// ([RFC 4567 §3.2]).
///
/// `None` if `uri` has a character that no URI has, such as a quotation mark.
///
/// ```
/// let header = mikey::keymgmt::header(Some("rtsp://cam/1"), &[1, 6, 0]);
/// let header = header.as_ref().map(|header| header.as_str());
/// assert_eq!(header, Some(r#"prot=mikey; uri="rtsp://cam/1"; data="AQYA""#));
/// ```
///
/// [RFC 4567 §3.2]: https://www.rfc-editor.org/rfc/rfc4567#section-3.2
#[must_use]
pub fn header(uri: Option<&str>, message: &[u8]) -> Option<Zeroizing<String>> {
    let data = Zeroizing::new(Base64::encode_string(message));
    let header = match uri {
        None => format!("prot={KMPID}; data=\"{}\"", *data),
        Some(uri) if uri.bytes().all(is_uri_octet) => {
            format!("prot={KMPID}; uri=\"{uri}\"; data=\"{}\"", *data)
        }
        Some(_) => return None,
    };
    Some(Zeroizing::new(header))
}

/// Whether a `Content-Type` is that of a MIKEY message of version 1 ([RFC 3830 §10.1]).
///
/// ```
/// use mikey::keymgmt::is_media_type;
///
/// assert!(is_media_type("application/mikey"));
/// assert!(is_media_type("Application/MIKEY; version=1"));
/// assert!(!is_media_type("application/mikey; version=2"));
/// assert!(!is_media_type("application/sdp"));
/// ```
///
/// [RFC 3830 §10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-10.1
#[must_use]
pub fn is_media_type(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|media_type| media_type.eq_ignore_ascii_case(MEDIA_TYPE))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("version") => {
                value.trim().trim_matches('"') == "1"
            }
            _ => true,
        })
}

/// A body of `Content-Transfer-Encoding: base64` for `message`, in lines of 76 characters.
///
/// ```
/// use mikey::keymgmt::{body_from_base64, body_to_base64};
///
/// let body = body_to_base64(&[7; 60]);
/// assert_eq!(body.lines().count(), 2);
/// assert_eq!(*body_from_base64(&body)?, [7; 60]);
/// # Ok::<(), mikey::DecodeError>(())
/// ```
#[must_use]
pub fn body_to_base64(message: &[u8]) -> Zeroizing<String> {
    let data = Zeroizing::new(Base64::encode_string(message));
    let lines = data.len().div_ceil(MIME_LINE);
    let mut body = Zeroizing::new(String::with_capacity(data.len() + 2 * lines));
    let mut rest = data.as_str();
    while !rest.is_empty() {
        let (line, following) = rest.split_at_checked(MIME_LINE).unwrap_or((rest, ""));
        body.push_str(line);
        body.push_str("\r\n");
        rest = following;
    }
    body
}

/// The message of a body of `Content-Transfer-Encoding: base64`, wherever its lines break.
///
/// # Errors
///
/// [`DecodeError`] if `body` is not padded base64, or too long.
pub fn body_from_base64(body: &str) -> Result<Zeroizing<Vec<u8>>, DecodeError> {
    check_len(body)?;
    let mut data = Zeroizing::new(String::with_capacity(body.len()));
    data.extend(
        body.chars()
            .filter(|c| !matches!(c, '\r' | '\n' | ' ' | '\t')),
    );
    Base64::decode_vec(&data)
        .map(Zeroizing::new)
        .map_err(|_| error(0))
}

/// Reads one specification from the front of `value`, and what stands behind its comma.
///
/// The error is how many octets were left.
fn specification(value: &str) -> Result<(KeyMgmt<'_>, Option<&str>), usize> {
    let (mut protocol, mut uri, mut data) = (None, None, None);
    let mut rest = value;
    let following = loop {
        let left = rest.len();
        let (name, behind) = rest.split_once('=').ok_or(left)?;
        let (parameter, behind) = parameter_value(behind).ok_or(left)?;
        let field = match name.trim_ascii() {
            "prot" if is_kmpid(parameter) => &mut protocol,
            "uri" if parameter.bytes().all(is_uri_octet) => &mut uri,
            "data" => &mut data,
            _ => return Err(left),
        };
        if field.replace(parameter).is_some() {
            return Err(left);
        }
        let behind = behind.trim_ascii_start();
        match behind.split_at_checked(1) {
            Some((";", more)) if more.trim_ascii().is_empty() => break None,
            Some((";", more)) => rest = more,
            Some((",", more)) => break Some(more),
            None => break None,
            Some(_) => return Err(behind.len()),
        }
    };
    match (protocol, data) {
        (Some(protocol), Some(data)) => Ok((
            KeyMgmt {
                protocol,
                uri,
                data,
            },
            following,
        )),
        _ => Err(following.map_or(0, str::len)),
    }
}

/// A token or a quoted string from the front of `value`, and what stands behind it.
fn parameter_value(value: &str) -> Option<(&str, &str)> {
    let value = value.trim_ascii_start();
    if let Some(quoted) = value.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let end = value.find([';', ',', ' ']).unwrap_or(value.len());
    value.split_at_checked(end)
}

fn is_kmpid(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

/// Visible ASCII, without what would end the quoted string.
const fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && octet != b'"' && octet != b'\\'
}

fn check_len(value: &str) -> Result<(), DecodeError> {
    if value.len() > MAX_KEY_MGMT_LEN {
        return Err(DecodeError::new(
            DecodeErrorKind::TooLong,
            Place::KeyMgmt,
            MAX_KEY_MGMT_LEN,
        ));
    }
    Ok(())
}

fn error(offset: usize) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Grammar, Place::KeyMgmt, offset)
}
