use sdp_sec::identity::{
    AssertedIdentity, ConferencePolicy, DialIn, DialOut, IdentityError, PublicIdentity,
};
use sdp_sec::{Sdp, conference};

/// What a conference asks of those who take part (TR 33.829 §5.3.1.1).
///
/// ```
/// use interop::conference::{Keys, Refusal, Rules};
///
/// let rules = Rules::new(Keys::Bilateral).closed(["sip:alice@example.com"])?;
/// assert_eq!(rules.dial_in(&["<sip:alice@example.com>"]), Ok("sip:alice@example.com".into()));
/// assert_eq!(rules.dial_in(&["<sip:mallory@example.com>"]), Err(Refusal::Forbidden));
/// assert_eq!(rules.dial_in(&[]), Err(Refusal::AnonymityDisallowed));
/// # Ok::<(), sdp_sec::identity::IdentityError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    members: Option<Vec<String>>,
    keys: Keys,
    secured_only: bool,
}

/// With which keys the focus sends (TR 33.829 §5.3.1.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Keys {
    /// Other keys to each participant: recommended (§5.3.2.2).
    Bilateral,
    /// One key to all.
    Group {
        /// Who joins cannot open what was sent before.
        renew_on_join: bool,
        /// Who has left cannot open what is sent after.
        renew_on_leave: bool,
    },
}

impl Keys {
    /// A group key that only those have who are in the conference.
    pub const GROUP: Self = Self::Group {
        renew_on_join: true,
        renew_on_leave: true,
    };
}

/// A request is refused.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The user does not say who they are.
    #[error("433 Anonymity Disallowed")]
    AnonymityDisallowed,
    /// The user may not take part, or is another than the keys are for.
    #[error("403 Forbidden")]
    Forbidden,
    /// The streams that are offered are not protected, or not so that they can be taken.
    #[error("488 Not Acceptable Here")]
    NotAcceptableHere,
    /// Nobody answers, or the one who is invited declines.
    #[error("480 Temporarily Unavailable")]
    Unavailable,
}

impl Rules {
    /// Anyone who says who they are, with protected streams.
    #[must_use]
    pub const fn new(keys: Keys) -> Self {
        Self {
            members: None,
            keys,
            secured_only: true,
        }
    }

    /// Only these users.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] for what is no sip or tel URI.
    pub fn closed<'m>(
        mut self,
        members: impl IntoIterator<Item = &'m str>,
    ) -> Result<Self, IdentityError> {
        let checked = |uri: &str| PublicIdentity::parse(uri).map(|_| uri.to_owned());
        let members = members.into_iter().map(checked);
        self.members = Some(members.collect::<Result<_, _>>()?);
        Ok(self)
    }

    /// Streams in clear beside protected ones are not a reason to refuse the call: they are not
    /// answered, which is no less safe.
    #[must_use]
    pub const fn tolerating_unsecured(mut self) -> Self {
        self.secured_only = false;
        self
    }

    /// Which keys.
    #[must_use]
    pub const fn keys(&self) -> Keys {
        self.keys
    }

    /// Who dials in, by the values of P-Asserted-Identity.
    ///
    /// # Errors
    ///
    /// [`Refusal::AnonymityDisallowed`] without one, [`Refusal::Forbidden`] for one who is not listed
    /// or whose identity cannot be read.
    pub fn dial_in(&self, asserted: &[&str]) -> Result<String, Refusal> {
        let asserted = AssertedIdentity::parse(asserted).map_err(|_| Refusal::Forbidden)?;
        let members = self.members();
        let policy = ConferencePolicy {
            anonymous: false,
            members: members.as_deref(),
        };
        match policy.dial_in(&asserted) {
            DialIn::Admit => self.name(&asserted).ok_or(Refusal::Forbidden),
            DialIn::AnonymityDisallowed => Err(Refusal::AnonymityDisallowed),
            _ => Err(Refusal::Forbidden),
        }
    }

    /// Who has answered an invitation, perhaps another than was invited; `None` means that it is
    /// cancelled.
    #[must_use]
    pub fn dial_out(&self, asserted: &[&str]) -> Option<String> {
        let asserted = AssertedIdentity::parse(asserted).ok()?;
        let members = self.members();
        let policy = ConferencePolicy {
            anonymous: false,
            members: members.as_deref(),
        };
        let admitted = policy.dial_out(&asserted) == DialOut::Admit;
        admitted.then(|| self.name(&asserted)).flatten()
    }

    /// Whether the streams of an offer, of either side, are protected.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAcceptableHere`].
    pub fn check_offer(&self, sdp: &str) -> Result<(), Refusal> {
        let refused = |_| Refusal::NotAcceptableHere;
        let offer = Sdp::parse(sdp.as_bytes()).map_err(refused)?;
        if self.secured_only {
            conference::check_secured_only(&offer).map_err(refused)?;
        }
        Ok(())
    }

    fn members(&self) -> Option<Vec<PublicIdentity<'_>>> {
        let members = self.members.as_ref()?.iter();
        // All of them were read when they were listed.
        Some(
            members
                .filter_map(|uri| PublicIdentity::parse(uri).ok())
                .collect(),
        )
    }

    /// The name of a user as the list has it.
    fn name(&self, asserted: &AssertedIdentity<'_>) -> Option<String> {
        match self.members() {
            Some(members) => members
                .iter()
                .find(|member| asserted.is(member))
                .map(|member| member.as_str().to_owned()),
            None => asserted
                .identities()
                .next()
                .map(|user| user.as_str().to_owned()),
        }
    }
}
