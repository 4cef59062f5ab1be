//! What holds of whatever comes in, from either side. Shared with the fuzz target.

use std::collections::HashSet;

use sdes::KeyDigest;
use sdp_sec::edge::{Dialogue, Intention, Outcome};
use sdp_sec::fingerprint::{Fingerprint, HashFunction};
use sdp_sec::lines::{Line, Media, Section};
use sdp_sec::mediasec::{Mechanism, Source};
use sdp_sec::{Protocol, Sdp};

/// Sends `offer` from `source` through the edge and `answer` back, and checks what comes out.
pub(crate) fn check<R: rand_core::CryptoRng>(
    dialogue: &Dialogue,
    source: Source,
    offer: &[u8],
    answer: &[u8],
    rng: &mut R,
) {
    let certificate = |_| Fingerprint::of_certificate(b"IMS-AGW", HashFunction::Sha256).ok();
    let intentions = dialogue.examine(offer, source);
    match source {
        Source::Ue => {
            let Ok(pending) = dialogue.originating(offer) else {
                return;
            };
            let judged: Vec<_> = pending.intentions().collect();
            agree(&intentions.unwrap(), &judged);
            to_core(offer, pending.offer_to_core(), |media| {
                is_edge(judged[media])
            });
            let keyed = |media: usize| judged[media] == Intention::Protect(Mechanism::SdesSrtp);
            no_key_passes(&keys(offer, keyed), pending.offer_to_core());
            let Ok(answered) = pending.answered(answer, certificate, rng) else {
                return;
            };
            to_ue(answer, answered.sdp(), answered.outcomes());
            equal_protocols(offer, answered.sdp(), answered.outcomes());
        }
        Source::Core => {
            let Ok(mut pending) = dialogue.terminating(offer, certificate, rng) else {
                return;
            };
            let judged: Vec<_> = pending.intentions().collect();
            agree(&intentions.unwrap(), &judged);
            offer_to_ue(offer, pending.offer_to_ue(), &judged);
            let Ok(answered) = pending.answered(answer, rng) else {
                return;
            };
            let outcomes = answered.outcomes();
            let keyed = |media: usize| judged[media] == Intention::Protect(Mechanism::SdesSrtp);
            let live = |media: usize| matches!(outcomes[media], Outcome::Rtp(_));
            let mut hidden = keys(pending.offer_to_ue(), keyed);
            hidden.extend(keys(answer, live));
            no_key_passes(&hidden, answered.sdp());
            to_core(answer, answered.sdp(), |media| {
                !matches!(outcomes[media], Outcome::Untouched)
            });
            for (line, outcome) in lines(answered.sdp()).iter().zip(outcomes) {
                let live = matches!(
                    outcome,
                    Outcome::Rtp(_) | Outcome::Tls(_) | Outcome::Untouched
                );
                assert!(live || line.0 == 0);
            }
            equal_protocols(offer, answered.sdp(), outcomes);
        }
    }
}

/// What is judged before reading on may only become stricter.
fn agree(examined: &[Intention], judged: &[Intention]) {
    assert_eq!(examined.len(), judged.len());
    for (before, after) in examined.iter().zip(judged) {
        assert!(before == after || matches!(after, Intention::Refuse(_)));
    }
}

fn is_edge(intention: Intention) -> bool {
    intention != Intention::Untouched
}

/// No key, fingerprint or indicator of a stream that the edge ends reaches the core, no indicator at
/// all; and what was protected is refused, end to end, or the edge's.
fn to_core(received: &[u8], sent: &[u8], is_edge: impl Fn(usize) -> bool) {
    unrelated_unchanged(received, sent);
    let (received, sent) = (Sdp::parse(received).unwrap(), Sdp::parse(sent).unwrap());
    assert_eq!(received.media_count(), sent.media_count());
    for (old, new) in received.media().zip(sent.media()) {
        assert!(!has(new.section(), "3ge2ae"));
        if is_edge(new.index()) {
            for name in ["crypto", "fingerprint", "tls-id"] {
                assert!(!has(new.section(), name), "{name}");
            }
            for capability in new.section().attributes_named("acap") {
                let value = String::from_utf8_lossy(capability.value().unwrap_or_default());
                let offered = value
                    .trim_start()
                    .trim_start_matches(|c: char| c.is_ascii_digit());
                assert!(!offered.trim_start().starts_with("crypto:"));
            }
        } else {
            assert_eq!(untold(old), untold(new));
        }
    }
}

/// The keys of those m-lines.
fn keys(sdp: &[u8], of: impl Fn(usize) -> bool) -> HashSet<KeyDigest> {
    let sdp = Sdp::parse(sdp).unwrap();
    let lines = sdp.media().filter(|media| of(media.index()));
    let lines = lines.flat_map(|media| media.lines());
    lines
        .filter(|line| {
            line.attribute()
                .is_some_and(|a| a.is("crypto") || a.is("acap"))
        })
        .flat_map(|line| KeyDigest::in_line(line.octets()))
        .collect()
}

/// No key of a stream that the edge ends reaches the core on any line, and no key at all on a line
/// that is not SRTP keyed in SDP.
fn no_key_passes(hidden: &HashSet<KeyDigest>, sent: &[u8]) {
    assert!(keys(sent, |_| true).is_disjoint(hidden));
    let sent = Sdp::parse(sent).unwrap();
    let carriers: Vec<_> = sent.media().map(|media| keeps_keys(&media)).collect();
    assert!(keys(sent.octets(), |media| !carriers[media]).is_empty());
}

