//! Self-consistency: the gateway as a person runs it, between a UE with SRTP and a core with RTP, and
//! with bad input.
//!
//! `cargo test` builds the program before it runs this; `cargo test --test edge_gateway` takes the
//! one that is there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

extern crate alloc;

mod edge_gateway_support;
#[path = "edge_gateway_support/rtp_call.rs"]
mod rtp_call;

use alloc::collections::BTreeSet;
use core::time::Duration;
use std::{fs, net::UdpSocket, os::unix::fs::PermissionsExt, thread};

use bytes::BytesMut;
use edge_gateway_support::{
    datagram, folder, hears_nothing, program, put, run, sdp, start, start_program, udp,
};
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::edge::{Alg, Message, Remote};
use interop::{rtcp, rtp::RtpSource};
use rtp_call::{Dialogue, offer_crypto};
use sdp_sec::edge::{Outcome, Policy};
use sdp_sec::mediasec::{Mechanism, MechanismSet, Source};

#[test]
fn several_calls_on_several_workers_lose_nothing() {
    let run = run(&["--calls", "6", "--workers", "3", "--seconds", "1"]);
    run.succeeds();
    run.says("6 over UDP, by 3 workers");
    for direction in ["UE to core", "core to UE"] {
        assert!(run.number(direction) > 1000);
    }
    run.says("lost 0, different 0, refused by the peer 0");
    assert!(run.number("throughput") > 0);
}

#[test]
fn conversion_alone_is_measured_in_memory() {
    let gcm = ["--suite", "AEAD_AES_128_GCM", "--payload", "1200"];
    for suite in [&[][..], &gcm] {
        let arguments = [&["--in-memory", "--calls", "300", "--seconds", "1"], suite].concat();
        let run = run(&arguments);
        run.succeeds();
        run.says("300 in memory");
        assert!(run.number("throughput") > 0);
    }
}

#[test]
fn a_second_process_takes_over_under_load_and_nothing_is_lost() {
    let run = run(&["--calls", "5", "--seconds", "2", "--hand-over", "1"]);
    run.succeeds();
    run.says("5 calls taken over by process");
    assert_eq!(
        run.stdout
            .matches("lost 0, different 0, refused by the peer 0")
            .count(),
        2
    );
    // Both processes have converted.
    let converted: Vec<_> = run
        .stdout
        .lines()
        .filter(|l| l.starts_with("converted"))
        .collect();
    assert_eq!(converted.len(), 2);
    assert!(
        converted
            .iter()
            .all(|line| !line.contains(" 0 SRTP to RTP")),
        "{converted:?}"
    );
}

#[test]
fn where_no_second_process_can_begin_the_calls_go_on_in_the_first() {
    let folder = folder("no_second");
    let copy = folder.join("copy");
    fs::copy(program(), &copy).unwrap();
    let running = start_program(&copy, &folder, &["--seconds", "2", "--hand-over", "1"]);
    fs::remove_file(copy).unwrap();
    let ended = running.ended();
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("the calls go on here"),
        "{}",
        ended.stderr
    );
    let whole = "lost 0, different 0, refused by the peer 0";
    assert_eq!(ended.stdout.matches(whole).count(), 2, "{}", ended.stdout);
}

#[test]
fn req_agw_02_conversion_keeps_header_payload_ssrc_and_sequence_number() {
    let mut call = Dialogue::begin("conversion", &["--seconds", "2"], "");
    let mut sources = [RtpSource::new(7, 65_534, 1), RtpSource::new(8, 3, 9)];
    for number in 0..5 {
        let [ue, core] = sources
            .each_mut()
            .map(|source| source.packet(&[number; 33]));
        call.ue_sends(&ue);
        assert_eq!(datagram(&call.core), ue);
        call.core.send_to(&core, call.gateway_core.media).unwrap();
        let protected = datagram(&call.ue);
        assert_ne!(protected[12..], core[12..]);
        assert_eq!(call.opened(&protected), core);
    }
    let ended = call.bye();
    ended.succeeds();
    ended.says("5 SRTP to RTP, 5 RTP to SRTP, 0 reports");
}

