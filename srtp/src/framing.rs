//! Where the parts of a protected packet lie: one packet, its keys and its index in, the other
//! form of the packet out. No state.

pub(crate) mod rtcp;
mod rtp;

pub(crate) use rtcp::RtcpPacket;
pub(crate) use rtp::{RtpPacket, Trailer, Unsigned};

use crate::header_extension::{CRYPTEX_GROWTH, ElementIds};
use crate::keying::{Parameters, Profile};

/// What all packets of one direction of a session have in common.
#[derive(Clone, Debug)]
pub(crate) struct Framing {
    pub(crate) profile: Profile,
    pub(crate) parameters: Parameters,
    pub(crate) mki_len: usize,
    pub(crate) cryptex: Cryptex,
    pub(crate) element_ids: ElementIds,
}

impl Framing {
    /// Octets by which an SRTP packet is longer than its RTP packet, at most.
    #[inline]
    pub(crate) fn srtp_overhead(&self) -> usize {
        let cryptex = match self.cryptex {
            Cryptex::Off => 0,
            Cryptex::Enabled | Cryptex::Required => CRYPTEX_GROWTH,
        };
        cryptex + Trailer::longest(self)
    }
}

/// Whether CSRC lists and header extensions are encrypted as a whole ([RFC 9335]).
///
/// [RFC 9335]: https://www.rfc-editor.org/rfc/rfc9335
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cryptex {
    /// Never: a sender does not use it, a receiver refuses packets that do.
    #[default]
    Off,
    /// A sender encrypts each CSRC list and header extension, a receiver takes both kinds.
    Enabled,
    /// As [`Enabled`](Self::Enabled), and a receiver refuses packets that have a CSRC list or a
    /// header extension in clear.
    Required,
}

/// The packet does not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OpenError {
    Forged,
    TooShort,
}

/// Writes the first `len` octets of `mac` at `at` and returns where they end.
#[inline]
pub(crate) fn put_mac(buffer: &mut [u8], at: usize, mac: &[u8; 20], len: usize) -> Option<usize> {
    if len == 10 {
        // Nearly always; as two numbers.
        let slot = buffer.get_mut(at..)?.first_chunk_mut::<10>()?;
        let (head, last) = slot.split_first_chunk_mut::<8>()?;
        *head = *mac.first_chunk()?;
        *last.first_chunk_mut::<2>()? = [mac[8], mac[9]];
        return Some(at + 10);
    }
    put(buffer, at, mac.get(..len)?)
}

/// Writes `octets` at `at` and returns where they end.
fn put(buffer: &mut [u8], at: usize, octets: &[u8]) -> Option<usize> {
    let end = at + octets.len();
    buffer.get_mut(at..end)?.copy_from_slice(octets);
    Some(end)
}
