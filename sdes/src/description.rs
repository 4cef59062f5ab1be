use alloc::string::String;
use core::fmt::{self, Write};

use srtp::keying::{KeySet, MasterKey};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    Attribute, CryptoSuite, FecOrder, KeyDigest, LineError, NegotiatedParameters, Padding, Rule,
    key_digest::SHORTEST_KEY_LEN, key_params::encode_key, mki, validity,
};

/// A valid SRTP security description ([RFC 4568 §6]): what one `a=crypto` line says about the
/// packets of whoever wrote it, keys decoded and every rule of that section checked.
///
/// It holds master keys: erased when dropped, never printed.
///
/// ```
/// use sdes::SecurityDescription;
///
/// let description = SecurityDescription::parse(
///     "a=crypto:7 AES_CM_128_HMAC_SHA1_32 \
///      inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32 WSH=128",
///     &[],
/// )?;
/// assert_eq!((description.tag(), description.suite().name()), (7, "AES_CM_128_HMAC_SHA1_32"));
/// assert_eq!(description.keys().entries()[0].lifetime().srtp_packets(), 1 << 20);
/// assert_eq!(description.keys().mki_len(), 32);
/// assert_eq!(description.window_size_hint(), Some(128));
/// # Ok::<(), sdes::LineError>(())
/// ```
///
/// [RFC 4568 §6]: https://www.rfc-editor.org/rfc/rfc4568#section-6
pub struct SecurityDescription {
    tag: u32,
    suite: CryptoSuite,
    keys: KeySet,
    fec_keys: Option<KeySet>,
    fec_order: Option<FecOrder>,
    window_size_hint: Option<u32>,
}

impl SecurityDescription {
    /// Reads one line. Suites that have no registered name are looked up in `private`.
    ///
    /// # Errors
    ///
    /// [`LineError`] with the first rule broken, and where.
    pub fn parse(line: &str, private: &[CryptoSuite]) -> Result<Self, LineError> {
        Self::from_attribute(&Attribute::parse(line)?, private)
    }

