use super::{Cipher, Mac};
use crate::derive::Prf;

/// The PRF, encryption and MAC that protect one MIKEY message, which fit each other
/// ([RFC 6043 §12.1]).
///
/// Algorithms with 128-bit and with 256-bit keys are never mixed, and all authenticate: messages
/// that nothing protects are the affair of [`exchange::null`](crate::exchange::null).
///
/// ```
/// use mikey::crypto::{Cipher, Mac, Suite, SuiteError};
/// use mikey::derive::Prf;
///
/// let mixed = Suite::new(Prf::Mikey1, Cipher::AesCm256, Mac::HmacSha256_256);
/// assert_eq!(mixed, Err(SuiteError::Mixed));
/// let suite = Suite::new(Prf::HmacSha256, Cipher::AesCm256, Mac::HmacSha256_256)?;
/// assert_eq!(suite, Suite::AES_CM_256_HMAC_SHA256);
/// # Ok::<(), SuiteError>(())
/// ```
///
/// [RFC 6043 §12.1]: https://www.rfc-editor.org/rfc/rfc6043#section-12.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Suite {
    prf: Prf,
    cipher: Cipher,
    mac: Mac,
}

impl Suite {
    /// MIKEY-1, AES-CM-128, HMAC-SHA-1-160: mandatory in RFC 3830.
    pub const AES_CM_128_HMAC_SHA1: Self = Self {
        prf: Prf::Mikey1,
        cipher: Cipher::AesCm128,
        mac: Mac::HmacSha1_160,
    };

    /// MIKEY-1, AES-KW-128, HMAC-SHA-1-160.
    pub const AES_KW_128_HMAC_SHA1: Self = Self {
        prf: Prf::Mikey1,
        cipher: Cipher::AesKw128,
        mac: Mac::HmacSha1_160,
    };

    /// PRF-HMAC-SHA-256, AES-CM-256, HMAC-SHA-256-256: the strong suite of RFC 6043.
    pub const AES_CM_256_HMAC_SHA256: Self = Self {
        prf: Prf::HmacSha256,
        cipher: Cipher::AesCm256,
        mac: Mac::HmacSha256_256,
    };

    /// MIKEY-1, no encryption, HMAC-SHA-1-160: for messages that carry no key, as DHHMAC's.
    pub const NULL_HMAC_SHA1: Self = Self {
        prf: Prf::Mikey1,
        cipher: Cipher::Null,
        mac: Mac::HmacSha1_160,
    };

    /// PRF-HMAC-SHA-256, no encryption, HMAC-SHA-256-256.
    pub const NULL_HMAC_SHA256: Self = Self {
        prf: Prf::HmacSha256,
        cipher: Cipher::Null,
        mac: Mac::HmacSha256_256,
    };

    /// Takes algorithms that fit each other.
    ///
    /// # Errors
    ///
    /// [`SuiteError::Mixed`] if one has 128-bit and another 256-bit keys;
    /// [`SuiteError::Unauthenticated`] for the NULL MAC.
    pub const fn new(prf: Prf, cipher: Cipher, mac: Mac) -> Result<Self, SuiteError> {
        let strong = matches!(prf, Prf::HmacSha256);
        let cipher_fits = match cipher {
            Cipher::Null => true,
            Cipher::AesCm128 | Cipher::AesKw128 => !strong,
            Cipher::AesCm256 => strong,
        };
        let mac_fits = match mac {
            Mac::Null => return Err(SuiteError::Unauthenticated),
            Mac::HmacSha1_160 => !strong,
            Mac::HmacSha256_256 => strong,
        };
        if cipher_fits && mac_fits {
            Ok(Self { prf, cipher, mac })
        } else {
            Err(SuiteError::Mixed)
        }
    }

    /// The PRF.
    #[must_use]
    pub const fn prf(self) -> Prf {
        self.prf
    }

    /// The encryption.
    #[must_use]
    pub const fn cipher(self) -> Cipher {
        self.cipher
    }

    /// The MAC.
    #[must_use]
    pub const fn mac(self) -> Mac {
        self.mac
    }

    /// Whether a session key of `len` octets may be carried: with more than 128 bits only under
    /// 256-bit algorithms ([RFC 6043 §12.1]).
    ///
    /// A rule of MIKEY-TICKET; RFC 3830 carries keys of any length under AES-CM-128.
    ///
    /// [RFC 6043 §12.1]: https://www.rfc-editor.org/rfc/rfc6043#section-12.1
    #[must_use]
    pub const fn allows_session_key_of(self, len: usize) -> bool {
        len <= 16 || matches!(self.prf, Prf::HmacSha256)
    }

    /// The same suite without encryption: what authenticates a message that carries no key.
    #[must_use]
    pub const fn without_encryption(self) -> Self {
        Self {
            cipher: Cipher::Null,
            ..self
        }
    }
}

/// Algorithms that must not be used together; no suite was made.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SuiteError {
    /// 128-bit and 256-bit algorithms are mixed.
    #[error("algorithms with 128-bit and with 256-bit keys are mixed")]
    Mixed,
    /// The NULL MAC authenticates nothing.
    #[error("the NULL MAC authenticates nothing")]
    Unauthenticated,
}
