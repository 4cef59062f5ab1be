use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use bytes::BytesMut;

use crate::Cryptex;
use crate::builder::Builder;
use crate::error::{SessionError, UnprotectError};
use crate::event::Event;
use crate::framing::{OpenError, RtcpPacket, RtpPacket, Trailer, Unsigned, rtcp};
use crate::header_extension::is_cryptex;
use crate::keying::{
    KeyDerivationRate, KeyEntry, KeySet, MasterKey, MasterKeySource, Mki, Profile, RocTransport,
    RocTransportMode,
};
use crate::keys::{Key, Serving};
use crate::packet::{RtpHeader, rtcp_ssrc};
use crate::replay::Used;
use crate::session::{Done, Place, Rekey, Session, StreamInfo};
use crate::session_keys::{Protocol, SessionKeys};
use crate::stats::UnmatchedStats;

/// The receiving direction of an SRTP session: makes SRTP into RTP and SRTCP into RTCP, in place.
///
/// A packet that is refused leaves the receiver as it was, but for its statistics: no ROC, replay
/// window, packet count or stream changes before a packet is authenticated.
///
/// ```
/// use bytes::BytesMut;
/// use srtp::keying::{MasterKey, Profile};
/// use srtp::{Receiver, UnprotectError};
///
/// let profile = Profile::AesCm128HmacSha1_80;
/// let mut receiver = Receiver::new(MasterKey::new(profile, &[1; 16], &[2; 14])?)?;
/// let mut forged = BytesMut::from(&[0x80; 40][..]);
/// assert_eq!(receiver.unprotect_rtp(&mut forged), Err(UnprotectError::Forged));
/// assert_eq!(receiver.streams().count(), 0);
/// assert_eq!(receiver.unmatched().forged, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver {
    pub(crate) session: Session,
    /// The session before its ROC began anew, while packets of it may be on their way.
    previous: Option<Previous>,
    unmatched: UnmatchedStats,
    /// A packet that two sessions, or several keys, may have to be tried on.
    copies: [Vec<u8>; 2],
}

struct Previous {
    session: Box<Session>,
    grace: u32,
}

/// The ROC that a packet was sent with, found by trial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RocFound {
    /// The ROC; [`Receiver::set_roc`] takes it.
    pub roc: u32,
    /// How many were tried, this one included.
    pub tried: u32,
}

/// Most ROCs that one [`Receiver::find_roc`] tries.
pub const MAX_ROC_SEARCH: usize = 1 << 16;

impl Receiver {
    /// A receiver with one master key for every SSRC and the default settings.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the backend cannot key the cipher, or the profile protects nothing.
    pub fn new(key: MasterKey) -> Result<Self, SessionError> {
        Builder::new(KeySet::single(key)).build()
    }

