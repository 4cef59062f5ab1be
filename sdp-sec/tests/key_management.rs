//! Requirements of the group PSK on the SDP side, and media anchoring. Self-consistency; the two
//! MIKEY messages are those of RFC 4567 §5.1.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use sdp_sec::cema::{Anchoring, CemaStep};
use sdp_sec::tls_psk::{
    Bundle, CryptoSessions, LineSessions, MixedLevels, Numbering, Purpose, StreamCount,
    check_no_shared_connection,
};
use sdp_sec::tls_role::{Agreement, Comedia, Roles, Side, TlsRole, TlsRoleRule, TransportRole};
use sdp_sec::{KeyMgmt, Protocol, Rule, Sdp, SdpError, Setup, conference, key_mgmt};

const OFFER: &[u8] = include_bytes!("vectors/rfc/rfc4567_example_1_offer.sdp");
const ANSWER: &[u8] = include_bytes!("vectors/rfc/rfc4567_example_1_answer.sdp");
const SESSION: &str = "v=0\r\nc=IN IP4 192.0.2.1\r\n";
const KEY_MGMT: &str = "a=key-mgmt:mikey AQAF\r\n";

fn sessions(text: &str, numbering: Numbering<'_>) -> Result<CryptoSessions, SdpError> {
    let offer = Sdp::parse(text.as_bytes()).unwrap();
    CryptoSessions::of_offer(&offer, numbering, MixedLevels::MediaWins)
}

/// Media index, message, first and last CS ID.
fn mapped(sessions: &CryptoSessions) -> Vec<(usize, Bundle, u8, u8)> {
    let lines = sessions.lines().iter();
    lines
        .map(|l| {
            (
                l.media_index(),
                l.bundle(),
                *l.cs_ids().start(),
                *l.cs_ids().end(),
            )
        })
        .collect()
}

#[test]
fn req_psk_01_a_tls_line_is_keyed_at_session_or_media_level() {
    for (text, bundle) in [
        (
            format!("{SESSION}{KEY_MGMT}m=message 1 TCP/TLS/MSRP *\r\n"),
            Bundle::Session,
        ),
        (
            format!("{SESSION}m=message 1 TCP/TLS/MSRP *\r\n{KEY_MGMT}"),
            Bundle::Media(0),
        ),
    ] {
        let sessions = sessions(&text, Numbering::TwoPerLine).unwrap();
        assert_eq!(mapped(&sessions), [(0, bundle, 1, 1)]);
        assert_eq!(sessions.lines()[0].purpose(), Purpose::Tls);
        assert_eq!(sessions.count(bundle), 1);
    }
}

#[test]
fn req_psk_02_one_message_at_session_level_keys_srtp_and_tls_lines() {
    let text = format!(
        "{SESSION}{KEY_MGMT}m=audio 1 RTP/SAVP 0\r\nm=message 2 TCP/TLS/MSRP *\r\n\
         m=application 3 TCP/TLS/BFCP *\r\nm=video 4 RTP/SAVPF 31\r\nm=image 5 UDP/TLS/UDPTL t38\r\n"
    );
    let sessions = sessions(&text, Numbering::TwoPerLine).unwrap();
    let s = Bundle::Session;
    assert_eq!(
        mapped(&sessions),
        [
            (0, s, 1, 2),
            (1, s, 3, 3),
            (2, s, 4, 4),
            (3, s, 5, 6),
            (4, s, 7, 7)
        ]
    );
    let srtp = Purpose::Srtp(StreamCount::ONE_EACH);
    let purposes: Vec<_> = sessions.lines().iter().map(LineSessions::purpose).collect();
    assert_eq!(
        purposes,
        [srtp, Purpose::Tls, Purpose::Tls, srtp, Purpose::Tls]
    );
    for (cs_id, index) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 3), (7, 4)] {
        assert_eq!(
            sessions.line_of(s, cs_id).map(LineSessions::media_index),
            Some(index)
        );
    }
    assert_eq!(sessions.line_of(s, 8), None);
    assert_eq!(sessions.line_of(Bundle::Media(1), 3), None);
}

