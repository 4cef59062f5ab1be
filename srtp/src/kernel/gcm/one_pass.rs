//! AES-GCM with VAES and VPCLMULQDQ on 512 bits: encryption and GHASH in one pass, and one
//! reduction for the packets of speech.

#![allow(
    clippy::needless_range_loop,
    reason = "groups have constant numbers, known to the compiler"
)]

use core::arch::x86_64::{
    __m128i, __m512i, _mm_set_epi8, _mm_setzero_si128, _mm_xor_si128, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_xor_si256, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_castsi512_si256, _mm512_clmulepi64_epi128,
    _mm512_extracti32x4_epi32, _mm512_extracti64x4_epi64, _mm512_inserti32x4, _mm512_setzero_si512,
    _mm512_shuffle_epi8, _mm512_ternarylogic_epi32, _mm512_xor_si512, _mm512_zextsi128_si512,
};

use super::pclmulqdq::{Product, multiply, reversed};
use super::{GcmKey, POWERS, Powers, is_right, lengths};
use crate::kernel::aes::{
    RoundKeys, counter_groups, encrypt_aes_ni, encrypt_vaes512, first_counters,
};
use crate::kernel::registers::{
    block128, load128, load128_masked, load512, load512_partial, store128, store512,
    store512_partial,
};

/// Octets of the chunks that a long packet is worked on in.
const CHUNK: usize = 256;

/// Encrypts `data`, whose first counter block is given, and puts the tag over `aad` and the
/// ciphertext into `tag`.
#[target_feature(
    enable = "avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,avx2,aes,pclmulqdq,ssse3,sse4.1"
)]
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
#[target_feature(
    enable = "avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,avx2,aes,pclmulqdq,ssse3,sse4.1"
)]
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
#[target_feature(
    enable = "avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,avx2,aes,pclmulqdq,ssse3,sse4.1"
)]
fn gcm<const ROUNDS: usize, const SEAL: bool>(
    key: &GcmKey,
    first_block: u128,
    aad: &[u8],
    data: &mut [u8],
) -> __m128i {
    let keys = key.aes.round_keys();
    let powers = &key.powers;
    let h = load128(&powers[POWERS - 1]);
    let lengths = lengths(aad, data);
    let first = block128(first_block - 1);
    // The mask of the tag is encrypted in the place of a fourth block, where the data leaves one.
    let in_place = !data.len().div_ceil(16).is_multiple_of(4);
    let mut mask = [first];
    if !in_place {
        encrypt_aes_ni::<ROUNDS, 1>(keys, &mut mask);
    }
    let mut counter = first_counters(first_block);

    let mut sums = Sums::zero();
    let aad = hash_but_last(aad, h);
    let rest = if data.len() <= (POWERS - 2) * 16 {
        // Everything in one sum: associated data, ciphertext, lengths.
        let blocks = data.len().div_ceil(16);
        let ends = _mm512_inserti32x4::<1>(_mm512_zextsi128_si512(aad), lengths);
        let at = load128(powers.get(POWERS - 2 - blocks).unwrap_or(&[0; 16]));
        sums.add(ends, _mm512_inserti32x4::<1>(_mm512_zextsi128_si512(at), h));
        Rest {
            data,
            before: _mm_setzero_si128(),
            pending: None,
        }
    } else {
        let hash = multiply(aad, h);
        let rest = chunks::<ROUNDS, SEAL>(keys, powers, &mut counter, hash, data);
        if rest.data.is_empty() {
            let hash = multiply(_mm_xor_si128(rest.hash(powers), lengths), h);
            return _mm_xor_si128(reversed(hash), mask[0]);
        }
        sums.add(_mm512_zextsi128_si512(lengths), _mm512_zextsi128_si512(h));
        rest
    };
    let counters = Counters {
        data: counter,
        fourth: in_place.then_some(first),
    };
    let fourth = match rest.data.len().div_ceil(64) {
        0 => mask[0],
        1 => last::<ROUNDS, SEAL, 1>(keys, powers, counters, rest, &mut sums),
        2 => last::<ROUNDS, SEAL, 2>(keys, powers, counters, rest, &mut sums),
        3 => last::<ROUNDS, SEAL, 3>(keys, powers, counters, rest, &mut sums),
        _ => last::<ROUNDS, SEAL, 4>(keys, powers, counters, rest, &mut sums),
    };
    let mask = if in_place { fourth } else { mask[0] };
    _mm_xor_si128(reversed(sums.reduce()), mask)
}

