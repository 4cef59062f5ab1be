use sdp_sec::Rule;
use sdp_sec::edge::{Intention, Outcome, Policy, Refusal, Rekey};
use sdp_sec::tls_role::TlsRole;
use srtp::keying::{KeySet, MasterKeySource};

use super::support::{
    Counter, UE_KEY, UE_KEY_2, UE_KEY_3, agw, answer_again, crypto, crypto_lines, dialogue,
    fingerprint, media, originate, rtp_answer, rtp_stream, sdp, srtp_offer, tls_stream,
    with_policy,
};

fn key(keys: &KeySet) -> Vec<u8> {
    keys.entries()[0].key().expose_key().to_vec()
}

#[test]
fn req_cs_01_e2ae_of_a_participant_is_invisible_to_the_conference_server() {
    let own = fingerprint("UE");
    let secured = sdp(&format!(
        "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}m=application 9 TCP/TLS/BFCP *\n\
         a=setup:active\na=fingerprint:{own}\nm=message 9 TCP/TLS/MSRP *\na=setup:active\n\
         a=fingerprint:{own}\n",
        crypto(1, UE_KEY)
    ));
    let plain = sdp(
        "m=audio 1 RTP/AVP 0\nm=application 9 TCP/BFCP *\na=setup:active\n\
         m=message 9 TCP/MSRP *\na=setup:active\n",
    );
    let originating = dialogue().originating(&secured).unwrap();
    assert_eq!(originating.offer_to_core(), plain);
}

#[test]
fn req_cs_03_each_participant_and_stream_has_keys_of_its_own() {
    // One server, one plain offer, two participants of one edge.
    let offer = sdp("m=audio 5 RTP/AVP 0\nm=video 7 RTP/AVP 31\n");
    let mut rng = Counter::new();
    let mut lines = Vec::new();
    for _ in 0..2 {
        let terminating = dialogue().terminating(&offer, agw, &mut rng).unwrap();
        lines.extend(crypto_lines(terminating.offer_to_ue()));
    }
    let mut keys: Vec<_> = lines
        .iter()
        .map(|line| line.split("inline:").nth(1).unwrap())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 16);
}

#[test]
fn req_cs_07_a_join_ends_the_stream_with_port_0_and_a_new_line_begins_anew() {
    let mut rng = Counter::new();
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    let first = answer_again(&originating, &rtp_answer(), &mut rng);
    // The core ends line 0 and adds line 1, and the UE answers with a new key and port.
    let offer = sdp("m=audio 0 RTP/AVP 97\nm=audio 5006 RTP/AVP 97\n");
    let mut terminating = first.dialogue().terminating(&offer, agw, &mut rng).unwrap();
    let to_ue = media(terminating.offer_to_ue());
    assert!(to_ue.starts_with("m=audio 0 RTP/SAVP 97\nm=audio 5006 RTP/SAVP 97\na=crypto:1 "));
    let answer = sdp(&format!(
        "m=audio 0 RTP/SAVP 97\nm=audio 49172 RTP/SAVP 97\n{}",
        crypto(4, UE_KEY_2)
    ));
    let second = terminating.answered(&answer, &mut rng).unwrap();
    assert_eq!(
        media(second.sdp()),
        "m=audio 0 RTP/AVP 97\nm=audio 49172 RTP/AVP 97\n"
    );
    let [Outcome::Closed, Outcome::Rtp(new)] = second.outcomes() else {
        panic!()
    };
    // A new context: nothing of the old one goes on.
    assert!(new.change().is_none());
    let old = rtp_stream(&first.outcomes()[0]);
    assert_ne!(key(old.outbound()), key(new.outbound()));
    // The line that has ended may be used again, with other keys, and is new as well.
    let offer = sdp(&format!(
        "m=audio 49174 RTP/SAVP 97\na=3ge2ae:requested\n{}m=audio 49172 RTP/SAVP 97\n{}",
        crypto(1, UE_KEY_3),
        crypto(4, UE_KEY_2),
    ));
    let core = sdp("m=audio 5008 RTP/AVP 97\nm=audio 5006 RTP/AVP 97\n");
    let third = second.dialogue().originating(&offer).unwrap();
    let third = answer_again(&third, &core, &mut rng);
    assert!(rtp_stream(&third.outcomes()[0]).change().is_none());
    assert!(rtp_stream(&third.outcomes()[1]).change().is_some());
}

