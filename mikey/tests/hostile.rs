//! Self-consistency: what no honest peer sends is refused, where it goes wrong is told, and nothing
//! takes longer than its length warrants.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use hex_literal::hex;
use mikey::{
    Chain, DecodeError, DecodeErrorKind as Kind, EncodeError, Message, Quirks, Rules,
    code_points::{
        DataType, DhGroup, EncrAlg, EnvelopeKeyCache, IdType, KeyDataType, MacAlg, PayloadType,
        PrfFunc, ProtType, SType, ThreeGppCodePoints,
    },
    limits::{MAX_MESSAGE_LEN, MAX_PAYLOADS},
    payload::{
        BaseTicket, CryptoSession, CsIdMap, Dh, ErrorPayload, GenericIdMap, Header, Id, Kemac,
        KeyData, KeyValidity, Mac, Payload, Pke, PolicyParam, Rand, SecurityPolicy, Sign,
        SrtpIdMap, SrtpIdSession, Ticket, TicketFlags, TicketKind, TicketPolicy, TsValue,
    },
};
use serde_json::Value;

/// A header of an Error message that names `next`.
fn header(next: u8) -> Vec<u8> {
    vec![1, 6, next, 0, 0, 0, 0, 9, 0, 1]
}

fn message(next: u8, payloads: &[u8]) -> Vec<u8> {
    [&header(next)[..], payloads].concat()
}

fn refusal(octets: &[u8]) -> (Kind, &'static str, usize) {
    let error = Message::decode(octets).unwrap_err();
    (error.kind(), error.payload(), error.offset())
}

/// The fixtures, and one message with each payload that they lack.
fn corpus() -> Vec<Vec<u8>> {
    let fixtures: Value =
        serde_json::from_str(include_str!("vectors/messages/fixtures.json")).unwrap();
    let mut corpus: Vec<Vec<u8>> = fixtures
        .as_array()
        .unwrap()
        .iter()
        .map(|fixture| {
            let hex = fixture["hex"].as_str().unwrap();
            let octet = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(octet).collect()
        })
        .collect();
    corpus.push(ticket_message());
    corpus
}

fn ticket_message() -> Vec<u8> {
    let id = Payload::Id(Id::new(IdType::Uri, b"sip:bob@example.com").unwrap());
    let policy_data = [Payload::T(TsValue::Counter(1)), id];
    let kind = TicketKind::mikey_base(PrfFunc::HmacSha256, TicketFlags::NONE);
    let ticket_payloads = [
        Payload::T(TsValue::Counter(2)),
        Payload::Rand(Rand::new(&[3; 32]).unwrap()),
    ];
    let data = BaseTicket::new(b"thdr", &ticket_payloads).unwrap().to_vec();
    let mac = Mac::new(MacAlg::HmacSha1_160, &[7; 20]).unwrap();
    let macs = [Payload::V(mikey::payload::Verification::new(mac)); 2];
    let ticket = Ticket::new(TicketPolicy::new(kind, &policy_data).unwrap(), &data)
        .unwrap()
        .with_initiator_data(&macs)
        .unwrap();
    let payloads = [
        Payload::Tp(TicketPolicy::new(kind, &policy_data).unwrap()),
        Payload::Ticket(ticket),
        Payload::Dh(
            Dh::new(
                DhGroup::Oakley1,
                &[5; 96],
                KeyValidity::from_spi(&[1]).unwrap(),
            )
            .unwrap(),
        ),
        Payload::Pke(Pke::new(EnvelopeKeyCache::Cache, &[6; 128]).unwrap()),
        Payload::Sign(Sign::new(SType::RsaPss, &[8; 128]).unwrap()),
    ];
    let sessions = [CryptoSession::srtp(
        1,
        &[0],
        Some(mikey::payload::SrtpSessionData {
            ssrc: 5,
            index: Some((1, 2)),
        }),
        &[9],
    )
    .unwrap()];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let header = Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 9, map).unwrap();
    Message::new(header, &payloads).unwrap().to_vec()
}

