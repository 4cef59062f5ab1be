//! Self-consistency: nodes of the key management service as processes, with good and with bad input;
//! with the feature `peers`, beside an installed Redis.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use core::time::Duration;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Instant,
};

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::kms::{self, Node, Subscribers};
use interop::subscriber::{Subscriber, SubscriberError};
use mikey::code_points::{DataType, IdRole};
use mikey::payload::Payload;
use mikey::{Identity, Message};
use mikey_ticket::{
    GrantedTicket, Initiator, Offer, Policy, Recipient, Strength, Transfer, VerifiedTransfer,
};
use support::{folder, key_file, run, run_within};

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";

#[test]
fn a_ticket_of_a_node_that_was_killed_is_resolved_by_another() {
    let folder = folder("kms-two-nodes");
    let keys = key_file(&folder);
    let (mut first, first_url) = support::kms(&["--keys", &keys]);
    let (_second, second_url) = support::kms(&["--keys", &keys]);
    let both = [Node::new(&first_url), Node::new(&second_url)];

    let mut ticket = subscriber(ALICE, &both).request(&for_bob()).unwrap();
    first.kill();
    resolves(&mut ticket, &mut subscriber(BOB, &both));
    let mut another = subscriber(ALICE, &both).request(&for_bob()).unwrap();
    resolves(&mut another, &mut subscriber(BOB, &both));
    assert!(matches!(
        subscriber(ALICE, &both[..1]).request(&for_bob()),
        Err(SubscriberError::Kms(_))
    ));
}

#[test]
#[should_panic(expected = "killed after 1s")]
fn a_run_without_an_end_fails_its_test() {
    let folder = folder("kms-endless");
    let keys = key_file(&folder);
    let arguments = ["--listen", "127.0.0.1:0", "--keys", &keys];
    run_within(Duration::from_secs(1), "kms", &folder, &arguments);
}

#[test]
fn tickets_under_a_tpk_that_was_rotated_out_still_resolve() {
    let folder = folder("kms-rotation");
    let keys = key_file(&folder);
    let (_node, url) = support::kms(&["--keys", &keys]);
    let nodes = [Node::new(&url)];
    let mut before = subscriber(ALICE, &nodes).request(&for_bob()).unwrap();

    thread::sleep(Duration::from_millis(1100));
    run("kms", &folder, &["--rotate", "--keys", &keys]).succeeds();
    let mut after = subscriber(ALICE, &nodes).request(&for_bob()).unwrap();
    assert_ne!(tpk_id(&before), tpk_id(&after));
    resolves(&mut before, &mut subscriber(BOB, &nodes));
    resolves(&mut after, &mut subscriber(BOB, &nodes));

    // A revoked one does not, as soon as the nodes have read it.
    let text = fs::read_to_string(&keys).unwrap();
    let revoked = text.replace("until", "revoked = true\nuntil");
    thread::sleep(Duration::from_millis(1100));
    fs::write(&keys, revoked).unwrap();
    let refused = receive(&mut before, &mut subscriber(BOB, &nodes));
    assert!(refused.is_err());
}

#[test]
fn a_node_is_asked_again_after_a_pause() {
    let folder = folder("kms-pause");
    let keys = key_file(&folder);
    let (_node, url) = support::kms(&["--keys", &keys]);
    let alice = subscriber(ALICE, &[Node::new(&url)]);
    assert!(alice.request(&for_bob()).is_ok());
    // Longer than a node waits for a request.
    thread::sleep(Duration::from_secs(6));
    assert!(alice.request(&for_bob()).is_ok());
}

#[test]
fn a_broken_file_of_keys_leaves_those_that_were_read() {
    let folder = folder("kms-broken");
    let keys = key_file(&folder);
    let (_node, url) = support::kms(&["--keys", &keys]);
    thread::sleep(Duration::from_millis(1100));
    fs::write(&keys, "[[tpk]]\nid =").unwrap();
    let nodes = [Node::new(&url)];
    let mut ticket = subscriber(ALICE, &nodes).request(&for_bob()).unwrap();
    resolves(&mut ticket, &mut subscriber(BOB, &nodes));
}

#[test]
fn subscribers_of_a_file_are_served_and_others_get_an_error_message() {
    let folder = folder("kms-subscribers");
    let keys = key_file(&folder);
    let file = folder.join("subscribers.toml");
    let entry = |uri| format!("[[subscriber]]\nidentity = \"{uri}\"\nkey = \"{KEY}\"\n");
    fs::write(&file, entry(ALICE)).unwrap();
    let file = file.to_str().unwrap();
    let (_node, url) = support::kms(&["--keys", &keys, "--subscribers", file]);
    let nodes = [Node::new(&url)];

    let known = Subscribers::read(file.as_ref()).unwrap();
    let alice = Subscriber::new(ALICE, &known, &nodes).unwrap();
    assert!(alice.request(&for_bob()).is_ok());

    let request = request_of(BOB);
    let answer = nodes[0].ask(&request).unwrap();
    let answer = Message::decode(&answer).unwrap();
    assert_eq!(answer.header().data_type(), DataType::Error);
}

