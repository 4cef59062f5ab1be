use mikey::code_points::{ProtType, SrtpAuthAlg, SrtpEncrAlg};
use mikey::derive::srtp::profile;
use mikey::derive::{Secret, SessionKey};
use mikey::exchange::{
    Acceptance, Bundle, KeyKind, KeyMaterial, Proposal, SrtpKeyError, Validity, null,
};
use mikey::payload::{
    CryptoSession, CsIdMap, GenericIdMap, SecurityPolicy, SrtpIdMap, SrtpIdSession, SrtpPolicy,
    SrtpSessionData,
};
use mikey::{Quirks, Rules};
use srtp::keying::{KeyingError, MasterKeySource, Profile};

use crate::support::{TestRng, now, tgk, time};

fn bundle(proposal: &Proposal<'_>, material: Vec<KeyMaterial>) -> Bundle {
    let mut rng = TestRng(1);
    null::send_in_secured_channel(proposal, material, None, time(), &mut rng)
        .unwrap()
        .0
}

fn with_policy(policy: &SrtpPolicy, material: Vec<KeyMaterial>) -> Bundle {
    let streams = [
        SrtpIdSession {
            policy_no: 3,
            ssrc: 0x1111_1111,
            roc: 5,
        },
        SrtpIdSession {
            policy_no: 3,
            ssrc: 0x2222_2222,
            roc: 0,
        },
    ];
    let params = policy.params();
    let policies = [SecurityPolicy::new(3, ProtType::Srtp, &params).unwrap()];
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    bundle(&Proposal::new(map).policies(&policies), material)
}

#[test]
fn each_stream_has_the_key_of_its_cs_id_by_its_ssrc() {
    let bundle = with_policy(&SrtpPolicy::default(), vec![tgk(1)]);
    let keys = bundle.srtp_keys(&[1], &[2], Quirks::NONE).unwrap();
    for (set, cs_id, ssrc, roc) in [
        (keys.outbound(), 1, 0x1111_1111, 5),
        (keys.inbound(), 2, 0x2222_2222, 0),
    ] {
        let entry = &set.entries()[0];
        assert_eq!(
            (entry.ssrc(), entry.roc(), entry.mki()),
            (Some(ssrc), roc, None)
        );
        let (mut tek, mut salt) = ([0; 16], [0; 14]);
        bundle
            .session_key(cs_id, SessionKey::Tek, &mut tek)
            .unwrap();
        bundle
            .session_key(cs_id, SessionKey::Salt, &mut salt)
            .unwrap();
        assert_eq!(entry.key().expose_key(), tek);
        assert_eq!(entry.key().expose_salt(), salt);
    }
}

#[test]
fn policies_map_to_the_profiles_of_their_standards() {
    let aes_cm = |key_len, tag| SrtpPolicy {
        encr_alg: Some(SrtpEncrAlg::AesCm),
        encr_key_len: Some(key_len),
        auth_alg: Some(SrtpAuthAlg::HmacSha1),
        auth_key_len: Some(20),
        auth_tag_len: Some(tag),
        ..SrtpPolicy::default()
    };
    let gcm = |key_len| SrtpPolicy {
        encr_alg: Some(SrtpEncrAlg::AesGcm),
        encr_key_len: Some(key_len),
        auth_alg: Some(SrtpAuthAlg::Null),
        salt_key_len: Some(12),
        aead_auth_tag_len: Some(16),
        ..SrtpPolicy::default()
    };
    let f8 = SrtpPolicy {
        encr_alg: Some(SrtpEncrAlg::AesF8),
        ..SrtpPolicy::default()
    };
    for (policy, expected) in [
        (aes_cm(16, 10), Profile::AesCm128HmacSha1_80),
        (aes_cm(16, 4), Profile::AesCm128HmacSha1_32),
        (aes_cm(24, 10), Profile::AesCm192HmacSha1_80),
        (aes_cm(32, 4), Profile::AesCm256HmacSha1_32),
        (gcm(16), Profile::AeadAes128Gcm),
        (gcm(32), Profile::AeadAes256Gcm),
        (f8, Profile::AesF8_128HmacSha1_80),
    ] {
        assert_eq!(profile(&policy, Quirks::NONE), Some(expected));
        let keys = with_policy(&policy, vec![tgk(1)]).srtp_keys(&[1], &[2], Quirks::NONE);
        assert_eq!(keys.unwrap().outbound().profile(), expected);
    }
}

