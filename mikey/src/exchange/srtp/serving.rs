use alloc::collections::BTreeSet;
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
        let named = key.spi().filter(|spi| self.named.contains(spi));
        match (key.kind(), named) {
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
    /// There are few pairs to look at: the sets of keys that were made before this are bounded, and
    /// a TEK that is not in all of them is of the sessions with one SPI.
    pub(super) fn check_teks(&self, streams: &[Stream<'b>]) -> Result<(), SrtpKeyError> {
        let teks = self.bundle.keys().iter();
        let teks: Vec<(&KeyMaterial, Vec<&Session>)> = teks
            .filter(|key| key.kind() == KeyKind::Tek)
            .map(|key| (key, self.served_by(key)))
            .collect();
        for (tek, _) in &teks {
            let same = teks
                .iter()
                .filter(|(other, _)| bool::from(tek.key().ct_eq(other.key())));
            let sharing: Vec<&Session> = same.flat_map(|(_, served)| served).copied().collect();
            for stream in streams {
                let cs_id = stream.session.cs_id();
                if self.serves(tek, stream.session)
                    && sharing.iter().any(|other| clash(stream, other))
                {
                    return Err(SrtpKeyError::SharedKey(cs_id));
                }
            }
        }
        Ok(())
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
