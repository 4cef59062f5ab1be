//! MIKEY: reading and writing messages, and the PRF; at the end a table of ours beside the crate
//! `mykey` and GStreamer, taken in turn, of the fastest rounds.
//!
//! ```text
//! cargo bench -p mediasec-benches --features peers --bench mikey
//! ```
//!
//! `decode` checks the whole message; `decode_and_read` also takes each payload out, and of a ticket
//! its policy too, which is what the peers do when they decode.
//!
//! GStreamer is timed by `peers/gst_mikey.c`, which is compiled here with `cc` and `pkg-config`
//! against Debian's `libgstreamer-plugins-base1.0-dev`. Where that is missing, the table says
//! `not run`, or in CI the benchmark fails.

#![allow(missing_docs, clippy::unwrap_used, reason = "benchmarks")]

use core::fmt::Write as _;
use core::hint::black_box;

use criterion::{Criterion, criterion_group};
use hex_literal::hex;
use mediasec_benches::contest::{Contender, play};
use mikey::{
    Message,
    code_points::{DataType, EncrAlg, IdRole, IdType, MacAlg, PrfFunc, ProtType, RandRole, TsRole},
    derive::Prf,
    payload::{
        BaseTicket, CryptoSession, CsIdMap, GenericIdMap, Header, Id, Idr, Kemac, Mac, Payload,
        PolicyParam, Rand, Randr, SecurityPolicy, SrtpSessionData, Ticket, TicketFlags, TicketKind,
        TicketPolicy, Tr, TsValue, Verification,
    },
};

/// A PSK message of 112 octets, as GStreamer and gortsplib send them.
const PSK: [u8; 112] = hex!(
    "010005007a23295e010000958c2327000000000b00ebf99d4cb05ea24c0a106c1c02e3ebc63ebf7a7c9bf80dbeacd7"
    "010000001500010101011002010103010a0701010801010a0101000000220020001e5fc5ef382cc8321d094ce5a2bd"
    "62f111f953512a757e38f68bcc46ec3f4300"
);

/// What the PRF takes.
const IN_KEY: [u8; 32] = [7; 32];
const LABEL: [u8; 25] = [9; 25];

/// How often a round of the table does its work.
const ROUND: u32 = 1000;

fn id(role: IdRole, uri: &[u8]) -> Payload<'_> {
    Payload::Idr(Idr::new(role, Id::new(IdType::Uri, uri).unwrap()))
}

/// A TRANSFER_INIT with a base ticket and Initiator Data, 539 octets in all.
fn transfer_init() -> Vec<u8> {
    let mac = Mac::new(MacAlg::HmacSha256_256, &[1; 32]).unwrap();
    let v = Payload::V(Verification::new(mac));
    let ticket_payloads = [
        Payload::T(TsValue::NtpUtc(1)),
        Payload::Rand(Rand::new(&[2; 32]).unwrap()),
        Payload::Kemac(Kemac::new(EncrAlg::AesCm256, &[3; 111], Mac::NULL).unwrap()),
        v,
    ];
    let data = BaseTicket::new(&[], &ticket_payloads).unwrap().to_vec();
    let tp_data = [
        id(IdRole::Kms, b"sip:kms.ims.example.com"),
        id(IdRole::Initiator, b"sip:alice@ims.example.com"),
        Payload::Tr(Tr {
            role: TsRole::End,
            value: TsValue::NtpUtc32(9),
        }),
        id(IdRole::Responder, b"sip:bob@ims.example.com"),
    ];
    let flags = TicketFlags {
        kms_generated: true,
        resolve_mandatory: true,
        response: true,
        responder_rand: true,
        initiator_rand: true,
        forking: true,
        ..TicketFlags::NONE
    };
    let kind = TicketKind::mikey_base(PrfFunc::HmacSha256, flags);
    let macs = [v, v];
    let ticket = Ticket::new(TicketPolicy::new(kind, &tp_data).unwrap(), &data)
        .unwrap()
        .with_initiator_data(&macs)
        .unwrap();
    let params =
        [(0, 6), (1, 32), (20, 16)].map(|(param_type, value): (u8, u8)| (param_type, [value]));
    let params: Vec<_> = params
        .iter()
        .map(|(param_type, value)| PolicyParam::new(*param_type, value).unwrap())
        .collect();
    let data = SrtpSessionData {
        ssrc: 7,
        index: None,
    };
    let sessions = [
        CryptoSession::srtp(1, &[0], Some(data), &[1]).unwrap(),
        CryptoSession::srtp(2, &[0], None, &[1]).unwrap(),
    ];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let payloads = [
        Payload::T(TsValue::NtpUtc(1)),
        Payload::Randr(Randr::new(RandRole::Initiator, &[4; 16]).unwrap()),
        id(IdRole::Initiator, b"sip:alice@ims.example.com"),
        id(IdRole::Responder, b"sip:bob@ims.example.com"),
        Payload::Sp(SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()),
        Payload::Ticket(ticket),
        v,
    ];
    let header = Header::new(DataType::TransferInit, PrfFunc::HmacSha256, 7, map).unwrap();
    let octets = Message::new(header, &payloads).unwrap().to_vec();
    assert_eq!(octets.len(), 539);
    octets
}

fn read(octets: &[u8]) {
    let message = Message::decode(black_box(octets)).unwrap();
    for payload in message.payloads() {
        if let Payload::Ticket(ticket) = &payload {
            for payload in &ticket.policy().data() {
                black_box(&payload);
            }
        }
        black_box(&payload);
    }
}