#[test]
fn unprotected_media_is_not_keyed() {
    let default = SrtpPolicy::default();
    for policy in [
        SrtpPolicy {
            encr_alg: Some(SrtpEncrAlg::Null),
            ..default
        },
        SrtpPolicy {
            auth_alg: Some(SrtpAuthAlg::Null),
            ..default
        },
        SrtpPolicy {
            srtp_encr: Some(false),
            ..default
        },
        SrtpPolicy {
            srtcp_encr: Some(false),
            ..default
        },
        SrtpPolicy {
            srtp_auth: Some(false),
            ..default
        },
        SrtpPolicy {
            auth_tag_len: Some(0),
            ..default
        },
    ] {
        assert_eq!(profile(&policy, Quirks::NONE), None);
        let keys = with_policy(&policy, vec![tgk(1)]).srtp_keys(&[1], &[2], Quirks::NONE);
        assert_eq!(keys.unwrap_err(), SrtpKeyError::Policy(1));
    }
}

#[test]
fn an_spi_becomes_the_mki_and_an_interval_the_validity() {
    let material = vec![tgk(1).with_spi(&[0, 1]), tgk(2).with_spi(&[0, 2])];
    let keys = with_policy(&SrtpPolicy::default(), material)
        .srtp_keys(&[1], &[2], Quirks::NONE)
        .unwrap();
    let mkis: Vec<_> = keys
        .outbound()
        .entries()
        .iter()
        .map(|e| e.mki().unwrap().as_octets().to_vec())
        .collect();
    assert_eq!(mkis, [[0, 1], [0, 2]]);

    let until = Validity::Interval([0; 6].into(), [0, 0, 0, 1, 0, 0].into());
    let keys = with_policy(&SrtpPolicy::default(), vec![tgk(1).with_validity(until)])
        .srtp_keys(&[1], &[2], Quirks::NONE)
        .unwrap();
    assert_eq!(keys.inbound().entries()[0].validity().to(), 0x1_0000);

    let odd = Validity::Interval([0; 2].into(), [1; 2].into());
    let error = with_policy(&SrtpPolicy::default(), vec![tgk(1).with_validity(odd)])
        .srtp_keys(&[1], &[2], Quirks::NONE)
        .unwrap_err();
    assert_eq!(error, SrtpKeyError::Keying(KeyingError::Validity));
}

#[test]
fn req_psk_10_the_spi_of_a_session_points_to_its_key() {
    let code_points = mikey::code_points::ThreeGppCodePoints::DEFAULT;
    let data = |ssrc| {
        Some(SrtpSessionData {
            ssrc,
            index: Some((7, 100)),
        })
    };
    let sessions = [
        CryptoSession::srtp(4, &[], data(0x1111_1111), &[2]).unwrap(),
        CryptoSession::srtp(9, &[], data(0x2222_2222), &[1]).unwrap(),
        CryptoSession::tls(&code_points, 10, &[3]).unwrap(),
        CryptoSession::tls(&code_points, 11, &[2]).unwrap(),
        CryptoSession::tls(&code_points, 12, &[77]).unwrap(),
    ];
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let psk = KeyMaterial::new(KeyKind::Tek, Secret::new(&[9; 32]).unwrap()).with_spi(&[3]);
    let material = vec![tgk(1).with_spi(&[1]), tgk(2).with_spi(&[2]), psk];
    let bundle = bundle(&Proposal::new(map), material);

    // A TEK is the pre-shared key of TLS as it is; a TGK is derived from with the CS ID.
    let mut of_tek = [0; 32];
    bundle
        .session_key(10, SessionKey::Tek, &mut of_tek)
        .unwrap();
    assert_eq!(of_tek, [9; 32]);
    assert_eq!(bundle.key_of(11).unwrap().key().expose(), [2; 20]);
    let mut of_tgk = [0; 32];
    bundle
        .session_key(11, SessionKey::Tek, &mut of_tgk)
        .unwrap();
    assert_ne!(of_tgk, [0; 32]);
    assert!(
        bundle
            .session_key(12, SessionKey::Tek, &mut of_tgk)
            .is_err(),
        "no such SPI"
    );
    assert!(
        bundle
            .session_key(13, SessionKey::Tek, &mut of_tgk)
            .is_err(),
        "no such session"
    );

    let error = bundle.srtp_keys(&[10], &[9], Quirks::NONE).unwrap_err();
    assert_eq!(error, SrtpKeyError::NoStream(10));
    assert_eq!(bundle.session(4).unwrap().roc(), 7);
    assert_eq!(bundle.key_of(4).unwrap().key().expose(), [2; 20]);
}

