//! A protected call that the network hands over to the circuit-switched (CS) domain (TR 33.829 §6.3).
//!
//! Where that domain carries SRTP as it comes, the call goes on: the keys are those it had. Where it
//! does not, the user decides between a call in clear and none; until then nothing is sent.

/// What becomes of the media of a call when the handover command comes.
///
/// ```
/// use interop::srvcc::{Handover, Outcome};
///
/// // The media may be anything: here it is a word.
/// let Handover::Undecided(call) = Handover::of("SRTP", false) else {
///     return Err("the CS domain does not carry SRTP");
/// };
/// assert_eq!(call.decide(true), Outcome::InClear);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the CS domain carries SRTP or not")]
pub enum Handover<M> {
    /// The call goes on as it was.
    Protected(M),
    /// The user is to be asked.
    Undecided(Undecided<M>),
}

impl<M> Handover<M> {
    /// `carries_srtp`: what the handover command says of the CS domain. One that does not say does
    /// not.
    pub const fn of(media: M, carries_srtp: bool) -> Self {
        if carries_srtp {
            Self::Protected(media)
        } else {
            Self::Undecided(Undecided { _media: media })
        }
    }
}

/// A call whose protection cannot go on. It sends nothing; when it is dropped it is over.
#[derive(Debug)]
#[must_use = "the user is to be asked"]
pub struct Undecided<M> {
    /// Its keys are erased when the decision is made.
    _media: M,
}

/// What the user has decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the user says yes or no")]
pub enum Outcome {
    /// The call is over.
    HungUp,
    /// The call goes on without protection, as the user wants it.
    InClear,
}

impl<M> Undecided<M> {
    /// Ends the wait: whether the user wants to go on in clear.
    pub fn decide(self, in_clear: bool) -> Outcome {
        if in_clear {
            Outcome::InClear
        } else {
            Outcome::HungUp
        }
    }
}
