use alloc::vec::Vec;

use super::ExchangeError;
use crate::EncodeError;
use crate::code_points::{CsIdMapType, ProtType};
use crate::payload::{
    CryptoSession, CsIdMap, GenericIdMap, PolicyParam, SecurityPolicy, SessionData, SrtpIdMap,
    SrtpIdSession, SrtpSessionData,
};

/// A crypto session of an established bundle ([RFC 3830 §6.1.1], [RFC 6043 §6.1.1]).
///
/// [RFC 3830 §6.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1.1
/// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    cs_id: u8,
    prot_type: ProtType,
    policies: Vec<u8>,
    ssrc: Option<u32>,
    roc: u32,
    seq: Option<u16>,
    data: Vec<u8>,
    spi: Vec<u8>,
}

impl Session {
    /// CS ID; from 1 in an SRTP-ID map.
    #[must_use]
    pub const fn cs_id(&self) -> u8 {
        self.cs_id
    }

    /// The security protocol.
    #[must_use]
    pub const fn prot_type(&self) -> ProtType {
        self.prot_type
    }

    /// Numbers of its security policies: one, once the bundle is established; none for TLS.
    #[must_use]
    pub fn policies(&self) -> &[u8] {
        &self.policies
    }

    /// SSRC of the SRTP stream; `None` where nobody has chosen one.
    #[must_use]
    pub const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// Rollover counter of the SRTP stream; 0 if it has not started.
    #[must_use]
    pub const fn roc(&self) -> u32 {
        self.roc
    }

    /// RTP sequence number of the stream, where it was told.
    #[must_use]
    pub const fn seq(&self) -> Option<u16> {
        self.seq
    }

    /// SPI of the key that the session starts with; empty where none was told.
    #[must_use]
    pub fn spi(&self) -> &[u8] {
        &self.spi
    }
}

/// As a GENERIC-ID map has it.
///
/// ```
/// use mikey::exchange::Session;
/// use mikey::payload::{CryptoSession, SrtpSessionData};
///
/// let data = SrtpSessionData { ssrc: 0x1234_5678, index: None };
/// let session = Session::from(&CryptoSession::srtp(1, &[0], Some(data), &[7])?);
/// assert_eq!((session.ssrc(), session.roc(), session.spi()), (Some(0x1234_5678), 0, &[7][..]));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
impl From<&CryptoSession<'_>> for Session {
    fn from(session: &CryptoSession<'_>) -> Self {
        let (ssrc, roc, seq, data) = match session.session_data() {
            SessionData::Srtp(SrtpSessionData { ssrc, index }) => (
                Some(ssrc),
                index.map_or(0, |(roc, _)| roc),
                index.map(|(_, seq)| seq),
                Vec::new(),
            ),
            SessionData::Octets(octets) => (None, 0, None, octets.to_vec()),
            SessionData::Absent => (None, 0, None, Vec::new()),
        };
        Self {
            cs_id: session.cs_id(),
            prot_type: session.prot_type(),
            policies: session.policies().to_vec(),
            ssrc,
            roc,
            seq,
            data,
            spi: session.spi().to_vec(),
        }
    }
}

/// The crypto sessions of a bundle, owned, in the form of the map that they came in.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    map_type: CsIdMapType,
    /// Only for the Empty map.
    count: u8,
    list: Vec<Session>,
}

impl Sessions {
    pub(super) fn from_map(map: CsIdMap<'_>) -> Self {
        let list = match map {
            CsIdMap::SrtpId(map) => (1..=u8::MAX).zip(map.iter()).map(from_srtp_id).collect(),
            CsIdMap::GenericId(map) => map.iter().map(|session| Session::from(&session)).collect(),
            CsIdMap::Empty { .. } => Vec::new(),
        };
        Self {
            map_type: map.map_type(),
            count: map.cs_count(),
            list,
        }
    }

    pub(super) fn as_slice(&self) -> &[Session] {
        &self.list
    }

