//! The master keys of one direction of a session, with the session keys derived from them.

mod key;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{iter, mem};

use hashbrown::{HashMap, HashSet};
use subtle::ConstantTimeEq;

use crate::error::SessionError;
use crate::kernel;
use crate::key_uses::KeyIdentity;
use crate::keying::{
    KeyEntry, KeySet, KeyingError, MAX_KEYS_PER_STREAM, MasterKey, Mki, Profile, Validity,
};

pub(crate) use key::{Derivation, Derived, Key};

/// All master keys: a group for each SSRC that has keys of its own, and one for all others.
pub(crate) struct Keys {
    groups: Vec<Group>,
    /// Which group each SSRC has, if there are several groups.
    by_ssrc: Option<Box<HashMap<u32, usize>>>,
    any_ssrc: Option<u32>,
    derivation: Derivation,
    profile: Profile,
    next_serial: u32,
    /// The serial of each key, if there are more than [`FEW_KEYS`].
    serials: Option<Box<HashMap<KeyIdentity, u32>>>,
    /// Whether some keys only stay for packets on their way.
    replacing: bool,
    /// Counts the times that keys came or went.
    generation: u32,
}

/// Keys that are compared one by one before a table is made of them.
const FEW_KEYS: usize = 8;

/// Where the only key of a stream is, or nowhere if it has several; until keys come or go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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

/// The keys that may serve one stream, the one to send with first; at most
/// [`MAX_KEYS_PER_STREAM`].
pub(crate) struct Group {
    first: Box<Key>,
    #[expect(
        clippy::vec_box,
        reason = "a list of keys that grows would leave copies behind"
    )]
    others: Vec<Box<Key>>,
}

impl Keys {
    pub(crate) fn new(set: &KeySet, derivation: Derivation) -> Result<Self, SessionError> {
        let mut keys = Self {
            groups: Vec::new(),
            by_ssrc: None,
            any_ssrc: None,
            derivation,
            profile: set.profile(),
            next_serial: 0,
            serials: None,
            replacing: false,
            generation: 1,
        };
        for entry in set.entries() {
            keys.add(entry.duplicate())?;
        }
        Ok(keys)
    }

    /// The same keys a second time.
    pub(crate) fn duplicate(&self) -> Result<Self, SessionError> {
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let first = group.first.duplicate(self.derivation)?;
            let mut others = Vec::with_capacity(group.others.len());
            for key in &group.others {
                others.push(key.duplicate(self.derivation)?);
            }
            groups.push(Group { first, others });
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
        let group = self.named(ssrc).or(self.any());
        let only = group.filter(|_| self.serving(ssrc).only().is_some());
        Route {
            generation: self.generation,
            group: only
                .and_then(|at| u32::try_from(at).ok())
                .unwrap_or(u32::MAX),
        }
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
    pub(crate) fn only_on(&self, route: Route) -> Option<&Key> {
        self.group_on(route).map(|group| &*group.first)
    }

    #[inline]
    fn group_on(&self, route: Route) -> Option<&Group> {
        if !self.is_current(route) {
            return None;
        }
        self.groups.get(usize::try_from(route.group).ok()?)
    }

    /// Packets of a stream that its only key, if that is `serial`, serves without anything to decide
    /// or to announce.
    pub(crate) fn short_until(&self, route: Route, serial: u32, soft_limit: u64) -> u64 {
        let plain = |key: &&Key| {
            key.serial == serial && key.is_active() && key.validity() == Validity::ALWAYS
        };
        let key = self.only_on(route).filter(plain);
        key.filter(|_| !self.replacing).map_or(0, |key| {
            let limit = key.lifetime().srtp_packets();
            limit.saturating_sub(soft_limit.saturating_add(1))
        })
    }

    /// The keys that may serve `ssrc`, whose stream has this route.
    #[inline]
    pub(crate) fn serving_on(&self, route: Route, ssrc: u32) -> Serving<'_> {
        match self.group_on(route) {
            Some(group) => Serving {
                named: None,
                any: Some(group),
                replacing: false,
            },
            None => self.serving(ssrc),
        }
    }

