use alloc::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{ReplayCache, ReplayError, SeenMessage};
use crate::{MessageTime, SkewWindow, Timestamp};

/// A replay cache in memory, of at most `capacity` messages, and as many senders that count theirs.
///
/// Messages leave it when their time is out of the window. When it is full, the sender with the most
/// messages in it gives up its oldest one: of that sender, and of no other, what is not newer is
/// refused from then on. The window shrinks under load, as [RFC 3830 §5.4] suggests, for those who
/// make the load: a sender loses nothing to others as long as it has no more than `capacity` divided
/// by the number of senders. Only when there are as many senders as messages does the oldest message
/// of all make room. No message is ever accepted twice.
///
/// A message takes 48 octets and a sender 150, plus the trees around them; a counter takes 20. Each
/// call takes time logarithmic in `capacity`, but for messages that leave the window.
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
    /// Senders of messages that are remembered; none is without one.
    logs: BTreeMap<Sender, Log>,
    /// The senders by their oldest message.
    by_age: BTreeSet<(Timestamp, Sender)>,
    /// The senders by how many messages they have here.
    by_load: BTreeSet<(usize, Sender)>,
    messages: usize,
    counters: BTreeMap<Sender, u32>,
    /// What is before this is refused, whoever sent it.
    earliest: Option<Timestamp>,
    /// Whether counters may have been accepted that are not in `counters`.
    counters_lost: bool,
}

/// The first half of SHA-256 of an identity, which may have 65535 octets.
type Sender = [u8; 16];

/// What one sender sent.
#[derive(Clone, Debug, Default)]
struct Log {
    seen: BTreeSet<(Timestamp, [u8; 32])>,
    /// What is before this made room, and is refused.
    earliest: Option<Timestamp>,
}

impl Log {
    fn oldest(&self) -> Option<Timestamp> {
        self.seen.first().map(|(time, _)| *time)
    }
}

impl InMemoryReplayCache {
    /// An empty cache for a host that has accepted nothing yet.
    #[must_use]
    pub const fn new(capacity: usize, window: SkewWindow) -> Self {
        Self {
            capacity,
            window,
            logs: BTreeMap::new(),
            by_age: BTreeSet::new(),
            by_load: BTreeSet::new(),
            messages: 0,
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

    /// Messages and counters that it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages + self.counters.len()
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check_clock(
        &mut self,
        sender: Sender,
        digest: &[u8; 32],
        time: Timestamp,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        let entry = (time, *digest);
        let log = self.logs.get(&sender);
        if log.is_some_and(|log| log.seen.contains(&entry)) {
            return Err(ReplayError::Replayed);
        }
        if time > now.plus_seconds(self.window.future().into()) {
            return Err(ReplayError::Early);
        }
        let window_start = now.minus_seconds(self.window.past().into());
        // What is forgotten now stays refused even when the clock is set back.
        let earliest = self.earliest.max(Some(window_start));
        if Some(time) < earliest.max(log.and_then(|log| log.earliest)) {
            return Err(ReplayError::TooOld);
        }
        let expires = |oldest: &(Timestamp, Sender)| oldest.0 < window_start;
        let full = self.messages >= self.capacity && !self.by_age.first().is_some_and(expires);
        let gives_room = if full {
            Some(self.gives_room(sender, time)?)
        } else {
            None
        };
        self.earliest = earliest;
        while let Some((_, sender)) = self.by_age.first().copied().filter(expires) {
            self.change(sender, |log| {
                log.seen.pop_first();
            });
        }
        self.change(sender, |log| {
            log.seen.insert(entry);
        });
        if let Some(sender) = gives_room {
            self.forget_oldest_of(sender);
        }
        Ok(())
    }

    /// Who forgets a message for one of `sender` at `time`.
    fn gives_room(&self, sender: Sender, time: Timestamp) -> Result<Sender, ReplayError> {
        let (load, heaviest) = *self.by_load.last().ok_or(ReplayError::Full)?;
        let own = self.logs.get(&sender);
        if own.map_or(load > 1, |log| log.seen.len() < load) {
            return Ok(heaviest);
        }
        // Of this sender, or of all where nobody has more than one.
        let first = self.by_age.first().copied();
        let oldest = own.and_then(Log::oldest).map(|oldest| (oldest, sender));
        match oldest.or(first) {
            Some((oldest, giver)) if oldest < time => Ok(giver),
            _ => Err(ReplayError::Full),
        }
    }

    fn forget_oldest_of(&mut self, sender: Sender) {
        let mut last = None;
        self.change(sender, |log| {
            let earliest = log.seen.pop_first().map(|(time, _)| time.next());
            log.earliest = log.earliest.max(earliest);
            last = log.earliest.filter(|_| log.seen.is_empty());
        });
        // With its last message the log is gone, so that all are bound by what it was bound by.
        self.earliest = self.earliest.max(last);
    }

    /// Changes the log of a sender, and where it stands among the others.
    ///
    /// A log without messages is dropped, and its bound with it. That is no loss where its last
    /// message has left the window: the one that set the bound was no younger.
    fn change(&mut self, sender: Sender, change: impl FnOnce(&mut Log)) {
        let mut log = self.logs.remove(&sender).unwrap_or_default();
        let load = log.seen.len();
        if let Some(oldest) = log.oldest() {
            self.by_age.remove(&(oldest, sender));
            self.by_load.remove(&(load, sender));
        }
        change(&mut log);
        self.messages = self.messages - load + log.seen.len();
        if let Some(oldest) = log.oldest() {
            self.by_age.insert((oldest, sender));
            self.by_load.insert((log.seen.len(), sender));
            self.logs.insert(sender, log);
        }
    }

    fn check_counter(&mut self, sender: Sender, count: u32) -> Result<(), ReplayError> {
        let senders = self.counters.len();
        match self.counters.get_mut(&sender) {
            Some(last) if count <= *last => return Err(ReplayError::Replayed),
            Some(last) => *last = count,
            None if self.counters_lost => return Err(ReplayError::TooOld),
            None if senders >= self.capacity => return Err(ReplayError::Full),
            None => {
                self.counters.insert(sender, count);
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
        let mut sender = Sender::default();
        let digest = Sha256::digest(message.sender());
        sender
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        match message.time() {
            MessageTime::Counter(count) => self.check_counter(sender, count),
            MessageTime::Utc(time) | MessageTime::Ntp(time) | MessageTime::Utc32(time) => {
                self.check_clock(sender, message.digest(), time, now)
            }
        }
    }
}
