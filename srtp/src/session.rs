//! What a sender and a receiver have in common.

use alloc::boxed::Box;
use core::cmp::Ordering;

use crate::error::SessionError;
use crate::event::{Event, Events};
use crate::framing::Framing;
use crate::index;
use crate::keying::{KeySet, KeyingError};
use crate::keys::{Derivation, Key, Keys};
use crate::session_keys::{Protocol, SessionKeys};
use crate::stats::StreamStats;
use crate::stream::{Stream, Streams, limit};

/// One direction of a session: keys, streams, and the form of its packets.
pub(crate) struct Session {
    pub(crate) framing: Framing,
    pub(crate) keys: Keys,
    pub(crate) streams: Streams,
    pub(crate) events: Events,
    pub(crate) settings: Settings,
}

/// What the application chose when it built the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) replay_window: u32,
    /// Packets left at which a key is announced to expire.
    pub(crate) soft_limit: u64,
    pub(crate) scope: Scope,
    /// A sender that keeps its ROC at zero (TR 33.829 §5.3.2.1).
    pub(crate) roc_always_zero: bool,
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

impl Session {
    /// The highest SRTP index of a stream and the ROC it begins with, whether it has an entry yet
    /// or not.
    pub(crate) fn position(&self, ssrc: u32) -> (Option<u64>, u32) {
        let position = self.streams.position(ssrc, Protocol::Srtp);
        position.unwrap_or_else(|| (None, self.initial_roc(ssrc)))
    }

    /// The SRTP index that `<From, To>` of a key is compared with for SRTCP ([RFC 3711 §8.1.1]).
    ///
    /// [RFC 3711 §8.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-8.1.1
    pub(crate) fn latest_srtp_index(&self, ssrc: u32) -> u64 {
        let (highest, initial_roc) = self.position(ssrc);
        highest.unwrap_or(u64::from(initial_roc) << 16)
    }

    /// The ROC that the key management says streams with this SSRC begin with.
    fn initial_roc(&self, ssrc: u32) -> u32 {
        let group = self
            .keys
            .group_of(ssrc)
            .and_then(|group| self.keys.group(group));
        group
            .and_then(|group| group.keys().first())
            .map_or(0, |key| key.entry.roc())
    }

    /// Whether a stream with this SSRC exists or may begin.
    pub(crate) fn serves(&self, ssrc: u32) -> bool {
        if self.streams.knows(ssrc) {
            return true;
        }
        !self.streams.is_barred(ssrc)
            && match self.settings.scope {
                Scope::Any => self.keys.group_of(ssrc).is_some(),
                Scope::Named => self.keys.names(ssrc),
                Scope::Given => false,
            }
    }

    /// Whether there is no stream with this SSRC and no room for one.
    pub(crate) fn lacks_room(&self, ssrc: u32) -> bool {
        self.streams.get(ssrc).is_none() && self.streams.is_full()
    }

    /// Whether the key has served as many packets of the stream as its lifetime allows.
    pub(crate) fn is_expired(&self, ssrc: u32, key: &Key, protocol: Protocol) -> bool {
        self.streams.used(ssrc, key.serial, protocol) >= limit(key.entry.lifetime(), protocol)
    }

    /// Marks the index as used, counts the packet for its key, says so if the key nears its end,
    /// and keeps session keys that had to be derived.
    ///
    /// The caller has made sure that the stream exists or may begin.
    pub(crate) fn commit(&mut self, done: Done, octets: usize) {
        let Done {
            ssrc,
            serial,
            protocol,
            index,
            fresh,
        } = done;
        let soft_limit = self.settings.soft_limit;
        let Some(group) = self.keys.group_of(ssrc) else {
            return;
        };
        if self.streams.get(ssrc).is_none() {
            let (_, roc) = self.position(ssrc);
            let stream = Stream::new(ssrc, roc, self.settings.replay_window);
            if self.streams.insert(stream).is_err() {
                return;
            }
        }
        let Some(stream) = self.streams.get_mut(ssrc) else {
            return;
        };
        stream.window(protocol).accept(index);
        stream.stats.note_done(octets);
        let used = stream.count(serial, protocol);
        let r = self.keys.derivation().rate(protocol).epoch(index);
        let group = self.keys.group_mut(group);
        if let Some(key) = group.and_then(|group| group.by_serial_mut(serial)) {
            let limit = limit(key.entry.lifetime(), protocol);
            let left = limit.saturating_sub(used);
            if left == 0 || left == soft_limit.min(limit / 2) {
                self.events.push(Event::key(ssrc, protocol, left));
            }
            if let Some(fresh) = fresh {
                key.keep(*fresh, r, protocol);
            }
        }
    }

