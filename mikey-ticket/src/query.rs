//! What is sent to a KMS, REQUEST_INIT and RESOLVE_INIT, by a pre-shared key or by public keys, and
//! the keys of its answer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use mikey::code_points::{CertType, DataType, EnvelopeKeyCache, HashFunc, IdRole, RandRole};
use mikey::derive::{MessageKeys, Secret, TicketMessage};
use mikey::payload::{Cert, CertHash, CsIdMap, Header, Payload, Pke, Randr};
use mikey::{Credentials, Identity, PreSharedKeys, Timestamp};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use crate::derive::{psk_keys, transfer_keys};
use crate::message::{fresh_time, rands, seal, sign};
use crate::policy::idr;
use crate::{Strength, TicketError};

/// An initial message to `kms`, of whatever protection.
pub(crate) struct Query<'a> {
    /// IDRi of a request, IDRr of a resolve.
    pub(crate) sender: (IdRole, &'a Identity),
    pub(crate) kms: &'a Identity,
    pub(crate) strength: Strength,
    /// TP or TICKET.
    pub(crate) content: Payload<'a>,
    pub(crate) further: Vec<(IdRole, &'a Identity)>,
}

/// A message that was sent to a KMS.
pub(crate) struct Sent {
    pub(crate) octets: Vec<u8>,
    /// Of the initial message, and of Error messages about it.
    pub(crate) initial: MessageKeys,
    pub(crate) response: MessageKeys,
}

/// What makes this message differ from every other.
struct Fresh {
    csb_id: u32,
    rand: Vec<u8>,
}

impl Query<'_> {
    /// REQUEST_INIT_PSK or RESOLVE_INIT_PSK ([RFC 6043 §4.2.1.2], [§4.2.3.2]).
    ///
    /// [RFC 6043 §4.2.1.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.2
    /// [§4.2.3.2]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.2
    pub(crate) fn by_psk<R: CryptoRng + ?Sized>(
        &self,
        psk: &impl PreSharedKeys,
        psk_id: Option<&Identity>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Sent, TicketError> {
        let fresh = self.fresh(rng);
        let keys = |message| {
            let rands = self.rands(&fresh)?;
            psk_keys(psk, self.kms, self.strength, message, fresh.csb_id, rands)
        };
        let (initial, response) = (
            keys(TicketMessage::Initial)?,
            keys(TicketMessage::Response)?,
        );
        let data_type = match self.sender.0 {
            IdRole::Initiator => DataType::RequestInitPsk,
            _ => DataType::ResolveInitPsk,
        };
        let mut payloads = self.payloads(&fresh, &[], now)?;
        if let Some(psk_id) = psk_id {
            payloads.push(idr(IdRole::PreSharedKey, psk_id)?);
        }
        let header = self.header(data_type, &fresh)?;
        let octets = seal(header, payloads, &initial, &self.parties())?;
        Ok(Sent {
            octets,
            initial,
            response,
        })
    }

    /// REQUEST_INIT_PK or RESOLVE_INIT_PK ([RFC 6043 §4.2.1.3], [§4.2.3.3]), with the key of
    /// `certificate` if the KMS has several.
    ///
    /// [RFC 6043 §4.2.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.1.3
    /// [§4.2.3.3]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.3
    pub(crate) fn by_public_key<R: CryptoRng + ?Sized, K: Credentials + ?Sized>(
        &self,
        credentials: &K,
        certificate: Option<&KmsCertificate>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Sent, TicketError> {
        let fresh = self.fresh(rng);
        let envelope_key = Secret::random(self.strength.key_len(), rng)?;
        let of_kms = match certificate {
            Some(certificate) => alloc::vec![certificate.to_payload()?],
            None => Vec::new(),
        };
        let envelope = credentials.seal_envelope(self.kms, &of_kms, &envelope_key)?;
        let keys = |message| {
            let rands = self.rands(&fresh)?;
            transfer_keys(self.strength, &envelope_key, message, fresh.csb_id, rands)
        };
        let data_type = match self.sender.0 {
            IdRole::Initiator => DataType::RequestInitPk,
            _ => DataType::ResolveInitPk,
        };
        let mut payloads = self.payloads(&fresh, &credentials.certificates(), now)?;
        let hash = certificate.map(KmsCertificate::hash);
        if let Some(hash) = &hash {
            payloads.push(Payload::Chash(CertHash::new(HashFunc::Sha256, hash)?));
        }
        payloads.push(Payload::Pke(Pke::new(
            EnvelopeKeyCache::NoCache,
            &envelope,
        )?));
        let header = self.header(data_type, &fresh)?;
        Ok(Sent {
            octets: sign(header, &payloads, credentials, &self.parties())?,
            initial: keys(TicketMessage::Initial)?,
            response: keys(TicketMessage::Response)?,
        })
    }

    fn fresh<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Fresh {
        let csb_id = rng.next_u32();
        let mut rand = alloc::vec![0; self.strength.key_len()];
        rng.fill_bytes(&mut rand);
        Fresh { csb_id, rand }
    }

    fn rands<'f>(&self, fresh: &'f Fresh) -> Result<mikey::derive::Rands<'f>, TicketError> {
        match self.sender.0 {
            IdRole::Initiator => rands(&fresh.rand, &[]),
            _ => rands(&[], &fresh.rand),
        }
    }

    fn header(&self, data_type: DataType, fresh: &Fresh) -> Result<Header<'static>, TicketError> {
        let prf_func = self.strength.prf().prf_func();
        let header = Header::new(data_type, prf_func, fresh.csb_id, CsIdMap::NONE)?;
        Ok(header.expecting_response(true))
    }

    fn parties(&self) -> [&[u8]; 2] {
        [self.sender.1.data(), self.kms.data()]
    }

    fn payloads<'p>(
        &'p self,
        fresh: &'p Fresh,
        certificates: &[Cert<'p>],
        now: Timestamp,
    ) -> Result<Vec<Payload<'p>>, TicketError> {
        let (role, identity) = self.sender;
        let rand_role = match role {
            IdRole::Initiator => RandRole::Initiator,
            _ => RandRole::Responder,
        };
        let mut payloads = alloc::vec![
            Payload::T(fresh_time(now)),
            Payload::Randr(Randr::new(rand_role, &fresh.rand)?),
            idr(role, identity)?,
        ];
        payloads.extend(certificates.iter().copied().map(Payload::Cert));
        payloads.push(idr(IdRole::Kms, self.kms)?);
        payloads.push(self.content);
        for (role, identity) in &self.further {
            payloads.push(idr(*role, identity)?);
        }
        Ok(payloads)
    }
}

/// The certificate of the public key that a KMS is addressed by, where it has several.
#[derive(Clone, Debug)]
pub(crate) struct KmsCertificate {
    cert_type: CertType,
    octets: Box<[u8]>,
}

impl KmsCertificate {
    pub(crate) fn of(certificate: &Cert<'_>) -> Self {
        Self {
            cert_type: certificate.cert_type(),
            octets: certificate.data().into(),
        }
    }

    fn to_payload(&self) -> Result<Cert<'_>, TicketError> {
        Ok(Cert::new(self.cert_type, &self.octets)?)
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.octets).into()
    }
}
