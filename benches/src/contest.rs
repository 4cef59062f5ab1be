//! Ours beside others: each contender works a round in turn, and its fastest round counts, as what
//! else the machine does can only make a round slower.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

/// What one of the contenders does in a round, and how many nanoseconds once of it takes.
pub struct Contender<'a> {
    name: &'static str,
    round: Box<dyn FnMut() -> f64 + 'a>,
    best: f64,
}

impl<'a> Contender<'a> {
    /// One that does `work` in this process, `times` in a round.
    pub fn new(name: &'static str, times: u32, mut work: impl FnMut() + 'a) -> Self {
        Self::timed(name, move || {
            let begin = Instant::now();
            for _ in 0..times {
                work();
            }
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(times)
        })
    }

    /// One that works in a process of its own and times itself; `None` where that could not be
    /// started, which is said.
    ///
    /// # Panics
    ///
    /// It could not be started and `CI` is `true`; or, later, it ends before it is asked to.
    #[must_use]
    pub fn of_process(
        name: &'static str,
        work: &'static str,
        process: Result<Process, String>,
    ) -> Option<Self> {
        match process {
            Ok(mut process) => Some(Self::timed(name, move || process.round(work))),
            Err(error) => {
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci, "{name}: {error}");
                println!("{name}, {work}: not run: {error}");
                None
            }
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Nanoseconds, in the fastest round so far.
    #[must_use]
    pub const fn best(&self) -> f64 {
        self.best
    }

    fn timed(name: &'static str, round: impl FnMut() -> f64 + 'a) -> Self {
        Self {
            name,
            round: Box::new(round),
            best: f64::INFINITY,
        }
    }
}

impl core::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)
    }
}

/// Lets each of `contenders` work `rounds` rounds, in turn.
pub fn play(contenders: &mut [Contender<'_>], rounds: usize) {
    for _ in 0..rounds {
        for contender in &mut *contenders {
            contender.best = contender.best.min((contender.round)());
        }
    }
}

/// Compiles a peer in C against the library `package` of pkg-config, into `folder`.
///
/// # Errors
///
/// What the compiler or pkg-config says.
pub fn compile(source: &Path, package: &str, folder: &Path) -> Result<PathBuf, String> {
    let mut pkg_config = Command::new("pkg-config");
    let flags = run(pkg_config.args(["--cflags", "--libs", package]))?;
    let program = folder.join(source.file_stem().unwrap_or_default());
    let mut cc = Command::new("cc");
    run(cc
        .arg("-O2")
        .arg(source)
        .arg("-o")
        .arg(&program)
        .args(flags.split_whitespace()))?;
    Ok(program)
}

/// Standard output of `command`.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// A peer that answers each line with nanoseconds; it ends when its standard input does.
#[derive(Debug)]
pub struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `program`.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(program: &Path, arguments: &[String]) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { child, answers })
    }

    #[expect(clippy::expect_used, reason = "benchmarks")]
    fn round(&mut self, work: &str) -> f64 {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "{work}").expect("runs");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("answers");
        answer.trim().parse().expect("nanoseconds")
    }
}
