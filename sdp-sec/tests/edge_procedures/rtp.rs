use sdp_sec::edge::{Dialogue, EdgeError, Intention, Outcome, Policy, Refusal};
use sdp_sec::mediasec::{self, Mechanism, Source};
use sdp_sec::{Protocol, Rule};
use srtp::keying::{MasterKeySource, Profile};

use super::support::{
    Counter, UE_KEY, UE_KEY_2, UE_KEY_3, access, agw, answer_again, crypto, crypto_lines,
    described, dialogue, key, media, originate, rtp_answer, rtp_stream, sdp, srtp_offer, ue_answer,
    with_policy,
};

fn one_suite() -> Policy {
    let mut policy = Policy::default();
    policy.sdes = sdes::Policy::for_profiles([Profile::AesCm128HmacSha1_80]).unwrap();
    policy
}

#[test]
fn req_rtp_01_plain_lines_of_the_core_become_protected_and_keep_feedback() {
    for (core, ue) in [("RTP/AVP", "RTP/SAVP"), ("RTP/AVPF", "RTP/SAVPF")] {
        let offer = sdp(&format!("m=audio 5004 {core} 97\n"));
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        assert!(media(terminating.offer_to_ue()).starts_with(&format!("m=audio 5004 {ue} 97\n")));
    }
}

#[test]
fn req_rtp_02_protected_lines_of_the_ue_become_plain_and_keep_feedback() {
    for (ue, core) in [("RTP/SAVP", "RTP/AVP"), ("RTP/SAVPF", "RTP/AVPF")] {
        let crypto = crypto(1, UE_KEY);
        let offer = sdp(&format!(
            "m=audio 49170 {ue} 97\na=3ge2ae:requested\n{crypto}"
        ));
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(
            media(originating.offer_to_core()),
            format!("m=audio 49170 {core} 97\n")
        );
        let answer = sdp(&format!("m=audio 5004 {core} 97\n"));
        let answered = originating
            .answered(&answer, agw, &mut Counter::new())
            .unwrap();
        assert!(media(answered.sdp()).starts_with(&format!("m=audio 5004 {ue} 97\n")));
    }
}

#[test]
fn req_rtp_03_terminations_are_savp_at_the_access_and_avp_at_the_core() {
    let answered = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let stream = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::RtpSavp, Protocol::RtpAvp)
    );

    let offer = sdp("m=video 5004 RTP/AVPF 99\n");
    let mut terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let answer = format!("m=video 1 RTP/SAVPF 99\n{}", crypto(4, UE_KEY));
    let answered = terminating
        .answered(&sdp(&answer), &mut Counter::new())
        .unwrap();
    let stream = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::RtpSavpf, Protocol::RtpAvpf)
    );
}

#[test]
fn req_rtp_04_keys_are_fresh_for_each_stream_and_direction_and_not_the_ues() {
    let (one, two) = (crypto(1, UE_KEY), crypto(1, UE_KEY_2));
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{one}\
         m=video 3 RTP/SAVP 31\na=3ge2ae:requested\n{two}"
    ));
    let answer = sdp("m=audio 5 RTP/AVP 0\nm=video 7 RTP/AVP 31\n");
    let answered = originate(&dialogue(), &offer, &answer);
    let mut keys: Vec<Vec<u8>> = answered
        .outcomes()
        .iter()
        .map(rtp_stream)
        .flat_map(|stream| [key(stream.inbound()), key(stream.outbound())])
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn req_rtp_05_originating_remote_is_the_line_selected_and_local_the_line_answered() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\na=crypto:5 F8_UNKNOWN inline:{UE_KEY_2}\n{}{}",
        crypto(7, UE_KEY),
        crypto(9, UE_KEY_3),
    ));
    let answered = originate(&dialogue(), &offer, &sdp("m=audio 5 RTP/AVP 0\n"));
    let stream = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(stream.remote().tag(), 7);
    assert_eq!(
        key(stream.inbound()),
        key(described(&crypto(7, UE_KEY)).keys())
    );
    let sent = crypto_lines(answered.sdp());
    assert_eq!(sent.len(), 1);
    assert_eq!(stream.local().tag(), 7);
    assert_eq!(key(stream.outbound()), key(described(&sent[0]).keys()));
}

