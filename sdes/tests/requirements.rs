//! REQ-CS, CDIV, LI and SDP: one test for each requirement that this crate has a part in. Self-consistency: both ends are this crate.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use getrandom::SysRng;
use rand_core::UnwrapErr;
use sdes::{
    Answer, Attribute, Change, CryptoSuite, GroupKey, LocalKey, Negotiated, NegotiatedParameters,
    Offer, Padding, Policy, Recovered, Refused, Rekey, Rule, SdpKeys, SecurityDescription,
    Transport,
};
use srtp::keying::{KeySet, MasterKeySource, Profile, RocTransport, RocTransportMode};

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
fn req_cs_03_each_participant_and_stream_has_an_individual_key() {
    let policy = Policy::default();
    let mut conference = SdpKeys::new();
    for stream in 0..20 {
        let offer = Offer::new(&policy, &mut rng()).unwrap();
        conference.admit_offer(stream, &offer).unwrap();
        let (answer, _) = Answer::to(offer.lines(), &policy, &mut rng()).unwrap();
        conference
            .admit(stream, &offer.accept([answer.line()]).unwrap())
            .unwrap();
    }
}

#[test]
fn req_cs_05_a_group_key_is_the_same_in_all_dialogues_and_upstream_keys_are_not() {
    let policy = Policy::default();
    let group = GroupKey::new(&policy, &mut rng()).unwrap();
    let mut upstream = SdpKeys::new();
    let group_key = octets(group.description().keys());

    // Dial-out to two participants.
    for participant in 0..2 {
        let offer = group.offer();
        let (answer, theirs) = Answer::to(offer.lines(), &policy, &mut rng()).unwrap();
        let session = offer.accept([answer.line()]).unwrap();
        upstream.admit_inbound(participant, &session).unwrap();
        assert_eq!(octets(theirs.inbound()), group_key);
    }
    // A third dials in, and prefers another suite, under another tag.
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let lines: Vec<_> = offer.lines().collect();
    let (answer, session) = group.answer(lines.iter().rev()).unwrap();
    upstream.admit_inbound(2, &session).unwrap();
    assert_eq!(
        octets(offer.accept([answer.line()]).unwrap().inbound()),
        group_key
    );

    // A fourth who copies the third's key is refused, and so is one who reflects the group's.
    let (_, copied) = group.answer([lines[0]]).unwrap();
    assert_eq!(upstream.admit_inbound(3, &copied), Err(Refused::KeyReused));
    assert!(group.answer(group.offer().lines()).is_err());
    // A fifth asks for less protection than the group has.
    let allowing = Policy::for_profiles([Profile::AesCm128HmacSha1_80]).unwrap();
    let group = GroupKey::new(&allowing.allowing(NegotiatedParameters::ALL), &mut rng()).unwrap();
    let bare = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP");
    assert!(group.answer([bare]).is_err());
}

#[test]
fn req_cs_06_a_leave_renews_the_group_key_and_keeps_the_roc() {
    let policy = Policy::default().with_mki(1).unwrap();
    let group = GroupKey::new(&policy, &mut rng()).unwrap();
    let offer = group.offer();
    let (answer, participant) = Answer::to(offer.lines(), &policy, &mut rng()).unwrap();
    let session = offer.accept([answer.line()]).unwrap();

    let renewed = group.renewed(&mut rng()).unwrap();
    let mki = |group: &GroupKey| {
        group.description().keys().entries()[0]
            .mki()
            .unwrap()
            .as_octets()
            .to_vec()
    };
    assert_eq!((mki(&group), mki(&renewed)), (vec![1], vec![2]));

    let offer = session.reoffer_group(&renewed);
    let unmoved = Transport::Unchanged;
    let (answer, _, theirs) = participant
        .answer(offer.lines(), unmoved, LocalKey::Keep, &policy, &mut rng())
        .unwrap();
    let (session, ours) = offer.accept([answer.line()], unmoved).unwrap();
    let mere_rekey = Rekey::NewKey { reset_roc: false };
    assert_eq!(
        ours,
        Change {
            outbound: mere_rekey,
            inbound: Rekey::Unchanged
        }
    );
    assert_eq!(
        theirs,
        Change {
            outbound: Rekey::Unchanged,
            inbound: mere_rekey
        }
    );
    assert_eq!(
        octets(session.outbound()),
        octets(renewed.description().keys())
    );

    // Without a leave, the group's key is offered again and nothing changes.
    let offer = session.reoffer_group(&renewed);
    let (_, change) = offer.accept([answer.line()], unmoved).unwrap();
    assert_eq!(
        change,
        Change {
            outbound: Rekey::Unchanged,
            inbound: Rekey::Unchanged
        }
    );
}

