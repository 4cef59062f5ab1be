//! REQUEST_INIT_PK and RESOLVE_INIT_PK, with RSA in software. Self-consistency.

use core::cell::RefCell;

use mikey::code_points::{CertType, DataType, ErrorNo, HashFunc, PayloadType, SType};
use mikey::crypto::RsaCredentials;
use mikey::derive::Secret;
use mikey::payload::{Cert, CertHash, Payload};
use mikey::{
    CredentialError, Credentials, Identity, InMemoryKeys, InMemoryReplayCache, Message,
    ReplayError, Timestamp,
};
use mikey_ticket::{
    AuditEvent, AwaitingResolution, AwaitingTicket, GrantAsAsked, GrantedTicket,
    InMemoryTicketKeys, Initiator, Kms, KmsPolicy, Policy, Strength, TicketError,
};
use sha2::{Digest, Sha256};

use crate::support::*;

macro_rules! key {
    ($name:literal) => {
        (
            include_bytes!(concat!("../vectors/rsa/", $name, ".pkcs8.der")).as_slice(),
            include_bytes!(concat!("../vectors/rsa/", $name, ".modulus.bin")).as_slice(),
        )
    };
}

/// A private key as PKCS#8, and its modulus.
pub(crate) type Key = (&'static [u8], &'static [u8]);

