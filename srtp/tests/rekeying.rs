//! Rekeying, lifetimes and the two-time pad (RFC 3711 8.2, 9.1, RFC 4568 7.1.4, TR 33.829 5.3.2).
//!
//! Self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, keys, master, pair, protect, protect_report, rtcp, rtp, sender_state, state, unprotect,
    unprotect_report,
};
use srtp::keying::{KeyEntry, KeySet, KeyingError, Lifetime, Mki, Parameters, Profile, StaticKeys};
use srtp::{
    Builder, Event, KeyUses, ProtectError, Receiver, Rekey, Sender, SessionError, UnprotectError,
};

const CM: Profile = Profile::AesCm128HmacSha1_80;
const GCM: Profile = Profile::AeadAes128Gcm;

fn send(sender: &mut Sender, seqs: core::ops::Range<u16>) -> Vec<Vec<u8>> {
    seqs.map(|seq| protect(sender, &rtp(SSRC, seq, b"payload")).unwrap())
        .collect()
}

#[test]
fn req_cs_06_packets_under_the_old_key_open_during_the_grace_and_the_roc_goes_on() {
    for profile in [CM, GCM] {
        let (mut sender, mut receiver) = pair(profile);
        for packet in send(&mut sender, 65_530..65_535) {
            unprotect(&mut receiver, &packet).unwrap();
        }
        let wrapped = protect(&mut sender, &rtp(SSRC, 0, b"payload")).unwrap();
        unprotect(&mut receiver, &wrapped).unwrap();

        let late = send(&mut sender, 1..3);
        let new = keys(profile, 2);
        receiver.rekey(&new, Rekey::KeepRoc, 3).unwrap();
        sender.rekey(&new, Rekey::KeepRoc).unwrap();
        let fresh = send(&mut sender, 3..8);

        unprotect(&mut receiver, &fresh[0]).unwrap();
        unprotect(&mut receiver, &late[0]).unwrap();
        unprotect(&mut receiver, &fresh[1]).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &late[0]),
            Err(UnprotectError::Replayed)
        );
        unprotect(&mut receiver, &fresh[2]).unwrap();
        // The third packet under the new key ends the grace.
        assert_eq!(
            unprotect(&mut receiver, &late[1]),
            Err(UnprotectError::Forged)
        );
        unprotect(&mut receiver, &fresh[3]).unwrap();
        assert_eq!(receiver.stream(SSRC).unwrap().roc, 1);
        assert_eq!(sender.stream(SSRC).unwrap().roc, 1);
    }
}

#[test]
fn both_keys_are_taken_until_the_peer_shows_that_it_has_the_new_one() {
    let (mut sender, mut receiver) = pair(GCM);
    receiver.rekey(&keys(GCM, 2), Rekey::KeepRoc, 1).unwrap();
    for packet in send(&mut sender, 0..500) {
        unprotect(&mut receiver, &packet).unwrap();
    }
    let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    unprotect_report(&mut receiver, &report).unwrap();
    receiver.drop_old_keys();
    let packet = send(&mut sender, 500..501).remove(0);
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Forged)
    );
}

#[test]
fn with_an_mki_the_old_key_is_named_by_its_packets() {
    let set = |octet| {
        let entry = KeyEntry::new(master(CM, octet)).with_mki(Mki::new(&[octet]).unwrap());
        KeySet::new(CM, Parameters::default(), vec![entry]).unwrap()
    };
    let mut sender: Sender = Builder::new(set(1)).build().unwrap();
    let mut receiver: Receiver = Builder::new(set(1)).build().unwrap();
    let late = send(&mut sender, 0..2);
    receiver.rekey(&set(2), Rekey::KeepRoc, 100).unwrap();
    sender.rekey(&set(2), Rekey::KeepRoc).unwrap();
    let fresh = send(&mut sender, 2..4);
    unprotect(&mut receiver, &fresh[0]).unwrap();
    unprotect(&mut receiver, &late[1]).unwrap();
    receiver.drop_old_keys();
    assert_eq!(
        unprotect(&mut receiver, &late[0]),
        Err(UnprotectError::UnknownMki)
    );
    unprotect(&mut receiver, &fresh[1]).unwrap();
}

