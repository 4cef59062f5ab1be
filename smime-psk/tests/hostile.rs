//! Hostile messages, built octet by octet beside the crate's own writer (self-consistency), and
//! the crates `cms` and `der` as independent readers of what this crate writes.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use der::{Decode, Encode};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use hex_literal::hex;
use proptest::prelude::*;
use smime_psk::mime::{self, Entity, SmimeType, TransferEncoding};
use smime_psk::{
    Attributes, AuthEnvelopedData, ContentEncryption, DecodeErrorKind, Encoding, KekRecipient, Oid,
    OpenError, OpenPolicy, SealError, SealPolicy, limits,
};

const AUTH_ENVELOPED_DATA: &[u8] = &hex!("060b2a864886f70d0109100117");
const ENVELOPED_DATA: &[u8] = &hex!("06092a864886f70d010703");
const ID_DATA: &[u8] = &hex!("06092a864886f70d010701");
const CONTENT_KEY: [u8; 16] = [9; 16];

fn kek() -> KekRecipient {
    KekRecipient::new(b"id", &[7; 16]).unwrap()
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = contents.len();
    let mut out = vec![tag];
    match len {
        0..0x80 => out.push(u8::try_from(len).unwrap()),
        0x80..0x100 => out.extend_from_slice(&[0x81, u8::try_from(len).unwrap()]),
        _ => {
            out.push(0x83);
            out.extend_from_slice(&u32::try_from(len).unwrap().to_be_bytes()[1..]);
            if len < 0x1_0000 {
                out[1] = 0x82;
                out.remove(2);
            }
        }
    }
    [out, contents.to_vec()].concat()
}

/// The fields of a message, each to be spoilt.
struct Message {
    content_type: Vec<u8>,
    version: Vec<u8>,
    recipients: Vec<u8>,
    inner_type: Vec<u8>,
    algorithm: Vec<u8>,
    parameters: Vec<u8>,
    content: Vec<u8>,
    auth_attrs: Vec<u8>,
    mac: Vec<u8>,
    rest: Vec<u8>,
}

