//! Which keys pass the edge, and which come back: seen from a UE or a core that means harm.

use core::time::Duration;
use std::time::Instant;

use sdp_sec::edge::{Dialogue, EdgeError, Intention, Outcome, Policy, Refusal, Rekey};
use sdp_sec::mediasec::{self, Mechanism, Source};

use super::support::{
    Counter, UE_KEY, UE_KEY_2, UE_KEY_3, access, agw, answer_again, crypto, crypto_lines, dialogue,
    media, originate, rtp_answer, rtp_stream, sdp, srtp_offer, ue_answer, with_policy,
};

const REUSED: Refusal = Refusal::Crypto(sdes::Refused::KeyReused);

fn refused(outcome: &Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => *refusal,
        other => panic!("{other:?}"),
    }
}

/// An e2ae line and an end-to-end line, each with these lines.
fn two_lines(edge: &str, end_to_end: &str) -> [String; 2] {
    [
        format!("m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{edge}"),
        format!("m=video 3 RTP/SAVP 31\n{end_to_end}"),
    ]
}

#[test]
fn req_rtp_10_a_key_of_a_protected_line_does_not_pass_on_an_end_to_end_line() {
    let edge = crypto(1, UE_KEY);
    for shown in [
        crypto(7, UE_KEY),
        // Beside another line, as a capability, under a suite nobody knows, with another salt.
        format!("{}{}", crypto(1, UE_KEY_2), crypto(2, UE_KEY)),
        format!(
            "{}a=acap:1 crypto:2 X inline:{UE_KEY}\n",
            crypto(1, UE_KEY_2)
        ),
        format!("{}a=crypto:2 X inline:{UE_KEY}\n", crypto(1, UE_KEY_2)),
        format!(
            "{}a=Crypto : nonsense INLINE:{UE_KEY}\n",
            crypto(1, UE_KEY_2)
        ),
        crypto(1, &format!("{}{}", &UE_KEY[..24], &UE_KEY_2[24..])),
        format!(
            "{}a=crypto:2 X url:x FEC_KEY=inline:{UE_KEY}\n",
            crypto(1, UE_KEY_2)
        ),
    ] {
        let [audio, video] = two_lines(&edge, &shown);
        for (lines, second) in [
            (format!("{audio}{video}"), 1),
            (format!("{video}{audio}"), 1),
        ] {
            let originating = dialogue().originating(&sdp(&lines)).unwrap();
            let intentions: Vec<_> = originating.intentions().collect();
            assert_eq!(intentions[second], Intention::Refuse(REUSED), "{lines}");
            let to_core = media(originating.offer_to_core());
            let kept = intentions.contains(&Intention::Untouched);
            // Where the end-to-end line came first it keeps its key, and nobody else has it.
            assert_eq!(to_core.contains(&UE_KEY[..20]), kept, "{to_core}");
        }
    }
}

#[test]
fn req_rtp_10_a_line_that_was_not_selected_counts_as_well() {
    let both = format!("{}{}", crypto(1, UE_KEY), crypto(2, UE_KEY_2));
    let [audio, video] = two_lines(&both, &crypto(1, UE_KEY_2));
    let originating = dialogue().originating(&sdp(&(audio + &video))).unwrap();
    let to_core = media(originating.offer_to_core());
    assert_eq!(to_core, "m=audio 1 RTP/AVP 0\nm=video 0 RTP/AVP 31\n");
}

