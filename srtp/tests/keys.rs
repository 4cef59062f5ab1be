//! Key derivation rates, MKIs, `<From, To>` (RFC 3711 4.3, 8.1.1) of whole sessions.
//!
//! Key derivation rates are checked against sessions with rate 0, whose derivation the published
//! vectors fix: `r` is added to the same octets as the last six of the master salt. The rest is
//! self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, keys, master, protect, protect_report, rtcp, rtp, state, unprotect, unprotect_report,
};
use srtp::keying::{
    KeyDerivationRate, KeyEntry, KeySet, KeyingError, MAX_KEYS_PER_STREAM, MasterKey, Mki,
    Parameters, Profile, Validity,
};
use srtp::{
    Builder, Direction, MAX_RETIRED_KEYS, ProtectError, Receiver, Rekey, Sender, SessionError,
    UnprotectError,
};

const CM: Profile = Profile::AesCm128HmacSha1_80;

fn build<D: Direction>(keys: &KeySet) -> D {
    Builder::new(keys.duplicate()).build().unwrap()
}

fn with_rate(profile: Profile, srtp: KeyDerivationRate, srtcp: KeyDerivationRate) -> KeySet {
    let mut parameters = Parameters::default();
    (parameters.srtp_kdr, parameters.srtcp_kdr) = (srtp, srtcp);
    KeySet::new(profile, parameters, vec![KeyEntry::new(master(profile, 1))]).unwrap()
}

/// The session whose keys for `r = 0` are those of [`master`] for this `r`.
fn shifted(profile: Profile, r: u64) -> KeySet {
    let master = master(profile, 1);
    let mut salt = master.expose_salt().to_vec();
    for (octet, r) in salt[8..].iter_mut().zip(&r.to_be_bytes()[2..]) {
        *octet ^= r;
    }
    KeySet::single(MasterKey::new(profile, master.expose_key(), &salt).unwrap())
}

#[test]
fn session_keys_change_with_every_key_derivation_rate() {
    for exponent in 0..=24 {
        let rate = KeyDerivationRate::power_of_two(exponent).unwrap();
        let keys = with_rate(CM, rate, rate);
        for index in [
            0_u64,
            1,
            255,
            256,
            65_535,
            65_536,
            0x0012_3456_789a,
            0xffff_ffff_ffff,
        ] {
            let (roc, seq) = (u32::try_from(index >> 16).unwrap(), index & 0xffff);
            let plain = rtp(SSRC, u16::try_from(seq).unwrap(), b"payload");
            let mut sender: Sender = build(&keys);
            sender.set_roc(SSRC, roc).unwrap();
            let mut rate_0: Sender = build(&shifted(CM, index >> exponent));
            rate_0.set_roc(SSRC, roc).unwrap();
            let packet = protect(&mut sender, &plain).unwrap();
            assert_eq!(
                packet,
                protect(&mut rate_0, &plain).unwrap(),
                "2^{exponent} {index:#x}"
            );
            let mut receiver: Receiver = build(&keys);
            receiver.set_roc(SSRC, roc).unwrap();
            assert_eq!(unprotect(&mut receiver, &packet).unwrap(), plain);
        }
    }
}

#[test]
fn srtp_and_srtcp_have_rates_of_their_own() {
    let (often, never) = (
        KeyDerivationRate::power_of_two(1).unwrap(),
        KeyDerivationRate::ZERO,
    );
    let keys = with_rate(CM, never, often);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    for index in 0_u64..9 {
        let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        let mut rate_0: Sender = build(&shifted(CM, index >> 1));
        let expected = (0..=index).map(|_| protect_report(&mut rate_0, &rtcp(SSRC)).unwrap());
        assert_eq!(report, expected.last().unwrap());
        assert_eq!(
            unprotect_report(&mut receiver, &report).unwrap(),
            rtcp(SSRC)
        );
    }
    let mut rate_0: Sender = build(&KeySet::single(master(CM, 1)));
    for seq in 0..5 {
        let plain = rtp(SSRC, seq, b"payload");
        assert_eq!(protect(&mut sender, &plain), protect(&mut rate_0, &plain));
    }
}

#[test]
fn packets_out_of_order_over_a_derivation_open_with_the_keys_of_their_own_period() {
    for profile in [CM, Profile::AeadAes128Gcm, Profile::AesF8_128HmacSha1_80] {
        let rate = KeyDerivationRate::power_of_two(2).unwrap();
        let keys = with_rate(profile, rate, rate);
        let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
        let sent: Vec<_> = (0..16)
            .map(|seq| protect(&mut sender, &rtp(SSRC, seq, b"payload")).unwrap())
            .collect();
        for i in [0, 5, 3, 4, 12, 2, 9, 1, 15, 6, 7, 8, 10, 11, 13, 14] {
            unprotect(&mut receiver, &sent[i]).unwrap();
        }
        for packet in &sent {
            assert_eq!(
                unprotect(&mut receiver, packet),
                Err(UnprotectError::Replayed)
            );
        }
    }
}

