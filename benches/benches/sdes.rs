//! `a=crypto` lines: `sdes/parse/...`, `sdes/write/...` and whole negotiations.

#![allow(clippy::expect_used, reason = "a benchmark has no caller to tell")]

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use sdes::{Answer, Attribute, Offer, Padding, Policy, SecurityDescription};
use srtp::keying::Profile;

/// One line of each kind: as most peers write it, and with everything that RFC 4568 has.
const LINES: [(&str, &str); 3] = [
    (
        "aes_cm_128_hmac_sha1_80",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    ),
    (
        "aead_aes_256_gcm",
        "a=crypto:1 AEAD_AES_256_GCM \
         inline:3rBoQiyo1HVlDEx6BmgEnIlrRpdx7Q0LY31nbiz3FGtTP2D8Mm6jfRmKhLI=",
    ),
    (
        "two_keys_mki_lifetime",
        "a=crypto:2 F8_128_HMAC_SHA1_80 \
         inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;\
         inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP WSH=128",
    ),
];

criterion_group!(benches, parse, write, negotiate);
criterion_main!(benches);

/// `attribute`: the line alone; `description`: every rule checked and the keys decoded.
fn parse(criterion: &mut Criterion) {
    for (name, line) in LINES {
        criterion.bench_function(&format!("sdes/parse/attribute/{name}"), |bencher| {
            bencher.iter(|| Attribute::parse(black_box(line)).is_ok());
        });
        criterion.bench_function(&format!("sdes/parse/description/{name}"), |bencher| {
            bencher.iter(|| SecurityDescription::parse(black_box(line), &[]).is_ok());
        });
    }
}

fn write(criterion: &mut Criterion) {
    for (name, line) in LINES {
        let attribute = Attribute::parse(line).expect("a line of RFC 4568");
        let mut out = String::with_capacity(line.len());
        criterion.bench_function(&format!("sdes/write/attribute/{name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                black_box(&attribute).encode(&mut out)
            });
        });
        let description = SecurityDescription::parse(line, &[]).expect("a line of RFC 4568");
        criterion.bench_function(&format!("sdes/write/description/{name}"), |bencher| {
            bencher.iter(|| black_box(&description).encode(Padding::Padded));
        });
    }
}

/// Offer, answer and verification of one media line, random numbers of the system included.
fn negotiate(criterion: &mut Criterion) {
    let policy = Policy::for_profiles([Profile::AesCm128HmacSha1_80]).expect("a registered suite");
    let mut rng = UnwrapErr(SysRng);
    criterion.bench_function("sdes/negotiate/one_suite", |bencher| {
        bencher.iter(|| {
            let offer = Offer::new(&policy, &mut rng).expect("fresh keys");
            let (answer, keys) = Answer::to(offer.lines(), &policy, &mut rng).expect("acceptable");
            (offer.accept([answer.line()]).expect("matches"), keys)
        });
    });
}
