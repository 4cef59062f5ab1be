//! Encrypted header extensions (RFC 6904) and Cryptex (RFC 9335) in whole sessions. The published
//! packets stand in `published_packets.rs`; this is self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod common;

use common::{SSRC, builder, protect, rtp, state, unprotect};
use srtp::keying::{KeyEntry, KeySet, Parameters, Profile};
use srtp::{Builder, Cryptex, ProtectError, Receiver, Sender, SessionError, UnprotectError};

const PROFILES: [Profile; 3] = [
    Profile::AesCm128HmacSha1_80,
    Profile::AesF8_128HmacSha1_80,
    Profile::AeadAes256Gcm,
];

/// A packet with `csrcs` contributing sources and, if given, a header extension.
fn packet(seq: u16, csrcs: u8, extension: Option<(u16, &[u8])>) -> Vec<u8> {
    let mut packet = rtp(SSRC, seq, &[]);
    packet[0] |= csrcs;
    for csrc in 0..csrcs {
        packet.extend([0xc5, 0xc5, 0xc5, csrc]);
    }
    if let Some((profile, body)) = extension {
        packet[0] |= 0x10;
        packet.extend(profile.to_be_bytes());
        packet.extend(u16::try_from(body.len() / 4).unwrap().to_be_bytes());
        packet.extend(body);
    }
    packet.extend(b"payload of some length");
    packet
}

fn cryptex_pair(profile: Profile, cryptex: Cryptex) -> (Sender, Receiver) {
    (
        builder(profile).cryptex(Cryptex::Enabled).build().unwrap(),
        builder(profile).cryptex(cryptex).build().unwrap(),
    )
}

#[test]
fn cryptex_hides_csrcs_and_extension_and_shows_them_again() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = cryptex_pair(profile, Cryptex::Required);
        let body = [0x51, 1, 2, 0, 0x10, 9, 0, 0];
        let mut seq = 0;
        for csrcs in [0, 1, 2, 15] {
            for kind in [0xbede, 0x1000] {
                for body in [&body[..], &[]] {
                    seq += 1;
                    let plain = packet(seq, csrcs, Some((kind, body)));
                    let hidden = protect(&mut sender, &plain).unwrap();
                    let extension = 12 + 4 * usize::from(csrcs);
                    let marks = hidden[extension..extension + 2].to_vec();
                    assert_eq!(
                        marks,
                        if kind == 0xbede {
                            [0xc0, 0xde]
                        } else {
                            [0xc2, 0xde]
                        }
                    );
                    assert!(csrcs == 0 || hidden[12..16] != plain[12..16]);
                    assert!(!hidden.windows(4).any(|w| w == &body[..4.min(body.len())]
                        && !w.is_empty()
                        && body.len() > 3));
                    assert_eq!(unprotect(&mut receiver, &hidden).unwrap(), plain);
                }
            }
        }
    }
}

#[test]
fn cryptex_adds_an_empty_extension_to_hide_a_csrc_list() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = cryptex_pair(profile, Cryptex::Required);
        let plain = packet(1, 3, None);
        let hidden = protect(&mut sender, &plain).unwrap();
        assert_eq!(hidden.len(), plain.len() + 4 + profile.srtp_tag_len());
        assert_eq!(hidden.len() - plain.len(), sender.srtp_overhead());
        let opened = unprotect(&mut receiver, &hidden).unwrap();
        // The empty extension stays, as RFC 9335 6.2 allows.
        assert_eq!(opened, packet(1, 3, Some((0xbede, &[]))));
    }
}

#[test]
fn cryptex_leaves_packets_without_csrcs_and_extension_as_they_are() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = cryptex_pair(profile, Cryptex::Required);
        let mut plain_sender: Sender = builder(profile).build().unwrap();
        let packet = packet(1, 0, None);
        let protected = protect(&mut sender, &packet).unwrap();
        assert_eq!(protected, protect(&mut plain_sender, &packet).unwrap());
        assert_eq!(unprotect(&mut receiver, &protected).unwrap(), packet);
    }
}

#[test]
fn cryptex_is_refused_where_it_was_not_agreed_and_missed_where_it_was() {
    for profile in PROFILES {
        let (mut sender, mut off) = cryptex_pair(profile, Cryptex::Off);
        let hidden = protect(&mut sender, &packet(1, 0, Some((0xbede, &[0; 4])))).unwrap();
        let before = state(&off);
        assert_eq!(
            unprotect(&mut off, &hidden),
            Err(UnprotectError::CryptexRefused)
        );
        assert_eq!(state(&off), before);

        let mut clear: Sender = builder(profile).build().unwrap();
        let (_, mut required) = cryptex_pair(profile, Cryptex::Required);
        let (_, mut enabled) = cryptex_pair(profile, Cryptex::Enabled);
        for (seq, in_clear) in [
            (2, packet(2, 0, Some((0xbede, &[0; 4])))),
            (3, packet(3, 1, None)),
        ] {
            let packet = protect(&mut clear, &in_clear).unwrap();
            assert_eq!(
                unprotect(&mut required, &packet),
                Err(UnprotectError::CryptexRequired)
            );
            assert_eq!(unprotect(&mut enabled, &packet).unwrap(), in_clear, "{seq}");
        }
    }
}

