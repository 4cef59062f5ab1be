//! Independent implementation: messages of cameras, servers and push-to-talk clients, with their
//! fields as another parser reads them (`tests/vectors/messages/README.md`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use mikey::{
    Chain, DecodeErrorKind, Message, Quirks, Rules,
    code_points::{DataType, IdRole, PayloadType, SrtpAuthAlg, SrtpEncrAlg, ThreeGppCodePoints},
    payload::{
        CryptoSession, CsIdMap, Extension, Payload, SecurityPolicy, SessionData, SrtpPolicy,
        TsValue,
    },
};
use serde_json::Value;

const FIXTURES: &str = include_str!("vectors/messages/fixtures.json");

struct Fixture {
    octets: Vec<u8>,
    parsed: Value,
}

fn fixture(name: &str) -> Fixture {
    let all: Value = serde_json::from_str(FIXTURES).unwrap();
    let found = all.as_array().unwrap().iter().find(|f| f["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no fixture {name}"));
    Fixture {
        octets: unhex(&found["hex"]),
        parsed: found["parsed"].clone(),
    }
}

fn unhex(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}

/// Reads the message, compares each field with what the other parser read, and writes it again.
fn explain(fixture: &Fixture, rules: &Rules) {
    let message = rules.decode(&fixture.octets).unwrap();
    let (header, parsed) = (message.header(), &fixture.parsed);
    assert_eq!(u8::from(header.data_type()), parsed["data_type"]);
    assert_eq!(u8::from(header.v_flag()), parsed["V"]);
    assert_eq!(u8::from(header.prf_func()), parsed["prf"]);
    assert_eq!(header.csb_id(), parsed["csb_id"]);
    assert_eq!(header.cs_id_map().cs_count(), parsed["n_cs"]);
    assert_eq!(u8::from(header.cs_id_map().map_type()), parsed["map_type"]);
    explain_map(&header.cs_id_map(), parsed["cs"].as_array().unwrap());

    let payloads: Vec<Payload<'_>> = message.payloads().collect();
    let expected = parsed["payloads"].as_array().unwrap();
    assert_eq!(payloads.len(), expected.len());
    for (payload, expected) in payloads.iter().zip(expected) {
        explain_payload(payload, expected);
    }

    assert_eq!(message.encoded_len(), fixture.octets.len());
    assert_eq!(message.to_vec(), fixture.octets, "as it was read");
    let again = rules.compose(*header, &payloads).unwrap();
    assert_eq!(again.encoded_len(), fixture.octets.len());
    assert_eq!(again.to_vec(), fixture.octets, "payload by payload");
    assert_eq!(again, message);
}

fn explain_map(map: &CsIdMap<'_>, expected: &[Value]) {
    match map {
        CsIdMap::SrtpId(map) => {
            assert_eq!(map.iter().count(), expected.len());
            for (session, expected) in map.iter().zip(expected) {
                assert_eq!(session.policy_no, expected["policy"]);
                assert_eq!(session.ssrc, expected["ssrc"]);
                assert_eq!(session.roc, expected["roc"]);
            }
        }
        CsIdMap::GenericId(map) => {
            assert_eq!(map.iter().count(), expected.len());
            for (session, expected) in map.iter().zip(expected) {
                assert_eq!(session.cs_id(), expected["cs_id"]);
                assert_eq!(u8::from(session.prot_type()), expected["prot"]);
                assert_eq!(u8::from(session.s_flag()), expected["S"]);
                assert_eq!(serde_json::json!(session.policies()), expected["policies"]);
                assert_eq!(expected["session_data"], "");
                assert_eq!(session.session_data(), SessionData::Absent);
                assert_eq!(hex(session.spi()), expected["spi"]);
            }
        }
        _ => assert!(expected.is_empty()),
    }
}

