//! Conferences with keys from `a=crypto` (TR 33.829 §5.3.2), by requirement. Self-consistency.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

extern crate alloc;

use alloc::collections::BTreeMap;
use core::time::Duration;

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use interop::conference::{
    Answered, ConferenceError, Heard, Keys, LegError, Outcome, Refusal, RekeyLimiter, Rules,
    SdesFocus, SdesParticipant,
};
use sdes::Policy;
use srtp::UnprotectError;
use srtp::keying::Profile;

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";
const CAROL: &str = "sip:carol@example.com";
const DAVE: &str = "sip:dave@example.com";
const MEMBERS: [&str; 4] = [ALICE, BOB, CAROL, DAVE];
const INTERVAL: Duration = Duration::from_millis(500);

fn policy() -> Policy {
    let policy = Policy::for_profiles([Profile::AesCm128HmacSha1_80]);
    policy.unwrap().with_mki(2).unwrap()
}

struct Conference {
    focus: SdesFocus,
    users: BTreeMap<&'static str, SdesParticipant>,
    now: Duration,
    /// The offers that the focus has made: to whom.
    offers: Vec<(String, String)>,
}

impl Conference {
    fn new(rules: Rules) -> Self {
        let user = |uri| (uri, SdesParticipant::new(uri, &policy()));
        Self {
            focus: SdesFocus::new(rules, &policy(), INTERVAL).unwrap(),
            users: MEMBERS.map(user).into(),
            now: Duration::ZERO,
            offers: Vec::new(),
        }
    }

    fn closed(keys: Keys) -> Self {
        Self::new(Rules::new(keys).closed(MEMBERS).unwrap())
    }

    fn user(&mut self, uri: &str) -> &mut SdesParticipant {
        self.users.get_mut(uri).unwrap()
    }

    fn dial_in(&mut self, uri: &str) {
        let offer = self.user(uri).dial_in().unwrap();
        self.focus.dial_in(&[&format!("<{uri}>")], &offer).unwrap();
    }

    fn renew(&mut self) -> Vec<Outcome> {
        let (users, offers) = (&mut self.users, &mut self.offers);
        let carry = |uri: &str, offer: &str| {
            offers.push((uri.to_owned(), offer.to_owned()));
            let user = users.get_mut(uri)?;
            Some(Answered {
                asserted: vec![user.asserted()],
                sdp: user.answer(offer).unwrap(),
            })
        };
        let mut outcomes = self.focus.renew(self.now, carry).unwrap();
        for outcome in &mut outcomes {
            if let Ok(Some(answer)) = &outcome.answer {
                self.users
                    .get_mut(outcome.uri.as_str())
                    .unwrap()
                    .answered(answer)
                    .unwrap();
            }
        }
        outcomes
    }

    /// Everyone's next renewal is due.
    fn later(&mut self) {
        self.now += INTERVAL;
        self.renew();
    }

    fn members(&self) -> Vec<&str> {
        self.focus.members().collect()
    }

    /// All who are here say this, in the order of their names; what they hear.
    fn frame(&mut self, samples: &[i16]) -> Vec<Heard> {
        let present: Vec<_> = self.focus.members().map(str::to_owned).collect();
        assert_eq!(present.len(), samples.len());
        for (uri, sample) in present.iter().zip(samples) {
            self.user(uri).speak(&[*sample; 160]).unwrap();
        }
        assert_eq!(self.focus.relay().unwrap(), Vec::<String>::new());
        present
            .iter()
            .map(|uri| self.user(uri).hear().unwrap())
            .collect()
    }

    fn refuses(&mut self, uri: &str, packets: &[Heard]) -> bool {
        let user = self.user(uri);
        packets
            .iter()
            .all(|packet| matches!(user.open(&packet.datagram), Err(LegError::Refused(_))))
    }
}

/// Samples that mu-law leaves as they are.
const LOUD: [i16; 3] = [0, 132, 396];

/// What mu-law makes of a sample.
fn coded(sample: i16) -> i16 {
    decode_ulaw(encode_ulaw(sample))
}

