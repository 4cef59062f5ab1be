//! What a peer's message may ask of this crate; beyond it the message is refused.

/// Recipients in one message.
pub const RECIPIENTS: usize = 4096;

/// Attributes in one set, and values in one attribute.
pub const ATTRIBUTES: usize = 256;

/// Octets of one attribute set, in BER or in DER.
pub const ATTRIBUTE_OCTETS: usize = 65_536;

/// Levels of nesting below a value that is looked into.
pub const DEPTH: usize = 16;

/// Octets of a GCM nonce, where a policy admits other lengths than 12.
pub const GCM_NONCE: usize = 64;

/// Octets of everything before the content when a message is read from a stream.
pub const STREAM_HEAD: usize = 1 << 20;

/// Octets of the header section of one MIME entity or SIP message.
pub const HEADER_OCTETS: usize = 65_536;

/// Header fields in one section, and parameters in one field.
pub const HEADERS: usize = 256;

/// Parts of one multipart entity.
pub const PARTS: usize = 256;

/// Multipart entities inside each other.
pub const MULTIPART_DEPTH: usize = 8;
