//! SSRCs that a session had streams of, or shall have none of.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};

use super::{KeyUsage, Stream};
use crate::replay::ReplayWindow;

/// Streams that were removed, in the order of their removal, and SSRCs that are served elsewhere.
#[derive(Debug, Default)]
pub(super) struct Removed {
    parked: HashMap<u32, Parked>,
    order: VecDeque<u32>,
    /// SSRCs that another sender serves now.
    barred: HashSet<u32>,
}

/// What is left of a stream that was removed.
#[derive(Debug)]
struct Parked {
    next_roc: Option<u32>,
    srtp: Option<u64>,
    srtcp: Option<u64>,
    usage: KeyUsage,
}

impl Removed {
    pub(super) fn is_barred(&self, ssrc: u32) -> bool {
        self.barred.contains(&ssrc)
    }

    pub(super) fn bar(&mut self, ssrc: u32) {
        self.barred.insert(ssrc);
    }

    /// In ascending order.
    pub(super) fn barred(&self) -> Vec<u32> {
        let mut barred: Vec<u32> = self.barred.iter().copied().collect();
        barred.sort_unstable();
        barred
    }

    /// The stream as it goes on.
    pub(super) fn revived(&self, ssrc: u32, window: u32) -> Option<Stream> {
        let parked = self.parked.get(&ssrc)?;
        Some(parked.revive(ssrc, window))
    }

    pub(super) fn iter(&self, window: u32) -> impl Iterator<Item = Stream> {
        let ssrcs = self.order.iter();
        ssrcs.filter_map(move |ssrc| self.revived(*ssrc, window))
    }

    pub(super) fn forget(&mut self, ssrc: u32) {
        if self.parked.remove(&ssrc).is_some() {
            self.order.retain(|parked| *parked != ssrc);
        }
    }

    /// Makes room for one more of `max` streams: the one removed first is forgotten, if `forget`
    /// allows it or no key that served it is `live`.
    pub(super) fn make_room(
        &mut self,
        max: usize,
        forget: bool,
        live: impl Fn(u32) -> bool,
    ) -> bool {
        if self.order.len() < max {
            return true;
        }
        let expendable = |ssrc: &u32| {
            let usage = self.parked.get(ssrc).map(|parked| &parked.usage);
            forget || usage.is_none_or(|usage| !usage.iter().any(|usage| live(usage.serial)))
        };
        let oldest = self.order.iter().position(expendable);
        let Some(oldest) = oldest.and_then(|at| self.order.remove(at)) else {
            return false;
        };
        self.parked.remove(&oldest);
        true
    }

    pub(super) fn remember(&mut self, stream: Stream) {
        self.order.push_back(stream.ssrc);
        self.parked.insert(
            stream.ssrc,
            Parked {
                next_roc: stream.next_roc,
                srtp: stream.srtp.highest(),
                srtcp: stream.srtcp.highest(),
                usage: stream.usage,
            },
        );
    }
}

impl Parked {
    /// The stream as it goes on: all that its windows held counts as used.
    fn revive(&self, ssrc: u32, window: u32) -> Stream {
        let mut stream = Stream::new(ssrc, 0, window);
        stream.next_roc = self.next_roc;
        stream.srtp = ReplayWindow::used_up_to(window, self.srtp);
        stream.srtcp = ReplayWindow::used_up_to(window, self.srtcp);
        stream.usage.clone_from(&self.usage);
        stream
    }
}
