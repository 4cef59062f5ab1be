use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::{
    Attribute, LineError, Negotiated, OfferError, Policy, Refused, Rule, SecurityDescription,
    Selection, limits::MAX_LINES_PER_MEDIA, own_line::OwnLine,
};

/// The `a=crypto` lines of one offered media line, kept until its answer comes
/// ([RFC 4568 §5.1.1], [§7.1.1]).
///
/// ```
/// use sdes::{Answer, Offer, Policy};
/// use srtp::keying::{MasterKeySource, Profile};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default();
/// let offer = Offer::new(&policy, &mut rng)?;
/// assert_eq!(offer.lines().count(), 4);
///
/// // At the peer:
/// let (answer, theirs) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// // Back here:
/// let ours = offer.accept([answer.line()])?;
/// assert_eq!(ours.outbound().profile(), Profile::AeadAes256Gcm);
/// assert_eq!(
///     ours.outbound().entries()[0].key().expose_key(),
///     theirs.inbound().entries()[0].key().expose_key(),
/// );
/// # Ok::<(), sdes::Refused>(())
/// ```
///
/// [RFC 4568 §5.1.1]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.1
/// [§7.1.1]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.1
pub struct Offer {
    own: Vec<OwnLine>,
    policy: Policy,
}

impl Offer {
    /// One line for each suite of the policy, tags from 1, each with its own fresh key.
    ///
    /// # Errors
    ///
    /// [`OfferError::Keying`] if the policy's parameters do not fit one of its suites,
    /// [`OfferError::RepeatedKey`] if `rng` is broken.
    pub fn new<R: CryptoRng + ?Sized>(policy: &Policy, rng: &mut R) -> Result<Self, OfferError> {
        Self::with_mki_from(1, policy, rng)
    }

    pub(crate) fn with_mki_from<R: CryptoRng + ?Sized>(
        first_mki: u64,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Self, OfferError> {
        let mut own: Vec<OwnLine> = Vec::with_capacity(policy.suites().len());
        for (tag, suite) in (1..).zip(policy.suites()) {
            let fresh = OwnLine::draw(tag, suite, policy.offered(), first_mki, policy, rng)?;
            if own
                .iter()
                .any(|line| line.description.shares_a_key_with(&fresh.description))
            {
                return Err(OfferError::RepeatedKey);
            }
            own.push(fresh);
        }
        Ok(Self {
            own,
            policy: policy.clone(),
        })
    }

    /// The one line `own`, for a session whose key is settled already.
    pub(crate) fn of_line(own: OwnLine, policy: &Policy) -> Self {
        Self {
            own: alloc::vec![own],
            policy: policy.clone(),
        }
    }

    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The lines for the SDP, the preferred one first, without line ends: `a=crypto:1 ...`.
    ///
    /// # Security
    ///
    /// They hold the keys in clear: the SDP needs confidential and authenticated signalling
    /// ([RFC 4568 §8.3]).
    ///
    /// [RFC 4568 §8.3]: https://www.rfc-editor.org/rfc/rfc4568#section-8.3
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(OwnLine::text)
    }

    /// What the lines say; for a gateway that is told of the only one before the answer comes
    /// (TS 23.334 §5.11.2.1).
    pub fn descriptions(&self) -> impl Iterator<Item = &SecurityDescription> {
        self.own.iter().map(|own| &own.description)
    }

    /// Verifies the `a=crypto` lines of an answer to this offer, of which there must be one
    /// ([RFC 4568 §5.1.3], [§7.1.3]).
    ///
    /// An offer that was forked is accepted once for every answer; each result has the inbound key
    /// of its branch.
    ///
    /// # Security
    ///
    /// All branches share the *outbound* key, and every user agent that saw the offer knows it.
    /// Sending different packets with the same SSRC to two branches is a two-time pad, so do not
    /// send on a further branch before [`Negotiated::reoffer`] with
    /// [`LocalKey::RenewForNewTransport`](crate::LocalKey::RenewForNewTransport) has given it a key
    /// and a transport address of its own ([RFC 4568 §7.3]).
    ///
    /// # Errors
    ///
    /// [`Refused`]: the negotiation has failed, and no media may flow.
    ///
    /// [RFC 4568 §5.1.3]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.3
    /// [§7.1.3]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.3
    /// [RFC 4568 §7.3]: https://www.rfc-editor.org/rfc/rfc4568#section-7.3
    pub fn accept<L: AsRef<str>>(
        &self,
        answer: impl IntoIterator<Item = L>,
    ) -> Result<Negotiated, Refused> {
        let mut lines = answer.into_iter();
        let line = lines.next().ok_or(Refused::NoCrypto)?;
        if lines.next().is_some() {
            return Err(Refused::SeveralAnswers);
        }
        let attribute = Attribute::parse(line.as_ref()).map_err(Refused::InvalidAnswer)?;
        let offered = self
            .own
            .iter()
            .find(|own| own.description.tag() == attribute.tag())
            .ok_or(Refused::UnknownTag)?;
        if !offered.description.suite().is_named(attribute.suite()) {
            return Err(Refused::SuiteMismatch);
        }
        let remote = self
            .policy
            .examine(line.as_ref())
            .map_err(Refused::InvalidAnswer)?;
        let negotiated = offered.description.negotiated_parameters();
        if remote.negotiated_parameters() != negotiated {
            return Err(Refused::ParameterMismatch);
        }
        if self
            .own
            .iter()
            .any(|own| own.description.shares_a_key_with(&remote))
        {
            return Err(Refused::KeyReused);
        }
        Ok(Negotiated::new(offered.duplicate(), remote))
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").finish_non_exhaustive()
    }
}

