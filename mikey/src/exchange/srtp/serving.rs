use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::{SrtpKeyError, Stream};
use crate::code_points::ProtType;
use crate::exchange::{Bundle, KeyKind, KeyMaterial, Session};

/// Which keys of a bundle serve which of its sessions.
pub(super) struct Serving<'b> {
    bundle: &'b Bundle,
    /// The SPIs that sessions begin with.
    named: BTreeSet<&'b [u8]>,
}

impl<'b> Serving<'b> {
    pub(super) fn of(bundle: &'b Bundle) -> Self {
        let spis = bundle.sessions().iter().map(Session::spi);
        Self {
            bundle,
            named: spis.filter(|spi| !spi.is_empty()).collect(),
        }
    }

    /// Whether `key` is for `session`, now or later: all keys are, but for a TEK that the SPI of
    /// another session names.
    pub(super) fn serves(&self, key: &KeyMaterial, session: &Session) -> bool {
        match (key.kind(), self.name_of(key)) {
            (KeyKind::Tek, Some(spi)) if session.spi().is_empty() => {
                // Without an SPI it is the first key, whatever that is named for.
                let first = self.bundle.keys().first().and_then(KeyMaterial::spi);
                first == Some(spi)
            }
            (KeyKind::Tek, Some(spi)) => session.spi() == spi,
            _ => true,
        }
    }

    /// Refuses `streams` that share a TEK with another session of SRTP under what may be the same
    /// SSRC. It does not matter whether that one is keyed by now.
    ///
    /// Keys are many, but which sessions a TEK serves is a matter of its SPI: the sessions are listed
    /// once for each that is named, and only for the few TEKs of `streams` all others are compared.
    pub(super) fn check_teks(&self, streams: &[Stream<'b>]) -> Result<(), SrtpKeyError> {
        let keys = self.bundle.keys().iter();
        let teks: Vec<&KeyMaterial> = keys.filter(|key| key.kind() == KeyKind::Tek).collect();
        let mut served = BTreeMap::new();
        for tek in &teks {
            served
                .entry(self.name_of(tek))
                .or_insert_with(|| self.served_by(tek));
        }
        for tek in &teks {
            let of_tek = |stream: &&Stream<'b>| self.serves(tek, stream.session);
            let mut streams = streams.iter().filter(of_tek).peekable();
            if streams.peek().is_none() {
                continue;
            }
            let same = teks
                .iter()
                .filter(|other| bool::from(tek.key().ct_eq(other.key())));
            let names: BTreeSet<Option<&[u8]>> = same.map(|other| self.name_of(other)).collect();
            let sharing: Vec<&Session> = names
                .iter()
                .filter_map(|name| served.get(name))
                .flatten()
                .copied()
                .collect();
            if let Some(stream) =
                streams.find(|stream| sharing.iter().any(|other| clash(stream, other)))
            {
                return Err(SrtpKeyError::SharedKey(stream.session.cs_id()));
            }
        }
        Ok(())
    }

    /// The SPI of `key`, where sessions begin with it.
    fn name_of<'k>(&self, key: &'k KeyMaterial) -> Option<&'k [u8]> {
        key.spi().filter(|spi| self.named.contains(spi))
    }

    fn served_by(&self, key: &KeyMaterial) -> Vec<&'b Session> {
        let sessions = self.bundle.sessions().iter();
        sessions
            .filter(|session| session.prot_type() == ProtType::Srtp && self.serves(key, session))
            .collect()
    }
}

/// Whether both may have the same SSRC.
fn clash(stream: &Stream<'_>, other: &Session) -> bool {
    let apart = match (stream.ssrc, other.ssrc()) {
        (Some(ours), Some(theirs)) => ours != theirs,
        _ => false,
    };
    stream.session.cs_id() != other.cs_id() && !apart
}