#[test]
fn a_closed_line_keeps_its_keys_from_the_core_and_its_protocol_on_each_side() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let closed = String::from_utf8(srtp_offer())
        .unwrap()
        .replace("m=audio 49170", "m=audio 0");
    let originating = first.dialogue().originating(closed.as_bytes()).unwrap();
    let to_core = media(originating.offer_to_core());
    assert_eq!(to_core, "m=audio 0 RTP/AVP 97\na=rtpmap:97 AMR/8000\n");
    let answer = sdp("m=audio 0 RTP/AVP 97\n");
    let answered = originating
        .answered(&answer, agw, &mut Counter::new())
        .unwrap();
    assert_eq!(media(answered.sdp()), "m=audio 0 RTP/SAVP 97\n");
    assert!(matches!(answered.outcomes(), [Outcome::Closed]));
}

#[test]
fn hold_and_resume_of_a_ue_that_re_keys_in_its_answer() {
    let mut policy = Policy::default();
    policy.rekey = Rekey::NewContext;
    let first = originate(&with_policy(policy), &srtp_offer(), &rtp_answer());
    let hold = sdp("m=audio 5004 RTP/AVP 97\na=inactive\n");
    let mut terminating = first
        .dialogue()
        .terminating(&hold, agw, &mut Counter::new())
        .unwrap();
    let answer = sdp(&format!(
        "m=audio 49170 RTP/SAVP 97\n{}",
        crypto(1, UE_KEY_2)
    ));
    let second = terminating.answered(&answer, &mut Counter::new()).unwrap();
    let stream = rtp_stream(&second.outcomes()[0]);
    let change = stream.change().unwrap();
    assert_eq!(change.inbound, sdes::Rekey::NewKey { reset_roc: true });
    // Local was kept, and must then keep its ROC: no key stream twice.
    assert_eq!(change.outbound, sdes::Rekey::Unchanged);
    let old = rtp_stream(&first.outcomes()[0]);
    assert_eq!(key(old.outbound()), key(stream.outbound()));
}

#[test]
fn a_refused_answer_leaves_the_dialogue_as_it_was() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let before = crypto_lines(first.sdp());
    let originating = first.dialogue().originating(&srtp_offer()).unwrap();
    for bad in [&b"v=0\rs=-\r\n"[..], b"v=0\r\n", b"v=0\r\nm=audio\r\n"] {
        assert!(originating.answered(bad, agw, &mut Counter::new()).is_err());
    }
    let again = originate(first.dialogue(), &srtp_offer(), &rtp_answer());
    assert_eq!(crypto_lines(again.sdp()), before);
}

#[test]
fn an_established_tls_stream_keeps_its_certificate_without_asking_again() {
    let own = fingerprint("UE");
    let offer = sdp(&format!(
        "m=message 9 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{own}\n\
         a=path:msrps://ue.example:9/a;tcp\n"
    ));
    let answer = sdp("m=message 2855 TCP/MSRP *\na=setup:passive\n");
    let first = originate(&dialogue(), &offer, &answer);
    let originating = first.dialogue().originating(&offer).unwrap();
    let again = originating
        .answered(&answer, |_| None, &mut Counter::new())
        .unwrap();
    let (old, new) = (
        tls_stream(&first.outcomes()[0]),
        tls_stream(&again.outcomes()[0]),
    );
    assert_eq!(old.own_fingerprint(), new.own_fingerprint());
    assert_eq!(new.access_roles().unwrap().tls, Some(TlsRole::Server));
    assert_eq!(first.sdp(), again.sdp());
}

