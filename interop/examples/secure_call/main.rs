//! A protected call: two user agents in one process on UDP loopback.
//!
//! Alice offers PCMU over RTP/SAVP with `a=crypto`, Bob answers; the keys of that negotiation
//! protect her audio and sender reports, and his receiver reports. In the middle of the call an
//! attacker replays one of her packets and forges another. At the end, what Bob heard is compared
//! with what Alice said. `--help` lists what else the call can be put through.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;
mod outcome;
mod user_agent;

use core::time::Duration;
use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Instant,
};

use arguments::{Options, Task};
use bytes::BytesMut;
use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use interop::{
    audio::{self, FRAME_SAMPLES, WavError, WavFile},
    impairment::Impairment,
    rtp::{self, RtpSource},
    sdp::{Audio, SdpError},
};
use outcome::{Frame, Outcome, Said};
use user_agent::{Callee, Caller, Received};

/// Time between packets.
const PACKET_TIME: Duration = Duration::from_millis(20);

/// A sender report follows each so many packets.
const REPORT_EVERY: usize = 50;

/// The same losses and reordering in every run.
const PATH_SEED: u64 = 3711;

fn main() -> ExitCode {
    let options = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Task::Call(options)) => options,
        Ok(Task::Help) => {
            print!("{}", arguments::help());
            return ExitCode::SUCCESS;
        }
        Err(error) => return bad_input(&format!("{error} (--help lists the options)")),
    };
    let audio = match &options.wav {
        None => audio::melody(),
        Some(wav) => match audio::read_wav(wav) {
            Ok(audio) => audio,
            Err(error) => return bad_input(&format!("--wav {}: {error}", wav.display())),
        },
    };
    let out = match WavFile::create(&options.out) {
        Ok(out) => out,
        Err(error) => return bad_input(&format!("--out {}: {error}", options.out.display())),
    };
    match call(&options, &audio, out) {
        Ok(outcome) => outcome.print(&options),
        Err(error) => {
            eprintln!("secure_call: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bad_input(what: &str) -> ExitCode {
    eprintln!("secure_call: {what}");
    ExitCode::from(2)
}

fn call<'a>(options: &Options, audio: &'a [i16], out: WavFile) -> Result<Outcome<'a>, CallError> {
    let mut rng = UnwrapErr(SysRng);
    let policy = sdes::Policy::for_profiles([options.profile])?;

    // Alice offers.
    let alice_socket = user_agent::socket()?;
    let offer = sdes::Offer::new(&policy, &mut rng)?;
    let crypto = offer.lines().map(str::to_owned).collect();
    let offer_sdp = Audio {
        address: alice_socket.local_addr()?,
        crypto,
    }
    .describe("alice", 1);
    print_sdp("offer, from Alice to Bob", &offer_sdp);

    // Bob answers.
    let bob_socket = user_agent::socket()?;
    let offered = Audio::read(&offer_sdp)?;
    let (answer, bob_keys) = sdes::Answer::to(&offered.crypto, &policy, &mut rng)
        .inspect_err(|_| print_sdp("answer, from Bob to Alice", &Audio::refuse("bob", 2)))?;
    let crypto = vec![answer.line().to_owned()];
    let answer_sdp = Audio {
        address: bob_socket.local_addr()?,
        crypto,
    }
    .describe("bob", 2);
    print_sdp("answer, from Bob to Alice", &answer_sdp);

    // Alice verifies the answer. Both have keys now, for both directions.
    let answered = Audio::read(&answer_sdp)?;
    let alice_keys = offer.accept(&answered.crypto)?;

    let first = options.first_sequence_number;
    let first = first.unwrap_or_else(|| below_2_15(&mut rng));
    let source = RtpSource::new(rng.next_u32(), first, rng.next_u32());
    let mut alice = Caller::new(alice_socket, answered.address, &alice_keys, source)?;
    let mut bob = Callee::new(bob_socket, offered.address, &bob_keys, &mut rng)?;
    let said = talk(options, audio, &mut alice, &mut bob)?;

    let frames = said.frames.iter();
    let different = frames.filter(|frame| bob.frame(frame.timestamp) != frame.arrives());
    let different = different.count();
    let heard = bob.audio();
    out.write(&heard)?;
    Ok(Outcome {
        said,
        sequence_numbers: (first, alice.source.sequence_number().wrapping_sub(1)),
        roc: bob.roc(),
        counts: bob.counts,
        different,
        heard: heard.len(),
    })
}

