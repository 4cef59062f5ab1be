//! One dialogue, whose messages are files in a folder: with any UE and any core.

use core::time::Duration;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::edge::{Established, Message, Offered, RtpCall};
use sdp_sec::edge::Outcome;
use sdp_sec::fingerprint::Fingerprint;
use sdp_sec::mediasec::Source;
use zeroize::Zeroizing;

use crate::{
    Failure, Gateway, Running, TICK, UE, alg, arguments::Options, ended_well,
    tls_streams::TlsStreams,
};

/// The files of a dialogue, in their order.
struct Names {
    from: Source,
    offer: &'static str,
    offer_sent: &'static str,
    answer: &'static str,
    answer_sent: &'static str,
}

const ORIGINATING: Names = Names {
    from: Source::Ue,
    offer: "1_from_ue.sdp",
    offer_sent: "2_to_core.sdp",
    answer: "3_from_core.sdp",
    answer_sent: "4_to_ue.sdp",
};

const TERMINATING: Names = Names {
    from: Source::Core,
    offer: "1_from_core.sdp",
    offer_sent: "2_to_ue.sdp",
    answer: "3_from_ue.sdp",
    answer_sent: "4_to_core.sdp",
};

/// The message that ends a dialogue.
const BYE: &str = "5_bye.sip";

/// Serves the dialogue in `folder` for as long as the options say.
pub(crate) fn serve(folder: &Path, options: &Options) -> Result<(), Failure> {
    let names = if folder.join(ORIGINATING.offer).exists() {
        ORIGINATING
    } else {
        TERMINATING
    };
    let registered = registrations(folder)?;
    let registered = registered.iter().map(|message| {
        let contact = message.header("Contact").next().map_or(UE, uri);
        (contact, message.header("Security-Client").collect())
    });
    let alg = alg(options, registered)?;
    let offer = read_description(&folder.join(names.offer))?;
    let contact = match names.from {
        Source::Ue => offer.header("Contact").next().map(uri),
        Source::Core => offer.request_uri(),
    };
    let mut rng = UnwrapErr(SysRng);
    let mut streams = TlsStreams::new();
    let mut certificate = |media: usize| -> Option<Fingerprint> { streams.certificate(media) };

    let (exchange, sent) = alg.offer(
        contact.unwrap_or(UE),
        None,
        names.from,
        &offer,
        &mut certificate,
        &mut rng,
    )?;
    write(&folder.join(names.offer_sent), &sent)?;
    let answer = await_file(&folder.join(names.answer), options.timeout)?;
    let (established, sent) = exchange.answered(&answer, &mut certificate, &mut rng)?;
    report(&established);
    let gateway = Gateway::start(options.workers, options)?;
    let established = begin(established, &gateway, &mut streams, options)?;
    write(&folder.join(names.answer_sent), &sent)?;
    established
        .then_some(())
        .ok_or_else(|| Failure::call("no stream is left to serve"))?;
    run(gateway, &mut streams, &folder.join(BYE), options)
}

/// What became of each m-line, and who answered.
fn report(established: &Established) {
    for identity in &established.other_endpoint {
        println!("answered by      {identity}");
    }
    for (outcome, media) in established.outcomes().iter().zip(0..) {
        let what = match outcome {
            Outcome::Rtp(stream) => format!("SRTP, {}", stream.access()),
            Outcome::Tls(stream) => format!("{}", stream.access()),
            Outcome::Refused(refusal) => format!("refused: {refusal}"),
            Outcome::Closed => "closed".to_owned(),
            _ => "passes untouched".to_owned(),
        };
        println!("stream {media}         {what}");
    }
}

