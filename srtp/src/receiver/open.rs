//! Opens one packet: all that is checked before its tag, the keys it may have, and what it changes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::Cryptex;
use crate::error::UnprotectError;
use crate::framing::{OpenError, RtcpPacket, RtpPacket, Trailer, Unsigned, rtcp};
use crate::header_extension::is_cryptex;
use crate::keying::{RocTransport, RocTransportMode};
use crate::keys::{Derived, Key, Serving};
use crate::packet::{RtpHeader, rtcp_ssrc};
use crate::replay::Used;
use crate::session::{Done, Place, Session};
use crate::session_keys::{Protocol, SessionKeys};

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

/// What is known of a packet before it is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint {
    /// Where its stream probably is.
    pub(crate) likely: usize,
    pub(crate) verdict: Option<Verdict>,
}

impl Hint {
    pub(crate) const fn stream_at(likely: usize) -> Self {
        Self {
            likely,
            verdict: None,
        }
    }

    /// The verdict, if it was reached by this key and index.
    #[inline]
    pub(crate) fn verdict_for(&self, serial: u32, index: u64) -> Option<bool> {
        let verdict = self.verdict.filter(|verdict| verdict.is_for(serial, index));
        verdict.map(|verdict| verdict.right)
    }
}

/// The MAC of a packet, to be computed with those of others before the packet is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guess {
    pub(crate) serial: u32,
    pub(crate) index: u64,
    pub(crate) unsigned: Unsigned,
}

/// Room for a copy of a packet that several keys may have to be tried on, in sessions that have them.
#[derive(Default)]
pub(super) struct Spare(Vec<u8>);

/// Why a packet was refused, and the SSRC it names if it could be read.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) ssrc: Option<u32>,
    pub(super) error: UnprotectError,
}

/// The long way of RTP.
pub(super) fn open_rtp(
    session: &mut Session,
    packet: &mut [u8],
    spare: &mut Option<Box<Spare>>,
    hint: &Hint,
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
    let place = session.place_near(header.ssrc, hint.likely);
    let index = index_of(session, &place, packet, &header, trailer);
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
        RtpPacket {
            framing,
            keys,
            header,
            index,
        }
        .open(packet, trailer, hint.verdict_for(serial, index))
    };
    let mut derived = Derived::default();
    let opened = attempt.open(packet, spare, &mut derived, open);
    let (opened, len) = opened.map_err(refuse)?;
    // RFC 4771 3: in mode 1 a packet without a tag proves nothing, so it moves nothing either.
    let mode = framing.parameters.roc_transport.map(RocTransport::mode);
    if trailer.authenticates() || mode != Some(RocTransportMode::Mode1) {
        let serial = opened.serial;
        session.commit(opened.by(place), len);
        if derived.is_fresh() {
            session.keep(&mut derived, serial, Protocol::Srtp, index);
        }
        session.keys.note_opened(header.ssrc, serial);
    }
    Ok(len)
}

pub(super) fn open_rtcp(
    session: &mut Session,
    packet: &mut [u8],
    spare: &mut Option<Box<Spare>>,
    _: &Hint,
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
    let mut derived = Derived::default();
    let opened = attempt.open(packet, spare, &mut derived, open);
    let (opened, len) = opened.map_err(refuse)?;
    let serial = opened.serial;
    session.commit(opened.by(place), len);
    if derived.is_fresh() {
        session.keep(&mut derived, serial, Protocol::Srtcp, index.into());
    }
    session.keys.note_opened(ssrc, serial);
    Ok(len)
}

/// The SRTP index by the ROC that the packet carries, or else by estimate.
///
/// What is carried in mode 3 is nobody's word, and counts only until the application knows better
/// ([RFC 4771 §3]).
///
/// [RFC 4771 §3]: https://www.rfc-editor.org/rfc/rfc4771#section-3
pub(super) fn index_of(
    session: &Session,
    place: &Place,
    packet: &[u8],
    header: &RtpHeader,
    trailer: Trailer,
) -> Option<u64> {
    let Some(roc) = trailer.roc_of(packet) else {
        return session.srtp_index(place, header.seq);
    };
    let transport = session.framing.parameters.roc_transport;
    let bare = transport.map(RocTransport::mode) == Some(RocTransportMode::Mode3);
    if bare
        && session
            .stream(place)
            .is_some_and(|stream| stream.roc_synchronised)
    {
        return session.srtp_index(place, header.seq);
    }
    Some(u64::from(roc) << 16 | u64::from(header.seq))
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
pub(super) struct Candidates<'a> {
    serving: Serving<'a>,
    /// A key with the MKI of the packet; while keys are replaced, there may be others.
    named: Option<&'a Key>,
    /// The key that opened the packet before it.
    latest: Option<&'a Key>,
    /// The SRTP index that `<From, To>` of the keys is compared with.
    srtp_index: u64,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(
        session: &'a Session,
        place: &Place,
        mki: Option<&[u8]>,
        srtp_index: u64,
    ) -> Result<Self, UnprotectError> {
        if !session.serves(place) {
            return Err(UnprotectError::UnknownSsrc);
        }
        let serving = session.serving(place);
        let mki = mki.unwrap_or_default();
        let named = match session.framing.mki_len {
            0 => None,
            _ => Some(serving.with_mki(mki).ok_or(UnprotectError::UnknownMki)?),
        };
        let latest = session
            .stream(place)
            .and_then(|stream| serving.by_serial(stream.latest_serial()));
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
    pub(super) fn iter(self) -> impl Iterator<Item = &'a Key> {
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
        spare: &mut Option<Box<Spare>>,
        derived: &mut Derived,
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
        let copy = several.then(|| {
            let copy = &mut spare.get_or_insert_default().0;
            copy.clear();
            copy.extend_from_slice(packet);
            &*copy
        });
        let mut error = UnprotectError::NoKey;
        for key in candidates.iter() {
            let left = session.left(place, key, protocol);
            if left == 0 {
                error = UnprotectError::KeyExpired;
                continue;
            }
            let derivation = session.keys.derivation();
            let keys = key.session_keys(derivation, protocol, index, derived);
            match open(key.serial, keys.ok_or(error)?, packet) {
                Ok(len) => {
                    let serial = key.serial;
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
            if let Some(copy) = copy {
                packet.copy_from_slice(copy);
            }
        }
        Err(error)
    }
}
