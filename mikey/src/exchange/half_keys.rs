//! What the two Diffie-Hellman exchanges share: half-keys and the TGK ([RFC 3830 §3.3]).
//!
//! [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3

use alloc::vec::Vec;

use super::{Acceptance, ExchangeError, KeyKind, KeyMaterial, Validity};
use crate::code_points::PayloadType;
use crate::crypto::{DhSecret, Group};
use crate::payload::{Dh, KeyValidity};

/// A DH payload, owned: DHi of the message that an answer must repeat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HalfKey {
    group: Group,
    value: Vec<u8>,
    validity: Validity,
}

impl HalfKey {
    pub(super) fn own(secret: &DhSecret, validity: Validity) -> Self {
        Self {
            group: secret.group(),
            value: secret.public_value(),
            validity,
        }
    }

    /// The DH payload of a peer, if its group is accepted.
    pub(super) fn of_peer(dh: &Dh<'_>, acceptance: &Acceptance) -> Result<Self, ExchangeError> {
        let group = Group::from_code_point(dh.group()).ok_or(ExchangeError::UnsupportedGroup)?;
        acceptance.check_group(group)?;
        Ok(Self {
            group,
            value: dh.value().to_vec(),
            validity: Validity::from_payload(dh.validity()),
        })
    }

    pub(super) const fn group(&self) -> Group {
        self.group
    }

    pub(super) const fn validity(&self) -> &Validity {
        &self.validity
    }

    pub(super) fn to_payload(&self) -> Result<Dh<'_>, ExchangeError> {
        let validity: KeyValidity<'_> = self.validity.to_payload()?;
        Ok(Dh::new(self.group.code_point(), &self.value, validity)?)
    }

    /// The TGK of our `secret` and this half-key, valid as the Initiator said.
    pub(super) fn agree(
        &self,
        secret: &DhSecret,
        validity: &Validity,
    ) -> Result<KeyMaterial, ExchangeError> {
        if self.group != secret.group() {
            return Err(ExchangeError::Mismatch);
        }
        let tgk = secret.agree(&self.value)?;
        Ok(KeyMaterial::new(KeyKind::Tgk, tgk).with_validity(validity.clone()))
    }
}

/// DHr and DHi of an answer: the Responder's half-key, behind which stands our own.
pub(super) fn answered(
    dh: &[Dh<'_>],
    own: &HalfKey,
    acceptance: &Acceptance,
) -> Result<HalfKey, ExchangeError> {
    let [responder, initiator] = dh else {
        return Err(ExchangeError::MissingPayload(PayloadType::Dh));
    };
    if *initiator != own.to_payload()? {
        return Err(ExchangeError::Mismatch);
    }
    HalfKey::of_peer(responder, acceptance)
}
