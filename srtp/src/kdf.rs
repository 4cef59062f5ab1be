//! Session keys from master keys ([RFC 3711 §4.3], [RFC 6188 §3], [RFC 7714 §11]).
//!
//! [RFC 3711 §4.3]: https://www.rfc-editor.org/rfc/rfc3711#section-4.3
//! [RFC 6188 §3]: https://www.rfc-editor.org/rfc/rfc6188#section-3
//! [RFC 7714 §11]: https://www.rfc-editor.org/rfc/rfc7714#section-11

use crate::kernel::Isa;
use crate::keying::{MasterKey, Profile};
use crate::transform::BlockCipher;

/// What a session key is for ([RFC 3711 §4.3.2], [RFC 6904 §4]).
///
/// [RFC 3711 §4.3.2]: https://www.rfc-editor.org/rfc/rfc3711#section-4.3.2
/// [RFC 6904 §4]: https://www.rfc-editor.org/rfc/rfc6904#section-4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Label {
    SrtpEncryption,
    SrtpAuthentication,
    SrtpSalt,
    SrtcpEncryption,
    SrtcpAuthentication,
    SrtcpSalt,
    HeaderEncryption,
    HeaderSalt,
}

impl Label {
    const fn octet(self) -> u8 {
        match self {
            Self::SrtpEncryption => 0,
            Self::SrtpAuthentication => 1,
            Self::SrtpSalt => 2,
            Self::SrtcpEncryption => 3,
            Self::SrtcpAuthentication => 4,
            Self::SrtcpSalt => 5,
            Self::HeaderEncryption => 6,
            Self::HeaderSalt => 7,
        }
    }
}

/// The pseudo-random function of one master key: the block cipher of its profile in counter mode.
pub(crate) struct Kdf {
    prf: BlockCipher,
    salt: [u8; 14],
}

impl Kdf {
    pub(crate) fn new(master: &MasterKey, isa: Isa) -> Option<Self> {
        // A salt of 96 bits is filled up on its right (RFC 7714 erratum, RFC 9335 appendix A.2).
        let mut salt = [0; 14];
        for (octet, salt) in salt.iter_mut().zip(master.expose_salt()) {
            *octet = *salt;
        }
        let prf = block_cipher(master.profile(), master.expose_key(), isa)?;
        Some(Self { prf, salt })
    }

    /// Fills `key` with the session key for `label` and `r`, the packet index divided by the key
    /// derivation rate.
    ///
    /// Erratum 3712: the label stands in octet 7 for SRTCP too, whose `r` is taken as 48 bits.
    pub(crate) fn derive(&self, label: Label, r: u64, key: &mut [u8]) {
        let mut x = [0; 16];
        x[..14].copy_from_slice(&self.salt);
        x[7] ^= label.octet();
        let [_, _, r @ ..] = r.to_be_bytes();
        for (octet, r) in x[8..14].iter_mut().zip(r) {
            *octet ^= r;
        }
        key.fill(0);
        self.prf.apply_ctr(u128::from_be_bytes(x), key);
    }
}

impl Drop for Kdf {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.salt);
    }
}

/// The block cipher that `profile` encrypts and derives keys with.
pub(crate) fn block_cipher(profile: Profile, key: &[u8], isa: Isa) -> Option<BlockCipher> {
    match profile {
        #[cfg(feature = "aria")]
        profile if profile.is_aria() => BlockCipher::aria(key),
        _ => BlockCipher::aes(key, isa),
    }
}

#[cfg(test)]
mod tests {
    //! Published vectors: RFC 3711 B.3, RFC 6188 7.2 and 7.4, RFC 6904 A.1, RFC 9335 A.2,
    //! RFC 8269 A.3.

    use super::{Isa, Kdf, Label};
    use crate::Backend;
    use crate::keying::{MasterKey, Profile};
    use hex_literal::hex;

    fn derives(profile: Profile, key: &[u8], salt: &[u8], expected: &[(Label, &[u8])]) {
        let master = MasterKey::new(profile, key, salt).unwrap();
        for isa in Backend::available().filter_map(Backend::isa) {
            let kdf = Kdf::new(&master, isa).unwrap();
            for (label, octets) in expected {
                let mut derived = alloc::vec![0xff; octets.len()];
                kdf.derive(*label, 0, &mut derived);
                assert_eq!(derived, *octets, "{label:?}");
            }
        }
    }

