use mikey::Timestamp;
use mikey::exchange::KeyMaterial;

use crate::exchange::established::Bundle;
use crate::{Established, Policy, Session, TicketError};

/// How long keys may be used, TRr ([RFC 6043 §6.10]), and since when they are.
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Copy)]
pub(super) struct Rekeying {
    interval: Option<u32>,
    keyed_at: Timestamp,
}

impl Rekeying {
    pub(super) const fn new(policy: &Policy, now: Timestamp) -> Self {
        Self {
            interval: policy.rekeying_interval(),
            keyed_at: now,
        }
    }

    fn due(self) -> Option<Timestamp> {
        let seconds = self.interval?;
        Some(self.keyed_at.plus_seconds(seconds.into()))
    }

    fn check(self, now: Timestamp) -> Result<(), TicketError> {
        match self.due() {
            Some(due) if now > due => Err(TicketError::RekeyingOverdue),
            _ => Ok(()),
        }
    }

    /// What holds after an update to `bundle` by a message of `time`, which brings `keys`: one that
    /// leaves old keys in use past their time is refused.
    pub(super) fn updated(
        self,
        bundle: &Bundle,
        keys: &[KeyMaterial],
        time: Timestamp,
        now: Timestamp,
    ) -> Result<Self, TicketError> {
        let is_new = |session: &Session| keys.iter().any(|key| key.spi() == Some(session.spi()));
        if !keys.is_empty() && bundle.sessions().iter().all(is_new) {
            let interval = self.interval;
            return Ok(Self {
                interval,
                // A clock that is ahead, or said to be, makes no key last longer.
                keyed_at: time.min(now),
            });
        }
        self.check(now)?;
        Ok(self)
    }
}

impl Established {
    /// When new keys have to be in use, TRr; `None` if the ticket sets no such time.
    ///
    /// Give them before by [`update`](Self::update), if the ticket lets either side, or by another
    /// transfer of a ticket.
    #[must_use]
    pub fn rekey_by(&self) -> Option<Timestamp> {
        self.link.rekeying.due()
    }

    /// Whether the keys may still be used at `now`.
    ///
    /// # Errors
    ///
    /// [`TicketError::RekeyingOverdue`] past [`rekey_by`](Self::rekey_by): stop sending under them.
    pub fn check_rekeying(&self, now: Timestamp) -> Result<(), TicketError> {
        self.link.rekeying.check(now)
    }
}