#[test]
fn req_psk_03_session_level_maps_by_order_with_a_cs_for_each_ssrc() {
    let text = format!(
        "{SESSION}{KEY_MGMT}m=audio 1 RTP/SAVP 0\r\nm=message 2 TCP/TLS/MSRP *\r\n\
         m=video 4 RTP/SAVP 31\r\n"
    );
    let counts = [
        StreamCount {
            offerer: 2,
            answerer: 1,
        },
        StreamCount {
            offerer: 9,
            answerer: 9,
        },
        StreamCount {
            offerer: 0,
            answerer: 3,
        },
    ];
    let sessions = sessions(&text, Numbering::PerSsrc(&counts)).unwrap();
    let s = Bundle::Session;
    assert_eq!(
        mapped(&sessions),
        [(0, s, 1, 3), (1, s, 4, 4), (2, s, 5, 7)]
    );
    let lines = sessions.lines();
    assert_eq!(
        (lines[0].offerer_cs_ids(), lines[0].answerer_cs_ids()),
        (1..=2, 3..=3)
    );
    assert!(lines[1].offerer_cs_ids().is_empty() && lines[1].answerer_cs_ids().is_empty());
    assert!(lines[2].offerer_cs_ids().is_empty());
    assert_eq!(lines[2].answerer_cs_ids(), 5..=7);
}

#[test]
fn req_psk_04_media_level_has_that_line_s_crypto_sessions_alone() {
    let text = format!(
        "{SESSION}m=audio 1 RTP/SAVP 0\r\n{KEY_MGMT}m=video 3 RTP/SAVP 31\r\n\
         m=message 2 TCP/TLS/MSRP *\r\n{KEY_MGMT}"
    );
    let sessions = sessions(&text, Numbering::TwoPerLine).unwrap();
    assert_eq!(
        mapped(&sessions),
        [(0, Bundle::Media(0), 1, 2), (2, Bundle::Media(2), 1, 1)]
    );
    assert_eq!(sessions.count(Bundle::Session), 0);
}

#[test]
fn req_psk_05_mixed_levels_follow_one_rule_or_are_refused() {
    let text = format!(
        "{SESSION}{KEY_MGMT}m=audio 1 RTP/SAVP 0\r\nm=message 2 TCP/TLS/MSRP *\r\n{KEY_MGMT}\
         m=video 3 RTP/SAVP 31\r\n"
    );
    let s = Bundle::Session;
    let media_wins = sessions(&text, Numbering::TwoPerLine).unwrap();
    assert_eq!(
        mapped(&media_wins),
        [(0, s, 1, 2), (1, Bundle::Media(1), 1, 1), (2, s, 3, 4)]
    );
    let offer = Sdp::parse(text.as_bytes()).unwrap();
    let strict = CryptoSessions::of_offer(&offer, Numbering::TwoPerLine, MixedLevels::Refuse);
    assert_eq!(strict, Err(Rule::MixedLevels.at(6)));
}

#[test]
fn req_psk_06_the_offerer_must_know_how_many_streams_the_answerer_has() {
    let text = format!("{SESSION}{KEY_MGMT}m=audio 1 RTP/SAVP 0\r\n");
    let of = |counts: &[StreamCount]| sessions(&text, Numbering::PerSsrc(counts));
    assert_eq!(of(&[]), Err(Rule::UnknownStreams.at(4)));
    let none = StreamCount {
        offerer: 0,
        answerer: 0,
    };
    assert_eq!(of(&[none]), Err(Rule::UnknownStreams.at(4)));
    // The answerer's entries are those whose SSRC the offer leaves open.
    let known = of(&[StreamCount {
        offerer: 1,
        answerer: 2,
    }])
    .unwrap();
    assert_eq!(known.lines()[0].answerer_cs_ids(), 2..=3);
    let most = of(&[StreamCount {
        offerer: 255,
        answerer: 0,
    }])
    .unwrap();
    assert_eq!(most.lines()[0].offerer_cs_ids(), 1..=255);
    assert!(most.lines()[0].answerer_cs_ids().is_empty());
    let more = of(&[StreamCount {
        offerer: 255,
        answerer: 1,
    }]);
    assert_eq!(more, Err(Rule::TooManyCryptoSessions.at(4)));
}

