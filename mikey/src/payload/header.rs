use bytes::BufMut;

use super::{GenericIdMap, SrtpIdMap};
use crate::{
    DecodeError, DecodeErrorKind, EncodeError,
    code_points::{CsIdMapType, DataType, PayloadType, PrfFunc},
    reader::Reader,
};

/// The version of MIKEY.
const VERSION: u8 = 1;

/// The V flag, in the octet of PRF func.
const V_FLAG: u8 = 0x80;

/// CS ID map: which crypto sessions a bundle has ([RFC 3830 §6.1], 4563, 6043).
///
/// ```
/// use mikey::{code_points::CsIdMapType, payload::CsIdMap};
///
/// assert_eq!(CsIdMap::NONE.map_type(), CsIdMapType::Empty);
/// assert_eq!(CsIdMap::NONE.cs_count(), 0);
/// ```
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CsIdMap<'a> {
    /// Empty map: sessions and policies are told elsewhere, or there are none ([RFC 4563 §5]).
    ///
    /// [RFC 4563 §5]: https://www.rfc-editor.org/rfc/rfc4563#section-5
    Empty {
        /// #CS.
        cs_count: u8,
    },
    /// Sessions of any security protocol.
    GenericId(GenericIdMap<'a>),
    /// SRTP streams.
    SrtpId(SrtpIdMap<'a>),
}

impl CsIdMap<'_> {
    /// No crypto session, as in messages to and from a KMS.
    pub const NONE: Self = Self::Empty { cs_count: 0 };

    /// The type.
    #[must_use]
    pub const fn map_type(&self) -> CsIdMapType {
        match self {
            Self::Empty { .. } => CsIdMapType::Empty,
            Self::GenericId(_) => CsIdMapType::GenericId,
            Self::SrtpId(_) => CsIdMapType::SrtpId,
        }
    }

    /// How many crypto sessions there are: #CS.
    #[must_use]
    pub const fn cs_count(&self) -> u8 {
        match self {
            Self::Empty { cs_count } => *cs_count,
            Self::GenericId(map) => map.cs_count(),
            Self::SrtpId(map) => map.cs_count(),
        }
    }
}

/// HDR payload: what the message is and what it is for ([RFC 3830 §6.1]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  version      !  data type    ! next payload  !V! PRF func    !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !                         CSB ID                                !
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ! #CS           ! CS ID map type! CS ID map info                ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::{DataType, PrfFunc}, payload::{CsIdMap, Header}};
///
/// let header = Header::new(DataType::RequestInitPsk, PrfFunc::HmacSha256, 7, CsIdMap::NONE)?
///     .expecting_response(true);
/// assert_eq!((header.data_type().name(), header.v_flag()), ("REQUEST_INIT_PSK", true));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header<'a> {
    data_type: DataType,
    v_flag: bool,
    prf_func: PrfFunc,
    csb_id: u32,
    cs_id_map: CsIdMap<'a>,
}

impl<'a> Header<'a> {
    /// A header with V = 0.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] for a PRF function of more than 7 bits.
    pub fn new(
        data_type: DataType,
        prf_func: PrfFunc,
        csb_id: u32,
        cs_id_map: CsIdMap<'a>,
    ) -> Result<Self, EncodeError> {
        let prf = u8::from(prf_func);
        if prf & V_FLAG != 0 {
            return Err(EncodeError::Value(prf));
        }
        Ok(Self {
            data_type,
            v_flag: false,
            prf_func,
            csb_id,
            cs_id_map,
        })
    }

    /// Sets the V flag: whether a response is expected. What it means depends on the exchange.
    #[must_use]
    pub const fn expecting_response(mut self, v_flag: bool) -> Self {
        self.v_flag = v_flag;
        self
    }

    /// The data type.
    #[must_use]
    pub const fn data_type(&self) -> DataType {
        self.data_type
    }

    /// The V flag.
    #[must_use]
    pub const fn v_flag(&self) -> bool {
        self.v_flag
    }

    /// The pseudo-random function.
    #[must_use]
    pub const fn prf_func(&self) -> PrfFunc {
        self.prf_func
    }

    /// The CSB ID, which the Initiator chose.
    #[must_use]
    pub const fn csb_id(&self) -> u32 {
        self.csb_id
    }

    /// The crypto sessions.
    #[must_use]
    pub const fn cs_id_map(&self) -> CsIdMap<'a> {
        self.cs_id_map
    }

    /// Reads the header, and the type of the payload behind it.
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<(Self, PayloadType), DecodeError> {
        let before = *reader;
        let version = reader.u8()?;
        if version != VERSION {
            let error = DecodeErrorKind::UnknownVersion(version);
            return Err(before.error(error));
        }
        let data_type = DataType::from(reader.u8()?);
        let next = PayloadType::from(reader.u8()?);
        let v_and_prf = reader.u8()?;
        let csb_id = reader.u32()?;
        let cs_count = reader.u8()?;
        let before = *reader;
        let cs_id_map = match CsIdMapType::from(reader.u8()?) {
            CsIdMapType::SrtpId => CsIdMap::SrtpId(SrtpIdMap::parse(reader, cs_count)?),
            CsIdMapType::Empty => CsIdMap::Empty { cs_count },
            CsIdMapType::GenericId => CsIdMap::GenericId(GenericIdMap::parse(reader, cs_count)?),
            CsIdMapType::Unknown(map_type) => {
                return Err(before.error(DecodeErrorKind::UnknownValue(map_type)));
            }
        };
        let header = Self {
            data_type,
            v_flag: v_and_prf & V_FLAG != 0,
            prf_func: PrfFunc::from(v_and_prf & !V_FLAG),
            csb_id,
            cs_id_map,
        };
        Ok((header, next))
    }

    pub(crate) fn encoded_len(&self) -> usize {
        10 + match &self.cs_id_map {
            CsIdMap::Empty { .. } => 0,
            CsIdMap::GenericId(map) => map.encoded_len(),
            CsIdMap::SrtpId(map) => map.encoded_len(),
        }
    }

    pub(crate) fn encode(&self, next: PayloadType, out: &mut impl BufMut) {
        out.put_u8(VERSION);
        out.put_u8(u8::from(self.data_type));
        out.put_u8(u8::from(next));
        out.put_u8(u8::from(self.prf_func) | if self.v_flag { V_FLAG } else { 0 });
        out.put_u32(self.csb_id);
        out.put_u8(self.cs_id_map.cs_count());
        out.put_u8(u8::from(self.cs_id_map.map_type()));
        match &self.cs_id_map {
            CsIdMap::Empty { .. } => {}
            CsIdMap::GenericId(map) => map.encode(out),
            CsIdMap::SrtpId(map) => map.encode(out),
        }
    }
}
