//! Runs the program.

use core::time::Duration;
use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[path = "../support/ending.rs"]
mod ending;

/// Longer than any run takes, by far.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Outcome {
    /// It succeeded; what it wrote.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, &*self.error), (0, ""), "{}", self.out);
        self.out
    }

    /// It failed with `code`, and said why in one line that has `words`.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.error.lines().count(), 1, "{self:?}");
        assert!(self.error.starts_with("mediasec: "), "{self:?}");
        assert!(self.error.contains(words), "{self:?}");
    }
}

/// Runs it with `input` on standard input. However it ends, it ends well.
#[track_caller]
pub(crate) fn run<A: AsRef<OsStr>>(arguments: &[A], input: &[u8]) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mediasec"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It need not read all of it.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = ending::output(&mut child, TIMEOUT);
    writer.join().unwrap();
    let outcome = Outcome {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        error: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    assert!((0..=2).contains(&outcome.code), "{outcome:?}");
    assert!(outcome.error.lines().count() <= 1, "{outcome:?}");
    assert!(!outcome.error.contains("panicked"), "{outcome:?}");
    outcome
}

/// `mediasec explain` of `input`.
#[track_caller]
pub(crate) fn explain(options: &[&str], input: &[u8]) -> Outcome {
    run(&[&["explain"], options].concat(), input)
}

/// A file of this test alone.
pub(crate) fn file(name: &str, octets: &[u8]) -> PathBuf {
    let path = scratch(name);
    fs::write(&path, octets).unwrap();
    path
}

/// Where a file of this test alone may be.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mediasec");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read(root.join(path)).unwrap()
}

/// The first message of `kind` in a run of MIKEY-TICKET, in hexadecimal.
pub(crate) fn ticket_message(kind: &str) -> String {
    let run = repository("mikey-ticket/tests/vectors/run_128_forked.txt");
    let run = String::from_utf8(run).unwrap();
    let (_, behind) = run.split_once(&format!("[{kind}]")).unwrap();
    let line = behind.lines().find(|line| line.starts_with("message"));
    line.unwrap()["message".len()..].trim().to_owned()
}
