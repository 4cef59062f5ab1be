//! A key management service on one core: REQUEST_INIT to REQUEST_RESP, RESOLVE_INIT to RESOLVE_RESP,
//! each message a new one, by pre-shared and by public keys; and a resolve that is relayed to another.

#![allow(missing_docs, clippy::unwrap_used, reason = "benchmarks")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
#[cfg(feature = "rsa")]
use mikey::crypto::RsaCredentials;
use mikey::derive::Secret;
use mikey::{Credentials, Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::{
    GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, KmsPolicy, KmsReply, Offer, Policy,
    Recipient, Responder, Strength,
};

/// What a run shares: names, times and a ticket policy.
struct Scene {
    alice: Identity,
    bob: Identity,
    com: Identity,
    org: Identity,
    clock: u64,
}

impl Scene {
    fn new() -> Self {
        let [alice, bob, com, org] = [
            "sip:alice@example.com",
            "sip:bob@example.com",
            "sip:kms.example.com",
            "sip:kms.example.org",
        ]
        .map(|uri| Identity::uri(uri).unwrap());
        Self {
            alice,
            bob,
            com,
            org,
            clock: 0,
        }
    }

    /// The bounded cache drops its oldest message, so each has to be newer than the one before.
    fn tick(&mut self) -> Timestamp {
        self.clock += 1;
        let microseconds = u32::try_from(self.clock % 1_000_000).unwrap();
        Timestamp::from_unix(1_800_000_000 + self.clock / 1_000_000, microseconds * 1000)
    }

    fn policy(&self, strength: Strength) -> Policy {
        let recipients = vec![Recipient::new(self.bob.clone())];
        Policy::new(strength, Policy::FORKED, recipients).unwrap()
    }
}

type BenchKms<P, K> = Kms<InMemoryKeys, InMemoryTicketKeys, P, InMemoryReplayCache, K>;

fn shared(with: &[&Identity]) -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    for peer in with {
        keys.insert((*peer).clone(), Secret::new(&[1; 32]).unwrap());
    }
    keys
}

fn kms<P: KmsPolicy, K>(
    identity: &Identity,
    keys: InMemoryKeys,
    strength: Strength,
    policy: P,
    credentials: K,
) -> BenchKms<P, K> {
    let mut tpks = InMemoryTicketKeys::new();
    let tpk = Secret::new(&vec![2; strength.key_len()]).unwrap();
    let now = Timestamp::from_unix(1_800_000_000, 0);
    tpks.insert(b"tpk", strength, tpk, now, now.plus_seconds(86_400));
    let replay = InMemoryReplayCache::new(10_000, SkewWindow::default());
    Kms::new(identity.clone(), keys, tpks, policy, replay).with_credentials(credentials)
}

/// A TRANSFER_INIT to Bob.
fn transfer_init<P: KmsPolicy, K: Credentials>(
    scene: &mut Scene,
    kms: &mut BenchKms<P, K>,
    strength: Strength,
) -> Vec<u8> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (time, policy) = (scene.tick(), scene.policy(strength));
    let initiator = Initiator::new(scene.alice.clone(), scene.com.clone());
    let psk = shared(&[&scene.com]);
    let (pending, request) = initiator.request(&policy, &psk, time, &mut rng).unwrap();
    let response = kms.handle(&request, time, &mut rng).unwrap();
    let mut ticket = pending.accept(&response, time).unwrap();
    let offer = Offer::new(&scene.bob, &[]);
    ticket.transfer(&offer, time, &mut rng).unwrap().1
}

const STRENGTHS: [(Strength, &str); 2] = [(Strength::Bits128, "128"), (Strength::Bits256, "256")];