impl Message {
    /// AES-128-GCM, nonce of zeros, sealed by the crate `aes-gcm`.
    fn new() -> Self {
        use aes_gcm::aead::{AeadInOut, KeyInit};
        let mut content = *b"hello";
        let cipher = aes_gcm::Aes128Gcm::new(&CONTENT_KEY.into());
        let tag = cipher
            .encrypt_inout_detached(&[0; 12].into(), b"", content.as_mut_slice().into())
            .unwrap();
        let mut wrapped = [0; 24];
        <aes_kw::KwAes128 as KeyInit>::new(&[7; 16].into())
            .wrap_key(&CONTENT_KEY, &mut wrapped)
            .unwrap();
        let kekri = [
            &hex!("020104")[..],
            &tlv(0x30, &tlv(4, b"id")),
            &tlv(0x30, &hex!("0609608648016503040105")),
            &tlv(4, &wrapped),
        ]
        .concat();
        Self {
            content_type: AUTH_ENVELOPED_DATA.to_vec(),
            version: hex!("020100").to_vec(),
            recipients: tlv(0xa2, &kekri),
            inner_type: ID_DATA.to_vec(),
            algorithm: hex!("0609608648016503040106").to_vec(),
            parameters: [tlv(4, &[0; 12]), hex!("020110").to_vec()].concat(),
            content: tlv(0x80, &content),
            auth_attrs: Vec::new(),
            mac: tlv(4, &tag),
            rest: Vec::new(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let algorithm = [&self.algorithm[..], &tlv(0x30, &self.parameters)].concat();
        let info = [&self.inner_type[..], &tlv(0x30, &algorithm), &self.content].concat();
        let data = [
            &self.version[..],
            &tlv(0x31, &self.recipients),
            &tlv(0x30, &info),
            &self.auth_attrs,
            &self.mac,
            &self.rest,
        ]
        .concat();
        tlv(
            0x30,
            &[&self.content_type[..], &tlv(0xa0, &tlv(0x30, &data))].concat(),
        )
    }

    fn open(&self) -> Result<Vec<u8>, OpenError> {
        self.open_with(&OpenPolicy::default())
    }

    fn open_with(&self, policy: &OpenPolicy) -> Result<Vec<u8>, OpenError> {
        smime_psk::open(&self.encode(), &mut kek(), policy).map(smime_psk::Opened::into_content)
    }

    fn refused(&self) -> OpenError {
        self.open().unwrap_err()
    }
}

fn malformed(error: OpenError) -> DecodeErrorKind {
    match error {
        OpenError::Malformed(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

fn attribute(number: u8, value: &[u8]) -> Vec<u8> {
    tlv(
        0x30,
        &[&[6, 2, 0x2a, number][..], &tlv(0x31, value)].concat(),
    )
}

#[test]
fn the_message_built_by_hand_opens() {
    assert_eq!(Message::new().open().unwrap(), b"hello");
}

#[test]
fn a_mac_that_is_not_as_long_as_announced_is_refused() {
    let mut message = Message::new();
    message.mac = tlv(4, &message.mac[2..14]);
    assert_eq!(message.refused(), OpenError::TagLength);
    // The tag is right as far as it goes: only the announcement makes it acceptable.
    message.parameters = tlv(4, &[0; 12]);
    assert_eq!(message.open().unwrap(), b"hello");
    let strict = OpenPolicy::default().min_tag_len(16);
    assert_eq!(message.open_with(&strict), Err(OpenError::TagLength));
}

#[test]
fn short_tags_are_refused() {
    for (oid, len) in [
        (6, 4),
        (6, 8),
        (6, 11),
        (6, 17),
        (7, 4),
        (7, 6),
        (7, 9),
        (7, 0),
        (7, 18),
    ] {
        let mut message = Message::new();
        message.algorithm[10] = oid;
        message.parameters = [tlv(4, &[0; 12]), vec![2, 1, len]].concat();
        message.mac = tlv(4, &vec![0; usize::from(len)]);
        assert_eq!(message.refused(), OpenError::TagLength, "{oid} {len}");
    }
}

#[test]
fn nonces_of_no_octets_or_too_many_are_refused() {
    for (oid, lens) in [(6, [0, 11, 13, 64, 65, 300]), (7, [0, 6, 14, 16, 64, 300])] {
        for len in lens {
            let mut message = Message::new();
            message.algorithm[10] = oid;
            message.parameters = [tlv(4, &vec![0; len]), hex!("020110").to_vec()].concat();
            assert_eq!(message.refused(), OpenError::NonceLength, "{oid} {len}");
            let lenient = OpenPolicy::default().any_gcm_nonce();
            let admitted = oid == 6 && (1..=64).contains(&len);
            let expected = if admitted {
                OpenError::Forged
            } else {
                OpenError::NonceLength
            };
            assert_eq!(message.open_with(&lenient), Err(expected), "{oid} {len}");
        }
    }
}

#[test]
fn ciphers_without_authentication_are_refused() {
    // AES-128-CBC, AES-256-CBC, AES-128-CCM outside the policy, 3DES.
    for algorithm in [
        &hex!("0609608648016503040102")[..],
        &hex!("060960864801650304012a"),
        &hex!("0609608648016503040107"),
        &hex!("06082a864886f70d0307"),
    ] {
        let mut message = Message::new();
        message.algorithm = algorithm.to_vec();
        let policy = OpenPolicy::default().only(&[ContentEncryption::Aes128Gcm]);
        assert_eq!(message.open_with(&policy), Err(OpenError::Algorithm));
    }
}

#[test]
fn a_key_of_another_length_than_the_algorithm_is_refused() {
    let mut message = Message::new();
    message.algorithm[10] = 46;
    assert_eq!(message.refused(), OpenError::KeyLength);
}

#[test]
fn other_content_types_are_refused() {
    let mut message = Message::new();
    message.content_type = ENVELOPED_DATA.to_vec();
    assert_eq!(
        malformed(message.refused()),
        DecodeErrorKind::NotAuthEnvelopedData
    );
    let mut message = Message::new();
    message.inner_type = hex!("06092a864886f70d010702").to_vec();
    assert_eq!(message.refused(), OpenError::ContentType);
}

#[test]
fn messages_without_a_recipient_are_refused() {
    let mut message = Message::new();
    message.recipients = Vec::new();
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Malformed);
    message.recipients = tlv(0xa4, &hex!("06022a03 0500"));
    assert_eq!(message.refused(), OpenError::NoRecipient);
    message.recipients = tlv(0xa2, b"");
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Truncated);
    message.recipients = tlv(0xa4, &hex!("06022a03 0500")).repeat(limits::RECIPIENTS + 1);
    assert_eq!(malformed(message.refused()), DecodeErrorKind::BeyondLimits);
}

#[test]
fn wrong_versions_are_refused() {
    let mut message = Message::new();
    message.version = hex!("020101").to_vec();
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Version);
    let mut message = Message::new();
    let version = message
        .recipients
        .windows(3)
        .position(|v| v == hex!("020104"))
        .unwrap();
    message.recipients[version + 2] = 3;
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Version);
}

#[test]
fn trailing_octets_are_refused() {
    let sealed = [Message::new().encode(), vec![0]].concat();
    let opened = smime_psk::open(&sealed, &mut kek(), &OpenPolicy::default());
    assert_eq!(malformed(opened.unwrap_err()), DecodeErrorKind::Trailing);
    let mut message = Message::new();
    message.rest = hex!("0500").to_vec();
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Trailing);
    let mut message = Message::new();
    message.parameters.extend_from_slice(&hex!("0500"));
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Trailing);
}

