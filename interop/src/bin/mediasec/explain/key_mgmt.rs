//! Key management in SDP and RTSP ([RFC 4567]).
//!
//! [RFC 4567]: https://www.rfc-editor.org/rfc/rfc4567

use ::mikey::keymgmt::KeyMgmt;

use super::{Settings, mikey, tree::Node};

/// A `key-mgmt` attribute, with or without what names it.
pub(crate) fn attribute(text: &str, settings: &Settings) -> Node {
    let node = Node::new("a=key-mgmt")
        .at(0..text.len())
        .reference("RFC 4567 §3.1");
    let value = after(text, "a=key-mgmt:")
        .or_else(|| after(text, "key-mgmt:"))
        .unwrap_or(text);
    let skipped = text.len() - value.len();
    match KeyMgmt::from_attribute(value) {
        Ok(key_mgmt) => specification(&key_mgmt, node, settings),
        Err(error) => node.failed(format!(
            "a=key-mgmt: octet {}: expected a protocol, a space and base64",
            skipped + error.offset()
        )),
    }
}

/// A `KeyMgmt` header, with or without its name.
pub(crate) fn header(text: &str, settings: &Settings) -> Node {
    let mut node = Node::new("KeyMgmt")
        .at(0..text.len())
        .reference("RFC 4567 §3.2");
    let value = after(text, "keymgmt:").unwrap_or(text);
    let skipped = text.len() - value.len();
    for found in KeyMgmt::from_header(value) {
        match found {
            Ok(key_mgmt) => {
                let uri = key_mgmt.uri().unwrap_or("the whole request");
                let child = Node::new("for").value(uri);
                node.push(specification(&key_mgmt, child, settings));
            }
            Err(error) => node.fail(format!(
                "KeyMgmt: octet {}: expected prot=, uri= and data=, with a semicolon between them",
                skipped + error.offset()
            )),
        }
    }
    node
}

fn specification(key_mgmt: &KeyMgmt<'_>, node: Node, settings: &Settings) -> Node {
    let node = node.child(Node::new("protocol").value(key_mgmt.protocol()));
    if !key_mgmt.is_mikey() {
        return node.warn_if(true, "not MIKEY: its data is not looked into");
    }
    let Ok(octets) = key_mgmt.decode() else {
        return node.failed("key-mgmt: the data is not padded base64");
    };
    match mikey::explain(&octets, settings) {
        Ok(message) => node.child(message),
        Err(error) => node.failed(format!("MIKEY: {error}")),
    }
}

/// What stands behind `prefix`, whatever its case.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
