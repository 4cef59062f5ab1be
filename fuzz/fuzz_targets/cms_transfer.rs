//! Whatever comes as an S/MIME message, be it an altered genuine one: what opens through the KMS is
//! what Alice wrote, it opens once, and nothing else reaches the replay cache.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::profile::key_transport::{ContentKeySender, IncomingContentKey};
use mikey_ticket::profile::psk_mime;
use mikey_ticket::{
    DeferredReplayCache, GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, Recipient, Responder,
    Strength,
};
use smime_psk::{AuthEnvelopedData, Encoding, OpenPolicy, ProofOfOrigin, SealPolicy, mime};

mod rng;

const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nAll your base are belong to us.\r\n";

/// Without and with a proof of origin.
static GENUINE: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [false, true].map(genuine));

fuzz_target!(|octets: &[u8]| {
    open(octets);
    if let Ok(cms) = mime::unwrap(octets) {
        open(&cms);
    }
    // Or three octets each: where a genuine message is altered, and how.
    for message in &*GENUINE {
        let mut altered = message.clone();
        for edit in octets.chunks_exact(3) {
            let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % altered.len();
            altered[at] ^= edit[2];
        }
        let opened = open(&altered);
        assert!(opened || altered != *message);
    }
});

/// Whether it opens.
fn open(octets: &[u8]) -> bool {
    let (mut kms, bob) = (kms(), id("sip:bob@example.com"));
    let user = Responder::new(bob.clone(), kms_id()).with_window(None);
    let mut seen = DeferredReplayCache::new(4);
    let (mut opened, mut times) = (false, 0);
    for encoding in [Encoding::Der, Encoding::Ber] {
        let Ok(message) = AuthEnvelopedData::parse(octets, encoding) else {
            continue;
        };
        let infos = message.recipient_infos();
        let Ok(Some(found)) = IncomingContentKey::find(infos, &user, now()) else {
            continue;
        };
        let mut rng = rng::Fixed(times);
        let (resolving, request) = found.resolve(&psk(), now(), &mut rng).expect("own key");
        let Ok(response) = kms.handle(&request, now(), &mut rng) else {
            continue;
        };
        let Ok(mut key) = resolving.accept(&response, now(), &mut seen) else {
            continue;
        };
        if let Ok(content) = message.open(&mut key, &OpenPolicy::default()) {
            assert_eq!(content.content(), TEXT);
            assert_eq!(content.sender(), Some("sip:alice@example.com"));
            opened = true;
            times += 1;
        }
    }
    assert_eq!(seen.len(), usize::from(opened));
    assert!(times <= 1, "replayed");
    opened
}

fn genuine(proof: bool) -> Vec<u8> {
    let (mut kms, mut rng, to) = (kms(), rng::Fixed(7), [id("sip:bob@example.com")]);
    let recipients = to.iter().cloned().map(Recipient::new).collect();
    let policy = psk_mime::policy(Strength::Bits128, recipients, proof).expect("valid");
    let alice = Initiator::new(id("sip:alice@example.com"), kms_id());
    let (pending, request) = alice
        .request(&policy, &psk(), now(), &mut rng)
        .expect("own key");
    let response = kms.handle(&request, now(), &mut rng).expect("granted");
    let mut ticket = pending.accept(&response, now()).expect("genuine");
    let mut sender = ContentKeySender::new(&mut ticket, &to, now());
    let origin = if proof {
        ProofOfOrigin::Committing
    } else {
        ProofOfOrigin::None
    };
    let policy = SealPolicy::default().proof_of_origin(origin);
    smime_psk::seal(TEXT, &mut sender, &policy, &mut rng).expect("sealed")
}

fn kms() -> Kms<InMemoryKeys, InMemoryTicketKeys, GrantAsAsked, InMemoryReplayCache> {
    let (mut subscribers, mut tpks) = (InMemoryKeys::new(), InMemoryTicketKeys::new());
    for user in ["sip:alice@example.com", "sip:bob@example.com"] {
        subscribers.insert(id(user), key());
    }
    let until = now().plus_seconds(86_400);
    tpks.insert(b"tpk", Strength::Bits128, key(), now(), until);
    let replay = InMemoryReplayCache::new(8, SkewWindow::default());
    Kms::new(kms_id(), subscribers, tpks, GrantAsAsked, replay)
}

fn psk() -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    keys.insert(kms_id(), key());
    keys
}

fn key() -> Secret {
    Secret::new(&[0x2b; 16]).expect("16 octets")
}

fn kms_id() -> Identity {
    id("sip:kms.example.com")
}

fn id(uri: &str) -> Identity {
    Identity::uri(uri).expect("short")
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_800_000_000, 0)
}
