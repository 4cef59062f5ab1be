use aes::cipher::array::typenum::U16;
use aes::cipher::common::BlockSizeUser;
use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure};
use zeroize::ZeroizeOnDrop;

use super::block::{Aes, AesBlock};
use crate::algorithm::Parameters;

/// AES-CCM ([RFC 3610]) with its two ciphers side by side: while some blocks are being
/// authenticated, the keystream of the next is made.
///
/// [RFC 3610]: https://www.rfc-editor.org/rfc/rfc3610
pub(crate) struct Ccm {
    aes: Aes,
    mac: Mac,
    counter: Counter,
    mask: Mac,
}

/// The running CBC-MAC, and the block that turns it into the tag.
#[derive(ZeroizeOnDrop)]
struct Mac([u8; 16]);

/// The next counter block; the number is in the low octets and never grows into the nonce, as
/// the length of the content was checked.
struct Counter {
    high: u64,
    low: u64,
}

impl Ccm {
    /// `None` if the content is longer than the nonce leaves room to count.
    pub(crate) fn new(
        aes: Aes,
        parameters: &Parameters,
        aad: &[u8],
        content_len: u64,
    ) -> Option<Self> {
        let nonce = parameters.nonce();
        let length_octets = u8::try_from(15_usize.checked_sub(nonce.len())?).ok()?;
        if !parameters.admits_content(content_len) {
            return None;
        }
        // B_0 ends in the length, A_0 in zeros; their nonces are in the same place.
        let block = |flags: u8| {
            let mut block = [0; 16];
            let (first, rest) = block.split_first_mut()?;
            *first = flags;
            rest.get_mut(..nonce.len())?.copy_from_slice(nonce);
            Some(block)
        };
        let adata = if aad.is_empty() { 0 } else { 0x40 };
        let flags = adata | (((parameters.tag_len - 2) / 2) << 3) | (length_octets - 1);
        let mut first = block(flags)?;
        let len_field = first.get_mut(1 + nonce.len()..)?;
        let octets = content_len.to_be_bytes();
        len_field.copy_from_slice(octets.get(8 - len_field.len()..)?);

        let mut mac = Mac(first);
        aes.encrypt(&mut mac.0);
        let mut mask = Mac(block(length_octets - 1)?);
        let a0 = u128::from_be_bytes(mask.0);
        let counter = Counter {
            high: u64::try_from(a0 >> 64).ok()?,
            low: u64::try_from(a0 & u128::from(u64::MAX))
                .ok()?
                .wrapping_add(1),
        };
        aes.encrypt(&mut mask.0);
        let mut this = Self {
            aes,
            mac,
            counter,
            mask,
        };
        this.authenticate_aad(aad);
        Some(this)
    }

    pub(crate) fn encrypt(&mut self, data: &mut [u8]) {
        self.aes.run(Fused::<true> {
            mac: &mut self.mac,
            counter: &mut self.counter,
            data,
        });
    }

    pub(crate) fn decrypt(&mut self, data: &mut [u8]) {
        self.aes.run(Fused::<false> {
            mac: &mut self.mac,
            counter: &mut self.counter,
            data,
        });
    }

    pub(crate) fn tag(self) -> [u8; 16] {
        let mut tag = self.mac.0;
        for (octet, mask) in tag.iter_mut().zip(&self.mask.0) {
            *octet ^= mask;
        }
        tag
    }

    /// The associated data with its length in front, padded to whole blocks ([RFC 3610 §2.2]).
    ///
    /// [RFC 3610 §2.2]: https://www.rfc-editor.org/rfc/rfc3610#section-2.2
    fn authenticate_aad(&mut self, aad: &[u8]) {
        let len = u32::try_from(aad.len()).unwrap_or(u32::MAX).to_be_bytes();
        let long = [0xff, 0xfe, len[0], len[1], len[2], len[3]];
        // Longer than limits::ATTRIBUTE_OCTETS it never is.
        let length = match aad.len() {
            0 => return,
            1..0xff00 => &len[2..],
            _ => &long[..],
        };
        let mut filled = 0;
        for octet in length.iter().chain(aad) {
            if let Some(place) = self.mac.0.get_mut(filled) {
                *place ^= octet;
            }
            filled += 1;
            if filled == 16 {
                self.aes.encrypt(&mut self.mac.0);
                filled = 0;
            }
        }
        if filled > 0 {
            self.aes.encrypt(&mut self.mac.0);
        }
    }
}

struct Fused<'a, const ENCRYPT: bool> {
    mac: &'a mut Mac,
    counter: &'a mut Counter,
    data: &'a mut [u8],
}

impl<const ENCRYPT: bool> BlockSizeUser for Fused<'_, ENCRYPT> {
    type BlockSize = U16;
}

impl<const ENCRYPT: bool> BlockCipherEncClosure for Fused<'_, ENCRYPT> {
    #[expect(
        clippy::inline_always,
        reason = "has to become part of the caller's instruction set"
    )]
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut mac = AesBlock::from(self.mac.0);
        for group in self.data.chunks_mut(GROUP) {
            if ENCRYPT {
                mac = authenticate(backend, mac, group);
            }
            apply_keystream(backend, self.counter, group);
            if !ENCRYPT {
                mac = authenticate(backend, mac, group);
            }
        }
        self.mac.0 = mac.into();
    }
}

/// Octets that one of the ciphers is ahead of the other: few enough for the processor to work on
/// both at a time. Block by block the compiler takes the chain of the MAC out of its register.
const GROUP: usize = 128;

#[expect(
    clippy::inline_always,
    reason = "has to become part of the caller's instruction set"
)]
#[inline(always)]
fn apply_keystream<B: BlockCipherEncBackend<BlockSize = U16>>(
    backend: &B,
    counter: &mut Counter,
    text: &mut [u8],
) {
    let high = u128::from(counter.high) << 64;
    let mut next = || {
        let mut keystream = AesBlock::from((high | u128::from(counter.low)).to_be_bytes());
        counter.low = counter.low.wrapping_add(1);
        backend.encrypt_block_inplace(&mut keystream);
        keystream
    };
    let (blocks, last) = text.as_chunks_mut::<16>();
    for block in blocks {
        block
            .iter_mut()
            .zip(&next())
            .for_each(|(octet, key)| *octet ^= key);
    }
    if !last.is_empty() {
        last.iter_mut()
            .zip(&next())
            .for_each(|(octet, key)| *octet ^= key);
    }
}

/// CBC-MAC, whose blocks wait for each other.
#[expect(
    clippy::inline_always,
    reason = "has to become part of the caller's instruction set"
)]
#[inline(always)]
fn authenticate<B: BlockCipherEncBackend<BlockSize = U16>>(
    backend: &B,
    mut mac: AesBlock,
    text: &[u8],
) -> AesBlock {
    let (blocks, last) = text.as_chunks::<16>();
    for block in blocks {
        mac.iter_mut()
            .zip(block)
            .for_each(|(mac, octet)| *mac ^= octet);
        backend.encrypt_block_inplace(&mut mac);
    }
    if !last.is_empty() {
        mac.iter_mut()
            .zip(last)
            .for_each(|(mac, octet)| *mac ^= octet);
        backend.encrypt_block_inplace(&mut mac);
    }
    mac
}
