use core::fmt;

use bytes::BufMut;
use subtle::ConstantTimeEq;

use super::KeyValidity;
use crate::{
    DecodeError, DecodeErrorKind, EncodeError, Quirks, code_points::KeyDataType, octets::Octets16,
    reader::Reader,
};

/// Key data sub-payload: a key, its salt and its validity ([RFC 3830 §6.13]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload ! Type  ! KV    ! Key data len                  !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                         Key data                              ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Salt len (optional)           ! Salt data (optional)          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                        KV data (optional)                     ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// # Security
///
/// It borrows the decrypted octets: whoever decrypted them erases them. It is compared in constant
/// time and printed without key and salt.
///
/// ```
/// use mikey::{code_points::KeyDataType, payload::{KeyData, KeyValidity}};
///
/// let mki = KeyValidity::from_spi(&[1])?;
/// let key = KeyData::new(KeyDataType::TekSalt, &[7; 16], Some(&[9; 14]), mki)?;
/// assert_eq!(key.salt(), Some(&[9; 14][..]));
/// assert!(!format!("{key:?}").contains('7'));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
#[derive(Clone, Copy)]
pub struct KeyData<'a> {
    key_type: KeyDataType,
    key: Octets16<'a>,
    salt: Option<Octets16<'a>>,
    validity: KeyValidity<'a>,
}

impl<'a> KeyData<'a> {
    /// A key of `key_type`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a type without a name here, [`EncodeError::WrongLength`] if the
    /// type asks for a salt and there is none or the other way round, [`EncodeError::TooLong`] for
    /// more than 65535 octets of either.
    pub fn new(
        key_type: KeyDataType,
        key: &'a [u8],
        salt: Option<&'a [u8]>,
        validity: KeyValidity<'a>,
    ) -> Result<Self, EncodeError> {
        match key_type.has_salt() {
            None => Err(EncodeError::Value(key_type.into())),
            Some(has_salt) if has_salt != salt.is_some() => Err(EncodeError::WrongLength),
            Some(_) => Ok(Self {
                key_type,
                key: Octets16::new(key)?,
                salt: salt.map(Octets16::new).transpose()?,
                validity,
            }),
        }
    }

    /// The type.
    #[must_use]
    pub const fn key_type(&self) -> KeyDataType {
        self.key_type
    }

    /// The key, as it was sent.
    #[must_use]
    pub const fn key(&self) -> &'a [u8] {
        self.key.get()
    }

    /// The salt, if the type says that there is one.
    #[must_use]
    pub fn salt(&self) -> Option<&'a [u8]> {
        self.salt.as_ref().map(Octets16::get)
    }

    /// Which packets the key is for.
    #[must_use]
    pub const fn validity(&self) -> KeyValidity<'a> {
        self.validity
    }

    /// A TEK of `key_len` octets and its salt, where `salt_len` octets of salt are needed.
    ///
    /// The salt is `None` where none was sent and it has to be derived or agreed elsewhere. With
    /// [`Quirks::salt_in_tek`], a TEK of `key_len + salt_len` octets without a salt of its own is
    /// split. `None` if this is no TEK, or of other lengths.
    #[must_use]
    pub fn tek(
        &self,
        key_len: usize,
        salt_len: usize,
        quirks: Quirks,
    ) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let key = self.key();
        match (self.key_type, self.salt()) {
            (KeyDataType::Tek, None) if key.len() == key_len => Some((key, None)),
            (KeyDataType::Tek, None) if quirks.salt_in_tek => {
                let (key, salt) = key.split_at_checked(key_len)?;
                (salt.len() == salt_len).then_some((key, Some(salt)))
            }
            (KeyDataType::TekSalt, Some(salt))
                if key.len() == key_len && salt.len() == salt_len =>
            {
                Some((key, Some(salt)))
            }
            _ => None,
        }
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let before = *reader;
        let type_and_kv = reader.u8()?;
        let key_type = KeyDataType::from(type_and_kv >> 4);
        let has_salt = key_type
            .has_salt()
            .ok_or_else(|| before.error(DecodeErrorKind::UnknownValue(key_type.into())))?;
        let key = Octets16::parse(reader)?;
        let salt = if has_salt {
            Some(Octets16::parse(reader)?)
        } else {
            None
        };
        let validity = KeyValidity::parse(reader, type_and_kv & 0x0f)?;
        Ok(Self {
            key_type,
            key,
            salt,
            validity,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        1 + self.key.encoded_len()
            + self.salt.as_ref().map_or(0, Octets16::encoded_len)
            + self.validity.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.key_type) << 4 | u8::from(self.validity.kv_type()));
        self.key.encode(out);
        if let Some(salt) = &self.salt {
            salt.encode(out);
        }
        self.validity.encode(out);
    }
}

impl PartialEq for KeyData<'_> {
    fn eq(&self, other: &Self) -> bool {
        let salts = match (self.salt(), other.salt()) {
            (Some(ours), Some(theirs)) => ours.ct_eq(theirs),
            (ours, theirs) => u8::from(ours.is_some() == theirs.is_some()).into(),
        };
        self.key_type == other.key_type
            && self.validity == other.validity
            && bool::from(self.key().ct_eq(other.key()) & salts)
    }
}

impl Eq for KeyData<'_> {}

impl fmt::Debug for KeyData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyData")
            .field("key_type", &self.key_type)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}
