//! The Diffie-Hellman exchange that a pre-shared key authenticates, DHHMAC ([RFC 4650 §3]).
//!
//! ```text
//! Initiator                                               Responder
//! I_message = HDR, T, RAND, IDi, IDr, {SP}, DHi, KEMAC  -->
//!                           <--  R_message = HDR, T, IDr, IDi, DHr, DHi, KEMAC
//! ```
//!
//! The KEMAC holds a MAC and no key. Its code points are those of the IANA registry; the numbers
//! that RFC 4650 prints for NULL and HMAC-SHA-1 contradict it.
//!
//! [RFC 4650 §3]: https://www.rfc-editor.org/rfc/rfc4650#section-3

mod initiator;
mod responder;
mod update;

pub use initiator::{AwaitingResponse, Initiator};
pub use responder::{Accepted, Answering, Responder};
pub use update::AwaitingUpdate;

use alloc::vec::Vec;

use super::half_keys::HalfKey;
use super::incoming::Incoming;
use super::verification::{Context, authenticate, has_mac, read_answer, unset};
use super::{Acceptance, ExchangeError};
use crate::code_points::{DataType, EncrAlg, PayloadType};
use crate::crypto::{Cipher, Mac, Suite};
use crate::derive::MessageKeys;
use crate::payload::{CsIdMap, Header, Kemac, Payload, TsValue};
use crate::{Identity, Message};

/// What DHHMAC takes of a suite: no encryption, and a MAC that is one.
const fn check_suite(suite: Suite) -> Result<(), ExchangeError> {
    match (suite.cipher(), suite.mac()) {
        (_, Mac::Null) => Err(ExchangeError::UnsupportedMac),
        (Cipher::Null, _) => Ok(()),
        _ => Err(ExchangeError::UnsupportedCipher),
    }
}

/// Either message: `middle` stands between the identities and the half-keys.
struct Outgoing<'a> {
    data_type: DataType,
    csb_id: u32,
    time: TsValue,
    rand: Option<Payload<'a>>,
    ids: [&'a Identity; 2],
    middle: Vec<Payload<'a>>,
    half_keys: &'a [&'a HalfKey],
}

impl Outgoing<'_> {
    fn write(&self, map: CsIdMap<'_>, keys: &MessageKeys) -> Result<Vec<u8>, ExchangeError> {
        let mut payloads = alloc::vec![Payload::T(self.time)];
        payloads.extend(self.rand);
        for id in self.ids {
            payloads.push(Payload::Id(id.to_payload()?));
        }
        payloads.extend(self.middle.iter().copied());
        for half_key in self.half_keys {
            payloads.push(Payload::Dh(half_key.to_payload()?));
        }
        payloads.push(Payload::Kemac(Kemac::new(
            EncrAlg::Null,
            &[],
            unset(keys.suite().mac())?,
        )?));
        let prf_func = keys.suite().prf().prf_func();
        // A response is mandatory, whatever V says.
        let header = Header::new(self.data_type, prf_func, self.csb_id, map)?
            .expecting_response(matches!(self.data_type, DataType::DhHmacInit));
        Ok(authenticate(
            Message::new(header, &payloads)?.to_vec(),
            keys,
            &[],
        ))
    }
}

/// Reads an R_message and checks its MAC.
fn read_response<'m>(
    message: &'m [u8],
    acceptance: &Acceptance,
    context: &Context<'_>,
    keys: &MessageKeys,
) -> Result<Incoming<'m>, ExchangeError> {
    let allowed = [PayloadType::Id, PayloadType::Dh, PayloadType::Kemac];
    let data_type = DataType::DhHmacResp;
    let answer = read_answer(message, data_type, &allowed, acceptance, context, |error| {
        has_mac(error, context, keys)
    })?;
    let kemac = answer.last_kemac()?;
    if answer.suite(&kemac)? != keys.suite() || !kemac.encr_data().is_empty() {
        return Err(ExchangeError::Mismatch);
    }
    answer.check_answer_ids(context)?;
    answer.check_mac(keys, &kemac.mac())?;
    Ok(answer)
}
