//! What can go wrong, one type for each thing a caller does.

/// The octets are not the structure they should be.
///
/// Nothing was taken from them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} at octet {offset}")]
pub struct DecodeError {
    kind: DecodeErrorKind,
    offset: usize,
}

impl DecodeError {
    pub(crate) const fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What was found.
    #[must_use]
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// Where, in octets from the start of the message.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

/// What a [`DecodeError`] found.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// Deeper nesting or more elements than [`limits`](crate::limits) admits.
    #[error("beyond the limits")]
    BeyondLimits,
    /// There is no encryptedContent; detached content is not supported.
    #[error("no content")]
    ContentMissing,
    /// A length that is not well-formed.
    #[error("malformed length")]
    Length,
    /// A value that its type does not admit.
    #[error("malformed value")]
    Malformed,
    /// A content type other than AuthEnvelopedData, such as EnvelopedData.
    #[error("not AuthEnvelopedData")]
    NotAuthEnvelopedData,
    /// An encoding that BER has and DER has not.
    #[error("not DER")]
    NotDer,
    /// Octets after the last element.
    #[error("trailing octets")]
    Trailing,
    /// The octets end inside an element.
    #[error("truncated")]
    Truncated,
    /// Another element than the structure has in this place.
    #[error("unexpected tag")]
    UnexpectedTag,
    /// A version this crate does not know.
    #[error("unknown version")]
    Version,
}

/// A [`KeyTransport`](crate::KeyTransport) could not wrap or unwrap the content key.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// The key, or the ticket that carries it, is no longer valid.
    #[error("key or ticket expired")]
    Expired,
    /// The recipient information is not authentic under the key it names.
    #[error("wrapped key is not authentic")]
    Forged,
    /// The content key has a length that the transport cannot carry.
    #[error("length of the content key")]
    KeyLength,
    /// The recipient information is for this transport and not well-formed.
    #[error("malformed recipient information")]
    Malformed,
    /// This transport has no place for a proof of origin.
    #[error("no proof of origin in this transport")]
    NoProofOfOrigin,
    /// A policy, here or at the key management server, forbids it.
    #[error("refused by policy")]
    Refused,
    /// The recipient information was seen before.
    #[error("replayed")]
    Replayed,
    /// What would carry the key cannot be reached now.
    #[error("key management unavailable")]
    Unavailable,
}

/// A message could not be sealed; there is no output.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// The attributes hold a content-type of their own, or more than the limits admit.
    #[error("attributes")]
    Attributes,
    /// The content is longer than the algorithm, with its nonce, admits.
    #[error("content too long")]
    ContentTooLong,
    /// The content given is not of the length that was announced.
    #[error("content length")]
    ContentLength,
    /// The transport wrapped the key for nobody.
    #[error("no recipient")]
    NoRecipient,
    /// A proof of origin needs the whole content first and cannot be streamed.
    #[error("no proof of origin in a stream")]
    ProofOfOriginInStream,
    /// The algorithm has no authentication tag of this length.
    #[error("tag length")]
    TagLength,
    /// The key could not be wrapped.
    #[error("key transport: {0}")]
    Transport(#[from] TransportError),
    /// Writing failed: what was written is to be thrown away.
    #[cfg(feature = "std")]
    #[error("writing: {0}")]
    Io(std::io::ErrorKind),
}

/// A message was not opened; no octet of its content is given out.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OpenError {
    /// The content encryption is not authenticated, not known, or not admitted by the policy.
    #[error("content encryption algorithm not admitted")]
    Algorithm,
    /// The content is of another type than the policy wants, or the content-type attribute does
    /// not say the same ([RFC 5083 §2.1]).
    ///
    /// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
    #[error("content type")]
    ContentType,
    /// The tag does not match: the message, its attributes or the key are not what was sealed.
    #[error("authentication failed")]
    Forged,
    /// The content key is not of the length that the algorithm takes.
    #[error("length of the content key")]
    KeyLength,
    /// The octets are not an AuthEnvelopedData.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// No recipient information is for the transport at hand.
    #[error("not for this recipient")]
    NoRecipient,
    /// The nonce has a length that the algorithm or the policy does not admit.
    #[error("nonce length")]
    NonceLength,
    /// The proof of origin is of another message.
    #[error("proof of origin of another message")]
    OriginMismatch,
    /// The policy wants a proof of origin, or a committing one, and there is none.
    #[error("no proof of origin")]
    OriginMissing,
    /// The content is longer than the policy admits.
    #[error("content too long")]
    TooLong,
    /// The tag is shorter than the policy admits, or not of the announced length.
    #[error("tag length")]
    TagLength,
    /// A recipient information is for the transport at hand, which refused it.
    #[error("key transport: {0}")]
    Transport(#[from] TransportError),
    /// Reading, seeking or writing failed.
    #[cfg(feature = "std")]
    #[error("reading or writing: {0}")]
    Io(std::io::ErrorKind),
}

/// A MIME entity or SIP header section is not what it should be; nothing was taken from it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MimeError {
    /// The body is not base64.
    #[error("malformed base64")]
    Base64,
    /// More fields, parts, parameters or nesting than [`limits`](crate::limits) admits.
    #[error("beyond the limits")]
    BeyondLimits,
    /// A multipart entity without its boundary, or without its end.
    #[error("malformed multipart")]
    Boundary,
    /// A header field is not well-formed, or one that must be single is there twice.
    #[error("malformed header field")]
    Header,
    /// The media type is not the one wanted.
    #[error("media type")]
    MediaType,
    /// No part has the Content-ID that is asked for, or two have.
    #[error("no such part")]
    NoSuchPart,
    /// The smime-type announces something other than AuthEnvelopedData.
    #[error("smime-type")]
    SmimeType,
    /// The Content-Transfer-Encoding is not known.
    #[error("transfer encoding")]
    TransferEncoding,
}
