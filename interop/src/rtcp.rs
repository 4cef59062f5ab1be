//! Sender and receiver reports ([RFC 3550 §6.4]), each with the CNAME of who sends it.
//!
//! [RFC 3550 §6.4]: https://www.rfc-editor.org/rfc/rfc3550#section-6.4

use bytes::BytesMut;
use rtcp_types::{
    Compound, ReceiverReport, ReportBlock, RtcpPacketWriter, RtcpPacketWriterExt, RtcpWriteError,
    Sdes, SdesChunk, SdesItem, SenderReport,
};

use crate::rtp::{Header, RtpSource};

/// A sender report of what `source` sent so far, at `ntp` (seconds since 1900 in 32.32 bits).
///
/// # Errors
///
/// [`RtcpWriteError`] if `cname` is longer than 255 octets.
pub fn sender_report(
    source: &RtpSource,
    ntp: u64,
    cname: &str,
) -> Result<BytesMut, RtcpWriteError> {
    let report = SenderReport::builder(source.ssrc())
        .ntp_timestamp(ntp)
        .rtp_timestamp(source.timestamp())
        .packet_count(source.packets())
        .octet_count(source.octets());
    write(
        &Compound::builder()
            .add_packet(report)
            .add_packet(description(source.ssrc(), cname)),
    )
}

/// A receiver report by `ssrc` on what it received. Jitter is not measured and 0.
///
/// # Errors
///
/// [`RtcpWriteError`] if `cname` is longer than 255 octets.
pub fn receiver_report(
    ssrc: u32,
    reception: &mut Reception,
    cname: &str,
) -> Result<BytesMut, RtcpWriteError> {
    let report = ReceiverReport::builder(ssrc).add_report_block(reception.report());
    write(
        &Compound::builder()
            .add_packet(report)
            .add_packet(description(ssrc, cname)),
    )
}

/// What a receiver counts of one source ([RFC 3550 §6.4.1]).
///
/// [RFC 3550 §6.4.1]: https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1
#[derive(Debug)]
pub struct Reception {
    ssrc: u32,
    first: u32,
    highest: u32,
    received: u32,
    reported: (u32, u32),
}

impl Reception {
    /// Begins with the first packet that arrived.
    #[must_use]
    pub fn new(first: Header) -> Self {
        // One cycle up, so that a packet from before the first has a number too.
        let sequence_number = (1 << 16) + u32::from(first.sequence_number);
        Self {
            ssrc: first.ssrc,
            first: sequence_number,
            highest: sequence_number,
            received: 1,
            reported: (0, 0),
        }
    }

    /// Counts a further packet.
    pub fn count(&mut self, header: Header) {
        let [_, _, h0, h1] = self.highest.to_be_bytes();
        let ahead = header
            .sequence_number
            .wrapping_sub(u16::from_be_bytes([h0, h1]));
        if ahead < 1 << 15 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        } else {
            let behind = u32::from(ahead.wrapping_neg());
            self.first = self.first.min(self.highest.wrapping_sub(behind));
        }
        self.received = self.received.wrapping_add(1);
    }

    /// Packets that did not arrive.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.expected().saturating_sub(self.received)
    }

    const fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.first).wrapping_add(1)
    }

    fn report(&mut self) -> rtcp_types::ReportBlockBuilder {
        let (expected, received) = (self.expected(), self.received);
        let expected_since = expected.wrapping_sub(self.reported.0);
        let lost_since = expected_since.saturating_sub(received.wrapping_sub(self.reported.1));
        let fraction = u64::from(lost_since) * 256 / u64::from(expected_since.max(1));
        self.reported = (expected, received);
        ReportBlock::builder(self.ssrc)
            .fraction_lost(u8::try_from(fraction).unwrap_or(u8::MAX))
            .cumulative_lost(self.lost().min(0x7f_ffff))
            .extended_sequence_number(self.highest.wrapping_sub(1 << 16))
    }
}

fn description(ssrc: u32, cname: &str) -> rtcp_types::SdesBuilder<'_> {
    let chunk = SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, cname));
    Sdes::builder().add_chunk(chunk)
}

fn write(compound: &impl RtcpPacketWriter) -> Result<BytesMut, RtcpWriteError> {
    let mut packet = BytesMut::zeroed(compound.calculate_size()?);
    compound.write_into(&mut packet)?;
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence_number: u16) -> Header {
        Header {
            marker: false,
            payload_type: 0,
            sequence_number,
            timestamp: 0,
            ssrc: 7,
        }
    }

    #[test]
    fn losses_are_counted_across_a_wrap_and_reordering() {
        let mut reception = Reception::new(header(65_534));
        for sequence_number in [0, 65_535, 65_533, 3] {
            reception.count(header(sequence_number));
        }
        // Of 65533..=3 (seven), 1 and 2 are missing: 2/7 of 256 is 73.
        assert_eq!((reception.expected(), reception.lost()), (7, 2));
        let packet = receiver_report(9, &mut reception, "b@example").unwrap();
        let report = ReceiverReport::parse_first(&packet);
        assert_eq!(report, (7, 73, 2, (1 << 16) + 3));
    }

    #[test]
    fn the_fraction_lost_is_since_the_report_before() {
        let mut reception = Reception::new(header(1));
        reception.count(header(4));
        assert_eq!(fraction_lost(&mut reception), 128);
        reception.count(header(5));
        assert_eq!(fraction_lost(&mut reception), 0);
    }

    fn fraction_lost(reception: &mut Reception) -> u8 {
        let packet = receiver_report(9, reception, "b@example").unwrap();
        ReceiverReport::parse_first(&packet).1
    }

    trait ParseFirst {
        fn parse_first(packet: &[u8]) -> (u32, u8, u32, u32);
    }

    impl ParseFirst for ReceiverReport<'_> {
        fn parse_first(packet: &[u8]) -> (u32, u8, u32, u32) {
            let first = Compound::parse(packet).unwrap().next().unwrap().unwrap();
            let report = first.try_as::<ReceiverReport<'_>>().unwrap();
            let block = report.report_blocks().next().unwrap();
            (
                block.ssrc(),
                block.fraction_lost(),
                block.cumulative_lost(),
                block.extended_sequence_number(),
            )
        }
    }
}
