use mikey::code_points::ThreeGppCodePoints;
use mikey::derive::Secret;
use mikey::{Identity, Timestamp};
use rand_core::CryptoRng;
use smime_psk::{
    KeyTransport, Oid, RecipientInfo, RecipientInfos, TransportError, Unwrapped, Wrapping,
};

use crate::GrantedTicket;
use crate::profile::psk_mime;

/// Wraps content keys for the recipients of a message, under a ticket of the profile PSK/MIME that
/// they may resolve (TR 33.829 §8.3.1.1.1).
///
/// Several recipients need a ticket with the J flag, since each gets a TRANSFER_INIT of its own; a
/// list, by [`to_list`](Self::to_list), does with one. The module's example shows its use.
///
/// # Security
///
/// Without forking (I = 0) whoever may resolve the ticket can write to the others in the sender's
/// name. With it ([`psk_mime::policy`] with proof of origin) only the sender can, if the seal policy
/// asks for a proof; between several recipients, who share the content key, it takes
/// [`ProofOfOrigin::Committing`](smime_psk::ProofOfOrigin::Committing).
#[derive(Debug)]
pub struct ContentKeySender<'a> {
    ticket: &'a mut GrantedTicket,
    recipients: &'a [Identity],
    list: Option<&'a Identity>,
    code_points: ThreeGppCodePoints,
    now: Timestamp,
}

impl<'a> ContentKeySender<'a> {
    /// To `recipients`, with a TRANSFER_INIT for each that names it.
    #[must_use]
    pub const fn new(
        ticket: &'a mut GrantedTicket,
        recipients: &'a [Identity],
        now: Timestamp,
    ) -> Self {
        Self {
            ticket,
            recipients,
            list: None,
            code_points: ThreeGppCodePoints::DEFAULT,
            now,
        }
    }

    /// To the members of `list`, with one TRANSFER_INIT for all that names the list: encrypted once,
    /// copied to each (TR 33.829 §8.3.1.1.3, §8.3.1.1.4).
    #[must_use]
    pub const fn to_list(
        ticket: &'a mut GrantedTicket,
        list: &'a Identity,
        members: &'a [Identity],
        now: Timestamp,
    ) -> Self {
        let mut this = Self::new(ticket, members, now);
        this.list = Some(list);
        this
    }

    /// With other code points than the defaults.
    #[must_use]
    pub const fn with_code_points(mut self, code_points: ThreeGppCodePoints) -> Self {
        self.code_points = code_points;
        self
    }
}

impl KeyTransport for ContentKeySender<'_> {
    /// Nothing is sent to one who could not resolve the ticket, and nothing to anyone then.
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), TransportError> {
        let ori_type = ori_type(&self.code_points)?;
        let policy = self.ticket.policy();
        if content.proof_of_origin().is_some() && !policy.flags().forking {
            return Err(TransportError::NoProofOfOrigin);
        }
        let named = self.list.map_or(self.recipients, core::slice::from_ref);
        let resolvable = |who| policy.allows_recipient(who);
        let reusable = named.len() < 2 || policy.flags().reusable;
        if !self.recipients.iter().all(resolvable) || !reusable {
            return Err(TransportError::Refused);
        }
        if self.recipients.is_empty() {
            return Ok(());
        }
        let key = content.key().expose_key();
        let key = Secret::new(key).map_err(|_| TransportError::KeyLength)?;
        for recipient in named {
            let message = psk_mime::send(
                self.ticket,
                recipient,
                &key,
                content.proof_of_origin(),
                &self.code_points,
                self.now,
                rng,
            )?;
            recipients.push_other_octets(ori_type, &message);
        }
        Ok(())
    }

    /// Opens nothing.
    fn unwrap(&mut self, _: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
        Ok(None)
    }
}

fn ori_type(code_points: &ThreeGppCodePoints) -> Result<Oid, TransportError> {
    Oid::from_octets(code_points.id_ori_mikey).ok_or(TransportError::Malformed)
}
