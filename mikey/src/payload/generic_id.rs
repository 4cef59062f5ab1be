use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError,
    code_points::{ProtType, ThreeGppCodePoints},
    octets::{Octets8, Octets16},
    reader::Reader,
    sequence::{Element, Sequence},
};

/// Highest `#P`, a field of 7 bits.
const MAX_POLICIES: usize = 0x7f;

/// The S flag, in the octet of `#P`.
const S_FLAG: u8 = 0x80;

/// Session Data of a crypto session of SRTP ([RFC 6043 §6.1.1]).
///
/// Unlike in the SRTP-ID map, an SSRC of zero means nothing special.
///
/// ```
/// use mikey::payload::{CryptoSession, SrtpSessionData};
///
/// let late = SrtpSessionData { ssrc: 0x1234_5678, index: Some((2, 40_000)) };
/// assert!(CryptoSession::srtp(1, &[0], Some(late), &[])?.s_flag());
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
#[allow(
    clippy::exhaustive_structs,
    reason = "the field has these parts and no others"
)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SrtpSessionData {
    /// The SSRC that must be used.
    pub ssrc: u32,
    /// ROC and SEQ, current or initial; given if the S flag is set.
    pub index: Option<(u32, u16)>,
}

/// Session Data of a crypto session ([RFC 6043 §6.1.1]).
///
/// ```
/// use mikey::payload::{CryptoSession, SessionData};
///
/// assert_eq!(CryptoSession::srtp(1, &[0], None, &[])?.session_data(), SessionData::Absent);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionData<'a> {
    /// Session Data of length 0: left to the Responder, or none needed.
    Absent,
    /// Of another security protocol than SRTP.
    Octets(&'a [u8]),
    /// Of SRTP.
    Srtp(SrtpSessionData),
}

/// One crypto session of a GENERIC-ID map ([RFC 6043 §6.1.1]).
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !     CS ID     !   Prot type   !S!     #P      ! Ps (OPTIONAL) ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !      Session Data Length      !    Session Data (OPTIONAL)    ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// !  SPI Length   !                SPI (OPTIONAL)                 ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// ```
/// use mikey::{code_points::ThreeGppCodePoints, payload::{CryptoSession, SessionData}};
///
/// let code_points = ThreeGppCodePoints::default();
/// let tls = CryptoSession::tls(&code_points, 3, &[0xaa, 0xbb])?;
/// assert_eq!((tls.cs_id(), tls.policies(), tls.spi()), (3, &[][..], &[0xaa, 0xbb][..]));
/// assert_eq!(tls.session_data(), SessionData::Absent);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CryptoSession<'a> {
    cs_id: u8,
    prot_type: ProtType,
    s_and_count: u8,
    policies: &'a [u8],
    session_data: Data<'a>,
    spi: Octets8<'a>,
}

/// SRTP's is kept in its parts, so that it can be made without a buffer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Data<'a> {
    Octets(Octets16<'a>),
    Srtp(SrtpSessionData),
}

