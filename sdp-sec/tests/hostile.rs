//! What a hostile peer may send: long lines, many lines, control octets, duplicates, truncation.
//! Self-consistency. Time bounds are wide: they tell linear from quadratic, not fast from slow.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use core::time::Duration;
use std::time::Instant;

use sdp_sec::fingerprint::{FingerprintSet, HashPolicy};
use sdp_sec::lines::Limits;
use sdp_sec::mediasec::{AccessEdge, Indications, Policy, SignallingProtection, Source};
use sdp_sec::mediasec::{MAX_HEADER_LEN, SecurityHeaders};
use sdp_sec::tls_psk::{CryptoSessions, MixedLevels, Numbering, check_no_shared_connection};
use sdp_sec::{E2ae, Path, Protocol, Rule, Sdp, Setup, key_mgmt};

const UNLIMITED: Limits = Limits {
    octets: usize::MAX,
    lines: usize::MAX,
    media: usize::MAX,
};

/// Quadratic work on the inputs below would take hours, linear work takes seconds even unoptimised
/// and on a machine that has other work.
const LINEAR: Duration = Duration::from_secs(60);

fn within<T>(work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    let took = begin.elapsed();
    assert!(took < LINEAR, "{took:?}");
    result
}

#[test]
fn req_sdp_04_descriptions_beyond_the_limits_are_refused_with_line_and_rule() {
    let limits = Limits {
        octets: 60,
        lines: 4,
        media: 1,
    };
    let fault = |text: &str| Sdp::parse_with(text.as_bytes(), &limits).err();
    assert_eq!(fault("v=0\r\na=1\r\na=2\r\na=3\r\n"), None);
    assert_eq!(
        fault("v=0\r\na=1\r\na=2\r\na=3\r\na=4"),
        Some(Rule::TooManyLines.at(5))
    );
    let media = "m=a 1 RTP/AVP 0\r\n";
    assert_eq!(fault(media), None);
    assert_eq!(fault(&media.repeat(2)), Some(Rule::TooManyMedia.at(2)));
    assert_eq!(fault(&"a".repeat(60)), None);
    assert_eq!(fault(&"a".repeat(61)), Some(Rule::TooLong.at(0)));
    // A line of 1 MB and 100 000 lines are beyond the defaults.
    let line = format!("v=0\r\na=x:{}\r\n", "y".repeat(1 << 20));
    assert_eq!(Sdp::parse(line.as_bytes()).err(), Some(Rule::TooLong.at(0)));
    let lines = "a\n".repeat(100_000);
    assert_eq!(
        Sdp::parse(lines.as_bytes()).err(),
        Some(Rule::TooManyLines.at(8193))
    );
}

#[test]
fn req_sdp_04_a_line_of_a_megabyte_takes_linear_time() {
    let long = "A".repeat(1 << 20);
    for line in [
        format!("a={long}"),
        format!("a=fingerprint:sha-256 {}", "00:".repeat(1 << 18)),
        format!("a=key-mgmt:mikey {long}"),
        format!("a=path:{}", "msrp://a:1/s;tcp ".repeat(1 << 16)),
        format!("a=setup:{long}"),
        format!("a=3ge2ae:{long}"),
        format!("a=tls-id:{long}"),
        long.clone(),
    ] {
        let text = format!("v=0\r\nm=message 1 TCP/TLS/MSRP *\r\n{line}\r\n");
        within(|| {
            let sdp = Sdp::parse_with(text.as_bytes(), &UNLIMITED).unwrap();
            let media = sdp.media().next().unwrap();
            let refused = [
                FingerprintSet::of(&media, HashPolicy::WITH_SHA1).is_err(),
                key_mgmt::lines_of(media.section()).is_err(),
                Path::of(media.section()).is_err(),
                Setup::of(&media).is_err(),
                sdp_sec::TlsId::of(media.section()).is_err(),
            ];
            assert!(refused[0]);
            // Each long attribute is refused by its own reader; a long token is a token.
            let own = refused[1..].iter().filter(|refused| **refused).count();
            let expected = usize::from(
                ["key-mgmt", "path", "setup", "tls-id"]
                    .iter()
                    .any(|name| line.starts_with(&format!("a={name}"))),
            );
            assert_eq!(own, expected, "{}", &line[..20]);
            let mut editor = sdp.edit();
            editor.remove(media.lines().last().unwrap()).unwrap();
            assert_eq!(editor.finish().len(), 33);
        });
    }
}

