//! Independent implementation: the same random packets through ours and through libsrtp.
//!
//! libsrtp 2.3 on OpenSSL, built from source. What is protected must come out equal, octet for
//! octet; what a receiver is given, after loss, reordering, duplication and forgery, both must open
//! to the same octets or both refuse. No disagreement is tolerated there: the few that exist are
//! kept out of the random packets, and each has a test of its own at the end that shows it.
//!
//! `DIFFERENTIAL_PACKETS` sets how many packets a suite gets (100,000 without), and
//! `DIFFERENTIAL_SEED` with which random numbers.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use bytes::{BufMut, BytesMut};
use fastrand::Rng;
use interop::rtp::RtpSource;
use libsrtp::{CryptoPolicy, Session, StreamPolicy};
use srtp::{
    Builder, Receiver, Sender, UnprotectError,
    keying::{KeySet, MasterKey, Profile},
};

const STREAMS: [u32; 3] = [0x0000_0001, 0xcafe_babe, 0xffff_fffe];

const REPLAY_WINDOW: u32 = 128;

/// One packet in so many of those sent is RTCP.
const RTCP_ONE_IN: u32 = 4;

#[test]
fn aes_cm_128_hmac_sha1_80() {
    same(
        Profile::AesCm128HmacSha1_80,
        CryptoPolicy::aes_cm_128_hmac_sha1_80(),
        CryptoPolicy::aes_cm_128_hmac_sha1_80(),
    );
}

#[test]
fn aes_cm_128_hmac_sha1_32() {
    same(
        Profile::AesCm128HmacSha1_32,
        CryptoPolicy::aes_cm_128_hmac_sha1_32(),
        CryptoPolicy::aes_cm_128_hmac_sha1_80(),
    );
}

#[test]
fn aes_cm_256_hmac_sha1_80() {
    same(
        Profile::AesCm256HmacSha1_80,
        CryptoPolicy::aes_cm_256_hmac_sha1_80(),
        CryptoPolicy::aes_cm_256_hmac_sha1_80(),
    );
}

#[test]
fn aes_cm_256_hmac_sha1_32() {
    same(
        Profile::AesCm256HmacSha1_32,
        CryptoPolicy::aes_cm_256_hmac_sha1_32(),
        CryptoPolicy::aes_cm_256_hmac_sha1_80(),
    );
}

#[test]
fn aead_aes_128_gcm() {
    same(
        Profile::AeadAes128Gcm,
        CryptoPolicy::aes_gcm_128_16_auth(),
        CryptoPolicy::aes_gcm_128_16_auth(),
    );
}

#[test]
fn aead_aes_256_gcm() {
    same(
        Profile::AeadAes256Gcm,
        CryptoPolicy::aes_gcm_256_16_auth(),
        CryptoPolicy::aes_gcm_256_16_auth(),
    );
}

/// Deliberate: RFC 6188 section 3 derives keys with AES-192, libsrtp 2.3 (and 2.5) with AES-256 and
/// zeros behind the key. AES-192 is left to published vectors.
#[test]
fn libsrtp_derives_aes_192_keys_otherwise() {
    let rtp = CryptoPolicy::aes_cm_192_hmac_sha1_80();
    let mut both = Both::new(Profile::AesCm192HmacSha1_80, rtp, rtp, Rng::with_seed(1));
    let (mut ours, mut theirs) = (header(1), header(1).to_vec());
    both.our_sender.protect_rtp(&mut ours).unwrap();
    both.their_sender.protect(&mut theirs).unwrap();
    assert_ne!(ours, theirs);
    assert_eq!(both.our_receiver.unprotect_rtp(&mut ours), Ok(()));
    assert!(both.their_receiver.unprotect(&mut theirs).is_ok());
}

