//! Hostile packets against every profile and option: truncated, changed in one bit, with lengths at
//! their edges, forged. Self-consistency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail this way"
)]

mod common;

use common::{
    SSRC, keys, master, pair, protect, protect_report, rtcp, rtp, state, unprotect,
    unprotect_report,
};
use srtp::keying::{
    KeyDerivationRate, KeyEntry, KeySet, Mki, Parameters, Profile, RocTransport, RocTransportMode,
};
use srtp::{Backend, Builder, Cryptex, Direction, ProtectError, Receiver, Sender, UnprotectError};

const CM: Profile = Profile::AesCm128HmacSha1_80;
const GCM: Profile = Profile::AeadAes128Gcm;

/// A session and the packets that are attacked in it.
struct Case {
    name: String,
    profile: Profile,
    backend: Backend,
    options: Options,
}

/// What a session does besides its profile.
#[derive(Clone, Copy)]
struct Options {
    name: &'static str,
    parameters: Parameters,
    mki_len: usize,
    cryptex: Cryptex,
    /// IDs of the header extension elements that are encrypted.
    elements: &'static [u8],
    /// Whether RTP packets have a CSRC list and a header extension.
    extension: bool,
}

impl Case {
    fn builder<D: Direction>(&self) -> Builder<D> {
        let options = &self.options;
        let mut entry = KeyEntry::new(master(self.profile, 1));
        if options.mki_len > 0 {
            entry = entry.with_mki(Mki::new(&vec![0x5a; options.mki_len]).unwrap());
        }
        let set = KeySet::new(self.profile, options.parameters, vec![entry]).unwrap();
        Builder::new(set)
            .backend(self.backend)
            .allow_unprotected()
            .cryptex(options.cryptex)
            .encrypted_header_extensions(options.elements)
    }

    fn sender(&self) -> Sender {
        self.builder().build().unwrap()
    }

    fn receiver(&self) -> Receiver {
        self.builder().build().unwrap()
    }

    fn rtp(&self, seq: u16) -> Vec<u8> {
        let mut packet = rtp(SSRC, seq, b"");
        if self.options.extension {
            packet[0] |= 0x11;
            packet.extend([0xc5; 4]);
            packet.extend([0xbe, 0xde, 0, 1, 0x10, 0x77, 0x20, 0x88]);
        }
        packet.extend([0x11; 20]);
        packet
    }

    /// Of a packet that carries the ROC where every other one does, and of one that does not.
    fn sequence_numbers(&self) -> impl Iterator<Item = u16> + use<> {
        let kinds = if self.options.parameters.roc_transport.is_some() {
            2
        } else {
            1
        };
        [0x0100, 0x0101].into_iter().take(kinds)
    }

    /// Octets by which the SRTP packet with this sequence number is longer than the RTP packet: the
    /// MKI, and the tag of the profile or what RFC 4771 makes of it.
    fn overhead(&self, seq: u16) -> usize {
        let tag_len = self.profile.srtp_tag_len();
        let tag = match self.options.parameters.roc_transport {
            None if self.options.parameters.unauthenticated_srtp => 0,
            None => tag_len,
            Some(roc) => {
                let aead = if self.profile.is_aead() { tag_len } else { 0 };
                let carries = seq.is_multiple_of(roc.rate());
                aead + match roc.mode() {
                    _ if carries => usize::from(roc.tag_len()),
                    RocTransportMode::Mode2 => usize::from(roc.tag_len()),
                    _ => 0,
                }
            }
        };
        self.options.mki_len + tag
    }

    /// Whether the SRTP packet with this sequence number has a tag that a forger cannot make.
    fn authenticates(&self, seq: u16) -> bool {
        let carries_roc = |roc: RocTransport| seq.is_multiple_of(roc.rate());
        let tag = match self.options.parameters.roc_transport {
            // RFC 4771 2: in mode 1 a packet that carries no ROC has no tag, in mode 3 none has.
            Some(roc) if roc.mode() == RocTransportMode::Mode1 => carries_roc(roc),
            Some(roc) if roc.mode() == RocTransportMode::Mode3 => self.profile.is_aead(),
            _ => !self.options.parameters.unauthenticated_srtp,
        };
        tag && self.profile.srtp_tag_len() > 0
    }

