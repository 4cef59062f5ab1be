//! Independent implementation (forms that cameras and servers send) and self-consistency: MIKEY as
//! text in SDP, RTSP and MIME.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use mikey::{
    DecodeErrorKind, Message,
    keymgmt::{KeyMgmt, attribute, body_from_base64, body_to_base64, header, is_media_type},
    limits::MAX_KEY_MGMT_LEN,
};
use proptest::prelude::*;

/// Of gortsplib's tests.
const DATA: &str = "AQAFAHojKV4BAACVjCMnAAAAAAsA6/mdTLBeokwKEGwcAuPrxj6/enyb+A2+rNcBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAeX8XvOCzIMh0JTOWivWLxEflTUSp1fjj2i8xG7D9DAA==";

fn grammar(value: &str) -> Option<usize> {
    match KeyMgmt::from_attribute(value) {
        Ok(_) => None,
        Err(error) => {
            assert_eq!(error.kind(), DecodeErrorKind::Grammar);
            assert_eq!(error.payload(), "key-mgmt");
            Some(error.offset())
        }
    }
}

#[test]
fn reads_an_attribute_of_sdp() {
    for value in [format!("mikey {DATA}"), format!(" mikey {DATA}")] {
        let attribute = KeyMgmt::from_attribute(&value).unwrap();
        assert!(attribute.is_mikey());
        let octets = attribute.decode().unwrap();
        let message = Message::decode(&octets).unwrap();
        assert_eq!(message.header().csb_id(), 0x7a23_295e);
        assert_eq!(*written(&octets), *value.trim_start());
    }
    let other = KeyMgmt::from_attribute("keyp1 AAAA").unwrap();
    assert!(!other.is_mikey());
    assert!(
        !KeyMgmt::from_attribute("MIKEY AAAA").unwrap().is_mikey(),
        "case sensitive"
    );
}

fn written(octets: &[u8]) -> zeroize::Zeroizing<String> {
    attribute(octets)
}

#[test]
fn refuses_attributes_that_do_not_follow_the_grammar() {
    for value in [
        "",
        "mikey",
        "mikey ",
        " mikey",
        "  mikey AAAA",
        "mi-key AAAA",
        "mikey AA AA",
        "mikey AAAA\r\n",
        "mikey AAAA;",
        "\u{e9} AAAA",
        "mikey \u{e9}",
    ] {
        assert!(grammar(value).is_some(), "{value:?}");
    }
    // Base64 by its alphabet, but not by its length or padding.
    for data in ["A", "AA", "AAA", "AAAA=", "=AAA", "AA=A"] {
        let value = format!("mikey {data}");
        let error = KeyMgmt::from_attribute(&value)
            .unwrap()
            .decode()
            .unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Grammar, "{data}");
    }
    let long = format!("mikey {}", "A".repeat(MAX_KEY_MGMT_LEN));
    assert_eq!(
        KeyMgmt::from_attribute(&long).unwrap_err().kind(),
        DecodeErrorKind::TooLong
    );
}

#[test]
fn reads_headers_of_rtsp() {
    // As gortsplib writes it, as ONVIF prints it, and without a URI.
    for (value, uri) in [
        (
            format!("prot=mikey;uri=\"rtsps://h:1/a,b;c\";data=\"{DATA}\""),
            Some("rtsps://h:1/a,b;c"),
        ),
        (
            format!("prot=mikey; uri=\"rtsp://h/1\"; data=\"{DATA}\""),
            Some("rtsp://h/1"),
        ),
        (format!("prot=mikey;data=\"{DATA}\";"), None),
        (format!("prot = mikey ; data = {DATA}"), None),
    ] {
        let specs: Vec<_> = KeyMgmt::from_header(&value).collect();
        assert_eq!(specs.len(), 1, "{value}");
        let spec = specs[0].unwrap();
        assert_eq!(spec.uri(), uri);
        assert!(Message::decode(&spec.decode().unwrap()).is_ok());
    }
    // One for each medium.
    let two = format!(
        "prot=mikey; uri=\"rtsp://h/1\"; data=\"{DATA}\", prot=keyp1; uri=\"rtsp://h/2\"; data=\"AAAA\""
    );
    let specs: Vec<_> = KeyMgmt::from_header(&two).map(Result::unwrap).collect();
    assert_eq!(specs[0].uri(), Some("rtsp://h/1"));
    assert_eq!(
        (specs[1].protocol(), specs[1].uri()),
        ("keyp1", Some("rtsp://h/2"))
    );
}

