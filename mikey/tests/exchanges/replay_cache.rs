use mikey::code_points::SType;
use mikey::derive::Secret;
use mikey::exchange::{ExchangeError, dh};
use mikey::payload::{Cert, CertHash};
use mikey::{
    CredentialError, Credentials, Identity, InMemoryReplayCache, MessageTime, ReplayCache,
    ReplayError, SeenMessage, SkewWindow, Timestamp,
};

use crate::support::{TestRng, alice, bob, cache, now, time, with_proposal};

const WINDOW: SkewWindow = SkewWindow::new(100, 100);

fn insert(
    cache: &mut InMemoryReplayCache,
    digest: u8,
    time: Timestamp,
    now: Timestamp,
) -> Result<(), ReplayError> {
    insert_of(b"alice", cache, digest, time, now)
}

fn insert_of(
    sender: &[u8],
    cache: &mut InMemoryReplayCache,
    digest: u8,
    time: Timestamp,
    now: Timestamp,
) -> Result<(), ReplayError> {
    let digest = [digest; 32];
    let message = SeenMessage::new(&digest, sender, MessageTime::Utc(time));
    cache.check_and_insert(&message, now)
}

#[test]
fn a_sender_who_fills_the_cache_takes_no_room_from_others() {
    let mut cache = InMemoryReplayCache::new(12, WINDOW);
    for number in 0..4 {
        let time = now().plus_seconds(number.into());
        assert_eq!(insert_of(b"bob", &mut cache, number, time, now()), Ok(()));
    }
    // From the edge of the window, so that no message of another can be the younger.
    for number in 0..100 {
        let edge = now().plus_seconds(99);
        let _ = insert_of(b"mallory", &mut cache, number, edge, now());
        let edge = now().plus_seconds(100);
        let _ = insert_of(b"mallory", &mut cache, number, edge, now());
        assert!(cache.len() <= 12);
    }
    // Bob's are all there, and new ones are taken, as are those of others.
    for number in 0..4 {
        let time = now().plus_seconds(number.into());
        let again = insert_of(b"bob", &mut cache, number, time, now());
        assert_eq!(again, Err(ReplayError::Replayed));
    }
    for sender in [b"bob".as_slice(), b"carol", b"dave"] {
        assert_eq!(insert_of(sender, &mut cache, 200, now(), now()), Ok(()));
        assert_eq!(cache.len(), 12);
    }
    // It is Mallory whose window has shrunk.
    let inside = now().plus_seconds(98);
    let refused = insert_of(b"mallory", &mut cache, 201, inside, now());
    assert_eq!(refused, Err(ReplayError::TooOld));
}

#[test]
fn the_oldest_of_all_makes_room_where_nobody_has_more_than_one() {
    let mut cache = InMemoryReplayCache::new(3, WINDOW);
    for number in 1..=4 {
        let time = now().plus_seconds(number.into());
        assert_eq!(
            insert_of(&[number], &mut cache, number, time, now()),
            Ok(())
        );
    }
    assert_eq!(cache.len(), 3);
    let first = now().plus_seconds(1);
    for sender in [1, 9] {
        let refused = insert_of(&[sender], &mut cache, 1, first, now());
        assert_eq!(refused, Err(ReplayError::TooOld), "whoever it is of");
    }
    let before_all = Timestamp::from_unix(1_800_000_001, 900_000_000);
    let refused = insert_of(b"eve", &mut cache, 9, before_all, now());
    assert_eq!(refused, Err(ReplayError::Full));
    // One of them takes its own room.
    let late = now().plus_seconds(50);
    assert_eq!(insert_of(&[2], &mut cache, 50, late, now()), Ok(()));
    let second = now().plus_seconds(2);
    let refused = insert_of(&[2], &mut cache, 2, second, now());
    assert_eq!(refused, Err(ReplayError::TooOld));
    let third = now().plus_seconds(3);
    let known = insert_of(&[3], &mut cache, 3, third, now());
    assert_eq!(known, Err(ReplayError::Replayed));
}

#[test]
fn whatever_comes_nothing_is_taken_twice() {
    for seed in 0..40 {
        let mut rng = TestRng(seed);
        let mut draw = |below: u32| {
            use rand_core::Rng;
            rng.next_u32() % below
        };
        let capacity = 1 + usize::try_from(seed % 9).unwrap();
        let mut cache = InMemoryReplayCache::new(capacity, SkewWindow::new(8, 8));
        let mut taken = Vec::new();
        for _ in 0..2_000 {
            // The clock is set back, too.
            let clock = 20 + draw(30);
            let message = (draw(5), draw(70), draw(3));
            let (sender, second, digest) = message;
            let before = format!("{cache:?}");
            let result = insert_of(
                &sender.to_be_bytes(),
                &mut cache,
                u8::try_from(digest).unwrap(),
                now().plus_seconds(second.into()),
                now().plus_seconds(clock.into()),
            );
            if result.is_ok() {
                assert!(!taken.contains(&message), "seed {seed}: {message:?} twice");
                taken.push(message);
            } else {
                assert_eq!(format!("{cache:?}"), before, "seed {seed}: {message:?}");
            }
            assert!(cache.len() <= capacity, "seed {seed}");
        }
        assert!(!taken.is_empty(), "seed {seed}");
    }
}

/// A signature scheme that has another signature for the same octets: the last octet is anything.
struct Malleable;

impl Credentials for Malleable {
    fn s_type(&self) -> SType {
        SType::RsaPkcs1
    }

    fn signature_len(&self) -> usize {
        2
    }

