//! The exchanges that signatures authenticate: public key, Diffie-Hellman, RSA-R.

use mikey::code_points::{CertType, ErrorNo, MacAlg, PayloadType};
use mikey::crypto::{Envelope, Group, RsaCredentials, Suite};
use mikey::derive::{Prf, SessionKey};
use mikey::exchange::{
    Acceptance, Bundle, DhUpdate, ExchangeError, Validity, dh, psk, public_key, rsa_r,
};
use mikey::limits::MAX_CERTIFICATES;
use mikey::payload::{Kemac, Mac, Payload, Sign};
use mikey::{
    CredentialError, Credentials, Identity, InMemoryReplayCache, Message, MessageTime, ReplayError,
};

use crate::support::{
    TestRng, alice, bob, cache, lenient, now, tampered, tgk, time, with_proposal,
};

const ALICE_KEY: &[u8] = include_bytes!("../vectors/rsa/alice.pkcs8.der");
const BOB_KEY: &[u8] = include_bytes!("../vectors/rsa/bob.pkcs8.der");
const ALICE_MODULUS: &[u8] = include_bytes!("../vectors/rsa/alice.modulus.bin");
const BOB_MODULUS: &[u8] = include_bytes!("../vectors/rsa/bob.modulus.bin");

/// The key wrap takes multiples of 8 octets: an ID payload of 25, a Key data payload of 4, and this.
fn material(fill: u8) -> Vec<mikey::exchange::KeyMaterial> {
    vec![tgk(fill).with_spi(&[1; 14])]
}

const SUITES: [Suite; 3] = [
    Suite::AES_CM_128_HMAC_SHA1,
    Suite::AES_KW_128_HMAC_SHA1,
    Suite::AES_CM_256_HMAC_SHA256,
];

#[derive(Clone, Copy, Debug)]
struct Rsa {
    pss: bool,
    envelope: Envelope,
}

const RSA: [Rsa; 2] = [
    Rsa {
        pss: false,
        envelope: Envelope::Pkcs1,
    },
    Rsa {
        pss: true,
        envelope: Envelope::Oaep,
    },
];

impl Rsa {
    fn credentials(self, key: &[u8], peer: Identity, modulus: &[u8]) -> RsaCredentials {
        let mut credentials = RsaCredentials::from_pkcs8(key)
            .unwrap()
            .envelope(self.envelope);
        credentials.trust(peer, modulus, &[1, 0, 1]);
        credentials = credentials.certificate(CertType::X509Url, b"https://example.org/c.cer");
        if self.pss {
            credentials.pss()
        } else {
            credentials
        }
    }

    fn of_alice(self) -> RsaCredentials {
        self.credentials(ALICE_KEY, bob(), BOB_MODULUS)
    }

    fn of_bob(self) -> RsaCredentials {
        self.credentials(BOB_KEY, alice(), ALICE_MODULUS)
    }
}

fn same_keys(a: &Bundle, b: &Bundle) {
    for cs_id in [1, 2] {
        let (mut ours, mut theirs) = ([0; 16], [0xff; 16]);
        a.session_key(cs_id, SessionKey::Tek, &mut ours).unwrap();
        b.session_key(cs_id, SessionKey::Tek, &mut theirs).unwrap();
        assert_eq!(ours, theirs);
    }
    assert_eq!(a.sessions(), b.sessions());
}

mod by_public_key {
    use super::*;

    fn request(rsa: Rsa, suite: Suite) -> (psk::AwaitingVerification, Vec<u8>) {
        let credentials = rsa.of_alice();
        let initiator = public_key::Initiator::new(&credentials, alice(), bob()).suite(suite);
        with_proposal(|p| initiator.request(p, material(1), time(), &mut TestRng(7))).unwrap()
    }

    fn respond(
        rsa: Rsa,
        message: &[u8],
        cache: &mut InMemoryReplayCache,
    ) -> Result<psk::Accepted, ExchangeError> {
        public_key::Responder::new(&rsa.of_bob(), bob()).accept(message, cache, now())
    }

