//! Streams: named and late-bound SSRCs, their bound, removal, statistics, splitting over cores.
//!
//! Self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, builder, pair, protect, protect_report, rtcp, rtp, sender_state, state, unprotect,
    unprotect_report,
};
use srtp::keying::{KeyEntry, KeySet, MasterKey, Parameters, Profile};
use srtp::{Builder, ProtectError, Receiver, Rekey, Sender, SessionError, UnprotectError};

const CM: Profile = Profile::AesCm128HmacSha1_80;

#[test]
fn named_ssrcs_are_taken_and_no_others() {
    let mut sender: Sender = builder(CM).build().unwrap();
    let mut receiver: Receiver = builder(CM).ssrc(1, 0).ssrc(2, 0).build().unwrap();
    for ssrc in [1, 2] {
        let packet = protect(&mut sender, &rtp(ssrc, 1, b"voice")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
        let report = protect_report(&mut sender, &rtcp(ssrc)).unwrap();
        unprotect_report(&mut receiver, &report).unwrap();
    }
    let before = state(&receiver);
    let packet = protect(&mut sender, &rtp(3, 1, b"voice")).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::UnknownSsrc)
    );
    let report = protect_report(&mut sender, &rtcp(3)).unwrap();
    assert_eq!(
        unprotect_report(&mut receiver, &report),
        Err(UnprotectError::UnknownSsrc)
    );
    assert_eq!(state(&receiver), before);
    assert_eq!(receiver.unmatched().unknown_ssrc, 2);

    let mut sender: Sender = builder(CM).ssrc(1, 0).build().unwrap();
    assert_eq!(
        protect(&mut sender, &rtp(2, 1, b"")),
        Err(ProtectError::UnknownSsrc)
    );
    assert_eq!(
        protect_report(&mut sender, &rtcp(2)),
        Err(ProtectError::UnknownSsrc)
    );
}

#[test]
fn a_stream_begins_only_when_its_first_packet_is_authentic() {
    let (mut sender, mut receiver) = pair(CM);
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"voice")).unwrap();
    let mut forged = packet.clone();
    forged[20] ^= 1;
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &forged),
        Err(UnprotectError::Forged)
    );
    assert_eq!((receiver.streams().count(), state(&receiver)), (0, before));
    unprotect(&mut receiver, &packet).unwrap();
    assert_eq!(receiver.streams().count(), 1);
}

#[test]
fn the_number_of_streams_is_bounded() {
    let mut sender: Sender = builder(CM).any_ssrc(4).build().unwrap();
    let mut receiver: Receiver = builder(CM).any_ssrc(3).build().unwrap();
    let sent: Vec<_> = (0..4)
        .map(|ssrc| protect(&mut sender, &rtp(ssrc, 1, b"voice")).unwrap())
        .collect();
    for packet in &sent[..3] {
        unprotect(&mut receiver, packet).unwrap();
    }
    let before = (state(&receiver), sender_state(&sender));
    assert_eq!(
        unprotect(&mut receiver, &sent[3]),
        Err(UnprotectError::StreamLimit)
    );
    assert_eq!(
        protect(&mut sender, &rtp(9, 1, b"")),
        Err(ProtectError::StreamLimit)
    );
    assert_eq!(receiver.set_roc(9, 0), Err(SessionError::StreamLimit));
    assert_eq!((state(&receiver), sender_state(&sender)), before);
    assert_eq!(receiver.unmatched().stream_limit, 1);
    receiver.remove_stream(0).unwrap();
    unprotect(&mut receiver, &sent[3]).unwrap();
    let none = builder::<Sender>(CM).any_ssrc(0).build();
    assert_eq!(none.err(), Some(SessionError::StreamLimit));
}

#[test]
fn a_removed_stream_cannot_be_replayed_nor_its_indices_be_used_again() {
    let (mut sender, mut receiver) = pair(CM);
    let packet = protect(&mut sender, &rtp(SSRC, 7, b"voice")).unwrap();
    let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    unprotect_report(&mut receiver, &report).unwrap();
    receiver.remove_stream(SSRC).unwrap();
    sender.remove_stream(SSRC).unwrap();
    assert_eq!(
        (receiver.streams().count(), sender.streams().count()),
        (0, 0)
    );
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Replayed)
    );
    assert_eq!(
        unprotect_report(&mut receiver, &report),
        Err(UnprotectError::Replayed)
    );
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 7, b"")),
        Err(ProtectError::IndexReused)
    );

    let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    assert_eq!(report[28..32], [0x80, 0, 0, 1]);
    let packet = protect(&mut sender, &rtp(SSRC, 8, b"voice")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    unprotect_report(&mut receiver, &report).unwrap();
    assert_eq!(receiver.remove_stream(99), Err(SessionError::UnknownSsrc));
}

