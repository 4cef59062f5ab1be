//! The MACs at the end of messages, and the verification and Error messages that answer one.

use alloc::vec::Vec;

use super::error::error_header;
use super::signature::signed;
use super::{Acceptance, ExchangeError, incoming::Incoming, sessions::Sessions};
use crate::code_points::{DataType, ErrorNo, PayloadType, PrfFunc};
use crate::crypto::Mac;
use crate::derive::MessageKeys;
use crate::payload::{self, ErrorPayload, Header, Payload, SecurityPolicy, TsValue, Verification};
use crate::seam::Credentials;
use crate::{EncodeError, Identity, Message};

/// Octets of the longest MAC.
const NO_MAC_YET: [u8; 32] = [0; 32];

/// Both identities and the time, as verification messages have them behind the message
/// ([RFC 3830 §5.2]).
///
/// [RFC 3830 §5.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.2
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) initiator: &'a Identity,
    pub(super) responder: &'a Identity,
    pub(super) csb_id: u32,
    pub(super) prf_func: PrfFunc,
    pub(super) time: TsValue,
}

impl Context<'_> {
    /// The concatenation that follows the message; the time without any padding.
    pub(super) fn octets(&self) -> Vec<u8> {
        let padded = self.time.to_u64().to_be_bytes();
        let time = match self.time {
            TsValue::NtpUtc(_) | TsValue::Ntp(_) => padded.as_slice(),
            TsValue::Counter(_) => padded.get(4..).unwrap_or_default(),
            TsValue::NtpUtc32(_) => padded.get(..4).unwrap_or_default(),
        };
        [self.initiator.data(), self.responder.data(), time].concat()
    }

    /// Whether `answer` belongs to this exchange: same CSB ID, PRF and time.
    pub(super) fn check(&self, answer: &Incoming<'_>) -> Result<(), ExchangeError> {
        let header = answer.header();
        if header.csb_id() != self.csb_id
            || header.prf_func() != self.prf_func
            || answer.time() != self.time
        {
            return Err(ExchangeError::Mismatch);
        }
        Ok(())
    }
}

/// A MAC payload of the right length that is still to be computed.
pub(super) fn unset(mac: Mac) -> Result<payload::Mac<'static>, EncodeError> {
    payload::Mac::new(
        mac.mac_alg(),
        NO_MAC_YET.get(..mac.len()).unwrap_or_default(),
    )
}

/// Puts the MAC over `octets` and `behind` into the last octets, which [`unset`] has kept free.
pub(super) fn authenticate(mut octets: Vec<u8>, keys: &MessageKeys, behind: &[u8]) -> Vec<u8> {
    octets.truncate(octets.len().saturating_sub(keys.suite().mac().len()));
    let mac = keys.mac(&[&octets, behind]);
    octets.extend_from_slice(mac.as_octets());
    octets
}

/// The verification message of the pre-shared key and public-key exchanges: HDR, T, IDr, V.
pub(super) fn verification_message(
    data_type: DataType,
    context: &Context<'_>,
    sessions: &Sessions,
    keys: &MessageKeys,
) -> Result<Vec<u8>, ExchangeError> {
    let verification = Verification::new(unset(keys.suite().mac())?);
    let payloads = [
        Payload::T(context.time),
        Payload::Id(context.responder.to_payload()?),
        Payload::V(verification),
    ];
    let octets = sessions.with_map(|map| {
        let header = Header::new(data_type, context.prf_func, context.csb_id, map)?;
        Ok::<_, EncodeError>(Message::new(header, &payloads)?.to_vec())
    })??;
    Ok(authenticate(octets, keys, &context.octets()))
}

/// Checks a verification message: the sessions with what the Responder filled in.
pub(super) fn check_verification(
    octets: &[u8],
    data_type: DataType,
    acceptance: &Acceptance,
    context: &Context<'_>,
    sessions: &Sessions,
    keys: &MessageKeys,
) -> Result<Sessions, ExchangeError> {
    let answer = read_answer(
        octets,
        data_type,
        &[PayloadType::Id, PayloadType::V],
        acceptance,
        context,
        |error| has_mac(error, context, keys),
    )?;
    if answer
        .ids()
        .iter()
        .any(|id| Identity::from_payload(id) != *context.responder)
    {
        return Err(ExchangeError::UnknownIdentity);
    }
    let missing = ExchangeError::MissingPayload(PayloadType::V);
    let mac = answer.last_verification()?.ok_or(missing)?;
    check_mac(&answer, &mac, context, keys)?;
    sessions.answered(answer.header().cs_id_map())
}