#[test]
fn a_core_that_refuses_or_answers_with_another_protocol_is_not_made_secure() {
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    for (answer, closed) in [
        (sdp("m=audio 0 RTP/AVP 97\n"), true),
        (sdp("m=audio 0 FOO/BAR 97\n"), true),
        (sdp("m=audio 0 RTP/AVPF 97\n"), true),
        (sdp("m=audio 5004 UDP/TLS/RTP/SAVPF 97\n"), false),
        (
            sdp(&format!(
                "m=audio 5004 RTP/SAVP 97\n{}",
                crypto(1, UE_KEY_2)
            )),
            false,
        ),
        (
            sdp("m=audio 5004 RTP/AVP 97\na=key-mgmt:mikey AQAFgA==\n"),
            false,
        ),
    ] {
        let answered = originating
            .answered(&answer, agw, &mut Counter::new())
            .unwrap();
        assert!(media(answered.sdp()).starts_with("m=audio 0 RTP/SAVP 97\n"));
        assert!(crypto_lines(answered.sdp()).is_empty());
        let expected = matches!(answered.outcomes(), [Outcome::Closed]);
        assert_eq!(expected, closed);
    }
}

#[test]
fn a_ue_that_answers_in_plain_is_refused_though_it_has_keys() {
    let offer = sdp("m=audio 5 RTP/AVP 0\nm=message 7 TCP/MSRP *\n");
    let mut terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let tls = format!("a=setup:active\na=fingerprint:{}\n", fingerprint("UE"));
    let key = crypto(4, UE_KEY);
    let plain = sdp(&format!(
        "m=audio 1 RTP/AVP 0\n{key}m=message 9 TCP/MSRP *\n{tls}"
    ));
    let answered = terminating.answered(&plain, &mut Counter::new()).unwrap();
    let mismatch = Refusal::ProtocolMismatch;
    for outcome in answered.outcomes() {
        assert!(matches!(outcome, Outcome::Refused(refusal) if *refusal == mismatch));
    }
    assert_eq!(
        media(answered.sdp()),
        "m=audio 0 RTP/AVP 0\nm=message 0 TCP/MSRP *\na=setup:active\n"
    );
    // Nor may it answer with key management what it was offered as e2ae.
    let mikey = "a=key-mgmt:mikey AQEFgA==\n";
    let both =
        format!("m=audio 1 RTP/SAVP 0\n{mikey}{key}m=message 9 TCP/TLS/MSRP *\n{mikey}{tls}");
    let answered = terminating
        .answered(&sdp(&both), &mut Counter::new())
        .unwrap();
    for outcome in answered.outcomes() {
        let Outcome::Refused(Refusal::Sdp(error)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error.rule(), Rule::Conflicting);
    }
}

#[test]
fn an_established_tls_stream_does_not_become_plain_or_end_to_end() {
    let tls = format!("a=setup:active\na=fingerprint:{}\n", fingerprint("UE"));
    let secured = sdp(&format!("m=message 9 TCP/TLS/MSRP *\n{tls}"));
    let first = originate(&dialogue(), &secured, &sdp("m=message 2855 TCP/MSRP *\n"));
    let plain = sdp("m=message 9 TCP/MSRP *\na=setup:active\n");
    let mikey = sdp(&format!(
        "m=message 9 TCP/TLS/MSRP *\na=key-mgmt:mikey AQAFgA==\n{tls}"
    ));
    for (offer, rule) in [
        (plain, Rule::ProtectionStripped),
        (mikey, Rule::Conflicting),
    ] {
        let originating = first.dialogue().originating(&offer).unwrap();
        let refusal = Refusal::Sdp(rule.at(6));
        assert_eq!(
            originating.intentions().collect::<Vec<_>>(),
            [Intention::Refuse(refusal)]
        );
        assert!(media(originating.offer_to_core()).starts_with("m=message 0 TCP/MSRP *\n"));
    }
}

#[test]
fn hold_with_the_address_0_0_0_0_is_no_move() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let text = String::from_utf8(srtp_offer()).unwrap();
    let hold = text.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0");
    let held = originate(first.dialogue(), hold.as_bytes(), &rtp_answer());
    let resumed = originate(held.dialogue(), &srtp_offer(), &rtp_answer());
    for answered in [held, resumed] {
        let change = rtp_stream(&answered.outcomes()[0]).change().unwrap();
        assert_eq!(change.inbound, sdes::Rekey::Unchanged);
        assert_eq!(change.outbound, sdes::Rekey::Unchanged);
    }
}
