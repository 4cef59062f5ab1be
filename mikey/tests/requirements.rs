//! Self-consistency: the requirements of the IMS media plane that the payloads carry, one test for
//! each identifier.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use hex_literal::hex;
use mikey::{
    Chain, DecodeErrorKind, EncodeError, Message, Quirks, Rules,
    code_points::{
        DataType, IdType, KeyDataType, PayloadType, PrfFunc, ProtType, ThreeGppCodePoints,
    },
    keymgmt::KeyMgmt,
    payload::{
        CryptoSession, CsIdMap, Extension, GeneralExtension, GenericIdMap, Header, Id, KeyData,
        KeyValidity, Participants, Payload, PolicyParam, SdpIds, SecurityPolicy, SessionData,
        SrtpIdMap, TsValue,
    },
};

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

fn transfer_init(map: CsIdMap<'_>) -> Header<'_> {
    Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 7, map).unwrap()
}

#[test]
fn req_psk_06_the_offerer_says_how_many_ssrcs_the_answerer_has() {
    // Two streams of ours; the peer will send three.
    let offered = SrtpIdMap::offer(0, &[0x11, 0x22], 3).unwrap();
    let offer = SrtpIdMap::new(&offered).unwrap();
    assert_eq!(offer.cs_count(), 5);
    let ssrcs: Vec<u32> = offer.iter().map(|session| session.ssrc).collect();
    assert_eq!(ssrcs, [0x11, 0x22, 0, 0, 0]);
    assert!(offer.get(3).unwrap().is_placeholder());
    assert!(
        offer.get(0).is_none() && offer.get(6).is_none(),
        "CS IDs are 1 to 5"
    );

    // The answerer fills its places, all of them and no other, and never with the placeholder.
    let answered = offer.answer(&[0xa1, 0xa2, 0xa3]).unwrap();
    let ssrcs: Vec<u32> = answered.iter().map(|session| session.ssrc).collect();
    assert_eq!(ssrcs, [0x11, 0x22, 0xa1, 0xa2, 0xa3]);
    assert_eq!(offer.answer(&[0xa1, 0xa2]), Err(EncodeError::WrongLength));
    assert_eq!(
        offer.answer(&[0xa1, 0xa2, 0xa3, 0xa4]),
        Err(EncodeError::WrongLength)
    );
    assert_eq!(offer.answer(&[0xa1, 0xa2, 0]), Err(EncodeError::Value(0)));
    assert_eq!(SrtpIdMap::offer(0, &[0], 1), Err(EncodeError::Value(0)));
    assert_eq!(SrtpIdMap::offer(0, &[1], 255), Err(EncodeError::TooMany));
}

#[test]
fn req_psk_08_a_tls_session_has_no_policy_and_no_session_data() {
    let session = CryptoSession::tls(&CODE_POINTS, 3, &hex!("aabbcc")).unwrap();
    let sessions = [session];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let octets = Message::new(transfer_init(map), &[]).unwrap().to_vec();
    // CS ID, Prot type, S and #P, Session Data Length, SPI Length and SPI.
    assert_eq!(octets[10..], hex!("03 f1 00 0000 03 aabbcc"));

    // S is ignored on receipt.
    let mut with_s = octets.clone();
    with_s[12] = 0x80;
    let read = Message::decode(&with_s).unwrap();
    let CsIdMap::GenericId(map) = read.header().cs_id_map() else {
        panic!("GENERIC-ID")
    };
    let read = map.get(3).unwrap();
    assert_eq!(
        (read.policies(), read.session_data()),
        (&[][..], SessionData::Absent)
    );
    assert_eq!(read.spi(), session.spi());

    // A policy or Session Data are refused, unless the dummy policy is asked for.
    let policy = hex!("01 0e 00 01 00000007 01 02  03 f1 01 00 0000 00");
    assert_eq!(
        Message::decode(&policy).unwrap_err().kind(),
        DecodeErrorKind::PolicyNotAllowed
    );
    let quirks = Quirks {
        dummy_tls_policy: true,
        ..Quirks::NONE
    };
    assert!(Rules::STRICT.with_quirks(quirks).decode(&policy).is_ok());
    let data = hex!("01 0e 00 01 00000007 01 02  03 f1 00 0001 00 00");
    assert_eq!(
        Message::decode(&data).unwrap_err().kind(),
        DecodeErrorKind::LengthMismatch
    );
}

