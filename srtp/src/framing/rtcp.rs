use super::{Framing, OpenError, put};
use crate::error::ProtectError;
use crate::packet::{MAX_PACKET_LEN, RTCP_HEADER_LEN};
use crate::session_keys::{Cipher, SessionKeys};
use crate::transform::GCM_TAG_LEN;

/// The E flag: the packet is encrypted ([RFC 3711 §3.4]).
///
/// [RFC 3711 §3.4]: https://www.rfc-editor.org/rfc/rfc3711#section-3.4
const ENCRYPTED: u32 = 1 << 31;

/// Octets of the E flag and the SRTCP index.
const WORD_LEN: usize = 4;

/// An SRTCP packet about to be sealed or opened ([RFC 3711 §3.4], [RFC 7714 §9]).
///
/// [RFC 3711 §3.4]: https://www.rfc-editor.org/rfc/rfc3711#section-3.4
/// [RFC 7714 §9]: https://www.rfc-editor.org/rfc/rfc7714#section-9
pub(crate) struct RtcpPacket<'a> {
    pub(crate) framing: &'a Framing,
    pub(crate) keys: &'a SessionKeys,
    pub(crate) ssrc: u32,
    pub(crate) index: u32,
}

impl RtcpPacket<'_> {
    /// Protects the packet in the first `len` octets of `buffer` and returns its new length.
    ///
    /// Nothing is written unless everything has room.
    pub(crate) fn seal(
        &self,
        buffer: &mut [u8],
        len: usize,
        mki: &[u8],
    ) -> Result<usize, ProtectError> {
        let needed = len + overhead(self.framing);
        if needed > MAX_PACKET_LEN {
            return Err(ProtectError::TooLong);
        }
        if buffer.len() < needed {
            return Err(ProtectError::BufferTooSmall { needed });
        }
        self.seal_with_room(buffer, len, mki)
            .ok_or(ProtectError::BufferTooSmall { needed })
    }

    fn seal_with_room(&self, buffer: &mut [u8], len: usize, mki: &[u8]) -> Option<usize> {
        let encrypts = self.keys.cipher.encrypts() && !self.framing.parameters.unencrypted_srtcp;
        let word = self.index | if encrypts { ENCRYPTED } else { 0 };
        if let Cipher::Gcm(gcm) = &self.keys.cipher {
            let nonce = self.keys.salt.nonce(self.ssrc, self.index.into());
            let (aad, body) = associated_data(buffer, len, word)?;
            let mut tag = [0; GCM_TAG_LEN];
            gcm.seal(nonce, aad.as_slice(), body, &mut tag).ok()?;
            let end = put(buffer, len, &tag)?;
            let end = put(buffer, end, &word.to_be_bytes())?;
            return put(buffer, end, mki);
        }
        if encrypts {
            self.apply_keystream(buffer.get_mut(..len)?, word)?;
        }
        let end = put(buffer, len, &word.to_be_bytes())?;
        let tag = self
            .keys
            .mac()
            .map(|mac| Some(mac.tag(buffer.get(..end)?, None)));
        let mut end = put(buffer, end, mki)?;
        if let Some(tag) = tag {
            end = put(
                buffer,
                end,
                tag?.get(..self.framing.profile.srtcp_tag_len())?,
            )?;
        }
        Some(end)
    }

    /// Verifies and decrypts `packet` in place and returns the length of the RTCP packet.
    ///
    /// If it is forged, a packet under HMAC is as it was; under an AEAD it is unspecified.
    pub(crate) fn open(&self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let word = word(self.framing, packet).ok_or(OpenError::TooShort)?;
        let len = packet
            .len()
            .checked_sub(overhead(self.framing))
            .ok_or(OpenError::TooShort)?;
        self.open_parts(packet, len, word)
            .ok_or(OpenError::Forged)?;
        Ok(len)
    }

    fn open_parts(&self, packet: &mut [u8], len: usize, word: u32) -> Option<()> {
        if let Cipher::Gcm(gcm) = &self.keys.cipher {
            let nonce = self.keys.salt.nonce(self.ssrc, self.index.into());
            let tag: [u8; GCM_TAG_LEN] = *packet.get(len..)?.first_chunk()?;
            let (aad, body) = associated_data(packet, len, word)?;
            return gcm.open(nonce, aad.as_slice(), body, &tag).ok();
        }
        if let Some(mac) = self.keys.mac() {
            let (message, rest) = packet.split_at_checked(len + WORD_LEN)?;
            if !mac.verify(message, None, rest.get(self.framing.mki_len..)?) {
                return None;
            }
        }
        if word & ENCRYPTED != 0 {
            self.apply_keystream(packet.get_mut(..len)?, word)?;
        }
        Some(())
    }

    fn apply_keystream(&self, packet: &mut [u8], word: u32) -> Option<()> {
        let (clear, body) = packet.split_first_chunk_mut::<RTCP_HEADER_LEN>()?;
        match &self.keys.cipher {
            Cipher::Counter(cipher, _) => {
                cipher.apply_ctr(
                    self.keys.salt.counter_block(self.ssrc, self.index.into()),
                    body,
                );
            }
            Cipher::F8(cipher, _) => {
                // RFC 3711 4.1.2.3: 0, E and index, then the header.
                let mut iv = [0; 16];
                iv[4..8].copy_from_slice(&word.to_be_bytes());
                iv[8..].copy_from_slice(clear);
                cipher.apply(&iv, body);
            }
            Cipher::Gcm(_) => {}
            #[cfg(feature = "insecure-null")]
            Cipher::Null(_) => {}
        }
        Some(())
    }
}

