//! Protected SIP MESSAGEs (TR 33.829 §8.3.1.1): to a user, to a list by its PSI, to a list of URIs,
//! deferred, with proof of origin.
//!
//! The content is S/MIME, its key travels in a TRANSFER_INIT within, and the recipients have a KMS
//! resolve the ticket. `--help` lists what can be tried.

#![allow(clippy::std_instead_of_alloc, reason = "a program")]

mod arguments;

use std::process::ExitCode;

use arguments::{Options, To};
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::{
    kms,
    program::{self, Failure},
    sip::{SipError, SipMessage, Store},
    subscriber::{self, Subscriber, SubscriberError},
    users::{Users, UsersError},
};
use mikey::Identity;
use mikey_ticket::{TicketError, profile::key_transport::ContentKeySender};
use smime_psk::{
    ListServer, MimeError, Opened, ProofOfOrigin, ReencryptError, SealPolicy, compare_sender,
    mime::{self, Entity, SmimeType, TransferEncoding},
};

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";
const CAROL: &str = "sip:carol@example.com";
/// The public service identity of a list whose members are Bob and Carol.
const LIST: &str = "sip:list@example.com";

/// What a handset remembers of the messages that it has opened: few, to show that it suffices.
const REMEMBERED: usize = 4;

const BOUNDARY: &str = "mediasec-boundary";

fn main() -> ExitCode {
    let options = arguments::parse(std::env::args_os().skip(1));
    program::main("secure_message", &arguments::help(), options, run)
}

fn run(options: &Options) -> Result<(), MessageError> {
    let network = Network(Users::new(&options.users)?);
    println!("KMS at {}\n", network.0.kms());
    match options.to {
        To::User if options.deferred > 0 => network.deferred(options),
        To::User => network.to_user(options),
        To::Psi => network.to_psi(options),
        To::UriList => network.to_uri_list(options),
    }
}

/// The users, and the servers between them.
struct Network(Users);

impl Network {
    fn user(&self, uri: &str) -> Result<Subscriber, SubscriberError> {
        Ok(self.0.user(uri)?.remembering(REMEMBERED))
    }

    fn to_user(&self, options: &Options) -> Result<(), MessageError> {
        // A tag convinces a recipient who is the only one (TR 33.829 annex F).
        let proof = options.proof(ProofOfOrigin::Mac);
        let to = identities(&[BOB])?;
        let mut ticket = self.user(ALICE)?.message_ticket(&to, proof)?;
        let cms = subscriber::seal(&entity(&options.text)?, &mut ticket, &to, proof)?;
        let message = SipMessage::smime(ALICE, BOB, &cms);
        show("Alice sends", &message);

        let mut bob = self.user(BOB)?;
        let mut changed = message.cms()?;
        if let Some(octet) = changed.last_mut() {
            *octet ^= 1;
        }
        refused(bob.open(&changed, proof))?;
        println!("Bob refuses it with one bit changed");
        let opened = bob.open(&message.cms()?, proof)?;
        reads("Bob", &message, &opened, &options.text)?;
        refused(bob.open(&message.cms()?, proof))?;
        println!("Bob refuses it a second time");
        refused(self.user(CAROL)?.open(&message.cms()?, proof))?;
        println!("Carol cannot open it");
        Ok(())
    }

    fn deferred(&self, options: &Options) -> Result<(), MessageError> {
        let proof = options.proof(ProofOfOrigin::Mac);
        let to = identities(&[BOB])?;
        let mut ticket = self.user(ALICE)?.message_ticket(&to, proof)?;
        let text = |n: usize| format!("{n}: {}", options.text);
        let mut store = Store::new();
        for n in 1..=options.deferred {
            let cms = subscriber::seal(&entity(&text(n))?, &mut ticket, &to, proof)?;
            if !store.keep(&SipMessage::smime(ALICE, BOB, &cms)) {
                return Err(MessageError::StoreFull);
            }
        }
        println!("The store keeps {} messages for Bob", options.deferred);

        let mut bob = self.user(BOB)?;
        for (n, octets) in (1..).zip(store.deliver(BOB)) {
            let message = SipMessage::read(&octets)?;
            let opened = bob.open(&message.cms()?, proof)?;
            reads("Bob", &message, &opened, &text(n))?;
            refused(bob.open(&message.cms()?, proof))?;
        }
        println!("None was lost, and none is opened twice: Bob remembers {REMEMBERED}");
        Ok(())
    }

    /// TR 33.829 §8.3.1.1.3.
    fn to_psi(&self, options: &Options) -> Result<(), MessageError> {
        let rng = &mut UnwrapErr(SysRng);
        let proof = options.proof(ProofOfOrigin::Mac);
        let list = identities(&[LIST])?;
        let mut ticket = self.user(ALICE)?.message_ticket(&list, proof)?;
        let cms = subscriber::seal(&entity(&options.text)?, &mut ticket, &list, proof)?;
        let message = SipMessage::smime(ALICE, LIST, &cms);
        show("Alice sends", &message);

        let mut server = self.user(LIST)?;
        let opened = server.open(&message.cms()?, proof)?;
        println!(
            "The list's server has verified {}",
            opened.sender().unwrap_or("nobody")
        );
        let members = identities(&[BOB, CAROL])?;
        let mut ticket = server.message_ticket(&members, proof)?;
        let mut to_all =
            ContentKeySender::to_list(&mut ticket, server.identity(), &members, kms::now());
        // Members have the same key, so their proof is one that binds.
        let proof = options.proof(ProofOfOrigin::Committing);
        let policy = SealPolicy::default().proof_of_origin(proof);
        let fields = ListServer::new(message.from(), message.to());
        let cms = fields.reencrypt(opened, &mut to_all, &policy, rng)?;
        println!("It encrypts once, and copies to each\n");
        self.everyone_reads(&cms, proof, &options.text)
    }

