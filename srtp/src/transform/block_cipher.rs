use aes::cipher::{Array, BlockCipherEncrypt, KeyInit, array::typenum::U16};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
#[cfg(feature = "aria")]
use alloc::boxed::Box;

#[cfg(target_arch = "x86_64")]
use crate::kernel::AesKey;
use crate::kernel::Isa;

/// Blocks handed to the cipher at a time: as many as AES implementations work on side by side.
const LANES: usize = 8;

/// A block cipher in the encrypting direction, the only one SRTP uses.
pub(crate) enum BlockCipher {
    #[cfg(target_arch = "x86_64")]
    Kernel(AesKey),
    Aes128(Aes128Enc),
    Aes192(Aes192Enc),
    Aes256(Aes256Enc),
    #[cfg(feature = "aria")]
    Aria128(Box<aria::Aria128>),
    #[cfg(feature = "aria")]
    Aria256(Box<aria::Aria256>),
}

impl BlockCipher {
    /// AES with the variant that `key` is long enough for: 16, 24 or 32 octets.
    #[inline]
    pub(crate) fn aes(key: &[u8], isa: Isa) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if let Some(key) = AesKey::new(key, isa) {
            return Some(Self::Kernel(key));
        }
        let _ = isa;
        match key.len() {
            16 => Aes128Enc::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192Enc::new_from_slice(key).ok().map(Self::Aes192),
            _ => Aes256Enc::new_from_slice(key).ok().map(Self::Aes256),
        }
    }

    /// Room for an AES key of `len` octets, if it is one that [`set`](Self::set) can expand in place.
    pub(crate) fn blank(len: usize, isa: Isa) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return AesKey::blank(len, isa).map(Self::Kernel);
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (len, isa);
            None
        }
    }

    /// Expands a key where there is room for it.
    pub(crate) fn set(&mut self, key: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(room) = self {
            room.set(key);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = key;
    }

    /// ARIA with the variant that `key` is long enough for: 16 or 32 octets.
    #[cfg(feature = "aria")]
    pub(crate) fn aria(key: &[u8]) -> Option<Self> {
        if key.len() == 16 {
            aria::Aria128::new_from_slice(key)
                .ok()
                .map(|c| Self::Aria128(Box::new(c)))
        } else {
            aria::Aria256::new_from_slice(key)
                .ok()
                .map(|c| Self::Aria256(Box::new(c)))
        }
    }

    pub(crate) fn encrypt_block(&self, block: &mut [u8; 16]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(key) = self {
            return key.encrypt_block(block);
        }
        let block = Array::cast_from_core_mut(block);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Kernel(_) => {}
            Self::Aes128(cipher) => cipher.encrypt_block(block),
            Self::Aes192(cipher) => cipher.encrypt_block(block),
            Self::Aes256(cipher) => cipher.encrypt_block(block),
            #[cfg(feature = "aria")]
            Self::Aria128(cipher) => cipher.encrypt_block(block),
            #[cfg(feature = "aria")]
            Self::Aria256(cipher) => cipher.encrypt_block(block),
        }
    }

    /// Counter mode ([RFC 3711 §4.1.1]): adds the keystream that starts at `iv` to `data`, which
    /// has at most 2^16 blocks.
    ///
    /// [RFC 3711 §4.1.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1
    #[inline]
    pub(crate) fn apply_ctr(&self, iv: u128, data: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Kernel(key) = self {
            return key.apply_ctr(iv, data);
        }
        self.apply_ctr_by_crates(iv, data);
    }

    #[inline(never)]
    fn apply_ctr_by_crates(&self, iv: u128, data: &mut [u8]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Kernel(_) => {}
            Self::Aes128(cipher) => apply_ctr(cipher, iv, data),
            Self::Aes192(cipher) => apply_ctr(cipher, iv, data),
            Self::Aes256(cipher) => apply_ctr(cipher, iv, data),
            #[cfg(feature = "aria")]
            Self::Aria128(cipher) => apply_ctr(&**cipher, iv, data),
            #[cfg(feature = "aria")]
            Self::Aria256(cipher) => apply_ctr(&**cipher, iv, data),
        }
    }
}

