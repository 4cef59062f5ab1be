use alloc::vec::Vec;

use srtp::keying::{KeyDerivationRate, Lifetime, Profile};

use crate::{
    Attribute, CryptoSuite, Fec, FecOrder, LineError, NegotiatedParameters, Padding, PolicyError,
    RocOnNewKey, Rule, SecurityDescription,
    limits::{MAX_KEYS_PER_STREAM, MAX_SUITES, MIN_WINDOW_SIZE_HINT},
    mki, validity,
};

/// What this side offers, and what it accepts.
///
/// The default offers and accepts, in this order, AEAD_AES_256_GCM, AEAD_AES_128_GCM,
/// AES_256_CM_HMAC_SHA1_80 and AES_CM_128_HMAC_SHA1_80: the stronger first, as [RFC 4568 §5.1.1]
/// recommends, and the one suite that every implementation has at the end. Each line has one key,
/// without MKI, for as long as the suite allows. Nothing unencrypted or unauthenticated is offered
/// or accepted, nor a tag of 32 bits; each needs a call that names it.
///
/// ```
/// use sdes::Policy;
/// use srtp::keying::{Lifetime, Profile};
///
/// let policy = Policy::for_profiles([Profile::AesCm128HmacSha1_80, Profile::AesCm128HmacSha1_32])?
///     .with_lifetime(Lifetime::new(1 << 31).expect("below 2^48"))
///     .with_mki(4)?
///     .with_window_size_hint(128)?;
/// assert_eq!(policy.suites()[0].name(), "AES_CM_128_HMAC_SHA1_80");
/// # Ok::<(), sdes::PolicyError>(())
/// ```
///
/// [RFC 4568 §5.1.1]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.1
#[derive(Clone, Debug)]
pub struct Policy {
    preferred: CryptoSuite,
    suites: Vec<CryptoSuite>,
    selection: Selection,
    keys_per_line: usize,
    mki_len: u8,
    lifetime: Option<Lifetime>,
    kdr: KeyDerivationRate,
    peer_kdr: bool,
    offered: NegotiatedParameters,
    allowed: NegotiatedParameters,
    fec: Fec,
    fec_order: Option<FecOrder>,
    window_size_hint: Option<u32>,
    padding: Padding,
    roc_on_new_key: RocOnNewKey,
}

/// Which of several acceptable lines an answer takes.
///
/// ```
/// assert_eq!(sdes::Selection::default(), sdes::Selection::OffererOrder);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Selection {
    /// The first of the offer, as [RFC 4568 §5.1.2] recommends.
    ///
    /// [RFC 4568 §5.1.2]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.2
    #[default]
    OffererOrder,
    /// The one whose suite stands first in the own policy.
    OwnOrder,
}

impl Policy {
    /// Offers and accepts `suites`, the preferred one first.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Suites`] for none, a repeated one, or more than [`MAX_SUITES`].
    pub fn new(suites: impl IntoIterator<Item = CryptoSuite>) -> Result<Self, PolicyError> {
        let mut unique: Vec<CryptoSuite> = Vec::new();
        for suite in suites {
            if unique.contains(&suite) || unique.len() == MAX_SUITES {
                return Err(PolicyError::Suites);
            }
            unique.push(suite);
        }
        let preferred = unique.first().cloned().ok_or(PolicyError::Suites)?;
        Ok(Self::with_suites(preferred, unique))
    }

    /// Offers and accepts the registered suites of `profiles`, the preferred one first.
    ///
    /// # Errors
    ///
    /// [`PolicyError::SuiteName`] for a profile without a registered name; otherwise as
    /// [`new`](Self::new).
    pub fn for_profiles(profiles: impl IntoIterator<Item = Profile>) -> Result<Self, PolicyError> {
        let suites: Result<Vec<_>, _> = profiles
            .into_iter()
            .take(MAX_SUITES + 1)
            .map(CryptoSuite::registered)
            .collect();
        Self::new(suites?)
    }

