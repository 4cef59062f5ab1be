//! Self-consistency: which packets take the short way, and where it ends.

use super::{ELEMENTS, Ends, Form, Kind, rtp};
use crate::common_case::{guess, open, seal};
use crate::keying::{KeySet, Parameters, Profile};
use crate::receiver::Hint;
use crate::sender::Deferred;
use crate::{Backend, Builder, Receiver, Rekey, Sender};

const HINT: Hint = Hint::stream_at(0);

/// Without it, the comparison would hold for a short way that no packet takes.
#[test]
fn a_stream_that_goes_on_takes_the_short_way() {
    for profile in [
        Profile::AesCm128HmacSha1_80,
        Profile::AesCm256HmacSha1_32,
        Profile::AeadAes128Gcm,
        Profile::AeadAes256Gcm,
    ] {
        let kind = Kind {
            form: Form::Common,
            profile,
            backend: Backend::default(),
            packets: 10_000,
        };
        let Ends {
            mut sender,
            mut receiver,
            ..
        } = Ends::new(kind, true);
        let mut late = None;
        for seq in [65_534, 65_535, 0, 1, 2, 5, 60] {
            let rtp = rtp(1, seq, (0x80, ELEMENTS), 20);
            let mut packet = [0; 128];
            packet[..rtp.len()].copy_from_slice(&rtp);
            let mut deferred = Deferred::default();
            // One as in a batch, whose MAC comes later: it is not opened.
            let batched = Some(&mut deferred).filter(|_| seq == 2);
            let sealed = seal(&mut sender.session, &mut packet, rtp.len(), 0, batched);
            assert_eq!(sealed.is_some(), seq != 65_534, "{profile:?} {seq}");
            let len = match sealed {
                Some(sealed) => sealed.unwrap(),
                None => sender.protect_rtp_in_place(&mut packet, rtp.len()).unwrap(),
            };
            assert_eq!(
                deferred.unsigned.mac_len > 0,
                seq == 2 && !profile.is_aead()
            );
            match seq {
                2 => continue,
                1 => {
                    late = Some((packet, len, rtp));
                    continue;
                }
                _ => {}
            }
            let guess = guess(&receiver.session, &packet[..len], 0);
            assert_eq!(guess.is_some(), seq != 65_534 && !profile.is_aead());
            let opened = open(&mut receiver.session, &mut packet[..len], &HINT);
            assert_eq!(opened.is_some(), seq != 65_534, "{profile:?} {seq}");
            let opened =
                opened.unwrap_or_else(|| receiver.unprotect_rtp_in_place(&mut packet[..len]));
            assert_eq!(packet[..opened.unwrap()], rtp);
        }
        let (mut packet, len, rtp) = late.unwrap();
        let opened = open(&mut receiver.session, &mut packet[..len], &HINT);
        assert_eq!(opened, Some(Ok(rtp.len())), "{profile:?}, late");
        assert_eq!(packet[..rtp.len()], rtp);
    }
}

#[test]
fn the_longest_packets_end_where_they_do_on_the_long_way() {
    for profile in [Profile::AesCm128HmacSha1_80, Profile::AeadAes128Gcm] {
        let (form, backend, packets) = (Form::Common, Backend::default(), 1000);
        let kind = Kind {
            form,
            profile,
            backend,
            packets,
        };
        let (mut ends, mut long) = (Ends::new(kind, true), Ends::new(kind, false));
        long.go_the_long_way();
        for (payload, seq) in (65_480..65_540).zip(1..) {
            let mut packet = rtp(1, seq, (0x80, ELEMENTS), payload);
            let mut long_packet = packet.clone();
            let result = ends.sender.protect_rtp(&mut packet);
            assert_eq!(result, long.sender.protect_rtp(&mut long_packet));
            assert_eq!(packet, long_packet);
            let fits = 20 + payload + profile.srtp_overhead(0) <= 65_535;
            assert_eq!(result.is_ok(), fits, "{payload}");
        }
    }
}

#[test]
fn keys_that_go_move_the_others_and_no_stream_takes_its_neighbours_key() {
    let kind = Kind {
        form: Form::Common,
        profile: Profile::AeadAes128Gcm,
        backend: Backend::default(),
        packets: 1000,
    };
    let keys = |ssrcs: &[u32]| {
        let entry = |ssrc: &u32| kind.entry(u8::try_from(*ssrc).unwrap()).for_ssrc(*ssrc);
        let entries = ssrcs.iter().map(entry).collect();
        KeySet::new(kind.profile, Parameters::default(), entries).unwrap()
    };
    let mut sender = Builder::<Sender>::new(keys(&[2, 3])).build().unwrap();
    let mut receiver = Builder::<Receiver>::new(keys(&[1])).build().unwrap();
    receiver
        .rekey(&keys(&[2, 3]), Rekey::KeepRoc, 1000)
        .unwrap();
    for seq in 0..6 {
        for ssrc in [2, 3] {
            let rtp = rtp(ssrc, seq, (0x80, ELEMENTS), 20);
            let mut packet = rtp.clone();
            sender.protect_rtp(&mut packet).unwrap();
            assert_eq!(receiver.unprotect_rtp(&mut packet), Ok(()), "{ssrc} {seq}");
            assert_eq!(packet, rtp);
        }
        if seq == 3 {
            receiver.drop_old_keys();
        }
    }
}
