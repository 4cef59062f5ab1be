use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::{Acceptance, ExchangeError, sessions::Policy, verification::Context};
use crate::code_points::{DataType, ErrorNo, GeneralExtensionType, PayloadType};
use crate::crypto::{Cipher, Mac, Suite};
use crate::derive::{MIN_SECRET_LEN, MessageKeys, Prf};
use crate::limits::MAX_CERTIFICATES;
use crate::payload::{
    self, Cert, CertHash, Dh, Extension, Header, Id, Kemac, Payload, Pke, SecurityPolicy, Sign,
    TsValue,
};
use crate::seam::Credentials;
use crate::{Identity, MessageTime, ReplayCache, SeenMessage, Timestamp};

/// What the MAC or signature of a message covers, once that has been verified.
#[derive(Clone, Copy)]
pub(super) struct Authenticated<'a>(&'a [u8]);

impl Authenticated<'_> {
    /// Tells the cache that the message of `sender` was accepted.
    ///
    /// The MAC or signature itself does not make it another message.
    pub(super) fn remember<C: ReplayCache + ?Sized>(
        self,
        cache: &mut C,
        sender: &Identity,
        time: MessageTime,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        let mut named = alloc::vec![sender.id_type().into()];
        named.extend_from_slice(sender.data());
        let digest = Sha256::new()
            .chain_update(Sha256::digest(&named))
            .chain_update(self.0)
            .finalize()
            .into();
        let message = SeenMessage::new(&digest, &named, time);
        Ok(cache.check_and_insert(&message, now)?)
    }
}

/// A message that was read and nothing more: each payload once, none that has no place in it.
pub(super) struct Incoming<'a> {
    octets: &'a [u8],
    header: Header<'a>,
    time: TsValue,
    rand: Option<&'a [u8]>,
    ids: Vec<Id<'a>>,
    policies: Vec<SecurityPolicy<'a>>,
    kemac: Option<Kemac<'a>>,
    verification: Option<payload::Mac<'a>>,
    dh: Vec<Dh<'a>>,
    certificates: Vec<Cert<'a>>,
    cert_hash: Option<CertHash<'a>>,
    pke: Option<Pke<'a>>,
    sign: Option<Sign<'a>>,
    group_csb_id: Option<u32>,
    error_no: Option<ErrorNo>,
    last: PayloadType,
}

impl<'a> Incoming<'a> {
    /// Reads a message of `data_type` that may hold `allowed`, T, and general extensions.
    pub(super) fn read(
        octets: &'a [u8],
        acceptance: &Acceptance,
        data_type: DataType,
        allowed: &[PayloadType],
    ) -> Result<Self, ExchangeError> {
        let message = acceptance.reading().decode(octets)?;
        let found = message.header().data_type();
        if found != data_type {
            return Err(ExchangeError::UnsupportedDataType(found));
        }
        let octets = octets.get(..message.encoded_len()).unwrap_or(octets);
        let mut time = None;
        let mut incoming = Self {
            octets,
            header: *message.header(),
            time: TsValue::Counter(0),
            rand: None,
            ids: Vec::new(),
            policies: Vec::new(),
            kemac: None,
            verification: None,
            dh: Vec::new(),
            certificates: Vec::new(),
            cert_hash: None,
            pke: None,
            sign: None,
            group_csb_id: None,
            error_no: None,
            last: PayloadType::Last,
        };
        for payload in message.payloads() {
            let payload_type = payload.payload_type();
            let unexpected = ExchangeError::UnexpectedPayload(payload_type);
            let everywhere = [PayloadType::T, PayloadType::GeneralExtension];
            if !everywhere.contains(&payload_type) && !allowed.contains(&payload_type) {
                return Err(unexpected);
            }
            let fresh = match payload {
                Payload::T(value) => time.replace(value).is_none(),
                Payload::Rand(rand) => incoming.rand.replace(rand.octets()).is_none(),
                Payload::Kemac(kemac) => incoming.kemac.replace(kemac).is_none(),
                Payload::V(v) => incoming.verification.replace(v.mac()).is_none(),
                Payload::Id(id) => {
                    incoming.ids.push(id);
                    incoming.ids.len() <= 2
                }
                Payload::Cert(certificate) => {
                    incoming.certificates.push(certificate);
                    incoming.certificates.len() <= MAX_CERTIFICATES
                }
                Payload::Chash(hash) => incoming.cert_hash.replace(hash).is_none(),
                Payload::Pke(pke) => incoming.pke.replace(pke).is_none(),
                Payload::Sign(sign) => incoming.sign.replace(sign).is_none(),
                Payload::Dh(dh) => {
                    incoming.dh.push(dh);
                    incoming.dh.len() <= 2
                }
                Payload::Sp(policy) => {
                    let policy_no = policy.policy_no();
                    let known = incoming
                        .policies
                        .iter()
                        .any(|sp| sp.policy_no() == policy_no);
                    incoming.policies.push(policy);
                    !known
                }
                Payload::GeneralExtension(extension) => {
                    match extension.value(acceptance.reading().code_points()) {
                        Ok(Extension::CsbId(csb_id)) => {
                            incoming.group_csb_id.replace(csb_id).is_none()
                        }
                        Err(error) if extension.extension_type() == GeneralExtensionType::CsbId => {
                            return Err(error.into());
                        }
                        // What else it says is for the caller to read.
                        _ => true,
                    }
                }
                Payload::Err(error) => {
                    incoming.error_no.get_or_insert(error.error_no());
                    true
                }
                _ => false,
            };
            if !fresh {
                return Err(unexpected);
            }
            incoming.last = payload_type;
        }
        incoming.time = time.ok_or(ExchangeError::MissingPayload(PayloadType::T))?;
        Ok(incoming)
    }