    /// [`commit`](Self::commit) for a packet from the peer, which shows that the peer has its key.
    pub(crate) fn commit_opened(&mut self, done: Done, octets: usize) {
        let (ssrc, serial) = (done.ssrc, done.serial);
        self.commit(done, octets);
        let group = self
            .keys
            .group_of(ssrc)
            .and_then(|group| self.keys.group_mut(group));
        if let Some(group) = group {
            group.note_opened(serial);
        }
    }

    /// Adds a stream that begins at `roc`, or sets the ROC of one that exists.
    pub(crate) fn set_roc(&mut self, ssrc: u32, roc: u32) -> Result<(), SessionError> {
        let refused = match self.settings.scope {
            Scope::Any | Scope::Named => self.streams.is_barred(ssrc),
            Scope::Given => !self.streams.knows(ssrc),
        };
        if refused || self.keys.group_of(ssrc).is_none() {
            return Err(SessionError::UnknownSsrc);
        }
        if self.streams.get(ssrc).is_none() {
            let stream = Stream::new(ssrc, roc, self.settings.replay_window);
            self.streams.insert(stream)?;
        }
        let stream = self
            .streams
            .get_mut(ssrc)
            .ok_or(SessionError::UnknownSsrc)?;
        let Some(highest) = stream.srtp.highest() else {
            stream.initial_roc = roc;
            return Ok(());
        };
        match roc.cmp(&index::roc(highest)) {
            Ordering::Less => Err(SessionError::RocBehind),
            Ordering::Equal => Ok(()),
            Ordering::Greater => {
                stream.srtp.skip_to(u64::from(roc) << 16 | highest & 0xffff);
                Ok(())
            }
        }
    }

    /// The same session with new keys and new streams.
    pub(crate) fn anew(&self, set: &KeySet) -> Result<Self, SessionError> {
        let derivation = Derivation {
            parameters: set.parameters(),
            ..*self.keys.derivation()
        };
        let mut session = Self {
            framing: Framing {
                parameters: set.parameters(),
                mki_len: set.mki_len(),
                ..self.framing
            },
            keys: Keys::new(set, derivation)?,
            streams: Streams::new(self.streams.max()),
            events: Events::new(),
            settings: self.settings,
        };
        if self.settings.scope != Scope::Any {
            for stream in self.streams.iter() {
                let (_, roc) = session.position(stream.ssrc);
                session.set_roc(stream.ssrc, roc)?;
            }
        }
        Ok(session)
    }

    /// Whether `set` can take the place of the keys in use: of the same profile, with the same
    /// parameters, and as many keys and streams as it needs.
    pub(crate) fn check_rekey(&self, set: &KeySet) -> Result<(), SessionError> {
        if set.profile() != self.framing.profile {
            return Err(KeyingError::ProfileMismatch.into());
        }
        if set.parameters() != self.framing.parameters {
            return Err(SessionError::ParametersChanged);
        }
        Ok(())
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
    pub(crate) ssrc: u32,
    pub(crate) serial: u32,
    pub(crate) protocol: Protocol,
    pub(crate) index: u64,
    /// Session keys that had to be derived for it.
    pub(crate) fresh: Option<Box<SessionKeys>>,
}

impl StreamInfo {
    fn new(stream: &Stream) -> Self {
        let highest = stream.srtp.highest();
        Self {
            ssrc: stream.ssrc,
            roc: highest.map_or(stream.initial_roc, index::roc),
            seq: highest.and_then(|index| u16::try_from(index & 0xffff).ok()),
            srtcp_index: stream
                .srtcp
                .highest()
                .and_then(|index| u32::try_from(index).ok()),
            stats: stream.stats,
        }
    }
}
