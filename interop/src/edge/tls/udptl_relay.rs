//! T.38: DTLS over UDP towards the UE, UDPTL towards the core. Each datagram is passed for itself, in
//! the order in which it comes: what is lost or overtaken on one side is so on the other.

use core::net::SocketAddr;
use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::time::Instant;

use openssl::ssl::SslStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sdp_sec::edge::gateway::{Action, Attempt, Event, Termination};
use sdp_sec::tls_role::TlsRole;

use super::tcp_relay::waits;
use super::{Notice, Passed, Setting, profile};

/// Octets of the longest record, and so of the longest datagram.
const MAX_DATAGRAM: usize = 16 * 1024;

/// Datagrams of one side before it is the other's turn.
const TURN: usize = 64;

/// How soon an order is seen, and how often a handshake looks at its timers.
const WAKE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// One stream, in a thread of its own.
pub(super) struct UdptlRelay {
    setting: Setting,
    context: profile::Context,
    access: UdpSocket,
    core: UdpSocket,
    peers: [SocketAddr; 2],
    dtls: Dtls,
    attempt: Attempt,
    /// When the UE was last heard.
    heard: Instant,
    /// Whether media have passed: the UE may then end the association, and come again or not.
    was_up: bool,
    passed: Passed,
}

enum Dtls {
    Down,
    Handshake(SslStream<Datagrams>),
    Up(SslStream<Datagrams>),
}

impl UdptlRelay {
    pub(super) fn new(
        setting: Setting,
        context: profile::Context,
        sockets: [UdpSocket; 2],
        peers: [SocketAddr; 2],
    ) -> io::Result<Self> {
        let ([access, core], [ue, peer]) = (sockets, peers);
        // What comes from elsewhere is not even read.
        access.connect(ue)?;
        core.connect(peer)?;
        Ok(Self {
            attempt: setting.machine.attempt(),
            setting,
            context,
            access,
            core,
            peers,
            dtls: Dtls::Down,
            heard: Instant::now(),
            was_up: false,
            passed: Passed::default(),
        })
    }

    pub(super) fn run(mut self) -> Passed {
        let mut buffer = vec![0; MAX_DATAGRAM];
        self.act();
        while !self.setting.is_stopped() {
            let mut polled = [
                PollFd::new(&self.access, PollFlags::IN),
                PollFd::new(&self.core, PollFlags::IN),
            ];
            let _ = poll(&mut polled, Some(&WAKE));
            self.handshake();
            self.act();
            self.read_ue(&mut buffer);
            self.read_core(&mut buffer);
            self.act();
            self.watch();
        }
        self.setting.release();
        self.act();
        self.passed
    }

    fn act(&mut self) {
        while let Some(action) = self.setting.machine.next() {
            match action {
                Action::CloseTls => {
                    if let Dtls::Up(dtls) = &mut self.dtls {
                        let _ = dtls.shutdown();
                    }
                    self.dtls = Dtls::Down;
                }
                Action::Relay => self.was_up = true,
                Action::Report(report) => self.setting.tell(Notice::Report(report)),
                Action::StartTls(role, attempt) => self.start(role, attempt),
                _ => {}
            }
        }
    }

    fn start(&mut self, role: TlsRole, attempt: Attempt) {
        self.attempt = attempt;
        let begun = self.access.try_clone().ok().and_then(|socket| {
            let mut ssl =
                profile::connection(&self.context, (role, attempt), &self.setting.machine).ok()?;
            ssl.set_mtu(profile::MTU).ok()?;
            SslStream::new(ssl, Datagrams(socket)).ok()
        });
        match begun {
            Some(dtls) => self.dtls = Dtls::Handshake(dtls),
            None => {
                let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
            }
        }
    }

    /// Takes the handshake further; OpenSSL sends again what was not answered in time.
    fn handshake(&mut self) {
        self.dtls = match core::mem::replace(&mut self.dtls, Dtls::Down) {
            Dtls::Handshake(mut dtls) => match dtls.do_handshake() {
                Ok(()) => {
                    self.heard = Instant::now();
                    let _ = self.setting.machine.give(Event::TlsUp(self.attempt));
                    Dtls::Up(dtls)
                }
                Err(error) if waits(error.code()) => Dtls::Handshake(dtls),
                Err(_) => {
                    let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
                    Dtls::Down
                }
            },
            other => other,
        };
    }

    fn read_ue(&mut self, buffer: &mut [u8]) {
        let Dtls::Up(dtls) = &mut self.dtls else {
            return;
        };
        for _ in 0..TURN {
            match dtls.read(buffer) {
                Ok(len @ 1..) => {
                    self.heard = Instant::now();
                    let datagram = buffer.get(..len).unwrap_or_default();
                    if self.setting.machine.relays() {
                        self.setting
                            .intercept(Termination::Access, self.peers, datagram);
                        // Lost as on any path, if it cannot be sent.
                        let _ = self.core.send(datagram);
                        self.passed.to_core += len;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {
                    let _ = self.setting.machine.give(Event::TlsDown(self.attempt));
                    return;
                }
            }
        }
    }

    fn read_core(&mut self, buffer: &mut [u8]) {
        for _ in 0..TURN {
            let len = match self.core.recv(buffer) {
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(_) => return,
            };
            // Before the UE is known it is lost: nothing is held back that would be old later.
            let datagram = buffer.get(..len).unwrap_or_default();
            if let Dtls::Up(dtls) = &mut self.dtls
                && self.setting.machine.relays()
                && !datagram.is_empty()
            {
                self.setting
                    .intercept(Termination::Core, self.peers, datagram);
                let _ = dtls.write(datagram);
                self.passed.to_ue += datagram.len();
            }
        }
    }

    /// Says so when the UE has not been heard of for too long.
    fn watch(&mut self) {
        if self.heard.elapsed() <= self.setting.timeout {
            return;
        }
        self.heard = Instant::now();
        if self.setting.machine.relays() {
            self.setting.tell(Notice::Silent);
        } else if !self.was_up {
            self.setting.tell(Notice::NotEstablished);
        }
    }
}

/// A connected UDP socket as OpenSSL wants it: a read is a datagram, and so is a write.
struct Datagrams(UdpSocket);

impl Read for Datagrams {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.recv(buffer) {
            // The peer's port was closed when something was sent; it may open yet.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            result => result,
        }
    }
}

impl Write for Datagrams {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        // What cannot be sent is lost, as on any path.
        Ok(self.0.send(datagram).unwrap_or(datagram.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
