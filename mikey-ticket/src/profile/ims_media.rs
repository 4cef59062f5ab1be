//! The IMS media plane: RTP by SRTP, MSRP and BFCP by TLS, keyed for one call (TS 33.328 annex D as
//! TR 33.829 annexes D and E restate it).
//!
//! The text of TS 33.328 was not at hand: what is checked is what TR 33.829 says of its profile, and
//! what the profile PSK/MIME is said to change of it.

use alloc::vec::Vec;

use mikey::Timestamp;
use mikey::code_points::{ProtType, ThreeGppCodePoints};
use rand_core::CryptoRng;

use crate::profile::tls;
use crate::{
    Established, GrantedTicket, IncomingTransfer, Offer, Policy, PolicyError, Recipient, Session,
    Strength, TicketError, Transfer, VerifiedTransfer,
};

/// The policy to ask for: [`Policy::FORKED`], with the TGK that the KMS chooses.
///
/// # Errors
///
/// [`PolicyError::NoRecipient`] without recipients.
///
/// ```
/// use mikey::Identity;
/// use mikey_ticket::{PolicyError, Recipient, Strength, profile::ims_media};
///
/// let bob = Identity::uri("sip:bob@example.com").map_err(|_| PolicyError::NoRecipient)?;
/// let policy = ims_media::policy(Strength::Bits128, vec![Recipient::new(bob)])?;
/// assert_eq!(ims_media::check_policy(&policy), Ok(()));
/// # Ok::<(), PolicyError>(())
/// ```
pub fn policy(strength: Strength, recipients: Vec<Recipient>) -> Result<Policy, PolicyError> {
    Policy::new(strength, Policy::FORKED, recipients)
}

/// Whether a ticket is one of this profile:
///
/// | flag | value | clause of TR 33.829 |
/// |---|---|---|
/// | D, E | 1: made and resolved by a KMS, mode 1 | §5.3.3.1 |
/// | F | 1: TRANSFER_RESP is sent | annex E changes it to 0 |
/// | G | 1: with a RAND of the Responder | annex E changes it to 0 |
/// | I | 1: forking, who answers is proven | §5.3.3.1, §9.3.2.3; annex E changes it to 0 |
/// | L | 0: keys come with the ticket | annex E changes it to 1 |
/// | IDRapp | not that of another profile | annex E sets it to PSK/MIME |
///
/// # Errors
///
/// [`PolicyError::Profile`] if it is not.
pub fn check_policy(policy: &Policy) -> Result<(), PolicyError> {
    let flags = policy.flags();
    let mode_1 = flags.kms_generated && flags.resolve_mandatory;
    let round_trip = flags.response && flags.responder_rand;
    let keys = flags.forking && !flags.initiator_keys;
    let other = super::psk_mime::is_named(policy);
    if mode_1 && round_trip && keys && !other {
        Ok(())
    } else {
        Err(PolicyError::Profile)
    }
}

/// Offers the crypto sessions of a call, after the checks of
/// [`check_policy`] and [`check_sessions`].
///
/// # Errors
///
/// As of these, and of [`GrantedTicket::transfer`]. The ticket is unused then.
pub fn transfer<R: CryptoRng + ?Sized>(
    ticket: &mut GrantedTicket,
    offer: &Offer<'_>,
    code_points: &ThreeGppCodePoints,
    now: Timestamp,
    rng: &mut R,
) -> Result<(Transfer, Vec<u8>), TicketError> {
    check_policy(ticket.policy())?;
    let sessions: Vec<_> = offer.sessions().iter().map(Session::from).collect();
    check_sessions(&sessions, code_points)?;
    ticket.transfer(offer, now, rng)
}

/// Whether a TRANSFER_INIT is worth the KMS's time: policy and sessions are of this profile
/// (RFC 6043 §4.2.2.2).
///
/// # Errors
///
/// As of [`check_policy`] and [`check_sessions`].
pub fn check_incoming(
    incoming: &IncomingTransfer,
    code_points: &ThreeGppCodePoints,
) -> Result<(), TicketError> {
    check_policy(incoming.claimed_policy())?;
    check_sessions(incoming.claimed_sessions(), code_points)
}

/// The same of a verified TRANSFER_INIT, and that its TLS sessions are those of annex D.
///
/// # Errors
///
/// As of [`check_policy`], [`check_sessions`] and [`tls::check`].
pub fn check_verified(
    transfer: &VerifiedTransfer,
    code_points: &ThreeGppCodePoints,
) -> Result<(), TicketError> {
    check_policy(transfer.policy())?;
    check_sessions(transfer.sessions(), code_points)?;
    tls::check(&transfer.message()?, code_points)
}

/// Whether the sessions are those of a call:
///
/// - each is of SRTP, TLS or Application Specific (TR 33.829 §A.1), and there is at least one;
/// - one of SRTP names its policies, one of TLS none or a dummy policy (TR 33.829 §D.1), one of
///   Application Specific none (TR 33.829 §A.1).
///
/// # Errors
///
/// [`TicketError::UnsupportedSessions`] if they are not.
pub fn check_sessions(
    sessions: &[Session],
    code_points: &ThreeGppCodePoints,
) -> Result<(), TicketError> {
    let fits = |session: &Session| match session.prot_type() {
        ProtType::Srtp => !session.policies().is_empty(),
        other if other == code_points.tls => session.policies().len() <= 1,
        other => other == code_points.application_specific && session.policies().is_empty(),
    };
    if !sessions.is_empty() && sessions.iter().all(fits) {
        Ok(())
    } else {
        Err(TicketError::UnsupportedSessions)
    }
}

/// Whether a call is one of this profile once it is answered, for either side: the answer may have
/// added sessions. No two have the same key, as a master key is that of one SSRC
/// (TR 33.829 §5.3.3.2, NOTE 1).
///
/// # Errors
///
/// As of [`check_sessions`]; [`TicketError::UnsupportedSessions`] too for a TEK of two sessions.
pub fn check_established(
    established: &Established,
    code_points: &ThreeGppCodePoints,
) -> Result<(), TicketError> {
    if established.shares_a_tek() {
        return Err(TicketError::UnsupportedSessions);
    }
    check_sessions(established.sessions(), code_points)
}
