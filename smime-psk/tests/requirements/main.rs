//! Self-consistency: the requirements of TR 33.829 that this crate owns, by their numbers.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod loopback;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use loopback::Loopback;
use smime_psk::mime::{self, Entity, Headers, SmimeType, TransferEncoding};
use smime_psk::sipfrag::{self, Assertion, AssertionError, DateWindow};
use smime_psk::{
    ContentEncryption, KekRecipient, KeyTransport, ListServer, Oid, OpenError, OpenPolicy, Opened,
    ProofOfOrigin, ReencryptError, SealError, SealPolicy, SenderField, ShownSender, TransportError,
    compare_sender,
};

const ALICE: &str = "sip:user1@domain.com";
const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nAll your base are belong to us.\r\n";

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn seal(content: &[u8], transport: &mut dyn KeyTransport, policy: &SealPolicy) -> Vec<u8> {
    smime_psk::seal(content, transport, policy, &mut rng()).unwrap()
}

fn open(sealed: &[u8], transport: &mut dyn KeyTransport) -> Result<Opened, OpenError> {
    smime_psk::open(sealed, transport, &OpenPolicy::default())
}

fn kek(id: &str) -> KekRecipient {
    KekRecipient::new(id.as_bytes(), &[7; 16]).unwrap()
}

/// The MESSAGE of TR 33.829 §8.3.1.1.1, with its folded Content-Type.
fn sip_message(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "MESSAGE sip:user2@domain.com SIP/2.0\r\n\
         Via: SIP/2.0/TCP user1pc.domain.com;branch=z9hG4bK776sgdkse\r\n\
         Max-Forwards: 70\r\n\
         From: sip:user1@domain.com;tag=49583\r\n\
         To: sip:user2@domain.com\r\n\
         Call-ID: asd88asd77a@1.2.3.4\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Type: application/pkcs7-mime;\r\n \
         smime-type=auth-enveloped-data;\r\n              name=smime.p7m\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn req_msg_01_a_sip_message_is_sealed_by_one_user_and_opened_by_another() {
    let entity = b"Content-Type: text/plain\n\nAll your base are belong to us.\n";
    let entity = mime::canonical(entity).unwrap();
    let sealed = seal(&entity, &mut Loopback::new(ALICE), &SealPolicy::default());
    let wrapped = mime::wrap(&sealed, SmimeType::default(), TransferEncoding::Binary);
    let message = sip_message(wrapped.body());

    let body = message
        .windows(4)
        .position(|octets| octets == b"\r\n\r\n")
        .unwrap()
        + 4;
    let headers = Headers::of_sip(&message).unwrap();
    let content_type = headers.single("Content-Type").unwrap().unwrap();
    let cms = mime::unwrap_body(&content_type, None, &message[body..]).unwrap();
    let opened = open(&cms, &mut Loopback::new("nobody")).unwrap();
    assert_eq!(opened.content(), TEXT);
    let from = headers.single("From").unwrap().unwrap();
    assert_eq!(
        compare_sender(opened.sender(), &from),
        ShownSender::Same { verified: ALICE }
    );
}

#[test]
fn req_msg_01_every_algorithm_of_annex_b_and_both_transfer_encodings() {
    use ContentEncryption::{Aes128Ccm, Aes128Gcm, Aes256Ccm, Aes256Gcm};
    for algorithm in [Aes128Ccm, Aes128Gcm, Aes256Ccm, Aes256Gcm] {
        for smime_type in [SmimeType::AuthEnvelopedData, SmimeType::Rfc8551] {
            for encoding in [TransferEncoding::Binary, TransferEncoding::Base64] {
                let policy = SealPolicy::new(algorithm);
                let sealed = seal(TEXT, &mut Loopback::new(ALICE), &policy);
                let entity = mime::wrap(&sealed, smime_type, encoding).to_entity(None);
                let cms = mime::unwrap(&entity).unwrap();
                let opened = open(&cms, &mut Loopback::new("")).unwrap();
                assert_eq!((opened.content(), opened.algorithm()), (TEXT, algorithm));
            }
        }
    }
}

#[test]
fn req_msg_01_the_object_identifier_of_the_transport_is_configured() {
    let number = Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 99_999, 1]).unwrap();
    let mut alice = Loopback::with_ori_type(ALICE, number);
    let sealed = seal(TEXT, &mut alice, &SealPolicy::default());
    assert!(
        sealed
            .windows(number.as_octets().len())
            .any(|octets| octets == number.as_octets())
    );
    let other = open(&sealed, &mut Loopback::new(""));
    assert_eq!(other.unwrap_err(), OpenError::NoRecipient);
    assert!(open(&sealed, &mut Loopback::with_ori_type("", number)).is_ok());
}

