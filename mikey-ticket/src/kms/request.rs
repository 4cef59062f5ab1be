use alloc::vec::Vec;

use mikey::code_points::{DataType, IdRole, PayloadType};
use mikey::derive::TicketMessage;
use mikey::payload::{CsIdMap, Header, Kemac, Mac, Payload};
use mikey::{Credentials, Identity, PreSharedKeys, ReplayCache, Timestamp};
use rand_core::CryptoRng;

use super::authentication::Authentic;
use super::{Kms, KmsPolicy};
use crate::message::{Received, answer_time, iv, seal, seal_kemac};
use crate::policy::idr;
use crate::{Policy, TicketError, TicketKeys, issue_ticket};

impl<S, T, P, C, K> Kms<S, T, P, C, K>
where
    S: PreSharedKeys,
    T: TicketKeys,
    P: KmsPolicy,
    C: ReplayCache,
    K: Credentials,
{
    /// REQUEST_RESP ([RFC 6043 §4.2.1.5]).
    ///
    /// [RFC 6043 §4.2.1.5]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.5
    pub(super) fn request<R: CryptoRng + ?Sized>(
        &mut self,
        init: &Authentic<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Vec<u8>, TicketError> {
        let granted = self.decide(&init.received, &init.user, now)?;
        let (ticket, contents) = issue_ticket(&granted, &self.ticket_keys, now, rng)?;
        let response = self.keys(init, TicketMessage::Response)?;
        self.remember(init, now)?;
        let mut mpks = alloc::vec![contents.mpk_i()];
        if granted.flags().forking {
            mpks.push(contents.mpk_r());
        }
        let time = answer_time(now, rng);
        let header = init.received.header();
        let (prf_func, csb_id) = (header.prf_func(), header.csb_id());
        let sealed = seal_kemac(&response, &iv(csb_id, time), &mpks, contents.keys())?;
        let encr_alg = response.suite().cipher().encr_alg();
        let payloads = alloc::vec![
            Payload::T(time),
            idr(IdRole::Kms, &self.identity)?,
            Payload::Ticket(ticket.to_payload()?),
            Payload::Kemac(Kemac::new(encr_alg, &sealed, Mac::NULL)?),
        ];
        let header = Header::new(DataType::RequestResp, prf_func, csb_id, CsIdMap::NONE)?;
        seal(header, payloads, &response, &[init.octets])
    }

    /// The policy of the ticket, K set if it is not the one that was asked for.
    fn decide(
        &self,
        received: &Received<'_>,
        requester: &Identity,
        now: Timestamp,
    ) -> Result<Policy, TicketError> {
        let asked = received
            .message()
            .payloads()
            .find_map(|payload| match payload {
                Payload::Tp(policy) => Some(policy),
                _ => None,
            });
        let asked = asked.ok_or(TicketError::MissingPayload(PayloadType::Tp))?;
        let asked = Policy::from_payload(&asked)?;
        if asked.strength() != received.strength() {
            return Err(TicketError::MixedStrength);
        }
        if asked
            .initiator()
            .is_some_and(|initiator| initiator != requester)
        {
            return Err(TicketError::UnknownIdentity);
        }
        // Whatever was asked for, it is the KMS that makes the ticket.
        let mut flags = asked.flags();
        flags.kms_generated = true;
        let wanted = asked.clone().with_flags(flags)?;
        let granted = self.policy.grant(requester, &wanted, now);
        let granted = granted.ok_or(TicketError::NotAuthorised)?;
        if granted.strength() != received.strength() || !granted.flags().kms_generated {
            return Err(TicketError::MixedStrength);
        }
        let other_keys = asked.keys().is_some() && asked.keys() != granted.keys();
        let mut flags = granted.flags();
        flags.changed = other_keys || !asked.is_granted_by(&granted);
        let granted = granted.with_flags(flags)?;
        Ok(granted
            .with_kms(self.identity.clone())
            .with_initiator(requester.clone()))
    }
}
