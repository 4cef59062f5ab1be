//! What partners, users and strangers do not get from a relay. Self-consistency.

use mikey::code_points::{DataType, KeyDataType, PayloadType};
use mikey::crypto::Iv;
use mikey::derive::{Label, MessageKeys, Rands, TicketMessage};
use mikey::payload::{Idr, Kemac, Mac, Randr};
use mikey::{Chain, ReplayError};
use mikey_ticket::Initiator;

use super::*;

fn net() -> Identity {
    id("sip:kms.example.net")
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
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let resolved = resolved_unchanged(&mut com_node, &mut org_node, relay, &mut rng);
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
