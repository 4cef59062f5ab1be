use sdp_sec::edge::gateway::{
    Action, Event, Failure, Gateway, GatewayError, MAX_CERTIFICATE_LEN, Order, Report, Stream,
    Termination, Transport,
};
use sdp_sec::fingerprint::{FingerprintSet, HashPolicy};
use sdp_sec::tls_role::{TlsRole, TransportRole};

use super::support::{fingerprint, set};

const UE: &[u8] = b"UE";
const ACCESS: Termination = Termination::Access;
const CORE: Termination = Termination::Core;

fn stream() -> Stream {
    Stream::new(Transport::Tcp, fingerprint("IMS-AGW"))
}

fn order(stream: &mut Stream, order: Order) -> Vec<Action> {
    stream.handle(Event::Order(order)).unwrap()
}

/// Passive towards the UE, active towards the core: what the edge usually settles for.
pub(crate) fn ordered() -> Stream {
    let mut stream = stream();
    for o in [
        Order::RemoteFingerprints(set("UE")),
        Order::TlsRole(TlsRole::Server),
        Order::TcpRole(ACCESS, TransportRole::Passive),
        Order::TcpRole(CORE, TransportRole::Active),
        Order::StartTcpOnTrigger(CORE),
    ] {
        assert_eq!(order(&mut stream, o), []);
    }
    stream
}

fn connected() -> Stream {
    let mut stream = ordered();
    let connect = [
        Action::Accept(ACCESS, stream.attempt()),
        Action::Connect(CORE, stream.attempt()),
    ];
    assert_eq!(stream.handle(Event::TcpIncoming(ACCESS)).unwrap(), connect);
    assert_eq!(
        stream.handle(Event::TcpUp(CORE, stream.attempt())).unwrap(),
        []
    );
    let start = [Action::StartTls(TlsRole::Server, stream.attempt())];
    assert_eq!(
        stream
            .handle(Event::TcpUp(ACCESS, stream.attempt()))
            .unwrap(),
        start
    );
    stream
}

fn established() -> Stream {
    let mut stream = connected();
    assert_eq!(
        stream
            .handle(Event::PeerCertificate(stream.attempt(), UE))
            .unwrap(),
        []
    );
    assert!(!stream.relays());
    let up = [Action::Report(Report::TlsEstablished), Action::Relay];
    assert_eq!(stream.handle(Event::TlsUp(stream.attempt())).unwrap(), up);
    assert!(stream.relays());
    stream
}

#[test]
fn req_tg_01_a_stream_has_its_own_certificate_and_tells_its_fingerprint() {
    let mut gateway = Gateway::new();
    for id in 0..3_u32 {
        let own = fingerprint(&format!("IMS-AGW {id}"));
        let reserved = gateway.reserve(id, Transport::Tcp, own).unwrap();
        assert_eq!(*reserved.own_fingerprint(), own);
    }
    let second = gateway
        .reserve(1, Transport::Tcp, fingerprint("other"))
        .err();
    assert_eq!(second, Some(GatewayError::DuplicateStream));
    assert_eq!(
        *gateway.stream(&1).unwrap().own_fingerprint(),
        fingerprint("IMS-AGW 1")
    );
}

#[test]
fn req_tg_02_the_fingerprint_of_the_stream_verifies_its_tls() {
    let mut stream = established();
    let close = stream.handle(Event::TlsDown(stream.attempt())).unwrap();
    assert!(close.contains(&Action::Report(Report::TlsReleased)));
}

#[test]
fn req_tg_03_a_wrong_certificate_ends_tls_and_is_reported_and_nothing_is_relayed() {
    let mut stream = connected();
    let actions = stream
        .handle(Event::PeerCertificate(stream.attempt(), b"somebody else"))
        .unwrap();
    let expected = [
        Action::CloseTls,
        Action::CloseTcp(ACCESS),
        Action::CloseTcp(CORE),
        Action::Report(Report::TlsFailed(Failure::FingerprintMismatch)),
    ];
    assert_eq!(actions, expected);
    assert!(!stream.relays());
    // A late success of the TLS library does not help.
    assert_eq!(
        stream.handle(Event::TlsUp(stream.attempt())),
        Err(GatewayError::Unexpected)
    );
    assert!(!stream.relays());
}

