use sdp_sec::edge::gateway::{Order, Termination};
use sdp_sec::edge::{BfcpTls, Intention, MsrpHandling, Outcome, Policy, Refusal, TlsStream};
use sdp_sec::fingerprint::HashPolicy;
use sdp_sec::mediasec::{self, Mechanism, Source};
use sdp_sec::tls_role::{TlsRole, TransportRole};
use sdp_sec::{Connection, Protocol, Rule, Setup};

use super::support::{
    Counter, access, agw, dialogue, fingerprint, media, originate, sdp, set, tls_stream,
    with_policy,
};
use sdp_sec::edge::Dialogue;

const ACTIVE: TransportRole = TransportRole::Active;
const PASSIVE: TransportRole = TransportRole::Passive;

/// A TLS line of the UE, with its fingerprint.
fn ue(line: &str, attributes: &str) -> Vec<u8> {
    sdp(&format!(
        "m={line}\n{attributes}a=fingerprint:{}\n",
        fingerprint("UE")
    ))
}

fn setup(value: Option<Setup>) -> String {
    value.map_or_else(String::new, |setup| format!("a=setup:{setup}\n"))
}

/// What the edge settles for a UE's offer with `offered` and a core's answer with `answered`.
fn originating(
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
fn terminating(
    policy: Policy,
    media: [&str; 2],
    core: Option<Setup>,
    answered: Option<Setup>,
) -> (Outcome, String) {
    let offer = sdp(&format!("m={}\n{}", media[1], setup(core)));
    let offered = with_policy(policy)
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

const MSRP: [&str; 2] = ["message 9 TCP/TLS/MSRP *", "message 2855 TCP/MSRP *"];
const BFCP: [&str; 2] = [
    "application 9 TCP/TLS/BFCP *",
    "application 50000 TCP/BFCP *",
];

fn roles(stream: &TlsStream) -> (TransportRole, TlsRole, Option<TransportRole>) {
    let access = stream.access_roles().unwrap();
    (access.transport, access.tls.unwrap(), stream.core_role())
}

const SETUPS: [Option<Setup>; 5] = [
    None,
    Some(Setup::Active),
    Some(Setup::Passive),
    Some(Setup::Actpass),
    Some(Setup::Holdconn),
];

#[test]
fn req_ta_01_msrp_and_bfcp_are_supported_each_for_itself() {
    let offer = sdp(&format!("m={}\nm={}\n", MSRP[1], BFCP[1]));
    for (mechanism, expected) in [
        (
            Mechanism::MsrpTls,
            [Intention::Protect(Mechanism::MsrpTls), Intention::Untouched],
        ),
        (
            Mechanism::BfcpTls,
            [Intention::Untouched, Intention::Protect(Mechanism::BfcpTls)],
        ),
    ] {
        let dialogue = Dialogue::new(Policy::default().into(), access(&[mechanism]));
        assert_eq!(dialogue.examine(&offer, Source::Core).unwrap(), expected);
    }
}

#[test]
fn req_ta_02_tells_for_which_streams_the_gateway_is_needed() {
    let offer = sdp(&format!(
        "m=audio 1 RTP/AVP 0\nm={}\nm=video 1 RTP/SAVP 0\n",
        MSRP[1]
    ));
    let intentions = dialogue().examine(&offer, Source::Core).unwrap();
    let protect = |mechanism| Intention::Protect(mechanism);
    let expected = [
        protect(Mechanism::SdesSrtp),
        protect(Mechanism::MsrpTls),
        Intention::Refuse(Refusal::Registration(mediasec::Refusal::NotKeyed)),
    ];
    assert_eq!(intentions, expected);
}

#[test]
fn req_ta_03_the_fingerprint_of_the_gateway_is_asked_for_and_needed() {
    let offer = sdp(&format!("m=audio 1 RTP/AVP 0\nm={}\n", MSRP[1]));
    let mut asked = Vec::new();
    let certificate = |media| {
        asked.push(media);
        None
    };
    let refused = dialogue()
        .terminating(&offer, certificate, &mut Counter::new())
        .err();
    assert_eq!(
        refused,
        Some(sdp_sec::edge::EdgeError::Certificate { media: 1 })
    );
    assert_eq!(asked, [1]);
}

#[test]
fn req_ta_04_the_ue_gets_the_fingerprint_of_the_gateway_in_answer_and_offer() {
    let own = format!("a=fingerprint:{}\n", agw(0).unwrap());
    for (tls, core) in [(MSRP[0], MSRP[1]), (BFCP[0], BFCP[1])] {
        let answered = originate(&dialogue(), &ue(tls, ""), &sdp(&format!("m={core}\n")));
        let answer = media(answered.sdp());
        assert!(answer.contains(&own) && !answer.contains(&fingerprint("UE").to_string()));
        let offer = sdp(&format!("m={core}\na=fingerprint:sha-256 00:11\n"));
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let offer = media(terminating.offer_to_ue());
        assert!(offer.contains(&own) && !offer.contains("00:11"));
    }
}

#[test]
fn req_ta_05_the_gateway_gets_the_fingerprint_of_the_ue() {
    let (outcome, _) = originating(Policy::default(), MSRP, None, None);
    assert_eq!(*tls_stream(&outcome).remote_fingerprints(), set("UE"));
    assert!(matches!(
        &tls_stream(&outcome).orders()[0],
        Order::RemoteFingerprints(remote) if *remote == set("UE")
    ));
    let (outcome, _) = terminating(Policy::default(), BFCP, None, Some(Setup::Active));
    assert_eq!(*tls_stream(&outcome).remote_fingerprints(), set("UE"));
}

#[test]
fn req_ta_06_the_gateway_is_told_the_setup_direction_of_both_terminations() {
    let (outcome, _) = originating(Policy::default(), MSRP, Some(Setup::Active), None);
    let orders = tls_stream(&outcome).orders();
    let told = |wanted: Termination| {
        orders.iter().find_map(|order| match order {
            Order::TcpRole(termination, role) if *termination == wanted => Some(*role),
            _ => None,
        })
    };
    assert_eq!(told(Termination::Access), Some(PASSIVE));
    assert_eq!(told(Termination::Core), Some(ACTIVE));
}

#[test]
fn req_ta_07_tcp_roles_of_both_terminations_in_all_combinations_of_setup() {
    // (offer of the UE, answer of the core) -> (access, core); what is not here is illegal.
    let a = Some(Setup::Active);
    let p = Some(Setup::Passive);
    let ap = Some(Setup::Actpass);
    let expected = [
        (None, None, PASSIVE, ACTIVE),
        (None, p, PASSIVE, ACTIVE),
        (a, None, PASSIVE, ACTIVE),
        (a, p, PASSIVE, ACTIVE),
        (p, a, ACTIVE, PASSIVE),
        (ap, None, PASSIVE, ACTIVE),
        (ap, a, PASSIVE, PASSIVE),
        (ap, p, PASSIVE, ACTIVE),
    ];
    for offered in [None, a, p, ap] {
        for answered in [None, a, p, ap] {
            for protocol in [MSRP, BFCP] {
                let (outcome, _) = originating(Policy::default(), protocol, offered, answered);
                let legal = expected.iter().find(|e| (e.0, e.1) == (offered, answered));
                match (legal, &outcome) {
                    (Some((_, _, access, core)), Outcome::Tls(stream)) => {
                        let (tcp, _, core_tcp) = roles(stream);
                        assert_eq!((tcp, core_tcp), (*access, Some(*core)));
                    }
                    (None, Outcome::Refused(Refusal::Sdp(error))) => {
                        assert_eq!(error.rule(), Rule::SetupAnswer);
                    }
                    _ => panic!("{offered:?} {answered:?} {outcome:?}"),
                }
            }
        }
    }
}

#[test]
fn req_ta_07_tcp_roles_where_the_ue_answers_in_all_combinations_of_setup() {
    let a = Some(Setup::Active);
    let p = Some(Setup::Passive);
    let ap = Some(Setup::Actpass);
    for own in [Setup::Passive, Setup::Active, Setup::Actpass] {
        for core in [None, a, p, ap] {
            for answered in [None, a, p, ap] {
                let mut policy = Policy::default();
                policy.msrp_setup = own;
                let (outcome, to_core) = terminating(policy, MSRP, core, answered);
                let ue_role = answered.unwrap_or(Setup::Passive);
                let legal = own.may_be_answered_by(ue_role);
                let Outcome::Tls(stream) = &outcome else {
                    assert!(!legal, "{own} {core:?} {answered:?}");
                    assert!(to_core.starts_with("m=message 0 TCP/MSRP *\n"), "{to_core}");
                    continue;
                };
                assert!(legal);
                let (tcp, tls, core_tcp) = roles(stream);
                let expected = if ue_role == Setup::Active {
                    PASSIVE
                } else {
                    ACTIVE
                };
                assert_eq!(tcp, expected);
                assert_eq!(tls == TlsRole::Client, tcp == ACTIVE);
                let to_core_role = match core.unwrap_or(Setup::Active) {
                    Setup::Active => PASSIVE,
                    Setup::Passive => ACTIVE,
                    // Left to the edge: it is to the core what the UE is to it.
                    _ => tcp.peer(),
                };
                assert_eq!(core_tcp, Some(to_core_role));
                assert!(to_core.contains(&format!("a=setup:{}\n", to_core_role.setup())));
            }
        }
    }
}

#[test]
fn req_ta_08_a_tcp_client_connects_at_once_or_on_the_syn_of_the_other_side() {
    let mut at_once = Policy::default();
    at_once.syn_trigger = false;
    for (policy, triggered) in [(Policy::default(), true), (at_once, false)] {
        let (outcome, _) = originating(policy, MSRP, Some(Setup::Active), None);
        let orders = tls_stream(&outcome).orders();
        let trigger = orders
            .iter()
            .any(|o| matches!(o, Order::StartTcpOnTrigger(Termination::Core)));
        let start = orders
            .iter()
            .any(|o| matches!(o, Order::StartTcp(Termination::Core)));
        assert_eq!((trigger, start), (triggered, !triggered));
    }
    // Client on both sides: nobody's SYN would come, so both start.
    let mut policy = Policy::default();
    policy.msrp_setup = Setup::Active;
    let passive = Some(Setup::Passive);
    let (outcome, _) = terminating(policy, MSRP, passive, passive);
    let starts = tls_stream(&outcome)
        .orders()
        .iter()
        .filter(|order| matches!(order, Order::StartTcp(_)))
        .count();
    assert_eq!(starts, 2);
}

#[test]
fn req_ta_09_msrp_active_is_tls_client_and_passive_is_tls_server() {
    for (offered, answered, tls) in [
        (Setup::Active, Setup::Passive, TlsRole::Server),
        (Setup::Actpass, Setup::Active, TlsRole::Server),
        (Setup::Passive, Setup::Active, TlsRole::Client),
    ] {
        let (outcome, _) = originating(Policy::default(), MSRP, Some(offered), Some(answered));
        let (tcp, role, _) = roles(tls_stream(&outcome));
        assert_eq!(role, tls);
        assert_eq!(tcp == ACTIVE, role == TlsRole::Client);
    }
}

#[test]
fn req_ta_10_bfcp_the_answerer_is_tls_server_whatever_its_tcp_role() {
    // The UE offers, the IMS-AGW answers: TLS server, as TCP server and as TCP client.
    for (offered, answered, tcp) in [
        (Setup::Active, Setup::Passive, PASSIVE),
        (Setup::Passive, Setup::Active, ACTIVE),
    ] {
        let (outcome, _) = originating(Policy::default(), BFCP, Some(offered), Some(answered));
        let stream = tls_stream(&outcome);
        assert_eq!((roles(stream).0, roles(stream).1), (tcp, TlsRole::Server));
    }
    // The UE answers: the IMS-AGW is TLS client, as TCP server and as TCP client.
    for (own, answered, tcp) in [
        (Setup::Passive, Setup::Active, PASSIVE),
        (Setup::Active, Setup::Passive, ACTIVE),
    ] {
        let mut policy = Policy::default();
        policy.bfcp_setup = own;
        let (outcome, _) = terminating(policy, BFCP, None, Some(answered));
        let stream = tls_stream(&outcome);
        assert_eq!((roles(stream).0, roles(stream).1), (tcp, TlsRole::Client));
        assert!(matches!(stream.orders().last(), Some(Order::StartTls)));
    }
    // RFC 8856 §10 taken alone.
    let mut policy = Policy::default();
    policy.bfcp_tls = BfcpTls::Setup;
    let (outcome, _) = terminating(policy, BFCP, None, Some(Setup::Active));
    assert_eq!(roles(tls_stream(&outcome)).1, TlsRole::Server);
}

#[test]
fn req_ta_11_as_tls_client_the_gateway_is_asked_to_start_tls_and_as_server_it_is_not() {
    let starts = |outcome: &Outcome| {
        tls_stream(outcome)
            .orders()
            .iter()
            .any(|order| matches!(order, Order::StartTls))
    };
    let (outcome, _) = terminating(Policy::default(), BFCP, None, Some(Setup::Active));
    assert!(starts(&outcome));
    let (outcome, _) = originating(Policy::default(), BFCP, Some(Setup::Active), None);
    assert!(!starts(&outcome));
    let (outcome, _) = originating(
        Policy::default(),
        MSRP,
        Some(Setup::Passive),
        Some(Setup::Active),
    );
    assert!(starts(&outcome));
}

#[test]
fn req_ta_12_msrp_transports_agnostic_or_aware() {
    let (outcome, _) = originating(Policy::default(), MSRP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTls, Protocol::Tcp)
    );
    let mut policy = Policy::default();
    policy.msrp = MsrpHandling::Aware;
    let (outcome, _) = originating(policy, MSRP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTlsMsrp, Protocol::TcpMsrp)
    );
}

