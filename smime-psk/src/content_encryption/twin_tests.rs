//! Wycheproof (published vectors), the crates `aes-gcm` and `ccm` (independent implementations),
//! and the ways through this module beside each other (self-consistency).

use alloc::vec;
use alloc::vec::Vec;

use ::ccm::consts::{U8, U12, U13, U16};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{AeadInOut, KeyInit};
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

use super::{ContentKey, Parameters, Pass, Tag, open_in_place, seal_in_place};
use crate::ContentEncryption;

/// By the block functions alone, in pieces of `piece` octets.
fn in_pieces(
    parameters: &Parameters,
    key: &ContentKey,
    aad: &[u8],
    plaintext: &[u8],
    piece: usize,
) -> (Vec<u8>, Tag) {
    let mut data = plaintext.to_vec();
    let mut pass = Pass::new(
        parameters,
        key,
        aad,
        u64::try_from(plaintext.len()).unwrap(),
    )
    .unwrap();
    data.chunks_mut(piece).for_each(|piece| pass.encrypt(piece));
    (data, pass.tag())
}

fn wycheproof(name: TestName, algorithms: &[(usize, ContentEncryption)], least: usize) {
    let mut count = 0;
    for group in TestSet::load(name).unwrap().test_groups {
        let algorithm = algorithms.iter().find(|(bits, _)| *bits == group.key_size);
        let Some((_, algorithm)) = algorithm else {
            continue;
        };
        let tag_len = u8::try_from(group.tag_size / 8).unwrap();
        for test in group.tests {
            // What the parameters' codec refuses never reaches this module.
            let nonce_len = test.nonce.len();
            let nonce_fits = if algorithm.is_ccm() {
                (7..=13).contains(&nonce_len)
            } else {
                (1..=crate::limits::GCM_NONCE).contains(&nonce_len)
            };
            if !nonce_fits || !algorithm.has_tag_len(tag_len) {
                continue;
            }
            count += 1;
            let parameters = Parameters::new(*algorithm, &test.nonce, tag_len).unwrap();
            let key = ContentKey::from_slice(&test.key).unwrap();
            let mut data = test.ct.to_vec();
            let opened = open_in_place(&parameters, &key, &test.aad, &test.tag, &mut data);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "{name:?} {}: {}", test.tc_id, test.comment);
                assert!(
                    data.iter().all(|octet| *octet == 0),
                    "{} left plaintext",
                    test.tc_id
                );
                continue;
            }
            assert!(opened.is_ok(), "{name:?} {}: {}", test.tc_id, test.comment);
            assert_eq!(data, *test.pt, "{name:?} {}", test.tc_id);
            let tag = seal_in_place(&parameters, &key, &test.aad, &mut data).unwrap();
            assert_eq!(
                (data, &tag[..test.tag.len()]),
                (test.ct.to_vec(), &test.tag[..])
            );
            let (data, tag) = in_pieces(&parameters, &key, &test.aad, &test.pt, 16);
            assert_eq!(
                (data, &tag[..test.tag.len()]),
                (test.ct.to_vec(), &test.tag[..])
            );
        }
    }
    assert!(count >= least, "only {count} vectors of {name:?}");
}

#[test]
fn wycheproof_aes_gcm() {
    use ContentEncryption::{Aes128Gcm, Aes192Gcm, Aes256Gcm};
    let algorithms = [(128, Aes128Gcm), (192, Aes192Gcm), (256, Aes256Gcm)];
    wycheproof(TestName::AesGcm, &algorithms, 200);
}

#[test]
fn wycheproof_aes_ccm() {
    use ContentEncryption::{Aes128Ccm, Aes256Ccm};
    wycheproof(TestName::AesCcm, &[(128, Aes128Ccm), (256, Aes256Ccm)], 200);
}

