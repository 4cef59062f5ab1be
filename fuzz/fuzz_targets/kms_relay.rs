//! Whatever comes back from another KMS: nothing but its genuine answer is passed on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_ticket::KmsReply;

mod domain;
mod rng;

use domain::*;

fuzz_target!(|octets: &[u8]| {
    let mut rng = rng::Fixed(1);
    let (mut com_kms, mut org_kms) = (kms(com()), kms(org()));
    let init = transfer_init(&mut com_kms, &mut rng);
    let incoming = responder(org()).receive(&init, now()).expect("for Bob");
    let asked = incoming.resolve_pk(&Trusting, now(), &mut rng);
    let (resolving, resolve) = asked.expect("a resolve");
    let reply = org_kms.handle_or_relay(&resolve, now(), &mut rng);
    let Ok(KmsReply::Relay(relay)) = reply else {
        panic!("the ticket is of the other KMS");
    };
    let genuine = com_kms.handle(relay.message(), now(), &mut rng);
    let genuine = genuine.expect("for Bob");
    let rejected = org_kms.accept(*relay, octets, now(), &mut rng);
    let relay = rejected.expect_err("a MAC was guessed").into_state();
    let changed = edited(&genuine, octets);
    match org_kms.accept(relay, &changed, now(), &mut rng) {
        Err(_) => assert_ne!(changed, genuine),
        Ok(resolved) => {
            assert_eq!(changed, genuine);
            let mut replay = mikey::InMemoryReplayCache::new(8, mikey::SkewWindow::default());
            assert!(resolving.accept(&resolved, now(), &mut replay).is_ok());
        }
    }
});
