use crate::keying::KeyingError;
use crate::packet::Malformed;

/// A packet was not protected; it and the sender are unchanged unless a variant says otherwise.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProtectError {
    /// The buffer has no room for what protection adds.
    #[error("the protected packet needs a buffer of {needed} octets")]
    BufferTooSmall {
        /// Octets that the buffer must have.
        needed: usize,
    },
    /// The header extension is of a kind that Cryptex cannot encrypt ([RFC 9335 §5]), is marked as
    /// encrypted already, or has an element that reaches past its end where elements are encrypted.
    ///
    /// [RFC 9335 §5]: https://www.rfc-editor.org/rfc/rfc9335#section-5
    #[error("header extension cannot be encrypted")]
    HeaderExtension,
    /// The CSRC list or the header extension reaches past the end of the packet.
    #[error("CSRC list or header extension reaches past the end of the packet")]
    HeaderOverrun,
    /// No index is left: the ROC or the SRTCP index would wrap. New keys are needed.
    #[error("packet indices are used up; a new master key is needed")]
    IndexExhausted,
    /// A packet with this SSRC and index was protected before, or the index is too old to tell.
    #[error("packet index already used, or older than the window")]
    IndexReused,
    /// The master key has protected as many packets of this stream as its lifetime allows.
    #[error("lifetime of the master key has ended")]
    KeyExpired,
    /// No master key is for this packet index.
    #[error("no master key for this packet index")]
    NoKey,
    /// The sender has as many streams as it may have.
    #[error("more streams than allowed")]
    StreamLimit,
    /// The packet, or what it would become, is longer than 65535 octets.
    #[error("packet longer than 65535 octets")]
    TooLong,
    /// The packet is shorter than its header.
    #[error("packet shorter than its header")]
    TooShort,
    /// The sender is not the one for this SSRC.
    #[error("this sender does not serve the SSRC")]
    UnknownSsrc,
    /// The version field is not 2.
    #[error("not RTP version 2")]
    Version,
}

/// An incoming packet was refused; the receiver is unchanged but for its statistics.
///
/// Drop the packet: what its buffer then holds is unspecified, and never plaintext. Do not tell
/// the sender of the packet which of these it was.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnprotectError {
    /// The packet uses Cryptex, which was not agreed on ([RFC 9335]).
    ///
    /// [RFC 9335]: https://www.rfc-editor.org/rfc/rfc9335
    #[error("header extension is encrypted with Cryptex, which is not enabled")]
    CryptexRefused,
    /// The packet has a header extension or CSRC list in clear where Cryptex is required.
    #[error("header extension or CSRC list is not encrypted with Cryptex")]
    CryptexRequired,
    /// The authentication tag does not match.
    #[error("authentication failed")]
    Forged,
    /// The CSRC list or the header extension reaches past the end of the packet.
    #[error("CSRC list or header extension reaches past the end of the packet")]
    HeaderOverrun,
    /// The master key has opened as many packets of this stream as its lifetime allows.
    #[error("lifetime of the master key has ended")]
    KeyExpired,
    /// No master key is for this packet index.
    #[error("no master key for this packet index")]
    NoKey,
    /// A packet with this SSRC and index was accepted before ([RFC 3711 §3.3.2]).
    ///
    /// [RFC 3711 §3.3.2]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2
    #[error("replayed")]
    Replayed,
    /// The receiver has as many streams as it may have.
    #[error("more streams than allowed")]
    StreamLimit,
    /// The packet is longer than 65535 octets.
    #[error("packet longer than 65535 octets")]
    TooLong,
    /// The index lies left of the replay window, or before the first packet of all.
    #[error("older than the replay window")]
    TooOld,
    /// The packet is shorter than its header, MKI and tag together.
    #[error("packet shorter than its header, MKI and tag")]
    TooShort,
    /// No master key has the MKI of the packet.
    #[error("no master key with this MKI")]
    UnknownMki,
    /// The SSRC is none of those that were named, and others are not allowed.
    #[error("unknown SSRC")]
    UnknownSsrc,
    /// The version field is not 2.
    #[error("not RTP version 2")]
    Version,
}

/// A sender or receiver could not be built or changed; an existing one is as it was.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// The backend cannot key the cipher of the profile.
    #[error("backend cannot key the cipher of the profile")]
    Backend,
    /// Cryptex excludes encrypted header extension elements ([RFC 9335 §5]), and a session that does
    /// not encrypt at all.
    ///
    /// [RFC 9335 §5]: https://www.rfc-editor.org/rfc/rfc9335#section-5
    #[error("Cryptex excludes RFC 6904 header extension encryption and UNENCRYPTED_SRTP")]
    HeaderExtensionModes,
    /// The master key protects packets, or did so before: the same keystream could be used twice, or
    /// old packets be replayed.
    #[error("the master key is in use, or was given up")]
    KeyInUse,
    /// The keys do not fit together.
    #[error(transparent)]
    Keying(#[from] KeyingError),
    /// The last key cannot be removed.
    #[error("the last master key cannot be removed")]
    LastKey,
    /// New keys come with other parameters than the session has; it must be built anew.
    #[error("new keys come with other session parameters")]
    ParametersChanged,
    /// The replay window is smaller than 64 or larger than 32768 packets.
    #[error("replay window is not within 64 to 32768 packets")]
    ReplayWindow,
    /// As many keys were given up as a session remembers, which is
    /// [`MAX_RETIRED_KEYS`](crate::MAX_RETIRED_KEYS); it must be built anew.
    #[error("more master keys given up than a session remembers")]
    RetiredKeys,
    /// The ROC cannot be set back below packets that were already processed.
    #[error("the ROC cannot be set back")]
    RocBehind,
    /// The number of streams would be zero or exceed what was allowed.
    #[error("more streams than allowed, or none at all")]
    StreamLimit,
    /// No master key has this MKI.
    #[error("no master key with this MKI")]
    UnknownMki,
    /// The session has no stream with this SSRC.
    #[error("unknown SSRC")]
    UnknownSsrc,
    /// The keys come with no encryption or no authentication, which
    /// [`Builder::allow_unprotected`](crate::Builder::allow_unprotected) must permit.
    #[error("packets without encryption or authentication were not permitted")]
    Unprotected,
}

impl From<Malformed> for ProtectError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::HeaderOverrun => Self::HeaderOverrun,
            Malformed::TooLong => Self::TooLong,
            Malformed::TooShort => Self::TooShort,
            Malformed::Version => Self::Version,
        }
    }
}

impl From<Malformed> for UnprotectError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::HeaderOverrun => Self::HeaderOverrun,
            Malformed::TooLong => Self::TooLong,
            Malformed::TooShort => Self::TooShort,
            Malformed::Version => Self::Version,
        }
    }
}
