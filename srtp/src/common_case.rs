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
    let protected = match &keys.cipher {
        Cipher::Gcm(gcm) => {
            let protected = fitting(len + GCM_TAG_LEN, buffer)?;
            let (packet, rest) = buffer.split_at_mut_checked(len)?;
            let (aad, body) = packet.split_at_mut_checked(clear)?;
            let tag = rest.first_chunk_mut()?;
            *tag = gcm.seal(keys.salt.nonce(ssrc, index), aad, body).ok()?;
            protected
        }
        Cipher::Counter(cipher, mac) => {
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
        Cipher::F8(..) => return None,
        #[cfg(feature = "insecure-null")]
        Cipher::Null(_) => return None,
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
    match &keys.cipher {
        Cipher::Gcm(gcm) => {
            let (aad, body) = packet.split_at_mut_checked(header.len())?;
            let nonce = keys.salt.nonce(ssrc, index);
            if gcm.open(nonce, aad, body, *tag.first_chunk()?).is_err() {
                return forged;
            }
        }
        Cipher::Counter(cipher, mac) => {
            let verdict = hint.verdict_for(key.serial, index);
            let right = verdict.unwrap_or_else(|| verifies(mac, packet, index, tag));
            if !right {
                return forged;
            }
            let iv = keys.salt.counter_block(ssrc, index);
            cipher.apply_ctr(&iv, packet.get_mut(header.len()..)?);
        }
        Cipher::F8(..) => return None,
        #[cfg(feature = "insecure-null")]
        Cipher::Null(_) => return None,
    }
    stream.note_common(index, len);
    Some(Ok(len))
}

/// Whether the key may serve the packet, has served the packet before it, and is far from its end.
#[inline]
fn serves(key: &Key, stream: &Stream, index: u64, soft_limit: u64) -> bool {
    let limit = limit(key.lifetime(), Protocol::Srtp);
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
mod tests;
