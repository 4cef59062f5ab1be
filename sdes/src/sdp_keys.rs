use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;
use core::fmt;

use srtp::keying::KeySet;

use crate::{KeyDigest, Negotiated, Offer, Refused, SecurityDescription, limits::MAX_KEYS_PER_SDP};

/// The master keys of all media lines of one SDP session, of both sides: each must be unique
/// ([RFC 4568 §6.1], [§7.1.2]).
///
/// Let every media line of an offer and its answer pass one of these. A key may come back only for
/// the same media line and direction, as in a re-offer that changes nothing; so it may be kept for
/// the next exchange too, to find old keys in new places, as long as [`MAX_KEYS_PER_SDP`] suffices.
/// What is kept are [`KeyDigest`]s, not keys.
///
/// ```
/// use sdes::{Answer, Policy, Refused, SdpKeys};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// // A peer that offers the same key for audio and video.
/// let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
/// let (mut keys, policy) = (SdpKeys::new(), Policy::default());
///
/// let (answer, audio) = Answer::to([line], &policy, &mut rng)?;
/// keys.admit(0, &audio)?;
/// let (answer, video) = Answer::to([line], &policy, &mut rng)?;
/// assert_eq!(keys.admit(1, &video), Err(Refused::KeyReused));
/// # Ok::<(), Refused>(())
/// ```
///
/// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
/// [§7.1.2]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.2
#[derive(Clone, Default)]
pub struct SdpKeys {
    seen: BTreeMap<KeyDigest, Place>,
}

impl SdpKeys {
    /// No key yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            seen: BTreeMap::new(),
        }
    }

    /// Takes note of all keys that an offer has for the media line `media`.
    ///
    /// # Errors
    ///
    /// [`Refused::KeyReused`] or [`Refused::TooManyKeys`]; then none of them was noted.
    pub fn admit_offer(&mut self, media: usize, offer: &Offer) -> Result<(), Refused> {
        let lines = offer.descriptions();
        self.note(lines.flat_map(|line| places(media, Direction::Outbound, line)))
    }

    /// Takes note of the keys of both directions of the media line `media`.
    ///
    /// # Errors
    ///
    /// [`Refused::KeyReused`] or [`Refused::TooManyKeys`]: refuse the media line. None of its keys
    /// was noted.
    pub fn admit(&mut self, media: usize, negotiated: &Negotiated) -> Result<(), Refused> {
        let inbound = places(media, Direction::Inbound, negotiated.remote());
        let outbound = places(media, Direction::Outbound, negotiated.local());
        self.note(inbound.chain(outbound))
    }

    /// Takes note of the peer's keys alone, where several peers share the outbound key: the branches
    /// of a forked offer, or the participants that a focus sends to under a
    /// [`GroupKey`](crate::GroupKey). `peer` numbers them.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub fn admit_inbound(&mut self, peer: usize, negotiated: &Negotiated) -> Result<(), Refused> {
        self.note(places(peer, Direction::Inbound, negotiated.remote()))
    }

    fn note<'k>(&mut self, sets: impl Iterator<Item = (Place, &'k KeySet)>) -> Result<(), Refused> {
        let mut new = Vec::new();
        for (place, keys) in sets {
            for entry in keys.entries() {
                let digest = KeyDigest::of(entry.key());
                let full = self.seen.len() >= MAX_KEYS_PER_SDP;
                let refused = match self.seen.entry(digest) {
                    Entry::Occupied(seen) if *seen.get() == place => continue,
                    Entry::Occupied(_) => Refused::KeyReused,
                    Entry::Vacant(_) if full => Refused::TooManyKeys,
                    Entry::Vacant(free) => {
                        free.insert(place);
                        new.push(digest);
                        continue;
                    }
                };
                for digest in new {
                    self.seen.remove(&digest);
                }
                return Err(refused);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SdpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdpKeys").finish_non_exhaustive()
    }
}

/// Where a key belongs.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Place {
    media: usize,
    direction: Direction,
    stream: Stream,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Direction {
    Inbound,
    Outbound,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Stream {
    Fec,
    Media,
}

fn places(
    media: usize,
    direction: Direction,
    description: &SecurityDescription,
) -> impl Iterator<Item = (Place, &KeySet)> {
    let place = move |stream| Place {
        media,
        direction,
        stream,
    };
    core::iter::once((place(Stream::Media), description.keys())).chain(
        description
            .fec_keys()
            .map(move |keys| (place(Stream::Fec), keys)),
    )
}
