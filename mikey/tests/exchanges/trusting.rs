//! A peer that has the key and signs whatever it likes: here every signature holds, so that each
//! changed octet reaches what stands behind the signature.

use mikey::code_points::SType;
use mikey::crypto::{Group, Suite};
use mikey::derive::Secret;
use mikey::exchange::{
    Bundle, ExchangeError, Policy, Proposal, Validity, dh, error_message, public_key, rsa_r,
};
use mikey::payload::{Cert, CertHash, CsIdMap, Payload};
use mikey::{
    CredentialError, Credentials, Identity, InMemoryReplayCache, Message, MessageTime, ReplayError,
};

use crate::support::{
    TestRng, alice, bob, cache, lenient, now, tampered, tgk, time, with_proposal,
};

struct Anyone;

impl Credentials for Anyone {
    fn s_type(&self) -> SType {
        SType::RsaPkcs1
    }

    fn signature_len(&self) -> usize {
        8
    }

    fn sign(&self, _: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        Ok(vec![0x5a; 8])
    }

    fn verify(
        &self,
        _: &Identity,
        _: &[Cert<'_>],
        _: SType,
        _: &[&[u8]],
        _: &[u8],
    ) -> Result<(), CredentialError> {
        Ok(())
    }

    fn seal_envelope(
        &self,
        _: &Identity,
        _: &[Cert<'_>],
        envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        Ok(envelope_key.expose().to_vec())
    }

    fn open_envelope(
        &self,
        _: Option<&CertHash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError> {
        Secret::new(envelope).map_err(|_| CredentialError::Invalid)
    }
}

/// Feeds `accept` with every changed and every shortened `message`: what is taken is taken once, and
/// what is refused can be answered. Returns how many were taken.
fn every_change(
    message: &[u8],
    accept: impl Fn(&[u8], &mut InMemoryReplayCache) -> Result<Bundle, ExchangeError>,
) -> usize {
    let shortened = (0..message.len()).map(|len| (len, message[..len].to_vec()));
    let mut taken = 0;
    for (index, changed) in tampered(message).chain(shortened) {
        let mut cache = cache();
        let fresh = accept(&changed, &mut cache);
        let remembered = cache.len();
        match fresh {
            Ok(bundle) => {
                taken += 1;
                assert!(!bundle.keys().is_empty(), "octet {index}");
                use_keys(&bundle);
                let again = accept(&changed, &mut cache).unwrap_err();
                assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
            }
            Err(error) => {
                if let Some(answer) = error_message(&changed, error, &[]) {
                    assert!(Message::decode(&answer).is_ok(), "octet {index}");
                }
            }
        }
        assert!(
            remembered <= 1 && cache.len() == remembered,
            "octet {index}"
        );
    }
    taken
}

#[cfg(feature = "srtp")]
fn use_keys(bundle: &Bundle) {
    use srtp::keying::MasterKeySource;
    if let Ok(keys) = bundle.srtp_keys(&[1], &[2], mikey::Quirks::NONE) {
        let (sent, received) = (keys.outbound().entries(), keys.inbound().entries());
        let apart = sent[0].ssrc() != received[0].ssrc();
        assert!(apart || sent[0].key().expose_key() != received[0].key().expose_key());
    }
}

#[cfg(not(feature = "srtp"))]
fn use_keys(_: &Bundle) {}

#[test]
fn public_key_messages_are_taken_once_whatever_is_in_them() {
    let initiator = public_key::Initiator::new(&Anyone, alice(), bob());
    let request = |p: &Proposal<'_>| initiator.request(p, vec![tgk(1)], time(), &mut TestRng(3));
    let (_, message) = with_proposal(request).unwrap();
    let responder = public_key::Responder::new(&Anyone, bob()).acceptance(lenient());
    let taken = every_change(&message, |message, cache| {
        Ok(responder.accept(message, cache, now())?.establish()?.0)
    });
    assert!(taken > 0);
}

#[test]
fn dh_messages_are_taken_once_whatever_is_in_them() {
    let initiator = dh::Initiator::new(&Anyone, alice(), bob());
    let start = |p: &Proposal<'_>| initiator.start(p, time(), &mut TestRng(3));
    let (mut awaiting, message) = with_proposal(start).unwrap();
    let responder = dh::Responder::new(&Anyone, bob()).acceptance(lenient());
    let taken = every_change(&message, |message, cache| {
        let accepted = responder.accept(message, cache, now())?;
        Ok(accepted.establish(&mut TestRng(4))?.0)
    });
    assert!(taken > 0);

    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (_, answer) = accepted.establish(&mut TestRng(4)).unwrap();
    // Another half-key is another key; everything else of the answer is bound by the question.
    let payloads = Message::decode(&answer).unwrap();
    let half_keys: Vec<_> = payloads
        .located()
        .filter(|(_, payload)| matches!(payload, Payload::Dh(_) | Payload::Sign(_)))
        .map(|(range, _)| range)
        .collect();
    for (index, changed) in tampered(&answer) {
        match awaiting.accept(&changed) {
            Ok(_) => {
                let free = half_keys[0].contains(&index) || half_keys[2].contains(&index);
                assert!(free || is_left_open(index), "octet {index}");
                (awaiting, _) = with_proposal(start).unwrap();
            }
            Err(rejected) => awaiting = rejected.into_state(),
        }
    }
}

/// The V flag, which DH ignores; SSRC and ROC of the second session, which the answer fills in; and
/// the type of IDr, which may be missing and then is a certificate.
fn is_left_open(index: usize) -> bool {
    index == 3 || (20..=28).contains(&index)
}

#[test]
fn rsa_r_messages_are_taken_once_whatever_is_in_them() {
    let suite = Suite::AES_CM_128_HMAC_SHA1;
    let initiator = rsa_r::Initiator::new(&Anyone, alice()).expecting(bob());
    let start = |p: &Proposal<'_>| initiator.start(p, time(), &mut TestRng(3));
    let (mut awaiting, message) = with_proposal(start).unwrap();
    let responder = rsa_r::Responder::new(&Anyone, bob()).acceptance(lenient());
    let taken = every_change(&message, |message, cache| {
        let accepted = responder.accept(message, cache, now())?;
        let policies = accepted.policies().iter();
        let numbers: Vec<u8> = policies.map(Policy::policy_no).collect();
        let given = accepted.establish(suite, vec![tgk(5)], &numbers, &mut TestRng(4))?;
        Ok(given.0)
    });
    assert!(taken > 0);

    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (_, answer) = accepted
        .establish(suite, vec![tgk(5)], &[0], &mut TestRng(4))
        .unwrap();
    for (index, changed) in tampered(&answer) {
        match awaiting.accept(&changed) {
            Ok(bundle) => {
                assert!(!bundle.keys().is_empty(), "octet {index}");
                use_keys(&bundle);
                (awaiting, _) = with_proposal(start).unwrap();
            }
            Err(rejected) => awaiting = rejected.into_state(),
        }
    }
}

#[test]
fn an_update_that_is_refused_changes_nothing() {
    let initiator = dh::Initiator::new(&Anyone, alice(), bob());
    let start = |p: &Proposal<'_>| initiator.start(p, time(), &mut TestRng(3));
    let (awaiting, message) = with_proposal(start).unwrap();
    let responder = dh::Responder::new(&Anyone, bob());
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (mut at_bob, answer) = accepted.establish(&mut TestRng(4)).unwrap();
    let at_alice = awaiting.accept(&answer).unwrap();
    let later = MessageTime::Utc(now().plus_seconds(1));
    let update = mikey::exchange::DhUpdate::new()
        .proposal(Proposal::new(CsIdMap::NONE))
        .rekey(Group::Oakley5, Validity::Unlimited);
    let (_, message) = initiator
        .start_update(at_alice, &update, later, &mut TestRng(5))
        .unwrap();
    let state = |bundle: &Bundle| {
        (
            format!("{bundle:?}"),
            bundle.policies().to_vec(),
            bundle.keys()[0].key().expose().to_vec(),
        )
    };
    for (index, changed) in tampered(&message) {
        let before = state(&at_bob);
        let mut cache = cache();
        let rng = &mut TestRng(6);
        if responder
            .accept_update(&mut at_bob, &changed, &mut cache, now(), rng)
            .is_err()
        {
            assert_eq!(state(&at_bob), before, "octet {index}");
        } else {
            assert_eq!(cache.len(), 1, "octet {index}");
        }
    }
}
