//! Published vectors: RFC 9335 appendix A (Cryptex), and the packets that libsrtp and rtpengine test
//! themselves with. Each packet is protected, compared, and opened again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail this way"
)]

mod common;

use common::{protects_rtcp, protects_rtp};
use hex_literal::hex;
use srtp::keying::{KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile};
use srtp::{Backend, Builder, Cryptex, Direction, Receiver, Sender};

/// A session under test: its keys and the settings that are not the default.
struct Session {
    profile: Profile,
    key: &'static [u8],
    salt: &'static [u8],
    mki: &'static [u8],
    cryptex: Cryptex,
    encrypted_ids: &'static [u8],
}

impl Session {
    const fn new(profile: Profile, key: &'static [u8], salt: &'static [u8]) -> Self {
        Self {
            profile,
            key,
            salt,
            mki: &[],
            cryptex: Cryptex::Off,
            encrypted_ids: &[],
        }
    }

    fn builder<D: Direction>(&self, backend: Backend) -> Builder<D> {
        let mut entry = KeyEntry::new(MasterKey::new(self.profile, self.key, self.salt).unwrap());
        if !self.mki.is_empty() {
            entry = entry.with_mki(Mki::new(self.mki).unwrap());
        }
        let keys = KeySet::new(self.profile, Parameters::default(), vec![entry]).unwrap();
        Builder::new(keys)
            .backend(backend)
            .cryptex(self.cryptex)
            .encrypted_header_extensions(self.encrypted_ids)
            .allow_unprotected()
    }

    fn rtp(&self, rtp: &[u8], srtp: &[u8]) {
        for backend in Backend::available() {
            let sender = self.builder::<Sender>(backend).build().unwrap();
            let receiver = self.builder::<Receiver>(backend).build().unwrap();
            protects_rtp(sender, receiver, rtp, srtp);
        }
    }

    /// The vectors begin with SRTCP index 1, so one report is sent before.
    fn rtcp(&self, rtcp: &[u8], srtcp: &[u8]) {
        for backend in Backend::available() {
            let sender = self.builder::<Sender>(backend).build().unwrap();
            let receiver = self.builder::<Receiver>(backend).build().unwrap();
            protects_rtcp(sender, receiver, rtcp, srtcp);
        }
    }
}

#[test]
fn rfc9335_a_1_1_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!("900f1235decafbadcafebabebede000151000200abababababababababababababababab"),
        &hex!(
            "900f1235decafbadcafebabec0de0001eb92365251c3e036f8de27e9c27ee3e0b4651d9fbc42
             18a70244522f34a5"
        ),
    );
}

#[test]
fn rfc9335_a_1_2_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!("900f1236decafbadcafebabe1000000105020002abababababababababababababababab"),
        &hex!(
            "900f1236decafbadcafebabec2de00014ed9cc4e6a712b3096c5ca77339d4204ce0d77396cab
             69585fbce38194a5"
        ),
    );
}

#[test]
fn rfc9335_a_1_3_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f1238decafbadcafebabe0001e2400000b26ebede000151000200abababababababababab
             abababababab"
        ),
        &hex!(
            "920f1238decafbadcafebabe8bb6e12b5cff16ddc0de000192838c8c09e58393e1de3a9a7473
             4d6745671338c3acf11da2df8423bee0"
        ),
    );
}

#[test]
fn rfc9335_a_1_4_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f1239decafbadcafebabe0001e2400000b26e1000000105020002abababababababababab
             abababababab"
        ),
        &hex!(
            "920f1239decafbadcafebabef70e513eb90b9b25c2de0001bbed4848faa644665f3d7f341259
             14e9f4d0ae923c6f479b95a0f7b53133"
        ),
    );
}

#[test]
fn rfc9335_a_1_5_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f123adecafbadcafebabe0001e2400000b26ebede0000abababababababababababababab
             abab"
        ),
        &hex!(
            "920f123adecafbadcafebabe7130b6abfe2ab0e3c0de0000e3d9f64b25c9e74cb4cf8e43fb92
             e3781c2c0ceab6b3a499a14c"
        ),
    );
}

#[test]
fn rfc9335_a_1_6_cryptex_ctr() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f123bdecafbadcafebabe0001e2400000b26e10000000abababababababababababababab
             abab"
        ),
        &hex!(
            "920f123bdecafbadcafebabecbf24c124330e1c8c2de0000599dd45bc9d687b603e8b59d771f
             d38e88b170e0cd31e125eabe"
        ),
    );
}

#[test]
fn rfc9335_a_2_1_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!("900f1235decafbadcafebabebede000151000200abababababababababababababababab"),
        &hex!(
            "900f1235decafbadcafebabec0de000139972dc9572c4d99e8fc355de743fb2e94f9d8ff54e7
             2f4193bbc5c74ffab0fa9fa0fbeb"
        ),
    );
}

#[test]
fn rfc9335_a_2_2_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!("900f1236decafbadcafebabe1000000105020002abababababababababababababababab"),
        &hex!(
            "900f1236decafbadcafebabec2de0001bb75a4c545cd1f413bdb7daa2b1e3263de313667c963
             249081b35a65f5cb6c88b394235f"
        ),
    );
}

#[test]
fn rfc9335_a_2_3_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f1238decafbadcafebabe0001e2400000b26ebede000151000200abababababababababab
             abababababab"
        ),
        &hex!(
            "920f1238decafbadcafebabe63bbccc4a7f695c4c0de00018ad7c71fac70a80c92866b4c6ba9
             8546ef913586e95ffaaffe956885bb0647a8bc094ac8"
        ),
    );
}

