//! Hand-over of a session from one node to another. Self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, Seeded, builder, keys, master, pair, protect, protect_report, rtcp, rtp, sender_state,
    state, unprotect, unprotect_report,
};
use srtp::keying::{
    KeyDerivationRate, KeyEntry, KeySet, Lifetime, Mki, Parameters, Profile, Validity,
};
use srtp::{
    Builder, Event, HandoverError, HandoverKey, HandoverKeys, IndexSkip, ProtectError, Receiver,
    Rekey, Sender, SessionError, UnprotectError,
};

const CM: Profile = Profile::AesCm128HmacSha1_80;
const RELAY: IndexSkip = IndexSkip { srtp: 0, srtcp: 0 };

fn shared() -> HandoverKey {
    HandoverKey::new([0x77; 32])
}

fn resume_sender(octets: &[u8], skip: IndexSkip) -> Sender {
    let resumed = Builder::<Sender>::resume(octets, &shared(), None, skip).unwrap();
    resumed.allow_unprotected().build().unwrap()
}

fn resume_receiver(octets: &[u8]) -> Receiver {
    let resumed = Builder::<Receiver>::resume(octets, &shared(), None).unwrap();
    resumed.allow_unprotected().build().unwrap()
}

/// Node A relays a call, exports now and then, and dies; node B goes on.
#[test]
fn req_agw_06_a_second_node_goes_on_with_nothing_lost_replayed_or_repeated() {
    for profile in Profile::ALL {
        let mut random = Seeded(5);
        let (mut ue_out, mut from_ue) = pair(*profile);
        let (mut to_ue, mut ue_in) = pair(*profile);
        let mut sent_to_ue = Vec::new();
        let mut opened = Vec::new();
        let mut exported = (Vec::new(), Vec::new());
        let first = 65_400;
        for i in 0..300_u16 {
            let seq = 65_400_u16.wrapping_add(i);
            if i == 200 {
                // A died 13 packets to the UE after its last export, and B takes over.
                to_ue = resume_sender(&exported.0, IndexSkip { srtp: 0, srtcp: 64 });
                from_ue = resume_receiver(&exported.1);
            }
            let packet = protect(&mut ue_out, &rtp(SSRC, seq, b"up")).unwrap();
            opened.push(unprotect(&mut from_ue, &packet).unwrap());
            if profile.srtp_tag_len() > 0 {
                assert_eq!(
                    unprotect(&mut from_ue, &packet),
                    Err(UnprotectError::Replayed)
                );
            }
            let packet = protect(&mut to_ue, &rtp(SSRC, seq, &i.to_be_bytes())).unwrap();
            assert_eq!(
                unprotect(&mut ue_in, &packet).unwrap(),
                rtp(SSRC, seq, &i.to_be_bytes())
            );
            sent_to_ue.push(packet);
            if i % 20 == 0 {
                let report = protect_report(&mut to_ue, &rtcp(SSRC)).unwrap();
                unprotect_report(&mut ue_in, &report).unwrap();
            }
            if i % 187 == 0 {
                exported.0 = to_ue.export(&shared(), HandoverKeys::Included, &mut random);
            }
            // What the UE sent must not be replayed, so the receiver is exported each time.
            exported.1 = from_ue.export(&shared(), HandoverKeys::Included, &mut random);
        }
        assert_eq!(opened.len(), 300);
        assert_eq!(ue_in.stream(SSRC).unwrap().roc, u32::from(first > 300));
        let mut unique = sent_to_ue.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), sent_to_ue.len());
    }
}