#[test]
fn req_cs_10_roc_transport_needs_an_explicit_private_name_on_both_sides() {
    let roc = RocTransport::new(RocTransportMode::Mode2, 100, 10).unwrap();
    let profile = Profile::AesCm128HmacSha1_80;
    let private = CryptoSuite::private("X_AES_CM_128_RCCM2", profile, Some(roc)).unwrap();
    let knowing = Policy::new([private]).unwrap();
    let (alice, bob, lines, _) = negotiate(&knowing);
    assert!(lines[0].starts_with("a=crypto:1 X_AES_CM_128_RCCM2 inline:"));
    for keys in [
        alice.outbound(),
        alice.inbound(),
        bob.outbound(),
        bob.inbound(),
    ] {
        assert_eq!(keys.parameters().roc_transport, Some(roc));
    }

    assert_eq!(
        Policy::default().examine(&lines[0]).unwrap_err().rule,
        Rule::SuiteUnknown
    );
    for registered in sdes::SuiteName::REGISTERED {
        assert!(CryptoSuite::private(*registered, profile, Some(roc)).is_err());
    }
}

#[test]
fn req_cdiv_04_a_direct_call_has_new_keys() {
    let policy = Policy::default();
    let (diverted, _, old_lines, _) = negotiate(&policy);
    let direct = Offer::new(&policy, &mut rng()).unwrap();
    assert!(
        direct
            .lines()
            .all(|line| !old_lines.iter().any(|old| old == line))
    );
    assert!(
        direct
            .descriptions()
            .all(|line| octets(line.keys()) != octets(diverted.outbound()))
    );
}

#[test]
#[cfg(feature = "experimental-diversion")]
fn req_cdiv_06_the_caller_sends_under_a_key_that_the_diverting_user_does_not_know() {
    use sdes::diversion::{Diverted, Modifier};

    let policy = Policy::default();
    let (caller, callee, ..) = negotiate(&policy);
    let own = Modifier::random(&mut rng());
    for (at_caller, at_callee) in [
        (Modifier::parse(&own.encode()).unwrap(), own),
        (
            Modifier::from_callee_key(caller.inbound()).unwrap(),
            Modifier::from_callee_key(callee.outbound()).unwrap(),
        ),
    ] {
        let a = Diverted::caller(&caller, &at_caller).unwrap();
        let c = Diverted::callee(&callee, &at_callee).unwrap();
        assert_eq!(octets(a.outbound()), octets(c.inbound()));
        assert_eq!(octets(a.inbound()), octets(c.outbound()));
        assert_ne!(
            octets(a.outbound()),
            octets(caller.outbound()),
            "K1' is not K1"
        );
        assert_eq!(octets(a.inbound()), octets(caller.inbound()), "K2 stays");
    }
    let (_, _, lines, answer) = negotiate(&policy);
    assert!(
        lines
            .iter()
            .chain([&answer])
            .all(|line| !line.contains("mediasec"))
    );
}

#[test]
fn req_li_01_keys_come_back_from_a_stored_offer_and_answer() {
    let policy = Policy::default().with_keys(2, 4).unwrap();
    let (offerer, answerer, offer, answer) = negotiate(&policy);
    let recovered = Recovered::from_stored(&offer, [&answer], &[]).unwrap();
    assert_eq!(
        octets(recovered.offerer().keys()),
        octets(offerer.outbound())
    );
    assert_eq!(
        octets(recovered.answerer().keys()),
        octets(answerer.outbound())
    );
    assert_eq!(recovered.offerer().keys().entries().len(), 2);
    assert_eq!(recovered.answerer().keys().mki_len(), 4);
}