#[test]
fn req_psk_10_the_spi_points_to_a_tgk_a_gtgk_or_a_tek() {
    let spi = |spi| KeyValidity::from_spi(spi).unwrap();
    let key = |key_type, octets, validity| {
        Payload::KeyData(KeyData::new(key_type, octets, None, validity).unwrap())
    };
    let keys = [
        key(KeyDataType::Mpk, &[1; 32], spi(&[1])),
        key(KeyDataType::Tgk, &[2; 32], spi(&[2])),
        key(KeyDataType::Gtgk, &[3; 32], spi(&[3])),
        key(KeyDataType::Tek, &[4; 32], spi(&[4])),
    ];
    let mut plain = Vec::new();
    Chain::new(&keys).encode_encrypted(&mut plain).unwrap();
    let keys = Chain::decode_encrypted(&plain, PayloadType::KeyData).unwrap();
    for (octet, key_type) in [
        (2, KeyDataType::Tgk),
        (3, KeyDataType::Gtgk),
        (4, KeyDataType::Tek),
    ] {
        let session = CryptoSession::tls(&CODE_POINTS, 1, core::slice::from_ref(&octet)).unwrap();
        let key = keys.key_with_spi(session.spi()).unwrap();
        assert_eq!((key.key_type(), key.key()), (key_type, &[octet; 32][..]));
    }
    assert!(keys.key_with_spi(&[5]).is_none());
}

#[test]
fn req_psk_18_tls_and_application_specific_have_no_security_policy() {
    let map = CsIdMap::GenericId(GenericIdMap::new(&[]).unwrap());
    for (prot_type, allowed) in [
        (CODE_POINTS.tls, false),
        (CODE_POINTS.application_specific, false),
        (CODE_POINTS.psk_mime, true),
        (ProtType::Srtp, true),
        (ProtType::Tesla, true),
    ] {
        let sp = [Payload::Sp(SecurityPolicy::new(0, prot_type, &[]).unwrap())];
        let made = Message::new(transfer_init(map), &sp);
        assert_eq!(made.is_ok(), allowed, "{prot_type:?}");
        let octets = [
            &hex!("01 0e 0a 01 00000007 00 02  00 00")[..],
            &[prot_type.into(), 0, 0],
        ];
        let read = Message::decode(&octets.concat())
            .map(|_| ())
            .map_err(|error| error.kind());
        let refused = Err(DecodeErrorKind::PolicyNotAllowed);
        assert_eq!(
            read,
            if allowed { Ok(()) } else { refused },
            "{prot_type:?}"
        );
    }
    // With other code points other numbers are meant.
    let tls = ProtType::Unknown(250);
    let rules = Rules::STRICT.with_code_points(ThreeGppCodePoints { tls, ..CODE_POINTS });
    let sp = |prot_type| [Payload::Sp(SecurityPolicy::new(0, prot_type, &[]).unwrap())];
    assert!(rules.compose(transfer_init(map), &sp(tls)).is_err());
    assert!(
        rules
            .compose(transfer_init(map), &sp(CODE_POINTS.tls))
            .is_ok()
    );
    // The dummy policy is one without parameters, and of TLS alone.
    let dummy = Rules::STRICT.with_quirks(Quirks {
        dummy_tls_policy: true,
        ..Quirks::NONE
    });
    assert!(
        dummy
            .compose(transfer_init(map), &sp(CODE_POINTS.tls))
            .is_ok()
    );
    assert!(
        dummy
            .compose(transfer_init(map), &sp(CODE_POINTS.application_specific))
            .is_err()
    );
    let params = [PolicyParam::new(0, &[1]).unwrap()];
    let full = [Payload::Sp(
        SecurityPolicy::new(0, CODE_POINTS.tls, &params).unwrap(),
    )];
    assert!(dummy.compose(transfer_init(map), &full).is_err());
}

#[test]
fn req_psk_22_the_offered_protocols_are_carried_and_compared() {
    // The offerer lists what its SDP offers, even where that is MIKEY alone.
    let sdp = ["mikey AQ4VAQAAAAcAARUBAAUAbWlrZXk=", "keyp1 AAAA"];
    let offered: Vec<&str> = sdp
        .iter()
        .map(|value| KeyMgmt::from_attribute(value).unwrap().protocol())
        .collect();
    let ids = SdpIds::new("mikey;keyp1").unwrap();
    let data = Extension::SdpIds(ids).to_vec();
    let ext = [Payload::GeneralExtension(
        GeneralExtension::new(Extension::SdpIds(ids).extension_type(&CODE_POINTS), &data).unwrap(),
    )];
    let octets = Message::new(transfer_init(CsIdMap::NONE), &ext)
        .unwrap()
        .to_vec();
    assert_eq!(octets[10..], hex!("00 01 000b 6d696b65793b6b65797031"));

    let read = Message::decode(&octets).unwrap();
    let Some(Payload::GeneralExtension(ext)) = read.payloads().next() else {
        panic!("extension")
    };
    let Ok(Extension::SdpIds(listed)) = ext.value(&CODE_POINTS) else {
        panic!("SDP IDs")
    };
    assert!(listed.matches(offered.iter().copied()));
    // Stripped, added to, reordered, or of another case: tampered with.
    assert!(!listed.matches(["mikey"]));
    assert!(!listed.matches(["keyp1", "mikey"]));
    assert!(!listed.matches(["mikey", "keyp1", "keyp2"]));
    assert!(!listed.matches(["MIKEY", "keyp1"]));
    assert!(SdpIds::new("").is_err() && SdpIds::new("mikey;").is_err());
    assert!(SdpIds::new("mi key").is_err());
}

