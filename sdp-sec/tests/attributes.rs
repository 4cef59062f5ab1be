//! Requirements of the groups SDP and TA on attribute values, protocols, fingerprints and lines.
//! Self-consistency.

#![allow(
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

use sdp_sec::fingerprint::{FingerprintSet, HashFunction, HashPolicy, Mismatch};
use sdp_sec::{
    Connection, E2ae, Fingerprint, KeyMgmt, Path, Protocol, Rule, Sdp, SdpError, Setup, TlsId,
    answer, cema,
};

const SETUPS: [Setup; 4] = [
    Setup::Active,
    Setup::Passive,
    Setup::Actpass,
    Setup::Holdconn,
];

#[test]
fn req_sdp_01_unconcerned_octets_are_untouched() {
    // LF and CRLF mixed, no UTF-8, unknown lines, no end of the last line.
    let sdp =
        b"v=0\n\xff\xfe\r\nz=?\nx\r\n\r\nm=audio 4000/2 RTP/SAVP 0  8 \na=x:\xe4\r\na=crypto:1 S \
        inline:K\na=3ge2ae:requested\r\na=ptime:20";
    let parsed = Sdp::parse(sdp).unwrap();
    assert_eq!(parsed.edit().finish(), sdp);
    let mut editor = parsed.edit();
    for media in parsed.media() {
        editor
            .replace(
                media.media_line().unwrap().protocol_field(),
                Protocol::RtpAvp,
            )
            .unwrap();
        for attribute in media.attributes() {
            if attribute.is("crypto") || attribute.is(E2ae::NAME) {
                editor.remove(attribute.line()).unwrap();
            }
        }
    }
    let expected: &[u8] =
        b"v=0\n\xff\xfe\r\nz=?\nx\r\n\r\nm=audio 4000/2 RTP/AVP 0  8 \na=x:\xe4\r\na=ptime:20";
    assert_eq!(editor.finish(), expected);
}

#[test]
fn req_sdp_02_each_value_written_is_the_value_read() {
    for text in ["requested", "applied", "some-token.1"] {
        assert_eq!(E2ae::parse(text).unwrap().to_string(), text);
    }
    for setup in SETUPS {
        assert_eq!(Setup::parse(setup.as_str()), Ok(setup));
    }
    for connection in [Connection::New, Connection::Existing] {
        assert_eq!(Connection::parse(connection.as_str()), Ok(connection));
    }
    for hash in HashFunction::ALL {
        let octets = vec!["A5"; hash.len()].join(":");
        let text = format!("{hash} {octets}");
        assert_eq!(Fingerprint::parse(&text).unwrap().to_string(), text);
    }
    for text in ["abc3de65cddef001be82", &"+/-_aZ09".repeat(30)] {
        assert_eq!(TlsId::parse(text).unwrap().to_string(), text);
    }
    for text in ["mikey AQAFgA==", "keyp1 AAAA"] {
        assert_eq!(KeyMgmt::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "msrp://alice.example.com:7394/2s93i9ek2a;tcp",
        "msrps://bob@[2001:db8::1]:9/s;tcp;x=y msrps://bob.example:1/+=/;tcp",
    ] {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.to_string(), text);
        let uris: Vec<_> = path.uris().map(|uri| uri.to_string()).collect();
        assert_eq!(uris.join(" "), text);
    }
    let sdp = Sdp::parse(b"m=message 1 TCP/MSRP *\r\na=msrp-cema\r\n").unwrap();
    let media = sdp.media().next().unwrap();
    assert_eq!(cema::is_offered(media.section()), Ok(true));
    let line = media.attribute(cema::NAME).unwrap().unwrap().line();
    assert_eq!(line.octets(), cema::LINE.as_bytes());
}

