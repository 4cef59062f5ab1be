use mikey::code_points::{DataType, EncrAlg, IdType, KeyDataType, PrfFunc};
use mikey::derive::{Secret, SessionKey};
use mikey::exchange::{Acceptance, ExchangeError, KeyKind, KeyMaterial, null, psk};
use mikey::payload::{CsIdMap, Header, Id, Kemac, KeyData, KeyValidity, Mac, Payload, Rand};
use mikey::{Chain, Message, Quirks, Rules};

use crate::support::{TestRng, alice, bob, cache, now, shared_with, tgk, time, with_proposal};

fn tek() -> KeyMaterial {
    KeyMaterial::new(KeyKind::Tek, Secret::new(&[7; 16]).unwrap()).with_salt(&[8; 14])
}

fn message() -> Vec<u8> {
    let (_, message) = with_proposal(|p| {
        null::send_in_secured_channel(p, vec![tek()], None, time(), &mut TestRng(1))
    })
    .unwrap();
    message
}

#[test]
fn the_other_end_of_the_channel_has_the_keys_and_nobody_is_authenticated() {
    let bundle = null::receive_in_secured_channel(&message(), &Acceptance::new(), now()).unwrap();
    let (mut key, mut salt) = ([0; 16], [0; 14]);
    bundle.session_key(1, SessionKey::Tek, &mut key).unwrap();
    bundle.session_key(1, SessionKey::Salt, &mut salt).unwrap();
    assert_eq!((key, salt), ([7; 16], [8; 14]));
    assert_eq!((bundle.peer(), bundle.suite()), (None, None));
}

#[test]
fn a_tgk_is_derived_from_alike_at_both_ends() {
    let (here, message) = with_proposal(|p| {
        null::send_in_secured_channel(p, vec![tgk(5)], Some(&alice()), time(), &mut TestRng(1))
    })
    .unwrap();
    let there = null::receive_in_secured_channel(&message, &Acceptance::new(), now()).unwrap();
    let (mut ours, mut theirs) = ([0; 16], [0; 16]);
    here.session_key(2, SessionKey::Tek, &mut ours).unwrap();
    there.session_key(2, SessionKey::Tek, &mut theirs).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn what_stands_beside_the_keys_is_reported() {
    let key = KeyData::new(KeyDataType::Tek, &[7; 16], None, KeyValidity::NULL).unwrap();
    let rand = [9; 16];
    let mut octets = Vec::new();
    for beside in [
        Payload::Id(Id::new(IdType::Uri, b"sip:alice@example.org").unwrap()),
        Payload::Rand(Rand::new(&rand).unwrap()),
    ] {
        octets.clear();
        let payloads = [Payload::KeyData(key), beside];
        Chain::new(&payloads).encode_encrypted(&mut octets).unwrap();
        let kemac = Kemac::new(EncrAlg::Null, &octets, Mac::NULL).unwrap();
        let payloads = [Payload::T(time().to_payload()), Payload::Kemac(kemac)];
        let header = Header::new(DataType::PreShared, PrfFunc::Mikey1, 1, CsIdMap::NONE).unwrap();
        let message = Message::new(header, &payloads).unwrap().to_vec();
        let error = null::receive_in_secured_channel(&message, &Acceptance::new(), now());
        let reported = ExchangeError::UnexpectedPayload(beside.payload_type());
        assert_eq!(error.unwrap_err(), reported);
    }
}

#[test]
fn an_unprotected_message_is_nothing_to_a_psk_responder() {
    let keys = shared_with(alice());
    let error = psk::Responder::new(&keys, bob()).accept(&message(), &mut cache(), now());
    assert_eq!(error.unwrap_err(), ExchangeError::UnsupportedMac);
}

#[test]
fn a_protected_message_is_not_taken_without_its_protection() {
    let keys = shared_with(bob());
    let initiator = psk::Initiator::new(&keys, alice(), bob());
    let (_, message) =
        with_proposal(|p| initiator.send(p, vec![tgk(1)], time(), &mut TestRng(1))).unwrap();
    let error = null::receive_in_secured_channel(&message, &Acceptance::new(), now());
    assert_eq!(error.unwrap_err(), ExchangeError::UnsupportedCipher);
}

#[test]
fn a_clock_that_tells_no_time_is_borne_only_by_name() {
    let elsewhere = now().plus_seconds(1_000_000);
    let receive = |acceptance| null::receive_in_secured_channel(&message(), &acceptance, elsewhere);
    assert_eq!(
        receive(Acceptance::new()).unwrap_err(),
        ExchangeError::ClockSkew
    );
    let quirks = Quirks {
        foreign_timestamps: true,
        ..Quirks::NONE
    };
    let bearing = Acceptance::new().rules(Rules::STRICT.with_quirks(quirks));
    assert!(receive(bearing).is_ok());
}

#[test]
fn updates_need_a_shared_key() {
    let (here, _) = with_proposal(|p| {
        null::send_in_secured_channel(p, vec![tek()], None, time(), &mut TestRng(1))
    })
    .unwrap();
    let later = mikey::MessageTime::Utc(now().plus_seconds(1));
    assert!(here.send_update(psk::Update::new(), later).is_err());
}
