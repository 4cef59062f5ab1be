//! Self-consistency: MSRP, BFCP and T.38 through the gateway as a person runs it. The UEs have TLS of
//! their own by the crate `openssl`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod edge_gateway_support;
#[path = "edge_gateway_support/tls_calls.rs"]
mod tls_calls;
#[path = "edge_gateway_support/tls_ue.rs"]
mod tls_ue;

use core::time::Duration;
use std::{
    fs,
    io::{Read, Write},
    thread,
};

use edge_gateway_support::{TIMEOUT, datagram, folder, hears_nothing, put, sdp, start, udp};
use openssl::ssl::SslContextBuilder;
use tls_calls::{Duplex, Fax, Streams, Tcp};
use tls_ue::{
    Ue, accept, connect, listener, only_cbc, only_tls_1_1, only_tls_1_2, read, rest, shown,
};

/// Media and protocol.
const CHAT: [&str; 2] = ["message", "MSRP"];

/// `a=setup` of a UE that connects, and of a core that is connected to.
const CONNECTS: [&str; 2] = ["active", "passive"];

const MSRP: &str =
    "MSRP d93kswow SEND\r\nTo-Path: msrp://core;tcp\r\n\r\nhello\r\n-------d93kswow$\r\n";

#[test]
fn req_ta_17_a_terminating_ue_gets_tls_the_gateways_fingerprint_and_is_told_of_the_edge() {
    let ue = Ue::new();
    let mut call = Tcp::terminating("ta17", CHAT, &ue, ["active", "passive"], &[]);
    for line in ["TCP/TLS/MSRP *", "a=setup:passive", "a=3ge2ae:applied"] {
        assert!(call.to_ue.contains(line), "{}", call.to_ue);
    }
    let mut tls = ue.client(connect(call.gateway_ue)).unwrap();
    assert!(
        call.to_ue
            .contains(&format!("a=fingerprint:{}", shown(&tls)))
    );
    let mut core = call.core();
    tls.write_all(MSRP.as_bytes()).unwrap();
    assert_eq!(read(&mut core, MSRP.len()), MSRP.as_bytes());
    drop(tls);
    call.bye().succeeds();
}

#[test]
fn req_tg_01_each_stream_has_a_certificate_of_its_own() {
    let ue = Ue::new();
    let streams = Streams::begin("tg01", [&ue, &ue]);
    let certificates = [0, 1].map(|stream| {
        let tls = ue.client(connect(streams.gateway[stream])).unwrap();
        shown(&tls)
    });
    assert_ne!(certificates[0], certificates[1]);
    let sections: Vec<_> = streams.to_ue.split("m=message").skip(1).collect();
    for (section, certificate) in sections.iter().zip(&certificates) {
        assert!(section.contains(certificate.as_str()), "{}", streams.to_ue);
    }
    streams.running.bye().succeeds();
}

#[test]
fn req_tg_03_a_wrong_certificate_ends_tls_is_reported_and_nothing_is_relayed() {
    let any: fn(&mut SslContextBuilder) = |_| {};
    for version in [only_tls_1_2, any] {
        let (in_sdp, impostor) = (Ue::new(), Ue::new().with(version));
        let mut call = Tcp::originating("tg03", CHAT, &in_sdp, CONNECTS, &[]);
        let refused = impostor.client(connect(call.gateway_ue)).map(|mut tls| {
            // In TLS 1.3 the client is done before its certificate is judged.
            let _ = tls.write_all(MSRP.as_bytes());
            let mut octets = Vec::new();
            tls.read_to_end(&mut octets)
                .map_err(|error| error.to_string())
        });
        let refused = match refused {
            Ok(read) => read.unwrap_err(),
            Err(error) => error.to_string(),
        };
        assert!(refused.contains("alert bad certificate"), "{refused}");
        let ended = call.ended();
        ended.fails(
            1,
            "stream 0: the certificate does not match the fingerprint of this stream",
        );
        // The core may have been connected to, and has heard nothing.
        call.listener.set_nonblocking(true).unwrap();
        if let Ok((mut core, _)) = call.listener.accept() {
            core.set_nonblocking(false).unwrap();
            assert_eq!(rest(&mut core), b"");
        }
    }
}

