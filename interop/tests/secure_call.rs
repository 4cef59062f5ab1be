//! Self-consistency: the main job as a person runs it, in all its variants, and with bad input.
//!
//! `cargo test` builds the program before it runs this; `cargo test --test secure_call` takes the
//! one that is there.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use core::{ops::Deref, time::Duration};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use interop::audio::{self, FRAME_SAMPLES};
use srtp::keying::Profile;
use support::Ended;

const KEYINGS: [&[&str]; 2] = [&["--keying", "sdes"], &[]];

#[test]
fn a_call_arrives_bit_for_bit() {
    for keying in KEYINGS {
        let call = Call::new("plain").run(keying);
        call.succeeds();
        let both_ways = |line: &str| call.stdout.lines().filter(|l| *l == line).count() == 2;
        assert!(both_ways("packets sent      200 SRTP, 4 SRTCP"));
        assert!(both_ways("received          200 SRTP, 4 SRTCP"));
        assert!(both_ways("replays refused   1 of 1"));
        assert!(both_ways("forgeries refused 1 of 1"));
        assert!(both_ways(
            "audio             bit for bit as sent in G.711, 0 lost packets aside"
        ));
        assert_eq!(
            audio::read_wav(&call.out).unwrap().len(),
            audio::melody().len()
        );
    }
}

#[test]
fn a_ticket_keys_the_call_and_no_key_is_in_the_offer() {
    let call = Call::new("ticket").run(&[]);
    call.succeeds();
    assert!(call.says("Alice asks the KMS for a ticket: sip:bob@example.com"));
    assert!(call.says("Bob has the KMS resolve the ticket: the caller is sip:alice@example.com"));
    assert!(call.says("To Alice the KMS vouches for sip:bob@example.com"));
    assert_eq!(call.stdout.matches("a=key-mgmt:mikey ").count(), 2);
    assert_eq!(call.stdout.matches("a=crypto").count(), 0);
}

#[test]
fn a_forked_call_is_won_by_one_and_the_other_has_other_keys() {
    let call = Call::new("fork").run(&["--fork"]);
    call.succeeds();
    // 200 of audio and 4 reports, each way.
    let carols = "keys of Carol     open 0 of 204 packets";
    assert_eq!(call.stdout.matches(carols).count(), 2, "{}", call.stdout);
    assert!(call.says("To Alice the KMS vouches for sip:bob@example.com"));
    assert!(call.says("Bob to Alice"));
}

#[test]
fn req_cdiv_03_the_caller_decides_about_a_diverted_call() {
    let anyone = Call::new("divert").run(&["--divert", "anyone"]);
    anyone.succeeds();
    assert!(anyone.says("To Alice the KMS vouches for sip:carol@example.com"));

    let declined = "Alice's ticket is not for sip:carol@example.com, who declines.";
    let again = Call::new("divert").run(&["--divert", "again"]);
    again.succeeds();
    assert!(again.says(declined));
    assert!(again.says("Alice asks the KMS for a ticket: sip:carol@example.com"));
    assert!(again.says("Carol to Alice"));

    let hang_up = Call::new("divert").run(&["--divert", "hang-up"]);
    assert_eq!(hang_up.status, Some(3), "{}", hang_up.stderr);
    assert!(hang_up.says(declined) && hang_up.says("Alice hangs up."));
    assert!(!hang_up.stdout.contains("packets sent"));
}

#[test]
fn nodes_of_a_kms_that_is_there_are_asked_in_turn() {
    let folder = support::folder("secure_call-kms");
    let keys = support::key_file(&folder);
    let (_node, url) = support::kms(&["--keys", &keys]);
    let call = Call::new("kms").run(&["--kms", "http://127.0.0.1:1", "--kms", &url]);
    call.succeeds();
}

