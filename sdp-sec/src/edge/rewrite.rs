//! Carries out what was decided, line by line; what is not named stays as it came.

use alloc::string::String;

use zeroize::Zeroizing;

use super::passage::Passage;
use super::section::{Facts, Kind, MediaFacts};
use crate::fingerprint::Fingerprint;
use crate::lines::{EditError, Editor, Line};
use crate::mediasec::Mechanism;
use crate::{E2ae, Protocol, Setup};

/// What happens to one media section.
#[derive(Default)]
pub(super) struct Edit<'e> {
    /// Takes the security attributes of this mechanism away; without it `a=3ge2ae` and keys alone.
    pub(super) strip: Option<Mechanism>,
    /// Leaves keys where they are: the line is protected by them end to end.
    pub(super) keeps_keys: bool,
    /// Towards the core: of T.38, `a=setup` and `a=connection` go as well.
    pub(super) to_plain: bool,
    pub(super) protocol: Option<Protocol<'e>>,
    /// What becomes of the transport protocols that are offered as capabilities.
    pub(super) transports: Option<Transports>,
    pub(super) refuse: bool,
    pub(super) setup: Option<Setup>,
    /// The scheme of the first URI of `a=path`.
    pub(super) scheme: Option<&'static str>,
    pub(super) crypto: &'e [Zeroizing<String>],
    pub(super) fingerprint: Option<&'e Fingerprint>,
    pub(super) e2ae: Option<E2ae<'e>>,
}

impl Edit<'_> {
    fn strips(&self, kind: Kind) -> bool {
        match kind {
            Kind::E2ae | Kind::E2aeCapability => true,
            Kind::Crypto | Kind::CryptoCapability | Kind::Key => !self.keeps_keys,
            Kind::Fingerprint | Kind::TlsCapability | Kind::TlsId => self.strip.is_some(),
            Kind::Setup | Kind::Connection => {
                self.to_plain && self.strip == Some(Mechanism::UdptlDtls)
            }
            Kind::KeyMgmt | Kind::Path | Kind::Transports => false,
        }
    }

    pub(super) fn apply<'a>(
        &self,
        editor: &mut Editor<'a>,
        media: &MediaFacts<'a>,
    ) -> Result<(), EditError> {
        if self.refuse {
            editor.replace(media.line.port_field(), 0)?;
        }
        if let Some(protocol) = self.protocol
            && protocol != media.line.protocol()
        {
            editor.replace(media.line.protocol_field(), protocol)?;
        }
        let last = media.facts.last.unwrap_or(media.line.line());
        let mut setup = self.setup;
        let mut appended = false;
        for &(kind, line) in &media.facts.known {
            if self.strips(kind) {
                if line.number() == last.number() {
                    self.add(setup, |text| editor.insert_before(line, text))?;
                    appended = true;
                }
                editor.remove(line)?;
            } else if kind == Kind::Setup
                && let Some(role) = setup.take()
            {
                editor.replace(line.whole(), role.line())?;
            } else if kind == Kind::Path
                && let (Some(scheme), Some(field)) = (self.scheme, scheme_of(&line))
            {
                editor.replace(field, scheme)?;
            } else if kind == Kind::Transports {
                replace_transports(editor, line, self.transports)?;
            }
        }
        if !appended {
            self.add(setup, |text| editor.insert_after(last, text))?;
        }
        Ok(())
    }

    fn add(
        &self,
        setup: Option<Setup>,
        mut write: impl FnMut(&dyn core::fmt::Display) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        for line in self.crypto {
            write(&line.as_str())?;
        }
        if let Some(fingerprint) = self.fingerprint {
            write(&fingerprint.line())?;
        }
        if let Some(setup) = setup {
            write(&setup.line())?;
        }
        if let Some(e2ae) = self.e2ae {
            write(&e2ae.line())?;
        }
        Ok(())
    }
}

/// Makes room for keys before any is written: a description that grew later would leave copies of
/// those before.
pub(super) fn make_room<'e>(
    editor: &mut Editor<'_>,
    crypto: impl Iterator<Item = &'e Zeroizing<String>>,
    media: usize,
) {
    /// Octets, at most, of a line end.
    const LINE_END: usize = 2;
    /// Octets, at most, of what is added to an m-line beside `a=crypto`.
    const OTHERS: usize = 320;
    let lines = crypto.map(|line| line.len().saturating_add(LINE_END));
    editor.reserve(
        lines
            .sum::<usize>()
            .saturating_add(media.saturating_mul(OTHERS)),
    );
}

/// Writes the session section: without attributes that are for the edge alone, or that no stream
/// which passes the edge untouched needs.
pub(super) fn session<'a>(
    editor: &mut Editor<'a>,
    facts: &Facts<'a>,
    strips: impl Fn(Kind) -> bool,
    transports: Option<Transports>,
) -> Result<(), EditError> {
    for &(kind, line) in &facts.known {
        if strips(kind) {
            editor.remove(line)?;
        } else if kind == Kind::Transports {
            replace_transports(editor, line, transports)?;
        }
    }
    Ok(())
}

/// What becomes of the profiles of RTP in `a=tcap`, where their stream is the edge's: the other side
/// of the edge could not use them as they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Transports {
    Plain,
    Protected,
}

impl Transports {
    fn of(self, protocol: Protocol<'_>) -> Option<Protocol<'static>> {
        let other = match self {
            Self::Plain => protocol.plain(),
            Self::Protected => protocol.protected(),
        };
        other.filter(|other| other.is_rtp())
    }

    /// For the session section: where no stream needs them as they are.
    pub(super) fn for_session<'i>(
        self,
        lines: impl Iterator<Item = (&'i MediaFacts<'i>, Passage)>,
    ) -> Option<Self> {
        let mut rtp =
            lines.filter(|(media, _)| media.line.protocol().is_rtp() && !media.is_closed());
        rtp.all(|(_, passage)| !passage.untouched).then_some(self)
    }
}

fn replace_transports<'a>(
    editor: &mut Editor<'a>,
    line: Line<'a>,
    transports: Option<Transports>,
) -> Result<(), EditError> {
    let value = line.attribute().and_then(|attribute| attribute.value());
    let (Some(transports), Some(value)) = (transports, value) else {
        return Ok(());
    };
    for token in value.split(|octet| *octet == b' ') {
        let protocol = core::str::from_utf8(token).map(Protocol::from_token);
        if let Some(other) = protocol.ok().and_then(|protocol| transports.of(protocol))
            && let Some(field) = line.field(token)
        {
            editor.replace(field, other)?;
        }
    }
    Ok(())
}

/// The scheme of the first URI of an `a=path` line.
fn scheme_of<'a>(line: &Line<'a>) -> Option<crate::lines::Field<'a>> {
    let value = line.attribute()?.value()?.trim_ascii_start();
    let end = value.iter().position(|octet| *octet == b':')?;
    let scheme = value.get(..end)?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    if is("msrp") || is("msrps") {
        line.field(scheme)
    } else {
        None
    }
}
