use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{MessageKeys, Secret, TicketMessage};
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{CsIdMap, Header, Payload, Randr};
use mikey::{Identity, PreSharedKeys, Timestamp};
use rand_core::CryptoRng;

use crate::kms::psk_keys;
use crate::message::{Keys, Received, fresh_time, open_kemac, rands, read_answer, seal};
use crate::policy::{check_forking, idr};
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
}

impl Initiator {
    /// `identity`, a subscriber of `kms`.
    #[must_use]
    pub const fn new(identity: Identity, kms: Identity) -> Self {
        Self {
            identity,
            kms,
            psk_id: None,
        }
    }

    /// Names the pre-shared key, IDRpsk, where the KMS does not find it by the identity.
    #[must_use]
    pub fn with_psk_id(mut self, psk_id: Identity) -> Self {
        self.psk_id = Some(psk_id);
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
        let strength = policy.strength();
        let csb_id = rng.next_u32();
        let mut rand = alloc::vec![0; strength.key_len()];
        rng.fill_bytes(&mut rand);
        let keys = |message| {
            psk_keys(
                psk,
                &self.kms,
                strength,
                message,
                csb_id,
                rands(&rand, &[])?,
            )
        };
        let (initial, response) = (
            keys(TicketMessage::Initial)?,
            keys(TicketMessage::Response)?,
        );
        let header = Header::new(
            DataType::RequestInitPsk,
            strength.prf().prf_func(),
            csb_id,
            CsIdMap::NONE,
        )?;
        let sent = policy.with_payload(true, |asked| {
            let mut payloads = alloc::vec![
                Payload::T(fresh_time(now)),
                Payload::Randr(Randr::new(RandRole::Initiator, &rand)?),
                idr(IdRole::Initiator, &self.identity)?,
                idr(IdRole::Kms, &self.kms)?,
                Payload::Tp(asked),
            ];
            if let Some(psk_id) = &self.psk_id {
                payloads.push(idr(IdRole::PreSharedKey, psk_id)?);
            }
            let parties = [self.identity.data(), self.kms.data()];
            seal(
                header.expecting_response(true),
                payloads,
                &initial,
                &parties,
            )
        })?;
        let state = AwaitingTicket {
            identity: self.identity.clone(),
            kms: self.kms.clone(),
            asked: policy.clone(),
            sent: sent.clone(),
            initial,
            response,
        };
        Ok((state, sent))
    }
}

/// An Initiator that waits for REQUEST_RESP.
pub struct AwaitingTicket {
    identity: Identity,
    kms: Identity,
    asked: Policy,
    sent: Vec<u8>,
    initial: MessageKeys,
    response: MessageKeys,
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
        let received = read_answer(octets, data_type, &self.sent, strength, &self.initial)?;
        received.verify(&self.response, &[&self.sent])?;

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
        open_kemac(&self.response, &received.iv(), &kemac)
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
