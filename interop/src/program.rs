//! What the example programs have in common: help, one line that says what went wrong, exit codes.

use core::fmt::Display;
use std::process::{ExitCode, Termination};

/// Why a program ends without success, in one line.
pub trait Failure: Display {
    /// Whether what the program was given is to blame: it says so by its exit code.
    fn is_bad_input(&self) -> bool;
}

/// Runs the program `name`; `options` are `None` where help was asked for.
///
/// Its exit code is what `run` comes to, 1 if that failed, 2 for bad input.
///
/// ```
/// use interop::{program, users::UsersError};
///
/// let done = program::main("ring", "Rings.\n", Ok(Some(3)), |times| {
///     assert_eq!(*times, 3);
///     Ok::<(), UsersError>(())
/// });
/// assert_eq!(done, std::process::ExitCode::SUCCESS);
/// ```
pub fn main<O, T: Termination, F: Failure>(
    name: &str,
    help: &str,
    options: Result<Option<O>, lexopt::Error>,
    run: impl FnOnce(&O) -> Result<T, F>,
) -> ExitCode {
    let failed = |line: &dyn Display, is_bad_input| {
        eprintln!("{name}: {line}");
        ExitCode::from(if is_bad_input { 2 } else { 1 })
    };
    match options.map(|options| options.as_ref().map(run)) {
        Ok(Some(Ok(done))) => done.report(),
        Ok(Some(Err(failure))) => failed(&failure, failure.is_bad_input()),
        Ok(None) => {
            print!("{help}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&format!("{error} (--help lists the options)"), true),
    }
}
