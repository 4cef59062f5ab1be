//! One end of the call: a socket, a sender and a receiver.

use core::{net::SocketAddr, time::Duration};
use std::{
    collections::BTreeMap,
    io,
    net::UdpSocket,
    time::{SystemTime, UNIX_EPOCH},
};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use interop::{
    rtcp::{self, Reception},
    rtp::{self, Header, RtpSource},
};
use rtcp_types::{Compound, Packet};
use srtp::{Receiver, Sender, UnprotectError};

use crate::{CallError, keying::End};

/// A datagram that has not come after this long will not come.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest datagram of these calls: a report or 20 ms of audio, with room to spare.
const MAX_DATAGRAM: usize = 1500;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_UNIX_EPOCH: u64 = 2_208_988_800;

/// Packets by which another may be overtaken.
const REPLAY_WINDOW: u32 = 128;

/// A socket on loopback that waits for a datagram, but not for ever.
pub(crate) fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

/// Someone who sends audio and reports, and receives those of the peer.
pub(crate) struct UserAgent {
    pub(crate) name: &'static str,
    socket: UdpSocket,
    peer: SocketAddr,
    sender: Sender,
    receiver: Receiver,
    pub(crate) source: RtpSource,
    reception: Option<Reception>,
    first_timestamp: u32,
    frames: BTreeMap<i32, Vec<i16>>,
    pub(crate) counts: Counts,
}

/// What was received and refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) rtp: usize,
    pub(crate) rtcp: usize,
    pub(crate) forged: usize,
    pub(crate) replayed: usize,
    pub(crate) otherwise_refused: usize,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Received {
    Audio,
    Report,
    Refused,
}

impl UserAgent {
    /// Begins with these numbers.
    pub(crate) fn new(end: End, sequence_number: u16, timestamp: u32) -> Result<Self, CallError> {
        let sender = Sender::from_source(&end.keys)?;
        let receiver = Receiver::builder(&end.keys)
            .replay_window(REPLAY_WINDOW)
            .any_ssrc(1)
            .build()?;
        Ok(Self {
            name: end.name,
            socket: end.socket,
            peer: end.peer,
            sender,
            receiver,
            source: RtpSource::new(end.ssrc, sequence_number, timestamp),
            reception: None,
            first_timestamp: 0,
            frames: BTreeMap::new(),
            counts: Counts::default(),
        })
    }

    /// The next SRTP packet, with `samples` in G.711.
    pub(crate) fn audio(&mut self, samples: &[i16]) -> Result<BytesMut, CallError> {
        let payload: Vec<u8> = samples.iter().copied().map(encode_ulaw).collect();
        let mut packet = self.source.packet(&payload);
        self.sender.protect_rtp(&mut packet)?;
        Ok(packet)
    }

    /// A sender report as SRTCP packet.
    pub(crate) fn sender_report(&mut self) -> Result<BytesMut, CallError> {
        let mut packet = rtcp::sender_report(&self.source, ntp_now(), &self.cname())?;
        self.sender.protect_rtcp(&mut packet)?;
        Ok(packet)
    }

    /// A receiver report on what came so far, as SRTCP packet.
    pub(crate) fn receiver_report(&mut self) -> Result<BytesMut, CallError> {
        let (ssrc, cname) = (self.source.ssrc(), self.cname());
        let reception = self.reception.as_mut().ok_or(CallError::NoReport)?;
        let mut packet = rtcp::receiver_report(ssrc, reception, &cname)?;
        self.sender.protect_rtcp(&mut packet)?;
        Ok(packet)
    }

    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, self.peer).map(drop)
    }

    /// Waits for one datagram and takes it in, or refuses it.
    pub(crate) fn receive(&mut self) -> Result<Received, CallError> {
        let mut packet = self.datagram()?;
        let is_rtcp = rtp::is_rtcp(&packet);
        let accepted = if is_rtcp {
            self.receiver.unprotect_rtcp(&mut packet)
        } else {
            self.receiver.unprotect_rtp(&mut packet)
        };
        match accepted {
            Ok(()) if is_rtcp => {
                self.counts.rtcp += 1;
                return Ok(Received::Report);
            }
            Ok(()) => {
                self.counts.rtp += 1;
                self.play(&packet);
                return Ok(Received::Audio);
            }
            Err(UnprotectError::Forged) => self.counts.forged += 1,
            Err(UnprotectError::Replayed) => self.counts.replayed += 1,
            Err(_) => self.counts.otherwise_refused += 1,
        }
        Ok(Received::Refused)
    }

    /// Receives the peer's receiver report: the packets it has lost so far.
    pub(crate) fn receive_report(&mut self) -> Result<u32, CallError> {
        let mut packet = self.datagram()?;
        self.receiver.unprotect_rtcp(&mut packet)?;
        for part in Compound::parse(&packet)? {
            if let Packet::Rr(report) = part? {
                return Ok(report
                    .report_blocks()
                    .map(|block| block.cumulative_lost())
                    .sum());
            }
        }
        Err(CallError::NoReport)
    }

    /// The rollover counter of the peer's stream.
    pub(crate) fn roc(&self) -> u32 {
        self.receiver
            .streams()
            .next()
            .map_or(0, |stream| stream.roc)
    }

    /// The samples that came with this RTP timestamp, if any did.
    pub(crate) fn frame(&self, timestamp: u32) -> Option<Vec<i16>> {
        self.frames.get(&self.position(timestamp)).cloned()
    }

    /// All that came, in order, with silence where packets are missing.
    pub(crate) fn heard(&self) -> Vec<i16> {
        let mut audio = Vec::new();
        let begin = self.frames.keys().next().copied().unwrap_or(0);
        for (position, samples) in &self.frames {
            let at = usize::try_from(position.wrapping_sub(begin)).unwrap_or(usize::MAX);
            audio.resize(audio.len().max(at), 0);
            audio.extend(samples);
        }
        audio
    }

    fn play(&mut self, packet: &[u8]) {
        let Some(header) = Header::read(packet) else {
            return;
        };
        let payload = packet.get(rtp::HEADER_LEN..).unwrap_or_default();
        if let Some(reception) = &mut self.reception {
            reception.count(header);
        } else {
            self.first_timestamp = header.timestamp;
            self.reception = Some(Reception::new(header));
        }
        let samples = payload.iter().copied().map(decode_ulaw).collect();
        self.frames.insert(self.position(header.timestamp), samples);
    }

    /// Samples between the first packet that came and this timestamp; the latter may be earlier.
    const fn position(&self, timestamp: u32) -> i32 {
        timestamp.wrapping_sub(self.first_timestamp).cast_signed()
    }

    fn datagram(&self) -> Result<BytesMut, CallError> {
        let mut packet = BytesMut::zeroed(MAX_DATAGRAM);
        let received = self.socket.recv(&mut packet);
        packet.truncate(received.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => CallError::Silence(self.name),
            _ => error.into(),
        })?);
        Ok(packet)
    }

    fn cname(&self) -> String {
        format!("{}@example.com", self.name.to_lowercase())
    }
}

fn ntp_now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    (now.as_secs() + NTP_UNIX_EPOCH) << 32 | fraction
}
