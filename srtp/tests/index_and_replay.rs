//! Index estimation, ROC and replay protection of whole sessions (RFC 3711 3.3.1, 3.3.2).
//!
//! Self-consistency: sender and receiver are ours; libsrtp stands against both in `interop`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, Seeded, builder, keys, pair, protect, protect_report, rtcp, rtp, state, unprotect,
    unprotect_report,
};
use srtp::keying::{KeyEntry, KeySet, Parameters, Profile, StaticKeys};
use srtp::{Builder, ProtectError, Receiver, Sender, SessionError, UnprotectError};

const PROFILE: Profile = Profile::AesCm128HmacSha1_80;

fn packets(sender: &mut Sender, first: u16, count: u32) -> Vec<(u16, Vec<u8>)> {
    (0..count)
        .map(|i| {
            let seq = first.wrapping_add(u16::try_from(i & 0xffff).unwrap());
            (
                seq,
                protect(sender, &rtp(SSRC, seq, &i.to_be_bytes())).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_sequence_number_wraps_three_times() {
    let (mut sender, mut receiver) = pair(PROFILE);
    for (i, (seq, packet)) in packets(&mut sender, 65_500, 200_000)
        .into_iter()
        .enumerate()
    {
        let opened = unprotect(&mut receiver, &packet).unwrap();
        assert_eq!(
            opened,
            rtp(SSRC, seq, &u32::try_from(i).unwrap().to_be_bytes())
        );
    }
    assert_eq!(sender.stream(SSRC).unwrap().roc, 4);
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 4);
}

#[test]
fn packets_reordered_over_the_wrap_all_open_once() {
    for first in [65_500, 32_700, 32_767, 32_768, 0, 65_535] {
        let (mut sender, mut receiver) = pair(PROFILE);
        let mut sent = packets(&mut sender, first, 120);
        let opening = sent.remove(0);
        unprotect(&mut receiver, &opening.1).unwrap();
        let mut random = Seeded(7);
        for window in sent.chunks_mut(60) {
            for i in (1..window.len()).rev() {
                let other = usize::try_from(random.below(u64::try_from(i + 1).unwrap())).unwrap();
                window.swap(i, other);
            }
            for (seq, packet) in &*window {
                unprotect(&mut receiver, packet).unwrap_or_else(|e| panic!("{first} {seq}: {e}"));
            }
        }
        let before = state(&receiver);
        for (_, packet) in &sent {
            assert_eq!(
                unprotect(&mut receiver, packet),
                Err(UnprotectError::Replayed)
            );
        }
        assert_eq!(state(&receiver), before);
    }
}

#[test]
fn a_packet_from_before_the_wrap_opens_after_it_and_moves_nothing_back() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let sent = packets(&mut sender, 65_533, 6);
    for i in [0, 4, 2, 5, 1, 3] {
        unprotect(&mut receiver, &sent[i].1).unwrap();
    }
    let stream = receiver.stream(SSRC).unwrap();
    assert_eq!((stream.roc, stream.seq), (1, Some(2)));
}

#[test]
fn nothing_older_than_the_first_roc_is_taken_for_newer() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let late = protect(&mut sender, &rtp(SSRC, 5, b"")).unwrap();
    unprotect(&mut receiver, &late).unwrap();
    let (mut other, _) = pair(PROFILE);
    let before_the_first = protect(&mut other, &rtp(SSRC, 65_530, b"")).unwrap();
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &before_the_first),
        Err(UnprotectError::TooOld)
    );
    assert_eq!(state(&receiver), before);
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 65_530, b"")),
        Err(ProtectError::IndexReused)
    );
}

#[test]
fn the_window_ends_where_it_was_set_to_end() {
    for size in [64, 128, 129, 1000, 32_768] {
        let mut sender: Sender = builder(PROFILE).build().unwrap();
        let mut receiver: Receiver = builder(PROFILE).replay_window(size).build().unwrap();
        let sent = packets(&mut sender, 0, size + 1);
        unprotect(&mut receiver, &sent.last().unwrap().1).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &sent[0].1),
            Err(UnprotectError::TooOld),
            "{size}"
        );
        unprotect(&mut receiver, &sent[1].1).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &sent[1].1),
            Err(UnprotectError::Replayed)
        );
    }
    for size in [0, 63, 32_769] {
        let built = builder::<Receiver>(PROFILE).replay_window(size).build();
        assert_eq!(built.err(), Some(SessionError::ReplayWindow));
    }
}

