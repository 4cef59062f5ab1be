use alloc::vec::Vec;
use core::fmt;

use super::{Mechanism, MechanismSet};

/// Most octets of the values of one header name, together.
pub const MAX_HEADER_LEN: usize = 16 * 1024;

/// Most mechanisms in the headers of one name, together.
pub const MAX_MECHANISMS: usize = 64;

/// Most parameters of one mechanism.
pub const MAX_PARAMETERS: usize = 32;

/// A security header was refused, whole: no mechanism of it counts.
///
/// ```
/// use sdp_sec::mediasec::{HeaderError, SecurityHeaders};
///
/// assert_eq!(SecurityHeaders::parse(&["tls;"]).err(), Some(HeaderError::Malformed));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeaderError {
    /// A media plane mechanism stands twice and the two are not the same, so that it is not clear
    /// what was said (RFC 3329 §2.2).
    #[error("a media plane mechanism stands twice with other parameters")]
    Conflicting,
    /// A mechanism is not a name with parameters (RFC 3329 §2.2).
    #[error("not a list of mechanisms with parameters")]
    Malformed,
    /// The `Security-Verify` is not what `Security-Server` was: answer 494 (RFC 3329 §2.3.1).
    #[error("Security-Verify is not what Security-Server was")]
    NotEchoed,
    /// Longer than [`MAX_HEADER_LEN`], or more than [`MAX_MECHANISMS`] or [`MAX_PARAMETERS`].
    #[error("too long, or too many mechanisms or parameters")]
    TooLong,
}

/// The values of all `Security-Client`, all `Security-Server` or all `Security-Verify` headers of one
/// message, in order ([RFC 3329 §2.2]): signalling mechanisms (`tls`, `ipsec-3gpp;alg=...`) and media
/// plane mechanisms (`sdes-srtp;mediasec`) in one list.
///
/// ```
/// use sdp_sec::mediasec::{Mechanism, SecurityHeaders};
///
/// let headers = SecurityHeaders::parse(&["tls;q=0.2, sdes-srtp ; mediasec", "msrp-tls;mediasec"])?;
/// let media: Vec<_> = headers.media().filter_map(|m| m.mechanism()).collect();
/// assert_eq!(media, [Mechanism::SdesSrtp, Mechanism::MsrpTls]);
/// assert_eq!(headers.signalling().map(|m| m.name()).collect::<Vec<_>>(), ["tls"]);
/// assert_eq!(headers.values(), ["tls;q=0.2, sdes-srtp ; mediasec", "msrp-tls;mediasec"]);
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
///
/// [RFC 3329 §2.2]: https://www.rfc-editor.org/rfc/rfc3329#section-2.2
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecurityHeaders<'a> {
    values: Vec<&'a str>,
    mechanisms: Vec<SecMechanism<'a>>,
}

impl<'a> SecurityHeaders<'a> {
    /// Reads the values, one for each header, without the name and the colon.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Malformed`], [`HeaderError::TooLong`] or [`HeaderError::Conflicting`].
    pub fn parse(values: &[&'a str]) -> Result<Self, HeaderError> {
        let total = values
            .iter()
            .map(|value| value.len())
            .fold(0, usize::saturating_add);
        if total > MAX_HEADER_LEN || values.len() > MAX_MECHANISMS {
            return Err(HeaderError::TooLong);
        }
        let mut mechanisms: Vec<SecMechanism<'a>> = Vec::new();
        for value in values {
            for text in Split::new(value, b',') {
                let mechanism = SecMechanism::parse(text?)?;
                if mechanisms.len() >= MAX_MECHANISMS {
                    return Err(HeaderError::TooLong);
                }
                mechanisms.push(mechanism);
            }
        }
        let mut rest = mechanisms.as_slice();
        while let Some((one, others)) = rest.split_first() {
            let conflicts = |other: &SecMechanism<'_>| {
                one.mechanism().is_some()
                    && one.mechanism() == other.mechanism()
                    && !one.says_the_same_as(other)
            };
            if others.iter().any(conflicts) {
                return Err(HeaderError::Conflicting);
            }
            rest = others;
        }
        Ok(Self {
            values: values.to_vec(),
            mechanisms,
        })
    }

