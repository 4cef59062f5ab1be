use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use hashbrown::HashSet;

use crate::builder::Builder;
use crate::common_case;
use crate::error::{ProtectError, SessionError};
use crate::event::{Event, Events};
use crate::framing::{RtcpPacket, RtpPacket, Unsigned};
use crate::index;
use crate::key_uses::{KeyIdentity, KeyUses, Wanted};
use crate::keying::{
    KeyDerivationRate, KeyEntry, KeySet, MAX_SRTCP_PACKETS, MasterKey, MasterKeySource, Mki,
    Profile,
};
use crate::keys::{Derived, Key, Route};
use crate::packet::{RtpHeader, rtcp_ssrc};
use crate::session::{Done, Place, Rekey, Scope, Session, Settings, StreamInfo};
use crate::session_keys::{Protocol, SessionKeys};
use crate::stream::Streams;

/// The sending direction of an SRTP session: makes RTP into SRTP and RTCP into SRTCP, in place.
///
/// Holds the streams of all SSRCs that it is given packets of. An index is never used twice: a
/// packet whose SSRC and index were protected before is refused.
///
/// ```
/// use bytes::BytesMut;
/// use srtp::keying::{MasterKey, Profile};
/// use srtp::{ProtectError, Receiver, Sender};
///
/// let profile = Profile::AeadAes128Gcm;
/// let mut sender = Sender::new(MasterKey::new(profile, &[1; 16], &[2; 12])?)?;
/// let mut receiver = Receiver::new(MasterKey::new(profile, &[1; 16], &[2; 12])?)?;
///
/// let rtp = [0x80, 0, 0, 1, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, b'h', b'i'];
/// let mut packet = BytesMut::from(&rtp[..]);
/// sender.protect_rtp(&mut packet)?;
/// assert_eq!(packet.len(), rtp.len() + profile.srtp_overhead(0));
///
/// receiver.unprotect_rtp(&mut packet)?;
/// assert_eq!(packet, rtp[..]);
/// assert_eq!(sender.protect_rtp(&mut packet), Err(ProtectError::IndexReused));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sender {
    pub(crate) session: Session,
}

impl Sender {
    /// A sender with one master key for every SSRC and the default settings.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the backend cannot key the cipher, or the profile protects nothing.
    pub fn new(key: MasterKey) -> Result<Self, SessionError> {
        Builder::new(KeySet::single(key)).build()
    }

