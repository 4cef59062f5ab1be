use core::fmt;

use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

use super::{KeyingError, MAX_KEY_LEN, MAX_SALT_LEN, Profile};

/// A master key with its master salt, for one profile ([RFC 3711 §3.2.1]).
///
/// Erased when dropped, never printed, and not `Clone`: a copy is made by name, with
/// [`duplicate`](Self::duplicate).
///
/// ```
/// use srtp::keying::{KeyingError, MasterKey, Profile};
///
/// let profile = Profile::AesCm128HmacSha1_80;
/// let key = MasterKey::new(profile, &[0x11; 16], &[0x22; 14])?;
/// assert_eq!(format!("{key:?}"), "MasterKey(AesCm128HmacSha1_80)");
///
/// let short = MasterKey::new(profile, &[0x11; 15], &[0x22; 14]);
/// assert_eq!(short.unwrap_err(), KeyingError::KeyLength { found: 15, needed: 16 });
/// # Ok::<(), KeyingError>(())
/// ```
///
/// [RFC 3711 §3.2.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.2.1
#[derive(ZeroizeOnDrop)]
pub struct MasterKey {
    #[zeroize(skip)]
    profile: Profile,
    key: [u8; MAX_KEY_LEN],
    salt: [u8; MAX_SALT_LEN],
}

impl MasterKey {
    /// Takes `key` and `salt`, which must have exactly the lengths of `profile`.
    ///
    /// # Errors
    ///
    /// [`KeyingError::KeyLength`] or [`KeyingError::SaltLength`].
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyingError> {
        let mut master = Self::zeroed(profile);
        if key.len() != profile.key_len() {
            return Err(KeyingError::KeyLength {
                found: key.len(),
                needed: profile.key_len(),
            });
        }
        if salt.len() != profile.salt_len() {
            return Err(KeyingError::SaltLength {
                found: salt.len(),
                needed: profile.salt_len(),
            });
        }
        master.key_mut().copy_from_slice(key);
        master.salt_mut().copy_from_slice(salt);
        Ok(master)
    }

    /// Draws a fresh key and salt.
    pub fn random<R: CryptoRng + ?Sized>(profile: Profile, rng: &mut R) -> Self {
        let mut master = Self::zeroed(profile);
        rng.fill_bytes(master.key_mut());
        rng.fill_bytes(master.salt_mut());
        master
    }

    /// The profile that the key is for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The key: [`Profile::key_len`] octets.
    ///
    /// # Security
    ///
    /// Only for handing the key on (an `inline:` parameter, a KEMAC); erase every copy.
    #[must_use]
    pub fn expose_key(&self) -> &[u8] {
        self.key.get(..self.profile.key_len()).unwrap_or_default()
    }

    /// The salt: [`Profile::salt_len`] octets. As secret as the key.
    #[must_use]
    pub fn expose_salt(&self) -> &[u8] {
        self.salt.get(..self.profile.salt_len()).unwrap_or_default()
    }

    /// A second copy of the same key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self {
            profile: self.profile,
            key: self.key,
            salt: self.salt,
        }
    }

    const fn zeroed(profile: Profile) -> Self {
        Self {
            profile,
            key: [0; MAX_KEY_LEN],
            salt: [0; MAX_SALT_LEN],
        }
    }

    fn key_mut(&mut self) -> &mut [u8] {
        self.key
            .get_mut(..self.profile.key_len())
            .unwrap_or_default()
    }

    fn salt_mut(&mut self) -> &mut [u8] {
        self.salt
            .get_mut(..self.profile.salt_len())
            .unwrap_or_default()
    }
}

/// Equal if key and salt are, whatever the profile: the same octets under two profiles are still
/// the same key used twice.
impl ConstantTimeEq for MasterKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.key.ct_eq(&other.key) & self.salt.ct_eq(&other.salt)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterKey").field(&self.profile).finish()
    }
}
