#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use mikey::crypto::{Cipher, Mac, Suite};
use mikey::derive::{Label, MessageKeys, Prf, Secret};
use mikey::exchange::{
    Acceptance, ExchangeError, KeyKind, KeyMaterial, Proposal, dh_hmac, null, psk,
};
use mikey::payload::{CsIdMap, Payload, SrtpIdMap, SrtpIdSession};
use mikey::{
    Identity, InMemoryKeys, InMemoryReplayCache, Message, MessageTime, PreSharedKeys, Quirks,
    ReplayError, Rules, SkewWindow, Timestamp, UnknownKey,
};
use rand_core::{TryCryptoRng, TryRng};
use srtp::keying::MasterKeySource;

// A responder is fed arbitrary octets: as they are they authenticate nothing, so no cache changes
// and no initiator takes them for an answer. With the MAC put right they are taken once, not twice.
fuzz_target!(|octets: &[u8]| {
    let (alice, bob) = (Identity::uri("a").unwrap(), Identity::uri("b").unwrap());
    let (mut of_alice, mut of_bob) = (InMemoryKeys::new(), InMemoryKeys::new());
    of_alice.insert(bob.clone(), Secret::new(&[0x2b; 16]).unwrap());
    of_bob.insert(alice.clone(), Secret::new(&[0x2b; 16]).unwrap());
    let now = Timestamp::from_unix(1_800_000_000, 0);
    let window = SkewWindow::new(u32::MAX, u32::MAX);
    let acceptance = Acceptance::new()
        .window(window)
        .counters(true)
        .short_groups(true);
    let by_psk = psk::Responder::new(&of_bob, bob.clone()).acceptance(acceptance);
    let by_dh = dh_hmac::Responder::new(&of_bob, bob.clone()).acceptance(acceptance);

    let mut cache = InMemoryReplayCache::new(4, window);
    assert!(by_psk.accept(octets, &mut cache, now).is_err());
    assert!(by_dh.accept(octets, &mut cache, now).is_err());
    assert!(cache.is_empty());
    let streams = [SrtpIdSession {
        policy_no: 0,
        ssrc: 1,
        roc: 0,
    }];
    let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap()));
    let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::new(&[1; 16]).unwrap());
    let initiator = psk::Initiator::new(&of_alice, alice, bob);
    let time = MessageTime::Utc(now);
    let (awaiting, _) = initiator
        .request(&proposal, vec![tgk], time, &mut Counter(0))
        .unwrap();
    assert!(awaiting.accept(octets).is_err());

    let quirks = Quirks {
        foreign_timestamps: true,
        salt_in_tek: true,
        ..Quirks::NONE
    };
    let lenient = acceptance.rules(Rules::STRICT.with_quirks(quirks));
    if let Ok(bundle) = null::receive_in_secured_channel(octets, &lenient, now) {
        let cs_ids: Vec<u8> = bundle
            .sessions()
            .iter()
            .map(|session| session.cs_id())
            .collect();
        let (outbound, inbound) = cs_ids.split_at(cs_ids.len() / 2);
        if let Ok(keys) = bundle.srtp_keys(outbound, inbound, quirks) {
            // No stream of one side has key and SSRC of one of the other.
            for sent in keys.outbound().entries() {
                for received in keys.inbound().entries() {
                    let apart = sent
                        .ssrc()
                        .zip(received.ssrc())
                        .is_some_and(|(a, b)| a != b);
                    assert!(apart || sent.key().expose_key() != received.key().expose_key());
                }
            }
        }
    }

    let Some(message) = authenticated(octets, &of_bob) else {
        return;
    };
    if let Ok(accepted) = by_psk.accept(&message, &mut cache, now) {
        let (bundle, _) = accepted.establish().unwrap();
        assert!(!bundle.keys().is_empty());
    } else if let Ok(accepted) = by_dh.accept(&message, &mut cache, now) {
        let _ = accepted.establish(&mut Counter(0));
    }
    if !cache.is_empty() {
        let again = [
            by_psk.accept(&message, &mut cache, now).err(),
            by_dh.accept(&message, &mut cache, now).err(),
        ];
        assert!(again.contains(&Some(ExchangeError::Replay(ReplayError::Replayed))));
    }
});

/// The message with the MAC that the key of its sender makes.
fn authenticated(octets: &[u8], keys: &InMemoryKeys) -> Option<Vec<u8>> {
    let message = Message::decode(octets).ok()?;
    let csb_id = message.header().csb_id();
    let rand = message.payloads().find_map(|payload| match payload {
        Payload::Rand(rand) => Some(rand.octets()),
        _ => None,
    })?;
    let sender = message.payloads().find_map(|payload| match payload {
        Payload::Id(id) => Some(Identity::from_payload(&id)),
        _ => None,
    })?;
    let Some(Payload::Kemac(kemac)) = message.payloads().last() else {
        return None;
    };
    let prf = Prf::from_prf_func(message.header().prf_func())?;
    let cipher = Cipher::from_encr_alg(kemac.encr_alg())?;
    let suite = Suite::new(prf, cipher, Mac::from_mac_alg(kemac.mac().alg())?).ok()?;
    let keys = MessageKeys::derive::<UnknownKey>(
        suite,
        |key| Label::message_key(key, csb_id, rand),
        |label, out| keys.prf(&sender, prf, label, out),
    )
    .ok()?;
    let covered = &octets[..octets.len() - suite.mac().len()];
    Some([covered, keys.mac(&[covered]).as_octets()].concat())
}

struct Counter(u8);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for octet in out {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
