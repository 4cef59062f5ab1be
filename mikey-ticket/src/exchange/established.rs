use alloc::vec::Vec;
use core::fmt;

use mikey::code_points::{PayloadType, ProtType};
use mikey::derive::{CsbDerivation, Secret, SessionKey};
use mikey::exchange::{KeyKind, KeyMaterial, Session};
use mikey::payload::{CsIdMap, Payload, SrtpPolicy};
use mikey::{Identity, Message};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::exchange::update::Link;
use crate::message::rands;
use crate::{Policy, Strength, TicketError};

/// Sessions, SRTP policies and keys, as one message after the other tells them.
pub(crate) struct Bundle {
    sessions: Vec<Session>,
    policies: Vec<(u8, ProtType, Option<SrtpPolicy>)>,
    keys: Vec<KeyMaterial>,
    /// What the CS IDs stood for that an update has taken out.
    retired: Vec<(u8, ProtType)>,
}

impl Bundle {
    /// The sessions of a TRANSFER_INIT.
    pub(crate) fn of(message: &Message<'_>) -> Result<Self, TicketError> {
        let mut bundle = Self {
            sessions: sessions(message)?,
            policies: Vec::new(),
            keys: Vec::new(),
            retired: Vec::new(),
        };
        bundle.add_policies(message)?;
        Ok(bundle)
    }

    /// The sessions as a TRANSFER_RESP has them ([RFC 6043 §4.2.2.3]): each that was offered, of
    /// one of the policies that were offered.
    ///
    /// [RFC 6043 §4.2.2.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2.3
    pub(crate) fn answered(&self, message: &Message<'_>) -> Result<Self, TicketError> {
        let mut bundle = Self {
            sessions: sessions(message)?,
            policies: self.policies.clone(),
            keys: self.keys.iter().map(KeyMaterial::duplicate).collect(),
            retired: Vec::new(),
        };
        bundle.add_policies(message)?;
        for offered in &self.sessions {
            let answer = bundle
                .session(offered.cs_id())
                .ok_or(TicketError::Mismatch)?;
            if answer.prot_type() != offered.prot_type() {
                return Err(TicketError::Mismatch);
            }
            let chosen = |number| offered.policies().contains(number);
            let one = answer.policies().len() == 1 && answer.policies().iter().all(chosen);
            if !(offered.policies().is_empty() || one) {
                return Err(TicketError::UnsupportedSessions);
            }
        }
        Ok(bundle)
    }

    /// Numbers of Security Policies mean one thing each.
    fn add_policies(&mut self, message: &Message<'_>) -> Result<(), TicketError> {
        for payload in message.payloads() {
            if let Payload::Sp(sp) = payload {
                let (number, prot_type) = (sp.policy_no(), sp.prot_type());
                if self.policies.iter().any(|policy| policy.0 == number) {
                    return Err(TicketError::UnsupportedSessions);
                }
                let srtp = match prot_type {
                    ProtType::Srtp => SrtpPolicy::of(&sp).ok(),
                    _ => None,
                };
                self.policies.push((number, prot_type, srtp));
            }
        }
        Ok(())
    }

    /// An SPI names one key, and a key has one SPI: what is said of a key is not evaded under another
    /// name, nor rekeying by the same key once more.
    pub(crate) fn add_keys(&mut self, keys: &[KeyMaterial]) -> Result<(), TicketError> {
        for key in keys {
            let same = |other: &KeyMaterial| {
                other.spi() == key.spi() || bool::from(other.key().ct_eq(key.key()))
            };
            if self.keys.iter().any(same) {
                return Err(TicketError::UnexpectedPayload(PayloadType::KeyData));
            }
            self.keys.push(key.duplicate());
        }
        Ok(())
    }