/// REQ-RTP-16: a changed address brings a new key and ROC 0; REQ-CS-07, REQ-CS-08.
#[test]
fn req_cs_08_old_and_new_contexts_stand_side_by_side_when_the_roc_begins_anew() {
    for profile in [CM, GCM] {
        let (mut sender, mut receiver) = pair(profile);
        sender.set_roc(SSRC, 5).unwrap();
        receiver.set_roc(SSRC, 5).unwrap();
        let old = send(&mut sender, 10..14);
        unprotect(&mut receiver, &old[0]).unwrap();

        let new = keys(profile, 2);
        receiver.rekey(&new, Rekey::ResetRoc, 2).unwrap();
        sender.rekey(&new, Rekey::ResetRoc).unwrap();
        assert_eq!(sender.streams().count(), 0);
        let fresh = send(&mut sender, 10..14);
        unprotect(&mut receiver, &old[1]).unwrap();
        unprotect(&mut receiver, &fresh[0]).unwrap();
        assert_eq!(receiver.stream(SSRC).unwrap().roc, 0);
        unprotect(&mut receiver, &old[2]).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &old[2]),
            Err(UnprotectError::Forged)
        );
        unprotect(&mut receiver, &fresh[1]).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &old[3]),
            Err(UnprotectError::Forged)
        );
        assert_eq!(
            unprotect(&mut receiver, &fresh[1]),
            Err(UnprotectError::Replayed)
        );
    }
}

#[test]
fn req_cs_07_joining_begins_the_contexts_anew_at_roc_zero() {
    let (mut sender, _) = pair(CM);
    sender.set_roc(SSRC, 5).unwrap();
    send(&mut sender, 10..14);
    let group = keys(CM, 2);
    sender.rekey(&group, Rekey::ResetRoc).unwrap();
    let mut joiner: Receiver = Builder::new(group).build().unwrap();
    let packet = send(&mut sender, 0..1).remove(0);
    unprotect(&mut joiner, &packet).unwrap();
    assert_eq!(joiner.stream(SSRC).unwrap().roc, 0);
}

#[test]
fn req_rtp_09_the_same_key_again_resets_neither_roc_nor_replay_list() {
    let (mut sender, mut receiver) = pair(CM);
    sender.set_roc(SSRC, 5).unwrap();
    receiver.set_roc(SSRC, 5).unwrap();
    let packet = send(&mut sender, 10..11).remove(0);
    unprotect(&mut receiver, &packet).unwrap();
    let (before, sender_before) = (state(&receiver), sender_state(&sender));
    for rekey in [Rekey::KeepRoc, Rekey::ResetRoc] {
        sender.rekey(&keys(CM, 1), rekey).unwrap();
        receiver.rekey(&keys(CM, 1), rekey, 10).unwrap();
    }
    assert_eq!(
        (state(&receiver), sender_state(&sender)),
        (before, sender_before)
    );
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Replayed)
    );
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 10, b"")),
        Err(ProtectError::IndexReused)
    );
}

#[test]
fn req_rtp_16_a_changed_address_brings_a_new_key_and_the_old_one_does_not_come_back() {
    let (mut sender, _) = pair(CM);
    send(&mut sender, 0..5);
    sender.rekey(&keys(CM, 2), Rekey::ResetRoc).unwrap();
    send(&mut sender, 0..5);
    let before = sender_state(&sender);
    for rekey in [Rekey::KeepRoc, Rekey::ResetRoc] {
        assert_eq!(
            sender.rekey(&keys(CM, 1), rekey),
            Err(SessionError::KeyInUse)
        );
    }
    let other = Profile::AeadAes256Gcm;
    let mismatch = SessionError::Keying(KeyingError::ProfileMismatch);
    assert_eq!(sender.rekey(&keys(other, 3), Rekey::KeepRoc), Err(mismatch));
    let mut parameters = Parameters::default();
    parameters.unencrypted_srtcp = true;
    let changed = KeySet::new(CM, parameters, vec![KeyEntry::new(master(CM, 3))]).unwrap();
    assert_eq!(
        sender.rekey(&changed, Rekey::KeepRoc),
        Err(SessionError::ParametersChanged)
    );
    assert_eq!(sender_state(&sender), before);
}

