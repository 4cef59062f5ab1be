//! Which key opens a packet, and with which ROC.

use alloc::collections::BTreeMap;
use core::{fmt::Write as _, net::SocketAddr, ops::RangeInclusive};

use srtp::UnprotectError;

use super::candidates::Candidate;
use crate::capture::{Datagram, Skipped};

/// Searches for the ROC that a stream, opened or not, is worth: each may take as long as all the ROCs
/// that the user allows take, for each key.
const SEARCHES: u32 = 8;

/// ROCs that all streams together are worth.
const MAX_ROCS_TRIED: u64 = 1 << 24;

/// Packets of an open stream that are refused one after another before its ROC is searched for anew:
/// so many are no forgeries, but a gap of more than 2^15 packets.
const REFUSED_IN_A_ROW: u32 = 8;

/// Streams that are told apart.
const MAX_STREAMS: usize = 65_536;

/// What became of a datagram.
pub(super) enum Opened {
    Plain(Vec<u8>),
    Not,
}

/// All keys, and what was learnt of the streams.
pub(super) struct Opener {
    candidates: Vec<Candidate>,
    roc: u32,
    roc_search: u32,
    rocs_tried: u64,
    streams: BTreeMap<(SocketAddr, SocketAddr, u32), Stream>,
    counts: Counts,
}

#[derive(Default)]
struct Stream {
    /// Whose key opens it.
    candidate: Option<usize>,
    /// The ROC that its first packet had, if it was RTP.
    first_roc: Option<u32>,
    searches: u32,
    refused_in_a_row: u32,
    rtp: u64,
    rtcp: u64,
}

#[derive(Default)]
struct Counts {
    rtp: u64,
    rtcp: u64,
    refused: u64,
    replayed: u64,
    other: u64,
    cut: u64,
}

