use rand_core::CryptoRng;

use crate::{
    Answer, LineError, Negotiated, Offer, OfferError, Policy, Refused, Rule, SecurityDescription,
    offer_answer::select, own_line::OwnLine,
};

impl Negotiated {
    /// Offers to modify the session ([RFC 4568 §5.1.4], [§7.1.4]).
    ///
    /// With [`LocalKey::Keep`] the offer has the one line in use; otherwise one for each suite of
    /// `policy`, with fresh keys and, if they have one, fresh MKIs.
    ///
    /// ```
    /// use sdes::{Answer, LocalKey, Offer, Policy, Rekey, Transport};
    ///
    /// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    /// let policy = Policy::default();
    /// let offer = Offer::new(&policy, &mut rng)?;
    /// let (answer, bob) = Answer::to(offer.lines(), &policy, &mut rng)?;
    /// let alice = offer.accept([answer.line()])?;
    ///
    /// // Alice moves to another address, and so needs another key; Bob stays where he is.
    /// let offer = alice.reoffer(LocalKey::RenewForNewTransport, &policy, &mut rng)?;
    /// let (answer, bob, _) =
    ///     bob.answer(offer.lines(), Transport::Changed, LocalKey::Keep, &policy, &mut rng)?;
    /// let (alice, change) = offer.accept([answer.line()], Transport::Unchanged)?;
    /// assert_eq!(change.outbound, Rekey::NewKey { reset_roc: true });
    /// # Ok::<(), sdes::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Offer::new`]; [`OfferError::SuiteNotAllowed`] if the suite in use is to be kept but not
    /// in `policy`.
    ///
    /// [RFC 4568 §5.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.4
    /// [§7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    pub fn reoffer<R: CryptoRng + ?Sized>(
        &self,
        local: LocalKey,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Reoffer, OfferError> {
        let offer = match local {
            LocalKey::Keep if !policy.suites().contains(self.suite()) => {
                return Err(OfferError::SuiteNotAllowed);
            }
            LocalKey::Keep => Offer::of_line(self.own.duplicate(), policy),
            LocalKey::Renew | LocalKey::RenewForNewTransport => {
                Offer::with_mki_from(self.local().next_mki(), policy, rng)?
            }
        };
        if local != LocalKey::Keep
            && offer
                .descriptions()
                .any(|new| new.shares_a_key_with(self.local()) || self.retired.holds_one_of(new))
        {
            return Err(OfferError::RepeatedKey);
        }
        Ok(Reoffer::new(self, local, offer))
    }

    /// Answers an offer to modify the session ([RFC 4568 §5.1.4], [§7.1.4]).
    ///
    /// `peer` says whether the offer has another address or port than before; then a line that
    /// repeats an old key is invalid. The own key is renewed even with [`LocalKey::Keep`] if the
    /// suite or a negotiated parameter changes, or if the peer has moved: what is at the new address
    /// may not know how far the old key's ROC has come.
    ///
    /// # Errors
    ///
    /// [`Refused`]: the modification has failed, and this session goes on as it is. A key that the
    /// session has used before, on either side, and given up is [`Rule::KeyReused`].
    ///
    /// [RFC 4568 §5.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.4
    /// [§7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    pub fn answer<L: AsRef<str>, R: CryptoRng + ?Sized>(
        &self,
        offered: impl IntoIterator<Item = L>,
        peer: Transport,
        local: LocalKey,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<(Answer, Self, Change), Refused> {
        let moved = local == LocalKey::RenewForNewTransport || peer == Transport::Changed;
        let new_key = Rekey::new_key(moved, policy);
        let remote = select(offered, policy, |offered| {
            self.inbound_change(offered, peer, new_key).err()
        })?;
        let inbound = self
            .inbound_change(&remote, peer, new_key)
            .unwrap_or(new_key);

        let same_transforms = remote.suite() == self.suite()
            && remote.negotiated_parameters() == self.local().negotiated_parameters();
        let keeps = local == LocalKey::Keep && !moved && same_transforms;
        let own = if keeps {
            self.own.retagged(remote.tag(), policy.padding())
        } else {
            OwnLine::answering(&remote, self.local().next_mki(), policy, rng)?
        };
        let fresh = &own.description;
        if !keeps && (fresh.shares_a_key_with(self.local()) || self.retired.holds_one_of(fresh)) {
            return Err(Refused::Own(OfferError::RepeatedKey));
        }
        let outbound = if keeps { Rekey::Unchanged } else { new_key };
        let answer = Answer::of_line(own.duplicate());
        Ok((
            answer,
            self.then(own, remote)?,
            Change { outbound, inbound },
        ))
    }

