//! Protected SIP MESSAGEs of TR 33.829 §8.3.1.1 from one user to others, with a KMS between them.
//! Self-consistency.

use mikey::code_points::ThreeGppCodePoints;
use mikey::derive::Secret;
use mikey::payload::TicketFlags;
use mikey::{Identity, ReplayCache, Timestamp};
use mikey_ticket::profile::key_transport::{ContentKeySender, IncomingContentKey};
use mikey_ticket::profile::psk_mime;
use mikey_ticket::{
    DeferredReplayCache, GrantAsAsked, GrantedTicket, InMemoryTicketKeys, Initiator, Kms, Policy,
    PolicyError, Recipient, Resolution, Responder, Strength, TicketError,
};
use smime_psk::mime::{self, Entity, Headers, SmimeType, TransferEncoding};
use smime_psk::{
    AuthEnvelopedData, ContentEncryption, Encoding, ListServer, OpenError, OpenPolicy, Opened,
    ProofOfOrigin, ReencryptError, SealError, SealPolicy, ShownSender, TransportError,
    compare_sender,
};

use crate::support::{
    TestKms, TestRng, alice, bob, cache, carol, granted, id, kms_id, now, psk, psk_of, subscribers,
    user,
};

const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nAll your base are belong to us.\r\n";

fn list() -> Identity {
    id("sip:list@example.com")
}

/// Ticket keys that last longer than the tickets.
pub(crate) fn tpks() -> InMemoryTicketKeys {
    let mut tpks = InMemoryTicketKeys::new();
    let month = now().plus_seconds(30 * 86_400);
    for (strength, id) in [(Strength::Bits128, b"128"), (Strength::Bits256, b"256")] {
        let key = Secret::new(&vec![0x70; strength.key_len()]).unwrap();
        tpks.insert(id, strength, key, now().minus_seconds(60), month);
    }
    tpks
}

/// A KMS that knows the list server too.
pub(crate) fn kms() -> TestKms {
    let mut users = subscribers();
    users.insert(list(), psk_of(&list()));
    Kms::new(kms_id(), users, tpks(), GrantAsAsked, cache())
}

/// A ticket of `sender` for `recipients`, valid for a week.
pub(crate) fn ticket_of(
    sender: &Identity,
    recipients: &[Identity],
    proof: bool,
    kms: &mut TestKms,
    rng: &mut TestRng,
) -> GrantedTicket {
    let recipients = recipients.iter().cloned().map(Recipient::new).collect();
    let asked = psk_mime::policy(Strength::Bits256, recipients, proof).unwrap();
    let flags = TicketFlags {
        reusable: true,
        ..asked.flags()
    };
    let asked = asked.with_flags(flags).unwrap();
    let week = now().plus_seconds(7 * 86_400);
    let asked = asked.with_validity(None, Some(week)).unwrap();
    let initiator = Initiator::new(sender.clone(), kms_id());
    let (pending, request) = initiator.request(&asked, &psk(sender), now(), rng).unwrap();
    let response = kms.handle(&request, now(), rng).unwrap();
    pending.accept(&response, now()).unwrap()
}

fn sealed_at(
    ticket: &mut GrantedTicket,
    recipients: &[Identity],
    policy: &SealPolicy,
    at: Timestamp,
    rng: &mut TestRng,
) -> Vec<u8> {
    let mut sender = ContentKeySender::new(ticket, recipients, at);
    smime_psk::seal(TEXT, &mut sender, policy, rng).unwrap()
}

pub(crate) fn sealed(
    ticket: &mut GrantedTicket,
    recipients: &[Identity],
    policy: &SealPolicy,
    rng: &mut TestRng,
) -> Vec<u8> {
    sealed_at(ticket, recipients, policy, now(), rng)
}

#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// Found before the KMS was asked.
    Early(OpenError),
    /// No TRANSFER_INIT, or none that can be for this user.
    NotFound(Option<TicketError>),
    /// The KMS refused to resolve.
    Kms(TicketError),
    /// TRANSFER_INIT is not what the sender made.
    Ticket(TicketError),
    /// The content is not.
    Content(OpenError),
}

pub(crate) struct Inbox<C> {
    pub(crate) user: Responder,
    pub(crate) seen: C,
    pub(crate) policy: OpenPolicy,
}