    /// Whether a packet that was accepted may have moved the receiver: not one without a tag in
    /// mode 1 (RFC 4771 3).
    fn moves(&self) -> bool {
        let mode = self
            .options
            .parameters
            .roc_transport
            .map(RocTransport::mode);
        mode != Some(RocTransportMode::Mode1)
    }
}

fn plain(name: &'static str) -> Options {
    Options {
        name,
        parameters: Parameters::default(),
        mki_len: 0,
        cryptex: Cryptex::Off,
        elements: &[],
        extension: false,
    }
}

fn with_mki(name: &'static str, mki_len: usize) -> Options {
    Options {
        mki_len,
        ..plain(name)
    }
}

fn with_parameters(name: &'static str, change: impl Fn(&mut Parameters)) -> Options {
    let mut options = plain(name);
    change(&mut options.parameters);
    options
}

fn with_roc(name: &'static str, mode: RocTransportMode, rate: u16, tag_len: u8) -> Options {
    let transport = RocTransport::new(mode, rate, tag_len).unwrap();
    with_parameters(name, |p| p.roc_transport = Some(transport))
}

fn options() -> Vec<Options> {
    let exponent = |exponent| KeyDerivationRate::power_of_two(exponent).unwrap();
    let with_extension = |name| Options {
        extension: true,
        ..plain(name)
    };
    vec![
        plain("plain"),
        with_extension("extension"),
        with_mki("MKI of 1", 1),
        with_mki("MKI of 4", 4),
        with_mki("MKI of 128", 128),
        Options {
            cryptex: Cryptex::Enabled,
            ..with_extension("Cryptex")
        },
        Options {
            cryptex: Cryptex::Required,
            mki_len: 4,
            ..with_extension("Cryptex required, MKI")
        },
        Options {
            elements: &[1],
            ..with_extension("RFC 6904")
        },
        with_roc("RCC mode 1", RocTransportMode::Mode1, 2, 14),
        with_roc("RCC mode 2", RocTransportMode::Mode2, 2, 14),
        with_roc("RCC mode 2, every packet", RocTransportMode::Mode2, 1, 24),
        Options {
            mki_len: 1,
            ..with_roc("RCC mode 3", RocTransportMode::Mode3, 2, 4)
        },
        Options {
            elements: &[1],
            extension: true,
            ..with_parameters("key derivation rates", |p| {
                (p.srtp_kdr, p.srtcp_kdr) = (exponent(1), exponent(0));
            })
        },
        with_parameters("UNENCRYPTED_SRTCP", |p| p.unencrypted_srtcp = true),
        with_parameters("UNENCRYPTED_SRTP", |p| p.unencrypted_srtp = true),
        with_parameters("UNAUTHENTICATED_SRTP", |p| p.unauthenticated_srtp = true),
        with_parameters("nothing but SRTCP protected", |p| {
            (p.unencrypted_srtp, p.unauthenticated_srtp) = (true, true);
        }),
    ]
}

/// Every option with every profile that allows it, and with every backend that computes it.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &profile in Profile::ALL {
        // AES-GCM by every backend; what all share besides, by the fastest.
        let gcm = [GCM, Profile::AeadAes256Gcm].contains(&profile);
        let backends = Backend::available().take(if gcm { usize::MAX } else { 1 });
        for backend in backends {
            let allowed = options().into_iter();
            let allowed = allowed.filter(|options| options.parameters.check(profile).is_ok());
            cases.extend(allowed.map(|options| Case {
                name: format!("{profile:?} {backend:?} {}", options.name),
                profile,
                backend,
                options,
            }));
        }
    }
    cases
}

