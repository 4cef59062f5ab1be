//! Whatever a peer sends as TRANSFER_INIT: what is let through is for this Responder and keeps the
//! rules, and nothing of it verifies without the KMS; with the KMS, nothing but what its Initiator has
//! sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::Responder;

mod domain;
mod rng;

fuzz_target!(|octets: &[u8]| {
    without_a_kms(octets);
    with_a_kms(octets);
});

fn without_a_kms(octets: &[u8]) {
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
}

fn with_a_kms(edits: &[u8]) {
    use domain::{Trusting, com, edited, kms, now, responder, transfer_init};
    let mut rng = rng::Fixed(1);
    let mut kms = kms(com());
    let genuine = transfer_init(&mut kms, &mut rng);
    let changed = edited(&genuine, edits);
    let Ok(incoming) = responder(com()).receive(&changed, now()) else {
        return;
    };
    let asked = incoming.resolve_pk(&Trusting, now(), &mut rng);
    let (resolving, resolve) = asked.expect("a resolve");
    let Ok(resolved) = kms.handle(&resolve, now(), &mut rng) else {
        return;
    };
    let mut replay = InMemoryReplayCache::new(8, SkewWindow::default());
    let accepted = resolving.accept(&resolved, now(), &mut replay);
    assert_eq!(accepted.is_ok(), changed == genuine);
    assert_eq!(replay.is_empty(), changed != genuine);
}
