//! libsrtp in a process of its own, so that nothing here is `unsafe`: `peers/libsrtp.c` compiled
//! against the installed library and talked to over its standard input and output.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::peer::PeerError;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/libsrtp.c");
const PROGRAM: &str = "libsrtp";

/// Which way a session works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum Direction {
    /// It opens packets.
    Inbound,
    /// It protects packets.
    Outbound,
}

/// What a session is made with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The SDES name of the profile.
    pub profile: &'a str,
    /// Which way it works.
    pub direction: Direction,
    /// The one stream, or `None` for any.
    pub ssrc: Option<u32>,
    /// Replay window in packets; 0 for libsrtp's default.
    pub window: u32,
    /// Master key and master salt.
    pub key_and_salt: &'a [u8],
    /// MKI; empty for none.
    pub mki: &'a [u8],
}

impl<'a> Policy<'a> {
    /// Any SSRC, default window, no MKI.
    #[must_use]
    pub const fn new(profile: &'a str, direction: Direction, key_and_salt: &'a [u8]) -> Self {
        Self {
            profile,
            direction,
            ssrc: None,
            window: 0,
            key_and_salt,
            mki: &[],
        }
    }
}

/// A packet that libsrtp was given, and what it is asked to do with it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// Protect an RTP packet.
    ProtectRtp(&'a [u8]),
    /// Protect an RTCP packet.
    ProtectRtcp(&'a [u8]),
    /// Open an SRTP packet.
    UnprotectRtp(&'a [u8]),
    /// Open an SRTCP packet.
    UnprotectRtcp(&'a [u8]),
}

/// libsrtp refused a packet: its `srtp_err_status_t`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("libsrtp status {0}")]
pub struct Status(pub u32);

impl Status {
    /// The tag did not match.
    pub const AUTH_FAIL: Self = Self(7);
    /// The index was seen before.
    pub const REPLAY_FAIL: Self = Self(9);
    /// The index is left of the replay window.
    pub const REPLAY_OLD: Self = Self(10);
    /// The MKI in the packet is of no known key.
    pub const BAD_MKI: Self = Self(25);
}

/// Compiles the program into `folder` and gives its path.
///
/// # Errors
///
/// [`PeerError`] without a C compiler, `pkg-config` or the library's development files.
pub fn build(folder: &Path) -> Result<PathBuf, PeerError> {
    let io = |error| PeerError::Io {
        program: PROGRAM,
        error,
    };
    // Put in place when whole: several test processes may build at the same time.
    let unfinished = folder.join(format!("{PROGRAM}-{}", std::process::id()));
    let flags = run(
        "pkg-config",
        Command::new("pkg-config").args(["--cflags", "--libs", "libsrtp2"]),
    )?;
    let mut compile = Command::new("cc");
    compile
        .args(["-Wall", "-Wextra", "-Werror", "-O2", "-o"])
        .arg(&unfinished)
        .arg(SOURCE);
    run("cc", compile.args(flags.split_whitespace()))?;
    let program = folder.join(PROGRAM);
    std::fs::rename(unfinished, &program).map_err(io)?;
    Ok(program)
}

/// A libsrtp session.
#[derive(Debug)]
pub struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Starts `program`, which [`build`] made.
    ///
    /// # Errors
    ///
    /// [`PeerError`] if it cannot be started.
    pub fn start(program: &Path, policy: &Policy<'_>) -> Result<Self, PeerError> {
        let mut command = Command::new(program);
        command.arg(policy.profile);
        command.arg(match policy.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        });
        command.arg(
            policy
                .ssrc
                .map_or_else(|| "any".to_owned(), |ssrc| format!("{ssrc:08x}")),
        );
        command.arg(policy.window.to_string());
        command.arg(base16ct::lower::encode_string(policy.key_and_salt));
        if !policy.mki.is_empty() {
            command.arg(base16ct::lower::encode_string(policy.mki));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| PeerError::Io {
                program: PROGRAM,
                error,
            })?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| protocol("no output"))?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Has libsrtp do `task`: the packet afterwards, or its status.
    ///
    /// # Errors
    ///
    /// [`PeerError`] if the process has ended or answers what it should not.
    pub fn call(&mut self, task: Task<'_>) -> Result<Result<Vec<u8>, Status>, PeerError> {
        let (verb, packet) = match task {
            Task::ProtectRtp(packet) => ("protect-rtp", packet),
            Task::ProtectRtcp(packet) => ("protect-rtcp", packet),
            Task::UnprotectRtp(packet) => ("unprotect-rtp", packet),
            Task::UnprotectRtcp(packet) => ("unprotect-rtcp", packet),
        };
        self.exchange(verb, &base16ct::lower::encode_string(packet))
    }

    /// Sets the ROC of the stream that the policy names.
    ///
    /// # Errors
    ///
    /// [`PeerError`] if the process has ended or answers what it should not.
    pub fn set_roc(&mut self, roc: u32) -> Result<Result<(), Status>, PeerError> {
        Ok(self.exchange("roc", &roc.to_string())?.map(drop))
    }

    fn exchange(
        &mut self,
        verb: &str,
        argument: &str,
    ) -> Result<Result<Vec<u8>, Status>, PeerError> {
        let io = |error| PeerError::Io {
            program: PROGRAM,
            error,
        };
        let input = self.input.as_mut().ok_or_else(|| protocol("no input"))?;
        writeln!(input, "{verb} {argument}").map_err(io)?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).map_err(io)?;
        let line = answer.trim_end_matches('\n');
        if let Some(packet) = line.strip_prefix("ok ") {
            base16ct::lower::decode_vec(packet)
                .map(Ok)
                .map_err(|_| protocol(line))
        } else {
            let status = line
                .strip_prefix("error ")
                .and_then(|status| status.parse().ok());
            status
                .map(|status| Err(Status(status)))
                .ok_or_else(|| protocol(line))
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of its input ends the process; its exit code says nothing more.
        self.input = None;
        let _ = self.child.wait();
    }
}

fn run(program: &'static str, command: &mut Command) -> Result<String, PeerError> {
    let output = command
        .output()
        .map_err(|error| PeerError::Io { program, error })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(PeerError::Failed { program, output })
    }
}

fn protocol(answer: &str) -> PeerError {
    PeerError::Protocol {
        program: PROGRAM,
        answer: answer.to_owned(),
    }
}
