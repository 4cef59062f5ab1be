//! What comes out of honest exchanges. Self-consistency.

use mikey::code_points::{DataType, ErrorNo, ProtType};
use mikey::payload::{CryptoSession, Payload, SecurityPolicy, TicketFlags};
use mikey::{InMemoryReplayCache, Message, SkewWindow, Timestamp};
use mikey_ticket::{
    Answer, GrantAsAsked, GrantedTicket, Initiator, Kms, Offer, Policy, Recipient, Strength,
    TicketError, issue_ticket,
};

use crate::support::*;

/// The TEKs of both sides of a call under `flags`.
fn teks(strength: Strength, flags: TicketFlags) -> [Vec<u8>; 2] {
    let [at_alice, at_bob] = established(&policy(strength, flags));
    assert_eq!((at_alice.peer(), at_bob.peer()), (&bob(), &alice()));
    [tek(&at_alice, 1), tek(&at_bob, 1)]
}

#[test]
fn both_sides_have_the_same_keys_with_and_without_forking() {
    for strength in STRENGTHS {
        for flags in [Policy::FORKED, Policy::SHARED] {
            let [ours, theirs] = teks(strength, flags);
            assert_eq!(ours, theirs);
            assert_eq!(ours.len(), strength.key_len());
        }
    }
}

#[test]
fn half_a_round_trip_is_enough_without_the_f_flag() {
    let flags = TicketFlags {
        response: false,
        responder_rand: false,
        ..Policy::SHARED
    };
    for strength in STRENGTHS {
        let [ours, theirs] = teks(strength, flags);
        assert_eq!(ours, theirs);
    }
}

#[test]
fn req_cdiv_02_forked_responders_never_share_keys() {
    for strength in STRENGTHS {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let (waiting, init) = new_call(&policy(strength, Policy::FORKED), &mut kms, &mut rng);
        let [at_bob, at_carol] =
            [bob(), carol()].map(|who| answer(verified(&who, &init, &mut kms, &mut rng), &mut rng));
        assert_ne!(tek(&at_bob.0, 1), tek(&at_carol.0, 1));
        // Whose answer comes first has the call.
        let at_alice = waiting.accept(&at_carol.1.unwrap()).unwrap();
        assert_eq!(at_alice.peer(), &carol());
        assert_eq!(
            at_alice.check_peer(&bob()),
            Err(TicketError::UnknownIdentity)
        );
        assert_eq!(tek(&at_alice, 1), tek(&at_carol.0, 1));
    }
}

#[test]
fn nodes_that_share_only_keys_serve_one_another() {
    let mut rng = TestRng(1);
    let (mut first, mut second) = (kms(), kms());
    let (waiting, init) = new_call(
        &policy(Strength::Bits256, Policy::FORKED),
        &mut first,
        &mut rng,
    );
    let (at_bob, response) = answer(verified(&bob(), &init, &mut second, &mut rng), &mut rng);
    let at_alice = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(tek(&at_alice, 2), tek(&at_bob, 2));
}

#[test]
fn a_reusable_ticket_is_resolved_once() {
    let flags = TicketFlags {
        reusable: true,
        ..Policy::FORKED
    };
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(&policy(Strength::Bits128, flags), &mut kms, &mut rng);
    let (waiting, init) = call(&mut ticket, &mut rng);
    let first = verified(&bob(), &init, &mut kms, &mut rng);
    let kept = first.resolution().unwrap();
    let (at_bob, response) = answer(first, &mut rng);
    let before = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(tek(&before, 1), tek(&at_bob, 1));

    let (waiting, init) = call(&mut ticket, &mut rng);
    let incoming = user(bob()).receive(&init, now()).unwrap();
    let again = incoming.reuse(&kept, now(), &mut cache()).unwrap();
    let (at_bob, response) = answer(again, &mut rng);
    let after = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(tek(&after, 1), tek(&at_bob, 1));
    assert_ne!(tek(&after, 1), tek(&before, 1), "RANDs are fresh");
}

