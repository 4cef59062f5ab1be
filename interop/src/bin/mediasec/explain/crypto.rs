//! `a=crypto` lines ([RFC 4568]).
//!
//! [RFC 4568]: https://www.rfc-editor.org/rfc/rfc4568

use sdes::{Attribute, CryptoSuite, KeyParam, SecurityDescription, SessionParameter};

use super::{Settings, fields, tree::Node};
use crate::hex;

/// The line `text`.
pub(crate) fn explain(text: &str, settings: &Settings) -> Node {
    let node = Node::new("a=crypto")
        .at(0..text.len())
        .reference("RFC 4568 §4");
    let attribute = match Attribute::parse(text) {
        Ok(attribute) => attribute,
        Err(error) => return node.failed(format!("a=crypto: {error}")),
    };
    let mut words = Words { text, at: 0 };
    let tag = words.next().unwrap_or_default();
    let tag_at = tag.1 - digits(tag, text)..tag.1;
    let suite = words.next().unwrap_or_default();
    let keys = words.next().unwrap_or_default();
    let mut node = node
        .child(
            Node::new("tag")
                .at(tag_at)
                .value(attribute.tag().to_string())
                .reference("RFC 4568 §4.1"),
        )
        .child(suite_node(&attribute, suite.0..suite.1))
        .children(key_nodes(&attribute, keys.0, settings));
    for (parameter, (start, end)) in attribute.parameters().iter().zip(words) {
        let child = Node::new("session parameter")
            .at(start..end)
            .reference("RFC 4568 §6.3");
        node.push(match parameter {
            Ok(parameter) => session_parameter(&parameter, child),
            Err(error) => child.failed(error.to_string()),
        });
    }
    if let Err(error) = SecurityDescription::parse(text, &[]) {
        node.fail(format!("a=crypto: {error}"));
    }
    node
}

fn digits(tag: (usize, usize), text: &str) -> usize {
    let word = text.get(tag.0..tag.1).unwrap_or_default();
    let tail = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
    word.len() - tail.len()
}

fn suite_node(attribute: &Attribute<'_>, octets: core::ops::Range<usize>) -> Node {
    let suite = attribute.suite();
    let node = Node::new("crypto-suite")
        .at(octets)
        .value(suite.as_str())
        .reference("RFC 4568 §6.2");
    let Some(profile) = suite.profile() else {
        return node.warn_if(
            true,
            "this project has no such suite; no packet can be read with it",
        );
    };
    let (key, salt) = (profile.key_len(), profile.salt_len());
    let (srtp, srtcp) = (profile.srtp_tag_len(), profile.srtcp_tag_len());
    node.child(Node::new("lengths").value(format!(
        "key {key}, salt {salt}, SRTP tag {srtp}, SRTCP tag {srtcp} octets"
    )))
    .warn_if(
        srtp < 10,
        "weak: 32 bits of authentication on SRTP, one forgery in 2^32 goes through",
    )
}

fn key_nodes(attribute: &Attribute<'_>, start: usize, settings: &Settings) -> Vec<Node> {
    let count = attribute.keys().iter().count();
    let default = attribute
        .suite()
        .profile()
        .and_then(|profile| CryptoSuite::registered(profile).ok())
        .map(|suite| suite.default_lifetime());
    let mut nodes: Vec<Node> = Vec::new();
    for key in attribute.keys().iter() {
        let mut node = Node::new("key").reference("RFC 4568 §6.1");
        node.push(Node::new("method").value(key.method()));
        let mki = inline(&key, attribute, default, &mut node, settings);
        if count > 1 && !mki {
            node.warn("MKI missing: with several keys nothing says which one a packet has");
        }
        nodes.push(node);
    }
    // The place of one key is that of the field; of several, it is not told.
    match <[Node; 1]>::try_from(nodes) {
        Ok([only]) => vec![only.at(start..start.saturating_add(key_field_len(attribute)))],
        Err(several) => several,
    }
}

fn key_field_len(attribute: &Attribute<'_>) -> usize {
    // Encoded, the line is tag, suite and keys with one space each.
    let mut encoded = zeroize::Zeroizing::new(String::new());
    match attribute.encode(&mut *encoded) {
        Ok(()) => encoded.split(' ').nth(2).map_or(0, str::len),
        Err(_) => 0,
    }
}

/// Returns whether the key has an MKI.
fn inline(
    key: &KeyParam<'_>,
    attribute: &Attribute<'_>,
    default: Option<srtp::keying::Lifetime>,
    node: &mut Node,
    settings: &Settings,
) -> bool {
    let inline = match key.inline() {
        Ok(inline) => inline,
        Err(error) => {
            node.fail(error.to_string());
            return false;
        }
    };
    match attribute
        .suite()
        .profile()
        .map(|profile| inline.decode(profile))
    {
        None => {}
        Some(Ok(master)) => {
            let show = settings.show_secrets;
            let (key, salt) = (master.expose_key(), master.expose_salt());
            node.push(Node::new("master key").value(fields::secret(key, show)));
            node.push(Node::new("master salt").value(fields::secret(salt, show)));
            if key.windows(2).all(|pair| pair.first() == pair.last()) {
                node.warn("every octet of the key is the same: not random");
            }
        }
        Some(Err(error)) => node.fail(error.to_string()),
    }
    let (lifetime, named) = match (inline.lifetime(), default) {
        (Some(lifetime), _) => (Some(lifetime), ""),
        (None, default) => (default, " (default)"),
    };
    if let Some(lifetime) = lifetime {
        let packets = lifetime.srtp_packets();
        let text = if packets.is_power_of_two() {
            format!("2^{} packets{named}", packets.trailing_zeros())
        } else {
            format!("{packets} packets{named}")
        };
        node.push(Node::new("lifetime").value(text));
    }
    let mki = inline.mki();
    if let Some(mki) = &mki {
        node.push(Node::new("MKI").value(hex::encode(mki.as_octets())));
    }
    mki.is_some()
}

fn session_parameter(parameter: &SessionParameter<'_>, node: Node) -> Node {
    match parameter {
        SessionParameter::KeyDerivationRate(rate) => {
            node.value(format!("new session keys every {} packets", rate.packets()))
        }
        SessionParameter::UnencryptedSrtp => node
            .value("UNENCRYPTED_SRTP")
            .warn_if(true, "media is not encrypted"),
        SessionParameter::UnencryptedSrtcp => node
            .value("UNENCRYPTED_SRTCP")
            .warn_if(true, "SRTCP is not encrypted"),
        SessionParameter::UnauthenticatedSrtp => node
            .value("UNAUTHENTICATED_SRTP")
            .warn_if(true, "media is not authenticated: anyone can change it"),
        SessionParameter::WindowSizeHint(packets) => {
            node.value(format!("replay window of {packets} packets asked for"))
        }
        SessionParameter::FecOrder(order) => node.value(order.as_str()),
        SessionParameter::FecKey(_) => node.value("FEC_KEY, not shown"),
        _ => node.value("an extension").warn_if(
            !parameter.is_ignorable(),
            "unknown and mandatory: the line must not be accepted",
        ),
    }
}

/// Words between spaces and tabs, as places in the text.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let space = |octet: &u8| matches!(octet, b' ' | b'\t');
        let rest = self.text.as_bytes().get(self.at..)?;
        let start = self.at + rest.iter().position(|octet| !space(octet))?;
        let rest = self.text.as_bytes().get(start..)?;
        let end = start + rest.iter().position(space).unwrap_or(rest.len());
        self.at = end;
        Some((start, end))
    }
}
