//! CMS messages: every element of the encoding, named where the message is an AuthEnvelopedData.

use der::{Decode, Header, Reader, SliceReader, Tag, asn1::ObjectIdentifier};
use smime_psk::{AuthEnvelopedData, DecodeError, DecodeErrorKind, Encoding, Oid, RecipientInfo};

use super::{Settings, mikey, tree::Node};
use crate::hex;

/// Deeper elements are shown as octets.
const MAX_DEPTH: usize = 32;

/// Most elements that are shown.
const MAX_ELEMENTS: usize = 20_000;

const OIDS: [(&str, &str); 15] = [
    ("1.2.840.113549.1.7.1", "id-data"),
    ("1.2.840.113549.1.7.2", "id-signedData"),
    ("1.2.840.113549.1.7.3", "id-envelopedData"),
    ("1.2.840.113549.1.9.3", "id-contentType"),
    ("1.2.840.113549.1.9.4", "id-messageDigest"),
    ("1.2.840.113549.1.9.5", "id-signingTime"),
    ("1.2.840.113549.1.9.16.1.23", "id-ct-authEnvelopedData"),
    ("2.16.840.1.101.3.4.1.5", "id-aes128-wrap"),
    ("2.16.840.1.101.3.4.1.6", "id-aes128-GCM"),
    ("2.16.840.1.101.3.4.1.7", "id-aes128-CCM"),
    ("2.16.840.1.101.3.4.1.25", "id-aes192-wrap"),
    ("2.16.840.1.101.3.4.1.26", "id-aes192-GCM"),
    ("2.16.840.1.101.3.4.1.45", "id-aes256-wrap"),
    ("2.16.840.1.101.3.4.1.46", "id-aes256-GCM"),
    ("2.16.840.1.101.3.4.1.47", "id-aes256-CCM"),
];

/// The message that `octets` are.
pub(crate) fn explain(octets: &[u8], settings: &Settings) -> Result<Node, DecodeError> {
    let mut elements = Elements { left: MAX_ELEMENTS };
    let encoded = elements.read_all(octets, 0, 0);
    let message = match AuthEnvelopedData::parse(octets, Encoding::Ber) {
        Ok(message) => message,
        // Another kind of CMS: what it is made of, at least.
        Err(error) if error.kind() == DecodeErrorKind::NotAuthEnvelopedData => {
            let mut node = Node::new("CMS message").at(0..octets.len());
            node.warn("not an AuthEnvelopedData: no message of TR 33.829 annex B");
            return Ok(node.children(encoded.unwrap_or_default()));
        }
        Err(error) => return Err(error),
    };
    let mut node = Node::new("CMS AuthEnvelopedData")
        .at(0..octets.len())
        .reference("RFC 5083 §2.1")
        .children(
            message
                .recipient_infos()
                .map(|info| recipient(&info, settings)),
        )
        .child(Node::new("encrypted content").value(format!("{} octets", message.content_len())));
    let mac = Node::new("mac")
        .value(hex::encode(message.mac()))
        .warn_if(message.mac().len() < 12, "a tag of fewer than 96 bits");
    node.push(mac);
    match encoded {
        Some(mut encoded) => {
            if let Some(content_info) = encoded.first_mut() {
                name_fields(content_info);
            }
            node.push(Node::new("encoding").children(encoded));
        }
        None => node.warn("BER and not DER: its elements are not shown"),
    }
    Ok(node)
}

