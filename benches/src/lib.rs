//! What the benchmarks share.

pub mod contest;

use bytes::{BufMut, BytesMut};

/// The payloads measured, in octets: a codec frame at a low rate, 20 ms of G.711, a video packet.
pub const PAYLOADS: [usize; 3] = [20, 160, 1200];

/// An RTP packet without CSRC list and extension.
#[must_use]
pub fn rtp_packet(ssrc: u32, sequence_number: u16, payload: usize) -> BytesMut {
    let mut packet = BytesMut::with_capacity(12 + payload);
    packet.put_slice(&[0x80, 0]);
    packet.put_u16(sequence_number);
    packet.put_u32(0);
    packet.put_u32(ssrc);
    packet.put_bytes(0xd5, payload);
    packet
}
