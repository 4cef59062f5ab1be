//! CSB updates (RFC 6043 §5.2). Self-consistency.

use mikey::code_points::ProtType;
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::TicketFlags;
use mikey_ticket::{Answer, Established, Policy, Strength, TicketError};

use crate::support::*;

/// Both sides of a call whose sides may both supply keys.
fn both(strength: Strength, flags: TicketFlags) -> [Established; 2] {
    let flags = TicketFlags {
        initiator_keys: true,
        responder_keys: true,
        ..flags
    };
    established(&policy(strength, flags))
}

fn new_key(fill: u8) -> [KeyMaterial; 1] {
    let key = Secret::new(&[fill; 16]).unwrap();
    [KeyMaterial::new(KeyKind::Tgk, key).with_spi(&[fill])]
}

#[test]
fn either_side_sends_new_keys() {
    for strength in STRENGTHS {
        for flags in [Policy::FORKED, Policy::SHARED] {
            let [mut alice, mut bob] = both(strength, flags);
            let before = tek(&alice, 1);
            let (keys, sessions) = (new_key(8), [stream(1, 0x1111_1111, &[8])]);
            let change = Answer::new(&sessions).with_keys(&keys);
            let message = alice.update(&change, false, now()).unwrap();
            for (_, changed) in tampered(&message) {
                assert!(bob.accept_update(&changed, now()).is_err());
            }
            assert_eq!(tek(&bob, 1), before);
            assert_eq!(bob.accept_update(&message, now()).unwrap(), None);
            assert_ne!(tek(&alice, 1), before);
            assert_eq!(tek(&alice, 1), tek(&bob, 1));
            assert_eq!((alice.sessions().len(), bob.sessions().len()), (1, 1));

            // Back, with a confirmation.
            let (keys, sessions) = (new_key(9), [stream(1, 0x1111_1111, &[9])]);
            let change = Answer::new(&sessions).with_keys(&keys);
            let (before, later) = (tek(&bob, 1), now().plus_seconds(5));
            let message = bob.update(&change, true, later).unwrap();
            assert_eq!(tek(&bob, 1), before, "not before it is confirmed");
            let confirmation = alice.accept_update(&message, later).unwrap().unwrap();
            for (_, changed) in tampered(&confirmation) {
                assert!(bob.accept_confirmation(&changed, later).is_err());
            }
            bob.accept_confirmation(&confirmation, later).unwrap();
            assert_eq!(tek(&alice, 1), tek(&bob, 1));
            assert_ne!(tek(&bob, 1), before);
        }
    }
}

#[test]
fn replayed_and_reflected_updates_are_refused() {
    let [mut alice, mut bob] = both(Strength::Bits128, Policy::FORKED);
    let (keys, sessions) = (new_key(8), [stream(1, 0x1111_1111, &[8])]);
    let change = Answer::new(&sessions).with_keys(&keys);
    let message = alice.update(&change, false, now()).unwrap();
    assert_eq!(
        alice.accept_update(&message, now()),
        Err(TicketError::ClockSkew)
    );
    bob.accept_update(&message, now()).unwrap();
    assert_eq!(
        bob.accept_update(&message, now()),
        Err(TicketError::ClockSkew)
    );
    assert_eq!(
        bob.accept_confirmation(&message, now()),
        Err(TicketError::Mismatch)
    );
    let [mut other, _] = both(Strength::Bits256, Policy::FORKED);
    assert!(other.accept_update(&message, now()).is_err());
}

#[test]
fn keys_need_the_l_or_m_flag_and_sessions_a_key() {
    let [mut alice, mut bob] = established(&policy(Strength::Bits128, Policy::FORKED));
    let (keys, sessions) = (new_key(8), [stream(1, 0x1111_1111, &[8])]);
    for side in [&mut alice, &mut bob] {
        let change = Answer::new(&sessions).with_keys(&keys);
        assert!(matches!(
            side.update(&change, false, now()),
            Err(TicketError::UnexpectedPayload(_))
        ));
        let refused = side.update(&Answer::new(&sessions), false, now());
        assert_eq!(refused, Err(TicketError::UnsupportedSessions));
        assert_eq!(side.sessions().len(), 2, "nothing has changed");
    }
    // One more session under the key that there is.
    let more = [1, 2, 3].map(|cs_id| stream(cs_id, u32::from(cs_id), &[7]));
    let message = alice.update(&Answer::new(&more), false, now()).unwrap();
    bob.accept_update(&message, now()).unwrap();
    assert_eq!(tek(&alice, 3), tek(&bob, 3));
    assert!(
        bob.sessions()
            .iter()
            .all(|session| session.prot_type() == ProtType::Srtp)
    );
}

/// TRr: keys are used no longer than the ticket says.
#[test]
fn keys_are_replaced_within_the_rekeying_interval() {
    let flags = TicketFlags {
        initiator_keys: true,
        ..Policy::FORKED
    };
    let policy = policy(Strength::Bits128, flags).with_rekeying_interval(60);
    let [mut alice, mut bob] = established(&policy);
    let (due, late) = (now().plus_seconds(60), now().plus_seconds(61));
    for side in [&alice, &bob] {
        assert_eq!(side.rekey_by(), Some(due));
        assert_eq!(side.check_rekeying(due), Ok(()));
        assert_eq!(side.check_rekeying(late), Err(TicketError::RekeyingOverdue));
    }
    // Sessions may change as long as their keys last, which an update without keys does not extend.
    let old = [stream(1, 0x1111_1111, &[7]), stream(2, 0x2222_2222, &[7])];
    let kept = Answer::new(&old);
    let message = alice.update(&kept, false, now().plus_seconds(30)).unwrap();
    bob.accept_update(&message, now().plus_seconds(30)).unwrap();
    assert_eq!((alice.rekey_by(), bob.rekey_by()), (Some(due), Some(due)));
    assert_eq!(
        alice.update(&kept, false, late).unwrap_err(),
        TicketError::RekeyingOverdue
    );
    // Nor does one that gives a new key to one session alone.
    let keys = new_key(8);
    let half = [stream(1, 0x1111_1111, &[8]), stream(2, 0x2222_2222, &[7])];
    let change = Answer::new(&half).with_keys(&keys);
    assert_eq!(
        alice.update(&change, false, late).unwrap_err(),
        TicketError::RekeyingOverdue
    );
    // What Alice sends in time, Bob takes in time.
    let message = alice.update(&kept, false, due).unwrap();
    assert_eq!(
        bob.accept_update(&message, late).unwrap_err(),
        TicketError::RekeyingOverdue
    );
    let sessions = [stream(1, 0x1111_1111, &[8])];
    let change = Answer::new(&sessions).with_keys(&keys);
    let message = alice.update(&change, true, late).unwrap();
    assert_eq!(alice.rekey_by(), Some(due), "not before it is confirmed");
    let confirmation = bob.accept_update(&message, late).unwrap().unwrap();
    alice.accept_confirmation(&confirmation, late).unwrap();
    assert_eq!(alice.rekey_by(), bob.rekey_by());
    assert_eq!(alice.check_rekeying(late.plus_seconds(59)), Ok(()));
    assert_eq!(tek(&alice, 1), tek(&bob, 1));
}