#[test]
fn req_ta_12_the_path_changes_its_scheme_only_where_the_gateway_rewrites_msrp() {
    let path = "a=path:msrps://ue.example:9/a;tcp\n";
    let core_path = "a=path:msrp://core.example:2855/b;tcp\n";
    let mut aware = Policy::default();
    aware.msrp = MsrpHandling::Aware;
    for (policy, changes) in [(Policy::default(), false), (aware, true)] {
        let originating = with_policy(policy.clone())
            .originating(&ue(MSRP[0], path))
            .unwrap();
        let to_core = media(originating.offer_to_core());
        assert_eq!(
            to_core.contains("a=path:msrp://ue.example:9/a;tcp\n"),
            changes
        );
        assert_eq!(to_core.contains(path), !changes);
        let answer = sdp(&format!("m={}\n{core_path}", MSRP[1]));
        let answered = originating
            .answered(&answer, agw, &mut Counter::new())
            .unwrap();
        let to_ue = media(answered.sdp());
        assert_eq!(
            to_ue.contains("a=path:msrps://core.example:2855/b;tcp\n"),
            changes
        );
        let terminating = with_policy(policy)
            .terminating(&answer, agw, &mut Counter::new())
            .unwrap();
        let to_ue = media(terminating.offer_to_ue());
        assert_eq!(
            to_ue.contains("a=path:msrps://core.example:2855/b;tcp\n"),
            changes
        );
        let answer = ue(MSRP[0], &format!("a=setup:active\n{path}"));
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        let to_core = media(answered.sdp());
        assert_eq!(
            to_core.contains("a=path:msrp://ue.example:9/a;tcp\n"),
            changes
        );
    }
}