fn with_mkis(mkis: &[Vec<u8>]) -> Result<KeySet, KeyingError> {
    let entries = mkis
        .iter()
        .zip(1..)
        .map(|(mki, octet)| KeyEntry::new(master(CM, octet)).with_mki(Mki::new(mki).unwrap()));
    KeySet::new(CM, Parameters::default(), entries.collect())
}

#[test]
fn sixteen_keys_are_told_apart_by_their_mki_and_switched_between() {
    let mkis: Vec<_> = (0..16).map(|i| vec![0xee, i]).collect();
    let keys = with_mkis(&mkis).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    for (seq, mki) in (0_u16..).zip(mkis.iter().chain(mkis.iter().rev())) {
        sender.use_key(&Mki::new(mki).unwrap()).unwrap();
        let packet = protect(&mut sender, &rtp(SSRC, seq, b"payload")).unwrap();
        assert_eq!(packet[19..21], mki[..]);
        assert_eq!(
            unprotect(&mut receiver, &packet).unwrap(),
            rtp(SSRC, seq, b"payload")
        );
        let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        assert_eq!(report[32..34], mki[..]);
        assert_eq!(
            unprotect_report(&mut receiver, &report).unwrap(),
            rtcp(SSRC)
        );
    }
    let mut too_many = mkis;
    too_many.push(vec![0, 0]);
    assert_eq!(with_mkis(&too_many).err(), Some(KeyingError::TooManyKeys));
    assert_eq!(MAX_KEYS_PER_STREAM, 16);
}

#[test]
fn req_li_05_every_length_of_mki_works() {
    for len in 1..=128 {
        let keys = with_mkis(&[vec![7; len]]).unwrap();
        let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
        let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
        assert_eq!(packet.len(), 19 + len + 10);
        assert_eq!(packet.len() - 19, sender.srtp_overhead());
        unprotect(&mut receiver, &packet).unwrap();
        let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        assert_eq!(report.len() - 28, sender.srtcp_overhead());
        unprotect_report(&mut receiver, &report).unwrap();
    }
    assert_eq!(Mki::new(&[]).err(), Some(KeyingError::Mki));
    assert_eq!(Mki::new(&[0; 129]).err(), Some(KeyingError::Mki));
}

#[test]
fn an_unknown_mki_is_refused_and_a_longer_one_than_the_packet_too() {
    let keys = with_mkis(&[vec![1; 100]]).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
    let before = state(&receiver);
    let mut other = packet.clone();
    other[19 + 99] = 2;
    assert_eq!(
        unprotect(&mut receiver, &other),
        Err(UnprotectError::UnknownMki)
    );
    assert_eq!(
        unprotect(&mut receiver, &packet[..100]),
        Err(UnprotectError::TooShort)
    );
    assert_eq!(
        unprotect(&mut receiver, &packet[..121]),
        Err(UnprotectError::TooShort)
    );
    assert_eq!(state(&receiver), before);
}

#[test]
fn keys_are_added_and_removed_by_mki() {
    let mkis = [vec![1], vec![2]];
    let keys = with_mkis(&mkis).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let third = || KeyEntry::new(master(CM, 3)).with_mki(Mki::new(&[3]).unwrap());
    sender.add_key(third()).unwrap();
    receiver.add_key(third()).unwrap();
    assert_eq!(
        sender.add_key(third()).err(),
        Some(SessionError::Keying(KeyingError::DuplicateKey))
    );
    let longer = KeyEntry::new(master(CM, 4)).with_mki(Mki::new(&[3, 3]).unwrap());
    assert_eq!(
        sender.add_key(longer).err(),
        Some(SessionError::Keying(KeyingError::Mki))
    );

    sender.use_key(&Mki::new(&[3]).unwrap()).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
    unprotect(&mut receiver, &packet).unwrap();

    receiver.remove_key(&Mki::new(&[3]).unwrap()).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 2, b"payload")).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::UnknownMki)
    );
    let absent = Mki::new(&[9]).unwrap();
    assert_eq!(receiver.remove_key(&absent), Err(SessionError::UnknownMki));
    assert_eq!(sender.use_key(&absent), Err(SessionError::UnknownMki));
    receiver.remove_key(&Mki::new(&[2]).unwrap()).unwrap();
    assert_eq!(
        receiver.remove_key(&Mki::new(&[1]).unwrap()),
        Err(SessionError::LastKey)
    );
}

fn from_to(intervals: &[(u64, u64)]) -> Result<KeySet, KeyingError> {
    let entries = intervals.iter().zip(1..).map(|((from, to), octet)| {
        KeyEntry::new(master(CM, octet)).with_validity(Validity::new(*from, *to).unwrap())
    });
    KeySet::new(CM, Parameters::default(), entries.collect())
}