fn first_samples(heard: &[Heard]) -> Vec<i16> {
    heard.iter().map(|heard| heard.samples[0]).collect()
}

#[test]
fn req_cs_02_the_server_takes_and_offers_srtp_with_crypto_by_its_policy() {
    let mut conference = Conference::closed(Keys::Bilateral);
    // Dial-in, and dial-out.
    conference.dial_in(ALICE);
    conference.focus.invite(BOB);
    let outcomes = conference.renew();
    let answer = outcomes[0].answer.as_ref().unwrap().as_ref().unwrap();
    for sdp in [answer, &conference.offers[0].1] {
        assert!(
            sdp.contains(" RTP/SAVP 0\r\n") && sdp.contains("a=crypto:1 AES_CM_128"),
            "{sdp}"
        );
    }
    assert!(outcomes[1].answer.as_ref().unwrap().is_none());
    assert_eq!(conference.members(), [ALICE, BOB]);
    assert_eq!(first_samples(&conference.frame(&[132, 396])), [396, 132]);

    // In clear, without a key, or with a suite that the policy has not.
    let offer = conference.user(CAROL).dial_in().unwrap();
    let asserted = format!("<{CAROL}>");
    let in_clear = offer.replace("RTP/SAVP", "RTP/AVP");
    let refused = conference.focus.dial_in(&[&asserted], &in_clear);
    assert_eq!(refused, Err(Refusal::NotAcceptableHere));
    for offer in [
        offer.replace("a=crypto", "a=other"),
        offer.replace("AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80"),
    ] {
        conference.focus.dial_in(&[&asserted], &offer).unwrap();
        let outcomes = conference.renew();
        let refused = outcomes[0].answer.as_ref().unwrap_err();
        assert!(matches!(
            refused,
            ConferenceError::Refused(Refusal::NotAcceptableHere)
        ));
    }
    assert_eq!(conference.members(), [ALICE, BOB]);
}

#[test]
fn req_cs_03_a_participant_cannot_open_what_is_sent_to_another_nor_send_with_its_key() {
    let mut conference = Conference::closed(Keys::Bilateral);
    for uri in [ALICE, BOB, CAROL] {
        conference.dial_in(uri);
    }
    conference.renew();
    let heard = conference.frame(&LOUD);
    assert_eq!(first_samples(&heard), [coded(528), 396, 132]);
    assert!(conference.refuses(BOB, &heard[..1]) && conference.refuses(CAROL, &heard[..2]));
    // The mixer's streams are its own.
    let mut ssrcs: Vec<_> = heard.iter().map(|heard| heard.ssrc).collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert_eq!(ssrcs.len(), 3);

    // Dave and Carol offer the same key: the second of them is refused.
    let offer = conference.user(DAVE).dial_in().unwrap();
    for uri in [DAVE, CAROL] {
        conference
            .focus
            .dial_in(&[&format!("<{uri}>")], &offer)
            .unwrap();
    }
    let outcomes = conference.renew();
    assert!(outcomes[0].answer.is_ok());
    let refused = outcomes[1].answer.as_ref().unwrap_err();
    assert!(matches!(
        refused,
        ConferenceError::Sdes(sdes::Refused::KeyReused)
    ));
}

#[test]
fn req_cs_05_a_group_key_seals_once_for_all() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB, CAROL] {
        conference.dial_in(uri);
    }
    conference.renew();
    let heard = conference.frame(&LOUD);
    assert_eq!(first_samples(&heard), [coded(528); 3]);
    assert!(
        heard
            .iter()
            .all(|other| other.datagram == heard[0].datagram)
    );
}

