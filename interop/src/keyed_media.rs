//! What an offer and an answer say of keys, where MIKEY-TICKET gives them: a TRANSFER_INIT in
//! `a=key-mgmt` for one audio stream each way (TS 33.328 §6.2), or for one TLS connection
//! (TR 33.829 annex D), and the TRANSFER_RESP that answers it.

use ::srtp::keying::Profile;
use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::code_points::{ProtType, ThreeGppCodePoints};
use mikey::derive::srtp;
use mikey::payload::{
    CryptoSession, Extension, GeneralExtension, Payload, SdpIds, SecurityPolicy, SrtpSessionData,
};
use mikey::{EncodeError, Identity};
use mikey_ticket::profile::ims_media;
use mikey_ticket::{
    Answer, Established, GrantedTicket, Offer, Policy, PolicyError, Recipient, Session, Strength,
    TicketError, Transfer, VerifiedTransfer,
};
use sdp_sec::lines::Section;
use sdp_sec::{KeyMgmt, Rule, key_mgmt};

use crate::kms;

/// The CS ID of what the offerer sends on a line that a media-level message keys, and of a TLS
/// connection (TR 33.829 §D.3).
pub const OFFERER: u8 = 1;

/// The CS ID of what the answerer sends.
pub const ANSWERER: u8 = 2;

/// The number of the one Security Policy.
const POLICY: u8 = 0;

