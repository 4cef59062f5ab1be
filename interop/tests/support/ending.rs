//! The end of a program, waited for, but not for ever.

use core::time::Duration;
use std::{
    io::Read,
    process::{Child, Output},
    sync::mpsc::{Receiver, SendError, channel},
    thread,
    time::Instant,
};

/// For pipes to close behind a program that has ended: one that it has started may hold them open.
const GRACE: Duration = Duration::from_secs(5);

/// How `child` ended and what it wrote, its pipes being there to read from.
///
/// After `limit` it is killed, and the test fails with what it wrote until then.
#[track_caller]
pub(crate) fn output(child: &mut Child, limit: Duration) -> Output {
    let pieces = [
        pieces(child.stdout.take().unwrap()),
        pieces(child.stderr.take().unwrap()),
    ];
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            None if begin.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
            status => break status,
        }
    };
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [stdout, stderr] = pieces.each_ref().map(joined);
    let text = String::from_utf8_lossy;
    assert!(
        status.is_some(),
        "killed after {limit:?}, in which it wrote:\n{}{}",
        text(&stdout),
        text(&stderr)
    );
    Output {
        status: status.unwrap(),
        stdout,
        stderr,
    }
}

/// What comes out of `pipe`, as it comes.
fn pieces(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(len @ 1..) = pipe.read(&mut piece) {
            sender.send(piece.iter().take(len).copied().collect())?;
        }
        Ok::<(), SendError<Vec<u8>>>(())
    });
    receiver
}

/// All that is there in time.
fn joined(pieces: &Receiver<Vec<u8>>) -> Vec<u8> {
    let end = Instant::now() + GRACE;
    let left = || end.saturating_duration_since(Instant::now());
    core::iter::from_fn(|| pieces.recv_timeout(left()).ok())
        .flatten()
        .collect()
}
