use alloc::vec::Vec;
use core::fmt;

use super::incoming::Incoming;
use super::sessions::Sessions;
use super::verification::Context;
use super::{ExchangeError, KeyKind, KeyMaterial, Policy, Proposal, Session};
use crate::code_points::DataType;
use crate::crypto::Suite;
use crate::derive::{CsbDerivation, MessageKeys, SessionKey};
use crate::payload::{CsIdMap, SecurityPolicy};
use crate::{Identity, MessageTime, ReplayError};

/// An established crypto session bundle: who it is with, its sessions, policies and keys
/// ([RFC 3830 §2.3]).
///
/// Made by a completed exchange and by nothing else. Keys are erased when it is dropped.
///
/// ```
/// use mikey::derive::{Secret, SessionKey};
/// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, null};
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
/// use mikey::{MessageTime, Timestamp};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
/// let time = MessageTime::Utc(Timestamp::from_unix(1_800_000_000, 0));
/// let (bundle, _message) =
///     null::send_in_secured_channel(&proposal, vec![tgk], None, time, &mut rng)?;
///
/// assert_eq!(bundle.sessions()[0].ssrc(), Some(0x1234_5678));
/// let mut tek = [0; 16];
/// assert!(bundle.session_key(1, SessionKey::Tek, &mut tek).is_ok());
/// assert!(bundle.session_key(2, SessionKey::Tek, &mut tek).is_err(), "no such session");
/// # Ok::<(), ExchangeError>(())
/// ```
///
/// [RFC 3830 §2.3]: https://www.rfc-editor.org/rfc/rfc3830#section-2.3
pub struct Bundle {
    /// The initial message that made it.
    pub(super) method: DataType,
    pub(super) role: Role,
    pub(super) parties: Option<Parties>,
    pub(super) csb_id: u32,
    pub(super) derivation: CsbDerivation,
    pub(super) keys: Vec<KeyMaterial>,
    pub(super) sessions: Sessions,
    pub(super) policies: Vec<Policy>,
    /// The last message of the Initiator: an update is later.
    pub(super) last: MessageTime,
    /// What protects updates, in the exchanges that keep a shared key.
    pub(super) protection: Option<MessageKeys>,
}

/// Which side of the exchange this host was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Initiator,
    Responder,
}

/// The identities of both sides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Parties {
    pub(super) local: Identity,
    pub(super) peer: Identity,
}

impl Parties {
    pub(super) const fn initiator(&self, role: Role) -> &Identity {
        match role {
            Role::Initiator => &self.local,
            Role::Responder => &self.peer,
        }
    }

    pub(super) const fn responder(&self, role: Role) -> &Identity {
        match role {
            Role::Initiator => &self.peer,
            Role::Responder => &self.local,
        }
    }
}

impl Bundle {
    /// The bundle of an exchange that is not in this crate, as those of MIKEY-TICKET.
    ///
    /// # Security
    ///
    /// Nothing is checked: call it with what a verified exchange has brought.
    #[must_use]
    pub fn from_established(established: Established<'_>) -> Self {
        let Established {
            local,
            peer,
            is_initiator,
            csb_id,
            derivation,
            keys,
            ..
        } = established;
        Self {
            method: established.data_type,
            role: if is_initiator {
                Role::Initiator
            } else {
                Role::Responder
            },
            parties: Some(Parties { local, peer }),
            csb_id,
            derivation,
            keys,
            sessions: Sessions::from_map(established.cs_id_map),
            policies: established
                .policies
                .iter()
                .map(Policy::from_payload)
                .collect(),
            last: established.time,
            protection: None,
        }
    }

    /// What an Initiator proposes by `method` at `time`. The keys are still to come.
    pub(super) fn proposed(
        method: DataType,
        parties: Option<Parties>,
        csb_id: u32,
        derivation: CsbDerivation,
        proposal: &Proposal<'_>,
        time: MessageTime,
    ) -> Self {
        Self {
            method,
            role: Role::Initiator,
            parties,
            csb_id,
            derivation,
            keys: Vec::new(),
            sessions: Sessions::from_map(proposal.cs_id_map()),
            policies: proposal
                .proposed_policies()
                .iter()
                .map(Policy::from_payload)
                .collect(),
            last: time,
            protection: None,
        }
    }

