//! The short way of nearly every RTP packet: of a stream that goes on, under its only key, which is
//! derived once, with nothing but the payload to encrypt and nothing to announce.
//!
//! All else takes the long way of [`Sender`](crate::Sender) and [`Receiver`](crate::Receiver), which
//! knows every case; for a packet that both can take they come to the same.

use crate::error::UnprotectError;
use crate::framing::{Unsigned, put_mac};
use crate::header_extension::is_cryptex;
use crate::index::{self, roc};
use crate::keys::Key;
use crate::packet::{MAX_PACKET_LEN, RtpHeader};
use crate::receiver::Hint;
use crate::sender::Deferred;
use crate::session::Session;
use crate::session_keys::{Cipher, Protocol};
use crate::stream::{Stream, limit};
use crate::transform::{GCM_TAG_LEN, HmacSha1};

/// Protects a packet as the long way would, but for its MAC if there is a `deferred` to note what it
/// is, and returns its new length. `None`, and nothing has changed, if it has to go the long way.
#[inline]
pub(crate) fn seal(
    session: &mut Session,
    buffer: &mut [u8],
    len: usize,
    likely: usize,
    deferred: Option<&mut Deferred>,
) -> Option<usize> {
    if !session.settings.common {
        return None;
    }
    let header = RtpHeader::parse(buffer.get(..len)?, |_| 0).ok()?;
    let ssrc = header.ssrc;
    let at = session.streams.find_at(ssrc, likely)?;
    let stream = session.streams.take_turn(at)?;
    let key = session.keys.only_on(stream.route)?.only()?;
    let highest = stream.goes_on_from()?;
    let index = index::estimate(Some(highest), 0, header.seq)?;
    let keys = key.srtp_keys();
    if index <= highest
        || !serves(key, stream, index, session.settings.soft_limit)
        || is_cryptex(&header)
    {
        return None;
    }
    let clear = header.len();
    let protected = match (&keys.cipher, &keys.mac) {
        (Cipher::Gcm(gcm), None) => {
            let protected = fitting(len + GCM_TAG_LEN, buffer)?;
            let (packet, rest) = buffer.split_at_mut_checked(len)?;
            let (aad, body) = packet.split_at_mut_checked(clear)?;
            let tag = rest.first_chunk_mut()?;
            *tag = gcm.seal(keys.salt.nonce(ssrc, index), aad, body).ok()?;
            protected
        }
        (Cipher::Counter(cipher), Some(mac)) => {
            let mac_len = session.framing.profile.srtp_tag_len();
            let protected = fitting(len + mac_len, buffer)?;
            let (packet, rest) = buffer.split_at_mut_checked(len)?;
            let iv = keys.salt.counter_block(ssrc, index);
            let roc = roc(index).to_be_bytes();
            if let Some(deferred) = deferred {
                cipher.apply_ctr(&iv, packet.get_mut(clear..)?);
                deferred.ssrc = ssrc;
                deferred.serial = key.serial;
                deferred.unsigned = Unsigned {
                    message: len,
                    roc,
                    mac_at: len,
                    mac_len,
                };
            } else {
                let tag = cipher.seal_cm(&iv, mac, packet, clear, roc);
                put_mac(rest, 0, &tag, mac_len)?;
            }
            protected
        }
        _ => return None,
    };
    stream.note_common(index, len);
    Some(protected)
}

/// Opens a packet as the long way would and returns the length of the RTP packet. `None`, and
/// nothing has changed, if it has to go the long way.
#[inline]
pub(crate) fn open(
    session: &mut Session,
    packet: &mut [u8],
    hint: &Hint,
) -> Option<Result<usize, (u32, UnprotectError)>> {
    if !session.settings.common || session.keys.are_being_replaced() {
        return None;
    }
    let profile = session.framing.profile;
    let trailer = if profile.is_aead() {
        GCM_TAG_LEN
    } else {
        profile.srtp_tag_len()
    };
    let header = RtpHeader::parse(packet, |_| trailer).ok()?;
    let ssrc = header.ssrc;
    let at = session.streams.find_at(ssrc, hint.likely)?;
    let stream = session.streams.take_turn(at)?;
    let key = session.keys.only_on(stream.route)?.only()?;
    let index = index::estimate(Some(stream.goes_on_from()?), 0, header.seq)?;
    stream.srtp.check(index).ok()?;
    if !serves(key, stream, index, session.settings.soft_limit) || is_cryptex(&header) {
        return None;
    }
    let keys = key.srtp_keys();
    let len = packet.len().checked_sub(trailer)?;
    let (packet, tag) = packet.split_at_mut_checked(len)?;
    let forged = Some(Err((ssrc, UnprotectError::Forged)));
    match (&keys.cipher, &keys.mac) {
        (Cipher::Gcm(gcm), None) => {
            let (aad, body) = packet.split_at_mut_checked(header.len())?;
            let nonce = keys.salt.nonce(ssrc, index);
            if gcm.open(nonce, aad, body, *tag.first_chunk()?).is_err() {
                return forged;
            }
        }
        (Cipher::Counter(cipher), Some(mac)) => {
            let verdict = hint.verdict_for(key.serial, index);
            let right = verdict.unwrap_or_else(|| verifies(mac, packet, index, tag));
            if !right {
                return forged;
            }
            let iv = keys.salt.counter_block(ssrc, index);
            cipher.apply_ctr(&iv, packet.get_mut(header.len()..)?);
        }
        _ => return None,
    }
    stream.note_common(index, len);
    Some(Ok(len))
}

