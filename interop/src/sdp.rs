//! The SDP of a call with one protected audio stream, as text.
//!
//! Only what a call between two of our own user agents needs: one `m=audio` line with PCMU over
//! `RTP/SAVP` ([RFC 3711 §12]), RTP and RTCP on one port ([RFC 5761]).
//!
//! [RFC 3711 §12]: https://www.rfc-editor.org/rfc/rfc3711#section-12
//! [RFC 5761]: https://www.rfc-editor.org/rfc/rfc5761

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

const SECURE_PROFILE: &str = "RTP/SAVP";

/// A description does not give a protected audio stream.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SdpError {
    /// There is no `m=audio` line, or it or the `c=` line cannot be read.
    #[error("no readable audio stream in the description")]
    NoAudio,
    /// The stream is offered or answered without protection.
    #[error("the audio stream is not RTP/SAVP")]
    NotProtected,
    /// The answerer has refused the stream: its port is zero.
    #[error("the audio stream was refused")]
    Refused,
}

/// A protected audio stream of a description.
///
/// ```
/// use interop::sdp::Audio;
///
/// let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
/// let audio = Audio { address: ([192, 0, 2, 1], 49_170).into(), crypto: vec![line.into()] };
/// let text = audio.describe("alice", 1);
/// assert!(text.contains("m=audio 49170 RTP/SAVP 0\r\n"));
/// assert_eq!(Audio::read(&text)?, audio);
/// # Ok::<(), interop::sdp::SdpError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audio {
    /// Where the describing side receives.
    pub address: SocketAddr,
    /// The lines that key it, in its order of preference: `a=crypto`, or `a=key-mgmt`.
    pub crypto: Vec<String>,
}

impl Audio {
    /// The description that `user` sends, as offer or as answer.
    #[must_use]
    pub fn describe(&self, user: &str, session_id: u32) -> String {
        let family = if self.address.is_ipv4() { "IP4" } else { "IP6" };
        let ip = self.address.ip();
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o={user} {session_id} 1 IN {family} {ip}"),
            "s=-".to_owned(),
            format!("c=IN {family} {ip}"),
            "t=0 0".to_owned(),
            format!("m=audio {} {SECURE_PROFILE} 0", self.address.port()),
            "a=rtpmap:0 PCMU/8000".to_owned(),
            "a=ptime:20".to_owned(),
            "a=rtcp-mux".to_owned(),
        ];
        lines.extend(self.crypto.iter().cloned());
        lines.into_iter().map(|line| line + "\r\n").collect()
    }

    /// An answer that refuses the stream: port zero, no key.
    #[must_use]
    pub fn refuse(user: &str, session_id: u32) -> String {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self {
            address,
            crypto: Vec::new(),
        }
        .describe(user, session_id)
    }

    /// Reads the first audio stream of a description.
    ///
    /// # Errors
    ///
    /// [`SdpError`] if there is none, it is not protected, or it was refused.
    pub fn read(text: &str) -> Result<Self, SdpError> {
        let mut lines = text
            .lines()
            .skip_while(|line| !line.starts_with("m=audio "));
        let mut media = lines
            .next()
            .ok_or(SdpError::NoAudio)?
            .split_whitespace()
            .skip(1);
        let port: u16 = media
            .next()
            .and_then(|port| port.parse().ok())
            .ok_or(SdpError::NoAudio)?;
        if media.next() != Some(SECURE_PROFILE) {
            return Err(SdpError::NotProtected);
        }
        if port == 0 {
            return Err(SdpError::Refused);
        }
        let section: Vec<&str> = lines.take_while(|line| !line.starts_with("m=")).collect();
        let session = text.lines().take_while(|line| !line.starts_with("m="));
        let ip = section
            .iter()
            .copied()
            .chain(session)
            .find_map(|line| line.strip_prefix("c=IN "))
            .and_then(|connection| connection.split_whitespace().nth(1))
            .and_then(|address| address.parse().ok())
            .ok_or(SdpError::NoAudio)?;
        let crypto = section
            .iter()
            .filter(|line| line.starts_with("a=crypto:") || line.starts_with("a=key-mgmt:"))
            .map(|line| (*line).to_owned())
            .collect();
        Ok(Self {
            address: SocketAddr::new(ip, port),
            crypto,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_in_clear_is_not_taken() {
        let text = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 5000 RTP/AVP 0\r\na=crypto:1 x\r\n";
        assert_eq!(Audio::read(text), Err(SdpError::NotProtected));
    }

    #[test]
    fn a_refused_stream_is_not_taken() {
        assert_eq!(
            Audio::read(&Audio::refuse("bob", 2)),
            Err(SdpError::Refused)
        );
    }

    #[test]
    fn lines_of_another_stream_are_not_taken() {
        let text =
            "c=IN IP6 ::1\r\nm=audio 5000 RTP/SAVP 0\r\nm=video 6 RTP/SAVP 9\r\na=crypto:1 x";
        let audio = Audio::read(text).unwrap();
        assert_eq!(
            (audio.address.to_string().as_str(), audio.crypto.len()),
            ("[::1]:5000", 0)
        );
    }

    #[test]
    fn what_is_no_description_is_refused() {
        for text in [
            "",
            "m=audio",
            "m=audio x RTP/SAVP 0",
            "m=audio 5 RTP/SAVP 0",
            "m=video 1 RTP/SAVP",
        ] {
            assert_eq!(Audio::read(text), Err(SdpError::NoAudio), "{text}");
        }
    }
}
