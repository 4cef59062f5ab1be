//! What every answer owes its offer ([RFC 3264 §6]).
//!
//! [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6

use crate::{Rule, Sdp, SdpError};

/// Checks that an answer has the m-lines of its offer: as many, in the same order, of the same media
/// and protocol ([RFC 3264 §6]), but for feedback (`AVP`, `AVPF`), which may have been negotiated as a
/// capability (RFC 5939). A refused line (port 0) may have another protocol; a line that was
/// offered with port 0 must stay refused.
///
/// ```
/// use sdp_sec::{Rule, Sdp, answer};
///
/// let offer = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\n")?;
/// let plain = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n")?;
/// assert_eq!(answer::check(&offer, &plain), Err(Rule::AnswerProtocol.at(2)));
/// let refused = Sdp::parse(b"v=0\r\nm=audio 0 RTP/AVP 0\r\n")?;
/// assert_eq!(answer::check(&offer, &refused), Ok(()));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// # Errors
///
/// [`Rule::MediaCount`] with line 0; [`Rule::AnswerMedia`], [`Rule::AnswerProtocol`] or
/// [`Rule::AnswerPort`] with the answer's line; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
///
/// [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6
pub fn check(offer: &Sdp<'_>, answer: &Sdp<'_>) -> Result<(), SdpError> {
    if offer.media_count() != answer.media_count() {
        return Err(Rule::MediaCount.at(0));
    }
    for (offered, answered) in offer.media().zip(answer.media()) {
        let (offered, answered) = (offered.media_line()?, answered.media_line()?);
        let fault = |rule: Rule| Err(rule.at(answered.line().number()));
        if !offered.media().eq_ignore_ascii_case(answered.media()) {
            return fault(Rule::AnswerMedia);
        }
        if answered.port() == 0 {
            continue;
        }
        if offered.port() == 0 {
            return fault(Rule::AnswerPort);
        }
        let protocol = answered.protocol();
        if offered.protocol().with_feedback_of(protocol) != protocol {
            return fault(Rule::AnswerProtocol);
        }
    }
    Ok(())
}
