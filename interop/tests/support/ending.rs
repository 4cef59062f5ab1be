//! The end of a program, waited for, but not for ever.

use core::time::Duration;
use std::{
    io::Read,
    process::{Child, Output},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

/// For pipes to close behind a program that has ended.
const GRACE: Duration = Duration::from_secs(5);

/// How `child` ended and what it wrote, its pipes being there to read from.
///
/// After `limit` it is killed, and the test fails with what it wrote until then.
#[track_caller]
pub(crate) fn output(child: &mut Child, limit: Duration) -> Output {
    let pipes = [
        collect(child.stdout.take().unwrap()),
        collect(child.stderr.take().unwrap()),
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
    // A process that it has started and left behind would keep them open.
    let [stdout, stderr] = pipes.map(|pipe| pipe.recv_timeout(GRACE).expect("its pipes close"));
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

/// What comes out of `pipe`, when all of it is there.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut octets = Vec::new();
        pipe.read_to_end(&mut octets).unwrap();
        sender.send(octets)
    });
    receiver
}
