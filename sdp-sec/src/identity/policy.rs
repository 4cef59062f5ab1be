use super::{AssertedIdentity, PublicIdentity};

/// Whom a caller is connected to, as far as the network says (TR 33.829 §9.2).
///
/// ```
/// use sdp_sec::identity::{CallerPolicy, CallerStep, Who};
///
/// assert_eq!(CallerPolicy::STRICT.step(Who::Called), CallerStep::Proceed);
/// assert_eq!(CallerPolicy::STRICT.step(Who::Unknown), CallerStep::Cancel);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who<'a> {
    /// The one that was called.
    Called,
    /// Another one, who is known: the call was diverted.
    Other(PublicIdentity<'a>),
    /// Somebody unknown, and the call was diverted.
    DivertedToUnknown,
    /// Somebody unknown.
    Unknown,
}

/// Whom a caller is connected to.
///
/// `diverted`: the network said that the call is forwarded (181, or a History-Info entry with a
/// cause of RFC 4458).
///
/// ```
/// use sdp_sec::identity::{AssertedIdentity, PublicIdentity, Who, who_answered};
///
/// let called = PublicIdentity::parse("sip:bob@home2.net")?;
/// let answer = AssertedIdentity::parse(&["<sip:carol@home3.net>"])?;
/// let carol = PublicIdentity::parse("sip:carol@home3.net")?;
/// assert_eq!(who_answered(&called, &answer, false), Who::Other(carol));
/// assert_eq!(who_answered(&called, &AssertedIdentity::ABSENT, false), Who::Unknown);
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[must_use]
pub fn who_answered<'a>(
    called: &PublicIdentity<'_>,
    answer: &AssertedIdentity<'a>,
    diverted: bool,
) -> Who<'a> {
    match answer.identities().next() {
        _ if answer.is(called) => Who::Called,
        Some(other) => Who::Other(other),
        None if diverted => Who::DivertedToUnknown,
        None => Who::Unknown,
    }
}

/// What a caller wants done.
///
/// ```
/// use sdp_sec::identity::{CallerPolicy, Reaction};
///
/// assert_eq!(CallerPolicy::default().unknown, Reaction::Alert);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reaction {
    /// The call goes on.
    Proceed,
    /// The call goes on, and the user is told whom it is with.
    Alert,
    /// The call is cancelled.
    Cancel,
    /// The call is cancelled, and the one who answered is called directly, with keys of its own;
    /// cancelled alone where that one is not known.
    CancelAndCall,
}

/// What a caller does when the answerer of an end-to-end protected call is not who was called
/// (TR 33.829 §9.3.1.4).
///
/// ```
/// use sdp_sec::identity::{CallerPolicy, CallerStep, PublicIdentity, Reaction, Who};
///
/// let carol = PublicIdentity::parse("sip:carol@home3.net")?;
/// let mut policy = CallerPolicy::default();
/// assert_eq!(policy.step(Who::Other(carol)), CallerStep::Alert);
/// policy.other = Reaction::CancelAndCall;
/// assert_eq!(policy.step(Who::Other(carol)), CallerStep::CancelAndCall(carol));
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallerPolicy {
    /// For another, known answerer.
    pub other: Reaction,
    /// For an unknown answerer of a diverted call.
    pub diverted_to_unknown: Reaction,
    /// For an unknown answerer.
    pub unknown: Reaction,
}

impl Default for CallerPolicy {
    /// The user is told.
    fn default() -> Self {
        Self {
            other: Reaction::Alert,
            diverted_to_unknown: Reaction::Alert,
            unknown: Reaction::Alert,
        }
    }
}

impl CallerPolicy {
    /// Only the called user is talked to.
    pub const STRICT: Self = Self {
        other: Reaction::CancelAndCall,
        diverted_to_unknown: Reaction::Cancel,
        unknown: Reaction::Cancel,
    };

