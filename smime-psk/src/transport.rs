use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::error::TransportError;
use crate::recipient::{RecipientInfo, RecipientInfos};
use crate::{ContentEncryption, ContentKey};

/// How the content key reaches the recipients, and how they learn who sent it.
///
/// [`KekRecipient`](crate::KekRecipient) is the one for a key that both sides have; a MIKEY
/// TRANSFER_INIT in an OtherRecipientInfo is another. A slice of transports is a transport: it
/// wraps by each, and unwraps by the first that can. Other kinds go together as
/// `[&mut dyn KeyTransport]`.
///
/// What needs the network first (a ticket to be resolved by a KMS) does not happen in here: look
/// at [`AuthEnvelopedData::recipient_infos`](crate::AuthEnvelopedData::recipient_infos), fetch,
/// then open with a transport that has the outcome. The time, where it matters, is the
/// transport's to know.
///
/// ```
/// use rand_core::CryptoRng;
/// use smime_psk::{
///     KeyTransport, RecipientInfo, RecipientInfos, TransportError, Unwrapped, Wrapping,
/// };
///
/// /// A caller that was moved and has no keys yet.
/// struct Nobody;
///
/// impl KeyTransport for Nobody {
///     fn wrap(
///         &mut self,
///         _: &Wrapping<'_>,
///         _: &mut RecipientInfos,
///         _: &mut dyn CryptoRng,
///     ) -> Result<(), TransportError> {
///         Err(TransportError::Unavailable)
///     }
///
///     fn unwrap(&mut self, _: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
///         Ok(None)
///     }
/// }
///
/// let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let sealed = smime_psk::seal(b"", &mut Nobody, &smime_psk::SealPolicy::default(), &mut rng);
/// assert_eq!(sealed, Err(TransportError::Unavailable.into()));
/// ```
pub trait KeyTransport {
    /// Adds to `recipients` what gives the content key to those the message is for.
    ///
    /// # Errors
    ///
    /// The message is then not made. A transport that has no place for
    /// [`Wrapping::proof_of_origin`] says [`TransportError::NoProofOfOrigin`] when there is one,
    /// and does not leave it out.
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError>;

    /// The content key from one recipient information, verified; `None` if it is for others.
    ///
    /// Recipient information is not covered by the authentication of the message. The transport
    /// verifies it by itself, and answers in bounded time however many it is shown. It refuses
    /// what it has accepted before, but remembers this one only in
    /// [`accept`](Self::accept).
    ///
    /// # Errors
    ///
    /// It is for this transport and not to be used. The remaining ones are still tried.
    ///
    /// # Security
    ///
    /// A wrong [`Unwrapped::sender`] here is a forged sender shown to the user.
    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError>;

    /// The content under the key that `recipient` gave is authentic and about to be released.
    ///
    /// This is the moment to put it into a replay cache: an altered copy that came first must
    /// not spoil the genuine message. In a slice all transports are asked; those that did not
    /// unwrap `recipient` do nothing.
    ///
    /// # Errors
    ///
    /// The content is then not released.
    fn accept(&mut self, recipient: &RecipientInfo<'_>) -> Result<(), TransportError> {
        let _ = recipient;
        Ok(())
    }
}

/// The content key to be wrapped, and what goes with it.
///
/// ```
/// use smime_psk::{ContentEncryption, ContentKey, Wrapping};
///
/// let key = ContentKey::from_slice(&[7; 16]).ok_or("length")?;
/// let content = Wrapping::new(&key, ContentEncryption::Aes128Ccm);
/// assert_eq!(content.key().expose_key(), [7; 16]);
/// assert_eq!(content.proof_of_origin(), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wrapping<'a> {
    key: &'a ContentKey,
    algorithm: ContentEncryption,
    proof_of_origin: Option<&'a [u8]>,
}

impl<'a> Wrapping<'a> {
    /// A content key for `algorithm`, without a proof of origin.
    #[must_use]
    pub const fn new(key: &'a ContentKey, algorithm: ContentEncryption) -> Self {
        Self {
            key,
            algorithm,
            proof_of_origin: None,
        }
    }

    /// Adds the octets that the transport must sign, or have authenticated, as the sender's.
    #[must_use]
    pub const fn with_proof_of_origin(self, data: &'a [u8]) -> Self {
        Self {
            proof_of_origin: Some(data),
            ..self
        }
    }

    /// The content key; TEK in TR 33.829 annex B.3.
    #[must_use]
    pub const fn key(&self) -> &'a ContentKey {
        self.key
    }

    /// What the key is for.
    #[must_use]
    pub const fn algorithm(&self) -> ContentEncryption {
        self.algorithm
    }

    /// What the MSG PROOF-OF-ORIGIN extension is to hold (TR 33.829 annex F), if anything.
    #[must_use]
    pub const fn proof_of_origin(&self) -> Option<&'a [u8]> {
        self.proof_of_origin
    }
}

/// What a recipient information gave.
///
/// ```
/// use smime_psk::{ContentKey, Unwrapped};
///
/// let key = ContentKey::from_slice(&[7; 16]).ok_or("length")?;
/// let unwrapped = Unwrapped::new(key).sender("sip:alice@example.com");
/// assert_eq!(format!("{unwrapped:?}"), "Unwrapped");
/// # Ok::<(), &str>(())
/// ```
pub struct Unwrapped {
    pub(crate) key: ContentKey,
    pub(crate) sender: Option<String>,
    pub(crate) proof_of_origin: Option<Vec<u8>>,
}

impl Unwrapped {
    /// A content key from a sender that is not known by name.
    #[must_use]
    pub const fn new(key: ContentKey) -> Self {
        Self {
            key,
            sender: None,
            proof_of_origin: None,
        }
    }

    /// Names the sender that was verified, by a URI.
    #[must_use]
    pub fn sender(self, uri: impl Into<String>) -> Self {
        Self {
            sender: Some(uri.into()),
            ..self
        }
    }

    /// Adds the proof of origin that was verified to be the sender's.
    #[must_use]
    pub fn proof_of_origin(self, data: impl Into<Vec<u8>>) -> Self {
        Self {
            proof_of_origin: Some(data.into()),
            ..self
        }
    }
}

impl fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unwrapped")
    }
}

impl<T: KeyTransport + ?Sized> KeyTransport for &mut T {
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        (**self).wrap(content, recipients, rng)
    }

    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError> {
        (**self).unwrap(recipient)
    }

    fn accept(&mut self, recipient: &RecipientInfo<'_>) -> Result<(), TransportError> {
        (**self).accept(recipient)
    }
}

impl<T: KeyTransport> KeyTransport for [T] {
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        self.iter_mut()
            .try_for_each(|transport| transport.wrap(content, recipients, rng))
    }

    fn unwrap(
        &mut self,
        recipient: &RecipientInfo<'_>,
    ) -> Result<Option<Unwrapped>, TransportError> {
        let mut refused = None;
        for transport in self {
            match transport.unwrap(recipient) {
                Ok(None) => {}
                Ok(Some(unwrapped)) => return Ok(Some(unwrapped)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn accept(&mut self, recipient: &RecipientInfo<'_>) -> Result<(), TransportError> {
        self.iter_mut()
            .try_for_each(|transport| transport.accept(recipient))
    }
}
