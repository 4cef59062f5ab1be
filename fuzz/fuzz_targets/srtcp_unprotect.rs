#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mediasec_fuzz::{session, state};
use srtp::UnprotectError;

// Octets that nobody protected are refused and leave the receiver as it was. If they are an RTCP
// packet, it comes through protected, once.
fuzz_target!(|input: &[u8]| {
    let Some((&choice, octets)) = input.split_first() else {
        return;
    };
    let (mut sender, mut receiver) = session(choice);
    let before = state(&receiver);
    assert!(
        receiver
            .unprotect_rtcp(&mut BytesMut::from(octets))
            .is_err()
    );
    assert_eq!(state(&receiver), before);

    let mut packet = BytesMut::from(octets);
    if sender.protect_rtcp(&mut packet).is_ok() {
        let mut replayed = packet.clone();
        receiver.unprotect_rtcp(&mut packet).unwrap();
        assert_eq!(packet, octets);
        let before = state(&receiver);
        assert_eq!(
            receiver.unprotect_rtcp(&mut replayed),
            Err(UnprotectError::Replayed)
        );
        assert_eq!(state(&receiver), before);
    } else {
        assert_eq!(packet, octets);
    }
});
