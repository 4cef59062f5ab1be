use sdp_sec::edge::gateway::Order;
use sdp_sec::edge::{Dialogue, Intention, MsrpHandling, Outcome, Policy, Refusal};
use sdp_sec::fingerprint::HashPolicy;
use sdp_sec::mediasec::{self, Mechanism, Source};
use sdp_sec::{Protocol, Rule, Setup};

use super::support::{
    Counter, access, agw, dialogue, fingerprint, media, originate, sdp, set, tls_stream,
    with_policy,
};
use super::tls_support::{BFCP, MSRP, originating, terminating, ue};

#[test]
fn req_ta_01_msrp_and_bfcp_are_supported_each_for_itself() {
    let offer = sdp(&format!("m={}\nm={}\n", MSRP[1], BFCP[1]));
    for (mechanism, expected) in [
        (
            Mechanism::MsrpTls,
            [Intention::Protect(Mechanism::MsrpTls), Intention::Untouched],
        ),
        (
            Mechanism::BfcpTls,
            [Intention::Untouched, Intention::Protect(Mechanism::BfcpTls)],
        ),
    ] {
        let dialogue = Dialogue::new(Policy::default().into(), access(&[mechanism]));
        assert_eq!(dialogue.examine(&offer, Source::Core).unwrap(), expected);
    }
}

#[test]
fn req_ta_02_tells_for_which_streams_the_gateway_is_needed() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/AVP 0\nm={}\nm=video 1 RTP/SAVP 0\n",
        MSRP[1]
    ));
    let intentions = dialogue().examine(&offer, Source::Core).unwrap();
    let protect = |mechanism| Intention::Protect(mechanism);
    let expected = [
        protect(Mechanism::SdesSrtp),
        protect(Mechanism::MsrpTls),
        Intention::Refuse(Refusal::Registration(mediasec::Refusal::NotKeyed)),
    ];
    assert_eq!(intentions, expected);
}

#[test]
fn req_ta_03_the_fingerprint_of_the_gateway_is_asked_for_and_needed() {
    let offer = sdp(&format!("m=audio 1 RTP/AVP 0\nm={}\n", MSRP[1]));
    let mut asked = Vec::new();
    let certificate = |media| {
        asked.push(media);
        None
    };
    let refused = dialogue()
        .terminating(&offer, certificate, &mut Counter::new())
        .err();
    assert_eq!(
        refused,
        Some(sdp_sec::edge::EdgeError::Certificate { media: 1 })
    );
    assert_eq!(asked, [1]);
}

#[test]
fn req_ta_04_the_ue_gets_the_fingerprint_of_the_gateway_in_answer_and_offer() {
    let own = format!("a=fingerprint:{}\n", agw(0).unwrap());
    for (tls, core) in [(MSRP[0], MSRP[1]), (BFCP[0], BFCP[1])] {
        let answered = originate(&dialogue(), &ue(tls, ""), &sdp(&format!("m={core}\n")));
        let answer = media(answered.sdp());
        assert!(answer.contains(&own) && !answer.contains(&fingerprint("UE").to_string()));
        let offer = sdp(&format!("m={core}\na=fingerprint:sha-256 00:11\n"));
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let offer = media(terminating.offer_to_ue());
        assert!(offer.contains(&own) && !offer.contains("00:11"));
    }
}

#[test]
fn req_ta_05_the_gateway_gets_the_fingerprint_of_the_ue() {
    let (outcome, _) = originating(Policy::default(), MSRP, None, None);
    assert_eq!(*tls_stream(&outcome).remote_fingerprints(), set("UE"));
    assert!(matches!(
        &tls_stream(&outcome).orders()[0],
        Order::RemoteFingerprints(remote) if *remote == set("UE")
    ));
    let (outcome, _) = terminating(Policy::default(), BFCP, None, Some(Setup::Active));
    assert_eq!(*tls_stream(&outcome).remote_fingerprints(), set("UE"));
}

#[test]
fn req_ta_12_msrp_transports_agnostic_or_aware() {
    let (outcome, _) = originating(Policy::default(), MSRP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTls, Protocol::Tcp)
    );
    let mut policy = Policy::default();
    policy.msrp = MsrpHandling::Aware;
    let (outcome, _) = originating(policy, MSRP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTlsMsrp, Protocol::TcpMsrp)
    );
}

