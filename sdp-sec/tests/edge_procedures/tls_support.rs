use sdp_sec::Setup;
use sdp_sec::edge::{Outcome, Policy};

use super::support::{Counter, agw, fingerprint, originate, sdp, with_policy};

/// A TLS line of the UE, with its fingerprint.
pub(crate) fn ue(line: &str, attributes: &str) -> Vec<u8> {
    sdp(&format!(
        "m={line}\n{attributes}a=fingerprint:{}\n",
        fingerprint("UE")
    ))
}

/// The `a=setup` line, if there is a value.
pub(crate) fn setup(value: Option<Setup>) -> String {
    value.map_or_else(String::new, |setup| format!("a=setup:{setup}\n"))
}

/// What the edge settles for a UE's offer with `offered` and a core's answer with `answered`.
pub(crate) fn originating(
    policy: Policy,
    media: [&str; 2],
    offered: Option<Setup>,
    answered: Option<Setup>,
) -> (Outcome, String) {
    let offer = ue(media[0], &setup(offered));
    let answer = sdp(&format!("m={}\n{}", media[1], setup(answered)));
    let answered = originate(&with_policy(policy), &offer, &answer);
    (
        answered.outcomes()[0].clone(),
        super::support::media(answered.sdp()),
    )
}

/// The same for a core's offer with `core`, and a UE's answer with `answered`.
pub(crate) fn terminating(
    policy: Policy,
    media: [&str; 2],
    core: Option<Setup>,
    answered: Option<Setup>,
) -> (Outcome, String) {
    let offer = sdp(&format!("m={}\n{}", media[1], setup(core)));
    let mut offered = with_policy(policy)
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let answered = offered
        .answered(&ue(media[0], &setup(answered)), &mut Counter::new())
        .unwrap();
    (
        answered.outcomes()[0].clone(),
        super::support::media(answered.sdp()),
    )
}

/// What follows `m=` towards the UE and towards the core.
pub(crate) const MSRP: [&str; 2] = ["message 9 TCP/TLS/MSRP *", "message 2855 TCP/MSRP *"];
/// The same for BFCP.
pub(crate) const BFCP: [&str; 2] = [
    "application 9 TCP/TLS/BFCP *",
    "application 50000 TCP/BFCP *",
];