#[test]
fn a_sender_with_numbers_of_its_own_skips_what_may_have_been_sent() {
    let (mut sender, mut receiver) = pair(CM);
    for seq in 0..10 {
        protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
        protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    }
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_sender(
        &octets,
        IndexSkip {
            srtp: 100,
            srtcp: 50,
        },
    );
    assert_eq!(resumed.stream(SSRC).unwrap().seq, Some(109));
    for seq in [0, 9, 10, 109] {
        assert_eq!(
            protect(&mut resumed, &rtp(SSRC, seq, b"")),
            Err(ProtectError::IndexReused)
        );
    }
    let packet = protect(&mut resumed, &rtp(SSRC, 110, b"")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    let report = protect_report(&mut resumed, &rtcp(SSRC)).unwrap();
    assert_eq!(report[28..32], [0x80, 0, 0, 60]);
    unprotect_report(&mut receiver, &report).unwrap();
}

#[test]
fn everything_that_counts_is_handed_over() {
    let mut parameters = Parameters::default();
    parameters.srtp_kdr = KeyDerivationRate::power_of_two(8).unwrap();
    parameters.unencrypted_srtcp = true;
    let entry = |octet: u8| {
        KeyEntry::new(master(CM, octet))
            .with_mki(Mki::new(&[octet, 0]).unwrap())
            .with_lifetime(Lifetime::separate(50, 40).unwrap())
            .with_validity(Validity::new(u64::from(octet), 1 << 40).unwrap())
    };
    let entries = vec![entry(1), entry(2), entry(3).for_ssrc(SSRC)];
    let set = KeySet::new(CM, parameters, entries).unwrap();
    let mut sender: Sender = Builder::new(set.duplicate())
        .allow_unprotected()
        .replay_window(1000)
        .ssrc(9, 4)
        .build()
        .unwrap();
    for seq in 300..340 {
        protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
    }
    sender.use_key(&Mki::new(&[2, 0]).unwrap()).unwrap();
    protect(&mut sender, &rtp(9, 5, b"")).unwrap();
    let away = sender.split_off(&[9]).unwrap();
    for original in [sender, away] {
        let octets = original.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
        let mut resumed = resume_sender(&octets, RELAY);
        assert_eq!(sender_state(&resumed), sender_state(&original));
        let mut without = Builder::<Sender>::resume(
            &original.export(&shared(), HandoverKeys::LeftOut, &mut Seeded(1)),
            &shared(),
            Some(set.duplicate()),
            RELAY,
        )
        .unwrap()
        .allow_unprotected()
        .build()
        .unwrap();
        let (a, b) = (rtp(SSRC, 350, b""), rtp(9, 6, b""));
        for packet in [a, b] {
            let protected = protect(&mut resumed, &packet);
            if packet[11] == 9 && protected.is_ok() {
                assert_eq!(protected.clone().unwrap()[12..14], [2, 0]);
            }
            assert_eq!(protect(&mut without, &packet).is_ok(), protected.is_ok());
        }
    }
}

#[test]
fn lifetimes_go_on_where_they_stood() {
    let entry = KeyEntry::new(master(CM, 1)).with_lifetime(Lifetime::new(10).unwrap());
    let set = KeySet::new(CM, Parameters::default(), vec![entry]).unwrap();
    let mut sender: Sender = Builder::new(set).build().unwrap();
    for seq in 0..9 {
        protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
    }
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_sender(&octets, RELAY);
    protect(&mut resumed, &rtp(SSRC, 9, b"")).unwrap();
    assert_eq!(
        protect(&mut resumed, &rtp(SSRC, 10, b"")),
        Err(ProtectError::KeyExpired)
    );
    let mut skipped = resume_sender(&octets, IndexSkip { srtp: 1, srtcp: 0 });
    assert_eq!(
        protect(&mut skipped, &rtp(SSRC, 10, b"")),
        Err(ProtectError::KeyExpired)
    );
}

#[test]
fn the_replay_list_goes_on_where_it_stood() {
    for size in [64, 128, 1024] {
        let mut sender: Sender = builder(CM).build().unwrap();
        let mut receiver: Receiver = builder(CM).replay_window(size).build().unwrap();
        let sent: Vec<_> = (0..200)
            .map(|seq| protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap())
            .collect();
        for packet in sent.iter().step_by(3) {
            unprotect(&mut receiver, packet).unwrap();
        }
        let octets = receiver.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
        let mut resumed = resume_receiver(&octets);
        assert_eq!(state(&resumed), state(&receiver));
        for packet in &sent {
            assert_eq!(
                unprotect(&mut resumed, packet),
                unprotect(&mut receiver, packet)
            );
        }
    }
}

#[test]
fn removed_streams_and_replaced_keys_are_handed_over() {
    let (mut sender, mut receiver) = pair(CM);
    let old = protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    unprotect(&mut receiver, &old).unwrap();
    let late = protect(&mut sender, &rtp(SSRC, 2, b"")).unwrap();
    sender.remove_stream(SSRC).unwrap();
    sender.rekey(&keys(CM, 2), Rekey::KeepRoc).unwrap();
    receiver.rekey(&keys(CM, 2), Rekey::KeepRoc, 5).unwrap();
    receiver.remove_stream(SSRC).unwrap();

    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_sender(&octets, RELAY);
    assert_eq!(
        protect(&mut resumed, &rtp(SSRC, 2, b"")),
        Err(ProtectError::IndexReused)
    );
    assert_eq!(
        resumed.rekey(&keys(CM, 1), Rekey::ResetRoc),
        Err(SessionError::KeyInUse)
    );

    let octets = receiver.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_receiver(&octets);
    assert_eq!(unprotect(&mut resumed, &old), Err(UnprotectError::Replayed));
    unprotect(&mut resumed, &late).unwrap();
    resumed.drop_old_keys();
    let fresh = protect(&mut sender, &rtp(SSRC, 3, b"")).unwrap();
    unprotect(&mut resumed, &fresh).unwrap();
}

#[test]
fn an_import_with_fewer_streams_allowed_forgets_none_that_was_removed() {
    let (mut sender, _) = pair(CM);
    for ssrc in 1..4 {
        protect(&mut sender, &rtp(ssrc, 0, b"")).unwrap();
        sender.remove_stream(ssrc).unwrap();
    }
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let resume = || Builder::<Sender>::resume(&octets, &shared(), None, RELAY).unwrap();
    assert_eq!(
        resume().any_ssrc(2).build().err(),
        Some(SessionError::StreamLimit)
    );
    let mut resumed = resume().build().unwrap();
    for ssrc in 1..4 {
        let again = protect(&mut resumed, &rtp(ssrc, 0, b""));
        assert_eq!(again, Err(ProtectError::IndexReused));
    }
}

#[test]
fn more_streams_than_the_default_are_handed_over() {
    let mut sender: Sender = builder(CM).any_ssrc(3000).build().unwrap();
    for ssrc in 0..3000 {
        protect(&mut sender, &rtp(ssrc, 0, b"")).unwrap();
    }
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    assert_eq!(resume_sender(&octets, RELAY).streams().count(), 3000);
}

#[test]
fn streams_that_began_after_the_export_begin_their_srtcp_behind_the_skip() {
    let (mut a, mut receiver) = pair(CM);
    let octets = a.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let sent = protect_report(&mut a, &rtcp(1)).unwrap();
    unprotect_report(&mut receiver, &sent).unwrap();
    let skip = IndexSkip {
        srtp: 0,
        srtcp: 100,
    };
    let mut b = resume_sender(&octets, skip);
    let octets = b.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let report = protect_report(&mut b, &rtcp(1)).unwrap();
    assert_eq!(report[28..32], [0x80, 0, 0, 100]);
    unprotect_report(&mut receiver, &report).unwrap();
    let report = protect_report(&mut resume_sender(&octets, skip), &rtcp(1)).unwrap();
    assert_eq!(report[28..32], [0x80, 0, 0, 200]);
}

#[test]
fn a_stream_named_again_and_a_window_of_another_size_change_nothing_that_stood() {
    let (mut sender, mut receiver) = pair(CM);
    let sent: Vec<_> = (0..100)
        .map(|seq| protect(&mut sender, &rtp(1, seq, b"")).unwrap())
        .collect();
    for packet in &sent[50..] {
        unprotect(&mut receiver, packet).unwrap();
    }
    let octets = receiver.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    for size in [64, 256] {
        let builder = Builder::<Receiver>::resume(&octets, &shared(), None).unwrap();
        let mut resumed = builder.replay_window(size).ssrc(1, 9).build().unwrap();
        assert_eq!(
            resumed
                .streams()
                .map(|stream| stream.roc)
                .collect::<Vec<_>>(),
            [0]
        );
        let again =
            resume_receiver(&resumed.export(&shared(), HandoverKeys::Included, &mut Seeded(1)));
        assert_eq!(state(&again), state(&resumed));
        assert_eq!(
            unprotect(&mut resumed, &sent[60]),
            Err(UnprotectError::Replayed)
        );
        unprotect(&mut resumed, &sent[49]).unwrap();
    }
}

#[test]
fn keys_given_up_are_refused_at_import() {
    let (mut sender, _) = pair(CM);
    protect(&mut sender, &rtp(1, 0, b"")).unwrap();
    let nine = || KeyEntry::new(master(CM, 2)).for_ssrc(9);
    let set = |entries| KeySet::new(CM, Parameters::default(), entries).unwrap();
    sender.rekey(&set(vec![nine()]), Rekey::ResetRoc).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::LeftOut, &mut Seeded(1));
    let given = set(vec![nine(), KeyEntry::new(master(CM, 1))]);
    let resumed = Builder::<Sender>::resume(&octets, &shared(), Some(given), RELAY);
    assert_eq!(resumed.err(), Some(HandoverError::KeyMismatch));
}

