use alloc::vec::Vec;

use mikey::code_points::{DataType, IdRole, PayloadType};
use mikey::derive::MessageKeys;
use mikey::payload::{CsIdMap, GenericIdMap, Header, Kemac, Mac, Payload, TicketFlags};
use mikey::{Identity, Timestamp};

use crate::exchange::established::Bundle;
use crate::exchange::rekeying::Rekeying;
use crate::message::{RULES, Received, fresh_time, iv, open_kemac, seal, seal_kemac};
use crate::policy::idr;
use crate::{Answer, Established, Strength, TicketError};

/// What protects the updates of a bundle: the keys of the last message of the initial exchange.
pub(super) struct Link {
    pub(super) keys: MessageKeys,
    pub(super) initiator: Identity,
    pub(super) responder: Identity,
    pub(super) is_initiator: bool,
    pub(super) csb_id: u32,
    /// The latest time of any message of either side: it never repeats, as IVs must not.
    pub(super) latest: Timestamp,
    pub(super) flags: TicketFlags,
    pub(super) rekeying: Rekeying,
    /// An update that waits for its confirmation, and what it makes of the bundle.
    pub(super) pending: Option<(Vec<u8>, Bundle, Rekeying)>,
}

impl Link {
    /// The names in the order in which this side, or the other, writes them.
    fn names(&self, by_initiator: bool) -> [(IdRole, &Identity); 2] {
        let mut names = [
            (IdRole::Initiator, &self.initiator),
            (IdRole::Responder, &self.responder),
        ];
        if !by_initiator {
            names.reverse();
        }
        names
    }

    const fn may_supply(&self, by_initiator: bool) -> bool {
        if by_initiator {
            self.flags.initiator_keys
        } else {
            self.flags.responder_keys
        }
    }

    /// Later than every message before. The last bit tells the sides apart, as both encrypt with the
    /// same keys and may do so at the same time.
    fn next_time(&self, now: Timestamp) -> Timestamp {
        let later = if now > self.latest {
            now
        } else {
            self.latest.plus_seconds(1)
        };
        let side = u64::from(!self.is_initiator);
        let ntp = u64::from_be_bytes(later.ntp()) & !1 | side;
        let time = Timestamp::from_ntp(ntp.to_be_bytes(), later);
        if time > self.latest {
            time
        } else {
            time.plus_seconds(1)
        }
    }

    fn read<'a>(&self, octets: &'a [u8], data_type: DataType) -> Result<Received<'a>, TicketError> {
        let received = Received::read(octets, data_type)?;
        if received.header().csb_id() != self.csb_id {
            return Err(TicketError::Mismatch);
        }
        if received.strength().suite() != self.keys.suite() {
            return Err(TicketError::MixedStrength);
        }
        for payload in received.message().payloads() {
            if matches!(payload, Payload::Ticket(_) | Payload::Randr(_)) {
                return Err(TicketError::UnexpectedPayload(payload.payload_type()));
            }
        }
        Ok(received)
    }
}

impl Established {
    /// Changes the crypto sessions, or gives them new keys: a CSB update by either side
    /// ([RFC 6043 §5.2]).
    ///
    /// `change` has every session as it shall be from now on. With `confirm`, the change holds once
    /// the peer has confirmed it, by [`accept_confirmation`](Self::accept_confirmation); without, at
    /// once.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnexpectedPayload`] for keys without the L flag (of the Initiator) or M flag
    /// (of the Responder), under an SPI that is taken, or that are there already;
    /// [`TicketError::UnsupportedSessions`] for a session without key, or a TEK that another protocol
    /// has; [`TicketError::Mismatch`] for another protocol under a CS ID; [`TicketError::RekeyingOverdue`] for one that would keep a key past
    /// [`rekey_by`](Self::rekey_by). Nothing has changed then.
    ///
    /// [RFC 6043 §5.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.2
    pub fn update(
        &mut self,
        change: &Answer<'_>,
        confirm: bool,
        now: Timestamp,
    ) -> Result<Vec<u8>, TicketError> {
        let link = &self.link;
        if !change.keys().is_empty() && !link.may_supply(link.is_initiator) {
            return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
        }
        let time = link.next_time(now);
        let map = CsIdMap::GenericId(GenericIdMap::new(change.sessions())?);
        let message = self.write(
            DataType::TransferInit,
            map,
            Some((change, confirm)),
            time,
            &[],
        )?;
        let bundle = self
            .bundle
            .updated(&RULES.decode(&message)?, change.keys())?;
        let rekeying = self.link.rekeying;
        let rekeying = rekeying.updated(&bundle, change.keys(), time, now)?;
        self.link.latest = time;
        if confirm {
            self.link.pending = Some((message.clone(), bundle, rekeying));
        } else {
            self.bundle = bundle;
            self.link.rekeying = rekeying;
        }
        Ok(message)
    }

