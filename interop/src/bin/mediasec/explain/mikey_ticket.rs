//! Ticket policies, tickets and general extensions (RFC 6043 and TR 33.829).

use mikey::{
    Chain,
    code_points::{GeneralExtensionType, PayloadType, TicketType},
    payload::{
        BaseTicket, Extension, GeneralExtension, Payload, Ticket, TicketFlags, TicketPolicy,
    },
};

use super::{Settings, fields::Fields, mikey_payload, tree::Node};
use crate::hex;

impl Fields<'_> {
    /// The payloads of `chain`, the first of which begins at octet `at`.
    pub(crate) fn chain(&self, chain: Chain<'_>, mut at: usize, settings: &Settings) -> Vec<Node> {
        let mut nodes = Vec::new();
        for payload in &chain {
            nodes.push(mikey_payload::explain(
                &payload,
                at,
                self.octets(),
                settings,
            ));
            at += payload.encoded_len();
        }
        nodes
    }

    /// A length of two octets, a Next payload field and the payloads of `chain`.
    fn chain_field(&mut self, label: &str, chain: Chain<'_>, settings: &Settings) {
        self.number(&format!("{label} length"), 2);
        let start = self.position();
        let mut within = Fields::new(self.octets(), start);
        within.named("Next payload", |value| PayloadType::from(value).name());
        let mut nodes = self.chain(chain, within.position(), settings);
        let mut parts = within.into_nodes();
        parts.append(&mut nodes);
        self.take(label, 1 + chain.encoded_len(), |_| String::new());
        self.adopt(parts, "");
    }
}