    /// Whether every SRTP session has what it needs, and every session a key.
    pub(crate) fn check_complete(&self) -> Result<(), TicketError> {
        let complete = self.sessions.iter().all(|session| {
            let srtp = session.prot_type() == ProtType::Srtp;
            let policy = match session.policies() {
                [] => !srtp,
                [number] => {
                    let mut known = self.policies.iter();
                    known.any(|known| known.0 == *number && known.1 == session.prot_type())
                }
                _ => false,
            };
            policy && (!srtp || session.ssrc().is_some()) && self.key_of(session).is_some()
        });
        if complete && self.teks_have_one_use() {
            Ok(())
        } else {
            Err(TicketError::UnsupportedSessions)
        }
    }

    /// A TEK is used as it is, so it must not key two security protocols; from a TGK every session
    /// has another key by its CS ID.
    pub(super) fn teks_have_one_use(&self) -> bool {
        self.sharing_a_tek()
            .all(|(one, other)| one.prot_type() == other.prot_type())
    }

    /// Pairs of sessions with the same TEK.
    fn sharing_a_tek(&self) -> impl Iterator<Item = (&Session, &Session)> {
        let sessions = self.sessions.iter().enumerate();
        sessions.flat_map(move |(index, one)| {
            let before = self.sessions.iter().take(index);
            before
                .filter(move |other| same(self.tek_of(one), self.tek_of(other)))
                .map(move |other| (one, other))
        })
    }

    /// The TEK of a session, if it has one.
    fn tek_of(&self, session: &Session) -> Option<&Secret> {
        let key = self.key_of(session)?;
        (key.kind() == KeyKind::Tek).then_some(key.key())
    }

    /// The other sessions of SRTP with the same TEK.
    #[cfg(feature = "srtp")]
    pub(super) fn streams_with_tek_of(&self, session: &Session) -> impl Iterator<Item = &Session> {
        let (cs_id, tek) = (session.cs_id(), self.tek_of(session));
        self.sessions.iter().filter(move |other| {
            let srtp = other.cs_id() != cs_id && other.prot_type() == ProtType::Srtp;
            srtp && same(tek, self.tek_of(other))
        })
    }

    /// The sessions as an update has them; keys and policies that none of them names are dropped
    /// ([RFC 6043 §5.2]).
    ///
    /// [RFC 6043 §5.2]: https://www.rfc-editor.org/rfc/rfc6043#section-5.2
    pub(super) fn updated(
        &self,
        message: &Message<'_>,
        keys: &[KeyMaterial],
    ) -> Result<Self, TicketError> {
        let mut bundle = Self {
            sessions: sessions(message)?,
            policies: self.policies.clone(),
            keys: self.keys.iter().map(KeyMaterial::duplicate).collect(),
            retired: self.retired.clone(),
        };
        // The key of a CS ID does not depend on the security protocol, so that must stay, also when
        // the CS ID was gone for a while.
        let before = self.sessions.iter().map(|s| (s.cs_id(), s.prot_type()));
        for (cs_id, prot_type) in self.retired.iter().copied().chain(before) {
            let again = bundle.session(cs_id);
            if again.is_some_and(|again| again.prot_type() != prot_type) {
                return Err(TicketError::Mismatch);
            }
            if again.is_none() && !bundle.retired.contains(&(cs_id, prot_type)) {
                bundle.retired.push((cs_id, prot_type));
            }
        }
        bundle.add_policies(message)?;
        bundle.add_keys(keys)?;
        bundle.check_complete()?;
        // Nor does a TEK depend on the CS ID.
        let turned = self.sessions.iter().any(|old| {
            let mut others = bundle
                .sessions
                .iter()
                .filter(|now| now.prot_type() != old.prot_type());
            others.any(|now| same(self.tek_of(old), bundle.tek_of(now)))
        });
        if turned {
            return Err(TicketError::UnsupportedSessions);
        }
        let Self {
            sessions,
            policies,
            keys,
            ..
        } = &mut bundle;
        policies.retain(|policy| sessions.iter().any(|s| s.policies().contains(&policy.0)));
        if sessions.iter().all(|session| !session.spi().is_empty()) {
            keys.retain(|key| sessions.iter().any(|s| key.spi() == Some(s.spi())));
        }
        Ok(bundle)
    }

