//! Session descriptions: every line, and what the lines that concern security say together.

use sdes::SecurityDescription;
use sdp_sec::{
    Connection, E2ae, Fingerprint, KeyMgmt, Path, Rule, Sdp, SdpError, Setup, TlsId,
    fingerprint::HashPolicy,
    key_mgmt as sdp_key_mgmt,
    lines::{Attribute, Line, Media, Section},
};

use super::{Settings, crypto, key_mgmt, tree::Node};

/// The description that `octets` are.
pub(crate) fn explain(octets: &[u8], settings: &Settings) -> Result<Node, SdpError> {
    let sdp = Sdp::parse(octets)?;
    let mut node = Node::new("SDP").at(0..octets.len()).reference("RFC 8866");
    let mut places = Places::default();
    let mut session = Node::new("session");
    for line in sdp.session().lines() {
        session.push(explain_line(line, &mut places, settings));
    }
    if has(sdp.session(), "crypto") {
        session.warn("a=crypto at session level: RFC 4568 §5 has it at media level alone");
    }
    node.push(session);
    let mut keys = Vec::new();
    for media in sdp.media() {
        node.push(explain_media(&media, &mut places, &mut keys, settings));
    }
    if let Err(error) = sdp_key_mgmt::check_protected(&sdp)
        && error.rule() == Rule::ProtectionStripped
    {
        node.warn(format!(
            "line {}: a=key-mgmt, but nothing that it protects; has a middlebox been here?",
            error.line()
        ));
    }
    Ok(node)
}

/// Octets before the next line.
#[derive(Default)]
struct Places(usize);

impl Places {
    fn next(&mut self, line: Line<'_>) -> core::ops::Range<usize> {
        let start = self.0;
        let end = start + line.octets().len();
        self.0 = end + line.end().octets().len();
        start..end
    }
}

fn explain_line(line: Line<'_>, places: &mut Places, settings: &Settings) -> Node {
    let octets = places.next(line);
    let node = match line.attribute() {
        Some(attribute) => explain_attribute(&attribute, settings),
        None => plain(line, settings),
    };
    let label = format!("line {}", line.number());
    Node::new(label).at(octets).child(node).flattened()
}

fn plain(line: Line<'_>, settings: &Settings) -> Node {
    let text = String::from_utf8_lossy(line.octets());
    let hidden = !settings.show_secrets;
    let shown = |node: Node| {
        if hidden {
            node.value("hidden")
        } else {
            node.value(&*text)
        }
    };
    match line.kind() {
        Some(b'k') => shown(Node::new("k="))
            .reference("RFC 8866 §5.12")
            .warn_if(true, "k= is obsolete: a key for whoever sees the line"),
        None => shown(Node::new("no line")).failed("expected a letter and an equals sign"),
        Some(_) if may_hold_key(&text) => shown(Node::new("it may hold a key")),
        Some(_) => Node::new(text),
    }
}

/// Keys in lines that only look like those that hold keys.
fn may_hold_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["inline:", "crypto", "key-mgmt", "mikey", "x-mediasec-mod"]
        .iter()
        .any(|word| lower.contains(word))
}

fn explain_attribute(attribute: &Attribute<'_>, settings: &Settings) -> Node {
    let line = attribute.line();
    let Ok(text) = core::str::from_utf8(line.octets()) else {
        return plain(line, settings);
    };
    if attribute.is("crypto") {
        return crypto::explain(text, settings);
    }
    if attribute.is(KeyMgmt::NAME) {
        return key_mgmt::attribute(text, settings);
    }
    let node = plain(line, settings);
    let judged = |node: Node, reference, judged: Result<(), SdpError>| {
        let node = node.reference(reference);
        match judged {
            Ok(()) => node,
            Err(error) => node.failed(error.rule().to_string()),
        }
    };
    if attribute.is(Fingerprint::NAME) {
        return fingerprint(attribute, node.reference("RFC 8122 §5"));
    }
    if attribute.is(Setup::NAME) {
        return judged(node, "RFC 4145 §4", attribute.parse(Setup::parse).map(drop));
    }
    if attribute.is(Connection::NAME) {
        let connection = attribute.parse(Connection::parse).map(drop);
        return judged(node, "RFC 4145 §5", connection);
    }
    if attribute.is(TlsId::NAME) {
        return judged(node, "RFC 8842 §4", attribute.parse(TlsId::parse).map(drop));
    }
    if attribute.is(E2ae::NAME) {
        return judged(
            node,
            "TS 24.229 §7.5.2",
            attribute.parse(E2ae::parse).map(drop),
        );
    }
    if attribute.is(Path::NAME) {
        return judged(
            node,
            "RFC 4975 §8.1",
            attribute.parse(Path::parse).map(drop),
        );
    }
    node
}

