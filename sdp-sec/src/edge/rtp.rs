//! e2ae security for RTP with SDES (TS 23.334 §5.11.2.1): AVP(F) towards the core, SAVP(F) towards
//! the UE, and the Local and Remote cryptographic SDES attributes for the IMS-AGW.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use rand_core::CryptoRng;
use sdes::{
    Answer, Attribute, Change, LocalKey, Negotiated, Offer, Refused, RocOnNewKey,
    SecurityDescription, Transport,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::section::{Kind, MediaFacts};
use super::{Policy, Rekey};

/// An SRTP stream that an exchange has set up.
#[derive(Clone, Debug)]
pub(super) struct RtpLine {
    pub(super) keys: Arc<Negotiated>,
    /// The UE's transport.
    pub(super) transport: Vec<u8>,
}

impl RtpLine {
    /// Whether it has the same peer, with the same keys.
    pub(super) fn is_same_branch(&self, other: &Self) -> bool {
        self.transport == other.transport && self.keys.remote().repeats(other.keys.remote())
    }
}

/// Why the keys of a line could not be settled.
#[derive(Debug)]
pub(super) enum Fault {
    /// The stream is refused; it was not there before.
    Refused(Refused),
    /// The stream is there, and stays as it is.
    Frozen,
}

/// The UE's `a=crypto` lines of one m-line, and its transport.
#[derive(Clone)]
pub(super) struct UeCrypto {
    lines: Vec<Zeroizing<String>>,
    transport: Vec<u8>,
}

impl core::fmt::Debug for UeCrypto {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("UeCrypto").finish_non_exhaustive()
    }
}

impl UeCrypto {
    pub(super) fn read(media: &MediaFacts<'_>, transport: Vec<u8>) -> Self {
        let lines = media
            .facts
            .all(Kind::Crypto)
            // Not one more than is refused for its number.
            .take(sdes::limits::MAX_LINES_PER_MEDIA + 1)
            // What is no text is no valid line, but is counted as one.
            .map(|attribute| core::str::from_utf8(attribute.line().octets()).unwrap_or_default())
            .map(text)
            .collect();
        Self { lines, transport }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.as_str())
    }

    /// Whether an answer is possible at all, before the core is asked.
    pub(super) fn examine(&self, policy: &Policy) -> Result<(), Refused> {
        let mut first = None;
        for (position, line) in self.lines().enumerate() {
            match policy.sdes.examine(line) {
                Ok(_) => return Ok(()),
                Err(reason) => {
                    first.get_or_insert(Refused::NoneAcceptable {
                        line: position,
                        reason,
                    });
                }
            }
        }
        Err(first.unwrap_or(Refused::NoCrypto))
    }

    /// Whether the keys of the stream that is there would have to change, which the policy forbids;
    /// seen before the core is asked.
    pub(super) fn is_frozen_out(&self, held: &RtpLine, policy: &Policy) -> bool {
        let repeats = |line: &str| {
            let description = policy.sdes.examine(line);
            description.is_ok_and(|new| same_keys(&new, held.keys.remote()))
        };
        let stays = moved(held, &self.transport) == Transport::Unchanged;
        policy.rekey == Rekey::Refuse && !(stays && self.lines().any(repeats))
    }

    /// Selects a line and answers it (originating side): the one line for the UE, and the keys.
    pub(super) fn answer<R: CryptoRng + ?Sized>(
        &self,
        held: Option<&RtpLine>,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<(Zeroizing<String>, RtpLine, Option<Change>), Fault> {
        let Some(held) = held else {
            let (answer, keys) =
                Answer::to(self.lines(), &policy.sdes, rng).map_err(Fault::Refused)?;
            return Ok((text(answer.line()), self.line(keys), None));
        };
        let (answer, keys, change) = self.answer_again(held, policy, rng).ok_or(Fault::Frozen)?;
        Ok((
            text(answer.line()),
            self.line_after(held, keys),
            Some(change),
        ))
    }

    /// Takes the line that repeats the established key, wherever it stands among others.
    fn answer_again<R: CryptoRng + ?Sized>(
        &self,
        held: &RtpLine,
        policy: &Policy,
        rng: &mut R,
    ) -> Option<(Answer, Negotiated, Change)> {
        let peer = moved(held, &self.transport);
        if peer == Transport::Unchanged {
            for line in self.lines_with_own_tags() {
                let answered = held
                    .keys
                    .answer([line], peer, LocalKey::Keep, &policy.sdes, rng);
                if let Ok((answer, keys, change)) = answered
                    && unchanged(change)
                {
                    return Some((answer, keys, change));
                }
            }
        }
        if policy.rekey == Rekey::Refuse {
            return None;
        }
        let sdes = new_context(policy);
        held.keys
            .answer(self.lines(), peer, LocalKey::Renew, &sdes, rng)
            .ok()
    }

    /// The lines whose tags no other has.
    fn lines_with_own_tags(&self) -> impl Iterator<Item = &str> {
        let tag = |line: &str| Attribute::parse(line).ok().map(|attribute| attribute.tag());
        let tags: Vec<_> = self.lines().map(tag).collect();
        let mut sorted = tags.clone();
        sorted.sort_unstable();
        let is_own = move |tag: &Option<u32>| {
            let first = sorted.partition_point(|other| other < tag);
            sorted.get(first.saturating_add(1)) != Some(tag)
        };
        let own = self.lines().zip(tags).filter(move |(_, tag)| is_own(tag));
        own.map(|(line, _)| line)
    }

    fn line_after(&self, held: &RtpLine, keys: Negotiated) -> RtpLine {
        let mut line = self.line(keys);
        if is_nowhere(&line.transport) {
            line.transport.clone_from(&held.transport);
        }
        line
    }

    fn line(&self, keys: Negotiated) -> RtpLine {
        RtpLine {
            keys: Arc::new(keys),
            transport: self.transport.clone(),
        }
    }
}