#[test]
fn without_keys_the_replaced_ones_stay_behind() {
    let (_, mut receiver) = pair(CM);
    receiver.rekey(&keys(CM, 2), Rekey::KeepRoc, 10).unwrap();
    let octets = receiver.export(&shared(), HandoverKeys::LeftOut, &mut Seeded(1));
    let resumed = Builder::<Receiver>::resume(&octets, &shared(), Some(keys(CM, 2)));
    let mut resumed = resumed.unwrap().build().unwrap();
    let mut sender: Sender = Builder::new(keys(CM, 2)).build().unwrap();
    let packet = protect(&mut sender, &rtp(1, 0, b"")).unwrap();
    unprotect(&mut resumed, &packet).unwrap();
}

#[test]
fn a_limit_that_the_skip_passes_is_announced() {
    let entry = KeyEntry::new(master(CM, 1)).with_lifetime(Lifetime::new(100).unwrap());
    let set = KeySet::new(CM, Parameters::default(), vec![entry]).unwrap();
    let mut sender: Sender = Builder::new(set).soft_limit(20).build().unwrap();
    for seq in 0..70 {
        protect(&mut sender, &rtp(1, seq, b"")).unwrap();
    }
    assert_eq!(sender.poll_event(), None);
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let skip = IndexSkip { srtp: 15, srtcp: 0 };
    let builder = Builder::<Sender>::resume(&octets, &shared(), None, skip).unwrap();
    let mut resumed = builder.soft_limit(20).build().unwrap();
    assert_eq!(
        resumed.poll_event(),
        Some(Event::SrtpKeyExpiring { ssrc: 1, left: 15 })
    );
}

