//! Independent implementation: audio from and to FFmpeg, whose SRTP is its own, keyed by our SDP.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use core::{net::SocketAddr, time::Duration};
use std::{
    fs,
    net::UdpSocket,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::{
    audio::{self, FRAME_SAMPLES, WavFile},
    peer::{self, PeerError},
    rtp::{self, RtpSource},
    sdp::Audio,
};
use sdes::{Answer, Offer, Policy};
use srtp::{Receiver, Sender, keying::Profile};

const PROGRAM: &str = "ffmpeg";

/// Longer than any step of these tests takes.
const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn ffmpegs_packets_and_reports_open_in_ours() {
    for profile in [Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32] {
        ffmpeg_to_ours(profile);
    }
}

#[test]
fn our_packets_open_in_ffmpeg_as_our_sdp_describes_them() {
    for profile in [Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32] {
        ours_to_ffmpeg(profile);
    }
}

fn ffmpeg_to_ours(profile: Profile) {
    let folder = folder(profile);
    let wav = folder.join("sent.wav");
    WavFile::create(&wav).unwrap().write(&melody()).unwrap();

    // FFmpeg has the offering side's key, and sends.
    let policy = Policy::for_profiles([profile]).unwrap();
    let offer = Offer::new(&policy, &mut UnwrapErr(SysRng)).unwrap();
    let line = offer.lines().next().unwrap();
    let (_, keys) = Answer::to([line], &policy, &mut UnwrapErr(SysRng)).unwrap();
    let (_, key) = line.split_once("inline:").unwrap();
    let key = key.split('|').next().unwrap();
    let mut receiver = Receiver::from_source(&keys).unwrap();

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let ffmpeg = Command::new(PROGRAM)
        .args(["-v", "error", "-re", "-i"])
        .arg(&wav)
        .args(["-t", "1", "-c:a", "pcm_mulaw", "-f", "rtp"])
        .args(["-srtp_out_suite", suite(profile), "-srtp_out_params", key])
        .arg(format!("srtp://127.0.0.1:{port}?rtcpport={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let Some(mut ffmpeg) = started(ffmpeg) else {
        return;
    };

    let (mut heard, mut reports) = (Vec::new(), 0);
    while heard.len() < 8000 {
        let mut packet = BytesMut::zeroed(2000);
        let len = socket.recv(&mut packet).expect("a packet in time");
        packet.truncate(len);
        if rtp::is_rtcp(&packet) {
            receiver.unprotect_rtcp(&mut packet).unwrap();
            reports += 1;
        } else {
            receiver.unprotect_rtp(&mut packet).unwrap();
            heard.extend(
                packet
                    .iter()
                    .skip(rtp::HEADER_LEN)
                    .copied()
                    .map(decode_ulaw),
            );
        }
    }
    assert!(ended(&mut ffmpeg));
    assert_eq!(heard, melody().get(..8000).unwrap());
    assert!(reports > 0);
}

fn ours_to_ffmpeg(profile: Profile) {
    let folder = folder(profile);
    let (sdp, pcm) = (folder.join("offer.sdp"), folder.join("received.pcm"));
    let policy = Policy::for_profiles([profile]).unwrap();
    let offer = Offer::new(&policy, &mut UnwrapErr(SysRng)).unwrap();
    let (answer, _) = Answer::to(offer.lines(), &policy, &mut UnwrapErr(SysRng)).unwrap();
    let mut sender = Sender::from_source(&offer.accept([answer.line()]).unwrap()).unwrap();

    let address = free_port_pair();
    let crypto = offer.lines().map(str::to_owned).collect();
    fs::write(&sdp, Audio { address, crypto }.describe("alice", 1)).unwrap();
    let ffmpeg = Command::new(PROGRAM)
        .args([
            "-v",
            "error",
            "-protocol_whitelist",
            "file,rtp,udp,srtp,crypto",
            "-i",
        ])
        .arg(&sdp)
        .args(["-t", "1", "-f", "s16be", "-y"])
        .arg(&pcm)
        .stdin(Stdio::null())
        .spawn();
    let Some(mut ffmpeg) = started(ffmpeg) else {
        return;
    };

    // When it listens cannot be seen: it hears some part of what is said until it has a second.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (melody, begin) = (melody(), Instant::now());
    let mut source = RtpSource::new(0x5eed_cafe, 1, 0);
    for samples in melody.chunks(FRAME_SAMPLES).cycle() {
        let payload: Vec<u8> = samples.iter().copied().map(encode_ulaw).collect();
        let mut packet = source.packet(&payload);
        sender.protect_rtp(&mut packet).unwrap();
        // Nobody may listen yet, or any more.
        let _ = socket.send_to(&packet, address);
        thread::sleep(Duration::from_millis(5));
        if ffmpeg.try_wait().unwrap().is_some() || begin.elapsed() > TIMEOUT {
            break;
        }
    }
    assert!(ended(&mut ffmpeg));

    let pcm = fs::read(&pcm).unwrap();
    let heard: Vec<i16> = pcm
        .as_chunks()
        .0
        .iter()
        .map(|s| i16::from_be_bytes(*s))
        .collect();
    assert_eq!(heard.len(), 8000);
    let twice = [melody.as_slice(), melody.as_slice()].concat();
    assert!(twice.windows(heard.len()).any(|said| said == heard));
}

/// The name that makes FFmpeg do what RFC 4568 says. Under the SDES name of the suite with tags of
/// 32 bits, it shortens those of SRTCP as well, and section 6.2.2 keeps them at 80.
fn suite(profile: Profile) -> &'static str {
    match profile {
        Profile::AesCm128HmacSha1_32 => "SRTP_AES128_CM_HMAC_SHA1_32",
        profile => profile.sdes_name().unwrap(),
    }
}

/// The built-in audio, as G.711 carries it: what is coded again is then the same.
fn melody() -> Vec<i16> {
    audio::melody()
        .into_iter()
        .map(encode_ulaw)
        .map(decode_ulaw)
        .collect()
}

fn folder(profile: Profile) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join("ffmpeg").join(profile.sdes_name().unwrap());
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// An address whose port is free, and the next one, which FFmpeg takes for RTCP.
fn free_port_pair() -> SocketAddr {
    for _ in 0..100 {
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = rtp.local_addr().unwrap();
        let next = SocketAddr::new(address.ip(), address.port().saturating_add(1));
        if address.port().is_multiple_of(2) && UdpSocket::bind(next).is_ok() {
            return address;
        }
    }
    unreachable!("no pair of free ports in a hundred tries")
}

fn started(ffmpeg: std::io::Result<Child>) -> Option<Child> {
    peer::or_not_run(
        "ffmpeg",
        ffmpeg.map_err(|error| PeerError::Io {
            program: PROGRAM,
            error,
        }),
    )
}

/// Whether it ended by itself, and well.
fn ended(ffmpeg: &mut Child) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < TIMEOUT {
        if let Some(status) = ffmpeg.try_wait().unwrap() {
            return status.success();
        }
        thread::sleep(Duration::from_millis(10));
    }
    ffmpeg.kill().unwrap();
    ffmpeg.wait().unwrap();
    false
}
