//! RTP to SRTP and back, for many calls at a time (TS 23.334 §5.11.2.1): the sessions of one worker.
//! No sockets.

use sdp_sec::edge::gateway::Termination;
use srtp::batch::{self, Packet};
use srtp::{ProtectError, Receiver, Sender, UnprotectError};

/// Octets of the longest packet, protected.
pub const MAX_DATAGRAM: usize = 2048;

/// Octets that SRTCP, the longer of the two, adds at most: index, MKI and tag.
const ROOM: usize = 192;

/// A packet of one call.
#[derive(Clone)]
pub struct Datagram {
    /// The place of its call in the converter.
    pub session: usize,
    /// RTCP rather than RTP.
    pub rtcp: bool,
    octets: [u8; MAX_DATAGRAM + ROOM],
    len: usize,
    converted: bool,
}

impl Datagram {
    const EMPTY: Self = Self {
        session: 0,
        rtcp: false,
        octets: [0; MAX_DATAGRAM + ROOM],
        len: 0,
        converted: false,
    };

    /// Where a packet of at most [`MAX_DATAGRAM`] octets is received.
    pub fn buffer(&mut self) -> &mut [u8] {
        self.octets.get_mut(..MAX_DATAGRAM).unwrap_or_default()
    }

    /// Says what was received.
    pub fn set(&mut self, session: usize, rtcp: bool, len: usize) {
        (self.session, self.rtcp, self.converted) = (session, rtcp, false);
        self.len = len.min(MAX_DATAGRAM);
    }

    /// The packet.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl core::fmt::Debug for Datagram {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Datagram").finish_non_exhaustive()
    }
}

/// Packets of many calls that came from one side.
#[derive(Debug)]
pub struct Batch {
    datagrams: Vec<Datagram>,
    used: usize,
}

impl Batch {
    /// With room for so many packets.
    #[must_use]
    pub fn new(packets: usize) -> Self {
        Self {
            datagrams: vec![Datagram::EMPTY; packets],
            used: 0,
        }
    }

    /// Room for the next packet; `None` when full. It is in the batch after [`push`](Self::push).
    pub fn room(&mut self) -> Option<&mut Datagram> {
        self.datagrams.get_mut(self.used)
    }

    /// Takes in the packet that was put into the room.
    pub const fn push(&mut self) {
        if self.used < self.datagrams.len() {
            self.used += 1;
        }
    }

    /// Whether there is no room.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.used == self.datagrams.len()
    }

    /// Takes all packets out.
    pub const fn clear(&mut self) {
        self.used = 0;
    }

    /// The packets, converted or not.
    #[must_use]
    pub fn datagrams(&self) -> &[Datagram] {
        self.datagrams.get(..self.used).unwrap_or_default()
    }

    /// The packets that were converted.
    pub fn converted(&self) -> impl Iterator<Item = &Datagram> {
        self.datagrams()
            .iter()
            .filter(|datagram| datagram.converted)
    }

    fn used_mut(&mut self) -> &mut [Datagram] {
        self.datagrams.get_mut(..self.used).unwrap_or_default()
    }
}

/// What became of the packets of a call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// RTP packets of the UE that went to the core.
    pub opened: u64,
    /// RTP packets of the core that went to the UE.
    pub protected: u64,
    /// RTCP packets, both ways.
    pub reports: u64,
    /// Of the UE: wrong tag, plain RTP among them.
    pub forged: u64,
    /// Of the UE: seen before, or too old to tell.
    pub replayed: u64,
    /// From either side: no RTP at all, or beyond what the keys allow.
    pub refused: u64,
    /// From elsewhere than the core's address, or not sent for want of room in a socket.
    pub strayed: u64,
}

impl Counts {
    /// Packets that were converted.
    #[must_use]
    pub const fn converted(&self) -> u64 {
        self.opened + self.protected + self.reports
    }

    /// Adds those of another call.
    pub const fn add(&mut self, other: &Self) {
        self.opened += other.opened;
        self.protected += other.protected;
        self.reports += other.reports;
        self.forged += other.forged;
        self.replayed += other.replayed;
        self.refused += other.refused;
        self.strayed += other.strayed;
    }

    const fn refuse(&mut self, error: UnprotectError) {
        match error {
            UnprotectError::Forged => self.forged += 1,
            UnprotectError::Replayed | UnprotectError::TooOld => self.replayed += 1,
            _ => self.refused += 1,
        }
    }
}

