//! What a sender and a receiver have in common.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

use crate::error::SessionError;
use crate::event::{Event, Events};
use crate::framing::Framing;
use crate::index;
use crate::kernel;
use crate::key_uses::{KeyIdentity, MAX_RETIRED_KEYS, Retired};
use crate::keying::{KeyEntry, KeySet, KeyingError, Mki};
use crate::keys::{Derived, Key, Keys, Route, Serving};
use crate::replay::Used;
use crate::session_keys::Protocol;
use crate::stats::StreamStats;
use crate::stream::{Stream, Streams, limit};
use crate::transform::HmacSha1;

/// One direction of a session: keys, streams, and the form of its packets.
pub(crate) struct Session {
    pub(crate) framing: Framing,
    pub(crate) keys: Keys,
    pub(crate) streams: Streams,
    pub(crate) events: Events,
    pub(crate) settings: Settings,
    /// Master keys that were given up; none may come back.
    pub(crate) retired: Retired,
}

/// Packets left before the sequence number wraps at which a sender that keeps its ROC at zero says
/// so: 82 seconds at 20 ms a packet.
const WRAP_NOTICE: u64 = 4096;

/// Streams or sessions of which none is worth asking for: the cache keeps so few by itself.
pub(crate) const FEW_STREAMS: usize = 64;

/// What the application chose when it built the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) replay_window: u32,
    /// Packets left at which a key is announced to expire.
    pub(crate) soft_limit: u64,
    pub(crate) scope: Scope,
    /// A sender that keeps its ROC at zero (TR 33.829 §5.3.2.1).
    pub(crate) roc_always_zero: bool,
    /// A sender whose keys are claimed for the SSRCs it has, and for no others.
    pub(crate) claimed: bool,
    /// Whether packets are of the simple form that has a [short way](crate::common_case).
    pub(crate) common: bool,
    /// The SRTCP index that streams of a sender begin with: 0, or behind a hand-over.
    pub(crate) srtcp_start: u32,
}

/// Whose packets a session takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// Those of any SSRC.
    Any,
    /// Those of the SSRCs that the application or the keys name.
    Named,
    /// Those of the streams that it was given when it was split off.
    Given,
}

/// What becomes of the ROC and the SRTCP index when new master keys are taken.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rekey {
    /// They go on: only the keys change ([RFC 3711 §3.3.1]).
    ///
    /// [RFC 3711 §3.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1
    KeepRoc,
    /// They begin at zero: the streams are new ones ([RFC 4568 §7.1.4], changed addresses).
    ///
    /// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    ResetRoc,
}

/// A stream of a session and where it stands.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StreamInfo {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Rollover counter of the latest packet, or of the first if none came yet.
    pub roc: u32,
    /// Sequence number of the latest packet.
    pub seq: Option<u16>,
    /// SRTCP index of the latest report.
    pub srtcp_index: Option<u32>,
    /// What became of its packets.
    pub stats: StreamStats,
}

/// Where the stream of a packet is, or what it would go on from.
pub(crate) struct Place {
    pub(crate) ssrc: u32,
    at: Option<usize>,
    revived: Option<Box<Stream>>,
}

