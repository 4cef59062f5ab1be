use mikey::Message;
use mikey::code_points::{DataType, ErrorNo, ProtType};
use mikey::exchange::{ExchangeError, error_message, psk};
use mikey::payload::{Payload, PolicyParam, SecurityPolicy};

use crate::support::{TestRng, alice, bob, shared_with, tgk, time, with_proposal};

fn request() -> (psk::AwaitingVerification, Vec<u8>) {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    with_proposal(|p| initiator.request(p, vec![tgk(1)], time(), &mut TestRng(1))).unwrap()
}

#[test]
fn an_error_message_has_the_csb_id_and_time_of_what_it_answers() {
    let (awaiting, message) = request();
    let params = [PolicyParam::new(0, &[1]).unwrap()];
    let supported = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let error = error_message(&message, ExchangeError::UnsupportedPolicy, &supported).unwrap();
    let (sent, answer) = (
        Message::decode(&message).unwrap(),
        Message::decode(&error).unwrap(),
    );
    assert_eq!(answer.header().data_type(), DataType::Error);
    assert_eq!(answer.header().csb_id(), sent.header().csb_id());
    assert_eq!(answer.payloads().next(), sent.payloads().next(), "T");
    assert!(
        answer
            .payloads()
            .any(|payload| payload == Payload::Sp(supported[0]))
    );
    // The Initiator hears it, as a hint.
    assert_eq!(
        awaiting.accept(&error).unwrap_err().error(),
        ExchangeError::PeerError {
            error_no: ErrorNo::InvalidSpPar,
            authenticated: false
        }
    );
}

#[test]
fn an_error_message_is_never_answered_with_one() {
    let (_, message) = request();
    let error = error_message(&message, ExchangeError::Forged, &[]).unwrap();
    assert_eq!(error_message(&error, ExchangeError::Forged, &[]), None);
    assert_eq!(
        error_message(b"not MIKEY", ExchangeError::Forged, &[]),
        None
    );
}

#[test]
fn silence_is_kept_where_it_is_due() {
    let (_, message) = request();
    let peer = ExchangeError::PeerError {
        error_no: ErrorNo::InvalidId,
        authenticated: true,
    };
    for error in [
        ExchangeError::Replay(mikey::ReplayError::Replayed),
        ExchangeError::Reflected,
        ExchangeError::Mismatch,
        ExchangeError::ClockNotAdvanced,
        peer,
    ] {
        assert_eq!(error_message(&message, error, &[]), None, "{error}");
    }
}

#[test]
fn an_error_message_of_another_exchange_is_no_answer() {
    let (awaiting, _) = request();
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    let (_, other) =
        with_proposal(|p| initiator.request(p, vec![tgk(1)], time(), &mut TestRng(55))).unwrap();
    let error = error_message(&other, ExchangeError::Forged, &[]).unwrap();
    let rejected = awaiting.accept(&error).unwrap_err();
    assert_eq!(rejected.error(), ExchangeError::Mismatch);
}

#[test]
fn a_message_that_is_malformed_behind_its_time_is_answered() {
    let (_, message) = request();
    let truncated = &message[..message.len() - 1];
    let error = ExchangeError::from(Message::decode(truncated).unwrap_err());
    let answer = error_message(truncated, error, &[]).unwrap();
    let told = Message::decode(&answer).unwrap().payloads().nth(1).unwrap();
    let Payload::Err(told) = told else {
        panic!("{told:?}")
    };
    assert_eq!(told.error_no(), ErrorNo::UnsupportedMessageType);
}

/// An Error message that a signature authenticates: true or forged, and of whom.
#[cfg(feature = "rsa")]
mod signed {
    use mikey::crypto::RsaCredentials;
    use mikey::exchange::{dh, rsa_r};

    use super::*;
    use crate::support::{cache, now, tampered};

    const ALICE_KEY: &[u8] = include_bytes!("../vectors/rsa/alice.pkcs8.der");
    const BOB_KEY: &[u8] = include_bytes!("../vectors/rsa/bob.pkcs8.der");
    const ALICE_MODULUS: &[u8] = include_bytes!("../vectors/rsa/alice.modulus.bin");
    const BOB_MODULUS: &[u8] = include_bytes!("../vectors/rsa/bob.modulus.bin");

    fn credentials() -> (RsaCredentials, RsaCredentials) {
        let mut of_alice = RsaCredentials::from_pkcs8(ALICE_KEY).unwrap();
        of_alice.trust(bob(), BOB_MODULUS, &[1, 0, 1]);
        let mut of_bob = RsaCredentials::from_pkcs8(BOB_KEY).unwrap();
        of_bob.trust(alice(), ALICE_MODULUS, &[1, 0, 1]);
        (of_alice, of_bob)
    }

    fn peer_error(authenticated: bool) -> ExchangeError {
        ExchangeError::PeerError {
            error_no: ErrorNo::InvalidSp,
            authenticated,
        }
    }

    #[test]
    fn a_signed_error_of_the_dh_exchange_is_authenticated_and_no_changed_octet_is() {
        let (of_alice, of_bob) = credentials();
        let initiator = dh::Initiator::new(&of_alice, alice(), bob());
        let (mut awaiting, message) =
            with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        let responder = dh::Responder::new(&of_bob, bob());
        let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
        let error = accepted.reject_signed(ErrorNo::InvalidSp, &[]).unwrap();
        for (index, changed) in tampered(&error) {
            let rejected = awaiting.accept(&changed).unwrap_err();
            let proven = matches!(
                rejected.error(),
                ExchangeError::PeerError {
                    authenticated: true,
                    ..
                }
            );
            assert!(!proven, "octet {index}");
            awaiting = rejected.into_state();
        }
        let told = awaiting.accept(&error).unwrap_err().error();
        assert_eq!(told, peer_error(true));
    }

    #[test]
    fn a_signed_error_of_rsa_r_is_authenticated_if_it_is_of_who_was_expected() {
        let (of_alice, of_bob) = credentials();
        for expects in [true, false] {
            let mut initiator = rsa_r::Initiator::new(&of_alice, alice());
            if expects {
                initiator = initiator.expecting(bob());
            }
            let (awaiting, message) =
                with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
            let responder = rsa_r::Responder::new(&of_bob, bob());
            let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
            let error = accepted.reject_signed(ErrorNo::InvalidSp, &[]).unwrap();
            let told = awaiting.accept(&error).unwrap_err().error();
            assert_eq!(told, peer_error(expects));
        }
    }
}
