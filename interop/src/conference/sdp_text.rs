//! Descriptions that change: one m-line is that of the live stream, all others have ended.

use std::net::UdpSocket;

use sdp_sec::lines::Media;
use sdp_sec::{Sdp, conference};

use super::ConferenceError;
use crate::sdp::{Audio, SdpError};

/// A description of one stream that is received at `socket`.
pub(super) fn described(
    socket: &UdpSocket,
    user: &str,
    crypto: Vec<String>,
) -> Result<String, ConferenceError> {
    let audio = Audio {
        address: socket.local_addr()?,
        crypto,
    };
    Ok(audio.describe(user, 1))
}

/// The live stream of a description.
pub(super) fn live_stream(text: &str) -> Result<Audio, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let section = String::from_utf8_lossy(live(&sdp)?.section().octets());
    let session = text.lines().take_while(|line| !line.starts_with("m="));
    let session: String = session.flat_map(|line| [line, "\r\n"]).collect();
    Ok(Audio::read(&(session + &section))?)
}

/// The place of its m-line.
pub(super) fn live_index(text: &str) -> Result<usize, ConferenceError> {
    Ok(live(&Sdp::parse(text.as_bytes())?)?.index())
}

fn live<'a>(sdp: &Sdp<'a>) -> Result<Media<'a>, ConferenceError> {
    for media in sdp.media() {
        if media.media_line()?.port() != 0 {
            return Ok(media);
        }
    }
    Err(if sdp.media_count() == 0 {
        SdpError::NoAudio.into()
    } else {
        SdpError::Refused.into()
    })
}

/// The description with another key for the live stream.
pub(super) fn with_crypto(text: &str, line: &str) -> Result<String, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let media = live(&sdp)?;
    let mut editor = sdp.edit();
    let mut lines = media.section().attributes_named("crypto");
    let first = lines.next().ok_or(SdpError::NotProtected)?;
    editor.replace(first.line().whole(), line)?;
    for other in lines {
        editor.remove(other.line())?;
    }
    next_version(&text_of(editor.finish())?)
}

/// The description with its live stream ended, and begun anew at another port with another key.
pub(super) fn restarted<'l>(
    text: &str,
    socket: &UdpSocket,
    lines: impl IntoIterator<Item = &'l str>,
) -> Result<String, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let lines = lines.into_iter();
    let values: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("a=crypto:"))
        .collect();
    let port = socket.local_addr()?.port();
    let anew = conference::restart_stream(&sdp, live(&sdp)?.index(), port, &values)?;
    next_version(&text_of(anew)?)
}

/// The description with the next version in its o-line (RFC 3264 §8).
fn next_version(text: &str) -> Result<String, ConferenceError> {
    let raised = |line: &str| {
        let mut fields: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let version = fields.get_mut(2)?;
        *version = version.parse::<u64>().ok()?.checked_add(1)?.to_string();
        Some(fields.join(" "))
    };
    let origin = text.lines().find(|line| line.starts_with("o="));
    let origin = origin.ok_or(SdpError::NoAudio)?;
    let next = raised(origin).ok_or(SdpError::NoAudio)?;
    Ok(text.replacen(origin, &next, 1))
}

fn text_of(octets: Vec<u8>) -> Result<String, ConferenceError> {
    String::from_utf8(octets).map_err(|_| SdpError::NoAudio.into())
}
