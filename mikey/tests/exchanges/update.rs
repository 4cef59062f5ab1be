use mikey::exchange::{Acceptance, Bundle, ExchangeError, Proposal, psk};
use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
use mikey::{Message, MessageTime, ReplayError};

use crate::support::{
    TestRng, alice, bob, cache, now, shared_with, tampered, tgk, time, with_proposal,
};
use mikey::exchange::psk::Update;

fn established() -> (Bundle, Bundle) {
    let (of_alice, of_bob) = (shared_with(bob()), shared_with(alice()));
    let initiator = psk::Initiator::new(&of_alice, alice(), bob());
    let (awaiting, message) =
        with_proposal(|p| initiator.request(p, vec![tgk(1)], time(), &mut TestRng(1))).unwrap();
    let responder = psk::Responder::new(&of_bob, bob());
    let (at_bob, answer) = responder
        .accept(&message, &mut cache(), now())
        .unwrap()
        .establish()
        .unwrap();
    (awaiting.accept(&answer.unwrap()).unwrap(), at_bob)
}

fn later(seconds: u64) -> MessageTime {
    MessageTime::Utc(now().plus_seconds(seconds))
}

#[test]
fn an_update_brings_new_keys_under_the_same_csb_id_without_rand() {
    let (at_alice, mut at_bob) = established();
    let csb_id = at_alice.csb_id();
    let update = Update::new().keys(vec![tgk(2)]);
    let (awaiting, message) = at_alice.request_update(update, later(1)).unwrap();
    assert_eq!(
        awaiting.bundle().keys()[0].key().expose(),
        [1; 20],
        "until it is verified"
    );
    let decoded = Message::decode(&message).unwrap();
    assert_eq!(decoded.header().csb_id(), csb_id);
    assert!(
        !decoded
            .payloads()
            .any(|p| matches!(p, mikey::payload::Payload::Rand(_)))
    );

    let answer = at_bob
        .accept_update(&message, &Acceptance::new(), &mut cache(), now())
        .unwrap()
        .expect("V was set");
    let at_alice = awaiting.accept(&answer).unwrap();
    assert_eq!(at_alice.keys()[0].key().expose(), [2; 20]);
    assert_eq!(at_bob.keys()[0].key().expose(), [2; 20]);
    assert_eq!(at_alice.sessions().len(), 2, "the sessions go on");
}

#[test]
fn an_update_may_change_sessions_and_keep_the_keys() {
    let (at_alice, mut at_bob) = established();
    let streams = [SrtpIdSession {
        policy_no: 0,
        ssrc: 0x3333_3333,
        roc: 9,
    }];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    let update = Update::new().proposal(Proposal::new(map));
    let (at_alice, message) = at_alice.send_update(update, later(1)).unwrap();
    let answer = at_bob
        .accept_update(&message, &Acceptance::new(), &mut cache(), now())
        .unwrap();
    assert_eq!(answer, None);
    assert_eq!(at_bob.sessions(), at_alice.sessions());
    assert_eq!(
        (at_bob.sessions()[0].ssrc(), at_bob.sessions()[0].roc()),
        (Some(0x3333_3333), 9)
    );
    assert_eq!(at_bob.keys()[0].key().expose(), [1; 20]);
}

#[test]
fn an_update_needs_a_later_time() {
    let (at_alice, _) = established();
    let rejected = at_alice.send_update(Update::new(), time()).unwrap_err();
    assert_eq!(rejected.error(), ExchangeError::ClockNotAdvanced);
    assert!(
        rejected
            .into_state()
            .send_update(Update::new(), later(1))
            .is_ok()
    );
}

