//! `a=path`: where an MSRP session is reached ([RFC 4975 §6, §8.2]).
//!
//! [RFC 4975 §6, §8.2]: https://www.rfc-editor.org/rfc/rfc4975#section-6

use core::fmt;

use crate::lines::Section;
use crate::{Protocol, Rule, SdpError};

/// Most URIs that one path may have: an endpoint behind relays has two or three.
pub const MAX_HOPS: usize = 16;

/// The value of `a=path`, a media-level attribute: one MSRP URI, or several of which the first is
/// the next hop and the last the session ([RFC 4975 §8.2]).
///
/// ```
/// use sdp_sec::Path;
///
/// let path = Path::parse("msrps://relay.example:2855/r;tcp msrps://alice.example:7654/j;tcp")?;
/// let hosts: Vec<_> = path.uris().map(|uri| (uri.host(), uri.port(), uri.session_id())).collect();
/// assert_eq!(hosts, [
///     ("relay.example", Some(2855), Some("r")),
///     ("alice.example", Some(7654), Some("j")),
/// ]);
/// assert!(path.next_hop().is_secured());
/// # Ok::<(), sdp_sec::Rule>(())
/// ```
///
/// [RFC 4975 §8.2]: https://www.rfc-editor.org/rfc/rfc4975#section-8.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Path<'a> {
    text: &'a str,
    next_hop: MsrpUri<'a>,
    session: MsrpUri<'a>,
}

impl<'a> Path<'a> {
    /// The name of the attribute.
    pub const NAME: &'static str = "path";

    /// Reads the attribute's value.
    ///
    /// # Errors
    ///
    /// [`Rule::MsrpUri`] if one of the parts between single spaces is no MSRP URI with a port;
    /// [`Rule::TooManyValues`] beyond [`MAX_HOPS`].
    pub fn parse(value: &'a str) -> Result<Self, Rule> {
        let text = value.trim_ascii();
        let mut ends = None;
        for (hop, uri) in text.split(' ').enumerate() {
            if hop >= MAX_HOPS {
                return Err(Rule::TooManyValues);
            }
            let uri = MsrpUri::parse(uri)?;
            uri.port().ok_or(Rule::MsrpUri)?;
            ends = Some((ends.map_or(uri, |(first, _)| first), uri));
        }
        let (next_hop, session) = ends.ok_or(Rule::MsrpUri)?;
        Ok(Self {
            text,
            next_hop,
            session,
        })
    }

    /// The path of a media section, if it has one.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Rule::Duplicate`] if it stands twice.
    pub fn of(section: Section<'a>) -> Result<Option<Self>, SdpError> {
        section
            .attribute(Self::NAME)?
            .map(|attribute| attribute.parse(Self::parse))
            .transpose()
    }

    /// The URIs, the next hop first.
    pub fn uris(&self) -> impl Iterator<Item = MsrpUri<'a>> + use<'a> {
        self.text
            .split(' ')
            .filter_map(|uri| MsrpUri::parse(uri).ok())
    }

    /// The URI to connect to.
    #[must_use]
    pub const fn next_hop(&self) -> MsrpUri<'a> {
        self.next_hop
    }

    /// The URI of the session's endpoint.
    #[must_use]
    pub const fn session(&self) -> MsrpUri<'a> {
        self.session
    }

    /// Whether the endpoint is behind a relay: its path has more than one URI ([RFC 6714 §4.3]).
    ///
    /// [RFC 6714 §4.3]: https://www.rfc-editor.org/rfc/rfc6714#section-4.3
    #[must_use]
    pub fn has_relay(&self) -> bool {
        self.text.contains(' ')
    }

    /// Whether the scheme of every URI fits the m-line's protocol: `msrps` for `TCP/TLS/MSRP`, `msrp`
    /// for `TCP/MSRP`; any for protocols that do not say (RFC 4975 §8.1, §14.1).
    #[must_use]
    pub fn fits(&self, protocol: Protocol<'_>) -> bool {
        match protocol {
            Protocol::TcpTlsMsrp => self.uris().all(|uri| uri.is_secured()),
            Protocol::TcpMsrp => self.uris().all(|uri| !uri.is_secured()),
            _ => true,
        }
    }

    /// The path as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy + use<'a> {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// An MSRP URI: `msrp://host:port/session-id;tcp` ([RFC 4975 §6, §9]).
