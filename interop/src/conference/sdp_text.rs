//! Descriptions that change: the last m-line is the live stream.

use std::net::UdpSocket;

use sdp_sec::Sdp;

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

/// The last stream of a description.
pub(super) fn last_stream(text: &str) -> Result<Audio, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let media = sdp.media().last().ok_or(SdpError::NoAudio)?;
    let section = String::from_utf8_lossy(media.section().octets());
    let session = text.lines().take_while(|line| !line.starts_with("m="));
    let session: String = session.flat_map(|line| [line, "\r\n"]).collect();
    Ok(Audio::read(&(session + &section))?)
}

/// How many m-lines.
pub(super) fn streams(text: &str) -> Result<usize, ConferenceError> {
    Ok(Sdp::parse(text.as_bytes())?.media_count())
}

/// The description with another key for the last stream.
pub(super) fn with_crypto(text: &str, line: &str) -> Result<String, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let media = sdp.media().last().ok_or(SdpError::NoAudio)?;
    let mut editor = sdp.edit();
    let mut lines = media.section().attributes_named("crypto");
    let first = lines.next().ok_or(SdpError::NotProtected)?;
    editor.replace(first.line().whole(), line)?;
    for other in lines {
        editor.remove(other.line())?;
    }
    next_version(&text_of(editor.finish())?)
}

/// The description with its last stream ended and `stream`, of another description, in its place.
pub(super) fn restarted(text: &str, stream: &str) -> Result<String, ConferenceError> {
    let sdp = Sdp::parse(text.as_bytes())?;
    let media = sdp.media().last().ok_or(SdpError::NoAudio)?;
    let mut editor = sdp.edit();
    editor.replace(media.media_line()?.port_field(), 0)?;
    let begin = stream.find("m=audio").ok_or(SdpError::NoAudio)?;
    let section = stream.get(begin..).unwrap_or_default();
    next_version(&(text_of(editor.finish())? + section))
}

/// The description with the next version in its o-line (RFC 3264 §8).
pub(super) fn next_version(text: &str) -> Result<String, ConferenceError> {
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

pub(super) fn text_of(octets: Vec<u8>) -> Result<String, ConferenceError> {
    String::from_utf8(octets).map_err(|_| SdpError::NoAudio.into())
}
