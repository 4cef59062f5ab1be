use mikey::code_points::{DataType, ErrorNo, GeneralExtensionType};
use mikey::crypto::Suite;
use mikey::derive::SessionKey;
use mikey::exchange::{Acceptance, Bundle, ExchangeError, psk};
use mikey::payload::{Extension, GeneralExtension, Payload, SdpIds};
use mikey::{Identity, InMemoryReplayCache, Message, MessageTime, ReplayError, Rules, Timestamp};

use crate::support::{
    TestRng, alice, bob, cache, lenient, now, shared_with, tampered, tgk, time, with_proposal,
};

const SUITES: [Suite; 3] = [
    Suite::AES_CM_128_HMAC_SHA1,
    Suite::AES_KW_128_HMAC_SHA1,
    Suite::AES_CM_256_HMAC_SHA256,
];

fn request(suite: Suite, time: MessageTime) -> (psk::AwaitingVerification, Vec<u8>) {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob()).suite(suite);
    let mut rng = TestRng(7);
    with_proposal(|p| initiator.request(p, vec![tgk(1)], time, &mut rng)).unwrap()
}

fn respond(
    message: &[u8],
    cache: &mut InMemoryReplayCache,
) -> Result<psk::Accepted, ExchangeError> {
    respond_at(message, cache, now())
}

fn respond_at(
    message: &[u8],
    cache: &mut InMemoryReplayCache,
    now: Timestamp,
) -> Result<psk::Accepted, ExchangeError> {
    let keys = shared_with(alice());
    psk::Responder::new(&keys, bob())
        .acceptance(lenient())
        .accept(message, cache, now)
}

fn tek(bundle: &Bundle, cs_id: u8) -> [u8; 16] {
    let mut tek = [0; 16];
    bundle
        .session_key(cs_id, SessionKey::Tek, &mut tek)
        .unwrap();
    tek
}

#[test]
fn both_sides_have_the_same_keys_under_every_suite() {
    for suite in SUITES {
        let (awaiting, message) = request(suite, time());
        let mut accepted = respond(&message, &mut cache()).unwrap();
        assert!(accepted.wants_answer());
        assert_eq!(accepted.peer(), &alice());
        assert_eq!(accepted.policies()[0].param(1), Some([16].as_slice()));
        accepted.choose_ssrcs(&[0x2222_2222]).unwrap();
        let (at_bob, answer) = accepted.establish().unwrap();
        let at_alice = awaiting.accept(&answer.unwrap()).unwrap();

        assert_eq!(at_alice.peer(), Some(&bob()));
        assert_eq!(at_alice.sessions(), at_bob.sessions());
        assert_eq!(at_alice.sessions()[1].ssrc(), Some(0x2222_2222));
        for cs_id in [1, 2] {
            assert_eq!(tek(&at_alice, cs_id), tek(&at_bob, cs_id));
        }
        assert_ne!(tek(&at_bob, 1), tek(&at_bob, 2));
    }
}

#[test]
fn a_message_without_v_flag_gets_no_answer() {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    let (at_alice, message) =
        with_proposal(|p| initiator.send(p, vec![tgk(1)], time(), &mut TestRng(1))).unwrap();
    assert!(!Message::decode(&message).unwrap().header().v_flag());
    let (at_bob, answer) = respond(&message, &mut cache())
        .unwrap()
        .establish()
        .unwrap();
    assert_eq!(answer, None);
    assert_eq!(tek(&at_alice, 1), tek(&at_bob, 1));
}

#[test]
fn every_changed_octet_of_the_i_message_is_refused_and_changes_no_cache() {
    for suite in SUITES {
        let (_, message) = request(suite, time());
        let mut cache = cache();
        for (index, changed) in tampered(&message) {
            assert!(respond(&changed, &mut cache).is_err(), "octet {index}");
            assert!(cache.is_empty(), "octet {index} changed the cache");
        }
        assert!(respond(&message, &mut cache).is_ok(), "the message itself");
    }
}

#[test]
fn every_changed_octet_of_the_r_message_is_refused_and_the_right_one_still_taken() {
    for suite in SUITES {
        let (mut awaiting, message) = request(suite, time());
        let (_, answer) = respond(&message, &mut cache())
            .unwrap()
            .establish()
            .unwrap();
        let answer = answer.unwrap();
        for (index, changed) in tampered(&answer) {
            let rejected = awaiting.accept(&changed).err();
            awaiting = rejected
                .unwrap_or_else(|| panic!("octet {index}"))
                .into_state();
        }
        assert!(awaiting.accept(&answer).is_ok());
    }
}

