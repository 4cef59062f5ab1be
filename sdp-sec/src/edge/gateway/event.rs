use crate::fingerprint::FingerprintSet;
use crate::tls_role::{TlsRole, TransportRole};

/// A side of the IMS-AGW.
///
/// ```
/// use sdp_sec::edge::gateway::Termination;
///
/// assert_eq!(Termination::Access.other(), Termination::Core);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a context has two terminations")]
pub enum Termination {
    /// Towards the UE: TLS or DTLS.
    Access,
    /// Towards the IMS core: plain.
    Core,
}

impl Termination {
    /// The other termination of the same context.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Access => Self::Core,
            Self::Core => Self::Access,
        }
    }
}

/// What the IMS-ALG asks for (TS 23.334 §5.11.2.x.1). Orders may come in any sequence, also after
/// the UE has begun to connect.
///
/// ```
/// use sdp_sec::edge::gateway::{Order, Termination};
/// use sdp_sec::tls_role::TransportRole;
///
/// let order = Order::TcpRole(Termination::Access, TransportRole::Passive);
/// assert!(matches!(order, Order::TcpRole(_, TransportRole::Passive)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Order {
    /// End everything; the stream takes no further event.
    Release,
    /// What the UE's SDP says of its certificate.
    RemoteFingerprints(FingerprintSet),
    /// Send a SYN from this termination.
    StartTcp(Termination),
    /// Send a SYN from this termination when one arrives at the other.
    StartTcpOnTrigger(Termination),
    /// Be the TLS client, as soon as TCP is up towards the UE.
    StartTls,
    /// Which side of TCP this termination is: state-aware handling.
    TcpRole(Termination, TransportRole),
    /// Which side of TLS the IMS-AGW is.
    TlsRole(TlsRole),
}

/// One try to bring a stream up: its TCP connections and its TLS handshake, until something ends
/// them all. The next try has another number, so that news of an old connection or handshake which
/// come late are not taken for those of the new.
///
/// ```
/// use sdp_sec::edge::gateway::{Stream, Transport};
/// use sdp_sec::fingerprint::{Fingerprint, HashFunction};
///
/// let own = Fingerprint::of_certificate(b"DER of our certificate", HashFunction::Sha256)?;
/// let one = Stream::new(Transport::Tcp, own);
/// let other = Stream::new(Transport::Tcp, own);
/// // A number means something to its own stream alone.
/// assert_eq!(one.attempt(), other.attempt());
/// # Ok::<(), sdp_sec::Rule>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Attempt(u64);

impl Attempt {
    pub(super) const FIRST: Self = Self(0);

    pub(super) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What has happened to a stream. What is news of a connection or a handshake names the
/// [`Attempt`] that the action which began it named.
///
/// ```
/// use sdp_sec::edge::gateway::{Event, Termination};
///
/// let event = Event::TcpIncoming(Termination::Access);
/// assert!(matches!(event, Event::TcpIncoming(Termination::Access)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The IMS-ALG's order.
    Order(Order),
    /// The certificate, in DER, that the UE showed in a handshake. The TLS library has yet to see it
    /// prove that it holds the key. Give it again if it is shown again, in a renegotiation say: it
    /// must stay the same.
    PeerCertificate(Attempt, &'a [u8]),
    /// The TCP connection of this termination is gone, or was not to be had.
    TcpDown(Termination, Attempt),
    /// A TCP SYN, or a connection to be accepted, is at this termination.
    TcpIncoming(Termination),
    /// The TCP connection of this termination is up.
    TcpUp(Termination, Attempt),
    /// TLS is gone: alert, close_notify or failed handshake.
    TlsDown(Attempt),
    /// The TLS handshake is complete, the peer's Finished verified.
    TlsUp(Attempt),
}

/// An event does not fit the state of its stream; the stream is unchanged.
///
/// ```
/// use sdp_sec::edge::gateway::GatewayError;
///
/// assert_eq!(GatewayError::Released.to_string(), "the stream has been released");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GatewayError {
    /// The certificate has no octets, or more than
    /// [`MAX_CERTIFICATE_LEN`](super::MAX_CERTIFICATE_LEN).
    #[error("the certificate is empty or too long")]
    CertificateLength,
    /// A stream of that name is there already.
    #[error("the stream exists already")]
    DuplicateStream,
    /// Roles and fingerprints do not change under a connection.
    #[error("the connection is already being set up")]
    Established,
    /// A SYN at a termination that the IMS-ALG gave no role; do not answer it, and do not forward it.
    #[error("the termination has no TCP role yet")]
    NoRole,
    /// The stream runs over UDP.
    #[error("the stream has no TCP")]
    NoTcp,
    /// A SYN at a termination that is TCP client, or an order to connect one that is TCP server, or
    /// to start TLS as a TLS server.
    #[error("the event contradicts the negotiated role")]
    RoleConflict,
    /// The stream has been released.
    #[error("the stream has been released")]
    Released,
    /// The event is of a connection or handshake that is gone already: ignore it.
    #[error("the event belongs to an earlier attempt")]
    Stale,
    /// More than [`MAX_STREAMS`](super::MAX_STREAMS).
    #[error("too many streams")]
    TooManyStreams,
    /// The event cannot happen in this state: a library or the caller is out of step.
    #[error("the event does not fit the state")]
    Unexpected,
    /// No stream of that name.
    #[error("no such stream")]
    UnknownStream,
}
