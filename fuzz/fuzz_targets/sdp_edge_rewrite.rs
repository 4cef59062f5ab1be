#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use rand_core::{TryCryptoRng, TryRng};
use sdp_sec::edge::{Dialogue, MsrpHandling, Policy, Rekey};
use sdp_sec::fingerprint::HashPolicy;
use sdp_sec::mediasec::{
    self, AccessEdge, Indications, Mechanism, MechanismSet, SignallingProtection, Source,
};

#[path = "../../sdp-sec/tests/edge_procedures/invariant.rs"]
mod invariant;

// An octet of switches, an offer, NUL, an answer. Unrelated octets stay, no key or fingerprint of a
// stream that the edge ends reaches the core, and nothing that needs protection becomes plain.
fuzz_target!(|input: &[u8]| {
    let Some((switches, text)) = input.split_first() else {
        return;
    };
    let is_on = |bit: u8| switches & (1 << bit) != 0;
    let (offer, answer) = match text.iter().position(|octet| *octet == 0) {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, text),
    };
    let mut policy = Policy::default();
    policy.opportunistic_srtp = is_on(0);
    policy.hashes = if is_on(1) {
        HashPolicy::WITH_SHA1
    } else {
        HashPolicy::default()
    };
    policy.msrp = if is_on(2) {
        MsrpHandling::Aware
    } else {
        MsrpHandling::Agnostic
    };
    policy.rekey = if is_on(3) {
        Rekey::NewContext
    } else {
        Rekey::Refuse
    };
    let both: MechanismSet = Mechanism::ALL.into_iter().collect();
    let access = AccessEdge {
        indications: Indications {
            ue: both,
            network: both,
        },
        signalling: SignallingProtection::IntegrityAndConfidentiality,
        policy: mediasec::Policy::default(),
    };
    let source = if is_on(4) { Source::Ue } else { Source::Core };
    let dialogue = Dialogue::new(policy.into(), access);
    invariant::check(&dialogue, source, offer, answer, &mut Counter(0));
});

/// Octets that do not repeat soon, the same in each run.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let octets = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
