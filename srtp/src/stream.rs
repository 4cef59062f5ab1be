//! The state of one SSRC, and the table of all of them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};

use crate::error::SessionError;
use crate::keying::Lifetime;
use crate::replay::{ReplayWindow, Used};
use crate::session_keys::Protocol;
use crate::stats::StreamStats;

/// One SSRC of a session: its indices and how many packets each master key served it with.
#[repr(align(64))]
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    pub(crate) initial_roc: u32,
    /// The key that served last.
    pub(crate) serial: u32,
    /// Whether a packet was processed since idle streams were last looked for.
    pub(crate) active: bool,
    pub(crate) srtp: ReplayWindow,
    pub(crate) srtcp: ReplayWindow,
    pub(crate) usage: Vec<Usage>,
    pub(crate) stats: StreamStats,
}

/// How many packets of one stream a master key served.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Usage {
    pub(crate) serial: u32,
    pub(crate) srtp: u64,
    pub(crate) srtcp: u64,
}

impl Stream {
    pub(crate) fn new(ssrc: u32, initial_roc: u32, window: u32) -> Self {
        Self {
            ssrc,
            initial_roc,
            serial: u32::MAX,
            active: true,
            srtp: ReplayWindow::new(window),
            srtcp: ReplayWindow::new(window),
            usage: Vec::with_capacity(1),
            stats: StreamStats::default(),
        }
    }

    /// Counts one more and returns how many the key `serial` has served.
    pub(crate) fn count(&mut self, serial: u32, protocol: Protocol) -> u64 {
        self.serial = serial;
        self.active = true;
        let at = self.usage.iter().position(|usage| usage.serial == serial);
        let at = at.unwrap_or_else(|| {
            self.usage.push(Usage {
                serial,
                ..Usage::default()
            });
            self.usage.len() - 1
        });
        let Some(usage) = self.usage.get_mut(at) else {
            return 0;
        };
        let count = match protocol {
            Protocol::Srtp => &mut usage.srtp,
            Protocol::Srtcp => &mut usage.srtcp,
        };
        *count += 1;
        *count
    }

    pub(crate) const fn window(&mut self, protocol: Protocol) -> &mut ReplayWindow {
        match protocol {
            Protocol::Srtp => &mut self.srtp,
            Protocol::Srtcp => &mut self.srtcp,
        }
    }
}

/// Packets of `protocol` that the key `serial` served.
fn used(usage: &[Usage], serial: u32, protocol: Protocol) -> u64 {
    usage
        .iter()
        .find(|usage| usage.serial == serial)
        .map_or(0, |usage| match protocol {
            Protocol::Srtp => usage.srtp,
            Protocol::Srtcp => usage.srtcp,
        })
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
    by_ssrc: HashMap<u32, usize>,
    max: usize,
    parked: HashMap<u32, Parked>,
    parking_order: VecDeque<u32>,
    /// SSRCs that another sender serves now.
    barred: HashSet<u32>,
}

#[derive(Debug)]
struct Parked {
    initial_roc: u32,
    srtp: Option<u64>,
    srtcp: Option<u64>,
    usage: Vec<Usage>,
}

