//! The state of one SSRC, and the table of all of them.

mod removed;

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::error::SessionError;
use crate::index;
use crate::keying::Lifetime;
use crate::keys::Route;
use crate::replay::ReplayWindow;
use crate::session_keys::Protocol;
use crate::stats::StreamStats;

use removed::Removed;

/// One SSRC of a session: its indices and how many packets each master key served it with.
///
/// What decides whether a packet is dropped comes first, in one line of the cache; what else an
/// ordinary packet changes is in the next.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    /// Whether a packet was processed since idle streams were last looked for.
    pub(crate) active: bool,
    /// Whether the application knows that the ROC is the sender's.
    pub(crate) roc_synchronised: bool,
    /// Where its keys are, if that was looked for.
    pub(crate) route: Route,
    /// Packets served by the latest key at which the [short way](crate::common_case) ends: 0 where
    /// there is none.
    short_until: u64,
    pub(crate) srtp: ReplayWindow,
    pub(crate) usage: KeyUsage,
    pub(crate) stats: StreamStats,
    /// The ROC that the next packet has, whatever its sequence number: before the first packet, and
    /// after the ROC was set.
    pub(crate) next_roc: Option<u32>,
    pub(crate) srtcp: ReplayWindow,
}

/// How many packets of one stream a master key served.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Usage {
    pub(crate) serial: u32,
    pub(crate) srtp: u64,
    pub(crate) srtcp: u64,
}

impl Usage {
    /// Of a key that never was.
    const NONE: Self = Self {
        serial: u32::MAX,
        srtp: 0,
        srtcp: 0,
    };

    const fn of(&self, protocol: Protocol) -> u64 {
        match protocol {
            Protocol::Srtp => self.srtp,
            Protocol::Srtcp => self.srtcp,
        }
    }
}

/// How many packets of one stream each master key served.
#[derive(Clone, Debug)]
pub(crate) struct KeyUsage {
    /// That of the key that served last, if any did.
    latest: Usage,
    /// Those of keys before it: none, nearly always.
    earlier: Option<Box<Earlier>>,
}

#[derive(Clone, Debug, Default)]
struct Earlier(Vec<Usage>);

impl KeyUsage {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Usage> {
        let latest = Some(&self.latest).filter(|latest| latest.serial != u32::MAX);
        latest.into_iter().chain(self.earlier())
    }

    fn earlier(&self) -> &[Usage] {
        self.earlier.as_ref().map_or(&[], |earlier| &earlier.0)
    }

    /// Changes what `change` finds, and drops what it returns `false` for.
    pub(crate) fn retain_mut(&mut self, mut change: impl FnMut(&mut Usage) -> bool) {
        if let Some(earlier) = &mut self.earlier {
            earlier.0.retain_mut(&mut change);
        }
        if self.latest.serial != u32::MAX && !change(&mut self.latest) {
            let earlier = self.earlier.as_mut();
            self.latest = earlier
                .and_then(|earlier| earlier.0.pop())
                .unwrap_or(Usage::NONE);
        }
        self.earlier.take_if(|earlier| earlier.0.is_empty());
    }

    /// Makes the key `serial` the latest. If it serves for the first time, it takes the place of
    /// those that are not `live` any more.
    #[cold]
    fn turn_to(&mut self, serial: u32, live: impl Fn(u32) -> bool) {
        let known = self
            .earlier()
            .iter()
            .position(|usage| usage.serial == serial);
        let known = known.zip(self.earlier.as_mut());
        let next = if let Some((at, earlier)) = known {
            earlier.0.swap_remove(at)
        } else {
            self.retain_mut(|usage| live(usage.serial));
            Usage {
                serial,
                ..Usage::default()
            }
        };
        if self.latest.serial != u32::MAX {
            self.earlier.get_or_insert_default().0.push(self.latest);
        }
        self.latest = next;
    }
}

impl FromIterator<Usage> for KeyUsage {
    fn from_iter<I: IntoIterator<Item = Usage>>(usage: I) -> Self {
        let mut usage = usage.into_iter();
        let latest = usage.next().unwrap_or(Usage::NONE);
        let earlier: Vec<Usage> = usage.collect();
        let earlier = Some(earlier).filter(|earlier| !earlier.is_empty());
        Self {
            latest,
            earlier: earlier.map(|earlier| Box::new(Earlier(earlier))),
        }
    }
}

/// In memory, three lines of the cache.
const _: () = assert!(size_of::<Stream>() == 192);