    /// Chooses among acceptable lines in this way.
    #[must_use]
    pub const fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Gives each own key an MKI of `len` octets.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Keys`] for 0 or more than 128 octets.
    pub fn with_mki(self, len: u8) -> Result<Self, PolicyError> {
        self.with_keys(1, len)
    }

    /// Puts `count` keys into each own line, told apart by MKIs of `mki_len` octets.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Keys`] unless there are 1 to 16 keys and 1 to 128 octets.
    pub fn with_keys(mut self, count: usize, mki_len: u8) -> Result<Self, PolicyError> {
        let countable = (1..=MAX_KEYS_PER_STREAM).contains(&count);
        if !countable || mki::from_number(1, mki_len).is_none() {
            return Err(PolicyError::Keys);
        }
        (self.keys_per_line, self.mki_len) = (count, mki_len);
        Ok(self)
    }

    /// Bounds the own keys.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Derives the own session keys anew at this rate.
    ///
    /// # Errors
    ///
    /// [`PolicyError::KeyDerivationRate`] for 2^0, which KDR cannot say.
    pub fn with_key_derivation_rate(
        mut self,
        rate: KeyDerivationRate,
    ) -> Result<Self, PolicyError> {
        if let Some(0) = rate.exponent() {
            return Err(PolicyError::KeyDerivationRate);
        }
        self.kdr = rate;
        Ok(self)
    }

    /// Accepts no KDR of the peer, for an SRTP that derives keys once only.
    #[must_use]
    pub const fn refusing_key_derivation_rate(mut self) -> Self {
        self.peer_kdr = false;
        self
    }

    /// Accepts offers with these parameters.
    ///
    /// # Security
    ///
    /// A peer, or whoever can change its SDP, may then turn off protection in both directions.
    #[must_use]
    pub const fn allowing(mut self, parameters: NegotiatedParameters) -> Self {
        self.allowed = parameters;
        self
    }

    /// Puts these parameters into every own offer, and accepts them.
    ///
    /// # Security
    ///
    /// Media is then unprotected as they say.
    #[must_use]
    pub const fn offering(mut self, parameters: NegotiatedParameters) -> Self {
        self.offered = parameters;
        self
    }

    /// Says whether there is FEC, and states the own order if it is not the default.
    #[must_use]
    pub fn with_fec(mut self, fec: Fec, order: FecOrder) -> Self {
        self.fec = fec;
        self.fec_order = (order != FecOrder::default()).then_some(order);
        self
    }

    /// Suggests a replay window of `packets` to the peer.
    ///
    /// # Errors
    ///
    /// [`PolicyError::WindowSizeHint`] below 64.
    pub fn with_window_size_hint(mut self, packets: u32) -> Result<Self, PolicyError> {
        if packets < MIN_WINDOW_SIZE_HINT {
            return Err(PolicyError::WindowSizeHint);
        }
        self.window_size_hint = Some(packets);
        Ok(self)
    }

    /// Ends own keys with `=`, or not.
    #[must_use]
    pub const fn with_padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Says what a new key without a new transport address does to the ROC.
    #[must_use]
    pub const fn with_roc_on_new_key(mut self, roc: RocOnNewKey) -> Self {
        self.roc_on_new_key = roc;
        self
    }

    /// The suites, the preferred one first; at least one.
    #[must_use]
    pub fn suites(&self) -> &[CryptoSuite] {
        &self.suites
    }

    /// Says whether one line of a peer is valid and acceptable, and if not, why not.
    ///
    /// # Errors
    ///
    /// [`LineError`] with the first rule broken, and where.
    ///
    /// ```
    /// use sdes::{Policy, Rule};
    ///
    /// let line = "1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
    /// let error = Policy::default().examine(line).unwrap_err();
    /// assert_eq!(error.rule, Rule::SuiteNotAllowed);
    /// ```
    pub fn examine(&self, line: &str) -> Result<SecurityDescription, LineError> {
        let attribute = Attribute::parse(line)?;
        let name = attribute.suite();
        let Some(suite) = self.suites.iter().find(|suite| suite.is_named(name)) else {
            let rule = if name.profile().is_some() {
                Rule::SuiteNotAllowed
            } else {
                Rule::SuiteUnknown
            };
            return Err(rule.at(line, name.as_str()));
        };
        let description = validity::check(&attribute, suite.clone())?;
        match self.objection(&description) {
            None => Ok(description),
            Some(rule) => Err(rule.at(line, line)),
        }
    }

    /// What the policy has against a valid description.
    fn objection(&self, description: &SecurityDescription) -> Option<Rule> {
        let has_kdr = description
            .keys()
            .parameters()
            .srtp_kdr
            .exponent()
            .is_some();
        let kdr_refused = has_kdr && !self.peer_kdr;
        let allowed = self.allowed.or(self.offered);
        let unprotected = !description.negotiated_parameters().is_within(allowed);
        let fec_order = self.fec == Fec::NotUsed && description.fec_order() != FecOrder::default();
        if kdr_refused || unprotected || fec_order {
            return Some(Rule::ParameterNotAllowed);
        }
        match (self.fec, description.fec_keys()) {
            (Fec::SeparateTransport, None) => Some(Rule::FecKeyMissing),
            (Fec::NotUsed | Fec::SameTransport, Some(_)) => Some(Rule::FecKeyUnexpected),
            _ => None,
        }
    }

    pub(crate) const fn preferred_suite(&self) -> &CryptoSuite {
        &self.preferred
    }

    /// The same policy for its preferred suite alone.
    pub(crate) fn only_preferred_suite(&self) -> Self {
        Self {
            suites: alloc::vec![self.preferred.clone()],
            ..self.clone()
        }
    }

    pub(crate) const fn selection(&self) -> Selection {
        self.selection
    }

    pub(crate) const fn keys_per_line(&self) -> usize {
        self.keys_per_line
    }

    pub(crate) const fn mki_len(&self) -> u8 {
        self.mki_len
    }

    pub(crate) fn lifetime_of(&self, suite: &CryptoSuite) -> Lifetime {
        self.lifetime.unwrap_or_else(|| suite.default_lifetime())
    }

    pub(crate) const fn key_derivation_rate(&self) -> KeyDerivationRate {
        self.kdr
    }

    pub(crate) const fn offered(&self) -> NegotiatedParameters {
        self.offered
    }

    pub(crate) const fn fec(&self) -> Fec {
        self.fec
    }

    pub(crate) const fn fec_order(&self) -> Option<FecOrder> {
        self.fec_order
    }

    pub(crate) const fn window_size_hint(&self) -> Option<u32> {
        self.window_size_hint
    }

    pub(crate) const fn padding(&self) -> Padding {
        self.padding
    }

    pub(crate) const fn roc_on_new_key(&self) -> RocOnNewKey {
        self.roc_on_new_key
    }

    fn with_suites(preferred: CryptoSuite, suites: Vec<CryptoSuite>) -> Self {
        Self {
            preferred,
            suites,
            selection: Selection::default(),
            keys_per_line: 1,
            mki_len: 0,
            lifetime: None,
            kdr: KeyDerivationRate::ZERO,
            peer_kdr: true,
            offered: NegotiatedParameters::NONE,
            allowed: NegotiatedParameters::NONE,
            fec: Fec::default(),
            fec_order: None,
            window_size_hint: None,
            padding: Padding::default(),
            roc_on_new_key: RocOnNewKey::default(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let preferred = CryptoSuite::named("AEAD_AES_256_GCM", Profile::AeadAes256Gcm);
        let suites = alloc::vec![
            preferred.clone(),
            CryptoSuite::named("AEAD_AES_128_GCM", Profile::AeadAes128Gcm),
            CryptoSuite::named("AES_256_CM_HMAC_SHA1_80", Profile::AesCm256HmacSha1_80),
            CryptoSuite::named("AES_CM_128_HMAC_SHA1_80", Profile::AesCm128HmacSha1_80),
        ];
        Self::with_suites(preferred, suites)
    }
}