    /// Fills the SSRCs that the Initiator left to the Responder, in order.
    pub(super) fn choose_ssrcs(&mut self, ssrcs: &[u32]) -> Result<(), ExchangeError> {
        let open = self
            .list
            .iter()
            .filter(|session| session.awaits_ssrc())
            .count();
        if open != ssrcs.len() || ssrcs.contains(&0) {
            return Err(ExchangeError::Mismatch);
        }
        let placeholders = self.list.iter_mut().filter(|session| session.awaits_ssrc());
        for (session, ssrc) in placeholders.zip(ssrcs) {
            session.ssrc = Some(*ssrc);
        }
        Ok(())
    }

    /// What the Responder made of it; it may fill what was left open and nothing else.
    pub(super) fn answered(&self, answer: CsIdMap<'_>) -> Result<Self, ExchangeError> {
        let answer = Self::from_map(answer);
        let same = answer.map_type == self.map_type
            && answer.count == self.count
            && self.list.len() == answer.list.len()
            && self
                .list
                .iter()
                .zip(&answer.list)
                .all(|(ours, theirs)| ours.allows(theirs));
        if same {
            Ok(answer)
        } else {
            Err(ExchangeError::Mismatch)
        }
    }

    /// Gives each session one of `chosen`, the policies that the Responder of RSA-R has taken of those
    /// proposed ([RFC 4738 §3.6]).
    ///
    /// An SRTP-ID map names one policy, however many were proposed for its session, and a session of
    /// a GENERIC-ID map may leave it open: these have the one that was chosen, if it is one. What a
    /// session lists is kept to.
    ///
    /// [RFC 4738 §3.6]: https://www.rfc-editor.org/rfc/rfc4738#section-3.6
    pub(super) fn choose_policies(&mut self, chosen: &[Policy]) -> Result<(), ExchangeError> {
        let unsupported = ExchangeError::UnsupportedPolicy;
        let number_for = |session: &Session| {
            let fitting = chosen
                .iter()
                .filter(|policy| policy.prot_type == session.prot_type);
            let fitting: Vec<u8> = fitting.map(|policy| policy.number).collect();
            let listed = &session.policies;
            let open = self.map_type == CsIdMapType::SrtpId || listed.is_empty();
            match (
                listed.iter().find(|number| fitting.contains(number)),
                fitting.as_slice(),
            ) {
                (Some(number), _) => Ok(Some(*number)),
                (None, [only]) if open => Ok(Some(*only)),
                // Of a protocol without policies.
                (None, []) if listed.is_empty() => Ok(None),
                (None, _) => Err(unsupported),
            }
        };
        let numbers = self.list.iter().map(number_for);
        let numbers = numbers.collect::<Result<Vec<Option<u8>>, ExchangeError>>()?;
        for (session, number) in self.list.iter_mut().zip(numbers) {
            session.policies = number.into_iter().collect();
        }
        Ok(())
    }

    /// As [`answered`](Self::answered), where the Responder has chosen `policies` for the sessions,
    /// or has filled in the sessions altogether ([RFC 4738 §3.6]).
    ///
    /// [RFC 4738 §3.6]: https://www.rfc-editor.org/rfc/rfc4738#section-3.6
    pub(super) fn answered_with(
        &self,
        answer: CsIdMap<'_>,
        policies: &[Policy],
    ) -> Result<Self, ExchangeError> {
        if self.count == 0 {
            return Ok(Self::from_map(answer));
        }
        let mut ours = self.clone();
        if self.map_type == CsIdMapType::SrtpId && answer.map_type() == self.map_type {
            let theirs = Self::from_map(answer);
            for (session, answer) in ours.list.iter_mut().zip(theirs.list) {
                let chosen = |number| policies.iter().any(|policy| policy.number == number);
                if answer.policies.iter().copied().all(chosen) {
                    session.policies = answer.policies;
                }
            }
        }
        ours.answered(answer)
    }

