//! The profiles of calls and of TLS (TR 33.829 annexes D and E), and that no key has two uses.
//! Self-consistency.

use mikey::code_points::{ProtType, ThreeGppCodePoints};
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{CryptoSession, PolicyParam, SecurityPolicy, TicketFlags};
use mikey_ticket::profile::{conference, ims_media, psk_mime, tls};
use mikey_ticket::{
    Answer, Established, KeyRequest, Offer, Policy, PolicyError, Recipient, Strength, TicketError,
};

use crate::support::*;

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

fn to_bob() -> Vec<Recipient> {
    vec![Recipient::new(bob())]
}

/// Offered and answered with the same sessions.
fn agreed(
    policy: &Policy,
    sessions: &[CryptoSession<'_>],
    policies: &[SecurityPolicy<'_>],
) -> Result<(Established, Established), TicketError> {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(policy, &mut kms, &mut rng);
    let peer = bob();
    let offer = Offer::new(&peer, sessions).with_policies(policies);
    let (waiting, init) = ticket.transfer(&offer, now(), &mut rng)?;
    let verified = verified(&bob(), &init, &mut kms, &mut rng);
    tls::check(&verified.message()?, &CODE_POINTS)?;
    let (at_bob, answer) = verified.accept(&Answer::new(sessions), now(), &mut rng)?;
    let at_alice = waiting.accept(&answer.unwrap())?;
    Ok((at_alice, at_bob))
}

fn psks(cs_id: u8, (at_alice, at_bob): &(Established, Established)) -> Secret {
    let [ours, theirs] = [at_alice, at_bob].map(|side| tls::psk(side, &CODE_POINTS, cs_id));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.expose(), theirs.expose());
    ours
}

#[test]
fn req_psk_08_a_tls_session_has_no_policy_and_no_data_and_any_spi() {
    let media = policy(Strength::Bits256, Policy::FORKED);
    let session = CryptoSession::tls(&CODE_POINTS, 1, &[7]).unwrap();
    assert!(!session.s_flag() && session.policies().is_empty());
    assert_eq!(
        psks(1, &agreed(&media, &[session], &[]).unwrap())
            .expose()
            .len(),
        32
    );
    let data = CryptoSession::new(1, CODE_POINTS.tls, &[], &[1, 2, 3], &[7]).unwrap();
    assert!(agreed(&media, &[data], &[]).is_err());
}

#[test]
fn req_psk_09_a_tls_session_may_name_a_dummy_policy_instead() {
    let media = policy(Strength::Bits128, Policy::FORKED);
    let none = CryptoSession::tls(&CODE_POINTS, 1, &[7]).unwrap();
    let dummy = tls::session_with_dummy_policy(&CODE_POINTS, 1, &[3], &[7]).unwrap();
    let policies = [tls::dummy_policy(&CODE_POINTS, 3).unwrap()];
    let plain = psks(1, &agreed(&media, &[none], &[]).unwrap());
    let with_dummy = psks(1, &agreed(&media, &[dummy], &policies).unwrap());
    assert_eq!(
        plain.expose(),
        with_dummy.expose(),
        "the policy is no part of the key"
    );

    // A dummy that is not there, has values, or is of another protocol.
    let params = [PolicyParam::new(0, &[1]).unwrap()];
    for policies in [
        &[][..],
        &[SecurityPolicy::new(3, CODE_POINTS.tls, &params).unwrap()],
        &[SecurityPolicy::new(3, ProtType::Srtp, &[]).unwrap()],
    ] {
        assert!(agreed(&media, &[dummy], policies).is_err(), "{policies:?}");
    }
}

#[test]
fn req_psk_10_the_psk_is_derived_with_the_cs_id_or_is_the_tek_itself() {
    let keys = |keys: Vec<(KeyKind, u8)>| {
        let keys = keys.into_iter().map(|(kind, spi)| KeyRequest {
            kind,
            len: 16,
            salt_len: None,
            spi: vec![spi],
        });
        let media = Policy::new(Strength::Bits128, Policy::FORKED, to_bob()).unwrap();
        media.with_keys(keys.collect()).unwrap()
    };
    for kind in [KeyKind::Tgk, KeyKind::Gtgk] {
        let sessions = [1, 2].map(|cs_id| CryptoSession::tls(&CODE_POINTS, cs_id, &[7]).unwrap());
        let both = agreed(&keys(vec![(kind, 7)]), &sessions, &[]).unwrap();
        assert_ne!(psks(1, &both).expose(), psks(2, &both).expose());
    }
    let sessions = [CryptoSession::tls(&CODE_POINTS, 1, &[9]).unwrap()];
    let wanted = keys(vec![(KeyKind::Tgk, 7), (KeyKind::Tek, 9)]);
    assert_eq!(
        psks(1, &agreed(&wanted, &sessions, &[]).unwrap())
            .expose()
            .len(),
        16
    );
}

/// TR 33.829 §A.1: a connection that comes after another has the same key, also when the call has
/// changed between them, until the key is another.
#[test]
fn req_psk_17_one_tek_serves_a_connection_and_its_successors() {
    let flags = TicketFlags {
        initiator_keys: true,
        ..Policy::FORKED
    };
    let session = |cs_id, spi| CryptoSession::tls(&CODE_POINTS, cs_id, spi).unwrap();
    let mut both = agreed(&policy(Strength::Bits128, flags), &[session(1, &[7])], &[]).unwrap();
    let first = psks(1, &both);
    let more = [session(1, &[7]), session(2, &[7])];
    let message = both.0.update(&Answer::new(&more), false, now()).unwrap();
    both.1.accept_update(&message, now()).unwrap();
    assert_eq!(psks(1, &both).expose(), first.expose());
    assert_ne!(psks(2, &both).expose(), first.expose());

    let key = Secret::new(&[8; 16]).unwrap();
    let keys = [KeyMaterial::new(KeyKind::Tgk, key).with_spi(&[8])];
    let renewed = [session(1, &[8])];
    let change = Answer::new(&renewed).with_keys(&keys);
    let message = both.0.update(&change, false, now()).unwrap();
    both.1.accept_update(&message, now()).unwrap();
    assert_ne!(psks(1, &both).expose(), first.expose());
}

#[test]
fn ims_media_tickets_are_those_that_annex_e_sets_itself_apart_from() {
    let media = ims_media::policy(Strength::Bits128, to_bob()).unwrap();
    assert_eq!(ims_media::check_policy(&media), Ok(()));
    let on = media.flags();
    for flags in [
        TicketFlags {
            response: false,
            responder_rand: false,
            ..on
        },
        TicketFlags {
            responder_rand: false,
            ..on
        },
        TicketFlags {
            forking: false,
            ..on
        },
        TicketFlags {
            initiator_keys: true,
            ..on
        },
        TicketFlags {
            resolve_mandatory: false,
            forking: false,
            ..on
        },
        TicketFlags {
            kms_generated: false,
            initiator_keys: true,
            ..on
        },
    ] {
        let other = Policy::new(Strength::Bits128, flags, to_bob()).unwrap();
        let other = other.with_keys(vec![]).unwrap();
        assert_eq!(
            ims_media::check_policy(&other),
            Err(PolicyError::Profile),
            "{flags:?}"
        );
    }
    let named = media
        .clone()
        .with_applications(vec![psk_mime::application().unwrap()]);
    assert_eq!(ims_media::check_policy(&named), Err(PolicyError::Profile));
    // Tickets of one profile are none of another's.
    let message = psk_mime::policy(Strength::Bits128, to_bob(), true).unwrap();
    assert_eq!(ims_media::check_policy(&message), Err(PolicyError::Profile));
    assert_eq!(psk_mime::check_policy(&media), Err(PolicyError::Profile));
    assert_eq!(
        conference::check_policy(&message),
        Err(PolicyError::Profile)
    );
}

#[test]
fn ims_media_sessions_are_of_srtp_and_tls() {
    let media = ims_media::policy(Strength::Bits128, to_bob()).unwrap();
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = granted(&media, &mut kms, &mut rng);
    let (peer, params) = (bob(), srtp_params());
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let srtp = stream(1, 0x1111_1111, &[]);
    let tls = CryptoSession::tls(&CODE_POINTS, 2, &[]).unwrap();
    let app = |policies| {
        CryptoSession::new(3, CODE_POINTS.application_specific, policies, &[], &[]).unwrap()
    };
    for sessions in [
        vec![],
        vec![CryptoSession::psk_mime(&CODE_POINTS, 1)],
        vec![
            srtp,
            CryptoSession::new(2, ProtType::Tesla, &[], &[], &[]).unwrap(),
        ],
        vec![CryptoSession::srtp(1, &[], None, &[]).unwrap()],
        vec![srtp, app(&[0])],
    ] {
        let offer = Offer::new(&peer, &sessions).with_policies(&policies);
        let refused = ims_media::transfer(&mut ticket, &offer, &CODE_POINTS, now(), &mut rng);
        assert_eq!(
            refused.unwrap_err(),
            TicketError::UnsupportedSessions,
            "{sessions:?}"
        );
    }
    let sessions = [srtp, tls, app(&[])];
    let offer = Offer::new(&peer, &sessions).with_policies(&policies);
    let (_, init) =
        ims_media::transfer(&mut ticket, &offer, &CODE_POINTS, now(), &mut rng).unwrap();
    let incoming = user(bob()).receive(&init, now()).unwrap();
    assert_eq!(ims_media::check_incoming(&incoming, &CODE_POINTS), Ok(()));
    let verified = verified(&bob(), &init, &mut kms, &mut rng);
    assert_eq!(ims_media::check_verified(&verified, &CODE_POINTS), Ok(()));
    // To those who number the protocols otherwise it is no call.
    let other = ThreeGppCodePoints {
        tls: ProtType::Unknown(250),
        ..CODE_POINTS
    };
    let refused = ims_media::check_verified(&verified, &other);
    assert_eq!(refused, Err(TicketError::UnsupportedSessions));
}

/// A ticket with one TEK: whoever names it has that very key.
fn one_tek() -> Policy {
    let tek = KeyRequest {
        kind: KeyKind::Tek,
        len: 16,
        salt_len: None,
        spi: vec![7],
    };
    let media = Policy::new(Strength::Bits128, Policy::FORKED, to_bob()).unwrap();
    media.with_keys(vec![tek]).unwrap()
}

#[test]
fn a_tek_never_keys_two_protocols() {
    let params = srtp_params();
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let srtp = stream(1, 0x1111_1111, &[7]);
    let tls = CryptoSession::tls(&CODE_POINTS, 2, &[7]).unwrap();
    let refused = agreed(&one_tek(), &[srtp, tls], &policies).unwrap_err();
    assert_eq!(refused, TicketError::UnsupportedSessions);
    // From a TGK they have different ones.
    let tgk = policy(Strength::Bits128, Policy::FORKED);
    let (call, _) = agreed(&tgk, &[srtp, tls], &policies).unwrap();
    assert_ne!(tek(&call, 1), tek(&call, 2));
    // A master key is that of one SSRC.
    let streams = [srtp, stream(2, 0x2222_2222, &[7])];
    let (call, _) = agreed(&one_tek(), &streams, &policies).unwrap();
    let refused = ims_media::check_established(&call, &CODE_POINTS);
    assert_eq!(refused, Err(TicketError::UnsupportedSessions));
    let (call, _) = agreed(&tgk, &streams, &policies).unwrap();
    assert_eq!(ims_media::check_established(&call, &CODE_POINTS), Ok(()));
}

#[test]
fn a_key_serves_the_protocol_of_its_session_alone() {
    let params = srtp_params();
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let tgk = policy(Strength::Bits128, Policy::FORKED);
    let app = CryptoSession::new(3, CODE_POINTS.application_specific, &[], &[], &[7]).unwrap();
    let sessions = [
        stream(1, 0x1111_1111, &[7]),
        CryptoSession::tls(&CODE_POINTS, 2, &[7]).unwrap(),
        app,
    ];
    let (call, _) = agreed(&tgk, &sessions, &policies).unwrap();
    assert_eq!(
        call.tls_psk(1).unwrap_err(),
        TicketError::UnsupportedSessions
    );
    for cs_id in [1, 3] {
        let refused = tls::psk(&call, &CODE_POINTS, cs_id).unwrap_err();
        assert_eq!(refused, TicketError::UnsupportedSessions);
    }
    assert_eq!(
        tls::psk(&call, &CODE_POINTS, 4).unwrap_err(),
        TicketError::Mismatch
    );
    assert!(tls::psk(&call, &CODE_POINTS, 2).is_ok());
    assert!(call.content_key().is_none());
    let (stream, _) = agreed(&one_tek(), &sessions[..1], &policies).unwrap();
    assert!(stream.content_key().is_none());
    #[cfg(feature = "srtp")]
    assert!(call.srtp_keys(&[2], &[1]).is_err());
}

#[test]
fn an_update_does_not_turn_a_key_to_another_protocol() {
    let params = srtp_params();
    let policies = [SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap()];
    let srtp = [stream(1, 0x1111_1111, &[7])];
    let tgk = policy(Strength::Bits128, Policy::FORKED);
    let (mut at_alice, _) = agreed(&tgk, &srtp, &policies).unwrap();
    let tls = [CryptoSession::tls(&CODE_POINTS, 1, &[7]).unwrap()];
    let later = now().plus_seconds(1);
    let refused = at_alice.update(&Answer::new(&tls), false, later);
    assert_eq!(refused.unwrap_err(), TicketError::Mismatch);
    let moved = [CryptoSession::tls(&CODE_POINTS, 2, &[7]).unwrap()];
    assert!(at_alice.update(&Answer::new(&moved), false, later).is_ok());
}

/// A content key that stands beside another key is not taken for one.
#[test]
fn content_keys_come_alone() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let asked = psk_mime::policy(Strength::Bits128, to_bob(), false).unwrap();
    let teks: Vec<_> = [7, 8]
        .map(|spi| {
            let key = Secret::new(&[spi; 16]).unwrap();
            KeyMaterial::new(KeyKind::Tek, key).with_spi(&[spi])
        })
        .into();
    let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::new(&[1; 16]).unwrap());
    let peer = bob();
    let sessions = [CryptoSession::psk_mime(&CODE_POINTS, 1)];
    for keys in [&teks[..], &[tgk], &[]] {
        let mut ticket = granted(&asked, &mut kms, &mut rng);
        let offer = Offer::new(&peer, &sessions).with_keys(keys);
        let (_, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
        let user = user(bob()).with_application(psk_mime::application().unwrap());
        let incoming = user.receive(&init, now()).unwrap();
        let (resolving, request) = incoming.resolve(&psk(&bob()), now(), &mut rng).unwrap();
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let verified = resolving.accept(&response, now(), &mut cache()).unwrap();
        let refused = psk_mime::receive(&verified, &CODE_POINTS, now()).unwrap_err();
        assert_eq!(refused, TicketError::UnsupportedSessions);
    }
}
