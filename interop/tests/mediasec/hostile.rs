//! Whatever comes in: no panic, no more than one line of error, no long time.

use crate::{
    captures::{FORMS, LINKS, capture, frame, v4},
    program::{explain, file, repository, run, ticket_message},
};

const CRYPTO: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
                      inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4";

fn inputs() -> Vec<Vec<u8>> {
    let mikey = base16ct::lower::decode_vec(ticket_message("TRANSFER_INIT")).unwrap();
    let attribute = mikey::keymgmt::attribute(&mikey);
    let frames = vec![
        frame(LINKS[3].1, v4(1, 2269), v4(2, 2269), &mikey),
        frame(LINKS[3].1, v4(1, 4000), v4(2, 4000), &[0x80; 40]),
    ];
    let mime = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/mikey\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        attribute.trim_start_matches("mikey ")
    );
    let mut inputs = vec![
        repository("interop/tests/mediasec/inputs/weak.sdp"),
        CRYPTO.as_bytes().to_vec(),
        format!("a=key-mgmt:{}", *attribute).into_bytes(),
        format!(
            "KeyMgmt: {}",
            *mikey::keymgmt::header(None, &mikey).unwrap()
        )
        .into_bytes(),
        mikey,
        repository("smime-psk/tests/vectors/cms/rfc8696_a_unauth_attrs.bin"),
        mime.into_bytes(),
    ];
    inputs.extend(FORMS.map(|form| capture(form, 1, &frames)));
    inputs
}

/// At some forty places of each, those at its start among them.
#[test]
fn truncated_inputs_end_well() {
    for input in inputs() {
        let step = input.len().div_ceil(24).max(1);
        let places = (0..16).chain((16..input.len()).step_by(step));
        for len in places.filter(|len| *len < input.len()) {
            explain(&[], &input[..len]);
        }
    }
}

#[test]
fn altered_inputs_end_well() {
    fastrand::seed(2);
    for input in inputs() {
        for _ in 0..20 {
            let mut input = input.clone();
            for _ in 0..=fastrand::usize(..4) {
                let place = fastrand::usize(..input.len());
                input[place] = fastrand::u8(..);
            }
            explain(&["--json"], &input);
        }
    }
}

#[test]
fn altered_captures_are_decrypted_or_refused() {
    fastrand::seed(3);
    let key =
        "AES_CM_128_HMAC_SHA1_80 e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6";
    let frames: Vec<_> = (0..5_u8)
        .map(|seq| {
            let packet = [&[0x80, 0, 0, seq, 0, 0, 0, 0, 1, 2, 3, 4][..], &[7; 40]].concat();
            frame(LINKS[3].1, v4(1, 4000), v4(2, 4000), &packet)
        })
        .collect();
    for (place, form) in FORMS.into_iter().enumerate() {
        for _ in 0..12 {
            let mut input = capture(form, 1, &frames);
            for _ in 0..=fastrand::usize(..4) {
                let place = fastrand::usize(..input.len());
                input[place] = fastrand::u8(..);
            }
            let source = file(&format!("altered-{place}.pcap"), &input);
            let out = file(&format!("altered-{place}.out"), b"");
            let paths = [source.to_str().unwrap(), "-o", out.to_str().unwrap()];
            let outcome = run(&[&["decrypt", "--key", key], &paths[..]].concat(), b"");
            // No packet has a right tag.
            assert_ne!(outcome.code, 0);
        }
    }
}

#[test]
fn long_lines_end_well() {
    const LONG: usize = 1 << 20;
    for (front, unit) in [
        (CRYPTO, "A"),
        (CRYPTO, " -X"),
        (CRYPTO, ";inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
        ("a=key-mgmt:mikey ", "AQAF"),
        ("KeyMgmt: prot=mikey; data=\"", "AQAF"),
        ("KeyMgmt: ", "prot=mikey; data=\"AQAF\","),
        ("v=0\r\na=", "A"),
        ("v=0\r\n", "a=crypto:1 X\r\n"),
        ("v=0\r\n", "m=audio 1 RTP/SAVP 0\r\n"),
        ("v=0\r\nm=audio 1 RTP/SAVP 0\r\n", CRYPTO),
        ("Content-Type: ", "a"),
        (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
            "--b\r\n",
        ),
        ("", "01"),
        ("", "30"),
        ("", "30800000"),
        ("", "A"),
    ] {
        let input = front.to_owned() + &unit.repeat(LONG / unit.len());
        explain(&[], input.as_bytes());
    }
    for command in [["srtp", "protect"], ["srtp", "unprotect"]] {
        let key = [
            "--key",
            "AEAD_AES_128_GCM 000102030405060708090a0b0c0d0e0f517569642070726f2071756f",
        ];
        let outcome = run(&[command, key].concat(), "80".repeat(LONG).as_bytes());
        outcome.refused(2, "line 1: longer than any packet");
    }
    let derive = ["mikey", "derive", "--csb-id", "1", "--rand", "00"];
    run(&derive, "80".repeat(LONG).as_bytes()).refused(2, "line 1: longer than any packet");
    run(&derive, "80".repeat(513).as_bytes()).refused(1, "line 1: a key has");
}

/// What a peer chose does not reach the terminal as it is.
#[test]
fn control_characters_are_escaped() {
    let sdp = "v=0\r\ns=\u{1b}]0;owned\u{7}\u{202e}txt\r\nm=audio 4000 RTP/SAVP 0\r\n";
    let shown = explain(&["--as", "sdp"], sdp.as_bytes()).done();
    assert!(
        shown.contains("s=\\u{1b}]0;owned\\u{7}\\u{202e}txt"),
        "{shown}"
    );
}

#[test]
fn random_octets_end_well() {
    fastrand::seed(4);
    for kind in [
        "capture",
        "cms",
        "crypto",
        "key-mgmt",
        "keymgmt-header",
        "mikey",
        "mime",
        "sdp",
    ] {
        for len in [0, 1, 2, 10, 100, 1000, 100_000] {
            let input: Vec<u8> = core::iter::repeat_with(|| fastrand::u8(..))
                .take(len)
                .collect();
            let outcome = explain(&["--as", kind], &input);
            if kind != "mime" && (kind != "sdp" || len == 0) {
                outcome.refused(2, "");
            }
        }
    }
}

#[test]
fn bad_usage_is_said_in_one_line() {
    for (arguments, words) in [
        (&[][..], "expected a command"),
        (&["frob"], "expected a command"),
        (
            &["explain", "--as", "x"],
            "--as: expected one of capture, cms",
        ),
        (&["explain", "--as"], "--as needs a value"),
        (&["explain", "--json=x"], "--json takes no value"),
        (&["explain", "--frob"], "unknown option"),
        (&["explain", "a", "b"], "an argument too many"),
        (&["explain", "--code-point", "tls"], "expected NAME=N"),
        (&["explain", "--code-point", "tls=256"], "expected NAME=N"),
        (&["explain", "/"], "file: is a directory"),
        (&["explain", "absent.sdp"], "no such file, and not SDP"),
        (&["explain", "--as", "crypto", "a\nb"], "expected one line"),
        (
            &["explain", "--as", "mikey", "01000x"],
            "octet 5: expected hexadecimal",
        ),
        (
            &["explain", "--as", "mikey", "010005"],
            "mikey: HDR: ends too early, at octet 3",
        ),
        (&["mikey"], "expected derive"),
    ] {
        run(arguments, b"").refused(2, words);
    }
}