#[test]
fn an_imported_sender_refuses_ssrcs_that_were_split_off() {
    let (mut sender, _) = pair(CM);
    let away = sender.split_off(&[9]).unwrap();
    for (sender, ssrc) in [(sender, 9), (away, 8)] {
        let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
        let resumed = Builder::<Sender>::resume(&octets, &shared(), None, RELAY).unwrap();
        let named = resumed.ssrc(ssrc, 0).build();
        assert_eq!(named.err(), Some(SessionError::UnknownSsrc));
    }
}

#[test]
fn the_skip_covers_a_roc_that_was_set() {
    let (mut sender, _) = pair(CM);
    protect(&mut sender, &rtp(SSRC, 10, b"")).unwrap();
    sender.set_roc(SSRC, 1).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    protect(&mut sender, &rtp(SSRC, 11, b"")).unwrap();
    let mut resumed = resume_sender(&octets, IndexSkip { srtp: 1, srtcp: 0 });
    let again = protect(&mut resumed, &rtp(SSRC, 11, b""));
    assert_eq!(again, Err(ProtectError::IndexReused));
    protect(&mut resumed, &rtp(SSRC, 12, b"")).unwrap();
    assert_eq!(resumed.stream(SSRC).unwrap().roc, 1);
}

#[test]
fn a_grace_without_end_is_handed_over() {
    let (mut sender, mut receiver) = pair(CM);
    let late = protect(&mut sender, &rtp(SSRC, 0, b"")).unwrap();
    receiver
        .rekey(&keys(CM, 2), Rekey::KeepRoc, u32::MAX)
        .unwrap();
    let octets = receiver.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_receiver(&octets);
    unprotect(&mut resumed, &late).unwrap();
    resumed.drop_old_keys();
    let late = protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    assert_eq!(unprotect(&mut resumed, &late), Err(UnprotectError::Forged));
}

