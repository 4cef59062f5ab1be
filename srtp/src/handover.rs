//! Hand-over of a session to another node: everything that must go on where it stood, as octets
//! that only a holder of the hand-over key can read or change.

mod codec;

use alloc::vec::Vec;
use core::fmt;

use aes::cipher::Array;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::builder::Builder;
use crate::error::SessionError;
use crate::index::MAX_INDEX;
use crate::key_uses::{KeyIdentity, Retired};
use crate::keying::{KeyEntry, KeySet, KeyingError, Profile};
use crate::session::{Scope, Session};
use crate::stream::Stream;
use crate::{Receiver, Sender};

const MAGIC: [u8; 4] = *b"SRHO";
const VERSION: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = MAGIC.len() + 2 + NONCE_LEN;

/// The key that nodes share to hand sessions over to one another; used for nothing else.
///
/// At most 2^32 hand-overs may be sealed with it: their nonces are drawn at random.
#[derive(ZeroizeOnDrop)]
pub struct HandoverKey([u8; 32]);

impl HandoverKey {
    /// Takes 32 octets from a secret random source.
    #[must_use]
    pub const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for HandoverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandoverKey")
    }
}

/// Whether a hand-over carries the master keys.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HandoverKeys {
    /// It does, encrypted like everything else in it.
    Included,
    /// The other node has them from its own key management.
    LeftOut,
}

/// How far an imported sender goes on behind where the exported one stood: as many packets as the
/// other node may have sent since.
///
/// Export often: the ROC of what comes next is estimated from where the stream stood, so a node must
/// take over before 2^15 packets of a stream have passed since the export.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IndexSkip {
    /// SRTP packets. 0 where sequence numbers come from a source that goes on behind the hand-over
    /// and never repeats one; otherwise the sender's own numbers go on behind the skip, and SSRCs
    /// that begin after it are fresh ones.
    pub srtp: u64,
    /// SRTCP packets, whose indices the sender counts itself. Also the index that streams begin
    /// with which the exported sender may have begun since.
    pub srtcp: u32,
}

/// A hand-over was refused; nothing was built.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandoverError {
    /// It is not sealed with this key, or was changed.
    #[error("hand-over is not authentic")]
    Forged,
    /// The keys given are not those of the session.
    #[error("keys are not those of the session handed over")]
    KeyMismatch,
    /// It carries no keys, and none were given.
    #[error("hand-over carries no keys")]
    KeysLeftOut,
    /// The keys it carries do not fit together.
    #[error(transparent)]
    Keying(#[from] KeyingError),
    /// It is no hand-over, or was cut off.
    #[error("not a hand-over")]
    Malformed,
    /// It is one of a version or profile that this build does not know.
    #[error("hand-over of an unknown version or profile")]
    Unknown,
    /// It is one of the other direction.
    #[error("hand-over of the other direction")]
    WrongDirection,
}

/// What a session goes on with.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) keys: Option<KeySet>,
    /// Keys that newer ones replaced, and for how many more packets they stay.
    pub(crate) replaced: Vec<(KeyEntry, u32)>,
    pub(crate) profile: Profile,
    pub(crate) replay_window: u32,
    pub(crate) max_streams: u32,
    pub(crate) srtcp_start: u32,
    pub(crate) scope: Scope,
    /// The keys that the streams count packets for, and whether they were not replaced; a `serial`
    /// is a place in this list.
    pub(crate) identities: Vec<(KeyIdentity, bool)>,
    pub(crate) retired: Retired,
    pub(crate) streams: Vec<Stream>,
    pub(crate) parked: Vec<Stream>,
    pub(crate) barred: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Direction {
    Sender,
    Receiver,
}

impl Sender {
    /// Everything that another node needs to go on as this sender, sealed with `key`.
    ///
    /// Export again as often as the state must not be lost; packets sent in between are what
    /// [`IndexSkip`] is for. Statistics and pending events stay behind.
    pub fn export<R: CryptoRng + ?Sized>(
        &self,
        key: &HandoverKey,
        keys: HandoverKeys,
        rng: &mut R,
    ) -> Vec<u8> {
        let body = codec::encode(&self.session, keys);
        seal(Direction::Sender, &body, key, rng)
    }
}

