//! What must hold over every sequence of calls: no keystream serves twice, no packet is accepted
//! twice, none that is genuine is lost. Self-consistency, by random sequences.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail this way"
)]

mod common;

extern crate alloc;

use alloc::collections::BTreeMap;
use common::{Seeded, master, protect, protect_report, rtp, state, unprotect, unprotect_report};
use proptest::collection::vec;
use proptest::prelude::*;
use srtp::keying::{KeyEntry, KeySet, Mki, Parameters, Profile};
use srtp::{
    Builder, HandoverKey, HandoverKeys, IndexSkip, MIN_REPLAY_WINDOW, ProtectError, Receiver,
    Rekey, Sender,
};
use std::collections::HashSet;

const CM: Profile = Profile::AesCm128HmacSha1_80;

/// SSRCs that the sequences choose from, and streams that a sender may have.
const SSRCS: u32 = 5;
const STREAMS: usize = 3;

fn shared() -> HandoverKey {
    HandoverKey::new([0x77; 32])
}

fn mki(octet: u8) -> Mki {
    Mki::new(&[octet]).unwrap()
}

fn entry(octet: u8) -> KeyEntry {
    KeyEntry::new(master(CM, octet)).with_mki(mki(octet))
}

/// One key for every SSRC, or also one for a single SSRC.
fn set(octet: u8, own: Option<u32>) -> KeySet {
    let mut entries = vec![entry(octet)];
    if let Some(ssrc) = own {
        entries.push(entry(octet ^ 0x80).for_ssrc(ssrc));
    }
    KeySet::new(CM, Parameters::default(), entries).unwrap()
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0; 20]);
    packet
}

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
        own: Option<u32>,
    },
    AddKey {
        key: u8,
        own: Option<u32>,
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
    },
}

fn ssrcs() -> impl Strategy<Value = u32> {
    0..SSRCS
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

fn own() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![4 => Just(None), 1 => ssrcs().prop_map(Some)]
}