#[test]
fn a_key_that_a_sender_gave_up_does_not_come_back() {
    let (mut sender, _) = pair(CM);
    sender.rekey(&keys(CM, 2), Rekey::KeepRoc).unwrap();
    assert_eq!(
        sender.rekey(&keys(CM, 1), Rekey::KeepRoc),
        Err(SessionError::KeyInUse)
    );
    let entry = |octet| KeyEntry::new(master(CM, octet)).with_mki(Mki::new(&[octet]).unwrap());
    let set = KeySet::new(CM, Parameters::default(), vec![entry(1), entry(2)]).unwrap();
    let mut sender: Sender = Builder::new(set).build().unwrap();
    sender.remove_key(&Mki::new(&[2]).unwrap()).unwrap();
    assert_eq!(sender.add_key(entry(2)), Err(SessionError::KeyInUse));
    sender.add_key(entry(3)).unwrap();
    let overlapping = KeySet::new(CM, Parameters::default(), vec![entry(3), entry(4)]).unwrap();
    assert_eq!(
        sender.rekey(&overlapping, Rekey::ResetRoc),
        Err(SessionError::KeyInUse)
    );
}

#[test]
fn req_cs_04_the_same_key_and_ssrc_in_two_senders_is_refused() {
    let call = |octet| StaticKeys::new(keys(CM, octet), keys(CM, 9));
    let mut uses = KeyUses::new();
    Sender::builder(&call(1))
        .ssrc(1, 0)
        .build_claiming(&mut uses)
        .unwrap();
    Sender::builder(&call(1))
        .ssrc(2, 0)
        .build_claiming(&mut uses)
        .unwrap();
    let again = Sender::builder(&call(1))
        .ssrc(2, 0)
        .build_claiming(&mut uses);
    assert_eq!(again.err(), Some(SessionError::KeyInUse));
    let any = Sender::builder(&call(1)).build_claiming(&mut uses);
    assert_eq!(any.err(), Some(SessionError::KeyInUse));
    Sender::builder(&call(2)).build_claiming(&mut uses).unwrap();
    let one = Sender::builder(&call(2))
        .ssrc(1, 0)
        .build_claiming(&mut uses);
    assert_eq!(one.err(), Some(SessionError::KeyInUse));
    assert_eq!(
        uses.claim(&master(CM, 1), Some(2)),
        Err(SessionError::KeyInUse)
    );
    assert_eq!(uses.claim(&master(CM, 1), Some(3)), Ok(()));
}

#[test]
fn req_cs_03_each_participant_and_stream_has_a_key_of_its_own() {
    let mut random = common::Seeded(3);
    let mut uses = KeyUses::new();
    for ssrc in 0..50 {
        let key = srtp::keying::MasterKey::random(CM, &mut random);
        assert_eq!(uses.claim(&key, Some(ssrc)), Ok(()));
        let call = StaticKeys::new(KeySet::single(key), keys(CM, 1));
        let again = Sender::builder(&call)
            .ssrc(ssrc, 0)
            .build_claiming(&mut uses);
        assert_eq!(again.err(), Some(SessionError::KeyInUse));
    }
}

fn mortal(srtp: u64, srtcp: u64) -> KeySet {
    let lifetime = Lifetime::separate(srtp, srtcp).unwrap();
    let entry = KeyEntry::new(master(CM, 1)).with_lifetime(lifetime);
    KeySet::new(CM, Parameters::default(), vec![entry]).unwrap()
}

