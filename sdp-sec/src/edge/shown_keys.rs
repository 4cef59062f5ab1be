//! Which keys the descriptions of a dialogue have shown, and where: a key serves one m-line and one
//! side alone, and none comes back when its stream has ended.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;

use sdes::{KeyDigest, Refused};

use super::section::{Facts, Kind};

/// Most keys that one dialogue may show.
pub(super) const MAX_KEYS_PER_DIALOGUE: usize = 4 * sdes::limits::MAX_KEYS_PER_SDP;

/// Who wrote a key into a description.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Writer {
    Core,
    Edge,
    Ue,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// The stream that used it is gone.
    Ended,
    Line {
        media: usize,
        writer: Writer,
    },
}

/// The keys that were shown, by digest.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownKeys {
    seen: BTreeMap<KeyDigest, Place>,
}

impl ShownKeys {
    /// Takes note of the keys in one line of the m-line `media`. All are noted, whatever becomes of
    /// the m-line.
    pub(super) fn admit(
        &mut self,
        media: usize,
        writer: Writer,
        line: &[u8],
    ) -> Result<(), Refused> {
        let place = Place::Line { media, writer };
        let mut admitted = Ok(());
        for digest in KeyDigest::in_line(line) {
            let full = self.seen.len() >= MAX_KEYS_PER_DIALOGUE;
            match self.seen.entry(digest) {
                Entry::Occupied(seen) if *seen.get() == place => {}
                Entry::Occupied(_) => admitted = Err(Refused::KeyReused),
                Entry::Vacant(_) if full => return Err(Refused::TooManyKeys),
                Entry::Vacant(free) => {
                    free.insert(place);
                }
            }
        }
        admitted
    }

    /// Takes note of every key of a section, also of those offered as capabilities.
    pub(super) fn admit_all(
        &mut self,
        media: usize,
        writer: Writer,
        facts: &Facts<'_>,
    ) -> Result<(), Refused> {
        let keyed = facts
            .known
            .iter()
            .filter(|(kind, _)| matches!(kind, Kind::Crypto | Kind::CryptoCapability));
        let mut admitted = Ok(());
        for (_, line) in keyed {
            let this = self.admit(media, writer, line.octets());
            admitted = admitted.and(this);
        }
        admitted
    }

    /// The e2ae streams of these m-lines are gone, and their keys with them.
    pub(super) fn end(&mut self, is_gone: impl Fn(usize) -> bool) {
        for place in self.seen.values_mut() {
            if matches!(place, Place::Line { media, .. } if is_gone(*media)) {
                *place = Place::Ended;
            }
        }
    }
}