    pub(crate) fn keys(&self) -> &[KeyMaterial] {
        &self.keys
    }

    pub(crate) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    fn session(&self, cs_id: u8) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|session| session.cs_id() == cs_id)
    }

    fn key_of(&self, session: &Session) -> Option<&KeyMaterial> {
        match (session.spi(), self.keys.as_slice()) {
            ([], [key]) => Some(key),
            ([], _) => None,
            (spi, keys) => keys.iter().find(|key| key.spi() == Some(spi)),
        }
    }
}

/// Whether both have the same TEK.
fn same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
    one.zip(other)
        .is_some_and(|(one, other)| bool::from(one.ct_eq(other)))
}

/// GENERIC-ID is the only map that a transfer has, and each CS ID is there once.
fn sessions(message: &Message<'_>) -> Result<Vec<Session>, TicketError> {
    let CsIdMap::GenericId(map) = message.header().cs_id_map() else {
        return Err(TicketError::UnsupportedSessions);
    };
    if map.iter().any(|session| map.get(session.cs_id()).is_none()) {
        return Err(TicketError::UnsupportedSessions);
    }
    Ok(map.iter().map(|session| Session::from(&session)).collect())
}

/// The RANDs that the G and H flags let into the derivation from a TGK ([RFC 6043 §5.1.3]).
///
/// [RFC 6043 §5.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.3
pub(crate) struct Freshness {
    strength: Strength,
    derivation: CsbDerivation,
}

impl Freshness {
    pub(crate) fn new(policy: &Policy, rand_i: &[u8], rand_r: &[u8]) -> Result<Self, TicketError> {
        let flags = policy.flags();
        let rand_i = if flags.initiator_rand { rand_i } else { &[] };
        let rand_r = if flags.responder_rand { rand_r } else { &[] };
        let strength = policy.strength();
        let derivation = CsbDerivation::ticket(strength.prf(), rands(rand_i, rand_r)?);
        Ok(Self {
            strength,
            derivation,
        })
    }
}

/// A crypto session bundle with its keys, agreed with a peer ([RFC 6043 §4.2.2]).
///
/// The crate's own example runs all six messages to here.
///
/// [RFC 6043 §4.2.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.2
pub struct Established {
    pub(super) peer: Identity,
    pub(super) bundle: Bundle,
    freshness: Freshness,
    pub(super) link: Link,
}

impl Established {
    pub(super) const fn new(
        peer: Identity,
        bundle: Bundle,
        freshness: Freshness,
        link: Link,
    ) -> Self {
        Self {
            peer,
            bundle,
            freshness,
            link,
        }
    }

    /// Who the peer is.
    ///
    /// # Security
    ///
    /// For a Responder it is the Initiator that the ticket names. For an Initiator it is one whom
    /// the ticket allows: with forking the KMS vouches for who it is; without, everyone that may
    /// resolve the ticket could have answered, and with F = 0 nobody has.
    #[must_use]
    pub const fn peer(&self) -> &Identity {
        &self.peer
    }

    /// Compares the peer with the one that is expected (TR 33.829 §8.3.1.2).
    ///
    /// # Errors
    ///
    /// [`TicketError::UnknownIdentity`] if it is another: end the call.
    pub fn check_peer(&self, expected: &Identity) -> Result<(), TicketError> {
        if self.peer == *expected {
            Ok(())
        } else {
            Err(TicketError::UnknownIdentity)
        }
    }

