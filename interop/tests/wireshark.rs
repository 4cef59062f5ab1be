//! Independent implementation: `interop/wireshark/mikey.lua` in tshark finds the same fields at the
//! same octets as `mediasec explain`, and tshark's own dissector no others.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

extern crate alloc;

use alloc::collections::BTreeSet;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use interop::peer::{self, PeerError};
use mikey::{
    DecodeErrorKind, Message,
    code_points::{
        CertType, CsIdMapType, DataType, DhGroup, EncrAlg, EnvelopeKeyCache, ErrorNo,
        GeneralExtensionType, HashFunc, IdType, KeyIdType, MacAlg, OmaBcastSubtype, PrfFunc,
        ProtType, SType, SakkeIdScheme, SakkeParams, ThreeGppCodePoints,
    },
    payload::{
        Cert, CertHash, CryptoSession, CsIdMap, Dh, ErrorPayload, Extension, GeneralExtension,
        GenericIdMap, Header, Id, IdentityEncrypted, Kemac, KeyId, KeyIds, KeyValidity, Mac,
        Participants, Payload, Pke, Sakke, SdpIds, SecurityPolicy, Sign, SrtpPolicy,
        SrtpSessionData, TsValue, Verification,
    },
};
use serde_json::Value;

/// Octets of IP and UDP in front of each message.
const HEADERS: usize = 28;

/// A capture of each message in a UDP packet from and to `port`, over raw IP.
fn capture(messages: &[Vec<u8>], port: u16) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_be_bytes());
    file.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(262_144_u32.to_be_bytes());
    file.extend(101_u32.to_be_bytes());
    for message in messages {
        let udp = etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(port, port);
        let mut packet = Vec::new();
        udp.write(&mut packet, message).unwrap();
        let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
        file.extend([[0; 4], [0; 4], len, len].concat());
        file.extend(packet);
    }
    file
}

/// What tshark says of a capture, with our script or without; `None` where there is no tshark.
fn tshark(name: &str, capture: &[u8], script: bool, options: &[&str]) -> Option<String> {
    let file = scratch(name);
    fs::write(&file, capture).unwrap();
    let mut command = Command::new("tshark");
    if script {
        let lua = Path::new(env!("CARGO_MANIFEST_DIR")).join("wireshark/mikey.lua");
        command
            .arg("-X")
            .arg(format!("lua_script:{}", lua.display()));
    }
    let output = command
        .arg("-r")
        .arg(&file)
        .args(options)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| PeerError::Io {
            program: "tshark",
            error,
        });
    let output = peer::or_not_run(name, output)?;
    fs::remove_file(&file).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(!said.to_lowercase().contains("lua"), "{said}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains("Lua Error"), "a defect of the script");
    Some(shown)
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("wireshark-{name}-{}.pcap", std::process::id()))
}

/// Places of all fields of `protocol` in each frame, with the octets there.
fn places(json: &str, protocol: &str) -> Vec<BTreeSet<(usize, usize)>> {
    let frames: Value = serde_json::from_str(json).unwrap();
    let frames = frames.as_array().unwrap();
    frames
        .iter()
        .map(|frame| {
            let mut found = BTreeSet::new();
            collect(&frame["_source"]["layers"], protocol, &mut found);
            found
        })
        .collect()
}

fn collect(value: &Value, protocol: &str, found: &mut BTreeSet<(usize, usize)>) {
    let Some(object) = value.as_object() else {
        value
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|value| collect(value, protocol, found));
        return;
    };
    for (name, value) in object {
        if name.starts_with(protocol) && name.ends_with("_raw") {
            // One field is [octets, place, length, mask, type]; several are a list of such.
            let several = value[0].is_array();
            let fields = if several {
                value.as_array().unwrap().clone()
            } else {
                vec![value.clone()]
            };
            for field in fields {
                let number =
                    |index: usize| usize::try_from(field[index].as_u64().unwrap()).unwrap();
                let (at, len) = (number(1), number(2));
                if len > 0 {
                    found.insert((at - HEADERS, at - HEADERS + len));
                }
            }
        } else {
            collect(value, protocol, found);
        }
    }
}