#[test]
fn updates_are_taken_in_order_and_once() {
    let (at_alice, mut at_bob) = established();
    let (at_alice, first) = at_alice
        .send_update(Update::new().keys(vec![tgk(2)]), later(1))
        .unwrap();
    let (_, second) = at_alice
        .send_update(Update::new().keys(vec![tgk(3)]), later(2))
        .unwrap();
    let (mut cache, accept) = (cache(), Acceptance::new());
    at_bob
        .accept_update(&second, &accept, &mut cache, now())
        .unwrap();
    let error = at_bob
        .accept_update(&second, &accept, &mut cache, now())
        .unwrap_err();
    assert_eq!(error, ExchangeError::Replay(ReplayError::Replayed));
    let error = at_bob
        .accept_update(&first, &accept, &mut cache, now())
        .unwrap_err();
    assert_eq!(
        error,
        ExchangeError::Replay(ReplayError::TooOld),
        "older keys do not come back"
    );
    assert_eq!(error.error_no(), None, "silence is due");
    assert_eq!(cache.len(), 1, "what is late is not remembered");
    assert_eq!(at_bob.keys()[0].key().expose(), [3; 20]);
}

#[test]
fn every_changed_octet_of_an_update_is_refused_and_changes_nothing() {
    let (at_alice, mut at_bob) = established();
    let (awaiting, message) = at_alice
        .request_update(Update::new().keys(vec![tgk(2)]), later(1))
        .unwrap();
    let (mut cache, accept) = (cache(), Acceptance::new());
    for (index, changed) in tampered(&message) {
        assert!(
            at_bob
                .accept_update(&changed, &accept, &mut cache, now())
                .is_err(),
            "{index}"
        );
        assert!(cache.is_empty(), "octet {index} changed the cache");
        assert_eq!(at_bob.keys()[0].key().expose(), [1; 20], "octet {index}");
    }
    let answer = at_bob
        .accept_update(&message, &accept, &mut cache, now())
        .unwrap()
        .unwrap();
    let mut awaiting = awaiting;
    for (index, changed) in tampered(&answer) {
        let rejected = awaiting.accept(&changed).err();
        awaiting = rejected
            .unwrap_or_else(|| panic!("octet {index}"))
            .into_state();
    }
    assert_eq!(
        awaiting.accept(&answer).unwrap().keys()[0].key().expose(),
        [2; 20]
    );
}

#[test]
fn only_the_initiator_updates() {
    let (_, at_bob) = established();
    let error = at_bob
        .send_update(Update::new(), later(1))
        .unwrap_err()
        .error();
    assert!(matches!(error, ExchangeError::UnsupportedDataType(_)));
}

#[test]
fn an_update_that_is_given_up_uses_its_time() {
    let (at_alice, _) = established();
    let (awaiting, _) = at_alice.request_update(Update::new(), later(5)).unwrap();
    let at_alice = awaiting.abandon();
    let rejected = at_alice.send_update(Update::new(), later(5)).unwrap_err();
    assert_eq!(rejected.error(), ExchangeError::ClockNotAdvanced);
}

mod by_dh_hmac {
    use mikey::crypto::Group;
    use mikey::exchange::{Bundle, DhUpdate as Update, ExchangeError, Validity, dh_hmac};
    use mikey::payload::Payload;
    use mikey::{Message, ReplayError};

    use super::later;
    use crate::support::{
        TestRng, alice, bob, cache, lenient, now, shared_with, tampered, time, with_proposal,
    };

    fn established() -> (Bundle, Bundle) {
        let (of_alice, of_bob) = (shared_with(bob()), shared_with(alice()));
        let initiator = dh_hmac::Initiator::new(&of_alice, alice(), bob()).group(Group::Oakley1);
        let (awaiting, message) =
            with_proposal(|p| initiator.start(p, time(), &mut TestRng(1))).unwrap();
        let responder = dh_hmac::Responder::new(&of_bob, bob()).acceptance(lenient());
        let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
        let (at_bob, answer) = accepted.establish(&mut TestRng(2)).unwrap();
        (awaiting.accept(&answer).unwrap(), at_bob)
    }

