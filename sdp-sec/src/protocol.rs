//! The transport protocols of m-lines, and the m-line itself ([RFC 8866 §5.14]).
//!
//! [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14

use core::fmt;

use crate::lines::{Field, Line};
use crate::{Rule, SdpError};

/// The `proto` field of an m-line ([RFC 8866 §5.14]).
///
/// Read whatever its case, since T.38 peers write both `udptl` and `UDPTL`; written as registered.
/// A token that is not known here stays as it is.
///
/// ```
/// use sdp_sec::Protocol;
///
/// let protocol = Protocol::from_token("UDPTL");
/// assert_eq!((protocol, protocol.as_str()), (Protocol::Udptl, "udptl"));
/// assert_eq!(protocol.protected(), Some(Protocol::UdpTlsUdptl));
/// assert_eq!(Protocol::from_token("SCTP"), Protocol::Unknown("SCTP"));
/// ```
///
/// [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protocol<'a> {
    /// `RTP/AVP` (RFC 3551).
    RtpAvp,
    /// `RTP/AVPF` (RFC 4585).
    RtpAvpf,
    /// `RTP/SAVP` (RFC 3711).
    RtpSavp,
    /// `RTP/SAVPF` (RFC 5124).
    RtpSavpf,
    /// `UDP/TLS/RTP/SAVP`: DTLS-SRTP (RFC 5764).
    UdpTlsRtpSavp,
    /// `UDP/TLS/RTP/SAVPF`: DTLS-SRTP (RFC 5764).
    UdpTlsRtpSavpf,
    /// `TCP`, which says nothing of what it carries (RFC 4145).
    Tcp,
    /// `TCP/TLS`, which says nothing of what it carries (RFC 8122).
    TcpTls,
    /// `TCP/MSRP` (RFC 4975).
    TcpMsrp,
    /// `TCP/TLS/MSRP` (RFC 4975).
    TcpTlsMsrp,
    /// `TCP/BFCP` (RFC 8856).
    TcpBfcp,
    /// `TCP/TLS/BFCP` (RFC 8856).
    TcpTlsBfcp,
    /// `TCP/DTLS/BFCP` (RFC 8856).
    TcpDtlsBfcp,
    /// `UDP/BFCP` (RFC 8856).
    UdpBfcp,
    /// `UDP/TLS/BFCP` (RFC 8856).
    UdpTlsBfcp,
    /// `udptl`: T.38 over UDP (ITU-T T.38 annex D).
    Udptl,
    /// `UDP/TLS/UDPTL`: T.38 over DTLS (RFC 7345).
    UdpTlsUdptl,
    /// Any other token.
    Unknown(&'a str),
}

