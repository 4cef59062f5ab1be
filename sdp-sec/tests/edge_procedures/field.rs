//! What other projects' users have met: each is a row of the requirements marked as seen in the
//! field.

use sdp_sec::edge::{Intention, Outcome, Policy, Refusal};
use sdp_sec::mediasec::{Mechanism, Source};
use sdp_sec::{Rule, Sdp, key_mgmt};
use srtp::keying::MasterKeySource;

use super::support::{
    Counter, UE_KEY, UE_KEY_2, agw, crypto, crypto_lines, dialogue, media, originate, rtp_stream,
    sdp,
};

fn offer_with(lines: &str) -> Vec<u8> {
    sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{lines}"
    ))
}

fn answer() -> Vec<u8> {
    sdp("m=audio 5 RTP/AVP 0\n")
}

#[test]
fn req_rtp_13_a_line_that_is_invalid_does_not_spoil_the_others() {
    for invalid in [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=\n".to_owned(),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY_2} MANDATORY_AND_UNKNOWN\n"),
        format!("a=crypto:1 AES_CM_128_NULL_SUITE inline:{UE_KEY_2}\n"),
        "a=crypto:1\n".to_owned(),
        "a=crypto\n".to_owned(),
        format!("a=crypto:01 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY_2}\n"),
    ] {
        let offer = offer_with(&format!("{invalid}{}", crypto(2, UE_KEY)));
        let answered = originate(&dialogue(), &offer, &answer());
        assert_eq!(rtp_stream(&answered.outcomes()[0]).remote().tag(), 2);
    }
    // Two lines with one tag could not be told apart by the answer.
    let twice = offer_with(&format!("{}{}", crypto(1, UE_KEY), crypto(1, UE_KEY_2)));
    let answered = originate(&dialogue(), &twice, &answer());
    assert!(matches!(
        answered.outcomes(),
        [Outcome::Refused(Refusal::Crypto(_))]
    ));
}

#[test]
fn req_rtp_14_keys_are_read_with_and_without_padding() {
    let octets = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw";
    for key in [octets.to_owned(), format!("{octets}==")] {
        let offer = offer_with(&format!("a=crypto:1 AEAD_AES_128_GCM inline:{key}\n"));
        let answered = originate(&dialogue(), &offer, &answer());
        let stream = rtp_stream(&answered.outcomes()[0]);
        assert_eq!(stream.inbound().entries()[0].key().expose_key()[15], 15);
    }
    let mut policy = Policy::default();
    policy.sdes = policy.sdes.with_padding(sdes::Padding::Unpadded);
    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let terminating = super::support::with_policy(policy)
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    assert!(
        crypto_lines(terminating.offer_to_ue())
            .iter()
            .all(|line| !line.ends_with('='))
    );
}

#[test]
fn req_rtp_15_lifetime_and_mki_reach_the_gateway_or_are_refused() {
    let offer = offer_with(&format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}|2^20|1066:4\n"
    ));
    let answered = originate(&dialogue(), &offer, &answer());
    let remote = rtp_stream(&answered.outcomes()[0]).inbound();
    assert_eq!(remote.mki_len(), 4);
    assert_eq!(remote.entries()[0].lifetime().srtp_packets(), 1 << 20);
    for bad in ["|0", "|2^49", "|x", "|2^20|0", "|2^20|1:129", "|2^20|1:0"] {
        let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}{bad}\n");
        let answered = originate(&dialogue(), &offer_with(&line), &answer());
        assert!(
            matches!(answered.outcomes(), [Outcome::Refused(Refusal::Crypto(_))]),
            "{bad}"
        );
    }
}

#[test]
fn req_rtp_10_an_indicator_leaked_by_another_network_is_ignored_and_taken_away() {
    let offer = sdp("m=audio 5 RTP/AVP 0\na=3ge2ae:requested\nm=video 7 RTP/AVP 31\n");
    let intentions = dialogue().examine(&offer, Source::Core).unwrap();
    assert_eq!(intentions, [Intention::Protect(Mechanism::SdesSrtp); 2]);
    let terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let to_ue = media(terminating.offer_to_ue());
    assert!(!to_ue.contains("requested"));
    assert_eq!(to_ue.matches("a=3ge2ae:applied").count(), 2);
}

#[test]
fn req_rtp_10_keys_at_session_level_do_not_reach_the_core() {
    let line = crypto(1, UE_KEY_2);
    let offer = sdp(&format!(
        "{line}a=3ge2ae:requested\nm=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}",
        crypto(1, UE_KEY)
    ));
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = String::from_utf8_lossy(originating.offer_to_core()).into_owned();
    assert!(
        !to_core.contains("inline") && !to_core.contains("3ge2ae"),
        "{to_core}"
    );
}

