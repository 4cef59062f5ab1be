/// A session description was refused: which line, and which rule it breaks. Nothing has changed.
///
/// The text of the line is not part of the error: it may hold keys.
///
/// ```
/// use sdp_sec::{Rule, Sdp};
///
/// let error = Sdp::parse(b"v=0\r\ns=a\rb\r\n").err();
/// assert_eq!(error.map(|e| (e.line(), e.rule())), Some((2, Rule::ControlOctet)));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("SDP line {line}: {rule}")]
pub struct SdpError {
    line: usize,
    rule: Rule,
}

impl SdpError {
    /// The line, counted from 1; 0 if the fault is in no single line.
    #[must_use]
    pub const fn line(self) -> usize {
        self.line
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn rule(self) -> Rule {
        self.rule
    }
}

/// A rule about session descriptions that an input breaks; the error of everything that reads one
/// attribute value or line.
///
/// ```
/// use sdp_sec::Rule;
///
/// assert_eq!(Rule::MediaPort.at(7).to_string(), "SDP line 7: the port is no number up to 65535");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rule {
    /// NUL, or CR that does not begin a line end ([RFC 8866 §9]): other readers would see other
    /// lines than we do.
    ///
    /// [RFC 8866 §9]: https://www.rfc-editor.org/rfc/rfc8866#section-9
    #[error("a NUL or a CR stands inside the line")]
    ControlOctet,
    /// An attribute that may stand once in its section stands there again.
    #[error("the attribute stands twice in one section")]
    Duplicate,
    /// An m-line without media, port, protocol and format, each after one space ([RFC 8866 §5.14]).
    ///
    /// [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14
    #[error("the m-line does not have four fields")]
    MediaLine,
    /// The port of an m-line is not a number up to 65535, or is followed by something else than a
    /// slash and a count ([RFC 8866 §5.14]).
    ///
    /// [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14
    #[error("the port is no number up to 65535")]
    MediaPort,
    /// A value that must be there is not.
    #[error("the value is missing")]
    MissingValue,
    /// A value that must be US-ASCII or UTF-8 text is not.
    #[error("the value is not text")]
    NotText,
    /// More lines than the limits allow.
    #[error("too many lines")]
    TooManyLines,
    /// More m-lines than the limits allow.
    #[error("too many m-lines")]
    TooManyMedia,
    /// More octets than the limits allow.
    #[error("too long")]
    TooLong,
}

impl Rule {
    /// The rule as broken by line `line`.
    #[must_use]
    pub const fn at(self, line: usize) -> SdpError {
        SdpError { line, rule: self }
    }
}