/// Deliberate: RFC 3711 section 3.4 begins the SRTCP index at 0, libsrtp at 1. Elsewhere here, ours
/// protects a packet ahead that is not sent.
#[test]
fn libsrtp_begins_the_srtcp_index_at_one() {
    let (rtp, profile) = (
        CryptoPolicy::aes_cm_128_hmac_sha1_80(),
        Profile::AesCm128HmacSha1_80,
    );
    let mut both = Both::new(profile, rtp, rtp, Rng::with_seed(1));
    let clear = [0x80, 201, 0, 1, 0, 0, 0, 99];
    let (mut ours, mut theirs) = (BytesMut::from(&clear[..]), clear.to_vec());
    both.our_sender.protect_rtcp(&mut ours).unwrap();
    both.their_sender.protect_rtcp(&mut theirs).unwrap();
    assert_eq!(ours[8..12], [0x80, 0, 0, 0]);
    assert_eq!(theirs[8..12], [0x80, 0, 0, 1]);
    both.their_receiver
        .unprotect_rtcp(&mut ours.to_vec())
        .unwrap();
    both.our_receiver
        .unprotect_rtcp(&mut BytesMut::from(&theirs[..]))
        .unwrap();
}

/// Deliberate: in ROC 0, a sequence number more than 2^15 ahead is by RFC 3711 section 3.3.1 one
/// from before the first wrap there is, so that no index fits it; libsrtp takes it for one ahead.
/// Elsewhere here, no jump is that long.
#[test]
fn libsrtp_takes_a_jump_of_more_than_half_the_numbers_in_roc_zero() {
    let (rtp, profile) = (
        CryptoPolicy::aes_cm_128_hmac_sha1_80(),
        Profile::AesCm128HmacSha1_80,
    );
    let mut both = Both::new(profile, rtp, rtp, Rng::with_seed(1));
    let mut theirs = |sequence_number| {
        let mut packet = header(sequence_number).to_vec();
        both.their_sender.protect(&mut packet).unwrap();
        BytesMut::from(&packet[..])
    };
    let (first, mut at_most, mut beyond) =
        (theirs(5), theirs(5 + (1 << 15)), theirs(6 + (1 << 15)));
    both.their_receiver.unprotect(&mut first.to_vec()).unwrap();
    both.their_receiver.unprotect(&mut beyond.to_vec()).unwrap();
    both.our_receiver.unprotect_rtp(&mut first.clone()).unwrap();
    assert_eq!(
        both.our_receiver.unprotect_rtp(&mut beyond),
        Err(UnprotectError::TooOld)
    );
    assert_eq!(both.our_receiver.unprotect_rtp(&mut at_most), Ok(()));
}

fn same(profile: Profile, rtp: CryptoPolicy, rtcp: CryptoPolicy) {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let packets = number("DIFFERENTIAL_PACKETS", 100_000);
    let seed = number("DIFFERENTIAL_SEED", 3711);
    // Other packets for each suite.
    let suite = Profile::ALL.iter().take_while(|other| **other != profile);
    let rng = Rng::with_seed(suite.fold(seed, |seed, _| seed.wrapping_add(1)));
    let mut both = Both::new(profile, rtp, rtcp, rng);
    for _ in 0..packets {
        both.step();
    }
    both.arrive(usize::MAX);
    println!("{profile:?}, seed {seed}: {:?}", both.counts);
    // Every kind of event has happened, and often.
    let Counts {
        rtp,
        rtcp,
        wraps,
        opened,
        refused,
        forged,
    } = both.counts;
    assert_eq!(rtp + rtcp, packets);
    assert!(rtcp > packets / 8 && opened > packets / 2);
    assert!(refused > packets / 50 && forged > packets / 100);
    assert!(wraps >= packets / 20_000);
}

/// Ours and libsrtp's, senders and receivers, and the path between them.
struct Both {
    rng: Rng,
    our_sender: Sender,
    their_sender: Session,
    our_receiver: Receiver,
    their_receiver: Session,
    sequence_numbers: [u16; STREAMS.len()],
    path: Vec<Datagram>,
    under_way: usize,
    counts: Counts,
}

#[derive(Clone)]
struct Datagram {
    octets: BytesMut,
    is_rtcp: bool,
    forged: bool,
}

