//! `a=key-mgmt`: a key management message in SDP ([RFC 4567 §3.1]).
//!
//! The message is octets here; what it says is for the key management protocol.
//!
//! [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};

use crate::lines::{Media, Section};
use crate::{Rule, Sdp, SdpError};

/// Most characters of base64 that are decoded; 48 KiB of message.
pub const MAX_BASE64_LEN: usize = 64 * 1024;

/// Most key management protocols that one section may offer.
pub const MAX_PROTOCOLS: usize = 16;

/// The identifier of MIKEY ([RFC 4567 §7]).
///
/// [RFC 4567 §7]: https://www.rfc-editor.org/rfc/rfc4567#section-7
pub const MIKEY: &str = "mikey";

/// The value of `a=key-mgmt`: a protocol identifier and its message in base64 ([RFC 4567 §3.1]).
///
/// `Debug` does not show the message: MIKEY can carry keys in clear.
///
/// ```
/// use sdp_sec::KeyMgmt;
///
/// let value = KeyMgmt::parse(" mikey AQAFgA==")?;
/// assert_eq!((value.protocol(), value.message()?), ("mikey", vec![1, 0, 5, 0x80]));
/// assert_eq!(value.line().to_string(), "a=key-mgmt:mikey AQAFgA==");
/// # Ok::<(), sdp_sec::Rule>(())
/// ```
///
/// [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct KeyMgmt<'a> {
    protocol: &'a str,
    base64: &'a str,
}

impl<'a> KeyMgmt<'a> {
    /// The name of the attribute.
    pub const NAME: &'static str = "key-mgmt";

    /// Reads the attribute's value: an optional space, the identifier, a space, base64 with padding.
    /// The base64 is decoded by [`message`](Self::message).
    ///
    /// # Errors
    ///
    /// [`Rule::KeyMgmt`] for an identifier of other characters than letters and digits, or no
    /// message; [`Rule::TooLong`] beyond [`MAX_BASE64_LEN`].
    pub fn parse(value: &'a str) -> Result<Self, Rule> {
        let value = value.strip_prefix(' ').unwrap_or(value);
        let (protocol, base64) = value.split_once(' ').ok_or(Rule::KeyMgmt)?;
        if base64.len() > MAX_BASE64_LEN {
            return Err(Rule::TooLong);
        }
        if !is_identifier(protocol) || base64.is_empty() {
            return Err(Rule::KeyMgmt);
        }
        Ok(Self { protocol, base64 })
    }

    /// The protocol identifier; its case counts.
    #[must_use]
    pub const fn protocol(&self) -> &'a str {
        self.protocol
    }

    /// The message.
    ///
    /// # Errors
    ///
    /// [`Rule::Base64`] if it is not base64 with padding.
    pub fn message(&self) -> Result<Vec<u8>, Rule> {
        Base64::decode_vec(self.base64).map_err(|_| Rule::Base64)
    }

    /// The value that carries `message` of `protocol`, as text that [`parse`](Self::parse) reads.
    ///
    /// # Errors
    ///
    /// [`Rule::KeyMgmt`] for an identifier that may not be written or an empty message;
    /// [`Rule::TooLong`] for a message whose base64 is beyond [`MAX_BASE64_LEN`].
    pub fn encode(protocol: &str, message: &[u8]) -> Result<String, Rule> {
        if message.len() > MAX_BASE64_LEN / 4 * 3 {
            return Err(Rule::TooLong);
        }
        if !is_identifier(protocol) || message.is_empty() {
            return Err(Rule::KeyMgmt);
        }
        Ok(alloc::format!(
            "{protocol} {}",
            Base64::encode_string(message)
        ))
    }

    /// The value as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy + use<'a> {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for KeyMgmt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.base64)
    }
}

