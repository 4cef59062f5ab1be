//! What is written is what was read, and what is read is what was written. Self-consistency.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use sdp_sec::fingerprint::HashFunction;
use sdp_sec::mediasec::SecurityHeaders;
use sdp_sec::msrp::MsrpUri;
use sdp_sec::{E2ae, Fingerprint, KeyMgmt, Path, Protocol, Sdp, Setup, TlsId};

fn sdp_octets() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![Just(&b"\r\n"[..]), Just(&b"\n"[..])];
    let line = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        "m=audio [0-9]{1,5} RTP/S?AVPF? 0".prop_map(String::into_bytes),
        "a=(crypto|x|3ge2ae):[a-z]{0,8}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec((line, end), 0..20).prop_map(|lines| {
        let mut octets = Vec::new();
        for (mut line, end) in lines {
            line.retain(|octet| !matches!(octet, 0 | b'\r' | b'\n'));
            octets.extend_from_slice(&line);
            octets.extend_from_slice(end);
        }
        octets
    })
}

proptest! {
    #[test]
    fn a_description_without_edits_is_copied(octets in sdp_octets()) {
        let sdp = Sdp::parse(&octets).unwrap();
        prop_assert_eq!(&sdp.edit().finish(), &octets);
        // Sections and lines lie side by side without gaps.
        let mut joined = sdp.session().octets().to_vec();
        for media in sdp.media() {
            joined.extend_from_slice(media.section().octets());
        }
        prop_assert_eq!(&joined, &octets);
        let mut lines = Vec::new();
        for line in sdp.lines() {
            lines.extend_from_slice(line.octets());
            lines.extend_from_slice(line.end().octets());
        }
        prop_assert_eq!(&lines, &octets);
        prop_assert_eq!(sdp.lines().count(), sdp.line_count());
        prop_assert_eq!(sdp.media().count(), sdp.media_count());
    }

    #[test]
    fn line_numbers_run_through_all_sections(octets in sdp_octets()) {
        let sdp = Sdp::parse(&octets).unwrap();
        let sections = sdp.session().lines().chain(sdp.media().flat_map(|media| media.lines()));
        let numbers: Vec<_> = sections.map(|line| (line.number(), line.octets())).collect();
        let all: Vec<_> = sdp.lines().map(|line| (line.number(), line.octets())).collect();
        prop_assert_eq!(numbers, all);
    }

    #[test]
    fn removing_inserted_lines_gives_the_description_back(octets in sdp_octets()) {
        let sdp = Sdp::parse(&octets).unwrap();
        let mut editor = sdp.edit();
        for line in sdp.lines() {
            editor.insert_before(line, "a=inserted:1").unwrap();
            editor.insert_after(line, "a=inserted:2").unwrap();
        }
        let longer = editor.finish();
        let longer = Sdp::parse(&longer).unwrap();
        let mut editor = longer.edit();
        for line in longer.lines() {
            if line.octets().starts_with(b"a=inserted:") {
                editor.remove(line).unwrap();
            }
        }
        prop_assert_eq!(editor.finish(), octets);
    }

    #[test]
    fn an_m_line_with_another_protocol_keeps_the_rest(
        port in any::<u16>(), formats in "[ -~]{0,20}", index in 0..Protocol::ALL.len(),
    ) {
        let text = format!("m=audio {port}/3 token/x {formats}\n");
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        let line = sdp.media().next().unwrap().media_line().unwrap();
        prop_assert_eq!((line.port(), line.ports()), (port, 3));
        let mut editor = sdp.edit();
        editor.replace(line.protocol_field(), Protocol::ALL[index]).unwrap();
        let expected = text.replacen("token/x", Protocol::ALL[index].as_str(), 1);
        prop_assert_eq!(editor.finish(), expected.as_bytes());
    }

    #[test]
    fn a_fingerprint_survives_writing_and_reading(der in any::<Vec<u8>>(), index in 2..7_usize) {
        let fingerprint = Fingerprint::of_certificate(&der, HashFunction::ALL[index]).unwrap();
        let text = fingerprint.to_string();
        prop_assert_eq!(Fingerprint::parse(&text).unwrap(), fingerprint);
        prop_assert_eq!(Fingerprint::parse(&text.to_lowercase()).unwrap().to_string(), text);
    }

    #[test]
    fn a_message_survives_key_mgmt(message in proptest::collection::vec(any::<u8>(), 1..600)) {
        let text = KeyMgmt::encode("mikey", &message).unwrap();
        let value = KeyMgmt::parse(&text).unwrap();
        prop_assert_eq!(value.message().unwrap(), message);
        prop_assert_eq!(value.to_string(), text);
    }

    #[test]
    fn a_path_is_written_as_it_was_read(
        uris in proptest::collection::vec(
            "msrps?://([a-z0-9]{1,8}@)?[a-z][a-z0-9.]{0,9}:[1-9][0-9]{0,3}(/[A-Za-z0-9+=]{1,9})?;tcp(;[a-z]=[a-z])?",
            1..4,
        )
    ) {
        let text = uris.join(" ");
        let path = Path::parse(&text).unwrap();
        prop_assert_eq!(path.to_string(), text.as_str());
        prop_assert_eq!(path.uris().count(), uris.len());
        for uri in path.uris() {
            let written = uri.to_string();
            prop_assert_eq!(MsrpUri::parse(&written).unwrap(), uri);
        }
    }

    #[test]
    fn values_are_read_or_refused_and_written_as_they_were(text in "\\PC{0,40}") {
        if let Ok(value) = E2ae::parse(&text) {
            prop_assert!(value.to_string().eq_ignore_ascii_case(text.trim_ascii()));
        }
        if let Ok(value) = Setup::parse(&text) {
            prop_assert!(value.to_string().eq_ignore_ascii_case(text.trim_ascii()));
        }
        if let Ok(value) = TlsId::parse(&text) {
            prop_assert_eq!(value.to_string(), text.trim_ascii());
        }
        if let Ok(headers) = SecurityHeaders::parse(&[&text]) {
            let values = [text.as_str()];
            prop_assert_eq!(headers.values(), &values);
            for mechanism in headers.mechanisms() {
                prop_assert!(text.contains(mechanism.as_str()));
                let again = [mechanism.as_str()];
                let again = SecurityHeaders::parse(&again).unwrap();
                prop_assert_eq!(again.mechanisms()[0], *mechanism);
            }
            prop_assert_eq!(headers.check_echo_of(&headers), Ok(()));
        }
    }
}