/// Reads the answer to a message of ours; an Error message becomes [`ExchangeError::PeerError`], and
/// `proven` says whether it is authenticated.
pub(super) fn read_answer<'a>(
    octets: &'a [u8],
    data_type: DataType,
    allowed: &[PayloadType],
    acceptance: &Acceptance,
    context: &Context<'_>,
    proven: impl Fn(&Incoming<'_>) -> Result<bool, ExchangeError>,
) -> Result<Incoming<'a>, ExchangeError> {
    let answer = match Incoming::read(octets, acceptance, data_type, allowed) {
        Err(ExchangeError::UnsupportedDataType(DataType::Error)) => {
            return Err(peer_error(octets, acceptance, context, proven)?);
        }
        answer => answer?,
    };
    context.check(&answer)?;
    Ok(answer)
}

/// The Error message HDR, T, {ERR}, {SP}, [V|SIGNr].
fn peer_error(
    octets: &[u8],
    acceptance: &Acceptance,
    context: &Context<'_>,
    proven: impl Fn(&Incoming<'_>) -> Result<bool, ExchangeError>,
) -> Result<ExchangeError, ExchangeError> {
    let allowed = [
        PayloadType::Err,
        PayloadType::Sp,
        PayloadType::V,
        PayloadType::Sign,
    ];
    let error = Incoming::read(octets, acceptance, DataType::Error, &allowed)?;
    context.check(&error)?;
    let missing = ExchangeError::MissingPayload(PayloadType::Err);
    let error_no = error.error_no().ok_or(missing)?;
    Ok(ExchangeError::PeerError {
        error_no,
        authenticated: proven(&error)?,
    })
}

/// Whether an Error message has a MAC; it is refused if that does not hold.
pub(super) fn has_mac(
    error: &Incoming<'_>,
    context: &Context<'_>,
    keys: &MessageKeys,
) -> Result<bool, ExchangeError> {
    match error.last_verification()? {
        Some(mac) => check_mac(error, &mac, context, keys).map(|()| true),
        None => Ok(false),
    }
}

fn check_mac(
    answer: &Incoming<'_>,
    mac: &payload::Mac<'_>,
    context: &Context<'_>,
    keys: &MessageKeys,
) -> Result<(), ExchangeError> {
    if Mac::from_mac_alg(mac.alg()) != Some(keys.suite().mac()) {
        return Err(ExchangeError::UnsupportedMac);
    }
    keys.verify(
        &[answer.covered(mac.octets().len()), &context.octets()],
        mac.octets(),
    )?;
    Ok(())
}

/// The Error message that rejects what was authenticated, with a MAC where there are keys for one
/// ([RFC 3830 §5.1.2]).
///
/// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
pub(super) fn rejection(
    context: &Context<'_>,
    error_no: ErrorNo,
    policies: &[SecurityPolicy<'_>],
    keys: Option<&MessageKeys>,
) -> Result<Vec<u8>, ExchangeError> {
    let (header, mut payloads) = rejecting(context, error_no, policies)?;
    let Some(keys) = keys else {
        return Ok(Message::new(header, &payloads)?.to_vec());
    };
    payloads.push(Payload::V(Verification::new(unset(keys.suite().mac())?)));
    let octets = Message::new(header, &payloads)?.to_vec();
    Ok(authenticate(octets, keys, &context.octets()))
}

/// As [`rejection`], with a signature.
pub(super) fn signed_rejection<C: Credentials + ?Sized>(
    context: &Context<'_>,
    error_no: ErrorNo,
    policies: &[SecurityPolicy<'_>],
    credentials: &C,
) -> Result<Vec<u8>, ExchangeError> {
    let (header, payloads) = rejecting(context, error_no, policies)?;
    signed(header, &payloads, credentials)
}

/// What an Error message has before what authenticates it.
fn rejecting<'a>(
    context: &Context<'_>,
    error_no: ErrorNo,
    policies: &'a [SecurityPolicy<'a>],
) -> Result<(Header<'static>, Vec<Payload<'a>>), ExchangeError> {
    let mut payloads = alloc::vec![
        Payload::T(context.time),
        Payload::Err(ErrorPayload::new(error_no))
    ];
    payloads.extend(policies.iter().copied().map(Payload::Sp));
    let header = error_header(context.prf_func, context.csb_id, policies)?;
    Ok((header, payloads))
}
