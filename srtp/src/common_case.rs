//! The short way of nearly every RTP packet: of a stream that goes on, under its only key, which serves
//! every index and is derived once, with nothing but the payload to encrypt and nothing to announce.
//!
//! Whether a stream has it the long way decides, for all packets up to the next that has to go there
//! ([`Stream::allow_short_way`]). A sequence number half the way round or behind the last, or a key
//! that came or went, leads there at once.
//!
//! All else takes the long way of [`Sender`](crate::Sender) and [`Receiver`](crate::Receiver), which
//! knows every case; for a packet that both can take they come to the same.

use crate::error::{ProtectError, UnprotectError};
use crate::framing::{Unsigned, put_mac};
use crate::header_extension::is_cryptex;
use crate::index::roc;
use crate::packet::{MAX_PACKET_LEN, RtpHeader};
use crate::receiver::{Guess, Hint};
use crate::sender::Deferred;
use crate::session::Session;
use crate::session_keys::Cipher;
use crate::stream::Stream;
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
) -> Option<Result<usize, ProtectError>> {
    // All that may lead to the long way comes first: behind it nothing has to be kept for that.
    let header = header_of(buffer.get(..len)?, 0)?;
    let at = session.streams.find_at(header.ssrc, likely)?;
    let stream = session.streams.take_turn(at)?;
    let key = session.keys.only_on(stream.route)?;
    let index = stream.next_short(header.seq)?;
    let keys = key.srtp_keys();
    let (packet, rest) = buffer.split_at_mut_checked(len)?;
    let clear = header.len();
    let protected = match &keys.cipher {
        Cipher::Gcm(gcm) => {
            let protected = fitting(len, GCM_TAG_LEN)?;
            let tag = rest.first_chunk_mut()?;
            let (aad, body) = packet.split_at_mut_checked(clear)?;
            let nonce = keys.salt.nonce(header.ssrc, index);
            if gcm.seal(nonce, aad, body, tag).is_err() {
                return Some(Err(ProtectError::TooLong));
            }
            protected
        }
        Cipher::Counter(cipher, mac) => {
            let mac_len = session.framing.profile.srtp_tag_len();
            let protected = fitting(len, mac_len)?;
            let slot = rest.get_mut(..mac_len)?;
            let iv = keys.salt.counter_block(header.ssrc, index);
            let roc = roc(index).to_be_bytes();
            cipher.apply_ctr(iv, packet.get_mut(clear..)?);
            stream.note_short(index, len);
            if let Some(deferred) = deferred {
                deferred.ssrc = header.ssrc;
                deferred.route = stream.route;
                deferred.serial = key.serial;
                deferred.unsigned = Unsigned {
                    message: len,
                    roc,
                    mac_at: len,
                    mac_len,
                };
            } else {
                let tag = mac.tag(packet, Some(roc));
                put_mac(slot, 0, &tag, mac_len);
            }
            return Some(Ok(protected));
        }
        Cipher::F8(..) => return None,
        #[cfg(feature = "insecure-null")]
        Cipher::Null(_) => return None,
    };
    stream.note_short(index, len);
    Some(Ok(protected))
}

/// Opens a packet as the long way would and returns the length of the RTP packet. `None`, and
/// nothing has changed, if it has to go the long way.
#[inline]
pub(crate) fn open(
    session: &mut Session,
    packet: &mut [u8],
    hint: &Hint,
) -> Option<Result<usize, UnprotectError>> {
    let trailer = trailer(session);
    let header = header_of(packet, trailer)?;
    let at = session.streams.find_at(header.ssrc, hint.likely)?;
    let stream = session.streams.take_turn(at)?;
    let key = session.keys.only_on(stream.route)?;
    let index = stream.unused_short(header.seq)?;
    let keys = key.srtp_keys();
    let len = packet.len().checked_sub(trailer)?;
    let (packet, tag) = packet.split_at_mut_checked(len)?;
    let right = match &keys.cipher {
        Cipher::Gcm(gcm) => {
            let (aad, body) = packet.split_at_mut_checked(header.len())?;
            let tag = tag.first_chunk()?;
            let nonce = keys.salt.nonce(header.ssrc, index);
            gcm.open(nonce, aad, body, tag).is_ok()
        }
        Cipher::Counter(cipher, mac) => {
            let verdict = hint.verdict_for(key.serial, index);
            let roc = roc(index).to_be_bytes();
            let iv = keys.salt.counter_block(header.ssrc, index);
            let right = verdict.unwrap_or_else(|| mac.verify(packet, Some(roc), tag));
            if let (true, Some(body)) = (right, packet.get_mut(header.len()..)) {
                cipher.apply_ctr(iv, body);
            }
            right
        }
        Cipher::F8(..) => return None,
        #[cfg(feature = "insecure-null")]
        Cipher::Null(_) => return None,
    };
    if !right {
        stream.stats.note_refused(UnprotectError::Forged);
        return Some(Err(UnprotectError::Forged));
    }
    stream.note_short(index, len);
    Some(Ok(len))
}

/// What the long way would guess of the MAC of a packet. `None` if it has to go that way.
#[inline]
pub(crate) fn guess<'a>(
    session: &'a Session,
    packet: &[u8],
    likely: usize,
) -> Option<(Guess, &'a HmacSha1)> {
    let trailer = trailer(session);
    let header = header_of(packet, trailer)?;
    let stream: &Stream = session.streams.at(likely)?;
    if stream.ssrc != header.ssrc {
        return None;
    }
    let key = session.keys.only_on(stream.route)?;
    let index = stream.unused_short(header.seq)?;
    let message = packet.len().checked_sub(trailer)?;
    let guess = Guess {
        serial: key.serial,
        index,
        unsigned: Unsigned {
            message,
            roc: roc(index).to_be_bytes(),
            mac_at: message,
            mac_len: trailer,
        },
    };
    Some((guess, key.srtp_mac()?))
}

/// The header of a packet that hides nothing of it.
#[inline]
fn header_of(packet: &[u8], trailer: usize) -> Option<RtpHeader> {
    let header = RtpHeader::parse(packet, |_| trailer).ok()?;
    (!is_cryptex(&header)).then_some(header)
}

/// Octets behind the packets of a session whose packets may go the short way.
#[inline]
const fn trailer(session: &Session) -> usize {
    session.framing.profile.srtp_tag_len()
}

/// The length with `more` octets, if so many are a packet.
#[inline]
const fn fitting(len: usize, more: usize) -> Option<usize> {
    let protected = len + more;
    if protected <= MAX_PACKET_LEN {
        Some(protected)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
