//! The octets inside a sealed hand-over. All numbers are in network byte order.
//!
//! ```text
//! hand-over = profile(2) window(4) max-streams(4) srtcp-start(4) scope(1) keys identities retired
//!             barred streams parked
//! keys      = 0(1) / 1(1) parameters count(4) *key
//! identity  = digest(20) active(1)
//! key       = key salt flags(1) [ssrc(4)] [len(1) mki] roc(4) srtp-lifetime(8) srtcp-lifetime(8)
//!             from(8) to(8) 0(1) / 1(1) grace(4)
//! stream    = ssrc(4) 0(1) / 1(1) next-roc(4) window window count(4) *usage
//! window    = 0(1) / 1(1) highest(8) bits(size/8)
//! usage     = key(4) srtp(8) srtcp(8)
//! ```

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{HandoverError, HandoverKeys, Resumed};
use crate::key_uses::KeyIdentity;
use crate::keying::{
    KeyDerivationRate, KeyEntry, KeySet, Lifetime, MasterKey, Mki, Parameters, Profile,
    RocTransport, RocTransportMode, Validity,
};
use crate::keys::Key;
use crate::replay::{MAX_REPLAY_WINDOW, MIN_REPLAY_WINDOW, ReplayWindow};
use crate::session::{Scope, Session};
use crate::stream::{Stream, Usage};

/// Set in the flags of a key that is bound to one SSRC, or has an MKI.
const HAS_SSRC: u8 = 1;
const HAS_MKI: u8 = 2;

pub(super) fn encode(session: &Session, keys: HandoverKeys) -> Zeroizing<Vec<u8>> {
    let mut out = Writer(Zeroizing::new(Vec::with_capacity(4096)));
    out.u16(code(session.framing.profile));
    out.u32(session.settings.replay_window);
    out.count(session.streams.max());
    out.u32(session.settings.srtcp_start);
    out.u8(match session.settings.scope {
        Scope::Any => 0,
        Scope::Named => 1,
        Scope::Given => 2,
    });
    match keys {
        HandoverKeys::LeftOut => out.u8(0),
        HandoverKeys::Included => {
            out.u8(1);
            out.parameters(&session.framing.parameters);
            out.count(session.keys.iter().count());
            session.keys.iter().for_each(|key| out.key(key));
        }
    }
    out.count(session.keys.iter().count());
    for key in session.keys.iter() {
        out.octets(&key.identity().to_octets());
        out.u8(key.is_active().into());
    }
    out.count(session.retired.len());
    for identity in session.retired.iter() {
        out.octets(&identity.to_octets());
    }
    let barred = session.streams.barred();
    out.count(barred.len());
    for ssrc in barred {
        out.u32(ssrc);
    }
    let serials: Vec<u32> = session.keys.iter().map(|key| key.serial).collect();
    out.count(session.streams.iter().len());
    session
        .streams
        .iter()
        .for_each(|stream| out.stream(stream, &serials));
    let parked: Vec<Stream> = session
        .streams
        .removed(session.settings.replay_window)
        .collect();
    out.count(parked.len());
    for stream in &parked {
        out.stream(stream, &serials);
    }
    out.0
}

pub(super) fn decode(octets: &[u8]) -> Result<Resumed, HandoverError> {
    let mut input = Reader(octets);
    let profile = profile(input.u16()?).ok_or(HandoverError::Unknown)?;
    let replay_window = input.u32()?;
    if !(MIN_REPLAY_WINDOW..=MAX_REPLAY_WINDOW).contains(&replay_window) {
        return Err(HandoverError::Malformed);
    }
    let (max_streams, srtcp_start) = (input.u32()?, input.u32()?);
    let scope = match input.u8()? {
        0 => Scope::Any,
        1 => Scope::Named,
        2 => Scope::Given,
        _ => return Err(HandoverError::Malformed),
    };
    let mut replaced = Vec::new();
    let keys = match input.u8()? {
        0 => None,
        _ => Some(input.key_set(profile, &mut replaced)?),
    };
    let resumed = Resumed {
        keys,
        replaced,
        profile,
        replay_window,
        max_streams,
        srtcp_start,
        scope,
        identities: input
            .list(|input| Ok((KeyIdentity::from_octets(input.array()?), input.u8()? != 0)))?,
        retired: input
            .list(|input| input.array().map(KeyIdentity::from_octets))?
            .into_iter()
            .collect(),
        barred: input.list(Reader::u32)?,
        streams: input.list(|input| input.stream(replay_window))?,
        parked: input.list(|input| input.stream(replay_window))?,
    };
    if input.0.is_empty() {
        Ok(resumed)
    } else {
        Err(HandoverError::Malformed)
    }
}

struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    fn octets(&mut self, octets: &[u8]) {
        // Growing in place would leave a copy of the keys behind.
        if self.0.capacity() - self.0.len() < octets.len() {
            let mut larger =
                Zeroizing::new(Vec::with_capacity(self.0.capacity() * 2 + octets.len()));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(octets);
    }

    fn u8(&mut self, value: u8) {
        self.octets(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.octets(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.octets(&value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.octets(&value.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn parameters(&mut self, parameters: &Parameters) {
        let exponent =
            |rate: KeyDerivationRate| rate.exponent().map_or(u8::MAX, |exponent| exponent);
        self.u8(exponent(parameters.srtp_kdr));
        self.u8(exponent(parameters.srtcp_kdr));
        self.u8(u8::from(parameters.unencrypted_srtp)
            | u8::from(parameters.unencrypted_srtcp) << 1
            | u8::from(parameters.unauthenticated_srtp) << 2);
        let roc = parameters.roc_transport;
        self.u8(match roc.map(RocTransport::mode) {
            None => 0,
            Some(RocTransportMode::Mode1) => 1,
            Some(RocTransportMode::Mode2) => 2,
            Some(RocTransportMode::Mode3) => 3,
        });
        self.u16(roc.map_or(0, RocTransport::rate));
        self.u8(roc.map_or(0, RocTransport::tag_len));
    }

    fn key(&mut self, key: &Key) {
        self.octets(key.master().expose_key());
        self.octets(key.master().expose_salt());
        let has_ssrc = key.ssrc().map_or(0, |_| HAS_SSRC);
        let has_mki = if key.mki().is_empty() { 0 } else { HAS_MKI };
        self.u8(has_ssrc | has_mki);
        if let Some(ssrc) = key.ssrc() {
            self.u32(ssrc);
        }
        if !key.mki().is_empty() {
            self.u8(u8::try_from(key.mki().len()).unwrap_or(u8::MAX));
            self.octets(key.mki());
        }
        self.u32(key.roc());
        self.u64(key.lifetime().srtp_packets());
        self.u64(key.lifetime().srtcp_packets());
        self.u64(key.validity().from());
        self.u64(key.validity().to());
        match key.grace() {
            None => self.u8(0),
            Some(grace) => {
                self.u8(1);
                self.u32(grace);
            }
        }
    }

    fn stream(&mut self, stream: &Stream, serials: &[u32]) {
        self.u32(stream.ssrc);
        match stream.next_roc {
            None => self.u8(0),
            Some(roc) => {
                self.u8(1);
                self.u32(roc);
            }
        }
        self.window(&stream.srtp);
        self.window(&stream.srtcp);
        let counted: Vec<(usize, &Usage)> = stream
            .usage
            .iter()
            .filter_map(|usage| {
                let place = serials.iter().position(|serial| *serial == usage.serial)?;
                Some((place, usage))
            })
            .collect();
        self.count(counted.len());
        for (place, usage) in counted {
            self.count(place);
            self.u64(usage.srtp);
            self.u64(usage.srtcp);
        }
    }

    fn window(&mut self, window: &ReplayWindow) {
        let Some(highest) = window.highest() else {
            return self.u8(0);
        };
        self.u8(1);
        self.u64(highest);
        for octet in window.history() {
            self.u8(octet);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], HandoverError> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(HandoverError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HandoverError> {
        self.take(N)?
            .try_into()
            .map_err(|_| HandoverError::Malformed)
    }

    fn u8(&mut self) -> Result<u8, HandoverError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, HandoverError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, HandoverError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, HandoverError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A count, then as many items. Every item takes octets, so that the input bounds the list.
    fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, HandoverError>,
    ) -> Result<Vec<T>, HandoverError> {
        (0..self.u32()?).map(|_| item(self)).collect()
    }

    fn parameters(&mut self) -> Result<Parameters, HandoverError> {
        let rate = |octet| match octet {
            u8::MAX => Ok(KeyDerivationRate::ZERO),
            exponent => KeyDerivationRate::power_of_two(exponent),
        };
        let (srtp_kdr, srtcp_kdr, flags) = (rate(self.u8()?)?, rate(self.u8()?)?, self.u8()?);
        let mut parameters = Parameters {
            srtp_kdr,
            srtcp_kdr,
            unencrypted_srtp: flags & 1 != 0,
            unencrypted_srtcp: flags & 2 != 0,
            unauthenticated_srtp: flags & 4 != 0,
            roc_transport: None,
        };
        let mode = match self.u8()? {
            0 => None,
            1 => Some(RocTransportMode::Mode1),
            2 => Some(RocTransportMode::Mode2),
            3 => Some(RocTransportMode::Mode3),
            _ => return Err(HandoverError::Malformed),
        };
        let (packets, tag_len) = (self.u16()?, self.u8()?);
        if let Some(mode) = mode {
            parameters.roc_transport = Some(RocTransport::new(mode, packets, tag_len)?);
        }
        Ok(parameters)
    }

    fn key_set(
        &mut self,
        profile: Profile,
        replaced: &mut Vec<(KeyEntry, u32)>,
    ) -> Result<KeySet, HandoverError> {
        let parameters = self.parameters()?;
        let mut entries = Vec::new();
        for (entry, grace) in self.list(|input| input.key(profile))? {
            match grace {
                None => entries.push(entry),
                Some(grace) => replaced.push((entry, grace)),
            }
        }
        Ok(KeySet::new(profile, parameters, entries)?)
    }

    fn key(&mut self, profile: Profile) -> Result<(KeyEntry, Option<u32>), HandoverError> {
        let key = self.take(profile.key_len())?;
        let salt = self.take(profile.salt_len())?;
        let mut entry = KeyEntry::new(MasterKey::new(profile, key, salt)?);
        let flags = self.u8()?;
        if flags & HAS_SSRC != 0 {
            entry = entry.for_ssrc(self.u32()?);
        }
        if flags & HAS_MKI != 0 {
            let len = self.u8()?;
            entry = entry.with_mki(Mki::new(self.take(len.into())?)?);
        }
        entry = entry.with_roc(self.u32()?);
        entry = entry.with_lifetime(Lifetime::separate(self.u64()?, self.u64()?)?);
        entry = entry.with_validity(Validity::new(self.u64()?, self.u64()?)?);
        let grace = if self.u8()? == 0 {
            None
        } else {
            Some(self.u32()?)
        };
        Ok((entry, grace))
    }

    fn stream(&mut self, size: u32) -> Result<Stream, HandoverError> {
        let mut stream = Stream::new(self.u32()?, 0, size);
        stream.next_roc = if self.u8()? == 0 {
            None
        } else {
            Some(self.u32()?)
        };
        stream.srtp = self.window(size)?;
        stream.srtcp = self.window(size)?;
        let usage = self.list(|input| {
            Ok(Usage {
                serial: input.u32()?,
                srtp: input.u64()?,
                srtcp: input.u64()?,
            })
        })?;
        stream.usage = usage.into_iter().collect();
        Ok(stream)
    }

    fn window(&mut self, size: u32) -> Result<ReplayWindow, HandoverError> {
        if self.u8()? == 0 {
            return Ok(ReplayWindow::new(size));
        }
        let highest = self.u64()?;
        let octets = usize::try_from(size.div_ceil(8)).map_err(|_| HandoverError::Malformed)?;
        Ok(ReplayWindow::from_history(
            size,
            Some(highest),
            self.take(octets)?,
        ))
    }
}

/// The number of a profile in a hand-over: its place in this list, which only grows.
const PROFILES: &[(u16, Profile)] = &[
    (1, Profile::AesCm128HmacSha1_80),
    (2, Profile::AesCm128HmacSha1_32),
    (3, Profile::AesCm192HmacSha1_80),
    (4, Profile::AesCm192HmacSha1_32),
    (5, Profile::AesCm256HmacSha1_80),
    (6, Profile::AesCm256HmacSha1_32),
    (7, Profile::AesF8_128HmacSha1_80),
    (8, Profile::AeadAes128Gcm),
    (9, Profile::AeadAes256Gcm),
    #[cfg(feature = "aria")]
    (10, Profile::Aria128CtrHmacSha1_80),
    #[cfg(feature = "aria")]
    (11, Profile::Aria128CtrHmacSha1_32),
    #[cfg(feature = "aria")]
    (12, Profile::Aria256CtrHmacSha1_80),
    #[cfg(feature = "aria")]
    (13, Profile::Aria256CtrHmacSha1_32),
    #[cfg(feature = "aria")]
    (14, Profile::AeadAria128Gcm),
    #[cfg(feature = "aria")]
    (15, Profile::AeadAria256Gcm),
    #[cfg(feature = "insecure-null")]
    (16, Profile::NullHmacSha1_80),
    #[cfg(feature = "insecure-null")]
    (17, Profile::NullHmacSha1_32),
    #[cfg(feature = "insecure-null")]
    (18, Profile::NullNull),
];

fn code(profile: Profile) -> u16 {
    PROFILES
        .iter()
        .find(|(_, known)| *known == profile)
        .map_or(0, |(code, _)| *code)
}

fn profile(code: u16) -> Option<Profile> {
    PROFILES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, profile)| *profile)
}
