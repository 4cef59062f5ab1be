//! The payloads of MIKEY messages, each field with the octets that it takes.

use mikey::{
    Chain,
    code_points::{
        CertType, DhGroup, EccCurve, EncrAlg, EnvelopeKeyCache, ErrorNo, HashFunc, IdRole, IdType,
        KeyDataType, MacAlg, PayloadType, ProtType, RandRole, SType, SakkeIdScheme, SakkeParams,
        SrtpAuthAlg, SrtpEncrAlg, SrtpParamType, SrtpPrf, TeslaParamType, TsRole,
    },
    payload::{Dh, Eccpt, Id, Kemac, KeyData, Mac, Payload, SecurityPolicy, TsValue},
};

use super::{Settings, fields::Fields, mikey_ticket, time, tree::Node};
use crate::hex;

pub(crate) const NULL_MAC: &str =
    "NULL MAC: nothing shows that this came from the peer, or unchanged";

/// The payload that begins at octet `start` of `octets`.
pub(crate) fn explain(
    payload: &Payload<'_>,
    start: usize,
    octets: &[u8],
    settings: &Settings,
) -> Node {
    let mut fields = Fields::new(octets, start);
    let (reference, mut node) = describe(payload, &mut fields, settings);
    let end = fields.position();
    let children = fields.into_nodes();
    if node.octets().is_none() {
        node = node.at(start..end);
    }
    node.reference(reference).children(children)
}

fn describe(
    payload: &Payload<'_>,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> (&'static str, Node) {
    let node = Node::new(payload.payload_type().name());
    if !matches!(payload, Payload::Sign(_)) {
        fields.named("Next payload", |value| PayloadType::from(value).name());
    }
    match payload {
        Payload::Kemac(payload) => ("RFC 3830 §6.2", kemac(payload, node, fields, settings)),
        Payload::Pke(payload) => {
            fields.take("C, Data len", 2, |_| {
                let cache = EnvelopeKeyCache::name(payload.cache());
                format!("{cache}, {} octets", payload.data().len())
            });
            fields.hex("Data", payload.data().len());
            ("RFC 3830 §6.3", node)
        }
        Payload::Dh(payload) => ("RFC 3830 §6.4", dh(payload, node, fields)),
        Payload::Sign(payload) => {
            fields.take("S type, Signature len", 2, |_| {
                let s_type = SType::name(payload.s_type());
                format!("{s_type}, {} octets", payload.signature().len())
            });
            fields.hex("Signature", payload.signature().len());
            ("RFC 3830 §6.5", node)
        }
        Payload::T(value) => {
            timestamp(*value, fields);
            ("RFC 3830 §6.6", node.value(time::of(*value)))
        }
        Payload::Id(payload) => {
            id(payload, fields);
            ("RFC 3830 §6.7", node)
        }
        Payload::Cert(payload) => {
            fields.named("Cert type", |value| CertType::from(value).name());
            fields.number("Cert len", 2);
            fields.hex("Cert", payload.data().len());
            ("RFC 3830 §6.7", node)
        }
        Payload::Chash(payload) => {
            fields.named("Hash func", |value| HashFunc::from(value).name());
            fields.hex("Hash", payload.hash().len());
            let weak = matches!(payload.hash_func(), HashFunc::Sha1 | HashFunc::Md5);
            let node = node.warn_if(weak, "this hash function no longer resists collisions");
            ("RFC 3830 §6.8", node)
        }
        Payload::V(payload) => {
            mac(payload.mac(), fields);
            let null = payload.mac().alg() == MacAlg::Null;
            ("RFC 3830 §6.9", node.warn_if(null, NULL_MAC))
        }
        Payload::Sp(payload) => ("RFC 3830 §6.10", policy(payload, node, fields, settings)),
        Payload::Rand(payload) => {
            fields.number("RAND len", 1);
            fields.hex("RAND", payload.octets().len());
            let short = payload.octets().len() < 16;
            let node = node.warn_if(short, "shorter than the 16 octets of RFC 3830 §6.11");
            ("RFC 3830 §6.11", node)
        }
        Payload::Err(_) => {
            fields.named("Error no", |value| ErrorNo::from(value).name());
            fields.hex("Reserved", 2);
            ("RFC 3830 §6.12", node)
        }
        _ => describe_newer(payload, node, fields, settings),
    }
}