impl Stream {
    pub(crate) fn new(ssrc: u32, next_roc: u32, window: u32) -> Self {
        Self {
            ssrc,
            active: true,
            roc_synchronised: false,
            route: Route::NONE,
            short_until: 0,
            srtp: ReplayWindow::new(window),
            usage: KeyUsage::from_iter([]),
            stats: StreamStats::default(),
            next_roc: Some(next_roc),
            srtcp: ReplayWindow::new(window),
        }
    }

    /// Counts one more and returns how many the key `serial` has served. A key that serves for the
    /// first time takes the place of those that are not `live` any more.
    #[inline]
    pub(crate) fn count(
        &mut self,
        serial: u32,
        protocol: Protocol,
        live: impl Fn(u32) -> bool,
    ) -> u64 {
        self.active = true;
        if self.usage.latest.serial != serial {
            self.usage.turn_to(serial, live);
        }
        let usage = &mut self.usage.latest;
        let count = match protocol {
            Protocol::Srtp => &mut usage.srtp,
            Protocol::Srtcp => &mut usage.srtcp,
        };
        *count += 1;
        *count
    }

    /// Packets of `protocol` that the key `serial` served.
    #[inline]
    pub(crate) fn used(&self, serial: u32, protocol: Protocol) -> u64 {
        if self.usage.latest.serial == serial {
            return self.usage.latest.of(protocol);
        }
        let mut earlier = self.usage.earlier().iter();
        let usage = earlier.find(|usage| usage.serial == serial);
        usage.map_or(0, |usage| usage.of(protocol))
    }

    /// Lets packets go the short way from now on, until the latest key has served `until`, if they
    /// go on from the one before.
    pub(crate) fn allow_short_way(&mut self, until: u64) {
        let goes_on = self.next_roc.is_none() && self.srtp.highest().is_some();
        self.short_until = if goes_on { until } else { 0 };
    }

    /// The index of a packet with this sequence number that comes behind all others, if it may go
    /// the short way.
    #[inline]
    pub(crate) fn next_short(&self, seq: u16) -> Option<u64> {
        let (next, ahead) = self.ahead(seq)?;
        if ahead >= 0x7fff {
            return None;
        }
        index::within(next.checked_add(ahead.into())?)
    }

    /// The index of a packet with this sequence number that was not used yet, if it may go the short
    /// way.
    #[inline]
    pub(crate) fn unused_short(&self, seq: u16) -> Option<u64> {
        let (next, ahead) = self.ahead(seq)?;
        if ahead < 0x7fff {
            return index::within(next.checked_add(ahead.into())?);
        }
        // Halfway round, what is nearer is for the long way to say.
        if ahead == 0x7fff {
            return None;
        }
        let index = next.checked_sub(0x1_0000 - u64::from(ahead))?;
        self.srtp.check(index).ok()?;
        Some(index)
    }

    /// The index behind the highest, and how far before it, round the end, the sequence number is.
    #[inline]
    fn ahead(&self, seq: u16) -> Option<(u64, u16)> {
        if self.usage.latest.srtp >= self.short_until {
            return None;
        }
        let next = self.srtp.next();
        let expected = u16::try_from(next & 0xffff).unwrap_or(0);
        Some((next, seq.wrapping_sub(expected)))
    }

    /// Notes an SRTP packet that went the short way.
    #[inline]
    pub(crate) fn note_short(&mut self, index: u64, octets: usize) {
        self.srtp.accept(index);
        self.stats.note_done(octets);
        self.usage.latest.srtp += 1;
        self.active = true;
    }

    /// The key that served last, if any did.
    pub(crate) const fn latest_serial(&self) -> u32 {
        self.usage.latest.serial
    }

    /// The highest SRTP index that estimates go by, and the ROC they begin with if there is none.
    #[inline]
    pub(crate) fn position(&self) -> (Option<u64>, u32) {
        match self.next_roc {
            Some(roc) => (None, roc),
            None => (self.srtp.highest(), 0),
        }
    }

    /// The SRTP index that `<From, To>` of a key is compared with for SRTCP ([RFC 3711 §8.1.1]).
    ///
    /// [RFC 3711 §8.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-8.1.1
    pub(crate) fn latest_index(&self) -> u64 {
        self.srtp
            .highest()
            .unwrap_or(u64::from(self.next_roc.unwrap_or(0)) << 16)
    }

    /// Sets the ROC of the next packet.
    pub(crate) fn set_roc(&mut self, roc: u32) -> Result<(), SessionError> {
        self.short_until = 0;
        let reached = self.srtp.highest().map(index::roc);
        match reached {
            Some(reached) if roc < reached => Err(SessionError::RocBehind),
            Some(reached) if roc == reached => {
                self.next_roc = None;
                Ok(())
            }
            _ => {
                self.next_roc = Some(roc);
                Ok(())
            }
        }
    }

