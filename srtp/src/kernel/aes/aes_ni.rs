//! AES-NI: one block a register, eight registers side by side.

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_cvtsi128_si32,
    _mm_set_epi8, _mm_set_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_slli_si128, _mm_xor_si128,
};

use super::RoundKeys;
use crate::kernel::registers::{block128, load128, store128};

pub(in crate::kernel) const LANES: usize = 8;

/// The key expansion of FIPS 197 §5.2, for keys of 16, 24 and 32 octets.
#[target_feature(enable = "aes,ssse3")]
pub(super) fn expand(key: &[u8], round_keys: &mut RoundKeys) {
    match key.as_chunks::<16>() {
        ([key], []) => expand_128(key, round_keys),
        ([first, second], []) => expand_256(first, second, round_keys),
        _ => expand_192(key, round_keys),
    }
}

const ROUND_CONSTANTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn expand_128(key: &[u8; 16], round_keys: &mut RoundKeys) {
    let mut key = load128(key);
    store128(&mut round_keys[0], key);
    for (slot, constant) in round_keys[1..].iter_mut().zip(ROUND_CONSTANTS) {
        key = _mm_xor_si128(sums(key), substitute_rotated(key, constant));
        store128(slot, key);
    }
}

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn expand_256(first: &[u8; 16], second: &[u8; 16], round_keys: &mut RoundKeys) {
    let (mut even, mut odd) = (load128(first), load128(second));
    let (pairs, last) = round_keys.as_chunks_mut::<2>();
    for (pair, constant) in pairs.iter_mut().zip(ROUND_CONSTANTS) {
        store128(&mut pair[0], even);
        store128(&mut pair[1], odd);
        even = _mm_xor_si128(sums(even), substitute_rotated(odd, constant));
        odd = _mm_xor_si128(sums(odd), substitute(even));
    }
    store128(&mut last[0], even);
}

/// Word by word: six of them fill no register.
#[inline]
#[target_feature(enable = "aes,ssse3")]
fn expand_192(key: &[u8], round_keys: &mut RoundKeys) {
    let (words, _) = round_keys.as_flattened_mut().as_chunks_mut::<4>();
    for (word, key) in words.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = *key;
    }
    let mut previous = u32::from_le_bytes(words[5]);
    for at in 6..52 {
        if at % 6 == 0 {
            let last = _mm_set1_epi32(previous.cast_signed());
            let changed = substitute_rotated(last, ROUND_CONSTANTS[at / 6 - 1]);
            previous = _mm_cvtsi128_si32(changed).cast_unsigned();
        }
        previous ^= u32::from_le_bytes(words[at - 6]);
        words[at] = previous.to_le_bytes();
    }
}

/// Each word plus those in front of it.
#[inline]
#[target_feature(enable = "sse2")]
fn sums(words: __m128i) -> __m128i {
    let words = _mm_xor_si128(words, _mm_slli_si128::<4>(words));
    _mm_xor_si128(words, _mm_slli_si128::<8>(words))
}

/// The last word, substituted, in all places: the last round on four equal columns, which its shift
/// of rows does not change, takes a fraction of AESKEYGENASSIST and is known to Miri.
#[inline]
#[target_feature(enable = "aes")]
fn substitute(words: __m128i) -> __m128i {
    _mm_aesenclast_si128(_mm_shuffle_epi32::<0xff>(words), _mm_setzero_si128())
}

/// The same of the word rotated, plus a round constant.
#[inline]
#[target_feature(enable = "aes,ssse3")]
fn substitute_rotated(words: __m128i, constant: u32) -> __m128i {
    let rotated = _mm_shuffle_epi8(words, _mm_set1_epi32(0x0c0f_0e0d));
    _mm_aesenclast_si128(rotated, _mm_set1_epi32(constant.cast_signed()))
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
    let mut counter = first_counter(iv);
    let (full, rest) = data.as_chunks_mut::<{ LANES * 16 }>();
    for chunk in full {
        let mut blocks = counters::<LANES>(&mut counter);
        encrypt::<ROUNDS, LANES>(keys, &mut blocks);
        add(chunk, &blocks);
    }
    apply_last::<ROUNDS>(keys, counter, rest);
}

/// Adds keystream to less than eight blocks.
#[inline]
#[target_feature(enable = "aes,sse4.1,ssse3")]
pub(in crate::kernel) fn apply_last<const ROUNDS: usize>(
    keys: &RoundKeys,
    counter: __m128i,
    rest: &mut [u8],
) {
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
    let mut keystream = counters::<N>(&mut counter);
    encrypt::<ROUNDS, N>(keys, &mut keystream);
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

/// Adds a whole register of keystream to each block.
#[inline]
#[target_feature(enable = "sse2")]
pub(in crate::kernel) fn add(data: &mut [u8; LANES * 16], keystream: &[__m128i; LANES]) {
    for (octets, keystream) in data.as_chunks_mut().0.iter_mut().zip(keystream) {
        store128(octets, _mm_xor_si128(load128(octets), *keystream));
    }
}

/// The first counter block, which counts in its last 16 bits, as numbers.
#[inline]
#[target_feature(enable = "ssse3")]
pub(in crate::kernel) fn first_counter(iv: u128) -> __m128i {
    _mm_shuffle_epi8(block128(iv), swap())
}

/// The next `N` counter blocks; `counter` moves on behind them.
#[inline]
#[target_feature(enable = "ssse3")]
pub(in crate::kernel) fn counters<const N: usize>(counter: &mut __m128i) -> [__m128i; N] {
    let one = _mm_set_epi16(1, 0, 0, 0, 0, 0, 0, 0);
    let mut blocks = [_mm_setzero_si128(); N];
    for block in &mut blocks {
        *block = _mm_shuffle_epi8(*counter, swap());
        *counter = _mm_add_epi16(*counter, one);
    }
    blocks
}

/// Turns the last 16 bits, which count in network order, into a number and back.
#[inline]
#[target_feature(enable = "sse2")]
fn swap() -> __m128i {
    _mm_set_epi8(14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
}
