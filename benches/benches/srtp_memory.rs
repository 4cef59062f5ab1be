//! What a sender and a receiver take in memory, RTP and RTCP together: one with its own key and one
//! stream, and each stream more under the same key. Counted by the allocator, printed as a table.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use allocation_counter::measure;
use mediasec_benches::rtp_packet;
use srtp::keying::{KeySet, MasterKey, Profile};
use srtp::{Backend, Builder, Receiver, Sender};

/// Streams beyond the first, to find what one of them takes.
const FURTHER: u32 = 1000;

fn main() {
    println!("octets allocated, Backend::{:?}", Backend::default());
    println!("| suite | sender | receiver | each stream more |");
    println!("|---|---|---|---|");
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = (None, None);
        let sending = measure(|| sender = Builder::<Sender>::new(keys(*profile)).build().ok());
        let receiving =
            measure(|| receiver = Builder::<Receiver>::new(keys(*profile)).build().ok());
        let (mut sender, mut receiver) = (sender.unwrap(), receiver.unwrap());
        let mut talk = |ssrc| {
            let mut packet = rtp_packet(ssrc, 0, 160);
            sender.protect_rtp(&mut packet).unwrap();
            receiver.unprotect_rtp(&mut packet).unwrap();
        };
        let first = measure(|| talk(0));
        let more = measure(|| (1..=FURTHER).for_each(&mut talk));
        let stream = first.bytes_current / 2;
        println!(
            "| {profile:?} | {} | {} | {} |",
            octets(sending.bytes_current + stream, size_of::<Sender>()),
            octets(receiving.bytes_current + stream, size_of::<Receiver>()),
            more.bytes_current / i64::from(FURTHER) / 2,
        );
    }
}

fn octets(allocated: i64, itself: usize) -> i64 {
    allocated + i64::try_from(itself).unwrap()
}

fn keys(profile: Profile) -> KeySet {
    let key = MasterKey::new(
        profile,
        &vec![1; profile.key_len()],
        &vec![2; profile.salt_len()],
    );
    KeySet::single(key.unwrap())
}
