use core::fmt;

/// Most octets of the values of all P-Asserted-Identity headers together.
const MAX_LEN: usize = 8 * 1024;

/// P-Asserted-Identity could not be read; treat the peer as not identified.
///
/// ```
/// use sdp_sec::identity::{AssertedIdentity, IdentityError};
///
/// let two = AssertedIdentity::parse(&["<sip:a@x.net>, <sip:b@x.net>"]);
/// assert_eq!(two, Err(IdentityError::TooMany));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// Not a name and address, or address, with a sip, sips or tel URI (RFC 3325 §9.1).
    #[error("not a sip, sips or tel URI")]
    Malformed,
    /// More than one SIP or SIPS URI and one tel URI, or longer than is read (RFC 3325 §9.1).
    #[error("more than one SIP and one tel URI")]
    TooMany,
}

/// A public identity: a SIP or SIPS URI, or a tel URI (RFC 3261 §19.1, RFC 3966).
///
/// Two are equal if they name one user: the case of the host, scheme sip or sips, port, parameters
/// and the visual separators of numbers aside. A SIP URI with `user=phone` and a global number equals
/// the tel URI of that number.
///
/// ```
/// use sdp_sec::identity::PublicIdentity;
///
/// let sip = PublicIdentity::parse("sip:+49301234@home1.net;user=phone")?;
/// assert_eq!(sip, PublicIdentity::parse("tel:+49-30-1234")?);
/// assert_ne!(sip, PublicIdentity::parse("sip:alice@home1.net")?);
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy)]
pub struct PublicIdentity<'a> {
    uri: &'a str,
    kind: Kind<'a>,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Sip {
        user: &'a str,
        host: &'a str,
        phone: bool,
    },
    Tel {
        number: &'a str,
    },
}

impl<'a> PublicIdentity<'a> {
    /// Reads a URI, without angle brackets.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`] if it is none of the three kinds.
    pub fn parse(uri: &'a str) -> Result<Self, IdentityError> {
        let malformed = IdentityError::Malformed;
        let (scheme, rest) = uri.split_once(':').ok_or(malformed)?;
        if uri.len() > MAX_LEN || !rest.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(malformed);
        }
        let kind = if scheme.eq_ignore_ascii_case("tel") {
            let number = rest.split(';').next().filter(|number| is_number(number));
            Kind::Tel {
                number: number.ok_or(malformed)?,
            }
        } else if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            let (user, address) = rest.rsplit_once('@').ok_or(malformed)?;
            let end = address.find([';', '?']).unwrap_or(address.len());
            let (host_port, parameters) = address.split_at_checked(end).ok_or(malformed)?;
            let host = match host_port.find(']') {
                Some(bracket) => host_port.get(..=bracket).unwrap_or(host_port),
                None => host_port.split(':').next().unwrap_or(host_port),
            };
            let user = user.split(':').next().unwrap_or(user);
            if user.is_empty() || host.is_empty() {
                return Err(malformed);
            }
            let phone = parameters
                .split(';')
                .any(|part| part.eq_ignore_ascii_case("user=phone"));
            Kind::Sip { user, host, phone }
        } else {
            return Err(malformed);
        };
        Ok(Self { uri, kind })
    }

    /// The URI as it was read.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.uri
    }

    /// The global number, with its plus and perhaps separators, if the identity is one.
    fn global_number(&self) -> Option<&'a str> {
        let number = match self.kind {
            Kind::Sip {
                user, phone: true, ..
            } => user.split(';').next()?,
            Kind::Sip { .. } => return None,
            Kind::Tel { number } => number,
        };
        Some(number).filter(|number| number.starts_with('+') && is_number(number))
    }
}

impl PartialEq for PublicIdentity<'_> {
    fn eq(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.global_number(), other.global_number()) {
            return digits(a).eq(digits(b));
        }
        match (self.kind, other.kind) {
            (
                Kind::Sip { user, host, .. },
                Kind::Sip {
                    user: user_b,
                    host: host_b,
                    ..
                },
            ) => unescaped(user).eq(unescaped(user_b)) && host.eq_ignore_ascii_case(host_b),
            // Local numbers mean something within one context alone, so they must be the same text.
            (Kind::Tel { .. }, Kind::Tel { .. }) => self.uri == other.uri,
            _ => false,
        }
    }
}

impl Eq for PublicIdentity<'_> {}

impl fmt::Debug for PublicIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicIdentity")
    }
}

