use mikey::keymgmt;
use roxmltree::{Document, ParsingOptions};
use smime_psk::MimeError;
use smime_psk::mime::Entity;

/// Users that one list names.
pub const MAX_RECIPIENTS: usize = 64;

const BOUNDARY: &str = "mediasec-boundary";
const NAMESPACE: &str = "urn:ietf:params:xml:ns:resource-lists";
const LIST: &str = "application/resource-lists+xml";

/// A body is not one of an INVITE to a conference.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InviteError {
    /// The MIME of it.
    #[error("body: {0}")]
    Mime(#[from] MimeError),
    /// The message of `application/mikey` is not one in base64.
    #[error("body: no MIKEY message in base64")]
    Mikey,
    /// The list of recipients is no XML, or not one of `<entry uri=.../>`.
    #[error("body: no list of recipients")]
    List,
    /// A part is there twice, or the description is not there.
    #[error("body: a part is missing, or there twice")]
    Parts,
    /// The list names too many.
    #[error("body: too many recipients")]
    TooMany,
}

impl From<roxmltree::Error> for InviteError {
    fn from(_: roxmltree::Error) -> Self {
        Self::List
    }
}

/// The body of an INVITE to a conference factory, or of its answer (TR 33.829 §5.3.3.3): the SDP,
/// beside it a MIKEY message, and perhaps those whom the focus shall invite (§5.3.3.4.1, RFC 5366).
///
/// ```
/// use interop::conference::Invite;
///
/// let mut invite = Invite::new("v=0\r\n");
/// invite.mikey = Some(vec![1, 2, 3]);
/// invite.recipients = vec!["sip:bob@example.com".into()];
/// assert_eq!(Invite::read(&invite.to_vec())?, invite);
/// # Ok::<(), interop::conference::InviteError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "parts that are there or not")]
pub struct Invite {
    /// `application/sdp`.
    pub sdp: String,
    /// `application/mikey`: the TRANSFER_INIT that creates the conference or updates its list, or the
    /// TRANSFER_RESP.
    pub mikey: Option<Vec<u8>>,
    /// `application/resource-lists+xml` with the disposition `recipient-list`: URIs.
    pub recipients: Vec<String>,
}

impl Invite {
    /// With a description alone.
    #[must_use]
    pub fn new(sdp: &str) -> Self {
        Self {
            sdp: sdp.to_owned(),
            mikey: None,
            recipients: Vec::new(),
        }
    }

    /// The body with its Content-Type before it.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = format!("Content-Type: multipart/mixed;boundary=\"{BOUNDARY}\"\r\n\r\n");
        let mut part = |head: &str, body: &str| {
            let part = format!("--{BOUNDARY}\r\nContent-Type: {head}\r\n\r\n{body}\r\n");
            out.push_str(&part);
        };
        part("application/sdp", &self.sdp);
        if let Some(message) = &self.mikey {
            let head = format!(
                "{}\r\nContent-Transfer-Encoding: base64",
                keymgmt::MEDIA_TYPE
            );
            part(&head, &keymgmt::body_to_base64(message));
        }
        if !self.recipients.is_empty() {
            let head = format!("{LIST}\r\nContent-Disposition: recipient-list");
            let entries = self.recipients.iter();
            let entries = entries.map(|uri| format!("<entry uri=\"{}\"/>", escaped(uri)));
            let list = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                 <resource-lists xmlns=\"{NAMESPACE}\"><list>{}</list></resource-lists>",
                entries.collect::<String>()
            );
            part(&head, &list);
        }
        format!("{out}--{BOUNDARY}--\r\n").into_bytes()
    }

    /// Reads what [`to_vec`](Self::to_vec) writes. Parts of other types are left out.
    ///
    /// # Errors
    ///
    /// [`InviteError`].
    pub fn read(octets: &[u8]) -> Result<Self, InviteError> {
        let (mut sdp, mut mikey, mut recipients) = (None, None, None);
        for part in Entity::parse(octets)?.parts()? {
            let body = part.decoded_body()?;
            let media_type = part.media_type()?;
            let twice = match media_type.essence() {
                "application/sdp" => {
                    let text = String::from_utf8(body.into_owned());
                    sdp.replace(text.map_err(|_| InviteError::Parts)?).is_some()
                }
                keymgmt::MEDIA_TYPE => {
                    if body.is_empty() {
                        return Err(InviteError::Mikey);
                    }
                    mikey.replace(body.into_owned()).is_some()
                }
                LIST => {
                    let disposition = part.headers().single("Content-Disposition")?;
                    if disposition.as_deref() != Some("recipient-list") {
                        continue;
                    }
                    recipients.replace(uris(&body)?).is_some()
                }
                _ => false,
            };
            if twice {
                return Err(InviteError::Parts);
            }
        }
        Ok(Self {
            sdp: sdp.ok_or(InviteError::Parts)?,
            mikey,
            recipients: recipients.unwrap_or_default(),
        })
    }
}

fn uris(xml: &[u8]) -> Result<Vec<String>, InviteError> {
    let text = core::str::from_utf8(xml).map_err(|_| InviteError::List)?;
    let document = parse(text)?;
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "resource-lists")) {
        return Err(InviteError::List);
    }
    let entries = root.descendants();
    let entries = entries.filter(|node| node.has_tag_name((NAMESPACE, "entry")));
    let uris = entries.map(|entry| entry.attribute("uri").map(str::to_owned));
    let uris: Vec<_> = uris.collect::<Option<_>>().ok_or(InviteError::List)?;
    if uris.len() > MAX_RECIPIENTS {
        return Err(InviteError::TooMany);
    }
    Ok(uris)
}

/// XML of a peer: no DTD, and so no entities of its own; not without end.
pub(super) fn parse(text: &str) -> Result<Document<'_>, roxmltree::Error> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: 4096,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
}

/// Text as it stands between quotes in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they are, a parser would make spaces of them.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_of_xml_keeps_every_character() {
        let uri = "sip:\"a<b>\"&c\t\r\n@example.com";
        let mut invite = Invite::new("v=0\r\n");
        invite.recipients = vec![uri.to_owned()];
        assert_eq!(Invite::read(&invite.to_vec()), Ok(invite));
    }
}