/// Whether the key may serve the packet, has served the packet before it, and is far from its end.
#[inline]
fn serves(key: &Key, stream: &Stream, index: u64, soft_limit: u64) -> bool {
    let limit = limit(key.entry.lifetime(), Protocol::Srtp);
    key.is_active()
        && key.serves(index)
        && stream.latest_serial() == key.serial
        && limit.saturating_sub(stream.used(key.serial, Protocol::Srtp))
            > soft_limit.saturating_add(1)
}

#[inline]
fn verifies(mac: &HmacSha1, packet: &[u8], index: u64, tag: &[u8]) -> bool {
    mac.verify(packet, Some(roc(index).to_be_bytes()), tag)
}

/// `protected`, if so many octets are a packet and have room.
#[inline]
const fn fitting(protected: usize, buffer: &[u8]) -> Option<usize> {
    if protected <= MAX_PACKET_LEN && protected <= buffer.len() {
        Some(protected)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    //! Self-consistency: the short way against the long one.

    #![allow(clippy::unwrap_used, reason = "helpers of tests")]

    use alloc::vec::Vec;
    use proptest::prelude::*;

    use crate::keying::{KeyEntry, KeySet, Lifetime, MasterKey, Parameters, Profile, StaticKeys};
    use crate::{Receiver, Sender};

    const SSRCS: [u32; 2] = [1, 2];

    fn pair(profile: Profile, packets: u64) -> (Sender, Receiver) {
        let keys = || {
            let (key, salt) = ([7; 32], [9; 14]);
            let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
            let entry = KeyEntry::new(MasterKey::new(profile, key, salt).unwrap());
            let lifetime = Lifetime::new(packets).unwrap();
            let entries = [entry.with_lifetime(lifetime)].into();
            KeySet::new(profile, Parameters::default(), entries).unwrap()
        };
        let source = StaticKeys::new(keys(), keys());
        let sender = Sender::builder(&source).soft_limit(20).build().unwrap();
        let receiver = Receiver::builder(&source).any_ssrc(2).soft_limit(20);
        (sender, receiver.build().unwrap())
    }

    fn rtp(ssrc: u32, seq: u16, first: u8, payload: usize) -> Vec<u8> {
        let mut packet = alloc::vec![first, 0];
        packet.extend(seq.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(ssrc.to_be_bytes());
        // With X set, an extension without a body, which may be Cryptex's.
        packet.extend([0xc0, 0xde, 0, 0]);
        packet.extend((0..payload).map(|at| u8::try_from(at % 256).unwrap()));
        packet
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_short_way_comes_to_the_same_as_the_long_one(
            profile in prop_oneof![
                Just(Profile::AesCm128HmacSha1_80),
                Just(Profile::AesCm256HmacSha1_32),
                Just(Profile::AeadAes128Gcm),
            ],
            packets in 10_u64..120,
            start in prop_oneof![Just(0_u16), Just(65_500), any::<u16>()],
            steps in prop::collection::vec(
                (
                    0..2_usize,
                    prop_oneof![4 => Just(1_i16), 1 => -80..80_i16],
                    prop_oneof![8 => Just(0x80_u8), 1 => Just(0x90), 1 => Just(0x81), 1 => Just(0)],
                    0..300_usize,
                    prop_oneof![4 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)],
                ),
                1..150,
            ),
        ) {
            let (mut sender, mut receiver) = pair(profile, packets);
            let (mut long_sender, mut long_receiver) = pair(profile, packets);
            prop_assert!(sender.session.settings.common && receiver.session.settings.common);
            long_sender.session.settings.common = false;
            long_receiver.session.settings.common = false;
            let mut seqs = [start; 2];
            for (stream, step, first, payload, damage) in steps {
                seqs[stream] = seqs[stream].wrapping_add_signed(step);
                let mut packet = rtp(SSRCS[stream], seqs[stream], first, payload);
                let len = packet.len();
                packet.resize(len + 16, 0);
                let mut long = packet.clone();
                let sealed = sender.protect_rtp_in_place(&mut packet, len);
                prop_assert_eq!(sealed, long_sender.protect_rtp_in_place(&mut long, len));
                prop_assert_eq!(&packet, &long);
                prop_assert_eq!(sender.poll_event(), long_sender.poll_event());
                let Ok(sealed) = sealed else { continue };
                packet.truncate(sealed);
                if let Some(damage) = damage {
                    let at = damage.index(sealed);
                    packet[at] ^= 4;
                }
                for _ in 0..2 {
                    let (mut copy, mut long) = (packet.clone(), packet.clone());
                    let opened = receiver.unprotect_rtp_in_place(&mut copy);
                    prop_assert_eq!(opened, long_receiver.unprotect_rtp_in_place(&mut long));
                    prop_assert_eq!(copy, long);
                    prop_assert_eq!(receiver.poll_event(), long_receiver.poll_event());
                }
            }
            for ssrc in SSRCS {
                prop_assert_eq!(sender.stream(ssrc), long_sender.stream(ssrc));
                prop_assert_eq!(receiver.stream(ssrc), long_receiver.stream(ssrc));
            }
            prop_assert_eq!(receiver.unmatched(), long_receiver.unmatched());
        }
    }
}