#[test]
fn one_master_key_for_two_ssrcs_is_handed_over_with_its_counts() {
    let entry = |ssrc: u32, mki: u8| {
        let lifetime = Lifetime::new(5).unwrap();
        let entry = KeyEntry::new(master(CM, 1))
            .with_lifetime(lifetime)
            .for_ssrc(ssrc);
        entry.with_mki(Mki::new(&[mki]).unwrap())
    };
    let other = KeyEntry::new(master(CM, 3))
        .for_ssrc(2)
        .with_mki(Mki::new(&[3]).unwrap());
    let entries = vec![entry(1, 1), entry(2, 2), other];
    let set = KeySet::new(CM, Parameters::default(), entries).unwrap();
    let mut sender: Sender = Builder::new(set).build().unwrap();
    for seq in 0..5 {
        protect(&mut sender, &rtp(1, seq, b"")).unwrap();
    }
    sender.remove_key(&Mki::new(&[2]).unwrap()).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut resumed = resume_sender(&octets, RELAY);
    assert_eq!(
        protect(&mut resumed, &rtp(1, 5, b"")),
        Err(ProtectError::KeyExpired)
    );
    protect(&mut resumed, &rtp(2, 0, b"")).unwrap();
}

#[test]
fn what_is_not_authentic_is_refused_at_every_octet_and_length() {
    let (mut sender, _) = pair(CM);
    protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let resume = |octets: &[u8], key: &HandoverKey| {
        Builder::<Sender>::resume(octets, key, None, RELAY).err()
    };
    for len in 0..octets.len() {
        assert!(resume(&octets[..len], &shared()).is_some());
    }
    for octet in 0..octets.len() {
        for bit in 0..8 {
            let mut changed = octets.clone();
            changed[octet] ^= 1 << bit;
            assert!(resume(&changed, &shared()).is_some(), "{octet}");
        }
    }
    let longer = [&octets[..], &[0]].concat();
    assert_eq!(resume(&longer, &shared()), Some(HandoverError::Forged));
    assert_eq!(
        resume(&octets, &HandoverKey::new([0; 32])),
        Some(HandoverError::Forged)
    );
    assert_eq!(
        resume(&octets[..10], &shared()),
        Some(HandoverError::Malformed)
    );
    let mut other_version = octets.clone();
    other_version[4] = 2;
    assert_eq!(
        resume(&other_version, &shared()),
        Some(HandoverError::Unknown)
    );
    let as_receiver = Builder::<Receiver>::resume(&octets, &shared(), None);
    assert_eq!(as_receiver.err(), Some(HandoverError::WrongDirection));
}

#[test]
fn keys_that_were_left_out_must_be_the_ones_of_the_session() {
    let (mut sender, _) = pair(CM);
    protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::LeftOut, &mut Seeded(1));
    let resume = |keys| {
        Builder::<Sender>::resume(&octets, &shared(), keys, RELAY)
            .map(|_| ())
            .err()
    };
    assert_eq!(resume(None), Some(HandoverError::KeysLeftOut));
    assert_eq!(resume(Some(keys(CM, 2))), Some(HandoverError::KeyMismatch));
    let other = Profile::AesCm128HmacSha1_32;
    assert_eq!(
        resume(Some(keys(other, 1))),
        Some(HandoverError::KeyMismatch)
    );
    assert_eq!(resume(Some(keys(CM, 1))), None);
}

#[test]
fn no_key_stands_in_the_octets_nor_is_printed() {
    let (sender, receiver) = pair(CM);
    for octets in [sender_state(&sender), state(&receiver)] {
        assert!(!octets.windows(4).any(|window| window == [1; 4]));
    }
    assert_eq!(format!("{:?}", shared()), "HandoverKey");
}

#[test]
fn indices_that_are_skipped_past_the_last_one_leave_none() {
    let (mut sender, _) = pair(CM);
    sender.set_roc(SSRC, u32::MAX).unwrap();
    protect(&mut sender, &rtp(SSRC, 1, b"near the end")).unwrap();
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let srtp = 70_000;
    let mut sender = resume_sender(&octets, IndexSkip { srtp, srtcp: 0 });
    assert_eq!(sender.stream(SSRC).unwrap().roc, u32::MAX);
    assert_eq!(sender.set_roc(SSRC, 7), Err(SessionError::RocBehind));
    let refused = protect(&mut sender, &rtp(SSRC, 2, b"none left"));
    assert_eq!(refused, Err(ProtectError::IndexExhausted));
}
