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
    Answer, Change, LocalKey, Negotiated, Offer, OfferError, Policy, Refused, Rekey, Rule,
    Transport,
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
    let policy = aes_cm().with_roc_on_new_key(sdes::RocOnNewKey::Reset);
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
