//! AES in counter mode and HMAC-SHA1 over what comes out, in one pass.

use super::aes::{AesKey, RoundKeys, Rounds, apply_vaes512, first_counters};
use super::detect::{Isa, Level};
use super::sha1::{HmacStates, MacJob, States, hmac};

/// Octets that are encrypted at a time; what the hash waits for leaves room for the next.
const CHUNK: usize = 256;

impl AesKey {
    /// Adds the keystream that starts at `iv` to what lies behind the first `clear` octets of
    /// `packet`, and returns the MAC over all of it and `roc`.
    pub(crate) fn seal_cm(
        &self,
        iv: u128,
        isa: Isa,
        states: &HmacStates,
        packet: &mut [u8],
        clear: usize,
        roc: [u8; 4],
    ) -> [u8; 20] {
        let body = packet.len().saturating_sub(clear);
        // What fits in one chunk is encrypted before its hash begins, one pass or two.
        if body > CHUNK && isa == self.isa() && isa.level() == Level::Vaes512 && isa.has_sha() {
            let keys = self.round_keys();
            // SAFETY: an `Isa` of this level, or that says so of the SHA extensions, exists only
            // where the instructions were found.
            return unsafe {
                match self.rounds() {
                    Rounds::Ten => one_pass::<10>(keys, iv, isa, states, packet, clear, roc),
                    Rounds::Twelve => one_pass::<12>(keys, iv, isa, states, packet, clear, roc),
                    Rounds::Fourteen => one_pass::<14>(keys, iv, isa, states, packet, clear, roc),
                }
            };
        }
        if let Some(body) = packet.get_mut(clear..) {
            self.apply_ctr(iv, body);
        }
        hmac(isa, &job(states, packet, roc))
    }
}

const fn job<'a>(states: &'a HmacStates, message: &'a [u8], roc: [u8; 4]) -> MacJob<'a> {
    MacJob {
        states,
        message,
        trailer: Some(roc),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,sha,ssse3,sse4.1")]
fn one_pass<const ROUNDS: usize>(
    keys: &RoundKeys,
    iv: u128,
    isa: Isa,
    states: &HmacStates,
    packet: &mut [u8],
    clear: usize,
    roc: [u8; 4],
) -> [u8; 20] {
    let mut counter = first_counters(iv);
    let mut hash = States::begin(states);
    let (mut encrypted, mut hashed) = (clear, 0);
    while encrypted < packet.len() {
        let end = packet.len().min(encrypted + CHUNK);
        if let Some(chunk) = packet.get_mut(encrypted..end) {
            apply_vaes512::<ROUNDS>(keys, &mut counter, chunk);
        }
        // One chunk behind: what was just stored in wide registers is slow to load in narrow ones.
        hashed += hash.absorb_blocks(packet.get(hashed..encrypted));
        encrypted = end;
    }
    hash.absorb_blocks(packet.get(hashed..));
    hash.finish(isa, &job(states, packet, roc))
}
