use alloc::boxed::Box;

use super::KeyingError;

/// Octets of the longest MKI ([RFC 4568 §6.1]).
///
/// [RFC 4568 §6.1]: https://www.rfc-editor.org/rfc/rfc4568#section-6.1
pub const MAX_MKI_LEN: usize = 128;

/// A Master Key Identifier: the octets in each packet that name its master key ([RFC 3711 §3.1]).
///
/// ```
/// use srtp::keying::Mki;
///
/// let mki = Mki::new(&[0, 0, 0x04, 0x2a])?;
/// assert_eq!(mki.as_octets(), [0, 0, 0x04, 0x2a]);
/// # Ok::<(), srtp::keying::KeyingError>(())
/// ```
///
/// [RFC 3711 §3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.1
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Mki(Box<[u8]>);

impl Mki {
    /// Takes 1 to [`MAX_MKI_LEN`] octets, as they stand in the packet.
    ///
    /// # Errors
    ///
    /// [`KeyingError::Mki`] for any other length.
    pub fn new(octets: &[u8]) -> Result<Self, KeyingError> {
        if octets.is_empty() || octets.len() > MAX_MKI_LEN {
            return Err(KeyingError::Mki);
        }
        Ok(Self(octets.into()))
    }

    /// The octets, as they stand in the packet.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}
