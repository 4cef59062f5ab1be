//! Annotated runs in `tests/vectors/`. Every key is derived here a second time, with the PRF and the
//! labels of RFC 6043 alone. Self-consistency: no other implementation has confirmed them.

#[cfg(feature = "rsa")]
mod public_key;
mod relay;

use core::fmt::Write;

use mikey::code_points::{DataType, KeyDataType, PayloadType, RandRole};
use mikey::crypto::Iv;
use mikey::derive::{
    ForkedKey, Label, MessageKey, MessageKeys, MessageProtectionKey, Prf, Rands, SessionKey,
    TicketMessage,
};
use mikey::payload::{BaseTicket, Payload, Ticket};
use mikey::{Chain, Identity, Message};
use mikey_ticket::{Policy, Strength};

use crate::support::*;

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        write!(out, "{octet:02x}").unwrap();
        out
    })
}

/// The text of a run, and what is needed to go on deriving.
struct Run {
    text: String,
    prf: Prf,
    strength: Strength,
}

impl Run {
    fn new(title: &str, strength: Strength) -> Self {
        Self {
            text: format!("# MIKEY-TICKET (RFC 6043), {strength:?}, {title}\n"),
            prf: strength.prf(),
            strength,
        }
    }

    /// An answer of a KMS to `init` under `key`: its keys, its MAC, and what it brings.
    fn answer(
        &mut self,
        name: &str,
        init: &[u8],
        answer: &[u8],
        key: &[u8],
    ) -> (Vec<Vec<u8>>, Vec<u8>) {
        self.message(name, answer);
        let (asked, decoded) = (
            Message::decode(init).unwrap(),
            Message::decode(answer).unwrap(),
        );
        let csb_id = asked.header().csb_id();
        assert_eq!(decoded.header().csb_id(), csb_id);
        let [i, r] = [RandRole::Initiator, RandRole::Responder].map(|role| rand(&asked, role));
        let rands = Rands::new(i, r).unwrap();
        let response = TicketMessage::Response;
        let keys = self.message_keys(key, |key| {
            Label::ticket_message_key(key, response, csb_id, rands)
        });
        let covered = &answer[..answer.len() - mac(&decoded).len()];
        keys.verify(&[covered, init], mac(&decoded)).unwrap();
        let (mpks, tgk) = kemac(&decoded.payloads(), csb_id, &keys);
        let second = if decoded.header().data_type() == DataType::ResolveResp {
            "MPKr'"
        } else {
            "MPKr"
        };
        for (name, mpk) in ["MPKi", second].iter().zip(&mpks) {
            self.line(name, mpk);
        }
        self.line("TGK", &tgk);
        (mpks, tgk)
    }

    /// RESOLVE_INIT_PSK under `key`, and whose names its MAC covers.
    fn resolve(&mut self, name: &str, message: &[u8], key: &[u8], names: [&Identity; 2]) {
        self.message(name, message);
        let decoded = Message::decode(message).unwrap();
        let csb_id = decoded.header().csb_id();
        let rands = Rands::new(&[], rand(&decoded, RandRole::Responder)).unwrap();
        let initial = TicketMessage::Initial;
        let keys = self.message_keys(key, |key| {
            Label::ticket_message_key(key, initial, csb_id, rands)
        });
        let covered = &message[..message.len() - mac(&decoded).len()];
        let [resolver, kms] = names.map(Identity::data);
        keys.verify(&[covered, resolver, kms], mac(&decoded))
            .unwrap();
    }

    fn line(&mut self, name: &str, octets: &[u8]) {
        writeln!(self.text, "{name:<28} {}", hex(octets)).unwrap();
    }

    fn derive(&mut self, name: &str, key: &[u8], label: &Label, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        self.prf.derive(key, label.as_octets(), &mut out);
        self.line(&format!("{name} label"), label.as_octets());
        self.line(name, &out);
        out
    }

    /// Header and payloads, each with its octets.
    fn message(&mut self, name: &str, octets: &[u8]) {
        let message = Message::decode(octets).unwrap();
        writeln!(self.text, "\n[{name}] {} octets", octets.len()).unwrap();
        let header_end = message.located().next().unwrap().0.start;
        self.line("HDR", &octets[..header_end]);
        for (range, payload) in message.located() {
            let role = match payload {
                Payload::Idr(idr) => format!(" {}", idr.role().name()),
                Payload::Randr(randr) => format!(" {}", randr.role().name()),
                _ => String::new(),
            };
            let name = format!("{}{role}", payload.payload_type().name());
            self.line(&name, &octets[range]);
        }
        self.line("message", octets);
    }

    /// encr_key, salt_key and auth_key.
    fn message_keys(&mut self, key: &[u8], label: impl Fn(MessageKey) -> Label) -> MessageKeys {
        let suite = self.strength.suite();
        for (name, which, len) in [
            ("encr_key", MessageKey::Encryption, suite.cipher().key_len()),
            ("salt_key", MessageKey::Salt, suite.cipher().salt_len()),
            (
                "auth_key",
                MessageKey::Authentication,
                suite.mac().key_len(),
            ),
        ] {
            self.derive(name, key, &label(which), len);
        }
        let prf = self.prf;
        MessageKeys::derive(suite, label, |label, out| -> Result<(), ()> {
            prf.derive(key, label.as_octets(), out);
            Ok(())
        })
        .unwrap()
    }
}

