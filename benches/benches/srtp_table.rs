//! Ours and the peers in one run, interleaved: nanoseconds a packet and their ratios, as a table and
//! as `target/srtp_table.csv`.
//!
//! ```text
//! cargo bench -p mediasec-benches --features peers --bench srtp_table -- [FILTER] [--backend NAME]
//! ```
//!
//! Each contender works on the same rounds of packets in turn, and its fastest round counts: what
//! else the machine does can only make a round slower.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark may end in a panic"
)]

use core::fmt::Write as _;
use core::hint::black_box;
use std::time::Instant;

use mediasec_benches::{PAYLOADS, rtp_packet};
use srtp::batch::{self, Packet};
use srtp::keying::{KeySet, MasterKey, Profile, StaticKeys};
use srtp::{Backend, Receiver, Sender};

/// Packets of a round: they fit in the nearer caches.
const ROUND: u16 = 256;
const PACKETS: usize = 256;

const SSRC: u32 = 0x5eed_cafe;

const SUITES: [Profile; 4] = [
    Profile::AesCm128HmacSha1_80,
    Profile::AesCm256HmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Direction {
    Protect,
    Unprotect,
}

/// What one of the contenders does to a round of packets, and how long it takes.
struct Contender {
    name: &'static str,
    round: Box<dyn FnMut(u16) -> f64>,
    best: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let test = arguments.iter().any(|argument| argument == "--test");
    let after = |name| arguments.iter().skip_while(move |a| *a != name).nth(1);
    let backend = after("--backend").map_or_else(Backend::default, |name| {
        let named = |backend: &Backend| format!("{backend:?}").eq_ignore_ascii_case(name);
        Backend::available()
            .find(named)
            .expect("a backend that this processor has")
    });
    let filter = arguments
        .first()
        .filter(|argument| !argument.starts_with("--"));
    let rounds = if test { 1 } else { 400 };

    let mut csv = String::from("name,contender,ns_per_packet,times_faster_is_ours\n");
    println!("backend {backend:?}; ns a packet, and how many times as long as ours (single)");
    for suite in SUITES {
        for direction in [Direction::Protect, Direction::Unprotect] {
            for payload in PAYLOADS {
                let name = format!("srtp/{direction:?}/{suite:?}/{payload}").to_lowercase();
                if filter.is_some_and(|filter| !name.contains(filter.as_str())) {
                    continue;
                }
                let mut contenders = contenders(suite, direction, payload, backend);
                measure(&mut contenders, rounds);
                report(&name, &contenders, &mut csv);
            }
        }
    }
    let streams: &[u32] = if test { &[100] } else { &[1, 10_000, 100_000] };
    for suite in SUITES {
        for streams in streams {
            let name = format!("srtp/streams/{suite:?}/160/{streams}").to_lowercase();
            if filter.is_none_or(|filter| name.contains(filter.as_str())) {
                let mut contenders = round_robin(suite, *streams, backend);
                measure(&mut contenders, if test { 1 } else { 1200 });
                report(&name, &contenders, &mut csv);
            }
        }
        let name = format!("srtp/create/{suite:?}").to_lowercase();
        if filter.is_none_or(|filter| name.contains(filter.as_str())) {
            let create = move |_| {
                let keys: Vec<_> = (0..ROUND).map(|_| key(suite)).collect();
                let mut senders = Vec::with_capacity(PACKETS);
                timed(|| senders.extend(keys.into_iter().map(Sender::new)))
            };
            let mut contenders = [Contender {
                name: "ours",
                round: Box::new(create),
                best: f64::INFINITY,
            }];
            measure(&mut contenders, if test { 1 } else { 200 });
            report(&name, &contenders, &mut csv);
        }
    }
    if !test {
        let directory = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
        std::fs::write(format!("{directory}/srtp_table.csv"), csv).expect("a target directory");
    }
}

fn measure(contenders: &mut [Contender], rounds: u16) {
    for round in 0..rounds {
        for contender in &mut *contenders {
            let time = (contender.round)(round.wrapping_mul(ROUND));
            contender.best = contender.best.min(time);
        }
    }
}

fn report(name: &str, contenders: &[Contender], csv: &mut String) {
    let ours = contenders[0].best;
    let mut line = format!("{name:55}");
    for contender in contenders {
        let ratio = contender.best / ours;
        let _ = write!(
            line,
            "  {} {:7.1} ({ratio:5.2})",
            contender.name, contender.best
        );
        let _ = writeln!(
            csv,
            "{name},{},{:.1},{ratio:.2}",
            contender.name, contender.best
        );
    }
    println!("{line}");
}

fn contenders(
    suite: Profile,
    direction: Direction,
    payload: usize,
    backend: Backend,
) -> Vec<Contender> {
    let contender = |name, round| Contender {
        name,
        round,
        best: f64::INFINITY,
    };
    #[allow(unused_mut, reason = "with feature peers")]
    let mut contenders = vec![
        contender("ours", ours(suite, direction, payload, backend)),
        contender("ours_batch", ours_batch(suite, direction, payload, backend)),
    ];
    #[cfg(feature = "peers")]
    for (name, round) in peers::all(suite, direction, payload) {
        contenders.push(contender(name, round));
    }
    contenders
}

/// A packet with room for what protection adds.
struct Buffer {
    octets: Vec<u8>,
    len: usize,
}

impl Buffer {
    fn new(seq: u16, payload: usize) -> Self {
        let mut octets = rtp_packet(SSRC, seq, payload).to_vec();
        let len = octets.len();
        octets.resize(len + 32, 0);
        Self { octets, len }
    }
}

fn ours(
    suite: Profile,
    direction: Direction,
    payload: usize,
    backend: Backend,
) -> Box<dyn FnMut(u16) -> f64> {
    let (mut sender, mut receiver) = pair(suite, backend);
    Box::new(move |first| {
        let mut packets = round(first, payload);
        let protect = |packets: &mut [Buffer], sender: &mut Sender| {
            for packet in packets {
                let buffer = black_box(&mut packet.octets);
                packet.len = sender
                    .protect_rtp_in_place(buffer, packet.len)
                    .expect("indices are left");
            }
        };
        if direction == Direction::Protect {
            return timed(|| protect(&mut packets, &mut sender));
        }
        protect(&mut packets, &mut sender);
        timed(|| {
            for packet in &mut packets {
                let packet = black_box(&mut packet.octets[..packet.len]);
                receiver
                    .unprotect_rtp_in_place(packet)
                    .expect("genuine packets");
            }
        })
    })
}

fn ours_batch(
    suite: Profile,
    direction: Direction,
    payload: usize,
    backend: Backend,
) -> Box<dyn FnMut(u16) -> f64> {
    let (sender, receiver) = pair(suite, backend);
    let (mut senders, mut receivers) = ([sender], [receiver]);
    Box::new(move |first| {
        let mut buffers = round(first, payload);
        let mut packets: Vec<_> = buffers.iter_mut().map(packet).collect();
        let mut protected = [Ok(()); PACKETS];
        let mut opened = [Ok(()); PACKETS];
        let protect = timed(|| {
            batch::protect_rtp(&mut senders, black_box(&mut packets), &mut protected);
        });
        assert!(protected.iter().all(Result::is_ok));
        if direction == Direction::Protect {
            return protect;
        }
        let unprotect = timed(|| {
            batch::unprotect_rtp(&mut receivers, black_box(&mut packets), &mut opened);
        });
        assert!(opened.iter().all(Result::is_ok));
        unprotect
    })
}

/// Packets of 160 octets of many streams in turn, under keys of each stream's own, in one session.
fn round_robin(suite: Profile, streams: u32, backend: Backend) -> Vec<Contender> {
    let new = || many_streams::sender(suite, streams, backend);
    let packets = move |next: &mut u32| -> Vec<Buffer> {
        let numbers = (0..ROUND).map(|_| {
            *next += 1;
            *next
        });
        numbers
            .map(|number| {
                let seq = u16::try_from(number / streams % 0x1_0000).expect("16 bits");
                let mut buffer = Buffer::new(seq, 160);
                buffer.octets[8..12].copy_from_slice(&(number % streams).to_be_bytes());
                buffer
            })
            .collect()
    };
    let (mut sender, mut next) = (new(), 0);
    let one = move |_| {
        let mut buffers = packets(&mut next);
        timed(|| {
            for buffer in &mut buffers {
                let protected = sender.protect_rtp_in_place(&mut buffer.octets, buffer.len);
                buffer.len = protected.expect("indices are left");
            }
        })
    };
    let (mut senders, mut next) = ([new()], 0);
    let many = move |_| {
        let mut buffers = packets(&mut next);
        let mut packets: Vec<_> = buffers.iter_mut().map(packet).collect();
        let mut results = [Ok(()); PACKETS];
        let time = timed(|| batch::protect_rtp(&mut senders, &mut packets, &mut results));
        assert!(results.iter().all(Result::is_ok));
        time
    };
    let contender = |name, round| Contender {
        name,
        round,
        best: f64::INFINITY,
    };
    vec![
        contender("ours", Box::new(one)),
        contender("ours_batch", Box::new(many)),
    ]
}

fn packet(buffer: &mut Buffer) -> Packet<'_> {
    Packet {
        session: 0,
        buffer: &mut buffer.octets,
        len: buffer.len,
    }
}

fn round(first: u16, payload: usize) -> Vec<Buffer> {
    (0..ROUND)
        .map(|n| Buffer::new(first.wrapping_add(n), payload))
        .collect()
}

fn timed(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUND)
}

fn pair(suite: Profile, backend: Backend) -> (Sender, Receiver) {
    let keys = || KeySet::single(key(suite));
    let source = StaticKeys::new(keys(), keys());
    let sender = Sender::builder(&source).backend(backend).build();
    let receiver = Receiver::builder(&source).backend(backend).build();
    (
        sender.expect("a key of the profile"),
        receiver.expect("a key of the profile"),
    )
}

fn key(suite: Profile) -> MasterKey {
    let (key, salt) = ([0x5a; 32], [0xa5; 14]);
    let (key, salt) = (&key[..suite.key_len()], &salt[..suite.salt_len()]);
    MasterKey::new(suite, key, salt).expect("lengths of the profile")
}

#[path = "srtp_table/many_streams.rs"]
mod many_streams;
#[cfg(feature = "peers")]
#[path = "srtp_table/peers.rs"]
mod peers;
