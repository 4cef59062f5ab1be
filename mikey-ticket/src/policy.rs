use alloc::vec::Vec;

use mikey::code_points::{EncrAlg, IdRole, MacAlg, PayloadType, TicketType, TsRole};
use mikey::derive::Secret;
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{
    Idr, Kemac, Mac, Payload, TicketFlagRule, TicketFlags, TicketKind, TicketPolicy, Tr, TsValue,
};
use mikey::{Chain, EncodeError, Identity, Timestamp};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{Recipient, Strength, TicketError};

/// The first moment of the second era of NTP, 7 February 2036: TRs and TRe are read within 68 years
/// of it ([RFC 6043 §6.10](https://www.rfc-editor.org/rfc/rfc6043#section-6.10)).
const ERA_1: u64 = 2_085_978_496;

/// A session key that is asked of the KMS: kind, octets, SPI ([RFC 6043 §6.10]).
///
/// ```
/// use mikey::exchange::KeyKind;
/// use mikey_ticket::KeyRequest;
///
/// let tgk = KeyRequest { kind: KeyKind::Tgk, len: 16, salt_len: None, spi: vec![1] };
/// assert_eq!(tgk.spi, [1]);
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[allow(
    clippy::exhaustive_structs,
    reason = "what a Key data sub-payload says"
)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRequest {
    /// TGK, GTGK or TEK.
    pub kind: KeyKind,
    /// Octets of the key.
    pub len: usize,
    /// Octets of its salt, if it shall have one of its own.
    pub salt_len: Option<usize>,
    /// Its SPI; for SRTP the MKI.
    pub spi: Vec<u8>,
}

impl KeyRequest {
    fn generate<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Result<KeyMaterial, TicketError> {
        let key = KeyMaterial::new(self.kind, Secret::random(self.len, rng)?).with_spi(&self.spi);
        Ok(match self.salt_len {
            None => key,
            Some(len) => {
                let mut salt = Zeroizing::new(alloc::vec![0; len]);
                rng.fill_bytes(&mut salt);
                key.with_salt(&salt)
            }
        })
    }

    fn blank(&self) -> Result<KeyMaterial, TicketError> {
        let key = Secret::new(&alloc::vec![0; self.len])?;
        let key = KeyMaterial::new(self.kind, key).with_spi(&self.spi);
        Ok(match self.salt_len {
            None => key,
            Some(len) => key.with_salt(&alloc::vec![0; len]),
        })
    }

    fn of(key: &KeyMaterial) -> Result<Self, TicketError> {
        Ok(Self {
            kind: key.kind(),
            len: key.key().expose().len(),
            salt_len: key.salt().map(<[u8]>::len),
            spi: key.spi().ok_or(PolicyError::NoSpi)?.to_vec(),
        })
    }
}

/// A Ticket Policy: who may use a ticket for what, when and how ([RFC 6043 §6.10]).
///
/// Made by the one who asks, changed perhaps by the KMS, checked by everyone who receives it: a
/// value of this type always keeps the rules of the standard.
///
/// ```
/// use mikey::Identity;
/// use mikey_ticket::{Policy, PolicyError, Recipient, Strength};
///
/// let bob = Recipient::new(Identity::uri("sip:bob@example.com").map_err(|_| PolicyError::NoRecipient)?);
/// let policy = Policy::new(Strength::Bits256, Policy::FORKED, vec![bob])?;
/// assert!(policy.flags().forking && policy.flags().response);
/// # Ok::<(), PolicyError>(())
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    strength: Strength,
    flags: TicketFlags,
    kms: Option<Identity>,
    initiator: Option<Identity>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    rekeying: Option<u32>,
    applications: Vec<Identity>,
    recipients: Vec<Recipient>,
    keys: Option<Vec<KeyRequest>>,
}

impl Policy {
    /// Mode 1 with keys of their own for each Responder, fresh from both sides: what IMS media
    /// asks for (D E F G H I N O).
    pub const FORKED: TicketFlags = TicketFlags {
        kms_generated: true,
        resolve_mandatory: true,
        response: true,
        responder_rand: true,
        initiator_rand: true,
        forking: true,
        plain_initiator: true,
        plain_responder: true,
        ..TicketFlags::NONE
    };

    /// Mode 1 without forking (D E F G H N O).
    pub const SHARED: TicketFlags = TicketFlags {
        forking: false,
        ..Self::FORKED
    };

