use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use sdes::{Change, Negotiated, SecurityDescription};
use srtp::keying::{KeySet, MasterKeySource};

use super::Refusal;
use super::gateway::{Order, Termination};
use crate::fingerprint::{Fingerprint, FingerprintSet};
use crate::mediasec::Mechanism;
use crate::tls_role::{Roles, TlsRole, TransportRole};
use crate::{Connection, Protocol};

/// What an offer and its answer made of one m-line.
///
/// ```
/// use sdp_sec::edge::{Outcome, Refusal};
///
/// let outcome = Outcome::Refused(Refusal::ProtocolMismatch);
/// assert!(matches!(outcome, Outcome::Refused(_)));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Port 0: one of the ends does not want it. Release what was reserved.
    Closed,
    /// The edge refused it; both ends are told port 0, or have to be told by a new offer where one
    /// has sent its answer already. Release what was reserved.
    Refused(Refusal),
    /// SRTP towards the UE, RTP towards the core.
    Rtp(RtpStream),
    /// TLS or DTLS towards the UE, plain towards the core.
    Tls(TlsStream),
    /// Not the edge's concern.
    Untouched,
}

/// What the IMS-AGW is told of an RTP stream (TS 23.334 §5.11.2.1).
///
/// Hand it to SRTP as a [`MasterKeySource`], or put both attributes into H.248: `outbound` is Local,
/// what the IMS-AGW protects packets to the UE with, and `inbound` is Remote. See
/// [`Dialogue`](super::Dialogue) for an example.
#[derive(Clone)]
pub struct RtpStream {
    pub(super) access: Protocol<'static>,
    pub(super) core: Protocol<'static>,
    pub(super) keys: Arc<Negotiated>,
    pub(super) change: Option<Change>,
}

impl RtpStream {
    /// The transport protocol of the access termination.
    #[must_use]
    pub const fn access(&self) -> Protocol<'static> {
        self.access
    }

    /// The transport protocol of the core termination.
    #[must_use]
    pub const fn core(&self) -> Protocol<'static> {
        self.core
    }

    /// The "Local cryptographic SDES attribute": made here, and selected.
    #[must_use]
    pub fn local(&self) -> &SecurityDescription {
        self.keys.local()
    }

    /// The "Remote cryptographic SDES attribute": the UE's, and selected.
    #[must_use]
    pub fn remote(&self) -> &SecurityDescription {
        self.keys.remote()
    }

    /// What an established stream has to change; `None` if it is new.
    ///
    /// Where a direction is [`Rekey::Unchanged`](sdes::Rekey::Unchanged), neither ROC nor replay
    /// window may be touched.
    #[must_use]
    pub const fn change(&self) -> Option<Change> {
        self.change
    }
}

impl MasterKeySource for RtpStream {
    fn outbound(&self) -> &KeySet {
        self.keys.outbound()
    }

    fn inbound(&self) -> &KeySet {
        self.keys.inbound()
    }
}

impl fmt::Debug for RtpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpStream").finish_non_exhaustive()
    }
}

/// What the IMS-AGW is told of an MSRP, BFCP or T.38 stream (TS 23.334 §5.11.2.x,
/// TR 33.829 §11.4). See [`Dialogue`](super::Dialogue) for an example.
#[derive(Clone, Debug)]
pub struct TlsStream {
    pub(super) mechanism: Mechanism,
    pub(super) access: Protocol<'static>,
    pub(super) core: Protocol<'static>,
    pub(super) own: Fingerprint,
    pub(super) remote: FingerprintSet,
    pub(super) access_roles: Option<Roles>,
    pub(super) core_role: Option<TransportRole>,
    pub(super) connection: Connection,
    pub(super) syn_trigger: bool,
}

impl TlsStream {
    /// The mechanism.
    #[must_use]
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The transport protocol of the access termination.
    #[must_use]
    pub const fn access(&self) -> Protocol<'static> {
        self.access
    }

    /// The transport protocol of the core termination.
    #[must_use]
    pub const fn core(&self) -> Protocol<'static> {
        self.core
    }

    /// The fingerprint of the IMS-AGW's certificate for this stream.
    #[must_use]
    pub const fn own_fingerprint(&self) -> &Fingerprint {
        &self.own
    }

    /// The UE's fingerprints.
    #[must_use]
    pub const fn remote_fingerprints(&self) -> &FingerprintSet {
        &self.remote
    }

    /// The IMS-AGW's roles towards the UE; `None` while the connection is held.
    ///
    /// Over UDP the transport role is only what `a=setup` said.
    #[must_use]
    pub const fn access_roles(&self) -> Option<Roles> {
        self.access_roles
    }

    /// The IMS-AGW's TCP role towards the core; `None` over UDP, and while the connection is held.
    #[must_use]
    pub const fn core_role(&self) -> Option<TransportRole> {
        self.core_role
    }

    /// Whether a connection is to be set up, or the one that is there stays with its roles.
    ///
    /// [`Connection::New`] on a stream that has one gives it up: release it in the IMS-AGW and
    /// reserve it anew, with the same certificate.
    #[must_use]
    pub const fn connection(&self) -> Connection {
        self.connection
    }

    /// The orders for a fresh [`gateway::Stream`](super::gateway::Stream); none for an existing
    /// connection, or one that is held.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        let mut orders = Vec::new();
        let Some(access) = self
            .access_roles
            .filter(|_| self.connection == Connection::New)
        else {
            return orders;
        };
        orders.push(Order::RemoteFingerprints(self.remote.clone()));
        orders.extend(access.tls.map(Order::TlsRole));
        if self.mechanism != Mechanism::UdptlDtls {
            orders.push(Order::TcpRole(Termination::Access, access.transport));
            orders.extend(
                self.core_role
                    .map(|role| Order::TcpRole(Termination::Core, role)),
            );
            if access.transport == TransportRole::Active {
                orders.push(Order::StartTcp(Termination::Access));
            }
            match (self.core_role, access.transport) {
                (Some(TransportRole::Active), TransportRole::Passive) if self.syn_trigger => {
                    orders.push(Order::StartTcpOnTrigger(Termination::Core));
                }
                (Some(TransportRole::Active), _) => {
                    orders.push(Order::StartTcp(Termination::Core));
                }
                _ => {}
            }
        }
        if access.tls == Some(TlsRole::Client) {
            orders.push(Order::StartTls);
        }
        orders
    }
}
