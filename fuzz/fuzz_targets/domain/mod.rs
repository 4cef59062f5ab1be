//! Two domains of MIKEY-TICKET, whose signatures hold whatever they are: what lies behind them is
//! what is to be reached.
#![allow(dead_code, reason = "not every target uses all of it")]

use mikey::code_points::SType;
use mikey::derive::Secret;
use mikey::payload::{Cert, CertHash};
use mikey::{
    CredentialError, Credentials, Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow,
    Timestamp,
};
use mikey_ticket::{
    GrantedTicket, InMemoryTicketKeys, Initiator, Kms, KmsPolicy, Offer, Policy, Recipient,
    Responder, Strength,
};

use crate::rng::Fixed;

pub struct Trusting;

impl Credentials for Trusting {
    fn s_type(&self) -> SType {
        SType::RsaPkcs1
    }

    fn signature_len(&self) -> usize {
        4
    }

    fn sign(&self, _: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        Ok(vec![0x5a; 4])
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
        key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        Ok(key.expose().to_vec())
    }

    fn open_envelope(
        &self,
        _: Option<&CertHash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError> {
        Secret::new(envelope).map_err(|_| CredentialError::Invalid)
    }
}

pub struct Open;

impl KmsPolicy for Open {
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

pub type TrustingKms = Kms<InMemoryKeys, InMemoryTicketKeys, Open, InMemoryReplayCache, Trusting>;

pub fn now() -> Timestamp {
    Timestamp::from_unix(1_800_000_000, 0)
}

pub fn id(uri: &str) -> Identity {
    Identity::uri(uri).expect("short")
}

pub fn alice() -> Identity {
    id("sip:alice@example.com")
}

pub fn bob() -> Identity {
    id("sip:bob@example.org")
}

pub fn com() -> Identity {
    id("sip:kms.example.com")
}

pub fn org() -> Identity {
    id("sip:kms.example.org")
}

pub fn kms(identity: Identity) -> TrustingKms {
    let mut tpks = InMemoryTicketKeys::new();
    let tpk = Secret::new(&[0x70; 16]).expect("16 octets");
    let until = now().plus_seconds(60);
    tpks.insert(b"tpk", Strength::Bits128, tpk, now(), until);
    let replay = InMemoryReplayCache::new(8, SkewWindow::default());
    let window = SkewWindow::new(u32::MAX, u32::MAX);
    Kms::new(identity, InMemoryKeys::new(), tpks, Open, replay)
        .with_credentials(Trusting)
        .with_window(window)
}

pub fn policy() -> Policy {
    let recipients = vec![Recipient::new(bob())];
    Policy::new(Strength::Bits128, Policy::FORKED, recipients).expect("as the standard")
}

pub fn granted(kms: &mut TrustingKms, rng: &mut Fixed) -> GrantedTicket {
    let initiator = Initiator::new(alice(), com());
    let asked = initiator.request_pk(&policy(), &Trusting, now(), rng);
    let (pending, request) = asked.expect("a request");
    let response = kms.handle(&request, now(), rng).expect("a ticket");
    pending.accept(&response, now()).expect("as asked for")
}

pub fn transfer_init(kms: &mut TrustingKms, rng: &mut Fixed) -> Vec<u8> {
    let bob = bob();
    let offer = Offer::new(&bob, &[]);
    let transfer = granted(kms, rng).transfer(&offer, now(), rng);
    transfer.expect("the first use").1
}

pub fn responder(kms: Identity) -> Responder {
    Responder::new(bob(), kms).with_window(None)
}

/// `genuine` with octets changed: where, in two octets of `edits`, and how, in a third.
pub fn edited(genuine: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut octets = genuine.to_vec();
    for edit in edits.chunks_exact(3) {
        let index = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % octets.len();
        octets[index] ^= edit[2];
    }
    octets
}