    /// A policy of `flags` for `recipients`, valid at all times, for all applications, with the
    /// keys that the KMS chooses.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for flags that contradict one another, and for no recipient.
    pub fn new(
        strength: Strength,
        flags: TicketFlags,
        recipients: Vec<Recipient>,
    ) -> Result<Self, PolicyError> {
        let policy = Self {
            strength,
            flags,
            kms: None,
            initiator: None,
            start: None,
            end: None,
            rekeying: None,
            applications: Vec::new(),
            recipients,
            keys: None,
        };
        policy.check()?;
        Ok(policy)
    }

    /// Valid from `start` to `end`, TRs and TRe.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Validity`] if it ends before it begins, or a time lies outside of 1968-2104.
    pub fn with_validity(
        mut self,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Result<Self, PolicyError> {
        (self.start, self.end) = (start, end);
        self.check()?;
        Ok(self)
    }

    /// New keys at least every `seconds`, TRr.
    #[must_use]
    pub const fn with_rekeying_interval(mut self, seconds: u32) -> Self {
        self.rekeying = Some(seconds);
        self
    }

    /// Only for these applications, IDRapp.
    #[must_use]
    pub fn with_applications(mut self, applications: Vec<Identity>) -> Self {
        self.applications = applications;
        self
    }

    /// Names a KMS that can resolve the ticket, IDRkms.
    #[must_use]
    pub fn with_kms(mut self, kms: Identity) -> Self {
        self.kms = Some(kms);
        self
    }

    /// Names who asked for the ticket, or made it, IDRi.
    #[must_use]
    pub fn with_initiator(mut self, initiator: Identity) -> Self {
        self.initiator = Some(initiator);
        self
    }

    /// With these session keys in the ticket; with none if the list is empty.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for a key that the algorithms must not carry, or that lacks an SPI of its
    /// own, and for a TGK that would be forked without a response.
    pub fn with_keys(mut self, keys: Vec<KeyRequest>) -> Result<Self, PolicyError> {
        self.keys = Some(keys);
        self.check()?;
        Ok(self)
    }

    /// With other flags, as a KMS grants them.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for flags that contradict one another.
    pub fn with_flags(mut self, flags: TicketFlags) -> Result<Self, PolicyError> {
        self.flags = flags;
        self.check()?;
        Ok(self)
    }

    /// For other recipients, as a KMS grants them.
    ///
    /// # Errors
    ///
    /// [`PolicyError::NoRecipient`] for none.
    pub fn with_recipients(mut self, recipients: Vec<Recipient>) -> Result<Self, PolicyError> {
        self.recipients = recipients;
        self.check()?;
        Ok(self)
    }

    /// The algorithms.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        self.strength
    }

    /// The flags.
    #[must_use]
    pub const fn flags(&self) -> TicketFlags {
        self.flags
    }

    /// IDRkms.
    #[must_use]
    pub const fn kms(&self) -> Option<&Identity> {
        self.kms.as_ref()
    }

    /// IDRi: who asked for the ticket or made it.
    #[must_use]
    pub const fn initiator(&self) -> Option<&Identity> {
        self.initiator.as_ref()
    }

    /// TRs: when validity begins.
    #[must_use]
    pub const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// TRe: when validity ends.
    #[must_use]
    pub const fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// TRr: most seconds between two rekeyings.
    #[must_use]
    pub const fn rekeying_interval(&self) -> Option<u32> {
        self.rekeying
    }

    /// IDRapp: the applications; none means all.
    #[must_use]
    pub fn applications(&self) -> &[Identity] {
        &self.applications
    }

    /// IDRr: who may resolve the ticket.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The session keys that are asked for; `None` leaves them to the KMS. Never in a ticket.
    #[must_use]
    pub fn keys(&self) -> Option<&[KeyRequest]> {
        self.keys.as_deref()
    }

    /// Whether `identity` may resolve the ticket.
    #[must_use]
    pub fn allows_recipient(&self, identity: &Identity) -> bool {
        self.recipients
            .iter()
            .any(|recipient| recipient.names(identity))
    }

    /// Whether the ticket may be used at `now`.
    ///
    /// # Errors
    ///
    /// [`TicketError::NotYetValid`] before TRs, [`TicketError::Expired`] after TRe.
    pub fn check_time(&self, now: Timestamp) -> Result<(), TicketError> {
        if self.start.is_some_and(|start| now < start) {
            return Err(TicketError::NotYetValid);
        }
        if self.end.is_some_and(|end| now > end) {
            return Err(TicketError::Expired);
        }
        Ok(())
    }

    /// Whether the ticket may be used for `application`.
    ///
    /// # Errors
    ///
    /// [`TicketError::WrongApplication`] if IDRapp names others, or `application` is unknown.
    pub fn check_application(&self, application: Option<&Identity>) -> Result<(), TicketError> {
        let named = |application| self.applications.contains(application);
        if self.applications.is_empty() || application.is_some_and(named) {
            Ok(())
        } else {
            Err(TicketError::WrongApplication)
        }
    }

