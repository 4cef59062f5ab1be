//! Certificates of the IMS-AGW: one for each stream, signed by itself (TS 23.334 §5.11.2.x.1).

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509NameBuilder};
use sdp_sec::fingerprint::{Fingerprint, HashFunction};

/// As long as a dialogue may last.
const DAYS: u32 = 7;

/// A key of its own and the certificate for it, good for one stream.
///
/// ```
/// use interop::edge::tls::Certificate;
///
/// let (one, other) = (Certificate::generate()?, Certificate::generate()?);
/// assert_ne!(one.fingerprint().octets(), other.fingerprint().octets());
/// # Ok::<(), openssl::error::ErrorStack>(())
/// ```
pub struct Certificate {
    pub(super) x509: X509,
    pub(super) key: PKey<Private>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// A new key on P-256.
    ///
    /// # Errors
    ///
    /// What OpenSSL says.
    pub fn generate() -> Result<Self, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(Nid::COMMONNAME, "IMS-AGW")?;
        let name = name.build();

        let mut x509 = X509::builder()?;
        x509.set_version(2)?;
        x509.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
        x509.set_subject_name(&name)?;
        x509.set_issuer_name(&name)?;
        x509.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
        x509.set_not_after(Asn1Time::days_from_now(DAYS)?.as_ref())?;
        x509.set_pubkey(&key)?;
        x509.sign(&key, MessageDigest::sha256())?;
        let x509 = x509.build();
        let der = x509.to_der()?;
        let fingerprint = Fingerprint::of_certificate(&der, HashFunction::Sha256);
        Ok(Self {
            x509,
            key,
            // SHA-256 is a hash that the crate computes for any input.
            fingerprint: fingerprint.map_err(|_| ErrorStack::get())?,
        })
    }

    /// What SDP says of it.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The certificate and the key in PEM, for a peer's program.
    ///
    /// # Errors
    ///
    /// What OpenSSL says.
    pub fn to_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        Ok([self.key.private_key_to_pem_pkcs8()?, self.x509.to_pem()?].concat())
    }
}

impl core::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Certificate")
    }
}
