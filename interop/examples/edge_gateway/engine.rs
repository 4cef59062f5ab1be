//! What conversion alone costs: the same calls and packets, without sockets.

use core::time::Duration;
use std::{thread, time::Instant};

use interop::edge::{Batch, Converter, RtpCall};
use rustix::time::{ClockId, clock_gettime};
use sdp_sec::edge::gateway::Termination;

use crate::{
    Failure,
    load::{Ends, Flow},
};

/// Packets that are converted together.
const BATCH: usize = 256;

/// What the calls of all workers came to: both directions, and the processor time of conversion.
pub(crate) fn measure(
    calls: Vec<(RtpCall, Ends)>,
    workers: usize,
    seconds: Duration,
) -> Result<([Flow; 2], Option<Duration>), Failure> {
    let mut shares: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
    for (call, share) in calls.into_iter().zip((0..workers).cycle()) {
        if let Some(share) = shares.get_mut(share) {
            share.push(call);
        }
    }
    let end = Instant::now() + seconds;
    let threads: Vec<_> = shares
        .into_iter()
        .map(|share| thread::spawn(move || Share::new(share).convert_until(end)))
        .collect();
    let mut total = ([Flow::default(); 2], Duration::ZERO);
    for thread in threads {
        let (flows, time) = thread
            .join()
            .map_err(|_| Failure::call("a worker ended early"))??;
        for (total, flow) in total.0.iter_mut().zip(&flows) {
            total.add(flow);
        }
        total.1 += time;
    }
    Ok((total.0, Some(total.1)))
}

/// The calls of one worker.
struct Share {
    converter: Converter,
    ends: Vec<Ends>,
    batch: Batch,
    time: Duration,
}

impl Share {
    fn new(calls: Vec<(RtpCall, Ends)>) -> Self {
        let mut converter = Converter::default();
        let ends = calls.into_iter().map(|(call, ends)| {
            converter.add(call.sender, call.receiver);
            ends
        });
        Self {
            ends: ends.collect(),
            converter,
            batch: Batch::new(BATCH),
            time: Duration::ZERO,
        }
    }

    fn convert_until(mut self, end: Instant) -> Result<([Flow; 2], Duration), Failure> {
        let mut next = 0;
        while Instant::now() < end && !self.ends.is_empty() {
            next = self.round(Termination::Access, next)?;
            next = self.round(Termination::Core, next)?;
        }
        let mut flows = [Flow::default(); 2];
        for ends in &self.ends {
            for (total, end) in flows.iter_mut().zip([&ends.ue, &ends.core]) {
                total.add(&end.flow);
            }
        }
        Ok((flows, self.time))
    }

    /// A batch of packets, one of each call in turn from call `next` on.
    fn round(&mut self, from: Termination, mut next: usize) -> Result<usize, Failure> {
        while let Some(room) = self.batch.room() {
            next = if next < self.ends.len() { next } else { 0 };
            let Some(ends) = self.ends.get_mut(next) else {
                break;
            };
            let packet = if from == Termination::Access {
                let mut packet = ends.ue.packet();
                ends.ue.flow.sent += 1;
                ends.ue_sender
                    .protect_rtp(&mut packet)
                    .map_err(Failure::call)?;
                packet
            } else {
                ends.core.flow.sent += 1;
                ends.core.packet()
            };
            for (to, octet) in room.buffer().iter_mut().zip(&packet) {
                *to = *octet;
            }
            room.set(next, false, packet.len());
            self.batch.push();
            next += 1;
        }

        let begin = processor_time();
        self.converter.convert(from, &mut self.batch);
        self.time += processor_time().saturating_sub(begin);

        for packet in self.batch.converted() {
            let Some(ends) = self.ends.get_mut(packet.session) else {
                continue;
            };
            let (end, opened) = if from == Termination::Access {
                (&mut ends.ue, Some(packet.octets().into()))
            } else {
                let mut packet = bytes::BytesMut::from(packet.octets());
                let opened = ends.ue_receiver.unprotect_rtp(&mut packet);
                (&mut ends.core, opened.ok().map(|()| packet))
            };
            match opened {
                Some(packet) => {
                    end.flow.received += 1;
                    end.flow.different += u64::from(!end.is_next(&packet));
                }
                None => end.flow.refused += 1,
            }
        }
        self.batch.clear();
        Ok(next)
    }
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .unwrap_or_default()
}