    /// What becomes of the peer's packets, or which rule the new description breaks.
    fn inbound_change(
        &self,
        new: &SecurityDescription,
        peer: Transport,
        new_key: Rekey,
    ) -> Result<Rekey, Rule> {
        if new.shares_a_key_with(self.local()) || self.retired.holds_one_of(new) {
            return Err(Rule::KeyReused);
        }
        if !new.shares_a_key_with(self.remote()) {
            return Ok(new_key);
        }
        if peer == Transport::Changed {
            return Err(Rule::KeyNotRenewed);
        }
        if new.repeats(self.remote()) {
            return Ok(Rekey::Unchanged);
        }
        // An old key may stand beside new ones, but then it goes on with its ROC whatever the
        // policy says, and must do what it did before.
        if new.continues(self.remote()) {
            return Ok(Rekey::NewKey { reset_roc: false });
        }
        Err(Rule::KeyReused)
    }
}

/// An offer to modify a session, kept until its answer comes ([RFC 4568 §7.1.4]).
///
/// Dropping it, or a refused answer, leaves the session as it is.
///
/// ```
/// use sdes::{Answer, LocalKey, Offer, Policy, Rekey, Transport};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default();
/// let offer = Offer::new(&policy, &mut rng)?;
/// let (answer, _) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// let session = offer.accept([answer.line()])?;
///
/// // Hold: nobody changes a key.
/// let reoffer = session.reoffer(LocalKey::Keep, &policy, &mut rng)?;
/// let (session, change) = reoffer.accept([answer.line()], Transport::Unchanged)?;
/// assert_eq!((change.outbound, change.inbound), (Rekey::Unchanged, Rekey::Unchanged));
/// # Ok::<(), sdes::Refused>(())
/// ```
///
/// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
#[derive(Debug)]
pub struct Reoffer {
    session: Negotiated,
    local: LocalKey,
    offer: Offer,
}

impl Reoffer {
    pub(crate) fn new(session: &Negotiated, local: LocalKey, offer: Offer) -> Self {
        Self {
            session: session.duplicate(),
            local,
            offer,
        }
    }

    /// The lines for the SDP, as [`Offer::lines`].
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.offer.lines()
    }

    /// What the lines say, as [`Offer::descriptions`].
    pub fn descriptions(&self) -> impl Iterator<Item = &SecurityDescription> {
        self.offer.descriptions()
    }

    /// Verifies the answer, as [`Offer::accept`]; `peer` says whether it has another address or port
    /// than before, and then its key must be new.
    ///
    /// # Errors
    ///
    /// [`Refused`]: the modification has failed, and the session goes on as it was.
    pub fn accept<L: AsRef<str>>(
        &self,
        answer: impl IntoIterator<Item = L>,
        peer: Transport,
    ) -> Result<(Negotiated, Change), Refused> {
        let Negotiated { own, remote, .. } = self.offer.accept(answer)?;
        if self.session.retired.holds_one_of(&own.description) {
            return Err(Refused::Own(OfferError::RepeatedKey));
        }
        let moved = self.local == LocalKey::RenewForNewTransport || peer == Transport::Changed;
        let new_key = Rekey::new_key(moved, self.offer.policy());
        let inbound = self
            .session
            .inbound_change(&remote, peer, new_key)
            .map_err(|rule| Refused::InvalidAnswer(LineError { rule, offset: 0 }))?;
        let outbound = if self.local == LocalKey::Keep {
            Rekey::Unchanged
        } else {
            new_key
        };
        Ok((
            self.session.then(own, remote)?,
            Change { outbound, inbound },
        ))
    }
}