/// What a camera sends: one TEK with the salt behind it, and 10 for the length of the
/// authentication key. The message is GStreamer's, from its mailing list.
#[test]
fn the_message_of_a_camera_keys_srtp_with_its_quirks_alone() {
    let fixtures = include_str!("../vectors/messages/fixtures.json");
    let (_, entry) = fixtures.split_once("\"gstreamer-devel-2019\"").unwrap();
    let (_, hex) = entry.split_once("\"hex\": \"").unwrap();
    let hex = hex.split('"').next().unwrap();
    let message: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect();
    let quirks = Quirks {
        foreign_timestamps: true,
        salt_in_tek: true,
        ..Quirks::NONE
    };
    let acceptance = Acceptance::new().rules(Rules::STRICT.with_quirks(quirks));
    let bundle = null::receive_in_secured_channel(&message, &acceptance, now()).unwrap();
    assert!(
        bundle.srtp_keys(&[], &[1], quirks).is_err(),
        "a direction without streams"
    );
    let (own, camera) = (0x1234_5678, 2_642_839_923);
    let keys = bundle.srtp_keys_both_ways(1, own, camera, quirks).unwrap();
    assert_eq!(keys.outbound().entries()[0].ssrc(), Some(own));
    let entry = &keys.inbound().entries()[0];
    assert_eq!(entry.key().expose_key()[..4], [0xeb, 0x3c, 0x6e, 0x1b]);
    assert_eq!(entry.key().expose_salt()[12..], [0xbe, 0xf5]);
    assert_eq!(entry.ssrc(), Some(camera));
    let without = bundle.srtp_keys_both_ways(1, own, camera, Quirks::NONE);
    assert!(without.is_err());
}

fn tek(fill: u8) -> KeyMaterial {
    KeyMaterial::new(KeyKind::Tek, Secret::new(&[fill; 16]).unwrap()).with_salt(&[fill; 14])
}

fn with_ssrcs(ssrcs: &[u32], material: Vec<KeyMaterial>) -> Bundle {
    let stream = |ssrc: &u32| SrtpIdSession {
        policy_no: 0,
        ssrc: *ssrc,
        roc: 9,
    };
    let streams: Vec<SrtpIdSession> = ssrcs.iter().map(stream).collect();
    let map = CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap());
    bundle(&Proposal::new(map), material)
}

#[test]
fn a_tek_serves_streams_of_different_ssrcs_alone() {
    let apart = with_ssrcs(&[1, 2, 3], vec![tek(7)]);
    assert!(apart.srtp_keys(&[1, 3], &[2], Quirks::NONE).is_ok());

    for ssrcs in [[1, 1], [1, 0], [0, 1], [0, 0]] {
        let bundle = with_ssrcs(&ssrcs, vec![tek(7)]);
        let error = bundle.srtp_keys(&[1], &[2], Quirks::NONE).unwrap_err();
        assert_eq!(error, SrtpKeyError::SharedKey(1), "{ssrcs:?}");
        // A TGK makes a key for each.
        let bundle = with_ssrcs(&ssrcs, vec![tgk(7)]);
        assert!(bundle.srtp_keys(&[1], &[2], Quirks::NONE).is_ok());
    }
    // The session may be one that is keyed elsewhere, or the key have come twice.
    let material = vec![tek(7).with_spi(&[1]), tek(8).with_spi(&[2])];
    let bundle = with_ssrcs(&[1, 2, 2], material);
    let error = bundle.srtp_keys(&[1], &[2], Quirks::NONE).unwrap_err();
    assert_eq!(error, SrtpKeyError::SharedKey(2));
}

