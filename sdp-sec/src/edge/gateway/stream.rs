use alloc::vec::Vec;
use core::mem;

use subtle::ConstantTimeEq;

use super::{Action, Attempt, Event, Failure, GatewayError, Order, Report, Termination};
use crate::fingerprint::{Fingerprint, FingerprintSet, HashFunction};
use crate::tls_role::{TlsRole, TransportRole};

/// Octets of the longest certificate a UE may show.
pub const MAX_CERTIFICATE_LEN: usize = 16 * 1024;

/// What carries a stream.
///
/// ```
/// use sdp_sec::edge::gateway::Transport;
///
/// assert_ne!(Transport::Tcp, Transport::Datagram);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "streams or datagrams")]
pub enum Transport {
    /// MSRP and BFCP: TCP at both terminations, TLS on top towards the UE.
    Tcp,
    /// T.38: UDP at both terminations, DTLS on top towards the UE.
    Datagram,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tcp {
    Down,
    Pending,
    Up,
}

#[derive(Debug)]
struct Leg {
    role: Option<TransportRole>,
    tcp: Tcp,
    on_trigger: bool,
}

impl Leg {
    const fn new(transport: Transport) -> Self {
        let tcp = match transport {
            Transport::Tcp => Tcp::Down,
            Transport::Datagram => Tcp::Up,
        };
        Self {
            role: None,
            tcp,
            on_trigger: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tls {
    Down,
    Handshake,
    /// Up, but the UE is not known yet.
    Up,
    /// Up, verified and reported.
    Established,
}

/// What is known of the UE in the handshake under way.
#[derive(Debug)]
enum Peer {
    Unseen,
    /// Shown before the IMS-ALG said what it should be.
    Unverified(Vec<u8>),
    /// It matched; by this it is known again.
    Verified(Fingerprint),
}

/// One stream of the IMS-AGW: its own certificate, the UE's fingerprints, its two terminations
/// (TS 23.334 §5.11.2.x.1).
///
/// ```
/// use sdp_sec::edge::gateway::{Action, Event, Order, Report, Stream, Termination, Transport};
/// use sdp_sec::tls_role::{TlsRole, TransportRole};
/// use sdp_sec::fingerprint::{Fingerprint, FingerprintSet, HashFunction, HashPolicy};
///
/// let ue_certificate = b"DER of the UE's certificate";
/// let in_sdp = Fingerprint::of_certificate(ue_certificate, HashFunction::Sha256)?;
/// let of_ue = FingerprintSet::select(&[in_sdp], HashPolicy::default()).ok_or("unusable")?;
/// let own = Fingerprint::of_certificate(b"DER of our certificate", HashFunction::Sha256)?;
///
/// let mut stream = Stream::new(Transport::Tcp, own);
/// for order in [
///     Order::RemoteFingerprints(of_ue),
///     Order::TcpRole(Termination::Access, TransportRole::Passive),
///     Order::TcpRole(Termination::Core, TransportRole::Active),
///     Order::TlsRole(TlsRole::Server),
///     Order::StartTcpOnTrigger(Termination::Core),
/// ] {
///     assert_eq!(stream.handle(Event::Order(order))?, []);
/// }
/// let attempt = stream.attempt();
/// assert_eq!(
///     stream.handle(Event::TcpIncoming(Termination::Access))?,
///     [Action::Accept(Termination::Access, attempt), Action::Connect(Termination::Core, attempt)],
/// );
/// assert_eq!(
///     stream.handle(Event::TcpUp(Termination::Access, attempt))?,
///     [Action::StartTls(TlsRole::Server, attempt)],
/// );
/// assert_eq!(stream.handle(Event::TcpUp(Termination::Core, attempt))?, []);
/// assert_eq!(stream.handle(Event::PeerCertificate(attempt, ue_certificate))?, []);
/// assert_eq!(
///     stream.handle(Event::TlsUp(attempt))?,
///     [Action::Report(Report::TlsEstablished), Action::Relay],
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    transport: Transport,
    own: Fingerprint,
    remote: Option<FingerprintSet>,
    access: Leg,
    core: Leg,
    tls_role: Option<TlsRole>,
    start_tls: bool,
    attempt: Attempt,
    tls: Tls,
    peer: Peer,
    relays: bool,
    released: bool,
}

impl Stream {
    /// Reserves a stream whose own certificate has the fingerprint `own`.
    #[must_use]
    pub const fn new(transport: Transport, own: Fingerprint) -> Self {
        Self {
            transport,
            own,
            remote: None,
            access: Leg::new(transport),
            core: Leg::new(transport),
            tls_role: None,
            start_tls: false,
            attempt: Attempt::FIRST,
            tls: Tls::Down,
            peer: Peer::Unseen,
            relays: false,
            released: false,
        }
    }

    /// The fingerprint of the certificate selected for this stream, for the IMS-ALG to put in SDP.
    #[must_use]
    pub const fn own_fingerprint(&self) -> &Fingerprint {
        &self.own
    }

    /// The attempt that the next connection or handshake belongs to.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Whether media pass: TLS is up, the UE's certificate matched, and the core is connected.
    ///
    /// While false, hold back or drop what arrives at either termination.
    #[must_use]
    pub const fn relays(&self) -> bool {
        self.relays
    }

    /// Takes one event; the actions are to be done in their order.
    ///
    /// # Errors
    ///
    /// [`GatewayError`] if the event does not fit; the stream is then as it was.
    pub fn handle(&mut self, event: Event<'_>) -> Result<Vec<Action>, GatewayError> {
        if self.released {
            return Err(GatewayError::Released);
        }
        let mut actions = Vec::new();
        match event {
            Event::Order(order) => self.order(order, &mut actions)?,
            Event::PeerCertificate(attempt, der) => {
                self.require_current(attempt)?;
                self.peer_certificate(der, &mut actions)?;
            }
            Event::TcpDown(termination, attempt) => {
                self.require_tcp()?;
                self.require_current(attempt)?;
                self.tcp_down(termination, &mut actions)?;
            }
            Event::TcpIncoming(termination) => self.tcp_incoming(termination, &mut actions)?,
            Event::TcpUp(termination, attempt) => {
                self.require_tcp()?;
                self.require_current(attempt)?;
                let leg = self.leg_mut(termination);
                if leg.tcp != Tcp::Pending {
                    return Err(GatewayError::Unexpected);
                }
                leg.tcp = Tcp::Up;
            }
            Event::TlsDown(attempt) => {
                self.require_current(attempt)?;
                self.tls_down(&mut actions)?;
            }
            Event::TlsUp(attempt) => {
                self.require_current(attempt)?;
                self.tls_up(&mut actions)?;
            }
        }
        self.advance(&mut actions);
        Ok(actions)
    }

    fn order(&mut self, order: Order, actions: &mut Vec<Action>) -> Result<(), GatewayError> {
        match order {
            Order::Release => {
                self.tear_down(actions);
                self.released = true;
            }
            Order::RemoteFingerprints(remote) => self.set_remote(remote, actions)?,
            Order::StartTcp(termination) => {
                let leg = self.client_leg(termination)?;
                if leg.tcp != Tcp::Down {
                    return Err(GatewayError::Established);
                }
                leg.tcp = Tcp::Pending;
                actions.push(Action::Connect(termination, self.attempt));
            }
            Order::StartTcpOnTrigger(termination) => {
                let other = self.leg(termination.other());
                let other_has_arrived =
                    other.role == Some(TransportRole::Passive) && other.tcp != Tcp::Down;
                let leg = self.client_leg(termination)?;
                leg.on_trigger = true;
                if other_has_arrived && leg.tcp == Tcp::Down {
                    leg.tcp = Tcp::Pending;
                    actions.push(Action::Connect(termination, self.attempt));
                }
            }
            Order::StartTls => {
                if self.tls_role == Some(TlsRole::Server) {
                    return Err(GatewayError::RoleConflict);
                }
                self.tls_role = Some(TlsRole::Client);
                self.start_tls = true;
            }
            Order::TcpRole(termination, role) => {
                self.require_tcp()?;
                let leg = self.leg_mut(termination);
                if leg.role != Some(role) {
                    if leg.tcp != Tcp::Down {
                        return Err(GatewayError::Established);
                    }
                    leg.role = Some(role);
                    leg.on_trigger = false;
                }
            }
            Order::TlsRole(role) => {
                if self.tls_role != Some(role) {
                    if self.tls != Tls::Down {
                        return Err(GatewayError::Established);
                    }
                    self.tls_role = Some(role);
                    self.start_tls = false;
                }
            }
        }
        Ok(())
    }

    fn set_remote(
        &mut self,
        remote: FingerprintSet,
        actions: &mut Vec<Action>,
    ) -> Result<(), GatewayError> {
        if self.remote.as_ref() == Some(&remote) {
            return Ok(());
        }
        match mem::replace(&mut self.peer, Peer::Unseen) {
            verified @ Peer::Verified(_) => {
                self.peer = verified;
                return Err(GatewayError::Established);
            }
            Peer::Unseen => self.remote = Some(remote),
            Peer::Unverified(der) => {
                let verified = verified(&remote, &der);
                self.remote = Some(remote);
                self.set_peer(verified, actions);
            }
        }
        Ok(())
    }

    fn tcp_incoming(
        &mut self,
        termination: Termination,
        actions: &mut Vec<Action>,
    ) -> Result<(), GatewayError> {
        self.require_tcp()?;
        let leg = self.leg_mut(termination);
        match leg.role {
            None => return Err(GatewayError::NoRole),
            Some(TransportRole::Active) => return Err(GatewayError::RoleConflict),
            Some(TransportRole::Passive) if leg.tcp != Tcp::Down => {
                return Err(GatewayError::Established);
            }
            Some(TransportRole::Passive) => leg.tcp = Tcp::Pending,
        }
        let attempt = self.attempt;
        actions.push(Action::Accept(termination, attempt));
        let other = self.leg_mut(termination.other());
        if other.on_trigger && other.tcp == Tcp::Down {
            other.tcp = Tcp::Pending;
            actions.push(Action::Connect(termination.other(), attempt));
        }
        Ok(())
    }

    fn tcp_down(
        &mut self,
        termination: Termination,
        actions: &mut Vec<Action>,
    ) -> Result<(), GatewayError> {
        let leg = self.leg_mut(termination);
        if leg.tcp == Tcp::Down {
            return Err(GatewayError::Unexpected);
        }
        leg.tcp = Tcp::Down;
        self.tear_down(actions);
        actions.push(Action::Report(Report::TcpReleased(termination)));
        Ok(())
    }

    fn peer_certificate(
        &mut self,
        der: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), GatewayError> {
        if self.tls == Tls::Down {
            return Err(GatewayError::Unexpected);
        }
        if der.is_empty() || der.len() > MAX_CERTIFICATE_LEN {
            return Err(GatewayError::CertificateLength);
        }
        let same = match &self.peer {
            Peer::Unseen => {
                match &self.remote {
                    None => self.peer = Peer::Unverified(der.to_vec()),
                    Some(remote) => self.set_peer(verified(remote, der), actions),
                }
                return Ok(());
            }
            Peer::Unverified(first) => bool::from(first.as_slice().ct_eq(der)),
            Peer::Verified(first) => {
                identified(der).is_some_and(|shown| first.ct_eq(&shown).into())
            }
        };
        if !same {
            self.fail(Failure::CertificateChanged, actions);
        }
        Ok(())
    }

    fn set_peer(&mut self, verified: Option<Fingerprint>, actions: &mut Vec<Action>) {
        match verified {
            Some(shown) => self.peer = Peer::Verified(shown),
            None => self.fail(Failure::FingerprintMismatch, actions),
        }
    }

    fn fail(&mut self, failure: Failure, actions: &mut Vec<Action>) {
        self.tear_down(actions);
        actions.push(Action::Report(Report::TlsFailed(failure)));
    }

    fn tls_up(&mut self, actions: &mut Vec<Action>) -> Result<(), GatewayError> {
        if self.tls != Tls::Handshake {
            return Err(GatewayError::Unexpected);
        }
        self.tls = Tls::Up;
        if matches!(self.peer, Peer::Unseen) {
            self.fail(Failure::NoCertificate, actions);
        }
        Ok(())
    }

    fn tls_down(&mut self, actions: &mut Vec<Action>) -> Result<(), GatewayError> {
        let report = match self.tls {
            Tls::Down => return Err(GatewayError::Unexpected),
            Tls::Established => Report::TlsReleased,
            Tls::Handshake | Tls::Up => Report::TlsFailed(Failure::Handshake),
        };
        self.tls = Tls::Down;
        self.tear_down(actions);
        actions.push(Action::Report(report));
        Ok(())
    }

    /// Does what has become possible: start TLS, report, relay.
    fn advance(&mut self, actions: &mut Vec<Action>) {
        if self.released {
            return;
        }
        if self.tls == Tls::Down && self.access.tcp == Tcp::Up {
            let role = match self.tls_role {
                Some(TlsRole::Client) if self.start_tls => Some(TlsRole::Client),
                Some(TlsRole::Server) => Some(TlsRole::Server),
                _ => None,
            };
            if let Some(role) = role {
                self.tls = Tls::Handshake;
                actions.push(Action::StartTls(role, self.attempt));
            }
        }
        if self.tls == Tls::Up && matches!(self.peer, Peer::Verified(_)) {
            self.tls = Tls::Established;
            actions.push(Action::Report(Report::TlsEstablished));
        }
        if self.tls == Tls::Established && self.core.tcp == Tcp::Up && !self.relays {
            self.relays = true;
            actions.push(Action::Relay);
        }
    }

    /// Ends what is there. Roles, fingerprints and standing orders stay, so that the peer may
    /// connect again.
    fn tear_down(&mut self, actions: &mut Vec<Action>) {
        if mem::take(&mut self.relays) {
            actions.push(Action::StopRelay);
        }
        if self.tls != Tls::Down {
            self.tls = Tls::Down;
            actions.push(Action::CloseTls);
        }
        self.peer = Peer::Unseen;
        self.attempt = self.attempt.next();
        if self.transport == Transport::Datagram {
            // A client would start again at once, and again; over TCP a new connection comes first.
            self.start_tls = false;
        } else {
            for termination in [Termination::Access, Termination::Core] {
                let leg = self.leg_mut(termination);
                if leg.tcp != Tcp::Down {
                    leg.tcp = Tcp::Down;
                    actions.push(Action::CloseTcp(termination));
                }
            }
        }
    }

    fn require_current(&self, attempt: Attempt) -> Result<(), GatewayError> {
        if attempt == self.attempt {
            Ok(())
        } else {
            Err(GatewayError::Stale)
        }
    }

    const fn require_tcp(&self) -> Result<(), GatewayError> {
        match self.transport {
            Transport::Tcp => Ok(()),
            Transport::Datagram => Err(GatewayError::NoTcp),
        }
    }

    fn client_leg(&mut self, termination: Termination) -> Result<&mut Leg, GatewayError> {
        self.require_tcp()?;
        let leg = self.leg_mut(termination);
        match leg.role {
            None => Err(GatewayError::NoRole),
            Some(TransportRole::Passive) => Err(GatewayError::RoleConflict),
            Some(TransportRole::Active) => Ok(leg),
        }
    }

    const fn leg(&self, termination: Termination) -> &Leg {
        match termination {
            Termination::Access => &self.access,
            Termination::Core => &self.core,
        }
    }

    const fn leg_mut(&mut self, termination: Termination) -> &mut Leg {
        match termination {
            Termination::Access => &mut self.access,
            Termination::Core => &mut self.core,
        }
    }
}

/// By what a certificate that matches is known again.
fn verified(remote: &FingerprintSet, der: &[u8]) -> Option<Fingerprint> {
    remote.verify(der).ok().and_then(|()| identified(der))
}

fn identified(der: &[u8]) -> Option<Fingerprint> {
    Fingerprint::of_certificate(der, HashFunction::Sha256).ok()
}
