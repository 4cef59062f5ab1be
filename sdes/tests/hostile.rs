//! Self-consistency: what a hostile peer may write.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use sdes::{
    Answer, Attribute, LineError, Offer, Policy, Refused, Rule, SecurityDescription, limits,
};

const KEY: &str = "7iu13yWeV8LXDGT/BJ55UppmLvY/G6jy0aVNiAXV";
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

fn read(line: &str) -> Result<SecurityDescription, LineError> {
    SecurityDescription::parse(line, &[])
}

fn rule(line: &str) -> Rule {
    read(line).unwrap_err().rule
}

fn with_key(key_info: &str) -> String {
    format!("a=crypto:1 {SUITE} inline:{key_info}")
}

#[test]
fn a_line_cut_anywhere_is_refused_or_says_less() {
    let whole =
        format!("a=crypto:12 {SUITE} inline:{KEY}|2^20|1:4 KDR=12 UNENCRYPTED_SRTCP WSH=128");
    read(&whole).unwrap();
    let key_ends = whole.find('|').unwrap();
    for end in 0..whole.len() {
        let cut = &whole[..end];
        match read(cut) {
            Ok(_) => assert!(end >= key_ends, "{cut}"),
            Err(error) => assert!(error.offset <= cut.len(), "{cut}"),
        }
    }
}

#[test]
fn an_octet_changed_anywhere_never_panics_and_points_into_the_line() {
    let whole = format!("a=crypto:12 {SUITE} inline:{KEY}|2^20|1:4;inline:x|2:4 FEC_KEY=inline:y");
    for position in 0..whole.len() {
        for octet in 0..=0x7f {
            let mut changed = whole.clone().into_bytes();
            changed[position] = octet;
            let changed = String::from_utf8(changed).unwrap();
            if let Err(error) = read(&changed) {
                assert!(error.offset <= changed.len());
            }
        }
    }
}

#[test]
fn tags_are_one_to_nine_digits_without_leading_zeros() {
    for tag in [
        "",
        "01",
        "00",
        "1000000000",
        "-1",
        "+1",
        "1a",
        "١",
        "4294967297",
        "1:",
    ] {
        assert_eq!(
            rule(&format!("a=crypto:{tag} {SUITE} inline:{KEY}")),
            Rule::Tag,
            "{tag}"
        );
    }
    for tag in ["0", "1", "999999999"] {
        assert!(
            read(&format!("a=crypto:{tag} {SUITE} inline:{KEY}")).is_ok(),
            "{tag}"
        );
    }
}

