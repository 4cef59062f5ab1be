//! Independent implementation: GStreamer's libgstsdp 1.22, both ways (`tests/peers/gstreamer.py`).
//!
//! It reads messages of the pre-shared key kind with an SRTP-ID map and T, RAND, SP, KEMAC and PKE
//! payloads, and nothing else: a GENERIC-ID map is refused, and an Empty map or an ID payload makes
//! it loop for ever. It reads a PKE payload, but writes its length as 1. It writes a policy's authentication key length where the tag length is meant,
//! and key and salt in one TEK, as `Quirks` says.

#![cfg(feature = "peers")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod peers;

use mikey::{
    Chain, Message,
    code_points::{
        DataType, EncrAlg, EnvelopeKeyCache, KeyDataType, PayloadType, PrfFunc, ProtType,
        SrtpAuthAlg, SrtpEncrAlg,
    },
    payload::{
        CsIdMap, Header, Kemac, KeyData, KeyValidity, Mac, Payload, Pke, Rand, SecurityPolicy,
        SrtpIdMap, SrtpIdSession, SrtpPolicy, TsValue,
    },
};
use peers::{hex, installed, run};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/gstreamer.py");

fn gstreamer(input: &str) -> Option<String> {
    let libraries = "import ctypes; ctypes.CDLL('libgstsdp-1.0.so.0')";
    installed("python3", &["-c", libraries]).then(|| run("python3", &[SCRIPT], input))
}

const POLICY: SrtpPolicy = SrtpPolicy {
    encr_alg: Some(SrtpEncrAlg::AesCm),
    encr_key_len: Some(16),
    auth_alg: Some(SrtpAuthAlg::HmacSha1),
    auth_key_len: Some(20),
    salt_key_len: None,
    prf: None,
    key_derivation_rate: None,
    srtp_encr: None,
    srtcp_encr: None,
    fec_order: None,
    srtp_auth: Some(true),
    auth_tag_len: Some(10),
    prefix_len: None,
    roc_rate: None,
    srtp_auth_alg: None,
    srtcp_auth_alg: None,
    srtp_auth_key_len: None,
    srtcp_auth_key_len: None,
    srtp_auth_tag_len: None,
    srtcp_auth_tag_len: None,
    aead_auth_tag_len: None,
};

const KEY: [u8; 16] = [0x5a; 16];
const SALT: [u8; 14] = [0xa5; 14];

/// Each key type that GStreamer knows, with each validity; the number in front is the peer's name
/// for the case.
fn keys() -> Vec<(String, KeyData<'static>)> {
    let validities = [
        KeyValidity::NULL,
        KeyValidity::from_spi(&[1, 2, 3, 4]).unwrap(),
        KeyValidity::from_interval(&[0; 6], &[9; 6]).unwrap(),
    ];
    let mut keys = Vec::new();
    for key_type in [
        KeyDataType::Tgk,
        KeyDataType::TgkSalt,
        KeyDataType::Tek,
        KeyDataType::TekSalt,
    ] {
        for (number, validity) in validities.iter().enumerate() {
            let salt = (key_type.has_salt() == Some(true)).then_some(&SALT[..]);
            let key = KeyData::new(key_type, &KEY, salt, *validity).unwrap();
            keys.push((format!("{} {number}", u8::from(key_type)), key));
        }
    }
    keys
}

/// The message that `make` makes, by us.
fn message(key: KeyData<'_>, pke: bool) -> Vec<u8> {
    let sessions = [SrtpIdSession {
        policy_no: 3,
        ssrc: 0x89ab_cdef,
        roc: 5,
    }];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&sessions).unwrap());
    let header = Header::new(DataType::PreShared, PrfFunc::Mikey1, 0xdead_beef, map)
        .unwrap()
        .expecting_response(true);
    let params = POLICY.params();
    let mut encr_data = Vec::new();
    Chain::new(&[Payload::KeyData(key)])
        .encode_encrypted(&mut encr_data)
        .unwrap();
    let rand: [u8; 16] = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let mut payloads = vec![
        Payload::T(TsValue::NtpUtc(0x0001_0203_0405_0607)),
        Payload::Rand(Rand::new(&rand).unwrap()),
        Payload::Sp(SecurityPolicy::new(3, ProtType::Srtp, &params).unwrap()),
        Payload::Kemac(Kemac::new(EncrAlg::Null, &encr_data, Mac::NULL).unwrap()),
    ];
    if pke {
        payloads.push(Payload::Pke(
            Pke::new(EnvelopeKeyCache::CacheForCsb, &[7; 128]).unwrap(),
        ));
    }
    Message::new(header, &payloads).unwrap().to_vec()
}

#[test]
fn gstreamer_reads_our_messages_and_writes_them_again() {
    let messages: Vec<String> = keys()
        .iter()
        .flat_map(|(_, key)| [hex(&message(*key, false)), hex(&message(*key, true))])
        .collect();
    let Some(output) = gstreamer(&(messages.join("\n") + "\n")) else {
        return;
    };
    let mut lines = output.lines();
    for (number, message) in messages.iter().enumerate() {
        let payloads = if number % 2 == 0 { 4 } else { 5 };
        assert_eq!(lines.next(), Some(&*format!("read 1 {payloads}")));
        assert_eq!(lines.next(), Some("3 89abcdef 5"));
        let written = lines.next();
        if payloads == 4 {
            assert_eq!(written, Some(&**message));
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn we_read_the_messages_of_gstreamer() {
    let Some(output) = gstreamer("make\n") else {
        return;
    };
    let made: Vec<&str> = output.lines().collect();
    let keys = keys();
    assert_eq!(made.len(), keys.len());
    for (line, (name, key)) in made.iter().zip(&keys) {
        let octets = line
            .strip_prefix(&format!("{name} "))
            .unwrap_or_else(|| panic!("{line}"));
        assert_eq!(
            octets,
            hex(&message(*key, false)),
            "octet for octet what we write"
        );
        let octets: Vec<u8> = (0..octets.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&octets[i..i + 2], 16).unwrap())
            .collect();
        let message = Message::decode(&octets).unwrap();
        assert_eq!(message.header().csb_id(), 0xdead_beef);
        let policies: Vec<_> = message
            .payloads()
            .filter_map(|payload| match payload {
                Payload::Sp(sp) => Some(SrtpPolicy::of(&sp).unwrap()),
                _ => None,
            })
            .collect();
        assert_eq!(policies, [POLICY]);
        let Some(Payload::Kemac(kemac)) = message.payloads().last() else {
            panic!("KEMAC")
        };
        let chain = Chain::decode_encrypted(kemac.encr_data(), PayloadType::KeyData).unwrap();
        assert_eq!(chain.keys().collect::<Vec<_>>(), [*key]);
    }
}
