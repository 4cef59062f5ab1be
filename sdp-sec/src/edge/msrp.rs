//! e2ae security for session-based messaging (TS 23.334 §5.11.2.x.2, TR 33.829 §8.3.2.4.2).
//!
//! The TCP client is the TLS client. Towards the UE the edge is `passive` wherever it may be, so
//! that a UE behind a NAT, or one without a server, can connect.

use super::MsrpHandling;
use crate::Protocol;
use crate::tls_role::TlsRoleRule;

/// Who is TLS client: the active side (TS 23.334 §5.11.2.x.1 NOTE).
pub const TLS_ROLE: TlsRoleRule = TlsRoleRule::FollowsTransport;

impl MsrpHandling {
    /// The transport protocol of the access termination.
    #[must_use]
    pub const fn access(self) -> Protocol<'static> {
        match self {
            Self::Agnostic => Protocol::TcpTls,
            Self::Aware => Protocol::TcpTlsMsrp,
        }
    }

    /// The transport protocol of the core termination.
    #[must_use]
    pub const fn core(self) -> Protocol<'static> {
        match self {
            Self::Agnostic => Protocol::Tcp,
            Self::Aware => Protocol::TcpMsrp,
        }
    }
}
