//! A master key in use, with the session keys of its latest periods.

use alloc::boxed::Box;

use crate::Backend;
use crate::error::SessionError;
use crate::key_uses::KeyIdentity;
use crate::keying::{KeyDerivationRate, KeyEntry, Lifetime, MasterKey, Mki, Validity};
use crate::session_keys::{Protocol, SessionKeys, SrtcpKeys};
use crate::transform::HmacSha1;

/// A master key in use.
///
/// What RTP packets need comes first, in whole lines of the cache.
#[repr(C, align(64))]
pub(crate) struct Key {
    /// Names the key in the packet counts of the streams. The same master key in several places has
    /// one serial, and a serial is never given to another.
    pub(crate) serial: u32,
    lifetime: Lifetime,
    /// What most keys have none of.
    terms: Option<Box<Terms>>,
    /// Those of the latest period.
    pub(super) srtp: SessionKeys,
    srtcp: SrtcpKeys,
    /// Which periods these are of, unless they are the first.
    epochs: Option<Box<Epochs>>,
    master: MasterKey,
    ssrc: Option<u32>,
    roc: u32,
}

/// What tells a key from others of the same stream.
struct Terms {
    mki: Option<Mki>,
    validity: Validity,
    /// Packets that newer keys may yet open before this one is dropped, if it was replaced.
    grace: Option<u32>,
}

/// How session keys come from master keys in this session.
#[derive(Clone, Copy)]
pub(crate) struct Derivation {
    pub(crate) srtp_kdr: KeyDerivationRate,
    pub(crate) srtcp_kdr: KeyDerivationRate,
    pub(crate) header_extensions: bool,
    pub(crate) backend: Backend,
}

#[derive(Default)]
struct Epochs {
    srtp: Epoch<SessionKeys>,
    srtcp: Epoch<SrtcpKeys>,
}

/// The latest key derivation period, and the session keys of one before it for packets that come
/// late ([RFC 3711 §4.3.1]).
///
/// [RFC 3711 §4.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.3.1
struct Epoch<K> {
    latest: u64,
    earlier: Option<(u64, Box<K>)>,
}

/// Session keys for one packet that were not at hand.
///
/// They are derived where a period begins and for packets from before the latest two; only then is
/// there something to allocate. SRTCP keys are expanded for every packet.
#[derive(Default)]
pub(crate) struct Derived {
    srtp: Option<Box<SessionKeys>>,
    srtcp: Option<Box<SrtcpKeys>>,
    expanded: Option<SessionKeys>,
}

impl Key {
    pub(super) fn new(
        entry: KeyEntry,
        serial: u32,
        derivation: Derivation,
    ) -> Result<Box<Self>, SessionError> {
        let (lifetime, validity) = (entry.lifetime(), entry.validity());
        let (ssrc, roc) = (entry.ssrc(), entry.roc());
        let srtp = derivation.srtp(entry.key(), 0);
        let srtcp = derivation.srtcp(entry.key(), 0);
        let (master, mki) = entry.into_key_and_mki();
        let terms = (mki.is_some() || validity != Validity::ALWAYS).then(|| {
            Box::new(Terms {
                mki,
                validity,
                grace: None,
            })
        });
        Ok(Box::new(Self {
            serial,
            lifetime,
            terms,
            srtp: srtp.ok_or(SessionError::Backend)?,
            srtcp: srtcp.ok_or(SessionError::Backend)?,
            epochs: None,
            master,
            ssrc,
            roc,
        }))
    }

    /// The same key for another session.
    pub(super) fn duplicate(&self, derivation: Derivation) -> Result<Box<Self>, SessionError> {
        let mut entry = KeyEntry::new(self.master.duplicate())
            .with_lifetime(self.lifetime)
            .with_validity(self.validity())
            .with_roc(self.roc);
        if let Some(mki) = self.terms.as_ref().and_then(|terms| terms.mki.clone()) {
            entry = entry.with_mki(mki);
        }
        if let Some(ssrc) = self.ssrc {
            entry = entry.for_ssrc(ssrc);
        }
        let mut key = Self::new(entry, self.serial, derivation)?;
        if let Some(grace) = self.grace() {
            key.replace(grace);
        }
        Ok(key)
    }

    pub(crate) const fn master(&self) -> &MasterKey {
        &self.master
    }

    pub(crate) fn identity(&self) -> KeyIdentity {
        KeyIdentity::of(&self.master)
    }

    #[inline]
    pub(crate) const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    pub(crate) fn validity(&self) -> Validity {
        let terms = self.terms.as_ref();
        terms.map_or(Validity::ALWAYS, |terms| terms.validity)
    }

    pub(crate) const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The ROC that streams begin with.
    pub(crate) const fn roc(&self) -> u32 {
        self.roc
    }

