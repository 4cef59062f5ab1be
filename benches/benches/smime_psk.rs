//! S/MIME under a pre-shared key: seal and open, in octets a second.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
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
criterion_main!(benches);
