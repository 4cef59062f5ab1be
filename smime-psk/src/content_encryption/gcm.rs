use aes::cipher::array::typenum::{U16, Unsigned};
use aes::cipher::common::BlockSizeUser;
use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure, ParBlocks};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::block::{Aes, AesBlock};

/// AES-GCM (NIST SP 800-38D) with any nonce and tag length, piece by piece.
pub(crate) struct Gcm {
    aes: Aes,
    ghash: GHash,
    counter: Counter,
    mask: Mask,
    aad_len: u64,
    content_len: u64,
}

/// The next counter block.
struct Counter {
    nonce: [u8; 12],
    count: u32,
}

/// E(K, J0), which turns the hash into the tag.
#[derive(ZeroizeOnDrop)]
struct Mask([u8; 16]);

impl Gcm {
    pub(crate) fn new(aes: Aes, nonce: &[u8], aad: &[u8]) -> Self {
        let mut hash_key = [0; 16];
        aes.encrypt(&mut hash_key);
        let ghash = GHash::new(&hash_key.into());
        hash_key.zeroize();

        let counter = Counter::first(&ghash, nonce);
        let mut mask = Mask(counter.block());
        aes.encrypt(&mut mask.0);
        let counter = Counter {
            count: counter.count.wrapping_add(1),
            ..counter
        };

        let mut this = Self {
            aes,
            ghash,
            counter,
            mask,
            aad_len: octets(aad),
            content_len: 0,
        };
        this.ghash.update_padded(aad);
        this
    }

    pub(crate) fn encrypt(&mut self, data: &mut [u8]) {
        self.apply_keystream(data);
        self.hash(data);
    }

    pub(crate) fn decrypt(&mut self, data: &mut [u8]) {
        self.hash(data);
        self.apply_keystream(data);
    }

    pub(crate) fn tag(mut self) -> [u8; 16] {
        let lengths = (u128::from(self.aad_len * 8) << 64) | u128::from(self.content_len * 8);
        self.ghash.update(&[lengths.to_be_bytes().into()]);
        let mut tag: [u8; 16] = self.ghash.finalize().into();
        for (octet, mask) in tag.iter_mut().zip(&self.mask.0) {
            *octet ^= mask;
        }
        tag
    }

    fn hash(&mut self, ciphertext: &[u8]) {
        self.ghash.update_padded(ciphertext);
        self.content_len += octets(ciphertext);
    }

    fn apply_keystream(&mut self, data: &mut [u8]) {
        self.aes.run(ApplyKeystream {
            counter: &mut self.counter,
            data,
        });
    }
}

impl Counter {
    /// J0: the nonce with the number 1, or the hash of a nonce that is not 12 octets long.
    fn first(ghash: &GHash, nonce: &[u8]) -> Self {
        if let Ok(nonce) = nonce.try_into() {
            return Self { nonce, count: 1 };
        }
        let mut ghash = ghash.clone();
        ghash.update_padded(nonce);
        ghash.update(&[u128::from(octets(nonce) * 8).to_be_bytes().into()]);
        let j0: [u8; 16] = ghash.finalize().into();
        let (nonce, count) = j0.split_at(12);
        Self {
            nonce: nonce.try_into().unwrap_or_default(),
            count: u32::from_be_bytes(count.try_into().unwrap_or_default()),
        }
    }

    fn block(&self) -> [u8; 16] {
        let mut block = [0; 16];
        let (nonce, count) = block.split_at_mut(12);
        nonce.copy_from_slice(&self.nonce);
        count.copy_from_slice(&self.count.to_be_bytes());
        block
    }
}

struct ApplyKeystream<'a> {
    counter: &'a mut Counter,
    data: &'a mut [u8],
}

impl BlockSizeUser for ApplyKeystream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for ApplyKeystream<'_> {
    #[expect(
        clippy::inline_always,
        reason = "has to become part of the caller's instruction set"
    )]
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut keystream = ParBlocks::<B>::default();
        for chunk in self.data.chunks_mut(B::ParBlocksSize::USIZE * 16) {
            for block in keystream.iter_mut().take(chunk.len().div_ceil(16)) {
                *block = AesBlock::from(self.counter.block());
                self.counter.count = self.counter.count.wrapping_add(1);
            }
            backend.encrypt_par_blocks_inplace(&mut keystream);
            for (octets, block) in chunk.chunks_mut(16).zip(keystream.iter()) {
                for (octet, key) in octets.iter_mut().zip(block.iter()) {
                    *octet ^= key;
                }
            }
        }
    }
}

fn octets(slice: &[u8]) -> u64 {
    u64::try_from(slice.len()).unwrap_or(u64::MAX)
}
