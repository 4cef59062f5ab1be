//! Self-consistency: the MSRP session over TLS-PSK as a person runs it, and with bad input.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use core::time::Duration;
use std::{fs, net::TcpListener, path::Path, time::Instant};

use support::{folder, run};

#[test]
fn texts_arrive_both_ways_whoever_connects() {
    let folder = folder("msrp-texts");
    for (callee, roles) in [
        ("active", "Alice is TCP and TLS server, Bob client"),
        ("passive", "Alice is TCP and TLS client, Bob server"),
    ] {
        let ended = run("secure_msrp", &folder, &["--callee", callee]);
        ended.succeeds();
        assert!(ended.says(roles), "{}", ended.stdout);
        assert!(ended.says("texts arrived as they were sent, both ways"));
        assert!(ended.says("TLS TLSv1.2 with TLS_DHE_PSK_WITH_"));
        assert_eq!(ended.stdout.matches("a=key-mgmt:mikey ").count(), 2);
        assert_eq!(ended.stdout.matches("a=msrp-cema").count(), 2);
        assert_eq!(ended.stdout.matches("a=fingerprint").count(), 0);
    }
}

#[test]
fn a_file_arrives_octet_for_octet_whatever_its_length() {
    let folder = folder("msrp-file");
    for len in [0, 1, 2047, 2048, 2049, 300_000] {
        let octets: Vec<u8> = (0..len)
            .map(|n: u32| n.to_le_bytes()[0] ^ n.to_le_bytes()[1])
            .collect();
        fs::write(folder.join("file"), &octets).unwrap();
        let ended = run("secure_msrp", &folder, &["--file", "file", "--out", "out"]);
        ended.succeeds();
        assert!(ended.says(&format!("file: {len} octets arrived as they were sent")));
        assert!(fs::read(folder.join("out")).unwrap() == octets, "{len}");
    }
}

#[test]
fn req_psk_15_the_relay_carries_tls_records_and_never_sees_plaintext() {
    let folder = folder("msrp-relay");
    // As repetitive as can be: any part that leaked would be found.
    let file = b"confidential ".repeat(10_000);
    fs::write(folder.join("file"), &file).unwrap();
    let log = ["--relay-log", "log"];
    run(
        "secure_msrp",
        &folder,
        &[&log[..], &["--file", "file"]].concat(),
    )
    .succeeds();
    let carried = fs::read(folder.join("log")).unwrap();
    assert!(carried.len() > file.len());
    sees_nothing(&carried, &[b"confidential", b"MSRP ", b"application/octet"]);

    run("secure_msrp", &folder, &log).succeeds();
    let carried = fs::read(folder.join("log")).unwrap();
    sees_nothing(&carried, &[b"4711", b"0815", b"MSRP ", b"text/plain"]);
}

#[test]
fn req_psk_15_behind_a_relay_there_is_no_session_with_one_who_lacks_cema() {
    let ended = run("secure_msrp", &folder("msrp-cema"), &["--without-cema"]);
    ended.fails(1, "does not know msrp-cema");
    assert!(!ended.says("TLS "));
}

#[test]
fn req_psk_17_a_closed_connection_is_made_anew_with_the_same_key() {
    let folder = folder("msrp-reconnect");
    for callee in ["active", "passive"] {
        let ended = run("secure_msrp", &folder, &["--reconnect", "--callee", callee]);
        ended.succeeds();
        assert!(ended.says("The connection is closed. A new one begins with the same key."));
        assert_eq!(
            ended
                .stdout
                .matches("texts arrived as they were sent")
                .count(),
            2
        );
        // One offer and one answer: the second session has no other exchange.
        assert_eq!(ended.stdout.matches("a=key-mgmt").count(), 2);
    }
}

#[test]
fn a_peer_that_falls_silent_ends_the_session_within_the_stated_time() {
    let begin = Instant::now();
    let ended = run("secure_msrp", &folder("msrp-vanish"), &["--vanish"]);
    ended.fails(1, "the peer has fallen silent");
    assert!(begin.elapsed() < Duration::from_secs(8));
}

#[test]
fn without_a_kms_there_is_no_session() {
    let folder = folder("msrp-no-kms");
    let ended = run("secure_msrp", &folder, &["--kms", "http://127.0.0.1:1/"]);
    ended.fails(1, "the KMS at http://127.0.0.1:1/ does not answer");
    // What is there is no KMS.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", other.local_addr().unwrap());
    drop(other);
    run("secure_msrp", &folder, &["--kms", &url]).fails(1, "does not answer");
}

#[test]
fn bad_input_is_refused() {
    let folder = folder("msrp-bad-input");
    for (arguments, reason) in [
        (&["--file", "absent"][..], "absent"),
        (&["--file", "."], "."),
        (&["--file", "/dev/zero"], "longer than"),
        (&["--out", "no/such/folder"], "no/such/folder"),
        (&["--relay-log", "no/such/folder"], "no/such/folder"),
        (&["--callee", "asleep"], "active and passive"),
        (&["--kms", "here"], "http://"),
        (&["--kms", "http://"], "http://"),
        (&["--kms", "http://["], "http://"),
        (&["--subscribers", "absent.toml"], "absent.toml"),
        (&["--unknown"], "--unknown"),
    ] {
        run("secure_msrp", &folder, arguments).is_bad_input(reason);
    }
    let help = run("secure_msrp", Path::new("."), &["--help"]);
    help.succeeds();
    assert!(help.says("Usage: secure_msrp"));
}

fn sees_nothing(carried: &[u8], plaintexts: &[&[u8]]) {
    assert!(carried.len() > 1000);
    for plain in plaintexts {
        let found = carried.windows(plain.len()).any(|window| window == *plain);
        assert!(!found, "{:?}", plain.escape_ascii().to_string());
    }
}
