use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{MessageTime, SkewWindow, Timestamp};

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
    /// A message of `sender` (the type and the data of its identity) with SHA-256 `digest` and
    /// `time`.
    #[must_use]
    pub const fn new(digest: &'a [u8; 32], sender: &'a [u8], time: MessageTime) -> Self {
        Self {
            digest,
            sender,
            time,
        }
    }

    /// SHA-256 of the whole message.
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
    /// There is no room for the counter of one more sender.
    #[error("the replay cache has no room for another sender")]
    Full,
    /// The message was accepted before.
    #[error("the message was accepted before")]
    Replayed,
    /// The message is too old to be told from one that was accepted.
    #[error("the message is older than the replay cache remembers")]
    TooOld,
    /// The store of the cache does not answer, so nothing is known of the message.
    #[error("the replay cache does not answer")]
    Unavailable,
}

/// A replay cache in memory, of at most `capacity` messages.
///
/// Messages leave it when their time is out of the window. When it is full the oldest makes room,
/// and what is not newer than that one is refused from then on: the window shrinks under load, as
/// [RFC 3830 §5.4] suggests, and no message is ever accepted twice. An entry takes 48 octets plus
/// the tree around it; senders that count their messages take one entry each.
///
/// ```
/// use mikey::{
///     InMemoryReplayCache, MessageTime, ReplayCache, ReplayError, SeenMessage, SkewWindow,
///     Timestamp,
/// };
///
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let message = SeenMessage::new(&[0xab; 32], b"alice@example.org", MessageTime::Utc(now));
/// assert_eq!(cache.check_and_insert(&message, now), Ok(()));
/// assert_eq!(cache.check_and_insert(&message, now), Err(ReplayError::Replayed));
/// ```
///
/// [RFC 3830 §5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
#[derive(Clone, Debug)]
pub struct InMemoryReplayCache {
    capacity: usize,
    window: SkewWindow,
    seen: BTreeSet<(Timestamp, [u8; 32])>,
    counters: BTreeMap<Vec<u8>, u32>,
    /// What is before this is refused.
    earliest: Option<Timestamp>,
    /// Whether counters may have been accepted that are not in `counters`.
    counters_lost: bool,
}

impl InMemoryReplayCache {
    /// An empty cache for a host that has accepted nothing yet.
    #[must_use]
    pub const fn new(capacity: usize, window: SkewWindow) -> Self {
        Self {
            capacity,
            window,
            seen: BTreeSet::new(),
            counters: BTreeMap::new(),
            earliest: None,
            counters_lost: false,
        }
    }

    /// An empty cache for a host that has lost track of what it accepted before `now`: it refuses
    /// everything that may be among that, and so every message with a counter in place of a time.
    #[must_use]
    pub fn after_loss(capacity: usize, window: SkewWindow, now: Timestamp) -> Self {
        let earliest = Some(now.plus_seconds(window.future().into()).next());
        Self {
            earliest,
            counters_lost: true,
            ..Self::new(capacity, window)
        }
    }

    /// Messages that it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len() + self.counters.len()
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check_clock(
        &mut self,
        digest: &[u8; 32],
        time: Timestamp,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        let entry = (time, *digest);
        if self.seen.contains(&entry) {
            return Err(ReplayError::Replayed);
        }
        if time > now.plus_seconds(self.window.future().into()) {
            return Err(ReplayError::Early);
        }
        let oldest = now.minus_seconds(self.window.past().into());
        // What is forgotten now stays refused even when the clock is set back.
        let mut earliest = self.earliest.max(Some(oldest));
        if Some(time) < earliest {
            return Err(ReplayError::TooOld);
        }
        let first = self.seen.first().map(|(first, _)| *first);
        let makes_room = first.filter(|first| *first >= oldest && self.seen.len() >= self.capacity);
        if let Some(first) = makes_room {
            if first >= time {
                return Err(ReplayError::Full);
            }
            earliest = earliest.max(Some(first.next()));
            self.seen.pop_first();
        }
        while self.seen.first().is_some_and(|(time, _)| *time < oldest) {
            self.seen.pop_first();
        }
        self.earliest = earliest;
        self.seen.insert(entry);
        Ok(())
    }

    fn check_counter(&mut self, sender: &[u8], count: u32) -> Result<(), ReplayError> {
        let senders = self.counters.len();
        match self.counters.get_mut(sender) {
            Some(last) if count <= *last => return Err(ReplayError::Replayed),
            Some(last) => *last = count,
            None if self.counters_lost => return Err(ReplayError::TooOld),
            None if senders >= self.capacity => return Err(ReplayError::Full),
            None => {
                self.counters.insert(sender.to_vec(), count);
            }
        }
        Ok(())
    }
}

impl ReplayCache for InMemoryReplayCache {
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        match message.time() {
            MessageTime::Counter(count) => self.check_counter(message.sender(), count),
            MessageTime::Utc(time) | MessageTime::Ntp(time) | MessageTime::Utc32(time) => {
                self.check_clock(message.digest(), time, now)
            }
        }
    }
}
