//! RFC 4568 §5.1.4 and §7.1.4 beyond the requirement IDs. Self-consistency: both ends are this
//! crate, or lines written here.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use getrandom::SysRng;
use rand_core::UnwrapErr;
use sdes::{
    Answer, Change, GroupKey, LocalKey, Negotiated, Offer, OfferError, Policy, Refused, Rekey,
    RocOnNewKey, Rule, Transport,
};
use srtp::keying::{KeySet, MasterKeySource, Profile};

const KEYS: [&str; 4] = [
    "7iu13yWeV8LXDGT/BJ55UppmLvY/G6jy0aVNiAXV",
    "ghPJSsEJ6ECMvG5A3emYM3aA5hx13lwxACmsbNxK",
    "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
];

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn aes_cm() -> Policy {
    Policy::for_profiles([Profile::AesCm128HmacSha1_80]).unwrap()
}

fn line(key: usize, rest: &str) -> String {
    format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}{rest}",
        KEYS[key]
    )
}

fn negotiate(policy: &Policy) -> (Negotiated, Negotiated) {
    let offer = Offer::new(policy, &mut rng()).unwrap();
    let (answer, answerer) = Answer::to(offer.lines(), policy, &mut rng()).unwrap();
    (offer.accept([answer.line()]).unwrap(), answerer)
}

fn octets(keys: &KeySet) -> Vec<u8> {
    let key = keys.entries()[0].key();
    [key.expose_key(), key.expose_salt()].concat()
}

fn first_fault(refused: Refused) -> Rule {
    match refused {
        Refused::NoneAcceptable { reason, .. } => reason.rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_modification_leaves_the_session_and_its_keys() {
    let (alice, bob) = negotiate(&aes_cm());
    let before = (octets(bob.outbound()), octets(bob.inbound()));
    let offer = alice
        .reoffer(LocalKey::Renew, &aes_cm(), &mut rng())
        .unwrap();
    let other = Policy::for_profiles([Profile::AeadAes128Gcm]).unwrap();
    let unmoved = Transport::Unchanged;
    assert!(
        bob.answer(offer.lines(), unmoved, LocalKey::Keep, &other, &mut rng())
            .is_err()
    );
    let none: [&str; 0] = [];
    let stripped = bob.answer(none, unmoved, LocalKey::Keep, &aes_cm(), &mut rng());
    assert_eq!(stripped.unwrap_err(), Refused::NoCrypto);
    assert_eq!(offer.accept(none, unmoved).unwrap_err(), Refused::NoCrypto);
    assert_eq!((octets(bob.outbound()), octets(bob.inbound())), before);
}

#[test]
fn a_modification_may_change_the_suite_and_then_renews_both_keys() {
    let (alice, bob) = negotiate(&aes_cm());
    let gcm = Policy::for_profiles([Profile::AeadAes256Gcm]).unwrap();
    let offer = alice.reoffer(LocalKey::Renew, &gcm, &mut rng()).unwrap();
    let unmoved = Transport::Unchanged;
    let (answer, bob, change) = bob
        .answer(offer.lines(), unmoved, LocalKey::Keep, &gcm, &mut rng())
        .unwrap();
    let new_key = Rekey::NewKey { reset_roc: false };
    assert_eq!(
        change,
        Change {
            outbound: new_key,
            inbound: new_key
        }
    );
    assert_eq!(bob.suite().profile(), Profile::AeadAes256Gcm);
    assert_eq!(offer.accept([answer.line()], unmoved).unwrap().1, change);
}

#[test]
fn a_kept_answer_key_takes_the_tag_of_the_new_offer() {
    let (_, bob) = negotiate(&aes_cm());
    let offered = [line(0, "").replace("crypto:1", "crypto:77")];
    let (answer, after, _) = bob
        .answer(
            &offered,
            Transport::Unchanged,
            LocalKey::Keep,
            &aes_cm(),
            &mut rng(),
        )
        .unwrap();
    assert!(answer.line().starts_with("a=crypto:77 "));
    assert_eq!(octets(after.outbound()), octets(bob.outbound()));
}

#[test]
fn an_old_key_under_another_suite_parameter_or_mki_is_refused() {
    let policy =
        Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32]).unwrap();
    let (_, session) = Answer::to([line(0, "|1:4")], &policy, &mut rng()).unwrap();
    let modify = |offered: String| {
        session
            .answer(
                [offered],
                Transport::Unchanged,
                LocalKey::Keep,
                &policy,
                &mut rng(),
            )
            .map(|(_, _, change)| change.inbound)
            .map_err(first_fault)
    };
    assert_eq!(modify(line(0, "|1:4")), Ok(Rekey::Unchanged));
    let same_context = Ok(Rekey::NewKey { reset_roc: false });
    assert_eq!(
        modify(line(0, "|2^20|1:4")),
        same_context,
        "another lifetime"
    );
    assert_eq!(
        modify(line(0, "|1:4").replace("_80", "_32")),
        Err(Rule::KeyReused)
    );
    assert_eq!(modify(line(0, "|1:4 KDR=4")), Err(Rule::KeyReused));
    assert_eq!(modify(line(0, "|2:4")), Err(Rule::KeyReused));
    assert_eq!(modify(line(0, "")), Err(Rule::KeyReused));
    // A second key joins the first, and the first is later taken away.
    let joined = format!("|1:4;inline:{}|2:4", KEYS[1]);
    assert_eq!(
        modify(line(0, &joined)),
        Ok(Rekey::NewKey { reset_roc: false })
    );
    assert_eq!(
        modify(line(1, "|2:4")),
        Ok(Rekey::NewKey { reset_roc: false })
    );
}

