//! Memory: nothing is allocated for a packet, forgers allocate nothing, and what a stream takes is
//! printed. Self-consistency; the allocator counts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use allocation_counter::{AllocationInfo, measure};
use common::{SSRC, builder, keys, master, rtcp, rtp};
use srtp::keying::{KeyEntry, KeySet, Mki, Parameters, Profile};
use srtp::{Backend, Builder, Cryptex, Receiver, Rekey, Sender, UnprotectError};

const CM: Profile = Profile::AesCm128HmacSha1_80;

/// Octets that a sender or receiver with one key and one stream may take, for RTP and RTCP together.
const MAX_SESSION: u64 = 7 * 1024;

/// Octets that each stream more may take.
const MAX_STREAM: u64 = 384;

/// Protects and opens RTP and RTCP packets in place, and returns what that allocated.
fn traffic(
    sender: &mut Sender,
    receiver: &mut Receiver,
    seqs: core::ops::Range<u16>,
) -> AllocationInfo {
    let (plain, report) = (rtp(SSRC, 0, &[7; 160]), rtcp(SSRC));
    let mut buffer = [0_u8; 400];
    measure(|| {
        for seq in seqs {
            buffer[..plain.len()].copy_from_slice(&plain);
            buffer[2..4].copy_from_slice(&seq.to_be_bytes());
            let len = sender
                .protect_rtp_in_place(&mut buffer, plain.len())
                .unwrap();
            receiver.unprotect_rtp_in_place(&mut buffer[..len]).unwrap();
            buffer[..report.len()].copy_from_slice(&report);
            let len = sender
                .protect_rtcp_in_place(&mut buffer, report.len())
                .unwrap();
            receiver
                .unprotect_rtcp_in_place(&mut buffer[..len])
                .unwrap();
        }
    })
}

fn with_mkis(profile: Profile) -> KeySet {
    let entry =
        |octet| KeyEntry::new(master(profile, octet)).with_mki(Mki::new(&[octet; 4]).unwrap());
    KeySet::new(profile, Parameters::default(), vec![entry(1), entry(2)]).unwrap()
}

#[test]
fn a_packet_allocates_nothing() {
    for &profile in Profile::ALL {
        for backend in Backend::available() {
            let mut sender = builder(profile).backend(backend).build().unwrap();
            let mut receiver = builder(profile).backend(backend).build().unwrap();
            traffic(&mut sender, &mut receiver, 0..2);
            let info = traffic(&mut sender, &mut receiver, 2..300);
            assert_eq!(info.count_total, 0, "{profile:?} {backend:?}");
        }
    }
}

#[test]
fn a_packet_of_a_session_with_options_allocates_nothing() {
    for &profile in Profile::ALL {
        let sets = |octet| [with_mkis(profile), keys(profile, octet)];
        for (set, twin) in sets(1).into_iter().zip(sets(1)) {
            for cryptex in [Cryptex::Off, Cryptex::Enabled] {
                let ids: &[u8] = if cryptex == Cryptex::Off { &[1] } else { &[] };
                let sender = Builder::new(set.duplicate())
                    .allow_unprotected()
                    .cryptex(cryptex);
                let receiver = Builder::new(twin.duplicate())
                    .allow_unprotected()
                    .cryptex(cryptex);
                let sender = sender.encrypted_header_extensions(ids).replay_window(1024);
                let receiver = receiver
                    .encrypted_header_extensions(ids)
                    .replay_window(1024);
                let (mut sender, mut receiver) =
                    (sender.build().unwrap(), receiver.build().unwrap());
                traffic(&mut sender, &mut receiver, 0..2);
                let info = traffic(&mut sender, &mut receiver, 2..100);
                assert_eq!(info.count_total, 0, "{profile:?} {cryptex:?}");
            }
        }
    }
}

/// Old and new keys at once: the copies that a second attempt needs are kept from packet to packet.
#[test]
fn a_packet_during_the_change_of_keys_allocates_nothing() {
    for &profile in Profile::ALL {
        for rekey in [Rekey::KeepRoc, Rekey::ResetRoc] {
            let mut sender: Sender = builder(profile).build().unwrap();
            let mut receiver: Receiver = builder(profile).build().unwrap();
            traffic(&mut sender, &mut receiver, 0..2);
            receiver.rekey(&keys(profile, 2), rekey, 1000).unwrap();
            traffic(&mut sender, &mut receiver, 2..4);
            let info = traffic(&mut sender, &mut receiver, 4..100);
            assert_eq!(info.count_total, 0, "{profile:?} {rekey:?}");
        }
    }
}

