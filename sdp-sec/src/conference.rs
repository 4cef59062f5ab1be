//! What a conference server asks of SDP (TR 33.829 §5.3.1.1, §5.3.2.1, §8.3.1.3, §8.3.2.3).

use alloc::vec::Vec;

use crate::lines::EditError;
use crate::{Protocol, Rule, Sdp, SdpError};

/// Checks a dial-in offer, or the server's own dial-out offer, of a conference that takes secured
/// streams alone: every live m-line is protected (TR 33.829 §5.3.1.1 b).
///
/// ```
/// use sdp_sec::{Rule, Sdp, conference};
///
/// let offer = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\nm=video 4002 RTP/AVP 31\r\n")?;
/// assert_eq!(conference::check_secured_only(&offer), Err(Rule::NotSecured.at(3)));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// # Errors
///
/// [`Rule::NotSecured`] with the first m-line that is not; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn check_secured_only(offer: &Sdp<'_>) -> Result<(), SdpError> {
    for media in offer.media() {
        let line = media.media_line()?;
        if line.port() != 0 && !line.protocol().is_secured() {
            return Err(Rule::NotSecured.at(line.line().number()));
        }
    }
    Ok(())
}

/// Checks an offer to a messaging conference whose server takes TLS alone: every live line of media
/// `message` is `TCP/TLS/MSRP` (TR 33.829 §8.3.1.3, §8.3.2.3).
///
/// # Errors
///
/// [`Rule::NotSecured`] with the first m-line that is not; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn check_messaging_over_tls(offer: &Sdp<'_>) -> Result<(), SdpError> {
    for media in offer.media() {
        let line = media.media_line()?;
        let message = line.media().eq_ignore_ascii_case("message");
        if line.port() != 0 && message && line.protocol() != Protocol::TcpTlsMsrp {
            return Err(Rule::NotSecured.at(line.line().number()));
        }
    }
    Ok(())
}

/// The m-lines that a server with secured streams alone refuses in its answer, where it does not
/// refuse the whole call: their places, from 0.
///
/// # Errors
///
/// As [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn unsecured_lines(offer: &Sdp<'_>) -> Result<Vec<usize>, SdpError> {
    let mut found = Vec::new();
    for media in offer.media() {
        let line = media.media_line()?;
        if line.port() != 0 && !line.protocol().is_secured() {
            found.push(media.index());
        }
    }
    Ok(found)
}

/// The server's re-offer when a participant joins a stream under a group key: the stream at
/// `media_index` ends (port 0), and the same stream begins anew, at `port` and with `crypto` (values
/// of `a=crypto`) in place of its keys, so that every receiver's ROC starts at zero
/// (TR 33.829 §5.3.2.1): in the place of a line of the same media that had ended before
/// (RFC 3264 §8.1), so that a description does not grow with every join, or as the last m-line.
///
/// `last` is the offer or answer that this server sent last. The caller raises the version in its
/// o-line.
///
/// # Errors
///
/// [`RestartError`]; nothing is made.
pub fn restart_stream(
    last: &Sdp<'_>,
    media_index: usize,
    port: u16,
    crypto: &[&str],
) -> Result<Vec<u8>, RestartError> {
    if crypto.is_empty() || port == 0 {
        return Err(RestartError::NoKeyOrPort);
    }
    let media = last
        .media()
        .nth(media_index)
        .ok_or(RestartError::NoSuchStream)?;
    let line = media.media_line()?;
    if line.port() == 0 || !line.protocol().is_signalling_keyed_srtp() {
        return Err(RestartError::NoSuchStream);
    }
    if line.port() == port {
        return Err(RestartError::SamePort);
    }
    let mut ended = last.edit();
    ended.replace(line.port_field(), 0)?;
    let mut restarted = ended.finish();
    if !restarted.ends_with(b"\n") {
        restarted.extend_from_slice(b"\r\n");
    }
    let section = Sdp::parse(media.section().octets())?;
    let mut anew = section.edit();
    for copy in section.media() {
        let mut keys = crypto.iter();
        anew.replace(copy.media_line()?.port_field(), port)?;
        for old in copy.section().attributes_named("crypto") {
            match keys.next() {
                Some(key) => anew.replace(old.line().whole(), format_args!("a=crypto:{key}"))?,
                None => anew.remove(old.line())?,
            }
        }
        for key in keys {
            anew.append(copy.section(), format_args!("a=crypto:{key}"))?;
        }
    }
    let anew = anew.finish();
    let Some(slot) = ended_before(last, media_index)? else {
        restarted.extend_from_slice(&anew);
        return Ok(restarted);
    };
    let ended = Sdp::parse(&restarted)?;
    let mut reused = Vec::with_capacity(restarted.len() + anew.len());
    reused.extend_from_slice(ended.session().octets());
    for media in ended.media() {
        let section = media.section();
        reused.extend_from_slice(if media.index() == slot {
            &anew
        } else {
            section.octets()
        });
        if !reused.ends_with(b"\n") {
            reused.extend_from_slice(b"\r\n");
        }
    }
    Ok(reused)
}

