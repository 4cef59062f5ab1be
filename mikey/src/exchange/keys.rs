use alloc::boxed::Box;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::ExchangeError;
use crate::EncodeError;
use crate::code_points::KeyDataType;
use crate::derive::Secret;
use crate::payload::{KeyData, KeyValidity};

/// What a key of a bundle is for ([RFC 3830 §6.13]).
///
/// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// TGK: the TEK of each crypto session is derived from it.
    Tgk,
    /// TEK: protects media as it is.
    Tek,
    /// GTGK: a TGK of a group, never forked ([RFC 6043 §4.1.1]).
    ///
    /// [RFC 6043 §4.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.1.1
    Gtgk,
}

/// When a key is used ([RFC 3830 §6.14]).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Validity};
///
/// // For the first 2^16 packets of SRTP.
/// let until = Validity::Interval([0; 6].into(), [0, 0, 0, 0, 0xff, 0xff].into());
/// let key = KeyMaterial::new(KeyKind::Tek, Secret::new(&[1; 16])?).with_validity(until);
/// assert_eq!(key.spi(), None);
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §6.14]: https://www.rfc-editor.org/rfc/rfc3830#section-6.14
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Validity {
    /// Null: from now until it is replaced.
    Unlimited,
    /// SPI: with packets that name it; for SRTP the MKI.
    Spi(Box<[u8]>),
    /// Interval: from the first to the second position; for SRTP indices of 6 octets.
    Interval(Box<[u8]>, Box<[u8]>),
}

impl Validity {
    pub(super) fn from_payload(validity: KeyValidity<'_>) -> Self {
        if let Some(spi) = validity.spi() {
            Self::Spi(spi.into())
        } else if let Some((from, to)) = validity.interval() {
            Self::Interval(from.into(), to.into())
        } else {
            Self::Unlimited
        }
    }

    pub(super) fn to_payload(&self) -> Result<KeyValidity<'_>, EncodeError> {
        match self {
            Self::Unlimited => Ok(KeyValidity::NULL),
            Self::Spi(spi) => KeyValidity::from_spi(spi),
            Self::Interval(from, to) => KeyValidity::from_interval(from, to),
        }
    }
}

/// A TGK or TEK, with its salt and validity: what a Key data sub-payload carries
/// ([RFC 3830 §6.13]).
///
/// ```
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial};
///
/// let key = KeyMaterial::new(KeyKind::Tgk, Secret::new(&[1; 16])?).with_spi(&[0, 1]);
/// assert_eq!(key.spi(), Some([0, 1].as_slice()));
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
pub struct KeyMaterial {
    kind: KeyKind,
    key: Secret,
    salt: Option<Salt>,
    validity: Validity,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Salt(Box<[u8]>);

impl KeyMaterial {
    /// A key without salt, valid until it is replaced.
    #[must_use]
    pub const fn new(kind: KeyKind, key: Secret) -> Self {
        Self {
            kind,
            key,
            salt: None,
            validity: Validity::Unlimited,
        }
    }

    /// With a salt of its own, which is used in place of a derived one.
    #[must_use]
    pub fn with_salt(mut self, salt: &[u8]) -> Self {
        self.salt = Some(Salt(salt.into()));
        self
    }

    /// Named by an SPI; for SRTP the MKI.
    #[must_use]
    pub fn with_spi(self, spi: &[u8]) -> Self {
        self.with_validity(Validity::Spi(spi.into()))
    }

    /// Used at certain times.
    #[must_use]
    pub fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Secret {
        &self.key
    }

    /// The salt, if it came with one. As secret as the key.
    #[must_use]
    pub fn salt(&self) -> Option<&[u8]> {
        self.salt.as_ref().map(|salt| &*salt.0)
    }

    /// When it is used.
    #[must_use]
    pub const fn validity(&self) -> &Validity {
        &self.validity
    }

    /// Its SPI, if one names it.
    #[must_use]
    pub fn spi(&self) -> Option<&[u8]> {
        match &self.validity {
            Validity::Spi(spi) => Some(spi),
            _ => None,
        }
    }

    /// A second copy of the same key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            kind: self.kind,
            key: self.key.duplicate(),
            salt: self.salt.as_ref().map(|salt| Salt(salt.0.clone())),
            validity: self.validity.clone(),
        }
    }

    /// The Key data sub-payload.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] for a salt or SPI that its length field cannot say.
    pub fn to_payload(&self) -> Result<KeyData<'_>, EncodeError> {
        let key_type = match (self.kind, self.salt.is_some()) {
            (KeyKind::Tgk, false) => KeyDataType::Tgk,
            (KeyKind::Tgk, true) => KeyDataType::TgkSalt,
            (KeyKind::Tek, false) => KeyDataType::Tek,
            (KeyKind::Tek, true) => KeyDataType::TekSalt,
            (KeyKind::Gtgk, false) => KeyDataType::Gtgk,
            (KeyKind::Gtgk, true) => KeyDataType::GtgkSalt,
        };
        KeyData::new(
            key_type,
            self.key.expose(),
            self.salt(),
            self.validity.to_payload()?,
        )
    }

    /// What a Key data sub-payload says.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::KeyLength`] for a key that is too short or too long;
    /// [`ExchangeError::UnexpectedPayload`] for a type that no crypto session uses.
    pub fn from_payload(data: &KeyData<'_>) -> Result<Self, ExchangeError> {
        let kind = match data.key_type() {
            KeyDataType::Tgk | KeyDataType::TgkSalt => KeyKind::Tgk,
            KeyDataType::Tek | KeyDataType::TekSalt => KeyKind::Tek,
            KeyDataType::Gtgk | KeyDataType::GtgkSalt => KeyKind::Gtgk,
            _ => {
                let payload = crate::code_points::PayloadType::KeyData;
                return Err(ExchangeError::UnexpectedPayload(payload));
            }
        };
        let validity = Validity::from_payload(data.validity());
        let salt = data.salt().map(|salt| Salt(salt.into()));
        Ok(Self {
            kind,
            key: Secret::new(data.key())?,
            salt,
            validity,
        })
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMaterial")
            .field("kind", &self.kind)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}