#[test]
fn req_ta_13_bfcp_transports_are_tcp_tls_and_tcp() {
    let (outcome, _) = originating(Policy::default(), BFCP, None, None);
    let stream = tls_stream(&outcome);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::TcpTls, Protocol::Tcp)
    );
}

#[test]
fn req_ta_14_a_ue_that_asks_is_served_and_its_request_goes_no_further() {
    let offer = ue(MSRP[0], "a=setup:active\na=3ge2ae:requested\n");
    let originating = dialogue().originating(&offer).unwrap();
    let to_core = "m=message 9 TCP/MSRP *\na=setup:active\n";
    assert_eq!(media(originating.offer_to_core()), to_core);
}

#[test]
fn req_ta_15_without_indicator_and_key_management_the_network_acts_as_if_asked() {
    let asked = ue(MSRP[0], "a=3ge2ae:requested\n");
    let silent = ue(MSRP[0], "");
    let unknown = ue(MSRP[0], "a=3ge2ae:whatever\n");
    for offer in [asked, silent, unknown] {
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(
            media(originating.offer_to_core()),
            "m=message 9 TCP/MSRP *\n"
        );
    }
}

#[test]
fn req_ta_16_key_management_means_end_to_end_and_passes_untouched() {
    for offer in [
        ue(MSRP[0], "a=key-mgmt:mikey AQAFgA==\n"),
        ue(BFCP[0], "a=key-mgmt:mikey AQAFgA==\n"),
    ] {
        let originating = dialogue().originating(&offer).unwrap();
        assert_eq!(originating.offer_to_core(), offer);
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        assert_eq!(terminating.offer_to_ue(), offer);
    }
    // Asking for both is a contradiction.
    let both = ue(MSRP[0], "a=3ge2ae:requested\na=key-mgmt:mikey AQAFgA==\n");
    let originating = dialogue().originating(&both).unwrap();
    assert!(media(originating.offer_to_core()).starts_with("m=message 0 "));
}

