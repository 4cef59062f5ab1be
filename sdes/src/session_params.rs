use core::fmt;

use srtp::keying::{KeyDerivationRate, Parameters};

use crate::{
    FecOrder, KeyParams, LineError, Rule,
    attribute::{number, word},
    limits::MIN_WINDOW_SIZE_HINT,
};

/// The session parameters of a line ([RFC 4568 §4.4]).
///
/// ```
/// use sdes::{Attribute, SessionParameter};
///
/// let attribute = Attribute::parse("1 AEAD_AES_128_GCM inline:AAAA WSH=128 -OWN=1")?;
/// let parameters = attribute.parameters().iter().collect::<Result<Vec<_>, _>>()?;
/// assert!(matches!(parameters[0], SessionParameter::WindowSizeHint(128)));
/// assert!(matches!(parameters[1], SessionParameter::Unknown("-OWN=1")));
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §4.4]: https://www.rfc-editor.org/rfc/rfc4568#section-4.4
#[derive(Clone, Copy)]
pub struct SessionParameters<'a> {
    line: &'a str,
    text: &'a str,
}

impl<'a> SessionParameters<'a> {
    pub(crate) const fn new(line: &'a str, text: &'a str) -> Self {
        Self { line, text }
    }

    /// The parameters one by one, in the order of the line; [`LineError`] for a known one with a
    /// value that it cannot have.
    pub fn iter(self) -> impl Iterator<Item = Result<SessionParameter<'a>, LineError>> {
        self.words()
            .map(move |word| SessionParameter::parse(self.line, word))
    }

    /// The parameters as they stand in the line.
    pub(crate) fn words(self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.text;
        core::iter::from_fn(move || {
            let (first, others) = word(rest);
            rest = others;
            (!first.is_empty()).then_some(first)
        })
    }
}

impl fmt::Debug for SessionParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionParameters").finish_non_exhaustive()
    }
}

/// One SRTP session parameter ([RFC 4568 §6.3]).
///
/// ```
/// use sdes::{Attribute, SessionParameter};
///
/// let attribute = Attribute::parse("1 AEAD_AES_128_GCM inline:AAAA UNENCRYPTED_SRTCP OWN=1")?;
/// let parameters = attribute.parameters().iter().collect::<Result<Vec<_>, _>>()?;
/// assert!(matches!(parameters[0], SessionParameter::UnencryptedSrtcp));
/// // Unknown and without a `-` in front: the line cannot be used.
/// assert!(!parameters[1].is_ignorable());
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §6.3]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3
#[non_exhaustive]
#[derive(Clone, Copy)]
pub enum SessionParameter<'a> {
    /// FEC_KEY: the master keys of a FEC stream that has its own transport ([RFC 4568 §6.3.5]).
    ///
    /// [RFC 4568 §6.3.5]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.5
    FecKey(KeyParams<'a>),
    /// FEC_ORDER.
    FecOrder(FecOrder),
    /// KDR: how often session keys are derived anew ([RFC 4568 §6.3.1]).
    ///
    /// [RFC 4568 §6.3.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.1
    KeyDerivationRate(KeyDerivationRate),
    /// UNAUTHENTICATED_SRTP.
    UnauthenticatedSrtp,
    /// UNENCRYPTED_SRTCP.
    UnencryptedSrtcp,
    /// UNENCRYPTED_SRTP.
    UnencryptedSrtp,
    /// Any other, as it stands in the line. Without a leading `-` it makes the line invalid
    /// ([RFC 4568 §6.3.7]).
    ///
    /// [RFC 4568 §6.3.7]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.7
    Unknown(&'a str),
    /// WSH: how many packets the replay window should have ([RFC 4568 §6.3.6]).
    ///
    /// [RFC 4568 §6.3.6]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.6
    WindowSizeHint(u32),
}

impl<'a> SessionParameter<'a> {
    fn parse(line: &'a str, text: &'a str) -> Result<Self, LineError> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        if is("UNENCRYPTED_SRTP") {
            return Ok(Self::UnencryptedSrtp);
        }
        if is("UNENCRYPTED_SRTCP") {
            return Ok(Self::UnencryptedSrtcp);
        }
        if is("UNAUTHENTICATED_SRTP") {
            return Ok(Self::UnauthenticatedSrtp);
        }
        let Some((name, value)) = text.split_once('=') else {
            return Ok(Self::Unknown(text));
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("KDR") {
            // The text of §6.3.1 wins over the comment in the grammar, which begins at 0: 2^0 and
            // "never" would be different keys.
            let rate = number(value)
                .filter(|n| (1..=24).contains(n))
                .map(KeyDerivationRate::power_of_two);
            return match rate {
                Some(Ok(rate)) => Ok(Self::KeyDerivationRate(rate)),
                _ => Err(Rule::KeyDerivationRate.at(line, text)),
            };
        }
        if is("FEC_ORDER") {
            return FecOrder::parse(value)
                .map(Self::FecOrder)
                .ok_or_else(|| Rule::FecOrder.at(line, text));
        }
        if is("FEC_KEY") {
            return KeyParams::parse(line, value).map(Self::FecKey);
        }
        if is("WSH") {
            return number(value)
                .filter(|hint| *hint >= MIN_WINDOW_SIZE_HINT)
                .map(Self::WindowSizeHint)
                .ok_or_else(|| Rule::WindowSizeHint.at(line, text));
        }
        Ok(Self::Unknown(text))
    }

    /// Whether a line with it may be used without understanding it: an unknown parameter with a
    /// leading `-`.
    #[must_use]
    pub fn is_ignorable(&self) -> bool {
        matches!(self, Self::Unknown(text) if text.starts_with('-'))
    }
}

impl fmt::Debug for SessionParameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FecKey(_) => "FecKey",
            Self::FecOrder(_) => "FecOrder",
            Self::KeyDerivationRate(_) => "KeyDerivationRate",
            Self::UnauthenticatedSrtp => "UnauthenticatedSrtp",
            Self::UnencryptedSrtcp => "UnencryptedSrtcp",
            Self::UnencryptedSrtp => "UnencryptedSrtp",
            Self::Unknown(_) => "Unknown",
            Self::WindowSizeHint(_) => "WindowSizeHint",
        })
    }
}

