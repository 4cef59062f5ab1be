//! The RTP part of the IMS-AGW: calls shared out among worker threads, each with its sockets and its
//! [`Converter`].

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::UdpSocket;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use sdp_sec::edge::Outcome;
use sdp_sec::edge::gateway::Termination;
use srtp::{Receiver, Sender, SessionError};

use super::{
    Batch, ClearContent, Converter, Counts, MAX_DATAGRAM, Pair, Ports, Remote, Stream, Tap,
};
use crate::rtp;

/// Packets that are converted together at most.
const BATCH: usize = 256;

/// Packets of one socket before it is another's turn.
const BURST: usize = 32;

/// How soon an order is seen while no packet comes.
const WAKE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 5_000_000,
};

/// SSRCs that a UE may send under one key.
const MAX_SSRCS: usize = 16;

/// One side of a call.
#[derive(Debug)]
pub struct RtpLeg {
    /// The gateway's own ports.
    pub sockets: Pair,
    /// Where the peer receives.
    pub peer: Remote,
}

/// A call: SRTP towards the UE, RTP towards the core.
#[derive(Debug)]
pub struct RtpCall {
    /// Its number.
    pub id: u64,
    /// Towards the UE.
    pub access: RtpLeg,
    /// Towards the IMS core.
    pub core: RtpLeg,
    /// Protects what goes to the UE.
    pub sender: Sender,
    /// Opens what comes from it.
    pub receiver: Receiver,
}

impl RtpCall {
    /// The call that the IMS-ALG has settled; `None` for a stream that is not RTP.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the keys cannot be used.
    #[must_use]
    pub fn new(id: u64, stream: Stream) -> Option<Result<Self, SessionError>> {
        let (Outcome::Rtp(keys), Ports::Rtp(access), Ports::Rtp(core)) =
            (stream.outcome, stream.ports.access, stream.ports.core)
        else {
            return None;
        };
        let rtcp_mux = stream.ue.rtcp_mux && stream.core.rtcp_mux;
        let leg = |sockets, peer: Remote| RtpLeg {
            sockets,
            peer: Remote { rtcp_mux, ..peer },
        };
        let sessions = || {
            let sender = Sender::from_source(&keys)?;
            let receiver = Receiver::builder(&keys).any_ssrc(MAX_SSRCS).build()?;
            Ok((sender, receiver))
        };
        Some(sessions().map(|(sender, receiver)| Self {
            id,
            access: leg(access, stream.ue),
            core: leg(core, stream.core),
            sender,
            receiver,
        }))
    }
}

/// Worker threads. Calls are shared out by their number.
///
/// Dropped without [`stop`](Self::stop), the threads end and the calls with them.
#[derive(Debug)]
pub struct Workers(Vec<(mpsc::Sender<Command>, JoinHandle<Stopped>)>);

enum Command {
    Add(Box<RtpCall>),
    Report(mpsc::Sender<Vec<Seen>>),
    Stop,
}

/// What a worker leaves behind: its calls, and the processor time that it took.
#[derive(Debug)]
struct Stopped {
    calls: Vec<(RtpCall, Counts)>,
    processor_time: Duration,
}

/// What a gateway did until it was stopped.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The calls as they stand, with what became of their packets.
    pub calls: Vec<(RtpCall, Counts)>,
    /// Processor time of all workers.
    pub processor_time: Duration,
}

/// How a call is doing.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Its number.
    pub id: u64,
    /// What became of its packets.
    pub counts: Counts,
    /// How long nothing that counts came from the UE, and from the core.
    pub silent: [Duration; 2],
}

impl Workers {
    /// Starts so many, at least one. What passes goes to `tap` in clear.
    ///
    /// # Errors
    ///
    /// What starting a thread came to.
    pub fn start(count: usize, tap: Option<&Arc<dyn Tap>>) -> io::Result<Self> {
        let workers = (0..count.max(1)).map(|number| {
            let (orders, commands) = mpsc::channel();
            let worker = Worker {
                commands,
                calls: Vec::new(),
                converter: Converter::default(),
                from_ue: Batch::new(BATCH),
                from_core: Batch::new(BATCH),
                tap: tap.cloned(),
            };
            let thread = thread::Builder::new().name(format!("agw-{number}"));
            Ok((orders, thread.spawn(|| worker.run())?))
        });
        workers.collect::<io::Result<_>>().map(Self)
    }

