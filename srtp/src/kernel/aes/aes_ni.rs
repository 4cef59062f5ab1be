//! AES-NI: one block a register, eight registers side by side.

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_cvtsi128_si32,
    _mm_set_epi8, _mm_set_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm_xor_si128,
};

use super::RoundKeys;
use crate::kernel::registers::{block128, load128, store128};

const LANES: usize = 8;

/// The key expansion of FIPS 197 §5.2, for keys of 16, 24 and 32 octets.
#[target_feature(enable = "aes")]
pub(super) fn expand(key: &[u8]) -> RoundKeys {
    const ROUND_CONSTANTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];
    let mut round_keys = [[0; 16]; 15];
    let (words, _) = round_keys.as_flattened_mut().as_chunks_mut::<4>();
    for (word, key) in words.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = *key;
    }
    let length = key.len() / 4;
    let mut constants = ROUND_CONSTANTS.iter();
    let mut previous = words
        .get(length - 1)
        .map_or(0, |word| u32::from_le_bytes(*word));
    for at in length..4 * (length + 7) {
        if at % length == 0 {
            let constant = constants.next().copied().unwrap_or(0);
            previous = substitute(previous).rotate_right(8) ^ constant;
        } else if length == 8 && at % 8 == 4 {
            previous = substitute(previous);
        }
        previous ^= words
            .get(at - length)
            .map_or(0, |word| u32::from_le_bytes(*word));
        if let Some(word) = words.get_mut(at) {
            *word = previous.to_le_bytes();
        }
    }
    round_keys
}

#[inline]
#[target_feature(enable = "aes")]
fn substitute(word: u32) -> u32 {
    // The last round on four equal columns, which its shift of rows does not change: a fraction of
    // what AESKEYGENASSIST takes, and known to Miri.
    let words = _mm_set1_epi32(word.cast_signed());
    _mm_cvtsi128_si32(_mm_aesenclast_si128(words, _mm_setzero_si128())).cast_unsigned()
}

#[inline]
#[target_feature(enable = "aes")]
pub(super) fn encrypt_block<const ROUNDS: usize>(keys: &RoundKeys, block: &mut [u8; 16]) {
    let mut blocks = [load128(block)];
    encrypt::<ROUNDS, 1>(keys, &mut blocks);
    store128(block, blocks[0]);
}

/// Encrypts `N` blocks side by side.
#[inline]
#[target_feature(enable = "aes")]
pub(in crate::kernel) fn encrypt<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    blocks: &mut [__m128i; N],
) {
    let key = load128(&keys[0]);
    for block in &mut *blocks {
        *block = _mm_xor_si128(*block, key);
    }
    for key in &keys[1..ROUNDS] {
        let key = load128(key);
        for block in &mut *blocks {
            *block = _mm_aesenc_si128(*block, key);
        }
    }
    let key = load128(&keys[ROUNDS]);
    for block in blocks {
        *block = _mm_aesenclast_si128(*block, key);
    }
}

#[target_feature(enable = "aes,sse4.1,ssse3")]
pub(super) fn apply_ctr<const ROUNDS: usize>(keys: &RoundKeys, iv: u128, data: &mut [u8]) {
    let mut counter = _mm_shuffle_epi8(block128(iv), swap());
    let (full, rest) = data.as_chunks_mut::<{ LANES * 16 }>();
    for chunk in full {
        let keystream = keystream::<ROUNDS, LANES>(keys, &mut counter);
        for (octets, keystream) in chunk.as_chunks_mut::<16>().0.iter_mut().zip(&keystream) {
            store128(octets, _mm_xor_si128(load128(octets), *keystream));
        }
    }
    match rest.len().div_ceil(16) {
        0 => {}
        1 => finish::<ROUNDS, 1>(keys, counter, rest),
        2 => finish::<ROUNDS, 2>(keys, counter, rest),
        3..=4 => finish::<ROUNDS, 4>(keys, counter, rest),
        _ => finish::<ROUNDS, LANES>(keys, counter, rest),
    }
}

/// The last blocks, `N` at most, of which the last may be short.
#[inline]
#[target_feature(enable = "aes,sse4.1,ssse3")]
fn finish<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    mut counter: __m128i,
    data: &mut [u8],
) {
    let keystream = keystream::<ROUNDS, N>(keys, &mut counter);
    let (full, rest) = data.as_chunks_mut::<16>();
    let mut keystream = keystream.iter();
    for (octets, keystream) in full.iter_mut().zip(&mut keystream) {
        store128(octets, _mm_xor_si128(load128(octets), *keystream));
    }
    if let (1.., Some(keystream)) = (rest.len(), keystream.next()) {
        let mut octets = [0; 16];
        store128(&mut octets, *keystream);
        for (octet, keystream) in rest.iter_mut().zip(octets) {
            *octet ^= keystream;
        }
    }
}

#[inline]
#[target_feature(enable = "aes,sse4.1,ssse3")]
fn keystream<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    counter: &mut __m128i,
) -> [__m128i; N] {
    let one = _mm_set_epi16(1, 0, 0, 0, 0, 0, 0, 0);
    let mut blocks = [_mm_setzero_si128(); N];
    for block in &mut blocks {
        *block = _mm_shuffle_epi8(*counter, swap());
        *counter = _mm_add_epi16(*counter, one);
    }
    encrypt::<ROUNDS, N>(keys, &mut blocks);
    blocks
}

/// Turns the last 16 bits, which count in network order, into a number and back.
#[inline]
#[target_feature(enable = "sse2")]
fn swap() -> __m128i {
    _mm_set_epi8(14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
}