    #[test]
    fn true_rekeying_brings_a_new_tgk_and_no_changed_octet_is_taken() {
        let (at_alice, mut at_bob) = established();
        let before = at_bob.keys()[0].key().expose().to_vec();
        let update = Update::new().rekey(Group::Oakley2, Validity::Unlimited);
        let (mut awaiting, message) = at_alice
            .start_dh_hmac_update(&update, later(1), &mut TestRng(3))
            .unwrap();
        let mut cache = cache();
        let mut accept = |message: &[u8], at_bob: &mut Bundle| {
            let rng = &mut TestRng(4);
            let answer = at_bob.accept_dh_hmac_update(message, &lenient(), &mut cache, now(), rng);
            (answer, cache.len())
        };
        for (index, changed) in tampered(&message) {
            let (answer, remembered) = accept(&changed, &mut at_bob);
            assert!(answer.is_err() && remembered == 0, "octet {index}");
            assert_eq!(at_bob.keys()[0].key().expose(), before, "octet {index}");
        }
        let answer = accept(&message, &mut at_bob).0.unwrap();
        let again = accept(&message, &mut at_bob).0.unwrap_err();
        assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
        for (index, changed) in tampered(&answer) {
            let rejected = awaiting.accept(&changed).err();
            awaiting = rejected
                .unwrap_or_else(|| panic!("octet {index}"))
                .into_state();
        }
        let at_alice = awaiting.accept(&answer).unwrap();
        assert_ne!(at_alice.keys()[0].key().expose(), before);
        assert_eq!(
            at_alice.keys()[0].key().expose(),
            at_bob.keys()[0].key().expose()
        );
    }

    #[test]
    fn an_update_that_comes_late_changes_nothing() {
        let (at_alice, mut at_bob) = established();
        let (awaiting, first) = at_alice
            .start_dh_hmac_update(&Update::new(), later(1), &mut TestRng(3))
            .unwrap();
        let (_, second) = awaiting
            .abandon()
            .start_dh_hmac_update(&Update::new(), later(2), &mut TestRng(3))
            .unwrap();
        let mut cache = cache();
        let rng = &mut TestRng(4);
        let mut accept =
            |message| at_bob.accept_dh_hmac_update(message, &lenient(), &mut cache, now(), rng);
        accept(&second).unwrap();
        let late = accept(&first).unwrap_err();
        assert_eq!(late, ExchangeError::Replay(ReplayError::TooOld));
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn an_update_without_half_keys_keeps_the_tgk() {
        let (at_alice, mut at_bob) = established();
        let before = at_bob.keys()[0].key().expose().to_vec();
        let (awaiting, message) = at_alice
            .start_dh_hmac_update(&Update::new(), later(1), &mut TestRng(3))
            .unwrap();
        let rng = &mut TestRng(4);
        let answer = at_bob
            .accept_dh_hmac_update(&message, &lenient(), &mut cache(), now(), rng)
            .unwrap();
        for message in [&message, &answer] {
            let decoded = Message::decode(message).unwrap();
            assert!(
                !decoded
                    .payloads()
                    .any(|p| matches!(p, Payload::Dh(_) | Payload::Rand(_)))
            );
        }
        let at_alice = awaiting.accept(&answer).unwrap();
        assert_eq!(at_alice.keys()[0].key().expose(), before);
    }

    #[test]
    fn the_two_kinds_of_updates_do_not_mix() {
        let (of_dh, mut at_bob) = established();
        let (of_psk, mut psk_at_bob) = super::established();
        let rejected = of_dh
            .send_update(super::Update::new(), later(1))
            .unwrap_err();
        assert!(matches!(
            rejected.error(),
            ExchangeError::UnsupportedDataType(_)
        ));
        let rng = &mut TestRng(3);
        let rejected = of_psk
            .start_dh_hmac_update(&Update::new(), later(1), rng)
            .unwrap_err();
        let of_psk = rejected.into_state();
        let (_, message) = of_psk.send_update(super::Update::new(), later(1)).unwrap();
        let accept = lenient();
        let error = at_bob
            .accept_update(&message, &accept, &mut cache(), now())
            .unwrap_err();
        assert!(matches!(error, ExchangeError::UnsupportedDataType(_)));
        let rng = &mut TestRng(3);
        let error = psk_at_bob.accept_dh_hmac_update(&message, &accept, &mut cache(), now(), rng);
        assert!(error.is_err());
    }
}
