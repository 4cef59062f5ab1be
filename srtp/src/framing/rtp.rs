use super::{Framing, OpenError, put, put_mac};
use crate::error::ProtectError;
use crate::header_extension as extension;
use crate::index::roc;
use crate::keying::RocTransportMode;
use crate::packet::{MAX_PACKET_LEN, RtpHeader};
use crate::session_keys::{Cipher, SessionKeys};
use crate::transform::GCM_TAG_LEN;

/// An SRTP packet about to be sealed or opened ([RFC 3711 §3.1], [RFC 7714 §8]).
///
/// [RFC 3711 §3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.1
/// [RFC 7714 §8]: https://www.rfc-editor.org/rfc/rfc7714#section-8
pub(crate) struct RtpPacket<'a> {
    pub(crate) framing: &'a Framing,
    pub(crate) keys: &'a SessionKeys,
    pub(crate) header: RtpHeader,
    pub(crate) index: u64,
}

/// What SRTP appends to one packet: AEAD tag, MKI, ROC, MAC, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Trailer {
    pub(crate) aead_tag: usize,
    pub(crate) mki: usize,
    pub(crate) carries_roc: bool,
    pub(crate) mac: usize,
}

impl Trailer {
    /// What is appended to the packet with sequence number `seq`.
    #[inline]
    pub(crate) fn new(framing: &Framing, seq: u16) -> Self {
        let parameters = &framing.parameters;
        let aead = framing.profile.is_aead();
        let mut trailer = Self {
            aead_tag: if aead { GCM_TAG_LEN } else { 0 },
            mki: framing.mki_len,
            carries_roc: false,
            mac: if aead || parameters.unauthenticated_srtp {
                0
            } else {
                framing.profile.srtp_tag_len()
            },
        };
        if let Some(transport) = parameters.roc_transport {
            trailer.carries_roc = seq.is_multiple_of(transport.rate());
            let tag_len = usize::from(transport.tag_len());
            trailer.mac = match (transport.mode(), trailer.carries_roc) {
                (RocTransportMode::Mode1 | RocTransportMode::Mode2, true) => tag_len - 4,
                (RocTransportMode::Mode2, false) => tag_len.min(20),
                (RocTransportMode::Mode1, false) | (RocTransportMode::Mode3, _) => 0,
            };
        }
        trailer
    }

    /// Octets appended to the packet that gets the most.
    pub(crate) fn longest(framing: &Framing) -> usize {
        if framing.parameters.roc_transport.is_none() {
            return Self::new(framing, 0).len();
        }
        // Whatever the rate of ROC transport, 0 is a multiple of it and 1 of no other.
        Self::new(framing, 0).len().max(Self::new(framing, 1).len())
    }

    /// Octets appended in all.
    pub(crate) const fn len(self) -> usize {
        self.aead_tag + self.mki + self.roc_and_mac()
    }

    /// Whether a peer without the key cannot make such a packet.
    pub(crate) const fn authenticates(self) -> bool {
        self.aead_tag + self.mac > 0
    }

    const fn roc_and_mac(self) -> usize {
        self.mac + if self.carries_roc { 4 } else { 0 }
    }

    /// The MKI of `packet`.
    pub(crate) fn mki_of(self, packet: &[u8]) -> Option<&[u8]> {
        let end = packet.len().checked_sub(self.roc_and_mac())?;
        packet.get(end.checked_sub(self.mki)?..end)
    }

    /// The ROC that `packet` carries, if it is one that does.
    pub(crate) fn roc_of(self, packet: &[u8]) -> Option<u32> {
        if !self.carries_roc {
            return None;
        }
        let start = packet.len().checked_sub(self.roc_and_mac())?;
        packet
            .get(start..)?
            .first_chunk()
            .map(|roc| u32::from_be_bytes(*roc))
    }
}

/// What is left to do for a packet whose MAC is computed with those of others; nothing if the MAC
/// has no octets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unsigned {
    /// Octets that the MAC is over, with the ROC behind them.
    pub(crate) message: usize,
    pub(crate) roc: [u8; 4],
    /// Where the MAC goes.
    pub(crate) mac_at: usize,
    pub(crate) mac_len: usize,
}

