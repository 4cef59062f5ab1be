//! What `RsaCredentials` takes of peers. The signatures were made by OpenSSL.

use mikey::code_points::SType;
use mikey::crypto::{Envelope, RsaCredentials};
use mikey::derive::Secret;
use mikey::exchange::{ExchangeError, public_key};
use mikey::payload::{Payload, Pke, Sign};
use mikey::{CredentialError, Credentials, Identity, Message};

use crate::support::{TestRng, alice, bob, cache, now, tgk, time, with_proposal};

const ALICE_KEY: &[u8] = include_bytes!("../vectors/rsa/alice.pkcs8.der");
const BOB_KEY: &[u8] = include_bytes!("../vectors/rsa/bob.pkcs8.der");
const ALICE_MODULUS: &[u8] = include_bytes!("../vectors/rsa/alice.modulus.bin");
const BOB_MODULUS: &[u8] = include_bytes!("../vectors/rsa/bob.modulus.bin");
const CAROL_MODULUS: &[u8] = include_bytes!("../vectors/rsa/carol.modulus.bin");
const ALICE_SHA1: &[u8] = include_bytes!("../vectors/rsa/alice.sha1.sig.bin");
const CAROL_SHA1: &[u8] = include_bytes!("../vectors/rsa/carol.sha1.sig.bin");
const CAROL_SHA256: &[u8] = include_bytes!("../vectors/rsa/carol.sha256.sig.bin");

fn of(key: &[u8], envelope: Envelope) -> RsaCredentials {
    let mut credentials = RsaCredentials::from_pkcs8(key).unwrap().envelope(envelope);
    credentials.trust(alice(), ALICE_MODULUS, &[1, 0, 1]);
    credentials.trust(bob(), BOB_MODULUS, &[1, 0, 1]);
    credentials
}

/// A message of Alice with another envelope, signed as it should be.
fn with_envelope(of_alice: &RsaCredentials, envelope: &[u8]) -> Vec<u8> {
    let initiator = public_key::Initiator::new(of_alice, alice(), bob());
    let (_, message) =
        with_proposal(|p| initiator.send(p, vec![tgk(1)], time(), &mut TestRng(7))).unwrap();
    let decoded = Message::decode(&message).unwrap();
    let unset = vec![0; of_alice.signature_len()];
    let payloads: Vec<Payload<'_>> = decoded
        .payloads()
        .map(|payload| match payload {
            Payload::Pke(pke) => Payload::Pke(Pke::new(pke.cache(), envelope).unwrap()),
            Payload::Sign(sign) => Payload::Sign(Sign::new(sign.s_type(), &unset).unwrap()),
            other => other,
        })
        .collect();
    let mut message = Message::new(*decoded.header(), &payloads).unwrap().to_vec();
    message.truncate(message.len() - unset.len());
    let signature = of_alice.sign(&[&message]).unwrap();
    message.extend(signature);
    message
}

#[test]
fn an_envelope_with_bad_padding_fails_as_a_wrong_mac_does() {
    for envelope in [Envelope::Pkcs1, Envelope::Oaep] {
        let (of_alice, of_bob) = (of(ALICE_KEY, envelope), of(BOB_KEY, envelope));
        let wrong_key = Secret::new(&[9; 16]).unwrap();
        let right_padding = of_alice.seal_envelope(&bob(), &[], &wrong_key).unwrap();
        let mut wrong_padding = right_padding.clone();
        wrong_padding[100] ^= 1;
        for sealed in [&right_padding, &wrong_padding] {
            let message = with_envelope(&of_alice, sealed);
            let responder = public_key::Responder::new(&of_bob, bob());
            let error = responder.accept(&message, &mut cache(), now()).unwrap_err();
            assert_eq!(error, ExchangeError::Forged);
        }
    }
}

#[test]
fn an_envelope_that_does_not_open_has_a_key_that_nobody_can_foretell() {
    for envelope in [Envelope::Pkcs1, Envelope::Oaep] {
        let (of_alice, of_bob) = (of(ALICE_KEY, envelope), of(BOB_KEY, envelope));
        let key = Secret::new(&[9; 16]).unwrap();
        let sealed = of_alice.seal_envelope(&bob(), &[], &key).unwrap();
        let opened = of_bob.open_envelope(None, &sealed).unwrap();
        assert_eq!(opened.expose(), key.expose());

        let open = |credentials: &RsaCredentials, difference| {
            let mut changed = sealed.clone();
            changed[100] ^= difference;
            let opened = credentials.open_envelope(None, &changed).unwrap();
            opened.expose().to_vec()
        };
        assert_eq!(open(&of_bob, 1), open(&of_bob, 1), "the same for the same");
        assert_ne!(open(&of_bob, 1), open(&of_bob, 2), "of the envelope");
        assert_ne!(open(&of_bob, 1), open(&of_alice, 1), "and of the key");
        assert!(of_bob.open_envelope(None, &[]).is_ok());
    }
}

#[test]
fn sha_1_and_short_keys_are_taken_by_name_alone() {
    let carol = Identity::uri("sip:carol@example.org").unwrap();
    let credentials = || {
        let mut credentials = of(BOB_KEY, Envelope::Pkcs1);
        credentials.trust(carol.clone(), CAROL_MODULUS, &[1, 0, 1]);
        credentials
    };
    let verdicts = |credentials: &RsaCredentials| {
        let verify = |peer: &Identity, signature: &[u8]| {
            let verified =
                credentials.verify(peer, &[], SType::RsaPkcs1, &[b"MI", b"KEY"], signature);
            assert!(matches!(verified, Ok(()) | Err(CredentialError::Invalid)));
            verified.is_ok()
        };
        [
            verify(&alice(), ALICE_SHA1),
            verify(&carol, CAROL_SHA256),
            verify(&carol, CAROL_SHA1),
        ]
    };
    assert_eq!(verdicts(&credentials()), [false, false, false]);
    assert_eq!(verdicts(&credentials().accept_sha1()), [true, false, false]);
    assert_eq!(
        verdicts(&credentials().accept_1024_bits()),
        [false, true, false]
    );
    let both = credentials().accept_sha1().accept_1024_bits();
    assert_eq!(verdicts(&both), [true, true, true]);
    let short = both.seal_envelope(&carol, &[], &Secret::new(&[9; 16]).unwrap());
    assert_eq!(short.unwrap_err(), CredentialError::Unsupported);

    // Own signatures have SHA-256, whatever is accepted.
    let of_alice = of(ALICE_KEY, Envelope::Pkcs1).accept_sha1();
    let signature = of_alice.sign(&[b"MIKEY"]).unwrap();
    let strict = credentials();
    assert!(
        strict
            .verify(&alice(), &[], SType::RsaPkcs1, &[b"MIKEY"], &signature)
            .is_ok()
    );
}
