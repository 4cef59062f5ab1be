use alloc::vec::Vec;
use core::ops::Range;

use mikey::code_points::{DataType, IdRole, MacAlg, PayloadType, RandRole};
use mikey::crypto::Iv;
use mikey::derive::MessageKeys;
use mikey::limits::MAX_CERTIFICATES;
use mikey::payload::{
    Cert, CertHash, CsIdMap, Header, Id, Kemac, Mac, Payload, Pke, Sign, Ticket, TsValue,
    Verification,
};
use mikey::{
    Credentials, Identity, Message, MessageTime, ReplayCache, SeenMessage, SkewWindow, Timestamp,
};
use sha2::{Digest, Sha256};

use super::{RULES, covered, hole, iv};
use crate::{Strength, TicketError};

/// The MAC of a V payload, of the algorithm that the strength asks for.
pub(crate) struct VerificationMac;

impl VerificationMac {
    pub(crate) fn of(v: Verification<'_>, strength: Strength) -> Result<Mac<'_>, TicketError> {
        let mac = v.mac();
        match mac.alg() {
            alg if alg == strength.suite().mac().mac_alg() => Ok(mac),
            MacAlg::HmacSha1_160 | MacAlg::HmacSha256_256 => Err(TicketError::MixedStrength),
            _ => Err(TicketError::UnsupportedMac),
        }
    }
}

/// A message that was received, its payloads sorted, nothing of it verified.
pub(crate) struct Received<'a> {
    octets: &'a [u8],
    message: Message<'a>,
    strength: Strength,
    time: TsValue,
    proof: Proof<'a>,
    identities: Vec<(IdRole, Id<'a>)>,
}

/// What ends a message and proves who sent it.
#[derive(Clone, Copy)]
enum Proof<'a> {
    Mac(Mac<'a>),
    Signature(Sign<'a>),
}

impl<'a> Proof<'a> {
    fn of(message: &Message<'a>, strength: Strength) -> Result<Self, TicketError> {
        let signed = is_signed(message.header().data_type());
        match message.payloads().last() {
            Some(Payload::V(v)) if !signed => Ok(Self::Mac(VerificationMac::of(v, strength)?)),
            Some(Payload::Sign(sign)) if signed => Ok(Self::Signature(sign)),
            _ if signed => Err(TicketError::MissingPayload(PayloadType::Sign)),
            _ => Err(TicketError::MissingPayload(PayloadType::V)),
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Mac(mac) => mac.octets().len(),
            Self::Signature(sign) => sign.signature().len(),
        }
    }
}

/// Whether messages of `data_type` are signed, and not authenticated by a MAC.
pub(crate) const fn is_signed(data_type: DataType) -> bool {
    matches!(data_type, DataType::RequestInitPk | DataType::ResolveInitPk)
}

impl<'a> Received<'a> {
    /// Reads a message that must be of `data_type` and end with a V payload, or SIGN where that type
    /// is signed.
    pub(crate) fn read(octets: &'a [u8], data_type: DataType) -> Result<Self, TicketError> {
        let message = RULES.decode(octets)?;
        Self::of(octets, message, data_type)
    }

    /// As [`read`](Self::read), of a message that is decoded already.
    pub(crate) fn of(
        octets: &'a [u8],
        message: Message<'a>,
        data_type: DataType,
    ) -> Result<Self, TicketError> {
        let header = message.header();
        if header.data_type() != data_type {
            return Err(TicketError::UnsupportedDataType(header.data_type()));
        }
        let strength = Strength::from_prf_func(header.prf_func())?;
        let proof = Proof::of(&message, strength)?;
        let time = Self::time_of(&message)?;
        let identities = Self::identities(&message)?;
        Ok(Self {
            octets,
            message,
            strength,
            time,
            proof,
            identities,
        })
    }

    pub(crate) fn time_of(message: &Message<'_>) -> Result<TsValue, TicketError> {
        match message.payloads().next() {
            Some(Payload::T(time)) => Ok(time),
            _ => Err(TicketError::MissingPayload(PayloadType::T)),
        }
    }

    /// Who is named. Two payloads that say different things of the same are nobody's message.
    fn identities(message: &Message<'a>) -> Result<Vec<(IdRole, Id<'a>)>, TicketError> {
        let (mut identities, mut rands, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        let mut certificates = 0_usize;
        for payload in message.payloads() {
            let payload_type = payload.payload_type();
            let repeated = match payload {
                Payload::Idr(idr) => {
                    let repeated = identities.iter().any(|(role, _)| *role == idr.role());
                    identities.push((idr.role(), idr.id()));
                    repeated
                }
                Payload::Randr(randr) => replace(&mut rands, randr.role()),
                Payload::Cert(_) => {
                    certificates += 1;
                    certificates > MAX_CERTIFICATES
                }
                Payload::Sp(_) | Payload::GeneralExtension(_) | Payload::Err(_) => false,
                _ => replace(&mut seen, payload_type),
            };
            if repeated {
                return Err(TicketError::UnexpectedPayload(payload_type));
            }
        }
        Ok(identities)
    }

    pub(crate) const fn message(&self) -> &Message<'a> {
        &self.message
    }

    pub(crate) const fn header(&self) -> &Header<'a> {
        self.message.header()
    }

    pub(crate) const fn strength(&self) -> Strength {
        self.strength
    }

    /// The MAC of the V payload; the NULL MAC of a message that is signed.
    pub(crate) const fn mac(&self) -> Mac<'a> {
        match self.proof {
            Proof::Mac(mac) => mac,
            Proof::Signature(_) => Mac::NULL,
        }
    }