type Seal<'a> = &'a dyn Fn(&[Cert<'_>], &Secret) -> Vec<u8>;

pub(crate) const ALICE: Key = key!("alice");
pub(crate) const BOB: Key = key!("bob");
pub(crate) const KMS: Key = key!("kms");
pub(crate) const PARTNER: Key = key!("partner");

pub(crate) fn rsa(own: Key, trusted: &[(Identity, Key)]) -> RsaCredentials {
    let mut credentials = RsaCredentials::from_pkcs8(own.0).unwrap();
    for (peer, (_, modulus)) in trusted {
        credentials.trust(peer.clone(), modulus, &[1, 0, 1]);
    }
    credentials
}

pub(crate) fn of_alice() -> RsaCredentials {
    rsa(ALICE, &[(kms_id(), KMS)]).certificate(CertType::X509, b"certificate of alice")
}

pub(crate) fn of_bob() -> RsaCredentials {
    rsa(BOB, &[(kms_id(), KMS)])
}

pub(crate) fn of_kms() -> RsaCredentials {
    rsa(KMS, &[(alice(), ALICE), (bob(), BOB)])
}

type SignedKms<P, K> = Kms<InMemoryKeys, InMemoryTicketKeys, P, InMemoryReplayCache, K>;

fn kms_with<P, K>(policy: P, credentials: K) -> SignedKms<P, K> {
    Kms::new(kms_id(), subscribers(), tpks(), policy, cache()).with_credentials(credentials)
}

fn signed_kms() -> SignedKms<GrantAsAsked, RsaCredentials> {
    kms_with(GrantAsAsked, of_kms())
}

pub(crate) fn ask_pk(
    policy: &Policy,
    credentials: &impl Credentials,
    rng: &mut TestRng,
) -> (AwaitingTicket, Vec<u8>) {
    Initiator::new(alice(), kms_id())
        .request_pk(policy, credentials, now(), rng)
        .unwrap()
}

fn granted_pk<P: KmsPolicy, K: Credentials>(
    policy: &Policy,
    kms: &mut SignedKms<P, K>,
    rng: &mut TestRng,
) -> GrantedTicket {
    let (pending, request) = ask_pk(policy, &of_alice(), rng);
    let response = kms.handle(&request, now(), rng).unwrap();
    pending.accept(&response, now()).unwrap()
}

pub(crate) fn resolve_pk(init: &[u8], rng: &mut TestRng) -> (AwaitingResolution, Vec<u8>) {
    let incoming = user(bob()).receive(init, now()).unwrap();
    incoming.resolve_pk(&of_bob(), now(), rng).unwrap()
}

/// The keys of `inner`, but what it does with envelopes, or says of certificates, is another thing.
struct Odd<'a> {
    inner: &'a RsaCredentials,
    seal: Seal<'a>,
}

impl Credentials for Odd<'_> {
    fn s_type(&self) -> SType {
        self.inner.s_type()
    }

    fn signature_len(&self) -> usize {
        self.inner.signature_len()
    }

    fn sign(&self, parts: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        self.inner.sign(parts)
    }

    fn verify(
        &self,
        claimed: &Identity,
        certificates: &[Cert<'_>],
        s_type: SType,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), CredentialError> {
        // As one who validates a chain would: the first certificate has to name the signer.
        let names = |certificate: &Cert<'_>| certificate.data().ends_with(&claimed.data()[4..9]);
        if !certificates.first().is_none_or(names) {
            return Err(CredentialError::Invalid);
        }
        self.inner
            .verify(claimed, certificates, s_type, parts, signature)
    }

    fn seal_envelope(
        &self,
        _: &Identity,
        certificates: &[Cert<'_>],
        envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        Ok((self.seal)(certificates, envelope_key))
    }

    fn open_envelope(
        &self,
        hash: Option<&CertHash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError> {
        match hash {
            Some(hash) if hash.hash() != Sha256::digest(b"second").as_slice() => {
                Err(CredentialError::UnknownPeer)
            }
            Some(_) => rsa(PARTNER, &[]).open_envelope(hash, envelope),
            None => self.inner.open_envelope(hash, envelope),
        }
    }
}

/// With every mixture of the two variants, which do not depend on each other.
#[test]
fn public_keys_lead_to_the_same_keys_on_both_sides() {
    for strength in STRENGTHS {
        for flags in [Policy::FORKED, Policy::SHARED] {
            for (signed_request, signed_resolve) in [(true, true), (true, false), (false, true)] {
                let (mut kms, mut rng) = (signed_kms(), TestRng(1));
                let policy = policy(strength, flags);
                let (pending, request) = if signed_request {
                    ask_pk(&policy, &of_alice(), &mut rng)
                } else {
                    ask(&policy, &mut rng)
                };
                let response = kms.handle(&request, now(), &mut rng).unwrap();
                let mut ticket = pending.accept(&response, now()).unwrap();
                let (waiting, init) = call(&mut ticket, &mut rng);
                let (resolving, request) = if signed_resolve {
                    resolve_pk(&init, &mut rng)
                } else {
                    resolve(&bob(), &init, &mut rng)
                };
                let response = kms.handle(&request, now(), &mut rng).unwrap();
                let verified = resolving.accept(&response, now(), &mut cache()).unwrap();
                assert_eq!(verified.initiator(), &alice());
                let (at_bob, answered) = answer(verified, &mut rng);
                let at_alice = waiting.accept(&answered.unwrap()).unwrap();
                assert_eq!(at_alice.peer(), &bob());
                assert_eq!(tek(&at_alice, 1), tek(&at_bob, 1));
            }
        }
    }
}

fn payloads(message: &[u8]) -> Vec<PayloadType> {
    let message = Message::decode(message).unwrap();
    message.payloads().map(|p| p.payload_type()).collect()
}

/// RFC 6043 §4.2.1, §4.2.3.
#[test]
fn payloads_stand_in_the_order_of_the_standard() {
    use PayloadType::{Cert as CERT, Chash, Idr, Pke, Randr, Sign, T, Ticket, Tp};
    let (mut kms, mut rng) = (signed_kms(), TestRng(1));
    let policy = policy(Strength::Bits128, Policy::FORKED);
    let (_, request) = ask_pk(&policy, &of_alice(), &mut rng);
    assert_eq!(
        payloads(&request),
        [T, Randr, Idr, CERT, Idr, Tp, Pke, Sign]
    );
    assert_eq!(request[1], u8::from(DataType::RequestInitPk));
    let mut ticket = granted_pk(&policy, &mut kms, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    let certificate = Cert::new(CertType::X509, b"second").unwrap();
    let incoming = user(bob())
        .with_kms_certificate(&certificate)
        .receive(&init, now())
        .unwrap();
    let (_, request) = incoming.resolve_pk(&of_bob(), now(), &mut rng).unwrap();
    assert_eq!(
        payloads(&request),
        [T, Randr, Idr, Idr, Ticket, Chash, Pke, Sign]
    );
    assert_eq!(request[1], u8::from(DataType::ResolveInitPk));
}

#[test]
fn a_changed_signed_request_is_refused_at_every_octet_and_changes_nothing() {
    for strength in STRENGTHS {
        let (mut kms, mut rng) = (signed_kms(), TestRng(1));
        let (mut pending, request) =
            ask_pk(&policy(strength, Policy::FORKED), &of_alice(), &mut rng);
        for (index, changed) in tampered(&request) {
            let refusal = kms.handle(&changed, now(), &mut rng).unwrap_err();
            assert_ne!(
                refusal.error(),
                TicketError::Replay(ReplayError::Replayed),
                "{index}"
            );
        }
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        for (_, changed) in tampered(&response) {
            pending = pending.accept(&changed, now()).unwrap_err().into_state();
        }
        assert!(pending.accept(&response, now()).is_ok());
    }
}

#[test]
fn a_changed_signed_resolve_is_refused_at_every_octet_and_changes_nothing() {
    for (strength, flags) in STRENGTHS.into_iter().zip([Policy::FORKED, Policy::SHARED]) {
        let (mut kms, mut rng) = (signed_kms(), TestRng(1));
        let mut ticket = granted_pk(&policy(strength, flags), &mut kms, &mut rng);
        let (_, init) = call(&mut ticket, &mut rng);
        let (mut resolving, request) = resolve_pk(&init, &mut rng);
        for (_, changed) in tampered(&request) {
            assert!(kms.handle(&changed, now(), &mut rng).is_err());
        }
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let mut replay = cache();
        for (_, changed) in tampered(&response) {
            let rejected = resolving.accept(&changed, now(), &mut replay).unwrap_err();
            resolving = rejected.into_state();
        }
        assert!(replay.is_empty());
        assert!(resolving.accept(&response, now(), &mut replay).is_ok());
    }
}

/// Not even with another signature of the same signer, as PSS makes them.
#[test]
fn a_signed_message_is_taken_once() {
    let (mut kms, mut rng) = (signed_kms(), TestRng(1));
    let pss = of_alice().pss();
    let (_, request) = ask_pk(&policy(Strength::Bits128, Policy::FORKED), &pss, &mut rng);
    kms.handle(&request, now(), &mut rng).unwrap();
    let unsigned = &request[..request.len() - pss.signature_len()];
    let parts = [unsigned, alice().data(), kms_id().data()].map(<[u8]>::to_vec);
    let signature = pss.sign(&[&parts[0], &parts[1], &parts[2]]).unwrap();
    let again = [unsigned, &signature].concat();
    assert_ne!(again, request);
    for message in [request, again] {
        let refusal = kms.handle(&message, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::Replay(ReplayError::Replayed));
        assert_eq!(refusal.message(), None);
    }
}

#[test]
fn a_signature_speaks_for_its_own_name_alone() {
    let (mut kms, mut rng) = (signed_kms(), TestRng(1));
    let asked = policy(Strength::Bits128, Policy::FORKED);
    // Bob signs as Alice, and someone whom the KMS does not know as herself.
    let (_, request) = ask_pk(&asked, &of_bob(), &mut rng);
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Forged);
    let (_, request) = Initiator::new(carol(), kms_id())
        .request_pk(&asked, &rsa(PARTNER, &[(kms_id(), KMS)]), now(), &mut rng)
        .unwrap();
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::UnknownIdentity);
    // Alice asks for a ticket in Bob's name.
    let of_bobs = asked.with_initiator(bob());
    let (pending, request) = ask_pk(&of_bobs, &of_alice(), &mut rng);
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::UnknownIdentity);
    let rejected = pending.accept(refusal.message().unwrap(), now());
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidId,
        authenticated: true,
    };
    assert_eq!(rejected.unwrap_err().error(), expected);
    // Carol resolves as Bob, whom the ticket names.
    let mut ticket = granted_pk(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let (_, init) = call(&mut ticket, &mut rng);
    let incoming = user(bob()).receive(&init, now()).unwrap();
    let of_carol = rsa(PARTNER, &[(kms_id(), KMS)]);
    let (_, request) = incoming.resolve_pk(&of_carol, now(), &mut rng).unwrap();
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Forged);
}

