use sdes::Rekey as Keys;
use sdp_sec::edge::{EdgeError, Outcome, Policy, Rekey};
use srtp::keying::MasterKeySource;

use super::support::{
    Counter, UE_KEY, UE_KEY_2, access, agw, answer_again, crypto, crypto_lines, described,
    dialogue, key, media, originate, rtp_answer, rtp_stream, sdp, srtp_offer, ue_answer,
    with_policy,
};

#[test]
fn req_rtp_09_a_new_key_on_an_established_stream_is_refused_and_changes_nothing() {
    let established = originate(&dialogue(), &srtp_offer(), &rtp_answer()).into_dialogue();
    let changed = String::from_utf8(srtp_offer())
        .unwrap()
        .replace(UE_KEY, UE_KEY_2);
    // Before the core is asked.
    let refused = established.originating(changed.as_bytes()).err();
    assert_eq!(refused, Some(EdgeError::Frozen { media: 0 }));
    // The dialogue goes on with the key it has.
    let again = originate(&established, &srtp_offer(), &rtp_answer());
    let change = rtp_stream(&again.outcomes()[0]).change().unwrap();
    assert_eq!(
        (change.inbound, change.outbound),
        (Keys::Unchanged, Keys::Unchanged)
    );
}

#[test]
fn req_rtp_09_the_same_keys_again_are_accepted_and_answered_alike() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let own = crypto_lines(first.sdp());
    // Hold: the same key, now one among others, under another tag.
    let hold = sdp(&format!(
        "m=audio 49170 RTP/SAVP 97\na=3ge2ae:requested\na=sendonly\n{}{}",
        crypto(1, UE_KEY_2),
        crypto(2, UE_KEY),
    ));
    let second = originate(first.dialogue(), &hold, &rtp_answer());
    assert_eq!(
        crypto_lines(second.sdp())[0],
        own[0].replace("crypto:1", "crypto:2")
    );
    let change = rtp_stream(&second.outcomes()[0]).change().unwrap();
    assert_eq!(
        (change.inbound, change.outbound),
        (Keys::Unchanged, Keys::Unchanged)
    );
}

#[test]
fn req_rtp_09_a_re_offer_of_the_core_repeats_local_and_freezes_remote() {
    let first = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    let own = crypto_lines(first.sdp());
    let offer = sdp("m=audio 5004 RTP/AVP 97\na=sendonly\n");
    let mut terminating = first
        .dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    assert_eq!(crypto_lines(terminating.offer_to_ue()), own);
    let same = ue_answer(1, "AES_CM_128_HMAC_SHA1_80", UE_KEY);
    let answered = terminating.answered(&same, &mut Counter::new()).unwrap();
    let change = rtp_stream(&answered.outcomes()[0]).change().unwrap();
    assert_eq!(
        (change.inbound, change.outbound),
        (Keys::Unchanged, Keys::Unchanged)
    );
    for other in [
        ue_answer(1, "AES_CM_128_HMAC_SHA1_80", UE_KEY_2),
        ue_answer(2, "AES_CM_128_HMAC_SHA1_80", UE_KEY),
        sdp("m=audio 49170 RTP/SAVP 97\n"),
    ] {
        let refused = terminating.answered(&other, &mut Counter::new()).err();
        assert_eq!(refused, Some(EdgeError::Frozen { media: 0 }));
    }
}

#[test]
fn req_rtp_09_an_established_stream_does_not_become_plain_or_end_to_end() {
    let established = originate(&dialogue(), &srtp_offer(), &rtp_answer()).into_dialogue();
    let plain = sdp("m=audio 49170 RTP/AVP 97\n");
    assert_eq!(
        established.originating(&plain).err(),
        Some(EdgeError::Frozen { media: 0 })
    );
    let end_to_end = sdp(&format!(
        "m=audio 5004 RTP/SAVP 97\n{}",
        crypto(1, UE_KEY_2)
    ));
    let refused = established
        .terminating(&end_to_end, agw, &mut Counter::new())
        .err();
    assert_eq!(refused, Some(EdgeError::Frozen { media: 0 }));
}

