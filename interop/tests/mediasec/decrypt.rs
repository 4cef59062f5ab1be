//! `mediasec decrypt`: what comes out is what was there before it was protected, frame for frame.

use core::net::SocketAddr;
use std::{fs, path::Path};

use bytes::BytesMut;
use interop::{
    rtcp,
    rtp::{RtpSource, is_rtcp},
};
use sdes::{Answer, Offer, Policy};
use srtp::{
    Sender,
    keying::{KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile},
};

use crate::{
    captures::{FORMS, Form, LINKS, capture, frame, v4, v6, written},
    program::{Outcome, file, run, scratch},
};

const SSRC: u32 = 0x5eed_cafe;

const PCAP: Form = FORMS[0];

/// A key, and the line that tells it.
fn key(profile: Profile) -> (KeySet, String) {
    let key: Vec<u8> = (1..).take(profile.key_len()).collect();
    let salt: Vec<u8> = (101..).take(profile.salt_len()).collect();
    let hex = base16ct::lower::encode_string(&[&key[..], &salt].concat());
    let line = format!("{} {hex}", profile.sdes_name().unwrap());
    (
        KeySet::single(MasterKey::new(profile, &key, &salt).unwrap()),
        line,
    )
}

fn sender(keys: KeySet, roc: u32) -> Sender {
    let mut sender = srtp::Builder::<Sender>::new(keys).build().unwrap();
    sender.set_roc(SSRC, roc).unwrap();
    sender
}

/// `count` packets of speech with a report behind every tenth, from sequence number `first` on.
fn packets(first: u16, count: usize) -> Vec<BytesMut> {
    let mut source = RtpSource::new(SSRC, first, 0);
    let mut packets = Vec::new();
    for number in 0..count {
        packets.push(source.packet(&[0x5a; 160]));
        if number % 10 == 9 {
            packets.push(rtcp::sender_report(&source, 7, "alice").unwrap());
        }
    }
    packets
}

fn protect(sender: &mut Sender, packet: &BytesMut) -> BytesMut {
    let mut packet = packet.clone();
    if is_rtcp(&packet) {
        sender.protect_rtcp(&mut packet).unwrap();
    } else {
        sender.protect_rtp(&mut packet).unwrap();
    }
    packet
}

fn decrypt(name: &str, capture: &[u8], options: &[&str]) -> (Outcome, Vec<u8>) {
    let (source, out) = (
        file(&format!("{name}.in"), capture),
        scratch(&format!("{name}.out")),
    );
    let _ = fs::remove_file(&out);
    let paths = [source.to_str().unwrap(), "-o", out.to_str().unwrap()];
    let outcome = run(&[&["decrypt"], &paths[..], options].concat(), b"");
    (outcome, fs::read(&out).unwrap_or_default())
}

#[test]
fn every_link_and_form_gives_the_plain_frames() {
    let (keys, line) = key(Profile::AesCm128HmacSha1_80);
    let (from, to) = (v4(1, 4000), v4(2, 5000));
    for (place, (link, before, _)) in LINKS.into_iter().enumerate() {
        let mut sender = sender(keys.duplicate(), 0);
        let (mut plain, mut protected) = (Vec::new(), Vec::new());
        for packet in packets(1, 10) {
            plain.push(frame(before, from, to, &packet));
            protected.push(frame(before, from, to, &protect(&mut sender, &packet)));
        }
        let kept: Vec<_> = plain.into_iter().enumerate().collect();
        for (form_place, form) in FORMS.into_iter().enumerate() {
            let name = format!("form-{place}-{form_place}");
            let (outcome, out) =
                decrypt(&name, &capture(form, link, &protected), &["--key", &line]);
            assert!(out == written(link, &kept), "{link} {form:?}: {outcome:?}");
            let said = outcome.done();
            assert!(
                said.contains("10 RTP and 1 RTCP packets of 1 streams decrypted"),
                "{said}"
            );
        }
    }
}

#[test]
fn ipv6_gives_the_plain_frames() {
    let (keys, line) = key(Profile::AeadAes256Gcm);
    for (place, (link, _, before)) in LINKS
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place < 8)
    {
        let mut sender = sender(keys.duplicate(), 0);
        let (from, to) = (v6(1, 4000), v6(2, 5000));
        let (mut plain, mut protected) = (Vec::new(), Vec::new());
        for packet in packets(1, 10) {
            plain.push(frame(before, from, to, &packet));
            protected.push(frame(before, from, to, &protect(&mut sender, &packet)));
        }
        let capture = capture(PCAP, link, &protected);
        let (outcome, out) = decrypt(&format!("ipv6-{place}"), &capture, &["--key", &line]);
        let kept: Vec<_> = plain.into_iter().enumerate().collect();
        assert!(out == written(link, &kept), "{link}: {}", outcome.done());
    }
}