///
/// ```
/// use sdp_sec::msrp::MsrpUri;
///
/// let uri = MsrpUri::parse("msrps://bob@[2001:db8::1]:12763/kjhd37s2s20w2a;tcp")?;
/// assert_eq!((uri.host(), uri.port()), ("[2001:db8::1]", Some(12763)));
/// let plain = uri.with_scheme(false).to_string();
/// assert_eq!(plain, "msrp://bob@[2001:db8::1]:12763/kjhd37s2s20w2a;tcp");
/// # Ok::<(), sdp_sec::Rule>(())
/// ```
///
/// [RFC 4975 §6, §9]: https://www.rfc-editor.org/rfc/rfc4975#section-6
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MsrpUri<'a> {
    secured: bool,
    user: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    /// What follows the authority, with its slash or semicolon.
    tail: &'a str,
    session_id: Option<&'a str>,
    transport: &'a str,
}

impl<'a> MsrpUri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    ///
    /// [`Rule::MsrpUri`] if it is none.
    pub fn parse(text: &'a str) -> Result<Self, Rule> {
        let (scheme, rest) = text.split_once("://").ok_or(Rule::MsrpUri)?;
        let secured = if scheme.eq_ignore_ascii_case("msrps") {
            true
        } else if scheme.eq_ignore_ascii_case("msrp") {
            false
        } else {
            return Err(Rule::MsrpUri);
        };
        let end = rest.find(['/', ';']).ok_or(Rule::MsrpUri)?;
        let (authority, tail) = rest.split_at(end);
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address)?;

        let (path, parameters) = tail.split_once(';').ok_or(Rule::MsrpUri)?;
        let session_id = path.strip_prefix('/');
        let transport = parameters.split(';').next().unwrap_or_default();
        let session_fits = session_id.is_none_or(|id| !id.is_empty() && id.bytes().all(in_id));
        let user_fits = user.is_none_or(|user| user.bytes().all(is_visible));
        let parameters_fit = parameters
            .split(';')
            .all(|part| !part.is_empty() && part.bytes().all(is_visible));
        if session_fits && user_fits && parameters_fit {
            Ok(Self {
                secured,
                user,
                host,
                port,
                tail,
                session_id,
                transport,
            })
        } else {
            Err(Rule::MsrpUri)
        }
    }

    /// Whether the scheme is `msrps`: the hop is protected by TLS.
    #[must_use]
    pub const fn is_secured(&self) -> bool {
        self.secured
    }

    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }

    /// The port; always there in `a=path`.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The session-id; its case counts.
    #[must_use]
    pub const fn session_id(&self) -> Option<&'a str> {
        self.session_id
    }

    /// The transport, `tcp`.
    #[must_use]
    pub const fn transport(&self) -> &'a str {
        self.transport
    }

    /// The same URI with scheme `msrps`, or `msrp`.
    #[must_use]
    pub const fn with_scheme(mut self, secured: bool) -> Self {
        self.secured = secured;
        self
    }

    /// The same URI at another host and port, as a media gateway has them. `host` is written as it
    /// is; an IPv6 address needs its brackets.
    ///
    /// # Errors
    ///
    /// [`Rule::MsrpUri`] if `host` is no host.
    pub fn at(self, host: &'a str, port: u16) -> Result<Self, Rule> {
        match split_port(host)? {
            (host, None) => Ok(Self {
                host,
                port: Some(port),
                ..self
            }),
            _ => Err(Rule::MsrpUri),
        }
    }
}

impl fmt::Display for MsrpUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secured { "msrps://" } else { "msrp://" })?;
        if let Some(user) = self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.tail)
    }
}

/// Splits `host[:port]`, where the host may be an IPv6 address in brackets.
fn split_port(address: &str) -> Result<(&str, Option<u16>), Rule> {
    let host_end = match address.strip_prefix('[') {
        Some(inner) => inner.find(']').ok_or(Rule::MsrpUri)? + 2,
        None => address.find(':').unwrap_or(address.len()),
    };
    let (host, rest) = address.split_at_checked(host_end).ok_or(Rule::MsrpUri)?;
    let in_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~%[]:".contains(&octet);
    if host.is_empty() || !host.bytes().all(in_host) {
        return Err(Rule::MsrpUri);
    }
    let port = match rest.strip_prefix(':') {
        Some(digits) if is_port(digits) => Some(digits.parse().map_err(|_| Rule::MsrpUri)?),
        None if rest.is_empty() => None,
        _ => return Err(Rule::MsrpUri),
    };
    Ok((host, port))
}

fn is_port(digits: &str) -> bool {
    matches!(digits.len(), 1..=5) && digits.bytes().all(|octet| octet.is_ascii_digit())
}

/// `unreserved / "+" / "=" / "/"` ([RFC 4975 §9]).
///
/// [RFC 4975 §9]: https://www.rfc-editor.org/rfc/rfc4975#section-9
const fn in_id(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'=' | b'/' | b'%')
}

const fn is_visible(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'@' | b'"' | b'<' | b'>' | b'\\')
}
