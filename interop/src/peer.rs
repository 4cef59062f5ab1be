//! Other implementations that tests talk to.

use std::io;

/// A peer cannot be had on this machine.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A program that is needed ended with an error.
    #[error("{program} failed: {output}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What it wrote to its standard error.
        output: String,
    },
    /// A program that is needed cannot be started or talked to.
    #[error("{program}: {error}")]
    Io {
        /// Its name.
        program: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A peer answered what its protocol does not have.
    #[error("{program} answered {answer:?}")]
    Protocol {
        /// Its name.
        program: &'static str,
        /// The answer.
        answer: String,
    },
}

/// The peer, or `None` after a line that says the test was not run.
///
/// # Panics
///
/// If the peer is missing where the environment has `CI=true`: there every test runs.
#[expect(
    clippy::panic,
    reason = "a missing peer fails the test that asks for it"
)]
pub fn or_not_run<T>(test: &str, peer: Result<T, PeerError>) -> Option<T> {
    match peer {
        Ok(peer) => Some(peer),
        Err(error) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
            panic!("{test}: {error}")
        }
        Err(error) => {
            eprintln!("{test}: not run: {error}");
            None
        }
    }
}
