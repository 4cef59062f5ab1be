//! REQ-RTP: media protected with SDES. One test for each requirement that this crate has a part in. Self-consistency: both ends are this crate.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::collections::HashSet;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use sdes::{
    Answer, Attribute, Change, LocalKey, Negotiated, Offer, Padding, Policy, Refused, Rekey, Rule,
    SdpKeys, SecurityDescription, Transport,
};
use srtp::keying::{KeySet, Lifetime, MasterKeySource, Profile};

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

const KEY: &str = "7iu13yWeV8LXDGT/BJ55UppmLvY/G6jy0aVNiAXV";
const OTHER_KEY: &str = "ghPJSsEJ6ECMvG5A3emYM3aA5hx13lwxACmsbNxK";

fn octets(keys: &KeySet) -> Vec<u8> {
    let key = keys.entries()[0].key();
    [key.expose_key(), key.expose_salt()].concat()
}

/// Offerer's and answerer's side of one negotiation, and the lines that made it.
fn negotiate(policy: &Policy) -> (Negotiated, Negotiated, Vec<String>, String) {
    let offer = Offer::new(policy, &mut rng()).unwrap();
    let (answer, answerer) = Answer::to(offer.lines(), policy, &mut rng()).unwrap();
    let offerer = offer.accept([answer.line()]).unwrap();
    let lines = offer.lines().map(str::to_owned).collect();
    (offerer, answerer, lines, answer.line().to_owned())
}

#[test]
fn req_rtp_04_keys_are_fresh_for_each_stream_and_direction() {
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let offer = Offer::new(&Policy::default(), &mut rng()).unwrap();
        for line in offer.descriptions() {
            assert!(seen.insert(octets(line.keys())));
        }
        let (_, keys) = Answer::to(offer.lines(), &Policy::default(), &mut rng()).unwrap();
        assert!(seen.insert(octets(keys.outbound())));
        assert!(
            !seen.insert(octets(keys.inbound())),
            "the offerer's key is the one offered"
        );
    }
    assert_eq!(seen.len(), 50 * 5);
}

#[test]
fn req_rtp_05_originating_remote_is_the_selected_line_and_local_the_answer() {
    let policy = Policy::default();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let (answer, keys) = Answer::to(offer.lines().skip(2), &policy, &mut rng()).unwrap();
    let selected = offer.descriptions().nth(2).unwrap();
    assert_eq!(keys.remote().tag(), 3);
    assert_eq!(octets(keys.remote().keys()), octets(selected.keys()));
    assert_eq!(*keys.local().encode(Padding::Padded), answer.line());
}

