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

/// Octets that a sender and a receiver with a key of its own and one stream take, themselves included,
/// for RTP and RTCP together: under AES with HMAC-SHA1 and under AES-GCM, by this crate's own code.
const AES_CM: [u64; 2] = [1228, 1284];
const AES_GCM: [u64; 2] = [1184, 1240];

/// The same by other crates, whose SRTCP keys stay expanded.
const BY_CRATES: [u64; 2] = [1776, 1832];

/// The most that one takes under AES-f8 and ARIA.
const EXPANDED: [u64; 2] = [4096, 4096];

/// Octets that each stream more may take, in a table that may have just doubled.
const MAX_STREAM: u64 = 256;

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

fn most(profile: Profile, backend: Backend) -> [u64; 2] {
    let by_crates = !matches!(
        backend,
        Backend::Vaes512 | Backend::Vaes256 | Backend::AesNi
    );
    match profile {
        Profile::AesCm128HmacSha1_80
        | Profile::AesCm128HmacSha1_32
        | Profile::AesCm192HmacSha1_80
        | Profile::AesCm192HmacSha1_32
        | Profile::AesCm256HmacSha1_80
        | Profile::AesCm256HmacSha1_32 => {
            if by_crates {
                BY_CRATES
            } else {
                AES_CM
            }
        }
        Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
            if by_crates {
                BY_CRATES
            } else {
                AES_GCM
            }
        }
        _ => EXPANDED,
    }
}

#[test]
fn a_session_and_a_stream_take_no_more_memory_than_they_should() {
    println!("octets with one key and one stream: sender, receiver, and for each stream more");
    for &profile in Profile::ALL {
        for backend in Backend::available() {
            let (mut sender, mut receiver) = (None, None);
            let sending = measure(|| sender = builder(profile).backend(backend).build().ok());
            let receiving = measure(|| receiver = builder(profile).backend(backend).build().ok());
            let (mut sender, mut receiver): (Sender, Receiver) =
                (sender.unwrap(), receiver.unwrap());
            let both = traffic(&mut sender, &mut receiver, 0..2);
            let more = measure(|| {
                for ssrc in 0..1023 {
                    sender.set_roc(ssrc, 0).unwrap();
                }
            });
            let octets = |info: AllocationInfo| u64::try_from(info.bytes_current).unwrap();
            let stream = octets(both) / 2;
            let taken = [
                octets(sending) + stream + u64::try_from(size_of::<Sender>()).unwrap(),
                octets(receiving) + stream + u64::try_from(size_of::<Receiver>()).unwrap(),
            ];
            let more = octets(more) / 1023;
            println!("{profile:?} {backend:?}: {taken:?} {more}");
            let most = most(profile, backend);
            assert!(taken[0] <= most[0] && taken[1] <= most[1], "{profile:?}");
            assert!(more <= MAX_STREAM, "{profile:?}");
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
