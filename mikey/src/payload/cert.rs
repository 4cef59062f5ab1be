use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError,
    code_points::{CertType, HashFunc},
    octets::Octets16,
    reader::Reader,
};

/// CERT payload: a certificate, or where to get it ([RFC 3830 §6.7]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload !   Cert Type   !           Cert len            !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                       Certificate Data                        ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::CertType, payload::Cert};
///
/// let cert = Cert::new(CertType::X509Url, b"http://ca.example.com/alice.cer")?;
/// assert_eq!(cert.cert_type(), CertType::X509Url);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.7]: https://www.rfc-editor.org/rfc/rfc3830#section-6.7
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cert<'a> {
    cert_type: CertType,
    data: Octets16<'a>,
}

impl<'a> Cert<'a> {
    /// Wraps `data`: DER, or a URL in ASCII.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(cert_type: CertType, data: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            cert_type,
            data: Octets16::new(data)?,
        })
    }

    /// The type.
    #[must_use]
    pub const fn cert_type(&self) -> CertType {
        self.cert_type
    }

    /// DER, or a URL in ASCII; neither is looked into.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            cert_type: CertType::from(reader.u8()?),
            data: Octets16::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.cert_type));
        self.data.encode(out);
    }
}

/// CHASH payload: the hash of the certificate that was used ([RFC 3830 §6.8]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  ! Hash func     ! Hash                          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::HashFunc, payload::CertHash};
///
/// let hash = CertHash::new(HashFunc::Sha256, &[0x5a; 32])?;
/// assert_eq!(hash.hash_func().name(), "SHA-256");
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.8]: https://www.rfc-editor.org/rfc/rfc3830#section-6.8
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertHash<'a> {
    hash_func: HashFunc,
    hash: &'a [u8],
}

impl<'a> CertHash<'a> {
    /// Wraps `hash`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a function without a name here, [`EncodeError::WrongLength`] if
    /// `hash` is not of the length that it makes.
    pub fn new(hash_func: HashFunc, hash: &'a [u8]) -> Result<Self, EncodeError> {
        match hash_func.hash_len() {
            None => Err(EncodeError::Value(hash_func.into())),
            Some(len) if len != hash.len() => Err(EncodeError::WrongLength),
            Some(_) => Ok(Self { hash_func, hash }),
        }
    }

    /// The hash function.
    #[must_use]
    pub const fn hash_func(&self) -> HashFunc {
        self.hash_func
    }

    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> &'a [u8] {
        self.hash
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let before = *reader;
        let hash_func = HashFunc::from(reader.u8()?);
        let len = hash_func
            .hash_len()
            .ok_or_else(|| before.error(DecodeErrorKind::UnknownValue(hash_func.into())))?;
        Ok(Self {
            hash_func,
            hash: reader.take(len)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.hash.len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.hash_func));
        out.put_slice(self.hash);
    }
}
