use alloc::vec::Vec;
use core::ops::Range;

use mikey::Credentials;
use mikey::crypto::Tag;
use mikey::derive::MessageKeys;
use mikey::payload::{Header, Mac, Payload, Sign, Verification};

use super::{RULES, covered, hole};
use crate::TicketError;

const ZEROES: [u8; 32] = [0; 32];

/// Writes a message with a V payload behind `payloads`; its MAC covers the message, but for `hole`,
/// and then `behind`.
pub(crate) fn seal(
    header: Header<'_>,
    mut payloads: Vec<Payload<'_>>,
    keys: &MessageKeys,
    behind: &[&[u8]],
) -> Result<Vec<u8>, TicketError> {
    let mac = keys.suite().mac();
    let blank = ZEROES.get(..mac.len()).unwrap_or_default();
    payloads.push(Payload::V(Verification::new(Mac::new(
        mac.mac_alg(),
        blank,
    )?)));
    let message = RULES.compose(header, &payloads)?;
    let (mut octets, hole) = (message.to_vec(), hole(&message));
    let tag = tag(keys, &octets, hole, behind);
    let start = octets.len().saturating_sub(mac.len());
    octets.truncate(start);
    octets.extend_from_slice(tag.as_octets());
    Ok(octets)
}

/// Writes a message with a SIGN payload behind `payloads`; the signature covers the message and then
/// `behind`.
pub(crate) fn sign<K: Credentials + ?Sized>(
    header: Header<'_>,
    payloads: &[Payload<'_>],
    credentials: &K,
    behind: &[&[u8]],
) -> Result<Vec<u8>, TicketError> {
    let blank = alloc::vec![0; credentials.signature_len()];
    let unsigned = Payload::Sign(Sign::new(credentials.s_type(), &blank)?);
    let payloads = [payloads, &[unsigned]].concat();
    let mut octets = RULES.compose(header, &payloads)?.to_vec();
    octets.truncate(octets.len().saturating_sub(blank.len()));
    let mut parts = alloc::vec![octets.as_slice()];
    parts.extend_from_slice(behind);
    let signature = credentials.sign(&parts)?;
    if signature.len() != blank.len() {
        return Err(TicketError::KeyUnavailable);
    }
    octets.extend_from_slice(&signature);
    Ok(octets)
}

fn tag(keys: &MessageKeys, octets: &[u8], hole: Range<usize>, behind: &[&[u8]]) -> Tag {
    let mut parts = covered(octets, &hole, keys.suite().mac().len()).to_vec();
    parts.extend_from_slice(behind);
    keys.mac(&parts)
}
