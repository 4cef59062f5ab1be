mod open;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use bytes::BytesMut;

use crate::builder::Builder;
use crate::common_case;
use crate::error::{SessionError, UnprotectError};
use crate::event::Event;
use crate::framing::{RtpPacket, Trailer, Unsigned};
use crate::keying::{
    KeyDerivationRate, KeyEntry, KeySet, MasterKey, MasterKeySource, Mki, Profile,
};
use crate::keys::Derived;
use crate::packet::RtpHeader;
use crate::session::{Rekey, Session, StreamInfo};
use crate::session_keys::Protocol;
use crate::stats::UnmatchedStats;
use crate::transform::HmacSha1;

use open::{Candidates, Refusal, Spare, index_of, open_rtcp, open_rtp};
pub(crate) use open::{Guess, Hint, Verdict};

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
    previous: Option<Box<Previous>>,
    unmatched: UnmatchedStats,
    /// A packet that several keys may have to be tried on, of a session that has them.
    spare: Option<Box<Spare>>,
}

struct Previous {
    session: Session,
    grace: u32,
    /// A packet that both sessions may have to be tried on.
    copy: Vec<u8>,
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
            spare: None,
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
        let hint = Hint::stream_at(self.session.streams.recent());
        self.unprotect_rtp_hinted(packet, &hint)
    }

    /// Opens the SRTCP packet that fills `packet` and returns the length of the RTCP packet at its
    /// start.
    ///
    /// # Errors
    ///
    /// [`UnprotectError`]: drop the packet.
    pub fn unprotect_rtcp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        self.unprotect(packet, open_rtcp, &Hint::stream_at(0))
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

    /// Says whether the application knows that the ROC of this stream is the sender's: if so, the ROC
    /// that packets carry in [`RocTransportMode::Mode3`](crate::keying::RocTransportMode::Mode3),
    /// which anyone may have changed, is removed and not looked at ([RFC 4771 §3]).
    ///
    /// `false` where a stream begins, and again where it goes on after its removal or on another node.
    /// Nothing to other modes, which authenticate what they carry.
    ///
    /// # Errors
    ///
    /// [`SessionError::UnknownSsrc`].
    ///
    /// [RFC 4771 §3]: https://www.rfc-editor.org/rfc/rfc4771#section-3
    pub fn set_roc_synchronised(
        &mut self,
        ssrc: u32,
        synchronised: bool,
    ) -> Result<(), SessionError> {
        let stream = self.session.streams.get_mut(ssrc);
        stream.ok_or(SessionError::UnknownSsrc)?.roc_synchronised = synchronised;
        Ok(())
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
        let (mut copy, mut derived) = (packet.to_vec(), Derived::default());
        for (roc, tried) in rocs.take(MAX_ROC_SEARCH).zip(1..) {
            let index = u64::from(roc) << 16 | u64::from(header.seq);
            let keys = Candidates::new(session, &place, trailer.mki_of(packet), index)?;
            for key in keys.iter() {
                let derivation = session.keys.derivation();
                let keys = key.session_keys(derivation, Protocol::Srtp, index, &mut derived);
                let keys = keys.ok_or(UnprotectError::NoKey)?;
                let attempt = RtpPacket {
                    framing,
                    keys,
                    header,
                    index,
                };
                if attempt.open(&mut copy, trailer, None).is_ok() {
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
    /// [`SessionError::UnknownMki`]; [`SessionError::LastKey`] if it is the only one;
    /// [`SessionError::RetiredKeys`].
    pub fn remove_key(&mut self, mki: &Mki) -> Result<(), SessionError> {
        self.session.remove_key(mki)
    }

    /// Takes `keys` before the peer begins to send with them. The keys in use so far stay until
    /// the new ones have opened `grace` packets, or [`drop_old_keys`](Self::drop_old_keys); replays
    /// are refused whatever key a packet comes with. Of each key given up 20 octets stay remembered,
    /// so that it cannot come back.
    ///
    /// The same keys again change nothing: neither the ROC nor the replay list
    /// ([RFC 4568 §7.1.4]).
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] for a key that is in use or was given up, since its packets could
    /// be replayed; [`SessionError::ParametersChanged`]; [`SessionError::Keying`];
    /// [`SessionError::RetiredKeys`]. The receiver is then as it was.
    ///
    /// [RFC 4568 §7.1.4]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.4
    pub fn rekey(&mut self, keys: &KeySet, rekey: Rekey, grace: u32) -> Result<(), SessionError> {
        if let Some(session) = self.session.rekey(keys, rekey, grace)? {
            self.previous = (grace > 0).then(|| {
                Box::new(Previous {
                    session,
                    grace,
                    copy: Vec::new(),
                })
            });
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

    /// Whether there are MACs to guess about: none under an AEAD, and none that would outlast the
    /// session keys they are of.
    #[inline]
    pub(crate) fn guesses(&self) -> bool {
        let framing = &self.session.framing;
        !framing.profile.is_aead()
            && self.previous.is_none()
            && framing.parameters.srtp_kdr == KeyDerivationRate::ZERO
    }

    /// What the MAC of an SRTP packet is expected to be under, as things stand: a guess, which earlier
    /// packets of a batch may yet prove wrong. `None` if nothing is to be gained by it.
    #[inline]
    pub(crate) fn guess(&self, packet: &[u8], likely: usize) -> Option<(Guess, &HmacSha1)> {
        if self.previous.is_none()
            && let Some(guess) = common_case::guess(&self.session, packet, likely)
        {
            return Some(guess);
        }
        self.guess_any(packet, likely)
    }

    /// The long way.
    #[inline(never)]
    fn guess_any(&self, packet: &[u8], likely: usize) -> Option<(Guess, &HmacSha1)> {
        let session = &self.session;
        let framing = &session.framing;
        if !self.guesses() {
            return None;
        }
        let header = RtpHeader::parse(packet, |seq| Trailer::new(framing, seq).len()).ok()?;
        let trailer = Trailer::new(framing, header.seq);
        if trailer.mac == 0 {
            return None;
        }
        let place = session.place_near(header.ssrc, likely);
        let index = index_of(session, &place, packet, &header, trailer)?;
        let keys = Candidates::new(session, &place, trailer.mki_of(packet), index).ok()?;
        let key = keys.iter().next()?;
        session.check(&place, Protocol::Srtp, index).ok()?;
        let guess = Guess {
            serial: key.serial,
            index,
            unsigned: Unsigned {
                message: packet.len().checked_sub(trailer.len())?,
                roc: crate::index::roc(index).to_be_bytes(),
                mac_at: packet.len().checked_sub(trailer.mac)?,
                mac_len: trailer.mac,
            },
        };
        Some((guess, key.srtp_mac()?))
    }

    /// [`unprotect_rtp_in_place`](Self::unprotect_rtp_in_place), with the verdict on the MAC if the
    /// guess that it was reached by proves right.
    pub(crate) fn unprotect_rtp_hinted(
        &mut self,
        packet: &mut [u8],
        hint: &Hint,
    ) -> Result<usize, UnprotectError> {
        if self.previous.is_none()
            && let Some(opened) = common_case::open(&mut self.session, packet, hint)
        {
            return opened;
        }
        self.unprotect(packet, open_rtp, hint)
    }

    /// The long way.
    #[inline(never)]
    fn unprotect(
        &mut self,
        packet: &mut [u8],
        open: impl Fn(&mut Session, &mut [u8], &mut Option<Box<Spare>>, &Hint) -> Result<usize, Refusal>,
        hint: &Hint,
    ) -> Result<usize, UnprotectError> {
        let spare = &mut self.spare;
        let opened = match &mut self.previous {
            None => open(&mut self.session, packet, spare, hint),
            Some(previous) => {
                previous.copy.clear();
                previous.copy.extend_from_slice(packet);
                let hint = Hint::stream_at(hint.likely);
                match open(&mut self.session, packet, spare, &hint) {
                    Ok(len) => {
                        previous.grace = previous.grace.saturating_sub(1);
                        Ok(len)
                    }
                    Err(refusal) => {
                        packet.copy_from_slice(&previous.copy);
                        open(&mut previous.session, packet, spare, &hint).map_err(|_| refusal)
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