/// Octets that SRTCP adds to a packet.
pub(crate) fn overhead(framing: &Framing) -> usize {
    framing.profile.srtcp_overhead(framing.mki_len)
}

/// The index that `packet` carries.
pub(crate) fn index(framing: &Framing, packet: &[u8]) -> Option<u32> {
    word(framing, packet).map(|word| word & !ENCRYPTED)
}

/// The MKI of `packet`.
pub(crate) fn mki<'a>(framing: &Framing, packet: &'a [u8]) -> Option<&'a [u8]> {
    let behind = if framing.profile.is_aead() {
        0
    } else {
        framing.profile.srtcp_tag_len()
    };
    let end = packet.len().checked_sub(behind)?;
    packet.get(end.checked_sub(framing.mki_len)?..end)
}

/// E flag and index: behind the tag of an AEAD, in front of MKI and MAC otherwise.
fn word(framing: &Framing, packet: &[u8]) -> Option<u32> {
    let behind = framing.mki_len
        + if framing.profile.is_aead() {
            0
        } else {
            framing.profile.srtcp_tag_len()
        };
    let start = packet.len().checked_sub(behind + WORD_LEN)?;
    packet
        .get(start..)?
        .first_chunk()
        .map(|word| u32::from_be_bytes(*word))
}

enum AssociatedData<'a> {
    HeaderAndWord([u8; RTCP_HEADER_LEN + WORD_LEN]),
    WholeAndWord(&'a [u8]),
}

impl AssociatedData<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::HeaderAndWord(octets) => octets,
            Self::WholeAndWord(octets) => octets,
        }
    }
}

/// What is authenticated and what is encrypted of the packet in the first `len` octets of `buffer`
/// ([RFC 7714 §9.2], [§9.3]). The octets behind an unencrypted packet are overwritten.
///
/// [RFC 7714 §9.2]: https://www.rfc-editor.org/rfc/rfc7714#section-9.2
/// [§9.3]: https://www.rfc-editor.org/rfc/rfc7714#section-9.3
fn associated_data(
    buffer: &mut [u8],
    len: usize,
    word: u32,
) -> Option<(AssociatedData<'_>, &mut [u8])> {
    if word & ENCRYPTED == 0 {
        let end = put(buffer, len, &word.to_be_bytes())?;
        return Some((AssociatedData::WholeAndWord(buffer.get(..end)?), &mut []));
    }
    let (header, body) = buffer
        .get_mut(..len)?
        .split_first_chunk_mut::<RTCP_HEADER_LEN>()?;
    let mut octets = [0; RTCP_HEADER_LEN + WORD_LEN];
    octets[..RTCP_HEADER_LEN].copy_from_slice(header);
    octets[RTCP_HEADER_LEN..].copy_from_slice(&word.to_be_bytes());
    Some((AssociatedData::HeaderAndWord(octets), body))
}

#[cfg(test)]
mod tests {
    //! Published vectors: RFC 7714 17.1 to 17.4, which give session keys.

    use super::RtcpPacket;
    use crate::Backend;
    use crate::framing::{Cryptex, Framing};
    use crate::header_extension::ElementIds;
    use crate::keying::{Parameters, Profile};
    use crate::session_keys::SessionKeys;
    use hex_literal::hex;

    const RTCP: [u8; 52] = hex!(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeef
         deadbeefdeadbeef"
    );

    fn seals_and_opens(key: &[u8], encrypted: bool, srtcp: &[u8]) {
        for backend in Backend::available() {
            let parameters = Parameters {
                unencrypted_srtcp: !encrypted,
                ..Parameters::default()
            };
            let framing = Framing {
                profile: Profile::AeadAes128Gcm,
                parameters,
                mki_len: 0,
                cryptex: Cryptex::Off,
                element_ids: ElementIds::default(),
            };
            let keys = SessionKeys::gcm(key, &hex!("517569642070726f2071756f"), backend);
            let packet = RtcpPacket {
                framing: &framing,
                keys: &keys,
                ssrc: 0x4d61_7273,
                index: 0x5d4,
            };
            let mut buffer = RTCP.to_vec();
            buffer.resize(srtcp.len(), 0);
            assert_eq!(packet.seal(&mut buffer, RTCP.len(), &[]), Ok(srtcp.len()));
            assert_eq!(buffer, srtcp);
            assert_eq!(packet.open(&mut buffer), Ok(RTCP.len()));
            assert_eq!(buffer[..RTCP.len()], RTCP);
            for octet in 0..srtcp.len() {
                let mut forged = srtcp.to_vec();
                forged[octet] ^= 0x10;
                assert!(packet.open(&mut forged).is_err());
            }
        }
    }

    #[test]
    fn rfc7714_17_1_aead_aes_128_gcm_encrypted() {
        seals_and_opens(
            &hex!("000102030405060708090a0b0c0d0e0f"),
            true,
            &hex!(
                "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda
                 4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"
            ),
        );
    }

    #[test]
    fn rfc7714_17_2_aead_aes_256_gcm_encrypted() {
        seals_and_opens(
            &hex!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
            true,
            &hex!(
                "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be
                 8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"
            ),
        );
    }

    #[test]
    fn rfc7714_17_3_aead_aes_128_gcm_unencrypted() {
        seals_and_opens(
            &hex!("000102030405060708090a0b0c0d0e0f"),
            false,
            &hex!(
                "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef
                 deadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4"
            ),
        );
    }

    #[test]
    fn rfc7714_17_4_aead_aes_256_gcm_unencrypted() {
        seals_and_opens(
            &hex!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
            false,
            &hex!(
                "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef
                 deadbeefdeadbeefdeadbeef91db4afbfeee5a978fab4393ed2615fe000005d4"
            ),
        );
    }
}