/// Every packet that differs from `packet` in one bit, octet by octet, then every one that is cut
/// off. The state is compared after each octet's worth: what was marked as used stays marked.
fn changed(packet: &[u8]) -> impl Iterator<Item = Vec<Vec<u8>>> + '_ {
    let flipped = (0..packet.len()).map(|at| {
        let flip = |bit| {
            let mut changed = packet.to_vec();
            changed[at] ^= 1_u8 << bit;
            changed
        };
        (0..8).map(flip).collect()
    });
    flipped.chain([truncated(packet).collect()])
}

fn truncated(packet: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..packet.len()).map(|len| packet[..len].to_vec())
}

#[test]
fn every_option_meets_every_profile_that_allows_it() {
    let cases = cases();
    let count = |name| {
        let named = cases.iter().filter(|case| case.options.name == name);
        named.count()
    };
    let gcm = 2 * (Backend::available().count() - 1);
    let aead = Profile::ALL
        .iter()
        .filter(|profile| profile.is_aead())
        .count();
    for name in [
        "plain",
        "MKI of 128",
        "Cryptex",
        "RFC 6904",
        "UNENCRYPTED_SRTCP",
    ] {
        assert_eq!(count(name), Profile::ALL.len() + gcm, "{name}");
    }
    for name in [
        "UNENCRYPTED_SRTP",
        "UNAUTHENTICATED_SRTP",
        "RCC mode 1",
        "RCC mode 2",
    ] {
        let allowed = (1..=Profile::ALL.len() - aead).contains(&count(name));
        assert!(allowed, "{name}");
    }
    assert!(count("RCC mode 3") >= aead + gcm);
}

/// A packet without a tag may be anyone's: NullNull, UNAUTHENTICATED_SRTP, packets that carry no
/// ROC in mode 1 of ROC transport, every packet in mode 3 without an AEAD. All others are refused.
#[test]
fn an_srtp_packet_changed_anywhere_is_refused_and_changes_nothing() {
    for case in cases() {
        for seq in case.sequence_numbers() {
            let (mut sender, mut receiver) = (case.sender(), case.receiver());
            let first = protect(&mut sender, &case.rtp(0x00fe)).unwrap();
            unprotect(&mut receiver, &first).unwrap();
            let packet = protect(&mut sender, &case.rtp(seq)).unwrap();
            let before = state(&receiver);
            for packets in changed(&packet) {
                for changed in packets {
                    let seq = changed
                        .get(2..4)
                        .map_or(seq, |seq| u16::from_be_bytes([seq[0], seq[1]]));
                    let opened = unprotect(&mut receiver, &changed);
                    if case.authenticates(seq) {
                        assert!(opened.is_err(), "{} {opened:?}", case.name);
                    } else if opened.is_ok() && case.moves() {
                        receiver = case.receiver();
                        unprotect(&mut receiver, &first).unwrap();
                    }
                }
                assert_eq!(state(&receiver), before, "{}", case.name);
            }
            let opened = unprotect(&mut receiver, &packet).unwrap();
            assert!(opened.ends_with(&[0x11; 20]), "{}", case.name);
            assert_eq!(
                state(&receiver) != before,
                case.moves() || case.authenticates(seq)
            );
        }
    }
}

/// SRTCP has a tag whatever the parameters are; the one exception is NullNull.
#[test]
fn an_srtcp_packet_changed_anywhere_is_refused_and_changes_nothing() {
    for case in cases() {
        let (mut sender, mut receiver) = (case.sender(), case.receiver());
        let first = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        unprotect_report(&mut receiver, &first).unwrap();
        let packet = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
        let before = state(&receiver);
        for packets in changed(&packet) {
            for changed in packets {
                let opened = unprotect_report(&mut receiver, &changed);
                if case.profile.srtcp_tag_len() > 0 {
                    assert!(opened.is_err(), "{} {opened:?}", case.name);
                } else if opened.is_ok() {
                    receiver = case.receiver();
                    unprotect_report(&mut receiver, &first).unwrap();
                }
            }
            assert_eq!(state(&receiver), before, "{}", case.name);
        }
        assert_eq!(
            unprotect_report(&mut receiver, &packet).unwrap(),
            rtcp(SSRC),
            "{}",
            case.name
        );
        assert_ne!(state(&receiver), before);
    }
}