impl Streams {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            list: Vec::new(),
            by_ssrc: HashMap::new(),
            max,
            parked: HashMap::new(),
            parking_order: VecDeque::new(),
            barred: HashSet::new(),
        }
    }

    pub(crate) const fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= self.max
    }

    pub(crate) fn get(&self, ssrc: u32) -> Option<&Stream> {
        self.list.get(*self.by_ssrc.get(&ssrc)?)
    }

    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut Stream> {
        self.list.get_mut(*self.by_ssrc.get(&ssrc)?)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Stream> {
        self.list.iter()
    }

    /// Whether there is, or was, a stream with this SSRC.
    pub(crate) fn knows(&self, ssrc: u32) -> bool {
        self.by_ssrc.contains_key(&ssrc) || self.parked.contains_key(&ssrc)
    }

    pub(crate) fn is_barred(&self, ssrc: u32) -> bool {
        self.barred.contains(&ssrc)
    }

    pub(crate) fn bar(&mut self, ssrc: u32) {
        self.barred.insert(ssrc);
    }

    pub(crate) fn barred(&self) -> impl ExactSizeIterator<Item = u32> {
        self.barred.iter().copied()
    }

    /// The highest index of the stream, and the ROC it began with; `None` if there never was one.
    pub(crate) fn position(&self, ssrc: u32, protocol: Protocol) -> Option<(Option<u64>, u32)> {
        if let Some(stream) = self.get(ssrc) {
            let window = match protocol {
                Protocol::Srtp => &stream.srtp,
                Protocol::Srtcp => &stream.srtcp,
            };
            return Some((window.highest(), stream.initial_roc));
        }
        let parked = self.parked.get(&ssrc)?;
        let highest = match protocol {
            Protocol::Srtp => parked.srtp,
            Protocol::Srtcp => parked.srtcp,
        };
        Some((highest, parked.initial_roc))
    }

    /// Whether the index was not used yet and is not too old to tell.
    pub(crate) fn check(&self, ssrc: u32, protocol: Protocol, index: u64) -> Result<(), Used> {
        if let Some(stream) = self.get(ssrc) {
            return match protocol {
                Protocol::Srtp => stream.srtp.check(index),
                Protocol::Srtcp => stream.srtcp.check(index),
            };
        }
        match self.position(ssrc, protocol) {
            Some((Some(highest), _)) if index <= highest => Err(Used::TooOld),
            _ => Ok(()),
        }
    }

    /// Packets of the stream that the key `serial` served.
    pub(crate) fn used(&self, ssrc: u32, serial: u32, protocol: Protocol) -> u64 {
        let usage = match (self.get(ssrc), self.parked.get(&ssrc)) {
            (Some(stream), _) => &stream.usage,
            (None, Some(parked)) => &parked.usage,
            (None, None) => return 0,
        };
        used(usage, serial, protocol)
    }

    /// Adds a stream; one that was removed goes on behind its highest indices.
    pub(crate) fn insert(&mut self, mut stream: Stream) -> Result<(), SessionError> {
        if self.is_full() {
            return Err(SessionError::StreamLimit);
        }
        if let Some(parked) = self.parked.remove(&stream.ssrc) {
            self.parking_order.retain(|ssrc| *ssrc != stream.ssrc);
            let size = stream.srtp.size();
            stream.initial_roc = parked.initial_roc;
            stream.srtp = ReplayWindow::used_up_to(size, parked.srtp);
            stream.srtcp = ReplayWindow::used_up_to(size, parked.srtcp);
            stream.usage = parked.usage;
        }
        self.by_ssrc.insert(stream.ssrc, self.list.len());
        self.list.push(stream);
        Ok(())
    }

    /// Takes a stream, live or removed, out without a trace: it goes on elsewhere.
    pub(crate) fn release(&mut self, ssrc: u32, window: u32) -> Option<Stream> {
        if !self.parked.contains_key(&ssrc) {
            return self.take(ssrc);
        }
        let stream = self
            .parked_streams(window)
            .find(|stream| stream.ssrc == ssrc);
        self.parked.remove(&ssrc);
        self.parking_order.retain(|parked| *parked != ssrc);
        stream
    }

    fn take(&mut self, ssrc: u32) -> Option<Stream> {
        let at = self.by_ssrc.remove(&ssrc)?;
        let stream = self.list.swap_remove(at);
        if let Some(moved) = self.list.get(at) {
            self.by_ssrc.insert(moved.ssrc, at);
        }
        Some(stream)
    }

    /// Removes a stream but for its highest indices. As many removed streams as live ones are
    /// remembered, and the one removed first is forgotten first if `forget` allows it.
    pub(crate) fn park(&mut self, ssrc: u32, forget: bool) -> Result<(), SessionError> {
        if !self.by_ssrc.contains_key(&ssrc) {
            return Err(SessionError::UnknownSsrc);
        }
        if self.parking_order.len() >= self.max {
            if !forget {
                return Err(SessionError::StreamLimit);
            }
            if let Some(oldest) = self.parking_order.pop_front() {
                self.parked.remove(&oldest);
            }
        }
        let Some(stream) = self.take(ssrc) else {
            return Err(SessionError::UnknownSsrc);
        };
        self.parking_order.push_back(ssrc);
        self.parked.insert(
            ssrc,
            Parked {
                initial_roc: stream.initial_roc,
                srtp: stream.srtp.highest(),
                srtcp: stream.srtcp.highest(),
                usage: stream.usage,
            },
        );
        Ok(())
    }

    /// Parks every stream without a packet since the last call; returns how many.
    pub(crate) fn park_idle(&mut self, forget: bool) -> usize {
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
            .filter(|ssrc| self.park(*ssrc, forget).is_ok())
            .count()
    }

    /// Everything that was parked, for a hand-over.
    pub(crate) fn parked_streams(&self, window: u32) -> impl Iterator<Item = Stream> {
        self.parking_order.iter().filter_map(move |ssrc| {
            let parked = self.parked.get(ssrc)?;
            let mut stream = Stream::new(*ssrc, parked.initial_roc, window);
            stream.srtp = ReplayWindow::used_up_to(window, parked.srtp);
            stream.srtcp = ReplayWindow::used_up_to(window, parked.srtcp);
            stream.usage.clone_from(&parked.usage);
            Some(stream)
        })
    }
}
