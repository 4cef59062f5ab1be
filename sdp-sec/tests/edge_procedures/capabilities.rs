//! Legal calls that must not fail: feedback negotiated by capabilities (RFC 5939), as MTSI video
//! does it, and a fax in the place of voice.

use sdp_sec::edge::{Dialogue, EdgeError, Intention, Outcome, Policy, Refusal};
use sdp_sec::mediasec::Mechanism;
use sdp_sec::{Protocol, Rule};

use super::support::{
    Counter, UE_KEY, UE_KEY_2, access, agw, answer_again, crypto, dialogue, media, originate,
    rtp_answer, rtp_stream, sdp, srtp_offer, tls_stream,
};

const VIDEO: &str = "a=rtpmap:99 H264/90000\na=rtcp-fb:* nack pli\n";

fn dialogue_without_e2ae() -> Dialogue {
    Dialogue::new(Policy::default().into(), access(&[]))
}

#[test]
fn req_rtp_02_feedback_offered_as_a_capability_is_offered_to_the_core_in_plain() {
    let crypto = crypto(1, UE_KEY);
    let offer = sdp(&format!(
        "m=video 1 RTP/SAVP 99\na=tcap:1 rtp/savpf UDP/TLS/RTP/SAVPF RTP/AVPF x\na=pcfg:1 t=1\n\
         a=3ge2ae:requested\n{crypto}{VIDEO}"
    ));
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(
        media(originating.offer_to_core()),
        format!(
            "m=video 1 RTP/AVP 99\na=tcap:1 RTP/AVPF UDP/TLS/RTP/SAVPF RTP/AVPF x\n\
             a=pcfg:1 t=1\n{VIDEO}"
        )
    );
    // The core takes it, or it does not.
    for (core, ue, acfg) in [
        ("RTP/AVPF", "RTP/SAVPF", "a=acfg:1 t=1\n"),
        ("RTP/AVP", "RTP/SAVP", ""),
    ] {
        let answer = sdp(&format!("m=video 5 {core} 99\n{acfg}{VIDEO}"));
        let answered = answer_again(&originating, &answer, &mut Counter::new());
        let stream = rtp_stream(&answered.outcomes()[0]);
        assert_eq!(stream.access(), Protocol::from_token(ue));
        assert_eq!(stream.core(), Protocol::from_token(core));
        let to_ue = media(answered.sdp());
        let expected = format!("m=video 5 {ue} 99\n{acfg}{VIDEO}a=crypto:1 ");
        assert!(to_ue.starts_with(&expected), "{to_ue}");
    }
    // Protection is no capability that the core may choose.
    for core in ["RTP/SAVPF", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"] {
        let answer = sdp(&format!("m=video 5 {core} 99\na=acfg:1 t=1\n"));
        let answered = answer_again(&originating, &answer, &mut Counter::new());
        let refused = &answered.outcomes()[0];
        assert!(matches!(
            refused,
            Outcome::Refused(Refusal::ProtocolMismatch)
        ));
        assert!(media(answered.sdp()).starts_with("m=video 0 "));
    }
}

#[test]
fn req_rtp_01_feedback_offered_as_a_capability_is_offered_to_the_ue_protected() {
    let offer = sdp(&format!(
        "m=video 1 RTP/AVP 99\na=tcap:1 RTP/AVPF\na=pcfg:1 t=1\n{VIDEO}"
    ));
    let mut terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let to_ue = media(terminating.offer_to_ue());
    assert!(
        to_ue.starts_with("m=video 1 RTP/SAVP 99\na=tcap:1 RTP/SAVPF\na=pcfg:1 t=1\n"),
        "{to_ue}"
    );
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let answer = |protocol: &str| {
        sdp(&format!(
            "m=video 5 {protocol} 99\na=acfg:1 t=1\n{VIDEO}a=crypto:4 {suite} inline:{UE_KEY}\n"
        ))
    };
    // A plain answer stays refused, and the same offer can be answered as it should be.
    for plain in ["RTP/AVPF", "RTP/AVP"] {
        let answered = terminating.answered(&answer(plain), &mut Counter::new());
        let refused = &answered.unwrap().outcomes()[0].clone();
        assert!(matches!(
            refused,
            Outcome::Refused(Refusal::ProtocolMismatch)
        ));
    }
    let answered = terminating
        .answered(&answer("RTP/SAVPF"), &mut Counter::new())
        .unwrap();
    assert_eq!(
        rtp_stream(&answered.outcomes()[0]).core(),
        Protocol::RtpAvpf
    );
    assert_eq!(
        media(answered.sdp()),
        format!("m=video 5 RTP/AVPF 99\na=acfg:1 t=1\n{VIDEO}")
    );
}

