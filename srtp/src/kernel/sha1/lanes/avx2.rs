//! Eight lanes of AVX2, for processors without the SHA extensions.

#![allow(
    clippy::many_single_char_names,
    reason = "FIPS 180-4 names the words of a state a to e"
)]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpgt_epi32,
    _mm256_or_si256, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_xor_si256,
};

use super::sha1_rounds;
use crate::kernel::registers::{load256_words, store256_words};
use crate::kernel::sha1::{MacJob, Tail, block_at};

const LANES: usize = 8;

/// HMAC-SHA1 of eight messages of whatever lengths; the first eight of `tags` are written.
#[target_feature(enable = "avx2")]
pub(in crate::kernel::sha1) fn hmac(jobs: &[&MacJob<'_>; LANES], tags: &mut [[u8; 20]; 16]) {
    let mut tails = [Tail::EMPTY; LANES];
    for (job, tail) in jobs.iter().zip(&mut tails) {
        tail.fill(job);
    }
    let mut counts = [0; LANES];
    let mut states = [[0; LANES]; 10];
    for (lane, job) in jobs.iter().enumerate() {
        counts[lane] = u32::try_from(job.blocks()).unwrap_or(0);
        for (state, word) in states.iter_mut().zip(job.states.words()) {
            state[lane] = *word;
        }
    }
    let longest = counts.iter().copied().max().unwrap_or(0);
    let counts = load256_words(&counts);
    let (inner, outer) = states.split_at(5);

    let mut state = registers(inner);
    for at in 0..longest {
        let mut lanes = [[0; LANES]; 16];
        let block = usize::try_from(at).unwrap_or(0);
        for (lane, job) in jobs.iter().enumerate() {
            let block = block_at(job.full(), &tails[lane], block);
            for (word, octets) in lanes.iter_mut().zip(block.as_chunks().0) {
                word[lane] = u32::from_be_bytes(*octets);
            }
        }
        let mut words = [all(0); 16];
        for (word, lanes) in words.iter_mut().zip(&lanes) {
            *word = load256_words(lanes);
        }
        let hashed = sha1_rounds!(state, words);
        // A lane whose message has ended keeps its state.
        let on = _mm256_cmpgt_epi32(counts, all(at));
        for (word, hashed) in state.iter_mut().zip(&hashed) {
            *word = _mm256_blendv_epi8(*word, add(*word, *hashed), on);
        }
    }

    let [a, b, c, d, e] = state;
    let (zero, one, bits) = (all(0), all(0x8000_0000), all(672));
    let mut words = [
        a, b, c, d, e, one, zero, zero, zero, zero, zero, zero, zero, zero, zero, bits,
    ];
    let state = registers(outer);
    let hashed = sha1_rounds!(state, words);
    for (at, (word, hashed)) in state.iter().zip(&hashed).enumerate() {
        let mut lanes = [0; LANES];
        store256_words(&mut lanes, add(*word, *hashed));
        for (tag, lane) in tags.iter_mut().zip(lanes) {
            tag.as_chunks_mut().0[at] = lane.to_be_bytes();
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn registers(words: &[[u32; LANES]]) -> [__m256i; 5] {
    let mut registers = [_mm256_setzero_si256(); 5];
    for (register, words) in registers.iter_mut().zip(words) {
        *register = load256_words(words);
    }
    registers
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate5(a: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<5>(a), _mm256_srli_epi32::<27>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate30(a: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<30>(a), _mm256_srli_epi32::<2>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn parity(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(b, c), d)
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let either = _mm256_and_si256(d, _mm256_or_si256(b, c));
    _mm256_or_si256(_mm256_and_si256(b, c), either)
}

#[inline]
#[target_feature(enable = "avx2")]
fn scheduled(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let sum = _mm256_xor_si256(parity(a, b, c), d);
    _mm256_or_si256(_mm256_slli_epi32::<1>(sum), _mm256_srli_epi32::<31>(sum))
}