#[test]
fn req_sdp_02_each_line_is_the_attribute_and_its_value() {
    let fingerprint = Fingerprint::of_certificate(b"DER", HashFunction::Sha256).unwrap();
    let path = Path::parse("msrp://a:1/s;tcp").unwrap();
    for (line, expected) in [
        (E2ae::Applied.line().to_string(), "a=3ge2ae:applied"),
        (Setup::Passive.line().to_string(), "a=setup:passive"),
        (Connection::New.line().to_string(), "a=connection:new"),
        (
            fingerprint.line().to_string(),
            &format!("a=fingerprint:{fingerprint}"),
        ),
        (
            KeyMgmt::parse("mikey AQ==").unwrap().line().to_string(),
            "a=key-mgmt:mikey AQ==",
        ),
        (path.line().to_string(), "a=path:msrp://a:1/s;tcp"),
    ] {
        assert_eq!(line, expected);
    }
}

#[test]
fn req_sdp_02_a_fresh_tls_id_is_valid_and_new() {
    let mut rng = Counter(0);
    let (one, two) = (TlsId::random(&mut rng), TlsId::random(&mut rng));
    assert!(TlsId::parse(&one).is_ok() && TlsId::parse(&two).is_ok());
    assert_ne!(one, two);
    assert_eq!(one.len(), 32);
}

/// Distinct octets; no randomness.
struct Counter(u64);