/// Data behind the whole chunks.
struct Rest<'a> {
    data: &'a mut [u8],
    /// The hash of what is in front of it, but for what is pending.
    before: __m128i,
    /// A chunk of ciphertext, with the hash of what is in front of it.
    pending: Option<[__m512i; 4]>,
}

impl Rest<'_> {
    /// The hash of what is in front of the data.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,vpclmulqdq,avx2,pclmulqdq")]
    fn hash(&self, powers: &Powers) -> __m128i {
        let Some(pending) = &self.pending else {
            return self.before;
        };
        let mut sums = Sums::zero();
        for (blocks, powers) in pending.iter().zip(of_a_chunk(powers)) {
            sums.add(*blocks, powers);
        }
        sums.reduce()
    }
}

/// The next counters, and another for the fourth block of the last group if that has no data.
struct Counters {
    data: __m512i,
    fourth: Option<__m128i>,
}

/// The last block of associated data plus the hash of those before it.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,pclmulqdq,ssse3")]
fn hash_but_last(mut aad: &[u8], h: __m128i) -> __m128i {
    let mut hash = _mm_setzero_si128();
    while let Some((block, rest)) = aad.split_first_chunk::<16>()
        && !rest.is_empty()
    {
        hash = multiply(_mm_xor_si128(hash, reversed(load128(block))), h);
        aad = rest;
    }
    _mm_xor_si128(hash, reversed(load128_masked(aad)))
}

/// All whole chunks. A chunk is hashed while the next is encrypted or decrypted.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vaes,vpclmulqdq,avx2,pclmulqdq")]
fn chunks<'a, const ROUNDS: usize, const SEAL: bool>(
    keys: &RoundKeys,
    powers: &Powers,
    counter: &mut __m512i,
    mut hash: __m128i,
    data: &'a mut [u8],
) -> Rest<'a> {
    let powers = of_a_chunk(powers);
    let (chunks, data) = data.as_chunks_mut::<CHUNK>();
    let mut pending: Option<[__m512i; 4]> = None;
    for chunk in chunks {
        let (chunk, _) = chunk.as_chunks_mut::<64>();
        let mut blocks = counter_groups::<4>(counter);
        if let Some(ciphertext) = &pending {
            hash = encrypt_hashing::<ROUNDS, 4>(keys, &mut blocks, ciphertext, &powers);
        } else {
            encrypt_vaes512::<ROUNDS, 4>(keys, &mut blocks);
        }
        for (octets, block) in chunk.iter_mut().zip(&mut blocks) {
            let input = load512(octets);
            let output = _mm512_xor_si512(input, *block);
            store512(octets, output);
            *block = swapped(if SEAL { output } else { input });
        }
        blocks[0] = plus(blocks[0], hash);
        pending = Some(blocks);
    }
    Rest {
        data,
        before: hash,
        pending,
    }
}

/// Encrypts `N` groups while a chunk, with the hash in front of it, is hashed.
///
/// Step by step: the processor does not look far enough ahead to do one beside the other when they
/// stand one behind the other.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,vaes,vpclmulqdq,avx2,pclmulqdq")]
fn encrypt_hashing<const ROUNDS: usize, const N: usize>(
    keys: &RoundKeys,
    blocks: &mut [__m512i; N],
    hashed: &[__m512i; 4],
    powers: &[__m512i; 4],
) -> __m128i {
    let mut sums = Sums::zero();
    let key = _mm512_broadcast_i32x4(load128(&keys[0]));
    for block in &mut *blocks {
        *block = _mm512_xor_si512(*block, key);
    }
    for round in 1..ROUNDS {
        let key = _mm512_broadcast_i32x4(load128(&keys[round]));
        for block in &mut *blocks {
            *block = _mm512_aesenc_epi128(*block, key);
        }
        // In every other round; the first blocks last, as they wait for the hash in front of them.
        if round % 2 == 0 && round / 2 <= hashed.len() {
            let at = round / 2 % hashed.len();
            sums.add(hashed[at], powers[at]);
        }
    }
    let key = _mm512_broadcast_i32x4(load128(&keys[ROUNDS]));
    for block in blocks {
        *block = _mm512_aesenclast_epi128(*block, key);
    }
    sums.reduce()
}

/// The powers for sixteen blocks, the highest first.
#[inline]
#[target_feature(enable = "avx512f")]
fn of_a_chunk(powers: &Powers) -> [__m512i; 4] {
    let (_, powers) = powers.as_flattened().split_at(16);
    let mut registers = [_mm512_setzero_si512(); 4];
    for (register, powers) in registers.iter_mut().zip(powers.as_chunks().0) {
        *register = load512(powers);
    }
    registers
}

