mod serving;

use alloc::vec::Vec;

use srtp::keying::{
    KeyEntry, KeySet, KeyingError, MAX_KEYS_PER_STREAM, MasterKey, MasterKeySource, Mki,
    Parameters, Profile,
};
use zeroize::Zeroizing;

use super::{Bundle, KeyKind, KeyMaterial, NoSessionKey, Session, Validity};
use crate::Quirks;
use crate::code_points::ProtType;
use crate::derive::{SessionKey, srtp::profile};
use crate::payload::{SecurityPolicy, SrtpPolicy};
use serving::Serving;

/// The SRTP master keys of a bundle, for the streams of one transport ([RFC 3830 §4.4]).
///
/// [RFC 3830 §4.4]: https://www.rfc-editor.org/rfc/rfc3830#section-4.4
#[derive(Debug)]
pub struct SrtpKeys {
    outbound: KeySet,
    inbound: KeySet,
}

impl MasterKeySource for SrtpKeys {
    fn outbound(&self) -> &KeySet {
        &self.outbound
    }

    fn inbound(&self) -> &KeySet {
        &self.inbound
    }
}

/// What a crypto session protects in one direction.
#[derive(Clone, Copy)]
struct Stream<'b> {
    session: &'b Session,
    ssrc: Option<u32>,
    roc: u32,
}

