//! MIKEY messages.

use mikey::{
    DecodeError, Message, Quirks, Rules,
    code_points::{CsIdMapType, DataType, MacAlg, PayloadType, PrfFunc, ProtType},
    payload::{CryptoSession, CsIdMap, Header, Payload, SessionData},
};

use super::{Settings, fields::Fields, mikey_payload, tree::Node};
use crate::hex;

/// Deviations that are read and warned of, the first that helps.
const FORGIVEN: [(&str, Quirks); 3] = [
    (
        "a zero octet behind the last payload, as some cameras send it",
        Quirks {
            trailing_zero: true,
            ..Quirks::NONE
        },
    ),
    (
        "a Security Policy with the Empty map, which RFC 4563 §5 forbids",
        Quirks {
            sp_with_empty_map: true,
            ..Quirks::NONE
        },
    ),
    (
        "a dummy Security Policy for TLS (TR 33.829 §D.1)",
        Quirks {
            dummy_tls_policy: true,
            ..Quirks::NONE
        },
    ),
];

/// The message that `octets` are.
pub(crate) fn explain(octets: &[u8], settings: &Settings) -> Result<Node, DecodeError> {
    let rules = Rules::STRICT.with_code_points(settings.code_points);
    let (message, quirk) = match rules.decode(octets) {
        Ok(message) => (message, None),
        Err(error) => FORGIVEN
            .iter()
            .find_map(|(name, quirks)| {
                let message = rules.with_quirks(*quirks).decode(octets).ok()?;
                Some((message, Some(*name)))
            })
            .ok_or(error)?,
    };
    let mut node = tree(&message, octets, settings);
    if let Some(quirk) = quirk {
        node.warn(quirk);
    }
    Ok(node)
}

fn tree(message: &Message<'_>, octets: &[u8], settings: &Settings) -> Node {
    let data_type = message.header().data_type();
    let name = format!("{} ({})", u8::from(data_type), data_type.name());
    let payloads = message
        .located()
        .map(|(range, payload)| mikey_payload::explain(&payload, range.start, octets, settings));
    // A KEMAC without a MAC of its own is as good as what covers the whole message.
    let null = |payload: &Payload<'_>| match payload {
        Payload::Kemac(kemac) => kemac.mac().alg() == MacAlg::Null,
        _ => false,
    };
    let covered = |payload: &Payload<'_>| matches!(payload, Payload::V(_) | Payload::Sign(_));
    let open = message.payloads().any(|payload| null(&payload))
        && !message.payloads().any(|payload| covered(&payload));
    Node::new("MIKEY message")
        .warn_if(open, mikey_payload::NULL_MAC)
        .at(0..octets.len())
        .value(name)
        .reference(defined_in(data_type))
        .child(header(message.header(), octets, settings))
        .children(payloads)
}

fn defined_in(data_type: DataType) -> &'static str {
    match u8::from(data_type) {
        0..=6 => "RFC 3830 §3",
        7 | 8 => "RFC 4650 §3",
        9 | 10 => "RFC 4738 §3",
        11..=18 => "RFC 6043 §4",
        19..=25 => "RFC 6267 §4",
        26 => "RFC 6509 §4",
        _ => "",
    }
}

/// HDR ([RFC 3830 §6.1]).
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
fn header(header: &Header<'_>, octets: &[u8], settings: &Settings) -> Node {
    let mut fields = Fields::new(octets, 0);
    fields.number("Version", 1);
    fields.named("Data type", |value| DataType::from(value).name());
    fields.named("Next payload", |value| PayloadType::from(value).name());
    let response = if header.v_flag() {
        "response expected"
    } else {
        "no response expected"
    };
    fields.take("V, PRF func", 1, |field| {
        let prf = header.prf_func();
        let v = field.first().map_or(0, |octet| octet >> 7);
        format!("V={v} ({response}), PRF {} ({})", u8::from(prf), prf.name())
    });
    if let PrfFunc::Unknown(_) = header.prf_func() {
        let unknown = Node::new("PRF").failed("no such PRF is registered");
        fields.push(unknown);
    }
    fields.identifier("CSB ID", 4);
    fields.number("#CS", 1);
    fields.named("CS ID map type", |value| CsIdMapType::from(value).name());
    let map = header.cs_id_map();
    match map {
        CsIdMap::SrtpId(map) => {
            for (session, cs_id) in map.iter().zip(1_u32..) {
                let start = fields.position();
                let mut stream = Fields::new(octets, start);
                stream.number("Policy no", 1);
                stream.identifier("SSRC", 4);
                stream.number("ROC", 4);
                let end = stream.position();
                let placeholder = if session.is_placeholder() {
                    " (to be filled in by the Responder)"
                } else {
                    ""
                };
                fields.take("Crypto session", end - start, |_| {
                    format!("CS ID {cs_id}{placeholder}")
                });
                fields.adopt(stream.into_nodes(), "RFC 3830 §6.1.1");
            }
        }
        CsIdMap::GenericId(map) => {
            for session in map.iter() {
                crypto_session(&session, &mut fields, octets, settings);
            }
        }
        _ => {}
    }
    let end = fields.position();
    Node::new("HDR")
        .at(0..end)
        .reference("RFC 3830 §6.1")
        .children(fields.into_nodes())
}

/// One entry of a GENERIC-ID map ([RFC 6043 §6.1.1]).
///
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
fn crypto_session(
    session: &CryptoSession<'_>,
    fields: &mut Fields<'_>,
    octets: &[u8],
    settings: &Settings,
) {
    let start = fields.position();
    let mut entry = Fields::new(octets, start);
    entry.number("CS ID", 1);
    entry.named("Prot type", |value| {
        settings.prot_type_name(ProtType::from(value))
    });
    entry.take("S, #P", 1, |_| {
        let s = u8::from(session.s_flag());
        format!("S={s}, {} policies", session.policies().len())
    });
    entry.take("Policies", session.policies().len(), |field| {
        hex::encode(field)
    });
    entry.number("Session Data length", 2);
    match session.session_data() {
        SessionData::Octets(data) => entry.hex("Session Data", data.len()),
        SessionData::Srtp(data) => {
            entry.identifier("SSRC", 4);
            if data.index.is_some() {
                entry.number("ROC", 4);
                entry.number("SEQ", 2);
            }
        }
        _ => {}
    }
    entry.number("SPI length", 1);
    entry.hex("SPI", session.spi().len());
    let end = entry.position();
    let protocol = settings.prot_type_name(session.prot_type());
    fields.take("Crypto session", end - start, |_| {
        format!("CS ID {}, {protocol}", session.cs_id())
    });
    fields.adopt(entry.into_nodes(), "RFC 6043 §6.1.1");
}
