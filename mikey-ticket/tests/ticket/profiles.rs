//! The profiles of TR 33.829, by requirement. Self-consistency.

use mikey::code_points::ThreeGppCodePoints;
use mikey::derive::Secret;
use mikey::{Message, MessageTime, ReplayCache, ReplayError, SeenMessage};
use mikey_ticket::profile::psk_mime;
use mikey_ticket::{DeferredReplayCache, Policy, PolicyError, Recipient, Strength, TicketError};
use proptest::prelude::*;

use crate::support::*;

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

fn recipients() -> Vec<Recipient> {
    [bob(), carol()].map(Recipient::new).to_vec()
}

fn content(proof: Option<&[u8]>) -> psk_mime::ContentKey {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let policy = psk_mime::policy(Strength::Bits128, recipients(), proof.is_some()).unwrap();
    let mut ticket = granted(&policy, &mut kms, &mut rng);
    let key = Secret::new(&[0xc0; 16]).unwrap();
    let message = psk_mime::send(
        &mut ticket,
        &bob(),
        &key,
        proof,
        &CODE_POINTS,
        now(),
        &mut rng,
    )
    .unwrap();
    let read = Message::decode(&message).unwrap();
    assert!(!read.header().v_flag());
    assert_eq!(read.header().cs_id_map().cs_count(), 1);
    let responder = user(bob()).with_application(psk_mime::application().unwrap());
    let incoming = responder.receive(&message, now()).unwrap();
    let (resolving, request) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let verified = resolving.accept(&response, now(), &mut cache()).unwrap();
    psk_mime::receive(&verified, &CODE_POINTS, now()).unwrap()
}

#[test]
fn req_msg_11_half_a_round_trip_carries_the_content_key() {
    let content = content(None);
    assert_eq!(content.key().expose(), [0xc0; 16]);
    assert_eq!(content.sender(), &alice());
    assert_eq!(content.content_mac(), None);
    let flags = psk_mime::policy(Strength::Bits128, recipients(), false)
        .unwrap()
        .flags();
    assert!(!flags.response && !flags.responder_rand && !flags.forking && flags.initiator_keys);
    let other = Policy::new(Strength::Bits128, Policy::SHARED, recipients()).unwrap();
    assert_eq!(psk_mime::check_policy(&other), Err(PolicyError::Profile));
}

#[test]
fn req_msg_10_proof_of_origin_needs_forking() {
    assert_eq!(content(Some(&[9; 16])).content_mac(), Some(&[9; 16][..]));
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let policy = psk_mime::policy(Strength::Bits128, recipients(), false).unwrap();
    let mut ticket = granted(&policy, &mut kms, &mut rng);
    let (key, mac) = (Secret::new(&[0xc0; 16]).unwrap(), Some(&[9; 16][..]));
    let sent = psk_mime::send(
        &mut ticket,
        &bob(),
        &key,
        mac,
        &CODE_POINTS,
        now(),
        &mut rng,
    );
    assert_eq!(sent.unwrap_err(), TicketError::Policy(PolicyError::Profile));
}

#[test]
fn req_msg_02_every_intended_recipient_resolves_a_reused_ticket() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let asked = psk_mime::policy(Strength::Bits128, recipients(), false).unwrap();
    let flags = mikey::payload::TicketFlags {
        reusable: true,
        ..asked.flags()
    };
    let mut ticket = granted(&asked.with_flags(flags).unwrap(), &mut kms, &mut rng);
    for (number, who) in [bob(), carol()].into_iter().enumerate() {
        let key = Secret::new(&[u8::try_from(number).unwrap(); 16]).unwrap();
        let sent = psk_mime::send(&mut ticket, &who, &key, None, &CODE_POINTS, now(), &mut rng);
        let responder = user(who.clone()).with_application(psk_mime::application().unwrap());
        let incoming = responder.receive(&sent.unwrap(), now()).unwrap();
        let (resolving, request) = incoming.resolve(&psk(&who), now(), &mut rng).unwrap();
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let verified = resolving.accept(&response, now(), &mut cache()).unwrap();
        let content = psk_mime::receive(&verified, &CODE_POINTS, now()).unwrap();
        assert_eq!(content.key().expose(), key.expose());
    }
}

fn take(cache: &mut DeferredReplayCache, number: u32) -> Result<(), ReplayError> {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    let time = MessageTime::Utc(now().minus_seconds(1_000_000).plus_seconds(number.into()));
    cache.check_and_insert(&SeenMessage::new(&digest, b"alice", time), now())
}

#[test]
fn req_msg_05_deferred_messages_in_order_are_never_lost() {
    let mut cache = DeferredReplayCache::new(3);
    for number in 0..1000 {
        assert_eq!(take(&mut cache, number), Ok(()));
        assert!(cache.len() <= 3);
    }
    assert_eq!(take(&mut cache, 999), Err(ReplayError::Replayed));
    assert_eq!(take(&mut cache, 5), Err(ReplayError::TooOld));
    // The Responder lets the cache decide.
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let policy = Policy::new(Strength::Bits128, Policy::SHARED, recipients()).unwrap();
    let (_, init) = new_call(&policy, &mut kms, &mut rng);
    let week = now().plus_seconds(7 * 86_400);
    assert!(user(bob()).receive(&init, week).is_err());
    assert!(user(bob()).with_window(None).receive(&init, week).is_ok());
}

proptest! {
    #[test]
    fn req_msg_05_no_message_is_taken_twice(
        capacity in 0_usize..5,
        numbers in prop::collection::vec(0_u32..12, 0..60),
    ) {
        let mut cache = DeferredReplayCache::new(capacity);
        let mut taken = Vec::new();
        for number in numbers {
            if take(&mut cache, number).is_ok() {
                prop_assert!(!taken.contains(&number));
                taken.push(number);
            }
            prop_assert!(cache.len() <= capacity);
        }
    }
}
