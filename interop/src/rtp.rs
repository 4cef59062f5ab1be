//! RTP packets ([RFC 3550 §5.1]) of one source, and their header as a receiver reads it.
//!
//! The header is written by hand: twelve octets, no options. A crate for it would be more code than
//! this file.
//!
//! [RFC 3550 §5.1]: https://www.rfc-editor.org/rfc/rfc3550#section-5.1

use bytes::{BufMut, BytesMut};

/// The payload type of G.711 mu-law at 8 kHz ([RFC 3551 §6]).
///
/// [RFC 3551 §6]: https://www.rfc-editor.org/rfc/rfc3551#section-6
pub const PCMU: u8 = 0;

/// Octets of a header without CSRC list and extension.
pub const HEADER_LEN: usize = 12;

const VERSION_2: u8 = 0x80;
const MARKER: u8 = 0x80;

/// One synchronisation source: makes packets, counts what it sent.
///
/// ```
/// use interop::rtp::{Header, RtpSource};
///
/// let mut source = RtpSource::new(0x1234_5678, 65_535, 160);
/// source.packet(&[0xff; 160]);
/// let second = source.packet(&[0xff; 160]);
/// let header = Header::read(&second).ok_or("too short")?;
/// assert_eq!((header.sequence_number, header.timestamp, header.marker), (0, 320, false));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct RtpSource {
    ssrc: u32,
    sequence_number: u16,
    timestamp: u32,
    packets: u32,
    octets: u32,
}

impl RtpSource {
    /// A source that begins at these numbers.
    #[must_use]
    pub const fn new(ssrc: u32, sequence_number: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence_number,
            timestamp,
            packets: 0,
            octets: 0,
        }
    }

    /// The next packet, with one sample an octet of `payload`. The first has the marker.
    pub fn packet(&mut self, payload: &[u8]) -> BytesMut {
        let samples = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut packet = BytesMut::with_capacity(HEADER_LEN + payload.len());
        packet.put_u8(VERSION_2);
        packet.put_u8(if self.packets == 0 {
            MARKER | PCMU
        } else {
            PCMU
        });
        packet.put_u16(self.sequence_number);
        packet.put_u32(self.timestamp);
        packet.put_u32(self.ssrc);
        packet.put_slice(payload);
        self.sequence_number = self.sequence_number.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(samples);
        packet
    }

    /// The SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The sequence number of the next packet.
    #[must_use]
    pub const fn sequence_number(&self) -> u16 {
        self.sequence_number
    }

    /// The timestamp of the next packet.
    #[must_use]
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Packets made so far.
    #[must_use]
    pub const fn packets(&self) -> u32 {
        self.packets
    }

    /// Payload octets made so far.
    #[must_use]
    pub const fn octets(&self) -> u32 {
        self.octets
    }
}

/// The fixed header of a packet that the SRTP engine has accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// M.
    pub marker: bool,
    /// PT.
    pub payload_type: u8,
    /// SEQ.
    pub sequence_number: u16,
    /// The sampling instant of the first sample.
    pub timestamp: u32,
    /// SSRC.
    pub ssrc: u32,
}

impl Header {
    /// Reads the fixed header; `None` if the packet is shorter than that.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<Self> {
        let ([_, m_pt, s0, s1, t0, t1, t2, t3, x0, x1, x2, x3], _) =
            packet.split_first_chunk::<HEADER_LEN>()?;
        Some(Self {
            marker: m_pt & MARKER != 0,
            payload_type: m_pt & !MARKER,
            sequence_number: u16::from_be_bytes([*s0, *s1]),
            timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
            ssrc: u32::from_be_bytes([*x0, *x1, *x2, *x3]),
        })
    }
}

/// Whether a datagram of a port that carries both is RTCP ([RFC 5761 §4]).
///
/// [RFC 5761 §4]: https://www.rfc-editor.org/rfc/rfc5761#section-4
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram
        .get(1)
        .is_some_and(|packet_type| (192..=223).contains(packet_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_as_rfc_3550_draws_it() {
        let mut source = RtpSource::new(0xdead_beef, 0x0102, 0x0304_0506);
        let packet = source.packet(&[0xaa, 0xbb]);
        assert_eq!(
            packet,
            hex_literal::hex!("80 80 0102 03040506 deadbeef aabb")[..]
        );
    }

    #[test]
    fn rtp_with_marker_is_not_taken_for_rtcp() {
        assert!(!is_rtcp(&[0x80, 0x80]));
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x81, 201]));
        assert!(!is_rtcp(&[]));
    }
}
