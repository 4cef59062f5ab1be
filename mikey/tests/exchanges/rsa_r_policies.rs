//! RSA-R: which policy each crypto session has once the Responder has chosen.

use mikey::code_points::{PayloadType, ProtType};
use mikey::crypto::{RsaCredentials, Suite};
use mikey::derive::srtp::policy;
use mikey::exchange::{Bundle, ExchangeError, Proposal, rsa_r};
use mikey::payload::{
    CryptoSession, CsIdMap, GenericIdMap, SecurityPolicy, SrtpIdMap, SrtpIdSession, SrtpSessionData,
};
use mikey::{Identity, Quirks};
use srtp::keying::{MasterKeySource, Profile};

use crate::support::{TestRng, alice, bob, cache, now, tgk, time};

const ALICE_KEY: &[u8] = include_bytes!("../vectors/rsa/alice.pkcs8.der");
const BOB_KEY: &[u8] = include_bytes!("../vectors/rsa/bob.pkcs8.der");
const ALICE_MODULUS: &[u8] = include_bytes!("../vectors/rsa/alice.modulus.bin");
const BOB_MODULUS: &[u8] = include_bytes!("../vectors/rsa/bob.modulus.bin");

/// By their numbers in the proposal.
const PROFILES: [Profile; 2] = [Profile::AesCm128HmacSha1_80, Profile::AeadAes128Gcm];

fn knowing(key: &[u8], peer: Identity, modulus: &[u8]) -> RsaCredentials {
    let mut credentials = RsaCredentials::from_pkcs8(key).unwrap();
    credentials.trust(peer, modulus, &[1, 0, 1]);
    credentials
}

/// The sessions of `map` under `count` policies.
fn proposing<R>(map: CsIdMap<'_>, count: usize, use_it: impl FnOnce(&Proposal<'_>) -> R) -> R {
    let params = PROFILES.map(|profile| policy(profile).unwrap().params());
    let policies: Vec<_> = (0..)
        .zip(&params)
        .take(count)
        .map(|(number, params)| SecurityPolicy::new(number, ProtType::Srtp, params).unwrap())
        .collect();
    use_it(&Proposal::new(map).policies(&policies))
}

/// Alice asks for `asked` and Bob answers what she asked by `heard`, with CSB ID and RAND the same.
fn exchange(
    (asked, heard): (&Proposal<'_>, &Proposal<'_>),
    chosen: &[u8],
) -> Result<[Bundle; 2], ExchangeError> {
    let of_alice = knowing(ALICE_KEY, bob(), BOB_MODULUS);
    let of_bob = knowing(BOB_KEY, alice(), ALICE_MODULUS);
    let initiator = rsa_r::Initiator::new(&of_alice, alice());
    let (awaiting, _) = initiator.start(asked, time(), &mut TestRng(3))?;
    let (_, message) = initiator.start(heard, time(), &mut TestRng(3))?;
    let accepted = rsa_r::Responder::new(&of_bob, bob()).accept(&message, &mut cache(), now())?;
    let suite = Suite::AES_CM_128_HMAC_SHA1;
    let (at_bob, answer) = accepted.establish(suite, vec![tgk(5)], chosen, &mut TestRng(4))?;
    Ok([awaiting.accept(&answer)?, at_bob])
}

fn chosen(map: CsIdMap<'_>, numbers: &[u8]) -> Result<[Bundle; 2], ExchangeError> {
    proposing(map, 2, |proposal| exchange((proposal, proposal), numbers))
}

fn srtp_id(policies: [u8; 2]) -> Vec<SrtpIdSession> {
    let stream = |(ssrc, policy_no)| SrtpIdSession {
        policy_no,
        ssrc,
        roc: 0,
    };
    [5, 6].into_iter().zip(policies).map(stream).collect()
}

fn generic(policies: &[u8]) -> [CryptoSession<'_>; 2] {
    [5, 6].map(|cs_id| {
        let data = SrtpSessionData {
            ssrc: cs_id.into(),
            index: None,
        };
        CryptoSession::srtp(cs_id, policies, Some(data), &[]).unwrap()
    })
}

fn have(bundles: &[Bundle; 2], cs_ids: [u8; 2], number: u8) {
    let [at_alice, at_bob] = bundles;
    assert_eq!(at_alice.sessions(), at_bob.sessions());
    let [first, second] = cs_ids.map(|cs_id| [cs_id]);
    let sent = at_alice.srtp_keys(&first, &second, Quirks::NONE).unwrap();
    let received = at_bob.srtp_keys(&second, &first, Quirks::NONE).unwrap();
    let profile = PROFILES[usize::from(number)];
    assert_eq!(sent.outbound().profile(), profile);
    let key = |entries: &[srtp::keying::KeyEntry]| entries[0].key().expose_key().to_vec();
    assert_eq!(
        key(sent.outbound().entries()),
        key(received.inbound().entries())
    );
}

#[test]
fn every_session_has_the_policy_that_was_chosen() {
    for number in [0, 1] {
        let streams = srtp_id([0, 0]);
        let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
        have(&chosen(map, &[number]).unwrap(), [1, 2], number);
        for listed in [&[0, 1][..], &[]] {
            let sessions = generic(listed);
            let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
            have(&chosen(map, &[number]).unwrap(), [5, 6], number);
        }
    }
    // With both, each keeps its own.
    let streams = srtp_id([0, 1]);
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    let [at_alice, at_bob] = chosen(map, &[0, 1]).unwrap();
    assert_eq!(at_alice.sessions(), at_bob.sessions());
    assert_eq!(at_alice.sessions()[1].policies(), [1]);
}

#[test]
fn a_choice_that_leaves_a_session_without_one_policy_is_refused() {
    for (listed, numbers) in [(&[0][..], &[1][..]), (&[], &[0, 1])] {
        let sessions = generic(listed);
        let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
        let error = chosen(map, numbers).unwrap_err();
        assert_eq!(error, ExchangeError::UnsupportedPolicy);
    }
}

#[test]
fn the_responder_fills_in_sessions_where_none_were_named() {
    let streams = srtp_id([0, 0]);
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    let bundles = proposing(map, 0, |heard| {
        exchange((&Proposal::new(CsIdMap::NONE), heard), &[])
    });
    have(&bundles.unwrap(), [1, 2], 0);

    // But not others than were named.
    let other = srtp_id([1, 1]).into_iter().take(1).collect::<Vec<_>>();
    let other = CsIdMap::SrtpId(SrtpIdMap::new(&other).unwrap());
    let error = proposing(map, 0, |heard| {
        exchange((&Proposal::new(other), heard), &[])
    });
    assert_eq!(error.unwrap_err(), ExchangeError::Mismatch);
}

#[test]
fn an_answer_says_which_of_the_proposed_policies_holds() {
    let streams = srtp_id([0, 0]);
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    let answered = proposing(map, 2, |asked| {
        proposing(map, 0, |heard| exchange((asked, heard), &[]))
    });
    let missing = ExchangeError::MissingPayload(PayloadType::Sp);
    assert_eq!(answered.unwrap_err(), missing);
}