#[test]
fn req_psk_07_ended_and_plain_lines_keep_the_order_right() {
    let offer_text = format!(
        "{SESSION}{KEY_MGMT}m=audio 0 RTP/SAVP 0\r\nm=video 3 RTP/AVP 31\r\n\
         m=message 2 TCP/TLS/MSRP *\r\nm=audio 4 RTP/SAVP 0\r\n"
    );
    let sessions = sessions(&offer_text, Numbering::TwoPerLine).unwrap();
    let s = Bundle::Session;
    assert_eq!(mapped(&sessions), [(2, s, 1, 1), (3, s, 2, 3)]);
    let offer = Sdp::parse(offer_text.as_bytes()).unwrap();
    let check = |text: &str| sessions.check_answer(&offer, &Sdp::parse(text.as_bytes()).unwrap());
    // A refused line leaves the CS IDs of the others as they are.
    let refused = offer_text.replace("m=message 2 TCP/TLS/MSRP", "m=message 0 TCP/MSRP");
    assert_eq!(check(&offer_text), Ok(()));
    assert_eq!(check(&refused), Ok(()));
    let shorter = offer_text.replace("m=audio 4 RTP/SAVP 0\r\n", "");
    assert_eq!(check(&shorter), Err(Rule::MediaCount.at(0)));
    let stripped = offer_text.replace("m=audio 4 RTP/SAVP", "m=audio 4 RTP/AVP");
    assert_eq!(check(&stripped), Err(Rule::ProtectionStripped.at(7)));
    let feedback = offer_text.replace("m=audio 4 RTP/SAVP", "m=audio 4 RTP/SAVPF");
    assert_eq!(check(&feedback), Ok(()));
    let silent = offer_text.replace(KEY_MGMT, "");
    assert_eq!(check(&silent), Err(Rule::ProtectionStripped.at(5)));
}

#[test]
fn req_psk_13_the_tls_role_follows_the_transport_role_or_an_override() {
    let comedia = |setup| Comedia {
        setup: Some(setup),
        connection: None,
    };
    let (offer, answer) = (comedia(Setup::Actpass), comedia(Setup::Active));
    let agree = |rule| {
        Agreement::by_rule(
            Some(rule),
            Protocol::TcpTlsMsrp,
            offer,
            answer,
            Side::Answerer,
        )
    };
    let with = |tls| {
        let roles = Roles {
            transport: TransportRole::Active,
            tls: Some(tls),
        };
        Ok(Agreement::Establish(roles))
    };
    let default = Agreement::of(Protocol::TcpTlsMsrp, offer, answer, Side::Answerer);
    assert_eq!(default, with(TlsRole::Client));
    assert_eq!(agree(TlsRoleRule::FollowsTransport), with(TlsRole::Client));
    assert_eq!(agree(TlsRoleRule::AnswererIsServer), with(TlsRole::Server));
    assert_eq!(agree(TlsRoleRule::OffererIsServer), with(TlsRole::Client));
}

#[test]
fn req_psk_14_two_sessions_on_one_connection_are_refused() {
    let check = |lines: &str| {
        let text = format!("{SESSION}{KEY_MGMT}{lines}");
        check_no_shared_connection(&Sdp::parse(text.as_bytes()).unwrap())
    };
    let m = |port| format!("m=message {port} TCP/TLS/MSRP *\r\n");
    let path = |port, id| format!("a=path:msrps://192.0.2.1:{port}/{id};tcp\r\n");
    let (a, b) = (m(4000), m(4000));
    assert_eq!(check(&format!("{a}{b}")), Err(Rule::SharedConnection.at(5)));
    assert_eq!(check(&format!("{a}{}", m(4001))), Ok(()));
    // Another address, or a line that has ended, is not sharing.
    assert_eq!(check(&format!("{a}{b}c=IN IP4 192.0.2.9\r\n")), Ok(()));
    assert_eq!(check(&format!("{}{}", m(0), m(0))), Ok(()));
    // Active endpoints give port 9 on every line; what they share would show in the path.
    let active = m(9);
    assert_eq!(check(&format!("{active}{active}")), Ok(()));
    let shared = format!("{active}{}{active}{}", path(7000, "one"), path(7000, "two"));
    assert_eq!(check(&shared), Err(Rule::SharedConnection.at(6)));
    let apart = format!("{active}{}{active}{}", path(7000, "one"), path(7001, "two"));
    assert_eq!(check(&apart), Ok(()));
    // Without key management sharing is the peers' affair.
    let text = format!("{SESSION}{a}{b}");
    assert_eq!(
        check_no_shared_connection(&Sdp::parse(text.as_bytes()).unwrap()),
        Ok(())
    );
    let text = format!("{SESSION}{KEY_MGMT}{a}{b}");
    let refused = sessions(&text, Numbering::TwoPerLine);
    assert_eq!(refused, Err(Rule::SharedConnection.at(5)));
}

