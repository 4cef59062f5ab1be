//! Independent implementation: FFmpeg as a UE with SRTP, GnuTLS as one with TLS and DTLS, OpenSSL's
//! own program as one with TLS, each against the gateway; and the tap as `tshark` reads it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod edge_gateway_support;

use core::{net::SocketAddr, time::Duration};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use edge_gateway_support::{Running, datagram, folder, put, sdp, start, udp};
use interop::edge::tls::Certificate;
use interop::peer::{self, PeerError};
use interop::rtp::{self, Header, RtpSource};

/// The UE's key, for FFmpeg's command line.
const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

#[test]
fn ffmpeg_talks_srtp_to_the_gateway_and_the_core_hears_rtp() {
    let (folder, core) = (folder("ffmpeg"), udp());
    let port = core.local_addr().unwrap().port();
    put(
        &folder,
        "1_from_ue.sdp",
        &sdp(&format!(
            "m=audio 4000 RTP/SAVP 0\na=3ge2ae:requested\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\na=rtcp-mux\n"
        )),
    );
    put(
        &folder,
        "3_from_core.sdp",
        &sdp(&format!("m=audio {port} RTP/AVP 0\na=rtcp-mux\n")),
    );
    let running = start(
        &folder,
        &["--exchange", ".", "--seconds", "60", "--tap", "tap.pcap"],
    );
    let gateway = running.receives("4_to_ue.sdp")[0].unwrap().media.port();
    let ffmpeg = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=8000",
        ])
        .args(["-t", "1", "-c:a", "pcm_mulaw", "-f", "rtp"])
        .args([
            "-srtp_out_suite",
            "AES_CM_128_HMAC_SHA1_80",
            "-srtp_out_params",
            KEY,
        ])
        .arg(format!("srtp://127.0.0.1:{gateway}?rtcpport={gateway}"))
        .stdin(Stdio::null())
        .spawn();
    let Some(mut ffmpeg) = started("ffmpeg", ffmpeg) else {
        return;
    };
    // A second of audio, in whatever packets FFmpeg makes of it, and its reports.
    let (mut samples, mut reports, mut last) = (0, 0, None);
    while samples < 7900 || reports == 0 {
        let packet = datagram(&core);
        if rtp::is_rtcp(&packet) {
            assert_eq!(packet[0] >> 6, 2);
            reports += 1;
            continue;
        }
        let header = Header::read(&packet).unwrap();
        assert!(last.is_none_or(|last: u16| last.wrapping_add(1) == header.sequence_number));
        last = Some(header.sequence_number);
        samples += packet.len() - rtp::HEADER_LEN;
    }
    assert!(ffmpeg.wait().unwrap().success());
    running.bye().succeeds();
    tap_is_rtp(&folder.join("tap.pcap"));
}

/// `tshark` shows the tap's packets as RTP.
fn tap_is_rtp(tap: &Path) {
    let tshark = Command::new("tshark")
        .args([
            "-T",
            "fields",
            "-e",
            "rtp.ssrc",
            "-Y",
            "rtp.p_type == 0",
            "-r",
        ])
        .arg(tap)
        .stderr(Stdio::null())
        .output();
    if let Some(shown) = started("tshark", tshark) {
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(text.lines().count() > 4, "{text}");
    }
}

#[test]
fn what_the_core_says_arrives_at_ffmpeg() {
    // FFmpeg reads what the gateway answers the UE with: the gateway's own key is in it.
    let (folder, core) = (folder("to_ffmpeg"), udp());
    let ue = udp().local_addr().unwrap().port() & !1;
    put(
        &folder,
        "1_from_ue.sdp",
        &sdp(&format!(
            "m=audio {ue} RTP/SAVP 0\na=3ge2ae:requested\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\n"
        )),
    );
    let port = core.local_addr().unwrap().port();
    put(
        &folder,
        "3_from_core.sdp",
        &sdp(&format!("m=audio {port} RTP/AVP 0\n")),
    );
    let running = start(&folder, &["--exchange", ".", "--seconds", "60"]);
    let answer = running.message("4_to_ue.sdp");
    let to = running.receives("2_to_core.sdp")[0].unwrap().media;
    // Towards FFmpeg the description names FFmpeg's own port.
    let gateway = running.receives("4_to_ue.sdp")[0].unwrap().media.port();
    let ours = answer.replace(&format!("m=audio {gateway}"), &format!("m=audio {ue}"));
    fs::write(folder.join("ffmpeg.sdp"), ours).unwrap();
    let ffmpeg = Command::new("ffmpeg")
        .current_dir(&folder)
        .args([
            "-v",
            "error",
            "-protocol_whitelist",
            "file,rtp,udp,srtp,crypto",
            "-i",
            "ffmpeg.sdp",
        ])
        .args(["-t", "1", "-f", "mulaw", "-y", "heard.ulaw"])
        .stdin(Stdio::null())
        .spawn();
    let Some(mut ffmpeg) = started("ffmpeg", ffmpeg) else {
        return;
    };
    let mut source = RtpSource::new(0x5eed_cafe, 1, 0);
    for number in (0..).take(1000) {
        let payload = [0x40 + u8::try_from(number % 16).unwrap(); 160];
        core.send_to(&source.packet(&payload), to).unwrap();
        thread::sleep(Duration::from_millis(5));
        if ffmpeg.try_wait().unwrap().is_some() {
            break;
        }
    }
    assert!(ffmpeg.wait().unwrap().success());
    let heard = fs::read(folder.join("heard.ulaw")).unwrap();
    assert_eq!(heard.len(), 8000);
    // Each octet is that of its packet, and packets follow one another.
    let levels: Vec<u8> = heard.chunks(160).map(|chunk| chunk[80]).collect();
    assert!(
        levels
            .windows(2)
            .all(|two| two[1] == 0x40 + (two[0] - 0x40 + 1) % 16),
        "{levels:?}"
    );
}