#[test]
fn the_shortest_packets_open_and_shorter_ones_are_too_short() {
    for case in cases() {
        for seq in case.sequence_numbers() {
            let (mut sender, mut receiver) = (case.sender(), case.receiver());
            let empty = rtp(SSRC, seq, b"");
            let packet = protect(&mut sender, &empty).unwrap();
            assert_eq!(packet.len(), 12 + case.overhead(seq), "{}", case.name);
            for shorter in truncated(&packet) {
                assert_eq!(
                    unprotect(&mut receiver, &shorter),
                    Err(UnprotectError::TooShort),
                    "{}",
                    case.name
                );
            }
            assert_eq!(unprotect(&mut receiver, &packet).unwrap(), empty);
        }
        let (mut sender, mut receiver) = (case.sender(), case.receiver());
        let empty = [0x80, 201, 0, 1, 0xca, 0xfe, 0xba, 0xbe];
        let packet = protect_report(&mut sender, &empty).unwrap();
        assert_eq!(
            packet.len(),
            8 + case.profile.srtcp_overhead(case.options.mki_len)
        );
        for shorter in truncated(&packet) {
            assert_eq!(
                unprotect_report(&mut receiver, &shorter),
                Err(UnprotectError::TooShort),
                "{}",
                case.name
            );
        }
        assert_eq!(unprotect_report(&mut receiver, &packet).unwrap(), empty);
    }
}

#[test]
fn a_packet_may_become_65535_octets_long_and_no_longer() {
    for profile in [CM, GCM] {
        let (mut sender, mut receiver) = pair(profile);
        let room = 65_535 - profile.srtp_overhead(0);
        let mut longest = rtp(SSRC, 1, &vec![7; room - 12]);
        let packet = protect(&mut sender, &longest).unwrap();
        assert_eq!(packet.len(), 65_535);
        assert_eq!(unprotect(&mut receiver, &packet).unwrap(), longest);
        longest[3] = 2;
        longest.push(7);
        let before = common::sender_state(&sender);
        assert_eq!(protect(&mut sender, &longest), Err(ProtectError::TooLong));
        let room = 65_535 - profile.srtcp_overhead(0);
        let mut report = rtcp(SSRC);
        report.resize(room + 1, 7);
        assert_eq!(
            protect_report(&mut sender, &report),
            Err(ProtectError::TooLong)
        );
        assert_eq!(common::sender_state(&sender), before);
        report.pop();
        let packet = protect_report(&mut sender, &report).unwrap();
        assert_eq!(packet.len(), 65_535);
        assert_eq!(unprotect_report(&mut receiver, &packet).unwrap(), report);

        let before = state(&receiver);
        let mut over = rtp(SSRC, 3, &vec![7; 65_536 - 12]);
        assert_eq!(
            unprotect(&mut receiver, &over),
            Err(UnprotectError::TooLong)
        );
        over.pop();
        assert_eq!(unprotect(&mut receiver, &over), Err(UnprotectError::Forged));
        report.resize(65_536, 7);
        assert_eq!(
            unprotect_report(&mut receiver, &report),
            Err(UnprotectError::TooLong)
        );
        assert_eq!(state(&receiver), before);
    }
}