    /// Takes an update of the peer, and gives the confirmation that the peer may want.
    ///
    /// # Errors
    ///
    /// [`TicketError::Forged`] for one that does not authenticate, [`TicketError::ClockSkew`] for
    /// one that is not newer than every message before it: a replay, or one of our own;
    /// [`TicketError::UnexpectedPayload`] for keys that the ticket does not allow,
    /// [`TicketError::RekeyingOverdue`] if a session would keep its key past
    /// [`rekey_by`](Self::rekey_by). Nothing has changed then.
    pub fn accept_update(
        &mut self,
        message: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, TicketError> {
        let link = &self.link;
        let received = link.read(message, DataType::TransferInit)?;
        let parties = [link.initiator.data(), link.responder.data()];
        received.verify(&link.keys, &parties)?;
        let time = received.moment(now);
        if time <= link.latest {
            return Err(TicketError::ClockSkew);
        }
        let theirs = match received.kemac() {
            None => Vec::new(),
            Some(_) if !link.may_supply(!link.is_initiator) => {
                return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
            }
            Some(kemac) => open_kemac(&link.keys, &received.iv(), &kemac)?.without_mpk()?,
        };
        let bundle = self.bundle.updated(received.message(), &theirs)?;
        let rekeying = link.rekeying.updated(&bundle, &theirs, time, now)?;
        let (latest, answer) = if received.header().v_flag() {
            let time = if now > time {
                now
            } else {
                time.plus_seconds(1)
            };
            let map = received.header().cs_id_map();
            let answer = self.write(DataType::TransferResp, map, None, time, &[message])?;
            (time, Some(answer))
        } else {
            (time, None)
        };
        self.bundle = bundle;
        self.link.latest = latest;
        self.link.rekeying = rekeying;
        Ok(answer)
    }

    /// Takes the confirmation of our update, which holds from now on.
    ///
    /// # Errors
    ///
    /// [`TicketError::Mismatch`] if none is awaited or it confirms something else,
    /// [`TicketError::Forged`] if it does not authenticate. Nothing has changed then.
    pub fn accept_confirmation(
        &mut self,
        message: &[u8],
        now: Timestamp,
    ) -> Result<(), TicketError> {
        let (sent, ..) = self.link.pending.as_ref().ok_or(TicketError::Mismatch)?;
        let received = self.link.read(message, DataType::TransferResp)?;
        received.verify(&self.link.keys, &[sent])?;
        let proposed = RULES.decode(sent)?;
        let same = proposed.header().cs_id_map() == received.header().cs_id_map();
        if !same || received.kemac().is_some() {
            return Err(TicketError::Mismatch);
        }
        let time = received.moment(now);
        if let Some((_, bundle, rekeying)) = self.link.pending.take() {
            self.bundle = bundle;
            self.link.rekeying = rekeying;
            self.link.latest = self.link.latest.max(time);
        }
        Ok(())
    }

    /// An update with its change, or a confirmation without.
    fn write(
        &self,
        data_type: DataType,
        map: CsIdMap<'_>,
        change: Option<(&Answer<'_>, bool)>,
        time: Timestamp,
        confirmed: &[&[u8]],
    ) -> Result<Vec<u8>, TicketError> {
        let link = &self.link;
        let suite = link.keys.suite();
        let prf_func = suite.prf().prf_func();
        let strength = Strength::from_prf_func(prf_func)?;
        let confirm = change.is_some_and(|(_, confirm)| confirm);
        let header =
            Header::new(data_type, prf_func, link.csb_id, map)?.expecting_response(confirm);
        let time = fresh_time(time);
        let mut payloads = alloc::vec![Payload::T(time)];
        let names = link.names(link.is_initiator);
        let own = names.iter().take(if change.is_some() { 2 } else { 1 });
        for (role, identity) in own {
            payloads.push(idr(*role, identity)?);
        }
        let Some((change, _)) = change else {
            return seal(header, payloads, &link.keys, confirmed);
        };
        payloads.extend(change.policies().iter().copied().map(Payload::Sp));
        let sealed = seal_kemac(&link.keys, &iv(link.csb_id, time), &[], change.keys())?;
        if !change.keys().is_empty() {
            let alg = strength.suite().cipher().encr_alg();
            payloads.push(Payload::Kemac(Kemac::new(alg, &sealed, Mac::NULL)?));
        }
        let parties = [link.initiator.data(), link.responder.data()];
        seal(header, payloads, &link.keys, &parties)
    }
}
