//! `edge_gateway` as a test runs it: a folder for its dialogue, and what it said in the end.

#![allow(dead_code, reason = "each test program uses what it needs")]

use core::time::Duration;
use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Instant,
};

use interop::edge::Remote;

#[path = "../support/ending.rs"]
mod ending;

/// Longer than any step of these tests takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// A run that goes on.
pub(crate) struct Running {
    folder: PathBuf,
    child: Child,
}

/// A run that has ended.
pub(crate) struct Ended {
    pub(crate) folder: PathBuf,
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder of this test's own, empty.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("edge_gateway")
        .join(format!("{}-{test}", env!("CARGO_CRATE_NAME")));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    start(&std::env::temp_dir(), arguments).ended()
}

/// Starts it.
pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Running {
    start_program(&program(), folder, arguments)
}

/// Starts a copy of it.
pub(crate) fn start_program(program: &Path, folder: &Path, arguments: &[&str]) -> Running {
    let child = Command::new(program)
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running {
        folder: folder.to_owned(),
        child,
    }
}

/// Puts a message into the folder, whole or not at all.
pub(crate) fn put(folder: &Path, name: &str, message: &str) {
    let part = folder.join("part");
    fs::write(&part, message).unwrap();
    fs::rename(part, folder.join(name)).unwrap();
}

impl Running {
    /// A message of the gateway, once it is there.
    pub(crate) fn message(&self, name: &str) -> String {
        let path = self.folder.join(name);
        let begin = Instant::now();
        while !path.exists() {
            assert!(begin.elapsed() < TIMEOUT, "no {name}");
            thread::sleep(Duration::from_millis(5));
        }
        fs::read_to_string(path).unwrap()
    }

    pub(crate) fn put(&self, name: &str, message: &str) {
        put(&self.folder, name, message);
    }

    /// Where the gateway receives the streams that this message of it describes.
    pub(crate) fn receives(&self, name: &str) -> Vec<Option<Remote>> {
        Remote::read(description(&self.message(name)).as_bytes()).unwrap()
    }

    /// Ends the dialogue.
    pub(crate) fn bye(self) -> Ended {
        self.put("5_bye.sip", "BYE sip:ue@example.com SIP/2.0\r\n");
        self.ended()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let Output {
            status,
            stdout,
            stderr,
        } = ending::output(&mut self.child, TIMEOUT);
        let text = |octets| String::from_utf8(octets).unwrap();
        Ended {
            folder: self.folder.clone(),
            status: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    pub(crate) fn succeeds(&self) {
        assert_eq!(self.status, Some(0), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr, "");
    }

    /// This exit code, and one line that has `reason` in it.
    pub(crate) fn fails(&self, status: i32, reason: &str) {
        assert_eq!(self.status, Some(status), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.contains(reason), "{}", self.stderr);
    }

    pub(crate) fn says(&self, text: &str) {
        assert!(self.stdout.contains(text), "no {text:?} in {}", self.stdout);
    }

    /// The first number of the line that begins with `name`.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let line = self.stdout.lines().find(|line| line.starts_with(name));
        let rest = line.unwrap().trim_start_matches(name);
        let digits: String = rest
            .trim()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap()
    }
}

/// The description of a message, without its headers.
pub(crate) fn description(message: &str) -> &str {
    &message[message.find("v=0").unwrap()..]
}

/// A description whose addresses are on loopback.
pub(crate) fn sdp(media: &str) -> String {
    let head = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n";
    (head.to_owned() + media).replace('\n', "\r\n")
}

/// A socket that waits for a datagram, but not for ever.
pub(crate) fn udp() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// The next datagram.
pub(crate) fn datagram(socket: &UdpSocket) -> Vec<u8> {
    let mut octets = vec![0; 4096];
    let len = socket.recv(&mut octets).expect("a datagram in time");
    octets.truncate(len);
    octets
}

/// Whether nothing comes for a while.
pub(crate) fn hears_nothing(socket: &UdpSocket) -> bool {
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let nothing = socket.recv(&mut [0; 4096]).is_err();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    nothing
}

/// `examples/edge_gateway` beside the folder of this test's own program.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join("edge_gateway")
}