#[test]
fn a_million_forged_ssrcs_leave_memory_as_it_was() {
    for (profile, ssrcs) in [(CM, 500_000_u32), (Profile::AeadAes128Gcm, 20_000)] {
        let mut receiver: Receiver = builder(profile).build().unwrap();
        let mut forged = rtp(0, 1, &[7; 30]);
        let info = measure(|| {
            for ssrc in 0..ssrcs {
                forged[8..12].copy_from_slice(&ssrc.to_be_bytes());
                let refused = receiver.unprotect_rtp_in_place(&mut forged);
                assert_eq!(refused, Err(UnprotectError::Forged));
                forged[4..8].copy_from_slice(&ssrc.to_be_bytes());
                let refused = receiver.unprotect_rtcp_in_place(&mut forged);
                assert_eq!(refused, Err(UnprotectError::Forged));
            }
        });
        assert_eq!(
            (info.count_total, info.bytes_current),
            (0, 0),
            "{profile:?}"
        );
        assert_eq!(receiver.streams().count(), 0);
        assert_eq!(receiver.unmatched().forged, 2 * u64::from(ssrcs));
    }
}

#[test]
fn streams_that_come_and_go_leave_memory_as_it_was() {
    let mut sender: Sender = builder(CM).any_ssrc(8).build().unwrap();
    let mut receiver: Receiver = builder(CM).any_ssrc(8).build().unwrap();
    let mut round = |octet: u8, ssrcs: core::ops::Range<u32>| {
        for ssrc in ssrcs {
            let mut packet = bytes::BytesMut::from(&rtp(ssrc, 1, b"")[..]);
            sender.protect_rtp(&mut packet).unwrap();
            receiver.unprotect_rtp(&mut packet).unwrap();
            sender.remove_stream(ssrc).unwrap();
            receiver.remove_stream(ssrc).unwrap();
        }
        sender.rekey(&keys(CM, octet), Rekey::KeepRoc).unwrap();
        receiver.rekey(&keys(CM, octet), Rekey::KeepRoc, 0).unwrap();
    };
    round(2, 0..8);
    round(3, 8..16);
    let info = measure(|| {
        for octet in 4..200 {
            let first = u32::from(octet) * 8;
            round(octet, first..first + 8);
        }
    });
    // Given-up keys are remembered for good, 20 octets each; a hash table may double once.
    let remembered = 2 * 256 * 20 + 2 * 1024;
    assert!(info.bytes_current <= remembered, "{}", info.bytes_current);
}

#[test]
fn a_stream_takes_no_more_memory_than_it_should() {
    println!("octets with one key and one stream: sender, receiver, and for each stream more");
    for &profile in Profile::ALL {
        for backend in Backend::available() {
            let mut kept = None;
            let sending = measure(|| {
                let mut sender: Sender = builder(profile).backend(backend).build().unwrap();
                sender.set_roc(SSRC, 0).unwrap();
                kept = Some(Box::new(sender));
            });
            let mut sender = kept.unwrap();
            let mut kept = None;
            let receiving = measure(|| {
                let mut receiver: Receiver = builder(profile).backend(backend).build().unwrap();
                receiver.set_roc(SSRC, 0).unwrap();
                kept = Some(Box::new(receiver));
            });
            drop(kept);
            let more = measure(|| {
                for ssrc in 0..1023 {
                    sender.set_roc(ssrc, 0).unwrap();
                }
            });
            let octets = |info: AllocationInfo| u64::try_from(info.bytes_current).unwrap();
            println!(
                "{profile:?} {backend:?}: {} {} {}",
                octets(sending),
                octets(receiving),
                octets(more) / 1023
            );
            assert!(octets(sending) <= MAX_SESSION, "{profile:?}");
            assert!(octets(receiving) <= MAX_SESSION, "{profile:?}");
            assert!(octets(more) / 1023 <= MAX_STREAM, "{profile:?}");
        }
    }
}

#[test]
fn keys_for_ever_new_ssrcs_leave_memory_as_it_was() {
    let named = |ssrc: u32| {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&ssrc.to_be_bytes());
        let key = srtp::keying::MasterKey::new(CM, &key, &[1; 14]).unwrap();
        let entry = KeyEntry::new(key).for_ssrc(ssrc);
        KeySet::new(CM, Parameters::default(), vec![entry]).unwrap()
    };
    let mut receiver: Receiver = Builder::new(named(0)).build().unwrap();
    let info = measure(|| {
        for ssrc in 1..2000 {
            receiver.rekey(&named(ssrc), Rekey::KeepRoc, 0).unwrap();
        }
    });
    // What is left are the identities of the keys given up, 20 octets each, in a growing list.
    assert!(info.bytes_current < 2000 * 20 * 2, "{}", info.bytes_current);
}
