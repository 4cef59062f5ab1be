use crate::lines::EditError;
use crate::{SdpError, mediasec};

/// An offer or answer was refused as a whole. The dialogue is as it was, and nothing is to be sent
/// on: answer 488, or end the dialogue.
///
/// ```
/// use sdp_sec::edge::EdgeError;
///
/// let error = EdgeError::Frozen { media: 0 };
/// assert_eq!(error.to_string(), "m-line 0: the keys of an established stream do not change");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EdgeError {
    /// The IMS-AGW's fingerprint for this m-line was not given.
    #[error("m-line {media}: no fingerprint from the IMS-AGW")]
    Certificate {
        /// The m-line, counted from 0.
        media: usize,
    },
    /// The description could not be written anew.
    #[error("{0}")]
    Edit(#[from] EditError),
    /// Local or Remote cryptographic SDES attribute of an established stream would change
    /// (TS 23.334 §5.11.2.1) where [`Rekey`](super::Rekey) does not allow it, or in a way that is
    /// not valid at all.
    #[error("m-line {media}: the keys of an established stream do not change")]
    Frozen {
        /// The m-line, counted from 0.
        media: usize,
    },
    /// Another branch of a forked offer has answered, under the keys that the first branch has taken:
    /// sending to both under one key would repeat its key stream. Offer that branch anew, by
    /// [`Dialogue::terminating`](super::Dialogue::terminating) from the dialogue the offer came of,
    /// which gives it keys of its own ([RFC 4568 §7.3]).
    ///
    /// [RFC 4568 §7.3]: https://www.rfc-editor.org/rfc/rfc4568#section-7.3
    #[error("m-line {media}: another branch has the keys that were offered")]
    Forked {
        /// The m-line, counted from 0.
        media: usize,
    },
    /// An answer has other m-lines than its offer, or an offer fewer than the one before
    /// ([RFC 3264 §6, §8]).
    ///
    /// [RFC 3264 §6, §8]: https://www.rfc-editor.org/rfc/rfc3264#section-6
    #[error("the number of m-lines does not fit")]
    MediaCount,
    /// Own keys could not be made: the random number generator is broken, or the policy's
    /// parameters do not fit its crypto-suites.
    #[error("{0}")]
    OwnKeys(sdes::OfferError),
    /// The description cannot be read.
    #[error("{0}")]
    Sdp(#[from] SdpError),
}

/// Why the edge refuses one stream: port 0, in both directions, and never plain media.
///
/// ```
/// use sdp_sec::edge::Refusal;
///
/// let refusal = Refusal::ProtocolMismatch;
/// assert_eq!(refusal.to_string(), "the answer has another protocol than the offer");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No `a=crypto` line can be accepted, or the answer's does not belong to the offer
    /// ([RFC 4568 §7.1.2, §5.1.3]). With [`KeyReused`](sdes::Refused::KeyReused), a key of the line
    /// stands or stood on another line of the dialogue, or on the other side of this.
    ///
    /// [RFC 4568 §7.1.2, §5.1.3]: https://www.rfc-editor.org/rfc/rfc4568#section-7.1.2
    #[error("{0}")]
    Crypto(sdes::Refused),
    /// The UE's certificate changed although the connection stays ([RFC 4145 §5.1]).
    ///
    /// [RFC 4145 §5.1]: https://www.rfc-editor.org/rfc/rfc4145#section-5.1
    #[error("the fingerprint changed under an existing connection")]
    FingerprintChanged,
    /// An existing connection is to be used, and there is none.
    #[error("there is no existing connection")]
    NoConnection,
    /// The answer's protocol is not the offered one ([RFC 3264 §6.1]).
    ///
    /// [RFC 3264 §6.1]: https://www.rfc-editor.org/rfc/rfc3264#section-6.1
    #[error("the answer has another protocol than the offer")]
    ProtocolMismatch,
    /// What UE and network announced at registration, or the signalling between them, does not
    /// allow it.
    #[error("{0}")]
    Registration(mediasec::Refusal),
    /// A line breaks a rule: it cannot be read, stands twice, is missing, contradicts another, or
    /// does not go with the offer's.
    #[error("{0}")]
    Sdp(#[from] SdpError),
}