impl<'a> Protocol<'a> {
    /// Every protocol that has a name here.
    pub const ALL: &'static [Protocol<'static>] = &[
        Protocol::RtpAvp,
        Protocol::RtpAvpf,
        Protocol::RtpSavp,
        Protocol::RtpSavpf,
        Protocol::UdpTlsRtpSavp,
        Protocol::UdpTlsRtpSavpf,
        Protocol::Tcp,
        Protocol::TcpTls,
        Protocol::TcpMsrp,
        Protocol::TcpTlsMsrp,
        Protocol::TcpBfcp,
        Protocol::TcpTlsBfcp,
        Protocol::TcpDtlsBfcp,
        Protocol::UdpBfcp,
        Protocol::UdpTlsBfcp,
        Protocol::Udptl,
        Protocol::UdpTlsUdptl,
    ];

    /// The protocol that `token` names.
    #[must_use]
    pub fn from_token(token: &'a str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str().eq_ignore_ascii_case(token))
            .unwrap_or(Self::Unknown(token))
    }

    /// The token as registered; an unknown one as it was read.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::RtpAvp => "RTP/AVP",
            Self::RtpAvpf => "RTP/AVPF",
            Self::RtpSavp => "RTP/SAVP",
            Self::RtpSavpf => "RTP/SAVPF",
            Self::UdpTlsRtpSavp => "UDP/TLS/RTP/SAVP",
            Self::UdpTlsRtpSavpf => "UDP/TLS/RTP/SAVPF",
            Self::Tcp => "TCP",
            Self::TcpTls => "TCP/TLS",
            Self::TcpMsrp => "TCP/MSRP",
            Self::TcpTlsMsrp => "TCP/TLS/MSRP",
            Self::TcpBfcp => "TCP/BFCP",
            Self::TcpTlsBfcp => "TCP/TLS/BFCP",
            Self::TcpDtlsBfcp => "TCP/DTLS/BFCP",
            Self::UdpBfcp => "UDP/BFCP",
            Self::UdpTlsBfcp => "UDP/TLS/BFCP",
            Self::Udptl => "udptl",
            Self::UdpTlsUdptl => "UDP/TLS/UDPTL",
            Self::Unknown(token) => token,
        }
    }

    /// What the access edge sends to the core in its place: the same media without protection
    /// (TS 23.334 §5.11.2, TR 33.829 §8.3.2.4.2, §11.4). `None` for protocols that the edge does
    /// not take the protection off.
    #[must_use]
    pub const fn plain(self) -> Option<Protocol<'static>> {
        Some(match self {
            Self::RtpSavp => Protocol::RtpAvp,
            Self::RtpSavpf => Protocol::RtpAvpf,
            Self::TcpTls => Protocol::Tcp,
            Self::TcpTlsMsrp => Protocol::TcpMsrp,
            Self::TcpTlsBfcp => Protocol::TcpBfcp,
            Self::UdpTlsUdptl => Protocol::Udptl,
            _ => return None,
        })
    }

    /// What the access edge sends to the UE in its place: the same media protected as e2ae
    /// prescribes (TS 23.334 §5.11.2, TR 33.829 §8.3.2.4.2, §11.4). `None` for protocols that the
    /// edge does not protect.
    #[must_use]
    pub const fn protected(self) -> Option<Protocol<'static>> {
        Some(match self {
            Self::RtpAvp => Protocol::RtpSavp,
            Self::RtpAvpf => Protocol::RtpSavpf,
            Self::Tcp => Protocol::TcpTls,
            Self::TcpMsrp => Protocol::TcpTlsMsrp,
            Self::TcpBfcp => Protocol::TcpTlsBfcp,
            Self::Udptl => Protocol::UdpTlsUdptl,
            _ => return None,
        })
    }

    /// The same profile of RTP, with feedback or without it as `other` has it: of what one side of a
    /// stream says, only this may differ from what it was told.
    pub(crate) const fn with_feedback_of(self, other: Protocol<'_>) -> Self {
        let feedback = matches!(
            other,
            Protocol::RtpAvpf | Protocol::RtpSavpf | Protocol::UdpTlsRtpSavpf
        );
        match self {
            _ if !other.is_rtp() => self,
            Self::RtpAvp | Self::RtpAvpf if feedback => Self::RtpAvpf,
            Self::RtpAvp | Self::RtpAvpf => Self::RtpAvp,
            Self::RtpSavp | Self::RtpSavpf if feedback => Self::RtpSavpf,
            Self::RtpSavp | Self::RtpSavpf => Self::RtpSavp,
            Self::UdpTlsRtpSavp | Self::UdpTlsRtpSavpf if feedback => Self::UdpTlsRtpSavpf,
            Self::UdpTlsRtpSavp | Self::UdpTlsRtpSavpf => Self::UdpTlsRtpSavp,
            other => other,
        }
    }

    /// Whether media travel protected: SRTP, TLS or DTLS. An unknown protocol is not.
    #[must_use]
    pub const fn is_secured(self) -> bool {
        !matches!(
            self,
            Self::RtpAvp
                | Self::RtpAvpf
                | Self::Tcp
                | Self::TcpMsrp
                | Self::TcpBfcp
                | Self::UdpBfcp
                | Self::Udptl
                | Self::Unknown(_)
        )
    }

    /// Whether the media are RTP, protected or not.
    #[must_use]
    pub const fn is_rtp(self) -> bool {
        matches!(self, Self::RtpAvp | Self::RtpAvpf) || self.is_srtp()
    }

    /// Whether the media are SRTP, keyed in SDP or by DTLS.
    #[must_use]
    pub const fn is_srtp(self) -> bool {
        matches!(
            self,
            Self::RtpSavp | Self::RtpSavpf | Self::UdpTlsRtpSavp | Self::UdpTlsRtpSavpf
        )
    }

    /// Whether the media are SRTP whose keys come from signalling: `RTP/SAVP` and `RTP/SAVPF`.
    #[must_use]
    pub const fn is_signalling_keyed_srtp(self) -> bool {
        matches!(self, Self::RtpSavp | Self::RtpSavpf)
    }

    /// Whether the media travel in a TLS connection over TCP.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::TcpTls | Self::TcpTlsMsrp | Self::TcpTlsBfcp)
    }

    /// Whether the media are protected by DTLS, or by keys that DTLS makes.
    #[must_use]
    pub const fn is_dtls(self) -> bool {
        matches!(
            self,
            Self::UdpTlsRtpSavp
                | Self::UdpTlsRtpSavpf
                | Self::TcpDtlsBfcp
                | Self::UdpTlsBfcp
                | Self::UdpTlsUdptl
        )
    }
}

