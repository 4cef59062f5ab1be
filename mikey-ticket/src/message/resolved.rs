use alloc::vec::Vec;

use mikey::Identity;
use mikey::code_points::{DataType, IdRole, PayloadType, RandRole};
use mikey::derive::{MessageKeys, Secret};
use mikey::exchange::KeyMaterial;
use mikey::payload::{CsIdMap, Header, Kemac, Mac, Payload, Randr, TsValue};

use super::{Keys, iv, open_kemac, read_answer, seal, seal_kemac};
use crate::policy::idr;
use crate::query::Sent;
use crate::{Strength, TicketError};

/// What a KMS says of a ticket in RESOLVE_RESP ([RFC 6043 §4.2.3.5]).
///
/// [RFC 6043 §4.2.3.5]: https://www.rfc-editor.org/rfc/rfc6043#section-4.2.3.5
pub(crate) struct Resolved {
    pub(crate) mpk_i: Secret,
    /// MPKr', where keys are forked.
    pub(crate) mpk_r: Option<Secret>,
    pub(crate) keys: Vec<KeyMaterial>,
    /// IDRr; always there where keys are forked.
    pub(crate) identity: Option<Identity>,
    /// RANDRkms, where keys are forked.
    pub(crate) rand_kms: Option<Vec<u8>>,
}

impl Resolved {
    /// Reads the answer of `kms` to what was `sent`, once its MAC is verified.
    pub(crate) fn read(
        octets: &[u8],
        sent: &Sent,
        kms: &Identity,
        strength: Strength,
        forking: bool,
    ) -> Result<Self, TicketError> {
        let data_type = DataType::ResolveResp;
        let received = read_answer(octets, data_type, &sent.octets, strength, &sent.initial)?;
        received.verify(&sent.response, &[&sent.octets])?;

        received.check_empty_map()?;
        if received.id(IdRole::Kms).is_some_and(|named| named != *kms) {
            return Err(TicketError::UnknownIdentity);
        }
        let missing = TicketError::MissingPayload(PayloadType::Kemac);
        let kemac = received.kemac().ok_or(missing)?;
        let Keys { mpks, keys } = open_kemac(&sent.response, &received.iv(), &kemac)?;
        let identity = received.id(IdRole::Responder);
        let rand_kms = if forking {
            Some(received.strong_rand(RandRole::Kms)?.to_vec())
        } else {
            None
        };
        if forking && identity.is_none() {
            return Err(TicketError::MissingPayload(PayloadType::Idr));
        }
        let missing = TicketError::MissingPayload(PayloadType::KeyData);
        let mut mpks = mpks.into_iter();
        let mpk_i = mpks.next().ok_or(missing)?;
        let mpk_r = mpks.next();
        if mpk_r.is_some() != forking || mpks.next().is_some() {
            return Err(missing);
        }
        Ok(Self {
            mpk_i,
            mpk_r,
            keys,
            identity,
            rand_kms,
        })
    }

    /// Writes the answer of `kms` to `init`, whose header is `asked`.
    pub(crate) fn write(
        &self,
        init: &[u8],
        asked: &Header<'_>,
        kms: &Identity,
        response: &MessageKeys,
        time: TsValue,
    ) -> Result<Vec<u8>, TicketError> {
        let (prf_func, csb_id) = (asked.prf_func(), asked.csb_id());
        let mut mpks = alloc::vec![&self.mpk_i];
        mpks.extend(&self.mpk_r);
        let sealed = seal_kemac(response, &iv(csb_id, time), &mpks, &self.keys)?;
        let encr_alg = response.suite().cipher().encr_alg();
        let mut payloads = alloc::vec![
            Payload::T(time),
            idr(IdRole::Kms, kms)?,
            Payload::Kemac(Kemac::new(encr_alg, &sealed, Mac::NULL)?),
        ];
        if let Some(identity) = &self.identity {
            payloads.push(idr(IdRole::Responder, identity)?);
        }
        if let Some(rand_kms) = &self.rand_kms {
            payloads.push(Payload::Randr(Randr::new(RandRole::Kms, rand_kms)?));
        }
        let header = Header::new(DataType::ResolveResp, prf_func, csb_id, CsIdMap::NONE)?;
        seal(header, payloads, response, &[init])
    }
}
