//! Requirements of the groups REG, TA and T38 that rest on registration and on one media line.
//! Self-consistency; header texts as operators publish them.

#![allow(
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

use sdp_sec::mediasec::{
    AccessEdge, Bindings, Decision, EndToEnd, HeaderError, Indications, Mechanism, MechanismSet,
    Policy, QValue, Refusal, SecMechanism, SecurityHeaders, SignallingProtection, Source,
    client_value,
};
use sdp_sec::{Rule, Sdp, SdpError};

const FINGERPRINT: &str = "a=fingerprint:SHA-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:\
     BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2";
const CRYPTO: &str =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const CLASSES: [(Mechanism, &str, &str); 4] = [
    (Mechanism::SdesSrtp, "RTP/AVP", "RTP/SAVP"),
    (Mechanism::MsrpTls, "TCP/MSRP", "TCP/TLS/MSRP"),
    (Mechanism::BfcpTls, "TCP/BFCP", "TCP/TLS/BFCP"),
    (Mechanism::UdptlDtls, "udptl", "UDP/TLS/UDPTL"),
];

fn all() -> MechanismSet {
    CLASSES.iter().map(|(mechanism, _, _)| *mechanism).collect()
}

fn edge(ue: MechanismSet, network: MechanismSet) -> AccessEdge {
    AccessEdge {
        indications: Indications { ue, network },
        signalling: SignallingProtection::IntegrityAndConfidentiality,
        policy: Policy::default(),
    }
}

