//! MIKEY: reading and writing messages, and the PRF; beside `mykey` with the feature `peers`.
//!
//! `decode` checks the whole message; `decode_and_read` also takes each payload out, and of a ticket
//! its policy too, which is what `mykey` does when it decodes.

#![allow(missing_docs, clippy::unwrap_used, reason = "benchmarks")]

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hex_literal::hex;
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
            b.iter(|| {
                out.clear();
                let message = Message::new(*message.header(), black_box(&payloads)).unwrap();
                message.encode(&mut out);
                black_box(&out);
            });
        });
    }
}

fn prf(c: &mut Criterion) {
    let (key, label) = ([7; 32], [9; 25]);
    let mut out = [0; 16];
    c.bench_function("mikey/prf/mikey_1/32_to_16", |b| {
        b.iter(|| Prf::Mikey1.derive(black_box(&key), black_box(&label), &mut out));
    });
}

#[cfg(feature = "peers")]
fn mykey(c: &mut Criterion) {
    c.bench_function("mykey/decode/psk/112", |b| {
        b.iter(|| black_box(mykey::message::MikeyMessage::from_bytes(black_box(&PSK)).unwrap()));
    });
    let (key, label) = ([7; 32], [9; 25]);
    c.bench_function("mykey/prf/mikey_1/32_to_16", |b| {
        b.iter(|| {
            black_box(mykey::crypto::mikey_prf(
                black_box(&key),
                black_box(&label),
                16,
            ))
        });
    });
}

#[cfg(not(feature = "peers"))]
fn mykey(_: &mut Criterion) {}

criterion_group!(benches, codec, prf, mykey);
criterion_main!(benches);