#[test]
fn req_msg_01_a_message_is_replayed_in_vain_and_an_altered_copy_does_not_spoil_it() {
    let sealed = seal(TEXT, &mut Loopback::new(ALICE), &SealPolicy::default());
    let mut bob = Loopback::new("");
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(open(&altered, &mut bob).unwrap_err(), OpenError::Forged);
    assert!(open(&sealed, &mut bob).is_ok());
    let again = open(&sealed, &mut bob).unwrap_err();
    assert_eq!(again, OpenError::Transport(TransportError::Replayed));
}

#[test]
fn req_msg_04_the_verified_sender_prevails_over_from() {
    let sealed = seal(
        TEXT,
        &mut Loopback::new("sip:list@domain.com"),
        &SealPolicy::default(),
    );
    let opened = open(&sealed, &mut Loopback::new("")).unwrap();
    let shown = compare_sender(
        opened.sender(),
        "\"User 1\" <sip:user1@domain.com>;tag=49583",
    );
    assert_eq!(
        shown,
        ShownSender::Differs {
            verified: "sip:list@domain.com"
        }
    );

    let opened = open(
        &seal(TEXT, &mut kek("id"), &SealPolicy::default()),
        &mut kek("id"),
    );
    let opened = opened.unwrap();
    let shown = compare_sender(opened.sender(), "sip:user1@domain.com");
    assert_eq!(shown, ShownSender::Unverified);
}

#[test]
fn req_msg_07_a_list_server_verifies_and_encrypts_once_for_all_members() {
    let incoming = seal(TEXT, &mut Loopback::new(ALICE), &SealPolicy::default());
    let opened = || open(&incoming, &mut Loopback::new("")).unwrap();
    let (from, to) = ("<sip:user1@domain.com>;tag=4", "<sip:list@domain.com>");
    let server = ListServer::new(from, to);

    let mut ticket = Loopback::new("sip:list@domain.com");
    let mut carol = kek("carol");
    let mut members: [&mut dyn KeyTransport; 2] = [&mut ticket, &mut carol];
    let policy = SealPolicy::new(ContentEncryption::Aes256Gcm);
    let outgoing = server
        .reencrypt(opened(), &mut members[..], &policy, &mut rng())
        .unwrap();
    assert_eq!(ticket.wrapped, 1);
    let (mut bob, mut carol) = (Loopback::new(""), kek("carol"));
    let members: [&mut dyn KeyTransport; 2] = [&mut bob, &mut carol];
    for member in members {
        assert_eq!(open(&outgoing, member).unwrap().content(), TEXT);
    }
    let sender = open(&outgoing, &mut Loopback::new("")).unwrap();
    assert_eq!(sender.sender(), Some("sip:list@domain.com"));

    let mallory = ListServer::new("<sip:mallory@domain.com>", to);
    let refused = mallory.reencrypt(opened(), &mut kek("a"), &policy, &mut rng());
    assert_eq!(refused, Err(ReencryptError::Sender));
    let by_the_letter = server.sender_field(SenderField::To);
    let refused = by_the_letter.reencrypt(opened(), &mut kek("a"), &policy, &mut rng());
    assert_eq!(refused, Err(ReencryptError::Sender));
}

#[test]
fn req_msg_08_a_uri_list_stands_beside_the_protected_part_or_is_its_own() {
    let message = seal(TEXT, &mut Loopback::new(ALICE), &SealPolicy::default());
    let message = mime::wrap(&message, SmimeType::default(), TransferEncoding::Binary);
    let list = b"Content-Type: application/resource-lists+xml\r\n\r\n<resource-lists/>";
    let for_server = seal(list, &mut kek("server"), &SealPolicy::default());
    let for_server = mime::wrap(&for_server, SmimeType::default(), TransferEncoding::Base64);
    let protected = for_server.to_entity(Some("list@domain.com"));
    for (list, own_entity) in [(list.to_vec(), false), (protected, true)] {
        let body = [
            &b"Content-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n--b 1\r\n"[..],
            &list,
            b"\r\n--b 1\r\n",
            &message.to_entity(Some("text@domain.com")),
            b"\r\n--b 1--\r\n",
        ]
        .concat();
        let parts = Entity::parse(&body).unwrap();
        // The server forwards this part as it is: a recipient opens the same octets.
        let part = parts.part_by_content_id("<text@domain.com>").unwrap();
        let cms = mime::unwrap(part.as_octets()).unwrap();
        assert_eq!(open(&cms, &mut Loopback::new("")).unwrap().content(), TEXT);
        assert_eq!(
            open(&cms, &mut kek("server")).unwrap_err(),
            OpenError::NoRecipient
        );
        let part = parts.part_by_content_id("list@domain.com");
        assert_eq!(part.is_ok(), own_entity);
        if let Ok(part) = part {
            let cms = mime::unwrap(part.as_octets()).unwrap();
            let opened = open(&cms, &mut kek("server")).unwrap();
            assert!(opened.content().ends_with(b"<resource-lists/>"));
        }
    }
}

