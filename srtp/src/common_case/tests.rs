//! Self-consistency: the short way against the long one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod examples;

use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;

use bytes::BytesMut;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};

use crate::builder::Direction;
use crate::keying::{
    KeyDerivationRate, KeyEntry, KeySet, Lifetime, MasterKey, Mki, Parameters, Profile,
    RocTransport, RocTransportMode, Validity,
};
use crate::{
    Backend, Builder, Cryptex, HandoverKey, HandoverKeys, IndexSkip, Receiver, Rekey, Sender,
};

const SSRCS: [u32; 2] = [1, 2];

/// What may keep all packets of a session from the short way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Common,
    /// But for a key that ends.
    FromTo,
    Mki,
    Periods,
    Unencrypted,
    Unauthenticated,
    RocTransport(RocTransportMode),
    Cryptex,
    Elements,
    RocAlwaysZero,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    form: Form,
    profile: Profile,
    backend: Backend,
    packets: u64,
}

/// The first octet, and the "defined by profile" field of an extension.
type Shape = (u8, [u8; 2]);

/// With an element 1, and Cryptex's.
const ELEMENTS: [u8; 2] = [0xbe, 0xde];
const CRYPTEX: [u8; 2] = [0xc0, 0xde];

const SHAPES: [Shape; 5] = [
    (0x90, ELEMENTS),
    (0x90, CRYPTEX),
    (0x81, ELEMENTS),
    (0xb2, ELEMENTS),
    (0, ELEMENTS),
];

#[derive(Clone, Copy, Debug)]
struct Packets {
    stream: usize,
    step: i16,
    shape: Shape,
    payload: usize,
    count: usize,
    how: How,
    damaged: Option<usize>,
    reversed: bool,
}

/// How the packets of one step go the short way.
#[derive(Clone, Copy, Debug)]
enum How {
    Single,
    /// With so much room behind the packet.
    InPlace(usize),
    Batch,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Packets(Packets),
    Report(usize),
    Rekey(Rekey, u32),
    DropOldKeys,
    /// A key for one SSRC, beside what there is for any.
    AddKey(usize),
    UseNewKey,
    Remove(usize),
    RemoveIdle,
    SetRoc(usize, u32),
    HandOver,
    SplitOff(usize),
}

struct Fixed;

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(4)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(4)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        octets.fill(4);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

impl Kind {
    fn entry(self, octet: u8) -> KeyEntry {
        let profile = self.profile;
        let (key, salt) = ([octet; 32], [9; 14]);
        let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
        let entry = KeyEntry::new(MasterKey::new(profile, key, salt).unwrap());
        let entry = entry.with_lifetime(Lifetime::new(self.packets).unwrap());
        match self.form {
            Form::FromTo => entry.with_validity(Validity::new(0, 65_550).unwrap()),
            Form::Mki => entry.with_mki(Mki::new(&[octet]).unwrap()),
            _ => entry,
        }
    }

    fn keys(self, octet: u8) -> KeySet {
        let mut parameters = Parameters::default();
        match self.form {
            Form::Periods => parameters.srtp_kdr = KeyDerivationRate::power_of_two(4).unwrap(),
            Form::Unencrypted => parameters.unencrypted_srtp = true,
            Form::Unauthenticated => parameters.unauthenticated_srtp = true,
            Form::RocTransport(mode) => {
                parameters.roc_transport = Some(
                    RocTransport::new(
                        mode,
                        3,
                        if mode == RocTransportMode::Mode3 {
                            4
                        } else {
                            14
                        },
                    )
                    .unwrap(),
                );
            }
            _ => {}
        }
        KeySet::new(self.profile, parameters, [self.entry(octet)].into()).unwrap()
    }

    fn settings<D: Direction>(self, builder: Builder<D>) -> Builder<D> {
        let builder = builder
            .soft_limit(20)
            .backend(self.backend)
            .allow_unprotected();
        match self.form {
            Form::Cryptex => builder.cryptex(Cryptex::Enabled),
            Form::Elements => builder.encrypted_header_extensions(&[1]),
            _ => builder,
        }
    }

    fn sender(self, builder: Builder<Sender>) -> Sender {
        let builder = self.settings(builder);
        match self.form {
            Form::RocAlwaysZero => builder.roc_always_zero(),
            _ => builder,
        }
        .build()
        .unwrap()
    }
}

