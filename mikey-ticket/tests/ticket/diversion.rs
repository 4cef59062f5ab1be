//! Diverted calls, by requirement (TR 33.829 §9.3.2, §12.3). Self-consistency.

use mikey::code_points::{DataType, IdRole, PayloadType};
use mikey::payload::Payload;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, Message, Timestamp};
use mikey_ticket::{
    AwaitingResolution, DIVERTING_SERVER, Diversion, InMemoryTicketKeys, Kms, KmsPolicy, Policy,
    Recipient, Strength, TicketError, Transfer,
};

use crate::support::*;

fn for_bob() -> Policy {
    policy(Strength::Bits128, Policy::FORKED)
        .with_recipients(vec![Recipient::new(bob())])
        .unwrap()
}

/// The receiver declines and says who it is; the caller compares, and calls it with another ticket.
#[test]
fn req_cdiv_03_who_may_not_answer_says_who_it_is_and_the_caller_decides() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(&for_bob(), &mut kms, &mut rng);
    let (waiting, init) = call(&mut ticket, &mut rng);
    let refusal = user(carol()).receive(&init, now()).unwrap_err();
    assert_eq!(refusal.error(), TicketError::WrongRecipient);
    let reply = refusal.message().unwrap();
    let data_type = Message::decode(reply).unwrap().header().data_type();
    assert_eq!(data_type, DataType::Error);
    let Transfer::Awaiting(awaiting) = &waiting else {
        panic!("an answer is wanted");
    };
    let declined_by = awaiting.declined_by(reply).unwrap();
    assert_eq!(declined_by, carol());
    assert_ne!(declined_by, bob());
    // Nobody has proven it: the call goes on waiting for Bob until the caller ends it.
    let rejected = waiting.accept(reply).unwrap_err();
    let hint = matches!(
        rejected.error(),
        TicketError::PeerError {
            authenticated: false,
            ..
        }
    );
    assert!(hint);

    let again = for_bob()
        .with_recipients(vec![Recipient::new(declined_by.clone())])
        .unwrap();
    let mut ticket = granted(&again, &mut kms, &mut rng);
    let offered = with_offer(&declined_by, |offer| {
        ticket.transfer(offer, now(), &mut rng)
    });
    let (waiting, init) = offered.unwrap();
    let (at_carol, response) = answer(verified(&carol(), &init, &mut kms, &mut rng), &mut rng);
    let at_alice = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(at_alice.check_peer(&declined_by), Ok(()));
    assert_eq!(tek(&at_alice, 1), tek(&at_carol, 1));
}

/// The conclusion of TR 33.829 §12.3 for tickets, as for SDES: nothing is added. A ticket for `?@?`
/// and forking let whom a call is diverted to answer, with the payloads of RFC 6043 alone.
#[test]
fn req_cdiv_05_existing_procedures_need_no_addition() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let everyone = for_bob()
        .with_recipients(vec![Recipient::new(id("?@?"))])
        .unwrap();
    let (waiting, init) = new_call(&everyone, &mut kms, &mut rng);
    let (resolving, resolve) = resolve(&carol(), &init, &mut rng);
    for message in [&init, &resolve] {
        let decoded = Message::decode(message).unwrap();
        for payload in decoded.payloads() {
            assert_ne!(payload.payload_type(), PayloadType::GeneralExtension);
            if let Payload::Idr(idr) = payload {
                assert!(!matches!(idr.role(), IdRole::Unknown(_)));
            }
        }
    }
    let resolved = kms.handle(&resolve, now(), &mut rng).unwrap();
    let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
    let (_, response) = answer(verified, &mut rng);
    // Whom it reached is proven to the caller, who decides.
    let at_alice = waiting.accept(&response.unwrap()).unwrap();
    assert_eq!(at_alice.peer(), &carol());
    assert_eq!(
        at_alice.check_peer(&bob()),
        Err(TicketError::UnknownIdentity)
    );
}