#[test]
fn req_ck_04_the_participants_are_id_payloads_of_the_conf_extension() {
    let users: [&[u8]; 3] = [b"sip:a@example.com", b"tel:+15551234", b"sip:c@example.com"];
    let ids: Vec<Payload<'_>> = users
        .iter()
        .map(|user| Payload::Id(Id::new(IdType::Uri, user).unwrap()))
        .collect();
    let conf = Extension::Conf(Participants::new(&ids).unwrap());
    let data = conf.to_vec();
    // Each names the next; the last names none.
    assert_eq!(data[..4], hex!("06 01 0011"));
    let ext = GeneralExtension::new(CODE_POINTS.conf, &data).unwrap();
    let payloads = [
        Payload::T(TsValue::NtpUtc(1)),
        Payload::GeneralExtension(ext),
    ];
    let octets = Message::new(transfer_init(CsIdMap::NONE), &payloads)
        .unwrap()
        .to_vec();

    let read = Message::decode(&octets).unwrap();
    let Some(Payload::GeneralExtension(ext)) = read.payloads().nth(1) else {
        panic!("extension")
    };
    let Ok(Extension::Conf(participants)) = ext.value(&CODE_POINTS) else {
        panic!("CONF")
    };
    let listed: Vec<&[u8]> = participants.iter().map(|id| id.data()).collect();
    assert_eq!(listed, users);
    // It stands within what a MAC over the message covers.
    let (range, _) = read.located().nth(1).unwrap();
    assert!(
        octets[range]
            .windows(data.len())
            .any(|window| window == data)
    );

    // Zero participants are a list, too; anything but an ID payload is not.
    let empty = GeneralExtension::new(CODE_POINTS.conf, &[]).unwrap();
    let Ok(Extension::Conf(none)) = empty.value(&CODE_POINTS) else {
        panic!("CONF")
    };
    assert_eq!(none.iter().count(), 0);
    let other = [Payload::T(TsValue::NtpUtc(1))];
    assert_eq!(Participants::new(&other), Err(EncodeError::Misplaced(5)));
    let mixed = hex!("05 01 0001 61  00 02 00000001");
    let mixed = GeneralExtension::new(CODE_POINTS.conf, &mixed).unwrap();
    assert_eq!(
        mixed.value(&CODE_POINTS).unwrap_err().kind(),
        DecodeErrorKind::Misplaced(5)
    );
}

#[test]
fn req_msg_10_proof_of_origin_is_a_copy_of_the_content_mac() {
    let mac = hex!("00112233445566778899aabbccddeeff");
    let proof = Extension::ProofOfOrigin(&mac);
    let data = proof.to_vec();
    assert_eq!(data, mac, "the octets as they are");
    let ext = GeneralExtension::new(proof.extension_type(&CODE_POINTS), &data).unwrap();
    let payloads = [Payload::GeneralExtension(ext)];
    let sessions = [CryptoSession::psk_mime(&CODE_POINTS, 1)];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let octets = Message::new(transfer_init(map), &payloads)
        .unwrap()
        .to_vec();
    assert_eq!(
        octets[10..16],
        hex!("01 f2 00 0000 00"),
        "no policy, no data, no SPI"
    );

    let read = Message::decode(&octets).unwrap();
    let Some(Payload::GeneralExtension(ext)) = read.payloads().next() else {
        panic!("extension")
    };
    assert_eq!(ext.value(&CODE_POINTS), Ok(Extension::ProofOfOrigin(&mac)));
    // A peer that was told another number does not take it for one.
    let other = ThreeGppCodePoints {
        proof_of_origin: mikey::code_points::GeneralExtensionType::Unknown(250),
        ..CODE_POINTS
    };
    assert!(matches!(ext.value(&other), Ok(Extension::Unknown { .. })));
}