#[test]
fn srtcp_has_a_window_of_its_own() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let sent: Vec<_> = (0..130)
        .map(|_| protect_report(&mut sender, &rtcp(SSRC)).unwrap())
        .collect();
    unprotect_report(&mut receiver, &sent[129]).unwrap();
    assert_eq!(
        unprotect_report(&mut receiver, &sent[1]),
        Err(UnprotectError::TooOld)
    );
    unprotect_report(&mut receiver, &sent[2]).unwrap();
    assert_eq!(
        unprotect_report(&mut receiver, &sent[2]),
        Err(UnprotectError::Replayed)
    );
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    let stream = receiver.stream(SSRC).unwrap();
    assert_eq!((stream.srtcp_index, stream.seq), (Some(129), Some(1)));
}

/// RFC 3711 3.4: the first index is 0. libsrtp sends 1 first; any start is accepted.
#[test]
fn the_first_srtcp_index_is_zero_and_any_is_accepted() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let first = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    assert_eq!(first[28..32], [0x80, 0, 0, 0]);
    let second = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    assert_eq!(second[28..32], [0x80, 0, 0, 1]);
    unprotect_report(&mut receiver, &second).unwrap();
}

#[test]
fn a_late_joiner_that_was_told_the_roc_joins_at_it() {
    let mut sender: Sender = builder(PROFILE).ssrc(SSRC, 7).build().unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 40_000, b"")).unwrap();

    let (_, mut uninformed) = pair(PROFILE);
    assert_eq!(
        unprotect(&mut uninformed, &packet),
        Err(UnprotectError::Forged)
    );

    let mut receiver: Receiver = builder(PROFILE).ssrc(SSRC, 7).build().unwrap();
    unprotect(&mut receiver, &packet).unwrap();

    let key = common::master(PROFILE, 1);
    let entry = KeyEntry::new(key).with_roc(7);
    let keys = KeySet::new(PROFILE, Parameters::default(), vec![entry]).unwrap();
    let mut receiver: Receiver = Builder::new(keys).build().unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 7);
}

#[test]
fn the_roc_can_be_set_forward_and_never_back() {
    let (mut sender, mut receiver) = pair(PROFILE);
    sender.set_roc(SSRC, 3).unwrap();
    receiver.set_roc(SSRC, 9).unwrap();
    receiver.set_roc(SSRC, 3).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 10, b"")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    assert_eq!(receiver.set_roc(SSRC, 3), Ok(()));
    assert_eq!(receiver.set_roc(SSRC, 2), Err(SessionError::RocBehind));
    assert_eq!(sender.set_roc(SSRC, 2), Err(SessionError::RocBehind));

    sender.set_roc(SSRC, 5).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 10, b"")).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Replayed)
    );
    receiver.set_roc(SSRC, 9).unwrap();
    receiver.set_roc(SSRC, 5).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 5);
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 10, b"")),
        Err(ProtectError::IndexReused)
    );
}

#[test]
fn a_listener_that_lost_its_place_finds_it_again() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let sent = [0xfff0, 0, 0x7000, 0x9000, 0x9001]
        .map(|seq| protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap());
    unprotect(&mut receiver, &sent[0]).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &sent[3]),
        Err(UnprotectError::TooOld)
    );
    let found = receiver.find_roc(&sent[3], 0..=3).unwrap();
    receiver.set_roc(SSRC, found.roc).unwrap();
    for packet in &sent[3..] {
        unprotect(&mut receiver, packet).unwrap();
    }
    assert!(unprotect(&mut receiver, &sent[0]).is_err());
}