#[test]
fn a_reset_policy_never_restarts_the_roc_of_an_old_key() {
    let policy = aes_cm().with_roc_on_new_key(RocOnNewKey::Reset);
    let (_, session) = Answer::to([line(0, "|1:4")], &policy, &mut rng()).unwrap();
    let joined = line(0, &format!("|1:4;inline:{}|2:4", KEYS[1]));
    let (_, _, change) = session
        .answer(
            [joined],
            Transport::Unchanged,
            LocalKey::Keep,
            &policy,
            &mut rng(),
        )
        .unwrap();
    assert_eq!(change.inbound, Rekey::NewKey { reset_roc: false });
}

#[test]
fn a_modification_that_reflects_the_own_key_is_refused() {
    let (alice, bob) = negotiate(&aes_cm());
    let reflected = bob.local().encode(sdes::Padding::Padded);
    let keep = LocalKey::Keep;
    let refused = bob
        .answer(
            [&*reflected],
            Transport::Unchanged,
            keep,
            &aes_cm(),
            &mut rng(),
        )
        .unwrap_err();
    assert_eq!(first_fault(refused), Rule::KeyReused);
    let offer = alice.reoffer(keep, &aes_cm(), &mut rng()).unwrap();
    let own = offer.lines().next().unwrap();
    assert_eq!(
        offer.accept([own], Transport::Unchanged).unwrap_err(),
        Refused::KeyReused
    );
}

#[test]
fn renewed_keys_have_mkis_that_the_old_ones_have_not() {
    let policy = aes_cm().with_keys(2, 1).unwrap();
    let (mut alice, mut bob) = negotiate(&policy);
    let mkis = |keys: &KeySet| -> Vec<u8> {
        keys.entries()
            .iter()
            .map(|entry| entry.mki().unwrap().as_octets()[0])
            .collect()
    };
    for _ in 0..200 {
        let before = mkis(alice.outbound());
        let offer = alice.reoffer(LocalKey::Renew, &policy, &mut rng()).unwrap();
        let unmoved = Transport::Unchanged;
        let (answer, bob_after, _) = bob
            .answer(offer.lines(), unmoved, LocalKey::Renew, &policy, &mut rng())
            .unwrap();
        let (alice_after, _) = offer.accept([answer.line()], unmoved).unwrap();
        (alice, bob) = (alice_after, bob_after);
        assert!(
            mkis(alice.outbound())
                .iter()
                .all(|mki| *mki != 0 && !before.contains(mki))
        );
    }
}

#[test]
fn a_key_cannot_be_kept_under_a_policy_without_its_suite() {
    let (alice, _) = negotiate(&aes_cm());
    let gcm = Policy::for_profiles([Profile::AeadAes256Gcm]).unwrap();
    let error = alice.reoffer(LocalKey::Keep, &gcm, &mut rng()).unwrap_err();
    assert_eq!(error, OfferError::SuiteNotAllowed);
}

/// What the peer's offer of `line` comes to on a session where every new key begins with ROC 0.
fn offered(session: &Negotiated, line: &str) -> Result<Negotiated, Refused> {
    let policy = aes_cm().with_roc_on_new_key(RocOnNewKey::Reset);
    let (unmoved, renew) = (Transport::Unchanged, LocalKey::Renew);
    let answered = session.answer([line], unmoved, renew, &policy, &mut rng());
    answered.map(|(_, session, _)| session)
}