    /// Checks what the generic grammar leaves open, and decodes the keys.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_attribute(
        attribute: &Attribute<'_>,
        private: &[CryptoSuite],
    ) -> Result<Self, LineError> {
        let suite = CryptoSuite::find(attribute.suite(), private)
            .ok_or_else(|| Rule::SuiteUnknown.at(attribute.line(), attribute.suite().as_str()))?;
        validity::check(attribute, suite)
    }

    pub(crate) const fn new(tag: u32, suite: CryptoSuite, keys: KeySet) -> Self {
        Self {
            tag,
            suite,
            keys,
            fec_keys: None,
            fec_order: None,
            window_size_hint: None,
        }
    }

    pub(crate) fn with_fec(mut self, keys: Option<KeySet>, order: Option<FecOrder>) -> Self {
        (self.fec_keys, self.fec_order) = (keys, order);
        self
    }

    pub(crate) fn with_tag(mut self, tag: u32) -> Self {
        self.tag = tag;
        self
    }

    pub(crate) fn with_window_size_hint(mut self, hint: Option<u32>) -> Self {
        self.window_size_hint = hint;
        self
    }

    /// The tag.
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// The crypto-suite.
    #[must_use]
    pub const fn suite(&self) -> &CryptoSuite {
        &self.suite
    }

    /// The keys that protect the media of whoever wrote the line, with MKI, lifetime and the SRTP
    /// parameters.
    #[must_use]
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The keys of a FEC stream that has its own transport.
    #[must_use]
    pub const fn fec_keys(&self) -> Option<&KeySet> {
        self.fec_keys.as_ref()
    }

    /// The order of FEC and SRTP.
    #[must_use]
    pub fn fec_order(&self) -> FecOrder {
        self.fec_order.unwrap_or_default()
    }

    /// How large a replay window the writer of the line suggests to its reader.
    #[must_use]
    pub const fn window_size_hint(&self) -> Option<u32> {
        self.window_size_hint
    }

    /// The parameters that hold for both directions.
    #[must_use]
    pub const fn negotiated_parameters(&self) -> NegotiatedParameters {
        NegotiatedParameters::of(&self.keys.parameters())
    }

    /// The line, in canonical form, without a line end.
    ///
    /// # Security
    ///
    /// It holds the keys in clear; the returned string is erased when dropped.
    #[must_use]
    pub fn encode(&self, padding: Padding) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(self.encoded_len_bound()));
        // Writing to a String cannot fail.
        let _infallible = self.write(padding, &mut line);
        line
    }

    /// A second copy, keys included.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            tag: self.tag,
            suite: self.suite.clone(),
            keys: self.keys.duplicate(),
            fec_keys: self.fec_keys.as_ref().map(KeySet::duplicate),
            fec_order: self.fec_order,
            window_size_hint: self.window_size_hint,
        }
    }

    /// Whether both say the same about packets, under whatever tag: suite, keys with MKI and
    /// lifetime, and SRTP parameters. Keys are compared in constant time.
    ///
    /// ```
    /// use sdes::SecurityDescription;
    ///
    /// let key = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    /// let read = |tag| {
    ///     let line = format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 {key}");
    ///     SecurityDescription::parse(&line, &[])
    /// };
    /// assert!(read(1)?.repeats(&read(2)?));
    /// # Ok::<(), sdes::LineError>(())
    /// ```
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let same_fec = match (&self.fec_keys, &other.fec_keys) {
            (None, None) => true,
            (Some(a), Some(b)) => same_keys(a, b),
            _ => false,
        };
        self.suite == other.suite && same_keys(&self.keys, &other.keys) && same_fec
    }

    /// Whether each key that stands in both does in both the same: same suite and parameters, same
    /// stream, same MKI.
    pub(crate) fn continues(&self, old: &Self) -> bool {
        let crosses =
            |a: &KeySet, b: &Option<KeySet>| b.as_ref().is_some_and(|b| shares_a_key(a, b));
        self.suite == old.suite
            && self.keys.parameters() == old.keys.parameters()
            && !crosses(&self.keys, &old.fec_keys)
            && !crosses(&old.keys, &self.fec_keys)
            && continues(&self.keys, &old.keys)
            && match (&self.fec_keys, &old.fec_keys) {
                (Some(new), Some(old)) => continues(new, old),
                _ => true,
            }
    }

    /// Whether one master key stands in both.
    pub(crate) fn shares_a_key_with(&self, other: &Self) -> bool {
        self.key_sets()
            .any(|a| other.key_sets().any(|b| shares_a_key(a, b)))
    }

    /// The keys of the media, and those of the FEC stream.
    pub(crate) fn key_sets(&self) -> impl Iterator<Item = &KeySet> {
        core::iter::once(&self.keys).chain(&self.fec_keys)
    }

    /// The digests of all keys.
    pub(crate) fn digests(&self) -> impl Iterator<Item = KeyDigest> {
        let entries = self.key_sets().flat_map(KeySet::entries);
        entries.map(|entry| KeyDigest::of(entry.key()))
    }

    /// The first MKI that follows those of the keys.
    pub(crate) fn next_mki(&self) -> u64 {
        let numbers = self
            .key_sets()
            .flat_map(KeySet::entries)
            .filter_map(|entry| {
                let octets = entry.mki()?.as_octets();
                let (high, low) = octets.split_at_checked(octets.len().saturating_sub(8))?;
                let fits = high.iter().all(|octet| *octet == 0);
                fits.then(|| {
                    low.iter()
                        .fold(0, |number, octet| (number << 8) | u64::from(*octet))
                })
            });
        numbers.max().unwrap_or(0).saturating_add(1)
    }

    /// Room for the whole line, so that the string never moves and leaves keys behind.
    fn encoded_len_bound(&self) -> usize {
        const FIXED: usize = 256;
        let mki_len = self.key_sets().map(KeySet::mki_len).max().unwrap_or(0);
        let per_key = 128 + 3 * mki_len;
        let keys: usize = self.key_sets().map(|set| set.entries().len()).sum();
        FIXED + self.suite.name().len() + keys * per_key
    }

    fn write(&self, padding: Padding, out: &mut String) -> fmt::Result {
        write!(out, "a=crypto:{} {} ", self.tag, self.suite.name())?;
        self.write_keys(&self.keys, padding, out)?;
        let parameters = self.keys.parameters();
        if let Some(exponent) = parameters.srtp_kdr.exponent() {
            write!(out, " KDR={exponent}")?;
        }
        if parameters.unencrypted_srtp {
            out.write_str(" UNENCRYPTED_SRTP")?;
        }
        if parameters.unencrypted_srtcp {
            out.write_str(" UNENCRYPTED_SRTCP")?;
        }
        if parameters.unauthenticated_srtp {
            out.write_str(" UNAUTHENTICATED_SRTP")?;
        }
        if let Some(order) = self.fec_order {
            write!(out, " FEC_ORDER={}", order.as_str())?;
        }
        if let Some(keys) = &self.fec_keys {
            out.write_str(" FEC_KEY=")?;
            self.write_keys(keys, padding, out)?;
        }
        if let Some(hint) = self.window_size_hint {
            write!(out, " WSH={hint}")?;
        }
        Ok(())
    }

    fn write_keys(&self, keys: &KeySet, padding: Padding, out: &mut String) -> fmt::Result {
        for (position, entry) in keys.entries().iter().enumerate() {
            out.write_str(if position == 0 { "inline:" } else { ";inline:" })?;
            encode_key(entry.key(), padding, out)?;
            if entry.lifetime() != self.suite.default_lifetime() {
                let packets = entry.lifetime().srtp_packets();
                if packets.is_power_of_two() {
                    write!(out, "|2^{}", packets.trailing_zeros())?;
                } else {
                    write!(out, "|{packets}")?;
                }
            }
            if let Some(mki) = entry.mki() {
                out.write_char('|')?;
                mki::write_decimal(mki, out)?;
                write!(out, ":{}", mki.as_octets().len())?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SecurityDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityDescription")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

/// Whether one master key stands in both sets; every pair is compared.
pub(crate) fn shares_a_key(a: &KeySet, b: &KeySet) -> bool {
    let mut shared = Choice::from(0);
    for one in a.entries() {
        for other in b.entries() {
            shared |= same_key(one.key(), other.key());
        }
    }
    shared.into()
}

/// Whether they are one key, as [`KeyDigest`] sees it: under whatever salt, for whatever suite.
fn same_key(a: &MasterKey, b: &MasterKey) -> Choice {
    let first = |key: &[u8]| {
        key.first_chunk::<SHORTEST_KEY_LEN>()
            .copied()
            .map(Zeroizing::new)
    };
    match (first(a.expose_key()), first(b.expose_key())) {
        (Some(a), Some(b)) => a.ct_eq(&*b),
        _ => a.ct_eq(b),
    }
}

/// Whether each key that stands in both sets has the same salt and the same MKI in both.
fn continues(new: &KeySet, old: &KeySet) -> bool {
    new.entries().iter().all(|new| {
        old.entries().iter().all(|old| {
            let same_key = bool::from(same_key(new.key(), old.key()));
            !same_key || (new.mki() == old.mki() && bool::from(new.key().ct_eq(old.key())))
        })
    })
}

fn same_keys(a: &KeySet, b: &KeySet) -> bool {
    a.profile() == b.profile()
        && a.parameters() == b.parameters()
        && a.entries().len() == b.entries().len()
        && a.entries().iter().zip(b.entries()).all(|(one, other)| {
            one.mki() == other.mki()
                && one.lifetime() == other.lifetime()
                && bool::from(one.key().ct_eq(other.key()))
        })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use srtp::keying::{KeyEntry, Lifetime, MasterKey, Mki, Parameters, Profile};

    use super::*;

    #[test]
    fn the_longest_line_fits_into_the_room_made_for_it() {
        let profile = Profile::AesCm256HmacSha1_80;
        let keys = || {
            let entries: Vec<_> = (0..16)
                .map(|n| {
                    let mut mki = [0xff; 128];
                    mki[127] = n;
                    KeyEntry::new(MasterKey::new(profile, &[n; 32], &[n; 14]).unwrap())
                        .with_mki(Mki::new(&mki).unwrap())
                        .with_lifetime(Lifetime::new((1 << 48) - 1).unwrap())
                })
                .collect();
            let mut parameters = Parameters::default();
            parameters.unencrypted_srtp = true;
            parameters.unencrypted_srtcp = true;
            parameters.unauthenticated_srtp = true;
            KeySet::new(profile, parameters, entries).unwrap()
        };
        let suite = CryptoSuite::registered(profile).unwrap();
        let longest = SecurityDescription::new(999_999_999, suite, keys())
            .with_fec(Some(keys()), Some(FecOrder::SrtpFec))
            .with_window_size_hint(Some(u32::MAX));
        let line = longest.encode(Padding::Padded);
        assert!(line.len() <= longest.encoded_len_bound());
        assert!(line.len() <= crate::limits::MAX_LINE_LEN);
    }
}
