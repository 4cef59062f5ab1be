//! Many RTP packets a call, of many streams and of many sessions.
//!
//! What comes out is octet for octet what one call after the other would have made of the packets,
//! in their order: results, indices, replay lists, statistics and events. What they gain is time:
//! authentication works on up to sixteen packets side by side, and the state of a stream is asked
//! for before its turn comes. Nothing is allocated, but where a `BytesMut` has to grow.
//!
//! [`Sender::protect_rtp_batch`] and [`Receiver::unprotect_rtp_batch`] serve one session;
//! [`protect_rtp`] and [`unprotect_rtp`] a slice of them.
//!
//! ```
//! use bytes::BytesMut;
//! use srtp::batch::{self, Packet};
//! use srtp::keying::{MasterKey, Profile};
//! use srtp::{Receiver, Sender, UnprotectError};
//!
//! let key = |n| MasterKey::new(Profile::AesCm128HmacSha1_80, &[n; 16], &[n; 14]);
//! let mut senders = [Sender::new(key(1)?)?, Sender::new(key(2)?)?];
//! let mut receivers = [Receiver::new(key(1)?)?, Receiver::new(key(2)?)?];
//!
//! let rtp = [0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, b'h', b'i'];
//! let mut buffers = [[0; 64]; 2];
//! let mut packets: Vec<_> = buffers
//!     .iter_mut()
//!     .zip(0..)
//!     .map(|(buffer, session)| {
//!         buffer[..14].copy_from_slice(&rtp);
//!         Packet { session, buffer, len: 14 }
//!     })
//!     .collect();
//! let mut protected = [Ok(()); 2];
//! batch::protect_rtp(&mut senders, &mut packets, &mut protected);
//! assert_eq!((protected, packets[1].len), ([Ok(()); 2], 24));
//!
//! packets[0].buffer[13] ^= 1;
//! let mut opened = [Ok(()); 2];
//! batch::unprotect_rtp(&mut receivers, &mut packets, &mut opened);
//! assert_eq!(opened, [Err(UnprotectError::Forged), Ok(())]);
//! assert_eq!(packets[1].buffer[..packets[1].len], rtp);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::BytesMut;

use crate::framing::{Unsigned, put_mac};
use crate::kernel::{HmacStates, Isa, MAX_JOBS, MacJob, hmac_all};
use crate::receiver::{Guess, Hint, Verdict};
use crate::sender::Deferred;
use crate::session::{FEW_STREAMS, Session};
use crate::transform::{HmacSha1, begins_with};
use crate::{ProtectError, Receiver, Sender, UnprotectError};

/// A packet and the session that it belongs to.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The place of its sender or receiver in the slice of them.
    pub session: usize,
    /// The packet, and for a sender room for [`srtp_overhead`](Sender::srtp_overhead) octets more.
    pub buffer: &'a mut [u8],
    /// Octets of the packet at the start of the buffer, before and after.
    pub len: usize,
}