#[test]
fn gnutls_and_openssl_talk_msrp_to_the_gateway() {
    for program in ["gnutls-cli", "openssl"] {
        let (folder, core) = (folder(program), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = core.local_addr().unwrap().port();
        let certificate = certificate(&folder);
        let answer = format!("m=message {port} TCP/MSRP *\na=setup:passive\n");
        let media = "message 9 TCP/TLS/MSRP *";
        let (running, gateway) = offered(&folder, &certificate, media, "active", &answer);
        let Some(mut peer) = started(program, ue(program, &folder, gateway)) else {
            return;
        };
        let mut core = core.accept().unwrap().0;
        peer.stdin
            .as_mut()
            .unwrap()
            .write_all(b"MSRP hello\n")
            .unwrap();
        let mut said = [0; 11];
        core.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"MSRP hello\n");
        core.write_all(b"MSRP 200 OK\n").unwrap();
        drop(core);
        let mut heard = String::new();
        peer.stdout
            .as_mut()
            .unwrap()
            .read_to_string(&mut heard)
            .unwrap();
        assert!(heard.contains("MSRP 200 OK"), "{program}: {heard}");
        peer.kill().unwrap();
        peer.wait().unwrap();
        let ended = running.bye();
        ended.succeeds();
        ended.says("TLS established, UE verified");
    }
}

#[test]
fn gnutls_talks_udptl_over_dtls_to_the_gateway() {
    let (folder, core) = (folder("gnutls_dtls"), udp());
    let certificate = certificate(&folder);
    let port = udp().local_addr().unwrap().port();
    let gnutls = Command::new("gnutls-serv")
        .current_dir(&folder)
        .args([
            "--udp",
            "--echo",
            "--x509certfile",
            "ue.pem",
            "--x509keyfile",
            "ue.pem",
        ])
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Some(mut gnutls) = started("gnutls-serv", gnutls) else {
        return;
    };
    let core_port = core.local_addr().unwrap().port();
    let media = format!("image {port} UDP/TLS/UDPTL t38");
    let answer = format!("m=image {core_port} udptl t38\n");
    let (running, _) = offered(&folder, &certificate, &media, "passive", &answer);
    let gateway = running.receives("2_to_core.sdp")[0].unwrap().media;
    // Lost until the association is there.
    core.set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let echo = (0..100).find_map(|_| {
        core.send_to(b"\x00\x01one datagram", gateway).unwrap();
        let mut octets = [0; 100];
        core.recv(&mut octets)
            .ok()
            .map(|len| octets[..len].to_vec())
    });
    gnutls.kill().unwrap();
    gnutls.wait().unwrap();
    assert_eq!(echo.as_deref(), Some(&b"\x00\x01one datagram"[..]));
    let ended = running.bye();
    ended.says("TLS established, UE verified");
}

/// The UE's certificate, in `ue.pem` too: its fingerprint.
fn certificate(folder: &Path) -> String {
    let certificate = Certificate::generate().unwrap();
    fs::write(folder.join("ue.pem"), certificate.to_pem().unwrap()).unwrap();
    certificate.fingerprint().to_string()
}

/// A dialogue of a UE with this certificate: where the gateway receives.
fn offered(
    folder: &Path,
    certificate: &str,
    media: &str,
    setup: &str,
    answer: &str,
) -> (Running, SocketAddr) {
    put(
        folder,
        "1_from_ue.sdp",
        &sdp(&format!(
            "m={media}\na=setup:{setup}\na=3ge2ae:requested\na=fingerprint:{certificate}\n"
        )),
    );
    put(folder, "3_from_core.sdp", &sdp(answer));
    let running = start(folder, &["--exchange", ".", "--seconds", "60"]);
    let gateway = running.receives("4_to_ue.sdp")[0].unwrap().media;
    (running, gateway)
}

/// The program as TLS client of the gateway.
fn ue(program: &str, folder: &Path, gateway: SocketAddr) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    if program == "openssl" {
        command.args(["s_client", "-quiet", "-cert", "ue.pem", "-key", "ue.pem"]);
        command.arg("-connect").arg(gateway.to_string());
    } else {
        command.args([
            "--insecure",
            "--x509certfile",
            "ue.pem",
            "--x509keyfile",
            "ue.pem",
        ]);
        command.args(["--port", &gateway.port().to_string(), "127.0.0.1"]);
    }
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

fn started<T>(program: &'static str, result: std::io::Result<T>) -> Option<T> {
    let result = result.map_err(|error| PeerError::Io { program, error });
    peer::or_not_run("edge_gateway_peers", result)
}