impl<'a> CryptoSession<'a> {
    /// A session of SRTP under one of `policies`.
    ///
    /// An initial message may leave out `session_data` and `spi`; a response must give both, and
    /// exactly one policy ([RFC 6043 §6.1.1]).
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooMany`] for more than 127 policies, [`EncodeError::TooLong`] for an SPI of
    /// more than 255 octets.
    ///
    /// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
    pub fn srtp(
        cs_id: u8,
        policies: &'a [u8],
        session_data: Option<SrtpSessionData>,
        spi: &'a [u8],
    ) -> Result<Self, EncodeError> {
        let mut session = Self::new(cs_id, ProtType::Srtp, policies, &[], spi)?;
        if let Some(data) = session_data {
            session.session_data = Data::Srtp(data);
            if data.index.is_some() {
                session.s_and_count |= S_FLAG;
            }
        }
        Ok(session)
    }

    /// A session of TLS: no policy, no Session Data, S = 0 (TR 33.829 §D.1). The SPI points to the
    /// TGK or GTGK that the PSK is derived from, or to the TEK that it is.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for an SPI of more than 255 octets.
    pub fn tls(
        code_points: &ThreeGppCodePoints,
        cs_id: u8,
        spi: &'a [u8],
    ) -> Result<Self, EncodeError> {
        Self::new(cs_id, code_points.tls, &[], &[], spi)
    }

    /// The session of PSK/MIME: no policy, no Session Data, no SPI (TR 33.829 annex E).
    #[must_use]
    pub const fn psk_mime(code_points: &ThreeGppCodePoints, cs_id: u8) -> Self {
        Self {
            cs_id,
            prot_type: code_points.psk_mime,
            s_and_count: 0,
            policies: &[],
            session_data: Data::Octets(Octets16::EMPTY),
            spi: Octets8::EMPTY,
        }
    }

    /// A session of any other security protocol, with S = 0.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooMany`] for more than 127 policies, [`EncodeError::TooLong`] if another
    /// field is longer than its length can say, [`EncodeError::WrongLength`] for Session Data with
    /// SRTP, which [`srtp`](Self::srtp) takes in its parts.
    pub fn new(
        cs_id: u8,
        prot_type: ProtType,
        policies: &'a [u8],
        session_data: &'a [u8],
        spi: &'a [u8],
    ) -> Result<Self, EncodeError> {
        if prot_type == ProtType::Srtp && !session_data.is_empty() {
            return Err(EncodeError::WrongLength);
        }
        let s_and_count = match u8::try_from(policies.len()) {
            Ok(count) if policies.len() <= MAX_POLICIES => count,
            _ => return Err(EncodeError::TooMany),
        };
        Ok(Self {
            cs_id,
            prot_type,
            s_and_count,
            policies,
            session_data: Data::Octets(Octets16::new(session_data)?),
            spi: Octets8::new(spi)?,
        })
    }

    /// The CS ID.
    #[must_use]
    pub const fn cs_id(&self) -> u8 {
        self.cs_id
    }

    /// The security protocol.
    #[must_use]
    pub const fn prot_type(&self) -> ProtType {
        self.prot_type
    }

    /// The S flag. TLS ignores it; for SRTP it says what [`session_data`](Self::session_data) says.
    #[must_use]
    pub const fn s_flag(&self) -> bool {
        self.s_and_count & S_FLAG != 0
    }

    /// The numbers of the Security Policies to choose from.
    #[must_use]
    pub const fn policies(&self) -> &'a [u8] {
        self.policies
    }

    /// The Session Data.
    #[must_use]
    pub const fn session_data(&self) -> SessionData<'a> {
        match self.session_data {
            Data::Octets(octets) if octets.get().is_empty() => SessionData::Absent,
            Data::Octets(octets) => SessionData::Octets(octets.get()),
            Data::Srtp(data) => SessionData::Srtp(data),
        }
    }

    /// The SPI or MKI of the key to begin with; empty if it is left out.
    #[must_use]
    pub const fn spi(&self) -> &'a [u8] {
        self.spi.get()
    }
}

impl<'a> Element<'a> for CryptoSession<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let cs_id = reader.u8()?;
        let prot_type = ProtType::from(reader.u8()?);
        let s_and_count = reader.u8()?;
        let policies = reader.take(s_and_count & !S_FLAG)?;
        let session_data = if prot_type == ProtType::Srtp {
            parse_srtp(reader, s_and_count & S_FLAG != 0)?
        } else {
            Data::Octets(Octets16::parse(reader)?)
        };
        let spi = Octets8::parse(reader)?;
        Ok(Self {
            cs_id,
            prot_type,
            s_and_count,
            policies,
            session_data,
            spi,
        })
    }

    fn encoded_len(&self) -> usize {
        3 + self.policies.len()
            + match self.session_data {
                Data::Octets(octets) => octets.encoded_len(),
                Data::Srtp(SrtpSessionData { index: None, .. }) => 6,
                Data::Srtp(SrtpSessionData { index: Some(_), .. }) => 12,
            }
            + self.spi.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.cs_id);
        out.put_u8(u8::from(self.prot_type));
        out.put_u8(self.s_and_count);
        out.put_slice(self.policies);
        match self.session_data {
            Data::Octets(octets) => octets.encode(out),
            Data::Srtp(SrtpSessionData { ssrc, index: None }) => {
                out.put_u16(4);
                out.put_u32(ssrc);
            }
            Data::Srtp(SrtpSessionData {
                ssrc,
                index: Some((roc, seq)),
            }) => {
                out.put_u16(10);
                out.put_u32(ssrc);
                out.put_u32(roc);
                out.put_u16(seq);
            }
        }
        self.spi.encode(out);
    }
}

