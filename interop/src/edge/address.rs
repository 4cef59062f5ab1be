//! Where each end of a stream receives: read from a description, and replaced by the IMS-AGW's.

use core::net::{IpAddr, SocketAddr};

use sdp_sec::lines::{EditError, Line, Media};
use sdp_sec::{Sdp, SdpError};

/// An address in a description cannot be used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// A stream has no readable `c=` line with an IP address.
    #[error("line {line}: no c= line with an IP address for this stream")]
    Connection {
        /// The m-line's number, from 1.
        line: usize,
    },
    /// It could not be written anew.
    #[error("{0}")]
    Edit(#[from] EditError),
    /// It cannot be read.
    #[error("{0}")]
    Sdp(#[from] SdpError),
}

/// Where an end receives one stream.
///
/// ```
/// use interop::edge::Remote;
///
/// let sdp = b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n";
/// let remote = Remote::read(sdp)?;
/// assert_eq!(remote[0].map(|r| r.rtcp), Some(([192, 0, 2, 1], 4001).into()));
/// assert_eq!(remote[1], None);
/// # Ok::<(), interop::edge::AddressError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remote {
    /// RTP, or everything where there is no RTP.
    pub media: SocketAddr,
    /// RTCP, where it has a port of its own ([RFC 3605], else the next one).
    ///
    /// [RFC 3605]: https://www.rfc-editor.org/rfc/rfc3605
    pub rtcp: SocketAddr,
    /// RTP and RTCP on one port ([RFC 5761]).
    ///
    /// [RFC 5761]: https://www.rfc-editor.org/rfc/rfc5761
    pub rtcp_mux: bool,
}

impl Remote {
    /// The streams of a description in order; `None` for one that is refused or ended.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the description, or an address in it, cannot be read.
    pub fn read(sdp: &[u8]) -> Result<Vec<Option<Self>>, AddressError> {
        let sdp = Sdp::parse(sdp)?;
        sdp.media().map(|media| Self::of(&media)).collect()
    }

    fn of(media: &Media<'_>) -> Result<Option<Self>, AddressError> {
        let m_line = media.media_line()?;
        if m_line.port() == 0 {
            return Ok(None);
        }
        let missing = AddressError::Connection {
            line: m_line.line().number(),
        };
        let ip = media.connection_line().and_then(ip_address);
        let address = SocketAddr::new(ip.ok_or(missing)?, m_line.port());
        let explicit = media.attribute("rtcp")?.and_then(|rtcp| {
            let value = core::str::from_utf8(rtcp.value()?).ok()?;
            value.split_whitespace().next()?.parse().ok()
        });
        let rtcp_port = explicit.unwrap_or(address.port().saturating_add(1));
        Ok(Some(Self {
            media: address,
            rtcp: SocketAddr::new(address.ip(), rtcp_port),
            rtcp_mux: media.attribute("rtcp-mux")?.is_some(),
        }))
    }
}

/// Writes the IMS-AGW's own ports into the streams that it anchors, and its address beside them. The
/// active side of a TCP connection says port 9 (RFC 4145 §4.1).
pub(super) fn anchor(
    sdp: &[u8],
    own: impl Fn(usize) -> Option<SocketAddr>,
) -> Result<Vec<u8>, AddressError> {
    const DISCARD: u16 = 9;
    let sdp = Sdp::parse(sdp)?;
    let mut editor = sdp.edit();
    for media in sdp.media() {
        let m_line = media.media_line()?;
        let Some(own) = own(media.index()).filter(|_| m_line.port() != 0) else {
            continue;
        };
        let active = media
            .attribute("setup")?
            .is_some_and(|setup| setup.value() == Some(b"active"));
        let is_tcp = m_line.protocol().as_str().starts_with("TCP");
        let port = if active && is_tcp {
            DISCARD
        } else {
            own.port()
        };
        editor.replace(m_line.port_field(), port)?;
        let connection = connection(own.ip());
        if !media.lines().any(|line| line.kind() == Some(b'c')) {
            editor.insert_after(m_line.line(), &connection)?;
        }
        for line in media.lines() {
            if line.kind() == Some(b'c') {
                editor.replace(line.whole(), &connection)?;
            } else if line.attribute().is_some_and(|a| a.is("rtcp")) {
                let rtcp = own.port().saturating_add(1);
                editor.replace(line.whole(), format_args!("a=rtcp:{rtcp}"))?;
            }
        }
    }
    Ok(editor.finish())
}

fn connection(ip: IpAddr) -> String {
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!("c=IN {family} {ip}")
}

fn ip_address(line: Line<'_>) -> Option<IpAddr> {
    let value = core::str::from_utf8(line.value()).ok()?;
    let mut words = value.split_whitespace().skip(2);
    words.next()?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_anchored_streams_are_rewritten() {
        let sdp = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4007\r\n\
                   m=video 4002 RTP/AVP 31\r\nm=message 2855 TCP/TLS/MSRP *\r\n\
                   c=IN IP4 192.0.2.9\r\na=setup:active\r\n";
        let own = |index| {
            [
                Some(([127, 0, 0, 1], 50).into()),
                None,
                Some(([127, 0, 0, 1], 60).into()),
            ][index]
        };
        let rewritten = anchor(sdp.as_bytes(), own).unwrap();
        let expected = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 50 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n\
                        a=rtcp:51\r\nm=video 4002 RTP/AVP 31\r\nm=message 9 TCP/TLS/MSRP *\r\n\
                        c=IN IP4 127.0.0.1\r\na=setup:active\r\n";
        assert_eq!(core::str::from_utf8(&rewritten), Ok(expected));
        let rtcp = Remote::read(sdp.as_bytes()).unwrap()[0].unwrap().rtcp;
        assert_eq!(rtcp, ([192, 0, 2, 1], 4007).into());
    }
}
