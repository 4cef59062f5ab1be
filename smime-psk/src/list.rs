use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::error::SealError;
use crate::identity::same_identity;
use crate::open::Opened;
use crate::seal::{SealPolicy, seal};
use crate::transport::KeyTransport;

/// The field that a list server holds the verified sender against.
///
/// TR 33.829 §8.3.1.1.3 says To, which is the list itself: From is meant, and the default.
///
/// ```
/// use smime_psk::SenderField;
///
/// assert_eq!(SenderField::default(), SenderField::From);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SenderField {
    /// The From of the incoming message.
    #[default]
    From,
    /// The To of the incoming message, by the letter.
    To,
}

/// A list server does not re-encrypt a message; nothing is to be forwarded.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReencryptError {
    /// The outgoing message was not sealed.
    #[error("sealing: {0}")]
    Seal(#[from] SealError),
    /// The verified sender is not who the header field names, or there is none.
    #[error("sender is not who the message says")]
    Sender,
}

/// The server of a list (a PSI) forwards a message to its members (TR 33.829 §8.3.1.1.3).
///
/// A message with a URI list needs none of this: its recipients can open it themselves, and the
/// server forwards the octets (§8.3.1.1.4).
///
/// ```
/// use smime_psk::{KekRecipient, ListServer, OpenPolicy, SealPolicy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let key = |id: &[u8]| KekRecipient::new(id, &[7; 16]).ok_or("length");
/// # let incoming = smime_psk::seal(b"hi", &mut key(b"alice")?, &SealPolicy::default(), &mut rng)
/// #     .map_err(|_| "seal")?;
/// let mut alice = key(b"alice")?.peer("sip:alice@example.com");
/// let opened = smime_psk::open(&incoming, &mut alice, &OpenPolicy::default())
///     .map_err(|_| "open")?;
///
/// let server = ListServer::new("<sip:alice@example.com>;tag=1", "<sip:list@example.com>");
/// let mut members = [key(b"bob")?, key(b"carol")?];
/// let outgoing = server
///     .reencrypt(opened, &mut members[..], &SealPolicy::default(), &mut rng)
///     .map_err(|_| "another sender")?;
///
/// let mut carol = key(b"carol")?.peer("sip:list@example.com");
/// let opened = smime_psk::open(&outgoing, &mut carol, &OpenPolicy::default())
///     .map_err(|_| "open")?;
/// assert_eq!(opened.content(), b"hi");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListServer<'a> {
    from: &'a str,
    to: &'a str,
    sender_field: SenderField,
}

impl<'a> ListServer<'a> {
    /// Takes the values of From and To of the incoming message.
    #[must_use]
    pub const fn new(from: &'a str, to: &'a str) -> Self {
        Self {
            from,
            to,
            sender_field: SenderField::From,
        }
    }

    /// Chooses the field that names the sender.
    #[must_use]
    pub const fn sender_field(self, field: SenderField) -> Self {
        Self {
            sender_field: field,
            ..self
        }
    }

    /// Verifies that the sender is who the message says, and seals the content once for all
    /// `members`: the outcome goes into every outgoing message as it is.
    ///
    /// # Errors
    ///
    /// The sender is another, or the content cannot be sealed. It is then erased.
    pub fn reencrypt(
        &self,
        opened: Opened,
        members: &mut (impl KeyTransport + ?Sized),
        policy: &SealPolicy,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, ReencryptError> {
        let claimed = match self.sender_field {
            SenderField::From => self.from,
            SenderField::To => self.to,
        };
        let genuine = opened
            .sender()
            .is_some_and(|sender| same_identity(sender, claimed));
        let content = Zeroizing::new(opened.into_content());
        if !genuine {
            return Err(ReencryptError::Sender);
        }
        Ok(seal(&content, members, policy, rng)?)
    }
}
