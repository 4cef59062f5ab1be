use alloc::vec::Vec;

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

use super::{Fingerprint, HashFunction};
use crate::Rule;

/// The hash function in the signature on a certificate, given as its DER; `None` if its algorithm
/// has none of ours, as Ed25519 has not.
///
/// # Errors
///
/// [`Rule::Certificate`] if it is no certificate.
pub fn signature_hash(der: &[u8]) -> Result<Option<HashFunction>, Rule> {
    let certificate = Certificate::from_der(der).map_err(|_| Rule::Certificate)?;
    let algorithm = certificate.signature_algorithm();
    if algorithm.oid == RSASSA_PSS {
        // The parameters begin with the hash; SHA-1 where they are absent (RFC 4055 §3.1).
        let parameters = algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.to_der().ok());
        return Ok(Some(pss_hash(&parameters.unwrap_or_default())));
    }
    Ok(SIGNATURES
        .iter()
        .find(|(oid, _)| *oid == algorithm.oid)
        .map(|(_, hash)| *hash))
}

/// The fingerprints that an endpoint gives of its certificate: SHA-256, and the hash function of the
/// certificate's signature where that is stronger ([RFC 8122 §5.1]).
///
/// Where it is weaker it is left out, as the standard lets local policy do.
///
/// # Errors
///
/// As [`signature_hash`].
///
/// [RFC 8122 §5.1]: https://www.rfc-editor.org/rfc/rfc8122#section-5.1
pub fn certificate_fingerprints(der: &[u8]) -> Result<Vec<Fingerprint>, Rule> {
    let mut hashes = alloc::vec![HashFunction::Sha256];
    hashes.extend(signature_hash(der)?.filter(|hash| *hash > HashFunction::Sha256));
    hashes
        .into_iter()
        .map(|hash| Fingerprint::of_certificate(der, hash))
        .collect()
}

/// The hash in RSASSA-PSS-params, found by its identifier in their DER.
fn pss_hash(parameters: &[u8]) -> HashFunction {
    let named = PSS_HASHES.iter().find(|(oid, _)| {
        let oid = oid.as_bytes();
        parameters.windows(oid.len()).any(|part| part == oid)
    });
    named.map_or(HashFunction::Sha1, |(_, hash)| *hash)
}

const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

const PSS_HASHES: [(ObjectIdentifier, HashFunction); 4] = [
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
        HashFunction::Sha256,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
        HashFunction::Sha384,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        HashFunction::Sha512,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4"),
        HashFunction::Sha224,
    ),
];

/// RFC 3279, 4055, 5758.
const SIGNATURES: [(ObjectIdentifier, HashFunction); 12] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2"),
        HashFunction::Md2,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
        HashFunction::Md5,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
        HashFunction::Sha1,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.14"),
        HashFunction::Sha224,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
        HashFunction::Sha256,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"),
        HashFunction::Sha384,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"),
        HashFunction::Sha512,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
        HashFunction::Sha1,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.1"),
        HashFunction::Sha224,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
        HashFunction::Sha256,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
        HashFunction::Sha384,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
        HashFunction::Sha512,
    ),
];
