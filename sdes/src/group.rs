use core::fmt;

use rand_core::CryptoRng;

use crate::{
    Answer, LocalKey, Negotiated, Offer, OfferError, Policy, Refused, Reoffer, Rule,
    SecurityDescription, offer_answer::select, own_line::OwnLine,
};

/// One key for what a conference focus sends to all participants (TR 33.829 §5.3.2.1): the same
/// `a=crypto` in every dialogue, so that a packet is encrypted once and sent to all.
///
/// TR 33.829 §5.3.2.2 recommends against it: without it, [`Offer::new`] and [`Answer::to`] give each
/// participant and each stream a key of its own. The participants' upstream keys are individual in
/// any case; [`SdpKeys::admit_inbound`](crate::SdpKeys::admit_inbound) makes sure of it.
///
/// # Security
///
/// Everybody who has ever been in the conference can read what is sent under a key that was valid
/// then. Renew it when somebody leaves, and before somebody may not read what went before. A
/// participant who joins also needs streams that begin with ROC 0: delete the media line and add
/// another (TR 33.829 §5.3.2.1).
///
/// ```
/// use sdes::{Answer, GroupKey, Policy, Rekey, SdpKeys, Transport, LocalKey};
/// use srtp::keying::MasterKeySource;
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default();
/// let group = GroupKey::new(&policy, &mut rng)?;
///
/// let mut upstream = SdpKeys::new();
/// let offer = group.offer();
/// let (answer, participant) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// let session = offer.accept([answer.line()])?;
/// upstream.admit_inbound(0, &session)?;
///
/// // Somebody leaves: all others get a new key, and go on with the ROC they have.
/// let group = group.renewed(&mut rng)?;
/// let offer = session.reoffer_group(&group);
/// let (answer, participant, _) = participant.answer(
///     offer.lines(), Transport::Unchanged, LocalKey::Keep, &policy, &mut rng)?;
/// let (session, change) = offer.accept([answer.line()], Transport::Unchanged)?;
/// assert_eq!(change.outbound, Rekey::NewKey { reset_roc: false });
/// assert_eq!(change.inbound, Rekey::Unchanged);
/// # Ok::<(), sdes::Refused>(())
/// ```
pub struct GroupKey {
    own: OwnLine,
    policy: Policy,
}

impl GroupKey {
    /// Draws a key for the first suite of `policy`.
    ///
    /// # Errors
    ///
    /// As [`Offer::new`].
    pub fn new<R: CryptoRng + ?Sized>(policy: &Policy, rng: &mut R) -> Result<Self, OfferError> {
        Self::with_mki_from(1, policy.only_preferred_suite(), rng)
    }

    /// The key that follows this one: same suite and parameters, next MKI.
    ///
    /// # Errors
    ///
    /// As [`Offer::new`].
    pub fn renewed<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Result<Self, OfferError> {
        let next = self.own.description.next_mki();
        let renewed = Self::with_mki_from(next, self.policy.clone(), rng)?;
        if renewed
            .own
            .description
            .shares_a_key_with(&self.own.description)
        {
            return Err(OfferError::RepeatedKey);
        }
        Ok(renewed)
    }

    /// An offer of the group's key, for the dialogue with one participant.
    #[must_use]
    pub fn offer(&self) -> Offer {
        Offer::of_line(self.own.duplicate(), &self.policy)
    }

    /// Answers a participant who dials in with the group's key.
    ///
    /// # Errors
    ///
    /// [`Refused`]: none of the lines has the group's suite and parameters.
    pub fn answer<L: AsRef<str>>(
        &self,
        offered: impl IntoIterator<Item = L>,
    ) -> Result<(Answer, Negotiated), Refused> {
        let group = &self.own.description;
        let objection = |remote: &SecurityDescription| {
            if remote.shares_a_key_with(group) {
                Some(Rule::KeyReused)
            } else if remote.negotiated_parameters() != group.negotiated_parameters() {
                Some(Rule::ParameterNotAllowed)
            } else {
                None
            }
        };
        let remote = select(offered, &self.policy, objection)?;
        let own = self.own.retagged(remote.tag(), self.policy.padding());
        let answer = Answer::of_line(own.duplicate());
        Ok((answer, Negotiated::new(own, remote)))
    }

    /// What the group's line says; the keys to build the one sender with.
    #[must_use]
    pub const fn description(&self) -> &SecurityDescription {
        &self.own.description
    }

    fn with_mki_from<R: CryptoRng + ?Sized>(
        first_mki: u64,
        policy: Policy,
        rng: &mut R,
    ) -> Result<Self, OfferError> {
        let suite = policy.preferred_suite();
        let own = OwnLine::draw(1, suite, policy.offered(), first_mki, &policy, rng)?;
        Ok(Self { own, policy })
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupKey").finish_non_exhaustive()
    }
}

impl Negotiated {
    /// Offers the group's key, new or not, to one participant; the transport address stays.
    #[must_use]
    pub fn reoffer_group(&self, group: &GroupKey) -> Reoffer {
        let same = self.local().repeats(group.description());
        let local = if same {
            LocalKey::Keep
        } else {
            LocalKey::Renew
        };
        Reoffer::new(self, local, group.offer())
    }
}