/// The session parameters that hold for both directions, and that an answer must repeat
/// ([RFC 4568 §6.3.2], [§6.3.3]): what SRTP leaves unprotected.
///
/// ```
/// use sdes::NegotiatedParameters;
///
/// let srtcp = NegotiatedParameters { unencrypted_srtcp: true, ..NegotiatedParameters::NONE };
/// assert!(srtcp.is_within(NegotiatedParameters::ALL));
/// assert!(!srtcp.is_within(NegotiatedParameters::NONE));
/// ```
///
/// [RFC 4568 §6.3.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.2
/// [§6.3.3]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.3
#[allow(
    clippy::exhaustive_structs,
    reason = "RFC 4568 closes the set; new ones are unknown to us"
)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NegotiatedParameters {
    /// UNENCRYPTED_SRTP: payloads travel in clear.
    pub unencrypted_srtp: bool,
    /// UNENCRYPTED_SRTCP: every SRTCP packet has E = 0.
    pub unencrypted_srtcp: bool,
    /// UNAUTHENTICATED_SRTP: SRTP packets carry no tag. Not recommended.
    pub unauthenticated_srtp: bool,
}

impl NegotiatedParameters {
    /// Everything is encrypted and authenticated.
    pub const NONE: Self = Self {
        unencrypted_srtp: false,
        unencrypted_srtcp: false,
        unauthenticated_srtp: false,
    };

    /// SRTP is neither encrypted nor authenticated, SRTCP not encrypted.
    pub const ALL: Self = Self {
        unencrypted_srtp: true,
        unencrypted_srtcp: true,
        unauthenticated_srtp: true,
    };

    /// Whether `allowed` has every parameter that this has.
    #[must_use]
    pub const fn is_within(self, allowed: Self) -> bool {
        (allowed.unencrypted_srtp || !self.unencrypted_srtp)
            && (allowed.unencrypted_srtcp || !self.unencrypted_srtcp)
            && (allowed.unauthenticated_srtp || !self.unauthenticated_srtp)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            unencrypted_srtp: self.unencrypted_srtp || other.unencrypted_srtp,
            unencrypted_srtcp: self.unencrypted_srtcp || other.unencrypted_srtcp,
            unauthenticated_srtp: self.unauthenticated_srtp || other.unauthenticated_srtp,
        }
    }

    pub(crate) const fn of(parameters: &Parameters) -> Self {
        Self {
            unencrypted_srtp: parameters.unencrypted_srtp,
            unencrypted_srtcp: parameters.unencrypted_srtcp,
            unauthenticated_srtp: parameters.unauthenticated_srtp,
        }
    }
}
