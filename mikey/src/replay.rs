mod in_memory;

use crate::{MessageTime, Timestamp};

pub use in_memory::InMemoryReplayCache;

/// An authenticated message, as a replay cache knows it ([RFC 3830 §5.4]).
///
/// [RFC 3830 §5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
#[derive(Clone, Copy, Debug)]
pub struct SeenMessage<'a> {
    digest: &'a [u8; 32],
    sender: &'a [u8],
    time: MessageTime,
}

impl<'a> SeenMessage<'a> {
    /// A message of `sender` (the type and the data of its identity) with `digest` and `time`.
    ///
    /// # Security
    ///
    /// `digest` is of what the MAC or signature covers, not of the whole message: where a signature
    /// can be changed and still hold, the message would not be known again by its octets.
    #[must_use]
    pub const fn new(digest: &'a [u8; 32], sender: &'a [u8], time: MessageTime) -> Self {
        Self {
            digest,
            sender,
            time,
        }
    }

    /// SHA-256 of what the MAC or signature of the message covers; the exchanges of this crate put
    /// the sender in front of it.
    #[must_use]
    pub const fn digest(&self) -> &'a [u8; 32] {
        self.digest
    }

    /// The type and the data of the identity of the authenticated sender.
    #[must_use]
    pub const fn sender(&self) -> &'a [u8] {
        self.sender
    }

    /// The time of the message.
    #[must_use]
    pub const fn time(&self) -> MessageTime {
        self.time
    }
}

/// The messages that a Responder has accepted ([RFC 3830 §5.4]).
///
/// Called once for each message, after its MAC or signature was verified and its time found within
/// the skew window, and before anything of it is used. Implement it on a store that the nodes of a
/// cluster share; [`InMemoryReplayCache`] serves one.
///
/// # Security
///
/// To say `Ok` twice for the same message lets an attacker repeat it: the same keys are established
/// again. To refuse a new message costs that one call; when in doubt, refuse.
///
/// [RFC 3830 §5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
pub trait ReplayCache {
    /// Remembers `message`, unless it is there or can no longer be told from one that was.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]; the cache is unchanged then.
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        now: Timestamp,
    ) -> Result<(), ReplayError>;
}

impl<C: ReplayCache + ?Sized> ReplayCache for &mut C {
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        (**self).check_and_insert(message, now)
    }
}

/// A replay cache refused a message; the cache is unchanged.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReplayError {
    /// The message is from later than the window allows: kept until then, it would take up room.
    #[error("the message is from the future")]
    Early,
    /// There is no room for the counter of one more sender, or for a message older than all that
    /// may make room for it.
    #[error("the replay cache is full")]
    Full,
    /// The message was accepted before.
    #[error("the message was accepted before")]
    Replayed,
    /// The message is too old to be told from one that was accepted.
    #[error("the message is too old to be told from one that was accepted")]
    TooOld,
    /// The store of the cache does not answer, so nothing is known of the message.
    #[error("the replay cache does not answer")]
    Unavailable,
}
