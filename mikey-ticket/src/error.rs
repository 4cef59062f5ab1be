use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, ErrorNo, PayloadType};
use mikey::crypto::{CipherError, MacError};
use mikey::derive::SecretLengthError;
use mikey::exchange::ExchangeError;
use mikey::{CredentialError, DecodeError, EncodeError, ReplayError, UnknownKey};

use crate::{PolicyError, TicketKeyError};

/// A MIKEY-TICKET exchange did not go on; no key was released and no state has changed.
///
/// [`error_no`](Self::error_no) says what the peer may be told ([RFC 6043 §5.4]).
///
/// ```
/// use mikey::code_points::ErrorNo;
/// use mikey_ticket::TicketError;
///
/// assert_eq!(TicketError::Expired.error_no(), Some(ErrorNo::InvalidTicket));
/// assert_eq!(TicketError::Reflected.error_no(), None, "silence is due");
/// ```
///
/// [RFC 6043 §5.4]: https://www.rfc-editor.org/rfc/rfc6043#section-5.4
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TicketError {
    /// The time of the message is outside of the skew window, or is no clock time.
    #[error("the time of the message is outside of the skew window")]
    ClockSkew,
    /// The envelope (PKE) of a signed message does not open with a key of this KMS. Its sender is not
    /// told: it gets an answer that nobody can read.
    #[error("the envelope does not open")]
    EnvelopeUnreadable,
    /// Own parameters cannot be written.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The validity period of the ticket is over.
    #[error("the ticket has expired")]
    Expired,
    /// The ticket is of another KMS, and is not resolved there for this sender
    /// ([RFC 6043 §10](https://www.rfc-editor.org/rfc/rfc6043#section-10)).
    #[error("the ticket is of another KMS")]
    ForeignTicket,
    /// A message or ticket does not authenticate: forged, changed on its way, or of another key.
    #[error("authentication failed")]
    Forged,
    /// A key of a length that is not taken, or longer than the algorithms may carry.
    #[error("a key has a length that cannot be used")]
    KeyLength,
    /// The own private key cannot be used, or no certificate of the KMS is one that can be.
    #[error("the own key cannot be used")]
    KeyUnavailable,
    /// The octets are not a MIKEY message or ticket.
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    /// The message answers another one: CSB ID, crypto sessions or parties differ.
    #[error("the message belongs to another exchange")]
    Mismatch,
    /// The message lacks a payload.
    #[error("payload {} is missing", .0.name())]
    MissingPayload(PayloadType),
    /// Algorithms of 128 and of 256 bits meet, or are not those of the header
    /// ([RFC 6043 §12.1](https://www.rfc-editor.org/rfc/rfc6043#section-12.1)).
    #[error("algorithms with 128-bit and with 256-bit keys are mixed")]
    MixedStrength,
    /// The KMS does not allow it.
    #[error("the policy of the KMS does not allow it")]
    NotAuthorised,
    /// The validity period of the ticket has not begun.
    #[error("the ticket is not valid yet")]
    NotYetValid,
    /// The peer sent an Error message.
    #[error("the peer reports {}{}", .error_no.name(), if *.authenticated { "" } else { " (not authenticated)" })]
    PeerError {
        /// What it complains of.
        error_no: ErrorNo,
        /// Whether the peer is proven to have sent it; else it is a hint, and anyone may have.
        authenticated: bool,
    },
    /// A Ticket Policy that breaks the rules of the standard, or is not the one asked for.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// The message is one of our own, sent back.
    #[error("the message is one of our own")]
    Reflected,
    /// New keys were due before now (TRr,
    /// [RFC 6043 §6.10](https://www.rfc-editor.org/rfc/rfc6043#section-6.10)).
    #[error("new keys are overdue")]
    RekeyingOverdue,
    /// The replay cache refused the message.
    #[error("{0}")]
    Replay(#[from] ReplayError),
    /// The TPK of the ticket is unknown or revoked.
    #[error("{0}")]
    TicketKey(#[from] TicketKeyError),
    /// The ticket was used before and must not be used again (J flag).
    #[error("the ticket must not be used again")]
    TicketUsed,
    /// A payload that has no place in this message.
    #[error("payload {} has no place in this message", .0.name())]
    UnexpectedPayload(PayloadType),
    /// No key is shared with this party, or the message is for or from another.
    #[error("no key for this party, or not the party that was expected")]
    UnknownIdentity,
    /// The KMS whose ticket it is has not resolved it.
    #[error("the KMS that issued the ticket did not resolve it")]
    Unresolved,
    /// A message of another exchange.
    #[error("data type {} is not for this step", .0.name())]
    UnsupportedDataType(DataType),
    /// A MAC that is not implemented.
    #[error("MAC algorithm not supported")]
    UnsupportedMac,
    /// A PRF that is not implemented.
    #[error("PRF not supported")]
    UnsupportedPrf,
    /// Crypto sessions or Security Policies that do not fit one another.
    #[error("crypto sessions or security policies are not acceptable")]
    UnsupportedSessions,
    /// A signature algorithm that is not implemented, or not allowed.
    #[error("signature algorithm not supported")]
    UnsupportedSignature,
    /// A ticket of a type that is not implemented.
    #[error("ticket type not supported")]
    UnsupportedTicket,
    /// A RAND is shorter than the keys that are derived with it.
    #[error("RAND is too short")]
    WeakRand,
    /// The ticket is not for this application (IDRapp).
    #[error("the ticket is not for this application")]
    WrongApplication,
    /// The ticket does not name this Responder (IDRr).
    #[error("the ticket is not for this responder")]
    WrongRecipient,
}

impl TicketError {
    /// What an Error message says of it; `None` where silence is due: a replay, a reflection, an
    /// answer to something else, an Error message, or a fault of our own.
    #[must_use]
    pub const fn error_no(&self) -> Option<ErrorNo> {
        Some(match self {
            Self::Forged => ErrorNo::AuthFailure,
            Self::ClockSkew => ErrorNo::InvalidTs,
            Self::UnsupportedPrf => ErrorNo::InvalidPrf,
            Self::UnsupportedMac => ErrorNo::InvalidMac,
            Self::MixedStrength => ErrorNo::InvalidEa,
            Self::NotAuthorised | Self::UnknownIdentity | Self::WrongRecipient => {
                ErrorNo::InvalidId
            }
            Self::UnsupportedSessions => ErrorNo::InvalidSpPar,
            Self::UnsupportedDataType(_) => ErrorNo::InvalidDt,
            Self::Malformed(_) => ErrorNo::UnsupportedMessageType,
            Self::UnsupportedSignature => ErrorNo::InvalidCert,
            Self::Expired
            | Self::ForeignTicket
            | Self::NotYetValid
            | Self::TicketKey(_)
            | Self::UnsupportedTicket
            | Self::WrongApplication => ErrorNo::InvalidTicket,
            Self::Policy(_) | Self::RekeyingOverdue => ErrorNo::InvalidTpPar,
            Self::KeyLength
            | Self::KeyUnavailable
            | Self::MissingPayload(_)
            | Self::UnexpectedPayload(_)
            | Self::Unresolved
            | Self::WeakRand => ErrorNo::Unspecified,
            Self::Encode(_)
            | Self::EnvelopeUnreadable
            | Self::Mismatch
            | Self::PeerError { .. }
            | Self::Reflected
            | Self::Replay(_)
            | Self::TicketUsed => return None,
        })
    }
}

impl From<CipherError> for TicketError {
    fn from(_: CipherError) -> Self {
        Self::KeyLength
    }
}

impl From<CredentialError> for TicketError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Unavailable => Self::KeyUnavailable,
            CredentialError::UnknownPeer => Self::UnknownIdentity,
            CredentialError::Unsupported => Self::UnsupportedSignature,
            _ => Self::Forged,
        }
    }
}