#[test]
fn req_ta_17_the_terminating_ue_gets_tls_a_fingerprint_and_is_told_that_it_ends_at_the_edge() {
    let offer = sdp("m=message 2855 TCP/MSRP *\na=setup:actpass\na=accept-types:text/plain\n");
    let terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let expected = format!(
        "m=message 2855 TCP/TLS/MSRP *\na=setup:passive\na=accept-types:text/plain\n\
         a=fingerprint:{}\na=3ge2ae:applied\n",
        agw(0).unwrap(),
    );
    assert_eq!(media(terminating.offer_to_ue()), expected);
}

#[test]
fn req_ta_18_sdp_to_the_ue_says_passive() {
    for core in SETUPS {
        let offer = sdp(&format!("m={}\n{}", MSRP[1], setup(core)));
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let to_ue = media(terminating.offer_to_ue());
        assert_eq!(to_ue.matches("a=setup:").count(), 1);
        assert!(to_ue.contains("a=setup:passive\n"), "{to_ue}");
    }
    for offered in [None, Some(Setup::Active), Some(Setup::Actpass)] {
        let (_, answer) = originating(Policy::default(), MSRP, offered, None);
        assert!(answer.contains("a=setup:passive\n"));
    }
}

#[test]
fn req_ta_19_the_core_leg_is_plain_and_a_core_with_tls_is_refused() {
    let (outcome, answer) = terminating(Policy::default(), MSRP, None, Some(Setup::Active));
    assert_eq!(tls_stream(&outcome).core(), Protocol::Tcp);
    assert!(answer.starts_with("m=message 9 TCP/MSRP *\n") && !answer.contains("fingerprint"));

    let intentions = dialogue().examine(&ue(MSRP[0], ""), Source::Core).unwrap();
    assert!(matches!(intentions[..], [Intention::Refuse(_)]));
}