impl Opener {
    pub(super) fn new(candidates: Vec<Candidate>, roc: u32, roc_search: u32) -> Self {
        Self {
            candidates,
            roc,
            roc_search,
            rocs_tried: 0,
            streams: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// A frame without a datagram.
    pub(super) fn skipped(&mut self, skipped: Skipped) {
        match skipped {
            Skipped::Fragment | Skipped::Truncated => self.counts.cut += 1,
            Skipped::Link | Skipped::NotUdp => self.counts.other += 1,
        }
    }

    /// Opens `payload`, if it is SRTP or SRTCP of one of the keys.
    pub(super) fn open(&mut self, datagram: &Datagram, payload: &[u8]) -> Opened {
        let Some((ssrc, is_rtcp)) = media(payload) else {
            self.counts.other += 1;
            return Opened::Not;
        };
        let key = (datagram.source, datagram.destination, ssrc);
        if self.streams.len() == MAX_STREAMS && !self.streams.contains_key(&key) {
            self.counts.refused += 1;
            return Opened::Not;
        }
        let mut stream = self.streams.remove(&key).unwrap_or_default();
        let opened = if is_rtcp {
            self.open_rtcp(datagram, payload, &mut stream)
        } else {
            self.open_rtp(datagram, payload, ssrc, &mut stream)
        };
        let opened = match opened {
            Ok(plain) => {
                stream.refused_in_a_row = 0;
                let (own, all) = if is_rtcp {
                    (&mut stream.rtcp, &mut self.counts.rtcp)
                } else {
                    (&mut stream.rtp, &mut self.counts.rtp)
                };
                *own += 1;
                *all += 1;
                Opened::Plain(plain)
            }
            Err(UnprotectError::Replayed) => {
                self.counts.replayed += 1;
                Opened::Not
            }
            Err(_) => {
                stream.refused_in_a_row = stream.refused_in_a_row.saturating_add(1);
                self.counts.refused += 1;
                Opened::Not
            }
        };
        self.streams.insert(key, stream);
        opened
    }

    /// The keys to try: that of the stream, or those whose port it is, and then the others.
    fn order(&self, datagram: &Datagram, stream: &Stream) -> Vec<usize> {
        if let Some(known) = stream.candidate {
            return vec![known];
        }
        let port = datagram.destination.port();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for (index, candidate) in self.candidates.iter().enumerate() {
            if candidate.ports.contains(&port) {
                first.push(index);
            } else {
                others.push(index);
            }
        }
        first.append(&mut others);
        first
    }

    fn open_rtcp(
        &mut self,
        datagram: &Datagram,
        payload: &[u8],
        stream: &mut Stream,
    ) -> Result<Vec<u8>, UnprotectError> {
        let mut outcome = Err(UnprotectError::UnknownSsrc);
        for index in self.order(datagram, stream) {
            let Some(candidate) = self.candidates.get_mut(index) else {
                continue;
            };
            let mut packet = payload.to_vec();
            match candidate.receiver.unprotect_rtcp_in_place(&mut packet) {
                Ok(len) => {
                    packet.truncate(len);
                    stream.candidate = Some(index);
                    return Ok(packet);
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    fn open_rtp(
        &mut self,
        datagram: &Datagram,
        payload: &[u8],
        ssrc: u32,
        stream: &mut Stream,
    ) -> Result<Vec<u8>, UnprotectError> {
        let order = self.order(datagram, stream);
        // Behind a gap the index is estimated too low, and seems to be an old one.
        let is_astray = |error| matches!(error, UnprotectError::Forged | UnprotectError::TooOld);
        let mut refused = UnprotectError::UnknownSsrc;
        for &index in &order {
            if stream.rtp == 0 && self.roc > 0 {
                self.find_roc(index, payload, ssrc, self.roc..=self.roc);
            }
            match self.unprotect(index, payload, ssrc, stream) {
                Err(UnprotectError::Replayed) => return Err(UnprotectError::Replayed),
                // Another key may fit; a search is worth it if one of them may.
                Err(error) if !is_astray(refused) => refused = error,
                Err(_) => {}
                Ok(plain) => return Ok(plain),
            }
        }
        let lost = stream.rtp == 0 || stream.refused_in_a_row >= REFUSED_IN_A_ROW;
        let spent = stream.searches == SEARCHES || self.rocs_tried >= MAX_ROCS_TRIED;
        if !is_astray(refused) || !lost || spent || self.roc_search == 0 {
            return Err(refused);
        }
        stream.searches += 1;
        for index in order {
            let candidate = self.candidates.get(index);
            let known = candidate.and_then(|candidate| candidate.receiver.stream(ssrc));
            let first = known.map_or(self.roc, |stream| stream.roc);
            let last = first.saturating_add(self.roc_search);
            self.rocs_tried += 1 + u64::from(self.roc_search);
            if self.find_roc(index, payload, ssrc, first..=last) {
                return self.unprotect(index, payload, ssrc, stream);
            }
        }
        Err(refused)
    }

    /// Whether one of `rocs` is that of `payload`; the stream then goes on with it.
    fn find_roc(
        &mut self,
        index: usize,
        payload: &[u8],
        ssrc: u32,
        rocs: RangeInclusive<u32>,
    ) -> bool {
        self.candidates.get_mut(index).is_some_and(|candidate| {
            let found = candidate.receiver.find_roc(payload, rocs);
            found.is_ok_and(|found| candidate.receiver.set_roc(ssrc, found.roc).is_ok())
        })
    }

    fn unprotect(
        &mut self,
        index: usize,
        payload: &[u8],
        ssrc: u32,
        stream: &mut Stream,
    ) -> Result<Vec<u8>, UnprotectError> {
        let candidate = self
            .candidates
            .get_mut(index)
            .ok_or(UnprotectError::UnknownSsrc)?;
        let mut packet = payload.to_vec();
        let len = candidate.receiver.unprotect_rtp_in_place(&mut packet)?;
        packet.truncate(len);
        stream.candidate = Some(index);
        if stream.first_roc.is_none() {
            stream.first_roc = candidate.receiver.stream(ssrc).map(|stream| stream.roc);
        }
        Ok(packet)
    }

    /// Whether no packet was opened.
    pub(super) const fn is_in_vain(&self) -> bool {
        self.counts.rtp == 0 && self.counts.rtcp == 0
    }

    /// A line for each stream that was opened, and one for all.
    pub(super) fn report(&self) -> String {
        let mut out = String::new();
        let mut opened = 0_u64;
        for ((source, destination, ssrc), stream) in &self.streams {
            let Some(candidate) = stream
                .candidate
                .and_then(|index| self.candidates.get(index))
            else {
                continue;
            };
            opened += 1;
            let roc = match stream.first_roc {
                Some(roc) => format!(", from ROC {roc}"),
                None => String::new(),
            };
            // Writing to a String does not fail.
            let _ = writeln!(
                out,
                "SSRC 0x{ssrc:08x}, {source} to {destination}, {}: {} RTP, {} RTCP{roc}",
                candidate.name, stream.rtp, stream.rtcp
            );
        }
        let counts = &self.counts;
        let _ = writeln!(
            out,
            "{} RTP and {} RTCP packets of {opened} streams decrypted; {} refused, {} replayed, \
             {} cut short, {} of other kinds",
            counts.rtp, counts.rtcp, counts.refused, counts.replayed, counts.cut, counts.other
        );
        out
    }
}

/// The SSRC of an RTP or RTCP packet, and which of the two it is ([RFC 5761 §4], [RFC 7983 §7]).
///
/// [RFC 5761 §4]: https://www.rfc-editor.org/rfc/rfc5761#section-4
/// [RFC 7983 §7]: https://www.rfc-editor.org/rfc/rfc7983#section-7
fn media(payload: &[u8]) -> Option<(u32, bool)> {
    let [128..=191, kind, ..] = payload else {
        return None;
    };
    let is_rtcp = matches!(kind, 192..=223);
    let at = if is_rtcp { 4 } else { 8 };
    let ssrc = payload.get(at..)?.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*ssrc), is_rtcp))
}
