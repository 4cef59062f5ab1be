//! A key management service on one core: REQUEST_INIT_PSK to REQUEST_RESP, RESOLVE_INIT_PSK to
//! RESOLVE_RESP, each message a new one.

#![allow(missing_docs, clippy::unwrap_used, reason = "benchmarks")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::{
    GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, Offer, Policy, Recipient, Responder, Strength,
};

fn benchmark(c: &mut Criterion) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let now = Timestamp::from_unix(1_800_000_000, 0);
    let [alice, bob, kms_id] = [
        "sip:alice@example.com",
        "sip:bob@example.com",
        "sip:kms.example.com",
    ]
    .map(|uri| Identity::uri(uri).unwrap());
    let mut group = c.benchmark_group("mikey_ticket/kms");
    group.throughput(Throughput::Elements(1));
    for (strength, name) in [(Strength::Bits128, "128"), (Strength::Bits256, "256")] {
        let (mut subscribers, mut psk) = (InMemoryKeys::new(), InMemoryKeys::new());
        psk.insert(kms_id.clone(), Secret::new(&[1; 32]).unwrap());
        for user in [&alice, &bob] {
            subscribers.insert(user.clone(), Secret::new(&[1; 32]).unwrap());
        }
        let mut tpks = InMemoryTicketKeys::new();
        let tpk = Secret::random(strength.key_len(), &mut rng).unwrap();
        tpks.insert(b"tpk", strength, tpk, now, now.plus_seconds(86_400));
        let replay = InMemoryReplayCache::new(10_000, SkewWindow::default());
        let mut kms = Kms::new(kms_id.clone(), subscribers, tpks, GrantAsAsked, replay);
        // The bounded cache drops its oldest message, so each has to be newer than the one before.
        let mut clock = 0_u64;
        let mut tick = || {
            clock += 1;
            let microseconds = u32::try_from(clock % 1_000_000).unwrap();
            Timestamp::from_unix(1_800_000_000 + clock / 1_000_000, microseconds * 1000)
        };
        let recipients = vec![Recipient::new(bob.clone())];
        let policy = Policy::new(strength, Policy::FORKED, recipients).unwrap();
        let initiator = Initiator::new(alice.clone(), kms_id.clone());
        group.bench_function(format!("request/{name}"), |b| {
            let mut own = rand_core::UnwrapErr(getrandom::SysRng);
            b.iter_batched(
                || {
                    let time = tick();
                    let (_, request) = initiator.request(&policy, &psk, time, &mut own).unwrap();
                    (request, time)
                },
                |(request, time)| kms.handle(&request, time, &mut rng).unwrap(),
                BatchSize::SmallInput,
            );
        });
        let time = tick();
        let (pending, request) = initiator.request(&policy, &psk, time, &mut rng).unwrap();
        let response = kms.handle(&request, time, &mut rng).unwrap();
        let mut ticket = pending.accept(&response, time).unwrap();
        let offer = Offer::new(&bob, &[]);
        let (_, init) = ticket.transfer(&offer, time, &mut rng).unwrap();
        let responder = Responder::new(bob.clone(), kms_id.clone());
        group.bench_function(format!("resolve/{name}"), |b| {
            let mut own = rand_core::UnwrapErr(getrandom::SysRng);
            b.iter_batched(
                || {
                    let time = tick();
                    let incoming = responder.receive(&init, time).unwrap();
                    (incoming.resolve(&psk, time, &mut own).unwrap().1, time)
                },
                |(request, time)| kms.handle(&request, time, &mut rng).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
