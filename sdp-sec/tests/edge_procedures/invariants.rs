use proptest::collection::vec;
use proptest::prelude::*;
use sdp_sec::edge::{Intention, MsrpHandling, Outcome, Policy, Refusal, Rekey};
use sdp_sec::fingerprint::HashPolicy;
use sdp_sec::mediasec::Source;

use super::invariant::check;
use super::support::{Counter, UE_KEY, UE_KEY_2, UE_KEY_3, fingerprint, with_policy};

fn attribute() -> impl Strategy<Value = Vec<u8>> {
    let fixed = [
        "a=3ge2ae:requested".to_owned(),
        "a=3GE2AE: applied".to_owned(),
        "a=3ge2ae".to_owned(),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}"),
        format!("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY_2}|2^20|1:4"),
        "a=Crypto :x".to_owned(),
        format!("a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}"),
        "a=acap:2 rtpmap:97 AMR/8000".to_owned(),
        "a=acap:3 3ge2ae:requested".to_owned(),
        format!("a=cpar: a=crypto:1 X inline:{UE_KEY_3}"),
        "a=tcap:1 RTP/SAVPF RTP/AVPF UDP/TLS/RTP/SAVPF x".to_owned(),
        "k=base64:d2VsbCBrbm93biBsb25nIGFnbw".to_owned(),
        format!("a=fingerprint:{}", fingerprint("UE")),
        "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"
            .to_owned(),
        "a=setup:active".to_owned(),
        "a=setup:passive".to_owned(),
        "a=setup:actpass".to_owned(),
        "a=setup:holdconn".to_owned(),
        "a=connection:new".to_owned(),
        "a=connection:existing".to_owned(),
        "a=key-mgmt:mikey AQAFgA==".to_owned(),
        "a=path:msrps://a.example:9/x;tcp".to_owned(),
        "a=tls-id:abcdefghijabcdefghij".to_owned(),
        "a=rtpmap:97 AMR/8000".to_owned(),
        "c=IN IP4 192.0.2.1".to_owned(),
        "b=AS:49".to_owned(),
        String::new(),
    ];
    prop_oneof![
        20 => prop::sample::select(fixed.to_vec()).prop_map(String::into_bytes),
        1 => vec(any::<u8>().prop_filter("one line", |o| !matches!(o, 0 | b'\r' | b'\n')), 0..12)
            .prop_filter("no m-line", |line| !line.starts_with(b"m=")),
    ]
}

fn media_line() -> impl Strategy<Value = Vec<u8>> {
    const PROTOCOLS: [&str; 15] = [
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/SAVP",
        "RTP/SAVPF",
        "rtp/savp",
        "UDP/TLS/RTP/SAVPF",
        "TCP/MSRP",
        "TCP/TLS/MSRP",
        "TCP/BFCP",
        "TCP/TLS/BFCP",
        "UDP/TLS/BFCP",
        "udptl",
        "UDPTL",
        "UDP/TLS/UDPTL",
        "WHAT/EVER",
    ];
    let port = prop_oneof![5 => Just("49170"), 1 => Just("0"), 1 => Just("9/2")];
    (port, prop::sample::select(PROTOCOLS.to_vec()))
        .prop_map(|(port, protocol)| format!("m=audio {port} {protocol} 97 *").into_bytes())
}

fn description(media: usize) -> impl Strategy<Value = Vec<u8>> {
    let section = (media_line(), vec(attribute(), 0..6));
    let ends = prop::sample::select(vec![&b"\r\n"[..], b"\n"]);
    (
        vec(attribute(), 0..4),
        vec(section, media..=media),
        ends,
        any::<bool>(),
    )
        .prop_map(|(session, sections, end, last)| {
            let mut lines = vec![b"v=0".to_vec()];
            lines.extend(session);
            for (line, attributes) in sections {
                lines.push(line);
                lines.extend(attributes);
            }
            let mut octets = lines.join(end);
            if last {
                octets.extend_from_slice(end);
            }
            octets
        })
}