pub(crate) fn inbox(user_id: &Identity) -> Inbox<DeferredReplayCache> {
    Inbox {
        user: user(user_id.clone()).with_window(None),
        seen: DeferredReplayCache::new(100),
        policy: OpenPolicy::default(),
    }
}

impl<C: ReplayCache> Inbox<C> {
    fn open_at(
        &mut self,
        cms: &[u8],
        at: Timestamp,
        kms: &mut TestKms,
        rng: &mut TestRng,
    ) -> Result<Opened, Failure> {
        let message = AuthEnvelopedData::parse(cms, Encoding::Der)
            .map_err(|error| Failure::Early(error.into()))?;
        let found = IncomingContentKey::find(message.recipient_infos(), &self.user, at);
        let found = found.map_err(|error| Failure::NotFound(Some(error)))?;
        let found = found.ok_or(Failure::NotFound(None))?;
        let keys = psk(self.user.identity());
        let (resolving, request) = found.resolve(&keys, at, rng).unwrap();
        let response = kms.handle(&request, at, rng);
        let response = response.map_err(|refusal| Failure::Kms(refusal.error()))?;
        let mut key = resolving
            .accept(&response, at, &mut self.seen)
            .map_err(|rejected| Failure::Ticket(rejected.error()))?;
        let opened = message.open(&mut key, &self.policy);
        opened.map_err(Failure::Content)
    }

    pub(crate) fn open(
        &mut self,
        cms: &[u8],
        kms: &mut TestKms,
        rng: &mut TestRng,
    ) -> Result<Opened, Failure> {
        self.open_at(cms, now(), kms, rng)
    }
}

/// The MESSAGE of TR 33.829 §8.3.1.1.1.
fn sip_message(from: &str, to: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "MESSAGE {to} SIP/2.0\r\n\
         Via: SIP/2.0/TCP user1pc.example.com;branch=z9hG4bK776sgdkse\r\n\
         Max-Forwards: 70\r\n\
         From: {from};tag=49583\r\n\
         To: {to}\r\n\
         Call-ID: asd88asd77a@1.2.3.4\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn body_of(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    &message[end.unwrap() + 4..]
}

#[test]
fn req_msg_01_a_sip_message_of_one_user_is_opened_by_another_through_the_kms() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let entity = b"Content-Type: text/plain\n\nAll your base are belong to us.\n";
    let entity = mime::canonical(entity).unwrap();
    for algorithm in [
        ContentEncryption::Aes128Gcm,
        ContentEncryption::Aes256Gcm,
        ContentEncryption::Aes128Ccm,
        ContentEncryption::Aes256Ccm,
    ] {
        let to = [bob()];
        let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
        let mut sender = ContentKeySender::new(&mut ticket, &to, now());
        let policy = SealPolicy::new(algorithm);
        let sealed = smime_psk::seal(&entity, &mut sender, &policy, &mut rng).unwrap();
        let wrapped = mime::wrap(&sealed, SmimeType::default(), TransferEncoding::Binary);
        let message = sip_message(
            "sip:alice@example.com",
            "sip:bob@example.com",
            wrapped.content_type(),
            wrapped.body(),
        );
        assert!(!message.windows(8).any(|octets| octets == b"All your"));

        let headers = Headers::of_sip(&message).unwrap();
        let content_type = headers.single("Content-Type").unwrap().unwrap();
        let cms = mime::unwrap_body(&content_type, None, body_of(&message)).unwrap();
        let opened = inbox(&bob()).open(&cms, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.content(), TEXT);
        assert_eq!(opened.algorithm(), algorithm);
        let from = headers.single("From").unwrap().unwrap();
        let verified = "sip:alice@example.com";
        let shown = compare_sender(opened.sender(), &from);
        assert_eq!(shown, ShownSender::Same { verified });

        let found = inbox(&carol()).open(&cms, &mut kms, &mut rng);
        let not_hers = Failure::NotFound(Some(TicketError::WrongRecipient));
        assert_eq!(found.unwrap_err(), not_hers);
    }
}

