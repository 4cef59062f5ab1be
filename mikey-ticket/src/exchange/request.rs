use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, PayloadType};
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{Cert, Payload};
use mikey::{Credentials, Identity, PreSharedKeys, Timestamp};
use rand_core::CryptoRng;

use crate::message::{Keys, Received, open_kemac, read_answer};
use crate::policy::check_forking;
use crate::query::{KmsCertificate, Query, Sent};
use crate::{GrantedTicket, IssuedTicket, Policy, PolicyError, Rejected, Strength, TicketError};

/// A user of a KMS that asks it for tickets: the Initiator of the Ticket Request exchange
/// ([RFC 6043 §4.2.1]).
///
/// The crate's own example runs all six messages.
///
/// [RFC 6043 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1
#[derive(Clone, Debug)]
pub struct Initiator {
    identity: Identity,
    kms: Identity,
    psk_id: Option<Identity>,
    kms_certificate: Option<KmsCertificate>,
}

impl Initiator {
    /// `identity`, a subscriber of `kms`.
    #[must_use]
    pub const fn new(identity: Identity, kms: Identity) -> Self {
        Self {
            identity,
            kms,
            psk_id: None,
            kms_certificate: None,
        }
    }

    /// Names the pre-shared key, IDRpsk, where the KMS does not find it by the identity.
    #[must_use]
    pub fn with_psk_id(mut self, psk_id: Identity) -> Self {
        self.psk_id = Some(psk_id);
        self
    }

    /// Names the key of the KMS to be used by its certificate, CHASH, where the KMS has several.
    #[must_use]
    pub fn with_kms_certificate(mut self, certificate: &Cert<'_>) -> Self {
        self.kms_certificate = Some(KmsCertificate::of(certificate));
        self
    }