fn apply_ctr<C: BlockCipherEncrypt<BlockSize = U16>>(cipher: &C, iv: u128, data: &mut [u8]) {
    let iv = iv.to_be_bytes();
    let mut counter = u16::from_be_bytes([iv[14], iv[15]]);
    let mut keystream = [[0; 16]; LANES];
    for chunk in data.chunks_mut(LANES * 16) {
        let (used, _) = keystream.split_at_mut(chunk.len().div_ceil(16));
        for block in &mut *used {
            *block = iv;
            [block[14], block[15]] = counter.to_be_bytes();
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(Array::cast_slice_from_core_mut(used));
        xor(chunk, used.as_flattened());
    }
}

/// Adds `keystream` to `data`, as far as the shorter of the two goes.
pub(super) fn xor(data: &mut [u8], keystream: &[u8]) {
    for (octet, key) in data.iter_mut().zip(keystream) {
        *octet ^= key;
    }
}

#[cfg(test)]
mod tests {
    //! Published vectors: RFC 3711 B.2, RFC 6188 7.1 and 7.3.

    use super::BlockCipher;
    use crate::Backend;
    use alloc::vec;
    use hex_literal::hex;

    const IV: [u8; 16] = hex!("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000");

    fn keystream_is(key: &[u8], blocks: [(usize, [u8; 16]); 6]) {
        for isa in Backend::available().filter_map(Backend::isa) {
            let cipher = BlockCipher::aes(key, isa).unwrap();
            let mut keystream = vec![0; 1_044_512];
            cipher.apply_ctr(u128::from_be_bytes(IV), &mut keystream);
            for (block, octets) in blocks {
                assert_eq!(keystream[block * 16..][..16], octets, "block {block}");
            }
        }
    }

    #[test]
    fn rfc3711_b2_aes_cm_128_keystream() {
        keystream_is(
            &hex!("2b7e151628aed2a6abf7158809cf4f3c"),
            [
                (0, hex!("e03ead0935c95e80e166b16dd92b4eb4")),
                (1, hex!("d23513162b02d0f72a43a2fe4a5f97ab")),
                (2, hex!("41e95b3bb0a2e8dd477901e4fca894c0")),
                (65_279, hex!("ec8cdf7398607cb0f2d21675ea9ea1e4")),
                (65_280, hex!("362b7c3c6773516318a077d7fc5073ae")),
                (65_281, hex!("6a2cc3787889374fbeb4c81b17ba6c44")),
            ],
        );
    }

    #[test]
    fn rfc6188_7_1_aes_256_cm_keystream() {
        keystream_is(
            &hex!("57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98"),
            [
                (0, hex!("92bdd28a93c3f52511c677d08b5515a4")),
                (1, hex!("9da71b2378a854f67050756ded165bac")),
                (2, hex!("63c4868b7096d88421b563b8c94c9a31")),
                (65_279, hex!("cea518c90fd91ced9cbb18c078a54711")),
                (65_280, hex!("3dbc4814f4da5f00a08772b63c6a046d")),
                (65_281, hex!("6eb246913062a16891433e97dd01a57f")),
            ],
        );
    }

    #[test]
    fn rfc6188_7_3_aes_192_cm_keystream() {
        keystream_is(
            &hex!("eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7"),
            [
                (0, hex!("35096cba4610028dc1b57503804ce37c")),
                (1, hex!("5de986291dcce161d5165ec4568f5c9a")),
                (2, hex!("474a40c77894bc17180202272a4c264d")),
                (65_279, hex!("d108d1a31a00bad6367ec23eb044b415")),
                (65_280, hex!("c8f57129fdeb970b59f917b257662d4c")),
                (65_281, hex!("a5dab625811034e8cebdfeb6dc158dd3")),
            ],
        );
    }
}
