use sdp_sec::edge::gateway::{
    Action, Event, Failure, Gateway, GatewayError, MAX_CERTIFICATE_LEN, Order, Report, Stream,
    Termination, Transport,
};
use sdp_sec::fingerprint::{FingerprintSet, HashPolicy};
use sdp_sec::tls_role::{TlsRole, TransportRole};

use super::support::{fingerprint, set};

pub(super) const UE: &[u8] = b"UE";
pub(super) const ACCESS: Termination = Termination::Access;
pub(super) const CORE: Termination = Termination::Core;

pub(super) fn stream() -> Stream {
    Stream::new(Transport::Tcp, fingerprint("IMS-AGW"))
}

pub(super) fn order(stream: &mut Stream, order: Order) -> Vec<Action> {
    stream.handle(Event::Order(order)).unwrap()
}

/// Passive towards the UE, active towards the core: what the edge usually settles for.
pub(super) fn ordered() -> Stream {
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

pub(super) fn connected() -> Stream {
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

pub(super) fn established() -> Stream {
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
