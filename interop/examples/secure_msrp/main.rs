//! Messages between two users over TLS with a key from MIKEY-TICKET (TR 33.829 §8.3.1.2, annex D).
//!
//! Alice offers `TCP/TLS/MSRP` with a TRANSFER_INIT in `a=key-mgmt`, Bob answers. A media anchor
//! (RFC 6714) between them carries the TLS records of both and has no key. `--help` lists what else
//! can be tried.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;
mod endpoint;

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use arguments::Options;
use endpoint::{Endpoint, Line};
use interop::{
    cema_relay::{Relay, RelayError},
    files,
    keyed_media::{self, KeyingError},
    msrp::{MAX_MESSAGE, Message, SessionError},
    program::{self, Failure},
    subscriber::SubscriberError,
    tls_psk::TlsError,
    users::{Users, UsersError},
};
use mikey::Identity;
use mikey_ticket::TicketError;
use sdp_sec::tls_role::Side;

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";

/// What Alice and Bob say if there is no file.
const QUESTION: &str = "Bob, this text is for you alone: 4711.";
const ANSWER: &str = "Alice, so is this one for you: 0815.";

const TEXT: &str = "text/plain";
const FILE: &str = "application/octet-stream";

fn main() -> ExitCode {
    let options = arguments::parse(std::env::args_os().skip(1));
    program::main("secure_msrp", &arguments::help(), options, run)
}

fn run(options: &Options) -> Result<(), MsrpError> {
    let file = options.file.as_ref();
    let file =
        file.map(|path| files::read(path, MAX_MESSAGE).map_err(|error| in_file(path, error)));
    let file = file.transpose()?;
    let file = file.as_ref().map(|octets| octets.as_slice());
    // What cannot be written is known before anything is sent.
    let out = options.out.as_ref();
    let out = out.map(|path| File::create(path).map_err(|error| in_file(path, error)));
    let mut out = out.transpose()?;
    let log = options.relay_log.as_deref();
    let relay = Relay::new(log).map_err(|error| in_file(log.unwrap_or("".as_ref()), error))?;

    let (at_alice, at_bob) = agree(options, &relay)?;
    println!(
        "Alice is TCP and TLS {}, Bob {}\n",
        at_alice.role(),
        at_bob.role()
    );

    let sessions = if options.reconnect { 2 } else { 1 };
    for session in 1..=sessions {
        if session > 1 {
            println!("The connection is closed. A new one begins with the same key.\n");
        }
        let (at_bob, vanishes) = (at_bob.clone(), options.vanish);
        let bob = thread::spawn(move || {
            let session = at_bob.connect()?;
            if vanishes {
                // The connection stays, and nothing comes any more.
                thread::park();
            }
            answer(session)
        });
        let mut alice = at_alice.connect()?;
        let suite = ask(&mut alice, file)?;
        drop(alice);
        let received = bob.join().map_err(|_| MsrpError::Vanished)??;
        println!("TLS {suite}: every chunk was answered");
        report(file, &received)?;
        if let (Some(path), Some(out)) = (&options.out, out.take()) {
            write(out, &received.body).map_err(|error| in_file(path, error))?;
        }
    }
    println!(
        "The relay carried {} octets of TLS and has no key.",
        relay.octets()
    );
    Ok(())
}

fn in_file(path: &Path, error: io::Error) -> MsrpError {
    MsrpError::File(path.to_owned(), error)
}