#[test]
fn req_tg_04_tls_is_that_of_the_profile() {
    // Newer is taken, older and weaker is not, nor is a UE without certificate.
    for (ue, goes) in [
        (Ue::new(), true),
        (Ue::new().with(only_tls_1_2), true),
        (Ue::new().with(only_tls_1_1), false),
        (Ue::new().with(only_cbc), false),
        (Ue::new().with(only_tls_1_2).without_certificate(), false),
    ] {
        let mut call = Tcp::originating("tg04", CHAT, &ue, CONNECTS, &[]);
        let tls = ue.client(connect(call.gateway_ue));
        assert_eq!(tls.is_ok(), goes);
        if let Ok(tls) = &tls {
            let cipher = tls.ssl().current_cipher().unwrap().name();
            assert!(cipher.contains("AES") && cipher.contains("GCM"), "{cipher}");
            assert!(!tls.ssl().session_reused());
        }
        if goes {
            call.bye().says("TLS established, UE verified");
        } else {
            call.ended().fails(1, "stream 0: the TLS handshake failed");
        }
    }
}

#[test]
fn req_tg_05_what_one_side_says_arrives_at_the_other_octet_for_octet() {
    let ue = Ue::new();
    let tap = ["--tap", "tap.pcap"];
    let mut call = Tcp::originating("tg05", CHAT, &ue, CONNECTS, &tap);
    let tls = ue.client(connect(call.gateway_ue)).unwrap();
    let core = call.core();
    // More than all buffers on the way hold, both ways at once.
    let long = |seed: u8| {
        let octets = (0..=250).cycle().take(3_000_000);
        octets.map(|n: u8| n ^ seed).collect::<Vec<_>>()
    };
    let writes = (long(1), long(2));
    let mut reading = core.try_clone().unwrap();
    let (said, heard) = (writes.0.clone(), writes.1.clone());
    let at_core = thread::spawn(move || read(&mut reading, said.len()) == said);
    let mut writing = core;
    let from_core = thread::spawn(move || writing.write_all(&writes.1).map(|()| writing));
    let mut tls = Duplex(tls);
    assert!(tls.exchange(&writes.0, &heard));
    assert!(at_core.join().unwrap());
    drop(from_core.join().unwrap().unwrap());
    assert_eq!(rest(&mut tls.0), b"");
    let ended = call.bye();
    ended.succeeds();
    ended.says("3000000 octets to the core, 3000000 octets to the UE");
    ended.says("TCP released, Core");
    // REQ-LI-04, for streams.
    assert!(fs::metadata(ended.folder.join("tap.pcap")).unwrap().len() > 6_000_000);
}

#[test]
fn req_tg_06_the_gateway_is_tls_server_and_tls_client_in_both_tcp_roles() {
    // MSRP: active is client. BFCP: the answerer is server, whatever its TCP role.
    for (media, protocol, originating, ue_is_active, ue_is_client) in [
        ("message", "MSRP", true, true, true),
        ("message", "MSRP", true, false, false),
        ("message", "MSRP", false, true, true),
        ("application", "BFCP", true, true, true),
        ("application", "BFCP", true, false, true),
        ("application", "BFCP", false, true, false),
    ] {
        let ue = Ue::new();
        let setup = if ue_is_active {
            CONNECTS
        } else {
            ["passive", "active"]
        };
        let mut call = if originating {
            Tcp::originating("tg06", [media, protocol], &ue, setup, &[])
        } else {
            Tcp::terminating("tg06", [media, protocol], &ue, setup, &[])
        };
        let tcp = if ue_is_active {
            connect(call.gateway_ue)
        } else {
            accept(&call.ue_listener)
        };
        let tls = if ue_is_client {
            ue.client(tcp)
        } else {
            ue.server(tcp)
        };
        let mut tls =
            tls.unwrap_or_else(|error| panic!("{media} {originating} {setup:?}: {error}"));
        assert!(call.to_ue.contains(&shown(&tls)));
        let mut core = call.core();
        tls.write_all(b"\x20\x01\x00\x00floor").unwrap();
        assert_eq!(read(&mut core, 9), b"\x20\x01\x00\x00floor");
        core.write_all(b"granted").unwrap();
        assert_eq!(read(&mut tls, 7), b"granted");
        drop((tls, core));
        call.bye().succeeds();
    }
}