/// The blocks, and `hash` added to the first.
#[inline]
#[target_feature(enable = "avx512f")]
fn plus(blocks: __m512i, hash: __m128i) -> __m512i {
    _mm512_xor_si512(blocks, _mm512_zextsi128_si512(hash))
}

/// Less than a chunk more, in `N` groups of four blocks, into `sums`; returns the last block of
/// keystream.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,vaes,vpclmulqdq,avx2,pclmulqdq")]
fn last<const ROUNDS: usize, const SEAL: bool, const N: usize>(
    keys: &RoundKeys,
    powers: &Powers,
    mut counters: Counters,
    rest: Rest<'_>,
    sums: &mut Sums,
) -> __m128i {
    let Rest {
        data,
        mut before,
        pending,
    } = rest;
    let mut blocks = counter_groups::<N>(&mut counters.data);
    if let Some(fourth) = counters.fourth {
        blocks[N - 1] = _mm512_inserti32x4::<3>(blocks[N - 1], fourth);
    }
    if let Some(pending) = &pending {
        before = encrypt_hashing::<ROUNDS, N>(keys, &mut blocks, pending, &of_a_chunk(powers));
    } else {
        encrypt_vaes512::<ROUNDS, N>(keys, &mut blocks);
    }
    let mut before = _mm512_zextsi128_si512(before);
    // The lengths come behind with H^1, so the last block of data has H^2.
    let first = POWERS - 1 - data.len().div_ceil(16);
    let powers = powers.as_flattened().get(first * 16..).unwrap_or_default();
    let mut powers = powers.as_chunks::<64>().0.iter();
    let fourth = _mm512_extracti32x4_epi32::<3>(blocks[N - 1]);
    // All groups but the last are whole: by number, so that the keystream stays in registers.
    let Some((full, part)) = data.split_at_mut_checked((N - 1) * 64) else {
        return fourth;
    };
    let (full, _) = full.as_chunks_mut::<64>();
    for at in 0..N - 1 {
        if let (Some(octets), Some(powers)) = (full.get_mut(at), powers.next()) {
            let input = load512(octets);
            let output = _mm512_xor_si512(input, blocks[at]);
            store512(octets, output);
            let ciphertext = swapped(if SEAL { output } else { input });
            sums.add(_mm512_xor_si512(ciphertext, before), load512(powers));
            before = _mm512_setzero_si512();
        }
    }
    if let Some(powers) = powers.next() {
        let input = load512_partial(part);
        let output = _mm512_xor_si512(input, blocks[N - 1]);
        store512_partial(part, output);
        let ciphertext = swapped(if SEAL {
            kept(output, part.len())
        } else {
            input
        });
        sums.add(_mm512_xor_si512(ciphertext, before), load512(powers));
    }
    fourth
}

/// The first `len` octets, and zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn kept(register: __m512i, len: usize) -> __m512i {
    core::arch::x86_64::_mm512_maskz_mov_epi8(crate::kernel::registers::mask(len), register)
}

/// The octets of each block in opposite order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn swapped(blocks: __m512i) -> __m512i {
    let order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm512_shuffle_epi8(blocks, _mm512_broadcast_i32x4(order))
}

/// Four sums of products of 256 bits.
struct Sums {
    low: __m512i,
    middle: __m512i,
    high: __m512i,
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Self {
        let zero = _mm512_setzero_si512();
        Self {
            low: zero,
            middle: zero,
            high: zero,
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,vpclmulqdq")]
    fn add(&mut self, blocks: __m512i, powers: __m512i) {
        let low = _mm512_clmulepi64_epi128::<0x00>(blocks, powers);
        let high = _mm512_clmulepi64_epi128::<0x11>(blocks, powers);
        self.low = _mm512_xor_si512(self.low, low);
        self.high = _mm512_xor_si512(self.high, high);
        self.middle = _mm512_ternarylogic_epi32::<0x96>(
            self.middle,
            _mm512_clmulepi64_epi128::<0x01>(blocks, powers),
            _mm512_clmulepi64_epi128::<0x10>(blocks, powers),
        );
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx2,pclmulqdq")]
    fn reduce(&self) -> __m128i {
        Product {
            low: folded(self.low),
            middle: folded(self.middle),
            high: folded(self.high),
        }
        .reduce()
    }
}

/// The sum of the four blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx2")]
fn folded(blocks: __m512i) -> __m128i {
    let half = _mm256_xor_si256(
        _mm512_castsi512_si256(blocks),
        _mm512_extracti64x4_epi64::<1>(blocks),
    );
    _mm_xor_si128(
        _mm256_castsi256_si128(half),
        _mm256_extracti128_si256::<1>(half),
    )
}