#[test]
fn req_msg_02_nobody_is_written_to_who_could_not_resolve_the_ticket() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = ticket_of(&alice(), &[bob()], false, &mut kms, &mut rng);
    let to = [bob(), carol()];
    for list in [None, Some(list())] {
        let mut sender = match &list {
            None => ContentKeySender::new(&mut ticket, &to, now()),
            Some(list) => ContentKeySender::to_list(&mut ticket, list, &to, now()),
        };
        let refused = smime_psk::seal(TEXT, &mut sender, &SealPolicy::default(), &mut rng);
        let expected = SealError::Transport(TransportError::Refused);
        assert_eq!(refused, Err(expected));
    }
    let mut sender = ContentKeySender::new(&mut ticket, &[], now());
    let refused = smime_psk::seal(TEXT, &mut sender, &SealPolicy::default(), &mut rng);
    assert_eq!(refused, Err(SealError::NoRecipient));
    let domain = [id("?@example.com")];
    let mut ticket = ticket_of(&alice(), &domain, false, &mut kms, &mut rng);
    sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng);
}

#[test]
fn req_msg_02_a_ticket_for_one_message_serves_one_recipient() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let recipients = [bob(), carol()];
    let named = recipients.clone().map(Recipient::new).to_vec();
    let asked = psk_mime::policy(Strength::Bits128, named, false).unwrap();
    let mut ticket = granted(&asked, &mut kms, &mut rng);
    let mut both = ContentKeySender::new(&mut ticket, &recipients, now());
    let refused = smime_psk::seal(TEXT, &mut both, &SealPolicy::default(), &mut rng);
    let expected = SealError::Transport(TransportError::Refused);
    assert_eq!(refused, Err(expected), "J = 0");
    // Nothing was used up by that.
    let sealed = sealed(
        &mut ticket,
        &recipients[..1],
        &SealPolicy::default(),
        &mut rng,
    );
    assert!(inbox(&bob()).open(&sealed, &mut kms, &mut rng).is_ok());
}

#[test]
fn req_msg_03_a_ticket_serves_many_messages_and_is_resolved_once() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let mut seen = DeferredReplayCache::new(10);
    let mut kept: Option<Resolution> = None;
    for second in 0..3 {
        let at = now().plus_seconds(second);
        let sealed = sealed_at(&mut ticket, &to, &SealPolicy::default(), at, &mut rng);
        let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).unwrap();
        let find = || {
            let infos = message.recipient_infos();
            let found = IncomingContentKey::find(infos, &user(bob()), at).unwrap();
            found.unwrap()
        };
        assert_eq!(find().claimed_sender(), &alice());
        let mut key = if let Some(resolution) = &kept {
            find().reuse(resolution, at, &mut seen).unwrap()
        } else {
            let (resolving, request) = find().resolve(&psk(&bob()), at, &mut rng).unwrap();
            let response = kms.handle(&request, at, &mut rng).unwrap();
            resolving.accept(&response, at, &mut seen).unwrap()
        };
        assert_eq!(key.sender(), &alice());
        assert_eq!(key.addressee(), Some(&bob()));
        let opened = message.open(&mut key, &OpenPolicy::default()).unwrap();
        assert_eq!(opened.content(), TEXT);
        kept = find().resolve_once(&mut kms, &mut rng);
        // The cache stands behind a kept resolution too.
        let mut again = find().reuse(kept.as_ref().unwrap(), at, &mut seen).unwrap();
        let refused = message
            .open(&mut again, &OpenPolicy::default())
            .unwrap_err();
        assert_eq!(refused, OpenError::Transport(TransportError::Replayed));
    }
}

trait ResolveOnce {
    fn resolve_once(self, kms: &mut TestKms, rng: &mut TestRng) -> Option<Resolution>;
}

impl ResolveOnce for IncomingContentKey {
    fn resolve_once(self, kms: &mut TestKms, rng: &mut TestRng) -> Option<Resolution> {
        let mut kept = None;
        self.resolve_with(|incoming| {
            let (resolving, request) = incoming.resolve(&psk(&bob()), now(), rng)?;
            let response = kms.handle(&request, now(), rng)?;
            kept = resolving
                .accept(&response, now(), &mut cache())?
                .resolution();
            Err(TicketError::TicketUsed)
        })
        .unwrap_err();
        kept
    }
}

