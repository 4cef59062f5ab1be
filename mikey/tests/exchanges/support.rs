//! Parties, clocks and randomness for the tests of the exchanges.

use core::convert::Infallible;

use mikey::code_points::ProtType;
use mikey::derive::Secret;
use mikey::exchange::{Acceptance, KeyKind, KeyMaterial, Proposal};
use mikey::payload::{CsIdMap, PolicyParam, SecurityPolicy, SrtpIdMap, SrtpIdSession};
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};

/// SplitMix64: the same octets in every run.
pub(crate) struct TestRng(pub(crate) u64);

impl rand_core::TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for TestRng {}

pub(crate) fn alice() -> Identity {
    Identity::uri("sip:alice@example.org").unwrap()
}

pub(crate) fn bob() -> Identity {
    Identity::uri("sip:bob@example.org").unwrap()
}

/// What `peer` shares a key with.
pub(crate) fn shared_with(peer: Identity) -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    keys.insert(peer, Secret::new(&[0x2b; 32]).unwrap());
    keys
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(1_800_000_000, 123_456_789)
}

pub(crate) fn time() -> MessageTime {
    MessageTime::Utc(now())
}

pub(crate) fn cache() -> InMemoryReplayCache {
    InMemoryReplayCache::new(64, SkewWindow::default())
}

/// 20 octets, so that its Key data sub-payload fits the key wrap.
pub(crate) fn tgk(fill: u8) -> KeyMaterial {
    KeyMaterial::new(KeyKind::Tgk, Secret::new(&[fill; 20]).unwrap())
}

pub(crate) fn lenient() -> Acceptance {
    Acceptance::new().short_groups(true).counters(true)
}

/// Two SRTP streams, the SSRC of the second left to the Responder, under one policy.
pub(crate) fn with_proposal<R>(use_it: impl FnOnce(&Proposal<'_>) -> R) -> R {
    let streams = [
        SrtpIdSession {
            policy_no: 0,
            ssrc: 0x1111_1111,
            roc: 0,
        },
        SrtpIdSession {
            policy_no: 0,
            ssrc: 0,
            roc: 0,
        },
    ];
    let params = [
        PolicyParam::new(0, &[1]).unwrap(),
        PolicyParam::new(1, &[16]).unwrap(),
    ];
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    use_it(&Proposal::new(map).policies(&policies))
}

/// The message with each octet changed in turn, by each of three differences.
pub(crate) fn tampered(message: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..message.len()).flat_map(|index| {
        [0x01, 0x80, 0xff].map(|difference| {
            let mut changed = message.to_vec();
            changed[index] ^= difference;
            (index, changed)
        })
    })
}
