//! A master key in use, with the session keys of its latest periods.

use alloc::boxed::Box;

use crate::Backend;
use crate::error::SessionError;
use crate::key_uses::KeyIdentity;
use crate::keying::{KeyDerivationRate, KeyEntry, Mki, Parameters};
use crate::session_keys::{Protocol, SessionKeys};
use crate::transform::HmacSha1;

/// A master key in use.
pub(crate) struct Key {
    /// Names the key in the packet counts of the streams. The same master key in several places has
    /// one serial, and a serial is never given to another.
    pub(crate) serial: u32,
    pub(crate) entry: KeyEntry,
    /// Packets that newer keys may yet open before this one is dropped.
    pub(super) grace: Option<u32>,
    pub(super) srtp: Epochs,
    pub(super) srtcp: Box<Epochs>,
}

/// How session keys come from master keys in this session.
#[derive(Clone, Copy)]
pub(crate) struct Derivation {
    pub(crate) parameters: Parameters,
    pub(crate) header_extensions: bool,
    pub(crate) backend: Backend,
}

/// The session keys of the latest key derivation period, and of one before it for packets that
/// come late ([RFC 3711 §4.3.1]).
///
/// [RFC 3711 §4.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-4.3.1
pub(super) struct Epochs {
    latest: (u64, SessionKeys),
    earlier: Option<Box<(u64, SessionKeys)>>,
}

/// Session keys that were at hand, or had to be derived.
///
/// Keys are derived where a period begins and for packets from before the latest two; only then is
/// there something to allocate, and packets that find their keys carry a pointer about, no keys.
pub(crate) enum Derived<'a> {
    Kept(&'a SessionKeys),
    Fresh(Box<SessionKeys>),
}

impl Key {
    pub(super) fn new(
        entry: KeyEntry,
        serial: u32,
        derivation: &Derivation,
    ) -> Result<Self, SessionError> {
        let epochs = |protocol| {
            derivation.derive(&entry, protocol, 0).map(|keys| Epochs {
                latest: (0, keys),
                earlier: None,
            })
        };
        let srtp = epochs(Protocol::Srtp).ok_or(SessionError::Backend)?;
        let srtcp = epochs(Protocol::Srtcp).ok_or(SessionError::Backend)?;
        Ok(Self {
            serial,
            entry,
            grace: None,
            srtp,
            srtcp: Box::new(srtcp),
        })
    }

    pub(crate) fn identity(&self) -> KeyIdentity {
        KeyIdentity::of(self.entry.key())
    }

    /// Whether the key was not replaced.
    pub(crate) fn is_active(&self) -> bool {
        self.grace.is_none()
    }

    /// Whether the key is for the packet with this SRTP index.
    pub(crate) fn serves(&self, index: u64) -> bool {
        self.entry.validity().contains(index)
    }

    /// Packets that newer keys may yet open before this one is dropped, if it was replaced.
    pub(crate) const fn grace(&self) -> Option<u32> {
        self.grace
    }

    pub(crate) fn mki(&self) -> &[u8] {
        self.entry.mki().map_or(&[], Mki::as_octets)
    }

    /// The session keys of the packet with this index.
    #[inline]
    pub(crate) fn session_keys(
        &self,
        derivation: &Derivation,
        protocol: Protocol,
        index: u64,
    ) -> Option<Derived<'_>> {
        let r = derivation.rate(protocol).epoch(index);
        let epochs = match protocol {
            Protocol::Srtp => &self.srtp,
            Protocol::Srtcp => &*self.srtcp,
        };
        if let Some(keys) = epochs.get(r) {
            return Some(Derived::Kept(keys));
        }
        derivation
            .derive(&self.entry, protocol, r)
            .map(|keys| Derived::Fresh(Box::new(keys)))
    }

    /// The SRTP session keys of a key that is derived once.
    #[inline]
    pub(crate) const fn srtp_keys(&self) -> &SessionKeys {
        &self.srtp.latest.1
    }

    /// What authenticates the packets of a key that is derived once.
    pub(crate) const fn srtp_mac(&self) -> Option<&HmacSha1> {
        self.srtp.latest.1.mac.as_ref()
    }

    /// Keeps session keys that proved right for the packet with this index.
    pub(crate) fn keep(&mut self, keys: SessionKeys, r: u64, protocol: Protocol) {
        let epochs = match protocol {
            Protocol::Srtp => &mut self.srtp,
            Protocol::Srtcp => &mut *self.srtcp,
        };
        let before = if r > epochs.latest.0 {
            core::mem::replace(&mut epochs.latest, (r, keys))
        } else {
            (r, keys)
        };
        match &mut epochs.earlier {
            Some(earlier) => **earlier = before,
            None => epochs.earlier = Some(Box::new(before)),
        }
    }
}

impl Derivation {
    pub(crate) const fn rate(&self, protocol: Protocol) -> KeyDerivationRate {
        match protocol {
            Protocol::Srtp => self.parameters.srtp_kdr,
            Protocol::Srtcp => self.parameters.srtcp_kdr,
        }
    }

    fn derive(&self, entry: &KeyEntry, protocol: Protocol, r: u64) -> Option<SessionKeys> {
        SessionKeys::derive(
            entry.key(),
            protocol,
            r,
            self.header_extensions,
            self.backend,
        )
    }
}

impl Epochs {
    fn get(&self, r: u64) -> Option<&SessionKeys> {
        if self.latest.0 == r {
            return Some(&self.latest.1);
        }
        self.earlier
            .as_ref()
            .filter(|earlier| earlier.0 == r)
            .map(|earlier| &earlier.1)
    }
}

impl Derived<'_> {
    pub(crate) fn get(&self) -> &SessionKeys {
        match self {
            Self::Kept(keys) => keys,
            Self::Fresh(keys) => keys,
        }
    }

    pub(crate) fn into_fresh(self) -> Option<Box<SessionKeys>> {
        match self {
            Self::Kept(_) => None,
            Self::Fresh(keys) => Some(keys),
        }
    }
}