    /// Takes a call in.
    pub fn add(&self, call: RtpCall) {
        let count = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(call.id % count).unwrap_or(0);
        if let Some((orders, _)) = self.0.get(place) {
            let _ = orders.send(Command::Add(call.into()));
        }
    }

    /// How the calls are doing.
    #[must_use]
    pub fn report(&self) -> Vec<Seen> {
        let (reply, reports) = mpsc::channel();
        for (orders, _) in &self.0 {
            let _ = orders.send(Command::Report(reply.clone()));
        }
        drop(reply);
        reports.iter().flatten().collect()
    }

    /// Ends the threads and takes the calls out, for another gateway to go on with.
    ///
    /// Packets that have not been read stay in the sockets.
    #[must_use]
    pub fn stop(self) -> Outgoing {
        let mut outgoing = Outgoing::default();
        let stopping: Vec<_> = self.0.into_iter().collect();
        for (orders, _) in &stopping {
            let _ = orders.send(Command::Stop);
        }
        for (_, thread) in stopping {
            if let Ok(stopped) = thread.join() {
                outgoing.calls.extend(stopped.calls);
                outgoing.processor_time += stopped.processor_time;
            }
        }
        outgoing
    }
}

/// A call in the hands of a worker; its sessions are in the converter, at the same place.
struct Held {
    id: u64,
    access: RtpLeg,
    core: RtpLeg,
    heard: [Instant; 2],
}

impl Held {
    fn leg(&self, side: Termination) -> &RtpLeg {
        match side {
            Termination::Access => &self.access,
            Termination::Core => &self.core,
        }
    }

    /// Sends a converted packet out at `side`.
    fn send(&self, side: Termination, octets: &[u8], rtcp: bool) -> io::Result<usize> {
        let RtpLeg { sockets, peer } = self.leg(side);
        if rtcp && !peer.rtcp_mux {
            sockets.rtcp.send_to(octets, peer.rtcp)
        } else {
            sockets.rtp.send_to(octets, peer.media)
        }
    }

    fn addresses(&self, from: Termination) -> [SocketAddr; 2] {
        [self.leg(from).peer.media, self.leg(from.other()).peer.media]
    }
}

struct Worker {
    commands: mpsc::Receiver<Command>,
    calls: Vec<Held>,
    converter: Converter,
    from_ue: Batch,
    from_core: Batch,
    tap: Option<Arc<dyn Tap>>,
}

/// The sockets of a call, in the order in which a worker counts them.
const SOCKETS: [(Termination, bool); 4] = [
    (Termination::Access, false),
    (Termination::Access, true),
    (Termination::Core, false),
    (Termination::Core, true),
];