    #[test]
    fn both_sides_have_the_same_keys_and_can_update_them() {
        for rsa in RSA {
            for suite in SUITES {
                let (awaiting, message) = request(rsa, suite);
                let accepted = respond(rsa, &message, &mut cache()).unwrap();
                let (mut at_bob, answer) = accepted.establish().unwrap();
                let at_alice = awaiting.accept(&answer.unwrap()).unwrap();
                same_keys(&at_alice, &at_bob);

                // The envelope key is cached, so the update is a pre-shared key message.
                let later = MessageTime::Utc(now().plus_seconds(1));
                let update = psk::Update::new().keys(vec![tgk(2)]);
                let (at_alice, message) = at_alice.send_update(update, later).unwrap();
                let accept = Acceptance::new();
                at_bob
                    .accept_update(&message, &accept, &mut cache(), now())
                    .unwrap();
                same_keys(&at_alice, &at_bob);
            }
        }
    }

    #[test]
    fn an_envelope_key_that_is_not_cached_updates_nothing() {
        let credentials = RSA[0].of_alice();
        let initiator = public_key::Initiator::new(&credentials, alice(), bob()).without_cache();
        let (awaiting, message) =
            with_proposal(|p| initiator.request(p, material(1), time(), &mut TestRng(7))).unwrap();
        let (at_bob, answer) = respond(RSA[0], &message, &mut cache())
            .unwrap()
            .establish()
            .unwrap();
        let at_alice = awaiting.accept(&answer.unwrap()).unwrap();
        assert_eq!((at_alice.suite(), at_bob.suite()), (None, None));
        let later = MessageTime::Utc(now().plus_seconds(1));
        assert!(at_alice.send_update(psk::Update::new(), later).is_err());
    }

    #[test]
    fn every_changed_octet_of_the_i_message_is_refused_and_changes_no_cache() {
        for rsa in RSA {
            for suite in SUITES {
                let (_, message) = request(rsa, suite);
                let of_bob = rsa.of_bob();
                let responder = public_key::Responder::new(&of_bob, bob());
                let mut cache = cache();
                for (index, changed) in tampered(&message) {
                    assert!(
                        responder.accept(&changed, &mut cache, now()).is_err(),
                        "{index}"
                    );
                    assert!(cache.is_empty(), "octet {index} changed the cache");
                }
                assert!(responder.accept(&message, &mut cache, now()).is_ok());
            }
        }
    }

    #[test]
    fn every_changed_octet_of_the_r_message_is_refused_and_the_right_one_still_taken() {
        for suite in SUITES {
            let (mut awaiting, message) = request(RSA[0], suite);
            let accepted = respond(RSA[0], &message, &mut cache()).unwrap();
            let answer = accepted.establish().unwrap().1.unwrap();
            for (index, changed) in tampered(&answer) {
                let rejected = awaiting.accept(&changed).err();
                awaiting = rejected
                    .unwrap_or_else(|| panic!("octet {index}"))
                    .into_state();
            }
            assert!(awaiting.accept(&answer).is_ok());
        }
    }