    /// Asks for a ticket of `policy`: REQUEST_INIT_PSK. `psk` has the key shared with the KMS.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] without a key for the KMS.
    pub fn request<R: CryptoRng + ?Sized>(
        &self,
        policy: &Policy,
        psk: &impl PreSharedKeys,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(AwaitingTicket, Vec<u8>), TicketError> {
        self.ask(policy, |query| {
            query.by_psk(psk, self.psk_id.as_ref(), now, rng)
        })
    }

    /// Asks for a ticket of `policy`: REQUEST_INIT_PK. `credentials` sign it, and have the public key
    /// of the KMS.
    ///
    /// ```
    /// # macro_rules! test_key {
    /// #     ($name:literal) => {
    /// #         include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa/", $name))
    /// #     };
    /// # }
    /// # #[cfg(feature = "rsa")]
    /// # fn main() -> Result<(), mikey_ticket::TicketError> {
    /// use mikey::crypto::RsaCredentials;
    /// use mikey::derive::Secret;
    /// use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
    /// use mikey_ticket::{
    ///     GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, Policy, Recipient, Strength, TicketError,
    /// };
    ///
    /// # let (key_of_alice, modulus_of_alice) = (test_key!("alice.pkcs8.der"), test_key!("alice.modulus.bin"));
    /// # let (key_of_kms, modulus_of_kms) = (test_key!("kms.pkcs8.der"), test_key!("kms.modulus.bin"));
    /// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// let now = Timestamp::from_unix(1_800_000_000, 0);
    /// let (alice, kms_id) = (Identity::uri("sip:alice@example.com")?, Identity::uri("sip:kms.example.com")?);
    /// let unusable = |_| TicketError::KeyUnavailable;
    /// let mut of_alice = RsaCredentials::from_pkcs8(key_of_alice).map_err(unusable)?;
    /// of_alice.trust(kms_id.clone(), modulus_of_kms, &[1, 0, 1]);
    /// let mut of_kms = RsaCredentials::from_pkcs8(key_of_kms).map_err(unusable)?;
    /// of_kms.trust(alice.clone(), modulus_of_alice, &[1, 0, 1]);
    ///
    /// let mut tpks = InMemoryTicketKeys::new();
    /// tpks.insert(b"1", Strength::Bits256, Secret::random(32, &mut rng)?, now, now.plus_seconds(60));
    /// let replay = InMemoryReplayCache::new(100, SkewWindow::default());
    /// let mut kms = Kms::new(kms_id.clone(), InMemoryKeys::new(), tpks, GrantAsAsked, replay)
    ///     .with_credentials(of_kms);
    ///
    /// let bob = Recipient::new(Identity::uri("sip:bob@example.com")?);
    /// let policy = Policy::new(Strength::Bits256, Policy::FORKED, vec![bob])?;
    /// let (pending, request) =
    ///     Initiator::new(alice.clone(), kms_id).request_pk(&policy, &of_alice, now, &mut rng)?;
    /// let response = kms.handle(&request, now, &mut rng)?;
    /// let ticket = pending.accept(&response, now)?;
    /// assert_eq!(ticket.policy().initiator(), Some(&alice));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "rsa"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] without a public key of the KMS,
    /// [`TicketError::KeyUnavailable`] if the own key cannot sign.
    pub fn request_pk<R: CryptoRng + ?Sized>(
        &self,
        policy: &Policy,
        credentials: &(impl Credentials + ?Sized),
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(AwaitingTicket, Vec<u8>), TicketError> {
        let certificate = self.kms_certificate.as_ref();
        self.ask(policy, |query| {
            query.by_public_key(credentials, certificate, now, rng)
        })
    }

    fn ask(
        &self,
        policy: &Policy,
        send: impl FnOnce(&Query<'_>) -> Result<Sent, TicketError>,
    ) -> Result<(AwaitingTicket, Vec<u8>), TicketError> {
        let sent = policy.with_payload(true, |asked| {
            send(&Query {
                sender: (IdRole::Initiator, &self.identity),
                kms: &self.kms,
                strength: policy.strength(),
                content: Payload::Tp(asked),
                further: Vec::new(),
            })
        })?;
        let message = sent.octets.clone();
        let state = AwaitingTicket {
            identity: self.identity.clone(),
            kms: self.kms.clone(),
            asked: policy.clone(),
            sent,
        };
        Ok((state, message))
    }
}

/// An Initiator that waits for REQUEST_RESP.
pub struct AwaitingTicket {
    identity: Identity,
    kms: Identity,
    asked: Policy,
    sent: Sent,
}

impl AwaitingTicket {
    /// Takes the ticket out of REQUEST_RESP.
    ///
    /// Its policy may be another than the one asked for: see [`GrantedTicket::is_changed`].
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the state, which goes on waiting, and with the reason: the answer is
    /// forged, belongs to another request, is an Error message, or grants what nobody may use.
    pub fn accept(self, message: &[u8], now: Timestamp) -> Result<GrantedTicket, Rejected<Self>> {
        match self.read(message, now) {
            Ok(ticket) => Ok(ticket),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    fn read(&self, octets: &[u8], now: Timestamp) -> Result<GrantedTicket, TicketError> {
        let strength: Strength = self.asked.strength();
        let data_type = DataType::RequestResp;
        let Sent {
            octets: ours,
            initial,
            response,
        } = &self.sent;
        let received = read_answer(octets, data_type, ours, strength, initial)?;
        received.verify(response, &[ours])?;

        received.check_empty_map()?;
        if received.id(IdRole::Kms).is_some_and(|kms| kms != self.kms) {
            return Err(TicketError::UnknownIdentity);
        }
        let ticket = received.ticket()?;
        if ticket.initiator_data().is_some() {
            return Err(TicketError::UnexpectedPayload(PayloadType::V));
        }
        let policy = Policy::from_payload(ticket.policy())?;
        let Keys { mpks, keys } = self.keys(&received)?;
        self.check(&policy, &keys, now)?;
        let mut mpks = mpks.into_iter();
        let missing = TicketError::MissingPayload(PayloadType::KeyData);
        let mpk_i: Secret = mpks.next().ok_or(missing)?;
        let mpk_r = mpks.next();
        if mpk_r.is_some() != policy.flags().forking || mpks.next().is_some() {
            return Err(missing);
        }
        let issued = IssuedTicket::from_payload(&ticket)?;
        Ok(GrantedTicket::new(
            self.identity.clone(),
            policy,
            issued,
            mpk_i,
            mpk_r,
            keys,
        ))
    }

    fn keys(&self, received: &Received<'_>) -> Result<Keys, TicketError> {
        let missing = TicketError::MissingPayload(PayloadType::Kemac);
        let kemac = received.kemac().ok_or(missing)?;
        open_kemac(&self.sent.response, &received.iv(), &kemac)
    }

    /// The checks of the Initiator on what was granted ([RFC 6043 §4.2.1.6]).
    ///
    /// [RFC 6043 §4.2.1.6]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.6
    fn check(
        &self,
        policy: &Policy,
        keys: &[KeyMaterial],
        now: Timestamp,
    ) -> Result<(), TicketError> {
        if policy.strength() != self.asked.strength() {
            return Err(TicketError::MixedStrength);
        }
        if !policy.flags().kms_generated || policy.initiator() != Some(&self.identity) {
            return Err(TicketError::UnknownIdentity);
        }
        if policy.end().is_some_and(|end| now > end) {
            return Err(TicketError::Expired);
        }
        if keys.iter().any(|key| key.spi().is_none()) {
            return Err(PolicyError::NoSpi.into());
        }
        check_forking(
            policy.flags(),
            keys.iter().any(|key| key.kind() == KeyKind::Tgk),
        )?;
        let as_asked = self.asked.keys().is_none_or(|asked| {
            asked.len() == keys.len()
                && asked.iter().zip(keys).all(|(asked, key)| {
                    asked.kind == key.kind()
                        && asked.len == key.key().expose().len()
                        && asked.salt_len == key.salt().map(<[u8]>::len)
                        && key.spi() == Some(&asked.spi)
                })
        });
        let silent = !policy.flags().changed;
        if silent && !(as_asked && self.asked.is_granted_by(policy)) {
            return Err(PolicyError::ChangedSilently.into());
        }
        Ok(())
    }
}

impl fmt::Debug for AwaitingTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitingTicket")
    }
}
