use alloc::vec::Vec;

use bytes::BufMut;

use super::{Payload, SdpIds};
use crate::{
    Chain, DecodeError, EncodeError,
    chain::Context,
    code_points::{
        GeneralExtensionType, KeyIdType, OmaBcastSubtype, PayloadType, ThreeGppCodePoints,
    },
    error::Place,
    octets::{Octets8, Octets16},
    reader::Reader,
    sequence::{Element, Sequence},
};

/// General Extension payload: what MIKEY itself has no payload for ([RFC 3830 §6.15]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Next payload  ! Type          ! Length                        !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! Data                                                          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// It is covered by the MAC or signature of its message, wherever it stands.
///
/// ```
/// use mikey::{
///     code_points::{GeneralExtensionType, ThreeGppCodePoints},
///     payload::{Extension, GeneralExtension},
/// };
///
/// let ext = GeneralExtension::new(GeneralExtensionType::CsbId, &[0, 0, 0, 7])?;
/// let code_points = ThreeGppCodePoints::default();
/// assert_eq!(ext.value(&code_points), Ok(Extension::CsbId(7)));
///
/// let mac = GeneralExtension::new(code_points.proof_of_origin, &[0x5a; 16])?;
/// assert_eq!(mac.value(&code_points), Ok(Extension::ProofOfOrigin(&[0x5a; 16])));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.15]: https://www.rfc-editor.org/rfc/rfc3830#section-6.15
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GeneralExtension<'a> {
    extension_type: GeneralExtensionType,
    data: Octets16<'a>,
}

impl<'a> GeneralExtension<'a> {
    /// The extension `extension_type` with `data`, which [`Extension::to_vec`] makes of a value.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65535 octets.
    pub fn new(extension_type: GeneralExtensionType, data: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            extension_type,
            data: Octets16::new(data)?,
        })
    }

    /// The type.
    #[must_use]
    pub const fn extension_type(&self) -> GeneralExtensionType {
        self.extension_type
    }

    /// The data.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data.get()
    }

    /// What the data says.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the data is not what the type says. Offsets count from its start.
    pub fn value(&self, code_points: &ThreeGppCodePoints) -> Result<Extension<'a>, DecodeError> {
        use GeneralExtensionType as Type;
        let data = self.data();
        let mut reader = Reader::new(data, Place::Extension(self.extension_type));
        match self.extension_type {
            Type::VendorId => Ok(Extension::VendorId(data)),
            Type::SdpIds => SdpIds::parse(&reader).map(Extension::SdpIds),
            Type::TeslaIKey => Ok(Extension::TeslaIKey(data)),
            Type::KeyId => Sequence::parse_all(reader).map(|ids| Extension::KeyIds(KeyIds { ids })),
            Type::CsbId => {
                let csb_id = reader.u32()?;
                reader.finish()?;
                Ok(Extension::CsbId(csb_id))
            }
            Type::OmaBcast => {
                let subtype = OmaBcastSubtype::from(reader.u8()?);
                Ok(Extension::OmaBcast {
                    subtype,
                    data: reader.rest(),
                })
            }
            Type::SakkeToSelf => Ok(Extension::SakkeToSelf(data)),
            Type::ThreeGppKeyParameters => Ok(Extension::ThreeGppKeyParameters(data)),
            other if other == code_points.conf => {
                reader.enter(Place::Conf);
                let first = if data.is_empty() {
                    PayloadType::Last
                } else {
                    PayloadType::Id
                };
                Chain::parse_whole(reader, first, Context::Conference)
                    .map(|ids| Extension::Conf(Participants { ids }))
            }
            other if other == code_points.proof_of_origin => Ok(Extension::ProofOfOrigin(data)),
            extension_type => Ok(Extension::Unknown {
                extension_type,
                data,
            }),
        }
    }

    #[inline]
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            extension_type: GeneralExtensionType::from(reader.u8()?),
            data: Octets16::parse(reader)?,
        })
    }

    pub(super) const fn encoded_len(&self) -> usize {
        1 + self.data.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.extension_type));
        self.data.encode(out);
    }
}