/// Alice's packets, one after the other, over the path to Bob.
fn talk<'a>(
    options: &Options,
    audio: &'a [i16],
    alice: &mut Caller,
    bob: &mut Callee,
) -> Result<Said<'a>, CallError> {
    let mut path = Impairment::new(options.loss_percent, options.reorder, PATH_SEED);
    let mut said = Said::default();
    let frames = audio.chunks(FRAME_SAMPLES);
    let (count, begin) = (frames.len(), Instant::now());
    for (n, samples) in (1..).zip(frames) {
        let (timestamp, lost_before) = (alice.source.timestamp(), path.lost());
        let packet = alice.audio(samples)?;
        // The first packet is spared: a receiver that first hears of a stream after its sequence
        // number has wrapped cannot know the ROC (RFC 3711 section 3.3.1).
        let arriving = if n == 1 {
            vec![packet]
        } else {
            path.pass(packet)
        };
        said.frames.push(Frame {
            timestamp,
            samples,
            lost: path.lost() > lost_before,
        });
        deliver(&arriving, alice, bob, &mut said)?;
        let heard = arriving.iter().find(|packet| !rtp::is_rtcp(packet));
        if let Some(packet) = heard.filter(|_| n > count / 2 && said.attacks == 0) {
            attack(packet, alice, bob)?;
            said.attacks += 1;
        }
        if n % REPORT_EVERY == 0 {
            let lost_before = path.lost();
            deliver(&path.pass(alice.report()?), alice, bob, &mut said)?;
            said.reports += 1;
            said.reports_lost += path.lost() - lost_before;
        }
        if options.real_time {
            progress(n, count, path.lost());
            let due = PACKET_TIME.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
            thread::sleep(due.saturating_sub(begin.elapsed()));
        }
    }
    deliver(&path.flush(), alice, bob, &mut said)?;
    if options.real_time {
        eprintln!();
    }
    Ok(said)
}

/// Sends each packet and has Bob receive it, so that no socket buffer overflows. He answers a
/// sender report with a receiver report.
fn deliver(
    packets: &[BytesMut],
    alice: &mut Caller,
    bob: &mut Callee,
    said: &mut Said<'_>,
) -> Result<(), CallError> {
    for packet in packets {
        alice.send(packet)?;
        if bob.receive()? == Received::Report {
            bob.report()?;
            said.reported_lost = Some(alice.receive_report()?);
        }
    }
    Ok(())
}

/// What someone on the path does, who has a packet of Alice's but not her keys: sends it again, and
/// sends it as if it were a later one.
fn attack(packet: &BytesMut, alice: &Caller, bob: &mut Callee) -> Result<(), CallError> {
    let mut later = packet.clone();
    if let Some([high, low]) = later.get_mut(2..4) {
        let sequence_number = u16::from_be_bytes([*high, *low]).wrapping_add(1000);
        [*high, *low] = sequence_number.to_be_bytes();
    }
    for packet in [packet, &later] {
        alice.send(packet)?;
        bob.receive()?;
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

fn print_sdp(title: &str, text: &str) {
    println!("{title}:");
    for line in text.lines() {
        println!("    {line}");
    }
    println!();
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
    #[error("nothing received: {0}")]
    Receive(io::Error),
    #[error("negotiation failed: {0}")]
    Refused(#[from] sdes::Refused),
    #[error("report not written: {0}")]
    ReportNotWritten(#[from] rtcp_types::RtcpWriteError),
    #[error("report not read: {0}")]
    ReportNotRead(#[from] rtcp_types::RtcpParseError),
    #[error("{0}")]
    Sdp(#[from] SdpError),
    #[error("keys not usable: {0}")]
    Session(#[from] srtp::SessionError),
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("packet refused: {0}")]
    Unprotect(#[from] srtp::UnprotectError),
}
