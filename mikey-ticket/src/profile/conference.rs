//! Creating a secure conference: the creator and the focus authenticate each other, and the list of
//! participants goes from one to the other (TR 33.829 §5.3.3.3).

use alloc::vec::Vec;

use mikey::code_points::ThreeGppCodePoints;
use mikey::payload::{Extension, GeneralExtension, Participants, Payload};
use mikey::{Identity, MessageTime, ReplayError, Timestamp};
use rand_core::CryptoRng;

use crate::{
    GrantedTicket, Offer, Policy, PolicyError, Recipient, Strength, TicketError, Transfer,
    VerifiedTransfer,
};

/// The policy to ask for: the conference factory as recipient, forking, no session keys
/// (TR 33.829 §5.3.3.3). Reusable (J), so that the list can be updated under the same ticket.
///
/// # Errors
///
/// None: the flags fit one another.
///
/// ```
/// use mikey::Identity;
/// use mikey_ticket::{PolicyError, Strength, profile::conference};
///
/// let factory = Identity::uri("sip:factory@example.com").map_err(|_| PolicyError::NoRecipient)?;
/// let policy = conference::policy(Strength::Bits128, factory)?;
/// assert!(policy.flags().forking && policy.flags().reusable);
/// assert_eq!(policy.keys(), Some(&[][..]));
/// # Ok::<(), PolicyError>(())
/// ```
pub fn policy(strength: Strength, factory: Identity) -> Result<Policy, PolicyError> {
    let recipients = alloc::vec![Recipient::new(factory)];
    let mut flags = Policy::FORKED;
    flags.reusable = true;
    Policy::new(strength, flags, recipients)?.with_keys(Vec::new())
}

/// Whether a ticket is one of this profile: mode 1 (TR 33.829 §5.3.3.1), forking (§5.3.3.3, NOTE 2),
/// an answer by which the focus is known (§5.3.3.3).
///
/// # Errors
///
/// [`PolicyError::Profile`] if it is not.
pub fn check_policy(policy: &Policy) -> Result<(), PolicyError> {
    let flags = policy.flags();
    if flags.kms_generated && flags.resolve_mandatory && flags.forking && flags.response {
        Ok(())
    } else {
        Err(PolicyError::Profile)
    }
}

