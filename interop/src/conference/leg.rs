use core::net::SocketAddr;
use std::{io, net::UdpSocket};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use srtp::keying::{KeySet, MasterKeySource};
use srtp::{Builder, ProtectError, Receiver, Rekey, Sender, SessionError, UnprotectError};

use crate::rtp::{self, RtpSource};

/// Longest datagram: 20 ms of audio, with room to spare.
const MAX_DATAGRAM: usize = 1500;

/// Datagrams that are refused while one is waited for.
const MAX_REFUSED: usize = 16;

/// Packets of a stream after which nobody begins to listen to it: 15 minutes (TR 33.829 §5.3.2.1). Far
/// enough from the first roll-over that no joiner sees the ROC at 1 who has heard nothing at 0.
const TOO_OLD: u16 = 45_000;

/// Packets under new keys after which the old ones are dropped.
const GRACE: u32 = 8;

/// No media.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum LegError {
    /// The network.
    #[error("network: {0}")]
    Io(#[from] io::Error),
    /// A packet is not protected.
    #[error("SRTP: {0}")]
    Protect(#[from] ProtectError),
    /// All that came was refused; the last for this reason.
    #[error("SRTP: {0}")]
    Refused(#[from] UnprotectError),
    /// Keys cannot be used.
    #[error("SRTP: {0}")]
    Session(#[from] SessionError),
    /// Nothing came for two seconds.
    #[error("nothing comes from the peer")]
    Silence,
}

/// What one sends: its own SSRC, and the keys.
///
/// It begins with sequence number 0, so that the ROC is 0 for 65,536 packets, which is 21 minutes.
#[derive(Debug)]
pub struct Outbound {
    sender: Sender,
    source: RtpSource,
}

impl Outbound {
    /// A stream with this SSRC.
    ///
    /// # Errors
    ///
    /// [`SessionError`] for keys of another SSRC.
    pub fn new(keys: &KeySet, ssrc: u32) -> Result<Self, SessionError> {
        let sender = Builder::<Sender>::new(keys.duplicate()).ssrc(ssrc, 0);
        Ok(Self {
            sender: sender.build()?,
            source: RtpSource::new(ssrc, 0, 0),
        })
    }

    /// The next packet, protected, with `samples` in G.711.
    ///
    /// # Errors
    ///
    /// [`ProtectError`] when the key is used up.
    pub fn packet(&mut self, samples: &[i16]) -> Result<BytesMut, ProtectError> {
        let payload: Vec<u8> = samples.iter().copied().map(encode_ulaw).collect();
        let mut packet = self.source.packet(&payload);
        self.sender.protect_rtp(&mut packet)?;
        Ok(packet)
    }

    /// Other keys from now on; the ROC goes on.
    ///
    /// # Errors
    ///
    /// [`SessionError`] for keys that were used before.
    pub fn rekey(&mut self, keys: &KeySet) -> Result<(), SessionError> {
        self.sender.rekey(keys, Rekey::KeepRoc)
    }

    /// The SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.source.ssrc()
    }

    /// Whether one who begins to listen now, with ROC 0, will follow.
    #[must_use]
    pub fn may_be_joined(&self) -> bool {
        self.roc() == 0 && self.source.sequence_number() < TOO_OLD
    }

    /// The ROC.
    #[must_use]
    pub fn roc(&self) -> u32 {
        self.sender
            .stream(self.ssrc())
            .map_or(0, |stream| stream.roc)
    }
}

/// What came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// As it came, protected.
    pub datagram: BytesMut,
    /// Whose it is.
    pub ssrc: u32,
    /// The audio.
    pub samples: Vec<i16>,
}

/// One end of the media between a participant and the focus: a socket, and the keys of one stream
/// each way.
#[derive(Debug)]
pub struct Leg {
    socket: UdpSocket,
    peer: SocketAddr,
    receiver: Receiver,
    outbound: Option<Outbound>,
}

impl Leg {
    /// With its own stream of this SSRC.
    ///
    /// # Errors
    ///
    /// [`SessionError`] for keys that do not fit.
    pub fn new(
        socket: UdpSocket,
        peer: SocketAddr,
        keys: &impl MasterKeySource,
        ssrc: u32,
    ) -> Result<Self, SessionError> {
        let outbound = Outbound::new(keys.outbound(), ssrc)?;
        let mut leg = Self::receiving(socket, peer, keys)?;
        leg.outbound = Some(outbound);
        Ok(leg)
    }

    /// Without a stream of its own: what is sent is the same to all legs.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new).
    pub fn receiving(
        socket: UdpSocket,
        peer: SocketAddr,
        keys: &impl MasterKeySource,
    ) -> Result<Self, SessionError> {
        let receiver = Receiver::builder(keys).any_ssrc(1).build()?;
        Ok(Self {
            socket,
            peer,
            receiver,
            outbound: None,
        })
    }

    /// Sends audio. Without a stream of its own a leg sends nothing.
    ///
    /// # Errors
    ///
    /// [`LegError`].
    pub fn speak(&mut self, samples: &[i16]) -> Result<(), LegError> {
        match &mut self.outbound {
            Some(outbound) => {
                let packet = outbound.packet(samples)?;
                self.send(&packet)
            }
            None => Ok(()),
        }
    }

    /// Sends a packet that is protected.
    ///
    /// # Errors
    ///
    /// [`LegError::Io`].
    pub fn send(&self, packet: &[u8]) -> Result<(), LegError> {
        self.socket.send_to(packet, self.peer)?;
        Ok(())
    }

    /// Waits for a packet of the peer; what is not protected as it should is dropped.
    ///
    /// # Errors
    ///
    /// [`LegError::Silence`] after two seconds, [`LegError::Refused`] if too much is dropped.
    pub fn hear(&mut self) -> Result<Heard, LegError> {
        let mut refused = UnprotectError::TooShort;
        for _ in 0..MAX_REFUSED {
            let mut datagram = BytesMut::zeroed(MAX_DATAGRAM);
            let received = self.socket.recv(&mut datagram);
            datagram.truncate(received.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => LegError::Silence,
                _ => error.into(),
            })?);
            match self.open(&datagram) {
                Ok(heard) => return Ok(heard),
                Err(error) => refused = error,
            }
        }
        Err(refused.into())
    }

    /// Opens a packet, wherever it comes from.
    ///
    /// # Errors
    ///
    /// [`UnprotectError`] for one that is not of the peer; nothing has changed.
    pub fn open(&mut self, datagram: &[u8]) -> Result<Heard, UnprotectError> {
        let mut packet = BytesMut::from(datagram);
        self.receiver.unprotect_rtp(&mut packet)?;
        let header = rtp::Header::read(&packet).ok_or(UnprotectError::TooShort)?;
        let payload = packet.get(rtp::HEADER_LEN..).unwrap_or_default();
        Ok(Heard {
            datagram: BytesMut::from(datagram),
            ssrc: header.ssrc,
            samples: payload.iter().copied().map(decode_ulaw).collect(),
        })
    }

    /// Takes other keys of the peer, beside the old ones for some packets; the ROC goes on.
    ///
    /// # Errors
    ///
    /// [`SessionError`] for keys that were used before.
    pub fn expect_keys(&mut self, keys: &KeySet) -> Result<(), SessionError> {
        self.receiver.rekey(keys, Rekey::KeepRoc, GRACE)
    }
}
