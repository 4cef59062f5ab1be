//! RSA-R in group mode.

use mikey::code_points::{GeneralExtensionType, PayloadType, PayloadType as P, ProtType};
use mikey::crypto::{RsaCredentials, Suite};
use mikey::derive::{Prf, SessionKey};
use mikey::exchange::{Bundle, ExchangeError, Proposal, rsa_r};
use mikey::payload::{
    CsIdMap, Payload, PolicyParam, SecurityPolicy, Sign, SrtpIdMap, SrtpIdSession,
};
use mikey::{Credentials, Identity, Message, ReplayError};

use crate::support::{TestRng, alice, bob, cache, now, tampered, tgk, time, with_proposal};

const ALICE_KEY: &[u8] = include_bytes!("../vectors/rsa/alice.pkcs8.der");
const BOB_KEY: &[u8] = include_bytes!("../vectors/rsa/bob.pkcs8.der");
const ALICE_MODULUS: &[u8] = include_bytes!("../vectors/rsa/alice.modulus.bin");
const BOB_MODULUS: &[u8] = include_bytes!("../vectors/rsa/bob.modulus.bin");
const SUITE: Suite = Suite::AES_CM_128_HMAC_SHA1;

fn carol() -> Identity {
    Identity::uri("sip:carol@example.org").unwrap()
}

/// Of Alice, and of Carol, who has the same key.
fn of_member() -> RsaCredentials {
    let mut credentials = RsaCredentials::from_pkcs8(ALICE_KEY).unwrap();
    credentials.trust(bob(), BOB_MODULUS, &[1, 0, 1]);
    credentials
}

fn of_bob() -> RsaCredentials {
    let mut credentials = RsaCredentials::from_pkcs8(BOB_KEY).unwrap();
    for member in [alice(), carol()] {
        credentials.trust(member, ALICE_MODULUS, &[1, 0, 1]);
    }
    credentials
}

fn group() -> rsa_r::Group {
    let streams = [5, 6].map(|ssrc| SrtpIdSession {
        policy_no: 3,
        ssrc,
        roc: 0,
    });
    let params = [PolicyParam::new(0, &[1]).unwrap()];
    let policies = [SecurityPolicy::new(3, ProtType::Srtp, &params).unwrap()];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    let proposal = Proposal::new(map).policies(&policies);
    rsa_r::Group::new(Prf::Mikey1, &proposal, vec![tgk(8)], &mut TestRng(77)).unwrap()
}

fn teks(bundle: &Bundle) -> [[u8; 16]; 2] {
    [1, 2].map(|cs_id| {
        let mut tek = [0; 16];
        bundle
            .session_key(cs_id, SessionKey::Tek, &mut tek)
            .unwrap();
        tek
    })
}

#[test]
fn all_members_of_a_group_have_the_same_teks_and_no_changed_octet_is_taken() {
    let (of_member, of_bob, group) = (of_member(), of_bob(), group());
    let responder = rsa_r::Responder::new(&of_bob, bob());
    let mut cache = cache();
    let mut members = Vec::new();
    for (number, member) in (1..).zip([alice(), carol()]) {
        let initiator = rsa_r::Initiator::new(&of_member, member.clone());
        let (mut awaiting, message) = initiator.join(time(), &mut TestRng(number)).unwrap();
        let remembered = cache.len();
        for (index, changed) in tampered(&message) {
            let refused = responder.accept(&changed, &mut cache, now());
            assert!(
                refused.is_err() && cache.len() == remembered,
                "octet {index}"
            );
        }
        let accepted = responder.accept(&message, &mut cache, now()).unwrap();
        assert_eq!((accepted.peer(), accepted.sessions().len()), (&member, 0));
        let (at_bob, answer) = accepted.admit(SUITE, &group, &mut TestRng(9)).unwrap();
        for (index, changed) in tampered(&answer) {
            let rejected = awaiting.accept(&changed).err();
            awaiting = rejected
                .unwrap_or_else(|| panic!("octet {index}"))
                .into_state();
        }
        let at_member = awaiting.accept(&answer).unwrap();
        assert_eq!(teks(&at_member), teks(&at_bob));
        assert_eq!(at_member.sessions(), at_bob.sessions());
        assert_eq!(at_member.policies(), at_bob.policies());
        assert_eq!(at_member.csb_id(), group.csb_id());
        assert_eq!(at_member.peer(), Some(&bob()));
        members.push(at_member);

        let again = responder.accept(&message, &mut cache, now()).unwrap_err();
        assert_eq!(again, ExchangeError::Replay(ReplayError::Replayed));
    }
    assert_eq!(teks(&members[0]), teks(&members[1]));
    assert_ne!(teks(&members[0])[0], teks(&members[0])[1]);
}

