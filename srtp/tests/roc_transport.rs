//! Integrity transform carrying the ROC (RFC 4771) and the session parameters that leave packets
//! unprotected (RFC 4568 6.3). Self-consistency, with tags computed here by the `hmac` crate.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, master, protect, protect_report, rtcp, rtp, state, unprotect, unprotect_report,
};
use srtp::keying::{
    KeyEntry, KeySet, KeyingError, Parameters, Profile, RocTransport, RocTransportMode,
};
use srtp::{Builder, Direction, Receiver, Sender, SessionError, UnprotectError};

const CM: Profile = Profile::AesCm128HmacSha1_80;
const GCM: Profile = Profile::AeadAes128Gcm;

fn set(profile: Profile, change: impl FnOnce(&mut Parameters)) -> KeySet {
    let mut parameters = Parameters::default();
    change(&mut parameters);
    KeySet::new(profile, parameters, vec![KeyEntry::new(master(profile, 1))]).unwrap()
}

fn carrying(profile: Profile, mode: RocTransportMode, rate: u16, tag_len: u8) -> KeySet {
    let transport = RocTransport::new(mode, rate, tag_len).unwrap();
    set(profile, |parameters| {
        parameters.roc_transport = Some(transport);
    })
}

fn build<D: Direction>(keys: &KeySet) -> D {
    Builder::new(keys.duplicate())
        .allow_unprotected()
        .build()
        .unwrap()
}

#[test]
fn req_cs_10_mode_2_carries_the_roc_to_a_late_joiner() {
    let keys = carrying(CM, RocTransportMode::Mode2, 4, 14);
    let mut sender: Sender = build(&keys);
    sender.set_roc(SSRC, 0x0102_0304).unwrap();
    let without = protect(&mut sender, &rtp(SSRC, 3, b"payload")).unwrap();
    let with = protect(&mut sender, &rtp(SSRC, 4, b"payload")).unwrap();
    assert_eq!((without.len(), with.len()), (19 + 14, 19 + 14));
    assert_eq!(with[19..23], [1, 2, 3, 4]);

    let mut receiver: Receiver = build(&keys);
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &without),
        Err(UnprotectError::Forged)
    );
    assert_eq!(state(&receiver), before);
    assert_eq!(
        unprotect(&mut receiver, &with).unwrap(),
        rtp(SSRC, 4, b"payload")
    );
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 0x0102_0304);
    assert_eq!(
        unprotect(&mut receiver, &without).unwrap(),
        rtp(SSRC, 3, b"payload")
    );
    assert_eq!(
        unprotect(&mut receiver, &with),
        Err(UnprotectError::Replayed)
    );
}

#[test]
fn a_forged_roc_is_refused_and_changes_nothing() {
    for (profile, mode, tag_len) in [
        (CM, RocTransportMode::Mode1, 14),
        (CM, RocTransportMode::Mode2, 14),
        (GCM, RocTransportMode::Mode3, 4),
    ] {
        let keys = carrying(profile, mode, 1, tag_len);
        let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
        let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
        let before = state(&receiver);
        let roc = if profile == GCM { packet.len() - 4 } else { 19 };
        for octet in roc..packet.len() {
            let mut forged = packet.clone();
            forged[octet] ^= 1;
            assert_eq!(
                unprotect(&mut receiver, &forged),
                Err(UnprotectError::Forged)
            );
        }
        assert_eq!(state(&receiver), before);
        unprotect(&mut receiver, &packet).unwrap();
    }
}

/// RFC 4771 3: only every R-th packet has a tag; one without moves neither ROC nor window.
#[test]
fn in_mode_1_a_packet_without_a_tag_moves_nothing() {
    let keys = carrying(CM, RocTransportMode::Mode1, 2, 14);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let tagged = protect(&mut sender, &rtp(SSRC, 2, b"payload")).unwrap();
    let untagged = protect(&mut sender, &rtp(SSRC, 3, b"payload")).unwrap();
    assert_eq!((tagged.len(), untagged.len()), (19 + 14, 19));
    unprotect(&mut receiver, &tagged).unwrap();
    let before = state(&receiver);
    assert_eq!(
        unprotect(&mut receiver, &untagged).unwrap(),
        rtp(SSRC, 3, b"payload")
    );
    assert_eq!(state(&receiver), before);
}