#[test]
fn req_agw_03_rtcp_is_converted_on_its_own_port_and_on_rtcp_mux() {
    for mux in ["", "a=rtcp-mux\n"] {
        let mut call = Dialogue::begin("rtcp", &["--seconds", "1"], mux);
        let source = RtpSource::new(7, 0, 0);
        let plain = rtcp::sender_report(&source, 1, "ue@example.com").unwrap();
        let mut report = plain.clone();
        call.sender.protect_rtcp(&mut report).unwrap();
        assert_ne!(report[8..], plain[8..]);
        let to = |remote: Remote| {
            if mux.is_empty() {
                remote.rtcp
            } else {
                remote.media
            }
        };
        let (ue, core) = if mux.is_empty() {
            (&call.ue_rtcp, &call.core_rtcp)
        } else {
            (&call.ue, &call.core)
        };
        ue.send_to(&report, to(call.gateway_ue)).unwrap();
        assert_eq!(datagram(core), plain);
        core.send_to(&plain, to(call.gateway_core)).unwrap();
        let mut report = BytesMut::from(&*datagram(ue));
        assert_ne!(report[8..plain.len()], plain[8..]);
        call.receiver.unprotect_rtcp(&mut report).unwrap();
        assert_eq!(report, plain);
        let ended = call.bye();
        ended.succeeds();
        ended.says("2 reports");
    }
}

#[test]
fn after_a_hand_over_no_packet_is_lost_and_no_index_used_again() {
    let mut call = Dialogue::begin("hand_over", &["--hand-over", "1"], "a=rtcp-mux\n");
    let mut sources = [RtpSource::new(7, 65_400, 0), RtpSource::new(8, 65_400, 0)];
    let (mut indices, mut first) = (BTreeSet::new(), None);
    for number in 0..300_u16 {
        let [ue, core] = sources
            .each_mut()
            .map(|source| source.packet(&number.to_be_bytes()));
        let sent = call.ue_sends(&ue);
        first.get_or_insert(sent);
        assert_eq!(datagram(&call.core), ue);
        let report = rtcp::sender_report(&sources[1], 1, "core@example.com").unwrap();
        for packet in [&core, &report] {
            call.core.send_to(packet, call.gateway_core.media).unwrap();
        }
        // RTP and RTCP may overtake one another.
        for _ in 0..2 {
            let mut packet = BytesMut::from(&*datagram(&call.ue));
            if interop::rtp::is_rtcp(&packet) {
                let end = packet.len() - 10;
                let index: [u8; 4] = packet[end - 4..end].try_into().unwrap();
                assert!(
                    indices.insert(u32::from_be_bytes(index)),
                    "an SRTCP index twice"
                );
                call.receiver.unprotect_rtcp(&mut packet).unwrap();
            } else {
                // The receiver refuses an index that it has seen.
                call.receiver.unprotect_rtp(&mut packet).unwrap();
                assert_eq!(packet, core);
            }
        }
        thread::sleep(Duration::from_millis(8));
    }
    assert_eq!(call.receiver.stream(8).map(|stream| stream.roc), Some(1));
    // The second process knows what the first one has opened.
    let seen = call.ue_sends(&sources[0].packet(b"once"));
    datagram(&call.core);
    for packet in [&seen, &first.unwrap()] {
        call.ue.send_to(packet, call.gateway_ue.media).unwrap();
    }
    assert!(hears_nothing(&call.core));
    let ended = call.bye();
    ended.succeeds();
    ended.says("1 calls taken over by process");
    let converted: Vec<_> = ended
        .stdout
        .lines()
        .filter(|l| l.starts_with("converted"))
        .collect();
    assert_eq!(converted.len(), 2, "{}", ended.stdout);
    assert!(!ended.stdout.contains(" 0 SRTP to RTP"), "{}", ended.stdout);
    ended.says("2 replayed");
}

