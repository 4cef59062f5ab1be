//! Independent implementation: captures of what libsrtp and FFmpeg protected, decrypted by `mediasec`,
//! are what was there before; and tshark finds nothing wrong with what it wrote.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

#[allow(dead_code, reason = "some of it is for the other tests")]
#[path = "mediasec/captures.rs"]
mod captures;

use core::time::Duration;
use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use captures::{FORMS, LINKS, capture, frame, v4, v6, written};
use interop::{
    audio::{self, WavFile},
    libsrtp_process::{self as libsrtp, Direction, Policy, Session, Task},
    peer::{self, PeerError},
    rtcp,
    rtp::{self, RtpSource, is_rtcp},
};

const SSRC: u32 = 0x5eed_cafe;

/// Longer than any step of these tests takes.
const TIMEOUT: Duration = Duration::from_secs(20);

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mediasec_peers");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// What `mediasec decrypt` makes of `capture`, and what it says.
fn decrypt(name: &str, capture: &[u8], options: &[&str]) -> (Vec<u8>, String) {
    let (source, out) = (
        scratch(&format!("{name}.in")),
        scratch(&format!("{name}.out")),
    );
    fs::write(&source, capture).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mediasec"))
        .arg("decrypt")
        .args(options)
        .arg(&source)
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    (
        fs::read(&out).unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn captures_of_libsrtp_become_plain() {
    let folder = scratch("libsrtp");
    fs::create_dir_all(&folder).unwrap();
    let Some(program) = peer::or_not_run("libsrtp", libsrtp::build(&folder)) else {
        return;
    };
    for (suite, key_len, mki) in [
        ("AES_CM_128_HMAC_SHA1_80", 30, &[][..]),
        ("AES_CM_128_HMAC_SHA1_32", 30, &[0xab, 0xcd]),
        ("AES_256_CM_HMAC_SHA1_80", 46, &[]),
        ("AEAD_AES_128_GCM", 28, &[]),
        ("AEAD_AES_256_GCM", 44, &[]),
    ] {
        let key: Vec<u8> = (1..).take(key_len).collect();
        let mut line = format!("{suite} {}", base16ct::lower::encode_string(&key));
        if !mki.is_empty() {
            line += " mki=";
            line += &base16ct::lower::encode_string(mki);
        }
        let mut policy = Policy::new(suite, Direction::Outbound, &key);
        policy.ssrc = Some(SSRC);
        policy.mki = mki;
        let mut session = Session::start(&program, &policy).unwrap();
        session.set_roc(41).unwrap().unwrap();
        // Across a wrap of the sequence number, in a capture that says nothing of the ROC.
        let mut source = RtpSource::new(SSRC, 65_500, 0);
        let (mut plain, mut protected) = (Vec::new(), Vec::new());
        let (from, to) = (v6(1, 4000), v6(2, 5000));
        for number in 0..100 {
            let report =
                (number % 20 == 19).then(|| rtcp::sender_report(&source, 7, "alice").unwrap());
            let packet = report.unwrap_or_else(|| source.packet(&[0x5a; 160]));
            let task = if is_rtcp(&packet) {
                Task::ProtectRtcp(&packet)
            } else {
                Task::ProtectRtp(&packet)
            };
            let sealed = session.call(task).unwrap().unwrap();
            plain.push(frame(LINKS[3].2, from, to, &packet));
            protected.push(frame(LINKS[3].2, from, to, &sealed));
        }
        let (out, said) = decrypt(suite, &capture(FORMS[5], 1, &protected), &["--key", &line]);
        let kept: Vec<_> = plain.into_iter().enumerate().collect();
        assert!(out == written(1, &kept), "{suite}: {said}");
        assert!(said.contains("95 RTP, 5 RTCP, from ROC 41"), "{said}");
    }
}

/// What Wireshark's `editcap` makes of a capture, in its own forms, opens as the capture itself.
#[test]
fn captures_of_editcap_become_plain() {
    let line =
        "AES_CM_128_HMAC_SHA1_80 e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6";
    // A published packet.
    let sealed = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
    let plain = "800f1234decafbadcafebabeabababababababababababababababab";
    let octets = |hex: &str| base16ct::lower::decode_vec(hex).unwrap();
    let framed = |hex: &str| frame(LINKS[3].1, v4(1, 4000), v4(2, 5000), &octets(hex));
    let source = scratch("editcap.pcap");
    fs::write(&source, capture(FORMS[2], 1, &[framed(sealed)])).unwrap();
    for form in ["pcap", "nsecpcap", "pcapng"] {
        let out = scratch(&format!("editcap.{form}"));
        let output = Command::new("editcap")
            .args(["-F", form])
            .arg(&source)
            .arg(&out)
            .output();
        let output = output.map_err(|error| PeerError::Io {
            program: "editcap",
            error,
        });
        let Some(output) = peer::or_not_run("editcap", output) else {
            return;
        };
        assert!(output.status.success());
        let (out, _) = decrypt(form, &fs::read(&out).unwrap(), &["--key", line]);
        assert!(out == written(1, &[(0, framed(plain))]), "{form}");
    }
}

/// Audio that FFmpeg protects with the key of an SDP offer, caught on its way; the plain packets have
/// the samples that it was given, and tshark finds their checksums right.
#[test]
fn a_call_of_ffmpeg_becomes_plain() {
    let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let wav = scratch("sent.wav");
    // Samples that the codec does not change.
    let melody = audio::melody().into_iter().take(8000);
    let melody: Vec<i16> = melody
        .map(|sample| decode_ulaw(encode_ulaw(sample)))
        .collect();
    WavFile::create(&wav).unwrap().write(&melody).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&wav)
        .args(["-c:a", "pcm_mulaw", "-f", "rtp"])
        .args([
            "-srtp_out_suite",
            "AES_CM_128_HMAC_SHA1_80",
            "-srtp_out_params",
            key,
        ])
        .arg(format!("srtp://127.0.0.1:{port}?rtcpport={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| PeerError::Io {
            program: "ffmpeg",
            error,
        });
    let Some(mut ffmpeg) = peer::or_not_run("ffmpeg", ffmpeg) else {
        return;
    };
    let (mut frames, mut heard) = (Vec::new(), 0);
    while heard < melody.len() {
        let mut packet = BytesMut::zeroed(2000);
        let len = socket.recv(&mut packet).expect("a packet in time");
        if !is_rtcp(&packet[..len]) {
            heard += len - rtp::HEADER_LEN - 10;
        }
        frames.push(frame(LINKS[6].1, v4(1, 4000), v4(2, port), &packet[..len]));
    }
    assert!(ffmpeg.wait().unwrap().success());

    let sdp = |port: u16, key: &str| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio {port} RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n"
        )
    };
    let (offer, answer) = (scratch("offer.sdp"), scratch("answer.sdp"));
    fs::write(&offer, sdp(4000, key)).unwrap();
    let other = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    fs::write(&answer, sdp(port, other)).unwrap();
    let options = [
        "--offer",
        offer.to_str().unwrap(),
        "--answer",
        answer.to_str().unwrap(),
    ];
    let (out, said) = decrypt("ffmpeg", &capture(FORMS[1], 113, &frames), &options);
    assert!(said.contains("media 1 (audio) of the offerer"), "{said}");
    assert!(said.contains("decrypted; 0 refused"), "{said}");

    let shown = tshark(
        &scratch("ffmpeg.out"),
        &[
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
            "-d",
            &format!("udp.port=={port},rtp"),
            "-T",
            "fields",
            "-e",
            "ip.checksum.status",
            "-e",
            "udp.checksum.status",
            "-e",
            "rtp.payload",
        ],
    );
    let Some(shown) = shown else {
        return;
    };
    assert!(!out.is_empty());
    let mut samples = Vec::new();
    for row in shown.lines() {
        let cells: Vec<&str> = row.split('\t').collect();
        // 1 is good.
        assert_eq!(cells[..2], ["1", "1"], "{row}");
        samples.extend(base16ct::lower::decode_vec(cells[2].replace(':', "")).unwrap());
    }
    let samples: Vec<i16> = samples.into_iter().map(decode_ulaw).collect();
    assert!(samples == melody, "{} samples", samples.len());
}

fn tshark(file: &Path, options: &[&str]) -> Option<String> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(options)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| PeerError::Io {
            program: "tshark",
            error,
        });
    let output = peer::or_not_run("tshark", output)?;
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}