    /// What a TP payload, or the policy of a TICKET payload, says.
    ///
    /// # Errors
    ///
    /// [`TicketError::UnsupportedTicket`] for another ticket type, [`TicketError::UnsupportedPrf`]
    /// for another PRF, [`TicketError::Policy`] for a policy that breaks the rules.
    pub fn from_payload(payload: &TicketPolicy<'_>) -> Result<Self, TicketError> {
        let kind = payload.kind();
        let base = (TicketType::MikeyBase, 1, 1);
        if (kind.ticket_type, kind.subtype, kind.version) != base {
            return Err(TicketError::UnsupportedTicket);
        }
        let rekeying = payload
            .data()
            .iter()
            .any(|payload| matches!(payload, Payload::Tr(tr) if tr.role == TsRole::Rekeying));
        if rekeying && payload.rekeying_interval().is_none() {
            return Err(PolicyError::RekeyingInterval.into());
        }
        let policy = Self {
            strength: Strength::from_prf_func(kind.prf_func)?,
            flags: kind.flags,
            kms: payload.kms().map(|id| Identity::from_payload(&id)),
            initiator: payload.initiator().map(|id| Identity::from_payload(&id)),
            start: payload.start().map(moment).transpose()?,
            end: payload.end().map(moment).transpose()?,
            rekeying: payload.rekeying_interval(),
            applications: payload
                .applications()
                .map(|id| Identity::from_payload(&id))
                .collect(),
            recipients: payload
                .responders()
                .map(|id| Recipient::new(Identity::from_payload(&id)))
                .collect(),
            keys: payload.kemac().map(|kemac| requested(&kemac)).transpose()?,
        };
        policy.check()?;
        Ok(policy)
    }

    /// Hands `write` the kind and TP Data of the policy, with the KEMAC of a request if `asking`.
    pub(crate) fn with_payload<T>(
        &self,
        asking: bool,
        write: impl FnOnce(TicketPolicy<'_>) -> Result<T, TicketError>,
    ) -> Result<T, TicketError> {
        let mut flags = self.flags;
        let mut wanted = Vec::new();
        if asking {
            flags.changed = false;
            let keys = self.keys.iter().flatten().map(KeyRequest::blank);
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            let keys = keys
                .iter()
                .map(|key| key.to_payload().map(Payload::KeyData));
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            Chain::new(&keys).encode_encrypted(&mut wanted)?;
        }
        let mut data = Vec::with_capacity(8);
        for (role, identity) in [
            (IdRole::Kms, &self.kms),
            (IdRole::Initiator, &self.initiator),
        ] {
            if let Some(identity) = identity {
                data.push(idr(role, identity)?);
            }
        }
        for (role, time) in [(TsRole::Start, self.start), (TsRole::End, self.end)] {
            if let Some(time) = time {
                let value = TsValue::NtpUtc(u64::from_be_bytes(time.ntp()));
                data.push(Payload::Tr(Tr { role, value }));
            }
        }
        if let Some(seconds) = self.rekeying {
            let (role, value) = (TsRole::Rekeying, TsValue::NtpUtc32(seconds));
            data.push(Payload::Tr(Tr { role, value }));
        }
        if asking && self.keys.is_some() {
            data.push(Payload::Kemac(Kemac::new(
                EncrAlg::Null,
                &wanted,
                Mac::NULL,
            )?));
        }
        for application in &self.applications {
            data.push(idr(IdRole::Application, application)?);
        }
        for recipient in &self.recipients {
            data.push(idr(IdRole::Responder, recipient.pattern())?);
        }
        let kind = TicketKind::mikey_base(self.strength.prf().prf_func(), flags);
        write(TicketPolicy::new(kind, &data)?)
    }

    /// The session keys of a ticket: those that are asked for, or one TGK.
    pub(crate) fn generate_keys<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
    ) -> Result<Vec<KeyMaterial>, TicketError> {
        if let Some(keys) = &self.keys {
            return keys.iter().map(|key| key.generate(rng)).collect();
        }
        let (kind, len) = (KeyKind::Tgk, self.strength.key_len());
        let mut spi = alloc::vec![0; 4];
        rng.fill_bytes(&mut spi);
        let default = KeyRequest {
            kind,
            len,
            salt_len: None,
            spi,
        };
        Ok(alloc::vec![default.generate(rng)?])
    }

