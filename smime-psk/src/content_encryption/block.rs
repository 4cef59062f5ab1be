use aes::cipher::array::typenum::U16;
use aes::cipher::{Array, Block, BlockCipherEncClosure, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};

/// One AES block.
pub(crate) type AesBlock = Block<Aes128Enc>;

/// AES in the encrypting direction, the only one that GCM and CCM use.
pub(crate) enum Aes {
    Aes128(Aes128Enc),
    Aes192(Aes192Enc),
    Aes256(Aes256Enc),
}

impl Aes {
    /// AES with the variant that `key` is long enough for: 16, 24 or 32 octets.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128Enc::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192Enc::new_from_slice(key).ok().map(Self::Aes192),
            _ => Aes256Enc::new_from_slice(key).ok().map(Self::Aes256),
        }
    }

    pub(crate) fn encrypt(&self, block: &mut [u8; 16]) {
        let block = Array::cast_from_core_mut(block);
        match self {
            Self::Aes128(aes) => aes.encrypt_block(block),
            Self::Aes192(aes) => aes.encrypt_block(block),
            Self::Aes256(aes) => aes.encrypt_block(block),
        }
    }

    /// Runs `work` with the implementation for this machine chosen once, outside its loop.
    pub(crate) fn run(&self, work: impl BlockCipherEncClosure<BlockSize = U16>) {
        match self {
            Self::Aes128(aes) => aes.encrypt_with_backend(work),
            Self::Aes192(aes) => aes.encrypt_with_backend(work),
            Self::Aes256(aes) => aes.encrypt_with_backend(work),
        }
    }
}
