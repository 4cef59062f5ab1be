use super::KeySet;

/// Where the master keys of a session come from: an SDES negotiation, an established MIKEY session,
/// a vendor's secure element.
///
/// Implemented by the key management side, read by the engine when it builds a sender or receiver.
/// Both sets must come from one *completed and verified* negotiation: the engine trusts them.
pub trait MasterKeySource {
    /// The keys that this side protects its packets with.
    fn outbound(&self) -> &KeySet;

    /// The keys that the peer protects its packets with.
    fn inbound(&self) -> &KeySet;
}

impl<S: MasterKeySource + ?Sized> MasterKeySource for &S {
    fn outbound(&self) -> &KeySet {
        (**self).outbound()
    }

    fn inbound(&self) -> &KeySet {
        (**self).inbound()
    }
}

/// Keys that the caller has already: the source for a protocol that has no crate here.
///
/// ```
/// use srtp::keying::{KeySet, KeyingError, MasterKey, MasterKeySource, Profile, StaticKeys};
///
/// let profile = Profile::AeadAes256Gcm;
/// let keys = StaticKeys::new(
///     KeySet::single(MasterKey::new(profile, &[1; 32], &[2; 12])?),
///     KeySet::single(MasterKey::new(profile, &[3; 32], &[4; 12])?),
/// );
/// assert_eq!(keys.outbound().profile(), profile);
/// # Ok::<(), KeyingError>(())
/// ```
#[derive(Debug)]
pub struct StaticKeys {
    outbound: KeySet,
    inbound: KeySet,
}

impl StaticKeys {
    /// Sends with `outbound`, receives with `inbound`.
    #[must_use]
    pub const fn new(outbound: KeySet, inbound: KeySet) -> Self {
        Self { outbound, inbound }
    }
}

impl MasterKeySource for StaticKeys {
    fn outbound(&self) -> &KeySet {
        &self.outbound
    }

    fn inbound(&self) -> &KeySet {
        &self.inbound
    }
}
