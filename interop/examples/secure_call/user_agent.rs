//! The two ends of the call: each a socket, a sender and a receiver.

use core::{net::SocketAddr, time::Duration};
use std::{
    collections::BTreeMap,
    io,
    net::UdpSocket,
    time::{SystemTime, UNIX_EPOCH},
};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use getrandom::rand_core::Rng;
use interop::{
    rtcp::{self, Reception},
    rtp::{self, Header, RtpSource},
};
use rtcp_types::{Compound, Packet};
use srtp::{Receiver, Sender, UnprotectError, keying::MasterKeySource};

use crate::CallError;

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

/// The side that offers, and sends audio and sender reports.
pub(crate) struct Caller {
    socket: UdpSocket,
    sender: Sender,
    receiver: Receiver,
    pub(crate) source: RtpSource,
}

impl Caller {
    pub(crate) fn new(
        socket: UdpSocket,
        peer: SocketAddr,
        keys: &impl MasterKeySource,
        source: RtpSource,
    ) -> Result<Self, CallError> {
        socket.connect(peer)?;
        let sender = Sender::from_source(keys)?;
        let receiver = Receiver::builder(keys).any_ssrc(1).build()?;
        Ok(Self {
            socket,
            sender,
            receiver,
            source,
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
    pub(crate) fn report(&mut self) -> Result<BytesMut, CallError> {
        let mut packet = rtcp::sender_report(&self.source, ntp_now(), "alice@example.com")?;
        self.sender.protect_rtcp(&mut packet)?;
        Ok(packet)
    }

    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send(datagram).map(drop)
    }

    /// Receives the peer's receiver report: the packets it has lost so far.
    pub(crate) fn receive_report(&mut self) -> Result<u32, CallError> {
        let mut packet = receive(&self.socket)?;
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
}

/// The side that answers, and receives.
pub(crate) struct Callee {
    socket: UdpSocket,
    sender: Sender,
    receiver: Receiver,
    ssrc: u32,
    reception: Option<Reception>,
    first_timestamp: u32,
    frames: BTreeMap<i32, Vec<i16>>,
    pub(crate) counts: Counts,
}

/// What the callee received and refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) rtp: usize,
    pub(crate) rtcp: usize,
    pub(crate) forged: usize,
    pub(crate) replayed: usize,
    pub(crate) otherwise_refused: usize,
}

/// A datagram that the callee received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Received {
    Audio,
    Report,
    Refused,
}

impl Callee {
    pub(crate) fn new(
        socket: UdpSocket,
        peer: SocketAddr,
        keys: &impl MasterKeySource,
        rng: &mut impl Rng,
    ) -> Result<Self, CallError> {
        socket.connect(peer)?;
        let sender = Sender::from_source(keys)?;
        let receiver = Receiver::builder(keys)
            .replay_window(REPLAY_WINDOW)
            .any_ssrc(1)
            .build()?;
        Ok(Self {
            socket,
            sender,
            receiver,
            ssrc: rng.next_u32(),
            reception: None,
            first_timestamp: 0,
            frames: BTreeMap::new(),
            counts: Counts::default(),
        })
    }

    /// Waits for one datagram and takes it in, or refuses it.
    pub(crate) fn receive(&mut self) -> Result<Received, CallError> {
        let mut packet = receive(&self.socket)?;
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

    /// Sends a receiver report on what came so far.
    pub(crate) fn report(&mut self) -> Result<(), CallError> {
        let reception = self.reception.as_mut().ok_or(CallError::NoReport)?;
        let mut packet = rtcp::receiver_report(self.ssrc, reception, "bob@example.com")?;
        self.sender.protect_rtcp(&mut packet)?;
        self.socket.send(&packet)?;
        Ok(())
    }

    /// The rollover counter of Alice's stream.
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
    pub(crate) fn audio(&self) -> Vec<i16> {
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
}

fn receive(socket: &UdpSocket) -> Result<BytesMut, CallError> {
    let mut packet = BytesMut::zeroed(MAX_DATAGRAM);
    let len = socket.recv(&mut packet).map_err(CallError::Receive)?;
    packet.truncate(len);
    Ok(packet)
}

fn ntp_now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    (now.as_secs() + NTP_UNIX_EPOCH) << 32 | fraction
}