fn rand<'a>(message: &Message<'a>, role: RandRole) -> &'a [u8] {
    let found = message.payloads().find_map(|payload| match payload {
        Payload::Randr(randr) if randr.role() == role => Some(randr.octets()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn ticket<'a>(message: &Message<'a>) -> Ticket<'a> {
    let found = message.payloads().find_map(|payload| match payload {
        Payload::Ticket(ticket) => Some(ticket),
        _ => None,
    });
    found.unwrap()
}

fn mac<'a>(message: &Message<'a>) -> &'a [u8] {
    match message.payloads().last() {
        Some(Payload::V(v)) => v.mac().octets(),
        _ => panic!("no V"),
    }
}

/// MPKs and session keys of the KEMAC among `payloads`.
fn kemac<'a>(
    payloads: &(impl Iterator<Item = Payload<'a>> + Clone),
    csb_id: u32,
    keys: &MessageKeys,
) -> (Vec<Vec<u8>>, Vec<u8>) {
    let timestamp = payloads.clone().find_map(|payload| match payload {
        Payload::T(time) => Some(time.to_u64().to_be_bytes()),
        _ => None,
    });
    let iv = Iv {
        csb_id,
        timestamp: timestamp.unwrap(),
    };
    let kemac = payloads.clone().find_map(|payload| match payload {
        Payload::Kemac(kemac) => Some(kemac),
        _ => None,
    });
    let plain = keys.decrypt(&iv, kemac.unwrap().encr_data()).unwrap();
    let chain = Chain::decode_encrypted(&plain, PayloadType::KeyData).unwrap();
    let mpks = chain
        .keys()
        .filter(|key| key.key_type() == KeyDataType::Mpk);
    let mpks = mpks.map(|key| key.key().to_vec()).collect();
    let tgk = chain.keys().find(|key| key.key_type() == KeyDataType::Tgk);
    (mpks, tgk.unwrap().key().to_vec())
}

