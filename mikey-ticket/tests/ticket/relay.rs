//! Tickets that are resolved in another domain (RFC 6043 §10). Self-consistency.

use mikey::code_points::{DataType, ErrorNo, IdRole, KeyDataType, PayloadType, RandRole};
use mikey::crypto::Iv;
use mikey::derive::{Label, MessageKeys, Rands, Secret, TicketMessage};
use mikey::payload::{Idr, Kemac, Mac, Payload, Randr};
use mikey::{
    Chain, Credentials, Identity, InMemoryKeys, InMemoryReplayCache, Message, ReplayError,
    Timestamp,
};
use mikey_ticket::{
    AwaitingResolution, DIVERTING_SERVER, Diversion, GrantedTicket, InMemoryTicketKeys, Initiator,
    Kms, KmsPolicy, KmsReply, NoCredentials, Policy, Recipient, Relay, Responder, Strength,
    TicketError,
};

use crate::support::*;

pub(crate) fn com() -> Identity {
    kms_id()
}

pub(crate) fn org() -> Identity {
    id("sip:kms.example.org")
}

fn net() -> Identity {
    id("sip:kms.example.net")
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

#[test]
fn a_partner_speaks_for_its_own_users_alone() {
    let mut rng = TestRng(1);
    let mut com_node = com_node();
    let everyone = policy(Strength::Bits128, Policy::FORKED)
        .with_recipients(vec![Recipient::new(id("?@?"))])
        .unwrap();
    let mut ticket = granted_at(&mut com_node, &everyone, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    // The partner says that Bob, who is not its user, has asked.
    let posing = Responder::new(bob(), com()).with_psk_id(org());
    let mut shared = InMemoryKeys::new();
    shared.insert(com(), between());
    let incoming = posing.receive(&init, now()).unwrap();
    let (resolving, message) = incoming.resolve(&shared, now(), &mut rng).unwrap();
    let refusal = com_node.handle(&message, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::NotAuthorised);
    let rejected = resolving
        .accept(refusal.message().unwrap(), now(), &mut cache())
        .unwrap_err();
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidId,
        authenticated: true,
    };
    assert_eq!(rejected.error(), expected);

    // The ticket decides whom of them it is for, and the partner's user is told so.
    let mut org_node = org_node();
    let only_bob = policy(Strength::Bits128, Policy::FORKED);
    let mut ticket = granted_at(&mut com_node, &only_bob, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    let responder = Responder::new(erin(), org()).standing_in_for(bob());
    let incoming = responder.receive(&init, now()).unwrap();
    let (resolving, resolve) = incoming
        .resolve(&psk_at_org(&erin()), now(), &mut rng)
        .unwrap();
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let refusal = com_node
        .handle(relay.message(), now(), &mut rng)
        .unwrap_err();
    assert_eq!(refusal.error(), TicketError::WrongRecipient);
    let rejected = org_node
        .accept(relay, refusal.message().unwrap(), now(), &mut rng)
        .unwrap_err();
    assert_eq!(rejected.error(), expected);
    let refusal = org_node.refuse(rejected.into_state(), expected, now());
    let rejected = resolving
        .accept(refusal.message().unwrap(), now(), &mut cache())
        .unwrap_err();
    assert_eq!(rejected.error(), expected);
}

/// Else a KMS could let its users seem to be those of another to them.
#[test]
fn a_partner_vouches_for_its_own_users_alone() {
    let (mut org_node, mut rng) = (org_node(), TestRng(1));
    let mut keys = subscribers();
    keys.insert(erin(), psk_of(&erin()));
    let mut com_node = Kms::new(com(), keys, tpks(), COM, cache());
    let mut shared = InMemoryKeys::new();
    shared.insert(com(), psk_of(&erin()));
    let (pending, request) = Initiator::new(erin(), com())
        .request(
            &for_dave(Strength::Bits128, Policy::FORKED),
            &shared,
            now(),
            &mut rng,
        )
        .unwrap();
    let response = com_node.handle(&request, now(), &mut rng).unwrap();
    let mut ticket = pending.accept(&response, now()).unwrap();
    let (_, init) = call(&mut ticket, &mut rng);
    let (_, resolve) = resolve_at_org(&dave(), &init, &mut rng);
    let refusal = org_node.handle_or_relay(&resolve, now(), &mut rng);
    assert_eq!(refusal.unwrap_err().error(), TicketError::NotAuthorised);
}

#[test]
fn a_partner_is_no_user_and_a_user_is_no_partner() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node, _, resolve) = start(&mut rng);
    let mut shared = InMemoryKeys::new();
    shared.insert(com(), between());
    let asked = for_dave(Strength::Bits128, Policy::FORKED);
    // The partner asks for a ticket, as itself and as one of its users.
    for initiator in [
        Initiator::new(org(), com()),
        Initiator::new(dave(), com()).with_psk_id(org()),
    ] {
        let (_, request) = initiator.request(&asked, &shared, now(), &mut rng).unwrap();
        let refusal = com_node.handle(&request, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::UnknownIdentity);
    }
    // Bob says that he is the partner, with the key that he has.
    let mut ticket = granted_at(&mut com_node, &asked, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    let posing = [
        user(bob()).with_psk_id(org()),
        user(bob()).diverted_by(IdRole::ResponderKms, org()),
    ];
    for responder in posing {
        let incoming = responder.receive(&init, now()).unwrap();
        let (_, message) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
        let refusal = com_node.handle(&message, now(), &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::Forged);
    }
    let responder = user(bob()).diverted_by(IdRole::ResponderKms, net());
    let incoming = responder.receive(&init, now()).unwrap();
    let (_, message) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
    let refusal = com_node.handle(&message, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::UnknownIdentity);
    // Carol, with her own key, says that she is the KMS of Bob.
    let responder = user(bob()).diverted_by(IdRole::ResponderKms, carol());
    let incoming = responder.receive(&init, now()).unwrap();
    let (_, message) = incoming.resolve(&psk(&carol()), now(), &mut rng).unwrap();
    let refusal = com_node.handle(&message, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::UnknownIdentity);

    // What one KMS has sent to the other is for no one else, least of all for itself.
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let refusal = org_node.handle_or_relay(relay.message(), now(), &mut rng);
    assert_eq!(refusal.unwrap_err().error(), TicketError::UnknownIdentity);
    let message = relay.message().to_vec();
    let rejected = org_node
        .accept(relay, &message, now(), &mut rng)
        .unwrap_err();
    assert_eq!(rejected.error(), TicketError::Reflected);
    let relay = rejected.into_state();
    let rejected = org_node
        .accept(relay, &resolve, now(), &mut rng)
        .unwrap_err();
    assert_eq!(rejected.error(), TicketError::Mismatch);
}

#[test]
fn a_relayed_message_and_its_answer_are_refused_at_every_octet_if_changed() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node, resolving, resolve) = start(&mut rng);
    for (_, changed) in tampered(&resolve) {
        assert!(org_node.handle_or_relay(&changed, now(), &mut rng).is_err());
    }
    let mut relay = relayed(&mut org_node, &resolve, &mut rng);
    for (_, changed) in tampered(relay.message()) {
        assert!(com_node.handle_or_relay(&changed, now(), &mut rng).is_err());
    }
    let response = com_node.handle(relay.message(), now(), &mut rng).unwrap();
    for (_, changed) in tampered(&response) {
        let rejected = org_node
            .accept(relay, &changed, now(), &mut rng)
            .unwrap_err();
        relay = rejected.into_state();
    }
    let resolved = org_node.accept(relay, &response, now(), &mut rng).unwrap();
    assert!(resolving.accept(&resolved, now(), &mut cache()).is_ok());
}