/// Offer and answer, by way of the relay.
fn agree(options: &Options, relay: &Relay) -> Result<(Endpoint, Endpoint), MsrpError> {
    let users = Users::new(&options.users)?;
    println!("KMS at {}\n", users.kms());

    // Alice offers.
    let bob = Identity::uri(BOB).map_err(TicketError::from)?;
    let policy = keyed_media::forked(32, core::slice::from_ref(&bob));
    let mut ticket = users
        .user(ALICE)?
        .request(&policy.map_err(TicketError::from)?)?;
    let (transfer, message) = keyed_media::offer_tls(&mut ticket, &bob)?;
    let alice = Line::listen()?;
    let offer = alice.offer("alice", &message)?;
    print_sdp("offer, from Alice", &offer);
    let offer_at_bob = relay.anchor(&offer)?;

    // Bob looks, has the ticket resolved, and answers.
    let init = endpoint::key_mgmt(&offer_at_bob)?;
    let verified = users.user(BOB)?.receive(&init)?;
    endpoint::check_protocols(&offer_at_bob, &verified)?;
    println!(
        "Bob: the KMS vouches for {}\n",
        verified.initiator().data().escape_ascii()
    );
    let (keys, response) = keyed_media::answer_tls(verified)?;
    let bob_line = Line::listen()?;
    let answer = bob_line.answer("bob", &offer_at_bob, options.callee, &response)?;
    // Who does not know the attribute does not write it.
    let answer = if options.without_cema {
        answer.replace("a=msrp-cema\r\n", "")
    } else {
        answer
    };
    print_sdp("answer, from Bob", &answer);
    let at_bob = bob_line.agreed(&offer_at_bob, &answer, Side::Answerer, &keys)?;

    // Alice verifies the answer, and that it is Bob's.
    let answer_at_alice = relay.anchor(&answer)?;
    endpoint::check_answer(&offer, &answer_at_alice)?;
    let response = endpoint::key_mgmt(&answer_at_alice)?;
    let keys = transfer.accept(&response).map_err(TicketError::from)?;
    keys.check_peer(&bob)?;
    println!(
        "Alice: the KMS vouches for {}\n",
        keys.peer().data().escape_ascii()
    );
    let at_alice = alice.agreed(&offer, &answer_at_alice, Side::Offerer, &keys)?;
    Ok((at_alice, at_bob))
}

/// Alice: sends the file, or a text, and waits for a text. The suite of the connection.
fn ask(session: &mut endpoint::Msrp, file: Option<&[u8]>) -> Result<String, MsrpError> {
    match file {
        Some(file) => session.send(FILE, file)?,
        None => session.send(TEXT, QUESTION.as_bytes())?,
    }
    let answer = session.receive()?;
    if answer.body != ANSWER.as_bytes() {
        return Err(MsrpError::Changed);
    }
    Ok(endpoint::suite(session))
}

/// Bob: waits for what comes, and sends a text.
fn answer(mut session: endpoint::Msrp) -> Result<Message, MsrpError> {
    let message = session.receive()?;
    session.send(TEXT, ANSWER.as_bytes())?;
    // Alice closes when she has it.
    match session.receive() {
        Err(SessionError::Closed) => Ok(message),
        Err(error) => Err(error.into()),
        Ok(_) => Err(MsrpError::Changed),
    }
}

/// What came of it at Bob.
fn report(file: Option<&[u8]>, received: &Message) -> Result<(), MsrpError> {
    let sent = file.unwrap_or(QUESTION.as_bytes());
    if received.body != sent {
        return Err(MsrpError::Changed);
    }
    match file {
        Some(file) => println!("file: {} octets arrived as they were sent\n", file.len()),
        None => println!("texts arrived as they were sent, both ways\n"),
    }
    Ok(())
}

fn write(mut out: File, octets: &[u8]) -> io::Result<()> {
    out.write_all(octets)?;
    out.flush()
}

fn print_sdp(title: &str, text: &str) {
    println!("{title}:");
    for line in text.lines() {
        println!("    {line}");
    }
    println!();
}

/// No session, or one that ended early.
#[derive(Debug, thiserror::Error)]
enum MsrpError {
    #[error("what arrived is NOT what was sent")]
    Changed,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("keys not agreed on: {0}")]
    Keying(#[from] KeyingError),
    #[error("a relay is between, and the other side does not know msrp-cema: TLS would end there")]
    NoCema,
    #[error("{0}")]
    Relay(#[from] RelayError),
    #[error("SDP: {0}")]
    Sdp(#[from] sdp_sec::SdpError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("the other side does not connect within 5 s")]
    Silence,
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("{0}")]
    Subscriber(#[from] SubscriberError),
    #[error("ticket: {0}")]
    Ticket(#[from] TicketError),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("the offer and its answer do not fit")]
    Unfit,
    #[error("{0}")]
    Users(#[from] UsersError),
    #[error("the other side has vanished")]
    Vanished,
}

impl Failure for MsrpError {
    fn is_bad_input(&self) -> bool {
        match self {
            Self::File(..) => true,
            Self::Users(error) => error.is_bad_input(),
            _ => false,
        }
    }
}