impl fmt::Display for Protocol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An m-line: `m=<media> <port>[/<count>] <proto> <fmt> ...` ([RFC 8866 §5.14]).
///
/// ```
/// use sdp_sec::{Protocol, Sdp};
///
/// let sdp = Sdp::parse(b"v=0\r\nm=audio 49170 RTP/SAVP 97 98\r\n")?;
/// for media in sdp.media() {
///     let line = media.media_line()?;
///     assert_eq!((line.media(), line.port(), line.protocol()), ("audio", 49170, Protocol::RtpSavp));
///     assert_eq!(line.formats(), b"97 98");
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14
#[derive(Clone, Copy, Debug)]
pub struct MediaLine<'a> {
    line: Line<'a>,
    media: &'a str,
    port: u16,
    port_field: Field<'a>,
    ports: u16,
    protocol: Protocol<'a>,
    protocol_field: Field<'a>,
    formats: &'a [u8],
}

impl<'a> MediaLine<'a> {
    /// Reads the fields of `line`.
    ///
    /// # Errors
    ///
    /// [`Rule::MediaLine`] if it is not an m-line with at least three fields, each set off by one
    /// space; [`Rule::MediaPort`] for a port above 65535 or a count that is zero or no number.
    pub fn parse(line: Line<'a>) -> Result<Self, SdpError> {
        let fault = |rule: Rule| rule.at(line.number());
        let value = match line.kind() {
            Some(b'm') => line.value(),
            _ => return Err(fault(Rule::MediaLine)),
        };
        let mut fields = value.splitn(4, |octet| *octet == b' ');
        let mut token = || {
            let field = fields.next().filter(|field| !field.is_empty())?;
            let text = core::str::from_utf8(field)
                .ok()
                .filter(|text| text.is_ascii())?;
            Some((text, line.field(field)?))
        };
        let (media, _) = token().ok_or(fault(Rule::MediaLine))?;
        let (port_text, whole_port) = token().ok_or(fault(Rule::MediaLine))?;
        let (protocol, protocol_field) = token().ok_or(fault(Rule::MediaLine))?;
        let formats = fields.next().unwrap_or_default();

        let (digits, count) = match port_text.split_once('/') {
            Some((digits, count)) => (digits, Some(count)),
            None => (port_text, None),
        };
        let port = decimal(digits).ok_or(fault(Rule::MediaPort))?;
        let ports = match count {
            Some(count) => decimal(count)
                .filter(|n| *n > 0)
                .ok_or(fault(Rule::MediaPort))?,
            None => 1,
        };
        let port_field = line.field(digits.as_bytes()).unwrap_or(whole_port);
        let protocol = Protocol::from_token(protocol);
        Ok(Self {
            line,
            media,
            port,
            port_field,
            ports,
            protocol,
            protocol_field,
            formats,
        })
    }

    /// The line.
    #[must_use]
    pub const fn line(&self) -> Line<'a> {
        self.line
    }

    /// The media: `audio`, `video`, `message`, `application`, `image`, ...
    #[must_use]
    pub const fn media(&self) -> &'a str {
        self.media
    }

    /// The port; 0 says that the stream is refused or has ended ([RFC 3264 §6]).
    ///
    /// [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where the port stands, without a count; for [`Editor::replace`](crate::lines::Editor::replace).
    #[must_use]
    pub const fn port_field(&self) -> Field<'a> {
        self.port_field
    }

    /// How many ports, or pairs of ports, the stream takes; 1 if the line does not say.
    #[must_use]
    pub const fn ports(&self) -> u16 {
        self.ports
    }

    /// The transport protocol.
    #[must_use]
    pub const fn protocol(&self) -> Protocol<'a> {
        self.protocol
    }

    /// Where the protocol stands; for [`Editor::replace`](crate::lines::Editor::replace).
    #[must_use]
    pub const fn protocol_field(&self) -> Field<'a> {
        self.protocol_field
    }

    /// The formats, as they stand after the protocol and one space; may be empty.
    #[must_use]
    pub const fn formats(&self) -> &'a [u8] {
        self.formats
    }
}

/// A decimal number of up to five digits that fits 16 bits.
fn decimal(digits: &str) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|octet| octet.is_ascii_digit())
    {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_token_is_read_in_any_case_and_written_as_registered() {
        for protocol in Protocol::ALL {
            let token = protocol.as_str();
            assert_eq!(Protocol::from_token(token), *protocol);
            assert_eq!(
                Protocol::from_token(&token.to_ascii_lowercase()).as_str(),
                token
            );
            assert_eq!(
                Protocol::from_token(&token.to_ascii_uppercase()).as_str(),
                token
            );
        }
    }

    #[test]
    fn protection_is_put_on_and_taken_off_alike() {
        for protocol in Protocol::ALL {
            if let Some(protected) = protocol.protected() {
                assert_eq!(protected.plain(), Some(*protocol));
                assert!(!protocol.is_secured() && protected.is_secured());
            }
        }
    }
}
