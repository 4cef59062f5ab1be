use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::error::SessionError;
use crate::event::Events;
use crate::framing::Framing;
use crate::handover::Resumed;
use crate::header_extension::ElementIds;
use crate::key_uses::{KeyUses, Retired};
use crate::keying::{KeySet, Parameters, Profile};
use crate::keys::{Derivation, Keys};
use crate::replay::{MAX_REPLAY_WINDOW, MIN_REPLAY_WINDOW};
use crate::session::{Scope, Session, Settings};
use crate::stream::Streams;
use crate::{Backend, Cryptex, Receiver, Sender};

/// Streams that a session may have if the application names no number.
pub const DEFAULT_MAX_STREAMS: usize = 1024;

/// Packets that a replay window holds if the application names no number.
pub const DEFAULT_REPLAY_WINDOW: u32 = 128;

/// Packets left at which a key is announced to expire if the application names no number.
pub const DEFAULT_SOFT_LIMIT: u64 = 1 << 16;

/// Settings of a [`Sender`] or [`Receiver`].
///
/// ```
/// use srtp::keying::{KeySet, MasterKey, Profile, StaticKeys};
/// use srtp::{Receiver, SessionError};
///
/// let profile = Profile::AesCm128HmacSha1_80;
/// let keys = |octet| KeySet::single(MasterKey::new(profile, &[octet; 16], &[2; 14]).unwrap());
/// let call = StaticKeys::new(keys(1), keys(2));
/// let receiver = Receiver::builder(&call).replay_window(256).ssrc(0xcafe_babe, 0).build()?;
/// assert_eq!(receiver.streams().count(), 1);
/// # Ok::<(), SessionError>(())
/// ```
#[derive(Debug)]
pub struct Builder<D> {
    pub(crate) keys: KeySet,
    ssrcs: Vec<(u32, u32)>,
    scope: Scope,
    pub(crate) max_streams: usize,
    pub(crate) replay_window: u32,
    soft_limit: u64,
    cryptex: Cryptex,
    element_ids: ElementIds,
    allow_unprotected: bool,
    roc_always_zero: bool,
    backend: Backend,
    pub(crate) resumed: Option<Resumed>,
    direction: PhantomData<fn() -> D>,
}

impl<D: Direction> Builder<D> {
    /// The default settings with `keys`.
    #[must_use]
    pub fn new(keys: KeySet) -> Self {
        Self {
            keys,
            ssrcs: Vec::new(),
            scope: Scope::Any,
            max_streams: DEFAULT_MAX_STREAMS,
            replay_window: DEFAULT_REPLAY_WINDOW,
            soft_limit: DEFAULT_SOFT_LIMIT,
            cryptex: Cryptex::Off,
            element_ids: ElementIds::default(),
            allow_unprotected: false,
            roc_always_zero: false,
            backend: Backend::default(),
            resumed: None,
            direction: PhantomData,
        }
    }

    /// Names a stream and the ROC it begins with, 0 unless the key management says otherwise.
    ///
    /// Streams of other SSRCs are then refused unless [`any_ssrc`](Self::any_ssrc) follows.
    #[must_use]
    pub fn ssrc(mut self, ssrc: u32, roc: u32) -> Self {
        self.ssrcs.push((ssrc, roc));
        self.scope = Scope::Named;
        self
    }

    /// Allows streams of any SSRC, `max_streams` in all. The default, with
    /// [`DEFAULT_MAX_STREAMS`]. A receiver begins a stream only when its first packet has been
    /// authenticated.
    #[must_use]
    pub const fn any_ssrc(mut self, max_streams: usize) -> Self {
        self.scope = Scope::Any;
        self.max_streams = max_streams;
        self
    }

    /// Packets that the replay window of each stream holds, 64 to 32768, for SRTP and SRTCP alike
    /// ([RFC 3711 §3.3.2]). [`DEFAULT_REPLAY_WINDOW`] if not set.
    ///
    /// A sender may protect packets out of order within as many.
    ///
    /// [RFC 3711 §3.3.2]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2
    #[must_use]
    pub const fn replay_window(mut self, packets: u32) -> Self {
        self.replay_window = packets;
        self
    }

    /// Packets left at which an [`Event`](crate::Event) says that a key expires soon; at most half
    /// of the key's lifetime. [`DEFAULT_SOFT_LIMIT`] if not set.
    #[must_use]
    pub const fn soft_limit(mut self, packets_left: u64) -> Self {
        self.soft_limit = packets_left;
        self
    }

    /// Encrypts whole header extensions and CSRC lists ([RFC 9335]).
    ///
    /// [RFC 9335]: https://www.rfc-editor.org/rfc/rfc9335
    #[must_use]
    pub const fn cryptex(mut self, cryptex: Cryptex) -> Self {
        self.cryptex = cryptex;
        self
    }

    /// Encrypts the header extension elements with these IDs ([RFC 6904]).
    ///
    /// [RFC 6904]: https://www.rfc-editor.org/rfc/rfc6904
    #[must_use]
    pub fn encrypted_header_extensions(mut self, ids: &[u8]) -> Self {
        self.element_ids = ElementIds::new(ids);
        self
    }

