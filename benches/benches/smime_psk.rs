//! S/MIME under a pre-shared key: seal and open, in octets a second; at the end a table, in CSV, of
//! ours beside OpenSSL's AuthEnvelopedData and its AES-CCM, taken in turn, of the fastest rounds.
//!
//! ```text
//! cargo bench -p mediasec-benches --features peers --bench smime_psk
//! ```
//!
//! OpenSSL is timed by `peers/openssl_cms.c`, which is compiled here with `cc` and `pkg-config`
//! against Debian's `libssl-dev`. Where that is missing, the table says `not run`, or in CI the
//! benchmark fails.

#![allow(missing_docs, clippy::unwrap_used, reason = "benchmarks")]

use core::hint::black_box;

use chacha20::ChaCha20Rng;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use getrandom::SysRng;
use getrandom::rand_core::{CryptoRng, SeedableRng, UnwrapErr};
use mediasec_benches::contest::{Contender, play};
use smime_psk::{ContentEncryption, KekRecipient, OpenPolicy, SealPolicy};

const SIZES: [(&str, usize); 3] = [("1k", 1 << 10), ("64k", 1 << 16), ("10m", 10 << 20)];

const ALGORITHMS: [(&str, ContentEncryption, u8); 5] = [
    ("aes_128_gcm", ContentEncryption::Aes128Gcm, 16),
    ("aes_256_gcm", ContentEncryption::Aes256Gcm, 16),
    // Tags that `ring` has not: by the block functions.
    ("aes_256_gcm_tag_12", ContentEncryption::Aes256Gcm, 12),
    ("aes_128_ccm", ContentEncryption::Aes128Ccm, 16),
    ("aes_256_ccm", ContentEncryption::Aes256Ccm, 16),
];

fn seal_and_open(c: &mut Criterion) {
    let Some(mut kek) = KekRecipient::new(b"id", &[7; 32]) else {
        return;
    };
    let mut rng = UnwrapErr(SysRng);
    for (name, algorithm, tag_len) in ALGORITHMS {
        let policy = SealPolicy::new(algorithm).tag_len(tag_len);
        let mut group = c.benchmark_group(format!("smime_psk/{name}"));
        group.sample_size(20);
        for (size, octets) in SIZES {
            let content = vec![0x5a; octets];
            group.throughput(Throughput::Bytes(u64::try_from(octets).unwrap_or(0)));
            group.bench_function(BenchmarkId::new("seal", size), |b| {
                b.iter(|| smime_psk::seal(&content, &mut kek, &policy, &mut rng));
            });
            let Ok(sealed) = smime_psk::seal(&content, &mut kek, &policy, &mut rng) else {
                return;
            };
            group.bench_function(BenchmarkId::new("open", size), |b| {
                b.iter(|| smime_psk::open(&sealed, &mut kek, &OpenPolicy::default()));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, seal_and_open);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let test = std::env::args().any(|argument| argument == "--test");
    table(test);
}

const GCM: ContentEncryption = ContentEncryption::Aes256Gcm;
const CCM: ContentEncryption = ContentEncryption::Aes128Ccm;

/// `ours` draws from ChaCha20 in this process, as OpenSSL does from its own generator; `ours_os` asks
/// the operating system for the randomness of each message.
fn table(test: bool) {
    if !test {
        println!("name,contender,ns_per_message,times_faster_is_ours");
    }
    // How often a round does its work, and how many rounds there are.
    for ((_, octets), (times, rounds)) in SIZES.into_iter().zip([(500, 500), (50, 200), (1, 60)]) {
        let (times, rounds) = if test { (1, 1) } else { (times, rounds) };
        let content = vec![0x5a; octets];
        let seeded = || ChaCha20Rng::from_rng(&mut UnwrapErr(SysRng));
        for (name, algorithm, works) in [
            ("aes_256_gcm", GCM, ["encrypt", "decrypt"]),
            ("aes_128_ccm", CCM, ["ccm", "ccm-open"]),
        ] {
            let mut sealing = vec![
                Contender::new("ours", times, seal(&content, algorithm, seeded())),
                Contender::new(
                    "ours_os",
                    times,
                    seal(&content, algorithm, UnwrapErr(SysRng)),
                ),
            ];
            let mut opening = vec![Contender::new("ours", times, open(&content, algorithm))];
            let [encrypt, decrypt] = works;
            sealing.extend(openssl(octets, times, encrypt));
            opening.extend(openssl(octets, times, decrypt));
            for (work, contenders) in [("seal", &mut sealing), ("open", &mut opening)] {
                play(contenders, rounds);
                let ours = contenders.first().unwrap().best();
                for contender in contenders.iter().filter(|_| !test) {
                    let (peer, best) = (contender.name(), contender.best());
                    let ratio = best / ours;
                    println!("smime_psk/{work}/{name}/{octets},{peer},{best:.0},{ratio:.2}");
                }
            }
        }
    }
}

fn seal<'a>(
    content: &'a [u8],
    algorithm: ContentEncryption,
    mut rng: impl CryptoRng + 'a,
) -> impl FnMut() + 'a {
    let mut kek = KekRecipient::new(b"id", &[7; 32]).unwrap();
    let policy = SealPolicy::new(algorithm);
    move || {
        let sealed = smime_psk::seal(black_box(content), &mut kek, &policy, &mut rng);
        black_box(sealed.unwrap());
    }
}

fn open(content: &[u8], algorithm: ContentEncryption) -> impl FnMut() + use<> {
    let mut kek = KekRecipient::new(b"id", &[7; 32]).unwrap();
    let policy = SealPolicy::new(algorithm);
    let sealed = smime_psk::seal(content, &mut kek, &policy, &mut UnwrapErr(SysRng)).unwrap();
    move || {
        let opened = smime_psk::open(black_box(&sealed), &mut kek, &OpenPolicy::default());
        black_box(opened.unwrap());
    }
}

#[cfg(feature = "peers")]
fn openssl(octets: usize, times: u32, work: &'static str) -> Option<Contender<'static>> {
    use mediasec_benches::contest::{Process, compile};
    use std::path::Path;

    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/openssl_cms.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = compile(Path::new(source), "libcrypto", folder);
    let arguments = [octets.to_string(), times.to_string()];
    let process = program.and_then(|program| Process::start(&program, &arguments));
    Contender::of_process("openssl", work, process)
}

#[cfg(not(feature = "peers"))]
const fn openssl(_: usize, _: u32, _: &str) -> Option<Contender<'static>> {
    None
}
