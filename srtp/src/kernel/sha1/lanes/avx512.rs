//! Sixteen lanes of AVX-512.

#![allow(
    clippy::many_single_char_names,
    clippy::needless_range_loop,
    reason = "FIPS 180-4 names the words of a state a to e; lanes have a constant number"
)]

use core::arch::x86_64::{
    __m512i, _mm_set_epi64x, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_cmpgt_epu32_mask,
    _mm512_mask_add_epi32, _mm512_mask_mov_epi8, _mm512_mask_mov_epi64, _mm512_maskz_mov_epi8,
    _mm512_rol_epi32, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::sha1_rounds;
use crate::kernel::registers::{
    load512, load512_partial, load512_words, load512_words_partial, mask, store512, store512_words,
};
use crate::kernel::sha1::{BLOCK, MacJob, Tail};

const LANES: usize = 16;

/// HMAC-SHA1 of sixteen messages of whatever lengths.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(in crate::kernel::sha1) fn hmac(jobs: &[&MacJob<'_>; LANES], tags: &mut [[u8; 20]; LANES]) {
    let mut counts = [0; LANES];
    let mut tails = [[_mm512_setzero_si512(); 2]; LANES];
    for (lane, job) in jobs.iter().enumerate() {
        counts[lane] = u32::try_from(job.blocks()).unwrap_or(0);
        tails[lane] = Ending::of(job).with(job);
    }
    let full = jobs.map(|job| job.message.as_chunks::<BLOCK>().0);
    let shortest = counts.iter().copied().min().unwrap_or(0);
    let longest = counts.iter().copied().max().unwrap_or(0);
    let counts = load512_words(&counts);
    let [mut state, outer] = states(jobs);
    for at in 0..longest {
        let mut words = [all(0); 16];
        let block = usize::try_from(at).unwrap_or(0);
        for lane in 0..LANES {
            words[lane] = big_endian(match full[lane].get(block) {
                Some(octets) => load512(octets),
                None => tails[lane][usize::from(block > full[lane].len())],
            });
        }
        transpose(&mut words);
        let hashed = sha1_rounds!(state, words);
        if at < shortest {
            for (word, hashed) in state.iter_mut().zip(&hashed) {
                *word = add(*word, *hashed);
            }
        } else {
            // A lane whose message has ended keeps its state.
            let on = _mm512_cmpgt_epu32_mask(counts, all(at));
            for (word, hashed) in state.iter_mut().zip(&hashed) {
                *word = _mm512_mask_add_epi32(*word, on, *word, *hashed);
            }
        }
    }
    finish(&state, &outer, tags);
}

/// HMAC-SHA1 of sixteen messages of one length, which all have a trailer or none.
///
/// What there is to decide is decided once.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(in crate::kernel::sha1) fn hmac_alike(
    jobs: &[&MacJob<'_>; LANES],
    tags: &mut [[u8; 20]; LANES],
) {
    let [first, ..] = jobs;
    let full = first.full().len();
    let [mut state, outer] = states(jobs);
    for at in 0..full {
        let mut words = [all(0); 16];
        for lane in 0..LANES {
            if let Some(octets) = jobs[lane].full().get(at) {
                words[lane] = big_endian(load512(octets));
            }
        }
        compress(&mut state, words);
    }
    let ending = Ending::of(first);
    let mut words = [all(0); 16];
    let mut second = [all(0); 16];
    for lane in 0..LANES {
        let [block, behind] = ending.with(jobs[lane]);
        words[lane] = big_endian(block);
        second[lane] = big_endian(behind);
    }
    compress(&mut state, words);
    if ending.two {
        compress(&mut state, second);
    }
    finish(&state, &outer, tags);
}

type State = [__m512i; 5];

/// The inner and the outer states.
#[inline]
#[target_feature(enable = "avx512f")]
fn states(jobs: &[&MacJob<'_>; LANES]) -> [State; 2] {
    let mut states = [_mm512_setzero_si512(); LANES];
    for (state, job) in states.iter_mut().zip(jobs) {
        *state = load512_words_partial(job.states.words());
    }
    transpose(&mut states);
    let [a, b, c, d, e, rest @ ..] = states;
    let [outer_a, outer_b, outer_c, outer_d, outer_e, ..] = rest;
    [
        [a, b, c, d, e],
        [outer_a, outer_b, outer_c, outer_d, outer_e],
    ]
}

/// Takes a block of each lane, the lanes not yet side by side, into `state`.
#[inline]
#[target_feature(enable = "avx512f")]
fn compress(state: &mut State, mut words: [__m512i; 16]) {
    transpose(&mut words);
    let before = *state;
    let hashed = sha1_rounds!(before, words);
    for (word, hashed) in state.iter_mut().zip(&hashed) {
        *word = add(*word, *hashed);
    }
}

/// The outer hash.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn finish(state: &State, outer: &State, tags: &mut [[u8; 20]; LANES]) {
    let [a, b, c, d, e] = *state;
    let (zero, one, bits) = (all(0), all(0x8000_0000), all(672));
    let mut words = [
        a, b, c, d, e, one, zero, zero, zero, zero, zero, zero, zero, zero, zero, bits,
    ];
    let state = *outer;
    let hashed = sha1_rounds!(state, words);
    for (at, (word, hashed)) in state.iter().zip(&hashed).enumerate() {
        let mut lanes = [0; LANES];
        store512_words(&mut lanes, big_endian(add(*word, *hashed)));
        for (tag, lane) in tags.iter_mut().zip(lanes) {
            tag.as_chunks_mut().0[at] = lane.to_ne_bytes();
        }
    }
}

