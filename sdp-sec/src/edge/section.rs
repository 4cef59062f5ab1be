//! What the edge needs to know of a section, gathered in one walk over its lines.

use alloc::vec::Vec;

use crate::lines::{Attribute, Line, Media, Section};
use crate::protocol::MediaLine;
use crate::tls_role::Comedia;
use crate::{Connection, E2ae, Rule, SdpError, Setup, TlsId};

/// The attributes that the edge reads, adds or takes away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Connection,
    Crypto,
    /// `a=acap` or `a=cpar` that offers `a=crypto` as a capability (RFC 5939 §3.4.1, RFC 3407).
    CryptoCapability,
    E2ae,
    /// `a=acap` with `a=3ge2ae`.
    E2aeCapability,
    Fingerprint,
    /// `k=`, which RFC 8866 §5.12 has ended.
    Key,
    KeyMgmt,
    Path,
    Setup,
    /// `a=acap` with `a=fingerprint` or `a=tls-id`.
    TlsCapability,
    TlsId,
    /// `a=tcap`: transport protocols as capabilities (RFC 5939 §3.4.2).
    Transports,
}

impl Kind {
    /// By name, whatever its case and with spaces before the colon: a peer may read names so, and
    /// no key may slip through.
    pub(super) fn of(attribute: &Attribute<'_>) -> Option<Self> {
        let (name, kind) = match attribute.bare_name().len() {
            4 if attribute.is("acap") => return Self::of_capability(attribute),
            4 if attribute.is("cpar") => return Self::of_parameter(attribute),
            4 if attribute.is("tcap") => return Some(Self::Transports),
            4 => ("path", Self::Path),
            5 => ("setup", Self::Setup),
            6 if attribute.is("crypto") => return Some(Self::Crypto),
            6 if attribute.is("tls-id") => return Some(Self::TlsId),
            6 => ("3ge2ae", Self::E2ae),
            8 => ("key-mgmt", Self::KeyMgmt),
            10 => ("connection", Self::Connection),
            11 => ("fingerprint", Self::Fingerprint),
            _ => return None,
        };
        attribute.is(name).then_some(kind)
    }

    /// Of a value that is a number, spaces, and an attribute that is not for the core.
    fn of_capability(attribute: &Attribute<'_>) -> Option<Self> {
        let value = attribute.value().unwrap_or_default().trim_ascii_start();
        let digits = value
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        Self::of_hidden(value.get(digits..).unwrap_or_default())
    }

    /// Of a value that is a whole line (RFC 3407 §3.3), which no SDP since has, but some gateways do.
    fn of_parameter(attribute: &Attribute<'_>) -> Option<Self> {
        let value = attribute.value().unwrap_or_default().trim_ascii_start();
        Self::of_hidden(value.strip_prefix(b"a=").unwrap_or(value))
    }

    fn of_hidden(attribute: &[u8]) -> Option<Self> {
        let name = attribute
            .trim_ascii_start()
            .split(|octet| *octet == b':')
            .next()
            .unwrap_or_default()
            .trim_ascii_end();
        let is = |hidden: &str| name.eq_ignore_ascii_case(hidden.as_bytes());
        if is("crypto") {
            Some(Self::CryptoCapability)
        } else if is("3ge2ae") {
            Some(Self::E2aeCapability)
        } else if is("fingerprint") || is("tls-id") {
            Some(Self::TlsCapability)
        } else {
            None
        }
    }
}

/// The session section, or what follows an m-line.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) last: Option<Line<'a>>,
    /// The first c-line.
    pub(super) address: Option<Line<'a>>,
    /// The lines that the edge knows, in order.
    pub(super) known: Vec<(Kind, Line<'a>)>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(section: Section<'a>) -> Self {
        let mut facts = Self {
            last: None,
            address: None,
            known: Vec::new(),
        };
        for line in section.lines() {
            if !line.octets().is_empty() {
                facts.last = Some(line);
            }
            match line.kind() {
                Some(b'a') => {
                    let kind = line.attribute().and_then(|attribute| Kind::of(&attribute));
                    facts.known.extend(kind.map(|kind| (kind, line)));
                }
                Some(b'k') => facts.known.push((Kind::Key, line)),
                Some(b'c') if facts.address.is_none() => facts.address = Some(line),
                _ => {}
            }
        }
        facts
    }

    /// The attributes of one kind, in order.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = Attribute<'a>> {
        let of_kind = self.known.iter().filter(move |(known, _)| *known == kind);
        of_kind.filter_map(|(_, line)| line.attribute())
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.known.iter().any(|(known, _)| *known == kind)
    }

    /// The attribute of a kind that may stand once.
    fn once(&self, kind: Kind) -> Result<Option<Attribute<'a>>, SdpError> {
        let mut all = self.all(kind);
        let first = all.next();
        match all.next() {
            Some(second) => Err(Rule::Duplicate.at(second.line().number())),
            None => Ok(first),
        }
    }

    pub(super) fn indicator(&self) -> Result<Option<E2ae<'a>>, SdpError> {
        self.once(Kind::E2ae)?
            .map(|attribute| attribute.parse(E2ae::parse))
            .transpose()
    }

    fn setup(&self) -> Result<Option<Setup>, SdpError> {
        self.once(Kind::Setup)?
            .map(|attribute| attribute.parse(Setup::parse))
            .transpose()
    }

    fn connection(&self) -> Result<Option<Connection>, SdpError> {
        let attribute = self.once(Kind::Connection)?;
        attribute
            .map(|attribute| attribute.parse(Connection::parse))
            .transpose()
    }

    pub(super) fn tls_id(&self) -> Result<Option<&'a str>, SdpError> {
        let id = self
            .once(Kind::TlsId)?
            .map(|attribute| attribute.parse(TlsId::parse));
        Ok(id.transpose()?.map(TlsId::as_str))
    }
}

/// A media section with its m-line read.
#[derive(Debug)]
pub(super) struct MediaFacts<'a> {
    pub(super) media: Media<'a>,
    pub(super) line: MediaLine<'a>,
    pub(super) facts: Facts<'a>,
}

impl<'a> MediaFacts<'a> {
    pub(super) fn of(media: Media<'a>) -> Result<Self, SdpError> {
        Ok(Self {
            media,
            line: media.media_line()?,
            facts: Facts::of(media.section()),
        })
    }

    pub(super) const fn index(&self) -> usize {
        self.media.index()
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.line.port() == 0
    }

    /// What tells one transport from another: c-line, port, and the MSRP path.
    pub(super) fn transport(&self, session: &Facts<'_>) -> Result<Vec<u8>, SdpError> {
        let address = self.facts.address.or(session.address);
        let path = self
            .facts
            .once(Kind::Path)?
            .and_then(|path| path.value())
            .unwrap_or_default();
        let address = address.map(|line| line.octets()).unwrap_or_default();
        let port = self.line.port().to_be_bytes();
        Ok([address, b"\n", port.as_slice(), path].concat())
    }

    /// What is said of the connection, here or, of the role, for the session.
    pub(super) fn comedia(&self, session: &Facts<'_>) -> Result<Comedia, SdpError> {
        let setup = match self.facts.setup()? {
            Some(own) => Some(own),
            None => session.setup()?,
        };
        Ok(Comedia {
            setup,
            connection: self.facts.connection()?,
        })
    }
}