/// Protects RTP packets of many senders, each in place, in their order; the result of a packet has
/// its place. Packets that there is no place for in `results` are left alone.
///
/// A packet of a sender that does not exist gets [`ProtectError::NoKey`]; else each gets what
/// [`Sender::protect_rtp_in_place`] would have returned.
pub fn protect_rtp(
    senders: &mut [Sender],
    packets: &mut [Packet<'_>],
    results: &mut [Result<(), ProtectError>],
) {
    let packets = packets.chunks_mut(MAX_JOBS);
    for (packets, results) in packets.zip(results.chunks_mut(MAX_JOBS)) {
        protect_some(senders, packets, results);
    }
}

/// Opens SRTP packets of many receivers, each in place, in their order; the result of a packet has
/// its place. Packets that there is no place for in `results` are left alone.
///
/// A packet of a receiver that does not exist gets [`UnprotectError::NoKey`]; else each gets what
/// [`Receiver::unprotect_rtp_in_place`] would have returned.
pub fn unprotect_rtp(
    receivers: &mut [Receiver],
    packets: &mut [Packet<'_>],
    results: &mut [Result<(), UnprotectError>],
) {
    let packets = packets.chunks_mut(MAX_JOBS);
    for (packets, results) in packets.zip(results.chunks_mut(MAX_JOBS)) {
        unprotect_some(receivers, packets, results);
    }
}

impl Sender {
    /// Makes each RTP packet an SRTP packet, in their order, as [`protect_rtp`](Self::protect_rtp)
    /// would; the result of a packet has its place. Packets that there is no place for in `results`
    /// are left alone.
    pub fn protect_rtp_batch(
        &mut self,
        packets: &mut [BytesMut],
        results: &mut [Result<(), ProtectError>],
    ) {
        let packets = packets.chunks_mut(MAX_JOBS);
        for (packets, results) in packets.zip(results.chunks_mut(MAX_JOBS)) {
            protect_some(core::slice::from_mut(self), packets, results);
        }
    }
}

impl Receiver {
    /// Makes each SRTP packet the RTP packet it was, in their order, as
    /// [`unprotect_rtp`](Self::unprotect_rtp) would; the result of a packet has its place. Packets
    /// that there is no place for in `results` are left alone.
    pub fn unprotect_rtp_batch(
        &mut self,
        packets: &mut [BytesMut],
        results: &mut [Result<(), UnprotectError>],
    ) {
        let packets = packets.chunks_mut(MAX_JOBS);
        for (packets, results) in packets.zip(results.chunks_mut(MAX_JOBS)) {
            unprotect_some(core::slice::from_mut(self), packets, results);
        }
    }
}

/// A packet in whatever the caller keeps it in.
trait Slot {
    fn session(&self) -> usize;

    /// The packet.
    fn octets(&self) -> &[u8];

    fn octets_mut(&mut self) -> &mut [u8];

    /// The packet with room for what `sender` adds, if there is, and its length.
    fn with_room(&mut self, sender: &Sender) -> (&mut [u8], usize);

    fn set_len(&mut self, len: usize);
}

impl Slot for Packet<'_> {
    fn session(&self) -> usize {
        self.session
    }

    fn octets(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..self.len).unwrap_or_default()
    }

    fn with_room(&mut self, _: &Sender) -> (&mut [u8], usize) {
        (self.buffer, self.len)
    }

    fn set_len(&mut self, len: usize) {
        self.len = len;
    }
}

impl Slot for BytesMut {
    fn session(&self) -> usize {
        0
    }

    fn octets(&self) -> &[u8] {
        self
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        self
    }

    fn with_room(&mut self, sender: &Sender) -> (&mut [u8], usize) {
        let len = self.len();
        self.resize(len + sender.srtp_overhead(), 0);
        (self, len)
    }

    fn set_len(&mut self, len: usize) {
        self.truncate(len);
    }
}

/// Packets whose keys are asked for at once. What more packets wait for would drive itself out of the
/// nearest cache before its turn comes.
const AHEAD: usize = 6;

/// Where the streams of the packets seem to be.
struct Places {
    of: [usize; MAX_JOBS],
    /// Whether the cache may have lost their keys.
    far: bool,
}

impl Places {
    /// Asks for the state of the streams, so that what one packet waits for comes along with what the
    /// others do; not where few of them share the cache.
    fn look_up<T>(
        packets: &[impl Slot],
        directions: &[T],
        session: impl Fn(&T) -> &Session,
    ) -> Self {
        let mut places = [usize::MAX; MAX_JOBS];
        let far =
            directions.len() >= FEW_STREAMS || directions.iter().any(|one| session(one).is_large());
        for (packet, place) in packets.iter().zip(&mut places) {
            *place = match directions.get(packet.session()).map(&session) {
                Some(session) if far => session.look_up(packet.octets()),
                Some(session) => session.streams.recent(),
                None => usize::MAX,
            };
        }
        let places = Self { of: places, far };
        for at in 0..AHEAD {
            places.prefetch_keys(at, packets, directions, &session);
        }
        places
    }