#[test]
fn req_rtp_10_keys_offered_as_capabilities_do_not_reach_the_core() {
    let offer = sdp(&format!(
        "a=acap:9 crypto:9 X inline:{UE_KEY_2}\nm=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}\
         a=tcap:1 RTP/SAVPF\na=acap:1 crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY_2}\n\
         a=ACAP: 2  Crypto:3 X inline:{UE_KEY_2}\na=cpar: a=crypto:1 X inline:{UE_KEY_2}\n\
         a=cpar:Crypto : X inline:{UE_KEY_2}\na=acap:3 rtpmap:0 PCMU/8000\n\
         a=pcfg:1 t=1 a=1\n",
        crypto(1, UE_KEY),
    ));
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = String::from_utf8_lossy(originating.offer_to_core()).into_owned();
    assert!(!to_core.contains("inline"), "{to_core}");
    assert!(to_core.contains("a=acap:3 rtpmap:0 PCMU/8000\r\na=pcfg:1 t=1 a=1\r\n"));
}

#[test]
fn req_rtp_12_a_bad_key_is_not_answered_with_plain_rtp() {
    let offer = offer_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:YmFk\n");
    let originating = dialogue().originating(&offer).unwrap();
    for core in [answer(), sdp("m=audio 0 RTP/AVP 0\n")] {
        let answered = originating
            .answered(&core, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(media(answered.sdp()), "m=audio 0 RTP/SAVP 0\n");
    }
}

#[test]
fn req_psk_23_key_management_without_protection_is_an_error_and_never_a_downgrade() {
    let stripped = sdp("m=audio 1 RTP/AVP 0\na=key-mgmt:mikey AQAFgA==\n");
    let refusal = Refusal::Sdp(Rule::ProtectionStripped.at(6));
    for source in [Source::Ue, Source::Core] {
        let intentions = dialogue().examine(&stripped, source).unwrap();
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
    }
    // The edge itself takes neither protection nor key management from an end-to-end line.
    for protocol in [
        "RTP/SAVP",
        "RTP/SAVPF",
        "TCP/TLS/MSRP",
        "TCP/TLS/BFCP",
        "UDP/TLS/UDPTL",
    ] {
        let offer = sdp(&format!(
            "m=audio 1 {protocol} 0\na=key-mgmt:mikey AQAFgA==\n"
        ));
        let originating = dialogue().originating(&offer).unwrap();
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        for sent in [originating.offer_to_core(), terminating.offer_to_ue()] {
            let (received, sent) = (Sdp::parse(&offer).unwrap(), Sdp::parse(sent).unwrap());
            assert_eq!(key_mgmt::check_forwarded(&received, &sent), Ok(()));
        }
    }
}

#[test]
fn req_rtp_19_a_secured_audio_line_does_not_pull_video_with_it() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}m=video 3 RTP/AVP 31\na=recvonly\n",
        crypto(1, UE_KEY)
    ));
    let core = sdp("m=audio 5 RTP/AVP 0\nm=video 7 RTP/AVP 31\na=sendonly\n");
    let answered = originate(&dialogue(), &offer, &core);
    assert!(media(answered.sdp()).ends_with("m=video 7 RTP/AVP 31\na=sendonly\n"));
}

#[test]
fn duplicates_and_contradictions_refuse_the_stream_and_name_line_and_rule() {
    let fingerprint = super::support::fingerprint("UE");
    let line = format!("m=message 9 TCP/TLS/MSRP *\na=fingerprint:{fingerprint}\n");
    for (more, rule) in [
        ("a=setup:active\na=setup:passive\n", Rule::Duplicate),
        ("a=setup:nonsense\n", Rule::Setup),
        ("a=setup\n", Rule::MissingValue),
        ("a=3ge2ae:requested\na=3ge2ae:applied\n", Rule::Duplicate),
        ("a=3ge2ae:applied\n", Rule::Conflicting),
        ("a=fingerprint:sha-256 AA\n", Rule::FingerprintLength),
    ] {
        let originating = dialogue()
            .originating(&sdp(&format!("{line}{more}")))
            .unwrap();
        let intentions: Vec<_> = originating.intentions().collect();
        let Intention::Refuse(Refusal::Sdp(error)) = intentions[0] else {
            panic!("{more}: {intentions:?}")
        };
        assert_eq!(error.rule(), rule, "{more}");
        assert!(error.line() >= 6);
        assert!(media(originating.offer_to_core()).starts_with("m=message 0 TCP/MSRP *\n"));
    }
}

#[test]
fn long_lines_and_many_lines_are_refused_or_passed_in_linear_time() {
    let long = sdp(&format!("m=audio 1 RTP/AVP 0\na={}\n", "x".repeat(1 << 20)));
    assert!(dialogue().originating(&long).is_err());
    let many = sdp(&format!("m=audio 1 RTP/AVP 0\n{}", "a=x\n".repeat(100_000)));
    assert!(dialogue().originating(&many).is_err());
    // The most that is taken: every m-line falls back on the session section.
    let session = "a=x\n".repeat(7000);
    let fingerprint = super::support::fingerprint("UE");
    let lines = "m=message 9 TCP/TLS/MSRP *\n".repeat(256);
    let most = sdp(&format!("{session}a=fingerprint:{fingerprint}\n{lines}"));
    let originating = dialogue().originating(&most).unwrap();
    assert!(
        originating
            .intentions()
            .all(|i| i == Intention::Protect(Mechanism::MsrpTls))
    );
}
