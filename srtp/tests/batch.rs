//! Self-consistency: a batch gives what one call after the other gives, on every backend.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use bytes::BytesMut;
use proptest::prelude::*;
use srtp::batch::{self, Packet};
use srtp::keying::{
    KeyDerivationRate, KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile, StaticKeys,
};
use srtp::{Backend, Cryptex, ProtectError, Receiver, Sender, UnprotectError};

const PROFILES: [Profile; 4] = [
    Profile::AesCm128HmacSha1_80,
    Profile::AesCm256HmacSha1_32,
    Profile::AesF8_128HmacSha1_80,
    Profile::AeadAes128Gcm,
];

/// What becomes of a packet on its way.
#[derive(Clone, Copy, Debug)]
enum Way {
    Arrives,
    Forged(usize),
    Cut(usize),
    Twice,
    Late,
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    session: usize,
    ssrc: u32,
    /// How far the sequence number goes on; large steps wrap it, none repeats it.
    step: u16,
    payload: usize,
    csrcs: u8,
    way: Way,
}

fn sent() -> impl Strategy<Value = Sent> {
    let step =
        prop_oneof![8 => Just(1_u16), 1 => Just(0), 1 => 2..200_u16, 1 => 20_000..40_000_u16];
    let way = prop_oneof![
        6 => Just(Way::Arrives),
        1 => any::<usize>().prop_map(Way::Forged),
        1 => any::<usize>().prop_map(Way::Cut),
        1 => Just(Way::Twice),
        1 => Just(Way::Late),
        1 => Just(Way::Lost),
    ];
    let payload = prop_oneof![0..200_usize, 900..1300_usize];
    (0..3_usize, 0..4_u32, step, payload, 0..3_u8, way).prop_map(
        |(session, ssrc, step, payload, csrcs, way)| Sent {
            session,
            ssrc,
            step,
            payload,
            csrcs,
            way,
        },
    )
}

fn source(profile: Profile, session: usize, kind: u8) -> StaticKeys {
    let seed = u8::try_from(session).unwrap() + 1;
    let key = |seed| {
        let (key, salt) = (
            vec![seed; profile.key_len()],
            vec![seed; profile.salt_len()],
        );
        MasterKey::new(profile, &key, &salt).unwrap()
    };
    let keys = || {
        let entry = KeyEntry::new(key(seed));
        match kind {
            // Session keys that change every 4 packets.
            1 if !profile.is_aead() => {
                let mut parameters = Parameters::default();
                parameters.srtp_kdr = KeyDerivationRate::power_of_two(2).unwrap();
                KeySet::new(profile, parameters, vec![entry]).unwrap()
            }
            2 => {
                let entry = entry.with_mki(Mki::new(&[seed, 7]).unwrap());
                KeySet::new(profile, Parameters::default(), vec![entry]).unwrap()
            }
            _ => KeySet::single(key(seed)),
        }
    };
    StaticKeys::new(keys(), keys())
}

struct Pair {
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
}

fn pair(profile: Profile, kind: u8, backend: Backend) -> Pair {
    let cryptex = if kind == 3 {
        Cryptex::Enabled
    } else {
        Cryptex::Off
    };
    let sources: Vec<_> = (0..3)
        .map(|session| source(profile, session, kind))
        .collect();
    let senders = sources.iter().map(|source| {
        let sender = Sender::builder(source).any_ssrc(3).cryptex(cryptex);
        sender.backend(backend).build().unwrap()
    });
    let receivers = sources.iter().map(|source| {
        let receiver = Receiver::builder(source).any_ssrc(3).cryptex(cryptex);
        receiver.replay_window(64).backend(backend).build().unwrap()
    });
    Pair {
        senders: senders.collect(),
        receivers: receivers.collect(),
    }
}

/// The RTP packets, each with room for what protection adds.
fn packets(sent: &[Sent], seqs: &mut [[u16; 4]; 3]) -> Vec<(usize, Vec<u8>, usize)> {
    sent.iter()
        .map(|sent| {
            let at = usize::try_from(sent.ssrc).unwrap();
            let seq = &mut seqs[sent.session][at];
            *seq = seq.wrapping_add(sent.step);
            let mut packet = vec![0x80 | sent.csrcs, 96];
            packet.extend(seq.to_be_bytes());
            packet.extend([0; 4]);
            packet.extend(sent.ssrc.to_be_bytes());
            packet.extend(
                (0..usize::from(sent.csrcs) * 4 + sent.payload).map(|i| i.to_le_bytes()[0]),
            );
            let len = packet.len();
            packet.resize(len + 40, 0);
            (sent.session, packet, len)
        })
        .collect()
}

