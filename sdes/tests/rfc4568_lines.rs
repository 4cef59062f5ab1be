//! Published vectors: the lines of RFC 4568 and of TS 34.229-1 §12.12a, as printed but for their
//! line folds. The key octets were decoded with another base64 decoder.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use hex_literal::hex;
use sdes::{Answer, Attribute, FecOrder, Policy, Recovered, SecurityDescription, SessionParameter};
use srtp::keying::{KeySet, Profile};

const SECTION_4: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
    inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32";
const SECTION_4_5_VIDEO: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
    inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32";
const SECTION_4_5_AUDIO: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_32 \
    inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32";
const SECTION_6_1_FIRST: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
    inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4";
const SECTION_6_1_SECOND: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
    inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4";
const SECTION_7_1_5_OFFER: [&str; 2] = [
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
     inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP",
    "a=crypto:2 F8_128_HMAC_SHA1_80 \
     inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;\
     inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP",
];
const SECTION_7_1_5_ANSWER: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
    inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4";

const ALL: [&str; 8] = [
    SECTION_4,
    SECTION_4_5_VIDEO,
    SECTION_4_5_AUDIO,
    SECTION_6_1_FIRST,
    SECTION_6_1_SECOND,
    SECTION_7_1_5_OFFER[0],
    SECTION_7_1_5_OFFER[1],
    SECTION_7_1_5_ANSWER,
];

fn read(line: &str) -> SecurityDescription {
    SecurityDescription::parse(line, &[]).unwrap()
}

fn key_and_salt(keys: &KeySet, position: usize) -> Vec<u8> {
    let key = keys.entries()[position].key();
    [key.expose_key(), key.expose_salt()].concat()
}

#[test]
fn every_line_is_written_as_it_was_read() {
    for line in ALL {
        let mut written = String::new();
        Attribute::parse(line)
            .unwrap()
            .encode(&mut written)
            .unwrap();
        assert_eq!(written, line);
        assert_eq!(*read(line).encode(sdes::Padding::Padded), line);
    }
}

#[test]
fn section_4_generic_line() {
    let line = read(SECTION_4);
    assert_eq!(line.tag(), 1);
    assert_eq!(line.suite().profile(), Profile::AesCm128HmacSha1_80);
    assert_eq!(
        key_and_salt(line.keys(), 0),
        hex!("3d2d6e40255e7821426a75667239293f 2c2335685c603d265d7b71695051")
    );
    let entry = &line.keys().entries()[0];
    assert_eq!(
        (
            entry.lifetime().srtp_packets(),
            entry.lifetime().srtcp_packets()
        ),
        (1 << 20, 1 << 20)
    );
    assert_eq!(entry.mki().unwrap().as_octets().len(), 32);
    assert_eq!(entry.mki().unwrap().as_octets()[31], 1);
}

#[test]
fn section_4_5_two_streams() {
    assert_eq!(
        key_and_salt(read(SECTION_4_5_VIDEO).keys(), 0),
        hex!("774466766726542b29784737406662356a552c5261417d5c7c7030252a23")
    );
    let audio = read(SECTION_4_5_AUDIO);
    assert_eq!(audio.suite().profile(), Profile::AesCm128HmacSha1_32);
    assert_eq!(
        key_and_salt(audio.keys(), 0),
        hex!("37307877504835402f2c4c3a53317759227e3d27457067542528695f5663")
    );
}

#[test]
fn section_6_1_key_with_and_without_lifetime() {
    let first = read(SECTION_6_1_FIRST);
    assert_eq!(
        first.keys().entries()[0].mki().unwrap().as_octets(),
        [0, 0, 0, 1]
    );

    let second = read(SECTION_6_1_SECOND);
    let entry = &second.keys().entries()[0];
    assert_eq!(entry.mki().unwrap().as_octets(), [0, 0, 0x04, 0x2a]);
    assert_eq!(
        (
            entry.lifetime().srtp_packets(),
            entry.lifetime().srtcp_packets()
        ),
        (1 << 48, 1 << 31)
    );
    assert_eq!(
        key_and_salt(second.keys(), 0),
        hex!("6142436465666768694a4b4c6d6f5051727354755677797a313233343536")
    );
}

#[test]
fn section_7_1_5_offer_and_answer() {
    let [aes, f8] = SECTION_7_1_5_OFFER.map(read);
    assert_eq!(aes.fec_order(), FecOrder::FecSrtp);
    assert_eq!(
        key_and_salt(aes.keys(), 0),
        hex!("59535f5f5f73656d63746c202829207b093232303b7d0a7d0a756e6c6573")
    );
    assert_eq!(f8.suite().profile(), Profile::AesF8_128HmacSha1_80);
    assert_eq!(f8.keys().entries().len(), 2);
    assert_eq!(
        key_and_salt(f8.keys(), 0),
        hex!("313233343536373839414243444530313233343536373839414263646566")
    );
    assert_eq!(
        key_and_salt(f8.keys(), 1),
        hex!("414263646566313233343536373839414243444530313233343536373839")
    );
    assert_eq!(
        f8.keys().entries()[1].mki().unwrap().as_octets(),
        [0, 0, 0, 2]
    );

    let session = Recovered::from_stored(SECTION_7_1_5_OFFER, [SECTION_7_1_5_ANSWER], &[]).unwrap();
    assert_eq!(key_and_salt(session.offerer().keys(), 0)[..2], hex!("5953"));
    assert_eq!(
        key_and_salt(session.answerer().keys(), 0)[..2],
        hex!("3d2d")
    );
}

#[test]
fn ts_34_229_sample_is_answered_by_the_default_policy() {
    // The same line as RFC 4568 §7.1.5; FEC_ORDER states its default and needs no FEC.
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let attribute = Attribute::parse(SECTION_7_1_5_OFFER[0]).unwrap();
    let parameters: Vec<_> = attribute.parameters().iter().collect();
    assert!(matches!(
        parameters[..],
        [Ok(SessionParameter::FecOrder(FecOrder::FecSrtp))]
    ));
    let (answer, _) = Answer::to([SECTION_7_1_5_OFFER[0]], &Policy::default(), &mut rng).unwrap();
    assert!(
        answer
            .line()
            .starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:")
    );
}