#[test]
fn req_rtp_10_neither_a_ues_answer_nor_the_cores_brings_a_key_of_another_line() {
    let answer = |audio: &str, video: &str| {
        let (audio, video) = (crypto(4, audio), crypto(1, video));
        sdp(&format!(
            "m=audio 1 RTP/SAVP 0\n{audio}m=video 3 RTP/SAVP 31\n{video}"
        ))
    };
    let mut rng = Counter::new();
    let offer = sdp(&format!(
        "m=audio 5 RTP/AVP 0\nm=video 7 RTP/SAVP 31\n{}",
        crypto(1, UE_KEY)
    ));
    let offer_to_ue = || {
        dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap()
    };
    let local = crypto_lines(offer_to_ue().offer_to_ue())[3].clone();
    let local = local.split("inline:").nth(1).unwrap().to_owned();
    for (audio, video, place) in [
        // One key for both lines; the core's own key; the key that the edge offered.
        (UE_KEY_2, UE_KEY_2, 1),
        (UE_KEY, UE_KEY_2, 0),
        (UE_KEY_2, UE_KEY, 1),
        (UE_KEY_2, local.as_str(), 1),
    ] {
        let mut terminating = offer_to_ue();
        let answered = terminating
            .answered(&answer(audio, video), &mut rng)
            .unwrap();
        assert_eq!(refused(&answered.outcomes()[place]), REUSED);
        let to_core = media(answered.sdp());
        assert!(
            !to_core.contains(&local[..20]) && !to_core.contains(&UE_KEY[..20]),
            "{to_core}"
        );
        assert!(
            place == 0 || !to_core.contains(&UE_KEY_2[..20]),
            "{to_core}"
        );
    }
    // The core answers with a key that it cannot know by right.
    let [audio, video] = two_lines(&crypto(1, UE_KEY), &crypto(1, UE_KEY_2));
    let originating = dialogue().originating(&sdp(&(audio + &video))).unwrap();
    for key in [UE_KEY, UE_KEY_2] {
        let core = format!(
            "m=audio 5 RTP/AVP 0\nm=video 7 RTP/SAVP 31\n{}",
            crypto(1, key)
        );
        let answered = answer_again(&originating, &sdp(&core), &mut rng);
        assert!(matches!(answered.outcomes()[0], Outcome::Rtp(_)));
        assert_eq!(refused(&answered.outcomes()[1]), REUSED);
        assert!(media(answered.sdp()).ends_with("m=video 0 RTP/SAVP 31\n"));
    }
}

#[test]
fn req_rtp_10_a_key_of_an_earlier_exchange_does_not_pass_on_an_end_to_end_line() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let own = crypto_lines(first.sdp())[0].clone() + "\n";
    let e2ae = media(&srtp_offer());
    for key in [crypto(1, UE_KEY), own] {
        let offer = sdp(&format!("{e2ae}m=video 3 RTP/SAVP 31\n{key}"));
        let originating = first.dialogue().originating(&offer).unwrap();
        assert_eq!(
            originating.intentions().nth(1),
            Some(Intention::Refuse(REUSED))
        );
        assert!(!media(originating.offer_to_core()).contains("inline"));
        // Nor does it from the core.
        let offer = sdp(&format!(
            "{}m=video 3 RTP/SAVP 31\n{key}",
            media(&rtp_answer())
        ));
        let terminating = first
            .dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(
            terminating.intentions().nth(1),
            Some(Intention::Refuse(REUSED))
        );
    }
    // And the other way round: a key that the core has seen protects no e2ae stream.
    let end_to_end = format!("m=video 3 RTP/SAVP 31\n{}", crypto(1, UE_KEY_2));
    let core = sdp(&format!("m=video 7 RTP/SAVP 31\n{}", crypto(1, UE_KEY_3)));
    let first = originate(&dialogue(), &sdp(&end_to_end), &core);
    for known in [UE_KEY_2, UE_KEY_3] {
        let line = crypto(1, known);
        let audio = format!("m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{line}");
        let offer = sdp(&format!("{end_to_end}{audio}"));
        let originating = first.dialogue().originating(&offer).unwrap();
        assert_eq!(
            originating.intentions().nth(1),
            Some(Intention::Refuse(REUSED))
        );
    }
}

#[test]
fn req_rtp_10_keys_pass_on_no_line_that_they_do_not_protect() {
    let key = crypto(1, UE_KEY);
    let capability = format!("a=acap:1 crypto:1 X inline:{UE_KEY_2}\n");
    let old = "k=base64:d2VsbCBrbm93biBsb25nIGFnbw\n";
    for line in [
        "m=audio 1 RTP/AVP 0\n",
        "m=audio 1 RTP/AVPF 0\n",
        "m=audio 0 RTP/SAVP 0\n",
        "m=audio 1 UDP/TLS/RTP/SAVPF 0\n",
        "m=audio 1 WHAT/EVER 0\n",
        "m=message 9 TCP/MSRP *\n",
    ] {
        let plain = Dialogue::new(Policy::default().into(), access(&[]));
        let keyed = sdp(&format!(
            "{line}{old}{key}{capability}a=acap:2 3ge2ae:requested\na=x\n"
        ));
        let bare = sdp(&format!("{line}a=x\n"));
        for keyed in [keyed, sdp(&format!("{old}{key}{capability}{line}a=x\n"))] {
            let originating = plain.originating(&keyed).unwrap();
            assert_eq!(originating.intentions().next(), Some(Intention::Untouched));
            assert_eq!(originating.offer_to_core(), bare);
            let mut rng = Counter::new();
            let mut terminating = plain.terminating(&bare, agw, &mut rng).unwrap();
            let answered = terminating.answered(&keyed, &mut rng).unwrap();
            assert_eq!(answered.sdp(), bare);
            // Nor do they towards the UE, which would answer with its own.
            let terminating = plain.terminating(&keyed, agw, &mut rng).unwrap();
            assert_eq!(terminating.offer_to_ue(), bare);
        }
    }
}

