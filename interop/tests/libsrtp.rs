//! Independent implementation: packets of the installed libsrtp open in ours, ours in libsrtp.
//!
//! AES-192 is left to published vectors: libsrtp up to 2.5 derives its keys otherwise than RFC 6188
//! says (see `libsrtp_differential`).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use bytes::BytesMut;
use interop::{
    audio::{FRAME_SAMPLES, melody},
    libsrtp_process::{self as libsrtp, Direction, Policy, Session, Status, Task},
    peer::{self, PeerError},
    rtcp,
    rtp::RtpSource,
};
use srtp::{
    Receiver, Sender, UnprotectError,
    keying::{KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile, StaticKeys},
};

const SSRC: u32 = 0x5eed_cafe;

/// Before a wrap of the sequence number, which the packets of a test then cross.
const FIRST_SEQUENCE_NUMBER: u16 = 65_500;

const PACKETS: usize = 100;

#[test]
fn aes_cm_128_hmac_sha1_80_crosses_both_ways() {
    crosses_both_ways(Profile::AesCm128HmacSha1_80, &[]);
}

#[test]
fn aes_cm_128_hmac_sha1_32_crosses_both_ways() {
    crosses_both_ways(Profile::AesCm128HmacSha1_32, &[]);
}

#[test]
fn aead_aes_128_gcm_crosses_both_ways() {
    crosses_both_ways(Profile::AeadAes128Gcm, &[]);
}

#[test]
fn aead_aes_256_gcm_crosses_both_ways() {
    crosses_both_ways(Profile::AeadAes256Gcm, &[]);
}

#[test]
fn aes_cm_256_hmac_sha1_crosses_both_ways() {
    crosses_both_ways(Profile::AesCm256HmacSha1_80, &[]);
    crosses_both_ways(Profile::AesCm256HmacSha1_32, &[]);
}

#[test]
fn packets_with_mki_cross_both_ways() {
    for profile in [Profile::AesCm128HmacSha1_80, Profile::AeadAes128Gcm] {
        crosses_both_ways(profile, &[0xc0]);
        crosses_both_ways(profile, &[0, 0, 1, 2]);
    }
}

#[test]
fn libsrtp_refuses_ours_when_touched_replayed_or_of_another_mki() {
    let Some(program) = program("refusals") else {
        return;
    };
    let profile = Profile::AesCm128HmacSha1_80;
    let keys = Keys::new(profile, &[7, 7]);
    let mut sender = Sender::from_source(&keys.source()).unwrap();
    let mut theirs = Session::start(program, &keys.policy(Direction::Inbound)).unwrap();

    let mut packet = RtpSource::new(SSRC, 1, 0).packet(b"payload");
    sender.protect_rtp(&mut packet).unwrap();
    let with = |place: usize, change: u8| {
        let mut touched = packet.to_vec();
        touched[place] ^= change;
        touched
    };
    let mki = packet.len() - profile.srtp_tag_len() - 1;
    let mut refused = |packet: &[u8]| theirs.call(Task::UnprotectRtp(packet)).unwrap();
    assert_eq!(refused(&with(12, 1)), Err(Status::AUTH_FAIL));
    assert_eq!(refused(&with(mki, 1)), Err(Status::BAD_MKI));
    assert!(refused(&packet).is_ok());
    assert_eq!(refused(&packet), Err(Status::REPLAY_FAIL));
}

