//! `mediasec srtp` and `mediasec mikey derive`: against published vectors where there are some.

use crate::program::{repository, run};

/// RFC 7714 §16.1.1 and §16.1.2: AES-128-GCM.
const GCM_KEY: &str = "AEAD_AES_128_GCM 000102030405060708090a0b0c0d0e0f517569642070726f2071756f";

const AES_CM: &str =
    "AES_CM_128_HMAC_SHA1_80 e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6";

const RTP: &str = "8064000100000000cafebabe616263646566";
const RTCP: &str = "81c8000bcafebabe00000000000000000000000000000000";

#[test]
fn what_was_protected_is_opened() {
    for key in [GCM_KEY, AES_CM] {
        for (options, packet) in [
            (vec!["--key", key], RTP),
            (vec!["--key", key, "--roc", "0x12345"], RTP),
            (vec!["--key", key, "--rtcp"], RTCP),
        ] {
            let lines = format!("{packet}\n\n  {}\n", packet.to_uppercase());
            let sealed = run(&[&["srtp", "protect"], &options[..]].concat(), b"");
            assert_eq!(sealed.done(), "");
            // The same sequence number again would use a keystream twice.
            let sealed = run(
                &[&["srtp", "protect"], &options[..]].concat(),
                lines.as_bytes(),
            );
            if options.contains(&"--rtcp") {
                assert_eq!(sealed.code, 0, "{sealed:?}");
            } else {
                sealed.refused(1, "line 3: packet index already used");
            }
            let first = sealed.out.lines().next().unwrap().to_owned();
            assert!(first.len() > packet.len());
            let arguments = [&["srtp", "unprotect"], &options[..], &[&first]].concat();
            assert_eq!(run(&arguments, b"").done(), format!("{packet}\n"));
            let mut forged = first.clone();
            forged.replace_range(
                forged.len() - 2..,
                if first.ends_with("00") { "01" } else { "00" },
            );
            let arguments = [&["srtp", "unprotect"], &options[..], &[&forged]].concat();
            run(&arguments, b"").refused(1, "packet 1: authentication failed");
        }
    }
}

/// Published vector: the packet of AES-CM with HMAC-SHA1 that libsrtp's self-test has had since 2001.
#[test]
fn a_published_packet_is_protected_and_opened() {
    let plain = "800f1234decafbadcafebabeabababababababababababababababab";
    let sealed = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
    let arguments = ["srtp", "protect", "--key", AES_CM, plain];
    assert_eq!(run(&arguments, b"").done(), format!("{sealed}\n"));
    let arguments = ["srtp", "unprotect", "--key", AES_CM, sealed];
    assert_eq!(run(&arguments, b"").done(), format!("{plain}\n"));
}

#[test]
fn bad_packets_and_keys_are_told_by_their_place() {
    let cases: [(&[&str], &[u8], i32, &str); 9] = [
        (&["srtp"], b"", 2, "expected protect or unprotect"),
        (&["srtp", "protect"], b"", 2, "expected --key or --key-file"),
        (
            &["srtp", "protect", "--key", AES_CM],
            b"80zz",
            2,
            "line 1: octet 2: expected hex",
        ),
        (
            &["srtp", "protect", "--key", AES_CM],
            b"\n8064000\n",
            2,
            "line 2: octet 7: expected hex",
        ),
        (
            &["srtp", "protect", "--key", AES_CM, "80"],
            b"",
            1,
            "packet 1: packet shorter",
        ),
        (
            &["srtp", "unprotect", "--key", AES_CM, RTP],
            b"",
            1,
            "packet 1: packet shorter",
        ),
        (
            &["srtp", "protect", "--key-file", "-", RTP],
            b"",
            2,
            "expected one line with a key",
        ),
        (
            &["srtp", "protect", "--key-file", "-"],
            AES_CM.as_bytes(),
            2,
            "expected packets",
        ),
        (
            &["srtp", "protect", "--key-file", "-", RTP],
            b"a=crypto:1 X",
            2,
            "line 1: a=crypto: octet",
        ),
    ];
    for (arguments, input, code, words) in cases {
        run(arguments, input).refused(code, words);
    }
    let arguments = ["srtp", "protect", "--key-file", "-", RTP];
    assert_eq!(run(&arguments, AES_CM.as_bytes()).code, 0);
}

