//! Encrypted header extensions: single elements ([RFC 6904]) and Cryptex, which hides all of the
//! extension and the CSRC list ([RFC 9335]).
//!
//! [RFC 6904]: https://www.rfc-editor.org/rfc/rfc6904
//! [RFC 9335]: https://www.rfc-editor.org/rfc/rfc9335

use alloc::boxed::Box;
use core::ops::Range;

use crate::index;
use crate::packet::{RTP_HEADER_LEN, RtpHeader};
use crate::session_keys::{HeaderCipher, HeaderKeys};
use crate::transform::BlockCipher;

/// "Defined by profile" of an extension with one-byte element headers ([RFC 8285 §4.2]).
///
/// [RFC 8285 §4.2]: https://www.rfc-editor.org/rfc/rfc8285#section-4.2
const ONE_BYTE: u16 = 0xbede;

/// "Defined by profile" of an extension with two-byte element headers, application bits zero
/// ([RFC 8285 §4.3]).
///
/// [RFC 8285 §4.3]: https://www.rfc-editor.org/rfc/rfc8285#section-4.3
const TWO_BYTE: u16 = 0x1000;

/// [`ONE_BYTE`] and [`TWO_BYTE`] as Cryptex writes them ([RFC 9335 §5]).
///
/// [RFC 9335 §5]: https://www.rfc-editor.org/rfc/rfc9335#section-5
const CRYPTEX_ONE_BYTE: u16 = 0xc0de;
const CRYPTEX_TWO_BYTE: u16 = 0xc2de;

/// Octets that Cryptex adds to a packet with a CSRC list and no extension: an empty extension.
pub(crate) const CRYPTEX_GROWTH: usize = 4;

/// The IDs of the header extension elements that are encrypted: those whose `a=extmap` says
/// `urn:ietf:params:rtp-hdrext:encrypt` ([RFC 6904 §4]).
///
/// [RFC 6904 §4]: https://www.rfc-editor.org/rfc/rfc6904#section-4
#[derive(Clone, Debug, Default)]
pub(crate) struct ElementIds(Option<Box<[u64; 4]>>);

impl ElementIds {
    pub(crate) fn new(ids: &[u8]) -> Self {
        let mut set = Self::default();
        for id in ids {
            let words = set.0.get_or_insert_default();
            if let Some(word) = words.get_mut(usize::from(id / 64)) {
                *word |= 1 << (id % 64);
            }
        }
        set
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn contains(&self, id: u8) -> bool {
        let words = self.0.as_ref();
        words
            .and_then(|words| words.get(usize::from(id / 64)))
            .is_some_and(|word| word >> (id % 64) & 1 == 1)
    }
}

/// Adds the keystream to the bodies of the elements in `ids`; does and undoes the encryption.
///
/// `None` if an element reaches past the extension: those in front of it are done.
pub(crate) fn apply_to_elements(
    packet: &mut [u8],
    header: &RtpHeader,
    ids: &ElementIds,
    keys: &HeaderKeys,
    index: u64,
) -> Option<()> {
    let Some((profile, body_len)) = header.extension else {
        return Some(());
    };
    let start = RTP_HEADER_LEN + header.csrc_len + 4;
    let (clear, rest) = packet.split_at_mut_checked(start)?;
    let body = rest.get_mut(..body_len)?;
    let mut next = 0;
    match &keys.cipher {
        HeaderCipher::Counter(cipher) => {
            let iv = keys.salt.counter_block(header.ssrc, index);
            while let Some((id, element)) = element(profile, body, next).ok()? {
                next = element.end;
                if ids.contains(id) {
                    apply_counter(body, element, cipher, iv);
                }
            }
        }
        HeaderCipher::F8(cipher) => {
            let iv = f8_iv(clear.first_chunk()?, index);
            let mut keystream = cipher.keystream(&iv).zip((16_usize..).step_by(16));
            let (mut block, mut block_end) = ([0; 16], 0);
            while let Some((id, element)) = element(profile, body, next).ok()? {
                next = element.end;
                if !ids.contains(id) {
                    continue;
                }
                for at in element {
                    while at >= block_end {
                        (block, block_end) = keystream.next()?;
                    }
                    *body.get_mut(at)? ^= block.get(at % 16)?;
                }
            }
        }
    }
    Some(())
}

/// Whether every element lies within the extension, so that none goes unencrypted by mistake.
pub(crate) fn elements_fit(packet: &[u8], header: &RtpHeader) -> bool {
    let Some((profile, body_len)) = header.extension else {
        return true;
    };
    let start = RTP_HEADER_LEN + header.csrc_len + 4;
    let Some(body) = packet.get(start..start + body_len) else {
        return false;
    };
    let mut next = 0;
    loop {
        match element(profile, body, next) {
            Ok(Some((_, element))) => next = element.end,
            Ok(None) => return true,
            Err(Overrun) => return false,
        }
    }
}

/// An element reaches past the extension.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Overrun;

/// The ID and the body of the first element at or behind `at`, if there is one.
fn element(profile: u16, body: &[u8], at: usize) -> Result<Option<(u8, Range<usize>)>, Overrun> {
    let rest = body.get(at..).ok_or(Overrun)?;
    let mut octets = rest.iter().zip(at..).skip_while(|(octet, _)| **octet == 0);
    let Some((first, at)) = octets.next() else {
        return Ok(None);
    };
    let (id, start, len) = match profile {
        // RFC 8285 4.2: ID 15 ends the extension.
        ONE_BYTE if first >> 4 == 15 => return Ok(None),
        ONE_BYTE => (first >> 4, at + 1, usize::from(first & 0x0f) + 1),
        _ if profile & 0xfff0 == TWO_BYTE => {
            let (len, _) = octets.next().ok_or(Overrun)?;
            (*first, at + 2, usize::from(*len))
        }
        _ => return Ok(None),
    };
    if start + len > body.len() {
        return Err(Overrun);
    }
    Ok(Some((id, start..start + len)))
}

/// An element body begins anywhere in the keystream, which runs from the start of the extension.
fn apply_counter(body: &mut [u8], element: Range<usize>, cipher: &BlockCipher, iv: u128) {
    let mut keystream = [0; 16 + 256];
    let skip = element.start % 16;
    let block = u16::try_from(element.start / 16).unwrap_or(0);
    if let Some(keystream) = keystream.get_mut(..skip + element.len()) {
        cipher.apply_ctr(iv & !0xffff | u128::from(block), keystream);
    }
    if let Some(octets) = body.get_mut(element) {
        for (octet, key) in octets.iter_mut().zip(keystream.iter().skip(skip)) {
            *octet ^= key;
        }
    }
}

/// The IV of a packet in f8-mode: 0, the header from M and PT on, the ROC ([RFC 3711 §4.1.2.2]).
///
/// [RFC 3711 §4.1.2.2]: https://www.rfc-editor.org/rfc/rfc3711#section-4.1.2.2
pub(crate) fn f8_iv(header: &[u8; RTP_HEADER_LEN], index: u64) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..RTP_HEADER_LEN].copy_from_slice(header);
    iv[0] = 0;
    iv[RTP_HEADER_LEN..].copy_from_slice(&index::roc(index).to_be_bytes());
    iv
}