    /// Whether the key was not replaced.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.grace().is_none()
    }

    /// Whether the key is for the packet with this SRTP index.
    #[inline]
    pub(crate) fn serves(&self, index: u64) -> bool {
        let terms = self.terms.as_ref();
        terms.is_none_or(|terms| terms.validity.contains(index))
    }

    /// Packets that newer keys may yet open before this one is dropped, if it was replaced.
    #[inline]
    pub(crate) fn grace(&self) -> Option<u32> {
        self.terms.as_ref().and_then(|terms| terms.grace)
    }

    /// Gives the key up after `grace` packets under newer ones, unless that was said before.
    pub(super) fn replace(&mut self, grace: u32) {
        let terms = self.terms.get_or_insert_with(|| {
            Box::new(Terms {
                mki: None,
                validity: Validity::ALWAYS,
                grace: None,
            })
        });
        terms.grace.get_or_insert(grace);
    }

    /// A newer key opened a packet.
    pub(super) fn come_nearer_to_the_end(&mut self) {
        if let Some(left) = self.terms.as_mut().and_then(|terms| terms.grace.as_mut()) {
            *left = left.saturating_sub(1);
        }
    }

    /// The octets of the MKI; none if the key has no MKI.
    pub(crate) fn mki(&self) -> &[u8] {
        let mki = self.terms.as_ref().and_then(|terms| terms.mki.as_ref());
        mki.map_or(&[], Mki::as_octets)
    }

    /// Whether the key has this MKI, or none.
    pub(crate) fn has_mki(&self, mki: Option<&Mki>) -> bool {
        self.mki() == mki.map_or(&[][..], Mki::as_octets)
    }

    /// The session keys of the packet with this index.
    #[inline]
    pub(crate) fn session_keys<'a>(
        &'a self,
        derivation: Derivation,
        protocol: Protocol,
        index: u64,
        derived: &'a mut Derived,
    ) -> Option<&'a SessionKeys> {
        let r = derivation.rate(protocol).epoch(index);
        let epochs = self.epochs.as_deref();
        (derived.srtp, derived.srtcp) = (None, None);
        match protocol {
            Protocol::Srtp => {
                let kept = Epoch::find(epochs.map(|epochs| &epochs.srtp), &self.srtp, r);
                if kept.is_some() {
                    return kept;
                }
                let keys = derivation.srtp(&self.master, r)?;
                Some(derived.srtp.insert(Box::new(keys)))
            }
            Protocol::Srtcp => {
                let kept = Epoch::find(epochs.map(|epochs| &epochs.srtcp), &self.srtcp, r);
                let keys = if let Some(keys) = kept {
                    keys
                } else {
                    let keys = derivation.srtcp(&self.master, r)?;
                    derived.srtcp.insert(Box::new(keys))
                };
                let profile = self.master.profile();
                keys.expand(profile, derivation.backend, &mut derived.expanded)
            }
        }
    }

    /// The SRTP session keys of a key that is derived once.
    #[inline]
    pub(crate) const fn srtp_keys(&self) -> &SessionKeys {
        &self.srtp
    }

    /// What authenticates the packets of a key that is derived once.
    pub(crate) const fn srtp_mac(&self) -> Option<&HmacSha1> {
        self.srtp.mac()
    }

    /// Keeps session keys that proved right for packets with `r`.
    pub(crate) fn keep(&mut self, derived: &mut Derived, r: u64) {
        let epochs = self.epochs.get_or_insert_default();
        if let Some(keys) = derived.srtp.take() {
            epochs.srtp.keep(&mut self.srtp, keys, r);
        }
        if let Some(keys) = derived.srtcp.take() {
            epochs.srtcp.keep(&mut self.srtcp, keys, r);
        }
    }
}

impl Derivation {
    pub(crate) const fn rate(self, protocol: Protocol) -> KeyDerivationRate {
        match protocol {
            Protocol::Srtp => self.srtp_kdr,
            Protocol::Srtcp => self.srtcp_kdr,
        }
    }

    fn srtp(self, master: &MasterKey, r: u64) -> Option<SessionKeys> {
        SessionKeys::derive(master, r, self.header_extensions, self.backend)
    }

    fn srtcp(self, master: &MasterKey, r: u64) -> Option<SrtcpKeys> {
        SrtcpKeys::derive(master, r, self.backend)
    }
}

impl<K> Default for Epoch<K> {
    fn default() -> Self {
        Self {
            latest: 0,
            earlier: None,
        }
    }
}

impl<K> Epoch<K> {
    #[inline]
    fn find<'a>(epoch: Option<&'a Self>, latest: &'a K, r: u64) -> Option<&'a K> {
        if epoch.map_or(0, |epoch| epoch.latest) == r {
            return Some(latest);
        }
        let (of, keys) = epoch?.earlier.as_ref()?;
        (*of == r).then_some(&**keys)
    }

    /// Keys change places in the heap: moved, they would leave copies behind.
    fn keep(&mut self, latest: &mut K, mut keys: Box<K>, mut r: u64) {
        if r > self.latest {
            core::mem::swap(latest, &mut *keys);
            core::mem::swap(&mut self.latest, &mut r);
        }
        self.earlier = Some((r, keys));
    }
}

impl Derived {
    /// Whether there are keys to be kept if the packet proves authentic.
    #[inline]
    pub(crate) const fn is_fresh(&self) -> bool {
        self.srtp.is_some() || self.srtcp.is_some()
    }
}