/// What is offered to the UE for one m-line (terminating side).
pub(super) enum OwnCrypto {
    /// Fresh keys, a line for each suite.
    Fresh(Offer),
    /// The line of the established stream.
    Established(RtpLine),
}

impl core::fmt::Debug for OwnCrypto {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnCrypto").finish_non_exhaustive()
    }
}

impl OwnCrypto {
    pub(super) fn offer<R: CryptoRng + ?Sized>(
        held: Option<&RtpLine>,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Self, sdes::OfferError> {
        match held {
            Some(held) => Ok(Self::Established(held.clone())),
            None => Offer::new(&policy.sdes, rng).map(Self::Fresh),
        }
    }

    /// The lines for the UE.
    pub(super) fn lines<R: CryptoRng + ?Sized>(
        &self,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Vec<Zeroizing<String>>, sdes::OfferError> {
        Ok(match self {
            Self::Fresh(offer) => offer.lines().map(text).collect(),
            Self::Established(held) => {
                let offer = held.keys.reoffer(LocalKey::Keep, &policy.sdes, rng)?;
                offer.lines().map(text).collect()
            }
        })
    }

    /// What the IMS-AGW may be told at once: the only line (TS 23.334 §5.11.2.1).
    pub(super) fn only(&self) -> Option<&SecurityDescription> {
        match self {
            Self::Fresh(offer) => {
                let mut all = offer.descriptions();
                all.next().filter(|_| all.next().is_none())
            }
            Self::Established(held) => Some(held.keys.local()),
        }
    }

    /// Verifies the UE's answer: Local is the line of ours that it selected, Remote its own.
    pub(super) fn accept<R: CryptoRng + ?Sized>(
        &self,
        answer: &UeCrypto,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<(RtpLine, Option<Change>), Fault> {
        match self {
            Self::Fresh(offer) => {
                let keys = offer.accept(answer.lines()).map_err(Fault::Refused)?;
                Ok((answer.line(keys), None))
            }
            Self::Established(held) => {
                let sdes = new_context(policy);
                let offer = held
                    .keys
                    .reoffer(LocalKey::Keep, &sdes, rng)
                    .map_err(|_| Fault::Frozen)?;
                let peer = moved(held, &answer.transport);
                let (keys, change) = offer
                    .accept(answer.lines(), peer)
                    .map_err(|_| Fault::Frozen)?;
                if policy.rekey == Rekey::Refuse && !unchanged(change) {
                    return Err(Fault::Frozen);
                }
                Ok((answer.line_after(held, keys), Some(change)))
            }
        }
    }
}

fn same_keys(new: &SecurityDescription, old: &SecurityDescription) -> bool {
    let (a, b) = (new.keys().entries(), old.keys().entries());
    new.suite() == old.suite()
        && a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.mki() == b.mki() && bool::from(a.key().ct_eq(b.key())))
}

fn text(line: &str) -> Zeroizing<String> {
    Zeroizing::new(String::from(line))
}

fn moved(held: &RtpLine, transport: &[u8]) -> Transport {
    if held.transport == transport || is_nowhere(transport) || is_nowhere(&held.transport) {
        Transport::Unchanged
    } else {
        Transport::Changed
    }
}

/// Hold by an address to which nothing is sent: the UE has not moved (RFC 3264 §8.4).
fn is_nowhere(transport: &[u8]) -> bool {
    let end = transport.iter().position(|octet| *octet == b'\n');
    let line = end.and_then(|end| transport.get(..end)).unwrap_or_default();
    let Some(address) = core::str::from_utf8(line)
        .ok()
        .and_then(|line| line.split(' ').nth(2))
    else {
        return false;
    };
    // Behind a slash stand the time to live and the number of addresses.
    let address = address.split('/').next().unwrap_or_default();
    // Of IPv6, a name that leads nowhere may stand in the address's place (RFC 6157).
    let names_nowhere = address
        .rsplit('.')
        .next()
        .is_some_and(|top| top.eq_ignore_ascii_case("invalid"));
    names_nowhere
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_unspecified())
}

fn unchanged(change: Change) -> bool {
    let same = sdes::Rekey::Unchanged;
    change.inbound == same && change.outbound == same
}

fn new_context(policy: &Policy) -> sdes::Policy {
    policy.sdes.clone().with_roc_on_new_key(RocOnNewKey::Reset)
}