    /// The values as they came: what `Security-Verify` says when these were of `Security-Server`,
    /// octet by octet (RFC 3329 §2.3.1).
    #[must_use]
    pub fn values(&self) -> &[&'a str] {
        &self.values
    }

    /// Every mechanism, in order.
    #[must_use]
    pub fn mechanisms(&self) -> &[SecMechanism<'a>] {
        &self.mechanisms
    }

    /// The media plane mechanisms: those with `;mediasec`.
    pub fn media(&self) -> impl Iterator<Item = &SecMechanism<'a>> {
        self.mechanisms
            .iter()
            .filter(|mechanism| mechanism.is_mediasec())
    }

    /// The signalling mechanisms: those without.
    pub fn signalling(&self) -> impl Iterator<Item = &SecMechanism<'a>> {
        self.mechanisms
            .iter()
            .filter(|mechanism| !mechanism.is_mediasec())
    }

    /// The media plane mechanisms that are known here.
    #[must_use]
    pub fn indicated(&self) -> MechanismSet {
        self.media().filter_map(SecMechanism::mechanism).collect()
    }

    /// Checks, at the P-CSCF, that these headers (`Security-Verify`) list what `sent`
    /// (`Security-Server`) did: the same mechanisms in the same order with the same parameters, in as
    /// many headers as the UE likes (RFC 3329 §2.3.1).
    ///
    /// # Errors
    ///
    /// [`HeaderError::NotEchoed`] if they do not: somebody on the way changed one of them.
    pub fn check_echo_of(&self, sent: &SecurityHeaders<'_>) -> Result<(), HeaderError> {
        let same = self.mechanisms.len() == sent.mechanisms.len()
            && self
                .mechanisms
                .iter()
                .zip(&sent.mechanisms)
                .all(|(a, b)| a.says_the_same_as(b));
        if same {
            Ok(())
        } else {
            Err(HeaderError::NotEchoed)
        }
    }
}

/// One mechanism of a security header: a name and its parameters ([RFC 3329 §2.2]).
///
/// ```
/// use sdp_sec::mediasec::{Mechanism, SecurityHeaders};
///
/// let headers = SecurityHeaders::parse(&["MSRP-TLS;mediasec;x=1"])?;
/// for mechanism in headers.mechanisms() {
///     assert_eq!((mechanism.name(), mechanism.is_mediasec()), ("MSRP-TLS", true));
///     assert_eq!(mechanism.mechanism(), Some(Mechanism::MsrpTls));
/// }
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
///
/// [RFC 3329 §2.2]: https://www.rfc-editor.org/rfc/rfc3329#section-2.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SecMechanism<'a> {
    text: &'a str,
    name: &'a str,
    parameters: &'a str,
    mediasec: bool,
}

impl<'a> SecMechanism<'a> {
    fn parse(text: &'a str) -> Result<Self, HeaderError> {
        let text = trim(text);
        let mut parts = Split::new(text, b';');
        let name = trim(parts.next().ok_or(HeaderError::Malformed)??);
        let parameters = parts.rest();
        if !is_token(name) {
            return Err(HeaderError::Malformed);
        }
        let mut mediasec = false;
        for (count, part) in parts.enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(HeaderError::TooLong);
            }
            let parameter = Parameter::parse(part?)?;
            mediasec |=
                parameter.value.is_none() && parameter.name.eq_ignore_ascii_case("mediasec");
        }
        Ok(Self {
            text,
            name,
            parameters,
            mediasec,
        })
    }

    /// The mechanism as it stands, parameters included.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Whether it has the parameter `mediasec`, without a value: it is for media, not for signalling.
    #[must_use]
    pub const fn is_mediasec(&self) -> bool {
        self.mediasec
    }

    /// The media plane mechanism that it is, if it is one and known here.
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        if self.mediasec {
            Mechanism::from_token(self.name)
        } else {
            None
        }
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        let parts = Split::new(self.parameters, b';');
        let present = !self.parameters.is_empty();
        parts
            .filter(move |_| present)
            .filter_map(|part| Parameter::parse(part.ok()?).ok())
    }

    /// The preference `q`, if it is there and well formed. Media plane mechanisms need none.
    #[must_use]
    pub fn q(&self) -> Option<QValue> {
        let q = self
            .parameters()
            .find(|parameter| parameter.name.eq_ignore_ascii_case("q"))?;
        QValue::parse(q.value?)
    }

    /// Whether both have one name and the same parameters, in any order; case of names and of
    /// unquoted values aside, as SIP compares headers (RFC 3261 §7.3.1).
    fn says_the_same_as(&self, other: &SecMechanism<'_>) -> bool {
        let contains = |one: &SecMechanism<'_>, other: &SecMechanism<'_>| {
            other
                .parameters()
                .all(|p| one.parameters().any(|own| own.says_the_same_as(&p)))
        };
        self.name.eq_ignore_ascii_case(other.name)
            && self.parameters().count() == other.parameters().count()
            && contains(self, other)
            && contains(other, self)
    }
}