    #[test]
    fn a_replay_a_reflection_and_a_stranger_are_refused() {
        let (_, message) = request(RSA[0], SUITES[0]);
        let mut cache = cache();
        respond(RSA[0], &message, &mut cache).unwrap();
        let again = respond(RSA[0], &message, &mut cache).unwrap_err();
        assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));

        let of_alice = RSA[0].of_alice();
        let mirror = public_key::Responder::new(&of_alice, alice());
        let reflected = mirror.accept(&message, &mut cache, now()).unwrap_err();
        assert_eq!(reflected, ExchangeError::Reflected);

        let knows_nobody = RsaCredentials::from_pkcs8(BOB_KEY).unwrap();
        let responder = public_key::Responder::new(&knows_nobody, bob());
        let error = responder.accept(&message, &mut cache, now()).unwrap_err();
        assert_eq!(
            error,
            ExchangeError::Credentials(CredentialError::UnknownPeer)
        );
    }

    #[test]
    fn the_key_wrap_stands_without_a_mac() {
        let (_, message) = request(RSA[0], Suite::AES_KW_128_HMAC_SHA1);
        let decoded = Message::decode(&message).unwrap();
        let kemac = decoded.payloads().find_map(|payload| match payload {
            Payload::Kemac(kemac) => Some(kemac),
            _ => None,
        });
        assert_eq!(kemac.unwrap().mac().alg(), MacAlg::Null);
        let (_, answer) = respond(RSA[0], &message, &mut cache())
            .unwrap()
            .establish()
            .unwrap();
        let answer = answer.unwrap();
        let decoded = Message::decode(&answer).unwrap();
        let Some(Payload::V(verification)) = decoded.payloads().last() else {
            panic!("no V")
        };
        assert_eq!(verification.mac().alg(), MacAlg::HmacSha1_160);

        // Any other encryption needs its MAC.
        let (_, message) = request(RSA[0], Suite::AES_CM_128_HMAC_SHA1);
        let decoded = Message::decode(&message).unwrap();
        let payloads: Vec<Payload<'_>> = decoded
            .payloads()
            .map(|payload| match payload {
                Payload::Kemac(kemac) => {
                    let bare = Kemac::new(kemac.encr_alg(), kemac.encr_data(), Mac::NULL);
                    Payload::Kemac(bare.unwrap())
                }
                other => other,
            })
            .collect();
        let bare = Message::new(*decoded.header(), &payloads).unwrap().to_vec();
        let error = respond(RSA[0], &bare, &mut cache()).unwrap_err();
        assert_eq!(error, ExchangeError::UnsupportedMac);
    }

    #[test]
    fn a_message_has_eight_certificates_at_most() {
        let send = |count: usize| {
            // One is there already.
            let mut credentials = RSA[0].of_alice();
            for _ in 1..count {
                credentials = credentials.certificate(CertType::X509, b"DER");
            }
            let initiator = public_key::Initiator::new(&credentials, alice(), bob());
            let (_, message) =
                with_proposal(|p| initiator.send(p, material(1), time(), &mut TestRng(7))).unwrap();
            respond(RSA[0], &message, &mut cache()).map(|_| ())
        };
        assert_eq!(send(MAX_CERTIFICATES), Ok(()));
        assert_eq!(
            send(MAX_CERTIFICATES + 1),
            Err(ExchangeError::UnexpectedPayload(PayloadType::Cert))
        );
    }

    #[test]
    fn skew_is_refused_before_any_signature_is_looked_at() {
        let (_, message) = request(RSA[0], SUITES[0]);
        let knows_nobody = RsaCredentials::from_pkcs8(BOB_KEY).unwrap();
        let responder = public_key::Responder::new(&knows_nobody, bob());
        for now in [now().plus_seconds(301), now().minus_seconds(301)] {
            let error = responder.accept(&message, &mut cache(), now).unwrap_err();
            assert_eq!(error, ExchangeError::ClockSkew);
        }
    }
}

mod by_dh {
    use super::*;

    const GROUPS: [Group; 3] = [Group::Oakley1, Group::Oakley2, Group::Oakley5];

    #[test]
    fn both_sides_agree_and_no_changed_octet_is_taken() {
        for (rsa, prf) in RSA.into_iter().zip([Prf::Mikey1, Prf::HmacSha256]) {
            for group in GROUPS {
                let (of_alice, of_bob) = (rsa.of_alice(), rsa.of_bob());
                let initiator = dh::Initiator::new(&of_alice, alice(), bob())
                    .group(group)
                    .prf(prf);
                let (mut awaiting, message) =
                    with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
                let responder = dh::Responder::new(&of_bob, bob()).acceptance(lenient());
                let mut cache = cache();
                for (index, changed) in tampered(&message) {
                    assert!(
                        responder.accept(&changed, &mut cache, now()).is_err(),
                        "{index}"
                    );
                    assert!(cache.is_empty(), "octet {index} changed the cache");
                }
                let accepted = responder.accept(&message, &mut cache, now()).unwrap();
                let (at_bob, answer) = accepted.establish(&mut TestRng(4)).unwrap();
                for (index, changed) in tampered(&answer) {
                    let rejected = awaiting.accept(&changed).err();
                    awaiting = rejected
                        .unwrap_or_else(|| panic!("octet {index}"))
                        .into_state();
                }
                let at_alice = awaiting.accept(&answer).unwrap();
                same_keys(&at_alice, &at_bob);

                let again = responder.accept(&message, &mut cache, now()).unwrap_err();
                assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
            }
        }
    }