/// A bundle does not key these streams; nothing was derived.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SrtpKeyError {
    /// SRTP cannot be keyed so.
    #[error("{0}")]
    Keying(#[from] KeyingError),
    /// A stream has no key of the lengths of its profile.
    #[error("{0}")]
    NoKey(#[from] NoSessionKey),
    /// No crypto session of SRTP has this CS ID and, where they were said, one of these SSRCs.
    #[error("CS ID {0} is no SRTP stream")]
    NoStream(u8),
    /// The policy of a stream is missing or not one that is supported, or the streams of one
    /// direction have different ones.
    #[error("the policy of CS ID {0} is not supported")]
    Policy(u8),
    /// A stream would share its key with another that has the same SSRC, or may have: what either
    /// protects could be read from both ([RFC 3711 §9.1]).
    ///
    /// [RFC 3711 §9.1]: https://www.rfc-editor.org/rfc/rfc3711#section-9.1
    #[error("the key of CS ID {0} would serve two streams that cannot be told apart")]
    SharedKey(u8),
}

impl Bundle {
    /// Derives the master keys of SRTP streams: this side sends those with the CS IDs `outbound`,
    /// the peer those with `inbound`.
    ///
    /// Each stream has its keys by its SSRC, with the ROC of the CS ID map; an SPI becomes the MKI.
    /// All streams of a direction need the same policy. A session that both sides send in has
    /// [`srtp_keys_both_ways`](Self::srtp_keys_both_ways).
    ///
    /// A TGK makes a key of its own for each session. A TEK is the same for all that it serves: the
    /// one whose SPI names it, or without such a one every session of SRTP. Then the SSRCs of these
    /// must be known and differ.
    ///
    /// ```
    /// use mikey::derive::Secret;
    /// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, null};
    /// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
    /// use mikey::{MessageTime, Quirks, Timestamp};
    /// use srtp::keying::{MasterKeySource, Profile};
    ///
    /// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// let streams = [
    ///     SrtpIdSession { policy_no: 0, ssrc: 0x1111_1111, roc: 0 },
    ///     SrtpIdSession { policy_no: 0, ssrc: 0x2222_2222, roc: 0 },
    /// ];
    /// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
    /// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
    /// let time = MessageTime::Utc(Timestamp::from_unix(1_800_000_000, 0));
    /// let (bundle, _message) =
    ///     null::send_in_secured_channel(&proposal, vec![tgk], None, time, &mut rng)?;
    ///
    /// let keys = bundle.srtp_keys(&[1], &[2], Quirks::NONE).map_err(|_| ExchangeError::KeyLength)?;
    /// assert_eq!(keys.outbound().profile(), Profile::AesCm128HmacSha1_80);
    /// assert_eq!(keys.inbound().entries()[0].ssrc(), Some(0x2222_2222));
    /// # Ok::<(), ExchangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SrtpKeyError`] for a stream that is not there, a policy that is not supported, keys that do
    /// not fit it, or a key that would serve two streams.
    pub fn srtp_keys(
        &self,
        outbound: &[u8],
        inbound: &[u8],
        quirks: Quirks,
    ) -> Result<SrtpKeys, SrtpKeyError> {
        let streams = |cs_ids: &[u8]| {
            let streams = cs_ids.iter().map(|cs_id| self.stream(*cs_id));
            streams.collect::<Result<Vec<Stream<'_>>, SrtpKeyError>>()
        };
        let (sent, received) = (streams(outbound)?, streams(inbound)?);
        if let Some(cs_id) = outbound.iter().find(|cs_id| inbound.contains(cs_id)) {
            return Err(SrtpKeyError::SharedKey(*cs_id));
        }
        self.keys_of(&sent, &received, quirks)
    }

    /// Derives the master keys of one crypto session that both sides send in under the same key,
    /// each with an SSRC of its own: a camera its video, and the viewer its reports.
    ///
    /// ```
    /// use mikey::derive::Secret;
    /// use mikey::exchange::{ExchangeError, KeyKind, KeyMaterial, Proposal, null};
    /// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
    /// use mikey::{MessageTime, Quirks, Timestamp};
    /// use srtp::keying::MasterKeySource;
    ///
    /// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// let video = [SrtpIdSession { policy_no: 0, ssrc: 0x1111_1111, roc: 0 }];
    /// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&video)?));
    /// let tgk = KeyMaterial::new(KeyKind::Tgk, Secret::random(16, &mut rng)?);
    /// let time = MessageTime::Utc(Timestamp::from_unix(1_800_000_000, 0));
    /// let (camera, _message) =
    ///     null::send_in_secured_channel(&proposal, vec![tgk], None, time, &mut rng)?;
    ///
    /// let both_ways = |own, peer| camera.srtp_keys_both_ways(1, own, peer, Quirks::NONE);
    /// let keys = both_ways(0x1111_1111, 0x2222_2222).map_err(|_| ExchangeError::KeyLength)?;
    /// assert_eq!(keys.inbound().entries()[0].ssrc(), Some(0x2222_2222));
    /// assert!(both_ways(0x1111_1111, 0x1111_1111).is_err());
    /// # Ok::<(), ExchangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`srtp_keys`](Self::srtp_keys): [`SrtpKeyError::SharedKey`] if both SSRCs are the same,
    /// [`SrtpKeyError::NoStream`] if the session has one that is neither.
    ///
    /// # Security
    ///
    /// One call is not compared with another: where a TEK serves several sessions, an SSRC that is
    /// given for one must not be given for the next, nor the same pair after a restart of SRTP.
    pub fn srtp_keys_both_ways(
        &self,
        cs_id: u8,
        own_ssrc: u32,
        peer_ssrc: u32,
        quirks: Quirks,
    ) -> Result<SrtpKeys, SrtpKeyError> {
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
        self.keys_of(&[with(own_ssrc)], &[with(peer_ssrc)], quirks)
    }

    fn stream(&self, cs_id: u8) -> Result<Stream<'_>, SrtpKeyError> {
        let session = self
            .session(cs_id)
            .filter(|session| session.prot_type() == ProtType::Srtp)
            .ok_or(SrtpKeyError::NoStream(cs_id))?;
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
        quirks: Quirks,
    ) -> Result<SrtpKeys, SrtpKeyError> {
        let serving = Serving::of(self);
        let keys = SrtpKeys {
            outbound: self.key_set(outbound, &serving, quirks)?,
            inbound: self.key_set(inbound, &serving, quirks)?,
        };
        serving.check_teks(&[outbound, inbound].concat())?;
        Ok(keys)
    }

    fn key_set(
        &self,
        streams: &[Stream<'_>],
        serving: &Serving<'_>,
        quirks: Quirks,
    ) -> Result<KeySet, SrtpKeyError> {
        let mut common = None;
        let mut entries = Vec::new();
        for stream in streams {
            let session = stream.session;
            let cs_id = session.cs_id();
            let profile = self
                .profile_of(session, quirks)
                .ok_or(SrtpKeyError::Policy(cs_id))?;
            if *common.get_or_insert(profile) != profile {
                return Err(SrtpKeyError::Policy(cs_id));
            }
            // The key that the SPI names is the one to begin with.
            let first = self.key_of(cs_id).ok_or(NoSessionKey)?;
            let others = self
                .keys()
                .iter()
                .filter(|key| !core::ptr::eq(*key, first) && serving.serves(key, session));
            // No more are derived than may serve a stream.
            let served: Vec<&KeyMaterial> = core::iter::once(first)
                .chain(others)
                .take(MAX_KEYS_PER_STREAM + 1)
                .collect();
            if served.len() > MAX_KEYS_PER_STREAM {
                return Err(KeyingError::TooManyKeys.into());
            }
            for material in served {
                entries.push(self.entry(material, stream, profile, quirks)?);
            }
        }
        let profile = common.ok_or(KeyingError::NoKey)?;
        Ok(KeySet::new(profile, Parameters::default(), entries)?)
    }

    fn profile_of(&self, session: &Session, quirks: Quirks) -> Option<Profile> {
        let policy = match session.policies() {
            // Nothing was proposed at all, so the defaults of SRTP hold.
            _ if self.policies().is_empty() => SrtpPolicy::default(),
            [] => return None,
            [number, ..] => {
                let policy = self.policy(*number)?;
                let params = policy.params().ok()?;
                let policy =
                    SecurityPolicy::new(policy.policy_no(), policy.prot_type(), &params).ok()?;
                SrtpPolicy::of(&policy).ok()?
            }
        };
        profile(&policy, quirks)
    }

    fn entry(
        &self,
        material: &KeyMaterial,
        stream: &Stream<'_>,
        profile: Profile,
        quirks: Quirks,
    ) -> Result<KeyEntry, SrtpKeyError> {
        let cs_id = stream.session.cs_id();
        let mut key = Zeroizing::new(alloc::vec![0; profile.key_len()]);
        let mut salt = Zeroizing::new(alloc::vec![0; profile.salt_len()]);
        if let Some((sent_key, sent_salt)) = joined(material, profile, quirks) {
            key.copy_from_slice(sent_key);
            salt.copy_from_slice(sent_salt);
        } else {
            self.key_from(material, cs_id, SessionKey::Tek, &mut key)?;
            self.key_from(material, cs_id, SessionKey::Salt, &mut salt)?;
        }
        let entry = KeyEntry::new(MasterKey::new(profile, &key, &salt)?).with_roc(stream.roc);
        let entry = match stream.ssrc {
            Some(ssrc) => entry.for_ssrc(ssrc),
            None => entry,
        };
        Ok(match material.validity() {
            Validity::Unlimited => entry,
            Validity::Spi(spi) => entry.with_mki(Mki::new(spi)?),
            Validity::Interval(from, to) => {
                let (from, to) = (index(from)?, index(to)?);
                entry.with_validity(srtp::keying::Validity::new(from, to)?)
            }
        })
    }
}

/// A TEK with its salt behind it, where that is borne.
fn joined(material: &KeyMaterial, profile: Profile, quirks: Quirks) -> Option<(&[u8], &[u8])> {
    let sent = material.key().expose();
    let whole = profile.key_len() + profile.salt_len();
    let applies = quirks.salt_in_tek
        && material.kind() == KeyKind::Tek
        && material.salt().is_none()
        && sent.len() == whole;
    if applies {
        sent.split_at_checked(profile.key_len())
    } else {
        None
    }
}

/// A 48-bit index of SRTP ([RFC 3830 §6.14]).
///
/// [RFC 3830 §6.14]: https://www.rfc-editor.org/rfc/rfc3830#section-6.14
fn index(octets: &[u8]) -> Result<u64, KeyingError> {
    let octets: [u8; 6] = octets.try_into().map_err(|_| KeyingError::Validity)?;
    Ok(octets
        .iter()
        .fold(0, |index, octet| index << 8 | u64::from(*octet)))
}