    /// A receiver with the inbound keys of `source` and the default settings.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn from_source(source: &impl MasterKeySource) -> Result<Self, SessionError> {
        Self::builder(source).build()
    }

    /// Settings for a receiver with the inbound keys of `source`.
    #[must_use]
    pub fn builder(source: &impl MasterKeySource) -> Builder<Self> {
        Builder::new(source.inbound().duplicate())
    }

    pub(crate) fn from_session(session: Session) -> Self {
        let unmatched = UnmatchedStats::default();
        Self {
            session,
            previous: None,
            unmatched,
            copies: [Vec::new(), Vec::new()],
        }
    }

    /// Makes the SRTP packet in `packet` the RTP packet it was ([RFC 3711 §3.3]).
    ///
    /// # Errors
    ///
    /// [`UnprotectError`]: drop the packet.
    ///
    /// [RFC 3711 §3.3]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3
    pub fn unprotect_rtp(&mut self, packet: &mut BytesMut) -> Result<(), UnprotectError> {
        let len = self.unprotect_rtp_in_place(packet)?;
        packet.truncate(len);
        Ok(())
    }

    /// Makes the SRTCP packet in `packet` the RTCP packet it was ([RFC 3711 §3.4]).
    ///
    /// # Errors
    ///
    /// [`UnprotectError`]: drop the packet.
    ///
    /// [RFC 3711 §3.4]: https://www.rfc-editor.org/rfc/rfc3711#section-3.4
    pub fn unprotect_rtcp(&mut self, packet: &mut BytesMut) -> Result<(), UnprotectError> {
        let len = self.unprotect_rtcp_in_place(packet)?;
        packet.truncate(len);
        Ok(())
    }

    /// Opens the SRTP packet that fills `packet` and returns the length of the RTP packet at its
    /// start.
    ///
    /// # Errors
    ///
    /// [`UnprotectError`]: drop the packet.
    pub fn unprotect_rtp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        self.unprotect(packet, open_rtp, None)
    }

    /// Opens the SRTCP packet that fills `packet` and returns the length of the RTCP packet at its
    /// start.
    ///
    /// # Errors
    ///
    /// [`UnprotectError`]: drop the packet.
    pub fn unprotect_rtcp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        self.unprotect(packet, open_rtcp, None)
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

    /// Finds the ROC that `packet` was sent with, for a listener that joins in the middle of a call
    /// and was told none: tries those of `rocs` on a copy, [`MAX_ROC_SEARCH`] at most, until the
    /// tag is right. The receiver does not change; hand what is found to
    /// [`set_roc`](Self::set_roc).
    ///
    /// # Errors
    ///
    /// As [`unprotect_rtp`](Self::unprotect_rtp); [`UnprotectError::Forged`] if none fits.
    pub fn find_roc(
        &self,
        packet: &[u8],
        rocs: RangeInclusive<u32>,
    ) -> Result<RocFound, UnprotectError> {
        let session = &self.session;
        let framing = &session.framing;
        let header = RtpHeader::parse(packet, |seq| Trailer::new(framing, seq).len())?;
        let trailer = Trailer::new(framing, header.seq);
        if !trailer.authenticates() {
            return Err(UnprotectError::Forged);
        }
        let place = session.place(header.ssrc);
        let mut copy = packet.to_vec();
        for (roc, tried) in rocs.take(MAX_ROC_SEARCH).zip(1..) {
            let index = u64::from(roc) << 16 | u64::from(header.seq);
            let keys = Candidates::new(session, &place, trailer.mki_of(packet), index)?;
            for key in keys.iter() {
                let keys = key.session_keys(session.keys.derivation(), Protocol::Srtp, index);
                let keys = keys.ok_or(UnprotectError::NoKey)?;
                let attempt = RtpPacket {
                    framing,
                    keys: keys.get(),
                    header,
                    index,
                };
                if attempt.open(&mut copy, None).is_ok() {
                    return Ok(RocFound { roc, tried });
                }
                copy.copy_from_slice(packet);
            }
        }
        Err(UnprotectError::Forged)
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

    /// Packets that were refused and belong to no stream.
    #[must_use]
    pub const fn unmatched(&self) -> UnmatchedStats {
        self.unmatched
    }

    /// Removes a stream. Its latest indices stay remembered, so that its packets cannot be
    /// replayed; of as many removed streams as the receiver may have, the one removed first is then
    /// forgotten.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownSsrc`].
    pub fn remove_stream(&mut self, ssrc: u32) -> Result<(), SessionError> {
        self.session.streams.park(ssrc, true, |_| true)
    }

    /// Removes every stream without a packet since the last call, as
    /// [`remove_stream`](Self::remove_stream) does; returns how many.
    pub fn remove_idle_streams(&mut self) -> usize {
        self.session.streams.park_idle(true, |_| true)
    }

    /// Adds a master key.
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] for a key that was given up; [`SessionError::Keying`] if it does
    /// not fit the other keys. The receiver is then as it was.
    pub fn add_key(&mut self, key: KeyEntry) -> Result<(), SessionError> {
        self.session.add_key(key)
    }

    /// Drops the key with this MKI, which can then not come back.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownMki`]; [`SessionError::LastKey`] if it is the only one.
    pub fn remove_key(&mut self, mki: &Mki) -> Result<(), SessionError> {
        self.session.remove_key(mki)
    }

    /// Takes `keys` before the peer begins to send with them. The keys in use so far stay until
    /// the new ones have opened `grace` packets, or [`drop_old_keys`](Self::drop_old_keys); replays
    /// are refused whatever key a packet comes with.
    ///
    /// The same keys again change nothing: neither the ROC nor the replay list
    /// ([RFC 4568 §7.1.4]).
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] for a key that is in use or was given up, since its packets could
    /// be replayed; [`SessionError::ParametersChanged`]; [`SessionError::Keying`]. The receiver is
    /// then as it was.
    ///
    /// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    pub fn rekey(&mut self, keys: &KeySet, rekey: Rekey, grace: u32) -> Result<(), SessionError> {
        if let Some(session) = self.session.rekey(keys, rekey, grace)? {
            let session = Box::new(session);
            self.previous = (grace > 0).then_some(Previous { session, grace });
        }
        Ok(())
    }

    /// Drops the keys that newer ones replaced.
    pub fn drop_old_keys(&mut self) {
        self.session.keys.drop_old();
        self.previous = None;
    }

    /// The next thing that the key management should know. Of more than 64 that wait, the oldest
    /// are dropped.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.session.events.pop()
    }

    /// What the MAC of an SRTP packet is expected to be under, as things stand: a guess, which earlier
    /// packets of a batch may yet prove wrong. `None` if nothing is to be gained by it.
    pub(crate) fn guess(&self, packet: &[u8]) -> Option<Guess> {
        let session = &self.session;
        let framing = &session.framing;
        if self.previous.is_some() || framing.parameters.srtp_kdr != KeyDerivationRate::ZERO {
            return None;
        }
        let header = RtpHeader::parse(packet, |seq| Trailer::new(framing, seq).len()).ok()?;
        let trailer = Trailer::new(framing, header.seq);
        if trailer.mac == 0 {
            return None;
        }
        let place = session.place(header.ssrc);
        let index = match trailer.roc_of(packet) {
            Some(roc) => u64::from(roc) << 16 | u64::from(header.seq),
            None => session.srtp_index(&place, header.seq)?,
        };
        let keys = Candidates::new(session, &place, trailer.mki_of(packet), index).ok()?;
        let key = keys.iter().next()?;
        session.check(&place, Protocol::Srtp, index).ok()?;
        Some(Guess {
            ssrc: header.ssrc,
            serial: key.serial,
            index,
            unsigned: Unsigned {
                message: packet.len().checked_sub(trailer.len())?,
                roc: crate::index::roc(index).to_be_bytes(),
                mac_at: packet.len().checked_sub(trailer.mac)?,
                mac_len: trailer.mac,
            },
        })
    }

    /// [`unprotect_rtp_in_place`](Self::unprotect_rtp_in_place), with the verdict on the MAC if the
    /// guess that it was reached by proves right.
    pub(crate) fn unprotect_rtp_judged(
        &mut self,
        packet: &mut [u8],
        verdict: Option<Verdict>,
    ) -> Result<usize, UnprotectError> {
        self.unprotect(packet, open_rtp, verdict)
    }

    fn unprotect(
        &mut self,
        packet: &mut [u8],
        open: Open,
        verdict: Option<Verdict>,
    ) -> Result<usize, UnprotectError> {
        let [copy, scratch] = &mut self.copies;
        let opened = match &mut self.previous {
            None => open(&mut self.session, packet, scratch, verdict),
            Some(previous) => {
                copy.clear();
                copy.extend_from_slice(packet);
                match open(&mut self.session, packet, scratch, None) {
                    Ok(len) => {
                        previous.grace = previous.grace.saturating_sub(1);
                        Ok(len)
                    }
                    Err(refusal) => {
                        packet.copy_from_slice(copy);
                        open(&mut previous.session, packet, scratch, None).map_err(|_| refusal)
                    }
                }
            }
        };
        self.previous.take_if(|previous| previous.grace == 0);
        opened.map_err(|refusal| self.note(refusal))
    }

    fn note(&mut self, refusal: Refusal) -> UnprotectError {
        let Refusal { ssrc, error } = refusal;
        match ssrc.and_then(|ssrc| self.session.streams.get_mut(ssrc)) {
            Some(stream) => stream.stats.note_refused(error),
            None => self.unmatched.note_refused(error),
        }
        error
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("profile", &self.profile())
            .finish_non_exhaustive()
    }
}

