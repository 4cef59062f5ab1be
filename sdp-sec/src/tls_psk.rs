//! Which crypto session of a MIKEY message keys which m-line (TR 33.829 §8.3.1.2, annex D.3;
//! [RFC 4567 §7.1]).
//!
//! Offerer and answerer see the same offer and number alike:
//!
//! - A message at session level has the crypto sessions (CS) of every protected m-line that has no
//!   `a=key-mgmt` of its own, in the order of the m-lines; a message at media level has those of its
//!   m-line alone. CS IDs of each message begin at 1.
//! - An SRTP line has a set of CS, a TLS or DTLS line (X/TLS/Y) has one.
//! - Lines that are not protected, and lines with port 0 *in the offer*, have none. A line that the
//!   answer refuses keeps its CS IDs, unused; a re-offer is numbered anew from its own lines.
//!
//! Levels may be mixed, but what that means is "not well defined" (TR 33.829 annex D.3). Here a
//! line's own message wins, as [RFC 4567 §3.1] has it; [`MixedLevels::Refuse`] does not take them.
//!
//! [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
//! [RFC 4567 §7.1]: https://www.rfc-editor.org/rfc/rfc4567#section-7.1

mod sharing;

pub use sharing::check_no_shared_connection;

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::lines::{Media, Section};
use crate::{KeyMgmt, Rule, Sdp, SdpError};

/// How many SRTP streams (SSRCs) each side will send on one m-line.
///
/// The offerer must know what the answerer will send (TR 33.829 annex D.3), but not its SSRCs: in the
/// offer's message those entries have SSRC 0, and the answer's message fills them in
/// ([RFC 3830 §6.1.1]).
///
/// ```
/// use sdp_sec::tls_psk::StreamCount;
///
/// assert_eq!(StreamCount::ONE_EACH, StreamCount { offerer: 1, answerer: 1 });
/// ```
///
/// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StreamCount {
    /// What the offerer sends; its CS IDs come first.
    pub offerer: u8,
    /// What the answerer sends.
    pub answerer: u8,
}

impl StreamCount {
    /// One stream each way.
    pub const ONE_EACH: Self = Self {
        offerer: 1,
        answerer: 1,
    };
}

/// How the CS of an SRTP line are numbered.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::tls_psk::{CryptoSessions, MixedLevels, Numbering, StreamCount};
///
/// let offer = Sdp::parse(b"a=key-mgmt:mikey AQAF\r\nm=audio 1 RTP/SAVP 0\r\n")?;
/// let counts = [StreamCount { offerer: 2, answerer: 1 }];
/// let sessions =
///     CryptoSessions::of_offer(&offer, Numbering::PerSsrc(&counts), MixedLevels::MediaWins)?;
/// assert_eq!(sessions.lines()[0].cs_ids(), 1..=3);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Numbering<'n> {
    /// Two consecutive CS IDs for each SRTP line, one for each direction ([RFC 4567 §7.1]).
    ///
    /// [RFC 4567 §7.1]: https://www.rfc-editor.org/rfc/rfc4567#section-7.1
    TwoPerLine,
    /// A CS ID for each SSRC, as MIKEY-TICKET has it (TR 33.829 annex D.3): the counts of each
    /// m-line of the offer, in order; those of lines that are not SRTP are not looked at.
    PerSsrc(&'n [StreamCount]),
}

/// What is made of `a=key-mgmt` at both levels of one description.
///
/// ```
/// use sdp_sec::tls_psk::{CryptoSessions, MixedLevels, Numbering};
/// use sdp_sec::{Rule, Sdp};
///
/// let offer = Sdp::parse(
///     b"a=key-mgmt:mikey AQAF\r\nm=audio 1 RTP/SAVP 0\r\na=key-mgmt:mikey AQAG\r\n",
/// )?;
/// let strict = CryptoSessions::of_offer(&offer, Numbering::TwoPerLine, MixedLevels::Refuse);
/// assert_eq!(strict.err(), Some(Rule::MixedLevels.at(3)));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MixedLevels {
    /// A line's own message wins; the others use the session's.
    #[default]
    MediaWins,
    /// The description is refused.
    Refuse,
}

/// Which MIKEY message, and so which crypto session bundle, a CS ID belongs to.
///
/// ```
/// use sdp_sec::tls_psk::Bundle;
///
/// assert_ne!(Bundle::Session, Bundle::Media(0));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bundle {
    /// That of `a=key-mgmt` at session level.
    Session,
    /// That of `a=key-mgmt` in the media section with this index.
    Media(usize),
}

