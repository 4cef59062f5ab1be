//! AES in the encrypting direction, and SRTP's counter mode.

pub(super) mod aes_ni;
mod vaes256;
mod vaes512;

use zeroize::ZeroizeOnDrop;

use super::detect::{Isa, Level};
use super::registers::erase;

pub(super) use aes_ni::encrypt as encrypt_aes_ni;
pub(super) use vaes512::{counter_groups, encrypt as encrypt_vaes512, first_counters};

/// Round keys of AES-256; the shorter variants use as many as they have rounds, and one.
pub(super) type RoundKeys = [[u8; 16]; 15];

/// An expanded AES key.
#[repr(C, align(16))]
pub(crate) struct AesKey {
    round_keys: RoundKeys,
    rounds: Rounds,
    isa: Isa,
}

impl Drop for AesKey {
    fn drop(&mut self) {
        erase(&mut self.round_keys);
    }
}

impl ZeroizeOnDrop for AesKey {}

/// How many rounds a key of its length takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rounds {
    Ten,
    Twelve,
    Fourteen,
}

impl AesKey {
    /// Expands a key of 16, 24 or 32 octets. `None` for other lengths, or without AES-NI.
    #[inline]
    pub(crate) fn new(key: &[u8], isa: Isa) -> Option<Self> {
        let mut aes = Self::blank(key.len(), isa)?;
        aes.set(key);
        Some(aes)
    }

    /// Room for a key of `len` octets. `None` for other lengths than 16, 24 and 32, or without AES-NI.
    #[inline]
    pub(crate) fn blank(len: usize, isa: Isa) -> Option<Self> {
        let rounds = match len {
            16 => Rounds::Ten,
            24 => Rounds::Twelve,
            32 => Rounds::Fourteen,
            _ => return None,
        };
        (isa.level() >= Level::AesNi).then_some(Self {
            round_keys: [[0; 16]; 15],
            rounds,
            isa,
        })
    }

    /// Expands a key of the length that there is room for, where it stays: moved, it would leave
    /// copies behind.
    #[inline]
    pub(crate) fn set(&mut self, key: &[u8]) {
        // SAFETY: an `Isa` from AesNi on exists only where AES-NI was found.
        unsafe { aes_ni::expand(key, &mut self.round_keys) };
    }

    /// Encrypts one block.
    pub(crate) fn encrypt_block(&self, block: &mut [u8; 16]) {
        let keys = &self.round_keys;
        // SAFETY: a key exists only where AES-NI was found.
        unsafe {
            match self.rounds {
                Rounds::Ten => aes_ni::encrypt_block::<10>(keys, block),
                Rounds::Twelve => aes_ni::encrypt_block::<12>(keys, block),
                Rounds::Fourteen => aes_ni::encrypt_block::<14>(keys, block),
            }
        }
    }

    /// Counter mode ([RFC 3711 §4.1.1]): adds the keystream that starts at `iv` to `data`. The
    /// counter is the last 16 bits of the block and wraps there.
    ///
    /// [RFC 3711 §4.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1
    #[inline]
    pub(crate) fn apply_ctr(&self, iv: u128, data: &mut [u8]) {
        use Rounds::{Fourteen, Ten, Twelve};
        let keys = &self.round_keys;
        // SAFETY: the `Isa` of a key exists only where the instructions of its level were found.
        unsafe {
            match (self.isa.level(), self.rounds) {
                (Level::Vaes512, Ten) => vaes512::apply_ctr::<10>(keys, iv, data),
                (Level::Vaes512, Twelve) => vaes512::apply_ctr::<12>(keys, iv, data),
                (Level::Vaes512, Fourteen) => vaes512::apply_ctr::<14>(keys, iv, data),
                (Level::Vaes256, Ten) => vaes256::apply_ctr::<10>(keys, iv, data),
                (Level::Vaes256, Twelve) => vaes256::apply_ctr::<12>(keys, iv, data),
                (Level::Vaes256, Fourteen) => vaes256::apply_ctr::<14>(keys, iv, data),
                (_, Ten) => aes_ni::apply_ctr::<10>(keys, iv, data),
                (_, Twelve) => aes_ni::apply_ctr::<12>(keys, iv, data),
                (_, Fourteen) => aes_ni::apply_ctr::<14>(keys, iv, data),
            }
        }
    }

    pub(super) const fn round_keys(&self) -> &RoundKeys {
        &self.round_keys
    }

    pub(super) const fn rounds(&self) -> Rounds {
        self.rounds
    }

    pub(super) const fn isa(&self) -> Isa {
        self.isa
    }
}