type Open = fn(&mut Session, &mut [u8], &mut Vec<u8>, Option<Verdict>) -> Result<usize, Refusal>;

/// Whether the MAC of a packet is right under a key and an index that were guessed beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) serial: u32,
    pub(crate) index: u64,
    pub(crate) right: bool,
}

impl Verdict {
    const fn is_for(&self, serial: u32, index: u64) -> bool {
        self.serial == serial && self.index == index
    }
}

/// The MAC of a packet, to be computed with those of others before the packet is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess {
    pub(crate) ssrc: u32,
    pub(crate) serial: u32,
    pub(crate) index: u64,
    pub(crate) unsigned: Unsigned,
}

/// Why a packet was refused, and the SSRC it names if it could be read.
#[derive(Clone, Copy)]
struct Refusal {
    ssrc: Option<u32>,
    error: UnprotectError,
}

fn open_rtp(
    session: &mut Session,
    packet: &mut [u8],
    scratch: &mut Vec<u8>,
    verdict: Option<Verdict>,
) -> Result<usize, Refusal> {
    let framing = &session.framing;
    let header =
        RtpHeader::parse(packet, |seq| Trailer::new(framing, seq).len()).map_err(|malformed| {
            Refusal {
                ssrc: None,
                error: malformed.into(),
            }
        })?;
    let trailer = Trailer::new(framing, header.seq);
    let refuse = |error| Refusal {
        ssrc: Some(header.ssrc),
        error,
    };
    check_cryptex(framing.cryptex, &header).map_err(refuse)?;
    let place = session.place(header.ssrc);
    let index = match trailer.roc_of(packet) {
        Some(roc) => Some(u64::from(roc) << 16 | u64::from(header.seq)),
        None => session.srtp_index(&place, header.seq),
    };
    let index = index.ok_or(refuse(UnprotectError::TooOld))?;
    let keys = Candidates::new(session, &place, trailer.mki_of(packet), index).map_err(refuse)?;
    let attempt = Attempt {
        session,
        keys,
        place: &place,
        protocol: Protocol::Srtp,
        index,
    };
    let open = |serial, keys: &SessionKeys, packet: &mut [u8]| {
        let verdict = verdict.filter(|verdict| verdict.is_for(serial, index));
        RtpPacket {
            framing,
            keys,
            header,
            index,
        }
        .open(packet, verdict.map(|verdict| verdict.right))
    };
    let mut fresh = None;
    let opened = attempt.open(packet, scratch, &mut fresh, open);
    let (opened, len) = opened.map_err(refuse)?;
    // RFC 4771 3: in mode 1 a packet without a tag proves nothing, so it moves nothing either.
    let mode = framing.parameters.roc_transport.map(RocTransport::mode);
    if trailer.authenticates() || mode != Some(RocTransportMode::Mode1) {
        let serial = opened.serial;
        session.commit(opened.by(place), len);
        if let Some(fresh) = fresh {
            session.keep(fresh, serial, Protocol::Srtp, index);
        }
        session.keys.note_opened(header.ssrc, serial);
    }
    Ok(len)
}

