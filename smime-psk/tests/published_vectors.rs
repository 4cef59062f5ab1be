//! Published vectors: messages of RFC 8696, RFC 8591, RFC 8551, RFC 6476 and of OpenSSL's tests,
//! described in `vectors/cms/README.md`.

#![allow(clippy::unwrap_used, reason = "tests")]

use hex_literal::hex;
use rand_core::CryptoRng;
use smime_psk::{
    AuthEnvelopedData, ContentKey, DecodeErrorKind, Encoding, KekRecipient, KeyTransport, Oid,
    OpenError, OpenPolicy, RecipientInfo, RecipientInfos, TransportError, Unwrapped, Wrapping,
};

const RFC8696: &[u8] = include_bytes!("vectors/cms/rfc8696_a.bin");
const RFC8696_UNAUTH_ATTRS: &[u8] = include_bytes!("vectors/cms/rfc8696_a_unauth_attrs.bin");
const RFC8591: &[u8] = include_bytes!("vectors/cms/rfc8591_10_3.bin");
const RFC8551: &[u8] = include_bytes!("vectors/cms/rfc8551_3_4.bin");
const RFC6476: &[u8] = include_bytes!("vectors/cms/rfc6476_1.bin");
const OPENSSL: &[u8] = include_bytes!("vectors/cms/openssl_authenveloped_attrs.bin");
const OPENSSL_BAD: &[u8] = include_bytes!("vectors/cms/openssl_bad_authenveloped_attrs.bin");

/// Answers for every OtherRecipientInfo of one type with a content key known from elsewhere.
struct KnownKey(Oid, [u8; 32]);

impl KeyTransport for KnownKey {
    fn wrap(
        &mut self,
        _: &Wrapping<'_>,
        _: &mut RecipientInfos,
        _: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        Err(TransportError::Refused)
    }

    fn unwrap(&mut self, info: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
        match info {
            RecipientInfo::Other(info) if info.ori_type() == self.0 => {
                Ok(ContentKey::from_slice(&self.1).map(Unwrapped::new))
            }
            _ => Ok(None),
        }
    }
}

/// id-ori-keyTransPSK of RFC 8696, and the content key of its appendix A.
fn rfc8696_key() -> KnownKey {
    KnownKey(
        Oid::from_arcs(&[1, 2, 840, 113_549, 1, 9, 16, 13, 1]).unwrap(),
        hex!("c8adc30f4a3e20ac420caa76a68f5787c02ab42afea20d19672fd963a5338e83"),
    )
}

fn openssl_kek() -> KekRecipient {
    KekRecipient::new(&hex!("c0fee0"), &hex!("000102030405060708090a0b0c0d0e0f")).unwrap()
}

#[test]
fn rfc8696_appendix_a_opens() {
    // The appendix as data lacks the ContentInfo around it.
    let inner = u16::try_from(RFC8696.len()).unwrap();
    let content_info = [
        &hex!("3082")[..],
        &(inner + 17).to_be_bytes(),
        &hex!("060b2a864886f70d0109100117a082"),
        &inner.to_be_bytes(),
        RFC8696,
    ]
    .concat();

    let opened = smime_psk::open(&content_info, &mut rfc8696_key(), &OpenPolicy::default());
    assert_eq!(opened.unwrap().content(), b"Hello, world!");

    let strict = OpenPolicy::default().min_tag_len(16);
    let refused = smime_psk::open(&content_info, &mut rfc8696_key(), &strict);
    assert_eq!(refused.unwrap_err(), OpenError::TagLength);
}

#[test]
fn rfc8696_with_unauthenticated_attributes_opens() {
    let opened = smime_psk::open(
        RFC8696_UNAUTH_ATTRS,
        &mut rfc8696_key(),
        &OpenPolicy::default(),
    )
    .unwrap();
    assert_eq!(opened.content(), b"Hello, world!");
    let content_hint = Oid::from_arcs(&[1, 2, 840, 113_549, 1, 9, 16, 2, 4]).unwrap();
    let hint: Vec<_> = opened.unauth_attrs().get(content_hint).collect();
    assert_eq!(hint.len(), 1);
    assert!(hint[0].windows(17).any(|text| text == b"Watson, come here"));
    assert!(opened.auth_attrs().is_empty());
}

#[test]
fn openssl_sample_with_authenticated_attributes_opens() {
    let ber = OpenPolicy::default().encoding(Encoding::Ber);
    let opened = smime_psk::open(OPENSSL, &mut openssl_kek(), &ber).unwrap();
    assert_eq!(opened.content(), b"Hello AuthEnvelopedData world\n");
    let attribute = Oid::from_octets(&hex!("2b06010401868d1f01")).unwrap();
    assert_eq!(
        opened.auth_attrs().get(attribute).collect::<Vec<_>>(),
        [b"\x0c\x05hello"]
    );
}

#[test]
fn openssl_sample_with_an_altered_attribute_is_forged() {
    let ber = OpenPolicy::default().encoding(Encoding::Ber);
    let opened = smime_psk::open(OPENSSL_BAD, &mut openssl_kek(), &ber);
    assert_eq!(opened.unwrap_err(), OpenError::Forged);
}

#[test]
fn openssl_sample_in_ber_is_refused_by_default() {
    let opened = smime_psk::open(OPENSSL, &mut openssl_kek(), &OpenPolicy::default());
    match opened.unwrap_err() {
        OpenError::Malformed(error) => assert_eq!(error.kind(), DecodeErrorKind::NotDer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn public_key_recipients_are_reported_and_skipped() {
    // The sample of RFC 8551 §3.4 announces no ICVlen, which means 12, and has a mac of 16 octets.
    for (message, error) in [
        (RFC8591, OpenError::NoRecipient),
        (RFC8551, OpenError::TagLength),
    ] {
        let parsed = AuthEnvelopedData::parse(message, Encoding::Der).unwrap();
        let infos: Vec<_> = parsed.recipient_infos().collect();
        assert_eq!(infos, [RecipientInfo::KeyTrans]);
        let opened = smime_psk::open(message, &mut openssl_kek(), &OpenPolicy::default());
        assert_eq!(opened.unwrap_err(), error);
    }
}

#[test]
fn encryption_with_a_separate_hmac_is_not_admitted() {
    let parsed = AuthEnvelopedData::parse(RFC6476, Encoding::Der).unwrap();
    let infos: Vec<_> = parsed.recipient_infos().collect();
    assert_eq!(infos, [RecipientInfo::Password]);
    let opened = parsed.open(&mut openssl_kek(), &OpenPolicy::default());
    assert_eq!(opened.unwrap_err(), OpenError::Algorithm);
}