#[test]
fn the_attribute_name_is_case_sensitive_and_complete() {
    for name in [
        "a=Crypto:",
        "A=crypto:",
        "a=crypto",
        "a=cryptox:",
        "a=cry",
        "b=crypto:",
        " ",
    ] {
        assert_eq!(
            rule(&format!("{name}1 {SUITE} inline:{KEY}")),
            Rule::AttributeName,
            "{name}"
        );
    }
    for name in ["a=crypto:", "crypto:", ""] {
        assert!(
            read(&format!("{name}1 {SUITE} inline:{KEY}")).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn suite_names_have_letters_digits_and_underscores_and_an_end() {
    for suite in ["AES-CM", "AES_CM_128_HMAC_SHA1_80;", "ÄES", &"A".repeat(65)] {
        assert_eq!(
            rule(&format!("a=crypto:1 {suite} inline:{KEY}")),
            Rule::Suite,
            "{suite}"
        );
    }
    assert_eq!(
        rule(&format!("a=crypto:1 {} inline:{KEY}", "A".repeat(64))),
        Rule::SuiteUnknown
    );
    assert_eq!(rule("a=crypto:1"), Rule::Suite);
    assert_eq!(rule(&format!("a=crypto:1 {SUITE}")), Rule::KeyInfo);
}

#[test]
fn keys_that_are_not_base64_are_refused() {
    for (from, to) in [
        ("7iu1", "7i-1"),
        ("7iu1", "7i_1"),
        ("7iu1", "7i=1"),
        ("7iu1", "7i\u{7f}1"),
    ] {
        let key = KEY.replace(from, to);
        assert!(
            matches!(rule(&with_key(&key)), Rule::Base64 | Rule::KeyInfo),
            "{key}"
        );
    }
}

#[test]
fn base64_with_bits_that_no_octet_needs_is_refused() {
    // 28 octets: 38 characters, of which the last has two bits to spare.
    let line = |key: &str| format!("a=crypto:1 AEAD_AES_128_GCM inline:{key}");
    let canonical = "Gd47SXYroQBSoLUo92v2NEc8boAGzeZLMVS8Jw";
    assert!(read(&line(canonical)).is_ok());
    for last in ["x", "y", "z"] {
        let key = format!("{}{last}", &canonical[..canonical.len() - 1]);
        assert_eq!(rule(&line(&key)), Rule::Base64, "{key}");
        assert_eq!(rule(&line(&format!("{key}=="))), Rule::Base64, "{key}");
    }
}

#[test]
fn keys_of_another_length_are_refused_and_counted() {
    for chars in (0..200).filter(|chars| *chars != 40) {
        let line = with_key(&"A".repeat(chars));
        match rule(&line) {
            Rule::KeyLength { found, needed: 30 } => assert_eq!(found, chars * 3 / 4),
            Rule::KeyInfo => assert_eq!(chars, 0),
            other => panic!("{chars}: {other:?}"),
        }
    }
    assert_eq!(
        rule(&with_key("|2^20")),
        Rule::KeyLength {
            found: 0,
            needed: 30
        }
    );
    assert_eq!(
        rule(&with_key("====")),
        Rule::KeyLength {
            found: 1,
            needed: 30
        }
    );
}

#[test]
fn key_parameters_have_a_method_and_something_to_say() {
    for key in [
        "inline",
        ":x",
        "inline:",
        "in-line:x",
        "inline:x;",
        ";inline:x",
        "inline:x;;inline:y",
    ] {
        assert_eq!(
            rule(&format!("a=crypto:1 {SUITE} {key}")),
            Rule::KeyInfo,
            "{key}"
        );
    }
    assert_eq!(rule(&format!("a=crypto:1 {SUITE} uri:x")), Rule::KeyMethod);
    assert_eq!(rule(&with_key(&format!("{KEY};uri:x"))), Rule::KeyMethod);
}

#[test]
fn every_session_parameter_has_its_range() {
    let with = |parameter: &str| format!("{} {parameter}", with_key(KEY));
    for (parameter, expected) in [
        ("KDR=0", Rule::KeyDerivationRate),
        ("KDR=25", Rule::KeyDerivationRate),
        ("KDR=01", Rule::KeyDerivationRate),
        ("KDR=", Rule::KeyDerivationRate),
        ("KDR=256", Rule::KeyDerivationRate),
        ("KDR", Rule::ParameterUnknown),
        ("FEC_ORDER=", Rule::FecOrder),
        ("FEC_ORDER=FEC", Rule::FecOrder),
        ("FEC_KEY=", Rule::KeyInfo),
        (
            "FEC_KEY=inline:AAAA",
            Rule::KeyLength {
                found: 3,
                needed: 30,
            },
        ),
        ("WSH=63", Rule::WindowSizeHint),
        ("WSH=064", Rule::WindowSizeHint),
        ("WSH=4294967296", Rule::WindowSizeHint),
        ("WSH=-64", Rule::WindowSizeHint),
        ("UNENCRYPTED_SRTP=1", Rule::ParameterUnknown),
        ("UNKNOWN", Rule::ParameterUnknown),
        ("UNKNOWN=-", Rule::ParameterUnknown),
        ("\u{1}", Rule::SessionParameter),
        ("-\u{e4}", Rule::SessionParameter),
    ] {
        let line = with(parameter);
        let error = read(&line).unwrap_err();
        assert_eq!(error.rule, expected, "{parameter}");
        assert!(error.offset > with_key(KEY).len(), "{parameter}: {error}");
    }
    for parameter in [
        "KDR=1",
        "KDR=24",
        "WSH=64",
        "WSH=4294967295",
        "-UNKNOWN",
        "-",
        "--X=1",
    ] {
        assert!(read(&with(parameter)).is_ok(), "{parameter}");
    }
}

#[test]
fn every_session_parameter_stands_there_once() {
    for parameter in [
        "KDR=1",
        "UNENCRYPTED_SRTP",
        "UNENCRYPTED_SRTCP",
        "UNAUTHENTICATED_SRTP",
        "FEC_ORDER=FEC_SRTP",
        "FEC_KEY=inline:ghPJSsEJ6ECMvG5A3emYM3aA5hx13lwxACmsbNxK",
        "WSH=64",
    ] {
        let once = format!("{} {parameter}", with_key(KEY));
        assert!(read(&once).is_ok(), "{parameter}");
        let twice = format!("{once} {}", parameter.to_ascii_lowercase());
        let rule = rule(&twice);
        // The key of the second FEC_KEY is not looked at.
        assert_eq!(rule, Rule::DuplicateParameter, "{parameter}");
    }
}

#[test]
fn every_count_has_a_limit() {
    let line = with_key(KEY);
    let parameters = |count| format!("{line}{}", " -X".repeat(count));
    assert!(read(&parameters(limits::MAX_SESSION_PARAMETERS)).is_ok());
    assert_eq!(
        rule(&parameters(limits::MAX_SESSION_PARAMETERS + 1)),
        Rule::TooManyParameters
    );

    let keys = |count: usize| {
        let keys: Vec<_> = (1..=count)
            .map(|n| format!("inline:{n:0>40}|{n}:2"))
            .collect();
        format!("a=crypto:1 {SUITE} {}", keys.join(";"))
    };
    assert_eq!(
        read(&keys(limits::MAX_KEYS_PER_STREAM))
            .unwrap()
            .keys()
            .entries()
            .len(),
        16
    );
    assert_eq!(
        rule(&keys(limits::MAX_KEYS_PER_STREAM + 1)),
        Rule::TooManyKeys
    );
    assert_eq!(rule(&keys(100)), Rule::TooManyKeys);

    let long = |len: usize| format!("{line} -{}", "X".repeat(len - line.len() - 2));
    assert!(read(&long(limits::MAX_LINE_LEN)).is_ok());
    assert_eq!(rule(&long(limits::MAX_LINE_LEN + 1)), Rule::LineTooLong);
}

#[test]
fn the_number_of_offered_lines_has_a_limit() {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let bad = "a=crypto:1 X inline:x".to_owned();
    let good = format!("a=crypto:2 {SUITE} inline:{KEY}");
    let lines = |count: usize| -> Vec<_> {
        core::iter::repeat_n(bad.clone(), count - 1)
            .chain([good.clone()])
            .collect()
    };
    let policy = Policy::default();
    assert!(Answer::to(lines(limits::MAX_LINES_PER_MEDIA), &policy, &mut rng).is_ok());
    let refused = Answer::to(lines(limits::MAX_LINES_PER_MEDIA + 1), &policy, &mut rng);
    assert_eq!(refused.unwrap_err(), Refused::TooManyLines);
}

#[test]
fn a_duplicate_tag_is_seen_even_in_a_line_that_cannot_be_read() {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let lines = [with_key(KEY), "a=crypto:1 \u{1}".to_owned()];
    match Answer::to(&lines, &Policy::default(), &mut rng).unwrap_err() {
        Refused::NoneAcceptable { line: 0, reason } => assert_eq!(reason.rule, Rule::DuplicateTag),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_that_is_no_line_at_all_is_refused() {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let offer = Offer::new(&Policy::default(), &mut rng).unwrap();
    for answer in [
        "",
        "a=crypto:",
        "m=audio 0 RTP/AVP 0",
        "\0",
        "a=crypto:1\tAEAD_AES_256_GCM\t",
    ] {
        assert!(matches!(
            offer.accept([answer]).unwrap_err(),
            Refused::InvalidAnswer(_)
        ));
    }
}

#[test]
fn errors_point_at_the_part_that_is_wrong() {
    let line = format!("a=crypto:1 {SUITE} inline:{KEY}|2^20|1:4 KDR=99");
    let error = read(&line).unwrap_err();
    assert_eq!(&line[error.offset..], "KDR=99");
    let line = format!("a=crypto:1 {SUITE} inline:{KEY}|2^99|1:4");
    let error = read(&line).unwrap_err();
    assert_eq!(&line[error.offset..], "2^99|1:4");
    assert_eq!(
        error.to_string(),
        "octet 83: key lifetime is zero, too large or malformed"
    );
    let line = format!("a=crypto:1 \t {SUITE}  inline:AAAA");
    let error = read(&line).unwrap_err();
    assert_eq!(&line[error.offset..], "AAAA");
    let attribute = Attribute::parse("a=crypto:1 A.B inline:x").unwrap_err();
    assert_eq!((attribute.rule, attribute.offset), (Rule::Suite, 11));
}
