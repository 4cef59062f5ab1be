//! Tickets that are resolved in another domain (RFC 6043 §10). Self-consistency.

#[cfg(feature = "rsa")]
mod by_public_key;
mod hostile;

use mikey::code_points::{ErrorNo, IdRole, RandRole};
use mikey::derive::Secret;
use mikey::payload::Payload;
use mikey::{Credentials, Identity, InMemoryKeys, InMemoryReplayCache, Message, Timestamp};
use mikey_ticket::{
    AwaitingResolution, DIVERTING_SERVER, Diversion, GrantedTicket, InMemoryTicketKeys, Kms,
    KmsPolicy, KmsReply, NoCredentials, Policy, Recipient, Relay, Responder, Strength, TicketError,
};

use crate::support::*;

pub(crate) fn com() -> Identity {
    kms_id()
}

pub(crate) fn org() -> Identity {
    id("sip:kms.example.org")
}

pub(crate) fn dave() -> Identity {
    id("sip:dave@example.org")
}

fn erin() -> Identity {
    id("sip:erin@example.org")
}

/// The operator of `example.com`, or of `example.org`: each trusts the other for its users.
#[derive(Clone, Copy)]
pub(crate) struct Operator {
    partner: &'static str,
    partners_users: &'static str,
    relays: bool,
}

const COM: Operator = Operator {
    partner: "sip:kms.example.org",
    partners_users: "?@example.org",
    relays: true,
};

const ORG: Operator = Operator {
    partner: "sip:kms.example.com",
    partners_users: "?@example.com",
    relays: true,
};

impl KmsPolicy for Operator {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn is_partner(&self, identity: &Identity) -> bool {
        *identity == id(self.partner)
    }

    fn is_user_of(&self, kms: &Identity, user: &Identity) -> bool {
        assert_eq!(*kms, id(self.partner));
        Recipient::new(id(self.partners_users)).names(user)
    }

    fn may_relay_to(&self, kms: &Identity, _: &Identity, _: &Policy, _: Timestamp) -> bool {
        assert_eq!(*kms, id(self.partner));
        self.relays
    }

    fn is_diverted(&self, diversion: &Diversion<'_>, _: Timestamp) -> bool {
        *diversion.server == id("sip:as.example.org") && *diversion.diverted_to == erin()
    }
}

pub(crate) type Node<K = NoCredentials> =
    Kms<InMemoryKeys, InMemoryTicketKeys, Operator, InMemoryReplayCache, K>;

pub(crate) fn between() -> Secret {
    Secret::new(&[0xb5; 32]).unwrap()
}

pub(crate) fn com_node() -> Node {
    let mut keys = subscribers();
    keys.insert(org(), between());
    Kms::new(com(), keys, tpks(), COM, cache())
}

fn org_keys() -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    for user in [dave(), erin()] {
        keys.insert(user.clone(), psk_of(&user));
    }
    keys.insert(com(), between());
    keys
}

pub(crate) fn org_node() -> Node {
    Kms::new(org(), org_keys(), InMemoryTicketKeys::new(), ORG, cache())
}

pub(crate) fn for_dave(strength: Strength, flags: mikey::payload::TicketFlags) -> Policy {
    let recipients = [bob(), dave()].map(Recipient::new).to_vec();
    policy(strength, flags).with_recipients(recipients).unwrap()
}

pub(crate) fn granted_at<K: Credentials>(
    kms: &mut Node<K>,
    policy: &Policy,
    rng: &mut TestRng,
) -> GrantedTicket {
    let (pending, request) = ask(policy, rng);
    let response = kms.handle(&request, now(), rng).unwrap();
    pending.accept(&response, now()).unwrap()
}

fn psk_at_org(user: &Identity) -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    keys.insert(org(), psk_of(user));
    keys
}

pub(crate) fn resolve_at_org(
    user: &Identity,
    init: &[u8],
    rng: &mut TestRng,
) -> (AwaitingResolution, Vec<u8>) {
    let responder = Responder::new(user.clone(), org());
    let incoming = responder.receive(init, now()).unwrap();
    incoming.resolve(&psk_at_org(user), now(), rng).unwrap()
}

pub(crate) fn relayed<K: Credentials>(
    kms: &mut Node<K>,
    message: &[u8],
    rng: &mut TestRng,
) -> Relay {
    match kms.handle_or_relay(message, now(), rng).unwrap() {
        KmsReply::Relay(relay) => *relay,
        KmsReply::Answer(_) => panic!("the ticket is of another KMS"),
    }
}

/// Takes a request to the KMS of Alice, and its answer back to Dave; each is refused if any octet of it
/// is changed.
fn resolved_unchanged<K: Credentials>(
    com_node: &mut Node<K>,
    org_node: &mut Node<K>,
    mut relay: Relay,
    rng: &mut TestRng,
) -> Vec<u8> {
    for (_, changed) in tampered(relay.message()) {
        assert!(com_node.handle_or_relay(&changed, now(), rng).is_err());
    }
    let response = com_node.handle(relay.message(), now(), rng).unwrap();
    for (_, changed) in tampered(&response) {
        let rejected = org_node.accept(relay, &changed, now(), rng).unwrap_err();
        relay = rejected.into_state();
    }
    org_node.accept(relay, &response, now(), rng).unwrap()
}

/// A TRANSFER_INIT to Dave, and what Dave sends to his KMS.
fn start(rng: &mut TestRng) -> (Node, Node, AwaitingResolution, Vec<u8>) {
    let (mut com_node, org_node) = (com_node(), org_node());
    let policy = for_dave(Strength::Bits128, Policy::FORKED);
    let mut ticket = granted_at(&mut com_node, &policy, rng);
    let (_, init) = call(&mut ticket, rng);
    let (resolving, resolve) = resolve_at_org(&dave(), &init, rng);
    (com_node, org_node, resolving, resolve)
}

