//! Independent implementation: Wireshark 4.0's MIKEY dissector reads what we write, field by field,
//! without complaint.
//!
//! What it cannot read: GENERIC-ID maps, and TR, RANDR, TP, TICKET, IBAKE, ESK, SK and ECCPT
//! payloads (a malformed packet, or no word of them); the length of a CERT, which it takes one octet
//! too early; what stands behind a CHASH, or behind
//! a DH with validity data; and all keys of a KEMAC but the first.

#![cfg(feature = "peers")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod peers;

use std::fs;

use mikey::{
    Chain, Message,
    code_points::{
        DataType, DhGroup, EncrAlg, EnvelopeKeyCache, ErrorNo, GeneralExtensionType, IdRole,
        IdType, KeyDataType, MacAlg, PrfFunc, ProtType, SType, SakkeIdScheme, SakkeParams,
        SrtpAuthAlg, SrtpEncrAlg,
    },
    payload::{
        CsIdMap, Dh, ErrorPayload, GeneralExtension, Header, Id, Idr, Kemac, KeyData, KeyValidity,
        Mac, Payload, Pke, Rand, Sakke, SecurityPolicy, Sign, SrtpIdMap, SrtpIdSession, SrtpPolicy,
        TsValue, Verification,
    },
};
use peers::{hex, installed, run};

/// A capture of each message in a UDP packet to MIKEY's port.
fn capture(messages: &[Vec<u8>]) -> Vec<u8> {
    const PORT: u16 = 2269;
    const RAW_IP: u32 = 101;
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_be_bytes());
    file.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(u32::from(u16::MAX).to_be_bytes());
    file.extend(RAW_IP.to_be_bytes());
    for message in messages {
        let udp_len = u16::try_from(8 + message.len()).unwrap();
        let mut packet = vec![0x45, 0];
        packet.extend((20 + udp_len).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(
            [
                PORT.to_be_bytes(),
                PORT.to_be_bytes(),
                udp_len.to_be_bytes(),
            ]
            .concat(),
        );
        packet.extend([0, 0]);
        packet.extend(message);
        let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
        file.extend([[0; 4], [0; 4], len, len].concat());
        file.extend(packet);
    }
    file
}

/// For each message the values of `fields`, each list joined by commas.
fn dissect(name: &str, messages: &[Vec<u8>], fields: &[&str]) -> Option<Vec<Vec<String>>> {
    if !installed("tshark", &["--version"]) {
        return None;
    }
    let path = std::env::temp_dir().join(format!("mikey-{name}-{}.pcap", std::process::id()));
    fs::write(&path, capture(messages)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let mut args = vec![
        "-r",
        &path,
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=a",
    ];
    for field in fields {
        args.extend(["-e", field]);
    }
    let output = run("tshark", &args, "");
    fs::remove_file(&path).unwrap();
    let rows: Vec<Vec<String>> = output
        .lines()
        .map(|line| line.split('|').map(str::to_owned).collect())
        .collect();
    assert_eq!(rows.len(), messages.len());
    Some(rows)
}

const STREAMS: [SrtpIdSession; 2] = [
    SrtpIdSession {
        policy_no: 0,
        ssrc: 0x1234_5678,
        roc: 0,
    },
    SrtpIdSession {
        policy_no: 1,
        ssrc: 0x9abc_def0,
        roc: 7,
    },
];

fn message(data_type: DataType, payloads: &[Payload<'_>]) -> Vec<u8> {
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&STREAMS).unwrap());
    let header = Header::new(data_type, PrfFunc::Mikey1, 0xcafe_0001, map).unwrap();
    Message::new(header, payloads).unwrap().to_vec()
}

fn key(key: KeyData<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    Chain::new(&[Payload::KeyData(key)])
        .encode_encrypted(&mut octets)
        .unwrap();
    octets
}