    /// The step for `who`.
    #[must_use]
    pub const fn step<'a>(&self, who: Who<'a>) -> CallerStep<'a> {
        let (reaction, known) = match who {
            Who::Called => return CallerStep::Proceed,
            Who::Other(identity) => (self.other, Some(identity)),
            Who::DivertedToUnknown => (self.diverted_to_unknown, None),
            Who::Unknown => (self.unknown, None),
        };
        match (reaction, known) {
            (Reaction::Proceed, _) => CallerStep::Proceed,
            (Reaction::Alert, _) => CallerStep::Alert,
            (Reaction::CancelAndCall, Some(identity)) => CallerStep::CancelAndCall(identity),
            (Reaction::Cancel, _) | (Reaction::CancelAndCall, None) => CallerStep::Cancel,
        }
    }
}

/// What a caller does.
///
/// ```
/// use sdp_sec::identity::{CallerPolicy, CallerStep, Who};
///
/// assert_eq!(CallerPolicy::default().step(Who::DivertedToUnknown), CallerStep::Alert);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallerStep<'a> {
    /// Goes on.
    Proceed,
    /// Goes on, and tells the user.
    Alert,
    /// Sends CANCEL, or BYE.
    Cancel,
    /// Sends CANCEL, or BYE, and calls this identity. The new call has new keys: those of the old
    /// one were seen by everyone it was diverted through.
    CancelAndCall(PublicIdentity<'a>),
}

/// Who may be in a conference (TR 33.829 §5.3.1.1 a, §5.3.2.2).
///
/// ```
/// use sdp_sec::identity::{
///     AssertedIdentity, ConferencePolicy, DialIn, DialOut, PublicIdentity,
/// };
///
/// let members = [PublicIdentity::parse("sip:alice@home1.net")?];
/// let policy = ConferencePolicy { anonymous: false, members: Some(&members) };
/// assert_eq!(policy.dial_in(&AssertedIdentity::ABSENT), DialIn::AnonymityDisallowed);
/// let carol = AssertedIdentity::parse(&["<sip:carol@home3.net>"])?;
/// assert_eq!(policy.dial_in(&carol), DialIn::Forbidden);
/// assert_eq!(policy.dial_out(&carol), DialOut::Cancel);
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConferencePolicy<'m> {
    /// Users who do not say who they are may take part. Of no effect with `members`.
    pub anonymous: bool,
    /// The only users who may; `None` for anyone.
    pub members: Option<&'m [PublicIdentity<'m>]>,
}

impl ConferencePolicy<'_> {
    /// What becomes of an INVITE from a user.
    #[must_use]
    pub fn dial_in(&self, caller: &AssertedIdentity<'_>) -> DialIn {
        if caller.is_absent() && (self.members.is_some() || !self.anonymous) {
            DialIn::AnonymityDisallowed
        } else if self.admits(caller) {
            DialIn::Admit
        } else {
            DialIn::Forbidden
        }
    }

    /// What becomes of an INVITE to a user, once somebody has answered it: the invited one, or
    /// another to whom the call was diverted.
    #[must_use]
    pub fn dial_out(&self, answerer: &AssertedIdentity<'_>) -> DialOut {
        if self.dial_in(answerer) == DialIn::Admit {
            DialOut::Admit
        } else {
            DialOut::Cancel
        }
    }

    fn admits(&self, user: &AssertedIdentity<'_>) -> bool {
        self.members
            .is_none_or(|members| members.iter().any(|member| user.is(member)))
    }
}

/// The answer to an INVITE to a conference.
///
/// ```
/// use sdp_sec::identity::{AssertedIdentity, ConferencePolicy, DialIn};
///
/// let open = ConferencePolicy { anonymous: true, members: None };
/// assert_eq!(open.dial_in(&AssertedIdentity::ABSENT), DialIn::Admit);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DialIn {
    /// The user takes part.
    Admit,
    /// 433 Anonymity Disallowed (RFC 5079).
    AnonymityDisallowed,
    /// 403 Forbidden: the user is not a member.
    Forbidden,
}

/// What a conference does with who answered its INVITE.
///
/// ```
/// use sdp_sec::identity::{AssertedIdentity, ConferencePolicy, DialOut};
///
/// let open = ConferencePolicy { anonymous: false, members: None };
/// assert_eq!(open.dial_out(&AssertedIdentity::ABSENT), DialOut::Cancel);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DialOut {
    /// The user takes part.
    Admit,
    /// The invitation is cancelled.
    Cancel,
}
