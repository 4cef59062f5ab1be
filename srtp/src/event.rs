use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::session_keys::Protocol;

/// Most events kept for the caller; when more come, the oldest are dropped.
const MAX_EVENTS: usize = 64;

/// Something the key management should know about.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The master key has few SRTP packets of this stream left: time to rekey.
    SrtpKeyExpiring {
        /// The stream.
        ssrc: u32,
        /// Packets left.
        left: u64,
    },
    /// The master key protects no further SRTP packet of this stream.
    SrtpKeyExpired {
        /// The stream.
        ssrc: u32,
    },
    /// The master key has few SRTCP packets of this stream left: time to rekey.
    SrtcpKeyExpiring {
        /// The stream.
        ssrc: u32,
        /// Packets left.
        left: u64,
    },
    /// The master key protects no further SRTCP packet of this stream.
    SrtcpKeyExpired {
        /// The stream.
        ssrc: u32,
    },
    /// The sequence number will soon wrap in a session that keeps its ROC at zero: time to begin a
    /// new stream (TR 33.829 §5.3.2.1).
    RocWrapNear {
        /// The stream.
        ssrc: u32,
        /// Packets left.
        left: u64,
    },
}

impl Event {
    /// A key has `left` packets left.
    pub(crate) const fn key(ssrc: u32, protocol: Protocol, left: u64) -> Self {
        match (protocol, left) {
            (Protocol::Srtp, 0) => Self::SrtpKeyExpired { ssrc },
            (Protocol::Srtp, left) => Self::SrtpKeyExpiring { ssrc, left },
            (Protocol::Srtcp, 0) => Self::SrtcpKeyExpired { ssrc },
            (Protocol::Srtcp, left) => Self::SrtcpKeyExpiring { ssrc, left },
        }
    }
}

/// The events that the caller has not fetched yet.
#[expect(
    clippy::box_collection,
    reason = "a pointer is a third of an empty collection, which most sessions have"
)]
#[derive(Debug, Default)]
pub(crate) struct Events(Option<Box<VecDeque<Event>>>);

impl Events {
    pub(crate) fn push(&mut self, event: Event) {
        let events = self.0.get_or_insert_default();
        if events.len() >= MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.0.as_mut().and_then(|events| events.pop_front())
    }
}