/// The run of `file`, written down.
#[allow(clippy::too_many_lines, reason = "a run is told from start to end")]
fn run(strength: Strength, forked: bool) -> String {
    let flags = if forked {
        Policy::FORKED
    } else {
        Policy::SHARED
    };
    let (mut kms, mut rng) = (kms(), TestRng(6043));
    let mut r = Run::new(if forked { "forked" } else { "not forked" }, strength);
    let (psk_i, psk_r, tpk) = (
        psk_of(&alice()),
        psk_of(&bob()),
        vec![0x70; strength.key_len()],
    );
    r.line("PSK of the Initiator", psk_i.expose());
    r.line("PSK of the Responder", psk_r.expose());
    r.line("TPK", &tpk);
    let (i, k) = (alice(), kms_id());

    let (pending, request) = ask(&policy(strength, flags), &mut rng);
    r.message("REQUEST_INIT_PSK", &request);
    let decoded = Message::decode(&request).unwrap();
    let csb_id = decoded.header().csb_id();
    let rands = Rands::new(rand(&decoded, RandRole::Initiator), &[]).unwrap();
    let label = |message| move |key| Label::ticket_message_key(key, message, csb_id, rands);
    let keys = r.message_keys(psk_i.expose(), label(TicketMessage::Initial));
    let covered = &request[..request.len() - mac(&decoded).len()];
    keys.verify(&[covered, i.data(), k.data()], mac(&decoded))
        .unwrap();

    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let decoded = Message::decode(&response).unwrap();
    let (mpks, tgk) = r.answer("REQUEST_RESP", &request, &response, psk_i.expose());

    let granted = ticket(&decoded);
    let data = BaseTicket::decode(granted.data()).unwrap();
    writeln!(r.text, "\n[Ticket Data] {} octets", granted.data().len()).unwrap();
    r.line("Ticket Data", granted.data());
    let payloads: Vec<_> = data.payloads().iter().collect();
    let rand_t = payloads.iter().find_map(|payload| match payload {
        Payload::Rand(rand) => Some(rand.octets()),
        _ => None,
    });
    let rand_t = rand_t.unwrap();
    r.line("RAND", rand_t);
    let keys = r.message_keys(&tpk, |key| Label::base_ticket_key(key, rand_t).unwrap());
    let (in_ticket, tgk_in_ticket) = kemac(&data.payloads().iter(), u32::MAX, &keys);
    r.line("MPK", &in_ticket[0]);
    assert_eq!(tgk_in_ticket, tgk);
    let mut derived = Vec::new();
    for (name, key) in [
        ("MPKi", MessageProtectionKey::Initiator),
        ("MPKr", MessageProtectionKey::Responder),
    ] {
        let label = Label::message_protection_key(key, rand_t).unwrap();
        derived.push(r.derive(name, &in_ticket[0], &label, strength.key_len()));
    }
    assert_eq!(derived[..mpks.len()], mpks);

    let mut held = pending.accept(&response, now()).unwrap();
    let (waiting, init) = call(&mut held, &mut rng);
    r.message("TRANSFER_INIT", &init);
    let decoded = Message::decode(&init).unwrap();
    let csb_id = decoded.header().csb_id();
    let rand_i = rand(&decoded, RandRole::Initiator);
    let rands = Rands::new(rand_i, &[]).unwrap();
    let initial = TicketMessage::Initial;
    let label = |key| Label::ticket_message_key(key, initial, csb_id, rands);
    let keys = r.message_keys(&mpks[0], label);
    let (range, _) = decoded
        .located()
        .find(|(_, p)| matches!(p, Payload::Ticket(_)))
        .unwrap();
    let skipped = range.end - ticket(&decoded).initiator_part_len();
    let tail = &init[range.end..init.len() - mac(&decoded).len()];
    keys.verify(
        &[&init[..skipped], tail, i.data(), bob().data()],
        mac(&decoded),
    )
    .unwrap();
    if forked {
        let len = strength.suite().mac().key_len();
        r.derive(
            "auth_key of Vr",
            &mpks[1],
            &Label::initiator_data_key(),
            len,
        );
        let suite = strength.suite().without_encryption();
        let vr_keys = MessageKeys::derive(
            suite,
            |_| Label::initiator_data_key(),
            |label, out| -> Result<(), ()> {
                strength.prf().derive(&mpks[1], label.as_octets(), out);
                Ok(())
            },
        );
        let data = ticket(&decoded).initiator_data().unwrap();
        let (vi, vr) = data.macs().unwrap();
        assert_eq!(vi.octets(), mac(&decoded));
        vr_keys
            .unwrap()
            .verify(&[&data.covered().unwrap()], vr.octets())
            .unwrap();
    }

    let (resolving, resolve) = resolve(&bob(), &init, &mut rng);
    r.resolve("RESOLVE_INIT_PSK", &resolve, psk_r.expose(), [&bob(), &k]);
    let resolved = kms.handle(&resolve, now(), &mut rng).unwrap();
    let (for_bob, tgk_for_bob) = r.answer("RESOLVE_RESP", &resolve, &resolved, psk_r.expose());
    let decoded = Message::decode(&resolved).unwrap();
    assert_eq!(for_bob[0], mpks[0]);
    let (mut mpk, mut session_tgk) = (mpks[0].clone(), tgk.clone());
    if forked {
        let rand_kms = rand(&decoded, RandRole::Kms);
        let fork = |key| Label::forked_key(key, bob().data(), rand_kms).unwrap();
        mpk = r.derive(
            "MPKr'",
            &mpks[1],
            &fork(ForkedKey::MpkR),
            strength.key_len(),
        );
        session_tgk = r.derive("TGK'", &tgk, &fork(ForkedKey::Tgk), strength.key_len());
        assert_eq!(for_bob[1], mpk);
    }
    assert_eq!(tgk_for_bob, session_tgk);

    let verified = resolving.accept(&resolved, now(), &mut cache()).unwrap();
    let (at_bob, answered) = answer(verified, &mut rng);
    let answered = answered.unwrap();
    r.message("TRANSFER_RESP", &answered);
    let decoded = Message::decode(&answered).unwrap();
    let rands = Rands::new(rand_i, rand(&decoded, RandRole::Responder)).unwrap();
    let response = TicketMessage::Response;
    let keys = r.message_keys(&mpk, |key| {
        Label::ticket_message_key(key, response, csb_id, rands)
    });
    let covered = &answered[..answered.len() - mac(&decoded).len()];
    keys.verify(&[covered, &init], mac(&decoded)).unwrap();

    writeln!(r.text, "\n[keys of the crypto sessions]").unwrap();
    let at_alice = waiting.accept(&answered).unwrap();
    for cs_id in [1, 2] {
        for (name, key, len) in [
            ("TEK", SessionKey::Tek, strength.key_len()),
            ("salt", SessionKey::Salt, 14),
        ] {
            let label = Label::ticket_session_key(key, cs_id, rands);
            let name = format!("CS {cs_id} {name}");
            let expected = r.derive(&name, &session_tgk, &label, len);
            for side in [&at_alice, &at_bob] {
                let mut out = vec![0; len];
                side.session_key(cs_id, key, &mut out).unwrap();
                assert_eq!(out, expected);
            }
        }
    }
    r.text
}

/// Compares `text` with the file, or writes it.
fn check(file: &str, text: &str) {
    let file = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let recorded = std::fs::read_to_string(&file).unwrap();
    for (recorded, made) in recorded.lines().zip(text.lines()) {
        assert_eq!(recorded, made, "{file}");
    }
    assert_eq!(recorded.len(), text.len(), "{file}");
}

#[test]
fn vectors_are_what_the_exchanges_make() {
    for (strength, bits) in STRENGTHS.into_iter().zip([128, 256]) {
        for (forked, kind) in [(true, "forked"), (false, "shared")] {
            let text = run(strength, forked);
            check(&format!("run_{bits}_{kind}.txt"), &text);
        }
    }
}