#[test]
fn req_msg_06_deferred_messages_are_all_opened_oldest_first_and_lost_in_reverse() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let messages: Vec<_> = (0..8)
        .map(|hour| {
            let at = now().plus_seconds(3600 * hour);
            sealed_at(&mut ticket, &to, &SealPolicy::default(), at, &mut rng)
        })
        .collect();
    let back = now().plus_seconds(6 * 86_400);
    let small = || Inbox {
        seen: DeferredReplayCache::new(2),
        ..inbox(&bob())
    };
    let lost = Failure::Content(OpenError::Transport(TransportError::Replayed));

    let mut bob_s = small();
    for message in &messages {
        assert!(bob_s.open_at(message, back, &mut kms, &mut rng).is_ok());
    }
    for message in &messages {
        let again = bob_s.open_at(message, back, &mut kms, &mut rng);
        assert_eq!(again.unwrap_err(), lost);
    }

    let mut reversed = small();
    let opened = messages.iter().rev().filter(|message| {
        let opened = reversed.open_at(message, back, &mut kms, &mut rng);
        opened.is_ok()
    });
    assert_eq!(opened.count(), 2, "as many as the cache holds");

    // An immediate message is one of the last minutes, unless the user says otherwise.
    let mut strict = Inbox {
        user: user(bob()),
        ..small()
    };
    let late = strict.open_at(&messages[0], back, &mut kms, &mut rng);
    let skew = Failure::NotFound(Some(TicketError::ClockSkew));
    assert_eq!(late.unwrap_err(), skew);
    // And nothing outlives its ticket.
    let later = now().plus_seconds(8 * 86_400);
    let late = small().open_at(&messages[0], later, &mut kms, &mut rng);
    let expired = Failure::NotFound(Some(TicketError::Expired));
    assert_eq!(late.unwrap_err(), expired);
}

#[test]
fn req_msg_05_messages_from_the_future_cannot_fill_the_cache() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let mut bob_s = Inbox {
        seen: DeferredReplayCache::new(1),
        ..inbox(&bob())
    };
    let tomorrow = now().plus_seconds(86_400);
    let early = sealed_at(&mut ticket, &to, &SealPolicy::default(), tomorrow, &mut rng);
    let refused = bob_s.open(&early, &mut kms, &mut rng).unwrap_err();
    let expected = Failure::Content(OpenError::Transport(TransportError::Refused));
    assert_eq!(refused, expected);
    let sealed = sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng);
    assert!(bob_s.open(&sealed, &mut kms, &mut rng).is_ok());
    assert!(bob_s.open_at(&early, tomorrow, &mut kms, &mut rng).is_ok());
}

#[test]
fn a_replay_cache_survives_a_restart() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let mut at = (0..4).map(|second| now().plus_seconds(second));
    let mut next = |rng: &mut TestRng| {
        let at = at.next().unwrap();
        sealed_at(&mut ticket, &to, &SealPolicy::default(), at, rng)
    };
    let (first, second, third) = (next(&mut rng), next(&mut rng), next(&mut rng));
    let mut before = Inbox {
        seen: DeferredReplayCache::new(1),
        ..inbox(&bob())
    };
    for message in [&first, &second] {
        assert!(before.open(message, &mut kms, &mut rng).is_ok());
    }
    let stored: Vec<_> = before.seen.iter().collect();
    let mut restored = Inbox {
        seen: DeferredReplayCache::restored(5, before.seen.forgotten(), stored),
        ..inbox(&bob())
    };
    for message in [&first, &second] {
        assert!(restored.open(message, &mut kms, &mut rng).is_err());
    }
    assert!(restored.open(&third, &mut kms, &mut rng).is_ok());
    // A user that has lost its cache refuses what it may have opened before.
    let lost = now().plus_seconds(2);
    let mut lost = Inbox {
        seen: DeferredReplayCache::restored(5, Some(lost), []),
        ..inbox(&bob())
    };
    for message in [&first, &second, &third] {
        assert!(lost.open(message, &mut kms, &mut rng).is_err());
    }
    assert!(lost.open(&next(&mut rng), &mut kms, &mut rng).is_ok());
}

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

