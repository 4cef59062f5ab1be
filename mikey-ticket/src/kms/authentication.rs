use alloc::vec::Vec;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole, SType};
use mikey::derive::{MessageKeys, Rands, Secret, TicketMessage};
use mikey::payload::{Cert, CertHash};
use mikey::{CredentialError, Credentials, Identity, PreSharedKeys, ReplayCache, Timestamp};
use rand_core::CryptoRng;

use super::{Kms, KmsPolicy};
use crate::derive::{psk_keys, transfer_keys};
use crate::message::{Received, is_signed, rands};
use crate::{Strength, TicketError};

/// The credentials of a KMS without any: it takes pre-shared keys alone.
///
/// ```
/// use mikey::{CredentialError, Credentials};
/// use mikey_ticket::NoCredentials;
///
/// assert_eq!(NoCredentials.sign(&[b"message"]), Err(CredentialError::Unavailable));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it has nothing to say")]
pub struct NoCredentials;

impl Credentials for NoCredentials {
    fn s_type(&self) -> SType {
        SType::RsaPkcs1
    }

    fn signature_len(&self) -> usize {
        0
    }

    fn sign(&self, _: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        Err(CredentialError::Unavailable)
    }

    fn verify(
        &self,
        _: &Identity,
        _: &[Cert<'_>],
        _: SType,
        _: &[&[u8]],
        _: &[u8],
    ) -> Result<(), CredentialError> {
        Err(CredentialError::Unavailable)
    }

    fn seal_envelope(
        &self,
        _: &Identity,
        _: &[Cert<'_>],
        _: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        Err(CredentialError::Unavailable)
    }

    fn open_envelope(&self, _: Option<&CertHash<'_>>, _: &[u8]) -> Result<Secret, CredentialError> {
        Err(CredentialError::Unavailable)
    }
}

/// An initial message whose sender is proven.
pub(super) struct Authentic<'a> {
    pub(super) octets: &'a [u8],
    pub(super) received: Received<'a>,
    /// The user that asks for a ticket, or for whom one is resolved.
    pub(super) user: Identity,
    /// The KMS that has sent the message, for `user`.
    pub(super) partner: Option<Identity>,
    rands: Rands<'a>,
    source: Source,
}

/// Where the keys of the exchange come from.
enum Source {
    PreSharedKey {
        owner: Identity,
    },
    Envelope {
        key: Secret,
        /// Else the key is one that nobody knows.
        opened: bool,
    },
}

impl Authentic<'_> {
    pub(super) const fn outcome(&self) -> Result<(), TicketError> {
        match self.source {
            Source::Envelope { opened: false, .. } => Err(TicketError::EnvelopeUnreadable),
            _ => Ok(()),
        }
    }

    pub(super) fn into_partner(self) -> Option<Identity> {
        self.partner
    }

    pub(super) const fn strength(&self) -> Strength {
        self.received.strength()
    }
}