    #[inline]
    fn prefetch_keys<T>(
        &self,
        at: usize,
        packets: &[impl Slot],
        directions: &[T],
        session: impl Fn(&T) -> &Session,
    ) {
        if self.far
            && let (Some(packet), Some(place)) = (packets.get(at), self.of.get(at))
            && let Some(one) = directions.get(packet.session())
        {
            session(one).prefetch_keys(*place);
        }
    }
}

/// Up to [`MAX_JOBS`] packets: everything but their MACs, one by one, then all the MACs.
fn protect_some(
    senders: &mut [Sender],
    packets: &mut [impl Slot],
    results: &mut [Result<(), ProtectError>],
) {
    let places = Places::look_up(packets, senders, |sender| &sender.session);
    let mut deferred = [Deferred::default(); MAX_JOBS];
    let mut count = 0;
    for (at, (result, place)) in results.iter_mut().zip(&places.of).enumerate() {
        places.prefetch_keys(at + AHEAD, packets, senders, |sender| &sender.session);
        let Some(packet) = packets.get_mut(at) else {
            break;
        };
        let Some(sender) = senders.get_mut(packet.session()) else {
            *result = Err(ProtectError::NoKey);
            continue;
        };
        let (buffer, len) = packet.with_room(sender);
        let mut slot = deferred.get_mut(count);
        match sender.protect_rtp_but_mac(buffer, len, *place, slot.as_deref_mut()) {
            Ok(protected) => {
                packet.set_len(protected);
                *result = Ok(());
                if let Some(slot) = slot
                    && slot.unsigned.mac_len > 0
                {
                    slot.at = at;
                    count += 1;
                }
            }
            Err(error) => {
                packet.set_len(len);
                *result = Err(error);
                if let Some(slot) = slot {
                    *slot = Deferred::default();
                }
            }
        }
    }
    if let (1.., Some(deferred)) = (count, deferred.get_mut(..count)) {
        sign(senders, packets, deferred);
    }
}

/// Puts the MACs into packets that were protected but for these.
#[inline(never)]
fn sign(senders: &[Sender], packets: &mut [impl Slot], deferred: &mut [Deferred]) {
    let mac_of = |deferred: &Deferred, session: usize| {
        let session = &senders.get(session)?.session;
        session.srtp_mac(deferred.ssrc, deferred.route, deferred.serial)
    };
    let mut macs = Macs::default();
    for (at, deferred) in deferred.iter().enumerate() {
        if let Some(packet) = packets.get(deferred.at)
            && let Some(mac) = mac_of(deferred, packet.session())
            && let Some(message) = packet.octets().get(..deferred.unsigned.message)
        {
            macs.add(at, mac, message, deferred.unsigned.roc);
        }
    }
    let tags = macs.compute();
    for (at, tag) in tags.iter() {
        if let Some(deferred) = deferred.get_mut(at)
            && let Some(packet) = packets.get_mut(deferred.at)
        {
            let Unsigned {
                mac_at, mac_len, ..
            } = deferred.unsigned;
            put_mac(packet.octets_mut(), mac_at, tag, mac_len);
            deferred.unsigned.mac_len = 0;
        }
    }
    if tags.count < deferred.len() {
        // Sessions of one process that use different instructions.
        for deferred in deferred.iter().filter(|one| one.unsigned.mac_len > 0) {
            let Unsigned {
                message,
                roc,
                mac_at,
                mac_len,
            } = deferred.unsigned;
            if let Some(packet) = packets.get_mut(deferred.at)
                && let Some(mac) = mac_of(deferred, packet.session())
                && let Some(message) = packet.octets().get(..message)
            {
                let tag = mac.tag(message, Some(roc));
                put_mac(packet.octets_mut(), mac_at, &tag, mac_len);
            }
        }
    }
}

