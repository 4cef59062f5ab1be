//! VAES on 256 bits: two blocks a register, eight registers side by side.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_aesenc_epi128, _mm256_aesenclast_epi128,
    _mm256_broadcastsi128_si256, _mm256_set_epi8, _mm256_set_epi16, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_xor_si256,
};

use super::RoundKeys;
use crate::kernel::registers::{block128, load128, load256, store256};

const LANES: usize = 8;

#[target_feature(enable = "avx2,vaes")]
pub(super) fn apply_ctr<const ROUNDS: usize>(keys: &RoundKeys, iv: u128, data: &mut [u8]) {
    let first = _mm256_set_epi16(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    let iv = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(block128(iv)), swap());
    let mut counter = _mm256_add_epi16(iv, first);
    let (full, rest) = data.as_chunks_mut::<{ LANES * 32 }>();
    for chunk in full {
        let keystream = keystream::<ROUNDS, LANES>(keys, &mut counter);
        for (octets, keystream) in chunk.as_chunks_mut::<32>().0.iter_mut().zip(&keystream) {
            store256(octets, _mm256_xor_si256(load256(octets), *keystream));
        }
    }
    match rest.len().div_ceil(32) {
        0 => {}
        1 => finish::<ROUNDS, 1>(keys, counter, rest),
        2 => finish::<ROUNDS, 2>(keys, counter, rest),
        3..=4 => finish::<ROUNDS, 4>(keys, counter, rest),
        5..=6 => finish::<ROUNDS, 6>(keys, counter, rest),
        _ => finish::<ROUNDS, LANES>(keys, counter, rest),
    }
}

/// The last blocks, `2 * N` at most, of which the last may be short.
#[inline]
#[target_feature(enable = "avx2,vaes")]
fn finish<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    mut counter: __m256i,
    data: &mut [u8],
) {
    let keystream = keystream::<ROUNDS, N>(keys, &mut counter);
    let (full, rest) = data.as_chunks_mut::<32>();
    let mut keystream = keystream.iter();
    for (octets, keystream) in full.iter_mut().zip(&mut keystream) {
        store256(octets, _mm256_xor_si256(load256(octets), *keystream));
    }
    if let (1.., Some(keystream)) = (rest.len(), keystream.next()) {
        let mut octets = [0; 32];
        store256(&mut octets, *keystream);
        for (octet, keystream) in rest.iter_mut().zip(octets) {
            *octet ^= keystream;
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,vaes")]
fn keystream<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    counter: &mut __m256i,
) -> [__m256i; N] {
    let two = _mm256_set_epi16(2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0);
    let mut blocks = [_mm256_setzero_si256(); N];
    for block in &mut blocks {
        *block = _mm256_shuffle_epi8(*counter, swap());
        *counter = _mm256_add_epi16(*counter, two);
    }
    let key = _mm256_broadcastsi128_si256(load128(&keys[0]));
    for block in &mut blocks {
        *block = _mm256_xor_si256(*block, key);
    }
    for key in &keys[1..ROUNDS] {
        let key = _mm256_broadcastsi128_si256(load128(key));
        for block in &mut blocks {
            *block = _mm256_aesenc_epi128(*block, key);
        }
    }
    let key = _mm256_broadcastsi128_si256(load128(&keys[ROUNDS]));
    for block in &mut blocks {
        *block = _mm256_aesenclast_epi128(*block, key);
    }
    blocks
}

/// Turns the last 16 bits of each block, which count in network order, into a number and back.
#[inline]
#[target_feature(enable = "avx2")]
fn swap() -> __m256i {
    _mm256_set_epi8(
        14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, //
        14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    )
}