    #[inline]
    pub(crate) const fn window_of(&self, protocol: Protocol) -> &ReplayWindow {
        match protocol {
            Protocol::Srtp => &self.srtp,
            Protocol::Srtcp => &self.srtcp,
        }
    }

    #[inline]
    pub(crate) const fn window(&mut self, protocol: Protocol) -> &mut ReplayWindow {
        match protocol {
            Protocol::Srtp => &mut self.srtp,
            Protocol::Srtcp => &mut self.srtcp,
        }
    }
}

/// Packets of `protocol` that `lifetime` allows.
pub(crate) const fn limit(lifetime: Lifetime, protocol: Protocol) -> u64 {
    match protocol {
        Protocol::Srtp => lifetime.srtp_packets(),
        Protocol::Srtcp => lifetime.srtcp_packets(),
    }
}

/// The streams of a session, found by SSRC in constant time; their number is bounded.
///
/// A stream that is removed leaves its highest indices behind, so that it cannot begin anew under
/// the same keys.
#[derive(Debug)]
pub(crate) struct Streams {
    list: Vec<Stream>,
    /// Where the stream of the latest packet is: often that of the next. Nothing but time depends on
    /// it.
    recent: usize,
    /// Where in the list each stream is; made for the second.
    by_ssrc: Option<Box<HashMap<u32, u32>>>,
    max: usize,
    removed: Option<Box<Removed>>,
}