#[test]
fn idle_streams_are_removed_and_busy_ones_stay() {
    let (mut sender, mut receiver) = pair(CM);
    for ssrc in 0..10 {
        let packet = protect(&mut sender, &rtp(ssrc, 1, b"voice")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
    }
    assert_eq!(receiver.remove_idle_streams(), 0);
    for ssrc in 0..4 {
        let packet = protect(&mut sender, &rtp(ssrc, 2, b"voice")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
    }
    assert_eq!(receiver.remove_idle_streams(), 6);
    let mut left: Vec<_> = receiver.streams().map(|stream| stream.ssrc).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3]);
    for ssrc in 0..10 {
        let packet = protect(&mut sender, &rtp(ssrc, 3, b"voice")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
    }
    assert_eq!(sender.remove_idle_streams(), 0);
    assert_eq!(sender.remove_idle_streams(), 10);
    assert_eq!(sender.remove_idle_streams(), 0);
}

/// A receiver forgets the streams that were removed first; a sender must not, and says so.
#[test]
fn what_is_remembered_of_removed_streams_is_bounded() {
    let mut sender: Sender = builder(CM).any_ssrc(2).build().unwrap();
    let mut receiver: Receiver = builder(CM).any_ssrc(2).build().unwrap();
    let mut everyone: Sender = builder(CM).build().unwrap();
    for ssrc in 0..1000 {
        let packet = protect(&mut everyone, &rtp(ssrc, 1, b"")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
        receiver.remove_stream(ssrc).unwrap();
    }
    assert!(state(&receiver).len() < 1000);
    for ssrc in 0..2 {
        protect(&mut sender, &rtp(ssrc, 1, b"")).unwrap();
        sender.remove_stream(ssrc).unwrap();
    }
    protect(&mut sender, &rtp(2, 1, b"")).unwrap();
    assert_eq!(sender.remove_stream(2), Err(SessionError::StreamLimit));
    assert_eq!(
        protect(&mut sender, &rtp(2, 1, b"")),
        Err(ProtectError::IndexReused)
    );
}

#[test]
fn senders_split_off_run_on_other_cores_and_share_no_ssrc() {
    fn is_send<T: Send>(_: &T) {}
    let (mut sender, mut receiver) = pair(CM);
    for ssrc in 0..4 {
        let packet = protect(&mut sender, &rtp(ssrc, 65_535, b"voice")).unwrap();
        unprotect(&mut receiver, &packet).unwrap();
    }
    is_send(&receiver);
    let mut second = sender.split_off(&[2, 3, 77]).unwrap();
    is_send(&second);
    let worker = std::thread::spawn(move || {
        let sent = [(2, 0), (3, 0), (77, 5)]
            .map(|(ssrc, seq)| protect(&mut second, &rtp(ssrc, seq, b"voice")).unwrap());
        assert_eq!(
            protect(&mut second, &rtp(1, 0, b"")),
            Err(ProtectError::UnknownSsrc)
        );
        assert_eq!(
            protect(&mut second, &rtp(78, 0, b"")),
            Err(ProtectError::UnknownSsrc)
        );
        assert_eq!(second.set_roc(78, 0), Err(SessionError::UnknownSsrc));
        sent
    });
    for ssrc in [2, 3, 77] {
        assert_eq!(
            protect(&mut sender, &rtp(ssrc, 0, b"")),
            Err(ProtectError::UnknownSsrc)
        );
        assert_eq!(
            protect_report(&mut sender, &rtcp(ssrc)),
            Err(ProtectError::UnknownSsrc)
        );
        assert_eq!(sender.set_roc(ssrc, 3), Err(SessionError::UnknownSsrc));
    }
    let own = protect(&mut sender, &rtp(1, 0, b"voice")).unwrap();
    for packet in worker.join().unwrap().iter().chain([&own]) {
        unprotect(&mut receiver, packet).unwrap();
    }
    assert_eq!(receiver.stream(3).unwrap().roc, 1);
    let before = sender_state(&sender);
    assert_eq!(
        sender.split_off(&[1, 2]).err(),
        Some(SessionError::UnknownSsrc)
    );
    assert_eq!(
        sender.split_off(&[1, 1]).err(),
        Some(SessionError::UnknownSsrc)
    );
    assert_eq!(sender.split_off(&[]).err(), Some(SessionError::UnknownSsrc));
    assert_eq!(sender_state(&sender), before);
}

#[test]
fn a_removed_stream_that_is_split_off_remembers_its_indices() {
    let (mut sender, _) = pair(CM);
    protect(&mut sender, &rtp(SSRC, 7, b"")).unwrap();
    protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    sender.remove_stream(SSRC).unwrap();
    let mut second = sender.split_off(&[SSRC]).unwrap();
    assert_eq!(
        protect(&mut second, &rtp(SSRC, 7, b"")),
        Err(ProtectError::IndexReused)
    );
    assert_eq!(
        protect_report(&mut second, &rtcp(SSRC)).unwrap()[28..32],
        [0x80, 0, 0, 1]
    );
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 8, b"")),
        Err(ProtectError::UnknownSsrc)
    );
}

