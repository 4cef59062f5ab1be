use crate::{
    Chain, DecodeError, DecodeErrorKind, EncodeError, Message, Quirks,
    chain::Context,
    code_points::ThreeGppCodePoints,
    error::Place,
    limits::MAX_MESSAGE_LEN,
    payload::{CsIdMap, Header, Payload, SecurityPolicy, SessionData},
    reader::Reader,
};

/// How messages are read and made: which code points 3GPP's protocols have, and what is forgiven.
///
/// ```
/// use mikey::{DecodeErrorKind, Message, Quirks, Rules};
///
/// // An error message whose sender put a zero octet behind it.
/// let octets = [1, 6, 5, 0, 0, 0, 0, 9, 0, 1, /* T */ 0, 2, 0, 0, 0, 1, /* stray */ 0];
/// let error = Message::decode(&octets).unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::TrailingOctets, 16));
///
/// let lenient = Rules::STRICT.with_quirks(Quirks { trailing_zero: true, ..Quirks::NONE });
/// assert_eq!(lenient.decode(&octets)?.header().csb_id(), 9);
/// # Ok::<(), mikey::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rules {
    code_points: ThreeGppCodePoints,
    quirks: Quirks,
}

impl Rules {
    /// The standards to the letter, with the default code points.
    pub const STRICT: Self = Self {
        code_points: ThreeGppCodePoints::DEFAULT,
        quirks: Quirks::NONE,
    };

    /// Uses these code points for what 3GPP adds.
    #[must_use]
    pub const fn with_code_points(mut self, code_points: ThreeGppCodePoints) -> Self {
        self.code_points = code_points;
        self
    }

    /// Bears these deviations.
    #[must_use]
    pub const fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// The code points in use.
    #[must_use]
    pub const fn code_points(&self) -> &ThreeGppCodePoints {
        &self.code_points
    }

    /// The deviations that are borne.
    #[must_use]
    pub const fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Reads a message.
    ///
    /// Each payload is checked, once and in time linear in `octets`; nothing is allocated. What is
    /// encrypted, the Ticket Data, and the data of general extensions are checked when they are
    /// asked for.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `octets` are not one message, from the first to the last.
    pub fn decode<'a>(&self, octets: &'a [u8]) -> Result<Message<'a>, DecodeError> {
        let mut reader = Reader::new(octets, Place::Hdr);
        if octets.len() > MAX_MESSAGE_LEN {
            let end = DecodeErrorKind::TooLong;
            return Err(DecodeError::new(end, Place::Hdr, MAX_MESSAGE_LEN));
        }
        let (header, next) = Header::parse(&mut reader)?;
        let map = header.cs_id_map();
        self.check_map(map)
            .map_err(|kind| DecodeError::new(kind, Place::Hdr, 10))?;
        let chain = Chain::parse(&mut reader, next, Context::Message, |payload| {
            self.check_payload(map, &payload)
        })?;
        if !(self.quirks.trailing_zero && reader.rest() == [0]) {
            reader.finish()?;
        }
        Ok(Message::from_parts(header, chain))
    }

    /// A message of `header` and `payloads`. The order is the caller's: each exchange has its own.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Misplaced`] for a payload that never stands in a message by itself, or a
    /// signature that is not the last; [`EncodeError::PolicyNotAllowed`] for a Security Policy with
    /// the Empty map ([RFC 4563 §5]) or for TLS or an application's own protocol (TR 33.829 §A.1);
    /// [`EncodeError::TooMany`] and [`EncodeError::TooLong`] beyond the
    /// [`limits`](crate::limits).
    ///
    /// [RFC 4563 §5]: https://www.rfc-editor.org/rfc/rfc4563#section-5
    pub fn compose<'a>(
        &self,
        header: Header<'a>,
        payloads: &'a [Payload<'a>],
    ) -> Result<Message<'a>, EncodeError> {
        let chain = Chain::new(payloads);
        chain.check(Context::Message)?;
        let map = header.cs_id_map();
        let refused = |_| EncodeError::PolicyNotAllowed;
        self.check_map(map).map_err(refused)?;
        payloads
            .iter()
            .try_for_each(|payload| self.check_payload(map, payload))
            .map_err(refused)?;
        let message = Message::from_parts(header, chain);
        if message.encoded_len() > MAX_MESSAGE_LEN {
            return Err(EncodeError::TooLong);
        }
        Ok(message)
    }

    /// Crypto sessions of protocols without policies name none and have no Session Data
    /// (TR 33.829 §A.1, §D.1).
    fn check_map(&self, map: CsIdMap<'_>) -> Result<(), DecodeErrorKind> {
        let CsIdMap::GenericId(map) = map else {
            return Ok(());
        };
        for session in map.iter() {
            let tls = session.prot_type() == self.code_points.tls;
            let policies = session.policies().len();
            let dummy = tls && self.quirks.dummy_tls_policy && policies == 1;
            if self.code_points.forbids_policy(session.prot_type()) && policies > 0 && !dummy {
                return Err(DecodeErrorKind::PolicyNotAllowed);
            }
            if tls && session.session_data() != SessionData::Absent {
                return Err(DecodeErrorKind::LengthMismatch);
            }
        }
        Ok(())
    }

    fn check_payload(
        &self,
        map: CsIdMap<'_>,
        payload: &Payload<'_>,
    ) -> Result<(), DecodeErrorKind> {
        match payload {
            Payload::Sp(sp) if self.allows(map, sp) => Ok(()),
            Payload::Sp(_) => Err(DecodeErrorKind::PolicyNotAllowed),
            _ => Ok(()),
        }
    }

    fn allows(&self, map: CsIdMap<'_>, sp: &SecurityPolicy<'_>) -> bool {
        let empty_map = matches!(map, CsIdMap::Empty { .. });
        let dummy = self.quirks.dummy_tls_policy
            && sp.prot_type() == self.code_points.tls
            && sp.params().next().is_none();
        (!empty_map || self.quirks.sp_with_empty_map)
            && (!self.code_points.forbids_policy(sp.prot_type()) || dummy)
    }
}
