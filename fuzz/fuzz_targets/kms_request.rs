//! Whatever a peer sends to a KMS: without a key nobody gets an answer but an Error message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey::code_points::DataType;
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, Message, SkewWindow, Timestamp};
use mikey_ticket::{GrantAsAsked, InMemoryTicketKeys, Kms, Strength};

mod rng;

fuzz_target!(|octets: &[u8]| {
    let id = |uri| Identity::uri(uri).expect("short");
    // The time of the message, so that the clock refuses nothing.
    let now = Timestamp::from_unix(1_800_000_000, 0);
    let (mut subscribers, mut tpks) = (InMemoryKeys::new(), InMemoryTicketKeys::new());
    let key = || Secret::new(&[0x2b; 16]).expect("16 octets");
    subscribers.insert(id("sip:alice@example.com"), key());
    tpks.insert(
        b"tpk 128",
        Strength::Bits128,
        key(),
        now,
        now.plus_seconds(60),
    );
    let replay = InMemoryReplayCache::new(8, SkewWindow::default());
    let window = SkewWindow::new(u32::MAX, u32::MAX);
    let kms = Kms::new(
        id("sip:kms.example.com"),
        subscribers,
        tpks,
        GrantAsAsked,
        replay,
    );
    let refusal = kms
        .with_window(window)
        .handle(octets, now, &mut rng::Fixed(1));
    let refusal = refusal.expect_err("a MAC was guessed");
    if let Some(error) = refusal.message() {
        let error = Message::decode(error).expect("our own message");
        assert_eq!(error.header().data_type(), DataType::Error);
    }
});