#[test]
fn a_ticket_that_is_not_reusable_is_used_once() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let (_, init) = call(&mut ticket, &mut rng);
    let again = with_offer(&bob(), |offer| ticket.transfer(offer, now(), &mut rng));
    assert_eq!(again.unwrap_err(), TicketError::TicketUsed);
    assert!(
        verified(&bob(), &init, &mut kms, &mut rng)
            .resolution()
            .is_none()
    );
}

#[test]
fn modes_2_3_and_4_do_without_the_kms_where_the_tpk_is_shared() {
    let tpks = tpks();
    for (by_kms, resolved_by_kms) in [(true, false), (false, true), (false, false)] {
        let flags = TicketFlags {
            kms_generated: by_kms,
            resolve_mandatory: resolved_by_kms,
            initiator_keys: !by_kms,
            ..Policy::SHARED
        };
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let policy = policy(Strength::Bits128, flags).with_initiator(alice());
        let mut ticket = if by_kms {
            granted(&policy, &mut kms, &mut rng)
        } else {
            let (ticket, contents) = issue_ticket(&policy, &tpks, now(), &mut rng).unwrap();
            GrantedTicket::self_made(alice(), ticket, contents).unwrap()
        };
        let (waiting, init) = call(&mut ticket, &mut rng);
        let incoming = user(bob()).receive(&init, now()).unwrap();
        let there = if resolved_by_kms {
            let refused = incoming.open(&tpks, now(), &mut cache()).unwrap_err();
            assert_eq!(refused, TicketError::NotAuthorised);
            verified(&bob(), &init, &mut kms, &mut rng)
        } else {
            incoming.open(&tpks, now(), &mut cache()).unwrap()
        };
        let (at_bob, response) = answer(there, &mut rng);
        let at_alice = waiting.accept(&response.unwrap()).unwrap();
        assert_eq!(tek(&at_alice, 1), tek(&at_bob, 1));
    }
}

/// RFC 6043 §4.2.1.5: the KMS says so when it changes what was asked for.
#[test]
fn a_changed_policy_is_marked() {
    struct Shorter;
    impl mikey_ticket::KmsPolicy for Shorter {
        fn grant(&self, _: &mikey::Identity, asked: &Policy, now: Timestamp) -> Option<Policy> {
            asked
                .clone()
                .with_validity(None, Some(now.plus_seconds(60)))
                .ok()
        }
    }
    let mut rng = TestRng(1);
    let mut kms = Kms::new(kms_id(), subscribers(), tpks(), Shorter, cache());
    let (pending, request) = ask(&policy(Strength::Bits128, Policy::FORKED), &mut rng);
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let ticket = pending.accept(&response, now()).unwrap();
    assert!(ticket.is_changed());
    assert_eq!(ticket.policy().end(), Some(now().plus_seconds(60)));
    let as_asked = granted(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut self::kms(),
        &mut rng,
    );
    assert!(!as_asked.is_changed());
}

