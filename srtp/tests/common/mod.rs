//! What the integration tests share: packets, sessions, and a random source with a fixed seed.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use bytes::BytesMut;
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use srtp::keying::{KeySet, MasterKey, Profile};
use srtp::{
    Builder, Direction, HandoverKey, HandoverKeys, ProtectError, Receiver, Sender, UnprotectError,
};

pub(crate) const SSRC: u32 = 0xcafe_babe;

/// SplitMix64: the same octets in every run. For tests only.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::try_from(self.next() >> 32).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}

/// The same master key for the same profile and octet.
pub(crate) fn master(profile: Profile, octet: u8) -> MasterKey {
    let key = vec![octet; profile.key_len()];
    let salt = vec![octet ^ 0x5a; profile.salt_len()];
    MasterKey::new(profile, &key, &salt).unwrap()
}

pub(crate) fn keys(profile: Profile, octet: u8) -> KeySet {
    KeySet::single(master(profile, octet))
}

pub(crate) fn builder<D: Direction>(profile: Profile) -> Builder<D> {
    Builder::new(keys(profile, 1)).allow_unprotected()
}

pub(crate) fn pair(profile: Profile) -> (Sender, Receiver) {
    (
        builder(profile).build().unwrap(),
        builder(profile).build().unwrap(),
    )
}

pub(crate) fn rtp(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0x0f];
    packet.extend(seq.to_be_bytes());
    packet.extend(0x1234_5678_u32.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

/// A sender report without report blocks.
pub(crate) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([7; 20]);
    packet
}

pub(crate) fn protect(sender: &mut Sender, rtp: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut packet = BytesMut::from(rtp);
    sender.protect_rtp(&mut packet).map(|()| packet.to_vec())
}

pub(crate) fn unprotect(receiver: &mut Receiver, srtp: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = BytesMut::from(srtp);
    receiver
        .unprotect_rtp(&mut packet)
        .map(|()| packet.to_vec())
}

pub(crate) fn protect_report(sender: &mut Sender, rtcp: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut packet = BytesMut::from(rtcp);
    sender.protect_rtcp(&mut packet).map(|()| packet.to_vec())
}

pub(crate) fn unprotect_report(
    receiver: &mut Receiver,
    srtcp: &[u8],
) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = BytesMut::from(srtcp);
    receiver
        .unprotect_rtcp(&mut packet)
        .map(|()| packet.to_vec())
}

/// Everything but the statistics of a receiver: what a refused packet must not change.
pub(crate) fn state(receiver: &Receiver) -> Vec<u8> {
    receiver.export(
        &HandoverKey::new([9; 32]),
        HandoverKeys::Included,
        &mut Seeded(1),
    )
}

/// Everything but the statistics of a sender.
pub(crate) fn sender_state(sender: &Sender) -> Vec<u8> {
    sender.export(
        &HandoverKey::new([9; 32]),
        HandoverKeys::Included,
        &mut Seeded(1),
    )
}

pub(crate) fn protects_rtp(mut sender: Sender, mut receiver: Receiver, rtp: &[u8], srtp: &[u8]) {
    assert_eq!(protect(&mut sender, rtp).unwrap(), srtp);
    let opened = unprotect(&mut receiver, srtp).unwrap();
    // RFC 9335 5.3: an extension that was added to hide the CSRC list may stay.
    assert_eq!(opened, rtp);
    assert_eq!(
        unprotect(&mut receiver, srtp),
        Err(UnprotectError::Replayed)
    );
}

pub(crate) fn protects_rtcp(mut sender: Sender, mut receiver: Receiver, rtcp: &[u8], srtcp: &[u8]) {
    let first = protect_report(&mut sender, rtcp).unwrap();
    assert_eq!(protect_report(&mut sender, rtcp).unwrap(), srtcp);
    assert_eq!(unprotect_report(&mut receiver, srtcp).unwrap(), rtcp);
    assert_eq!(unprotect_report(&mut receiver, &first).unwrap(), rtcp);
    assert_eq!(
        unprotect_report(&mut receiver, srtcp),
        Err(UnprotectError::Replayed)
    );
}
