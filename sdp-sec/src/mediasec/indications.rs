use alloc::collections::BTreeMap;
use alloc::string::String;

use super::{HeaderError, MechanismSet, SecurityHeaders};

/// Most contact bindings that [`Bindings`] keeps.
pub const MAX_BINDINGS: usize = 1 << 20;

/// Most octets of the name of a contact binding.
pub const MAX_CONTACT_LEN: usize = 4096;

/// What the UE and the network have indicated for one contact binding (TS 24.229 §7.2A.7;
/// TR 33.829 §8.3.2.4.2).
///
/// ```
/// use sdp_sec::mediasec::{Indications, Mechanism, SecurityHeaders};
///
/// let client = SecurityHeaders::parse(&["sdes-srtp;mediasec, msrp-tls;mediasec"])?;
/// let server = SecurityHeaders::parse(&["sdes-srtp;mediasec"])?;
/// let indications = Indications::of(&client, &server);
/// assert!(indications.agreed().contains(Mechanism::SdesSrtp));
/// assert!(!indications.agreed().contains(Mechanism::MsrpTls));
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Indications {
    /// What the UE is willing to use.
    pub ue: MechanismSet,
    /// What the network supports.
    pub network: MechanismSet,
}

impl Indications {
    /// Nothing from either side: no stream is protected at the edge.
    pub const NONE: Self = Self {
        ue: MechanismSet::EMPTY,
        network: MechanismSet::EMPTY,
    };

    /// From the `Security-Client` headers of a REGISTER and the `Security-Server` headers of its
    /// answer.
    #[must_use]
    pub fn of(client: &SecurityHeaders<'_>, server: &SecurityHeaders<'_>) -> Self {
        Self {
            ue: client.indicated(),
            network: server.indicated(),
        }
    }

    /// What both have indicated: only this is used.
    #[must_use]
    pub const fn agreed(self) -> MechanismSet {
        self.ue.both(self.network)
    }
}

/// The indications of each contact binding, at a P-CSCF.
///
/// A UE with several contacts has several bindings, and a UE that is diverted to has its own: each
/// gets what it registered. A refresh replaces what was there: a class that it does not name is
/// withdrawn. The caller names bindings as its registrar does, and removes those that expire.
///
/// ```
/// use sdp_sec::mediasec::{Bindings, Mechanism, MechanismSet};
///
/// let mut bindings = Bindings::new(MechanismSet::EMPTY.with(Mechanism::SdesSrtp));
/// bindings.register("sip:alice@192.0.2.1:5060", &["sdes-srtp;mediasec"])?;
/// assert!(bindings.of("sip:alice@192.0.2.1:5060").agreed().contains(Mechanism::SdesSrtp));
/// bindings.register("sip:alice@192.0.2.1:5060", &["ipsec-3gpp;alg=hmac-sha-1-96"])?;
/// assert!(bindings.of("sip:alice@192.0.2.1:5060").agreed().is_empty());
/// # Ok::<(), sdp_sec::mediasec::HeaderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bindings {
    network: MechanismSet,
    bindings: BTreeMap<String, MechanismSet>,
}

impl Bindings {
    /// For a network that supports `network`.
    #[must_use]
    pub const fn new(network: MechanismSet) -> Self {
        Self {
            network,
            bindings: BTreeMap::new(),
        }
    }

    /// What the network supports: for `Security-Server`, with
    /// [`client_value`](super::client_value). It does not depend on what the UE lists
    /// (RFC 3329 §2.3.1).
    #[must_use]
    pub const fn network(&self) -> MechanismSet {
        self.network
    }

    /// Takes the `Security-Client` values of an accepted REGISTER, first or refreshing.
    ///
    /// # Errors
    ///
    /// As [`SecurityHeaders::parse`], and then the binding has no indication any more;
    /// [`HeaderError::TooLong`] for a new binding beyond [`MAX_BINDINGS`], or a name beyond
    /// [`MAX_CONTACT_LEN`].
    pub fn register(
        &mut self,
        contact: &str,
        security_client: &[&str],
    ) -> Result<Indications, HeaderError> {
        self.remove(contact);
        let ue = MechanismSet::of(security_client)?;
        if self.bindings.len() >= MAX_BINDINGS || contact.len() > MAX_CONTACT_LEN {
            return Err(HeaderError::TooLong);
        }
        if !ue.is_empty() {
            self.bindings.insert(contact.into(), ue);
        }
        Ok(self.of(contact))
    }

    /// Forgets a binding that was removed or has expired.
    pub fn remove(&mut self, contact: &str) {
        self.bindings.remove(contact);
    }

    /// The indications of a binding; the UE has none if it is not known.
    #[must_use]
    pub fn of(&self, contact: &str) -> Indications {
        let ue = self.bindings.get(contact).copied().unwrap_or_default();
        Indications {
            ue,
            network: self.network,
        }
    }
}
