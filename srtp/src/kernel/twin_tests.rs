//! Independent implementation: each kernel that the machine can run, against the RustCrypto crates,
//! over all lengths up to 2048 octets; under Miri, which runs a kernel if it is compiled for its
//! instructions and the portable code if not, over some.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use alloc::vec::Vec;

use ::hmac::{Hmac, Mac};
use aes::cipher::Array;
use aes::cipher::array::typenum::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
use proptest::prelude::*;

use super::{GcmKey, HmacStates, Isa, Level, MAX_JOBS, MacJob, hmac, hmac_all};
use crate::transform::BlockCipher;

const LONGEST: usize = if cfg!(miri) { 325 } else { 2048 };

/// Octets of the longest message among many.
const LONGEST_OF_MANY: usize = if cfg!(miri) { 80 } else { LONGEST };

/// All of them, or a few that end in every part of a register.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=LONGEST).step_by(if cfg!(miri) { 65 } else { 1 })
}

fn kernels() -> Vec<Isa> {
    let found: Vec<_> = [Level::AesNi, Level::Vaes256, Level::Vaes512]
        .into_iter()
        .filter_map(Isa::at)
        .collect();
    assert!(!found.is_empty(), "no processor for these tests");
    found
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(miri) { 1 } else { cases })
    }
}

fn key_lens() -> impl Strategy<Value = usize> {
    prop_oneof![Just(16_usize), Just(24), Just(32)]
}

