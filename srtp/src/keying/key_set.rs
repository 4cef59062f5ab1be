use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::{KeyingError, Lifetime, MasterKey, Mki, Parameters, Profile, Validity};

/// Most master keys that one stream may have at a time.
pub const MAX_KEYS_PER_STREAM: usize = 16;

/// A master key with what the key management says about its use.
#[derive(Debug)]
pub struct KeyEntry {
    key: MasterKey,
    mki: Option<Mki>,
    lifetime: Lifetime,
    validity: Validity,
    ssrc: Option<u32>,
    roc: u32,
}

impl KeyEntry {
    /// `key` for every SSRC, without MKI, with the longest lifetime.
    #[must_use]
    pub const fn new(key: MasterKey) -> Self {
        Self {
            key,
            mki: None,
            lifetime: Lifetime::MAX,
            validity: Validity::ALWAYS,
            ssrc: None,
            roc: 0,
        }
    }

    /// Names the key in each packet.
    #[must_use]
    pub fn with_mki(mut self, mki: Mki) -> Self {
        self.mki = Some(mki);
        self
    }

    /// Bounds the packets it may protect.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Bounds the indices it is for.
    #[must_use]
    pub const fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// Binds the key to one SSRC.
    #[must_use]
    pub const fn for_ssrc(mut self, ssrc: u32) -> Self {
        self.ssrc = Some(ssrc);
        self
    }

    /// The ROC at which streams under this key begin; 0 unless a late joiner was told otherwise.
    #[must_use]
    pub const fn with_roc(mut self, roc: u32) -> Self {
        self.roc = roc;
        self
    }

    /// The master key.
    #[must_use]
    pub const fn key(&self) -> &MasterKey {
        &self.key
    }

    /// Its MKI, if packets carry one.
    #[must_use]
    pub const fn mki(&self) -> Option<&Mki> {
        self.mki.as_ref()
    }

    /// How many packets it may protect in each stream.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// The indices it is for.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The one SSRC it is for, or `None` for all.
    #[must_use]
    pub const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The ROC at which streams under this key begin.
    #[must_use]
    pub const fn roc(&self) -> u32 {
        self.roc
    }

    #[cfg(feature = "engine")]
    pub(crate) fn into_key_and_mki(self) -> (MasterKey, Option<Mki>) {
        (self.key, self.mki)
    }

    /// A second copy of the entry, key included.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            key: self.key.duplicate(),
            mki: self.mki.clone(),
            lifetime: self.lifetime,
            validity: self.validity,
            ssrc: self.ssrc,
            roc: self.roc,
        }
    }
}

/// All master keys of one direction of a session, with their profile and parameters.
///
/// ```
/// use srtp::keying::{KeyEntry, KeySet, KeyingError, MasterKey, Mki, Parameters, Profile};
///
/// let profile = Profile::AeadAes128Gcm;
/// let old = KeyEntry::new(MasterKey::new(profile, &[1; 16], &[2; 12])?).with_mki(Mki::new(&[1])?);
/// let new = KeyEntry::new(MasterKey::new(profile, &[3; 16], &[4; 12])?).with_mki(Mki::new(&[2])?);
/// let keys = KeySet::new(profile, Parameters::default(), vec![old, new])?;
/// assert_eq!(keys.mki_len(), 1);
/// # Ok::<(), KeyingError>(())
/// ```
#[derive(Debug)]
pub struct KeySet {
    profile: Profile,
    parameters: Parameters,
    entries: Vec<KeyEntry>,
}

impl KeySet {
    /// Takes the keys, the one to send with first.
    ///
    /// # Errors
    ///
    /// [`KeyingError`] if there is no key, a key is of another profile, the parameters do not fit
    /// the profile, keys of one SSRC repeat, more than [`MAX_KEYS_PER_STREAM`] serve one SSRC, some
    /// have an MKI and some none or of another length, or keys of one SSRC can be told apart by
    /// neither MKI nor [`Validity`].
    pub fn new(
        profile: Profile,
        parameters: Parameters,
        entries: Vec<KeyEntry>,
    ) -> Result<Self, KeyingError> {
        parameters.check(profile)?;
        let first = entries.first().ok_or(KeyingError::NoKey)?;
        let mki_len = first.mki.as_ref().map_or(0, |mki| mki.as_octets().len());
        for entry in &entries {
            if entry.key.profile() != profile {
                return Err(KeyingError::ProfileMismatch);
            }
            if entry.mki.as_ref().map_or(0, |mki| mki.as_octets().len()) != mki_len {
                return Err(KeyingError::Mki);
            }
        }
        check_selectors(&entries)?;
        Ok(Self {
            profile,
            parameters,
            entries,
        })
    }

    /// One key for every SSRC, with default parameters.
    #[must_use]
    pub fn single(key: MasterKey) -> Self {
        Self {
            profile: key.profile(),
            parameters: Parameters::default(),
            entries: alloc::vec![KeyEntry::new(key)],
        }
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The parameters.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// The keys; at least one.
    #[must_use]
    pub fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }

    /// Octets of the MKI in each packet; 0 for none.
    #[must_use]
    pub fn mki_len(&self) -> usize {
        self.entries
            .first()
            .and_then(KeyEntry::mki)
            .map_or(0, |mki| mki.as_octets().len())
    }

    /// A second copy of the set, keys included.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            profile: self.profile,
            parameters: self.parameters,
            entries: self.entries.iter().map(KeyEntry::duplicate).collect(),
        }
    }
}

/// Keys that may serve the same stream must differ and be distinguishable.
///
/// Sorted by SSRC, so that a set of many streams with a key each is checked in linear passes: the
/// quadratic part is bounded by [`MAX_KEYS_PER_STREAM`].
fn check_selectors(entries: &[KeyEntry]) -> Result<(), KeyingError> {
    let mut order: Vec<&KeyEntry> = entries.iter().collect();
    order.sort_by_key(|entry| entry.ssrc);
    let any_ssrc = order
        .iter()
        .take_while(|entry| entry.ssrc.is_none())
        .count();
    let (wildcard, named) = order.split_at(any_ssrc);
    check_stream(wildcard)?;
    for stream in named.chunk_by(|a, b| a.ssrc == b.ssrc) {
        check_stream(stream)?;
    }
    Ok(())
}

fn check_stream(keys: &[&KeyEntry]) -> Result<(), KeyingError> {
    if keys.len() > MAX_KEYS_PER_STREAM {
        return Err(KeyingError::TooManyKeys);
    }
    let mut rest = keys;
    while let Some((entry, others)) = rest.split_first() {
        for other in others {
            if bool::from(entry.key.ct_eq(&other.key)) {
                return Err(KeyingError::DuplicateKey);
            }
            match (&entry.mki, &other.mki) {
                (Some(a), Some(b)) if a == b => return Err(KeyingError::DuplicateKey),
                (None, None) if entry.validity.overlaps(other.validity) => {
                    return Err(KeyingError::NoSelector);
                }
                _ => {}
            }
        }
        rest = others;
    }
    Ok(())
}