    /// A sender with the outbound keys of `source` and the default settings.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn from_source(source: &impl MasterKeySource) -> Result<Self, SessionError> {
        Self::builder(source).build()
    }

    /// Settings for a sender with the outbound keys of `source`.
    #[must_use]
    pub fn builder(source: &impl MasterKeySource) -> Builder<Self> {
        Builder::new(source.outbound().duplicate())
    }

    /// Makes the RTP packet in `packet` an SRTP packet ([RFC 3711 §3.3]).
    ///
    /// # Errors
    ///
    /// [`ProtectError`]; `packet` and the sender are then as they were.
    ///
    /// [RFC 3711 §3.3]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3
    pub fn protect_rtp(&mut self, packet: &mut BytesMut) -> Result<(), ProtectError> {
        let len = packet.len();
        packet.resize(len + self.srtp_overhead(), 0);
        let protected = self.protect_rtp_in_place(packet, len);
        packet.truncate(*protected.as_ref().unwrap_or(&len));
        protected.map(|_| ())
    }

    /// Makes the RTCP packet in `packet`, compound or of reduced size, an SRTCP packet
    /// ([RFC 3711 §3.4]).
    ///
    /// # Errors
    ///
    /// [`ProtectError`]; `packet` and the sender are then as they were.
    ///
    /// [RFC 3711 §3.4]: https://www.rfc-editor.org/rfc/rfc3711#section-3.4
    pub fn protect_rtcp(&mut self, packet: &mut BytesMut) -> Result<(), ProtectError> {
        let len = packet.len();
        packet.resize(len + self.srtcp_overhead(), 0);
        let protected = self.protect_rtcp_in_place(packet, len);
        packet.truncate(*protected.as_ref().unwrap_or(&len));
        protected.map(|_| ())
    }

    /// Makes the RTP packet in the first `len` octets of `buffer` an SRTP packet and returns its
    /// length; the buffer needs [`srtp_overhead`](Self::srtp_overhead) octets more.
    ///
    /// # Errors
    ///
    /// [`ProtectError`]; `buffer` and the sender are then as they were.
    pub fn protect_rtp_in_place(
        &mut self,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectError> {
        let likely = self.session.streams.recent();
        self.protect_rtp_but_mac(buffer, len, likely, None)
    }

    /// Makes the RTCP packet in the first `len` octets of `buffer` an SRTCP packet and returns its
    /// length; the buffer needs [`srtcp_overhead`](Self::srtcp_overhead) octets more.
    ///
    /// # Errors
    ///
    /// [`ProtectError`]; `buffer` and the sender are then as they were.
    pub fn protect_rtcp_in_place(
        &mut self,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectError> {
        let packet = buffer
            .get(..len)
            .ok_or(ProtectError::BufferTooSmall { needed: len })?;
        let ssrc = rtcp_ssrc(packet, 0)?;
        let (framing, place) = (&self.session.framing, self.session.place(ssrc));
        let index = self.srtcp_index(&place)?;
        let mut derived = Derived::default();
        let (key, keys, left) =
            self.key_for(&place, Protocol::Srtcp, index.into(), &mut derived)?;
        let packet = RtcpPacket {
            framing,
            keys,
            ssrc,
            index,
        };
        let protected = packet.seal(buffer, len, key.mki())?;
        let (serial, protocol) = (key.serial, Protocol::Srtcp);
        let index = index.into();
        self.session.commit(
            Done {
                place,
                serial,
                protocol,
                index,
                left,
            },
            len,
        );
        if derived.is_fresh() {
            self.session.keep(&mut derived, serial, protocol, index);
        }
        Ok(protected)
    }

    /// Octets by which an SRTP packet is longer than its RTP packet, at most.
    #[must_use]
    pub fn srtp_overhead(&self) -> usize {
        self.session.framing.srtp_overhead()
    }

    /// Octets by which an SRTCP packet is longer than its RTCP packet.
    #[must_use]
    pub fn srtcp_overhead(&self) -> usize {
        let framing = &self.session.framing;
        framing.profile.srtcp_overhead(framing.mki_len)
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.session.framing.profile
    }

    /// Adds a stream that begins at `roc`, or sets the ROC of one that exists.
    ///
    /// # Errors
    ///
    /// [`SessionError::RocBehind`] if packets of the stream have a higher ROC already;
    /// [`SessionError::UnknownSsrc`] if no key is for it; [`SessionError::StreamLimit`].
    pub fn set_roc(&mut self, ssrc: u32, roc: u32) -> Result<(), SessionError> {
        self.session.set_roc(ssrc, roc)
    }

    /// The stream of `ssrc`, with its ROC and statistics.
    #[must_use]
    pub fn stream(&self, ssrc: u32) -> Option<StreamInfo> {
        self.session.info(ssrc)
    }

    /// All streams, in no particular order.
    pub fn streams(&self) -> impl Iterator<Item = StreamInfo> {
        self.session.infos()
    }

    /// Removes a stream. If packets with its SSRC come again, they must go on behind its latest
    /// index.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownSsrc`]; [`SessionError::StreamLimit`] if as many streams were
    /// removed as the sender may have, whose indices must be remembered while their keys are in use.
    pub fn remove_stream(&mut self, ssrc: u32) -> Result<(), SessionError> {
        let keys = &self.session.keys;
        self.session
            .streams
            .park(ssrc, false, |serial| keys.is_live(serial))
    }

    /// Removes every stream without a packet since the last call, as
    /// [`remove_stream`](Self::remove_stream) does; returns how many.
    pub fn remove_idle_streams(&mut self) -> usize {
        let keys = &self.session.keys;
        self.session
            .streams
            .park_idle(false, |serial| keys.is_live(serial))
    }

    /// Adds a master key; it protects packets once [`use_key`](Self::use_key) says so, or its
    /// `<From, To>` begins.
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] for a key that protected packets before, and for any key if the
    /// sender has claimed its own: then use [`add_key_claiming`](Self::add_key_claiming);
    /// [`SessionError::Keying`] if it does not fit the other keys. The sender is then as it was.
    pub fn add_key(&mut self, key: KeyEntry) -> Result<(), SessionError> {
        self.refuse_claimed()?;
        self.session.add_key(key)
    }

    /// Protects with the key of this MKI from now on.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownMki`].
    pub fn use_key(&mut self, mki: &Mki) -> Result<(), SessionError> {
        self.session.keys.prefer(mki)
    }

    /// Drops the key with this MKI, which can then not come back.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownMki`]; [`SessionError::LastKey`] if it is the only one;
    /// [`SessionError::RetiredKeys`].
    pub fn remove_key(&mut self, mki: &Mki) -> Result<(), SessionError> {
        self.session.remove_key(mki)
    }

    /// Adds a master key as [`add_key`](Self::add_key) does, and claims it.
    ///
    /// # Errors
    ///
    /// As [`add_key`](Self::add_key); [`SessionError::KeyInUse`] for a key that `uses` knows.
    pub fn add_key_claiming(
        &mut self,
        key: KeyEntry,
        uses: &mut KeyUses,
    ) -> Result<(), SessionError> {
        let claims = self.claims(core::slice::from_ref(&key));
        uses.check(&claims)?;
        self.session.add_key(key)?;
        uses.take(claims);
        Ok(())
    }

    /// Protects with `keys` from now on; those in use so far cannot come back, for which 20 octets
    /// of each stay remembered.
    ///
    /// The same keys again change nothing: neither the ROC nor what was sent
    /// ([RFC 4568 §7.1.4]).
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] for a key that protects packets or did so before, and for any key
    /// if the sender has claimed its own: then use [`rekey_claiming`](Self::rekey_claiming);
    /// [`SessionError::ParametersChanged`]; [`SessionError::Keying`]; [`SessionError::RetiredKeys`].
    /// The sender is then as it was.
    ///
    /// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    pub fn rekey(&mut self, keys: &KeySet, rekey: Rekey) -> Result<(), SessionError> {
        self.refuse_claimed()?;
        self.session.rekey(keys, rekey, 0).map(|_| ())
    }

    /// Protects with `keys` from now on as [`rekey`](Self::rekey) says, and claims them.
    ///
    /// # Errors
    ///
    /// As [`rekey`](Self::rekey); [`SessionError::KeyInUse`] for a key that `uses` knows.
    pub fn rekey_claiming(
        &mut self,
        keys: &KeySet,
        rekey: Rekey,
        uses: &mut KeyUses,
    ) -> Result<(), SessionError> {
        if self.session.keys.same_as(keys) {
            return self.session.rekey(keys, rekey, 0).map(|_| ());
        }
        let claims = self.claims(keys.entries());
        uses.check(&claims)?;
        self.session.rekey(keys, rekey, 0)?;
        uses.take(claims);
        Ok(())
    }

    /// Splits off a sender for `ssrcs`, to run on another core: both keep the keys, and each
    /// refuses the SSRCs of the other from now on.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownSsrc`] for an SSRC that is not this sender's or is named twice, or if
    /// none is named; nothing is split then.
    pub fn split_off(&mut self, ssrcs: &[u32]) -> Result<Self, SessionError> {
        let own = ssrcs
            .iter()
            .all(|ssrc| self.session.serves(&self.session.place(*ssrc)));
        let distinct = ssrcs.iter().collect::<HashSet<_>>().len() == ssrcs.len();
        if ssrcs.is_empty() || !own || !distinct {
            return Err(SessionError::UnknownSsrc);
        }
        let settings = Settings {
            scope: Scope::Given,
            ..self.session.settings
        };
        let mut session = Session {
            framing: self.session.framing.clone(),
            keys: self.session.keys.duplicate()?,
            streams: Streams::new(ssrcs.len()),
            events: Events::default(),
            settings,
            retired: self.session.retired.clone(),
        };
        for ssrc in ssrcs {
            match self.session.streams.release(*ssrc, settings.replay_window) {
                Some(stream) => {
                    session.streams.insert(stream)?;
                }
                None => session.begin_new(*ssrc)?,
            }
            self.session.streams.bar(*ssrc);
        }
        Ok(Self { session })
    }

    /// The next thing that the key management should know. Of more than 64 that wait, the oldest
    /// are dropped.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.session.events.pop()
    }

    /// [`protect_rtp_in_place`](Self::protect_rtp_in_place) for a packet whose stream is probably at
    /// `likely`, but for the MAC if there is a `deferred` to note what it is.
    #[inline]
    pub(crate) fn protect_rtp_but_mac(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        likely: usize,
        mut deferred: Option<&mut Deferred>,
    ) -> Result<usize, ProtectError> {
        let noted = deferred.as_deref_mut();
        match common_case::seal(&mut self.session, buffer, len, likely, noted) {
            Some(protected) => protected,
            None => self.protect_any_rtp(buffer, len, likely, deferred),
        }
    }

    /// The long way.
    #[inline(never)]
    fn protect_any_rtp(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        likely: usize,
        deferred: Option<&mut Deferred>,
    ) -> Result<usize, ProtectError> {
        let packet = buffer
            .get(..len)
            .ok_or(ProtectError::BufferTooSmall { needed: len })?;
        let header = RtpHeader::parse(packet, |_| 0)?;
        let place = self.session.place_near(header.ssrc, likely);
        let framing = &self.session.framing;
        let index = self.srtp_index(&place, header.seq)?;
        let mut derived = Derived::default();
        let (key, keys, left) = self.key_for(&place, Protocol::Srtp, index, &mut derived)?;
        let packet = RtpPacket {
            framing,
            keys,
            header,
            index,
        };
        // Session keys that change would be gone when the MAC is computed.
        let deferred = deferred.filter(|_| framing.parameters.srtp_kdr == KeyDerivationRate::ZERO);
        let unsigned = deferred.map(|deferred| {
            deferred.ssrc = header.ssrc;
            deferred.route = Route::NONE;
            deferred.serial = key.serial;
            &mut deferred.unsigned
        });
        let protected = packet.seal(buffer, len, key.mki(), unsigned)?;
        let (serial, protocol) = (key.serial, Protocol::Srtp);
        self.session.commit(
            Done {
                place,
                serial,
                protocol,
                index,
                left,
            },
            len,
        );
        if derived.is_fresh() {
            self.session.keep(&mut derived, serial, protocol, index);
        }
        Ok(protected)
    }

    #[inline]
    fn srtp_index(&self, place: &Place, seq: u16) -> Result<u64, ProtectError> {
        let session = &self.session;
        if !session.serves(place) {
            return Err(ProtectError::UnknownSsrc);
        }
        let index = session.srtp_index(place, seq).ok_or_else(|| {
            // Before the first ROC, or behind the last.
            match session
                .stream(place)
                .and_then(|stream| stream.srtp.highest())
            {
                Some(0..=0xffff) => ProtectError::IndexReused,
                _ => ProtectError::IndexExhausted,
            }
        })?;
        if session.settings.roc_always_zero && index::roc(index) != 0 {
            return Err(ProtectError::IndexExhausted);
        }
        let unused = session.check(place, Protocol::Srtp, index);
        unused
            .map(|()| index)
            .map_err(|_| ProtectError::IndexReused)
    }

    /// RFC 3711 3.4: the first index is 0, and after the last one keys must change.
    fn srtcp_index(&self, place: &Place) -> Result<u32, ProtectError> {
        let session = &self.session;
        if !session.serves(place) {
            return Err(ProtectError::UnknownSsrc);
        }
        let highest = session
            .stream(place)
            .and_then(|stream| stream.srtcp.highest());
        let start = u64::from(session.settings.srtcp_start);
        let index = highest.map_or(start, |highest| highest + 1);
        if index >= MAX_SRTCP_PACKETS {
            return Err(ProtectError::IndexExhausted);
        }
        u32::try_from(index).map_err(|_| ProtectError::IndexExhausted)
    }

    #[inline]
    fn key_for<'a>(
        &'a self,
        place: &Place,
        protocol: Protocol,
        index: u64,
        derived: &'a mut Derived,
    ) -> Result<(&'a Key, &'a SessionKeys, u64), ProtectError> {
        let session = &self.session;
        if session.lacks_room(place) {
            return Err(ProtectError::StreamLimit);
        }
        let srtp_index = match protocol {
            Protocol::Srtp => index,
            Protocol::Srtcp => session.latest_srtp_index(place),
        };
        let key = session.serving(place).for_sending(srtp_index);
        let key = key.ok_or(ProtectError::NoKey)?;
        let left = session.left(place, key, protocol);
        if left == 0 {
            return Err(ProtectError::KeyExpired);
        }
        let keys = key.session_keys(session.keys.derivation(), protocol, index, derived);
        Ok((key, keys.ok_or(ProtectError::NoKey)?, left))
    }

    fn refuse_claimed(&self) -> Result<(), SessionError> {
        if self.session.settings.claimed {
            Err(SessionError::KeyInUse)
        } else {
            Ok(())
        }
    }

    /// What this sender would use the keys for.
    pub(crate) fn claims(&self, entries: &[KeyEntry]) -> Vec<(KeyIdentity, Wanted)> {
        let streams = &self.session.streams;
        let own: Vec<Wanted> = match self.session.settings.scope {
            Scope::Any => alloc::vec![Wanted::AllBut(streams.barred())],
            Scope::Named | Scope::Given => {
                let removed = streams.removed(self.session.settings.replay_window);
                let live = streams.iter().map(|stream| Wanted::One(stream.ssrc));
                live.chain(removed.map(|stream| Wanted::One(stream.ssrc)))
                    .collect()
            }
        };
        let uses = |entry: &KeyEntry| match entry.ssrc() {
            Some(ssrc) => alloc::vec![Wanted::One(ssrc)],
            None => own.clone(),
        };
        entries
            .iter()
            .flat_map(|entry| {
                let identity = KeyIdentity::of(entry.key());
                uses(entry)
                    .into_iter()
                    .map(move |wanted| (identity, wanted))
            })
            .collect()
    }
}

/// A packet that was protected but for its MAC.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deferred {
    /// Its place among the packets that are protected together.
    pub(crate) at: usize,
    pub(crate) ssrc: u32,
    /// Where the key is, if that is known.
    pub(crate) route: Route,
    /// The key that protects it.
    pub(crate) serial: u32,
    pub(crate) unsigned: Unsigned,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("profile", &self.profile())
            .finish_non_exhaustive()
    }
}
