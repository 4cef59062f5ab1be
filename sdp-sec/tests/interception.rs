//! Interception from a stored offer and answer.
//!
//! Kind: self-consistency (the keys recovered equal those negotiated), with SDP of RFCs and of
//! 3GPP's shape as input.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use sdp_sec::edge::{Dialogue, Outcome, Policy};
use sdp_sec::interception::{InterceptedStream, KeyMaterial, StoredNegotiation};
use sdp_sec::mediasec::{self, AccessEdge, Indications, Mechanism, MechanismSet};
use sdp_sec::{Protocol, Rule};
use srtp::keying::{KeySet, MasterKeySource};

const UE_KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHER_KEY: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

fn vector(path: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/vectors/{path}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

fn stored(offer: &[u8], answer: &[u8]) -> StoredNegotiation {
    StoredNegotiation::new(offer, answer, "sip:alice@home1.example", "tel:+15551234")
}

fn streams(offer: &[u8], answer: &[u8]) -> Vec<InterceptedStream> {
    stored(offer, answer).streams(&[]).unwrap()
}

fn key(keys: &KeySet) -> (Vec<u8>, Vec<u8>) {
    let key = keys.entries()[0].key();
    (key.expose_key().to_vec(), key.expose_salt().to_vec())
}

fn sdp(lines: &str) -> Vec<u8> {
    format!("v=0\nc=IN IP4 192.0.2.1\n{lines}")
        .replace('\n', "\r\n")
        .into_bytes()
}

#[test]
fn req_li_01_streams_ports_codecs_users_and_keys_of_a_voice_call_in_mid_call() {
    let (offer, answer) = (
        vector("edge/volte_voice_originating/1_from_ue.sdp"),
        vector("edge/volte_voice_originating/4_to_ue.sdp"),
    );
    let negotiation = stored(&offer, &answer);
    assert_eq!(negotiation.offerer(), "sip:alice@home1.example");
    assert_eq!(negotiation.answerer(), "tel:+15551234");
    let streams = negotiation.streams(&[]).unwrap();
    let [stream] = streams.as_slice() else {
        panic!()
    };
    assert_eq!((stream.index(), stream.media()), (0, "audio"));
    assert_eq!(stream.protocol(), Protocol::RtpSavp);
    let (ours, theirs) = (stream.offerer(), stream.answerer());
    assert_eq!((ours.port(), ours.rtcp_port()), (49152, Some(49153)));
    assert_eq!(ours.address(), Some("IN IP6 2001:db8:a::17"));
    assert_eq!(
        (theirs.port(), theirs.address()),
        (31008, Some("IN IP6 2001:db8:c::5"))
    );
    let codecs: Vec<_> = stream
        .codecs()
        .iter()
        .map(|c| (c.format(), c.encoding()))
        .collect();
    let expected = [
        ("104", Some("AMR-WB/16000/1")),
        ("105", Some("telephone-event/16000")),
    ];
    assert_eq!(codecs, expected);
    let parameters = stream.codecs()[0].parameters();
    assert_eq!(parameters, Some("mode-change-capability=2;max-red=220"));
    assert!(matches!(stream.keys(), KeyMaterial::Sdes(_)));
}

#[test]
fn req_li_01_the_keys_equal_those_that_the_edge_settled() {
    let both = MechanismSet::EMPTY.with(Mechanism::SdesSrtp);
    let access = AccessEdge {
        indications: Indications {
            ue: both,
            network: both,
        },
        signalling: mediasec::SignallingProtection::IntegrityAndConfidentiality,
        policy: mediasec::Policy::default(),
    };
    let dialogue = Dialogue::new(Policy::default().into(), access);
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);

    let offer = vector("edge/volte_video_originating/1_from_ue.sdp");
    let core = vector("edge/volte_video_originating/3_from_core.sdp");
    let originating = dialogue.originating(&offer).unwrap();
    let answered = originating.answered(&core, |_| None, &mut rng).unwrap();
    let intercepted = streams(&offer, answered.sdp());
    assert_eq!(intercepted.len(), 2);
    for (stream, outcome) in intercepted.iter().zip(answered.outcomes()) {
        let (KeyMaterial::Sdes(found), Outcome::Rtp(used)) = (stream.keys(), outcome) else {
            panic!()
        };
        // The UE offered: what it sends is the edge's inbound.
        assert_eq!(key(found.offerer().keys()), key(used.inbound()));
        assert_eq!(key(found.answerer().keys()), key(used.outbound()));
    }

    let core = vector("edge/volte_video_terminating/1_from_core.sdp");
    let mut terminating = dialogue.terminating(&core, |_| None, &mut rng).unwrap();
    let ue = vector("edge/volte_video_terminating/3_from_ue.sdp");
    let answered = terminating.answered(&ue, &mut rng).unwrap();
    // The second stream was refused by the UE.
    let intercepted = streams(terminating.offer_to_ue(), &ue);
    let ([stream], Outcome::Rtp(used)) = (intercepted.as_slice(), &answered.outcomes()[0]) else {
        panic!()
    };
    let KeyMaterial::Sdes(found) = stream.keys() else {
        panic!()
    };
    assert_eq!(key(found.offerer().keys()), key(used.outbound()));
    assert_eq!(key(found.answerer().keys()), key(used.inbound()));
}

