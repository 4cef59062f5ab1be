use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
    PublicKeyComponents,
};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents as VerifyingComponents};
use ring::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Identity;
use crate::code_points::{CertType, SType};
use crate::derive::Secret;
use crate::payload::{Cert, CertHash};
use crate::seam::{CredentialError, Credentials};

/// How envelope keys are encrypted, which the standard leaves to the public key in use
/// ([RFC 3830 §4.2.5]).
///
/// [RFC 3830 §4.2.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.5
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Envelope {
    /// RSA PKCS#1 v1.5: mandatory.
    #[default]
    Pkcs1,
    /// RSA OAEP with SHA-1: recommended.
    Oaep,
}

/// [`Credentials`] in software: an RSA key, and public keys of peers that are known beforehand.
///
/// `ring` signs and verifies with SHA-256, `aws-lc-rs` seals and opens envelopes, both in constant
/// time. Keys have 2048 bits at least and signatures SHA-256; a peer that has less is heard by name
/// alone, see [`accept_sha1`](Self::accept_sha1) and [`accept_1024_bits`](Self::accept_1024_bits).
/// Own signatures never have SHA-1. No certificate is read: a peer has the key that was [trusted](Self::trust) for its
/// identity, whatever certificates it sends. Who needs chain validation implements [`Credentials`].
///
/// ```
/// use mikey::crypto::RsaCredentials;
/// use mikey::derive::Secret;
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, public_key};
/// use mikey::payload::CsIdMap;
/// use mikey::{Identity, InMemoryReplayCache, MessageTime, SkewWindow, Timestamp};
///
/// # macro_rules! test_key {
/// #     ($name:literal) => {
/// #         include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa/", $name))
/// #     };
/// # }
/// # let key_of_alice = test_key!("alice.pkcs8.der");
/// # let key_of_bob = test_key!("bob.pkcs8.der");
/// # let modulus_of_alice = test_key!("alice.modulus.bin");
/// # let modulus_of_bob = test_key!("bob.modulus.bin");
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let (alice, bob) = (Identity::uri("sip:alice@example.org")?, Identity::uri("sip:bob@example.org")?);
/// let unusable = |_| ExchangeError::UnknownIdentity;
/// let mut of_alice = RsaCredentials::from_pkcs8(key_of_alice).map_err(unusable)?;
/// of_alice.trust(bob.clone(), modulus_of_bob, &[1, 0, 1]);
/// let mut of_bob = RsaCredentials::from_pkcs8(key_of_bob).map_err(unusable)?;
/// of_bob.trust(alice.clone(), modulus_of_alice, &[1, 0, 1]);
///
/// let now = Timestamp::from_unix(1_800_000_000, 0);
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let (awaiting, message) = public_key::Initiator::new(&of_alice, alice, bob.clone()).request(
///     &Proposal::new(CsIdMap::NONE),
///     vec![tgk],
///     MessageTime::Utc(now),
///     &mut rng,
/// )?;
///
/// let mut cache = InMemoryReplayCache::new(1024, SkewWindow::default());
/// let responder = public_key::Responder::new(&of_bob, bob);
/// let (at_bob, answer) = responder.accept(&message, &mut cache, now)?.establish()?;
/// let at_alice = awaiting.accept(&answer.unwrap_or_default())?;
/// assert_eq!(at_alice.keys()[0].key().expose(), at_bob.keys()[0].key().expose());
/// # Ok::<(), ExchangeError>(())
/// ```
pub struct RsaCredentials {
    signing: KeyPair,
    opening: PrivateDecryptingKey,
    envelope: Envelope,
    pss: bool,
    sha1: bool,
    short: bool,
    /// What an envelope that does not open is taken to hold is made from.
    rejection: Zeroizing<[u8; 32]>,
    certificates: Vec<(CertType, Box<[u8]>)>,
    trusted: BTreeMap<Identity, PublicKey>,
}

struct PublicKey {
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
}

impl RsaCredentials {
    /// Takes a private key of 2048 to 4096 bits as PKCS#8 in DER.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] for anything else.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, RsaKeyError> {
        Ok(Self {
            signing: KeyPair::from_pkcs8(pkcs8).map_err(|_| RsaKeyError)?,
            opening: PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| RsaKeyError)?,
            envelope: Envelope::Pkcs1,
            pss: false,
            sha1: false,
            short: false,
            rejection: Zeroizing::new(
                Sha256::new()
                    .chain_update(b"mikey envelope rejection")
                    .chain_update(pkcs8)
                    .finalize()
                    .into(),
            ),
            certificates: Vec::new(),
            trusted: BTreeMap::new(),
        })
    }

    /// Signs by RSASSA-PSS in place of PKCS#1 v1.5.
    #[must_use]
    pub const fn pss(mut self) -> Self {
        self.pss = true;
        self
    }

    /// Encrypts and decrypts envelope keys this way.
    #[must_use]
    pub const fn envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// Takes PKCS#1 v1.5 signatures with SHA-1 too, the default hash of [RFC 3830 §4.2.1], for peers
    /// that have nothing else.
    ///
    /// # Security
    ///
    /// Collisions of SHA-1 can be made: the signer may sign something else than it sees.
    ///
    /// [RFC 3830 §4.2.1]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.1
    #[must_use]
    pub const fn accept_sha1(mut self) -> Self {
        self.sha1 = true;
        self
    }

    /// Takes PKCS#1 v1.5 signatures of keys of 1024 to 2047 bits too. Envelopes are not sealed for
    /// such keys.
    ///
    /// # Security
    ///
    /// Who can factor the key can pose as its owner; 1024 bits are in reach of a large organisation.
    #[must_use]
    pub const fn accept_1024_bits(mut self) -> Self {
        self.short = true;
        self
    }

    /// Sends a certificate, behind those that were added before.
    #[must_use]
    pub fn certificate(mut self, cert_type: CertType, octets: &[u8]) -> Self {
        self.certificates.push((cert_type, octets.into()));
        self
    }

    /// Trusts that `peer` has the private key to this public one: modulus and exponent in network
    /// order without leading zeros.
    pub fn trust(&mut self, peer: Identity, modulus: &[u8], exponent: &[u8]) {
        self.trusted.insert(
            peer,
            PublicKey {
                modulus: modulus.into(),
                exponent: exponent.into(),
            },
        );
    }

    fn key_of(&self, peer: &Identity) -> Result<&PublicKey, CredentialError> {
        self.trusted.get(peer).ok_or(CredentialError::UnknownPeer)
    }
}