    /// Gives the map to `write`, which needs it no longer than that.
    pub(super) fn with_map<R>(
        &self,
        write: impl FnOnce(CsIdMap<'_>) -> R,
    ) -> Result<R, EncodeError> {
        match self.map_type {
            CsIdMapType::SrtpId => {
                let sessions: Vec<SrtpIdSession> = self.list.iter().map(to_srtp_id).collect();
                Ok(write(CsIdMap::SrtpId(SrtpIdMap::new(&sessions)?)))
            }
            CsIdMapType::GenericId => {
                let sessions = self
                    .list
                    .iter()
                    .map(to_generic)
                    .collect::<Result<Vec<CryptoSession<'_>>, EncodeError>>()?;
                Ok(write(CsIdMap::GenericId(GenericIdMap::new(&sessions)?)))
            }
            _ => Ok(write(CsIdMap::Empty {
                cs_count: self.count,
            })),
        }
    }
}

impl Session {
    const fn awaits_ssrc(&self) -> bool {
        matches!(self.prot_type, ProtType::Srtp) && self.ssrc.is_none()
    }

    /// Whether `answer` only fills what this session leaves open.
    fn allows(&self, answer: &Self) -> bool {
        self.cs_id == answer.cs_id
            && self.prot_type == answer.prot_type
            && (self.ssrc.is_none()
                || (self.ssrc, self.roc, self.seq) == (answer.ssrc, answer.roc, answer.seq))
            && (self.policies == answer.policies
                || self.policies.is_empty()
                || (answer.policies.len() == 1
                    && answer
                        .policies
                        .iter()
                        .all(|policy| self.policies.contains(policy))))
            && (self.spi.is_empty() || self.spi == answer.spi)
            && (self.data.is_empty() || self.data == answer.data)
    }
}

fn from_srtp_id((cs_id, session): (u8, SrtpIdSession)) -> Session {
    Session {
        cs_id,
        prot_type: ProtType::Srtp,
        policies: alloc::vec![session.policy_no],
        ssrc: (session.ssrc != 0).then_some(session.ssrc),
        roc: session.roc,
        seq: None,
        data: Vec::new(),
        spi: Vec::new(),
    }
}

fn to_srtp_id(session: &Session) -> SrtpIdSession {
    SrtpIdSession {
        policy_no: session.policies.first().copied().unwrap_or(0),
        ssrc: session.ssrc.unwrap_or(0),
        roc: session.roc,
    }
}

fn to_generic(session: &Session) -> Result<CryptoSession<'_>, EncodeError> {
    if session.prot_type == ProtType::Srtp {
        let data = session.ssrc.map(|ssrc| SrtpSessionData {
            ssrc,
            index: session.seq.map(|seq| (session.roc, seq)),
        });
        CryptoSession::srtp(session.cs_id, &session.policies, data, &session.spi)
    } else {
        CryptoSession::new(
            session.cs_id,
            session.prot_type,
            &session.policies,
            &session.data,
            &session.spi,
        )
    }
}

/// A security policy of an established bundle, owned ([RFC 3830 §6.10]).
///
/// [RFC 3830 §6.10]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    number: u8,
    prot_type: ProtType,
    params: Vec<(u8, Vec<u8>)>,
}

impl Policy {
    pub(super) fn from_payload(policy: &SecurityPolicy<'_>) -> Self {
        let params = policy
            .params()
            .map(|param| (param.param_type(), param.value().to_vec()));
        Self {
            number: policy.policy_no(),
            prot_type: policy.prot_type(),
            params: params.collect(),
        }
    }

    /// The number that crypto sessions name it by.
    #[must_use]
    pub const fn policy_no(&self) -> u8 {
        self.number
    }

    /// The security protocol that it is for.
    #[must_use]
    pub const fn prot_type(&self) -> ProtType {
        self.prot_type
    }

    /// The value of the parameter of type `param_type`, if it is set.
    #[must_use]
    pub fn param(&self, param_type: u8) -> Option<&[u8]> {
        let found = self.params.iter().find(|(kind, _)| *kind == param_type);
        found.map(|(_, value)| value.as_slice())
    }

    /// The parameters, as they can be written again.
    ///
    /// # Errors
    ///
    /// None for a policy that came in a message.
    pub fn params(&self) -> Result<Vec<PolicyParam<'_>>, EncodeError> {
        self.params
            .iter()
            .map(|(kind, value)| PolicyParam::new(*kind, value))
            .collect()
    }
}
