use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use srtp::keying::{KeySet, MasterKey};
use subtle::ConstantTimeEq;

use crate::{Negotiated, Offer, Refused, SecurityDescription, limits::MAX_KEYS_PER_SDP};

/// The master keys of all media lines of one SDP session, of both sides: each must be unique
/// ([RFC 4568 §6.1], [§7.1.2]).
///
/// Let every media line of an offer and its answer pass one of these. A key may come back only for
/// the same media line and direction, as in a re-offer that changes nothing; so it may be kept for
/// the next exchange too, to find old keys in new places, as long as [`MAX_KEYS_PER_SDP`] suffices.
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
#[derive(Default)]
pub struct SdpKeys {
    // Boxed, so that a growing list leaves no keys behind in the memory it gives back.
    seen: Vec<(Place, Box<MasterKey>)>,
}

impl SdpKeys {
    /// No key yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { seen: Vec::new() }
    }

    /// Takes note of all keys that an offer has for the media line `media`.
    ///
    /// # Errors
    ///
    /// [`Refused::KeyReused`] or [`Refused::TooManyKeys`]; then none of them was noted.
    pub fn admit_offer(&mut self, media: usize, offer: &Offer) -> Result<(), Refused> {
        let lines = offer.descriptions();
        let sets = lines.flat_map(|line| places(media, Direction::Outbound, line));
        self.note(&sets.collect::<Vec<_>>())
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
        self.note(&inbound.chain(outbound).collect::<Vec<_>>())
    }

    /// Takes note of the peer's keys alone, where several peers share the outbound key: the branches
    /// of a forked offer, or the participants that a focus sends to under a
    /// [`GroupKey`](crate::GroupKey). `peer` numbers them.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub fn admit_inbound(&mut self, peer: usize, negotiated: &Negotiated) -> Result<(), Refused> {
        self.note(&places(peer, Direction::Inbound, negotiated.remote()).collect::<Vec<_>>())
    }

    fn note(&mut self, sets: &[(Place, &KeySet)]) -> Result<(), Refused> {
        let already_seen = self.seen.len();
        for (place, keys) in sets {
            for entry in keys.entries() {
                if let Err(refused) = self.note_key(*place, entry.key()) {
                    self.seen.truncate(already_seen);
                    return Err(refused);
                }
            }
        }
        Ok(())
    }

    fn note_key(&mut self, place: Place, key: &MasterKey) -> Result<(), Refused> {
        let mut known = false;
        for (seen_place, seen) in &self.seen {
            if bool::from(seen.ct_eq(key)) {
                if *seen_place != place {
                    return Err(Refused::KeyReused);
                }
                known = true;
            }
        }
        if known {
            return Ok(());
        }
        if self.seen.len() == MAX_KEYS_PER_SDP {
            return Err(Refused::TooManyKeys);
        }
        self.seen.push((place, Box::new(key.duplicate())));
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