#[test]
fn truncations_and_additions_are_refused() {
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let mut cache = cache();
    for len in 0..message.len() {
        assert!(respond(&message[..len], &mut cache).is_err(), "{len}");
    }
    for extra in [0, 1, 0xff] {
        assert!(respond(&[&message[..], &[extra]].concat(), &mut cache).is_err());
    }
    assert!(cache.is_empty());
}

#[test]
fn a_replay_is_refused() {
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let mut cache = cache();
    respond(&message, &mut cache).unwrap();
    let again = respond(&message, &mut cache).unwrap_err();
    assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
    assert_eq!(again.error_no(), None, "a replay is answered with silence");
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_reflected_message_is_refused() {
    let (awaiting, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let keys = shared_with(bob());
    let mirror = psk::Responder::new(&keys, alice());
    let error = mirror.accept(&message, &mut cache(), now()).unwrap_err();
    assert_eq!(error, ExchangeError::Reflected);
    let error = awaiting.accept(&message).unwrap_err().error();
    assert_eq!(
        error,
        ExchangeError::UnsupportedDataType(DataType::PreShared)
    );
}

#[test]
fn a_message_for_another_or_of_a_stranger_is_refused() {
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let carol = Identity::uri("sip:carol@example.org").unwrap();
    let keys = shared_with(alice());
    let error = psk::Responder::new(&keys, carol.clone()).accept(&message, &mut cache(), now());
    assert_eq!(error.unwrap_err(), ExchangeError::UnknownIdentity);
    let keys = shared_with(carol);
    let error = psk::Responder::new(&keys, bob()).accept(&message, &mut cache(), now());
    assert_eq!(error.unwrap_err(), ExchangeError::UnknownIdentity);
}

#[test]
fn messages_outside_of_the_skew_window_are_refused() {
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let skewed = Err(ExchangeError::ClockSkew);
    let accept = |now| respond_at(&message, &mut cache(), now).map(|_| ());
    assert_eq!(accept(now().plus_seconds(301)), skewed);
    assert_eq!(accept(now().minus_seconds(301)), skewed);
    assert_eq!(accept(now().plus_seconds(300)), Ok(()));
    assert_eq!(accept(now().minus_seconds(300)), Ok(()));
}

#[test]
fn every_kind_of_timestamp_is_understood() {
    for time in [
        MessageTime::Utc(now()),
        MessageTime::Ntp(now()),
        MessageTime::Utc32(now()),
        MessageTime::Counter(77),
    ] {
        let (awaiting, message) = request(Suite::AES_CM_128_HMAC_SHA1, time);
        let mut cache = cache();
        let (_, answer) = respond(&message, &mut cache).unwrap().establish().unwrap();
        assert!(awaiting.accept(&answer.unwrap()).is_ok(), "{time:?}");
        assert!(respond(&message, &mut cache).is_err(), "replay of {time:?}");
    }
}

#[test]
fn a_counter_is_refused_unless_it_is_asked_for() {
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, MessageTime::Counter(1));
    let keys = shared_with(alice());
    let strict = psk::Responder::new(&keys, bob()).acceptance(Acceptance::new());
    let error = strict.accept(&message, &mut cache(), now()).unwrap_err();
    assert_eq!(error, ExchangeError::ClockSkew);
}

#[test]
fn clocks_may_meet_across_the_end_of_an_ntp_era() {
    let before = Timestamp::from_unix(2_085_978_495, 0);
    let after = before.plus_seconds(10);
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, MessageTime::Utc(before));
    assert!(respond_at(&message, &mut cache(), after).is_ok());
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, MessageTime::Utc(after));
    assert!(respond_at(&message, &mut cache(), before).is_ok());
    // The same 32 bits of seconds, one era apart.
    let next_era = before.plus_seconds(1 << 32);
    let (_, message) = request(Suite::AES_CM_128_HMAC_SHA1, MessageTime::Utc(before));
    assert!(respond_at(&message, &mut cache(), next_era.plus_seconds(400)).is_err());
}

#[test]
fn a_proposal_can_be_rejected_with_an_authenticated_error() {
    let (awaiting, message) = request(Suite::AES_CM_128_HMAC_SHA1, time());
    let accepted = respond(&message, &mut cache()).unwrap();
    let error = accepted.reject(ErrorNo::InvalidSpPar, &[]).unwrap();
    let decoded = Message::decode(&error).unwrap();
    assert_eq!(decoded.header().data_type(), DataType::Error);
    assert!(matches!(decoded.payloads().last(), Some(Payload::V(_))));
    let mut awaiting = awaiting;
    for (index, changed) in tampered(&error) {
        let rejected = awaiting.accept(&changed).unwrap_err();
        let trusted = matches!(
            rejected.error(),
            ExchangeError::PeerError {
                authenticated: true,
                ..
            }
        );
        assert!(!trusted, "octet {index}");
        awaiting = rejected.into_state();
    }
    assert_eq!(
        awaiting.accept(&error).unwrap_err().error(),
        ExchangeError::PeerError {
            error_no: ErrorNo::InvalidSpPar,
            authenticated: true
        }
    );
}