#[test]
fn req_sdp_04_a_hundred_thousand_lines_take_linear_time() {
    let body = "a=fingerprint:x y\r\na=crypto:1 S inline:K\r\n".repeat(50_000);
    let text = format!("v=0\r\nm=audio 1 RTP/SAVP 0\r\n{body}");
    within(|| {
        let sdp = Sdp::parse_with(text.as_bytes(), &UNLIMITED).unwrap();
        assert_eq!(sdp.line_count(), 100_002);
        let mut editor = sdp.edit();
        for media in sdp.media() {
            for crypto in media.section().attributes_named("crypto") {
                editor.replace(crypto.line().whole(), "a=x").unwrap();
                editor.insert_after(crypto.line(), "a=y").unwrap();
            }
            let fault = media.attribute("crypto").unwrap_err();
            assert_eq!((fault.line(), fault.rule()), (6, Rule::Duplicate));
            assert!(FingerprintSet::of(&media, HashPolicy::default()).is_err());
        }
        let out = editor.finish();
        assert_eq!(
            Sdp::parse_with(&out, &UNLIMITED).unwrap().line_count(),
            150_002
        );
    });
}

#[test]
fn req_sdp_04_a_hundred_thousand_m_lines_take_linear_time() {
    let text = format!(
        "v=0\r\na=key-mgmt:mikey AQAF\r\n{}",
        "m=a 9 TCP/TLS/MSRP *\r\n".repeat(100_000)
    );
    within(|| {
        let sdp = Sdp::parse_with(text.as_bytes(), &UNLIMITED).unwrap();
        assert_eq!(sdp.media().count(), 100_000);
        assert_eq!(check_no_shared_connection(&sdp), Ok(()));
        assert_eq!(key_mgmt::check_protected(&sdp), Ok(()));
        assert_eq!(key_mgmt::check_forwarded(&sdp, &sdp), Ok(()));
        assert_eq!(sdp_sec::answer::check(&sdp, &sdp), Ok(()));
        let sessions =
            CryptoSessions::of_offer(&sdp, Numbering::TwoPerLine, MixedLevels::MediaWins);
        assert_eq!(sessions, Err(Rule::TooManyCryptoSessions.at(258)));
        let edge = AccessEdge {
            indications: Indications::NONE,
            signalling: SignallingProtection::None,
            policy: Policy::default(),
        };
        assert!(
            sdp.media()
                .all(|media| edge.decide(Source::Ue, &media).is_ok())
        );
    });
}

#[test]
fn req_sdp_04_security_headers_of_the_greatest_length_take_linear_time() {
    for unit in ["a;", "a,", "\"", "\\\"", "a;b=\"\\\",", " ;", "a;b=c;"] {
        let text = unit.repeat(MAX_HEADER_LEN / unit.len());
        within(|| drop(SecurityHeaders::parse(&[&text])));
        within(|| drop(SecurityHeaders::parse(&[&format!("tls;{text}x")])));
    }
    // Mechanisms that are compared with each other, each with as many parameters as it may have.
    let parameters = format!("sdes-srtp;mediasec{}", ";a".repeat(31));
    let values = vec![parameters.as_str(); 64];
    within(|| SecurityHeaders::parse(&values).unwrap());
}

#[test]
fn nul_and_stray_cr_are_refused_with_their_line() {
    for (text, line) in [
        (&b"v=0\r\na=x\0y\r\n"[..], 2),
        (b"v=0\ra=x\r\n", 1),
        (b"v=0\r\na=x\r\r\n", 2),
        (b"v=0\r\na=x\r", 2),
        (b"\0", 1),
    ] {
        assert_eq!(
            Sdp::parse(text).err(),
            Some(Rule::ControlOctet.at(line)),
            "{text:?}"
        );
    }
}

