//! Whatever a peer sends as TRANSFER_INIT: what is let through is for this Responder and keeps the
//! rules, and nothing of it verifies without the KMS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::Responder;

mod rng;

fuzz_target!(|octets: &[u8]| {
    let id = |uri| Identity::uri(uri).expect("short");
    let now = Timestamp::from_unix(1_800_000_000, 0);
    let (bob, kms) = (id("sip:bob@example.com"), id("sip:kms.example.com"));
    let responder = Responder::new(bob.clone(), kms.clone()).with_window(None);
    let Ok(incoming) = responder.receive(octets, now) else {
        return;
    };
    assert!(incoming.claimed_policy().allows_recipient(&bob));
    assert_ne!(incoming.claimed_initiator(), &bob);
    let mut psk = InMemoryKeys::new();
    psk.insert(kms, Secret::new(&[0x2b; 16]).expect("16 octets"));
    if let Ok((resolving, request)) = incoming.resolve(&psk, now, &mut rng::Fixed(1)) {
        let mut replay = InMemoryReplayCache::new(8, SkewWindow::default());
        assert!(resolving.accept(&request, now, &mut replay).is_err());
        assert!(replay.is_empty());
    }
});