#[test]
fn req_li_03_and_sdp_06_no_key_in_any_debug_or_error() {
    let policy = Policy::default();
    let (alice, _, offer, answer) = negotiate(&policy);
    let recovered = Recovered::from_stored(&offer, [&answer], &[]).unwrap();
    let attribute = Attribute::parse(&offer[0]).unwrap();
    let group = GroupKey::new(&policy, &mut rng()).unwrap();
    let mut texts = vec![
        format!("{alice:?} {recovered:?} {attribute:?} {group:?}"),
        format!("{:?} {:?}", attribute.keys(), attribute.parameters()),
        format!("{:?}", attribute.keys().iter().collect::<Vec<_>>()),
        format!("{:?}", attribute.keys().iter().next().unwrap().inline()),
        format!("{:?}", Offer::new(&policy, &mut rng()).unwrap()),
        format!(
            "{:?}",
            alice.reoffer(LocalKey::Keep, &policy, &mut rng()).unwrap()
        ),
        format!("{:?}", alice.local()),
    ];
    for (position, _) in offer[0].char_indices() {
        let broken: String = offer[0]
            .char_indices()
            .map(|(at, c)| if at == position { '\u{1}' } else { c })
            .collect();
        if let Err(error) = policy.examine(&broken) {
            texts.push(format!("{error} {error:?}"));
        }
    }
    assert!(texts.len() > offer[0].len());
    let key = offer[0].split_once("inline:").unwrap().1;
    for text in texts {
        for window in key.as_bytes().windows(6) {
            let part = core::str::from_utf8(window).unwrap();
            assert!(!text.contains(part), "{text}");
        }
    }
}

#[test]
fn req_li_05_a_long_mki_does_not_break_parsing() {
    let mki = "9".repeat(308);
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|{mki}:128");
    let description = SecurityDescription::parse(&line, &[]).unwrap();
    assert_eq!(description.keys().mki_len(), 128);
    assert_eq!(*description.encode(Padding::Padded), line);
}

#[test]
fn req_sdp_02_crypto_is_the_identity_on_canonical_input() {
    for line in [
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
        format!("a=crypto:999999999 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|1000|1:1"),
        format!(
            "a=crypto:2 F8_128_HMAC_SHA1_80 inline:{KEY}|1:4;inline:{OTHER_KEY}|2:4 KDR=24 \
             UNENCRYPTED_SRTP UNENCRYPTED_SRTCP UNAUTHENTICATED_SRTP FEC_ORDER=SRTP_FEC WSH=64"
        ),
        format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{KEY} FEC_KEY=inline:{OTHER_KEY}|2^30"),
        "a=crypto:4 FUTURE_SUITE oracle:ask;inline:x?y NEW=1 -MAYBE".to_owned(),
    ] {
        let attribute = Attribute::parse(&line).unwrap();
        let mut written = String::new();
        attribute.encode(&mut written).unwrap();
        assert_eq!(written, line);
        if attribute.suite().is_registered() {
            let description = SecurityDescription::from_attribute(&attribute, &[]).unwrap();
            assert_eq!(*description.encode(Padding::Padded), line);
        }
    }
}

#[test]
fn req_sdp_04_a_line_of_a_megabyte_and_a_hundred_thousand_lines_are_refused_at_once() {
    let megabyte = format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} {}",
        "-A ".repeat(350_000)
    );
    assert_eq!(
        Attribute::parse(&megabyte).unwrap_err().rule,
        Rule::LineTooLong
    );
    let good = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
    let many = core::iter::repeat_n(&good, 100_000);
    let refused = Answer::to(many, &Policy::default(), &mut rng()).unwrap_err();
    assert_eq!(refused, Refused::TooManyLines);
}
