//! Requirements of the groups CDIV and CS on identities and on the SDP of conferences.
//! Self-consistency.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use sdp_sec::identity::{
    AssertedIdentity, CallerPolicy, CallerStep, ConferencePolicy, DialIn, DialOut, IdentityError,
    PublicIdentity, Reaction, Who, who_answered,
};
use sdp_sec::{Rule, Sdp, conference};

fn identity(uri: &str) -> PublicIdentity<'_> {
    PublicIdentity::parse(uri).unwrap()
}

fn asserted<'a>(values: &[&'a str]) -> AssertedIdentity<'a> {
    AssertedIdentity::parse(values).unwrap()
}

#[test]
fn req_cdiv_04_the_caller_s_policy_decides_on_who_answered() {
    let bob = identity("sip:bob@home2.net");
    let carol = identity("sip:carol@home3.net");
    let who = |values: &[&'static str], diverted| who_answered(&bob, &asserted(values), diverted);
    assert_eq!(who(&["<sip:bob@home2.net>"], false), Who::Called);
    // The answerer is the called one though the network speaks of diversion.
    assert_eq!(
        who(&["<sip:bob@home2.net>, <tel:+4930>"], true),
        Who::Called
    );
    assert_eq!(who(&["<sip:carol@home3.net>"], true), Who::Other(carol));
    assert_eq!(who(&[], true), Who::DivertedToUnknown);
    assert_eq!(who(&[], false), Who::Unknown);

    let default = CallerPolicy::default();
    for (seen, step) in [
        (Who::Called, CallerStep::Proceed),
        (Who::Other(carol), CallerStep::Alert),
        (Who::DivertedToUnknown, CallerStep::Alert),
        (Who::Unknown, CallerStep::Alert),
    ] {
        assert_eq!(default.step(seen), step);
    }
    for (seen, step) in [
        (Who::Called, CallerStep::Proceed),
        (Who::Other(carol), CallerStep::CancelAndCall(carol)),
        (Who::DivertedToUnknown, CallerStep::Cancel),
        (Who::Unknown, CallerStep::Cancel),
    ] {
        assert_eq!(CallerPolicy::STRICT.step(seen), step);
    }
    let mut policy = CallerPolicy::default();
    policy.other = Reaction::Proceed;
    policy.unknown = Reaction::CancelAndCall;
    assert_eq!(policy.step(Who::Other(carol)), CallerStep::Proceed);
    // Nobody is known who could be called directly.
    assert_eq!(policy.step(Who::Unknown), CallerStep::Cancel);
}

#[test]
fn req_cs_12_a_secured_conference_takes_and_offers_secured_streams_alone() {
    let text = "v=0\r\nm=audio 1 RTP/SAVP 0\r\nm=message 2 TCP/TLS/MSRP *\r\n\
        m=video 3 RTP/AVPF 31\r\nm=application 0 TCP/BFCP *\r\nm=x 4 FOO *\r\n";
    let offer = Sdp::parse(text.as_bytes()).unwrap();
    assert_eq!(
        conference::check_secured_only(&offer),
        Err(Rule::NotSecured.at(4))
    );
    assert_eq!(conference::unsecured_lines(&offer).unwrap(), [2, 4]);
    let secured = text
        .replace("RTP/AVPF", "RTP/SAVPF")
        .replace("m=x 4", "m=x 0");
    let secured = Sdp::parse(secured.as_bytes()).unwrap();
    assert_eq!(conference::check_secured_only(&secured), Ok(()));
}

#[test]
fn req_cs_13_members_are_known_by_their_asserted_identity() {
    let members = [identity("sip:alice@home1.net"), identity("tel:+49301234")];
    let closed = ConferencePolicy {
        anonymous: true,
        members: Some(&members),
    };
    let open = ConferencePolicy {
        anonymous: false,
        members: None,
    };
    let anyone = ConferencePolicy {
        anonymous: true,
        members: None,
    };
    let alice = asserted(&["\"Alice\" <sip:alice@HOME1.net>"]);
    let bob = asserted(&["sip:+49301234@home2.net;user=phone"]);
    let carol = asserted(&["<sip:carol@home3.net>"]);
    let hidden = AssertedIdentity::ABSENT;
    for (policy, user, dial_in) in [
        (&closed, &alice, DialIn::Admit),
        (&closed, &carol, DialIn::Forbidden),
        (&closed, &hidden, DialIn::AnonymityDisallowed),
        (&open, &carol, DialIn::Admit),
        (&open, &hidden, DialIn::AnonymityDisallowed),
        (&anyone, &hidden, DialIn::Admit),
    ] {
        assert_eq!(policy.dial_in(user), dial_in);
        let admitted = dial_in == DialIn::Admit;
        assert_eq!(policy.dial_out(user) == DialOut::Admit, admitted);
    }
    // The header has no parameters: those of a URI without angle brackets are its own.
    assert_eq!(closed.dial_in(&bob), DialIn::Admit);
}

#[test]
fn req_cs_07_a_join_ends_the_stream_and_begins_it_anew() {
    let last = "v=0\r\no=focus 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/SAVP 97\r\na=rtpmap:97 AMR/8000\r\na=crypto:1 OLD inline:A\r\na=sendrecv\r\n\
        m=video 4002 RTP/SAVP 31\r\na=crypto:1 OLD inline:B\r\n";
    let sdp = Sdp::parse(last.as_bytes()).unwrap();
    let key = "1 AES_CM_128_HMAC_SHA1_80 inline:C";
    let offer = conference::restart_stream(&sdp, 0, 4004, &[key]).unwrap();
    let expected = last.replace("m=audio 4000", "m=audio 0")
        + "m=audio 4004 RTP/SAVP 97\r\na=rtpmap:97 AMR/8000\r\na=crypto:"
        + key
        + "\r\na=sendrecv\r\n";
    assert_eq!(String::from_utf8(offer).unwrap(), expected);

    let participant = "v=0\r\nm=audio 6000 RTP/SAVP 97\r\nm=video 6002 RTP/SAVP 31\r\n";
    let before = Sdp::parse(participant.as_bytes()).unwrap();
    let check =
        |text: &str| conference::check_restarted(&before, &Sdp::parse(text.as_bytes()).unwrap(), 0);
    let ended = participant.replace("m=audio 6000", "m=audio 0");
    assert_eq!(
        check(&format!("{ended}m=audio 6004 RTP/SAVP 97\r\n")),
        Ok(())
    );
    let same_port = format!("{ended}m=audio 6000 RTP/SAVP 97\r\n");
    assert_eq!(check(&same_port), Err(Rule::AnswerPort.at(4)));
    let both = format!("{participant}m=audio 6004 RTP/SAVP 97\r\n");
    assert_eq!(check(&both), Err(Rule::AnswerPort.at(2)));
    assert_eq!(check(&ended), Err(Rule::MediaCount.at(0)));
}

#[test]
fn req_cs_07_a_line_that_has_ended_is_used_again() {
    let last = "v=0\r\nm=audio 0 RTP/SAVP 0\r\na=crypto:1 S inline:A\r\n\
        m=video 0 RTP/SAVP 31\r\nm=audio 4002 RTP/SAVP 0\r\na=crypto:1 S inline:B";
    let sdp = Sdp::parse(last.as_bytes()).unwrap();
    let offer = conference::restart_stream(&sdp, 2, 4004, &["1 S inline:C"]).unwrap();
    let expected = "v=0\r\nm=audio 4004 RTP/SAVP 0\r\na=crypto:1 S inline:C\r\n\
        m=video 0 RTP/SAVP 31\r\nm=audio 0 RTP/SAVP 0\r\na=crypto:1 S inline:B\r\n";
    assert_eq!(String::from_utf8(offer).unwrap(), expected);

    let lines = |first, third| {
        format!(
            "m=audio {first} RTP/SAVP 0\r\nm=video 0 RTP/SAVP 31\r\nm=audio {third} RTP/SAVP 0\r\n"
        )
    };
    let before = lines(0, 6002);
    let before = Sdp::parse(before.as_bytes()).unwrap();
    let check = |first, third| {
        conference::check_restarted(
            &before,
            &Sdp::parse(lines(first, third).as_bytes()).unwrap(),
            2,
        )
    };
    assert_eq!(check(6004, 0), Ok(()));
    assert_eq!(check(6002, 0), Err(Rule::AnswerPort.at(1)));
    assert_eq!(check(6004, 6002), Err(Rule::AnswerPort.at(3)));
}

#[test]
fn req_cs_07_a_stream_is_not_restarted_without_key_port_or_stream() {
    use conference::RestartError;
    let sdp = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\nm=video 4002 RTP/AVP 31").unwrap();
    let restart = |index, port, keys: &[&str]| conference::restart_stream(&sdp, index, port, keys);
    assert_eq!(restart(0, 4004, &[]), Err(RestartError::NoKeyOrPort));
    assert_eq!(restart(0, 0, &["k"]), Err(RestartError::NoKeyOrPort));
    assert_eq!(restart(0, 4000, &["k"]), Err(RestartError::SamePort));
    assert_eq!(restart(1, 4004, &["k"]), Err(RestartError::NoSuchStream));
    assert_eq!(restart(2, 4004, &["k"]), Err(RestartError::NoSuchStream));
    assert!(matches!(
        restart(0, 4004, &["k\r\na=x"]),
        Err(RestartError::Edit(_))
    ));
    let two = restart(0, 4004, &["1 k", "2 l"]).unwrap();
    let expected: &[u8] = b"v=0\r\nm=audio 0 RTP/SAVP 0\r\nm=video 4002 RTP/AVP 31\r\n\
        m=audio 4004 RTP/SAVP 0\r\na=crypto:1 k\r\na=crypto:2 l\r\n";
    assert_eq!(two, expected);
}

#[test]
fn identities_are_compared_as_users_not_as_text() {
    let same = [
        (
            "sip:alice@home1.net",
            "SIPS:alice@HOME1.NET:5061;transport=tls",
        ),
        ("sip:al%69ce@home1.net", "sip:alice@home1.net"),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        (
            "tel:+1(201)555.0123;ext=1",
            "sip:+12015550123@x.net;user=phone",
        ),
        (
            "tel:7042;phone-context=x.net",
            "tel:7042;phone-context=x.net",
        ),
        ("sip:a@[2001:db8::1]:5060", "sip:a@[2001:db8::1]"),
    ];
    for (a, b) in same {
        assert_eq!(identity(a), identity(b), "{a} {b}");
    }
    let different = [
        ("sip:alice@home1.net", "sip:Alice@home1.net"),
        ("sip:alice@home1.net", "sip:alice@home2.net"),
        ("sip:+12015550123@x.net", "tel:+12015550123"),
        (
            "tel:7042;phone-context=x.net",
            "tel:7042;phone-context=y.net",
        ),
        ("tel:7042", "tel:+7042"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]"),
    ];
    for (a, b) in different {
        assert_ne!(identity(a), identity(b), "{a} {b}");
    }
}

#[test]
fn rejects_asserted_identities_that_are_not_one_sip_and_one_tel_uri() {
    let fault = |values: &[&str]| AssertedIdentity::parse(values).err();
    for text in [
        "",
        "<",
        "<sip:>",
        "<sip:alice>",
        "<http://a@b>",
        "\"x <sip:a@b>",
        "<tel:>",
        "<tel:+>",
        "<sip:a@b> x",
        "<sip:a b@c>",
        "<sip:a@b>,",
        "anonymous",
    ] {
        assert_eq!(fault(&[text]), Some(IdentityError::Malformed), "{text:?}");
    }
    assert_eq!(
        fault(&["<sip:a@b>, <sips:c@d>"]),
        Some(IdentityError::TooMany)
    );
    assert_eq!(
        fault(&["<tel:+1>", "<tel:+2>"]),
        Some(IdentityError::TooMany)
    );
    assert_eq!(fault(&["<sip:a@b>"; 3]), Some(IdentityError::TooMany));
    let long = format!("<sip:{}@b>", "a".repeat(8192));
    assert_eq!(fault(&[&long]), Some(IdentityError::TooMany));
    let escaped = asserted(&["\"a \\\" , <b\" <sip:a@b>, c <tel:+1>"]);
    assert_eq!(escaped.identities().count(), 2);
}