#[test]
fn every_truncation_is_refused_behind_its_last_octet() {
    let rules = Rules::STRICT.with_quirks(Quirks {
        sp_with_empty_map: true,
        ..Quirks::NONE
    });
    for whole in corpus() {
        let whole = match rules.decode(&whole) {
            Ok(_) => &whole[..],
            Err(error) => &whole[..error.offset()],
        };
        assert!(rules.decode(whole).is_ok());
        for len in 0..whole.len() {
            let error = rules.decode(&whole[..len]).unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (Kind::Truncated, len),
                "{whole:02x?}"
            );
            assert!(!error.payload().is_empty());
        }
    }
}

#[test]
fn octets_behind_the_last_payload_are_refused() {
    for whole in corpus() {
        let Ok(message) = Message::decode(&whole) else {
            continue;
        };
        let end = message.encoded_len();
        for tail in [&[0][..], &[1], &[0, 0], &[0; 4096]] {
            let (kind, _, offset) = refusal(&[&whole[..], tail].concat());
            assert_eq!((kind, offset), (Kind::TrailingOctets, end));
        }
    }
}

/// No octet of any message, whatever it becomes, makes decoding panic or what is decoded not write
/// the same octets again.
#[test]
fn every_octet_changed_is_refused_or_survives() {
    for whole in corpus() {
        for at in 0..whole.len() {
            for octet in [0, 1, 2, 4, 9, 0x10, 0x7f, 0x80, 0xfe, 0xff, !whole[at]] {
                let mut changed = whole.clone();
                changed[at] = octet;
                if let Ok(message) = Message::decode(&changed) {
                    let payloads: Vec<_> = message.payloads().collect();
                    let again = Message::new(*message.header(), &payloads).unwrap();
                    assert_eq!(again.to_vec(), changed);
                }
            }
        }
    }
}

#[test]
fn versions_other_than_1_are_refused() {
    for version in (0..=u8::MAX).filter(|version| *version != 1) {
        let mut octets = message(5, &hex!("00 02 00000001"));
        octets[0] = version;
        assert_eq!(refusal(&octets), (Kind::UnknownVersion(version), "HDR", 0));
    }
}

#[test]
fn unknown_payloads_end_the_walk_where_they_stand() {
    for next in [18, 19, 27, 100, 240, 241, 255] {
        assert_eq!(
            refusal(&message(next, &[0; 40])),
            (Kind::UnknownPayload(next), "unknown", 10)
        );
        // Behind a T.
        let octets = message(5, &[&[next, 2, 0, 0, 0, 1][..], &[0; 40]].concat());
        assert_eq!(
            refusal(&octets),
            (Kind::UnknownPayload(next), "unknown", 16)
        );
    }
}

#[test]
fn keys_in_the_clear_are_refused() {
    for next in [20, 24, 25] {
        assert_eq!(refusal(&message(next, &[0; 40])).0, Kind::Misplaced(next));
    }
}

#[test]
fn values_without_a_known_length_are_refused() {
    let cases: [(u8, &[u8], u8, &str, usize); 6] = [
        (5, &[0, 4, 0, 0, 0, 0, 0, 0, 0, 0], 4, "T", 11),
        (13, &[0, 1, 9, 0, 0, 0, 0], 9, "TR", 12),
        (9, &[0, 3, 0, 0], 3, "V", 11),
        (8, &[0, 3, 0, 0], 3, "CHASH", 11),
        (3, &[0, 3, 0, 0], 3, "DH", 11),
        (1, &[0, 0, 0, 0, 7], 7, "KEMAC", 14),
    ];
    for (next, octets, value, payload, offset) in cases {
        assert_eq!(
            refusal(&message(next, octets)),
            (Kind::UnknownValue(value), payload, offset)
        );
    }
    let mut unknown_map = message(0, &[]);
    unknown_map[9] = 3;
    assert_eq!(refusal(&unknown_map), (Kind::UnknownValue(3), "HDR", 9));
}

