use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::code_points::PayloadType;
use crate::crypto::Iv;
use crate::derive::MessageKeys;
use crate::exchange::{ExchangeError, KeyMaterial};
use crate::payload::{Id, KeyData, Payload};
use crate::{Chain, EncodeError};

/// Encrypts keys, behind the identity of who sends them in the public-key exchanges
/// ([RFC 3830 §6.2]).
///
/// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
pub(in crate::exchange) fn seal_kemac(
    keys: &MessageKeys,
    iv: &Iv,
    sender: Option<Id<'_>>,
    material: &[KeyMaterial],
) -> Result<Vec<u8>, ExchangeError> {
    let data = material
        .iter()
        .map(KeyMaterial::to_payload)
        .collect::<Result<Vec<KeyData<'_>>, EncodeError>>()?;
    let payloads: Vec<Payload<'_>> = sender
        .map(Payload::Id)
        .into_iter()
        .chain(data.into_iter().map(Payload::KeyData))
        .collect();
    let chain = Chain::new(&payloads);
    // With room for all, so that no copy of a key is left behind by growing.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(chain.encoded_len()));
    chain.encode_encrypted(&mut *plaintext)?;
    if plaintext.is_empty() {
        return Ok(Vec::new());
    }
    Ok(keys.encrypt(iv, &plaintext)?)
}

/// Decrypts keys. Only for Encr data that is authenticated.
///
/// With `sender`, the identity in front must be that one ([RFC 3830 §3.2]).
///
/// [RFC 3830 §3.2]: https://www.rfc-editor.org/rfc/rfc3830#section-3.2
pub(in crate::exchange) fn open_kemac(
    keys: &MessageKeys,
    iv: &Iv,
    sender: Option<Id<'_>>,
    encr_data: &[u8],
) -> Result<Vec<KeyMaterial>, ExchangeError> {
    let plaintext = if encr_data.is_empty() {
        Zeroizing::new(Vec::new())
    } else {
        keys.decrypt(iv, encr_data)?
    };
    let first = if sender.is_some() {
        PayloadType::Id
    } else {
        PayloadType::KeyData
    };
    let chain = Chain::decode_encrypted(&plaintext, first)?;
    let mut payloads = chain.iter();
    if let Some(sender) = sender {
        match payloads.next() {
            Some(Payload::Id(id)) if id == sender => {}
            Some(Payload::Id(_)) => return Err(ExchangeError::UnknownIdentity),
            _ => return Err(ExchangeError::MissingPayload(PayloadType::Id)),
        }
    }
    key_material(payloads)
}

/// The keys of Encr data, where nothing else may stand by now.
pub(in crate::exchange) fn key_material<'a>(
    payloads: impl Iterator<Item = Payload<'a>>,
) -> Result<Vec<KeyMaterial>, ExchangeError> {
    payloads
        .map(|payload| match payload {
            Payload::KeyData(data) => KeyMaterial::from_payload(&data),
            other => Err(ExchangeError::UnexpectedPayload(other.payload_type())),
        })
        .collect()
}
