//! VAES on 512 bits: four blocks a register, a group; eight groups side by side.

#![allow(
    clippy::needless_range_loop,
    reason = "groups have constant numbers, known to the compiler"
)]

use core::arch::x86_64::{
    __m512i, _mm_set_epi8, _mm512_add_epi16, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_set_epi64, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_xor_si512,
};

use super::RoundKeys;
use crate::kernel::registers::{
    block128, load128, load512, load512_partial, store512, store512_partial,
};

const GROUPS: usize = 8;

#[target_feature(enable = "avx512f,avx512bw,vaes")]
pub(super) fn apply_ctr<const ROUNDS: usize>(keys: &RoundKeys, iv: u128, data: &mut [u8]) {
    let mut counter = first_counters(iv);
    let (full, rest) = data.as_chunks_mut::<{ GROUPS * 64 }>();
    for chunk in full {
        apply::<ROUNDS, GROUPS>(keys, &mut counter, chunk);
    }
    apply_last::<ROUNDS>(keys, &mut counter, rest);
}

/// Adds keystream to eight groups at most.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn apply_last<const ROUNDS: usize>(keys: &RoundKeys, counter: &mut __m512i, rest: &mut [u8]) {
    match rest.len().div_ceil(64) {
        0 => {}
        1 => apply::<ROUNDS, 1>(keys, counter, rest),
        2 => apply::<ROUNDS, 2>(keys, counter, rest),
        3 => apply::<ROUNDS, 3>(keys, counter, rest),
        4 => apply::<ROUNDS, 4>(keys, counter, rest),
        5 => apply::<ROUNDS, 5>(keys, counter, rest),
        6 => apply::<ROUNDS, 6>(keys, counter, rest),
        7 => apply::<ROUNDS, 7>(keys, counter, rest),
        _ => apply::<ROUNDS, GROUPS>(keys, counter, rest),
    }
}

/// Adds keystream to `data`, which takes just `N` groups, the last of them perhaps in part.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn apply<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    counter: &mut __m512i,
    data: &mut [u8],
) {
    let mut blocks = counter_groups::<N>(counter);
    encrypt::<ROUNDS, N>(keys, &mut blocks);
    // All groups but the last are whole: by number, so that the keystream stays in registers.
    let Some((full, rest)) = data.split_at_mut_checked((N - 1) * 64) else {
        return;
    };
    let (full, _) = full.as_chunks_mut::<64>();
    for at in 0..N - 1 {
        if let Some(octets) = full.get_mut(at) {
            store512(octets, _mm512_xor_si512(load512(octets), blocks[at]));
        }
    }
    let sum = _mm512_xor_si512(load512_partial(rest), blocks[N - 1]);
    store512_partial(rest, sum);
}

/// The first four counters, of which each counts in its last 16 bits, as numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(in crate::kernel) fn first_counters(iv: u128) -> __m512i {
    let steps = _mm512_set_epi64(3 << 48, 0, 2 << 48, 0, 1 << 48, 0, 0, 0);
    let iv = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(block128(iv)), swap());
    _mm512_add_epi16(iv, steps)
}

/// The next `4 * N` counter blocks; `counter` moves on behind them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(in crate::kernel) fn counter_groups<const N: usize>(counter: &mut __m512i) -> [__m512i; N] {
    let four = _mm512_set_epi64(4 << 48, 0, 4 << 48, 0, 4 << 48, 0, 4 << 48, 0);
    let mut blocks = [_mm512_setzero_si512(); N];
    for block in &mut blocks {
        *block = _mm512_shuffle_epi8(*counter, swap());
        *counter = _mm512_add_epi16(*counter, four);
    }
    blocks
}

/// Encrypts `N` groups side by side.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
pub(in crate::kernel) fn encrypt<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    blocks: &mut [__m512i; N],
) {
    let key = _mm512_broadcast_i32x4(load128(&keys[0]));
    for block in &mut *blocks {
        *block = _mm512_xor_si512(*block, key);
    }
    for key in &keys[1..ROUNDS] {
        let key = _mm512_broadcast_i32x4(load128(key));
        for block in &mut *blocks {
            *block = _mm512_aesenc_epi128(*block, key);
        }
    }
    let key = _mm512_broadcast_i32x4(load128(&keys[ROUNDS]));
    for block in blocks {
        *block = _mm512_aesenclast_epi128(*block, key);
    }
}

/// Turns the last 16 bits of each block, which count in network order, into a number and back.
#[inline]
#[target_feature(enable = "avx512f")]
fn swap() -> __m512i {
    _mm512_broadcast_i32x4(_mm_set_epi8(
        14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    ))
}