impl Credentials for RsaCredentials {
    fn s_type(&self) -> SType {
        if self.pss {
            SType::RsaPss
        } else {
            SType::RsaPkcs1
        }
    }

    fn signature_len(&self) -> usize {
        self.signing.public().modulus_len()
    }

    fn certificates(&self) -> Vec<Cert<'_>> {
        let certificates = self.certificates.iter();
        certificates
            .filter_map(|(kind, octets)| Cert::new(*kind, octets).ok())
            .collect()
    }

    fn sign(&self, parts: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        let mut signature = alloc::vec![0; self.signature_len()];
        let rng = SystemRandom::new();
        let message = parts.concat();
        if self.pss {
            self.signing
                .sign(&RSA_PSS_SHA256, &rng, &message, &mut signature)
        } else {
            self.signing
                .sign(&RSA_PKCS1_SHA256, &rng, &message, &mut signature)
        }
        .map_err(|_| CredentialError::Unavailable)?;
        Ok(signature)
    }

    fn verify(
        &self,
        claimed: &Identity,
        _certificates: &[Cert<'_>],
        s_type: SType,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), CredentialError> {
        let key = self.key_of(claimed)?;
        let key = VerifyingComponents {
            n: &*key.modulus,
            e: &*key.exponent,
        };
        let message = parts.concat();
        let (sha256, sha1) = if self.short {
            (
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            )
        } else {
            (
                &RSA_PKCS1_2048_8192_SHA256,
                &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            )
        };
        match s_type {
            SType::RsaPkcs1 => {
                let verified = key.verify(sha256, &message, signature);
                if self.sha1 {
                    verified.or_else(|_| key.verify(sha1, &message, signature))
                } else {
                    verified
                }
            }
            SType::RsaPss => key.verify(&RSA_PSS_2048_8192_SHA256, &message, signature),
            _ => return Err(CredentialError::Unsupported),
        }
        .map_err(|_| CredentialError::Invalid)
    }

    fn seal_envelope(
        &self,
        peer: &Identity,
        _certificates: &[Cert<'_>],
        envelope_key: &Secret,
    ) -> Result<Vec<u8>, CredentialError> {
        let key = self.key_of(peer)?;
        let key = PublicKeyComponents {
            n: &*key.modulus,
            e: &*key.exponent,
        };
        let unusable = CredentialError::Unsupported;
        let key: PublicEncryptingKey = key.try_into().map_err(|_| unusable)?;
        let mut out = alloc::vec![0; key.key_size_bytes()];
        match self.envelope {
            Envelope::Pkcs1 => Pkcs1PublicEncryptingKey::new(key)
                .and_then(|key| key.encrypt(envelope_key.expose(), &mut out).map(|_| ())),
            Envelope::Oaep => OaepPublicEncryptingKey::new(key).and_then(|key| {
                let plaintext = envelope_key.expose();
                key.encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, &mut out, None)
                    .map(|_| ())
            }),
        }
        .map_err(|_| unusable)?;
        Ok(out)
    }

    fn open_envelope(
        &self,
        _hash: Option<&CertHash<'_>>,
        envelope: &[u8],
    ) -> Result<Secret, CredentialError> {
        // Made in any case, so that the time does not tell whether it is needed.
        let rejected = Zeroizing::<[u8; 32]>::new(
            Sha256::new()
                .chain_update(*self.rejection)
                .chain_update(envelope)
                .finalize()
                .into(),
        );
        let rejected = Secret::new(&*rejected).map_err(|_| CredentialError::Unavailable)?;
        let mut out = Zeroizing::new(alloc::vec![0; self.opening.key_size_bytes()]);
        let key = self.opening.clone();
        let opened = match self.envelope {
            Envelope::Pkcs1 => Pkcs1PrivateDecryptingKey::new(key)
                .map_err(|_| CredentialError::Unavailable)?
                .decrypt(envelope, &mut out),
            Envelope::Oaep => OaepPrivateDecryptingKey::new(key)
                .map_err(|_| CredentialError::Unavailable)?
                .decrypt(&OAEP_SHA1_MGF1SHA1, envelope, &mut out, None),
        };
        Ok(match opened.map(|opened| Secret::new(opened)) {
            Ok(Ok(envelope_key)) => envelope_key,
            _ => rejected,
        })
    }
}

impl fmt::Debug for RsaCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaCredentials")
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

/// Octets are not a private RSA key that can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a private RSA key of 2048 to 4096 bits as PKCS#8")]
#[non_exhaustive]
pub struct RsaKeyError;