#[test]
fn in_mode_3_the_roc_travels_bare() {
    let keys = carrying(CM, RocTransportMode::Mode3, 2, 4);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    sender.set_roc(SSRC, 9).unwrap();
    let with = protect(&mut sender, &rtp(SSRC, 2, b"payload")).unwrap();
    let without = protect(&mut sender, &rtp(SSRC, 3, b"payload")).unwrap();
    assert_eq!((with.len(), without.len()), (19 + 4, 19));
    assert_eq!(with[19..], [0, 0, 0, 9]);
    assert_eq!(
        unprotect(&mut receiver, &with).unwrap(),
        rtp(SSRC, 2, b"payload")
    );
    assert_eq!(
        unprotect(&mut receiver, &without).unwrap(),
        rtp(SSRC, 3, b"payload")
    );
}

/// RFC 4771 3: once the application says that the ROC is right, what mode 3 carries is removed only.
#[test]
fn in_mode_3_the_roc_of_the_packet_is_ignored_while_the_application_knows_its_own_to_be_right() {
    let keys = carrying(CM, RocTransportMode::Mode3, 1, 4);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let unknown = Err(SessionError::UnknownSsrc);
    assert_eq!(receiver.set_roc_synchronised(SSRC, true), unknown);
    sender.set_roc(SSRC, 9).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 65_534, b"payload")).unwrap();
    let plain = rtp(SSRC, 65_534, b"payload");
    assert_eq!(unprotect(&mut receiver, &packet), Ok(plain));

    receiver.set_roc_synchronised(SSRC, true).unwrap();
    for (seq, roc) in [(65_535, 9), (0, 10)] {
        let plain = rtp(SSRC, seq, b"payload");
        let mut packet = protect(&mut sender, &plain).unwrap();
        packet[plain.len()] ^= 1;
        assert_eq!(unprotect(&mut receiver, &packet), Ok(plain));
        assert_eq!(receiver.stream(SSRC).unwrap().roc, roc);
    }

    receiver.set_roc_synchronised(SSRC, false).unwrap();
    let plain = rtp(SSRC, 1, b"payload");
    let mut packet = protect(&mut sender, &plain).unwrap();
    packet[plain.len()] ^= 1;
    assert_ne!(unprotect(&mut receiver, &packet), Ok(plain));
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 0x0100_000a);
}

/// What another mode carries is authenticated, and counts whatever the application says.
#[test]
fn in_mode_2_the_roc_of_the_packet_counts_always() {
    let keys = carrying(CM, RocTransportMode::Mode2, 1, 14);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let first = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
    unprotect(&mut receiver, &first).unwrap();
    receiver.set_roc_synchronised(SSRC, true).unwrap();
    sender.set_roc(SSRC, 5).unwrap();
    let later = protect(&mut sender, &rtp(SSRC, 2, b"payload")).unwrap();
    assert_eq!(
        unprotect(&mut receiver, &later),
        Ok(rtp(SSRC, 2, b"payload"))
    );
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 5);
}