#[test]
fn req_ta_20_fingerprints_are_not_passed_end_to_end() {
    for line in [MSRP[0], BFCP[0], "image 9 UDP/TLS/UDPTL t38"] {
        let offer = ue(line, "");
        let refusal = Refusal::Registration(mediasec::Refusal::FingerprintEndToEnd);
        let intentions = dialogue().examine(&offer, Source::Core).unwrap();
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
        // Nor from a UE with which nothing was agreed.
        let nothing = Dialogue::new(Policy::default().into(), access(&[]));
        let refusal = Refusal::Registration(mediasec::Refusal::NotIndicated);
        let intentions = nothing.examine(&offer, Source::Ue).unwrap();
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
    }
}

#[test]
fn req_ta_21_holdconn_is_held_by_bfcp_and_ignored_by_msrp() {
    let hold = Some(Setup::Holdconn);
    let (outcome, answer) = originating(Policy::default(), BFCP, hold, hold);
    let stream = tls_stream(&outcome);
    assert!(stream.access_roles().is_none() && stream.core_role().is_none());
    assert!(stream.orders().is_empty() && answer.contains("a=setup:holdconn\n"));
    let (outcome, answer) = originating(Policy::default(), MSRP, hold, None);
    assert_eq!(roles(tls_stream(&outcome)).0, PASSIVE);
    assert!(answer.contains("a=setup:passive\n"));
    let (_, to_core) = terminating(Policy::default(), BFCP, hold, hold);
    assert!(to_core.contains("a=setup:holdconn\n"), "{to_core}");
}