#[test]
fn req_tg_12_a_certificate_of_one_stream_authenticates_no_other() {
    for swapped in [false, true] {
        let ues = [Ue::new(), Ue::new()];
        let streams = Streams::begin("tg12", [&ues[0], &ues[1]]);
        let own = usize::from(swapped);
        let tls = ues[own].client(connect(streams.gateway[0]));
        let mut passed = false;
        if let Ok(mut tls) = tls {
            let _ = tls.write_all(MSRP.as_bytes());
            passed = !swapped;
            if swapped {
                assert_eq!(rest(&mut tls), b"");
            }
        }
        assert_eq!(passed, !swapped);
        if swapped {
            let ended = streams.running.ended();
            ended.fails(1, "stream 0: the certificate does not match");
        } else {
            streams
                .running
                .bye()
                .says("stream 0         TLS established");
        }
    }
}

#[test]
fn req_cs_01_msrp_and_bfcp_of_participants_are_plain_at_the_server_by_their_own_indications() {
    for (client, media, protocol, agreed) in [
        (
            "msrp-tls;mediasec, bfcp-tls;mediasec",
            "message",
            "MSRP",
            true,
        ),
        (
            "msrp-tls;mediasec, bfcp-tls;mediasec",
            "application",
            "BFCP",
            true,
        ),
        ("msrp-tls;mediasec", "application", "BFCP", false),
        ("bfcp-tls;mediasec", "message", "MSRP", false),
    ] {
        let folder = folder("cs01");
        put(
            &folder,
            "register.sip",
            &format!(
                "REGISTER sip:home1.net SIP/2.0\r\nContact: <sip:ue@example.com>\r\nSecurity-Client: {client}\r\n"
            ),
        );
        let (ue, (_listener, port)) = (Ue::new(), listener());
        put(
            &folder,
            "1_from_ue.sdp",
            &sdp(&format!(
                "m={media} 9 TCP/TLS/{protocol} *\na=setup:active\na=3ge2ae:requested\n{}",
                ue.line()
            )),
        );
        let running = start(&folder, &["--exchange", ".", "--seconds", "60"]);
        let to_core = running.message("2_to_core.sdp");
        for secret in ["TLS", "fingerprint", "3ge2ae"] {
            assert!(!agreed || !to_core.contains(secret), "{to_core}");
        }
        assert_eq!(
            to_core.contains(&format!("m={media} 0 ")),
            !agreed,
            "{to_core}"
        );
        let port = if agreed { port } else { 0 };
        running.put(
            "3_from_core.sdp",
            &sdp(&format!(
                "m={media} {port} TCP/{protocol} *\na=setup:passive\n"
            )),
        );
        if agreed {
            running.bye().says("TCP/TLS");
        } else {
            running.ended().fails(1, "no stream is left to serve");
        }
    }
}

#[test]
fn req_t38_03_the_gateway_ends_dtls_with_the_certificate_of_the_answer() {
    for ue_is_client in [true, false] {
        let ue = Ue::new();
        let mut fax = Fax::begin("t38_03", &ue, ue_is_client);
        let mut dtls = ue.dtls(fax.ue.try_clone().unwrap(), ue_is_client).unwrap();
        assert!(fax.to_ue.contains(&shown(&dtls)), "{}", fax.to_ue);
        dtls.write_all(b"\x00\x01fax").unwrap();
        assert_eq!(datagram(&fax.core), b"\x00\x01fax");
        let ended = fax.bye();
        ended.succeeds();
        ended.says("TLS established, UE verified");
    }
}

#[test]
fn a_fax_with_a_wrong_certificate_is_refused() {
    let (in_sdp, impostor) = (Ue::new(), Ue::new());
    let mut fax = Fax::begin("wrong_fax", &in_sdp, true);
    let mut dtls = impostor.dtls(fax.ue.try_clone().unwrap(), true);
    if let Ok(dtls) = &mut dtls {
        let _ = dtls.write_all(b"\x00\x01fax");
    }
    assert!(hears_nothing(&fax.core));
    fax.ended()
        .fails(1, "stream 0: the certificate does not match");
}

#[test]
fn req_t38_09_p_asserted_identity_names_the_other_endpoint() {
    let header = "P-Asserted-Identity: \"Bob\" <sip:bob@home2.net>, <tel:+4930123>\r\n".to_owned();
    let ue = Ue::new();
    let mut fax = Fax::answered("t38_09", &ue, true, &[], &format!("{header}\r\n"));
    assert!(fax.to_ue.starts_with(&header), "{}", fax.to_ue);
    let ended = fax.bye();
    ended.succeeds();
    ended.says("answered by      sip:bob@home2.net");
    ended.says("answered by      tel:+4930123");

    let mut fax = Fax::begin("t38_09_absent", &ue, true);
    let ended = fax.bye();
    assert!(!ended.stdout.contains("answered by"), "{}", ended.stdout);
}

