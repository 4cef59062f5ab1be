use core::fmt;

use crate::{Attribute, CryptoSuite, Refused, SecurityDescription};

/// The key material of one media line, from the `a=crypto` lines of a stored offer and answer
/// (TR 33.829 §10.3.2): for lawful interception that begins in mid-call.
///
/// Nothing but the two texts is needed, since SDES puts all keys into them.
///
/// ```
/// use sdes::{Answer, Offer, Policy, Recovered};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default();
/// let offer = Offer::new(&policy, &mut rng)?;
/// let (answer, keys) = Answer::to(offer.lines(), &policy, &mut rng)?;
///
/// let recovered = Recovered::from_stored(offer.lines(), [answer.line()], &[])?;
/// assert_eq!(
///     recovered.answerer().keys().entries()[0].key().expose_key(),
///     keys.local().keys().entries()[0].key().expose_key(),
/// );
/// # Ok::<(), sdes::Refused>(())
/// ```
///
/// # Security
///
/// It holds the keys of both directions of a call; erased when dropped, never printed.
pub struct Recovered {
    offerer: SecurityDescription,
    answerer: SecurityDescription,
}

impl Recovered {
    /// Matches the answer with the offered line that it accepted, whatever a policy of this side
    /// would say to it. Suites without a registered name are looked up in `private`.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the answer has not exactly one line, accepts none of those offered, or one of
    /// the two is not valid.
    pub fn from_stored<O: AsRef<str>, A: AsRef<str>>(
        offer: impl IntoIterator<Item = O>,
        answer: impl IntoIterator<Item = A>,
        private: &[CryptoSuite],
    ) -> Result<Self, Refused> {
        let mut answers = answer.into_iter();
        let line = answers.next().ok_or(Refused::NoCrypto)?;
        if answers.next().is_some() {
            return Err(Refused::SeveralAnswers);
        }
        let answer = Attribute::parse(line.as_ref()).map_err(Refused::InvalidAnswer)?;
        let mut refused = Refused::UnknownTag;
        for (position, line) in offer.into_iter().enumerate() {
            let Ok(offered) = Attribute::parse(line.as_ref()) else {
                continue;
            };
            if offered.tag() != answer.tag() {
                continue;
            }
            if offered.suite() != answer.suite() {
                refused = Refused::SuiteMismatch;
                continue;
            }
            let answerer = SecurityDescription::from_attribute(&answer, private)
                .map_err(Refused::InvalidAnswer)?;
            return match SecurityDescription::from_attribute(&offered, private) {
                Ok(offerer) => Ok(Self { offerer, answerer }),
                Err(reason) => Err(Refused::NoneAcceptable {
                    line: position,
                    reason,
                }),
            };
        }
        Err(refused)
    }

    /// What the offerer sends is protected with these keys.
    #[must_use]
    pub const fn offerer(&self) -> &SecurityDescription {
        &self.offerer
    }

    /// What the answerer sends is protected with these keys.
    #[must_use]
    pub const fn answerer(&self) -> &SecurityDescription {
        &self.answerer
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered").finish_non_exhaustive()
    }
}