#[test]
fn req_rtp_15_a_lifetime_is_announced_and_then_enforced() {
    let mut sender: Sender = Builder::new(mortal(10, 4)).soft_limit(3).build().unwrap();
    let mut receiver: Receiver = Builder::new(mortal(10, 4)).soft_limit(0).build().unwrap();
    let mut events = Vec::new();
    for packet in send(&mut sender, 0..10) {
        unprotect(&mut receiver, &packet).unwrap();
        while let Some(event) = sender.poll_event() {
            events.push(event);
        }
    }
    let before = sender_state(&sender);
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 10, b"")),
        Err(ProtectError::KeyExpired)
    );
    assert_eq!(sender_state(&sender), before);
    for _ in 0..4 {
        let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        unprotect_report(&mut receiver, &report).unwrap();
        while let Some(event) = sender.poll_event() {
            events.push(event);
        }
    }
    assert_eq!(
        protect_report(&mut sender, &rtcp(SSRC)),
        Err(ProtectError::KeyExpired)
    );
    assert_eq!(
        events,
        [
            Event::SrtpKeyExpiring {
                ssrc: SSRC,
                left: 3
            },
            Event::SrtpKeyExpired { ssrc: SSRC },
            Event::SrtcpKeyExpiring {
                ssrc: SSRC,
                left: 2
            },
            Event::SrtcpKeyExpired { ssrc: SSRC },
        ]
    );

    let (mut immortal, _) = pair(CM);
    let eleventh = send(&mut immortal, 10..11).remove(0);
    assert_eq!(
        unprotect(&mut receiver, &eleventh),
        Err(UnprotectError::KeyExpired)
    );
    assert_eq!(
        receiver.poll_event(),
        Some(Event::SrtpKeyExpired { ssrc: SSRC })
    );

    // Each stream counts for itself, and new keys begin a new count.
    protect(&mut sender, &rtp(SSRC + 1, 0, b"")).unwrap();
    sender.rekey(&keys(CM, 2), Rekey::KeepRoc).unwrap();
    send(&mut sender, 10..30);
}

#[test]
fn the_lifetime_ends_at_removal_and_return_of_the_stream_too() {
    let mut sender: Sender = Builder::new(mortal(10, 10)).build().unwrap();
    send(&mut sender, 0..9);
    sender.remove_stream(SSRC).unwrap();
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 3, b"")),
        Err(ProtectError::IndexReused)
    );
    send(&mut sender, 9..10);
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 10, b"")),
        Err(ProtectError::KeyExpired)
    );
}

#[test]
fn req_cs_09_a_sender_that_keeps_its_roc_at_zero_announces_the_wrap_and_refuses_it() {
    let mut sender: Sender = Builder::new(keys(CM, 1)).roc_always_zero().build().unwrap();
    let mut events = Vec::new();
    for seq in 0..=u16::MAX {
        protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
        events.extend(sender.poll_event());
    }
    assert_eq!(
        events,
        [Event::RocWrapNear {
            ssrc: SSRC,
            left: 4096
        }]
    );
    let before = sender_state(&sender);
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 0, b"")),
        Err(ProtectError::IndexExhausted)
    );
    assert_eq!(sender_state(&sender), before);
    sender.rekey(&keys(CM, 2), Rekey::ResetRoc).unwrap();
    protect(&mut sender, &rtp(SSRC, 0, b"")).unwrap();

    // A listener that joins anywhere needs no ROC.
    let (mut sender, mut listener) = pair(CM);
    let middle = send(&mut sender, 40_000..40_001).remove(0);
    unprotect(&mut listener, &middle).unwrap();
}

#[test]
fn a_notice_of_the_wrap_comes_whichever_packets_are_lost() {
    for seqs in [
        [0, 30_000, 61_000, 61_440, 61_441],
        [61_500, 61_499, 61_501, 61_502, 61_503],
    ] {
        let mut sender: Sender = Builder::new(keys(CM, 1)).roc_always_zero().build().unwrap();
        for seq in seqs {
            protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
        }
        assert!(matches!(
            sender.poll_event(),
            Some(Event::RocWrapNear { ssrc: SSRC, .. })
        ));
        assert_eq!(sender.poll_event(), None);
    }
}

#[test]
fn a_receiver_takes_no_key_back_whose_packets_could_be_replayed() {
    let (mut sender, mut receiver) = pair(CM);
    let packet = send(&mut sender, 0..1).remove(0);
    unprotect(&mut receiver, &packet).unwrap();
    receiver.rekey(&keys(CM, 2), Rekey::ResetRoc, 0).unwrap();
    for rekey in [Rekey::KeepRoc, Rekey::ResetRoc] {
        assert_eq!(
            receiver.rekey(&keys(CM, 1), rekey, 0),
            Err(SessionError::KeyInUse)
        );
    }
    assert_eq!(
        receiver.add_key(KeyEntry::new(master(CM, 1))),
        Err(SessionError::KeyInUse)
    );
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Forged)
    );
}