impl<S, T, P, C, K> Kms<S, T, P, C, K>
where
    S: PreSharedKeys,
    P: KmsPolicy,
    C: ReplayCache,
    K: Credentials,
{
    /// Time, names and MAC or signature of an initial message.
    pub(super) fn authenticate<'a, R: CryptoRng + ?Sized>(
        &mut self,
        octets: &'a [u8],
        data_type: DataType,
        role: IdRole,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Authentic<'a>, TicketError> {
        let received = Received::read(octets, data_type)?;
        let rands = match role {
            IdRole::Initiator => rands(received.strong_rand(RandRole::Initiator)?, &[])?,
            _ => rands(&[], received.strong_rand(RandRole::Responder)?)?,
        };
        received.check_empty_map()?;
        received.check_time(self.window, now)?;
        if received
            .id(IdRole::Kms)
            .is_some_and(|kms| kms != self.identity)
        {
            return Err(TicketError::UnknownIdentity);
        }
        let missing = TicketError::MissingPayload(PayloadType::Idr);
        let user = received.id(role).ok_or(missing)?;
        if user == self.identity || self.policy.is_partner(&user) {
            return Err(TicketError::UnknownIdentity);
        }
        let partner = match role {
            IdRole::Responder => self.partner(&received)?,
            _ => None,
        };
        let sender = partner.as_ref().unwrap_or(&user);
        let source = if is_signed(data_type) {
            self.signed(&received, sender, &user, now, rng)?
        } else {
            let owner = self.owner(&received, sender)?;
            Source::PreSharedKey { owner }
        };
        let init = Authentic {
            octets,
            received,
            user,
            partner,
            rands,
            source,
        };
        if !is_signed(data_type) {
            let keys = self.keys(&init, TicketMessage::Initial)?;
            let parties = [init.user.data(), self.identity.data()];
            init.received.verify(&keys, &parties)?;
        }
        Ok(init)
    }

    /// The keys of the exchange.
    pub(super) fn keys(
        &self,
        init: &Authentic<'_>,
        message: TicketMessage,
    ) -> Result<MessageKeys, TicketError> {
        let (strength, csb_id) = (init.strength(), init.received.header().csb_id());
        match &init.source {
            Source::PreSharedKey { owner } => {
                let psk = &self.subscribers;
                psk_keys(psk, owner, strength, message, csb_id, init.rands)
            }
            Source::Envelope { key, .. } => {
                transfer_keys(strength, key, message, csb_id, init.rands)
            }
        }
    }

    /// Remembers a message that is going to be answered, unless that has been done.
    pub(super) fn remember(
        &mut self,
        init: &Authentic<'_>,
        now: Timestamp,
    ) -> Result<(), TicketError> {
        match init.source {
            Source::PreSharedKey { .. } => {
                let sender = init.partner.as_ref().unwrap_or(&init.user);
                init.received.remember(sender, &mut self.replay, now)
            }
            Source::Envelope { .. } => Ok(()),
        }
    }

    /// Which KMS relays the message: the one that IDRkmsr names, or whose pre-shared key IDRpsk names
    /// ([RFC 6043 §10](https://www.rfc-editor.org/rfc/rfc6043#section-10)).
    fn partner(&self, received: &Received<'_>) -> Result<Option<Identity>, TicketError> {
        let named = received.id(IdRole::ResponderKms);
        match named.filter(|kms| *kms != self.identity) {
            Some(kms) if self.policy.is_partner(&kms) => Ok(Some(kms)),
            Some(_) => Err(TicketError::UnknownIdentity),
            None => {
                let owner = received.id(IdRole::PreSharedKey);
                Ok(owner.filter(|owner| self.policy.is_partner(owner)))
            }
        }
    }

    /// Under which identity the key of `sender` is known.
    fn owner(&self, received: &Received<'_>, sender: &Identity) -> Result<Identity, TicketError> {
        match received.id(IdRole::PreSharedKey) {
            None => Ok(sender.clone()),
            Some(psk) if psk == *sender || self.policy.owns_key(sender, &psk) => Ok(psk),
            Some(_) => Err(TicketError::UnknownIdentity),
        }
    }

    /// Verifies the signature of `sender`, and opens the envelope.
    ///
    /// Whether it opens is told to nobody but the operator: with a key that nobody knows in its place
    /// the exchange goes on as ever, so that a KMS is no oracle for envelopes of others.
    fn signed<R: CryptoRng + ?Sized>(
        &mut self,
        received: &Received<'_>,
        sender: &Identity,
        user: &Identity,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Source, TicketError> {
        let missing = TicketError::MissingPayload(PayloadType::Pke);
        let envelope = received.envelope().ok_or(missing)?;
        let parties = [user.data(), self.identity.data()];
        received
            .verify_signature(&self.credentials, sender, &parties)
            .map_err(|error| match error {
                TicketError::KeyUnavailable => {
                    TicketError::UnsupportedDataType(received.header().data_type())
                }
                other => other,
            })?;
        received.remember(sender, &mut self.replay, now)?;

        let len = received.strength().key_len();
        let unknown = Secret::random(len, rng)?;
        let hash = received.certificate_hash();
        let opened = self
            .credentials
            .open_envelope(hash.as_ref(), envelope.data());
        Ok(match opened {
            Ok(key) if key.expose().len() == len => Source::Envelope { key, opened: true },
            _ => Source::Envelope {
                key: unknown,
                opened: false,
            },
        })
    }
}
