//! One packet a call, one stream: `srtp/DIRECTION/SUITE/PAYLOAD`, time a packet.
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
    Receiver, Sender,
    keying::{MasterKey, Profile},
};

/// Packets of a round, at most.
const ROUND: u64 = 64;

const SSRC: u32 = 0x5eed_cafe;

criterion_group!(benches, protect, unprotect);
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
