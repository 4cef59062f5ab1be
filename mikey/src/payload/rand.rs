use bytes::BufMut;

use crate::{DecodeError, EncodeError, code_points::RandRole, octets::Octets8, reader::Reader};

/// RAND payload: the fresh randomness of a crypto session bundle ([RFC 3830 §6.11]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! RAND len      ! RAND                          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::payload::Rand;
///
/// assert_eq!(Rand::new(&[1; 16])?.octets().len(), 16);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.11]: https://www.rfc-editor.org/rfc/rfc3830#section-6.11
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rand<'a> {
    rand: Octets8<'a>,
}

impl<'a> Rand<'a> {
    /// Wraps `rand`, which should have 16 octets or more.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets.
    pub fn new(rand: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            rand: Octets8::new(rand)?,
        })
    }

    /// The randomness.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.rand.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            rand: Octets8::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        self.rand.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.rand.encode(out);
    }
}

/// RANDR payload: randomness, with the role of who chose it ([RFC 6043 §6.8]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !   RAND Role   !  RAND length  !     RAND      ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::RandRole, payload::Randr};
///
/// let randr = Randr::new(RandRole::Responder, &[1; 16])?;
/// assert_eq!(randr.role(), RandRole::Responder);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.8]: https://www.rfc-editor.org/rfc/rfc6043#section-6.8
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Randr<'a> {
    role: RandRole,
    rand: Octets8<'a>,
}

impl<'a> Randr<'a> {
    /// Wraps `rand`, chosen by `role`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets.
    pub fn new(role: RandRole, rand: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            role,
            rand: Octets8::new(rand)?,
        })
    }

    /// Who chose it.
    #[must_use]
    pub const fn role(&self) -> RandRole {
        self.role
    }

    /// The randomness.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.rand.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            role: RandRole::from(reader.u8()?),
            rand: Octets8::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.rand.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.role));
        self.rand.encode(out);
    }
}