impl fmt::Debug for KeyMgmt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMgmt")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// The key management lines of one section, in order of preference ([RFC 4567 §4.1.2]): one of each
/// protocol.
///
/// # Errors
///
/// As [`KeyMgmt::parse`], and [`Rule::Duplicate`] for a second line of one protocol.
///
/// [RFC 4567 §4.1.2]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.2
pub fn lines_of(section: Section<'_>) -> Result<Vec<KeyMgmt<'_>>, SdpError> {
    let mut found: Vec<KeyMgmt<'_>> = Vec::new();
    for attribute in section.attributes_named(KeyMgmt::NAME) {
        let value = attribute.parse(KeyMgmt::parse)?;
        let number = attribute.line().number();
        if found.len() >= MAX_PROTOCOLS {
            return Err(Rule::TooManyValues.at(number));
        }
        if found.iter().any(|other| other.protocol == value.protocol) {
            return Err(Rule::Duplicate.at(number));
        }
        found.push(value);
    }
    Ok(found)
}

/// Whether key management is said to key this very media section: at media level, or at session
/// level for a line whose protocol is protected ([RFC 4567 §3.1, §5.2]).
///
/// # Errors
///
/// As [`MediaLine::parse`](crate::protocol::MediaLine::parse).
///
/// [RFC 4567 §3.1, §5.2]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
pub fn keys(media: &Media<'_>) -> Result<bool, SdpError> {
    let has = |section: Section<'_>| section.attributes_named(KeyMgmt::NAME).next().is_some();
    Ok(has(media.section())
        || (media.media_line()?.protocol().is_secured() && has(media.session())))
}

/// The list of protocols offered in a section, joined by semicolons: what each of them authenticates
/// so that a stripped line is noticed ([RFC 4567 §4.1.4]). `None` if there is none.
///
/// In MIKEY it is the content of the general extension SDP IDs; the receiver compares it with what
/// this function says of the SDP it received ([RFC 4567 §7]).
///
/// ```
/// use sdp_sec::{Sdp, key_mgmt};
///
/// let sdp = Sdp::parse(b"v=0\r\na=key-mgmt:mikey AQAF\r\na=key-mgmt:keyp1 AAAA\r\n")?;
/// assert_eq!(key_mgmt::protocol_list(sdp.session())?.as_deref(), Some("mikey;keyp1"));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// # Errors
///
/// As [`lines_of`].
///
/// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
/// [RFC 4567 §7]: https://www.rfc-editor.org/rfc/rfc4567#section-7
pub fn protocol_list(section: Section<'_>) -> Result<Option<String>, SdpError> {
    let mut list = String::new();
    for value in lines_of(section)? {
        if !list.is_empty() {
            list.push(';');
        }
        list.push_str(value.protocol);
    }
    Ok(Some(list).filter(|list| !list.is_empty()))
}

/// Checks one description for key management whose protection was taken away: a media section with
/// its own `a=key-mgmt` whose protocol is not protected, or session-level `a=key-mgmt` and no
/// protected m-line at all. Middleboxes have been seen to do that.
///
/// Ended or refused streams (port 0) are not judged.
///
/// ```
/// use sdp_sec::{Rule, Sdp, key_mgmt};
///
/// let sdp = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\na=key-mgmt:mikey AQAF\r\n")?;
/// assert_eq!(key_mgmt::check_protected(&sdp), Err(Rule::ProtectionStripped.at(2)));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// # Errors
///
/// [`Rule::ProtectionStripped`] with the m-line, or with the session's `a=key-mgmt` line; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn check_protected(sdp: &Sdp<'_>) -> Result<(), SdpError> {
    let (mut protected, mut live) = (0_usize, 0_usize);
    for media in sdp.media() {
        let line = media.media_line()?;
        if line.port() == 0 {
            continue;
        }
        live += 1;
        if line.protocol().is_secured() {
            protected += 1;
        } else if media
            .section()
            .attributes_named(KeyMgmt::NAME)
            .next()
            .is_some()
        {
            return Err(Rule::ProtectionStripped.at(line.line().number()));
        }
    }
    match sdp.session().attributes_named(KeyMgmt::NAME).next() {
        Some(line) if live > 0 && protected == 0 => {
            Err(Rule::ProtectionStripped.at(line.line().number()))
        }
        _ => Ok(()),
    }
}

/// Checks that what is sent on protects every line that key management was to key in what was
/// received: the same protocol, and the key management lines still there. A refused line (port 0) is
/// fine.
///
/// For middleboxes and their tests; both descriptions are the same offer, or the same answer.
///
/// # Errors
///
/// [`Rule::ProtectionStripped`] with the m-line in `sent`, or with line 0 if the m-line is gone; as
/// [`MediaLine::parse`](crate::protocol::MediaLine::parse).
pub fn check_forwarded(received: &Sdp<'_>, sent: &Sdp<'_>) -> Result<(), SdpError> {
    let mut after = sent.media();
    for before in received.media() {
        let after = after.next();
        if !keys(&before)? {
            continue;
        }
        let Some(after) = after else {
            return Err(Rule::ProtectionStripped.at(0));
        };
        let (old, new) = (before.media_line()?, after.media_line()?);
        let kept = old.protocol() == new.protocol() && same_lines(&before, &after);
        if new.port() != 0 && !kept {
            return Err(Rule::ProtectionStripped.at(new.line().number()));
        }
    }
    Ok(())
}

/// Whether the `a=key-mgmt` lines that hold for both sections say the same.
fn same_lines(before: &Media<'_>, after: &Media<'_>) -> bool {
    holding(before).eq(holding(after))
}

/// The values of the section's own `a=key-mgmt` lines or, failing that, of the session's.
fn holding<'a>(media: &Media<'a>) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
    let own = media.section();
    let section = match own.attributes_named(KeyMgmt::NAME).next() {
        Some(_) => own,
        None => media.session(),
    };
    section
        .attributes_named(KeyMgmt::NAME)
        .map(|attribute| attribute.value())
}

/// `KMPID` ([RFC 4567 §3]).
///
/// [RFC 4567 §3]: https://www.rfc-editor.org/rfc/rfc4567#section-3
fn is_identifier(protocol: &str) -> bool {
    !protocol.is_empty() && protocol.bytes().all(|octet| octet.is_ascii_alphanumeric())
}
