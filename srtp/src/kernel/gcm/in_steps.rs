//! AES-GCM with AES-NI and PCLMULQDQ: eight blocks are hashed between the rounds of eight others,
//! and what remains takes one reduction.

use core::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_setzero_si128, _mm_xor_si128,
};

use super::pclmulqdq::{Blocks, Product, absorb, reversed};
use super::{GcmKey, POWERS, Powers, is_right, lengths};
use crate::kernel::aes::{RoundKeys, aes_ni, encrypt_aes_ni};
use crate::kernel::registers::{block128, load128, store128};

const LANES: usize = aes_ni::LANES;

/// Octets of the chunks that a packet is worked on in.
const CHUNK: usize = LANES * 16;

/// Encrypts `data`, whose first counter block is given, and puts the tag over `aad` and the
/// ciphertext into `tag`.
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
pub(super) fn seal<const ROUNDS: usize>(
    key: &GcmKey,
    first_block: u128,
    aad: &[u8],
    data: &mut [u8],
    tag: &mut [u8; 16],
) {
    store128(tag, gcm::<ROUNDS, true>(key, first_block, aad, data));
}

/// Decrypts `data` and returns whether `tag` is right.
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
pub(super) fn open<const ROUNDS: usize>(
    key: &GcmKey,
    first_block: u128,
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; 16],
) -> bool {
    is_right(tag, gcm::<ROUNDS, false>(key, first_block, aad, data))
}

/// Encrypts or decrypts `data`, whose first counter block is given, and returns the tag over `aad`
/// and the ciphertext.
#[inline]
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn gcm<const ROUNDS: usize, const SEAL: bool>(
    key: &GcmKey,
    first_block: u128,
    aad: &[u8],
    data: &mut [u8],
) -> __m128i {
    let keys = key.aes.round_keys();
    let powers = &key.powers;
    let lengths = lengths(aad, data);
    let mut mask = [block128(first_block - 1)];
    encrypt_aes_ni::<ROUNDS, 1>(keys, &mut mask);
    let mut counter = aes_ni::first_counter(first_block);

    let (chunks, rest) = data.as_chunks_mut::<CHUNK>();
    let remaining = rest.len().div_ceil(16) + 1;
    // What a packet of speech has in front of its body takes part in the last reduction.
    let in_front = aad.len().div_ceil(16);
    let alone = chunks.is_empty() && in_front + remaining <= POWERS;
    let mut hash = if alone {
        _mm_setzero_si128()
    } else {
        absorb(powers, _mm_setzero_si128(), aad)
    };
    for at in 0..chunks.len() {
        let (before, now) = chunks.split_at_mut(at);
        let Some(chunk) = now.first_mut() else { break };
        let mut blocks = aes_ni::counters::<LANES>(&mut counter);
        // Ciphertext is hashed: the last that was made, or what is about to be decrypted.
        let ciphertext = if SEAL { before.last() } else { Some(&*chunk) };
        match ciphertext {
            Some(ciphertext) => {
                hash = encrypt_hashing::<ROUNDS>(keys, &mut blocks, ciphertext, powers, hash);
            }
            None => encrypt_aes_ni::<ROUNDS, LANES>(keys, &mut blocks),
        }
        aes_ni::add(chunk, &blocks);
    }

    let pending = if SEAL { chunks.last() } else { None };
    let pending = pending.map_or(&[][..], |chunk| chunk);
    let in_front = if alone { in_front } else { pending.len() / 16 };
    let mut last = Blocks::ahead(powers, hash, in_front + remaining);
    last.add_octets(if alone { aad } else { pending });
    if SEAL {
        aes_ni::apply_last::<ROUNDS>(keys, counter, rest);
        last.add_octets(rest);
    } else {
        last.add_octets(rest);
        aes_ni::apply_last::<ROUNDS>(keys, counter, rest);
    }
    last.add(lengths);
    _mm_xor_si128(reversed(last.reduce()), mask[0])
}

/// Encrypts eight blocks while eight others are taken into a hash.
///
/// Step by step: the processor does not look far enough ahead to do one beside the other when they
/// stand one behind the other.
#[inline]
#[target_feature(enable = "aes,pclmulqdq,ssse3")]
fn encrypt_hashing<const ROUNDS: usize>(
    keys: &RoundKeys,
    blocks: &mut [__m128i; LANES],
    hashed: &[u8; CHUNK],
    powers: &Powers,
    hash: __m128i,
) -> __m128i {
    let (hashed, _) = hashed.as_chunks::<16>();
    let mut product = Product::zero();
    let key = load128(&keys[0]);
    for block in &mut *blocks {
        *block = _mm_xor_si128(*block, key);
    }
    for (key, round) in keys[1..ROUNDS].iter().zip(1..) {
        let key = load128(key);
        for block in &mut *blocks {
            *block = _mm_aesenc_si128(*block, key);
        }
        // The first block last, as it waits for the hash in front of it.
        if round <= LANES {
            let at = round % LANES;
            let mut block = reversed(load128(&hashed[at]));
            if at == 0 {
                block = _mm_xor_si128(block, hash);
            }
            product.add(block, load128(&powers[POWERS - LANES + at]));
        }
    }
    let key = load128(&keys[ROUNDS]);
    for block in blocks {
        *block = _mm_aesenclast_si128(*block, key);
    }
    product.reduce()
}
