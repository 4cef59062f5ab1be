//! The Diffie-Hellman exchange that signatures authenticate ([RFC 3830 §3.3]).
//!
//! ```text
//! Initiator                                                     Responder
//! I_MESSAGE = HDR, T, RAND, IDi, {CERTi}, IDr, {SP}, DHi, SIGNi  -->
//!                       <--  R_MESSAGE = HDR, T, IDr, {CERTr}, IDi, DHr, DHi, SIGNr
//! ```
//!
//! [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3

mod initiator;
mod responder;
mod update;

pub use initiator::{AwaitingResponse, Initiator};
pub use responder::{Accepted, Answering, Responder};
pub use update::AwaitingUpdate;

use super::incoming::Incoming;
use super::verification::{Context, read_answer};
use super::{Acceptance, ExchangeError};
use crate::code_points::{DataType, PayloadType};
use crate::seam::Credentials;

/// Reads an R_MESSAGE and checks its signature.
fn read_response<'m, C: Credentials + ?Sized>(
    message: &'m [u8],
    acceptance: &Acceptance,
    context: &Context<'_>,
    credentials: &C,
) -> Result<Incoming<'m>, ExchangeError> {
    use PayloadType::{Cert, Dh, Id, Sign};
    let allowed = [Id, Cert, Dh, Sign];
    let answer = read_answer(
        message,
        DataType::DhResp,
        &allowed,
        acceptance,
        context,
        |error| error.is_signed(context.responder, credentials),
    )?;
    answer.check_answer_ids(context)?;
    answer.check_signature(context.responder, credentials)?;
    Ok(answer)
}