#[test]
fn rfc9335_a_2_4_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f1239decafbadcafebabe0001e2400000b26e1000000105020002abababababababababab
             abababababab"
        ),
        &hex!(
            "920f1239decafbadcafebabe3680524f8d312b00c2de0001c78d120038422bc111a7187a1824
             6f980c059cc6bc9df8b626394eca344e4b05d80fea83"
        ),
    );
}

#[test]
fn rfc9335_a_2_5_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f123adecafbadcafebabe0001e2400000b26ebede0000abababababababababababababab
             abab"
        ),
        &hex!(
            "920f123adecafbadcafebabe15b6bb4337906fffc0de0000b7b964537a2b03ab7ba5389ce933
             17126b5d974df30c6884dcb651c5e120c1da"
        ),
    );
}

#[test]
fn rfc9335_a_2_6_cryptex_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let session = Session {
        cryptex: Cryptex::Enabled,
        ..session
    };
    session.rtp(
        &hex!(
            "920f123bdecafbadcafebabe0001e2400000b26e10000000abababababababababababababab
             abab"
        ),
        &hex!(
            "920f123bdecafbadcafebabedcb38c9e48bf95f4c2de000061ee432cf920317076613258d3ce
             4236c06ac429681ad08413512dc98b5207d8"
        ),
    );
}

#[test]
fn libsrtp_srtp_validate() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
    );
}

#[test]
fn libsrtp_srtp_validate_mki() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        mki: &hex!("e1f97a0d"),
        ..session
    };
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!(
            "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402e1f97a0db78d6acc99ea
             179b8dbb"
        ),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!(
            "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001e1f97a0d993e08cd54d6
             c1230798"
        ),
    );
}

#[cfg(feature = "insecure-null")]
#[test]
fn libsrtp_srtp_validate_null_sha1_80() {
    let session = Session::new(
        Profile::NullHmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabeabababababababababababababababababa136270b679134ce9b"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabeabababababababababababababababab00000001fe88c7fdfd37ebce615d"),
    );
}

#[cfg(feature = "insecure-null")]
#[test]
fn libsrtp_srtp_validate_null_null() {
    let session = Session::new(
        Profile::NullNull,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabeabababababababababababababababab00000001"),
    );
}

#[test]
fn libsrtp_srtp_validate_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("000102030405060708090a0b0c0d0e0f"),
        &hex!("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!(
            "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df31
             31a127e8a392"
        ),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!(
            "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88c
             e61e80000001"
        ),
    );
}

#[test]
fn libsrtp_srtp_validate_encrypted_extensions_headers() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    let session = Session {
        encrypted_ids: &[1, 3, 4],
        ..session
    };
    session.rtp(
        &hex!(
            "900f1234decafbadcafebabebede000617414273a475262748220000c8308e4655996386b395
             fb00abababababababababababababababab"
        ),
        &hex!(
            "900f1234decafbadcafebabebede000617588a9270f4e15e1c220000c8309546a994f0bc5478
             97004e55dc4ce79978d88ca4d215949d24025a46b3ca35c535a891c7"
        ),
    );
}

#[test]
fn libsrtp_srtp_validate_encrypted_extensions_headers_gcm() {
    let session = Session::new(
        Profile::AeadAes128Gcm,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3a"),
    );
    let session = Session {
        encrypted_ids: &[1, 3, 4],
        ..session
    };
    session.rtp(
        &hex!(
            "900f1234decafbadcafebabebede000617414273a475262748220000c8308e4655996386b395
             fb00abababababababababababababababab"
        ),
        &hex!(
            "900f1234decafbadcafebabebede00061712e0205bfa949b1c220000c830bb46732778d9929a
             ab000eca0cf95ee955b26cd3d288b49f6ca9f4b1b759719eb5bc113b9ff1d40cd25a"
        ),
    );
}

#[test]
fn libsrtp_srtp_validate_aes_192() {
    let session = Session::new(
        Profile::AesCm192HmacSha1_80,
        &hex!("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1"),
        &hex!("c8522f3acd4ce86d5add78edbb11"),
    );
    session.rtp(
        &hex!("800f0000decafbad00000000abababababababababababababababab"),
        &hex!("800f0000decafbad00000000d98865552f2762c3ef37f837acfdb7122d6bc4dc84c76f74aea5"),
    );
}

#[test]
fn libsrtp_srtp_validate_aes_256() {
    let session = Session::new(
        Profile::AesCm256HmacSha1_80,
        &hex!("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
        &hex!("3b04803de51ee7c96423ab5b78d2"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabef1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b"),
    );
}

#[test]
fn rtpengine_aes_cm_128() {
    let session = Session::new(
        Profile::AesCm128HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
        &hex!("0ec675ad498afeebb6960b3aabe6"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
    );
}

#[test]
fn rtpengine_aes_cm_192() {
    let session = Session::new(
        Profile::AesCm192HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeeb"),
        &hex!("b6960b3aabe6c173c317f2dabe35"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabe015781894462529d91cf3659d2462db308d9a044c5d7d68b26ba"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabe966d603e71f9af335cf9091a50ca4d3a80000001d42b40218dde4990bdef"),
    );
}

#[test]
fn rtpengine_aes_cm_256() {
    let session = Session::new(
        Profile::AesCm256HmacSha1_80,
        &hex!("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6c173"),
        &hex!("c317f2dabe357793b6960b3aabe6"),
    );
    session.rtp(
        &hex!("800f1234decafbadcafebabeabababababababababababababababab"),
        &hex!("800f1234decafbadcafebabe0098219f7ebdba1c3d22f4936f1eac9906f6b227c84961a7b428"),
    );
    session.rtcp(
        &hex!("81c8000bcafebabeabababababababababababababababab"),
        &hex!("81c8000bcafebabe0a865d339e312693592387d45b99a5578000000184f3b4f2b595615af9b5"),
    );
}
