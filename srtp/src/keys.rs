//! The master keys of one direction of a session, with the session keys derived from them.

mod key;

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use subtle::ConstantTimeEq;

use crate::error::SessionError;
use crate::kernel;
use crate::key_uses::KeyIdentity;
use crate::keying::{KeyEntry, KeySet, KeyingError, MAX_KEYS_PER_STREAM, MasterKey, Mki, Profile};

pub(crate) use key::{Derivation, Derived, Key};

/// All master keys: a group for each SSRC that has keys of its own, and one for all others.
pub(crate) struct Keys {
    groups: Vec<Group>,
    by_ssrc: HashMap<u32, usize>,
    any_ssrc: Option<usize>,
    derivation: Derivation,
    profile: Profile,
    mki_len: usize,
    next_serial: u32,
    serials: HashMap<KeyIdentity, u32>,
    /// Whether some keys only stay for packets on their way.
    replacing: bool,
    /// Counts the times that keys came or went.
    generation: u32,
}

/// Where the only key of a stream is, or nowhere if it has several; until keys come or go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Route {
    generation: u32,
    group: u32,
}

impl Route {
    /// Not looked for yet.
    pub(crate) const NONE: Self = Self {
        generation: 0,
        group: 0,
    };
}

/// The keys that may serve one stream; at most [`MAX_KEYS_PER_STREAM`].
#[derive(Default)]
pub(crate) struct Group {
    #[expect(
        clippy::vec_box,
        reason = "a list of keys that grows would leave copies behind"
    )]
    keys: Vec<Box<Key>>,
}

impl Keys {
    pub(crate) fn new(set: &KeySet, derivation: Derivation) -> Result<Self, SessionError> {
        let mut keys = Self {
            groups: Vec::new(),
            by_ssrc: HashMap::new(),
            any_ssrc: None,
            derivation,
            profile: set.profile(),
            mki_len: set.mki_len(),
            next_serial: 0,
            serials: HashMap::new(),
            replacing: false,
            generation: 1,
        };
        for entry in set.entries() {
            keys.add(entry)?;
        }
        Ok(keys)
    }