#[test]
fn each_kms_takes_each_message_once() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node, _, resolve) = start(&mut rng);
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let replayed = TicketError::Replay(ReplayError::Replayed);
    let refusal = org_node
        .handle_or_relay(&resolve, now(), &mut rng)
        .unwrap_err();
    assert_eq!((refusal.error(), refusal.message()), (replayed, None));
    com_node.handle(relay.message(), now(), &mut rng).unwrap();
    let refusal = com_node
        .handle(relay.message(), now(), &mut rng)
        .unwrap_err();
    assert_eq!((refusal.error(), refusal.message()), (replayed, None));
}

#[test]
fn answers_are_not_swapped_between_users() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node) = (com_node(), org_node());
    let group = policy(Strength::Bits128, Policy::FORKED)
        .with_recipients(vec![Recipient::new(id("?@example.org"))])
        .unwrap();
    let mut ticket = granted_at(&mut com_node, &group, &mut rng);
    let (_, init) = call(&mut ticket, &mut rng);
    let [for_dave, for_erin] = [dave(), erin()].map(|who| {
        let (_, resolve) = resolve_at_org(&who, &init, &mut rng);
        relayed(&mut org_node, &resolve, &mut rng)
    });
    let erins = com_node
        .handle(for_erin.message(), now(), &mut rng)
        .unwrap();
    let rejected = org_node
        .accept(for_dave, &erins, now(), &mut rng)
        .unwrap_err();
    assert_eq!(rejected.error(), TicketError::Mismatch);
    assert!(org_node.accept(for_erin, &erins, now(), &mut rng).is_ok());
}

