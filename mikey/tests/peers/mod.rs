//! Running a peer under a time limit.

use core::time::Duration;
use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

/// Whether `program` can be run with `args`.
///
/// In CI a missing peer is a failure; elsewhere it is said, and the test has nothing to do.
pub(crate) fn installed(program: &str, args: &[&str]) -> bool {
    let found = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{program} {args:?} is not installed"
        );
        eprintln!("not run: {program} {args:?} is not installed");
    }
    found
}

/// What `program` prints when it is given `input`. It is stopped, and the test fails, if it takes
/// more than half a minute: peers are known to loop for ever on messages that they do not know.
pub(crate) fn run(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let input = input.to_owned();
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let reader = thread::spawn(move || {
        let mut output = String::new();
        stdout.read_to_string(&mut output).map(|_| output)
    });
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{program}: {status}");
            break;
        }
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{program} did not answer");
        }
        thread::sleep(Duration::from_millis(10));
    }
    writer.join().unwrap().unwrap();
    reader.join().unwrap().unwrap()
}

/// Octets in hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}
