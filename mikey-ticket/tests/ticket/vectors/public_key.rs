use mikey::code_points::SType;
use mikey::crypto::RsaCredentials;
use mikey::derive::Secret;
use mikey::payload::{Cert, CertHash, Payload};
use mikey::{CredentialError, Credentials, Identity, Message};
use mikey_ticket::{GrantAsAsked, Initiator, Kms, Policy, Strength};

use super::{Label, RandRole, Rands, Run, TicketMessage, check, rand};
use crate::public_key::{ALICE, BOB, KMS, of_alice, of_bob, of_kms};
use crate::support::*;

/// Envelopes are random, by a generator that is not ours: the recorded one is sent again, if it holds
/// the key that it should.
struct Recorded {
    inner: RsaCredentials,
    envelope: Option<Vec<u8>>,
}

impl Credentials for Recorded {
    fn s_type(&self) -> SType {
        self.inner.s_type()
    }

    fn signature_len(&self) -> usize {
        self.inner.signature_len()
    }

    fn certificates(&self) -> Vec<Cert<'_>> {
        self.inner.certificates()
    }

    fn sign(&self, parts: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        self.inner.sign(parts)
    }

    fn verify(
        &self,
        _: &Identity,
        _: &[Cert<'_>],
        _: SType,
        _: &[&[u8]],
        _: &[u8],
    ) -> Result<(), CredentialError> {
        Err(CredentialError::Unsupported)
    }

    fn seal_envelope(
        &self,
        peer: &Identity,
        certificates: &[Cert<'_>],
        envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        let Some(envelope) = &self.envelope else {
            return self.inner.seal_envelope(peer, certificates, envelope_key);
        };
        let opened = of_kms().open_envelope(None, envelope)?;
        assert_eq!(opened.expose(), envelope_key.expose());
        Ok(envelope.clone())
    }

    fn open_envelope(&self, _: Option<&CertHash<'_>>, _: &[u8]) -> Result<Secret, CredentialError> {
        Err(CredentialError::Unsupported)
    }
}

/// The envelopes of a file, one a message.
fn recorded(file: &str) -> Vec<Vec<u8>> {
    let file = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        return Vec::new();
    }
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("PKE "));
    // Behind Next payload, C and length.
    lines.map(|line| unhex(line.trim())[3..].to_vec()).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let octet = |index: usize| u8::from_str_radix(&text[index..index + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(octet).collect()
}

impl Run {
    /// REQUEST_INIT_PK or RESOLVE_INIT_PK: the signature, the envelope, and the keys that an Error
    /// message about it would have. Gives the envelope key.
    fn signed(&mut self, name: &str, octets: &[u8], signer: &Identity) -> Vec<u8> {
        self.message(name, octets);
        let message = Message::decode(octets).unwrap();
        let sign = message.payloads().find_map(|payload| match payload {
            Payload::Sign(sign) => Some(sign),
            _ => None,
        });
        let sign = sign.unwrap();
        let covered = &octets[..octets.len() - sign.signature().len()];
        let kms = kms_id();
        let parts = [covered, signer.data(), kms.data()];
        let verified = of_kms().verify(signer, &[], sign.s_type(), &parts, sign.signature());
        verified.unwrap();
        let pke = message.payloads().find_map(|payload| match payload {
            Payload::Pke(pke) => Some(pke),
            _ => None,
        });
        let key = of_kms().open_envelope(None, pke.unwrap().data()).unwrap();
        self.line("envelope key", key.expose());
        let [i, r] = [RandRole::Initiator, RandRole::Responder].map(|role| rand(&message, role));
        let (csb_id, rands) = (message.header().csb_id(), Rands::new(i, r).unwrap());
        let initial = TicketMessage::Initial;
        self.message_keys(key.expose(), |key| {
            Label::ticket_message_key(key, initial, csb_id, rands)
        });
        key.expose().to_vec()
    }
}

fn run(strength: Strength, file: &str) -> String {
    let mut envelopes = recorded(file).into_iter();
    let mut r = Run::new("public keys, forked", strength);
    for (name, (key, modulus)) in [("Initiator", ALICE), ("Responder", BOB), ("KMS", KMS)] {
        r.line(&format!("PKCS#8 of the {name}"), key);
        r.line(&format!("modulus of the {name}"), modulus);
    }
    r.line("TPK", &vec![0x70; strength.key_len()]);
    let mut kms =
        Kms::new(kms_id(), subscribers(), tpks(), GrantAsAsked, cache()).with_credentials(of_kms());
    let mut rng = TestRng(6043);

    let of_alice = Recorded {
        inner: of_alice(),
        envelope: envelopes.next(),
    };
    let (pending, request) = Initiator::new(alice(), kms_id())
        .request_pk(
            &policy(strength, Policy::FORKED),
            &of_alice,
            now(),
            &mut rng,
        )
        .unwrap();
    let key = r.signed("REQUEST_INIT_PK", &request, &alice());
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let (mpks, _) = r.answer("REQUEST_RESP", &request, &response, &key);

    let mut ticket = pending.accept(&response, now()).unwrap();
    let (waiting, init) = call(&mut ticket, &mut rng);
    r.message("TRANSFER_INIT", &init);
    let of_bob = Recorded {
        inner: of_bob(),
        envelope: envelopes.next(),
    };
    let incoming = user(bob()).receive(&init, now()).unwrap();
    let (resolving, resolve) = incoming.resolve_pk(&of_bob, now(), &mut rng).unwrap();
    let key = r.signed("RESOLVE_INIT_PK", &resolve, &bob());
    let resolved = kms.handle(&resolve, now(), &mut rng).unwrap();
    let (for_bob, _) = r.answer("RESOLVE_RESP", &resolve, &resolved, &key);
    assert_eq!(for_bob[0], mpks[0]);

    let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
    let (at_bob, answered) = answer(verified, &mut rng);
    let answered = answered.unwrap();
    r.message("TRANSFER_RESP", &answered);
    let at_alice = waiting.accept(&answered).unwrap();
    assert_eq!(tek(&at_alice, 1), tek(&at_bob, 1));
    r.line("CS 1 TEK", &tek(&at_alice, 1));
    r.text
}

#[test]
fn vectors_of_public_keys_are_what_the_exchanges_make() {
    for (strength, bits) in STRENGTHS.into_iter().zip([128, 256]) {
        let file = format!("run_{bits}_public_key.txt");
        check(&file, &run(strength, &file));
    }
}
