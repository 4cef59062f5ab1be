use alloc::vec::Vec;

use super::{OCTET_STRING, OID};
use crate::oid::Oid;

/// Appends identifier and length octets.
pub(crate) fn header(out: &mut Vec<u8>, tag: u8, len: u64) {
    out.push(tag);
    let octets = len.to_be_bytes();
    let skip = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(skip..).unwrap_or_default();
    match (significant.len(), significant) {
        (0, _) => out.push(0),
        (1, [short]) if *short < 0x80 => out.push(*short),
        (count, _) => {
            out.push(u8::try_from(count).map_or(0x88, |count| 0x80 | count));
            out.extend_from_slice(significant);
        }
    }
}

/// Octets that [`header`] writes.
pub(crate) fn header_len(len: u64) -> u64 {
    if len < 0x80 {
        2
    } else {
        2 + u64::from((u64::BITS - len.leading_zeros()).div_ceil(8))
    }
}

/// Appends an element.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    header(out, tag, u64::try_from(contents.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(contents);
}

/// An element by itself.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.len() + 10);
    put(&mut out, tag, contents);
    out
}

pub(crate) fn oid(out: &mut Vec<u8>, oid: &Oid) {
    put(out, OID, oid.as_octets());
}

pub(crate) fn octet_string(out: &mut Vec<u8>, contents: &[u8]) {
    put(out, OCTET_STRING, contents);
}

/// Puts encoded members in the order of DER (X.690 §11.6).
///
/// Encodings are never a prefix of each other, so that the order of slices is the order asked
/// for.
pub(crate) fn sort_set_of(members: &mut [Vec<u8>]) {
    members.sort_unstable();
}