#[test]
fn keys_are_never_sent_in_the_clear() {
    let keys = shared_with(bob());
    for suite in [Suite::NULL_HMAC_SHA1, Suite::NULL_HMAC_SHA256] {
        let initiator = psk::Initiator::new(&keys, alice(), bob()).suite(suite);
        let sent = with_proposal(|p| initiator.send(p, vec![tgk(1)], time(), &mut TestRng(1)));
        assert_eq!(sent.unwrap_err(), ExchangeError::UnsupportedCipher);
    }
}

#[test]
fn the_key_wrap_refuses_what_it_cannot_take() {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob()).suite(Suite::AES_KW_128_HMAC_SHA1);
    let odd = tgk(1).with_spi(&[1]);
    let sent = with_proposal(|p| initiator.send(p, vec![odd], time(), &mut TestRng(1)));
    assert_eq!(sent.unwrap_err(), ExchangeError::KeyLength);
}

#[test]
fn a_csb_id_that_is_taken_is_not_used_again() {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    let send = |taken: &[u32]| {
        let taken = taken.to_vec();
        with_proposal(|p| {
            let proposal = p.taken_csb_ids(&taken);
            initiator
                .send(&proposal, vec![tgk(1)], time(), &mut TestRng(9))
                .unwrap()
                .0
                .csb_id()
        })
    };
    let first = send(&[]);
    assert_ne!(send(&[first]), first);
}

#[test]
fn req_psk_22_the_sdp_ids_are_authenticated_with_the_message() {
    let rules = Rules::STRICT;
    let ids = SdpIds::new("mikey").unwrap();
    let octets = Extension::SdpIds(ids).to_vec();
    let extensions = [GeneralExtension::new(GeneralExtensionType::SdpIds, &octets).unwrap()];
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    let (_, message) = with_proposal(|p| {
        let proposal = p.extensions(&extensions);
        initiator.send(&proposal, vec![tgk(1)], time(), &mut TestRng(1))
    })
    .unwrap();
    let accepted = respond(&message, &mut cache()).unwrap();
    let decoded = rules.decode(accepted.message()).unwrap();
    let extension = decoded.payloads().find_map(|payload| match payload {
        Payload::GeneralExtension(extension) => extension.value(rules.code_points()).ok(),
        _ => None,
    });
    assert_eq!(extension, Some(Extension::SdpIds(ids)));

    // Bidding down: another list does not authenticate.
    let at = message
        .windows(5)
        .position(|octets| octets == b"mikey")
        .unwrap();
    let mut changed = message.clone();
    changed[at..at + 5].copy_from_slice(b"other");
    assert_eq!(
        respond(&changed, &mut cache()).unwrap_err(),
        ExchangeError::Forged
    );
}

#[test]
fn all_members_of_a_group_have_the_same_teks() {
    let carol = Identity::uri("sip:carol@example.org").unwrap();
    let (with_bob, with_carol) = (shared_with(bob()), shared_with(carol.clone()));
    let to_bob = psk::Initiator::new(&with_bob, alice(), bob());
    let to_carol = psk::Initiator::new(&with_carol, alice(), carol.clone());
    let (group, for_bob) =
        with_proposal(|p| to_bob.send(p, vec![tgk(1)], time(), &mut TestRng(1))).unwrap();
    let later = MessageTime::Utc(now().plus_seconds(1));
    let (_, for_carol) = with_proposal(|p| to_carol.invite(&group, p, later)).unwrap();

    let (at_bob, _) = respond(&for_bob, &mut cache())
        .unwrap()
        .establish()
        .unwrap();
    let of_carol = shared_with(alice());
    let responder = psk::Responder::new(&of_carol, carol);
    let accepted = responder.accept(&for_carol, &mut cache(), now()).unwrap();
    let (at_carol, _) = accepted.establish().unwrap();
    assert_eq!(at_bob.csb_id(), at_carol.csb_id());
    for cs_id in [1, 2] {
        assert_eq!(tek(&at_bob, cs_id), tek(&at_carol, cs_id));
    }
    // Nobody but the Initiator invites, and not under another PRF.
    let error = with_proposal(|p| to_carol.invite(&at_bob, p, later)).unwrap_err();
    assert_eq!(error, ExchangeError::Mismatch);
    let strong = to_carol.suite(Suite::AES_CM_256_HMAC_SHA256);
    let error = with_proposal(|p| strong.invite(&group, p, later)).unwrap_err();
    assert_eq!(error, ExchangeError::UnsupportedPrf);
}