fn keeps_keys(media: &Media<'_>) -> bool {
    let line = media.media_line().unwrap();
    line.protocol().is_signalling_keyed_srtp() && line.port() != 0
}

/// Every stream that the edge ends is protected towards the UE, or has port 0.
fn to_ue(received: &[u8], sent: &[u8], outcomes: &[Outcome]) {
    unrelated_unchanged(received, sent);
    let (received, sent) = (Sdp::parse(received).unwrap(), Sdp::parse(sent).unwrap());
    for ((old, new), outcome) in received.media().zip(sent.media()).zip(outcomes) {
        let line = new.media_line().unwrap();
        match outcome {
            Outcome::Untouched => assert_eq!(untold(old), untold(new)),
            Outcome::Rtp(stream) => {
                assert_eq!(line.protocol(), stream.access());
                assert_eq!(new.section().attributes_named("crypto").count(), 1);
            }
            Outcome::Tls(_) => {
                assert!(line.protocol().is_secured());
                assert_eq!(new.section().attributes_named("fingerprint").count(), 1);
            }
            _ => assert_eq!(line.port(), 0),
        }
    }
}

fn offer_to_ue(received: &[u8], sent: &[u8], intentions: &[Intention]) {
    unrelated_unchanged(received, sent);
    let (received, sent) = (Sdp::parse(received).unwrap(), Sdp::parse(sent).unwrap());
    for ((old, new), intention) in received.media().zip(sent.media()).zip(intentions) {
        let line = new.media_line().unwrap();
        match intention {
            Intention::Untouched => assert_eq!(untold(old), untold(new)),
            Intention::Protect(_) => {
                assert!(line.protocol().is_secured());
                assert!(has(new.section(), "crypto") != has(new.section(), "fingerprint"));
            }
            _ => assert_eq!(line.port(), 0),
        }
    }
}

/// An answer has its offer's protocol, but for feedback, wherever the edge had a hand in the line.
fn equal_protocols(offer: &[u8], answer: &[u8], outcomes: &[Outcome]) {
    for ((old, new), outcome) in lines(offer).iter().zip(&lines(answer)).zip(outcomes) {
        if !matches!(outcome, Outcome::Untouched) && Protocol::ALL.contains(&old_protocol(&old.1)) {
            // With feedback or without it: the answerer may choose.
            let profile = |token: &str| token.to_ascii_uppercase().replace("AVPF", "AVP");
            assert_eq!(profile(&old.1), profile(&new.1));
        }
    }
}

fn old_protocol(token: &str) -> Protocol<'_> {
    Protocol::from_token(token)
}

/// Port and protocol of each m-line.
fn lines(sdp: &[u8]) -> Vec<(u16, String)> {
    let sdp = Sdp::parse(sdp).unwrap();
    let lines = sdp.media().map(|media| media.media_line().unwrap());
    lines
        .map(|line| (line.port(), line.protocol().as_str().to_owned()))
        .collect()
}

/// The lines that the edge never touches come through octet by octet, ends included, in order.
fn unrelated_unchanged(received: &[u8], sent: &[u8]) {
    let (received, sent) = (Sdp::parse(received).unwrap(), Sdp::parse(sent).unwrap());
    let mut sent = sent.lines().filter(is_unrelated).peekable();
    for old in received.lines().filter(is_unrelated) {
        let new = sent.next().expect("a line is gone");
        assert_eq!(old.octets(), new.octets());
        // The last line has an end once another follows it.
        assert!(old.end() == new.end() || sent.peek().is_none() || old.end().octets().is_empty());
    }
    assert!(sent.next().is_none(), "a line is new");
}

fn is_unrelated(line: &Line<'_>) -> bool {
    const TOUCHED: [&str; 10] = [
        "3ge2ae",
        "acap",
        "connection",
        "cpar",
        "crypto",
        "fingerprint",
        "path",
        "setup",
        "tcap",
        "tls-id",
    ];
    let touched = line.attribute().is_some_and(|attribute| {
        let name = attribute.name().trim_ascii();
        TOUCHED
            .iter()
            .any(|touched| name.eq_ignore_ascii_case(touched.as_bytes()))
    });
    !touched && !matches!(line.kind(), Some(b'k' | b'm'))
}

fn has(section: Section<'_>, name: &str) -> bool {
    section.attributes_named(name).next().is_some()
}

/// A media section without the lines that are for the edge alone, and without keys that protect no
/// stream end to end.
fn untold(media: Media<'_>) -> Vec<&[u8]> {
    let keeps_keys = keeps_keys(&media);
    let is_told = |line: &Line<'_>| {
        line.attribute().is_some_and(|attribute| {
            let value = attribute.value().unwrap_or_default().trim_ascii_start();
            let digits = value
                .iter()
                .take_while(|octet| octet.is_ascii_digit())
                .count();
            let offered = value[digits..].trim_ascii_start();
            let parameter = value.strip_prefix(b"a=").unwrap_or(value);
            let is = |text: &[u8], name: &[u8]| {
                let start = text.trim_ascii_start().get(..name.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(name))
            };
            let offers = |name: &[u8]| {
                attribute.is("acap") && is(offered, name)
                    || attribute.is("cpar") && is(parameter, name)
            };
            let is_key = attribute.is("crypto") || offers(b"crypto");
            attribute.is("3ge2ae") || offers(b"3ge2ae") || (is_key && !keeps_keys)
        }) || (line.kind() == Some(b'k') && !keeps_keys)
    };
    media
        .lines()
        .filter(|line| !is_told(line))
        .map(|line| line.octets())
        .collect()
}