/// The value behind `name` in the part of a run of MIKEY-TICKET that begins with `part`.
fn value(run: &str, part: &str, name: &str) -> String {
    let (_, behind) = run.split_once(part).expect(part);
    let line = behind
        .lines()
        .find(|line| line.starts_with(name))
        .expect(name);
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Keys of MIKEY-TICKET as the vectors of `mikey-ticket` have them, which were derived there a second
/// time by the labels of RFC 6043 alone.
#[test]
fn keys_of_a_run_of_mikey_ticket_are_derived() {
    let vectors = repository("mikey-ticket/tests/vectors/run_256_forked.txt");
    let run_of = String::from_utf8(vectors).unwrap();
    let psk = value(&run_of, "", "PSK of the Initiator");
    let csb_id = |part| format!("0x{}", &value(&run_of, part, "HDR")[8..16]);
    // RANDR: behind Next payload, role and length. RAND: alone.
    let randr = |part, name| value(&run_of, part, name)[6..].to_owned();
    let (request, transfer) = ("[REQUEST_INIT_PSK]", "[TRANSFER_INIT]");
    let (csb_id, rand_i) = (csb_id(request), randr(request, "RANDR Initiator"));
    let message = ["--csb-id", &csb_id, "--rand-i", &rand_i];
    let response = [&message[..], &["--response"]].concat();
    let rand = value(&run_of, "[Ticket Data]", "RAND");
    let ticket = ["--rand", &rand];
    let rand_kms = randr("[RESOLVE_RESP]", "RANDR KMS");
    let forked = ["--rand", &rand_kms, "--id", "sip:bob@example.com"];
    let (rand_i, rand_r) = (
        randr(transfer, "RANDR Initiator"),
        randr("[TRANSFER_RESP]", "RANDR Responder"),
    );
    let session = ["--rand-i", &rand_i, "--rand-r", &rand_r, "--cs-id", "1"];
    let tpk = value(&run_of, "", "TPK");
    let mpk = value(&run_of, "[Ticket Data]", "MPK ");
    let mpkr = value(&run_of, "[Ticket Data]", "MPKr  ");
    let tgk = value(&run_of, "[REQUEST_RESP]", "TGK ");
    let forked_tgk = value(&run_of, "[RESOLVE_RESP]", "TGK'  ");
    for (from, key, options, part, name) in [
        (&psk, "message-encr", &message[..], request, "encr_key  "),
        (&psk, "message-salt", &message, request, "salt_key  "),
        (&psk, "message-auth", &message, request, "auth_key  "),
        (
            &psk,
            "message-encr",
            &response,
            "[REQUEST_RESP]",
            "encr_key  ",
        ),
        (&tpk, "ticket-encr", &ticket, "[Ticket Data]", "encr_key  "),
        (&tpk, "ticket-salt", &ticket, "[Ticket Data]", "salt_key  "),
        (&tpk, "ticket-auth", &ticket, "[Ticket Data]", "auth_key  "),
        (&mpk, "mpk-i", &ticket, "[Ticket Data]", "MPKi  "),
        (&mpk, "mpk-r", &ticket, "[Ticket Data]", "MPKr  "),
        (&mpkr, "forked-mpk", &forked, "[RESOLVE_RESP]", "MPKr'  "),
        (&tgk, "forked-tgk", &forked, "[RESOLVE_RESP]", "TGK'  "),
        (
            &forked_tgk,
            "tek",
            &session,
            "[keys of the crypto",
            "CS 1 TEK  ",
        ),
    ] {
        let expected = value(&run_of, part, name);
        let len = (expected.len() / 2).to_string();
        let front = [
            "mikey",
            "derive",
            "--prf",
            "hmac-sha-256",
            "--key",
            key,
            "--len",
            &len,
        ];
        let derived = run(&[&front, options].concat(), from.as_bytes()).done();
        assert_eq!(derived, format!("{expected}\n"), "{key} of {part}");
    }
}

#[test]
fn keys_of_crypto_sessions_are_those_of_the_library() {
    use mikey::derive::{CsbDerivation, Prf, Rands, Secret, SessionKey};
    let tgk = Secret::new(&[0x11; 16]).unwrap();
    let hex = "11".repeat(16);
    let (rand, rands) = (
        "22".repeat(16),
        Rands::new(&[0x33; 16], &[0x44; 16]).unwrap(),
    );
    for (csb, options) in [
        (
            CsbDerivation::rfc3830(Prf::Mikey1, 0x0102_0304, &[0x22; 16]),
            vec!["--csb-id", "0x01020304", "--rand", &rand],
        ),
        (
            CsbDerivation::ticket(Prf::Mikey1, rands),
            vec![
                "--rand-i",
                "33333333333333333333333333333333",
                "--rand-r",
                "44444444444444444444444444444444",
            ],
        ),
    ] {
        for (key, name) in [
            (SessionKey::Tek, "tek"),
            (SessionKey::Salt, "salt"),
            (SessionKey::Encryption, "encr"),
            (SessionKey::Authentication, "auth"),
        ] {
            let mut expected = [0; 20];
            csb.derive(&tgk, key, 3, &mut expected);
            let more = ["--key", name, "--cs-id", "3", "--len", "20", &hex];
            let derived = run(&[&["mikey", "derive"], &options[..], &more].concat(), b"").done();
            assert_eq!(
                derived.trim_end(),
                base16ct::lower::encode_string(&expected)
            );
        }
    }
}

#[test]
fn bad_derivations_are_told() {
    let tgk = "11".repeat(16);
    let cases: [(&[&str], i32, &str); 9] = [
        (&[], 2, "expected --csb-id"),
        (&["--csb-id", "1"], 2, "expected --rand"),
        (
            &["--csb-id", "1", "--rand", "0"],
            2,
            "--rand: octet 1: expected hexadecimal",
        ),
        (&["--csb-id", "x"], 2, "--csb-id: number: expected"),
        (&["--key", "x"], 2, "--key: no such key"),
        (
            &["--len", "513"],
            2,
            "--len: expected a number from 1 to 512",
        ),
        (&["--prf", "md5"], 2, "--prf: expected mikey-1"),
        (&["--key", "forked-tgk", "--rand", "00"], 2, "expected --id"),
        (
            &["--csb-id", "1", "--rand", "00", "11"],
            1,
            "key 1: a key has 1 octets",
        ),
    ];
    for (options, code, words) in cases {
        run(&[&["mikey", "derive"], options].concat(), tgk.as_bytes()).refused(code, words);
    }
}
