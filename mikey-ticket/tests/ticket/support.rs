//! Parties, clocks and randomness for the tests.

use core::convert::Infallible;

use mikey::code_points::ProtType;
use mikey::derive::{Secret, SessionKey};
use mikey::exchange::KeyKind;
use mikey::payload::{
    CryptoSession, PolicyParam, SecurityPolicy, SrtpPolicy, SrtpSessionData, TicketFlags,
};
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
use mikey_ticket::{
    Answer, AwaitingResolution, AwaitingTicket, Established, GrantAsAsked, GrantedTicket,
    InMemoryTicketKeys, Initiator, KeyRequest, Kms, Offer, Policy, Recipient, Responder, Strength,
    Transfer, VerifiedTransfer,
};

/// SplitMix64: the same octets in every run.
#[derive(Clone)]
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

pub(crate) fn id(uri: &str) -> Identity {
    Identity::uri(uri).unwrap()
}

pub(crate) fn alice() -> Identity {
    id("sip:alice@example.com")
}

pub(crate) fn bob() -> Identity {
    id("sip:bob@example.com")
}

pub(crate) fn carol() -> Identity {
    id("sip:carol@example.com")
}

pub(crate) fn kms_id() -> Identity {
    id("sip:kms.example.com")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(1_800_000_000, 123_456_789)
}

/// The key that a user shares with the KMS.
pub(crate) fn psk_of(user: &Identity) -> Secret {
    let mut key = [0x2b; 32];
    for (octet, name) in key.iter_mut().zip(user.data().iter().skip(4)) {
        *octet ^= name;
    }
    Secret::new(&key).unwrap()
}

pub(crate) fn psk(user: &Identity) -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    keys.insert(kms_id(), psk_of(user));
    keys
}

pub(crate) fn cache() -> InMemoryReplayCache {
    InMemoryReplayCache::new(4096, SkewWindow::default())
}

pub(crate) fn tpks() -> InMemoryTicketKeys {
    let mut tpks = InMemoryTicketKeys::new();
    let (from, until) = (now().minus_seconds(60), now().plus_seconds(86_400));
    for (strength, id) in [
        (Strength::Bits128, b"tpk 128"),
        (Strength::Bits256, b"tpk 256"),
    ] {
        let key = Secret::new(&vec![0x70; strength.key_len()]).unwrap();
        tpks.insert(id, strength, key, from, until);
    }
    tpks
}

pub(crate) type TestKms = Kms<InMemoryKeys, InMemoryTicketKeys, GrantAsAsked, InMemoryReplayCache>;

pub(crate) fn subscribers() -> InMemoryKeys {
    let mut keys = InMemoryKeys::new();
    for user in [alice(), bob(), carol()] {
        keys.insert(user.clone(), psk_of(&user));
    }
    keys
}

pub(crate) fn kms() -> TestKms {
    Kms::new(kms_id(), subscribers(), tpks(), GrantAsAsked, cache())
}

/// One TGK with SPI 7, for Bob and Carol.
pub(crate) fn policy(strength: Strength, flags: TicketFlags) -> Policy {
    let recipients = [bob(), carol()].map(Recipient::new).to_vec();
    let tgk = KeyRequest {
        kind: KeyKind::Tgk,
        len: strength.key_len(),
        salt_len: None,
        spi: vec![7],
    };
    let policy = Policy::new(strength, flags, recipients).unwrap();
    let policy = policy.with_keys(vec![tgk]).unwrap();
    let (start, end) = (now().minus_seconds(3600), now().plus_seconds(3600));
    policy.with_validity(Some(start), Some(end)).unwrap()
}

pub(crate) fn srtp_params() -> Vec<PolicyParam<'static>> {
    SrtpPolicy::default().params()
}

pub(crate) fn stream(cs_id: u8, ssrc: u32, spi: &[u8]) -> CryptoSession<'_> {
    let data = SrtpSessionData { ssrc, index: None };
    CryptoSession::srtp(cs_id, &[0], Some(data), spi).unwrap()
}

