use sha1::block_api::compress;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

const INITIAL: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];
const BLOCK: usize = 64;

/// HMAC-SHA1 ([RFC 2104]) with the inner and outer key blocks hashed in advance, which halves the
/// work on short packets.
///
/// [RFC 2104]: https://www.rfc-editor.org/rfc/rfc2104
#[derive(ZeroizeOnDrop)]
pub(crate) struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    /// The session authentication key: always 160 bits in SRTP.
    pub(crate) fn new(key: &[u8; 20]) -> Self {
        let keyed = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (octet, key) in block.iter_mut().zip(key) {
                *octet ^= key;
            }
            let mut state = INITIAL;
            compress(&mut state, &[block]);
            block.zeroize();
            state
        };
        Self {
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// The MAC of `message || trailer`; the trailer is the ROC, or nothing.
    pub(crate) fn tag(&self, message: &[u8], trailer: Option<[u8; 4]>) -> [u8; 20] {
        let (blocks, rest) = message.as_chunks::<BLOCK>();
        let mut state = self.inner;
        compress(&mut state, blocks);

        let trailer: &[u8] = trailer.as_ref().map_or(&[], |octets| octets);
        let mut last = [0; 2 * BLOCK];
        let octets = rest.iter().chain(trailer).chain(&[0x80]);
        for (slot, octet) in last.iter_mut().zip(octets) {
            *slot = *octet;
        }
        pad(
            &mut state,
            &mut last,
            rest.len() + trailer.len(),
            message.len() + trailer.len(),
        );

        let mut last = [0; 2 * BLOCK];
        for (word, slot) in state.iter().zip(last.as_chunks_mut::<4>().0) {
            *slot = word.to_be_bytes();
        }
        last[20] = 0x80;
        let mut state = self.outer;
        pad(&mut state, &mut last, 20, 20);

        let mut tag = [0; 20];
        for (word, slot) in state.iter().zip(tag.as_chunks_mut::<4>().0) {
            *slot = word.to_be_bytes();
        }
        tag
    }

    /// Whether `tag` is what the MAC of `message || trailer` begins with, in constant time.
    pub(crate) fn verify(&self, message: &[u8], trailer: Option<[u8; 4]>, tag: &[u8]) -> bool {
        let expected = self.tag(message, trailer);
        expected
            .get(..tag.len())
            .is_some_and(|expected| expected.ct_eq(tag).into())
    }
}

/// Puts the length behind the last `len` octets of a message of `total` and hashes them with the
/// block that the key took.
fn pad(state: &mut [u32; 5], last: &mut [u8; 2 * BLOCK], len: usize, total: usize) {
    let bits = u64::try_from((BLOCK + total) * 8)
        .unwrap_or(u64::MAX)
        .to_be_bytes();
    let (blocks, _) = last.as_chunks_mut::<BLOCK>();
    let (blocks, _) = blocks.split_at_mut(if len < BLOCK - 8 { 1 } else { 2 });
    if let Some(end) = blocks.as_flattened_mut().last_chunk_mut::<8>() {
        *end = bits;
    }
    compress(state, blocks);
}

#[cfg(test)]
mod tests {
    //! Independent implementation: the lengths at which padding changes, against `hmac` + `sha1`.

    use super::HmacSha1;
    use hmac::{Hmac, KeyInit, Mac};

    #[test]
    fn equals_the_hmac_crate_at_every_length() {
        let key = [0x5a; 20];
        let ours = HmacSha1::new(&key);
        let message: [u8; 300] = core::array::from_fn(|i| u8::try_from(i % 251).unwrap());
        for len in 0..message.len() {
            for trailer in [None, Some([1, 2, 3, 4])] {
                let mut theirs = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
                theirs.update(&message[..len]);
                theirs.update(trailer.as_ref().map_or(&[], |t| &t[..]));
                assert_eq!(
                    ours.tag(&message[..len], trailer)[..],
                    theirs.finalize().into_bytes()[..]
                );
            }
        }
    }

    #[test]
    fn verify_refuses_a_tag_longer_than_the_mac_and_any_changed_bit() {
        let mac = HmacSha1::new(&[7; 20]);
        let mut tag = mac.tag(b"message", None);
        assert!(mac.verify(b"message", None, &tag[..10]));
        assert!(!mac.verify(b"message", Some([0; 4]), &tag[..10]));
        assert!(!mac.verify(b"message", None, &[0; 21]));
        tag[9] ^= 1;
        assert!(!mac.verify(b"message", None, &tag[..10]));
    }
}