    #[test]
    fn updates_are_signed_and_no_changed_octet_is_taken() {
        let (of_alice, of_bob) = (RSA[0].of_alice(), RSA[0].of_bob());
        let initiator = dh::Initiator::new(&of_alice, alice(), bob()).group(Group::Oakley1);
        let responder = dh::Responder::new(&of_bob, bob()).acceptance(lenient());
        let (awaiting, message) =
            with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
        let (mut at_bob, answer) = accepted.establish(&mut TestRng(4)).unwrap();
        let at_alice = awaiting.accept(&answer).unwrap();
        let before = at_bob.keys()[0].key().expose().to_vec();

        let later = MessageTime::Utc(now().plus_seconds(1));
        let early = initiator.start_update(at_alice, &DhUpdate::new(), time(), &mut TestRng(5));
        let early = early.unwrap_err();
        assert_eq!(early.error(), ExchangeError::ClockNotAdvanced);
        let update = DhUpdate::new().rekey(Group::Oakley2, Validity::Unlimited);
        let (mut awaiting, message) = initiator
            .start_update(early.into_state(), &update, later, &mut TestRng(5))
            .unwrap();
        let (mut cache, rng) = (cache(), &mut TestRng(6));
        for (index, changed) in tampered(&message) {
            let answer = responder.accept_update(&mut at_bob, &changed, &mut cache, now(), rng);
            assert!(answer.is_err() && cache.is_empty(), "octet {index}");
            assert_eq!(at_bob.keys()[0].key().expose(), before, "octet {index}");
        }
        let answer = responder
            .accept_update(&mut at_bob, &message, &mut cache, now(), rng)
            .unwrap();
        let again = responder.accept_update(&mut at_bob, &message, &mut cache, now(), rng);
        assert_eq!(
            again.unwrap_err(),
            ExchangeError::Replay(ReplayError::Replayed)
        );
        for (index, changed) in tampered(&answer) {
            let rejected = awaiting.accept(&changed).err();
            awaiting = rejected
                .unwrap_or_else(|| panic!("octet {index}"))
                .into_state();
        }
        let at_alice = awaiting.accept(&answer).unwrap();
        assert_ne!(at_alice.keys()[0].key().expose(), before);
        same_keys(&at_alice, &at_bob);

        // Without half-keys the TGK stays.
        let later = MessageTime::Utc(now().plus_seconds(2));
        let (awaiting, message) = initiator
            .start_update(at_alice, &DhUpdate::new(), later, rng)
            .unwrap();
        let answer = responder
            .accept_update(&mut at_bob, &message, &mut cache, now(), rng)
            .unwrap();
        same_keys(&awaiting.accept(&answer).unwrap(), &at_bob);
    }

    #[test]
    fn a_proposal_can_be_rejected_with_a_hint() {
        let (of_alice, of_bob) = (RSA[0].of_alice(), RSA[0].of_bob());
        let initiator = dh::Initiator::new(&of_alice, alice(), bob());
        let (awaiting, message) =
            with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        let responder = dh::Responder::new(&of_bob, bob());
        let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
        assert_eq!(accepted.peer(), &alice());
        let error = accepted.reject(ErrorNo::InvalidSp, &[]).unwrap();
        assert_eq!(
            awaiting.accept(&error).unwrap_err().error(),
            ExchangeError::PeerError {
                error_no: ErrorNo::InvalidSp,
                authenticated: false
            }
        );
    }

    #[test]
    fn a_reflection_and_skew_are_refused() {
        let of_alice = RSA[0].of_alice();
        let initiator = dh::Initiator::new(&of_alice, alice(), bob());
        let (awaiting, message) =
            with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        let mirror = dh::Responder::new(&of_alice, alice());
        let reflected = mirror.accept(&message, &mut cache(), now()).unwrap_err();
        assert_eq!(reflected, ExchangeError::Reflected);
        assert!(awaiting.accept(&message).is_err());

        let of_bob = RSA[0].of_bob();
        let responder = dh::Responder::new(&of_bob, bob());
        for now in [now().plus_seconds(301), now().minus_seconds(301)] {
            let error = responder.accept(&message, &mut cache(), now).unwrap_err();
            assert_eq!(error, ExchangeError::ClockSkew);
        }
    }
}