    /// Takes keys whose profile or parameters leave packets without encryption or without
    /// authentication: UNENCRYPTED_SRTP, UNENCRYPTED_SRTCP, UNAUTHENTICATED_SRTP, ROC transport
    /// with tags on some packets only, NULL profiles.
    ///
    /// # Security
    ///
    /// Without authentication anyone can forge packets, move the index and open streams.
    #[must_use]
    pub const fn allow_unprotected(mut self) -> Self {
        self.allow_unprotected = true;
        self
    }

    /// Who computes AES-GCM.
    #[must_use]
    pub const fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// The sender or receiver.
    ///
    /// # Errors
    ///
    /// [`SessionError`] for settings that do not fit together or with the keys.
    pub fn build(self) -> Result<D, SessionError> {
        Ok(D::assemble(sealed::Parts {
            session: self.session()?,
        }))
    }

    fn session(self) -> Result<Session, SessionError> {
        let profile = self.keys.profile();
        let parameters = self.keys.parameters();
        if !(MIN_REPLAY_WINDOW..=MAX_REPLAY_WINDOW).contains(&self.replay_window) {
            return Err(SessionError::ReplayWindow);
        }
        let excludes = !self.element_ids.is_empty() || parameters.unencrypted_srtp;
        if self.cryptex != Cryptex::Off && excludes {
            return Err(SessionError::HeaderExtensionModes);
        }
        if self.max_streams == 0 {
            return Err(SessionError::StreamLimit);
        }
        if leaves_unprotected(profile, &parameters) && !self.allow_unprotected {
            return Err(SessionError::Unprotected);
        }
        let derivation = Derivation {
            srtp_kdr: parameters.srtp_kdr,
            srtcp_kdr: parameters.srtcp_kdr,
            header_extensions: !self.element_ids.is_empty(),
            backend: self.backend,
        };
        let common = parameters == Parameters::default()
            && self.keys.mki_len() == 0
            && self.cryptex == Cryptex::Off
            && self.element_ids.is_empty()
            && !self.roc_always_zero;
        let mut session = Session {
            framing: Framing {
                profile,
                parameters,
                mki_len: self.keys.mki_len(),
                cryptex: self.cryptex,
                element_ids: self.element_ids,
            },
            keys: Keys::new(&self.keys, derivation)?,
            streams: Streams::new(self.max_streams),
            events: Events::default(),
            settings: Settings {
                replay_window: self.replay_window,
                soft_limit: self.soft_limit,
                scope: self.scope,
                roc_always_zero: self.roc_always_zero,
                claimed: false,
                common,
                srtcp_start: 0,
            },
            retired: Retired::default(),
        };
        if let Some(resumed) = self.resumed {
            resumed.into_session(&mut session)?;
        }
        for (ssrc, roc) in self.ssrcs {
            if session.stream(&session.place(ssrc)).is_none() {
                if session.settings.scope == Scope::Given {
                    return Err(SessionError::UnknownSsrc);
                }
                session.begin(ssrc, roc)?;
            }
        }
        Ok(session)
    }
}

impl Builder<Sender> {
    /// Keeps the ROC at zero, for receivers that join at any time and are told no ROC
    /// (TR 33.829 §5.3.2.1): a stream ends where its sequence number would wrap, which
    /// [`Event::RocWrapNear`](crate::Event::RocWrapNear) announces.
    #[must_use]
    pub const fn roc_always_zero(mut self) -> Self {
        self.roc_always_zero = true;
        self
    }

    /// The sender, whose keys no other sender may have for the same SSRCs.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and [`SessionError::KeyInUse`] for a key that `uses` knows.
    pub fn build_claiming(self, uses: &mut KeyUses) -> Result<Sender, SessionError> {
        let keys = self.keys.duplicate();
        let mut sender = self.build()?;
        let claims = sender.claims(keys.entries());
        uses.check(&claims)?;
        uses.take(claims);
        sender.session.settings.claimed = true;
        Ok(sender)
    }
}

/// [`Sender`] or [`Receiver`]: what a [`Builder`] builds.
pub trait Direction: Sized + sealed::Sealed {}

impl Direction for Sender {}
impl Direction for Receiver {}

mod sealed {
    #![expect(
        unnameable_types,
        reason = "keeps `Direction` from being implemented elsewhere"
    )]

    use crate::session::Session;
    use crate::{Receiver, Sender};

    pub trait Sealed {
        fn assemble(parts: Parts) -> Self;
    }

    pub struct Parts {
        pub(super) session: Session,
    }

    impl Sealed for Sender {
        fn assemble(parts: Parts) -> Self {
            Self {
                session: parts.session,
            }
        }
    }

    impl Sealed for Receiver {
        fn assemble(parts: Parts) -> Self {
            Self::from_session(parts.session)
        }
    }
}

/// Whether some packets travel without encryption or authentication.
fn leaves_unprotected(profile: Profile, parameters: &Parameters) -> bool {
    #[cfg(feature = "insecure-null")]
    if matches!(
        profile,
        Profile::NullHmacSha1_80 | Profile::NullHmacSha1_32 | Profile::NullNull
    ) {
        return true;
    }
    parameters.unencrypted_srtp
        || parameters.unencrypted_srtcp
        || parameters.unauthenticated_srtp
        || parameters
            .roc_transport
            .is_some_and(|roc| roc.leaves_unauthenticated(profile))
}
