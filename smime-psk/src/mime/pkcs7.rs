use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::base64;
use super::entity::{Entity, decode_body};
use super::media_type::MediaType;
use crate::error::MimeError;

/// The smime-type parameter that goes out; both are read, in any case.
///
/// ```
/// use smime_psk::mime::SmimeType;
///
/// assert_eq!(SmimeType::default().as_str(), "auth-enveloped-data");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SmimeType {
    /// `auth-enveloped-data`: TR 33.829 annex B.1 and RFC 8591.
    #[default]
    AuthEnvelopedData,
    /// `authEnveloped-data`: [RFC 8551 §3.2.2], as IANA registered it.
    ///
    /// [RFC 8551 §3.2.2]: https://www.rfc-editor.org/rfc/rfc8551#section-3.2.2
    Rfc8551,
}

impl SmimeType {
    /// The value of the parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthEnvelopedData => "auth-enveloped-data",
            Self::Rfc8551 => "authEnveloped-data",
        }
    }
}

/// How the body goes out.
///
/// ```
/// use smime_psk::mime::{SmimeType, TransferEncoding, wrap};
///
/// let wrapped = wrap(b"\x30\x00", SmimeType::default(), TransferEncoding::Binary);
/// assert_eq!(wrapped.body(), b"\x30\x00");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TransferEncoding {
    /// The octets as they are: SIP and MSRP are clean for 8 bits.
    #[default]
    Binary,
    /// Base64 in lines of 76 characters.
    Base64,
}

/// A protected message as a MIME body with the fields that describe it.
///
/// In a SIP MESSAGE the fields are SIP header fields and the body is the body; inside a multipart
/// it is an entity:
///
/// ```
/// use smime_psk::mime::{Entity, SmimeType, TransferEncoding, wrap};
///
/// let wrapped = wrap(b"\x30\x00", SmimeType::Rfc8551, TransferEncoding::Base64);
/// assert_eq!(wrapped.body(), b"MAA=\r\n");
/// let entity = wrapped.to_entity(Some("20398823@example.com"));
/// assert_eq!(Entity::parse(&entity)?.content_id()?.as_deref(), Some("20398823@example.com"));
/// # Ok::<(), smime_psk::MimeError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrapped {
    content_type: String,
    transfer_encoding: TransferEncoding,
    body: Vec<u8>,
}

/// Wraps a ContentInfo as application/pkcs7-mime (TR 33.829 annex B.2).
#[must_use]
pub fn wrap(cms: &[u8], smime_type: SmimeType, encoding: TransferEncoding) -> Wrapped {
    let smime_type = smime_type.as_str();
    Wrapped {
        content_type: format!("application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m"),
        transfer_encoding: encoding,
        body: match encoding {
            TransferEncoding::Binary => cms.to_vec(),
            TransferEncoding::Base64 => base64::encode(cms),
        },
    }
}

impl Wrapped {
    /// The value of Content-Type.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The value of Content-Transfer-Encoding.
    #[must_use]
    pub const fn transfer_encoding(&self) -> &'static str {
        match self.transfer_encoding {
            TransferEncoding::Binary => "binary",
            TransferEncoding::Base64 => "base64",
        }
    }

    /// The value of Content-Disposition.
    #[must_use]
    pub const fn content_disposition(&self) -> &'static str {
        "attachment; filename=smime.p7m"
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The whole entity, with a Content-ID if one is given. The identifier must be one, without
    /// line ends; it is the caller's own.
    #[must_use]
    pub fn to_entity(&self, content_id: Option<&str>) -> Vec<u8> {
        let mut head = format!(
            "Content-Type: {}\r\nContent-Transfer-Encoding: {}\r\nContent-Disposition: {}\r\n",
            self.content_type,
            self.transfer_encoding(),
            self.content_disposition(),
        );
        if let Some(id) = content_id {
            let id: String = id.chars().filter(|c| !c.is_control()).collect();
            head.extend(["Content-ID: <", &id, ">\r\n"]);
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// Takes the ContentInfo out of an application/pkcs7-mime entity.
///
/// # Errors
///
/// The entity is malformed, of another type, or announces another kind of protection.
pub fn unwrap(entity: &[u8]) -> Result<Cow<'_, [u8]>, MimeError> {
    let entity = Entity::parse(entity)?;
    let headers = entity.headers();
    let content_type = headers
        .single("Content-Type")?
        .ok_or(MimeError::MediaType)?;
    let encoding = headers.single("Content-Transfer-Encoding")?;
    unwrap_body(&content_type, encoding.as_deref(), entity.body())
}

/// Takes the ContentInfo out of a body whose fields stand elsewhere, as in a SIP message.
///
/// The smime-type is a hint and may be missing; what the ContentInfo is, its object identifier
/// says. One that announces something else is refused all the same. File names are not looked at.
///
/// # Errors
///
/// The body is malformed, of another type, or announces another kind of protection.
pub fn unwrap_body<'a>(
    content_type: &str,
    transfer_encoding: Option<&str>,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, MimeError> {
    let media_type = MediaType::parse(content_type)?;
    if !matches!(
        media_type.essence(),
        "application/pkcs7-mime" | "application/x-pkcs7-mime"
    ) {
        return Err(MimeError::MediaType);
    }
    let known = |value: &str| {
        [SmimeType::AuthEnvelopedData, SmimeType::Rfc8551]
            .iter()
            .any(|known| known.as_str().eq_ignore_ascii_case(value))
    };
    if !media_type.parameter("smime-type").is_none_or(known) {
        return Err(MimeError::SmimeType);
    }
    decode_body(transfer_encoding, body)
}