#[test]
fn without_a_kms_there_is_no_call_and_one_line_says_so() {
    let begin = Instant::now();
    let call = Call::new("no-kms").run(&["--kms", "http://127.0.0.1:1/"]);
    call.fails(1, "the KMS at http://127.0.0.1:1/ does not answer");
    assert!(!call.stdout.contains("packets sent"));

    // One that takes the connection and is silent.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    Call::new("no-kms")
        .run(&["--kms", &url])
        .fails(1, "does not answer");
    assert!(begin.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_user_who_is_no_subscriber_gets_no_call() {
    let call = Call::new("no-subscriber");
    let file = call.folder.join("subscribers.toml");
    fs::write(
        &file,
        "[[subscriber]]\nidentity = \"sip:eve@example.com\"\nkey = \"AAAAAAAAAAAAAAAAAAAAAA==\"\n",
    )
    .unwrap();
    let call = call.run(&["--subscribers", file.to_str().unwrap()]);
    call.fails(1, "sip:alice@example.com is no subscriber");
}

#[test]
fn a_peer_that_vanishes_ends_the_call_within_the_stated_time() {
    for keying in KEYINGS {
        let begin = Instant::now();
        let call = Call::new("vanish").run(&[keying, &["--vanish", "30"]].concat());
        call.fails(1, "Alice has heard nothing of the other side for 2 s");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn offer_and_answer_carry_one_key_each() {
    let call = Call::new("sdp").run(&["--keying", "sdes", "--suite", "AEAD_AES_128_GCM"]);
    call.succeeds();
    let lines = |prefix: &str| {
        call.stdout
            .lines()
            .filter(|l| l.trim().starts_with(prefix))
            .count()
    };
    assert_eq!(lines("a=crypto:1 AEAD_AES_128_GCM inline:"), 2);
    assert_eq!(lines("m=audio "), 2);
    assert!(call.stdout.contains("RTP/SAVP 0"));
}

#[test]
fn a_call_crosses_a_sequence_number_wrap() {
    for (first, numbers) in [
        ("65500", "65500 to 163, ROC 1"),
        ("65535", "65535 to 198, ROC 1"),
        ("32767", "32767 to 32966, ROC 0"),
        ("0", "0 to 199, ROC 0"),
    ] {
        let call = Call::new("wrap").run(&["--start-seq", first]);
        call.succeeds();
        assert!(
            call.says(&format!("sequence numbers  {numbers}")),
            "{}",
            call.stdout
        );
    }
}

#[test]
fn losses_and_reordering_leave_the_rest_as_it_was() {
    for first in ["100", "65500", "65535"] {
        let call = Call::new("loss").run(&["--loss", "5", "--reorder", "--start-seq", first]);
        call.succeeds();
        assert!(!call.says("lost on the path  0 SRTP"));
    }
    Call::new("loss")
        .run(&["--loss", "90", "--reorder"])
        .succeeds();
}

#[test]
fn a_call_works_with_each_suite() {
    for name in Profile::ALL
        .iter()
        .filter_map(|profile| profile.sdes_name())
    {
        for keying in KEYINGS {
            let path = ["--suite", name, "--start-seq", "65500", "--loss", "5"];
            let call = Call::new("suite").run(&[keying, &path].concat());
            call.succeeds();
            assert!(call.says(&format!("suite             {name}")));
        }
    }
}

#[test]
fn real_time_takes_the_time_of_the_audio_and_shows_progress() {
    let call = Call::new("real-time");
    let wav = call.folder.join("short.wav");
    write_wav(&wav, &SPEC, &[1000; 20 * FRAME_SAMPLES]);
    let begin = Instant::now();
    let call = call.run(&["--real-time", "--wav", wav.to_str().unwrap()]);
    call.succeeds();
    assert!(begin.elapsed() >= Duration::from_millis(400));
    assert!(call.stderr.contains("20 of 20 packets sent"));
}

#[test]
fn a_file_of_ones_own_is_sent_whatever_its_width() {
    let call = Call::new("wav");
    // A whole packet, and a part of one.
    let samples: Vec<i32> = (-100..100).collect();
    for bits_per_sample in [8, 16, 24, 32] {
        let wav = call.folder.join(format!("{bits_per_sample}.wav"));
        write_wav(
            &wav,
            &hound::WavSpec {
                bits_per_sample,
                ..SPEC
            },
            &samples,
        );
        let call = Call::new("wav").run(&["--wav", wav.to_str().unwrap()]);
        call.succeeds();
        assert_eq!(audio::read_wav(&call.out).unwrap().len(), samples.len());
    }
}

#[test]
fn a_file_of_another_format_is_refused_with_what_was_found_and_what_is_needed() {
    let float = hound::SampleFormat::Float;
    for (spec, found) in [
        (
            hound::WavSpec {
                sample_rate: 44_100,
                ..SPEC
            },
            "44100 Hz mono 16-bit PCM",
        ),
        (
            hound::WavSpec {
                channels: 2,
                ..SPEC
            },
            "8000 Hz stereo 16-bit PCM",
        ),
        (
            hound::WavSpec {
                bits_per_sample: 32,
                sample_format: float,
                ..SPEC
            },
            "8000 Hz mono 32-bit floating point",
        ),
    ] {
        let call = Call::new("format");
        let wav = call.folder.join("other.wav");
        let mut writer = hound::WavWriter::create(&wav, spec).unwrap();
        for _ in 0..100 {
            if spec.sample_format == float {
                writer.write_sample(0.5_f32).unwrap();
            } else {
                writer.write_sample(5_i32).unwrap();
            }
        }
        writer.finalize().unwrap();
        let call = call.run(&["--wav", wav.to_str().unwrap()]);
        call.is_bad_input(found);
        call.is_bad_input("needed 8000 Hz mono PCM");
    }
}

#[test]
fn a_file_that_is_absent_empty_or_no_wav_is_refused() {
    let call = Call::new("no-wav");
    let (empty, text) = (call.folder.join("empty.wav"), call.folder.join("text.wav"));
    write_wav(&empty, &SPEC, &[]);
    fs::write(&text, "not audio").unwrap();
    for (file, reason) in [
        (&empty, "no audio"),
        (&text, "--wav"),
        (&call.folder, "--wav"),
    ] {
        Call::new("no-wav")
            .run(&["--wav", file.to_str().unwrap()])
            .is_bad_input(reason);
    }
    Call::new("no-wav")
        .run(&["--wav", "absent.wav"])
        .is_bad_input("--wav");
}

#[test]
fn bad_arguments_are_refused() {
    for (arguments, reason) in [
        (&["--suite", "ROT13"][..], "AEAD_AES_256_GCM"),
        (&["--suite"], "--suite"),
        (&["--start-seq", "65536"], "65536"),
        (&["--start-seq", "-1"], "-1"),
        (&["--loss", "91"], "0 to 90"),
        (&["--loss", "many"], "0 to 90"),
        (&["--reorder=yes"], "--reorder"),
        (&["--unknown"], "--unknown"),
        (&["stray"], "stray"),
        (&["--out", "no/such/folder/x.wav"], "--out"),
        (&["--keying", "smoke"], "sdes and ticket"),
        (&["--divert", "nobody"], "anyone, again and hang-up"),
        (&["--keying", "sdes", "--fork"], "--keying ticket"),
        (&["--kms", "ftp://127.0.0.1"], "http://"),
        (&["--vanish", "soon"], "soon"),
    ] {
        Call::new("arguments").run(arguments).is_bad_input(reason);
    }
}

#[test]
fn help_names_every_suite() {
    let call = Call::new("help").run(&["--help"]);
    call.succeeds();
    for name in Profile::ALL
        .iter()
        .filter_map(|profile| profile.sdes_name())
    {
        assert!(call.stdout.contains(name), "{name}");
    }
}

const SPEC: hound::WavSpec = hound::WavSpec {
    channels: 1,
    sample_rate: 8000,
    bits_per_sample: 16,
    sample_format: hound::SampleFormat::Int,
};

fn write_wav(path: &Path, spec: &hound::WavSpec, samples: &[i32]) {
    let mut writer = hound::WavWriter::create(path, *spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
}

/// A run to come, in a folder of its own.
struct Call {
    folder: PathBuf,
}

/// A run that has ended, and where the audio is.
struct Heard {
    ended: Ended,
    out: PathBuf,
}

impl Deref for Heard {
    type Target = Ended;

    fn deref(&self) -> &Ended {
        &self.ended
    }
}

impl Call {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("secure_call")
            .join(test);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Heard {
        let arguments = [&["--out", "received.wav"], arguments].concat();
        Heard {
            ended: support::run("secure_call", &self.folder, &arguments),
            out: self.folder.join("received.wav"),
        }
    }
}