/// Places of all fields, as `mediasec explain` tells them.
fn explained(message: &[u8], options: &[&str]) -> BTreeSet<(usize, usize)> {
    let output = Command::new(env!("CARGO_BIN_EXE_mediasec"))
        .args(["explain", "--json", "--as", "mikey"])
        .args(options)
        .arg(base16ct::lower::encode_string(message))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeSet::new();
    gather(&json["tree"], &mut found);
    found
}

fn gather(node: &Value, found: &mut BTreeSet<(usize, usize)>) {
    if let Some(octets) = node["octets"].as_array() {
        let number = |index: usize| usize::try_from(octets[index].as_u64().unwrap()).unwrap();
        if number(0) < number(1) {
            found.insert((number(0), number(1)));
        }
    }
    for child in node["children"].as_array().into_iter().flatten() {
        gather(child, found);
    }
}

fn unhex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}

/// Messages of cameras, servers and push-to-talk clients.
fn fixtures() -> Vec<Vec<u8>> {
    let text = include_str!("../../mikey/tests/vectors/messages/fixtures.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let all = all.as_array().unwrap();
    all.iter()
        .map(|fixture| unhex(fixture["hex"].as_str().unwrap()))
        .collect()
}

/// The messages of four whole runs of MIKEY-TICKET.
fn runs() -> Vec<Vec<u8>> {
    [
        include_str!("../../mikey-ticket/tests/vectors/run_128_forked.txt"),
        include_str!("../../mikey-ticket/tests/vectors/run_128_shared.txt"),
        include_str!("../../mikey-ticket/tests/vectors/run_256_forked.txt"),
        include_str!("../../mikey-ticket/tests/vectors/run_256_shared.txt"),
    ]
    .iter()
    .flat_map(|run| run.lines())
    .filter_map(|line| line.strip_prefix("message "))
    .map(|hex| unhex(hex.trim()))
    .collect()
}

/// What the others have not: every other payload, extension and map.
fn made(code_points: &ThreeGppCodePoints) -> Vec<Vec<u8>> {
    let id = |text: &'static str| Id::new(IdType::Uri, text.as_bytes()).unwrap();
    let participants = [
        Payload::Id(id("sip:alice@example.com")),
        Payload::Id(id("sip:bob@example.com")),
    ];
    let key_ids = [
        KeyId::new(KeyIdType::MbmsServiceKeyId, &[1, 2, 3, 4]).unwrap(),
        KeyId::new(KeyIdType::MbmsTransportKeyId, &[5]).unwrap(),
    ];
    let extensions = [
        Extension::Conf(Participants::new(&participants).unwrap()),
        Extension::ProofOfOrigin(&[0x5a; 16]),
        Extension::SdpIds(SdpIds::new("mikey;keyp1").unwrap()),
        Extension::KeyIds(KeyIds::new(&key_ids)),
        Extension::CsbId(0xcafe_f00d),
        Extension::OmaBcast {
            subtype: OmaBcastSubtype::Stkm,
            data: &[7; 5],
        },
        Extension::VendorId(b"example"),
        Extension::Unknown {
            extension_type: GeneralExtensionType::Unknown(99),
            data: &[1],
        },
    ];
    let data: Vec<_> = extensions.iter().map(Extension::to_vec).collect();
    let mut payloads = vec![Payload::T(TsValue::Counter(7))];
    for (extension, data) in extensions.iter().zip(&data) {
        let extension_type = extension.extension_type(code_points);
        let extension = GeneralExtension::new(extension_type, data).unwrap();
        payloads.push(Payload::GeneralExtension(extension));
    }
    let mac = Mac::new(MacAlg::HmacSha1_160, &[0x66; 20]).unwrap();
    let spi = KeyValidity::from_spi(&[0xa1, 0xa2]).unwrap();
    let interval = KeyValidity::from_interval(&[1; 6], &[2; 6]).unwrap();
    let dh = |group, value, validity| Payload::Dh(Dh::new(group, value, validity).unwrap());
    payloads.extend([
        Payload::Kemac(Kemac::new(EncrAlg::AesCm128, &[0x55; 40], mac).unwrap()),
        Payload::Pke(Pke::new(EnvelopeKeyCache::CacheForCsb, &[0x77; 128]).unwrap()),
        dh(DhGroup::Oakley1, &[0xbb; 96], spi),
        dh(DhGroup::Oakley2, &[0xbc; 128], interval),
        dh(DhGroup::Oakley5, &[0xbd; 192], KeyValidity::NULL),
        Payload::Cert(Cert::new(CertType::X509Url, b"http://example.com/c").unwrap()),
        Payload::Chash(CertHash::new(HashFunc::Sha256, &[9; 32]).unwrap()),
        Payload::Err(ErrorPayload::new(ErrorNo::InvalidTicket)),
        Payload::Ibake(IdentityEncrypted::new(&[3; 70]).unwrap()),
        Payload::Esk(IdentityEncrypted::new(&[4; 60]).unwrap()),
        Payload::Sakke(
            Sakke::new(
                SakkeParams::ParameterSet1,
                SakkeIdScheme::McxHashedUid,
                &[4; 273],
            )
            .unwrap(),
        ),
        Payload::V(Verification::new(mac)),
        Payload::Sign(Sign::new(SType::RsaPss, &[0x99; 128]).unwrap()),
    ]);
    let srtp = SrtpSessionData {
        ssrc: 0x1234_5678,
        index: Some((3, 60_000)),
    };
    let sessions = [
        CryptoSession::srtp(1, &[0], Some(srtp), &[0xa1]).unwrap(),
        CryptoSession::tls(code_points, 2, &[0xb1, 0xb2]).unwrap(),
        CryptoSession::psk_mime(code_points, 3),
    ];
    let policy = SrtpPolicy {
        encr_key_len: Some(16),
        auth_tag_len: Some(4),
        ..SrtpPolicy::default()
    };
    let params = policy.params();
    let mut with_policy = payloads.clone();
    let sp = SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap();
    with_policy.insert(1, Payload::Sp(sp));
    let generic = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    [(CsIdMap::NONE, payloads), (generic, with_policy)]
        .iter()
        .map(|(map, payloads)| {
            let header = Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 9, *map).unwrap();
            let rules = mikey::Rules::STRICT.with_code_points(*code_points);
            rules.compose(header, payloads).unwrap().to_vec()
        })
        .collect()
}

