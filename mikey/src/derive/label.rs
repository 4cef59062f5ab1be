use alloc::vec::Vec;
use core::fmt;

/// The CSB ID, or the CS ID, of labels that belong to no crypto session ([RFC 3830 §4.1.4],
/// [RFC 6043 §5.1]).
const NO_CS_ID: u8 = 0xff;
const NO_CSB_ID: u32 = 0xffff_ffff;

/// A key for a crypto session, derived from a TGK or GTGK ([RFC 3830 §4.1.3]).
///
/// [RFC 3830 §4.1.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.3
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionKey {
    /// TEK: for SRTP the master key.
    Tek,
    /// Authentication key of a security protocol that derives none itself.
    Authentication,
    /// Encryption key of a security protocol that derives none itself.
    Encryption,
    /// Salting key: for SRTP the master salt.
    Salt,
}

impl SessionKey {
    const fn constant(self) -> u32 {
        match self {
            Self::Tek => 0x2ad0_1c64,
            Self::Authentication => 0x1b5c_7973,
            Self::Encryption => 0x1579_8cef,
            Self::Salt => 0x39a2_c14b,
        }
    }
}

/// A key that protects MIKEY messages, derived from a pre-shared key, an envelope key, an MPK or a
/// TPK ([RFC 3830 §4.1.4]).
///
/// [RFC 3830 §4.1.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.4
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageKey {
    /// `encr_key`.
    Encryption,
    /// `auth_key`.
    Authentication,
    /// `salt_key`.
    Salt,
}

impl MessageKey {
    const fn constant(self) -> u32 {
        match self {
            Self::Encryption => 0x1505_33e1,
            Self::Authentication => 0x2d22_ac75,
            Self::Salt => 0x29b8_8916,
        }
    }
}

/// Which message of an RFC 6043 exchange the keys protect ([RFC 6043 §5.1.2]).
///
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TicketMessage {
    /// REQUEST_INIT, TRANSFER_INIT, RESOLVE_INIT.
    Initial,
    /// REQUEST_RESP, TRANSFER_RESP, RESOLVE_RESP.
    Response,
}

/// MPKi or MPKr, derived from the MPK of a base ticket ([RFC 6043 §A.2.2]).
///
/// [RFC 6043 §A.2.2]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A.2.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageProtectionKey {
    /// MPKi.
    Initiator,
    /// MPKr.
    Responder,
}

/// A key of a responder, forked from the one in the ticket ([RFC 6043 §5.1.1]).
///
/// [RFC 6043 §5.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.1
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForkedKey {
    /// MPKr' from MPKr.
    MpkR,
    /// TGK' from TGK.
    Tgk,
}

/// RANDRi and RANDRr; one that a message has not is empty ([RFC 6043 §5.1.2]).
///
/// ```
/// use mikey::derive::{Label, Rands, SessionKey};
///
/// // An omitted RAND counts as one zero octet.
/// let rands = Rands::new(&[7, 7], &[]).unwrap_or_default();
/// let label = Label::ticket_session_key(SessionKey::Tek, 1, rands);
/// assert_eq!(label.as_octets()[9..], [0x03, 2, 7, 7, 0]);
/// assert_eq!(Rands::new(&[], &[]), None);
/// ```
///
/// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rands<'a> {
    initiator: &'a [u8],
    responder: &'a [u8],
}

impl<'a> Rands<'a> {
    /// `None` if one is longer than 255 octets, or both are empty.
    #[must_use]
    pub fn new(initiator: &'a [u8], responder: &'a [u8]) -> Option<Self> {
        let fits = initiator.len() <= 255 && responder.len() <= 255;
        let fresh = !(initiator.is_empty() && responder.is_empty());
        (fits && fresh).then_some(Self {
            initiator,
            responder,
        })
    }

    /// RANDRi, or nothing.
    #[must_use]
    pub const fn initiator(self) -> &'a [u8] {
        self.initiator
    }

    /// RANDRr, or nothing.
    #[must_use]
    pub const fn responder(self) -> &'a [u8] {
        self.responder
    }
}

/// The label of one derivation: what the key is for, which session, and the randomness.
///
/// Not secret. The constructors carry the name of what they derive, so that no key can be derived
/// with the label of another.
///
/// ```
/// use mikey::derive::{Label, MessageKey, SessionKey};
///
/// let tek = Label::session_key(SessionKey::Tek, 1, 0xaabb_ccdd, &[7, 7]);
/// assert_eq!(
///     tek.as_octets(),
///     [0x2a, 0xd0, 0x1c, 0x64, 0x01, 0xaa, 0xbb, 0xcc, 0xdd, 7, 7]
/// );
/// let auth = Label::message_key(MessageKey::Authentication, 0xaabb_ccdd, &[7, 7]);
/// assert_eq!(auth.as_octets()[..5], [0x2d, 0x22, 0xac, 0x75, 0xff]);
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Label(Vec<u8>);

impl Label {
    /// From a TGK, in the exchanges of RFC 3830, 4650 and 4738 ([RFC 3830 §4.1.3]).
    ///
    /// [RFC 3830 §4.1.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.3
    #[must_use]
    pub fn session_key(key: SessionKey, cs_id: u8, csb_id: u32, rand: &[u8]) -> Self {
        Self::prefix(key.constant(), cs_id, csb_id).with(rand)
    }