impl Receiver {
    /// Everything that another node needs to go on as this receiver, sealed with `key`.
    ///
    /// Packets that this node opens after the export can be replayed to the other one. Statistics,
    /// pending events and the session before a reset of the ROC stay behind.
    pub fn export<R: CryptoRng + ?Sized>(
        &self,
        key: &HandoverKey,
        keys: HandoverKeys,
        rng: &mut R,
    ) -> Vec<u8> {
        let body = codec::encode(&self.session, keys);
        seal(Direction::Receiver, &body, key, rng)
    }
}

impl Builder<Sender> {
    /// Settings for a sender that goes on as the one that was exported, `skip` packets later.
    ///
    /// `keys` are those of the session if the hand-over does not carry them. Settings other than
    /// the keys, the replay window, the SSRCs and their number are chosen anew.
    ///
    /// ```
    /// use srtp::keying::{MasterKey, Profile};
    /// use srtp::{Builder, HandoverKey, HandoverKeys, IndexSkip, Sender};
    /// # use rand_core::{TryCryptoRng, TryRng};
    /// # struct Os;
    /// # impl TryRng for Os {
    /// #     type Error = core::convert::Infallible;
    /// #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { Ok(4) }
    /// #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { Ok(4) }
    /// #     fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> { out.fill(4); Ok(()) }
    /// # }
    /// # impl TryCryptoRng for Os {}
    /// # let mut rng = Os;
    ///
    /// let master = MasterKey::new(Profile::AeadAes128Gcm, &[1; 16], &[2; 12])?;
    /// let mut sender = Sender::new(master)?;
    /// sender.set_roc(0xcafe_babe, 7)?;
    ///
    /// let shared = HandoverKey::new([3; 32]);
    /// let octets = sender.export(&shared, HandoverKeys::Included, &mut rng);
    /// let skip = IndexSkip { srtp: 0, srtcp: 100 };
    /// let sender = Builder::<Sender>::resume(&octets, &shared, None, skip)?.build()?;
    /// assert_eq!(sender.stream(0xcafe_babe).map(|stream| stream.roc), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandoverError`].
    pub fn resume(
        octets: &[u8],
        key: &HandoverKey,
        keys: Option<KeySet>,
        skip: IndexSkip,
    ) -> Result<Self, HandoverError> {
        let mut resumed = open(Direction::Sender, octets, key)?;
        for stream in resumed.streams.iter_mut().chain(&mut resumed.parked) {
            if let (Some(highest), 1..) = (stream.srtp.highest(), skip.srtp) {
                // A ROC that was set may have been used since, from where the numbers stood.
                let set = stream
                    .next_roc
                    .take()
                    .map(|roc| u64::from(roc) << 16 | highest & 0xffff);
                let highest = set.unwrap_or(highest).max(highest);
                let behind = highest.saturating_add(skip.srtp);
                stream.srtp.skip_to(behind.min(MAX_INDEX));
            }
            if let Some(highest) = stream.srtcp.highest() {
                stream
                    .srtcp
                    .skip_to(highest.saturating_add(skip.srtcp.into()));
            }
            stream.usage.retain_mut(|usage| {
                usage.srtp = usage.srtp.saturating_add(skip.srtp);
                usage.srtcp = usage.srtcp.saturating_add(skip.srtcp.into());
                true
            });
        }
        resumed.srtcp_start = resumed.srtcp_start.saturating_add(skip.srtcp);
        Self::from_resumed(resumed, keys)
    }
}

impl Builder<Receiver> {
    /// Settings for a receiver that goes on as the one that was exported.
    ///
    /// `keys` are those of the session if the hand-over does not carry them. Settings other than
    /// the keys, the replay window, the SSRCs and their number are chosen anew.
    ///
    /// # Errors
    ///
    /// [`HandoverError`].
    pub fn resume(
        octets: &[u8],
        key: &HandoverKey,
        keys: Option<KeySet>,
    ) -> Result<Self, HandoverError> {
        Self::from_resumed(open(Direction::Receiver, octets, key)?, keys)
    }
}

