//! Independent implementation: derivations, DH values and messages against `make.py`, another
//! reading of the standards (see `vectors/reference/README.md`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::collections::BTreeMap;

use mikey::code_points::ProtType;
use mikey::crypto::{DhSecret, Group, Suite};
use mikey::derive::{
    ForkedKey, Label, MessageKey, MessageProtectionKey, Prf, Rands, Secret, SessionKey,
    TicketMessage,
};
use mikey::exchange::{Acceptance, KeyKind, dh_hmac, psk};
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};

struct Case(BTreeMap<&'static str, &'static str>);

impl Case {
    fn text(&self, name: &str) -> &'static str {
        self.0[name]
    }

    fn octets(&self, name: &str) -> Vec<u8> {
        let hex = self.text(name);
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }
}

fn cases(kind: &str) -> Vec<Case> {
    let cases: Vec<Case> = include_str!("vectors/reference/reference.txt")
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))
        .map(|fields| {
            Case(
                fields
                    .split(' ')
                    .map(|f| f.split_once('=').unwrap())
                    .collect(),
            )
        })
        .collect();
    assert!(!cases.is_empty(), "no {kind}");
    cases
}

#[test]
fn both_prfs_agree_for_every_length_of_both_keys() {
    for case in cases("prf") {
        let prf = if case.text("h") == "sha1" {
            Prf::Mikey1
        } else {
            Prf::HmacSha256
        };
        let expected = case.octets("out");
        let mut out = vec![0; expected.len()];
        prf.derive(&case.octets("key"), &case.octets("label"), &mut out);
        assert_eq!(out, expected, "{} {}", case.text("h"), out.len());
    }
}

#[test]
fn every_label_of_rfc3830_and_rfc6043_agrees() {
    let find = |of: &str| {
        cases("label")
            .iter()
            .find(|case| case.text("of") == of)
            .unwrap_or_else(|| panic!("{of}"))
            .octets("label")
    };
    let session_tek = find("session/tek");
    let csb_id = u32::from_be_bytes(session_tek[5..9].try_into().unwrap());
    let rand = session_tek[9..].to_vec();
    let tail = find("ticket-session/tek/both");
    let (rand_i, rand_r) = (&tail[11..27], &tail[28..45]);
    let forked = find("forked-tgk");
    let kms = &forked[forked.len() - 18..];

    let mut seen = 0;
    let mut check = |of: String, label: &Label| {
        assert_eq!(label.as_octets(), find(&of), "{of}");
        seen += 1;
    };
    let every = [
        ("both", Rands::new(rand_i, rand_r).unwrap()),
        ("i", Rands::new(rand_i, &[]).unwrap()),
        ("r", Rands::new(&[], rand_r).unwrap()),
    ];
    for (name, key) in [
        ("tek", SessionKey::Tek),
        ("authentication", SessionKey::Authentication),
        ("encryption", SessionKey::Encryption),
        ("salt", SessionKey::Salt),
    ] {
        check(
            format!("session/{name}"),
            &Label::session_key(key, 5, csb_id, &rand),
        );
        for (which, rands) in every {
            let label = Label::ticket_session_key(key, 5, rands);
            check(format!("ticket-session/{name}/{which}"), &label);
        }
    }
    for (name, key) in [
        ("encryption", MessageKey::Encryption),
        ("authentication", MessageKey::Authentication),
        ("salt", MessageKey::Salt),
    ] {
        check(
            format!("message/{name}"),
            &Label::message_key(key, csb_id, &rand),
        );
        check(
            format!("base-ticket/{name}"),
            &Label::base_ticket_key(key, &rand).unwrap(),
        );
        for (which, rands) in every {
            for (message, kind) in [
                ("initial", TicketMessage::Initial),
                ("response", TicketMessage::Response),
            ] {
                let label = Label::ticket_message_key(key, kind, csb_id, rands);
                check(format!("ticket-{message}/{name}/{which}"), &label);
            }
        }
    }
    check("initiator-data".into(), &Label::initiator_data_key());
    let (mpki, mpkr) = (
        MessageProtectionKey::Initiator,
        MessageProtectionKey::Responder,
    );
    check(
        "mpki".into(),
        &Label::message_protection_key(mpki, &rand).unwrap(),
    );
    check(
        "mpkr".into(),
        &Label::message_protection_key(mpkr, &rand).unwrap(),
    );
    let bob = b"sip:bob@example.org";
    check(
        "forked-mpkr".into(),
        &Label::forked_key(ForkedKey::MpkR, bob, kms).unwrap(),
    );
    check(
        "forked-tgk".into(),
        &Label::forked_key(ForkedKey::Tgk, bob, kms).unwrap(),
    );
    assert_eq!(seen, cases("label").len(), "a label was not compared");
}

#[test]
fn a_label_does_not_take_a_rand_that_its_length_octet_cannot_say() {
    assert!(Rands::new(&[0; 256], &[]).is_none());
    assert!(
        Rands::new(&[], &[]).is_none(),
        "at least one RAND is always used"
    );
    assert!(Label::base_ticket_key(MessageKey::Salt, &[0; 256]).is_none());
    assert!(Label::forked_key(ForkedKey::Tgk, &vec![0; 65536], &[0; 16]).is_none());
}

/// Gives out the same octets again and again.
struct Octets(Vec<u8>);

