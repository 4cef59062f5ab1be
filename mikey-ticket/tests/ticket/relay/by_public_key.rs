//! KMSs that know one another by their public keys. Self-consistency.

use mikey::code_points::DataType;
use mikey::crypto::RsaCredentials;

use super::*;
use crate::public_key::{BOB, KMS, PARTNER, rsa};

/// Dave has Bob's key, for want of another.
fn nodes() -> (Node<RsaCredentials>, Node<RsaCredentials>) {
    let mut of_org = org_keys();
    of_org.remove(&com());
    let of_com = subscribers();
    let at_com = Kms::new(com(), of_com, tpks(), COM, cache());
    let at_org = Kms::new(org(), of_org, InMemoryTicketKeys::new(), ORG, cache());
    (
        at_com.with_credentials(rsa(KMS, &[(org(), PARTNER), (dave(), BOB)])),
        at_org.with_credentials(rsa(PARTNER, &[(com(), KMS), (dave(), BOB)])),
    )
}

#[test]
fn kmss_without_a_shared_key_use_their_public_keys() {
    for strength in STRENGTHS {
        let (mut com_node, mut org_node) = nodes();
        let mut rng = TestRng(1);
        let policy = for_dave(strength, Policy::FORKED);
        let mut ticket = granted_at(&mut com_node, &policy, &mut rng);
        let (waiting, init) = call(&mut ticket, &mut rng);
        let responder = Responder::new(dave(), org());
        let incoming = responder.receive(&init, now()).unwrap();
        let of_dave = rsa(BOB, &[(org(), PARTNER)]);
        let (resolving, resolve) = incoming.resolve_pk(&of_dave, now(), &mut rng).unwrap();
        let relay = relayed(&mut org_node, &resolve, &mut rng);
        assert_eq!(relay.message()[1], u8::from(DataType::ResolveInitPk));
        assert_eq!(idr(relay.message(), IdRole::ResponderKms), Some(org()));
        let resolved = resolved_unchanged(&mut com_node, &mut org_node, relay, &mut rng);
        let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
        let (at_dave, answered) = answer(verified, &mut rng);
        let at_alice = waiting.accept(&answered.unwrap()).unwrap();
        assert_eq!(tek(&at_alice, 1), tek(&at_dave, 1));
    }
}

/// Dave, who is known at both, signs as his KMS; and his KMS signs as Dave.
#[test]
fn signatures_of_users_and_of_kmss_are_not_mistaken_for_one_another() {
    let (mut com_node, _) = nodes();
    let mut rng = TestRng(1);
    let policy = for_dave(Strength::Bits128, Policy::FORKED);
    let mut ticket = granted_at(&mut com_node, &policy, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    let of_dave = rsa(BOB, &[(com(), KMS)]);
    let of_org = rsa(PARTNER, &[(com(), KMS)]);
    let plain = Responder::new(dave(), com());
    let as_kms = plain.clone().diverted_by(IdRole::ResponderKms, org());
    let cases = [
        (&as_kms, &of_dave, Some(TicketError::Forged)),
        (&plain, &of_org, Some(TicketError::Forged)),
        (&as_kms, &of_org, None),
        (&plain, &of_dave, None),
    ];
    for (responder, credentials, refused) in cases {
        let incoming = responder.receive(&init, now()).unwrap();
        let (_, message) = incoming.resolve_pk(credentials, now(), &mut rng).unwrap();
        let answer = com_node.handle(&message, now(), &mut rng);
        assert_eq!(answer.err().map(|refusal| refusal.error()), refused);
    }
}
