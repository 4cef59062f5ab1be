use sdp_sec::edge::gateway::{Order, Termination};
use sdp_sec::edge::{BfcpTls, Outcome, Policy, Refusal, TlsStream};
use sdp_sec::tls_role::{TlsRole, TransportRole};
use sdp_sec::{Connection, Rule, Setup};

use super::support::{Counter, agw, dialogue, fingerprint, media, originate, sdp, tls_stream};
use super::tls_support::{BFCP, MSRP, originating, setup, terminating, ue};

const ACTIVE: TransportRole = TransportRole::Active;
const PASSIVE: TransportRole = TransportRole::Passive;

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
    // Nor what was only held.
    let hold = ue(BFCP[0], "a=setup:holdconn\n");
    let held = sdp(&format!("m={}\na=setup:holdconn\n", BFCP[1]));
    let held = originate(&dialogue(), &hold, &held);
    let nothing = originate(held.dialogue(), &offer("existing"), &answer("existing"));
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
fn req_ta_21_a_connection_stays_when_the_ue_lists_its_certificates_in_another_order() {
    let lines = |names: [&str; 2]| {
        let [a, b] = names.map(fingerprint);
        let tls = format!("a=setup:active\na=fingerprint:{a}\na=fingerprint:{b}\n");
        sdp(&format!("m={}\n{tls}", MSRP[0]))
    };
    let answer = sdp(&format!("m={}\n", MSRP[1]));
    let first = originate(&dialogue(), &lines(["one", "two"]), &answer);
    for (names, connection) in [
        (["two", "one"], Connection::Existing),
        (["two", "three"], Connection::New),
        (["one", "one"], Connection::New),
    ] {
        let again = originate(first.dialogue(), &lines(names), &answer);
        assert_eq!(tls_stream(&again.outcomes()[0]).connection(), connection);
    }
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
