use bytes::BufMut;

use crate::{
    DecodeError, EncodeError,
    code_points::{IdRole, IdType},
    octets::Octets16,
    reader::Reader,
};

/// ID payload: an identity ([RFC 3830 §6.7]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  Next Payload !   ID Type     !            ID len             !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                            ID Data                            ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::IdType, payload::Id};
///
/// let alice = Id::new(IdType::Uri, b"sip:alice@example.com")?;
/// assert_eq!(alice.data(), b"sip:alice@example.com");
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.7]: https://www.rfc-editor.org/rfc/rfc3830#section-6.7
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id<'a> {
    id_type: IdType,
    data: Octets16<'a>,
}

impl<'a> Id<'a> {
    /// The identity `data`, of type `id_type`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(id_type: IdType, data: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            id_type,
            data: Octets16::new(data)?,
        })
    }

    /// The type.
    #[must_use]
    pub const fn id_type(&self) -> IdType {
        self.id_type
    }

    /// The identity, which is what a MAC covers where identities are added to a message.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data.get()
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            id_type: IdType::from(reader.u8()?),
            data: Octets16::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.id_type));
        self.data.encode(out);
    }
}

/// IDR payload: an identity, with the role of whose it is ([RFC 6043 §6.6]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next Payload  !    ID Role    !    ID Type    !    ID len
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     ID len      !                    ID Data                    ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::{IdRole, IdType}, payload::{Id, Idr}};
///
/// let kms = Idr::new(IdRole::Kms, Id::new(IdType::Uri, b"kms.example.com")?);
/// assert_eq!((kms.role(), kms.id().data()), (IdRole::Kms, &b"kms.example.com"[..]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.6]: https://www.rfc-editor.org/rfc/rfc6043#section-6.6
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Idr<'a> {
    role: IdRole,
    id: Id<'a>,
}

impl<'a> Idr<'a> {
    /// `id` in the role `role`.
    #[must_use]
    pub const fn new(role: IdRole, id: Id<'a>) -> Self {
        Self { role, id }
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> IdRole {
        self.role
    }

    /// The identity.
    #[must_use]
    pub const fn id(&self) -> Id<'a> {
        self.id
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            role: IdRole::from(reader.u8()?),
            id: Id::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.id.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.role));
        self.id.encode(out);
    }
}
