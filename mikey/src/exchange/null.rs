//! MIKEY-NULL: one message without encryption and MAC, inside a channel that is secured by
//! something else ([RFC 3830 §4.2.3], [§4.2.4]). RTSP over TLS and ONVIF use it.
//!
//! # Security
//!
//! Whoever reads the channel has the keys, and whoever writes it chooses them. Neither side is
//! authenticated, and nothing keeps a message from being replayed; the channel must do all of it.
//!
//! [RFC 3830 §4.2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.3
//! [§4.2.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.4

use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::incoming::Incoming;
use super::psk::{fresh_rand, key_material};
use super::{Acceptance, Bundle, ExchangeError, KeyKind, KeyMaterial, Proposal};
use crate::code_points::{DataType, EncrAlg, MacAlg, PayloadType};
use crate::derive::{CsbDerivation, Prf};
use crate::payload::{Header, Kemac, Mac, Payload, Rand};
use crate::{Chain, EncodeError, Identity, Message, MessageTime, Timestamp};

/// The message for the other end of a secured channel, and the bundle of this end.
///
/// `local` is put into the message where it is given; the other end must not rely on it.
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{Acceptance, ExchangeError, KeyKind, KeyMaterial, Proposal, null};
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
/// use mikey::{MessageTime, Timestamp};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// let tek = KeyMaterial::new(KeyKind::Tek, Secret::new(&[7; 16])?).with_salt(&[8; 14]);
/// let (server, message) =
///     null::send_in_secured_channel(&proposal, vec![tek], None, MessageTime::Utc(now), &mut rng)?;
///
/// let client = null::receive_in_secured_channel(&message, &Acceptance::new(), now)?;
/// assert_eq!(client.keys()[0].key().expose(), [7; 16]);
/// assert_eq!(client.peer(), None);
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// # Errors
///
/// [`ExchangeError::MissingPayload`] without a key; [`ExchangeError::Encode`] for what cannot be
/// written.
pub fn send_in_secured_channel<R: CryptoRng>(
    proposal: &Proposal<'_>,
    material: Vec<KeyMaterial>,
    local: Option<&Identity>,
    time: MessageTime,
    rng: &mut R,
) -> Result<(Bundle, Vec<u8>), ExchangeError> {
    if material.is_empty() {
        return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
    }
    let csb_id = proposal.draw_csb_id(rng);
    let rand = fresh_rand(Prf::Mikey1, rng);
    let data = material
        .iter()
        .map(|key| key.to_payload().map(Payload::KeyData))
        .collect::<Result<Vec<Payload<'_>>, EncodeError>>()?;
    let chain = Chain::new(&data);
    // With room for all, so that no copy of a key is left behind by growing.
    let mut key_data = Zeroizing::new(Vec::with_capacity(chain.encoded_len()));
    chain.encode_encrypted(&mut *key_data)?;
    let mut payloads = alloc::vec![
        Payload::T(time.to_payload()),
        Payload::Rand(Rand::new(&rand)?)
    ];
    if let Some(local) = local {
        payloads.push(Payload::Id(local.to_payload()?));
    }
    payloads.extend(proposal.payloads());
    payloads.push(Payload::Kemac(Kemac::new(
        EncrAlg::Null,
        &key_data,
        Mac::NULL,
    )?));
    let prf_func = Prf::Mikey1.prf_func();
    let header = Header::new(DataType::PreShared, prf_func, csb_id, proposal.cs_id_map())?;
    let octets = Message::new(header, &payloads)?.to_vec();
    drop(payloads);
    drop(data);
    let bundle = Bundle {
        keys: material,
        ..Bundle::proposed(
            DataType::PreShared,
            None,
            csb_id,
            CsbDerivation::rfc3830(Prf::Mikey1, csb_id, &rand),
            proposal,
            time,
        )
    };
    Ok((bundle, octets))
}

/// The bundle of a message that came through a secured channel.
///
/// Time is checked unless [`Quirks::foreign_timestamps`](crate::Quirks::foreign_timestamps) is
/// borne; RAND may be missing where no key is derived.
///
/// # Errors
///
/// [`ExchangeError::UnsupportedCipher`] or [`ExchangeError::UnsupportedMac`] for a message that is
/// protected, which is for [`psk::Responder`](super::psk::Responder); another one for a message
/// that is no such message.
pub fn receive_in_secured_channel(
    message: &[u8],
    acceptance: &Acceptance,
    now: Timestamp,
) -> Result<Bundle, ExchangeError> {
    use PayloadType::{Id, Kemac, Rand, Sp};
    let allowed = [Rand, Id, Sp, Kemac];
    let init = Incoming::read(message, acceptance, DataType::PreShared, &allowed)?;
    let kemac = init.last_kemac()?;
    if kemac.encr_alg() != EncrAlg::Null {
        return Err(ExchangeError::UnsupportedCipher);
    }
    if kemac.mac().alg() != MacAlg::Null {
        return Err(ExchangeError::UnsupportedMac);
    }
    let prf = init.prf()?;
    let time = MessageTime::from_payload(init.time(), now);
    if !acceptance.reading().quirks().foreign_timestamps {
        acceptance.check_time(time, now)?;
    }
    let chain = Chain::decode_encrypted(kemac.encr_data(), PayloadType::KeyData)?;
    let keys = key_material(chain.iter())?;
    if keys.is_empty() {
        return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
    }
    let derives = keys.iter().any(|key| key.kind() != KeyKind::Tek);
    let rand = if derives {
        init.fresh_rand()?
    } else {
        init.rand().unwrap_or_default()
    };
    let csb_id = init.header().csb_id();
    Ok(Bundle {
        keys,
        ..Bundle::received(&init, None, CsbDerivation::rfc3830(prf, csb_id, rand), time)
    })
}
