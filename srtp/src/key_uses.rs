use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use sha1::{Digest, Sha1};

use crate::error::SessionError;
use crate::keying::MasterKey;

/// Which master key protects packets of which SSRC, over all senders of an application.
///
/// The same key and SSRC in two senders would encrypt two packets with one keystream
/// ([RFC 3711 §9.1]); a claim is therefore given once and never taken back. Holds digests, no keys.
///
/// ```
/// use srtp::keying::{KeyEntry, KeySet, MasterKey, Parameters, Profile, StaticKeys};
/// use srtp::{KeyUses, Sender, SessionError};
///
/// let profile = Profile::AesCm128HmacSha1_80;
/// let keys = || KeySet::single(MasterKey::new(profile, &[1; 16], &[2; 14]).unwrap());
/// let call = StaticKeys::new(keys(), keys());
/// let mut uses = KeyUses::new();
/// let sender = Sender::builder(&call).build_claiming(&mut uses)?;
/// let again = Sender::builder(&call).build_claiming(&mut uses);
/// assert_eq!(again.err(), Some(SessionError::KeyInUse));
/// # Ok::<(), SessionError>(())
/// ```
///
/// [RFC 3711 §9.1]: https://www.rfc-editor.org/rfc/rfc3711#section-9.1
#[derive(Debug, Default)]
pub struct KeyUses {
    claims: HashMap<KeyIdentity, Claim>,
}

/// What one master key protects.
#[derive(Debug, Default)]
struct Claim {
    ssrcs: HashSet<u32>,
    /// Every SSRC but these.
    all_but: Option<HashSet<u32>>,
}

/// SSRCs that a sender wants a master key for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    One(u32),
    AllBut(Vec<u32>),
}

impl KeyUses {
    /// Nothing is claimed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Claims `key` for one SSRC, or for all of them.
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] if the key is claimed for the SSRC, or claimed at all and now
    /// wanted for all SSRCs; nothing is claimed then.
    pub fn claim(&mut self, key: &MasterKey, ssrc: Option<u32>) -> Result<(), SessionError> {
        let wanted = ssrc.map_or(Wanted::AllBut(Vec::new()), Wanted::One);
        let claim = alloc::vec![(KeyIdentity::of(key), wanted)];
        self.check(&claim)?;
        self.take(claim);
        Ok(())
    }

    /// Whether all of `claims` are free, and none is there twice.
    pub(crate) fn check(&self, claims: &[(KeyIdentity, Wanted)]) -> Result<(), SessionError> {
        let mut together = Self::default();
        for (identity, wanted) in claims {
            if !self.is_free(*identity, wanted) || !together.is_free(*identity, wanted) {
                return Err(SessionError::KeyInUse);
            }
            together.take([(*identity, wanted.clone())]);
        }
        Ok(())
    }

    /// Takes claims that are free.
    pub(crate) fn take(&mut self, claims: impl IntoIterator<Item = (KeyIdentity, Wanted)>) {
        for (identity, wanted) in claims {
            let claim = self.claims.entry(identity).or_default();
            match wanted {
                Wanted::One(ssrc) => {
                    claim.ssrcs.insert(ssrc);
                }
                Wanted::AllBut(others) => claim.all_but = Some(others.into_iter().collect()),
            }
        }
    }

    fn is_free(&self, identity: KeyIdentity, wanted: &Wanted) -> bool {
        let Some(claim) = self.claims.get(&identity) else {
            return true;
        };
        match wanted {
            Wanted::One(ssrc) => {
                !claim.ssrcs.contains(ssrc)
                    && claim
                        .all_but
                        .as_ref()
                        .is_none_or(|others| others.contains(ssrc))
            }
            Wanted::AllBut(others) => {
                claim.all_but.is_none() && claim.ssrcs.iter().all(|ssrc| others.contains(ssrc))
            }
        }
    }
}

/// Tells master keys apart without keeping them: a digest of key and salt.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct KeyIdentity([u8; 20]);

impl KeyIdentity {
    pub(crate) fn of(key: &MasterKey) -> Self {
        let digest = Sha1::new()
            .chain_update(b"mediasec: identity of a master key")
            .chain_update(key.expose_key())
            .chain_update(key.expose_salt());
        Self(digest.finalize().into())
    }

    pub(crate) const fn to_octets(self) -> [u8; 20] {
        self.0
    }

    pub(crate) const fn from_octets(octets: [u8; 20]) -> Self {
        Self(octets)
    }
}

/// Master keys that a session may give up, each of which it remembers by 20 octets so that the key
/// cannot come back: one every minute for 45 days. It must then be built anew.
pub const MAX_RETIRED_KEYS: usize = 1 << 16;

/// Master keys that a session gave up, [`MAX_RETIRED_KEYS`] at most; none may come back.
#[expect(
    clippy::box_collection,
    reason = "a pointer is a third of an empty collection, which most sessions have"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Retired(Option<Box<BTreeSet<KeyIdentity>>>);

impl Retired {
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |identities| identities.len())
    }

    pub(crate) fn contains(&self, identity: &KeyIdentity) -> bool {
        let identities = self.0.as_ref();
        identities.is_some_and(|identities| identities.contains(identity))
    }

    /// In ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KeyIdentity> {
        self.0.iter().flat_map(|identities| identities.iter())
    }

    pub(crate) fn extend(&mut self, identities: impl IntoIterator<Item = KeyIdentity>) {
        for identity in identities {
            self.0.get_or_insert_default().insert(identity);
        }
    }
}

impl FromIterator<KeyIdentity> for Retired {
    fn from_iter<I: IntoIterator<Item = KeyIdentity>>(identities: I) -> Self {
        let mut retired = Self::default();
        retired.extend(identities);
        retired
    }
}
