//! Pre-shared keys for TLS and DTLS: crypto sessions of Prot Type TLS (TR 33.829 annex D).
//!
//! Annex D has no Security Policy, against the letter of RFC 6043, and leaves open whether a dummy
//! policy without values comes instead. Both are here, and both are taken.

use mikey::code_points::ThreeGppCodePoints;
use mikey::derive::Secret;
use mikey::payload::{CryptoSession, CsIdMap, Payload, SecurityPolicy, SessionData};
use mikey::{EncodeError, Message};

use crate::{Established, TicketError};

/// The crypto session of a TLS connection that names the dummy policy `number` (TR 33.829 §D.1,
/// editor's note); [`CryptoSession::tls`] is the one without a policy.
///
/// # Errors
///
/// [`EncodeError::TooLong`] for an SPI of more than 255 octets.
///
/// ```
/// use mikey::code_points::ThreeGppCodePoints;
/// use mikey_ticket::{Offer, profile::tls};
/// # let bob = mikey::Identity::uri("sip:bob@example.com")?;
///
/// let code_points = ThreeGppCodePoints::default();
/// let policies = [tls::dummy_policy(&code_points, 3)?];
/// let sessions = [tls::session_with_dummy_policy(&code_points, 1, &[3], &[7])?];
/// let offer = Offer::new(&bob, &sessions).with_policies(&policies);
/// assert_eq!(offer.sessions()[0].policies(), [3]);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
pub fn session_with_dummy_policy<'a>(
    code_points: &ThreeGppCodePoints,
    cs_id: u8,
    number: &'a [u8; 1],
    spi: &'a [u8],
) -> Result<CryptoSession<'a>, EncodeError> {
    CryptoSession::new(cs_id, code_points.tls, number, &[], spi)
}

/// The dummy policy: Prot Type TLS, no values (TR 33.829 §D.1, editor's note).
///
/// # Errors
///
/// None: it is empty.
pub fn dummy_policy(
    code_points: &ThreeGppCodePoints,
    number: u8,
) -> Result<SecurityPolicy<'static>, EncodeError> {
    SecurityPolicy::new(number, code_points.tls, &[])
}

/// Whether each TLS session of a TRANSFER_INIT or TRANSFER_RESP is as annex D has it: no Session
/// Data, no policy or a dummy policy. The S flag is not looked at, the SPI may be anything (§D.1).
///
/// For a called user: [`VerifiedTransfer::message`](crate::VerifiedTransfer::message).
///
/// # Errors
///
/// [`TicketError::UnsupportedSessions`] if one is not.
pub fn check(message: &Message<'_>, code_points: &ThreeGppCodePoints) -> Result<(), TicketError> {
    let CsIdMap::GenericId(map) = message.header().cs_id_map() else {
        return Err(TicketError::UnsupportedSessions);
    };
    let dummy = |number: &u8| {
        message.payloads().any(|payload| match payload {
            Payload::Sp(sp) => {
                let empty = sp.params().next().is_none();
                sp.policy_no() == *number && sp.prot_type() == code_points.tls && empty
            }
            _ => false,
        })
    };
    let mut sessions = map.iter().filter(|s| s.prot_type() == code_points.tls);
    let as_annex_d = sessions.all(|session| {
        session.session_data() == SessionData::Absent && session.policies().iter().all(dummy)
    });
    if as_annex_d {
        Ok(())
    } else {
        Err(TicketError::UnsupportedSessions)
    }
}

/// The PSK of a TLS connection: the TEK of its crypto session, derived with the CS ID or sent as it
/// is (TR 33.829 §D.2). It may serve several connections (§A.1).
///
/// The PSK identity is empty, and ignored by the server; an identity hint is not used (§D.2).
///
/// # Errors
///
/// [`TicketError::UnsupportedSessions`] if the session `cs_id` is of another Prot Type;
/// [`TicketError::Mismatch`] if there is none.
pub fn psk(
    established: &Established,
    code_points: &ThreeGppCodePoints,
    cs_id: u8,
) -> Result<Secret, TicketError> {
    let mut sessions = established.sessions().iter();
    let session = sessions.find(|session| session.cs_id() == cs_id);
    let session = session.ok_or(TicketError::Mismatch)?;
    if session.prot_type() != code_points.tls {
        return Err(TicketError::UnsupportedSessions);
    }
    established.tls_psk(cs_id)
}