fn explain_payload(payload: &Payload<'_>, expected: &Value) {
    let name = payload.payload_type().name();
    match payload {
        Payload::T(ts) => {
            assert_eq!(u8::from(ts.ts_type()), expected["ts_type"]);
            assert_eq!(format!("{:016x}", ts.to_u64()), expected["ts"]);
        }
        Payload::Rand(rand) => assert_eq!(hex(rand.octets()), expected["rand"]),
        Payload::Idr(idr) => {
            assert_eq!(u8::from(idr.role()), expected["role"]);
            assert_eq!(u8::from(idr.id().id_type()), expected["type"]);
            assert_eq!(hex(idr.id().data()), expected["data"]);
        }
        Payload::Sp(sp) => {
            assert_eq!(sp.policy_no(), expected["policy_no"]);
            assert_eq!(u8::from(sp.prot_type()), expected["prot_type"]);
            let params: Vec<Value> = sp
                .params()
                .map(|param| serde_json::json!([param.param_type(), hex(param.value())]))
                .collect();
            assert_eq!(Value::from(params), expected["params"]);
        }
        Payload::Sakke(sakke) => {
            assert_eq!(u8::from(sakke.params()), expected["params"]);
            assert_eq!(u8::from(sakke.id_scheme()), expected["id_scheme"]);
            assert_eq!(hex(sakke.data()), expected["data"]);
        }
        Payload::GeneralExtension(ext) => {
            assert_eq!(expected["payload"], "EXT");
            assert_eq!(u8::from(ext.extension_type()), expected["type"]);
            assert_eq!(hex(ext.data()), expected["data"]);
            return;
        }
        Payload::Sign(sign) => {
            assert_eq!(u8::from(sign.s_type()), expected["type"]);
            assert_eq!(hex(sign.signature()), expected["sig"]);
        }
        Payload::Kemac(kemac) => {
            assert_eq!(u8::from(kemac.encr_alg()), expected["encr_alg"]);
            assert_eq!(hex(kemac.encr_data()), expected["encr_data"]);
            assert_eq!(u8::from(kemac.mac().alg()), expected["mac_alg"]);
            assert_eq!(hex(kemac.mac().octets()), expected["mac"]);
            explain_keys(kemac.encr_data(), expected["sub"].as_array().unwrap());
        }
        other => panic!("no fixture has {other:?}"),
    }
    assert_eq!(expected["payload"], name);
}

fn explain_keys(encr_data: &[u8], expected: &[Value]) {
    let chain = Chain::decode_encrypted(encr_data, PayloadType::KeyData).unwrap();
    let keys: Vec<_> = chain.keys().collect();
    assert_eq!(keys.len(), expected.len());
    for (key, expected) in keys.iter().zip(expected) {
        assert_eq!(u8::from(key.key_type()), expected["type"]);
        assert_eq!(u8::from(key.validity().kv_type()), expected["kv"]);
        assert_eq!(hex(key.key()), expected["key"]);
        assert_eq!(key.salt(), None);
        assert_eq!(
            key.validity().spi().map(hex).as_deref(),
            expected["spi"].as_str()
        );
    }
    let mut again = Vec::new();
    let payloads: Vec<Payload<'_>> = chain.iter().collect();
    Chain::new(&payloads).encode_encrypted(&mut again).unwrap();
    assert_eq!(again, encr_data);
}

fn policy_of(message: &Message<'_>) -> SrtpPolicy {
    let sp = message.payloads().find_map(|payload| match payload {
        Payload::Sp(sp) => Some(sp),
        _ => None,
    });
    let sp: SecurityPolicy<'_> = sp.expect("a security policy");
    SrtpPolicy::of(&sp).unwrap()
}

/// The TEK of a message of MIKEY-NULL, split only where the quirk is asked for.
fn tek(message: &Message<'_>, quirks: Quirks) -> Option<(usize, usize)> {
    let kemac = message.payloads().find_map(|payload| match payload {
        Payload::Kemac(kemac) => Some(kemac),
        _ => None,
    });
    let keys = Chain::decode_encrypted(kemac?.encr_data(), PayloadType::KeyData).unwrap();
    let (key, salt) = keys.keys().next()?.tek(16, 14, quirks)?;
    Some((key.len(), salt?.len()))
}

const SALT_IN_TEK: Quirks = Quirks {
    salt_in_tek: true,
    ..Quirks::NONE
};

#[test]
fn onvif_camera() {
    let fixture = fixture("onvif-setup-example");
    explain(&fixture, &Rules::STRICT);

    let message = Message::decode(&fixture.octets).unwrap();
    assert_eq!(message.header().data_type(), DataType::PreShared);
    // A FILETIME in a timestamp that says it is NTP: as NTP it would be in December 1900.
    let t = message.payloads().next();
    assert_eq!(t, Some(Payload::T(TsValue::NtpUtc(0x01d3_8e19_cef9_5c3d))));
    let policy = policy_of(&message);
    assert_eq!(policy.encr_alg, Some(SrtpEncrAlg::AesCm));
    assert_eq!(
        (policy.auth_key_len, policy.auth_tag_len),
        (Some(20), Some(10))
    );
    assert_eq!(tek(&message, Quirks::NONE), None, "key and salt in one TEK");
    assert_eq!(tek(&message, SALT_IN_TEK), Some((16, 14)));
}

#[test]
fn gortsplib_server() {
    let fixture = fixture("gortsplib-keymgmt");
    explain(&fixture, &Rules::STRICT);
    // Where GStreamer means the length of the tag it writes that of the key.
    let policy = policy_of(&Message::decode(&fixture.octets).unwrap());
    assert_eq!((policy.auth_key_len, policy.auth_tag_len), (Some(10), None));
}

#[test]
fn gstreamer_client() {
    let fixture = fixture("gstreamer-devel-2019");
    explain(&fixture, &Rules::STRICT);
    let message = Message::decode(&fixture.octets).unwrap();
    assert_eq!(tek(&message, SALT_IN_TEK), Some((16, 14)));
}

