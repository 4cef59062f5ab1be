use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use sdes::SecurityDescription;
use sdp_sec::Fingerprint;
use sdp_sec::edge::{Answered, Dialogue, Originating, Outcome, Policy, RtpStream, TlsStream};
use sdp_sec::fingerprint::{FingerprintSet, HashFunction, HashPolicy};
use sdp_sec::mediasec::{self, AccessEdge, Indications, Mechanism, MechanismSet};
use srtp::keying::KeySet;

/// A counter, so that golden files are the same each time; no two keys are equal.
pub(crate) struct Counter(u64);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(0)
    }
}

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64()
            .map(|word| u32::try_from(word & 0xffff_ffff).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        for chunk in octets.chunks_mut(8) {
            let word = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

/// Keys of UEs: RFC 4568's examples.
pub(crate) const UE_KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
pub(crate) const UE_KEY_2: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
pub(crate) const UE_KEY_3: &str = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";

pub(crate) fn access(mechanisms: &[Mechanism]) -> AccessEdge {
    let both: MechanismSet = mechanisms.iter().copied().collect();
    AccessEdge {
        indications: Indications {
            ue: both,
            network: both,
        },
        signalling: mediasec::SignallingProtection::IntegrityAndConfidentiality,
        policy: mediasec::Policy::default(),
    }
}

pub(crate) fn everything() -> AccessEdge {
    access(&Mechanism::ALL)
}

pub(crate) fn dialogue() -> Dialogue {
    with_policy(Policy::default())
}

pub(crate) fn with_policy(policy: Policy) -> Dialogue {
    Dialogue::new(policy.into(), everything())
}

pub(crate) fn fingerprint(certificate: &str) -> Fingerprint {
    Fingerprint::of_certificate(certificate.as_bytes(), HashFunction::Sha256).unwrap()
}

pub(crate) fn set(certificate: &str) -> FingerprintSet {
    FingerprintSet::select(&[fingerprint(certificate)], HashPolicy::default()).unwrap()
}

/// The certificate of the IMS-AGW for each m-line.
#[expect(clippy::unnecessary_wraps, reason = "as the edge asks for it")]
pub(crate) fn agw(media: usize) -> Option<Fingerprint> {
    Some(fingerprint(&format!("IMS-AGW {media}")))
}

/// A description from lines, with CRLF.
pub(crate) fn sdp(lines: &str) -> Vec<u8> {
    let head = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n";
    (head.to_owned() + lines.trim_start())
        .replace('\n', "\r\n")
        .into_bytes()
}

/// The lines of a description from the first m-line on, with LF.
pub(crate) fn media(sdp: &[u8]) -> String {
    let text = core::str::from_utf8(sdp).unwrap().replace("\r\n", "\n");
    text[text.find("m=").unwrap_or(text.len())..].to_owned()
}

/// An `a=crypto` line of a UE.
pub(crate) fn crypto(tag: u32, key: &str) -> String {
    format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}\n")
}

/// A UE's offer of SRTP that asks for e2ae.
pub(crate) fn srtp_offer() -> Vec<u8> {
    let crypto = crypto(1, UE_KEY);
    sdp(&format!(
        "m=audio 49170 RTP/SAVP 97\na=3ge2ae:requested\n{crypto}a=rtpmap:97 AMR/8000\n"
    ))
}

pub(crate) fn rtp_answer() -> Vec<u8> {
    sdp("m=audio 5004 RTP/AVP 97\na=rtpmap:97 AMR/8000\n")
}

pub(crate) fn originate(dialogue: &Dialogue, offer: &[u8], answer: &[u8]) -> Answered {
    dialogue
        .originating(offer)
        .unwrap()
        .answered(answer, agw, &mut Counter::new())
        .unwrap()
}

pub(crate) fn answer_again(
    originating: &Originating,
    answer: &[u8],
    rng: &mut Counter,
) -> Answered {
    originating.answered(answer, agw, rng).unwrap()
}

pub(crate) fn rtp_stream(outcome: &Outcome) -> &RtpStream {
    match outcome {
        Outcome::Rtp(stream) => stream,
        other => panic!("no RTP stream: {other:?}"),
    }
}

pub(crate) fn tls_stream(outcome: &Outcome) -> &TlsStream {
    match outcome {
        Outcome::Tls(stream) => stream,
        other => panic!("no TLS stream: {other:?}"),
    }
}

/// The `a=crypto` lines of a description.
pub(crate) fn crypto_lines(sdp: &[u8]) -> Vec<String> {
    media(sdp)
        .lines()
        .filter(|l| l.starts_with("a=crypto:"))
        .map(str::to_owned)
        .collect()
}

/// The first key of a set, salt included.
pub(crate) fn key(keys: &KeySet) -> Vec<u8> {
    let key = keys.entries()[0].key();
    [key.expose_key(), key.expose_salt()].concat()
}

/// What an `a=crypto` line says.
pub(crate) fn described(line: &str) -> SecurityDescription {
    SecurityDescription::parse(line, &[]).unwrap()
}

/// What a UE answers to the edge's offer: the line with this tag.
pub(crate) fn ue_answer(tag: u32, suite: &str, key: &str) -> Vec<u8> {
    sdp(&format!(
        "m=audio 49170 RTP/SAVP 97\na=crypto:{tag} {suite} inline:{key}\n"
    ))
}