    fn sign(&self, parts: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        let sum = parts.concat().into_iter().fold(0, u8::wrapping_add);
        Ok(vec![sum, 0])
    }

    fn verify(
        &self,
        _claimed: &Identity,
        _certificates: &[Cert<'_>],
        _s_type: SType,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), CredentialError> {
        if self.sign(parts)?.first() == signature.first() {
            Ok(())
        } else {
            Err(CredentialError::Invalid)
        }
    }

    fn seal_envelope(
        &self,
        _peer: &Identity,
        _certificates: &[Cert<'_>],
        _envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        Err(CredentialError::Unsupported)
    }

    fn open_envelope(
        &self,
        _hash: Option<&CertHash<'_>>,
        _envelope: &[u8],
    ) -> Result<Secret, CredentialError> {
        Err(CredentialError::Unsupported)
    }
}

#[test]
fn another_signature_does_not_make_it_another_message() {
    let initiator = dh::Initiator::new(&Malleable, alice(), bob());
    let (_, mut message) = with_proposal(|p| initiator.start(p, time(), &mut TestRng(1))).unwrap();
    let responder = dh::Responder::new(&Malleable, bob());
    let mut cache = cache();
    assert!(responder.accept(&message, &mut cache, now()).is_ok());
    *message.last_mut().unwrap() ^= 1;
    let again = responder.accept(&message, &mut cache, now()).unwrap_err();
    assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
}

#[test]
fn it_never_holds_more_than_its_capacity_and_never_takes_a_message_twice() {
    let mut cache = InMemoryReplayCache::new(10, WINDOW);
    for second in 0..50_u8 {
        let time = now().plus_seconds(second.into());
        assert_eq!(insert(&mut cache, second, time, now()), Ok(()));
        assert!(cache.len() <= 10);
    }
    for second in 0..50_u8 {
        let time = now().plus_seconds(second.into());
        let again = insert(&mut cache, second, time, now());
        let expected = if second < 40 {
            ReplayError::TooOld
        } else {
            ReplayError::Replayed
        };
        assert_eq!(again, Err(expected), "{second}");
    }
}

#[test]
fn a_full_cache_refuses_what_is_older_than_all_it_holds() {
    let mut cache = InMemoryReplayCache::new(2, WINDOW);
    insert(&mut cache, 1, now(), now()).unwrap();
    insert(&mut cache, 2, now().plus_seconds(1), now()).unwrap();
    let older = now().minus_seconds(1);
    assert_eq!(insert(&mut cache, 3, older, now()), Err(ReplayError::Full));
}

#[test]
fn what_left_the_window_is_forgotten_and_stays_refused() {
    let mut cache = InMemoryReplayCache::new(10, WINDOW);
    insert(&mut cache, 1, now(), now()).unwrap();
    let later = now().plus_seconds(101);
    insert(&mut cache, 2, later, later).unwrap();
    assert_eq!(cache.len(), 1);
    // Even when the clock is set back.
    assert_eq!(
        insert(&mut cache, 1, now(), now()),
        Err(ReplayError::TooOld)
    );
}

#[test]
fn after_a_loss_everything_is_refused_until_the_window_has_passed() {
    let mut cache = InMemoryReplayCache::after_loss(10, WINDOW, now());
    let last_possible = now().plus_seconds(100);
    assert_eq!(
        insert(&mut cache, 1, last_possible, now()),
        Err(ReplayError::TooOld)
    );
    let new = now().plus_seconds(101);
    assert_eq!(insert(&mut cache, 2, new, new), Ok(()));
}

#[test]
fn after_a_loss_no_counter_is_taken_on_trust() {
    let mut cache = InMemoryReplayCache::after_loss(10, WINDOW, now());
    let message = SeenMessage::new(&[0; 32], b"alice", MessageTime::Counter(1));
    assert_eq!(
        cache.check_and_insert(&message, now()),
        Err(ReplayError::TooOld)
    );
    assert!(cache.is_empty());
}

#[test]
fn what_is_refused_changes_nothing_even_with_a_wrong_clock() {
    let mut cache = InMemoryReplayCache::new(10, WINDOW);
    assert_eq!(insert(&mut cache, 1, now(), now()), Ok(()));
    let wrong = now().plus_seconds(100_000);
    assert_eq!(
        insert(&mut cache, 2, now(), wrong),
        Err(ReplayError::TooOld)
    );
    let early = now().plus_seconds(u64::from(WINDOW.future()) + 1);
    assert_eq!(insert(&mut cache, 3, early, now()), Err(ReplayError::Early));
    assert_eq!(cache.len(), 1);
    assert_eq!(
        insert(&mut cache, 1, now(), now()),
        Err(ReplayError::Replayed)
    );
    assert_eq!(insert(&mut cache, 4, now(), now()), Ok(()));
}

#[test]
fn counters_rise_for_each_sender_by_itself() {
    let mut cache = InMemoryReplayCache::new(2, WINDOW);
    let mut count = |sender: &[u8], count| {
        let message = SeenMessage::new(&[0; 32], sender, MessageTime::Counter(count));
        cache.check_and_insert(&message, now())
    };
    assert_eq!(count(b"alice", 5), Ok(()));
    assert_eq!(count(b"alice", 5), Err(ReplayError::Replayed));
    assert_eq!(count(b"alice", 4), Err(ReplayError::Replayed));
    assert_eq!(count(b"bob", 1), Ok(()));
    assert_eq!(count(b"alice", 6), Ok(()));
    assert_eq!(count(b"carol", 1), Err(ReplayError::Full));
}
