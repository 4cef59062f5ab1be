//! Which messages are hashed side by side, and by what.

use super::{MAX_JOBS, MacJob, hmac, lanes, sha_ni};
use crate::kernel::detect::{Isa, Level};

/// Sixteen lanes take as long for a block as the SHA extensions, four interleaved, for twelve.
const LANES_ARE_WORTH: usize = 12;

/// How the next messages are hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Group {
    One,
    Two,
    Four,
    Lanes8,
    Lanes16,
}

/// A message by the blocks that it takes and its place.
type Ordered = (u16, u8);

/// Whether there is anything to gain.
pub(super) fn serves(isa: Isa) -> bool {
    isa.has_sha() || isa.level() >= Level::Vaes256
}

/// Messages of nearly the same length go side by side, so that lanes end together.
pub(super) fn hmac_all(isa: Isa, jobs: &[MacJob<'_>], tags: &mut [[u8; 20]; MAX_JOBS]) {
    if isa.level() == Level::Vaes512 && are_alike(jobs) {
        hmac_alike(isa, jobs, tags);
    } else {
        hmac_sorted(isa, jobs, tags);
    }
}

/// Whether the messages have one length, and what follows them too: the packets of a codec do.
fn are_alike(jobs: &[MacJob<'_>]) -> bool {
    let shape = |job: &MacJob<'_>| (job.message.len(), job.trailer.is_some());
    let [first, others @ ..] = jobs else {
        return false;
    };
    others.iter().all(|job| shape(job) == shape(first))
}

/// Such messages need no sorting.
fn hmac_alike(isa: Isa, jobs: &[MacJob<'_>], tags: &mut [[u8; 20]; MAX_JOBS]) {
    for (jobs, tags) in jobs.chunks(16).zip(tags.as_chunks_mut::<16>().0) {
        if jobs.len() < LANES_ARE_WORTH {
            let mut few = [[0; 20]; MAX_JOBS];
            hmac_sorted(isa, jobs, &mut few);
            for (tag, few) in tags.iter_mut().zip(few) {
                *tag = few;
            }
        } else if let Some(group) = lanes_of(jobs.iter()) {
            // SAFETY: an `Isa` of this level, which the caller has seen, exists only where AVX-512
            // was found.
            unsafe { lanes::avx512::hmac_alike(&group, tags) };
        }
    }
}

/// Sixteen lanes; those without a message of their own repeat the first.
#[inline]
fn lanes_of<'a, 'm>(
    mut jobs: impl Iterator<Item = &'a MacJob<'m>>,
) -> Option<[&'a MacJob<'m>; 16]> {
    let mut lanes = [jobs.next()?; 16];
    for (lane, job) in lanes.iter_mut().skip(1).zip(jobs) {
        *lane = job;
    }
    Some(lanes)
}

fn hmac_sorted(isa: Isa, jobs: &[MacJob<'_>], tags: &mut [[u8; 20]; MAX_JOBS]) {
    let mut order: [Ordered; MAX_JOBS] = [(0, 0); MAX_JOBS];
    let mut sorted = true;
    let mut before = 0;
    for ((slot, job), at) in order.iter_mut().zip(jobs).zip(0..) {
        // No packet has 2^16 blocks.
        let blocks = u16::try_from(job.blocks()).unwrap_or(u16::MAX);
        sorted &= before <= blocks;
        before = blocks;
        *slot = (blocks, at);
    }
    let (order, _) = order.split_at_mut(jobs.len().min(MAX_JOBS));
    if !sorted {
        order.sort_unstable();
    }
    let mut order = &*order;
    while !order.is_empty() {
        let (group, count) = Group::of(isa, order);
        let (now, rest) = order.split_at(count);
        group.hash(isa, jobs, now, tags);
        order = rest;
    }
}

impl Group {
    /// What is fastest for the first of `order`, and how many of them that takes.
    fn of(isa: Isa, order: &[Ordered]) -> (Self, usize) {
        let blocks = |count: usize| {
            // Each message takes one more for the outer hash.
            let each = order
                .iter()
                .take(count)
                .map(|(blocks, _)| usize::from(*blocks) + 1);
            (each.clone().sum::<usize>(), each.max().unwrap_or(0))
        };
        let left = order.len();
        if isa.level() == Level::Vaes512 {
            let (all, longest) = blocks(16);
            if all >= longest * LANES_ARE_WORTH || (left > 1 && !isa.has_sha()) {
                return (Self::Lanes16, left.min(16));
            }
        }
        match (isa.has_sha(), left) {
            (true, 4..) => (Self::Four, 4),
            (true, 2..) => (Self::Two, 2),
            (false, 2..) if isa.level() >= Level::Vaes256 => (Self::Lanes8, left.min(8)),
            _ => (Self::One, 1),
        }
    }

    fn hash(self, isa: Isa, jobs: &[MacJob<'_>], now: &[Ordered], tags: &mut [[u8; 20]; MAX_JOBS]) {
        let picked = now.iter().filter_map(|(_, at)| jobs.get(usize::from(*at)));
        let Some(group) = lanes_of(picked) else {
            return;
        };
        let mut hashed = [[0; 20]; 16];
        let [one, two, three, four, five, six, seven, eight, ..] = group;
        // SAFETY: `of` chooses what needs AVX2, AVX-512 or the SHA extensions only for an `Isa`
        // that has them, and an `Isa` has them only where they were found.
        unsafe {
            match self {
                Self::One => hashed[0] = hmac(isa, one),
                Self::Two => {
                    let [first, second, ..] = &mut hashed;
                    sha_ni::hmac(isa, [one, two], [first, second]);
                }
                Self::Four => {
                    let [first, second, third, fourth, ..] = &mut hashed;
                    sha_ni::hmac(isa, [one, two, three, four], [first, second, third, fourth]);
                }
                Self::Lanes8 => {
                    let group = [one, two, three, four, five, six, seven, eight];
                    lanes::avx2::hmac(&group, &mut hashed);
                }
                Self::Lanes16 => lanes::avx512::hmac(&group, &mut hashed),
            }
        }
        for ((_, at), tag) in now.iter().zip(hashed) {
            if let Some(slot) = tags.get_mut(usize::from(*at)) {
                *slot = tag;
            }
        }
    }
}
