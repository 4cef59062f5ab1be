use alloc::{string::String, vec::Vec};

use rand_core::CryptoRng;
use srtp::keying::{KeyEntry, KeySet, KeyingError, MasterKey, Mki, Parameters};
use zeroize::Zeroizing;

use crate::{
    CryptoSuite, Fec, NegotiatedParameters, OfferError, Padding, Policy, SecurityDescription,
    description::shares_a_key, mki,
};

/// An own description with the very line that was sent.
pub(crate) struct OwnLine {
    pub(crate) description: SecurityDescription,
    text: Zeroizing<String>,
}

impl OwnLine {
    pub(crate) fn new(description: SecurityDescription, padding: Padding) -> Self {
        let text = description.encode(padding);
        Self { description, text }
    }

    /// Fresh keys.
    pub(crate) fn draw<R: CryptoRng + ?Sized>(
        tag: u32,
        suite: &CryptoSuite,
        negotiated: NegotiatedParameters,
        first_mki: u64,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Self, OfferError> {
        let mut parameters = Parameters::default();
        parameters.srtp_kdr = policy.key_derivation_rate();
        parameters.srtcp_kdr = policy.key_derivation_rate();
        parameters.unencrypted_srtp = negotiated.unencrypted_srtp;
        parameters.unencrypted_srtcp = negotiated.unencrypted_srtcp;
        parameters.unauthenticated_srtp = negotiated.unauthenticated_srtp;
        parameters.roc_transport = suite.roc_transport();

        let keys = draw_keys(suite, parameters, first_mki, policy, rng)?;
        let fec_keys = match policy.fec() {
            Fec::SeparateTransport => Some(draw_keys(suite, parameters, first_mki, policy, rng)?),
            _ => None,
        };
        if fec_keys
            .as_ref()
            .is_some_and(|fec| shares_a_key(&keys, fec))
        {
            return Err(OfferError::RepeatedKey);
        }
        let description = SecurityDescription::new(tag, suite.clone(), keys)
            .with_fec(fec_keys, policy.fec_order())
            .with_window_size_hint(policy.window_size_hint());
        Ok(Self::new(description, policy.padding()))
    }

    /// A fresh key that answers `remote`.
    pub(crate) fn answering<R: CryptoRng + ?Sized>(
        remote: &SecurityDescription,
        first_mki: u64,
        policy: &Policy,
        rng: &mut R,
    ) -> Result<Self, OfferError> {
        let negotiated = remote.negotiated_parameters();
        let own = Self::draw(
            remote.tag(),
            remote.suite(),
            negotiated,
            first_mki,
            policy,
            rng,
        )?;
        if own.description.shares_a_key_with(remote) {
            return Err(OfferError::RepeatedKey);
        }
        Ok(own)
    }

    /// The same keys under another tag.
    pub(crate) fn retagged(&self, tag: u32, padding: Padding) -> Self {
        Self::new(self.description.duplicate().with_tag(tag), padding)
    }

    /// The line, without a line end.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self {
            description: self.description.duplicate(),
            text: self.text.clone(),
        }
    }
}

fn draw_keys<R: CryptoRng + ?Sized>(
    suite: &CryptoSuite,
    parameters: Parameters,
    first_mki: u64,
    policy: &Policy,
    rng: &mut R,
) -> Result<KeySet, OfferError> {
    let count = policy.keys_per_line();
    let mut entries = Vec::with_capacity(count);
    for mki in mkis(first_mki, count, policy.mki_len()) {
        let key = MasterKey::random(suite.profile(), rng);
        let entry = KeyEntry::new(key).with_lifetime(policy.lifetime_of(suite));
        entries.push(match mki {
            None => entry,
            Some(mki) => entry.with_mki(mki),
        });
    }
    KeySet::new(suite.profile(), parameters, entries).map_err(|error| match error {
        KeyingError::DuplicateKey => OfferError::RepeatedKey,
        other => OfferError::Keying(other),
    })
}

/// `count` MKIs in a row, from 1 again where the row from `first` would not fit; or none.
fn mkis(first: u64, count: usize, len: u8) -> impl Iterator<Item = Option<Mki>> {
    let row = move |first: u64| {
        (0..)
            .take(count)
            .map(move |n| mki::from_number(first.saturating_add(n), len))
    };
    let first = if row(first).all(|mki| mki.is_some()) {
        first
    } else {
        1
    };
    row(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mkis_start_again_where_the_length_ends() {
        let of = |first, count, len| {
            mkis(first, count, len)
                .map(|mki| mki.map(|mki| mki.as_octets().to_vec()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(254, 2, 1), [Some([254].to_vec()), Some([255].to_vec())]);
        assert_eq!(of(255, 2, 1), [Some([1].to_vec()), Some([2].to_vec())]);
        assert_eq!(of(u64::MAX, 1, 2), [Some([0, 1].to_vec())]);
        assert_eq!(of(1, 1, 0), [None]);
    }
}