#[test]
fn milestone_server_pads_with_a_zero_octet() {
    let Fixture { octets, .. } = fixture("milestone-padding");
    let error = Message::decode(&octets).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (DecodeErrorKind::TrailingOctets, 115)
    );

    let rules = Rules::STRICT.with_quirks(Quirks {
        trailing_zero: true,
        ..Quirks::NONE
    });
    let message = rules.decode(&octets).unwrap();
    assert_eq!(message.encoded_len(), 115);
    assert_eq!([&message.to_vec()[..], &[0]].concat(), octets);
    assert_eq!(message.header().csb_id(), 0xb140_5657);
    let types: Vec<_> = message
        .payloads()
        .map(|p| p.payload_type().name())
        .collect();
    assert_eq!(types, ["T", "RAND", "SP", "KEMAC"]);
    assert_eq!(tek(&message, SALT_IN_TEK), Some((16, 14)));

    // Exactly one octet, and only a zero.
    assert!(rules.decode(&[&octets[..], &[0]].concat()).is_err());
    assert!(rules.decode(&[&octets[..115], &[1]].concat()).is_err());
    assert!(rules.decode(&octets[..115]).is_ok());
}

#[test]
fn push_to_talk_messages() {
    for (name, map, role) in [
        ("streamwide-i_message-1", Some(4), IdRole::HashedInitiator),
        ("streamwide-i_message-2", Some(6), IdRole::HashedInitiator),
        ("streamwide-i_message-4", None, IdRole::HashedInitiator),
    ] {
        let fixture = fixture(name);
        explain(&fixture, &Rules::STRICT);

        let message = Message::decode(&fixture.octets).unwrap();
        assert_eq!(message.header().data_type(), DataType::Sakke);
        if let CsIdMap::GenericId(sessions) = message.header().cs_id_map() {
            assert_eq!(sessions.iter().next().map(|session| session.cs_id()), map);
        }
        let idr = message.payloads().find_map(|payload| match payload {
            Payload::Idr(idr) => Some(idr),
            _ => None,
        });
        assert_eq!(idr.map(|idr| idr.role()), Some(role));
        let policy = policy_of(&message);
        assert_eq!(policy.encr_alg, Some(SrtpEncrAlg::AesGcm));
        assert_eq!(policy.auth_alg, Some(SrtpAuthAlg::RccM3));
        assert_eq!(
            (policy.srtp_auth_tag_len, policy.aead_auth_tag_len),
            (Some(4), Some(16))
        );
        let sessions: Vec<CryptoSession<'_>> = match message.header().cs_id_map() {
            CsIdMap::GenericId(sessions) => sessions.iter().collect(),
            _ => Vec::new(),
        };
        assert!(sessions.iter().all(|session| session.policies() == [0]));
    }
}

#[test]
fn push_to_talk_policy_with_the_empty_map() {
    let fixture = fixture("streamwide-i_message-3");
    let error = Message::decode(&fixture.octets).unwrap_err();
    assert_eq!(
        (error.kind(), error.payload()),
        (DecodeErrorKind::PolicyNotAllowed, "SP")
    );
    // HDR 10, T 10, RAND 18, IDR 37 twice and 29 twice.
    assert_eq!(error.offset(), 10 + 10 + 18 + 2 * 37 + 2 * 29);

    let quirks = Quirks {
        sp_with_empty_map: true,
        ..Quirks::NONE
    };
    explain(&fixture, &Rules::STRICT.with_quirks(quirks));
}

#[test]
fn push_to_talk_key_parameters() {
    let fixture = fixture("streamwide-i_message-4");
    let message = Message::decode(&fixture.octets).unwrap();
    let ext = message.payloads().find_map(|payload| match payload {
        Payload::GeneralExtension(ext) => Some(ext),
        _ => None,
    });
    let code_points = ThreeGppCodePoints::default();
    let value = ext.unwrap().value(&code_points).unwrap();
    assert_eq!(
        value,
        Extension::ThreeGppKeyParameters(&hex_literal::hex!("0100000001000000000000000000000000"))
    );
}

/// Each payload stands where `located` says, which is what MACs rely on.
#[test]
fn located_payloads_cover_the_message() {
    for name in [
        "onvif-setup-example",
        "gortsplib-keymgmt",
        "streamwide-i_message-1",
    ] {
        let Fixture { octets, .. } = fixture(name);
        let message = Message::decode(&octets).unwrap();
        let mut end = None;
        for (range, payload) in message.located() {
            assert!(end.is_none_or(|end| end == range.start));
            assert_eq!(range.len(), payload.encoded_len());
            end = Some(range.end);
            if let Payload::Kemac(kemac) = payload {
                assert_eq!(octets[range.start + 1], u8::from(kemac.encr_alg()));
            }
        }
        assert_eq!(end, Some(octets.len()));
    }
}
