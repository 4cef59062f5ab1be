use core::fmt;

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::Rule;

/// A hash function of the registry "Hash Function Textual Names" ([RFC 8122 §8]), weakest first.
///
/// ```
/// use sdp_sec::fingerprint::HashFunction;
///
/// assert_eq!(HashFunction::from_name("SHA-256"), Some(HashFunction::Sha256));
/// assert!(HashFunction::Sha512 > HashFunction::Sha256);
/// assert_eq!(HashFunction::Sha384.len(), 48);
/// ```
///
/// [RFC 8122 §8]: https://www.rfc-editor.org/rfc/rfc8122#section-8
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HashFunction {
    /// MD2: recognised, never used.
    Md2,
    /// MD5: recognised, never used.
    Md5,
    /// SHA-1: used under [`HashPolicy::sha1`] alone.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, the preferred one.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashFunction {
    /// Every function, weakest first.
    pub const ALL: [Self; 7] = [
        Self::Md2,
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The function of that name, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|hash| hash.as_str().eq_ignore_ascii_case(name))
    }

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md2 => "md2",
            Self::Md5 => "md5",
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Octets of its hash.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no hash is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md2 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Writes the hash of `input` to the front of `out`.
    pub(super) fn digest(self, input: &[u8], out: &mut [u8]) -> Result<(), Rule> {
        fn hash<D: Digest>(input: &[u8], out: &mut [u8]) {
            for (octet, hashed) in out.iter_mut().zip(D::digest(input)) {
                *octet = hashed;
            }
        }
        match self {
            Self::Md2 | Self::Md5 => return Err(Rule::WeakHash),
            Self::Sha1 => hash::<sha1::Sha1>(input, out),
            Self::Sha224 => hash::<Sha224>(input, out),
            Self::Sha256 => hash::<Sha256>(input, out),
            Self::Sha384 => hash::<Sha384>(input, out),
            Self::Sha512 => hash::<Sha512>(input, out),
        }
        Ok(())
    }
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which hash functions a peer's fingerprint may use. SHA-224 and stronger always; MD2 and MD5
/// never.
///
/// ```
/// use sdp_sec::fingerprint::{HashFunction, HashPolicy};
///
/// assert!(!HashPolicy::default().allows(HashFunction::Sha1));
/// assert!(HashPolicy::WITH_SHA1.allows(HashFunction::Sha1));
/// assert!(!HashPolicy::WITH_SHA1.allows(HashFunction::Md5));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HashPolicy {
    /// SHA-1 is accepted where the peer offers nothing stronger, as RCS 5 peers do. It resists
    /// second preimages but not collisions: a peer can have two certificates with one fingerprint.
    pub sha1: bool,
}

impl HashPolicy {
    /// SHA-1 where there is nothing stronger.
    pub const WITH_SHA1: Self = Self { sha1: true };

    /// Whether a fingerprint by `hash` may authenticate a certificate.
    #[must_use]
    pub const fn allows(self, hash: HashFunction) -> bool {
        match hash {
            HashFunction::Md2 | HashFunction::Md5 => false,
            HashFunction::Sha1 => self.sha1,
            _ => true,
        }
    }
}
