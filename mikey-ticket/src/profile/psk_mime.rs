//! MIME content under a pre-shared key: half a round trip that carries the content key
//! (TR 33.829 annex E).

use alloc::vec::Vec;

use mikey::code_points::{IdType, ThreeGppCodePoints};
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{
    CryptoSession, CsIdMap, Extension, GeneralExtension, Payload, SessionData, TicketFlags,
};
use mikey::{EncodeError, Identity, Message, Timestamp};
use rand_core::CryptoRng;

use crate::{
    GrantedTicket, Offer, Policy, PolicyError, Recipient, Strength, TicketError, VerifiedTransfer,
};

/// IDRapp (TR 33.829 annex E).
const APPLICATION: &[u8] = b"PSK/MIME";

/// The application that tickets are for: a Responder has to be told so, with
/// [`Responder::with_application`](crate::Responder::with_application).
///
/// # Errors
///
/// None: it is short enough.
///
/// ```
/// let application = mikey_ticket::profile::psk_mime::application()?;
/// assert_eq!(application.data(), b"PSK/MIME");
/// # Ok::<(), mikey::EncodeError>(())
/// ```
pub fn application() -> Result<Identity, EncodeError> {
    Identity::new(IdType::ByteString, APPLICATION)
}

/// The policy to ask for (TR 33.829 annex E): F = 0, G = 0, L = 1, I = 1 with proof of origin, no
/// session keys in the ticket.
///
/// # Errors
///
/// [`TicketError::Policy`] without recipients.
///
/// ```
/// use mikey::Identity;
/// use mikey_ticket::{Recipient, Strength, TicketError, profile::psk_mime};
///
/// let bob = vec![Recipient::new(Identity::uri("sip:bob@example.com")?)];
/// let policy = psk_mime::policy(Strength::Bits128, bob, false)?;
/// assert!(policy.flags().initiator_keys && !policy.flags().forking);
/// psk_mime::check_policy(&policy)?;
/// # Ok::<(), TicketError>(())
/// ```
pub fn policy(
    strength: Strength,
    recipients: Vec<Recipient>,
    proof_of_origin: bool,
) -> Result<Policy, TicketError> {
    let flags = TicketFlags {
        kms_generated: true,
        resolve_mandatory: true,
        initiator_rand: true,
        forking: proof_of_origin,
        initiator_keys: true,
        plain_initiator: true,
        plain_responder: true,
        ..TicketFlags::NONE
    };
    let policy = Policy::new(strength, flags, recipients)?.with_keys(Vec::new())?;
    Ok(policy.with_applications(alloc::vec![application()?]))
}

/// Whether a ticket is one of this profile.
///
/// # Errors
///
/// [`PolicyError::Profile`] unless F = 0, G = 0, L = 1 and IDRapp is `PSK/MIME`.
pub fn check_policy(policy: &Policy) -> Result<(), PolicyError> {
    let flags = policy.flags();
    let half = !flags.response && !flags.responder_rand;
    let fits = half && flags.initiator_keys && is_named(policy);
    if fits {
        Ok(())
    } else {
        Err(PolicyError::Profile)
    }
}

/// Whether the application is PSK/MIME.
pub(crate) fn is_named(policy: &Policy) -> bool {
    let mut applications = policy.applications().iter();
    applications.any(|id| id.data() == APPLICATION)
}