fn pre_shared(c: &mut Criterion) {
    let mut group = c.benchmark_group("mikey_ticket/kms");
    group.throughput(Throughput::Elements(1));
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    for (strength, name) in STRENGTHS {
        let mut scene = Scene::new();
        let subscribers = shared(&[&scene.alice, &scene.bob]);
        let mut kms = kms(
            &scene.com,
            subscribers,
            strength,
            GrantAsAsked,
            mikey_ticket::NoCredentials,
        );
        let psk = shared(&[&scene.com]);
        let policy = scene.policy(strength);
        let initiator = Initiator::new(scene.alice.clone(), scene.com.clone());
        group.bench_function(format!("request/{name}"), |b| {
            let mut own = rand_core::UnwrapErr(getrandom::SysRng);
            b.iter_batched(
                || {
                    let time = scene.tick();
                    let (_, request) = initiator.request(&policy, &psk, time, &mut own).unwrap();
                    (request, time)
                },
                |(request, time)| kms.handle(&request, time, &mut rng).unwrap(),
                BatchSize::SmallInput,
            );
        });
        let init = transfer_init(&mut scene, &mut kms, strength);
        let responder = Responder::new(scene.bob.clone(), scene.com.clone());
        group.bench_function(format!("resolve/{name}"), |b| {
            let mut own = rand_core::UnwrapErr(getrandom::SysRng);
            b.iter_batched(
                || {
                    let time = scene.tick();
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

#[cfg(feature = "rsa")]
macro_rules! key {
    ($name:literal) => {
        include_bytes!(concat!("../../mikey-ticket/tests/vectors/rsa/", $name))
    };
}

/// RSA with 2048 bits: a signature of a user is verified, an envelope opened.
#[cfg(feature = "rsa")]
fn public_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("mikey_ticket/kms");
    group.throughput(Throughput::Elements(1));
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (strength, mut scene) = (Strength::Bits256, Scene::new());
    let mut of_kms = RsaCredentials::from_pkcs8(key!("kms.pkcs8.der")).unwrap();
    for user in [&scene.alice, &scene.bob] {
        of_kms.trust(user.clone(), key!("alice.modulus.bin"), &[1, 0, 1]);
    }
    let mut of_user = RsaCredentials::from_pkcs8(key!("alice.pkcs8.der")).unwrap();
    of_user.trust(scene.com.clone(), key!("kms.modulus.bin"), &[1, 0, 1]);
    let subscribers = shared(&[&scene.alice]);
    let mut kms = kms(&scene.com, subscribers, strength, GrantAsAsked, of_kms);
    let init = transfer_init(&mut scene, &mut kms, strength);
    let policy = scene.policy(strength);
    let initiator = Initiator::new(scene.alice.clone(), scene.com.clone());
    group.bench_function("request_pk/256", |b| {
        let mut own = rand_core::UnwrapErr(getrandom::SysRng);
        b.iter_batched(
            || {
                let time = scene.tick();
                let asked = initiator.request_pk(&policy, &of_user, time, &mut own);
                (asked.unwrap().1, time)
            },
            |(request, time)| kms.handle(&request, time, &mut rng).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let responder = Responder::new(scene.bob.clone(), scene.com.clone());
    group.bench_function("resolve_pk/256", |b| {
        let mut own = rand_core::UnwrapErr(getrandom::SysRng);
        b.iter_batched(
            || {
                let time = scene.tick();
                let incoming = responder.receive(&init, time).unwrap();
                let asked = incoming.resolve_pk(&of_user, time, &mut own);
                (asked.unwrap().1, time)
            },
            |(request, time)| kms.handle(&request, time, &mut rng).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Every KMS is a partner, and every ticket is resolved there.
struct Partners;

impl KmsPolicy for Partners {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn is_partner(&self, identity: &Identity) -> bool {
        identity.data().starts_with(b"sip:kms.")
    }

    fn is_user_of(&self, _: &Identity, _: &Identity) -> bool {
        true
    }
}

/// The work of both KMSs: the user's asks and passes the answer on, the other one resolves.
fn relay(c: &mut Criterion) {
    let mut group = c.benchmark_group("mikey_ticket/kms");
    group.throughput(Throughput::Elements(1));
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let none = mikey_ticket::NoCredentials;
    let (strength, mut scene) = (Strength::Bits256, Scene::new());
    let of_com = shared(&[&scene.alice, &scene.org]);
    let of_org = shared(&[&scene.bob, &scene.com]);
    let mut com = kms(&scene.com, of_com, strength, Partners, none);
    let mut org = kms(&scene.org, of_org, strength, Partners, none);
    let init = transfer_init(&mut scene, &mut com, strength);
    let responder = Responder::new(scene.bob.clone(), scene.org.clone());
    let psk = shared(&[&scene.org]);
    group.bench_function("relay_and_issuer/256", |b| {
        let mut own = rand_core::UnwrapErr(getrandom::SysRng);
        b.iter_batched(
            || {
                let time = scene.tick();
                let incoming = responder.receive(&init, time).unwrap();
                (incoming.resolve(&psk, time, &mut own).unwrap().1, time)
            },
            |(request, time)| {
                let reply = org.handle_or_relay(&request, time, &mut rng).unwrap();
                let KmsReply::Relay(relay) = reply else {
                    return Vec::new();
                };
                let answer = com.handle(relay.message(), time, &mut rng).unwrap();
                org.accept(*relay, &answer, time, &mut rng).unwrap()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

#[cfg(not(feature = "rsa"))]
fn public_key(_: &mut Criterion) {}

criterion_group!(benches, pre_shared, public_key, relay);
criterion_main!(benches);
