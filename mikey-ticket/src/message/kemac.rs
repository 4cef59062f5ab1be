use alloc::vec::Vec;

use mikey::Chain;
use mikey::code_points::{KeyDataType, MacAlg, PayloadType};
use mikey::crypto::Iv;
use mikey::derive::{MessageKeys, Secret};
use mikey::exchange::KeyMaterial;
use mikey::payload::{Kemac, KeyData, KeyValidity, Payload};
use zeroize::Zeroizing;

use crate::TicketError;

/// MPKs have no use for an SPI, but every key must have one
/// ([RFC 6043 §6.2.1](https://www.rfc-editor.org/rfc/rfc6043#section-6.2.1)): their number.
const MPK_SPIS: [&[u8]; 2] = [&[0], &[1]];

/// What a KEMAC of RFC 6043 holds.
pub(crate) struct Keys {
    pub(crate) mpks: Vec<Secret>,
    pub(crate) keys: Vec<KeyMaterial>,
}

impl Keys {
    /// The session keys of a message between users, who have no MPK to tell.
    pub(crate) fn without_mpk(self) -> Result<Vec<KeyMaterial>, TicketError> {
        if self.mpks.is_empty() {
            Ok(self.keys)
        } else {
            Err(TicketError::UnexpectedPayload(PayloadType::KeyData))
        }
    }
}

/// Encrypts MPKs and session keys; empty without any.
pub(crate) fn seal_kemac(
    message_keys: &MessageKeys,
    iv: &Iv,
    mpks: &[&Secret],
    keys: &[KeyMaterial],
) -> Result<Vec<u8>, TicketError> {
    let suite = message_keys.suite();
    let mut payloads = Vec::with_capacity(mpks.len() + keys.len());
    for (mpk, spi) in mpks.iter().zip(MPK_SPIS) {
        let validity = KeyValidity::from_spi(spi)?;
        let data = KeyData::new(KeyDataType::Mpk, mpk.expose(), None, validity)?;
        payloads.push(Payload::KeyData(data));
    }
    for key in keys {
        if !suite.allows_session_key_of(key.key().expose().len()) {
            return Err(TicketError::KeyLength);
        }
        payloads.push(Payload::KeyData(key.to_payload()?));
    }
    let chain = Chain::new(&payloads);
    let mut plain = Zeroizing::new(Vec::with_capacity(chain.encoded_len()));
    chain.encode_encrypted(&mut *plain)?;
    Ok(message_keys.encrypt(iv, &plain)?)
}

/// Decrypts what [`seal_kemac`] has sealed. Only behind the MAC of the message.
pub(crate) fn open_kemac(
    message_keys: &MessageKeys,
    iv: &Iv,
    kemac: &Kemac<'_>,
) -> Result<Keys, TicketError> {
    let suite = message_keys.suite();
    if kemac.encr_alg() != suite.cipher().encr_alg() {
        return Err(TicketError::MixedStrength);
    }
    if kemac.mac().alg() != MacAlg::Null {
        return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
    }
    let plain = message_keys.decrypt(iv, kemac.encr_data())?;
    let chain = Chain::decode_encrypted(&plain, PayloadType::KeyData)?;
    let mut found = Keys {
        mpks: Vec::new(),
        keys: Vec::new(),
    };
    for data in chain.keys() {
        if !suite.allows_session_key_of(data.key().len()) {
            return Err(TicketError::KeyLength);
        }
        if data.key_type() == KeyDataType::Mpk {
            found.mpks.push(Secret::new(data.key())?);
        } else {
            found.keys.push(KeyMaterial::from_payload(&data)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;
    use crate::derive::transfer_keys;
    use crate::message::rands;
    use mikey::derive::TicketMessage;

    /// Only a KMS has MPKs to tell.
    #[test]
    fn mpks_are_no_session_keys() {
        let (mpk, iv) = (
            Secret::new(&[1; 16]).unwrap(),
            Iv {
                csb_id: 1,
                timestamp: [2; 8],
            },
        );
        let (rands, response) = (rands(&[3; 16], &[]).unwrap(), TicketMessage::Response);
        let keys = transfer_keys(Strength::Bits128, &mpk, response, 1, rands).unwrap();
        for (mpks, allowed) in [(&[][..], true), (&[&mpk][..], false)] {
            let sealed = seal_kemac(&keys, &iv, mpks, &[]).unwrap();
            let kemac = Kemac::new(
                keys.suite().cipher().encr_alg(),
                &sealed,
                mikey::payload::Mac::NULL,
            );
            let opened = open_kemac(&keys, &iv, &kemac.unwrap());
            assert_eq!(opened.and_then(Keys::without_mpk).is_ok(), allowed);
        }
    }
}
