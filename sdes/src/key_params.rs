use core::fmt;

use base64ct::{Base64Unpadded, Encoding};
use srtp::keying::{Lifetime, MAX_KEY_LEN, MAX_SALT_LEN, MasterKey, Mki, Profile};
use zeroize::Zeroizing;

use crate::{
    LineError, Rule,
    attribute::{is_visible, number},
    limits::MAX_KEYS_PER_STREAM,
    mki,
};

/// Octets of the longest master key with its master salt.
const MAX_KEY_SALT_LEN: usize = MAX_KEY_LEN + MAX_SALT_LEN;

/// Characters of the longest key||salt in base64, padded.
const MAX_KEY_SALT_CHARS: usize = MAX_KEY_SALT_LEN.div_ceil(3) * 4;

/// The key parameters of a line, or of its FEC_KEY: `method:info` one after the other, with a
/// semicolon between them ([RFC 4568 §9.1]).
///
/// ```
/// let attribute = sdes::Attribute::parse("1 F8_128_HMAC_SHA1_80 \
///     inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;\
///     inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4")?;
/// assert_eq!(attribute.keys().iter().count(), 2);
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §9.1]: https://www.rfc-editor.org/rfc/rfc4568#section-9.1
#[derive(Clone, Copy)]
pub struct KeyParams<'a> {
    line: &'a str,
    text: &'a str,
}

impl<'a> KeyParams<'a> {
    pub(crate) fn parse(line: &'a str, text: &'a str) -> Result<Self, LineError> {
        let keys = Self { line, text };
        for (count, part) in text.split(';').enumerate() {
            if count == MAX_KEYS_PER_STREAM {
                return Err(Rule::TooManyKeys.at(line, part));
            }
            if KeyParam::parse(line, part).is_none() {
                return Err(Rule::KeyInfo.at(line, part));
            }
        }
        Ok(keys)
    }

    /// The parameters one by one, in the order of the line.
    pub fn iter(self) -> impl Iterator<Item = KeyParam<'a>> {
        self.text
            .split(';')
            .filter_map(move |text| KeyParam::parse(self.line, text))
    }

    /// The parameters as they stand in the line.
    ///
    /// # Security
    ///
    /// They hold the keys in clear.
    pub(crate) const fn as_str(self) -> &'a str {
        self.text
    }
}

impl fmt::Debug for KeyParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyParams").finish_non_exhaustive()
    }
}

/// One key parameter: a method and what it needs to know ([RFC 4568 §4.3]).
///
/// ```
/// use sdes::{Attribute, Rule};
///
/// let attribute = Attribute::parse("1 AES_CM_128_HMAC_SHA1_80 url:https://keys.example/1")?;
/// let key = attribute.keys().iter().next().expect("at least one");
/// assert_eq!(key.method(), "url");
/// assert_eq!(key.inline().unwrap_err().rule, Rule::KeyMethod);
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §4.3]: https://www.rfc-editor.org/rfc/rfc4568#section-4.3
#[derive(Clone, Copy)]
pub struct KeyParam<'a> {
    line: &'a str,
    method: &'a str,
    info: &'a str,
}

impl<'a> KeyParam<'a> {
    fn parse(line: &'a str, text: &'a str) -> Option<Self> {
        let (method, info) = text.split_once(':')?;
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        let fits = !method.is_empty() && method.bytes().all(is_name);
        (fits && !info.is_empty() && is_visible(info)).then_some(Self { line, method, info })
    }

    /// The key method; `inline` is the only one defined, in any case.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// Reads the key info of the method `inline` ([RFC 4568 §6.1]).
    ///
    /// # Errors
    ///
    /// [`Rule::KeyMethod`] for another method, [`Rule::KeyInfo`] if the fields are not key, lifetime
    /// and MKI in this order, [`Rule::Lifetime`] or [`Rule::Mki`] if one is malformed.
    ///
    /// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
    pub fn inline(&self) -> Result<InlineKey<'a>, LineError> {
        if !self.method.eq_ignore_ascii_case("inline") {
            return Err(Rule::KeyMethod.at(self.line, self.method));
        }
        let mut fields = self.info.split('|');
        let key_salt = fields.next().unwrap_or_default();
        let (lifetime, mki) = match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => (None, None),
            // A lifetime never has a colon, an MKI always has.
            (Some(field), None, _) if field.contains(':') => (None, Some(field)),
            (Some(field), None, _) => (Some(field), None),
            (Some(lifetime), Some(mki), None) => (Some(lifetime), Some(mki)),
            (_, _, Some(surplus)) => return Err(Rule::KeyInfo.at(self.line, surplus)),
        };
        let lifetime = match lifetime {
            None => None,
            Some(text) => {
                Some(parse_lifetime(text).ok_or_else(|| Rule::Lifetime.at(self.line, text))?)
            }
        };
        let mki = match mki {
            None => None,
            Some(text) => Some(MkiField::parse(text).ok_or_else(|| Rule::Mki.at(self.line, text))?),
        };
        Ok(InlineKey {
            line: self.line,
            key_salt,
            lifetime,
            mki,
        })
    }
}

impl fmt::Debug for KeyParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyParam").finish_non_exhaustive()
    }
}