#[test]
fn unknown_values_inside_payloads_survive() {
    let octets = message(
        12,
        &hex!(
            // ERR 0xf0 with reserved bits, ID type 0x63, General Ext. 0xf5, IDR role 0xf1.
            "06 f0 abcd  15 63 0001 aa  0e f5 0002 beef  00 f1 02 0001 00"
        ),
    );
    let message = Message::decode(&octets).unwrap();
    assert_eq!(message.payloads().count(), 4);
    let payloads: Vec<_> = message.payloads().collect();
    assert_eq!(
        Message::new(*message.header(), &payloads).unwrap().to_vec(),
        octets
    );
}

#[test]
fn length_fields_at_their_limits_are_told_from_what_is_there() {
    // Payload type, octets up to the length, octets of the length.
    let cases: [(u8, &[u8], usize); 12] = [
        (1, &[0, 0], 2),                    // KEMAC
        (6, &[0, 0], 2),                    // ID
        (7, &[0, 0], 2),                    // CERT
        (10, &[0, 0, 0], 2),                // SP
        (11, &[0], 1),                      // RAND
        (14, &[0, 1, 0], 2),                // IDR
        (15, &[0, 1], 1),                   // RANDR
        (21, &[0, 0], 2),                   // General Ext.
        (22, &[0], 2),                      // IBAKE
        (23, &[0], 2),                      // ESK
        (26, &[0, 1, 1], 2),                // SAKKE
        (16, &[0, 0, 1, 1, 1, 0, 0, 0], 2), // TP
    ];
    for (next, start, len_octets) in cases {
        for len in [1_usize, 2, 127, 128, 255, 256, 32_767, 65_535] {
            let Some(len) = (if len_octets == 1 {
                u8::try_from(len).ok().map(|len| vec![len])
            } else {
                u16::try_from(len)
                    .ok()
                    .map(|len| len.to_be_bytes().to_vec())
            }) else {
                continue;
            };
            let octets = message(next, &[start, &len].concat());
            let (kind, _, offset) = refusal(&octets);
            assert_eq!(
                (kind, offset),
                (Kind::Truncated, octets.len()),
                "type {next}, {len:?}"
            );
        }
    }
    // PKE's 14 bits and SIGN's 12, beside the bits of another field.
    assert_eq!(
        refusal(&message(2, &hex!("00 ffff"))),
        (Kind::Truncated, "PKE", 13)
    );
    assert_eq!(
        refusal(&message(4, &hex!("ffff"))),
        (Kind::Truncated, "SIGN", 12)
    );
}

#[test]
fn longest_fields_are_written_and_longer_ones_are_not() {
    assert!(Rand::new(&[0; 255]).is_ok());
    assert_eq!(Rand::new(&[0; 256]), Err(EncodeError::TooLong));
    let long = vec![0; 65_536];
    assert!(Id::new(IdType::Uri, &long[1..]).is_ok());
    assert_eq!(Id::new(IdType::Uri, &long), Err(EncodeError::TooLong));
    assert!(Pke::new(EnvelopeKeyCache::NoCache, &long[..16_383]).is_ok());
    assert!(Pke::new(EnvelopeKeyCache::NoCache, &long[..16_384]).is_err());
    assert!(Pke::new(EnvelopeKeyCache::Unknown(4), &[]).is_err());
    assert!(Sign::new(SType::Eccsi, &[0; 4095]).is_ok());
    assert!(Sign::new(SType::Eccsi, &[0; 4096]).is_err());
    assert!(Sign::new(SType::Unknown(16), &[]).is_err());
    assert!(KeyValidity::from_spi(&[0; 255]).is_ok());
    assert!(KeyValidity::from_spi(&[0; 256]).is_err());
    assert!(CryptoSession::srtp(1, &[0; 127], None, &[]).is_ok());
    assert_eq!(
        CryptoSession::srtp(1, &[0; 128], None, &[]),
        Err(EncodeError::TooMany)
    );
    let session = SrtpIdSession {
        policy_no: 0,
        ssrc: 1,
        roc: 0,
    };
    assert!(SrtpIdMap::new(&[session; 255]).is_ok());
    assert_eq!(SrtpIdMap::new(&[session; 256]), Err(EncodeError::TooMany));
    let params = [PolicyParam::new(0, &[0; 253]).unwrap(); 257];
    assert!(SecurityPolicy::new(0, ProtType::Srtp, &params).is_ok());
    let params = [PolicyParam::new(0, &[0; 254]).unwrap(); 256];
    assert_eq!(
        SecurityPolicy::new(0, ProtType::Srtp, &params),
        Err(EncodeError::TooLong)
    );
    assert!(Header::new(DataType::Error, PrfFunc::Unknown(127), 0, CsIdMap::NONE).is_ok());
    assert!(Header::new(DataType::Error, PrfFunc::Unknown(128), 0, CsIdMap::NONE).is_err());
    assert!(Mac::new(MacAlg::Unknown(9), &[]).is_err());
    assert!(Dh::new(DhGroup::Oakley5, &[0; 191], KeyValidity::NULL).is_err());
}

