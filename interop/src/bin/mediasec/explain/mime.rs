//! MIME entities and SIP messages: their parts, each by its media type.

use smime_psk::{
    MimeError,
    mime::{Entity, Headers, MediaType},
};

use super::{Settings, cms, key_mgmt, mikey, sdp, tree::Node};

/// Deeper parts are counted and not shown.
const MAX_DEPTH: usize = 4;

/// Fields that are shown; others may hold credentials.
const SHOWN: [&str; 9] = [
    "Call-ID",
    "Content-Disposition",
    "Content-ID",
    "Content-Transfer-Encoding",
    "Content-Type",
    "CSeq",
    "Date",
    "From",
    "To",
];

/// The entity that `octets` are.
pub(crate) fn explain(octets: &[u8], settings: &Settings) -> Result<Node, MimeError> {
    let entity = Entity::parse(octets)?;
    Ok(entity_node(&entity, Node::new("MIME entity"), 0, settings))
}

/// The SIP message that `octets` are; `None` if they are none.
pub(crate) fn sip(octets: &[u8], settings: &Settings) -> Option<Node> {
    let end = octets.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = octets.split_at_checked(end)?;
    let line = core::str::from_utf8(line).ok()?;
    let answer = line.strip_prefix("SIP/2.0 ");
    let request = line.strip_suffix(" SIP/2.0");
    let shown = match (answer, request) {
        (Some(status), _) => status,
        // The request URI may have anything in it; the method says enough.
        (None, Some(request)) => request.split(' ').next()?,
        (None, None) => return None,
    };
    let entity = Entity::parse(rest.get(2..)?).ok()?;
    let node = Node::new("SIP message")
        .value(shown)
        .reference("RFC 3261 §7");
    Some(entity_node(&entity, node, 0, settings))
}

fn entity_node(entity: &Entity<'_>, mut node: Node, depth: usize, settings: &Settings) -> Node {
    node = node.at(0..entity.as_octets().len());
    headers(entity.headers(), &mut node, settings);
    let media_type = match content_type(entity) {
        Some(Ok(media_type)) => media_type,
        Some(Err(error)) => return node.failed(format!("Content-Type: {error}")),
        None => return node,
    };
    let essence = media_type.essence();
    if essence.starts_with("multipart/") {
        return match entity.parts() {
            Ok(_) if depth == MAX_DEPTH => node.warn_if(true, "parts nested too deep to show"),
            Ok(parts) => node.children(
                parts
                    .iter()
                    .map(|part| entity_node(part, Node::new("part"), depth + 1, settings)),
            ),
            Err(error) => node.failed(error.to_string()),
        };
    }
    let body = match entity.decoded_body() {
        Ok(body) => body,
        Err(error) => return node.failed(error.to_string()),
    };
    let explained = match essence {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            cms::explain(&body, settings).map_err(|error| error.to_string())
        }
        "application/mikey" => mikey::explain(&body, settings).map_err(|error| error.to_string()),
        "application/sdp" => sdp::explain(&body, settings).map_err(|error| error.to_string()),
        _ => Ok(Node::new("body").value(format!("{} octets", body.len()))),
    };
    match explained {
        Ok(child) => node.child(child),
        Err(error) => node.failed(format!("{essence}: {error}")),
    }
}

/// As [`Entity::media_type`], also under the compact name that SIP has for it.
fn content_type(entity: &Entity<'_>) -> Option<Result<MediaType, MimeError>> {
    let value = entity.headers().single("Content-Type").transpose()?;
    Some(value.and_then(|value| MediaType::parse(&value)))
}

fn headers(headers: &Headers<'_>, node: &mut Node, settings: &Settings) {
    let mut others = 0;
    for (name, value) in headers.iter() {
        if name.eq_ignore_ascii_case("KeyMgmt") {
            node.push(key_mgmt::header(&value, settings));
        } else if SHOWN.iter().any(|shown| name.eq_ignore_ascii_case(shown)) {
            node.push(Node::new(name).value(value));
        } else {
            others += 1;
        }
    }
    if others > 0 {
        node.push(Node::new("other fields").value(format!("{others}, not shown")));
    }
}