proptest! {
    #![proptest_config(config(2))]

    #[test]
    fn counter_mode_equals_its_twin_at_every_length(
        key in any::<[u8; 32]>(),
        key_len in key_lens(),
        iv in any::<[u8; 16]>(),
        data in prop::collection::vec(any::<u8>(), LONGEST),
    ) {
        let key = &key[..key_len];
        let twin = BlockCipher::aes(key, Isa::PORTABLE).unwrap();
        for isa in kernels() {
            let kernel = BlockCipher::aes(key, isa).unwrap();
            for len in lengths() {
                let (mut ours, mut theirs) = (data[..len].to_vec(), data[..len].to_vec());
                kernel.apply_ctr(u128::from_be_bytes(iv), &mut ours);
                twin.apply_ctr(u128::from_be_bytes(iv), &mut theirs);
                prop_assert_eq!(ours, theirs, "{:?} {}", isa, len);
            }
            let (mut ours, mut theirs) = (iv, iv);
            kernel.encrypt_block(&mut ours);
            twin.encrypt_block(&mut theirs);
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn gcm_equals_its_twin_at_every_length(
        key in any::<[u8; 32]>(),
        key_len in key_lens(),
        nonce in any::<[u8; 12]>(),
        aad_len in 0_usize..100,
        data in prop::collection::vec(any::<u8>(), LONGEST),
    ) {
        let key = &key[..key_len];
        for isa in kernels() {
            let kernel = GcmKey::new(key, isa).unwrap();
            for len in lengths() {
                // Associated data up to the most that an RTP header has without extension, and more.
                let aad = &data[..(aad_len + len) % 100];
                let mut ours = data[..len].to_vec();
                let mut theirs = ours.clone();
                let mut tag = [0; 16];
                kernel.seal(number(nonce), aad, &mut ours, &mut tag).unwrap();
                prop_assert_eq!(tag, twin_gcm(key, nonce, aad, &mut theirs), "{:?} {}", isa, len);
                prop_assert_eq!(&ours, &theirs, "{:?} {}", isa, len);

                let mut wrong = tag;
                wrong[len % 16] ^= 1 << (len % 8);
                prop_assert!(!kernel.open(number(nonce), aad, &mut ours, &wrong));
                prop_assert_eq!(&ours, &theirs, "a forged packet stays as it was");
                prop_assert!(kernel.open(number(nonce), aad, &mut ours, &tag));
                prop_assert_eq!(&ours, &data[..len]);
            }
        }
    }

    #[test]
    fn hmac_equals_its_twin_at_every_length(
        key in any::<[u8; 20]>(),
        roc in any::<Option<[u8; 4]>>(),
        data in prop::collection::vec(any::<u8>(), LONGEST),
    ) {
        for isa in with_and_without_sha() {
            let states = HmacStates::new(&key, isa);
            for len in lengths() {
                let job = MacJob { states: &states, message: &data[..len], trailer: roc };
                prop_assert_eq!(hmac(isa, &job), twin_hmac(&key, &job), "{:?} {}", isa, len);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn hmac_side_by_side_equals_its_twin_whatever_the_lengths(
        keys in prop::collection::vec(any::<[u8; 20]>(), MAX_JOBS),
        lens in prop_oneof![
            prop::collection::vec(0..LONGEST_OF_MANY, 0..=MAX_JOBS),
            prop::collection::vec(20..60_usize, 0..=MAX_JOBS),
            (0..LONGEST_OF_MANY, 0..=MAX_JOBS).prop_map(|(len, count)| alloc::vec![len; count]),
        ],
        rocs in prop::collection::vec(any::<[u8; 4]>(), MAX_JOBS),
        trailers in any::<bool>(),
        data in prop::collection::vec(any::<u8>(), LONGEST + MAX_JOBS),
    ) {
        for isa in with_and_without_sha() {
            let states: Vec<_> = keys.iter().map(|key| HmacStates::new(key, isa)).collect();
            let jobs: Vec<_> = lens
                .iter()
                .zip(&states)
                .zip(&rocs)
                .enumerate()
                .map(|(at, ((len, states), roc))| MacJob {
                    states,
                    // Messages of one length differ.
                    message: &data[at..at + len],
                    trailer: trailers.then_some(*roc),
                })
                .collect();
            let mut tags = [[0; 20]; MAX_JOBS];
            hmac_all(isa, &jobs, &mut tags);
            for ((job, key), tag) in jobs.iter().zip(&keys).zip(tags) {
                prop_assert_eq!(tag, twin_hmac(key, job), "{:?} {}", isa, job.message.len());
            }
        }
    }
}

/// The counter of a packet of 64 KiB goes past 4096, which carries into its second octet.
#[test]
#[cfg_attr(miri, ignore = "too long to be interpreted")]
fn the_longest_packets_equal_their_twin() {
    let data: Vec<u8> = (0_u16..u16::MAX)
        .flat_map(u16::to_le_bytes)
        .take(65_535)
        .collect();
    for key in [&[7; 16][..], &[9; 32]] {
        for isa in kernels() {
            let mut ours = data.clone();
            let mut theirs = data.clone();
            BlockCipher::aes(key, isa).unwrap().apply_ctr(3, &mut ours);
            BlockCipher::aes(key, Isa::PORTABLE)
                .unwrap()
                .apply_ctr(3, &mut theirs);
            assert!(ours == theirs, "{isa:?}");

            let kernel = GcmKey::new(key, isa).unwrap();
            let mut tag = [0; 16];
            kernel
                .seal(number([5; 12]), &data[..60], &mut ours, &mut tag)
                .unwrap();
            assert_eq!(tag, twin_gcm(key, [5; 12], &data[..60], &mut theirs));
            assert!(ours == theirs, "{isa:?}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long to be interpreted")]
fn a_message_that_the_counter_cannot_number_is_refused() {
    let mut data = alloc::vec![0; 16 * 65_534 + 1];
    for isa in kernels() {
        let key = GcmKey::new(&[1; 16], isa).unwrap();
        assert!(key.seal(0, &[], &mut data, &mut [0; 16]).is_none());
        assert!(!key.open(0, &[], &mut data, &[0; 16]));
        assert!(data.iter().all(|octet| *octet == 0));
    }
}

/// The portable code stands in where no kernel can: there must be no kernel without its proof.
#[test]
fn no_kernel_comes_without_instructions_or_for_other_keys() {
    assert!(super::AesKey::new(&[0; 16], Isa::PORTABLE).is_none());
    for isa in kernels() {
        for len in [0, 1, 15, 17, 31, 33] {
            assert!(super::AesKey::new(&[0; 64][..len], isa).is_none());
        }
    }
}

fn with_and_without_sha() -> Vec<Isa> {
    let kernels = kernels();
    if cfg!(miri) {
        // It knows no SHA extensions.
        return kernels;
    }
    let without = kernels.iter().map(|isa| isa.without_sha());
    without.chain(kernels.iter().copied()).collect()
}

/// A nonce as the upper 96 bits of a number.
fn number(nonce: [u8; 12]) -> u128 {
    let mut block = [0; 16];
    block[..12].copy_from_slice(&nonce);
    u128::from_be_bytes(block)
}

fn twin_gcm(key: &[u8], nonce: [u8; 12], aad: &[u8], data: &mut [u8]) -> [u8; 16] {
    fn seal<A: AeadInOut<NonceSize = U12> + KeyInit>(
        key: &[u8],
        nonce: [u8; 12],
        aad: &[u8],
        data: &mut [u8],
    ) -> [u8; 16] {
        let gcm = A::new_from_slice(key).unwrap();
        let tag = gcm.encrypt_inout_detached(&Array(nonce), aad, InOutBuf::from(data));
        tag.unwrap()[..].try_into().unwrap()
    }
    match key.len() {
        16 => seal::<AesGcm<aes::Aes128, U12>>(key, nonce, aad, data),
        24 => seal::<AesGcm<aes::Aes192, U12>>(key, nonce, aad, data),
        _ => seal::<AesGcm<aes::Aes256, U12>>(key, nonce, aad, data),
    }
}

fn twin_hmac(key: &[u8; 20], job: &MacJob<'_>) -> [u8; 20] {
    let mut mac = <Hmac<sha1::Sha1> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(job.message);
    mac.update(job.trailer.as_ref().map_or(&[], |roc| &roc[..]));
    mac.finalize().into_bytes().into()
}