/// Up to [`MAX_JOBS`] packets: all the MACs under guessed keys and indices, then everything else, one
/// by one. Where a guess proves wrong the MAC is computed again.
fn unprotect_some(
    receivers: &mut [Receiver],
    packets: &mut [impl Slot],
    results: &mut [Result<(), UnprotectError>],
) {
    let places = Places::look_up(packets, receivers, |receiver| &receiver.session);
    let mut hints = places.of.map(Hint::stream_at);
    let guess = receivers.iter().any(Receiver::guesses);
    if guess {
        judge(receivers, packets, results.len(), &places, &mut hints);
    }

    for (at, (result, hint)) in results.iter_mut().zip(&hints).enumerate() {
        if !guess {
            places.prefetch_keys(at + AHEAD, packets, receivers, |receiver| &receiver.session);
        }
        let Some(packet) = packets.get_mut(at) else {
            break;
        };
        let Some(receiver) = receivers.get_mut(packet.session()) else {
            *result = Err(UnprotectError::NoKey);
            continue;
        };
        *result = receiver
            .unprotect_rtp_hinted(packet.octets_mut(), hint)
            .map(|len| packet.set_len(len));
    }
}

/// Computes MACs under guessed keys and indices, and notes whether they are right.
#[inline(never)]
fn judge(
    receivers: &[Receiver],
    packets: &[impl Slot],
    results: usize,
    places: &Places,
    hints: &mut [Hint; MAX_JOBS],
) {
    let mut guesses = [Guess::default(); MAX_JOBS];
    let mut macs = Macs::default();
    let work = packets
        .iter()
        .take(results)
        .zip(&mut guesses)
        .zip(&places.of);
    for (at, ((packet, slot), place)) in work.enumerate() {
        places.prefetch_keys(at + AHEAD, packets, receivers, |receiver| &receiver.session);
        let Some(receiver) = receivers.get(packet.session()) else {
            continue;
        };
        let Some((guess, mac)) = receiver.guess(packet.octets(), *place) else {
            continue;
        };
        if let Some(message) = packet.octets().get(..guess.unsigned.message) {
            *slot = guess;
            // One for other instructions than the first is left to the opening.
            macs.add(at, mac, message, guess.unsigned.roc);
        }
    }
    for (at, mac) in macs.compute().iter() {
        if let (Some(packet), Some(guess), Some(hint)) =
            (packets.get(at), guesses.get(at), hints.get_mut(at))
        {
            let tag = packet.octets().get(guess.unsigned.mac_at..);
            hint.verdict = tag.map(|tag| Verdict {
                serial: guess.serial,
                index: guess.index,
                right: begins_with(mac, tag),
            });
        }
    }
}

/// MACs that are computed together, by the instructions of the first.
struct Macs<'a> {
    jobs: [MacJob<'a>; MAX_JOBS],
    /// The packet of each.
    places: [usize; MAX_JOBS],
    count: usize,
    isa: Option<Isa>,
}

impl Default for Macs<'_> {
    fn default() -> Self {
        let unused = MacJob {
            states: HmacStates::UNUSED,
            message: &[],
            trailer: None,
        };
        Self {
            jobs: [unused; MAX_JOBS],
            places: [0; MAX_JOBS],
            count: 0,
            isa: None,
        }
    }
}

impl<'a> Macs<'a> {
    /// Adds the MAC of the packet at `at`, unless it is for other instructions than the first.
    #[inline]
    fn add(&mut self, at: usize, mac: &'a HmacSha1, message: &'a [u8], roc: [u8; 4]) {
        if *self.isa.get_or_insert(mac.isa()) != mac.isa() {
            return;
        }
        if let (Some(job), Some(place)) = (
            self.jobs.get_mut(self.count),
            self.places.get_mut(self.count),
        ) {
            *job = mac.job(message, Some(roc));
            *place = at;
            self.count += 1;
        }
    }

    fn compute(self) -> Tags {
        let mut tags = [[0; 20]; MAX_JOBS];
        if let Some(isa) = self.isa {
            let jobs = self.jobs.get(..self.count).unwrap_or_default();
            hmac_all(isa, jobs, &mut tags);
        }
        Tags {
            octets: tags,
            places: self.places,
            count: self.count,
        }
    }
}

/// MACs that were computed together.
struct Tags {
    octets: [[u8; 20]; MAX_JOBS],
    places: [usize; MAX_JOBS],
    count: usize,
}

impl Tags {
    /// Each with the place of its packet.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8; 20])> {
        self.places
            .iter()
            .copied()
            .zip(&self.octets)
            .take(self.count)
    }
}
