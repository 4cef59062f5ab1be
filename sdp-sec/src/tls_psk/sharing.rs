use alloc::vec::Vec;

use crate::lines::Media;
use crate::{Path, Rule, Sdp, SdpError, key_mgmt};

/// The discard port, which an active endpoint gives on every line ([RFC 4145 §4.1]).
///
/// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
const DISCARD: u16 = 9;

/// Checks that no TLS line that key management keys shares its TCP connection with another line: the
/// pre-shared key is one session's, the TLS connection would be both's (TR 33.829 §8.3.1.2).
///
/// Lines share a connection if they have one address and port, in c-line and m-line or in the
/// session's MSRP URI. Port 9 of active endpoints is no port.
///
/// ```
/// use sdp_sec::{Rule, Sdp, tls_psk};
///
/// let sdp = Sdp::parse(
///     b"v=0\r\nc=IN IP4 192.0.2.1\r\na=key-mgmt:mikey AQAF\r\n\
///       m=message 4000 TCP/TLS/MSRP *\r\nm=message 4000 TCP/TLS/MSRP *\r\n",
/// )?;
/// assert_eq!(tls_psk::check_no_shared_connection(&sdp), Err(Rule::SharedConnection.at(5)));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// # Errors
///
/// [`Rule::SharedConnection`] with the second of the m-lines; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse) and [`Path::parse`].
pub fn check_no_shared_connection(sdp: &Sdp<'_>) -> Result<(), SdpError> {
    let mut ends: Vec<End<'_>> = Vec::new();
    for media in sdp.media() {
        let line = media.media_line()?;
        if line.port() == 0 || !line.protocol().is_tls() {
            continue;
        }
        let number = line.line().number();
        let keyed = key_mgmt::keys(&media)?;
        let mut push = |host, port| {
            if port != DISCARD {
                ends.push(End {
                    host,
                    port,
                    number,
                    keyed,
                });
            }
        };
        push(address(&media), line.port());
        if let Some(path) = Path::of(media.section())? {
            let session = path.session();
            push(session.host().as_bytes(), session.port().unwrap_or(DISCARD));
        }
    }
    ends.sort_by_key(|end| (end.port, end.host, end.number));
    let same = |a: &End<'_>, b: &End<'_>| a.port == b.port && a.host == b.host;
    for group in ends.chunk_by(same) {
        let first = group.first().map_or(0, |end| end.number);
        let other = group.iter().find(|end| end.number != first);
        if let (Some(other), true) = (other, group.iter().any(|end| end.keyed)) {
            return Err(Rule::SharedConnection.at(other.number));
        }
    }
    Ok(())
}

/// One end of a TCP connection, as a line names it.
struct End<'a> {
    host: &'a [u8],
    port: u16,
    number: usize,
    keyed: bool,
}

/// The address in the c-line that holds.
fn address<'a>(media: &Media<'a>) -> &'a [u8] {
    let value = media
        .connection_line()
        .map(|line| line.value())
        .unwrap_or_default();
    value
        .split(|octet| *octet == b' ')
        .nth(2)
        .unwrap_or_default()
}