/// Both ends of a call, by the short way where there is one, or by the long way alone, with nothing
/// remembered of where keys are.
struct Ends {
    kind: Kind,
    short: bool,
    sender: Sender,
    receiver: Receiver,
}

impl Ends {
    fn new(kind: Kind, short: bool) -> Self {
        let sender = kind.sender(Builder::new(kind.keys(0)).any_ssrc(2));
        let receiver = kind.settings(Builder::new(kind.keys(0)).any_ssrc(2));
        Self {
            kind,
            short,
            sender,
            receiver: receiver.build().unwrap(),
        }
        .checked()
    }

    fn checked(self) -> Self {
        let common = [&self.sender.session, &self.receiver.session];
        let common = common.map(|session| session.settings.common);
        let plain = matches!(self.kind.form, Form::Common | Form::FromTo);
        // Only the sender knows that its ROC stays at zero.
        let zero = self.kind.form == Form::RocAlwaysZero;
        assert_eq!(common, [plain, plain || zero]);
        self
    }

    /// Before each step, since keys begin anew here and there.
    fn go_the_long_way(&mut self) {
        for session in [&mut self.sender.session, &mut self.receiver.session] {
            session.settings.common = false;
            session.keys.keep_no_routes();
        }
    }

    /// Everything that decides what becomes of later packets, and the statistics.
    fn state(&mut self) -> impl PartialEq + core::fmt::Debug + use<> {
        let key = HandoverKey::new([1; 32]);
        let mut events = Vec::new();
        events.extend(core::iter::from_fn(|| self.sender.poll_event()));
        events.extend(core::iter::from_fn(|| self.receiver.poll_event()));
        (
            self.sender.export(&key, HandoverKeys::Included, &mut Fixed),
            self.receiver
                .export(&key, HandoverKeys::Included, &mut Fixed),
            SSRCS.map(|ssrc| (self.sender.stream(ssrc), self.receiver.stream(ssrc))),
            self.receiver.unmatched(),
            events,
        )
    }

    fn hand_over(self) -> Self {
        let (kind, short) = (self.kind, self.short);
        let key = HandoverKey::new([1; 32]);
        let octets = self.sender.export(&key, HandoverKeys::Included, &mut Fixed);
        let skip = IndexSkip { srtp: 0, srtcp: 5 };
        let sender = kind.sender(Builder::<Sender>::resume(&octets, &key, None, skip).unwrap());
        let octets = self
            .receiver
            .export(&key, HandoverKeys::Included, &mut Fixed);
        let builder = Builder::<Receiver>::resume(&octets, &key, None).unwrap();
        Self {
            kind,
            short,
            sender,
            receiver: kind.settings(builder).build().unwrap(),
        }
        .checked()
    }

    /// Whatever is no RTP packet; `fresh` is the number of a key that never was.
    fn take(mut self, step: Step, fresh: u8) -> (Self, impl PartialEq + core::fmt::Debug) {
        let mut results = Vec::new();
        match step {
            Step::Packets(_) => {}
            Step::Report(stream) => {
                let mut report = BytesMut::from(&[0x80, 201, 0, 1][..]);
                report.extend(SSRCS[stream].to_be_bytes());
                let sent = self.sender.protect_rtcp(&mut report).is_ok();
                results.push(sent);
                results.push(self.receiver.unprotect_rtcp(&mut report).is_ok());
            }
            Step::Rekey(rekey, grace) => {
                let keys = self.kind.keys(fresh);
                results.push(self.sender.rekey(&keys, rekey).is_ok());
                results.push(self.receiver.rekey(&keys, rekey, grace).is_ok());
            }
            Step::DropOldKeys => self.receiver.drop_old_keys(),
            Step::AddKey(stream) => {
                let entry = || self.kind.entry(fresh).for_ssrc(SSRCS[stream]);
                results.push(self.sender.add_key(entry()).is_ok());
                results.push(self.receiver.add_key(entry()).is_ok());
            }
            Step::UseNewKey => {
                // Without an MKI there is none to name.
                let mki = Mki::new(&[fresh.wrapping_sub(1)]).unwrap();
                results.push(self.sender.use_key(&mki).is_ok());
                results.push(self.sender.remove_key(&mki).is_ok());
            }
            Step::Remove(stream) => {
                results.push(self.sender.remove_stream(SSRCS[stream]).is_ok());
                results.push(self.receiver.remove_stream(SSRCS[stream]).is_ok());
            }
            Step::RemoveIdle => {
                results.push(self.sender.remove_idle_streams() > 0);
                results.push(self.receiver.remove_idle_streams() > 0);
            }
            Step::SetRoc(stream, roc) => {
                results.push(self.sender.set_roc(SSRCS[stream], roc).is_ok());
                results.push(self.receiver.set_roc(SSRCS[stream], roc).is_ok());
            }
            Step::HandOver => self = self.hand_over(),
            Step::SplitOff(stream) => {
                let split = self.sender.split_off(&[SSRCS[stream]]);
                results.push(split.is_ok());
                // What is left of the sender serves the other SSRC.
                if let (0, Ok(split)) = (stream, split) {
                    self.sender = split;
                }
            }
        }
        (self, results)
    }

