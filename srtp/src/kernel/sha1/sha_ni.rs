//! SHA-1 with the SHA extensions: one message, or two or four interleaved, which hides the
//! latency of the rounds.

#![allow(
    clippy::many_single_char_names,
    reason = "FIPS 180-4 names the words of a state a to e"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "lanes and message words have constant numbers, known to the compiler"
)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_blend_epi16, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32,
    _mm_sha1rnds4_epu32, _mm_shuffle_epi8, _mm_xor_si128,
};

use super::{BLOCK, MacJob, Tail, block_at};
use crate::kernel::detect::Isa;
use crate::kernel::registers::{load128, store128};

/// The words A to D of `N` states, and the word E.
pub(in crate::kernel) struct States<const N: usize> {
    abcd: [__m128i; N],
    e: [__m128i; N],
}

/// Takes `blocks` into `state`.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn compress_all(state: &mut [u32; 5], blocks: &[[u8; BLOCK]]) {
    let mut states = States::load([state]);
    for block in blocks {
        states.compress([block]);
    }
    let mut octets = [0; 20];
    states.store(0, &mut octets);
    for (word, octets) in state.iter_mut().zip(octets.as_chunks().0) {
        *word = u32::from_be_bytes(*octets);
    }
}

/// HMAC-SHA1 of `N` messages side by side, of whatever lengths.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn hmac<const N: usize>(isa: Isa, jobs: [&MacJob<'_>; N], tags: [&mut [u8; 20]; N]) {
    let mut tails = [Tail::EMPTY; N];
    for (job, tail) in jobs.iter().zip(&mut tails) {
        job.end(isa, tail);
    }
    let shared = jobs.iter().map(|job| job.blocks()).min().unwrap_or(0);
    let mut states = States::load(jobs.map(|job| job.states.inner()));
    for at in 0..shared {
        let mut blocks = [&[0; BLOCK]; N];
        for lane in 0..N {
            blocks[lane] = block_at(jobs[lane].full(), &tails[lane], at);
        }
        states.compress(blocks);
    }
    for lane in 0..N {
        for at in shared..jobs[lane].blocks() {
            states.compress_lane(lane, block_at(jobs[lane].full(), &tails[lane], at));
        }
    }

    let words = states.as_last_block();
    let mut states = States::load(jobs.map(|job| job.states.outer()));
    states.compress_words(words);
    for (lane, tag) in tags.into_iter().enumerate() {
        states.store(lane, tag);
    }
}

impl<const N: usize> States<N> {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(words: [&[u32; 5]; N]) -> Self {
        let mut states = Self {
            abcd: [_mm_setzero_si128(); N],
            e: [_mm_setzero_si128(); N],
        };
        for lane in 0..N {
            let [a, b, c, d, e] = words[lane].map(u32::cast_signed);
            states.abcd[lane] = _mm_set_epi32(a, b, c, d);
            states.e[lane] = _mm_set_epi32(e, 0, 0, 0);
        }
        states
    }

    #[inline]
    #[target_feature(enable = "ssse3,sse4.1")]
    fn store(&self, lane: usize, octets: &mut [u8; 20]) {
        let e = _mm_extract_epi32::<3>(self.e[lane]).cast_unsigned();
        if let Some((abcd, last)) = octets.split_first_chunk_mut::<16>() {
            store128(abcd, _mm_shuffle_epi8(self.abcd[lane], reversal()));
            last.copy_from_slice(&e.to_be_bytes());
        }
    }

    /// Takes a block into one of the states.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn compress_lane(&mut self, lane: usize, block: &[u8; BLOCK]) {
        let mut one = States {
            abcd: [self.abcd[lane]],
            e: [self.e[lane]],
        };
        one.compress([block]);
        self.abcd[lane] = one.abcd[0];
        self.e[lane] = one.e[0];
    }

    /// Takes a block into each state.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn compress(&mut self, blocks: [&[u8; BLOCK]; N]) {
        let mut words = [[_mm_setzero_si128(); 4]; N];
        for (words, block) in words.iter_mut().zip(blocks) {
            for (word, octets) in words.iter_mut().zip(block.as_chunks().0) {
                *word = _mm_shuffle_epi8(load128(octets), reversal());
            }
        }
        self.compress_words(words);
    }

    /// The digests as the last block of the outer hash: 20 octets behind the outer key block.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn as_last_block(&self) -> [[__m128i; 4]; N] {
        let padding = _mm_set_epi32(0, i32::MIN, 0, 0);
        let bits = _mm_set_epi32(0, 0, 0, 672);
        let mut words = [[_mm_setzero_si128(); 4]; N];
        for lane in 0..N {
            let e = _mm_blend_epi16::<0xc0>(padding, self.e[lane]);
            words[lane] = [self.abcd[lane], e, _mm_setzero_si128(), bits];
        }
        words
    }

    /// Takes a block of sixteen words, the first in the highest place, into each state.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn compress_words(&mut self, mut words: [[__m128i; 4]; N]) {
        let mut abcd = self.abcd;
        let mut e = self.e;
        let mut next_e = [_mm_setzero_si128(); N];

        // Four rounds, for each lane: the words of group `at`, E, and the rounds themselves.
        macro_rules! rounds {
            ($at:literal, $function:literal, $e:ident, $next:ident) => {
                for lane in 0..N {
                    let words = &mut words[lane];
                    if $at >= 4 {
                        let sum = _mm_sha1msg1_epu32(words[$at % 4], words[($at + 1) % 4]);
                        let sum = _mm_xor_si128(sum, words[($at + 2) % 4]);
                        words[$at % 4] = _mm_sha1msg2_epu32(sum, words[($at + 3) % 4]);
                    }
                }
                for lane in 0..N {
                    let word = words[lane][$at % 4];
                    $e[lane] = if $at == 0 {
                        _mm_add_epi32($e[lane], word)
                    } else {
                        _mm_sha1nexte_epu32($e[lane], word)
                    };
                    $next[lane] = abcd[lane];
                    abcd[lane] = _mm_sha1rnds4_epu32::<$function>(abcd[lane], $e[lane]);
                }
            };
        }
        rounds!(0, 0, e, next_e);
        rounds!(1, 0, next_e, e);
        rounds!(2, 0, e, next_e);
        rounds!(3, 0, next_e, e);
        rounds!(4, 0, e, next_e);
        rounds!(5, 1, next_e, e);
        rounds!(6, 1, e, next_e);
        rounds!(7, 1, next_e, e);
        rounds!(8, 1, e, next_e);
        rounds!(9, 1, next_e, e);
        rounds!(10, 2, e, next_e);
        rounds!(11, 2, next_e, e);
        rounds!(12, 2, e, next_e);
        rounds!(13, 2, next_e, e);
        rounds!(14, 2, e, next_e);
        rounds!(15, 3, next_e, e);
        rounds!(16, 3, e, next_e);
        rounds!(17, 3, next_e, e);
        rounds!(18, 3, e, next_e);
        rounds!(19, 3, next_e, e);
        for lane in 0..N {
            self.e[lane] = _mm_sha1nexte_epu32(e[lane], self.e[lane]);
            self.abcd[lane] = _mm_add_epi32(abcd[lane], self.abcd[lane]);
        }
    }
}

/// The octets of a block of four words in the order that the instructions take.
#[inline]
#[target_feature(enable = "sse2")]
fn reversal() -> __m128i {
    _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f)
}