#[test]
fn req_tg_03_no_media_before_the_fingerprint_arrives() {
    let mut stream = stream();
    order(&mut stream, Order::TlsRole(TlsRole::Server));
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
    order(&mut stream, Order::StartTcp(CORE));
    for event in [
        Event::TcpUp(CORE, stream.attempt()),
        Event::TcpIncoming(ACCESS),
        Event::TcpUp(ACCESS, stream.attempt()),
    ] {
        stream.handle(event).unwrap();
    }
    // The UE is faster than its answer.
    assert_eq!(
        stream
            .handle(Event::PeerCertificate(stream.attempt(), UE))
            .unwrap(),
        []
    );
    assert_eq!(stream.handle(Event::TlsUp(stream.attempt())).unwrap(), []);
    assert!(!stream.relays());
    let late = order(&mut stream, Order::RemoteFingerprints(set("UE")));
    assert_eq!(
        late,
        [Action::Report(Report::TlsEstablished), Action::Relay]
    );
    assert!(stream.relays());
}

#[test]
fn req_tg_03_a_late_fingerprint_that_does_not_match_ends_the_stream() {
    let mut stream = stream();
    order(&mut stream, Order::TlsRole(TlsRole::Server));
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
    for event in [
        Event::TcpIncoming(ACCESS),
        Event::TcpUp(ACCESS, stream.attempt()),
        Event::PeerCertificate(stream.attempt(), b"x"),
        Event::TlsUp(stream.attempt()),
    ] {
        stream.handle(event).unwrap();
    }
    let late = order(&mut stream, Order::RemoteFingerprints(set("UE")));
    let failed = Action::Report(Report::TlsFailed(Failure::FingerprintMismatch));
    assert_eq!(late, [Action::CloseTls, Action::CloseTcp(ACCESS), failed]);
    assert!(!stream.relays());
}

#[test]
fn req_tg_03_tls_without_a_certificate_is_a_failure() {
    let mut stream = connected();
    let actions = stream.handle(Event::TlsUp(stream.attempt())).unwrap();
    assert_eq!(
        actions.last(),
        Some(&Action::Report(Report::TlsFailed(Failure::NoCertificate)))
    );
    assert!(actions.contains(&Action::CloseTls) && !stream.relays());
}

#[test]
fn req_tg_06_is_tls_client_and_tls_server() {
    for (role, starts) in [(TlsRole::Client, false), (TlsRole::Server, true)] {
        let mut stream = stream();
        order(&mut stream, Order::TlsRole(role));
        order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
        stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
        let actions = stream
            .handle(Event::TcpUp(ACCESS, stream.attempt()))
            .unwrap();
        assert_eq!(
            actions.contains(&Action::StartTls(role, stream.attempt())),
            starts
        );
        let told = stream.handle(Event::Order(Order::StartTls));
        match role {
            TlsRole::Client => assert_eq!(told, Ok(vec![Action::StartTls(role, stream.attempt())])),
            TlsRole::Server => assert_eq!(told, Err(GatewayError::RoleConflict)),
        }
    }
}

#[test]
fn req_tg_07_as_tls_client_starts_as_soon_as_tcp_is_up() {
    let mut stream = stream();
    order(&mut stream, Order::TlsRole(TlsRole::Client));
    assert_eq!(order(&mut stream, Order::StartTls), []);
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Active));
    assert_eq!(
        order(&mut stream, Order::StartTcp(ACCESS)),
        [Action::Connect(ACCESS, stream.attempt())]
    );
    let up = stream
        .handle(Event::TcpUp(ACCESS, stream.attempt()))
        .unwrap();
    assert_eq!(up, [Action::StartTls(TlsRole::Client, stream.attempt())]);
}

#[test]
fn req_tg_08_a_syn_is_not_forwarded() {
    let mut stream = stream();
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
    assert_eq!(
        stream.handle(Event::TcpIncoming(ACCESS)).unwrap(),
        [Action::Accept(ACCESS, stream.attempt())]
    );
}