    /// The same keys a second time.
    pub(crate) fn duplicate(&self) -> Result<Self, SessionError> {
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let mut keys = Vec::with_capacity(group.keys.len());
            for key in &group.keys {
                keys.push(key.duplicate(&self.derivation)?);
            }
            groups.push(Group { keys });
        }
        Ok(Self {
            groups,
            by_ssrc: self.by_ssrc.clone(),
            serials: self.serials.clone(),
            ..*self
        })
    }

    /// Where the only key of `ssrc` is, if it has but one.
    #[cold]
    pub(crate) fn route(&self, ssrc: u32) -> Route {
        if self.generation == u32::MAX {
            return Route::NONE;
        }
        let group = self.by_ssrc.get(&ssrc).copied().or(self.any_ssrc);
        let only = group.filter(|_| self.serving(ssrc).only().is_some());
        Route {
            generation: self.generation,
            group: only
                .and_then(|at| u32::try_from(at).ok())
                .unwrap_or(u32::MAX),
        }
    }

    /// Whether some keys only stay for packets on their way.
    pub(crate) const fn are_being_replaced(&self) -> bool {
        self.replacing
    }

    /// Whether keys came or went since the route was looked for.
    #[inline]
    pub(crate) const fn is_current(&self, route: Route) -> bool {
        route.generation == self.generation
    }

    /// Looks for every key anew from now on.
    #[cfg(test)]
    pub(crate) const fn keep_no_routes(&mut self) {
        self.generation = u32::MAX;
    }

    /// The only key that may serve a stream, if its route says where that is.
    #[inline]
    pub(crate) fn only_on(&self, route: Route) -> Option<Serving<'_>> {
        if !self.is_current(route) {
            return None;
        }
        let group = self.groups.get(usize::try_from(route.group).ok()?)?;
        Some(Serving {
            named: &[],
            any: &group.keys,
            replacing: false,
        })
    }

    /// The keys that may serve `ssrc`.
    pub(crate) fn serving(&self, ssrc: u32) -> Serving<'_> {
        let keys = |group: Option<usize>| {
            let group = group.and_then(|group| self.groups.get(group));
            group.map_or(&[][..], |group| &group.keys)
        };
        let named = if self.by_ssrc.is_empty() {
            None
        } else {
            self.by_ssrc.get(&ssrc).copied()
        };
        Serving {
            named: keys(named),
            any: keys(self.any_ssrc),
            replacing: self.replacing,
        }
    }

    /// Whether `ssrc` has keys of its own.
    pub(crate) fn names(&self, ssrc: u32) -> bool {
        !self.by_ssrc.is_empty() && !self.serving(ssrc).named.is_empty()
    }

    pub(crate) fn by_serial_mut(&mut self, serial: u32) -> Option<&mut Key> {
        let mut keys = self.groups.iter_mut().flat_map(|group| &mut group.keys);
        keys.find(|key| key.serial == serial).map(|key| &mut **key)
    }

    /// Asks for what the next packet of a stream will need.
    #[inline]
    pub(crate) fn prefetch(&self, route: Route) {
        // Looks at no key itself, which would be waiting for it.
        if let Some(key) = self.only_on(route).and_then(Serving::only) {
            kernel::prefetch(&key.srtp);
        }
    }

    /// Whether the key is still there.
    pub(crate) fn is_live(&self, serial: u32) -> bool {
        self.iter().any(|key| key.serial == serial)
    }

    /// Notes that the key `serial` opened a packet of `ssrc`: keys that it replaced come nearer to
    /// their end.
    pub(crate) fn note_opened(&mut self, ssrc: u32, serial: u32) {
        if !self.replacing {
            return;
        }
        let serving = self.serving(ssrc);
        if serving
            .all()
            .find(|key| key.serial == serial)
            .is_none_or(|key| !key.is_active())
        {
            return;
        }
        let groups = [self.by_ssrc.get(&ssrc).copied(), self.any_ssrc];
        for group in groups.into_iter().flatten() {
            let Some(group) = self.groups.get_mut(group) else {
                continue;
            };
            for key in &mut group.keys {
                key.come_nearer_to_the_end();
            }
        }
        if self.iter().any(|key| key.grace() == Some(0)) {
            self.retain(|key| key.grace() != Some(0));
            let replacing = self.iter().any(|key| !key.is_active());
            self.replacing = replacing;
        }
    }

    pub(crate) const fn derivation(&self) -> &Derivation {
        &self.derivation
    }

    /// Every key, group by group.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.groups
            .iter()
            .flat_map(|group| group.keys.iter().map(|key| &**key))
    }

    /// Adds a key behind those that serve the same SSRCs.
    pub(crate) fn add(&mut self, entry: &KeyEntry) -> Result<(), SessionError> {
        if entry.key().profile() != self.profile {
            return Err(KeyingError::ProfileMismatch.into());
        }
        if entry.mki().map_or(0, |mki| mki.as_octets().len()) != self.mki_len {
            return Err(KeyingError::Mki.into());
        }
        let known = match entry.ssrc() {
            Some(ssrc) => self.by_ssrc.get(&ssrc).copied(),
            None => self.any_ssrc,
        };
        if let Some(group) = known.and_then(|group| self.groups.get(group)) {
            group.check_new(entry)?;
        }
        let key = Key::new(entry, 0, &self.derivation)?;
        self.insert(key, false);
        Ok(())
    }

    /// Drops every key with this MKI.
    pub(crate) fn remove(&mut self, mki: &Mki) -> Result<(), SessionError> {
        let has = |key: &Key| key.has_mki(Some(mki));
        if !self.iter().any(has) {
            return Err(SessionError::UnknownMki);
        }
        let last = |group: &Group| {
            let mut active = group.keys.iter().filter(|key| key.is_active()).peekable();
            active.peek().is_some() && active.all(|key| has(key))
        };
        if self.groups.iter().any(last) {
            return Err(SessionError::LastKey);
        }
        self.retain(|key| !has(key));
        Ok(())
    }

    /// Puts the keys with this MKI in front, so that packets are protected with them.
    pub(crate) fn prefer(&mut self, mki: &Mki) -> Result<(), SessionError> {
        let mut found = false;
        for group in &mut self.groups {
            if let Some(at) = group.keys.iter().position(|key| key.has_mki(Some(mki))) {
                if let Some(keys) = group.keys.get_mut(..=at) {
                    keys.rotate_right(1);
                }
                found = true;
            }
        }
        if found {
            Ok(())
        } else {
            Err(SessionError::UnknownMki)
        }
    }

    /// Whether `master` is in use.
    pub(crate) fn holds(&self, master: &MasterKey) -> bool {
        self.knows(&KeyIdentity::of(master))
    }

    /// Whether the master key with this identity is in use.
    pub(crate) fn knows(&self, identity: &KeyIdentity) -> bool {
        self.serials.contains_key(identity)
    }

    /// Whether `set` holds just the keys in use.
    pub(crate) fn same_as(&self, set: &KeySet) -> bool {
        let in_use = |entry: &KeyEntry| {
            self.iter().any(|key| {
                key.is_active()
                    && key.ssrc() == entry.ssrc()
                    && key.has_mki(entry.mki())
                    && bool::from(key.master().ct_eq(entry.key()))
            })
        };
        let active = self.iter().filter(|key| key.is_active()).count();
        active == set.entries().len() && set.entries().iter().all(in_use)
    }

    /// Puts the keys of `set` in front of those in use, which stay for `grace` more packets.
    pub(crate) fn replace(&mut self, set: &KeySet, grace: u32) -> Result<(), SessionError> {
        if set.mki_len() != self.mki_len {
            return Err(KeyingError::Mki.into());
        }
        let mut fresh = Vec::new();
        for entry in set.entries() {
            if self.holds(entry.key()) {
                return Err(KeyingError::DuplicateKey.into());
            }
            fresh.push(Key::new(entry, 0, &self.derivation)?);
        }
        for group in &mut self.groups {
            for key in &mut group.keys {
                key.replace(grace);
            }
        }
        for key in fresh.into_iter().rev() {
            self.insert(key, true);
        }
        self.replacing = true;
        if grace == 0 {
            self.drop_old();
        }
        Ok(())
    }

    /// Adds a key that newer ones replaced already.
    pub(crate) fn add_replaced(
        &mut self,
        entry: &KeyEntry,
        grace: u32,
    ) -> Result<(), SessionError> {
        let mut key = Key::new(entry, 0, &self.derivation)?;
        key.replace(grace);
        self.replacing = true;
        self.insert(key, false);
        Ok(())
    }

    /// Drops the keys that only stayed for packets on their way.
    pub(crate) fn drop_old(&mut self) {
        self.retain(Key::is_active);
        self.replacing = false;
    }

    /// Drops the keys that are not `wanted`, and what is only there for them.
    fn retain(&mut self, wanted: impl Fn(&Key) -> bool) {
        for group in &mut self.groups {
            group.keys.retain(|key| wanted(key));
        }
        self.groups.retain(|group| !group.keys.is_empty());
        self.generation = self.generation.saturating_add(1);
        self.by_ssrc.clear();
        self.any_ssrc = None;
        for (at, group) in self.groups.iter().enumerate() {
            match group.keys.first().and_then(|key| key.ssrc()) {
                Some(ssrc) => {
                    self.by_ssrc.insert(ssrc, at);
                }
                None => self.any_ssrc = Some(at),
            }
        }
        let identities: HashSet<KeyIdentity> = self.iter().map(Key::identity).collect();
        self.serials
            .retain(|identity, _| identities.contains(identity));
    }

    /// Puts a key among those that serve the same SSRCs, in front of them or behind.
    fn insert(&mut self, mut key: Box<Key>, in_front: bool) {
        self.generation = self.generation.saturating_add(1);
        let next_serial = &mut self.next_serial;
        key.serial = *self.serials.entry(key.identity()).or_insert_with(|| {
            *next_serial += 1;
            *next_serial - 1
        });
        let next = self.groups.len();
        let group = match key.ssrc() {
            Some(ssrc) => *self.by_ssrc.entry(ssrc).or_insert(next),
            None => *self.any_ssrc.get_or_insert(next),
        };
        if group == next {
            self.groups.push(Group::default());
        }
        let Some(Group { keys }) = self.groups.get_mut(group) else {
            return;
        };
        if in_front {
            keys.insert(0, key);
            keys.truncate(MAX_KEYS_PER_STREAM);
        } else {
            keys.push(key);
        }
    }
}