#[test]
fn req_ta_21_an_existing_connection_stays_and_a_new_one_is_set_up() {
    let offer = |connection: &str| {
        ue(
            BFCP[0],
            &format!("a=setup:active\na=connection:{connection}\n"),
        )
    };
    let answer = |connection: &str| {
        sdp(&format!(
            "m={}\na=setup:passive\na=connection:{connection}\n",
            BFCP[1]
        ))
    };
    let first = originate(&dialogue(), &offer("new"), &answer("new"));
    assert_eq!(
        tls_stream(&first.outcomes()[0]).connection(),
        Connection::New
    );
    let again = originate(first.dialogue(), &offer("existing"), &answer("existing"));
    let kept = tls_stream(&again.outcomes()[0]);
    assert_eq!(kept.connection(), Connection::Existing);
    assert!(kept.orders().is_empty());
    assert_eq!(roles(kept), roles(tls_stream(&first.outcomes()[0])));
    let again = originate(first.dialogue(), &offer("existing"), &answer("new"));
    assert_eq!(
        tls_stream(&again.outcomes()[0]).connection(),
        Connection::New
    );
    // An answer may not keep what the offer wants anew, nor what is not there.
    let illegal = originate(first.dialogue(), &offer("new"), &answer("existing"));
    let Outcome::Refused(Refusal::Sdp(error)) = &illegal.outcomes()[0] else {
        panic!()
    };
    assert_eq!(error.rule(), Rule::ConnectionAnswer);
    let nothing = originate(&dialogue(), &offer("existing"), &answer("existing"));
    assert!(matches!(
        nothing.outcomes(),
        [Outcome::Refused(Refusal::NoConnection)]
    ));
    // Another certificate under an existing connection.
    let changed = String::from_utf8(offer("existing")).unwrap();
    let changed = changed.replace(
        &fingerprint("UE").to_string(),
        &fingerprint("other").to_string(),
    );
    let refused = originate(first.dialogue(), changed.as_bytes(), &answer("existing"));
    assert!(matches!(
        refused.outcomes(),
        [Outcome::Refused(Refusal::FingerprintChanged)]
    ));
}

#[test]
fn req_ta_21_an_msrp_connection_stays_while_certificate_and_path_do() {
    let path = "a=path:msrps://ue.example:9/a;tcp\na=setup:active\n";
    let answer = sdp(&format!("m={}\n", MSRP[1]));
    let first = originate(&dialogue(), &ue(MSRP[0], path), &answer);
    for (offer, connection) in [
        (ue(MSRP[0], path), Connection::Existing),
        (ue(MSRP[0], &path.replace("/a", "/b")), Connection::New),
    ] {
        let again = originate(first.dialogue(), &offer, &answer);
        assert_eq!(tls_stream(&again.outcomes()[0]).connection(), connection);
    }
}