#[test]
fn req_msg_09_a_list_is_encrypted_once_for_several_recipients() {
    let mut members = [kek("bob"), kek("carol"), kek("dave")];
    let sealed = seal(TEXT, &mut &mut members[..], &SealPolicy::default());
    for id in ["bob", "carol", "dave"] {
        assert_eq!(open(&sealed, &mut kek(id)).unwrap().content(), TEXT);
    }
    assert_eq!(
        open(&sealed, &mut kek("eve")).unwrap_err(),
        OpenError::NoRecipient
    );
    let ciphertext = &sealed[sealed.len() - 18 - TEXT.len()..sealed.len() - 18];
    assert_eq!(
        sealed
            .windows(TEXT.len())
            .filter(|octets| octets == &ciphertext)
            .count(),
        1
    );
}

#[test]
fn req_msg_10_the_proof_of_origin_is_a_copy_of_the_mac() {
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let sealed = seal(TEXT, &mut Loopback::new(ALICE), &policy);
    let opened = open(&sealed, &mut Loopback::new("")).unwrap();
    assert_eq!(opened.proof_of_origin(), ProofOfOrigin::Mac);

    let unproven = seal(TEXT, &mut Loopback::new(ALICE), &SealPolicy::default());
    let demanding = OpenPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let refused = smime_psk::open(&unproven, &mut Loopback::new(""), &demanding);
    assert_eq!(refused.unwrap_err(), OpenError::OriginMissing);
    let demanding = demanding.proof_of_origin(ProofOfOrigin::Committing);
    let refused = smime_psk::open(&sealed, &mut Loopback::new(""), &demanding);
    assert_eq!(refused.unwrap_err(), OpenError::OriginMissing);

    let refused = smime_psk::seal(TEXT, &mut kek("id"), &policy, &mut rng());
    assert_eq!(
        refused,
        Err(SealError::Transport(TransportError::NoProofOfOrigin))
    );
}

/// A recipient, who has the key, writes another message around the recipient information that
/// came with the first.
#[test]
fn req_msg_10_a_recipient_cannot_reuse_the_proof_for_a_message_of_its_own() {
    for proof in [ProofOfOrigin::Mac, ProofOfOrigin::Committing] {
        let policy = SealPolicy::default().proof_of_origin(proof);
        let sealed = seal(TEXT, &mut Loopback::new(ALICE), &policy);
        assert_eq!(
            open(&sealed, &mut Loopback::new(""))
                .unwrap()
                .proof_of_origin(),
            proof
        );

        let mut spliced = sealed.clone();
        let start = sealed.len() - 18 - TEXT.len();
        let key = loopback::content_key(&sealed);
        let nonce = nonce(&sealed);
        let mut forged = TEXT.to_vec();
        forged[30] ^= 1;
        let tag = gcm(&key, &nonce, &mut forged);
        spliced[start..start + TEXT.len()].copy_from_slice(&forged);
        let end = spliced.len();
        spliced[end - 16..].copy_from_slice(&tag);
        let opened = open(&spliced, &mut Loopback::new(""));
        assert_eq!(opened.unwrap_err(), OpenError::OriginMismatch);
    }
}