#[test]
fn ours_refuses_libsrtps_when_touched_replayed_or_of_another_mki() {
    let Some(program) = program("refusals") else {
        return;
    };
    let profile = Profile::AesCm128HmacSha1_80;
    let keys = Keys::new(profile, &[7, 7]);
    let mut receiver = Receiver::builder(&keys.source())
        .any_ssrc(1)
        .build()
        .unwrap();
    let mut theirs = Session::start(program, &keys.policy(Direction::Outbound)).unwrap();

    let packet = RtpSource::new(SSRC, 1, 0).packet(b"payload");
    let packet = theirs.call(Task::ProtectRtp(&packet)).unwrap().unwrap();
    let mut with = |place: usize, change: u8| {
        let mut touched = BytesMut::from(&packet[..]);
        touched[place] ^= change;
        receiver.unprotect_rtp(&mut touched)
    };
    let mki = packet.len() - profile.srtp_tag_len() - 1;
    assert_eq!(with(12, 1), Err(UnprotectError::Forged));
    assert_eq!(with(mki, 1), Err(UnprotectError::UnknownMki));
    assert_eq!(with(0, 0), Ok(()));
    assert_eq!(with(0, 0), Err(UnprotectError::Replayed));
}

#[test]
fn who_joins_late_and_is_told_the_roc_opens_the_others_packets() {
    let Some(program) = program("late joiner") else {
        return;
    };
    let roc = 0x0102_0304;
    let keys = Keys::new(Profile::AesCm128HmacSha1_80, &[]);
    let clear = RtpSource::new(SSRC, 7, 0).packet(b"payload");
    let theirs = |direction| {
        let mut policy = keys.policy(direction);
        policy.ssrc = Some(SSRC);
        let mut session = Session::start(program, &policy).unwrap();
        session.set_roc(roc).unwrap().unwrap();
        session
    };

    let sent = theirs(Direction::Outbound).call(Task::ProtectRtp(&clear));
    let mut packet = BytesMut::from(&sent.unwrap().unwrap()[..]);
    let receiver = Receiver::builder(&keys.source()).ssrc(SSRC, roc);
    receiver
        .build()
        .unwrap()
        .unprotect_rtp(&mut packet)
        .unwrap();
    assert_eq!(packet, clear);

    let sender = Sender::builder(&keys.source()).ssrc(SSRC, roc);
    sender.build().unwrap().protect_rtp(&mut packet).unwrap();
    let opened = theirs(Direction::Inbound).call(Task::UnprotectRtp(&packet));
    assert_eq!(opened.unwrap().as_deref(), Ok(&clear[..]));
}

#[test]
fn replay_windows_of_one_size_end_at_the_same_packet() {
    let Some(program) = program("window") else {
        return;
    };
    let (window, highest) = (64_u16, 1000);
    let keys = Keys::new(Profile::AeadAes128Gcm, &[]);
    let mut policy = keys.policy(Direction::Inbound);
    policy.window = window.into();
    let mut theirs = Session::start(program, &policy).unwrap();
    let receiver = Receiver::builder(&keys.source()).replay_window(window.into());
    let mut receiver = receiver.build().unwrap();

    let mut arrives = |sequence_number| {
        let mut sender = Sender::from_source(&keys.source()).unwrap();
        let mut packet = RtpSource::new(SSRC, sequence_number, 0).packet(b"payload");
        sender.protect_rtp(&mut packet).unwrap();
        let theirs = theirs.call(Task::UnprotectRtp(&packet)).unwrap();
        (receiver.unprotect_rtp(&mut packet), theirs.map(drop))
    };
    assert_eq!(arrives(highest), (Ok(()), Ok(())));
    let (first_in, last_out) = (highest - window + 1, highest - window);
    assert_eq!(arrives(first_in), (Ok(()), Ok(())));
    assert_eq!(
        arrives(last_out),
        (Err(UnprotectError::TooOld), Err(Status::REPLAY_OLD))
    );
}

