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

#[derive(Debug)]
enum Claim {
    Any,
    Some(HashSet<u32>),
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
        let claim = alloc::vec![(KeyIdentity::of(key), ssrc)];
        self.check(&claim)?;
        self.take(claim);
        Ok(())
    }

    /// Whether all of `claims` are free, and none is there twice.
    pub(crate) fn check(&self, claims: &[(KeyIdentity, Option<u32>)]) -> Result<(), SessionError> {
        let mut wanted = Self::default();
        for (identity, ssrc) in claims {
            if !self.is_free(*identity, *ssrc) || !wanted.is_free(*identity, *ssrc) {
                return Err(SessionError::KeyInUse);
            }
            wanted.take([(*identity, *ssrc)]);
        }
        Ok(())
    }

    /// Takes claims that are free.
    pub(crate) fn take(&mut self, claims: impl IntoIterator<Item = (KeyIdentity, Option<u32>)>) {
        for (identity, ssrc) in claims {
            let claim = self.claims.entry(identity).or_insert_with(|| match ssrc {
                None => Claim::Any,
                Some(_) => Claim::Some(HashSet::new()),
            });
            if let (Claim::Some(ssrcs), Some(ssrc)) = (claim, ssrc) {
                ssrcs.insert(ssrc);
            }
        }
    }

    fn is_free(&self, identity: KeyIdentity, ssrc: Option<u32>) -> bool {
        match (self.claims.get(&identity), ssrc) {
            (None, _) => true,
            (Some(Claim::Some(ssrcs)), Some(ssrc)) => !ssrcs.contains(&ssrc),
            (Some(_), _) => false,
        }
    }
}

/// Tells master keys apart without keeping them: a digest of key and salt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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

/// Master keys that a session gave up; none may come back.
pub(crate) type Retired = Vec<KeyIdentity>;
