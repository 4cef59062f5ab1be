//! Whole calls as networks see them: nothing legal may be refused, and no key may be where it does
//! not belong.

use core::time::Duration;
use std::time::Instant;

use sdp_sec::edge::{Answered, Dialogue, Intention, Outcome, Policy, Refusal};
use sdp_sec::mediasec::Mechanism;
use srtp::keying::MasterKeySource;

use super::support::{
    Counter, UE_KEY, UE_KEY_2, UE_KEY_3, access, agw, answer_again, crypto, crypto_lines, dialogue,
    fingerprint, key, media, originate, rtp_answer, rtp_stream, sdp, srtp_offer,
};

fn unchanged(answered: &Answered, media: usize) {
    let change = rtp_stream(&answered.outcomes()[media]).change().unwrap();
    let same = sdes::Rekey::Unchanged;
    assert_eq!((change.inbound, change.outbound), (same, same));
}

/// The UE's m-line with what goes before `a=rtpmap`.
fn audio(crypto: &str, more: &str) -> String {
    format!("m=audio 49170 RTP/SAVP 97 100\n{crypto}a=rtpmap:97 AMR/8000\n{more}")
}

#[test]
fn a_call_with_two_early_branches_update_hold_resume_and_video_goes_through() {
    let mut rng = Counter::new();
    let both = crypto(1, UE_KEY) + &crypto(2, UE_KEY_2);
    let invite = sdp(&audio(
        &format!("a=3ge2ae:requested\n{both}"),
        "a=curr:qos local none\n",
    ));
    let originating = dialogue().originating(&invite).unwrap();
    let progress = |port: u16| {
        sdp(&format!(
            "m=audio {port} RTP/AVP 97\na=rtpmap:97 AMR/8000\n"
        ))
    };
    let one = answer_again(&originating, &progress(5004), &mut rng);
    let two = answer_again(&originating, &progress(6004), &mut rng);
    let (first, second) = (
        rtp_stream(&one.outcomes()[0]),
        rtp_stream(&two.outcomes()[0]),
    );
    assert_eq!(key(first.inbound()), key(second.inbound()));
    assert_ne!(key(first.outbound()), key(second.outbound()));

    // UPDATE on the second branch, whose 200 (OK) then repeats the 183 (Session Progress).
    let reserved = sdp(&audio(&both, "a=curr:qos local sendrecv\n"));
    let updating = two.dialogue().originating(&reserved).unwrap();
    assert!(!String::from_utf8_lossy(updating.offer_to_core()).contains("inline"));
    let updated = answer_again(&updating, &progress(6004), &mut rng);
    unchanged(&updated, 0);
    assert_eq!(crypto_lines(updated.sdp()), crypto_lines(two.sdp()));
    assert!(two.is_repeated_by(&progress(6004)));

    // Hold by the UE with the line that was selected alone, another codec by the core, resume.
    let hold = sdp(&audio(&crypto(1, UE_KEY), "a=sendonly\n"));
    let held = updated.dialogue().originating(&hold).unwrap();
    let held = answer_again(&held, &progress(6004), &mut rng);
    unchanged(&held, 0);
    let codec = sdp("m=audio 6004 RTP/AVP 98\na=rtpmap:98 EVS/16000\n");
    let mut offered = held.dialogue().terminating(&codec, agw, &mut rng).unwrap();
    assert_eq!(crypto_lines(offered.offer_to_ue()), crypto_lines(two.sdp()));
    let ue = sdp(&format!(
        "m=audio 49170 RTP/SAVP 98\n{}a=recvonly\n",
        crypto(1, UE_KEY)
    ));
    let changed = offered.answered(&ue, &mut rng).unwrap();
    unchanged(&changed, 0);

    // Video comes, goes, and comes again with a key of its own; with the old one it stays away.
    let with_video = |port: u16, key: &str| {
        let audio = audio(&crypto(1, UE_KEY), "");
        let video = crypto(1, key);
        sdp(&format!(
            "{audio}m=video {port} RTP/SAVPF 99\na=3ge2ae:requested\n{video}"
        ))
    };
    let core = |port: u16| {
        sdp(&format!(
            "m=audio 6004 RTP/AVP 97\nm=video {port} RTP/AVPF 99\n"
        ))
    };
    let step = |dialogue: &Dialogue, port: u16, key: &str, rng: &mut Counter| {
        let originating = dialogue.originating(&with_video(port, key)).unwrap();
        answer_again(&originating, &core(port), rng)
    };
    let added = step(changed.dialogue(), 4000, UE_KEY_3, &mut rng);
    assert!(matches!(added.outcomes()[1], Outcome::Rtp(_)));
    let ended = step(added.dialogue(), 0, UE_KEY_3, &mut rng);
    assert!(matches!(ended.outcomes()[1], Outcome::Closed));
    let old = step(ended.dialogue(), 4000, UE_KEY_3, &mut rng);
    let reused = Refusal::Crypto(sdes::Refused::KeyReused);
    assert!(matches!(old.outcomes()[1], Outcome::Refused(refusal) if refusal == reused));
    let fresh = UE_KEY_3.replace('N', "M");
    let again = step(ended.dialogue(), 4000, &fresh, &mut rng);
    assert!(matches!(again.outcomes()[1], Outcome::Rtp(_)));
    for answered in [&added, &ended, &old, &again] {
        unchanged(answered, 0);
    }
}