/// What a General Extension payload says.
///
/// ```
/// use mikey::{
///     code_points::{IdType, ThreeGppCodePoints},
///     payload::{Extension, GeneralExtension, Id, Participants, Payload},
/// };
///
/// // Who may join the conference.
/// let ids = [
///     Payload::Id(Id::new(IdType::Uri, b"sip:alice@example.com")?),
///     Payload::Id(Id::new(IdType::Uri, b"sip:bob@example.com")?),
/// ];
/// let conf = Extension::Conf(Participants::new(&ids)?);
///
/// let code_points = ThreeGppCodePoints::default();
/// let data = conf.to_vec();
/// let ext = GeneralExtension::new(conf.extension_type(&code_points), &data)?;
/// assert_eq!(ext.value(&code_points), Ok(conf));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extension<'a> {
    /// 3GPP IMS CONF (TR 33.829 §C.1).
    Conf(Participants<'a>),
    /// CSB_ID: the bundle of a group, which the Responder names ([RFC 4738 §3.2]).
    ///
    /// [RFC 4738 §3.2]: https://www.rfc-editor.org/rfc/rfc4738#section-3.2
    CsbId(u32),
    /// Key ID ([RFC 4563 §4]).
    ///
    /// [RFC 4563 §4]: https://www.rfc-editor.org/rfc/rfc4563#section-4
    KeyIds(KeyIds<'a>),
    /// OMA BCAST ([RFC 5410]).
    ///
    /// [RFC 5410]: https://www.rfc-editor.org/rfc/rfc5410
    OmaBcast {
        /// What the data is.
        subtype: OmaBcastSubtype,
        /// The data, as OMA defines it.
        data: &'a [u8],
    },
    /// 3GPP IMS MSG PROOF-OF-ORIGIN: what the Initiator vouches for, such as the MAC of a message
    /// (TR 33.829 §F.1).
    ProofOfOrigin(&'a [u8]),
    /// SAKKE-to-self, as TS 33.180 defines it.
    SakkeToSelf(&'a [u8]),
    /// SDP IDs: the key management protocols that were offered ([RFC 4567 §7]).
    ///
    /// [RFC 4567 §7]: https://www.rfc-editor.org/rfc/rfc4567#section-7
    SdpIds(SdpIds<'a>),
    /// TESLA I-Key: the first key of a chain ([RFC 4442 §4.2]).
    ///
    /// [RFC 4442 §4.2]: https://www.rfc-editor.org/rfc/rfc4442#section-4.2
    TeslaIKey(&'a [u8]),
    /// 3GPP key parameters, as TS 33.180 defines them; encrypted or not.
    ThreeGppKeyParameters(&'a [u8]),
    /// A type without a name here.
    Unknown {
        /// The type.
        extension_type: GeneralExtensionType,
        /// The data.
        data: &'a [u8],
    },
    /// Vendor ID: octets of a vendor's own.
    VendorId(&'a [u8]),
}

impl Extension<'_> {
    /// The type of the payload.
    #[must_use]
    pub const fn extension_type(&self, code_points: &ThreeGppCodePoints) -> GeneralExtensionType {
        use GeneralExtensionType as Type;
        match self {
            Self::Conf(_) => code_points.conf,
            Self::CsbId(_) => Type::CsbId,
            Self::KeyIds(_) => Type::KeyId,
            Self::OmaBcast { .. } => Type::OmaBcast,
            Self::ProofOfOrigin(_) => code_points.proof_of_origin,
            Self::SakkeToSelf(_) => Type::SakkeToSelf,
            Self::SdpIds(_) => Type::SdpIds,
            Self::TeslaIKey(_) => Type::TeslaIKey,
            Self::ThreeGppKeyParameters(_) => Type::ThreeGppKeyParameters,
            Self::Unknown { extension_type, .. } => *extension_type,
            Self::VendorId(_) => Type::VendorId,
        }
    }

    /// The data of the payload, for [`GeneralExtension::new`].
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Conf(participants) => participants.ids.encode(&mut out),
            Self::CsbId(csb_id) => out.put_u32(*csb_id),
            Self::KeyIds(ids) => ids.ids.encode(&mut out),
            Self::OmaBcast { subtype, data } => {
                out.put_u8(u8::from(*subtype));
                out.put_slice(data);
            }
            Self::SdpIds(ids) => out.put_slice(ids.as_str().as_bytes()),
            Self::ProofOfOrigin(data)
            | Self::SakkeToSelf(data)
            | Self::TeslaIKey(data)
            | Self::ThreeGppKeyParameters(data)
            | Self::Unknown { data, .. }
            | Self::VendorId(data) => out.put_slice(data),
        }
        out
    }
}

/// 3GPP IMS CONF Data: the users that may join a conference (TR 33.829 §C.1).
///
/// ```
/// use mikey::{code_points::IdType, payload::{Id, Participants, Payload}};
///
/// let alice = Id::new(IdType::Uri, b"sip:alice@example.com")?;
/// let ids = [Payload::Id(alice)];
/// assert_eq!(Participants::new(&ids)?.iter().next(), Some(alice));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Participants<'a> {
    ids: Chain<'a>,
}

impl<'a> Participants<'a> {
    /// The users of `ids`, none or more ID payloads.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Misplaced`] for another payload, [`EncodeError::TooMany`] beyond the
    /// [`limits`](crate::limits).
    pub fn new(ids: &'a [Payload<'a>]) -> Result<Self, EncodeError> {
        let ids = Chain::new(ids);
        ids.check(Context::Conference)?;
        Ok(Self { ids })
    }

    /// The users.
    pub fn iter(&self) -> impl Iterator<Item = super::Id<'a>> + Clone + use<'a> {
        self.ids.iter().filter_map(|payload| match payload {
            Payload::Id(id) => Some(id),
            _ => None,
        })
    }
}

/// One key of a Key ID extension ([RFC 4563 §4]).
///
/// ```
/// use mikey::{code_points::KeyIdType, payload::{Extension, KeyId, KeyIds}};
///
/// let ids = [KeyId::new(KeyIdType::MbmsServiceKeyId, &[1, 2, 3, 4])?];
/// assert_eq!(Extension::KeyIds(KeyIds::new(&ids)).to_vec(), [1, 4, 1, 2, 3, 4]);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 4563 §4]: https://www.rfc-editor.org/rfc/rfc4563#section-4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyId<'a> {
    key_id_type: KeyIdType,
    key_id: Octets8<'a>,
}

impl<'a> KeyId<'a> {
    /// The key `key_id`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 255 octets.
    pub fn new(key_id_type: KeyIdType, key_id: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            key_id_type,
            key_id: Octets8::new(key_id)?,
        })
    }

    /// What kind of key it is.
    #[must_use]
    pub const fn key_id_type(&self) -> KeyIdType {
        self.key_id_type
    }

    /// Its name.
    #[must_use]
    pub const fn key_id(&self) -> &'a [u8] {
        self.key_id.get()
    }
}

