//! What `explain` shows of each kind of input, octet for octet. `UPDATE_GOLDEN=1` writes the files anew;
//! read the difference before it is committed.

use std::{fs, path::Path};

use base64ct::Encoding as _;

use crate::{
    captures::{FORMS, LINKS, capture, frame, v4},
    program::{Outcome, explain, file, repository, ticket_message},
};

/// ONVIF's example, keys in the clear.
const CAMERA: &str = "AQAFAP1td9ABAADCD1UcAAAAAAoAAdOOGc75XD0BAAAAGAABAQEBEAIBAQMBFAcBAQgBAQoBAQsBCgAAACcA\
                      IQAe30C59UrClE0e27UP5h/Wty9UL8+dfzg+2ttmmo3kBAAAAC8A";

#[track_caller]
fn golden(name: &str, outcome: &Outcome) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/mediasec/golden")
        .join(name);
    let shown = format!(
        "{}exit code {}\n{}",
        outcome.out, outcome.code, outcome.error
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, shown).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(shown == expected, "{name} differs:\n{shown}");
}

fn weak_sdp() -> Vec<u8> {
    repository("interop/tests/mediasec/inputs/weak.sdp")
}

#[test]
fn sdp() {
    golden("sdp.txt", &explain(&[], &weak_sdp()));
}

#[test]
fn sdp_as_json() {
    let outcome = explain(&["--json"], b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\n");
    golden("sdp.json", &outcome);
}

#[test]
fn sdp_of_the_test_specification() {
    let sdp = repository("sdp-sec/tests/vectors/3gpp/ts34229_12_12a_offer.sdp");
    golden("ts34229.txt", &explain(&[], &sdp));
}

#[test]
fn crypto_line() {
    let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
                inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 KDR=16 WSH=128";
    golden("crypto.txt", &explain(&[line], b""));
    golden(
        "crypto_secrets.txt",
        &explain(&["--show-secrets", line], b""),
    );
}

#[test]
fn key_mgmt_line() {
    let line = format!("a=key-mgmt:mikey {CAMERA}");
    // It ends with a zero that does not belong there, as the camera's do.
    golden("key_mgmt.txt", &explain(&[&line], b""));
}

#[test]
fn keymgmt_header() {
    let header = format!("KeyMgmt: prot=mikey; uri=\"rtsp://camera/1\"; data=\"{CAMERA}\"");
    golden("keymgmt_header.txt", &explain(&[&header], b""));
}

#[test]
fn mikey_in_every_clothing() {
    let hex = ticket_message("TRANSFER_INIT");
    let from_hex = explain(&[&hex], b"");
    golden("mikey_transfer_init.txt", &from_hex);
    let octets = base16ct::lower::decode_vec(&hex).unwrap();
    let base64 = base64ct::Base64::encode_string(&octets);
    for (options, input) in [
        (vec![], octets.clone()),
        (vec!["-"], octets.clone()),
        (vec![], hex.to_uppercase().into_bytes()),
        (vec![], base64.as_bytes().to_vec()),
        (vec!["--as", "mikey"], format!("{hex}\n").into_bytes()),
    ] {
        assert_eq!(explain(&options, &input).out, from_hex.out);
    }
    let path = file("message.bin", &octets);
    assert_eq!(explain(&[path.to_str().unwrap()], b"").out, from_hex.out);
}

#[test]
fn request_with_a_policy() {
    golden(
        "mikey_request_init.txt",
        &explain(&[&ticket_message("REQUEST_INIT_PSK")], b""),
    );
}

#[test]
fn cms() {
    let message = repository("smime-psk/tests/vectors/cms/rfc8696_a_unauth_attrs.bin");
    golden("cms.txt", &explain(&[], &message));
    // Indefinite lengths.
    let message = repository("smime-psk/tests/vectors/cms/openssl_authenveloped_attrs.bin");
    golden("cms_ber.txt", &explain(&[], &message));
}

#[test]
fn mime() {
    let entity = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: application/mikey\r\nContent-Transfer-Encoding: base64\r\n\r\n{CAMERA}\r\n\
         --b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 0\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\nX-Secret: 7\r\n\r\nhello\r\n--b--\r\n"
    );
    golden("mime.txt", &explain(&[], entity.as_bytes()));
}

#[test]
fn a_capture() {
    let (alice, bob) = (v4(1, 2269), v4(2, 2269));
    let mikey = base16ct::lower::decode_vec(ticket_message("RESOLVE_RESP")).unwrap();
    let sip = "INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: 7\r\nContent-Type: application/sdp\r\n\r\n\
               v=0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let rtp = |seq: u8| [0x80, 0, 0, seq, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let link = LINKS[3].1;
    let mut frames = vec![
        frame(link, alice, bob, &mikey),
        frame(link, v4(1, 5060), v4(2, 5060), sip.as_bytes()),
        frame(link, v4(1, 4000), v4(2, 5000), &rtp(1)),
        frame(link, v4(1, 4000), v4(2, 5000), &rtp(2)),
        frame(
            link,
            v4(1, 4001),
            v4(2, 5001),
            &[0x80, 200, 0, 6, 1, 2, 3, 4],
        ),
        frame(link, v4(1, 9), v4(2, 9), b"neither"),
    ];
    let mut cut = frames[0].clone();
    cut.truncate(100);
    frames.push(cut);
    for form in FORMS {
        // One that ends within a frame shows what is in front of it.
        let mut cut = capture(form, 1, &frames);
        cut.truncate(cut.len() - 20);
        let outcome = explain(&[], &cut);
        outcome.refused(1, "1 part(s) cannot be read");
        assert!(outcome.out.contains("!! capture: octet "), "{outcome:?}");
        assert!(
            outcome.out.contains("2 packets  [RFC 3550 §5]"),
            "{outcome:?}"
        );
        let path = file("seen.pcap", &capture(form, 1, &frames));
        golden("capture.txt", &explain(&[path.to_str().unwrap()], b""));
        golden("capture.txt", &explain(&[], &capture(form, 1, &frames)));
    }
}

#[test]
fn help_of_each_command() {
    for (name, arguments) in [
        ("help.txt", vec!["--help"]),
        ("help_explain.txt", vec!["explain", "--help"]),
        ("help_decrypt.txt", vec!["decrypt", "--help"]),
        ("help_srtp.txt", vec!["srtp", "unprotect", "--help"]),
        ("help_mikey.txt", vec!["mikey", "derive", "--help"]),
    ] {
        golden(name, &crate::program::run(&arguments, b""));
    }
}