#[test]
fn missing_content_is_refused() {
    let mut message = Message::new();
    message.content = Vec::new();
    assert_eq!(
        malformed(message.refused()),
        DecodeErrorKind::ContentMissing
    );
}

#[test]
fn lengths_that_overflow_are_refused() {
    for length in [
        &hex!("88ffffffffffffffff")[..],
        &hex!("88fffffffffffffff0"),
        &hex!("887fffffffffffffff"),
        &hex!("84ffffffff"),
        &hex!("89010000000000000000"),
    ] {
        let mut message = Message::new();
        message.content = [&[0x80], length, b"x"].concat();
        let kind = malformed(message.refused());
        assert!(
            matches!(kind, DecodeErrorKind::Truncated | DecodeErrorKind::Length),
            "{kind:?}"
        );
        let ber = OpenPolicy::default().encoding(Encoding::Ber);
        assert!(message.open_with(&ber).is_err());
        #[cfg(feature = "std")]
        {
            let mut file = std::io::Cursor::new(message.encode());
            let mut out = Vec::new();
            let opened = smime_psk::stream::open_stream(&mut file, &mut out, &mut kek(), &ber);
            assert!(opened.is_err() && out.is_empty());
        }
    }
}

#[test]
fn nesting_bombs_are_refused_at_once() {
    let ber = OpenPolicy::default().encoding(Encoding::Ber);
    let bomb = [0x30, 0x80].repeat(500_000);
    let opened = smime_psk::open(&bomb, &mut kek(), &ber);
    assert_eq!(
        malformed(opened.unwrap_err()),
        DecodeErrorKind::BeyondLimits
    );

    let mut value = tlv(5, b"");
    for _ in 0..40 {
        value = tlv(0x30, &value);
    }
    let mut message = Message::new();
    message.auth_attrs = tlv(0xa1, &attribute(1, &value));
    let kind = malformed(message.open_with(&ber).unwrap_err());
    assert_eq!(kind, DecodeErrorKind::BeyondLimits);

    let mut content = tlv(4, b"hello");
    for _ in 0..10 {
        content = tlv(0x24, &content);
    }
    let mut message = Message::new();
    message.content = tlv(0xa0, &content);
    let kind = malformed(message.open_with(&ber).unwrap_err());
    assert_eq!(kind, DecodeErrorKind::UnexpectedTag);
}