#[test]
fn both_find_the_same_fields_at_the_same_octets() {
    let code_points = ThreeGppCodePoints::DEFAULT;
    let messages: Vec<_> = [fixtures(), runs(), made(&code_points)]
        .concat()
        .into_iter()
        // What is left over is no field.
        .filter(|message| {
            Message::decode(message).map_err(|error| error.kind()).err()
                != Some(DecodeErrorKind::TrailingOctets)
        })
        .collect();
    let options = ["-T", "json", "-x", "--no-duplicate-keys", "-J", "mikey_ims"];
    let Some(json) = tshark("fields", &capture(&messages, 2269), true, &options) else {
        return;
    };
    let frames = places(&json, "mikey_ims");
    assert_eq!(frames.len(), messages.len());
    for (number, (found, message)) in frames.iter().zip(&messages).enumerate() {
        let ours = explained(message, &[]);
        assert!(ours.len() > 10);
        let missing: Vec<_> = ours.difference(found).collect();
        let surplus: Vec<_> = found.difference(&ours).collect();
        assert_eq!((missing, surplus), (vec![], vec![]), "message {number}");
    }
}

#[test]
fn values_are_those_that_our_parser_reads() {
    let messages = [fixtures(), runs(), made(&ThreeGppCodePoints::DEFAULT)].concat();
    let fields = [
        "mikey_ims.data_type",
        "mikey_ims.csb_id",
        "mikey_ims.map_type",
        "mikey_ims.tp.flag.d",
        "mikey_ims.tp.flag.i",
        "mikey_ims.tp.flag.o",
        "mikey_ims.id.text",
        "mikey_ims.ts.value64",
    ];
    let mut options = vec!["-T", "fields", "-E", "separator=|", "-E", "occurrence=f"];
    for field in fields {
        options.extend(["-e", field]);
    }
    let Some(rows) = tshark("values", &capture(&messages, 2269), true, &options) else {
        return;
    };
    assert_eq!(rows.lines().count(), messages.len());
    let mut with_ticket = 0;
    for (row, octets) in rows.lines().zip(&messages) {
        let quirks = mikey::Quirks {
            trailing_zero: true,
            sp_with_empty_map: true,
            ..mikey::Quirks::NONE
        };
        let message = mikey::Rules::STRICT
            .with_quirks(quirks)
            .decode(octets)
            .unwrap();
        let header = message.header();
        let cells: Vec<&str> = row.split('|').collect();
        assert_eq!(cells[0], u8::from(header.data_type()).to_string());
        assert_eq!(cells[1], format!("0x{:08x}", header.csb_id()));
        let map_type: CsIdMapType = header.cs_id_map().map_type();
        assert_eq!(cells[2], u8::from(map_type).to_string());
        let flags = message.payloads().find_map(|payload| match payload {
            Payload::Tp(policy) => Some(policy.flags()),
            Payload::Ticket(ticket) => Some(ticket.policy().flags()),
            _ => None,
        });
        let cell = |set: bool| if set { "1" } else { "0" };
        if let Some(flags) = flags {
            with_ticket += 1;
            assert_eq!(cells[3], cell(flags.kms_generated));
            assert_eq!(cells[4], cell(flags.forking));
            assert_eq!(cells[5], cell(flags.plain_responder));
        } else {
            assert_eq!(cells[3..6], [""; 3]);
        }
        let first_id = message.payloads().find_map(|payload| match payload {
            Payload::Idr(idr) => Some(idr.id()),
            Payload::Id(id) => Some(id),
            _ => None,
        });
        if let Some(id) = first_id.filter(|id| id.id_type() == IdType::Uri) {
            // Some clients put a hash where a URI should be.
            if let Ok(text) = core::str::from_utf8(id.data()) {
                assert_eq!(cells[6], text);
            }
        }
        if let Some(Payload::T(TsValue::NtpUtc(ntp))) = message.payloads().next() {
            assert_eq!(cells[7], format!("0x{ntp:016x}"));
        }
    }
    assert_eq!(with_ticket, 16);
}