#[test]
fn req_rtp_06_terminating_remote_is_the_ues_answer_and_local_the_offered_line_it_selected() {
    let mut terminating = dialogue()
        .terminating(&sdp("m=audio 5 RTP/AVP 0\n"), agw, &mut Counter::new())
        .unwrap();
    let offered = crypto_lines(terminating.offer_to_ue());
    assert_eq!(offered.len(), 4);
    let answer = ue_answer(4, "AES_CM_128_HMAC_SHA1_80", UE_KEY);
    let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
    let stream = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(
        key(stream.inbound()),
        key(described(&crypto(4, UE_KEY)).keys())
    );
    let selected = offered
        .iter()
        .find(|line| line.starts_with("a=crypto:4 "))
        .unwrap();
    assert_eq!(key(stream.outbound()), key(described(selected).keys()));
}

#[test]
fn req_rtp_07_a_single_offered_line_is_known_before_the_answer() {
    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let terminating = with_policy(one_suite())
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let offered = crypto_lines(terminating.offer_to_ue());
    assert_eq!(offered.len(), 1);
    let local = terminating.local_before_answer(0).unwrap();
    assert_eq!(key(local.keys()), key(described(&offered[0]).keys()));
    assert!(terminating.local_before_answer(1).is_none());
}

#[test]
fn req_rtp_08_of_several_offered_lines_none_is_settled_before_the_answer() {
    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    assert!(crypto_lines(terminating.offer_to_ue()).len() > 1);
    assert!(terminating.local_before_answer(0).is_none());
}

#[test]
fn req_rtp_10_neither_keys_nor_the_indicator_reach_the_core() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae: requested\na=Crypto:3 x y\na=crypto :4 x y\n{}{}",
        crypto(1, UE_KEY),
        crypto(2, UE_KEY_2),
    ));
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(media(originating.offer_to_core()), "m=audio 1 RTP/AVP 0\n");
    // Nor does the indicator of a line that passes untouched, in either direction.
    let plain = sdp("m=audio 1 RTP/AVP 0\na=3ge2ae:foo\na=sendrecv\n");
    let originating = dialogue().originating(&plain).unwrap();
    assert_eq!(
        media(originating.offer_to_core()),
        "m=audio 1 RTP/AVP 0\na=sendrecv\n"
    );
    let from_core = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:applied\n{}",
        crypto(1, UE_KEY)
    ));
    let terminating = dialogue()
        .terminating(&from_core, agw, &mut Counter::new())
        .unwrap();
    let passed = format!("m=audio 1 RTP/SAVP 0\n{}", crypto(1, UE_KEY));
    assert_eq!(media(terminating.offer_to_ue()), passed);
}

#[test]
fn req_rtp_10_everything_else_passes_octet_by_octet() {
    let before: &[u8] = b"v=0\nx-unknown\r\no=\xff\xfe 1 1 IN IP4 a\r\n\r\na=\r\nm=audio 1 ";
    let between: &[u8] = b" 97 98\nb=AS:49\r\na=ptime:20\n\n \t\r\na=fmtp:97 \xc3\x28\n";
    let after: &[u8] = b"a=x-last";
    let crypto = crypto(1, UE_KEY).replace('\n', "\r\n");
    let parts = |protocol: &[u8], lines: &[u8]| [before, protocol, between, lines, after].concat();
    let secured = format!("{crypto}a=3ge2ae:requested\n");
    let offer = parts(b"RTP/SAVP", secured.as_bytes());
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(originating.offer_to_core(), parts(b"RTP/AVP", b""));
}