/// Puts the end of `job`, which is shorter than a block, into an empty tail, each block in one piece.
#[target_feature(enable = "avx512f,avx512bw")]
pub(in crate::kernel::sha1) fn fill(tail: &mut Tail, job: &MacJob<'_>) {
    tail.start = BLOCK;
    tail.two = job.blocks() > 1;
    let slots = tail.octets.as_chunks_mut().0.iter_mut().skip(1);
    for (octets, block) in slots.zip(Ending::of(job).with(job)) {
        store512(octets, block);
    }
}

/// How the messages of one length end, with their padding: in one block, or in two.
struct Ending {
    /// Octets of the rest that fills no block.
    rest: usize,
    /// The octets behind it that are not the padding's zeros.
    behind: [u64; 2],
    two: bool,
    /// Bits of the key block and the message, as they are stored.
    bits: u64,
}

impl Ending {
    #[inline]
    fn of(job: &MacJob<'_>) -> Self {
        let rest = job.message.len() % BLOCK;
        let (_, count) = job.following();
        let behind = u128::from(mask(count)) << rest;
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
        Self {
            rest,
            behind: [half(behind), half(behind >> 64)],
            two: rest + count > BLOCK - 8,
            bits: job.bits().swap_bytes(),
        }
    }

    /// The end of a message of that length: one block, or two.
    ///
    /// Made in registers: sixteen tails written octet by octet would be slow to load as a whole.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn with(&self, job: &MacJob<'_>) -> [__m512i; 2] {
        let rest = job.message.as_chunks::<BLOCK>().1;
        // What follows the rest, in every place that it could have: only the octets behind it are
        // taken.
        let (following, _) = job.following();
        let turn = u32::try_from(self.rest % 8).unwrap_or(0) * 8;
        let following = u64::from_le_bytes(following).rotate_left(turn);
        let following = _mm512_set1_epi64(following.cast_signed());
        let [first, second] = self.behind;
        let first = _mm512_mask_mov_epi8(load512_partial(rest), first, following);
        let second = _mm512_maskz_mov_epi8(second, following);
        let bits = _mm512_set1_epi64(self.bits.cast_signed());
        if self.two {
            [first, _mm512_mask_mov_epi64(second, 0x80, bits)]
        } else {
            [_mm512_mask_mov_epi64(first, 0x80, bits), second]
        }
    }
}

/// Sixteen blocks of sixteen words become sixteen words of sixteen blocks.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: &mut [__m512i; 16]) {
    let mut pairs = [_mm512_setzero_si512(); 16];
    for at in 0..8 {
        pairs[2 * at] = _mm512_unpacklo_epi32(rows[2 * at], rows[2 * at + 1]);
        pairs[2 * at + 1] = _mm512_unpackhi_epi32(rows[2 * at], rows[2 * at + 1]);
    }
    for at in 0..4 {
        let (a, b) = (pairs[4 * at], pairs[4 * at + 1]);
        let (c, d) = (pairs[4 * at + 2], pairs[4 * at + 3]);
        rows[4 * at] = _mm512_unpacklo_epi64(a, c);
        rows[4 * at + 1] = _mm512_unpackhi_epi64(a, c);
        rows[4 * at + 2] = _mm512_unpacklo_epi64(b, d);
        rows[4 * at + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for at in 0..4 {
        let (a, b) = (rows[at], rows[4 + at]);
        let (c, d) = (rows[8 + at], rows[12 + at]);
        let ab_even = _mm512_shuffle_i32x4::<0x88>(a, b);
        let ab_odd = _mm512_shuffle_i32x4::<0xdd>(a, b);
        let cd_even = _mm512_shuffle_i32x4::<0x88>(c, d);
        let cd_odd = _mm512_shuffle_i32x4::<0xdd>(c, d);
        pairs[at] = _mm512_shuffle_i32x4::<0x88>(ab_even, cd_even);
        pairs[4 + at] = _mm512_shuffle_i32x4::<0x88>(ab_odd, cd_odd);
        pairs[8 + at] = _mm512_shuffle_i32x4::<0xdd>(ab_even, cd_even);
        pairs[12 + at] = _mm512_shuffle_i32x4::<0xdd>(ab_odd, cd_odd);
    }
    *rows = pairs;
}

#[inline]
#[target_feature(enable = "avx512f")]
fn all(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotate5(a: __m512i) -> __m512i {
    _mm512_rol_epi32::<5>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotate30(a: __m512i) -> __m512i {
    _mm512_rol_epi32::<30>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn choose(b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xca>(b, c, d)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn parity(b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(b, c, d)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xe8>(b, c, d)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn scheduled(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    _mm512_rol_epi32::<1>(_mm512_xor_si512(parity(a, b, c), d))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn big_endian(words: __m512i) -> __m512i {
    let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order))
}
