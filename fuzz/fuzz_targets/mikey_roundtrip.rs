#![no_main]

//! What is read, by the letter or with every quirk, is written as it was.

use libfuzzer_sys::fuzz_target;
use mikey::{Quirks, Rules};

const LENIENT: Quirks = Quirks {
    dummy_tls_policy: true,
    foreign_timestamps: true,
    salt_in_tek: true,
    sp_with_empty_map: true,
    trailing_zero: true,
};

fuzz_target!(|octets: &[u8]| {
    for rules in [Rules::STRICT, Rules::STRICT.with_quirks(LENIENT)] {
        let Ok(message) = rules.decode(octets) else {
            continue;
        };
        let payloads: Vec<_> = message.payloads().collect();
        let again = rules
            .compose(*message.header(), &payloads)
            .expect("what was read is sound");
        assert_eq!(again, message);
        let written = again.to_vec();
        assert_eq!(written.len(), again.encoded_len());
        assert!(octets == written || octets == [&written[..], &[0]].concat());
    }
});