    /// The crypto sessions.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        self.bundle.sessions()
    }

    /// Fills `out` with a key of session `cs_id`: a TEK or salt that was sent, or one derived from
    /// the TGK or GTGK that its SPI names ([RFC 6043 §5.1.3]).
    ///
    /// # Errors
    ///
    /// [`TicketError::Mismatch`] without such a session or key, [`TicketError::KeyLength`] if a key
    /// that was sent has another length, or `out` asks for more than the algorithms may give. `out`
    /// is unchanged then.
    ///
    /// [RFC 6043 §5.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.3
    pub fn session_key(
        &self,
        cs_id: u8,
        key: SessionKey,
        out: &mut [u8],
    ) -> Result<(), TicketError> {
        let session = self.bundle.session(cs_id).ok_or(TicketError::Mismatch)?;
        let material = self.bundle.key_of(session).ok_or(TicketError::Mismatch)?;
        let sent = match (key, material.kind()) {
            (SessionKey::Salt, _) if material.salt().is_some() => material.salt(),
            (SessionKey::Tek, KeyKind::Tek) => Some(material.key().expose()),
            (_, KeyKind::Tek) => return Err(TicketError::Mismatch),
            _ => None,
        };
        if !self
            .freshness
            .strength
            .suite()
            .allows_session_key_of(out.len())
        {
            return Err(TicketError::KeyLength);
        }
        match sent {
            Some(sent) if sent.len() == out.len() => out.copy_from_slice(sent),
            Some(_) => return Err(TicketError::KeyLength),
            None => self
                .freshness
                .derivation
                .derive(material.key(), key, cs_id, out),
        }
        Ok(())
    }

    /// The PSK of a TLS session: the TEK of its crypto session (TR 33.829 §D.2).
    ///
    /// Which Prot Type is that of TLS the code points say: with
    /// [`profile::tls::psk`](crate::profile::tls::psk) the session has it. Here it is not SRTP, whose
    /// master key must never become a PSK.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnsupportedSessions`] for a session of SRTP or TESLA; otherwise as of
    /// [`session_key`](Self::session_key).
    pub fn tls_psk(&self, cs_id: u8) -> Result<Secret, TicketError> {
        let session = self.bundle.session(cs_id).ok_or(TicketError::Mismatch)?;
        if matches!(session.prot_type(), ProtType::Srtp | ProtType::Tesla) {
            return Err(TicketError::UnsupportedSessions);
        }
        let material = self.bundle.key_of(session).ok_or(TicketError::Mismatch)?;
        let len = match material.kind() {
            KeyKind::Tek => material.key().expose().len(),
            _ => self.freshness.strength.key_len(),
        };
        let mut psk = Zeroizing::new(alloc::vec![0; len]);
        self.session_key(cs_id, SessionKey::Tek, &mut psk)?;
        Ok(Secret::new(&psk)?)
    }

    /// The content key of PSK/MIME: the TEK that the Initiator sent (TR 33.829 annex E).
    ///
    /// `None` unless it is the only key there is, of the only session, which is not SRTP.
    #[must_use]
    pub fn content_key(&self) -> Option<&Secret> {
        match (self.bundle.sessions.as_slice(), self.bundle.keys.as_slice()) {
            ([session], [key])
                if session.prot_type() != ProtType::Srtp && key.kind() == KeyKind::Tek =>
            {
                Some(key.key())
            }
            _ => None,
        }
    }

    /// Whether two sessions have the same TEK.
    pub(crate) fn shares_a_tek(&self) -> bool {
        self.bundle.sharing_a_tek().next().is_some()
    }

    #[cfg(feature = "srtp")]
    pub(super) fn srtp_policy(&self, session: &Session) -> Option<SrtpPolicy> {
        let [number] = session.policies() else {
            return None;
        };
        let found = self
            .bundle
            .policies
            .iter()
            .find(|(known, ..)| known == number);
        found.and_then(|(_, _, policy)| *policy)
    }
}

impl fmt::Debug for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Established")
            .field("peer", &self.peer)
            .field("sessions", &self.bundle.sessions)
            .finish_non_exhaustive()
    }
}