#[test]
fn added_authenticated_attributes_are_noticed() {
    let mut message = Message::new();
    message.auth_attrs = tlv(0xa1, &attribute(1, &tlv(5, b"")));
    assert_eq!(message.refused(), OpenError::Forged);
    message.auth_attrs = tlv(0xa1, b"");
    assert_eq!(malformed(message.refused()), DecodeErrorKind::Malformed);
    // Out of order: DER has one order, and what is authenticated is DER.
    let (one, two) = (attribute(1, &tlv(5, b"")), attribute(2, &tlv(5, b"")));
    message.auth_attrs = tlv(0xa1, &[two, one].concat());
    assert_eq!(malformed(message.refused()), DecodeErrorKind::NotDer);
}

#[test]
fn an_authenticated_attribute_that_is_there_twice_is_refused() {
    let mut message = Message::new();
    let content_type = |oid: &[u8]| {
        let contents = [&hex!("06092a864886f70d010903")[..], &tlv(0x31, oid)].concat();
        tlv(0x30, &contents)
    };
    for second in [
        &hex!("06092a864886f70d010701")[..],
        &hex!("06092a864886f70d010702"),
    ] {
        let two = [content_type(ID_DATA), content_type(second)].concat();
        message.auth_attrs = tlv(0xa1, &two);
        assert_eq!(malformed(message.refused()), DecodeErrorKind::Malformed);
    }
    // Of unauthenticated ones nothing depends on it, and all are shown.
    let mut message = Message::new();
    let (one, two) = (attribute(1, &tlv(4, b"a")), attribute(1, &tlv(4, b"b")));
    message.rest = tlv(0xa2, &[one, two].concat());
    let sealed = message.encode();
    let opened = smime_psk::open(&sealed, &mut kek(), &OpenPolicy::default()).unwrap();
    let oid = Oid::from_octets(&[0x2a, 1]).unwrap();
    assert_eq!(opened.unauth_attrs().get(oid).count(), 2);
}

#[test]
fn a_content_type_attribute_must_say_the_same() {
    let mut message = Message::new();
    let content_type = [&hex!("06092a864886f70d010903")[..], &tlv(0x31, ID_DATA)].concat();
    message.auth_attrs = tlv(0xa1, &tlv(0x30, &content_type));
    assert_eq!(
        message.refused(),
        OpenError::Forged,
        "consistent, though not authenticated"
    );
    let other = hex!("06092a864886f70d010702");
    let content_type = [&hex!("06092a864886f70d010903")[..], &tlv(0x31, &other)].concat();
    message.auth_attrs = tlv(0xa1, &tlv(0x30, &content_type));
    assert_eq!(message.refused(), OpenError::ContentType);
}

#[test]
fn content_of_another_type_is_bound_to_its_attribute() {
    let signed_data = Oid::from_octets(&hex!("2a864886f70d010702")).unwrap();
    let policy = SealPolicy::default().content_type(signed_data);
    let mut rng = UnwrapErr(SysRng);
    let sealed = smime_psk::seal(b"\x30\x00", &mut kek(), &policy, &mut rng).unwrap();
    let opened = smime_psk::open(&sealed, &mut kek(), &OpenPolicy::default());
    assert_eq!(opened.unwrap_err(), OpenError::ContentType);
    let wanted = OpenPolicy::default().content_type(signed_data);
    assert_eq!(
        smime_psk::open(&sealed, &mut kek(), &wanted)
            .unwrap()
            .content(),
        b"\x30\x00"
    );

    let mut own = Attributes::new();
    let content_type = Oid::from_octets(&hex!("2a864886f70d010903")).unwrap();
    own.insert(content_type, ID_DATA).unwrap();
    let policy = SealPolicy::default().auth_attrs(own);
    let refused = smime_psk::seal(b"", &mut kek(), &policy, &mut rng);
    assert_eq!(refused, Err(SealError::Attributes));
}

#[test]
fn seal_refuses_tags_that_the_algorithm_has_not() {
    for (algorithm, len) in [
        (ContentEncryption::Aes128Gcm, 8),
        (ContentEncryption::Aes128Gcm, 17),
        (ContentEncryption::Aes128Ccm, 5),
        (ContentEncryption::Aes128Ccm, 0),
    ] {
        let policy = SealPolicy::new(algorithm).tag_len(len);
        let refused = smime_psk::seal(b"", &mut kek(), &policy, &mut UnwrapErr(SysRng));
        assert_eq!(refused, Err(SealError::TagLength));
    }
}