/// What arrives of the protected packets.
fn arriving(sent: &[Sent], protected: &[(usize, Vec<u8>)]) -> Vec<(usize, Vec<u8>)> {
    let mut arriving = Vec::new();
    let mut late = Vec::new();
    for (sent, (session, packet)) in sent.iter().zip(protected) {
        let mut packet = packet.clone();
        match sent.way {
            Way::Lost => continue,
            Way::Forged(at) => {
                let at = at % packet.len();
                packet[at] ^= 4;
            }
            Way::Cut(at) => packet.truncate(at % packet.len()),
            Way::Twice => arriving.push((*session, packet.clone())),
            Way::Late => {
                late.push((*session, packet));
                continue;
            }
            Way::Arrives => {}
        }
        arriving.push((*session, packet));
    }
    arriving.append(&mut late);
    // One of no session at all.
    arriving.push((99, vec![0x80; 40]));
    arriving
}

fn slots(packets: &mut [(usize, Vec<u8>, usize)]) -> Vec<Packet<'_>> {
    packets
        .iter_mut()
        .map(|(session, buffer, len)| Packet {
            session: *session,
            buffer,
            len: *len,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn a_batch_is_one_call_after_the_other(
        rounds in prop::collection::vec(prop::collection::vec(sent(), 1..100), 1..4),
        start in prop_oneof![Just(0_u16), Just(65_500), any::<u16>()],
        profile in prop::sample::select(&PROFILES[..]),
        kind in 0..4_u8,
    ) {
        for backend in Backend::available() {
            let mut one = pair(profile, kind, backend);
            let mut many = pair(profile, kind, backend);
            let mut seqs = [[start; 4]; 3];
            for sent in &rounds {
                let mut expected = packets(sent, &mut seqs);
                let mut batched = expected.clone();
                let mut wanted = Vec::new();
                for (session, buffer, len) in &mut expected {
                    let result = one.senders[*session].protect_rtp_in_place(buffer, *len);
                    *len = *result.as_ref().unwrap_or(len);
                    wanted.push(result.map(|_| ()));
                }
                let mut results = vec![Ok(()); batched.len()];
                let mut slots_of = slots(&mut batched);
                batch::protect_rtp(&mut many.senders, &mut slots_of, &mut results);
                let lens: Vec<_> = slots_of.iter().map(|slot| slot.len).collect();
                for (packet, len) in batched.iter_mut().zip(lens) {
                    packet.2 = len;
                }
                prop_assert_eq!(&results, &wanted, "{:?}", backend);
                prop_assert_eq!(&batched, &expected, "{:?}", backend);

                let protected: Vec<_> = batched
                    .iter()
                    .map(|(session, buffer, len)| (*session, buffer[..*len].to_vec()))
                    .collect();
                let arriving = arriving(sent, &protected);
                let mut wanted = Vec::new();
                let mut expected = Vec::new();
                for (session, mut packet) in arriving.clone() {
                    let receiver = one.receivers.get_mut(session);
                    let result = receiver.map_or(Err(UnprotectError::NoKey), |receiver| {
                        receiver.unprotect_rtp_in_place(&mut packet)
                    });
                    expected.push(result.map_or(Vec::new(), |len| packet[..len].to_vec()));
                    wanted.push(result.map(|_| ()));
                }
                let mut batched: Vec<_> = arriving
                    .into_iter()
                    .map(|(session, packet)| (session, packet.clone(), packet.len()))
                    .collect();
                let mut results = vec![Ok(()); batched.len()];
                let mut slots_of = slots(&mut batched);
                batch::unprotect_rtp(&mut many.receivers, &mut slots_of, &mut results);
                prop_assert_eq!(&results, &wanted, "{:?}", backend);
                for ((slot, result), expected) in slots_of.iter().zip(&results).zip(&expected) {
                    if result.is_ok() {
                        prop_assert_eq!(&slot.buffer[..slot.len], &expected[..]);
                    }
                }
            }
            for (one, many) in one.receivers.iter_mut().zip(&mut many.receivers) {
                prop_assert_eq!(one.streams().collect::<Vec<_>>(), many.streams().collect::<Vec<_>>());
                prop_assert_eq!(one.unmatched(), many.unmatched());
                prop_assert_eq!(one.poll_event(), many.poll_event());
            }
            for (one, many) in one.senders.iter_mut().zip(&mut many.senders) {
                prop_assert_eq!(one.streams().collect::<Vec<_>>(), many.streams().collect::<Vec<_>>());
                prop_assert_eq!(one.poll_event(), many.poll_event());
            }
        }
    }
}

#[test]
fn packets_that_grow_by_themselves_come_out_the_same() {
    for profile in PROFILES {
        let mut both = pair(profile, 0, Backend::default());
        let mut alone = pair(profile, 0, Backend::default());
        let mut seqs = [[0; 4]; 3];
        let sent = Sent {
            session: 0,
            ssrc: 1,
            step: 1,
            payload: 160,
            csrcs: 0,
            way: Way::Arrives,
        };
        let rtp: Vec<BytesMut> = packets(&[sent; 70], &mut seqs)
            .iter()
            .map(|(_, buffer, len)| BytesMut::from(&buffer[..*len]))
            .collect();
        let mut batch = rtp.clone();
        let mut results = [Err(ProtectError::NoKey); 70];
        both.senders[0].protect_rtp_batch(&mut batch, &mut results);
        assert_eq!(results, [Ok(()); 70]);
        for (packet, batched) in rtp.iter().zip(&batch) {
            let mut packet = packet.clone();
            alone.senders[0].protect_rtp(&mut packet).unwrap();
            assert_eq!(packet, batched);
        }
        let mut results = [Err(UnprotectError::NoKey); 70];
        both.receivers[0].unprotect_rtp_batch(&mut batch, &mut results);
        assert_eq!(results, [Ok(()); 70]);
        assert_eq!(batch, rtp);
    }
}

#[test]
fn packets_without_a_place_for_their_result_are_left_alone() {
    let mut pair = pair(Profile::AesCm128HmacSha1_80, 0, Backend::default());
    let rtp = [0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, b'h', b'i'];
    let mut packets = [BytesMut::from(&rtp[..]), BytesMut::from(&rtp[..])];
    let mut results = [Ok(())];
    pair.senders[0].protect_rtp_batch(&mut packets, &mut results);
    assert_eq!((packets[0].len(), &packets[1][..]), (24, &rtp[..]));
    pair.receivers[0].unprotect_rtp_batch(&mut packets, &mut []);
    assert_eq!(packets[0].len(), 24);
}

/// MACs are computed together only by the same instructions; none may be left out for that.
#[test]
fn sessions_with_different_instructions_share_a_batch() {
    let profile = Profile::AesCm128HmacSha1_80;
    let with = |backend| {
        let mut pair = pair(profile, 0, backend);
        (pair.senders.remove(0), pair.receivers.remove(0))
    };
    let (mut senders, mut receivers): (Vec<_>, Vec<_>) = Backend::available().map(with).unzip();
    let mut alone = with(Backend::default()).0;
    let mut seqs = [[0; 4]; 3];
    let sent = Sent {
        session: 0,
        ssrc: 1,
        step: 1,
        payload: 160,
        csrcs: 0,
        way: Way::Arrives,
    };
    for _ in 0..3 {
        let [(_, rtp, len)] = &packets(&[sent], &mut seqs)[..] else {
            panic!("one packet");
        };
        let mut expected = rtp.clone();
        let protected = alone.protect_rtp_in_place(&mut expected, *len).unwrap();
        let count = senders.len();
        let mut batch: Vec<_> = (0..count).map(|at| (at, rtp.clone(), *len)).collect();
        let mut slots = slots(&mut batch);
        let mut results = vec![Err(ProtectError::NoKey); count];
        batch::protect_rtp(&mut senders, &mut slots, &mut results);
        assert_eq!(results, vec![Ok(()); count]);
        for slot in &slots {
            assert_eq!((&*slot.buffer, slot.len), (&expected[..], protected));
        }
        // The last is forged.
        slots.last_mut().unwrap().buffer[protected - 1] ^= 1;
        let mut results = vec![Err(UnprotectError::NoKey); count];
        batch::unprotect_rtp(&mut receivers, &mut slots, &mut results);
        let (last, others) = results.split_last().unwrap();
        assert_eq!(*last, Err(UnprotectError::Forged));
        assert_eq!(others, vec![Ok(()); count - 1]);
        for slot in &slots[..count - 1] {
            assert_eq!(slot.buffer[..slot.len], rtp[..*len]);
        }
    }
}