/// The SRTP sessions of many calls, in two dense rows as the batch calls take them.
///
/// ```
/// use interop::edge::{Batch, Converter};
/// use sdp_sec::edge::gateway::Termination;
/// use srtp::keying::{MasterKey, Profile};
/// use srtp::{Receiver, Sender};
///
/// let key = |n| MasterKey::new(Profile::AesCm128HmacSha1_80, &[n; 16], &[n; 14]);
/// let mut converter = Converter::default();
/// let call = converter.add(Sender::new(key(1)?)?, Receiver::new(key(2)?)?);
///
/// let rtp = [0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, b'h', b'i'];
/// let mut batch = Batch::new(4);
/// let room = batch.room().ok_or("full")?;
/// room.buffer()[..14].copy_from_slice(&rtp);
/// room.set(call, false, 14);
/// batch.push();
/// converter.convert(Termination::Core, &mut batch);
/// assert_eq!(batch.converted().next().map(|packet| packet.octets().len()), Some(24));
/// assert_eq!(converter.counts(call).map(|counts| counts.protected), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Converter {
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
    counts: Vec<Counts>,
    protected: Vec<Result<(), ProtectError>>,
    opened: Vec<Result<(), UnprotectError>>,
    lengths: Vec<usize>,
}

impl Converter {
    /// Takes a call in: its place.
    pub fn add(&mut self, sender: Sender, receiver: Receiver) -> usize {
        self.senders.push(sender);
        self.receivers.push(receiver);
        self.counts.push(Counts::default());
        self.senders.len() - 1
    }

    /// Takes a call out. The last call moves to its place.
    pub fn remove(&mut self, session: usize) -> Option<(Sender, Receiver, Counts)> {
        (session < self.senders.len()).then(|| {
            (
                self.senders.swap_remove(session),
                self.receivers.swap_remove(session),
                self.counts.swap_remove(session),
            )
        })
    }

    /// What became of the packets of a call.
    #[must_use]
    pub fn counts(&self, session: usize) -> Option<&Counts> {
        self.counts.get(session)
    }

    /// The same, to count what happened outside.
    pub fn counts_mut(&mut self, session: usize) -> Option<&mut Counts> {
        self.counts.get_mut(session)
    }

    /// Converts what came from one side for the other, in place.
    ///
    /// Header, payload, SSRC and sequence number stay. A packet that is refused is counted, and not
    /// among [`Batch::converted`].
    pub fn convert(&mut self, from: Termination, batch: &mut Batch) {
        let datagrams = batch.used_mut();
        self.lengths.clear();
        match from {
            Termination::Access => self.open(datagrams),
            Termination::Core => self.protect(datagrams),
        }
    }

    fn open(&mut self, datagrams: &mut [Datagram]) {
        let mut packets = rtp_of(datagrams);
        self.opened.clear();
        self.opened
            .resize(packets.len(), Err(UnprotectError::NoKey));
        batch::unprotect_rtp(&mut self.receivers, &mut packets, &mut self.opened);
        self.lengths.extend(packets.iter().map(|packet| packet.len));
        let mut results = self.opened.iter().zip(&self.lengths);
        for datagram in datagrams {
            let result = if datagram.rtcp {
                let receiver = self.receivers.get_mut(datagram.session);
                let packet = datagram.octets.get_mut(..datagram.len);
                receiver
                    .zip(packet)
                    .ok_or(UnprotectError::NoKey)
                    .and_then(|(receiver, packet)| receiver.unprotect_rtcp_in_place(packet))
            } else {
                let (result, len) = results.next().unwrap_or((&Err(UnprotectError::NoKey), &0));
                result.map(|()| *len)
            };
            let Some(counts) = self.counts.get_mut(datagram.session) else {
                continue;
            };
            match result {
                Ok(len) => {
                    (datagram.len, datagram.converted) = (len, true);
                    *(if datagram.rtcp {
                        &mut counts.reports
                    } else {
                        &mut counts.opened
                    }) += 1;
                }
                Err(error) => counts.refuse(error),
            }
        }
    }

    fn protect(&mut self, datagrams: &mut [Datagram]) {
        let mut packets = rtp_of(datagrams);
        self.protected.clear();
        self.protected
            .resize(packets.len(), Err(ProtectError::NoKey));
        batch::protect_rtp(&mut self.senders, &mut packets, &mut self.protected);
        self.lengths.extend(packets.iter().map(|packet| packet.len));
        let mut results = self.protected.iter().zip(&self.lengths);
        for datagram in datagrams {
            let result = if datagram.rtcp {
                let sender = self.senders.get_mut(datagram.session);
                sender.ok_or(ProtectError::NoKey).and_then(|sender| {
                    sender.protect_rtcp_in_place(&mut datagram.octets, datagram.len)
                })
            } else {
                let (result, len) = results.next().unwrap_or((&Err(ProtectError::NoKey), &0));
                result.map(|()| *len)
            };
            let Some(counts) = self.counts.get_mut(datagram.session) else {
                continue;
            };
            if let Ok(len) = result {
                (datagram.len, datagram.converted) = (len, true);
                *(if datagram.rtcp {
                    &mut counts.reports
                } else {
                    &mut counts.protected
                }) += 1;
            } else {
                counts.refused += 1;
            }
        }
    }
}

/// The RTP packets among them, as the batch calls take them.
fn rtp_of(datagrams: &mut [Datagram]) -> Vec<Packet<'_>> {
    let rtp = datagrams.iter_mut().filter(|datagram| !datagram.rtcp);
    rtp.map(|datagram| Packet {
        session: datagram.session,
        buffer: &mut datagram.octets,
        len: datagram.len,
    })
    .collect()
}
