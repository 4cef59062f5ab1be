use alloc::vec::Vec;
use core::fmt;

use mikey::Timestamp;
use mikey::derive::{Label, Prf, Secret};

use crate::Strength;

/// The TPKs of a KMS: what makes tickets, and so opens them on any node that has the same
/// ([RFC 6043 §A]).
///
/// # Security
///
/// Whoever has a TPK can make and open every ticket under it. Answer in a time that does not depend
/// on the key.
///
/// [RFC 6043 §A]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A
pub trait TicketKeys {
    /// The identifier of the TPK to make tickets of `strength` with at `now`.
    ///
    /// # Errors
    ///
    /// [`TicketKeyError::Unknown`] if there is none.
    fn current(&self, strength: Strength, now: Timestamp) -> Result<Vec<u8>, TicketKeyError>;

    /// Fills `out` with `PRF(TPK, label)` for the TPK `id`.
    ///
    /// # Errors
    ///
    /// [`TicketKeyError`] if the TPK is unknown, not of this strength, or must not be used at `now`.
    fn prf(
        &self,
        id: &[u8],
        strength: Strength,
        label: &Label,
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<(), TicketKeyError>;
}

impl<K: TicketKeys + ?Sized> TicketKeys for &K {
    fn current(&self, strength: Strength, now: Timestamp) -> Result<Vec<u8>, TicketKeyError> {
        (**self).current(strength, now)
    }

    fn prf(
        &self,
        id: &[u8],
        strength: Strength,
        label: &Label,
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<(), TicketKeyError> {
        (**self).prf(id, strength, label, now, out)
    }
}

/// A TPK cannot be used; no ticket was made or opened.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TicketKeyError {
    /// The TPK was revoked, or its time is over.
    #[error("the TPK must no longer be used")]
    Revoked,
    /// No TPK has this identifier and strength.
    #[error("the TPK is unknown")]
    Unknown,
}

/// TPKs in memory, each with the time in which it makes tickets and the time in which it opens them.
///
/// To rotate, add the next TPK to every node before its time comes, and let the one before open
/// tickets until the last of them has expired.
///
/// ```
/// use mikey::Timestamp;
/// use mikey::derive::Secret;
/// use mikey_ticket::{InMemoryTicketKeys, Strength, TicketKeyError, TicketKeys};
///
/// let monday = Timestamp::from_unix(1_800_000_000, 0);
/// let tuesday = monday.plus_seconds(86_400);
/// let key = || Secret::new(&[7; 16]).map_err(|_| TicketKeyError::Unknown);
/// let mut keys = InMemoryTicketKeys::new();
/// keys.insert(b"mon", Strength::Bits128, key()?, monday, monday.plus_seconds(2 * 86_400));
/// keys.insert(b"tue", Strength::Bits128, key()?, tuesday, tuesday.plus_seconds(2 * 86_400));
/// assert_eq!(keys.current(Strength::Bits128, monday.plus_seconds(1))?, b"mon");
/// assert_eq!(keys.current(Strength::Bits128, tuesday)?, b"tue");
/// # Ok::<(), TicketKeyError>(())
/// ```
#[derive(Default)]
pub struct InMemoryTicketKeys(Vec<Entry>);

struct Entry {
    id: Vec<u8>,
    strength: Strength,
    key: Option<Secret>,
    from: Timestamp,
    until: Timestamp,
}

impl InMemoryTicketKeys {
    /// No keys.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds the TPK `id`: it makes tickets from `from` on, until a later one takes its place, and
    /// opens tickets until `until`. One that has the same identifier is replaced.
    pub fn insert(
        &mut self,
        id: &[u8],
        strength: Strength,
        key: Secret,
        from: Timestamp,
        until: Timestamp,
    ) {
        self.0.retain(|entry| entry.id != id);
        let (id, key) = (id.to_vec(), Some(key));
        self.0.push(Entry {
            id,
            strength,
            key,
            from,
            until,
        });
    }

    /// Erases the TPK `id`: its tickets are refused from now on.
    pub fn revoke(&mut self, id: &[u8]) {
        for entry in self.0.iter_mut().filter(|entry| entry.id == id) {
            entry.key = None;
        }
    }
}

impl TicketKeys for InMemoryTicketKeys {
    fn current(&self, strength: Strength, now: Timestamp) -> Result<Vec<u8>, TicketKeyError> {
        let usable = |entry: &&Entry| {
            entry.strength == strength
                && entry.key.is_some()
                && entry.from <= now
                && now < entry.until
        };
        let latest = self.0.iter().filter(usable).max_by_key(|entry| entry.from);
        latest
            .map(|entry| entry.id.clone())
            .ok_or(TicketKeyError::Unknown)
    }

    fn prf(
        &self,
        id: &[u8],
        strength: Strength,
        label: &Label,
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<(), TicketKeyError> {
        let named = |entry: &&Entry| entry.id == id && entry.strength == strength;
        let entry = self.0.iter().find(named).ok_or(TicketKeyError::Unknown)?;
        let usable = entry.key.as_ref().filter(|_| now < entry.until);
        let prf: Prf = strength.prf();
        prf.derive(
            usable.ok_or(TicketKeyError::Revoked)?.expose(),
            label.as_octets(),
            out,
        );
        Ok(())
    }
}

impl fmt::Debug for InMemoryTicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemoryTicketKeys")
    }
}