/// Whoever has other numbers for what 3GPP left open says so on both sides.
#[test]
fn code_points_of_3gpp_are_configured() {
    let code_points = ThreeGppCodePoints {
        tls: ProtType::from(200),
        conf: GeneralExtensionType::from(201),
        ..ThreeGppCodePoints::DEFAULT
    };
    let messages = made(&code_points);
    let options = [
        "-o",
        "mikey_ims.code_point_tls:200",
        "-o",
        "mikey_ims.code_point_conf:201",
        "-T",
        "json",
        "-x",
        "--no-duplicate-keys",
        "-J",
        "mikey_ims",
    ];
    let Some(json) = tshark("code-points", &capture(&messages, 2269), true, &options) else {
        return;
    };
    let options = ["--code-point", "tls=200", "--code-point", "conf=201"];
    for (found, message) in places(&json, "mikey_ims").iter().zip(&messages) {
        assert_eq!(*found, explained(message, &options));
        assert_ne!(*found, explained(message, &[]));
    }
}

/// Every truncation, and octets changed at random: an expert info where our parser refuses, and never
/// a failure of the script.
#[test]
fn what_is_malformed_gives_an_expert_info() {
    let whole = [fixtures(), runs(), made(&ThreeGppCodePoints::DEFAULT)].concat();
    let mut messages = Vec::new();
    for message in &whole {
        messages.extend((1..message.len()).map(|len| message[..len].to_vec()));
    }
    fastrand::seed(1);
    for _ in 0..3000 {
        let mut message = fastrand::choice(&whole).unwrap().clone();
        for _ in 0..=fastrand::usize(..3) {
            let place = fastrand::usize(..message.len());
            message[place] = fastrand::u8(..);
        }
        messages.push(message);
    }
    let options = ["-T", "fields", "-e", "mikey_ims.malformed"];
    let Some(rows) = tshark("malformed", &capture(&messages, 2269), true, &options) else {
        return;
    };
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), messages.len());
    let mut refused = 0;
    for (row, message) in rows.iter().zip(&messages) {
        let malformed = !row.is_empty();
        match Message::decode(message).map_err(|error| error.kind()) {
            // The script warns of these.
            Err(DecodeErrorKind::PolicyNotAllowed) => {}
            Err(DecodeErrorKind::LengthMismatch) if !malformed => {}
            Err(kind) => {
                refused += 1;
                assert!(
                    malformed,
                    "{kind:?}: {}",
                    base16ct::lower::encode_string(message)
                );
            }
            // What the parser leaves to whoever asks for it, the script looks into.
            Ok(read) => {
                let nested = read.payloads().any(|payload| match payload {
                    Payload::Ticket(_) | Payload::Tp(_) | Payload::GeneralExtension(_) => true,
                    Payload::Kemac(kemac) => kemac.encr_alg() == EncrAlg::Null,
                    _ => false,
                });
                assert!(
                    !malformed || nested,
                    "{}",
                    base16ct::lower::encode_string(message)
                );
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn messages_in_sdp_are_found() {
    let message = &runs()[2];
    let attribute = mikey::keymgmt::attribute(message);
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         a=key-mgmt:{}\r\nm=audio 4000 RTP/SAVP 0\r\n",
        *attribute
    );
    let sip = format!(
        "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\n\
         CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    let options = [
        "-T",
        "fields",
        "-e",
        "mikey_ims.data_type",
        "-e",
        "mikey_ims.malformed",
    ];
    let messages = [sip.clone().into_bytes()];
    let Some(rows) = tshark("sdp", &capture(&messages, 5060), true, &options) else {
        return;
    };
    assert_eq!(rows.trim_end_matches('\n'), "14\t");
    // A body of its own.
    let sip = sip.replace("application/sdp", "application/mikey");
    let (head, _) = sip.split_once("\r\n\r\n").unwrap();
    let head = head.replace(
        &format!("Length: {}", sdp.len()),
        &format!("Length: {}", message.len()),
    );
    let packet = [head.as_bytes(), b"\r\n\r\n", message].concat();
    let rows = tshark("body", &capture(&[packet], 5060), true, &options).unwrap();
    assert_eq!(rows.trim_end_matches('\n'), "14\t");
}

/// Fields of Wireshark's own dissector, which knows no payload of RFC 6043 but IDR, are fields of ours.
#[test]
fn the_dissector_of_wireshark_itself_finds_no_other_fields() {
    let messages = fixtures();
    let options = ["-T", "json", "-x", "--no-duplicate-keys", "-J", "mikey"];
    let Some(json) = tshark("own", &capture(&messages, 2269), false, &options) else {
        return;
    };
    let mut compared = 0;
    for (found, message) in places(&json, "mikey.").iter().zip(&messages) {
        // It does not know GENERIC-ID maps, and is lost behind one.
        if message[9] == u8::from(CsIdMapType::GenericId) {
            continue;
        }
        let ours = explained(message, &[]);
        let surplus: Vec<_> = found.difference(&ours).collect();
        assert!(found.len() > 10, "{found:?}");
        assert_eq!(surplus, Vec::<&(usize, usize)>::new());
        compared += found.len();
    }
    assert!(compared > 100);
}