/// The keys of the answer of one KMS to another.
fn response_keys(asked: &[u8]) -> MessageKeys {
    let asked = Message::decode(asked).unwrap();
    let rand = asked.payloads().find_map(|payload| match payload {
        Payload::Randr(randr) => Some(randr.octets()),
        _ => None,
    });
    let rands = Rands::new(&[], rand.unwrap()).unwrap();
    let (csb_id, response) = (asked.header().csb_id(), TicketMessage::Response);
    let suite = Strength::Bits128.suite();
    MessageKeys::derive(
        suite,
        |key| Label::ticket_message_key(key, response, csb_id, rands),
        |label, out| -> Result<(), ()> {
            let prf = suite.prf();
            prf.derive(between().expose(), label.as_octets(), out);
            Ok(())
        },
    )
    .unwrap()
}

/// RESOLVE_RESP of a partner that makes of each payload what `change` does, with a MAC that holds.
fn rewritten<'a>(
    asked: &[u8],
    answer: &'a [u8],
    change: impl Fn(Payload<'a>) -> Option<Payload<'a>>,
) -> Vec<u8> {
    let message = Message::decode(answer).unwrap();
    let payloads: Vec<_> = message.payloads().filter_map(change).collect();
    let mut octets = Message::new(*message.header(), &payloads).unwrap().to_vec();
    let keys = response_keys(asked);
    octets.truncate(octets.len() - keys.suite().mac().len());
    let tag = keys.mac(&[&octets, asked]);
    octets.extend_from_slice(tag.as_octets());
    octets
}

/// The keys of `answer` again, without or with twice the MPK of the Responder.
fn with_mpks(asked: &[u8], answer: &[u8], count: usize) -> Vec<u8> {
    let (keys, message) = (response_keys(asked), Message::decode(answer).unwrap());
    let csb_id = message.header().csb_id();
    let (mut timestamp, mut encrypted) = ([0; 8], &[][..]);
    for payload in message.payloads() {
        match payload {
            Payload::T(time) => timestamp = time.to_u64().to_be_bytes(),
            Payload::Kemac(kemac) => encrypted = kemac.encr_data(),
            _ => {}
        }
    }
    let iv = Iv { csb_id, timestamp };
    let plain = keys.decrypt(&iv, encrypted).unwrap();
    let chain = Chain::decode_encrypted(&plain, PayloadType::KeyData).unwrap();
    let (mut mpks, others): (Vec<_>, Vec<_>) = chain
        .keys()
        .partition(|key| key.key_type() == KeyDataType::Mpk);
    assert_eq!(mpks.len(), 2);
    mpks.push(mpks[1]);
    let kept = mpks.into_iter().take(count).chain(others);
    let kept: Vec<_> = kept.map(Payload::KeyData).collect();
    let mut octets = Vec::new();
    Chain::new(&kept).encode_encrypted(&mut octets).unwrap();
    keys.encrypt(&iv, &octets).unwrap()
}

/// A partner is trusted for its tickets, not to say who our users are, nor to leave out what makes
/// their keys their own.
#[test]
fn a_partner_cannot_rename_a_user_nor_weaken_its_keys() {
    let mut rng = TestRng(1);
    let (mut com_node, mut org_node, _, resolve) = start(&mut rng);
    let mut relay = relayed(&mut org_node, &resolve, &mut rng);
    let asked = relay.message().to_vec();
    let genuine = com_node.handle(&asked, now(), &mut rng).unwrap();
    let erin = erin();
    let renamed = |payload| match payload {
        Payload::Idr(idr) if idr.role() == IdRole::Responder => {
            let id = erin.to_payload().unwrap();
            Some(Payload::Idr(Idr::new(IdRole::Responder, id)))
        }
        other => Some(other),
    };
    let unnamed = |payload| match payload {
        Payload::Idr(idr) if idr.role() == IdRole::Responder => None,
        other => Some(other),
    };
    let unforked = |payload| match payload {
        Payload::Randr(_) => None,
        other => Some(other),
    };
    let weak = |payload| match payload {
        Payload::Randr(_) => Some(Payload::Randr(Randr::new(RandRole::Kms, &[7; 15]).unwrap())),
        other => Some(other),
    };
    let keyless = |payload| match payload {
        Payload::Kemac(_) => None,
        other => Some(other),
    };
    let [same, shared, twice] = [2, 1, 3].map(|count| {
        let encrypted = with_mpks(&asked, &genuine, count);
        rewritten(&asked, &genuine, |payload| match payload {
            Payload::Kemac(kemac) => {
                let kemac = Kemac::new(kemac.encr_alg(), encrypted.clone().leak(), Mac::NULL);
                Some(Payload::Kemac(kemac.unwrap()))
            }
            other => Some(other),
        })
    });
    let missing = TicketError::MissingPayload;
    for (answer, refused) in [
        (rewritten(&asked, &genuine, renamed), TicketError::Mismatch),
        (
            rewritten(&asked, &genuine, unnamed),
            missing(PayloadType::Idr),
        ),
        (
            rewritten(&asked, &genuine, unforked),
            missing(PayloadType::Randr),
        ),
        (rewritten(&asked, &genuine, weak), TicketError::WeakRand),
        (
            rewritten(&asked, &genuine, keyless),
            missing(PayloadType::Kemac),
        ),
        (shared, missing(PayloadType::KeyData)),
        (twice, missing(PayloadType::KeyData)),
    ] {
        let rejected = org_node
            .accept(relay, &answer, now(), &mut rng)
            .unwrap_err();
        assert_eq!(rejected.error(), refused);
        relay = rejected.into_state();
    }
    assert_eq!(same, genuine);
    assert!(org_node.accept(relay, &genuine, now(), &mut rng).is_ok());
}

