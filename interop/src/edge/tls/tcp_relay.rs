//! MSRP and BFCP: TLS over TCP towards the UE, TCP towards the core, and octets between the two.

use core::mem;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Instant;

use openssl::ssl::{ErrorCode, SslStream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use sdp_sec::edge::gateway::{Action, Attempt, Event, Termination};
use sdp_sec::tls_role::TlsRole;

use super::{Notice, Passed, Setting, profile};

/// Octets that are read at once, and held back at most for a peer that does not read.
const CHUNK: usize = 16 * 1024;

/// Chunks of one side before it is the other's turn.
const TURN: usize = 16;

/// How soon an order is seen while nothing else happens.
const WAKE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

const SIDES: [Termination; 2] = [Termination::Access, Termination::Core];

/// One stream, in a thread of its own.
pub(super) struct TcpRelay {
    setting: Setting,
    context: profile::Context,
    access: Side,
    core: Side,
    tls: Tls,
    core_socket: Option<TcpStream>,
    /// What both connections belong to.
    attempt: Attempt,
    /// What the UE sent and the core has not taken yet, and the other way round.
    to_core: Held,
    to_ue: Held,
    /// When the stream last came further.
    since: Instant,
    /// Whether media have passed: the peers may then end the connection, and come again or not.
    was_up: bool,
    passed: Passed,
}

struct Side {
    listener: TcpListener,
    peer: SocketAddr,
    /// A connection that the state machine is asked about.
    arrived: Option<TcpStream>,
}

/// The connection of the UE.
enum Tls {
    Down,
    Tcp(TcpStream),
    Handshake(SslStream<TcpStream>),
    Up(SslStream<TcpStream>),
}

impl TcpRelay {
    pub(super) fn new(
        setting: Setting,
        context: profile::Context,
        listeners: [TcpListener; 2],
        peers: [SocketAddr; 2],
    ) -> Self {
        let ([access, core], [ue, peer]) = (listeners, peers);
        let side = |listener, peer| Side {
            listener,
            peer,
            arrived: None,
        };
        Self {
            attempt: setting.machine.attempt(),
            setting,
            context,
            access: side(access, ue),
            core: side(core, peer),
            tls: Tls::Down,
            core_socket: None,
            to_core: Held::default(),
            to_ue: Held::default(),
            since: Instant::now(),
            was_up: false,
            passed: Passed::default(),
        }
    }

    pub(super) fn run(mut self) -> Passed {
        self.act();
        while !self.setting.is_stopped() {
            self.wait();
            self.let_in();
            self.act();
            self.handshake();
            self.act();
            if self.setting.machine.relays() {
                self.relay();
                self.act();
            } else {
                self.watch();
            }
        }
        self.setting.release();
        self.act();
        self.passed
    }

    /// Waits until there is something to do.
    fn wait(&self) {
        let relays = self.setting.machine.relays();
        let mut polled = vec![
            PollFd::new(&self.access.listener, PollFlags::IN),
            PollFd::new(&self.core.listener, PollFlags::IN),
        ];
        // A side is read while the other takes what it says.
        let ue = match &self.tls {
            Tls::Down | Tls::Tcp(_) => None,
            Tls::Handshake(tls) => Some((tls, true)),
            Tls::Up(tls) => Some((tls, relays && self.to_core.is_empty())),
        };
        if let Some((tls, reads)) = ue {
            let flags = flags(reads, !self.to_ue.is_empty());
            polled.push(PollFd::new(tls.get_ref(), flags));
        }
        if let Some(socket) = &self.core_socket {
            let reads = relays && self.to_ue.is_empty();
            polled.push(PollFd::new(socket, flags(reads, !self.to_core.is_empty())));
        }
        let _ = poll(&mut polled, Some(&WAKE));
    }

    /// Asks the state machine about connections that have arrived.
    fn let_in(&mut self) {
        for termination in SIDES {
            let side = self.side(termination);
            let Ok((socket, source)) = side.listener.accept() else {
                continue;
            };
            // The UE has its certificate; all that the core has is its address.
            let known = termination == Termination::Access || source.ip() == side.peer.ip();
            let incoming = Event::TcpIncoming(termination);
            if known && self.setting.machine.give(incoming).is_ok() {
                self.side(termination).arrived = Some(socket);
            }
        }
    }

    /// Does what the state machine says.
    fn act(&mut self) {
        while let Some(action) = self.setting.machine.next() {
            match action {
                Action::Accept(side, attempt) => {
                    self.attempt = attempt;
                    let socket = self.side(side).arrived.take();
                    self.connected(side, socket);
                }
                Action::Connect(side, attempt) => {
                    self.attempt = attempt;
                    let peer = self.side(side).peer;
                    let socket = TcpStream::connect_timeout(&peer, self.setting.timeout);
                    self.connected(side, socket.ok());
                }
                Action::CloseTcp(Termination::Access) => self.tls = Tls::Down,
                Action::CloseTcp(Termination::Core) => self.core_socket = None,
                Action::CloseTls => {
                    if let Tls::Up(tls) = &mut self.tls {
                        // The peer may be gone, and close_notify with it.
                        let _ = tls.shutdown();
                    }
                }
                Action::Relay => self.was_up = true,
                Action::StopRelay => {
                    self.to_core = Held::default();
                    self.to_ue = Held::default();
                }
                Action::Report(report) => self.setting.tell(Notice::Report(report)),
                Action::StartTls(role, attempt) => self.start_tls(role, attempt),
                _ => {}
            }
        }
    }

    fn connected(&mut self, side: Termination, socket: Option<TcpStream>) {
        let socket = socket.filter(|socket| prepare(socket, self.setting.timeout).is_ok());
        let event = if let Some(socket) = socket {
            self.since = Instant::now();
            match side {
                Termination::Access => self.tls = Tls::Tcp(socket),
                Termination::Core => self.core_socket = Some(socket),
            }
            Event::TcpUp(side, self.attempt)
        } else {
            Event::TcpDown(side, self.attempt)
        };
        let _ = self.setting.machine.give(event);
    }

    fn start_tls(&mut self, role: TlsRole, attempt: Attempt) {
        let Tls::Tcp(socket) = mem::replace(&mut self.tls, Tls::Down) else {
            return;
        };
        let ssl = profile::connection(&self.context, (role, attempt), &self.setting.machine);
        match ssl.and_then(|ssl| SslStream::new(ssl, socket)) {
            Ok(tls) => self.tls = Tls::Handshake(tls),
            Err(_) => {
                let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
            }
        }
    }

    fn handshake(&mut self) {
        self.tls = match mem::replace(&mut self.tls, Tls::Down) {
            Tls::Handshake(mut tls) => match tls.do_handshake() {
                Ok(()) => {
                    let _ = self.setting.machine.give(Event::TlsUp(self.attempt));
                    Tls::Up(tls)
                }
                Err(error) if waits(error.code()) => Tls::Handshake(tls),
                Err(_) => {
                    let_go(tls.get_mut());
                    // Stale where the state machine itself has ended it.
                    let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
                    Tls::Down
                }
            },
            other => other,
        };
    }

    /// Passes octets while both sides give and take.
    fn relay(&mut self) {
        let (Tls::Up(tls), Some(core)) = (&mut self.tls, &mut self.core_socket) else {
            return;
        };
        let peers = [self.access.peer, self.core.peer];
        let up = pass(tls, core, &mut self.to_core, |octets| {
            self.setting.intercept(Termination::Access, peers, octets);
            self.passed.to_core += octets.len();
        });
        let down = pass(core, tls, &mut self.to_ue, |octets| {
            self.setting.intercept(Termination::Core, peers, octets);
            self.passed.to_ue += octets.len();
        });
        if up == Gone::Reader || down == Gone::Writer {
            let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
        } else if up == Gone::Writer || down == Gone::Reader {
            let _ = self
                .setting
                .machine
                .give(Event::TcpDown(Termination::Core, self.attempt));
        }
    }

    /// Gives up what takes too long.
    fn watch(&mut self) {
        if self.since.elapsed() <= self.setting.timeout {
            return;
        }
        self.since = Instant::now();
        let machine = &self.setting.machine;
        // Unexpected, and nothing, where there is no connection.
        let _ = match self.tls {
            Tls::Handshake(_) => machine.give(Event::TlsDown(self.attempt)),
            Tls::Tcp(_) => machine.give(Event::TcpDown(Termination::Access, self.attempt)),
            Tls::Down | Tls::Up(_) => machine.give(Event::TcpDown(Termination::Core, self.attempt)),
        };
        self.act();
        if !self.was_up {
            self.setting.tell(Notice::NotEstablished);
        }
    }

    const fn side(&mut self, side: Termination) -> &mut Side {
        match side {
            Termination::Access => &mut self.access,
            Termination::Core => &mut self.core,
        }
    }
}

/// Who of two has closed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Gone {
    Nobody,
    Reader,
    Writer,
}