#[test]
fn req_ta_02_the_gateway_is_in_the_path_of_each_stream() {
    let folder = folder("path");
    let (crypto, other) = (offer_crypto().1, offer_crypto().1);
    put(
        &folder,
        "1_from_ue.sdp",
        &sdp(&format!(
            "m=audio 4000 RTP/SAVP 0\na=3ge2ae:requested\n{crypto}m=video 4002 RTP/SAVP 99\n\
         a=3ge2ae:requested\n{other}m=video 4004 RTP/AVP 31\n"
        )),
    );
    let running = start(&folder, &["--exchange", ".", "--seconds", "60"]);
    let to_core = running.receives("2_to_core.sdp");
    running.put(
        "3_from_core.sdp",
        &sdp("m=audio 5000 RTP/AVP 0\nm=video 5002 RTP/AVP 99\nm=video 5004 RTP/AVP 31\n"),
    );
    let to_ue = running.receives("4_to_ue.sdp");
    let ports = |remote: &[Option<Remote>]| {
        remote
            .iter()
            .map(|r| r.unwrap().media.port())
            .collect::<Vec<_>>()
    };
    let (core, ue) = (ports(&to_core), ports(&to_ue));
    let own: BTreeSet<u16> = core[..2].iter().chain(&ue[..2]).copied().collect();
    assert_eq!(own.len(), 4, "a port for each termination of each stream");
    assert!(
        own.iter().all(|port| !(4000..=5004).contains(port)),
        "{own:?}"
    );
    assert_eq!(
        (core[2], ue[2]),
        (4004, 5004),
        "what is not the edge's concern passes"
    );
    running.bye().succeeds();
}

#[test]
fn req_reg_07_a_diverted_to_ue_gets_what_it_registered() {
    let register = |contact: &str, client: &str| {
        format!("REGISTER sip:home1.net SIP/2.0\r\nContact: <{contact}>\r\n{client}\r\n")
    };
    // Bob has indicated SRTP and Carol, to whom he diverts, has not; and the other way round.
    let client = "Security-Client: sdes-srtp;mediasec\r\n";
    for (bob, carol) in [(client, ""), ("", client)] {
        let folder = folder("diverted");
        put(
            &folder,
            "register_bob.sip",
            &register("sip:bob@192.0.2.1", bob),
        );
        put(
            &folder,
            "register_carol.sip",
            &register("sip:carol@192.0.2.2", carol),
        );
        // What the core sends to Carol for Bob: the diversion is told, and counts for nothing.
        let invite = "INVITE sip:carol@192.0.2.2;user=phone SIP/2.0\r\n\
             History-Info: <sip:bob@home1.net>;index=1, <sip:carol@home1.net;cause=302>;index=1.1\r\n\r\n";
        let invite = invite.replace(";user=phone", "");
        put(
            &folder,
            "1_from_core.sdp",
            &(invite + &sdp("m=audio 5000 RTP/AVP 0\n")),
        );
        let running = start(
            &folder,
            &["--exchange", ".", "--seconds", "1", "--timeout", "1"],
        );
        let offer = running.message("2_to_ue.sdp");
        let protected = !carol.is_empty();
        assert_eq!(offer.contains("RTP/SAVP"), protected, "{offer}");
        assert_eq!(offer.contains("a=crypto:"), protected);
        assert_eq!(offer.contains("a=3ge2ae:applied"), protected);
        running.ended().fails(1, "no answer within 1 s");
    }
}

#[test]
fn req_li_04_the_tap_gets_the_clear_content_of_both_directions() {
    let mut call = Dialogue::begin("tap", &["--tap", "tap.pcap"], "");
    let (said, heard) = (
        RtpSource::new(7, 1, 1).packet(b"said in clear, 32 octets of it.."),
        RtpSource::new(8, 1, 1).packet(b"heard in clear, 32 octets of it."),
    );
    let protected = call.ue_sends(&said);
    datagram(&call.core);
    call.core.send_to(&heard, call.gateway_core.media).unwrap();
    let to_ue = datagram(&call.ue);
    // Forged content is no content.
    call.ue
        .send_to(
            &RtpSource::new(9, 1, 1).packet(b"never said"),
            call.gateway_ue.media,
        )
        .unwrap();
    let folder = call.folder.clone();
    call.bye().succeeds();
    let tap = fs::read(folder.join("tap.pcap")).unwrap();
    let has = |octets: &[u8]| tap.windows(octets.len()).any(|part| part == octets);
    assert!(has(&said) && has(&heard));
    assert!(!has(&protected[12..44]) && !has(&to_ue[12..44]) && !has(b"never said"));
    assert!(has(&252_u32.to_be_bytes()));
}

