use alloc::vec::Vec;

use subtle::Choice;

use super::{Fingerprint, HashFunction, HashPolicy};
use crate::lines::{Media, Section};
use crate::{Rule, SdpError};

/// Most fingerprint lines that one section may have.
pub const MAX_FINGERPRINTS: usize = 16;

/// A certificate is none of those that SDP named: end the connection with the TLS alert
/// `bad_certificate`, relay nothing ([RFC 8122 §5.1, §6.2]).
///
/// ```
/// use sdp_sec::fingerprint::Mismatch;
///
/// assert_eq!(Mismatch.to_string(), "the certificate matches no fingerprint");
/// ```
///
/// [RFC 8122 §5.1, §6.2]: https://www.rfc-editor.org/rfc/rfc8122#section-5.1
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the certificate matches no fingerprint")]
pub struct Mismatch;

/// The fingerprints by which one media line authenticates its peer: those of the strongest hash
/// function that the peer offered and the policy allows ([RFC 8122 §5.1]).
///
/// ```
/// use sdp_sec::fingerprint::{Fingerprint, FingerprintSet, HashFunction, HashPolicy, Mismatch};
/// use sdp_sec::Sdp;
///
/// let fingerprint = Fingerprint::of_certificate(b"DER", HashFunction::Sha256)?;
/// let text = format!("v=0\r\nm=message 9 TCP/TLS/MSRP *\r\na=fingerprint:{fingerprint}\r\n");
/// let sdp = Sdp::parse(text.as_bytes())?;
/// for media in sdp.media() {
///     let peer = FingerprintSet::of(&media, HashPolicy::default())?;
///     assert_eq!(peer.verify(b"DER"), Ok(()));
///     assert_eq!(peer.verify(b"another"), Err(Mismatch));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 8122 §5.1]: https://www.rfc-editor.org/rfc/rfc8122#section-5.1
#[derive(Clone, Debug)]
pub struct FingerprintSet {
    hash: HashFunction,
    fingerprints: Vec<Fingerprint>,
}

impl FingerprintSet {
    /// The set that `fingerprints` make under `policy`; `None` if none of them may be used.
    #[must_use]
    pub fn select(fingerprints: &[Fingerprint], policy: HashPolicy) -> Option<Self> {
        let allowed = fingerprints
            .iter()
            .filter(|found| policy.allows(found.hash()));
        let hash = allowed.map(Fingerprint::hash).max()?;
        let of_hash = fingerprints.iter().filter(|found| found.hash() == hash);
        Some(Self {
            hash,
            fingerprints: of_hash.copied().collect(),
        })
    }

    /// The set of a media section: of its own lines or, if it has none, of the session's
    /// ([RFC 8122 §5]). Lines with an unknown hash function are passed over.
    ///
    /// # Errors
    ///
    /// [`Rule::NoFingerprint`] with the m-line if there is no line; [`Rule::WeakHash`] with the
    /// m-line if no line may be used under `policy`; as [`Fingerprint::parse`] for a malformed line;
    /// [`Rule::TooManyValues`] beyond [`MAX_FINGERPRINTS`].
    ///
    /// [RFC 8122 §5]: https://www.rfc-editor.org/rfc/rfc8122#section-5
    pub fn of(media: &Media<'_>, policy: HashPolicy) -> Result<Self, SdpError> {
        let number = media.lines().next().map_or(0, |line| line.number());
        let (mut found, mut lines) = read(media.section())?;
        if lines == 0 {
            (found, lines) = read(media.session())?;
        }
        if lines == 0 {
            return Err(Rule::NoFingerprint.at(number));
        }
        Self::select(&found, policy).ok_or(Rule::WeakHash.at(number))
    }

    /// The hash function of the set.
    #[must_use]
    pub const fn hash(&self) -> HashFunction {
        self.hash
    }

    /// The fingerprints; at least one.
    #[must_use]
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    /// Checks a certificate that the peer showed, given as its DER, against all of the set in the
    /// same time whichever it matches.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if none is its fingerprint.
    pub fn verify(&self, der: &[u8]) -> Result<(), Mismatch> {
        let shown = Fingerprint::of_certificate(der, self.hash).map_err(|_| Mismatch)?;
        let matches = self
            .fingerprints
            .iter()
            .fold(Choice::from(0), |found, fingerprint| {
                found | fingerprint.ct_eq(&shown)
            });
        if matches.into() {
            Ok(())
        } else {
            Err(Mismatch)
        }
    }
}

/// The fingerprints with a known hash function, and how many lines there are in all.
/// A set has no order: a peer may list its certificates in another, and has changed nothing.
impl PartialEq for FingerprintSet {
    fn eq(&self, other: &Self) -> bool {
        let within = |one: &Self, other: &Self| {
            let mut all = one.fingerprints.iter();
            all.all(|fingerprint| other.fingerprints.contains(fingerprint))
        };
        self.hash == other.hash && within(self, other) && within(other, self)
    }
}

impl Eq for FingerprintSet {}

fn read(section: Section<'_>) -> Result<(Vec<Fingerprint>, usize), SdpError> {
    let (mut found, mut lines) = (Vec::new(), 0_usize);
    for attribute in section.attributes_named(Fingerprint::NAME) {
        lines += 1;
        if lines > MAX_FINGERPRINTS {
            return Err(Rule::TooManyValues.at(attribute.line().number()));
        }
        match attribute.parse(Fingerprint::parse) {
            Ok(fingerprint) => found.push(fingerprint),
            Err(error) if error.rule() == Rule::HashFunction => {}
            Err(error) => return Err(error),
        }
    }
    Ok((found, lines))
}