/// TRANSFER_INIT to the conference factory, or to the focus, `peer`, to update the list: no crypto
/// session, `participants` in the CONF extension (TR 33.829 §5.3.3.3, §C.1). It travels as a part
/// `application/mikey` beside the SDP.
///
/// The answer is taken with [`Transfer::accept_from`], which is told by which rule, or from which
/// list, a conference URI is one of the factory's (§5.3.3.3, NOTE 1).
///
/// # Errors
///
/// As of [`check_policy`] and [`GrantedTicket::transfer`].
pub fn transfer<R: CryptoRng + ?Sized>(
    ticket: &mut GrantedTicket,
    peer: &Identity,
    participants: &[Identity],
    code_points: &ThreeGppCodePoints,
    now: Timestamp,
    rng: &mut R,
) -> Result<(Transfer, Vec<u8>), TicketError> {
    check_policy(ticket.policy())?;
    let ids = participants
        .iter()
        .map(|user| user.to_payload().map(Payload::Id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let data = Extension::Conf(Participants::new(&ids)?).to_vec();
    let extensions = [GeneralExtension::new(code_points.conf, &data)?];
    let offer = Offer::new(peer, &[]).with_extensions(&extensions);
    ticket.transfer(&offer, now, rng)
}

/// The participants that a verified TRANSFER_INIT lists (TR 33.829 §C.1); `None` without a list.
///
/// # Errors
///
/// [`PolicyError::Profile`] unless the KMS was asked about this very message and verified who sent
/// it; [`TicketError::UnsupportedSessions`] with crypto sessions, [`TicketError::Malformed`] for a
/// list that is not one.
pub fn participants(
    transfer: &VerifiedTransfer,
    code_points: &ThreeGppCodePoints,
) -> Result<Option<Vec<Identity>>, TicketError> {
    check_policy(transfer.policy())?;
    if !transfer.is_proven() {
        return Err(PolicyError::Profile.into());
    }
    if !transfer.sessions().is_empty() {
        return Err(TicketError::UnsupportedSessions);
    }
    let mut found = None;
    for payload in transfer.message()?.payloads() {
        if let Payload::GeneralExtension(extension) = payload
            && let Extension::Conf(list) = extension.value(code_points)?
        {
            let ids = list.iter().map(|id| Identity::from_payload(&id));
            if found.replace(ids.collect()).is_some() {
                return Err(TicketError::UnexpectedPayload(payload.payload_type()));
            }
        }
    }
    Ok(found)
}

/// Who may join a conference, as its focus knows it: the creator, and whom the creator has listed
/// (TR 33.829 §5.3.3.2). Without a list, nobody else.
///
/// Invited are only those that [`admits`](Self::admits) names (§5.3.3.4.1); the same may subscribe to
/// the state of the conference (§5.3.3.6).
///
/// # Security
///
/// The foci of a factory are one user of the KMS: they share a replay cache, or what created one
/// conference creates another when it is repeated.
///
/// ```
/// # use mikey_ticket::{TicketError, VerifiedTransfer, profile::conference::Admission};
/// # use mikey::{Identity, Timestamp, code_points::ThreeGppCodePoints};
/// fn create(transfer: &VerifiedTransfer, now: Timestamp) -> Result<Admission, TicketError> {
///     let admission = Admission::create(transfer, &ThreeGppCodePoints::DEFAULT, now)?;
///     assert!(admission.admits(transfer.initiator()));
///     Ok(admission)
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admission {
    creator: Identity,
    participants: Vec<Identity>,
    listed_at: Timestamp,
}

impl Admission {
    /// By the verified TRANSFER_INIT that creates the conference.
    ///
    /// # Errors
    ///
    /// As of [`participants`].
    pub fn create(
        transfer: &VerifiedTransfer,
        code_points: &ThreeGppCodePoints,
        now: Timestamp,
    ) -> Result<Self, TicketError> {
        Ok(Self {
            creator: transfer.initiator().clone(),
            participants: participants(transfer, code_points)?.unwrap_or_default(),
            listed_at: sent_at(transfer, now)?,
        })
    }

    /// Takes a new list, of an UPDATE or a re-INVITE (TR 33.829 §5.3.3.3). A TRANSFER_INIT without one
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] from anyone but the creator; [`TicketError::WrongRecipient`] if
    /// it names another conference of the same factory, to whose focus the list is bound
    /// (TR 33.829 §5.3.3.2); [`TicketError::Replay`] for a list that is not newer than the one there
    /// is; otherwise as of [`participants`]. The list is unchanged then.
    pub fn update(
        &mut self,
        transfer: &VerifiedTransfer,
        code_points: &ThreeGppCodePoints,
        now: Timestamp,
    ) -> Result<(), TicketError> {
        if *transfer.initiator() != self.creator {
            return Err(TicketError::UnknownIdentity);
        }
        if transfer.addressee().as_ref() != Some(transfer.responder()) {
            return Err(TicketError::WrongRecipient);
        }
        let listed_at = sent_at(transfer, now)?;
        if listed_at <= self.listed_at {
            return Err(ReplayError::TooOld.into());
        }
        if let Some(participants) = participants(transfer, code_points)? {
            (self.participants, self.listed_at) = (participants, listed_at);
        }
        Ok(())
    }

    /// Who created the conference.
    #[must_use]
    pub const fn creator(&self) -> &Identity {
        &self.creator
    }

    /// Whom the creator has listed.
    #[must_use]
    pub fn participants(&self) -> &[Identity] {
        &self.participants
    }

    /// Whether `user`, whose identity is verified, may join.
    #[must_use]
    pub fn admits(&self, user: &Identity) -> bool {
        self.creator == *user || self.participants.contains(user)
    }
}

/// When the Initiator sent it.
fn sent_at(transfer: &VerifiedTransfer, now: Timestamp) -> Result<Timestamp, TicketError> {
    let message = transfer.message()?;
    let time = message.payloads().find_map(|payload| match payload {
        Payload::T(time) => MessageTime::from_payload(time, now).clock(),
        _ => None,
    });
    time.ok_or(TicketError::ClockSkew)
}