mod by_rsa_r {
    use super::*;

    fn start(rsa: Rsa, suite: Suite) -> (RsaCredentials, Vec<u8>) {
        let of_alice = rsa.of_alice();
        let initiator = rsa_r::Initiator::new(&of_alice, alice())
            .expecting(bob())
            .prf(suite.prf());
        let (_, message) = with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        (of_alice, message)
    }

    /// An ID payload of 23, a Key data payload of 4, and this.
    fn given(fill: u8) -> Vec<mikey::exchange::KeyMaterial> {
        vec![tgk(fill).with_spi(&[1; 16])]
    }

    #[test]
    fn the_responder_gives_the_keys_and_no_changed_octet_is_taken() {
        for rsa in RSA {
            for suite in SUITES {
                let (of_alice, of_bob) = (rsa.of_alice(), rsa.of_bob());
                let initiator = rsa_r::Initiator::new(&of_alice, alice())
                    .expecting(bob())
                    .prf(suite.prf());
                let (mut awaiting, message) =
                    with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
                let responder = rsa_r::Responder::new(&of_bob, bob());
                let mut cache = cache();
                for (index, changed) in tampered(&message) {
                    assert!(
                        responder.accept(&changed, &mut cache, now()).is_err(),
                        "{index}"
                    );
                    assert!(cache.is_empty(), "octet {index} changed the cache");
                }
                let mut accepted = responder.accept(&message, &mut cache, now()).unwrap();
                accepted.choose_ssrcs(&[0x2222_2222]).unwrap();
                let (at_bob, answer) = accepted
                    .establish(suite, given(5), &[0], &mut TestRng(4))
                    .unwrap();
                for (index, changed) in tampered(&answer) {
                    let rejected = awaiting.accept(&changed).err();
                    awaiting = rejected
                        .unwrap_or_else(|| panic!("octet {index}"))
                        .into_state();
                }
                let at_alice = awaiting.accept(&answer).unwrap();
                same_keys(&at_alice, &at_bob);
                assert_eq!(at_alice.policies(), at_bob.policies());

                let again = responder.accept(&message, &mut cache, now()).unwrap_err();
                assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
            }
        }
    }

    #[test]
    fn the_responder_draws_the_rand_that_an_initiator_leaves_to_it() {
        let (of_alice, message) = start(RSA[0], SUITES[0]);
        let decoded = Message::decode(&message).unwrap();
        let unset = vec![0; of_alice.signature_len()];
        let sign = Payload::Sign(Sign::new(of_alice.s_type(), &unset).unwrap());
        let payloads: Vec<Payload<'_>> = decoded
            .payloads()
            .filter(|payload| !matches!(payload, Payload::Rand(_) | Payload::Sign(_)))
            .chain([sign])
            .collect();
        let mut without = Message::new(*decoded.header(), &payloads).unwrap().to_vec();
        without.truncate(without.len() - unset.len());
        let signature = of_alice.sign(&[&without]).unwrap();
        without.extend(signature);

        let of_bob = RSA[0].of_bob();
        let responder = rsa_r::Responder::new(&of_bob, bob());
        let answered = |message: &[u8]| {
            let accepted = responder.accept(message, &mut cache(), now()).unwrap();
            accepted
                .establish(SUITES[0], given(5), &[0], &mut TestRng(4))
                .unwrap()
        };
        let rands = |message: &[u8]| {
            let decoded = Message::decode(message).unwrap();
            decoded
                .payloads()
                .filter(|payload| matches!(payload, Payload::Rand(_)))
                .count()
        };
        let (bundle, answer) = answered(&without);
        assert_eq!(rands(&answer), 1);
        let (other, answer) = answered(&message);
        assert_eq!(rands(&answer), 0);
        let (mut ours, mut theirs) = ([0; 16], [0; 16]);
        bundle.session_key(1, SessionKey::Tek, &mut ours).unwrap();
        other.session_key(1, SessionKey::Tek, &mut theirs).unwrap();
        assert_ne!(ours, theirs, "the RAND that was drawn is used");

        // An Initiator that has sent RAND discards an answer that has one.
        let initiator = rsa_r::Initiator::new(&of_alice, alice()).expecting(bob());
        let (awaiting, _) = with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
        let (_, answer) = answered(&without);
        let error = awaiting.accept(&answer).unwrap_err().error();
        assert_eq!(error, ExchangeError::UnexpectedPayload(PayloadType::Rand));
    }

