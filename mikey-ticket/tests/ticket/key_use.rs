//! That no key has two uses, whoever gives it out, and that none lasts longer than the ticket says.
//! Self-consistency.

use mikey::code_points::{ProtType, ThreeGppCodePoints};
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{CryptoSession, SecurityPolicy, TicketFlags};
use mikey_ticket::{Answer, KeyRequest, Offer, Policy, Strength, TicketError};

use crate::support::*;

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

const BOTH_SUPPLY: TicketFlags = TicketFlags {
    initiator_keys: true,
    responder_keys: true,
    ..Policy::FORKED
};

/// Half a round trip, with keys of the Initiator.
const HALF: TicketFlags = TicketFlags {
    response: false,
    responder_rand: false,
    forking: false,
    initiator_keys: true,
    ..Policy::FORKED
};

fn key(kind: KeyKind, spi: u8, fill: u8) -> KeyMaterial {
    let secret = Secret::new(&[fill; 16]).unwrap();
    let salt = [fill; 14];
    KeyMaterial::new(kind, secret)
        .with_salt(&salt)
        .with_spi(&[spi])
}

fn with_key(flags: TicketFlags, kind: KeyKind) -> Policy {
    let key = KeyRequest {
        kind,
        len: 16,
        salt_len: Some(14),
        spi: vec![7],
    };
    policy(Strength::Bits128, flags)
        .with_keys(vec![key])
        .unwrap()
}

/// RFC 3711 §9.1: two streams under one key and one SSRC share their keystream.
#[cfg(feature = "srtp")]
#[test]
fn streams_of_one_tek_have_different_ssrcs() {
    use mikey_ticket::SrtpKeyError::SharedKey;
    let tek = with_key(Policy::FORKED, KeyKind::Tek);
    let same = [stream(1, 0x1111_1111, &[7]), stream(2, 0x1111_1111, &[7])];
    let apart = [stream(1, 0x1111_1111, &[7]), stream(2, 0x2222_2222, &[7])];
    for call in agreed(&tek, &same) {
        assert_eq!(call.srtp_keys(&[1], &[2]).unwrap_err(), SharedKey(1));
        assert_eq!(call.srtp_keys(&[1, 2], &[1]).unwrap_err(), SharedKey(1));
        // The other stream may be keyed later, by another call of this.
        assert_eq!(call.srtp_keys(&[2], &[]).unwrap_err(), SharedKey(2));
    }
    for call in agreed(&tek, &apart) {
        assert!(call.srtp_keys(&[1], &[2]).is_ok());
    }
    // From a TGK each session has a key of its own, whatever its SSRC.
    for kind in [KeyKind::Tgk, KeyKind::Gtgk] {
        for call in agreed(&with_key(Policy::FORKED, kind), &same) {
            assert!(call.srtp_keys(&[1], &[2]).is_ok());
        }
    }
}

#[cfg(feature = "srtp")]
#[test]
fn a_session_of_both_directions_has_two_ssrcs() {
    use mikey_ticket::SrtpKeyError::{NoStream, SharedKey};
    use srtp::keying::MasterKeySource;
    for kind in [KeyKind::Tgk, KeyKind::Tek] {
        let sessions = [stream(1, 1, &[7]), stream(2, 2, &[7])];
        let [at_alice, at_bob] = agreed(&with_key(Policy::FORKED, kind), &sessions);
        assert_eq!(at_alice.srtp_keys(&[1], &[1]).unwrap_err(), SharedKey(1));
        let refused = at_alice.srtp_keys_both_ways(1, 1, 1).unwrap_err();
        assert_eq!(refused, SharedKey(1));
        // The map has the SSRC of one side.
        let refused = at_alice.srtp_keys_both_ways(1, 8, 9).unwrap_err();
        assert_eq!(refused, NoStream(1));
        let ours = at_alice.srtp_keys_both_ways(1, 1, 9).unwrap();
        let theirs = at_bob.srtp_keys_both_ways(1, 9, 1).unwrap();
        assert_eq!(ours.outbound().entries()[0].ssrc(), Some(1));
        assert_eq!(theirs.outbound().entries()[0].ssrc(), Some(9));
        // Not with the SSRC of another stream of the TEK.
        let taken = at_alice.srtp_keys_both_ways(1, 1, 2);
        assert_eq!(taken.is_err(), kind == KeyKind::Tek);
    }
}

/// Under a second SPI a key would pass every check of what it is used for.
#[test]
fn a_key_has_one_spi() {
    let sessions = [stream(1, 0x1111_1111, &[7])];
    let [mut alice, mut bob] = agreed(&policy(Strength::Bits128, BOTH_SUPPLY), &sessions);
    let twice = [key(KeyKind::Tek, 8, 8), key(KeyKind::Tgk, 9, 8)];
    let moved = [stream(1, 0x1111_1111, &[8])];
    let change = Answer::new(&moved).with_keys(&twice);
    let refused = alice.update(&change, false, now()).unwrap_err();
    assert!(matches!(refused, TicketError::UnexpectedPayload(_)));
    // Nor does a key that is in use become a new one.
    let change = Answer::new(&moved).with_keys(&twice[..1]);
    let message = alice.update(&change, false, now()).unwrap();
    bob.accept_update(&message, now()).unwrap();
    let again = [key(KeyKind::Tek, 10, 8)];
    let moved = [stream(1, 0x1111_1111, &[10])];
    let change = Answer::new(&moved).with_keys(&again);
    for side in [&mut alice, &mut bob] {
        let refused = side.update(&change, false, now()).unwrap_err();
        assert!(matches!(refused, TicketError::UnexpectedPayload(_)));
    }
}