pub(crate) fn with_offer<T>(peer: &Identity, use_it: impl FnOnce(&Offer<'_>) -> T) -> T {
    let params = srtp_params();
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let sessions = [stream(1, 0x1111_1111, &[7])];
    use_it(&Offer::new(peer, &sessions).with_policies(&policies))
}

pub(crate) fn with_answer<T>(use_it: impl FnOnce(&Answer<'_>) -> T) -> T {
    let sessions = [stream(1, 0x1111_1111, &[7]), stream(2, 0x2222_2222, &[7])];
    use_it(&Answer::new(&sessions))
}

pub(crate) fn ask(policy: &Policy, rng: &mut TestRng) -> (AwaitingTicket, Vec<u8>) {
    Initiator::new(alice(), kms_id())
        .request(policy, &psk(&alice()), now(), rng)
        .unwrap()
}

pub(crate) fn granted(policy: &Policy, kms: &mut TestKms, rng: &mut TestRng) -> GrantedTicket {
    let (pending, request) = ask(policy, rng);
    let response = kms.handle(&request, now(), rng).unwrap();
    pending.accept(&response, now()).unwrap()
}

pub(crate) fn call(ticket: &mut GrantedTicket, rng: &mut TestRng) -> (Transfer, Vec<u8>) {
    with_offer(&bob(), |offer| ticket.transfer(offer, now(), rng)).unwrap()
}

/// Alice asks for a ticket and calls Bob.
pub(crate) fn new_call(
    policy: &Policy,
    kms: &mut TestKms,
    rng: &mut TestRng,
) -> (Transfer, Vec<u8>) {
    call(&mut granted(policy, kms, rng), rng)
}

pub(crate) fn user(identity: Identity) -> Responder {
    Responder::new(identity, kms_id())
}

pub(crate) fn resolve(
    user_id: &Identity,
    transfer_init: &[u8],
    rng: &mut TestRng,
) -> (AwaitingResolution, Vec<u8>) {
    let incoming = user(user_id.clone()).receive(transfer_init, now()).unwrap();
    incoming.resolve(&psk(user_id), now(), rng).unwrap()
}

pub(crate) fn verified(
    user_id: &Identity,
    transfer_init: &[u8],
    kms: &mut TestKms,
    rng: &mut TestRng,
) -> VerifiedTransfer {
    let (resolving, request) = resolve(user_id, transfer_init, rng);
    let response = kms.handle(&request, now(), rng).unwrap();
    resolving.accept(&response, now(), &mut cache()).unwrap()
}

pub(crate) fn answer(
    verified: VerifiedTransfer,
    rng: &mut TestRng,
) -> (Established, Option<Vec<u8>>) {
    with_answer(|answer| verified.accept(answer, now(), rng)).unwrap()
}

/// Both ends of a call to Bob with a ticket of `policy`: Alice's and his.
pub(crate) fn established(policy: &Policy) -> [Established; 2] {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let (waiting, init) = new_call(policy, &mut kms, &mut rng);
    let verified = verified(&bob(), &init, &mut kms, &mut rng);
    assert_eq!(verified.initiator(), &alice());
    let (at_bob, response) = answer(verified, &mut rng);
    let at_alice = match (waiting, response) {
        (waiting, Some(response)) => waiting.accept(&response).unwrap(),
        (Transfer::Complete(at_alice), None) => *at_alice,
        (Transfer::Awaiting(_), None) => panic!("no answer was wanted"),
    };
    [at_alice, at_bob]
}

/// As [`established`], but offered and answered with these sessions.
pub(crate) fn agreed(policy: &Policy, sessions: &[CryptoSession<'_>]) -> [Established; 2] {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(policy, &mut kms, &mut rng);
    let (peer, params) = (bob(), srtp_params());
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let offer = Offer::new(&peer, sessions).with_policies(&policies);
    let (waiting, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
    let verified = verified(&bob(), &init, &mut kms, &mut rng);
    let accepted = verified.accept(&Answer::new(sessions), now(), &mut rng);
    let (at_bob, answer) = accepted.unwrap();
    [waiting.accept(&answer.unwrap()).unwrap(), at_bob]
}

pub(crate) fn tek(established: &Established, cs_id: u8) -> Vec<u8> {
    let fits = |len: &usize| {
        let mut out = vec![0; *len];
        let key = established.session_key(cs_id, SessionKey::Tek, &mut out);
        key.is_ok().then_some(out)
    };
    [32, 16].iter().find_map(fits).unwrap()
}

/// The message with each octet changed in turn.
pub(crate) fn tampered(message: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..message.len()).flat_map(|index| {
        [0x01, 0x80].map(|difference| {
            let mut changed = message.to_vec();
            changed[index] ^= difference;
            (index, changed)
        })
    })
}

pub(crate) const STRENGTHS: [Strength; 2] = [Strength::Bits128, Strength::Bits256];