#[test]
fn nested_lengths_that_disagree_are_refused() {
    // SP of 3 octets of parameters, whose one TLV needs 4; and of 4, with one octet left over.
    assert_eq!(
        refusal(&message(10, &hex!("00 00 00 0003 0002ff"))).0,
        Kind::Truncated
    );
    assert_eq!(
        refusal(&message(10, &hex!("00 00 00 0004 0001ff 00"))).0,
        Kind::Truncated
    );
    // TP Data of 7 octets, whose T needs 6 behind the first octet; and of 6, and of 8.
    let tp = |len: u8, data: &[u8]| {
        message(
            16,
            &[&hex!("00 0001 01 01 028000 00")[..], &[len], data].concat(),
        )
    };
    let data = hex!("05 00 02 00000001 00");
    assert!(Message::decode(&tp(7, &data[..7])).is_ok());
    assert_eq!(refusal(&tp(6, &data[..6])), (Kind::Truncated, "T", 26));
    assert_eq!(refusal(&tp(8, &data)), (Kind::TrailingOctets, "T", 27));
    // TP Data of no octet does not name its first payload.
    assert_eq!(refusal(&tp(0, &[])), (Kind::Truncated, "TP", 20));
    // Session Data of SRTP that the S flag does not account for.
    for (s, len, ok) in [
        (0, 0, true),
        (0, 4, true),
        (0x80, 10, true),
        (0x80, 0, false),
        (0, 10, false),
        (0x80, 4, false),
        (0, 3, false),
        (0, 5, false),
    ] {
        let map = [&[1, 0, s, 0, len][..], &vec![0; len.into()], &[0]].concat();
        let octets = [&hex!("01 0e 00 01 00000009 01 02")[..], &map].concat();
        match Message::decode(&octets) {
            Ok(_) => assert!(ok),
            Err(error) => {
                assert!(!ok);
                assert_eq!((error.kind(), error.offset()), (Kind::LengthMismatch, 13));
            }
        }
    }
}

#[test]
fn keys_are_read_to_the_last_octet_of_the_decrypted_data() {
    let tgk = hex!("00 00 0002 aabb");
    let read = |octets: &[u8]| {
        Chain::decode_encrypted(octets, PayloadType::KeyData)
            .map(|chain| chain.keys().count())
            .map_err(|error| (error.kind(), error.offset()))
    };
    assert_eq!(read(&tgk), Ok(1));
    assert_eq!(read(&[]), Ok(0), "an update may have none");
    assert_eq!(
        read(&[&tgk[..], &[0]].concat()),
        Err((Kind::TrailingOctets, 6))
    );
    for len in 1..tgk.len() {
        assert_eq!(read(&tgk[..len]), Err((Kind::Truncated, len)));
    }
    // Types 8 to 15 and KV 3 to 15 have no definition.
    assert_eq!(read(&hex!("00 80 0000")), Err((Kind::UnknownValue(8), 1)));
    assert_eq!(read(&hex!("00 03 0000")), Err((Kind::UnknownValue(3), 4)));
}