fn recipient(info: &RecipientInfo<'_>, settings: &Settings) -> Node {
    let node = Node::new("recipient").reference("RFC 5652 §6.2");
    match info {
        RecipientInfo::Kek(kek) => {
            let wrapped = kek.encrypted_key().len();
            node.value("a key that both sides have")
                .child(Node::new("key identifier").value(hex::shorten(kek.key_identifier())))
                .child(Node::new("wrapped content key").value(format!("{wrapped} octets")))
        }
        RecipientInfo::Other(other) => {
            let oid = other.ori_type().to_string();
            let mut node = node
                .value("another way")
                .child(Node::new("oriType").value(oid));
            let octets = other.octets().unwrap_or(other.ori_value());
            if let Ok(message) = mikey::explain(octets, settings) {
                node.push(message);
                node = node.warn_if(
                    other.ori_type() == Oid::EXAMPLE_ORI_MIKEY,
                    "the object identifier is an example: id-ori-mikey was never registered",
                );
            } else {
                node.push(Node::new("oriValue").value(hex::shorten(octets)));
            }
            node
        }
        RecipientInfo::KeyTrans => node.value("a public key (key transport)"),
        RecipientInfo::KeyAgree => node.value("key agreement"),
        RecipientInfo::Password => node.value("a password"),
        _ => node.value("an unknown kind"),
    }
}

struct Elements {
    left: usize,
}

impl Elements {
    /// All of `octets` as elements; `None` if they are not DER.
    fn read_all(&mut self, octets: &[u8], base: usize, depth: usize) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        let mut at = 0;
        while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
            self.left = self.left.checked_sub(1)?;
            let mut reader = SliceReader::new(rest).ok()?;
            let header = Header::decode(&mut reader).ok()?;
            let start = usize::try_from(reader.position()).ok()?;
            let len = usize::try_from(header.length()).ok()?;
            let contents = rest.get(start..start.checked_add(len)?)?;
            let place = base + at;
            let node = Node::new(header.tag().to_string()).at(place..place + start + len);
            let constructed = header.tag().is_constructed() && depth < MAX_DEPTH;
            nodes.push(if constructed {
                let within = self.read_all(contents, place + start, depth + 1)?;
                node.children(within)
            } else {
                node.value(primitive(header.tag(), contents))
            });
            at += start + len;
        }
        Some(nodes)
    }
}

fn primitive(tag: Tag, contents: &[u8]) -> String {
    if tag == Tag::ObjectIdentifier
        && let Ok(oid) = ObjectIdentifier::from_bytes(contents)
    {
        let oid = oid.to_string();
        let name = OIDS.iter().find(|(known, _)| *known == oid);
        return match name {
            Some((_, name)) => format!("{oid} ({name})"),
            None => oid,
        };
    }
    hex::shorten(contents)
}

/// Gives the elements the names of their fields ([RFC 5652 §3], [RFC 5083 §2.1]).
///
/// [RFC 5652 §3]: https://www.rfc-editor.org/rfc/rfc5652#section-3
/// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
fn name_fields(content_info: &mut Node) {
    content_info.rename("ContentInfo");
    let [content_type, content] = content_info.nodes_mut() else {
        return;
    };
    content_type.rename("contentType");
    content.rename("content");
    let [enveloped] = content.nodes_mut() else {
        return;
    };
    enveloped.rename("AuthEnvelopedData");
    let mut fields = enveloped.nodes_mut().iter_mut();
    let Some(version) = fields.next() else {
        return;
    };
    version.rename("version");
    let mut recipients_seen = false;
    let mut content_seen = false;
    for field in fields {
        let name = match (field.label(), recipients_seen, content_seen) {
            (label, false, _) if label.contains("SET") => {
                recipients_seen = true;
                "recipientInfos"
            }
            (_, false, _) => "originatorInfo",
            (_, true, false) => {
                content_seen = true;
                for (part, name) in field.nodes_mut().iter_mut().zip([
                    "contentType",
                    "contentEncryptionAlgorithm",
                    "encryptedContent",
                ]) {
                    part.rename(name);
                }
                "authEncryptedContentInfo"
            }
            (label, true, true) if label.contains("OCTET STRING") => "mac",
            (label, true, true) if label.contains('1') => "authAttrs",
            _ => "unauthAttrs",
        };
        field.rename(name);
    }
}
