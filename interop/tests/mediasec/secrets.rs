//! No key is shown that was not asked for: not in a tree, not as JSON, not in an error.

use crate::program::{Outcome, explain, repository, run, ticket_message};

/// The key and salt that the inputs have, in base64 and in hexadecimal.
const SECRETS: [&str; 6] = [
    "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
    "59535f5f5f73656d63746c2028",
    "3d2d6e40255e7821426a7566",
    // Of the camera's MIKEY message.
    "df40b9f54ac2944d1edbb50fe61f",
    "IQAe30C59UrClE0e27UP5h/Wty9UL8",
];

#[track_caller]
fn hides(outcome: &Outcome) {
    for secret in SECRETS {
        for text in [&outcome.out, &outcome.error] {
            assert!(
                !text.to_lowercase().contains(&secret.to_lowercase()),
                "{outcome:?}"
            );
        }
    }
}

const CAMERA: &str = "AQAFAP1td9ABAADCD1UcAAAAAAoAAdOOGc75XD0BAAAAGAABAQEBEAIBAQMBFAcBAQgBAQoBAQsBCgAAACcA\
                      IQAe30C59UrClE0e27UP5h/Wty9UL8+dfzg+2ttmmo3kBAAAAC8A";

fn inputs() -> Vec<Vec<u8>> {
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}", SECRETS[0]);
    let weak = repository("interop/tests/mediasec/inputs/weak.sdp");
    let mut inputs = vec![
        weak,
        crypto.clone().into_bytes(),
        format!("a=key-mgmt:mikey {CAMERA}").into_bytes(),
        format!("KeyMgmt: prot=mikey; data=\"{CAMERA}\"").into_bytes(),
        CAMERA.as_bytes().to_vec(),
    ];
    // Broken in ways that leave the key whole.
    for broken in [
        crypto.replace("crypto:1", "crypto:01"),
        crypto.replace("80 ", "80 x"),
        crypto.replace("SHA1_80", "SHA1_81"),
        format!("{crypto}|2^99"),
        format!("{crypto}|1:4|x"),
        format!("{crypto} KDR=99"),
        format!("{crypto} {}", SECRETS[1]),
        crypto.replace("inline", "uri"),
        crypto.replace("a=crypto", "a=Crypto"),
        format!(
            "v=0\r\nm=audio 1 RTP/SAVP 0\r\na=Crypto :1 {}\r\n",
            &crypto[11..]
        ),
        format!(
            "v=0\r\nm=audio 1 RTP/SAVP 0\r\na=note:inline:{}\r\n",
            SECRETS[0]
        ),
        format!("v=0\r\nk=base64:{}\r\n", SECRETS[0]),
        format!("a=key-mgmt:mikey {CAMERA}="),
        format!("a=key-mgmt:mikey{CAMERA}"),
        format!("KeyMgmt: prot=mikey; data={CAMERA}; x"),
        format!("{CAMERA}AAAA"),
        SECRETS[0].to_owned(),
        SECRETS[2].repeat(2),
    ] {
        inputs.push(broken.into_bytes());
    }
    inputs
}

#[test]
fn keys_are_hidden() {
    for input in inputs() {
        for options in [&[][..], &["--json"]] {
            hides(&explain(options, &input));
        }
        let text = core::str::from_utf8(&input).unwrap();
        hides(&explain(&[text], b""));
        for kind in [
            "cms",
            "crypto",
            "key-mgmt",
            "keymgmt-header",
            "mikey",
            "mime",
            "sdp",
        ] {
            hides(&explain(&["--as", kind], &input));
        }
    }
}

#[test]
fn keys_are_shown_on_demand() {
    for (input, secret) in inputs().iter().zip([2, 2, 4, 4, 4]) {
        for options in [&["--show-secrets"][..], &["--json", "--show-secrets"]] {
            let outcome = explain(options, input);
            assert!(outcome.out.contains(SECRETS[secret]), "{outcome:?}");
        }
    }
}

/// In lines that are no attribute of keys, too.
#[test]
fn lines_that_look_like_keys_are_shown_on_demand() {
    let sdp = format!(
        "v=0\r\nk=base64:{0}\r\na=note:inline:{0}\r\n{0}\r\n",
        SECRETS[0]
    );
    let outcome = explain(&["--as", "sdp"], sdp.as_bytes());
    hides(&outcome);
    outcome.refused(1, "1 part(s) cannot be read");
    let shown = explain(&["--as", "sdp", "--show-secrets"], sdp.as_bytes()).out;
    assert_eq!(shown.matches(SECRETS[0]).count(), 3, "{shown}");
}

/// A key in the place of something else, such as a file, is not repeated.
#[test]
fn misplaced_keys_are_not_repeated() {
    let line = format!("AES_CM_128_HMAC_SHA1_80 {}", SECRETS[2]);
    for key in [SECRETS[0], SECRETS[1], SECRETS[2], &line] {
        for arguments in [
            vec!["explain", "--as", key],
            vec!["explain", "--code-point", key],
            vec!["explain", "x", key],
            vec!["explain", "--json", "--nothing", key],
            vec!["decrypt", "--offer", key],
            vec!["decrypt", "--keys", key],
            vec!["decrypt", "--key", key],
            vec!["decrypt", "--roc", key],
            vec!["srtp", key],
            vec!["srtp", "protect", "--key", key],
            vec!["srtp", "protect", "--key-file", key],
            vec!["srtp", "protect", "--roc", key],
            vec!["mikey", "derive", "--key", key],
            vec!["mikey", "derive", "--len", key],
            vec![
                "mikey", "derive", "--csb-id", "1", "--rand", "00", "--id", key, key,
            ],
            vec![key],
        ] {
            let outcome = run(&arguments, b"");
            assert_ne!(outcome.code, 0, "{outcome:?}");
            hides(&outcome);
        }
    }
}

/// A pre-shared key that a policy asks for is of zeros; keys of a ticket are encrypted.
#[test]
fn tickets_have_no_key_in_the_clear() {
    for kind in [
        "REQUEST_INIT_PSK",
        "REQUEST_RESP",
        "TRANSFER_INIT",
        "RESOLVE_RESP",
    ] {
        let message = ticket_message(kind);
        let hidden = explain(&[&message], b"").done();
        let shown = explain(&["--show-secrets", &message], b"").done();
        let zeros = hidden.replace("16 octets, hidden", &"00".repeat(16));
        assert_eq!(zeros, shown);
    }
}
