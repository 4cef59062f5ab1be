//! Self-consistency: lines in the shape that other stacks send, with keys made for these tests
//! (SHAKE-128 of a label, encoded by another base64 encoder).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use hex_literal::hex;
use sdes::{Answer, CryptoSuite, Offer, Padding, Policy, Refused, Rule, SecurityDescription};
use srtp::keying::{MasterKeySource, Profile};

const KEY_30: &str = "7iu13yWeV8LXDGT/BJ55UppmLvY/G6jy0aVNiAXV";
const OTHER_30: &str = "ghPJSsEJ6ECMvG5A3emYM3aA5hx13lwxACmsbNxK";
const KEY_28: &str = "Gd47SXYroQBSoLUo92v2NEc8boAGzeZLMVS8Jw==";
const KEY_38: &str = "/iopY8RQthSu8MI4d6gGI89yB2eHQOXVMzsYnnnbWTa0EPO2vOo=";
const KEY_44: &str = "3rBoQiyo1HVlDEx6BmgEnIlrRpdx7Q0LY31nbiz3FGtTP2D8Mm6jfRmKhLI=";
const KEY_46: &str = "2cPnkLk7zF7pVJu7nopZpwGVH9bXJUPLnakFriZUG3zSmakX0BaUEOcltWCDCA==";

fn read(line: &str) -> SecurityDescription {
    SecurityDescription::parse(line, &[]).unwrap()
}

#[test]
fn a_relay_that_offers_everything_is_answered_with_its_first_usable_line() {
    // Padding dropped on some lines, suites without registration, keys of every length.
    let unpadded = |key: &str| key.trim_end_matches('=').to_owned();
    let offer = [
        format!("a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:{KEY_46}"),
        format!("a=crypto:2 NULL_HMAC_SHA1_80 inline:{KEY_30}"),
        format!("a=crypto:3 F8_128_HMAC_SHA1_32 inline:{KEY_30}"),
        format!(
            "a=crypto:4 AES_192_CM_HMAC_SHA1_32 inline:{}",
            unpadded(KEY_38)
        ),
        format!("a=crypto:5 AEAD_AES_128_GCM inline:{}", unpadded(KEY_28)),
        format!("a=crypto:6 AES_256_CM_HMAC_SHA1_80 inline:{KEY_46}"),
        format!("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{OTHER_30}"),
    ];
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (answer, keys) = Answer::to(&offer, &Policy::default(), &mut rng).unwrap();
    assert!(
        answer
            .line()
            .starts_with("a=crypto:5 AEAD_AES_128_GCM inline:")
    );
    let key = keys.inbound().entries()[0].key();
    assert_eq!(key.expose_key(), hex!("19de3b49762ba10052a0b528f76bf634"));
    assert_eq!(key.expose_salt(), hex!("473c6e8006cde64b3154bc27"));
}

#[test]
fn keys_of_every_suite_have_their_lengths() {
    for (suite, key, last_octet) in [
        ("AES_CM_128_HMAC_SHA1_80", KEY_30, 0xd5),
        ("AES_CM_128_HMAC_SHA1_32", KEY_30, 0xd5),
        ("F8_128_HMAC_SHA1_80", KEY_30, 0xd5),
        ("AES_192_CM_HMAC_SHA1_80", KEY_38, 0xea),
        ("AES_192_CM_HMAC_SHA1_32", KEY_38, 0xea),
        ("AES_256_CM_HMAC_SHA1_80", KEY_46, 0x08),
        ("AES_256_CM_HMAC_SHA1_32", KEY_46, 0x08),
        ("AEAD_AES_128_GCM", KEY_28, 0x27),
        ("AEAD_AES_256_GCM", KEY_44, 0xb2),
    ] {
        let line = format!("a=crypto:1 {suite} inline:{key}");
        let description = read(&line);
        let salt = description.keys().entries()[0].key().expose_salt().to_vec();
        assert_eq!(salt.last(), Some(&last_octet), "{suite}");
        assert_eq!(*description.encode(Padding::Padded), line);
        assert_eq!(
            *description.encode(Padding::Unpadded),
            line.trim_end_matches('=')
        );
    }
}

#[test]
fn a_phone_with_lifetimes_above_two_to_the_31_is_understood() {
    for lifetime in ["2^31", "2^32", "2^48", "4294967296"] {
        let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}|{lifetime}");
        let srtcp = read(&line).keys().entries()[0].lifetime().srtcp_packets();
        assert_eq!(srtcp, 1 << 31, "{lifetime}");
    }
}

#[test]
fn aes_192_and_aes_256_have_a_lifetime_of_two_to_the_31() {
    for (suite, key) in [
        ("AES_192_CM_HMAC_SHA1_80", KEY_38),
        ("AES_256_CM_HMAC_SHA1_32", KEY_46),
    ] {
        let lifetime = |info| {
            let line = read(&format!("a=crypto:1 {suite} inline:{key}{info}"));
            line.keys().entries()[0].lifetime().srtp_packets()
        };
        assert_eq!((lifetime(""), lifetime("|2^40")), (1 << 31, 1 << 40));
    }
}

#[test]
fn a_line_that_ends_in_a_space_is_understood() {
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}|2^31 \r\n");
    assert_eq!(read(&line).tag(), 1);
}

#[test]
fn lower_case_is_understood_and_answered_in_canonical_case() {
    let line = format!("a=crypto:1 aes_cm_128_hmac_sha1_80 INLINE:{KEY_30} kdr=3 wsh=64");
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (answer, keys) = Answer::to([line], &Policy::default(), &mut rng).unwrap();
    assert!(
        answer
            .line()
            .starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:")
    );
    assert_eq!(keys.inbound().parameters().srtp_kdr.exponent(), Some(3));
    assert_eq!(keys.inbound().parameters().srtcp_kdr.exponent(), Some(3));
    assert_eq!(keys.outbound().parameters().srtp_kdr.exponent(), None);
}

#[test]
fn one_key_in_two_lines_counts_in_the_first_of_them_that_is_acceptable() {
    let offer = [
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY_30}"),
        format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY_30}"),
    ];
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (answer, _) = Answer::to(&offer, &Policy::default(), &mut rng).unwrap();
    assert!(answer.line().starts_with("a=crypto:2 "));

    let both = Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32])
        .unwrap()
        .with_selection(sdes::Selection::OwnOrder);
    let (answer, _) = Answer::to(&offer, &both, &mut rng).unwrap();
    assert!(
        answer.line().starts_with("a=crypto:1 "),
        "the second repeats the key of the first"
    );
}

#[test]
fn an_answer_that_echoes_the_offered_key_is_refused() {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let offer = Offer::new(&Policy::default(), &mut rng).unwrap();
    for line in offer.lines() {
        assert_eq!(offer.accept([line]).unwrap_err(), Refused::KeyReused);
    }
}

#[test]
fn null_suites_are_unknown_unless_named_by_the_policy() {
    let line = format!("1 NULL_HMAC_SHA1_80 inline:{KEY_30}");
    assert_eq!(
        Policy::default().examine(&line).unwrap_err().rule,
        Rule::SuiteUnknown
    );
    let suite =
        CryptoSuite::private("NULL_HMAC_SHA1_80", Profile::AesCm128HmacSha1_80, None).unwrap();
    assert!(Policy::new([suite]).unwrap().examine(&line).is_ok());
}
