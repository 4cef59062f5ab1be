use alloc::vec::Vec;
use core::fmt;

use crate::{KeyDigest, SecurityDescription, limits::MAX_RETIRED_KEYS};

/// The keys of either side that a session has used and uses no more. A context that begins with
/// ROC 0 under one of them would repeat its key stream, so none may come back.
#[derive(Clone, Default)]
pub(crate) struct RetiredKeys {
    /// In order.
    digests: Vec<KeyDigest>,
}

impl RetiredKeys {
    pub(crate) const fn none() -> Self {
        Self {
            digests: Vec::new(),
        }
    }

    pub(crate) fn holds_one_of(&self, description: &SecurityDescription) -> bool {
        !self.digests.is_empty()
            && description
                .digests()
                .any(|digest| self.digests.binary_search(&digest).is_ok())
    }

    /// With those keys of `old` that `new` has no more; `None` if they are too many to remember.
    pub(crate) fn after(
        &self,
        old: [&SecurityDescription; 2],
        new: [&SecurityDescription; 2],
    ) -> Option<Self> {
        let mut retired = self.clone();
        let gone = old
            .into_iter()
            .filter(|old| !new.iter().any(|new| new.repeats(old)));
        for digest in gone.flat_map(SecurityDescription::digests) {
            let goes_on = new
                .iter()
                .any(|new| new.digests().any(|kept| kept == digest));
            if let (false, Err(place)) = (goes_on, retired.digests.binary_search(&digest)) {
                retired.digests.insert(place, digest);
            }
        }
        (retired.digests.len() <= MAX_RETIRED_KEYS).then_some(retired)
    }
}

impl fmt::Debug for RetiredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetiredKeys").finish_non_exhaustive()
    }
}