#[test]
fn req_li_01_end_to_end_sdes_and_tickets_are_recovered_as_well() {
    let line =
        |key| format!("m=audio 4000 RTP/SAVP 0\na=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{key}\n");
    let found = streams(&sdp(&line(UE_KEY)), &sdp(&line(OTHER_KEY)));
    let KeyMaterial::Sdes(keys) = found[0].keys() else {
        panic!()
    };
    assert_ne!(key(keys.offerer().keys()), key(keys.answerer().keys()));

    // At session level in the offer, at media level in the answer.
    let offer =
        sdp("a=key-mgmt:mikey AQAFgA==\nm=audio 4000 RTP/SAVP 0\nm=video 4002 RTP/AVP 31\n");
    let answer = sdp("m=audio 5 RTP/SAVP 0\na=key-mgmt:mikey AQEFgA==\nm=video 7 RTP/AVP 31\n");
    let found = streams(&offer, &answer);
    let KeyMaterial::KeyMgmt(messages) = found[0].keys() else {
        panic!()
    };
    assert_eq!(
        messages.offerer().collect::<Vec<_>>(),
        [&[1, 0, 5, 0x80][..]]
    );
    assert_eq!(
        messages.answerer().collect::<Vec<_>>(),
        [&[1, 1, 5, 0x80][..]]
    );
    assert!(matches!(found[1].keys(), KeyMaterial::Unprotected));
}

#[test]
fn req_li_01_streams_of_certificates_are_told_apart_with_their_paths() {
    let offer = vector("edge/rcs_chat_originating/1_from_ue.sdp");
    let answer = vector("edge/rcs_chat_originating/4_to_ue.sdp");
    let found = streams(&offer, &answer);
    assert!(matches!(found[0].keys(), KeyMaterial::Certificates));
    assert_eq!(
        found[0].offerer().path(),
        Some("msrps://192.0.2.33:9/d7a1b2c3;tcp")
    );
    assert_eq!(
        found[0].answerer().path(),
        Some("msrp://198.51.100.4:2855/x9y8;tcp")
    );
    assert_eq!(found[0].offerer().rtcp_port(), None);
    assert_eq!(found[0].codecs()[0].format(), "*");
}

#[test]
fn req_li_01_rtcp_ports_explicit_or_shared() {
    let offer = sdp("m=audio 4000 RTP/AVP 0\na=rtcp:53020 IN IP4 192.0.2.9\n");
    let answer = sdp("m=audio 5000 RTP/AVP 0\na=rtcp-mux\n");
    let found = streams(&offer, &answer);
    assert_eq!(found[0].offerer().rtcp_port(), Some(53020));
    assert_eq!(found[0].answerer().rtcp_port(), Some(5000));
    let highest = sdp("m=audio 65535 RTP/AVP 0\n");
    assert_eq!(streams(&highest, &answer)[0].offerer().rtcp_port(), None);
}

#[test]
fn keys_that_cannot_be_recovered_do_not_hide_their_stream() {
    let offer = sdp(&format!(
        "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}\n"
    ));
    for (answer, sdes) in [
        (sdp("m=audio 5 RTP/SAVP 0\n"), Some(sdes::Refused::NoCrypto)),
        (
            sdp(&format!(
                "m=audio 5 RTP/SAVP 0\na=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:{OTHER_KEY}\n"
            )),
            Some(sdes::Refused::UnknownTag),
        ),
    ] {
        let found = streams(&offer, &answer);
        let KeyMaterial::Unrecoverable(reason) = found[0].keys() else {
            panic!()
        };
        assert_eq!(Some(*reason), sdes);
        assert_eq!(found[0].answerer().port(), 5);
    }
}

#[test]
fn descriptions_that_do_not_belong_together_are_refused() {
    let one = sdp("m=audio 4000 RTP/AVP 0\n");
    let two = sdp("m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/AVP 0\n");
    let error = stored(&one, &two).streams(&[]).err().unwrap();
    assert_eq!(error.rule(), Rule::MediaCount);
    assert!(stored(b"m=audio\r\n", b"m=audio\r\n").streams(&[]).is_err());
}

#[test]
fn req_li_03_nothing_secret_is_printed_and_secrets_are_erased() {
    fn erased<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let offer = sdp(&format!(
        "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{UE_KEY}\n\
         m=video 4002 RTP/SAVP 0\na=key-mgmt:mikey AQAFgA==\n"
    ));
    let answer = String::from_utf8(offer.clone())
        .unwrap()
        .replace(UE_KEY, OTHER_KEY);
    let negotiation = stored(&offer, answer.as_bytes());
    let streams = negotiation.streams(&[]).unwrap();
    let printed = format!("{negotiation:?} {streams:?}");
    assert!(!printed.contains("192.0.2.1") && !printed.contains("alice"));
    for secret in [
        &UE_KEY[..8],
        &OTHER_KEY[..8],
        "AQAFgA",
        "inline",
        "[1, 0, 5, 128]",
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.starts_with("StoredNegotiation { .. }"));
    erased(&negotiation);
    for stream in &streams {
        if let KeyMaterial::KeyMgmt(messages) = stream.keys() {
            erased(messages);
        }
    }
}
