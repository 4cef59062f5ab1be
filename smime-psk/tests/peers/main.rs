//! Independent implementations: OpenSSL's `cms` command and BouncyCastle, both ways.
//!
//! A peer that is not installed fails the test where `CI=true`, and is said to be missing
//! elsewhere.
#![cfg(feature = "peers")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use smime_psk::mime;
use smime_psk::stream::open_stream;
use smime_psk::{
    Attributes, ContentEncryption, Encoding, KekRecipient, Oid, OpenPolicy, SealPolicy,
};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nAll your base are belong to us.\r\n";
const JARS: [&str; 3] = ["bcpkix.jar", "bcprov.jar", "bcutil.jar"];

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

fn kek() -> KekRecipient {
    KekRecipient::new(b"id", &[7; 16]).unwrap()
}

fn attributes() -> Attributes {
    let mut attributes = Attributes::new();
    attributes
        .insert(Oid::from_arcs(&[2, 999, 2]).unwrap(), b"\x0c\x05hello")
        .unwrap();
    attributes
        .insert(Oid::from_arcs(&[2, 999, 1]).unwrap(), b"\x05\x00")
        .unwrap();
    attributes
}

fn missing(peer: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{peer} is missing"
    );
    eprintln!("not run: {peer} is missing");
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn openssl(arguments: &[&str], input: &Path, output: &Path) {
    let key = [
        "-secretkey",
        "07070707070707070707070707070707",
        "-secretkeyid",
        "6964",
    ];
    run(Command::new("openssl")
        .arg("cms")
        .args(arguments)
        .args(key)
        .arg("-in")
        .arg(input)
        .arg("-out")
        .arg(output));
}

fn have(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok()
}

#[test]
fn openssl_opens_what_we_seal() {
    if !have("openssl", "version") {
        return missing("openssl");
    }
    let directory = directory("openssl-opens");
    let (input, output) = (directory.join("in"), directory.join("out"));
    for algorithm in ContentEncryption::ALL.into_iter().filter(|of| !of.is_ccm()) {
        for content in [CONTENT, &vec![0x5a; 100_000]] {
            let policy = SealPolicy::new(algorithm).auth_attrs(attributes());
            let mut rng = UnwrapErr(SysRng);
            let sealed = smime_psk::seal(content, &mut kek(), &policy, &mut rng).unwrap();
            fs::write(&input, sealed).unwrap();
            openssl(&["-decrypt", "-inform", "DER", "-binary"], &input, &output);
            assert_eq!(fs::read(&output).unwrap(), content);
        }
    }
}

#[test]
fn we_open_what_openssl_seals_streamed_or_not() {
    if !have("openssl", "version") {
        return missing("openssl");
    }
    let directory = directory("openssl-seals");
    let (input, output) = (directory.join("in"), directory.join("out"));
    for cipher in ["-aes-128-gcm", "-aes-192-gcm", "-aes-256-gcm"] {
        for content in [CONTENT, &vec![0x5a; 100_000]] {
            fs::write(&input, content).unwrap();
            let der = ["-encrypt", "-binary", cipher, "-outform", "DER"];
            openssl(&der, &input, &output);
            let sealed = fs::read(&output).unwrap();
            let policy = OpenPolicy::default();
            let opened = smime_psk::open(&sealed, &mut kek(), &policy).unwrap();
            assert_eq!(opened.content(), content);

            openssl(&[&der[..], &["-stream"]].concat(), &input, &output);
            let streamed = fs::read(&output).unwrap();
            let policy = policy.encoding(Encoding::Ber);
            let opened = smime_psk::open(&streamed, &mut kek(), &policy).unwrap();
            assert_eq!(opened.content(), content);
            let mut out = Vec::new();
            let mut file = fs::File::open(&output).unwrap();
            open_stream(&mut file, &mut out, &mut kek(), &policy).unwrap();
            assert_eq!(out, content);
            assert_eq!(
                streamed[1], 0x80,
                "-stream is expected to make indefinite lengths"
            );
        }
    }
}

#[test]
fn we_open_the_mime_entity_that_openssl_makes() {
    if !have("openssl", "version") {
        return missing("openssl");
    }
    let directory = directory("openssl-mime");
    let (input, output) = (directory.join("in"), directory.join("out"));
    fs::write(&input, CONTENT).unwrap();
    openssl(&["-encrypt", "-binary", "-aes-128-gcm"], &input, &output);
    let entity = fs::read(&output).unwrap();
    let cms = mime::unwrap(&entity).unwrap();
    let policy = OpenPolicy::default().encoding(Encoding::Ber);
    assert_eq!(
        smime_psk::open(&cms, &mut kek(), &policy)
            .unwrap()
            .content(),
        CONTENT
    );

    let sealed = smime_psk::seal(
        CONTENT,
        &mut kek(),
        &SealPolicy::default(),
        &mut UnwrapErr(SysRng),
    );
    let wrapped = mime::wrap(
        &sealed.unwrap(),
        mime::SmimeType::Rfc8551,
        mime::TransferEncoding::Base64,
    );
    fs::write(&input, wrapped.to_entity(None)).unwrap();
    openssl(&["-decrypt"], &input, &output);
    assert_eq!(fs::read(&output).unwrap(), CONTENT);
}

#[test]
fn bouncy_castle_both_ways() {
    let jars = JARS.map(|jar| format!("/usr/share/java/{jar}"));
    if !have("javac", "-version") || !jars.iter().all(|jar| Path::new(jar).exists()) {
        return missing("BouncyCastle or a JDK");
    }
    let directory = directory("bouncy-castle");
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let class_path = [&jars[..], &[path("")]].concat().join(":");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/Peer.java");
    run(Command::new("javac")
        .args(["-cp", &class_path, "-d", &path("")])
        .arg(source));

    let algorithms = [
        (ContentEncryption::Aes128Ccm, "AES128_CCM"),
        (ContentEncryption::Aes256Ccm, "AES256_CCM"),
        (ContentEncryption::Aes128Gcm, "AES128_GCM"),
        (ContentEncryption::Aes256Gcm, "AES256_GCM"),
    ];
    fs::write(path("content"), CONTENT).unwrap();
    let mut lines = Vec::new();
    for (algorithm, name) in algorithms {
        lines.push(format!(
            "seal {name} {} {}",
            path("content"),
            path(&format!("{name}.theirs"))
        ));
        for tag_len in [12, 16] {
            let policy = SealPolicy::new(algorithm)
                .tag_len(tag_len)
                .auth_attrs(attributes());
            let mut rng = UnwrapErr(SysRng);
            let sealed = smime_psk::seal(CONTENT, &mut kek(), &policy, &mut rng).unwrap();
            let ours = path(&format!("{name}.{tag_len}"));
            fs::write(&ours, sealed).unwrap();
            lines.push(format!("open {name} {ours} {ours}.out"));
        }
    }
    run(Command::new("java")
        .args(["-cp", &class_path, "Peer"])
        .args(lines));
    for (algorithm, name) in algorithms {
        let theirs = fs::read(path(&format!("{name}.theirs"))).unwrap();
        let policy = OpenPolicy::default().encoding(Encoding::Ber);
        let opened = smime_psk::open(&theirs, &mut kek(), &policy).unwrap();
        assert_eq!(opened.content(), CONTENT, "{name}");
        assert_eq!(opened.algorithm(), algorithm);
        for tag_len in [12, 16] {
            let out = fs::read(path(&format!("{name}.{tag_len}.out"))).unwrap();
            assert_eq!(out, CONTENT, "{name} with {tag_len}-octet tags");
        }
    }
}