#[test]
fn req_ta_12_the_path_changes_its_scheme_only_where_the_gateway_rewrites_msrp() {
    let path = "a=path:msrps://ue.example:9/a;tcp\n";
    let core_path = "a=path:msrp://core.example:2855/b;tcp\n";
    let mut aware = Policy::default();
    aware.msrp = MsrpHandling::Aware;
    for (policy, changes) in [(Policy::default(), false), (aware, true)] {
        let originating = with_policy(policy.clone())
            .originating(&ue(MSRP[0], path))
            .unwrap();
        let to_core = media(originating.offer_to_core());
        assert_eq!(
            to_core.contains("a=path:msrp://ue.example:9/a;tcp\n"),
            changes
        );
        assert_eq!(to_core.contains(path), !changes);
        let answer = sdp(&format!("m={}\n{core_path}", MSRP[1]));
        let answered = originating
            .answered(&answer, agw, &mut Counter::new())
            .unwrap();
        let to_ue = media(answered.sdp());
        assert_eq!(
            to_ue.contains("a=path:msrps://core.example:2855/b;tcp\n"),
            changes
        );
        let mut terminating = with_policy(policy)
            .terminating(&answer, agw, &mut Counter::new())
            .unwrap();
        let to_ue = media(terminating.offer_to_ue());
        assert_eq!(
            to_ue.contains("a=path:msrps://core.example:2855/b;tcp\n"),
            changes
        );
        let answer = ue(MSRP[0], &format!("a=setup:active\n{path}"));
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        let to_core = media(answered.sdp());
        assert_eq!(
            to_core.contains("a=path:msrp://ue.example:9/a;tcp\n"),
            changes
        );
    }
}

#[test]
fn req_ta_13_bfcp_transports_are_tcp_tls_and_tcp() {
    let (outcome, _) = originating(Policy::default(), BFCP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTls, Protocol::Tcp)
    );
}

#[test]
fn req_ta_14_a_ue_that_asks_is_served_and_its_request_goes_no_further() {
    let offer = ue(MSRP[0], "a=setup:active\na=3ge2ae:requested\n");
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = "m=message 9 TCP/MSRP *\na=setup:active\n";
    assert_eq!(media(originating.offer_to_core()), to_core);
}

#[test]
fn req_ta_15_without_indicator_and_key_management_the_network_acts_as_if_asked() {
    let asked = ue(MSRP[0], "a=3ge2ae:requested\n");
    let silent = ue(MSRP[0], "");
    let unknown = ue(MSRP[0], "a=3ge2ae:whatever\n");
    for offer in [asked, silent, unknown] {
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(
            media(originating.offer_to_core()),
            "m=message 9 TCP/MSRP *\n"
        );
    }
}

#[test]
fn req_ta_16_key_management_means_end_to_end_and_passes_untouched() {
    for offer in [
        ue(MSRP[0], "a=key-mgmt:mikey AQAFgA==\n"),
        ue(BFCP[0], "a=key-mgmt:mikey AQAFgA==\n"),
    ] {
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(originating.offer_to_core(), offer);
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(terminating.offer_to_ue(), offer);
    }
    // Asking for both is a contradiction.
    let both = ue(MSRP[0], "a=3ge2ae:requested\na=key-mgmt:mikey AQAFgA==\n");
    let originating = dialogue().originating(&both).unwrap();
    assert!(media(originating.offer_to_core()).starts_with("m=message 0 "));
}

#[test]
fn req_ta_17_the_terminating_ue_gets_tls_a_fingerprint_and_is_told_that_it_ends_at_the_edge() {
    let offer = sdp("m=message 2855 TCP/MSRP *\na=setup:actpass\na=accept-types:text/plain\n");
    let terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let expected = format!(
        "m=message 2855 TCP/TLS/MSRP *\na=setup:passive\na=accept-types:text/plain\n\
         a=fingerprint:{}\na=3ge2ae:applied\n",
        agw(0).unwrap(),
    );
    assert_eq!(media(terminating.offer_to_ue()), expected);
}

#[test]
fn req_ta_19_the_core_leg_is_plain_and_a_core_with_tls_is_refused() {
    let (outcome, answer) = terminating(Policy::default(), MSRP, None, Some(Setup::Active));
    assert_eq!(tls_stream(&outcome).core(), Protocol::Tcp);
    assert!(answer.starts_with("m=message 9 TCP/MSRP *\n") && !answer.contains("fingerprint"));

    let intentions = dialogue().examine(&ue(MSRP[0], ""), Source::Core).unwrap();
    assert!(matches!(intentions[..], [Intention::Refuse(_)]));
}

