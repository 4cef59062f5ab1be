//! A UE whose protected call is handed over to the circuit-switched domain (SRVCC, TR 33.829 §6.3).
//!
//! Where that domain carries SRTP the call goes on under its keys. Where it does not, nothing is
//! sent or played any more until the user has decided: to continue in clear, or to hang up. There is
//! no default and no timer, and what is not decided is hung up.

use bytes::BytesMut;
use srtp::{ProtectError, Receiver, Sender, UnprotectError};

/// What the handover command says of the circuit-switched domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it does or it does not")]
pub enum CsDomain {
    /// It carries SRTP as user data.
    CarriesSrtp,
    /// It does not.
    ClearOnly,
}

/// A protected call, at a UE.
///
/// ```
/// use interop::edge::{Call, Choice, CsDomain, Transfer};
/// use srtp::keying::{MasterKey, Profile};
/// use srtp::{Receiver, Sender};
///
/// let key = |n| MasterKey::new(Profile::AesCm128HmacSha1_80, &[n; 16], &[n; 14]);
/// let call = Call::new(Sender::new(key(1)?)?, Receiver::new(key(2)?)?);
/// let Transfer::Undecided(pending) = call.transfer(CsDomain::ClearOnly) else {
///     return Err("decided without the user".into());
/// };
/// assert!(pending.decide(Choice::HangUp).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Call {
    sender: Sender,
    receiver: Receiver,
}

impl Call {
    /// Under these keys.
    #[must_use]
    pub const fn new(sender: Sender, receiver: Receiver) -> Self {
        Self { sender, receiver }
    }

    /// Protects a packet of the UE.
    ///
    /// # Errors
    ///
    /// As [`Sender::protect_rtp`].
    pub fn send(&mut self, packet: &mut BytesMut) -> Result<(), ProtectError> {
        self.sender.protect_rtp(packet)
    }

    /// Opens a packet for the UE.
    ///
    /// # Errors
    ///
    /// As [`Receiver::unprotect_rtp`].
    pub fn receive(&mut self, packet: &mut BytesMut) -> Result<(), UnprotectError> {
        self.receiver.unprotect_rtp(packet)
    }

    /// Takes the handover command.
    pub fn transfer(self, to: CsDomain) -> Transfer {
        match to {
            CsDomain::CarriesSrtp => Transfer::Protected(self),
            CsDomain::ClearOnly => Transfer::Undecided(Pending(self)),
        }
    }
}

/// What a handover makes of a protected call.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a call is protected or it is not")]
pub enum Transfer {
    /// It goes on with its keys and indices.
    Protected(Call),
    /// The user has to be asked.
    Undecided(Pending),
}

/// A call that waits for the user's decision. It sends and plays nothing; dropped, it is hung up.
#[derive(Debug)]
#[must_use]
pub struct Pending(Call);

impl Pending {
    /// Does what the user has chosen. The keys are erased in either case.
    #[must_use]
    pub fn decide(self, choice: Choice) -> Option<ClearMedia> {
        drop(self.0);
        match choice {
            Choice::ContinueInClear => Some(ClearMedia(())),
            Choice::HangUp => None,
        }
    }
}

/// What the user has chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "TR 33.829 §6.3 names two")]
pub enum Choice {
    /// Go on, and be heard by others.
    ContinueInClear,
    /// End the call.
    HangUp,
}

/// The right to send media in clear, which the user's decision alone gives.
#[derive(Debug)]
pub struct ClearMedia(());

impl ClearMedia {
    /// Lets a packet pass in clear.
    #[must_use]
    pub const fn pass(&self, packet: BytesMut) -> BytesMut {
        packet
    }
}
