//! Self-consistency: protected messages as a person sends them, and with bad input.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use interop::kms::{self, Node, Subscribers};
use interop::sip::{SipError, SipMessage, Store};
use interop::subscriber::{self, Subscriber, SubscriberError};
use mikey::Identity;
use smime_psk::ProofOfOrigin;
use support::{folder, run};

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";

#[test]
fn a_user_reads_a_message_once_and_nobody_else_does() {
    let folder = folder("message-user");
    for arguments in [
        &[][..],
        &["--proof"],
        &["--text", "Zwölf Boxkämpfer\nzwei Zeilen"],
    ] {
        let ended = run("secure_message", &folder, arguments);
        ended.succeeds();
        assert!(ended.says("Bob refuses it with one bit changed"));
        assert!(ended.says("Bob reads, from sip:alice@example.com"));
        assert!(ended.says("Bob refuses it a second time"));
        assert!(ended.says("Carol cannot open it"));
    }
}

#[test]
fn a_list_is_reached_by_its_psi_and_shown_as_the_sender() {
    let folder = folder("message-psi");
    for arguments in [&["--to", "psi"][..], &["--to", "psi", "--proof"]] {
        let ended = run("secure_message", &folder, arguments);
        ended.succeeds();
        assert!(ended.says("The list's server has verified sip:alice@example.com"));
        // The S/MIME sender prevails over From, which is Alice (TR 33.829 §8.3.1.1.2).
        assert!(ended.says("Bob reads, from sip:list@example.com"));
        assert!(ended.says("Carol reads, from sip:list@example.com"));
    }
}

#[test]
fn a_list_of_uris_is_copied_to_each_by_a_server_without_a_key() {
    let folder = folder("message-uri-list");
    for arguments in [&["--to", "uri-list"][..], &["--to", "uri-list", "--proof"]] {
        let ended = run("secure_message", &folder, arguments);
        ended.succeeds();
        assert!(ended.says("The server copies it to sip:bob@example.com, sip:carol@example.com"));
        assert!(ended.says("Bob reads, from sip:alice@example.com"));
        assert!(ended.says("Carol reads, from sip:alice@example.com"));
    }
}

#[test]
fn req_msg_06_a_store_delivers_the_oldest_first_and_none_is_lost() {
    let ended = run(
        "secure_message",
        &folder("message-deferred"),
        &["--deferred", "10"],
    );
    ended.succeeds();
    let read: Vec<_> = ended
        .stdout
        .lines()
        .filter(|l| l.starts_with("Bob reads"))
        .collect();
    assert_eq!(read.len(), 10);
    for (n, line) in (1..).zip(read) {
        assert!(line.contains(&format!(": {n}: ")), "{line}");
    }
    assert!(ended.says("None was lost, and none is opened twice"));
}

#[test]
fn req_msg_06_in_another_order_a_small_replay_cache_may_lose_some() {
    let subscribers = Subscribers::demo().unwrap();
    let server = kms::local(&subscribers).unwrap();
    let nodes = [Node::new(&server.url())];
    let user = |uri| Subscriber::new(uri, &subscribers, &nodes).unwrap();
    let to = [Identity::uri(BOB).unwrap()];
    let mut ticket = user(ALICE)
        .message_ticket(&to, ProofOfOrigin::None)
        .unwrap();
    let mut store = Store::new();
    for n in 0..6_u8 {
        let cms = subscriber::seal(&[n], &mut ticket, &to, ProofOfOrigin::None).unwrap();
        assert!(store.keep(&SipMessage::smime(ALICE, BOB, &cms)));
    }
    let delivered: Vec<_> = store.deliver(BOB).collect();
    assert_eq!((delivered.len(), store.deliver(BOB).count()), (6, 0));
    let open = |bob: &mut Subscriber, octets: &[u8]| {
        let cms = SipMessage::read(octets).unwrap().cms().unwrap();
        bob.open(&cms, ProofOfOrigin::None)
            .map(|opened| opened.content().to_vec())
    };
    let mut in_order = user(BOB).remembering(2);
    for (n, octets) in (0..).zip(&delivered) {
        assert_eq!(open(&mut in_order, octets).unwrap(), [n]);
    }
    let mut reversed = user(BOB).remembering(2);
    let lost = delivered
        .iter()
        .rev()
        .filter(|octets| open(&mut reversed, octets).is_err());
    assert_eq!(lost.count(), 4);
}

#[test]
fn what_one_has_no_ticket_for_is_not_sent_and_a_missing_proof_is_not_taken() {
    let subscribers = Subscribers::demo().unwrap();
    let server = kms::local(&subscribers).unwrap();
    let nodes = [Node::new(&server.url())];
    let user = |uri| Subscriber::new(uri, &subscribers, &nodes).unwrap();
    let [bob, carol] = [BOB, "sip:carol@example.com"].map(|uri| Identity::uri(uri).unwrap());
    let to = [bob];
    let mut ticket = user(ALICE)
        .message_ticket(&to, ProofOfOrigin::None)
        .unwrap();
    let none = ProofOfOrigin::None;
    let refused = subscriber::seal(b"x", &mut ticket, &[carol], none);
    assert!(matches!(refused, Err(SubscriberError::Seal(_))));
    let refused = subscriber::seal(b"x", &mut ticket, &to, ProofOfOrigin::Mac);
    assert!(matches!(refused, Err(SubscriberError::Seal(_))));
    let cms = subscriber::seal(b"x", &mut ticket, &to, none).unwrap();
    let refused = user(BOB).open(&cms, ProofOfOrigin::Mac);
    assert!(matches!(refused, Err(SubscriberError::Open(_))));
    assert!(user(BOB).open(&cms, none).is_ok());
}

#[test]
fn what_is_no_message_is_refused() {
    for octets in [
        &b""[..],
        b"MESSAGE sip:b SIP/2.0\r\n",
        b"INVITE sip:b SIP/2.0\r\nFrom: a\r\nTo: b\r\nContent-Type: text/plain\r\n\r\n",
        b"MESSAGE sip:b SIP/2.0\r\nFrom: a\r\nTo: b\r\n\r\nx",
    ] {
        assert_eq!(SipMessage::read(octets), Err(SipError::Malformed));
    }
    let plain = SipMessage::new(ALICE, BOB, "text/plain", b"x");
    assert!(matches!(plain.cms(), Err(SipError::Mime(_))));
}

#[test]
fn bad_input_is_refused() {
    let folder = folder("message-bad-input");
    for (arguments, reason) in [
        (&["--to", "everyone"][..], "user, psi and uri-list"),
        (&["--deferred", "many"], "0 to 1000"),
        (&["--deferred", "2", "--to", "psi"], "--to user"),
        (&["--kms", "here"], "http://"),
        (&["--subscribers", "absent.toml"], "absent.toml"),
        (&["--unknown"], "--unknown"),
    ] {
        run("secure_message", &folder, arguments).is_bad_input(reason);
    }
    run("secure_message", &folder, &["--kms", "http://127.0.0.1:1/"])
        .fails(1, "the KMS at http://127.0.0.1:1/ does not answer");
    let help = run("secure_message", &folder, &["--help"]);
    help.succeeds();
    assert!(help.says("Usage: secure_message"));
}