impl Session {
    /// Whether the cache may have lost streams between their packets.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.streams.iter().len() >= FEW_STREAMS
    }

    /// Where the stream of an RTP packet seems to be; asks for its state.
    #[inline]
    pub(crate) fn look_up(&self, packet: &[u8]) -> usize {
        let ssrc = packet.get(8..).and_then(|rest| rest.first_chunk());
        let at = ssrc.and_then(|ssrc| self.streams.find(u32::from_be_bytes(*ssrc)));
        if let Some(stream) = at.and_then(|at| self.streams.at(at)) {
            kernel::prefetch(stream);
        }
        at.unwrap_or(usize::MAX)
    }

    /// Asks for the keys of the stream at `at`.
    #[inline]
    pub(crate) fn prefetch_keys(&self, at: usize) {
        if let Some(stream) = self.streams.at(at) {
            self.keys.prefetch(stream.route);
        }
    }

    #[inline]
    pub(crate) fn place(&self, ssrc: u32) -> Place {
        self.place_at(ssrc, self.streams.find(ssrc))
    }

    /// The place of a stream that was at `likely` when it was last looked up.
    #[inline]
    pub(crate) fn place_near(&self, ssrc: u32, likely: usize) -> Place {
        self.place_at(ssrc, self.streams.find_at(ssrc, likely))
    }

    #[inline]
    fn place_at(&self, ssrc: u32, at: Option<usize>) -> Place {
        let revived = match at {
            Some(_) => None,
            None => self.revived(ssrc),
        };
        Place { ssrc, at, revived }
    }

    /// The keys that may serve the stream.
    #[inline]
    pub(crate) fn serving(&self, place: &Place) -> Serving<'_> {
        let stream = self.stream(place);
        let route = stream.map_or(Route::NONE, |stream| stream.route);
        self.keys.serving_on(route, place.ssrc)
    }

    #[cold]
    fn revived(&self, ssrc: u32) -> Option<Box<Stream>> {
        let stream = self.streams.revived(ssrc, self.settings.replay_window);
        stream.map(Box::new)
    }

    #[inline]
    pub(crate) fn stream<'a>(&'a self, place: &'a Place) -> Option<&'a Stream> {
        match place.at {
            Some(at) => self.streams.at(at),
            None => place.revived.as_deref(),
        }
    }

    /// What authenticates the SRTP packets of a stream under the key `serial`, which is derived once.
    #[inline]
    pub(crate) fn srtp_mac(&self, ssrc: u32, route: Route, serial: u32) -> Option<&HmacSha1> {
        let only = self.keys.only_on(route);
        match only.filter(|key| key.serial == serial) {
            Some(key) => key.srtp_mac(),
            None => self.srtp_mac_of_any(ssrc, serial),
        }
    }

    #[cold]
    fn srtp_mac_of_any(&self, ssrc: u32, serial: u32) -> Option<&HmacSha1> {
        let place = self.place(ssrc);
        self.serving(&place).by_serial(serial)?.srtp_mac()
    }

    /// Whether a stream with this SSRC exists or may begin.
    #[inline]
    pub(crate) fn serves(&self, place: &Place) -> bool {
        let ssrc = place.ssrc;
        self.stream(place).is_some()
            || !self.streams.is_barred(ssrc)
                && match self.settings.scope {
                    Scope::Any => !self.keys.serving(ssrc).is_empty(),
                    Scope::Named => self.keys.names(ssrc),
                    Scope::Given => false,
                }
    }

    /// Whether there is no stream with this SSRC and no room for one.
    #[inline]
    pub(crate) fn lacks_room(&self, place: &Place) -> bool {
        place.at.is_none() && self.streams.is_full()
    }

    /// The SRTP index of a packet with this sequence number.
    #[inline]
    pub(crate) fn srtp_index(&self, place: &Place, seq: u16) -> Option<u64> {
        let position = self.stream(place).map(Stream::position);
        let (highest, roc) = position.unwrap_or_else(|| (None, self.initial_roc(place.ssrc)));
        index::estimate(highest, roc, seq)
    }

    /// The SRTP index that `<From, To>` of a key is compared with for SRTCP.
    pub(crate) fn latest_srtp_index(&self, place: &Place) -> u64 {
        let latest = self.stream(place).map(Stream::latest_index);
        latest.unwrap_or_else(|| u64::from(self.initial_roc(place.ssrc)) << 16)
    }

    /// Whether the index was not used yet and is not too old to tell.
    #[inline]
    pub(crate) fn check(&self, place: &Place, protocol: Protocol, index: u64) -> Result<(), Used> {
        self.stream(place)
            .map_or(Ok(()), |stream| stream.window_of(protocol).check(index))
    }

    /// Packets that the key may yet serve in this stream.
    #[inline]
    pub(crate) fn left(&self, place: &Place, key: &Key, protocol: Protocol) -> u64 {
        let used = self
            .stream(place)
            .map_or(0, |stream| stream.used(key.serial, protocol));
        limit(key.lifetime(), protocol).saturating_sub(used)
    }

    /// Marks the index as used, counts the packet for its key, and says so if the key nears its end.
    ///
    /// The caller has made sure that the stream exists or may begin.
    #[inline]
    pub(crate) fn commit(&mut self, done: Done, octets: usize) {
        let Done {
            place,
            serial,
            protocol,
            index,
            left,
        } = done;
        let ssrc = place.ssrc;
        let at = place.at.or_else(|| {
            let window = self.settings.replay_window;
            let roc = self.initial_roc(ssrc);
            let begun = || Stream::new(ssrc, roc, window);
            let stream = place.revived.map(|stream| *stream);
            self.streams.insert(stream.unwrap_or_else(begun)).ok()
        });
        let Some(stream) = at.and_then(|at| self.streams.take_turn(at)) else {
            return;
        };
        if !self.keys.is_current(stream.route) {
            stream.route = self.keys.route(ssrc);
        }
        if protocol == Protocol::Srtp {
            stream.next_roc = None;
            if self.settings.roc_always_zero {
                let left = |highest: u64| 0xffff_u64.saturating_sub(highest);
                let before = stream.srtp.highest();
                if left(index) <= WRAP_NOTICE && before.is_none_or(|b| left(b) > WRAP_NOTICE) {
                    self.events.push(Event::RocWrapNear {
                        ssrc,
                        left: left(index),
                    });
                }
            }
        }
        stream.window(protocol).accept(index);
        stream.stats.note_done(octets);
        let used = stream.count(serial, protocol, |serial| self.keys.is_live(serial));
        stream.allow_short_way(if self.settings.common {
            self.keys
                .short_until(stream.route, serial, self.settings.soft_limit)
        } else {
            0
        });
        let left = left.saturating_sub(1);
        let lifetime = used + left;
        if left == 0 || left == self.settings.soft_limit.min(lifetime / 2) {
            self.events.push(Event::key(ssrc, protocol, left));
        }
    }

    /// Keeps session keys that had to be derived for a packet, once it was committed.
    #[cold]
    pub(crate) fn keep(
        &mut self,
        derived: &mut Derived,
        serial: u32,
        protocol: Protocol,
        index: u64,
    ) {
        let r = self.keys.derivation().rate(protocol).epoch(index);
        if let Some(key) = self.keys.by_serial_mut(serial) {
            key.keep(derived, r);
        }
    }

    /// Adds a stream that begins at `roc`, or sets the ROC of one that exists.
    pub(crate) fn set_roc(&mut self, ssrc: u32, roc: u32) -> Result<(), SessionError> {
        let place = self.place(ssrc);
        let may_add = match self.settings.scope {
            Scope::Any => true,
            Scope::Named => !self.settings.claimed || self.keys.names(ssrc),
            Scope::Given => false,
        };
        if !self.serves(&place) && (!may_add || self.streams.is_barred(ssrc)) {
            return Err(SessionError::UnknownSsrc);
        }
        self.begin(ssrc, roc)
    }

    /// [`set_roc`](Self::set_roc) for any SSRC that a key is for.
    pub(crate) fn begin(&mut self, ssrc: u32, roc: u32) -> Result<(), SessionError> {
        if self.keys.serving(ssrc).is_empty() || self.streams.is_barred(ssrc) {
            return Err(SessionError::UnknownSsrc);
        }
        if let Some(stream) = self.streams.get_mut(ssrc) {
            return stream.set_roc(roc);
        }
        let window = self.settings.replay_window;
        let revived = self.streams.revived(ssrc, window);
        let mut stream = revived.unwrap_or_else(|| Stream::new(ssrc, roc, window));
        stream.set_roc(roc)?;
        self.streams.insert(stream).map(|_| ())
    }

    /// Adds a stream that begins where the key management says.
    pub(crate) fn begin_new(&mut self, ssrc: u32) -> Result<(), SessionError> {
        self.begin(ssrc, self.initial_roc(ssrc))
    }

    /// The same session with new keys and new streams.
    pub(crate) fn anew(&self, set: &KeySet) -> Result<Self, SessionError> {
        let mut session = Self {
            framing: Framing {
                mki_len: set.mki_len(),
                ..self.framing.clone()
            },
            keys: Keys::new(set, self.keys.derivation())?,
            streams: Streams::new(self.streams.max()),
            events: Events::default(),
            settings: Settings {
                srtcp_start: 0,
                common: self.settings.common && set.mki_len() == 0,
                ..self.settings
            },
            retired: self.retired.clone(),
        };
        for ssrc in self.streams.barred() {
            session.streams.bar(ssrc);
        }
        if self.settings.scope != Scope::Any {
            for stream in self.streams.iter() {
                session.begin_new(stream.ssrc)?;
            }
        }
        Ok(session)
    }

    /// Takes `set` for the keys in use, which are given up after `grace` packets; the session
    /// before a reset of the ROC is returned. `None` if the keys are those in use.
    ///
    /// Refuses keys that were given up: nobody counts any more what they protected.
    pub(crate) fn rekey(
        &mut self,
        set: &KeySet,
        rekey: Rekey,
        grace: u32,
    ) -> Result<Option<Self>, SessionError> {
        if set.profile() != self.framing.profile {
            return Err(KeyingError::ProfileMismatch.into());
        }
        if set.parameters() != self.framing.parameters {
            return Err(SessionError::ParametersChanged);
        }
        if self.keys.same_as(set) {
            return Ok(None);
        }
        self.refuse_retired(set.entries())?;
        if set
            .entries()
            .iter()
            .any(|entry| self.keys.holds(entry.key()))
        {
            return Err(SessionError::KeyInUse);
        }
        let given_up: BTreeSet<_> = self.keys.iter().map(Key::identity).collect();
        self.check_room_to_retire(given_up.len())?;
        let previous = match rekey {
            Rekey::KeepRoc => {
                self.keys.replace(set, grace)?;
                None
            }
            Rekey::ResetRoc => {
                let session = self.anew(set)?;
                Some(core::mem::replace(self, session))
            }
        };
        self.retired.extend(given_up);
        Ok(previous)
    }

    /// Adds a key that was never given up.
    pub(crate) fn add_key(&mut self, entry: KeyEntry) -> Result<(), SessionError> {
        self.refuse_retired([&entry])?;
        self.keys.add(entry)
    }

    /// Gives up the key with this MKI.
    pub(crate) fn remove_key(&mut self, mki: &Mki) -> Result<(), SessionError> {
        let named = self.keys.iter().filter(|key| key.has_mki(Some(mki)));
        let mut given_up: BTreeSet<_> = named.map(Key::identity).collect();
        self.check_room_to_retire(given_up.len())?;
        self.keys.remove(mki)?;
        // The same key may stay under another MKI.
        given_up.retain(|identity| !self.keys.knows(identity));
        self.retired.extend(given_up);
        Ok(())
    }

    /// Says of keys that are near their end, or past it, that they are.
    pub(crate) fn announce_limits(&mut self) {
        for stream in self.streams.iter() {
            for key in self.keys.serving(stream.ssrc).all() {
                for protocol in [Protocol::Srtp, Protocol::Srtcp] {
                    let limit = limit(key.lifetime(), protocol);
                    let left = limit.saturating_sub(stream.used(key.serial, protocol));
                    if left <= self.settings.soft_limit.min(limit / 2) {
                        self.events.push(Event::key(stream.ssrc, protocol, left));
                    }
                }
            }
        }
    }

    fn refuse_retired<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a KeyEntry>,
    ) -> Result<(), SessionError> {
        let mut identities = entries
            .into_iter()
            .map(|entry| KeyIdentity::of(entry.key()));
        if identities.any(|identity| self.retired.contains(&identity)) {
            return Err(SessionError::KeyInUse);
        }
        Ok(())
    }

    /// Whether `given_up` keys more can be remembered.
    fn check_room_to_retire(&self, given_up: usize) -> Result<(), SessionError> {
        if self.retired.len() + given_up > MAX_RETIRED_KEYS {
            Err(SessionError::RetiredKeys)
        } else {
            Ok(())
        }
    }

    /// The ROC that the key management says streams with this SSRC begin with.
    fn initial_roc(&self, ssrc: u32) -> u32 {
        self.keys.serving(ssrc).all().next().map_or(0, Key::roc)
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = StreamInfo> {
        self.streams.iter().map(StreamInfo::new)
    }

    pub(crate) fn info(&self, ssrc: u32) -> Option<StreamInfo> {
        self.streams.get(ssrc).map(StreamInfo::new)
    }
}

/// A packet that was protected or opened.
pub(crate) struct Done {
    pub(crate) place: Place,
    pub(crate) serial: u32,
    pub(crate) protocol: Protocol,
    pub(crate) index: u64,
    /// Packets that the key could yet serve before this one.
    pub(crate) left: u64,
}

impl StreamInfo {
    fn new(stream: &Stream) -> Self {
        let highest = stream.srtp.highest();
        let srtcp_index = stream.srtcp.highest();
        Self {
            ssrc: stream.ssrc,
            roc: stream.next_roc.or(highest.map(index::roc)).unwrap_or(0),
            seq: highest.and_then(|index| u16::try_from(index & 0xffff).ok()),
            srtcp_index: srtcp_index.and_then(|index| u32::try_from(index).ok()),
            stats: stream.stats,
        }
    }
}
