//! Octets into registers and back, and secrets overwritten. But for prefetches, everything else in the
//! kernels is free of pointers.

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_loadu_si128, _mm_maskz_loadu_epi8, _mm_set_epi64x,
    _mm_storeu_si128, _mm256_loadu_si256, _mm256_storeu_si256, _mm512_loadu_si512,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_epi32,
    _mm512_storeu_si512,
};

#[inline]
pub(super) fn load128(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the array has the 16 octets that are read; they need no alignment.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

/// The octets of a number in network order, without a detour through memory: a load of the whole
/// would wait until both halves, and all that comes before them, are stored.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn block128(number: u128) -> __m128i {
    let value = number.swap_bytes();
    let half = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
    _mm_set_epi64x(half(value >> 64).cast_signed(), half(value).cast_signed())
}

/// Overwrites secrets with zeros, a block at a time: an octet at a time, as `zeroize` does it, takes
/// longer than their key's expansion.
pub(super) fn erase(blocks: &mut [[u8; 16]]) {
    for block in blocks {
        // SAFETY: a write to a reference; volatile, so that it is not left out.
        unsafe { core::ptr::write_volatile(block, [0; 16]) };
    }
    core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::SeqCst);
}

#[inline]
pub(super) fn store128(octets: &mut [u8; 16], register: __m128i) {
    // SAFETY: the array has the 16 octets that are written; they need no alignment.
    unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), register) }
}

/// Up to 16 octets and zeros.
#[inline]
pub(super) fn load128_partial(octets: &[u8]) -> __m128i {
    let mut padded = [0; 16];
    for (slot, octet) in padded.iter_mut().zip(octets) {
        *slot = *octet;
    }
    load128(&padded)
}

/// Up to 16 octets and zeros; octets behind them are neither read nor needed.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl")]
pub(super) fn load128_masked(octets: &[u8]) -> __m128i {
    let [low, high, ..] = mask(octets.len()).to_le_bytes();
    // SAFETY: the mask keeps the load within the slice; octets outside it are not touched.
    unsafe { _mm_maskz_loadu_epi8(u16::from_le_bytes([low, high]), octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn load256(octets: &[u8; 32]) -> __m256i {
    // SAFETY: the array has the 32 octets that are read; they need no alignment.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn store256(octets: &mut [u8; 32], register: __m256i) {
    // SAFETY: the array has the 32 octets that are written; they need no alignment.
    unsafe { _mm256_storeu_si256(octets.as_mut_ptr().cast(), register) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load512(octets: &[u8; 64]) -> __m512i {
    // SAFETY: the array has the 64 octets that are read; they need no alignment.
    unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store512(octets: &mut [u8; 64], register: __m512i) {
    // SAFETY: the array has the 64 octets that are written; they need no alignment.
    unsafe { _mm512_storeu_si512(octets.as_mut_ptr().cast(), register) }
}

/// The first 16 words of 32 bits.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load512_words(words: &[u32; 16]) -> __m512i {
    // SAFETY: the array has the 64 octets that are read; they need no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store512_words(words: &mut [u32; 16], register: __m512i) {
    // SAFETY: the array has the 64 octets that are written; they need no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), register) }
}

/// One bit for each of `len` octets, 64 at most.
#[inline]
pub(super) const fn mask(len: usize) -> u64 {
    if len >= 64 { u64::MAX } else { (1 << len) - 1 }
}

/// Up to 64 octets and zeros; octets behind them are neither read nor needed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn load512_partial(octets: &[u8]) -> __m512i {
    // SAFETY: the mask keeps the load within the slice; octets outside it are not touched.
    unsafe { _mm512_maskz_loadu_epi8(mask(octets.len()), octets.as_ptr().cast()) }
}

/// As many of the 64 octets as `octets` holds.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn store512_partial(octets: &mut [u8], register: __m512i) {
    let mask = mask(octets.len());
    // SAFETY: the mask keeps the store within the slice; octets outside it are not touched.
    unsafe { _mm512_mask_storeu_epi8(octets.as_mut_ptr().cast(), mask, register) }
}

/// Up to 16 words and zeros; words behind them are neither read nor needed.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load512_words_partial(words: &[u32]) -> __m512i {
    let [low, high, ..] = mask(words.len()).to_le_bytes();
    // SAFETY: the mask keeps the load within the slice; words outside it are not touched.
    unsafe { _mm512_maskz_loadu_epi32(u16::from_le_bytes([low, high]), words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn load256_words(words: &[u32; 8]) -> __m256i {
    // SAFETY: the array has the 32 octets that are read; they need no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn store256_words(words: &mut [u32; 8], register: __m256i) {
    // SAFETY: the array has the 32 octets that are written; they need no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), register) }
}