#[test]
fn req_rtp_09_policy_new_context_serves_ues_that_re_key_on_hold() {
    let mut policy = Policy::default();
    policy.rekey = Rekey::NewContext;
    let mut rng = Counter::new();
    let originating = with_policy(policy).originating(&srtp_offer()).unwrap();
    let first = answer_again(&originating, &rtp_answer(), &mut rng);
    let changed = String::from_utf8(srtp_offer())
        .unwrap()
        .replace(UE_KEY, UE_KEY_2);
    let originating = first.dialogue().originating(changed.as_bytes()).unwrap();
    let second = answer_again(&originating, &rtp_answer(), &mut rng);
    let (old, new) = (
        rtp_stream(&first.outcomes()[0]),
        rtp_stream(&second.outcomes()[0]),
    );
    let fresh = Keys::NewKey { reset_roc: true };
    let change = new.change().unwrap();
    assert_eq!((change.inbound, change.outbound), (fresh, fresh));
    assert_ne!(key(old.inbound()), key(new.inbound()));
    assert_ne!(key(old.outbound()), key(new.outbound()));
}

#[test]
fn req_rtp_16_at_a_new_address_the_old_key_is_refused_and_a_new_one_needs_the_policy() {
    let mut policy = Policy::default();
    policy.rekey = Rekey::NewContext;
    for (policy, same, fresh) in [(Policy::default(), false, false), (policy, false, true)] {
        let established = originate(&with_policy(policy), &srtp_offer(), &rtp_answer());
        let moved = String::from_utf8(srtp_offer())
            .unwrap()
            .replace("49170", "49180");
        for (offer, accepted) in [
            (moved.clone(), same),
            (moved.replace(UE_KEY, UE_KEY_2), fresh),
        ] {
            // Other randomness than the first time: a key must not come again.
            let mut rng = Counter::new();
            let other = dialogue().originating(&srtp_offer()).unwrap();
            answer_again(&other, &rtp_answer(), &mut rng);
            let answered = established
                .dialogue()
                .originating(offer.as_bytes())
                .and_then(|originating| originating.answered(&rtp_answer(), agw, &mut rng));
            assert_eq!(answered.is_ok(), accepted);
            if let Ok(answered) = answered {
                let change = rtp_stream(&answered.outcomes()[0]).change().unwrap();
                assert_eq!(change.outbound, Keys::NewKey { reset_roc: true });
            }
        }
    }
}

#[test]
fn req_rtp_18_each_branch_of_a_fork_has_its_own_keys() {
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    let mut rng = Counter::new();
    let one = answer_again(&originating, &rtp_answer(), &mut rng);
    let two = answer_again(&originating, &rtp_answer(), &mut rng);
    let (one, two) = (
        rtp_stream(&one.outcomes()[0]),
        rtp_stream(&two.outcomes()[0]),
    );
    assert_eq!(key(one.inbound()), key(two.inbound()));
    assert_ne!(key(one.outbound()), key(two.outbound()));

    let offer = sdp("m=audio 5 RTP/AVP 0\n");
    let mut terminating = dialogue().terminating(&offer, agw, &mut rng).unwrap();
    let answer = |key| ue_answer(4, "AES_CM_128_HMAC_SHA1_80", key);
    let one = terminating.answered(&answer(UE_KEY), &mut rng).unwrap();
    // The Local key belongs to the first branch; the same branch may answer again.
    let forked = terminating.answered(&answer(UE_KEY_2), &mut rng).err();
    assert_eq!(forked, Some(EdgeError::Forked { media: 0 }));
    let again = terminating.answered(&answer(UE_KEY), &mut rng).unwrap();
    assert_eq!(
        key(rtp_stream(&one.outcomes()[0]).outbound()),
        key(rtp_stream(&again.outcomes()[0]).outbound())
    );
    // The second is offered anew, and has keys of its own in both directions.
    let mut terminating = dialogue().terminating(&offer, agw, &mut rng).unwrap();
    let two = terminating.answered(&answer(UE_KEY_2), &mut rng).unwrap();
    let (one, two) = (
        rtp_stream(&one.outcomes()[0]),
        rtp_stream(&two.outcomes()[0]),
    );
    assert_ne!(key(one.inbound()), key(two.inbound()));
    assert_ne!(key(one.outbound()), key(two.outbound()));
}

