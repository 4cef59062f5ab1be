//! Signatures at the end of messages, and the KEMAC that an envelope key protects.

use alloc::vec::Vec;

use super::incoming::Incoming;
use super::psk::{open_kemac, seal_kemac};
use super::verification::{authenticate, unset};
use super::{ExchangeError, KeyMaterial};
use crate::code_points::{EncrAlg, MacAlg, PayloadType};
use crate::crypto::{self, Cipher, Iv, Suite};
use crate::derive::{Label, MessageKeys, Secret};
use crate::payload::{Header, Kemac, Mac, Payload, Sign};
use crate::seam::{CredentialError, Credentials};
use crate::{Chain, Identity, Message};

/// Writes a message whose last payload is the signature over all before it.
pub(super) fn signed<C: Credentials + ?Sized>(
    header: Header<'_>,
    payloads: &[Payload<'_>],
    credentials: &C,
) -> Result<Vec<u8>, ExchangeError> {
    let len = credentials.signature_len();
    let unset = alloc::vec![0; len];
    let sign = Payload::Sign(Sign::new(credentials.s_type(), &unset)?);
    let payloads = [payloads, &[sign]].concat();
    let mut octets = Message::new(header, &payloads)?.to_vec();
    octets.truncate(octets.len().saturating_sub(len));
    let signature = credentials.sign(&[&octets])?;
    put_signature(octets, &signature, len)
}

/// Appends a signature of the length that was announced.
pub(super) fn put_signature(
    mut octets: Vec<u8>,
    signature: &[u8],
    len: usize,
) -> Result<Vec<u8>, ExchangeError> {
    if signature.len() != len {
        return Err(CredentialError::Unavailable.into());
    }
    octets.extend_from_slice(signature);
    Ok(octets)
}

/// The keys of a message whose secret is an envelope key ([RFC 3830 §4.1.4]).
///
/// [RFC 3830 §4.1.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.4
pub(super) fn envelope_keys(
    envelope_key: &Secret,
    suite: Suite,
    csb_id: u32,
    rand: &[u8],
) -> Result<MessageKeys, ExchangeError> {
    MessageKeys::derive(
        suite,
        |key| Label::message_key(key, csb_id, rand),
        |label, out| {
            suite
                .prf()
                .derive(envelope_key.expose(), label.as_octets(), out);
            Ok(())
        },
    )
}

/// A fresh envelope key, as long as the keys of the suite.
pub(super) fn fresh_envelope_key<R: rand_core::CryptoRng>(
    suite: Suite,
    rng: &mut R,
) -> Result<Secret, ExchangeError> {
    if suite.cipher() == Cipher::Null {
        return Err(ExchangeError::UnsupportedCipher);
    }
    Ok(Secret::random(suite.cipher().key_len(), rng)?)
}

/// The KEMAC `E(encr_key, ID || {TGK}) || MAC` of the public-key exchanges, owned.
pub(super) struct EnvelopedKeys {
    encr_alg: EncrAlg,
    encr_data: Vec<u8>,
    mac_alg: MacAlg,
    mac: Vec<u8>,
}

impl EnvelopedKeys {
    /// The MAC covers the KEMAC alone, as if it were the last payload ([RFC 3830 §5.2]). With the
    /// key wrap there is none: it protects itself, and the signature covers it ([§4.2.3]).
    ///
    /// [RFC 3830 §5.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.2
    /// [§4.2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.3
    pub(super) fn seal(
        keys: &MessageKeys,
        iv: &Iv,
        sender: &Identity,
        material: &[KeyMaterial],
    ) -> Result<Self, ExchangeError> {
        let suite = keys.suite();
        let encr_alg = suite.cipher().encr_alg();
        let encr_data = seal_kemac(keys, iv, Some(sender.to_payload()?), material)?;
        if suite.cipher() == Cipher::AesKw128 {
            return Ok(Self {
                encr_alg,
                encr_data,
                mac_alg: MacAlg::Null,
                mac: Vec::new(),
            });
        }
        let alone = Kemac::new(encr_alg, &encr_data, unset(suite.mac())?)?;
        let octets = authenticate(alone_octets(&alone), keys, &[]);
        let mac = octets.get(octets.len().saturating_sub(suite.mac().len())..);
        let mac = mac.unwrap_or_default().to_vec();
        Ok(Self {
            encr_alg,
            encr_data,
            mac_alg: suite.mac().mac_alg(),
            mac,
        })
    }

    pub(super) fn to_payload(&self) -> Result<Kemac<'_>, ExchangeError> {
        let mac = Mac::new(self.mac_alg, &self.mac)?;
        Ok(Kemac::new(self.encr_alg, &self.encr_data, mac)?)
    }
}

/// The suite of a message with `kemac`. Where the key wrap has no MAC the verification message still
/// has the default one.
pub(super) fn enveloped_suite(
    message: &Incoming<'_>,
    kemac: &Kemac<'_>,
) -> Result<Suite, ExchangeError> {
    let suite = if (kemac.encr_alg(), kemac.mac().alg()) == (EncrAlg::AesKw128, MacAlg::Null) {
        Suite::new(message.prf()?, Cipher::AesKw128, crypto::Mac::HmacSha1_160)?
    } else {
        message.suite(kemac)?
    };
    match suite.cipher() {
        Cipher::Null => Err(ExchangeError::UnsupportedCipher),
        _ => Ok(suite),
    }
}

/// The keys that `sender` has put into the envelope and the KEMAC of `message`, and the keys that
/// protect them. Only for a message whose signature is verified.
///
/// Whether the envelope or what it protects failed is not told apart.
pub(super) fn open_enveloped<C: Credentials + ?Sized>(
    message: &Incoming<'_>,
    sender: &Identity,
    suite: Suite,
    (iv, rand): (&Iv, &[u8]),
    credentials: &C,
) -> Result<(MessageKeys, Vec<KeyMaterial>), ExchangeError> {
    let (kemac, pke) = (message.kemac()?, message.pke()?);
    let sender = sender.to_payload()?;
    let open = || {
        let envelope_key = credentials.open_envelope(message.cert_hash(), pke.data())?;
        let keys = envelope_keys(&envelope_key, suite, iv.csb_id, rand)?;
        // Without a MAC it is the key wrap that fails, see `enveloped_suite`.
        if kemac.mac().alg() != MacAlg::Null {
            let mac = kemac.mac().octets();
            let octets = alone_octets(&kemac);
            let covered = octets.get(..octets.len().saturating_sub(mac.len()));
            keys.verify(&[covered.unwrap_or_default()], mac)?;
        }
        let material = open_kemac(&keys, iv, Some(sender), kemac.encr_data())?;
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        Ok((keys, material))
    };
    open().map_err(|_| ExchangeError::Forged)
}

fn alone_octets(kemac: &Kemac<'_>) -> Vec<u8> {
    let payloads = [Payload::Kemac(*kemac)];
    let chain = Chain::new(&payloads);
    let mut octets = Vec::with_capacity(chain.encoded_len());
    chain.encode(&mut octets);
    octets
}