fn fingerprint(attribute: &Attribute<'_>, node: Node) -> Node {
    match attribute.parse(Fingerprint::parse) {
        Ok(fingerprint) => {
            let hash = fingerprint.hash();
            let weak = !HashPolicy::default().allows(hash);
            node.warn_if(
                weak,
                "a hash function whose collisions are known: it authenticates no certificate",
            )
        }
        Err(error) => node.failed(error.rule().to_string()),
    }
}

fn has(section: Section<'_>, name: &str) -> bool {
    section.attributes_named(name).next().is_some()
}

fn explain_media(
    media: &Media<'_>,
    places: &mut Places,
    keys: &mut Vec<(usize, SecurityDescription)>,
    settings: &Settings,
) -> Node {
    let mut node = Node::new(format!("media {}", media.index() + 1));
    for line in media.lines() {
        node.push(explain_line(line, places, settings));
    }
    match media.media_line() {
        Ok(line) => {
            let protocol = line.protocol();
            node = node.value(format!("{} over {protocol}", line.media()));
            if line.port() != 0 {
                judge_protection(media, protocol, &mut node);
            }
        }
        Err(error) => node.fail(error.rule().to_string()),
    }
    judge_keys(media, keys, &mut node);
    node
}

fn judge_protection(media: &Media<'_>, protocol: sdp_sec::Protocol<'_>, node: &mut Node) {
    let section = media.section();
    let crypto = has(section, "crypto");
    let managed = sdp_key_mgmt::keys(media).unwrap_or(false);
    let fingerprint = has(section, Fingerprint::NAME) || has(media.session(), Fingerprint::NAME);
    if !protocol.is_secured() {
        node.warn("not protected");
    } else if protocol.is_signalling_keyed_srtp() && !crypto && !managed {
        node.warn("nothing keys this line: neither a=crypto nor a=key-mgmt");
    } else if (protocol.is_tls() || protocol.is_dtls()) && !fingerprint && !managed {
        node.warn("nothing says whose certificate is right: no a=fingerprint");
    }
    if crypto && !protocol.is_signalling_keyed_srtp() {
        node.warn(
            "a key on a line that is neither RTP/SAVP nor RTP/SAVPF: it protects nothing, \
             and whoever reads the line has it",
        );
    }
    if has(section, Fingerprint::NAME) && !has(section, Setup::NAME) {
        node.warn("a=fingerprint without a=setup: who connects is left to the default");
    }
}

/// Tags and keys that stand more than once.
fn judge_keys(media: &Media<'_>, keys: &mut Vec<(usize, SecurityDescription)>, node: &mut Node) {
    let mut tags = Vec::new();
    for attribute in media.section().attributes_named("crypto") {
        let Ok(text) = core::str::from_utf8(attribute.line().octets()) else {
            continue;
        };
        let Ok(description) = SecurityDescription::parse(text, &[]) else {
            continue;
        };
        let number = attribute.line().number();
        let tag = description.tag();
        if tags.contains(&tag) {
            node.warn(format!(
                "line {number}: tag {tag} stands twice, so an answer cannot say which it accepts"
            ));
        }
        tags.push(tag);
        if let Some((first, _)) = keys.iter().find(|(_, known)| known.repeats(&description)) {
            node.warn(format!(
                "line {number}: the key of line {first} again: a keystream used twice"
            ));
        }
        // More are not compared: it takes time quadratic in their number.
        if keys.len() < sdes::limits::MAX_KEYS_PER_SDP {
            keys.push((number, description));
        }
    }
}