/// A stretch of a call, with a sequence number wrap and sender reports, in both directions.
fn crosses_both_ways(profile: Profile, mki: &[u8]) {
    let Some(program) = program("both ways") else {
        return;
    };
    let keys = Keys::new(profile, mki);

    let mut sender = Sender::from_source(&keys.source()).unwrap();
    let mut theirs = Session::start(program, &keys.policy(Direction::Inbound)).unwrap();
    for (clear, is_rtcp) in packets() {
        let mut packet = clear.clone();
        let opened = if is_rtcp {
            sender.protect_rtcp(&mut packet).unwrap();
            theirs.call(Task::UnprotectRtcp(&packet)).unwrap()
        } else {
            sender.protect_rtp(&mut packet).unwrap();
            theirs.call(Task::UnprotectRtp(&packet)).unwrap()
        };
        assert_ne!(packet, clear);
        assert_eq!(
            opened.as_deref(),
            Ok(&clear[..]),
            "{profile:?} ours to libsrtp"
        );
    }

    let mut receiver = Receiver::builder(&keys.source())
        .any_ssrc(1)
        .build()
        .unwrap();
    let mut theirs = Session::start(program, &keys.policy(Direction::Outbound)).unwrap();
    for (clear, is_rtcp) in packets() {
        let task = if is_rtcp {
            Task::ProtectRtcp(&clear)
        } else {
            Task::ProtectRtp(&clear)
        };
        let mut packet = BytesMut::from(&theirs.call(task).unwrap().unwrap()[..]);
        assert_ne!(packet, clear);
        let opened = if is_rtcp {
            receiver.unprotect_rtcp(&mut packet)
        } else {
            receiver.unprotect_rtp(&mut packet)
        };
        assert_eq!(opened, Ok(()), "{profile:?} libsrtp to ours");
        assert_eq!(packet, clear, "{profile:?} libsrtp to ours");
    }
}

/// RTP packets, and a sender report after every tenth.
fn packets() -> Vec<(BytesMut, bool)> {
    let mut source = RtpSource::new(SSRC, FIRST_SEQUENCE_NUMBER, 0xffff_0000);
    let mut packets = Vec::new();
    for samples in melody().chunks(FRAME_SAMPLES).take(PACKETS) {
        let payload: Vec<u8> = samples
            .iter()
            .flat_map(|sample| sample.to_be_bytes())
            .collect();
        packets.push((source.packet(&payload), false));
        if source.packets().is_multiple_of(10) {
            packets.push((
                rtcp::sender_report(&source, 0, "alice@example.com").unwrap(),
                true,
            ));
        }
    }
    packets
}

/// One master key, for ours and for libsrtp.
struct Keys {
    profile: Profile,
    key_and_salt: Vec<u8>,
    mki: Vec<u8>,
}

impl Keys {
    fn new(profile: Profile, mki: &[u8]) -> Self {
        let len = profile.key_len() + profile.salt_len();
        let key_and_salt = (1..)
            .take(len)
            .map(|octet: u8| octet.wrapping_mul(37))
            .collect();
        Self {
            profile,
            key_and_salt,
            mki: mki.to_vec(),
        }
    }

    fn source(&self) -> StaticKeys {
        StaticKeys::new(self.key_set(), self.key_set())
    }

    fn policy(&self, direction: Direction) -> Policy<'_> {
        let mut policy = Policy::new(
            self.profile.sdes_name().unwrap(),
            direction,
            &self.key_and_salt,
        );
        policy.mki = &self.mki;
        policy
    }

    fn key_set(&self) -> KeySet {
        let (key, salt) = self.key_and_salt.split_at(self.profile.key_len());
        let mut entry = KeyEntry::new(MasterKey::new(self.profile, key, salt).unwrap());
        if !self.mki.is_empty() {
            entry = entry.with_mki(Mki::new(&self.mki).unwrap());
        }
        KeySet::new(self.profile, Parameters::default(), vec![entry]).unwrap()
    }
}

/// The peer's program, compiled once; `None` where it cannot be had and that is allowed.
fn program(test: &str) -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let built: Result<_, PeerError> = libsrtp::build(Path::new(env!("CARGO_TARGET_TMPDIR")));
        peer::or_not_run(test, built)
    };
    PROGRAM.get_or_init(build).as_deref()
}
