//! Self-consistency: the main job as a person runs it, in all its variants, and with bad input.
//!
//! `cargo test` builds the program before it runs this; `cargo test --test secure_call` takes the
//! one that is there.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use interop::audio::{self, FRAME_SAMPLES};
use srtp::keying::Profile;

#[test]
fn a_call_arrives_bit_for_bit() {
    let call = Call::new("plain").run(&[]);
    call.succeeds();
    assert!(call.says("packets sent      200 SRTP, 4 SRTCP"));
    assert!(call.says("received          200 SRTP, 4 SRTCP"));
    assert!(call.says("replays refused   1 of 1"));
    assert!(call.says("forgeries refused 1 of 1"));
    assert_eq!(
        audio::read_wav(&call.out).unwrap().len(),
        audio::melody().len()
    );
}

#[test]
fn offer_and_answer_carry_one_key_each() {
    let call = Call::new("sdp").run(&["--suite", "AEAD_AES_128_GCM"]);
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
        let call =
            Call::new("suite").run(&["--suite", name, "--start-seq", "65500", "--loss", "5"]);
        call.succeeds();
        assert!(call.says(&format!("suite             {name}")));
    }
}

#[test]
fn real_time_takes_the_time_of_the_audio_and_shows_progress() {
    let call = Call::new("real-time");
    let wav = call.folder.join("short.wav");
    write_wav(&wav, &SPEC, &[1000; 20 * FRAME_SAMPLES]);
    let begin = std::time::Instant::now();
    let call = call.run(&["--real-time", "--wav", wav.to_str().unwrap()]);
    call.succeeds();
    assert!(begin.elapsed() >= core::time::Duration::from_millis(400));
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

/// A run that has ended.
struct Ended {
    out: PathBuf,
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Call {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("secure_call")
            .join(test);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let out = self.folder.join("received.wav");
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(program())
            .current_dir(&self.folder)
            .args(["--out", "received.wav"])
            .args(arguments)
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Ended {
            out,
            status: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }
}

impl Ended {
    fn succeeds(&self) {
        assert_eq!(self.status, Some(0), "{}{}", self.stdout, self.stderr);
    }

    fn says(&self, line: &str) -> bool {
        self.stdout.lines().any(|l| l.starts_with(line))
    }

    /// Exit code 2 and one line that has `reason` in it.
    fn is_bad_input(&self, reason: &str) {
        assert_eq!(self.status, Some(2), "{}{}", self.stdout, self.stderr);
        assert_eq!(
            (self.stdout.as_str(), self.stderr.lines().count()),
            ("", 1),
            "{}",
            self.stderr
        );
        assert!(self.stderr.contains(reason), "{}", self.stderr);
    }
}

/// `examples/secure_call` beside the folder of this test's own program.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile
        .join("examples")
        .join(format!("secure_call{}", std::env::consts::EXE_SUFFIX))
}
