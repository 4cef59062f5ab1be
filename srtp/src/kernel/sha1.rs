//! SHA-1 and, over it, HMAC of whole messages: one at a time or many side by side.

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod side_by_side;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::detect::Isa;
#[cfg(target_arch = "x86_64")]
use super::detect::Level;

/// Octets of a block.
const BLOCK: usize = 64;

/// Most messages that [`hmac_all`] takes.
pub(crate) const MAX_JOBS: usize = 64;

const INITIAL: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// The states of SHA-1 behind the inner and the outer key block of HMAC ([RFC 2104 §4]).
///
/// [RFC 2104 §4]: https://www.rfc-editor.org/rfc/rfc2104#section-4
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct HmacStates([[u32; 5]; 2]);

/// A message to be authenticated: `message`, then `trailer`, which is the ROC or nothing.
#[derive(Clone, Copy)]
pub(crate) struct MacJob<'a> {
    pub(crate) states: &'a HmacStates,
    pub(crate) message: &'a [u8],
    pub(crate) trailer: Option<[u8; 4]>,
}

/// The end of a message that fills no block, with its padding: one block or two.
struct Tail {
    /// The last block's length of the message, what follows it, and zeros.
    octets: [u8; 3 * BLOCK],
    /// Where the rest begins that fills no block.
    start: usize,
    two: bool,
}

impl HmacStates {
    /// States of no key, for places in a list that no message takes.
    pub(crate) const UNUSED: &Self = &Self([INITIAL; 2]);

    /// The states for a key of 20 octets.
    pub(crate) fn new(key: &[u8; 20], isa: Isa) -> Self {
        let keyed = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (octet, key) in block.iter_mut().zip(key) {
                *octet ^= key;
            }
            let mut state = INITIAL;
            compress(isa, &mut state, &[block]);
            block.zeroize();
            state
        };
        Self([keyed(0x36), keyed(0x5c)])
    }

    /// Takes the states of `other`.
    pub(crate) const fn set(&mut self, other: &Self) {
        let (own, others) = (self.0.as_flattened_mut(), other.0.as_flattened());
        own.copy_from_slice(others);
    }

    const fn inner(&self) -> &[u32; 5] {
        &self.0[0]
    }

    const fn outer(&self) -> &[u32; 5] {
        &self.0[1]
    }

    /// The words of the inner state, then those of the outer.
    #[cfg(target_arch = "x86_64")]
    const fn words(&self) -> &[u32] {
        self.0.as_flattened()
    }
}

impl Tail {
    const EMPTY: Self = Self {
        octets: [0; 3 * BLOCK],
        start: BLOCK,
        two: false,
    };

    /// Puts the end of `job` into an empty tail: in pieces whose lengths the compiler knows, where
    /// the message is no shorter than a block.
    #[inline]
    fn fill(&mut self, job: &MacJob<'_>) {
        let rest = job.message.as_chunks::<BLOCK>().1;
        self.start = BLOCK - rest.len();
        let (head, following) = self.octets.split_at_mut(BLOCK);
        if let (Some(end), Some(slot)) = (job.message.last_chunk::<BLOCK>(), head.first_chunk_mut())
        {
            *slot = *end;
        } else {
            head[self.start..].copy_from_slice(rest);
        }
        let (octets, count) = job.following();
        following[..8].copy_from_slice(&octets);
        self.two = rest.len() + count > BLOCK - 8;
        let end = self.start + if self.two { 2 * BLOCK } else { BLOCK };
        self.octets[end - 8..end].copy_from_slice(&job.bits().to_be_bytes());
    }

    /// The only block, or the second.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn block(&self, second: bool) -> &[u8; BLOCK] {
        &self.used()[usize::from(second && self.two)]
    }

    #[inline]
    fn used(&self) -> &[[u8; BLOCK]] {
        let blocks = self.octets[self.start..].as_chunks().0;
        &blocks[..if self.two { 2 } else { 1 }]
    }
}

impl<'a> MacJob<'a> {
    fn len(&self) -> usize {
        self.message.len() + self.trailer.map_or(0, |roc| roc.len())
    }