impl rand_core::TryRng for Octets {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for (out, octet) in out.iter_mut().zip(self.0.iter().cycle()) {
            *out = *octet;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Octets {}

#[test]
fn dh_values_and_tgks_of_every_group_agree() {
    for case in cases("dh") {
        let group = match case.text("group") {
            "oakley1" => Group::Oakley1,
            "oakley2" => Group::Oakley2,
            _ => Group::Oakley5,
        };
        let x = DhSecret::random(group, &mut Octets(case.octets("x")));
        assert_eq!(x.public_value(), case.octets("gx"));
        assert_eq!(
            x.agree(&case.octets("gy")).unwrap().expose(),
            case.octets("tgk")
        );
    }
}

#[test]
fn dh_values_outside_of_the_group_are_refused() {
    for case in cases("dh") {
        let p = case.octets("p");
        let group = match p.len() {
            96 => Group::Oakley1,
            128 => Group::Oakley2,
            _ => Group::Oakley5,
        };
        let x = DhSecret::random(group, &mut Octets(case.octets("x")));
        let small = |value: u8| {
            let mut octets = vec![0; p.len()];
            *octets.last_mut().unwrap() = value;
            octets
        };
        let below_p = |by: u8| {
            let mut octets = p.clone();
            *octets.last_mut().unwrap() -= by;
            octets
        };
        for bad in [
            small(0),
            small(1),
            p.clone(),
            below_p(1),
            vec![0xff; p.len()],
            vec![2; 5],
        ] {
            assert!(x.agree(&bad).is_err());
        }
        for good in [small(2), below_p(2)] {
            assert!(x.agree(&good).is_ok());
        }
    }
}

#[test]
fn psk_messages_agree_octet_for_octet() {
    for case in cases("psk") {
        let (alice, bob) = (
            Identity::uri("sip:alice@example.org").unwrap(),
            Identity::uri("sip:bob@example.org").unwrap(),
        );
        let mut keys = InMemoryKeys::new();
        keys.insert(alice.clone(), Secret::new(&case.octets("psk")).unwrap());
        let mut cache = InMemoryReplayCache::new(8, SkewWindow::default());
        let now = Timestamp::from_unix(1_800_000_000, 0);
        let responder = psk::Responder::new(&keys, bob);
        let accepted = responder
            .accept(&case.octets("init"), &mut cache, now)
            .unwrap();
        assert_eq!(accepted.peer(), &alice);
        let (bundle, answer) = accepted.establish().unwrap();
        assert_eq!(answer.unwrap(), case.octets("resp"));

        let suite = match case.text("suite") {
            "aes_cm_128_hmac_sha1" => Suite::AES_CM_128_HMAC_SHA1,
            _ => Suite::AES_CM_256_HMAC_SHA256,
        };
        assert_eq!(bundle.suite(), Some(suite));
        assert_eq!(bundle.sessions()[0].ssrc(), Some(0x1234_5678));
        assert_eq!(bundle.sessions()[0].prot_type(), ProtType::Srtp);
        let key = bundle.key_of(1).unwrap();
        assert_eq!(
            (key.kind(), key.spi()),
            (KeyKind::Tgk, Some([0xab, 0xcd].as_slice()))
        );
        assert_eq!(key.key().expose(), case.octets("tgk"));
        let (mut tek, mut salt) = ([0; 16], [0; 14]);
        bundle.session_key(1, SessionKey::Tek, &mut tek).unwrap();
        bundle.session_key(1, SessionKey::Salt, &mut salt).unwrap();
        assert_eq!(
            (tek.to_vec(), salt.to_vec()),
            (case.octets("tek"), case.octets("salt"))
        );
    }
}

#[test]
fn dhhmac_messages_agree_octet_for_octet() {
    for case in cases("dhhmac") {
        let (alice, bob) = (
            Identity::uri("sip:alice@example.org").unwrap(),
            Identity::uri("sip:bob@example.org").unwrap(),
        );
        let mut keys = InMemoryKeys::new();
        keys.insert(alice, Secret::new(&case.octets("psk")).unwrap());
        let mut cache = InMemoryReplayCache::new(8, SkewWindow::default());
        let now = Timestamp::from_unix(1_800_000_000, 0);
        let acceptance = Acceptance::new().short_groups(true);
        let responder = dh_hmac::Responder::new(&keys, bob).acceptance(acceptance);
        let accepted = responder
            .accept(&case.octets("init"), &mut cache, now)
            .unwrap();
        let (bundle, answer) = accepted.establish(&mut Octets(case.octets("y"))).unwrap();
        assert_eq!(answer, case.octets("resp"), "{}", case.text("suite"));
        let key = &bundle.keys()[0];
        assert_eq!(key.key().expose(), case.octets("tgk"));
        assert_eq!(key.spi(), Some([0x77].as_slice()));
    }
}

#[cfg(feature = "rsa")]
#[test]
fn public_key_messages_agree_octet_for_octet() {
    use mikey::crypto::RsaCredentials;
    use mikey::exchange::public_key;

    for case in cases("pk") {
        let (alice, bob) = (
            Identity::uri("sip:alice@example.org").unwrap(),
            Identity::uri("sip:bob@example.org").unwrap(),
        );
        let mut credentials =
            RsaCredentials::from_pkcs8(include_bytes!("vectors/rsa/bob.pkcs8.der")).unwrap();
        let modulus = include_bytes!("vectors/rsa/alice.modulus.bin");
        credentials.trust(alice, modulus, &[1, 0, 1]);
        let mut cache = InMemoryReplayCache::new(8, SkewWindow::default());
        let now = Timestamp::from_unix(1_800_000_000, 0);
        let responder = public_key::Responder::new(&credentials, bob);
        let accepted = responder
            .accept(&case.octets("init"), &mut cache, now)
            .unwrap();
        let (bundle, answer) = accepted.establish().unwrap();
        assert_eq!(
            answer.unwrap(),
            case.octets("resp"),
            "{}",
            case.text("suite")
        );
        assert_eq!(bundle.keys()[0].key().expose(), case.octets("tgk"));
    }
}