#[test]
fn req_ta_20_fingerprints_are_not_passed_end_to_end() {
    for line in [MSRP[0], BFCP[0], "image 9 UDP/TLS/UDPTL t38"] {
        let offer = ue(line, "");
        let refusal = Refusal::Registration(mediasec::Refusal::FingerprintEndToEnd);
        let intentions = dialogue().examine(&offer, Source::Core).unwrap();
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
        // Nor from a UE with which nothing was agreed.
        let nothing = Dialogue::new(Policy::default().into(), access(&[]));
        let refusal = Refusal::Registration(mediasec::Refusal::NotIndicated);
        let intentions = nothing.examine(&offer, Source::Ue).unwrap();
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
    }
}

#[test]
fn req_ta_22_several_fingerprints_any_case_and_either_level() {
    let good = fingerprint("UE").to_string();
    let hex = good.split_once(' ').unwrap().1.to_lowercase();
    let several = format!(
        "m={}\na=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n\
         a=fingerprint:what-ever 00\na=fingerprint:SHA-256 {hex}\n",
        MSRP[0],
    );
    let session = format!("a=fingerprint:{good}\nm={}\n", MSRP[0]);
    let other = fingerprint("other");
    let media_wins = format!(
        "a=fingerprint:{other}\nm={}\na=fingerprint:{good}\n",
        MSRP[0]
    );
    for lines in [several, session, media_wins] {
        let answered = originate(&dialogue(), &sdp(&lines), &sdp(&format!("m={}\n", MSRP[1])));
        let stream = tls_stream(&answered.outcomes()[0]);
        assert_eq!(stream.remote_fingerprints().verify(b"UE"), Ok(()));
        assert!(stream.remote_fingerprints().verify(b"other").is_err());
    }
}

#[test]
fn req_ta_22_sha_1_is_read_under_the_policy_alone() {
    let offer = sdp(&format!(
        "m={}\na=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n",
        MSRP[0],
    ));
    let mut rcs = Policy::default();
    rcs.hashes = HashPolicy::WITH_SHA1;
    for (policy, accepted) in [(Policy::default(), false), (rcs, true)] {
        let originating = with_policy(policy).originating(&offer).unwrap();
        let port = if accepted {
            "m=message 9 "
        } else {
            "m=message 0 "
        };
        assert!(media(originating.offer_to_core()).starts_with(port));
    }
}

#[test]
fn req_ta_23_a_tls_line_without_fingerprint_is_refused() {
    for line in [MSRP[0], BFCP[0], "image 9 UDP/TLS/UDPTL t38"] {
        let offer = sdp(&format!("m={line}\n"));
        let intentions = dialogue().examine(&offer, Source::Ue).unwrap();
        let refusal = Refusal::Sdp(Rule::NoFingerprint.at(6));
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
        let originating = dialogue().originating(&offer).unwrap();
        let to_core = media(originating.offer_to_core());
        assert_eq!(to_core.split(' ').nth(1), Some("0"));
    }
    let (outcome, to_core) = {
        let offer = sdp(&format!("m={}\n", MSRP[1]));
        let mut terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let answer = sdp(&format!("m={}\na=setup:active\n", MSRP[0]));
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        (answered.outcomes()[0].clone(), media(answered.sdp()))
    };
    assert!(matches!(outcome, Outcome::Refused(Refusal::Sdp(_))));
    assert!(to_core.starts_with("m=message 0 TCP/MSRP *\n"));
}

#[test]
fn a_session_fingerprint_stays_where_an_untouched_stream_needs_it() {
    let own = fingerprint("UE");
    let lines = |more: &str| sdp(&format!("a=fingerprint:{own}\nm={}\n{more}", MSRP[0]));
    let alone = dialogue().originating(&lines("")).unwrap();
    assert!(!String::from_utf8_lossy(alone.offer_to_core()).contains("fingerprint"));
    let with_dtls = dialogue()
        .originating(&lines("m=audio 1 UDP/TLS/RTP/SAVP 0\n"))
        .unwrap();
    assert!(String::from_utf8_lossy(with_dtls.offer_to_core()).contains("fingerprint"));
}
