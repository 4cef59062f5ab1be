//! The rules of RFC 4568 §5.1 and §7.1 that no requirement ID names. Self-consistency: both ends are
//! this crate, or lines written here.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use core::convert::Infallible;

use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use sdes::{
    Answer, Attribute, CryptoSuite, Fec, FecOrder, LocalKey, Negotiated, NegotiatedParameters,
    Offer, OfferError, Policy, PolicyError, Recovered, Refused, Rule, SdpKeys, Selection,
    Transport,
};
use srtp::keying::{KeyDerivationRate, KeySet, KeyingError, Lifetime, MasterKeySource, Profile};

const KEYS: [&str; 4] = [
    "7iu13yWeV8LXDGT/BJ55UppmLvY/G6jy0aVNiAXV",
    "ghPJSsEJ6ECMvG5A3emYM3aA5hx13lwxACmsbNxK",
    "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
];

/// Draws the same octet for ever.
struct StuckRng;

impl TryRng for StuckRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for StuckRng {}

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
fn an_offer_has_unique_tags_in_the_order_of_preference() {
    let profiles: Vec<_> = Profile::ALL
        .iter()
        .copied()
        .filter(|profile| profile.sdes_name().is_some())
        .collect();
    let policy = Policy::for_profiles(profiles.iter().copied()).unwrap();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    for ((line, profile), tag) in offer.lines().zip(profiles).zip(1..) {
        let attribute = Attribute::parse(line).unwrap();
        assert_eq!(
            (attribute.tag(), attribute.suite().profile()),
            (tag, Some(profile))
        );
    }
}

#[test]
fn every_profile_is_negotiated_to_keys_that_mirror_each_other() {
    for profile in Profile::ALL
        .iter()
        .filter(|profile| profile.sdes_name().is_some())
    {
        let (alice, bob) = negotiate(&Policy::for_profiles([*profile]).unwrap());
        assert_eq!(alice.outbound().profile(), *profile);
        assert_eq!(octets(alice.outbound()), octets(bob.inbound()));
        assert_eq!(octets(bob.outbound()), octets(alice.inbound()));
        assert_ne!(octets(alice.outbound()), octets(bob.outbound()));
    }
}

#[test]
fn the_first_acceptable_line_is_taken_unless_the_own_order_is_asked_for() {
    let offer = [
        line(0, ""),
        format!("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{}", KEYS[1]),
    ];
    let policy =
        Policy::for_profiles([Profile::AesCm128HmacSha1_32, Profile::AesCm128HmacSha1_80]).unwrap();
    let (_, keys) = Answer::to(&offer, &policy, &mut rng()).unwrap();
    assert_eq!(keys.remote().tag(), 1);
    let policy = policy.with_selection(Selection::OwnOrder);
    let (_, keys) = Answer::to(&offer, &policy, &mut rng()).unwrap();
    assert_eq!(keys.remote().tag(), 2);
}

#[test]
fn an_answer_with_a_tag_that_was_not_offered_is_refused() {
    let offer = Offer::new(&aes_cm(), &mut rng()).unwrap();
    let wrong_tag = line(0, "").replace("crypto:1", "crypto:2");
    assert_eq!(offer.accept([wrong_tag]).unwrap_err(), Refused::UnknownTag);
}

#[test]
fn an_answer_with_another_suite_under_its_tag_is_refused() {
    let policy =
        Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32]).unwrap();
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let swapped = line(0, "").replace("_80", "_32");
    assert_eq!(
        offer.accept([&swapped]).unwrap_err(),
        Refused::SuiteMismatch
    );
    assert!(
        offer
            .accept([swapped.replace("crypto:1", "crypto:2")])
            .is_ok()
    );
}