impl RtpPacket<'_> {
    /// Protects the packet in the first `len` octets of `buffer` and returns its new length. Leaves
    /// out the MAC if there is an `unsigned` to note what it is.
    ///
    /// Nothing is written unless everything has room.
    #[inline]
    pub(crate) fn seal(
        mut self,
        buffer: &mut [u8],
        mut len: usize,
        mki: &[u8],
        unsigned: Option<&mut Unsigned>,
    ) -> Result<usize, ProtectError> {
        let trailer = Trailer::new(self.framing, self.header.seq);
        let hides = self.framing.cryptex != super::Cryptex::Off;
        let growth = extension::growth(&self.header).filter(|_| hides);
        let needed = len + growth.unwrap_or(0) + trailer.len();
        if needed > MAX_PACKET_LEN {
            return Err(ProtectError::TooLong);
        }
        if buffer.len() < needed {
            return Err(ProtectError::BufferTooSmall { needed });
        }
        let selects = self.keys.header.is_some() && !self.framing.parameters.unencrypted_srtp;
        if extension::is_cryptex(&self.header)
            || selects && !extension::elements_fit(buffer, &self.header)
        {
            return Err(ProtectError::HeaderExtension);
        }
        if growth.is_some() {
            len = extension::hide(buffer, len, &mut self.header)
                .ok_or(ProtectError::HeaderExtension)?;
        }
        self.seal_with_room(buffer, len, growth.is_some(), trailer, mki, unsigned)
            .ok_or(ProtectError::BufferTooSmall { needed })
    }

    #[inline]
    fn seal_with_room(
        &self,
        buffer: &mut [u8],
        len: usize,
        hidden: bool,
        trailer: Trailer,
        mki: &[u8],
        unsigned: Option<&mut Unsigned>,
    ) -> Option<usize> {
        let (packet, rest) = buffer.split_at_mut_checked(len)?;
        if !self.framing.parameters.unencrypted_srtp {
            self.apply_to_elements(packet);
        }
        let tag = if let Cipher::Gcm(gcm) = &self.keys.cipher {
            let (aad, body) = packet.split_at_mut_checked(self.clear_len(hidden))?;
            let nonce = self.keys.salt.nonce(self.header.ssrc, self.index);
            let mut tag = [0; GCM_TAG_LEN];
            gcm.seal(nonce, aad, body, &mut tag).ok()?;
            Some(tag)
        } else {
            self.apply_keystream(packet, hidden)?;
            None
        };
        if hidden {
            extension::scatter(packet, &self.header)?;
        }
        let roc = roc(self.index).to_be_bytes();
        let mut end = 0;
        if let Some(tag) = tag {
            *rest.first_chunk_mut()? = tag;
            end = tag.len();
        }
        if !mki.is_empty() {
            end = put(rest, end, mki)?;
        }
        if trailer.carries_roc {
            end = put(rest, end, &roc)?;
        }
        if let (1.., Some(mac)) = (trailer.mac, self.keys.mac()) {
            if let Some(unsigned) = unsigned {
                *unsigned = Unsigned {
                    message: len,
                    roc,
                    mac_at: len + end,
                    mac_len: trailer.mac,
                };
                end += trailer.mac;
            } else {
                let tag = mac.tag(packet, Some(roc));
                end = put_mac(rest, end, &tag, trailer.mac)?;
            }
        }
        Some(len + end)
    }

    /// Verifies and decrypts `packet` in place and returns the length of the RTP packet. Whether the
    /// MAC is right may be known beforehand.
    ///
    /// If it is forged, a packet under HMAC is as it was; under an AEAD its body is unspecified.
    #[inline]
    pub(crate) fn open(
        &self,
        packet: &mut [u8],
        trailer: Trailer,
        verdict: Option<bool>,
    ) -> Result<usize, OpenError> {
        let len = packet
            .len()
            .checked_sub(trailer.len())
            .ok_or(OpenError::TooShort)?;
        let (packet, rest) = packet
            .split_at_mut_checked(len)
            .ok_or(OpenError::TooShort)?;
        self.open_parts(packet, rest, trailer, verdict)
            .ok_or(OpenError::Forged)?;
        Ok(len)
    }

    #[inline]
    fn open_parts(
        &self,
        packet: &mut [u8],
        rest: &[u8],
        trailer: Trailer,
        verdict: Option<bool>,
    ) -> Option<()> {
        let hidden = extension::is_cryptex(&self.header);
        if let (1.., Some(mac)) = (trailer.mac, self.keys.mac()) {
            let roc = roc(self.index).to_be_bytes();
            let tag = rest.get(rest.len().checked_sub(trailer.mac)?..)?;
            if !verdict.unwrap_or_else(|| mac.verify(packet, Some(roc), tag)) {
                return None;
            }
        }
        if hidden {
            extension::gather(packet, &self.header)?;
        }
        if let Cipher::Gcm(gcm) = &self.keys.cipher {
            let (aad, body) = packet.split_at_mut_checked(self.clear_len(hidden))?;
            let nonce = self.keys.salt.nonce(self.header.ssrc, self.index);
            gcm.open(nonce, aad, body, rest.first_chunk()?).ok()?;
        } else {
            self.apply_keystream(packet, hidden)?;
        }
        if hidden {
            extension::scatter(packet, &self.header)?;
            extension::reveal(packet, &self.header)?;
        } else if !self.framing.parameters.unencrypted_srtp {
            self.apply_to_elements(packet);
        }
        Some(())
    }

    /// Octets in front of the encrypted portion, of a packet that is gathered if it is hidden.
    const fn clear_len(&self, hidden: bool) -> usize {
        if hidden {
            extension::GATHERED_HEADER_LEN
        } else {
            self.header.len()
        }
    }

    #[inline]
    fn apply_to_elements(&self, packet: &mut [u8]) {
        if let Some(keys) = &self.keys.header {
            let ids = &self.framing.element_ids;
            // A sender has made sure that they fit; a receiver leaves what lies behind one that does not.
            let _ = extension::apply_to_elements(packet, &self.header, ids, keys, self.index);
        }
    }

    #[inline]
    fn apply_keystream(&self, packet: &mut [u8], hidden: bool) -> Option<()> {
        if self.framing.parameters.unencrypted_srtp {
            return Some(());
        }
        let (clear, body) = packet.split_at_mut_checked(self.clear_len(hidden))?;
        match &self.keys.cipher {
            Cipher::Counter(cipher, _) => {
                let iv = self.keys.salt.counter_block(self.header.ssrc, self.index);
                cipher.apply_ctr(iv, body);
            }
            Cipher::F8(cipher, _) => {
                let iv = extension::f8_iv(clear.first_chunk()?, self.index);
                cipher.apply(&iv, body);
            }
            Cipher::Gcm(_) => {}
            #[cfg(feature = "insecure-null")]
            Cipher::Null(_) => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    //! Published vectors: RFC 7714 16.1 and 16.2, which give session keys, and RFC 8269 A.1, A.2.

    use super::{RtpHeader, RtpPacket, Trailer};
    use crate::Backend;
    use crate::framing::{Cryptex, Framing};
    use crate::header_extension::ElementIds;
    use crate::keying::{Parameters, Profile};
    use crate::session_keys::SessionKeys;
    use hex_literal::hex;

    const RTP: &[u8] = &hex!(
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e2070617274
         657320747265 73"
    );

    fn framing(profile: Profile) -> Framing {
        Framing {
            profile,
            parameters: Parameters::default(),
            mki_len: 0,
            cryptex: Cryptex::Off,
            element_ids: ElementIds::default(),
        }
    }

    fn seals_and_opens(profile: Profile, keys: &SessionKeys, rtp: &[u8], srtp: &[u8]) {
        let framing = framing(profile);
        let header = RtpHeader::parse(rtp, |_| 0).unwrap();
        let index = u64::from(header.seq);
        let packet = || RtpPacket {
            framing: &framing,
            keys,
            header,
            index,
        };
        let mut buffer = rtp.to_vec();
        buffer.resize(srtp.len(), 0);
        let sealed = packet().seal(&mut buffer, rtp.len(), &[], None);
        assert_eq!(sealed, Ok(srtp.len()));
        assert_eq!(buffer, srtp);
        let trailer = Trailer::new(&framing, header.seq);
        assert_eq!(packet().open(&mut buffer, trailer, None), Ok(rtp.len()));
        assert_eq!(buffer[..rtp.len()], *rtp);
        for octet in 0..srtp.len() {
            let mut forged = srtp.to_vec();
            forged[octet] ^= 0x10;
            assert!(packet().open(&mut forged, trailer, None).is_err());
        }
    }

    #[test]
    fn rfc7714_16_1_aead_aes_128_gcm() {
        for backend in Backend::available() {
            let keys = SessionKeys::gcm(
                &hex!("000102030405060708090a0b0c0d0e0f"),
                &hex!("517569642070726f2071756f"),
                backend,
            );
            let srtp = hex!(
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a
                 51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"
            );
            seals_and_opens(Profile::AeadAes128Gcm, &keys, RTP, &srtp);
        }
    }

    #[test]
    fn rfc7714_16_2_aead_aes_256_gcm() {
        for backend in Backend::available() {
            let keys = SessionKeys::gcm(
                &hex!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                &hex!("517569642070726f2071756f"),
                backend,
            );
            let srtp = hex!(
                "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02
                 76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"
            );
            seals_and_opens(Profile::AeadAes256Gcm, &keys, RTP, &srtp);
        }
    }

    /// RFC 7714 8.2 forbids such SRTP packets; the tags are those of the section all the same.
    #[test]
    fn rfc7714_16_1_3_and_16_2_3_authentication_only() {
        let nonce = hex!("51753c6580c2726f20718414");
        let key = hex!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let tags = [
            (16, hex!("22493f82d2bce397e9d79e3b19aa4216")),
            (32, hex!("a866d5910f887463067ceefec45215d4")),
        ];
        for backend in Backend::available() {
            for (key_len, tag) in tags {
                let gcm = crate::transform::Gcm::aes(&key[..key_len], backend).unwrap();
                let mut sealed = [0; 16];
                gcm.seal(nonce.into(), RTP, &mut [], &mut sealed).unwrap();
                assert_eq!(sealed, tag);
                gcm.open(nonce.into(), RTP, &mut [], &tag).unwrap();
            }
        }
    }
}