#[test]
fn req_msg_10_a_proof_of_origin_is_verified_with_the_kms_for_every_message() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    for proof in [ProofOfOrigin::Mac, ProofOfOrigin::Committing] {
        let mut ticket = ticket_of(&alice(), &members, true, &mut kms, &mut rng);
        let policy = SealPolicy::default().proof_of_origin(proof);
        let sealed = sealed(&mut ticket, &members, &policy, &mut rng);
        for member in &members {
            let mut at_member = Inbox {
                policy: OpenPolicy::default().proof_of_origin(proof),
                ..inbox(member)
            };
            let opened = at_member.open(&sealed, &mut kms, &mut rng).unwrap();
            assert_eq!(opened.proof_of_origin(), proof);
        }
    }
    // Without forking there is no place for a proof, and none is left out in silence.
    let mut shared = ticket_of(&alice(), &members, false, &mut kms, &mut rng);
    let mut sender = ContentKeySender::new(&mut shared, &members, now());
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let refused = smime_psk::seal(TEXT, &mut sender, &policy, &mut rng);
    let expected = SealError::Transport(TransportError::NoProofOfOrigin);
    assert_eq!(refused, Err(expected));
}

#[test]
fn req_msg_10_a_forked_ticket_is_resolved_for_every_message() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, true, &mut kms, &mut rng);
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let sealed = sealed(&mut ticket, &to, &policy, &mut rng);
    let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).unwrap();
    let find = || IncomingContentKey::find(message.recipient_infos(), &user(bob()), now());
    let kept = find().unwrap().unwrap().resolve_once(&mut kms, &mut rng);
    let reused = find()
        .unwrap()
        .unwrap()
        .reuse(&kept.unwrap(), now(), cache());
    let refused = reused.unwrap_err();
    assert_eq!(refused, TicketError::Policy(PolicyError::Profile));
    let (resolving, request) = find()
        .unwrap()
        .unwrap()
        .resolve(&psk(&bob()), now(), &mut rng)
        .unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let key = resolving.accept(&response, now(), cache()).unwrap();
    assert!(key.resolution().is_none());
}

#[test]
fn tampering_with_any_octet_is_refused_and_spoils_nothing() {
    for proof in [ProofOfOrigin::None, ProofOfOrigin::Committing] {
        let (mut kms, mut rng) = (kms(), TestRng(1));
        let members = [bob(), carol()];
        let forked = proof != ProofOfOrigin::None;
        let mut ticket = ticket_of(&alice(), &members, forked, &mut kms, &mut rng);
        let policy = SealPolicy::default().proof_of_origin(proof);
        let sealed = sealed(&mut ticket, &members[..1], &policy, &mut rng);
        let mut bob_s = inbox(&bob());
        bob_s.policy = bob_s.policy.proof_of_origin(proof);
        for octet in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[octet] ^= 1 << (octet % 8);
            let outcome = bob_s.open(&altered, &mut kms, &mut rng);
            assert!(outcome.is_err(), "octet {octet} of {}", sealed.len());
            assert!(bob_s.seen.is_empty(), "octet {octet}");
        }
        for len in 0..sealed.len() {
            assert!(bob_s.open(&sealed[..len], &mut kms, &mut rng).is_err());
        }
        let opened = bob_s.open(&sealed, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.content(), TEXT);
    }
}

#[test]
fn a_message_is_opened_once_by_each_recipient() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut ticket = ticket_of(&alice(), &members, false, &mut kms, &mut rng);
    let sealed = sealed(&mut ticket, &members, &SealPolicy::default(), &mut rng);
    let replayed = Failure::Content(OpenError::Transport(TransportError::Replayed));
    for member in &members {
        let mut at_member = inbox(member);
        assert!(at_member.open(&sealed, &mut kms, &mut rng).is_ok());
        let again = at_member.open(&sealed, &mut kms, &mut rng);
        assert_eq!(again.unwrap_err(), replayed);
    }
}

#[test]
fn an_altered_copy_that_comes_first_does_not_spoil_the_message() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let sealed = sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng);
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut bob_s = inbox(&bob());
    let refused = bob_s.open(&altered, &mut kms, &mut rng).unwrap_err();
    assert_eq!(refused, Failure::Content(OpenError::Forged));
    assert!(bob_s.open(&sealed, &mut kms, &mut rng).is_ok());
}

