use mikey::Message;
use mikey::payload::TicketFlags;
use mikey_ticket::{Policy, Strength};

use super::{ForkedKey, Label, RandRole, Run, check, rand};
use crate::relay::{
    between, com, com_node, dave, for_dave, granted_at, org, org_node, relayed, resolve_at_org,
};
use crate::support::*;

fn run(strength: Strength, flags: TicketFlags) -> String {
    let forked = flags.forking;
    let title = if forked { "forked" } else { "not forked" };
    let mut r = Run::new(&format!("two KMSs, {title}"), strength);
    let (psk, shared) = (psk_of(&dave()), between());
    r.line("PSK of the Responder", psk.expose());
    r.line("PSK of the KMSs", shared.expose());
    r.line("TPK", &vec![0x70; strength.key_len()]);
    let (mut com_node, mut org_node, mut rng) = (com_node(), org_node(), TestRng(6043));
    let mut ticket = granted_at(&mut com_node, &for_dave(strength, flags), &mut rng);
    let offered = with_offer(&dave(), |offer| ticket.transfer(offer, now(), &mut rng));
    let (waiting, init) = offered.unwrap();
    r.message("TRANSFER_INIT", &init);

    let (resolving, resolve) = resolve_at_org(&dave(), &init, &mut rng);
    let name = "RESOLVE_INIT_PSK of the Responder";
    r.resolve(name, &resolve, psk.expose(), [&dave(), &org()]);
    let relay = relayed(&mut org_node, &resolve, &mut rng);
    let asked = relay.message().to_vec();
    let name = "RESOLVE_INIT_PSK of its KMS";
    r.resolve(name, &asked, shared.expose(), [&dave(), &com()]);

    let response = com_node.handle(&asked, now(), &mut rng).unwrap();
    let name = "RESOLVE_RESP to its KMS";
    let (mpks, tgk) = r.answer(name, &asked, &response, shared.expose());
    let resolved = org_node.accept(relay, &response, now(), &mut rng).unwrap();
    let name = "RESOLVE_RESP to the Responder";
    let (for_dave, tgk_for_dave) = r.answer(name, &resolve, &resolved, psk.expose());
    assert_eq!((for_dave, &tgk_for_dave), (mpks, &tgk));
    if forked {
        let decoded = Message::decode(&resolved).unwrap();
        let rand_kms = rand(&decoded, RandRole::Kms);
        let label = Label::forked_key(ForkedKey::Tgk, dave().data(), rand_kms).unwrap();
        r.line("label of TGK", label.as_octets());
    }

    let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
    let (at_dave, answered) = answer(verified, &mut rng);
    let answered = answered.unwrap();
    r.message("TRANSFER_RESP", &answered);
    let at_alice = waiting.accept(&answered).unwrap();
    assert_eq!(tek(&at_alice, 1), tek(&at_dave, 1));
    r.line("CS 1 TEK", &tek(&at_alice, 1));
    r.text
}

#[test]
fn vectors_of_the_relay_are_what_the_exchanges_make() {
    for (strength, bits) in STRENGTHS.into_iter().zip([128, 256]) {
        for (flags, kind) in [(Policy::FORKED, "forked"), (Policy::SHARED, "shared")] {
            let text = run(strength, flags);
            check(&format!("relay_{bits}_{kind}.txt"), &text);
        }
    }
}