impl Worker {
    fn run(mut self) -> Stopped {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Add(call)) => self.add(*call),
                Ok(Command::Report(reply)) => {
                    let _ = reply.send(self.report());
                }
                Ok(Command::Stop) | Err(mpsc::TryRecvError::Disconnected) => break,
                Err(mpsc::TryRecvError::Empty) => self.receive(),
            }
        }
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Stopped {
            calls: self.into_calls(),
            processor_time: now.try_into().unwrap_or_default(),
        }
    }

    fn add(&mut self, call: RtpCall) {
        self.converter.add(call.sender, call.receiver);
        self.calls.push(Held {
            id: call.id,
            access: call.access,
            core: call.core,
            heard: [Instant::now(); 2],
        });
    }

    fn into_calls(mut self) -> Vec<(RtpCall, Counts)> {
        let mut calls = Vec::with_capacity(self.calls.len());
        // From the last on, so that none changes its place.
        while let Some(held) = self.calls.pop() {
            if let Some((sender, receiver, counts)) = self.converter.remove(self.calls.len()) {
                let call = RtpCall {
                    id: held.id,
                    access: held.access,
                    core: held.core,
                    sender,
                    receiver,
                };
                calls.push((call, counts));
            }
        }
        calls
    }

    fn report(&self) -> Vec<Seen> {
        let seen = self.calls.iter().zip(0..).map(|(call, place)| Seen {
            id: call.id,
            counts: self.converter.counts(place).copied().unwrap_or_default(),
            silent: call.heard.map(|heard| heard.elapsed()),
        });
        seen.collect()
    }

    /// Waits for packets, and converts those that are there.
    fn receive(&mut self) {
        let sockets = self
            .calls
            .iter()
            .flat_map(|call| SOCKETS.map(|(side, rtcp)| socket(call.leg(side), rtcp)));
        let mut polled: Vec<PollFd<'_>> = sockets
            .map(|socket| PollFd::new(socket, PollFlags::IN))
            .collect();
        if poll(&mut polled, Some(&WAKE)).unwrap_or(0) == 0 {
            return;
        }
        let ready = polled
            .iter()
            .map(|polled| polled.revents().contains(PollFlags::IN));
        let ready: Vec<bool> = ready.collect();
        for (ready, call) in ready.chunks_exact(SOCKETS.len()).zip(0..) {
            for (_, (side, rtcp)) in ready.iter().zip(SOCKETS).filter(|(ready, _)| **ready) {
                self.drain(call, side, rtcp);
            }
        }
        self.flush();
    }

    /// Reads what one socket has.
    fn drain(&mut self, place: usize, side: Termination, rtcp: bool) {
        for _ in 0..BURST {
            if self.from_ue.is_full() || self.from_core.is_full() {
                self.flush();
            }
            let batch = match side {
                Termination::Access => &mut self.from_ue,
                Termination::Core => &mut self.from_core,
            };
            let (Some(call), Some(room)) = (self.calls.get(place), batch.room()) else {
                return;
            };
            let leg = call.leg(side);
            let Ok((len, source)) = socket(leg, rtcp).recv_from(room.buffer()) else {
                return;
            };
            // What comes from the UE proves by its tag whose it is; from the core its address has to.
            let strayed = side == Termination::Core && source.ip() != leg.peer.media.ip();
            if strayed || len == MAX_DATAGRAM {
                if let Some(counts) = self.converter.counts_mut(place) {
                    counts.strayed += 1;
                }
                continue;
            }
            room.set(place, rtcp, len);
            if leg.peer.rtcp_mux && rtp::is_rtcp(room.octets()) {
                room.set(place, true, len);
            }
            batch.push();
        }
    }

    fn flush(&mut self) {
        let now = Instant::now();
        for from in [Termination::Access, Termination::Core] {
            let (batch, heard) = match from {
                Termination::Access => (&mut self.from_ue, 0),
                Termination::Core => (&mut self.from_core, 1),
            };
            if from == Termination::Core {
                intercept(self.tap.as_deref(), &self.calls, from, batch.datagrams());
            }
            self.converter.convert(from, batch);
            if from == Termination::Access {
                intercept(self.tap.as_deref(), &self.calls, from, batch.converted());
            }
            for packet in batch.converted() {
                let Some(call) = self.calls.get_mut(packet.session) else {
                    continue;
                };
                if let Some(heard) = call.heard.get_mut(heard) {
                    *heard = now;
                }
                let sent = call.send(from.other(), packet.octets(), packet.rtcp);
                if let (Err(_), Some(counts)) = (sent, self.converter.counts_mut(packet.session)) {
                    counts.strayed += 1;
                }
            }
            batch.clear();
        }
    }
}

fn socket(leg: &RtpLeg, rtcp: bool) -> &UdpSocket {
    if rtcp {
        &leg.sockets.rtcp
    } else {
        &leg.sockets.rtp
    }
}

fn intercept<'a>(
    tap: Option<&dyn Tap>,
    calls: &[Held],
    from: Termination,
    packets: impl IntoIterator<Item = &'a super::Datagram>,
) {
    let Some(tap) = tap else { return };
    for packet in packets {
        if let Some(call) = calls.get(packet.session) {
            tap.deliver(&ClearContent {
                call: call.id,
                from,
                protocol: if packet.rtcp { "rtcp" } else { "rtp" },
                addresses: call.addresses(from),
                octets: packet.octets(),
            });
        }
    }
}