#[derive(Clone, Copy)]
struct Log<'a>(&'a RefCell<Vec<AuditEvent>>);

impl KmsPolicy for Log<'_> {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        (asked.strength() == Strength::Bits256).then(|| asked.clone())
    }

    fn audit(&self, event: &AuditEvent) {
        self.0.borrow_mut().push(event.clone());
    }
}

/// An insider who puts the envelope of another into its own message learns nothing of it: not even
/// whether it opens.
#[test]
fn a_kms_is_no_oracle_for_envelopes() {
    let events = RefCell::new(Vec::new());
    let (mut kms, mut rng) = (kms_with(Log(&events), of_kms()), TestRng(1));
    let alices = of_alice();
    let sealed = |key: &Secret| alices.seal_envelope(&kms_id(), &[], key).unwrap();
    let short = |_: &[Cert<'_>], _: &Secret| sealed(&Secret::new(&[7; 16]).unwrap());
    let garbage = |_: &[Cert<'_>], _: &Secret| vec![0x5a; 256];
    let empty = |_: &[Cert<'_>], _: &Secret| Vec::new();
    let good = |_: &[Cert<'_>], key: &Secret| sealed(key);
    let asked = policy(Strength::Bits256, Policy::FORKED);
    let mut lengths = Vec::new();
    let seals: [Seal<'_>; 4] = [&good, &short, &garbage, &empty];
    for seal in seals {
        let credentials = Odd {
            inner: &alices,
            seal,
        };
        let (pending, request) = ask_pk(&asked, &credentials, &mut rng);
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        lengths.push(response.len());
        let accepted = pending.accept(&response, now());
        let outcome = events.borrow_mut().pop().unwrap().outcome;
        if lengths.len() == 1 {
            assert!(accepted.is_ok());
            assert_eq!(outcome, Ok(()));
        } else {
            assert_eq!(accepted.unwrap_err().error(), TicketError::Forged);
            // `RsaCredentials` itself does not say that padding was wrong.
            let too_short = lengths.len() == 2;
            assert_eq!(
                outcome,
                if too_short {
                    Err(TicketError::EnvelopeUnreadable)
                } else {
                    Ok(())
                }
            );
        }
    }
    assert!(lengths.iter().all(|len| *len == lengths[0]));

    // A refusal is the same too: its MAC alone differs, under a key that nobody knows.
    let refused = policy(Strength::Bits128, Policy::FORKED);
    let mut refusals = Vec::new();
    for seal in [seals[0], seals[2]] {
        let credentials = Odd {
            inner: &alices,
            seal,
        };
        let (_, request) = ask_pk(&refused, &credentials, &mut rng);
        let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::NotAuthorised);
        refusals.push(payloads(refusal.message().unwrap()));
    }
    assert_eq!(refusals[0], refusals[1]);
}

#[test]
fn the_hash_of_a_certificate_names_the_key_of_the_kms() {
    let (of_kms, of_alice) = (of_kms(), of_alice());
    let no_seal = |_: &[Cert<'_>], _: &Secret| Vec::new();
    let two_keys = Odd {
        inner: &of_kms,
        seal: &no_seal,
    };
    let (mut kms, mut rng) = (kms_with(GrantAsAsked, two_keys), TestRng(1));
    let with_second = rsa(ALICE, &[(kms_id(), PARTNER)]);
    let seal = |certificates: &[Cert<'_>], key: &Secret| match certificates {
        [] => of_alice.seal_envelope(&kms_id(), &[], key).unwrap(),
        [certificate] => {
            assert_eq!(certificate.data(), b"second");
            with_second.seal_envelope(&kms_id(), &[], key).unwrap()
        }
        _ => panic!("one key is used"),
    };
    let credentials = Odd {
        inner: &of_alice,
        seal: &seal,
    };
    let certificate = Cert::new(CertType::X509, b"second").unwrap();
    let asked = policy(Strength::Bits128, Policy::SHARED);
    let first = Initiator::new(alice(), kms_id());
    let second = first.clone().with_kms_certificate(&certificate);
    for (initiator, named) in [(first, false), (second, true)] {
        let (pending, request) = initiator
            .request_pk(&asked, &credentials, now(), &mut rng)
            .unwrap();
        let hash =
            Message::decode(&request)
                .unwrap()
                .payloads()
                .find_map(|payload| match payload {
                    Payload::Chash(hash) => Some((hash.hash_func(), hash.hash().to_vec())),
                    _ => None,
                });
        let expected = (HashFunc::Sha256, Sha256::digest(b"second").to_vec());
        assert_eq!(hash, named.then_some(expected));
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        assert!(pending.accept(&response, now()).is_ok());
    }
}

/// What they say of the signer is the affair of the credentials; how many there are is not.
#[test]
fn certificates_are_for_the_credentials_to_judge() {
    let of_kms = of_kms();
    let seal = |_: &[Cert<'_>], _: &Secret| Vec::new();
    let judge = Odd {
        inner: &of_kms,
        seal: &seal,
    };
    let (mut kms, mut rng) = (kms_with(GrantAsAsked, judge), TestRng(1));
    let asked = policy(Strength::Bits128, Policy::SHARED);
    let with = |names: &[&[u8]]| {
        let alices = rsa(ALICE, &[(kms_id(), KMS)]);
        names.iter().fold(alices, |credentials, name| {
            credentials.certificate(CertType::X509, name)
        })
    };
    let chain: [&[u8]; 8] = [
        b"of alice",
        b"CA",
        b"CA",
        b"CA",
        b"CA",
        b"CA",
        b"CA",
        b"root",
    ];
    let too_long = [chain.as_slice(), &[b"root"]].concat();
    let cases = [
        (with(&chain), None),
        (
            with(&[b"of mallory", b"CA of alice"]),
            Some(TicketError::Forged),
        ),
        (
            with(&too_long),
            Some(TicketError::UnexpectedPayload(PayloadType::Cert)),
        ),
    ];
    for (credentials, refused) in cases {
        let (_, request) = ask_pk(&asked, &credentials, &mut rng);
        let answer = kms.handle(&request, now(), &mut rng);
        assert_eq!(answer.err().map(|refusal| refusal.error()), refused);
    }
}

#[test]
fn a_kms_without_credentials_takes_no_signatures() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (pending, request) = ask_pk(
        &policy(Strength::Bits128, Policy::FORKED),
        &of_alice(),
        &mut rng,
    );
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    let expected = TicketError::UnsupportedDataType(DataType::RequestInitPk);
    assert_eq!(refusal.error(), expected);
    let rejected = pending
        .accept(refusal.message().unwrap(), now())
        .unwrap_err();
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidDt,
        authenticated: false,
    };
    assert_eq!(rejected.error(), expected);
}

/// Neither the wrong KMS, nor the wrong time, nor a key that is shared helps a signature along.
#[test]
fn signed_messages_for_another_kms_or_another_time_are_refused() {
    let (mut kms, mut rng) = (signed_kms(), TestRng(1));
    let asked = policy(Strength::Bits128, Policy::FORKED);
    let other = id("sip:kms.example.org");
    let credentials = rsa(ALICE, &[(other.clone(), KMS)]);
    let (_, request) = Initiator::new(alice(), other)
        .request_pk(&asked, &credentials, now(), &mut rng)
        .unwrap();
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::UnknownIdentity);
    let (_, request) = ask_pk(&asked, &of_alice(), &mut rng);
    let refusal = kms
        .handle(&request, now().plus_seconds(301), &mut rng)
        .unwrap_err();
    assert_eq!(refusal.error(), TicketError::ClockSkew);

    // A MAC in place of the signature, and a signature in place of the MAC.
    let (_, by_psk) = ask(&asked, &mut rng);
    for (mut message, data_type, missing) in [
        (request, DataType::RequestInitPsk, PayloadType::V),
        (by_psk, DataType::RequestInitPk, PayloadType::Sign),
    ] {
        message[1] = data_type.into();
        let refusal = kms.handle(&message, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::MissingPayload(missing));
    }
}