/// Payloads of RFC 6043, 6267 and 6509.
fn describe_newer(
    payload: &Payload<'_>,
    node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> (&'static str, Node) {
    match payload {
        Payload::Tr(payload) => {
            fields.named("TS role", |value| TsRole::from(value).name());
            timestamp(payload.value, fields);
            let what = format!("{}: {}", payload.role.name(), time::of(payload.value));
            ("RFC 6043 §6.4", node.value(what))
        }
        Payload::Idr(payload) => {
            fields.named("ID role", |value| IdRole::from(value).name());
            id(&payload.id(), fields);
            ("RFC 6043 §6.6", node.value(payload.role().name()))
        }
        Payload::Randr(payload) => {
            fields.named("RAND role", |value| RandRole::from(value).name());
            fields.number("RAND len", 1);
            fields.hex("RAND", payload.octets().len());
            ("RFC 6043 §6.8", node.value(payload.role().name()))
        }
        Payload::Tp(payload) => (
            "RFC 6043 §6.10",
            mikey_ticket::policy(payload, node, fields, settings),
        ),
        Payload::Ticket(payload) => (
            "RFC 6043 §6.10",
            mikey_ticket::ticket(payload, node, fields, settings),
        ),
        Payload::KeyData(payload) => ("RFC 3830 §6.13", key_data(payload, node, fields, settings)),
        Payload::GeneralExtension(payload) => (
            "RFC 3830 §6.15",
            mikey_ticket::extension(payload, node, fields, settings),
        ),
        Payload::Ibake(payload) | Payload::Esk(payload) => {
            fields.number("Encr data len", 2);
            fields.hex("Encr data", payload.encr_data().len());
            ("RFC 6267 §6.1", node)
        }
        Payload::Sk(payload) => {
            fields.take("Type, KV", 1, |_| payload.sk_type().name().to_owned());
            fields.number("Key data len", 2);
            fields.secret("Key data", payload.key().len(), settings.show_secrets);
            fields.validity(payload.validity());
            ("RFC 6267 §6.1.5", node)
        }
        Payload::Eccpt(payload) => ("RFC 6267 §6.1.4", eccpt(payload, node, fields)),
        Payload::Sakke(payload) => {
            fields.named("SAKKE params", |value| SakkeParams::from(value).name());
            fields.named("ID scheme", |value| SakkeIdScheme::from(value).name());
            fields.number("SAKKE data length", 2);
            fields.hex("SAKKE data", payload.data().len());
            ("RFC 6509 §4", node)
        }
        _ => ("", node),
    }
}

fn kemac(payload: &Kemac<'_>, node: Node, fields: &mut Fields<'_>, settings: &Settings) -> Node {
    let data = payload.encr_data();
    let null = payload.encr_alg() == EncrAlg::Null;
    fields.named("Encr alg", |value| EncrAlg::from(value).name());
    fields.number("Encr data len", 2);
    // Under NULL the Encr data is a chain of payloads, Key data in front.
    let keys = null
        .then(|| Chain::decode_encrypted(data, PayloadType::KeyData).ok())
        .flatten();
    // A policy that is asked for has keys of zeros: it says what they are to be for.
    let template = keys.is_some_and(|keys| {
        let mut octets = keys.keys().flat_map(|key| key.key());
        octets.all(|octet| *octet == 0)
    });
    match keys {
        Some(chain) if !data.is_empty() => {
            let start = fields.position();
            let within = fields.chain(chain, start, settings);
            fields.take("Encr data", data.len(), |_| "in the clear".to_owned());
            fields.adopt(within, "");
        }
        _ if null => fields.secret("Encr data", data.len(), settings.show_secrets),
        _ => fields.hex("Encr data", data.len()),
    }
    mac(payload.mac(), fields);
    node.warn_if(
        null && !data.is_empty() && !template,
        "NULL encryption: whoever sees this message has the keys",
    )
}

fn mac(mac: Mac<'_>, fields: &mut Fields<'_>) {
    fields.named("MAC alg", |value| MacAlg::from(value).name());
    fields.hex("MAC", mac.octets().len());
}

fn dh(payload: &Dh<'_>, node: Node, fields: &mut Fields<'_>) -> Node {
    fields.named("DH-Group", |value| DhGroup::from(value).name());
    fields.hex("DH-Value", payload.value().len());
    fields.take("Reserved, KV", 1, |_| {
        payload.validity().kv_type().name().to_owned()
    });
    fields.validity(payload.validity());
    let weak = matches!(payload.group(), DhGroup::Oakley1 | DhGroup::Oakley2);
    node.warn_if(weak, "a group of 1024 bits or fewer can be broken")
}

fn timestamp(value: TsValue, fields: &mut Fields<'_>) {
    fields.named("TS type", |_| value.ts_type().name());
    let len = match value {
        TsValue::NtpUtc(_) | TsValue::Ntp(_) => 8,
        _ => 4,
    };
    fields.take("TS value", len, hex::encode);
}

fn id(payload: &Id<'_>, fields: &mut Fields<'_>) {
    fields.named("ID type", |value| IdType::from(value).name());
    fields.number("ID len", 2);
    fields.text("ID data", payload.data().len());
}

fn policy(
    payload: &SecurityPolicy<'_>,
    mut node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> Node {
    let prot_type = payload.prot_type();
    fields.number("Policy no", 1);
    fields.named("Prot type", |value| {
        settings.prot_type_name(ProtType::from(value))
    });
    fields.number("Policy param length", 2);
    for param in payload.params() {
        let param_type = param.param_type();
        let name = match prot_type {
            ProtType::Srtp => SrtpParamType::from(param_type).name(),
            ProtType::Tesla => TeslaParamType::from(param_type).name(),
            _ => "unknown",
        };
        let meaning = match prot_type {
            ProtType::Srtp => srtp_value(SrtpParamType::from(param_type), param.value()),
            _ => hex::encode(param.value()),
        };
        if prot_type == ProtType::Srtp {
            warn_of(SrtpParamType::from(param_type), param.value(), &mut node);
        }
        fields.take("Type", 1, |_| format!("{param_type} ({name})"));
        fields.number("Length", 1);
        fields.take("Value", param.value().len(), |_| meaning);
    }
    node.value(format!(
        "policy {} of {}",
        payload.policy_no(),
        settings.prot_type_name(prot_type)
    ))
}

fn srtp_value(param_type: SrtpParamType, value: &[u8]) -> String {
    use SrtpParamType as Type;
    let &[octet] = value else {
        return hex::encode(value);
    };
    let name = match param_type {
        Type::EncrAlg => SrtpEncrAlg::from(octet).name(),
        Type::AuthAlg | Type::SrtpAuthAlg | Type::SrtcpAuthAlg => SrtpAuthAlg::from(octet).name(),
        Type::Prf => SrtpPrf::from(octet).name(),
        Type::SrtpEncr | Type::SrtcpEncr | Type::SrtpAuth if octet == 0 => "off",
        Type::SrtpEncr | Type::SrtcpEncr | Type::SrtpAuth => "on",
        _ => return octet.to_string(),
    };
    format!("{octet} ({name})")
}

/// Choices of the policy that leave media open.
fn warn_of(param_type: SrtpParamType, value: &[u8], node: &mut Node) {
    use SrtpParamType as Type;
    let warning = match (param_type, value) {
        (Type::EncrAlg, [0]) => "NULL cipher: media is not encrypted",
        (Type::AuthAlg | Type::SrtpAuthAlg, [0]) => {
            "NULL authentication: packets can be forged, unless the cipher is an AEAD"
        }
        (Type::SrtpEncr, [0]) => "SRTP is not encrypted",
        (Type::SrtcpEncr, [0]) => "SRTCP is not encrypted",
        (Type::SrtpAuth, [0]) => "SRTP is not authenticated",
        (Type::AuthTagLen | Type::SrtpAuthTagLen, [len]) if *len < 10 => {
            "an authentication tag below 80 bits"
        }
        _ => return,
    };
    node.warn(warning);
}

fn key_data(
    payload: &KeyData<'_>,
    node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> Node {
    let show = settings.show_secrets;
    fields.take("Type, KV", 1, |_| {
        let kv = payload.validity().kv_type().name();
        format!("{}, KV {kv}", KeyDataType::name(payload.key_type()))
    });
    fields.number("Key data len", 2);
    fields.secret("Key data", payload.key().len(), show);
    if let Some(salt) = payload.salt() {
        fields.number("Salt len", 2);
        fields.secret("Salt data", salt.len(), show);
    }
    fields.validity(payload.validity());
    node.value(payload.key_type().name())
}

fn eccpt(payload: &Eccpt<'_>, node: Node, fields: &mut Fields<'_>) -> Node {
    let point = payload.point().len();
    fields.named("ECC Curve", |value| EccCurve::from(value).name());
    fields.hex("ECC Point", point);
    // To a boundary of 32 bits, counted from the start of the payload.
    fields.hex("Padding", (2 + point).wrapping_neg() % 4);
    fields.named("Auth alg", |value| MacAlg::from(value).name());
    fields.number("TGK len", 2);
    fields.take("Reserved, KV", 1, |_| {
        payload.validity().kv_type().name().to_owned()
    });
    fields.validity(payload.validity());
    node
}