#[test]
fn req_li_02_a_listener_finds_the_roc_in_the_middle_of_a_call() {
    for profile in [
        PROFILE,
        Profile::AeadAes256Gcm,
        Profile::AesF8_128HmacSha1_80,
    ] {
        let mut sender: Sender = builder(profile).ssrc(SSRC, 300).build().unwrap();
        let sent: Vec<_> = (100..110)
            .map(|seq| protect(&mut sender, &rtp(SSRC, seq, b"intercepted")).unwrap())
            .collect();

        let (_, mut listener) = pair(profile);
        let before = state(&listener);
        assert_eq!(
            listener.find_roc(&sent[0], 0..=299),
            Err(UnprotectError::Forged)
        );
        let found = listener.find_roc(&sent[0], 0..=1000).unwrap();
        assert_eq!((found.roc, found.tried), (300, 301));
        assert_eq!(state(&listener), before);

        listener.set_roc(SSRC, found.roc).unwrap();
        for packet in &sent {
            assert!(
                unprotect(&mut listener, packet)
                    .unwrap()
                    .ends_with(b"intercepted")
            );
        }
    }
}

#[test]
fn a_search_for_the_roc_is_bounded_and_refuses_what_is_no_packet() {
    let mut sender: Sender = builder(PROFILE).ssrc(SSRC, 1 << 16).build().unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"")).unwrap();
    let (_, listener) = pair(PROFILE);
    assert_eq!(
        listener.find_roc(&packet, 0..=u32::MAX),
        Err(UnprotectError::Forged)
    );
    assert_eq!(
        listener.find_roc(&packet[..21], 0..=1),
        Err(UnprotectError::TooShort)
    );
}

#[test]
fn the_last_roc_does_not_wrap() {
    let mut sender: Sender = builder(PROFILE).ssrc(SSRC, u32::MAX).build().unwrap();
    let mut receiver: Receiver = builder(PROFILE).ssrc(SSRC, u32::MAX).build().unwrap();
    let last = protect(&mut sender, &rtp(SSRC, 65_535, b"")).unwrap();
    unprotect(&mut receiver, &last).unwrap();
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 0, b"")),
        Err(ProtectError::IndexExhausted)
    );
}

#[test]
fn req_agw_05_ssrc_changes_mid_call_and_several_ssrcs_share_a_leg() {
    let (mut sender, mut receiver) = pair(PROFILE);
    for round in 0_u16..3000 {
        let ssrc = u32::from(round % 3);
        let seq = 65_000_u16.wrapping_add(round);
        let packet = protect(&mut sender, &rtp(ssrc, seq, b"voice")).unwrap();
        assert_eq!(
            unprotect(&mut receiver, &packet).unwrap(),
            rtp(ssrc, seq, b"voice")
        );
    }
    let changed = protect(&mut sender, &rtp(99, 17, b"voice")).unwrap();
    unprotect(&mut receiver, &changed).unwrap();
    let mut streams: Vec<_> = receiver.streams().map(|s| (s.ssrc, s.roc)).collect();
    streams.sort_unstable();
    assert_eq!(streams, [(0, 1), (1, 1), (2, 1), (99, 0)]);
}

#[test]
fn req_agw_01_with_its_keys_a_gateway_protects_and_opens_at_once() {
    let call = StaticKeys::new(keys(PROFILE, 1), keys(PROFILE, 2));
    let mut to_ue = Sender::from_source(&call).unwrap();
    let mut from_ue = Receiver::from_source(&call).unwrap();
    let ue = StaticKeys::new(keys(PROFILE, 2), keys(PROFILE, 1));
    let mut ue_out = Sender::from_source(&ue).unwrap();
    let mut ue_in = Receiver::from_source(&ue).unwrap();
    let down = protect(&mut to_ue, &rtp(SSRC, 1, b"down")).unwrap();
    assert_eq!(unprotect(&mut ue_in, &down).unwrap(), rtp(SSRC, 1, b"down"));
    let up = protect(&mut ue_out, &rtp(0xaaaa, 1, b"up")).unwrap();
    assert_eq!(unprotect(&mut from_ue, &up).unwrap(), rtp(0xaaaa, 1, b"up"));
}

