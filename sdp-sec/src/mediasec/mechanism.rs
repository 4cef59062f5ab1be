use alloc::string::String;
use core::fmt::{self, Write};

use super::SecurityHeaders;
use crate::Protocol;

/// A media plane security mechanism (TS 24.229 table 7.2A.7.2-2): one class of media, protected
/// between UE and access edge.
///
/// The classes are indicated and used independently of each other (TR 33.829 §5.3.2.2, §11.4).
///
/// ```
/// use sdp_sec::Protocol;
/// use sdp_sec::mediasec::Mechanism;
///
/// assert_eq!(Mechanism::of_protocol(Protocol::TcpMsrp), Some(Mechanism::MsrpTls));
/// assert_eq!(Mechanism::from_token("SDES-SRTP"), Some(Mechanism::SdesSrtp));
/// assert_eq!(Mechanism::UdptlDtls.as_str(), "udptl-dtls");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mechanism {
    /// `sdes-srtp`: RTP, keyed by SDES.
    SdesSrtp,
    /// `msrp-tls`: MSRP over TLS.
    MsrpTls,
    /// `bfcp-tls`: BFCP over TLS.
    BfcpTls,
    /// `udptl-dtls`: T.38 over DTLS.
    UdptlDtls,
    /// `dtls-srtp`: RTP, keyed by DTLS. Not of the table; networks announce it.
    DtlsSrtp,
}

impl Mechanism {
    /// Every mechanism.
    pub const ALL: [Self; 5] = [
        Self::SdesSrtp,
        Self::MsrpTls,
        Self::BfcpTls,
        Self::UdptlDtls,
        Self::DtlsSrtp,
    ];

    /// The mechanism of that name, whatever its case.
    #[must_use]
    pub fn from_token(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SdesSrtp => "sdes-srtp",
            Self::MsrpTls => "msrp-tls",
            Self::BfcpTls => "bfcp-tls",
            Self::UdptlDtls => "udptl-dtls",
            Self::DtlsSrtp => "dtls-srtp",
        }
    }

    /// The mechanism that protects, or would protect, a line of this protocol at the access edge.
    ///
    /// RTP is protected by SDES there; DTLS-SRTP is not the edge's, and `TCP` says nothing of what it
    /// carries: both have none.
    #[must_use]
    pub const fn of_protocol(protocol: Protocol<'_>) -> Option<Self> {
        Some(match protocol {
            Protocol::RtpAvp | Protocol::RtpAvpf | Protocol::RtpSavp | Protocol::RtpSavpf => {
                Self::SdesSrtp
            }
            Protocol::TcpMsrp | Protocol::TcpTlsMsrp => Self::MsrpTls,
            Protocol::TcpBfcp | Protocol::TcpTlsBfcp => Self::BfcpTls,
            Protocol::Udptl | Protocol::UdpTlsUdptl => Self::UdptlDtls,
            _ => return None,
        })
    }

    /// Whether the key itself stands in SDP, so that signalling must be confidential
    /// (TR 33.829 §8.3.2.1).
    #[must_use]
    pub const fn puts_keys_in_sdp(self) -> bool {
        matches!(self, Self::SdesSrtp)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::SdesSrtp => 1,
            Self::MsrpTls => 2,
            Self::BfcpTls => 4,
            Self::UdptlDtls => 8,
            Self::DtlsSrtp => 16,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of mechanisms: what one side has indicated.
///
/// ```
/// use sdp_sec::mediasec::{Mechanism, MechanismSet};
///
/// let ue: MechanismSet = [Mechanism::SdesSrtp, Mechanism::MsrpTls].into_iter().collect();
/// let network = MechanismSet::of(&["tls, sdes-srtp;mediasec"])?;
/// assert_eq!(ue.both(network).iter().collect::<Vec<_>>(), [Mechanism::SdesSrtp]);
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct MechanismSet(u8);

impl MechanismSet {
    /// None.
    pub const EMPTY: Self = Self(0);

    /// The mechanisms that the values of the headers of one name indicate: those with `;mediasec`.
    ///
    /// # Errors
    ///
    /// As [`SecurityHeaders::parse`].
    pub fn of(values: &[&str]) -> Result<Self, super::HeaderError> {
        Ok(SecurityHeaders::parse(values)?.indicated())
    }

    /// The set with `mechanism` in it.
    #[must_use]
    pub const fn with(self, mechanism: Mechanism) -> Self {
        Self(self.0 | mechanism.bit())
    }

    /// The set with `mechanism` not in it.
    #[must_use]
    pub const fn without(self, mechanism: Mechanism) -> Self {
        Self(self.0 & !mechanism.bit())
    }

    /// Whether `mechanism` is in it.
    #[must_use]
    pub const fn contains(self, mechanism: Mechanism) -> bool {
        self.0 & mechanism.bit() != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The mechanisms.
    pub fn iter(self) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL
            .into_iter()
            .filter(move |mechanism| self.contains(*mechanism))
    }
}

impl FromIterator<Mechanism> for MechanismSet {
    fn from_iter<I: IntoIterator<Item = Mechanism>>(mechanisms: I) -> Self {
        mechanisms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for MechanismSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The value of a `Security-Client` or `Security-Server` header that indicates `mechanisms`
/// (TS 24.229 §7.2A.7): each with `;mediasec`, and no preference.
///
/// ```
/// use sdp_sec::mediasec::{Mechanism, MechanismSet, client_value};
///
/// let set = MechanismSet::EMPTY.with(Mechanism::MsrpTls).with(Mechanism::SdesSrtp);
/// assert_eq!(client_value(set), "sdes-srtp;mediasec, msrp-tls;mediasec");
/// ```
#[must_use]
pub fn client_value(mechanisms: MechanismSet) -> String {
    let mut value = String::new();
    for mechanism in mechanisms.iter() {
        let separator = if value.is_empty() { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(value, "{separator}{mechanism};mediasec");
    }
    value
}