/// What the crypto sessions of a line are for.
///
/// ```
/// use sdp_sec::tls_psk::{Purpose, StreamCount};
///
/// assert_ne!(Purpose::Srtp(StreamCount::ONE_EACH), Purpose::Tls);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Purpose {
    /// SRTP, so many streams.
    Srtp(StreamCount),
    /// One TLS or DTLS connection: the TEK of its CS is the pre-shared key (TR 33.829 annex D.2).
    Tls,
}

/// The crypto sessions of one m-line.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::tls_psk::{CryptoSessions, MixedLevels, Numbering};
///
/// let offer = Sdp::parse(b"m=audio 1 RTP/SAVP 0\r\na=key-mgmt:mikey AQAF\r\n")?;
/// let sessions =
///     CryptoSessions::of_offer(&offer, Numbering::TwoPerLine, MixedLevels::MediaWins)?;
/// for line in sessions.lines() {
///     assert_eq!((line.offerer_cs_ids(), line.answerer_cs_ids()), (1..=1, 2..=2));
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LineSessions {
    media_index: usize,
    bundle: Bundle,
    purpose: Purpose,
    first: u8,
    last: u8,
}

impl LineSessions {
    /// The place of the m-line, from 0.
    #[must_use]
    pub const fn media_index(&self) -> usize {
        self.media_index
    }

    /// The message that has them.
    #[must_use]
    pub const fn bundle(&self) -> Bundle {
        self.bundle
    }

    /// What they are for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// All their CS IDs.
    #[must_use]
    pub const fn cs_ids(&self) -> RangeInclusive<u8> {
        self.first..=self.last
    }

    /// The CS IDs of the streams that the offerer sends; empty for TLS.
    #[must_use]
    pub const fn offerer_cs_ids(&self) -> RangeInclusive<u8> {
        match self.purpose {
            Purpose::Srtp(count) => self.first..=(self.first - 1 + count.offerer),
            Purpose::Tls => NO_CS_IDS,
        }
    }

    /// The CS IDs of the streams that the answerer sends, whose SSRC the offer's message leaves 0;
    /// empty for TLS.
    #[must_use]
    pub const fn answerer_cs_ids(&self) -> RangeInclusive<u8> {
        match self.purpose {
            Purpose::Srtp(count) if count.answerer != 0 => (self.first + count.offerer)..=self.last,
            _ => NO_CS_IDS,
        }
    }
}

/// The crypto sessions of all m-lines of an offer.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::tls_psk::{Bundle, CryptoSessions, MixedLevels, Numbering, Purpose};
///
/// let offer = Sdp::parse(
///     b"v=0\r\na=key-mgmt:mikey AQAF\r\n\
///       m=audio 4000 RTP/SAVP 97\r\n\
///       m=video 4002 RTP/AVP 98\r\n\
///       m=message 4004 TCP/TLS/MSRP *\r\n",
/// )?;
/// let sessions = CryptoSessions::of_offer(&offer, Numbering::TwoPerLine, MixedLevels::MediaWins)?;
/// let lines: Vec<_> = sessions.lines().iter().map(|l| (l.media_index(), l.cs_ids())).collect();
/// assert_eq!(lines, [(0, 1..=2), (2, 3..=3)]);
/// let tls = sessions.line_of(Bundle::Session, 3).map(|line| line.purpose());
/// assert_eq!(tls, Some(Purpose::Tls));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CryptoSessions {
    lines: Vec<LineSessions>,
    media: usize,
}