/// Keys were not agreed on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyingError {
    /// What was offered is not one stream each way, or one TLS connection.
    #[error("the message offers other crypto sessions than its m-line has")]
    OtherSessions,
    /// MIKEY has no numbers for the profile.
    #[error("MIKEY cannot say this suite")]
    NoPolicy,
    /// The description is not one with a MIKEY message.
    #[error("a=key-mgmt: {0}")]
    Sdp(#[from] sdp_sec::SdpError),
    /// The exchange does not go on.
    #[error("{0}")]
    Ticket(#[from] TicketError),
    /// The key management protocols of the description are not those that the offerer named.
    #[error("a=key-mgmt lines were taken out of the offer or put into it")]
    Tampered,
}

impl From<EncodeError> for KeyingError {
    fn from(error: EncodeError) -> Self {
        Self::Ticket(error.into())
    }
}

/// The policy of a ticket for `recipients`, with keys of their own for each, of the strength that
/// `key_len` octets need.
///
/// # Errors
///
/// [`PolicyError`] for no recipient.
pub fn forked(key_len: usize, recipients: &[Identity]) -> Result<Policy, PolicyError> {
    let strength = if key_len > Strength::Bits128.key_len() {
        Strength::Bits256
    } else {
        Strength::Bits128
    };
    let recipients = recipients.iter().cloned().map(Recipient::new).collect();
    ims_media::policy(strength, recipients)
}

/// Offers one SRTP stream each way; the offerer's has this SSRC, the answerer chooses its own.
///
/// # Errors
///
/// [`KeyingError::NoPolicy`], or as of [`GrantedTicket::transfer`].
pub fn offer_audio(
    ticket: &mut GrantedTicket,
    to: &Identity,
    profile: Profile,
    ssrc: u32,
) -> Result<(Transfer, Vec<u8>), KeyingError> {
    let policy = srtp::policy(profile).ok_or(KeyingError::NoPolicy)?;
    let params = policy.params();
    let policies = [SecurityPolicy::new(POLICY, ProtType::Srtp, &params)?];
    let sessions = [
        CryptoSession::srtp(OFFERER, &[POLICY], data(ssrc), &[])?,
        CryptoSession::srtp(ANSWERER, &[POLICY], data(0), &[])?,
    ];
    offer(ticket, &Offer::new(to, &sessions).with_policies(&policies))
}

/// Accepts one SRTP stream each way; the answerer's has this SSRC.
///
/// # Errors
///
/// [`KeyingError::OtherSessions`] if that is not what is offered, or as of
/// [`VerifiedTransfer::accept`].
pub fn answer_audio(
    verified: VerifiedTransfer,
    ssrc: u32,
) -> Result<(Established, Vec<u8>), KeyingError> {
    let of_ours = |session: &Session, cs_id| {
        (session.cs_id(), session.prot_type(), session.policies())
            == (cs_id, ProtType::Srtp, &[POLICY][..])
    };
    let theirs = match verified.sessions() {
        [theirs, ours] if of_ours(theirs, OFFERER) && of_ours(ours, ANSWERER) => theirs.ssrc(),
        _ => None,
    };
    let theirs = theirs.ok_or(KeyingError::OtherSessions)?;
    let spi = spi(&verified)?;
    let sessions = [
        CryptoSession::srtp(OFFERER, &[POLICY], data(theirs), &spi)?,
        CryptoSession::srtp(ANSWERER, &[POLICY], data(ssrc), &spi)?,
    ];
    answer(verified, &Answer::new(&sessions))
}

/// Offers one TLS or DTLS connection (TR 33.829 §D.1).
///
/// # Errors
///
/// As of [`GrantedTicket::transfer`].
pub fn offer_tls(
    ticket: &mut GrantedTicket,
    to: &Identity,
) -> Result<(Transfer, Vec<u8>), KeyingError> {
    let sessions = [CryptoSession::tls(
        &ThreeGppCodePoints::default(),
        OFFERER,
        &[],
    )?];
    offer(ticket, &Offer::new(to, &sessions))
}

/// Accepts one TLS or DTLS connection.
///
/// # Errors
///
/// [`KeyingError::OtherSessions`] if that is not what is offered, or as of
/// [`VerifiedTransfer::accept`].
pub fn answer_tls(verified: VerifiedTransfer) -> Result<(Established, Vec<u8>), KeyingError> {
    let code_points = ThreeGppCodePoints::default();
    match verified.sessions() {
        [tls] if tls.cs_id() == OFFERER && tls.prot_type() == code_points.tls => (),
        _ => return Err(KeyingError::OtherSessions),
    }
    let spi = spi(&verified)?;
    let sessions = [CryptoSession::tls(&code_points, OFFERER, &spi)?];
    answer(verified, &Answer::new(&sessions))
}

/// The `a=key-mgmt` line that carries a message.
///
/// # Errors
///
/// [`Rule::TooLong`] for a message that no line takes.
pub fn line(message: &[u8]) -> Result<String, Rule> {
    let value = KeyMgmt::encode(key_mgmt::MIKEY, message)?;
    Ok(KeyMgmt::parse(&value)?.line().to_string())
}

/// The MIKEY message of a section.
///
/// # Errors
///
/// [`KeyingError::Sdp`] without one, or with several.
pub fn message(section: Section<'_>) -> Result<Vec<u8>, KeyingError> {
    let lines = key_mgmt::lines_of(section)?;
    let found = lines.iter().find(|line| line.protocol() == key_mgmt::MIKEY);
    let message = found.ok_or(Rule::KeyMgmt).and_then(KeyMgmt::message);
    Ok(message.map_err(|rule| rule.at(0))?)
}

/// Checks that the section of an offer has the key management protocols that its message says it
/// had, so that none was taken out ([RFC 4567 §4.1.4]).
///
/// # Errors
///
/// [`KeyingError::Tampered`] if not, or if the message does not say.
///
/// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
pub fn check_protocols(
    section: Section<'_>,
    verified: &VerifiedTransfer,
) -> Result<(), KeyingError> {
    let lines = key_mgmt::lines_of(section)?;
    let code_points = ThreeGppCodePoints::default();
    let named = verified.message()?.payloads().any(|payload| match payload {
        Payload::GeneralExtension(extension) => match extension.value(&code_points) {
            Ok(Extension::SdpIds(ids)) => ids.matches(lines.iter().map(KeyMgmt::protocol)),
            _ => false,
        },
        _ => false,
    });
    if named {
        Ok(())
    } else {
        Err(KeyingError::Tampered)
    }
}

fn offer(
    ticket: &mut GrantedTicket,
    offer: &Offer<'_>,
) -> Result<(Transfer, Vec<u8>), KeyingError> {
    let ids = Extension::SdpIds(SdpIds::new(key_mgmt::MIKEY)?);
    let data = ids.to_vec();
    let extension_type = ids.extension_type(&ThreeGppCodePoints::default());
    let extensions = [GeneralExtension::new(extension_type, &data)?];
    let offer = offer.with_extensions(&extensions);
    let (code_points, now) = (ThreeGppCodePoints::default(), kms::now());
    Ok(ims_media::transfer(
        ticket,
        &offer,
        &code_points,
        now,
        &mut UnwrapErr(SysRng),
    )?)
}

fn answer(
    verified: VerifiedTransfer,
    answer: &Answer<'_>,
) -> Result<(Established, Vec<u8>), KeyingError> {
    ims_media::check_verified(&verified, &ThreeGppCodePoints::default())?;
    let accepted = verified.accept(answer, kms::now(), &mut UnwrapErr(SysRng));
    let (established, message) = accepted.map_err(TicketError::from)?;
    // Tickets without a response are not for calls.
    Ok((established, message.ok_or(TicketError::Mismatch)?))
}

fn spi(verified: &VerifiedTransfer) -> Result<Vec<u8>, TicketError> {
    let spi = verified.spi_of_only_key().ok_or(TicketError::Mismatch)?;
    Ok(spi.to_vec())
}

#[expect(clippy::unnecessary_wraps, reason = "as a crypto session takes it")]
const fn data(ssrc: u32) -> Option<SrtpSessionData> {
    Some(SrtpSessionData { ssrc, index: None })
}