#[test]
fn csrc_lists_and_extensions_end_within_the_packet() {
    let (mut sender, mut receiver) = pair(CM);
    let before = state(&receiver);
    let with = |first: u8, rest: &[u8]| {
        let mut packet = rtp(SSRC, 9, rest);
        packet[0] = first;
        packet
    };
    let mut overlong = vec![0xbe, 0xde, 0xff, 0xff];
    overlong.resize(4 + 65_500, 0);
    let overruns = [
        with(0x8f, &[0; 59]),
        with(0x90, &[0xbe, 0xde, 0]),
        with(0x90, &[0xbe, 0xde, 0xff, 0xff]),
        with(0x90, &overlong),
        with(0x90, &[0xbe, 0xde, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
        with(0x9f, &[0; 63]),
    ];
    for packet in &overruns {
        assert_eq!(
            protect(&mut sender, packet),
            Err(ProtectError::HeaderOverrun)
        );
        // The tag is no part of the header either.
        let mut tagged = packet.clone();
        tagged.extend([0; 10]);
        assert_eq!(
            unprotect(&mut receiver, &tagged),
            Err(UnprotectError::HeaderOverrun)
        );
    }
    assert_eq!(state(&receiver), before);
    for packet in [with(0x8f, &[3; 60]), with(0x9f, &[0; 64])] {
        let mut packet = packet;
        packet[3] = packet[0];
        let protected = protect(&mut sender, &packet).unwrap();
        assert_eq!(unprotect(&mut receiver, &protected).unwrap(), packet);
    }
}

#[test]
fn an_mki_longer_than_the_packet_is_no_packet() {
    for &profile in Profile::ALL {
        let entry = KeyEntry::new(master(profile, 1)).with_mki(Mki::new(&[0x5a; 128]).unwrap());
        let set = KeySet::new(profile, Parameters::default(), vec![entry]).unwrap();
        let builder = Builder::new(set).allow_unprotected();
        let mut receiver: Receiver = builder.build().unwrap();
        let before = state(&receiver);
        for len in 0..128 {
            let mut packet = rtp(SSRC, 1, &[0x5a; 128]);
            packet.truncate(len);
            let refused = unprotect(&mut receiver, &packet);
            assert_eq!(refused, Err(UnprotectError::TooShort), "{profile:?} {len}");
            let refused = unprotect_report(&mut receiver, &packet);
            assert_eq!(refused, Err(UnprotectError::TooShort), "{profile:?} {len}");
        }
        assert_eq!(state(&receiver), before);
    }
}

/// The E flag says what is encrypted, so it must be authentic; packets of either kind are taken.
#[test]
fn the_e_flag_of_srtcp_is_authenticated_and_both_kinds_open() {
    for &profile in Profile::ALL.iter().filter(|p| p.srtcp_tag_len() > 0) {
        for unencrypted in [false, true] {
            let mut parameters = Parameters::default();
            parameters.unencrypted_srtcp = unencrypted;
            let entries = vec![KeyEntry::new(master(profile, 1))];
            let set = KeySet::new(profile, parameters, entries).unwrap();
            let mut sender: Sender = Builder::new(set).allow_unprotected().build().unwrap();
            let builder = Builder::new(keys(profile, 1)).allow_unprotected();
            let mut receiver: Receiver = builder.build().unwrap();
            let packet = protect_report(&mut sender, &rtcp(SSRC)).unwrap();
            let word = if profile.is_aead() {
                packet.len() - 4
            } else {
                packet.len() - 14
            };
            let mut forged = packet.clone();
            forged[word] ^= 0x80;
            let before = state(&receiver);
            assert_eq!(
                unprotect_report(&mut receiver, &forged),
                Err(UnprotectError::Forged),
                "{profile:?}"
            );
            assert_eq!(state(&receiver), before);
            assert_eq!(
                unprotect_report(&mut receiver, &packet).unwrap(),
                rtcp(SSRC)
            );
        }
    }
}

#[test]
fn forged_packets_create_no_stream() {
    for case in cases().iter().filter(|case| case.authenticates(0x0100)) {
        let mut receiver = case.receiver();
        let before = state(&receiver);
        let genuine = protect(&mut case.sender(), &case.rtp(0x0100)).unwrap();
        for ssrc in 0..100_u32 {
            let mut packet = genuine.clone();
            packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
            assert_eq!(
                unprotect(&mut receiver, &packet),
                Err(UnprotectError::Forged)
            );
            let mut packet = protect_report(&mut case.sender(), &rtcp(SSRC)).unwrap();
            packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
            assert_eq!(
                unprotect_report(&mut receiver, &packet),
                Err(UnprotectError::Forged)
            );
        }
        assert_eq!(state(&receiver), before);
        assert_eq!(receiver.streams().count(), 0, "{}", case.name);
        assert_eq!(receiver.unmatched().forged, 200);
    }
}