/// A capture that begins in mid-call, at ROC 7 and just before its sequence number wraps, and then
/// misses more than half of the sequence numbers.
#[test]
fn the_roc_is_found() {
    let (keys, line) = key(Profile::AesCm128HmacSha1_32);
    let (from, to) = (v4(1, 4000), v4(2, 5000));
    let (mut plain, mut protected) = (Vec::new(), Vec::new());
    for (roc, first) in [(7, 65_500), (9, 40_000)] {
        let mut sender = sender(keys.duplicate(), roc);
        for packet in packets(first, 100).iter().filter(|packet| !is_rtcp(packet)) {
            plain.push(frame(LINKS[0].1, from, to, packet));
            protected.push(frame(LINKS[0].1, from, to, &protect(&mut sender, packet)));
        }
    }
    let capture = capture(PCAP, 101, &protected);
    let (outcome, out) = decrypt("roc", &capture, &["--key", &line]);
    // Eight packets are refused before the gap is believed.
    let said = outcome.done();
    assert!(said.contains("192 RTP, 0 RTCP, from ROC 7"), "{said}");
    assert!(said.contains("decrypted; 8 refused, 0 replayed"), "{said}");
    let kept = plain.into_iter().enumerate();
    let kept: Vec<_> = kept
        .filter(|(number, _)| !(100..108).contains(number))
        .collect();
    assert!(out == written(101, &kept));

    // With a search that ends too early, nothing; told the ROC, the first part needs none.
    let (outcome, _) = decrypt(
        "roc-short",
        &capture,
        &["--key", &line, "--roc-search", "6"],
    );
    outcome.refused(1, "nothing was decrypted");
    let told = ["--key", &line, "--roc-search", "0", "--roc", "7"];
    let (outcome, _) = decrypt("roc-told", &capture, &told);
    assert!(outcome.done().contains("100 RTP, 0 RTCP, from ROC 7"));
}

fn negotiation(name: &str) -> (String, String, Sender, Sender) {
    let policy =
        Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AeadAes128Gcm]).unwrap();
    let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    let offer = Offer::new(&policy, &mut rng).unwrap();
    let (answer, bob) = Answer::to(offer.lines(), &policy, &mut rng).unwrap();
    let alice = offer.accept([answer.line()]).unwrap();
    let lines: Vec<&str> = offer.lines().collect();
    let sdp = |host: u8, port: u16, crypto: &str| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.{host}\r\ns=-\r\nc=IN IP4 192.0.2.{host}\r\nt=0 0\r\n\
             m=audio {port} RTP/SAVP 0\r\n{crypto}\r\n"
        )
    };
    let offer = sdp(1, 4000, &lines.join("\r\n"));
    let answer = sdp(2, 5000, answer.line());
    let path = |which: &str, text: &str| {
        let path = file(&format!("{name}-{which}.sdp"), text.as_bytes());
        path.to_str().unwrap().to_owned()
    };
    let paths = (path("offer", &offer), path("answer", &answer));
    (
        paths.0,
        paths.1,
        Sender::from_source(&alice).unwrap(),
        Sender::from_source(&bob).unwrap(),
    )
}

#[test]
fn a_stored_offer_and_answer_open_both_directions() {
    let (offer, answer, mut alice, mut bob) = negotiation("both");
    let (a, b): (SocketAddr, SocketAddr) = (v4(1, 4000), v4(2, 5000));
    let (mut plain, mut protected) = (Vec::new(), Vec::new());
    for packet in packets(1, 20) {
        for (sender, from, to) in [(&mut alice, a, b), (&mut bob, b, a)] {
            plain.push(frame(LINKS[3].1, from, to, &packet));
            protected.push(frame(LINKS[3].1, from, to, &protect(sender, &packet)));
        }
    }
    // What is none of theirs: another call, and a question to a name server.
    let dns = frame(LINKS[3].1, v4(1, 9999), v4(9, 53), &[1; 30]);
    protected.push(dns.clone());
    plain.push(dns);
    let capture = capture(PCAP, 1, &protected);
    let options = ["--offer", &offer, "--answer", &answer];
    let (outcome, out) = decrypt("both", &capture, &options);
    let said = outcome.done();
    assert!(
        said.contains("media 1 (audio) of the offerer: 20 RTP, 2 RTCP"),
        "{said}"
    );
    assert!(
        said.contains("media 1 (audio) of the answerer: 20 RTP, 2 RTCP"),
        "{said}"
    );
    assert!(said.ends_with(
        "40 RTP and 4 RTCP packets of 2 streams decrypted; 0 refused, 0 replayed, 0 cut short, \
         1 of other kinds\n"
    ));
    let mut kept: Vec<_> = plain.into_iter().enumerate().collect();
    let other = [&options[..], &["--keep-other"]].concat();
    let (outcome, with_other) = decrypt("both-other", &capture, &other);
    outcome.done();
    assert!(with_other == written(1, &kept));
    kept.pop();
    assert!(out == written(1, &kept));
}