#[test]
fn req_cs_06_who_has_left_cannot_open_what_comes_after() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB, CAROL] {
        conference.dial_in(uri);
    }
    conference.renew();
    conference.frame(&LOUD);
    conference.focus.leave(CAROL);
    // Not due yet: the old key goes on.
    conference.renew();
    let between = conference.frame(&LOUD[1..]);
    assert!(
        !conference.refuses(CAROL, &between[..1]),
        "until the interval has passed"
    );
    conference.later();
    let after = conference.frame(&LOUD[1..]);
    assert!(conference.refuses(CAROL, &after));
    assert_eq!(after[0].samples[0], coded(528));
    // The stream is the same one, its ROC goes on: no m-line was added.
    assert_eq!(between[0].ssrc, after[0].ssrc);
    let (to, offer) = conference.offers.last().unwrap();
    assert_eq!((to.as_str(), offer.matches("m=audio").count()), (BOB, 1));
    assert!(offer.contains(" 2 IN IP4 "), "the next version: {offer}");
}

#[test]
fn req_cs_07_who_joins_begins_with_roc_0_and_cannot_open_what_went_before() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB] {
        conference.dial_in(uri);
    }
    conference.renew();
    let before = conference.frame(&LOUD[1..]);
    conference.dial_in(CAROL);
    conference.later();
    assert_eq!(conference.members(), [ALICE, BOB, CAROL]);
    assert!(conference.refuses(CAROL, &before));
    // The stream ended, and another began at another port.
    let (to, offer) = conference.offers.last().unwrap();
    assert_eq!(to, BOB);
    assert!(offer.contains("m=audio 0 RTP/SAVP 0"), "{offer}");
    assert_eq!(offer.matches("m=audio").count(), 2);
    let after = conference.frame(&LOUD);
    assert_eq!(first_samples(&after), [coded(528); 3]);
    assert_ne!(before[0].ssrc, after[0].ssrc);
    // However many join, lines that have ended are used again.
    for _ in 0..300 {
        conference.dial_in(CAROL);
        conference.later();
    }
    let (_, offer) = conference.offers.last().unwrap();
    assert_eq!(offer.matches("m=audio").count(), 2);
    assert_eq!(first_samples(&conference.frame(&LOUD)), [coded(528); 3]);
}

#[test]
fn req_cs_08_old_and_new_contexts_stand_side_by_side() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB] {
        conference.dial_in(uri);
    }
    conference.renew();
    // A packet that is still on its way when the stream begins anew.
    for uri in [ALICE, BOB] {
        conference.user(uri).speak(&[132; 160]).unwrap();
    }
    conference.focus.relay().unwrap();
    let on_its_way = {
        let alice = conference.user(ALICE);
        let heard = alice.hear().unwrap();
        let again = alice.open(&heard.datagram);
        assert!(matches!(
            again,
            Err(LegError::Refused(UnprotectError::Replayed))
        ));
        heard.datagram
    };
    conference.dial_in(CAROL);
    conference.later();
    let opened = conference.user(BOB).open(&on_its_way);
    assert_eq!(opened.unwrap().samples[0], coded(264));
    conference.frame(&LOUD);
    assert!(
        conference.user(BOB).open(&on_its_way).is_err(),
        "the old one is gone"
    );
}

#[test]
fn req_cs_11_policies_are_data() {
    let asserted = format!("<{ALICE}>");
    let mallory = "<sip:mallory@example.com>";
    let secured = "v=0\r\nm=audio 4000 RTP/SAVP 0\r\n";
    let with_clear = "v=0\r\nm=audio 4000 RTP/SAVP 0\r\nm=video 4002 RTP/AVP 31\r\n";
    // A closed set, or anyone who says who they are.
    let closed = Rules::new(Keys::Bilateral).closed(MEMBERS).unwrap();
    let open = Rules::new(Keys::Bilateral);
    assert_eq!(closed.dial_in(&[&asserted]).unwrap(), ALICE);
    assert_eq!(closed.dial_in(&[mallory]), Err(Refusal::Forbidden));
    assert_eq!(open.dial_in(&[mallory]).unwrap(), "sip:mallory@example.com");
    assert!(Rules::new(Keys::Bilateral).closed(["nobody"]).is_err());
    // Secured streams only.
    assert_eq!(open.check_offer(secured), Ok(()));
    assert_eq!(
        open.check_offer(with_clear),
        Err(Refusal::NotAcceptableHere)
    );
    assert_eq!(open.tolerating_unsecured().check_offer(with_clear), Ok(()));
    // Group keys that are renewed on join, on leave, or not.
    for (renew_on_join, renew_on_leave, renewals) in [
        (true, true, 3),
        (true, false, 2),
        (false, true, 1),
        (false, false, 0),
    ] {
        let keys = Keys::Group {
            renew_on_join,
            renew_on_leave,
        };
        let mut conference = Conference::closed(keys);
        for uri in [ALICE, BOB] {
            conference.dial_in(uri);
        }
        conference.renew();
        conference.frame(&LOUD[1..]);
        conference.dial_in(CAROL);
        conference.later();
        assert_eq!(conference.frame(&LOUD)[2].samples[0], coded(528));
        conference.focus.leave(CAROL);
        conference.later();
        let after = conference.frame(&LOUD[1..]);
        assert_eq!(conference.refuses(CAROL, &after[..1]), renew_on_leave);
        assert_eq!(conference.focus.renewals(), renewals);
    }
}

