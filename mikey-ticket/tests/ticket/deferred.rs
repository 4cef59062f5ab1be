//! Messages that come days later (TR 33.829 §8.3.1.1.2). Self-consistency.

use mikey_ticket::{DeferredReplayCache, TicketError};
use smime_psk::{OpenError, SealPolicy, TransportError};

use crate::messages::{Failure, Inbox, inbox, kms, sealed, sealed_at, ticket_of};
use crate::support::{TestRng, alice, bob, now, user};

#[test]
fn req_msg_06_deferred_messages_are_all_opened_oldest_first_and_lost_in_reverse() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let messages: Vec<_> = (0..8)
        .map(|hour| {
            let at = now().plus_seconds(3600 * hour);
            sealed_at(&mut ticket, &to, &SealPolicy::default(), at, &mut rng)
        })
        .collect();
    let back = now().plus_seconds(6 * 86_400);
    let small = || Inbox {
        seen: DeferredReplayCache::new(2),
        ..inbox(&bob())
    };
    let lost = Failure::Content(OpenError::Transport(TransportError::Replayed));

    let mut bob_s = small();
    for message in &messages {
        assert!(bob_s.open_at(message, back, &mut kms, &mut rng).is_ok());
    }
    for message in &messages {
        let again = bob_s.open_at(message, back, &mut kms, &mut rng);
        assert_eq!(again.unwrap_err(), lost);
    }

    let mut reversed = small();
    let opened = messages.iter().rev().filter(|message| {
        let opened = reversed.open_at(message, back, &mut kms, &mut rng);
        opened.is_ok()
    });
    assert_eq!(opened.count(), 2, "as many as the cache holds");

    // An immediate message is one of the last minutes, unless the user says otherwise.
    let mut strict = Inbox {
        user: user(bob()),
        ..small()
    };
    let late = strict.open_at(&messages[0], back, &mut kms, &mut rng);
    let skew = Failure::NotFound(Some(TicketError::ClockSkew));
    assert_eq!(late.unwrap_err(), skew);
    // And nothing outlives its ticket.
    let later = now().plus_seconds(8 * 86_400);
    let late = small().open_at(&messages[0], later, &mut kms, &mut rng);
    let expired = Failure::NotFound(Some(TicketError::Expired));
    assert_eq!(late.unwrap_err(), expired);
}

#[test]
fn req_msg_05_messages_from_the_future_cannot_fill_the_cache() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let mut bob_s = Inbox {
        seen: DeferredReplayCache::new(1),
        ..inbox(&bob())
    };
    let tomorrow = now().plus_seconds(86_400);
    let early = sealed_at(&mut ticket, &to, &SealPolicy::default(), tomorrow, &mut rng);
    let refused = bob_s.open(&early, &mut kms, &mut rng).unwrap_err();
    let expected = Failure::Content(OpenError::Transport(TransportError::Refused));
    assert_eq!(refused, expected);
    let sealed = sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng);
    assert!(bob_s.open(&sealed, &mut kms, &mut rng).is_ok());
    assert!(bob_s.open_at(&early, tomorrow, &mut kms, &mut rng).is_ok());
}

#[test]
fn a_replay_cache_survives_a_restart() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let mut at = (0..4).map(|second| now().plus_seconds(second));
    let mut next = |rng: &mut TestRng| {
        let at = at.next().unwrap();
        sealed_at(&mut ticket, &to, &SealPolicy::default(), at, rng)
    };
    let (first, second, third) = (next(&mut rng), next(&mut rng), next(&mut rng));
    let mut before = Inbox {
        seen: DeferredReplayCache::new(1),
        ..inbox(&bob())
    };
    for message in [&first, &second] {
        assert!(before.open(message, &mut kms, &mut rng).is_ok());
    }
    let stored: Vec<_> = before.seen.iter().collect();
    let mut restored = Inbox {
        seen: DeferredReplayCache::restored(5, before.seen.forgotten(), stored),
        ..inbox(&bob())
    };
    for message in [&first, &second] {
        assert!(restored.open(message, &mut kms, &mut rng).is_err());
    }
    assert!(restored.open(&third, &mut kms, &mut rng).is_ok());
    // A user that has lost its cache refuses what it may have opened before.
    let lost = now().plus_seconds(2);
    let mut lost = Inbox {
        seen: DeferredReplayCache::restored(5, Some(lost), []),
        ..inbox(&bob())
    };
    for message in [&first, &second, &third] {
        assert!(lost.open(message, &mut kms, &mut rng).is_err());
    }
    assert!(lost.open(&next(&mut rng), &mut kms, &mut rng).is_ok());
}