/// Whether the packet says that its CSRC list and header extension are encrypted.
pub(crate) const fn is_cryptex(header: &RtpHeader) -> bool {
    matches!(
        header.extension,
        Some((CRYPTEX_ONE_BYTE | CRYPTEX_TWO_BYTE, _))
    )
}

/// Octets by which [`hide`] lengthens the packet; `None` if there is nothing to hide.
pub(crate) const fn growth(header: &RtpHeader) -> Option<usize> {
    match (header.extension, header.csrc_len) {
        (None, 0) => None,
        (None, _) => Some(CRYPTEX_GROWTH),
        (Some(_), _) => Some(0),
    }
}

/// Marks the extension of the packet in the first `len` octets of `buffer` as encrypted, adding an
/// empty one if there is none, and [`gather`]s what is to be encrypted behind it.
///
/// `None` for an extension of a kind that Cryptex cannot mark, or no room for an empty one; the
/// packet is then as it was.
pub(crate) fn hide(buffer: &mut [u8], len: usize, header: &mut RtpHeader) -> Option<usize> {
    let at = RTP_HEADER_LEN + header.csrc_len;
    let (profile, len) = match header.extension {
        Some((ONE_BYTE, _)) => (CRYPTEX_ONE_BYTE, len),
        Some((TWO_BYTE, _)) => (CRYPTEX_TWO_BYTE, len),
        Some(_) => return None,
        None => {
            let end = len + CRYPTEX_GROWTH;
            buffer.get_mut(at..end)?.rotate_right(CRYPTEX_GROWTH);
            buffer.get_mut(at..at + 4)?.fill(0);
            header.extension = Some((CRYPTEX_ONE_BYTE, 0));
            *buffer.first_mut()? |= 0x10;
            (CRYPTEX_ONE_BYTE, end)
        }
    };
    buffer
        .get_mut(at..at + 2)?
        .copy_from_slice(&profile.to_be_bytes());
    gather(buffer, header)?;
    Some(len)
}

/// Writes the profile of the extension as it was before encryption.
pub(crate) fn reveal(packet: &mut [u8], header: &RtpHeader) -> Option<()> {
    let at = RTP_HEADER_LEN + header.csrc_len;
    let profile = match header.extension? {
        (CRYPTEX_TWO_BYTE, _) => TWO_BYTE,
        _ => ONE_BYTE,
    };
    packet
        .get_mut(at..at + 2)?
        .copy_from_slice(&profile.to_be_bytes());
    Some(())
}