    fn full(&self) -> &'a [[u8; BLOCK]] {
        self.message.as_chunks().0
    }

    /// What follows the message, with the bit that ends it, and how many octets that is.
    const fn following(&self) -> ([u8; 8], usize) {
        match self.trailer {
            Some([a, b, c, d]) => ([a, b, c, d, 0x80, 0, 0, 0], 5),
            None => ([0x80, 0, 0, 0, 0, 0, 0, 0], 1),
        }
    }

    /// What the padding ends with: bits of the key block and the message.
    fn bits(&self) -> u64 {
        u64::try_from((BLOCK + self.len()) * 8).unwrap_or(0)
    }

    /// Puts the end of the message into an empty tail.
    #[inline]
    fn end(&self, isa: Isa, tail: &mut Tail) {
        #[cfg(target_arch = "x86_64")]
        if isa.level() == Level::Vaes512 && self.message.len() < BLOCK {
            // SAFETY: an `Isa` of this level exists only where AVX-512 was found.
            return unsafe { lanes::avx512::fill(tail, self) };
        }
        let _ = isa;
        tail.fill(self);
    }

    /// Blocks that the inner hash takes.
    #[cfg(target_arch = "x86_64")]
    fn blocks(&self) -> usize {
        (self.len() + 9).div_ceil(BLOCK)
    }
}

/// Block `at` of a message, or, behind its end, any block.
#[cfg(target_arch = "x86_64")]
#[inline]
fn block_at<'a>(full: &'a [[u8; BLOCK]], tail: &'a Tail, at: usize) -> &'a [u8; BLOCK] {
    full.get(at).unwrap_or_else(|| tail.block(at > full.len()))
}

/// Takes `blocks` into `state`.
pub(crate) fn compress(isa: Isa, state: &mut [u32; 5], blocks: &[[u8; BLOCK]]) {
    #[cfg(target_arch = "x86_64")]
    if isa.has_sha() {
        // SAFETY: an `Isa` says so only where the SHA extensions and SSE4.1 were found.
        return unsafe { sha_ni::compress_all(state, blocks) };
    }
    let _ = isa;
    sha1::block_api::compress(state, blocks);
}

/// HMAC-SHA1 of one message.
pub(crate) fn hmac(isa: Isa, job: &MacJob<'_>) -> [u8; 20] {
    #[cfg(target_arch = "x86_64")]
    if isa.has_sha() {
        let mut tag = [0; 20];
        // SAFETY: an `Isa` says so only where the SHA extensions and SSE4.1 were found.
        unsafe { sha_ni::hmac(isa, [job], [&mut tag]) };
        return tag;
    }
    let mut tail = Tail::EMPTY;
    job.end(isa, &mut tail);
    let mut state = *job.states.inner();
    compress(isa, &mut state, job.full());
    compress(isa, &mut state, tail.used());
    let mut block = [[0; BLOCK]];
    put(&state, &mut block[0]);
    block[0][20] = 0x80;
    let bits = (BLOCK + 20) * 8;
    block[0][62..].copy_from_slice(&u16::try_from(bits).unwrap_or(0).to_be_bytes());
    let mut state = *job.states.outer();
    compress(isa, &mut state, &block);
    let mut tag = [0; 20];
    put(&state, &mut tag);
    tag
}

fn put(state: &[u32; 5], octets: &mut [u8]) {
    for (word, slot) in state.iter().zip(octets.as_chunks_mut::<4>().0) {
        *slot = word.to_be_bytes();
    }
}

/// HMAC-SHA1 of up to [`MAX_JOBS`] messages; a message and its tag have the same place.
pub(crate) fn hmac_all(isa: Isa, jobs: &[MacJob<'_>], tags: &mut [[u8; 20]; MAX_JOBS]) {
    #[cfg(target_arch = "x86_64")]
    if side_by_side::serves(isa) {
        return side_by_side::hmac_all(isa, jobs, tags);
    }
    for (job, tag) in jobs.iter().zip(tags) {
        *tag = hmac(isa, job);
    }
}