/// The key info of the method `inline`: `<key||salt> ["|" lifetime] ["|" MKI ":" length]`
/// ([RFC 4568 §6.1]).
///
/// ```
/// use sdes::Attribute;
/// use srtp::keying::Profile;
///
/// let attribute = Attribute::parse("1 AES_CM_128_HMAC_SHA1_80 \
///     inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4")?;
/// let key = attribute.keys().iter().next().expect("at least one").inline()?;
/// assert_eq!(key.lifetime(), None);
/// assert_eq!(key.mki().map(|mki| mki.as_octets().to_vec()), Some(vec![0, 0, 0x04, 0x2a]));
/// assert_eq!(key.decode(Profile::AesCm128HmacSha1_80)?.expose_key(), b"aBCdefghiJKLmoPQ");
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
#[derive(Clone, Copy)]
pub struct InlineKey<'a> {
    line: &'a str,
    key_salt: &'a str,
    lifetime: Option<Lifetime>,
    mki: Option<MkiField<'a>>,
}

impl InlineKey<'_> {
    /// Decodes master key and master salt, in constant time for their length.
    ///
    /// Padding may be there or not.
    ///
    /// # Errors
    ///
    /// [`Rule::KeyLength`] or [`Rule::Base64`].
    pub fn decode(&self, profile: Profile) -> Result<MasterKey, LineError> {
        let needed = profile.key_len() + profile.salt_len();
        let text = unpadded(self.key_salt);
        if text.len() != (needed * 4).div_ceil(3) {
            let found = text.len() * 3 / 4;
            return Err(Rule::KeyLength { found, needed }.at(self.line, self.key_salt));
        }
        let mut octets = Zeroizing::new([0; MAX_KEY_SALT_LEN]);
        let decoded = Base64Unpadded::decode(text, &mut *octets)
            .map_err(|_| Rule::Base64.at(self.line, self.key_salt))?;
        let (key, salt) = decoded
            .split_at_checked(profile.key_len())
            .unwrap_or_default();
        MasterKey::new(profile, key, salt).map_err(|_| {
            Rule::KeyLength {
                found: decoded.len(),
                needed,
            }
            .at(self.line, text)
        })
    }

    /// The lifetime, if one is given.
    #[must_use]
    pub const fn lifetime(&self) -> Option<Lifetime> {
        self.lifetime
    }

    /// The MKI, if one is given.
    #[must_use]
    pub fn mki(&self) -> Option<Mki> {
        self.mki
            .and_then(|field| mki::from_decimal(field.digits, field.len))
    }
}

impl fmt::Debug for InlineKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineKey").finish_non_exhaustive()
    }
}

/// Whether own lines end their keys with `=` where base64 has it; both ways are read
/// ([RFC 4568 §6.1]).
///
/// ```
/// use sdes::{Offer, Padding, Policy};
/// use srtp::keying::Profile;
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::for_profiles([Profile::AeadAes256Gcm])?;
/// let offer = Offer::new(&policy.with_padding(Padding::Unpadded), &mut rng).expect("fresh keys");
/// assert!(offer.lines().all(|line| !line.ends_with('=')));
/// # Ok::<(), sdes::PolicyError>(())
/// ```
///
/// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Padding {
    /// With padding, as base64 is defined.
    #[default]
    Padded,
    /// Without, for peers that trip over it.
    Unpadded,
}

/// Writes key||salt in base64, in constant time for their length.
pub(crate) fn encode_key(
    key: &MasterKey,
    padding: Padding,
    out: &mut impl fmt::Write,
) -> fmt::Result {
    let mut octets = Zeroizing::new([0; MAX_KEY_SALT_LEN]);
    let (key, salt) = (key.expose_key(), key.expose_salt());
    let len = key.len() + salt.len();
    for (to, from) in octets.iter_mut().zip(key.iter().chain(salt)) {
        *to = *from;
    }
    let mut chars = Zeroizing::new([0; MAX_KEY_SALT_CHARS]);
    let text = Base64Unpadded::encode(octets.get(..len).unwrap_or_default(), &mut *chars)
        .map_err(|_| fmt::Error)?;
    out.write_str(text)?;
    if padding == Padding::Padded {
        for _ in text.len()..text.len().next_multiple_of(4) {
            out.write_char('=')?;
        }
    }
    Ok(())
}

/// The decimal MKI and its length in octets; checked, so that the one fits into the other.
#[derive(Clone, Copy)]
struct MkiField<'a> {
    digits: &'a str,
    len: u8,
}

impl<'a> MkiField<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (digits, len) = text.split_once(':')?;
        let len = number(len)?;
        mki::from_decimal(digits, len)?;
        Some(Self { digits, len })
    }
}

/// "One or two `=` at the end" are discarded, whether or not as many belong there.
fn unpadded(text: &str) -> &str {
    let one_less = text.strip_suffix('=').unwrap_or(text);
    one_less.strip_suffix('=').unwrap_or(one_less)
}

fn parse_lifetime(text: &str) -> Option<Lifetime> {
    let packets = match text.strip_prefix("2^") {
        Some(exponent) => 1_u64.checked_shl(number(exponent)?)?,
        None => number(text)?,
    };
    Lifetime::new(packets).ok()
}