fn offer(session: &[&str], protocol: &str, attributes: &[&str]) -> String {
    let mut text = String::from("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n");
    for line in session {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str(&format!("m=x 4000 {protocol} *\r\n"));
    for line in attributes {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text
}

fn decide(
    edge: AccessEdge,
    source: Source,
    protocol: &str,
    attributes: &[&str],
) -> Result<Decision, SdpError> {
    let text = offer(&[], protocol, attributes);
    let sdp = Sdp::parse(text.as_bytes())?;
    edge.decide(source, &sdp.media().next().unwrap())
}

#[test]
fn req_reg_01_ue_and_network_say_at_registration_what_they_support() {
    let ue = MechanismSet::EMPTY
        .with(Mechanism::SdesSrtp)
        .with(Mechanism::MsrpTls);
    let register = client_value(ue);
    let network = MechanismSet::EMPTY
        .with(Mechanism::SdesSrtp)
        .with(Mechanism::UdptlDtls);
    let answer = client_value(network);
    let client = SecurityHeaders::parse(&[&register]).unwrap();
    let server = SecurityHeaders::parse(&[&answer]).unwrap();
    let indications = Indications::of(&client, &server);
    assert_eq!((indications.ue, indications.network), (ue, network));
    assert_eq!(
        indications.agreed(),
        MechanismSet::EMPTY.with(Mechanism::SdesSrtp)
    );
}

#[test]
fn req_reg_02_four_classes_are_indicated_independently() {
    for bits in 0..16_u8 {
        let chosen = |index: usize| bits >> index & 1 == 1;
        let set: MechanismSet = CLASSES
            .iter()
            .enumerate()
            .filter(|(index, _)| chosen(*index))
            .map(|(_, (mechanism, _, _))| *mechanism)
            .collect();
        let value = client_value(set);
        let values: Vec<&str> = if value.is_empty() {
            vec![]
        } else {
            vec![&value]
        };
        assert_eq!(MechanismSet::of(&values).unwrap(), set);
        for (index, (_, plain, _)) in CLASSES.iter().enumerate() {
            let decision = decide(edge(set, all()), Source::Core, plain, &[]).unwrap();
            let applied = matches!(decision, Decision::Apply(_));
            assert_eq!(applied, chosen(index), "{plain} with {set:?}");
        }
    }
    let names: Vec<_> = all().iter().map(Mechanism::as_str).collect();
    assert_eq!(names, ["sdes-srtp", "msrp-tls", "bfcp-tls", "udptl-dtls"]);
}

#[test]
fn req_reg_03_a_mixed_list_keeps_every_octet_and_the_two_kinds_apart() {
    let values = [
        "ipsec-3gpp; alg=hmac-sha-1-96; spi-c=98765432;q=0.1, tls ;q=0.25,sdes-srtp;mediasec",
        "MSRP-TLS ; MediaSec;x=\"a,b;c\\\"d\"",
        "digest;d-alg=md5;d-ver=\"0000000000000000000000000000abcd\", dtls-srtp;mediasec,new;mediasec",
    ];
    let headers = SecurityHeaders::parse(&values).unwrap();
    assert_eq!(headers.values(), values);
    let signalling: Vec<_> = headers.signalling().map(SecMechanism::name).collect();
    assert_eq!(signalling, ["ipsec-3gpp", "tls", "digest"]);
    let media: Vec<_> = headers.media().map(SecMechanism::name).collect();
    assert_eq!(media, ["sdes-srtp", "MSRP-TLS", "dtls-srtp", "new"]);
    let preferences: Vec<_> = headers
        .mechanisms()
        .iter()
        .filter_map(SecMechanism::q)
        .map(QValue::thousandths)
        .collect();
    assert_eq!(preferences, [100, 250]);
    let parameters: Vec<_> = headers.mechanisms()[0].parameters().collect();
    assert_eq!(parameters[1].name(), "spi-c");
    assert_eq!(parameters[1].value(), Some("98765432"));
    let quoted: Vec<_> = headers.mechanisms()[3].parameters().collect();
    assert_eq!(quoted[1].value(), Some("\"a,b;c\\\"d\""));
}

#[test]
fn req_reg_03_folded_headers_are_read_and_kept() {
    let folded = ["tls;q=0.1,\r\n sdes-srtp\t;\r\n\tmediasec"];
    let headers = SecurityHeaders::parse(&folded).unwrap();
    assert_eq!(headers.values(), folded);
    assert_eq!(
        headers.indicated(),
        MechanismSet::EMPTY.with(Mechanism::SdesSrtp)
    );
    let unfolded = SecurityHeaders::parse(&["tls;q=0.1, sdes-srtp;mediasec"]).unwrap();
    assert_eq!(unfolded.check_echo_of(&headers), Ok(()));
}

#[test]
fn req_reg_03_security_verify_is_the_server_s_list_or_is_noticed() {
    // One header each, as an operator's 401 has it; the UE may join them.
    let sent = ["msrp-tls;mediasec", "sdes-srtp;mediasec", "tls;q=0.2"];
    let server = SecurityHeaders::parse(&sent).unwrap();
    let echo = SecurityHeaders::parse(server.values()).unwrap();
    assert_eq!(echo.check_echo_of(&server), Ok(()));
    let joined = SecurityHeaders::parse(&["MSRP-TLS; mediasec,sdes-srtp;mediasec , tls;q=0.2"]);
    assert_eq!(joined.unwrap().check_echo_of(&server), Ok(()));
    for changed in [
        &["msrp-tls;mediasec", "sdes-srtp;mediasec"][..],
        &["sdes-srtp;mediasec", "msrp-tls;mediasec", "tls;q=0.2"],
        &["msrp-tls;mediasec", "sdes-srtp;mediasec", "tls;q=0.3"],
        &["msrp-tls", "sdes-srtp;mediasec", "tls;q=0.2"],
        &[
            "msrp-tls;mediasec",
            "sdes-srtp;mediasec",
            "tls;q=0.2",
            "tls;q=0.2",
        ],
    ] {
        let verify = SecurityHeaders::parse(changed).unwrap();
        assert_eq!(
            verify.check_echo_of(&server),
            Err(HeaderError::NotEchoed),
            "{changed:?}"
        );
    }
}

#[test]
fn req_reg_04_a_class_is_used_only_when_both_sides_indicated_it() {
    for (mechanism, plain, protected) in CLASSES {
        let one = MechanismSet::EMPTY.with(mechanism);
        let key = if mechanism == Mechanism::SdesSrtp {
            CRYPTO
        } else {
            FINGERPRINT
        };
        let requested = [key, "a=3ge2ae:requested"];
        for (ue, network) in [
            (one, one),
            (one, MechanismSet::EMPTY),
            (MechanismSet::EMPTY, one),
            (MechanismSet::EMPTY, MechanismSet::EMPTY),
            (one, all().without(mechanism)),
        ] {
            let both = ue.both(network).contains(mechanism);
            let edge = edge(ue, network);
            let originated = decide(edge, Source::Ue, protected, &requested).unwrap();
            let terminated = decide(edge, Source::Core, plain, &[]).unwrap();
            if both {
                assert_eq!(originated, Decision::Apply(mechanism));
                assert_eq!(terminated, Decision::Apply(mechanism));
            } else {
                assert_eq!(originated, Decision::Refuse(Refusal::NotIndicated));
                assert_eq!(terminated, Decision::Plain);
            }
        }
    }
}

#[test]
fn req_reg_04_a_ue_that_asks_for_end_to_end_gets_it() {
    let edge = edge(all(), all());
    let key_mgmt = "a=key-mgmt:mikey AQAF";
    let end_to_end =
        |protocol, attributes: &[&str]| decide(edge, Source::Ue, protocol, attributes).unwrap();
    assert_eq!(
        end_to_end("RTP/SAVPF", &[CRYPTO]),
        Decision::EndToEnd(EndToEnd::Sdes)
    );
    for protocol in ["RTP/SAVP", "TCP/TLS/MSRP", "TCP/TLS/BFCP", "UDP/TLS/UDPTL"] {
        assert_eq!(
            end_to_end(protocol, &[key_mgmt]),
            Decision::EndToEnd(EndToEnd::KeyMgmt)
        );
    }
    assert_eq!(
        end_to_end("UDP/TLS/RTP/SAVPF", &[FINGERPRINT]),
        Decision::EndToEnd(EndToEnd::DtlsSrtp)
    );
    // Nothing is asked of the edge for a plain line, and a line that has ended stays as it is.
    assert_eq!(end_to_end("RTP/AVP", &[]), Decision::Plain);
    let ended = Sdp::parse(b"v=0\r\nm=audio 0 RTP/SAVP 0\r\n").unwrap();
    assert_eq!(
        edge.decide(Source::Ue, &ended.media().next().unwrap()),
        Ok(Decision::Ended)
    );
}

#[test]
fn req_reg_04_session_level_key_management_leaves_a_requested_line_to_the_edge() {
    let text = offer(
        &["a=key-mgmt:mikey AQAF"],
        "TCP/TLS/MSRP",
        &[FINGERPRINT, "a=3ge2ae:requested"],
    );
    let sdp = Sdp::parse(text.as_bytes()).unwrap();
    let media = sdp.media().next().unwrap();
    assert_eq!(
        edge(all(), all()).decide(Source::Ue, &media),
        Ok(Decision::Apply(Mechanism::MsrpTls))
    );
}

#[test]
fn req_reg_05_an_rcs5_ue_that_did_not_indicate_is_served_under_policy_alone() {
    let network = MechanismSet::EMPTY.with(Mechanism::MsrpTls);
    let mut edge = edge(MechanismSet::EMPTY, network);
    let msrp = |edge| decide(edge, Source::Ue, "TCP/TLS/MSRP", &[FINGERPRINT]).unwrap();
    assert_eq!(msrp(edge), Decision::Refuse(Refusal::NotIndicated));
    edge.policy = Policy::RCS5;
    assert_eq!(msrp(edge), Decision::Apply(Mechanism::MsrpTls));
    // Originating MSRP only, and only if the network supports it.
    assert_eq!(
        decide(edge, Source::Core, "TCP/MSRP", &[]),
        Ok(Decision::Plain)
    );
    let bfcp = decide(edge, Source::Ue, "TCP/TLS/BFCP", &[FINGERPRINT]).unwrap();
    assert_eq!(bfcp, Decision::Refuse(Refusal::NotIndicated));
    edge.indications.network = MechanismSet::EMPTY;
    assert_eq!(msrp(edge), Decision::Refuse(Refusal::NotIndicated));
}

#[test]
fn req_reg_06_each_contact_has_its_own_state_and_a_refresh_replaces_it() {
    let (phone, tablet) = ("sip:alice@192.0.2.1:5060", "sip:alice@192.0.2.2:5060");
    let mut bindings = Bindings::new(all());
    bindings
        .register(phone, &["sdes-srtp;mediasec, msrp-tls;mediasec"])
        .unwrap();
    bindings.register(tablet, &["bfcp-tls;mediasec"]).unwrap();
    let agreed = |bindings: &Bindings, contact| bindings.of(contact).agreed();
    let set = |mechanisms: &[Mechanism]| mechanisms.iter().copied().collect::<MechanismSet>();
    assert_eq!(
        agreed(&bindings, phone),
        set(&[Mechanism::SdesSrtp, Mechanism::MsrpTls])
    );
    assert_eq!(agreed(&bindings, tablet), set(&[Mechanism::BfcpTls]));
    // A refresh that names less withdraws; one that names nothing withdraws all; so does a bad one.
    bindings.register(phone, &["msrp-tls;mediasec"]).unwrap();
    assert_eq!(agreed(&bindings, phone), set(&[Mechanism::MsrpTls]));
    bindings.register(phone, &[]).unwrap();
    assert_eq!(agreed(&bindings, phone), MechanismSet::EMPTY);
    assert_eq!(
        bindings.register(tablet, &[";;"]),
        Err(HeaderError::Malformed)
    );
    assert_eq!(agreed(&bindings, tablet), MechanismSet::EMPTY);
    bindings.register(tablet, &["bfcp-tls;mediasec"]).unwrap();
    bindings.remove(tablet);
    assert_eq!(agreed(&bindings, tablet), MechanismSet::EMPTY);
}

#[test]
fn req_reg_08_keys_in_sdp_need_confidential_signalling_and_fingerprints_integrity() {
    use SignallingProtection::{Integrity, IntegrityAndConfidentiality, None};
    for (mechanism, plain, protected) in CLASSES {
        let key = if mechanism == Mechanism::SdesSrtp {
            CRYPTO
        } else {
            FINGERPRINT
        };
        let requested = [key, "a=3ge2ae:requested"];
        for signalling in [None, Integrity, IntegrityAndConfidentiality] {
            let enough = match mechanism {
                Mechanism::SdesSrtp => signalling == IntegrityAndConfidentiality,
                _ => signalling != None,
            };
            let edge = AccessEdge {
                signalling,
                ..edge(all(), all())
            };
            let expected = if enough {
                Decision::Apply(mechanism)
            } else {
                Decision::Refuse(Refusal::SignallingUnprotected)
            };
            assert_eq!(
                decide(edge, Source::Ue, protected, &requested),
                Ok(expected)
            );
            assert_eq!(decide(edge, Source::Core, plain, &[]), Ok(expected));
        }
    }
}

#[test]
fn req_ta_14_a_request_is_tls_with_fingerprint_and_indicator() {
    let edge = edge(all(), all());
    let line = [FINGERPRINT, "a=3ge2ae:requested"];
    let applied = decide(edge, Source::Ue, "TCP/TLS/MSRP", &line);
    assert_eq!(applied, Ok(Decision::Apply(Mechanism::MsrpTls)));
    // The indicator on a plain line asks for what the protocol does not give.
    let plain = decide(edge, Source::Ue, "TCP/MSRP", &line);
    assert_eq!(plain, Err(Rule::ProtectionStripped.at(5)));
}

#[test]
fn req_ta_15_without_indicator_and_end_to_end_elements_it_is_as_if_requested() {
    let edge = edge(all(), all());
    for (mechanism, _, protected) in CLASSES {
        if mechanism == Mechanism::SdesSrtp {
            continue;
        }
        let asked = decide(
            edge,
            Source::Ue,
            protected,
            &[FINGERPRINT, "a=3ge2ae:requested"],
        );
        let silent = decide(edge, Source::Ue, protected, &[FINGERPRINT]);
        let unknown = decide(
            edge,
            Source::Ue,
            protected,
            &[FINGERPRINT, "a=3ge2ae:later"],
        );
        assert_eq!(asked, Ok(Decision::Apply(mechanism)));
        assert_eq!((silent, unknown), (asked, asked));
    }
}

#[test]
fn req_ta_16_key_management_for_the_line_means_end_to_end() {
    let edge = edge(all(), all());
    let line = [FINGERPRINT, "a=key-mgmt:mikey AQAF"];
    let decision = decide(edge, Source::Ue, "TCP/TLS/MSRP", &line);
    assert_eq!(decision, Ok(Decision::EndToEnd(EndToEnd::KeyMgmt)));
    // Both at once cannot be meant.
    let both = [line[0], line[1], "a=3ge2ae:requested"];
    let conflict = decide(edge, Source::Ue, "TCP/TLS/MSRP", &both);
    assert_eq!(conflict, Err(Rule::Conflicting.at(5)));
}

#[test]
fn req_ta_20_fingerprints_are_never_passed_end_to_end() {
    let edge = edge(all(), all());
    for protocol in ["TCP/TLS/MSRP", "TCP/TLS/BFCP", "UDP/TLS/UDPTL"] {
        let decision = decide(edge, Source::Core, protocol, &[FINGERPRINT]);
        assert_eq!(decision, Ok(Decision::Refuse(Refusal::FingerprintEndToEnd)));
        let unregistered = self::edge(MechanismSet::EMPTY, all());
        let decision = decide(unregistered, Source::Ue, protocol, &[FINGERPRINT]);
        assert_eq!(decision, Ok(Decision::Refuse(Refusal::NotIndicated)));
    }
}

#[test]
fn req_ta_20_protocols_without_a_procedure_are_not_a_way_around() {
    let edge = edge(all(), all());
    for protocol in ["TCP/TLS", "TCP/DTLS/BFCP", "UDP/TLS/BFCP"] {
        for source in [Source::Ue, Source::Core] {
            let decision = decide(edge, source, protocol, &[FINGERPRINT]);
            let expected = Decision::Refuse(Refusal::FingerprintEndToEnd);
            assert_eq!(decision, Ok(expected));
            let bare = decide(edge, source, protocol, &[]);
            assert_eq!(bare, Ok(Decision::Refuse(Refusal::NotKeyed)));
        }
        let asked = decide(edge, Source::Ue, protocol, &["a=3ge2ae:requested"]);
        assert_eq!(asked, Ok(Decision::Refuse(Refusal::NoMechanism)));
    }
    let unknown = decide(edge, Source::Ue, "FOO", &["a=3ge2ae:requested"]);
    assert_eq!(unknown, Err(Rule::ProtectionStripped.at(5)));
    assert_eq!(decide(edge, Source::Ue, "FOO", &[]), Ok(Decision::Plain));
}

#[test]
fn req_ta_23_a_tls_line_without_fingerprint_is_refused() {
    let edge = edge(all(), all());
    for protocol in ["TCP/TLS/MSRP", "TCP/TLS/BFCP", "UDP/TLS/UDPTL"] {
        let from_ue = decide(edge, Source::Ue, protocol, &["a=3ge2ae:requested"]);
        assert_eq!(from_ue, Err(Rule::NoFingerprint.at(5)));
        let from_core = decide(edge, Source::Core, protocol, &[]);
        assert_eq!(from_core, Ok(Decision::Refuse(Refusal::NotKeyed)));
    }
}

#[test]
fn req_t38_05_fax_has_an_indication_of_its_own() {
    let others = all().without(Mechanism::UdptlDtls);
    let line = [FINGERPRINT, "a=3ge2ae:requested"];
    for edge in [edge(all(), others), edge(others, all())] {
        let fax = decide(edge, Source::Ue, "UDP/TLS/UDPTL", &line).unwrap();
        assert_eq!(fax, Decision::Refuse(Refusal::NotIndicated));
        let message = decide(edge, Source::Ue, "TCP/TLS/MSRP", &line).unwrap();
        assert_eq!(message, Decision::Apply(Mechanism::MsrpTls));
    }
}

#[test]
fn field_an_indicator_leaked_by_another_network_counts_for_nothing() {
    // rtpengine forwards a=3ge2ae to the core.
    let edge = edge(all(), all());
    let line = [CRYPTO, "a=3ge2ae:requested"];
    let decision = decide(edge, Source::Core, "RTP/SAVP", &line);
    assert_eq!(decision, Ok(Decision::EndToEnd(EndToEnd::Sdes)));
    let from_ue = decide(edge, Source::Ue, "RTP/SAVP", &[CRYPTO, "a=3ge2ae:applied"]);
    assert_eq!(from_ue, Err(Rule::Conflicting.at(5)));
}

#[test]
fn field_savp_with_nothing_to_key_it_is_refused() {
    let edge = edge(all(), all());
    for source in [Source::Ue, Source::Core] {
        let decision = decide(edge, source, "RTP/SAVP", &[]);
        assert_eq!(decision, Ok(Decision::Refuse(Refusal::NotKeyed)));
    }
}

#[test]
fn rejects_headers_that_are_malformed_conflicting_or_too_long() {
    let fault = |values: &[&str]| SecurityHeaders::parse(values).err();
    for text in [
        "",
        ",",
        "tls,",
        "tls;",
        "tls;q=",
        ";q=1",
        "a b",
        "tls;d-ver=\"x",
        "tls;\u{1}",
    ] {
        assert_eq!(fault(&[text]), Some(HeaderError::Malformed), "{text:?}");
    }
    let conflict = ["sdes-srtp;mediasec;x=1", "SDES-SRTP;mediasec"];
    assert_eq!(fault(&conflict), Some(HeaderError::Conflicting));
    assert_eq!(fault(&["sdes-srtp;mediasec, sdes-srtp ;mediasec"]), None);
    // `mediasec` has no value; with one it is another parameter.
    let valued = SecurityHeaders::parse(&["sdes-srtp;mediasec=1"]).unwrap();
    assert!(valued.indicated().is_empty());
    assert_eq!(fault(&[&"a,".repeat(65)]), Some(HeaderError::TooLong));
    assert_eq!(
        fault(&[&"a".repeat(16 * 1024 + 1)]),
        Some(HeaderError::TooLong)
    );
    assert_eq!(fault(&vec!["tls"; 65]), Some(HeaderError::TooLong));
    assert_eq!(fault(&vec!["tls"; 64]), None);
    assert_eq!(
        fault(&[&format!("tls{}", ";a".repeat(33))]),
        Some(HeaderError::TooLong)
    );
    assert_eq!(fault(&[&format!("tls{}", ";a".repeat(32))]), None);
    let mut bindings = Bindings::new(all());
    let long = "c".repeat(4097);
    let refused = bindings.register(&long, &["sdes-srtp;mediasec"]);
    assert_eq!(refused, Err(HeaderError::TooLong));
    assert!(bindings.of(&long).agreed().is_empty());
}