/// The first line of the same media as that at `media_index` whose stream has ended.
fn ended_before(sdp: &Sdp<'_>, media_index: usize) -> Result<Option<usize>, SdpError> {
    let Some(live) = sdp.media().nth(media_index) else {
        return Ok(None);
    };
    let live = live.media_line()?;
    for media in sdp.media() {
        let line = media.media_line()?;
        if line.port() == 0 && line.media() == live.media() && media.index() != media_index {
            return Ok(Some(media.index()));
        }
    }
    Ok(None)
}

/// Checks a participant's answer to [`restart_stream`]: the old line is refused, and the new one has
/// another receive port than the old one had, so that media under the old and the new key are told
/// apart (TR 33.829 §5.3.2.1).
///
/// `before` is what the participant sent last, `media_index` as given to [`restart_stream`].
///
/// # Errors
///
/// [`Rule::MediaCount`], [`Rule::AnswerPort`] with the line; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn check_restarted(
    before: &Sdp<'_>,
    answer: &Sdp<'_>,
    media_index: usize,
) -> Result<(), SdpError> {
    let count = Rule::MediaCount.at(0);
    let lines = before.media_count();
    let (lines, begun) = match ended_before(before, media_index)? {
        Some(slot) => (lines, slot),
        None => (lines + 1, lines),
    };
    if answer.media_count() != lines {
        return Err(count);
    }
    let was = before.media().nth(media_index).ok_or(count)?.media_line()?;
    let ended = answer.media().nth(media_index).ok_or(count)?.media_line()?;
    let begun = answer.media().nth(begun).ok_or(count)?.media_line()?;
    if ended.port() != 0 {
        return Err(Rule::AnswerPort.at(ended.line().number()));
    }
    if begun.port() != 0 && begun.port() == was.port() {
        return Err(Rule::AnswerPort.at(begun.line().number()));
    }
    Ok(())
}

/// A stream cannot be restarted; nothing was made.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::conference::{RestartError, restart_stream};
///
/// let last = Sdp::parse(b"m=audio 4000 RTP/SAVP 0\r\n")?;
/// assert_eq!(restart_stream(&last, 0, 4000, &["1 S inline:K"]), Err(RestartError::SamePort));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RestartError {
    /// A key is not one line.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// No key or no port was given.
    #[error("no key or no port was given")]
    NoKeyOrPort,
    /// There is no live SRTP stream in that place.
    #[error("no live SRTP stream in that place")]
    NoSuchStream,
    /// The new port is the old one.
    #[error("the new port is the old one")]
    SamePort,
    /// The description is malformed.
    #[error(transparent)]
    Sdp(#[from] SdpError),
}