/// The keys that may serve one SSRC: its own, or those for any SSRC. Keys that only stay for packets
/// on their way may be among either.
#[derive(Clone, Copy)]
pub(crate) struct Serving<'a> {
    named: &'a [Box<Key>],
    any: &'a [Box<Key>],
    replacing: bool,
}

impl<'a> Serving<'a> {
    /// Every key, the one to send with first.
    pub(crate) fn all(self) -> impl Iterator<Item = &'a Key> {
        let own = self.named.iter().any(|key| key.is_active());
        let any = if own && !self.replacing {
            &[]
        } else {
            self.any
        };
        let any = any.iter().filter(move |key| !(own && key.is_active()));
        self.named.iter().chain(any).map(|key| &**key)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.named.is_empty() && self.any.is_empty()
    }

    /// The key, if there is just one: nearly always.
    #[inline]
    pub(crate) const fn only(self) -> Option<&'a Key> {
        match (self.named, self.any) {
            ([key], []) | ([], [key]) => Some(key),
            _ => None,
        }
    }

    /// The key that protects the packet with this SRTP index.
    pub(crate) fn for_sending(self, index: u64) -> Option<&'a Key> {
        let sends = |key: &&Key| key.is_active() && key.serves(index);
        match self.only() {
            Some(key) => Some(key).filter(sends),
            None => self.all().find(sends),
        }
    }

    /// The key with this MKI.
    pub(crate) fn with_mki(self, mki: &[u8]) -> Option<&'a Key> {
        self.all().find(|key| !mki.is_empty() && key.mki() == mki)
    }

    pub(crate) fn by_serial(self, serial: u32) -> Option<&'a Key> {
        match self.only() {
            Some(key) => Some(key).filter(|key| key.serial == serial),
            None => self.all().find(|key| key.serial == serial),
        }
    }
}

impl Group {
    fn check_new(&self, entry: &KeyEntry) -> Result<(), KeyingError> {
        if self.keys.len() >= MAX_KEYS_PER_STREAM {
            return Err(KeyingError::TooManyKeys);
        }
        for key in &self.keys {
            if key.master().profile() != entry.key().profile() {
                return Err(KeyingError::ProfileMismatch);
            }
            if bool::from(key.master().ct_eq(entry.key())) {
                return Err(KeyingError::DuplicateKey);
            }
            if key.has_mki(entry.mki()) {
                if entry.mki().is_some() {
                    return Err(KeyingError::DuplicateKey);
                }
                if key.validity().overlaps(entry.validity()) {
                    return Err(KeyingError::NoSelector);
                }
            }
        }
        Ok(())
    }
}