    /// The keys that may serve `ssrc`.
    pub(crate) fn serving(&self, ssrc: u32) -> Serving<'_> {
        let group = |at: Option<usize>| at.and_then(|at| self.groups.get(at));
        Serving {
            named: group(self.named(ssrc)),
            any: group(self.any()),
            replacing: self.replacing,
        }
    }

    /// Whether `ssrc` has keys of its own.
    pub(crate) fn names(&self, ssrc: u32) -> bool {
        self.named(ssrc).is_some()
    }

    /// The group for this SSRC alone.
    fn named(&self, ssrc: u32) -> Option<usize> {
        match &self.by_ssrc {
            Some(by_ssrc) => by_ssrc.get(&ssrc).copied(),
            None if self.any_ssrc.is_some() => None,
            None => {
                let mut only = self.groups.iter();
                only.position(|group| group.first.ssrc() == Some(ssrc))
            }
        }
    }

    /// The group for all other SSRCs.
    fn any(&self) -> Option<usize> {
        self.any_ssrc.and_then(|group| usize::try_from(group).ok())
    }

    /// Notes whom the group at `at` is for.
    fn note_group(&mut self, at: usize) {
        let group = self.groups.get(at);
        match group.and_then(|group| group.first.ssrc()) {
            None => self.any_ssrc = u32::try_from(at).ok(),
            Some(ssrc) if self.groups.len() > 1 => {
                self.by_ssrc.get_or_insert_default().insert(ssrc, at);
            }
            Some(_) => {}
        }
    }

    /// The serial of `master`, if it is in use.
    fn serial_of(&self, master: &MasterKey) -> Option<u32> {
        if let Some(serials) = &self.serials {
            return serials.get(&KeyIdentity::of(master)).copied();
        }
        let mut keys = self.iter();
        let same = keys.find(|key| bool::from(key.master().ct_eq(master)));
        same.map(|key| key.serial)
    }

    pub(crate) fn by_serial_mut(&mut self, serial: u32) -> Option<&mut Key> {
        let mut keys = self.groups.iter_mut().flat_map(Group::iter_mut);
        keys.find(|key| key.serial == serial)
    }

    /// Asks for what the next packet of a stream will need.
    #[inline]
    pub(crate) fn prefetch(&self, route: Route) {
        // Looks at no key itself, which would be waiting for it.
        if let Some(key) = self.only_on(route) {
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
        let groups = [self.named(ssrc), self.any()];
        for group in groups.into_iter().flatten() {
            let Some(group) = self.groups.get_mut(group) else {
                continue;
            };
            for key in group.iter_mut() {
                key.come_nearer_to_the_end();
            }
        }
        if self.iter().any(|key| key.grace() == Some(0)) {
            self.retain(|key| key.grace() != Some(0));
            let replacing = self.iter().any(|key| !key.is_active());
            self.replacing = replacing;
        }
    }

    pub(crate) const fn derivation(&self) -> Derivation {
        self.derivation
    }

    /// Every key, group by group.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.groups.iter().flat_map(Group::iter)
    }

    /// Adds a key behind those that serve the same SSRCs.
    pub(crate) fn add(&mut self, entry: KeyEntry) -> Result<(), SessionError> {
        if entry.key().profile() != self.profile {
            return Err(KeyingError::ProfileMismatch.into());
        }
        let mki_len = entry.mki().map_or(0, |mki| mki.as_octets().len());
        if self.mki_len().is_some_and(|len| len != mki_len) {
            return Err(KeyingError::Mki.into());
        }
        let known = match entry.ssrc() {
            Some(ssrc) => self.named(ssrc),
            None => self.any(),
        };
        if let Some(group) = known.and_then(|group| self.groups.get(group)) {
            group.check_new(&entry)?;
        }
        let key = Key::new(entry, 0, self.derivation)?;
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
            let mut active = group.iter().filter(|key| key.is_active()).peekable();
            active.peek().is_some() && active.all(has)
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
            let at = group.iter().position(|key| key.has_mki(Some(mki)));
            if let Some(at) = at {
                group.put_in_front(at);
                found = true;
            }
        }
        if found {
            Ok(())
        } else {
            Err(SessionError::UnknownMki)
        }
    }

    /// Octets of the MKI, which all keys have or none.
    fn mki_len(&self) -> Option<usize> {
        self.iter().next().map(|key| key.mki().len())
    }

    /// Whether `master` is in use.
    pub(crate) fn holds(&self, master: &MasterKey) -> bool {
        self.serial_of(master).is_some()
    }

    /// Whether the master key with this identity is in use.
    pub(crate) fn knows(&self, identity: &KeyIdentity) -> bool {
        match &self.serials {
            Some(serials) => serials.contains_key(identity),
            None => self.iter().any(|key| key.identity() == *identity),
        }
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
        if self.mki_len() != Some(set.mki_len()) {
            return Err(KeyingError::Mki.into());
        }
        let mut fresh = Vec::new();
        for entry in set.entries() {
            if self.holds(entry.key()) {
                return Err(KeyingError::DuplicateKey.into());
            }
            fresh.push(Key::new(entry.duplicate(), 0, self.derivation)?);
        }
        for group in &mut self.groups {
            for key in group.iter_mut() {
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
    pub(crate) fn add_replaced(&mut self, entry: KeyEntry, grace: u32) -> Result<(), SessionError> {
        let mut key = Key::new(entry, 0, self.derivation)?;
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
        self.groups.retain_mut(|group| group.retain(&wanted));
        self.generation = self.generation.saturating_add(1);
        (self.by_ssrc, self.any_ssrc) = (None, None);
        for at in 0..self.groups.len() {
            self.note_group(at);
        }
        if self.serials.is_some() {
            let identities: HashSet<KeyIdentity> = self.iter().map(Key::identity).collect();
            if let Some(serials) = &mut self.serials {
                serials.retain(|identity, _| identities.contains(identity));
            }
        }
    }

    /// Puts a key among those that serve the same SSRCs, in front of them or behind.
    fn insert(&mut self, mut key: Box<Key>, in_front: bool) {
        self.generation = self.generation.saturating_add(1);
        key.serial = self.serial_of(key.master()).unwrap_or_else(|| {
            self.next_serial += 1;
            self.next_serial - 1
        });
        let noted = self.serials.is_some().then(|| (key.identity(), key.serial));
        let group = match key.ssrc() {
            Some(ssrc) => self.named(ssrc),
            None => self.any(),
        };
        match group.and_then(|group| self.groups.get_mut(group)) {
            Some(group) if in_front => group.insert_in_front(key),
            Some(group) => group.others.push(key),
            None => {
                if self.groups.is_empty() {
                    // Most sessions have one key and no more.
                    self.groups.reserve_exact(1);
                }
                let next = self.groups.len();
                self.groups.push(Group {
                    first: key,
                    others: Vec::new(),
                });
                if next == 1 {
                    self.note_group(0);
                }
                self.note_group(next);
            }
        }
        if let (Some(serials), Some((identity, serial))) = (&mut self.serials, noted) {
            serials.insert(identity, serial);
        } else if self.iter().nth(FEW_KEYS).is_some() {
            let serials = self.iter().map(|key| (key.identity(), key.serial));
            self.serials = Some(Box::new(serials.collect()));
        }
    }
}

/// The keys that may serve one SSRC: its own, or those for any SSRC. Keys that only stay for packets
/// on their way may be among either.
#[derive(Clone, Copy)]
pub(crate) struct Serving<'a> {
    named: Option<&'a Group>,
    any: Option<&'a Group>,
    replacing: bool,
}

impl<'a> Serving<'a> {
    /// Every key, the one to send with first.
    pub(crate) fn all(self) -> impl Iterator<Item = &'a Key> {
        let keys = |group: Option<&'a Group>| group.into_iter().flat_map(Group::iter);
        let own = keys(self.named).any(Key::is_active);
        let any = self.any.filter(|_| !own || self.replacing);
        let any = keys(any).filter(move |key| !(own && key.is_active()));
        keys(self.named).chain(any)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.named.is_none() && self.any.is_none()
    }

    /// The key, if there is just one: nearly always.
    #[inline]
    pub(crate) fn only(self) -> Option<&'a Key> {
        match (self.named, self.any) {
            (Some(group), None) | (None, Some(group)) if group.others.is_empty() => {
                Some(&group.first)
            }
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
    fn iter(&self) -> impl Iterator<Item = &Key> {
        iter::once(&self.first)
            .chain(&self.others)
            .map(|key| &**key)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Key> {
        let keys = iter::once(&mut self.first).chain(&mut self.others);
        keys.map(|key| &mut **key)
    }

    fn insert_in_front(&mut self, key: Box<Key>) {
        let second = mem::replace(&mut self.first, key);
        self.others.insert(0, second);
        self.others.truncate(MAX_KEYS_PER_STREAM - 1);
    }

    /// Moves the key at `at` in front of those before it.
    fn put_in_front(&mut self, at: usize) {
        let Some(among_others) = at.checked_sub(1) else {
            return;
        };
        if let Some(passed) = self.others.get_mut(..=among_others) {
            passed.rotate_right(1);
        }
        if let Some(key) = self.others.first_mut() {
            mem::swap(&mut self.first, key);
        }
    }

    /// Drops the keys that are not `wanted`; `false` if none is left.
    fn retain(&mut self, wanted: impl Fn(&Key) -> bool) -> bool {
        self.others.retain(|key| wanted(key));
        if wanted(&self.first) {
            return true;
        }
        if self.others.is_empty() {
            return false;
        }
        self.first = self.others.remove(0);
        true
    }

    fn check_new(&self, entry: &KeyEntry) -> Result<(), KeyingError> {
        if self.others.len() + 1 >= MAX_KEYS_PER_STREAM {
            return Err(KeyingError::TooManyKeys);
        }
        for key in self.iter() {
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