fn anchoring(text: &str, then: impl FnOnce(&Anchoring<'_>)) {
    let sdp = Sdp::parse(text.as_bytes()).unwrap();
    then(&Anchoring::of(&sdp.media().next().unwrap()).unwrap());
}

#[test]
fn req_psk_15_cema_at_both_peers_passes_tls_through_an_anchor() {
    // A middlebox has put its address into c-line and m-line.
    let anchored = "v=0\r\nc=IN IP4 198.51.100.7\r\nm=message 5000 TCP/TLS/MSRP *\r\n\
        a=setup:actpass\r\na=path:msrps://192.0.2.1:7654/s;tcp\r\n";
    let direct = anchored
        .replace("198.51.100.7", "192.0.2.1")
        .replace("5000", "7654");
    let with_cema = |text: &str| format!("{text}a=msrp-cema\r\n");
    anchoring(&with_cema(anchored), |offer| {
        assert!(offer.cema && !offer.address_matches);
        assert_eq!(CemaStep::of_answerer(offer, false, true), CemaStep::Connect);
        assert_eq!(CemaStep::Connect.end_to_end(offer), CemaStep::Connect);
    });
    anchoring(anchored, |offer| {
        let step = CemaStep::of_answerer(offer, false, true);
        assert_eq!(step, CemaStep::Refuse);
    });
    anchoring(&direct, |offer| {
        assert_eq!(CemaStep::of_answerer(offer, false, true), CemaStep::Classic);
    });
}

#[test]
fn req_psk_15_an_offerer_falls_back_when_the_answerer_lacks_cema() {
    let text = |address, extra: &str, path| {
        format!(
            "v=0\r\nc=IN IP4 {address}\r\nm=message 7654 TCP/TLS/MSRP *\r\n{extra}a=path:{path}\r\n"
        )
    };
    let own = "msrps://192.0.2.1:7654/s;tcp";
    let relayed = "msrps://192.0.2.5:7654/r;tcp msrps://192.0.2.1:7654/s;tcp";
    let cases = [
        // answer, own relay, role, RFC 6714 §4.2, end to end
        (
            text("198.51.100.7", "a=msrp-cema\r\n", own),
            false,
            TransportRole::Active,
            CemaStep::Connect,
            CemaStep::Connect,
        ),
        (
            text("198.51.100.7", "", own),
            false,
            TransportRole::Passive,
            CemaStep::OfferAgainWithout,
            CemaStep::Refuse,
        ),
        (
            text("198.51.100.7", "", own),
            true,
            TransportRole::Active,
            CemaStep::OfferAgainWithout,
            CemaStep::Refuse,
        ),
        (
            text("198.51.100.7", "", relayed),
            false,
            TransportRole::Active,
            CemaStep::OfferAgainWithout,
            CemaStep::Refuse,
        ),
        (
            text("192.0.2.5", "", relayed),
            false,
            TransportRole::Active,
            CemaStep::Classic,
            CemaStep::Classic,
        ),
        (
            text("198.51.100.7", "", own),
            false,
            TransportRole::Active,
            CemaStep::Connect,
            CemaStep::Refuse,
        ),
        (
            text("192.0.2.1", "", own),
            false,
            TransportRole::Active,
            CemaStep::Connect,
            CemaStep::Connect,
        ),
    ];
    for (answer, relay, role, expected, end_to_end) in cases {
        anchoring(&answer, |answer| {
            let step = CemaStep::of_offerer(answer, relay, role);
            assert_eq!((step, step.end_to_end(answer)), (expected, end_to_end));
        });
    }
}

#[test]
fn req_psk_15_an_answerer_without_cema_answers_as_before() {
    let relayed = "v=0\r\nc=IN IP4 192.0.2.5\r\nm=message 7654 TCP/TLS/MSRP *\r\na=msrp-cema\r\n\
        a=path:msrps://192.0.2.5:7654/r;tcp msrps://192.0.2.1:7654/s;tcp\r\na=setup:";
    anchoring(&format!("{relayed}actpass\r\n"), |offer| {
        assert_eq!(CemaStep::of_answerer(offer, true, true), CemaStep::Classic);
        assert_eq!(CemaStep::of_answerer(offer, false, true), CemaStep::Connect);
    });
    anchoring(&format!("{relayed}active\r\n"), |offer| {
        assert_eq!(CemaStep::of_answerer(offer, false, true), CemaStep::Classic);
    });
    let alone = relayed.replace("msrps://192.0.2.5:7654/r;tcp ", "");
    anchoring(&format!("{alone}passive\r\n"), |offer| {
        assert_eq!(CemaStep::of_answerer(offer, true, true), CemaStep::Classic);
    });
}

#[test]
fn req_psk_15_ipv6_addresses_match_whatever_their_form() {
    let text = "v=0\r\nc=IN IP6 2001:DB8:0:0::1\r\nm=message 7654 TCP/TLS/MSRP *\r\n\
        a=path:msrps://[2001:db8::1]:7654/s;tcp\r\n";
    anchoring(text, |peer| assert!(peer.address_matches));
    anchoring(&text.replace("7654 TCP", "7655 TCP"), |peer| {
        assert!(!peer.address_matches);
    });
}

#[test]
fn req_psk_20_dtls_lines_have_one_crypto_session_like_tls_lines() {
    let text = format!(
        "{SESSION}{KEY_MGMT}m=audio 1 UDP/TLS/RTP/SAVP 0\r\nm=application 2 UDP/TLS/BFCP *\r\n"
    );
    let sessions = sessions(&text, Numbering::TwoPerLine).unwrap();
    let s = Bundle::Session;
    assert_eq!(mapped(&sessions), [(0, s, 1, 1), (1, s, 2, 2)]);
}

#[test]
fn req_psk_20_bfcp_is_keyed_like_msrp() {
    let text = format!("{SESSION}m=application 1 TCP/TLS/BFCP *\r\n{KEY_MGMT}");
    let sessions = sessions(&text, Numbering::PerSsrc(&[])).unwrap();
    assert_eq!(mapped(&sessions), [(0, Bundle::Media(0), 1, 1)]);
    assert_eq!(sessions.lines()[0].purpose(), Purpose::Tls);
}

#[test]
fn req_psk_21_a_messaging_conference_takes_tls_alone() {
    let check =
        |text: &str| conference::check_messaging_over_tls(&Sdp::parse(text.as_bytes()).unwrap());
    assert_eq!(
        check("v=0\r\nm=message 1 TCP/TLS/MSRP *\r\nm=audio 2 RTP/AVP 0\r\n"),
        Ok(())
    );
    let plain = check("v=0\r\nm=message 1 TCP/TLS/MSRP *\r\nm=message 2 TCP/MSRP *\r\n");
    assert_eq!(plain, Err(Rule::NotSecured.at(3)));
    assert_eq!(check("v=0\r\nm=message 0 TCP/MSRP *\r\n"), Ok(()));
}

#[test]
fn req_psk_22_the_protocol_list_is_the_offer_s_in_order() {
    let sdp = Sdp::parse(OFFER).unwrap();
    assert_eq!(
        key_mgmt::protocol_list(sdp.session()).unwrap().as_deref(),
        Some("mikey")
    );
    // The example of RFC 4567 §4.1.4.
    let text = "v=0\r\na=key-mgmt:mikey AQAF\r\na=key-mgmt:keyp1 727g\r\na=key-mgmt:keyp2 DFsn\r\n";
    let full = Sdp::parse(text.as_bytes()).unwrap();
    let list = key_mgmt::protocol_list(full.session()).unwrap();
    assert_eq!(list.as_deref(), Some("mikey;keyp1;keyp2"));
    let peeled = text.replace("a=key-mgmt:mikey AQAF\r\n", "");
    let peeled = Sdp::parse(peeled.as_bytes()).unwrap();
    assert_ne!(key_mgmt::protocol_list(peeled.session()).unwrap(), list);
    let twice = Sdp::parse(b"v=0\r\na=key-mgmt:mikey AQAF\r\na=key-mgmt:mikey AQAG\r\n").unwrap();
    assert_eq!(
        key_mgmt::protocol_list(twice.session()),
        Err(Rule::Duplicate.at(3))
    );
}

#[test]
fn req_psk_23_taking_protection_away_beside_key_mgmt_is_an_error() {
    let sdp = Sdp::parse(OFFER).unwrap();
    assert_eq!(key_mgmt::check_protected(&sdp), Ok(()));
    assert_eq!(key_mgmt::check_forwarded(&sdp, &sdp), Ok(()));
    let text = String::from_utf8(OFFER.to_vec()).unwrap();
    // What rtpengine does: SAVP becomes AVP, a=key-mgmt stays.
    let stripped = text.replace("RTP/SAVP", "RTP/AVP");
    let stripped = Sdp::parse(stripped.as_bytes()).unwrap();
    assert_eq!(
        key_mgmt::check_protected(&stripped),
        Err(Rule::ProtectionStripped.at(7))
    );
    for (changed, line) in [
        (
            text.replace("m=video 52230 RTP/SAVP", "m=video 52230 RTP/AVP"),
            10,
        ),
        (
            text.replace("a=key-mgmt:mikey AQAFg", "a=key-mgmt:mikey AAAAg"),
            8,
        ),
        (text.replace("a=key-mgmt", "a=x"), 8),
        (
            text.replace(
                "m=video 52230 RTP/SAVP 31\r\na=rtpmap:31 H261/90000\r\n",
                "",
            ),
            0,
        ),
    ] {
        let changed = Sdp::parse(changed.as_bytes()).unwrap();
        let fault = key_mgmt::check_forwarded(&sdp, &changed);
        assert_eq!(fault, Err(Rule::ProtectionStripped.at(line)));
    }
    let refused = text.replace("m=video 52230 RTP/SAVP", "m=video 0 RTP/AVP");
    let refused = Sdp::parse(refused.as_bytes()).unwrap();
    assert_eq!(key_mgmt::check_forwarded(&sdp, &refused), Ok(()));
    let text = format!("{SESSION}m=audio 1 RTP/AVP 0\r\n{KEY_MGMT}");
    let offered = sessions(&text, Numbering::TwoPerLine);
    assert_eq!(offered, Err(Rule::ProtectionStripped.at(3)));
}

#[test]
fn the_messages_of_rfc_4567_are_read_and_written_back() {
    for (octets, len) in [(OFFER, 132), (ANSWER, 71)] {
        let sdp = Sdp::parse(octets).unwrap();
        let values = key_mgmt::lines_of(sdp.session()).unwrap();
        let message = values[0].message().unwrap();
        assert_eq!(
            (values.len(), values[0].protocol(), message.len()),
            (1, "mikey", len)
        );
        let written = KeyMgmt::encode(key_mgmt::MIKEY, &message).unwrap();
        assert_eq!(KeyMgmt::parse(&written).unwrap(), values[0]);
    }
    let one = Sdp::parse(include_bytes!("vectors/rfc/rfc4567_example_2.sdp")).unwrap();
    let sessions =
        CryptoSessions::of_offer(&one, Numbering::TwoPerLine, MixedLevels::Refuse).unwrap();
    assert_eq!(mapped(&sessions), [(0, Bundle::Media(0), 1, 2)]);
}

#[test]
fn rejects_key_mgmt_of_another_form() {
    for (text, rule) in [
        ("", Rule::KeyMgmt),
        ("mikey", Rule::KeyMgmt),
        ("mikey ", Rule::KeyMgmt),
        (" mikey", Rule::KeyMgmt),
        ("  mikey AQAF", Rule::KeyMgmt),
        ("mi-key AQAF", Rule::KeyMgmt),
    ] {
        assert_eq!(KeyMgmt::parse(text), Err(rule), "{text:?}");
    }
    for text in ["mikey AQAFgA", "mikey AQ AF", "mikey AQAF=", "mikey AQA_"] {
        assert_eq!(
            KeyMgmt::parse(text).unwrap().message(),
            Err(Rule::Base64),
            "{text:?}"
        );
    }
    let long = format!("mikey {}", "A".repeat(key_mgmt::MAX_BASE64_LEN + 1));
    assert_eq!(KeyMgmt::parse(&long), Err(Rule::TooLong));
    assert!(KeyMgmt::parse(&long[..long.len() - 1]).is_ok());
    let longest = vec![0; key_mgmt::MAX_BASE64_LEN / 4 * 3];
    assert!(KeyMgmt::encode("mikey", &longest).is_ok());
    assert_eq!(
        KeyMgmt::encode("mikey", &[longest, vec![0]].concat()),
        Err(Rule::TooLong)
    );
    assert_eq!(KeyMgmt::encode("mi key", b"x"), Err(Rule::KeyMgmt));
}