impl fmt::Display for SecMechanism<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// A parameter of a mechanism: `name` or `name=value`.
///
/// ```
/// use sdp_sec::mediasec::SecurityHeaders;
///
/// let headers = SecurityHeaders::parse(&["digest;d-qop=auth;d-ver=\"0a\""])?;
/// let parameters = headers.mechanisms().iter().flat_map(|mechanism| mechanism.parameters());
/// let pairs: Vec<_> = parameters.map(|p| (p.name(), p.value())).collect();
/// assert_eq!(pairs, [("d-qop", Some("auth")), ("d-ver", Some("\"0a\""))]);
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parameter<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    fn parse(text: &'a str) -> Result<Self, HeaderError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (trim(name), Some(trim(value))),
            None => (trim(text), None),
        };
        let value_fits = value.is_none_or(|value| !value.is_empty() && value.bytes().all(in_value));
        if is_token(name) && value_fits {
            Ok(Self { name, value })
        } else {
            Err(HeaderError::Malformed)
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The value, quotes included where it has them.
    #[must_use]
    pub const fn value(&self) -> Option<&'a str> {
        self.value
    }

    fn says_the_same_as(&self, other: &Parameter<'_>) -> bool {
        let same_value = match (self.value, other.value) {
            (Some(a), Some(b)) if a.starts_with('"') => a == b,
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (None, None) => true,
            _ => false,
        };
        self.name.eq_ignore_ascii_case(other.name) && same_value
    }
}

/// A preference: 0 to 1 with up to three decimals ([RFC 3329 §2.2]).
///
/// ```
/// use sdp_sec::mediasec::SecurityHeaders;
///
/// let headers = SecurityHeaders::parse(&["tls;q=0.25"])?;
/// let q = headers.signalling().find_map(|mechanism| mechanism.q());
/// assert_eq!(q.map(|q| q.thousandths()), Some(250));
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
///
/// [RFC 3329 §2.2]: https://www.rfc-editor.org/rfc/rfc3329#section-2.2
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct QValue(u16);

impl QValue {
    fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > 3 || !decimals.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        let places = decimals.bytes().chain(core::iter::repeat(b'0')).take(3);
        let thousandths = places.fold(0, |sum: u16, digit| sum * 10 + u16::from(digit - b'0'));
        match whole {
            "0" => Some(Self(thousandths)),
            "1" if thousandths == 0 => Some(Self(1000)),
            _ => None,
        }
    }

    /// The preference in thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}

/// Splits text at a separator that is not within quotes.
#[derive(Clone)]
struct Split<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> Split<'a> {
    const fn new(text: &'a str, separator: u8) -> Self {
        Self {
            rest: Some(text),
            separator,
        }
    }

    /// What is not split yet.
    fn rest(&self) -> &'a str {
        self.rest.unwrap_or_default()
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = Result<&'a str, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.take()?;
        let (mut quoted, mut escaped) = (false, false);
        for (at, octet) in text.bytes().enumerate() {
            match octet {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if octet == self.separator && !quoted => {
                    let (part, rest) = text.split_at(at);
                    self.rest = rest.get(1..);
                    return Some(Ok(part));
                }
                _ => {}
            }
        }
        Some(if quoted {
            Err(HeaderError::Malformed)
        } else {
            Ok(text)
        })
    }
}

/// Without linear white space around, folded lines included (RFC 3261 §25.1).
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// `token` of SIP (RFC 3261 §25.1).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet))
}

/// What a value may hold: visible octets, and spaces within quotes.
const fn in_value(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | 0x21..=0x7E | 0x80..)
}