#[test]
fn the_messages_have_what_rfc_4738_3_2_says() {
    let (of_member, of_bob) = (of_member(), of_bob());
    let initiator = rsa_r::Initiator::new(&of_member, alice()).expecting(bob());
    let (_, message) = initiator.join(time(), &mut TestRng(1)).unwrap();
    let types = |message: &[u8]| {
        let decoded = Message::decode(message).unwrap();
        let types = decoded.payloads().map(|payload| payload.payload_type());
        types.collect::<Vec<PayloadType>>()
    };
    assert_eq!(types(&message), [P::T, P::Id, P::Id, P::Sign]);
    assert_eq!(
        Message::decode(&message).unwrap().header().cs_id_map(),
        CsIdMap::NONE
    );

    let group = group();
    let responder = rsa_r::Responder::new(&of_bob, bob());
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (_, answer) = accepted.admit(SUITE, &group, &mut TestRng(9)).unwrap();
    assert_eq!(
        types(&answer),
        [
            P::GeneralExtension,
            P::T,
            P::Rand,
            P::Id,
            P::Sp,
            P::Kemac,
            P::Pke,
            P::Sign
        ]
    );
    let decoded = Message::decode(&answer).unwrap();
    let sent = Message::decode(&message).unwrap();
    assert_eq!(decoded.header().csb_id(), sent.header().csb_id());
    let Some(Payload::GeneralExtension(extension)) = decoded.payloads().next() else {
        panic!("no extension")
    };
    assert_eq!(extension.extension_type(), GeneralExtensionType::CsbId);
    assert_eq!(extension.data(), group.csb_id().to_be_bytes());
}

#[test]
fn a_group_is_not_taken_for_a_peer_nor_a_peer_for_a_group() {
    let (of_member, of_bob, group) = (of_member(), of_bob(), group());
    let initiator = rsa_r::Initiator::new(&of_member, alice());
    let responder = rsa_r::Responder::new(&of_bob, bob());
    let extension = PayloadType::GeneralExtension;

    let (awaiting, message) = initiator.join(time(), &mut TestRng(1)).unwrap();
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (_, answer) = accepted
        .establish(SUITE, vec![tgk(5)], &[], &mut TestRng(2))
        .unwrap();
    let error = awaiting.accept(&answer).unwrap_err().error();
    assert_eq!(error, ExchangeError::MissingPayload(extension));

    let nothing = Proposal::new(CsIdMap::NONE);
    let (awaiting, message) = initiator.start(&nothing, time(), &mut TestRng(1)).unwrap();
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let (_, answer) = accepted.admit(SUITE, &group, &mut TestRng(2)).unwrap();
    let error = awaiting.accept(&answer).unwrap_err().error();
    assert_eq!(error, ExchangeError::UnexpectedPayload(PayloadType::Rand));

    // Who proposes policies does not ask for a group.
    let (_, message) = with_proposal(|p| initiator.start(p, time(), &mut TestRng(1))).unwrap();
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let error = accepted.admit(SUITE, &group, &mut TestRng(2)).unwrap_err();
    assert_eq!(error, ExchangeError::UnexpectedPayload(PayloadType::Sp));

    let other = Suite::AES_CM_256_HMAC_SHA256;
    let (_, message) = initiator.join(time(), &mut TestRng(1)).unwrap();
    let accepted = responder.accept(&message, &mut cache(), now()).unwrap();
    let error = accepted.admit(other, &group, &mut TestRng(2)).unwrap_err();
    assert_eq!(error, ExchangeError::UnsupportedPrf);
}

#[test]
fn a_group_has_a_policy_and_a_key() {
    let nothing = Proposal::new(CsIdMap::NONE);
    let new = |proposal: &Proposal<'_>, material| {
        let made = rsa_r::Group::new(Prf::Mikey1, proposal, material, &mut TestRng(1));
        made.map(|_| ())
    };
    let missing = |payload| Err(ExchangeError::MissingPayload(payload));
    assert_eq!(new(&nothing, vec![tgk(1)]), missing(PayloadType::Sp));
    assert_eq!(
        with_proposal(|p| new(p, Vec::new())),
        missing(PayloadType::KeyData)
    );
}

#[test]
fn a_responder_may_say_its_policy_where_none_was_proposed() {
    let (of_member, of_bob) = (of_member(), of_bob());
    let stream = [SrtpIdSession {
        policy_no: 0,
        ssrc: 5,
        roc: 0,
    }];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&stream).unwrap());
    let proposal = Proposal::new(map);
    let initiator = rsa_r::Initiator::new(&of_member, alice());
    let (awaiting, message) = initiator.start(&proposal, time(), &mut TestRng(1)).unwrap();
    let accepted = rsa_r::Responder::new(&of_bob, bob())
        .accept(&message, &mut cache(), now())
        .unwrap();
    let (_, answer) = accepted
        .establish(SUITE, vec![tgk(5)], &[], &mut TestRng(2))
        .unwrap();

    // The same answer with a policy, signed as it should be.
    let decoded = Message::decode(&answer).unwrap();
    let params = [PolicyParam::new(0, &[1]).unwrap()];
    let policy = SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap();
    let mut payloads: Vec<Payload<'_>> = decoded.payloads().collect();
    payloads.insert(2, Payload::Sp(policy));
    let sign = *payloads.last().unwrap();
    let mut with_policy = Message::new(*decoded.header(), &payloads).unwrap().to_vec();
    with_policy.truncate(with_policy.len() - sign.encoded_len());
    let context = [alice().data(), bob().data(), &time().octets()].concat();
    let signature = of_bob.sign(&[&with_policy, &context]).unwrap();
    let Payload::Sign(sign) = sign else {
        panic!("{sign:?}")
    };
    payloads.pop();
    payloads.push(Payload::Sign(Sign::new(sign.s_type(), &signature).unwrap()));
    let with_policy = Message::new(*decoded.header(), &payloads).unwrap().to_vec();

    let bundle = awaiting.accept(&with_policy).unwrap();
    assert_eq!(bundle.policy(0).unwrap().param(0), Some(&[1][..]));
}