#[test]
fn keys_for_each_ssrc_and_one_for_all_replace_one_another() {
    let named = |octet| {
        let entry = KeyEntry::new(master(CM, octet)).for_ssrc(SSRC);
        KeySet::new(CM, Parameters::default(), vec![entry]).unwrap()
    };
    for (old, new) in [(named(1), keys(CM, 2)), (keys(CM, 1), named(2))] {
        let mut sender: Sender = Builder::new(old.duplicate()).build().unwrap();
        let mut receiver: Receiver = Builder::new(old).build().unwrap();
        let late = send(&mut sender, 0..3);
        unprotect(&mut receiver, &late[0]).unwrap();
        receiver.rekey(&new, Rekey::KeepRoc, 2).unwrap();
        sender.rekey(&new, Rekey::KeepRoc).unwrap();
        let fresh = send(&mut sender, 3..6);
        unprotect(&mut receiver, &fresh[0]).unwrap();
        unprotect(&mut receiver, &late[1]).unwrap();
        unprotect(&mut receiver, &fresh[1]).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &late[2]),
            Err(UnprotectError::Forged)
        );
        unprotect(&mut receiver, &fresh[2]).unwrap();
    }
}

#[test]
fn req_rtp_09_the_same_key_with_other_parameters_is_refused() {
    let (mut sender, mut receiver) = pair(CM);
    let mut parameters = Parameters::default();
    parameters.unencrypted_srtcp = true;
    let set = KeySet::new(CM, parameters, vec![KeyEntry::new(master(CM, 1))]).unwrap();
    assert_eq!(
        sender.rekey(&set, Rekey::KeepRoc),
        Err(SessionError::ParametersChanged)
    );
    assert_eq!(
        receiver.rekey(&set, Rekey::KeepRoc, 0),
        Err(SessionError::ParametersChanged)
    );
}

#[test]
fn a_key_of_another_profile_is_refused_for_any_ssrc() {
    let mismatch = SessionError::Keying(KeyingError::ProfileMismatch);
    for profile in Profile::ALL.iter().filter(|profile| **profile != CM) {
        let (mut sender, mut receiver) = pair(CM);
        let entry = || KeyEntry::new(master(*profile, 7)).for_ssrc(7);
        assert_eq!(sender.add_key(entry()), Err(mismatch));
        assert_eq!(receiver.add_key(entry()), Err(mismatch));
    }
}

#[test]
fn req_cs_04_claims_bind_the_sender() {
    let mut uses = KeyUses::new();
    let call = |octet| StaticKeys::new(keys(CM, octet), keys(CM, 9));
    let failed = Sender::builder(&call(1))
        .replay_window(1)
        .build_claiming(&mut uses);
    assert_eq!(failed.err(), Some(SessionError::ReplayWindow));
    let mut sender = Sender::builder(&call(1))
        .ssrc(1, 0)
        .build_claiming(&mut uses)
        .unwrap();
    assert_eq!(sender.set_roc(2, 0), Err(SessionError::UnknownSsrc));
    assert_eq!(
        protect(&mut sender, &rtp(2, 0, b"")),
        Err(ProtectError::UnknownSsrc)
    );
    assert_eq!(
        sender.rekey(&keys(CM, 2), Rekey::KeepRoc),
        Err(SessionError::KeyInUse)
    );
    Sender::builder(&call(3))
        .ssrc(1, 0)
        .build_claiming(&mut uses)
        .unwrap();
    let taken = sender.rekey_claiming(&keys(CM, 3), Rekey::KeepRoc, &mut uses);
    assert_eq!(taken, Err(SessionError::KeyInUse));
    sender
        .rekey_claiming(&keys(CM, 2), Rekey::KeepRoc, &mut uses)
        .unwrap();
    sender
        .rekey_claiming(&keys(CM, 2), Rekey::KeepRoc, &mut uses)
        .unwrap();
    protect(&mut sender, &rtp(1, 0, b"")).unwrap();
    let again = Sender::builder(&call(2))
        .ssrc(1, 0)
        .build_claiming(&mut uses);
    assert_eq!(again.err(), Some(SessionError::KeyInUse));
    Sender::builder(&call(2))
        .ssrc(2, 0)
        .build_claiming(&mut uses)
        .unwrap();
}