fn open_rtcp(
    session: &mut Session,
    packet: &mut [u8],
    scratch: &mut Vec<u8>,
    _: Option<Verdict>,
) -> Result<usize, Refusal> {
    let framing = &session.framing;
    let ssrc = rtcp_ssrc(packet, rtcp::overhead(framing)).map_err(|malformed| Refusal {
        ssrc: None,
        error: malformed.into(),
    })?;
    let refuse = |error| Refusal {
        ssrc: Some(ssrc),
        error,
    };
    let index = rtcp::index(framing, packet).ok_or(refuse(UnprotectError::TooShort))?;
    let place = session.place(ssrc);
    let srtp_index = session.latest_srtp_index(&place);
    let keys = Candidates::new(session, &place, rtcp::mki(framing, packet), srtp_index);
    let attempt = Attempt {
        session,
        keys: keys.map_err(refuse)?,
        place: &place,
        protocol: Protocol::Srtcp,
        index: index.into(),
    };
    let open = |_, keys: &SessionKeys, packet: &mut [u8]| {
        RtcpPacket {
            framing,
            keys,
            ssrc,
            index,
        }
        .open(packet)
    };
    let mut fresh = None;
    let opened = attempt.open(packet, scratch, &mut fresh, open);
    let (opened, len) = opened.map_err(refuse)?;
    let serial = opened.serial;
    session.commit(opened.by(place), len);
    if let Some(fresh) = fresh {
        session.keep(fresh, serial, Protocol::Srtcp, index.into());
    }
    session.keys.note_opened(ssrc, serial);
    Ok(len)
}

fn check_cryptex(cryptex: Cryptex, header: &RtpHeader) -> Result<(), UnprotectError> {
    let in_clear = header.extension.is_some() || header.csrc_len > 0;
    match (cryptex, is_cryptex(header)) {
        (Cryptex::Off, true) => Err(UnprotectError::CryptexRefused),
        (Cryptex::Required, false) if in_clear => Err(UnprotectError::CryptexRequired),
        _ => Ok(()),
    }
}