    /// The policy without what only a request has, as it stands in the ticket.
    pub(crate) fn granted(&self, changed: bool) -> Self {
        let flags = TicketFlags {
            changed,
            ..self.flags
        };
        Self {
            flags,
            keys: None,
            ..self.clone()
        }
    }

    /// Whether `granted` is what `self` asked for, but for who the KMS and the Initiator are.
    pub(crate) fn is_granted_by(&self, granted: &Self) -> bool {
        let asked = Self {
            kms: granted.kms.clone(),
            initiator: granted.initiator.clone(),
            ..self.granted(false)
        };
        asked == granted.granted(false)
    }

    fn check(&self) -> Result<(), PolicyError> {
        self.flags.check().map_err(PolicyError::Flags)?;
        if self.recipients.is_empty() {
            return Err(PolicyError::NoRecipient);
        }
        let first = Timestamp::from_unix(ERA_1, 0).minus_seconds(1 << 31);
        let last = Timestamp::from_unix(ERA_1, 0).plus_seconds(1 << 31);
        let readable = |time: Option<Timestamp>| time.is_none_or(|t| first <= t && t < last);
        let ordered = self
            .start
            .zip(self.end)
            .is_none_or(|(start, end)| start <= end);
        if !(readable(self.start) && readable(self.end) && ordered) {
            return Err(PolicyError::Validity);
        }
        let Some(keys) = &self.keys else {
            return Ok(());
        };
        for (index, key) in keys.iter().enumerate() {
            if key.len < 16 || !self.strength.suite().allows_session_key_of(key.len) {
                return Err(PolicyError::KeyLength);
            }
            let known = keys.iter().take(index).any(|other| other.spi == key.spi);
            if key.spi.is_empty() || known {
                return Err(PolicyError::NoSpi);
            }
        }
        let tgk = keys.iter().any(|key| key.kind == KeyKind::Tgk);
        check_forking(self.flags, tgk)
    }
}

/// A TGK that is forked can only be used once the Initiator knows for whom ([RFC 6043 §6.10]).
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
pub(crate) const fn check_forking(flags: TicketFlags, tgk: bool) -> Result<(), PolicyError> {
    if flags.forking && tgk && !flags.response {
        return Err(PolicyError::ForkedTgkNeedsResponse);
    }
    Ok(())
}

pub(crate) fn idr(role: IdRole, identity: &Identity) -> Result<Payload<'_>, EncodeError> {
    Ok(Payload::Idr(Idr::new(role, identity.to_payload()?)))
}

fn moment(value: TsValue) -> Result<Timestamp, PolicyError> {
    match value {
        TsValue::NtpUtc(_) | TsValue::NtpUtc32(_) => {
            let near = Timestamp::from_unix(ERA_1, 0);
            Ok(Timestamp::from_ntp(value.to_u64().to_be_bytes(), near))
        }
        _ => Err(PolicyError::Validity),
    }
}

fn requested(kemac: &Kemac<'_>) -> Result<Vec<KeyRequest>, TicketError> {
    if kemac.encr_alg() != EncrAlg::Null || kemac.mac().alg() != MacAlg::Null {
        return Err(TicketError::UnexpectedPayload(PayloadType::Kemac));
    }
    let keys = Chain::decode_encrypted(kemac.encr_data(), PayloadType::KeyData)?;
    keys.keys()
        .map(|key| KeyRequest::of(&KeyMaterial::from_payload(&key)?))
        .collect()
}

/// A Ticket Policy breaks a rule of the standard; none was made ([RFC 6043 §6.10]).
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// The KMS changed the policy without saying so (K flag).
    #[error("the KMS changed the policy without saying so")]
    ChangedSilently,
    /// Flags that contradict one another.
    #[error("{0}")]
    Flags(#[from] TicketFlagRule),
    /// Forking with a TGK, but without a response.
    #[error("I and a TGK without F: who answers must be known")]
    ForkedTgkNeedsResponse,
    /// A key shorter than 128 bits, or longer than the algorithms may carry.
    #[error("a key is too short, or too long for the algorithms")]
    KeyLength,
    /// No IDRr.
    #[error("nobody may resolve the ticket")]
    NoRecipient,
    /// A key without an SPI of its own.
    #[error("a key has no SPI of its own")]
    NoSpi,
    /// A profile does not allow it.
    #[error("the profile does not allow this policy")]
    Profile,
    /// TRr is not of type NTP-UTC-32.
    #[error("the rekeying interval is not in seconds")]
    RekeyingInterval,
    /// A validity period that ends before it begins, or a time that cannot be read.
    #[error("the validity period is not one")]
    Validity,
}
