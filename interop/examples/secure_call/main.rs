//! A protected call: two users in one process on UDP loopback.
//!
//! Alice offers PCMU over RTP/SAVP, Bob answers; the keys come from a KMS by MIKEY-TICKET, or are in
//! `a=crypto`. They protect the audio and the reports of both. In the middle of the call an attacker
//! replays a packet of each and forges another. At the end, what each heard is compared with what
//! the other said. `--help` lists what else the call can be put through.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;
mod keying;
mod outcome;
mod user_agent;

use core::time::Duration;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Instant,
};

use arguments::Options;
use bytes::BytesMut;
use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use interop::{
    audio::{self, FRAME_SAMPLES, WavError, WavFile},
    impairment::Impairment,
    keyed_media::KeyingError,
    program::{self, Failure},
    rtp,
    sdp::SdpError,
    subscriber::SubscriberError,
    users::UsersError,
};
use keying::Agreed;
use mikey_ticket::{SrtpKeyError, TicketError};
use outcome::{Frame, Overhearing, Said};
use user_agent::{Received, UserAgent};

/// Time between packets.
const PACKET_TIME: Duration = Duration::from_millis(20);

/// A sender report follows each so many packets.
const REPORT_EVERY: usize = 50;

/// The same losses and reordering in every run.
const PATH_SEED: u64 = 3711;

/// Alice hung up, as she was told to.
const HUNG_UP: u8 = 3;

fn main() -> ExitCode {
    let options = arguments::parse(std::env::args_os().skip(1));
    program::main("secure_call", &arguments::help(), options, run)
}

fn run(options: &Options) -> Result<ExitCode, CallError> {
    let audio = match &options.wav {
        None => audio::melody(),
        Some(wav) => audio::read_wav(wav).map_err(|error| in_file("--wav", wav, error))?,
    };
    let out = WavFile::create(&options.out);
    let out = out.map_err(|error| in_file("--out", &options.out, error))?;
    match keying::agree(options)? {
        Some(agreed) => call(options, agreed, &audio, out),
        None => Ok(ExitCode::from(HUNG_UP)),
    }
}

fn in_file(option: &'static str, path: &Path, error: WavError) -> CallError {
    CallError::File(option, path.to_owned(), error)
}