#[test]
fn refuses_headers_that_do_not_follow_the_grammar() {
    for (value, offset) in [
        ("", 0),
        ("mikey", 0),
        ("prot=mikey", 10),
        ("prot=mi-key; data=AAAA", 0),
        ("prot=mikey; data=\"AAAA", 11),
        ("prot=mikey; prot=mikey; data=AAAA", 11),
        ("prot=mikey; uri=\"a b\"; data=AAAA", 11),
        ("prot=mikey; what=1; data=AAAA", 11),
        ("prot=mikey data=AAAA", 11),
        ("data=AAAA", 9),
        ("prot=mikey; data=AAAA,", 22),
    ] {
        let last = KeyMgmt::from_header(value).last().unwrap();
        let error = last.unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (DecodeErrorKind::Grammar, offset),
            "{value}"
        );
        assert!(
            KeyMgmt::from_header(value).count() <= 2,
            "nothing behind an error"
        );
    }
    let long = " ".repeat(MAX_KEY_MGMT_LEN + 1);
    let refused: Vec<_> = KeyMgmt::from_header(&long).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].unwrap_err().kind(), DecodeErrorKind::TooLong);
}

#[test]
fn writes_no_uri_that_would_end_its_quotes() {
    assert!(header(Some("rtsp://h/\""), &[]).is_none());
    assert!(header(Some("rtsp://h/ x"), &[]).is_none());
    assert!(header(Some("rtsp://h/\r\nX:"), &[]).is_none());
}

#[test]
fn knows_its_media_type() {
    for yes in [
        "application/mikey",
        "APPLICATION/MIKEY",
        "application/mikey;version=1",
        "application/mikey ; Version = \"1\"; other=2",
    ] {
        assert!(is_media_type(yes), "{yes}");
    }
    for no in [
        "",
        "application/mikey2",
        "application/mikey;version=2",
        "text/plain; application/mikey",
    ] {
        assert!(!is_media_type(no), "{no}");
    }
}

#[test]
fn prints_no_data() {
    let shown = format!(
        "{:?}",
        KeyMgmt::from_attribute(&format!("mikey {DATA}")).unwrap()
    );
    assert!(shown.contains("mikey") && !shown.contains("AQAF"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(octets in proptest::collection::vec(any::<u8>(), 1..300)) {
        let value = attribute(&octets);
        prop_assert_eq!(&**KeyMgmt::from_attribute(&value).unwrap().decode().unwrap(), &octets[..]);
        let value = header(Some("rtsp://h/1"), &octets).unwrap();
        let spec = KeyMgmt::from_header(&value).next().unwrap().unwrap();
        prop_assert_eq!(&**spec.decode().unwrap(), &octets[..]);
        let body = body_to_base64(&octets);
        prop_assert!(body.lines().all(|line| line.len() <= 76));
        prop_assert_eq!(&**body_from_base64(&body).unwrap(), &octets[..]);
    }

    /// Whatever the text, an answer and no panic.
    #[test]
    fn any_text_is_answered(value in "[a-z=\";, +/A0\u{e9}]{0,40}") {
        let _ = KeyMgmt::from_attribute(&value).map(|found| found.decode());
        prop_assert!(KeyMgmt::from_header(&value).count() <= value.len() + 1);
        let _ = body_from_base64(&value);
    }
}