    pub(super) const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    pub(super) const fn header(&self) -> &Header<'a> {
        &self.header
    }

    pub(super) const fn time(&self) -> TsValue {
        self.time
    }

    pub(super) const fn rand(&self) -> Option<&'a [u8]> {
        self.rand
    }

    pub(super) fn ids(&self) -> &[Id<'a>] {
        &self.ids
    }

    /// The CSB ID of a group, if it is brought along ([RFC 4738 §3.6]).
    ///
    /// [RFC 4738 §3.6]: https://www.rfc-editor.org/rfc/rfc4738#section-3.6
    pub(super) const fn group_csb_id(&self) -> Option<u32> {
        self.group_csb_id
    }

    pub(super) fn certificates(&self) -> &[Cert<'a>] {
        &self.certificates
    }

    pub(super) const fn cert_hash(&self) -> Option<&CertHash<'a>> {
        self.cert_hash.as_ref()
    }

    /// The KEMAC of the public-key exchanges, which stands anywhere.
    pub(super) fn kemac(&self) -> Result<Kemac<'a>, ExchangeError> {
        self.kemac
            .ok_or(ExchangeError::MissingPayload(PayloadType::Kemac))
    }

    pub(super) fn pke(&self) -> Result<Pke<'a>, ExchangeError> {
        self.pke
            .ok_or(ExchangeError::MissingPayload(PayloadType::Pke))
    }

    /// The signature; that it ends the message is seen to by the codec.
    pub(super) fn sign(&self) -> Result<Sign<'a>, ExchangeError> {
        self.sign
            .ok_or(ExchangeError::MissingPayload(PayloadType::Sign))
    }

    /// Whether the message is signed by `signer`; it is refused if its signature does not hold.
    pub(super) fn is_signed<C: Credentials + ?Sized>(
        &self,
        signer: &Identity,
        credentials: &C,
    ) -> Result<bool, ExchangeError> {
        match self.sign {
            Some(_) => self.check_signature(signer, credentials).map(|_| true),
            None => Ok(false),
        }
    }

    pub(super) fn dh(&self) -> &[Dh<'a>] {
        &self.dh
    }

    pub(super) const fn error_no(&self) -> Option<ErrorNo> {
        self.error_no
    }

    pub(super) fn policies(&self) -> Vec<Policy> {
        self.policies.iter().map(Policy::from_payload).collect()
    }

    /// RAND of an initial message: at least 128 bits ([RFC 3830 §4.1.1]).
    ///
    /// [RFC 3830 §4.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.1
    pub(super) fn fresh_rand(&self) -> Result<&'a [u8], ExchangeError> {
        let rand = self
            .rand
            .ok_or(ExchangeError::MissingPayload(PayloadType::Rand))?;
        if rand.len() < MIN_SECRET_LEN {
            Err(ExchangeError::WeakRand)
        } else {
            Ok(rand)
        }
    }

    /// The KEMAC, which ends the message.
    pub(super) fn last_kemac(&self) -> Result<Kemac<'a>, ExchangeError> {
        match self.kemac {
            Some(kemac) if self.last == PayloadType::Kemac => Ok(kemac),
            Some(_) => Err(ExchangeError::UnexpectedPayload(self.last)),
            None => Err(ExchangeError::MissingPayload(PayloadType::Kemac)),
        }
    }

    /// The V, which ends the message; `None` if there is none.
    pub(super) fn last_verification(&self) -> Result<Option<payload::Mac<'a>>, ExchangeError> {
        match self.verification {
            Some(_) if self.last != PayloadType::V => {
                Err(ExchangeError::UnexpectedPayload(self.last))
            }
            verification => Ok(verification),
        }
    }

    /// What the MAC or signature of `len` octets at the end of the message covers.
    pub(super) fn covered(&self, len: usize) -> &'a [u8] {
        self.octets
            .get(..self.octets.len().saturating_sub(len))
            .unwrap_or_default()
    }

    /// The suite that the header and `kemac` say.
    pub(super) fn suite(&self, kemac: &Kemac<'_>) -> Result<Suite, ExchangeError> {
        let cipher =
            Cipher::from_encr_alg(kemac.encr_alg()).ok_or(ExchangeError::UnsupportedCipher)?;
        let mac = Mac::from_mac_alg(kemac.mac().alg()).ok_or(ExchangeError::UnsupportedMac)?;
        Ok(Suite::new(self.prf()?, cipher, mac)?)
    }

    pub(super) fn prf(&self) -> Result<Prf, ExchangeError> {
        Prf::from_prf_func(self.header.prf_func()).ok_or(ExchangeError::UnsupportedPrf)
    }

    /// Who sent this to `local`.
    ///
    /// A message says at least who sent it. One identity alone that is ours is taken for our own
    /// message: without the other it cannot be told from a reflected one.
    pub(super) fn sender(&self, local: &Identity) -> Result<Identity, ExchangeError> {
        let mut ids = self.ids.iter().map(Identity::from_payload);
        let sender = ids
            .next()
            .ok_or(ExchangeError::MissingPayload(PayloadType::Id))?;
        if sender == *local {
            return Err(ExchangeError::Reflected);
        }
        match ids.next() {
            Some(receiver) if receiver != *local => Err(ExchangeError::UnknownIdentity),
            _ => Ok(sender),
        }
    }

    /// Whether the identities of a DH answer, [IDr] and then IDi, are those of the exchange.
    pub(super) fn check_answer_ids(&self, context: &Context<'_>) -> Result<(), ExchangeError> {
        let is = |id: &Id<'_>, party: &Identity| Identity::from_payload(id) == *party;
        match self.ids.as_slice() {
            [] => Err(ExchangeError::MissingPayload(PayloadType::Id)),
            [initiator] if is(initiator, context.initiator) => Ok(()),
            [responder, initiator]
                if is(responder, context.responder) && is(initiator, context.initiator) =>
            {
                Ok(())
            }
            _ => Err(ExchangeError::UnknownIdentity),
        }
    }

    /// The time of the message, if it is one that is accepted `now`.
    pub(super) fn accepted_time(
        &self,
        acceptance: &Acceptance,
        now: Timestamp,
    ) -> Result<MessageTime, ExchangeError> {
        let time = MessageTime::from_payload(self.time, now);
        acceptance.check_time(time, now)?;
        Ok(time)
    }

    /// Checks the MAC that ends the message.
    pub(super) fn check_mac(
        &self,
        keys: &MessageKeys,
        mac: &payload::Mac<'_>,
    ) -> Result<Authenticated<'a>, ExchangeError> {
        let covered = self.covered(mac.octets().len());
        keys.verify(&[covered], mac.octets())?;
        Ok(Authenticated(covered))
    }

    /// Checks the signature of `signer` that ends the message.
    pub(super) fn check_signature<C: Credentials + ?Sized>(
        &self,
        signer: &Identity,
        credentials: &C,
    ) -> Result<Authenticated<'a>, ExchangeError> {
        let sign = self.sign()?;
        let covered = self.covered(sign.signature().len());
        credentials.verify(
            signer,
            self.certificates(),
            sign.s_type(),
            &[covered],
            sign.signature(),
        )?;
        Ok(Authenticated(covered))
    }
}
