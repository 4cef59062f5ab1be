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
use std::time::Instant;

use criterion::{Criterion, criterion_group};
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

/// What one of the contenders does in a round, and how many nanoseconds once of it takes.
struct Contender<'a> {
    name: &'static str,
    round: Box<dyn FnMut() -> f64 + 'a>,
    best: f64,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, mut work: impl FnMut() + 'a) -> Self {
        let round = move || {
            let begin = Instant::now();
            for _ in 0..ROUND {
                work();
            }
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUND)
        };
        Self {
            name,
            round: Box::new(round),
            best: f64::INFINITY,
        }
    }
}

/// Each contender works a round in turn, and its fastest round counts: what else the machine does
/// can only make a round slower.
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
            ours(Contender::new("ours", check(&PSK[..]))),
        ),
        (
            "the same, each payload taken out",
            ours(Contender::new("ours", || read(&PSK))),
        ),
        (
            "the same: write",
            ours(Contender::new("ours", || {
                write(psk.header(), &psk_payloads, &mut out);
            })),
        ),
        (
            "TRANSFER_INIT, 539 octets: decode",
            ours(Contender::new("ours", check(&transfer_init))),
        ),
        (
            "the same, each payload taken out",
            ours(Contender::new("ours", || read(&transfer_init))),
        ),
        (
            "the same: write",
            ours(Contender::new("ours", || {
                write(ticket.header(), &ticket_payloads, &mut ticket_out);
            })),
        ),
        (
            "PRF MIKEY-1, 32 to 16 octets",
            ours(Contender::new("ours", || {
                black_box(derive());
            })),
        ),
    ];
    #[cfg(feature = "peers")]
    peers::join(&mut rows);

    for (_, contenders) in &mut rows {
        for _ in 0..rounds {
            for contender in &mut *contenders {
                contender.best = contender.best.min((contender.round)());
            }
        }
    }
    if rounds == 1 {
        return;
    }
    println!("ns, and how many times as long as ours");
    for (name, contenders) in &rows {
        let ours = contenders.first().unwrap().best;
        let mut line = format!("{name:36}");
        for contender in contenders {
            let (peer, best) = (contender.name, contender.best);
            let _ = write!(line, "  {peer} {best:7.1} ({:5.2})", best / ours);
        }
        println!("{line}");
    }
}

/// The others. Neither reads a TRANSFER_INIT; `mykey` has no call that writes a message again; and
/// GStreamer has no PRF.
#[cfg(feature = "peers")]
mod peers {
    use std::io::{BufRead, BufReader, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Child, ChildStdout, Command, Stdio};

    use super::{Contender, IN_KEY, LABEL, PSK, ROUND, black_box, derive};

    /// Lets each peer join the rows of [`table`](super::table) that it has a call for.
    pub(super) fn join(rows: &mut [(&str, Vec<Contender<'_>>); 7]) {
        let [check, read, write, _, _, _, prf] = rows;
        for (_, row) in [check, read] {
            row.push(Contender::new("mykey", || {
                black_box(mykey::message::MikeyMessage::from_bytes(black_box(&PSK)).unwrap());
            }));
            row.extend(gstreamer("parse"));
        }
        write.1.extend(gstreamer("write"));
        let derive_key = || mykey::crypto::mikey_prf(black_box(&IN_KEY), black_box(&LABEL), 16);
        assert_eq!(derive_key().unwrap(), derive());
        prf.1.push(Contender::new("mykey", move || {
            black_box(derive_key().unwrap());
        }));
    }

    fn gstreamer(work: &'static str) -> Option<Contender<'static>> {
        let mut process = match compile().and_then(|program| Process::start(&program)) {
            Ok(process) => process,
            Err(error) => {
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci, "GStreamer: {error}");
                println!("GStreamer, {work}: not run: {error}");
                return None;
            }
        };
        Some(Contender {
            name: "GStreamer",
            round: Box::new(move || process.round(work)),
            best: f64::INFINITY,
        })
    }

    fn compile() -> Result<PathBuf, String> {
        let package = "gstreamer-sdp-1.0";
        let mut pkg_config = Command::new("pkg-config");
        let flags = run(pkg_config.args(["--cflags", "--libs", package]))?;
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gst_mikey");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/gst_mikey.c");
        let mut cc = Command::new("cc");
        run(cc
            .args(["-O2", source, "-o"])
            .arg(&program)
            .args(flags.split_whitespace()))?;
        Ok(program)
    }

    /// Standard output of `command`.
    fn run(command: &mut Command) -> Result<String, String> {
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    /// `gst_mikey` with the PSK message; it ends when its standard input does.
    struct Process {
        child: Child,
        answers: BufReader<ChildStdout>,
    }

    impl Process {
        fn start(program: &Path) -> Result<Self, String> {
            let message = PSK.map(|octet| format!("{octet:02x}")).concat();
            let mut child = Command::new(program)
                .args([message, ROUND.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| error.to_string())?;
            let answers = BufReader::new(child.stdout.take().unwrap());
            Ok(Self { child, answers })
        }

        fn round(&mut self, work: &str) -> f64 {
            writeln!(self.child.stdin.as_mut().unwrap(), "{work}").unwrap();
            let mut answer = String::new();
            self.answers.read_line(&mut answer).unwrap();
            answer.trim().parse().unwrap()
        }
    }
}
