use srtp::keying::KeyingError;

/// One `a=crypto` line cannot be used; other lines are not touched by that.
///
/// Says which rule the line breaks and where, never what stands there.
///
/// ```
/// use sdes::{Attribute, Rule};
///
/// let error = Attribute::parse("a=crypto:01 AES_CM_128_HMAC_SHA1_80 inline:x").unwrap_err();
/// assert_eq!((error.rule, error.offset), (Rule::Tag, 9));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("octet {offset}: {rule}")]
#[non_exhaustive]
pub struct LineError {
    /// The rule.
    pub rule: Rule,
    /// Octets of the line before the part that breaks it.
    pub offset: usize,
}

/// What an `a=crypto` line must be, or how it falls short of it ([RFC 4568 §4], [§6], [§9]).
///
/// ```
/// use sdes::{Attribute, Rule};
///
/// let error = Attribute::parse("a=Crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x").unwrap_err();
/// assert_eq!(error.rule, Rule::AttributeName);
/// ```
///
/// [RFC 4568 §4]: https://www.rfc-editor.org/rfc/rfc4568#section-4
/// [§6]: https://www.rfc-editor.org/rfc/rfc4568#section-6
/// [§9]: https://www.rfc-editor.org/rfc/rfc4568#section-9
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rule {
    /// The attribute is not `crypto`; the name is case-sensitive.
    #[error("not a crypto attribute")]
    AttributeName,
    /// The key is not base64, or its last character has bits that no octet needs.
    #[error("key||salt is not base64")]
    Base64,
    /// A known session parameter stands there twice.
    #[error("session parameter repeated")]
    DuplicateParameter,
    /// Another line of the same media line has the same tag, so that an answer could not say which
    /// of them it accepts.
    #[error("tag is not unique")]
    DuplicateTag,
    /// The FEC stream has a transport of its own, but FEC_KEY is missing.
    #[error("FEC_KEY is missing")]
    FecKeyMissing,
    /// There is no FEC stream with a transport of its own, so FEC_KEY must not be there.
    #[error("FEC_KEY without a separate FEC stream")]
    FecKeyUnexpected,
    /// FEC_ORDER is neither FEC_SRTP nor SRTP_FEC.
    #[error("FEC_ORDER is neither FEC_SRTP nor SRTP_FEC")]
    FecOrder,
    /// KDR is not a number from 1 to 24.
    #[error("KDR is not between 1 and 24")]
    KeyDerivationRate,
    /// The key parameter is not `method:info` of visible characters.
    #[error("key parameter is malformed")]
    KeyInfo,
    /// The keys do not fit together or not to the session parameters.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// The decoded key and salt are not as long as the crypto-suite's.
    #[error("key||salt has {found} octets, the crypto-suite needs {needed}")]
    KeyLength {
        /// Octets that were encoded.
        found: usize,
        /// Octets of master key and master salt together.
        needed: usize,
    },
    /// The key method is not `inline`.
    #[error("unknown key method")]
    KeyMethod,
    /// The address or port changed, but the line repeats an old key.
    #[error("transport address changed but the key did not")]
    KeyNotRenewed,
    /// A key was seen before in the same SDP, or has been given up in the same session.
    #[error("master key is not unique")]
    KeyReused,
    /// The lifetime is zero, above 2^48 or malformed.
    #[error("key lifetime is zero, too large or malformed")]
    Lifetime,
    /// The line is longer than [`MAX_LINE_LEN`](crate::limits::MAX_LINE_LEN).
    #[error("line is too long")]
    LineTooLong,
    /// MKI or its length is malformed or out of range, or the one does not fit into the other.
    #[error("MKI is malformed or does not fit its length")]
    Mki,
    /// Several keys, of which one has no MKI.
    #[error("several keys need an MKI each")]
    MkiMissing,
    /// A session parameter that the [`Policy`](crate::Policy) does not allow.
    #[error("session parameter not allowed by policy")]
    ParameterNotAllowed,
    /// A session parameter that is unknown and not marked as optional by a `-`.
    #[error("unknown mandatory session parameter")]
    ParameterUnknown,
    /// A session parameter with characters that are not visible.
    #[error("session parameter is malformed")]
    SessionParameter,
    /// A crypto-suite name with characters that none has, or none at all.
    #[error("crypto-suite name is malformed")]
    Suite,
    /// A crypto-suite that is known but that the [`Policy`](crate::Policy) does not list.
    #[error("crypto-suite not allowed by policy")]
    SuiteNotAllowed,
    /// A crypto-suite that this build has no profile for.
    #[error("unknown crypto-suite")]
    SuiteUnknown,
    /// The tag is not a number of one to nine digits without leading zeros.
    #[error("tag is malformed")]
    Tag,
    /// More than [`MAX_KEYS_PER_STREAM`](crate::limits::MAX_KEYS_PER_STREAM) keys.
    #[error("too many keys")]
    TooManyKeys,
    /// More than [`MAX_SESSION_PARAMETERS`](crate::limits::MAX_SESSION_PARAMETERS).
    #[error("too many session parameters")]
    TooManyParameters,
    /// WSH is not a number from 64 on.
    #[error("WSH is malformed or below 64")]
    WindowSizeHint,
}