#[test]
fn a_forged_answer_of_the_kms_leaves_the_message_waiting() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let sealed = sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng);
    let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).unwrap();
    let found = IncomingContentKey::find(message.recipient_infos(), &user(bob()), now());
    let found = found.unwrap().unwrap();
    let (resolving, request) = found.resolve(&psk(&bob()), now(), &mut rng).unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let mut forged = response.clone();
    *forged.last_mut().unwrap() ^= 1;
    let rejected = resolving.accept(&forged, now(), cache()).unwrap_err();
    assert_eq!(rejected.error(), TicketError::Forged);
    let resolving = rejected.into_state();
    let mut key = resolving.accept(&response, now(), cache()).unwrap();
    assert!(message.open(&mut key, &OpenPolicy::default()).is_ok());
}

#[test]
fn the_key_of_one_message_opens_no_other() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let [one, other] = [(); 2].map(|()| sealed(&mut ticket, &to, &SealPolicy::default(), &mut rng));
    let message = AuthEnvelopedData::parse(&one, Encoding::Der).unwrap();
    let found = IncomingContentKey::find(message.recipient_infos(), &user(bob()), now());
    let found = found.unwrap().unwrap();
    let (resolving, request) = found.resolve(&psk(&bob()), now(), &mut rng).unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let mut key = resolving.accept(&response, now(), cache()).unwrap();
    let refused = smime_psk::open(&other, &mut key, &OpenPolicy::default());
    assert_eq!(refused.unwrap_err(), OpenError::NoRecipient);
    // Nor does the key of what was received send anything.
    let sent = smime_psk::seal(TEXT, &mut key, &SealPolicy::default(), &mut rng);
    assert_eq!(sent, Err(TransportError::Unavailable.into()));
    assert!(message.open(&mut key, &OpenPolicy::default()).is_ok());
}

#[test]
fn other_code_points_are_another_language() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let mut ticket = ticket_of(&alice(), &to, false, &mut kms, &mut rng);
    let ours = ThreeGppCodePoints {
        id_ori_mikey: &[0x2b, 6, 1, 4, 1, 1],
        ..ThreeGppCodePoints::DEFAULT
    };
    let mut sender = ContentKeySender::new(&mut ticket, &to, now()).with_code_points(ours);
    let sealed = smime_psk::seal(TEXT, &mut sender, &SealPolicy::default(), &mut rng).unwrap();
    let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).unwrap();
    let found = IncomingContentKey::find(message.recipient_infos(), &user(bob()), now());
    assert!(found.unwrap().is_none());
    let infos = message.recipient_infos();
    let found = IncomingContentKey::find_by(infos, &user(bob()), &ours, now());
    assert!(found.unwrap().is_some());
    let none = ThreeGppCodePoints {
        id_ori_mikey: &[],
        ..ours
    };
    let mut sender = ContentKeySender::new(&mut ticket, &to, now()).with_code_points(none);
    let refused = smime_psk::seal(TEXT, &mut sender, &SealPolicy::default(), &mut rng);
    assert_eq!(refused, Err(TransportError::Malformed.into()));
}

#[test]
fn keys_that_are_too_long_for_the_ticket_are_not_carried() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let recipients = vec![Recipient::new(bob())];
    let asked = psk_mime::policy(Strength::Bits128, recipients, false).unwrap();
    let mut ticket = granted(&asked, &mut kms, &mut rng);
    let mut sender = ContentKeySender::new(&mut ticket, &to, now());
    let policy = SealPolicy::new(ContentEncryption::Aes256Gcm);
    let refused = smime_psk::seal(TEXT, &mut sender, &policy, &mut rng);
    assert_eq!(refused, Err(TransportError::KeyLength.into()));
}

#[test]
fn a_call_s_ticket_carries_no_message() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let to = [bob()];
    let policy = Policy::new(
        Strength::Bits256,
        Policy::SHARED,
        vec![Recipient::new(bob())],
    );
    let mut ticket = granted(&policy.unwrap(), &mut kms, &mut rng);
    let mut sender = ContentKeySender::new(&mut ticket, &to, now());
    let refused = smime_psk::seal(TEXT, &mut sender, &SealPolicy::default(), &mut rng);
    assert_eq!(refused, Err(TransportError::Refused.into()));
}