#[test]
fn from_to_says_which_key_is_for_which_packet() {
    let keys = from_to(&[(0, 9), (10, 19), (30, 39)]).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let mut sent = Vec::new();
    for seq in 0..20 {
        let packet = protect(&mut sender, &rtp(SSRC, seq, b"payload")).unwrap();
        let key: Sender = build(&KeySet::single(master(CM, if seq < 10 { 1 } else { 2 })));
        let mut key = key;
        assert_eq!(
            packet,
            protect(&mut key, &rtp(SSRC, seq, b"payload")).unwrap()
        );
        sent.push(packet);
    }
    for i in (0..20).rev() {
        unprotect(&mut receiver, &sent[i]).unwrap();
    }
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 25, b"")),
        Err(ProtectError::NoKey)
    );
    let other: Sender = build(&KeySet::single(master(CM, 2)));
    let mut other = other;
    let outside = protect(&mut other, &rtp(SSRC, 25, b"")).unwrap();
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &outside),
        Err(UnprotectError::NoKey)
    );
    assert_eq!(state(&receiver), before);
    // RFC 3711 8.1.1: SRTCP takes the key of the most recent SRTP packet.
    let report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    unprotect_report(&mut receiver, &report).unwrap();
    let second_key = from_to(&[(0, 9)]).unwrap();
    let mut first_only: Receiver = build(&second_key);
    assert_eq!(
        unprotect_report(&mut first_only, &report),
        Err(UnprotectError::Forged)
    );
}

#[test]
fn intervals_that_overlap_need_an_mki() {
    assert_eq!(
        from_to(&[(0, 9), (9, 19)]).err(),
        Some(KeyingError::NoSelector)
    );
    let entries = [(1, 0), (2, 5)].map(|(octet, from)| {
        KeyEntry::new(master(CM, octet))
            .with_validity(Validity::new(from, 100).unwrap())
            .with_mki(Mki::new(&[octet]).unwrap())
    });
    let keys = KeySet::new(CM, Parameters::default(), entries.into()).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    sender.use_key(&Mki::new(&[2]).unwrap()).unwrap();
    for (seq, mki) in [(4, 1), (5, 2)] {
        let packet = protect(&mut sender, &rtp(SSRC, seq, b"")).unwrap();
        assert_eq!(packet[12], mki);
        unprotect(&mut receiver, &packet).unwrap();
    }
    assert_eq!(
        protect(&mut sender, &rtp(SSRC, 101, b"")),
        Err(ProtectError::NoKey)
    );
}

#[test]
fn keys_bound_to_an_ssrc_serve_no_other() {
    let bound = |octet, ssrc| KeyEntry::new(master(CM, octet)).for_ssrc(ssrc);
    let entries = vec![bound(1, 10), bound(2, 20)];
    let keys = KeySet::new(CM, Parameters::default(), entries).unwrap();
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    for (ssrc, octet) in [(10, 1), (20, 2)] {
        let packet = protect(&mut sender, &rtp(ssrc, 1, b"payload")).unwrap();
        let mut single: Sender = build(&KeySet::single(master(CM, octet)));
        assert_eq!(
            packet,
            protect(&mut single, &rtp(ssrc, 1, b"payload")).unwrap()
        );
        unprotect(&mut receiver, &packet).unwrap();
    }
    assert_eq!(
        protect(&mut sender, &rtp(30, 1, b"")),
        Err(ProtectError::UnknownSsrc)
    );
    let mut single: Sender = build(&KeySet::single(master(CM, 2)));
    let packet = protect(&mut single, &rtp(30, 1, b"")).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::UnknownSsrc)
    );
}

/// However its grace ended, a key that was given up would open old packets again.
#[test]
fn a_key_that_a_receiver_gave_up_does_not_come_back_after_its_grace() {
    let refused = |end: &dyn Fn(&mut Receiver)| {
        let mut receiver: Receiver = build(&keys(CM, 1));
        receiver.rekey(&keys(CM, 2), Rekey::KeepRoc, 1).unwrap();
        end(&mut receiver);
        let back = receiver.rekey(&keys(CM, 1), Rekey::ResetRoc, 0);
        assert_eq!(back, Err(SessionError::KeyInUse));
    };
    refused(&|_| {});
    refused(&|receiver| receiver.drop_old_keys());
    refused(&|receiver| {
        let mut sender: Sender = build(&keys(CM, 2));
        let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
        unprotect(receiver, &packet).unwrap();
    });
}

/// A peer may ask for new keys as often as it likes.
#[test]
fn keys_given_up_are_remembered_up_to_a_bound_and_then_none_is_given_up() {
    let key = |number: usize| {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&number.to_be_bytes());
        KeySet::single(MasterKey::new(CM, &key, &[7; 14]).unwrap())
    };
    let mut sender: Sender = build(&key(0));
    for number in 1..=MAX_RETIRED_KEYS {
        sender.rekey(&key(number), Rekey::KeepRoc).unwrap();
    }
    let before = common::sender_state(&sender);
    let one_more = sender.rekey(&key(MAX_RETIRED_KEYS + 1), Rekey::KeepRoc);
    assert_eq!(one_more, Err(SessionError::RetiredKeys));
    assert_eq!(common::sender_state(&sender), before);
    assert_eq!(sender.rekey(&key(MAX_RETIRED_KEYS), Rekey::KeepRoc), Ok(()));
    protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
}
