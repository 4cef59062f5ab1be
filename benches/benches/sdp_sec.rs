//! Reading and rewriting session descriptions: an offer of 1.5 KB with audio and video, as a VoLTE UE
//! sends it.

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench is not an interface"
)]

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sdp_sec::edge::{self, Dialogue};
use sdp_sec::fingerprint::{Fingerprint, FingerprintSet, HashFunction, HashPolicy};
use sdp_sec::mediasec::{
    AccessEdge, Indications, Mechanism, MechanismSet, Policy, SecurityHeaders,
    SignallingProtection, Source,
};
use sdp_sec::{E2ae, Protocol, Sdp, Setup};

const OFFER: &[u8] = b"v=0\r\n\
o=- 3890000000 3890000000 IN IP6 2001:db8:85a3::8a2e:370:7334\r\n\
s=-\r\n\
c=IN IP6 2001:db8:85a3::8a2e:370:7334\r\n\
b=AS:1049\r\n\
t=0 0\r\n\
a=tcap:1 RTP/SAVPF\r\n\
m=audio 49152 RTP/SAVP 107 106 105 104 101 102\r\n\
b=AS:49\r\n\
b=RS:800\r\n\
b=RR:2400\r\n\
a=3ge2ae:requested\r\n\
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n\
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20\r\n\
a=rtpmap:107 EVS/16000/1\r\n\
a=fmtp:107 br=5.9-24.4;bw=nb-swb;max-red=220\r\n\
a=rtpmap:106 AMR-WB/16000/1\r\n\
a=fmtp:106 octet-align=1;mode-change-capability=2;max-red=220\r\n\
a=rtpmap:105 AMR-WB/16000/1\r\n\
a=fmtp:105 mode-change-capability=2;max-red=220\r\n\
a=rtpmap:104 AMR/8000/1\r\n\
a=fmtp:104 mode-change-capability=2;max-red=220\r\n\
a=rtpmap:101 telephone-event/16000\r\n\
a=fmtp:101 0-15\r\n\
a=rtpmap:102 telephone-event/8000\r\n\
a=fmtp:102 0-15\r\n\
a=curr:qos local none\r\n\
a=curr:qos remote none\r\n\
a=des:qos mandatory local sendrecv\r\n\
a=des:qos optional remote sendrecv\r\n\
a=sendrecv\r\n\
a=ptime:20\r\n\
a=maxptime:240\r\n\
m=video 49154 RTP/SAVPF 110 99\r\n\
b=AS:1000\r\n\
b=RS:8000\r\n\
b=RR:6000\r\n\
a=3ge2ae:requested\r\n\
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20\r\n\
a=rtpmap:110 H264/90000\r\n\
a=fmtp:110 profile-level-id=42C016;packetization-mode=1\r\n\
a=rtpmap:99 H264/90000\r\n\
a=fmtp:99 profile-level-id=42C00C;packetization-mode=0\r\n\
a=rtcp-fb:* ccm fir\r\n\
a=rtcp-fb:* nack pli\r\n\
a=curr:qos local none\r\n\
a=curr:qos remote none\r\n\
a=des:qos mandatory local sendrecv\r\n\
a=des:qos optional remote sendrecv\r\n\
a=sendrecv\r\n";

fn access() -> AccessEdge {
    let both = MechanismSet::EMPTY
        .with(Mechanism::SdesSrtp)
        .with(Mechanism::MsrpTls);
    AccessEdge {
        indications: Indications {
            ue: both,
            network: both,
        },
        signalling: SignallingProtection::IntegrityAndConfidentiality,
        policy: Policy::default(),
    }
}

/// What an edge that needs no keys of the offer does: protocol changed, two attributes taken out.
fn take_protection_off(offer: &[u8]) -> Vec<u8> {
    let sdp = Sdp::parse(offer).expect("the offer is well formed");
    let mut editor = sdp.edit();
    for media in sdp.media() {
        let line = media.media_line().expect("an m-line");
        let plain = line.protocol().plain().expect("a protected line");
        editor
            .replace(line.protocol_field(), plain)
            .expect("in order");
        for attribute in media.attributes() {
            if attribute.is("crypto") || attribute.is(E2ae::NAME) {
                editor.remove(attribute.line()).expect("in order");
            }
        }
    }
    editor.finish()
}

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("sdp_sec");
    group.throughput(Throughput::Bytes(
        u64::try_from(OFFER.len()).expect("a short offer"),
    ));
    group.bench_function("lines/parse/1.5KB", |b| {
        b.iter(|| {
            Sdp::parse(black_box(OFFER))
                .expect("the offer is well formed")
                .line_count()
        });
    });
    group.bench_function("lines/rewrite/1.5KB", |b| {
        b.iter(|| take_protection_off(black_box(OFFER)));
    });
    let sdp = Sdp::parse(OFFER).expect("the offer is well formed");
    group.bench_function("mediasec/decide/1.5KB", |b| {
        let edge = access();
        b.iter(|| {
            sdp.media()
                .filter(|media| edge.decide(Source::Ue, black_box(media)).is_ok())
                .count()
        });
    });
    group.bench_function("edge/originating/1.5KB", |b| {
        let dialogue = Dialogue::new(Arc::new(edge::Policy::default()), access());
        let plain = String::from_utf8(take_protection_off(OFFER)).expect("the offer is text");
        let plain = plain.replace("a=tcap:1 RTP/SAVPF", "a=tcap:1 RTP/AVPF");
        let sent = dialogue.originating(OFFER).expect("e2ae is agreed");
        assert_eq!(sent.offer_to_core(), plain.as_bytes());
        b.iter(|| {
            dialogue
                .originating(black_box(OFFER))
                .expect("e2ae is agreed")
        });
    });
    group.finish();
}

fn values(c: &mut Criterion) {
    let certificate = [7; 800];
    let fingerprint = Fingerprint::of_certificate(&certificate, HashFunction::Sha256)
        .expect("SHA-256 is no weak hash");
    let text = fingerprint.to_string();
    let mut group = c.benchmark_group("sdp_sec/values");
    group.bench_function("fingerprint/parse", |b| {
        b.iter(|| Fingerprint::parse(black_box(&text)));
    });
    group.bench_function("fingerprint/verify/800", |b| {
        let set =
            FingerprintSet::select(&[fingerprint], HashPolicy::default()).expect("one may be used");
        b.iter(|| set.verify(black_box(&certificate)));
    });
    group.bench_function("setup/parse", |b| {
        b.iter(|| Setup::parse(black_box("actpass")));
    });
    group.bench_function("protocol/from_token", |b| {
        b.iter(|| Protocol::from_token(black_box("UDP/TLS/UDPTL")));
    });
    group.bench_function("security_headers/parse", |b| {
        let values = [
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;q=0.1",
            "sdes-srtp;mediasec",
        ];
        b.iter(|| SecurityHeaders::parse(black_box(&values)));
    });
    group.finish();
}

criterion_group!(benches, whole, values);
criterion_main!(benches);