#[test]
fn req_t38_10_datagrams_keep_their_boundaries_and_order_and_losses_stay_losses() {
    let ue = Ue::new();
    let mut fax = Fax::begin("t38_10", &ue, true);
    // What the core says before the UE is known is lost, not kept.
    fax.core
        .send_to(b"\x00\x00early", fax.gateway_core)
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let mut dtls = ue.dtls(fax.ue.try_clone().unwrap(), true).unwrap();
    let udptl = |number: u16| {
        let len = 1 + usize::from(number) * 37 % 900;
        [
            &number.to_be_bytes()[..],
            &vec![number.to_be_bytes()[1]; len],
        ]
        .concat()
    };
    // 3 and 7 are lost before the gateway, 5 comes late, 9 twice.
    let numbers = [1, 2, 4, 6, 5, 8, 9, 9, 10];
    for number in numbers {
        dtls.write_all(&udptl(number)).unwrap();
    }
    for number in numbers {
        assert_eq!(datagram(&fax.core), udptl(number));
    }
    for number in numbers {
        fax.core.send_to(&udptl(number), fax.gateway_core).unwrap();
    }
    for number in numbers {
        let mut record = vec![0; 2000];
        let len = dtls.read(&mut record).unwrap();
        assert_eq!(record[..len], udptl(number));
    }
    // From elsewhere, and no DTLS: nothing goes through, and the association stays.
    udp().send_to(b"\x00\x0bstray", fax.gateway_core).unwrap();
    fax.ue.send_to(b"\x00\x0bplain", fax.gateway_ue).unwrap();
    dtls.write_all(&udptl(11)).unwrap();
    assert_eq!(datagram(&fax.core), udptl(11));
    fax.bye().succeeds();
}

#[test]
fn garbage_and_silence_on_a_tls_port_end_in_time() {
    let ue = Ue::new();
    for octets in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 255, 255], &[]] {
        let arguments = ["--timeout", "1"];
        let mut call = Tcp::originating("garbage", CHAT, &ue, CONNECTS, &arguments);
        let mut tcp = connect(call.gateway_ue);
        tcp.write_all(octets).unwrap();
        call.ended().fails(1, "stream 0: the TLS handshake failed");
        rest(&mut tcp);
    }
    // Nobody connects; and the core does not listen.
    for listens in [true, false] {
        let arguments = ["--timeout", "1"];
        let mut call = Tcp::originating("nobody", CHAT, &ue, CONNECTS, &arguments);
        if !listens {
            call.listener = listener().0;
            let _ = ue.client(connect(call.gateway_ue));
        }
        call.ended().fails(1, "a peer did not connect in time");
    }
}

#[test]
fn a_ue_that_ends_its_connection_is_no_failure_and_may_come_again() {
    let ue = Ue::new();
    let mut call = Tcp::originating("again", CHAT, &ue, CONNECTS, &["--timeout", "1"]);
    for _ in 0..2 {
        let mut tls = ue.client(connect(call.gateway_ue)).unwrap();
        let mut core = call.core();
        tls.write_all(MSRP.as_bytes()).unwrap();
        assert_eq!(read(&mut core, MSRP.len()), MSRP.as_bytes());
        tls.shutdown().unwrap();
        // The core's connection is released with TLS.
        assert_eq!(rest(&mut core), b"");
        thread::sleep(Duration::from_millis(1500));
    }
    let ended = call.bye();
    ended.succeeds();
    assert_eq!(
        ended.stdout.matches("TLS released").count(),
        2,
        "{}",
        ended.stdout
    );
}

#[test]
fn a_fax_machine_that_vanishes_is_noticed() {
    let ue = Ue::new();
    let mut fax = Fax::answered("vanishes", &ue, true, &["--timeout", "1"], "");
    let mut dtls = ue.dtls(fax.ue.try_clone().unwrap(), true).unwrap();
    dtls.write_all(b"\x00\x01fax").unwrap();
    assert_eq!(datagram(&fax.core), b"\x00\x01fax");
    fax.ended().fails(1, "nothing heard of the UE in time");
}