#[test]
fn what_is_no_message_is_refused_over_http() {
    let folder = folder("kms-http");
    let keys = key_file(&folder);
    let (_node, url) = support::kms(&["--keys", &keys]);
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let status = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream
            .set_read_timeout(Some(Duration::from_secs(9)))
            .unwrap();
        let _ = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).map(str::to_owned)
    };
    let post = |headers: &str, body: &str| {
        status(&format!(
            "POST / HTTP/1.1\r\nHost: kms\r\nConnection: close\r\n{headers}\r\n\r\n{body}"
        ))
    };
    let some = |code: &str| Some(code.to_owned());
    let get = "GET / HTTP/1.1\r\nHost: kms\r\nConnection: close\r\n\r\n";
    assert_eq!(status(get), some("405"));
    assert_eq!(
        post("Content-Type: text/plain\r\nContent-Length: 1", "x"),
        some("415")
    );
    let mikey = "Content-Type: application/mikey\r\nContent-Length: ";
    assert_eq!(post(&format!("{mikey}4"), "\u{1}abc"), some("403"));
    assert_eq!(post(&format!("{mikey}0"), ""), some("403"));
    let long = "x".repeat(kms::MAX_MESSAGE + 1);
    assert_eq!(post(&format!("{mikey}{}", long.len()), &long), some("413"));

    // A body that never comes is given up.
    let begin = Instant::now();
    assert_eq!(post(&format!("{mikey}100"), "too little"), some("408"));
    assert!(begin.elapsed() < Duration::from_secs(8));
    // And the node serves on.
    assert!(
        subscriber(ALICE, &[Node::new(&url)])
            .request(&for_bob())
            .is_ok()
    );
}

#[test]
fn bad_input_is_one_line_without_keys() {
    let folder = folder("kms-bad-input");
    let keys = key_file(&folder);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    run(
        "kms",
        &folder,
        &["--keys", &keys, "--subscribers", "absent.toml"],
    )
    .is_bad_input("absent.toml");
    for (arguments, reason) in [
        (&[][..], "--keys FILE is needed"),
        (&["--keys", "absent.toml"], "absent.toml"),
        (&["--keys", &keys, "--listen", "here"], "\"here\""),
        (&["--keys", &keys, "--hours", "0"], "1 to 8760"),
        (&["--unknown"], "--unknown"),
    ] {
        run("kms", &folder, arguments).is_bad_input(reason);
    }
    let demo = run("kms", &folder, &["--keys", &keys, "--listen", &taken]);
    assert_eq!(demo.status, Some(1));
    assert!(
        demo.stderr.lines().last().unwrap().contains(&taken),
        "{}",
        demo.stderr
    );

    for (text, reason) in [
        ("", "no [[subscriber]]"),
        ("not toml", "line 1"),
        (
            "[[subscriber]]\nidentity = \"sip:a@b\"\nkey = \"AAAAsecret\"\n",
            "entry 1: the key",
        ),
        (
            "[[subscriber]]\nidentity = \"sip:a@b\"\nkee = \"AAAAsecret\"\n",
            "line 3",
        ),
        (
            "[[subscriber]]\nidentity = \"sip:a@b\"\nkey = AAAAsecret\n",
            "line 3",
        ),
    ] {
        fs::write(folder.join("subscribers.toml"), text).unwrap();
        let ended = run(
            "kms",
            &folder,
            &["--keys", &keys, "--subscribers", "subscribers.toml"],
        );
        ended.is_bad_input(reason);
        assert!(!ended.stderr.contains("AAAAsecret"), "{}", ended.stderr);
    }
    let help = run("kms", &folder, &["--help"]);
    help.succeeds();
    assert!(help.says("Usage: kms"));
}

/// Beside an installed `redis-server`.
#[cfg(feature = "peers")]
mod redis {
    use std::{os::unix::net::UnixStream, process::Command};

    use interop::peer::{PeerError, or_not_run};

    use super::*;
    use crate::support::Running;

    #[test]
    fn nodes_that_share_a_store_refuse_what_another_has_taken() {
        let folder = folder("kms-redis");
        let test = "nodes_that_share_a_store_refuse_what_another_has_taken";
        let Some((mut store, store_url)) = or_not_run(test, store()) else {
            return;
        };
        let keys = key_file(&folder);
        let nodes = || support::kms(&["--keys", &keys, "--redis", &store_url]);
        let ((mut first, first_url), (_second, second_url)) = (nodes(), nodes());
        let (a, b) = (Node::new(&first_url), Node::new(&second_url));

        let request = request_of(ALICE);
        assert_eq!(data_type(&a.ask(&request).unwrap()), DataType::RequestResp);
        assert!(b.ask(&request).is_err(), "taken by the other node");
        assert!(a.ask(&request).is_err(), "taken by itself");
        first.kill();
        assert!(b.ask(&request).is_err(), "taken by a node that is gone");
        let fresh = b.ask(&request_of(ALICE)).unwrap();
        assert_eq!(data_type(&fresh), DataType::RequestResp);

        // Without the store nothing is known, and everything refused.
        store.kill();
        assert!(b.ask(&request_of(ALICE)).is_err());
    }