#[derive(Debug, Default)]
struct Counts {
    rtp: u64,
    rtcp: u64,
    wraps: u64,
    opened: u64,
    refused: u64,
    forged: u64,
}

impl Both {
    fn new(profile: Profile, rtp: CryptoPolicy, rtcp: CryptoPolicy, mut rng: Rng) -> Self {
        let mut octets = [0; 64];
        rng.fill(&mut octets);
        let (key, rest) = octets.split_at(profile.key_len());
        let salt = &rest[..profile.salt_len()];
        let keys = || KeySet::single(MasterKey::new(profile, key, salt).unwrap());
        let key_and_salt = [key, salt].concat();
        let policy = StreamPolicy {
            rtp,
            rtcp,
            key: &key_and_salt,
            window_size: u64::from(REPLAY_WINDOW),
            ..StreamPolicy::default()
        };
        let our_sender = Builder::<Sender>::new(keys()).replay_window(REPLAY_WINDOW);
        let our_receiver = Builder::<Receiver>::new(keys()).replay_window(REPLAY_WINDOW);
        let mut our_sender = our_sender.build().unwrap();
        for ssrc in STREAMS {
            skip_srtcp_index_zero(&mut our_sender, ssrc);
        }
        Self {
            our_sender,
            their_sender: Session::with_outbound_template(policy).unwrap(),
            our_receiver: our_receiver.build().unwrap(),
            their_receiver: Session::with_inbound_template(policy).unwrap(),
            sequence_numbers: [rng.u16(1..1000), rng.u16(..1 << 15), 65_400],
            rng,
            path: Vec::new(),
            under_way: 8,
            counts: Counts::default(),
        }
    }

    /// Sends a packet, and has some of those under way arrive.
    fn step(&mut self) {
        let stream = self.rng.usize(..STREAMS.len());
        let is_rtcp = self.rng.u32(..RTCP_ONE_IN) == 0;
        let clear = if is_rtcp {
            self.counts.rtcp += 1;
            self.rtcp(STREAMS[stream])
        } else {
            self.counts.rtp += 1;
            self.rtp(stream)
        };

        let (mut ours, mut theirs) = (clear.clone(), clear.to_vec());
        if is_rtcp {
            self.our_sender.protect_rtcp(&mut ours).unwrap();
            self.their_sender.protect_rtcp(&mut theirs).unwrap();
        } else {
            self.our_sender.protect_rtp(&mut ours).unwrap();
            self.their_sender.protect(&mut theirs).unwrap();
        }
        assert_eq!(ours, theirs, "of {clear:02x?}");

        let datagram = Datagram {
            octets: ours,
            is_rtcp,
            forged: false,
        };
        if self.rng.u32(..20) == 0 {
            // A forgery, which the genuine packet follows or not.
            let mut forgery = Datagram {
                forged: true,
                ..datagram.clone()
            };
            self.forge(&mut forgery.octets);
            self.path.push(forgery);
        }
        if self.rng.u32(..20) == 0 {
            self.path.push(datagram.clone());
        }
        if self.rng.u32(..10) != 0 {
            self.path.push(datagram);
        }
        // Mostly few packets are under way, at times so many that some come too late.
        if self.rng.u32(..1000) == 0 {
            self.under_way = if self.rng.u8(..4) == 0 { 600 } else { 8 };
        }
        self.arrive(self.path.len().saturating_sub(self.under_way));
    }