#[test]
fn with_an_aead_the_roc_stands_behind_tag_and_mki() {
    let transport = RocTransport::new(RocTransportMode::Mode3, 1, 4).unwrap();
    let parameters = {
        let mut parameters = Parameters::default();
        parameters.roc_transport = Some(transport);
        parameters
    };
    let mki = srtp::keying::Mki::new(&[0xaa; 3]).unwrap();
    let entry = KeyEntry::new(master(GCM, 1)).with_mki(mki);
    let keys = KeySet::new(GCM, parameters, vec![entry]).unwrap();
    let mut sender: Sender = Builder::new(keys.duplicate()).build().unwrap();
    let mut receiver: Receiver = Builder::new(keys).build().unwrap();
    sender.set_roc(SSRC, 5).unwrap();
    let packet = protect(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
    assert_eq!(packet[19 + 16..], [0xaa, 0xaa, 0xaa, 0, 0, 0, 5]);
    assert_eq!(
        unprotect(&mut receiver, &packet).unwrap(),
        rtp(SSRC, 1, b"payload")
    );
    assert_eq!(receiver.stream(SSRC).unwrap().roc, 5);
}

#[test]
fn what_leaves_packets_unprotected_needs_leave() {
    let transport = |mode, rate, tag_len| carrying(CM, mode, rate, tag_len);
    let needs_leave = [
        set(CM, |p| p.unencrypted_srtp = true),
        set(CM, |p| p.unencrypted_srtcp = true),
        set(CM, |p| p.unauthenticated_srtp = true),
        transport(RocTransportMode::Mode1, 2, 14),
        transport(RocTransportMode::Mode3, 1, 4),
    ];
    for keys in needs_leave {
        let built: Result<Sender, _> = Builder::new(keys.duplicate()).build();
        assert_eq!(built.err(), Some(SessionError::Unprotected));
        let built: Result<Receiver, _> = Builder::new(keys).build();
        assert_eq!(built.err(), Some(SessionError::Unprotected));
    }
    let authenticates = [
        transport(RocTransportMode::Mode1, 1, 14),
        transport(RocTransportMode::Mode2, 9, 14),
        carrying(GCM, RocTransportMode::Mode3, 9, 4),
    ];
    for keys in authenticates {
        let _: Sender = Builder::new(keys).build().unwrap();
    }
}

#[test]
fn unencrypted_srtp_and_srtcp_are_authenticated_all_the_same() {
    let keys = set(CM, |p| {
        (p.unencrypted_srtp, p.unencrypted_srtcp) = (true, true);
    });
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let plain = rtp(SSRC, 1, b"for all to read");
    let mut packet = protect(&mut sender, &plain).unwrap();
    assert_eq!(packet[..plain.len()], plain);
    assert_eq!(packet.len(), plain.len() + 10);
    packet[15] ^= 1;
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(UnprotectError::Forged)
    );
    packet[15] ^= 1;
    assert_eq!(unprotect(&mut receiver, &packet).unwrap(), plain);

    let report = rtcp(SSRC);
    let mut packet = protect_report(&mut sender, &report).unwrap();
    assert_eq!(packet[..report.len()], report);
    assert_eq!(packet[report.len()..][..4], [0, 0, 0, 0]);
    packet[9] ^= 1;
    assert_eq!(
        unprotect_report(&mut receiver, &packet),
        Err(UnprotectError::Forged)
    );
    packet[9] ^= 1;
    assert_eq!(unprotect_report(&mut receiver, &packet).unwrap(), report);
}

#[test]
fn unauthenticated_srtp_has_no_tag_and_srtcp_keeps_its_own() {
    let keys = set(CM, |p| p.unauthenticated_srtp = true);
    let (mut sender, mut receiver): (Sender, Receiver) = (build(&keys), build(&keys));
    let plain = rtp(SSRC, 1, b"encrypted only");
    let packet = protect(&mut sender, &plain).unwrap();
    assert_eq!(packet.len(), plain.len());
    assert_ne!(packet, plain);
    assert_eq!(unprotect(&mut receiver, &packet).unwrap(), plain);
    let mut report = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
    assert_eq!(report.len(), 28 + 4 + 10);
    report[9] ^= 1;
    assert_eq!(
        unprotect_report(&mut receiver, &report),
        Err(UnprotectError::Forged)
    );
}

#[test]
fn an_aead_profile_takes_none_of_it() {
    for change in [
        |p: &mut Parameters| p.unencrypted_srtp = true,
        |p: &mut Parameters| p.unauthenticated_srtp = true,
    ] {
        let mut parameters = Parameters::default();
        change(&mut parameters);
        let keys = KeySet::new(GCM, parameters, vec![KeyEntry::new(master(GCM, 1))]);
        assert_eq!(keys.err(), Some(KeyingError::UnprotectedNotAllowed));
    }
}

#[cfg(feature = "insecure-null")]
#[test]
fn a_profile_without_authentication_cannot_carry_the_roc() {
    let mut parameters = Parameters::default();
    parameters.roc_transport = Some(RocTransport::new(RocTransportMode::Mode2, 1, 14).unwrap());
    let entry = KeyEntry::new(master(Profile::NullNull, 1));
    let keys = KeySet::new(Profile::NullNull, parameters, vec![entry]);
    assert_eq!(keys.err(), Some(KeyingError::RocTransport));
}

/// RFC 8269 2.1.
#[cfg(feature = "aria")]
#[test]
fn aria_ctr_goes_only_with_authentication() {
    let mut parameters = Parameters::default();
    parameters.unauthenticated_srtp = true;
    for profile in [
        Profile::Aria128CtrHmacSha1_80,
        Profile::Aria256CtrHmacSha1_32,
    ] {
        let refused = Err(KeyingError::UnprotectedNotAllowed);
        assert_eq!(parameters.check(profile), refused);
    }
}