    fn protect(
        &mut self,
        packets: &mut [BytesMut],
        how: How,
    ) -> Vec<impl PartialEq + core::fmt::Debug + use<>> {
        let mut results = vec![Ok(()); packets.len()];
        match how {
            How::Batch if self.short => self.sender.protect_rtp_batch(packets, &mut results),
            How::Batch | How::Single => {
                for (packet, result) in packets.iter_mut().zip(&mut results) {
                    *result = self.sender.protect_rtp(packet);
                }
            }
            How::InPlace(room) => {
                for (packet, result) in packets.iter_mut().zip(&mut results) {
                    let len = packet.len();
                    packet.resize(len + room, 0xee);
                    let protected = self.sender.protect_rtp_in_place(packet, len);
                    // What lies behind the packet is compared, too.
                    if protected.is_err() {
                        assert!(packet[len..].iter().all(|octet| *octet == 0xee));
                    }
                    packet.truncate(*protected.as_ref().unwrap_or(&len));
                    *result = protected.map(|_| ());
                }
            }
        }
        results
    }

    fn unprotect(
        &mut self,
        packets: &mut [BytesMut],
        how: How,
    ) -> Vec<impl PartialEq + core::fmt::Debug + use<>> {
        let mut results = vec![Ok(()); packets.len()];
        if let (How::Batch, true) = (how, self.short) {
            self.receiver.unprotect_rtp_batch(packets, &mut results);
        } else {
            for (packet, result) in packets.iter_mut().zip(&mut results) {
                *result = self.receiver.unprotect_rtp(packet);
            }
        }
        results
    }
}

