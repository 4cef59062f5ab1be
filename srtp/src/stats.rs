use crate::error::UnprotectError;

/// What became of the packets of one stream, SRTP and SRTCP together.
///
/// A sender counts `packets` and `octets` only.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamStats {
    /// Packets protected or opened.
    pub packets: u64,
    /// Octets of these packets, unprotected.
    pub octets: u64,
    /// Packets refused because their tag was wrong.
    pub forged: u64,
    /// Packets refused because they were accepted before.
    pub replayed: u64,
    /// Packets refused because they lay left of the replay window.
    pub too_old: u64,
    /// Packets refused for any other reason.
    pub refused: u64,
}

impl StreamStats {
    #[inline]
    pub(crate) const fn note_done(&mut self, octets: usize) {
        self.packets += 1;
        self.octets += octets_of(octets);
    }

    pub(crate) const fn note_refused(&mut self, error: UnprotectError) {
        match error {
            UnprotectError::Forged => self.forged += 1,
            UnprotectError::Replayed => self.replayed += 1,
            UnprotectError::TooOld => self.too_old += 1,
            _ => self.refused += 1,
        }
    }
}

#[expect(
    clippy::as_conversions,
    reason = "no packet has 2^64 octets, and `From` is not const"
)]
const fn octets_of(len: usize) -> u64 {
    len as u64
}

/// What became of the packets that a receiver was given and that belong to no stream.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UnmatchedStats {
    /// Packets whose tag was wrong, of SSRCs without a stream.
    pub forged: u64,
    /// Packets that were no RTP or RTCP at all, or too short for their tag.
    pub malformed: u64,
    /// Packets of SSRCs for which there was no room.
    pub stream_limit: u64,
    /// Packets of SSRCs that are neither named nor allowed.
    pub unknown_ssrc: u64,
    /// Packets refused for any other reason.
    pub refused: u64,
}

impl UnmatchedStats {
    pub(crate) const fn note_refused(&mut self, error: UnprotectError) {
        match error {
            UnprotectError::Forged => self.forged += 1,
            UnprotectError::HeaderOverrun
            | UnprotectError::TooLong
            | UnprotectError::TooShort
            | UnprotectError::Version => self.malformed += 1,
            UnprotectError::StreamLimit => self.stream_limit += 1,
            UnprotectError::UnknownSsrc => self.unknown_ssrc += 1,
            _ => self.refused += 1,
        }
    }
}
