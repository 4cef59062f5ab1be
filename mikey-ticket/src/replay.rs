use alloc::collections::BTreeSet;

use mikey::{ReplayCache, ReplayError, SeenMessage, Timestamp};

/// The replay cache for messages that may be delivered days later: no age limit, the oldest makes
/// room (TR 33.829 §8.3.1.1.2).
///
/// Messages that come in the order of their times are never lost, however small it is. When it is
/// full, one that is not newer than the oldest in it is refused, since it may have been forgotten.
///
/// ```
/// use mikey::{MessageTime, ReplayCache, ReplayError, SeenMessage, Timestamp};
/// use mikey_ticket::DeferredReplayCache;
///
/// let mut cache = DeferredReplayCache::new(2);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let mut take = |number: u8| {
///     let time = MessageTime::Utc(now.minus_seconds(1000).plus_seconds(number.into()));
///     cache.check_and_insert(&SeenMessage::new(&[number; 32], b"alice", time), now)
/// };
/// assert_eq!((take(1), take(2), take(3)), (Ok(()), Ok(()), Ok(())));
/// assert_eq!(take(3), Err(ReplayError::Replayed));
/// assert_eq!(take(1), Err(ReplayError::TooOld), "forgotten, so refused");
/// ```
#[derive(Clone, Debug)]
pub struct DeferredReplayCache {
    capacity: usize,
    seen: BTreeSet<(Timestamp, [u8; 32])>,
    /// The latest time of what was forgotten.
    forgotten: Option<Timestamp>,
}

impl DeferredReplayCache {
    /// An empty cache of at most `capacity` messages, of 48 octets and some overhead each. Make it
    /// as large as the number of messages that may come out of order.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            seen: BTreeSet::new(),
            forgotten: None,
        }
    }

    /// Messages that it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

impl ReplayCache for DeferredReplayCache {
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        _now: Timestamp,
    ) -> Result<(), ReplayError> {
        let time = message.time().clock().ok_or(ReplayError::TooOld)?;
        let entry = (time, *message.digest());
        if self.seen.contains(&entry) {
            return Err(ReplayError::Replayed);
        }
        if self.forgotten.is_some_and(|forgotten| time <= forgotten) {
            return Err(ReplayError::TooOld);
        }
        if self.seen.len() >= self.capacity {
            match self.seen.first() {
                Some((oldest, _)) if *oldest < time => {
                    self.forgotten = Some(*oldest);
                    self.seen.pop_first();
                }
                _ => return Err(ReplayError::TooOld),
            }
        }
        self.seen.insert(entry);
        Ok(())
    }
}