    /// From a pre-shared or envelope key, in the exchanges of RFC 3830, 4650 and 4738
    /// ([RFC 3830 §4.1.4]).
    ///
    /// [RFC 3830 §4.1.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.4
    #[must_use]
    pub fn message_key(key: MessageKey, csb_id: u32, rand: &[u8]) -> Self {
        Self::prefix(key.constant(), NO_CS_ID, csb_id).with(rand)
    }

    /// From a pre-shared key, envelope key or MPK, in the exchanges of RFC 6043
    /// ([RFC 6043 §5.1.2]).
    ///
    /// [RFC 6043 §5.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.2
    #[must_use]
    pub fn ticket_message_key(
        key: MessageKey,
        message: TicketMessage,
        csb_id: u32,
        rands: Rands<'_>,
    ) -> Self {
        let separator = match message {
            TicketMessage::Initial => 0x01,
            TicketMessage::Response => 0x02,
        };
        Self::prefix(key.constant(), NO_CS_ID, csb_id)
            .with(&[separator])
            .with_rands(rands)
    }

    /// From a TGK, a forked TGK or a GTGK, in the exchanges of RFC 6043 ([RFC 6043 §5.1.3]).
    ///
    /// [RFC 6043 §5.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.3
    #[must_use]
    pub fn ticket_session_key(key: SessionKey, cs_id: u8, rands: Rands<'_>) -> Self {
        Self::prefix(key.constant(), cs_id, NO_CSB_ID)
            .with(&[0x03])
            .with_rands(rands)
    }

    /// From MPKr, the authentication key of Vr in the Initiator Data of a ticket
    /// ([RFC 6043 §6.10]).
    ///
    /// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
    #[must_use]
    pub fn initiator_data_key() -> Self {
        Self::prefix(MessageKey::Authentication.constant(), NO_CS_ID, NO_CSB_ID).with(&[0x04])
    }

    /// From a TPK, the keys that protect a base ticket ([RFC 6043 §A.2.1]). `None` if `rand` is
    /// longer than 255 octets.
    ///
    /// [RFC 6043 §A.2.1]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A.2.1
    #[must_use]
    pub fn base_ticket_key(key: MessageKey, rand: &[u8]) -> Option<Self> {
        Self::prefix(key.constant(), NO_CS_ID, NO_CSB_ID)
            .with(&[0x05])
            .with_short(rand)
    }

    /// From the MPK of a base ticket, MPKi or MPKr ([RFC 6043 §A.2.2]). `None` if `rand` is longer
    /// than 255 octets.
    ///
    /// [RFC 6043 §A.2.2]: https://www.rfc-editor.org/rfc/rfc6043#appendix-A.2.2
    #[must_use]
    pub fn message_protection_key(key: MessageProtectionKey, rand: &[u8]) -> Option<Self> {
        let constant = match key {
            MessageProtectionKey::Initiator => 0x220e_99a2,
            MessageProtectionKey::Responder => 0x1f4d_675b,
        };
        Self::prefix(constant, NO_CS_ID, NO_CSB_ID)
            .with(&[0x06])
            .with_short(rand)
    }

    /// From MPKr or a TGK, the key of the responder `id_data` ([RFC 6043 §5.1.1]). `None` if
    /// `id_data` is longer than 65535 octets, or `rand_kms` than 255.
    ///
    /// [RFC 6043 §5.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.1
    #[must_use]
    pub fn forked_key(key: ForkedKey, id_data: &[u8], rand_kms: &[u8]) -> Option<Self> {
        let constant = match key {
            ForkedKey::MpkR => 0x2b28_8856,
            ForkedKey::Tgk => 0x1512_b54a,
        };
        let id_len = u16::try_from(id_data.len()).ok()?;
        Self::prefix(constant, NO_CS_ID, NO_CSB_ID)
            .with(&[0x00])
            .with(&id_len.to_be_bytes())
            .with(id_data)
            .with_short(rand_kms)
    }

    /// The octets, as they go into the PRF.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    fn prefix(constant: u32, cs_id: u8, csb_id: u32) -> Self {
        Self(Vec::with_capacity(64))
            .with(&constant.to_be_bytes())
            .with(&[cs_id])
            .with(
                // The CSB ID is an unsigned integer in network order, as in the header.
                &csb_id.to_be_bytes(),
            )
    }

    fn with(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }

    fn with_short(self, octets: &[u8]) -> Option<Self> {
        let len = u8::try_from(octets.len()).ok()?;
        Some(self.with(&[len]).with(octets))
    }

    fn with_rands(self, rands: Rands<'_>) -> Self {
        // Lengths were checked by Rands::new.
        let len = |rand: &[u8]| u8::try_from(rand.len()).unwrap_or(u8::MAX);
        self.with(&[len(rands.initiator)])
            .with(rands.initiator)
            .with(&[len(rands.responder)])
            .with(rands.responder)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Label(")?;
        for octet in &self.0 {
            write!(f, "{octet:02x}")?;
        }
        f.write_str(")")
    }
}