#[test]
fn req_tg_08_a_syn_without_a_role_or_against_it_is_refused() {
    let mut stream = stream();
    assert_eq!(
        stream.handle(Event::TcpIncoming(ACCESS)),
        Err(GatewayError::NoRole)
    );
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Active));
    assert_eq!(
        stream.handle(Event::TcpIncoming(ACCESS)),
        Err(GatewayError::RoleConflict)
    );
    let mut stream = connected();
    assert_eq!(
        stream.handle(Event::TcpIncoming(ACCESS)),
        Err(GatewayError::Established)
    );
}

#[test]
fn req_tg_09_tcp_starts_on_order_or_on_the_trigger_from_the_other_side() {
    let mut stream = stream();
    let start = Event::Order(Order::StartTcp(CORE));
    assert_eq!(stream.handle(start.clone()), Err(GatewayError::NoRole));
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Passive));
    assert_eq!(
        stream.handle(start.clone()),
        Err(GatewayError::RoleConflict)
    );
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
    assert_eq!(
        stream.handle(start.clone()).unwrap(),
        [Action::Connect(CORE, stream.attempt())]
    );
    assert_eq!(stream.handle(start), Err(GatewayError::Established));

    let mut stream = ordered();
    let arrives = stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
    assert_eq!(
        arrives,
        [
            Action::Accept(ACCESS, stream.attempt()),
            Action::Connect(CORE, stream.attempt())
        ]
    );
}

#[test]
fn req_tg_09_a_trigger_ordered_after_the_syn_fires_at_once() {
    let mut stream = stream();
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
    stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
    let late = order(&mut stream, Order::StartTcpOnTrigger(CORE));
    assert_eq!(late, [Action::Connect(CORE, stream.attempt())]);
    // The connection that we open ourselves at the other side triggers nothing.
    let mut stream = super::gateway::stream();
    order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Active));
    order(&mut stream, Order::StartTcp(ACCESS));
    order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
    assert_eq!(order(&mut stream, Order::StartTcpOnTrigger(CORE)), []);
}

#[test]
fn req_tg_10_tcp_is_released_with_tls() {
    let mut stream = established();
    let expected = [
        Action::StopRelay,
        Action::CloseTcp(ACCESS),
        Action::CloseTcp(CORE),
        Action::Report(Report::TlsReleased),
    ];
    assert_eq!(
        stream.handle(Event::TlsDown(stream.attempt())).unwrap(),
        expected
    );
    assert!(!stream.relays());
}

#[test]
fn req_tg_10_tls_is_released_with_tcp_and_the_ue_may_come_again() {
    for (lost, kept) in [(ACCESS, CORE), (CORE, ACCESS)] {
        let mut stream = established();
        let expected = [
            Action::StopRelay,
            Action::CloseTls,
            Action::CloseTcp(kept),
            Action::Report(Report::TcpReleased(lost)),
        ];
        assert_eq!(
            stream
                .handle(Event::TcpDown(lost, stream.attempt()))
                .unwrap(),
            expected
        );
        // The certificate has to be shown again.
        let again = [
            Action::Accept(ACCESS, stream.attempt()),
            Action::Connect(CORE, stream.attempt()),
        ];
        assert_eq!(stream.handle(Event::TcpIncoming(ACCESS)).unwrap(), again);
        stream.handle(Event::TcpUp(CORE, stream.attempt())).unwrap();
        stream
            .handle(Event::TcpUp(ACCESS, stream.attempt()))
            .unwrap();
        let failed = stream.handle(Event::TlsUp(stream.attempt())).unwrap();
        let report = Action::Report(Report::TlsFailed(Failure::NoCertificate));
        assert_eq!(failed.last(), Some(&report));
    }
}

