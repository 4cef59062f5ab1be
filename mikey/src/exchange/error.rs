use core::fmt;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::code_points::{DataType, ErrorNo, PayloadType, PrfFunc};
use crate::crypto::{CipherError, InvalidPublicValue, MacError, SuiteError};
use crate::derive::SecretLengthError;
use crate::error::Place;
use crate::limits::MAX_PAYLOADS;
use crate::payload::{CsIdMap, ErrorPayload, Header, Payload, SecurityPolicy, TsValue};
use crate::reader::Reader;
use crate::seam::UnknownKey;
use crate::{DecodeError, EncodeError, Message, ReplayError};

/// An exchange did not go on; no key was released and no state has changed.
///
/// [`error_no`](Self::error_no) says what the peer may be told, [`error_message`] tells it.
///
/// ```
/// use mikey::code_points::ErrorNo;
/// use mikey::exchange::ExchangeError;
///
/// assert_eq!(ExchangeError::Forged.error_no(), Some(ErrorNo::AuthFailure));
/// assert_eq!(ExchangeError::Reflected.error_no(), None, "silence is due");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExchangeError {
    /// The time of the own message is not later than that of the last one.
    #[error("the time of the message is not later than that of the last one")]
    ClockNotAdvanced,
    /// The time of the message is outside of the skew window, or of a kind that is not accepted.
    #[error("the time of the message is outside of the skew window")]
    ClockSkew,
    /// The credentials could not sign, verify, seal or open.
    #[error("{0}")]
    Credentials(#[from] crate::seam::CredentialError),
    /// Own parameters cannot be written.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The message does not authenticate: forged, changed on its way, or made with another key.
    #[error("authentication failed")]
    Forged,
    /// A DH value outside of its group.
    #[error("the DH value is not one of its group")]
    InvalidDhValue,
    /// A key of a length that is not taken, or that the key wrap cannot take.
    #[error("a key has a length that cannot be used")]
    KeyLength,
    /// The octets are not a MIKEY message.
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    /// The message answers another one: CSB ID, time, PRF or crypto sessions differ.
    #[error("the message belongs to another exchange")]
    Mismatch,
    /// The message lacks a payload.
    #[error("payload {} is missing", .0.name())]
    MissingPayload(PayloadType),
    /// The peer sent an Error message. Decode it for the policies that the peer would take.
    #[error("the peer reports {}{}", .error_no.name(), if *.authenticated { "" } else { " (not authenticated)" })]
    PeerError {
        /// What it complains of.
        error_no: ErrorNo,
        /// Whether the peer is proven to have sent it; else it is a hint, and anyone may have.
        authenticated: bool,
    },
    /// The message is one of our own, sent back.
    #[error("the message is one of our own")]
    Reflected,
    /// The replay cache refused the message.
    #[error("{0}")]
    Replay(#[from] ReplayError),
    /// A payload that has no place in this message.
    #[error("payload {} has no place in this message", .0.name())]
    UnexpectedPayload(PayloadType),
    /// No key is shared with this party, or the message is for another.
    #[error("no key for this party, or not the party that was expected")]
    UnknownIdentity,
    /// Encryption that is not implemented, or must not be used here.
    #[error("encryption algorithm not supported")]
    UnsupportedCipher,
    /// A message of another exchange.
    #[error("data type {} is not for this exchange", .0.name())]
    UnsupportedDataType(DataType),
    /// A DH group that is not implemented, or not accepted.
    #[error("DH group not supported")]
    UnsupportedGroup,
    /// A MAC that is not implemented, or must not be used here.
    #[error("MAC algorithm not supported")]
    UnsupportedMac,
    /// A security policy or parameter that is not supported.
    #[error("security policy not supported")]
    UnsupportedPolicy,
    /// A PRF that is not implemented.
    #[error("PRF not supported")]
    UnsupportedPrf,
    /// RAND is shorter than 128 bits.
    #[error("RAND is shorter than 128 bits")]
    WeakRand,
}

impl ExchangeError {
    /// What an Error message says of it ([RFC 3830 §5.1.2]); `None` where silence is due: a replay,
    /// a reflection, an answer to something else, an Error message, or a fault of our own.
    ///
    /// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
    #[must_use]
    pub const fn error_no(&self) -> Option<ErrorNo> {
        Some(match self {
            Self::Credentials(_) | Self::Forged => ErrorNo::AuthFailure,
            Self::ClockSkew => ErrorNo::InvalidTs,
            Self::UnsupportedPrf => ErrorNo::InvalidPrf,
            Self::UnsupportedMac => ErrorNo::InvalidMac,
            Self::UnsupportedCipher => ErrorNo::InvalidEa,
            Self::InvalidDhValue | Self::UnsupportedGroup => ErrorNo::InvalidDh,
            Self::UnknownIdentity => ErrorNo::InvalidId,
            Self::UnsupportedPolicy => ErrorNo::InvalidSpPar,
            Self::UnsupportedDataType(_) => ErrorNo::InvalidDt,
            Self::Malformed(_) => ErrorNo::UnsupportedMessageType,
            Self::KeyLength
            | Self::MissingPayload(_)
            | Self::UnexpectedPayload(_)
            | Self::WeakRand => ErrorNo::Unspecified,
            Self::ClockNotAdvanced
            | Self::Encode(_)
            | Self::Mismatch
            | Self::PeerError { .. }
            | Self::Reflected
            | Self::Replay(_) => return None,
        })
    }
}

impl From<CipherError> for ExchangeError {
    fn from(error: CipherError) -> Self {
        match error {
            CipherError::Unwrap => Self::Forged,
            _ => Self::KeyLength,
        }
    }
}

impl From<InvalidPublicValue> for ExchangeError {
    fn from(_: InvalidPublicValue) -> Self {
        Self::InvalidDhValue
    }
}

impl From<MacError> for ExchangeError {
    fn from(_: MacError) -> Self {
        Self::Forged
    }
}

impl From<SecretLengthError> for ExchangeError {
    fn from(_: SecretLengthError) -> Self {
        Self::KeyLength
    }
}

impl From<SuiteError> for ExchangeError {
    fn from(error: SuiteError) -> Self {
        match error {
            SuiteError::Mixed => Self::UnsupportedCipher,
            SuiteError::Unauthenticated => Self::UnsupportedMac,
        }
    }
}

impl From<UnknownKey> for ExchangeError {
    fn from(_: UnknownKey) -> Self {
        Self::UnknownIdentity
    }
}

/// A step that was refused, and the state that goes on waiting ([RFC 3830 §5.1.2]: a forged answer
/// must not end an exchange).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, psk};
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
/// use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};
///
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// # let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// # let (mut of_alice, mut of_bob) = (InMemoryKeys::new(), InMemoryKeys::new());
/// # of_alice.insert(bob.clone(), Secret::new(&[0x2b; 16])?);
/// # of_bob.insert(alice.clone(), Secret::new(&[0x2b; 16])?);
/// # let now = Timestamp::from_unix(1_800_000_000, 0);
/// // The second SSRC is left to the Responder.
/// let streams = [
///     SrtpIdSession { policy_no: 0, ssrc: 0x1111_1111, roc: 0 },
///     SrtpIdSession { policy_no: 0, ssrc: 0, roc: 0 },
/// ];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// # let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let initiator = psk::Initiator::new(&of_alice, alice, bob.clone());
/// let (awaiting, message) =
///     initiator.request(&proposal, vec![tgk], MessageTime::Utc(now), &mut rng)?;
/// # let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// # let mut accepted = psk::Responder::new(&of_bob, bob).accept(&message, &mut cache, now)?;
/// # accepted.choose_ssrcs(&[0x2222_2222])?;
/// # let answer = accepted.establish()?.1.unwrap_or_default();
/// let mut forged = answer.clone();
/// forged[20] ^= 1;
/// let Err(rejected) = awaiting.accept(&forged) else { panic!("a forged answer was taken") };
/// assert_eq!(rejected.error(), ExchangeError::Forged);
///
/// let bundle = rejected.into_state().accept(&answer)?;
/// assert_eq!(bundle.sessions().len(), 2);
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
pub struct Rejected<S> {
    error: ExchangeError,
    state: Box<S>,
}

impl<S> Rejected<S> {
    pub(super) fn new(error: impl Into<ExchangeError>, state: S) -> Self {
        Self {
            error: error.into(),
            state: Box::new(state),
        }
    }

    /// Why.
    #[must_use]
    pub const fn error(&self) -> ExchangeError {
        self.error
    }

    /// The state as it was before, to wait for another message.
    #[must_use]
    pub fn into_state(self) -> S {
        *self.state
    }
}

impl<S> From<Rejected<S>> for ExchangeError {
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

/// The Error message that answers `message`, which failed with `error`, with the `policies` that
/// are supported ([RFC 3830 §5.1.2]).
///
/// `None` where silence is due: [`ExchangeError::error_no`] has no number, or `message` is an Error
/// message itself, or not enough of one to answer.
///
/// # Security
///
/// It is not authenticated, as the standard recommends for failures before authentication; what was
/// authenticated is rejected by its own state, with a MAC.
///
/// [RFC 3830 §5.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.2
#[must_use]
pub fn error_message(
    message: &[u8],
    error: ExchangeError,
    policies: &[SecurityPolicy<'_>],
) -> Option<Vec<u8>> {
    let error_no = error.error_no()?;
    let (received, time) = head(message)?;
    if received.data_type() == DataType::Error {
        return None;
    }
    let mut payloads = alloc::vec![Payload::T(time), Payload::Err(ErrorPayload::new(error_no))];
    payloads.extend(policies.iter().copied().map(Payload::Sp));
    let (prf_func, csb_id) = (received.prf_func(), received.csb_id());
    let header = error_header(prf_func, csb_id, policies).ok()?;
    Some(Message::new(header, &payloads).ok()?.to_vec())
}

/// Header and time of a message, however malformed the rest of it is.
fn head(message: &[u8]) -> Option<(Header<'_>, TsValue)> {
    let mut reader = Reader::new(message, Place::Hdr);
    let (header, mut next) = Header::parse(&mut reader).ok()?;
    let mut time = None;
    for _ in 0..MAX_PAYLOADS {
        next = Payload::parse(&mut reader, next, |payload| {
            if let Payload::T(value) = payload {
                time = Some(value);
            }
            Ok(())
        })
        .ok()?;
        if let Some(time) = time {
            return Some((header, time));
        }
    }
    None
}

/// The header of an Error message: PRF and CSB ID of the message in error, no crypto session.
pub(super) fn error_header(
    prf_func: PrfFunc,
    csb_id: u32,
    policies: &[SecurityPolicy<'_>],
) -> Result<Header<'static>, EncodeError> {
    // Policies may not stand with the Empty map, so an SRTP-ID map without entries takes its place.
    let map = if policies.is_empty() {
        CsIdMap::NONE
    } else {
        CsIdMap::SrtpId(crate::payload::SrtpIdMap::new(&[])?)
    };
    Header::new(DataType::Error, prf_func, csb_id, map)
}
