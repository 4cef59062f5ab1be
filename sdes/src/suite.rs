use alloc::borrow::Cow;

use srtp::keying::{Lifetime, MAX_SRTCP_PACKETS, Parameters, Profile, RocTransport};

use crate::{PolicyError, limits::MAX_SUITE_NAME_LEN};

/// A crypto-suite as it stands in a line: any name of letters, digits and underscores
/// ([RFC 4568 §9.1]).
///
/// Names compare without regard to case, and are written as they were read.
///
/// ```
/// use sdes::SuiteName;
/// use srtp::keying::Profile;
///
/// let name = SuiteName::new("aes_256_cm_hmac_sha1_80").unwrap();
/// assert_eq!(name.profile(), Some(Profile::AesCm256HmacSha1_80));
/// assert!(name.is_registered());
///
/// let seed = SuiteName::new("SEED_128_CCM_80").unwrap();
/// assert_eq!((seed.is_registered(), seed.profile()), (true, None));
/// ```
///
/// [RFC 4568 §9.1]: https://www.rfc-editor.org/rfc/rfc4568#section-9.1
#[derive(Clone, Copy, Debug)]
pub struct SuiteName<'a>(&'a str);

impl<'a> SuiteName<'a> {
    /// Every name registered for SRTP: [RFC 4568 §6.2], [RFC 5669 §7], [RFC 6188 §4],
    /// [RFC 7714 §14.2].
    ///
    /// [RFC 4568 §6.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2
    /// [RFC 5669 §7]: https://www.rfc-editor.org/rfc/rfc5669#section-7
    /// [RFC 6188 §4]: https://www.rfc-editor.org/rfc/rfc6188#section-4
    /// [RFC 7714 §14.2]: https://www.rfc-editor.org/rfc/rfc7714#section-14.2
    pub const REGISTERED: &'static [&'static str] = &[
        "AES_CM_128_HMAC_SHA1_80",
        "AES_CM_128_HMAC_SHA1_32",
        "F8_128_HMAC_SHA1_80",
        "SEED_CTR_128_HMAC_SHA1_80",
        "SEED_128_CCM_80",
        "SEED_128_GCM_96",
        "AES_192_CM_HMAC_SHA1_80",
        "AES_192_CM_HMAC_SHA1_32",
        "AES_256_CM_HMAC_SHA1_80",
        "AES_256_CM_HMAC_SHA1_32",
        "AEAD_AES_128_GCM",
        "AEAD_AES_256_GCM",
    ];

    /// Takes a name of letters, digits and underscores; `None` for any other string.
    #[must_use]
    pub fn new(name: &'a str) -> Option<Self> {
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        (!name.is_empty() && name.bytes().all(fits)).then_some(Self(name))
    }

    /// The name as it was read.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether IANA has registered it for SRTP.
    #[must_use]
    pub fn is_registered(self) -> bool {
        Self::REGISTERED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(self.0))
    }

    /// The profile that the registered name stands for, if this build has it.
    #[must_use]
    pub fn profile(self) -> Option<Profile> {
        Profile::from_sdes(self.0)
    }
}

impl PartialEq for SuiteName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for SuiteName<'_> {}

/// A crypto-suite that can be negotiated: a name, and what SRTP does under it
/// ([RFC 4568 §6.2]).
///
/// ```
/// use sdes::{CryptoSuite, PolicyError};
/// use srtp::keying::{Profile, RocTransport, RocTransportMode};
///
/// let registered = CryptoSuite::registered(Profile::AeadAes128Gcm)?;
/// assert_eq!(registered.name(), "AEAD_AES_128_GCM");
///
/// // ROC-carrying transforms have no registered name: both ends must be told of one.
/// let roc = RocTransport::new(RocTransportMode::Mode2, 50, 10).unwrap();
/// let profile = Profile::AesCm128HmacSha1_80;
/// let private = CryptoSuite::private("X_AES_CM_128_RCCM2", profile, Some(roc))?;
/// assert_eq!(private.roc_transport(), Some(roc));
/// # Ok::<(), PolicyError>(())
/// ```
///
/// [RFC 4568 §6.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2
#[derive(Clone, Debug)]
pub struct CryptoSuite {
    name: Cow<'static, str>,
    profile: Profile,
    roc_transport: Option<RocTransport>,
}

impl CryptoSuite {
    /// The suite registered for `profile`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::SuiteName`] if none is: NULL transforms need a private name.
    pub fn registered(profile: Profile) -> Result<Self, PolicyError> {
        profile
            .sdes_name()
            .map(|name| Self::named(name, profile))
            .ok_or(PolicyError::SuiteName)
    }

    pub(crate) const fn named(name: &'static str, profile: Profile) -> Self {
        Self {
            name: Cow::Borrowed(name),
            profile,
            roc_transport: None,
        }
    }

    /// A suite under a name that both ends were configured with, for what no registered name can
    /// say: ROC transport (RFC 4771), which TR 33.829 §5.3.2.1 NOTE 3 finds missing from SDES.
    ///
    /// # Errors
    ///
    /// [`PolicyError::SuiteName`] if the name is malformed, longer than [`MAX_SUITE_NAME_LEN`], or
    /// registered; [`PolicyError::Keying`] if `profile` has no such ROC transport.
    pub fn private(
        name: impl Into<Cow<'static, str>>,
        profile: Profile,
        roc_transport: Option<RocTransport>,
    ) -> Result<Self, PolicyError> {
        let name = name.into();
        let mut parameters = Parameters::default();
        parameters.roc_transport = roc_transport;
        parameters.check(profile)?;
        match SuiteName::new(&name) {
            Some(parsed) if name.len() <= MAX_SUITE_NAME_LEN && !parsed.is_registered() => {
                Ok(Self {
                    name,
                    profile,
                    roc_transport,
                })
            }
            _ => Err(PolicyError::SuiteName),
        }
    }

    /// The name, in its registered or configured case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What SRTP does under it.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The ROC transport of a private suite.
    #[must_use]
    pub const fn roc_transport(&self) -> Option<RocTransport> {
        self.roc_transport
    }

    /// Packets that a key without a lifetime may protect.
    ///
    /// 2^48 and 2^31 ([RFC 4568 §6.2]); 2^31 of each for AES-192 and AES-256 in counter mode
    /// ([RFC 6188 §4]).
    ///
    /// [RFC 4568 §6.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2
    /// [RFC 6188 §4]: https://www.rfc-editor.org/rfc/rfc6188#section-4
    #[must_use]
    pub fn default_lifetime(&self) -> Lifetime {
        match self.profile {
            Profile::AesCm192HmacSha1_80
            | Profile::AesCm192HmacSha1_32
            | Profile::AesCm256HmacSha1_80
            | Profile::AesCm256HmacSha1_32 => {
                Lifetime::new(MAX_SRTCP_PACKETS).unwrap_or(Lifetime::MAX)
            }
            _ => Lifetime::MAX,
        }
    }

    /// The registered suite of that name, or the one of `private`.
    pub(crate) fn find(name: SuiteName<'_>, private: &[Self]) -> Option<Self> {
        private
            .iter()
            .find(|suite| suite.is_named(name))
            .cloned()
            .or_else(|| {
                name.profile()
                    .and_then(|profile| Self::registered(profile).ok())
            })
    }

    pub(crate) fn is_named(&self, name: SuiteName<'_>) -> bool {
        self.name.eq_ignore_ascii_case(name.as_str())
    }
}

/// Equal if the names are.
impl PartialEq for CryptoSuite {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl Eq for CryptoSuite {}