fn policy() -> impl Strategy<Value = Policy> {
    any::<[bool; 4]>().prop_map(|[opportunistic, aware, sha1, rekey]| {
        let mut policy = Policy::default();
        policy.opportunistic_srtp = opportunistic;
        policy.hashes = if sha1 {
            HashPolicy::WITH_SHA1
        } else {
            HashPolicy::default()
        };
        policy.msrp = if aware {
            MsrpHandling::Aware
        } else {
            MsrpHandling::Agnostic
        };
        policy.rekey = if rekey {
            Rekey::NewContext
        } else {
            Rekey::Refuse
        };
        policy
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn unrelated_octets_stay_and_nothing_that_needs_protection_becomes_plain(
        (offer, answer) in (1..4_usize).prop_flat_map(|n| (description(n), description(n))),
        policy in policy(),
        from_ue in any::<bool>(),
    ) {
        let source = if from_ue { Source::Ue } else { Source::Core };
        check(&with_policy(policy), source, &offer, &answer, &mut Counter::new());
    }

    #[test]
    fn answers_that_follow_their_offers_hold_as_well(
        offer in description(2),
        policy in policy(),
        edits in vec((any::<prop::sample::Index>(), attribute()), 0..3),
    ) {
        // The peer echoes what it was sent, with lines of its own: most exchanges complete.
        let dialogue = with_policy(policy);
        let Ok(originating) = dialogue.originating(&offer) else { return Ok(()) };
        let mut lines: Vec<Vec<u8>> =
            originating.offer_to_core().split(|o| *o == b'\n').map(<[u8]>::to_vec).collect();
        for (index, attribute) in edits {
            let place = index.index(lines.len()).max(1);
            lines.insert(place, attribute);
        }
        let answer = lines.join(&b'\n');
        check(&dialogue, Source::Ue, &offer, &answer, &mut Counter::new());
        check(&dialogue, Source::Core, &offer, &answer, &mut Counter::new());
    }

    #[test]
    fn ues_that_answer_what_they_are_offered_are_served(
        offer in description(3),
        policy in policy(),
    ) {
        let dialogue = with_policy(policy);
        let certificate = |_| Some(fingerprint("IMS-AGW"));
        let Ok(mut terminating) = dialogue.terminating(&offer, certificate, &mut Counter::new())
        else {
            return Ok(());
        };
        let answer = answer_of_ue(terminating.offer_to_ue());
        check(&dialogue, Source::Core, &offer, &answer, &mut Counter::new());
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        for (intention, outcome) in terminating.intentions().zip(answered.outcomes()) {
            let protected = matches!(intention, Intention::Protect(_));
            let live = matches!(outcome, Outcome::Rtp(_) | Outcome::Tls(_));
            prop_assert!(protected == live || is_allowed_to_fail(outcome), "{outcome:?}");
        }
    }
}

/// Each line as offered, with one key or fingerprint of the UE's own.
fn answer_of_ue(offer: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut media = 0_u8;
    for line in offer.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let security = [
            &b"a=crypto"[..],
            b"a=fingerprint",
            b"a=setup",
            b"a=3ge2ae",
            b"a=connection",
        ];
        if security.iter().any(|name| line.starts_with(name)) {
            continue;
        }
        lines.push(line.to_vec());
        if line.starts_with(b"m=") {
            let own = if String::from_utf8_lossy(line).contains("SAVP") {
                media += 1;
                let keys = [UE_KEY, UE_KEY_2, UE_KEY_3];
                format!(
                    "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{}",
                    keys[usize::from(media % 3)]
                )
            } else {
                format!("a=setup:active\r\na=fingerprint:{}", fingerprint("UE"))
            };
            lines.push(own.into_bytes());
        }
    }
    lines.join(&b"\r\n"[..])
}

/// What stands in the core's offer, or at session level, may still be at odds with the answer.
fn is_allowed_to_fail(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Closed
            | Outcome::Refused(
                Refusal::Sdp(_) | Refusal::NoConnection | Refusal::Crypto(sdes::Refused::KeyReused)
            )
    )
}
