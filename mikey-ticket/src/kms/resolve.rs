use mikey::code_points::PayloadType;
use mikey::derive::{Secret, TicketMessage};
use mikey::payload::{Ticket, Verification};
use mikey::{Credentials, Identity, PreSharedKeys, ReplayCache, Timestamp};
use rand_core::CryptoRng;

use super::authentication::Authentic;
use super::{Diversion, Kms, KmsPolicy, KmsReply};
use crate::derive::{fork_keys, fork_mpk, initiator_data_keys};
use crate::message::{Resolved, VerificationMac, answer_time};
use crate::{Policy, Strength, TicketError, TicketKeys, open_ticket};

impl<S, T, P, C, K> Kms<S, T, P, C, K>
where
    S: PreSharedKeys,
    T: TicketKeys,
    P: KmsPolicy,
    C: ReplayCache,
    K: Credentials,
{
    /// RESOLVE_RESP ([RFC 6043 §4.2.3.5]), or a question to the KMS whose ticket it is.
    ///
    /// [RFC 6043 §4.2.3.5]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.5
    pub(super) fn resolve<R: CryptoRng + ?Sized>(
        &mut self,
        init: &Authentic<'_>,
        relaying: bool,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<KmsReply, TicketError> {
        let ticket = init.received.ticket()?;
        let strength = Strength::from_prf_func(ticket.policy().kind().prf_func)?;
        if strength != init.strength() {
            return Err(TicketError::MixedStrength);
        }
        let not_ours = |partner: &Identity| !self.policy.is_user_of(partner, &init.user);
        if init.partner.as_ref().is_some_and(not_ours) {
            return Err(TicketError::NotAuthorised);
        }
        let issuer = ticket.policy().kms().map(|id| Identity::from_payload(&id));
        if let Some(issuer) = issuer.filter(|issuer| *issuer != self.identity) {
            // What was relayed here is not relayed on: KMSs that send it round would never end.
            if !relaying || init.partner.is_some() {
                return Err(TicketError::ForeignTicket);
            }
            return self.relay(init, &ticket, issuer, now, rng);
        }
        let resolved = self.open(init, &ticket, now, rng)?;
        let response = self.keys(init, TicketMessage::Response)?;
        self.remember(init, now)?;
        let (asked, time) = (init.received.header(), answer_time(now, rng));
        let answer = resolved.write(init.octets, asked, &self.identity, &response, time)?;
        Ok(KmsReply::Answer(answer))
    }

    /// Opens the ticket for a resolver that may have it, and forks its keys where the ticket says so
    /// ([RFC 6043 §5.1.1]).
    ///
    /// [RFC 6043 §5.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.1
    fn open<R: CryptoRng + ?Sized>(
        &self,
        init: &Authentic<'_>,
        ticket: &Ticket<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Resolved, TicketError> {
        let resolver = &init.user;
        let contents = open_ticket(ticket, &self.ticket_keys, now)?;
        let policy = contents.policy();
        if !policy.allows_recipient(resolver)
            && !self.policy.may_stand_in(resolver, policy, now)
            && !self.is_diverted(init, policy, now)
        {
            return Err(TicketError::WrongRecipient);
        }
        if !self.policy.may_resolve(resolver, policy, now) {
            return Err(TicketError::NotAuthorised);
        }
        check_initiator_data(ticket, policy, contents.mpk_r())?;
        let (policy, mpk_i, mpk_r, keys) = contents.into_parts();
        let identity = Some(resolver.clone());
        if !policy.flags().forking {
            return Ok(Resolved {
                mpk_i,
                mpk_r: None,
                keys,
                identity,
                rand_kms: None,
            });
        }
        let prf = policy.strength().prf();
        let mut rand_kms = alloc::vec![0; policy.strength().key_len()];
        rng.fill_bytes(&mut rand_kms);
        Ok(Resolved {
            mpk_i,
            mpk_r: Some(fork_mpk(prf, &mpk_r, resolver.data(), &rand_kms)?),
            keys: fork_keys(prf, &keys, resolver.data(), &rand_kms)?,
            identity,
            rand_kms: Some(rand_kms),
        })
    }

    /// Whether the AS that the resolver names has diverted a call to it (TR 33.829 §9.3.2.2).
    fn is_diverted(&self, init: &Authentic<'_>, policy: &Policy, now: Timestamp) -> bool {
        let server = init.received.id(self.diverting_server);
        let (Some(server), Some(initiator)) = (&server, policy.initiator()) else {
            return false;
        };
        let diversion = Diversion {
            server,
            initiator,
            desired: policy.recipients(),
            diverted_to: &init.user,
        };
        self.policy.is_diverted(&diversion, now)
    }
}

/// Whether the Initiator that asked for the ticket sent it in this message
/// ([RFC 6043 §4.2.3.4](https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.4)).
fn check_initiator_data(
    ticket: &Ticket<'_>,
    policy: &Policy,
    mpk_r: &Secret,
) -> Result<(), TicketError> {
    let data = match (ticket.initiator_data(), policy.flags().forking) {
        (Some(data), true) => data,
        (None, false) => return Ok(()),
        (None, true) => return Err(TicketError::MissingPayload(PayloadType::V)),
        (Some(_), false) => return Err(TicketError::UnexpectedPayload(PayloadType::V)),
    };
    let (vi, vr) = data
        .macs()
        .ok_or(TicketError::MissingPayload(PayloadType::V))?;
    for mac in [vi, vr] {
        VerificationMac::of(Verification::new(mac), policy.strength())?;
    }
    let keys = initiator_data_keys(policy.strength(), mpk_r)?;
    Ok(keys.verify(&[&data.covered()?], vr.octets())?)
}