/// Octets on their way to a side.
#[derive(Default)]
struct Held {
    octets: Vec<u8>,
    taken: usize,
}

impl Held {
    fn rest(&self) -> &[u8] {
        self.octets.get(self.taken..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }
}

/// Passes what `from` says to `to`, as far as `to` takes it; no more is read meanwhile.
fn pass(
    from: &mut impl Read,
    to: &mut impl Write,
    held: &mut Held,
    mut passes: impl FnMut(&[u8]),
) -> Gone {
    for _ in 0..TURN {
        while !held.is_empty() {
            match to.write(held.rest()) {
                Ok(0) => return Gone::Writer,
                Ok(taken) => held.taken += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Gone::Nobody,
                Err(_) => return Gone::Writer,
            }
        }
        held.octets.resize(CHUNK, 0);
        let read = from.read(&mut held.octets);
        held.taken = 0;
        held.octets.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => return Gone::Reader,
            Ok(_) => passes(&held.octets),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Gone::Nobody,
            Err(_) => return Gone::Reader,
        }
    }
    Gone::Nobody
}

/// Lets the alert arrive: closing on what was not read would take it back.
fn let_go(socket: &mut TcpStream) {
    let mut unread = [0; CHUNK];
    let _ = socket.shutdown(Shutdown::Write);
    for _ in 0..TURN {
        if !matches!(socket.read(&mut unread), Ok(1..)) {
            return;
        }
    }
}

const fn flags(reads: bool, writes: bool) -> PollFlags {
    match (reads, writes) {
        (true, true) => PollFlags::IN.union(PollFlags::OUT),
        (true, false) => PollFlags::IN,
        (false, true) => PollFlags::OUT,
        (false, false) => PollFlags::empty(),
    }
}

/// Whether a handshake goes on when the peer does.
pub(super) fn waits(code: ErrorCode) -> bool {
    code == ErrorCode::WANT_READ || code == ErrorCode::WANT_WRITE
}

/// A connection that does not block, and notices in `timeout` or little more that its peer is gone.
fn prepare(socket: &TcpStream, timeout: Duration) -> io::Result<()> {
    const PROBES: u32 = 3;
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, timeout)?;
    sockopt::set_tcp_keepintvl(socket, Duration::from_secs(1))?;
    sockopt::set_tcp_keepcnt(socket, PROBES)?;
    Ok(())
}