/// Moves the CSRC list behind the first four octets of the extension, so that all that is encrypted
/// is one piece and all that is not another.
pub(crate) fn gather(packet: &mut [u8], header: &RtpHeader) -> Option<()> {
    let end = GATHERED_HEADER_LEN + header.csrc_len;
    packet
        .get_mut(RTP_HEADER_LEN..end)?
        .rotate_left(header.csrc_len);
    Some(())
}

/// Undoes [`gather`].
pub(crate) fn scatter(packet: &mut [u8], header: &RtpHeader) -> Option<()> {
    let end = GATHERED_HEADER_LEN + header.csrc_len;
    packet
        .get_mut(RTP_HEADER_LEN..end)?
        .rotate_right(header.csrc_len);
    Some(())
}

/// Octets in clear at the start of a gathered packet.
pub(crate) const GATHERED_HEADER_LEN: usize = RTP_HEADER_LEN + 4;

#[cfg(test)]
mod tests {
    //! Published vector: RFC 6904 A.2. The rest is self-consistency.

    use super::{ElementIds, HeaderCipher, HeaderKeys, Overrun, apply_to_elements, element};
    use crate::keying::{MasterKey, Profile};
    use crate::packet::RtpHeader;
    use crate::session_keys::SessionKeys;
    use hex_literal::hex;

    fn keys() -> HeaderKeys {
        let master = MasterKey::new(
            Profile::AesCm128HmacSha1_80,
            &hex!("e1f97a0d3e018be0d64fa32c06de4139"),
            &hex!("0ec675ad498afeebb6960b3aabe6"),
        );
        let backend = crate::Backend::default();
        let keys = SessionKeys::derive(&master.unwrap(), 0, true, backend);
        *keys.unwrap().header.unwrap()
    }

    #[test]
    fn rfc6904_a2_encrypted_header_extension() {
        let mut packet = hex!(
            "900f1234decafbadcafebabebede000617414273a475262748220000c8308e4655996386b395fb00"
        );
        let plain = packet;
        let header = RtpHeader::parse(&packet, |_| 0).unwrap();
        let ids = ElementIds::new(&[1, 3, 4]);
        apply_to_elements(&mut packet, &header, &ids, &keys(), 0x1234).unwrap();
        assert_eq!(
            packet[16..],
            hex!("17588a9270f4e15e1c220000c8309546a994f0bc54789700")
        );
        apply_to_elements(&mut packet, &header, &ids, &keys(), 0x1234).unwrap();
        assert_eq!(packet, plain);
    }

    #[test]
    fn the_walk_ends_at_id_15_at_an_overrun_and_at_an_unknown_profile() {
        assert_eq!(element(0xbede, &[0, 0, 0x10, 7], 0), Ok(Some((1, 3..4))));
        assert_eq!(element(0xbede, &[0xf0, 7, 0x10, 7], 0), Ok(None));
        assert_eq!(element(0xbede, &[0x1f, 7, 7, 7], 0), Err(Overrun));
        assert_eq!(element(0x1000, &[1, 0, 2, 1, 7, 0], 0), Ok(Some((1, 2..2))));
        assert_eq!(element(0x100f, &[1, 0, 2, 1, 7, 0], 2), Ok(Some((2, 4..5))));
        assert_eq!(element(0x1000, &[1], 0), Err(Overrun));
        assert_eq!(element(0x1000, &[1, 200, 0, 0], 0), Err(Overrun));
        assert_eq!(element(0x2000, &[1, 0, 0, 0], 0), Ok(None));
        assert_eq!(element(0xbede, &[], 0), Ok(None));
    }

    #[test]
    fn a_long_element_far_into_the_extension_takes_its_own_part_of_the_keystream() {
        let mut body = [0_u8; 1024];
        body[700] = 9;
        body[701] = 255;
        let mut packet = [0_u8; 16 + 1024];
        packet[..16].copy_from_slice(&hex!("900f1234decafbadcafebabe10000100"));
        packet[16..].copy_from_slice(&body);
        let header = RtpHeader::parse(&packet, |_| 0).unwrap();
        let keys = keys();
        apply_to_elements(&mut packet, &header, &ElementIds::new(&[9]), &keys, 0x1234).unwrap();
        let mut keystream = [0; 1024];
        let HeaderCipher::Counter(cipher) = &keys.cipher else {
            panic!("AES-CM")
        };
        cipher.apply_ctr(keys.salt.counter_block(0xcafe_babe, 0x1234), &mut keystream);
        assert_eq!(packet[16..16 + 702], body[..702]);
        assert_eq!(packet[16 + 702..16 + 957], keystream[702..957]);
        assert_eq!(packet[16 + 957..], body[957..]);
    }
}