#[test]
fn m_lines_of_another_form_are_refused_with_their_line() {
    for (line, rule) in [
        ("m=", Rule::MediaLine),
        ("m=audio", Rule::MediaLine),
        ("m=audio 1", Rule::MediaLine),
        ("m=audio 1 ", Rule::MediaLine),
        ("m=audio  1 RTP/AVP 0", Rule::MediaLine),
        ("m= audio 1 RTP/AVP 0", Rule::MediaLine),
        ("m=audio 1  RTP/AVP 0", Rule::MediaLine),
        ("m=audio x RTP/AVP 0", Rule::MediaPort),
        ("m=audio -1 RTP/AVP 0", Rule::MediaPort),
        ("m=audio +1 RTP/AVP 0", Rule::MediaPort),
        ("m=audio 65536 RTP/AVP 0", Rule::MediaPort),
        ("m=audio 000001 RTP/AVP 0", Rule::MediaPort),
        ("m=audio 1/ RTP/AVP 0", Rule::MediaPort),
        ("m=audio 1/0 RTP/AVP 0", Rule::MediaPort),
        ("m=audio /2 RTP/AVP 0", Rule::MediaPort),
    ] {
        let text = format!("v=0\n{line}\n");
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        let media = sdp.media().next().unwrap();
        assert_eq!(media.media_line().err(), Some(rule.at(2)), "{line}");
        assert_eq!(sdp.edit().finish(), text.as_bytes());
    }
    let sdp = Sdp::parse(b"m=aud\xffio 1 RTP/AVP 0\n").unwrap();
    assert_eq!(
        sdp.media().next().unwrap().media_line().err(),
        Some(Rule::MediaLine.at(1))
    );
    let sdp = Sdp::parse(b"m=audio 65535/65535 RTP/AVP \xff").unwrap();
    let line = sdp.media().next().unwrap().media_line().unwrap();
    assert_eq!(
        (line.port(), line.ports(), line.formats()),
        (65535, 65535, &b"\xff"[..])
    );
    assert_eq!(line.port_field().octets(), b"65535");
}

#[test]
fn attributes_that_stand_twice_or_are_no_text_are_refused() {
    let of = |lines: &[u8]| {
        let text = [b"m=a 1 TCP/TLS/MSRP *\r\n", lines].concat();
        let sdp = Sdp::parse(&text).unwrap();
        let media = sdp.media().next().unwrap();
        (E2ae::of(media.section()).err(), Setup::of(&media).err())
    };
    let twice =
        of(b"a=3ge2ae:requested\r\na=3GE2AE:applied\r\na=setup:active\r\na=setup:active\r\n");
    assert_eq!(
        twice,
        (Some(Rule::Duplicate.at(3)), Some(Rule::Duplicate.at(5)))
    );
    let bare = of(b"a=3ge2ae\r\na=setup\r\n");
    assert_eq!(
        bare,
        (
            Some(Rule::MissingValue.at(2)),
            Some(Rule::MissingValue.at(3))
        )
    );
    let empty = of(b"a=3ge2ae:\r\na=setup: \r\n");
    assert_eq!(
        empty,
        (Some(Rule::MissingValue.at(2)), Some(Rule::Setup.at(3)))
    );
    let octets = of(b"a=3ge2ae:\xff\r\na=setup:\xff\r\n");
    assert_eq!(
        octets,
        (Some(Rule::NotText.at(2)), Some(Rule::NotText.at(3)))
    );
    let odd = of(b"a=3ge2ae:a b\r\na=setup:active passive\r\n");
    assert_eq!(odd, (Some(Rule::Token.at(2)), Some(Rule::Setup.at(3))));
}

#[test]
fn an_example_cut_short_anywhere_never_panics_and_is_copied_as_it_is() {
    let whole = include_bytes!("vectors/rfc/rfc8856_tcp_offer.sdp");
    for end in 0..=whole.len() {
        let cut = &whole[..end];
        match Sdp::parse(cut) {
            Ok(sdp) => {
                assert_eq!(sdp.edit().finish(), cut);
                for media in sdp.media() {
                    if let Ok(line) = media.media_line() {
                        assert!(line.protocol() != Protocol::Unknown(""));
                    }
                    let _ = FingerprintSet::of(&media, HashPolicy::default());
                    let _ = Setup::of(&media);
                }
            }
            Err(error) => assert_eq!(error.rule(), Rule::ControlOctet),
        }
    }
}

#[test]
fn paths_of_another_form_are_refused() {
    for text in [
        "",
        " ",
        "msrp",
        "msrp://",
        "msrp://a",
        "msrp://a;tcp",
        "msrp://a/s;tcp",
        "msrp://a:1/s",
        "msrp://a:1/;tcp",
        "msrp://a:1/s;",
        "msrp://a:65536/s;tcp",
        "msrp://a:x/s;tcp",
        "msrp://:1/s;tcp",
        "msrp://[::1:1/s;tcp",
        "msrp://a:1/s;tcp  msrp://a:1/s;tcp",
        "http://a:1/s;tcp",
        "msrp://a:1/s\u{e9};tcp",
        "msrp://a:+1/s;tcp",
        "msrp://[:1]x:1/s;tcp",
    ] {
        assert_eq!(Path::parse(text), Err(Rule::MsrpUri), "{text:?}");
    }
    let hops = vec!["msrp://a:1/s;tcp"; 17].join(" ");
    assert_eq!(Path::parse(&hops), Err(Rule::TooManyValues));
    assert!(Path::parse(&hops[17..]).is_ok());
    assert!(Path::parse("msrp://a:1;tcp").is_ok());
}
