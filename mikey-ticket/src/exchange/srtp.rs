use alloc::vec::Vec;

use mikey::Quirks;
use mikey::code_points::ProtType;
use mikey::derive::SessionKey;
use mikey::derive::srtp::profile;
use srtp::keying::{KeyEntry, KeySet, KeyingError, MasterKey, Mki, Parameters, StaticKeys};
use zeroize::Zeroizing;

use crate::{Established, TicketError};

/// A bundle does not key these streams; nothing was derived.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SrtpKeyError {
    /// SRTP cannot be keyed so.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// A stream has no key of the lengths of its profile.
    #[error("{0}")]
    NoKey(#[from] TicketError),
    /// No crypto session of SRTP has this CS ID.
    #[error("CS ID {0} is no SRTP stream")]
    NoStream(u8),
    /// The policy of a stream is not supported, or the streams of one direction have different
    /// ones.
    #[error("the policy of CS ID {0} is not supported")]
    Policy(u8),
}

impl Established {
    /// The master keys of SRTP streams: this side sends those with the CS IDs `outbound`, the peer
    /// those with `inbound` (TS 33.328 §6.2).
    ///
    /// Each stream has its key by its SSRC, with the ROC of the CS ID map; the SPI is the MKI. All
    /// streams of a direction need the same policy.
    ///
    /// # Errors
    ///
    /// [`SrtpKeyError`] for a stream that is not there, a policy that is not supported, or keys that
    /// do not fit it.
    pub fn srtp_keys(&self, outbound: &[u8], inbound: &[u8]) -> Result<StaticKeys, SrtpKeyError> {
        Ok(StaticKeys::new(
            self.key_set(outbound)?,
            self.key_set(inbound)?,
        ))
    }

    fn key_set(&self, cs_ids: &[u8]) -> Result<KeySet, SrtpKeyError> {
        let mut common = None;
        let mut entries = Vec::with_capacity(cs_ids.len());
        for &cs_id in cs_ids {
            let named = |session: &&crate::Session| {
                session.cs_id() == cs_id && session.prot_type() == ProtType::Srtp
            };
            let session = self.sessions().iter().find(named);
            let session = session.ok_or(SrtpKeyError::NoStream(cs_id))?;
            let policy = self
                .srtp_policy(session)
                .ok_or(SrtpKeyError::Policy(cs_id))?;
            let profile = profile(&policy, Quirks::NONE).ok_or(SrtpKeyError::Policy(cs_id))?;
            if *common.get_or_insert(profile) != profile {
                return Err(SrtpKeyError::Policy(cs_id));
            }
            let mut key = Zeroizing::new(alloc::vec![0; profile.key_len()]);
            let mut salt = Zeroizing::new(alloc::vec![0; profile.salt_len()]);
            self.session_key(cs_id, SessionKey::Tek, &mut key)?;
            self.session_key(cs_id, SessionKey::Salt, &mut salt)?;
            let entry = KeyEntry::new(MasterKey::new(profile, &key, &salt)?);
            let entry = entry.with_roc(session.roc());
            let entry = match session.ssrc() {
                Some(ssrc) => entry.for_ssrc(ssrc),
                None => entry,
            };
            entries.push(match session.spi() {
                [] => entry,
                spi => entry.with_mki(Mki::new(spi)?),
            });
        }
        let profile = common.ok_or(KeyingError::NoKey)?;
        Ok(KeySet::new(profile, Parameters::default(), entries)?)
    }
}