#[test]
fn req_cs_13_who_hides_is_refused_and_another_who_answers_is_not_let_in() {
    for keys in [Keys::Bilateral, Keys::GROUP] {
        let mut conference = Conference::closed(keys);
        let offer = conference.user(ALICE).dial_in().unwrap();
        for (asserted, refusal) in [
            (&[][..], Refusal::AnonymityDisallowed),
            (&["<sip:mallory@example.com>"], Refusal::Forbidden),
            (&["not a URI"], Refusal::Forbidden),
        ] {
            assert_eq!(conference.focus.dial_in(asserted, &offer), Err(refusal));
        }
        // An invited user has calls diverted: to one who hides, to one who is no member, to nobody.
        for asserted in [
            Some(vec![]),
            Some(vec!["<sip:mallory@example.com>".to_owned()]),
            None,
        ] {
            conference.focus.invite(BOB);
            let mut who = SdesParticipant::new("sip:mallory@example.com", &policy());
            let outcomes = conference.focus.renew(conference.now, |_, offer| {
                let asserted = asserted.clone()?;
                let sdp = who.answer(offer).unwrap();
                Some(Answered { asserted, sdp })
            });
            let outcomes = outcomes.unwrap();
            assert!(matches!(
                outcomes[0].answer,
                Err(ConferenceError::Refused(_))
            ));
            assert_eq!(conference.members(), [""; 0]);
            conference.now += INTERVAL;
        }
        // To another member: that one takes part, under the own name.
        conference.focus.invite(BOB);
        let carol = conference.users.get_mut(CAROL).unwrap();
        let outcomes = conference.focus.renew(conference.now, |_, offer| {
            let sdp = carol.answer(offer).unwrap();
            let asserted = vec![carol.asserted()];
            Some(Answered { asserted, sdp })
        });
        assert!(outcomes.unwrap()[0].answer.is_ok());
        assert_eq!(conference.members(), [CAROL]);
    }
}

/// Who was offered the group's key and may not take part must not open what comes.
#[test]
fn req_cs_13_a_key_that_another_has_seen_is_renewed() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB] {
        conference.dial_in(uri);
    }
    conference.renew();
    conference.frame(&LOUD[1..]);
    let renewals = conference.focus.renewals();
    conference.focus.invite(CAROL);
    conference.now += INTERVAL;
    let (users, now) = (&mut conference.users, conference.now);
    let mut mallory = SdesParticipant::new("sip:mallory@example.com", &policy());
    let outcomes = conference.focus.renew(now, |uri, offer| {
        let user = if uri == CAROL {
            &mut mallory
        } else {
            users.get_mut(uri)?
        };
        Some(Answered {
            asserted: vec![user.asserted()],
            sdp: user.answer(offer).unwrap(),
        })
    });
    assert!(outcomes.unwrap()[0].answer.is_err());
    conference.later();
    assert_eq!(conference.focus.renewals(), renewals + 2);
    let heard = conference.frame(&LOUD[1..]);
    let opened = mallory.open(&heard[0].datagram);
    assert!(matches!(opened, Err(LegError::Refused(_))));
}