/// TP, and the first part of TICKET ([RFC 6043 §6.10]).
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
pub(crate) fn policy(
    payload: &TicketPolicy<'_>,
    mut node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> Node {
    let kind = payload.kind();
    let ticket_type = kind.ticket_type.name();
    fields.take("Ticket Type", 2, |_| {
        format!("{} ({ticket_type})", u16::from(kind.ticket_type))
    });
    fields.number("Subtype", 1);
    fields.number("Version", 1);
    fields.take("PRF func, flags", 3, |_| {
        format!("PRF {}, {}", kind.prf_func.name(), letters(kind.flags))
    });
    fields.adopt(flags(kind.flags), "");
    fields.chain_field("TP data", payload.data(), settings);
    if let Err(rule) = kind.flags.check() {
        node.warn(format!("flags contradict one another: {rule}"));
    }
    node
}

pub(crate) fn ticket(
    payload: &Ticket<'_>,
    node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> Node {
    let node = policy(payload.policy(), node, fields, settings);
    fields.number("Ticket Data length", 2);
    let start = fields.position();
    let data = payload.data();
    let base = match payload.policy().kind().ticket_type {
        TicketType::MikeyBase | TicketType::ThreeGppBase => BaseTicket::decode(data).ok(),
        _ => None,
    };
    fields.take("Ticket Data", data.len(), |_| match base {
        Some(_) => "base ticket".to_owned(),
        None => hex::shorten(data),
    });
    if let Some(base) = base {
        let mut within = Fields::new(fields.octets(), start);
        within.named("Next payload", |value| PayloadType::from(value).name());
        within.number("THDR Data length", 2);
        within.hex("THDR Data", base.thdr_data().len());
        let mut nodes = within.chain(base.payloads(), within.position(), settings);
        let mut parts = within.into_nodes();
        parts.append(&mut nodes);
        fields.adopt(parts, "RFC 6043 §5.3");
    }
    match payload.initiator_data() {
        Some(data) => fields.chain_field("Initiator Data", data.payloads(), settings),
        None => fields.number("Initiator Data length", 2),
    }
    node
}

/// What each flag says, those that are set.
fn flags(flags: TicketFlags) -> Vec<Node> {
    named_flags(flags)
        .into_iter()
        .filter(|(_, set, _)| *set)
        .map(|(letter, _, meaning)| Node::new(letter).value(meaning))
        .collect()
}

fn letters(flags: TicketFlags) -> String {
    let set = named_flags(flags).into_iter().filter(|(_, set, _)| *set);
    let letters: Vec<&str> = set.map(|(letter, ..)| letter).collect();
    if letters.is_empty() {
        "no flag".to_owned()
    } else {
        letters.join(" ")
    }
}

const fn named_flags(flags: TicketFlags) -> [(&'static str, bool, &'static str); 12] {
    [
        ("D", flags.kms_generated, "made by the KMS"),
        ("E", flags.resolve_mandatory, "the KMS must resolve it"),
        ("F", flags.response, "TRANSFER_RESP is sent"),
        ("G", flags.responder_rand, "the Responder makes a RANDRr"),
        ("H", flags.initiator_rand, "RANDRi enters the keys"),
        ("I", flags.forking, "keys are forked"),
        ("J", flags.reusable, "may be used again"),
        ("K", flags.changed, "the KMS changed what was asked for"),
        ("L", flags.initiator_keys, "the Initiator may supply keys"),
        ("M", flags.responder_keys, "the Responder may supply keys"),
        (
            "N",
            flags.plain_initiator,
            "an Initiator of RFC 6043 can use it",
        ),
        (
            "O",
            flags.plain_responder,
            "a Responder of RFC 6043 can process it",
        ),
    ]
}

/// General extension ([RFC 3830 §6.15], RFC 4442, 4563, 4567, 4738, 5410, TR 33.829 §C.1, §F.1).
///
/// [RFC 3830 §6.15]: https://www.rfc-editor.org/rfc/rfc3830#section-6.15
pub(crate) fn extension(
    payload: &GeneralExtension<'_>,
    mut node: Node,
    fields: &mut Fields<'_>,
    settings: &Settings,
) -> Node {
    let extension_type = payload.extension_type();
    let name = settings.extension_name(extension_type);
    fields.take("Type", 1, |_| {
        format!("{} ({name})", u8::from(extension_type))
    });
    fields.number("Length", 2);
    let len = payload.data().len();
    let value = match payload.value(&settings.code_points) {
        Ok(value) => value,
        Err(error) => {
            fields.hex("Data", len);
            node.fail(error.to_string());
            return node.value(name);
        }
    };
    match value {
        Extension::Conf(participants) => {
            let start = fields.position();
            let ids: Vec<Payload<'_>> = participants.iter().map(Payload::Id).collect();
            let within = fields.chain(Chain::new(&ids), start, settings);
            fields.take("Data", len, |_| format!("{} participants", ids.len()));
            fields.adopt(within, "TR 33.829 §C.1");
        }
        Extension::SdpIds(_) => fields.text("Data", len),
        Extension::CsbId(_) => fields.identifier("CSB ID", len),
        Extension::KeyIds(ids) => {
            for id in ids.iter() {
                fields.take("Key ID type", 1, |_| id.key_id_type().name().to_owned());
                fields.number("Key ID len", 1);
                fields.hex("Key ID", id.key_id().len());
            }
        }
        Extension::OmaBcast { subtype, data } => {
            fields.take("Subtype", 1, |_| subtype.name().to_owned());
            fields.hex("Data", data.len());
        }
        // Some of these may be keys in the clear.
        Extension::SakkeToSelf(_) | Extension::ThreeGppKeyParameters(_) => {
            fields.secret("Data", len, settings.show_secrets);
        }
        _ => fields.hex("Data", len),
    }
    node.value(name)
}

impl Settings {
    /// The name of `extension_type`, 3GPP's by the code points that were asked for.
    fn extension_name(&self, extension_type: GeneralExtensionType) -> &'static str {
        if extension_type == self.code_points.conf {
            "3GPP IMS CONF"
        } else if extension_type == self.code_points.proof_of_origin {
            "3GPP IMS MSG PROOF-OF-ORIGIN"
        } else {
            extension_type.name()
        }
    }
}
