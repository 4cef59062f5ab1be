//! MSRP between two endpoints ([RFC 4975]): messages in chunks over one connection, each chunk
//! answered. No relays of [RFC 4976]; reports are neither asked for nor sent.
//!
//! [RFC 4975]: https://www.rfc-editor.org/rfc/rfc4975
//! [RFC 4976]: https://www.rfc-editor.org/rfc/rfc4976

mod frame;
mod session;

pub use frame::{ByteRange, Flag, Frame, FrameError, Kind};
pub use session::{Message, Session, SessionError};

/// Octets of a chunk that is sent: what may be sent without being interruptible ([RFC 4975 §5.1]).
///
/// [RFC 4975 §5.1]: https://www.rfc-editor.org/rfc/rfc4975#section-5.1
pub const CHUNK: usize = 2048;

/// Octets of the longest frame that is taken.
pub const MAX_FRAME: usize = 64 * 1024;

/// Octets of the longest message that is taken.
pub const MAX_MESSAGE: usize = 256 * 1024 * 1024;
