use alloc::vec::Vec;

use mikey::Quirks;
use mikey::code_points::ProtType;
use mikey::derive::SessionKey;
use mikey::derive::srtp::profile;
use srtp::keying::{KeyEntry, KeySet, KeyingError, MasterKey, Mki, Parameters, StaticKeys};
use zeroize::Zeroizing;

use crate::{Established, Session, TicketError};

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
    /// A stream would share its key with another that has the same SSRC, or may have: what either
    /// protects could be read from both ([RFC 3711 §9.1]).
    ///
    /// [RFC 3711 §9.1]: https://www.rfc-editor.org/rfc/rfc3711#section-9.1
    #[error("the key of CS ID {0} would serve two streams that cannot be told apart")]
    SharedKey(u8),
}

/// What a crypto session protects in one direction.
#[derive(Clone, Copy)]
struct Stream<'b> {
    session: &'b Session,
    ssrc: Option<u32>,
    roc: u32,
}

impl Established {
    /// The master keys of SRTP streams: this side sends those with the CS IDs `outbound`, the peer
    /// those with `inbound` (TS 33.328 §6.2).
    ///
    /// Each stream has its key by its SSRC, with the ROC of the CS ID map; the SPI is the MKI. All
    /// streams of a direction need the same policy. A session that both sides send in has
    /// [`srtp_keys_both_ways`](Self::srtp_keys_both_ways).
    ///
    /// A TGK or GTGK makes a key of its own for each session. A TEK is the same for all sessions of
    /// SRTP that it serves; then their SSRCs must differ, whether they are keyed now or later.
    ///
    /// # Errors
    ///
    /// [`SrtpKeyError`] for a stream that is not there, a policy that is not supported, keys that do
    /// not fit it, or a key that would serve two streams.
    pub fn srtp_keys(&self, outbound: &[u8], inbound: &[u8]) -> Result<StaticKeys, SrtpKeyError> {
        let streams = |cs_ids: &[u8]| {
            let streams = cs_ids.iter().map(|cs_id| self.stream(*cs_id));
            streams.collect::<Result<Vec<Stream<'_>>, SrtpKeyError>>()
        };
        let (sent, received) = (streams(outbound)?, streams(inbound)?);
        if let Some(cs_id) = outbound.iter().find(|cs_id| inbound.contains(cs_id)) {
            return Err(SrtpKeyError::SharedKey(*cs_id));
        }
        self.keys_of(&sent, &received)
    }

    /// The master keys of one crypto session that both sides send in under the same key, each with
    /// an SSRC of its own.
    ///
    /// # Errors
    ///
    /// As of [`srtp_keys`](Self::srtp_keys): [`SrtpKeyError::SharedKey`] if both SSRCs are the same,
    /// [`SrtpKeyError::NoStream`] if the session has one that is neither.
    pub fn srtp_keys_both_ways(
        &self,
        cs_id: u8,
        own_ssrc: u32,
        peer_ssrc: u32,
    ) -> Result<StaticKeys, SrtpKeyError> {
        let stream = self.stream(cs_id)?;
        if own_ssrc == peer_ssrc {
            return Err(SrtpKeyError::SharedKey(cs_id));
        }
        let known = stream.ssrc;
        if known.is_some_and(|known| known != own_ssrc && known != peer_ssrc) {
            return Err(SrtpKeyError::NoStream(cs_id));
        }
        let with = |ssrc| Stream {
            ssrc: Some(ssrc),
            // The map says where the stream of its SSRC is.
            roc: if known == Some(ssrc) { stream.roc } else { 0 },
            ..stream
        };
        self.keys_of(&[with(own_ssrc)], &[with(peer_ssrc)])
    }

    fn stream(&self, cs_id: u8) -> Result<Stream<'_>, SrtpKeyError> {
        let named =
            |session: &&Session| session.cs_id() == cs_id && session.prot_type() == ProtType::Srtp;
        let session = self.sessions().iter().find(named);
        let session = session.ok_or(SrtpKeyError::NoStream(cs_id))?;
        Ok(Stream {
            session,
            ssrc: session.ssrc(),
            roc: session.roc(),
        })
    }

    fn keys_of(
        &self,
        outbound: &[Stream<'_>],
        inbound: &[Stream<'_>],
    ) -> Result<StaticKeys, SrtpKeyError> {
        for stream in outbound.iter().chain(inbound) {
            let mut others = self.bundle.streams_with_tek_of(stream.session);
            let apart = |other: &Session| {
                let ssrcs = stream.ssrc.zip(other.ssrc());
                ssrcs.is_some_and(|(one, other)| one != other)
            };
            if !others.all(apart) {
                return Err(SrtpKeyError::SharedKey(stream.session.cs_id()));
            }
        }
        let outbound = self.key_set(outbound)?;
        Ok(StaticKeys::new(outbound, self.key_set(inbound)?))
    }

    fn key_set(&self, streams: &[Stream<'_>]) -> Result<KeySet, SrtpKeyError> {
        let mut common = None;
        let mut entries = Vec::with_capacity(streams.len());
        for Stream { session, ssrc, roc } in streams {
            let cs_id = session.cs_id();
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
            let entry = KeyEntry::new(MasterKey::new(profile, &key, &salt)?).with_roc(*roc);
            let entry = match ssrc {
                Some(ssrc) => entry.for_ssrc(*ssrc),
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