    #[test]
    fn nodes_that_share_nothing_take_a_message_each() {
        let folder = folder("kms-no-redis");
        let keys = key_file(&folder);
        let nodes = || support::kms(&["--keys", &keys]);
        let ((_first, first_url), (_second, second_url)) = (nodes(), nodes());
        let request = request_of(ALICE);
        for url in [&first_url, &second_url] {
            let answer = Node::new(url).ask(&request).unwrap();
            assert_eq!(data_type(&answer), DataType::RequestResp);
            assert!(Node::new(url).ask(&request).is_err());
        }
    }

    #[test]
    fn a_store_that_is_not_there_ends_a_node_and_a_url_that_is_none_is_bad_input() {
        let folder = folder("kms-redis-absent");
        let keys = key_file(&folder);
        for (url, status) in [("redis://:secret@127.0.0.1:1", 1), ("here", 2)] {
            let ended = run("kms", &folder, &["--keys", &keys, "--redis", url]);
            assert_eq!(ended.status, Some(status));
            assert!(ended.stderr.lines().last().unwrap().contains("--redis"));
            assert!(!ended.stderr.contains("secret"));
        }
    }

    /// A Redis of our own, on a socket in the file system: no port can be taken.
    fn store() -> Result<(Running, String), PeerError> {
        const PROGRAM: &str = "redis-server";
        let io = |error| PeerError::Io {
            program: PROGRAM,
            error,
        };
        Command::new(PROGRAM)
            .arg("--version")
            .output()
            .map_err(io)?;
        let socket = std::env::temp_dir().join(format!("kms-{}.sock", std::process::id()));
        let mut command = Command::new(PROGRAM);
        command.args(["--port", "0", "--save", "", "--unixsocket"]);
        let running = Running::quietly(command.arg(&socket));
        let begin = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(5), "no Redis");
            thread::sleep(Duration::from_millis(20));
        }
        Ok((running, format!("redis+unix://{}", socket.display())))
    }

    fn data_type(message: &[u8]) -> DataType {
        Message::decode(message).unwrap().header().data_type()
    }
}

const KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";

fn subscriber(uri: &str, nodes: &[Node]) -> Subscriber {
    Subscriber::new(uri, &Subscribers::demo().unwrap(), nodes).unwrap()
}

fn for_bob() -> Policy {
    let bob = Recipient::new(Identity::uri(BOB).unwrap());
    let flags = mikey::payload::TicketFlags {
        reusable: true,
        ..Policy::FORKED
    };
    Policy::new(Strength::Bits128, flags, vec![bob]).unwrap()
}

/// REQUEST_INIT_PSK of a demonstration user.
fn request_of(user: &str) -> Vec<u8> {
    let (user, kms) = (Identity::uri(user).unwrap(), kms::identity().unwrap());
    let keys = Subscribers::demo().unwrap().keys_of(&user, &kms).unwrap();
    let mut rng = UnwrapErr(SysRng);
    let initiator = Initiator::new(user, kms);
    initiator
        .request(&for_bob(), &keys, kms::now(), &mut rng)
        .unwrap()
        .1
}

/// Sends the ticket to Bob.
fn receive(
    ticket: &mut GrantedTicket,
    bob: &mut Subscriber,
) -> Result<VerifiedTransfer, SubscriberError> {
    let to = Identity::uri(BOB).unwrap();
    let mut rng = UnwrapErr(SysRng);
    let offer = Offer::new(&to, &[]);
    let (_, init): (Transfer, _) = ticket.transfer(&offer, kms::now(), &mut rng).unwrap();
    bob.receive(&init)
}

fn resolves(ticket: &mut GrantedTicket, bob: &mut Subscriber) {
    let verified = receive(ticket, bob).unwrap();
    assert_eq!(verified.initiator().data(), ALICE.as_bytes());
}

fn tpk_id(ticket: &GrantedTicket) -> Vec<u8> {
    let payload = ticket.ticket().to_payload().unwrap();
    let base = mikey::payload::BaseTicket::decode(payload.data()).unwrap();
    let names = |payload| match payload {
        Payload::Idr(idr) if idr.role() == IdRole::PreSharedKey => Some(idr.id().data().to_vec()),
        _ => None,
    };
    base.payloads().iter().find_map(names).unwrap()
}