/// Else two KMSs that name each other could send a ticket round for ever.
#[test]
fn what_was_relayed_is_not_relayed_on() {
    let mut rng = TestRng(1);
    let (_, mut org_node, _, resolve) = start(&mut rng);
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    // Another KMS under the name of the one that is asked, whose tickets have another name.
    let other = Responder::new(dave(), com()).with_psk_id(org());
    let mut net_node = Kms::new(net(), subscribers(), tpks(), COM, cache());
    let (pending, request) = Initiator::new(alice(), net())
        .request(
            &for_dave(Strength::Bits128, Policy::FORKED),
            &{
                let mut keys = InMemoryKeys::new();
                keys.insert(net(), psk_of(&alice()));
                keys
            },
            now(),
            &mut rng,
        )
        .unwrap();
    let response = net_node.handle(&request, now(), &mut rng).unwrap();
    let mut ticket = pending.accept(&response, now()).unwrap();
    let (_, init) = call(&mut ticket, &mut rng);
    let mut shared = InMemoryKeys::new();
    shared.insert(com(), between());
    let incoming = other.receive(&init, now()).unwrap();
    let (_, message) = incoming.resolve(&shared, now(), &mut rng).unwrap();
    let refusal = com_node().handle_or_relay(&message, now(), &mut rng);
    assert_eq!(refusal.unwrap_err().error(), TicketError::ForeignTicket);
    // Giving up is told to the user.
    let refusal = org_node.refuse(relay, TicketError::Unresolved, now());
    let message = Message::decode(refusal.message().unwrap()).unwrap();
    assert_eq!(message.header().data_type(), DataType::Error);
}

/// A message that reaches two nodes is encrypted to under one key by both: never with one IV.
#[test]
fn nodes_that_answer_one_message_at_one_time_share_no_iv() {
    for strength in STRENGTHS {
        let (mut first, mut second, mut rng) = (com_node(), com_node(), TestRng(1));
        let (_, request) = ask(&for_dave(strength, Policy::FORKED), &mut rng);
        let answers =
            [&mut first, &mut second].map(|node| node.handle(&request, now(), &mut rng).unwrap());
        let [one, other] = answers.map(|answer| {
            let message = Message::decode(&answer).unwrap();
            assert_eq!(
                message.header().csb_id(),
                Message::decode(&request).unwrap().header().csb_id()
            );
            message.payloads().find_map(|payload| match payload {
                Payload::T(time) => Some(time.to_u64()),
                _ => None,
            })
        });
        assert_ne!(one, other);
        // And yet it is the time.
        assert_eq!(one.map(|time| time >> 22), other.map(|time| time >> 22));
    }
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

#[cfg(feature = "rsa")]
mod by_public_key {
    use super::*;
    use crate::public_key::{BOB, KMS, PARTNER, rsa};
    use mikey::crypto::RsaCredentials;

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
            let mut relay = relayed(&mut org_node, &resolve, &mut rng);
            assert_eq!(relay.message()[1], u8::from(DataType::ResolveInitPk));
            assert_eq!(idr(relay.message(), IdRole::ResponderKms), Some(org()));
            for (_, changed) in tampered(relay.message()) {
                assert!(com_node.handle_or_relay(&changed, now(), &mut rng).is_err());
            }
            let response = com_node.handle(relay.message(), now(), &mut rng).unwrap();
            for (_, changed) in tampered(&response) {
                let rejected = org_node
                    .accept(relay, &changed, now(), &mut rng)
                    .unwrap_err();
                relay = rejected.into_state();
            }
            let resolved = org_node.accept(relay, &response, now(), &mut rng).unwrap();
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
}