impl rand_core::TryRng for Counter {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::try_from(self.try_next_u64()? & 0xffff_ffff).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for octet in out {
            *octet = u8::try_from(self.try_next_u64()? >> 56).unwrap();
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counter {}

#[test]
fn req_sdp_03_every_protocol_token_is_known_in_any_case_and_written_as_registered() {
    let registered = [
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/SAVP",
        "RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "UDP/TLS/RTP/SAVPF",
        "TCP/MSRP",
        "TCP/TLS/MSRP",
        "TCP/BFCP",
        "TCP/TLS/BFCP",
        "udptl",
        "UDP/TLS/UDPTL",
    ];
    for token in registered {
        for spelt in [token.to_owned(), token.to_uppercase(), token.to_lowercase()] {
            let protocol = Protocol::from_token(&spelt);
            assert!(!matches!(protocol, Protocol::Unknown(_)), "{spelt}");
            assert_eq!(protocol.to_string(), token);
        }
    }
    let text = b"v=0\r\nm=x 1 UdP/New/Thing *\r\n";
    let sdp = Sdp::parse(text).unwrap();
    let line = sdp.media().next().unwrap().media_line().unwrap();
    assert_eq!(line.protocol(), Protocol::Unknown("UdP/New/Thing"));
    assert!(!line.protocol().is_secured());
}

#[test]
fn req_sdp_05_an_answer_has_the_m_lines_of_its_offer() {
    let check = |offer: &str, answer: &str| {
        let (offer, answer) = (offer.replace(' ', "\r\n"), answer.replace(' ', "\r\n"));
        let (offer, answer) = (offer.replace('_', " "), answer.replace('_', " "));
        answer::check(
            &Sdp::parse(offer.as_bytes()).unwrap(),
            &Sdp::parse(answer.as_bytes()).unwrap(),
        )
    };
    let offer = "v=0 m=audio_1_RTP/SAVP_0 m=message_2_TCP/TLS/MSRP_* m=video_0_RTP/AVP_31";
    assert_eq!(check(offer, offer), Ok(()));
    // Feedback may have been a capability (RFC 5939), and protection stays what it was.
    let feedback = offer.replace("AVP", "AVPF");
    assert_eq!(check(offer, &feedback), Ok(()));
    assert_eq!(check(&feedback, offer), Ok(()));
    for (answer, fault) in [
        (
            "v=0 m=audio_1_UDP/TLS/RTP/SAVP_0 m=message_2_TCP/TLS/MSRP_* m=video_0_RTP/AVP_31",
            Rule::AnswerProtocol.at(2),
        ),
        (
            "v=0 m=audio_1_RTP/SAVP_0 m=message_2_TCP/TLS/MSRP_*",
            Rule::MediaCount.at(0),
        ),
        (
            &format!("{offer} m=audio_3_RTP/AVP_0"),
            Rule::MediaCount.at(0),
        ),
        (
            "v=0 m=message_2_TCP/TLS/MSRP_* m=audio_1_RTP/SAVP_0 m=video_0_RTP/AVP_31",
            Rule::AnswerMedia.at(2),
        ),
        (
            "v=0 m=audio_1_RTP/AVP_0 m=message_2_TCP/TLS/MSRP_* m=video_0_RTP/AVP_31",
            Rule::AnswerProtocol.at(2),
        ),
        (
            "v=0 m=audio_1_RTP/SAVP_0 m=message_2_TCP/TLS/MSRP_* m=video_7_RTP/AVP_31",
            Rule::AnswerPort.at(4),
        ),
    ] {
        assert_eq!(check(offer, answer), Err(fault), "{answer}");
    }
    let refused = "v=0 m=audio_0_RTP/AVP_0 m=message_0_TCP/MSRP_* m=video_0_RTP/AVP_31";
    assert_eq!(check(offer, refused), Ok(()));
}

#[test]
fn req_sdp_06_no_error_and_no_debug_text_shows_a_key() {
    let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let text = format!(
        "v=0\r\nk=clear:{key}\r\nm=audio 1 RTP/SAVP 0\r\na=crypto:1 X inline:{key}\r\n\
         a=key-mgmt:mikey {key}\r\na=fingerprint:{key}\r\na=setup:{key}\r\na=path:{key}\r\n"
    );
    let sdp = Sdp::parse(text.as_bytes()).unwrap();
    let media = sdp.media().next().unwrap();
    let mut shown = format!("{sdp:?}{media:?}{:?}{:?}", sdp.session(), sdp.edit());
    for line in sdp.lines() {
        shown.push_str(&format!("{line:?}{:?}{:?}", line.whole(), line.attribute()));
    }
    let value = media
        .attribute("key-mgmt")
        .unwrap()
        .unwrap()
        .parse(KeyMgmt::parse)
        .unwrap();
    shown.push_str(&format!(
        "{value:?}{:?}{:?}",
        media.media_line(),
        sdp.media()
    ));
    let errors: [SdpError; 3] = [
        FingerprintSet::of(&media, HashPolicy::default()).unwrap_err(),
        Setup::of(&media).unwrap_err(),
        Path::of(media.section()).unwrap_err(),
    ];
    for error in errors {
        shown.push_str(&format!("{error}{error:?}"));
    }
    assert!(!shown.contains("WVN"), "{shown}");
}

#[test]
fn req_ta_22_media_level_wins_and_the_strongest_allowed_hash_counts() {
    use HashFunction::{Md5, Sha1, Sha256, Sha512};
    let of = |hash| Fingerprint::of_certificate(b"certificate", hash).unwrap();
    let other = |hash| Fingerprint::of_certificate(b"other", hash).unwrap();
    let peer = |session: &[Fingerprint], media: &[Fingerprint], policy| {
        let mut text = String::from("v=0\r\n");
        for fingerprint in session {
            text.push_str(&format!("a=fingerprint:{fingerprint}\r\n"));
        }
        text.push_str("m=message 1 TCP/TLS/MSRP *\r\n");
        for fingerprint in media {
            text.push_str(&format!("a=fingerprint:{fingerprint}\r\n"));
        }
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        FingerprintSet::of(&sdp.media().next().unwrap(), policy)
    };
    let strict = HashPolicy::default();

    let session_only = peer(&[of(Sha256)], &[], strict).unwrap();
    assert_eq!(session_only.verify(b"certificate"), Ok(()));
    let overridden = peer(&[of(Sha256)], &[other(Sha256)], strict).unwrap();
    assert_eq!(overridden.verify(b"certificate"), Err(Mismatch));
    assert_eq!(overridden.verify(b"other"), Ok(()));

    // Two of which one matches.
    let two = peer(&[], &[other(Sha256), of(Sha256)], strict).unwrap();
    assert_eq!(
        (two.verify(b"certificate"), two.verify(b"third")),
        (Ok(()), Err(Mismatch))
    );
    // A match by a weaker hash does not help against the stronger.
    let stronger = peer(&[], &[of(Sha256), other(Sha512)], strict).unwrap();
    assert_eq!(stronger.hash(), Sha512);
    assert_eq!(stronger.verify(b"certificate"), Err(Mismatch));

    let weak = SdpError::rule;
    let refused = |result: Result<FingerprintSet, SdpError>| result.map_err(weak).unwrap_err();
    let md5 = format!("md5 {}", vec!["00"; 16].join(":"));
    let md5 = Fingerprint::parse(&md5).unwrap();
    assert_eq!(md5.hash(), Md5);
    assert_eq!(refused(peer(&[], &[of(Sha1)], strict)), Rule::WeakHash);
    assert_eq!(
        refused(peer(&[], &[md5], HashPolicy::WITH_SHA1)),
        Rule::WeakHash
    );
    assert_eq!(
        Fingerprint::of_certificate(b"certificate", Md5).err(),
        Some(Rule::WeakHash)
    );
    let rcs = peer(&[], &[of(Sha1)], HashPolicy::WITH_SHA1).unwrap();
    assert_eq!(rcs.verify(b"certificate"), Ok(()));
    assert_eq!(
        peer(&[], &[of(Sha1), of(Sha256)], HashPolicy::WITH_SHA1)
            .unwrap()
            .hash(),
        Sha256
    );
}

#[test]
fn req_ta_22_case_spaces_and_unknown_hashes_are_tolerated_but_not_wrong_lengths() {
    let fingerprint = Fingerprint::of_certificate(b"x", HashFunction::Sha256).unwrap();
    let text = fingerprint.to_string();
    for spelt in [
        text.to_uppercase(),
        text.to_lowercase(),
        format!(" {}", text.replace(' ', "  ")),
    ] {
        assert_eq!(Fingerprint::parse(&spelt), Ok(fingerprint));
    }
    for (bad, rule) in [
        ("sha-256", Rule::FingerprintHex),
        ("sha-256 ", Rule::FingerprintHex),
        (&text[..text.len() - 3], Rule::FingerprintLength),
        (&format!("{text}:00"), Rule::FingerprintLength),
        (&text.replace(':', ""), Rule::FingerprintHex),
        (&text.replace(':', " "), Rule::FingerprintHex),
        (&format!("{text}:"), Rule::FingerprintHex),
        (
            &format!("{}:", &text[..text.len() - 3]),
            Rule::FingerprintHex,
        ),
        (
            &format!("{}G", &text[..text.len() - 1]),
            Rule::FingerprintHex,
        ),
        ("sha3-256 00:11", Rule::HashFunction),
        ("0:11", Rule::FingerprintHex),
    ] {
        assert_eq!(Fingerprint::parse(bad).err(), Some(rule), "{bad}");
    }
    let set = |lines: &str| {
        let text = format!("v=0\r\nm=message 1 TCP/TLS/MSRP *\r\n{lines}");
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        FingerprintSet::of(&sdp.media().next().unwrap(), HashPolicy::default())
    };
    // Lines with another hash do not count, and do not make those that count invalid.
    let mixed = set(&format!(
        "a=fingerprint:sha3-256 00:11\r\na=fingerprint:{fingerprint}\r\n"
    ));
    assert_eq!(mixed.unwrap().verify(b"x"), Ok(()));
    assert_eq!(
        set("a=fingerprint:sha3-256 00:11\r\n"),
        Err(Rule::WeakHash.at(2))
    );
    let malformed = set(&format!(
        "a=fingerprint:{fingerprint}\r\na=fingerprint:sha-256 zz\r\n"
    ));
    assert_eq!(malformed, Err(Rule::FingerprintHex.at(4)));
    let many = format!("a=fingerprint:{fingerprint}\r\n").repeat(17);
    assert_eq!(set(&many), Err(Rule::TooManyValues.at(19)));
}

#[test]
fn req_ta_23_a_section_without_fingerprint_has_no_set() {
    let sdp = Sdp::parse(b"v=0\r\nm=message 1 TCP/TLS/MSRP *\r\n").unwrap();
    let set = FingerprintSet::of(&sdp.media().next().unwrap(), HashPolicy::WITH_SHA1);
    assert_eq!(set, Err(Rule::NoFingerprint.at(2)));
}