#[test]
fn req_rtp_06_terminating_local_is_the_offered_line_that_the_answer_selected() {
    let policy = Policy::default();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let line = format!("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
    let keys = offer.accept([&line]).unwrap();
    let selected = offer.descriptions().find(|line| line.tag() == 4).unwrap();
    assert_eq!(octets(keys.local().keys()), octets(selected.keys()));
    assert_eq!(*keys.remote().encode(Padding::Padded), line);
}

#[test]
fn req_rtp_07_08_only_a_single_offered_line_tells_local_before_the_answer() {
    let single = Policy::for_profiles([Profile::AesCm128HmacSha1_80]).unwrap();
    let offer = Offer::new(&single, &mut rng()).unwrap();
    let local: Vec<_> = offer
        .descriptions()
        .map(|line| octets(line.keys()))
        .collect();
    let (answer, _) = Answer::to(offer.lines(), &single, &mut rng()).unwrap();
    assert_eq!(
        local,
        [octets(offer.accept([answer.line()]).unwrap().outbound())]
    );

    assert_eq!(
        Offer::new(&Policy::default(), &mut rng())
            .unwrap()
            .descriptions()
            .count(),
        4
    );
}

#[test]
fn req_rtp_09_a_reoffer_with_the_same_keys_changes_nothing() {
    let policy = Policy::default();
    let (alice, bob, ..) = negotiate(&policy);
    let offer = alice.reoffer(LocalKey::Keep, &policy, &mut rng()).unwrap();
    let (answer, bob_after, bob_change) = bob
        .answer(
            offer.lines(),
            Transport::Unchanged,
            LocalKey::Keep,
            &policy,
            &mut rng(),
        )
        .unwrap();
    let (alice_after, alice_change) = offer.accept([answer.line()], Transport::Unchanged).unwrap();

    let unchanged = Change {
        outbound: Rekey::Unchanged,
        inbound: Rekey::Unchanged,
    };
    assert_eq!((alice_change, bob_change), (unchanged, unchanged));
    assert_eq!(octets(alice.outbound()), octets(alice_after.outbound()));
    assert_eq!(octets(alice.inbound()), octets(alice_after.inbound()));
    assert_eq!(octets(bob.outbound()), octets(bob_after.outbound()));
}

#[test]
fn req_rtp_12_answer_has_exactly_one_crypto() {
    let policy = Policy::default();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let (answer, _) = Answer::to(offer.lines().skip(1), &policy, &mut rng()).unwrap();
    let answered = Attribute::parse(answer.line()).unwrap();
    assert_eq!(answer.line().matches("a=crypto:").count(), 1);
    assert_eq!(
        (answered.tag(), answered.suite().as_str()),
        (2, "AEAD_AES_128_GCM")
    );

    let none: [&str; 0] = [];
    assert_eq!(offer.accept(none).unwrap_err(), Refused::NoCrypto);
    let twice = [answer.line(), answer.line()];
    assert_eq!(offer.accept(twice).unwrap_err(), Refused::SeveralAnswers);
}

#[test]
fn req_rtp_12_none_acceptable_is_refused() {
    let none: [&str; 0] = [];
    assert_eq!(
        Answer::to(none, &Policy::default(), &mut rng()).unwrap_err(),
        Refused::NoCrypto
    );
    let weak = [format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}")];
    match Answer::to(&weak, &Policy::default(), &mut rng()).unwrap_err() {
        Refused::NoneAcceptable { line: 0, reason } => {
            assert_eq!((reason.rule, reason.offset), (Rule::SuiteNotAllowed, 11));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn req_rtp_13_an_invalid_line_does_not_spoil_the_others() {
    let good = format!("a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:{OTHER_KEY}");
    for bad in [
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} FUTURE=1"),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA".to_owned(),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_81 inline:{KEY}"),
        format!("a=crypto:1 SEED_CTR_128_HMAC_SHA1_80 inline:{KEY}"),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 url:{KEY}"),
        "a=crypto:".to_owned(),
        String::new(),
    ] {
        let (answer, keys) = Answer::to([&bad, &good], &Policy::default(), &mut rng()).unwrap();
        assert!(answer.line().starts_with("a=crypto:9 "), "{bad}");
        assert_eq!(*keys.remote().encode(Padding::Padded), good);
    }
}

#[test]
fn req_rtp_13_lines_with_one_tag_are_all_invalid() {
    let lines = [
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
        format!(
            "a=crypto:1 AEAD_AES_128_GCM inline:{}",
            "Gd47SXYroQBSoLUo92v2NEc8boAGzeZLMVS8Jw"
        ),
        format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{OTHER_KEY}"),
    ];
    let (answer, _) = Answer::to(&lines, &Policy::default(), &mut rng()).unwrap();
    assert!(answer.line().starts_with("a=crypto:2 "));
    match Answer::to(&lines[..2], &Policy::default(), &mut rng()).unwrap_err() {
        Refused::NoneAcceptable { line: 0, reason } => assert_eq!(reason.rule, Rule::DuplicateTag),
        other => panic!("{other:?}"),
    }
}

#[test]
fn req_rtp_14_base64_with_and_without_padding() {
    let key = "2cPnkLk7zF7pVJu7nopZpwGVH9bXJUPLnakFriZUG3zSmakX0BaUEOcltWCDCA";
    let read = |padding: &str| {
        let line = format!("a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:{key}{padding}|2^20");
        SecurityDescription::parse(&line, &[])
    };
    let octets_of = |padding| octets(read(padding).unwrap().keys());
    assert_eq!(octets_of(""), octets_of("=="));
    assert_eq!(octets_of(""), octets_of("="));
    assert!(read("===").is_err());

    let policy = Policy::for_profiles([Profile::AesCm256HmacSha1_80]).unwrap();
    let written = |policy: &Policy| {
        let offer = Offer::new(policy, &mut rng()).unwrap();
        offer.lines().next().unwrap().to_owned()
    };
    assert!(written(&policy).ends_with("=="));
    assert!(!written(&policy.with_padding(Padding::Unpadded)).ends_with('='));
}

#[test]
fn req_rtp_15_lifetime_and_mki_reach_the_keys_or_are_refused() {
    let policy = Policy::for_profiles([Profile::AesCm128HmacSha1_80])
        .unwrap()
        .with_lifetime(Lifetime::new(1 << 20).unwrap())
        .with_keys(3, 2)
        .unwrap();
    let (alice, bob, ..) = negotiate(&policy);
    for keys in [
        alice.outbound(),
        alice.inbound(),
        bob.outbound(),
        bob.inbound(),
    ] {
        let mkis: Vec<_> = keys
            .entries()
            .iter()
            .map(|entry| entry.mki().unwrap().as_octets().to_vec())
            .collect();
        assert_eq!(mkis, [[0, 1], [0, 2], [0, 3]]);
        assert!(
            keys.entries()
                .iter()
                .all(|entry| entry.lifetime().srtp_packets() == 1 << 20)
        );
    }

    let rule = |info: &str| {
        let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{info}");
        SecurityDescription::parse(&line, &[]).unwrap_err().rule
    };
    for lifetime in [
        "|0",
        "|2^49",
        "|2^64",
        "|2^020",
        "|01",
        "|x",
        "|",
        "|2^",
        "|-1",
        "|281474976710657",
    ] {
        assert_eq!(rule(lifetime), Rule::Lifetime, "{lifetime}");
    }
    for mki in [
        "|1:0", "|1:129", "|0:4", "|01:4", "|256:1", "|1:", "|:4", "|1:04", "|x:4", "|2^20|1",
    ] {
        assert_eq!(rule(mki), Rule::Mki, "{mki}");
    }
    assert_eq!(rule("|1:4|2^20"), Rule::Lifetime, "the order is fixed");
    assert_eq!(rule("|2^20|1:4|x"), Rule::KeyInfo);
    assert_eq!(rule(&format!(";inline:{OTHER_KEY}")), Rule::MkiMissing);
    assert_eq!(rule(&format!("|1:4;inline:{OTHER_KEY}")), Rule::MkiMissing);
    let keying = |info: String| matches!(rule(&info), Rule::Keying(_));
    assert!(
        keying(format!("|1:4 FEC_KEY=inline:{OTHER_KEY}|1:2")),
        "MKI lengths differ"
    );
    assert!(
        keying(format!("|1:4;inline:{OTHER_KEY}|2:2")),
        "MKI lengths differ"
    );
    assert!(
        keying(format!("|1:4;inline:{OTHER_KEY}|1:4")),
        "MKIs repeat"
    );
    assert!(keying(format!("|1:4;inline:{KEY}|2:4")), "keys repeat");
}

#[test]
fn req_rtp_16_a_moved_offerer_brings_a_new_key_and_roc_zero() {
    let policy = Policy::default();
    let (alice, bob, ..) = negotiate(&policy);
    let new_context = Rekey::NewKey { reset_roc: true };

    let stale = alice.reoffer(LocalKey::Keep, &policy, &mut rng()).unwrap();
    match bob
        .answer(
            stale.lines(),
            Transport::Changed,
            LocalKey::Keep,
            &policy,
            &mut rng(),
        )
        .unwrap_err()
    {
        Refused::NoneAcceptable { reason, .. } => assert_eq!(reason.rule, Rule::KeyNotRenewed),
        other => panic!("{other:?}"),
    }

    let offer = alice
        .reoffer(LocalKey::RenewForNewTransport, &policy, &mut rng())
        .unwrap();
    let (answer, bob_after, bob_change) = bob
        .answer(
            offer.lines(),
            Transport::Changed,
            LocalKey::Keep,
            &policy,
            &mut rng(),
        )
        .unwrap();
    let (alice_after, alice_change) = offer.accept([answer.line()], Transport::Unchanged).unwrap();
    let both = Change {
        outbound: new_context,
        inbound: new_context,
    };
    assert_eq!((alice_change, bob_change), (both, both));
    assert_ne!(octets(alice.outbound()), octets(alice_after.outbound()));
    assert_ne!(octets(bob.outbound()), octets(bob_after.outbound()));
}

#[test]
fn req_rtp_16_a_moved_answerer_brings_a_new_key_and_roc_zero() {
    let policy = Policy::default();
    let (alice, bob, _, old_answer) = negotiate(&policy);

    let offer = alice.reoffer(LocalKey::Keep, &policy, &mut rng()).unwrap();
    let refused = offer.accept([&old_answer], Transport::Changed).unwrap_err();
    assert!(matches!(refused, Refused::InvalidAnswer(error) if error.rule == Rule::KeyNotRenewed));

    let moved = LocalKey::RenewForNewTransport;
    let (answer, _, bob_change) = bob
        .answer(
            offer.lines(),
            Transport::Unchanged,
            moved,
            &policy,
            &mut rng(),
        )
        .unwrap();
    let (_, alice_change) = offer.accept([answer.line()], Transport::Changed).unwrap();
    let new_context = Rekey::NewKey { reset_roc: true };
    assert_eq!(
        alice_change,
        Change {
            outbound: Rekey::Unchanged,
            inbound: new_context
        }
    );
    assert_eq!(
        bob_change,
        Change {
            outbound: new_context,
            inbound: Rekey::Unchanged
        }
    );
}

#[test]
fn req_rtp_16_a_mere_new_key_keeps_the_roc_unless_the_policy_says_otherwise() {
    for (policy, reset_roc) in [
        (Policy::default(), false),
        (
            Policy::default().with_roc_on_new_key(sdes::RocOnNewKey::Reset),
            true,
        ),
    ] {
        let (alice, bob, ..) = negotiate(&policy);
        let offer = alice.reoffer(LocalKey::Renew, &policy, &mut rng()).unwrap();
        let peer = Transport::Unchanged;
        let (answer, _, bob_change) = bob
            .answer(offer.lines(), peer, LocalKey::Renew, &policy, &mut rng())
            .unwrap();
        let (_, alice_change) = offer.accept([answer.line()], peer).unwrap();
        let new_key = Rekey::NewKey { reset_roc };
        let both = Change {
            outbound: new_key,
            inbound: new_key,
        };
        assert_eq!((alice_change, bob_change), (both, both));
    }
}

#[test]
fn req_rtp_18_each_fork_has_its_own_inbound_key() {
    let policy = Policy::default();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let mut branches = SdpKeys::new();
    let mut forks = Vec::new();
    for (branch, skipped) in [0, 1, 3].into_iter().enumerate() {
        let (answer, theirs) =
            Answer::to(offer.lines().skip(skipped), &policy, &mut rng()).unwrap();
        let ours = offer.accept([answer.line()]).unwrap();
        branches.admit_inbound(branch, &ours).unwrap();
        assert_eq!(octets(ours.inbound()), octets(theirs.outbound()));
        assert_eq!(octets(ours.outbound()), octets(theirs.inbound()));
        assert_eq!(ours.suite(), theirs.suite());
        forks.push((ours, theirs));
    }
    // Each branch is then given a key that the others do not know.
    let mut outbound = HashSet::new();
    for (ours, theirs) in &forks {
        let moved = ours
            .reoffer(LocalKey::RenewForNewTransport, &policy, &mut rng())
            .unwrap();
        let keep = LocalKey::Keep;
        let (answer, ..) = theirs
            .answer(moved.lines(), Transport::Changed, keep, &policy, &mut rng())
            .unwrap();
        let (after, _) = moved.accept([answer.line()], Transport::Unchanged).unwrap();
        assert!(outbound.insert(octets(after.outbound())));
    }
}

#[test]
fn req_rtp_18_a_late_offer_makes_no_key_that_was_not_signalled() {
    // INVITE without SDP; offer in the 200 by the callee, answer in the ACK by the caller.
    let policy = Policy::default();
    let in_200 = Offer::new(&policy, &mut rng()).unwrap();
    let (in_ack, caller) = Answer::to(in_200.lines(), &policy, &mut rng()).unwrap();
    let callee = in_200.accept([in_ack.line()]).unwrap();
    let signalled: Vec<_> = in_200
        .lines()
        .chain([in_ack.line()])
        .map(|line| octets(SecurityDescription::parse(line, &[]).unwrap().keys()))
        .collect();
    for keys in [
        callee.outbound(),
        callee.inbound(),
        caller.outbound(),
        caller.inbound(),
    ] {
        assert!(signalled.contains(&octets(keys)));
    }
}
