//! What must hold over every sequence of calls of senders: no keystream serves twice.
//! Self-consistency, by random sequences.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail this way"
)]

mod common;
mod sequence;

extern crate alloc;

use alloc::collections::BTreeMap;
use common::{Seeded, protect, protect_report, rtp, unprotect_report};
use proptest::collection::vec;
use proptest::prelude::*;
use sequence::{OWN, Own, entry, mki, named, report, set, shared, ssrcs};
use srtp::keying::Profile;
use srtp::{Builder, HandoverKeys, IndexSkip, ProtectError, Rekey, Sender};
use std::collections::HashSet;

/// Streams that a sender may have.
const STREAMS: usize = 3;

/// What a sender is told to do; numbers are reduced to what there is.
#[derive(Clone, Debug)]
enum Act {
    /// Protects a packet whose sequence number lies `step` behind the highest.
    Rtp {
        ssrc: u32,
        step: i32,
    },
    Rtcp {
        ssrc: u32,
    },
    Rekey {
        key: u8,
        reset: bool,
        own: Option<Own>,
    },
    AddKey {
        key: u8,
        own: Option<Own>,
    },
    UseKey {
        key: u8,
    },
    RemoveKey {
        key: u8,
    },
    Remove {
        ssrc: u32,
    },
    RemoveIdle,
    SetRoc {
        ssrc: u32,
        roc: u32,
    },
    SplitOff {
        ssrcs: Vec<u32>,
    },
    /// Another node goes on; this one had sent that much since it was exported.
    HandOver {
        rtp: Vec<(u32, u32)>,
        rtcp: Vec<u32>,
        spare: u32,
        keys: bool,
        named: Vec<(u32, u32)>,
    },
}

fn steps() -> impl Strategy<Value = i32> {
    prop_oneof![
        12 => 1..3_i32,
        4 => -140..140_i32,
        2 => prop_oneof![Just(0_i32), Just(32_767), Just(32_768), Just(-32_768), Just(65_536)],
        2 => 20_000..32_768_i32,
        1 => any::<i16>().prop_map(i32::from),
    ]
}

fn own() -> impl Strategy<Value = Option<Own>> {
    let own = (ssrcs(), any::<bool>()).prop_map(|(ssrc, again)| Own { ssrc, again });
    prop_oneof![3 => Just(None), 1 => own.prop_map(Some)]
}

fn acts() -> impl Strategy<Value = Act> {
    let key = || 1..7_u8;
    prop_oneof![
        30 => (ssrcs(), steps()).prop_map(|(ssrc, step)| Act::Rtp { ssrc, step }),
        10 => ssrcs().prop_map(|ssrc| Act::Rtcp { ssrc }),
        3 => (key(), any::<bool>(), own()).prop_map(|(key, reset, own)| Act::Rekey { key, reset, own }),
        3 => (key(), own()).prop_map(|(key, own)| Act::AddKey { key, own }),
        3 => (key(), prop_oneof![2 => Just(0), 1 => Just(OWN)])
            .prop_map(|(key, own)| Act::UseKey { key: key ^ own }),
        2 => (key(), prop_oneof![2 => Just(0), 1 => Just(OWN)])
            .prop_map(|(key, own)| Act::RemoveKey { key: key ^ own }),
        4 => ssrcs().prop_map(|ssrc| Act::Remove { ssrc }),
        1 => Just(Act::RemoveIdle),
        2 => (ssrcs(), 0..4_u32).prop_map(|(ssrc, roc)| Act::SetRoc { ssrc, roc }),
        1 => vec(ssrcs(), 1..3).prop_map(|ssrcs| Act::SplitOff { ssrcs }),
        3 => (vec((ssrcs(), 1..3000_u32), 0..6), vec(ssrcs(), 0..6), 0..3_u32, any::<bool>(), named())
            .prop_map(|(rtp, rtcp, spare, keys, named)| Act::HandOver { rtp, rtcp, spare, keys, named }),
    ]
}

/// Every keystream that was seen, over all senders.
#[derive(Default)]
struct Keystreams {
    seen: HashSet<Vec<u8>>,
    packets: usize,
}

impl Keystreams {
    /// The plaintext is all zeros, so that the ciphertext is the keystream of key, SSRC and index.
    fn note(&mut self, ciphertext: &[u8]) {
        self.packets += 1;
        assert!(
            self.seen.insert(ciphertext.to_vec()),
            "a keystream served twice"
        );
    }

    fn rtp(&mut self, sender: &mut Sender, ssrc: u32, seq: u16) -> bool {
        let protected = protect(sender, &rtp(ssrc, seq, &[0; 16]));
        protected.is_ok_and(|packet| {
            self.note(&packet[12..28]);
            true
        })
    }

    fn rtcp(&mut self, sender: &mut Sender, ssrc: u32) -> bool {
        let protected = protect_report(sender, &report(ssrc));
        protected.is_ok_and(|packet| {
            self.note(&packet[8..24]);
            true
        })
    }
}

/// The sequence number that lies `step` behind the highest of the stream.
fn next_seq(sender: &Sender, ssrc: u32, step: i32) -> u16 {
    let latest = sender.stream(ssrc).and_then(|stream| stream.seq);
    let start = 65_500 + 17 * i32::try_from(ssrc).unwrap();
    let seq = latest.map_or(start, i32::from) + step;
    u16::try_from(seq.rem_euclid(65_536)).unwrap()
}