#[test]
fn req_rtp_18_no_key_is_made_that_is_not_signalled() {
    // An offer of the UE costs no randomness, nor does a refused one.
    let mut rng = Counter::new();
    let originating = dialogue().originating(&srtp_offer()).unwrap();
    let refused = sdp("m=audio 0 RTP/AVP 97\n");
    let answered = originating.answered(&refused, agw, &mut rng).unwrap();
    assert!(matches!(answered.outcomes(), [Outcome::Closed]));
    let first = answer_again(&originating, &rtp_answer(), &mut rng);
    let fresh = answer_again(&originating, &rtp_answer(), &mut Counter::new());
    assert_eq!(first.sdp(), fresh.sdp());
    let signalled = crypto_lines(first.sdp());
    let used = rtp_stream(&first.outcomes()[0]).local();
    assert_eq!(key(used.keys()), key(described(&signalled[0]).keys()));
}

#[test]
fn req_rtp_18_a_late_offer_is_answered_by_the_ue_in_its_ack() {
    // The UE's INVITE has no offer; the core's 200 (OK) has, and the UE's ACK answers.
    let in_ok = sdp("m=audio 5004 RTP/AVP 97\n");
    let mut terminating = dialogue()
        .terminating(&in_ok, agw, &mut Counter::new())
        .unwrap();
    let in_ack = ue_answer(4, "AES_CM_128_HMAC_SHA1_80", UE_KEY);
    let answered = terminating.answered(&in_ack, &mut Counter::new()).unwrap();
    assert_eq!(media(answered.sdp()), "m=audio 49170 RTP/AVP 97\n");
    // And an offer of the UE in a 200 (OK), answered by the core's ACK, goes the other way.
    let established = answered.into_dialogue();
    let in_ok = sdp(&format!(
        "m=audio 49170 RTP/SAVP 97\na=3ge2ae:requested\n{}",
        crypto(4, UE_KEY)
    ));
    let answered = originate(&established, &in_ok, &in_answer());
    let change = rtp_stream(&answered.outcomes()[0]).change().unwrap();
    assert_eq!(
        (change.inbound, change.outbound),
        (Keys::Unchanged, Keys::Unchanged)
    );
}

fn in_answer() -> Vec<u8> {
    sdp("m=audio 5004 RTP/AVP 97\n")
}

#[test]
fn an_established_stream_outlives_the_registration_that_allowed_it() {
    let established = originate(&dialogue(), &srtp_offer(), &rtp_answer()).into_dialogue();
    let withdrawn = established.with_access(access(&[]));
    let answered = originate(&withdrawn, &srtp_offer(), &rtp_answer());
    assert!(matches!(answered.outcomes(), [Outcome::Rtp(_)]));
}

#[test]
fn req_rtp_18_an_answer_repeated_in_a_later_response_is_known_again() {
    let answered = originate(&dialogue(), &srtp_offer(), &rtp_answer());
    assert!(answered.is_repeated_by(&rtp_answer()));
    assert!(!answered.is_repeated_by(&srtp_offer()));
    // Some peers count the version of the o-line up.
    let text = String::from_utf8(rtp_answer()).unwrap();
    let counted = text.replace("o=- 1 1 IN", "o=- 1 1000 IN");
    assert!(answered.is_repeated_by(counted.as_bytes()));
    for other in [
        counted.replace("5004", "5006"),
        counted.replace("s=-", "s=x"),
        text.replace("o=- 1 1 IN IP4 192.0.2.1\r\n", ""),
    ] {
        assert!(!answered.is_repeated_by(other.as_bytes()));
    }
}
