use mikey::{
    InMemoryReplayCache, MessageTime, ReplayCache, ReplayError, SeenMessage, SkewWindow, Timestamp,
};

use crate::support::now;

const WINDOW: SkewWindow = SkewWindow::new(100, 100);

fn insert(
    cache: &mut InMemoryReplayCache,
    digest: u8,
    time: Timestamp,
    now: Timestamp,
) -> Result<(), ReplayError> {
    let digest = [digest; 32];
    cache.check_and_insert(
        &SeenMessage::new(&digest, b"alice", MessageTime::Utc(time)),
        now,
    )
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
