use std::fs;
use std::path::{Path, PathBuf};

use sdp_sec::edge::{Dialogue, Outcome, Policy};
use sdp_sec::fingerprint::HashPolicy;
use sdp_sec::{Sdp, answer, key_mgmt};

use super::support::{Counter, agw, with_policy};

/// What each scenario is to come to, m-line by m-line.
const SCENARIOS: &[(&str, &[&str])] = &[
    (
        "conference_bfcp_originating",
        &["tls", "untouched", "untouched"],
    ),
    ("conference_bfcp_terminating", &["tls", "rtp", "rtp"]),
    (
        "everything_originating",
        &[
            "rtp",
            "untouched",
            "untouched",
            "closed",
            "untouched",
            "tls",
            "tls",
            "tls",
            "untouched",
        ],
    ),
    ("fax_originating", &["tls"]),
    ("fax_terminating", &["tls"]),
    ("peer_leaking_core_terminating", &["rtp", "untouched"]),
    ("peer_many_suites_originating", &["rtp"]),
    ("rcs_chat_originating", &["tls"]),
    ("rcs_chat_terminating", &["tls"]),
    ("rcs_file_transfer_originating", &["tls"]),
    (
        "rfc4568_conference_originating",
        &["rtp", "rtp", "untouched"],
    ),
    ("ts34229_voice_originating", &["rtp"]),
    ("volte_video_originating", &["rtp", "rtp"]),
    ("volte_video_terminating", &["rtp", "closed"]),
    ("volte_voice_originating", &["rtp"]),
    ("volte_voice_terminating", &["rtp"]),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/edge")
}

fn dialogue(scenario: &str) -> Dialogue {
    let mut policy = Policy::default();
    // RCS 5 and the figures of RFC 7345 have SHA-1; TS 34.229-1 prints RTP/AVP.
    if scenario.starts_with("rcs_chat") || scenario.starts_with("fax") {
        policy.hashes = HashPolicy::WITH_SHA1;
    }
    policy.opportunistic_srtp = scenario.starts_with("ts34229");
    with_policy(policy)
}

/// Compares with the golden file; writes it if the environment has `BLESS_GOLDEN_FILES`.
fn golden(path: &Path, written: &[u8]) {
    if std::env::var_os("BLESS_GOLDEN_FILES").is_some() {
        fs::write(path, written).unwrap();
    }
    let expected = fs::read(path).unwrap();
    let (text, expected_text) = (
        String::from_utf8_lossy(written),
        String::from_utf8_lossy(&expected),
    );
    assert_eq!(text, expected_text, "{}", path.display());
    assert_eq!(written, expected);
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Closed => "closed",
        Outcome::Rtp(_) => "rtp",
        Outcome::Tls(_) => "tls",
        Outcome::Untouched => "untouched",
        _ => "refused",
    }
}

fn check(scenario: &str, outcomes: &[&str]) {
    let directory = directory().join(scenario);
    let read = |file: &str| fs::read(directory.join(file)).unwrap();
    let (dialogue, mut rng) = (dialogue(scenario), Counter::new());
    let answered = if scenario.ends_with("originating") {
        let (offer, core) = (read("1_from_ue.sdp"), read("3_from_core.sdp"));
        let originating = dialogue.originating(&offer).unwrap();
        golden(
            &directory.join("2_to_core.sdp"),
            originating.offer_to_core(),
        );
        let answered = originating.answered(&core, agw, &mut rng).unwrap();
        golden(&directory.join("4_to_ue.sdp"), answered.sdp());
        consistent(&offer, answered.sdp());
        forwarded(&offer, originating.offer_to_core());
        forwarded(&core, answered.sdp());
        answered
    } else {
        let (offer, ue) = (read("1_from_core.sdp"), read("3_from_ue.sdp"));
        let mut terminating = dialogue.terminating(&offer, agw, &mut rng).unwrap();
        golden(&directory.join("2_to_ue.sdp"), terminating.offer_to_ue());
        let answered = terminating.answered(&ue, &mut rng).unwrap();
        golden(&directory.join("4_to_core.sdp"), answered.sdp());
        consistent(&offer, answered.sdp());
        forwarded(&offer, terminating.offer_to_ue());
        answered
    };
    let names: Vec<_> = answered.outcomes().iter().map(name).collect();
    assert_eq!(names, outcomes, "{scenario}");
}

/// Each side sees an answer that belongs to its own offer.
fn consistent(offer: &[u8], to_offerer: &[u8]) {
    let (offer, to_offerer) = (Sdp::parse(offer).unwrap(), Sdp::parse(to_offerer).unwrap());
    assert_eq!(answer::check(&offer, &to_offerer), Ok(()));
}

/// End-to-end key management is passed on.
fn forwarded(received: &[u8], sent: &[u8]) {
    let (received, sent) = (Sdp::parse(received).unwrap(), Sdp::parse(sent).unwrap());
    assert_eq!(key_mgmt::check_forwarded(&received, &sent), Ok(()));
}

#[test]
fn every_description_comes_out_as_its_golden_file() {
    for (scenario, outcomes) in SCENARIOS {
        check(scenario, outcomes);
    }
}

#[test]
fn every_folder_is_a_scenario() {
    let mut folders: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let scenarios: Vec<_> = SCENARIOS.iter().map(|(scenario, _)| *scenario).collect();
    assert_eq!(folders, scenarios);
}