impl Rule {
    /// The rule broken at the place where `part`, a slice of `line`, begins.
    pub(crate) fn at(self, line: &str, part: &str) -> LineError {
        let offset = part.as_ptr().addr().saturating_sub(line.as_ptr().addr());
        LineError { rule: self, offset }
    }
}

/// The media stream must be refused: port 0 in an answer, or no media for an offerer.
///
/// There is no case in which the stream may go on unprotected. An established session that was to
/// be modified goes on as it was.
///
/// ```
/// use sdes::{Offer, Policy, Refused};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let offer = Offer::new(&Policy::default(), &mut rng)?;
/// // The peer accepted the media line and ignored the crypto attributes.
/// let lines: [&str; 0] = [];
/// assert_eq!(offer.accept(lines).unwrap_err(), Refused::NoCrypto);
/// # Ok::<(), sdes::OfferError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The answer's line is not valid.
    #[error("answer: {0}")]
    InvalidAnswer(LineError),
    /// A key of the peer was seen before: in another media line, in the other direction, or in the
    /// offer that it answers.
    #[error("master key is not unique")]
    KeyReused,
    /// The media line was accepted or offered without any `a=crypto` line.
    #[error("no crypto attribute")]
    NoCrypto,
    /// None of the offered lines is valid, supported and allowed.
    #[error("no acceptable crypto attribute; line {line}: {reason}")]
    NoneAcceptable {
        /// The first line, counted from 0.
        line: usize,
        /// Why not that one. [`Policy::examine`](crate::Policy::examine) tells for each.
        reason: LineError,
    },
    /// The own lines could not be made.
    #[error("{0}")]
    Own(#[from] OfferError),
    /// The answer lacks a negotiated session parameter that was offered, or has one that was not.
    #[error("negotiated session parameters differ from those offered")]
    ParameterMismatch,
    /// The answer has more than one `a=crypto` line.
    #[error("several crypto attributes in an answer")]
    SeveralAnswers,
    /// The answer's crypto-suite is not the one offered under its tag.
    #[error("crypto-suite differs from the one offered under this tag")]
    SuiteMismatch,
    /// More than [`MAX_KEYS_PER_SDP`](crate::limits::MAX_KEYS_PER_SDP) keys, or more than
    /// [`MAX_RETIRED_KEYS`](crate::limits::MAX_RETIRED_KEYS) that were given up.
    #[error("too many master keys in one SDP")]
    TooManyKeys,
    /// More than [`MAX_LINES_PER_MEDIA`](crate::limits::MAX_LINES_PER_MEDIA) lines.
    #[error("too many crypto attributes")]
    TooManyLines,
    /// The answer's tag was not offered.
    #[error("tag was not offered")]
    UnknownTag,
}

/// Own lines could not be made; nothing was sent or changed.
///
/// ```
/// use sdes::{NegotiatedParameters, Offer, OfferError, Policy};
/// use srtp::keying::KeyingError;
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// // AEAD suites always encrypt.
/// let policy = Policy::default().offering(NegotiatedParameters::ALL);
/// let error = Offer::new(&policy, &mut rng).unwrap_err();
/// assert_eq!(error, OfferError::Keying(KeyingError::UnprotectedNotAllowed));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OfferError {
    /// The policy's parameters do not fit the crypto-suite.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// The random number generator gave the same key twice: it is broken.
    #[error("random number generator repeats itself")]
    RepeatedKey,
    /// The suite in use is to be kept, but the policy does not list it.
    #[error("crypto-suite not allowed by policy")]
    SuiteNotAllowed,
}

/// A [`Policy`](crate::Policy) or [`CryptoSuite`](crate::CryptoSuite) that cannot be.
///
/// ```
/// use sdes::{Policy, PolicyError};
///
/// assert_eq!(Policy::default().with_mki(0).unwrap_err(), PolicyError::Keys);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// A key derivation rate of 2^0, which KDR cannot say.
    #[error("KDR cannot say this key derivation rate")]
    KeyDerivationRate,
    /// The parameters do not fit the profile.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// Number of keys or length of the MKI: 1 to 16 keys, and 1 to 128 octets that can number them.
    #[error("number of keys or MKI length out of range")]
    Keys,
    /// A private suite's name is malformed, too long or registered; or the profile has no
    /// registered name and needs a private one.
    #[error("crypto-suite name is malformed or registered")]
    SuiteName,
    /// A suite is listed twice, none is, or more than [`MAX_SUITES`](crate::limits::MAX_SUITES).
    #[error("crypto-suites are none, too many or repeated")]
    Suites,
    /// A window size hint below 64.
    #[error("window size hint below 64")]
    WindowSizeHint,
}
