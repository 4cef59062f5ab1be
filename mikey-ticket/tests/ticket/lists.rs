//! Messages to many: list servers and URI lists (TR 33.829 §8.3.1.1.3, §8.3.1.1.4).
//! Self-consistency.

use mikey_ticket::TicketError;
use mikey_ticket::profile::key_transport::{ContentKeySender, IncomingContentKey};
use smime_psk::mime::{self, Entity, SmimeType, TransferEncoding};
use smime_psk::{
    AuthEnvelopedData, Encoding, ListServer, OpenPolicy, ReencryptError, SealPolicy, ShownSender,
    compare_sender,
};

use crate::messages::{Failure, TEXT, inbox, kms, list, sealed, ticket_of};
use crate::support::{TestRng, alice, bob, cache, carol, now, psk, user};

#[test]
fn req_msg_07_a_list_server_opens_verifies_and_encrypts_once_for_its_members() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = ticket_of(&alice(), &[list()], false, &mut kms, &mut rng);
    let incoming = sealed(&mut ticket, &[list()], &SealPolicy::default(), &mut rng);
    // Neither Alice nor the KMS knows the members: they cannot open what she sent.
    assert!(inbox(&bob()).open(&incoming, &mut kms, &mut rng).is_err());

    let members = [bob(), carol()];
    let mut of_list = ticket_of(&list(), &members, false, &mut kms, &mut rng);
    let mut server = inbox(&list());
    let opened = server.open(&incoming, &mut kms, &mut rng).unwrap();
    let named = list();
    let mut to_all = ContentKeySender::to_list(&mut of_list, &named, &members, now());
    let outgoing = ListServer::new("<sip:alice@example.com>;tag=1", "<sip:list@example.com>")
        .reencrypt(opened, &mut to_all, &SealPolicy::default(), &mut rng)
        .unwrap();
    let infos = AuthEnvelopedData::parse(&outgoing, Encoding::Der).unwrap();
    assert_eq!(infos.recipient_infos().count(), 1, "once for all");
    for member in &members {
        let opened = inbox(member).open(&outgoing, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.content(), TEXT);
        let shown = compare_sender(opened.sender(), "<sip:alice@example.com>;tag=1");
        let verified = "sip:list@example.com";
        assert_eq!(shown, ShownSender::Differs { verified });
    }

    // Someone else's message with Alice's name in From goes no further.
    let mut eve = ticket_of(&carol(), &[list()], false, &mut kms, &mut rng);
    let incoming = sealed(&mut eve, &[list()], &SealPolicy::default(), &mut rng);
    let opened = server.open(&incoming, &mut kms, &mut rng).unwrap();
    let mut to_all = ContentKeySender::to_list(&mut of_list, &named, &members, now());
    let refused = ListServer::new("<sip:alice@example.com>;tag=1", "<sip:list@example.com>")
        .reencrypt(opened, &mut to_all, &SealPolicy::default(), &mut rng);
    assert_eq!(refused, Err(ReencryptError::Sender));
}

#[test]
fn req_msg_08_a_message_with_a_uri_list_is_forwarded_as_it_came() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut ticket = ticket_of(&alice(), &members, false, &mut kms, &mut rng);
    let protected = sealed(&mut ticket, &members, &SealPolicy::default(), &mut rng);
    let part = mime::wrap(&protected, SmimeType::default(), TransferEncoding::Binary);
    let body = [
        &b"Content-Type: multipart/mixed;boundary=\"boundary1\"\r\n\r\n--boundary1\r\n"[..],
        b"Content-Type: application/resource-lists+xml\r\n",
        b"Content-Disposition: recipient-list\r\n\r\n<resource-lists/>\r\n--boundary1\r\n",
        &part.to_entity(None),
        b"\r\n--boundary1--\r\n",
    ]
    .concat();
    let parts = Entity::parse(&body).unwrap().parts().unwrap();
    let forwarded = mime::unwrap(parts[1].as_octets()).unwrap();
    assert_eq!(forwarded, protected);
    // The server is no recipient, the members are.
    let at_server = inbox(&list()).open(&forwarded, &mut kms, &mut rng);
    let not_for_it = Failure::NotFound(Some(TicketError::WrongRecipient));
    assert_eq!(at_server.unwrap_err(), not_for_it);
    for member in &members {
        let opened = inbox(member).open(&forwarded, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.sender(), Some("sip:alice@example.com"));
    }

    // The list of the recipients, by the server: encrypted once, copied to each.
    let (named, text) = (
        list(),
        b"Content-Type: application/resource-lists+xml\r\n\r\n<x/>",
    );
    let mut of_list = ticket_of(&named, &members, false, &mut kms, &mut rng);
    let mut to_all = ContentKeySender::to_list(&mut of_list, &named, &members, now());
    let once = smime_psk::seal(text, &mut to_all, &SealPolicy::default(), &mut rng).unwrap();
    for member in &members {
        let opened = inbox(member).open(&once, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.sender(), Some("sip:list@example.com"));
    }
}

#[test]
fn req_msg_09_each_recipient_finds_the_transfer_that_names_it() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut ticket = ticket_of(&alice(), &members, false, &mut kms, &mut rng);
    let sealed = sealed(&mut ticket, &members, &SealPolicy::default(), &mut rng);
    let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).unwrap();
    assert_eq!(message.recipient_infos().count(), 2);
    for member in &members {
        let infos = message.recipient_infos();
        let found = IncomingContentKey::find(infos, &user(member.clone()), now());
        let (resolving, request) = found
            .unwrap()
            .unwrap()
            .resolve(&psk(member), now(), &mut rng)
            .unwrap();
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let mut key = resolving.accept(&response, now(), cache()).unwrap();
        assert_eq!(key.addressee(), Some(member));
        assert!(message.open(&mut key, &OpenPolicy::default()).is_ok());
    }
}

/// Carol passes on to Bob what Alice wrote to her: it opens, and says whom it was for.
#[test]
fn who_was_written_to_is_known_with_who_wrote() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = ticket_of(&alice(), &[bob(), carol()], false, &mut kms, &mut rng);
    let to_carol = sealed(&mut ticket, &[carol()], &SealPolicy::default(), &mut rng);
    let message = AuthEnvelopedData::parse(&to_carol, Encoding::Der).unwrap();
    let found = IncomingContentKey::find(message.recipient_infos(), &user(bob()), now());
    let (resolving, request) = found
        .unwrap()
        .unwrap()
        .resolve(&psk(&bob()), now(), &mut rng)
        .unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let key = resolving.accept(&response, now(), cache()).unwrap();
    assert_eq!((key.sender(), key.addressee()), (&alice(), Some(&carol())));
}
