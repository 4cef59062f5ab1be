//! Creating a secure conference: the creator and the focus authenticate each other, and the list of
//! participants goes from one to the other (TR 33.829 §5.3.3.3).

use alloc::vec::Vec;

use mikey::code_points::ThreeGppCodePoints;
use mikey::payload::{Extension, GeneralExtension, Participants, Payload};
use mikey::{Identity, Timestamp};
use rand_core::CryptoRng;

use crate::{
    GrantedTicket, Offer, Policy, PolicyError, Recipient, Strength, TicketError, Transfer,
    VerifiedTransfer,
};

/// The policy to ask for: the conference factory as recipient, forking, no session keys
/// (TR 33.829 §5.3.3.3).
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
/// assert!(policy.flags().forking);
/// assert_eq!(policy.keys(), Some(&[][..]));
/// # Ok::<(), PolicyError>(())
/// ```
pub fn policy(strength: Strength, factory: Identity) -> Result<Policy, PolicyError> {
    let recipients = alloc::vec![Recipient::new(factory)];
    Policy::new(strength, Policy::FORKED, recipients)?.with_keys(Vec::new())
}

/// TRANSFER_INIT to the conference factory, or to the focus to update the list: no crypto session,
/// `participants` in the CONF extension (TR 33.829 §5.3.3.3, §C.1).
///
/// The answer is taken with [`Transfer::accept_from`], which is told by which rule a conference URI
/// is one of the factory's.
///
/// # Errors
///
/// [`PolicyError::Profile`] for a ticket without forking; otherwise as of
/// [`GrantedTicket::transfer`].
pub fn transfer<R: CryptoRng + ?Sized>(
    ticket: &mut GrantedTicket,
    factory: &Identity,
    participants: &[Identity],
    code_points: &ThreeGppCodePoints,
    now: Timestamp,
    rng: &mut R,
) -> Result<(Transfer, Vec<u8>), TicketError> {
    if !ticket.policy().flags().forking {
        return Err(PolicyError::Profile.into());
    }
    let ids = participants
        .iter()
        .map(|user| user.to_payload().map(Payload::Id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let data = Extension::Conf(Participants::new(&ids)?).to_vec();
    let extensions = [GeneralExtension::new(code_points.conf, &data)?];
    let offer = Offer::new(factory, &[]).with_extensions(&extensions);
    ticket.transfer(&offer, now, rng)
}

/// The participants that a verified TRANSFER_INIT lists (TR 33.829 §C.1); `None` without a list.
///
/// # Errors
///
/// [`PolicyError::Profile`] without forking, [`TicketError::UnsupportedSessions`] with crypto
/// sessions, [`TicketError::Malformed`] for a list that is not one.
pub fn participants(
    transfer: &VerifiedTransfer,
    code_points: &ThreeGppCodePoints,
) -> Result<Option<Vec<Identity>>, TicketError> {
    if !transfer.policy().flags().forking {
        return Err(PolicyError::Profile.into());
    }
    if !transfer.sessions().is_empty() {
        return Err(TicketError::UnsupportedSessions);
    }
    for payload in transfer.message()?.payloads() {
        if let Payload::GeneralExtension(extension) = payload
            && let Extension::Conf(list) = extension.value(code_points)?
        {
            return Ok(Some(
                list.iter().map(|id| Identity::from_payload(&id)).collect(),
            ));
        }
    }
    Ok(None)
}