/// Who dials in again and is refused is out, and has left with the group's key.
#[test]
fn req_cs_06_who_dials_in_again_in_vain_is_out_and_the_key_they_have_is_renewed() {
    for renew_on_join in [true, false] {
        let mut conference = Conference::closed(Keys::Group {
            renew_on_join,
            renew_on_leave: true,
        });
        for uri in [ALICE, BOB, CAROL] {
            conference.dial_in(uri);
        }
        conference.renew();
        conference.frame(&LOUD);
        let mut carol = SdesParticipant::new(CAROL, &policy());
        let offer = carol.dial_in().unwrap();
        let offer = offer.replace("AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80");
        let asserted = carol.asserted();
        conference.focus.dial_in(&[&asserted], &offer).unwrap();
        conference.later();
        assert_eq!(conference.members(), [ALICE, BOB]);
        conference.later();
        let heard = conference.frame(&LOUD[1..]);
        assert!(conference.refuses(CAROL, &heard));
    }
}

#[test]
fn req_cs_15_a_storm_of_joins_and_leaves_renews_once_in_an_interval() {
    let mut conference = Conference::closed(Keys::GROUP);
    for uri in [ALICE, BOB] {
        conference.dial_in(uri);
    }
    conference.renew();
    let (renewals, offers) = (conference.focus.renewals(), conference.offers.len());
    // A hundred events in two seconds.
    for _ in 0..50 {
        conference.dial_in(CAROL);
        conference.now += Duration::from_millis(20);
        conference.renew();
        conference.focus.leave(CAROL);
        conference.now += Duration::from_millis(20);
        conference.renew();
    }
    conference.later();
    let renewals = conference.focus.renewals() - renewals;
    assert!((3..=5).contains(&renewals), "{renewals}");
    // A re-INVITE each for those who stay.
    let offers = conference.offers.len() - offers;
    assert!(offers <= 2 * renewals + renewals, "{offers}");
    assert_eq!(conference.frame(&LOUD[1..]).len(), 2);

    // Who asks comes with the next renewal, at the latest.
    let mut limiter = RekeyLimiter::new(INTERVAL);
    let mut renewed = Vec::new();
    for millis in 0..2000 {
        if millis % 10 == 3 {
            limiter.ask();
        }
        if limiter.due(Duration::from_millis(millis)) {
            renewed.push(millis);
        }
    }
    assert_eq!(renewed, [3, 503, 1003, 1503]);
}

#[test]
fn who_does_not_answer_a_new_key_is_out_and_the_others_go_on() {
    for joins in [true, false] {
        let mut conference = Conference::closed(Keys::GROUP);
        for uri in [ALICE, BOB, CAROL] {
            conference.dial_in(uri);
        }
        conference.renew();
        conference.frame(&LOUD);
        if joins {
            conference.dial_in(DAVE);
        } else {
            conference.focus.leave(CAROL);
        }
        let bob = conference.users.remove(BOB).unwrap();
        conference.later();
        let expected = if joins {
            vec![ALICE, CAROL, DAVE]
        } else {
            vec![ALICE]
        };
        assert_eq!(conference.members(), expected);
        conference.users.insert(BOB, bob);
        let heard = conference.frame(&LOUD[..expected.len()]);
        assert!(conference.refuses(BOB, &heard));
    }
}

#[test]
fn who_vanishes_is_named_and_the_others_go_on() {
    let mut conference = Conference::closed(Keys::Bilateral);
    for uri in [ALICE, BOB, CAROL] {
        conference.dial_in(uri);
    }
    conference.renew();
    for uri in [ALICE, BOB] {
        conference.user(uri).speak(&[132; 160]).unwrap();
    }
    assert_eq!(conference.focus.relay().unwrap(), [CAROL]);
    assert_eq!(conference.user(ALICE).hear().unwrap().samples[0], 132);
}