    /// Any of the packets under way reach both receivers.
    fn arrive(&mut self, count: usize) {
        for _ in 0..count.min(self.path.len()) {
            let next = self.rng.usize(..self.path.len());
            let Datagram {
                octets,
                is_rtcp,
                forged,
            } = self.path.swap_remove(next);
            let (mut ours, mut theirs) = (octets.clone(), octets.to_vec());
            let (our_answer, their_answer) = if is_rtcp {
                (
                    self.our_receiver.unprotect_rtcp(&mut ours),
                    self.their_receiver.unprotect_rtcp(&mut theirs),
                )
            } else {
                (
                    self.our_receiver.unprotect_rtp(&mut ours),
                    self.their_receiver.unprotect(&mut theirs),
                )
            };
            assert_eq!(
                our_answer.is_ok(),
                their_answer.is_ok(),
                "ours {our_answer:?}, libsrtp {their_answer:?} of {octets:02x?}",
            );
            if our_answer.is_ok() {
                assert!(!forged);
                assert_eq!(ours, theirs);
                self.counts.opened += 1;
            } else {
                self.counts.refused += 1;
                self.counts.forged += u64::from(forged);
            }
        }
    }

    /// Random in all that SRTP looks at: CSRC list, header extension, padding bit, length.
    fn rtp(&mut self, stream: usize) -> BytesMut {
        let skip = match self.rng.u32(..1000) {
            0 => self.rng.u16(1..30_000),
            1..50 => self.rng.u16(1..100),
            _ => 1,
        };
        let before = self.sequence_numbers[stream];
        let sequence_number = before.wrapping_add(skip);
        self.counts.wraps += u64::from(sequence_number < before);
        self.sequence_numbers[stream] = sequence_number;

        let csrcs = if self.rng.u8(..4) == 0 {
            self.rng.u8(..16)
        } else {
            0
        };
        let extension = (self.rng.u8(..4) == 0).then(|| self.rng.u16(..8));
        let flags = 0x80 | self.rng.u8(..2) << 5 | u8::from(extension.is_some()) << 4 | csrcs;
        let mut packet = BytesMut::new();
        packet.put_u8(flags);
        packet.put_u8(self.rng.u8(..));
        packet.put_u16(sequence_number);
        packet.put_u32(self.rng.u32(..));
        packet.put_u32(STREAMS[stream]);
        self.put_random(&mut packet, usize::from(csrcs) * 4);
        if let Some(words) = extension {
            // 0xbede, 0x1000 or anything: without RFC 6904 or 9335 it makes no difference.
            packet.put_u16([0xbede, 0x1000, 0xabcd][self.rng.usize(..3)]);
            packet.put_u16(words);
            self.put_random(&mut packet, usize::from(words) * 4);
        }
        let payload = if self.rng.u8(..16) == 0 {
            self.rng.usize(..1400)
        } else {
            self.rng.usize(..180)
        };
        self.put_random(&mut packet, payload);
        packet
    }

    /// A header of any RTCP type, then anything.
    fn rtcp(&mut self, ssrc: u32) -> BytesMut {
        let words = self.rng.u16(..40);
        let mut packet = BytesMut::new();
        packet.put_u8(0x80 | self.rng.u8(..32));
        packet.put_u8(self.rng.u8(192..=223));
        packet.put_u16(words + 1);
        packet.put_u32(ssrc);
        self.put_random(&mut packet, usize::from(words) * 4);
        packet
    }

    fn put_random(&mut self, packet: &mut BytesMut, count: usize) {
        let begin = packet.len();
        packet.put_bytes(0, count);
        self.rng.fill(&mut packet[begin..]);
    }

    /// Flips a bit, cuts octets off, or appends some.
    fn forge(&mut self, octets: &mut BytesMut) {
        match self.rng.u8(..8) {
            0 => octets.truncate(self.rng.usize(..octets.len())),
            1 => octets.put_bytes(0, self.rng.usize(1..20)),
            _ => {
                let bit = self.rng.usize(..octets.len() * 8);
                octets[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

/// A packet of a stream that is not among [`STREAMS`], with a short payload.
fn header(sequence_number: u16) -> BytesMut {
    RtpSource::new(99, sequence_number, 0).packet(b"payload")
}

fn skip_srtcp_index_zero(sender: &mut Sender, ssrc: u32) {
    let mut unsent = BytesMut::from(&[0x80, 201, 0, 1][..]);
    unsent.put_u32(ssrc);
    sender.protect_rtcp(&mut unsent).unwrap();
}