    /// The IV of a KEMAC in this message: its own T, also in a response (see the crate's notes).
    pub(crate) fn iv(&self) -> Iv {
        iv(self.header().csb_id(), self.time)
    }

    pub(crate) fn id(&self, role: IdRole) -> Option<Identity> {
        let named = self.identities.iter().find(|(known, _)| *known == role);
        named.map(|(_, id)| Identity::from_payload(id))
    }

    pub(crate) fn rand(&self, role: RandRole) -> Option<&'a [u8]> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Randr(randr) if randr.role() == role => Some(randr.octets()),
            _ => None,
        })
    }

    /// A RAND that must be there, and as long as the keys.
    pub(crate) fn strong_rand(&self, role: RandRole) -> Result<&'a [u8], TicketError> {
        let missing = TicketError::MissingPayload(PayloadType::Randr);
        let rand = self.rand(role).ok_or(missing)?;
        if rand.len() < self.strength.key_len() {
            return Err(TicketError::WeakRand);
        }
        Ok(rand)
    }

    pub(crate) fn kemac(&self) -> Option<Kemac<'a>> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Kemac(kemac) => Some(kemac),
            _ => None,
        })
    }

    pub(crate) fn envelope(&self) -> Option<Pke<'a>> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Pke(envelope) => Some(envelope),
            _ => None,
        })
    }

    /// CHASH: the certificate of the key that the envelope is for.
    pub(crate) fn certificate_hash(&self) -> Option<CertHash<'a>> {
        self.message.payloads().find_map(|payload| match payload {
            Payload::Chash(hash) => Some(hash),
            _ => None,
        })
    }

    pub(crate) fn ticket(&self) -> Result<Ticket<'a>, TicketError> {
        let found = self.message.payloads().find_map(|payload| match payload {
            Payload::Ticket(ticket) => Some(ticket),
            _ => None,
        });
        found.ok_or(TicketError::MissingPayload(PayloadType::Ticket))
    }

    /// Checks that no crypto session is handled, as between users and KMS
    /// ([RFC 6043 §4.2.1.1](https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.1)).
    pub(crate) fn check_empty_map(&self) -> Result<(), TicketError> {
        match self.header().cs_id_map() {
            CsIdMap::Empty { cs_count: 0 } => Ok(()),
            _ => Err(TicketError::UnsupportedSessions),
        }
    }

    /// Verifies the MAC over the message and `behind`.
    pub(crate) fn verify(&self, keys: &MessageKeys, behind: &[&[u8]]) -> Result<(), TicketError> {
        let Proof::Mac(mac) = self.proof else {
            return Err(TicketError::Forged);
        };
        Ok(keys.verify(&self.parts(&hole(&self.message), behind), mac.octets())?)
    }

    /// Verifies that `signer` has signed the message and `behind`.
    pub(crate) fn verify_signature<K: Credentials + ?Sized>(
        &self,
        credentials: &K,
        signer: &Identity,
        behind: &[&[u8]],
    ) -> Result<(), TicketError> {
        let Proof::Signature(sign) = self.proof else {
            return Err(TicketError::Forged);
        };
        let certificates: Vec<Cert<'_>> = self
            .message
            .payloads()
            .filter_map(|payload| match payload {
                Payload::Cert(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        let parts = self.parts(&(0..0), behind);
        let (s_type, signature) = (sign.s_type(), sign.signature());
        Ok(credentials.verify(signer, &certificates, s_type, &parts, signature)?)
    }

    fn parts<'p>(&'p self, hole: &Range<usize>, behind: &[&'p [u8]]) -> Vec<&'p [u8]> {
        let mut parts = covered(self.octets, hole, self.proof.len()).to_vec();
        parts.extend_from_slice(behind);
        parts
    }

    /// The time of the message, read next to `near`; `near` itself for a counter.
    pub(crate) fn moment(&self, near: Timestamp) -> Timestamp {
        MessageTime::from_payload(self.time, near)
            .clock()
            .unwrap_or(near)
    }

    /// Checks the time of an initial message. Counters are not taken: a KMS and a called party
    /// cannot keep one for everybody.
    pub(crate) fn check_time(&self, window: SkewWindow, now: Timestamp) -> Result<(), TicketError> {
        let clock = MessageTime::from_payload(self.time, now).clock();
        if clock.is_some_and(|time| window.allows(time, now)) {
            Ok(())
        } else {
            Err(TicketError::ClockSkew)
        }
    }

    /// Remembers a verified message; what its MAC or signature does not cover does not make it
    /// another one, nor does another signature.
    pub(crate) fn remember(
        &self,
        sender: &Identity,
        cache: &mut impl ReplayCache,
        now: Timestamp,
    ) -> Result<(), TicketError> {
        let unsigned = match self.proof {
            Proof::Mac(_) => 0,
            Proof::Signature(sign) => sign.signature().len(),
        };
        let mut hash = Sha256::new();
        for part in covered(self.octets, &hole(&self.message), unsigned) {
            hash.update(part);
        }
        let digest = hash.finalize().into();
        let time = MessageTime::from_payload(self.time, now);
        cache.check_and_insert(&SeenMessage::new(&digest, sender.data(), time), now)?;
        Ok(())
    }
}

fn replace<T: PartialEq>(seen: &mut Vec<T>, value: T) -> bool {
    let repeated = seen.contains(&value);
    seen.push(value);
    repeated
}
