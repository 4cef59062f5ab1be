use alloc::boxed::Box;

use zeroize::Zeroizing;

use super::BlockCipher;
use super::block_cipher::xor;
use crate::kernel::Isa;

/// AES in f8-mode ([RFC 3711 §4.1.2]).
///
/// [RFC 3711 §4.1.2]: https://www.rfc-editor.org/rfc/rfc3711#section-4.1.2
pub(crate) struct AesF8 {
    /// Under the session key, and under the masked one.
    ciphers: Box<[BlockCipher; 2]>,
}

impl AesF8 {
    /// Takes the session key and salt; the salt is filled up with 0x55 to the length of the key.
    pub(crate) fn new(key: &[u8], salt: &[u8], isa: Isa) -> Option<Self> {
        let mut masked = Zeroizing::new([0; 32]);
        let masked = masked.get_mut(..key.len())?;
        let mask = salt.iter().chain(core::iter::repeat(&0x55));
        for ((octet, key), mask) in masked.iter_mut().zip(key).zip(mask) {
            *octet = key ^ mask;
        }
        let ciphers = [BlockCipher::aes(key, isa)?, BlockCipher::aes(masked, isa)?];
        Some(Self {
            ciphers: Box::new(ciphers),
        })
    }

    /// Adds the keystream of `iv` to `data`.
    pub(crate) fn apply(&self, iv: &[u8; 16], data: &mut [u8]) {
        for (chunk, keystream) in data.chunks_mut(16).zip(self.keystream(iv)) {
            xor(chunk, &keystream);
        }
    }

    /// The keystream of `iv`, block by block.
    pub(crate) fn keystream(&self, iv: &[u8; 16]) -> impl Iterator<Item = [u8; 16]> {
        let [cipher, masked] = &*self.ciphers;
        let mut iv = *iv;
        masked.encrypt_block(&mut iv);
        let mut keystream = [0; 16];
        (0_u32..).map(move |counter| {
            xor(&mut keystream, &iv);
            xor(&mut keystream[12..], &counter.to_be_bytes());
            cipher.encrypt_block(&mut keystream);
            keystream
        })
    }
}

#[cfg(test)]
mod tests {
    //! Published vector: RFC 3711 B.1.

    use super::AesF8;
    use crate::Backend;
    use hex_literal::hex;

    #[test]
    fn rfc3711_b1_aes_f8() {
        let key = hex!("234829008467be186c3de14aae72d62c");
        for isa in Backend::available().filter_map(Backend::isa) {
            let f8 = AesF8::new(&key, &hex!("32f2870d"), isa).unwrap();
            let mut data = *b"pseudorandomness is the next best thing";
            f8.apply(&hex!("006e5cba50681de55c621599d462564a"), &mut data);
            assert_eq!(
                data,
                hex!(
                    "019ce7a26e7854014a6366aa95d4eefd1ad4172a14f9faf4
                     55b7f1d4b62bd08f562c0eef7c4802"
                )
            );
        }
    }
}