#[test]
fn req_rtp_11_end_to_end_streams_pass_untouched_both_ways() {
    let sdes = sdp(&format!("m=audio 1 RTP/SAVP 0\n{}", crypto(1, UE_KEY)));
    let mikey = sdp("m=audio 1 RTP/SAVP 0\na=key-mgmt:mikey AQAFgA==\n");
    let at_session = sdp("a=key-mgmt:mikey AQAFgA==\nm=audio 1 RTP/SAVP 0\n");
    let dtls = sdp("a=fingerprint:sha-256 00\nm=audio 1 UDP/TLS/RTP/SAVPF 0\na=setup:actpass\n");
    for offer in [sdes, mikey, at_session, dtls] {
        for source in [Source::Ue, Source::Core] {
            let intentions = dialogue().examine(&offer, source).unwrap();
            assert_eq!(intentions, [Intention::Untouched]);
        }
        // Whoever answers brings another key.
        let answer = String::from_utf8(offer.clone())
            .unwrap()
            .replace(UE_KEY, UE_KEY_2)
            .into_bytes();
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(originating.offer_to_core(), offer);
        let answered = originating
            .answered(&answer, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(answered.sdp(), answer);
        assert!(matches!(answered.outcomes(), [Outcome::Untouched]));
        let mut terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(terminating.offer_to_ue(), offer);
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        assert_eq!(answered.sdp(), answer);
    }
}

#[test]
fn req_rtp_12_nothing_acceptable_is_refused_with_port_0_and_never_plain() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\na=crypto:1 NONE_SUCH inline:{UE_KEY}\n"
    ));
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(media(originating.offer_to_core()), "m=audio 0 RTP/AVP 0\n");
    // Even a core that accepts port 0 does not make it plain.
    let answer = sdp("m=audio 5004 RTP/AVP 0\n");
    let answered = originating
        .answered(&answer, agw, &mut Counter::new())
        .unwrap();
    assert_eq!(media(answered.sdp()), "m=audio 0 RTP/SAVP 0\n");
    let refused = &answered.outcomes()[0];
    assert!(
        matches!(refused, Outcome::Refused(Refusal::Crypto(_))),
        "{refused:?}"
    );
}

#[test]
fn req_rtp_12_a_ue_that_answers_without_or_with_wrong_crypto_is_refused_towards_the_core() {
    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let mut terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let own = crypto_lines(terminating.offer_to_ue()).remove(3);
    for answer in [
        sdp("m=audio 1 RTP/SAVP 0\n"),
        sdp("m=audio 1 RTP/AVP 0\n"),
        ue_answer(1, "AES_CM_128_HMAC_SHA1_80", UE_KEY),
        ue_answer(77, "AES_CM_128_HMAC_SHA1_80", UE_KEY),
        sdp(&format!(
            "m=audio 1 RTP/SAVP 0\n{}{}",
            crypto(4, UE_KEY),
            crypto(4, UE_KEY_2)
        )),
        // Our own key, reflected.
        sdp(&format!("m=audio 1 RTP/SAVP 0\n{own}\n")),
    ] {
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        let line = media(answered.sdp());
        assert!(
            line.starts_with("m=audio 0 RTP/AVP ") && !line.contains("crypto"),
            "{line}"
        );
        assert!(matches!(answered.outcomes(), [Outcome::Refused(_)]));
    }
}

#[test]
fn req_rtp_17_crypto_on_a_plain_line_is_not_secure_unless_the_policy_says_so() {
    let lines = format!(
        "m=audio 1 RTP/AVP 0\na=3ge2ae: requested\n{}",
        crypto(1, UE_KEY)
    );
    let offer = sdp(&lines);
    // Asked for, but the line is plain: refused.
    let stripped = Refusal::Sdp(Rule::ProtectionStripped.at(6));
    let intentions = dialogue().examine(&offer, Source::Ue).unwrap();
    assert_eq!(intentions, [Intention::Refuse(stripped)]);
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(media(originating.offer_to_core()), "m=audio 0 RTP/AVP 0\n");
    // Not asked for: a plain stream.
    let not_asked = sdp(&format!("m=audio 1 RTP/AVP 0\n{}", crypto(1, UE_KEY)));
    let intentions = dialogue().examine(&not_asked, Source::Ue).unwrap();
    assert_eq!(intentions, [Intention::Untouched]);
    // But its key goes no further (`keys::req_rtp_10_…`).

    let mut policy = Policy::default();
    policy.opportunistic_srtp = true;
    let answered = originate(&with_policy(policy), &offer, &sdp("m=audio 5 RTP/AVP 0\n"));
    assert!(media(answered.sdp()).starts_with("m=audio 5 RTP/AVP 0\na=crypto:1 AES_CM_128"));
    let stream = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::RtpAvp, Protocol::RtpAvp)
    );
}