#[test]
fn senders_split_off_stay_apart_when_the_roc_begins_anew() {
    let (mut sender, _) = pair(CM);
    let mut second = sender.split_off(&[1]).unwrap();
    protect(&mut second, &rtp(1, 7, b"")).unwrap();
    for sender in [&mut sender, &mut second] {
        sender.rekey(&common::keys(CM, 2), Rekey::ResetRoc).unwrap();
    }
    assert_eq!(
        protect(&mut sender, &rtp(1, 0, b"")),
        Err(ProtectError::UnknownSsrc)
    );
    assert_eq!(
        protect(&mut second, &rtp(2, 0, b"")),
        Err(ProtectError::UnknownSsrc)
    );
    protect(&mut second, &rtp(1, 0, b"")).unwrap();
}

#[test]
fn removed_streams_of_given_up_keys_make_room_for_others() {
    let mut sender: Sender = builder(CM).any_ssrc(2).build().unwrap();
    for (ssrc, octet) in (0..8).zip(10..) {
        sender
            .rekey(&common::keys(CM, octet), Rekey::KeepRoc)
            .unwrap();
        protect(&mut sender, &rtp(ssrc, 0, b"")).unwrap();
        sender.remove_stream(ssrc).unwrap();
    }
}

#[test]
fn req_cs_05_one_protected_packet_serves_all_receivers_of_a_group_key() {
    for profile in Profile::ALL {
        let (mut server, _) = pair(*profile);
        let mut participants: Vec<Receiver> =
            (0..5).map(|_| builder(*profile).build().unwrap()).collect();
        let own_key = |octet: u8| common::master(*profile, 100 + octet);
        let packet = protect(&mut server, &rtp(SSRC, 1, b"mixed")).unwrap();
        for (participant, octet) in participants.iter_mut().zip(0..) {
            assert_eq!(
                unprotect(participant, &packet).unwrap(),
                rtp(SSRC, 1, b"mixed")
            );
            let entry = KeyEntry::new(own_key(octet));
            let keys = KeySet::new(*profile, Parameters::default(), vec![entry]).unwrap();
            let mut up: Sender = Builder::new(keys).allow_unprotected().build().unwrap();
            let upstream = protect(&mut up, &rtp(SSRC, 1, b"voice")).unwrap();
            if profile.srtp_tag_len() > 0 {
                assert!(unprotect(participant, &upstream).is_err());
            }
        }
    }
}

#[test]
fn the_profile_says_how_much_room_a_packet_needs() {
    const ROOM: usize = 1200 + Profile::AeadAes128Gcm.srtp_overhead(0);
    let key = MasterKey::new(Profile::AeadAes128Gcm, &[1; 16], &[2; 12]).unwrap();
    let mut sender = Sender::new(key).unwrap();
    assert_eq!(ROOM, 1200 + sender.srtp_overhead());
    let plain = rtp(SSRC, 1, &[7; 1188]);
    let mut buffer = [0; ROOM];
    buffer[..1200].copy_from_slice(&plain);
    let before = sender_state(&sender);
    let too_small = sender.protect_rtp_in_place(&mut buffer[..ROOM - 1], 1200);
    assert_eq!(
        too_small,
        Err(ProtectError::BufferTooSmall { needed: ROOM })
    );
    assert_eq!(
        (&buffer[..1200], sender_state(&sender)),
        (&plain[..], before)
    );
    let beyond = sender.protect_rtp_in_place(&mut buffer, ROOM + 1);
    assert_eq!(
        beyond,
        Err(ProtectError::BufferTooSmall { needed: ROOM + 1 })
    );
    assert_eq!(sender.protect_rtp_in_place(&mut buffer, 1200), Ok(ROOM));
}

#[test]
fn nothing_secret_is_printed() {
    let (sender, receiver) = pair(CM);
    assert_eq!(
        format!("{sender:?}"),
        "Sender { profile: AesCm128HmacSha1_80, .. }"
    );
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { profile: AesCm128HmacSha1_80, .. }"
    );
    let building = format!("{:?}", builder::<Sender>(CM));
    assert!(
        !building.contains("[1, 1") && !building.contains("5b"),
        "{building}"
    );
}