impl<D: crate::builder::Direction> Builder<D> {
    fn from_resumed(mut resumed: Resumed, keys: Option<KeySet>) -> Result<Self, HandoverError> {
        let keys = keys
            .or(resumed.keys.take())
            .ok_or(HandoverError::KeysLeftOut)?;
        let given: Vec<KeyIdentity> = keys
            .entries()
            .iter()
            .map(|entry| KeyIdentity::of(entry.key()))
            .collect();
        let mut active = resumed.identities.iter().filter(|(_, active)| *active);
        let complete = active.all(|(identity, _)| given.contains(identity));
        let retired = given
            .iter()
            .any(|identity| resumed.retired.contains(identity));
        if keys.profile() != resumed.profile || !complete || retired {
            return Err(HandoverError::KeyMismatch);
        }
        let mut builder = Self::new(keys);
        builder.replay_window = resumed.replay_window;
        builder.max_streams = usize::try_from(resumed.max_streams).unwrap_or(usize::MAX);
        builder.resumed = Some(resumed);
        Ok(builder)
    }
}

impl Resumed {
    /// Puts everything where it was.
    pub(crate) fn into_session(self, session: &mut Session) -> Result<(), SessionError> {
        for (entry, grace) in self.replaced {
            session.keys.add_replaced(entry, grace)?;
        }
        let serial_of = |identity: &KeyIdentity| {
            session
                .keys
                .iter()
                .find(|key| key.identity() == *identity)
                .map(|key| key.serial)
        };
        let serials: Vec<Option<u32>> = self
            .identities
            .iter()
            .map(|(identity, _)| serial_of(identity))
            .collect();
        let streams = self.parked.into_iter().map(|stream| (stream, true));
        for (mut stream, parked) in streams.chain(self.streams.into_iter().map(|s| (s, false))) {
            stream.usage.retain_mut(|usage| {
                let place = usize::try_from(usage.serial).ok();
                let serial = place.and_then(|place| serials.get(place).copied().flatten());
                serial.is_some_and(|serial| {
                    usage.serial = serial;
                    true
                })
            });
            let size = session.settings.replay_window;
            if size != self.replay_window {
                stream.srtp = stream.srtp.resized(size);
                stream.srtcp = stream.srtcp.resized(size);
            }
            let ssrc = stream.ssrc;
            session.streams.insert(stream)?;
            if parked {
                session.streams.park(ssrc, false, |_| true)?;
            }
        }
        for ssrc in self.barred {
            session.streams.bar(ssrc);
        }
        session.settings.scope = self.scope;
        session.settings.srtcp_start = self.srtcp_start;
        session.retired = self.retired;
        session.announce_limits();
        Ok(())
    }
}

fn seal<R: CryptoRng + ?Sized>(
    direction: Direction,
    body: &[u8],
    key: &HandoverKey,
    rng: &mut R,
) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    let mut octets = Vec::with_capacity(HEADER_LEN + body.len() + TAG_LEN);
    octets.extend_from_slice(&MAGIC);
    octets.extend_from_slice(&[VERSION, direction.octet()]);
    octets.extend_from_slice(&nonce);
    octets.extend_from_slice(body);
    let (header, body) = octets.split_at_mut(HEADER_LEN);
    let tag = Aes256Gcm::new(&Array(key.0)).encrypt_inout_detached(
        &Array(nonce),
        header,
        InOutBuf::from(body),
    );
    match tag {
        Ok(tag) => octets.extend_from_slice(&tag),
        // More than 2^36 octets: nothing is better than something unprotected.
        Err(_) => octets.clear(),
    }
    octets
}

fn open(direction: Direction, octets: &[u8], key: &HandoverKey) -> Result<Resumed, HandoverError> {
    let (header, body) = octets
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(HandoverError::Malformed)?;
    let (body, tag) = body
        .split_last_chunk::<TAG_LEN>()
        .ok_or(HandoverError::Malformed)?;
    let [m0, m1, m2, m3, version, found, nonce @ ..] = *header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(HandoverError::Malformed);
    }
    if version != VERSION {
        return Err(HandoverError::Unknown);
    }
    let mut body = Zeroizing::new(body.to_vec());
    Aes256Gcm::new(&Array(key.0))
        .decrypt_inout_detached(
            &Array(nonce),
            header,
            InOutBuf::from(body.as_mut_slice()),
            &Array(*tag),
        )
        .map_err(|_| HandoverError::Forged)?;
    if found != direction.octet() {
        return Err(HandoverError::WrongDirection);
    }
    codec::decode(&body)
}

impl Direction {
    const fn octet(self) -> u8 {
        match self {
            Self::Sender => 1,
            Self::Receiver => 2,
        }
    }
}
