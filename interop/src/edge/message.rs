//! SIP-shaped messages: perhaps a start line, header lines, an empty line, a session description.

use zeroize::Zeroizing;

/// Most octets of a message.
pub(super) const MAX_MESSAGE: usize = 256 * 1024;

/// A message cannot be read.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MessageError {
    /// A header line has no colon, or is no text.
    #[error("header line {line} is not `Name: value`")]
    Header {
        /// Its number, from 1.
        line: usize,
    },
    /// It is longer than is read.
    #[error("longer than {MAX_MESSAGE} octets")]
    TooLong,
}

/// The headers that the edge reads, and the session description; a bare description is a message
/// without headers.
///
/// ```
/// use interop::edge::Message;
///
/// let message = Message::parse(b"P-Asserted-Identity: <sip:bob@home2.net>\r\n\r\nv=0\r\n")?;
/// assert_eq!(message.header("p-asserted-identity").collect::<Vec<_>>(), ["<sip:bob@home2.net>"]);
/// assert_eq!(message.sdp(), b"v=0\r\n");
/// # Ok::<(), interop::edge::MessageError>(())
/// ```
#[derive(Clone)]
pub struct Message {
    request_uri: Option<String>,
    headers: Vec<(String, String)>,
    sdp: Zeroizing<Vec<u8>>,
}

impl Message {
    /// A message of a description alone.
    #[must_use]
    pub fn new(sdp: &[u8]) -> Self {
        Self {
            request_uri: None,
            headers: Vec::new(),
            sdp: Zeroizing::new(sdp.to_vec()),
        }
    }

    /// The same with another header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(octets: &[u8]) -> Result<Self, MessageError> {
        if octets.len() > MAX_MESSAGE {
            return Err(MessageError::TooLong);
        }
        let (mut request_uri, mut headers) = (None, Vec::new());
        let mut rest = octets;
        for number in 1.. {
            if rest.is_empty() || rest.starts_with(b"v=0") {
                break;
            }
            let end = rest.iter().position(|octet| *octet == b'\n');
            let end = end.map_or(rest.len(), |end| end + 1);
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after;
            let malformed = MessageError::Header { line: number };
            let line = core::str::from_utf8(line).map_err(|_| malformed)?.trim();
            if number == 1
                && let Some(start) = line.strip_suffix(" SIP/2.0")
            {
                request_uri = start.split_once(' ').map(|(_, uri)| uri.to_owned());
            } else if !line.is_empty() {
                let (name, value) = line.split_once(':').ok_or(malformed)?;
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Self {
            request_uri,
            headers,
            sdp: Zeroizing::new(rest.to_vec()),
        })
    }

    /// The Request-URI, if the message has a start line.
    #[must_use]
    pub fn request_uri(&self) -> Option<&str> {
        self.request_uri.as_deref()
    }

    /// The values of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The session description; empty if there is none.
    #[must_use]
    pub fn sdp(&self) -> &[u8] {
        &self.sdp
    }

    /// The message as it is sent.
    #[must_use]
    pub fn to_octets(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(self.sdp.len() + 512));
        for (name, value) in &self.headers {
            octets.extend_from_slice(name.as_bytes());
            octets.extend_from_slice(b": ");
            octets.extend_from_slice(value.as_bytes());
            octets.extend_from_slice(b"\r\n");
        }
        if !self.headers.is_empty() {
            octets.extend_from_slice(b"\r\n");
        }
        octets.extend_from_slice(&self.sdp);
        octets
    }
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}
