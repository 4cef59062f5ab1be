use alloc::vec::Vec;

use bytes::BufMut;

use crate::{
    DecodeError, EncodeError,
    limits::MAX_CRYPTO_SESSIONS,
    reader::Reader,
    sequence::{Element, Sequence},
};

/// One SRTP stream of an SRTP-ID map ([RFC 3830 §6.1.1]).
///
/// An SSRC of zero is one that the Initiator does not know: the Responder fills it in.
///
/// ```
/// use mikey::payload::SrtpIdSession;
///
/// let session = SrtpIdSession { policy_no: 0, ssrc: 0, roc: 0 };
/// assert!(session.is_placeholder());
/// ```
///
/// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
#[allow(
    clippy::exhaustive_structs,
    reason = "the map has these fields and no others"
)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SrtpIdSession {
    /// The Security Policy of the stream.
    pub policy_no: u8,
    /// The SSRC, or zero where the Responder is to choose.
    pub ssrc: u32,
    /// The rollover counter; 0 if the stream has not begun.
    pub roc: u32,
}

impl SrtpIdSession {
    /// Whether the Responder is to choose the SSRC.
    #[must_use]
    pub const fn is_placeholder(&self) -> bool {
        self.ssrc == 0
    }
}

impl Element<'_> for SrtpIdSession {
    #[inline]
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            policy_no: reader.u8()?,
            ssrc: reader.u32()?,
            roc: reader.u32()?,
        })
    }

    fn encoded_len(&self) -> usize {
        9
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.policy_no);
        out.put_u32(self.ssrc);
        out.put_u32(self.roc);
    }
}

/// SRTP-ID map: SRTP streams, whose place in the map is their CS ID, from 1 ([RFC 3830 §6.1.1]).
///
/// ```
/// use mikey::payload::SrtpIdMap;
///
/// // We send one stream and the peer will send one, whose SSRC only the peer knows.
/// let sessions = SrtpIdMap::offer(0, &[0x1234_5678], 1)?;
/// let offer = SrtpIdMap::new(&sessions)?;
/// assert_eq!(offer.get(2).map(|cs| cs.is_placeholder()), Some(true));
///
/// let answer = offer.answer(&[0x9abc_def0])?;
/// assert_eq!(answer[1].ssrc, 0x9abc_def0);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SrtpIdMap<'a> {
    count: u8,
    sessions: Sequence<'a, SrtpIdSession>,
}

impl<'a> SrtpIdMap<'a> {
    /// A map of `sessions`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooMany`] for more than 255.
    pub fn new(sessions: &'a [SrtpIdSession]) -> Result<Self, EncodeError> {
        let count = u8::try_from(sessions.len()).map_err(|_| EncodeError::TooMany)?;
        Ok(Self {
            count,
            sessions: Sequence::Items(sessions),
        })
    }

    /// The sessions that an Initiator offers: its own SSRCs, then as many places as the Responder
    /// will need ([RFC 3830 §6.1.1], TR 33.829 §D.3).
    ///
    /// The Initiator has to know how many streams the Responder will send; MIKEY cannot add any in
    /// the answer.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooMany`] for more than 255 in all, [`EncodeError::Value`] for an own SSRC of
    /// zero, which would offer it to the Responder.
    ///
    /// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
    pub fn offer(
        policy_no: u8,
        ssrcs: &[u32],
        responder_ssrcs: usize,
    ) -> Result<Vec<SrtpIdSession>, EncodeError> {
        if ssrcs.contains(&0) {
            return Err(EncodeError::Value(0));
        }
        if ssrcs.len().saturating_add(responder_ssrcs) > MAX_CRYPTO_SESSIONS {
            return Err(EncodeError::TooMany);
        }
        let ssrcs = ssrcs
            .iter()
            .copied()
            .chain(core::iter::repeat_n(0, responder_ssrcs));
        Ok(ssrcs
            .map(|ssrc| SrtpIdSession {
                policy_no,
                ssrc,
                roc: 0,
            })
            .collect())
    }

    /// The sessions that a Responder answers with: as offered, with `ssrcs` in the places that are
    /// its own to fill ([RFC 3830 §6.1.1]).
    ///
    /// # Errors
    ///
    /// [`EncodeError::WrongLength`] unless there is one SSRC for each place, and
    /// [`EncodeError::Value`] for one that is zero.
    ///
    /// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
    pub fn answer(&self, ssrcs: &[u32]) -> Result<Vec<SrtpIdSession>, EncodeError> {
        if ssrcs.contains(&0) {
            return Err(EncodeError::Value(0));
        }
        if self.iter().filter(SrtpIdSession::is_placeholder).count() != ssrcs.len() {
            return Err(EncodeError::WrongLength);
        }
        let mut chosen = ssrcs.iter();
        let fill = |session: SrtpIdSession| {
            let ssrc = if session.is_placeholder() {
                chosen.next()
            } else {
                None
            };
            SrtpIdSession {
                ssrc: ssrc.copied().unwrap_or(session.ssrc),
                ..session
            }
        };
        Ok(self.iter().map(fill).collect())
    }

    /// The sessions in order; the first has CS ID 1.
    pub fn iter(&self) -> impl Iterator<Item = SrtpIdSession> + Clone + use<'a> {
        self.sessions.iter()
    }

    /// The session with CS ID `cs_id`.
    #[must_use]
    pub fn get(&self, cs_id: u8) -> Option<SrtpIdSession> {
        self.iter().nth(usize::from(cs_id).checked_sub(1)?)
    }

    /// How many sessions there are: #CS.
    #[must_use]
    pub const fn cs_count(&self) -> u8 {
        self.count
    }

    pub(super) fn parse(reader: &mut Reader<'a>, count: u8) -> Result<Self, DecodeError> {
        Ok(Self {
            count,
            sessions: Sequence::parse_counted(reader, count.into())?,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.sessions.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.sessions.encode(out);
    }
}