/// Ciphertext and tag in a row, by the twin.
fn twin(parameters: &Parameters, key: &[u8], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
    macro_rules! seal {
        ($cipher:ty) => {{
            let cipher = <$cipher>::new_from_slice(key).ok()?;
            let nonce = parameters.nonce().try_into().ok()?;
            let mut out = msg.to_vec();
            let tag = cipher
                .encrypt_inout_detached(nonce, aad, out.as_mut_slice().into())
                .ok()?;
            out.extend_from_slice(&tag);
            Some(out)
        }};
    }
    match (
        parameters.algorithm,
        parameters.nonce().len(),
        parameters.tag_len,
    ) {
        (ContentEncryption::Aes128Gcm, 12, 16) => seal!(aes_gcm::Aes128Gcm),
        (ContentEncryption::Aes192Gcm, 12, 12) => {
            seal!(aes_gcm::AesGcm<aes::Aes192, U12, U12>)
        }
        (ContentEncryption::Aes256Gcm, 12, 13) => seal!(aes_gcm::AesGcm<Aes256, U12, U13>),
        (ContentEncryption::Aes128Gcm, 8, 16) => seal!(aes_gcm::AesGcm<Aes128, U8, U16>),
        (ContentEncryption::Aes128Ccm, 12, 16) => seal!(::ccm::Ccm<Aes128, U16, U12>),
        (ContentEncryption::Aes128Ccm, 13, 8) => seal!(::ccm::Ccm<Aes128, U8, U13>),
        (ContentEncryption::Aes256Ccm, 8, 12) => seal!(::ccm::Ccm<Aes256, U12, U8>),
        _ => None,
    }
}

const COMBINATIONS: [(ContentEncryption, usize, u8); 7] = [
    (ContentEncryption::Aes128Gcm, 12, 16),
    (ContentEncryption::Aes192Gcm, 12, 12),
    (ContentEncryption::Aes256Gcm, 12, 13),
    (ContentEncryption::Aes128Gcm, 8, 16),
    (ContentEncryption::Aes128Ccm, 12, 16),
    (ContentEncryption::Aes128Ccm, 13, 8),
    (ContentEncryption::Aes256Ccm, 8, 12),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equals_the_crates_aes_gcm_and_ccm(
        which in 0..COMBINATIONS.len(),
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 13]>(),
        aad in prop::collection::vec(any::<u8>(), 0..100),
        msg in prop::collection::vec(any::<u8>(), 0..9000),
        blocks in 1..300_usize,
    ) {
        let (algorithm, nonce_len, tag_len) = COMBINATIONS[which];
        let key = &key[..algorithm.key_len()];
        let parameters = Parameters::new(algorithm, &nonce[..nonce_len], tag_len).unwrap();
        let expected = twin(&parameters, key, &aad, &msg).unwrap();

        let key = ContentKey::from_slice(key).unwrap();
        let (mut ciphertext, tag) = in_pieces(&parameters, &key, &aad, &msg, 16 * blocks);
        ciphertext.extend_from_slice(&tag[..usize::from(tag_len)]);
        prop_assert_eq!(&ciphertext, &expected);

        let mut data = msg.clone();
        let tag = seal_in_place(&parameters, &key, &aad, &mut data).unwrap();
        let tag = &tag[..usize::from(tag_len)];
        prop_assert_eq!([&data[..], tag].concat(), expected);
        open_in_place(&parameters, &key, &aad, tag, &mut data).unwrap();
        prop_assert_eq!(data, msg);
    }
}

#[test]
fn ccm_authenticates_associated_data_of_every_length_form() {
    let key = ContentKey::from_slice(&[1; 16]).unwrap();
    let parameters = Parameters::new(ContentEncryption::Aes128Ccm, &[2; 12], 16).unwrap();
    for len in [0, 1, 13, 14, 15, 0xfeff, 0xff00, 0x1_0000] {
        let aad = vec![3; len];
        let (mut ours, tag) = in_pieces(&parameters, &key, &aad, b"message", 4096);
        ours.extend_from_slice(&tag);
        assert_eq!(
            Some(ours),
            twin(&parameters, &[1; 16], &aad, b"message"),
            "{len} octets"
        );
    }
}