    /// What the initial message `init` proposes, which was made at `time`. The keys are still to
    /// come.
    pub(super) fn received(
        init: &Incoming<'_>,
        parties: Option<Parties>,
        derivation: CsbDerivation,
        time: MessageTime,
    ) -> Self {
        Self {
            method: init.header().data_type(),
            role: Role::Responder,
            parties,
            csb_id: init.header().csb_id(),
            derivation,
            keys: Vec::new(),
            sessions: Sessions::from_map(init.header().cs_id_map()),
            policies: init.policies(),
            last: time,
            protection: None,
        }
    }

    /// CSB ID.
    #[must_use]
    pub const fn csb_id(&self) -> u32 {
        self.csb_id
    }

    /// The authenticated peer; `None` if the exchange authenticates nobody (MIKEY-NULL).
    #[must_use]
    pub fn peer(&self) -> Option<&Identity> {
        self.parties.as_ref().map(|parties| &parties.peer)
    }

    /// Whether this host was the Initiator.
    #[must_use]
    pub const fn is_initiator(&self) -> bool {
        matches!(self.role, Role::Initiator)
    }

    /// The crypto sessions, in the order of the CS ID map.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        self.sessions.as_slice()
    }

    /// The crypto session with this CS ID.
    #[must_use]
    pub fn session(&self, cs_id: u8) -> Option<&Session> {
        self.sessions()
            .iter()
            .find(|session| session.cs_id() == cs_id)
    }

    /// The security policies, as the Initiator sent them.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy with this number.
    #[must_use]
    pub fn policy(&self, policy_no: u8) -> Option<&Policy> {
        self.policies
            .iter()
            .find(|policy| policy.policy_no() == policy_no)
    }

    /// The keys, in the order in which they were sent; in the DH exchanges the one agreed.
    #[must_use]
    pub fn keys(&self) -> &[KeyMaterial] {
        &self.keys
    }

    /// The key that session `cs_id` starts with: the one that its SPI names, else the first
    /// (TR 33.829 §D.1).
    #[must_use]
    pub fn key_of(&self, cs_id: u8) -> Option<&KeyMaterial> {
        let session = self.session(cs_id)?;
        if session.spi().is_empty() {
            return self.keys.first();
        }
        let mut named = self
            .keys
            .iter()
            .filter(|key| key.spi() == Some(session.spi()));
        let key = named.next()?;
        named.next().is_none().then_some(key)
    }

    /// Fills `out` with a key of session `cs_id`: derived from its TGK, or the TEK and its salt as
    /// they were sent ([RFC 3830 §4.1.3]). A salt that was sent is used in place of a derived one.
    ///
    /// For TLS the pre-shared key is [`SessionKey::Tek`] (TR 33.829 §D.2).
    ///
    /// # Errors
    ///
    /// [`NoSessionKey`] if there is no such session, no key for it, or what was sent has another
    /// length than `out`; `out` is unchanged.
    ///
    /// [RFC 3830 §4.1.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.3
    pub fn session_key(
        &self,
        cs_id: u8,
        key: SessionKey,
        out: &mut [u8],
    ) -> Result<(), NoSessionKey> {
        let material = self.key_of(cs_id).ok_or(NoSessionKey)?;
        self.key_from(material, cs_id, key, out)
    }

    /// As [`session_key`](Self::session_key), from one of several keys.
    pub(crate) fn key_from(
        &self,
        material: &KeyMaterial,
        cs_id: u8,
        key: SessionKey,
        out: &mut [u8],
    ) -> Result<(), NoSessionKey> {
        let sent = match (key, material.kind(), material.salt()) {
            (SessionKey::Salt, _, Some(salt)) => Some(salt),
            (SessionKey::Tek, KeyKind::Tek, _) => Some(material.key().expose()),
            (_, KeyKind::Tek, _) => return Err(NoSessionKey),
            _ => None,
        };
        match sent {
            Some(sent) if sent.len() == out.len() => out.copy_from_slice(sent),
            Some(_) => return Err(NoSessionKey),
            None => self.derivation.derive(material.key(), key, cs_id, out),
        }
        Ok(())
    }

    /// The parties, for an update by the messages of `method` that `role` may take part in.
    pub(super) fn updatable(
        &self,
        method: DataType,
        role: Role,
    ) -> Result<&Parties, ExchangeError> {
        match &self.parties {
            Some(parties) if self.method == method && self.role == role => Ok(parties),
            _ => Err(ExchangeError::UnsupportedDataType(method)),
        }
    }

    /// Whether an update of the Initiator made at `time` is later than its last message.
    ///
    /// Each message has a time of its own ([RFC 3830 §5.4]), so that the one with that of the last
    /// is the last again.
    ///
    /// [RFC 3830 §5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
    pub(super) fn check_order(&self, time: MessageTime) -> Result<(), ReplayError> {
        if time.is_after(self.last) {
            Ok(())
        } else if time == self.last {
            Err(ReplayError::Replayed)
        } else {
            Err(ReplayError::TooOld)
        }
    }

    /// The sessions of `map`, the CS ID map of an update, or those that are if it has none.
    pub(super) fn updated_sessions(&self, map: CsIdMap<'_>) -> Sessions {
        if map.cs_count() > 0 {
            Sessions::from_map(map)
        } else {
            self.sessions.clone()
        }
    }

    /// The sessions that an update proposes, or those that are.
    pub(super) fn proposed_sessions(&self, proposal: Option<&Proposal<'_>>) -> Sessions {
        self.updated_sessions(proposal.map_or(CsIdMap::NONE, Proposal::cs_id_map))
    }

    /// What verification messages cover beside the message.
    pub(super) fn context(&self) -> Result<Context<'_>, ExchangeError> {
        let parties = self
            .parties
            .as_ref()
            .ok_or(ExchangeError::UnknownIdentity)?;
        Ok(Context {
            initiator: parties.initiator(self.role),
            responder: parties.responder(self.role),
            csb_id: self.csb_id,
            prf_func: self.derivation.prf().prf_func(),
            time: self.last.to_payload(),
        })
    }

    /// The suite that protects updates, if a shared key does.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.protection.as_ref().map(MessageKeys::suite)
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("csb_id", &self.csb_id)
            .field("role", &self.role)
            .field("parties", &self.parties)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// What [`Bundle::from_established`] is made of.