#[test]
fn capabilities_of_the_session_change_where_no_stream_needs_them_as_they_are() {
    let line = crypto(1, UE_KEY);
    let audio = format!("m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{line}");
    let to_core = |streams: &str| {
        let offer = sdp(&format!("a=tcap:1 RTP/SAVPF\n{streams}"));
        let sent = dialogue().originating(&offer).unwrap();
        String::from_utf8_lossy(sent.offer_to_core()).into_owned()
    };
    let ended = "m=video 0 RTP/AVP 99\n";
    for (streams, expected) in [
        (audio.clone(), "a=tcap:1 RTP/AVPF\r\n"),
        (format!("{audio}{ended}"), "a=tcap:1 RTP/AVPF\r\n"),
        (
            format!("{audio}m=video 3 RTP/SAVP 99\n{}", crypto(1, UE_KEY_2)),
            "a=tcap:1 RTP/SAVPF\r\n",
        ),
    ] {
        assert!(to_core(&streams).contains(expected), "{streams}");
    }
}

#[test]
fn a_plain_stream_may_be_answered_with_the_feedback_that_was_offered_as_a_capability() {
    let answer = sdp("m=video 5 RTP/AVPF 99\na=acfg:1 t=1\n");
    let offer = sdp("m=video 1 RTP/AVP 99\na=tcap:1 RTP/AVPF\na=pcfg:1 t=1\n");
    let originating = dialogue_without_e2ae().originating(&offer).unwrap();
    assert_eq!(originating.offer_to_core(), offer);
    let answered = answer_again(&originating, &answer, &mut Counter::new());
    assert_eq!(answered.sdp(), answer);
    let mut terminating = dialogue_without_e2ae()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
    assert_eq!(answered.sdp(), answer);
    // What is protected end to end does not become plain by it.
    let end_to_end = sdp(&format!("m=video 1 RTP/SAVP 99\n{}", crypto(1, UE_KEY)));
    let originating = dialogue().originating(&end_to_end).unwrap();
    let answered = answer_again(&originating, &answer, &mut Counter::new());
    assert!(matches!(
        answered.outcomes(),
        [Outcome::Refused(Refusal::ProtocolMismatch)]
    ));
}

#[test]
fn req_t38_05_a_fax_in_the_place_of_voice_is_judged_for_itself() {
    let fax = sdp("m=image 49180 udptl t38\n");
    // The UE announced voice alone: its fax is plain, as in a call that begins with one.
    let voice = Dialogue::new(Policy::default().into(), access(&[Mechanism::SdesSrtp]));
    let first = originate(&voice, &srtp_offer(), &rtp_answer());
    let originating = first.dialogue().originating(&fax).unwrap();
    assert_eq!(
        originating.intentions().collect::<Vec<_>>(),
        [Intention::Untouched]
    );
    // Voice that comes back needs a key of its own; the old one would begin with ROC 0 again.
    let faxing = originate(first.dialogue(), &fax, &sdp("m=image 5 udptl t38\n"));
    let old = faxing.dialogue().originating(&srtp_offer()).unwrap();
    let refused = Refusal::Crypto(sdes::Refused::KeyReused);
    assert_eq!(
        old.intentions().collect::<Vec<_>>(),
        [Intention::Refuse(refused)]
    );
    let new = String::from_utf8(srtp_offer()).unwrap();
    let new = new.replace(UE_KEY, UE_KEY_2);
    let originating = faxing.dialogue().originating(new.as_bytes()).unwrap();
    let mut rng = Counter::new();
    rand_core::Rng::next_u64(&mut rng);
    let voice_again = answer_again(&originating, &rtp_answer(), &mut rng);
    assert!(matches!(voice_again.outcomes(), [Outcome::Rtp(_)]));
    // The core's fax is protected for a UE that announced it; then it does not become plain.
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let mut terminating = first
        .dialogue()
        .terminating(&fax, agw, &mut Counter::new())
        .unwrap();
    let print = super::support::fingerprint("UE");
    let answer = sdp(&format!(
        "m=image 49180 UDP/TLS/UDPTL t38\na=setup:active\na=fingerprint:{print}\n"
    ));
    let faxing = terminating.answered(&answer, &mut Counter::new()).unwrap();
    assert_eq!(
        tls_stream(&faxing.outcomes()[0]).access(),
        Protocol::UdpTlsUdptl
    );
    let plain = faxing.dialogue().originating(&fax).unwrap();
    let stripped = Refusal::Sdp(Rule::ProtectionStripped.at(6));
    assert_eq!(
        plain.intentions().collect::<Vec<_>>(),
        [Intention::Refuse(stripped)]
    );
    // Nor does voice, as long as it is voice.
    let first = originate(&voice, &srtp_offer(), &rtp_answer());
    let plain = first
        .dialogue()
        .originating(&sdp("m=audio 49170 RTP/AVPF 97\n"));
    assert_eq!(plain.err(), Some(EdgeError::Frozen { media: 0 }));
}