#[test]
fn req_reg_08_end_to_end_sdes_needs_confidential_signalling_as_well() {
    let line = format!("m=audio 1 RTP/SAVP 0\n{}", crypto(1, UE_KEY));
    let mut readable = access(&Mechanism::ALL);
    readable.signalling = mediasec::SignallingProtection::Integrity;
    let readable = Dialogue::new(Policy::default().into(), readable);
    let unprotected = Refusal::Registration(mediasec::Refusal::SignallingUnprotected);
    for source in [Source::Ue, Source::Core] {
        let intentions = readable.examine(&sdp(&line), source).unwrap();
        assert_eq!(intentions, [Intention::Refuse(unprotected)]);
    }
    let originating = readable.originating(&sdp(&line)).unwrap();
    assert_eq!(media(originating.offer_to_core()), "m=audio 0 RTP/AVP 0\n");
    // Key management needs no more than it is, and a key beside it does not pass.
    let managed = "a=key-mgmt:mikey AQAFgA==\n";
    let originating = readable
        .originating(&sdp(&format!("{line}{managed}")))
        .unwrap();
    let to_core = media(originating.offer_to_core());
    assert_eq!(to_core, format!("m=audio 1 RTP/SAVP 0\n{managed}"));
}

#[test]
fn req_rtp_11_an_answer_does_not_take_protection_off_an_end_to_end_line() {
    let offer = sdp(&format!("m=audio 1 RTP/SAVP 0\n{}", crypto(1, UE_KEY)));
    let mismatch = Refusal::ProtocolMismatch;
    let not_keyed = Refusal::Registration(mediasec::Refusal::NotKeyed);
    for (answer, refusal) in [
        ("m=audio 5 RTP/AVP 0\n".to_owned(), mismatch),
        (
            format!("m=audio 5 RTP/AVP 0\n{}", crypto(1, UE_KEY_2)),
            mismatch,
        ),
        ("m=audio 5 RTP/AVPF 0\n".to_owned(), mismatch),
        ("m=audio 5 RTP/SAVPF 0\n".to_owned(), not_keyed),
        ("m=audio 5 RTP/SAVP 0\n".to_owned(), not_keyed),
    ] {
        let originating = dialogue().originating(&offer).unwrap();
        let answered = answer_again(&originating, &sdp(&answer), &mut Counter::new());
        assert_eq!(refused(&answered.outcomes()[0]), refusal);
        assert!(media(answered.sdp()).starts_with("m=audio 0 RTP/SAVP"));
        let mut terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let answered = terminating
            .answered(&sdp(&answer), &mut Counter::new())
            .unwrap();
        assert_eq!(refused(&answered.outcomes()[0]), refusal);
        assert!(media(answered.sdp()).starts_with("m=audio 0 RTP/SAVP"));
    }
    // Key management and DTLS lines as well; and what was offered with port 0 stays away.
    for (offer, answer) in [
        (
            "m=audio 1 RTP/SAVP 0\na=key-mgmt:mikey AQAFgA==\n",
            "m=audio 5 RTP/AVP 0\n",
        ),
        (
            "m=message 1 TCP/TLS/MSRP *\na=key-mgmt:mikey AQAFgA==\n",
            "m=message 5 TCP/MSRP *\n",
        ),
        (
            "m=audio 1 UDP/TLS/RTP/SAVPF 0\na=fingerprint:x y\n",
            "m=audio 5 RTP/AVPF 0\n",
        ),
        ("m=audio 0 RTP/SAVP 0\n", "m=audio 5 RTP/SAVP 0\n"),
    ] {
        let answered = originate(&dialogue(), &sdp(offer), &sdp(answer));
        assert!(
            matches!(answered.outcomes(), [Outcome::Refused(_)]),
            "{offer}"
        );
        let port = media(answered.sdp());
        assert_eq!(port.split(' ').nth(1), Some("0"), "{port}");
    }
}