#[test]
fn cryptex_cannot_mark_other_kinds_of_extension() {
    let (mut sender, _) = cryptex_pair(PROFILES[0], Cryptex::Enabled);
    for kind in [0x1001, 0x0000, 0xc0de, 0xc2de] {
        let packet = packet(1, 2, Some((kind, &[0; 4])));
        assert_eq!(
            protect(&mut sender, &packet),
            Err(ProtectError::HeaderExtension)
        );
    }
    let mut without: Sender = builder(PROFILES[0]).build().unwrap();
    let marked = packet(1, 0, Some((0xc0de, &[0; 4])));
    assert_eq!(
        protect(&mut without, &marked),
        Err(ProtectError::HeaderExtension)
    );
    protect(&mut without, &packet(1, 0, Some((0x1001, &[0; 4])))).unwrap();
}

#[test]
fn cryptex_and_encrypted_elements_exclude_one_another() {
    let both = builder::<Sender>(PROFILES[0])
        .cryptex(Cryptex::Enabled)
        .encrypted_header_extensions(&[1])
        .build();
    assert_eq!(both.err(), Some(SessionError::HeaderExtensionModes));
    let mut parameters = Parameters::default();
    parameters.unencrypted_srtp = true;
    let entry = KeyEntry::new(common::master(PROFILES[0], 1));
    let keys = KeySet::new(PROFILES[0], parameters, vec![entry]).unwrap();
    let builder = Builder::<Sender>::new(keys)
        .allow_unprotected()
        .cryptex(Cryptex::Enabled);
    assert_eq!(
        builder.build().err(),
        Some(SessionError::HeaderExtensionModes)
    );
}

#[test]
fn only_the_chosen_elements_are_encrypted_with_either_kind_of_header() {
    for profile in PROFILES {
        let mut sender: Sender = builder(profile)
            .encrypted_header_extensions(&[3, 200])
            .build()
            .unwrap();
        let mut receiver: Receiver = builder(profile)
            .encrypted_header_extensions(&[3, 200])
            .build()
            .unwrap();
        let one_byte = [0x12, 1, 2, 3, 0x32, 4, 5, 6, 0, 0x50, 7, 0];
        let two_byte = [3, 2, 1, 2, 0, 200, 1, 9, 4, 2, 5, 6];
        let plain = packet(1, 1, Some((0xbede, &one_byte)));
        let sent = protect(&mut sender, &plain).unwrap();
        let body = 12 + 4 + 4;
        assert_eq!(sent[..body + 5], plain[..body + 5]);
        assert_ne!(sent[body + 5..body + 8], plain[body + 5..body + 8]);
        assert_eq!(sent[body + 8..body + 12], plain[body + 8..body + 12]);
        assert_eq!(unprotect(&mut receiver, &sent).unwrap(), plain);

        let plain = packet(2, 0, Some((0x100a, &two_byte)));
        let sent = protect(&mut sender, &plain).unwrap();
        let body = 12 + 4;
        assert_eq!(sent[..body + 2], plain[..body + 2]);
        assert_ne!(sent[body + 2..body + 4], plain[body + 2..body + 4]);
        assert_eq!(sent[body + 8..body + 12], plain[body + 8..body + 12]);
        assert_eq!(unprotect(&mut receiver, &sent).unwrap(), plain);
    }
}

/// RFC 6904 3.2: elements are encrypted with the transform of the payload. The keystream of f8 takes
/// in the timestamp, that of AES-CM does not.
#[test]
fn elements_are_encrypted_in_f8_mode_where_the_payload_is() {
    let encrypted = |profile, timestamp: u8| {
        let mut sender: Sender = builder(profile)
            .encrypted_header_extensions(&[1, 2])
            .build()
            .unwrap();
        let mut receiver: Receiver = builder(profile)
            .encrypted_header_extensions(&[1, 2])
            .build()
            .unwrap();
        let body: Vec<u8> = [0x1f]
            .into_iter()
            .chain([0; 16])
            .chain([0x26])
            .chain([0; 10])
            .collect();
        let mut plain = packet(1, 0, Some((0xbede, &body)));
        plain[7] = timestamp;
        let sent = protect(&mut sender, &plain).unwrap();
        assert_eq!(unprotect(&mut receiver, &sent).unwrap(), plain);
        assert_eq!((sent[16], sent[16 + 17], sent[16 + 25]), (0x1f, 0x26, 0));
        (sent[17..33].to_vec(), sent[34..41].to_vec())
    };
    let f8 = |timestamp| encrypted(Profile::AesF8_128HmacSha1_80, timestamp);
    assert_ne!(f8(1).0, f8(2).0);
    assert_ne!(f8(1).1, f8(2).1);
    let cm = |timestamp| encrypted(Profile::AesCm128HmacSha1_80, timestamp);
    assert_eq!(cm(1), cm(2));
}

#[test]
fn an_element_that_reaches_past_the_extension_is_not_sent_in_clear() {
    for profile in PROFILES {
        let mut sender: Sender = builder(profile)
            .encrypted_header_extensions(&[1])
            .build()
            .unwrap();
        for (kind, body) in [
            (0xbede, [0x1f, b's', b'e', b'c']),
            (0x1000, [1, 9, b's', b'e']),
        ] {
            let packet = packet(1, 0, Some((kind, &body)));
            assert_eq!(
                protect(&mut sender, &packet),
                Err(ProtectError::HeaderExtension)
            );
        }
    }
}