/// A ticket within a ticket within a ticket: refused at the second.
#[test]
fn tickets_do_not_nest() {
    let policy = hex!("0001 01 01 028000");
    let mut inner = vec![0];
    for _ in 0..100 {
        let mut outer = vec![16, 0];
        outer.extend(policy);
        outer.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
        outer.extend(&inner);
        inner = outer;
    }
    let (kind, payload, _) = refusal(&message(16, &inner[1..]));
    assert_eq!((kind, payload), (Kind::Misplaced(16), "TP"));

    let kind = TicketKind::mikey_base(PrfFunc::Mikey1, TicketFlags::NONE);
    let policy = Payload::Tp(TicketPolicy::new(kind, &[]).unwrap());
    let ticket = Ticket::new(TicketPolicy::new(kind, &[]).unwrap(), &[]).unwrap();
    let ticket = Payload::Ticket(ticket);
    for nested in [policy, ticket] {
        let misplaced = EncodeError::Misplaced(nested.payload_type().into());
        assert_eq!(TicketPolicy::new(kind, &[nested]), Err(misplaced));
        assert_eq!(BaseTicket::new(&[], &[nested]), Err(misplaced));
        let mut out = Vec::new();
        assert_eq!(
            Chain::new(&[nested]).encode_encrypted(&mut out),
            Err(misplaced)
        );
        assert!(out.is_empty());
    }
}

#[test]
fn a_granted_policy_has_no_kemac() {
    let kind = TicketKind::mikey_base(PrfFunc::Mikey1, TicketFlags::NONE);
    let kemac = [Payload::Kemac(
        Kemac::new(EncrAlg::Null, &[], Mac::NULL).unwrap(),
    )];
    let policy = TicketPolicy::new(kind, &kemac).unwrap();
    assert!(policy.kemac().is_some());
    assert_eq!(Ticket::new(policy, &[]), Err(EncodeError::Misplaced(1)));
    // On the wire, too: as TP it is read, as TICKET it is not.
    let policy = hex!("00 0001 01 01 028000 0006 01 00 00 0000 00");
    assert!(Message::decode(&message(16, &policy)).is_ok());
    let ticket = [&policy[..], &[0, 0, 0, 0]].concat();
    assert_eq!(refusal(&message(17, &ticket)).0, Kind::Misplaced(1));
}

#[test]
fn a_signature_stands_last() {
    let sign = Payload::Sign(Sign::new(SType::RsaPkcs1, &[1]).unwrap());
    let t = Payload::T(TsValue::Counter(1));
    let header = Header::new(DataType::PublicKey, PrfFunc::Mikey1, 1, CsIdMap::NONE).unwrap();
    assert!(Message::new(header, &[t, sign]).is_ok());
    assert_eq!(
        Message::new(header, &[sign, t]),
        Err(EncodeError::Misplaced(4))
    );
    // On the wire it names no next payload, so what follows is left over.
    assert_eq!(
        refusal(&message(4, &hex!("0001 ff 00"))),
        (Kind::TrailingOctets, "SIGN", 13)
    );
}

#[test]
fn too_many_payloads_and_too_long_messages_are_refused() {
    let err = Payload::Err(ErrorPayload::new(mikey::code_points::ErrorNo::Unspecified));
    let header = Header::new(DataType::Error, PrfFunc::Mikey1, 1, CsIdMap::NONE).unwrap();
    let most = vec![err; MAX_PAYLOADS];
    let octets = Message::new(header, &most).unwrap().to_vec();
    assert_eq!(
        Message::decode(&octets).unwrap().payloads().count(),
        MAX_PAYLOADS
    );
    let more = vec![err; MAX_PAYLOADS + 1];
    assert_eq!(Message::new(header, &more), Err(EncodeError::TooMany));
    let mut octets = message(12, &[12, 0, 0, 0].repeat(MAX_PAYLOADS));
    octets.extend([0, 0, 0, 0]);
    assert_eq!(refusal(&octets).0, Kind::TooManyPayloads);

    let data = vec![0; MAX_MESSAGE_LEN];
    let longest = Payload::Id(Id::new(IdType::Uri, &data[..MAX_MESSAGE_LEN - 14]).unwrap());
    let octets = Message::new(header, &[longest]).unwrap().to_vec();
    assert_eq!(octets.len(), MAX_MESSAGE_LEN);
    assert!(Message::decode(&octets).is_ok());
    let longer = [Payload::Id(
        Id::new(IdType::Uri, &data[..MAX_MESSAGE_LEN - 13]).unwrap(),
    )];
    assert_eq!(Message::new(header, &longer), Err(EncodeError::TooLong));
    let octets = [&octets[..], &[0]].concat();
    assert_eq!(refusal(&octets), (Kind::TooLong, "HDR", MAX_MESSAGE_LEN));
}