#[test]
fn req_rtp_19_each_line_is_judged_for_itself_and_order_is_kept() {
    let offer = sdp(&format!(
        "m=video 0 RTP/AVP 31\nm=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}\
         m=video 3 RTP/AVP 31\na=sendrecv\nm=audio 5 RTP/SAVP 0\n{}\
         m=audio 7 RTP/SAVP 0\na=3ge2ae:requested\n",
        crypto(1, UE_KEY),
        crypto(1, UE_KEY_2),
    ));
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = format!(
        "m=video 0 RTP/AVP 31\nm=audio 1 RTP/AVP 0\nm=video 3 RTP/AVP 31\na=sendrecv\n\
         m=audio 5 RTP/SAVP 0\n{}m=audio 0 RTP/AVP 0\n",
        crypto(1, UE_KEY_2),
    );
    // Nothing keys the last line: its protocol is not turned into plain before it is refused.
    assert_eq!(media(originating.offer_to_core()), to_core);
    let answer = sdp(&format!(
        "m=video 0 RTP/AVP 31\nm=audio 11 RTP/AVP 0\nm=video 13 RTP/AVP 31\n\
         m=audio 15 RTP/SAVP 0\n{}m=audio 0 RTP/AVP 0\n",
        crypto(1, UE_KEY_3),
    ));
    let answered = originating
        .answered(&answer, agw, &mut Counter::new())
        .unwrap();
    let outcomes = answered.outcomes();
    assert!(matches!(outcomes[0], Outcome::Untouched));
    assert!(matches!(outcomes[1], Outcome::Rtp(_)));
    assert!(matches!(
        outcomes[2..4],
        [Outcome::Untouched, Outcome::Untouched]
    ));
    assert!(matches!(
        outcomes[4],
        Outcome::Refused(Refusal::Registration(_))
    ));
    let ports: Vec<String> = media(answered.sdp())
        .lines()
        .filter(|line| line.starts_with("m="))
        .map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "m=video 0 RTP/AVP",
        "m=audio 11 RTP/SAVP",
        "m=video 13 RTP/AVP",
        "m=audio 15 RTP/SAVP",
        "m=audio 0 RTP/SAVP",
    ];
    assert_eq!(ports, expected);
}

#[test]
fn req_sdp_05_the_number_of_lines_never_changes() {
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    for answer in [sdp(""), sdp("m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\n")] {
        let refused = originating
            .answered(&answer, agw, &mut Counter::new())
            .err();
        assert_eq!(refused, Some(EdgeError::MediaCount));
    }
    let established = originate(&dialogue(), &srtp_offer(), &rtp_answer()).into_dialogue();
    assert_eq!(
        established.originating(&sdp("")).err(),
        Some(EdgeError::MediaCount)
    );
}

#[test]
fn req_sdp_05_an_answer_has_the_media_of_its_offer_in_its_order() {
    let offer = sdp("m=audio 1 RTP/AVP 0\nm=video 3 RTP/AVP 31\n");
    let swapped = sdp("m=video 3 RTP/AVP 31\nm=audio 1 RTP/AVP 0\n");
    let error = Some(EdgeError::Sdp(Rule::AnswerMedia.at(6)));
    let originating = dialogue().originating(&offer).unwrap();
    let mut rng = Counter::new();
    assert_eq!(originating.answered(&swapped, agw, &mut rng).err(), error);
    let mut terminating = dialogue().terminating(&offer, agw, &mut rng).unwrap();
    assert_eq!(terminating.answered(&swapped, &mut rng).err(), error);
}

