#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use rand_core::{TryCryptoRng, TryRng};
use sdes::{Answer, Attribute, NegotiatedParameters, Offer, Padding, Policy, Recovered};
use srtp::keying::{MasterKeySource, Profile};

/// Words that a fuzzer hardly finds.
const WORDS: [(char, &str); 4] = [
    ('@', "AES_CM_128_HMAC_SHA1_80"),
    ('#', "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
    ('~', "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"),
    ('!', "UNENCRYPTED_SRTCP"),
];

// Whatever a peer offers or answers: if it is accepted, tag and suite are the offered ones, the two
// directions have different keys, and the two texts alone give the keys back.
fuzz_target!(|text: String| {
    let text = WORDS
        .iter()
        .fold(text, |text, (short, long)| text.replace(*short, long));
    let profiles = Profile::ALL
        .iter()
        .copied()
        .filter(|profile| !profile.is_aead());
    let policy = Policy::for_profiles(profiles)
        .unwrap()
        .allowing(NegotiatedParameters::ALL);
    if let Ok((answer, keys)) = Answer::to(text.lines(), &policy, &mut Counter(0)) {
        let answered = Attribute::parse(answer.line()).unwrap();
        assert_eq!(answered.tag(), keys.remote().tag());
        assert_eq!(answered.suite().as_str(), keys.suite().name());
        check(&keys);
        let recovered = Recovered::from_stored(text.lines(), [answer.line()], &[]).unwrap();
        let offerer = recovered.offerer().encode(Padding::Padded);
        assert_eq!(offerer, keys.remote().encode(Padding::Padded));
    }

    let offer = Offer::new(&policy, &mut Counter(0)).unwrap();
    for line in text.lines().take(64) {
        if let Ok(keys) = offer.accept([line]) {
            assert_eq!(keys.local().tag(), keys.remote().tag());
            assert_eq!(keys.local().suite(), keys.remote().suite());
            check(&keys);
        }
    }
});

fn check(keys: &sdes::Negotiated) {
    let (outbound, inbound) = (keys.outbound(), keys.inbound());
    assert_eq!(outbound.profile(), inbound.profile());
    for sent in outbound.entries() {
        for received in inbound.entries() {
            assert_ne!(sent.key().expose_key(), received.key().expose_key());
        }
    }
}

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
