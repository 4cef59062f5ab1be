use mikey::code_points::ErrorNo;
use mikey::crypto::{Group, Suite};
use mikey::exchange::{Acceptance, ExchangeError, dh_hmac, psk};
use mikey::{InMemoryReplayCache, ReplayError};

use crate::support::{
    TestRng, alice, bob, cache, lenient, now, shared_with, tampered, time, with_proposal,
};

const SUITES: [Suite; 2] = [Suite::NULL_HMAC_SHA1, Suite::NULL_HMAC_SHA256];
const GROUPS: [Group; 3] = [Group::Oakley1, Group::Oakley2, Group::Oakley5];

fn start(suite: Suite, group: Group) -> (dh_hmac::AwaitingResponse, Vec<u8>) {
    let keys = shared_with(bob());
    let initiator = dh_hmac::Initiator::new(&keys, alice(), bob())
        .suite(suite)
        .group(group);
    with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap()
}

fn respond(
    message: &[u8],
    cache: &mut InMemoryReplayCache,
) -> Result<dh_hmac::Accepted, ExchangeError> {
    let keys = shared_with(alice());
    dh_hmac::Responder::new(&keys, bob())
        .acceptance(lenient())
        .accept(message, cache, now())
}

#[test]
fn both_sides_agree_in_every_group_under_every_suite() {
    for suite in SUITES {
        for group in GROUPS {
            let (awaiting, message) = start(suite, group);
            let mut accepted = respond(&message, &mut cache()).unwrap();
            accepted.choose_ssrcs(&[0x2222_2222]).unwrap();
            let (at_bob, answer) = accepted.establish(&mut TestRng(4)).unwrap();
            let at_alice = awaiting.accept(&answer).unwrap();
            assert_eq!(
                at_alice.keys()[0].key().expose(),
                at_bob.keys()[0].key().expose()
            );
            assert_eq!(at_bob.keys()[0].key().expose().len(), group.value_len());
            assert_eq!(at_alice.sessions(), at_bob.sessions());
        }
    }
}

#[test]
fn every_changed_octet_of_the_i_message_is_refused_and_changes_no_cache() {
    for suite in SUITES {
        for group in GROUPS {
            let (_, message) = start(suite, group);
            let mut cache = cache();
            for (index, changed) in tampered(&message) {
                assert!(respond(&changed, &mut cache).is_err(), "octet {index}");
                assert!(cache.is_empty(), "octet {index} changed the cache");
            }
            assert!(respond(&message, &mut cache).is_ok());
        }
    }
}

#[test]
fn every_changed_octet_of_the_r_message_is_refused_and_the_right_one_still_taken() {
    for suite in SUITES {
        for group in GROUPS {
            let (mut awaiting, message) = start(suite, group);
            let accepted = respond(&message, &mut cache()).unwrap();
            let (_, answer) = accepted.establish(&mut TestRng(4)).unwrap();
            for (index, changed) in tampered(&answer) {
                let rejected = awaiting.accept(&changed).err();
                awaiting = rejected
                    .unwrap_or_else(|| panic!("octet {index}"))
                    .into_state();
            }
            assert!(awaiting.accept(&answer).is_ok());
        }
    }
}

#[test]
fn a_replay_and_a_reflection_are_refused() {
    let (awaiting, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley1);
    let mut cache = cache();
    respond(&message, &mut cache).unwrap();
    let again = respond(&message, &mut cache).unwrap_err();
    assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));

    let keys = shared_with(bob());
    let mirror = dh_hmac::Responder::new(&keys, alice()).acceptance(lenient());
    let reflected = mirror.accept(&message, &mut cache, now()).unwrap_err();
    assert_eq!(reflected, ExchangeError::Reflected);
    assert!(awaiting.accept(&message).is_err());
}

#[test]
fn skew_is_refused() {
    let (_, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley1);
    let keys = shared_with(alice());
    let responder = dh_hmac::Responder::new(&keys, bob()).acceptance(lenient());
    for now in [now().plus_seconds(301), now().minus_seconds(301)] {
        let error = responder.accept(&message, &mut cache(), now).unwrap_err();
        assert_eq!(error, ExchangeError::ClockSkew);
    }
}

#[test]
fn short_groups_are_refused_unless_asked_for() {
    let (_, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley2);
    let keys = shared_with(alice());
    let strict = dh_hmac::Responder::new(&keys, bob()).acceptance(Acceptance::new());
    let error = strict.accept(&message, &mut cache(), now()).unwrap_err();
    assert_eq!(error, ExchangeError::UnsupportedGroup);
    assert_eq!(error.error_no(), Some(ErrorNo::InvalidDh));
}

#[test]
fn an_answer_to_another_half_key_is_refused() {
    let (_, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley1);
    let accepted = respond(&message, &mut cache()).unwrap();
    let (_, answer) = accepted.establish(&mut TestRng(4)).unwrap();
    let keys = shared_with(bob());
    let initiator = dh_hmac::Initiator::new(&keys, alice(), bob()).group(Group::Oakley1);
    let (other, _) = with_proposal(|p| initiator.start(p, time(), &mut TestRng(99))).unwrap();
    assert!(other.accept(&answer).is_err());
}

#[test]
fn a_psk_responder_does_not_take_a_dh_message() {
    let (_, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley1);
    let keys = shared_with(alice());
    let error = psk::Responder::new(&keys, bob()).accept(&message, &mut cache(), now());
    assert!(matches!(error, Err(ExchangeError::UnsupportedDataType(_))));
}

#[test]
fn a_proposal_can_be_rejected_with_an_authenticated_error() {
    let (awaiting, message) = start(Suite::NULL_HMAC_SHA1, Group::Oakley1);
    let error = respond(&message, &mut cache())
        .unwrap()
        .reject(ErrorNo::InvalidSp, &[])
        .unwrap();
    assert_eq!(
        awaiting.accept(&error).unwrap_err().error(),
        ExchangeError::PeerError {
            error_no: ErrorNo::InvalidSp,
            authenticated: true
        }
    );
}