#[test]
fn req_sdp_06_no_key_in_what_is_printed() {
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    let answered = answer_again(&originating, &rtp_answer(), &mut Counter::new());
    let terminating = dialogue()
        .terminating(&rtp_answer(), agw, &mut Counter::new())
        .unwrap();
    let printed = format!(
        "{originating:?} {answered:?} {terminating:?} {:?}",
        answered.dialogue()
    );
    let keys = crypto_lines(answered.sdp())
        .into_iter()
        .chain(crypto_lines(terminating.offer_to_ue()));
    for secret in keys.map(|line| line.split("inline:").nth(1).unwrap().to_owned()) {
        assert!(!printed.contains(&secret[..8]));
    }
    assert!(!printed.contains(&UE_KEY[..8]) && !printed.contains("inline"));
}

#[test]
fn e2ae_needs_both_sides_and_confidential_signalling() {
    let asked = srtp_offer();
    let not_agreed = Dialogue::new(Policy::default().into(), access(&[Mechanism::MsrpTls]));
    let refused = |refusal| [Intention::Refuse(Refusal::Registration(refusal))];
    let intentions = not_agreed.examine(&asked, Source::Ue).unwrap();
    assert_eq!(intentions, refused(mediasec::Refusal::NotIndicated));
    assert_eq!(
        not_agreed.examine(&rtp_answer(), Source::Core).unwrap(),
        [Intention::Untouched]
    );

    let mut readable = access(&[Mechanism::SdesSrtp]);
    readable.signalling = mediasec::SignallingProtection::Integrity;
    let readable = Dialogue::new(Policy::default().into(), readable);
    let expected = refused(mediasec::Refusal::SignallingUnprotected);
    assert_eq!(readable.examine(&asked, Source::Ue).unwrap(), expected);
    assert_eq!(
        readable.examine(&rtp_answer(), Source::Core).unwrap(),
        expected
    );
}

#[test]
fn a_key_that_stands_in_two_lines_serves_one() {
    let line = crypto(1, UE_KEY);
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{line}\
         m=video 3 RTP/SAVP 31\na=3ge2ae:requested\n{line}"
    ));
    let answer = sdp("m=audio 5 RTP/AVP 0\nm=video 7 RTP/AVP 31\n");
    let answered = originate(&dialogue(), &offer, &answer);
    let reused = Refusal::Crypto(sdes::Refused::KeyReused);
    assert!(matches!(answered.outcomes()[0], Outcome::Rtp(_)));
    assert!(matches!(&answered.outcomes()[1], Outcome::Refused(refusal) if *refusal == reused));
    assert!(media(answered.sdp()).contains("m=video 0 RTP/SAVP 31\n"));
}

#[test]
fn req_agw_01_the_gateway_gets_the_contexts_that_match_the_ues_in_both_directions() {
    let (policy, mut rng) = (sdes::Policy::default(), Counter::new());
    // The UE offers, with a stack of its own.
    let theirs = sdes::Offer::new(&policy, &mut rng).unwrap();
    let lines = theirs.lines().collect::<Vec<_>>().join("\n");
    let offer = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{lines}\n"
    ));
    let originating = dialogue().originating(&offer).unwrap();
    let answered = answer_again(&originating, &sdp("m=audio 5 RTP/AVP 0\n"), &mut rng);
    let ue = theirs.accept(crypto_lines(answered.sdp())).unwrap();
    let agw_side = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(key(agw_side.inbound()), key(ue.outbound()));
    assert_eq!(key(agw_side.outbound()), key(ue.inbound()));

    // The UE answers.
    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let mut terminating = dialogue().terminating(&offer, agw, &mut rng).unwrap();
    let offered = crypto_lines(terminating.offer_to_ue());
    let (line, ue) = sdes::Answer::to(&offered, &policy, &mut rng).unwrap();
    let answer = sdp(&format!("m=audio 1 RTP/SAVP 0\n{}\n", line.line()));
    let answered = terminating.answered(&answer, &mut rng).unwrap();
    let agw_side = rtp_stream(&answered.outcomes()[0]);
    assert_eq!(key(agw_side.inbound()), key(ue.outbound()));
    assert_eq!(key(agw_side.outbound()), key(ue.inbound()));
    assert_eq!(agw_side.outbound().profile(), Profile::AeadAes256Gcm);
}
