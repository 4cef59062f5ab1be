//! Keys and SSRCs that random sequences of calls choose from.

#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use proptest::collection::vec;
use proptest::prelude::*;
use srtp::HandoverKey;
use srtp::keying::{KeyEntry, KeySet, Mki, Parameters, Profile};

use crate::common::master;

pub(crate) const CM: Profile = Profile::AesCm128HmacSha1_80;

/// SSRCs of a sender.
const SSRCS: u32 = 5;

pub(crate) fn shared() -> HandoverKey {
    HandoverKey::new([0x77; 32])
}

pub(crate) fn mki(octet: u8) -> Mki {
    Mki::new(&[octet]).unwrap()
}

pub(crate) fn entry(octet: u8) -> KeyEntry {
    KeyEntry::new(master(CM, octet)).with_mki(mki(octet))
}

/// A key for a single SSRC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) ssrc: u32,
    /// The master key is that of all SSRCs once more, under another MKI.
    pub(crate) again: bool,
}

impl Own {
    pub(crate) fn entry(self, octet: u8) -> KeyEntry {
        let key = if self.again { octet } else { octet ^ OWN };
        let entry = KeyEntry::new(master(CM, key)).with_mki(mki(octet ^ OWN));
        entry.for_ssrc(self.ssrc)
    }
}

/// What tells the MKI of a single SSRC's key from that of all others.
pub(crate) const OWN: u8 = 0x80;

/// One key for every SSRC, or also one for a single SSRC.
pub(crate) fn set(octet: u8, own: Option<Own>) -> KeySet {
    let mut entries = vec![entry(octet)];
    entries.extend(own.map(|own| own.entry(octet)));
    KeySet::new(CM, Parameters::default(), entries).unwrap()
}

pub(crate) fn report(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0; 20]);
    packet
}

pub(crate) fn ssrcs() -> impl Strategy<Value = u32> {
    0..SSRCS
}

/// SSRCs that are named where a session is resumed, with the ROC that they begin at.
pub(crate) fn named() -> impl Strategy<Value = Vec<(u32, u32)>> {
    vec((ssrcs(), 0..4_u32), 0..3)
}