/// TR 33.829 §D: a TLS session has no policy, in neither message.
#[test]
fn req_psk_08_09_10_a_tls_session_is_keyed_by_its_tek() {
    let code_points = mikey::code_points::ThreeGppCodePoints::default();
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(
        &policy(Strength::Bits256, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let sessions = [CryptoSession::tls(&code_points, 1, &[7]).unwrap()];
    let peer = bob();
    let offer = Offer::new(&peer, &sessions);
    let (waiting, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
    let verified = verified(&bob(), &init, &mut kms, &mut rng);
    let (at_bob, response) = verified
        .accept(&Answer::new(&sessions), now(), &mut rng)
        .unwrap();
    let at_alice = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(tek(&at_alice, 1).len(), 32);
    assert_eq!(tek(&at_alice, 1), tek(&at_bob, 1));
}

#[test]
fn req_cdiv_01_a_ticket_for_everyone_is_for_everyone() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let everyone = policy(Strength::Bits128, Policy::FORKED)
        .with_recipients(vec![Recipient::new(id("?@?"))])
        .unwrap();
    let (waiting, init) = new_call(&everyone, &mut kms, &mut rng);
    let (at_carol, response) = answer(verified(&carol(), &init, &mut kms, &mut rng), &mut rng);
    let at_alice = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(at_alice.peer(), &carol());
    assert_eq!(tek(&at_alice, 1), tek(&at_carol, 1));
}

#[test]
fn req_psk_16_the_peer_is_compared() {
    let [at_alice, at_bob] = established(&policy(Strength::Bits128, Policy::FORKED));
    assert_eq!(at_alice.check_peer(&bob()), Ok(()));
    assert_eq!(
        at_alice.check_peer(&carol()),
        Err(TicketError::UnknownIdentity)
    );
    assert_eq!(at_bob.check_peer(&alice()), Ok(()));
}

#[cfg(feature = "srtp")]
#[test]
fn both_sides_have_the_same_srtp_master_keys() {
    use srtp::keying::MasterKeySource;
    let [at_alice, at_bob] = established(&policy(Strength::Bits128, Policy::FORKED));
    let (ours, theirs) = (
        at_alice.srtp_keys(&[1], &[2]).unwrap(),
        at_bob.srtp_keys(&[2], &[1]).unwrap(),
    );
    let first = |set: &srtp::keying::KeySet| {
        let entry = &set.entries()[0];
        (
            entry.ssrc(),
            entry.key().expose_key().to_vec(),
            entry.key().expose_salt().to_vec(),
        )
    };
    assert_eq!(first(ours.outbound()), first(theirs.inbound()));
    assert_eq!(first(ours.inbound()), first(theirs.outbound()));
    assert_eq!(first(ours.outbound()).0, Some(0x1111_1111));
}

/// RFC 6043 §8: content that is encrypted already has its key from the Responder.
#[test]
fn keys_of_pre_encrypted_content_come_from_the_responder() {
    use mikey::derive::Secret;
    use mikey::exchange::{KeyKind, KeyMaterial};
    let (mut kms, mut rng) = (kms(), TestRng(1));
    for (allowed, flags) in [
        (
            true,
            TicketFlags {
                responder_keys: true,
                ..Policy::FORKED
            },
        ),
        (false, Policy::FORKED),
    ] {
        let policy = policy(Strength::Bits128, flags)
            .with_keys(Vec::new())
            .unwrap();
        let (waiting, init) = new_call(&policy, &mut kms, &mut rng);
        let verified = verified(&bob(), &init, &mut kms, &mut rng);
        let keys = [KeyMaterial::new(KeyKind::Tek, Secret::new(&[5; 16]).unwrap()).with_spi(&[5])];
        let sessions = [stream(1, 0x1111_1111, &[5])];
        let answer = Answer::new(&sessions).with_keys(&keys);
        match verified.accept(&answer, now(), &mut rng) {
            Ok((_, response)) => {
                assert!(allowed);
                let at_alice = waiting.accept(&response.unwrap()).unwrap();
                assert_eq!(tek(&at_alice, 1), [5; 16]);
            }
            Err(rejected) => {
                assert!(!allowed);
                assert!(matches!(
                    rejected.error(),
                    TicketError::UnexpectedPayload(_)
                ));
            }
        }
    }
}

/// One TRANSFER exchange keys an SRTP stream and a TLS session.
#[test]
fn req_psk_02_one_exchange_keys_srtp_and_tls() {
    let code_points = mikey::code_points::ThreeGppCodePoints::default();
    let sessions = [
        stream(1, 0x1111_1111, &[7]),
        stream(2, 0x2222_2222, &[7]),
        CryptoSession::tls(&code_points, 3, &[7]).unwrap(),
    ];
    let [at_alice, at_bob] = agreed(&policy(Strength::Bits128, Policy::FORKED), &sessions);
    let keys = [1, 2, 3].map(|cs_id| tek(&at_alice, cs_id));
    assert_eq!(keys, [1, 2, 3].map(|cs_id| tek(&at_bob, cs_id)));
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}

#[test]
fn the_operator_is_told_of_every_message() {
    let mut rng = TestRng(1);
    let log = Log::default();
    let mut kms = Kms::new(kms_id(), subscribers(), tpks(), &log, cache());
    let (_, request) = ask(&policy(Strength::Bits128, Policy::FORKED), &mut rng);
    kms.handle(&request, now(), &mut rng).unwrap();
    kms.handle(&request, now(), &mut rng).unwrap_err();
    kms.handle(&request[1..], now(), &mut rng).unwrap_err();
    let log = log.0.borrow();
    let senders: Vec<_> = log.iter().map(|event| event.sender.clone()).collect();
    assert_eq!(senders, [Some(alice()), Some(alice()), None]);
    assert_eq!(log[0].outcome, Ok(()));
    assert!(matches!(log[1].outcome, Err(TicketError::Replay(_))));
    assert_eq!(log[0].message, Some(DataType::RequestInitPsk));
}

#[derive(Default)]
struct Log(core::cell::RefCell<Vec<mikey_ticket::AuditEvent>>);

impl mikey_ticket::KmsPolicy for &Log {
    fn grant(&self, _: &mikey::Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn audit(&self, event: &mikey_ticket::AuditEvent) {
        self.0.borrow_mut().push(event.clone());
    }
}

/// RFC 6043 §5.4, §4.2.2.2: before the KMS is asked.
#[test]
fn offered_policies_are_declined_with_those_that_are_supported() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (waiting, init) = new_call(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let incoming = user(bob()).receive(&init, now()).unwrap();
    let policies = |message: &Message<'_>| -> Vec<_> {
        let numbers = message.payloads().filter_map(|payload| match payload {
            Payload::Sp(sp) => Some((sp.policy_no(), sp.prot_type())),
            _ => None,
        });
        numbers.collect()
    };
    let offered = policies(&incoming.claimed_message().unwrap());
    assert_eq!(offered, [(0, ProtType::Srtp)]);
    let params = srtp_params();
    let supported = [SecurityPolicy::new(9, ProtType::Srtp, &params).unwrap()];
    let reply = incoming.decline_policies(&supported, now()).unwrap();
    let rejected = waiting.accept(&reply).unwrap_err();
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidSp,
        authenticated: false,
    };
    assert_eq!(rejected.error(), expected);
    let told = policies(&Message::decode(&reply).unwrap());
    assert_eq!(told, [(9, ProtType::Srtp)]);
}

/// What it takes in memory is its replay cache, however many tickets there are.
#[test]
fn a_kms_does_not_grow_with_tickets() {
    let replay = InMemoryReplayCache::new(16, SkewWindow::default());
    let mut kms = Kms::new(kms_id(), subscribers(), tpks(), GrantAsAsked, replay);
    let (mut rng, mut time) = (TestRng(1), now());
    // Valid for as long as it takes.
    let policy = policy(Strength::Bits128, Policy::FORKED);
    let policy = policy.with_validity(None, None).unwrap();
    let mut serve = |count: u32| {
        for _ in 0..count {
            time = time.plus_seconds(1);
            let initiator = Initiator::new(alice(), kms_id());
            let psk = psk(&alice());
            let (_, request) = initiator.request(&policy, &psk, time, &mut rng).unwrap();
            kms.handle(&request, time, &mut rng).unwrap();
        }
    };
    serve(100);
    let grown = allocation_counter::measure(|| serve(2000));
    assert!(grown.count_total > 2000);
    // Nodes of the tree in the cache come and go.
    assert!(grown.bytes_current.abs() < 4096, "{grown:?}");
}