/// The keys that a packet may have been protected with.
#[derive(Clone, Copy)]
struct Candidates<'a> {
    serving: Serving<'a>,
    /// A key with the MKI of the packet; while keys are replaced, there may be others.
    named: Option<&'a Key>,
    /// The key that opened the packet before it.
    latest: Option<&'a Key>,
    /// The SRTP index that `<From, To>` of the keys is compared with.
    srtp_index: u64,
}

impl<'a> Candidates<'a> {
    fn new(
        session: &'a Session,
        place: &Place,
        mki: Option<&[u8]>,
        srtp_index: u64,
    ) -> Result<Self, UnprotectError> {
        if !session.serves(place) {
            return Err(UnprotectError::UnknownSsrc);
        }
        let serving = session.keys.serving(place.ssrc);
        let mki = mki.unwrap_or_default();
        let named = match session.framing.mki_len {
            0 => None,
            _ => Some(serving.with_mki(mki).ok_or(UnprotectError::UnknownMki)?),
        };
        let latest = session
            .stream(place)
            .and_then(|stream| serving.by_serial(stream.serial));
        Ok(Self {
            serving,
            named,
            latest,
            srtp_index,
        })
    }

    /// Whether there is more than one.
    fn are_several(self) -> bool {
        self.serving.only().is_none() && self.iter().nth(1).is_some()
    }

    /// Those with the MKI of the packet, or all; the likeliest first.
    fn iter(self) -> impl Iterator<Item = &'a Key> {
        let mki = self.named.map(Key::mki);
        let only = self.serving.only();
        let likeliest = self.latest.or(only);
        let serial = likeliest.map(|key| key.serial);
        let others = only.is_none().then(|| self.serving.all());
        let others = others.into_iter().flatten();
        let keys = likeliest
            .into_iter()
            .chain(others.filter(move |key| Some(key.serial) != serial));
        keys.filter(move |key| {
            key.serves(self.srtp_index) && mki.is_none_or(|mki| mki == key.mki())
        })
    }
}

/// A packet that claims an SSRC and an index, not authenticated yet.
struct Attempt<'a> {
    session: &'a Session,
    keys: Candidates<'a>,
    place: &'a Place,
    protocol: Protocol,
    index: u64,
}

/// A packet that is authentic, and the key that opened it.
struct Opened {
    serial: u32,
    protocol: Protocol,
    index: u64,
    left: u64,
}

impl Opened {
    fn by(self, place: Place) -> Done {
        let Self {
            serial,
            protocol,
            index,
            left,
        } = self;
        Done {
            place,
            serial,
            protocol,
            index,
            left,
        }
    }
}

impl Attempt<'_> {
    /// Checks what can be checked before the tag, then tries the candidates, nearly always one.
    fn open(
        &self,
        packet: &mut [u8],
        scratch: &mut Vec<u8>,
        fresh: &mut Option<Box<SessionKeys>>,
        open: impl Fn(u32, &SessionKeys, &mut [u8]) -> Result<usize, OpenError>,
    ) -> Result<(Opened, usize), UnprotectError> {
        let &Self {
            session,
            keys: candidates,
            place,
            protocol,
            index,
        } = self;
        session
            .check(place, protocol, index)
            .map_err(|used| match used {
                Used::Seen => UnprotectError::Replayed,
                Used::TooOld => UnprotectError::TooOld,
            })?;
        if session.lacks_room(place) {
            return Err(UnprotectError::StreamLimit);
        }
        // An AEAD that fails leaves nothing to try the next key on.
        let several = session.framing.profile.is_aead() && candidates.are_several();
        if several {
            scratch.clear();
            scratch.extend_from_slice(packet);
        }
        let mut error = UnprotectError::NoKey;
        for key in candidates.iter() {
            let left = session.left(place, key, protocol);
            if left == 0 {
                error = UnprotectError::KeyExpired;
                continue;
            }
            let derivation = session.keys.derivation();
            let keys = key.session_keys(derivation, protocol, index).ok_or(error)?;
            match open(key.serial, keys.get(), packet) {
                Ok(len) => {
                    let serial = key.serial;
                    *fresh = keys.into_fresh();
                    return Ok((
                        Opened {
                            serial,
                            protocol,
                            index,
                            left,
                        },
                        len,
                    ));
                }
                Err(OpenError::TooShort) => return Err(UnprotectError::TooShort),
                Err(OpenError::Forged) => error = UnprotectError::Forged,
            }
            if several {
                packet.copy_from_slice(scratch);
            }
        }
        Err(error)
    }
}
