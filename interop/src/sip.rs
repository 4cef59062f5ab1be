//! A SIP MESSAGE ([RFC 3428]) as text, as far as the programs need it, and the server that keeps
//! messages for users who are away.
//!
//! [RFC 3428]: https://www.rfc-editor.org/rfc/rfc3428

use alloc::collections::{BTreeMap, VecDeque};

use smime_psk::MimeError;
use smime_psk::mime::{self, Headers, SmimeType, TransferEncoding};

/// Messages that are kept for one user.
pub const MAX_KEPT: usize = 1000;

/// Octets of the longest body that is taken.
pub const MAX_BODY: usize = 1024 * 1024;

/// A MESSAGE is not one that can be read.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SipError {
    /// There is no end of the header, or what it needs is not there.
    #[error("not a SIP MESSAGE")]
    Malformed,
    /// The body is not of the type that it says.
    #[error("body: {0}")]
    Mime(#[from] MimeError),
    /// The body is too long.
    #[error("the body is too long")]
    TooLong,
}

/// A MESSAGE: who writes to whom, and the body with its type.
///
/// ```
/// use interop::sip::SipMessage;
///
/// let message = SipMessage::new("sip:alice@example.com", "sip:bob@example.com", "text/plain", b"Hi");
/// let read = SipMessage::read(&message.to_vec())?;
/// assert_eq!(read, message);
/// # Ok::<(), interop::sip::SipError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SipMessage {
    from: String,
    to: String,
    content_type: String,
    body: Vec<u8>,
}

impl SipMessage {
    /// From `from` to `to`, both URIs.
    #[must_use]
    pub fn new(from: &str, to: &str, content_type: &str, body: &[u8]) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            content_type: content_type.to_owned(),
            body: body.to_vec(),
        }
    }

    /// With an S/MIME body ([RFC 8551 §3.2]).
    ///
    /// [RFC 8551 §3.2]: https://www.rfc-editor.org/rfc/rfc8551#section-3.2
    #[must_use]
    pub fn smime(from: &str, to: &str, cms: &[u8]) -> Self {
        let wrapped = mime::wrap(cms, SmimeType::default(), TransferEncoding::Binary);
        Self::new(from, to, wrapped.content_type(), wrapped.body())
    }

    /// Reads a MESSAGE.
    ///
    /// # Errors
    ///
    /// [`SipError`] if it is none.
    pub fn read(octets: &[u8]) -> Result<Self, SipError> {
        let blank = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let body = octets.get(blank.ok_or(SipError::Malformed)? + 4..);
        let body = body.unwrap_or_default();
        if !octets.starts_with(b"MESSAGE ") {
            return Err(SipError::Malformed);
        }
        if body.len() > MAX_BODY {
            return Err(SipError::TooLong);
        }
        let headers = Headers::of_sip(octets)?;
        let field = |name| {
            let value = headers.single(name)?.ok_or(SipError::Malformed)?;
            Ok::<_, SipError>(value.into_owned())
        };
        let bare = |value: String| {
            let value = value.split(";tag=").next().unwrap_or_default();
            value.trim_matches(['<', '>']).to_owned()
        };
        Ok(Self {
            from: bare(field("From")?),
            to: bare(field("To")?),
            content_type: field("Content-Type")?,
            body: body.to_vec(),
        })
    }

    /// The MESSAGE as it is sent.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        [self.head().as_bytes(), &self.body].concat()
    }

    /// Its start line and header, with the blank line.
    #[must_use]
    pub fn head(&self) -> String {
        let Self {
            from,
            to,
            content_type,
            body,
        } = self;
        format!(
            "MESSAGE {to} SIP/2.0\r\nFrom: <{from}>;tag=1\r\nTo: <{to}>\r\nCall-ID: 1@example.com\r\n\
             CSeq: 1 MESSAGE\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
    }

    /// Who is said to have sent it.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Whom it is for.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The type of the body.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The CMS in an S/MIME body.
    ///
    /// # Errors
    ///
    /// [`SipError::Mime`] for a body of another type.
    pub fn cms(&self) -> Result<Vec<u8>, SipError> {
        let cms = mime::unwrap_body(&self.content_type, None, &self.body)?;
        Ok(cms.into_owned())
    }
}

/// Keeps messages for users who are away (TR 33.829 §8.3.1.1.2), as they came.
#[derive(Debug, Default)]
pub struct Store(BTreeMap<String, VecDeque<Vec<u8>>>);

impl Store {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a message. Whether there was room for it.
    #[must_use]
    pub fn keep(&mut self, message: &SipMessage) -> bool {
        let kept = self.0.entry(message.to.clone()).or_default();
        let room = kept.len() < MAX_KEPT;
        if room {
            kept.push_back(message.to_vec());
        }
        room
    }

    /// What `user` gets on coming back, the oldest first: so no replay cache has to remember more
    /// than it can for the user to lose none.
    pub fn deliver(&mut self, user: &str) -> impl Iterator<Item = Vec<u8>> + use<> {
        self.0.remove(user).unwrap_or_default().into_iter()
    }
}