fn idr(message: &[u8], role: IdRole) -> Option<Identity> {
    let message = Message::decode(message).unwrap();
    message.payloads().find_map(|payload| match payload {
        Payload::Idr(idr) if idr.role() == role => Some(Identity::from_payload(&idr.id())),
        _ => None,
    })
}

fn ticket(message: &[u8]) -> Vec<u8> {
    let decoded = Message::decode(message).unwrap();
    let found = decoded
        .located()
        .find(|(_, payload)| matches!(payload, Payload::Ticket(_)));
    // Behind Next payload, which differs.
    message[found.unwrap().0][1..].to_vec()
}

#[test]
fn users_of_two_domains_have_the_same_keys() {
    for strength in STRENGTHS {
        for flags in [Policy::FORKED, Policy::SHARED] {
            let (mut com_node, mut org_node, mut rng) = (com_node(), org_node(), TestRng(1));
            let mut granted = granted_at(&mut com_node, &for_dave(strength, flags), &mut rng);
            let (waiting, init) =
                with_offer(&dave(), |offer| granted.transfer(offer, now(), &mut rng)).unwrap();
            let (resolving, resolve) = resolve_at_org(&dave(), &init, &mut rng);
            let relay = relayed(&mut org_node, &resolve, &mut rng);
            assert_eq!((relay.kms(), relay.resolver()), (&com(), &dave()));
            // IDRr and TICKET are those of the user, Initiator Data included.
            assert_eq!(idr(relay.message(), IdRole::Responder), Some(dave()));
            assert_eq!(ticket(relay.message()), ticket(&resolve));
            assert_eq!(idr(relay.message(), IdRole::PreSharedKey), Some(org()));

            let response = com_node.handle(relay.message(), now(), &mut rng).unwrap();
            let resolved = org_node.accept(relay, &response, now(), &mut rng).unwrap();
            assert_eq!(idr(&resolved, IdRole::Kms), Some(org()));
            let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
            assert_eq!(verified.initiator(), &alice());
            let (at_dave, answered) = answer(verified, &mut rng);
            let at_alice = waiting.accept(&answered.unwrap()).unwrap();
            assert_eq!(at_alice.peer(), &dave());
            assert_eq!(tek(&at_alice, 1), tek(&at_dave, 1));
        }
    }
}

#[test]
fn tickets_of_others_are_relayed_where_the_operator_says_so() {
    let mut rng = TestRng(1);
    let (_, mut org_node, resolving, resolve) = start(&mut rng);
    let refusal = org_node.handle(&resolve, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::ForeignTicket);
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidTicket,
        authenticated: true,
    };
    let rejected = resolving
        .accept(refusal.message().unwrap(), now(), &mut cache())
        .unwrap_err();
    assert_eq!(rejected.error(), expected);

    let alone = Operator {
        relays: false,
        ..ORG
    };
    let stranger = Operator {
        partner: "sip:kms.example.net",
        ..ORG
    };
    for operator in [alone, stranger] {
        let tpks = InMemoryTicketKeys::new();
        let mut node = Kms::new(org(), org_keys(), tpks, operator, cache());
        let refusal = node.handle_or_relay(&resolve, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::NotAuthorised);
    }
    // None of that was remembered as seen.
    relayed(&mut org_node, &resolve, &mut rng);
}

/// TR 33.829 §9.3.2.2 across domains: the KMS that issued the ticket is told of the AS.
#[test]
fn a_diversion_is_told_to_the_kms_that_is_asked() {
    for server in [
        Some("sip:as.example.org"),
        Some("sip:as.attacker.example"),
        None,
    ] {
        let mut rng = TestRng(1);
        let (mut com_node, mut org_node) = (com_node(), org_node());
        let policy = for_dave(Strength::Bits128, Policy::FORKED);
        let mut ticket = granted_at(&mut com_node, &policy, &mut rng);
        let (_, init) = call(&mut ticket, &mut rng);
        let mut responder = Responder::new(erin(), org()).standing_in_for(dave());
        if let Some(server) = server {
            responder = responder.diverted_by(DIVERTING_SERVER, id(server));
        }
        let incoming = responder.receive(&init, now()).unwrap();
        let (_, resolve) = incoming
            .resolve(&psk_at_org(&erin()), now(), &mut rng)
            .unwrap();
        let relay = relayed(&mut org_node, &resolve, &mut rng);
        let answer = com_node.handle(relay.message(), now(), &mut rng);
        if server == Some("sip:as.example.org") {
            assert!(answer.is_ok());
        } else {
            assert_eq!(answer.unwrap_err().error(), TicketError::WrongRecipient);
        }
    }
}

/// RANDRkms is that of the KMS that has forked the keys: the other passes it on.
#[test]
fn keys_are_forked_by_the_kms_that_issued_the_ticket() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node, _, resolve) = start(&mut rng);
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let response = com_node.handle(relay.message(), now(), &mut rng).unwrap();
    let resolved = org_node.accept(relay, &response, now(), &mut rng).unwrap();
    let rand = |message| {
        let message = Message::decode(message).unwrap();
        message.payloads().find_map(|payload| match payload {
            Payload::Randr(randr) if randr.role() == RandRole::Kms => Some(randr.octets().to_vec()),
            _ => None,
        })
    };
    assert!(rand(&response).is_some());
    assert_eq!(rand(&response), rand(&resolved));
}