/// The session goes on elsewhere. What the old node sends after the export is at most the skip: it
/// goes on in streams that it has, forward only, and with the ROC they have.
fn hand_over(
    mut sender: Sender,
    keys: &mut Keystreams,
    (rtp, rtcp, spare): (&[(u32, u32)], &[u32], u32),
    named: &[(u32, u32)],
) -> Sender {
    let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
    let mut sent = BTreeMap::<u32, u64>::new();
    let mut reports = BTreeMap::<u32, u32>::new();
    for &(ssrc, step) in rtp {
        let begun = sender
            .stream(ssrc)
            .is_some_and(|stream| stream.seq.is_some());
        let seq = next_seq(&sender, ssrc, i32::try_from(step).unwrap());
        if begun && keys.rtp(&mut sender, ssrc, seq) {
            *sent.entry(ssrc).or_default() += u64::from(step);
        }
    }
    for &ssrc in rtcp {
        if keys.rtcp(&mut sender, ssrc) {
            *reports.entry(ssrc).or_default() += 1;
        }
    }
    let skip = IndexSkip {
        srtp: sent
            .values()
            .max()
            .map_or(0, |most| most + u64::from(spare)),
        srtcp: reports.values().max().map_or(0, |most| most + spare),
    };
    let resume = || Builder::<Sender>::resume(&octets, &shared(), None, skip).unwrap();
    let naming = |builder: Builder<Sender>, (ssrc, roc): &(u32, u32)| builder.ssrc(*ssrc, *roc);
    let with_names = named.iter().fold(resume(), naming).build();
    // Those that another sender serves are refused, and those that there is no room for.
    with_names.unwrap_or_else(|_| resume().build().unwrap())
}

/// Does as told, whatever comes of it; a refusal is as good as an answer.
fn perform(senders: &mut Vec<Sender>, at: usize, act: &Act, keys: &mut Keystreams) {
    let sender = &mut senders[at];
    match act {
        Act::Rtp { ssrc, step } => {
            let seq = next_seq(sender, *ssrc, *step);
            keys.rtp(sender, *ssrc, seq);
        }
        Act::Rtcp { ssrc } => {
            keys.rtcp(sender, *ssrc);
        }
        Act::Rekey { key, reset, own } => {
            let rekey = if *reset {
                Rekey::ResetRoc
            } else {
                Rekey::KeepRoc
            };
            let _ = sender.rekey(&set(*key, *own), rekey);
        }
        Act::AddKey { key, own } => {
            let entry = own.map_or_else(|| entry(*key), |own| own.entry(*key));
            let _ = sender.add_key(entry);
        }
        Act::UseKey { key } => {
            let _ = sender.use_key(&mki(*key));
        }
        Act::RemoveKey { key } => {
            let _ = sender.remove_key(&mki(*key));
        }
        Act::Remove { ssrc } => {
            let _ = sender.remove_stream(*ssrc);
        }
        Act::RemoveIdle => {
            sender.remove_idle_streams();
        }
        Act::SetRoc { ssrc, roc } => {
            let _ = sender.set_roc(*ssrc, *roc);
        }
        Act::SplitOff { ssrcs } => {
            if let Ok(away) = sender.split_off(ssrcs) {
                senders.push(away);
            }
        }
        Act::HandOver {
            rtp,
            rtcp,
            spare,
            keys: any,
            named,
        } => {
            let sender = senders.swap_remove(at);
            let (rtp, rtcp) = if *any {
                (&rtp[..], &rtcp[..])
            } else {
                (&[][..], &[][..])
            };
            senders.push(hand_over(sender, keys, (rtp, rtcp, *spare), named));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn req_cs_04_no_keystream_serves_twice(acts in vec((any::<prop::sample::Index>(), acts()), 1..200)) {
        let builder = Builder::new(set(1, None)).any_ssrc(STREAMS);
        let mut senders: Vec<Sender> = vec![builder.build().unwrap()];
        let mut keys = Keystreams::default();
        for (at, act) in &acts {
            let at = at.index(senders.len());
            perform(&mut senders, at, act, &mut keys);
        }
        prop_assert_eq!(keys.seen.len(), keys.packets);
    }
}

/// RFC 3711 3.4, RFC 7714 9.4: 2^31 reports, then a new key.
#[test]
fn the_srtcp_index_ends_and_does_not_wrap() {
    for &profile in Profile::ALL {
        let (mut sender, mut receiver) = common::pair(profile);
        protect_report(&mut sender, &report(1)).unwrap();
        let octets = sender.export(&shared(), HandoverKeys::Included, &mut Seeded(1));
        let skip = IndexSkip {
            srtp: 0,
            srtcp: (1 << 31) - 2,
        };
        let resumed = Builder::<Sender>::resume(&octets, &shared(), None, skip).unwrap();
        let mut sender: Sender = resumed.allow_unprotected().build().unwrap();
        let last = protect_report(&mut sender, &report(1)).unwrap();
        assert_eq!(unprotect_report(&mut receiver, &last), Ok(report(1)));
        let index = receiver.stream(1).unwrap().srtcp_index;
        assert_eq!(index, Some((1 << 31) - 1));
        let refused = protect_report(&mut sender, &report(1)).unwrap_err();
        let ended = [ProtectError::IndexExhausted, ProtectError::KeyExpired];
        assert!(ended.contains(&refused), "{profile:?} {refused:?}");
    }
}
