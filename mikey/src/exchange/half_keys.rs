//! What the two Diffie-Hellman exchanges share: half-keys and the TGK ([RFC 3830 §3.3]).
//!
//! [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::sessions::Sessions;
use super::{Acceptance, Bundle, ExchangeError, KeyKind, KeyMaterial, Proposal, Validity};
use crate::MessageTime;
use crate::code_points::PayloadType;
use crate::crypto::{DhSecret, Group};
use crate::payload::{Dh, KeyValidity};

/// A DH payload, owned: DHi of the message that an answer must repeat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HalfKey {
    group: Group,
    value: Vec<u8>,
    validity: Validity,
}

impl HalfKey {
    pub(super) fn own(secret: &DhSecret, validity: Validity) -> Self {
        Self {
            group: secret.group(),
            value: secret.public_value(),
            validity,
        }
    }

    /// The DH payload of a peer, if its group is accepted.
    pub(super) fn of_peer(dh: &Dh<'_>, acceptance: &Acceptance) -> Result<Self, ExchangeError> {
        let group = Group::from_code_point(dh.group()).ok_or(ExchangeError::UnsupportedGroup)?;
        acceptance.check_group(group)?;
        Ok(Self {
            group,
            value: dh.value().to_vec(),
            validity: Validity::from_payload(dh.validity()),
        })
    }

    pub(super) const fn group(&self) -> Group {
        self.group
    }

    pub(super) const fn validity(&self) -> &Validity {
        &self.validity
    }

    pub(super) fn to_payload(&self) -> Result<Dh<'_>, ExchangeError> {
        let validity: KeyValidity<'_> = self.validity.to_payload()?;
        Ok(Dh::new(self.group.code_point(), &self.value, validity)?)
    }

    /// The TGK of our `secret` and this half-key, valid as the Initiator said.
    pub(super) fn agree(
        &self,
        secret: &DhSecret,
        validity: &Validity,
    ) -> Result<KeyMaterial, ExchangeError> {
        if self.group != secret.group() {
            return Err(ExchangeError::Mismatch);
        }
        let tgk = secret.agree(&self.value)?;
        Ok(KeyMaterial::new(KeyKind::Tgk, tgk).with_validity(validity.clone()))
    }
}

/// DHr and DHi of an answer: the Responder's half-key, behind which stands our own.
pub(super) fn answered(
    dh: &[Dh<'_>],
    own: &HalfKey,
    acceptance: &Acceptance,
) -> Result<HalfKey, ExchangeError> {
    let [responder, initiator] = dh else {
        return Err(ExchangeError::MissingPayload(PayloadType::Dh));
    };
    if *initiator != own.to_payload()? {
        return Err(ExchangeError::Mismatch);
    }
    HalfKey::of_peer(responder, acceptance)
}

/// What an update of a Diffie-Hellman bundle changes; what is not set stays as it is
/// ([RFC 3830 §4.5], [RFC 4650 §3.1]).
///
/// ```
/// use mikey::crypto::Group;
/// use mikey::exchange::{DhUpdate, Validity};
///
/// let update = DhUpdate::new().rekey(Group::Oakley5, Validity::Unlimited);
/// assert!(update.rekeys());
/// ```
///
/// [RFC 3830 §4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5
/// [RFC 4650 §3.1]: https://www.rfc-editor.org/rfc/rfc4650#section-3.1
#[derive(Debug, Default)]
pub struct DhUpdate<'a> {
    proposal: Option<Proposal<'a>>,
    rekey: Option<(Group, Validity)>,
}

impl<'a> DhUpdate<'a> {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Other crypto sessions, with their policies, in place of the ones that are.
    #[must_use]
    pub const fn proposal(mut self, proposal: Proposal<'a>) -> Self {
        self.proposal = Some(proposal);
        self
    }

    /// A new TGK from new half-keys.
    #[must_use]
    pub fn rekey(mut self, group: Group, validity: Validity) -> Self {
        self.rekey = Some((group, validity));
        self
    }

    /// Whether it brings a new TGK.
    #[must_use]
    pub const fn rekeys(&self) -> bool {
        self.rekey.is_some()
    }

    pub(super) const fn proposed(&self) -> Option<Proposal<'a>> {
        self.proposal
    }

    /// The own half-key, if there is to be one.
    pub(super) fn half_key<R: CryptoRng>(&self, rng: &mut R) -> Option<(DhSecret, HalfKey)> {
        let (group, validity) = self.rekey.as_ref()?;
        let secret = DhSecret::random(*group, rng);
        let own = HalfKey::own(&secret, validity.clone());
        Some((secret, own))
    }
}

/// What the Responder makes of the half-key of an update: both half-keys, and the TGK.
pub(super) struct Agreed {
    pub(super) own: HalfKey,
    pub(super) theirs: HalfKey,
    pub(super) tgk: KeyMaterial,
}

impl Agreed {
    /// `None` for an update that has no half-key.
    pub(super) fn with<R: CryptoRng>(
        dh: &[Dh<'_>],
        acceptance: &Acceptance,
        rng: &mut R,
    ) -> Result<Option<Self>, ExchangeError> {
        match dh {
            [] => Ok(None),
            [dh] => {
                let theirs = HalfKey::of_peer(dh, acceptance)?;
                let secret = DhSecret::random(theirs.group(), rng);
                let tgk = theirs.agree(&secret, theirs.validity())?;
                let own = HalfKey::own(&secret, theirs.validity().clone());
                Ok(Some(Self { own, theirs, tgk }))
            }
            _ => Err(ExchangeError::UnexpectedPayload(PayloadType::Dh)),
        }
    }
}

/// The TGK of the answer to an update: none where no half-key was sent.
pub(super) fn updated(
    dh: &[Dh<'_>],
    own: Option<&(DhSecret, HalfKey)>,
    acceptance: &Acceptance,
) -> Result<Option<KeyMaterial>, ExchangeError> {
    match own {
        Some((secret, own)) => {
            let theirs = answered(dh, own, acceptance)?;
            Ok(Some(theirs.agree(secret, own.validity())?))
        }
        None if dh.is_empty() => Ok(None),
        None => Err(ExchangeError::UnexpectedPayload(PayloadType::Dh)),
    }
}

impl Bundle {
    /// Takes what an update has proposed and its answer brought.
    pub(super) fn rekey(
        &mut self,
        proposal: Option<&Proposal<'_>>,
        time: MessageTime,
        tgk: Option<KeyMaterial>,
        sessions: Sessions,
    ) {
        self.apply_proposal(proposal, time);
        self.sessions = sessions;
        if let Some(tgk) = tgk {
            self.keys = alloc::vec![tgk];
        }
    }
}