/// Where no response is wanted, the offer is all there is: both sides check it.
#[test]
fn half_a_round_trip_is_checked_as_a_whole_one() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let asked = policy(Strength::Bits128, HALF).with_keys(vec![]).unwrap();
    let mut ticket = granted(&asked, &mut kms, &mut rng);
    let (peer, params, keys) = (bob(), srtp_params(), [key(KeyKind::Tek, 7, 7)]);
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let srtp = stream(1, 0x1111_1111, &[7]);
    let tls = CryptoSession::tls(&CODE_POINTS, 2, &[7]).unwrap();
    let two_uses = [srtp, tls];
    let offer = Offer::new(&peer, &two_uses);
    let offer = offer.with_policies(&policies).with_keys(&keys);
    let refused = ticket.transfer(&offer, now(), &mut rng).unwrap_err();
    assert_eq!(refused, TicketError::UnsupportedSessions);
    // The ticket is unused. A session that names a key that is not there is refused by the one who
    // is asked to use it.
    for (spi, complete) in [(8, false), (7, true)] {
        let mut ticket = granted(&asked, &mut kms, &mut rng);
        let (spi, sessions) = ([spi], |spi| [stream(1, 0x1111_1111, spi)]);
        let sessions = sessions(&spi);
        let offer = Offer::new(&peer, &sessions);
        let offer = offer.with_policies(&policies).with_keys(&keys);
        let (_, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
        let verified = verified(&bob(), &init, &mut kms, &mut rng);
        let accepted = verified.accept(&Answer::new(&[]), now(), &mut rng);
        let error = accepted.err().map(|rejected| rejected.error());
        assert_eq!(
            error,
            (!complete).then_some(TicketError::UnsupportedSessions)
        );
    }
    let once = [srtp];
    let offer = Offer::new(&peer, &once);
    let offer = offer.with_policies(&policies).with_keys(&keys);
    assert!(ticket.transfer(&offer, now(), &mut rng).is_ok());
}

/// A TEK is the same under every CS ID, and a CS ID that comes back has the keys that it had.
#[test]
fn no_detour_turns_a_key_to_another_protocol() {
    let srtp = [stream(1, 0x1111_1111, &[7]), stream(2, 0x2222_2222, &[7])];
    let [mut alice, _] = agreed(&with_key(Policy::FORKED, KeyKind::Tek), &srtp[..1]);
    let elsewhere = [CryptoSession::tls(&CODE_POINTS, 2, &[7]).unwrap()];
    let refused = alice.update(&Answer::new(&elsewhere), false, now());
    assert_eq!(refused.unwrap_err(), TicketError::UnsupportedSessions);

    let [mut alice, mut bob] = agreed(&policy(Strength::Bits128, Policy::FORKED), &srtp);
    let gone = Answer::new(&srtp[1..]);
    let message = alice.update(&gone, false, now()).unwrap();
    bob.accept_update(&message, now()).unwrap();
    let back = [CryptoSession::tls(&CODE_POINTS, 1, &[7]).unwrap(), srtp[1]];
    for side in [&mut alice, &mut bob] {
        let refused = side.update(&Answer::new(&back), false, now()).unwrap_err();
        assert_eq!(refused, TicketError::Mismatch);
        assert!(side.update(&Answer::new(&srtp), false, now()).is_ok());
    }
}

/// TRr binds both: a peer whose clock is ahead, or said to be, gains no time.
#[test]
fn a_clock_that_is_ahead_makes_no_key_last_longer() {
    let policy = policy(Strength::Bits128, BOTH_SUPPLY).with_rekeying_interval(60);
    let [mut alice, mut bob] = agreed(&policy, &[stream(1, 0x1111_1111, &[7])]);
    let (keys, sessions) = ([key(KeyKind::Tgk, 8, 8)], [stream(1, 0x1111_1111, &[8])]);
    let change = Answer::new(&sessions).with_keys(&keys);
    let ahead = now().plus_seconds(50 * 60);
    // Late by her own clock, but the keys are new.
    let message = alice.update(&change, false, ahead).unwrap();
    bob.accept_update(&message, now()).unwrap();
    assert_eq!(bob.rekey_by(), Some(now().plus_seconds(60)));
    let late = now().plus_seconds(61);
    assert_eq!(bob.check_rekeying(late), Err(TicketError::RekeyingOverdue));

    // The same of the message that begins the call.
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(&policy, &mut kms, &mut rng);
    let (_, init) = with_offer(&self::bob(), |offer| {
        ticket.transfer(offer, now().plus_seconds(200), &mut rng)
    })
    .unwrap();
    let (at_bob, _) = answer(verified(&self::bob(), &init, &mut kms, &mut rng), &mut rng);
    assert_eq!(at_bob.rekey_by(), Some(now().plus_seconds(60)));
}
