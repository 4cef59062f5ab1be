//! What forgers, replayers and the wrong parties get. Self-consistency.

use mikey::code_points::{ErrorNo, IdRole};
use mikey::derive::Secret;
use mikey::limits::{MAX_MESSAGE_LEN, MAX_PAYLOADS};
use mikey::payload::{Idr, Payload, TicketPolicy};
use mikey::{DecodeErrorKind, Message, ReplayError, SkewWindow};
use mikey_ticket::{
    Initiator, Policy, Recipient, Responder, Strength, TicketError, TicketKeyError, Transfer,
};

use crate::support::*;

fn flags() -> [mikey::payload::TicketFlags; 2] {
    [Policy::FORKED, Policy::SHARED]
}

#[test]
fn a_changed_request_is_refused_at_every_octet_and_changes_nothing() {
    for strength in STRENGTHS {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let (pending, request) = ask(&policy(strength, Policy::FORKED), &mut rng);
        for (index, changed) in tampered(&request) {
            let refusal = kms.handle(&changed, now(), &mut rng).unwrap_err();
            assert_ne!(
                refusal.error(),
                TicketError::Replay(ReplayError::Replayed),
                "{index}"
            );
        }
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        assert!(pending.accept(&response, now()).is_ok());
        let again = kms.handle(&request, now(), &mut rng).unwrap_err();
        assert_eq!(again.error(), TicketError::Replay(ReplayError::Replayed));
        assert_eq!(again.message(), None, "a replay is met with silence");
    }
}

#[test]
fn a_changed_ticket_response_is_refused_at_every_octet() {
    for strength in STRENGTHS {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let (mut pending, request) = ask(&policy(strength, Policy::FORKED), &mut rng);
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        for (_, changed) in tampered(&response) {
            pending = pending.accept(&changed, now()).unwrap_err().into_state();
        }
        assert!(
            pending.accept(&response, now()).is_ok(),
            "it goes on waiting"
        );
    }
}

/// The Responder sees some changes, the KMS others, and the Responder the rest once it has the keys.
#[test]
fn a_changed_transfer_is_refused_at_every_octet() {
    for (strength, flags) in STRENGTHS.into_iter().zip(flags()) {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let (_, init) = new_call(&policy(strength, flags), &mut kms, &mut rng);
        let mut replay = cache();
        let mut refusals = [0; 3];
        for (index, changed) in tampered(&init) {
            let Ok(incoming) = user(bob()).receive(&changed, now()) else {
                refusals[0] += 1;
                continue;
            };
            let (resolving, request) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
            match kms.handle(&request, now(), &mut rng) {
                Err(_) => refusals[1] += 1,
                Ok(response) => {
                    let rejected = resolving.accept(&response, now(), &mut replay).unwrap_err();
                    assert_eq!(rejected.error(), TicketError::Forged, "octet {index}");
                    refusals[2] += 1;
                }
            }
        }
        assert!(replay.is_empty());
        assert!(refusals.iter().all(|count| *count > 0), "{refusals:?}");
        verified(&bob(), &init, &mut kms, &mut rng);
    }
}

#[test]
fn a_changed_resolve_is_refused_at_every_octet() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, init) = new_call(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let (mut resolving, request) = resolve(&bob(), &init, &mut rng);
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

#[test]
fn a_changed_answer_is_refused_at_every_octet() {
    for (strength, flags) in STRENGTHS.into_iter().zip(flags()) {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let (mut waiting, init) = new_call(&policy(strength, flags), &mut kms, &mut rng);
        let (_, response) = answer(verified(&bob(), &init, &mut kms, &mut rng), &mut rng);
        let response = response.unwrap();
        for (_, changed) in tampered(&response) {
            waiting = waiting.accept(&changed).unwrap_err().into_state();
        }
        assert!(waiting.accept(&response).is_ok());
    }
}

#[test]
fn tickets_are_refused_outside_of_their_validity() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, init) = new_call(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let anytime = user(bob()).with_window(None);
    let late = now().plus_seconds(3601);
    let early = now().minus_seconds(3601);
    let refusal = anytime.receive(&init, late).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Expired);
    let answer = Message::decode(refusal.message().unwrap()).unwrap();
    let told = answer.payloads().any(
        |payload| matches!(payload, Payload::Err(e) if e.error_no() == ErrorNo::InvalidTicket),
    );
    assert!(told);
    assert_eq!(
        anytime.receive(&init, early).unwrap_err().error(),
        TicketError::NotYetValid
    );

    // A Responder whose clock is wrong does not help it: the KMS has one of its own.
    let incoming = anytime.receive(&init, now()).unwrap();
    let (_, request) = incoming.resolve(&psk(&bob()), late, &mut rng).unwrap();
    let refusal = kms.handle(&request, late, &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Expired);
}