#[test]
fn req_tg_11_every_event_in_every_state_has_a_typed_answer() {
    // Every sequence of four events and orders: no panic, and relaying only when everything is up.
    let steps: [fn(&Stream) -> Event<'static>; 14] = [
        |_| Event::Order(Order::RemoteFingerprints(set("UE"))),
        |_| Event::Order(Order::TcpRole(ACCESS, TransportRole::Passive)),
        |_| Event::Order(Order::TcpRole(CORE, TransportRole::Active)),
        |_| Event::Order(Order::TlsRole(TlsRole::Server)),
        |_| Event::Order(Order::TlsRole(TlsRole::Client)),
        |_| Event::Order(Order::StartTls),
        |_| Event::Order(Order::StartTcp(CORE)),
        |_| Event::Order(Order::Release),
        |_| Event::TcpIncoming(ACCESS),
        |stream| Event::TcpUp(ACCESS, stream.attempt()),
        |stream| Event::TcpDown(ACCESS, stream.attempt()),
        |stream| Event::PeerCertificate(stream.attempt(), UE),
        |stream| Event::TlsUp(stream.attempt()),
        |stream| Event::TlsDown(stream.attempt()),
    ];
    for from in [stream, connected, established] {
        for first in steps {
            for second in steps {
                for third in steps {
                    let mut stream = from();
                    let before = stream.relays();
                    let mut relayed = before;
                    for step in [first, second, third] {
                        if let Ok(actions) = stream.handle(step(&stream)) {
                            for action in actions {
                                relayed = match action {
                                    Action::Relay => true,
                                    Action::StopRelay => false,
                                    _ => relayed,
                                };
                            }
                        }
                        assert_eq!(relayed, stream.relays());
                    }
                }
            }
        }
    }
}

#[test]
fn req_tg_11_relaying_needs_certificate_tls_and_both_tcp_connections_in_whatever_order() {
    // All orders in which the four can come about, where the stack allows the order.
    let attempt = stream().attempt();
    let events: [Event<'static>; 5] = [
        Event::TcpUp(CORE, attempt),
        Event::TcpUp(ACCESS, attempt),
        Event::PeerCertificate(attempt, UE),
        Event::TlsUp(attempt),
        Event::Order(Order::RemoteFingerprints(set("UE"))),
    ];
    let mut relayed = 0;
    permute(
        &mut (0..events.len()).collect::<Vec<_>>(),
        0,
        &mut |order_of_events| {
            let mut stream = stream();
            order(&mut stream, Order::TlsRole(TlsRole::Server));
            order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
            order(&mut stream, Order::TcpRole(CORE, TransportRole::Active));
            order(&mut stream, Order::StartTcp(CORE));
            stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
            let mut accepted = 0;
            for index in order_of_events {
                accepted += usize::from(stream.handle(events[*index].clone()).is_ok());
                assert!(!stream.relays() || accepted == events.len());
            }
            // TCP before certificate before TLS; the other two anywhere.
            let place = |event| order_of_events.iter().position(|e| *e == event).unwrap();
            let possible = place(1) < place(2) && place(2) < place(3);
            assert_eq!(stream.relays(), possible);
            relayed += usize::from(possible);
        },
    );
    assert_eq!(relayed, 20);
}

fn permute(items: &mut Vec<usize>, from: usize, each: &mut impl FnMut(&[usize])) {
    if from == items.len() {
        return each(items);
    }
    for other in from..items.len() {
        items.swap(from, other);
        permute(items, from + 1, each);
        items.swap(from, other);
    }
}

#[test]
fn req_tg_12_a_certificate_of_one_stream_never_authenticates_another() {
    let mut gateway = Gateway::new();
    for (id, ue) in [(1_u8, "UE 1"), (2, "UE 2")] {
        let stream = gateway
            .reserve(id, Transport::Tcp, fingerprint("IMS-AGW"))
            .unwrap();
        order(stream, Order::RemoteFingerprints(set(ue)));
        order(stream, Order::TlsRole(TlsRole::Server));
        order(stream, Order::TcpRole(ACCESS, TransportRole::Passive));
        stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
        stream
            .handle(Event::TcpUp(ACCESS, stream.attempt()))
            .unwrap();
    }
    let attempt = stream().attempt();
    // UE 1 proves itself on its own stream, and is shown on the other.
    assert_eq!(
        gateway
            .handle(&1, Event::PeerCertificate(attempt, b"UE 1"))
            .unwrap(),
        []
    );
    let swapped = gateway
        .handle(&2, Event::PeerCertificate(attempt, b"UE 1"))
        .unwrap();
    let failed = Action::Report(Report::TlsFailed(Failure::FingerprintMismatch));
    assert_eq!(swapped.last(), Some(&failed));
    assert_eq!(
        gateway.handle(&2, Event::TlsUp(attempt)),
        Err(GatewayError::Stale)
    );
    let up = gateway.handle(&1, Event::TlsUp(attempt)).unwrap();
    assert_eq!(up, [Action::Report(Report::TlsEstablished)]);
}