#[test]
fn an_answer_that_is_not_valid_is_refused() {
    let offer = Offer::new(&aes_cm(), &mut rng()).unwrap();
    for (rest, rule) in [
        ("|2^49", Rule::Lifetime),
        (" KDR=25", Rule::KeyDerivationRate),
        (" NEW", Rule::ParameterUnknown),
        (" FEC_ORDER=SRTP_FEC", Rule::ParameterNotAllowed),
    ] {
        match offer.accept([line(0, rest)]).unwrap_err() {
            Refused::InvalidAnswer(error) => assert_eq!(error.rule, rule),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn declarative_parameters_are_not_echoed() {
    let rest = "|2^20|1:4 KDR=10 WSH=512 FEC_ORDER=FEC_SRTP -OWN";
    let (answer, keys) = Answer::to([line(0, rest)], &aes_cm(), &mut rng()).unwrap();
    assert_eq!(
        Attribute::parse(answer.line())
            .unwrap()
            .parameters()
            .iter()
            .count(),
        0
    );
    assert!(!answer.line().contains('|'));
    assert_eq!(keys.remote().window_size_hint(), Some(512));
}

#[test]
fn own_declarative_parameters_stand_in_own_lines_and_in_own_keys() {
    let rate = KeyDerivationRate::power_of_two(16).unwrap();
    let policy = aes_cm()
        .with_key_derivation_rate(rate)
        .unwrap()
        .with_window_size_hint(1024)
        .unwrap()
        .with_lifetime(Lifetime::new(1_000_000).unwrap());
    let offer = Offer::new(&policy, &mut rng()).unwrap();
    let own = offer.lines().next().unwrap();
    assert!(own.ends_with("|1000000 KDR=16 WSH=1024"), "{own}");
    let (_, theirs) = Answer::to(offer.lines(), &aes_cm(), &mut rng()).unwrap();
    assert_eq!(theirs.inbound().parameters().srtp_kdr, rate);
    assert_eq!(
        theirs.outbound().parameters().srtp_kdr,
        KeyDerivationRate::ZERO
    );

    let refusing = aes_cm().refusing_key_derivation_rate();
    let refused = Answer::to(offer.lines(), &refusing, &mut rng()).unwrap_err();
    assert_eq!(first_fault(refused), Rule::ParameterNotAllowed);
}

#[test]
fn negotiated_parameters_need_a_policy_and_are_echoed() {
    for parameter in [
        "UNENCRYPTED_SRTP",
        "UNENCRYPTED_SRTCP",
        "UNAUTHENTICATED_SRTP",
    ] {
        let offered = [line(0, &format!(" {parameter}"))];
        let refused = Answer::to(&offered, &aes_cm(), &mut rng()).unwrap_err();
        assert_eq!(first_fault(refused), Rule::ParameterNotAllowed);

        let allowing = aes_cm().allowing(NegotiatedParameters::ALL);
        let (answer, keys) = Answer::to(&offered, &allowing, &mut rng()).unwrap();
        assert!(answer.line().ends_with(parameter));
        assert_eq!(keys.outbound().parameters(), keys.inbound().parameters());

        let (answer, _) = Answer::to([line(0, "")], &allowing, &mut rng()).unwrap();
        assert!(
            !answer.line().contains(parameter),
            "allowed is not asked for"
        );
    }
}

#[test]
fn negotiated_parameters_of_an_answer_are_those_of_the_offer() {
    let srtcp = NegotiatedParameters {
        unencrypted_srtcp: true,
        ..NegotiatedParameters::NONE
    };
    let offer = Offer::new(&aes_cm().offering(srtcp), &mut rng()).unwrap();
    assert!(
        offer
            .lines()
            .all(|line| line.ends_with(" UNENCRYPTED_SRTCP"))
    );
    assert_eq!(
        offer.accept([line(0, "")]).unwrap_err(),
        Refused::ParameterMismatch
    );
    let keys = offer.accept([line(0, " UNENCRYPTED_SRTCP")]).unwrap();
    assert!(keys.outbound().parameters().unencrypted_srtcp);

    let offering = aes_cm()
        .offering(srtcp)
        .allowing(NegotiatedParameters::NONE);
    let offer = Offer::new(&offering, &mut rng()).unwrap();
    assert!(
        offer.accept([line(0, " UNENCRYPTED_SRTCP")]).is_ok(),
        "what is offered is allowed"
    );

    let protected = Offer::new(&aes_cm().allowing(srtcp), &mut rng()).unwrap();
    let downgraded = protected
        .accept([line(0, " UNENCRYPTED_SRTCP")])
        .unwrap_err();
    assert_eq!(downgraded, Refused::ParameterMismatch);
}

#[test]
fn gcm_cannot_be_offered_without_encryption() {
    let policy = Policy::default().offering(NegotiatedParameters::ALL);
    let error = Offer::new(&policy, &mut rng()).unwrap_err();
    assert_eq!(
        error,
        OfferError::Keying(KeyingError::UnprotectedNotAllowed)
    );
}

#[test]
fn a_fec_key_stands_there_if_and_only_if_fec_has_its_own_transport() {
    let with_key = [line(0, &format!(" FEC_KEY=inline:{}", KEYS[1]))];
    let separate = aes_cm().with_fec(Fec::SeparateTransport, FecOrder::SrtpFec);
    for policy in [
        aes_cm(),
        aes_cm().with_fec(Fec::SameTransport, FecOrder::SrtpFec),
    ] {
        let refused = Answer::to(&with_key, &policy, &mut rng()).unwrap_err();
        assert_eq!(first_fault(refused), Rule::FecKeyUnexpected);
    }
    let refused = Answer::to([line(0, "")], &separate, &mut rng()).unwrap_err();
    assert_eq!(first_fault(refused), Rule::FecKeyMissing);

    let (alice, bob) = negotiate(&separate);
    let (alice_fec, bob_fec) = (alice.fec().unwrap(), bob.fec().unwrap());
    assert_eq!(octets(alice_fec.outbound()), octets(bob_fec.inbound()));
    assert_ne!(octets(alice_fec.outbound()), octets(alice.outbound()));
    assert_eq!(alice.remote().fec_order(), FecOrder::SrtpFec);
    assert!(negotiate(&aes_cm()).0.fec().is_none());

    let same_key = [line(0, &format!(" FEC_KEY=inline:{}", KEYS[0]))];
    let refused = Answer::to(&same_key, &separate, &mut rng()).unwrap_err();
    assert_eq!(first_fault(refused), Rule::KeyReused);
}

#[test]
fn a_stuck_random_number_generator_makes_no_session() {
    let several =
        Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32]);
    let error = Offer::new(&several.unwrap(), &mut StuckRng).unwrap_err();
    assert_eq!(error, OfferError::RepeatedKey);
    let keys = aes_cm().with_keys(2, 1).unwrap();
    assert_eq!(
        Offer::new(&keys, &mut StuckRng).unwrap_err(),
        OfferError::RepeatedKey
    );
    let fec = aes_cm().with_fec(Fec::SeparateTransport, FecOrder::FecSrtp);
    assert_eq!(
        Offer::new(&fec, &mut StuckRng).unwrap_err(),
        OfferError::RepeatedKey
    );

    let repeated = Refused::Own(OfferError::RepeatedKey);
    let offer = Offer::new(&aes_cm(), &mut StuckRng).unwrap();
    let refused = Answer::to(offer.lines(), &aes_cm(), &mut StuckRng).unwrap_err();
    assert_eq!(refused, repeated);

    let (answer, bob) = Answer::to([line(0, "")], &aes_cm(), &mut StuckRng).unwrap();
    let again = bob
        .reoffer(LocalKey::Renew, &aes_cm(), &mut StuckRng)
        .unwrap_err();
    assert_eq!(again, OfferError::RepeatedKey);
    let unmoved = Transport::Unchanged;
    let again = bob.answer(
        [line(1, "")],
        unmoved,
        LocalKey::Renew,
        &aes_cm(),
        &mut StuckRng,
    );
    assert_eq!(again.unwrap_err(), repeated);
    assert_eq!(
        answer.line(),
        bob.reoffer(LocalKey::Keep, &aes_cm(), &mut rng())
            .unwrap()
            .lines()
            .next()
            .unwrap()
    );
}

#[test]
fn a_key_may_come_back_only_in_its_own_place() {
    let mut sdp = SdpKeys::new();
    let (_, audio) = Answer::to([line(0, "")], &aes_cm(), &mut rng()).unwrap();
    let (_, video) = Answer::to([line(1, "")], &aes_cm(), &mut rng()).unwrap();
    sdp.admit(0, &audio).unwrap();
    sdp.admit(1, &video).unwrap();
    sdp.admit(0, &audio).unwrap();
    assert_eq!(sdp.admit(1, &audio), Err(Refused::KeyReused));
    assert_eq!(sdp.admit(2, &video), Err(Refused::KeyReused));

    // A peer that reflects a key this side sends video with, in the audio line.
    let own = video.local().encode(sdes::Padding::Padded);
    let (_, reflected) = Answer::to([own.as_str()], &aes_cm(), &mut rng()).unwrap();
    assert_eq!(sdp.admit(0, &reflected), Err(Refused::KeyReused));
    assert_eq!(sdp.admit(1, &reflected), Err(Refused::KeyReused));

    // What was refused left nothing: its other key may still come, in any place.
    let mut other = SdpKeys::new();
    other.admit_inbound(3, &reflected).unwrap();
    assert_eq!(other.admit(4, &reflected), Err(Refused::KeyReused));
    let (_, first) = Answer::to([line(2, "")], &aes_cm(), &mut rng()).unwrap();
    other.admit(5, &first).unwrap();
    let offer = first
        .reoffer(LocalKey::Keep, &aes_cm(), &mut rng())
        .unwrap();
    let (mixed, _) = offer.accept([line(3, "")], Transport::Unchanged).unwrap();
    assert_eq!(
        other.admit(6, &mixed),
        Err(Refused::KeyReused),
        "the outbound key is known"
    );
    let (_, fresh) = Answer::to([line(3, "")], &aes_cm(), &mut rng()).unwrap();
    other.admit(7, &fresh).unwrap();
}

#[test]
fn no_more_keys_are_remembered_than_the_limit() {
    let mut sdp = SdpKeys::new();
    let policy = aes_cm().with_keys(16, 1).unwrap();
    let offers = sdes::limits::MAX_KEYS_PER_SDP / 16;
    for media in 0..offers {
        sdp.admit_offer(media, &Offer::new(&policy, &mut rng()).unwrap())
            .unwrap();
    }
    let one_more = Offer::new(&policy, &mut rng()).unwrap();
    assert_eq!(
        sdp.admit_offer(offers, &one_more),
        Err(Refused::TooManyKeys)
    );
}

#[test]
fn recovery_needs_a_matching_pair() {
    let offer = [line(0, ""), line(1, "").replace("crypto:1", "crypto:2")];
    let answer = line(2, "");
    assert!(Recovered::from_stored(&offer, [&answer], &[]).is_ok());
    let none: [&str; 0] = [];
    let refused = |answer: &[&str]| Recovered::from_stored(&offer, answer, &[]).unwrap_err();
    assert_eq!(refused(&none), Refused::NoCrypto);
    assert_eq!(refused(&[&answer, &answer]), Refused::SeveralAnswers);
    assert_eq!(
        refused(&[&answer.replace("crypto:1", "crypto:3")]),
        Refused::UnknownTag
    );
    assert_eq!(
        refused(&[&answer.replace("_80", "_32")]),
        Refused::SuiteMismatch
    );
}

#[test]
fn policies_and_suites_that_cannot_be_are_refused() {
    let registered = || CryptoSuite::registered(Profile::AesCm128HmacSha1_80).unwrap();
    assert_eq!(Policy::new([]).unwrap_err(), PolicyError::Suites);
    assert_eq!(
        Policy::new([registered(), registered()]).unwrap_err(),
        PolicyError::Suites
    );
    assert_eq!(aes_cm().with_keys(0, 4).unwrap_err(), PolicyError::Keys);
    assert_eq!(aes_cm().with_keys(17, 4).unwrap_err(), PolicyError::Keys);
    assert_eq!(aes_cm().with_mki(0).unwrap_err(), PolicyError::Keys);
    assert_eq!(aes_cm().with_mki(129).unwrap_err(), PolicyError::Keys);
    assert_eq!(
        aes_cm().with_window_size_hint(63).unwrap_err(),
        PolicyError::WindowSizeHint
    );
    let every_packet = KeyDerivationRate::power_of_two(0).unwrap();
    let error = aes_cm().with_key_derivation_rate(every_packet).unwrap_err();
    assert_eq!(error, PolicyError::KeyDerivationRate);
    for name in [
        "",
        "A B",
        "A-B",
        "AEAD_AES_128_GCM",
        "aead_aes_128_gcm",
        &"A".repeat(65),
    ] {
        let suite = CryptoSuite::private(name.to_owned(), Profile::AeadAes128Gcm, None);
        assert_eq!(suite.unwrap_err(), PolicyError::SuiteName, "{name}");
    }
}