struct Nobody;
impl mikey_ticket::KmsPolicy for Nobody {
    fn grant(&self, _: &mikey::Identity, _: &Policy, _: mikey::Timestamp) -> Option<Policy> {
        None
    }
}

#[test]
fn a_refusal_of_the_kms_is_authenticated() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let only_carol = policy(Strength::Bits128, Policy::FORKED)
        .with_recipients(vec![Recipient::new(carol())])
        .unwrap();
    let (_, init) = new_call(&only_carol, &mut kms, &mut rng);
    // Bob pretends to be asked as Carol by his own stack, but the KMS knows him by his key.
    let incoming = user(carol()).receive(&init, now()).unwrap();
    let (_, request) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
    let refusal = kms.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Forged);

    let mut strict = mikey_ticket::Kms::new(kms_id(), subscribers(), tpks(), Nobody, cache());
    let (pending, request) = ask(&only_carol, &mut rng);
    let refusal = strict.handle(&request, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::NotAuthorised);
    let rejected = pending
        .accept(refusal.message().unwrap(), now())
        .unwrap_err();
    let expected = TicketError::PeerError {
        error_no: ErrorNo::InvalidId,
        authenticated: true,
    };
    assert_eq!(rejected.error(), expected);
}

#[test]
fn tickets_for_another_application_are_refused() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let bytes = mikey::code_points::IdType::ByteString;
    let app = mikey::Identity::new(bytes, b"PSK/MIME").unwrap();
    let policy = policy(Strength::Bits128, Policy::FORKED).with_applications(vec![app.clone()]);
    let (_, init) = new_call(&policy, &mut kms, &mut rng);
    let refusal = user(bob()).receive(&init, now()).unwrap_err();
    assert_eq!(refusal.error(), TicketError::WrongApplication);
    assert!(
        user(bob())
            .with_application(app)
            .receive(&init, now())
            .is_ok()
    );
}

#[test]
fn tickets_under_a_revoked_or_unknown_tpk_are_refused() {
    for revoked in [true, false] {
        let (mut first, mut rng) = (kms(), TestRng(1));
        let (_, init) = new_call(
            &policy(Strength::Bits128, Policy::FORKED),
            &mut first,
            &mut rng,
        );
        let mut tpks = if revoked {
            tpks()
        } else {
            mikey_ticket::InMemoryTicketKeys::new()
        };
        tpks.revoke(b"tpk 128");
        let policy = mikey_ticket::GrantAsAsked;
        let mut second = mikey_ticket::Kms::new(kms_id(), subscribers(), tpks, policy, cache());
        let (_, request) = resolve(&bob(), &init, &mut rng);
        let refusal = second.handle(&request, now(), &mut rng).unwrap_err();
        let expected = if revoked {
            TicketKeyError::Revoked
        } else {
            TicketKeyError::Unknown
        };
        assert_eq!(refusal.error(), TicketError::TicketKey(expected));
    }
}

/// The next TPK makes tickets from its time on, on every node; the one before opens its own until the
/// last of them is over.
#[test]
fn tpks_are_rotated_with_an_overlap() {
    let day = 86_400;
    let (monday, tuesday) = (now(), now().plus_seconds(day));
    let node = || {
        let mut tpks = mikey_ticket::InMemoryTicketKeys::new();
        for (id, fill, from) in [(b"mon", 1, monday), (b"tue", 2, tuesday)] {
            let key = Secret::new(&[fill; 16]).unwrap();
            let until = from.plus_seconds(day + 3600);
            tpks.insert(id, Strength::Bits128, key, from, until);
        }
        let policy = mikey_ticket::GrantAsAsked;
        mikey_ticket::Kms::new(kms_id(), subscribers(), tpks, policy, cache())
    };
    let mut rng = TestRng(1);
    let wanted = policy(Strength::Bits128, Policy::FORKED);
    let wanted = wanted.with_validity(None, None).unwrap();
    let initiator = Initiator::new(alice(), kms_id());
    let mut made_and_resolved = |time, used| {
        let asked = initiator.request(&wanted, &psk(&alice()), time, &mut rng);
        let (pending, request) = asked.unwrap();
        let response = node().handle(&request, time, &mut rng).unwrap();
        let mut ticket = pending.accept(&response, time).unwrap();
        let sent = with_offer(&bob(), |offer| ticket.transfer(offer, used, &mut rng));
        let init = sent.unwrap().1;
        let incoming = user(bob()).receive(&init, used).unwrap();
        let (_, resolve) = incoming.resolve(&psk(&bob()), used, &mut rng).unwrap();
        node()
            .handle(&resolve, used, &mut rng)
            .map_err(|e| e.error())
    };
    let sunday = monday.minus_seconds(1);
    let asked = initiator.request(&wanted, &psk(&alice()), sunday, &mut TestRng(2));
    let refused = node().handle(&asked.unwrap().1, sunday, &mut TestRng(2));
    let unknown = TicketError::TicketKey(TicketKeyError::Unknown);
    assert_eq!(refused.unwrap_err().error(), unknown);

    let last = tuesday.minus_seconds(1);
    let (within, over) = (tuesday.plus_seconds(3599), tuesday.plus_seconds(3600));
    assert!(made_and_resolved(last, within).is_ok());
    let revoked = TicketError::TicketKey(TicketKeyError::Revoked);
    assert_eq!(made_and_resolved(last, over), Err(revoked));
    // Made on Tuesday, by the TPK of Tuesday, which lasts.
    assert!(made_and_resolved(tuesday, over).is_ok());
}