/// Whether the peer's SDP has the address and port it had before.
///
/// ```
/// use sdes::Transport;
///
/// let moved = |old: (&str, u16), new: (&str, u16)| {
///     if old == new { Transport::Unchanged } else { Transport::Changed }
/// };
/// assert_eq!(moved(("192.0.2.1", 4000), ("192.0.2.1", 4002)), Transport::Changed);
/// ```
#[allow(clippy::exhaustive_enums, reason = "there is no third case")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// Another address or port, of the media or of its FEC stream.
    Changed,
    /// The same.
    Unchanged,
}

/// What becomes of the own key when a session is modified.
///
/// A new transport address without a new key cannot be said.
///
/// ```
/// use sdes::{Answer, LocalKey, Offer, Policy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default();
/// let offer = Offer::new(&policy, &mut rng)?;
/// let (answer, session) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// let hold = session.reoffer(LocalKey::Keep, &policy, &mut rng)?;
/// assert_eq!(hold.lines().collect::<Vec<_>>(), [answer.line()]);
/// # Ok::<(), sdes::Refused>(())
/// ```
#[allow(clippy::exhaustive_enums, reason = "there is no fourth case")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LocalKey {
    /// It stays.
    Keep,
    /// It is replaced; the transport address stays.
    Renew,
    /// It is replaced, because the own address or port changes ([RFC 4568 §7.1.4]).
    ///
    /// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    RenewForNewTransport,
}

/// What a modification does to one direction of the SRTP session ([RFC 4568 §7.1.4]).
///
/// ```
/// use sdes::Rekey;
///
/// let srtp_action = |rekey| match rekey {
///     Rekey::Unchanged => "leave the contexts alone",
///     Rekey::NewKey { reset_roc: false } => "new keys into the contexts",
///     Rekey::NewKey { reset_roc: true } => "new contexts",
/// };
/// assert_eq!(srtp_action(Rekey::Unchanged), "leave the contexts alone");
/// ```
///
/// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
#[allow(clippy::exhaustive_enums, reason = "a user must act on every case")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rekey {
    /// The contexts go on; neither ROC nor replay window may be reset.
    Unchanged,
    /// The keys of the new [`Negotiated`] take over. Keep the old ones too until the peer has been
    /// seen to use the new.
    NewKey {
        /// Whether streams begin a new context with ROC 0, because one of the two transport
        /// addresses changed, or go on with the ROC they have ([RFC 3711 §3.3.1]).
        ///
        /// [RFC 3711 §3.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1
        reset_roc: bool,
    },
}

impl Rekey {
    fn new_key(moved: bool, policy: &Policy) -> Self {
        Self::NewKey {
            reset_roc: moved || policy.roc_on_new_key() == RocOnNewKey::Reset,
        }
    }
}

/// What a modification does to both directions.
///
/// ```
/// use sdes::{Change, Rekey};
///
/// let hold = Change { outbound: Rekey::Unchanged, inbound: Rekey::Unchanged };
/// assert_eq!(hold.outbound, hold.inbound);
/// ```
#[allow(clippy::exhaustive_structs, reason = "there are two directions")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// The packets this side sends.
    pub outbound: Rekey,
    /// The packets the peer sends.
    pub inbound: Rekey,
}

/// What a new key without a new transport address does to the rollover counter.
///
/// ```
/// assert_eq!(sdes::RocOnNewKey::default(), sdes::RocOnNewKey::Keep);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RocOnNewKey {
    /// The ROC goes on, as [RFC 3711 §3.3.1] and TR 33.829 §5.3.2.1 NOTE 2 say.
    ///
    /// [RFC 3711 §3.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1
    #[default]
    Keep,
    /// The ROC starts at zero, for peers that build a new context for every new key.
    Reset,
}