impl Streams {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            list: Vec::new(),
            recent: 0,
            by_ssrc: None,
            max,
            removed: None,
        }
    }

    pub(crate) const fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= self.max
    }

    /// Where the stream of the latest packet is.
    #[inline]
    pub(crate) const fn recent(&self) -> usize {
        self.recent
    }

    /// Where the stream is, if there is one.
    #[inline]
    pub(crate) fn find(&self, ssrc: u32) -> Option<usize> {
        self.find_at(ssrc, self.recent)
    }

    /// The same for a stream that is probably at `likely`.
    #[inline]
    pub(crate) fn find_at(&self, ssrc: u32, likely: usize) -> Option<usize> {
        match self.list.get(likely) {
            Some(stream) if stream.ssrc == ssrc => Some(likely),
            _ => self.look_for(ssrc),
        }
    }

    /// Notes where the stream is, unless it is the only one that there ever was.
    fn note_place(&mut self, ssrc: u32, at: usize) {
        if at == 0 && self.by_ssrc.is_none() {
            return;
        }
        let first = self.list.first().map(|first| (first.ssrc, 0));
        let by_ssrc = self
            .by_ssrc
            .get_or_insert_with(|| Box::new(first.into_iter().collect()));
        if let Ok(at) = u32::try_from(at) {
            by_ssrc.insert(ssrc, at);
        }
    }

    /// The stream at `at`, for a packet that claims to be of it.
    #[inline]
    pub(crate) fn take_turn(&mut self, at: usize) -> Option<&mut Stream> {
        self.recent = at;
        self.list.get_mut(at)
    }

    #[inline]
    fn look_for(&self, ssrc: u32) -> Option<usize> {
        match &self.by_ssrc {
            Some(by_ssrc) => by_ssrc.get(&ssrc).and_then(|at| usize::try_from(*at).ok()),
            None => self.list.iter().position(|stream| stream.ssrc == ssrc),
        }
    }

    pub(crate) fn at(&self, at: usize) -> Option<&Stream> {
        self.list.get(at)
    }

    pub(crate) fn at_mut(&mut self, at: usize) -> Option<&mut Stream> {
        self.list.get_mut(at)
    }

    pub(crate) fn get(&self, ssrc: u32) -> Option<&Stream> {
        self.at(self.find(ssrc)?)
    }

    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut Stream> {
        self.at_mut(self.find(ssrc)?)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Stream> {
        self.list.iter()
    }

    pub(crate) fn is_barred(&self, ssrc: u32) -> bool {
        let removed = self.removed.as_ref();
        removed.is_some_and(|removed| removed.is_barred(ssrc))
    }

    pub(crate) fn bar(&mut self, ssrc: u32) {
        self.removed.get_or_insert_default().bar(ssrc);
    }

    /// SSRCs that another sender serves now, in ascending order.
    pub(crate) fn barred(&self) -> Vec<u32> {
        let removed = self.removed.as_ref();
        removed.map_or_else(Vec::new, |removed| removed.barred())
    }

    /// The stream that was removed, as it goes on if its packets come again.
    pub(crate) fn revived(&self, ssrc: u32, window: u32) -> Option<Stream> {
        self.removed.as_ref()?.revived(ssrc, window)
    }

    /// Adds a stream; it takes the place of a removed one with its SSRC.
    pub(crate) fn insert(&mut self, stream: Stream) -> Result<usize, SessionError> {
        let ssrc = stream.ssrc;
        if self.is_full() || self.look_for(ssrc).is_some() {
            return Err(SessionError::StreamLimit);
        }
        if let Some(removed) = &mut self.removed {
            removed.forget(ssrc);
        }
        let at = self.list.len();
        if at == 0 {
            // Most sessions have one stream and no more.
            self.list.reserve_exact(1);
        }
        self.list.push(Stream {
            route: Route::NONE,
            short_until: 0,
            ..stream
        });
        self.note_place(ssrc, at);
        Ok(at)
    }

    /// Takes a stream, live or removed, out without a trace: it goes on elsewhere.
    pub(crate) fn release(&mut self, ssrc: u32, window: u32) -> Option<Stream> {
        let Some(stream) = self.revived(ssrc, window) else {
            return self.take(ssrc);
        };
        if let Some(removed) = &mut self.removed {
            removed.forget(ssrc);
        }
        Some(stream)
    }

    fn take(&mut self, ssrc: u32) -> Option<Stream> {
        let at = self.look_for(ssrc)?;
        let stream = self.list.swap_remove(at);
        if let Some(by_ssrc) = &mut self.by_ssrc {
            by_ssrc.remove(&ssrc);
            if let (Some(moved), Ok(at)) = (self.list.get(at), u32::try_from(at)) {
                by_ssrc.insert(moved.ssrc, at);
            }
        }
        Some(stream)
    }

    /// Removes a stream but for its highest indices. As many removed streams as live ones are
    /// remembered; then the one removed first is forgotten, if `forget` allows it or no key that
    /// served it is `live`.
    pub(crate) fn park(
        &mut self,
        ssrc: u32,
        forget: bool,
        live: impl Fn(u32) -> bool,
    ) -> Result<(), SessionError> {
        if self.find(ssrc).is_none() {
            return Err(SessionError::UnknownSsrc);
        }
        let removed = self.removed.get_or_insert_default();
        if !removed.make_room(self.max, forget, live) {
            return Err(SessionError::StreamLimit);
        }
        if let Some(stream) = self.take(ssrc) {
            self.removed.get_or_insert_default().remember(stream);
        }
        Ok(())
    }

    /// Parks every stream without a packet since the last call; returns how many.
    pub(crate) fn park_idle(&mut self, forget: bool, live: impl Fn(u32) -> bool) -> usize {
        let idle: Vec<u32> = self
            .list
            .iter()
            .filter(|stream| !stream.active)
            .map(|stream| stream.ssrc)
            .collect();
        for stream in &mut self.list {
            stream.active = false;
        }
        idle.into_iter()
            .filter(|ssrc| self.park(*ssrc, forget, &live).is_ok())
            .count()
    }

    /// Every stream that was removed, in the order of their removal.
    pub(crate) fn removed(&self, window: u32) -> impl Iterator<Item = Stream> {
        let removed = self.removed.iter();
        removed.flat_map(move |removed| removed.iter(window))
    }
}

#[cfg(test)]
mod tests {
    //! Self-consistency: every stream is found where it is, however many came and went.

    use super::{Stream, Streams, Vec};

    #[test]
    fn streams_are_found_as_they_come_and_go() {
        let mut streams = Streams::new(4);
        let mut live: Vec<u32> = Vec::new();
        for step in 0..1000_u32 {
            let ssrc = step.wrapping_mul(0x9e37_79b9) >> 29;
            if live.contains(&ssrc) {
                streams.park(ssrc, true, |_| true).unwrap();
                live.retain(|other| *other != ssrc);
            } else {
                let room = live.len() < 4;
                let added = streams.insert(Stream::new(ssrc, 0, 64)).is_ok();
                assert_eq!(added, room);
                live.extend(added.then_some(ssrc));
            }
            assert_eq!(streams.iter().len(), live.len());
            for ssrc in 0..8 {
                let found = streams.get(ssrc).map(|stream| stream.ssrc);
                assert_eq!(found, live.contains(&ssrc).then_some(ssrc), "step {step}");
                assert_eq!(streams.find_at(ssrc, usize::MAX), streams.find(ssrc));
            }
        }
    }
}
