use super::{Attempt, Termination};
use crate::tls_role::TlsRole;

/// What the IMS-AGW does next (TS 23.334 §5.11.2.x.1).
///
/// ```
/// use sdp_sec::edge::gateway::{Action, Termination};
///
/// assert_ne!(Action::CloseTcp(Termination::Access), Action::CloseTcp(Termination::Core));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Let the connection in that has arrived at this termination.
    Accept(Termination, Attempt),
    /// Close the TCP connection of this termination, if it is there or on its way.
    CloseTcp(Termination),
    /// End the TLS session or DTLS association towards the UE, if there is one.
    CloseTls,
    /// Send a TCP SYN from this termination.
    Connect(Termination, Attempt),
    /// Pass media between the TLS session and the core from now on, both ways.
    Relay,
    /// Tell the IMS-ALG.
    Report(Report),
    /// Start TLS, or DTLS, towards the UE in this role: a client sends its ClientHello, a server
    /// waits for one and asks for the client's certificate.
    StartTls(TlsRole, Attempt),
    /// Pass no more media.
    StopRelay,
}

/// What the IMS-ALG is told.
///
/// ```
/// use sdp_sec::edge::gateway::{Failure, Report};
///
/// assert_ne!(Report::TlsFailed(Failure::FingerprintMismatch), Report::TlsReleased);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Report {
    /// A TCP connection that was up, or on its way, is gone.
    TcpReleased(Termination),
    /// TLS is up and the UE is who the signalling says.
    TlsEstablished,
    /// TLS was not set up.
    TlsFailed(Failure),
    /// The TLS session that was up is gone.
    TlsReleased,
}

/// Why TLS was not set up.
///
/// ```
/// use sdp_sec::edge::gateway::Failure;
///
/// assert_eq!(Failure::NoCertificate.to_string(), "the peer showed no certificate");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The peer showed a second certificate, another than the first.
    #[error("the peer showed another certificate than before")]
    CertificateChanged,
    /// The peer's certificate has none of the fingerprints that belong to the stream: it is not
    /// authenticated.
    #[error("the certificate does not match the fingerprint of this stream")]
    FingerprintMismatch,
    /// The handshake ended before TLS was up.
    #[error("the TLS handshake failed")]
    Handshake,
    /// TLS came up although the peer showed no certificate.
    #[error("the peer showed no certificate")]
    NoCertificate,
}
