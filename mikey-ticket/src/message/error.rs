use alloc::vec::Vec;

use mikey::code_points::{DataType, ErrorNo, IdRole, PayloadType};
use mikey::derive::MessageKeys;
use mikey::payload::{CsIdMap, ErrorPayload, GenericIdMap, Header, Payload, SecurityPolicy};
use mikey::{Identity, Message, Timestamp};

use super::{RULES, Received, fresh_time, seal};
use crate::policy::idr;
use crate::{Strength, TicketError};

/// An Error message, authenticated if there are keys, naming `identity` if it is given.
pub(crate) fn error_message(
    message: &Message<'_>,
    error: TicketError,
    keys: Option<&MessageKeys>,
    identity: Option<&Identity>,
    now: Timestamp,
) -> Option<Vec<u8>> {
    error_report(message, error.error_no()?, keys, identity, now)
}

/// As [`error_message`], of what another has complained of.
pub(crate) fn error_report(
    message: &Message<'_>,
    error_no: ErrorNo,
    keys: Option<&MessageKeys>,
    identity: Option<&Identity>,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let header = message.header();
    if header.data_type() == DataType::Error {
        return None;
    }
    let (prf_func, csb_id) = (header.prf_func(), header.csb_id());
    let header = Header::new(DataType::Error, prf_func, csb_id, CsIdMap::NONE).ok()?;
    let mut payloads = alloc::vec![
        Payload::T(fresh_time(now)),
        Payload::Err(ErrorPayload::new(error_no)),
    ];
    if let Some(identity) = identity {
        payloads.push(idr(IdRole::Responder, identity).ok()?);
    }
    match keys {
        Some(keys) => seal(header, payloads, keys, &[]).ok(),
        None => Some(Message::new(header, &payloads).ok()?.to_vec()),
    }
}

/// An Error message that refuses the policies of `message`, and says which are supported.
pub(crate) fn policies_error(
    message: &Message<'_>,
    supported: &[SecurityPolicy<'_>],
    now: Timestamp,
) -> Result<Vec<u8>, TicketError> {
    let (prf_func, csb_id) = (message.header().prf_func(), message.header().csb_id());
    // No sessions; but of a kind that policies may stand beside, as they may not with the Empty map.
    let map = CsIdMap::GenericId(GenericIdMap::new(&[])?);
    let header = Header::new(DataType::Error, prf_func, csb_id, map)?;
    let mut payloads = alloc::vec![
        Payload::T(fresh_time(now)),
        Payload::Err(ErrorPayload::new(ErrorNo::InvalidSp)),
    ];
    payloads.extend(supported.iter().copied().map(Payload::Sp));
    Ok(Message::new(header, &payloads)?.to_vec())
}

/// The Error message for octets that may be no message at all.
pub(crate) fn error_for(octets: &[u8], error: TicketError, now: Timestamp) -> Option<Vec<u8>> {
    match (RULES.decode(octets), error) {
        (Ok(message), _) => error_message(&message, error, None, None, now),
        (Err(_), TicketError::Malformed(decode)) => {
            mikey::exchange::error_message(octets, decode.into(), &[])
        }
        (Err(_), _) => None,
    }
}

/// Reads the answer to our message of `csb_id`: an Error message becomes an error, whose MAC is
/// looked at under the keys of our message.
pub(crate) fn read_answer<'a>(
    octets: &'a [u8],
    data_type: DataType,
    ours: &[u8],
    strength: Strength,
    keys: &MessageKeys,
) -> Result<Received<'a>, TicketError> {
    if octets == ours {
        return Err(TicketError::Reflected);
    }
    let message = RULES.decode(octets)?;
    let sent = RULES.decode(ours)?;
    if message.header().csb_id() != sent.header().csb_id() {
        return Err(TicketError::Mismatch);
    }
    if message.header().data_type() == DataType::Error {
        let error = message.payloads().find_map(|payload| match payload {
            Payload::Err(error) => Some(error.error_no()),
            _ => None,
        });
        let error_no = error.ok_or(TicketError::MissingPayload(PayloadType::Err))?;
        let received = Received::of(octets, message, DataType::Error);
        let authenticated = received.is_ok_and(|error| error.verify(keys, &[]).is_ok());
        return Err(TicketError::PeerError {
            error_no,
            authenticated,
        });
    }
    let received = Received::of(octets, message, data_type)?;
    if received.strength() != strength {
        return Err(TicketError::MixedStrength);
    }
    Ok(received)
}