impl<'a> Element<'a> for KeyId<'a> {
    #[inline]
    fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            key_id_type: KeyIdType::from(reader.u8()?),
            key_id: Octets8::parse(reader)?,
        })
    }

    fn encoded_len(&self) -> usize {
        1 + self.key_id.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(u8::from(self.key_id_type));
        self.key_id.encode(out);
    }
}

/// The keys of a Key ID extension, in order ([RFC 4563 §4]).
///
/// ```
/// use mikey::{code_points::KeyIdType, payload::{KeyId, KeyIds}};
///
/// let ids = [KeyId::new(KeyIdType::MbmsServiceKeyId, &[1])?, KeyId::new(9.into(), &[2])?];
/// assert_eq!(KeyIds::new(&ids).iter().nth(1), Some(ids[1]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 4563 §4]: https://www.rfc-editor.org/rfc/rfc4563#section-4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyIds<'a> {
    ids: Sequence<'a, KeyId<'a>>,
}

impl<'a> KeyIds<'a> {
    /// The keys `ids`.
    #[must_use]
    pub const fn new(ids: &'a [KeyId<'a>]) -> Self {
        Self {
            ids: Sequence::Items(ids),
        }
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = KeyId<'a>> + Clone + use<'a> {
        self.ids.iter()
    }
}