fn acts() -> impl Strategy<Value = Act> {
    let key = || 1..7_u8;
    prop_oneof![
        30 => (ssrcs(), steps()).prop_map(|(ssrc, step)| Act::Rtp { ssrc, step }),
        10 => ssrcs().prop_map(|ssrc| Act::Rtcp { ssrc }),
        3 => (key(), any::<bool>(), own()).prop_map(|(key, reset, own)| Act::Rekey { key, reset, own }),
        3 => (key(), own()).prop_map(|(key, own)| Act::AddKey { key, own }),
        3 => key().prop_map(|key| Act::UseKey { key }),
        2 => key().prop_map(|key| Act::RemoveKey { key }),
        4 => ssrcs().prop_map(|ssrc| Act::Remove { ssrc }),
        1 => Just(Act::RemoveIdle),
        2 => (ssrcs(), 0..4_u32).prop_map(|(ssrc, roc)| Act::SetRoc { ssrc, roc }),
        1 => vec(ssrcs(), 1..3).prop_map(|ssrcs| Act::SplitOff { ssrcs }),
        3 => (vec((ssrcs(), 1..3000_u32), 0..6), vec(ssrcs(), 0..6), 0..3_u32, any::<bool>())
            .prop_map(|(rtp, rtcp, spare, keys)| Act::HandOver { rtp, rtcp, spare, keys }),
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
    Builder::<Sender>::resume(&octets, &shared(), None, skip)
        .unwrap()
        .build()
        .unwrap()
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
            let entry = own.map_or_else(|| entry(*key), |ssrc| entry(*key).for_ssrc(ssrc));
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
        } => {
            let sender = senders.swap_remove(at);
            let (rtp, rtcp) = if *any {
                (&rtp[..], &rtcp[..])
            } else {
                (&[][..], &[][..])
            };
            senders.push(hand_over(sender, keys, (rtp, rtcp, *spare)));
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

/// What happens next to a call whose packets are lost, delayed and doubled on their way.
#[derive(Clone, Debug)]
enum Step {
    Send {
        ssrc: u32,
        rtcp: bool,
        lost: bool,
        delays: Vec<u16>,
    },
    Rekey,
    HandOverSender,
    HandOverReceiver,
}

fn calls() -> impl Strategy<Value = Step> {
    let delays = || vec(0..MOST_DELAY, 1..3);
    let send = (0..2_u32, 0..8_u8, 0..10_u8, delays());
    prop_oneof![
        60 => send.prop_map(|(ssrc, rtcp, lost, delays)| {
            Step::Send { ssrc, rtcp: rtcp == 0, lost: lost == 0, delays }
        }),
        2 => Just(Step::Rekey),
        1 => Just(Step::HandOverSender),
        1 => Just(Step::HandOverReceiver),
    ]
}

/// Packets by which another may be overtaken: what the smallest window forgives.
const MOST_DELAY: u16 = 30;

/// One of possibly several copies of a packet.
struct Packet {
    number: usize,
    rtcp: bool,
    protected: Vec<u8>,
    plain: Vec<u8>,
}

/// A sender, a receiver, and the packets between them.
struct Call {
    sender: Sender,
    receiver: Receiver,
    mki: bool,
    /// By the packet that they arrive after.
    under_way: BTreeMap<usize, Vec<Packet>>,
    seqs: [u16; 2],
    begun: HashSet<(u32, bool)>,
    sent: usize,
    opened: HashSet<usize>,
    arrived: HashSet<usize>,
    key: u8,
}

impl Call {
    fn new(profile: Profile, mki: bool, seqs: [u16; 2]) -> Self {
        let set = |octet| Self::set(profile, mki, octet);
        let sender = Builder::new(set(1)).replay_window(MIN_REPLAY_WINDOW);
        let receiver = Builder::new(set(1)).replay_window(MIN_REPLAY_WINDOW);
        Self {
            sender: sender.build().unwrap(),
            receiver: receiver.build().unwrap(),
            mki,
            under_way: BTreeMap::new(),
            seqs,
            begun: HashSet::new(),
            sent: 0,
            opened: HashSet::new(),
            arrived: HashSet::new(),
            key: 1,
        }
    }

    fn set(profile: Profile, with_mki: bool, octet: u8) -> KeySet {
        let mut entry = KeyEntry::new(master(profile, octet));
        if with_mki {
            entry = entry.with_mki(mki(octet));
        }
        KeySet::new(profile, Parameters::default(), vec![entry]).unwrap()
    }

    fn step(&mut self, step: &Step) {
        let profile = self.sender.profile();
        match step {
            Step::Send {
                ssrc,
                rtcp,
                lost,
                delays,
            } => {
                self.send(*ssrc, *rtcp, *lost, delays);
                self.arrive(self.sent);
            }
            Step::Rekey => {
                self.key += 1;
                let set = Self::set(profile, self.mki, self.key);
                self.receiver.rekey(&set, Rekey::KeepRoc, 64).unwrap();
                self.sender.rekey(&set, Rekey::KeepRoc).unwrap();
            }
            Step::HandOverSender => {
                let octets = self
                    .sender
                    .export(&shared(), HandoverKeys::Included, &mut Seeded(1));
                let relay = IndexSkip { srtp: 0, srtcp: 0 };
                let resumed = Builder::<Sender>::resume(&octets, &shared(), None, relay);
                self.sender = resumed.unwrap().build().unwrap();
            }
            Step::HandOverReceiver => {
                let octets = state(&self.receiver);
                let resumed =
                    Builder::<Receiver>::resume(&octets, &HandoverKey::new([9; 32]), None);
                self.receiver = resumed.unwrap().build().unwrap();
                assert_eq!(state(&self.receiver), octets);
            }
        }
    }

    fn send(&mut self, ssrc: u32, rtcp: bool, lost: bool, delays: &[u16]) {
        let (plain, protected) = if rtcp {
            let plain = report(ssrc);
            let protected = protect_report(&mut self.sender, &plain).unwrap();
            (plain, protected)
        } else {
            let seq = &mut self.seqs[usize::try_from(ssrc).unwrap()];
            *seq = seq.wrapping_add(1);
            let plain = rtp(ssrc, *seq, &self.sent.to_be_bytes());
            let protected = protect(&mut self.sender, &plain).unwrap();
            (plain, protected)
        };
        self.sent += 1;
        // RFC 3711 3.3.1: the first packet that arrives is taken to have the first ROC.
        let first = self.begun.insert((ssrc, rtcp));
        for (copy, delay) in delays.iter().enumerate() {
            let at_once = first && copy == 0;
            if at_once || !lost {
                let due = self.sent + if at_once { 0 } else { usize::from(*delay) };
                let packet = Packet {
                    number: self.sent,
                    rtcp,
                    protected: protected.clone(),
                    plain: plain.clone(),
                };
                self.under_way.entry(due).or_default().push(packet);
            }
        }
    }

    /// Opens everything that is due.
    fn arrive(&mut self, now: usize) {
        let later = self.under_way.split_off(&(now + 1));
        let due = core::mem::replace(&mut self.under_way, later);
        for packet in due.into_values().flatten() {
            let number = packet.number;
            self.arrived.insert(number);
            let opened = if packet.rtcp {
                unprotect_report(&mut self.receiver, &packet.protected)
            } else {
                unprotect(&mut self.receiver, &packet.protected)
            };
            if self.opened.insert(number) {
                assert_eq!(opened, Ok(packet.plain), "packet {number} was lost");
            } else {
                assert!(opened.is_err(), "packet {number} was opened twice");
            }
        }
    }
}

/// Which packets a receiver is given when, and what is done to it in between.
#[derive(Clone, Debug)]
enum Attack {
    Send { ssrc: u32, step: u16, rtcp: bool },
    Deliver { packet: prop::sample::Index },
    Rekey { reset: bool, grace: u32 },
    DropOldKeys,
    Remove { ssrc: u32 },
    RemoveIdle,
    SetRoc { ssrc: u32, ahead: u32 },
    HandOver,
}

fn attacks() -> impl Strategy<Value = Attack> {
    let grace = || prop_oneof![Just(0), 1..20_u32, Just(100_000)];
    let step = || prop_oneof![8 => 1..4_u16, 1 => 20_000..32_000_u16];
    prop_oneof![
        20 => (0..3_u32, step(), any::<bool>())
            .prop_map(|(ssrc, step, rtcp)| Attack::Send { ssrc, step, rtcp }),
        40 => any::<prop::sample::Index>().prop_map(|packet| Attack::Deliver { packet }),
        2 => (any::<bool>(), grace()).prop_map(|(reset, grace)| Attack::Rekey { reset, grace }),
        1 => Just(Attack::DropOldKeys),
        3 => (0..3_u32).prop_map(|ssrc| Attack::Remove { ssrc }),
        1 => Just(Attack::RemoveIdle),
        2 => (0..3_u32, 0..2_u32).prop_map(|(ssrc, ahead)| Attack::SetRoc { ssrc, ahead }),
        3 => Just(Attack::HandOver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn req_agw_06_every_packet_opens_once_over_loss_reordering_rekeying_and_hand_over(
        profile in prop_oneof![Just(CM), Just(Profile::AeadAes128Gcm)],
        mki in any::<bool>(),
        seqs in any::<[u16; 2]>(),
        steps in vec(calls(), 1..300),
    ) {
        let mut call = Call::new(profile, mki, seqs);
        for step in &steps {
            call.step(step);
        }
        call.arrive(usize::MAX - 1);
        prop_assert_eq!(&call.opened, &call.arrived);
    }

    #[test]
    fn req_agw_04_no_packet_opens_twice_whatever_is_done_to_the_receiver(
        with_mki in any::<bool>(),
        attacks in vec(attacks(), 1..300),
    ) {
        let mut call = Call::new(CM, with_mki, [0, 0]);
        let mut seqs = [100_u16, 65_000, 40_000];
        let mut packets = Vec::<(bool, Vec<u8>)>::new();
        let mut opened = HashSet::new();
        for attack in &attacks {
            let Call {
                sender,
                receiver,
                key,
                ..
            } = &mut call;
            match attack {
                Attack::Send { ssrc, step, rtcp: false } => {
                    let seq = &mut seqs[usize::try_from(*ssrc).unwrap()];
                    *seq = seq.wrapping_add(*step);
                    let packet = protect(sender, &rtp(*ssrc, *seq, b"")).unwrap();
                    packets.push((false, packet));
                }
                Attack::Send { ssrc, .. } => {
                    packets.push((true, protect_report(sender, &report(*ssrc)).unwrap()));
                }
                Attack::Deliver { .. } if packets.is_empty() => {}
                Attack::Deliver { packet } => {
                    let number = packet.index(packets.len());
                    let (rtcp, packet) = &packets[number];
                    let result = if *rtcp {
                        unprotect_report(receiver, packet)
                    } else {
                        unprotect(receiver, packet)
                    };
                    prop_assert!(result.is_err() || opened.insert(number), "opened twice");
                }
                Attack::Rekey { reset, grace } => {
                    *key += 1;
                    let set = Call::set(CM, with_mki, *key);
                    let rekey = if *reset { Rekey::ResetRoc } else { Rekey::KeepRoc };
                    receiver.rekey(&set, rekey, *grace).unwrap();
                    sender.rekey(&set, rekey).unwrap();
                }
                Attack::DropOldKeys => receiver.drop_old_keys(),
                Attack::Remove { ssrc } => {
                    let _ = receiver.remove_stream(*ssrc);
                }
                Attack::RemoveIdle => {
                    receiver.remove_idle_streams();
                }
                Attack::SetRoc { ssrc, ahead } => {
                    let roc = receiver.stream(*ssrc).map_or(0, |stream| stream.roc);
                    let _ = receiver.set_roc(*ssrc, roc + ahead);
                }
                Attack::HandOver => call.step(&Step::HandOverReceiver),
            }
        }
    }
}
