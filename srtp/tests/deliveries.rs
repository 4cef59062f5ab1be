//! What must hold over every sequence of deliveries to a receiver: no packet is accepted twice, none
//! that is genuine is lost. Self-consistency, by random sequences.

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
use common::{Seeded, master, protect, protect_report, rtp, state, unprotect, unprotect_report};
use proptest::collection::vec;
use proptest::prelude::*;
use sequence::{CM, OWN, Own, mki, named, report, set, shared};
use srtp::keying::{KeyEntry, KeySet, Parameters, Profile};
use srtp::{
    Builder, HandoverKey, HandoverKeys, IndexSkip, MIN_REPLAY_WINDOW, Receiver, Rekey, Sender,
};
use std::collections::HashSet;

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
    Send {
        ssrc: u32,
        step: u16,
        rtcp: bool,
    },
    Deliver {
        packet: prop::sample::Index,
        other_mki: bool,
    },
    Rekey {
        reset: bool,
        grace: u32,
        again: bool,
    },
    DropOldKeys,
    Remove {
        ssrc: u32,
    },
    RemoveIdle,
    SetRoc {
        ssrc: u32,
        ahead: u32,
    },
    HandOver {
        named: Vec<(u32, u32)>,
    },
}

fn attacks() -> impl Strategy<Value = Attack> {
    let grace = || prop_oneof![Just(0), 1..20_u32, Just(100_000)];
    let step = || prop_oneof![8 => 1..4_u16, 1 => 20_000..32_000_u16];
    prop_oneof![
        20 => (0..3_u32, step(), any::<bool>())
            .prop_map(|(ssrc, step, rtcp)| Attack::Send { ssrc, step, rtcp }),
        40 => (any::<prop::sample::Index>(), prop_oneof![5 => Just(false), 1 => Just(true)])
            .prop_map(|(packet, other_mki)| Attack::Deliver { packet, other_mki }),
        2 => (any::<bool>(), grace(), any::<bool>())
            .prop_map(|(reset, grace, again)| Attack::Rekey { reset, grace, again }),
        1 => Just(Attack::DropOldKeys),
        3 => (0..3_u32).prop_map(|ssrc| Attack::Remove { ssrc }),
        1 => Just(Attack::RemoveIdle),
        2 => (0..3_u32, 0..2_u32).prop_map(|(ssrc, ahead)| Attack::SetRoc { ssrc, ahead }),
        3 => named().prop_map(|named| Attack::HandOver { named }),
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
                Attack::Deliver { packet, other_mki } => {
                    let number = packet.index(packets.len());
                    let (rtcp, mut packet) = packets[number].clone();
                    if with_mki && *other_mki {
                        // No tag is over the MKI, which may name the same master key as another.
                        let at = packet.len() - CM.srtp_tag_len() - 1;
                        packet[at] ^= OWN;
                    }
                    let result = if rtcp {
                        unprotect_report(receiver, &packet)
                    } else {
                        unprotect(receiver, &packet)
                    };
                    prop_assert!(result.is_err() || opened.insert(number), "opened twice");
                }
                Attack::Rekey { reset, grace, again } => {
                    *key += 1;
                    let own = Own { ssrc: 1, again: true };
                    let set = if with_mki && *again {
                        set(*key, Some(own))
                    } else {
                        Call::set(CM, with_mki, *key)
                    };
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
                Attack::HandOver { named } => {
                    let octets = state(receiver);
                    let key = HandoverKey::new([9; 32]);
                    let resumed = Builder::<Receiver>::resume(&octets, &key, None).unwrap();
                    let naming = |builder: Builder<Receiver>, (ssrc, roc): &(u32, u32)| {
                        builder.ssrc(*ssrc, *roc)
                    };
                    *receiver = named.iter().fold(resumed, naming).build().unwrap();
                }
            }
        }
    }
}
