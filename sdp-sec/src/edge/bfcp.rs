//! e2ae security for floor control (TS 23.334 §5.11.2.x.3, TR 33.829 §5.3.2.2).
//!
//! The SDP answerer is TLS server whatever its TCP role. So where the UE offers, the IMS-AGW is TLS
//! server; where the UE answers, the UE is, and the IMS-AGW may be TLS client over a connection that
//! the UE opened.

use super::BfcpTls;
use crate::Protocol;
use crate::tls_role::TlsRoleRule;

/// The transport protocol of the access termination; the IMS-AGW does not look into BFCP.
pub const ACCESS: Protocol<'static> = Protocol::TcpTls;

/// The transport protocol of the core termination.
pub const CORE: Protocol<'static> = Protocol::Tcp;

impl BfcpTls {
    /// Who is TLS client.
    ///
    /// ```
    /// use sdp_sec::edge::BfcpTls;
    /// use sdp_sec::tls_role::{Side, TlsRole, TransportRole};
    ///
    /// let agw = BfcpTls::Answerer.rule().role(Side::Offerer, TransportRole::Passive);
    /// assert_eq!(agw, TlsRole::Client);
    /// ```
    #[must_use]
    pub const fn rule(self) -> TlsRoleRule {
        match self {
            Self::Answerer => TlsRoleRule::AnswererIsServer,
            Self::Setup => TlsRoleRule::FollowsTransport,
        }
    }
}