#[test]
fn a_replayed_transfer_is_refused_even_with_other_initiator_data() {
    let flags = mikey::payload::TicketFlags {
        reusable: true,
        ..Policy::FORKED
    };
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, init) = new_call(&policy(Strength::Bits128, flags), &mut kms, &mut rng);
    let mut replay = cache();
    let (resolving, request) = resolve(&bob(), &init, &mut rng);
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let kept = resolving
        .accept(&response, now(), &mut replay)
        .unwrap()
        .resolution()
        .unwrap();
    // Vr, which ends the Initiator Data, stands before V: 20 octets and their two octets of header.
    let mut other = init.clone();
    let vr = init.len() - 22 - 1;
    other[vr] ^= 1;
    for message in [&init, &other] {
        let incoming = user(bob()).receive(message, now()).unwrap();
        let refused = incoming.reuse(&kept, now(), &mut replay).unwrap_err();
        assert_eq!(refused, TicketError::Replay(ReplayError::Replayed));
    }
}

#[test]
fn messages_outside_of_the_window_are_refused() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, request) = ask(&policy(Strength::Bits128, Policy::FORKED), &mut rng);
    for time in [now().plus_seconds(301), now().minus_seconds(301)] {
        let refusal = kms.handle(&request, time, &mut rng).unwrap_err();
        assert_eq!(refusal.error(), TicketError::ClockSkew);
    }
    let narrow = Responder::new(bob(), kms_id()).with_window(Some(SkewWindow::new(1, 1)));
    let (_, init) = new_call(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    let refusal = narrow.receive(&init, now().plus_seconds(2)).unwrap_err();
    assert_eq!(refusal.error(), TicketError::ClockSkew);
}

#[test]
fn reflected_messages_and_answers_to_others_are_refused() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let policy = policy(Strength::Bits128, Policy::SHARED);
    let (pending, request) = ask(&policy, &mut rng);
    let pending = pending.accept(&request, now()).unwrap_err();
    assert_eq!(pending.error(), TicketError::Reflected);
    let mut ticket = granted(&policy, &mut kms, &mut rng);
    let mut other = granted(&policy, &mut kms, &mut rng);
    let (waiting, init) = call(&mut ticket, &mut rng);
    let waiting = waiting.accept(&init).unwrap_err();
    assert_eq!(waiting.error(), TicketError::Reflected);
    assert_eq!(
        user(alice()).receive(&init, now()).unwrap_err().error(),
        TicketError::Reflected
    );
    let (_, others) = call(&mut other, &mut rng);
    let (_, response) = answer(verified(&bob(), &others, &mut kms, &mut rng), &mut rng);
    let swapped = waiting.into_state().accept(&response.unwrap()).unwrap_err();
    assert_eq!(swapped.error(), TicketError::Mismatch);
}

