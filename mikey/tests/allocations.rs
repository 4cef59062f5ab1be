//! Self-consistency: reading and writing a message allocates nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

use allocation_counter::measure;
use mikey::{Chain, Message, code_points::PayloadType, payload::Payload};

/// A PSK message of gortsplib's tests.
const PSK: [u8; 112] = hex_literal::hex!(
    "010005007a23295e010000958c2327000000000b00ebf99d4cb05ea24c0a106c1c02e3ebc63ebf7a7c9bf80dbeacd7"
    "010000001500010101011002010103010a0701010801010a0101000000220020001e5fc5ef382cc8321d094ce5a2bd"
    "62f111f953512a757e38f68bcc46ec3f4300"
);

#[test]
fn reading_and_writing_allocates_nothing() {
    let mut out = Vec::with_capacity(PSK.len());
    let mut keys = 0;
    let read_and_write = || {
        let message = Message::decode(&PSK).unwrap();
        for payload in message.payloads() {
            if let Payload::Kemac(kemac) = payload {
                let keys_in = kemac.encr_data();
                let chain = Chain::decode_encrypted(keys_in, PayloadType::KeyData).unwrap();
                keys += chain.keys().count();
            }
        }
        message.encode(&mut out);
    };
    assert_eq!(measure(read_and_write).count_total, 0);
    assert_eq!(keys, 1);
    assert_eq!(out, PSK);

    // The counter counts.
    let message = Message::decode(&PSK).unwrap();
    assert_eq!(measure(|| drop(message.to_vec())).count_total, 1);
}