    #[test]
    fn one_of_the_proposed_policies_must_be_chosen() {
        let (_, message) = start(RSA[0], SUITES[0]);
        let of_bob = RSA[0].of_bob();
        for policies in [&[][..], &[9]] {
            let accepted = rsa_r::Responder::new(&of_bob, bob())
                .accept(&message, &mut cache(), now())
                .unwrap();
            let error = accepted.establish(SUITES[0], given(5), policies, &mut TestRng(4));
            assert_eq!(error.unwrap_err(), ExchangeError::UnsupportedPolicy);
        }
    }

    #[test]
    fn whoever_answers_is_named_unless_somebody_is_expected() {
        let of_alice = RSA[0].of_alice();
        let carol = Identity::uri("sip:carol@example.org").unwrap();
        let mut of_carol = RSA[0].of_bob();
        of_carol.trust(alice(), ALICE_MODULUS, &[1, 0, 1]);
        let mut knows_carol = RsaCredentials::from_pkcs8(ALICE_KEY).unwrap();
        knows_carol.trust(carol.clone(), BOB_MODULUS, &[1, 0, 1]);
        let answer = |initiator: &rsa_r::Initiator<'_, RsaCredentials>| {
            let (_, message) =
                with_proposal(|p| initiator.start(p, time(), &mut TestRng(3))).unwrap();
            let accepted = rsa_r::Responder::new(&of_carol, carol.clone()).accept(
                &message,
                &mut cache(),
                now(),
            )?;
            let material = vec![tgk(5)];
            accepted.establish(SUITES[0], material, &[0], &mut TestRng(4))
        };
        // The call was forwarded to Carol, and Alice takes it.
        let anyone = rsa_r::Initiator::new(&knows_carol, alice());
        let (_, message) = answer(&anyone).unwrap();
        let (awaiting, _) = with_proposal(|p| anyone.start(p, time(), &mut TestRng(3))).unwrap();
        assert_eq!(awaiting.accept(&message).unwrap().peer(), Some(&carol));

        // Carol does not answer for Bob, nor does Alice take her answer for his.
        let to_bob = rsa_r::Initiator::new(&knows_carol, alice()).expecting(bob());
        assert_eq!(answer(&to_bob).unwrap_err(), ExchangeError::UnknownIdentity);
        let (awaiting, _) = with_proposal(|p| to_bob.start(p, time(), &mut TestRng(3))).unwrap();
        let error = awaiting.accept(&message).unwrap_err().error();
        assert_eq!(error, ExchangeError::UnknownIdentity);

        // Nor does she pose to who does not know her key.
        let anyone = rsa_r::Initiator::new(&of_alice, alice());
        let (awaiting, _) = with_proposal(|p| anyone.start(p, time(), &mut TestRng(3))).unwrap();
        let error = awaiting.accept(&message).unwrap_err().error();
        assert_eq!(
            error,
            ExchangeError::Credentials(CredentialError::UnknownPeer)
        );
    }

    #[test]
    fn a_reflection_and_skew_are_refused() {
        let (of_alice, message) = start(RSA[0], SUITES[0]);
        let mirror = rsa_r::Responder::new(&of_alice, alice());
        let reflected = mirror.accept(&message, &mut cache(), now()).unwrap_err();
        assert_eq!(reflected, ExchangeError::Reflected);
        let of_bob = RSA[0].of_bob();
        let responder = rsa_r::Responder::new(&of_bob, bob());
        for now in [now().plus_seconds(301), now().minus_seconds(301)] {
            let error = responder.accept(&message, &mut cache(), now).unwrap_err();
            assert_eq!(error, ExchangeError::ClockSkew);
        }
    }
}
