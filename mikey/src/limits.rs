//! Bounds on what a peer may send. Each has a test at its edge.

/// Most octets of one MIKEY message.
///
/// RFC 3830 sets no bound; no field of a message can say more than this of itself.
pub const MAX_MESSAGE_LEN: usize = 1 << 16;

/// Most payloads of one chain: of a message, of a Ticket Policy, of decrypted key material.
///
/// A ticket names each of its responders in a payload of its own; no other chain comes near.
pub const MAX_PAYLOADS: usize = 1024;

/// Most certificates that the exchanges take in one message: a chain of the signer.
pub const MAX_CERTIFICATES: usize = 8;

/// Most crypto sessions of a bundle: what the `#CS` field can say ([RFC 3830 §6.1]).
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
pub const MAX_CRYPTO_SESSIONS: usize = 255;

/// Most octets of a `key-mgmt` attribute, `KeyMgmt` header or base64 body that are looked at.
///
/// The longest message in base64, and as much again as a URI may take.
pub const MAX_KEY_MGMT_LEN: usize = MAX_MESSAGE_LEN.div_ceil(3) * 4 + 8192;