/// The length must be the one that the S flag tells, or 0 for Session Data left out.
fn parse_srtp<'a>(reader: &mut Reader<'a>, s_flag: bool) -> Result<Data<'a>, DecodeError> {
    let before = *reader;
    match (reader.u16()?, s_flag) {
        (0, false) => Ok(Data::Octets(Octets16::EMPTY)),
        (4, false) => Ok(Data::Srtp(SrtpSessionData {
            ssrc: reader.u32()?,
            index: None,
        })),
        (10, true) => Ok(Data::Srtp(SrtpSessionData {
            ssrc: reader.u32()?,
            index: Some((reader.u32()?, reader.u16()?)),
        })),
        _ => Err(before.error(DecodeErrorKind::LengthMismatch)),
    }
}

/// GENERIC-ID map: crypto sessions of any security protocol ([RFC 6043 §6.1.1]).
///
/// ```
/// use mikey::payload::{CryptoSession, GenericIdMap, SrtpSessionData};
///
/// let data = SrtpSessionData { ssrc: 0x1234_5678, index: None };
/// let sessions = [CryptoSession::srtp(1, &[0], Some(data), &[9])?];
/// let map = GenericIdMap::new(&sessions)?;
/// assert_eq!(map.get(1), Some(sessions[0]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GenericIdMap<'a> {
    count: u8,
    sessions: Sequence<'a, CryptoSession<'a>>,
}

impl<'a> GenericIdMap<'a> {
    /// A map of `sessions`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooMany`] for more than 255; [`EncodeError::DuplicateCsId`] for two with one
    /// CS ID, of which a key could belong to either.
    pub fn new(sessions: &'a [CryptoSession<'a>]) -> Result<Self, EncodeError> {
        let count = u8::try_from(sessions.len()).map_err(|_| EncodeError::TooMany)?;
        if let Some(cs_id) = repeated(sessions.iter().map(CryptoSession::cs_id)) {
            return Err(EncodeError::DuplicateCsId(cs_id));
        }
        Ok(Self {
            count,
            sessions: Sequence::Items(sessions),
        })
    }

    /// The sessions in order.
    pub fn iter(&self) -> impl Iterator<Item = CryptoSession<'a>> + Clone + use<'a> {
        self.sessions.iter()
    }

    /// The session with CS ID `cs_id`.
    #[must_use]
    pub fn get(&self, cs_id: u8) -> Option<CryptoSession<'a>> {
        self.iter().find(|session| session.cs_id == cs_id)
    }

    /// How many sessions there are: #CS.
    #[must_use]
    pub const fn cs_count(&self) -> u8 {
        self.count
    }

    pub(super) fn parse(reader: &mut Reader<'a>, count: u8) -> Result<Self, DecodeError> {
        let before = *reader;
        let sessions: Sequence<'a, CryptoSession<'a>> =
            Sequence::parse_counted(reader, count.into())?;
        // Most maps have one session, which need not be read again.
        let twice = if count > 1 {
            repeated(sessions.iter().map(|session| session.cs_id))
        } else {
            None
        };
        match twice {
            Some(cs_id) => Err(before.error(DecodeErrorKind::DuplicateCsId(cs_id))),
            None => Ok(Self { count, sessions }),
        }
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.sessions.encoded_len()
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) {
        self.sessions.encode(out);
    }
}

/// The first CS ID that was there before.
fn repeated(mut cs_ids: impl Iterator<Item = u8>) -> Option<u8> {
    let mut seen = [0_u64; 4];
    cs_ids.find(|cs_id| {
        seen.get_mut(usize::from(cs_id >> 6)).is_some_and(|word| {
            let before = *word;
            *word |= 1 << (cs_id & 63);
            before == *word
        })
    })
}