/// Messages of every kind of RFC 3830, 4650, 4738 and 6509, with every payload that the peer knows.
fn messages() -> Vec<Vec<u8>> {
    let t = Payload::T(TsValue::NtpUtc(0xecd1_5081_bedc_e397));
    let rand = Payload::Rand(Rand::new(&[0x44; 16]).unwrap());
    let alice = Id::new(IdType::Uri, b"sip:alice@example.com").unwrap();
    let policy = SrtpPolicy {
        encr_alg: Some(SrtpEncrAlg::AesCm),
        encr_key_len: Some(16),
        auth_alg: Some(SrtpAuthAlg::HmacSha1),
        auth_tag_len: Some(10),
        ..SrtpPolicy::default()
    };
    let params = policy.params();
    let sp = Payload::Sp(SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap());
    let spi = KeyValidity::from_spi(&[0xa1, 0xa2]).unwrap();
    let interval = KeyValidity::from_interval(&[1; 6], &[2; 6]).unwrap();
    let tgk = key(KeyData::new(KeyDataType::Tgk, &[0x11; 16], None, spi).unwrap());
    let salt = Some(&[0x33; 14][..]);
    let tek = key(KeyData::new(KeyDataType::TekSalt, &[0x22; 16], salt, interval).unwrap());
    let mac = Mac::new(MacAlg::HmacSha1_160, &[0x66; 20]).unwrap();
    let null = |keys| Payload::Kemac(Kemac::new(EncrAlg::Null, keys, Mac::NULL).unwrap());
    let kemac = Payload::Kemac(Kemac::new(EncrAlg::AesCm128, &[0x55; 40], mac).unwrap());
    let pke = Payload::Pke(Pke::new(EnvelopeKeyCache::Cache, &[0x77; 128]).unwrap());
    let sign = Payload::Sign(Sign::new(SType::RsaPkcs1, &[0x99; 128]).unwrap());
    let dh = |group: DhGroup, value| Payload::Dh(Dh::new(group, value, KeyValidity::NULL).unwrap());
    let ext = Payload::GeneralExtension(
        GeneralExtension::new(GeneralExtensionType::SdpIds, b"mikey").unwrap(),
    );
    let v = Payload::V(Verification::new(mac));
    let error = Payload::Err(ErrorPayload::new(ErrorNo::InvalidTs));
    let role = Payload::Idr(Idr::new(IdRole::Initiator, alice));
    let sakke = Payload::Sakke(
        Sakke::new(
            SakkeParams::ParameterSet1,
            SakkeIdScheme::TelUriMonthly,
            &[4; 273],
        )
        .unwrap(),
    );
    let id = Payload::Id(alice);
    vec![
        message(DataType::PreShared, &[t, rand, id, ext, sp, null(&tgk)]),
        message(DataType::PreShared, &[t, rand, id, sp, kemac]),
        message(DataType::PskVerMsg, &[t, id, v]),
        message(DataType::PublicKey, &[t, rand, id, sp, kemac, pke, sign]),
        message(
            DataType::DhInit,
            &[t, rand, id, sp, dh(DhGroup::Oakley5, &[0xbb; 192]), sign],
        ),
        message(
            DataType::DhHmacInit,
            &[t, rand, id, sp, dh(DhGroup::Oakley2, &[0xbb; 128]), kemac],
        ),
        message(
            DataType::DhResp,
            &[t, id, dh(DhGroup::Oakley1, &[0xbb; 96]), sign],
        ),
        message(DataType::Error, &[t, error, v]),
        message(DataType::Sakke, &[t, rand, role, sp, sakke, sign]),
        message(DataType::PreShared, &[t, rand, sp, null(&tek)]),
    ]
}

#[test]
fn wireshark_reads_our_messages_without_complaint() {
    let messages = messages();
    let fields = [
        "_ws.malformed",
        "_ws.expert.message",
        "mikey.type",
        "mikey.csb_id",
        "mikey.srtp_id.ssrc",
        "mikey.next_payload",
    ];
    let Some(rows) = dissect("all", &messages, &fields) else {
        return;
    };
    for (row, octets) in rows.iter().zip(&messages) {
        assert_eq!((&*row[0], &*row[1]), ("", ""), "{}", hex(octets));
        let message = Message::decode(octets).unwrap();
        assert_eq!(row[2], u8::from(message.header().data_type()).to_string());
        assert_eq!(row[3], "0xcafe0001");
        assert_eq!(row[4], "0x12345678,0x9abcdef0");
        // What each payload names: all those behind the header, and then none. A SIGN names none.
        let mut types: Vec<String> = message
            .payloads()
            .map(|payload| u8::from(payload.payload_type()).to_string())
            .collect();
        if types.last().is_some_and(|last| last != "4") {
            types.push("0".to_owned());
        }
        let named: Vec<&str> = row[5].split(',').collect();
        assert_eq!(named, types, "{}", hex(octets));
    }
}

#[test]
fn wireshark_reads_the_values_that_we_wrote() {
    let messages = messages();
    let cases: [(usize, &str, String); 17] = [
        (0, "mikey.rand.data", "44".repeat(16)),
        (0, "mikey.id.data", "sip:alice@example.com".to_owned()),
        (0, "mikey.key.data", "11".repeat(16)),
        (9, "mikey.key.salt", "33".repeat(14)),
        (0, "mikey.key.kv.spi", "a1a2".to_owned()),
        (9, "mikey.key.kv.to", "02".repeat(6)),
        (0, "mikey.sp.auth_tag_len", "10".to_owned()),
        (0, "mikey.ext.value", "mikey".to_owned()),
        (1, "mikey.kemac.mac", "66".repeat(20)),
        (2, "mikey.v.ver_data", "66".repeat(20)),
        (3, "mikey.pke.c", "1".to_owned()),
        (3, "mikey.pke.data", "77".repeat(128)),
        (3, "mikey.sign.data", "99".repeat(128)),
        (4, "mikey.dh.value", "bb".repeat(192)),
        (7, "mikey.err.no", "1".to_owned()),
        (8, "mikey.id.role", "1".to_owned()),
        (8, "mikey.sakke.data", "04".repeat(273)),
    ];
    let fields: Vec<&str> = cases.iter().map(|(_, field, _)| *field).collect();
    let Some(rows) = dissect("values", &messages, &fields) else {
        return;
    };
    for (column, (frame, field, value)) in cases.iter().enumerate() {
        assert_eq!(&rows[*frame][column], value, "{field} in message {frame}");
    }
}