#[test]
fn req_tg_12_fingerprints_swapped_between_two_calls_fail_both() {
    for (sdp, shown) in [("UE 2", "UE 1"), ("UE 1", "UE 2")] {
        let mut stream = stream();
        order(&mut stream, Order::RemoteFingerprints(set(sdp)));
        order(&mut stream, Order::TlsRole(TlsRole::Server));
        order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
        stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
        stream
            .handle(Event::TcpUp(ACCESS, stream.attempt()))
            .unwrap();
        let actions = stream
            .handle(Event::PeerCertificate(stream.attempt(), shown.as_bytes()))
            .unwrap();
        assert!(actions.contains(&Action::CloseTls));
    }
}

#[test]
fn roles_and_fingerprints_do_not_change_under_a_connection() {
    let mut stream = established();
    for o in [
        Order::RemoteFingerprints(set("somebody else")),
        Order::TlsRole(TlsRole::Client),
        Order::TcpRole(ACCESS, TransportRole::Active),
    ] {
        assert_eq!(
            stream.handle(Event::Order(o)),
            Err(GatewayError::Established)
        );
        assert!(stream.relays());
    }
    // The same again is no change.
    assert_eq!(order(&mut stream, Order::RemoteFingerprints(set("UE"))), []);
    assert_eq!(
        order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive)),
        []
    );
}

#[test]
fn release_ends_everything_for_good() {
    let mut stream = established();
    let expected = [
        Action::StopRelay,
        Action::CloseTls,
        Action::CloseTcp(ACCESS),
        Action::CloseTcp(CORE),
    ];
    assert_eq!(order(&mut stream, Order::Release), expected);
    assert_eq!(
        stream.handle(Event::TcpIncoming(ACCESS)),
        Err(GatewayError::Released)
    );
}

#[test]
fn certificates_of_any_length_are_refused_or_bounded() {
    let mut stream = connected();
    for len in [0, MAX_CERTIFICATE_LEN + 1] {
        let der = vec![0x30; len];
        let answer = stream.handle(Event::PeerCertificate(stream.attempt(), &der));
        assert_eq!(answer, Err(GatewayError::CertificateLength));
    }
    assert_eq!(
        stream
            .handle(Event::PeerCertificate(stream.attempt(), UE))
            .unwrap(),
        []
    );
    // The same again is no news.
    let again = stream.handle(Event::PeerCertificate(stream.attempt(), UE));
    assert_eq!(again, Ok(Vec::new()));
}

