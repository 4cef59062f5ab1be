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
    E2ae,
    Fingerprint,
    KeyMgmt,
    Path,
    Setup,
    TlsId,
}

impl Kind {
    /// By name, whatever its case and with spaces before the colon: a peer may read names so, and
    /// no key may slip through.
    pub(super) fn of(attribute: &Attribute<'_>) -> Option<Self> {
        let found = attribute.name().trim_ascii();
        let is = |name: &str| found.eq_ignore_ascii_case(name.as_bytes());
        let (name, kind) = match found.len() {
            4 => ("path", Self::Path),
            5 => ("setup", Self::Setup),
            6 if is("crypto") => return Some(Self::Crypto),
            6 if is("tls-id") => return Some(Self::TlsId),
            6 => ("3ge2ae", Self::E2ae),
            8 => ("key-mgmt", Self::KeyMgmt),
            10 => ("connection", Self::Connection),
            11 => ("fingerprint", Self::Fingerprint),
            _ => return None,
        };
        is(name).then_some(kind)
    }
}

/// The session section, or what follows an m-line.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) section: Section<'a>,
    pub(super) last: Option<Line<'a>>,
    /// The first c-line.
    pub(super) address: Option<Line<'a>>,
    pub(super) crypto: bool,
    pub(super) fingerprint: bool,
    pub(super) key_mgmt: bool,
    tls_id: Once<'a>,
    e2ae: Once<'a>,
    setup: Once<'a>,
    connection: Once<'a>,
    path: Once<'a>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(section: Section<'a>) -> Self {
        let mut facts = Self {
            section,
            last: None,
            address: None,
            crypto: false,
            fingerprint: false,
            key_mgmt: false,
            tls_id: Once::None,
            e2ae: Once::None,
            setup: Once::None,
            connection: Once::None,
            path: Once::None,
        };
        for line in section.lines() {
            if !line.octets().is_empty() {
                facts.last = Some(line);
            }
            if facts.address.is_none() && line.kind() == Some(b'c') {
                facts.address = Some(line);
            }
            let Some(attribute) = line.attribute() else {
                continue;
            };
            match Kind::of(&attribute) {
                Some(Kind::Connection) => facts.connection.set(attribute),
                Some(Kind::Crypto) => facts.crypto = true,
                Some(Kind::E2ae) => facts.e2ae.set(attribute),
                Some(Kind::Fingerprint) => facts.fingerprint = true,
                Some(Kind::KeyMgmt) => facts.key_mgmt = true,
                Some(Kind::Path) => facts.path.set(attribute),
                Some(Kind::Setup) => facts.setup.set(attribute),
                Some(Kind::TlsId) => facts.tls_id.set(attribute),
                None => {}
            }
        }
        facts
    }

    pub(super) const fn has_e2ae(&self) -> bool {
        self.e2ae.is_some()
    }

    /// Whether the section asks for e2ae. A line that says so anywhere does, whatever else stands
    /// beside it: what cannot be read must not turn a request for protection into none.
    pub(super) fn requests_e2ae(&self) -> bool {
        self.e2ae.is_some()
            && self
                .section
                .attributes()
                .filter(|attribute| Kind::of(attribute) == Some(Kind::E2ae))
                .any(|attribute| attribute.parse(E2ae::parse) == Ok(E2ae::Requested))
    }

    pub(super) fn setup(&self) -> Result<Option<Setup>, SdpError> {
        self.setup
            .get()?
            .map(|attribute| attribute.parse(Setup::parse))
            .transpose()
    }

    pub(super) fn connection(&self) -> Result<Option<Connection>, SdpError> {
        self.connection
            .get()?
            .map(|attribute| attribute.parse(Connection::parse))
            .transpose()
    }

    pub(super) fn tls_id(&self) -> Result<Option<&'a str>, SdpError> {
        let id = self
            .tls_id
            .get()?
            .map(|attribute| attribute.parse(TlsId::parse))
            .transpose()?;
        Ok(id.map(TlsId::as_str))
    }

    pub(super) const fn has_tls_id(&self) -> bool {
        self.tls_id.is_some()
    }

    pub(super) fn path(&self) -> Result<Option<Attribute<'a>>, SdpError> {
        self.path.get()
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
            .path()?
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

/// An attribute that may stand once.
#[derive(Clone, Copy, Debug)]
enum Once<'a> {
    None,
    Some(Attribute<'a>),
    /// The number of the second line.
    Twice(usize),
}

impl<'a> Once<'a> {
    fn set(&mut self, attribute: Attribute<'a>) {
        *self = match self {
            Self::None => Self::Some(attribute),
            Self::Some(_) => Self::Twice(attribute.line().number()),
            Self::Twice(number) => Self::Twice(*number),
        };
    }

    const fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn get(self) -> Result<Option<Attribute<'a>>, SdpError> {
        match self {
            Self::None => Ok(None),
            Self::Some(attribute) => Ok(Some(attribute)),
            Self::Twice(number) => Err(Rule::Duplicate.at(number)),
        }
    }
}
