//! What SRTP needs to know of an RTP or RTCP packet.

/// Octets of the fixed RTP header ([RFC 3550 §5.1]).
///
/// [RFC 3550 §5.1]: https://www.rfc-editor.org/rfc/rfc3550#section-5.1
pub(crate) const RTP_HEADER_LEN: usize = 12;

/// Octets of the RTCP header that stay in clear: the common header and the sender's SSRC.
pub(crate) const RTCP_HEADER_LEN: usize = 8;

/// Most octets of a packet, protected or not: what a UDP datagram or an RFC 4571 frame can hold.
pub(crate) const MAX_PACKET_LEN: usize = 65_535;

/// The RTP header of a packet ([RFC 3550 §5.1]).
///
/// [RFC 3550 §5.1]: https://www.rfc-editor.org/rfc/rfc3550#section-5.1
#[derive(Clone, Copy, Debug)]
pub(crate) struct RtpHeader {
    /// Sequence number.
    pub(crate) seq: u16,
    /// Synchronisation source.
    pub(crate) ssrc: u32,
    /// Octets of the CSRC list.
    pub(crate) csrc_len: usize,
    /// The "defined by profile" field and the octets of the body of the header extension.
    pub(crate) extension: Option<(u16, usize)>,
}

/// Why octets are no RTP or RTCP packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Malformed {
    HeaderOverrun,
    TooLong,
    TooShort,
    Version,
}

impl RtpHeader {
    /// Reads the header of `packet`, at whose end `trailer` octets belong to SRTP; how many may
    /// depend on the sequence number.
    #[inline]
    pub(crate) fn parse(
        packet: &[u8],
        trailer: impl FnOnce(u16) -> usize,
    ) -> Result<Self, Malformed> {
        let fixed = packet
            .first_chunk::<RTP_HEADER_LEN>()
            .ok_or(Malformed::TooShort)?;
        if fixed[0] >> 6 != 2 {
            return Err(Malformed::Version);
        }
        if packet.len() > MAX_PACKET_LEN {
            return Err(Malformed::TooLong);
        }
        let csrc_len = usize::from(fixed[0] & 0x0f) * 4;
        let mut header = Self {
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            csrc_len,
            extension: None,
        };
        if fixed[0] & 0x10 != 0 {
            let start = RTP_HEADER_LEN + csrc_len;
            let extension = packet.get(start..).and_then(|rest| rest.first_chunk::<4>());
            let [p0, p1, l0, l1] = *extension.ok_or(Malformed::HeaderOverrun)?;
            let words = u16::from_be_bytes([l0, l1]);
            header.extension = Some((u16::from_be_bytes([p0, p1]), usize::from(words) * 4));
        }
        let end = packet
            .len()
            .checked_sub(trailer(header.seq))
            .ok_or(Malformed::TooShort)?;
        if end < RTP_HEADER_LEN {
            return Err(Malformed::TooShort);
        }
        if end < header.len() {
            return Err(Malformed::HeaderOverrun);
        }
        Ok(header)
    }

    /// Octets of the header, with CSRC list and header extension.
    pub(crate) const fn len(&self) -> usize {
        RTP_HEADER_LEN
            + self.csrc_len
            + match self.extension {
                Some((_, body)) => 4 + body,
                None => 0,
            }
    }
}

/// The SSRC of the first header of a compound RTCP packet, which may be of any type ([RFC 5506]).
///
/// [RFC 5506]: https://www.rfc-editor.org/rfc/rfc5506
pub(crate) fn rtcp_ssrc(packet: &[u8], trailer: usize) -> Result<u32, Malformed> {
    let fixed = packet
        .first_chunk::<RTCP_HEADER_LEN>()
        .ok_or(Malformed::TooShort)?;
    if fixed[0] >> 6 != 2 {
        return Err(Malformed::Version);
    }
    if packet.len() > MAX_PACKET_LEN {
        return Err(Malformed::TooLong);
    }
    if packet.len() < RTCP_HEADER_LEN + trailer {
        return Err(Malformed::TooShort);
    }
    Ok(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]))
}

#[cfg(test)]
mod tests {
    //! Self-consistency: every bound of the header.

    use super::{Malformed, RtpHeader, rtcp_ssrc};

    #[test]
    fn every_part_must_fit_in_front_of_the_trailer() {
        let mut packet = [0_u8; 12 + 60 + 4 + 8];
        packet[0] = 0x9f;
        packet[75] = 2;
        let header = RtpHeader::parse(&packet, |_| 0).unwrap();
        assert_eq!(
            (header.csrc_len, header.extension, header.len()),
            (60, Some((0, 8)), 84)
        );
        assert_eq!(
            RtpHeader::parse(&packet, |_| 1).unwrap_err(),
            Malformed::HeaderOverrun
        );
        packet[74] = 0xff;
        assert_eq!(
            RtpHeader::parse(&packet, |_| 0).unwrap_err(),
            Malformed::HeaderOverrun
        );
        for len in 0..76 {
            let expected = if len < 12 {
                Malformed::TooShort
            } else {
                Malformed::HeaderOverrun
            };
            assert_eq!(
                RtpHeader::parse(&packet[..len], |_| 0).unwrap_err(),
                expected,
                "{len}"
            );
        }
        assert_eq!(
            RtpHeader::parse(&packet, |_| 84).unwrap_err(),
            Malformed::TooShort
        );
        assert_eq!(
            RtpHeader::parse(&packet, |_| usize::MAX).unwrap_err(),
            Malformed::TooShort
        );
        packet[0] = 0x5f;
        assert_eq!(
            RtpHeader::parse(&packet, |_| 0).unwrap_err(),
            Malformed::Version
        );
    }

    #[test]
    fn rtcp_needs_a_header_in_front_of_the_trailer() {
        let packet = [0x80, 201, 0, 1, 1, 2, 3, 4, 0, 0, 0, 0];
        assert_eq!(rtcp_ssrc(&packet, 4), Ok(0x0102_0304));
        assert_eq!(rtcp_ssrc(&packet, 5), Err(Malformed::TooShort));
        assert_eq!(rtcp_ssrc(&packet[..7], 0), Err(Malformed::TooShort));
        assert_eq!(rtcp_ssrc(&[0; 8], 0), Err(Malformed::Version));
        assert_eq!(
            rtcp_ssrc(&alloc::vec![0x80; 65_536], 0),
            Err(Malformed::TooLong)
        );
    }
}