fn with_mki(octet: u8, mki: u8) -> KeyEntry {
    KeyEntry::new(master(CM, octet)).with_mki(Mki::new(&[mki]).unwrap())
}

fn set(entries: Vec<KeyEntry>) -> KeySet {
    KeySet::new(CM, Parameters::default(), entries).unwrap()
}

/// An SDES re-offer often brings a new key under the MKI of the old one.
#[test]
fn a_new_key_under_the_same_mki_leaves_the_old_one_its_grace() {
    let mut sender: Sender = Builder::new(set(vec![with_mki(1, 1)])).build().unwrap();
    let mut receiver: Receiver = Builder::new(set(vec![with_mki(1, 1)])).build().unwrap();
    let late = send(&mut sender, 0..3);
    unprotect(&mut receiver, &late[0]).unwrap();
    let new = set(vec![with_mki(2, 1)]);
    receiver.rekey(&new, Rekey::KeepRoc, 100).unwrap();
    unprotect(&mut receiver, &late[1]).unwrap();
    sender.rekey(&new, Rekey::KeepRoc).unwrap();
    for packet in send(&mut sender, 3..5).iter().chain(&late[2..]) {
        unprotect(&mut receiver, packet).unwrap();
    }
}

#[test]
fn the_last_key_that_was_not_replaced_stays() {
    let mut receiver: Receiver = Builder::new(set(vec![with_mki(1, 1)])).build().unwrap();
    receiver
        .rekey(&set(vec![with_mki(2, 2)]), Rekey::KeepRoc, 10)
        .unwrap();
    let last = Mki::new(&[2]).unwrap();
    assert_eq!(receiver.remove_key(&last), Err(SessionError::LastKey));
    receiver.remove_key(&Mki::new(&[1]).unwrap()).unwrap();
}

#[test]
fn one_master_key_in_two_places_is_counted_once() {
    let mortal = || KeyEntry::new(master(CM, 1)).with_lifetime(Lifetime::new(5).unwrap());
    let mut sender: Sender = Builder::new(set(vec![mortal()])).build().unwrap();
    send(&mut sender, 0..5);
    sender.add_key(mortal().for_ssrc(SSRC)).unwrap();
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 5, b"")),
        Err(ProtectError::KeyExpired)
    );
}

#[test]
fn a_removed_stream_is_remembered_while_its_key_serves_anywhere() {
    let entries = vec![with_mki(1, 1), with_mki(3, 3)];
    let mut sender: Sender = Builder::new(set(entries)).any_ssrc(1).build().unwrap();
    protect(&mut sender, &rtp(2, 0, b"")).unwrap();
    sender.add_key(with_mki(1, 2).for_ssrc(2)).unwrap();
    sender.remove_stream(2).unwrap();
    sender.remove_key(&Mki::new(&[1]).unwrap()).unwrap();
    protect(&mut sender, &rtp(7, 0, b"")).unwrap();
    assert_eq!(sender.remove_stream(7), Err(SessionError::StreamLimit));
}

#[test]
fn both_halves_of_a_claimed_sender_claim_the_next_key() {
    let mut uses = KeyUses::new();
    let call = StaticKeys::new(keys(CM, 1), keys(CM, 9));
    let mut sender = Sender::builder(&call).build_claiming(&mut uses).unwrap();
    let mut half = sender.split_off(&[9]).unwrap();
    half.rekey_claiming(&keys(CM, 2), Rekey::KeepRoc, &mut uses)
        .unwrap();
    sender
        .rekey_claiming(&keys(CM, 2), Rekey::KeepRoc, &mut uses)
        .unwrap();
    assert_eq!(
        uses.claim(&master(CM, 2), Some(9)),
        Err(SessionError::KeyInUse)
    );
    assert_eq!(
        uses.claim(&master(CM, 2), Some(8)),
        Err(SessionError::KeyInUse)
    );
    let again = Sender::builder(&StaticKeys::new(keys(CM, 2), keys(CM, 9)));
    assert_eq!(
        again.build_claiming(&mut uses).err(),
        Some(SessionError::KeyInUse)
    );
}
