//! The most that is read of what a peer sends. Whatever is longer is refused, not truncated.

pub use srtp::keying::{MAX_KEYS_PER_STREAM, MAX_MKI_LEN};

/// Octets of the longest `a=crypto` line that is looked at.
///
/// Sixteen keys with MKIs of 128 octets, and as many FEC keys, fit.
pub const MAX_LINE_LEN: usize = 16 * 1024;

/// Most session parameters of one line.
pub const MAX_SESSION_PARAMETERS: usize = 32;

/// Most `a=crypto` lines of one media line.
pub const MAX_LINES_PER_MEDIA: usize = 64;

/// Most crypto-suites of a [`Policy`](crate::Policy).
pub const MAX_SUITES: usize = 32;

/// Octets of the longest crypto-suite name.
pub const MAX_SUITE_NAME_LEN: usize = 64;

/// The greatest tag: nine digits ([RFC 4568 §9.1]).
///
/// [RFC 4568 §9.1]: https://www.rfc-editor.org/rfc/rfc4568#section-9.1
pub const MAX_TAG: u32 = 999_999_999;

/// The smallest window that a WSH parameter may ask for ([RFC 4568 §6.3.6]).
///
/// [RFC 4568 §6.3.6]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.6
pub const MIN_WINDOW_SIZE_HINT: u32 = 64;

/// Most master keys that [`SdpKeys`](crate::SdpKeys) remembers.
pub const MAX_KEYS_PER_SDP: usize = 1024;

/// Most master keys, of both sides together, that a session may have given up. It then takes no new
/// key any more, since it could not tell whether it is an old one; a new media line begins afresh.
pub const MAX_RETIRED_KEYS: usize = 1024;