/// GHASH is linear: a change of one block is made good in the next one, by whoever has the key.
#[test]
fn req_msg_10_only_a_committing_proof_binds_what_others_can_read_too() {
    use aes::cipher::{BlockCipherEncrypt, KeyInit};
    use ghash::universal_hash::UniversalHash;
    for (proof, bound) in [
        (ProofOfOrigin::Mac, false),
        (ProofOfOrigin::Committing, true),
    ] {
        let policy = SealPolicy::default().proof_of_origin(proof);
        let mut forged = seal(TEXT, &mut Loopback::new(ALICE), &policy);
        let mut h = aes::Block::default();
        let key = loopback::content_key(&forged);
        aes::Aes128::new_from_slice(&key)
            .unwrap()
            .encrypt_block(&mut h);
        let change = ghash::Block::from(*b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
        let mut hash = ghash::GHash::new(&h);
        hash.update(&[change]);
        let made_good = hash.finalize();
        let start = forged.len() - 18 - TEXT.len();
        for (at, octet) in change.iter().chain(&made_good).enumerate() {
            forged[start + at] ^= octet;
        }
        match open(&forged, &mut Loopback::new("")) {
            Ok(opened) => assert!(!bound && opened.content() != TEXT),
            Err(error) => assert!(bound && error == OpenError::OriginMismatch),
        }
    }
}

#[test]
fn req_msg_12_without_key_management_nothing_is_sealed_and_no_sender_is_claimed() {
    struct Nobody;
    impl KeyTransport for Nobody {
        fn wrap(
            &mut self,
            _: &smime_psk::Wrapping<'_>,
            _: &mut smime_psk::RecipientInfos,
            _: &mut dyn rand_core::CryptoRng,
        ) -> Result<(), TransportError> {
            Err(TransportError::Unavailable)
        }

        fn unwrap(
            &mut self,
            _: &smime_psk::RecipientInfo<'_>,
        ) -> Result<Option<smime_psk::Unwrapped>, TransportError> {
            Ok(None)
        }
    }
    let sealed = smime_psk::seal(TEXT, &mut Nobody, &SealPolicy::default(), &mut rng());
    assert_eq!(sealed, Err(TransportError::Unavailable.into()));
    // The identity is then that of P-Asserted-Identity, which is not this crate's to verify.
    let shown = compare_sender(None, "<sip:user1@domain.com>;tag=49583");
    assert_eq!((shown, shown.verified()), (ShownSender::Unverified, None));
}

/// AES-128-GCM as any recipient can run it.
fn gcm(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Vec<u8> {
    use aes_gcm::aead::{AeadInOut, KeyInit};
    let cipher = aes_gcm::Aes128Gcm::new_from_slice(key).unwrap();
    let nonce = nonce.try_into().unwrap();
    cipher
        .encrypt_inout_detached(nonce, b"", content.into())
        .unwrap()
        .to_vec()
}

/// The aes-nonce, which follows the object identifier of AES-128-GCM.
fn nonce(sealed: &[u8]) -> Vec<u8> {
    let gcm_128 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 6, 0x30, 17, 4, 12];
    let at = sealed
        .windows(gcm_128.len())
        .position(|octets| octets == gcm_128)
        .unwrap();
    sealed[at + gcm_128.len()..][..12].to_vec()
}

/// The header fields of the REFER of TR 33.829 §5.3.3.4.2.
const REFER_TO_FOCUS: &[u8] = b"REFER sip:conference1@mrfc1.home1.net SIP/2.0\r\n\
    From: <sip:user1_public1@home1.net>; tag=171828\r\n\
    To: <sip:conference1@mrfc1.home1.net>\r\n\
    Call-ID: cb03a0s09a2sdfglkj490333\r\n\
    Cseq: 127 REFER\r\n\
    Refer-To: <sip:user2_public1@home2.net;method=INVITE>\r\n\
    Referred-By: <sip:user1_public1@home1.net>;\r\n cid=\"20398823.2UWQFN309shb3@home1.net\"\r\n\
    Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n\r\n";

const WINDOW: DateWindow = DateWindow::new(1_014_296_523 + 60, 600);

fn assertion(request: &[u8], names: &[&'static str], sender: &str) -> Opened {
    let headers = Headers::of_sip(request).unwrap();
    let fragment = sipfrag::copy(&headers, names).unwrap();
    let sealed = seal(
        &fragment,
        &mut Loopback::new(sender),
        &SealPolicy::default(),
    );
    open(&sealed, &mut Loopback::new("")).unwrap()
}

fn replaced(request: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = core::str::from_utf8(request).unwrap();
    assert!(text.contains(from));
    text.replace(from, to).into_bytes()
}

#[test]
fn req_ck_09_the_focus_verifies_the_referral() {
    let names = &sipfrag::REFER_TO_FOCUS;
    let opened = assertion(REFER_TO_FOCUS, names, "sip:user1_public1@home1.net");
    let assertion_of = Assertion::of(&opened).unwrap();
    let verify = |request: &[u8], window| {
        assertion_of.verify_refer_to_focus(&Headers::of_sip(request).unwrap(), window)
    };
    assert_eq!(verify(REFER_TO_FOCUS, WINDOW), Ok(()));
    let late = DateWindow::new(1_014_296_523 + 601, 600);
    assert_eq!(verify(REFER_TO_FOCUS, late), Err(AssertionError::Date));
    let other = replaced(REFER_TO_FOCUS, "user2_public1", "user3_public1");
    assert_eq!(
        verify(&other, WINDOW),
        Err(AssertionError::Differs("Refer-To"))
    );
    let other = replaced(REFER_TO_FOCUS, "13:02:03", "13:02:04");
    assert_eq!(verify(&other, WINDOW), Err(AssertionError::Differs("Date")));
    let other = replaced(REFER_TO_FOCUS, "Referred-By", "X-Other");
    assert_eq!(
        verify(&other, WINDOW),
        Err(AssertionError::Missing("Referred-By"))
    );

    let opened = assertion(REFER_TO_FOCUS, names, "sip:mallory@home1.net");
    let refused = Assertion::of(&opened)
        .unwrap()
        .verify_refer_to_focus(&Headers::of_sip(REFER_TO_FOCUS).unwrap(), WINDOW);
    assert_eq!(refused, Err(AssertionError::Sender));
}

#[test]
fn req_ck_09_the_invited_user_verifies_the_invite_of_the_focus() {
    let names = &sipfrag::REFER_TO_FOCUS;
    let opened = assertion(REFER_TO_FOCUS, names, "sip:user1_public1@home1.net");
    let assertion = Assertion::of(&opened).unwrap();
    let invite = b"INVITE sip:user2_public1@home2.net SIP/2.0\r\n\
        From: sip:conference1@mrfc1.home1.net; tag=167854\r\n\
        To: <sip:user2_public1@home2.net>\r\n\
        b: <sip:user1_public1@home1.net>;  cid=\"20398823.2UWQFN309shb3@home1.net\"\r\n\r\n";
    let invite = Headers::of_sip(invite).unwrap();
    let verify = |invited| assertion.verify_invite(&invite, invited, WINDOW);
    assert_eq!(verify("sip:user2_public1@home2.net"), Ok(()));
    let other = verify("sip:user3_public1@home2.net");
    assert_eq!(other, Err(AssertionError::Differs("Refer-To")));
    let late = DateWindow::new(1_014_296_523 + 601, 600);
    let late = assertion.verify_invite(&invite, "sip:user2_public1@home2.net", late);
    assert_eq!(late, Err(AssertionError::Date));

    // Another referrer in the INVITE, another sender of the assertion, a call to be ended.
    let invited = "sip:user2_public1@home2.net";
    let by_mallory = b"INVITE sip:user2_public1@home2.net SIP/2.0\r\n\
        Referred-By: <sip:mallory@home1.net>;cid=\"1@home1.net\"\r\n\r\n";
    let by_mallory = Headers::of_sip(by_mallory).unwrap();
    let refused = assertion.verify_invite(&by_mallory, invited, WINDOW);
    assert_eq!(refused, Err(AssertionError::Differs("Referred-By")));
    let bye = replaced(REFER_TO_FOCUS, "method=INVITE", "method=BYE");
    for (request, sender, error) in [
        (
            REFER_TO_FOCUS,
            "sip:mallory@home1.net",
            AssertionError::Sender,
        ),
        (
            &bye,
            "sip:user1_public1@home1.net",
            AssertionError::Differs("Refer-To"),
        ),
    ] {
        let opened = self::assertion(request, names, sender);
        let assertion = Assertion::of(&opened).unwrap();
        let refused = assertion.verify_invite(&invite, invited, WINDOW);
        assert_eq!(refused, Err(error));
    }
}

#[test]
fn req_ck_09_the_assertion_is_found_by_the_cid_of_referred_by() {
    let fragment = b"Content-Type: message/sipfrag\r\n\r\nDate: Thu, 21 Feb 2002 13:02:03 GMT\r\n";
    let sealed = seal(fragment, &mut Loopback::new(ALICE), &SealPolicy::default());
    let part = mime::wrap(&sealed, SmimeType::default(), TransferEncoding::Binary);
    let part = part.to_entity(Some("20398823.2UWQFN309shb3@home1.net"));
    let body = [
        &b"Content-Type: multipart/mixed;boundary=\"boundary1\"\r\n\r\n--boundary1\r\n"[..],
        b"Content-Type: application/sdp\r\n\r\nv=0\r\n\r\n--boundary1\r\n",
        &part,
        b"\r\n--boundary1--\r\n",
    ]
    .concat();
    let entity = Entity::parse(&body).unwrap();
    let found = entity
        .part_by_content_id("20398823.2UWQFN309shb3@home1.net")
        .unwrap();
    let cms = mime::unwrap(found.as_octets()).unwrap();
    let opened = open(&cms, &mut Loopback::new("")).unwrap();
    assert!(
        Assertion::of(&opened)
            .unwrap()
            .headers()
            .single("Date")
            .unwrap()
            .is_some()
    );
    assert!(entity.part_by_content_id("other@home1.net").is_err());
}

#[test]
fn req_ck_10_the_referred_user_verifies_the_referral() {
    let refer = b"REFER sip:user2_public1@home2.net SIP/2.0\r\n\
        From: <sip:user1_public1@home1.net>; tag=171828\r\n\
        To: <sip:user2_public1@home2.net>\r\n\
        Call-ID: cb03a0s09a2sdfglkj490333\r\n\
        Cseq: 127 REFER\r\n\
        Contact: <sip:user1_public1@home1.net>\r\n\
        Refer-To: <sip:conference1@mrfc1.home1.net;method=INVITE>\r\n\
        Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n\r\n";
    let names = [&sipfrag::REFER_TO_USER[..], &["Refer-To"]].concat();
    let opened = assertion(refer, &names, "sip:user1_public1@home1.net");
    let assertion = Assertion::of(&opened).unwrap();
    let verify =
        |request: &[u8]| assertion.verify_refer_to_user(&Headers::of_sip(request).unwrap(), WINDOW);
    assert_eq!(verify(refer), Ok(()));
    for (from, to, field) in [
        ("tag=171828", "tag=1", "From"),
        ("Call-ID: cb03", "Call-ID: cb04", "Call-ID"),
        ("Cseq: 127", "Cseq: 128", "CSeq"),
        ("conference1", "conference2", "Refer-To"),
        ("Contact: <sip:user1", "Contact: <sip:user9", "Contact"),
    ] {
        let other = replaced(refer, from, to);
        assert_eq!(verify(&other), Err(AssertionError::Differs(field)));
    }
    let truncated = replaced(refer, "Contact", "X-Contact");
    assert_eq!(verify(&truncated), Err(AssertionError::Missing("Contact")));
}

#[test]
fn req_ck_12_and_msg_13_any_content_is_protected() {
    let image: Vec<u8> = (0..=255).collect();
    for (content_type, body) in [
        (
            "application/conference-info+xml",
            &b"<conference-info entity=\"sip:c@h\"/>"[..],
        ),
        ("image/png", &image),
        (
            "message/cpim",
            b"From: <sip:a@b>\r\n\r\nContent-Type: text/plain\r\n\r\nhi",
        ),
    ] {
        let head = format!("Content-Type: {content_type}\r\n\r\n");
        let entity = [head.as_bytes(), body].concat();
        let canonical = mime::canonical(&entity).unwrap();
        assert_eq!(canonical, entity, "canonical already");
        let sealed = seal(
            &canonical,
            &mut Loopback::new(ALICE),
            &SealPolicy::default(),
        );
        let opened = open(&sealed, &mut Loopback::new("")).unwrap();
        let entity = Entity::parse(opened.content()).unwrap();
        assert_eq!(entity.media_type().unwrap().essence(), content_type);
        assert_eq!(entity.body(), body);
    }
}

#[test]
fn req_msg_13_protection_may_be_nested() {
    let inner = seal(TEXT, &mut Loopback::new(ALICE), &SealPolicy::default());
    let inner = mime::wrap(&inner, SmimeType::default(), TransferEncoding::Binary).to_entity(None);
    let outer = seal(&inner, &mut kek("id"), &SealPolicy::default());
    let opened = open(&outer, &mut kek("id")).unwrap();
    let cms = mime::unwrap(opened.content()).unwrap();
    assert_eq!(open(&cms, &mut Loopback::new("")).unwrap().content(), TEXT);
}