    #[test]
    fn rfc3711_b3_and_rfc6904_a1_key_derivation_aes_128() {
        derives(
            Profile::AesCm128HmacSha1_80,
            &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
            &hex!("0ec675ad498afeebb6960b3aabe6"),
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("c61e7a93744f39ee10734afe3ff7a087"),
                ),
                (Label::SrtpSalt, &hex!("30cbbc08863d8c85d49db34a9ae1")),
                (
                    Label::SrtpAuthentication,
                    &hex!(
                        "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce
                         e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25
                         6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
                    ),
                ),
                (
                    Label::HeaderEncryption,
                    &hex!("549752054d6fb708622c4a2e596a1b93"),
                ),
                (Label::HeaderSalt, &hex!("ab01818174c40d39a3781f7c2d27")),
            ],
        );
    }

    #[test]
    fn rfc6188_7_2_key_derivation_aes_256() {
        derives(
            Profile::AesCm256HmacSha1_80,
            &hex!("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
            &hex!("3b04803de51ee7c96423ab5b78d2"),
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"),
                ),
                (Label::SrtpSalt, &hex!("fa31791685ca444a9e07c6c64e93")),
                (
                    Label::SrtpAuthentication,
                    &hex!("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"),
                ),
            ],
        );
    }

    #[test]
    fn rfc6188_7_4_key_derivation_aes_192() {
        derives(
            Profile::AesCm192HmacSha1_80,
            &hex!("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1"),
            &hex!("c8522f3acd4ce86d5add78edbb11"),
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("31874736a8f1143870c26e4857d8a5b2c4a354407faadabb"),
                ),
                (Label::SrtpSalt, &hex!("2372b82d639b6d8503a47adc0a6c")),
                (
                    Label::SrtpAuthentication,
                    &hex!("355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"),
                ),
            ],
        );
    }

    #[test]
    fn rfc9335_a2_key_derivation_with_a_salt_of_96_bits() {
        derives(
            Profile::AeadAes128Gcm,
            &hex!("000102030405060708090a0b0c0d0e0f"),
            &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("077c6143cb221bc355ff23d5f984a16e"),
                ),
                (Label::SrtpSalt, &hex!("9af3e95364ebac9c99c5a7c4")),
            ],
        );
    }

    #[cfg(feature = "aria")]
    #[test]
    fn rfc8269_a3_1_key_derivation_aria_128() {
        let key = hex!("e1f97a0d3e018be0d64fa32c06de4139");
        let salt = hex!("0ec675ad498afeebb6960b3aabe6");
        derives(
            Profile::Aria128CtrHmacSha1_80,
            &key,
            &salt,
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("dbd85a3c4d9219b3e81f7d942e299de4"),
                ),
                (Label::SrtpSalt, &hex!("9700657f5f34161830d7d85f5dc8")),
                (
                    Label::SrtpAuthentication,
                    &hex!(
"d021877bd3eaf92d581ed70ddc050e03f11257032676f2a29f57b21abd3a1423769749bdc5dd9ca5
b43ca6b6c1f3a7de4047904bcf811f601cc03eaa5d7af6db9f88efa2e51ca832fc2a15b126fa7be2
469af896acb1852c31d822c45799"
),
                ),
            ],
        );
    }

    #[cfg(feature = "aria")]
    #[test]
    fn rfc8269_a3_2_key_derivation_aria_256() {
        let key = hex!("0c5ffd37a11edc42c325287fc0604f2e3e8cd5671a00fe3216aa5eb105783b54");
        let salt = hex!("0ec675ad498afeebb6960b3aabe6");
        derives(
            Profile::Aria256CtrHmacSha1_80,
            &key,
            &salt,
            &[
                (
                    Label::SrtpEncryption,
                    &hex!("0649a09d93755fe9c2b2efba1cce930af2e76ce8b77e4b175950321aa94b0cf4"),
                ),
                (Label::SrtpSalt, &hex!("194abaa8553a8eba8a413a340fc8")),
                (
                    Label::SrtpAuthentication,
                    &hex!(
"e58d42915873b71899234807334658f20bc460181d06e02b7a9e60f02ff10bfc9ade3795cf78f3e0
f2556d9d913470c4e82e45d254bfb8e2933851a3930ffe7dfca751c03ec1e77e35e28dac4f17d1a5
80bdac028766d3b1e8f5a41faa3c"
),
                ),
            ],
        );
    }

    #[test]
    fn r_enters_in_the_last_six_octets_and_moves_no_label() {
        let profile = Profile::AesCm128HmacSha1_80;
        let key = [3; 16];
        let mut salt = [0; 14];
        let derive = |salt: &[u8; 14], r| {
            let master = MasterKey::new(profile, &key, salt).unwrap();
            let kdf = Kdf::new(&master, Isa::PORTABLE).unwrap();
            let mut out = [0; 16];
            kdf.derive(Label::SrtcpEncryption, r, &mut out);
            out
        };
        let r = 0x1234_5678_9abc;
        let with_r = derive(&salt, r);
        salt[8..].copy_from_slice(&hex!("123456789abc"));
        assert_eq!(with_r, derive(&salt, 0));
    }
}