/// A ticket out of one TRANSFER_INIT does not serve in another.
#[test]
fn swapped_tickets_are_refused() {
    for flags in flags() {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let policy = policy(Strength::Bits128, flags);
        let inits = [(); 2].map(|()| {
            let mut ticket = granted(&policy, &mut kms, &mut rng);
            call(&mut ticket, &mut rng).1
        });
        let [first, second] = [&inits[0], &inits[1]].map(|init| Message::decode(init).unwrap());
        let payloads: Vec<_> = first
            .payloads()
            .zip(second.payloads())
            .map(|(ours, theirs)| {
                if matches!(ours, Payload::Ticket(_)) {
                    theirs
                } else {
                    ours
                }
            })
            .collect();
        let swapped = Message::new(*first.header(), &payloads).unwrap().to_vec();
        let (resolving, request) = resolve(&bob(), &swapped, &mut rng);
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let rejected = resolving
            .accept(&response, now(), &mut cache())
            .unwrap_err();
        assert_eq!(rejected.error(), TicketError::Forged);
    }
}

#[test]
fn the_two_strengths_are_never_mixed() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, init) = new_call(
        &policy(Strength::Bits256, Policy::SHARED),
        &mut kms,
        &mut rng,
    );
    // The PRF of the header, with the V flag; the MAC stays one of 256 bits.
    let mut weaker = init.clone();
    assert_eq!(weaker[3], 0x81);
    weaker[3] = 0x80;
    let refusal = user(bob()).receive(&weaker, now()).unwrap_err();
    assert_eq!(refusal.error(), TicketError::MixedStrength);
}

#[test]
fn octets_that_are_no_message_are_refused_by_everyone() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (pending, request) = ask(&policy(Strength::Bits128, Policy::FORKED), &mut rng);
    for len in 0..request.len() {
        assert!(kms.handle(&request[..len], now(), &mut rng).is_err());
        assert!(user(bob()).receive(&request[..len], now()).is_err());
    }
    let long = vec![1; 1 << 17];
    assert!(matches!(
        kms.handle(&long, now(), &mut rng).unwrap_err().error(),
        TicketError::Malformed(_)
    ));
    assert!(matches!(
        pending.accept(&long, now()).unwrap_err().error(),
        TicketError::Malformed(_)
    ));
    let complete = |transfer: &Transfer| matches!(transfer, Transfer::Complete(_));
    let mut ticket = granted(
        &policy(Strength::Bits128, Policy::FORKED),
        &mut kms,
        &mut rng,
    );
    assert!(!complete(&call(&mut ticket, &mut rng).0));
}

/// What nests in a message is as bounded as the message: names in a Ticket Policy, and lengths that say
/// more than there is.
#[test]
fn oversized_nested_payloads_are_refused() {
    let kind = |error| match error {
        TicketError::Malformed(error) => Some(error.kind()),
        _ => None,
    };
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (_, request) = ask(&policy(Strength::Bits128, Policy::FORKED), &mut rng);
    let message = Message::decode(&request).unwrap();
    let bob = bob();
    let name = Payload::Idr(Idr::new(IdRole::Responder, bob.to_payload().unwrap()));
    let with_names = |count: usize| {
        let names = vec![name; count];
        let payloads = message.payloads().map(|payload| match payload {
            Payload::Tp(tp) => Payload::Tp(TicketPolicy::new(tp.kind(), &names).unwrap()),
            other => other,
        });
        let payloads: Vec<_> = payloads.collect();
        Message::new(*message.header(), &payloads).unwrap().to_vec()
    };
    let most = with_names(MAX_PAYLOADS);
    let refusal = kms.handle(&most, now(), &mut rng).unwrap_err();
    assert_eq!(refusal.error(), TicketError::Forged, "it is looked at");
    // One name more, behind the length of TP Data and the type of its first payload.
    let name_len = most.len() - with_names(MAX_PAYLOADS - 1).len();
    let data_len = |count: usize| u16::try_from(1 + count * name_len).unwrap().to_be_bytes();
    let found = most.windows(2).position(|w| w == data_len(MAX_PAYLOADS));
    let at = found.unwrap();
    let (front, names) = (&most[..at], &most[at + 2..]);
    let more = data_len(MAX_PAYLOADS + 1);
    let larger = [front, &more, &names[..1], &names[1..=name_len], &names[1..]].concat();
    let refusal = kms.handle(&larger, now(), &mut rng).unwrap_err();
    let too_many = DecodeErrorKind::TooManyPayloads;
    assert_eq!(kind(refusal.error()), Some(too_many));
    let mut long = request.clone();
    long.resize(MAX_MESSAGE_LEN + 1, 0);
    let refusal = kms.handle(&long, now(), &mut rng).unwrap_err();
    assert_eq!(kind(refusal.error()), Some(DecodeErrorKind::TooLong));
    // Nothing of it was kept: the genuine request is answered.
    assert!(kms.handle(&request, now(), &mut rng).is_ok());
}