#[test]
fn a_tek_that_an_spi_names_serves_the_sessions_with_that_spi() {
    let with_spis = |spis: [&[u8]; 2], material| {
        let sessions = [
            CryptoSession::srtp(4, &[], None, spis[0]).unwrap(),
            CryptoSession::srtp(9, &[], None, spis[1]).unwrap(),
        ];
        let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
        bundle(&Proposal::new(map), material)
    };
    let material = |second| vec![tek(1).with_spi(&[1]), tek(second).with_spi(&[2])];
    let apart = with_spis([&[1], &[2]], material(2));
    let keys = apart.srtp_keys(&[4], &[9], Quirks::NONE).unwrap();
    for (set, fill) in [(keys.outbound(), 1), (keys.inbound(), 2)] {
        assert_eq!(set.entries().len(), 1);
        assert_eq!(set.entries()[0].key().expose_key(), [fill; 16]);
    }
    for (spis, material) in [
        ([&[1_u8][..], &[1]], material(2)),
        // The same octets under another name.
        ([&[1], &[2]], material(1)),
        // Without an SPI it is the first.
        ([&[1], &[]], material(2)),
        ([&[], &[]], material(2)),
    ] {
        let error = with_spis(spis, material).srtp_keys(&[4], &[9], Quirks::NONE);
        assert_eq!(error.unwrap_err(), SrtpKeyError::SharedKey(4), "{spis:?}");
    }
}

#[test]
fn a_session_that_both_sides_send_in_has_an_ssrc_for_each() {
    for material in [tek(7), tgk(7)] {
        let bundle = with_ssrcs(&[5, 6], vec![material]);
        let error = bundle.srtp_keys(&[1], &[1], Quirks::NONE).unwrap_err();
        assert_eq!(error, SrtpKeyError::SharedKey(1));
        let both_ways = |own, peer| bundle.srtp_keys_both_ways(1, own, peer, Quirks::NONE);
        assert_eq!(both_ways(5, 5).unwrap_err(), SrtpKeyError::SharedKey(1));
        assert_eq!(both_ways(7, 8).unwrap_err(), SrtpKeyError::NoStream(1));
        let error = bundle.srtp_keys_both_ways(3, 5, 8, Quirks::NONE);
        assert_eq!(error.unwrap_err(), SrtpKeyError::NoStream(3));

        let keys = both_ways(8, 5).unwrap();
        let (own, peer) = (&keys.outbound().entries()[0], &keys.inbound().entries()[0]);
        assert_eq!((own.ssrc(), own.roc()), (Some(8), 0));
        assert_eq!((peer.ssrc(), peer.roc()), (Some(5), 9));
        assert_eq!(own.key().expose_key(), peer.key().expose_key());
    }
    // The other session has the TEK too, and 6 is the SSRC of that.
    let bundle = with_ssrcs(&[5, 6], vec![tek(7)]);
    let error = bundle.srtp_keys_both_ways(1, 6, 5, Quirks::NONE);
    assert_eq!(error.unwrap_err(), SrtpKeyError::SharedKey(1));
}

/// As many keys as a message holds, for as many sessions: an authenticated peer, or one in a secured
/// channel, takes no more time than it takes to read them.
#[test]
fn many_keys_for_many_sessions_take_no_long_time() {
    let named = |cs_id: u8, spi: &'static [u8]| {
        let data = Some(SrtpSessionData {
            ssrc: cs_id.into(),
            index: None,
        });
        CryptoSession::srtp(cs_id, &[], data, spi).unwrap()
    };
    let sessions: Vec<_> = core::iter::once(named(1, &[1]))
        .chain((2..=255).map(|cs_id| named(cs_id, &[2])))
        .collect();
    let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
    let material = |first: KeyMaterial, other: &dyn Fn() -> KeyMaterial| {
        let others = (0..1000).map(|_| other());
        core::iter::once(first).chain(others).collect::<Vec<_>>()
    };
    let began = std::time::Instant::now();

    // The same TEK a thousand times, under the SPI of sessions that are not asked for.
    let teks = material(tek(1).with_spi(&[1]), &|| tek(2).with_spi(&[2]));
    let keys = bundle(&Proposal::new(map), teks);
    assert!(keys.srtp_keys_both_ways(1, 1, 1000, Quirks::NONE).is_ok());

    // A thousand TGKs, each of which is for every session.
    let tgks = material(tgk(1).with_spi(&[1]), &|| tgk(2).with_spi(&[3]));
    let all: Vec<u8> = (1..=255).collect();
    let keys = with_ssrcs(&[7; 255], tgks).srtp_keys(&all[..128], &all[128..], Quirks::NONE);
    let error = keys.unwrap_err();
    assert_eq!(error, SrtpKeyError::Keying(KeyingError::TooManyKeys));

    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
