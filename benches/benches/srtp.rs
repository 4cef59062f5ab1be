//! One packet a call, one stream: `srtp/DIRECTION/SUITE/PAYLOAD`, time a packet. Batches over many
//! streams in turn: `srtp/protect/SUITE/160/STREAMS`. A sender made: `srtp/create/SUITE`.
//!
//! Packets come in rounds that fit in the nearer caches. What a round needs beforehand (fresh
//! packets; for unprotect, protecting them) is not timed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark may end in a panic"
)]

use core::{hint::black_box, time::Duration};
use std::time::Instant;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mediasec_benches::{PAYLOADS, rtp_packet};
use srtp::{
    Backend, Receiver, Sender,
    keying::{MasterKey, Profile},
};

#[path = "srtp_table/many_streams.rs"]
mod many_streams;

/// Packets of a round, at most.
const ROUND: u64 = 64;

const SSRC: u32 = 0x5eed_cafe;

const SUITES: [Profile; 4] = [
    Profile::AesCm128HmacSha1_80,
    Profile::AesCm256HmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

criterion_group!(benches, protect, unprotect, streams, create);
criterion_main!(benches);

fn protect(criterion: &mut Criterion) {
    each(criterion, "protect", |profile| {
        let mut sender = sender(profile);
        move |packets| {
            let begin = Instant::now();
            for packet in packets {
                sender
                    .protect_rtp(black_box(packet))
                    .expect("indices are left");
            }
            begin.elapsed()
        }
    });
}

fn unprotect(criterion: &mut Criterion) {
    each(criterion, "unprotect", |profile| {
        let mut sender = sender(profile);
        let mut receiver = Receiver::new(key(profile)).expect("a key of the profile");
        move |packets| {
            for packet in packets.iter_mut() {
                sender.protect_rtp(packet).expect("indices are left");
            }
            let begin = Instant::now();
            for packet in packets {
                receiver
                    .unprotect_rtp(black_box(packet))
                    .expect("genuine packets");
            }
            begin.elapsed()
        }
    });
}

fn streams(criterion: &mut Criterion) {
    for suite in SUITES {
        let name = suite.sdes_name().unwrap_or_default();
        let mut group = criterion.benchmark_group(format!("srtp/protect/{name}/160"));
        group.throughput(Throughput::Elements(1));
        for streams in [10_000_u32, 100_000] {
            let mut sender = None;
            let mut next = 0_u32;
            group.bench_function(streams.to_string(), |bencher| {
                let new = || many_streams::sender(suite, streams, Backend::default());
                let sender = sender.get_or_insert_with(new);
                bencher.iter_custom(|count| {
                    let (mut left, mut time) = (count, Duration::ZERO);
                    while left > 0 {
                        let round = left.min(ROUND);
                        let mut packets: Vec<_> = (0..round)
                            .map(|_| {
                                let seq = u16::try_from(next / streams % 0x1_0000);
                                let seq = seq.expect("16 bits");
                                let mut packet = rtp_packet(next % streams, seq, 160);
                                packet.reserve(64);
                                next = next.wrapping_add(1);
                                packet
                            })
                            .collect();
                        let mut results = vec![Ok(()); packets.len()];
                        let begin = Instant::now();
                        sender.protect_rtp_batch(black_box(&mut packets), &mut results);
                        time += begin.elapsed();
                        assert!(results.iter().all(Result::is_ok));
                        left -= round;
                    }
                    time
                });
            });
        }
        group.finish();
    }
}

fn create(criterion: &mut Criterion) {
    for suite in SUITES {
        let name = suite.sdes_name().unwrap_or_default();
        criterion.bench_function(&format!("srtp/create/{name}"), |bencher| {
            bencher.iter_with_large_drop(|| sender(black_box(suite)));
        });
    }
}

/// Measures for every suite and payload what `new` makes: given packets, the time it needs.
fn each<T: FnMut(&mut [BytesMut]) -> Duration>(
    criterion: &mut Criterion,
    direction: &str,
    new: impl Fn(Profile) -> T,
) {
    for &profile in Profile::ALL {
        let Some(suite) = profile.sdes_name() else {
            continue;
        };
        let mut group = criterion.benchmark_group(format!("srtp/{direction}/{suite}"));
        group.throughput(Throughput::Elements(1));
        for payload in PAYLOADS {
            let mut timed = new(profile);
            let mut sequence_number = 0;
            group.bench_function(payload.to_string(), |bencher| {
                bencher.iter_custom(|count| {
                    let (mut left, mut time) = (count, Duration::ZERO);
                    while left > 0 {
                        let round = left.min(ROUND);
                        let mut packets: Vec<_> = (0..round)
                            .map(|_| fresh_packet(&mut sequence_number, payload))
                            .collect();
                        time += timed(&mut packets);
                        left -= round;
                    }
                    time
                });
            });
        }
        group.finish();
    }
}

/// The next packet, with room for what protection adds.
fn fresh_packet(sequence_number: &mut u16, payload: usize) -> BytesMut {
    let mut packet = rtp_packet(SSRC, *sequence_number, payload);
    packet.reserve(64);
    *sequence_number = sequence_number.wrapping_add(1);
    packet
}

fn sender(profile: Profile) -> Sender {
    Sender::new(key(profile)).expect("a key of the profile")
}

fn key(profile: Profile) -> MasterKey {
    let (key, salt) = ([0x5a; 32], [0xa5; 14]);
    let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
    MasterKey::new(profile, key, salt).expect("lengths of the profile")
}
