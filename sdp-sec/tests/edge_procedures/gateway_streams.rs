use sdp_sec::edge::gateway::{Action, Event, Order, Report, Stream, Termination, Transport};
use sdp_sec::edge::{Answered, TlsStream};
use sdp_sec::tls_role::{TlsRole, TransportRole};

use super::gateway::ordered;
use super::support::{Counter, agw, dialogue, fingerprint, originate, sdp, tls_stream};

const UE: &[u8] = b"UE";
const ACCESS: Termination = Termination::Access;
const CORE: Termination = Termination::Core;

/// What must have happened for media to pass, kept apart from the machine under test.
#[derive(Default)]
struct Model {
    up: [bool; 2],
    matched: bool,
    tls: bool,
    fingerprint: bool,
    shown: Option<&'static [u8]>,
}

impl Model {
    /// Takes an event that was accepted, and what was done about it.
    fn follow(&mut self, event: &Event<'static>, actions: &[Action]) {
        match event {
            Event::Order(Order::RemoteFingerprints(_)) => self.fingerprint = true,
            Event::TcpUp(termination, _) => self.up[usize::from(*termination == CORE)] = true,
            Event::PeerCertificate(_, der) => self.shown = Some(*der),
            Event::TlsUp(_) => self.tls = true,
            _ => {}
        }
        self.matched = self.fingerprint && self.shown == Some(UE);
        if let Event::TcpDown(termination, _) = event {
            self.up[usize::from(*termination == CORE)] = false;
        }
        for action in actions {
            match action {
                Action::CloseTcp(termination) => {
                    self.up[usize::from(*termination == CORE)] = false;
                }
                Action::Report(Report::TlsFailed(_) | Report::TlsReleased) | Action::CloseTls => {
                    (self.tls, self.matched, self.shown) = (false, false, None);
                }
                _ => {}
            }
        }
    }

    fn may_relay(&self) -> bool {
        self.up == [true, true] && self.tls && self.matched
    }
}

proptest::proptest! {
    #[test]
    fn req_tg_11_media_pass_exactly_while_all_that_must_be_is(
        choices in proptest::collection::vec((0..14_usize, 0..5_u8), 0..60),
    ) {
        let mut stream = ordered();
        let mut model = Model { fingerprint: true, ..Model::default() };
        let mut outdated = stream.attempt();
        for (choice, current) in choices {
            let before = stream.attempt();
            let attempt = if current == 0 { outdated } else { before };
            // Weighted towards what brings a connection up.
            let event = match choice {
                0 | 1 => Event::TcpIncoming(ACCESS),
                2 | 3 => Event::TcpUp(ACCESS, attempt),
                4 | 5 => Event::TcpUp(CORE, attempt),
                6 | 7 => Event::PeerCertificate(attempt, UE),
                8 => Event::PeerCertificate(attempt, b"somebody else"),
                9 | 10 => Event::TlsUp(attempt),
                11 => Event::TlsDown(attempt),
                12 => Event::TcpDown(CORE, attempt),
                _ => Event::TcpDown(ACCESS, attempt),
            };
            if let Ok(actions) = stream.handle(event.clone()) {
                // News of a connection that is gone change nothing.
                let is_news = !matches!(event, Event::TcpIncoming(_));
                proptest::prop_assert!(attempt == before || !is_news);
                model.follow(&event, &actions);
            }
            if stream.attempt() != before {
                outdated = before;
            }
            proptest::prop_assert_eq!(stream.relays(), model.may_relay());
        }
    }
}

/// Carries out the orders of the edge with a network and a UE that do what they should.
fn brings_up(told: &TlsStream, transport: Transport) -> (Stream, Vec<Action>) {
    let mut stream = Stream::new(transport, *told.own_fingerprint());
    let mut done = Vec::new();
    let mut queue: Vec<Action> = Vec::new();
    for order in told.orders() {
        queue.extend(stream.handle(Event::Order(order)).unwrap());
    }
    // The UE and the core connect where the IMS-AGW is passive.
    for (termination, role) in [
        (ACCESS, told.access_roles().map(|roles| roles.transport)),
        (CORE, told.core_role()),
    ] {
        if transport == Transport::Tcp && role == Some(TransportRole::Passive) {
            queue.extend(stream.handle(Event::TcpIncoming(termination)).unwrap());
        }
    }
    while !queue.is_empty() {
        let action = queue.remove(0);
        let more = match action {
            Action::Accept(termination, attempt) | Action::Connect(termination, attempt) => {
                stream.handle(Event::TcpUp(termination, attempt)).unwrap()
            }
            Action::StartTls(_, attempt) => {
                let mut more = stream.handle(Event::PeerCertificate(attempt, UE)).unwrap();
                more.extend(stream.handle(Event::TlsUp(attempt)).unwrap());
                more
            }
            _ => Vec::new(),
        };
        done.push(action);
        queue.extend(more);
    }
    (stream, done)
}

fn answered(offer: &str, core: &str) -> Answered {
    let offer = format!("{offer}a=fingerprint:{}\n", fingerprint("UE"));
    originate(&dialogue(), &sdp(&offer), &sdp(core))
}

#[test]
fn req_ta_06_the_orders_of_the_edge_bring_each_kind_of_stream_up() {
    let tcp = Transport::Tcp;
    for (offer, core, transport, role) in [
        (
            "m=message 9 TCP/TLS/MSRP *\na=setup:active\n",
            "m=message 2855 TCP/MSRP *\na=setup:passive\n",
            tcp,
            TlsRole::Server,
        ),
        (
            "m=message 7654 TCP/TLS/MSRP *\na=setup:passive\n",
            "m=message 9 TCP/MSRP *\na=setup:active\n",
            tcp,
            TlsRole::Client,
        ),
        (
            "m=application 50000 TCP/TLS/BFCP *\na=setup:passive\n",
            "m=application 9 TCP/BFCP *\na=setup:active\n",
            tcp,
            TlsRole::Server,
        ),
        (
            "m=image 6056 UDP/TLS/UDPTL t38\na=setup:passive\n",
            "m=image 12000 udptl t38\n",
            Transport::Datagram,
            TlsRole::Client,
        ),
    ] {
        let answered = answered(offer, core);
        let (stream, done) = brings_up(tls_stream(&answered.outcomes()[0]), transport);
        assert!(stream.relays(), "{offer}");
        assert!(
            done.contains(&Action::StartTls(role, stream.attempt())),
            "{offer}"
        );
    }
    // BFCP where the UE answers: TLS client over a connection that the UE opened.
    let offer = sdp("m=application 50000 TCP/BFCP *\na=setup:actpass\n");
    let mut terminating = dialogue()
        .terminating(&offer, agw, &mut Counter::new())
        .unwrap();
    let answer = format!(
        "m=application 9 TCP/TLS/BFCP *\na=setup:active\na=fingerprint:{}\n",
        fingerprint("UE")
    );
    let answered = terminating
        .answered(&sdp(&answer), &mut Counter::new())
        .unwrap();
    let (stream, done) = brings_up(tls_stream(&answered.outcomes()[0]), tcp);
    assert!(stream.relays());
    assert!(done.contains(&Action::Accept(ACCESS, stream.attempt())));
    assert!(done.contains(&Action::StartTls(TlsRole::Client, stream.attempt())));
}