/// The operator knows one AS, in which Bob has diverted the calls of Alice to Carol.
struct Inquiry;

fn server() -> Identity {
    id("sip:cdiv.example.com")
}

impl KmsPolicy for Inquiry {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn is_diverted(&self, diversion: &Diversion<'_>, _: Timestamp) -> bool {
        assert_eq!(diversion.desired, [Recipient::new(bob())]);
        *diversion.server == server()
            && *diversion.initiator == alice()
            && *diversion.diverted_to == carol()
    }
}

type InquiringKms = Kms<InMemoryKeys, InMemoryTicketKeys, Inquiry, InMemoryReplayCache>;

fn inquiring_kms() -> InquiringKms {
    let mut keys = subscribers();
    let eve = id("sip:eve@example.com");
    keys.insert(eve.clone(), psk_of(&eve));
    Kms::new(kms_id(), keys, tpks(), Inquiry, cache())
}

/// ID-A and ID-B are of the ticket, ID-C is whose key it is, ID-AS is what ID-C says: the KMS asks
/// about these three, and refuses unless they fit.
#[test]
fn req_cdiv_07_the_kms_asks_the_as_about_the_diverted_to_user() {
    let eve = id("sip:eve@example.com");
    let cases = [
        (carol(), Some((DIVERTING_SERVER, server())), true),
        (carol(), None, false),
        (
            carol(),
            Some((DIVERTING_SERVER, id("sip:as.attacker.example"))),
            false,
        ),
        (carol(), Some((IdRole::Unknown(241), server())), false),
        (eve, Some((DIVERTING_SERVER, server())), false),
    ];
    for (who, diverted, allowed) in cases {
        let (mut kms, mut rng) = (inquiring_kms(), TestRng(1));
        let (pending, request) = ask(&for_bob(), &mut rng);
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let mut ticket = pending.accept(&response, now()).unwrap();
        let (waiting, init) = call(&mut ticket, &mut rng);
        let (resolving, resolve) = diverted_resolve(&who, diverted, &init, &mut rng);
        let resolved = kms.handle(&resolve, now(), &mut rng);
        if !allowed {
            assert_eq!(resolved.unwrap_err().error(), TicketError::WrongRecipient);
            continue;
        }
        for (_, changed) in tampered(&resolve) {
            assert!(kms.handle(&changed, now(), &mut rng).is_err());
        }
        let verified = resolving
            .accept(&resolved.unwrap(), now(), &mut cache())
            .unwrap();
        let (at_carol, response) = answer(verified, &mut rng);
        let at_alice = waiting
            .accept_from(&response.unwrap(), |peer| *peer == carol())
            .unwrap();
        assert_eq!(at_alice.peer(), &carol());
        assert_eq!(tek(&at_alice, 1), tek(&at_carol, 1));
    }
}

fn diverted_resolve(
    who: &Identity,
    diverted: Option<(IdRole, Identity)>,
    init: &[u8],
    rng: &mut TestRng,
) -> (AwaitingResolution, Vec<u8>) {
    let mut responder = user(who.clone()).standing_in_for(bob());
    if let Some((role, server)) = diverted {
        responder = responder.diverted_by(role, server);
    }
    let incoming = responder.receive(init, now()).unwrap();
    incoming.resolve(&psk(who), now(), rng).unwrap()
}

/// Another role for ID-AS, if both sides agree on it.
#[test]
fn req_cdiv_07_the_role_of_the_as_can_be_set() {
    let (mut kms, mut rng) = (
        inquiring_kms().with_diverting_server(IdRole::Unknown(254)),
        TestRng(1),
    );
    let (pending, request) = ask(&for_bob(), &mut rng);
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let mut ticket = pending.accept(&response, now()).unwrap();
    let (_, init) = call(&mut ticket, &mut rng);
    let role = IdRole::Unknown(254);
    let (_, resolve) = diverted_resolve(&carol(), Some((role, server())), &init, &mut rng);
    assert!(kms.handle(&resolve, now(), &mut rng).is_ok());
}
