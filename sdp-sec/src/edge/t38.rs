//! e2ae security for T.38 fax over UDPTL with DTLS (TR 33.829 §11.4, [RFC 7345]).
//!
//! The other ways to protect T.38 that TR 33.829 §11.3 weighs, TLS over TCP and SRTP, are not used.
//! UDPTL has its own sequence numbers and redundancy: the IMS-AGW passes datagram for datagram.
//!
//! [RFC 7345]: https://www.rfc-editor.org/rfc/rfc7345

use crate::Protocol;
use crate::tls_role::TlsRoleRule;

/// The transport protocol of the access termination.
pub const ACCESS: Protocol<'static> = Protocol::UdpTlsUdptl;

/// The transport protocol of the core termination.
pub const CORE: Protocol<'static> = Protocol::Udptl;

/// Who is DTLS client: the active side ([RFC 7345 §4.2]).
///
/// [RFC 7345 §4.2]: https://www.rfc-editor.org/rfc/rfc7345#section-4.2
pub const TLS_ROLE: TlsRoleRule = TlsRoleRule::FollowsTransport;