/// The one `a=crypto` line that answers an offer ([RFC 4568 §5.1.2], [§7.1.2]).
///
/// ```
/// use sdes::{Answer, Policy, Refused};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let offered = [
///     "a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:not+even+read",
///     "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
/// ];
/// let (answer, keys) = Answer::to(offered, &Policy::default(), &mut rng)?;
/// assert!(answer.line().starts_with("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
///
/// // What cannot be protected is refused: port 0, never plain RTP.
/// let refused = Answer::to(offered.iter().take(1), &Policy::default(), &mut rng).unwrap_err();
/// assert!(matches!(refused, Refused::NoneAcceptable { line: 0, .. }));
/// # Ok::<(), Refused>(())
/// ```
///
/// [RFC 4568 §5.1.2]: https://www.rfc-editor.org/rfc/rfc4568#section-5.1.2
/// [§7.1.2]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.2
pub struct Answer {
    own: OwnLine,
}

impl Answer {
    /// Accepts the first of the `a=crypto` lines offered for a media line that is valid, supported
    /// and allowed, and draws the own key.
    ///
    /// A line that cannot be used does not spoil the others.
    ///
    /// # Errors
    ///
    /// [`Refused`]: answer the media line with port 0.
    pub fn to<L: AsRef<str>, R: CryptoRng + ?Sized>(
        offered: impl IntoIterator<Item = L>,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<(Self, Negotiated), Refused> {
        let remote = select(offered, policy, |_| None)?;
        let own = OwnLine::answering(&remote, 1, policy, rng)?;
        let negotiated = Negotiated::new(own.duplicate(), remote);
        Ok((Self { own }, negotiated))
    }

    pub(crate) const fn of_line(own: OwnLine) -> Self {
        Self { own }
    }

    /// The line for the SDP, without a line end: `a=crypto:2 ...`.
    ///
    /// # Security
    ///
    /// It holds the key in clear, as those of [`Offer::lines`] do.
    #[must_use]
    pub fn line(&self) -> &str {
        self.own.text()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// The offered line to accept. `objection` may rule out further ones.
pub(crate) fn select<L: AsRef<str>>(
    offered: impl IntoIterator<Item = L>,
    policy: &Policy,
    objection: impl Fn(&SecurityDescription) -> Option<Rule>,
) -> Result<SecurityDescription, Refused> {
    let lines: Vec<L> = offered.into_iter().take(MAX_LINES_PER_MEDIA + 1).collect();
    if lines.len() > MAX_LINES_PER_MEDIA {
        return Err(Refused::TooManyLines);
    }
    let tags: Vec<Option<u32>> = lines
        .iter()
        .map(|line| Attribute::peek_tag(line.as_ref()))
        .collect();

    let mut first_fault: Option<(usize, LineError)> = None;
    let mut acceptable: Vec<SecurityDescription> = Vec::new();
    let mut seen = BTreeSet::new();
    for (position, line) in lines.iter().enumerate() {
        match examine_among(line.as_ref(), &tags, policy, &objection) {
            Ok(description) if policy.selection() == Selection::OffererOrder => {
                return Ok(description);
            }
            Ok(description) => {
                if description.digests().any(|digest| seen.contains(&digest)) {
                    let fault = Rule::KeyReused.at(line.as_ref(), line.as_ref());
                    first_fault.get_or_insert((position, fault));
                    continue;
                }
                seen.extend(description.digests());
                acceptable.push(description);
            }
            Err(fault) => {
                first_fault.get_or_insert((position, fault));
            }
        }
    }
    let rank =
        |found: &SecurityDescription| policy.suites().iter().position(|s| s == found.suite());
    acceptable
        .into_iter()
        .min_by_key(rank)
        .ok_or(match first_fault {
            Some((line, reason)) => Refused::NoneAcceptable { line, reason },
            None => Refused::NoCrypto,
        })
}

fn examine_among(
    line: &str,
    tags: &[Option<u32>],
    policy: &Policy,
    objection: &impl Fn(&SecurityDescription) -> Option<Rule>,
) -> Result<SecurityDescription, LineError> {
    let description = policy.examine(line)?;
    if tags
        .iter()
        .filter(|tag| **tag == Some(description.tag()))
        .count()
        > 1
    {
        return Err(Rule::DuplicateTag.at(line, line));
    }
    match objection(&description) {
        None => Ok(description),
        Some(rule) => Err(rule.at(line, line)),
    }
}
