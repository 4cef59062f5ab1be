use core::fmt;

use srtp::keying::{KeySet, MasterKeySource};

use crate::{
    CryptoSuite, FecKeys, Refused, SecurityDescription, own_line::OwnLine, retired::RetiredKeys,
};

/// The outcome of one offer and answer for one media line: the keys of both directions
/// ([RFC 4568 §7.1]).
///
/// Hand it to SRTP as a [`MasterKeySource`]. It never changes: a modification of the session yields
/// another one, and a failed one leaves this as it is.
///
/// ```
/// use sdes::{Answer, Offer, Policy};
/// use srtp::keying::{MasterKeySource, Profile};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::for_profiles([Profile::AeadAes128Gcm]).expect("a registered suite");
/// let offer = Offer::new(&policy, &mut rng)?;
/// let (answer, negotiated) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// assert_eq!(negotiated.suite().name(), "AEAD_AES_128_GCM");
/// assert_eq!(negotiated.inbound().profile(), Profile::AeadAes128Gcm);
/// # Ok::<(), sdes::Refused>(())
/// ```
///
/// [RFC 4568 §7.1]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1
pub struct Negotiated {
    pub(crate) own: OwnLine,
    pub(crate) remote: SecurityDescription,
    pub(crate) retired: RetiredKeys,
}

impl Negotiated {
    pub(crate) const fn new(own: OwnLine, remote: SecurityDescription) -> Self {
        Self {
            own,
            remote,
            retired: RetiredKeys::none(),
        }
    }

    /// What the session becomes when `own` and `remote` take over.
    pub(crate) fn then(&self, own: OwnLine, remote: SecurityDescription) -> Result<Self, Refused> {
        let old = [self.local(), self.remote()];
        let retired = self.retired.after(old, [&own.description, &remote]);
        Ok(Self {
            retired: retired.ok_or(Refused::TooManyKeys)?,
            own,
            remote,
        })
    }

    /// The crypto-suite of both directions.
    #[must_use]
    pub const fn suite(&self) -> &CryptoSuite {
        self.own.description.suite()
    }

    /// What this side said about the packets it sends.
    #[must_use]
    pub const fn local(&self) -> &SecurityDescription {
        &self.own.description
    }

    /// What the peer said about the packets it sends; its window size hint is for our receiver.
    #[must_use]
    pub const fn remote(&self) -> &SecurityDescription {
        &self.remote
    }

    /// The keys of the FEC stream, if it has its own transport ([RFC 4568 §6.3.5]).
    ///
    /// [RFC 4568 §6.3.5]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.5
    #[must_use]
    pub fn fec(&self) -> Option<FecKeys<'_>> {
        let outbound = self.own.description.fec_keys()?;
        let inbound = self.remote.fec_keys()?;
        Some(FecKeys { outbound, inbound })
    }

    /// A second copy, keys included.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            own: self.own.duplicate(),
            remote: self.remote.duplicate(),
            retired: self.retired.clone(),
        }
    }
}

impl MasterKeySource for Negotiated {
    fn outbound(&self) -> &KeySet {
        self.own.description.keys()
    }

    fn inbound(&self) -> &KeySet {
        self.remote.keys()
    }
}

impl fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiated").finish_non_exhaustive()
    }
}