#[test]
fn req_t38_03_dtls_runs_without_tcp_and_is_verified_alike() {
    let mut stream = Stream::new(Transport::Datagram, fingerprint("IMS-AGW"));
    let tcp = Event::Order(Order::TcpRole(ACCESS, TransportRole::Passive));
    for event in [
        tcp,
        Event::TcpIncoming(ACCESS),
        Event::TcpUp(CORE, stream.attempt()),
        Event::TcpDown(CORE, stream.attempt()),
    ] {
        assert_eq!(stream.handle(event), Err(GatewayError::NoTcp));
    }
    order(&mut stream, Order::RemoteFingerprints(set("UE")));
    let start = order(&mut stream, Order::TlsRole(TlsRole::Server));
    assert_eq!(start, [Action::StartTls(TlsRole::Server, stream.attempt())]);
    assert_eq!(
        stream
            .handle(Event::PeerCertificate(stream.attempt(), UE))
            .unwrap(),
        []
    );
    let up = [Action::Report(Report::TlsEstablished), Action::Relay];
    assert_eq!(stream.handle(Event::TlsUp(stream.attempt())).unwrap(), up);
    // A server waits for the next association; a client waits to be told.
    let down = stream.handle(Event::TlsDown(stream.attempt())).unwrap();
    assert_eq!(
        down.last(),
        Some(&Action::StartTls(TlsRole::Server, stream.attempt()))
    );
    assert!(!stream.relays());

    let mut client = Stream::new(Transport::Datagram, fingerprint("IMS-AGW"));
    order(&mut client, Order::RemoteFingerprints(set("UE")));
    order(&mut client, Order::TlsRole(TlsRole::Client));
    let start = [Action::StartTls(TlsRole::Client, client.attempt())];
    assert_eq!(order(&mut client, Order::StartTls), start);
    let failed = client
        .handle(Event::PeerCertificate(client.attempt(), b"somebody else"))
        .unwrap();
    let report = Action::Report(Report::TlsFailed(Failure::FingerprintMismatch));
    assert_eq!(failed, [Action::CloseTls, report]);
    let again = [Action::StartTls(TlsRole::Client, client.attempt())];
    assert_ne!(again, start);
    assert_eq!(order(&mut client, Order::StartTls), again);
}

#[test]
fn req_tg_03_another_certificate_on_the_same_stream_ends_it() {
    // Even one that the fingerprints allow: the peer has changed in the middle of the stream.
    let both = [fingerprint("UE"), fingerprint("UE 2")];
    let both = FingerprintSet::select(&both, HashPolicy::default()).unwrap();
    let changed = Action::Report(Report::TlsFailed(Failure::CertificateChanged));
    for known in [true, false] {
        for (up, second) in [(false, "UE 2"), (true, "UE 2"), (true, "somebody else")] {
            let mut stream = stream();
            order(&mut stream, Order::TlsRole(TlsRole::Server));
            order(&mut stream, Order::TcpRole(ACCESS, TransportRole::Passive));
            if known {
                order(&mut stream, Order::RemoteFingerprints(both.clone()));
            }
            let attempt = stream.attempt();
            stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
            stream.handle(Event::TcpUp(ACCESS, attempt)).unwrap();
            let first = Event::PeerCertificate(attempt, UE);
            assert_eq!(stream.handle(first.clone()), Ok(Vec::new()));
            if up {
                stream.handle(Event::TlsUp(attempt)).unwrap();
            }
            assert_eq!(stream.handle(first), Ok(Vec::new()));
            let second = Event::PeerCertificate(attempt, second.as_bytes());
            let actions = stream.handle(second).unwrap();
            assert_eq!(
                actions,
                [Action::CloseTls, Action::CloseTcp(ACCESS), changed]
            );
            assert!(!stream.relays());
        }
    }
}

#[test]
fn req_tg_02_what_comes_late_from_an_earlier_handshake_proves_nothing() {
    let mut stream = connected();
    let old = stream.attempt();
    stream.handle(Event::PeerCertificate(old, UE)).unwrap();
    stream.handle(Event::TcpDown(ACCESS, old)).unwrap();
    // Somebody else connects, while the old handshake's news are still under way.
    stream.handle(Event::TcpIncoming(ACCESS)).unwrap();
    let new = stream.attempt();
    assert_ne!(old, new);
    for event in [
        Event::TcpUp(ACCESS, old),
        Event::TcpDown(ACCESS, old),
        Event::PeerCertificate(old, UE),
        Event::TlsUp(old),
        Event::TlsDown(old),
    ] {
        assert_eq!(stream.handle(event), Err(GatewayError::Stale));
    }
    stream.handle(Event::TcpUp(CORE, new)).unwrap();
    let start = [Action::StartTls(TlsRole::Server, new)];
    assert_eq!(stream.handle(Event::TcpUp(ACCESS, new)).unwrap(), start);
    for event in [Event::PeerCertificate(old, UE), Event::TlsUp(old)] {
        assert_eq!(stream.handle(event), Err(GatewayError::Stale));
    }
    assert!(!stream.relays());
    stream.handle(Event::TlsUp(new)).unwrap();
    assert!(!stream.relays());
}