impl From<MacError> for TicketError {
    fn from(_: MacError) -> Self {
        Self::Forged
    }
}

impl From<SecretLengthError> for TicketError {
    fn from(_: SecretLengthError) -> Self {
        Self::KeyLength
    }
}

impl From<UnknownKey> for TicketError {
    fn from(_: UnknownKey) -> Self {
        Self::UnknownIdentity
    }
}

impl From<ExchangeError> for TicketError {
    /// Of reading Key data, the only thing that is asked of `mikey`'s exchanges.
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::UnexpectedPayload(payload) => Self::UnexpectedPayload(payload),
            _ => Self::KeyLength,
        }
    }
}

/// A step that was refused, and the state that goes on waiting: a forged answer must not end an
/// exchange ([RFC 3830 §5.1.2]).
///
/// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
pub struct Rejected<S> {
    error: TicketError,
    state: Box<S>,
}

impl<S> Rejected<S> {
    pub(crate) fn new(error: TicketError, state: S) -> Self {
        Self {
            error,
            state: Box::new(state),
        }
    }

    /// Why.
    #[must_use]
    pub const fn error(&self) -> TicketError {
        self.error
    }

    /// The state as it was before, to wait for another message.
    #[must_use]
    pub fn into_state(self) -> S {
        *self.state
    }
}

impl<S> From<Rejected<S>> for TicketError {
    fn from(rejected: Rejected<S>) -> Self {
        rejected.error
    }
}

impl<S> fmt::Debug for Rejected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rejected").field(&self.error).finish()
    }
}

impl<S> fmt::Display for Rejected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<S> core::error::Error for Rejected<S> {}

/// A message was refused; nothing has changed. The Error message tells the peer, where that is due
/// ([RFC 6043 §5.4]).
///
/// [RFC 6043 §5.4]: https://www.rfc-editor.org/rfc/rfc6043#section-5.4
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    error: TicketError,
    message: Option<Vec<u8>>,
}

impl Refusal {
    pub(crate) const fn new(error: TicketError, message: Option<Vec<u8>>) -> Self {
        Self { error, message }
    }

    /// Why.
    #[must_use]
    pub const fn error(&self) -> TicketError {
        self.error
    }

    /// The Error message to send; `None` where silence is due.
    #[must_use]
    pub fn message(&self) -> Option<&[u8]> {
        self.message.as_deref()
    }
}

impl From<Refusal> for TicketError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}