/// Gives the IMS-AGW its streams; whether there are any.
fn begin(
    established: Established,
    gateway: &Gateway,
    streams: &mut TlsStreams,
    options: &Options,
) -> Result<bool, Failure> {
    let mut any = false;
    for (stream, media) in established.streams.into_iter().zip(0_usize..) {
        let Some(stream) = stream else { continue };
        any = true;
        if matches!(stream.outcome, Outcome::Rtp(_)) {
            let id = u64::try_from(media).unwrap_or(u64::MAX);
            if let Some(call) = RtpCall::new(id, stream) {
                gateway.workers.add(call.map_err(Failure::call)?);
            }
        } else {
            streams.begin(media, stream, gateway.tap.clone(), options.timeout)?;
        }
    }
    Ok(any)
}

/// Serves the streams until the dialogue or the time is over, a peer vanishes, or TLS fails.
fn run(
    mut gateway: Gateway,
    streams: &mut TlsStreams,
    bye: &Path,
    options: &Options,
) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut hand_over = options.hand_over;
    while begin.elapsed() < options.seconds && !bye.exists() {
        thread::sleep(TICK);
        streams.check()?;
        gateway.check_peers(options.timeout)?;
        if hand_over.is_some_and(|after| begin.elapsed() >= after) {
            hand_over = None;
            let left = options.seconds.saturating_sub(begin.elapsed());
            gateway = match gateway.hand_over(options, left)? {
                Running::Here(gateway) => gateway,
                Running::There(second) => return wait_for(second, streams, bye),
            };
        }
    }
    streams.stop()?;
    gateway.stop().map(drop)
}

/// Waits for the second process, and tells it when the dialogue is over. TLS streams stay here.
fn wait_for(mut second: Offered, streams: &mut TlsStreams, bye: &Path) -> Result<(), Failure> {
    let served = loop {
        if let Some(status) = second.ended()? {
            return ended_well(status).and(streams.stop());
        }
        let checked = streams.check();
        if checked.is_err() || bye.exists() {
            break checked;
        }
        thread::sleep(TICK);
    };
    ended_well(second.stop()?)?;
    streams.stop().and(served)
}

/// The REGISTER of each UE that is known.
fn registrations(folder: &Path) -> Result<Vec<Message>, Failure> {
    let folder = fs::read_dir(folder)
        .map_err(|error| Failure::input(format!("{}: {error}", folder.display())))?;
    let mut paths = Vec::new();
    for entry in folder {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("register") && name.ends_with(".sip") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The URI of a Contact header: what stands in angle brackets, or before parameters.
fn uri(contact: &str) -> &str {
    let bracketed = contact
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    let bare = contact.split(';').next().unwrap_or(contact).trim();
    bracketed.map_or(bare, |(uri, _)| uri)
}

fn read(path: &Path) -> Result<Message, Failure> {
    let fail =
        |error: &dyn core::fmt::Display| Failure::input(format!("{}: {error}", path.display()));
    let octets = Zeroizing::new(fs::read(path).map_err(|error| fail(&error))?);
    Message::parse(&octets).map_err(|error| fail(&error))
}

fn read_description(path: &Path) -> Result<Message, Failure> {
    let message = read(path)?;
    let described = !message.sdp().is_empty();
    let missing = || Failure::input(format!("{}: no session description", path.display()));
    described.then_some(message).ok_or_else(missing)
}

/// The answer, when it has come.
fn await_file(path: &Path, timeout: Duration) -> Result<Message, Failure> {
    let begin = Instant::now();
    while begin.elapsed() < timeout {
        if path.exists() {
            return read_description(path);
        }
        thread::sleep(TICK);
    }
    let seconds = timeout.as_secs();
    Err(Failure::call(format!(
        "{}: no answer within {seconds} s",
        path.display()
    )))
}

/// Writes a message, which may hold keys, for its owner alone; it is there as a whole or not at all.
fn write(path: &Path, message: &Message) -> Result<(), Failure> {
    let part = PathBuf::from(format!("{}.part", path.display()));
    let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", path.display()));
    let mut options = fs::File::options();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part);
    file.and_then(|mut file| file.write_all(&message.to_octets()))
        .and_then(|()| fs::rename(&part, path))
        .map_err(fail)
}
