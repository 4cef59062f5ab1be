//! Published vectors: Wycheproof's AES-GCM and HMAC-SHA1, on every backend and kernel that the
//! machine can run. `tests/vectors/wycheproof/README.md` says where they come from.

use alloc::vec::Vec;

use super::{Gcm, HmacSha1};
use crate::Backend;

const AES_GCM: &str = include_str!("../../tests/vectors/wycheproof/aes_gcm.txt");
const HMAC_SHA1: &str = include_str!("../../tests/vectors/wycheproof/hmac_sha1.txt");

fn lines<const FIELDS: usize>(text: &str) -> Vec<[&str; FIELDS]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split(' ').collect::<Vec<_>>().try_into().unwrap())
        .collect()
}

fn hex(field: &str) -> Vec<u8> {
    let digits = field.trim_matches('-').as_bytes();
    let value = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    digits
        .chunks(2)
        .map(|pair| value(pair[0]) << 4 | value(pair[1]))
        .collect()
}

#[test]
fn aes_gcm_of_every_backend_agrees_with_wycheproof() {
    let mut tested = 0;
    for [id, key, nonce, aad, message, ciphertext, tag, result] in lines(AES_GCM) {
        let key = hex(key);
        if key.len() == 24 {
            continue; // SRTP has no AES-192-GCM; the kernels' own tests cover it.
        }
        let nonce: [u8; 12] = hex(nonce).try_into().unwrap();
        let (aad, message, ciphertext) = (hex(aad), hex(message), hex(ciphertext));
        let tag: [u8; 16] = hex(tag).try_into().unwrap();
        for backend in Backend::available() {
            let gcm = Gcm::aes(&key, backend).unwrap();
            let mut data = ciphertext.clone();
            let opened = gcm.open(nonce.into(), &aad, &mut data, &tag).is_ok();
            assert_eq!(opened, result == "valid", "{backend:?} test {id}");
            if opened {
                assert_eq!(data, message, "{backend:?} test {id}");
                let mut sealed = [0; 16];
                gcm.seal(nonce.into(), &aad, &mut data, &mut sealed)
                    .unwrap();
                assert_eq!((&data, sealed), (&ciphertext, tag), "{backend:?} test {id}");
            }
        }
        tested += 1;
    }
    assert!(tested > 100, "{tested}");
}

#[test]
fn hmac_sha1_of_every_backend_agrees_with_wycheproof() {
    let mut tested = 0;
    for [id, key, message, tag, result] in lines(HMAC_SHA1) {
        let key: [u8; 20] = hex(key).try_into().unwrap();
        let (message, tag) = (hex(message), hex(tag));
        for isa in Backend::available().filter_map(Backend::isa) {
            let right = HmacSha1::new(&key, isa).verify(&message, None, &tag);
            assert_eq!(right, result == "valid", "{isa:?} test {id}");
        }
        tested += 1;
    }
    assert!(tested > 50, "{tested}");
}