#[test]
fn mkis_tell_keys_apart() {
    let profile = Profile::AesCm128HmacSha1_80;
    let (keys, line) = key(profile);
    let key = keys.entries()[0].key().duplicate();
    let entry = KeyEntry::new(key).with_mki(Mki::new(&[0xab, 0xcd]).unwrap());
    let keys = KeySet::new(profile, Parameters::default(), vec![entry]).unwrap();
    let mut sender = sender(keys, 0);
    let frames: Vec<_> = packets(1, 10)
        .iter()
        .map(|packet| {
            frame(
                LINKS[0].1,
                v4(1, 1),
                v4(2, 2),
                &protect(&mut sender, packet),
            )
        })
        .collect();
    let capture = capture(PCAP, 101, &frames);
    let keys = file(
        "mki.keys",
        format!("# of the call\n\n{line} mki=abcd\n").as_bytes(),
    );
    let (outcome, _) = decrypt("mki", &capture, &["--keys", keys.to_str().unwrap()]);
    assert!(outcome.done().contains("10 RTP and 1 RTCP"));
    // Among others, with and without an MKI, it is found.
    let other = line.replace("01020304", "ffffffff");
    let others = [
        &other,
        &format!("{other} mki=07"),
        &format!("{line} mki=abcd"),
        &line,
    ];
    let options: Vec<_> = others
        .iter()
        .flat_map(|key| ["--key", key.as_str()])
        .collect();
    let (outcome, _) = decrypt("mki-among", &capture, &options);
    assert!(outcome.done().contains("key 3: 10 RTP, 1 RTCP"));
    let (outcome, _) = decrypt("no-mki", &capture, &["--key", &line]);
    outcome.refused(1, "nothing was decrypted");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let (_, line) = key(Profile::AesCm128HmacSha1_80);
    let (offer, answer, ..) = negotiation("bad");
    let empty = capture(PCAP, 1, &[]);
    let good = file("empty.pcap", &empty);
    let good = good.to_str().unwrap();
    let text = file("text.pcap", b"not a capture");
    let text = text.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 16] = [
        (&[], 2, "expected --offer and --answer"),
        (
            &["--offer", &offer],
            2,
            "expected both --offer and --answer",
        ),
        (
            &["--offer", "absent", "--answer", &answer],
            2,
            "--offer: entity not found",
        ),
        (
            &["--offer", good, "--answer", &answer],
            2,
            "offer and answer:",
        ),
        (&["--key", &line], 2, "expected the capture"),
        (&["--key", &line, good], 2, "expected -o"),
        (
            &["--key", &line, text, "-o", "x"],
            2,
            "expected the header of pcap or pcapng",
        ),
        (
            &["--key", &line, "absent", "-o", "x"],
            2,
            "capture: entity not found",
        ),
        (
            &["--key", &line, "/", "-o", "x"],
            2,
            "capture: is a directory",
        ),
        (
            &["--key", &line, good, "-o", good],
            2,
            "expected another file",
        ),
        (
            &["--key", &line, good, "-o", "/absent/x"],
            1,
            "-o: entity not found",
        ),
        (
            &["--key", "ROT13 00", good, "-o", "x"],
            2,
            "--key: expected a=crypto: or one of",
        ),
        (
            &["--key", "AES_CM_128_HMAC_SHA1_80 00"],
            2,
            "expected 16 octets of key and 14",
        ),
        (
            &["--key", &line, "--roc", "x"],
            2,
            "--roc: expected a number",
        ),
        (
            &["--key", &line, "--roc-search", "65536"],
            2,
            "expected 0 to 65535",
        ),
        (&["--key", &line, "--frob"], 2, "unknown option"),
    ];
    for (options, code, words) in cases {
        run(&[&["decrypt"], options].concat(), b"").refused(code, words);
        assert!(!Path::new("x").exists());
    }
    assert!(fs::read(good).unwrap() == empty, "the capture is as it was");
}

#[test]
fn a_capture_that_ends_in_a_frame_is_bad_input() {
    let (keys, line) = key(Profile::AesCm128HmacSha1_80);
    let mut sender = sender(keys, 0);
    let frames: Vec<_> = packets(1, 3)
        .iter()
        .map(|packet| {
            frame(
                LINKS[0].1,
                v4(1, 1),
                v4(2, 2),
                &protect(&mut sender, packet),
            )
        })
        .collect();
    for form in FORMS {
        let whole = capture(form, 101, &frames);
        let (outcome, _) = decrypt("cut", &whole[..whole.len() - 9], &["--key", &line]);
        outcome.refused(2, "behind frame 2: it ends too early");
        assert!(
            outcome.out.contains("2 RTP and 0 RTCP packets"),
            "{outcome:?}"
        );
    }
}
