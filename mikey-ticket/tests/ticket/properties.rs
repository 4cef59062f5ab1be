//! Random policies: who ends with equal keys. Self-consistency.

use mikey::exchange::KeyKind;
use mikey::payload::TicketFlags;
use mikey_ticket::{
    Established, GrantedTicket, KeyRequest, Policy, PolicyError, Strength, Transfer,
    VerifiedTransfer, issue_ticket,
};
use proptest::prelude::*;

use crate::support::*;

fn flags(bits: u16) -> TicketFlags {
    let bit = |number: u16| bits >> number & 1 == 1;
    TicketFlags {
        kms_generated: bit(0),
        resolve_mandatory: bit(1),
        response: bit(2),
        responder_rand: bit(3),
        initiator_rand: bit(4),
        forking: bit(5),
        reusable: bit(6),
        changed: false,
        initiator_keys: bit(7),
        responder_keys: bit(8),
        plain_initiator: true,
        plain_responder: true,
    }
}

/// By the mode that the flags ask for.
fn opened(
    who: &mikey::Identity,
    init: &[u8],
    flags: TicketFlags,
    kms: &mut TestKms,
    rng: &mut TestRng,
) -> VerifiedTransfer {
    if flags.resolve_mandatory {
        return verified(who, init, kms, rng);
    }
    let incoming = user(who.clone()).receive(init, now()).unwrap();
    incoming.open(&tpks(), now(), &mut cache()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn keys_are_equal_exactly_where_the_policy_says_so(
        bits in 0_u16..512,
        strong in any::<bool>(),
        kind in prop::sample::select(vec![KeyKind::Tgk, KeyKind::Gtgk, KeyKind::Tek]),
        seed in any::<u64>(),
    ) {
        let flags = flags(bits);
        let strength = if strong { Strength::Bits256 } else { Strength::Bits128 };
        let spi = vec![7];
        let key = KeyRequest { kind, len: strength.key_len(), salt_len: None, spi };
        let recipients = policy(strength, Policy::SHARED).recipients().to_vec();
        let made = Policy::new(strength, flags, recipients).and_then(|p| p.with_keys(vec![key]));
        let policy = match (made, flags.check()) {
            (Ok(policy), Ok(())) => policy.with_initiator(alice()),
            (made, rules) => {
                // Nothing but the rules of the standard refuses a policy.
                let unforkable = flags.forking && kind == KeyKind::Tgk && !flags.response;
                prop_assert!(rules.is_err() || unforkable);
                prop_assert!(matches!(
                    made,
                    Err(PolicyError::Flags(_) | PolicyError::ForkedTgkNeedsResponse)
                ));
                return Ok(());
            }
        };
        let (mut kms, mut rng) = (kms(), TestRng(seed));
        let mut ticket = if flags.kms_generated {
            granted(&policy, &mut kms, &mut rng)
        } else {
            let (ticket, contents) = issue_ticket(&policy, &tpks(), now(), &mut rng).unwrap();
            GrantedTicket::self_made(alice(), ticket, contents).unwrap()
        };
        let (waiting, init) = call(&mut ticket, &mut rng);
        let [at_bob, at_carol] = [bob(), carol()]
            .map(|who| answer(opened(&who, &init, flags, &mut kms, &mut rng), &mut rng));
        let at_alice: Established = match (waiting, at_bob.1) {
            (Transfer::Complete(established), None) => *established,
            (waiting, Some(response)) => waiting.accept(&response).unwrap(),
            (Transfer::Awaiting(_), None) => panic!("the F flag wants an answer"),
        };
        prop_assert_eq!(tek(&at_alice, 1), tek(&at_bob.0, 1));

        let own_rand = flags.responder_rand && kind != KeyKind::Tek;
        let own_key = flags.forking && kind == KeyKind::Tgk;
        let shared = tek(&at_bob.0, 1) == tek(&at_carol.0, 1);
        prop_assert_eq!(shared, !(own_rand || own_key));
    }
}
