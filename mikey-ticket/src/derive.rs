//! Keys from keys, with the labels of RFC 6043 that `mikey` has. No I/O, no codec.

use alloc::vec::Vec;

use mikey::derive::{
    ForkedKey, Label, MessageKeys, MessageProtectionKey, Prf, Rands, Secret, TicketMessage,
};
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::{EncodeError, Identity, PreSharedKeys};
use zeroize::Zeroizing;

use crate::{Strength, TicketError};

/// MPKi and MPKr of a base ticket, from its MPK and RAND ([RFC 6043 §A.2.2]).
///
/// # Errors
///
/// [`TicketError::Encode`] for a RAND of more than 255 octets.
///
/// ```
/// use mikey::derive::{Prf, Secret};
/// use mikey_ticket::derive::message_protection_keys;
///
/// let mpk = Secret::new(&[1; 16])?;
/// let (mpk_i, mpk_r) = message_protection_keys(Prf::Mikey1, &mpk, &[2; 16])?;
/// assert_ne!(mpk_i.expose(), mpk_r.expose());
/// # Ok::<(), mikey_ticket::TicketError>(())
/// ```
///
/// [RFC 6043 §A.2.2]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A.2.2
pub fn message_protection_keys(
    prf: Prf,
    mpk: &Secret,
    rand: &[u8],
) -> Result<(Secret, Secret), TicketError> {
    let derive = |key| {
        let label = Label::message_protection_key(key, rand).ok_or(EncodeError::TooLong)?;
        like(prf, mpk, &label)
    };
    Ok((
        derive(MessageProtectionKey::Initiator)?,
        derive(MessageProtectionKey::Responder)?,
    ))
}

/// MPKr' of the Responder `id_data`, from MPKr ([RFC 6043 §5.1.1]).
///
/// # Errors
///
/// [`TicketError::Encode`] for an identity or RAND that its length field cannot say.
///
/// ```
/// use mikey::derive::{Prf, Secret};
/// use mikey_ticket::derive::fork_mpk;
///
/// let mpk_r = Secret::new(&[1; 16])?;
/// let bob = fork_mpk(Prf::Mikey1, &mpk_r, b"sip:bob@example.com", &[2; 16])?;
/// let eve = fork_mpk(Prf::Mikey1, &mpk_r, b"sip:eve@example.com", &[2; 16])?;
/// assert_ne!(bob.expose(), eve.expose());
/// # Ok::<(), mikey_ticket::TicketError>(())
/// ```
///
/// [RFC 6043 §5.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.1
pub fn fork_mpk(
    prf: Prf,
    mpk_r: &Secret,
    id_data: &[u8],
    rand_kms: &[u8],
) -> Result<Secret, TicketError> {
    fork(prf, ForkedKey::MpkR, mpk_r, id_data, rand_kms)
}

/// The session keys of the Responder `id_data`: TGKs forked, salts, TEKs and GTGKs as they are
/// ([RFC 6043 §5.1.1]).
///
/// # Errors
///
/// [`TicketError::Encode`] for an identity or RAND that its length field cannot say.
///
/// ```
/// use mikey::derive::{Prf, Secret};
/// use mikey::exchange::{KeyKind, KeyMaterial};
/// use mikey_ticket::derive::fork_keys;
///
/// let keys = [KeyKind::Tgk, KeyKind::Gtgk].map(|kind| Secret::new(&[1; 16]).map(|key| KeyMaterial::new(kind, key)));
/// let keys = keys.into_iter().collect::<Result<Vec<_>, _>>()?;
/// let forked = fork_keys(Prf::Mikey1, &keys, b"sip:bob@example.com", &[2; 16])?;
/// assert_ne!(forked[0].key().expose(), [1; 16]);
/// assert_eq!(forked[1].key().expose(), [1; 16]);
/// # Ok::<(), mikey_ticket::TicketError>(())
/// ```
///
/// [RFC 6043 §5.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.1
pub fn fork_keys(
    prf: Prf,
    keys: &[KeyMaterial],
    id_data: &[u8],
    rand_kms: &[u8],
) -> Result<Vec<KeyMaterial>, TicketError> {
    let forked = keys.iter().map(|key| {
        if key.kind() != KeyKind::Tgk {
            return Ok(key.duplicate());
        }
        let tgk = fork(prf, ForkedKey::Tgk, key.key(), id_data, rand_kms)?;
        let tgk = KeyMaterial::new(KeyKind::Tgk, tgk).with_validity(key.validity().clone());
        Ok(match key.salt() {
            Some(salt) => tgk.with_salt(salt),
            None => tgk,
        })
    });
    forked.collect()
}

fn fork(
    prf: Prf,
    kind: ForkedKey,
    key: &Secret,
    id_data: &[u8],
    rand_kms: &[u8],
) -> Result<Secret, TicketError> {
    let label = Label::forked_key(kind, id_data, rand_kms).ok_or(EncodeError::TooLong)?;
    like(prf, key, &label)
}

/// Keys of a message from MPKi or MPKr' in the Ticket Transfer exchange, or from an envelope key
/// between a user and its KMS ([RFC 6043 §5.1.2]).
///
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
pub(crate) fn transfer_keys(
    strength: Strength,
    mpk: &Secret,
    message: TicketMessage,
    csb_id: u32,
    rands: Rands<'_>,
) -> Result<MessageKeys, TicketError> {
    MessageKeys::derive(
        strength.suite(),
        |key| Label::ticket_message_key(key, message, csb_id, rands),
        |label, out| {
            strength.prf().derive(mpk.expose(), label.as_octets(), out);
            Ok(())
        },
    )
}

/// Keys of a message between a user and its KMS, from a pre-shared key ([RFC 6043 §5.1.2]).
///
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
pub(crate) fn psk_keys(
    psk: &impl PreSharedKeys,
    peer: &Identity,
    strength: Strength,
    message: TicketMessage,
    csb_id: u32,
    rands: Rands<'_>,
) -> Result<MessageKeys, TicketError> {
    MessageKeys::derive(
        strength.suite(),
        |key| Label::ticket_message_key(key, message, csb_id, rands),
        |label, out| Ok(psk.prf(peer, strength.prf(), label, out)?),
    )
}

/// The key that authenticates Vr, from MPKr as it is in the ticket ([RFC 6043 §6.10]).
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
pub(crate) fn initiator_data_keys(
    strength: Strength,
    mpk_r: &Secret,
) -> Result<MessageKeys, TicketError> {
    MessageKeys::derive(
        strength.suite().without_encryption(),
        |_| Label::initiator_data_key(),
        |label, out| {
            strength
                .prf()
                .derive(mpk_r.expose(), label.as_octets(), out);
            Ok(())
        },
    )
}

/// A key as long as the one that it comes from.
fn like(prf: Prf, key: &Secret, label: &Label) -> Result<Secret, TicketError> {
    let mut out = Zeroizing::new(alloc::vec![0; key.expose().len()]);
    prf.derive(key.expose(), label.as_octets(), &mut out);
    Ok(Secret::new(&out)?)
}