#[test]
fn req_li_07_the_edge_never_takes_a_protected_call_into_the_clear() {
    // A UE whose new domain carries no SRTP cannot just go on in clear on the call that it has: what
    // its user decides is a new stream.
    let mut rng = UnwrapErr(SysRng);
    let everything: MechanismSet = Mechanism::ALL.into_iter().collect();
    let mut alg = Alg::new([127, 0, 0, 1].into(), everything, Policy::default());
    alg.register("sip:ue", &["sdes-srtp;mediasec"]).unwrap();
    let protected = format!(
        "m=audio 4000 RTP/SAVP 0\na=3ge2ae:requested\n{}",
        offer_crypto().1
    );
    let message = |media: &str| Message::new(sdp(media).as_bytes());
    let mut offer = |dialogue, media: &str| {
        let offer = message(media);
        let offered = alg.offer("sip:ue", dialogue, Source::Ue, &offer, |_| None, &mut rng);
        let answer = message("m=audio 5000 RTP/AVP 0\n");
        offered.and_then(|(exchange, _)| exchange.answered(&answer, |_| None, &mut rng))
    };
    let (established, _) = offer(None, &protected).unwrap();
    assert!(matches!(established.outcomes(), [Outcome::Rtp(_)]));
    for clear in [
        "m=audio 4000 RTP/AVP 0\n",
        "m=audio 4000 RTP/AVP 0\na=3ge2ae:requested\n",
    ] {
        let dialogue = Some(established.dialogue().clone());
        assert!(offer(dialogue, clear).is_err(), "{clear}");
    }

    // RTP in clear on the access leg of a protected call goes nowhere.
    let call = Dialogue::begin("srvcc", &["--seconds", "1"], "");
    let packet = RtpSource::new(7, 1, 1).packet(&[1; 20]);
    call.ue.send_to(&packet, call.gateway_ue.media).unwrap();
    assert!(hears_nothing(&call.core));
    let ended = call.bye();
    ended.succeeds();
    ended.says("0 SRTP to RTP");
    ended.says("1 forged");
}

#[test]
fn req_cs_01_e2ae_of_participants_is_invisible_to_the_conference_server() {
    let mut calls = ["one", "two"].map(|name| Dialogue::begin(name, &["--seconds", "1"], ""));
    for (call, number) in calls.iter_mut().zip(0..) {
        for secret in ["crypto", "SAVP", "3ge2ae", "fingerprint"] {
            assert!(!call.to_core.contains(secret), "{}", call.to_core);
        }
        let packet = RtpSource::new(7, number, 0).packet(&[1; 160]);
        call.ue_sends(&packet);
        assert_eq!(datagram(&call.core), packet);
    }
    for call in calls {
        call.bye().succeeds();
    }
}

#[test]
fn garbage_replays_and_strays_are_dropped_and_counted() {
    let mut call = Dialogue::begin("garbage", &["--seconds", "2"], "");
    let packet = RtpSource::new(7, 1, 0).packet(&[5; 160]);
    let protected = call.ue_sends(&packet);
    assert_eq!(datagram(&call.core), packet);
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    for octets in [
        &[][..],
        &[0xff; 3],
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x80; 3000],
        &protected,
    ] {
        call.ue.send_to(octets, call.gateway_ue.media).unwrap();
        call.ue.send_to(octets, call.gateway_ue.rtcp).unwrap();
        stranger.send_to(octets, call.gateway_core.media).unwrap();
    }
    assert!(hears_nothing(&call.core));
    let ended = call.bye();
    ended.succeeds();
    ended.says("1 SRTP to RTP, 0 RTP to SRTP, 0 reports");
    ended.says("1 replayed");
    assert!(!ended.stdout.contains(" 0 strayed"), "{}", ended.stdout);
}

#[test]
fn a_peer_that_vanishes_is_noticed() {
    let mut call = Dialogue::begin("vanishes", &["--timeout", "1"], "");
    let packet = RtpSource::new(7, 1, 0).packet(&[5; 160]);
    call.ue_sends(&packet);
    assert_eq!(datagram(&call.core), packet);
    call.running
        .ended()
        .fails(1, "call 0: nothing heard of the ");
}

