//! What all messages have in common: the MAC or signature at the end, the KEMAC, the checks on receipt.

mod error;
mod kemac;
mod received;
mod resolved;
mod sealing;

use core::ops::Range;

use mikey::code_points::DataType;
use mikey::crypto::Iv;
use mikey::derive::Rands;
use mikey::payload::{Payload, TsValue};
use mikey::{EncodeError, Message, Quirks, Rules, Timestamp};
use rand_core::CryptoRng;

use crate::TicketError;

pub(crate) use error::{error_for, error_message, error_report, policies_error, read_answer};
pub(crate) use kemac::{Keys, open_kemac, seal_kemac};
pub(crate) use received::{Received, VerificationMac, is_signed};
pub(crate) use resolved::Resolved;
pub(crate) use sealing::{seal, sign};

/// A TLS session may name a dummy policy (TR 33.829 §D.1, editor's note): the profile looks at it.
pub(crate) const RULES: Rules = Rules::STRICT.with_quirks(Quirks {
    dummy_tls_policy: true,
    ..Quirks::NONE
});

/// The low bits of a time in NTP format that are less than a millisecond.
const SUB_MILLISECOND: u64 = (1 << 22) - 1;

pub(crate) fn iv(csb_id: u32, time: TsValue) -> Iv {
    let timestamp = time.to_u64().to_be_bytes();
    Iv { csb_id, timestamp }
}

pub(crate) fn fresh_time(now: Timestamp) -> TsValue {
    TsValue::NtpUtc(u64::from_be_bytes(now.ntp()))
}

/// RANDs that a derivation takes; both missing is refused.
pub(crate) fn rands<'a>(
    initiator: &'a [u8],
    responder: &'a [u8],
) -> Result<Rands<'a>, TicketError> {
    Ok(Rands::new(initiator, responder).ok_or(EncodeError::TooLong)?)
}

/// The time of an answer of a KMS: now, but for less than a millisecond, which is random.
///
/// Two nodes that answer copies of one message at one time derive the same keys for it; the time is
/// all that is left to tell their IVs apart.
pub(crate) fn answer_time<R: CryptoRng + ?Sized>(now: Timestamp, rng: &mut R) -> TsValue {
    let whole = fresh_time(now).to_u64() & !SUB_MILLISECOND;
    TsValue::NtpUtc(whole | rng.next_u64() & SUB_MILLISECOND)
}

/// What the MAC of a TRANSFER_INIT leaves out: length and octets of the Initiator Data
/// ([RFC 6043 §5.5](https://www.rfc-editor.org/rfc/rfc6043#section-5.5)). Nothing, in others.
fn hole(message: &Message<'_>) -> Range<usize> {
    let transfer = message.header().data_type() == DataType::TransferInit;
    let ticket = message
        .located()
        .find_map(|(range, payload)| match payload {
            Payload::Ticket(ticket) if transfer => Some((range, ticket)),
            _ => None,
        });
    match ticket {
        Some((range, ticket)) => range.end.saturating_sub(ticket.initiator_part_len())..range.end,
        None => 0..0,
    }
}

fn covered<'a>(octets: &'a [u8], hole: &Range<usize>, mac_len: usize) -> [&'a [u8]; 2] {
    let end = octets.len().saturating_sub(mac_len);
    let front = octets.get(..hole.start).unwrap_or_default();
    let back = octets.get(hole.end..end).unwrap_or_default();
    [front, back]
}