/// The TRANSFER_INIT that carries `content_key` to `peer`; with `content_mac`, the MAC of the
/// content, as proof of origin (TR 33.829 annexes E, F).
///
/// # Errors
///
/// [`PolicyError::Profile`] for a ticket of another profile, or for a proof of origin without
/// forking; otherwise as of [`GrantedTicket::transfer`].
pub fn send<R: CryptoRng + ?Sized>(
    ticket: &mut GrantedTicket,
    peer: &Identity,
    content_key: &Secret,
    content_mac: Option<&[u8]>,
    code_points: &ThreeGppCodePoints,
    now: Timestamp,
    rng: &mut R,
) -> Result<Vec<u8>, TicketError> {
    check_policy(ticket.policy())?;
    if content_mac.is_some() && !ticket.policy().flags().forking {
        return Err(PolicyError::Profile.into());
    }
    let sessions = [CryptoSession::psk_mime(code_points, 1)];
    let keys = [KeyMaterial::new(KeyKind::Tek, content_key.duplicate())];
    let proof = content_mac.map(|mac| GeneralExtension::new(code_points.proof_of_origin, mac));
    let extensions: Vec<_> = proof.transpose()?.into_iter().collect();
    let offer = Offer::new(peer, &sessions)
        .with_keys(&keys)
        .with_extensions(&extensions);
    let (_, message) = ticket.transfer(&offer, now, rng)?;
    Ok(message)
}

/// The key of protected content, from a sender that is verified.
#[derive(Debug)]
pub struct ContentKey {
    sender: Identity,
    key: Secret,
    content_mac: Option<Vec<u8>>,
}

impl ContentKey {
    /// Who sent it. It takes precedence over what the message around it says
    /// (TR 33.829 §8.3.1.1.2).
    ///
    /// # Security
    ///
    /// Without forking anyone who may resolve the ticket can write in this name.
    #[must_use]
    pub const fn sender(&self) -> &Identity {
        &self.sender
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Secret {
        &self.key
    }

    /// The MAC of the content, if the sender proves that the content comes from it: to be compared
    /// with the MAC that the content has (TR 33.829 §F.1).
    #[must_use]
    pub fn content_mac(&self) -> Option<&[u8]> {
        self.content_mac.as_deref()
    }
}

/// Whether there is a single session of PSK/MIME without policy, Session Data and SPI
/// (TR 33.829 annex E).
pub(crate) fn check_sessions(
    message: &Message<'_>,
    code_points: &ThreeGppCodePoints,
) -> Result<(), TicketError> {
    let CsIdMap::GenericId(map) = message.header().cs_id_map() else {
        return Err(TicketError::UnsupportedSessions);
    };
    let mut sessions = map.iter();
    let fits = sessions.next().is_some_and(|session| {
        session.prot_type() == code_points.psk_mime
            && session.policies().is_empty()
            && session.session_data() == SessionData::Absent
            && session.spi().is_empty()
    });
    if fits && sessions.next().is_none() {
        Ok(())
    } else {
        Err(TicketError::UnsupportedSessions)
    }
}

/// Takes the content key out of a verified TRANSFER_INIT (TR 33.829 annex E).
///
/// # Errors
///
/// [`PolicyError::Profile`] for a ticket of another profile, or a forked one that the KMS was not
/// asked about again (TR 33.829 §B.3); [`TicketError::UnsupportedSessions`] unless there is a single
/// session of PSK/MIME without policy and SPI, and one TEK.
pub fn receive(
    transfer: &VerifiedTransfer,
    code_points: &ThreeGppCodePoints,
    now: Timestamp,
) -> Result<ContentKey, TicketError> {
    check_policy(transfer.policy())?;
    if transfer.policy().flags().forking && !transfer.is_proven() {
        return Err(PolicyError::Profile.into());
    }
    let message = transfer.message()?;
    check_sessions(&message, code_points)?;
    // Without forking anyone who may resolve the ticket could have put it there.
    let proven = transfer.is_proven();
    let content_mac = message.payloads().find_map(|payload| match payload {
        Payload::GeneralExtension(extension) if proven => match extension.value(code_points) {
            Ok(Extension::ProofOfOrigin(mac)) => Some(mac.to_vec()),
            _ => None,
        },
        _ => None,
    });
    let established = transfer.complete(now)?;
    let key = established
        .content_key()
        .ok_or(TicketError::UnsupportedSessions)?;
    Ok(ContentKey {
        sender: established.peer().clone(),
        key: key.duplicate(),
        content_mac,
    })
}