#[test]
fn what_a_gateway_prints_has_no_key_in_it() {
    let call = Dialogue::begin("secrets", &["--seconds", "1"], "");
    let (ue_key, own) = (call.ue_key.clone(), call.to_ue.clone());
    let own_key = own
        .split("inline:")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let folder = call.folder.clone();
    let ended = call.bye();
    for key in [&ue_key, &own_key] {
        assert!(key.len() >= 40);
        assert!(!ended.stdout.contains(key.as_str()) && !ended.stderr.contains(key.as_str()));
    }
    let mode = fs::metadata(folder.join("4_to_ue.sdp"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_wrong_description_is_refused_in_one_line() {
    let good = format!(
        "m=audio 4000 RTP/SAVP 0\na=3ge2ae:requested\n{}",
        offer_crypto().1
    );
    let no_key = "m=audio 4000 RTP/SAVP 0\na=3ge2ae:requested\n";
    for (offer, answer, status, reason) in [
        ("nonsense".to_owned(), None, 2, "header line 1"),
        (String::new(), None, 2, "no session description"),
        ("v=0\r\nm=audio\r\n".to_owned(), None, 2, "line 2"),
        (
            "v=0\r\nm=audio 4000 RTP/SAVP 0\r\n".to_owned(),
            None,
            2,
            "no c= line",
        ),
        (
            sdp(&good),
            Some("v=0\r\n".to_owned()),
            1,
            "the number of m-lines does not fit",
        ),
        (
            sdp(&good),
            Some(sdp("m=audio 0 RTP/AVP 0\n")),
            1,
            "no stream is left to serve",
        ),
        (
            sdp(no_key),
            Some(sdp("m=audio 5000 RTP/AVP 0\n")),
            1,
            "no stream is left to serve",
        ),
    ] {
        let folder = folder("wrong");
        put(&folder, "1_from_ue.sdp", &offer);
        if let Some(answer) = answer {
            put(&folder, "3_from_core.sdp", &answer);
        }
        let running = start(
            &folder,
            &["--exchange", ".", "--seconds", "1", "--timeout", "1"],
        );
        running.ended().fails(status, reason);
    }
}

#[test]
fn bad_arguments_are_refused() {
    for (arguments, reason) in [
        (&["--suite", "ROT13"][..], "AEAD_AES_256_GCM"),
        (&["--calls", "0"], "1 to 4000"),
        (&["--calls"], "--calls"),
        (&["--seconds", "soon"], "1 to 86400"),
        (&["--workers", "-1"], "1 to 256"),
        (&["--payload", "1401"], "1 to 1400"),
        (&["--address", "somewhere"], "somewhere"),
        (&["--ports", "5-4"], "not a range of ports"),
        (&["--in-memory", "--hand-over", "1"], "--in-memory"),
        (&["--hand-over", "2"], "--hand-over"),
        (
            &["--tap", "no/such/folder/tap.pcap", "--seconds", "1"],
            "--tap",
        ),
        (&["--exchange", "no/such/folder"], "no/such/folder"),
        (&["--exchange", "."], "1_from_core.sdp"),
        (&["--unknown"], "--unknown"),
        (&["stray"], "stray"),
    ] {
        let ended = start(&folder("arguments"), arguments).ended();
        ended.fails(2, reason);
    }
}

#[test]
fn a_port_that_is_taken_and_an_address_of_another_host_end_it() {
    let taken = udp();
    let port = taken.local_addr().unwrap().port();
    run(&["--ports", &format!("{port}-{port}")]).fails(1, "no port: every port of the range");
    run(&["--address", "192.0.2.1"]).fails(2, "--address 192.0.2.1");
}

#[test]
fn a_second_process_without_a_first_one_does_not_begin() {
    run(&["--take-over"]).fails(1, "hand-over");
}

#[test]
fn help_names_every_option() {
    let help = run(&["--help"]);
    help.succeeds();
    for option in [
        "calls",
        "seconds",
        "workers",
        "payload",
        "suite",
        "in-memory",
        "hand-over",
        "address",
        "ports",
        "timeout",
        "tap",
        "exchange",
    ] {
        help.says(&format!("--{option}"));
    }
}
