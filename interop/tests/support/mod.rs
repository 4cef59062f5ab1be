//! Programs of this package, run as a person runs them.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "each test uses a part"
)]

use core::time::Duration;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::channel,
    thread,
};

mod ending;

/// Longer than any run takes, by far.
const TIMEOUT: Duration = Duration::from_secs(60);

/// `examples/NAME` beside the folder of the test's own program.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    profile.join("examples").join(file)
}

/// A folder for what one test writes, empty at first.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A run that has ended.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program in `folder` to its end.
#[track_caller]
pub(crate) fn run(name: &str, folder: &Path, arguments: &[&str]) -> Ended {
    run_within(TIMEOUT, name, folder, arguments)
}

/// Runs it, but not for longer than `limit`.
#[track_caller]
pub(crate) fn run_within(limit: Duration, name: &str, folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program(name));
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Output {
        status,
        stdout,
        stderr,
    } = ending::output(&mut command.spawn().unwrap(), limit);
    let text = |octets| String::from_utf8(octets).unwrap();
    Ended {
        status: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

impl Ended {
    pub(crate) fn succeeds(&self) {
        assert_eq!(self.status, Some(0), "{}{}", self.stdout, self.stderr);
    }

    /// Whether a line begins so.
    pub(crate) fn says(&self, line: &str) -> bool {
        self.stdout.lines().any(|l| l.starts_with(line))
    }

    /// One line on standard error that has `reason` in it, and this exit code.
    pub(crate) fn fails(&self, code: i32, reason: &str) {
        assert_eq!(self.status, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.contains(reason), "{}", self.stderr);
    }

    /// Exit code 2, nothing done, and one line that has `reason` in it.
    pub(crate) fn is_bad_input(&self, reason: &str) {
        self.fails(2, reason);
        assert_eq!(self.stdout, "");
    }
}

/// A process that is killed when this is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a process and gives the first line that it prints.
    pub(crate) fn start(command: &mut Command) -> (Self, String) {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let running = Self(child);
        let (sender, first) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            sender.send(line)
        });
        let line = first.recv_timeout(TIMEOUT);
        let line = line.expect("it says something in time");
        assert!(!line.is_empty(), "{command:?} ended");
        (running, line)
    }

    /// Starts a process that says nothing.
    pub(crate) fn quietly(command: &mut Command) -> Self {
        let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(silent.spawn().unwrap())
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node of the KMS on a port that is free, and where it is asked.
pub(crate) fn kms(arguments: &[&str]) -> (Running, String) {
    let mut command = Command::new(program("kms"));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    let (running, line) = Running::start(&mut command);
    let (url, _) = line.split_once(": ").unwrap();
    (running, url.to_owned())
}

/// A new file of TPKs.
pub(crate) fn key_file(folder: &Path) -> String {
    let file = folder.join("keys.toml");
    let file = file.to_str().unwrap().to_owned();
    run("kms", folder, &["--rotate", "--keys", &file]).succeeds();
    file
}
