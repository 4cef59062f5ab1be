use alloc::collections::BTreeSet;

use mikey::{ReplayCache, ReplayError, SeenMessage, SkewWindow, Timestamp};

/// The replay cache for messages that may be delivered days later: no age limit, the oldest makes
/// room (TR 33.829 §8.3.1.1.2).
///
/// Messages that come in the order of their times are never lost, however small it is. When it is
/// full, one that is not newer than the oldest in it is refused, since it may have been forgotten.
/// What comes from further in the future than clocks are apart is refused
/// ([`SkewWindow::default`]), or it would keep out every message until then.
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
///
/// What it knows outlives a restart by [`iter`](Self::iter), [`forgotten`](Self::forgotten) and
/// [`restored`](Self::restored).
#[derive(Clone, Debug)]
pub struct DeferredReplayCache {
    capacity: usize,
    seen: BTreeSet<(Timestamp, [u8; 32])>,
    forgotten: Option<Timestamp>,
}

impl DeferredReplayCache {
    /// An empty cache of at most `capacity` messages, of 48 octets and some overhead each. Make it
    /// as large as the number of messages that may come out of order.
    ///
    /// For a user that has taken no message yet: one that has lost its cache takes
    /// [`restored`](Self::restored).
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            seen: BTreeSet::new(),
            forgotten: None,
        }
    }

    /// A cache that remembers `messages`, by time and digest, and refuses all up to `forgotten`.
    ///
    /// A user that has lost its cache gives no messages, and the time of the loss: what was sent
    /// before is refused, since it may have been taken.
    ///
    /// ```
    /// use mikey::Timestamp;
    /// use mikey_ticket::DeferredReplayCache;
    ///
    /// let loss = Timestamp::from_unix(1_800_000_000, 0);
    /// let cache = DeferredReplayCache::restored(1000, Some(loss), []);
    /// assert_eq!((cache.forgotten(), cache.len()), (Some(loss), 0));
    /// ```
    #[must_use]
    pub fn restored(
        capacity: usize,
        forgotten: Option<Timestamp>,
        messages: impl IntoIterator<Item = (Timestamp, [u8; 32])>,
    ) -> Self {
        let mut this = Self {
            forgotten,
            ..Self::new(capacity)
        };
        this.seen.extend(messages);
        while this.seen.len() > capacity {
            this.forget_oldest();
        }
        this
    }

    /// The messages that it remembers, oldest first: to be stored.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, [u8; 32])> {
        self.seen.iter().copied()
    }

    /// The latest time of a message that it no longer remembers; none up to it is taken.
    #[must_use]
    pub const fn forgotten(&self) -> Option<Timestamp> {
        self.forgotten
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

    fn forget_oldest(&mut self) {
        if let Some((time, _)) = self.seen.pop_first() {
            self.forgotten = self.forgotten.max(Some(time));
        }
    }
}

impl ReplayCache for DeferredReplayCache {
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        let time = message.time().clock().ok_or(ReplayError::TooOld)?;
        let entry = (time, *message.digest());
        if self.seen.contains(&entry) {
            return Err(ReplayError::Replayed);
        }
        // Old is no fault, but what claims to be from next year would push out all that is due.
        if time > now.plus_seconds(SkewWindow::default().future().into()) {
            return Err(ReplayError::Early);
        }
        if self.forgotten.is_some_and(|forgotten| time <= forgotten) {
            return Err(ReplayError::TooOld);
        }
        if self.seen.len() >= self.capacity {
            match self.seen.first() {
                Some((oldest, _)) if *oldest < time => self.forget_oldest(),
                _ => return Err(ReplayError::TooOld),
            }
        }
        self.seen.insert(entry);
        Ok(())
    }
}
