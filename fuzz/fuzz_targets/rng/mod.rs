//! SplitMix64: the same octets in every run.

use core::convert::Infallible;

pub struct Fixed(pub u64);

impl rand_core::TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let octets = (z ^ (z >> 31)).to_be_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}
