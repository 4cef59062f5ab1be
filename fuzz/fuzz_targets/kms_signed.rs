//! A signed message that is changed behind its signature: whatever the KMS makes of it, an answer is
//! to that message, and there is but one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey::{Message, ReplayError};
use mikey_ticket::{Initiator, KmsReply, TicketError};

mod domain;
mod rng;

use domain::*;

fuzz_target!(|octets: &[u8]| {
    let Some((kind, edits)) = octets.split_first() else {
        return;
    };
    let (mut kms, mut rng) = (kms(com()), rng::Fixed(1));
    let genuine = if kind & 1 == 0 {
        let initiator = Initiator::new(alice(), com());
        let asked = initiator.request_pk(&policy(), &Trusting, now(), &mut rng);
        asked.expect("a request").1
    } else {
        let init = transfer_init(&mut kms, &mut rng);
        let incoming = responder(com()).receive(&init, now()).expect("for Bob");
        let asked = incoming.resolve_pk(&Trusting, now(), &mut rng);
        asked.expect("a resolve").1
    };
    let message = edited(&genuine, edits);
    let Ok(reply) = kms.handle_or_relay(&message, now(), &mut rng) else {
        return;
    };
    let csb_id = Message::decode(&message)
        .expect("answered")
        .header()
        .csb_id();
    if let KmsReply::Answer(answer) = reply {
        let answer = Message::decode(&answer).expect("our own");
        assert_eq!(answer.header().csb_id(), csb_id);
    }
    let again = kms.handle_or_relay(&message, now(), &mut rng);
    let refusal = again.expect_err("it was seen");
    let seen = TicketError::Replay(ReplayError::Replayed);
    assert_eq!((refusal.error(), refusal.message()), (seen, None));
});