#[test]
fn a_key_that_was_given_up_never_comes_back() {
    let (_, a) = Answer::to([line(0, "")], &aes_cm(), &mut rng()).unwrap();
    let own = octets(a.outbound());
    let b = offered(&a, &line(1, "")).unwrap();
    let back = offered(&b, &line(0, "")).unwrap_err();
    assert_eq!(first_fault(back), Rule::KeyReused);
    // Nor after a further one, nor beside a new one, nor in an answer.
    let c = offered(&b, &line(2, "")).unwrap();
    let back = offered(&c, &line(1, "")).unwrap_err();
    assert_eq!(first_fault(back), Rule::KeyReused);
    let beside = format!("{};inline:{}|9:1", line(3, "|2^20|8:1"), KEYS[0]);
    let back = offered(&c, &beside).unwrap_err();
    assert_eq!(first_fault(back), Rule::KeyReused);
    let reoffer = c.reoffer(LocalKey::Keep, &aes_cm(), &mut rng()).unwrap();
    let back = reoffer.accept([line(0, "")], Transport::Unchanged);
    let Err(Refused::InvalidAnswer(error)) = back else {
        panic!("{back:?}")
    };
    assert_eq!(error.rule, Rule::KeyReused);
    // Nor as the peer's, if it was ours.
    let reflected = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}", base64(&own));
    let back = offered(&c, &reflected).unwrap_err();
    assert_eq!(first_fault(back), Rule::KeyReused);
    // What is in use may stand again.
    assert!(offered(&c, &line(2, "")).is_ok());
}

#[test]
fn a_key_under_another_salt_or_suite_is_the_same_key() {
    let (_, session) = Answer::to([line(0, "")], &aes_cm(), &mut rng()).unwrap();
    // The first 24 of the 40 characters are the key and two octets of the salt.
    let (key, salt) = (KEYS[0].split_at(24).0, KEYS[1].split_at(24).1);
    let resalted = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}{salt}");
    let fault = first_fault(offered(&session, &resalted).unwrap_err());
    assert_eq!(fault, Rule::KeyReused);
    let after = offered(&session, &line(1, "")).unwrap();
    let fault = first_fault(offered(&after, &resalted).unwrap_err());
    assert_eq!(fault, Rule::KeyReused);
}

#[test]
fn a_session_that_cannot_remember_more_keys_takes_no_new_one() {
    let key = |number: u32| {
        let mut octets = [0; 30];
        octets[..4].copy_from_slice(&number.to_be_bytes());
        format!(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}",
            base64(&octets)
        )
    };
    let (_, mut session) = Answer::to([key(0)], &aes_cm(), &mut rng()).unwrap();
    let mut number = 0;
    let refused = loop {
        number += 1;
        match offered(&session, &key(number)) {
            Ok(next) => session = next,
            Err(refused) => break refused,
        }
    };
    // Each time the keys of both directions are given up.
    let most = u32::try_from(sdes::limits::MAX_RETIRED_KEYS / 2).unwrap();
    assert_eq!((refused, number), (Refused::TooManyKeys, most + 1));
    // It goes on with what it has.
    let hold = session
        .reoffer(LocalKey::Keep, &aes_cm(), &mut rng())
        .unwrap();
    let (_, change) = hold
        .accept([key(number - 1)], Transport::Unchanged)
        .unwrap();
    assert_eq!(change.inbound, Rekey::Unchanged);
}

#[test]
fn a_group_key_that_was_given_up_never_comes_back() {
    let group = GroupKey::new(&aes_cm(), &mut rng()).unwrap();
    let (_, session) = group.answer([line(0, "")]).unwrap();
    let next = group.renewed(&mut rng()).unwrap();
    let same = Transport::Unchanged;
    let reoffer = session.reoffer_group(&next);
    let (session, _) = reoffer.accept([line(0, "")], same).unwrap();
    let back = session.reoffer_group(&group).accept([line(0, "")], same);
    assert_eq!(back.err(), Some(Refused::Own(OfferError::RepeatedKey)));
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = |chunk: &[u8]| {
        chunk
            .iter()
            .fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
    };
    let char = |bits: u32| char::from(ALPHABET[usize::try_from(bits & 63).unwrap()]);
    octets
        .chunks_exact(3)
        .flat_map(|chunk| [18, 12, 6, 0].map(|shift| char(bits(chunk) >> shift)))
        .collect()
}
