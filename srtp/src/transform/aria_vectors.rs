//! Published vectors: RFC 8269 appendix A.1 and A.2, which give session keys.

use super::{BlockCipher, Gcm, HmacSha1};
use crate::kernel::Isa;
use hex_literal::hex;

const HEADER: [u8; 12] = hex!("8008315ebf2e6fe020e8f5eb");
const PAYLOAD: [u8; 160] = hex!(
    "f57af5fd4ae19562976ec57a5a7ad55a5af5c5e5c5fdf5c55ad57a4a7272d57262e9729566ed66e9
7ac54a4a5a7ad5e15ae5fdd5fd5ac5d56ae56ad5c572d54ae54ac55a956afd6aed5a4ac562957a95
16991691d572fd14e97ae962ed7a9f4a955af572e162f57a956666e17ae1f54a95f566d54a66e16e
4afd6a9f7ae1c5c55ae5d56afde916c5e94a6ec56695e14afde1148416e94ad57ac5146ed59d1cc5"
);

fn protects(cipher: &BlockCipher, encrypted: &[u8], tag: &[u8; 10]) {
    let mut packet = [0; 172];
    packet[..12].copy_from_slice(&HEADER);
    packet[12..].copy_from_slice(&PAYLOAD);
    let mut counter_block = hex!("cd3a7c42c671e0067a2a2639b43a0000");
    for (octet, ssrc) in counter_block[4..8].iter_mut().zip(&HEADER[8..]) {
        *octet ^= ssrc;
    }
    for (octet, seq) in counter_block[12..14].iter_mut().zip(&HEADER[2..4]) {
        *octet ^= seq;
    }
    cipher.apply_ctr(u128::from_be_bytes(counter_block), &mut packet[12..]);
    assert_eq!(packet[12..], *encrypted);
    let mac = HmacSha1::new(
        &hex!("f93563311b354748c97891379553063116452309"),
        Isa::PORTABLE,
    );
    assert!(mac.verify(&packet, Some([0; 4]), tag));
}

#[test]
fn rfc8269_a_1_1_aria_ctr_128() {
    let cipher = BlockCipher::aria(&hex!("0c5ffd37a11edc42c325287fc0604f2e")).unwrap();
    protects(
        &cipher,
        &hex!(
            "1bf753f412e6f35058cc398dc851aae3a6ccdcb463fbed9cfb3de2fb76fdffa9e481f5efb64c9248
7f59dabbc7cc72da092485f3fbad87888820b86037311fa44330e18a59a1e1338ba2c21458493a57
463475c54691f91cec785429119e0dfcd9048f90e07fecd50b528e8c62ee6e71445de5d7f6594051
35aff3604c2ca4ff4aaca40809cb9eee42cc4ad23230757081ca289f2851d3315e9568b501fdce6d"
        ),
        &hex!("f9de4e729054672b0e35"),
    );
}

#[test]
fn rfc8269_a_1_2_aria_ctr_256() {
    let cipher = BlockCipher::aria(&hex!(
        "0c5ffd37a11edc42c325287fc0604f2e3e8cd5671a00fe3216aa5eb105783b54"
    ))
    .unwrap();
    protects(
        &cipher,
        &hex!(
            "c424c59fd5696305e5b13d8e8ca7656617ccd7471088af9debf07b55c750f804a5ac2b737be48140
958a9b420524112ae72e4da5bca59d2b1019ddd7dbdc30b43d5f046152ced40947d62d2c93e7b8e5
0f02db2b6b61b010e4c1566884de1fa9702cdf8157e8aedfe3dd77c76bb50c25ae4d624615c15acf
deeb5f79482aaa01d3e4c05eb601eca2bd10518e9d46b02116359232e9eac0fabd05235dd09e6dea"
        ),
        &hex!("192f515fab04bbb4e62c"),
    );
}

#[test]
fn rfc8269_a_2_1_aria_gcm_128() {
    let gcm = Gcm::aria(&hex!("e91e5e75da65554a48181f3846349562")).unwrap();
    let protected = hex!(
        "4d8a9a0675550c704b17d8c9ddc81a5cd6f7da34f2fe1b3db7cb3dfb9697102ea0f3c1fc2dbc873d
44bceeae8e4442974ba21ff6789d3272613fb9631a7cf3f14bacbeb421633a90ffbe58c2fa6bdca5
34f10d0de0502ce1d531b6336e58878278531e5c22bc6c85bbd784d78d9e680aa19031aaf89101d6
69d7a3965c1f7e16229d7463e0535f4e253f5d18187d40b8ae0f564bd970b5e7e2adfb211e89a953
5abace3f37f5a736f4be984bbffbedc1"
    );
    let (ciphertext, tag) = protected.split_at(160);
    let nonce = hex!("000020e8f5eb00000000315e");
    let mut data = PAYLOAD;
    let mut sealed = [0; 16];
    gcm.seal(nonce.into(), &HEADER, &mut data, &mut sealed)
        .unwrap();
    assert_eq!(sealed[..], *tag);
    assert_eq!(data, ciphertext);
    gcm.open(nonce.into(), &HEADER, &mut data, &sealed).unwrap();
    assert_eq!(data, PAYLOAD);
}

#[test]
fn rfc8269_a_2_2_aria_gcm_256() {
    let gcm = Gcm::aria(&hex!(
        "0c5ffd37a11edc42c325287fc0604f2e3e8cd5671a00fe3216aa5eb105783b54"
    ))
    .unwrap();
    let protected = hex!(
        "6f9e4bcbc8c85fc0128fb1e4a0a20cb9932ff74581f54fc013dd054b19f99371425b352d97d3f337
b90b63d1b082adeeea9d2d7391897d591b985e55fb50cb5350cf7d38dc27dda127c078a149c8eb98
083d66363a46e3726af217d3a00275ad5bf772c7610ea4c23006878f0ee69a8397703169a419303f
40b72e4573714d19e2697df61e7c7252e5abc6bade876ac4961bfac4d5e867afca351a48aed52822
e210d6ced2cf430ff841472915e7ef48"
    );
    let (ciphertext, tag) = protected.split_at(160);
    let nonce = hex!("000020e8f5eb00000000315e");
    let mut data = PAYLOAD;
    let mut sealed = [0; 16];
    gcm.seal(nonce.into(), &HEADER, &mut data, &mut sealed)
        .unwrap();
    assert_eq!(sealed[..], *tag);
    assert_eq!(data, ciphertext);
    gcm.open(nonce.into(), &HEADER, &mut data, &sealed).unwrap();
    assert_eq!(data, PAYLOAD);
}
