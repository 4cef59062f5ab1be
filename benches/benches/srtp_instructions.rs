//! Instructions that one packet takes on each single-packet path, counted by valgrind's callgrind,
//! beside the counts kept in `results/instructions.csv`: other work on the machine changes nothing.
//!
//! ```text
//! cargo bench -p mediasec-benches --bench srtp_instructions              compares
//! cargo bench -p mediasec-benches --bench srtp_instructions -- --write   keeps what it counts
//! srtp_instructions --only protect/aeadaes128gcm/20 --backend vaes512    one path, for a profiler
//! ```
//!
//! Callgrind knows AES-NI and PCLMULQDQ, but neither AVX-512 nor the SHA extensions, so that the
//! counts are those of [`Backend::AesNi`] with SHA-1 in portable code.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark may end in a panic"
)]

use core::fmt::Write as _;
use core::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use mediasec_benches::{PAYLOADS, rtp_packet};
use srtp::keying::{KeySet, MasterKey, Profile, StaticKeys};
use srtp::{Backend, Receiver, Sender};

/// Packets counted of each path.
const PACKETS: u16 = 200;

/// Percent by which a count may differ: hash tables place their entries by chance.
const TOLERANCE: f64 = 2.0;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/instructions.csv");

const SUITES: [Profile; 4] = [
    Profile::AesCm128HmacSha1_80,
    Profile::AesCm256HmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let after = |name| arguments.iter().skip_while(move |a| *a != name).nth(1);
    let backend = after("--backend").map_or(Backend::AesNi, |name| {
        let named = |backend: &Backend| format!("{backend:?}").eq_ignore_ascii_case(name);
        let found = Backend::available().find(named);
        found.expect("a backend that this processor has")
    });
    if let Some(name) = after("--only") {
        let path = paths().find(|path| path.name() == *name);
        let path = path.expect("DIRECTION/SUITE/PAYLOAD");
        let mut run = path.prepare(backend);
        let rounds = after("--rounds").map_or(50_000, |rounds| rounds.parse().expect("a number"));
        for _ in 0..rounds {
            run.next_packets();
            run.counted();
        }
        return ExitCode::SUCCESS;
    }
    if has("--counted") || has("--test") {
        for path in paths() {
            let mut run = path.prepare(backend);
            run.next_packets();
            run.packets();
            run.next_packets();
            run.counted();
        }
        return ExitCode::SUCCESS;
    }
    let counts = count();
    if has("--write") {
        std::fs::write(KEPT, table(&counts)).expect("a file that can be written");
        return ExitCode::SUCCESS;
    }
    compare(&counts)
}

/// A single-packet call for one suite and one payload.
#[derive(Clone, Copy)]
struct Call {
    protect: bool,
    suite: Profile,
    payload: usize,
}

fn paths() -> impl Iterator<Item = Call> {
    SUITES.into_iter().flat_map(|suite| {
        [true, false].into_iter().flat_map(move |protect| {
            PAYLOADS.map(|payload| Call {
                protect,
                suite,
                payload,
            })
        })
    })
}

impl Call {
    fn name(self) -> String {
        let Self { suite, payload, .. } = self;
        let direction = if self.protect { "protect" } else { "unprotect" };
        format!("{direction}/{suite:?}/{payload}").to_lowercase()
    }

    fn prepare(self, backend: Backend) -> Run {
        let keys = || {
            let (key, salt) = ([0x5a; 32], [0xa5; 14]);
            let suite = self.suite;
            let (key, salt) = (&key[..suite.key_len()], &salt[..suite.salt_len()]);
            KeySet::single(MasterKey::new(suite, key, salt).expect("lengths of the profile"))
        };
        let source = StaticKeys::new(keys(), keys());
        let sender = Sender::builder(&source).backend(backend).build();
        let receiver = Receiver::builder(&source).backend(backend).build();
        Run {
            call: self,
            sender: sender.expect("a key of the profile"),
            receiver: receiver.expect("a key of the profile"),
            next: 0,
            packets: Vec::new(),
        }
    }
}

/// A call with packets to do it to.
struct Run {
    call: Call,
    sender: Sender,
    receiver: Receiver,
    next: u16,
    packets: Vec<(Vec<u8>, usize)>,
}

impl Run {
    fn next_packets(&mut self) {
        self.packets.resize(usize::from(PACKETS), (Vec::new(), 0));
        for (buffer, len) in &mut self.packets {
            let packet = rtp_packet(0x5eed_cafe, self.next, self.call.payload);
            self.next = self.next.wrapping_add(1);
            buffer.clear();
            buffer.extend_from_slice(&packet);
            buffer.resize(packet.len() + self.sender.srtp_overhead(), 0);
            *len = packet.len();
            if !self.call.protect {
                let protected = self.sender.protect_rtp_in_place(buffer, *len);
                *len = protected.expect("indices are left");
            }
        }
    }

    fn packets(&mut self) {
        for (buffer, len) in &mut self.packets {
            let buffer = black_box(buffer.as_mut_slice());
            if self.call.protect {
                let protected = self.sender.protect_rtp_in_place(buffer, *len);
                black_box(protected.expect("indices are left"));
            } else {
                let opened = self.receiver.unprotect_rtp_in_place(&mut buffer[..*len]);
                black_box(opened.expect("genuine packets"));
            }
        }
    }

    /// What callgrind counts, by this name.
    #[inline(never)]
    fn counted(&mut self) {
        self.packets();
    }
}

/// Runs this program under callgrind, which writes one file for each call of [`Run::counted`].
fn count() -> Vec<(String, f64)> {
    const COUNTED: &str = "srtp_instructions::Run::counted";
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("callgrind");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a target directory");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}/out", directory.display()))
        .arg(std::env::current_exe().expect("a path"))
        .arg("--counted")
        .status()
        .expect("valgrind");
    assert!(status.success(), "{status}");
    let total = |file: &Path| -> f64 {
        let text = std::fs::read_to_string(file).unwrap_or_else(|_| panic!("{}", file.display()));
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        totals.and_then(|total| total.parse().ok()).expect("totals")
    };
    paths()
        .zip(1..)
        .map(|(path, at)| {
            let total = total(&directory.join(format!("out.{at}")));
            (path.name(), total / f64::from(PACKETS))
        })
        .collect()
}

fn table(counts: &[(String, f64)]) -> String {
    let mut table = String::from("path,instructions_per_packet\n");
    for (name, count) in counts {
        let _ = writeln!(table, "{name},{count:.0}");
    }
    table
}

fn compare(counts: &[(String, f64)]) -> ExitCode {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let kept_of = |name: &str| -> Option<f64> {
        let line = kept.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.strip_prefix(',')?.parse().ok())
    };
    let mut verdict = ExitCode::SUCCESS;
    println!("{:45} {:>8} {:>8}", "instructions a packet", "kept", "now");
    for (name, count) in counts {
        let kept = kept_of(name).unwrap_or(0.0);
        let percent = (count - kept) * 100.0 / kept;
        let differs = !(-TOLERANCE..=TOLERANCE).contains(&percent);
        let mark = if differs {
            "  <== keep it with --write"
        } else {
            ""
        };
        println!("{name:45} {kept:8.0} {count:8.0} {percent:+6.1} %{mark}");
        if differs {
            verdict = ExitCode::FAILURE;
        }
    }
    verdict
}