#[test]
fn a_bundle_with_one_key_for_both_lines_keeps_its_first() {
    // Each m-line of the edge has a transport and keys of its own; a UE that puts one key on both
    // (RFC 8859, category TRANSPORT) has audio, and video without protection never.
    let line = crypto(1, UE_KEY);
    let offer = sdp(&format!(
        "a=group:BUNDLE a v\nm=audio 1 RTP/SAVP 0\na=mid:a\na=rtcp-mux\na=3ge2ae:requested\n{line}\
         m=video 1 RTP/SAVPF 99\na=mid:v\na=rtcp-mux\na=3ge2ae:requested\n{line}"
    ));
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = media(originating.offer_to_core());
    assert_eq!(
        to_core,
        "m=audio 1 RTP/AVP 0\na=mid:a\na=rtcp-mux\nm=video 0 RTP/AVPF 99\na=mid:v\na=rtcp-mux\n"
    );
}

#[test]
fn req_reg_07_a_diverted_to_ue_gets_what_it_has_registered_itself() {
    let offer = sdp("m=audio 5004 RTP/AVP 97\nm=message 2855 TCP/MSRP *\na=setup:actpass\n");
    for (registered, expected) in [
        (&[Mechanism::SdesSrtp][..], [true, false]),
        (&[Mechanism::MsrpTls], [false, true]),
        (&[], [false, false]),
    ] {
        let of_ue = Dialogue::new(Policy::default().into(), access(registered));
        let offered = of_ue.terminating(&offer, agw, &mut Counter::new()).unwrap();
        let protects = |intention| matches!(intention, Intention::Protect(_));
        assert!(offered.intentions().map(protects).eq(expected));
        let to_ue = media(offered.offer_to_ue());
        assert_eq!(to_ue.contains("m=audio 5004 RTP/SAVP 97\n"), expected[0]);
        let own = format!("a=fingerprint:{}", fingerprint("IMS-AGW 1"));
        assert_eq!(to_ue.contains(&own), expected[1]);
    }
}

#[test]
fn req_sdp_04_streams_that_end_at_once_take_linear_time() {
    fn ends_in(streams: u32) -> Duration {
        let mut rng = Counter::new();
        let mut lines = [String::new(), String::new(), String::new(), String::new()];
        for stream in 0..streams {
            let key = format!("{:A>8}{}", stream, &UE_KEY[8..]);
            lines[0] += "m=audio 4 RTP/SAVP 0\na=3ge2ae:requested\n";
            lines[0] += &crypto(1, &key);
            lines[1] += "m=audio 6 RTP/AVP 0\n";
            lines[2] += "m=audio 0 RTP/SAVP 0\n";
            lines[3] += "m=audio 0 RTP/AVP 0\n";
        }
        let [offer, answer, end, ended] = lines.map(|lines| sdp(&lines));
        let originating = dialogue().originating(&offer).unwrap();
        let first = answer_again(&originating, &answer, &mut rng);
        let is_rtp = |outcome: &Outcome| matches!(outcome, Outcome::Rtp(_));
        assert!(first.outcomes().iter().all(is_rtp));
        let start = Instant::now();
        let second = originate(first.dialogue(), &end, &ended);
        assert!(!second.outcomes().iter().any(is_rtp));
        start.elapsed()
    }
    let least = |streams| (0..3).map(|_| ends_in(streams)).min().unwrap();
    let (few, many) = (least(30), least(240));
    assert!(many < few * 8 * 3, "{few:?} {many:?}");
}

#[test]
fn a_key_that_failed_may_be_offered_again_in_the_next_request() {
    // 488, 422, 407: the same offer comes again, and nothing is held against it.
    let mut rng = Counter::new();
    for _ in 0..2 {
        let originating = dialogue().originating(&srtp_offer()).unwrap();
        let nothing = sdp("m=audio 0 RTP/AVP 97\n");
        let refused = answer_again(&originating, &nothing, &mut rng);
        assert!(matches!(refused.outcomes(), [Outcome::Closed]));
        let again = refused.dialogue().originating(&srtp_offer()).unwrap();
        let again = answer_again(&again, &rtp_answer(), &mut rng);
        assert!(matches!(again.outcomes(), [Outcome::Rtp(_)]));
    }
}