impl CryptoSessions {
    /// Numbers the crypto sessions of `offer`.
    ///
    /// # Errors
    ///
    /// [`Rule::ProtectionStripped`] for a line with its own `a=key-mgmt` that is not protected;
    /// [`Rule::MixedLevels`] if the levels are mixed and `mixed` refuses that;
    /// [`Rule::TooManyCryptoSessions`] if one message would need more than 255;
    /// [`Rule::UnknownStreams`] if an SRTP line's count is missing or zero both ways; as
    /// [`check_no_shared_connection`] and [`MediaLine::parse`](crate::protocol::MediaLine::parse).
    pub fn of_offer(
        offer: &Sdp<'_>,
        numbering: Numbering<'_>,
        mixed: MixedLevels,
    ) -> Result<Self, SdpError> {
        crate::key_mgmt::check_protected(offer)?;
        check_no_shared_connection(offer)?;
        let at_session_level = key_mgmt_line(offer.session());
        let mut lines = Vec::new();
        let mut last_of_session: u8 = 0;
        for media in offer.media() {
            let line = media.media_line()?;
            let number = line.line().number();
            let own = key_mgmt_line(media.section());
            let protocol = line.protocol();
            if line.port() == 0 || !protocol.is_secured() || own.or(at_session_level).is_none() {
                continue;
            }
            if own.is_some() && at_session_level.is_some() && mixed == MixedLevels::Refuse {
                return Err(Rule::MixedLevels.at(own.unwrap_or(number)));
            }
            let purpose = if protocol.is_signalling_keyed_srtp() {
                Purpose::Srtp(
                    streams(numbering, media.index()).ok_or(Rule::UnknownStreams.at(number))?,
                )
            } else {
                Purpose::Tls
            };
            let (bundle, before) = match own {
                Some(_) => (Bundle::Media(media.index()), 0),
                None => (Bundle::Session, last_of_session),
            };
            let count = match purpose {
                Purpose::Srtp(count) => count.offerer.checked_add(count.answerer),
                Purpose::Tls => Some(1),
            };
            let last = count
                .and_then(|count| before.checked_add(count))
                .ok_or(Rule::TooManyCryptoSessions.at(number))?;
            if bundle == Bundle::Session {
                last_of_session = last;
            }
            let media_index = media.index();
            lines.push(LineSessions {
                media_index,
                bundle,
                purpose,
                first: before + 1,
                last,
            });
        }
        Ok(Self {
            lines,
            media: offer.media_count(),
        })
    }

    /// The lines that have crypto sessions, in order.
    #[must_use]
    pub fn lines(&self) -> &[LineSessions] {
        &self.lines
    }

    /// The line of one CS ID.
    #[must_use]
    pub fn line_of(&self, bundle: Bundle, cs_id: u8) -> Option<&LineSessions> {
        self.lines
            .iter()
            .find(|line| line.bundle == bundle && line.cs_ids().contains(&cs_id))
    }

    /// How many crypto sessions the message of `bundle` has.
    #[must_use]
    pub fn count(&self, bundle: Bundle) -> u8 {
        let of_bundle = self.lines.iter().filter(|line| line.bundle == bundle);
        of_bundle.map(|line| line.last).max().unwrap_or(0)
    }

    /// Checks the answer: as many m-lines; and each line with crypto sessions is refused (port 0), or
    /// has the offer's protocol, but for feedback (RFC 5939), and `a=key-mgmt` at the offer's level.
    ///
    /// # Errors
    ///
    /// [`Rule::MediaCount`], or [`Rule::ProtectionStripped`] with the m-line: the call must not go on.
    pub fn check_answer(&self, offer: &Sdp<'_>, answer: &Sdp<'_>) -> Result<(), SdpError> {
        if answer.media_count() != self.media || offer.media_count() != self.media {
            return Err(Rule::MediaCount.at(0));
        }
        let mut sessions = self.lines.iter().peekable();
        for (offered, answered) in offer.media().zip(answer.media()) {
            let Some(line) = sessions.next_if(|line| line.media_index == offered.index()) else {
                continue;
            };
            let (old, new) = (offered.media_line()?, answered.media_line()?);
            let level: fn(&Media<'_>) -> Option<usize> = match line.bundle {
                Bundle::Session => |media| key_mgmt_line(media.session()),
                Bundle::Media(_) => |media| key_mgmt_line(media.section()),
            };
            let protocol = new.protocol();
            let same = old.protocol().with_feedback_of(protocol) == protocol;
            let kept = same && level(&answered).is_some();
            if new.port() != 0 && !kept {
                return Err(Rule::ProtectionStripped.at(new.line().number()));
            }
        }
        Ok(())
    }
}

/// The first `a=key-mgmt` line of a section.
fn key_mgmt_line(section: Section<'_>) -> Option<usize> {
    section
        .attributes_named(KeyMgmt::NAME)
        .next()
        .map(|attribute| attribute.line().number())
}

fn streams(numbering: Numbering<'_>, index: usize) -> Option<StreamCount> {
    match numbering {
        Numbering::TwoPerLine => Some(StreamCount::ONE_EACH),
        Numbering::PerSsrc(counts) => counts
            .get(index)
            .copied()
            .filter(|count| count.offerer != 0 || count.answerer != 0),
    }
}

const NO_CS_IDS: RangeInclusive<u8> = RangeInclusive::new(1, 0);
