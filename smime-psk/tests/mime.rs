//! Self-consistency: MIME that is hostile, folded, nested or not canonical.
#![allow(clippy::unwrap_used, reason = "tests")]

use smime_psk::mime::{self, Entity, MediaType};
use smime_psk::{MimeError, limits};

#[test]
fn mime_that_is_not_ours_is_refused() {
    for (entity, error) in [
        (&b"\r\n\r\nx"[..], MimeError::MediaType),
        (b"Content-Type: text/plain\r\n\r\nx", MimeError::MediaType),
        (
            b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx",
            MimeError::SmimeType,
        ),
        (
            b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: x-uue\r\n\r\nx",
            MimeError::TransferEncoding,
        ),
        (
            b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
            MimeError::Base64,
        ),
        (
            b"Content-Type: application/pkcs7-mime\r\ncontent-type: text/plain\r\n\r\n",
            MimeError::Header,
        ),
        (b" folded: first\r\n\r\n", MimeError::Header),
        (
            b"X: a\rContent-Type: application/pkcs7-mime\r\n\r\n",
            MimeError::Header,
        ),
        (b"\r", MimeError::Header),
        (b"no colon\r\n\r\n", MimeError::Header),
        (b"X: \xff\r\n\r\n", MimeError::Header),
    ] {
        assert_eq!(
            mime::unwrap(entity),
            Err(error),
            "{}",
            String::from_utf8_lossy(entity)
        );
    }
    let many = b"X: y\r\n".repeat(limits::HEADERS + 1);
    assert_eq!(mime::unwrap(&many), Err(MimeError::BeyondLimits));
    let long = [b"X: ".to_vec(), vec![b'y'; limits::HEADER_OCTETS]].concat();
    assert_eq!(mime::unwrap(&long), Err(MimeError::BeyondLimits));
}

#[test]
fn smime_types_are_read_in_any_case_folded_quoted_and_commented() {
    for content_type in [
        "application/pkcs7-mime; smime-type=auth-enveloped-data; name=smime.p7m",
        "Application/PKCS7-MIME;\r\n\tSMIME-TYPE=\"AUTHENVELOPED-DATA\"",
        "application/x-pkcs7-mime; name=x; smime-type=authEnveloped-data (this one)",
        "application/pkcs7-mime",
    ] {
        let body = mime::unwrap_body(content_type, Some(" Binary "), b"x").unwrap();
        assert_eq!(body.as_ref(), b"x");
    }
    for malformed in [
        "",
        ";",
        "a b/c",
        "a/b; x",
        "a/b; =x",
        "a/b; x=\"",
        "a/b; x=1; X=2",
        "a/b (",
    ] {
        assert!(MediaType::parse(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn malformed_multiparts_are_refused() {
    for body in [
        "",
        "--b\r\n\r\nx",
        "--b--\r\n",
        "--c\r\n--c--\r\n",
        "--b\r\nbad\r\n--b--",
    ] {
        let entity = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
        assert!(
            Entity::parse(entity.as_bytes()).unwrap().parts().is_err(),
            "{body}"
        );
    }
    let parts = "--b\r\n\r\n".repeat(limits::PARTS + 2);
    let entity = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--");
    let entity = Entity::parse(entity.as_bytes()).unwrap();
    assert_eq!(entity.parts().unwrap_err(), MimeError::BeyondLimits);

    let mut nested = b"Content-Type: text/plain\r\n\r\nx".to_vec();
    for _ in 0..=limits::MULTIPART_DEPTH {
        nested = [
            &b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"[..],
            &nested,
            b"\r\n--b--\r\n",
        ]
        .concat();
    }
    assert!(mime::canonical(&nested).is_err());
}

#[test]
fn canonical_form_reaches_into_multiparts_and_leaves_binary_alone() {
    let entity = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\
        Content-Type: text/plain\n\nline\n\n--b\nContent-Type: image/png\n\n\x01\n\x02\n--b--\n";
    let expected = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/plain\r\n\r\nline\r\n\r\n--b\r\n\
        Content-Type: image/png\r\n\r\n\x01\n\x02\r\n--b--\r\n";
    assert_eq!(mime::canonical(entity).unwrap().as_ref(), expected);
    assert_eq!(mime::canonical(expected).unwrap().as_ref(), expected);
}