/// What the P-Asserted-Identity headers of one message say: a SIP URI, a tel URI, both or nothing
/// (RFC 3325 §9.1).
///
/// ```
/// use sdp_sec::identity::{AssertedIdentity, PublicIdentity};
///
/// let asserted = AssertedIdentity::parse(&["\"Bob, B.\" <sip:bob@home2.net>, <tel:+4930123>"])?;
/// assert!(asserted.is(&PublicIdentity::parse("tel:+49-30-123")?));
/// assert!(asserted.is(&PublicIdentity::parse("sip:bob@HOME2.net")?));
/// assert!(AssertedIdentity::parse(&[])?.is_absent());
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AssertedIdentity<'a> {
    sip: Option<PublicIdentity<'a>>,
    tel: Option<PublicIdentity<'a>>,
}

impl<'a> AssertedIdentity<'a> {
    /// Nothing: the peer hides, or its network asserts nothing.
    pub const ABSENT: Self = Self {
        sip: None,
        tel: None,
    };

    /// Reads the values of all P-Asserted-Identity headers of a message, without name and colon.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub fn parse(values: &[&'a str]) -> Result<Self, IdentityError> {
        let total = values
            .iter()
            .map(|value| value.len())
            .fold(0, usize::saturating_add);
        if total > MAX_LEN || values.len() > 2 {
            return Err(IdentityError::TooMany);
        }
        let mut found = Self::ABSENT;
        for value in values {
            let mut rest = *value;
            loop {
                let (identity, after) = name_addr(rest)?;
                let place = match identity.kind {
                    Kind::Sip { .. } => &mut found.sip,
                    Kind::Tel { .. } => &mut found.tel,
                };
                if place.replace(identity).is_some() {
                    return Err(IdentityError::TooMany);
                }
                let after = after.trim_ascii();
                if after.is_empty() {
                    break;
                }
                rest = after.strip_prefix(',').ok_or(IdentityError::Malformed)?;
            }
        }
        Ok(found)
    }

    /// Whether nothing is asserted.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.sip.is_none() && self.tel.is_none()
    }

    /// The identities, SIP first.
    pub fn identities(&self) -> impl Iterator<Item = PublicIdentity<'a>> + use<'a> {
        [self.sip, self.tel].into_iter().flatten()
    }

    /// Whether one of them is `identity`.
    #[must_use]
    pub fn is(&self, identity: &PublicIdentity<'_>) -> bool {
        self.identities().any(|own| own == *identity)
    }
}

/// `[display-name] <URI>` or `URI`, and what follows.
fn name_addr(text: &str) -> Result<(PublicIdentity<'_>, &str), IdentityError> {
    let malformed = IdentityError::Malformed;
    let text = text.trim_ascii();
    let text = match text.strip_prefix('"') {
        Some(quoted) => after_quote(quoted).ok_or(malformed)?.trim_ascii_start(),
        None => text,
    };
    let bracket = text.find('<');
    let comma = text.find(',').unwrap_or(text.len());
    match bracket {
        Some(open) if open < comma => {
            let (_, inner) = text.split_at(open);
            let (uri, after) = inner
                .strip_prefix('<')
                .and_then(|i| i.split_once('>'))
                .ok_or(malformed)?;
            Ok((PublicIdentity::parse(uri)?, after))
        }
        _ => {
            let (uri, after) = text.split_at(comma);
            Ok((PublicIdentity::parse(uri.trim_ascii())?, after))
        }
    }
}

/// What follows the quote that ends a quoted string.
fn after_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().position(|octet| {
        let ends = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        ends
    })?;
    text.get(end + 1..)
}

/// A telephone number: digits and visual separators, with or without a plus (RFC 3966 §3).
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    digits(text).next().is_some()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_hexdigit() || b"*#-.()".contains(&octet))
}

fn digits(number: &str) -> impl Iterator<Item = u8> + use<'_> {
    number
        .bytes()
        .filter(|octet| !b"+-.()".contains(octet))
        .map(|octet| octet.to_ascii_uppercase())
}

/// The octets of a user part, with what is escaped as `%41` in plain.
fn unescaped(user: &str) -> impl Iterator<Item = u8> + use<'_> {
    let mut rest = user.as_bytes();
    core::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        let escaped = (*first == b'%')
            .then(|| after.split_first_chunk::<2>())
            .flatten();
        let value = escaped.and_then(|(hex, after)| {
            let hex = core::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, after))
        });
        let (octet, after) = value.unwrap_or((*first, after));
        rest = after;
        Some(octet)
    })
}
