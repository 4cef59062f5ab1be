//! MSRP, BFCP and T.38 at the IMS-AGW: TLS and DTLS by OpenSSL, steered by the state machine of
//! `sdp_sec::edge::gateway`.
//!
//! Each stream has a thread, and a certificate of its own. OpenSSL proves that the UE holds the key
//! of its certificate; whether the certificate is the one of SDP the state machine says, in the
//! handshake, and until then not an octet passes.

mod certificate;
mod machine;
mod profile;
mod tcp_relay;
mod udptl_relay;

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use alloc::sync::Arc;
use sdp_sec::edge::Outcome;
use sdp_sec::edge::gateway::{self, Order, Report, Termination, Transport};
use sdp_sec::mediasec::Mechanism;

pub use certificate::Certificate;
pub use profile::{CIPHER_SUITES, CIPHER_SUITES_1_3};

use super::{ClearContent, Ports, Stream, Tap};
use machine::Machine;

/// A stream could not be begun.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The order does not fit the stream.
    #[error("{0}")]
    Gateway(#[from] gateway::GatewayError),
    /// A socket or thread could not be had.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// OpenSSL refuses certificate or parameters.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
    /// The stream is not of MSRP, BFCP or T.38.
    #[error("not a stream of MSRP, BFCP or T.38")]
    Other,
}

/// What all relays need.
struct Setting {
    /// The m-line, for notices.
    media: usize,
    machine: Machine,
    tap: Option<Arc<dyn Tap>>,
    protocol: &'static str,
    /// For connecting, for a handshake, and for a peer that says nothing.
    timeout: Duration,
    notices: mpsc::Sender<(usize, Notice)>,
    stop: mpsc::Receiver<()>,
}

/// A stream that a thread relays. Dropped, it ends at once.
#[derive(Debug)]
pub struct Relay {
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<Passed>>,
}

/// What the IMS-ALG is told of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// Nothing passed in all the time that a stream may take to be set up: a peer did not connect, or
    /// said nothing.
    NotEstablished,
    /// What the state machine reports.
    Report(Report),
    /// The UE has said nothing for so long.
    Silent,
}

/// What passed a relay.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Passed {
    /// Octets from the UE to the core.
    pub to_core: usize,
    /// Octets from the core to the UE.
    pub to_ue: usize,
}

impl Relay {
    /// Begins to relay what the IMS-ALG settled for m-line `media`, under the certificate whose
    /// fingerprint is in SDP. What the IMS-ALG is to be told goes to `notices`.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; the ports are given back.
    pub fn begin(
        media: usize,
        stream: Stream,
        certificate: &Certificate,
        tap: Option<Arc<dyn Tap>>,
        timeout: Duration,
        notices: mpsc::Sender<(usize, Notice)>,
    ) -> Result<Self, TlsError> {
        let Outcome::Tls(settled) = &stream.outcome else {
            return Err(TlsError::Other);
        };
        let (transport, protocol) = match settled.mechanism() {
            Mechanism::MsrpTls => (Transport::Tcp, "msrp"),
            Mechanism::BfcpTls => (Transport::Tcp, "bfcp"),
            Mechanism::UdptlDtls => (Transport::Datagram, "t38_udp"),
            _ => return Err(TlsError::Other),
        };
        let machine = Machine::new(gateway::Stream::new(transport, *settled.own_fingerprint()));
        for order in settled.orders() {
            machine.order(order)?;
        }
        let context = profile::context(transport, certificate)?;
        let (stop, stopped) = mpsc::channel();
        let setting = Setting {
            media,
            machine,
            tap,
            protocol,
            timeout,
            notices,
            stop: stopped,
        };
        let peers = [stream.ue.media, stream.core.media];
        let run: Box<dyn FnOnce() -> Passed + Send> = match (stream.ports.access, stream.ports.core)
        {
            (Ports::Tcp(access), Ports::Tcp(core)) => {
                let relay = tcp_relay::TcpRelay::new(setting, context, [access, core], peers);
                Box::new(|| relay.run())
            }
            (Ports::Udptl(access), Ports::Udptl(core)) => {
                let relay = udptl_relay::UdptlRelay::new(setting, context, [access, core], peers)?;
                Box::new(|| relay.run())
            }
            _ => return Err(TlsError::Other),
        };
        let thread = thread::Builder::new().name(format!("agw-{protocol}-{media}"));
        Ok(Self {
            stop,
            thread: Some(thread.spawn(run)?),
        })
    }

    /// Ends the stream, as the IMS-ALG does when the dialogue ends.
    #[must_use]
    pub fn stop(mut self) -> Passed {
        let _ = self.stop.send(());
        let thread = self.thread.take();
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    }
}

impl Setting {
    /// Whether the stream is to end; its owner may also be gone.
    fn is_stopped(&self) -> bool {
        !matches!(self.stop.try_recv(), Err(mpsc::TryRecvError::Empty))
    }

    fn tell(&self, notice: Notice) {
        let _ = self.notices.send((self.media, notice));
    }

    fn intercept(&self, from: Termination, peers: [SocketAddr; 2], octets: &[u8]) {
        let [ue, core] = peers;
        if let Some(tap) = &self.tap {
            tap.deliver(&ClearContent {
                call: self.media.try_into().unwrap_or(u64::MAX),
                from,
                protocol: self.protocol,
                addresses: match from {
                    Termination::Access => [ue, core],
                    Termination::Core => [core, ue],
                },
                octets,
            });
        }
    }

    fn release(&self) {
        let _ = self.machine.order(Order::Release);
    }
}
