use crate::fingerprint::HashPolicy;
use crate::{E2ae, Setup};

/// What the operator decides where the standards leave it open.
///
/// The default is the 3GPP text to the letter. What depends on the registration stands in
/// [`AccessEdge`](crate::mediasec::AccessEdge).
///
/// ```
/// use sdp_sec::edge::{Policy, Rekey};
///
/// let mut policy = Policy::default();
/// policy.rekey = Rekey::NewContext;
/// assert!(!policy.opportunistic_srtp);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Policy {
    /// Crypto-suites and session parameters, in offers to the UE and in answers to it.
    pub sdes: sdes::Policy,
    /// What happens when the keys of an established stream would change.
    pub rekey: Rekey,
    /// Take `RTP/AVP(F)` with `a=crypto` and `a=3ge2ae:requested` for e2ae (RFC 8643 style, as
    /// TS 34.229-1 prints it), and answer likewise. Otherwise such a stream is refused.
    pub opportunistic_srtp: bool,
    /// Hash functions of the UE's fingerprints.
    pub hashes: HashPolicy,
    /// `a=setup` of MSRP in offers to the UE: `passive` (TR 33.829 §8.3.2.4.2) unless changed.
    pub msrp_setup: Setup,
    /// `a=setup` of BFCP in offers to the UE: `passive`, as for MSRP, unless changed.
    pub bfcp_setup: Setup,
    /// `a=setup` of T.38 in offers to the UE: `actpass` (RFC 7345 §4.2) unless changed.
    pub t38_setup: Setup,
    /// What the IMS-AGW knows of MSRP.
    pub msrp: MsrpHandling,
    /// Who is TLS server for BFCP.
    pub bfcp_tls: BfcpTls,
    /// The `a=3ge2ae` value in answers to the UE; `None` for no line. Offers to it carry `applied`.
    pub answer_e2ae: Option<E2ae<'static>>,
    /// Where the IMS-AGW is TCP client towards the core and server towards the UE, a SYN of the UE
    /// starts the connection to the core; otherwise it starts at once (TS 23.334 §5.11.2.x.1).
    pub syn_trigger: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            sdes: sdes::Policy::default(),
            rekey: Rekey::Refuse,
            opportunistic_srtp: false,
            hashes: HashPolicy::default(),
            msrp_setup: Setup::Passive,
            bfcp_setup: Setup::Passive,
            t38_setup: Setup::Actpass,
            msrp: MsrpHandling::Agnostic,
            bfcp_tls: BfcpTls::Answerer,
            answer_e2ae: Some(E2ae::Applied),
            syn_trigger: true,
        }
    }
}

/// What happens when the keys of an established stream would change.
///
/// ```
/// use sdp_sec::edge::Rekey;
///
/// assert_eq!(Rekey::default(), Rekey::Refuse);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rekey {
    /// The whole offer or answer is refused, the established keys stay (TS 23.334 §5.11.2.1).
    #[default]
    Refuse,
    /// For UEs that bring new keys on hold and resume: what changed is a new cryptographic context
    /// with ROC 0 (RFC 4568 §7.1.4), which the IMS-AGW must be able to exchange.
    NewContext,
}

/// What the IMS-AGW knows of MSRP (TS 23.334 §5.11.2.x.2).
///
/// ```
/// use sdp_sec::Protocol;
/// use sdp_sec::edge::MsrpHandling;
///
/// assert_eq!(MsrpHandling::Agnostic.access(), Protocol::TcpTls);
/// assert_eq!(MsrpHandling::Aware.core(), Protocol::TcpMsrp);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MsrpHandling {
    /// Nothing: it relays octets, `TCP/TLS` to `TCP`. `a=path` stays as it is, since To-Path and
    /// From-Path inside the stream do.
    #[default]
    Agnostic,
    /// It rewrites To-Path and From-Path between `TCP/TLS/MSRP` and `TCP/MSRP`, and the next hop of
    /// `a=path` turns from `msrps` to `msrp` and back.
    Aware,
}

/// Who is TLS server for BFCP over TCP.
///
/// ```
/// use sdp_sec::edge::BfcpTls;
///
/// assert_eq!(BfcpTls::default(), BfcpTls::Answerer);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BfcpTls {
    /// The SDP answerer, whatever its TCP role (TS 23.334 §5.11.2.x.1, RFC 4583 §8, RFC 8856 §8).
    #[default]
    Answerer,
    /// The TCP server, as RFC 8856 §10.2 and §10.3 read when taken alone.
    Setup,
}