fn call(
    options: &Options,
    agreed: Agreed,
    audio: &[i16],
    out: WavFile,
) -> Result<ExitCode, CallError> {
    let mut rng = UnwrapErr(SysRng);
    let mut first = || {
        let first = options.first_sequence_number;
        first.unwrap_or_else(|| below_2_15(&mut rng))
    };
    let firsts = [first(), first()];
    let mut alice = UserAgent::new(agreed.caller, firsts[0], rng.next_u32())?;
    let mut bob = UserAgent::new(agreed.callee, firsts[1], rng.next_u32())?;
    let backwards: Vec<i16> = audio.iter().rev().copied().collect();
    let mut there = Direction::new(options, audio, 0);
    let mut back = Direction::new(options, &backwards, 1);
    if let Some(rival) = &agreed.rival {
        let [of_caller, of_callee] = &rival.keys;
        there.said.rival = Some(Overhearing::new(rival.name, of_caller)?);
        back.said.rival = Some(Overhearing::new(rival.name, of_callee)?);
    }

    let (count, begin) = (audio.len().div_ceil(FRAME_SAMPLES), Instant::now());
    for n in 1..=count {
        if options.vanish.is_some_and(|vanish| n > vanish) {
            // Nothing comes from the peer any more.
            alice.receive()?;
        }
        there.pass(n, &mut alice, &mut bob)?;
        back.pass(n, &mut bob, &mut alice)?;
        if options.real_time {
            progress(n, count, there.path.lost());
            let due = PACKET_TIME.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
            thread::sleep(due.saturating_sub(begin.elapsed()));
        }
    }
    there.finish(&mut alice, &mut bob)?;
    back.finish(&mut bob, &mut alice)?;
    if options.real_time {
        eprintln!();
    }
    out.write(&bob.heard())?;

    let suite = options.profile.sdes_name().unwrap_or("unregistered");
    println!("suite             {suite}\n");
    let there = there
        .said
        .print(&alice, &bob, firsts[0], Some(&options.out));
    println!();
    let back = back.said.print(&bob, &alice, firsts[1], None);
    Ok(if there && back {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What one end says to the other, and the path that it takes.
struct Direction<'a> {
    frames: core::slice::Chunks<'a, i16>,
    path: Impairment<BytesMut>,
    said: Said<'a>,
    half: usize,
}

impl<'a> Direction<'a> {
    fn new(options: &Options, audio: &'a [i16], seed: u64) -> Self {
        let frames = audio.chunks(FRAME_SAMPLES);
        let half = frames.len() / 2;
        let path = Impairment::new(options.loss_percent, options.reorder, PATH_SEED + seed);
        Self {
            frames,
            path,
            said: Said::default(),
            half,
        }
    }

    /// Packet `n`, counted from 1, and a report now and then.
    fn pass(
        &mut self,
        n: usize,
        from: &mut UserAgent,
        to: &mut UserAgent,
    ) -> Result<(), CallError> {
        let Some(samples) = self.frames.next() else {
            return Ok(());
        };
        let (timestamp, lost_before) = (from.source.timestamp(), self.path.lost());
        let packet = from.audio(samples)?;
        // The first packet is spared: a receiver that first hears of a stream after its sequence
        // number has wrapped cannot know the ROC (RFC 3711 section 3.3.1).
        let arriving = if n == 1 {
            vec![packet]
        } else {
            self.path.pass(packet)
        };
        self.said.frames.push(Frame {
            timestamp,
            samples,
            lost: self.path.lost() > lost_before,
        });
        self.deliver(&arriving, from, to)?;
        let heard = arriving.iter().find(|packet| !rtp::is_rtcp(packet));
        if let Some(packet) = heard.filter(|_| n > self.half && self.said.attacks == 0) {
            attack(packet, from, to)?;
            self.said.attacks += 1;
        }
        if n.is_multiple_of(REPORT_EVERY) {
            let lost_before = self.path.lost();
            let arriving = self.path.pass(from.sender_report()?);
            self.deliver(&arriving, from, to)?;
            self.said.reports += 1;
            self.said.reports_lost += self.path.lost() - lost_before;
        }
        Ok(())
    }

    /// What is still on the path arrives.
    fn finish(&mut self, from: &mut UserAgent, to: &mut UserAgent) -> Result<(), CallError> {
        let arriving = self.path.flush();
        self.deliver(&arriving, from, to)
    }

    /// Sends each packet and has it received, so that no socket buffer overflows. A sender report is
    /// answered with a receiver report.
    fn deliver(
        &mut self,
        packets: &[BytesMut],
        from: &mut UserAgent,
        to: &mut UserAgent,
    ) -> Result<(), CallError> {
        for packet in packets {
            if let Some(rival) = &mut self.said.rival {
                rival.hear(packet);
            }
            from.send(packet)?;
            if to.receive()? == Received::Report {
                let report = to.receiver_report()?;
                to.send(&report)?;
                self.said.reported_lost = Some(from.receive_report()?);
            }
        }
        Ok(())
    }
}

/// What someone on the path does, who has a packet but not the keys: sends it again, and sends it as
/// if it were a later one.
fn attack(packet: &BytesMut, from: &UserAgent, to: &mut UserAgent) -> Result<(), CallError> {
    let mut later = packet.clone();
    if let Some([high, low]) = later.get_mut(2..4) {
        let sequence_number = u16::from_be_bytes([*high, *low]).wrapping_add(1000);
        [*high, *low] = sequence_number.to_be_bytes();
    }
    for packet in [packet, &later] {
        from.send(packet)?;
        to.receive()?;
    }
    Ok(())
}

/// One line that is written over, five times a second.
fn progress(sent: usize, count: usize, lost: usize) {
    if sent == count || sent.is_multiple_of(10) {
        eprint!("\r{sent} of {count} packets sent, {lost} lost");
        let _ = io::stderr().flush();
    }
}

/// The first sequence number that RFC 4568 section 6.4 advises: a stream whose first packets are
/// lost then does not wrap before the receiver has heard of it.
fn below_2_15(rng: &mut impl Rng) -> u16 {
    let [.., high, low] = rng.next_u32().to_be_bytes();
    u16::from_be_bytes([high & 0x7f, low])
}

/// The call could not be made or ended early.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("{0} {path}: {2}", path = .1.display())]
    File(&'static str, PathBuf, WavError),
    #[error("keys not agreed on: {0}")]
    Keying(#[from] KeyingError),
    #[error("no report where one was expected")]
    NoReport,
    #[error("offer: {0}")]
    Offer(#[from] sdes::OfferError),
    #[error("--out: {0}")]
    Out(#[from] WavError),
    #[error("suite: {0}")]
    Policy(#[from] sdes::PolicyError),
    #[error("packet not protected: {0}")]
    Protect(#[from] srtp::ProtectError),
    #[error("negotiation failed: {0}")]
    Refused(#[from] sdes::Refused),
    #[error("report not written: {0}")]
    ReportNotWritten(#[from] rtcp_types::RtcpWriteError),
    #[error("report not read: {0}")]
    ReportNotRead(#[from] rtcp_types::RtcpParseError),
    #[error("{0}")]
    Sdp(#[from] SdpError),
    #[error("SDP: {0}")]
    SdpSec(#[from] sdp_sec::SdpError),
    #[error("keys not usable: {0}")]
    Session(#[from] srtp::SessionError),
    #[error("{0} has heard nothing of the other side for 2 s")]
    Silence(&'static str),
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("keys not usable: {0}")]
    SrtpKeys(#[from] SrtpKeyError),
    #[error("{0}")]
    Subscriber(#[from] SubscriberError),
    #[error("ticket: {0}")]
    Ticket(#[from] TicketError),
    #[error("{0}")]
    Users(#[from] UsersError),
    #[error("packet refused: {0}")]
    Unprotect(#[from] srtp::UnprotectError),
}

impl Failure for CallError {
    fn is_bad_input(&self) -> bool {
        match self {
            Self::File(..) => true,
            Self::Users(error) => error.is_bad_input(),
            _ => false,
        }
    }
}