#[test]
fn content_beyond_the_policy_is_refused_before_a_key_is_looked_for() {
    let policy = OpenPolicy::default().max_content(4);
    let sealed = Message::new().encode();
    let mut stranger = KekRecipient::new(b"other", &[1; 16]).unwrap();
    let opened = smime_psk::open(&sealed, &mut stranger, &policy);
    assert_eq!(opened.unwrap_err(), OpenError::TooLong);
}

#[test]
fn the_crates_cms_and_der_read_and_write_the_same_octets() {
    let mut attributes = Attributes::new();
    attributes
        .insert(Oid::from_arcs(&[1, 2, 3, 2]).unwrap(), &tlv(4, b"two"))
        .unwrap();
    attributes
        .insert(Oid::from_arcs(&[1, 2, 3, 1]).unwrap(), &tlv(4, b"one"))
        .unwrap();
    for algorithm in ContentEncryption::ALL {
        for tag_len in [12, 16] {
            let mut recipients = [kek(), KekRecipient::new(b"a longer one", &[1; 32]).unwrap()];
            let policy = SealPolicy::new(algorithm)
                .tag_len(tag_len)
                .auth_attrs(attributes.clone())
                .unauth_attrs(attributes.clone());
            let content = vec![1; 70_000];
            let mut rng = UnwrapErr(SysRng);
            let sealed = smime_psk::seal(&content, &mut recipients[..], &policy, &mut rng).unwrap();
            let info = cms::content_info::ContentInfo::from_der(&sealed).unwrap();
            let octets = info.content.to_der().unwrap();
            let data = cms::authenveloped_data::AuthEnvelopedData::from_der(&octets).unwrap();
            assert_eq!(data.recip_infos.0.len(), 2);
            assert_eq!(data.auth_attrs.as_ref().unwrap().len(), 2);
            assert_eq!(data.mac.as_bytes().len(), usize::from(tag_len));
            assert_eq!(data.to_der().unwrap(), octets);
            assert_eq!(info.to_der().unwrap(), sealed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_sealed_opens_and_what_is_altered_does_not(
        which in 0..ContentEncryption::ALL.len(),
        tag_len in prop::sample::select(vec![12_u8, 14, 16]),
        content in prop::collection::vec(any::<u8>(), 0..5000),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let policy = SealPolicy::new(ContentEncryption::ALL[which]).tag_len(tag_len);
        let mut sealed =
            smime_psk::seal(&content, &mut kek(), &policy, &mut UnwrapErr(SysRng)).unwrap();
        let opened = smime_psk::open(&sealed, &mut kek(), &OpenPolicy::default()).unwrap();
        prop_assert_eq!(opened.content(), &content);
        let wrapped = mime::wrap(&sealed, SmimeType::Rfc8551, TransferEncoding::Base64);
        let entity = wrapped.to_entity(None);
        let cms = mime::unwrap(&entity).unwrap();
        prop_assert_eq!(cms.as_ref(), &sealed);

        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        for encoding in [Encoding::Der, Encoding::Ber] {
            let policy = OpenPolicy::default().encoding(encoding);
            prop_assert!(smime_psk::open(&sealed, &mut kek(), &policy).is_err());
        }
    }

    #[test]
    fn arbitrary_octets_are_read_without_harm(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        for encoding in [Encoding::Der, Encoding::Ber] {
            prop_assert!(AuthEnvelopedData::parse(&octets, encoding).is_err());
        }
        if let Ok(entity) = Entity::parse(&octets) {
            let _ = (entity.parts(), entity.media_type(), entity.decoded_body());
        }
        if let Ok(canonical) = mime::canonical(&octets) {
            let again = mime::canonical(&canonical).unwrap();
            prop_assert_eq!(again.as_ref(), canonical.as_ref());
        }
    }
}
