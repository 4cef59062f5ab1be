use sdp_sec::edge::gateway::{Action, Event, Failure, GatewayError, Order, Report, Stream};
use sdp_sec::tls_role::{TlsRole, TransportRole};

use super::gateway::{ACCESS, CORE, UE, connected, established, order, ordered, stream};
use super::support::set;

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