///
/// ```
/// use mikey::code_points::DataType;
/// use mikey::derive::{CsbDerivation, Prf, Rands, Secret};
/// use mikey::exchange::{Bundle, Established, ExchangeError, KeyKind, KeyMaterial};
/// use mikey::payload::CsIdMap;
/// use mikey::{Identity, MessageTime, Timestamp};
///
/// let rands = Rands::new(&[1; 16], &[2; 16]).unwrap_or_default();
/// let bundle = Bundle::from_established(Established {
///     data_type: DataType::TransferInit,
///     local: Identity::uri("sip:bob@example.org")?,
///     peer: Identity::uri("sip:alice@example.org")?,
///     is_initiator: false,
///     csb_id: 7,
///     derivation: CsbDerivation::ticket(Prf::HmacSha256, rands),
///     keys: vec![KeyMaterial::new(KeyKind::Gtgk, Secret::new(&[3; 32])?)],
///     cs_id_map: CsIdMap::NONE,
///     policies: &[],
///     time: MessageTime::Utc(Timestamp::from_unix(1_800_000_000, 0)),
/// });
/// assert_eq!((bundle.csb_id(), bundle.is_initiator()), (7, false));
/// # Ok::<(), ExchangeError>(())
/// ```
#[allow(clippy::exhaustive_structs, reason = "a bundle has these parts")]
#[derive(Debug)]
pub struct Established<'a> {
    /// The data type of the initial message.
    pub data_type: DataType,
    /// This host.
    pub local: Identity,
    /// The authenticated peer.
    pub peer: Identity,
    /// Whether this host was the Initiator.
    pub is_initiator: bool,
    /// CSB ID.
    pub csb_id: u32,
    /// How session keys come from TGKs.
    pub derivation: CsbDerivation,
    /// The keys, forked where they are to be.
    pub keys: Vec<KeyMaterial>,
    /// The crypto sessions.
    pub cs_id_map: CsIdMap<'a>,
    /// Their policies.
    pub policies: &'a [SecurityPolicy<'a>],
    /// The time of the last message of the Initiator.
    pub time: MessageTime,
}

/// The bundle has no such key; nothing was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bundle has no such key for this crypto session")]
#[non_exhaustive]
pub struct NoSessionKey;