#[test]
fn req_rtp_16_a_key_that_was_given_up_never_comes_back() {
    let mut policy = Policy::default();
    policy.rekey = Rekey::NewContext;
    let mut rng = Counter::new();
    let with_key = |key| {
        let text = String::from_utf8(srtp_offer()).unwrap();
        text.replace(UE_KEY, key).into_bytes()
    };
    let originating = with_policy(policy).originating(&with_key(UE_KEY)).unwrap();
    let first = answer_again(&originating, &rtp_answer(), &mut rng);
    let originating = first.dialogue().originating(&with_key(UE_KEY_2)).unwrap();
    let second = answer_again(&originating, &rtp_answer(), &mut rng);
    let change = rtp_stream(&second.outcomes()[0]).change().unwrap();
    assert_eq!(change.inbound, sdes::Rekey::NewKey { reset_roc: true });
    // A, B, A: with ROC 0 again it would be a two-time pad.
    let back = second.dialogue().originating(&with_key(UE_KEY)).unwrap();
    let frozen = Some(EdgeError::Frozen { media: 0 });
    assert_eq!(back.answered(&rtp_answer(), agw, &mut rng).err(), frozen);
    let mut hold = second
        .dialogue()
        .terminating(&rtp_answer(), agw, &mut rng)
        .unwrap();
    let answer = ue_answer(1, "AES_CM_128_HMAC_SHA1_80", UE_KEY);
    assert_eq!(hold.answered(&answer, &mut rng).err(), frozen);
}

#[test]
fn req_rtp_16_a_stream_that_has_ended_begins_anew_with_other_keys() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let closed = |sdp: Vec<u8>| {
        let text = String::from_utf8(sdp).unwrap();
        let text = text.replace("m=audio 49170", "m=audio 0");
        text.replace("m=audio 5004", "m=audio 0").into_bytes()
    };
    let ended = originate(
        first.dialogue(),
        &closed(srtp_offer()),
        &closed(rtp_answer()),
    );
    let again = ended.dialogue().originating(&srtp_offer()).unwrap();
    assert_eq!(again.intentions().next(), Some(Intention::Refuse(REUSED)));
    let other = String::from_utf8(srtp_offer())
        .unwrap()
        .replace(UE_KEY, UE_KEY_2);
    let mut rng = Counter::new();
    // Other randomness than the first time.
    dialogue()
        .terminating(&rtp_answer(), agw, &mut rng)
        .unwrap();
    let originating = ended.dialogue().originating(other.as_bytes()).unwrap();
    let answered = answer_again(&originating, &rtp_answer(), &mut rng);
    assert!(matches!(answered.outcomes(), [Outcome::Rtp(_)]));
    // A stream that the core never took has not used its key.
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    let refused = answer_again(&originating, &closed(rtp_answer()), &mut rng);
    let again = originate(refused.dialogue(), &srtp_offer(), &rtp_answer());
    assert!(matches!(again.outcomes(), [Outcome::Rtp(_)]));
}

#[test]
fn hold_with_an_address_that_is_none_is_no_move() {
    let offer = |line: &str| {
        let text = String::from_utf8(srtp_offer()).unwrap();
        text.replace("c=IN IP4 192.0.2.1", line).into_bytes()
    };
    for (address, holds) in [
        ("c=IN IP4 0.0.0.0", true),
        ("c=IN IP4 0.0.0.0/127", true),
        ("c=IN IP6 ::", true),
        ("c=IN IP6 0:0:0:0:0:0:0:0", true),
        ("c=IN IP6 hold.invalid", true),
        ("c=IN IP6 invalid.example", false),
        ("c=IN IP6 ::1", false),
        ("c=IN IP4 192.0.2.2", false),
        ("c=IN", false),
    ] {
        let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
        let held = first.dialogue().originating(&offer(address));
        let expected = (!holds).then_some(EdgeError::Frozen { media: 0 });
        assert_eq!(held.as_ref().err(), expected.as_ref(), "{address}");
        if let Ok(held) = held {
            let held = answer_again(&held, &rtp_answer(), &mut Counter::new());
            let resumed = originate(held.dialogue(), &srtp_offer(), &rtp_answer());
            let change = rtp_stream(&resumed.outcomes()[0]).change().unwrap();
            assert_eq!(change.inbound, sdes::Rekey::Unchanged);
        }
    }
}