    /// TR 33.829 §8.3.1.1.4.
    fn to_uri_list(&self, options: &Options) -> Result<(), MessageError> {
        let proof = options.proof(ProofOfOrigin::Committing);
        let to = identities(&[BOB, CAROL])?;
        let mut ticket = self.user(ALICE)?.message_ticket(&to, proof)?;
        let cms = subscriber::seal(&entity(&options.text)?, &mut ticket, &to, proof)?;
        let body = with_list(&[BOB, CAROL], &cms);
        let content_type = format!("multipart/mixed;boundary={BOUNDARY}");
        let message = SipMessage::new(ALICE, "sip:exploder@example.com", &content_type, &body);
        show("Alice sends", &message);

        // The server reads the list and has no key.
        let parts = format!("Content-Type: {content_type}\r\n\r\n").into_bytes();
        let parts = [&parts, message.body()].concat();
        let parts = Entity::parse(&parts)?.parts()?;
        let [list, protected] = parts.as_slice() else {
            return Err(MessageError::NoList);
        };
        let list = String::from_utf8_lossy(list.body()).into_owned();
        let uris = list.split("uri=\"").skip(1);
        let uris: Vec<_> = uris.filter_map(|rest| rest.split('"').next()).collect();
        println!("The server copies it to {}\n", uris.join(", "));
        if uris != [BOB, CAROL] {
            return Err(MessageError::NoList);
        }
        let cms = mime::unwrap(protected.as_octets())?;
        self.everyone_reads(&cms, proof, &options.text)
    }

    fn everyone_reads(
        &self,
        cms: &[u8],
        proof: ProofOfOrigin,
        text: &str,
    ) -> Result<(), MessageError> {
        for (name, uri) in [("Bob", BOB), ("Carol", CAROL)] {
            let message = SipMessage::smime(ALICE, uri, cms);
            let opened = self.user(uri)?.open(&message.cms()?, proof)?;
            reads(name, &message, &opened, text)?;
        }
        Ok(())
    }
}

/// That a message was refused, by the one who got it and not for want of a KMS.
fn refused(outcome: Result<Opened, SubscriberError>) -> Result<(), MessageError> {
    match outcome {
        Ok(_) => Err(MessageError::Accepted),
        Err(SubscriberError::Open(_) | SubscriberError::Ticket(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The MIME entity that is protected.
fn entity(text: &str) -> Result<Vec<u8>, MimeError> {
    let entity = format!("Content-Type: text/plain;charset=utf-8\r\n\r\n{text}");
    Ok(mime::canonical(entity.as_bytes())?.into_owned())
}

/// The list of recipients in clear, for the server (RFC 5365), beside what is protected.
fn with_list(uris: &[&str], cms: &[u8]) -> Vec<u8> {
    let entries = uris.iter().map(|uri| format!("<entry uri=\"{uri}\"/>"));
    let list = format!(
        "--{BOUNDARY}\r\nContent-Type: application/resource-lists+xml\r\n\
         Content-Disposition: recipient-list\r\n\r\n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list>{}</list>\
         </resource-lists>\r\n--{BOUNDARY}\r\n",
        entries.collect::<String>()
    );
    let protected = mime::wrap(cms, SmimeType::default(), TransferEncoding::Base64);
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    [list.as_bytes(), &protected.to_entity(None), end.as_bytes()].concat()
}

fn show(title: &str, message: &SipMessage) {
    println!("{title}:");
    for line in message.head().lines().filter(|line| !line.is_empty()) {
        println!("    {line}");
    }
    println!();
}

/// What the user sees: who wrote it, by what the KMS vouches for, and what.
fn reads(
    name: &str,
    message: &SipMessage,
    opened: &Opened,
    text: &str,
) -> Result<(), MessageError> {
    let shown = compare_sender(opened.sender(), message.from());
    let content = Entity::parse(opened.content())?;
    let read = String::from_utf8_lossy(content.body()).into_owned();
    let proof = match opened.proof_of_origin() {
        ProofOfOrigin::None => "",
        _ => " (no other recipient can have written it)",
    };
    println!(
        "{name} reads, from {}{proof}: {read}",
        shown.verified().unwrap_or("nobody")
    );
    if opened.content() == entity(text)? && shown.verified().is_some() {
        Ok(())
    } else {
        Err(MessageError::Changed)
    }
}

fn identities(uris: &[&str]) -> Result<Vec<Identity>, TicketError> {
    let identities = uris.iter().map(|uri| Identity::uri(uri));
    Ok(identities.collect::<Result<_, _>>()?)
}

/// Not everyone reads what Alice wrote.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("a message was accepted that had to be refused")]
    Accepted,
    #[error("what arrived is NOT what was sent")]
    Changed,
    #[error("MIME: {0}")]
    Mime(#[from] MimeError),
    #[error("the list of recipients is not there")]
    NoList,
    #[error("the list's server does not forward: {0}")]
    Reencrypt(#[from] ReencryptError),
    #[error("{0}")]
    Sip(#[from] SipError),
    #[error("the store has no room")]
    StoreFull,
    #[error("{0}")]
    Subscriber(#[from] SubscriberError),
    #[error("ticket: {0}")]
    Ticket(#[from] TicketError),
    #[error("{0}")]
    Users(#[from] UsersError),
}

impl Failure for MessageError {
    fn is_bad_input(&self) -> bool {
        matches!(self, Self::Users(error) if error.is_bad_input())
    }
}