#[test]
fn req_ta_22_several_fingerprints_any_case_and_either_level() {
    let good = fingerprint("UE").to_string();
    let hex = good.split_once(' ').unwrap().1.to_lowercase();
    let several = format!(
        "m={}\na=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n\
         a=fingerprint:what-ever 00\na=fingerprint:SHA-256 {hex}\n",
        MSRP[0],
    );
    let session = format!("a=fingerprint:{good}\nm={}\n", MSRP[0]);
    let other = fingerprint("other");
    let media_wins = format!(
        "a=fingerprint:{other}\nm={}\na=fingerprint:{good}\n",
        MSRP[0]
    );
    for lines in [several, session, media_wins] {
        let answered = originate(&dialogue(), &sdp(&lines), &sdp(&format!("m={}\n", MSRP[1])));
        let stream = tls_stream(&answered.outcomes()[0]);
        assert_eq!(stream.remote_fingerprints().verify(b"UE"), Ok(()));
        assert!(stream.remote_fingerprints().verify(b"other").is_err());
    }
}

#[test]
fn req_ta_22_sha_1_is_read_under_the_policy_alone() {
    let offer = sdp(&format!(
        "m={}\na=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n",
        MSRP[0],
    ));
    let mut rcs = Policy::default();
    rcs.hashes = HashPolicy::WITH_SHA1;
    for (policy, accepted) in [(Policy::default(), false), (rcs, true)] {
        let originating = with_policy(policy).originating(&offer).unwrap();
        let port = if accepted {
            "m=message 9 "
        } else {
            "m=message 0 "
        };
        assert!(media(originating.offer_to_core()).starts_with(port));
    }
}

#[test]
fn req_ta_23_a_tls_line_without_fingerprint_is_refused() {
    for line in [MSRP[0], BFCP[0], "image 9 UDP/TLS/UDPTL t38"] {
        let offer = sdp(&format!("m={line}\n"));
        let intentions = dialogue().examine(&offer, Source::Ue).unwrap();
        let refusal = Refusal::Sdp(Rule::NoFingerprint.at(6));
        assert_eq!(intentions, [Intention::Refuse(refusal)]);
        let originating = dialogue().originating(&offer).unwrap();
        let to_core = media(originating.offer_to_core());
        assert_eq!(to_core.split(' ').nth(1), Some("0"));
    }
    let (outcome, to_core) = {
        let offer = sdp(&format!("m={}\n", MSRP[1]));
        let terminating = dialogue()
            .terminating(&offer, agw, &mut Counter::new())
            .unwrap();
        let answer = sdp(&format!("m={}\na=setup:active\n", MSRP[0]));
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        (answered.outcomes()[0].clone(), media(answered.sdp()))
    };
    assert!(matches!(outcome, Outcome::Refused(Refusal::Sdp(_))));
    assert!(to_core.starts_with("m=message 0 TCP/MSRP *\n"));
}

#[test]
fn a_session_fingerprint_stays_where_an_untouched_stream_needs_it() {
    let own = fingerprint("UE");
    let lines = |more: &str| sdp(&format!("a=fingerprint:{own}\nm={}\n{more}", MSRP[0]));
    let alone = dialogue().originating(&lines("")).unwrap();
    assert!(!String::from_utf8_lossy(alone.offer_to_core()).contains("fingerprint"));
    let with_dtls = dialogue()
        .originating(&lines("m=audio 1 UDP/TLS/RTP/SAVP 0\n"))
        .unwrap();
    assert!(String::from_utf8_lossy(with_dtls.offer_to_core()).contains("fingerprint"));
}

#[test]
fn a_plain_answer_with_a_role_gets_the_edges_role_in_its_place() {
    let offer = ue(MSRP[0], "a=setup:actpass\n");
    let answer = sdp(&format!("m={}\na=setup:active\na=x:y\n", MSRP[1]));
    let answered = originate(&dialogue(), &offer, &answer);
    let expected = format!(
        "m=message 2855 TCP/TLS/MSRP *\na=setup:passive\na=x:y\na=fingerprint:{}\n\
         a=3ge2ae:applied\n",
        agw(0).unwrap(),
    );
    assert_eq!(media(answered.sdp()), expected);
}