#[test]
fn req_reg_04_policy_require_protection_refuses_plain_lines_of_an_agreed_class() {
    let offer = sdp("m=audio 1 RTP/AVP 0\nm=message 9 TCP/MSRP *\nm=video 3 RTP/AVP 31\n");
    let mut strict = access(&[Mechanism::SdesSrtp]);
    strict.policy.require_protection = true;
    let strict = Dialogue::new(Policy::default().into(), strict);
    let originating = strict.originating(&offer).unwrap();
    let refused = Intention::Refuse(Refusal::Registration(mediasec::Refusal::NotProtected));
    let intentions: Vec<_> = originating.intentions().collect();
    assert_eq!(intentions, [refused, Intention::Untouched, refused]);
    let to_core = media(originating.offer_to_core());
    assert_eq!(
        to_core,
        "m=audio 0 RTP/AVP 0\nm=message 9 TCP/MSRP *\nm=video 0 RTP/AVP 31\n"
    );
    // Without it, and towards a UE, nothing changes.
    let lenient = Dialogue::new(Policy::default().into(), access(&[Mechanism::SdesSrtp]));
    let intentions = lenient.examine(&offer, Source::Ue).unwrap();
    assert_eq!(intentions, [Intention::Untouched; 3]);
    assert_eq!(
        strict.examine(&offer, Source::Core).unwrap()[0],
        Intention::Protect(Mechanism::SdesSrtp)
    );
}

/// 2800 different keys in one description, about as many as its greatest length holds.
fn many_keys(tag: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut lines = String::new();
    for line in 0..70 {
        lines += "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n";
        for number in 0..40 {
            let key = format!("{:020}{:020}", line * 64 + number + 1, 0);
            lines += &crypto(tag(number), &key);
        }
    }
    sdp(&lines)
}

#[test]
fn req_sdp_04_many_keyed_lines_take_linear_time() {
    for offer in [many_keys(|_| 1), many_keys(|n| n + 1)] {
        assert!(offer.len() > 200_000 && offer.len() < 256 * 1024);
        let start = Instant::now();
        let originating = dialogue().originating(&offer).unwrap();
        let answer = String::from_utf8(originating.offer_to_core().to_vec()).unwrap();
        let answered = answer_again(&originating, answer.as_bytes(), &mut Counter::new());
        let again = answered.dialogue().originating(&offer);
        assert!(again.is_ok() || again.err() == Some(EdgeError::Frozen { media: 0 }));
        // Debug builds on busy machines: three orders of magnitude above what it takes.
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
    let error = dialogue()
        .originating(&sdp(&"m=audio 1 RTP/SAVP 0\n".repeat(257)))
        .err();
    let Some(EdgeError::Sdp(error)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.rule(), sdp_sec::Rule::TooManyMedia);
}

#[test]
fn req_sdp_04_a_dialogue_shows_no_more_keys_than_it_can_remember() {
    let mut dialogue = dialogue();
    let mut refused = 0;
    for round in 0..4 {
        let mut lines = String::new();
        for line in 0..25 {
            lines += "m=audio 1 RTP/SAVP 0\n";
            for key in 0..60 {
                let number = (round * 100 + line) * 100 + key + 1;
                lines += &crypto(key + 1, &format!("{number:020}{:020}", 0));
            }
        }
        let originating = dialogue.originating(&sdp(&lines)).unwrap();
        let too_many = Intention::Refuse(Refusal::Crypto(sdes::Refused::TooManyKeys));
        refused = originating
            .intentions()
            .filter(|line| *line == too_many)
            .count();
        let answer = sdp(&"m=audio 0 RTP/SAVP 0\n".repeat(25));
        dialogue = answer_again(&originating, &answer, &mut Counter::new()).into_dialogue();
    }
    assert_eq!(refused, 25);
}

#[test]
fn req_rtp_10_attribute_names_with_any_white_space_around_are_known() {
    for name in ["crypto\t", " crypto", "\x0ccrypto", "CRYPTO \x0c"] {
        let offer = sdp(&format!(
            "m=audio 1 RTP/SAVP 0\na=3ge2ae:requested\n{}a={name}:2 X inline:{UE_KEY_2}\n",
            crypto(1, UE_KEY)
        ));
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(media(originating.offer_to_core()), "m=audio 1 RTP/AVP 0\n");
    }
    // One matcher for edge and fingerprints: a name that the one sees, the other sees.
    let fingerprint = super::support::fingerprint("UE");
    let offer = sdp(&format!(
        "m=message 9 TCP/TLS/MSRP *\na=\x0cfingerprint:{fingerprint}\n"
    ));
    let originating = dialogue().originating(&offer).unwrap();
    assert_eq!(
        originating.intentions().next(),
        Some(Intention::Protect(Mechanism::MsrpTls))
    );
}
