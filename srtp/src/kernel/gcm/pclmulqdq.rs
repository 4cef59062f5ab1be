//! GHASH with PCLMULQDQ: eight blocks a reduction.
//!
//! Blocks are multiplied in the form of POLYVAL ([RFC 8452 appendix A]): octets reversed, H times
//! x, so that a product of 256 bits reduces without a shift.
//!
//! [RFC 8452 appendix A]: https://www.rfc-editor.org/rfc/rfc8452#appendix-A

use core::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_clmulepi64_si128, _mm_or_si128, _mm_set_epi8, _mm_set_epi64x,
    _mm_setzero_si128, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_slli_epi64, _mm_slli_si128,
    _mm_srai_epi32, _mm_srli_epi64, _mm_srli_si128, _mm_xor_si128,
};

use super::{POWERS, Powers};
use crate::kernel::registers::{load128, load128_partial, store128};

/// Blocks that share a reduction.
const SHARED: usize = 8;

/// x^128 + x^127 + x^126 + x^121 + 1 without its highest term.
const POLYNOMIAL: u64 = 0xc200_0000_0000_0000;

/// The powers of the hash key, the highest first.
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn powers(hash_key: &[u8; 16], powers: &mut Powers) {
    let h = reversed(load128(hash_key));
    let carry = _mm_shuffle_epi32::<0xff>(_mm_srai_epi32::<31>(h));
    let doubled = _mm_or_si128(
        _mm_slli_epi64::<1>(h),
        _mm_slli_si128::<8>(_mm_srli_epi64::<63>(h)),
    );
    let h = _mm_xor_si128(doubled, _mm_and_si128(carry, polynomial()));

    store128(&mut powers[POWERS - 1], h);
    for exponent in 2..=POWERS {
        // Of halves, so that few products wait for each other.
        let half = load128(&powers[POWERS - exponent / 2]);
        let rest = load128(&powers[POWERS - exponent.div_ceil(2)]);
        store128(&mut powers[POWERS - exponent], multiply(half, rest));
    }
}

/// Takes in whole blocks and zeros.
#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn absorb(powers: &Powers, mut hash: __m128i, octets: &[u8]) -> __m128i {
    for chunk in octets.chunks(SHARED * 16) {
        let mut blocks = Blocks::ahead(powers, hash, chunk.len().div_ceil(16));
        blocks.add_octets(chunk);
        hash = blocks.reduce();
    }
    hash
}

/// So many blocks that follow a hash and share a reduction.
pub(super) struct Blocks<'a> {
    product: Product,
    hash: __m128i,
    powers: core::slice::Iter<'a, [u8; 16]>,
}

impl<'a> Blocks<'a> {
    /// `count` blocks, as many as there are powers at most.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn ahead(powers: &'a Powers, hash: __m128i, count: usize) -> Self {
        let (powers, _) = powers.split_at(POWERS);
        let mut powers = powers.iter();
        if let Some(unused) = POWERS.checked_sub(count + 1) {
            powers.nth(unused);
        }
        Self {
            product: Product::zero(),
            hash,
            powers,
        }
    }

    /// The next block.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn add(&mut self, block: __m128i) {
        debug_assert!(!self.powers.as_slice().is_empty(), "a block too many");
        if let Some(power) = self.powers.next() {
            self.product
                .add(_mm_xor_si128(block, self.hash), load128(power));
            self.hash = _mm_setzero_si128();
        }
    }

    /// The next blocks, the last filled up with zeros.
    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    pub(super) fn add_octets(&mut self, octets: &[u8]) {
        let (full, rest) = octets.as_chunks();
        for block in full {
            self.add(reversed(load128(block)));
        }
        if !rest.is_empty() {
            self.add(reversed(load128_partial(rest)));
        }
    }

    /// The hash behind the blocks.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn reduce(self) -> __m128i {
        self.product.reduce()
    }
}

/// `a` times `b`, reduced.
#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn multiply(a: __m128i, b: __m128i) -> __m128i {
    let mut product = Product::zero();
    product.add(a, b);
    product.reduce()
}

/// A sum of products of 256 bits.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) low: __m128i,
    pub(super) middle: __m128i,
    pub(super) high: __m128i,
}

impl Product {
    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn zero() -> Self {
        let zero = _mm_setzero_si128();
        Self {
            low: zero,
            middle: zero,
            high: zero,
        }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn add(&mut self, a: __m128i, b: __m128i) {
        let middle = _mm_xor_si128(
            _mm_clmulepi64_si128::<0x01>(a, b),
            _mm_clmulepi64_si128::<0x10>(a, b),
        );
        self.low = _mm_xor_si128(self.low, _mm_clmulepi64_si128::<0x00>(a, b));
        self.middle = _mm_xor_si128(self.middle, middle);
        self.high = _mm_xor_si128(self.high, _mm_clmulepi64_si128::<0x11>(a, b));
    }

    /// The sum divided by x^128, modulo the polynomial.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn reduce(self) -> __m128i {
        let low = _mm_xor_si128(self.low, _mm_slli_si128::<8>(self.middle));
        let high = _mm_xor_si128(self.high, _mm_srli_si128::<8>(self.middle));
        let folded = fold(fold(low));
        _mm_xor_si128(high, folded)
    }
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn fold(value: __m128i) -> __m128i {
    let product = _mm_clmulepi64_si128::<0x10>(value, polynomial());
    _mm_xor_si128(_mm_shuffle_epi32::<0x4e>(value), product)
}

#[inline]
#[target_feature(enable = "sse2")]
fn polynomial() -> __m128i {
    _mm_set_epi64x(POLYNOMIAL.cast_signed(), 1)
}

/// The octets of a block in opposite order.
#[inline]
#[target_feature(enable = "ssse3")]
pub(super) fn reversed(block: __m128i) -> __m128i {
    let order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm_shuffle_epi8(block, order)
}
