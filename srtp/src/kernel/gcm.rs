//! AES-GCM of one packet.

mod in_steps;
mod one_pass;
mod pclmulqdq;

use core::arch::x86_64::{__m128i, _mm_set_epi64x, _mm_testz_si128, _mm_xor_si128};

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::aes::{AesKey, Rounds};
use super::detect::{Isa, Level};
use super::registers::{erase, load128};

/// Powers of H at hand: fifteen blocks of ciphertext, one of associated data and one of lengths
/// take one reduction.
const POWERS: usize = 17;

/// H^17 down to H^1, each times x so that products need no shift, and zeros for what a load of
/// four takes in behind H^1.
type Powers = [[u8; 16]; POWERS + 2];

/// Most octets of a message: as many blocks as the last 16 bits of the counter tell apart.
const MAX_LEN: usize = 16 * 65_534;

/// An AES-GCM key ([NIST SP 800-38D]) for nonces of 12 octets and tags of 16.
///
/// [NIST SP 800-38D]: https://csrc.nist.gov/pubs/sp/800/38/d/final
///
/// What tells the variants apart comes last, so that other ciphers fit in front of it.
#[repr(C, align(16))]
pub(crate) struct GcmKey {
    powers: Powers,
    aes: AesKey,
}

impl Drop for GcmKey {
    fn drop(&mut self) {
        erase(&mut self.powers);
    }
}

impl ZeroizeOnDrop for GcmKey {}

impl GcmKey {
    /// Expands a key of 16, 24 or 32 octets. `None` for other lengths, or without AES-NI and
    /// PCLMULQDQ.
    #[inline]
    pub(crate) fn new(key: &[u8], isa: Isa) -> Option<Self> {
        let mut gcm = Self::blank(key.len(), isa)?;
        gcm.set(key);
        Some(gcm)
    }

    /// Room for a key of `len` octets. `None` for other lengths than 16, 24 and 32, or without AES-NI
    /// and PCLMULQDQ.
    #[inline]
    pub(crate) fn blank(len: usize, isa: Isa) -> Option<Self> {
        let aes = AesKey::blank(len, isa)?;
        let powers = [[0; 16]; POWERS + 2];
        Some(Self { powers, aes })
    }

    /// Expands a key of the length that there is room for, where it stays: moved, it would leave
    /// copies behind.
    #[inline]
    pub(crate) fn set(&mut self, key: &[u8]) {
        self.aes.set(key);
        let mut hash_key = [0; 16];
        self.aes.encrypt_block(&mut hash_key);
        // SAFETY: an `AesKey` exists only where AES-NI and PCLMULQDQ were found.
        unsafe { pclmulqdq::powers(&hash_key, &mut self.powers) };
        hash_key.zeroize();
    }

    /// Encrypts `data` in place under `nonce`, the upper 96 bits, and puts the tag over `aad` and the
    /// ciphertext into `tag`; `None` if `data` is longer than a counter of 16 bits serves.
    #[inline]
    pub(crate) fn seal(
        &self,
        nonce: u128,
        aad: &[u8],
        data: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Option<()> {
        if data.len() > MAX_LEN {
            return None;
        }
        let block = first_block(nonce);
        let wide = self.aes.isa().level() == Level::Vaes512;
        // SAFETY: the `Isa` of a key exists only where the instructions of its level were found.
        unsafe {
            match (wide, self.aes.rounds()) {
                (true, Rounds::Ten) => one_pass::seal::<10>(self, block, aad, data, tag),
                (true, Rounds::Twelve) => one_pass::seal::<12>(self, block, aad, data, tag),
                (true, Rounds::Fourteen) => one_pass::seal::<14>(self, block, aad, data, tag),
                (false, Rounds::Ten) => in_steps::seal::<10>(self, block, aad, data, tag),
                (false, Rounds::Twelve) => in_steps::seal::<12>(self, block, aad, data, tag),
                (false, Rounds::Fourteen) => in_steps::seal::<14>(self, block, aad, data, tag),
            }
        }
        Some(())
    }

    /// Verifies `tag` and decrypts `data` in place; `false` and `data` as it was if it is wrong.
    #[inline]
    pub(crate) fn open(&self, nonce: u128, aad: &[u8], data: &mut [u8], tag: &[u8; 16]) -> bool {
        if data.len() > MAX_LEN {
            return false;
        }
        let block = first_block(nonce);
        let wide = self.aes.isa().level() == Level::Vaes512;
        // SAFETY: the `Isa` of a key exists only where the instructions of its level were found.
        let right = unsafe {
            match (wide, self.aes.rounds()) {
                (true, Rounds::Ten) => one_pass::open::<10>(self, block, aad, data, tag),
                (true, Rounds::Twelve) => one_pass::open::<12>(self, block, aad, data, tag),
                (true, Rounds::Fourteen) => one_pass::open::<14>(self, block, aad, data, tag),
                (false, Rounds::Ten) => in_steps::open::<10>(self, block, aad, data, tag),
                (false, Rounds::Twelve) => in_steps::open::<12>(self, block, aad, data, tag),
                (false, Rounds::Fourteen) => in_steps::open::<14>(self, block, aad, data, tag),
            }
        };
        if !right {
            // What nobody vouches for was decrypted on the way: back to ciphertext.
            self.aes.apply_ctr(first_block(nonce), data);
        }
        right
    }
}

/// The counter block of the first block of data.
const fn first_block(nonce: u128) -> u128 {
    nonce | 2
}

/// The last block that is hashed: both lengths in bits, in the order that the kernels multiply.
#[inline]
#[target_feature(enable = "sse2")]
fn lengths(aad: &[u8], ciphertext: &[u8]) -> __m128i {
    let bits = |octets: &[u8]| i64::try_from(octets.len()).map_or(0, |len| len * 8);
    _mm_set_epi64x(bits(aad), bits(ciphertext))
}

/// Whether `tag` is what was computed: all bits at once, in constant time.
#[inline]
#[target_feature(enable = "sse4.1")]
fn is_right(tag: &[u8; 16], computed: __m128i) -> bool {
    let difference = _mm_xor_si128(load128(tag), computed);
    _mm_testz_si128(difference, difference) == 1
}
