//! How the program ends when it does not succeed.

use std::process::ExitCode;

/// One line for the user, and the exit code.
///
/// The line says where in the input it is and what was expected. It never repeats the input: that
/// may be a key.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    line: String,
}

impl Failure {
    /// Bad usage or input.
    pub(crate) fn input(line: impl Into<String>) -> Self {
        Self {
            code: 2,
            line: line.into(),
        }
    }

    /// The input was sound, but what was asked for could not be done.
    pub(crate) fn failed(line: impl Into<String>) -> Self {
        Self {
            code: 1,
            line: line.into(),
        }
    }

    /// Says in front of the line where this was.
    pub(crate) fn within(self, place: impl core::fmt::Display) -> Self {
        Self {
            line: format!("{place}: {}", self.line),
            ..self
        }
    }

    /// What there is to say.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Prints the line and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("mediasec: {}", self.line);
        ExitCode::from(self.code)
    }
}

/// The parser's own messages repeat what was given; these name the option alone.
impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        use lexopt::Error;
        Self::input(match error {
            Error::MissingValue {
                option: Some(option),
            } => format!("{option} needs a value"),
            Error::MissingValue { option: None } => "a value is missing".to_owned(),
            Error::UnexpectedOption(_) => "unknown option; see --help".to_owned(),
            Error::UnexpectedArgument(_) => "an argument too many; see --help".to_owned(),
            Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
            Error::ParsingFailed { .. } => "a value cannot be read; see --help".to_owned(),
            Error::NonUnicodeValue(_) => "an argument is not UTF-8".to_owned(),
            Error::Custom(error) => error.to_string(),
        })
    }
}
