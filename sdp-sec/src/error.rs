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
    /// An m-line of the answer is of another media than the offer's ([RFC 3264 §6]).
    ///
    /// [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6
    #[error("the m-line is of another media than the offer's")]
    AnswerMedia,
    /// The port of an m-line of the answer is not what the offer lets it be: a stream that has ended
    /// lives again, or a restarted one has its old port.
    #[error("the port is not what the offer lets it be")]
    AnswerPort,
    /// An m-line of the answer has another protocol than the offer's and is not refused
    /// ([RFC 3264 §6]).
    ///
    /// [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6
    #[error("the m-line has another protocol than the offer's")]
    AnswerProtocol,
    /// What should be base64 with padding is not ([RFC 4648 §4]).
    ///
    /// [RFC 4648 §4]: https://www.rfc-editor.org/rfc/rfc4648#section-4
    #[error("the message is no base64")]
    Base64,
    /// What should be a certificate in DER is none.
    #[error("not a certificate")]
    Certificate,
    /// Attributes of one line contradict each other: it asks for protection to the edge and has key
    /// management end to end, or a UE says what only the network says.
    #[error("attributes of the line contradict each other")]
    Conflicting,
    /// `a=connection` holds another word than `new` or `existing` ([RFC 4145 §5]).
    ///
    /// [RFC 4145 §5]: https://www.rfc-editor.org/rfc/rfc4145#section-5
    #[error("a=connection is neither new nor existing")]
    Connection,
    /// `a=connection` of the answer does not fit that of the offer ([RFC 4145 §5.1]).
    ///
    /// [RFC 4145 §5.1]: https://www.rfc-editor.org/rfc/rfc4145#section-5.1
    #[error("a=connection of the answer does not fit the offer")]
    ConnectionAnswer,
    /// NUL, or CR that does not begin a line end ([RFC 8866 §9]): other readers would see other
    /// lines than we do.
    ///
    /// [RFC 8866 §9]: https://www.rfc-editor.org/rfc/rfc8866#section-9
    #[error("a NUL or a CR stands inside the line")]
    ControlOctet,
    /// An attribute that may stand once in its section stands there again.
    #[error("the attribute stands twice in one section")]
    Duplicate,
    /// A fingerprint is not octets in hexadecimal with colons between ([RFC 8122 §5]).
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    #[error("the fingerprint is not hexadecimal octets with colons between")]
    FingerprintHex,
    /// A fingerprint does not have as many octets as its hash function gives ([RFC 8122 §5]).
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    #[error("the fingerprint does not have the length of its hash")]
    FingerprintLength,
    /// A fingerprint names a hash function that is not registered ([RFC 8122 §8]).
    ///
    /// [RFC 8122 §8]: https://www.rfc-editor.org/rfc/rfc8122#section-8
    #[error("the hash function is not known")]
    HashFunction,
    /// `a=setup:holdconn` where DTLS forbids it ([RFC 8842 §5.1]).
    ///
    /// [RFC 8842 §5.1]: https://www.rfc-editor.org/rfc/rfc8842#section-5.1
    #[error("a=setup:holdconn is not for DTLS")]
    Holdconn,
    /// `a=key-mgmt` is not a protocol identifier, a space and a message ([RFC 4567 §3.1]).
    ///
    /// [RFC 4567 §3.1]: https://www.rfc-editor.org/rfc/rfc4567#section-3.1
    #[error("a=key-mgmt is not a protocol and a message")]
    KeyMgmt,
    /// The answer does not have as many m-lines as the offer ([RFC 3264 §6]).
    ///
    /// [RFC 3264 §6]: https://www.rfc-editor.org/rfc/rfc3264#section-6
    #[error("the answer does not have as many m-lines as the offer")]
    MediaCount,
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
    /// `a=key-mgmt` stands at session level and at media level, and the caller does not take that
    /// (TR 33.829 annex D.3).
    #[error("a=key-mgmt stands at both levels")]
    MixedLevels,
    /// `a=path` holds something else than MSRP URIs with a port ([RFC 4975 §6, §9]).
    ///
    /// [RFC 4975 §6, §9]: https://www.rfc-editor.org/rfc/rfc4975#section-6
    #[error("a=path is not MSRP URIs with a port")]
    MsrpUri,
    /// A line that is protected by TLS or DTLS with certificates has no fingerprint ([RFC 8122 §5]).
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    #[error("the line has no fingerprint")]
    NoFingerprint,
    /// A stream is not protected, and the conference takes protected streams alone
    /// (TR 33.829 §5.3.1.1).
    #[error("the stream is not protected")]
    NotSecured,
    /// A value that must be US-ASCII or UTF-8 text is not.
    #[error("the value is not text")]
    NotText,
    /// Key management is there for a line, and its protection was taken away.
    #[error("key management is there but the protection was taken away")]
    ProtectionStripped,
    /// `a=setup` holds none of its four words ([RFC 4145 §4]).
    ///
    /// [RFC 4145 §4]: https://www.rfc-editor.org/rfc/rfc4145#section-4
    #[error("a=setup is none of active, passive, actpass, holdconn")]
    Setup,
    /// `a=setup` of the answer does not fit that of the offer ([RFC 4145 §4.1]).
    ///
    /// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
    #[error("a=setup of the answer does not fit the offer")]
    SetupAnswer,
    /// A line keyed by a pre-shared key of its own shares its TCP connection with another
    /// (TR 33.829 §8.3.1.2).
    #[error("the line shares its connection with another")]
    SharedConnection,
    /// `a=tls-id` is not 20 to 255 characters of its set ([RFC 8842 §4]).
    ///
    /// [RFC 8842 §4]: https://www.rfc-editor.org/rfc/rfc8842#section-4
    #[error("a=tls-id is not 20 to 255 characters of its set")]
    TlsId,
    /// A value that must be a token is none ([RFC 8866 §9]).
    ///
    /// [RFC 8866 §9]: https://www.rfc-editor.org/rfc/rfc8866#section-9
    #[error("the value is no token")]
    Token,
    /// More octets than the limits allow.
    #[error("too long")]
    TooLong,
    /// One key management message would need more than 255 crypto sessions.
    #[error("more than 255 crypto sessions")]
    TooManyCryptoSessions,
    /// More lines than the limits allow.
    #[error("too many lines")]
    TooManyLines,
    /// More m-lines than the limits allow.
    #[error("too many m-lines")]
    TooManyMedia,
    /// More lines of one kind than the limits allow.
    #[error("too many lines of one attribute")]
    TooManyValues,
    /// A property attribute has a value.
    #[error("the attribute takes no value")]
    UnexpectedValue,
    /// It is not known how many streams an SRTP line has (TR 33.829 annex D.3).
    #[error("it is not known how many streams the line has")]
    UnknownStreams,
    /// No fingerprint uses a hash function that may be used; MD2 and MD5 never may ([RFC 8122 §5]).
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    #[error("no fingerprint uses a hash function that may be used")]
    WeakHash,
}

impl Rule {
    /// The rule as broken by line `line`.
    #[must_use]
    pub const fn at(self, line: usize) -> SdpError {
        SdpError { line, rule: self }
    }
}