fn write(header: &Header<'_>, payloads: &[Payload<'_>], out: &mut Vec<u8>) {
    out.clear();
    let message = Message::new(*header, black_box(payloads)).unwrap();
    message.encode(out);
    black_box(out);
}

fn derive() -> [u8; 16] {
    let mut out = [0; 16];
    Prf::Mikey1.derive(black_box(&IN_KEY), black_box(&LABEL), &mut out);
    out
}

fn codec(c: &mut Criterion) {
    let transfer_init = transfer_init();
    for (name, octets) in [("psk/112", &PSK[..]), ("transfer_init/539", &transfer_init)] {
        c.bench_function(&format!("mikey/decode/{name}"), |b| {
            b.iter(|| black_box(Message::decode(black_box(octets)).unwrap()));
        });
        c.bench_function(&format!("mikey/decode_and_read/{name}"), |b| {
            b.iter(|| read(octets));
        });
        let message = Message::decode(octets).unwrap();
        let payloads: Vec<_> = message.payloads().collect();
        let mut out = Vec::with_capacity(octets.len());
        c.bench_function(&format!("mikey/encode/{name}"), |b| {
            b.iter(|| write(message.header(), &payloads, &mut out));
        });
    }
}

fn prf(c: &mut Criterion) {
    c.bench_function("mikey/prf/mikey_1/32_to_16", |b| b.iter(derive));
}

criterion_group!(benches, codec, prf);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let test = std::env::args().any(|argument| argument == "--test");
    table(if test { 1 } else { 1000 });
}

fn table(rounds: usize) {
    let transfer_init = transfer_init();
    let (psk, ticket) = (
        Message::decode(&PSK).unwrap(),
        Message::decode(&transfer_init).unwrap(),
    );
    let psk_payloads: Vec<_> = psk.payloads().collect();
    let ticket_payloads: Vec<_> = ticket.payloads().collect();
    let mut out = Vec::with_capacity(PSK.len());
    let mut ticket_out = Vec::with_capacity(transfer_init.len());
    let ours = |work| vec![work];
    let check = |octets| {
        move || {
            black_box(Message::decode(black_box(octets)).unwrap());
        }
    };
    #[allow(unused_mut, reason = "with feature peers")]
    let mut rows = [
        (
            "PSK message, 112 octets: decode",
            ours(Contender::new("ours", ROUND, check(&PSK[..]))),
        ),
        (
            "the same, each payload taken out",
            ours(Contender::new("ours", ROUND, || read(&PSK))),
        ),
        (
            "the same: write",
            ours(Contender::new("ours", ROUND, || {
                write(psk.header(), &psk_payloads, &mut out);
            })),
        ),
        (
            "TRANSFER_INIT, 539 octets: decode",
            ours(Contender::new("ours", ROUND, check(&transfer_init))),
        ),
        (
            "the same, each payload taken out",
            ours(Contender::new("ours", ROUND, || read(&transfer_init))),
        ),
        (
            "the same: write",
            ours(Contender::new("ours", ROUND, || {
                write(ticket.header(), &ticket_payloads, &mut ticket_out);
            })),
        ),
        (
            "PRF MIKEY-1, 32 to 16 octets",
            ours(Contender::new("ours", ROUND, || {
                black_box(derive());
            })),
        ),
    ];
    #[cfg(feature = "peers")]
    peers::join(&mut rows);

    for (_, contenders) in &mut rows {
        play(contenders, rounds);
    }
    if rounds == 1 {
        return;
    }
    println!("ns, and how many times as long as ours");
    for (name, contenders) in &rows {
        let ours = contenders.first().unwrap().best();
        let mut line = format!("{name:36}");
        for contender in contenders {
            let (peer, best) = (contender.name(), contender.best());
            let _ = write!(line, "  {peer} {best:7.1} ({:5.2})", best / ours);
        }
        println!("{line}");
    }
}

/// The others. Neither reads a TRANSFER_INIT; `mykey` has no call that writes a message again; and
/// GStreamer has no PRF.
#[cfg(feature = "peers")]
mod peers {
    use std::path::Path;

    use mediasec_benches::contest::{Process, compile};

    use super::{Contender, IN_KEY, LABEL, PSK, ROUND, black_box, derive};

    /// Lets each peer join the rows of [`table`](super::table) that it has a call for.
    pub(super) fn join(rows: &mut [(&str, Vec<Contender<'_>>); 7]) {
        let [check, read, write, _, _, _, prf] = rows;
        for (_, row) in [check, read] {
            row.push(Contender::new("mykey", ROUND, || {
                black_box(mykey::message::MikeyMessage::from_bytes(black_box(&PSK)).unwrap());
            }));
            row.extend(gstreamer("parse"));
        }
        write.1.extend(gstreamer("write"));
        let derive_key = || mykey::crypto::mikey_prf(black_box(&IN_KEY), black_box(&LABEL), 16);
        assert_eq!(derive_key().unwrap(), derive());
        prf.1.push(Contender::new("mykey", ROUND, move || {
            black_box(derive_key().unwrap());
        }));
    }

    fn gstreamer(work: &'static str) -> Option<Contender<'static>> {
        let message = PSK.map(|octet| format!("{octet:02x}")).concat();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/gst_mikey.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = compile(Path::new(source), "gstreamer-sdp-1.0", folder);
        let process =
            program.and_then(|program| Process::start(&program, &[message, ROUND.to_string()]));
        Contender::of_process("GStreamer", work, process)
    }
}