fn rtp(ssrc: u32, seq: u16, (first, profile): Shape, payload: usize) -> BytesMut {
    let mut packet = BytesMut::from(&[first, 0][..]);
    packet.extend(seq.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(vec![0xcc; usize::from(first & 15) * 4]);
    // Payload, where X is not set.
    packet.extend(profile);
    packet.extend([0, 1, 0x11, 0xab, 0xcd, 0]);
    packet.extend((0..payload).map(|at| u8::try_from(at % 256).unwrap()));
    packet
}

const PROFILES: &[Profile] = &[
    Profile::AesCm128HmacSha1_80,
    Profile::AesCm256HmacSha1_32,
    Profile::AesF8_128HmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    #[cfg(feature = "aria")]
    Profile::Aria128CtrHmacSha1_80,
    #[cfg(feature = "aria")]
    Profile::AeadAria256Gcm,
    #[cfg(feature = "insecure-null")]
    Profile::NullHmacSha1_80,
    #[cfg(feature = "insecure-null")]
    Profile::NullNull,
];

fn kinds() -> impl Strategy<Value = Kind> {
    let cm = Profile::AesCm128HmacSha1_80;
    let of = |form, profile| Just((form, profile));
    let mode = |mode, profile| Just((Form::RocTransport(mode), profile));
    let forms = prop_oneof![
        12 => prop::sample::select(PROFILES).prop_map(|profile| (Form::Common, profile)),
        2 => of(Form::FromTo, cm),
        1 => of(Form::Mki, cm),
        1 => of(Form::Periods, cm),
        1 => of(Form::Unencrypted, cm),
        1 => of(Form::Unauthenticated, cm),
        1 => mode(RocTransportMode::Mode1, cm),
        1 => mode(RocTransportMode::Mode2, cm),
        1 => mode(RocTransportMode::Mode3, Profile::AeadAes128Gcm),
        1 => of(Form::Cryptex, Profile::AeadAes128Gcm),
        1 => of(Form::Cryptex, cm),
        1 => of(Form::Elements, cm),
        1 => of(Form::Elements, Profile::AeadAes128Gcm),
        1 => of(Form::RocAlwaysZero, cm),
    ];
    let backends: Vec<_> = Backend::available().collect();
    let packets = prop_oneof![1 => 10_u64..60, 2 => 60..600_u64];
    (forms, prop::sample::select(backends), packets).prop_map(
        |((form, profile), backend, packets)| Kind {
            form,
            profile,
            backend,
            packets,
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        Just(How::Single),
        (0..30_usize).prop_map(How::InPlace),
        Just(How::Batch)
    ];
    let packets = (
        0..2_usize,
        prop_oneof![6 => Just(1_i16), 1 => -80..80_i16, 1 => Just(i16::MAX)],
        prop_oneof![2 => Just((0x80, ELEMENTS)), 1 => prop::sample::select(&SHAPES[..])],
        prop_oneof![4 => 0..300_usize, 1 => 300..1500_usize],
        1..20_usize,
        how,
        prop_oneof![3 => Just(None), 1 => any::<usize>().prop_map(Some)],
        prop::bool::weighted(0.2),
    );
    let packets = packets.prop_map(
        |(stream, step, shape, payload, count, how, damaged, reversed)| {
            Step::Packets(Packets {
                stream,
                step,
                shape,
                payload,
                count,
                how,
                damaged,
                reversed,
            })
        },
    );
    prop_oneof![
        30 => packets,
        3 => (0..2_usize).prop_map(Step::Report),
        2 => (0..4_u32).prop_map(|grace| Step::Rekey(Rekey::KeepRoc, grace * 5)),
        1 => (0..4_u32).prop_map(|grace| Step::Rekey(Rekey::ResetRoc, grace * 5)),
        1 => Just(Step::DropOldKeys),
        1 => (0..2_usize).prop_map(Step::AddKey),
        1 => Just(Step::UseNewKey),
        1 => (0..2_usize).prop_map(Step::Remove),
        1 => Just(Step::RemoveIdle),
        1 => (0..2_usize, prop_oneof![0..3_u32, Just(u32::MAX)])
            .prop_map(|(stream, roc)| Step::SetRoc(stream, roc)),
        1 => Just(Step::HandOver),
        1 => (0..2_usize).prop_map(Step::SplitOff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_short_way_comes_to_the_same_as_the_long_one(
        kind in kinds(),
        start in prop_oneof![Just(0_u16), Just(65_500), any::<u16>()],
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let (mut ends, mut long) = (Ends::new(kind, true), Ends::new(kind, false));
        let mut seqs = [start; 2];
        for (step, fresh) in steps.into_iter().zip(1..) {
            long.go_the_long_way();
            if let Step::Packets(packets) = step {
                let Packets { stream, shape, payload, how, .. } = packets;
                let mut sent: Vec<_> = (0..packets.count).map(|at| {
                    let step = if at == 0 { packets.step } else { 1 };
                    seqs[stream] = seqs[stream].wrapping_add_signed(step);
                    rtp(SSRCS[stream], seqs[stream], shape, payload)
                }).collect();
                let mut long_sent = sent.clone();
                let results = ends.protect(&mut sent, how);
                prop_assert_eq!(&results, &long.protect(&mut long_sent, how));
                prop_assert_eq!(&sent, &long_sent);
                if let Some(damaged) = packets.damaged {
                    let packet = &mut sent[damaged % packets.count];
                    let at = damaged % packet.len();
                    packet[at] ^= 4;
                }
                if packets.reversed {
                    sent.reverse();
                }
                for _ in 0..2 {
                    let (mut came, mut long_came) = (sent.clone(), sent.clone());
                    let results = ends.unprotect(&mut came, how);
                    prop_assert_eq!(results, long.unprotect(&mut long_came, how));
                    prop_assert_eq!(came, long_came);
                }
            } else {
                let (results, long_results);
                (ends, results) = ends.take(step, fresh);
                (long, long_results) = long.take(step, fresh);
                prop_assert_eq!(results, long_results);
            }
            prop_assert_eq!(ends.state(), long.state(), "{:?}", step);
        }
    }
}