#[test]
fn req_agw_02_each_leg_uses_its_own_context_and_changes_nothing_else() {
    let (mut to_ue, mut ue_in) = pair(PROFILE);
    let mut ue_out: Sender = Builder::new(keys(PROFILE, 2)).build().unwrap();
    let mut from_ue: Receiver = Builder::new(keys(PROFILE, 2)).build().unwrap();
    let from_core = rtp(SSRC, 1, b"from the core");
    let protected = protect(&mut to_ue, &from_core).unwrap();
    assert_eq!(protected[..12], from_core[..12]);
    assert_eq!(unprotect(&mut ue_in, &protected).unwrap(), from_core);
    let from_the_ue = rtp(0xaaaa, 2, b"from the UE");
    let protected = protect(&mut ue_out, &from_the_ue).unwrap();
    assert_eq!(unprotect(&mut from_ue, &protected).unwrap(), from_the_ue);
    let loop_back = protect(&mut ue_out, &rtp(0xaaaa, 3, b"")).unwrap();
    assert_eq!(
        unprotect(&mut ue_in, &loop_back),
        Err(UnprotectError::Forged)
    );
}

#[test]
fn req_agw_03_rtcp_is_converted_likewise_and_reduced_size_too() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let compound = rtcp(SSRC);
    // RFC 5506: a feedback packet on its own.
    let feedback = [&[0x81, 205, 0, 3][..], &SSRC.to_be_bytes(), &[1; 8]].concat();
    for report in [compound, feedback] {
        let protected = protect_report(&mut sender, &report).unwrap();
        assert_eq!(protected[..8], report[..8]);
        assert_ne!(protected[8..report.len()], report[8..]);
        assert_eq!(unprotect_report(&mut receiver, &protected).unwrap(), report);
    }
}

#[test]
fn req_agw_04_replays_forgeries_and_plain_rtp_are_dropped_and_counted() {
    let (mut sender, mut receiver) = pair(PROFILE);
    let packet = protect(&mut sender, &rtp(SSRC, 200, b"voice")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();
    let mut forged = protect(&mut sender, &rtp(SSRC, 201, b"voice")).unwrap();
    forged[13] ^= 1;
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Replayed)
    );
    assert_eq!(
        unprotect(&mut receiver, &forged),
        Err(UnprotectError::Forged)
    );
    let plain = rtp(SSRC, 202, b"plain RTP, long enough for a tag");
    assert_eq!(
        unprotect(&mut receiver, &plain),
        Err(UnprotectError::Forged)
    );
    let old = rtp(SSRC, 1, b"plain RTP, long enough for a tag");
    assert_eq!(unprotect(&mut receiver, &old), Err(UnprotectError::TooOld));
    let unknown = rtp(0xbad, 1, b"plain RTP, long enough for a tag");
    assert_eq!(
        unprotect(&mut receiver, &unknown),
        Err(UnprotectError::Forged)
    );
    assert_eq!(
        unprotect(&mut receiver, b"junk"),
        Err(UnprotectError::TooShort)
    );
    assert_eq!(state(&receiver), before);
    let stats = receiver.stream(SSRC).unwrap().stats;
    assert_eq!((stats.packets, stats.octets), (1, 17));
    assert_eq!(
        (stats.replayed, stats.forged, stats.too_old, stats.refused),
        (1, 2, 1, 0)
    );
    let unmatched = receiver.unmatched();
    assert_eq!((unmatched.forged, unmatched.malformed), (1, 1));
}

#[test]
fn req_li_06_a_packet_carried_octet_for_octet_through_another_transport_still_opens() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(*profile);
        let packet = protect(&mut sender, &rtp(SSRC, 1, b"over the circuit switched leg")).unwrap();
        // As a terminal that hands over to another access does: the octets become payload, cross a
        // carrier that knows nothing of SRTP, and come out again.
        let carrier: Vec<[u8; 7]> = packet
            .chunks(7)
            .map(|chunk| core::array::from_fn(|i| chunk.get(i).copied().unwrap_or(0)))
            .collect();
        let mut received = carrier.concat();
        received.truncate(packet.len());
        assert!(unprotect(&mut receiver, &received).is_ok());
    }
}

#[test]
fn a_report_between_a_roc_that_is_set_and_its_first_packet_does_not_undo_it() {
    let (mut sender, mut receiver) = pair(PROFILE);
    protect(&mut sender, &rtp(SSRC, 1, b"first")).unwrap();
    sender.set_roc(SSRC, 5).unwrap();
    protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 2, b"second")).unwrap();
    receiver.set_roc(SSRC, 5).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &packet).unwrap(),
        rtp(SSRC, 2, b"second")
    );
}
