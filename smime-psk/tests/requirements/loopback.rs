//! A stand-in for a MIKEY TRANSFER_INIT in an OtherRecipientInfo: key, sender and proof of origin
//! under a key that all parties have, with a replay cache.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use rand_core::CryptoRng;
use smime_psk::{
    AuthEnvelopedData, ContentKey, Encoding, KeyTransport, Oid, RecipientInfo, RecipientInfos,
    TransportError, Unwrapped, Wrapping,
};

pub(crate) struct Loopback {
    cipher: Aes128Gcm,
    ori_type: Oid,
    sender: String,
    accepted: Vec<Vec<u8>>,
    pub(crate) wrapped: usize,
}

impl Loopback {
    /// `sender` is who wraps; whoever unwraps learns it.
    pub(crate) fn new(sender: &str) -> Self {
        Self::with_ori_type(sender, Oid::EXAMPLE_ORI_MIKEY)
    }

    pub(crate) fn with_ori_type(sender: &str, ori_type: Oid) -> Self {
        Self {
            cipher: Aes128Gcm::new(&[9; 16].into()),
            ori_type,
            sender: sender.into(),
            accepted: Vec::new(),
            wrapped: 0,
        }
    }

    /// Sender, key, and proof with an octet that says whether there is one.
    fn read(&self, octets: &[u8]) -> Result<[Vec<u8>; 3], TransportError> {
        let (nonce, rest) = octets
            .split_first_chunk::<12>()
            .ok_or(TransportError::Malformed)?;
        let (tag, rest) = rest
            .split_first_chunk::<16>()
            .ok_or(TransportError::Malformed)?;
        let mut message = rest.to_vec();
        let buffer = message.as_mut_slice().into();
        self.cipher
            .decrypt_inout_detached(&Nonce::from(*nonce), b"", buffer, &(*tag).into())
            .map_err(|_| TransportError::Forged)?;
        let (len, rest) = message.split_first().ok_or(TransportError::Malformed)?;
        let (sender, rest) = rest.split_at(usize::from(*len));
        let (len, rest) = rest.split_first().ok_or(TransportError::Malformed)?;
        let (key, proof) = rest.split_at(usize::from(*len));
        Ok([sender.to_vec(), key.to_vec(), proof.to_vec()])
    }

    fn mine<'a>(&self, recipient: &RecipientInfo<'a>) -> Option<&'a [u8]> {
        match recipient {
            RecipientInfo::Other(info) if info.ori_type() == self.ori_type => info.octets(),
            _ => None,
        }
    }
}

impl KeyTransport for Loopback {
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        let key = content.key().expose_key();
        let proof = content.proof_of_origin();
        let mut message = vec![u8::try_from(self.sender.len()).unwrap()];
        message.extend_from_slice(self.sender.as_bytes());
        message.push(u8::try_from(key.len()).unwrap());
        message.extend_from_slice(key);
        message.push(u8::from(proof.is_some()));
        message.extend_from_slice(proof.unwrap_or_default());
        let mut nonce = [0; 12];
        rng.fill_bytes(&mut nonce);
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(nonce), b"", message.as_mut_slice().into())
            .map_err(|_| TransportError::Unavailable)?;
        let octets = [&nonce[..], &tag, &message].concat();
        recipients.push_other_octets(self.ori_type, &octets);
        self.wrapped += 1;
        Ok(())
    }

    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError> {
        let Some(octets) = self.mine(recipient) else {
            return Ok(None);
        };
        let [sender, key, proof] = self.read(octets)?;
        if self.accepted.iter().any(|seen| seen == octets) {
            return Err(TransportError::Replayed);
        }
        let key = ContentKey::from_slice(&key).ok_or(TransportError::KeyLength)?;
        let unwrapped = Unwrapped::new(key).sender(String::from_utf8_lossy(&sender));
        Ok(Some(match &proof[..] {
            [1, proof @ ..] => unwrapped.proof_of_origin(proof),
            _ => unwrapped,
        }))
    }

    fn accept(&mut self, recipient: &RecipientInfo<'_>) -> Result<(), TransportError> {
        if let Some(octets) = self.mine(recipient) {
            self.accepted.push(octets.to_vec());
        }
        Ok(())
    }
}

/// What every recipient knows.
pub(crate) fn content_key(sealed: &[u8]) -> Vec<u8> {
    let loopback = Loopback::new("");
    let message = AuthEnvelopedData::parse(sealed, Encoding::Der).unwrap();
    let octets = message
        .recipient_infos()
        .find_map(|info| loopback.mine(&info))
        .unwrap();
    let [_, key, _] = loopback.read(octets).unwrap();
    key
}