/// Sixteen times the octets take sixteen times as long; four times that is let pass, as other work
/// runs beside the tests. Were it quadratic, it would be sixteen times that.
#[test]
fn long_messages_take_linear_time() {
    let time = |params: usize| {
        let data = [0, 0].repeat(params);
        let len = u16::try_from(data.len()).unwrap().to_be_bytes();
        let octets = message(10, &[&[0, 0, 0][..], &len, &data].concat());
        let mut octets = octets;
        // The SRTP-ID map with no sessions, as policies are not for the Empty map.
        octets[9] = 0;
        (0..5)
            .map(|_| {
                let start = std::time::Instant::now();
                for _ in 0..20 {
                    let message = Message::decode(&octets).unwrap();
                    let Some(Payload::Sp(sp)) = message.payloads().next() else {
                        panic!("SP")
                    };
                    assert_eq!(sp.params().count(), params);
                }
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    let (short, long) = (time(2_000), time(32_000));
    assert!(
        long < short * 16 * 4,
        "{short:?} for 2^12 octets, {long:?} for 2^16"
    );
}

#[test]
fn flat_lists_and_wide_maps_do_not_recurse() {
    // 255 crypto sessions of 127 policies each: 34 KB of header.
    let sessions: Vec<_> = (0..255)
        .map(|cs_id| {
            CryptoSession::new(cs_id, ProtType::Unknown(200), &[0; 127], &[], &[]).unwrap()
        })
        .collect();
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let header = Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 1, map).unwrap();
    let octets = Message::new(header, &[]).unwrap().to_vec();
    let message = Message::decode(&octets).unwrap();
    assert_eq!(message.header().cs_id_map().cs_count(), 255);
    assert_eq!(*message.header(), header);
}

#[test]
fn duplicate_keys_are_not_chosen_between() {
    let spi = KeyValidity::from_spi(&[1]).unwrap();
    let key = Payload::KeyData(KeyData::new(KeyDataType::Tgk, &[1; 16], None, spi).unwrap());
    assert!(Chain::new(&[key]).key_with_spi(&[1]).is_some());
    assert!(Chain::new(&[key]).key_with_spi(&[2]).is_none());
    assert!(Chain::new(&[key, key]).key_with_spi(&[1]).is_none());
}

#[test]
fn a_cs_id_stands_once_in_a_generic_id_map() {
    let session = |cs_id| CryptoSession::srtp(cs_id, &[], None, &[]).unwrap();
    assert_eq!(
        GenericIdMap::new(&[session(7), session(0), session(7)]),
        Err(EncodeError::DuplicateCsId(7))
    );
    let sessions = [session(7), session(0), session(255)];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let header = Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 1, map).unwrap();
    let mut octets = Message::new(header, &[]).unwrap().to_vec();
    assert!(Message::decode(&octets).is_ok());
    // The CS ID of the third session, each having 6 octets.
    octets[22] = 7;
    let error = Message::decode(&octets).unwrap_err();
    assert_eq!(error.kind(), Kind::DuplicateCsId(7));
    assert_eq!((error.payload(), error.offset()), ("HDR", 10));
}

#[test]
fn errors_print_without_what_the_peer_chose() {
    let error: DecodeError = Message::decode(&message(27, &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown: payload type 27 is unknown, at octet 10"
    );
    let secret = KeyData::new(KeyDataType::Tek, &[0xab; 16], None, KeyValidity::NULL).unwrap();
    let shown = format!("{secret:?}");
    assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    let kemac = Kemac::new(EncrAlg::Null, &[0xab; 16], Mac::NULL).unwrap();
    assert!(!format!("{kemac:?}").contains("171"));
    let code_points = ThreeGppCodePoints::default();
    assert_ne!(code_points.tls, code_points.psk_mime);
}
